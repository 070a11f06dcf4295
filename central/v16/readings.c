/* central/v16/readings.c - MeterValue elements of MeterValues and StopTransaction to readings. */
#include "central/v16/ops.h"
#include "central/v16/sample.h"
#include "central/v16/slice.h"

/* Of what was sent: the same samples at the same time are the same reading, in whatever message
 * they come. */
static uint64_t hash(int64_t at_ms, struct amp_text samples)
{
    return amp_text_hash(samples) * 31 + (uint64_t)at_ms * 0x9E3779B97F4A7C15u;
}

void v16_readings(const struct v16_call *call, const struct v16_readings *list)
{
    struct amp_text item;
    uint32_t at = 0;

    for (uint32_t i = 0; i < list->len; i++) {
        const struct ocpp16_meter_value *m = &list->at[i];
        struct reading_fact r = {
            .transaction = list->transaction,
            .connector = list->connector,
            .at_ms = m->timestamp,
            .samples = v16_slice_item(list->raw, &at, &item)
                           ? v16_slice_member(item, "sampledValue")
                           : AMP_NO_TEXT,
        };

        if (!m->sampled_value.len)
            continue; /* acknowledged, but it says nothing */
        if (!r.samples.at)
            r.samples = AMP_TEXT("[]"); /* a key spelled with escapes: the message log has it */
        r.hash = hash(r.at_ms, r.samples);
        v16_sample_totals(m->sampled_value.at, m->sampled_value.len, &r);
        world_reading(call->world, call->charger, &r, call->now_ms);
    }
}
