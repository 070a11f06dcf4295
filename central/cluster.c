/* central/cluster.c - one node of several: see cluster.h. Everything here is on the loop thread. */
#include "central/cluster.h"
#include "central/balance.h"
#include "central/domain/map.h"
#include "central/domain/shared.h"
#include "central/forward.h"
#include "central/held.h"
#include "central/log.h"
#include "central/rest/live.h"
#include "central/rest/rest.h"
#include "central/store/wire.h"
#include "central/v16/v16.h"
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* A command that the former owner had not sent is sent by the next one, if it is not older. */
#define YOUNG_MS 60000

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

/* A station that is being taken, or read again. */
struct taking {
    struct cluster *cl;
    uint32_t len;
    char identity[];
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

static struct owner *owner_of(const struct cluster *cl, int64_t charger)
{
    return map_get(&cl->owners, map_hash_int(charger), same_charger, &charger);
}

static struct owner *owner_make(struct cluster *cl, int64_t charger)
{
    struct owner *o = owner_of(cl, charger);

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
    struct owner *o = owner_make(ctx, charger);

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
    o = owner_of(cl, station);
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
    const struct owner *o = epoch > 0 ? owner_of(cl, wire_station(f)) : NULL;

    return o && o->refused >= epoch;
}

/* ---- losing a station ---- */

static void on_read(void *ctx, int rc, const struct nodes_taken *t)
{
    struct cluster *cl = ctx;
    const struct owner *o = owner_of(cl, t->charger);

    if (rc < 0 || (o && o->ours))
        return; /* the feed tells what changes from now on */
    for (size_t i = 0; i < t->count; i++) {
        world_apply_far(cl->c->world, t->facts[i]);
        live_load(cl->c->live, t->facts[i]);
    }
}

/* It belongs to another node: our socket ends, and what we thought of it is forgotten, as the
 * database may have refused some of it. */
static void lose(struct cluster *cl, struct owner *o)
{
    struct central *c = cl->c;
    struct charger *ch = world_charger_by_key(c->world, o->charger);

    o->ours = false;
    if (!ch)
        return;
    LOG(c->log, LOG_INFO, "nodes", "station moved to another node",
        LOG_TEXT("charger", charger_fact(ch)->id), LOG_INT("node", o->node));
    v16_lost(c->v16, ch, "replaced by a newer connection");
    (void)world_disown(c->world, ch);
    world_forget(c->world, ch);
    nodes_read(cl->nodes, o->charger, on_read, cl);
}

static void on_taken(void *ctx, int64_t charger, int64_t node, int64_t epoch)
{
    struct cluster *cl = ctx;
    struct owner *o = owner_make(cl, charger);

    if (epoch <= o->epoch)
        return;
    o->epoch = epoch;
    o->node = node;
    if (o->ours && node != nodes_self(cl->nodes))
        lose(cl, o);
}

static void on_lost(void *ctx, int64_t charger, int64_t epoch)
{
    struct cluster *cl = ctx;
    struct owner *o = owner_make(cl, charger);

    cl->refusals++;
    if (epoch > o->refused)
        o->refused = epoch;
    if (o->ours && o->epoch == epoch)
        lose(cl, o); /* who has it now is told by the feed */
}

/* ---- taking a station ---- */

static void answer_away(struct cluster *cl, struct held *h)
{
    static const char why[] = "the database does not answer: try again\n";

    LOG_OFTEN(cl->c->log, LOG_ERROR, "nodes", "a station could not be taken",
              LOG_TEXT("identity", h->name));
    if (h->request.conn)
        net_respond(h->request.conn, 503, "text/plain; charset=utf-8", "Retry-After: 5\r\n", why,
                    sizeof why - 1);
}

/* What the database has of it; what our own memory had may be old. */
static void rebuild(struct cluster *cl, struct amp_text identity, const struct nodes_taken *t,
                    int64_t young_ms)
{
    struct central *c = cl->c;
    struct charger *ch = world_charger_by_key(c->world, t->charger);

    if (ch) {
        world_set_far(c->world, ch, false);
        world_forget(c->world, ch);
    }
    for (size_t i = 0; i < t->count; i++) {
        world_apply(c->world, t->facts[i]);
        live_load(c->live, t->facts[i]);
    }
    ch = world_charger_by_key(c->world, t->charger);
    if (!ch) { /* never met; or all that was said of it was never acknowledged */
        world_expect(c->world, identity, t->charger);
        return;
    }
    world_settle_one(c->world, ch, young_ms, c->now_ms());
    for (size_t i = 0; i < t->count; i++) /* whoever waits here for a command's end hears of it */
        if (t->facts[i]->kind == FACT_COMMAND) {
            const struct command_fact *k = world_command_get(c->world, t->facts[i]->u.command.key);

            rest_command_changed(c->rest, k ? k : &t->facts[i]->u.command);
        }
}

static void on_have(void *ctx, int rc, const struct nodes_taken *t)
{
    struct taking *taking = ctx;
    struct cluster *cl = taking->cl;
    struct amp_text identity = { taking->identity, taking->len };
    struct held *list = held_take(&cl->held, identity), *next;
    struct owner *o = rc == 0 && t->epoch ? owner_make(cl, t->charger) : NULL;

    if (o && t->epoch >= o->epoch) {
        o->epoch = t->epoch;
        o->node = nodes_self(cl->nodes);
        o->ours = true;
        rebuild(cl, identity, t, list ? YOUNG_MS : 0);
    }
    for (; list; list = next) {
        next = list->next;
        if (rc < 0)
            answer_away(cl, list);
        else if (list->request.conn)
            central_request(cl->c, &list->request); /* if somebody was faster: once more */
        free(list);
    }
    free(taking);
}

/* `only`: as for nodes_take. */
static void take(struct cluster *cl, struct amp_text identity, int64_t only)
{
    struct charger *ch = world_charger(cl->c->world, identity);
    int64_t key = ch ? charger_fact(ch)->key : world_spare_charger_key(cl->c->world);
    struct taking *taking = malloc(sizeof *taking + identity.len);

    if (!taking)
        abort();
    taking->cl = cl;
    taking->len = identity.len;
    memcpy(taking->identity, identity.at, identity.len);
    nodes_take(cl->nodes, identity, key, only, on_have, taking);
}

static bool ours(const struct cluster *cl, struct amp_text identity)
{
    struct charger *ch = world_charger(cl->c->world, identity);
    int64_t key = ch ? charger_fact(ch)->key : world_expected(cl->c->world, identity);
    const struct owner *o = key ? owner_of(cl, key) : NULL;

    return o && o->ours;
}

bool cluster_admit(struct cluster *cl, const struct net_request *r, struct amp_text identity)
{
    struct held *h, **end = &cl->held;
    bool first = true;

    if (ours(cl, identity))
        return true;
    h = held_new(r, identity);
    for (; *end; end = &(*end)->next)
        first = first && !amp_text_eqi((*end)->name, identity);
    *end = h;
    if (first)
        take(cl, identity, -1);
    return false;
}

static void on_orphan(void *ctx, int64_t charger, struct amp_text identity, int64_t epoch)
{
    struct cluster *cl = ctx;
    const struct owner *o = owner_of(cl, charger);

    if (o && o->ours)
        return;
    for (const struct held *h = cl->held; h; h = h->next)
        if (amp_text_eqi(h->name, identity))
            return; /* it is on its way here */
    take(cl, identity, epoch);
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
            answer_away(k->cl, list);
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
    const struct owner *o = station ? owner_of(cl, station) : NULL;

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
                                                    .taken = on_taken,
                                                    .lost = on_lost,
                                                    .orphan = on_orphan,
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
    const struct owner *o = owner_of(cl, charger_fact(ch)->key);
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
        const struct owner *o = owner_of(cl, charger_fact(ch)->key);

        count += o && o->node == node && (charger_session(ch) || charger_reachable(ch));
    }
    return count;
}
