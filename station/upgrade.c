/* station/upgrade.c - from the socket to the WebSocket: the request, and whether the answer is for us.
 * station-1.6 1; ocpp-facts 2. */
#include "station/impl.h"

void amp_station_connected(struct amp_station *st, uint64_t now)
{
    struct amp_link *l = &st->link;
    char auth[160];
    struct amp_buf out, auth_out;
    struct amp_endpoint to;
    struct amp_url url;

    st->now = now > st->now ? now : st->now;
    if (st->dead || l->state != AMP_LINK_OPENING)
        return;
    amp_link_state(st, AMP_LINK_UPGRADING);
    amp_buf_init(&auth_out, auth, sizeof(auth));
    amp_security_authorization(st, &auth_out);
    amp_security_endpoint(st, &url, &to);
    amp_buf_init(&out, l->tx, sizeof(l->tx));
    if (st->port->random(st->port->ctx, l->key, sizeof(l->key)) < 0) {
        amp_link_drop(st, "no random numbers");
        return;
    }
    amp_ws_request(&out, &url, amp_text_of(st->identity), st->dialect->subprotocol,
                   auth_out.len ? amp_buf_text(&auth_out) : AMP_NO_TEXT, l->key);
    l->tx_len = out.len;
    l->tx_sent = l->rx_len = l->rx_done = 0;
    amp_link_flush(st);
}

static void upgraded(struct amp_station *st)
{
    struct amp_link *l = &st->link;

    amp_ws_init(&l->ws, AMP_WS_CLIENT, AMP_RX_MAX);
    l->last_message_at = l->up_since = st->now;
    l->ping_out = false;
    l->ping_at = st->now + (uint64_t)st->set.ping_s * 1000;
    amp_security_up(st);
    st->queue.backlog = st->queue.next;
    if (st->boot_state == AMP_BOOT_NONE)
        st->boot_at = st->now;
    amp_link_state(st, AMP_LINK_UP);
    amp_report_resume(st);
}

/* Is this the server we asked for? NULL, or what is wrong. */
static const char *check_upgrade(struct amp_station *st, const struct amp_http_head *h)
{
    char key[32], accept[AMP_WS_ACCEPT_LEN + 1];
    struct amp_buf b;

    if (h->status == 401)
        amp_security_refused(st);
    if (h->status == 401)
        return "refused: the server does not accept the password";
    if (h->status == 404)
        return "refused: the server does not know this station";
    if (h->status != 101 || !h->upgrade)
        return "the server does not speak WebSocket here";
    amp_buf_init(&b, key, sizeof(key));
    amp_base64_encode(&b, st->link.key, sizeof(st->link.key));
    amp_ws_accept(amp_buf_text(&b), accept);
    if (!amp_text_is(amp_http_get(h, "Sec-WebSocket-Accept"), accept))
        return "the server's answer is not for this request";
    if (!amp_text_is(amp_http_get(h, "Sec-WebSocket-Protocol"), st->dialect->subprotocol))
        return "the server does not speak this version of OCPP";
    if (amp_http_get(h, "Sec-WebSocket-Extensions").at)
        return "the server uses an extension that was not asked for";
    return NULL;
}

/* The HTTP answer. False: nothing more to do with what was received. */
bool amp_upgrade_take(struct amp_station *st)
{
    struct amp_link *l = &st->link;
    struct amp_http_head h;
    const char *wrong;
    int rc = amp_http_response((struct amp_text){ (const char *)l->rx, (uint32_t)l->rx_len }, &h);

    if (rc == 0 && l->rx_len < AMP_HTTP_HEAD_MAX && l->rx_len < sizeof(l->rx))
        return false;
    wrong = rc == 1 ? check_upgrade(st, &h) : "the server's answer is not HTTP";
    if (wrong) {
        amp_link_drop(st, wrong);
        return false;
    }
    memmove(l->rx, l->rx + h.len, l->rx_len - h.len);
    l->rx_len -= h.len;
    upgraded(st);
    return true;
}
