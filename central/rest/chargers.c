/* central/rest/chargers.c - chargers as they are now, and the decision who may be one. */
#include "central/rest/audit.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

#include "messages/api.h"

void rest_list_chargers(struct rest_call *call)
{
    struct central *c = call->c;
    struct amp_json *w = rest_list(call, live_seq(c->live));
    size_t count = world_charger_count(c->world);

    for (size_t i = 0; i < count; i++) {
        const struct charger *ch = world_charger_at(c->world, i);

        if (charger_fact(ch)->org == call->who.org)
            shape_charger(w, c, ch, rest_now(call));
    }
    rest_list_end(call, 0);
}

static void answer(struct rest_call *call, const struct charger *ch, int status)
{
    struct amp_json *w = rest_begin(call);

    shape_charger(w, call->c, ch, rest_now(call));
    rest_send(call, status);
}

void rest_get_charger(struct rest_call *call)
{
    struct charger *ch = rest_charger(call, rest_param(call, 0));

    if (ch)
        answer(call, ch, 200);
}

/* After the commit: call->key is the charger. */
static void changed(struct rest_call *call)
{
    if (rest_conn(call))
        answer(call, world_charger_by_key(call->c->world, call->key), call->route->status);
    else
        rest_drop(call);
}

/* What a station can say in a path: no control characters, no slash; 48 characters are the most
 * that any version allows. */
static bool sound_id(struct amp_text id)
{
    if (!id.len || id.len > 48)
        return false;
    for (uint32_t i = 0; i < id.len; i++)
        if ((unsigned char)id.at[i] <= ' ' || id.at[i] == 0x7f || id.at[i] == '/')
            return false;
    return true;
}

/* Beside rest_was, or nothing where it is new. */
static void audit(struct rest_call *call, const struct charger *ch, const char *action)
{
    const struct charger_fact *f = charger_fact(ch);

    shape_charger_fact(rest_is(call), f, rest_now(call));
    rest_audit(call, &(struct rest_change){
                         .action = action, .kind = "charger", .thing = f->id, .charger = f->key });
}

static int decision(int value)
{
    return value == API_DECISION_REJECTED ? REGISTRATION_REJECTED : REGISTRATION_ACCEPTED;
}

void rest_create_charger(struct rest_call *call)
{
    struct api_create_charger q;
    struct amp_text id;
    struct charger *ch;

    if (!rest_body(call, &q))
        return;
    id = q.id.at ? q.id : q.charge_point_string_id;
    if (!sound_id(id)) {
        rest_problem(call,
                     &(struct rest_problem){
                         .status = 422,
                         .kind = "bad-value",
                         .title = "This can't be a charger's identity",
                         .field = "id",
                         .cure = "Give 1 to 48 characters without blanks and slashes." },
                     "id: %.*s", AMP_FMT(id));
        return;
    }
    if (world_charger(call->c->world, id)) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 409,
                                             .kind = "exists",
                                             .title = "This charger is known already",
                                             .field = "id",
                                             .cure =
                                                 "Choose another identity, or PATCH the charger." },
                     "There is a charger \"%.*s\".", AMP_FMT(id));
        return;
    }
    ch = world_charger_meet(call->c->world, id, rest_now(call));
    world_adopt(call->c->world, ch, decision((int)q.registration), rest_now(call));
    audit(call, ch, "create");
    call->key = charger_fact(ch)->key;
    rest_after(call, changed);
}

void rest_update_charger(struct rest_call *call)
{
    struct api_update_charger q;
    struct charger *ch = rest_charger(call, rest_param(call, 0));

    if (!ch || !rest_body(call, &q))
        return;
    shape_charger_fact(rest_was(call), charger_fact(ch), rest_now(call));
    world_adopt(call->c->world, ch, decision((int)q.registration), rest_now(call));
    audit(call, ch,
          decision((int)q.registration) == REGISTRATION_REJECTED ? "reject" : "adopt");
    if (decision((int)q.registration) == REGISTRATION_REJECTED)
        v16_drop(call->c->v16, ch, 1008, "rejected by an operator");
    call->key = charger_fact(ch)->key;
    rest_after(call, changed);
}
