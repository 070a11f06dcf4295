/* station/v16/trigger_message.c - TriggerMessage. OCPP 1.6 §5.17; station-1.6 22, 25, 152. The
 * messages follow the answer. */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_trigger_message *in = request;
    struct ocpp16_trigger_message_reply *out = reply;
    int64_t connector = in->has & OCPP16_HAS_TRIGGER_MESSAGE_CONNECTOR_ID ? in->connector_id : 0;

    out->status = OCPP16_TRIGGER_MESSAGE_STATUS_ACCEPTED;
    if (connector != 0 && !amp_is_connector(st, connector)) {
        out->status = OCPP16_TRIGGER_MESSAGE_STATUS_REJECTED;
        return 0;
    }
    switch (in->requested_message) {
    case OCPP16_MESSAGE_TRIGGER_BOOT_NOTIFICATION:
        if (!amp_boot_trigger(st))
            out->status = OCPP16_TRIGGER_MESSAGE_STATUS_REJECTED;
        break;
    case OCPP16_MESSAGE_TRIGGER_HEARTBEAT:
        st->heartbeat_triggered = true;
        break;
    case OCPP16_MESSAGE_TRIGGER_METER_VALUES:
        amp_metering_trigger(st, (int)connector);
        break;
    case OCPP16_MESSAGE_TRIGGER_STATUS_NOTIFICATION:
        amp_report_trigger(st, (int)connector);
        break;
    case OCPP16_MESSAGE_TRIGGER_DIAGNOSTICS_STATUS_NOTIFICATION:
    case OCPP16_MESSAGE_TRIGGER_FIRMWARE_STATUS_NOTIFICATION:
        if (!st->port->transfer)
            out->status = OCPP16_TRIGGER_MESSAGE_STATUS_NOT_IMPLEMENTED;
        else if (in->requested_message == OCPP16_MESSAGE_TRIGGER_FIRMWARE_STATUS_NOTIFICATION)
            amp_firmware_trigger(st, false);
        else
            amp_upload_trigger(st, false);
        break;
    default:
        out->status = OCPP16_TRIGGER_MESSAGE_STATUS_NOT_IMPLEMENTED;
    }
    return 0;
}

const struct amp_station_op station16_trigger_message = { .id = OCPP16_TRIGGER_MESSAGE,
                                                          .on_call = on_call };
