/* ocpp/dec_test.c */
#include "ocpp/check.h"
#include "ocpp/dec.h"

static const char *text_of(struct amp_dec d)
{
    static char out[200];
    struct amp_buf b;

    amp_buf_init(&b, out, sizeof out - 1);
    amp_dec_write(&b, d);
    out[b.len] = '\0';
    return out;
}

static void test_parse(void)
{
    static const struct {
        const char *in;
        bool lax;
        int rc;
        int64_t digits;
        int exp;
        const char *out;
    } cases[] = {
        { "0", false, 0, 0, 0, "0" },
        { "10.1", false, 0, 101, -1, "10.1" },
        { "7.50", false, 0, 750, -2, "7.5" },
        { "-0.05", false, 0, -5, -2, "-0.05" },
        { "-0", false, 0, 0, 0, "0" },
        { "0.00", false, 0, 0, -2, "0" },
        { "1.2e3", false, 0, 12, 2, "1200" },
        { "1E-3", false, 0, 1, -3, "0.001" },
        { "100e-2", false, 0, 100, -2, "1" },
        { "999999999999999999", false, 0, 999999999999999999, 0, "999999999999999999" },
        { "1000000000000000000000", false, 0, 100000000000000000, 4, "1000000000000000000000" },
        { "0.1234567890123456780000", false, 0, 123456789012345678, -18, "0.123456789012345678" },
        { "1234567890123456789", false, AMP_E_VALUE, 0, 0, NULL },
        { "1e400", false, AMP_E_VALUE, 0, 0, NULL },
        { "1e-129", false, AMP_E_VALUE, 0, 0, NULL },
        { "1e99999999999999999999", false, AMP_E_VALUE, 0, 0, NULL },
        { "0e400", false, 0, 0, 0, "0" },
        { "1e127", false, 0, 1, 127, NULL },
        { "", false, AMP_E_TYPE, 0, 0, NULL },
        { "-", false, AMP_E_TYPE, 0, 0, NULL },
        { ".5", false, AMP_E_TYPE, 0, 0, NULL },
        { "5.", false, AMP_E_TYPE, 0, 0, NULL },
        { "1e", false, AMP_E_TYPE, 0, 0, NULL },
        { "010", false, AMP_E_TYPE, 0, 0, NULL },
        { "+1", false, AMP_E_TYPE, 0, 0, NULL },
        { "+1", true, 0, 1, 0, "1" },
        { " 6,5 ", false, AMP_E_TYPE, 0, 0, NULL },
        { " 6,5 ", true, 0, 65, -1, "6.5" },
        { "1,", true, AMP_E_TYPE, 0, 0, NULL },
        { "0x10", true, AMP_E_TYPE, 0, 0, NULL },
        { "NaN", true, AMP_E_TYPE, 0, 0, NULL },
        { "  ", true, AMP_E_TYPE, 0, 0, NULL },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct amp_dec d;
        int rc = amp_dec_parse(amp_text_of(cases[i].in), cases[i].lax, &d);

        CHECK(rc == cases[i].rc, "'%s': %d", cases[i].in, rc);
        CHECK(d.digits == cases[i].digits && d.exp == cases[i].exp, "'%s': %lld e%d", cases[i].in,
              (long long)d.digits, d.exp);
        if (cases[i].out)
            CHECK(!strcmp(text_of(d), cases[i].out), "'%s': %s", cases[i].in, text_of(d));
    }
}

static void test_round(void)
{
    static const struct {
        const char *in;
        int rc;
        const char *out;
        /* clang-format off */
    } cases[] = {
        { "7.50",                           0,           "7.5" },
        { "12345678901234567890.123456789", 0,           "12345678901234567900" },
        { "-1.2345678901234567849",         0,           "-1.23456789012345678" },
        { "-1.234567890123456785",          0,           "-1.23456789012345679" },
        { "999999999999999999.5",           0,           "1000000000000000000" },
        { "999999999999999999.5e127",       AMP_E_VALUE, "0" }, /* could not be read again */
        { "1e400",                          AMP_E_VALUE, "0" },
        { "x",                              AMP_E_TYPE,  "0" },
    };
    /* clang-format on */

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct amp_dec d;
        int rc = amp_dec_parse_round(amp_text_of(cases[i].in), false, &d);

        CHECK(rc == cases[i].rc && !strcmp(text_of(d), cases[i].out), "%s: %d %s", cases[i].in, rc,
              text_of(d));
    }
}

static void test_scale(void)
{
    static const struct {
        struct amp_dec d;
        int places, rc;
        int64_t out;
        /* clang-format off */
    } cases[] = {
        { { 101, -1 },        3,  0,           10100 },
        { { 12345, -4 },      3,  0,           1235 }, /* 1.2345 -> 1.235: half away from zero */
        { { -12345, -4 },     3,  0,           -1235 },
        { { 12344, -4 },      3,  0,           1234 },
        { { 49, -2 },         0,  0,           0 },
        { { 5, -1 },          0,  0,           1 },
        { { -5, -1 },         0,  0,           -1 },
        { { 1, -100 },        3,  0,           0 },
        { { 0, 127 },         9,  0,           0 },
        { { 9, 18 },          0,  0,           9000000000000000000 },
        { { 1, 19 },          0,  AMP_E_VALUE, 0 },
        { { INT64_MIN, 0 },   0,  0,           INT64_MIN },
        { { INT64_MIN, 0 },   1,  AMP_E_VALUE, 0 },
        { { INT64_MAX, -19 }, 0,  0,           1 },
        { { 4, 5 },           -3, 0,           400 },
    };
    /* clang-format on */

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        int64_t v = 1;
        int rc = amp_dec_scale(cases[i].d, cases[i].places, &v);

        CHECK(rc == cases[i].rc && v == cases[i].out, "case %zu: %d %lld", i, rc, (long long)v);
    }
}

static void test_compare(void)
{
    static const struct {
        struct amp_dec a, b;
        int out;
        /* clang-format off */
    } cases[] = {
        { { 750, -2 },      { 75, -1 },           0 },
        { { 0, 5 },         { 0, -3 },            0 },
        { { 101, -1 },      { 10, 0 },            1 },
        { { -101, -1 },     { -10, 0 },           -1 },
        { { 1, 100 },       { 9, 18 },            1 },
        { { 1, -100 },      { 0, 0 },             1 },
        { { -1, -100 },     { 0, 0 },             -1 },
        { { 12, 0 },        { 123, -1 },          -1 },
        { { -12, 0 },       { -123, -1 },         1 },
        { { INT64_MAX, 0 }, { INT64_MAX - 1, 0 }, 1 },
        { { INT64_MIN, 0 }, { 1, 0 },             -1 },
        { { 5, 1 },         { 50, 0 },            0 },
    };
    /* clang-format on */

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        int ab = amp_dec_cmp(cases[i].a, cases[i].b), ba = amp_dec_cmp(cases[i].b, cases[i].a);

        CHECK(ab == cases[i].out && ba == -cases[i].out, "case %zu: %d %d", i, ab, ba);
    }
}

static void test_of(void)
{
    CHECK(!strcmp(text_of(amp_dec_of(32174, 3)), "32.174"), "thousandths");
    CHECK(!strcmp(text_of(amp_dec_of(-500, 2)), "-5"), "no zeros behind the point");
    CHECK(!strcmp(text_of(amp_dec_of(INT64_MIN, 0)), "-9223372036854775808"), "the lowest");
}

int main(void)
{
    RUN(test_parse);
    RUN(test_round);
    RUN(test_scale);
    RUN(test_compare);
    RUN(test_of);
    return check_end();
}
