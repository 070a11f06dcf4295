/* central/v16/sample.h - sampled values of 1.6 to totals in base units. OCPP 1.6 §7.33, ocpp-facts
 * B18, edge cases 81, 84-86, 90. Wh, W, mA, mV, per mille, thousandths of a degree; exact decimals
 * on the way, rounded once. */
#ifndef CENTRAL_V16_SAMPLE_H
#define CENTRAL_V16_SAMPLE_H

#include "central/domain/fact.h"
#include "messages/ocpp16.h"

/* All of them taken because of the clock: READING_CLOCK. Fill r->has and the totals of `r` from one list of samples; what is there beforehand is replaced.
 * Samples that are signed, no number, or in a unit that their measurand does not have, count for
 * nothing. For each total:
 * 1. a value without phase at the outlet wins over one measured elsewhere, and that over any phase
 * value; the last of its kind wins;
 * 2. only phases: energy and power are their sum over L1, L2, L3. Current and voltage are not: the
 * sum of phase currents is no current that flows anywhere, so the largest phase to neutral stands
 * in. */
void v16_sample_totals(const struct ocpp16_sampled_value *at, uint32_t len, struct reading_fact *r);

#endif
