/* central/v16/status_notification.c - StatusNotification: what a connector says about itself.
 * OCPP 1.6 §4.9, edge cases 26-28. */
#include "central/v16/ops.h"

static int on_call(const struct v16_call *call, void *reply)
{
    const struct ocpp16_status_notification *req = call->body;

    (void)reply;
    world_status(call->world, call->charger, v16_connector(req->connector_id),
                 &(struct connector_fact){
                     .status = amp_text_of(
                         amp_enum_name(&ocpp16_charge_point_status_names, (int)req->status)),
                     .error = amp_text_of(amp_enum_name(&ocpp16_charge_point_error_code_names,
                                                        (int)req->error_code)),
                     .info = req->info,
                     .vendor_id = req->vendor_id,
                     .vendor_error = req->vendor_error_code,
                     .at_ms =
                         req->has & OCPP16_HAS_STATUS_NOTIFICATION_TIMESTAMP ? req->timestamp : 0,
                     .seen_ms = call->now_ms,
                 });
    return 0;
}

const struct v16_op v16_status_notification = { .id = OCPP16_STATUS_NOTIFICATION,
                                                .on_call = on_call };
