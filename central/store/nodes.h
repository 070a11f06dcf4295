/* central/store/nodes.h - several processes, the nodes, on one PostgreSQL: who they are, who owns
 * which station, and what the others changed. A store that is alone has none of it. All calls and
 * callbacks on the loop thread; the work is done by a thread with a connection of its own.
 *
 *   take    a station's socket is here: raise its epoch, wait out the former owner, read its rows
 *   fence   what a node says about a station under an older epoch is refused (store_put_owned)
 *   feed    the present as the others changed it, in an order in which causes come first
 *   lead    one node at a time, by a lease */
#ifndef CENTRAL_STORE_NODES_H
#define CENTRAL_STORE_NODES_H

#include "central/store/store.h"

#define NODES_LEASE_S 10 /* without a sign of life for so long a node is dead to the others */
#define NODES_ID_MAX  64

struct store_nodes;

/* NULL: alone. */
struct store_nodes *store_nodes(struct store *s);
int64_t nodes_self(const struct store_nodes *n); /* our number, for ever that of our name */

struct nodes_handler {
    void *ctx;
    /* A fact of the present, of another node's batch; or of ours when it had facts that anybody may
     * say, so that who compares knows what came first (store_put). Texts live during the call. */
    void (*changed)(void *ctx, const struct fact *f, int64_t node);
    /* Somebody took a station, perhaps us. Possibly told twice, and not at all to a node that was
     * cut off meanwhile: what it says is refused then. */
    void (*taken)(void *ctx, int64_t charger, int64_t node, int64_t epoch);
    /* Something that we said about a station was refused: it has another owner. Called before the
     * store_after of that batch. */
    void (*lost)(void *ctx, int64_t charger, int64_t epoch);
    /* To the node that leads: a station whose owner died, or was started again, under this epoch, has
     * its connection open still, or commands without an end. */
    void (*orphan)(void *ctx, int64_t charger, struct amp_text identity, int64_t epoch);
    /* We were away for longer than changes are kept: what we know of the others cannot be mended.
     */
    void (*cut_off)(void *ctx);
};
/* After store_load. What happened since store_open is told first. */
void nodes_watch(struct store_nodes *n, const struct nodes_handler *h);

/* Be the owner of the station with this identity (compared without case). `key`: its charger's, or
 * one of ours for the case that nobody met it yet. `only`: only if its epoch is still this, else
 * epoch 0 is the answer; below 0: in any case. rc 0, or AMP_E_IO: the database does not answer. */
struct nodes_taken {
    int64_t charger, epoch;
    const struct fact *const *facts; /* all that the database has of the station's present */
    size_t count;                    /* 0: never met */
};
typedef void nodes_taken_fn(void *ctx, int rc, const struct nodes_taken *t);
void nodes_take(struct store_nodes *n, struct amp_text identity, int64_t key, int64_t only,
                nodes_taken_fn *done, void *ctx);
/* The same rows without owning it; epoch 0. */
void nodes_read(struct store_nodes *n, int64_t charger, nodes_taken_fn *done, void *ctx);

/* Whose is this name? `key` if nobody had it, else that of who was first. */
typedef void nodes_number_fn(void *ctx, int rc, int64_t number);
void nodes_claim(struct store_nodes *n, enum fact_kind kind, struct amp_text name, int64_t key,
                 nodes_number_fn *done, void *ctx);
/* First of PG_KEYS_TRANSACTION more transaction keys. */
void nodes_more_transactions(struct store_nodes *n, nodes_number_fn *done, void *ctx);
#define NODES_TRANSACTIONS 65536

/* Are we the one? Never two at the same time, sometimes none. */
bool nodes_lead(const struct store_nodes *n);

struct node_info {
    int64_t number;
    char id[NODES_ID_MAX + 1], address[128];
    int64_t started_ms, seen_ms;
    bool alive, leads;
};
/* As of the last look, every two seconds. Their number, also when cap is smaller. */
size_t nodes_list(const struct store_nodes *n, struct node_info *out, size_t cap);
/* Who owned what when the store was opened. */
void nodes_owners(struct store_nodes *n,
                  void (*each)(void *ctx, int64_t charger, int64_t node, int64_t epoch), void *ctx);

#endif
