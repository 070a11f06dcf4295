/* central/v16/heartbeat.c - Heartbeat: alive, and the station's clock. OCPP 1.6 §4.6. */
#include "central/v16/ops.h"

static int on_call(const struct v16_call *call, void *reply)
{
    struct ocpp16_heartbeat_reply *out = reply;

    out->current_time = call->now_ms;
    return 0;
}

const struct v16_op v16_heartbeat = { .id = OCPP16_HEARTBEAT, .on_call = on_call };
