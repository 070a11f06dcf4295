/* central/proxy.h - where a request comes from, when proxies are in between. Headers are believed
 * only when the peer of the socket is an address of the list; edge cases 41, 65. */
#ifndef CENTRAL_PROXY_H
#define CENTRAL_PROXY_H

#include "ocpp/http1.h"

#define ORIGIN_MAX 64

struct proxies;

/* "10.0.0.0/8, ::1, 192.0.2.7"; "": nobody. NULL and *why (malloc'd) names what cannot be read. */
struct proxies *proxies_new(const char *list, char **why);
void proxies_free(struct proxies *p); /* NULL is fine */

struct origin {
    char address[ORIGIN_MAX]; /* "192.0.2.7:5123"; without a port when a proxy tells it */
    char host[ORIGIN_MAX];    /* the same without the port */
    bool secure;              /* by TLS: ours, or that of a trusted proxy */
    bool proxied;
};
/* `peer` is that of the socket, `secure` how it came. The last address of X-Forwarded-For that is
 * no trusted proxy itself counts: what is further left was written by whoever asks. */
void proxy_origin(const struct proxies *p, const char *peer, bool secure,
                  const struct amp_http_head *head, struct origin *out);

#endif
