/* central/rest/call.h - one request on its way through the API, and what handlers use to answer it.
 * Inside central/rest only. A handler ends in exactly one of rest_send, rest_reply, rest_problem;
 * at once, or later from a callback. */
#ifndef CENTRAL_REST_CALL_H
#define CENTRAL_REST_CALL_H

#include "central/proxy.h"
#include "central/rest/live.h"
#include "central/rest/people.h"
#include "central/rest/rest.h"
#include "central/v16/v16.h"
#include "ocpp/codec.h"
#include "ocpp/json.h"

#define REST_PARAMS_MAX 2
#define REST_PARAM_MAX  128  /* bytes of one decoded path segment */
#define REST_ID_MAX     24   /* request id */
#define REST_LIMIT_MAX  1000 /* rows of one page */
#define REST_WAIT_MAX_S 60
#define REST_NAME_MAX   64
#define REST_TRACE_MAX  33 /* 32 hex digits */

struct rest_call;

struct rest_route {
    const char *method;
    const char
        *pattern; /* "/api/v1/chargers/{id}"; paths under /api without v1 are the same routes */
    int role;     /* least enum user_role; 0: anybody */
    void (*handle)(struct rest_call *call);
    int message; /* enum api_id: its request is the body, its reply the answer; -1: none */
    const char
        *answer; /* the record that the answer is, when it is one thing and not the reply; NULL */
    int status;  /* of success */
    const char *query; /* names of the query parameters, blank separated; any other is refused */
    const char *summary;
};

extern const struct rest_route rest_routes[];
extern const size_t rest_route_count;
/* Is its body bytes of any type and length, not a record of api.def? */
bool rest_route_raw(const struct rest_route *r);

/* Something that belongs to a connection: a call under way, a live socket, an event stream. Kept by
 * connection, so that the end of the connection finds it. net_data is not used: it is the stations'
 * side's. */
struct rest_owned;
struct rest_owner {
    void (*message)(struct rest_owned *o, enum amp_ws_opcode op, struct amp_text data);
    void (*closed)(struct rest_owned *o, int code);
    void (*writable)(struct rest_owned *o); /* the reader of a stream has taken all; may be NULL */
    /* A piece of the request's body; may be NULL. */
    void (*body)(struct rest_owned *o, struct amp_text piece, bool last);
    void (*gone)(struct rest_owned *o); /* already out of the table; conn is NULL */
};
struct rest_owned {
    struct net_conn *conn;
    const struct rest_owner *owner;
    struct rest_owned *next;
};
void rest_own(struct rest *r, struct net_conn *conn, struct rest_owned *o,
              const struct rest_owner *owner);
void rest_disown(struct rest *r, struct rest_owned *o);

struct rest_call {
    struct rest_owned owned; /* first: conn is NULL once the client has gone */
    struct rest *rest;       /* NULL: the server is going down */
    struct central *c;
    struct rest_call *prev, *next;
    const struct rest_route *route;
    const struct amp_http_head *head; /* until the handler returns */
    struct amp_text body;             /* the same */
    struct person who;                /* name points at who_name */
    char who_name[REST_NAME_MAX];
    char params[REST_PARAMS_MAX][REST_PARAM_MAX];
    char id[REST_ID_MAX];
    char path[160];                         /* for the problem's "instance" */
    bool secure;                            /* the browser came over TLS, ours or a trusted proxy's */
    char host[ORIGIN_MAX];                  /* whose address it is, behind trusted proxies */
    void (*then)(struct rest_call *call);   /* rest_after */
    void (*unpark)(struct rest_call *call); /* a parked call's clean-up when its client or the
                                               server goes; then it is freed */
    int64_t key, seq, subject;              /* the handler's own; subject: what a command is about */
    bool pieces;    /* the body comes to `sink`, `coming` bytes or -1: nobody knows */
    int64_t coming;
    void (*sink)(struct rest_call *call, struct amp_text piece, bool last);
    struct fact *file; /* that comes of this call; free()d with it */
    /* Of commands: writes what is answered instead of the command; NULL: the command */
    void (*shape)(struct rest_call *call, struct amp_json *w, const struct command_fact *f);
    uint64_t refusals;                      /* several nodes: as they were at rest_after */
    int64_t wait_s, queue_s;                /* ?wait= and ?queue= of commands */
    char trace[REST_TRACE_MAX];             /* of traceparent, or made for this call */
    void *state;                            /* the handler's own; free()d with the call */
    void (*clean)(void *state);             /* before that, for what it owns; NULL: nothing */
};

/* ---- the question ---- */
static inline struct amp_text rest_param(const struct rest_call *call, unsigned i)
{
    return amp_text_of(call->params[i]);
}
/* Query parameter, decoded into out. False: not given. The router has refused unknown names and bad
 * escapes already. */
bool rest_query(const struct rest_call *call, const char *name, char *out, size_t cap);
/* Integer, time or boolean parameters: true, also when absent (`*out` stays); false: a problem was
 * answered. */
bool rest_query_int(struct rest_call *call, const char *name, int64_t min, int64_t max,
                    int64_t *out);
bool rest_query_time(struct rest_call *call, const char *name, int64_t *out);
bool rest_query_bool(struct rest_call *call, const char *name, int32_t *out);
/* Decode the body with the route's record. False: a problem was answered. */
bool rest_body(struct rest_call *call, void *out);
/* The charger in path parameter 0 or in query parameter "charger". False or NULL: a problem was
 * answered. */
struct charger *rest_charger(struct rest_call *call, struct amp_text id);
bool rest_query_charger(struct rest_call *call, int64_t *key);
/* Path parameter 0 as a positive number. */
bool rest_key(struct rest_call *call, int64_t *key);
int64_t rest_now(const struct rest_call *call);

/* ---- several nodes: here.c ---- */
/* False: another node answers, or this one from the beginning once the charger is its own; the call
 * is over. Alone: true. */
bool rest_here(struct rest_call *call);
bool rest_admit(struct rest_call *call, struct amp_text identity);
/* Whose is this name? *out 0 when alone. */
bool rest_claim(struct rest_call *call, enum fact_kind kind, struct amp_text name, int64_t key,
                int64_t *out);

/* ---- the answer ---- */
/* Write one JSON value into the shared output, then send it. One answer is built at a time. */
struct amp_json *rest_begin(struct rest_call *call);
void rest_send(struct rest_call *call, int status);
/* A list: {"seq":…,"at":…,"items":[ and its end; next 0: nothing follows. */
struct amp_json *rest_list(struct rest_call *call, int64_t seq);
void rest_list_end(struct rest_call *call, int64_t next);
void rest_list_end_text(struct rest_call *call, struct amp_text next); /* a list by name */
/* Any other body. `headers`: extra lines or "". All end and free the call. */
void rest_reply(struct rest_call *call, int status, const char *type, const char *headers,
                const void *body, size_t len);
void rest_empty(struct rest_call *call, int status, const char *headers);

/* RFC 9457. kind ends the type URI: "station-offline"; title says it in a few words; field names
 * the guilty input and cure what to do about it (both may be NULL). Ends the call. */
struct rest_problem {
    int status;
    const char *kind, *title, *field, *cure;
    const char *headers;
};
void rest_problem(struct rest_call *call, const struct rest_problem *p, const char *detail, ...)
    AMP_PRINTF(3, 4);
void rest_fault(struct rest_call *call, int rc, const struct amp_fault *fault, const char *what);
void rest_absent(struct rest_call *call, const char *what, struct amp_text name);

/* Go on in `then` once everything emitted so far is durable. A failed commit answers 503 by itself;
 * a client that went away meanwhile is not told, but `then` runs: what was committed has to be
 * acted on. */
void rest_after(struct rest_call *call, void (*then)(struct rest_call *call));
/* Ask the past; rows arrive in `rows`, which ends the call. `rows` is not called for a failure or
 * when nobody listens any more. */
void rest_ask(struct rest_call *call, const struct store_ask *ask,
              void (*rows)(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                           size_t count, int64_t next));
/* Take a call out of its connection without an answer (it became a socket or a stream) and free it.
 */
void rest_drop(struct rest_call *call);

/* The connection of a call, about to be handed to somebody else. */
static inline struct net_conn *rest_conn(const struct rest_call *call)
{
    return call->owned.conn;
}

/* trace.c: the trace that this call belongs to (W3C Trace Context), and the header that tells it. */
void rest_trace(struct rest_call *call);
void rest_trace_header(const struct rest_call *call, char *out, size_t cap);

/* Headers for every answer; `page`: for documents that run our scripts. */
const char *rest_security_headers(bool page);
/* A growing buffer; free(b->at). */
void rest_buf_init(struct amp_buf *b);

struct rest {
    struct central *c;
    struct rest_owned *owned[1024];
    struct rest_call *calls; /* all of them */
    struct rest_call
        *waiting; /* parked until a command is answered; chained by `waiter` in commands.c */
    struct amp_buf out;
    struct amp_json w;
    uint64_t sequence; /* of request ids */
    char boot[9];      /* their random first half */
    uint64_t requests, problems, denied;
    unsigned exports; /* under way */
    struct amp_buf openapi; /* built on first use */
    struct amp_buf was, is; /* audit.h */
    struct amp_json was_w, is_w;
};

#endif
