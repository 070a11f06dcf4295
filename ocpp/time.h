/* ocpp/time.h - Unix milliseconds, UTC, and their ISO 8601 text. Many spellings are read, one is
 * written. ocpp-facts B17; rules of reading: blank or t for T, no seconds, any fraction after . or
 * , , zone Z z ±hh:mm ±hhmm ±hh or none (UTC), second 60. Not read: a date alone, two-part zones,
 * missing zero padding, impossible dates. */
#ifndef AMP_TIME_H
#define AMP_TIME_H

#include "ocpp/buf.h"

#define AMP_TIME_TEXT_MAX 25 /* 2024-06-01T08:30:00.123Z and the terminator */

/* 0, or AMP_E_TYPE. `lax` off accepts RFC 3339 only. The year 0001 is read as any other (it is far
 * below 0). */
int amp_time_parse(struct amp_text t, bool lax, int64_t *out_ms);

/* 2024-06-01T08:30:00Z, with .123 only when the milliseconds are not 0. */
void amp_time_write(struct amp_buf *b, int64_t ms);

/* The same as a C string; returns `out`. */
char *amp_time_text(int64_t ms, char out[AMP_TIME_TEXT_MAX]);

#endif
