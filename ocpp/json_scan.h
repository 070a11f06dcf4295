/* ocpp/json_scan.h - reading JSON text piece by piece (RFC 8259). Private to ocpp/: json.c, codec.c
 * and frame.c stand on it. A scanner gets the first byte of a piece and the end of the text and
 * returns the byte behind the piece, or NULL with `err` set. Nothing is copied. */
#ifndef AMP_JSON_SCAN_H
#define AMP_JSON_SCAN_H

#include "ocpp/err.h"
#include "ocpp/text.h"

struct amp_scan_err {
    int rc;
    const char *why; /* constant text */
};

/* A string without its quotes, as it stands in the source. */
struct amp_scan_text {
    struct amp_text raw;
    uint32_t chars; /* characters after unescaping; only counted by the slow path */
    bool escaped;   /* needs amp_scan_unescape */
};

enum amp_scan_rules {
    AMP_SCAN_SYNTAX, /* is it JSON and UTF-8? */
    AMP_SCAN_SOUND   /* and means the same to all readers: unique keys, no lone surrogate, no NUL */
};

#define AMP_BYTES(c) (0x0101010101010101u * (c))

/* Eight bytes, the first one lowest. */
static inline uint64_t amp_load8(const char *p)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t w;

    memcpy(&w, p, 8);
#else
    uint64_t w = 0;

    for (int i = 7; i >= 0; i--)
        w = w << 8 | (unsigned char)p[i];
#endif
    return w;
}

/* The first byte that is no plain character of a string: quote, backslash, control or beyond ASCII;
 * or `end`. */
static inline const char *amp_scan_plain(const char *p, const char *end)
{
#if defined(__GNUC__)
    /* Eight at a time. A borrow can only raise a false mark above a true one, so the lowest mark is
     * exact. */
    while (end - p >= 8) {
        uint64_t w = amp_load8(p), quote = w ^ AMP_BYTES('"'), back = w ^ AMP_BYTES('\\');
        uint64_t odd =
            ((quote - AMP_BYTES(1)) | (back - AMP_BYTES(1)) | (w - AMP_BYTES(0x20)) | w) &
            AMP_BYTES(0x80);

        if (odd)
            return p + (__builtin_ctzll(odd) >> 3);
        p += 8;
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 &&
           (unsigned char)*p < 0x80)
        p++;
    return p;
}

static inline bool amp_scan_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline const char *amp_scan_blanks(const char *p, const char *end)
{
    while (p < end && amp_scan_is_blank(*p))
        p++;
    return p;
}

/* A string; `p` is behind the opening quote. */
const char *amp_scan_string(const char *p, const char *end, enum amp_scan_rules rules,
                            struct amp_scan_text *out, struct amp_scan_err *err);

/* Resolve the escapes of a string that was scanned before. `dst` has raw.len bytes. Returns the
 * length. */
uint32_t amp_scan_unescape(struct amp_text raw, char *dst);

/* A number by JSON's grammar; `whole` tells that it has neither fraction nor exponent. */
const char *amp_scan_number(const char *p, const char *end, bool *whole, struct amp_scan_err *err);

/* Any value; `p` is at its first byte. `depth` more levels may be opened. */
const char *amp_scan_value(const char *p, const char *end, int depth, enum amp_scan_rules rules,
                           struct amp_scan_err *err);

/* The object that begins at `object`, scanned before, has no key twice. */
bool amp_scan_unique(const char *object);

#endif
