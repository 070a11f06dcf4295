/* station/v16/data_transfer.c - DataTransfer: this station has no vendor's extensions. OCPP 1.6
 * §5.6; station-1.6 153. */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    struct ocpp16_data_transfer_reply *out = reply;

    (void)st;
    (void)request;
    out->status = OCPP16_DATA_TRANSFER_STATUS_UNKNOWN_VENDOR_ID;
    return 0;
}

const struct amp_station_op station16_data_transfer = { .id = OCPP16_DATA_TRANSFER,
                                                        .on_call = on_call };
