/* central/v16/diagnostics_status_notification.c - DiagnosticsStatusNotification: progress of an
 * upload. OCPP 1.6 §4.4. */
#include "central/domain/operation.h"
#include "central/v16/ops.h"

static int on_call(const struct v16_call *call, void *reply)
{
    const struct ocpp16_diagnostics_status_notification *req = call->body;

    (void)reply;
    world_progress(call->world, call->charger, PROGRESS_DIAGNOSTICS, 0,
                   amp_text_of(amp_enum_name(&ocpp16_diagnostics_status_names, (int)req->status)),
                   call->now_ms);
    return 0;
}

const struct v16_op v16_diagnostics_status_notification = {
    .id = OCPP16_DIAGNOSTICS_STATUS_NOTIFICATION, .on_call = on_call
};
