/* station/v16/diagnostics_status_notification.c - DiagnosticsStatusNotification. OCPP 1.6 §4.4. */
#include "station/v16/v16.h"

static int make(struct amp_station *st, void *request)
{
    struct ocpp16_diagnostics_status_notification *out = request;

    switch (st->call.notice.status) {
    case AMP_UP_UPLOADING:
        out->status = OCPP16_DIAGNOSTICS_STATUS_UPLOADING;
        break;
    case AMP_UP_UPLOADED:
        out->status = OCPP16_DIAGNOSTICS_STATUS_UPLOADED;
        break;
    case AMP_UP_IDLE:
        out->status = OCPP16_DIAGNOSTICS_STATUS_IDLE;
        break;
    default:
        out->status = OCPP16_DIAGNOSTICS_STATUS_UPLOAD_FAILED;
    }
    return 0;
}

static void on_result(struct amp_station *st, const void *reply)
{
    (void)reply;
    amp_upload_answered(st);
}

const struct amp_station_op station16_diagnostics_status_notification = {
    .id = OCPP16_DIAGNOSTICS_STATUS_NOTIFICATION,
    .jobs = JOB(DIAGNOSTICS),
    .make = make,
    .on_result = on_result
};
