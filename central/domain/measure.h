/* central/domain/measure.h - one sampled value in base units: every measurand, unit, phase, location
 * and context of OCPP 1.6 has its place here, whatever the totals of a reading know of it. Pure; the
 * words are those of 1.6 §7.30-7.35, which 2.x keeps. central-edge-cases 81, 84-86, 90. */
#ifndef CENTRAL_MEASURE_H
#define CENTRAL_MEASURE_H

#include "ocpp/dec.h"
#include "ocpp/text.h"

/* As the station sent it; absent texts were absent. */
struct measure_sent {
    struct amp_text value, context, format, measurand, phase, location, unit;
};
struct measure {
    struct amp_text measurand, context, location; /* what was absent has its default */
    struct amp_text phase;                        /* absent: none, the whole */
    struct amp_text unit;                         /* base unit; of an unknown one as sent; absent: none (Power.Factor) */
    struct amp_dec value;                         /* exact; temperatures from K and Fahrenheit in thousandths */
    bool number;                                  /* else the value is a text: signed data, or nothing that can be read */
};
void measure_read(const struct measure_sent *in, struct measure *out);

/* Was it taken because of the clock (Sample.Clock)? */
bool measure_by_clock(struct amp_text context);

#endif
