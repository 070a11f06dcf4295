/* station/v16/signed_firmware_status_notification.c - SignedFirmwareStatusNotification: the core's
 * numbers are those of the message. Security extension; station-1.6 160. */
#include "station/v16/v16.h"

_Static_assert((int)AMP_FW_DOWNLOADED == OCPP16_SIGNED_FIRMWARE_STATUS_DOWNLOADED &&
                   (int)AMP_FW_IDLE == OCPP16_SIGNED_FIRMWARE_STATUS_IDLE &&
                   (int)AMP_FW_INSTALLED == OCPP16_SIGNED_FIRMWARE_STATUS_INSTALLED &&
                   (int)AMP_FW_SIGNATURE_VERIFIED ==
                       OCPP16_SIGNED_FIRMWARE_STATUS_SIGNATURE_VERIFIED,
               "enum amp_firmware_status");

static int make(struct amp_station *st, void *request)
{
    struct ocpp16_signed_firmware_status_notification *out = request;

    out->status = (enum ocpp16_signed_firmware_status)st->call.notice.status;
    if (st->call.notice.has_id) {
        out->has |= OCPP16_HAS_SIGNED_FIRMWARE_STATUS_NOTIFICATION_REQUEST_ID;
        out->request_id = st->call.notice.id;
    }
    return 0;
}

static void on_result(struct amp_station *st, const void *reply)
{
    (void)reply;
    amp_firmware_answered(st);
}

const struct amp_station_op station16_signed_firmware_status_notification = {
    .id = OCPP16_SIGNED_FIRMWARE_STATUS_NOTIFICATION,
    .jobs = JOB(SIGNED_FIRMWARE),
    .make = make,
    .on_result = on_result
};
