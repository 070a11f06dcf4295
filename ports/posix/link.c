/* ports/posix/link.c - connect, send, receive. */
#include "ports/posix/link.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READS_MAX 4 /* a round: one busy link must not hold up the others */

static void try_next(void *ctx);

void posix_link_init(struct posix_link *k, struct posix_loop *l,
                     const struct posix_link_events *events, void *ctx)
{
    memset(k, 0, sizeof *k);
    k->loop = l;
    k->events = events;
    k->ctx = ctx;
    k->watch.fd = -1;
    k->timer.ctx = k;
    k->timer.fire = try_next;
}

static void drop_socket(struct posix_link *k)
{
    int fd = k->watch.fd;

    if (fd < 0)
        return;
    posix_tls_close(&k->tls);
    posix_watch_remove(k->loop, &k->watch);
    close(fd);
}

void posix_link_close(struct posix_link *k)
{
    drop_socket(k);
    posix_timer_clear(k->loop, &k->timer);
    if (k->lookup)
        posix_resolve_cancel(k->lookup);
    k->lookup = NULL;
    k->connected = k->want_write = k->shaking = false;
    k->count = k->next = 0;
    k->generation++;
}

static void fail(struct posix_link *k, const char *why)
{
    posix_link_close(k);
    k->events->closed(k->ctx, why);
}

static void wait_real(struct posix_link *k, uint64_t ms)
{
    const struct posix_clock *c = &k->loop->clock;
    uint64_t by = c->speed_permille ? ms * c->speed_permille / 1000 : ms;

    posix_timer_set(k->loop, &k->timer, posix_clock_now(c) + by);
}

static void announce(struct posix_link *k)
{
    k->connected = true;
    posix_watch_change(k->loop, &k->watch, EPOLLIN);
    k->events->connected(k->ctx);
}

static void shake(struct posix_link *k)
{
    int rc = posix_tls_handshake(&k->tls);

    if (rc < 0) {
        fail(k, k->tls.why);
    } else if (rc == 0) {
        posix_watch_change(k->loop, &k->watch,
                           posix_tls_wants_write(&k->tls) ? EPOLLIN | EPOLLOUT : EPOLLIN);
    } else {
        k->shaking = false;
        announce(k);
    }
}

/* The socket is open; the other addresses are not needed any more. */
static void on_connected(struct posix_link *k)
{
    posix_timer_clear(k->loop, &k->timer);
    k->count = k->next;
    if (!k->secure) {
        announce(k);
    } else if (posix_tls_open(&k->tls, k->watch.fd, amp_text_of(k->host), &k->rules) < 0) {
        fail(k, k->tls.why);
    } else {
        k->shaking = true;
        shake(k);
    }
}

/* The socket under way became ready, or failed. A second connect() tells, also after a wake-up
 * meant for an older socket. */
static void on_connecting(struct posix_link *k)
{
    const struct posix_address *a = &k->list[k->next - 1];

    if (connect(k->watch.fd, (const struct sockaddr *)&a->at, a->len) == 0 || errno == EISCONN) {
        on_connected(k);
    } else if (errno != EALREADY && errno != EINPROGRESS) {
        k->why = strerror(errno);
        try_next(k);
    }
}

/* A record is at most as long as scratch: nothing stays behind inside OpenSSL, where no event would
 * tell of it. */
static void on_readable_tls(struct posix_link *k)
{
    uint32_t generation = k->generation;

    for (int i = 0; i < READS_MAX && k->generation == generation; i++) {
        int n = posix_tls_read(&k->tls, k->loop->scratch, sizeof k->loop->scratch);

        if (n == 0)
            return;
        if (n > 0)
            k->events->received(k->ctx, k->loop->scratch, (size_t)n);
        else
            fail(k, k->tls.failed ? k->tls.why : "closed by the peer");
    }
}

static void on_readable(struct posix_link *k)
{
    uint32_t generation = k->generation;

    for (int i = 0; i < READS_MAX && k->generation == generation; i++) {
        ssize_t n = recv(k->watch.fd, k->loop->scratch, sizeof k->loop->scratch, 0);

        if (n > 0) {
            k->events->received(k->ctx, k->loop->scratch, (size_t)n);
            if ((size_t)n < sizeof k->loop->scratch)
                return; /* level-triggered: the rest wakes us again */
        } else if (n == 0) {
            fail(k, "closed by the peer");
            return;
        } else if (errno == EAGAIN || errno == EINTR) {
            return;
        } else {
            fail(k, strerror(errno));
            return;
        }
    }
}

static void on_ready(void *ctx, uint32_t events)
{
    struct posix_link *k = ctx;
    uint32_t generation = k->generation;

    if (k->shaking) {
        shake(k);
        return;
    }
    if (!k->connected) {
        on_connecting(k);
        return;
    }
    if ((events & EPOLLOUT) && k->want_write) {
        k->want_write = false;
        posix_watch_change(k->loop, &k->watch, EPOLLIN);
        k->events->writable(k->ctx);
    }
    if (k->generation == generation && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        (k->secure ? on_readable_tls : on_readable)(k);
}

/* Begin a connection to one address. 0 when it is under way. */
static int try_one(struct posix_link *k, const struct posix_address *a)
{
    static const int on = 1;
    int fd = socket(a->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return AMP_E_IO;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
               sizeof on); /* an OCPP frame is one write: never wait for a second one */
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    if ((connect(fd, (const struct sockaddr *)&a->at, a->len) < 0 && errno != EINPROGRESS) ||
        posix_watch_add(k->loop, &k->watch, fd, EPOLLOUT) < 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return AMP_E_IO;
    }
    return 0;
}

static void try_next(void *ctx)
{
    struct posix_link *k = ctx;

    drop_socket(k);
    posix_timer_clear(k->loop, &k->timer);
    while (k->next < k->count) {
        if (try_one(k, &k->list[k->next++]) == 0) {
            if (k->next < k->count)
                wait_real(k, POSIX_TRY_MS);
            return;
        }
        k->why = strerror(errno);
    }
    fail(k, k->why ? k->why : "no address");
}

static void on_resolved(void *ctx, const struct posix_address *list, int count, const char *why)
{
    struct posix_link *k = ctx;

    k->lookup = NULL;
    k->count = count;
    k->why = count > 0 ? NULL : why;
    memcpy(k->list, list, (size_t)count * sizeof *list);
    try_next(k);
}

static int open_link(struct posix_link *k, struct amp_text host, uint16_t port)
{
    int count;

    k->watch.ready = on_ready;
    k->watch.ctx = k;
    k->why = NULL;
    count = posix_resolve(k->loop, host, port, on_resolved, k, k->list, &k->lookup);
    if (count < 0)
        return AMP_E_IO;
    k->count = count;
    if (count > 0) /* from the loop: the caller may be the very code that `connected` would call */
        posix_timer_set(k->loop, &k->timer, posix_clock_now(&k->loop->clock));
    return 0;
}

int posix_link_open(struct posix_link *k, struct amp_text host, uint16_t port)
{
    posix_link_close(k);
    k->secure = false;
    return open_link(k, host, port);
}

int posix_link_open_tls(struct posix_link *k, struct amp_text host, uint16_t port,
                        const struct posix_tls_options *rules)
{
    posix_link_close(k);
    if (host.len >= sizeof k->host)
        return AMP_E_IO;
    amp_text_copy(k->host, sizeof k->host, host);
    k->secure = true;
    k->rules = *rules;
    memset(&k->tls, 0, sizeof k->tls);
    return open_link(k, host, port);
}

static ssize_t send_plain(const struct posix_link *k, const void *data, size_t len)
{
    ssize_t n;

    do
        n = send(k->watch.fd, data, len < INT_MAX ? len : INT_MAX, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : AMP_E_IO;
    return n;
}

int posix_link_send(struct posix_link *k, const void *data, size_t len)
{
    ssize_t n;

    if (!k->connected)
        return AMP_E_IO;
    n = k->secure ? posix_tls_write(&k->tls, data, len) : send_plain(k, data, len);
    if (n < 0)
        return AMP_E_IO;
    if ((size_t)n < len && !k->want_write) {
        k->want_write = true;
        posix_watch_change(k->loop, &k->watch, EPOLLIN | EPOLLOUT);
    }
    return (int)n;
}
