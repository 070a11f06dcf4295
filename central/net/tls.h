/* central/net/tls.h - inside central/net: TLS 1.2 and 1.3 on a connection's socket, by OpenSSL 3.
 * Security profiles 2 and 3, ocpp-facts S8 to S10. One context for all listeners: an RSA and an
 * ECDSA certificate at once, roots for clients' certificates, tickets. A reload makes a new
 * context; connections keep the one they began with. */
#ifndef CENTRAL_NET_TLS_H
#define CENTRAL_NET_TLS_H

#include "central/net/conn.h"

struct tls;

/* NULL and *why (malloc'd, names the file and the cure) when a file cannot be used. */
struct tls *tls_new(const struct net_tls_config *config, char **why);
void tls_free(struct tls *t); /* NULL is fine; after the last connection */
/* Read the files again. Nothing changes when one of them cannot be used. */
int tls_reload(struct tls *t, char **why) AMP_CHECKED;
/* Has one of the files changed since they were read? */
bool tls_stale(struct tls *t);

/* ---- of a connection: `c->ssl` is set, and the first bytes are TLS's ---- */
/* False: OpenSSL does not take the socket. */
bool tls_begin(struct tls *t, struct net_conn *c, bool must);
/* Go on with the handshake; the connection is CONN_HTTP when it is done, and lingers when it
 * failed. */
void tls_handshake(struct net_conn *c);
/* Like recv and send: -1 and errno, EAGAIN to come again. */
ssize_t tls_read(struct net_conn *c, void *out, size_t cap);
ssize_t tls_write(struct net_conn *c, const void *data, size_t len);
/* Bytes of a record that was taken from the socket and not read: no event will tell of them. */
bool tls_pending(const struct net_conn *c);
bool tls_wants_write(const struct net_conn *c);
void tls_bye(struct net_conn *c); /* close_notify, if the socket takes it */
void tls_end(struct net_conn *c); /* free c->ssl */
/* Refuse: told to on_refused, then the end. */
void tls_refuse(struct net_conn *c, const char *why);

#endif
