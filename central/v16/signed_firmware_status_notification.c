/* central/v16/signed_firmware_status_notification.c - SignedFirmwareStatusNotification: progress of
 * a signed update. OCPP 1.6 security extension. */
#include "central/domain/operation.h"
#include "central/v16/ops.h"

static int on_call(const struct v16_call *call, void *reply)
{
    const struct ocpp16_signed_firmware_status_notification *req = call->body;

    (void)reply;
    world_progress(
        call->world, call->charger, PROGRESS_FIRMWARE,
        req->has & OCPP16_HAS_SIGNED_FIRMWARE_STATUS_NOTIFICATION_REQUEST_ID ? req->request_id : 0,
        amp_text_of(amp_enum_name(&ocpp16_signed_firmware_status_names, (int)req->status)),
        call->now_ms);
    return 0;
}

const struct v16_op v16_signed_firmware_status_notification = {
    .id = OCPP16_SIGNED_FIRMWARE_STATUS_NOTIFICATION, .on_call = on_call
};
