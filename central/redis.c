/* central/redis.c - see redis.h. Two connections: one subscribes, the other says. */
#include "central/redis.h"
#include "central/cluster.h"
#include "central/log.h"
#include "central/redis_link.h"
#include "central/rest/live.h"
#include "central/rest/shapes.h"
#include "central/store/wire.h"
#include <stdio.h>
#include <stdlib.h>

#define REFRESH     30   /* each second a thirtieth of the stations */
#define PAYLOAD_MAX 8192 /* a longer payload is not shown live */
#define ENDED_KEPT  1024

struct redis {
    struct central *c;
    struct redis_address address;
    struct redis_link say, hear;
    char prefix[32], live[48], events[48];
    struct amp_buf out, json; /* facts of this turn; one event */
    struct redis_stats stats;
    bool was_connected;
    size_t next;               /* station whose presence is refreshed next */
    int64_t ended[ENDED_KEPT]; /* transactions whose end was told */
    int64_t begun[ENDED_KEPT]; /* and whose beginning was */
    size_t ended_at, begun_at;
};

static bool grow(struct amp_buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : 4096;

    while (cap < need)
        cap *= 2;
    b->at = realloc(b->at, cap);
    if (!b->at)
        abort();
    b->cap = cap;
    return true;
}

static void say(struct redis *r, int argc, const char **argv, const size_t *lens)
{
    if (redis_link_send(&r->say, argc, argv, lens))
        r->stats.sent++;
    else
        r->stats.dropped++;
}

/* Our name; a central system that is alone has none. */
static const char *self(const struct redis *r)
{
    return *r->c->settings.node_id ? r->c->settings.node_id : "alone";
}

/* ---- presence ---- */

static void put_presence(struct redis *r, struct amp_text identity, bool here)
{
    char key[256], seconds[12];
    const char *set[] = { "SET", key, self(r), "EX", seconds }, *del[] = { "DEL", key };
    size_t lens[5] = { 3, 0, strlen(self(r)), 2, 0 };

    lens[1] = (size_t)snprintf(key, sizeof key, "%s:presence:%.*s", r->prefix, AMP_FMT(identity));
    lens[4] = (size_t)snprintf(seconds, sizeof seconds, "%d", REDIS_PRESENCE_S);
    if (lens[1] < sizeof key)
        say(r, here ? 5 : 2, here ? set : del, lens);
}

static void refresh(struct redis *r)
{
    struct world *w = r->c->world;
    size_t count = world_charger_count(w), slice = count / REFRESH + 1;

    for (size_t i = 0; i < slice && i < count; i++) {
        const struct charger *ch = world_charger_at(w, r->next++ % count);

        if (charger_session(ch))
            put_presence(r, charger_fact(ch)->id, true);
    }
}

static void put_node(struct redis *r)
{
    const struct settings *s = &r->c->settings;
    const char *address = *s->node_address ? s->node_address : s->listen;
    char key[160];
    const char *argv[] = { "SET", key, address, "EX", "10" };
    size_t lens[] = { 3, 0, strlen(address), 2, 2 };

    lens[1] = (size_t)snprintf(key, sizeof key, "%s:node:%s", r->prefix, self(r));
    if (lens[1] < sizeof key)
        say(r, 5, argv, lens);
}

/* ---- the stream of domain events ---- */

static bool told(int64_t *list, size_t *at, int64_t key)
{
    for (size_t i = 0; i < ENDED_KEPT; i++)
        if (list[i] == key)
            return true;
    list[(*at)++ % ENDED_KEPT] = key;
    return false;
}

/* A transaction is told when it begins and when it ends, and again when its end is corrected by a
 * person or a late message only if that is long ago. */
static const char *transaction_event(struct redis *r, const struct transaction_fact *f)
{
    if (f->state >= TX_STOPPED)
        return told(r->ended, &r->ended_at, f->key) ? NULL : "transaction.ended";
    if (f->last_ms != f->start_ms || f->last_wh != f->meter_start_wh)
        return NULL; /* it runs, since before our time perhaps */
    return told(r->begun, &r->begun_at, f->key) ? NULL : "transaction.started";
}

static const char *event_of(struct redis *r, const struct fact *f, char block[48])
{
    static const char *const connection[] = {
        [CONNECTION_OPENED] = "charger.connected",
        [CONNECTION_WENT_STALE] = "charger.stale",
        [CONNECTION_CLOSED] = "charger.disconnected",
    };

    switch (f->kind) {
    case FACT_TRANSACTION:
        return transaction_event(r, &f->u.transaction);
    case FACT_CONNECTION:
        return f->u.connection.event > 0 && f->u.connection.event <= CONNECTION_CLOSED
                   ? connection[f->u.connection.event]
                   : NULL;
    case FACT_CONNECTOR:
        return "connector.status";
    case FACT_COMMAND:
        snprintf(block, 48, "command.%s", command_state_name(f->u.command.state));
        for (char *p = block; *p; p++)
            *p = *p == ' ' ? '-' : *p;
        return block;
    default:
        return NULL;
    }
}

static void put_data(struct redis *r, const struct fact *f)
{
    struct amp_json w;

    amp_buf_reset(&r->json);
    amp_json_init(&w, &r->json);
    switch (f->kind) {
    case FACT_TRANSACTION:
        shape_transaction(&w, r->c, &f->u.transaction, NULL);
        break;
    case FACT_CONNECTOR:
        shape_connector_fact(&w, r->c, &f->u.connector, r->c->now_ms());
        break;
    case FACT_COMMAND:
        shape_command(&w, r->c, &f->u.command);
        break;
    default:
        amp_json_open(&w, '{');
        shape_text(&w, "address", f->u.connection.address);
        shape_text(&w, "reason", f->u.connection.reason);
        amp_json_close(&w, '}');
        break;
    }
}

static void put_event(struct redis *r, const struct fact *f)
{
    char block[48], at[24], max[24];
    const char *type = event_of(r, f, block);
    struct charger *ch = type ? world_charger_by_key(r->c->world, wire_station(f)) : NULL;
    struct amp_text id = ch ? charger_fact(ch)->id : AMP_TEXT("");
    const char *argv[] = { "XADD", r->events, "MAXLEN", "~",     max,       "*",   "type", type,
                           "at",   at,        "node",   self(r), "charger", id.at, "data", NULL };
    size_t lens[AMP_COUNT(argv)];

    if (!type)
        return;
    put_data(r, f);
    snprintf(at, sizeof at, "%lld", (long long)r->c->now_ms());
    snprintf(max, sizeof max, "%d", REDIS_EVENTS_MAX);
    for (size_t i = 0; i + 1 < AMP_COUNT(argv); i++)
        lens[i] = i == 13 ? id.len : strlen(argv[i]);
    argv[15] = r->json.at;
    lens[15] = r->json.len;
    say(r, (int)AMP_COUNT(argv), argv, lens);
}

/* ---- live events between nodes ---- */

void redis_publish(struct redis *r, const struct fact *f)
{
    if (!r->say.connected) {
        r->stats.dropped++;
        return;
    }
    put_event(r, f);
    if (f->kind == FACT_CONNECTION && f->u.connection.charger) {
        if (f->u.connection.event == CONNECTION_OPENED)
            put_presence(r, f->u.connection.id, true);
        else if (f->u.connection.event == CONNECTION_CLOSED)
            put_presence(r, f->u.connection.id, false);
    }
    if (!r->c->cluster ||
        (f->kind != FACT_MESSAGE && f->kind != FACT_READING && f->kind != FACT_CONNECTION))
        return; /* the present goes by the database */
    if (f->kind == FACT_MESSAGE && f->u.message.payload.len > PAYLOAD_MAX)
        return;
    if (!r->out.len) {
        char head[48];

        snprintf(head, sizeof head, "%d %lld ", wire_version(),
                 (long long)nodes_self(cluster_nodes(r->c->cluster)));
        amp_buf_puts(&r->out, head);
    }
    wire_put(&r->out, f);
}

void redis_flush(struct redis *r)
{
    const char *argv[] = { "PUBLISH", r->live, r->out.at };
    const size_t lens[] = { 7, strlen(r->live), r->out.len };

    if (r->out.len)
        say(r, 3, argv, lens);
    amp_buf_reset(&r->out);
}

/* "VERSION NODE " and the facts behind it. */
static void take(struct redis *r, struct amp_text in)
{
    int64_t head[2];
    struct fact f;

    for (int i = 0; i < 2; i++) {
        const char *blank = memchr(in.at, ' ', in.len);

        if (!blank ||
            amp_text_int((struct amp_text){ in.at, (uint32_t)(blank - in.at) }, &head[i]) < 0)
            return;
        in.len -= (uint32_t)(blank + 1 - in.at);
        in.at = blank + 1;
    }
    if (head[0] != wire_version() || head[1] == nodes_self(cluster_nodes(r->c->cluster)))
        return;
    while (wire_get(&in, &f)) {
        r->stats.received++;
        if (f.kind == FACT_MESSAGE || f.kind == FACT_READING || f.kind == FACT_CONNECTION)
            live_publish(r->c->live, &f);
    }
}

static void on_heard(redisAsyncContext *context, void *reply, void *data)
{
    const redisReply *a = reply;
    struct redis_link *l = data;

    if (!context->data || !a || a->type != REDIS_REPLY_ARRAY || a->elements != 3 ||
        a->element[2]->type != REDIS_REPLY_STRING)
        return;
    take(l->ctx, (struct amp_text){ a->element[2]->str, (uint32_t)a->element[2]->len });
}

static void on_hears(void *ctx)
{
    struct redis *r = ctx;
    const char *argv[] = { "SUBSCRIBE", r->live };
    const size_t lens[] = { 9, strlen(r->live) };

    (void)redis_link_ask(&r->hear, on_heard, 2, argv, lens);
}

static void on_says(void *ctx)
{
    struct redis *r = ctx;

    LOG(r->c->log, LOG_INFO, "redis", "connected", LOG_STR("host", r->address.host),
        LOG_INT("port", r->address.port));
    put_node(r);
    for (size_t i = 0; i < world_charger_count(r->c->world); i++) {
        const struct charger *ch = world_charger_at(r->c->world, i);

        if (charger_session(ch))
            put_presence(r, charger_fact(ch)->id, true);
    }
}

/* ---- the whole ---- */

void redis_tick(struct redis *r)
{
    redis_link_tick(&r->say);
    if (r->c->cluster)
        redis_link_tick(&r->hear);
    if (r->was_connected && !r->say.connected)
        LOG(r->c->log, LOG_WARN, "redis", "lost; live messages of other nodes are missing",
            LOG_STR("host", r->address.host), LOG_INT("port", r->address.port));
    r->was_connected = r->say.connected;
    if (!r->say.connected)
        return;
    put_node(r);
    refresh(r);
}

struct redis *redis_new(struct central *c, const char *url, char **why)
{
    struct redis *r = calloc(1, sizeof *r);

    if (!r)
        abort();
    if (!redis_address_of(url, &r->address)) {
        *why = strdup("redis: this is no address of a Redis; give "
                      "redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]");
        free(r);
        return NULL;
    }
    r->c = c;
    r->out.grow = r->json.grow = grow;
    r->say = (struct redis_link){
        .loop = c->loop, .address = &r->address, .on_connected = on_says, .ctx = r
    };
    r->hear = r->say;
    r->hear.on_connected = on_hears;
    if (r->address.database)
        snprintf(r->prefix, sizeof r->prefix, "amperstand:%d", r->address.database);
    else
        snprintf(r->prefix, sizeof r->prefix, "amperstand");
    snprintf(r->live, sizeof r->live, "%s:live", r->prefix);
    snprintf(r->events, sizeof r->events, "%s:events", r->prefix);
    redis_tick(r);
    return r;
}

void redis_free(struct redis *r)
{
    if (!r)
        return;
    redis_link_close(&r->say);
    redis_link_close(&r->hear);
    free(r->out.at);
    free(r->json.at);
    free(r);
}

void redis_stats(const struct redis *r, struct redis_stats *out)
{
    *out = r->stats;
    out->connected = r->say.connected;
}
