/* central/v16/status_notification.c - StatusNotification: what a connector says about itself.
 * OCPP 1.6 §4.9, edge cases 26-28. */
#include "central/v16/ops.h"
#include "central/v16/slice.h"

/* Edge case 73: a code that the standard does not know is kept as it was sent. */
static struct amp_text error_of(const struct v16_call *call)
{
    const struct ocpp16_status_notification *req = call->body;
    struct amp_text sent;

    if (req->error_code != OCPP16_CHARGE_POINT_ERROR_CODE_OTHER_)
        return amp_text_of(
            amp_enum_name(&ocpp16_charge_point_error_code_names, (int)req->error_code));
    sent = v16_slice_member(call->payload, "errorCode");
    if (sent.len < 2)
        return AMP_TEXT("OtherError");
    return (struct amp_text){ sent.at + 1, sent.len - 2 }; /* without its quotes */
}

static int on_call(const struct v16_call *call, void *reply)
{
    const struct ocpp16_status_notification *req = call->body;

    (void)reply;
    world_status(call->world, call->charger, v16_connector(req->connector_id),
                 &(struct connector_fact){
                     .status = amp_text_of(
                         amp_enum_name(&ocpp16_charge_point_status_names, (int)req->status)),
                     .error = error_of(call),
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
