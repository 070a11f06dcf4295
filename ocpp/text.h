/* ocpp/text.h - a piece of text that somebody else owns, and the few questions asked of it. */
#ifndef AMP_TEXT_H
#define AMP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* UTF-8, not terminated. Absent is at == NULL; empty is len == 0 with at set. */
struct amp_text {
    const char *at;
    uint32_t len;
};

#define AMP_TEXT(literal) ((struct amp_text){ (literal), sizeof(literal) - 1 })
#define AMP_NO_TEXT       ((struct amp_text){ NULL, 0 })
/* for printf("%.*s") */
#define AMP_FMT(t) (int)(t).len, ((t).at ? (t).at : "")

static inline struct amp_text amp_text_of(const char *s)
{
    return s ? (struct amp_text){ s, (uint32_t)strlen(s) } : AMP_NO_TEXT;
}

static inline bool amp_text_eq(struct amp_text a, struct amp_text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool amp_text_is(struct amp_text a, const char *s)
{
    return amp_text_eq(a, amp_text_of(s));
}

/* Equal without regard to the case of A-Z: how CiString values and configuration keys compare. */
bool amp_text_eqi(struct amp_text a, struct amp_text b);

/* Without blanks, tabs and line ends at both sides. */
struct amp_text amp_text_trim(struct amp_text t);

/* Number of characters (code points) of valid UTF-8. */
uint32_t amp_text_chars(struct amp_text t);

/* Valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF)? */
bool amp_text_utf8(struct amp_text t);

/* Copy into a C string of `cap` bytes, cut at a character boundary, always terminated. Returns dst.
 */
char *amp_text_copy(char *dst, size_t cap, struct amp_text t);

/* 64-bit hash of the bytes (FNV-1a); `amp_text_hashi` folds A-Z first. */
uint64_t amp_text_hash(struct amp_text t);
uint64_t amp_text_hashi(struct amp_text t);

/* Decimal integer, optional sign, nothing else. 0 and *out, or AMP_E_TYPE, or AMP_E_VALUE beyond 64
 * bits. */
int amp_text_int(struct amp_text t, int64_t *out);

#endif
