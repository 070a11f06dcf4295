/* fleet/csms/turn.h - for tests: turn the clock of a loop whose stations and central system share
 * it. */
#ifndef FLEET_TURN_H
#define FLEET_TURN_H

#include "ports/posix/loop.h"

#define TURN_STEP_MS 20
#define TURN_ROUNDS \
    2000 /* without the clock moving: more means that something never comes to rest */

/* Let `ms` of the devices' time pass, step by step; between two steps everything that is on its way
 * arrives. Needs speed 0. False when it did not come to rest. Ends early when the loop is stopped.
 */
static inline bool turn(struct posix_loop *l, uint64_t ms)
{
    uint64_t end = posix_clock_now(&l->clock) + ms;

    for (;;) {
        int rounds = 0;

        while (!l->stop && (posix_run_once(l, 0) || posix_run_once(l, 0)))
            if (++rounds == TURN_ROUNDS)
                return false;
        if (l->stop || posix_clock_now(&l->clock) >= end)
            return true;
        posix_clock_turn(&l->clock, TURN_STEP_MS);
    }
}

#endif
