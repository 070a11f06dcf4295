/* central/domain/shared.h - a world that is one of several over one database, each in a process of
 * its own. A station's socket, and with it all that is decided about the station, belongs to one of
 * them; for the others the charger is far: they know its present from the facts of its owner, and
 * decide nothing about it. A world that is alone never has a far charger. */
#ifndef CENTRAL_SHARED_H
#define CENTRAL_SHARED_H

#include "central/domain/world.h"

/* Before anything else: others' keys move no counter of this world, which gives out only what
 * world_set_keys and world_more_transactions reserved for it. */
void world_share(struct world *w);
/* Transaction keys first <= key < end for when the present ones are used up; and how many are left
 * altogether. A world that has none left ends the process: a key that may be another's is worse. */
void world_more_transactions(struct world *w, int64_t first, int64_t end);
int64_t world_transactions_left(const struct world *w);

/* A fact of another process, at any time: inserted or replaced, emits nothing. A charger that was
 * not known is far; of a known one whatever it is. The connection is kept as told. */
void world_apply_far(struct world *w, const struct fact *f);

bool charger_far(const struct charger *c);
void world_set_far(struct world *w, struct charger *c, bool far);
/* Has it a socket, here or in the process that owns it? What may be asked of it can be asked. */
bool charger_reachable(const struct charger *c);

/* The key that a charger will have when it is met: decided with the other nodes. */
void world_expect(struct world *w, struct amp_text id, int64_t key);
int64_t world_expected(const struct world *w, struct amp_text id); /* 0: not decided */
/* A key for a charger that may turn out to be known elsewhere: used or not, it is gone. */
int64_t world_spare_charger_key(struct world *w);
/* Commands that reached a charger which has no socket: what is not to wait fails. */
void world_command_stranded(struct world *w, struct charger *c, int64_t now_ms);

/* Ownership is lost: its session counts no more, nothing is emitted, the charger is far. The
 * session for its owner to close, or NULL. */
void *world_disown(struct world *w, struct charger *c);
/* Forget what is known of a charger but its own fact; world_apply of what the database has follows.
 */
void world_forget(struct world *w, struct charger *c);
/* world_settle for one charger that was taken over: what the former owner left open is closed. Of
 * the commands that it had not sent those of the last `young_ms` stay queued, for us to send. */
void world_settle_one(struct world *w, struct charger *c, int64_t young_ms, int64_t now_ms);
#endif
