/* central/cluster.c - one node of several: what it may say, what it hears, and the whole; see
 * cluster.h. Everything here is on the loop thread. */
#include "central/balance.h"
#include "central/cluster_inside.h"
#include "central/domain/shared.h"
#include "central/forward.h"
#include "central/log.h"
#include "central/rest/live.h"
#include "central/store/wire.h"
#include "central/v16/v16.h"
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* A name and whose it is; key 0: asked for. The names of accounts: few, kept for good. */
struct claim {
    struct claim *next;
    struct cluster *cl;
    struct held *held;
    enum fact_kind kind;
    int64_t key;
    uint32_t len;
    char name[];
};

static struct cluster *must_cluster(void *p)
{
    if (!p)
        abort();
    return p;
}

/* ---- who owns what ---- */

static bool same_charger(const void *item, const void *key)
{
    return ((const struct owner *)item)->charger == *(const int64_t *)key;
}

struct owner *cluster_owner(const struct cluster *cl, int64_t charger)
{
    return map_get(&cl->owners, map_hash_int(charger), same_charger, &charger);
}

struct owner *cluster_owner_make(struct cluster *cl, int64_t charger)
{
    struct owner *o = cluster_owner(cl, charger);

    if (o)
        return o;
    o = calloc(1, sizeof *o);
    if (!o)
        abort();
    o->charger = charger;
    map_put(&cl->owners, map_hash_int(charger), o);
    return o;
}

static void note_owner(void *ctx, int64_t charger, int64_t node, int64_t epoch)
{
    struct owner *o = cluster_owner_make(ctx, charger);

    o->node = node;
    o->epoch = epoch;
}

/* ---- things that anybody may change ---- */

static bool same_key(const void *item, const void *key)
{
    return ((const struct dirty *)item)->key == *(const uint64_t *)key;
}

static struct dirty *dirty_of(const struct cluster *cl, uint64_t key)
{
    return map_get(&cl->dirty, key, same_key, &key);
}

static void make_dirty(struct cluster *cl, uint64_t key)
{
    struct dirty *d = dirty_of(cl, key);

    if (!d) {
        d = calloc(1, sizeof *d);
        if (!d)
            abort();
        d->key = key;
        map_put(&cl->dirty, key, d);
    }
    d->count++;
}

/* It came back in the feed: what the others say behind it is newer. */
static void make_clean(struct cluster *cl, uint64_t key)
{
    struct dirty *d = dirty_of(cl, key);

    if (!d || --d->count)
        return;
    map_remove(&cl->dirty, key, d);
    free(d);
}

/* ---- saying ---- */

/* What a node may say of a station that it does not own: that a command is asked for, that a
 * handshake was refused, and to put right a transaction that is over. */
static int64_t epoch_far(const struct owner *o, const struct fact *f)
{
    switch (f->kind) {
    case FACT_COMMAND:
        return f->u.command.state == COMMAND_QUEUED || f->u.command.state == COMMAND_ERROR ? 0 : -1;
    case FACT_CONNECTION:
        return f->u.connection.event == CONNECTION_REFUSED ? 0 : -1;
    case FACT_TRANSACTION:
        return f->u.transaction.state >= TX_STOPPED && o ? o->epoch : -1;
    default:
        return -1;
    }
}

int64_t cluster_emit(struct cluster *cl, const struct fact *f)
{
    int64_t station = wire_station(f), epoch;
    const struct owner *o;
    uint64_t key;

    if (!station) {
        key = wire_key(f);
        if (key)
            make_dirty(cl, key);
        return 0;
    }
    o = cluster_owner(cl, station);
    if (o && o->ours)
        return o->epoch;
    epoch = epoch_far(o, f);
    if (epoch < 0)
        LOG_OFTEN(cl->c->log, LOG_DEBUG, "nodes", "not said: another node owns the station",
                  LOG_INT("charger", station), LOG_INT("kind", f->kind));
    return epoch;
}

bool cluster_refused(const struct cluster *cl, const struct fact *f, int64_t epoch)
{
    const struct owner *o = epoch > 0 ? cluster_owner(cl, wire_station(f)) : NULL;

    return o && o->refused >= epoch;
}

/* ---- names ---- */

static void on_claimed(void *ctx, int rc, int64_t key)
{
    struct claim *k = ctx;
    struct held *list = k->held, *next;

    k->held = NULL;
    k->key = rc == 0 ? key : 0;
    for (; list; list = next) {
        next = list->next;
        if (rc < 0)
            cluster_away(k->cl, list);
        else if (list->request.conn)
            central_request(k->cl->c, &list->request);
        free(list);
    }
}

bool cluster_claim(struct cluster *cl, const struct net_request *r, enum fact_kind kind,
                   struct amp_text name, int64_t key, int64_t *out)
{
    struct claim *k = cl->claims;
    struct held *h;

    while (k && (k->kind != kind || !amp_text_eqi((struct amp_text){ k->name, k->len }, name)))
        k = k->next;
    if (k && k->key) {
        *out = k->key;
        return true;
    }
    if (!k) {
        k = calloc(1, sizeof *k + name.len);
        if (!k)
            abort();
        k->cl = cl;
        k->kind = kind;
        k->len = name.len;
        memcpy(k->name, name.at, name.len);
        k->next = cl->claims;
        cl->claims = k;
    }
    h = held_new(r, name);
    h->next = k->held;
    k->held = h;
    if (!h->next)
        nodes_claim(cl->nodes, kind, name, key, on_claimed, k);
    return false;
}

/* ---- forwarding ---- */

void cluster_forward(struct cluster *cl, const struct net_request *r, const struct node_info *where)
{
    struct held *h = held_new(r, amp_text_of(where->id));

    h->next = cl->away;
    cl->away = h;
    forward(cl->c, h, where->address);
}

void cluster_forwarded(struct cluster *cl, struct held *h)
{
    struct held **at = &cl->away;

    while (*at && *at != h)
        at = &(*at)->next;
    if (*at)
        *at = h->next;
}

void cluster_gone(struct cluster *cl, const struct net_conn *conn)
{
    held_gone(cl->held, conn);
    held_gone(cl->away, conn);
    for (struct claim *k = cl->claims; k; k = k->next)
        held_gone(k->held, conn);
}

/* ---- hearing ---- */

/* A command that another node was asked for, of a station of ours. */
static void asked(struct cluster *cl, const struct fact *f)
{
    struct central *c = cl->c;
    struct charger *ch = world_charger_by_key(c->world, f->u.command.charger);

    if (!ch || world_command_get(c->world, f->u.command.key))
        return; /* known: then we know better */
    world_apply(c->world, f);
    live_publish(c->live, f);
    if (charger_session(ch))
        v16_kick(c->v16, ch);
    else
        world_command_stranded(c->world, ch, c->now_ms());
}

static void on_changed(void *ctx, const struct fact *f, int64_t node)
{
    struct cluster *cl = ctx;
    int64_t station = wire_station(f);
    const struct owner *o = station ? cluster_owner(cl, station) : NULL;

    if (node == nodes_self(cl->nodes)) {
        if (!station)
            make_clean(cl, wire_key(f));
        /* a command that was asked for here, and forgotten as its station changed hands before the
         * command was in the database */
        if (f->kind != FACT_COMMAND || world_command_get(cl->c->world, f->u.command.key))
            return;
    }
    if (o && o->ours) {
        if (f->kind == FACT_COMMAND)
            asked(cl, f);
        return;
    }
    if (!station && dirty_of(cl, wire_key(f)))
        return; /* ours is on its way, and will be the last */
    central_apply(cl->c, f);
    if (cl->c->balance)
        balance_saw(cl->c->balance, f);
    live_publish(cl->c->live, f);
}

static void on_cut_off(void *ctx)
{
    struct cluster *cl = ctx;

    LOG(cl->c->log, LOG_ERROR, "nodes",
        "cut off from the other nodes for too long, or they run another version: this one ends, "
        "start it again",
        LOG_INT("node", nodes_self(cl->nodes)));
    kill(getpid(), SIGTERM);
}

/* ---- the whole ---- */

struct cluster *cluster_new(struct central *c)
{
    struct store_nodes *nodes = store_nodes(c->store);
    struct cluster *cl;

    if (!nodes)
        return NULL;
    cl = must_cluster(calloc(1, sizeof *cl));
    cl->c = c;
    cl->nodes = nodes;
    world_share(c->world);
    nodes_owners(nodes, note_owner, cl);
    return cl;
}

void cluster_start(struct cluster *cl)
{
    nodes_watch(cl->nodes, &(struct nodes_handler){ .ctx = cl,
                                                    .changed = on_changed,
                                                    .taken = cluster_taken,
                                                    .lost = cluster_lost,
                                                    .orphan = cluster_orphan,
                                                    .cut_off = on_cut_off });
}

static void free_items(struct map *m)
{
    for (size_t i = 0; m->slots && i <= m->mask; i++)
        free(m->slots[i].item);
    map_clear(m);
}

void cluster_free(struct cluster *cl)
{
    if (!cl)
        return;
    while (cl->held) {
        struct held *next = cl->held->next;

        free(cl->held);
        cl->held = next;
    }
    while (cl->claims) {
        struct claim *next = cl->claims->next;

        free(cl->claims);
        cl->claims = next;
    }
    free_items(&cl->owners);
    free_items(&cl->dirty);
    free(cl);
}

static void on_more(void *ctx, int rc, int64_t first)
{
    struct cluster *cl = ctx;

    cl->asking = false;
    if (rc == 0)
        world_more_transactions(cl->c->world, first, first + NODES_TRANSACTIONS);
}

void cluster_tick(struct cluster *cl)
{
    if (!cl->asking && world_transactions_left(cl->c->world) <= NODES_TRANSACTIONS) {
        cl->asking = true;
        nodes_more_transactions(cl->nodes, on_more, cl);
    }
}

bool cluster_leads(const struct cluster *cl)
{
    return nodes_lead(cl->nodes);
}

uint64_t cluster_refusals(const struct cluster *cl)
{
    return cl->refusals;
}

struct store_nodes *cluster_nodes(const struct cluster *cl)
{
    return cl->nodes;
}

int64_t cluster_elsewhere(const struct cluster *cl, const struct charger *ch,
                          struct node_info *where)
{
    const struct owner *o = cluster_owner(cl, charger_fact(ch)->key);
    struct node_info list[64];
    size_t n = nodes_list(cl->nodes, list, AMP_COUNT(list));

    if (!o || o->ours || !charger_reachable(ch))
        return 0;
    for (size_t i = 0; i < n && i < AMP_COUNT(list); i++)
        if (list[i].number == o->node && list[i].alive && o->node != nodes_self(cl->nodes)) {
            *where = list[i];
            return o->node;
        }
    return 0;
}

size_t cluster_stations(const struct cluster *cl, int64_t node)
{
    size_t count = 0;

    for (size_t i = 0; i < world_charger_count(cl->c->world); i++) {
        const struct charger *ch = world_charger_at(cl->c->world, i);
        const struct owner *o = cluster_owner(cl, charger_fact(ch)->key);

        count += o && o->node == node && (charger_session(ch) || charger_reachable(ch));
    }
    return count;
}
