/* central/pki/secret_test.c - passwords of chargers. */
#include "central/pki/secret.h"
#include "ocpp/check.h"

static struct amp_text bytes(const char *at, uint32_t len)
{
    return (struct amp_text){ at, len };
}

static void test_matches(void)
{
#define KEY     "0001feff00112233445566778899aabbccddeeff"
#define KEY_RAW "\x00\x01\xfe\xff\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
    const struct {
        const char *why;
        struct amp_text password, given;
        bool same;
    } cases[] = {
        { "E39: the hex text", AMP_TEXT(KEY), AMP_TEXT(KEY), true },
        { "E39: in capitals", AMP_TEXT(KEY), AMP_TEXT("0001FEFF00112233445566778899AABBCCDDEEFF"),
          true },
        { "E39: the bytes", AMP_TEXT(KEY), AMP_TEXT(KEY_RAW), true },
        { "one byte short", AMP_TEXT(KEY), bytes(KEY_RAW, 19), false },
        { "another digit", AMP_TEXT(KEY), AMP_TEXT("0101feff00112233445566778899aabbccddeeff"),
          false },
        { "a text", AMP_TEXT("correct horse"), AMP_TEXT("correct horse"), true },
        { "E38: a colon in it", AMP_TEXT("a:b:c:d:"), AMP_TEXT("a:b:c:d:"), true },
        { "a NUL in it", bytes("pass\0word", 9), bytes("pass\0word", 9), true },
        { "cut at the NUL", bytes("pass\0word", 9), AMP_TEXT("pass"), false },
        { "hex too short for a key is a text", AMP_TEXT("00ff00ff"), AMP_TEXT("00ff00ff"), true },
        { "and not its bytes", AMP_TEXT("00ff00ff"), bytes("\0\xff\0\xff", 4), false },
        { "an odd number of digits", AMP_TEXT("000102030405060708090a0b0c0d0e0f1"),
          AMP_TEXT("000102030405060708090a0b0c0d0e0f1"), true },
        { "nothing", AMP_TEXT("correct horse"), AMP_TEXT(""), false },
        { "zeros for no key", AMP_TEXT(KEY), bytes("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20),
          false },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        char stored[SECRET_STORED_MAX], other[SECRET_STORED_MAX];

        secret_hash(cases[i].password, stored);
        secret_hash(cases[i].password, other);
        CHECK(strcmp(stored, other) != 0, "salted");
        CHECK(!strstr(stored, KEY), "not the key itself");
        CHECK(secret_matches(amp_text_of(stored), cases[i].given) == cases[i].same, "%s",
              cases[i].why);
        CHECK(!secret_matches(AMP_NO_TEXT, cases[i].given), "nothing stored");
        CHECK(!secret_matches(AMP_TEXT("1$garbage"), cases[i].given), "stored garbage");
    }
}

static void test_generate(void)
{
    char a[SECRET_HEX + 1], b[SECRET_HEX + 1];

    secret_generate(a), secret_generate(b);
    CHECK(strlen(a) == SECRET_HEX && secret_is_key(amp_text_of(a)) && strcmp(a, b) != 0, "%s %s", a,
          b);
}

int main(void)
{
    RUN(test_matches);
    RUN(test_generate);
    return check_end();
}
