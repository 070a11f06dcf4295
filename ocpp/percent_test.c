/* Percent-encoding: once, strictly, and back. */
#include "ocpp/check.h"
#include "ocpp/percent.h"

static const struct {
    const char *why;
    struct amp_text in;
    int rc; /* length or error */
    struct amp_text out;
} cases[] = {
    { "plain", { "CP001", 5 }, 5, { "CP001", 5 } },
    { "empty", { "", 0 }, 0, { "", 0 } },
    { "a blank (C1)", { "RDAM%20123", 10 }, 8, { "RDAM 123", 8 } },
    { "once only (edge case 36)", { "RDAM%257C123", 12 }, 10, { "RDAM%7C123", 10 } },
    { "both cases of hex", { "%7c%7C", 6 }, 2, { "||", 2 } },
    { "slash", { "a%2Fb", 5 }, 3, { "a/b", 3 } },
    { "plus stays", { "a+b", 3 }, 3, { "a+b", 3 } },
    { "NUL and high bytes", { "%00%ff", 6 }, 2, { "\x00\xff", 2 } },
    { "UTF-8 that was not encoded", { "\xC3\xA4", 2 }, 2, { "\xC3\xA4", 2 } },
    { "at the end: nothing", { "a%", 2 }, AMP_E_FORMAT, { "", 0 } },
    { "at the end: one digit", { "a%20", 3 }, AMP_E_FORMAT, { "", 0 } },
    { "first digit", { "%G0", 3 }, AMP_E_FORMAT, { "", 0 } },
    { "second digit", { "%0g", 3 }, AMP_E_FORMAT, { "", 0 } },
    { "signs are no digits", { "%+1", 3 }, AMP_E_FORMAT, { "", 0 } },
    { "percent twice", { "%%20", 4 }, AMP_E_FORMAT, { "", 0 } },
    { "exactly the room", { "0123456789ab%63", 15 }, 13, { "0123456789abc", 13 } },
    { "one more than the room", { "0123456789abc%64", 16 }, AMP_E_FULL, { "", 0 } },
};

static void test_decode(void)
{
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        char out[13];
        int rc = amp_percent_decode(cases[i].in, out, sizeof(out));

        CHECK(rc == cases[i].rc, "%s: %d", cases[i].why, rc);
        CHECK(rc < 0 || amp_text_eq((struct amp_text){ out, (uint32_t)rc }, cases[i].out), "%s",
              cases[i].why);
    }
}

/* Every byte: only the unreserved stay as they are, all come back. */
static void test_encode(void)
{
    static const char stays[] =
        "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
    char block[4], back[1];

    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        struct amp_buf out;

        amp_buf_init(&out, block, sizeof(block));
        amp_percent_encode(&out, (struct amp_text){ &byte, 1 });
        CHECK(out.len == (c && strchr(stays, c) ? 1u : 3u), "%d became %zu", c, out.len);
        CHECK(amp_percent_decode(amp_buf_text(&out), back, 1) == 1 && back[0] == byte,
              "%d did not come back", c);
    }
}

static void test_encode_text(void)
{
    char block[32];
    struct amp_buf out;

    amp_buf_init(&out, block, sizeof(block));
    amp_percent_encode(&out, AMP_TEXT("RDAM 1/\xC3\xA4"));
    CHECK(amp_text_is(amp_buf_text(&out), "RDAM%201%2F%C3%A4"), "%.*s",
          AMP_FMT(amp_buf_text(&out)));
}

int main(void)
{
    RUN(test_decode);
    RUN(test_encode);
    RUN(test_encode_text);
    return check_end();
}
