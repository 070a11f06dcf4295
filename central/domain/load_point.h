/* central/domain/load_point.h - what one connector may be drawing in the worst case, by what its station was told and
 * has confirmed, and what to tell it next. Pure; the driver (central/load) sends and brings the answers.
 *
 * Three charging profiles a connector, so that nobody needs us to be alive:
 *   base  TxDefaultProfile, level 0, for ever: the fail-safe limit. The sum of all of them fits every fuse.
 *   idle  TxDefaultProfile, level 1, a long lease: 0 A, where the connector's fail-safe limit is lent to others.
 *   now   TxProfile of the running transaction, level 1, a short lease: what it may take at present.
 * When we are gone, leases end: first those above the fail-safe limits, later those below.
 *
 * A limit counts as soon as it may be in force, and until it cannot be any more: a lower one counts only when the
 * station has said yes, and only if it outlives every lease that a neighbour may hold by then. A station that never
 * said yes to its base counts with all it can. */
#ifndef CENTRAL_LOAD_POINT_H
#define CENTRAL_LOAD_POINT_H

#include "central/domain/fact.h"

enum load_slot { LOAD_BASE, LOAD_IDLE, LOAD_NOW, LOAD_SLOTS };
#define LOAD_LEASE_MS 180000 /* now */
#define LOAD_LONG_MS  900000 /* idle */
#define LOAD_SKEW_MS  60000  /* a station's clock may be off by this */
#define LOAD_AGAIN_MS 10000  /* after a refusal, times their number, up to a minute */

/* The promise that a driver keeps between sending and the answer. */
struct load_sent {
    int64_t command; /* 0: nothing is under way */
    enum load_slot slot;
    int32_t da;
    int64_t until_ms;
    struct load_limit before; /* if it turns out that nothing was sent */
};

/* What the station should have. */
struct load_aim {
    int64_t transaction; /* 0: none runs */
    int32_t base_da, now_da;
    bool lend; /* takes less than its base, or nothing: the rest is lent to others */
};

void load_point_init(struct load_point_fact *p);

/* The most that it may draw between now and the end of any lease that could be given now. `max_da`: what the hardware
 * can. */
int32_t load_point_worst(const struct load_point_fact *p, int32_t max_da, int64_t now_ms);

/* The same for the next car, when the running transaction is over. */
int32_t load_point_floor(const struct load_point_fact *p, int32_t max_da, int64_t now_ms);

/* What to send next, most urgent first; false: all is as it should be. `raise`: may the base be raised at this moment
 * (have others confirmed)? Raises of `now` are the caller's business: aim->now_da is what it may be told now. */
bool load_point_next(const struct load_point_fact *p, const struct load_aim *aim, bool raise,
                     int64_t now_ms, struct load_sent *out);

/* It is on its way: from here on it counts. */
void load_point_sent(struct load_point_fact *p, const struct load_aim *aim, struct load_sent *sent,
                     int64_t command);
enum load_answer {
    LOAD_YES,
    LOAD_NO,     /* refused: the old one stands */
    LOAD_LOST,   /* nobody knows */
    LOAD_UNSENT, /* it never left */
    LOAD_UNABLE  /* the station knows no charging profiles */
};
void load_point_answered(struct load_point_fact *p, const struct load_sent *sent,
                         enum load_answer answer, int64_t now_ms);
/* The transaction is over: its profile went with it. */
void load_point_ended(struct load_point_fact *p, int64_t transaction);
/* The station started anew: what it keeps for good is sent once more. */
void load_point_booted(struct load_point_fact *p);

#endif
