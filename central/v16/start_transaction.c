/* central/v16/start_transaction.c - StartTransaction: always answered with an id of ours, see
 * domain/transaction.c. OCPP 1.6 §4.8. */
#include "central/domain/quirk.h"
#include "central/v16/ops.h"

static int on_call(const struct v16_call *call, void *reply)
{
    const struct ocpp16_start_transaction *req = call->body;
    struct ocpp16_start_transaction_reply *out = reply;
    struct tag_answer a;
    struct start_info s = {
        .connector = v16_connector(req->connector_id),
        .tag = charger_tag(call->world, call->charger, req->id_tag),
        .meter_wh = req->meter_start,
        .at_ms = req->timestamp,
        .reservation =
            req->has & OCPP16_HAS_START_TRANSACTION_RESERVATION_ID ? req->reservation_id : 0,
    };

    out->transaction_id = world_start(call->world, call->charger, &s, call->now_ms, &a);
    v16_tag_info(&out->id_tag_info, &a);
    return 0;
}

const struct v16_op v16_start_transaction = { .id = OCPP16_START_TRANSACTION, .on_call = on_call };
