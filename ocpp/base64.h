/* ocpp/base64.h - Base64 with padding (RFC 4648 §4), and HTTP Basic credentials made of it (RFC
 * 7617). */
#ifndef AMP_BASE64_H
#define AMP_BASE64_H

#include "ocpp/buf.h"

#define AMP_BASE64_LEN(n) (((n) + 2) / 3 * 4) /* characters that n bytes become */

void amp_base64_encode(struct amp_buf *out, const void *data, size_t len);

/* Strict: padding is required, unused bits are 0, no blanks; one text for each value, so that a
 * stored credential has one spelling. Length, or AMP_E_FORMAT, AMP_E_FULL; `out` is then undefined.
 * `out` may be `in` itself. */
int amp_base64_decode(struct amp_text in, void *out, size_t cap) AMP_CHECKED;

/* The value of an Authorization header. Decodes into out (cap bytes) and splits at the first colon:
 * a user name cannot hold one, a password may hold any byte, NUL and broken UTF-8 too (ocpp-facts
 * S2, edge case 38). Compare it as bytes, in constant time. 0, AMP_E_ABSENT (no header, or another
 * scheme), AMP_E_FORMAT (no Base64, no colon), AMP_E_FULL. */
int amp_basic_decode(struct amp_text header, char *out, size_t cap, struct amp_text *user,
                     struct amp_text *password) AMP_CHECKED;

/* "Basic dXNl...". `user` without a colon, of any length up to the room in `out`. */
void amp_basic_encode(struct amp_buf *out, struct amp_text user, struct amp_text password);

#endif
