/* station/link.c - the connection: open, upgrade, keep alive, give up, try again. station-1.6 1-3,
 * 11-14; ocpp-facts 2. */
#include "station/impl.h"

#define CLOSE_WAIT_MS 3000  /* for the peer's close frame */
#define LASTING_MS    60000 /* a connection that held so long was a good one */
#define FRAME_ROOM    8     /* in front of a message: head and mask of a client frame below 64 KB */
_Static_assert(AMP_TX_MAX < 65536, "the frame head is written for at most 16 bits of length");

void amp_link_state(struct amp_station *st, enum amp_link_state state)
{
    st->link.state = (uint8_t)state;
    amp_emit(st, AMP_EVENT_LINK, 0, state, 0, AMP_NO_TEXT);
}

bool amp_link_idle(const struct amp_station *st)
{
    return st->link.tx_len == st->link.tx_sent;
}

/* ---- back-off ---- */

/* 5, 10, 20, 40, 80 ... s up to the cap, and a random part on top, so that a fleet does not come
 * back in one breath (2). */
static uint64_t back_off_ms(struct amp_station *st)
{
    unsigned shift = st->link.failures ? st->link.failures - 1 : 0;
    uint64_t s = (uint64_t)st->reconnect_first_s << (shift < 20 ? shift : 20);

    if (s > st->reconnect_cap_s)
        s = st->reconnect_cap_s;
    return s * 1000 + s * 10 * (amp_random32(st) % (st->reconnect_jitter_pct + 1));
}

/* Bookkeeping of a connection that is no more. */
static void went_down(struct amp_station *st)
{
    struct amp_link *l = &st->link;

    l->rx_len = l->rx_done = l->tx_len = l->tx_sent = 0;
    l->closing = l->ping_out = false;
    if (l->state == AMP_LINK_UP && st->now >= l->up_since + LASTING_MS)
        l->failures = 0;
    if (l->state != AMP_LINK_UP)
        amp_security_failed(st);
    l->failures++;
    if (l->failures >= st->reconnect_attempts && st->reconnect_attempts != UINT32_MAX) {
        l->next_at = AMP_NEVER;
        amp_link_state(st, AMP_LINK_GIVEN_UP);
        amp_emit(
            st, AMP_EVENT_OPERATOR, 0, 0, 0,
            AMP_TEXT(
                "the central system cannot be reached: check URL, identity, password and network"));
    } else {
        l->next_at = st->now + back_off_ms(st);
        (void)amp_due(st, l->next_at);
        amp_link_state(st, AMP_LINK_DOWN);
    }
    amp_pump_lost(st);
}

void amp_link_drop(struct amp_station *st, const char *why)
{
    if (st->link.state == AMP_LINK_DOWN || st->link.state == AMP_LINK_GIVEN_UP)
        return;
    amp_log(st, AMP_LOG_WARN, why);
    st->port->net_close(st->port->ctx);
    went_down(st);
}

/* The peer is gone: perhaps because of what we showed. */
static void hung_up(struct amp_station *st)
{
    if (st->link.state == AMP_LINK_UPGRADING && st->link.rx_len == 0)
        amp_security_hung_up(st);
}

/* ---- out ---- */

void amp_link_flush(struct amp_station *st)
{
    struct amp_link *l = &st->link;

    while (l->tx_sent < l->tx_len) {
        int n = st->port->net_send(st->port->ctx, l->tx + l->tx_sent, l->tx_len - l->tx_sent);

        if (n < 0) {
            hung_up(st);
            amp_link_drop(st, "sending failed");
            return;
        }
        if (n == 0)
            return; /* amp_station_writable will come */
        l->tx_sent += (size_t)n;
    }
    l->tx_len = l->tx_sent = 0;
}

/* Bytes that have left make room for those that wait. */
static void shift(struct amp_link *l)
{
    memmove(l->tx, l->tx + l->tx_sent, l->tx_len - l->tx_sent);
    l->tx_len -= l->tx_sent;
    l->tx_sent = 0;
}

struct amp_buf amp_link_message(struct amp_station *st)
{
    struct amp_link *l = &st->link;
    size_t from, room;
    struct amp_buf b;

    shift(l);
    from = l->tx_len + FRAME_ROOM;
    room = from < sizeof(l->tx) ? sizeof(l->tx) - from : 0;
    amp_buf_init(&b, l->tx + from, room < AMP_TX_MAX ? room : AMP_TX_MAX);
    return b;
}

/* The message stands FRAME_ROOM bytes behind what waits; put the head in front and mask it where it
 * is. */
void amp_link_send(struct amp_station *st, const struct amp_buf *message, bool shown)
{
    struct amp_link *l = &st->link;
    uint8_t head[AMP_WS_HEAD_MAX], mask[4];
    uint32_t random = amp_random32(st);
    size_t size = amp_ws_head(head, AMP_WS_TEXT, message->len);
    char *to = l->tx + l->tx_len;

    if (message->full || !message->len || l->state != AMP_LINK_UP || l->closing)
        return;
    if (shown)
        amp_emit(st, AMP_EVENT_MESSAGE, 0, 1, 0, amp_buf_text(message));
    l->last_message_at = st->now;
    head[1] |= 0x80;
    memcpy(mask, &random, 4);
    memmove(to + size + 4, message->at, message->len);
    memcpy(to, head, size);
    memcpy(to + size, mask, 4);
    for (size_t i = 0; i < message->len; i++)
        to[size + 4 + i] = (char)(to[size + 4 + i] ^ (char)mask[i & 3]);
    l->tx_len += size + 4 + message->len;
    amp_link_flush(st);
}

/* Control frames go behind what waits; when there is no room, the peer does not read and has no
 * claim to a pong. */
static void control(struct amp_station *st, enum amp_ws_opcode op, const void *data, size_t len)
{
    struct amp_link *l = &st->link;
    struct amp_buf out;

    shift(l);
    amp_buf_init(&out, l->tx + l->tx_len, sizeof(l->tx) - l->tx_len);
    amp_ws_write(&l->ws, &out, op, data, len, amp_random32(st));
    if (!out.full)
        l->tx_len += out.len;
    amp_link_flush(st);
}

void amp_link_close(struct amp_station *st, int code, const char *why)
{
    struct amp_link *l = &st->link;
    struct amp_buf out;

    if (l->state != AMP_LINK_UP) {
        amp_link_drop(st, why);
        return;
    }
    if (l->closing)
        return;
    amp_log(st, AMP_LOG_INFO, why);
    shift(l);
    amp_buf_init(&out, l->tx + l->tx_len, sizeof(l->tx) - l->tx_len);
    amp_ws_write_close(&l->ws, &out, code, why, amp_random32(st));
    l->tx_len += out.full ? 0 : out.len;
    l->closing = true;
    l->deadline_at = st->now + CLOSE_WAIT_MS;
    amp_link_flush(st);
}

/* ---- opening ---- */

static void open_socket(struct amp_station *st)
{
    struct amp_url url;
    struct amp_endpoint to;

    amp_security_endpoint(st, &url, &to);
    st->link.deadline_at = st->now + (uint64_t)st->connect_timeout_s * 1000;
    amp_link_state(st, AMP_LINK_OPENING);
    if (st->port->net_open(st->port->ctx, &to) < 0)
        went_down(st);
}

/* ---- in ---- */

static void pinged(struct amp_station *st, const struct amp_ws_event *ev)
{
    char copy[125];

    memcpy(copy, ev->data, ev->len); /* ws.h: at most 125 */
    control(st, AMP_WS_PONG, copy, ev->len);
}

static void peer_closed(struct amp_station *st)
{
    if (!st->link.closing)
        amp_link_close(st, 1000, "closed by the central system");
    amp_link_drop(st, "connection closed");
}

/* Take one event out of rx. False: nothing left for now. */
static bool take_frame(struct amp_station *st)
{
    struct amp_link *l = &st->link;
    struct amp_ws_event ev;

    /* an answer may need all of tx: what comes next waits until the last one has left */
    if (!amp_link_idle(st) && !l->closing)
        return false;
    amp_ws_next(&l->ws, l->rx, &l->rx_len, &l->rx_done, &ev);
    switch (ev.kind) {
    case AMP_WS_MORE:
        return false;
    case AMP_WS_MESSAGE:
        if (l->closing)
            return true;
        if (ev.opcode == AMP_WS_TEXT)
            amp_pump_receive(st, (struct amp_text){ (const char *)ev.data, (uint32_t)ev.len });
        else
            amp_link_close(st, 1003, "binary messages are not OCPP");
        return true;
    case AMP_WS_PINGED:
        pinged(st, &ev);
        return true;
    case AMP_WS_PONGED:
        l->ping_out = false;
        l->failures = 0; /* it holds */
        return true;
    case AMP_WS_CLOSED:
        peer_closed(st);
        return false;
    default:
        l->rx_len = l->rx_done = 0; /* nothing of it can be used */
        amp_link_close(st, ev.code, ev.why);
        return false;
    }
}

static void take_all(struct amp_station *st)
{
    if (st->link.state == AMP_LINK_UPGRADING && !amp_upgrade_take(st))
        return;
    while (!st->dead && st->link.state == AMP_LINK_UP && take_frame(st))
        ;
}

void amp_station_received(struct amp_station *st, const void *data, size_t len, uint64_t now)
{
    struct amp_link *l = &st->link;
    const uint8_t *p = data;

    st->now = now > st->now ? now : st->now;
    while (len && !st->dead && (l->state == AMP_LINK_UPGRADING || l->state == AMP_LINK_UP)) {
        size_t n = sizeof(l->rx) - l->rx_len;

        if (n == 0) {
            amp_link_close(st, 1008, "the central system sends but does not read");
            amp_link_drop(st, "too much unread data");
            return;
        }
        if (n > len)
            n = len;
        memcpy(l->rx + l->rx_len, p, n);
        l->rx_len += n;
        p += n;
        len -= n;
        take_all(st);
    }
}

void amp_station_writable(struct amp_station *st, uint64_t now)
{
    st->now = now > st->now ? now : st->now;
    if (st->dead)
        return;
    amp_link_flush(st);
    if (amp_link_idle(st))
        take_all(st);
}

void amp_station_closed(struct amp_station *st, uint64_t now)
{
    st->now = now > st->now ? now : st->now;
    if (st->dead || st->link.state == AMP_LINK_DOWN || st->link.state == AMP_LINK_GIVEN_UP)
        return;
    hung_up(st);
    went_down(st);
}

void amp_station_retry(struct amp_station *st, uint64_t now)
{
    st->now = now > st->now ? now : st->now;
    st->link.failures = 0;
    if (st->link.state != AMP_LINK_DOWN && st->link.state != AMP_LINK_GIVEN_UP)
        return;
    st->link.next_at = st->now;
    if (st->link.state == AMP_LINK_GIVEN_UP)
        amp_link_state(st, AMP_LINK_DOWN);
}

/* ---- time ---- */

/* A pong that is missing for a whole interval means that nobody is there (13). */
static void ping(struct amp_station *st)
{
    struct amp_link *l = &st->link;
    uint64_t interval = (uint64_t)st->set.ping_s * 1000;

    if (!interval || !amp_due(st, l->ping_at))
        return;
    if (l->ping_out) {
        amp_link_drop(st, "no pong: the connection is dead");
        return;
    }
    l->ping_out = true;
    l->ping_at = st->now + interval;
    (void)amp_due(st, l->ping_at);
    control(st, AMP_WS_PING, "amp", 3);
}

void amp_link_poll(struct amp_station *st)
{
    struct amp_link *l = &st->link;

    switch (l->state) {
    case AMP_LINK_DOWN:
        if (amp_due(st, l->next_at)) {
            open_socket(st);
            (void)amp_due(st, l->state == AMP_LINK_OPENING ? l->deadline_at : l->next_at);
        }
        break;
    case AMP_LINK_OPENING:
    case AMP_LINK_UPGRADING:
        if (amp_due(st, l->deadline_at))
            amp_link_drop(st, "no connection in time");
        break;
    case AMP_LINK_UP:
        if (l->closing) {
            if (amp_due(st, l->deadline_at))
                amp_link_drop(st, "connection closed");
            break;
        }
        if (st->security.reconnect && amp_link_idle(st)) {
            amp_link_close(st, 1000, st->security.reconnect);
            st->security.reconnect = NULL;
            break;
        }
        ping(st);
        break;
    default:
        break;
    }
}
