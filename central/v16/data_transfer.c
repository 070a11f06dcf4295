/* central/v16/data_transfer.c - DataTransfer: no vendor's extension is known here, and so it is
 * said. OCPP 1.6 §4.3. */
#include "central/v16/ops.h"

static int on_call(const struct v16_call *call, void *reply)
{
    struct ocpp16_data_transfer_reply *out = reply;

    (void)call;
    out->status = OCPP16_DATA_TRANSFER_STATUS_UNKNOWN_VENDOR_ID;
    return 0;
}

const struct v16_op v16_data_transfer = { .id = OCPP16_DATA_TRANSFER, .on_call = on_call };
