/* station/v16/sign_certificate.c - SignCertificate. Security white paper A02; station-1.6 157. */
#include "station/v16/v16.h"

static int make(struct amp_station *st, void *request)
{
    struct ocpp16_sign_certificate *out = request;

    return amp_certificates_request(st, &out->csr);
}

static void on_result(struct amp_station *st, const void *reply)
{
    const struct ocpp16_sign_certificate_reply *in = reply;

    amp_certificates_answered(st, in->status == OCPP16_GENERIC_STATUS_ACCEPTED);
}

const struct amp_station_op station16_sign_certificate = {
    .id = OCPP16_SIGN_CERTIFICATE, .jobs = JOB(SIGN), .make = make, .on_result = on_result
};
