/* station/v16/charging_profile.c - the record ChargingProfile, for SetChargingProfile and
 * RemoteStartTransaction. OCPP 1.6 §7.8, §7.13. */
#include "station/v16/v16.h"

_Static_assert((int)AMP_PURPOSE_MAX == OCPP16_CHARGING_PROFILE_PURPOSE_CHARGE_POINT_MAX_PROFILE &&
                   (int)AMP_PURPOSE_TX == OCPP16_CHARGING_PROFILE_PURPOSE_TX_PROFILE,
               "enum amp_purpose");
_Static_assert((int)AMP_KIND_ABSOLUTE == OCPP16_CHARGING_PROFILE_KIND_ABSOLUTE &&
                   (int)AMP_KIND_RELATIVE == OCPP16_CHARGING_PROFILE_KIND_RELATIVE,
               "enum amp_kind");
_Static_assert((int)AMP_UNIT_A == OCPP16_CHARGING_RATE_UNIT_A &&
                   (int)AMP_UNIT_W == OCPP16_CHARGING_RATE_UNIT_W,
               "enum amp_rate_unit");

#define DAY_S 86400

/* Digits beyond the tenths are cut: never more than was allowed. */
static uint32_t tenths(struct amp_dec d)
{
    int64_t v;

    if (d.digits < 0)
        return 0;
    if (amp_dec_scale(d, 4, &v) < 0 || v / 1000 > AMP_TENTHS_MAX)
        return AMP_TENTHS_MAX;
    return (uint32_t)(v / 1000);
}

static struct amp_period period_of(const struct ocpp16_charging_schedule_period *in)
{
    struct amp_period out = { 0, tenths(in->limit) << 2 | 3 }; /* phases missing means 3 (126) */

    if (in->has & OCPP16_HAS_CHARGING_SCHEDULE_PERIOD_NUMBER_PHASES && in->number_phases < 3)
        out.limit = (out.limit & ~3u) | (in->number_phases < 1 ? 0 : (uint32_t)in->number_phases);
    out.start_s = in->start_period < UINT32_MAX ? (uint32_t)in->start_period : UINT32_MAX;
    return out;
}

static void read_schedule(const struct ocpp16_charging_schedule *in, struct amp_profile_in *out)
{
    out->p.unit = (uint8_t)in->charging_rate_unit;
    out->p.duration_s = AMP_OPEN_END;
    if (in->has & OCPP16_HAS_CHARGING_SCHEDULE_DURATION && in->duration < AMP_OPEN_END)
        out->p.duration_s = (uint32_t)in->duration;
    out->has_start = in->has & OCPP16_HAS_CHARGING_SCHEDULE_START_SCHEDULE;
    if (out->has_start)
        out->p.start_ms = in->start_schedule;
}

int station16_profile(struct amp_station *st, const struct ocpp16_charging_profile *in,
                      struct amp_profile_in *out)
{
    const struct ocpp16_charging_schedule *s = &in->charging_schedule;
    unsigned count = s->charging_schedule_period.len, cap = AMP_PERIODS_MAX;
    struct amp_period *periods = amp_arena_alloc(&st->arena, cap * sizeof(periods[0]));

    if (!periods)
        return AMP_E_FULL;
    *out = (struct amp_profile_in){ 0 };
    out->p.from_ms = in->has & OCPP16_HAS_CHARGING_PROFILE_VALID_FROM ? in->valid_from : INT64_MIN;
    out->p.to_ms = in->has & OCPP16_HAS_CHARGING_PROFILE_VALID_TO ? in->valid_to : AMP_EVER;
    out->p.id = (int32_t)in->charging_profile_id;
    out->p.purpose = (uint8_t)in->charging_profile_purpose;
    out->p.kind = (uint8_t)in->charging_profile_kind;
    if (in->charging_profile_kind == OCPP16_CHARGING_PROFILE_KIND_RECURRING && in->recurrency_kind)
        out->p.recurs_s = in->recurrency_kind == OCPP16_RECURRENCY_KIND_WEEKLY ? 7 * DAY_S : DAY_S;
    out->level = in->stack_level;
    out->has_tx = in->has & OCPP16_HAS_CHARGING_PROFILE_TRANSACTION_ID;
    out->tx_id = in->transaction_id;
    read_schedule(s, out);
    for (unsigned i = 0; i < count && i < cap; i++)
        periods[i] = period_of(&s->charging_schedule_period.at[i]);
    out->periods = periods;
    out->count = count;
    return 0;
}
