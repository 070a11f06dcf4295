/* station/v16/data_transfer.c - DataTransfer: to the maker's own code, when it has any. OCPP 1.6
 * §4.3, §5.6; station-1.6 153. */
#include "station/v16/v16.h"

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    const struct ocpp16_data_transfer *in = request;
    struct ocpp16_data_transfer_reply *out = reply;
    const struct amp_vendor *v = st->vendor_data;
    char *room;
    int n;

    out->status = OCPP16_DATA_TRANSFER_STATUS_UNKNOWN_VENDOR_ID;
    if (!v || !amp_text_eqi(in->vendor_id, amp_text_of(v->id)))
        return 0;
    room = amp_arena_alloc(&st->arena, AMP_DATA_MAX);
    if (!room)
        return AMP_E_FULL;
    n = v->on_data(v->ctx, in->message_id, in->data, room, AMP_DATA_MAX);
    out->status = n >= 0              ? OCPP16_DATA_TRANSFER_STATUS_ACCEPTED
                  : n == AMP_E_ABSENT ? OCPP16_DATA_TRANSFER_STATUS_UNKNOWN_MESSAGE_ID
                                      : OCPP16_DATA_TRANSFER_STATUS_REJECTED;
    if (n > 0)
        out->data = (struct amp_text){ room, (uint32_t)n };
    return 0;
}

const struct amp_station_op station16_data_transfer = { .id = OCPP16_DATA_TRANSFER,
                                                        .on_call = on_call };
