/* central/v16/slice_test.c - finding values in sound JSON. */
#include "central/v16/slice.h"
#include "ocpp/check.h"
#include "ocpp/err.h"

static void test_member(void)
{
    static const struct {
        const char *object, *key, *value;
    } cases[] = {
        { "{\"a\":1}", "a", "1" },
        { " { \"a\" : [1, 2 ] , \"b\" : {\"c\":\"}\"} } ", "a", "[1, 2 ]" },
        { " { \"a\" : [1, 2 ] , \"b\" : {\"c\":\"}\"} } ", "b", "{\"c\":\"}\"}" },
        { "{\"a\":\"x\\\"],{\",\"b\":null}", "a", "\"x\\\"],{\"" },
        { "{\"a\":\"x\\\\\",\"b\":null}", "b", "null" },
        { "{\"a\":{\"b\":1},\"b\":2}", "b", "2" },
        { "{\"a\":[[],[{}]],\"b\":-1.5e3}", "b", "-1.5e3" },
        { "{\"a\":1}", "b", NULL },
        { "{}", "a", NULL },
        { "[\"a\",1]", "a", NULL },
        { "\"a\"", "a", NULL },
        { "", "a", NULL },
        { "{\"a\"", "a", NULL },
        { "{\"a\":", "a", "" },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct amp_text v = v16_slice_member(amp_text_of(cases[i].object), cases[i].key);

        CHECK(cases[i].value ? v.at && amp_text_is(v, cases[i].value) : !v.at, "%s of %s: '%.*s'",
              cases[i].key, cases[i].object, AMP_FMT(v));
    }
}

static void test_items(void)
{
    static const struct {
        const char *list, *items;
    } cases[] = {
        { "[{\"a\":1},{\"b\":[2,3]}]", "{\"a\":1}|{\"b\":[2,3]}|" },
        { " [ 1 , \"x,]\" ] ", "1|\"x,]\"|" },
        { "[]", "" },
        { "{\"a\":1}", "{\"a\":1}|" },
        { "", "" },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        char all[200] = "";
        struct amp_text item;
        uint32_t at = 0;

        while (v16_slice_item(amp_text_of(cases[i].list), &at, &item))
            snprintf(all + strlen(all), sizeof all - strlen(all), "%.*s|", AMP_FMT(item));
        CHECK(!strcmp(all, cases[i].items), "%s: %s", cases[i].list, all);
    }
}

int main(void)
{
    RUN(test_member);
    RUN(test_items);
    return check_end();
}
