/* central/net/websocket.c - WebSocket connections: frames in and out, pings, both closing
 * handshakes. RFC 6455; the framing itself is ocpp/ws.c. */
#include "central/net/conn.h"

void ws_ended(struct net_conn *c, int code, const char *why)
{
    struct net *n = conn_net(c);

    if (!c->upgraded)
        return;
    c->upgraded = false;
    n->stats.websockets--;
    if (code == AMP_WS_LOST)
        n->stats.lost++;
    n->handler.on_closed(n->handler.ctx, c, code, why);
}

void net_upgrade(struct net_conn *c, const struct amp_http_head *head, struct amp_text protocol)
{
    struct net *n = conn_net(c);
    struct amp_buf out;
    struct amp_text key;
    char text[512];

    if (c->state != CONN_BUSY || amp_ws_asked(head, &key) < 0)
        return;
    amp_buf_init(&out, text, sizeof text);
    amp_ws_response(&out, key, protocol);
    if (out.full) {
        net_respond(c, 500, "text/plain; charset=utf-8", "", "", 0);
        return;
    }
    conn_put(c, out.at, out.len);
    amp_ws_init(&c->ws, AMP_WS_SERVER, n->config.max_message);
    c->upgraded = true;
    c->pinged = false;
    n->stats.websockets++;
    conn_set_state(c, CONN_WS);
}

void net_limit_message(struct net_conn *c, uint32_t max)
{
    if (c->state == CONN_WS && max < conn_net(c)->config.max_message)
        c->ws.max = max;
}

/* Frames are written straight into the queue: the server's are not masked, so the payload goes as
 * it is. */
static bool put_frame(struct net_conn *c, enum amp_ws_opcode op, const void *data, size_t len)
{
    uint8_t head[AMP_WS_HEAD_MAX];
    size_t size = amp_ws_head(head, op, len);
    uint8_t *at;

    if (c->ws.close_sent) /* RFC 6455 §5.5.1 */
        return false;
    at = conn_room(c, size + len);
    if (!at)
        return false;
    memcpy(at, head, size);
    if (len)
        memcpy(at + size, data, len);
    return true;
}

static void put_close(struct net_conn *c, int code, const char *why)
{
    char frame[AMP_WS_HEAD_MAX + AMP_WS_CONTROL_MAX];
    struct amp_buf out;

    amp_buf_init(&out, frame, sizeof frame);
    amp_ws_write_close(&c->ws, &out, code, why, 0);
    conn_put(c, out.at, out.len);
}

bool net_send(struct net_conn *c, enum amp_ws_opcode op, const void *data, size_t len)
{
    if (c->state != CONN_WS || !put_frame(c, op, data, len))
        return false;
    conn_net(c)->stats.tx_messages++;
    return true;
}

void ws_ping(struct net_conn *c)
{
    c->pinged = true;
    c->mark_ms = net_now(conn_net(c));
    (void)put_frame(c, AMP_WS_PING, NULL, 0);
}

void ws_close(struct net_conn *c, int code, const char *why)
{
    if (c->state != CONN_WS)
        return;
    c->close_code = (uint16_t)code;
    put_close(c, code, why);
    conn_set_state(c, CONN_CLOSING);
}

void net_close(struct net_conn *c, int code, const char *why)
{
    if (code == 0 || c->state == CONN_HTTP || c->state == CONN_BUSY || c->state == CONN_BODY ||
        c->state == CONN_STREAM)
        conn_doom(c);
    else
        ws_close(c, code, why);
}

/* The peer's close frame: echo it unless ours was first, and end. */
static void on_close_frame(struct net_conn *c, const struct amp_ws_event *ev)
{
    char why[AMP_WS_CONTROL_MAX];

    amp_text_copy(why, sizeof why, (struct amp_text){ (const char *)ev->data, (uint32_t)ev->len });
    if (c->state == CONN_CLOSING) {
        ws_ended(c, c->close_code, "closed by this side");
    } else {
        put_close(c, ev->code, NULL);
        ws_ended(c, ev->code, why);
    }
    conn_linger(c);
}

static void on_failure(struct net_conn *c, const struct amp_ws_event *ev)
{
    conn_net(c)->stats.broken++;
    put_close(c, ev->code, ev->why);
    ws_ended(c, ev->code, ev->why);
    conn_linger(c);
}

static void on_event(struct net_conn *c, const struct amp_ws_event *ev)
{
    struct net *n = conn_net(c);

    switch (ev->kind) {
    case AMP_WS_MESSAGE:
        n->stats.rx_messages++;
        if (c->state == CONN_WS && !c->doomed)
            n->handler.on_message(n->handler.ctx, c, (enum amp_ws_opcode)ev->opcode,
                                  (struct amp_text){ (const char *)ev->data, (uint32_t)ev->len });
        return;
    case AMP_WS_PINGED:
        (void)put_frame(c, AMP_WS_PONG, ev->data, ev->len);
        return;
    case AMP_WS_CLOSED:
        on_close_frame(c, ev);
        return;
    case AMP_WS_FAILED:
        on_failure(c, ev);
        return;
    case AMP_WS_PONGED:
    case AMP_WS_MORE:
        return;
    }
}

size_t ws_input(struct net_conn *c, uint8_t *buf, size_t len, uint32_t *need)
{
    struct amp_ws_event ev;
    size_t done = 0, taken = 0;
    unsigned messages = 0;

    while (c->state == CONN_WS || c->state == CONN_CLOSING) {
        if (messages >= TURN_MESSAGES || taken >= TURN_BYTES) {
            amp_ws_pause(&c->ws, buf, &len, &done);
            if (len)
                conn_hunger(c); /* one that floods waits for its next turn as all do */
            *need = 0;
            return len;
        }
        amp_ws_next(&c->ws, buf, &len, &done, &ev);
        if (ev.kind == AMP_WS_MORE) {
            *need = (uint32_t)ev.need;
            return len;
        }
        messages++;
        taken += ev.len;
        on_event(c, &ev);
    }
    return 0;
}
