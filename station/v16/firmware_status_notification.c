/* station/v16/firmware_status_notification.c - FirmwareStatusNotification, for updates without a
 * signature. OCPP 1.6 §4.5. */
#include "station/v16/v16.h"

static int make(struct amp_station *st, void *request)
{
    static const uint8_t status[] = {
        [AMP_FW_DOWNLOADED] = OCPP16_FIRMWARE_STATUS_DOWNLOADED,
        [AMP_FW_DOWNLOAD_FAILED] = OCPP16_FIRMWARE_STATUS_DOWNLOAD_FAILED,
        [AMP_FW_DOWNLOADING] = OCPP16_FIRMWARE_STATUS_DOWNLOADING,
        [AMP_FW_IDLE] = OCPP16_FIRMWARE_STATUS_IDLE,
        [AMP_FW_INSTALLATION_FAILED] = OCPP16_FIRMWARE_STATUS_INSTALLATION_FAILED,
        [AMP_FW_INSTALLING] = OCPP16_FIRMWARE_STATUS_INSTALLING,
        [AMP_FW_INSTALLED] = OCPP16_FIRMWARE_STATUS_INSTALLED,
    };
    struct ocpp16_firmware_status_notification *out = request;

    out->status = (enum ocpp16_firmware_status)status[amp_firmware_plain(st->call.notice.status)];
    return 0;
}

static void on_result(struct amp_station *st, const void *reply)
{
    (void)reply;
    amp_firmware_answered(st);
}

const struct amp_station_op station16_firmware_status_notification = {
    .id = OCPP16_FIRMWARE_STATUS_NOTIFICATION,
    .jobs = JOB(FIRMWARE),
    .make = make,
    .on_result = on_result
};
