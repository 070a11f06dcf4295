/* central/domain/census.h - how many there are of what, as of now: for /metrics. */
#ifndef CENTRAL_CENSUS_H
#define CENTRAL_CENSUS_H

#include "central/domain/world.h"

#define CENSUS_STATES 16 /* more than any of the enums has */
struct census {
    uint64_t connections[CENSUS_STATES];   /* chargers by enum connection_state */
    uint64_t registrations[CENSUS_STATES]; /* chargers by enum registration */
    uint64_t transactions[CENSUS_STATES];  /* by enum transaction_state: open ones */
    uint64_t commands[CENSUS_STATES];      /* by enum command_state: unfinished ones */
};
void world_census(const struct world *w, struct census *out);

#endif
