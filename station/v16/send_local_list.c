/* station/v16/send_local_list.c - SendLocalList. OCPP 1.6 §5.15; station-1.6 142-146. */
#include "station/v16/v16.h"

/* Decoding takes what is here plus, as its list grows, up to three times the list itself. */
_Static_assert(AMP_ARENA_MAX >=
                   AMP_LIST_SEND_MAX * (AMP_TAG_PACKED_MAX + sizeof(struct ocpp16_id_tag_info) +
                                        4 * sizeof(struct ocpp16_authorization_data)) +
                       sizeof(struct ocpp16_send_local_list),
               "SendLocalListMaxLength is a promise");

/* As the core takes it, into the arena. Bytes written, or an error: no tag, or one too long. */
static int pack(struct amp_station *st, const struct ocpp16_send_local_list *in, uint8_t **packed)
{
    uint32_t count = in->local_authorization_list.len;
    size_t len = 0;

    *packed = amp_arena_alloc(&st->arena, count * (size_t)AMP_TAG_PACKED_MAX + 1);
    if (!*packed)
        return AMP_E_FULL;
    for (uint32_t i = 0; i < count; i++) {
        const struct ocpp16_authorization_data *from = &in->local_authorization_list.at[i];
        struct amp_tag_info info = { 0 };
        size_t size;

        if (from->id_tag_info && from->id_tag_info->parent_id_tag.len >= AMP_TAG_CAP)
            return AMP_E_VALUE;
        if (from->id_tag_info)
            station16_tag_info(from->id_tag_info, &info);
        size = amp_tag_pack(*packed + len, from->id_tag, &info);
        if (!size)
            return AMP_E_VALUE;
        len += size;
    }
    return (int)len;
}

static int on_call(struct amp_station *st, const void *request, void *reply)
{
    static const uint8_t status[] = {
        [AMP_LIST_ACCEPTED] = OCPP16_UPDATE_STATUS_ACCEPTED,
        [AMP_LIST_FAILED] = OCPP16_UPDATE_STATUS_FAILED,
        [AMP_LIST_NOT_SUPPORTED] = OCPP16_UPDATE_STATUS_NOT_SUPPORTED,
        [AMP_LIST_MISMATCH] = OCPP16_UPDATE_STATUS_VERSION_MISMATCH,
    };
    const struct ocpp16_send_local_list *in = request;
    struct ocpp16_send_local_list_reply *out = reply;
    enum amp_list_result rc = AMP_LIST_FAILED;
    uint8_t *packed;
    int len = pack(st, in, &packed);

    if (len >= 0)
        rc = amp_list_update(st, in->update_type == OCPP16_UPDATE_TYPE_FULL, in->list_version,
                             packed, (size_t)len);
    out->status = (enum ocpp16_update_status)status[rc];
    return 0;
}

const struct amp_station_op station16_send_local_list = { .id = OCPP16_SEND_LOCAL_LIST,
                                                          .on_call = on_call };
