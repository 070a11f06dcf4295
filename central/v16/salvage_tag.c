/* central/v16/salvage_tag.c - a tag that is longer than OCPP 1.6 allows is somebody's all the same:
 * refused, the car does not charge, or worse, the session is lost. So the message is read as if the
 * tag were short, and then gets it back. Edge case 32. What we send stays within the limit. */
#include "central/v16/inside.h"

#include "messages/tolerant.h"

static const struct {
    uint8_t id;
    const struct amp_record *record;
    size_t size, tag_at;
} rows[] = {
    { OCPP16_AUTHORIZE, &ocpp16_authorize_record, sizeof(struct ocpp16_authorize),
      offsetof(struct ocpp16_authorize, id_tag) },
    { OCPP16_START_TRANSACTION, &ocpp16_start_transaction_record,
      sizeof(struct ocpp16_start_transaction), offsetof(struct ocpp16_start_transaction, id_tag) },
    { OCPP16_STOP_TRANSACTION, &ocpp16_stop_transaction_record,
      sizeof(struct ocpp16_stop_transaction), offsetof(struct ocpp16_stop_transaction, id_tag) },
};

void *v16_salvage_tag(const struct amp_rpc_event *ev, struct amp_text payload,
                      struct amp_arena *arena)
{
    struct tolerant_long_tag tag;
    struct amp_text repaired;
    size_t i = 0;
    void *body;

    while (i < AMP_COUNT(rows) && (!ev->message || rows[i].id != ev->message->id))
        i++;
    if (i == AMP_COUNT(rows) || !payload.at || strcmp(ev->verdict.fault.path, "idTag") != 0 ||
        amp_decode(&tolerant_long_tag_record, AMP_OCPP16, AMP_LENIENT, payload, &tag, arena, NULL,
                   NULL) < 0)
        return NULL;
    repaired = v16_replaced(payload, AMP_TEXT("idTag"), "\"x\"", arena);
    body = amp_arena_alloc(arena, rows[i].size);
    if (!repaired.at || !body ||
        amp_decode(rows[i].record, AMP_OCPP16, AMP_LENIENT, repaired, body, arena, NULL, NULL) < 0)
        return NULL;
    memcpy((char *)body + rows[i].tag_at, &tag.id_tag, sizeof tag.id_tag);
    return body;
}
