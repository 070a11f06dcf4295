/* station/v16/get_log.c - GetLog. Security extension; station-1.6 161. */
#include "station/v16/v16.h"

_Static_assert((int)AMP_UP_ACCEPTED == OCPP16_LOG_STATUS_ACCEPTED &&
                   (int)AMP_UP_REJECTED == OCPP16_LOG_STATUS_REJECTED &&
                   (int)AMP_UP_CANCELED == OCPP16_LOG_STATUS_ACCEPTED_CANCELED,
               "enum amp_upload_result");

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_get_log *in = request;
    struct ocpp16_get_log_reply *out = reply;
    bool from = in->log.has & OCPP16_HAS_LOG_PARAMETERS_OLDEST_TIMESTAMP;
    bool to = in->log.has & OCPP16_HAS_LOG_PARAMETERS_LATEST_TIMESTAMP;
    const struct amp_upload_request r = {
        .is_log = true,
        .id = in->request_id,
        .source =
            in->log_type == OCPP16_LOG_SECURITY_LOG ? AMP_SOURCE_SECURITY : AMP_SOURCE_DIAGNOSTICS,
        .location = in->log.remote_location,
        .from_ms = from ? in->log.oldest_timestamp : INT64_MIN,
        .to_ms = to ? in->log.latest_timestamp : INT64_MAX,
        .retries = in->has & OCPP16_HAS_GET_LOG_RETRIES ? in->retries : -1,
        .retry_s = in->has & OCPP16_HAS_GET_LOG_RETRY_INTERVAL ? in->retry_interval : -1,
    };
    char name[256];

    if (!st->port->transfer)
        return AMP_E_SUPPORT;
    out->status = (enum ocpp16_log_status)amp_upload_begin(st, &r, name, sizeof(name));
    if (name[0])
        out->filename = amp_arena_text(&st->arena, amp_text_of(name));
    return 0;
}

const struct amp_station_op station16_get_log = { .id = OCPP16_GET_LOG, .on_call = on_call };
