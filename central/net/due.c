/* central/net/due.c - what runs out when: one row of thought a state. A deadline is computed from
 * the time that the state began (mark_ms) or of the last byte (rx_ms), never stored, so that
 * traffic costs nothing here. */
#include "central/net/tls.h"

static uint64_t deadline(const struct net_conn *c)
{
    const struct net *n = conn_net(c);
    uint64_t idle = (uint64_t)n->config.idle_s * 1000, never = net_now(n) + WHEEL_SLOTS * TICK_MS;

    switch ((enum conn_state)c->state) {
    case CONN_TLS:
        return c->mark_ms + (uint64_t)n->config.request_s * 1000;
    case CONN_HTTP:
        return c->mark_ms +
               (c->in && !c->out && !c->body ? (uint64_t)n->config.request_s * 1000 : idle);
    case CONN_BODY:
        return c->held ? never : c->rx_ms + idle;
    case CONN_STREAM:
        return c->out ? c->mark_ms + idle : never;
    case CONN_WS:
        if (!n->config.ping_s)
            return never;
        return c->pinged ? c->mark_ms + (uint64_t)n->config.pong_s * 1000
                         : c->rx_ms + (uint64_t)n->config.ping_s * 1000;
    case CONN_CLOSING:
        return c->mark_ms + LINGER_MS;
    case CONN_LINGER:
        return c->mark_ms + (c->fin ? LINGER_MS : idle);
    case CONN_BUSY:
    case CONN_DEAD:
        break;
    }
    return never;
}

void conn_look_at(struct net_conn *c)
{
    if (c->state != CONN_DEAD)
        wheel_put(c, deadline(c));
}

static void overdue(struct net_conn *c)
{
    switch ((enum conn_state)c->state) {
    case CONN_TLS:
        tls_refuse(c, "TLS: the handshake did not end in time");
        return;
    case CONN_HTTP:
        if (c->in && !c->out)
            http_refuse(c, 408, "",
                        c->body ? "the request's body did not arrive in time"
                                : "the request's head did not arrive in time");
        else
            conn_drop(c, "idle");
        return;
    case CONN_WS:
        if (c->pinged)
            conn_drop(c, "no answer to a ping");
        else
            ws_ping(c);
        return;
    case CONN_CLOSING:
        ws_ended(c, c->close_code, "closed by this side; the peer did not answer");
        conn_drop(c, "");
        return;
    case CONN_BODY:
        conn_drop(c, "the request's body did not arrive in time");
        return;
    case CONN_STREAM:
    case CONN_LINGER:
        conn_drop(c, "the reader takes nothing");
        return;
    case CONN_BUSY:
    case CONN_DEAD:
        return;
    }
}

void conn_due(struct net_conn *c)
{
    if (c->state != CONN_DEAD && net_now(conn_net(c)) >= deadline(c))
        overdue(c);
    conn_look_at(c);
}

void conn_set_state(struct net_conn *c, enum conn_state state)
{
    c->state = (uint8_t)state;
    c->mark_ms = net_now(conn_net(c));
    if (state == CONN_HTTP)
        c->eof = false; /* seen while busy; what was sent before it is still to be read */
    conn_look_at(c);
}
