/* central/balance.h - the driver of load management (domain/load.h): brings it what happens, keeps the time, and has its words
 * sent. A change is planned for within BALANCE_JOIN_MS, so that what happens together is planned together; and there is a look
 * every second, for leases that must be renewed and signals that end. One process does this (central_leads). */
#ifndef CENTRAL_BALANCE_H
#define CENTRAL_BALANCE_H

#include "central/central.h"
#include "central/domain/load.h"

#define BALANCE_JOIN_MS 100

struct balance *balance_new(struct central *c); /* makes c->loads */
void balance_free(struct balance *b);           /* and frees it; then turn the loop once more */

/* A fact that the world emitted. */
void balance_saw(struct balance *b, const struct fact *f);
/* People changed something: plan soon. */
void balance_touch(struct balance *b);
/* Once a second. */
void balance_tick(struct balance *b);

#endif
