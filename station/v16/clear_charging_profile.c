/* station/v16/clear_charging_profile.c - ClearChargingProfile. OCPP 1.6 §5.5, errata 3.25, 3.26;
 * station-1.6 132. */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_clear_charging_profile *in = request;
    struct ocpp16_clear_charging_profile_reply *out = reply;
    struct amp_profile_filter f = {
        .has_id = in->has & OCPP16_HAS_CLEAR_CHARGING_PROFILE_ID,
        .id = in->id,
        .connector =
            in->has & OCPP16_HAS_CLEAR_CHARGING_PROFILE_CONNECTOR_ID ? in->connector_id : -1,
        .level = in->has & OCPP16_HAS_CLEAR_CHARGING_PROFILE_STACK_LEVEL ? in->stack_level : -1,
        .purpose = (int)in->charging_profile_purpose,
    };
    int rc = amp_profiles_clear(st, &f);

    out->status = rc == 0 ? OCPP16_CLEAR_CHARGING_PROFILE_STATUS_ACCEPTED
                          : OCPP16_CLEAR_CHARGING_PROFILE_STATUS_UNKNOWN;
    return rc == AMP_E_ABSENT ? 0 : rc;
}

const struct amp_station_op station16_clear_charging_profile = { .id =
                                                                     OCPP16_CLEAR_CHARGING_PROFILE,
                                                                 .on_call = on_call };
