/* central/domain/load.h - load management: groups with limits, the chargers in them, and a plan of what each connector is told.
 * Stands beside the world (world.h), which it only asks. It decides; the driver (central/load) sends and keeps the time.
 *
 * A group is a fuse, a feeder, a contract: a limit per phase (A), in watts, or both. Groups form trees; a charger is in one
 * group, its connectors below it, with a fuse of its own if it has one. A tree is planned as a whole by load_share, and each
 * step towards the plan by load_step over the worst cases of load_point: Σ of what stations may draw never passes a limit
 * because of what we said.
 *
 * What can pass it is what we do not decide: a limit that falls, or load of others that rises, while cars charge. Then the next
 * plan says less at once, and the limit holds again when the stations have answered. */
#ifndef CENTRAL_LOAD_H
#define CENTRAL_LOAD_H

#include "central/domain/load_point.h"
#include "central/domain/load_share.h"
#include "central/domain/world.h"
#include "ocpp/buf.h"

#define LOAD_VOLTS        230
#define LOAD_TURN_S       900
#define LOAD_MAX_DA       320    /* of a connector that says no other */
#define LOAD_CONNECTORS   32     /* of a charger, at most */
#define LOAD_DEPTH        8      /* of a tree */
#define LOAD_STALE_MS     60000  /* a report of others' load that names no end */
#define LOAD_METER_STALE_MS 180000
#define LOAD_REST_MS      60000  /* a contactor that opened stays open */
#define LOAD_FOLLOW_MS    6000   /* a car may take so long to follow its pilot (IEC 61851-1: 5 s) */
/* What was queued and not sent within this is planned anew. Shorter than the wait of a new process (LOAD_FOLLOW_MS), so
 * that nothing which a former one said can be sent again behind what the new one says. */
#define LOAD_SAY_MS       5000
#define LOAD_SILENT_MS    4000   /* who has not answered for so long is not counted on: others make room */
#define LOAD_MARGIN_DA    20     /* above what a car was seen to use */
#define LOAD_SETTLE_MS    60000  /* how long a car may take to use what it was given */

struct loads;

struct loads *loads_new(struct world *w, world_emit_fn *emit, void *ctx);
void loads_free(struct loads *l);

/* A fact of FACT_LOAD_… from the store or from another process: insert or replace. */
void loads_apply(struct loads *l, const struct fact *f);
/* Any fact that the world emitted: what cars do, what became of what was sent. Emits, and never asks the world to do anything. */
void loads_saw(struct loads *l, const struct fact *f, int64_t now_ms);
/* Did something happen since the last plan that a new one must take up? */
bool loads_changed(const struct loads *l);

/* ---- groups ---- */
const struct load_group_fact *loads_group(const struct loads *l, int64_t org, struct amp_text id);
size_t loads_group_count(const struct loads *l);
const struct load_group_fact *loads_group_at(const struct loads *l, size_t i);
void loads_group_defaults(struct load_group_fact *g);

/* Why something cannot be so: the field and the cure are the caller's to show. */
struct load_fault {
    const char *field;
    char why[256], cure[192];
};
/* Insert or replace, or with `deleted` remove. AMP_E_VALUE, AMP_E_STATE: nothing happened, see the fault. */
int loads_put_group(struct loads *l, const struct load_group_fact *g, struct load_fault *fault);
/* The same without a look at the structure: signals and reports, which come often. */
void loads_put_reported(struct loads *l, const struct load_group_fact *g);
/* What others draw at a group now, per phase; `all`: it contains what the chargers below draw. */
void loads_report(struct loads *l, const struct load_group_fact *group, const int32_t da[LOAD_PHASES], bool all,
                  int64_t until_ms, int64_t now_ms);

/* ---- chargers in groups ---- */
/* What holds for a connector of a charger that is in a group (0: the charger); false: it is in none. */
bool loads_member(const struct loads *l, int64_t charger, int32_t connector, struct load_member_fact *out);
/* Does the charger's connector have a row of its own? */
bool loads_member_own(const struct loads *l, int64_t charger, int32_t connector);
/* rows[0] is the charger's (connector 0), the others are connectors that differ from it. They replace all there were. */
int loads_put_member(struct loads *l, const struct load_member_fact *rows, size_t count, struct load_fault *fault);
void loads_remove_member(struct loads *l, int64_t charger);
size_t loads_member_count(const struct loads *l);
const struct load_member_fact *loads_member_at(const struct loads *l, size_t i);

/* ---- the plan ---- */

/* Something to say to a charger. `clear`: a purpose of profiles is to go, on all connectors: what was there before we came. */
struct load_say {
    struct charger *charger;
    int32_t connector;
    const struct load_member_fact *member;
    const struct load_sent *sent;
    int64_t transaction;
    bool clear;
};
/* Queue it; the command's key, or an error of central_ask. */
typedef int64_t load_say_fn(void *ctx, const struct load_say *say);

/* Look at everything and say what is due. */
void loads_plan(struct loads *l, int64_t now_ms, load_say_fn *say, void *ctx);
/* Another process plans: what this one was about to say is over, and it begins anew if it ever plans. */
void loads_stand_by(struct loads *l);
/* The charger left its group: forget what its connectors were told. */
void loads_forget(struct loads *l, int64_t charger);

/* ---- what can be asked ---- */

struct load_view { /* of a connector, as of the last plan */
    bool wants;
    int32_t share_da; /* planned */
    int32_t told_da;  /* confirmed, of the running transaction; LOAD_NONE: none */
    int32_t worst_da, base_da, measured_da; /* measured: LOAD_NONE: nothing was */
    int64_t transaction, measured_ms, told_until_ms;
    enum load_why why;
};
bool loads_view(const struct loads *l, int64_t charger, int32_t connector, struct load_view *out);
/* Why: a sentence or two. */
void loads_explain(const struct loads *l, int64_t charger, int32_t connector, int64_t now_ms, struct amp_buf *out);

struct load_sum { /* of a group, per phase and (LOAD_TOTAL) in all; LOAD_OPEN: no limit */
    int32_t limit_da[LOAD_BOUNDS]; /* in force */
    int32_t other_da[LOAD_BOUNDS], planned_da[LOAD_BOUNDS], worst_da[LOAD_BOUNDS], measured_da[LOAD_BOUNDS];
    int32_t connectors, wanting, waiting, unable, offline;
    bool over; /* the worst case is over the limit */
    const char *from; /* "own", "signal", "fallback": which limit is in force */
    bool load_stale;
};
bool loads_sum(const struct loads *l, int64_t org, struct amp_text id, int64_t now_ms, struct load_sum *out);

#endif
