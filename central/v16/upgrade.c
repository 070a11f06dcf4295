/* central/v16/upgrade.c - who may connect: path, credentials, subprotocol. ocpp-facts C1-C8, S1,
 * S2; edge cases 35-38, 45-51. */
#include "ocpp/upgrade.h"
#include "central/counts.h"
#include "central/log.h"
#include "central/v16/inside.h"
#include "ocpp/base64.h"

#define IDENTITY_MAX     128 /* bytes; 2.x allows 48 characters, 1.6 sets no limit of its own */
#define REFUSED_A_MINUTE 60  /* kept as facts; whoever can connect must not be able to fill the disk */

static bool worth_a_fact(struct v16 *v, int64_t now_ms)
{
    if (now_ms - v->refused_since_ms >= 60000) {
        v->refused_since_ms = now_ms;
        v->refused = 0;
    }
    return v->refused++ < REFUSED_A_MINUTE;
}

static void tell_refused(struct v16 *v, const struct net_request *r, struct amp_text id, int code,
                         const char *why)
{
    struct charger *c = id.len ? world_charger(v->c->world, id) : NULL;
    struct fact f = { .kind = FACT_CONNECTION };

    f.u.connection = (struct connection_fact){
        .charger = c ? charger_fact(c)->key : 0,
        .at_ms = v->c->now_ms(),
        .event = CONNECTION_REFUSED,
        .code = code,
        .id = id,
        .address = amp_text_of(net_peer(r->conn)),
        .reason = amp_text_of(why),
    };
    if (worth_a_fact(v, f.u.connection.at_ms))
        central_emit(v->c, &f);
    counts_refused(v->c->counts, why);
    LOG_OFTEN(v->c->log, LOG_WARN, "v16", "station refused", LOG_TEXT("id", id),
              LOG_STR("peer", net_peer(r->conn)), LOG_INT("code", code), LOG_STR("why", why));
}

static void refuse(struct v16 *v, const struct net_request *r, struct amp_text id, int status,
                   const char *headers, const char *why)
{
    tell_refused(v, r, id, status, why);
    net_respond(r->conn, status, "text/plain; charset=utf-8", headers, why, strlen(why));
}

/* What amp_ws_identity objects to, in words and as a status. */
static const struct {
    int rc, status;
    const char *why;
} objections[] = {
    {AMP_E_ABSENT,  404, "the path must be /ocpp/ and the identity of the station"          },
    { AMP_E_FORMAT, 400, "the identity has a broken percent escape"                         },
    { AMP_E_VALUE,  400,
     "no identity: a colon, a control character, a dot path or broken UTF-8 is in its place"},
    { AMP_E_FULL,   400, "the identity is longer than 128 bytes"                            },
};

/* Exactly ours among those offered, in whatever order and in however many headers. */
static bool offers(const struct amp_http_head *h, const char *protocol, bool *any)
{
    struct amp_text item;
    unsigned header = 0;
    uint32_t at = 0;
    bool found = false;

    *any = false;
    while (amp_http_list(h, "Sec-WebSocket-Protocol", &header, &at, &item)) {
        *any = true;
        found = found || amp_text_is(item, protocol);
    }
    return found;
}

/* Well-formed credentials, or none. Passwords of chargers are not kept, so there is none to compare
 * with; the user name may then be anything, too (edge case 40). */
static bool credentials_readable(const struct amp_http_head *h)
{
    char block[512];
    struct amp_text user, password;
    int rc =
        amp_basic_decode(amp_http_get(h, "Authorization"), block, sizeof block, &user, &password);

    return rc == 0 || rc == AMP_E_ABSENT;
}

static void connect_station(struct v16 *v, const struct net_request *r, struct amp_text id,
                            struct amp_text protocol)
{
    int64_t now_ms = v->c->now_ms();
    struct charger *c = world_charger_meet(v->c->world, id, now_ms);
    struct session *s = v16_session_new(v, r->conn, c, now_ms), *old;

    net_set_data(r->conn, s);
    net_upgrade(r->conn, r->head, protocol);
    old = world_connected(v->c->world, c, s, AMP_TEXT(V16_PROTOCOL), amp_text_of(net_peer(r->conn)),
                          now_ms);
    LOG(v->c->log, LOG_INFO, "v16", "station connected", LOG_TEXT("charger", id),
        LOG_STR("peer", net_peer(r->conn)));
    if (!old)
        return;
    v16_call_abort(old, NULL, now_ms);
    if (old->conn) /* E45-E47: at once, and nobody waits for its end */
        net_close(old->conn, 1000, "replaced by a newer connection");
}

void v16_upgrade(struct v16 *v, const struct net_request *r)
{
    char block[IDENTITY_MAX];
    int len = amp_ws_identity(r->head->path, AMP_TEXT("/ocpp"), block, sizeof block);
    struct amp_text id = { block, len > 0 ? (uint32_t)len : 0 };
    bool any, ours = offers(r->head, V16_PROTOCOL, &any);

    for (size_t i = 0; i < AMP_COUNT(objections); i++)
        if (len == objections[i].rc) {
            refuse(v, r, AMP_NO_TEXT, objections[i].status, "", objections[i].why);
            return;
        }
    if (!r->head->upgrade) {
        refuse(v, r, id, 426, "Upgrade: websocket\r\n",
               "this is the WebSocket address of a charging station");
        return;
    }
    if (!credentials_readable(r->head)) {
        refuse(v, r, id, 401, "WWW-Authenticate: Basic realm=\"OCPP\"\r\n",
               "the Authorization header cannot be read");
        return;
    }
    if (ours || (!any && v->c->settings.default_protocol)) {
        connect_station(v, r, id, ours ? AMP_TEXT(V16_PROTOCOL) : AMP_NO_TEXT);
        return;
    }
    /* C4: the handshake is finished without the header, then closed. */
    tell_refused(v, r, id, AMP_WS_BROKEN, any ? "no common subprotocol" : "no subprotocol named");
    net_upgrade(r->conn, r->head, AMP_NO_TEXT);
    net_close(r->conn, AMP_WS_BROKEN, "no common subprotocol: this side speaks ocpp1.6");
}
