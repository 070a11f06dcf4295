/* central/cluster.h - this central system as one node of several: which stations are ours, what the
 * others changed, what has to wait until a station is ours. Over central/store/nodes.h; a central
 * system that is alone has no cluster, and each of these is skipped with one comparison. */
#ifndef CENTRAL_CLUSTER_H
#define CENTRAL_CLUSTER_H

#include "central/central.h"
#include "central/store/nodes.h"

struct cluster;

/* After store and world are there, before the load. NULL: alone. */
struct cluster *cluster_new(struct central *c);
/* After the load: from now on the others are heard. */
void cluster_start(struct cluster *cl);
/* After net_free and store_close; NULL is fine. */
void cluster_free(struct cluster *cl);

/* Under which epoch may this be said? 0: anybody may; below 0: only its station's owner, who is not
 * us, and nothing happens. Notes what is said, so that others' older words do not undo it. */
int64_t cluster_emit(struct cluster *cl, const struct fact *f);
/* Was it refused meanwhile? Then it is not shown. */
bool cluster_refused(const struct cluster *cl, const struct fact *f, int64_t epoch);

/* Is this station ours to decide about? If not, the request is held, and central_request gets it
 * again once it is; or it is answered with 503 when the database does not answer. */
bool cluster_admit(struct cluster *cl, const struct net_request *r, struct amp_text identity);
/* Which key belongs to this name, over all nodes? As for cluster_admit; `key` is proposed. */
bool cluster_claim(struct cluster *cl, const struct net_request *r, enum fact_kind kind,
                   struct amp_text name, int64_t key, int64_t *out);
/* Another node answers this request. */
void cluster_forward(struct cluster *cl, const struct net_request *r,
                     const struct node_info *where);
struct held;
void cluster_forwarded(struct cluster *cl, struct held *h); /* it did: not on the list any more */
/* The node that has this charger's socket open, and where it is; 0: nobody else has. */
int64_t cluster_elsewhere(const struct cluster *cl, const struct charger *ch,
                          struct node_info *where);
void cluster_gone(struct cluster *cl, const struct net_conn *conn);
void cluster_tick(struct cluster *cl);
bool cluster_leads(const struct cluster *cl);
/* Stations that are connected there. */
size_t cluster_stations(const struct cluster *cl, int64_t node);
/* Rises with each station of which something was refused. */
uint64_t cluster_refusals(const struct cluster *cl);
struct store_nodes *cluster_nodes(const struct cluster *cl);

#endif
