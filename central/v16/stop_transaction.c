/* central/v16/stop_transaction.c - StopTransaction, with the readings that it carries. OCPP 1.6
 * §4.10, edge cases 4, 6-9, 11-14, 23. */
#include "central/domain/quirk.h"
#include "central/v16/ops.h"
#include "central/v16/slice.h"

static int on_call(const struct v16_call *call, void *reply)
{
    const struct ocpp16_stop_transaction *req = call->body;
    struct ocpp16_stop_transaction_reply *out = reply;
    struct tag_answer a;
    struct stop_info s = {
        .transaction = req->transaction_id,
        .meter_wh = req->meter_stop,
        .at_ms = req->timestamp,
        .tag = req->id_tag.at ? charger_tag(call->world, call->charger, req->id_tag) : AMP_NO_TEXT,
        .reason = req->reason ? amp_text_of(amp_enum_name(&ocpp16_reason_names, (int)req->reason))
                              : AMP_NO_TEXT,
    };
    int64_t key = world_stop(call->world, call->charger, &s, call->now_ms, &a);
    const struct transaction_fact *t = key ? world_transaction(call->world, key) : NULL;

    if (t) /* 0 is a repetition: its readings came with the first */
        v16_readings(call, &(struct v16_readings){
                               .connector = t->connector,
                               .transaction = key,
                               .at = req->transaction_data.at,
                               .len = req->transaction_data.len,
                               .raw = v16_slice_member(call->payload, "transactionData"),
                           });
    if (a.status) {
        out->id_tag_info = amp_arena_alloc(call->arena, sizeof *out->id_tag_info);
        if (out->id_tag_info) /* the field is optional: a full arena must not make the station
                                 repeat the stop */
            v16_tag_info(out->id_tag_info, &a);
    }
    return 0;
}

const struct v16_op v16_stop_transaction = { .id = OCPP16_STOP_TRANSACTION, .on_call = on_call };
