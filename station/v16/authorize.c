/* station/v16/authorize.c - Authorize, and idTagInfo as every answer about a tag carries it.
 * OCPP 1.6 §4.1. */
#include "station/v16/v16.h"

void station16_tag_info(const struct ocpp16_id_tag_info *in, struct amp_tag_info *out)
{
    memset(out, 0, sizeof(*out));
    out->status = (uint8_t)in->status;
    amp_text_copy(out->parent, sizeof(out->parent),
                  in->parent_id_tag.at ? in->parent_id_tag : AMP_TEXT(""));
    out->has_expiry = (in->has & OCPP16_HAS_ID_TAG_INFO_EXPIRY_DATE) != 0;
    out->expiry_ms = out->has_expiry ? in->expiry_date : 0;
}

static int make(struct amp_station *st, void *request)
{
    struct ocpp16_authorize *out = request;

    out->id_tag = amp_text_of(st->call.tag);
    return 0;
}

static void on_result(struct amp_station *st, const void *reply)
{
    const struct ocpp16_authorize_reply *in = reply;
    struct amp_tag_info info;

    station16_tag_info(&in->id_tag_info, &info);
    amp_auth_answered(st, &info);
}

const struct amp_station_op station16_authorize = {
    .id = OCPP16_AUTHORIZE, .jobs = JOB(AUTHORIZE), .make = make, .on_result = on_result
};
