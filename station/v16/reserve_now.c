/* station/v16/reserve_now.c - ReserveNow. OCPP 1.6 §5.13; station-1.6 136-141. */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    static const uint8_t status[] = {
        [AMP_RESERVE_ACCEPTED] = OCPP16_RESERVATION_STATUS_ACCEPTED,
        [AMP_RESERVE_FAULTED] = OCPP16_RESERVATION_STATUS_FAULTED,
        [AMP_RESERVE_OCCUPIED] = OCPP16_RESERVATION_STATUS_OCCUPIED,
        [AMP_RESERVE_REJECTED] = OCPP16_RESERVATION_STATUS_REJECTED,
        [AMP_RESERVE_UNAVAILABLE] = OCPP16_RESERVATION_STATUS_UNAVAILABLE,
    };
    const struct ocpp16_reserve_now *in = request;
    struct ocpp16_reserve_now_reply *out = reply;
    struct amp_reservation wanted = { .id = in->reservation_id, .expiry_ms = in->expiry_date };
    enum amp_reserve_result rc = AMP_RESERVE_REJECTED;

    if (in->id_tag.len && in->id_tag.len < AMP_TAG_CAP && in->parent_id_tag.len < AMP_TAG_CAP) {
        amp_text_copy(wanted.tag, AMP_TAG_CAP, in->id_tag);
        if (in->parent_id_tag.at)
            amp_text_copy(wanted.parent, AMP_TAG_CAP, in->parent_id_tag);
        rc = amp_reservation_make(st, in->connector_id, &wanted);
    }
    out->status = (enum ocpp16_reservation_status)status[rc];
    return 0;
}

const struct amp_station_op station16_reserve_now = { .id = OCPP16_RESERVE_NOW,
                                                      .on_call = on_call };
