/* station/v16/remote_start_transaction.c - RemoteStartTransaction. OCPP 1.6 §5.11; station-1.6
 * 111-115. */
#include "station/v16/v16.h"

/* A profile must be a TxProfile that names no transaction; as long as there is no smart charging
 * here it is not applied (115). */
static bool sound(const struct ocpp16_charging_profile *p)
{
    return p->charging_profile_purpose == OCPP16_CHARGING_PROFILE_PURPOSE_TX_PROFILE &&
           !(p->has & OCPP16_HAS_CHARGING_PROFILE_TRANSACTION_ID);
}

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_remote_start_transaction *in = request;
    struct ocpp16_remote_start_transaction_reply *out = reply;
    bool any = !(in->has & OCPP16_HAS_REMOTE_START_TRANSACTION_CONNECTOR_ID);
    bool yes = (!in->charging_profile || sound(in->charging_profile)) &&
               amp_tx_remote_start(st, any, in->connector_id, in->id_tag);

    out->status = yes ? OCPP16_GENERIC_STATUS_ACCEPTED : OCPP16_GENERIC_STATUS_REJECTED;
    return 0;
}

const struct amp_station_op station16_remote_start_transaction = {
    .id = OCPP16_REMOTE_START_TRANSACTION, .on_call = on_call
};
