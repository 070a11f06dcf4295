/* The JSON scanner and writer: any bytes become a text that comes out again; a sound object with
 * one of its keys added once more is none. */
#include "ocpp/codec.h"
#include "ocpp/json.h"
#include "ocpp/json_scan.h"

#include <stdlib.h>

#define MUST(cond)   \
    do {             \
        if (!(cond)) \
            abort(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char room[1 << 19], plain[1 << 19];

/* UTF-8 by its definition, one character after the other: the slow truth. */
static bool utf8(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint32_t c = p[i], len = c < 0x80       ? 1
                                 : c >> 5 == 6  ? 2
                                 : c >> 4 == 14 ? 3
                                 : c >> 3 == 30 ? 4
                                                : 0;
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

        if (len == 0 || len > n - i)
            return false;
        c = len == 1 ? c : c & (0x7fu >> len);
        for (uint32_t k = 1; k < len; k++) {
            if (p[i + k] >> 6 != 2)
                return false;
            c = c << 6 | (p[i + k] & 63);
        }
        if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
            return false;
        i += len;
    }
    return true;
}

static void quote(struct amp_text t, bool sound)
{
    struct amp_scan_err err;
    struct amp_scan_text back;
    struct amp_buf out;
    uint32_t len;

    amp_buf_init(&out, room, sizeof room);
    amp_json_quote(&out, t);
    MUST(!out.full);
    MUST(amp_json_check(amp_buf_text(&out), NULL) ==
         (t.len && memchr(t.at, 0, t.len) ? AMP_E_VALUE : 0));
    MUST(amp_scan_string(room + 1, room + out.len, AMP_SCAN_SYNTAX, &back, &err) == room + out.len);
    len = amp_scan_unescape(back.raw, plain);
    MUST(amp_text_chars((struct amp_text){ plain, len }) == back.chars);
    if (sound)
        MUST(amp_text_eq((struct amp_text){ plain, len }, t));
    else
        MUST(amp_text_utf8((struct amp_text){ plain, len }));
}

static void add_key_again(struct amp_text object)
{
    struct amp_scan_err err;
    struct amp_scan_text key;
    const char *end = object.at + object.len, *p = amp_scan_blanks(object.at, end);
    struct amp_buf out;

    if (*p != '{' || *(p = amp_scan_blanks(p + 1, end)) != '"')
        return;
    MUST(amp_scan_string(p + 1, end, AMP_SCAN_SOUND, &key, &err));
    amp_buf_init(&out, room, sizeof room);
    amp_buf_puts(&out, "{\"");
    amp_buf_text_put(&out, key.raw);
    amp_buf_puts(&out, "\":0,");
    amp_buf_put(&out, p, (size_t)(end - p));
    MUST(amp_json_check(amp_buf_text(&out), NULL) == AMP_E_FORMAT);
    /* and spelled in another way */
    amp_buf_init(&out, room, sizeof room);
    amp_buf_putc(&out, '{');
    amp_json_quote(&out, (struct amp_text){ plain, amp_scan_unescape(key.raw, plain) });
    amp_buf_puts(&out, ":0,");
    amp_buf_put(&out, p, (size_t)(end - p));
    MUST(amp_json_check(amp_buf_text(&out), NULL) == AMP_E_FORMAT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct amp_text t = { (const char *)data, (uint32_t)size };
    struct amp_fault fault = { 0 };
    struct amp_scan_err err;
    bool sound = utf8(data, size);
    const char *end = t.at + size, *p;
    int rc;

    MUST(amp_text_utf8(t) == sound);
    if (size < sizeof room / 6 - 2)
        quote(t, sound);
    rc = amp_json_check(t, &fault);
    MUST(rc == 0 || (rc == fault.rc && fault.why));
    if (rc == 0) {
        p = amp_scan_value(amp_scan_blanks(t.at, end), end, AMP_DEPTH_MAX, AMP_SCAN_SYNTAX, &err);
        MUST(sound && p && amp_scan_blanks(p, end) == end);
        add_key_again(t);
    }
    return 0;
}
