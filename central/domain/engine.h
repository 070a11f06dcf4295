/* central/domain/engine.h - what the files of the transaction engine share: transaction.c keeps and
 * finds, start.c, stop.c and reading.c take what stations send. */
#ifndef CENTRAL_DOMAIN_ENGINE_H
#define CENTRAL_DOMAIN_ENGINE_H

#include "central/domain/inside.h"

#define CLOCK_SET_MS 1262304000000 /* 2010-01-01: a station clock before that was never set (E77) \
                                    */
#define AHEAD_MS 600000            /* a station clock may run so far ahead */
#define SLACK_MS 1000              /* stations cut their times to seconds, some of them only some */

/* The state after an event; the same where the event means nothing. */
int transaction_next(int state, enum transaction_event e);

/* The transaction of this charger that a wire id means. Never another charger's (E11). */
struct transaction *transaction_addressed(const struct world *w, const struct charger *c,
                                          int64_t id);
/* The one that ran on a connector at a moment of the station's clock: E18. */
struct transaction *transaction_running_at(const struct charger *c, int connector, int64_t at_ms);

/* A new one with the next key. `station_id` is an id that the station made up; 0: none. */
struct transaction *transaction_new(struct world *w, struct charger *c, struct transaction_fact *f,
                                    int64_t station_id);
/* Take one that has just closed out of the list of open ones. */
void transaction_unlink(struct world *w, struct transaction *t);
/* Forget the closed ones that ended longest ago, but never `keep_it`, which has just ended. */
void transaction_forget(struct world *w, struct charger *c, const struct transaction *keep_it);

/* The time to book by: the station's (E24), or ours where its clock was never set. Oddity goes into
 * *flags. */
int64_t transaction_booked_ms(int64_t at_ms, int64_t now_ms, uint32_t *flags);

#endif
