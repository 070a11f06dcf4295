/* central/rest/rest.c - takes a request, finds its route, checks who asks, and calls the handler.
 */
#include "central/rest/rest.h"
#include "central/rest/router.h"
#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- what belongs to a connection ---- */

static struct rest_owned **bucket(struct rest *r, const struct net_conn *conn)
{
    uint64_t h = (uint64_t)(uintptr_t)conn * UINT64_C(0x9E3779B97F4A7C15);

    return &r->owned[h >> 54];
}

static struct rest_owned *owned_by(struct rest *r, const struct net_conn *conn)
{
    struct rest_owned *o = *bucket(r, conn);

    while (o && o->conn != conn)
        o = o->next;
    return o;
}

void rest_own(struct rest *r, struct net_conn *conn, struct rest_owned *o,
              const struct rest_owner *owner)
{
    struct rest_owned **head = bucket(r, conn);

    assert(!owned_by(r, conn)); /* net hands out one request of a connection at a time */
    *o = (struct rest_owned){ conn, owner, *head };
    *head = o;
}

void rest_disown(struct rest *r, struct rest_owned *o)
{
    struct rest_owned **at = bucket(r, o->conn);

    while (*at != o)
        at = &(*at)->next;
    *at = o->next;
    o->conn = NULL;
}

bool rest_owns(const struct rest *r, const struct net_conn *conn)
{
    return owned_by((struct rest *)(uintptr_t)r, conn) != NULL;
}

void rest_message(struct rest *r, struct net_conn *conn, enum amp_ws_opcode op,
                  struct amp_text data)
{
    struct rest_owned *o = owned_by(r, conn);

    if (o && o->owner->message)
        o->owner->message(o, op, data);
}

void rest_closed(struct rest *r, struct net_conn *conn, int code, const char *why)
{
    struct rest_owned *o = owned_by(r, conn);

    (void)why;
    if (o && o->owner->closed)
        o->owner->closed(o, code);
}

void rest_writable(struct rest *r, struct net_conn *conn)
{
    struct rest_owned *o = owned_by(r, conn);

    if (o && o->owner->writable)
        o->owner->writable(o);
}

void rest_piece(struct rest *r, struct net_conn *conn, struct amp_text piece, bool last)
{
    struct rest_owned *o = owned_by(r, conn);

    if (o && o->owner->body)
        o->owner->body(o, piece, last);
}

void rest_gone(struct rest *r, struct net_conn *conn)
{
    struct rest_owned *o = owned_by(r, conn);

    if (!o)
        return;
    rest_disown(r, o);
    o->owner->gone(o);
}

/* ---- calls ---- */

static void call_gone(struct rest_owned *o)
{
    struct rest_call *call = (struct rest_call *)o; /* its first member */

    if (!call->unpark)
        return; /* a callback is on its way, and frees it */
    call->unpark(call);
    rest_drop(call);
}

static void call_body(struct rest_owned *o, struct amp_text piece, bool last)
{
    struct rest_call *call = (struct rest_call *)o;

    if (call->sink) /* else it is answered, and the rest of its body is thrown away */
        call->sink(call, piece, last);
}

static const struct rest_owner call_owner = { .body = call_body, .gone = call_gone };

static struct rest_call *call_new(struct rest *r, const struct net_request *q)
{
    struct rest_call *call = calloc(1, sizeof *call);
    struct origin origin;

    if (!call)
        abort();
    call->rest = r;
    call->c = r->c;
    call->head = q->head;
    call->body = q->body;
    call->pieces = q->pieces;
    call->coming = q->pieces ? q->coming : -1;
    call->next = r->calls;
    if (r->calls)
        r->calls->prev = call;
    r->calls = call;
    snprintf(call->id, sizeof call->id, "%s-%llu", r->boot, (unsigned long long)++r->sequence);
    amp_text_copy(call->path, sizeof call->path, q->head->path);
    proxy_origin(r->c->proxies, net_peer(q->conn), net_secure(q->conn), q->head, &origin);
    call->secure = origin.secure;
    memcpy(call->host, origin.host, sizeof call->host);
    rest_trace(call);
    rest_own(r, q->conn, &call->owned, &call_owner);
    return call;
}

static bool check_query(struct rest_call *call)
{
    struct amp_text query = call->head->query, name, value;
    char out[512];

    while (rest_query_next(&query, &name, &value)) {
        char field[64];

        amp_text_copy(field, sizeof field, name);
        if (!rest_listed(call->route->query, name)) {
            rest_problem(call,
                         &(struct rest_problem){
                             .status = 400,
                             .kind = "unknown-parameter",
                             .title = "Unknown query parameter",
                             .field = field,
                             .cure = "Leave it out, or look at the API description for its name." },
                         "This path knows: %s.",
                         call->route->query ? call->route->query : "no parameters");
            return false;
        }
        if (rest_query_decode(value, out, sizeof out) < 0) {
            rest_problem(call,
                         &(struct rest_problem){
                             .status = 400,
                             .kind = "bad-parameter",
                             .title = "A query parameter can't be read",
                             .field = field,
                             .cure = "Percent-encode UTF-8 text, at most 500 bytes." },
                         "The value of %s is badly encoded or too long.", field);
            return false;
        }
    }
    return true;
}

static bool check_who(struct rest_call *call)
{
    bool known;

    if (call->route->role == 0)
        return true;
    known = people_who(call->c->people, call->head, rest_now(call), &call->who);
    if (known) {
        amp_text_copy(call->who_name, sizeof call->who_name, amp_text_of(call->who.name));
        call->who.name = call->who_name;
        if (call->who.role >= call->route->role)
            return true;
    }
    call->rest->denied++;
    if (known)
        rest_problem(call,
                     &(struct rest_problem){ .status = 403,
                                             .kind = "forbidden",
                                             .title = "Not allowed",
                                             .cure = "Ask an administrator for the role." },
                     "This needs the role %s, and you have %s.", role_name(call->route->role),
                     role_name(call->who.role));
    else
        rest_problem(call,
                     &(struct rest_problem){
                         .status = 401,
                         .kind = "unauthorized",
                         .title = "Who are you?",
                         .cure = "Log in with POST /api/v1/session, or send Authorization: Bearer "
                                 "with an API key.",
                         .headers = "WWW-Authenticate: Bearer realm=\"amperstand\"\r\n" },
                     "No valid session or key came with the request.");
    return false;
}

/* A body that is not JSON is a mistake that is better named than guessed at (curl -d says it is a
 * form). */
static bool check_type(struct rest_call *call)
{
    struct amp_text type = amp_http_get(call->head, "Content-Type");
    static const char json[] = "application/json";

    if (rest_route_raw(call->route) || !call->body.len || !type.len)
        return true;
    if (call->route->message < 0)
        return true; /* no JSON is described: a file */
    if (type.len >= sizeof json - 1 &&
        amp_text_eqi((struct amp_text){ type.at, sizeof json - 1 }, amp_text_of(json)))
        return true;
    rest_problem(call,
                 &(struct rest_problem){ .status = 415,
                                         .kind = "not-json",
                                         .title = "The body has to be JSON",
                                         .field = "Content-Type",
                                         .cure = "Send Content-Type: application/json." },
                 "The request says %.*s.", (int)(type.len < 80 ? type.len : 80), type.at);
    return false;
}

static void no_route(struct rest_call *call, int rc, const char *allow)
{
    char headers[96];

    snprintf(headers, sizeof headers, "Allow: %s\r\n", allow);
    if (rc == AMP_E_SUPPORT)
        rest_problem(call,
                     &(struct rest_problem){ .status = 405,
                                             .kind = "bad-method",
                                             .title = "Method not allowed",
                                             .cure = "Use one of the methods that the path knows.",
                                             .headers = headers },
                     "This path knows %s.", allow);
    else if (rc == AMP_E_ABSENT)
        rest_problem(call,
                     &(struct rest_problem){ .status = 404,
                                             .kind = "not-found",
                                             .title = "No such path",
                                             .cure = "GET /api/v1/openapi.json lists the paths." },
                     "Nothing is served here.");
    else
        rest_problem(call,
                     &(struct rest_problem){
                         .status = 400,
                         .kind = "bad-path",
                         .title = "The path can't be read",
                         .cure = "Percent-encode UTF-8 text, at most 127 bytes a segment." },
                     "A segment is badly encoded or too long.");
}

bool rest_takes_pieces(const struct amp_http_head *head)
{
    const struct rest_route *route;
    char params[REST_PARAMS_MAX][REST_PARAM_MAX], allow[64];

    return rest_match(rest_routes, rest_route_count, head->method, head->path, &route, params,
                      allow) == 0 &&
           rest_route_raw(route);
}

void rest_request(struct rest *r, const struct net_request *q)
{
    struct rest_call *call = call_new(r, q);
    char allow[64];
    int rc;

    r->requests++;
    rc = rest_match(rest_routes, rest_route_count, q->head->method, q->head->path, &call->route,
                    call->params, allow);
    if (rc < 0) {
        no_route(call, rc, allow);
        return;
    }
    if (check_who(call) && check_query(call) && check_type(call) && rest_here(call))
        call->route->handle(call);
}

/* ---- life ---- */

struct rest *rest_new(struct central *c)
{
    struct rest *r = calloc(1, sizeof *r);

    if (!r || sodium_init() < 0)
        abort();
    r->c = c;
    rest_buf_init(&r->out);
    rest_buf_init(&r->openapi);
    rest_buf_init(&r->was);
    rest_buf_init(&r->is);
    snprintf(r->boot, sizeof r->boot, "%08x", (unsigned)randombytes_random());
    return r;
}

/* Calls that wait for the store stay until its callback comes (store_close calls them all); it
 * frees them. */
void rest_free(struct rest *r)
{
    if (!r)
        return;
    for (struct rest_call *call = r->calls, *next; call; call = next) {
        next = call->next;
        if (call->unpark) {
            call->unpark(call);
            rest_drop(call);
        } else {
            call->rest = NULL;
            call->owned.conn = NULL;
            call->prev = call->next = NULL;
        }
    }
    free(r->out.at);
    free(r->openapi.at);
    free(r->was.at);
    free(r->is.at);
    free(r);
}
