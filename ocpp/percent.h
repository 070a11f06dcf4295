/* ocpp/percent.h - percent-encoding of URL path segments. RFC 3986 §2.1. */
#ifndef AMP_PERCENT_H
#define AMP_PERCENT_H

#include "ocpp/buf.h"

/* Decode once into out (cap bytes, no terminator). '+' stays '+'. Length, or AMP_E_FORMAT (a %
 * without two hex digits), AMP_E_FULL. The result may hold any byte, also NUL and '/': whoever uses
 * it as a name checks it. */
int amp_percent_decode(struct amp_text in, char *out, size_t cap) AMP_CHECKED;

/* Encode everything but A-Z a-z 0-9 - . _ ~ for a path segment. */
void amp_percent_encode(struct amp_buf *out, struct amp_text in);

#endif
