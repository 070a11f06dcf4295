/* ocpp/text_test.c */
#include "ocpp/arena.h"
#include "ocpp/buf.h"
#include "ocpp/check.h"
#include "ocpp/text.h"

static void test_compare(void)
{
    CHECK(amp_text_eq(AMP_TEXT("abc"), AMP_TEXT("abc")), "same");
    CHECK(!amp_text_eq(AMP_TEXT("abc"), AMP_TEXT("abC")), "case counts");
    CHECK(amp_text_eqi(AMP_TEXT("aB1-"), AMP_TEXT("Ab1-")), "case of A-Z does not");
    CHECK(!amp_text_eqi(AMP_TEXT("a["), AMP_TEXT("a{")), "other characters have no case");
    CHECK(!amp_text_eqi(AMP_TEXT("ab"), AMP_TEXT("abc")), "length");
    CHECK(amp_text_eq(AMP_NO_TEXT, AMP_TEXT("")), "absent and empty compare equal");
    CHECK(amp_text_hashi(AMP_TEXT("TagX")) == amp_text_hashi(AMP_TEXT("tAGx")), "hash folds");
    CHECK(amp_text_hash(AMP_TEXT("TagX")) != amp_text_hash(AMP_TEXT("tAGx")), "hash does not fold");
    CHECK(amp_text_is(amp_text_trim(AMP_TEXT(" \t a b\r\n")), "a b"), "trim");
    CHECK(amp_text_trim(AMP_TEXT("  ")).len == 0, "trim of blanks");
}

static void test_utf8(void)
{
    static const struct {
        const char *why, *in;
        bool ok;
        uint32_t chars;
    } cases[] = {
        { "empty", "", true, 0 },
        { "ascii", "plain text longer than eight", true, 28 },
        { "two bytes",
          "Stra\xc3\x9f"
          "e",
          true, 6 },
        { "three bytes behind eight", "12345678\xe2\x82\xac", true, 9 },
        { "four bytes", "\xf0\x9f\x98\x80", true, 1 },
        { "last code point", "\xf4\x8f\xbf\xbf", true, 1 },
        { "overlong slash", "\xc0\xaf", false, 0 },
        { "overlong three", "\xe0\x9f\xbf", false, 0 },
        { "overlong four", "\xf0\x8f\xbf\xbf", false, 0 },
        { "surrogate", "\xed\xa0\x80", false, 0 },
        { "past the last", "\xf4\x90\x80\x80", false, 0 },
        { "latin-1", "12345678Stra\xdf", false, 0 },
        { "lone tail", "\x80", false, 0 },
        { "cut", "abc\xe2\x82", false, 0 },
        { "ff", "\xff", false, 0 },
        { "bad second tail", "\xe2\x82\x41", false, 0 },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct amp_text t = amp_text_of(cases[i].in);

        CHECK(amp_text_utf8(t) == cases[i].ok, "%s", cases[i].why);
        if (cases[i].ok)
            CHECK(amp_text_chars(t) == cases[i].chars, "%s: %u", cases[i].why, amp_text_chars(t));
    }
}

static void test_copy(void)
{
    char out[8];

    CHECK(!strcmp(amp_text_copy(out, 8, AMP_TEXT("seven77")), "seven77"), "fits");
    CHECK(!strcmp(amp_text_copy(out, 8, AMP_TEXT("eight888")), "eight88"), "cut");
    CHECK(!strcmp(amp_text_copy(out, 4, AMP_TEXT("ab\xe2\x82\xac")), "ab"),
          "never half a character");
    CHECK(!strcmp(amp_text_copy(out, 8, AMP_NO_TEXT), ""), "absent");
    out[0] = 'x';
    amp_text_copy(out, 0, AMP_TEXT("a"));
    CHECK(out[0] == 'x', "no room at all");
}

static void test_int(void)
{
    static const struct {
        const char *in;
        int rc;
        int64_t out;
        /* clang-format off */
    } cases[] = {
        { "0",                    0,           0 },
        { "-17",                  0,           -17 },
        { "+5",                   0,           5 },
        { "9223372036854775807",  0,           INT64_MAX },
        { "-9223372036854775808", 0,           INT64_MIN },
        { "9223372036854775808",  AMP_E_VALUE, 0 },
        { "-9223372036854775809", AMP_E_VALUE, 0 },
        { "99999999999999999999", AMP_E_VALUE, 0 },
        { "",                     AMP_E_TYPE,  0 },
        { "-",                    AMP_E_TYPE,  0 },
        { "1 ",                   AMP_E_TYPE,  0 },
        { "0x10",                 AMP_E_TYPE,  0 },
    };
    /* clang-format on */

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        int64_t v = 1;
        int rc = amp_text_int(amp_text_of(cases[i].in), &v);

        CHECK(rc == cases[i].rc && v == cases[i].out, "'%s': %d %lld", cases[i].in, rc,
              (long long)v);
    }
}

static void test_arena(void)
{
    unsigned char block[64];
    struct amp_arena a;
    unsigned char *p, *q;

    amp_arena_init(&a, block + 1, sizeof block - 1);
    p = amp_arena_alloc(&a, 5);
    q = amp_arena_alloc(&a, 9);
    CHECK(p && ((uintptr_t)p & 7) == 0 && q == p + 8 && ((uintptr_t)q & 7) == 0, "aligned");
    memset(q, 0xee, 9);
    CHECK(!amp_arena_alloc(&a, 64) && a.used == 17, "full changes nothing");
    CHECK(!amp_arena_alloc(&a, SIZE_MAX), "no wrap");
    CHECK(amp_text_is(amp_arena_text(&a, AMP_TEXT("copy")), "copy"), "text");
    CHECK(amp_arena_text(&a, AMP_TEXT("")).at != NULL, "empty is not absent");
    CHECK(amp_arena_text(&a, AMP_NO_TEXT).at == NULL, "absent stays absent");
    amp_arena_reset(&a);
    CHECK(a.used == 0 && a.peak >= 17, "peak stays: %zu", a.peak);
    p = amp_arena_alloc(&a, 24);
    CHECK(p && p[8] == 0 && p[16] == 0, "zeroed again");
}

static char bigger[64];

static bool grow(struct amp_buf *b, size_t need)
{
    if (need > sizeof bigger)
        return false;
    memcpy(bigger, b->at, b->len);
    b->at = bigger;
    b->cap = sizeof bigger;
    return true;
}

static void test_buf(void)
{
    char block[8];
    struct amp_buf b;

    amp_buf_init(&b, block, sizeof block);
    amp_buf_puts(&b, "ab");
    amp_buf_int(&b, -12);
    amp_buf_putc(&b, '!');
    CHECK(amp_text_is(amp_buf_text(&b), "ab-12!") && !b.full, "text");
    amp_buf_put(&b, "xyz", 3);
    CHECK(b.full && b.len == 6, "overflow is remembered");
    amp_buf_putc(&b, 'x');
    CHECK(b.len == 6 && !amp_buf_room(&b, 0), "nothing is appended behind a gap");
    amp_buf_reset(&b);
    amp_buf_int(&b, 0);
    CHECK(amp_text_is(amp_buf_text(&b), "0") && !b.full, "reset");
    b.grow = grow;
    amp_buf_int(&b, INT64_MIN);
    CHECK(amp_text_is(amp_buf_text(&b), "0-9223372036854775808") && b.at == bigger, "grown");
    CHECK(!amp_buf_room(&b, 64) && b.full, "grown no further");
}

int main(void)
{
    RUN(test_compare);
    RUN(test_utf8);
    RUN(test_copy);
    RUN(test_int);
    RUN(test_arena);
    RUN(test_buf);
    return check_end();
}
