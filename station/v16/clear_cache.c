/* station/v16/clear_cache.c - ClearCache. OCPP 1.6 §5.4: Rejected when there is no cache (59). */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    struct ocpp16_clear_cache_reply *out = reply;

    (void)request;
    out->status =
        amp_auth_clear(st) == 0 ? OCPP16_GENERIC_STATUS_ACCEPTED : OCPP16_GENERIC_STATUS_REJECTED;
    return 0;
}

const struct amp_station_op station16_clear_cache = { .id = OCPP16_CLEAR_CACHE,
                                                      .on_call = on_call };
