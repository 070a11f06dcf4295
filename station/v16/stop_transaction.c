/* station/v16/stop_transaction.c - StopTransaction. OCPP 1.6 §4.10. The tag is the one that
 * stopped, and absent when the station stopped by itself (81). */
#include "station/v16/v16.h"

/* Begin, periodic and end readings, as many as there is room for (92, 93). */
static int add_data(struct amp_station *st, struct ocpp16_stop_transaction *out)
{
    unsigned max = st->call.room < AMP_STOP_SAMPLES_MAX ? st->call.room : AMP_STOP_SAMPLES_MAX;
    struct amp_sample_walk walk = { .max = max };
    struct amp_sample s;

    if (!max)
        return 0;
    out->transaction_data.at =
        amp_arena_alloc(&st->arena, max * sizeof(out->transaction_data.at[0]));
    if (!out->transaction_data.at)
        return AMP_E_FULL;
    while (out->transaction_data.len < max && amp_queue_sample(st, &walk, &s)) {
        struct ocpp16_meter_value *to = &out->transaction_data.at[out->transaction_data.len];
        int rc = station16_meter_value(st, &s, AMP_VALUES_MAX, to);

        if (rc < 0)
            return rc;
        out->transaction_data.len += to->sampled_value.len != 0;
    }
    return 0;
}

static int make(struct amp_station *st, void *request)
{
    struct ocpp16_stop_transaction *out = request;
    const struct amp_message_fact *f = &st->call.fact;

    out->transaction_id = amp_queue_id(st);
    out->meter_stop = f->wh;
    out->timestamp = amp_when_ms(st, f->when);
    out->id_tag = station16_text(f->tag);
    out->reason = (enum ocpp16_reason)f->reason;
    return add_data(st, out);
}

static void on_result(struct amp_station *st, const void *reply)
{
    const struct ocpp16_stop_transaction_reply *in = reply;
    struct amp_tag_info info;

    if (in->id_tag_info && st->call.fact.tag[0]) {
        station16_tag_info(in->id_tag_info, &info);
        amp_auth_learn(st, st->call.fact.tag, &info); /* nothing else: the stop stands (84) */
    }
    amp_queue_done(st, false, 0);
}

const struct amp_station_op station16_stop_transaction = {
    .id = OCPP16_STOP_TRANSACTION, .jobs = JOB(STOP), .make = make, .on_result = on_result
};
