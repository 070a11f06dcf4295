/* station/v16/cancel_reservation.c - CancelReservation. OCPP 1.6 §5.1; station-1.6 138, 141. */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_cancel_reservation *in = request;
    struct ocpp16_cancel_reservation_reply *out = reply;

    out->status = amp_reservation_cancel(st, in->reservation_id) ? OCPP16_GENERIC_STATUS_ACCEPTED
                                                                 : OCPP16_GENERIC_STATUS_REJECTED;
    return 0;
}

const struct amp_station_op station16_cancel_reservation = { .id = OCPP16_CANCEL_RESERVATION,
                                                             .on_call = on_call };
