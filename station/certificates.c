/* station/certificates.c - see certificates.h. */
#include "station/impl.h"

_Static_assert(AMP_CHAIN_MAX + 512 <= AMP_ARENA_MAX && AMP_CSR_MAX + 512 <= AMP_ARENA_MAX,
               "a chain of certificates is decoded in the arena");
_Static_assert(AMP_CHAIN_MAX + AMP_CHAIN_MAX / 32 + 256 <= AMP_RX_MAX,
               "with a backslash for each line end it fits a frame");

#define DAY_MS    86400000
#define EXPIRY_MS (INT64_C(30) * DAY_MS) /* a new one is asked for so long before */
#define RETRY_MS  60000
#define RETRY_CAP 6 /* doublings */

/* CN of the certificate: the serial number, which is unique (ocpp-facts S10). */
static const char *own_name(const struct amp_station *st)
{
    return st->serial[0] ? st->serial : st->identity;
}

/* ---- asking for a new one ---- */

bool amp_security_sign(struct amp_station *st)
{
    struct amp_certificates *c = &st->certificates;

    if (!st->port->pki || !st->set.cpo_name[0])
        return false; /* nobody's name to put beside ours */
    c->wanted = c->triggered = true;
    c->tries = 0;
    c->retry_at = st->now;
    return true;
}

/* Once a day: does it run out within a month? */
static void look(struct amp_station *st)
{
    struct amp_certificates *c = &st->certificates;
    const struct amp_pki *p = st->port->pki;
    int64_t now = amp_station_unix_ms(st, st->now), expiry;

    if (!now || !amp_due(st, c->check_at))
        return;
    c->check_at = st->now + DAY_MS;
    (void)amp_due(st, c->check_at);
    expiry = p->expiry(p->ctx, now);
    if (!expiry || expiry - now > EXPIRY_MS || c->wanted)
        return;
    if (amp_security_sign(st))
        c->triggered = false;
    else
        amp_log(st, AMP_LOG_WARN, "the certificate runs out, and CpoName is not set");
}

bool amp_certificates_due(struct amp_station *st)
{
    struct amp_certificates *c = &st->certificates;

    if (!st->port->pki)
        return false;
    if (amp_online(st))
        look(st);
    else if (!c->triggered || st->boot_state != AMP_BOOT_PENDING)
        return false;
    return c->wanted && amp_due(st, c->retry_at);
}

int amp_certificates_request(struct amp_station *st, struct amp_text *csr)
{
    const struct amp_pki *p = st->port->pki;
    char *room = amp_arena_alloc(&st->arena, AMP_CSR_MAX);
    int rc =
        room ? p->request(p->ctx, own_name(st), st->set.cpo_name, room, AMP_CSR_MAX) : AMP_E_FULL;

    if (rc < 0)
        return rc;
    *csr = (struct amp_text){ room, (uint32_t)rc };
    return 0;
}

/* Accepted: CertificateSigned follows. Rejected: the daily look asks again, if age is the reason.
 */
void amp_certificates_answered(struct amp_station *st, bool accepted)
{
    st->certificates.wanted = st->certificates.triggered = false;
    if (!accepted)
        amp_log(st, AMP_LOG_WARN, "the central system does not sign our certificate");
}

void amp_certificates_failed(struct amp_station *st, int rc)
{
    struct amp_certificates *c = &st->certificates;

    if (rc == AMP_E_PROTOCOL) {
        amp_certificates_answered(st, false);
        return;
    }
    c->retry_at = rc == AMP_E_IO ? st->now : st->now + ((uint64_t)RETRY_MS << c->tries);
    if (rc != AMP_E_IO && c->tries < RETRY_CAP)
        c->tries++;
}

void amp_certificates_dropped(struct amp_station *st)
{
    st->certificates.check_at = st->now + DAY_MS;
}

/* ---- what the central system does ---- */

int amp_certificates_signed(struct amp_station *st, struct amp_text chain, bool *accepted)
{
    const struct amp_pki *p = st->port->pki;
    const char *why = "too long";
    int rc = AMP_E_FORMAT;

    if (!p)
        return AMP_E_SUPPORT;
    if (chain.len <= AMP_CHAIN_MAX)
        rc = p->accept(p->ctx, chain, own_name(st), amp_station_unix_ms(st, st->now), &why);
    *accepted = rc == 0;
    if (rc < 0) {
        amp_log2(st, AMP_LOG_WARN, "the signed certificate is not used: ", amp_text_of(why));
        amp_events_raise(st, AMP_SEC_OWN_CERTIFICATE, amp_text_of(why));
        return 0;
    }
    amp_events_raise(st, AMP_SEC_RECONFIGURED, AMP_TEXT("own certificate"));
    st->certificates.check_at = st->now;
    if (st->set.security_profile == 3)
        amp_security_reconnect(st, "reconnecting with the new certificate");
    return 0;
}

int amp_certificates_install(struct amp_station *st, enum amp_root use, struct amp_text pem,
                             enum amp_install_result *out)
{
    const struct amp_pki *p = st->port->pki;
    const char *why = "";
    int rc;

    if (!p)
        return AMP_E_SUPPORT;
    rc = p->install(p->ctx, use, pem, (unsigned)st->set.certificates_max,
                    st->set.additional_root_check != 0, amp_station_unix_ms(st, st->now), &why);
    *out = rc == 0          ? AMP_INSTALL_ACCEPTED
           : rc == AMP_E_IO ? AMP_INSTALL_FAILED
                            : AMP_INSTALL_REJECTED;
    if (rc < 0)
        amp_log2(st, AMP_LOG_WARN, "a root certificate is not installed: ", amp_text_of(why));
    else
        amp_events_raise(st, AMP_SEC_RECONFIGURED, AMP_TEXT("root certificate installed"));
    if (use == AMP_ROOT_CENTRAL && (rc == AMP_E_FORMAT || rc == AMP_E_AUTH))
        amp_events_raise(st, AMP_SEC_CENTRAL_CERTIFICATE, amp_text_of(why));
    return 0;
}

int amp_certificates_delete(struct amp_station *st, const struct amp_certificate_id *id,
                            enum amp_delete_result *out)
{
    const struct amp_pki *p = st->port->pki;
    int rc;

    if (!p)
        return AMP_E_SUPPORT;
    rc = p->remove(p->ctx, id);
    *out = rc == 0              ? AMP_DELETE_ACCEPTED
           : rc == AMP_E_ABSENT ? AMP_DELETE_NOT_FOUND
                                : AMP_DELETE_FAILED;
    if (rc == 0)
        amp_events_raise(st, AMP_SEC_RECONFIGURED, AMP_TEXT("root certificate deleted"));
    return 0;
}
