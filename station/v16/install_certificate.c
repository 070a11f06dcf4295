/* station/v16/install_certificate.c - InstallCertificate. Security white paper M05; station-1.6
 * 158. */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    static const uint8_t status[] = {
        [AMP_INSTALL_ACCEPTED] = OCPP16_INSTALL_CERTIFICATE_STATUS_ACCEPTED,
        [AMP_INSTALL_FAILED] = OCPP16_INSTALL_CERTIFICATE_STATUS_FAILED,
        [AMP_INSTALL_REJECTED] = OCPP16_INSTALL_CERTIFICATE_STATUS_REJECTED,
    };
    const struct ocpp16_install_certificate *in = request;
    struct ocpp16_install_certificate_reply *out = reply;
    enum amp_install_result result = AMP_INSTALL_REJECTED;
    int rc = amp_certificates_install(st,
                                      in->certificate_type ==
                                              OCPP16_CERTIFICATE_USE_CENTRAL_SYSTEM_ROOT_CERTIFICATE
                                          ? AMP_ROOT_CENTRAL
                                          : AMP_ROOT_MAKER,
                                      in->certificate, &result);

    out->status = (enum ocpp16_install_certificate_status)status[result];
    return rc;
}

const struct amp_station_op station16_install_certificate = { .id = OCPP16_INSTALL_CERTIFICATE,
                                                              .on_call = on_call };
