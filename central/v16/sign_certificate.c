/* central/v16/sign_certificate.c - SignCertificate: a station asks for a certificate. It is told
 * whether the request is one that is signed; CertificateSigned follows by itself (edge case 44).
 * OCPP 1.6 security white paper, A02. */
#include "central/pki/issue.h"
#include "central/v16/ops.h"

static int on_call(const struct v16_call *call, void *reply)
{
    const struct ocpp16_sign_certificate *req = call->body;
    struct ocpp16_sign_certificate_reply *out = reply;
    char why[ISSUE_WHY]; /* in the log: a station has no field for it */

    out->status = call->sign(call->issue, call->charger, req->csr, why) == 0
                      ? OCPP16_GENERIC_STATUS_ACCEPTED
                      : OCPP16_GENERIC_STATUS_REJECTED;
    return 0;
}

const struct v16_op v16_sign_certificate = { .id = OCPP16_SIGN_CERTIFICATE, .on_call = on_call };
