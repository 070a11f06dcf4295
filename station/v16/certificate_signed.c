/* station/v16/certificate_signed.c - CertificateSigned. Security white paper A02; station-1.6 157.
 */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_certificate_signed *in = request;
    struct ocpp16_certificate_signed_reply *out = reply;
    bool accepted = false;
    int rc = amp_certificates_signed(st, in->certificate_chain, &accepted);

    out->status = accepted ? OCPP16_CERTIFICATE_SIGNED_STATUS_ACCEPTED
                           : OCPP16_CERTIFICATE_SIGNED_STATUS_REJECTED;
    return rc;
}

const struct amp_station_op station16_certificate_signed = { .id = OCPP16_CERTIFICATE_SIGNED,
                                                             .on_call = on_call };
