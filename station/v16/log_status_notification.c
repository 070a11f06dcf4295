/* station/v16/log_status_notification.c - LogStatusNotification: the core's numbers are those of
 * the message. Security extension; station-1.6 161. */
#include "station/v16/v16.h"

_Static_assert((int)AMP_UP_BAD_MESSAGE == OCPP16_UPLOAD_LOG_STATUS_BAD_MESSAGE &&
                   (int)AMP_UP_UPLOADED == OCPP16_UPLOAD_LOG_STATUS_UPLOADED &&
                   (int)AMP_UP_UPLOADING == OCPP16_UPLOAD_LOG_STATUS_UPLOADING,
               "enum amp_upload_status");

static int make(struct amp_station *st, void *request)
{
    struct ocpp16_log_status_notification *out = request;

    out->status = (enum ocpp16_upload_log_status)st->call.notice.status;
    if (st->call.notice.has_id) {
        out->has |= OCPP16_HAS_LOG_STATUS_NOTIFICATION_REQUEST_ID;
        out->request_id = st->call.notice.id;
    }
    return 0;
}

static void on_result(struct amp_station *st, const void *reply)
{
    (void)reply;
    amp_upload_answered(st);
}

const struct amp_station_op station16_log_status_notification = {
    .id = OCPP16_LOG_STATUS_NOTIFICATION, .jobs = JOB(LOG), .make = make, .on_result = on_result
};
