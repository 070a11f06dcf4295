/* station/v16/change_availability.c - ChangeAvailability. OCPP 1.6 §5.2; station-1.6 105. */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    static const uint8_t status[] = {
        [AMP_AVAIL_ACCEPTED] = OCPP16_AVAILABILITY_STATUS_ACCEPTED,
        [AMP_AVAIL_REJECTED] = OCPP16_AVAILABILITY_STATUS_REJECTED,
        [AMP_AVAIL_SCHEDULED] = OCPP16_AVAILABILITY_STATUS_SCHEDULED,
    };
    const struct ocpp16_change_availability *in = request;
    struct ocpp16_change_availability_reply *out = reply;
    enum amp_avail_result rc = AMP_AVAIL_REJECTED;

    if (in->connector_id == 0 || amp_is_connector(st, in->connector_id))
        rc = amp_connector_availability(st, (int)in->connector_id,
                                        in->type == OCPP16_AVAILABILITY_TYPE_OPERATIVE);
    out->status = (enum ocpp16_availability_status)status[rc];
    return 0;
}

const struct amp_station_op station16_change_availability = { .id = OCPP16_CHANGE_AVAILABILITY,
                                                              .on_call = on_call };
