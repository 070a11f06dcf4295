/* ports/posix/resolve.h - names to addresses without stopping the loop: getaddrinfo waits, so it
 * runs on a thread of its own. */
#ifndef POSIX_RESOLVE_H
#define POSIX_RESOLVE_H

#include "ocpp/text.h"
#include "ports/posix/loop.h"
#include <sys/socket.h>

#define POSIX_ADDRESSES_MAX 8
#define POSIX_HOST_MAX      255

struct posix_address {
    struct sockaddr_storage at;
    socklen_t len;
};

/* One question. Owned by the resolver until `done` was called or posix_resolve_cancel. */
struct posix_lookup;

/* `count` addresses in the order in which they are to be tried; 0: the name has none, `why` says
 * so. Called from the loop. */
typedef void posix_resolved_fn(void *ctx, const struct posix_address *list, int count,
                               const char *why);

/* Numbers ("127.0.0.1", "::1") are answered at once into `list`: returns their count (1). For names
 * returns 0 and *out: `done` is called later. AMP_E_IO: no thread; AMP_E_SIZE: name too long. */
int posix_resolve(struct posix_loop *l, struct amp_text host, uint16_t port,
                  posix_resolved_fn *done, void *ctx, struct posix_address *list,
                  struct posix_lookup **out) AMP_CHECKED;

/* `done` will not be called. */
void posix_resolve_cancel(struct posix_lookup *q);

void posix_resolver_free(struct posix_loop *l);

#endif
