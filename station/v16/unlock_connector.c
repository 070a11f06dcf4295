/* station/v16/unlock_connector.c - UnlockConnector. OCPP 1.6 §5.18; station-1.6 110. */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    static const uint8_t status[] = {
        [AMP_UNLOCK_DONE] = OCPP16_UNLOCK_STATUS_UNLOCKED,
        [AMP_UNLOCK_FAILED] = OCPP16_UNLOCK_STATUS_UNLOCK_FAILED,
        [AMP_UNLOCK_UNSUPPORTED] = OCPP16_UNLOCK_STATUS_NOT_SUPPORTED,
    };
    const struct ocpp16_unlock_connector *in = request;
    struct ocpp16_unlock_connector_reply *out = reply;
    enum amp_unlock_result rc = AMP_UNLOCK_UNSUPPORTED;

    if (amp_is_connector(st, in->connector_id))
        rc = amp_connector_unlock(st, (int)in->connector_id);
    out->status = (enum ocpp16_unlock_status)status[rc];
    return 0;
}

const struct amp_station_op station16_unlock_connector = { .id = OCPP16_UNLOCK_CONNECTOR,
                                                           .on_call = on_call };
