/* central/v16/boot_notification.c - BootNotification: who it is, and whether it may charge.
 * OCPP 1.6 §4.2. */
#include "central/v16/ops.h"

static const enum ocpp16_registration_status words[] = {
    [REGISTRATION_PENDING] = OCPP16_REGISTRATION_STATUS_PENDING,
    [REGISTRATION_ACCEPTED] = OCPP16_REGISTRATION_STATUS_ACCEPTED,
    [REGISTRATION_REJECTED] = OCPP16_REGISTRATION_STATUS_REJECTED,
};

static int on_call(const struct v16_call *call, void *reply)
{
    const struct ocpp16_boot_notification *req = call->body;
    struct ocpp16_boot_notification_reply *out = reply;
    struct boot_info b = {
        .vendor = req->charge_point_vendor,
        .model = req->charge_point_model,
        .serial = req->charge_point_serial_number,
        .box_serial = req->charge_box_serial_number,
        .firmware = req->firmware_version,
        .iccid = req->iccid,
        .imsi = req->imsi,
        .meter_type = req->meter_type,
        .meter_serial = req->meter_serial_number,
    };
    int32_t interval_s = 0;

    out->status = words[world_boot(call->world, call->charger, &b, &interval_s, call->now_ms)];
    out->current_time = call->now_ms;
    out->interval = interval_s;
    return 0;
}

const struct v16_op v16_boot_notification = { .id = OCPP16_BOOT_NOTIFICATION, .on_call = on_call };
