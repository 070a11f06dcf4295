/* central/rest/call.c - reading the question and sending the answer of one request. */
#include "central/rest/call.h"
#include "central/cluster.h"
#include "central/rest/router.h"
#include "ocpp/time.h"
#include <stdio.h>
#include <stdlib.h>

#include "messages/api.h"

static bool grow(struct amp_buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : 4096;
    char *at;

    while (cap < need)
        cap *= 2;
    at = realloc(b->at, cap);
    if (!at)
        abort();
    b->at = at;
    b->cap = cap;
    return true;
}

void rest_buf_init(struct amp_buf *b)
{
    *b = (struct amp_buf){ NULL, 0, 0, grow, false };
}

/* What every answer carries. The page may load its own scripts, styles and images, and talk to this
 * server; nothing else: texts from stations (vendor, tags, payloads) are hostile input. web-ui.md
 * section 5. */
const char *rest_security_headers(bool page)
{
#define COMMON                                             \
    "X-Content-Type-Options: nosniff\r\n"                  \
    "Referrer-Policy: strict-origin-when-cross-origin\r\n" \
    "Cross-Origin-Opener-Policy: same-origin\r\n"          \
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    return page ? COMMON
               "Permissions-Policy: camera=(self), geolocation=(self)\r\n"
               "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
               "img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
               "base-uri 'none'; form-action 'self'; frame-ancestors 'none'\r\n"
                : COMMON "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
                         "Cache-Control: no-store\r\n";
#undef COMMON
}

int64_t rest_now(const struct rest_call *call)
{
    return call->c->now_ms();
}

/* ---- life ---- */

static void unlink_call(struct rest_call *call)
{
    if (call->prev)
        call->prev->next = call->next;
    else if (call->rest)
        call->rest->calls = call->next;
    if (call->next)
        call->next->prev = call->prev;
}

void rest_drop(struct rest_call *call)
{
    if (call->rest) {
        if (call->owned.conn)
            rest_disown(call->rest, &call->owned);
        unlink_call(call);
    }
    if (call->state && call->clean)
        call->clean(call->state);
    free(call->state);
    free(call->file);
    free(call);
}

void rest_reply(struct rest_call *call, int status, const char *type, const char *headers,
                const void *body, size_t len)
{
    struct net_conn *conn = call->owned.conn;
    bool page = type && !strncmp(type, "text/html", 9);
    char lines[1500], trace[96];

    if (!conn || !call->rest) {
        rest_drop(call);
        return;
    }
    rest_trace_header(call, trace, sizeof trace);
    snprintf(lines, sizeof lines, "Request-Id: %s\r\n%s%s%s", call->id, trace,
             strstr(headers, "Cache-Control:") && !page ? "X-Content-Type-Options: nosniff\r\n"
                                                        : rest_security_headers(page),
             headers);
    rest_drop(
        call); /* before the answer: net may hand us the next request of this connection at once */
    net_respond(conn, status, type, lines, body, len); /* a HEAD gets no body: net's business */
}

void rest_empty(struct rest_call *call, int status, const char *headers)
{
    rest_reply(call, status, NULL, headers, "", 0);
}

struct amp_json *rest_begin(struct rest_call *call)
{
    struct rest *r = call->rest;

    amp_buf_reset(&r->out);
    amp_json_init(&r->w, &r->out);
    return &r->w;
}

void rest_send(struct rest_call *call, int status)
{
    rest_reply(call, status, "application/json", "", call->rest->out.at, call->rest->out.len);
}

struct amp_json *rest_list(struct rest_call *call, int64_t seq)
{
    struct amp_json *w = rest_begin(call);

    amp_json_open(w, '{');
    amp_json_key(w, "seq");
    amp_json_int(w, seq);
    amp_json_key(w, "at");
    amp_json_time(w, rest_now(call));
    amp_json_key(w, "items");
    amp_json_open(w, '[');
    return w;
}

void rest_list_end(struct rest_call *call, int64_t next)
{
    struct amp_json *w = &call->rest->w;

    amp_json_close(w, ']');
    if (next) {
        amp_json_key(w, "next");
        amp_json_int(w, next);
    }
    amp_json_close(w, '}');
    rest_send(call, 200);
}

void rest_list_end_text(struct rest_call *call, struct amp_text next)
{
    struct amp_json *w = &call->rest->w;

    amp_json_close(w, ']');
    if (next.len) {
        amp_json_key(w, "next");
        amp_json_text(w, next);
    }
    amp_json_close(w, '}');
    rest_send(call, 200);
}

/* ---- later ---- */

/* Something was refused since rest_after, and it may be what this call changed. A command is a row
 * that is nobody's to refuse. */
static bool moved(const struct rest_call *call)
{
    const struct rest_route *r = call->route;

    return call->c->cluster && strcmp(r->method, "GET") != 0 &&
           (strstr(r->pattern, "/chargers") || strstr(r->pattern, "/transactions")) &&
           !(r->answer && !strcmp(r->answer, "Command")) &&
           cluster_refusals(call->c->cluster) != call->refusals;
}

/* A callback of the store came for `call`: false when the server is going down, and the call is
 * gone. */
static bool still_served(struct rest_call *call)
{
    if (call->rest)
        return true;
    rest_drop(call);
    return false;
}

static void on_durable(void *ctx, int rc)
{
    struct rest_call *call = ctx;

    if (!still_served(call))
        return;
    if (rc < 0)
        rest_problem(
            call,
            &(struct rest_problem){
                .status = 503,
                .kind = "not-stored",
                .title = "The change could not be stored",
                .cure = "Free space on the server's disk or mend its database, then try again." },
            "Nothing was acknowledged.");
    else if (moved(call))
        rest_problem(call,
                     &(struct rest_problem){ .status = 503,
                                             .kind = "moving",
                                             .title = "A charger is just changing nodes",
                                             .cure = "Look at the thing, then try again.",
                                             .headers = "Retry-After: 1\r\n" },
                     "Another node took a charger over, and the change may be lost.");
    else
        call->then(call);
}

void rest_after(struct rest_call *call, void (*then)(struct rest_call *call))
{
    call->then = then;
    call->refusals = call->c->cluster ? cluster_refusals(call->c->cluster) : 0;
    store_after(call->c->store, on_durable, call);
}

struct question {
    void (*rows)(struct rest_call *call, const struct fact *rows, const int64_t *ids, size_t count,
                 int64_t next);
    struct rest_call *call;
};

static void on_rows(void *ctx, int rc, const struct fact *rows, const int64_t *ids, size_t count,
                    int64_t next)
{
    struct question q = *(struct question *)ctx;

    free(ctx);
    if (!still_served(q.call))
        return;
    if (rc < 0)
        rest_problem(q.call,
                     &(struct rest_problem){
                         .status = 503,
                         .kind = "store-failed",
                         .title = "The database did not answer",
                         .cure = "Try again; when it stays, look at the server's log." },
                     "The question could not be answered from the database.");
    else if (!q.call->owned.conn)
        rest_drop(q.call);
    else
        q.rows(q.call, rows, ids, count, next);
}

void rest_ask(struct rest_call *call, const struct store_ask *ask,
              void (*rows)(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                           size_t count, int64_t next))
{
    struct question *q = malloc(sizeof *q);

    if (!q)
        abort();
    *q = (struct question){ rows, call };
    store_ask(call->c->store, ask, on_rows, q);
}

/* ---- the question ---- */

bool rest_query(const struct rest_call *call, const char *name, char *out, size_t cap)
{
    struct amp_text query = call->head->query, n, v;

    while (rest_query_next(&query, &n, &v))
        if (amp_text_is(n, name))
            return rest_query_decode(v, out, cap) >= 0;
    return false;
}

static void bad_query(struct rest_call *call, const char *name, const char *value, const char *cure)
{
    rest_problem(call,
                 &(struct rest_problem){ .status = 400,
                                         .kind = "bad-parameter",
                                         .title = "A query parameter makes no sense",
                                         .field = name,
                                         .cure = cure },
                 "%s=%s", name, value);
}

bool rest_query_int(struct rest_call *call, const char *name, int64_t min, int64_t max,
                    int64_t *out)
{
    char value[64], cure[96];
    int64_t n;

    if (!rest_query(call, name, value, sizeof value))
        return true;
    if (amp_text_int(amp_text_of(value), &n) == 0 && n >= min && n <= max) {
        *out = n;
        return true;
    }
    snprintf(cure, sizeof cure, "Give a whole number from %lld to %lld.", (long long)min,
             (long long)max);
    bad_query(call, name, value, cure);
    return false;
}

bool rest_query_time(struct rest_call *call, const char *name, int64_t *out)
{
    char value[64];
    int64_t n;

    if (!rest_query(call, name, value, sizeof value))
        return true;
    if (amp_time_parse(amp_text_of(value), true, &n) == 0 && n > 0) {
        *out = n;
        return true;
    }
    bad_query(call, name, value, "Give a time such as 2026-01-31T08:30:00Z.");
    return false;
}

bool rest_query_bool(struct rest_call *call, const char *name, int32_t *out)
{
    char value[16];

    if (!rest_query(call, name, value, sizeof value))
        return true;
    if (!strcmp(value, "true") || !strcmp(value, "1")) {
        *out = 1;
        return true;
    }
    if (!strcmp(value, "false") || !strcmp(value, "0")) {
        *out = 0;
        return true;
    }
    bad_query(call, name, value, "Give true or false.");
    return false;
}

bool rest_body(struct rest_call *call, void *out)
{
    const struct amp_message *m = &api.messages[call->route->message];
    struct amp_text body = amp_text_trim(call->body);
    struct amp_fault fault;
    int rc;

    amp_arena_reset(&call->c->arena);
    rc = amp_decode(m->request, AMP_OCPP16, AMP_STRICT, body.len ? body : AMP_TEXT("{}"), out,
                    &call->c->arena, &fault, NULL);
    if (rc == 0)
        return true;
    rest_fault(call, rc, &fault, "body");
    return false;
}

struct charger *rest_charger(struct rest_call *call, struct amp_text id)
{
    struct charger *ch = world_charger(call->c->world, id);

    if (ch && charger_fact(ch)->org == call->who.org)
        return ch;
    rest_absent(call, "charger", id); /* of another organisation: the same words */
    return NULL;
}

bool rest_query_charger(struct rest_call *call, int64_t *key)
{
    char id[REST_PARAM_MAX];
    struct charger *ch;

    if (!rest_query(call, "charger", id, sizeof id))
        return true;
    ch = rest_charger(call, amp_text_of(id));
    if (ch)
        *key = charger_fact(ch)->key;
    return ch != NULL;
}

bool rest_key(struct rest_call *call, int64_t *key)
{
    if (amp_text_int(rest_param(call, 0), key) == 0 && *key > 0)
        return true;
    rest_absent(call, "resource", rest_param(call, 0));
    return false;
}
