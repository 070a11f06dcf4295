/* central/relay.h - facts on their way from the store to the live feed: shown when they are
 * durable, in the order in which they were emitted. One question to the store a turn of the loop,
 * however many facts the turn brought. */
#ifndef CENTRAL_RELAY_H
#define CENTRAL_RELAY_H

#include "central/central.h"

#define RELAY_MAX                                                                  \
    65536 /* facts that wait while the disk refuses; the oldest are not shown then \
           */

/* c->store and c->live must be there as long as facts come. */
struct relay *relay_new(struct central *c);
/* After store_close. Its hooks leave the loop a turn later. NULL is fine. */
void relay_free(struct relay *r);
/* `epoch`: of the station's ownership, as for store_put_owned. */
void relay_put(struct relay *r, const struct fact *f, int64_t epoch);
/* Ask the store about what was put since the last time. The hooks of the loop do that by
 * themselves. */
void relay_flush(struct relay *r);
/* Once a second: ask again for what the disk refused. */
void relay_tick(struct relay *r);

#endif
