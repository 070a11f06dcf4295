/* ocpp/json.c - see ocpp/json.h. */
#include "ocpp/json.h"
#include "ocpp/codec.h"
#include "ocpp/json_scan.h"
#include "ocpp/time.h"

void amp_json_init(struct amp_json *w, struct amp_buf *out)
{
    *w = (struct amp_json){ out, false };
}

/* In front of every value. */
static void separate(struct amp_json *w)
{
    if (w->comma)
        amp_buf_putc(w->out, ',');
    w->comma = true;
}

void amp_json_open(struct amp_json *w, char bracket)
{
    separate(w);
    amp_buf_putc(w->out, bracket);
    w->comma = false;
}

void amp_json_close(struct amp_json *w, char bracket)
{
    amp_buf_putc(w->out, bracket);
    w->comma = true;
}

void amp_json_key(struct amp_json *w, const char *key)
{
    separate(w);
    amp_json_quote(w->out, amp_text_of(key));
    amp_buf_putc(w->out, ':');
    w->comma = false;
}

void amp_json_text(struct amp_json *w, struct amp_text t)
{
    if (!t.at) {
        amp_json_null(w);
        return;
    }
    separate(w);
    amp_json_quote(w->out, t);
}

void amp_json_str(struct amp_json *w, const char *s)
{
    amp_json_text(w, amp_text_of(s));
}

void amp_json_int(struct amp_json *w, int64_t v)
{
    separate(w);
    amp_buf_int(w->out, v);
}

void amp_json_bool(struct amp_json *w, bool v)
{
    separate(w);
    amp_buf_puts(w->out, v ? "true" : "false");
}

void amp_json_null(struct amp_json *w)
{
    separate(w);
    amp_buf_puts(w->out, "null");
}

void amp_json_dec(struct amp_json *w, struct amp_dec d)
{
    separate(w);
    amp_dec_write(w->out, d);
}

void amp_json_time(struct amp_json *w, int64_t ms)
{
    char text[AMP_TIME_TEXT_MAX];

    if (ms == 0)
        amp_json_null(w);
    else
        amp_json_str(w, amp_time_text(ms, text));
}

void amp_json_raw(struct amp_json *w, struct amp_text json)
{
    separate(w);
    amp_buf_text_put(w->out, json);
}

static void put_control(struct amp_buf *out, unsigned char c)
{
    static const char from[] = "\b\f\n\r\t", to[] = "bfnrt", hex[] = "0123456789abcdef";
    const char *at = c ? strchr(from, c) : NULL;
    char text[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

    if (at) {
        text[1] = to[at - from];
        amp_buf_put(out, text, 2);
    } else {
        amp_buf_put(out, text, sizeof text);
    }
}

/* Bytes of the character at `p`, 0 if it is broken. */
static uint32_t character(const char *p, const char *end)
{
    for (uint32_t n = 2; n <= 4 && end - p >= (ptrdiff_t)n; n++)
        if (amp_text_utf8((struct amp_text){ p, n }))
            return n;
    return 0;
}

void amp_json_quote(struct amp_buf *out, struct amp_text t)
{
    const char *p = t.at, *end = t.len ? t.at + t.len : t.at, *from;

    amp_buf_putc(out, '"');
    while (p < end) {
        from = p;
        p = amp_scan_plain(p, end);
        while (p < end && (unsigned char)*p >= 0x80) {
            uint32_t n = character(p, end);

            if (n == 0)
                break;
            p = amp_scan_plain(p + n, end);
        }
        amp_buf_put(out, from, (size_t)(p - from));
        if (p == end)
            break;
        if (*p == '"' || *p == '\\') {
            amp_buf_putc(out, '\\');
            amp_buf_putc(out, *p);
        } else if ((unsigned char)*p < 0x20) {
            put_control(out, (unsigned char)*p);
        } else {
            amp_buf_puts(out, "\xef\xbf\xbd"); /* U+FFFD */
        }
        p++;
    }
    amp_buf_putc(out, '"');
}

int amp_json_check(struct amp_text t, struct amp_fault *fault)
{
    struct amp_scan_err err = { AMP_E_FORMAT, "text is cut off" };
    const char *p = t.at, *end = t.len ? t.at + t.len : t.at;

    p = amp_scan_blanks(p, end);
    p = amp_scan_value(p, end, AMP_DEPTH_MAX, AMP_SCAN_SOUND, &err);
    if (p && amp_scan_blanks(p, end) == end)
        return 0;
    if (p)
        err = (struct amp_scan_err){ AMP_E_FORMAT, "text behind the end" };
    if (fault)
        *fault = (struct amp_fault){ .rc = err.rc, .path = "", .why = err.why };
    return err.rc;
}
