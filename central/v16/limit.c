/* central/v16/limit.c - charging profiles of load management. OCPP 1.6 §3.13, §5.16; what each is
 * for: domain/load_point.h.
 *
 * Leases are Absolute with a start some minutes ago, so that a station whose clock is behind takes
 * them, too; the fail-safe limit is Relative without an end: it needs no clock at all. */
#include "central/v16/limit.h"
#include "messages/ocpp16.h"

#define BEFORE_S 300

static int clear(const struct load_say *say, struct amp_text *action, struct amp_buf *out)
{
    const struct ocpp16_clear_charging_profile body = {
        .charging_profile_purpose = say->sent->slot == LOAD_BASE
                                        ? OCPP16_CHARGING_PROFILE_PURPOSE_TX_PROFILE
                                        : OCPP16_CHARGING_PROFILE_PURPOSE_TX_DEFAULT_PROFILE,
    };

    *action = AMP_TEXT("ClearChargingProfile");
    return amp_encode(&ocpp16_clear_charging_profile_record, AMP_OCPP16, &body, out, NULL);
}

static void write_lease(struct ocpp16_charging_schedule *s, int64_t until_ms, int64_t now_ms)
{
    int64_t start_s = now_ms / 1000 - BEFORE_S;

    s->has = OCPP16_HAS_CHARGING_SCHEDULE_DURATION | OCPP16_HAS_CHARGING_SCHEDULE_START_SCHEDULE;
    s->start_schedule = start_s * 1000;
    s->duration = until_ms / 1000 - start_s;
}

int v16_limit(const struct load_say *say, int volts, int64_t now_ms, struct amp_text *action,
              struct amp_buf *out)
{
    const struct load_sent *sent = say->sent;
    const struct load_member_fact *m = say->member;
    struct ocpp16_charging_schedule_period period = {
        .has = OCPP16_HAS_CHARGING_SCHEDULE_PERIOD_NUMBER_PHASES,
    };
    struct ocpp16_set_charging_profile body = { .connector_id = say->connector };
    struct ocpp16_charging_profile *p = &body.cs_charging_profiles;

    amp_buf_reset(out);
    if (say->clear)
        return clear(say, action, out);
    *action = AMP_TEXT("SetChargingProfile");
    period.number_phases = m->phases == 1 ? 1 : 3;
    period.limit = m->watts ? amp_dec_of((int64_t)sent->da * volts * period.number_phases / 10, 0)
                            : amp_dec_of(sent->da, 1);
    p->charging_profile_id = V16_LIMIT_IDS + (int64_t)say->connector * 4 + (int)sent->slot;
    p->stack_level = sent->slot == LOAD_BASE ? 0 : 1;
    p->charging_profile_purpose = sent->slot == LOAD_NOW
                                      ? OCPP16_CHARGING_PROFILE_PURPOSE_TX_PROFILE
                                      : OCPP16_CHARGING_PROFILE_PURPOSE_TX_DEFAULT_PROFILE;
    p->charging_profile_kind = sent->slot == LOAD_BASE ? OCPP16_CHARGING_PROFILE_KIND_RELATIVE
                                                       : OCPP16_CHARGING_PROFILE_KIND_ABSOLUTE;
    if (sent->slot == LOAD_NOW) {
        p->has = OCPP16_HAS_CHARGING_PROFILE_TRANSACTION_ID;
        p->transaction_id = say->transaction;
    }
    p->charging_schedule.charging_rate_unit =
        m->watts ? OCPP16_CHARGING_RATE_UNIT_W : OCPP16_CHARGING_RATE_UNIT_A;
    if (sent->slot != LOAD_BASE)
        write_lease(&p->charging_schedule, sent->until_ms, now_ms);
    p->charging_schedule.charging_schedule_period.at = &period;
    p->charging_schedule.charging_schedule_period.len = 1;
    return amp_encode(&ocpp16_set_charging_profile_record, AMP_OCPP16, &body, out, NULL);
}
