/* station/v16/remote_start_transaction.c - RemoteStartTransaction. OCPP 1.6 §5.11; station-1.6
 * 111-115. A profile must be a TxProfile that names no transaction; it waits on the connector for
 * the one that begins. */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_remote_start_transaction *in = request;
    struct ocpp16_remote_start_transaction_reply *out = reply;
    bool any = !(in->has & OCPP16_HAS_REMOTE_START_TRANSACTION_CONNECTOR_ID);
    struct amp_profile_in profile;
    bool yes;

    if (in->charging_profile) {
        int rc = station16_profile(st, in->charging_profile, &profile);

        if (rc < 0)
            return rc;
    }
    yes = amp_tx_remote_start(st, any, in->connector_id, in->id_tag,
                              in->charging_profile ? &profile : NULL);

    out->status = yes ? OCPP16_GENERIC_STATUS_ACCEPTED : OCPP16_GENERIC_STATUS_REJECTED;
    return 0;
}

const struct amp_station_op station16_remote_start_transaction = {
    .id = OCPP16_REMOTE_START_TRANSACTION, .on_call = on_call
};
