/* station/v16/heartbeat.c - Heartbeat. OCPP 1.6 §4.6. */
#include "station/v16/v16.h"

static int make(struct amp_station *st, void *request)
{
    (void)st;
    (void)request;
    return 0;
}

static void on_result(struct amp_station *st, const void *reply)
{
    const struct ocpp16_heartbeat_reply *in = reply;

    amp_heartbeat_answered(st, in->current_time);
}

const struct amp_station_op station16_heartbeat = {
    .id = OCPP16_HEARTBEAT, .jobs = JOB(HEARTBEAT), .make = make, .on_result = on_result
};
