/* messages/ocpp16_rules.c - what a definition cannot say because it concerns several fields: the
 * checks of the records marked `checked` in ocpp16.def. The codec calls them when a record is
 * complete, and before it sends one. */
#include "messages/ocpp16.h"

int ocpp16_charging_profile_check(const void *in, struct amp_fault *fault);

/* §5.16.4 and §7.13 with errata 3.45: a schedule begins with its first period. */
int ocpp16_charging_profile_check(const void *in, struct amp_fault *fault)
{
    const struct ocpp16_charging_profile *p = in;

    if (p->charging_schedule.charging_schedule_period.len == 0 ||
        p->charging_schedule.charging_schedule_period.at[0].start_period == 0)
        return 0;
    *fault = (struct amp_fault){ .rc = AMP_E_VALUE,
                                 .path = "chargingSchedule.chargingSchedulePeriod[0].startPeriod",
                                 .why = "the first period must start at 0" };
    return fault->rc;
}
