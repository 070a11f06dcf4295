/* central/central.c - the wiring: who is opened after whom, which connection is whose, and how it
 * all ends. */
#include "central/central.h"
#include "central/balance.h"
#include "central/cluster.h"
#include "central/counts.h"
#include "central/datadir.h"
#include "central/doctor.h"
#include "central/domain/reservation.h"
#include "central/domain/shared.h"
#include "central/log.h"
#include "central/pki/certificates.h"
#include "central/pki/issue.h"
#include "central/proxy.h"
#include "central/redis.h"
#include "central/relay.h"
#include "central/rest/batches.h"
#include "central/rest/files.h"
#include "central/rest/live.h"
#include "central/rest/people.h"
#include "central/rest/rest.h"
#include "central/retention.h"
#include "central/v16/v16.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#define TICK_MS       1000
#define GRACE_MS      3000 /* for stations to answer a close frame at shutdown */
#define PONG_S        20
#define ARENA_MIN     (1u << 20)
#define DATABASE_NAME "amperstand.db"

/* net_tag: whose connection it is. */
enum { OWNER_REST, OWNER_V16 };

struct central_inside {
    struct relay *relay;
    uv_timer_t tick;
    int lock; /* of the data folder */
    bool ticking, stopping;
    void (*done)(void *ctx);
    void *done_ctx;
};

static int64_t system_ms(void)
{
    struct timeval t;

    gettimeofday(&t, NULL);
    return (int64_t)t.tv_sec * 1000 + t.tv_usec / 1000;
}

/* ---- facts ---- */

void central_emit(struct central *c, const struct fact *f)
{
    int64_t epoch;

    if (!c->store)
        return; /* the end: what is still said has nowhere to go */
    epoch = c->cluster ? cluster_emit(c->cluster, f) : 0;
    if (epoch < 0)
        return;
    if (f->kind == FACT_COMMAND && c->counts && (unsigned)f->u.command.state < 16)
        c->counts->commands[f->u.command.state]++;
    store_put_owned(c->store, f, epoch);
    relay_put(c->inside->relay, f, epoch);
}

int64_t central_ask(struct central *c, struct charger *ch, const struct command_fact *f, bool wait)
{
    struct amp_fault fault;
    int64_t key;
    int rc = v16_check(c->v16, f->action, f->payload, &fault);

    if (rc < 0)
        return rc;
    key = (wait ? world_command_wait : world_command)(c->world, ch, f, c->now_ms());
    if (key > 0)
        v16_kick(c->v16, ch); /* the frame leaves after the commit of the command */
    return key;
}

bool central_leads(const struct central *c)
{
    return !c->cluster || cluster_leads(c->cluster);
}

static void on_world_fact(void *ctx, const struct fact *f)
{
    struct central *c = ctx;

    central_emit(c, f);
    if (c->balance)
        balance_saw(c->balance, f);
}

void central_apply(struct central *c, const struct fact *f)
{
    switch (f->kind) {
    case FACT_USER:
    case FACT_LOGIN:
    case FACT_API_KEY:
        people_apply(c->people, f);
        return;
    case FACT_LOAD_GROUP:
    case FACT_LOAD_MEMBER:
    case FACT_LOAD_POINT:
        loads_apply(c->loads, f);
        return;
    case FACT_CERTIFICATE:
        certificates_apply(c->certificates, &f->u.certificate);
        if (c->v16) /* not at the start */
            issue_heard(c->issue, &f->u.certificate);
        return;
    case FACT_FILE:
        files_apply(c->files, &f->u.file);
        return;
    case FACT_BATCH:
        batches_apply(c->batches, &f->u.batch);
        return;
    default:
        (c->cluster ? world_apply_far : world_apply)(c->world, f);
        live_load(c->live, f);
        if (c->cluster && c->rest) /* not at the start, whose facts are old */
            balance_saw(c->balance, f);
        return;
    }
}

/* The store's replay. */
static void on_loaded(void *ctx, const struct fact *f)
{
    central_apply(ctx, f);
}

/* ---- connections ---- */

/* "/ocpp" and everything below it; "/ocpp1" is something else. */
static bool for_stations(struct amp_text path)
{
    static const struct amp_text base = { "/ocpp", 5 };

    return path.len >= base.len && !memcmp(path.at, base.at, base.len) &&
           (path.len == base.len || path.at[base.len] == '/');
}

void central_request(struct central *c, const struct net_request *r)
{
    if (for_stations(r->head->path)) {
        net_set_tag(r->conn, OWNER_V16);
        v16_upgrade(c->v16, r);
    } else {
        net_set_tag(r->conn, OWNER_REST);
        rest_request(c->rest, r);
    }
}

static void on_request(void *ctx, const struct net_request *r)
{
    central_request(ctx, r);
}

static bool on_head(void *ctx, const struct amp_http_head *head)
{
    (void)ctx;
    return !for_stations(head->path) && rest_takes_pieces(head);
}

static void on_body(void *ctx, struct net_conn *conn, struct amp_text piece, bool last)
{
    struct central *c = ctx;

    rest_piece(c->rest, conn, piece, last);
}

static void on_message(void *ctx, struct net_conn *conn, enum amp_ws_opcode op,
                       struct amp_text data)
{
    struct central *c = ctx;

    if (net_tag(conn) == OWNER_V16)
        v16_message(c->v16, conn, op, data);
    else
        rest_message(c->rest, conn, op, data);
}

/* Ends that somebody caused by breaking a rule are counted and said; a mobile link that breaks is
 * daily life. */
static void log_closed(struct central *c, const struct net_conn *conn, int code, const char *why)
{
    switch (code) {
    case AMP_WS_BROKEN:
    case AMP_WS_UNUSABLE:
    case AMP_WS_NOT_UTF8:
    case AMP_WS_POLICY:
    case AMP_WS_TOO_BIG:
        LOG_OFTEN(c->log, LOG_WARN, "net", "websocket closed for breaking a rule",
                  LOG_STR("peer", net_peer(conn)), LOG_INT("code", code), LOG_STR("why", why));
        return;
    case AMP_WS_LOST:
        LOG_OFTEN(c->log, LOG_INFO, "net", "websocket lost", LOG_STR("peer", net_peer(conn)),
                  LOG_STR("why", why));
        return;
    default:
        LOG(c->log, LOG_DEBUG, "net", "websocket closed", LOG_STR("peer", net_peer(conn)),
            LOG_INT("code", code), LOG_STR("why", why));
        return;
    }
}

static void on_closed(void *ctx, struct net_conn *conn, int code, const char *why)
{
    struct central *c = ctx;

    log_closed(c, conn, code, why);
    if (net_tag(conn) == OWNER_V16)
        v16_closed(c->v16, conn, code, why);
    else
        rest_closed(c->rest, conn, code, why);
}

static void on_gone(void *ctx, struct net_conn *conn)
{
    struct central *c = ctx;

    rest_gone(c->rest, conn);
    if (c->cluster)
        cluster_gone(c->cluster, conn);
}

static void on_writable(void *ctx, struct net_conn *conn)
{
    struct central *c = ctx;

    rest_writable(c->rest, conn);
}

static void on_refused(void *ctx, const struct net_refusal *r)
{
    struct central *c = ctx;

    if (!*r->address) /* nobody's fault: certificates that cannot be read again */
        LOG(c->log, LOG_ERROR, "net", "certificates not read again; the old ones stay",
            LOG_STR("why", r->why));
    else
        doctor_refused(c->doctor, refusal_of_net(r->why, r->status, r->tls),
                       &(struct doctor_case){ .name = amp_text_of(r->name),
                                              .address = r->address,
                                              .detail = r->why,
                                              .code = r->status });
}

/* ---- time ---- */

static void on_tick(uv_timer_t *timer)
{
    struct central *c = timer->data;

    v16_tick(c->v16);
    batches_tick(c->batches);
    balance_tick(c->balance);
    relay_tick(c->inside->relay);
    doctor_tick(c->doctor);
    if (c->cluster)
        cluster_tick(c->cluster);
    if (c->redis)
        redis_tick(c->redis);
    issue_tick(c->issue);
    log_tick(c->log);
    retention_tick(c->retention);
}

/* ---- opening ---- */

static int open_store(struct central *c, char **why)
{
    const struct settings *s = &c->settings;
    char *path = *s->database ? strdup(s->database) : datadir_path(s->data, DATABASE_NAME);
    struct store_config config = {
        .database = path,
        .commit_ms = (uint32_t)s->commit_ms,
        .node = s->node_id,
        .address = *s->node_address ? s->node_address : s->listen,
    };

    c->store = store_open(c->loop, &config, why);
    free(path);
    return c->store ? 0 : AMP_E_IO;
}

static int load(struct central *c, char **why)
{
    struct store_keys keys;

    if (store_load(c->store, on_loaded, c) < 0) {
        *why = strdup("cannot read the database at the start; the log says what is wrong with it");
        return AMP_E_IO;
    }
    store_next_keys(c->store, &keys);
    world_set_keys(c->world, keys.charger, keys.transaction, keys.command);
    world_set_reservation_key(c->world, keys.reservation);
    world_more_transactions(c->world, keys.transaction, keys.transaction_end);
    people_set_keys(c->people, keys.user, keys.api_key);
    files_set_key(c->files, keys.file);
    batches_set_key(c->batches, keys.batch);
    return 0;
}

static int open_net(struct central *c, char **why)
{
    const struct settings *s = &c->settings;
    char *cert = NULL, *cert2 = NULL, *ca = NULL; /* of our own making */
    struct net_config config = {
        .listen = s->listen,
        .max_connections = (uint32_t)s->max_connections,
        .max_message = (uint32_t)s->max_message,
        .max_body = (uint32_t)s->max_message,
        .ping_s = (uint32_t)s->ping_s,
        .pong_s = PONG_S,
        .tls_listen = s->tls_listen,
        .tls_strict = s->tls_client_listen,
        .tls = { .cert = { s->tls_cert, s->tls_cert2 },
                 .key = { s->tls_key, s->tls_key2 },
                 .client_ca = { s->tls_client_ca },
                 .client_crl = s->tls_client_crl,
                 .no_plain_rsa = !s->tls_plain_rsa,
                 .no_client = !s->tls_ask },
    };
    const struct net_handler handler = {
        .ctx = c,
        .on_request = on_request,
        .on_head = on_head,
        .on_body = on_body,
        .on_message = on_message,
        .on_closed = on_closed,
        .on_gone = on_gone,
        .on_refused = on_refused,
        .on_writable = on_writable,
    };
    char *what = NULL, text[768];

    if (issue_open(c->issue, &cert, &cert2, &ca, why) < 0)
        return AMP_E_IO;
    if (cert) {
        config.tls.cert[0] = cert, config.tls.cert[1] = cert2;
        config.tls.key[0] = config.tls.key[1] = NULL;
    }
    config.tls.client_ca[1] = ca;
    c->net = net_open(c->loop, &config, &handler, &what);
    free(cert), free(cert2), free(ca);
    if (c->net)
        return 0;
    if (what && strncmp(what, "cannot listen", 13) != 0)
        snprintf(text, sizeof text, "%s", what);
    else
        snprintf(
            text, sizeof text,
            "%s; stop the other program that uses it, or choose another with --listen HOST:PORT",
            what ? what : "cannot listen");
    *why = strdup(text);
    free(what);
    return AMP_E_ABSENT;
}

static void start_ticking(struct central *c)
{
    uv_timer_init(c->loop, &c->inside->tick);
    c->inside->tick.data = c;
    c->inside->ticking = true;
    uv_timer_start(&c->inside->tick, on_tick, TICK_MS, TICK_MS);
}

int central_open(struct central *c, uv_loop_t *loop, const struct settings *settings, char **why)
{
    struct world_config world = {
        .heartbeat_s = (int32_t)settings->heartbeat_s,
        .stale_after_s = (int32_t)settings->stale_after_s,
        .silent_after_s = (int32_t)settings->silent_after_s,
        .offline_after_s = (int32_t)settings->offline_after_s,
        .accept_unknown = settings->accept_unknown,
        .accept_unknown_tags = settings->accept_unknown_tags,
    };
    size_t arena = (size_t)settings->max_message * 4;
    int rc;

    c->loop = loop;
    settings_copy(&c->settings, settings);
    if (!c->now_ms)
        c->now_ms = system_ms;
    c->started_ms = c->now_ms();
    c->inside = calloc(1, sizeof *c->inside);
    c->counts = counts_new();
    if (arena < ARENA_MIN)
        arena = ARENA_MIN;
    amp_arena_init(&c->arena, malloc(arena), arena);
    if (!c->inside || !c->arena.at)
        abort();
    c->inside->lock = -1;
    c->proxies = proxies_new(c->settings.trusted_proxies, why);
    rc = c->proxies ? 0 : AMP_E_VALUE;
    if (rc < 0)
        goto out;
    rc = c->inside->lock = datadir_open(c->settings.data, why);
    if (rc < 0)
        goto out;
    rc = open_store(c, why);
    if (rc < 0)
        goto out;
    c->inside->relay = relay_new(c);
    c->world = world_new(&world, on_world_fact, c);
    c->balance = balance_new(c);
    c->doctor = doctor_new(c);
    c->certificates = certificates_new(c);
    c->issue = issue_new(c);
    c->people = people_new(c);
    c->files = files_new(c);
    c->batches = batches_new(c);
    c->live = live_new(c);
    c->cluster = cluster_new(c);
    rc = load(c, why);
    if (rc == 0)
        rc = files_open(c->files, why);
    if (rc < 0)
        goto out;
    c->v16 = v16_new(c);
    c->rest = rest_new(c);
    c->retention = retention_new(c);
    if (*c->settings.redis) {
        c->redis = redis_new(c, c->settings.redis, why);
        rc = c->redis ? 0 : AMP_E_VALUE;
        if (rc < 0)
            goto out;
    }
    if (c->cluster)
        cluster_start(c->cluster);
    rc = open_net(c, why);
    if (rc < 0)
        goto out;
    start_ticking(c);
out:
    if (rc < 0)
        central_close(c);
    return rc < 0 ? rc : 0;
}

void central_reload(struct central *c)
{
    char *why = NULL;

    if (net_reload(c->net, &why) < 0)
        LOG(c->log, LOG_ERROR, "net", "certificates not read again; the old ones stay",
            LOG_STR("why", why));
    else if (net_tls_address(c->net))
        log_say(c->log, LOG_INFO, "net", "certificates read again");
    free(why);
}

/* ---- the end ---- */

static void on_last_commit(void *ctx, int rc)
{
    struct central *c = ctx;

    if (rc < 0)
        LOG(c->log, LOG_ERROR, "store", "the last facts are not on disk",
            LOG_STR("why", amp_err_text(rc)));
    c->inside->done(c->inside->done_ctx);
}

static void on_net_gone(void *ctx)
{
    struct central *c = ctx;

    relay_flush(c->inside->relay);
    store_after(c->store, on_last_commit, c);
}

void central_stop(struct central *c, void (*done)(void *ctx), void *ctx)
{
    if (c->inside->stopping)
        return;
    c->inside->stopping = true;
    c->inside->done = done;
    c->inside->done_ctx = ctx;
    net_shutdown(c->net, GRACE_MS, on_net_gone, c);
}

static void on_tick_closed(uv_handle_t *h)
{
    free(h->data);
}

/* Backwards. The store goes before those whose callbacks it calls one last time. */
void central_close(struct central *c)
{
    struct central_inside *inside = c->inside;

    net_free(c->net);
    c->net = NULL;
    store_close(c->store);
    c->store = NULL;
    redis_free(c->redis);
    c->redis = NULL;
    cluster_free(c->cluster);
    c->cluster = NULL;
    if (inside->relay)
        relay_free(inside->relay);
    if (c->rest)
        rest_free(c->rest);
    if (c->v16)
        v16_free(c->v16);
    if (c->live)
        live_free(c->live);
    if (c->people)
        people_free(c->people);
    files_free(c->files);
    batches_free(c->batches);
    c->files = NULL, c->batches = NULL;
    balance_free(c->balance);
    if (c->world)
        world_free(c->world);
    retention_free(c->retention);
    c->retention = NULL;
    doctor_free(c->doctor);
    issue_free(c->issue);
    certificates_free(c->certificates);
    proxies_free(c->proxies);
    c->doctor = NULL, c->issue = NULL, c->certificates = NULL, c->proxies = NULL;
    c->rest = NULL, c->v16 = NULL, c->live = NULL, c->people = NULL, c->world = NULL;
    c->balance = NULL;
    datadir_close(inside->lock);
    free(c->arena.at);
    counts_free(c->counts);
    c->counts = NULL;
    settings_free(&c->settings);
    c->inside = NULL;
    if (inside->ticking) {
        inside->tick.data = inside;
        uv_close((uv_handle_t *)&inside->tick, on_tick_closed);
    } else {
        free(inside);
    }
}
