/* central/cluster_inside.h - what cluster.c (the whole) and cluster_take.c (stations that
 * change hands) share. For these two only. */
#ifndef CENTRAL_CLUSTER_INSIDE_H
#define CENTRAL_CLUSTER_INSIDE_H

#include "central/cluster.h"
#include "central/domain/map.h"
#include "central/held.h"

struct owner {
    int64_t charger, node, epoch;
    int64_t refused; /* the highest epoch of ours that was refused; 0: none */
    bool ours;       /* we took it, under this epoch, and know all there is */
};

/* A thing that anybody may change, changed by us: not in the feed yet. */
struct dirty {
    uint64_t key;
    unsigned count;
};

struct cluster {
    struct central *c;
    struct store_nodes *nodes;
    struct map owners, dirty;
    struct held *held, *away; /* those that wait for a station; those that another node answers */
    struct claim *claims;     /* names that were claimed here */
    bool asking;              /* for transaction keys */
    uint64_t refusals;        /* batches of ours of which the database refused something */
};

/* cluster.c: NULL: it was never taken. */
struct owner *cluster_owner(const struct cluster *cl, int64_t charger);
struct owner *cluster_owner_make(struct cluster *cl, int64_t charger);

/* cluster_take.c: what the feed and the database say of stations; and the answer to a request that
 * waited while the database did not answer. */
void cluster_taken(void *ctx, int64_t charger, int64_t node, int64_t epoch);
void cluster_lost(void *ctx, int64_t charger, int64_t epoch);
void cluster_orphan(void *ctx, int64_t charger, struct amp_text identity, int64_t epoch);
void cluster_away(struct cluster *cl, struct held *h);

#endif
