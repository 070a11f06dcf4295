/* central/cluster_take.c - a station changes hands: it is taken when it dials in here or its node
 * is gone, and read from the database then; it is lost when another node took it. */
#include "central/cluster_inside.h"
#include "central/domain/shared.h"
#include "central/log.h"
#include "central/rest/live.h"
#include "central/rest/rest.h"
#include "central/v16/v16.h"
#include <stdlib.h>

/* A command that the former owner had not sent is sent by the next one, if it is not older. */
#define YOUNG_MS 60000

/* A station that is being taken, or read again. */
struct taking {
    struct cluster *cl;
    uint32_t len;
    char identity[];
};

/* ---- losing a station ---- */

static void on_read(void *ctx, int rc, const struct nodes_taken *t)
{
    struct cluster *cl = ctx;
    const struct owner *o = cluster_owner(cl, t->charger);

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

void cluster_taken(void *ctx, int64_t charger, int64_t node, int64_t epoch)
{
    struct cluster *cl = ctx;
    struct owner *o = cluster_owner_make(cl, charger);

    if (epoch <= o->epoch)
        return;
    o->epoch = epoch;
    o->node = node;
    if (o->ours && node != nodes_self(cl->nodes))
        lose(cl, o);
}

void cluster_lost(void *ctx, int64_t charger, int64_t epoch)
{
    struct cluster *cl = ctx;
    struct owner *o = cluster_owner_make(cl, charger);

    cl->refusals++;
    if (epoch > o->refused)
        o->refused = epoch;
    if (o->ours && o->epoch == epoch)
        lose(cl, o); /* who has it now is told by the feed */
}

/* ---- taking a station ---- */

void cluster_away(struct cluster *cl, struct held *h)
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
    struct owner *o = rc == 0 && t->epoch ? cluster_owner_make(cl, t->charger) : NULL;

    if (o && t->epoch >= o->epoch) {
        o->epoch = t->epoch;
        o->node = nodes_self(cl->nodes);
        o->ours = true;
        rebuild(cl, identity, t, list ? YOUNG_MS : 0);
    }
    for (; list; list = next) {
        next = list->next;
        if (rc < 0)
            cluster_away(cl, list);
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
    const struct owner *o = key ? cluster_owner(cl, key) : NULL;

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

void cluster_orphan(void *ctx, int64_t charger, struct amp_text identity, int64_t epoch)
{
    struct cluster *cl = ctx;
    const struct owner *o = cluster_owner(cl, charger);

    if (o && o->ours)
        return;
    for (const struct held *h = cl->held; h; h = h->next)
        if (amp_text_eqi(h->name, identity))
            return; /* it is on its way here */
    take(cl, identity, epoch);
}
