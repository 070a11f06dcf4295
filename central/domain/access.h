/* central/domain/access.h - who may come in: what people decided about one charger, rules for the
 * boot of those that nobody decided about, and chargers that are no more. Decisions are facts;
 * passwords stay hashes here, and certificates are compared elsewhere (central/v16/admit.c). */
#ifndef CENTRAL_ACCESS_H
#define CENTRAL_ACCESS_H

#include "central/domain/world.h"

/* Never NULL: where nobody decided anything, all of it is 0 but the charger's key. Lives until the
 * next change. */
const struct access_fact *charger_access(const struct charger *c);
/* Insert or replace, by a->charger. */
void world_put_access(struct world *w, struct charger *c, const struct access_fact *a);
/* It came in by this security profile: a higher one is kept (E43). */
void world_reached(struct world *w, struct charger *c, int profile);
/* The new password was used: the old one is none any more. */
void world_password_used(struct world *w, struct charger *c, int64_t now_ms);
/* The station keeps this heartbeat interval from now on. */
void world_heartbeat(struct world *w, struct charger *c, int32_t heartbeat_s);

/* How many wait for a decision: those that knock. */
size_t world_pending(const struct world *w);

/* ---- boot ---- */
/* Insert or replace by organisation and name; with r->deleted: remove. */
void world_put_boot_rule(struct world *w, const struct boot_rule_fact *r);
/* By place, then name. NULL: none. */
const struct boot_rule_fact *world_boot_rule(const struct world *w, int64_t org,
                                             struct amp_text name);
size_t world_boot_rule_count(const struct world *w);
const struct boot_rule_fact *world_boot_rule_at(const struct world *w, size_t i);
/* What they say about a charger with this boot message: enum registration; 0: none fits. */
int world_boot_rules_say(const struct world *w, const struct charger_fact *f);
/* A text against a pattern with * and ?, without case. An absent pattern fits everything. */
bool access_fits(struct amp_text pattern, struct amp_text text);

/* ---- the end of a charger ---- */
/* Its identity is free again, and whoever uses it is a stranger; what happened stays with the old
 * key, which world_charger_by_key goes on finding. Its session is the caller's to close, before.
 * Commands that wait fail. AMP_E_STATE: a transaction is open. */
int world_delete_charger(struct world *w, struct charger *c, int64_t now_ms) AMP_CHECKED;

#endif
