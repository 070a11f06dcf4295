/* central/domain/quirk.h - what a charger or a model does not tell about itself, and a person
 * knows: how it writes tags, how it is wired, what it can take. Declared by name, for one charger
 * or for all whose vendor and model begin like that. Edge cases 33, 34, 79, 92, 95. */
#ifndef CENTRAL_DOMAIN_QUIRK_H
#define CENTRAL_DOMAIN_QUIRK_H

#include "central/domain/world.h"

/* Insert or replace by organisation and name; with q->deleted: remove. */
void world_put_quirk(struct world *w, const struct quirk_fact *q);
const struct quirk_fact *world_quirk(const struct world *w, int64_t org, struct amp_text name);
/* By name; NULL behind the last. */
const struct quirk_fact *world_quirk_at(const struct world *w, size_t i);

/* All that is declared for a charger, or that its stored configuration tells. The closer one wins, field by field: its own quirks over
 * those of its model, these over those of its vendor; flags add up. */
struct traits {
    uint32_t flags;
    int32_t phases, voltage_v; /* 0: nobody said */
    int32_t rate_units;        /* 0: nobody said */
    int32_t stack_max;         /* -1: nobody said */
    int32_t list_max;          /* 0: nobody said */
    int32_t list_total;        /* entries that fit in all; 0: nobody said */
    int32_t periods_max;       /* of a charging schedule; 0: nobody said */
    bool no_zero;              /* connector 0 can't be reserved */
    int32_t url_max;           /* 0: nobody said */
};
void charger_traits(const struct world *w, const struct charger *c, struct traits *out);

/* The tag that a charger means by what it sent (E33): as sent when we know that, or when nothing is
 * to be taken away; else without what stands behind its last underscore. A piece of `sent`. */
struct amp_text charger_tag(const struct world *w, const struct charger *c, struct amp_text sent);
/* May it be named to this charger (E32, E34)? NULL, or why not, in words that say the cure. */
const char *charger_tag_fault(const struct world *w, const struct charger *c, struct amp_text tag);

#endif
