/* central/v16/upgrade.c - who may connect: path, then who it is (admit.c), then the subprotocol.
 * ocpp-facts C1-C8; edge cases 35-38, 45-51. */
#include "ocpp/upgrade.h"
#include "central/cluster.h"
#include "central/doctor.h"
#include "central/domain/access.h"
#include "central/log.h"
#include "central/pki/certificates.h"
#include "central/v16/admit.h"

#include <openssl/x509.h>
#include <stdio.h>

#define IDENTITY_MAX 128 /* bytes; 2.x allows 48 characters, 1.6 sets no limit of its own */

void v16_tell_refused(struct v16 *v, const struct net_conn *conn, const char *address,
                      struct amp_text id, enum refusal r)
{
    struct charger *c = id.len ? world_charger(v->c->world, id) : NULL;
    struct x509_st *x = net_certificate(conn);
    char name[64] = "";

    if (x)
        (void)X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name,
                                        sizeof name);
    doctor_refused(v->c->doctor, r,
                   &(struct doctor_case){ .org = c ? charger_fact(c)->org : 0,
                                          .charger = c ? charger_fact(c)->key : 0,
                                          .id = id,
                                          .name = amp_text_of(name),
                                          .address = address });
}

/* What is said aloud: of who somebody is or is not, nothing (E42). */
static void refuse(struct v16 *v, const struct admission *q, struct net_conn *conn, enum refusal r)
{
    const struct refusal_text *t = refusal_text(r);
    const char *why =
        t->code == 401 ? "not authorised; the operator's connection doctor says why" : t->why;
    char headers[64] = "";

    v16_tell_refused(v, conn, q->origin.address, q->id, r);
    if (t->code == 401)
        snprintf(headers, sizeof headers, "WWW-Authenticate: Basic realm=\"OCPP\"\r\n");
    else if (t->code == 426)
        snprintf(headers, sizeof headers, "Upgrade: websocket\r\n");
    else if (t->code == 429)
        snprintf(headers, sizeof headers, "Retry-After: %d\r\n", (int)(q->wait_ms / 1000 + 1));
    net_respond(conn, t->code, "text/plain; charset=utf-8", headers, why, strlen(why));
}

/* What amp_ws_identity objects to. */
static const struct {
    int rc;
    enum refusal refusal;
} objections[] = {
    { AMP_E_ABSENT, REFUSAL_PATH },
    { AMP_E_FORMAT, REFUSAL_ESCAPE },
    { AMP_E_VALUE, REFUSAL_IDENTITY },
    { AMP_E_FULL, REFUSAL_LONG_IDENTITY },
};

static enum refusal objection(int rc)
{
    for (size_t i = 0; i < AMP_COUNT(objections); i++)
        if (rc == objections[i].rc)
            return objections[i].refusal;
    return REFUSAL_NONE;
}

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

static void connect_station(struct v16 *v, const struct net_request *r, const struct admission *q,
                            struct amp_text protocol)
{
    int64_t now_ms = v->c->now_ms();
    struct session *s, *old;
    struct charger *c;

    if (v->c->cluster && !cluster_admit(v->c->cluster, r, q->id)) {
        admit_held(v->admit, q); /* it comes again when the station is ours */
        return;
    }
    c = world_charger_meet(v->c->world, q->id, now_ms);
    s = v16_session_new(v, r->conn, c, now_ms);
    s->profile = (uint8_t)q->profile;
    s->host = amp_text_hash(amp_text_of(q->origin.host));
    net_set_data(r->conn, s);
    net_upgrade(r->conn, r->head, protocol);
    if (charger_access(c)->max_message)
        net_limit_message(r->conn, (uint32_t)charger_access(c)->max_message);
    old = world_connected(v->c->world, c, s, AMP_TEXT(V16_PROTOCOL), amp_text_of(q->origin.address),
                          now_ms);
    admit_in(v->admit, q, c, now_ms);
    LOG(v->c->log, LOG_INFO, "v16", "station connected", LOG_TEXT("charger", q->id),
        LOG_STR("peer", q->origin.address), LOG_INT("profile", q->profile));
    if (!old)
        return;
    v16_call_abort(old, NULL, now_ms);
    if (old->conn) /* E45-E47: at once, and nobody waits for its end */
        net_close(old->conn, 1000, "replaced by a newer connection");
}

void v16_upgrade(struct v16 *v, const struct net_request *r)
{
    struct admission q = { .head = r->head, .conn = r->conn };
    char block[IDENTITY_MAX];
    int len = amp_ws_identity(r->head->path, AMP_TEXT("/ocpp"), block, sizeof block);
    bool any, ours = offers(r->head, V16_PROTOCOL, &any);
    enum refusal no = objection(len);

    q.id = (struct amp_text){ block, len > 0 ? (uint32_t)len : 0 };
    proxy_origin(v->c->proxies, net_peer(r->conn), net_secure(r->conn), r->head, &q.origin);
    if (no == REFUSAL_NONE && !r->head->upgrade)
        no = REFUSAL_NO_UPGRADE;
    if (no == REFUSAL_NONE)
        no = admit_ask(v->admit, &q);
    if (no != REFUSAL_NONE) {
        refuse(v, &q, r->conn, no);
    } else if (ours || (!any && v->c->settings.default_protocol)) {
        connect_station(v, r, &q, ours ? AMP_TEXT(V16_PROTOCOL) : AMP_NO_TEXT);
    } else { /* C4: the handshake is finished without the header, then closed */
        v16_tell_refused(v, r->conn, q.origin.address, q.id,
                         any ? REFUSAL_OTHER_PROTOCOL : REFUSAL_NO_PROTOCOL);
        net_upgrade(r->conn, r->head, AMP_NO_TEXT);
        net_close(r->conn, AMP_WS_BROKEN, "no common subprotocol: this side speaks ocpp1.6");
    }
}
