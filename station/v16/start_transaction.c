/* station/v16/start_transaction.c - StartTransaction. OCPP 1.6 §4.8. The time is that of the start,
 * not of the sending (64). */
#include "station/v16/v16.h"

static int make(struct amp_station *st, void *request)
{
    struct ocpp16_start_transaction *out = request;
    const struct amp_message_fact *f = &st->call.fact;

    out->connector_id = f->connector;
    out->id_tag = amp_text_of(f->tag);
    out->meter_start = f->wh;
    out->timestamp = amp_when_ms(st, f->when);
    if (f->reserved) { /* 72 */
        out->has |= OCPP16_HAS_START_TRANSACTION_RESERVATION_ID;
        out->reservation_id = f->reservation;
    }
    return 0;
}

static void on_result(struct amp_station *st, const void *reply)
{
    const struct ocpp16_start_transaction_reply *in = reply;
    struct amp_tag_info info;

    station16_tag_info(&in->id_tag_info, &info);
    amp_tx_answered(st, in->transaction_id, &info);
}

const struct amp_station_op station16_start_transaction = {
    .id = OCPP16_START_TRANSACTION, .jobs = JOB(START), .make = make, .on_result = on_result
};
