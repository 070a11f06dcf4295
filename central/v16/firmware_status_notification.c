/* central/v16/firmware_status_notification.c - FirmwareStatusNotification: progress of an update.
 * OCPP 1.6 §4.5. */
#include "central/domain/operation.h"
#include "central/v16/ops.h"

static int on_call(const struct v16_call *call, void *reply)
{
    const struct ocpp16_firmware_status_notification *req = call->body;

    (void)reply;
    world_progress(call->world, call->charger, PROGRESS_FIRMWARE, 0,
                   amp_text_of(amp_enum_name(&ocpp16_firmware_status_names, (int)req->status)),
                   call->now_ms);
    return 0;
}

const struct v16_op v16_firmware_status_notification = { .id = OCPP16_FIRMWARE_STATUS_NOTIFICATION,
                                                         .on_call = on_call };
