/* ocpp/base64.c - Base64 and Basic credentials. RFC 4648 §4, RFC 7617. */
#include "ocpp/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Encoding goes on across calls, because "user:password" is never one piece of memory. */
struct encoder {
    struct amp_buf *out;
    uint32_t bits;  /* bytes not yet written, low end */
    unsigned count; /* 0 to 2 of them */
};

static void put_group(struct amp_buf *out, uint32_t bits, unsigned bytes)
{
    char group[4];

    for (unsigned i = 0; i < 4; i++)
        group[i] = i <= bytes ? digits[bits >> (18 - 6 * i) & 63] : '=';
    amp_buf_put(out, group, sizeof(group));
}

static void encode(struct encoder *e, const void *data, size_t len)
{
    const unsigned char *p = data;

    while (len--) {
        e->bits = e->bits << 8 | *p++;
        if (++e->count == 3) {
            put_group(e->out, e->bits, 3);
            e->bits = e->count = 0;
        }
    }
}

static void encode_end(struct encoder *e)
{
    if (e->count)
        put_group(e->out, e->bits << (24 - 8 * e->count), e->count);
}

void amp_base64_encode(struct amp_buf *out, const void *data, size_t len)
{
    struct encoder e = { out, 0, 0 };

    encode(&e, data, len);
    encode_end(&e);
}

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int amp_base64_decode(struct amp_text in, void *out, size_t cap)
{
    uint32_t pad = 0, bits = 0;
    size_t len;
    unsigned char *to = out;

    if (in.len % 4)
        return AMP_E_FORMAT;
    while (pad < 2 && pad < in.len && in.at[in.len - 1 - pad] == '=')
        pad++;
    len = (size_t)in.len / 4 * 3 - pad;
    for (uint32_t i = 0; i < in.len - pad; i++) {
        int d = digit(in.at[i]);

        if (d < 0)
            return AMP_E_FORMAT;
        bits = bits << 6 | (uint32_t)d;
    }
    if (bits & (pad == 1 ? 3u : pad == 2 ? 15u : 0u))
        return AMP_E_FORMAT; /* unused bits: the same value in another spelling */
    if (len > cap || len > INT32_MAX)
        return AMP_E_FULL;
    bits = 0;
    for (uint32_t i = 0; i < in.len - pad; i++) {
        bits = bits << 6 | (uint32_t)digit(in.at[i]);
        if (i % 4)
            *to++ = (unsigned char)(bits >> (6 - 2 * (i % 4)));
    }
    return (int)len;
}

/* "Basic", blanks, credentials; the scheme's name has no case (RFC 9110 §11.1). */
static bool basic(struct amp_text header, struct amp_text *credentials)
{
    static const char scheme[] = "Basic";
    uint32_t i = sizeof(scheme) - 1;

    if (header.len <= i || !amp_text_eqi((struct amp_text){ header.at, i }, AMP_TEXT(scheme)) ||
        header.at[i] != ' ')
        return false;
    *credentials = amp_text_trim((struct amp_text){ header.at + i, header.len - i });
    return true;
}

int amp_basic_decode(struct amp_text header, char *out, size_t cap, struct amp_text *user,
                     struct amp_text *password)
{
    struct amp_text credentials;
    const char *colon;
    int len;

    if (!basic(header, &credentials))
        return AMP_E_ABSENT;
    len = amp_base64_decode(credentials, out, cap);
    if (len < 0)
        return len;
    colon = len ? memchr(out, ':', (size_t)len) : NULL;
    if (!colon)
        return AMP_E_FORMAT;
    *user = (struct amp_text){ out, (uint32_t)(colon - out) };
    *password = (struct amp_text){ colon + 1, (uint32_t)(len - 1) - user->len };
    return 0;
}

void amp_basic_encode(struct amp_buf *out, struct amp_text user, struct amp_text password)
{
    struct encoder e = { out, 0, 0 };

    amp_buf_puts(out, "Basic ");
    encode(&e, user.at, user.len);
    encode(&e, ":", 1);
    encode(&e, password.at, password.len);
    encode_end(&e);
}
