/* ocpp/buf.h - an output buffer that remembers that it overflowed, so that writers need no checks
 * in between. */
#ifndef AMP_BUF_H
#define AMP_BUF_H

#include "ocpp/err.h"
#include "ocpp/text.h"
#include <stdarg.h>

struct amp_buf {
    char *at;
    size_t len, cap;
    /* Give at least `need` bytes of capacity, or return false. NULL: fixed size. The heap stays
     * outside. */
    bool (*grow)(struct amp_buf *b, size_t need);
    bool full; /* something did not fit; the content is cut and must not be sent */
};

static inline void amp_buf_init(struct amp_buf *b, void *block, size_t cap)
{
    *b = (struct amp_buf){ block, 0, cap, NULL, false };
}

static inline void amp_buf_reset(struct amp_buf *b)
{
    b->len = 0;
    b->full = false;
}

static inline struct amp_text amp_buf_text(const struct amp_buf *b)
{
    return (struct amp_text){ b->at, (uint32_t)b->len };
}

void amp_buf_put(struct amp_buf *b, const void *data, size_t len);
void amp_buf_puts(struct amp_buf *b, const char *s);
void amp_buf_putc(struct amp_buf *b, char c);
void amp_buf_text_put(struct amp_buf *b, struct amp_text t);
void amp_buf_int(struct amp_buf *b, int64_t v);

/* Room for `n` more bytes, not yet counted in len; NULL and full when there is none. */
char *amp_buf_room(struct amp_buf *b, size_t n);

#endif
