/* station/v16/signed_update_firmware.c - SignedUpdateFirmware: the certificate is checked before
 * the answer. Security extension; station-1.6 160. */
#include "station/v16/v16.h"

_Static_assert((int)AMP_FW_ACCEPTED == OCPP16_UPDATE_FIRMWARE_STATUS_ACCEPTED &&
                   (int)AMP_FW_REJECTED == OCPP16_UPDATE_FIRMWARE_STATUS_REJECTED &&
                   (int)AMP_FW_CANCELED == OCPP16_UPDATE_FIRMWARE_STATUS_ACCEPTED_CANCELED &&
                   (int)AMP_FW_BAD_CERTIFICATE ==
                       OCPP16_UPDATE_FIRMWARE_STATUS_INVALID_CERTIFICATE &&
                   (int)AMP_FW_REVOKED == OCPP16_UPDATE_FIRMWARE_STATUS_REVOKED_CERTIFICATE,
               "enum amp_firmware_result");

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_signed_update_firmware *in = request;
    struct ocpp16_signed_update_firmware_reply *out = reply;
    bool later = in->firmware.has & OCPP16_HAS_FIRMWARE_INSTALL_DATE_TIME;
    const struct amp_firmware_request r = {
        .is_signed = true,
        .id = in->request_id,
        .certificate = in->firmware.signing_certificate,
        .signature = in->firmware.signature,
        .location = in->firmware.location,
        .retrieve_ms = in->firmware.retrieve_date_time,
        .install_ms = later ? in->firmware.install_date_time : INT64_MIN,
        .retries = in->has & OCPP16_HAS_SIGNED_UPDATE_FIRMWARE_RETRIES ? in->retries : -1,
        .retry_s =
            in->has & OCPP16_HAS_SIGNED_UPDATE_FIRMWARE_RETRY_INTERVAL ? in->retry_interval : -1,
    };

    if (!st->port->transfer || !st->port->transfer->trust)
        return AMP_E_SUPPORT;
    out->status = (enum ocpp16_update_firmware_status)amp_firmware_begin(st, &r);
    return 0;
}

const struct amp_station_op station16_signed_update_firmware = { .id =
                                                                     OCPP16_SIGNED_UPDATE_FIRMWARE,
                                                                 .on_call = on_call };
