/* station/v16/get_diagnostics.c - GetDiagnostics. OCPP 1.6 §5.9; station-1.6 150. No file name:
 * there is nothing to send, and nothing is sent. */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_get_diagnostics *in = request;
    struct ocpp16_get_diagnostics_reply *out = reply;
    const struct amp_upload_request r = {
        .source = AMP_SOURCE_DIAGNOSTICS,
        .location = in->location,
        .from_ms = in->has & OCPP16_HAS_GET_DIAGNOSTICS_START_TIME ? in->start_time : INT64_MIN,
        .to_ms = in->has & OCPP16_HAS_GET_DIAGNOSTICS_STOP_TIME ? in->stop_time : INT64_MAX,
        .retries = in->has & OCPP16_HAS_GET_DIAGNOSTICS_RETRIES ? in->retries : -1,
        .retry_s = in->has & OCPP16_HAS_GET_DIAGNOSTICS_RETRY_INTERVAL ? in->retry_interval : -1,
    };
    char name[256];

    if (!st->port->transfer)
        return AMP_E_SUPPORT;
    if (amp_upload_begin(st, &r, name, sizeof(name)) == AMP_UP_REJECTED)
        return 0;
    out->file_name = amp_arena_text(&st->arena, amp_text_of(name));
    return 0;
}

const struct amp_station_op station16_get_diagnostics = { .id = OCPP16_GET_DIAGNOSTICS,
                                                          .on_call = on_call };
