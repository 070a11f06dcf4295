/* central/net/conn.c - one connection: bytes in through the shared buffer, bytes out once per loop
 * iteration, memory of its own only while something is incomplete. DESIGN.md decision 2. */
#include "central/net/tls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK_MIN 512

/* ---- private buffers ---- */

/* A block of at least `cap` bytes with the content of `b`, which may be NULL. The heap gives or the
 * process ends. */
struct block *block_grow(struct net *n, struct block *b, size_t cap)
{
    size_t old = b ? b->cap : 0, size = old * 2 > cap ? old * 2 : cap;
    struct block *grown;

    if (size < BLOCK_MIN)
        size = BLOCK_MIN;
    grown = size <= UINT32_MAX ? realloc(b, sizeof *b + size) : NULL;
    if (!grown)
        abort();
    if (!b)
        grown->len = grown->sent = 0;
    grown->cap = (uint32_t)size;
    n->stats.buffers += size - old;
    return grown;
}

void block_free(struct net *n, struct block **b)
{
    if (*b)
        n->stats.buffers -= (*b)->cap;
    free(*b);
    *b = NULL;
}

/* ---- life ---- */

/* Where the platform can, the kernel gives a connection up whose data nobody acknowledges: a
 * station behind a dead mobile link, edge case 48. */
static void tune(const struct net *n, int fd)
{
    int one = 1;
#ifdef TCP_USER_TIMEOUT
    unsigned ms = (n->config.ping_s + n->config.pong_s) * 1000;

    if (n->config.ping_s)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
#else
    (void)n;
#endif
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* Watch what the state calls for. */
static void watch(struct net_conn *c)
{
    int events = 0;

    switch ((enum conn_state)c->state) {
    case CONN_TLS:
        events = tls_wants_write(c) ? UV_WRITABLE : UV_READABLE;
        break;
    case CONN_HTTP:
        events = conn_backlog(c) > PIPE_HIGH ? 0 : UV_READABLE;
        break;
    case CONN_BODY:
        events = c->held ? UV_DISCONNECT : UV_READABLE;
        break;
    case CONN_BUSY:
    case CONN_STREAM:
        events = UV_DISCONNECT;
        break;
    case CONN_WS:
    case CONN_CLOSING:
    case CONN_LINGER:
        events = UV_READABLE;
        break;
    case CONN_DEAD:
        return;
    }
    if (c->eof || c->hungry)
        events = 0; /* it would be reported without end */
    if (c->out)
        events |= UV_WRITABLE;
    if (events == c->events)
        return;
    c->events = (uint8_t)events;
    if (!events)
        uv_poll_stop(&c->poll);
    else if (uv_poll_start(&c->poll, events, conn_on_poll) < 0)
        conn_doom(c);
}

struct net_conn *conn_new(struct listener *l, int fd, const struct sockaddr_storage *from)
{
    struct net *n = l->net;
    char peer[64];
    size_t len = net_address_text(from, peer, sizeof peer);
    struct net_conn *c = calloc(1, sizeof *c + len + 1);

    if (!c)
        abort();
    if (uv_poll_init(n->loop, &c->poll, fd) < 0) {
        free(c);
        return NULL;
    }
    memcpy(c->peer, peer, len + 1);
    c->poll.data = n;
    c->fd = fd;
    c->rx_ms = net_now(n);
    n->stats.open++;
    tune(n, fd);
    c->secure = l->kind != LISTENER_PLAIN;
    conn_set_state(c, c->secure ? CONN_TLS : CONN_HTTP);
    if (c->secure && !tls_begin(n->tls, c, l->kind == LISTENER_TLS_STRICT))
        conn_doom(c);
    else
        watch(c);
    return c;
}

static void on_freed(uv_handle_t *h)
{
    struct net_conn *c = (struct net_conn *)h;
    struct net *n = conn_net(c);

    if (n->handler.on_gone)
        n->handler.on_gone(n->handler.ctx, c);
    n->stats.open--;
    if (c->extra)
        n->extra--;
    free(c);
    net_conn_freed(n);
}

/* ---- turns ---- */

static void on_idle(uv_idle_t *h)
{
    net_feed(h->data);
}

void conn_hunger(struct net_conn *c)
{
    struct net *n = conn_net(c);

    if (c->hungry || c->state == CONN_DEAD)
        return;
    c->hungry = true;
    if (n->hungry_count == n->hungry_cap) {
        n->hungry_cap = n->hungry_cap ? 2 * n->hungry_cap : 16;
        n->hungry = realloc(n->hungry, n->hungry_cap * sizeof *n->hungry);
        if (!n->hungry)
            abort();
    }
    if (!n->hungry_count)
        uv_idle_start(&n->idle, on_idle);
    n->hungry[n->hungry_count++] = c;
}

static void sated(struct net_conn *c)
{
    struct net *n = conn_net(c);

    for (size_t i = 0; c->hungry && i < n->hungry_count; i++)
        if (n->hungry[i] == c) {
            n->hungry[i] = n->hungry[--n->hungry_count];
            c->hungry = false;
        }
    if (!n->hungry_count)
        uv_idle_stop(&n->idle);
}

/* Each of them once; who is still hungry comes again. The last is taken first, so that what a
 * handler drops, and who is added, moves nobody over who waits. */
void net_feed(struct net *n)
{
    for (size_t i = n->hungry_count; i-- > 0;) {
        struct net_conn *c = i < n->hungry_count ? n->hungry[i] : NULL;

        if (!c)
            continue;
        sated(c);
        if (c->in && !c->doomed)
            conn_take_private(c);
        conn_touch(c);
    }
}

/* ---- the end of one ---- */

void conn_drop(struct net_conn *c, const char *why)
{
    struct net *n = conn_net(c);

    if (c->state == CONN_DEAD)
        return;
    c->state = CONN_DEAD; /* first: the handler may call back */
    wheel_take(c);
    sated(c);
    block_free(n, &c->in);
    block_free(n, &c->out);
    if (c->ssl)
        tls_end(c);
    uv_close((uv_handle_t *)&c->poll, on_freed);
    close(c->fd);
    ws_ended(c, AMP_WS_LOST, why);
}

void conn_touch(struct net_conn *c)
{
    struct net *n = conn_net(c);

    if (c->dirty || c->state == CONN_DEAD)
        return;
    c->dirty = true;
    c->next_dirty = n->dirty;
    n->dirty = c;
}

void conn_doom(struct net_conn *c)
{
    c->doomed = true;
    conn_touch(c);
}

void conn_linger(struct net_conn *c)
{
    if (c->state == CONN_DEAD || c->state == CONN_LINGER)
        return;
    conn_set_state(c, CONN_LINGER);
    conn_touch(c);
}

/* ---- output ---- */

void *conn_room(struct net_conn *c, size_t len)
{
    struct net *n = conn_net(c);
    uint32_t waiting = conn_backlog(c);
    void *at;

    if (c->state == CONN_DEAD || c->doomed)
        return NULL;
    if (waiting + len > n->config.max_backlog) {
        conn_doom(c);
        return NULL;
    }
    if (c->out && c->out->sent && c->out->cap - c->out->len < len) {
        memmove(c->out->data, c->out->data + c->out->sent, waiting);
        c->out->len = waiting;
        c->out->sent = 0;
    }
    if (!c->out || c->out->cap - c->out->len < len)
        c->out = block_grow(n, c->out, waiting + len);
    at = c->out->data + c->out->len;
    c->out->len += (uint32_t)len;
    conn_touch(c);
    return at;
}

void conn_put(struct net_conn *c, const void *data, size_t len)
{
    void *at = len ? conn_room(c, len) : NULL;

    if (at)
        memcpy(at, data, len);
}

/* Send what is queued. False: the connection is gone. */
static bool write_out(struct net_conn *c)
{
    struct net *n = conn_net(c);

    while (c->out) {
        const uint8_t *at = c->out->data + c->out->sent;
        size_t len = c->out->len - c->out->sent;
        ssize_t sent = c->ssl ? tls_write(c, at, len) : send(c->fd, at, len, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (sent < 0) {
            conn_drop(c, strerror(errno));
            return false;
        }
        n->stats.writes++;
        n->stats.tx_bytes += (uint64_t)sent;
        c->out->sent += (uint32_t)sent;
        if (c->state != CONN_WS && c->state != CONN_CLOSING)
            c->mark_ms = net_now(n);
        if (c->out->sent == c->out->len)
            block_free(n, &c->out);
    }
    return true;
}

/* All is sent: what was waiting for that? */
static void drained(struct net_conn *c)
{
    struct net *n = conn_net(c);

    if (c->state == CONN_LINGER && !c->fin) {
        c->fin = true;
        if (c->ssl)
            tls_bye(c);
        shutdown(c->fd, SHUT_WR);
        conn_set_state(c, CONN_LINGER);
        if (c->eof)
            conn_drop(c, "");
    } else if (c->state == CONN_STREAM && c->slow) {
        c->slow = false;
        if (n->handler.on_writable)
            n->handler.on_writable(n->handler.ctx, c);
    }
}

/* ---- once per iteration ---- */

/* Are there pipelined requests in the private buffer that only waited for the answer before them?
 */
static bool waits(const struct net_conn *c)
{
    return c->in && !c->hungry && c->in->need <= c->in->len && conn_backlog(c) <= PIPE_HIGH &&
           !c->doomed &&
           (c->state == CONN_HTTP || (c->state == CONN_BODY && !c->held) || c->state == CONN_WS ||
            c->state == CONN_CLOSING);
}

/* The same for bytes that TLS took from the socket, and that no event will tell of. */
static bool holds(const struct net_conn *c)
{
    return c->ssl && !c->hungry && conn_backlog(c) <= PIPE_HIGH && !c->doomed && !c->eof &&
           (c->state == CONN_HTTP || (c->state == CONN_BODY && !c->held) || c->state == CONN_WS ||
            c->state == CONN_CLOSING) &&
           tls_pending(c);
}

static void settle(struct net_conn *c)
{
    if (c->state == CONN_DEAD)
        return;
    if (c->doomed) {
        conn_drop(c, conn_backlog(c) ? "the reader is too slow" : "dropped");
        return;
    }
    do {
        if (waits(c))
            conn_take_private(c);
        else if (holds(c))
            conn_read(c);
        if (c->state == CONN_DEAD || !write_out(c))
            return;
    } while (!c->out && (waits(c) || holds(c)));
    if (!c->out) /* what follows goes when the socket says so: no stream may hold up the loop */
        drained(c);
    if (c->doomed)
        conn_drop(c, "dropped");
    if (c->state != CONN_DEAD)
        watch(c);
}

void net_flush(struct net *n)
{
    while (n->dirty) {
        struct net_conn *c = n->dirty;

        n->dirty = c->next_dirty;
        settle(c);
        c->dirty = false;
    }
}
