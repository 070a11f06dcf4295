/* ocpp/dec.h - exact decimal numbers: 10.1 A is 101 tenths, never 10.0999. No floating point. */
#ifndef AMP_DEC_H
#define AMP_DEC_H

#include "ocpp/buf.h"

/* digits × 10^exp. {0,0} is zero. Not normalised: what was read as 7.50 keeps its digits. */
struct amp_dec {
    int64_t digits;
    int8_t exp;
};

/* JSON number syntax, also with a leading '+', blanks around, and a comma for the point when `lax`.
 * 0; AMP_E_TYPE: no number; AMP_E_VALUE: more than 18 significant digits or an exponent beyond
 * int8. */
int amp_dec_parse(struct amp_text t, bool lax, struct amp_dec *out);

/* The same for numbers that others made: digits beyond the 18th are rounded away, half away from
 * zero. */
int amp_dec_parse_round(struct amp_text t, bool lax, struct amp_dec *out);

/* Shortest plain notation, no exponent: 10.1, 7, -0.05. */
void amp_dec_write(struct amp_buf *b, struct amp_dec d);

/* The value × 10^places as an integer (places 0: whole units, 3: thousandths), rounded half away
 * from zero. 0, or AMP_E_VALUE when it does not fit 64 bits. */
int amp_dec_scale(struct amp_dec d, int places, int64_t *out);

/* value / 10^places as a decimal, e.g. amp_dec_of(32174, 3) is 32.174 */
struct amp_dec amp_dec_of(int64_t value, int places);

/* -1, 0, 1 */
int amp_dec_cmp(struct amp_dec a, struct amp_dec b);

#endif
