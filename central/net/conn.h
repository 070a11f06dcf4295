/* central/net/conn.h - inside central/net: one connection, the loop's side of it, and what the
 * files of this folder say to each other. conn.c moves bytes, http.c and websocket.c give them
 * meaning, wheel.c knows when time is up. */
#ifndef CENTRAL_NET_CONN_H
#define CENTRAL_NET_CONN_H

#include "central/net/net.h"

#define RX_SIZE     (128 * 1024) /* the shared receive buffer */
#define TICK_MS     1000         /* of the wheel: deadlines are late by up to this */
#define WHEEL_SLOTS 64           /* deadlines farther away are looked at early and put back */
#define LINGER_MS   5000 /* how long a peer may take to end a connection that we have ended */
#define DISCARD_MAX (64u << 20)  /* bytes of it that are read and thrown away meanwhile */
#define STREAM_HIGH (256 * 1024) /* queued bytes from which a stream's reader counts as slow */
#define TURN_MESSAGES 16 /* of one WebSocket in one turn of the loop: the others' turn comes */
#define TURN_BYTES    (64 * 1024)
#define PIPE_HIGH   (64 * 1024)  /* queued bytes above which the next pipelined request waits */
#define EXTRA_MAX \
    64 /* connections beyond max_connections that are told so before they are closed */

enum conn_state {
    CONN_TLS,     /* shakes hands */
    CONN_HTTP,    /* waits for a request or the rest of one */
    CONN_BUSY,    /* the handler owes an answer; nothing is read */
    CONN_BODY,    /* the handler takes the body in pieces */
    CONN_STREAM,  /* a streamed answer is under way; nothing is read */
    CONN_WS,      /* WebSocket */
    CONN_CLOSING, /* our close frame went out first; waits for the peer's */
    CONN_LINGER, /* all is said: end of output behind the queue, input is thrown away until the peer
                    ends too */
    CONN_DEAD    /* off the loop, about to be freed */
};

/* A private buffer. Input: data[0..len) waits for more. Output: data[sent..len) waits for the
 * socket. */
struct block {
    uint32_t len, cap;
    union {
        uint32_t sent; /* output */
        uint32_t need; /* input: bytes in all before it can go on, 0 unknown */
    };
    uint8_t data[];
};

struct net_conn {
    uv_poll_t poll;                /* poll.data is the struct net */
    struct net_conn *next, **link; /* the slot of the wheel */
    struct net_conn *next_dirty;
    void *data;
    struct block *in, *out; /* NULL most of the time */
    uint64_t rx_ms;         /* last byte received */
    uint64_t mark_ms; /* begin of what the deadline runs for: request, ping, close, last progress of
                         a reader */
    union {
        struct amp_ws ws;
        struct {
            uint64_t left; /* bytes to come of the body, or of this chunk */
            uint8_t phase; /* enum of body.c */
        } body_in;         /* CONN_BODY */
    };
    struct ssl_st *ssl; /* NULL: plain */
    int fd;
    uint32_t discarded;  /* CONN_LINGER */
    uint16_t close_code; /* CONN_CLOSING: ours */
    uint8_t state;       /* enum conn_state */
    uint8_t events;      /* that uv_poll watches */
    uint8_t tag;
    bool dirty : 1;     /* on the list of net_flush */
    bool doomed : 1;    /* to be dropped by net_flush */
    bool keep : 1;      /* HTTP: the connection outlives this answer */
    bool head_only : 1; /* HTTP: the request was HEAD */
    bool old : 1;       /* HTTP/1.0: no chunks */
    bool body : 1;      /* HTTP: the head is complete, the body is not */
    bool held : 1;      /* CONN_BODY: the handler wants no more now */
    bool sized : 1;     /* stream: its length was said, no chunks */
    bool continued : 1; /* HTTP: 100 Continue was sent for this request */
    bool slow : 1;      /* stream: net_stream_put returned false */
    bool eof : 1;       /* the peer has ended its side */
    bool fin : 1;       /* we have ended ours */
    bool pinged : 1;    /* a ping is out since mark_ms, and no byte has come since */
    bool upgraded : 1;  /* on_closed is owed */
    bool extra : 1;     /* beyond max_connections */
    bool secure : 1;    /* came by TLS; outlives ssl */
    bool hungry : 1;    /* has messages in its private buffer that wait for the next turn */
    char peer[];        /* "192.0.2.7:5123" */
};

#define LISTENERS_MAX 3

enum listener_kind { LISTENER_PLAIN, LISTENER_TLS, LISTENER_TLS_STRICT };

struct listener {
    uv_poll_t poll; /* its data is the listener */
    struct net *net;
    int fd;
    enum listener_kind kind;
    char address[64];
};

struct tls; /* tls.h */

struct net {
    uv_loop_t *loop;
    struct net_config config;
    struct net_handler handler;
    struct listener listeners[LISTENERS_MAX];
    unsigned listener_count;
    struct tls *tls; /* NULL: plain only */
    uv_prepare_t prepare; /* both flush: what timers queued goes before the loop waits, what sockets
                             queued right after */
    uv_check_t check;
    uv_timer_t timer, grace;
    int reserve_fd; /* reserve: given up for a moment when no descriptor is left */
    unsigned handles;   /* of ours that are still open */
    bool stopping, listening;
    bool blocked; /* accepting waits for the next tick: no descriptors at all */
    void (*done)(void *ctx);
    void *done_ctx;
    struct net_conn *dirty;
    struct net_conn **hungry; /* those with more messages than one turn may take; hungry_cap */
    size_t hungry_count, hungry_cap;
    uv_idle_t idle; /* runs while there are any, so that the loop does not wait */
    struct net_conn *slots[WHEEL_SLOTS];
    uint64_t tick;    /* of the wheel: all slots up to it have been looked at */
    uint64_t skew_ms; /* tests turn the clock by it */
    uint32_t extra;   /* open connections beyond max_connections */
    struct net_stats stats;
    int64_t date_s; /* the second that date[] shows */
    char date[32];
    char tls_name[64]; /* CN of the certificate in the handshake that is going on */
    unsigned tls_look; /* ticks until the files are looked at */
    uint8_t rx[RX_SIZE];
};

static inline struct net *conn_net(const struct net_conn *c)
{
    return c->poll.data;
}

static inline uint32_t conn_backlog(const struct net_conn *c)
{
    return c->out ? c->out->len - c->out->sent : 0;
}

uint64_t net_now(const struct net *n); /* monotonic ms */

/* ---- listen.c ---- */

/* A listening socket, non-blocking, or -1 and *why. */
int net_listen(const char *where, char **why);
/* "127.0.0.1:80", "[::1]:80"; length. */
struct sockaddr_storage;
size_t net_address_text(const struct sockaddr_storage *a, char *out, size_t cap);

/* ---- wheel.c ---- */

/* Moves it if it is in there already. */
void wheel_put(struct net_conn *c, uint64_t at_ms);
void wheel_take(struct net_conn *c);
/* conn_due for every connection whose slot has come. */
void wheel_turn(struct net *n);
/* For tests: so much time has passed. */
void net_turn_clock(struct net *n, uint64_t ms);

/* ---- due.c ---- */

/* Sets mark_ms and the deadline too. */
void conn_set_state(struct net_conn *c, enum conn_state state);
/* From the wheel: act if time is up, and say when to look again. */
void conn_due(struct net_conn *c);
/* The deadline may have come nearer. */
void conn_look_at(struct net_conn *c);

/* ---- conn.c ---- */

struct net_conn *conn_new(struct listener *l, int fd, const struct sockaddr_storage *from);
/* net_flush looks at it in this iteration. */
void conn_touch(struct net_conn *c);
/* `len` bytes at the end of the output, counted already; NULL: gone, or over the backlog and
 * doomed. */
void *conn_room(struct net_conn *c, size_t len);
void conn_put(struct net_conn *c, const void *data, size_t len);
/* Now: on_closed(1006) if it is owed; freed a little later. */
void conn_drop(struct net_conn *c, const char *why);
/* It had its share of this turn: the rest of its input waits for the next, and the socket, too. */
void conn_hunger(struct net_conn *c);
/* The next turn. */
void net_feed(struct net *n);
/* Dropped by net_flush: for calls that come from a handler. */
void conn_doom(struct net_conn *c);
/* Tell a connection beyond max_connections so. */
void conn_refuse_extra(struct net_conn *c);
/* End it politely behind what is queued. */
void conn_linger(struct net_conn *c);
/* Once before and once after the loop waits: write, go on with what waited, set the events right.
 */
void net_flush(struct net *n);
/* Private buffers. grow: at least `cap` bytes with the content of `b`, which may be NULL. */
struct block *block_grow(struct net *n, struct block *b, size_t cap);
void block_free(struct net *n, struct block **b);

/* ---- input.c ---- */

void conn_on_poll(uv_poll_t *poll, int status, int events);
/* Read once, and hand on what came. */
void conn_read(struct net_conn *c);
/* Take out of the private buffer, and give it back when it is empty. */
void conn_take_private(struct net_conn *c);

/* Take what can be taken out of buf[0..len); the rest is moved to its front. Returns its length;
 * *need is how many bytes there must be before it can go on: not above the rest when it waits for
 * an answer to leave, not for bytes. */
size_t http_input(struct net_conn *c, uint8_t *buf, size_t len, uint32_t *need); /* http.c */
size_t ws_input(struct net_conn *c, uint8_t *buf, size_t len, uint32_t *need);   /* websocket.c */

/* ---- http.c ---- */

/* Answer an error of the connection's own and end it. */
void http_refuse(struct net_conn *c, int status, const char *headers, const char *why);
void http_eof(struct net_conn *c);
/* Shutdown: end idle ones, let busy ones finish. */
void http_stop(struct net_conn *c);

/* ---- body.c ---- */

/* This request's body comes in pieces. */
void body_begin(struct net_conn *c, const struct amp_http_head *head);
size_t body_input(struct net_conn *c, uint8_t *buf, size_t len, uint32_t *need);

/* ---- websocket.c ---- */

/* on_closed, once. */
void ws_ended(struct net_conn *c, int code, const char *why);
void ws_ping(struct net_conn *c);
void ws_close(struct net_conn *c, int code, const char *why);

/* ---- net.c ---- */

void net_conn_freed(struct net *n);

#endif
