/* station/v16/security_event_notification.c - SecurityEventNotification. Security white paper A04;
 * station-1.6 159. */
#include "station/v16/v16.h"

static int make(struct amp_station *st, void *request)
{
    struct ocpp16_security_event_notification *out = request;
    const struct amp_security_record *r = &st->events.sending;

    out->type = amp_text_of(amp_events_name(r->type));
    out->timestamp = amp_when_ms(st, r->when);
    out->tech_info = station16_text(r->info);
    return 0;
}

static void on_result(struct amp_station *st, const void *reply)
{
    (void)reply;
    amp_events_done(st);
}

const struct amp_station_op station16_security_event_notification = {
    .id = OCPP16_SECURITY_EVENT_NOTIFICATION,
    .jobs = JOB(SECURITY),
    .make = make,
    .on_result = on_result
};
