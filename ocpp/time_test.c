/* ocpp/time_test.c */
#include "ocpp/check.h"
#include "ocpp/time.h"

#define JUNE 1717230600000 /* 2024-06-01T08:30:00Z */
#define NO   INT64_MIN     /* refused */

static void test_parse(void)
{
    static const struct {
        const char *in;
        int64_t lax, strict;
        /* clang-format off */
    } cases[] = {
        { "2024-06-01T08:30:00Z",              JUNE,            JUNE },
        { "2024-06-01T08:30:00.123Z",          JUNE + 123,      JUNE + 123 },
        { "2024-06-01T08:30:00.1Z",            JUNE + 100,      JUNE + 100 },
        { "2024-06-01T08:30:00.123999999999Z", JUNE + 123,      JUNE + 123 },
        { "2024-06-01T10:30:00+02:00",         JUNE,            JUNE },
        { "2024-06-01T03:00:00-05:30",         JUNE,            JUNE },
        { "2024-06-01t08:30:00z",              JUNE,            JUNE },
        { "2016-12-31T23:59:60Z",              1483228800000,   1483228800000 },
        { "1970-01-01T00:00:00Z",              0,               0 },
        { "1969-12-31T23:59:59.999Z",          -1,              -1 },
        { "0001-01-01T00:00:00Z",              -62135596800000, -62135596800000 },
        { "2000-02-29T00:00:00Z",              951782400000,    951782400000 },
        { "9999-12-31T23:59:59.999Z",          253402300799999, 253402300799999 },
        /* what stations send as well */
        { "2024-06-01 08:30:00Z",              JUNE,            NO },
        { "2024-06-01T08:30:00",               JUNE,            NO },
        { "2024-06-01T08:30:00.000",           JUNE,            NO },
        { "2024-06-01T08:30Z",                 JUNE,            NO },
        { "2024-06-01T08:30",                  JUNE,            NO },
        { "2024-06-01T08:30:00,5Z",            JUNE + 500,      NO },
        { "2024-06-01T10:30:00+0200",          JUNE,            NO },
        { "2024-06-01T10:30:00+02",            JUNE,            NO },
        { " 2024-06-01T08:30:00Z\n",           JUNE,            NO },
        /* no times */
        { "",                                  NO,              NO },
        { "2024-06-01",                        NO,              NO },
        { "2024-06-01T",                       NO,              NO },
        { "2024-06-01T08",                     NO,              NO },
        { "2024-6-1T08:30:00Z",                NO,              NO },
        { "2024-06-01T8:30:00Z",               NO,              NO },
        { "2024-06-01T08:30:0Z",               NO,              NO },
        { "2024-06-01T08:30:00.Z",             NO,              NO },
        { "2024-06-01T08:30:00UTC",            NO,              NO },
        { "2024-06-01T08:30:00ZZ",             NO,              NO },
        { "2024-06-01T08:30:00+2",             NO,              NO },
        { "2024-06-01T08:30:00+02:",           NO,              NO },
        { "2024-06-01T08:30:00+02:0",          NO,              NO },
        { "2024-06-01T08:30:00+24:00",         NO,              NO },
        { "2024-06-01T08:30:00+02:60",         NO,              NO },
        { "2023-02-29T00:00:00Z",              NO,              NO },
        { "1900-02-29T00:00:00Z",              NO,              NO },
        { "2024-13-01T00:00:00Z",              NO,              NO },
        { "2024-00-01T00:00:00Z",              NO,              NO },
        { "2024-06-31T00:00:00Z",              NO,              NO },
        { "2024-06-00T00:00:00Z",              NO,              NO },
        { "2024-06-01T24:00:00Z",              NO,              NO },
        { "2024-06-01T08:60:00Z",              NO,              NO },
        { "2024-06-01T08:30:61Z",              NO,              NO },
        { "-024-06-01T08:30:00Z",              NO,              NO },
        { "1717230600",                        NO,              NO },
        { "now",                               NO,              NO },
    };
    /* clang-format on */

    for (size_t i = 0; i < AMP_COUNT(cases); i++)
        for (int lax = 0; lax < 2; lax++) {
            int64_t want = lax ? cases[i].lax : cases[i].strict, ms;
            int rc = amp_time_parse(amp_text_of(cases[i].in), lax, &ms);

            CHECK(rc == (want == NO ? AMP_E_TYPE : 0), "'%s' lax %d: %d", cases[i].in, lax, rc);
            CHECK(rc < 0 || ms == want, "'%s' lax %d: %lld", cases[i].in, lax, (long long)ms);
        }
}

static void test_write(void)
{
    static const struct {
        int64_t ms;
        const char *out;
        /* clang-format off */
    } cases[] = {
        { 0,               "1970-01-01T00:00:00Z" },
        { JUNE + 7,        "2024-06-01T08:30:00.007Z" },
        { -1,              "1969-12-31T23:59:59.999Z" },
        { -62135596800000, "0001-01-01T00:00:00Z" },
        { INT64_MAX,       "9999-12-31T23:59:59.999Z" },
        { INT64_MIN,       "0000-01-01T00:00:00Z" },
    };
    /* clang-format on */

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        char text[AMP_TIME_TEXT_MAX];

        CHECK(!strcmp(amp_time_text(cases[i].ms, text), cases[i].out), "%s: %s", cases[i].out,
              text);
    }
}

/* Every day of 0000 to 9999 comes back, and follows the day before. */
static void test_every_day(void)
{
    char text[AMP_TIME_TEXT_MAX];
    int64_t day = -62167219200000, ms;
    int bad = 0;

    for (; day <= 253402214400000; day += 86400000)
        bad += amp_time_parse(amp_text_of(amp_time_text(day, text)), false, &ms) != 0 || ms != day;
    CHECK(bad == 0, "%d days", bad);
}

int main(void)
{
    RUN(test_parse);
    RUN(test_write);
    RUN(test_every_day);
    return check_end();
}
