/* station/v16/boot_notification.c - BootNotification. OCPP 1.6 §4.2. */
#include "station/v16/v16.h"

static int make(struct amp_station *st, void *request)
{
    struct ocpp16_boot_notification *out = request;

    out->charge_point_vendor = amp_text_of(st->vendor);
    out->charge_point_model = amp_text_of(st->model);
    out->charge_point_serial_number = station16_text(st->serial);
    out->charge_box_serial_number = station16_text(st->box_serial);
    out->firmware_version = station16_text(st->firmware);
    out->iccid = station16_text(st->iccid);
    out->imsi = station16_text(st->imsi);
    out->meter_type = station16_text(st->meter_type);
    out->meter_serial_number = station16_text(st->meter_serial);
    return 0;
}

static void on_result(struct amp_station *st, const void *reply)
{
    static const uint8_t status[] = {
        [OCPP16_REGISTRATION_STATUS_ACCEPTED] = AMP_REG_ACCEPTED,
        [OCPP16_REGISTRATION_STATUS_PENDING] = AMP_REG_PENDING,
        [OCPP16_REGISTRATION_STATUS_REJECTED] = AMP_REG_REJECTED,
    };
    const struct ocpp16_boot_notification_reply *in = reply;

    amp_boot_answered(st, (enum amp_registration)status[in->status], in->current_time,
                      in->interval);
}

const struct amp_station_op station16_boot_notification = {
    .id = OCPP16_BOOT_NOTIFICATION, .jobs = JOB(BOOT), .make = make, .on_result = on_result
};
