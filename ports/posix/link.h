/* ports/posix/link.h - one outgoing connection, TCP or TLS over it: every address of the name is
 * tried, nothing waits. */
#ifndef POSIX_LINK_H
#define POSIX_LINK_H

#include "ports/posix/resolve.h"
#include "ports/posix/tls.h"

/* Before the next address of a name gets its chance, in real milliseconds. The last one may take as
 * long as the station allows. */
#define POSIX_TRY_MS 3000

/* What happened; called from the loop, never from inside posix_link_open or posix_link_send. */
struct posix_link_events {
    void (*connected)(void *ctx);
    void (*received)(void *ctx, const void *data, size_t len);
    void (*writable)(void *ctx);
    void (*closed)(void *ctx,
                   const char *why); /* also: could not be opened. The link is closed already */
};

struct posix_link {
    struct posix_loop *loop;
    const struct posix_link_events *events;
    void *ctx;
    struct posix_watch watch;
    struct posix_timer timer; /* next address, or a failure that is to be told */
    struct posix_lookup *lookup;
    struct posix_address list[POSIX_ADDRESSES_MAX];
    int count, next;     /* addresses, and which is tried next */
    uint32_t generation; /* counts opens and closes, so that a callback that closed the link is
                            noticed */
    bool connected, want_write;
    const char *why;
    bool secure, shaking; /* TLS; its handshake is under way */
    char host[256];       /* whom the certificate must be for */
    struct posix_tls_options rules;
    struct posix_tls tls;
};

void posix_link_init(struct posix_link *k, struct posix_loop *l,
                     const struct posix_link_events *events, void *ctx);

/* 0: `connected` or `closed` will follow; AMP_E_IO: it cannot even begin. An open link is closed
 * first. */
int posix_link_open(struct posix_link *k, struct amp_text host, uint16_t port) AMP_CHECKED;

/* The same with TLS: `connected` comes after the handshake. When `closed` comes because of TLS,
 * k->tls.failed, .fault and .why tell more. Addresses behind one whose handshake failed are not
 * tried. */
int posix_link_open_tls(struct posix_link *k, struct amp_text host, uint16_t port,
                        const struct posix_tls_options *rules) AMP_CHECKED;

/* Bytes taken; 0: wait for `writable`; AMP_E_IO. */
int posix_link_send(struct posix_link *k, const void *data, size_t len) AMP_CHECKED;

/* Nothing is called after it. */
void posix_link_close(struct posix_link *k);

#endif
