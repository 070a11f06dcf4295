/* central/domain/engine.h - what the files of the transaction engine share: transaction.c keeps and
 * finds, start.c, stop.c and reading.c take what stations send. */
#ifndef CENTRAL_DOMAIN_ENGINE_H
#define CENTRAL_DOMAIN_ENGINE_H

#include "central/domain/inside.h"
#include "central/domain/meter.h"
#include "central/domain/power.h"

#define CLOCK_SET_MS 1262304000000 /* 2010-01-01: a station clock before that was never set (E77) \
                                    */
#define AHEAD_MS 600000            /* a station clock may run so far ahead */
#define SLACK_MS 1000              /* stations cut their times to seconds, some of them only some */

/* The state after an event; the same where the event means nothing. */
int transaction_next(int state, enum transaction_event e);

/* Closed, and billed or decided by a person: what the station says later changes nothing. */
bool transaction_settled(const struct transaction_fact *f);
/* After a change of the record: revision, fact, and the billing hook when there is something to bill.
 */
void transaction_changed(struct world *w, struct transaction *t);

/* Flags that a person should look at when they come; a flag that was there already calls nobody. */
#define TX_ATTENTION                                                                              \
    ((uint32_t)(TX_FLAG_REFUSED | TX_FLAG_METER_BACK | TX_FLAG_TIME_ODD | TX_FLAG_ZOMBIE |         \
                TX_FLAG_ADOPTED | TX_FLAG_FOREIGN_STOP | TX_FLAG_NO_ENERGY | TX_FLAG_METER_RESET | \
                TX_FLAG_METER_JUMP | TX_FLAG_START_BELOW | TX_FLAG_LATE | TX_FLAG_CONTRADICTED |   \
                TX_FLAG_STOP_IGNORED | TX_FLAG_SILENT | TX_FLAG_OFFLINE |       \
                TX_FLAG_INCOMPLETE))
void transaction_raise(struct transaction_fact *f, uint32_t bits);
void transaction_lower(struct transaction_fact *f, uint32_t bits);
/* Something about it was heard. */
void transaction_heard(struct transaction_fact *f, int64_t now_ms);
/* The register as it was followed so far, and back. */
struct meter transaction_meter(const struct transaction_fact *f);
void transaction_keep_meter(struct transaction_fact *f, const struct meter *m);

/* The one that a remote start asked for here: it becomes the transaction. NULL: none. */
struct transaction *transaction_awaited(const struct charger *c, int connector,
                                        struct amp_text tag);
/* May this tag be one that starts and stops what `tag` started? No tag says nothing. */
bool transaction_may_be_tag(const struct world *w, int64_t org, struct amp_text mine,
                            struct amp_text tag);
/* The start of a record whose later part we have already; all of that stays. `judged`: the answer to
 * its tag, NULL if it has none. */
void transaction_add_start(struct world *w, struct transaction *t, const struct start_info *s,
                           const char *judged, int64_t now_ms);
/* E17: another one runs in its place. Its end is its last reading. */
void transaction_close_zombie(struct world *w, struct transaction *t, int64_t now_ms);
/* What a start says, told by its content; never 0. */
uint64_t transaction_start_hash(const struct start_info *s);

/* The transaction of this charger that a wire id means. Never another charger's (E11). */
struct transaction *transaction_addressed(const struct world *w, const struct charger *c,
                                          int64_t id);
/* The one that ran on a connector at a moment of the station's clock: E18. */
struct transaction *transaction_running_at(const struct charger *c, int connector, int64_t at_ms);

/* Keep a record that is not in memory. */
struct transaction *transaction_add(struct world *w, struct charger *c,
                                    const struct transaction_fact *f);
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
/* A booked time where only the order counts: a clock that is far ahead (E75) must not make all that
 * comes later look old. */
static inline int64_t transaction_order_ms(int64_t at_ms, int64_t now_ms)
{
    return at_ms > now_ms + AHEAD_MS ? now_ms : at_ms;
}

#endif
