/* messages/ocpp2_rules.c - what a definition cannot say because it concerns several fields: the
 * checks of the records marked `checked` in ocpp2.def. The codec calls them when a record is
 * complete, and before it sends one. */
#include "messages/ocpp2.h"

int ocpp2_charging_schedule_check(const void *in, struct amp_fault *fault);

/* Part 2, K01.FR.31: the schedule begins with its first period. */
int ocpp2_charging_schedule_check(const void *in, struct amp_fault *fault)
{
    const struct ocpp2_charging_schedule *s = in;

    if (s->charging_schedule_period.len == 0 || s->charging_schedule_period.at[0].start_period == 0)
        return 0;
    *fault = (struct amp_fault){ .rc = AMP_E_VALUE,
                                 .path = "chargingSchedulePeriod[0].startPeriod",
                                 .why = "the first period must start at 0" };
    return fault->rc;
}
