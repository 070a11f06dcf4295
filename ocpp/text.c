/* ocpp/text.c - see ocpp/text.h. */
#include "ocpp/text.h"
#include "ocpp/err.h"

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_tail(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80; /* second and later bytes of a character */
}

bool amp_text_eqi(struct amp_text a, struct amp_text b)
{
    if (a.len != b.len)
        return false;
    for (uint32_t i = 0; i < a.len; i++)
        if (lower(a.at[i]) != lower(b.at[i]))
            return false;
    return true;
}

struct amp_text amp_text_trim(struct amp_text t)
{
    while (t.len && is_blank(t.at[0]))
        t.at++, t.len--;
    while (t.len && is_blank(t.at[t.len - 1]))
        t.len--;
    return t;
}

uint32_t amp_text_chars(struct amp_text t)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < t.len; i++)
        n += !is_tail(t.at[i]);
    return n;
}

/* Length of the character at s, 0 if it is broken. Unicode 15 table 3-7. */
static uint32_t utf8_step(const unsigned char *s, uint32_t left)
{
    unsigned char c = s[0], lo = 0x80, hi = 0xbf;
    uint32_t n;

    if (c < 0x80)
        return 1;
    if (c < 0xc2 || c > 0xf4)
        return 0;
    n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (n > left)
        return 0;
    if (c == 0xe0)
        lo = 0xa0; /* overlong */
    else if (c == 0xed)
        hi = 0x9f; /* surrogates */
    else if (c == 0xf0)
        lo = 0x90; /* overlong */
    else if (c == 0xf4)
        hi = 0x8f; /* past U+10FFFF */
    if (s[1] < lo || s[1] > hi)
        return 0;
    for (uint32_t i = 2; i < n; i++)
        if (!is_tail((char)s[i]))
            return 0;
    return n;
}

bool amp_text_utf8(struct amp_text t)
{
    const unsigned char *s = (const unsigned char *)t.at;
    uint32_t i = 0, n;

    while (i < t.len) {
        while (t.len - i >= 8) {
            uint64_t w;

            memcpy(&w, s + i, 8);
            if (w & 0x8080808080808080u)
                break;
            i += 8;
        }
        if (i == t.len)
            break;
        n = utf8_step(s + i, t.len - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

char *amp_text_copy(char *dst, size_t cap, struct amp_text t)
{
    size_t n = t.len;

    if (cap == 0)
        return dst;
    if (n > cap - 1) {
        n = cap - 1;
        while (n && is_tail(t.at[n]))
            n--;
    }
    if (n)
        memcpy(dst, t.at, n);
    dst[n] = '\0';
    return dst;
}

uint64_t amp_text_hash(struct amp_text t)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (uint32_t i = 0; i < t.len; i++)
        h = (h ^ (unsigned char)t.at[i]) * 0x100000001b3u;
    return h;
}

uint64_t amp_text_hashi(struct amp_text t)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (uint32_t i = 0; i < t.len; i++)
        h = (h ^ lower(t.at[i])) * 0x100000001b3u;
    return h;
}

int amp_text_int(struct amp_text t, int64_t *out)
{
    uint64_t v = 0, max = INT64_MAX;
    uint32_t i = 0;
    bool minus = false;

    *out = 0;
    if (t.len && (t.at[0] == '-' || t.at[0] == '+')) {
        minus = t.at[0] == '-';
        max += minus;
        i = 1;
    }
    if (i == t.len)
        return AMP_E_TYPE;
    for (uint32_t k = i; k < t.len; k++)
        if (t.at[k] < '0' || t.at[k] > '9')
            return AMP_E_TYPE;
    for (; i < t.len; i++) {
        unsigned digit = (unsigned)(t.at[i] - '0');

        if (v > (max - digit) / 10)
            return AMP_E_VALUE;
        v = v * 10 + digit;
    }
    *out = minus ? (int64_t)(0 - v) : (int64_t)v;
    return 0;
}
