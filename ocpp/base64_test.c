/* RFC 4648 §10, what strict refuses, and credentials as stations send them. */
#include "ocpp/base64.h"
#include "ocpp/check.h"

static void test_both_ways(void)
{
    static const struct {
        const char *plain, *coded;
        /* clang-format off */
    } rows[] = {
        { "",              "" },
        { "f",             "Zg==" },
        { "fo",            "Zm8=" },
        { "foo",           "Zm9v" },
        { "foob",          "Zm9vYg==" },
        { "fooba",         "Zm9vYmE=" },
        { "foobar",        "Zm9vYmFy" },
        { "\xfb\xff\xbf~", "+/+/fg==" },
    };
    /* clang-format on */

    for (size_t i = 0; i < AMP_COUNT(rows); i++) {
        char block[32];
        struct amp_buf out;
        int len;

        amp_buf_init(&out, block, sizeof(block));
        amp_base64_encode(&out, rows[i].plain, strlen(rows[i].plain));
        CHECK(amp_text_is(amp_buf_text(&out), rows[i].coded), "row %zu: %.*s", i,
              AMP_FMT(amp_buf_text(&out)));
        CHECK(out.len == AMP_BASE64_LEN(strlen(rows[i].plain)), "row %zu: %zu", i, out.len);
        len = amp_base64_decode(amp_text_of(rows[i].coded), block, strlen(rows[i].plain));
        CHECK(len == (int)strlen(rows[i].plain) && !memcmp(block, rows[i].plain, (size_t)len),
              "row %zu: %d", i, len);
    }
}

static void test_refused(void)
{
    static const struct {
        const char *why, *in;
        int rc;
        /* clang-format off */
    } rows[] = {
        { "no padding",            "Zg",           AMP_E_FORMAT },
        { "half a padding",        "Zg=",          AMP_E_FORMAT },
        { "one digit",             "Z",            AMP_E_FORMAT },
        { "one digit and padding", "Z===",         AMP_E_FORMAT },
        { "padding alone",         "====",         AMP_E_FORMAT },
        { "too much padding",      "Zm9v====",     AMP_E_FORMAT },
        { "padding inside",        "Zg==Zg==",     AMP_E_FORMAT },
        { "padding in front",      "=Zm9",         AMP_E_FORMAT },
        { "unused bits, two",      "Zh==",         AMP_E_FORMAT },
        { "unused bits, one",      "Zm9=",         AMP_E_FORMAT },
        { "a blank",               "Zm 9",         AMP_E_FORMAT },
        { "a line end",            "Zm9v\r\n\r\n", AMP_E_FORMAT },
        { "the alphabet of URLs",  "-_-_",         AMP_E_FORMAT },
        { "beyond ASCII",          "Zm9\xC3",      AMP_E_FORMAT },
        { "larger than the room",  "Zm9vYmFyZm9v", AMP_E_FULL },
    };
    /* clang-format on */

    for (size_t i = 0; i < AMP_COUNT(rows); i++) {
        char out[8];
        int rc = amp_base64_decode(amp_text_of(rows[i].in), out, sizeof(out));

        CHECK(rc == rows[i].rc, "%s: %d", rows[i].why, rc);
    }
}

static void test_nul_and_place(void)
{
    char text[] = "AGEAYgA=";
    int len = amp_base64_decode(AMP_TEXT("AA==\0AA="), text, sizeof(text));

    CHECK(len == AMP_E_FORMAT, "a NUL is no digit");
    len = amp_base64_decode((struct amp_text){ text, 8 }, text, sizeof(text));
    CHECK(len == 5 && !memcmp(text, "\0a\0b\0", 5), "in its own place: %d", len);
}

static void test_encode_full(void)
{
    char block[7];
    struct amp_buf out;

    amp_buf_init(&out, block, sizeof(block));
    amp_base64_encode(&out, "foobar", 6);
    CHECK(out.full, "eight characters in seven");
}

/* clang-format off */
static const struct {
    const char *why;
    struct amp_text in;
    int rc;
    struct amp_text user, password;
} basics[] = {
    { "RFC 7617",
      { "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", 34 },
      0,
      { "Aladdin", 7 },
      { "open sesame", 11 } },
    { "scheme in any case", { "bAsIc YTpi", 10 }, 0, { "a", 1 }, { "b", 1 } },
    { "several blanks", { "Basic   YTpi  ", 14 }, 0, { "a", 1 }, { "b", 1 } },
    { "split at the first colon", { "Basic Q1A6YTpiOg==", 18 }, 0, { "CP", 2 }, { "a:b:", 4 } },
    { "20 raw bytes with NUL and broken UTF-8 (S2)",
      { "Basic Q1AxOgAB/4A6AAAAAAAAAAAAAAAAAAAA", 38 },
      0,
      { "CP1", 3 },
      { "\x00\x01\xff\x80:\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20 } },
    { "empty password", { "Basic YTo=", 10 }, 0, { "a", 1 }, { "", 0 } },
    { "empty user", { "Basic OmI=", 10 }, 0, { "", 0 }, { "b", 1 } },
    { "no colon", { "Basic YWI=", 10 }, AMP_E_FORMAT, { "", 0 }, { "", 0 } },
    { "nothing behind the scheme", { "Basic ", 6 }, AMP_E_FORMAT, { "", 0 }, { "", 0 } },
    { "no Base64", { "Basic a:b", 9 }, AMP_E_FORMAT, { "", 0 }, { "", 0 } },
    { "no header", { NULL, 0 }, AMP_E_ABSENT, { "", 0 }, { "", 0 } },
    { "empty header", { "", 0 }, AMP_E_ABSENT, { "", 0 }, { "", 0 } },
    { "scheme alone", { "Basic", 5 }, AMP_E_ABSENT, { "", 0 }, { "", 0 } },
    { "another scheme", { "Bearer YTpi", 11 }, AMP_E_ABSENT, { "", 0 }, { "", 0 } },
    { "a longer word", { "Basics YTpi", 11 }, AMP_E_ABSENT, { "", 0 }, { "", 0 } },
};
/* clang-format on */

static void test_basic_decode(void)
{
    for (size_t i = 0; i < AMP_COUNT(basics); i++) {
        char out[40];
        struct amp_text user = AMP_TEXT(""), password = AMP_TEXT("");
        int rc = amp_basic_decode(basics[i].in, out, sizeof(out), &user, &password);

        CHECK(rc == basics[i].rc, "%s: %d", basics[i].why, rc);
        CHECK(amp_text_eq(user, basics[i].user), "%s: user %.*s", basics[i].why, AMP_FMT(user));
        CHECK(amp_text_eq(password, basics[i].password), "%s: password", basics[i].why);
    }
}

static void test_basic_full(void)
{
    char out[3];
    struct amp_text user, password;

    CHECK(amp_basic_decode(AMP_TEXT("Basic YTpi"), out, 3, &user, &password) == 0, "three fit");
    CHECK(amp_basic_decode(AMP_TEXT("Basic YTpiYw=="), out, 3, &user, &password) == AMP_E_FULL,
          "four do not");
}

static void test_basic_encode(void)
{
    for (size_t i = 0; i < AMP_COUNT(basics); i++) {
        char block[64], plain[64];
        struct amp_buf out;
        struct amp_text user, password;

        if (basics[i].rc < 0)
            continue;
        amp_buf_init(&out, block, sizeof(block));
        amp_basic_encode(&out, basics[i].user, basics[i].password);
        CHECK(amp_basic_decode(amp_buf_text(&out), plain, sizeof(plain), &user, &password) == 0,
              "%s", basics[i].why);
        CHECK(amp_text_eq(user, basics[i].user), "%s: user", basics[i].why);
        CHECK(amp_text_eq(password, basics[i].password), "%s: password", basics[i].why);
        CHECK(i || amp_text_eq(amp_buf_text(&out), basics[i].in), "%.*s",
              AMP_FMT(amp_buf_text(&out)));
    }
}

int main(void)
{
    RUN(test_both_ways);
    RUN(test_refused);
    RUN(test_nul_and_place);
    RUN(test_encode_full);
    RUN(test_basic_decode);
    RUN(test_basic_full);
    RUN(test_basic_encode);
    return check_end();
}
