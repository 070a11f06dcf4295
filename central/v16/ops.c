/* central/v16/ops.c - the table of contents of this folder. */
#include "central/v16/ops.h"

extern const struct v16_op v16_authorize, v16_boot_notification, v16_data_transfer,
    v16_diagnostics_status_notification, v16_firmware_status_notification, v16_heartbeat,
    v16_log_status_notification, v16_meter_values, v16_security_event_notification,
    v16_sign_certificate, v16_signed_firmware_status_notification, v16_start_transaction,
    v16_status_notification, v16_stop_transaction;

static const struct v16_op *const ops[] = {
    &v16_authorize,
    &v16_boot_notification,
    &v16_data_transfer,
    &v16_diagnostics_status_notification,
    &v16_firmware_status_notification,
    &v16_heartbeat,
    &v16_log_status_notification,
    &v16_meter_values,
    &v16_security_event_notification,
    &v16_sign_certificate,
    &v16_signed_firmware_status_notification,
    &v16_start_transaction,
    &v16_status_notification,
    &v16_stop_transaction,
};

const struct v16_op *v16_op_find(unsigned id)
{
    for (size_t i = 0; i < AMP_COUNT(ops); i++)
        if (ops[i]->id == id)
            return ops[i];
    return NULL;
}

int v16_connector(int64_t wire)
{
    return wire > INT32_MAX ? INT32_MAX : wire < 0 ? 0 : (int)wire;
}

int v16_noted(const struct v16_call *call, void *reply)
{
    (void)call, (void)reply;
    return 0;
}

void v16_tag_info(struct ocpp16_id_tag_info *out, const struct tag_answer *a)
{
    out->status =
        (enum ocpp16_authorization_status)amp_enum_find(&ocpp16_authorization_status_names,
                                                        amp_text_of(a->status));
    if (a->expiry_ms) {
        out->has |= OCPP16_HAS_ID_TAG_INFO_EXPIRY_DATE;
        out->expiry_date = a->expiry_ms;
    }
    if (a->parent.len && amp_text_chars(a->parent) <= 20)
        out->parent_id_tag = a->parent;
}
