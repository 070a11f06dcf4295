/* central/domain/repair.h - what people and billing do to a transaction. Each change raises its
 * revision; who asks names the one that they saw, and is refused when it is another by now. Nothing
 * that a station sent is lost: readings stay with the record that they came for, and the audit keeps
 * how a record was. A closed one that a person has touched is no longer changed by its station, only
 * flagged (TX_FLAG_LATE). */
#ifndef CENTRAL_REPAIR_H
#define CENTRAL_REPAIR_H

#include "central/domain/world.h"

/* One that is not in memory: bring it in from the store. It stays there until it is let go, which
 * must not be before the change is durable. Of one that is in memory only the second part is done.
 * NULL: its charger is not known. */
const struct transaction_fact *world_transaction_hold(struct world *w,
                                                      const struct transaction_fact *f);
void world_transaction_let_go(struct world *w, int64_t key);

/* All: 0; AMP_E_ABSENT: not in memory; AMP_E_BUSY: another revision; AMP_E_STATE: not in this state;
 * AMP_E_RANGE: the end would be before the start. Nothing has happened then. */

/* End one that runs, by a register value and a time; -1 and 0: those of the last reading. */
int world_repair_close(struct world *w, int64_t key, int64_t revision, int64_t meter_wh,
                       int64_t at_ms, int64_t now_ms);
/* Correct what was said at the start, or at the end of one that is closed. Billed again. */
struct repair_correction {
    bool has_start_wh, has_stop_wh;
    int64_t start_wh, stop_wh;
    int64_t start_ms, stop_ms; /* 0: as it is */
    struct amp_text tag;       /* absent: as it is */
};
int world_repair_correct(struct world *w, int64_t key, int64_t revision,
                         const struct repair_correction *r, int64_t now_ms);
/* `key` is an adopted record: it is the end of `into`, which has a start, on the same charger. Its
 * own record stays, cancelled, and says where it went. */
int world_repair_merge(struct world *w, int64_t key, int64_t revision, int64_t into, int64_t now_ms);
/* This is no session. */
int world_repair_void(struct world *w, int64_t key, int64_t revision, int64_t now_ms);
/* Somebody has looked at it: its reasons call nobody any more, until a new one comes. */
int world_acknowledge(struct world *w, int64_t key, int64_t revision);

/* Billing. `ready` hears of each transaction that is STOPPED and each later change of one, also at
 * the moment of the change: the fact is on its way to the disk then, and nothing here may be called
 * from inside. world_billed reports. */
void world_on_stopped(struct world *w, void (*ready)(void *ctx, const struct transaction_fact *t),
                      void *ctx);
int world_billed(struct world *w, int64_t key, int64_t revision, bool done, int64_t now_ms);

#endif
