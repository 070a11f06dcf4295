/* ocpp/json_test.c */
#include "ocpp/check.h"
#include "ocpp/json.h"

static char block[4096];

static void test_write(void)
{
    struct amp_buf b;
    struct amp_json w;

    amp_buf_init(&b, block, sizeof block);
    amp_json_init(&w, &b);
    amp_json_open(&w, '{');
    amp_json_key(&w, "a");
    amp_json_open(&w, '[');
    amp_json_int(&w, -5);
    amp_json_bool(&w, true);
    amp_json_bool(&w, false);
    amp_json_null(&w);
    amp_json_open(&w, '{');
    amp_json_close(&w, '}');
    amp_json_dec(&w, (struct amp_dec){ 101, -1 });
    amp_json_close(&w, ']');
    amp_json_key(&w, "b");
    amp_json_text(&w, AMP_TEXT("x"));
    amp_json_key(&w, "c");
    amp_json_text(&w, AMP_NO_TEXT);
    amp_json_key(&w, "d");
    amp_json_str(&w, NULL);
    amp_json_key(&w, "e");
    amp_json_time(&w, 1717230600000);
    amp_json_key(&w, "f");
    amp_json_time(&w, 0);
    amp_json_key(&w, "g");
    amp_json_raw(&w, AMP_TEXT("[1]"));
    amp_json_close(&w, '}');
    CHECK(amp_text_is(amp_buf_text(&b),
                      "{\"a\":[-5,true,false,null,{},10.1],\"b\":\"x\",\"c\":null,\"d\":null,"
                      "\"e\":\"2024-06-01T08:30:00Z\",\"f\":null,\"g\":[1]}"),
          "%.*s", AMP_FMT(amp_buf_text(&b)));
    CHECK(amp_json_check(amp_buf_text(&b), NULL) == 0, "what is written is sound");
}

static void test_quote(void)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "", "\"\"" },
        { "plain and longer than eight", "\"plain and longer than eight\"" },
        { "q\"b\\s/", "\"q\\\"b\\\\s/\"" },
        { "\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"" },
        { "12345678\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z",
          "\"12345678\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z\"" },
        { "a\xff"
          "b",
          "\"a\xef\xbf\xbd"
          "b\"" },
        { "\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct amp_buf b;

        amp_buf_init(&b, block, sizeof block);
        amp_json_quote(&b, amp_text_of(cases[i].in));
        CHECK(amp_text_is(amp_buf_text(&b), cases[i].out), "case %zu: %.*s", i,
              AMP_FMT(amp_buf_text(&b)));
    }
}

static void test_overflow(void)
{
    struct amp_buf b;
    struct amp_json w;

    for (size_t cap = 0; cap < 12; cap++) {
        amp_buf_init(&b, block, cap);
        amp_json_init(&w, &b);
        amp_json_open(&w, '{');
        amp_json_key(&w, "key");
        amp_json_str(&w, "ab\n");
        amp_json_close(&w, '}');
        CHECK(b.full, "cap %zu", cap);
        CHECK(b.len <= cap, "cap %zu", cap);
    }
}

static void test_check(void)
{
    static const struct {
        const char *in;
        int rc;
        /* clang-format off */
    } cases[] = {
        { "{}",                                                                 0 },
        { " [ ] ",                                                              0 },
        { "0",                                                                  0 },
        { "-12.5e+3",                                                           0 },
        { "\"\"",                                                               0 },
        { "null",                                                               0 },
        { "{\"a\":1,\"b\":[true,false,null,{\"a\":2}]}",                        0 },
        { "{ \"a\" : 1 , \"b\" : { } }",                                        0 },
        { "[[],[1,2],{\"x\":[]}]",                                              0 },
        { "\"\\ud83d\\ude00 \\u00e9 \\\" \\\\ \\/ \\b\\f\\n\\r\\t\"",           0 },
        { "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",   0 },
        { "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", AMP_E_DEPTH },
        { "",                                                                   AMP_E_FORMAT },
        { " ",                                                                  AMP_E_FORMAT },
        { "{",                                                                  AMP_E_FORMAT },
        { "[",                                                                  AMP_E_FORMAT },
        { "[1",                                                                 AMP_E_FORMAT },
        { "[1,",                                                                AMP_E_FORMAT },
        { "[1,]",                                                               AMP_E_FORMAT },
        { "[,1]",                                                               AMP_E_FORMAT },
        { "[1 2]",                                                              AMP_E_FORMAT },
        { "[1}",                                                                AMP_E_FORMAT },
        { "{\"a\"}",                                                            AMP_E_FORMAT },
        { "{\"a\":}",                                                           AMP_E_FORMAT },
        { "{\"a\":1,}",                                                         AMP_E_FORMAT },
        { "{a:1}",                                                              AMP_E_FORMAT },
        { "{1:1}",                                                              AMP_E_FORMAT },
        { "{\"a\" 1}",                                                          AMP_E_FORMAT },
        { "{} {}",                                                              AMP_E_FORMAT },
        { "[] x",                                                               AMP_E_FORMAT },
        { "tru",                                                                AMP_E_FORMAT },
        { "True",                                                               AMP_E_FORMAT },
        { "nullx",                                                              AMP_E_FORMAT },
        { "01",                                                                 AMP_E_FORMAT },
        { "-",                                                                  AMP_E_FORMAT },
        { "+1",                                                                 AMP_E_FORMAT },
        { ".5",                                                                 AMP_E_FORMAT },
        { "5.",                                                                 AMP_E_FORMAT },
        { "1e",                                                                 AMP_E_FORMAT },
        { "1e+",                                                                AMP_E_FORMAT },
        { "\"abc",                                                              AMP_E_FORMAT },
        { "\"\\",                                                               AMP_E_FORMAT },
        { "\"\\x41\"",                                                          AMP_E_FORMAT },
        { "\"\\u12\"",                                                          AMP_E_FORMAT },
        { "\"\\u12g4\"",                                                        AMP_E_FORMAT },
        { "\"a\nb\"",                                                           AMP_E_FORMAT },
        { "\"\\ud800\"",                                                        AMP_E_FORMAT },
        { "\"\\ud800x\"",                                                       AMP_E_FORMAT },
        { "\"\\udc00\\ud800\"",                                                 AMP_E_FORMAT },
        { "\"\\ud83d\\ud83d\"",                                                 AMP_E_FORMAT },
        { "\"\\u0000\"",                                                        AMP_E_VALUE },
        { "\"\xff\"",                                                           AMP_E_UTF8 },
        { "\"\xc0\xaf\"",                                                       AMP_E_UTF8 },
        { "\"\xe2\x82",                                                         AMP_E_UTF8 },
        { "{\"a\":1,\"b\":2,\"a\":3}",                                          AMP_E_FORMAT },
        { "{\"a\":1,\"\\u0061\":3}",                                            AMP_E_FORMAT },
        { "{\"\xc3\xa9\":1,\"\\u00e9\":3}",                                     AMP_E_FORMAT },
        { "{\"\xf0\x9f\x98\x80x\":1,\"\\ud83d\\ude00\\u0078\":3}",              AMP_E_FORMAT },
        { "{\"\":1,\"\":3}",                                                    AMP_E_FORMAT },
        { "{\"x\":[{\"a\":{\"}\\\"\":1}, \"a\" :2}]}",                          AMP_E_FORMAT },
        { "{\"a\":{\"a\":1},\"b\":{\"a\":1},\"c\":\"a\"}",                      0 },
        { "{\"a\":\"\\\",\\\"a\\\":1\",\"b\":1}",                               0 },
    };
    /* clang-format on */

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct amp_fault fault = { 0 };
        /* a copy of exactly this size, so that a sanitizer sees one byte too far */
        size_t len = strlen(cases[i].in);
        char text[128];
        int rc;

        memcpy(text + sizeof text - len, cases[i].in, len);
        rc = amp_json_check((struct amp_text){ text + sizeof text - len, (uint32_t)len }, &fault);
        CHECK(rc == cases[i].rc, "%s: %d", cases[i].in, rc);
        CHECK(rc == 0 || (fault.rc == rc && fault.why), "%s: fault %d", cases[i].in, fault.rc);
    }
}

/* The table for unique keys works in blocks: pairs inside one, across two, and none. */
static void test_many_keys(void)
{
    static char text[40000];
    static const struct {
        int first, second, rc;
        /* clang-format off */
    } cases[] = {
        { 0,    1999, AMP_E_FORMAT },
        { 255,  256,  AMP_E_FORMAT },
        { 3,    5,    AMP_E_FORMAT },
        { 700,  1300, AMP_E_FORMAT },
        { 1998, 1999, AMP_E_FORMAT },
        { 7,    7,    0 }
    };
    /* clang-format on */

    for (size_t c = 0; c < AMP_COUNT(cases); c++) {
        struct amp_buf b;
        int rc;

        amp_buf_init(&b, text, sizeof text);
        for (int i = 0; i < 2000; i++) {
            amp_buf_puts(&b, i ? ",\"key" : "{\"key");
            amp_buf_int(&b, i == cases[c].second ? cases[c].first : i);
            amp_buf_puts(&b, "\":[0]");
        }
        amp_buf_putc(&b, '}');
        rc = amp_json_check(amp_buf_text(&b), NULL);
        CHECK(!b.full && rc == cases[c].rc, "case %zu: %d", c, rc);
    }
}

int main(void)
{
    RUN(test_write);
    RUN(test_quote);
    RUN(test_overflow);
    RUN(test_check);
    RUN(test_many_keys);
    return check_end();
}
