/* central/domain/profile.h - charging profiles: templates by name, and what is installed where.
 * OCPP 1.6 §3.13, §5.5, §5.16, §7.8; ocpp-facts B12; edge cases 91 to 93. A station can't be asked
 * which profiles it has, so what it accepted is noted, whoever sent it, and what ends it: a profile
 * in its place, a ClearChargingProfile, the end of its transaction. */
#ifndef CENTRAL_DOMAIN_PROFILE_H
#define CENTRAL_DOMAIN_PROFILE_H

#include "central/domain/world.h"

/* Ids of profiles that were made here begin behind this; below are other hands' and load
 * management's. */
#define PROFILE_ID_BASE 1000

/* ---- templates ---- */
/* Insert or replace by organisation and name; with p->deleted: remove. */
void world_put_profile(struct world *w, const struct profile_fact *p);
const struct profile_fact *world_profile(const struct world *w, int64_t org, struct amp_text name);
const struct profile_fact *world_profile_at(const struct world *w, size_t i); /* by making */

/* ---- what is installed ---- */
/* All that may be there, by id; NULL behind the last. */
const struct installed_fact *charger_profile(const struct charger *c, size_t i);
const struct installed_fact *charger_profile_by_id(const struct charger *c, int64_t id);
/* The id for this template at this connector: the one that it has there (E93), else a new one. */
int64_t charger_profile_id(const struct charger *c, struct amp_text name, int32_t connector);
/* The next command that installs this id at this charger is about this template, and that is to be
 * done after a boot. NULL takes it back. The name must live so long. */
struct profile_hint {
    int64_t charger, id;
    struct amp_text name;
    int32_t on_boot; /* enum installed_boot */
};
void world_profile_hint(struct world *w, const struct profile_hint *hint);

/* What may happen to an installed profile: the table of its states. 0: nothing. */
enum installed_event {
    INSTALLED_TAKES = 1, /* the station has it */
    INSTALLED_REFUSES,
    INSTALLED_LOSES,    /* no answer: there or not */
    INSTALLED_RESTARTS, /* and nobody relies on its memory */
    INSTALLED_ENDS      /* cleared, replaced, its transaction is over */
};
int installed_next(int state, enum installed_event e);

#endif
