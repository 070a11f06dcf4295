/* central/domain/load_share.h - who may draw how much: a tree of limits, connectors that want current, and the
 * answer for each. A pure function: the same site gives the same answer, in whatever order the connectors are listed.
 *
 * Currents are deci-amperes (0.1 A) per line phase. A node may limit each phase and, for a limit in watts, the sum of
 * all three. Nothing is ever taken from somebody who cannot be told (`fixed_da`), so a node can be over its limit by
 * what is fixed there; nobody else gets anything then.
 *
 * Two steps. Who: in the order of rank each gets its least (6 A, IEC 61851) if all nodes above it have that much
 * left; who does not, waits with 0. How much: those who are in share what remains - all alike (equal), one priority
 * after the other, or one after the other in the order of coming.
 *
 * Rank. First come: the older transaction. Priority: the higher, among the same as in equal. Equal: who has had power
 * for less than its turn keeps it (no contactor flaps), then who waits, longest first, then those whose turn is over:
 * they lose their power only to somebody who waits. */
#ifndef CENTRAL_LOAD_SHARE_H
#define CENTRAL_LOAD_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_PHASES   3
#define LOAD_TOTAL    3 /* index of the sum of the phases, beside them */
#define LOAD_BOUNDS   4
#define LOAD_LEAST_DA 60
#define LOAD_OPEN     INT32_MAX /* no limit */

enum load_rule { LOAD_EQUAL = 1, LOAD_PRIORITY, LOAD_FIRST_COME };

struct load_node {
    int32_t parent; /* index, below its own; -1: the top */
    int32_t limit_da[LOAD_BOUNDS];
    int32_t other_da[LOAD_PHASES]; /* drawn there by what nobody manages */
};

struct load_want {
    int64_t id;        /* unlike any other; decides what rank leaves open */
    int32_t node;
    uint8_t phases;    /* bits 1, 2, 4: line phases that it loads */
    bool wants;        /* a car is there that may take current */
    bool rests;        /* its power was taken away a moment ago: not yet again */
    int32_t max_da;    /* the least of connector, cable and what the car was seen to use */
    int32_t least_da;  /* 0: LOAD_LEAST_DA */
    int32_t fixed_da;  /* cannot be told: draws up to this whatever we say; -1: obeys */
    int32_t priority;  /* higher is more */
    int64_t since_ms;  /* of the transaction */
    int64_t on_ms;     /* has had power since; 0: has none */
    int64_t waits_ms;  /* has waited since; of those without power */
};

enum load_why {
    LOAD_WHY_IDLE = 1, /* wants nothing */
    LOAD_WHY_FIXED,    /* cannot be told */
    LOAD_WHY_OWN,      /* as much as itself can take */
    LOAD_WHY_SHARED,   /* `node` has no more to share */
    LOAD_WHY_TURN,     /* waits: `node` has no least left for it */
    LOAD_WHY_RESTS
};

struct load_share {
    int32_t da;
    enum load_why why;
    int32_t node;  /* that binds; -1: none */
    int32_t bound; /* which limit of it: 0..2 a phase, LOAD_TOTAL */
};

struct load_site {
    const struct load_node *nodes;
    const struct load_want *wants;
    uint32_t node_count, want_count;
    enum load_rule rule;
    int64_t turn_ms; /* how long one keeps its power when others wait */
    int64_t now_ms;
};

/* out[i] is the answer for wants[i]. */
void load_share(const struct load_site *s, struct load_share *out);

/* What is left at each node (negative: over) when every want draws draw_da[i]: left[node][bound], INT64_MAX where
 * there is no limit. */
void load_left(const struct load_site *s, const int32_t *draw_da, int64_t (*left)[LOAD_BOUNDS]);

/* From what each may draw in the worst case now (worst_da) towards `target`: how much each may be told to take at
 * once, so that the worst case of all stays within every limit. Less than it may draw now is always possible; more
 * only as far as there is room already: what others are about to give back does not count until they said so.
 * out[i] is 0 or at least the least. */
void load_step(const struct load_site *s, const int32_t *worst_da, const struct load_share *target, int32_t *out);

#endif
