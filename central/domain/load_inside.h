/* central/domain/load_inside.h - what the files of load management share: the book of groups, chargers and connectors. */
#ifndef CENTRAL_LOAD_INSIDE_H
#define CENTRAL_LOAD_INSIDE_H

#include "central/domain/inside.h"
#include "central/domain/load.h"

struct load_spot { /* a connector that is managed */
    struct load_keep *keep;
    int32_t connector;
    struct load_member_fact *own; /* a row of its own, packed; NULL: as the charger's */
    struct load_point_fact point;
    struct load_sent sent;
    int64_t silent_ms; /* since when nothing was answered; 0: the last thing was */
    /* the car */
    int64_t transaction, since_ms, waits_ms, on_ms, rest_until_ms;
    bool wants;
    int32_t one_phase;    /* readings in a row that show a car with one */
    int32_t use_da;       /* cap by what it was seen to use; LOAD_NONE: none */
    int32_t measured_da;
    int64_t measured_ms;  /* our clock */
    int64_t told_ms;      /* since when its limit is what it is */
    int64_t low_since_ms; /* it has used less since; 0: it has not */
    int32_t tail_da;      /* what it might have drawn before it said yes to less: */
    int64_t tail_ms;      /* until then the car may not have followed */
    bool wild;            /* draws more than it may */
    /* the plan */
    struct load_share share;
    int32_t say_da, worst_da, base_da, tree; /* tree: of the last plan; -1: none */
    bool obeys;
};

struct load_keep { /* a charger in a group */
    int64_t charger;
    struct load_member_fact *fact; /* packed */
    struct load_spot *spots;       /* [0]: the charger as a whole (clearing), then its connectors */
    int32_t spot_count;
    int64_t boot_ms;               /* last start that was seen */
    int32_t node;                  /* of the last plan */
};

struct load_place { /* what a node of the last plan is */
    char name[64];
    const char *from; /* "own", "signal", "fallback", "fuse" */
    bool charger;     /* a charger's own fuse, no group */
    int32_t sharing;  /* connectors below it that have power */
    int32_t waiting;  /* connectors below it that wait */
};

struct load_tree {
    int64_t org;
    const struct load_group_fact **groups; /* of each node; NULL: a charger's fuse. Only while the tree is being made */
    struct load_node *nodes;
    struct load_place *places;
    uint32_t node_count;
    struct load_spot **spots; /* all connectors below, in the order of the wants */
    uint32_t spot_count;
};

struct loads {
    struct world *world;
    world_emit_fn *emit;
    void *ctx;
    struct load_group_fact **groups;
    size_t group_count, group_cap;
    struct load_keep **keeps;
    size_t keep_count, keep_cap;
    struct map by_charger;
    struct load_tree *trees;
    size_t tree_count;
    int64_t born_ms; /* of the first plan */
    bool changed;
};

static inline const struct load_member_fact *spot_member(const struct load_spot *s)
{
    return s->own ? s->own : s->keep->fact;
}

/* load_book.c */
struct load_keep *load_keep_of(const struct loads *l, int64_t charger);
struct load_spot *load_spot_of(const struct loads *l, int64_t charger, int32_t connector);
void load_tell_point(struct loads *l, struct load_spot *s);

/* load_site.c: the groups and chargers of one tree as nodes. `hard`: the limits that hold when nobody is there to tell: no
 * signal, the fallback where there is one, and the reserve for others. */
const struct load_group_fact *load_top(const struct loads *l, const struct load_group_fact *g);
void load_tree_make(const struct loads *l, const struct load_group_fact *top, bool hard, int64_t now_ms,
                    struct load_tree *out);
void load_tree_free(struct load_tree *t);
uint8_t load_phases(const struct load_member_fact *m);
/* Fill in base_da of all connectors of a tree made `hard`: the limit that is given, or the equal share of every fuse above
 * if that is 6 A or more, else 0. False: those that are given do not fit together, and which node says so. */
struct load_misfit {
    uint32_t node;
    int bound;
    int64_t over_da;
};
bool load_bases(const struct load_tree *hard, struct load_misfit *out);

/* The line phases that a connector loads now: those of its wires; only the first of them where a car was seen to use one, the
 * charger is trusted in that (trust_phases), and nothing is left to a next car that nobody has met yet. */
bool load_one_phase(const struct load_spot *s);
uint8_t load_phases_now(const struct load_spot *s, int64_t now_ms);

/* load_plan.c: a command of ours is through. */
void load_hear(struct loads *l, struct load_spot *s, const struct command_fact *k, int64_t now_ms);

/* load_use.c: what stands at the connector, as the world knows it. */
void load_see_car(struct loads *l, struct load_spot *s, int64_t now_ms);

#endif
