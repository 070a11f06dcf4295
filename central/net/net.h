/* central/net/net.h - sockets, HTTP and WebSocket of the central system, on libuv's loop thread.
 * Knows bytes, heads and frames; what they mean is the business of the handler (central/net knows
 * neither OCPP nor REST). One shared receive buffer: an idle connection owns none. DESIGN.md
 * decision 2. */
#ifndef CENTRAL_NET_H
#define CENTRAL_NET_H

#include "ocpp/buf.h"
#include "ocpp/http1.h"
#include "ocpp/ws.h"
#include <uv.h>

struct net;
struct net_conn;
struct x509_st; /* OpenSSL's X509 */

/* Files are PEM; they are read again when they change, and by net_reload. */
struct net_tls_config {
    const char *cert[2], *key[2]; /* an RSA and an ECDSA pair, or one; key absent: in the same file */
    const char *client_ca[2];     /* roots of clients' certificates; NULL: none */
    const char *client_crl;       /* of them; NULL: none */
    bool no_plain_rsa;            /* no suites without forward secrecy */
    bool no_client;               /* `listen` does not ask for certificates */
};

/* 0 stands for the default in brackets, but for ping_s. */
struct net_config {
    const char *listen;       /* "127.0.0.1:8080", "[::]:8080", ":8080"; port 0 picks one; NULL or
                               * "": nothing in plain */
    const char *tls_listen;   /* the same for TLS; a client's certificate is asked for */
    const char *tls_strict;   /* the same; a client without one is refused */
    struct net_tls_config tls;
    uint32_t max_connections; /* beyond it new sockets get 503 and are closed (19,500) */
    uint32_t max_message;     /* WebSocket message, joined (1 MiB) */
    uint32_t max_body;        /* HTTP body (1 MiB) */
    uint32_t idle_s;    /* HTTP connection without a request, or a reader that takes nothing (60) */
    uint32_t request_s; /* a request head that has begun must be complete within this: 408 (10) */
    uint32_t ping_s;    /* server pings after this silence on a WebSocket (25; 0 off) */
    uint32_t pong_s;    /* no byte within this time after a ping: closed 1006 (20) */
    uint32_t max_backlog; /* bytes queued for a slow reader, then closed (8 MiB) */
};

/* A connection that failed before any request of it was understood. */
struct net_refusal {
    const char *address; /* "192.0.2.7:5123" */
    int status;          /* that was answered; 0: none could be, in TLS */
    const char *why;
    const char *name; /* CN of the certificate that was shown, or NULL or "" */
    bool tls;         /* in the handshake of TLS */
};

struct net_request {
    struct net_conn *conn;
    const struct amp_http_head *head; /* head and body live during on_request only */
    struct amp_text body;
    bool pieces;    /* the body is empty here and comes to on_body */
    int64_t coming; /* then its length, -1 if nobody knows yet */
};

/* All on the loop thread. */
struct net_handler {
    void *ctx;
    /* A complete request. Answer with net_respond or net_stream_begin, now or later (conn stays
     * valid until on_gone, and answers to one that is gone in between lead nowhere), or with
     * net_upgrade now. When head->upgrade is set, version and key of the WebSocket handshake are
     * sound: others were answered 400 or 426 before. */
    void (*on_request)(void *ctx, const struct net_request *r);
    /* May the body of this request come in pieces, of any length? Asked once, when its head is there.
     * May be NULL: no body does, and all are bounded by max_body. */
    bool (*on_head)(void *ctx, const struct amp_http_head *head);
    /* Then, after on_request: the next piece, valid during the call. `last`: the request is complete
     * (the piece may be empty), and an answer is owed. An answer before that ends the connection. */
    void (*on_body)(void *ctx, struct net_conn *c, struct amp_text piece, bool last);
    /* A whole WebSocket message. `data` is only valid during the call. Binary too: whoever does not
     * want it closes with 1003. */
    void (*on_message)(void *ctx, struct net_conn *c, enum amp_ws_opcode op, struct amp_text data);
    /* The WebSocket closed: the peer's or our code (1006: no close frame), once per upgraded
     * connection. */
    void (*on_closed)(void *ctx, struct net_conn *c, int code, const char *why);
    /* The connection object is about to be freed, whatever it was: forget it. */
    void (*on_gone)(void *ctx, struct net_conn *c);
    /* A connection failed before any request was understood (400, 431, timeouts): for the
     * connection doctor. May be NULL. */
    void (*on_refused)(void *ctx, const struct net_refusal *r);
    /* The reader of a stream has taken all, after net_stream_put returned false. May be NULL. */
    void (*on_writable)(void *ctx, struct net_conn *c);
};

/* NULL and *why (malloc'd sentence) when it can't listen. */
struct net *net_open(uv_loop_t *loop, const struct net_config *config,
                     const struct net_handler *handler, char **why);
/* The address really listened on, "127.0.0.1:41234": the plain one, or where there is none, that of
 * TLS. */
const char *net_address(const struct net *n);
const char *net_tls_address(const struct net *n); /* NULL: none */
/* Read certificates again; new connections get them. AMP_E_VALUE and *why (malloc'd): one cannot be
 * used, and the old ones stay. */
int net_reload(struct net *n, char **why) AMP_CHECKED;
/* Stop accepting, close WebSockets with 1001, then everything; `done` when all are gone (at most
 * grace_ms). */
void net_shutdown(struct net *n, uint32_t grace_ms, void (*done)(void *ctx), void *ctx);
void net_free(struct net *n); /* after done; NULL is fine */

/* Owner's data of a connection: one pointer and one small number. The number is for whoever made
 * the handler (which module a connection belongs to), the pointer for that module. */
void *net_data(const struct net_conn *c);
void net_set_data(struct net_conn *c, void *data);
unsigned net_tag(const struct net_conn *c);
void net_set_tag(struct net_conn *c, unsigned tag); /* 0 to 255 */
const char *
net_peer(const struct net_conn *c); /* "192.0.2.7:5123"; lives as long as the connection */
/* Came by TLS; and the certificate that the client proved to have, verified; NULL: none. */
bool net_secure(const struct net_conn *c);
struct x509_st *net_certificate(const struct net_conn *c);
uint64_t net_last_rx_ms(const struct net_conn *c); /* uv_now of the last byte */

/* HTTP answer; Content-Length, Date, Connection are added. `headers`: extra "Name: value\r\n" lines
 * or "". */
void net_respond(struct net_conn *c, int status, const char *type, const char *headers,
                 const void *body, size_t len);
/* Chunked answer for exports and event streams; end with net_stream_end. Put returns false when the
 * reader is slow (what was put is queued all the same): go on after on_writable. Also false when
 * the connection is gone. */
void net_stream_begin(struct net_conn *c, int status, const char *type, const char *headers);
bool net_stream_put(struct net_conn *c, const void *data, size_t len);
void net_stream_end(struct net_conn *c);

/* The same for a body whose length is known: it is said, so that readers see when something lacks.
 * Whoever puts less drops the connection (net_close 0). */
void net_stream_sized(struct net_conn *c, int status, const char *type, const char *headers,
                      uint64_t length);
/* A body that comes in pieces: no more of it until net_body_go. Also from on_body. */
void net_body_hold(struct net_conn *c);
void net_body_go(struct net_conn *c);

/* 101 with this subprotocol (absent: none) - then on_message follows. Only inside on_request and
 * with head->upgrade set. */
void net_upgrade(struct net_conn *c, const struct amp_http_head *head, struct amp_text protocol);
/* No message above `max` bytes on this WebSocket; never more than max_message of the configuration
 * (E82). */
void net_limit_message(struct net_conn *c, uint32_t max);
/* One WebSocket message. False: the connection is closing or its backlog is over the limit (it is
 * being closed). */
bool net_send(struct net_conn *c, enum amp_ws_opcode op, const void *data, size_t len);
/* Start the closing handshake; on_closed follows (never inside this call) when the peer has
 * answered or 5 s are over. Messages that come in between are dropped. 0: drop the socket at once,
 * without a close frame; any connection. */
void net_close(struct net_conn *c, int code, const char *why);

struct net_stats {
    uint64_t accepted, refused; /* refused: answered or dropped before the handler saw a request */
    uint64_t broken;            /* WebSockets closed by us for breaking the protocol or a limit */
    uint64_t lost;              /* WebSockets that ended without a close frame */
    uint64_t rx_bytes, tx_bytes, rx_messages, tx_messages, requests;
    uint64_t writes;  /* send() calls: answers of one loop iteration share one */
    uint64_t buffers; /* bytes of private buffers now: partial frames and queued output */
    uint64_t tls_handshakes, tls_resumed, tls_refused; /* done; of them without keys; failed */
    uint32_t open, websockets;
};
void net_stats(const struct net *n, struct net_stats *out);

#endif
