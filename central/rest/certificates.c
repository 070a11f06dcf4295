/* central/rest/certificates.c - certificates of stations: which there are, revoking one, what an
 * outside authority has signed; our own authority and its revocation list. */
#include "central/pki/authority.h"
#include "central/pki/issue.h"
#include "central/rest/audit.h"
#include "central/rest/commands.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

#include "messages/api.h"
#include <stdlib.h>

static void shape_certificate(struct amp_json *w, const struct central *c,
                              const struct certificate_fact *f, bool texts)
{
    amp_json_open(w, '{');
    shape_text(w, "id", f->id);
    shape_text(w, "charger", shape_charger_id(c, f->charger));
    amp_json_key(w, "state");
    amp_json_str(w, certificate_state_name(f->state));
    shape_text(w, "name", f->name);
    shape_text(w, "serial", f->serial);
    shape_text(w, "issuer", f->issuer);
    shape_text(w, "reason", f->reason);
    shape_time(w, "askedAt", f->asked_ms);
    shape_time(w, "issuedAt", f->issued_ms);
    shape_time(w, "validFrom", f->from_ms);
    shape_time(w, "validTo", f->to_ms);
    shape_time(w, "revokedAt", f->revoked_ms);
    if (texts) {
        shape_text(w, "request", f->csr);
        shape_text(w, "certificate", f->pem);
    }
    amp_json_close(w, '}');
}

void rest_list_certificates(struct rest_call *call)
{
    struct certificates *k = call->c->certificates;
    int64_t charger = 0;
    char state[16] = "";
    struct amp_json *w;

    if (!rest_query_charger(call, &charger))
        return;
    (void)rest_query(call, "state", state, sizeof state);
    w = rest_list(call, live_seq(call->c->live));
    for (size_t i = certificates_count(k); i-- > 0;) {
        const struct certificate_fact *f = certificates_at(k, i);

        if (f->org == call->who.org && (!charger || f->charger == charger) &&
            (!*state || !strcmp(state, certificate_state_name(f->state))))
            shape_certificate(w, call->c, f, false);
    }
    rest_list_end(call, 0);
}

static const struct certificate_fact *one(struct rest_call *call)
{
    const struct certificate_fact *f = certificates_get(call->c->certificates, rest_param(call, 0));

    if (f && f->org == call->who.org)
        return f;
    rest_absent(call, "certificate", rest_param(call, 0));
    return NULL;
}

static void answer(struct rest_call *call)
{
    const struct certificate_fact *f = certificates_get(call->c->certificates, rest_param(call, 0));

    if (!f || !rest_conn(call)) {
        rest_drop(call);
        return;
    }
    shape_certificate(rest_begin(call), call->c, f, true);
    rest_send(call, 200);
}

void rest_get_certificate(struct rest_call *call)
{
    if (one(call))
        answer(call);
}

static void audit(struct rest_call *call, const char *action, struct amp_text reason)
{
    const struct certificate_fact *f = certificates_get(call->c->certificates, rest_param(call, 0));

    shape_certificate(rest_is(call), call->c, f, false);
    rest_audit(call, &(struct rest_change){ .action = action,
                                            .kind = "certificate",
                                            .thing = rest_param(call, 0),
                                            .charger = f->charger,
                                            .reason = reason });
}

void rest_revoke_certificate(struct rest_call *call)
{
    const struct certificate_fact *f = one(call);
    struct api_revoke_certificate q;

    if (!f || !rest_body(call, &q))
        return;
    shape_certificate(rest_was(call), call->c, f, false);
    if (issue_revoke(call->c->issue, rest_param(call, 0), q.reason) < 0) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 409,
                                             .kind = "bad-state",
                                             .title = "There is nothing to revoke",
                                             .field = "id",
                                             .cure = "Revoke one that was issued." },
                     "The certificate was never issued, or is revoked already.");
        return;
    }
    audit(call, "revoke", q.reason);
    rest_after(call, answer);
}

/* An outside authority that takes its time. */
static void given(struct rest_call *call)
{
    const struct certificate_fact *f = certificates_get(call->c->certificates, rest_param(call, 0));
    struct charger *ch = f ? world_charger_by_key(call->c->world, f->charger) : NULL;

    if (ch)
        v16_kick(call->c->v16, ch);
    answer(call);
}

void rest_give_certificate(struct rest_call *call)
{
    const struct certificate_fact *f = one(call);
    struct api_give_certificate q;
    char why[ISSUE_WHY] = "";
    int rc;

    if (!f || !rest_body(call, &q))
        return;
    shape_certificate(rest_was(call), call->c, f, false);
    rc = issue_give(call->c->issue, rest_param(call, 0), q.certificate, why);
    if (rc < 0) {
        rest_problem(call,
                     &(struct rest_problem){
                         .status = rc == AMP_E_ABSENT ? 409 : 422,
                         .kind = rc == AMP_E_ABSENT ? "bad-state" : "bad-value",
                         .title = rc == AMP_E_ABSENT
                                      ? "This request does not wait for a certificate"
                                      : "This can't be its certificate",
                         .field = "certificate",
                         .cure = "Give the PEM of the certificate for this request, and of those "
                                 "above it." },
                     "%s", *why ? why : "It was signed, refused, or asked for again.");
        return;
    }
    audit(call, "give", AMP_NO_TEXT);
    rest_after(call, given);
}

/* ---- the authority ---- */

static struct authority *ours(struct rest_call *call)
{
    char *why = NULL;
    struct authority *a = issue_authority(call->c->issue, &why);

    if (!a)
        rest_problem(call,
                     &(struct rest_problem){ .status = 503,
                                             .kind = "no-authority",
                                             .title = "The authority cannot be used",
                                             .cure = "Restore ca.pem and ca.key in the data folder "
                                                     "from a backup." },
                     "%s", why ? why : "");
    free(why);
    return a;
}

void rest_get_authority(struct rest_call *call)
{
    struct authority *a = ours(call);
    struct amp_json *w;

    if (!a)
        return;
    w = rest_begin(call);
    amp_json_open(w, '{');
    shape_text(w, "name", amp_text_of(authority_name(a)));
    shape_time(w, "validTo", authority_to_ms(a));
    shape_text(w, "certificate", amp_text_of(authority_pem(a)));
    amp_json_close(w, '}');
    rest_send(call, 200);
}

void rest_get_crl(struct rest_call *call)
{
    char *pem = issue_crl(call->c->issue);

    if (!pem) {
        (void)ours(call);
        return;
    }
    rest_reply(call, 200, "application/x-pem-file", "", pem, strlen(pem));
    free(pem);
}

/* ---- roots in a station ---- */

/* Without a certificate: that of our authority. */
void rest_install_certificate(struct rest_call *call)
{
    struct charger *ch = rest_reachable(call);
    struct api_install_certificate q;
    struct command_fact f = { .connector = -1, .action = AMP_TEXT("InstallCertificate") };
    struct authority *a = NULL;
    struct amp_buf b;
    struct amp_json w;
    char text[8192];

    if (!ch || !rest_body(call, &q))
        return;
    if (!q.certificate.at) {
        a = ours(call);
        if (!a)
            return;
        q.certificate = amp_text_of(authority_pem(a));
    }
    amp_buf_init(&b, text, sizeof text);
    amp_json_init(&w, &b);
    amp_json_open(&w, '{');
    amp_json_key(&w, "certificateType");
    amp_json_str(&w, amp_enum_name(&api_certificate_use_names, (int)q.certificate_type));
    amp_json_key(&w, "certificate");
    amp_json_text(&w, q.certificate);
    amp_json_close(&w, '}');
    f.payload = amp_buf_text(&b);
    rest_command_ask(call, ch, &f, "certificate");
}

/* The station asks for a new one then (SignCertificate), and the rest goes by itself. */
void rest_renew_certificate(struct rest_call *call)
{
    struct charger *ch = rest_reachable(call);

    if (ch)
        rest_command_ask(call, ch,
                         &(struct command_fact){
                             .connector = -1,
                             .action = AMP_TEXT("ExtendedTriggerMessage"),
                             .payload = AMP_TEXT(
                                 "{\"requestedMessage\":\"SignChargePointCertificate\"}") },
                         "id");
}
