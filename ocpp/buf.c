/* ocpp/buf.c - see ocpp/buf.h. */
#include "ocpp/buf.h"

char *amp_buf_room(struct amp_buf *b, size_t n)
{
    if (b->full)
        return NULL;
    if (n > b->cap - b->len) {
        size_t need = b->len + n;

        if (need < n || !b->grow || !b->grow(b, need) || b->cap < need) {
            b->full = true;
            return NULL;
        }
    }
    return b->at + b->len;
}

void amp_buf_put(struct amp_buf *b, const void *data, size_t len)
{
    char *p = amp_buf_room(b, len);

    if (p && len) {
        memcpy(p, data, len);
        b->len += len;
    }
}

void amp_buf_puts(struct amp_buf *b, const char *s)
{
    amp_buf_put(b, s, strlen(s));
}

void amp_buf_putc(struct amp_buf *b, char c)
{
    char *p = amp_buf_room(b, 1);

    if (p) {
        *p = c;
        b->len++;
    }
}

void amp_buf_text_put(struct amp_buf *b, struct amp_text t)
{
    amp_buf_put(b, t.at, t.len);
}

void amp_buf_int(struct amp_buf *b, int64_t v)
{
    char digits[20];
    size_t i = sizeof digits;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    do {
        digits[--i] = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0)
        digits[--i] = '-';
    amp_buf_put(b, digits + i, sizeof digits - i);
}
