/* ocpp/percent.c - percent-encoding. RFC 3986 §2.1; ocpp-facts C1. */
#include "ocpp/percent.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int amp_percent_decode(struct amp_text in, char *out, size_t cap)
{
    size_t len = 0;

    for (uint32_t i = 0; i < in.len; i++) {
        char c = in.at[i];

        if (c == '%') {
            int high = in.len - i > 2 ? hex(in.at[i + 1]) : -1;
            int low = high < 0 ? -1 : hex(in.at[i + 2]);

            if (low < 0)
                return AMP_E_FORMAT;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (len == cap || len == INT32_MAX)
            return AMP_E_FULL;
        out[len++] = c;
    }
    return (int)len;
}

static bool unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void amp_percent_encode(struct amp_buf *out, struct amp_text in)
{
    static const char digits[] = "0123456789ABCDEF";

    for (uint32_t i = 0; i < in.len; i++) {
        unsigned char c = (unsigned char)in.at[i];
        char escape[3] = { '%', digits[c >> 4], digits[c & 15] };

        if (unreserved(in.at[i]))
            amp_buf_putc(out, in.at[i]);
        else
            amp_buf_put(out, escape, sizeof(escape));
    }
}
