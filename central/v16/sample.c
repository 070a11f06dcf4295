/* central/v16/sample.c - what a list of samples says in sum. */
#include "central/v16/sample.h"

#define SANE INT64_C(1000000000000000) /* beyond any meter; keeps sums of three inside 64 bits */

/* How good a value is as a total; better replaces worse. */
enum rank { NOTHING, PHASES, ELSEWHERE, TOTAL };

enum total { ENERGY, POWER, CURRENT, VOLTAGE, SOC, TEMPERATURE, TOTALS };

static const struct quantity {
    enum ocpp16_measurand measurand;
    uint32_t has;
    bool sums;     /* over phases; else the largest */
    size_t offset; /* in struct reading_fact */
} quantities[TOTALS] = {
    [ENERGY] = { OCPP16_MEASURAND_ENERGY_ACTIVE_IMPORT_REGISTER, READING_ENERGY, true,
                 offsetof(struct reading_fact, energy_wh) },
    [POWER] = { OCPP16_MEASURAND_POWER_ACTIVE_IMPORT, READING_POWER, true,
                offsetof(struct reading_fact, power_w) },
    [CURRENT] = { OCPP16_MEASURAND_CURRENT_IMPORT, READING_CURRENT, false,
                  offsetof(struct reading_fact, current_ma) },
    [VOLTAGE] = { OCPP16_MEASURAND_VOLTAGE, READING_VOLTAGE, false,
                  offsetof(struct reading_fact, voltage_mv) },
    [SOC] = { OCPP16_MEASURAND_SOC, READING_SOC, false,
              offsetof(struct reading_fact, soc_permille) },
    [TEMPERATURE] = { OCPP16_MEASURAND_TEMPERATURE, READING_TEMPERATURE, false,
                      offsetof(struct reading_fact, temperature_mc) },
};

/* Which units a quantity may have: the value times 10^places is in our base unit. Unit 0 is absent.
 * A unit that is not listed, an unknown one too, is no guess that money may stand on. */
static const struct unit {
    enum total total;
    enum ocpp16_unit_of_measure unit;
    int places;
} units[] = {
    { ENERGY, 0, 0 },
    { ENERGY, OCPP16_UNIT_OF_MEASURE_WH, 0 },
    { ENERGY, OCPP16_UNIT_OF_MEASURE_KWH, 3 },
    { POWER, 0, 0 },
    { POWER, OCPP16_UNIT_OF_MEASURE_W, 0 },
    { POWER, OCPP16_UNIT_OF_MEASURE_KW, 3 },
    { CURRENT, 0, 3 },
    { CURRENT, OCPP16_UNIT_OF_MEASURE_A, 3 },
    { VOLTAGE, 0, 3 },
    { VOLTAGE, OCPP16_UNIT_OF_MEASURE_V, 3 },
    { SOC, 0, 1 },
    { SOC, OCPP16_UNIT_OF_MEASURE_PERCENT, 1 },
    { TEMPERATURE, 0, 3 },
    { TEMPERATURE, OCPP16_UNIT_OF_MEASURE_CELSIUS, 3 },
    { TEMPERATURE, OCPP16_UNIT_OF_MEASURE_CELCIUS, 3 },
    { TEMPERATURE, OCPP16_UNIT_OF_MEASURE_K, 3 },
    { TEMPERATURE, OCPP16_UNIT_OF_MEASURE_FAHRENHEIT, 3 },
};

/* Thousandths of a degree of the sent scale to those of Celsius. */
static int64_t to_celsius(enum ocpp16_unit_of_measure unit, int64_t m)
{
    if (unit == OCPP16_UNIT_OF_MEASURE_K)
        return m - 273150;
    if (unit != OCPP16_UNIT_OF_MEASURE_FAHRENHEIT)
        return m;
    m = (m - 32000) * 10 / 9; /* twice the value: its half is rounded away from zero */
    return (m < 0 ? m - 1 : m + 1) / 2;
}

static bool convert(const struct ocpp16_sampled_value *s, enum total total, int64_t *out)
{
    struct amp_dec d;

    if (s->format == OCPP16_VALUE_FORMAT_SIGNED_DATA || amp_dec_parse(s->value, true, &d) < 0)
        return false;
    for (size_t i = 0; i < AMP_COUNT(units); i++) {
        if (units[i].total != total || units[i].unit != s->unit)
            continue;
        if (amp_dec_scale(d, units[i].places, out) < 0 || *out > SANE || *out < -SANE)
            return false;
        if (total == TEMPERATURE)
            *out = to_celsius(s->unit, *out);
        return true;
    }
    return false;
}

/* 1, 2, 3 for L1, L2, L3 with or without -N; 0: no phase named; -1: another one. */
static int phase_of(enum ocpp16_phase p)
{
    static const int8_t phases[] = {
        [OCPP16_PHASE_L1] = 1,     [OCPP16_PHASE_L2] = 2,      [OCPP16_PHASE_L3] = 3,
        [OCPP16_PHASE_N] = -1,     [OCPP16_PHASE_L1_N] = 1,    [OCPP16_PHASE_L2_N] = 2,
        [OCPP16_PHASE_L3_N] = 3,   [OCPP16_PHASE_L1_L2] = -1,  [OCPP16_PHASE_L2_L3] = -1,
        [OCPP16_PHASE_L3_L1] = -1, [OCPP16_PHASE_OTHER_] = -1,
    };

    return phases[p];
}

struct found {
    enum rank rank;
    int64_t value, phase[4];
    bool has_phase[4];
};

static void look(struct found *f, const struct ocpp16_sampled_value *s, int64_t value)
{
    bool outlet = !s->location || s->location == OCPP16_LOCATION_OUTLET ||
                  s->location == OCPP16_LOCATION_OTHER_;
    int phase = phase_of(s->phase);
    enum rank rank = outlet ? TOTAL : ELSEWHERE;

    if (phase < 0)
        return;
    if (phase > 0) {
        f->phase[phase] = value;
        f->has_phase[phase] = true;
    } else if (rank >= f->rank) {
        f->rank = rank;
        f->value = value;
    }
}

/* The phases, where there was nothing better. */
static void combine(struct found *f, bool sums)
{
    for (int i = 1; f->rank <= PHASES && i <= 3; i++) {
        if (!f->has_phase[i])
            continue;
        if (f->rank == NOTHING)
            f->value = f->phase[i];
        else if (sums)
            f->value += f->phase[i];
        else if (f->phase[i] > f->value)
            f->value = f->phase[i];
        f->rank = PHASES;
    }
}

void v16_sample_totals(const struct ocpp16_sampled_value *at, uint32_t len, struct reading_fact *r)
{
    bool clock = len > 0;

    for (uint32_t i = 0; i < len; i++)
        clock = clock && at[i].context == OCPP16_READING_CONTEXT_SAMPLE_CLOCK;
    r->has = clock ? READING_CLOCK : 0; /* E89 */
    for (int total = 0; total < TOTALS; total++) {
        const struct quantity *q = &quantities[total];
        struct found f = { 0 };

        for (uint32_t i = 0; i < len; i++) {
            enum ocpp16_measurand m =
                at[i].measurand ? at[i].measurand : OCPP16_MEASURAND_ENERGY_ACTIVE_IMPORT_REGISTER;
            int64_t value;

            if (m == q->measurand && convert(&at[i], (enum total)total, &value))
                look(&f, &at[i], value);
        }
        combine(&f, q->sums);
        if (f.rank == NOTHING)
            f.value = 0;
        else
            r->has |= q->has;
        memcpy((char *)r + q->offset, &f.value, sizeof f.value);
    }
}
