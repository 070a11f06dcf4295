/* station/v16/extended_trigger_message.c - ExtendedTriggerMessage. Security extension;
 * station-1.6 152, 157, 160, 161. The messages follow the answer. */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_extended_trigger_message *in = request;
    struct ocpp16_extended_trigger_message_reply *out = reply;
    int64_t connector =
        in->has & OCPP16_HAS_EXTENDED_TRIGGER_MESSAGE_CONNECTOR_ID ? in->connector_id : 0;

    out->status = OCPP16_TRIGGER_MESSAGE_STATUS_ACCEPTED;
    if (connector != 0 && !amp_is_connector(st, connector)) {
        out->status = OCPP16_TRIGGER_MESSAGE_STATUS_REJECTED;
        return 0;
    }
    switch (in->requested_message) {
    case OCPP16_EXTENDED_TRIGGER_BOOT_NOTIFICATION:
        if (!amp_boot_trigger(st))
            out->status = OCPP16_TRIGGER_MESSAGE_STATUS_REJECTED;
        break;
    case OCPP16_EXTENDED_TRIGGER_HEARTBEAT:
        st->heartbeat_triggered = true;
        break;
    case OCPP16_EXTENDED_TRIGGER_METER_VALUES:
        amp_metering_trigger(st, (int)connector);
        break;
    case OCPP16_EXTENDED_TRIGGER_STATUS_NOTIFICATION:
        amp_report_trigger(st, (int)connector);
        break;
    case OCPP16_EXTENDED_TRIGGER_SIGN_CHARGE_POINT_CERTIFICATE:
        if (!st->port->pki)
            out->status = OCPP16_TRIGGER_MESSAGE_STATUS_NOT_IMPLEMENTED;
        else if (!amp_security_sign(st)) /* CpoName is missing */
            out->status = OCPP16_TRIGGER_MESSAGE_STATUS_REJECTED;
        break;
    case OCPP16_EXTENDED_TRIGGER_LOG_STATUS_NOTIFICATION:
    case OCPP16_EXTENDED_TRIGGER_FIRMWARE_STATUS_NOTIFICATION:
        if (!st->port->transfer)
            out->status = OCPP16_TRIGGER_MESSAGE_STATUS_NOT_IMPLEMENTED;
        else if (in->requested_message == OCPP16_EXTENDED_TRIGGER_FIRMWARE_STATUS_NOTIFICATION)
            amp_firmware_trigger(st, true);
        else
            amp_upload_trigger(st, true);
        break;
    default:
        out->status = OCPP16_TRIGGER_MESSAGE_STATUS_NOT_IMPLEMENTED;
    }
    return 0;
}

const struct amp_station_op station16_extended_trigger_message = {
    .id = OCPP16_EXTENDED_TRIGGER_MESSAGE, .on_call = on_call
};
