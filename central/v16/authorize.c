/* central/v16/authorize.c - Authorize: may this tag charge? OCPP 1.6 §4.1. */
#include "central/domain/quirk.h"
#include "central/v16/ops.h"

static int on_call(const struct v16_call *call, void *reply)
{
    const struct ocpp16_authorize *req = call->body;
    struct ocpp16_authorize_reply *out = reply;
    struct tag_answer a;

    world_authorize(call->world, charger_fact(call->charger)->org,
                    charger_tag(call->world, call->charger, req->id_tag), call->now_ms, &a);
    v16_tag_info(&out->id_tag_info, &a);
    return 0;
}

const struct v16_op v16_authorize = { .id = OCPP16_AUTHORIZE, .on_call = on_call };
