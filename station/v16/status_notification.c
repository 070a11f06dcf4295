/* station/v16/status_notification.c - StatusNotification. OCPP 1.6 §4.9; the core's numbers are
 * those of the message (ops.c). */
#include "station/v16/v16.h"

static int make(struct amp_station *st, void *request)
{
    struct ocpp16_status_notification *out = request;
    const struct amp_report *r = &st->call.report;
    const struct amp_connector *c = &st->con[st->call.connector];

    out->connector_id = st->call.connector;
    out->status = (enum ocpp16_charge_point_status)r->status;
    out->error_code = (enum ocpp16_charge_point_error_code)r->error;
    if (r->error == AMP_ERROR_NONE)
        out->info = r->ev_gone ? AMP_TEXT("EV side disconnected") : AMP_NO_TEXT;
    else if (r->error == c->error)
        out->info = station16_text(c->info);
    if (st->clock_known) { /* a time that is not known is not sent */
        out->has |= OCPP16_HAS_STATUS_NOTIFICATION_TIMESTAMP;
        out->timestamp = amp_when_ms(st, r->when);
    }
    return 0;
}

const struct amp_station_op station16_status_notification = { .id = OCPP16_STATUS_NOTIFICATION,
                                                              .jobs = JOB(STATUS),
                                                              .make = make };
