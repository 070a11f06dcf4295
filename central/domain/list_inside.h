/* central/domain/list_inside.h - what local_list.c (lists) and charger_list*.c (what stations have
 * of them) know of each other. */
#ifndef CENTRAL_DOMAIN_LIST_INSIDE_H
#define CENTRAL_DOMAIN_LIST_INSIDE_H

#include "central/domain/inside.h"
#include "central/domain/local_list.h"

#define OURS_AND_EMPTY (-1) /* a revision: emptied because no list is to be there */

struct list {
    struct list_fact *fact;
    struct list_entry_fact **entries; /* by name; taken out ones, too */
    size_t count, cap, live;
};

/* What a station has, and the update that is under way. After a restart that one is forgotten: its
 * version tells whether it arrived. */
struct charger_list {
    struct charger_list_fact *fact;
    bool going;            /* parts of an update were taken, others are to follow */
    bool full;             /* the update under way */
    bool more;             /* behind the part that is under way */
    unsigned refused;      /* times that a full update was a version mismatch */
    int64_t target;        /* revision that the update leads to */
    int64_t failed;        /* revision that failed: a newer one is tried again */
    int64_t not_before_ms; /* after an answer that was lost */
    uint64_t checked;      /* w->list_changes when nothing was owed */
    char *after,
        *sent_to; /* names of the last entries: of the parts taken, of the part under way */
};

struct list *list_find(const struct world *w, int64_t org, struct amp_text name);
/* Behind that name, taken out ones, too; NULL behind the last. */
const struct list_entry_fact *list_entry_after(const struct list *l, struct amp_text after);
/* What is sent from now on is known to somebody. */
void list_seal(struct world *w, struct list *l);

/* charger_list.c */
void charger_list_put(struct world *w, struct charger *c, const struct charger_list_fact *f);
/* False: the event means nothing now, and nothing changed. */
bool charger_list_happens(struct world *w, struct charger *c, struct charger_list_fact *f,
                          enum list_event e, struct amp_text why, int64_t now_ms);
/* The update under way is given up, or done. */
void charger_list_over(struct charger_list *l);
struct charger_list_fact charger_list_blank(const struct charger *c);
/* NULL: none is to be there. */
struct list *charger_list_wanted(const struct world *w, const struct charger_list_fact *f);

#endif
