/* central/net/body.c - request bodies that come in pieces: files. Of a known length or in chunks;
 * the handler may hold them up while its disk is busy, and TCP holds up the sender. RFC 9112 §6,
 * §7. */
#include "central/net/conn.h"

#define LINE_MAX_LEN 256 /* of a chunk's size with its extensions, and of a trailer */
#define CHUNK_MAX    (UINT64_MAX >> 8)

enum phase { WHOLE, SIZE, DATA, DATA_END, TRAILER };

void body_begin(struct net_conn *c, const struct amp_http_head *head)
{
    c->body_in.phase = head->chunked ? SIZE : WHOLE;
    c->body_in.left = head->chunked ? 0 : (uint64_t)head->content_length;
    c->held = false;
    conn_set_state(c, CONN_BODY);
}

/* A piece for the handler; with the last one it owes an answer, and may give it at once. */
static void hand_on(struct net_conn *c, const uint8_t *at, size_t len, bool last)
{
    struct net *n = conn_net(c);

    if (last)
        conn_set_state(c, CONN_BUSY);
    n->handler.on_body(n->handler.ctx, c, (struct amp_text){ (const char *)at, (uint32_t)len },
                       last);
}

static size_t take_bytes(struct net_conn *c, const uint8_t *at, size_t len)
{
    size_t n = len < c->body_in.left ? len : (size_t)c->body_in.left;
    bool whole = c->body_in.phase == WHOLE;

    c->body_in.left -= n;
    if (!c->body_in.left && !whole)
        c->body_in.phase = DATA_END;
    hand_on(c, at, n, whole && !c->body_in.left);
    return n;
}

/* Length of a line with its end; 0: not complete; -1: too long. */
static int line(const uint8_t *at, size_t len)
{
    const uint8_t *end = memchr(at, '\n', len < LINE_MAX_LEN ? len : LINE_MAX_LEN);

    if (!end)
        return len < LINE_MAX_LEN ? 0 : -1;
    return end > at && end[-1] == '\r' ? (int)(end - at) + 1 : -1;
}

static int hex(uint8_t c)
{
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
}

/* "1a3;name=value\r\n". False: no chunk begins so. */
static bool chunk_size(const uint8_t *at, int len, uint64_t *out)
{
    int i = 0;

    for (*out = 0; i < len && hex(at[i]) >= 0 && *out < CHUNK_MAX; i++)
        *out = *out << 4 | (uint64_t)hex(at[i]);
    return i > 0 && (at[i] == '\r' || at[i] == ';' || at[i] == ' ' || at[i] == '\t');
}

/* A line between the data. Bytes taken; 0: it is not complete; -1: it is none. */
static int take_line(struct net_conn *c, const uint8_t *at, size_t len)
{
    int n = line(at, len);
    bool empty = n == 2;

    if (n <= 0)
        return n;
    switch ((enum phase)c->body_in.phase) {
    case SIZE:
        if (!chunk_size(at, n, &c->body_in.left))
            return -1;
        c->body_in.phase = c->body_in.left ? DATA : TRAILER;
        return n;
    case DATA_END:
        c->body_in.phase = SIZE;
        return empty ? n : -1;
    case TRAILER:
        if (empty)
            hand_on(c, at, 0, true);
        return n;
    case WHOLE:
    case DATA:
        break;
    }
    return -1;
}

size_t body_input(struct net_conn *c, uint8_t *buf, size_t len, uint32_t *need)
{
    size_t at = 0;

    *need = 0;
    while (c->state == CONN_BODY && !c->held && !c->doomed && at < len) {
        int n;

        if (c->body_in.phase == WHOLE || c->body_in.phase == DATA) {
            at += take_bytes(c, buf + at, len - at);
            continue;
        }
        n = take_line(c, buf + at, len - at);
        if (n < 0)
            conn_doom(c);
        if (n <= 0) {
            *need = (uint32_t)(len - at) + 1;
            break;
        }
        at += (size_t)n;
    }
    if (c->state == CONN_DEAD || c->state == CONN_LINGER)
        return 0;
    if (at && at < len)
        memmove(buf, buf + at, len - at);
    return len - at;
}

void net_body_hold(struct net_conn *c)
{
    if (c->state == CONN_BODY)
        c->held = true;
}

void net_body_go(struct net_conn *c)
{
    if (c->state != CONN_BODY || !c->held)
        return;
    c->held = false;
    c->rx_ms = net_now(conn_net(c)); /* the sender's time begins anew */
    conn_look_at(c);
    conn_touch(c);
}
