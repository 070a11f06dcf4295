/* station/v16/get_composite_schedule.c - GetCompositeSchedule. OCPP 1.6 §5.7, errata 3.28-3.30,
 * 3.57; station-1.6 133. Tells what the output will do, as far as is known now. */
#include "station/v16/v16.h"

#define DURATION_MAX 999999999 /* s: 31 years, so that all slices fit a message */

static int write(struct amp_station *st, const struct amp_slice *slices, unsigned count,
                 struct ocpp16_charging_schedule *out)
{
    out->charging_schedule_period.at =
        amp_arena_alloc(&st->arena, count * sizeof(out->charging_schedule_period.at[0]));
    if (!out->charging_schedule_period.at)
        return AMP_E_FULL;
    out->charging_schedule_period.len = count;
    for (unsigned i = 0; i < count; i++)
        out->charging_schedule_period.at[i] = (struct ocpp16_charging_schedule_period){
            .has = OCPP16_HAS_CHARGING_SCHEDULE_PERIOD_NUMBER_PHASES,
            .start_period = slices[i].start_s,
            .limit = amp_dec_of(slices[i].tenths, 1),
            .number_phases = slices[i].phases,
        };
    return 0;
}

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_get_composite_schedule *in = request;
    struct ocpp16_get_composite_schedule_reply *out = reply;
    struct ocpp16_charging_schedule *schedule = amp_arena_alloc(&st->arena, sizeof(*schedule));
    struct amp_slice *slices = amp_arena_alloc(&st->arena, AMP_SLICES_MAX * sizeof(*slices));
    enum ocpp16_charging_rate_unit unit =
        in->charging_rate_unit ? in->charging_rate_unit : OCPP16_CHARGING_RATE_UNIT_A;
    struct amp_site site;
    uint32_t covered = 0;
    unsigned count;

    out->status = OCPP16_GENERIC_STATUS_REJECTED;
    if ((in->connector_id != 0 && !amp_is_connector(st, in->connector_id)) || !st->clock_known)
        return 0;
    if (!schedule || !slices)
        return AMP_E_FULL;
    out->status = OCPP16_GENERIC_STATUS_ACCEPTED;
    out->has = OCPP16_HAS_GET_COMPOSITE_SCHEDULE_REPLY_CONNECTOR_ID |
               OCPP16_HAS_GET_COMPOSITE_SCHEDULE_REPLY_SCHEDULE_START;
    out->connector_id = in->connector_id;
    out->schedule_start = amp_offer_site(st, (int)in->connector_id, &site);
    out->charging_schedule = schedule;
    count = amp_smart_composite(&site, (int)in->connector_id, out->schedule_start,
                                in->duration < DURATION_MAX ? (uint32_t)in->duration : DURATION_MAX,
                                (enum amp_rate_unit)unit, slices, AMP_SLICES_MAX, &covered);
    schedule->has = OCPP16_HAS_CHARGING_SCHEDULE_DURATION;
    schedule->duration = covered;
    schedule->charging_rate_unit = unit;
    return write(st, slices, count, schedule);
}

const struct amp_station_op station16_get_composite_schedule = { .id =
                                                                     OCPP16_GET_COMPOSITE_SCHEDULE,
                                                                 .on_call = on_call };
