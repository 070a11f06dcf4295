/* station/v16/remote_stop_transaction.c - RemoteStopTransaction. OCPP 1.6 §5.12. */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_remote_stop_transaction *in = request;
    struct ocpp16_remote_stop_transaction_reply *out = reply;

    out->status = amp_tx_remote_stop(st, in->transaction_id) ? OCPP16_GENERIC_STATUS_ACCEPTED
                                                             : OCPP16_GENERIC_STATUS_REJECTED;
    return 0;
}

const struct amp_station_op station16_remote_stop_transaction = {
    .id = OCPP16_REMOTE_STOP_TRANSACTION, .on_call = on_call
};
