/* central/v16/meter_values.c - MeterValues: readings, of a transaction or not. OCPP 1.6 §4.7, edge
 * cases 18-22. */
#include "central/v16/ops.h"
#include "central/v16/slice.h"

static int on_call(const struct v16_call *call, void *reply)
{
    const struct ocpp16_meter_values *req = call->body;

    (void)reply;
    v16_readings(call, &(struct v16_readings){
                           .connector = v16_connector(req->connector_id),
                           .transaction = req->has & OCPP16_HAS_METER_VALUES_TRANSACTION_ID
                                              ? req->transaction_id
                                              : 0,
                           .at = req->meter_value.at,
                           .len = req->meter_value.len,
                           .raw = v16_slice_member(call->payload, "meterValue"),
                       });
    return 0;
}

const struct v16_op v16_meter_values = { .id = OCPP16_METER_VALUES, .on_call = on_call };
