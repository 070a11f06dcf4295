/* station/v16/meter_values.c - MeterValues, and readings as every message carries them. OCPP 1.6
 * §4.7, 7.31-7.35. */
#include "station/v16/v16.h"

/* What the core's measurands are called here. Frequency has no unit in 1.6. */
static const struct {
    enum ocpp16_measurand measurand;
    enum ocpp16_unit_of_measure unit;
    enum ocpp16_location location; /* 0: Outlet, as always */
} kinds[AMP_M_END] = {
    [AMP_M_ENERGY] = { OCPP16_MEASURAND_ENERGY_ACTIVE_IMPORT_REGISTER, OCPP16_UNIT_OF_MEASURE_WH,
                       0 },
    [AMP_M_INTERVAL] = { OCPP16_MEASURAND_ENERGY_ACTIVE_IMPORT_INTERVAL, OCPP16_UNIT_OF_MEASURE_WH,
                         0 },
    [AMP_M_POWER] = { OCPP16_MEASURAND_POWER_ACTIVE_IMPORT, OCPP16_UNIT_OF_MEASURE_W, 0 },
    [AMP_M_CURRENT] = { OCPP16_MEASURAND_CURRENT_IMPORT, OCPP16_UNIT_OF_MEASURE_A, 0 },
    [AMP_M_VOLTAGE] = { OCPP16_MEASURAND_VOLTAGE, OCPP16_UNIT_OF_MEASURE_V, 0 },
    [AMP_M_OFFERED] = { OCPP16_MEASURAND_CURRENT_OFFERED, OCPP16_UNIT_OF_MEASURE_A, 0 },
    [AMP_M_FREQUENCY] = { OCPP16_MEASURAND_FREQUENCY, 0, 0 },
    [AMP_M_TEMPERATURE] = { OCPP16_MEASURAND_TEMPERATURE, OCPP16_UNIT_OF_MEASURE_CELSIUS, 0 },
    [AMP_M_SOC] = { OCPP16_MEASURAND_SOC, OCPP16_UNIT_OF_MEASURE_PERCENT, OCPP16_LOCATION_EV },
};

static const uint8_t contexts[] = {
    [AMP_C_PERIODIC] = OCPP16_READING_CONTEXT_SAMPLE_PERIODIC,
    [AMP_C_CLOCK] = OCPP16_READING_CONTEXT_SAMPLE_CLOCK,
    [AMP_C_BEGIN] = OCPP16_READING_CONTEXT_TRANSACTION_BEGIN,
    [AMP_C_END] = OCPP16_READING_CONTEXT_TRANSACTION_END,
    [AMP_C_TRIGGER] = OCPP16_READING_CONTEXT_TRIGGER,
};

static enum ocpp16_phase phase_of(const struct amp_value *v)
{
    static const uint8_t lines[] = { 0, OCPP16_PHASE_L1, OCPP16_PHASE_L2, OCPP16_PHASE_L3 };
    static const uint8_t to_neutral[] = { 0, OCPP16_PHASE_L1_N, OCPP16_PHASE_L2_N,
                                          OCPP16_PHASE_L3_N };

    return (enum ocpp16_phase)(v->measurand == AMP_M_VOLTAGE ? to_neutral : lines)[v->phase];
}

static int fill(struct amp_station *st, const struct amp_sample *s, const struct amp_value *v,
                struct ocpp16_sampled_value *out)
{
    char text[24];
    struct amp_buf b;

    amp_buf_init(&b, text, sizeof(text));
    amp_dec_write(&b, amp_dec_of(v->value, v->places));
    out->value = amp_arena_text(&st->arena, amp_buf_text(&b));
    out->context = (enum ocpp16_reading_context)contexts[s->context];
    out->measurand = kinds[v->measurand].measurand;
    out->phase = phase_of(v);
    out->location = kinds[v->measurand].location;
    out->unit = kinds[v->measurand].unit;
    return out->value.at ? 0 : AMP_E_FULL;
}

int station16_meter_value(struct amp_station *st, const struct amp_sample *s, unsigned room,
                          struct ocpp16_meter_value *out)
{
    struct amp_value values[AMP_VALUES_MAX];
    unsigned n = amp_sample_values(s, values);
    int rc = 0;

    if (n > room)
        n = room;
    out->timestamp = amp_when_ms(st, s->when);
    out->sampled_value.len = 0;
    out->sampled_value.at = amp_arena_alloc(&st->arena, n * sizeof(out->sampled_value.at[0]));
    if (n && !out->sampled_value.at)
        return AMP_E_FULL;
    for (unsigned i = 0; rc == 0 && i < n; i++)
        rc = fill(st, s, &values[i], &out->sampled_value.at[out->sampled_value.len++]);
    return rc;
}

static int make(struct amp_station *st, void *request)
{
    struct ocpp16_meter_values *out = request;
    const struct amp_message_fact *f = &st->call.fact;
    int64_t id;

    out->connector_id = st->call.connector;
    if (st->call.job == AMP_JOB_TX_METER) {
        out->has |= OCPP16_HAS_METER_VALUES_TRANSACTION_ID;
        out->transaction_id = amp_queue_id(st);
    } else if (f->sample.context == AMP_C_TRIGGER && amp_tx_id(st, st->call.connector, &id)) {
        out->has |= OCPP16_HAS_METER_VALUES_TRANSACTION_ID;
        out->transaction_id = id;
    }
    out->meter_value.at = amp_arena_alloc(&st->arena, sizeof(out->meter_value.at[0]));
    if (!out->meter_value.at)
        return AMP_E_FULL;
    out->meter_value.len = 1;
    return station16_meter_value(st, &f->sample, st->call.room, out->meter_value.at);
}

static void on_result(struct amp_station *st, const void *reply)
{
    (void)reply;
    if (st->call.job == AMP_JOB_TX_METER)
        amp_queue_done(st, false, 0);
}

const struct amp_station_op station16_meter_values = { .id = OCPP16_METER_VALUES,
                                                       .jobs = JOB(TX_METER) | JOB(METER),
                                                       .make = make,
                                                       .on_result = on_result };
