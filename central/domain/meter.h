/* central/domain/meter.h - what a session has taken, from a register that may start over, jump, roll
 * over, run backwards or lie once. Pure: a struct and two functions. central-edge-cases 22, 87, 88.
 *
 * The register is followed as it is; the energy of the session never falls while it runs:
 *   as usual        the register minus where it began
 *   going back      the energy stays until the register has passed its highest value again
 *   roll-over       past a power of ten or of two: goes on
 *   reset           near zero again, and no more than could have flowed: what flowed before is kept
 *   jump            more than any car takes in that time: not counted, counted on from there
 * A reset or a jump that the very next value takes back was a lie, and is forgotten. */
#ifndef CENTRAL_METER_H
#define CENTRAL_METER_H

#include "central/domain/fact.h"

/* More than this has no charger: beyond it (and some slack for clocks that stand) is a jump. */
#define METER_MAX_W    1000000
#define METER_SLACK_WH 20000
/* Registers are rounded in one message and not in another: so little back is nothing. */
#define METER_BACK_WH 10

struct meter {
    int64_t last_wh, last_ms; /* newest value of the register, and its time */
    int64_t energy_wh;        /* since the start; never falls */
    int64_t offset_wh;        /* energy is register + offset */
    int64_t before_wh;        /* the offset before a reset or a jump that is one value old */
    bool unsure;              /* before_wh counts */
};

void meter_begin(struct meter *m, int64_t start_wh, int64_t at_ms);
/* The next value, by the station's clock (at_ms >= last_ms). Bits of TX_FLAG_METER_…, TX_FLAG_ROLL_OVER
 * to raise; when what was raised before turned out to be a lie, the bits stay: a person should know. */
uint32_t meter_follow(struct meter *m, int64_t register_wh, int64_t at_ms);
/* The last value, of the stop. `flags`: all that was raised in this session; raises more. Where
 * nothing was, the session took stop minus start, as the station's own bill would say; else what
 * follows best from the values before. */
uint32_t meter_end(struct meter *m, int64_t start_wh, int64_t stop_wh, int64_t stop_ms,
                   uint32_t flags);

#endif
