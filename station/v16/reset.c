/* station/v16/reset.c - Reset. OCPP 1.6 §5.14. */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_reset *in = request;
    struct ocpp16_reset_reply *out = reply;

    out->status = amp_reset_begin(st, in->type == OCPP16_RESET_TYPE_HARD)
                      ? OCPP16_GENERIC_STATUS_ACCEPTED
                      : OCPP16_GENERIC_STATUS_REJECTED;
    return 0;
}

const struct amp_station_op station16_reset = { .id = OCPP16_RESET, .on_call = on_call };
