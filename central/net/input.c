/* central/net/input.c - bytes from the socket to whoever reads them: through the buffer that all
 * connections share, and into a private one only for what is not complete. */
#include "central/net/tls.h"

#include <errno.h>
#include <sys/socket.h>

#define ROOM_MIN 1024 /* free space before a recv into a private buffer */

static void on_eof(struct net_conn *c)
{
    c->eof = true;
    switch ((enum conn_state)c->state) {
    case CONN_TLS:
        return; /* the handshake sees it */
    case CONN_HTTP:
        http_eof(c);
        return;
    case CONN_BUSY: /* a client that ended only its own side still gets the answer */
        return;
    case CONN_BODY:
        conn_drop(c, "the connection ended inside a request's body");
        return;
    case CONN_STREAM:
        conn_drop(c, "the reader has gone");
        return;
    case CONN_CLOSING:
        ws_ended(c, c->close_code, "closed by this side; the peer ended without a close frame");
        conn_drop(c, "");
        return;
    case CONN_WS:
        conn_drop(c, "the connection ended without a close frame");
        return;
    case CONN_LINGER:
        if (!c->out)
            conn_drop(c, "");
        return;
    case CONN_DEAD:
        return;
    }
}

static size_t take(struct net_conn *c, uint8_t *buf, size_t len, uint32_t *need)
{
    if (c->state == CONN_HTTP)
        len = http_input(c, buf, len, need); /* may leave frames behind an upgrade */
    if (c->state == CONN_BODY)
        len = body_input(c, buf, len, need);
    if (c->state == CONN_WS || c->state == CONN_CLOSING)
        len = ws_input(c, buf, len, need);
    return c->state == CONN_LINGER || c->state == CONN_DEAD ? 0 : len;
}

void conn_take_private(struct net_conn *c)
{
    uint32_t need = 0;
    size_t rest = take(c, c->in->data, c->in->len, &need);

    if (c->state == CONN_DEAD)
        return; /* it has gone with the connection */
    if (rest == 0) {
        block_free(conn_net(c), &c->in);
        return;
    }
    c->in->len = (uint32_t)rest;
    c->in->need = need;
}

static void take_shared(struct net_conn *c, size_t len)
{
    struct net *n = conn_net(c);
    uint32_t need = 0;
    size_t rest = take(c, n->rx, len, &need);

    if (rest == 0 || c->state == CONN_DEAD)
        return;
    /* Announced lengths are not believed: memory follows the bytes that really came. */
    c->in = block_grow(n, NULL, need > rest && need < rest + ROOM_MIN ? need : rest);
    memcpy(c->in->data, n->rx, rest);
    c->in->len = (uint32_t)rest;
    c->in->need = need;
    if (c->state ==
        CONN_HTTP) { /* a request has begun: its time is shorter than that of an idle connection */
        c->mark_ms = net_now(n);
        conn_look_at(c);
    }
}

static void discard(struct net_conn *c, size_t len)
{
    c->discarded += (uint32_t)len;
    if (c->discarded > DISCARD_MAX)
        conn_drop(c, "");
}

static ssize_t receive(struct net_conn *c, void *at, size_t room)
{
    ssize_t got;

    if (c->ssl && c->state != CONN_LINGER) /* what is thrown away need not be deciphered */
        return tls_read(c, at, room);
    do
        got = recv(c->fd, at, room, 0);
    while (got < 0 && errno == EINTR);
    return got;
}

void conn_read(struct net_conn *c)
{
    struct net *n = conn_net(c);
    uint8_t *at = n->rx;
    size_t room = RX_SIZE;
    ssize_t got;

    if (c->in && c->state != CONN_LINGER) {
        if (c->in->cap - c->in->len < ROOM_MIN && (c->in->need == 0 || c->in->need > c->in->cap))
            c->in = block_grow(n, c->in, c->in->len + ROOM_MIN);
        at = c->in->data + c->in->len;
        room = c->in->cap - c->in->len;
    }
    got = receive(c, at, room);
    if (got < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            conn_drop(c, strerror(errno));
        return;
    }
    if (got == 0) {
        on_eof(c);
        return;
    }
    n->stats.rx_bytes += (uint64_t)got;
    c->rx_ms = net_now(n);
    c->pinged = false; /* any byte is a sign of life */
    if (c->state == CONN_LINGER) {
        discard(c, (size_t)got);
    } else if (c->in) {
        c->in->len += (uint32_t)got;
        conn_take_private(c);
    } else {
        take_shared(c, (size_t)got);
    }
}

void conn_on_poll(uv_poll_t *poll, int status, int events)
{
    struct net_conn *c = (struct net_conn *)poll;

    if (status < 0) {
        int error = 0;
        socklen_t len = sizeof error;

        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        conn_drop(c, error ? strerror(error) : "the connection broke");
        return;
    }
    if (c->state == CONN_TLS) {
        tls_handshake(c);
        if (c->extra && c->state == CONN_HTTP)
            conn_refuse_extra(c);
    } else if (c->state == CONN_BUSY || c->state == CONN_STREAM ||
               (c->state == CONN_BODY && c->held)) {
        if (events & UV_DISCONNECT)
            on_eof(c);
    } else if (events & (UV_READABLE | UV_DISCONNECT)) {
        conn_read(c);
    }
    conn_touch(c); /* net_flush writes and sets the events right */
}
