/* fleet/scenario_test.c - stories are read, and wrong ones are named by line. */
#include "fleet/scenario.h"
#include "ocpp/check.h"

#include <stdio.h>

static struct scenario_step room[SCENARIO_STEPS_MAX];

static void test_demo_as_text(void)
{
    char text[1024];
    size_t len = 0;
    struct scenario s;
    unsigned line;
    const char *why;

    for (unsigned i = 0; i < scenario_demo.count; i++) {
        const struct scenario_step *d = &scenario_demo.steps[i];
        char connector[8] = "";

        if (d->connector)
            snprintf(connector, sizeof connector, "%d", d->connector);
        len += (size_t)snprintf(text + len, sizeof text - len, "%u.%u %s %s %s # step %u\r\n\n",
                                d->at_ms / 1000, d->at_ms % 1000 / 100, scenario_name(d->action),
                                connector, d->word, i);
    }
    CHECK(scenario_parse((struct amp_text){ text, (uint32_t)len }, 2, room, &s, &line, &why) == 0,
          "line %u: %s", line, why ? why : "");
    CHECK(s.count == scenario_demo.count, "%u steps", s.count);
    for (unsigned i = 0; i < s.count; i++)
        CHECK(!memcmp(&s.steps[i], &scenario_demo.steps[i], sizeof *s.steps), "step %u differs", i);
}

static void test_wrong(void)
{
    static const struct {
        const char *why, *text;
        unsigned line;
    } cases[] = {
        { "empty", "# nothing\n\n", 0 },
        { "no time", "start\n", 1 },
        { "time with junk", "1x start", 1 },
        { "too many decimals", "1.0000 start", 1 },
        { "unknown action", "1 start\n2 dance 1", 2 },
        { "connector that is not there", "1 start\n\n2 leave 3", 3 },
        { "connector missing", "1 leave", 1 },
        { "connector 0", "1 leave 0", 1 },
        { "tag missing", "1 tag 1", 1 },
        { "tag too long", "1 tag 1 ABCDEFGHIJKLMNOPQRSTU", 1 },
        { "word far too long", "1 tag 1 ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ", 1 },
        { "unknown vehicle", "1 arrive 1 bicycle", 1 },
        { "unknown fault", "1 fault 1 Sneezing", 1 },
        { "too many words", "1 start now", 1 },
        { "back in time", "5 start\n4 done", 2 },
        { "later than a life", "99999999 start", 1 },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct scenario s;
        unsigned line = 99;
        const char *why = NULL;
        int rc = scenario_parse(amp_text_of(cases[i].text), 2, room, &s, &line, &why);

        CHECK(rc == AMP_E_FORMAT && why, "%s: got %d", cases[i].why, rc);
        CHECK(!cases[i].line || line == cases[i].line, "%s: blamed line %u", cases[i].why, line);
    }
}

static void test_full(void)
{
    static char text[SCENARIO_STEPS_MAX * 8 + 64];
    struct scenario s;
    unsigned line;
    const char *why;
    size_t len = 0;

    for (int i = 0; i < SCENARIO_STEPS_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "1 done\n");
    CHECK(scenario_parse(amp_text_of(text), 2, room, &s, &line, &why) == 0,
          "as many as there is room for");
    CHECK(s.count == SCENARIO_STEPS_MAX, "%u", s.count);
    snprintf(text + len, sizeof text - len, "1 done\n");
    CHECK(scenario_parse(amp_text_of(text), 2, room, &s, &line, &why) == AMP_E_FORMAT, "one more");
    CHECK(line == SCENARIO_STEPS_MAX + 1, "line %u", line);
}

int main(void)
{
    RUN(test_demo_as_text);
    RUN(test_wrong);
    RUN(test_full);
    return check_end();
}
