/* central/rest/stage.h - for tests: the API with a real world and a real store on a temporary file,
 * and a network that is played: requests go in as text, answers are caught. The stations' side is
 * played too. Time is turned by hand. */
#ifndef CENTRAL_REST_STAGE_H
#define CENTRAL_REST_STAGE_H

#include "central/domain/load.h"
#include "central/pki/issue.h"
#include "central/proxy.h"
#include "central/cluster.h"
#include "central/rest/feed.h"
#include "central/rest/rest.h"
#include "ocpp/check.h"
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STAGE_KEY "stage-administrator-key"

/* What a client sees. */
struct net_conn {
    int status; /* 0: no answer yet */
    char type[64], headers[2048];
    char *body;
    size_t len;
    bool upgraded, stream, ended;
    int closed;      /* code that net_close was called with */
    unsigned frames; /* since the last stage_frames_forget */
    char *frame;     /* the newest */
    char *streamed;  /* everything that net_stream_put brought */
};

struct stage {
    struct central c;
    uv_loop_t loop;
    char folder[64];
    struct net_conn conns[8];
    unsigned kicks, drops;
};
static struct stage stage;
static char stage_nothing[] = "";
/* A reader that is slow: after so many bytes net_stream_put says no, until stage_put is set back. */
static size_t stage_room = SIZE_MAX, stage_put, stage_most;
static bool stage_stalled;
static int64_t stage_now_ms = 1767225600000; /* 2026-01-01 */

/* ---- the played network ---- */

static inline char *keep_text(char *old, const void *data, size_t len)
{
    char *copy = realloc(old, len + 1);

    if (!copy)
        abort();
    memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}

void net_respond(struct net_conn *c, int status, const char *type, const char *headers,
                 const void *body, size_t len)
{
    CHECK(!c->status, "one answer to a request");
    c->status = status;
    snprintf(c->type, sizeof c->type, "%s", type ? type : "");
    snprintf(c->headers, sizeof c->headers, "%s", headers);
    c->body = keep_text(c->body, body ? body : "", len);
    c->len = len;
}
void net_stream_begin(struct net_conn *c, int status, const char *type, const char *headers)
{
    c->status = status;
    c->stream = true;
    snprintf(c->type, sizeof c->type, "%s", type);
    snprintf(c->headers, sizeof c->headers, "%s", headers);
}
void net_stream_sized(struct net_conn *c, int status, const char *type, const char *headers,
                      uint64_t length)
{
    (void)length;
    net_stream_begin(c, status, type, headers);
}
void net_body_hold(struct net_conn *c)
{
    (void)c;
}
void net_body_go(struct net_conn *c)
{
    (void)c;
}
const char *net_address(const struct net *n)
{
    (void)n;
    return "127.0.0.1:8180";
}
bool net_stream_put(struct net_conn *c, const void *data, size_t len)
{
    size_t old = c->streamed ? strlen(c->streamed) : 0;

    c->streamed = realloc(c->streamed, old + len + 1);
    if (!c->streamed)
        abort();
    memcpy(c->streamed + old, data, len);
    c->streamed[old + len] = '\0';
    stage_put += len;
    stage_most = stage_put > stage_most && stage_room < SIZE_MAX ? stage_put : stage_most;
    stage_stalled = stage_put >= stage_room;
    return !stage_stalled;
}
void net_stream_end(struct net_conn *c)
{
    c->ended = true;
}
void net_upgrade(struct net_conn *c, const struct amp_http_head *head, struct amp_text protocol)
{
    (void)head, (void)protocol;
    c->status = 101;
    c->upgraded = true;
}
bool net_send(struct net_conn *c, enum amp_ws_opcode op, const void *data, size_t len)
{
    CHECK(op == AMP_WS_TEXT && c->upgraded, "text on a socket");
    c->frames++;
    c->frame = keep_text(c->frame, data, len);
    return true;
}
void net_close(struct net_conn *c, int code, const char *why)
{
    (void)why;
    c->closed = code;
}
const char *net_peer(const struct net_conn *c)
{
    (void)c;
    return "192.0.2.7:5123";
}
bool net_secure(const struct net_conn *c)
{
    (void)c;
    return false;
}
void net_stats(const struct net *n, struct net_stats *out)
{
    (void)n;
    *out = (struct net_stats){ .accepted = 3, .open = 2 };
}

/* ---- the other nodes: there are none, so nobody calls these ---- */

bool cluster_admit(struct cluster *cl, const struct net_request *r, struct amp_text identity)
{
    (void)cl, (void)r, (void)identity;
    return true;
}
bool cluster_claim(struct cluster *cl, const struct net_request *r, enum fact_kind kind,
                   struct amp_text name, int64_t key, int64_t *out)
{
    (void)cl, (void)r, (void)kind, (void)name, (void)key, (void)out;
    return true;
}
void cluster_forward(struct cluster *cl, const struct net_request *r, const struct node_info *where)
{
    (void)cl, (void)r, (void)where;
}
int64_t cluster_elsewhere(const struct cluster *cl, const struct charger *ch,
                          struct node_info *where)
{
    (void)cl, (void)ch, (void)where;
    return 0;
}
size_t cluster_stations(const struct cluster *cl, int64_t node)
{
    (void)cl, (void)node;
    return 0;
}
uint64_t cluster_refusals(const struct cluster *cl)
{
    (void)cl;
    return 0;
}
struct store_nodes *cluster_nodes(const struct cluster *cl)
{
    (void)cl;
    return NULL;
}

/* ---- the played stations ---- */

int v16_check(struct v16 *v, struct amp_text action, struct amp_text payload,
              struct amp_fault *fault)
{
    (void)v;
    if (amp_text_is(action, "Nonsense"))
        return AMP_E_UNKNOWN;
    if (amp_text_is(action, "ChangeConfiguration") &&
        !memmem(payload.at, payload.len, "\"value\"", 7)) {
        *fault = (struct amp_fault){ .rc = AMP_E_MISSING, .path = "value", .why = "is required" };
        return AMP_E_MISSING;
    }
    return 0;
}
void v16_kick(struct v16 *v, struct charger *c)
{
    (void)v, (void)c;
    stage.kicks++;
}
void v16_drop(struct v16 *v, struct charger *c, int code, const char *why)
{
    (void)v, (void)c, (void)code, (void)why;
    stage.drops++;
}

void v16_password(struct v16 *v, struct charger *c, struct amp_text secret)
{
    (void)v, (void)c;
    CHECK(secret.len == 40, "a key");
}
void v16_stats(const struct v16 *v, struct v16_stats *out)
{
    (void)v;
    *out = (struct v16_stats){ .sessions = 1 };
}
const char *v16_action_name(int action)
{
    return action == 0 ? "Authorize" : "other";
}

int64_t central_ask(struct central *c, struct charger *ch, const struct command_fact *f, bool wait)
{
    return (wait ? world_command_wait : world_command)(c->world, ch, f, c->now_ms());
}
bool central_leads(const struct central *c)
{
    (void)c;
    return true;
}

/* ---- facts: to the store, and from there to the feed ---- */

static inline void on_stage_durable(void *ctx, int rc)
{
    if (rc == 0 && stage.c.live)
        live_publish(stage.c.live, ctx);
    free(ctx);
}
void central_emit(struct central *c, const struct fact *f)
{
    store_put(c->store, f);
    store_after(c->store, on_stage_durable, fact_copy(f));
}
static inline void on_stage_fact(void *ctx, const struct fact *f)
{
    central_emit(ctx, f);
}
static inline int64_t stage_now(void)
{
    return stage_now_ms;
}

/* Turn the loop until `*done`; with a guard, so that a bug is no hang. */
static inline void stage_until(const int *done)
{
    uint64_t end = uv_hrtime() + 60ull * 1000000000ull;

    while (!*done && uv_hrtime() < end)
        uv_run(&stage.loop, UV_RUN_ONCE);
    CHECK(*done, "an answer came");
}
static inline void on_settled(void *ctx, int rc)
{
    (void)rc;
    *(int *)ctx = 1;
}
/* Everything emitted so far is durable and published. */
static inline void stage_settle(void)
{
    int done = 0;

    store_after(stage.c.store, on_settled, &done);
    stage_until(&done);
}

/* ---- requests ---- */

static inline void stage_conn_forget(struct net_conn *c)
{
    free(c->body);
    free(c->frame);
    free(c->streamed);
    *c = (struct net_conn){ 0 };
}

/* Send a request on connection `i`; does not wait. `head` are extra header lines, each with its
 * \r\n. */
static inline struct net_conn *stage_send(int i, const char *method, const char *target,
                                          const char *head, const char *body)
{
    struct net_conn *c = &stage.conns[i];
    struct amp_http_head parsed;
    char text[8192];
    int n;

    if (!c->upgraded && !c->stream) {
        rest_gone(stage.c.rest, c);
        stage_conn_forget(c);
    }
    n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: amp.test\r\n%s%s\r\n", method, target,
                 body ? "Content-Type: application/json\r\n" : "", head);
    CHECK(n > 0 && (size_t)n < sizeof text, "the request fits");
    CHECK(amp_http_request((struct amp_text){ text, (uint32_t)n }, &parsed) == 1, "%s %s is HTTP",
          method, target);
    rest_request(stage.c.rest, &(struct net_request){
                     .conn = c, .head = &parsed, .body = amp_text_of(body ? body : "") });
    return c;
}

#define AS_ADMIN "Authorization: Bearer " STAGE_KEY "\r\n"

/* The same, and wait for the answer. */
static inline struct net_conn *stage_ask(const char *method, const char *target, const char *head,
                                         const char *body)
{
    struct net_conn *c = stage_send(0, method, target, head, body);

    stage_until(&c->status);
    return c;
}
static inline struct net_conn *stage_admin(const char *method, const char *target, const char *body)
{
    return stage_ask(method, target, AS_ADMIN, body);
}
static inline bool stage_has(const char *text, const char *part)
{
    return text && strstr(text, part);
}

/* ---- life ---- */

static inline void stage_open(void)
{
    char path[96];
    struct store_config config = { .database = path, .commit_ms = 1 };
    struct world_config world = { .heartbeat_s = 300, .stale_after_s = 90, .accept_unknown = true };
    static char block[1 << 20], key[] = STAGE_KEY;
    char *why = NULL;

    memset(&stage, 0, sizeof stage);
    snprintf(stage.folder, sizeof stage.folder, "/tmp/amp-rest-XXXXXX");
    CHECK(mkdtemp(stage.folder), "a temporary folder");
    snprintf(path, sizeof path, "%s/test.db", stage.folder);
    uv_loop_init(&stage.loop);
    stage.c.loop = &stage.loop;
    stage.c.now_ms = stage_now;
    stage.c.started_ms = stage_now();
    stage.c.settings.admin_key = key;
    stage.c.proxies = proxies_new("192.0.2.7", &why); /* its words are believed */
    amp_arena_init(&stage.c.arena, block, sizeof block);
    stage.c.store = store_open(&stage.loop, &config, &why);
    CHECK(stage.c.store, "%s", why ? why : "store");
    free(why);
    stage.c.world = world_new(&world, on_stage_fact, &stage.c);
    stage.c.loads = loads_new(stage.c.world, on_stage_fact, &stage.c);
    stage.c.settings.data = stage.folder;
    stage.c.settings.cpo_name = stage.c.settings.ca_command = stage_nothing;
    stage.c.settings.certificate_days = 365;
    stage.c.certificates = certificates_new(&stage.c);
    stage.c.issue = issue_new(&stage.c);
    stage.c.people = people_new(&stage.c);
    stage.c.live = live_new(&stage.c);
    stage.c.rest = rest_new(&stage.c);
}

/* The database and whatever the store keeps beside it. */
static inline void stage_remove_folder(void)
{
    DIR *dir = opendir(stage.folder);
    char path[384];

    for (struct dirent *e; dir && (e = readdir(dir));) {
        snprintf(path, sizeof path, "%s/%s", stage.folder, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    if (dir)
        closedir(dir);
    CHECK(rmdir(stage.folder) == 0, "nothing is left in %s", stage.folder);
}

static inline void stage_close(void)
{
    for (size_t i = 0; i < AMP_COUNT(stage.conns); i++) {
        rest_gone(stage.c.rest, &stage.conns[i]);
        stage_conn_forget(&stage.conns[i]);
    }
    store_close(stage.c.store);
    rest_free(stage.c.rest);
    live_free(stage.c.live);
    people_free(stage.c.people);
    loads_free(stage.c.loads);
    issue_free(stage.c.issue);
    certificates_free(stage.c.certificates);
    world_free(stage.c.world);
    proxies_free(stage.c.proxies);
    uv_run(&stage.loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&stage.loop) == 0, "nothing is left on the loop");
    stage_remove_folder();
}

/* A connected, accepted charger with one connector heard of. `session` is any pointer. */
static inline struct charger *stage_charger(const char *id)
{
    struct charger *ch = world_charger_meet(stage.c.world, amp_text_of(id), stage_now_ms);
    struct connector_fact k = { .connector = 1,
                                .status = AMP_TEXT("Available"),
                                .error = AMP_TEXT("NoError"),
                                .at_ms = stage_now_ms,
                                .seen_ms = stage_now_ms };

    world_connected(stage.c.world, ch, &stage, AMP_TEXT("ocpp1.6"), AMP_TEXT("192.0.2.9:1000"),
                    stage_now_ms);
    world_status(stage.c.world, ch, 1, &k);
    return ch;
}

#endif
