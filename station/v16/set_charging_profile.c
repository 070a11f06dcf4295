/* station/v16/set_charging_profile.c - SetChargingProfile. OCPP 1.6 §5.16, errata 3.38, 3.39;
 * station-1.6 118-120, 134. A connector that does not exist is an error, everything else that is
 * not taken is Rejected. */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_set_charging_profile *in = request;
    struct ocpp16_set_charging_profile_reply *out = reply;
    struct amp_profile_in profile;
    int rc;

    if (in->connector_id != 0 && !amp_is_connector(st, in->connector_id))
        return AMP_E_VALUE;
    rc = station16_profile(st, &in->cs_charging_profiles, &profile);
    if (rc < 0)
        return rc;
    profile.p.connector = (uint8_t)in->connector_id;
    out->status = amp_profiles_set(st, &profile) ? OCPP16_CHARGING_PROFILE_STATUS_ACCEPTED
                                                 : OCPP16_CHARGING_PROFILE_STATUS_REJECTED;
    return 0;
}

const struct amp_station_op station16_set_charging_profile = { .id = OCPP16_SET_CHARGING_PROFILE,
                                                               .on_call = on_call };
