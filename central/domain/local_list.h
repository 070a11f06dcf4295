/* central/domain/local_list.h - local authorisation lists: who may charge at a station that is
 * offline. OCPP 1.6 §3.5, §5.10, §5.15; ocpp-facts B11. A list has a name and tags, and several
 * chargers may be meant to have it; what is sent about a tag stands with the tag. Every change of
 * the list, and of a tag in it, is a revision; what a station has is a revision, too, so what it
 * lacks is known without a copy of what it has. The version on the wire is counted for each station
 * alone. */
#ifndef CENTRAL_DOMAIN_LOCAL_LIST_H
#define CENTRAL_DOMAIN_LOCAL_LIST_H

#include "central/domain/world.h"

/* Entries of one SendLocalList where neither the station nor a person said how many it takes. */
#define LIST_CHUNK 50

/* ---- lists ---- */
/* Make one, or change its note; with f->deleted: remove it with its entries. Its counters are ours.
 */
void world_put_list(struct world *w, const struct list_fact *f, int64_t now_ms);
const struct list_fact *world_list(const struct world *w, int64_t org, struct amp_text name);
const struct list_fact *world_list_at(const struct world *w, size_t i); /* NULL behind the last */
/* Entries that are in it. */
size_t world_list_count(const struct world *w, int64_t org, struct amp_text name);
/* The next entry behind the name `after` (empty: the first), by name; NULL behind the last. */
const struct list_entry_fact *world_list_next(const struct world *w, int64_t org,
                                              struct amp_text name, struct amp_text after);
/* Put a tag in, take it out. False: that changed nothing. The list must be there. */
bool world_list_add(struct world *w, int64_t org, struct amp_text name, struct amp_text tag);
bool world_list_drop(struct world *w, int64_t org, struct amp_text name, struct amp_text tag);

/* ---- what a station has ---- */
/* NULL: nobody asked, nothing is meant to be there. */
const struct charger_list_fact *charger_list(const struct charger *c);
/* Its state as of now: what was sent may be old by now, and then it is pending. */
int charger_list_state(const struct world *w, const struct charger *c);
/* How many chargers are meant to have this list. */
size_t world_list_users(const struct world *w, int64_t org, struct amp_text name);

/* The charger is to have this list; `max` entries a message (0: as known otherwise). Absent: none
 * any more, and the station's is emptied, unless `leave`. */
void world_assign_list(struct world *w, struct charger *c, struct amp_text name, int32_t max,
                       bool leave, int64_t now_ms);
/* Send again what is lacking, or all of it; also where that failed or was not supported. */
void world_resend_list(struct world *w, struct charger *c, bool full, int64_t now_ms);

/* Whoever may call this charger now, asks first: what is owed to it is queued as a command, one at
 * a time. Cheap when nothing is. */
void world_sync(struct world *w, struct charger *c, int64_t now_ms);

/* What may happen to a station's list: the table of its states. 0: the event means nothing then. */
enum list_event {
    LIST_ASKED = 1,  /* for its version */
    LIST_SENT,       /* a part of it */
    LIST_CHANGED,    /* it is to have something else, or somebody says: again */
    LIST_HAS_IT,     /* all of it */
    LIST_LACKS_SOME, /* an answer came, and something is still to be sent */
    LIST_LOST,       /* no answer: it may have it or not */
    LIST_FAILED,
    LIST_UNSUPPORTED,
    LIST_LEFT /* none is to be there */
};
int charger_list_next(int state, enum list_event e);

#endif
