/* station/v16/update_firmware.c - UpdateFirmware. OCPP 1.6 §5.19; station-1.6 147. The answer has
 * no word for "no": what cannot be is an error, or fails later. A station that checks signatures
 * takes no firmware without one (160). */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_update_firmware *in = request;
    const struct amp_firmware_request r = {
        .location = in->location,
        .retrieve_ms = in->retrieve_date,
        .install_ms = INT64_MIN,
        .retries = in->has & OCPP16_HAS_UPDATE_FIRMWARE_RETRIES ? in->retries : -1,
        .retry_s = in->has & OCPP16_HAS_UPDATE_FIRMWARE_RETRY_INTERVAL ? in->retry_interval : -1,
    };

    (void)reply;
    if (!st->port->transfer || st->port->transfer->trust)
        return AMP_E_SUPPORT;
    return amp_firmware_begin(st, &r) == AMP_FW_REJECTED ? AMP_E_STATE : 0;
}

const struct amp_station_op station16_update_firmware = { .id = OCPP16_UPDATE_FIRMWARE,
                                                          .on_call = on_call };
