/* central/rest/charger_lists.c - which local list a charger is to have, what it has, and sending it
 * again. */
#include "central/domain/local_list.h"
#include "central/rest/audit.h"
#include "central/rest/commands.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

#include "messages/api.h"

static void shape(struct amp_json *w, const struct central *c, const struct charger *ch)
{
    const struct charger_list_fact *f = charger_list(ch);
    struct charger_list_fact none = { .charger = charger_fact(ch)->key,
                                      .state = CHARGER_LIST_IDLE,
                                      .version = LIST_VERSION_UNKNOWN };
    struct charger_list_fact now = f ? *f : none;

    now.state = charger_list_state(c->world, ch);
    shape_charger_list(w, c, &now);
}

static void answer(struct rest_call *call)
{
    struct central *c = call->c;
    struct charger *ch = world_charger(c->world, rest_param(call, 0));
    struct amp_json *w;

    if (ch)
        v16_kick(c->v16, ch); /* what it lacks is sent now, when it is there */
    if (!rest_conn(call) || !ch) {
        rest_drop(call);
        return;
    }
    w = rest_begin(call);
    shape(w, c, ch);
    rest_send(call, call->route->status);
}

void rest_get_charger_list(struct rest_call *call)
{
    struct charger *ch = rest_charger(call, rest_param(call, 0));
    struct amp_json *w;

    if (!ch)
        return;
    w = rest_begin(call);
    shape(w, call->c, ch);
    rest_send(call, 200);
}

static void assign(struct rest_call *call, struct charger *ch, struct amp_text list, int32_t max,
                   bool leave)
{
    shape(rest_was(call), call->c, ch);
    world_assign_list(call->c->world, ch, list, max, leave, rest_now(call));
    shape(rest_is(call), call->c, ch);
    rest_audit(call, &(struct rest_change){ .action = "change",
                                            .kind = "charger-list",
                                            .thing = charger_fact(ch)->id,
                                            .charger = charger_fact(ch)->key });
    rest_after(call, answer);
}

void rest_put_charger_list(struct rest_call *call)
{
    struct charger *ch = rest_charger(call, rest_param(call, 0));
    struct api_put_charger_list q;

    if (!ch || !rest_body(call, &q))
        return;
    if (!world_list(call->c->world, call->who.org, q.list)) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 422,
                                             .kind = "bad-value",
                                             .title = "There is no such local list",
                                             .field = "list",
                                             .cure = "Make it first: PUT "
                                                     "/api/v1/local-lists/{name}." },
                     "list: %.*s", AMP_FMT(q.list));
        return;
    }
    assign(call, ch, q.list,
           q.has & API_HAS_PUT_CHARGER_LIST_MAX_ENTRIES ? (int32_t)q.max_entries : 0, false);
}

void rest_delete_charger_list(struct rest_call *call)
{
    struct charger *ch = rest_charger(call, rest_param(call, 0));
    int32_t leave = 0;

    if (ch && rest_query_bool(call, "leave", &leave))
        assign(call, ch, AMP_NO_TEXT, 0, leave != 0);
}

void rest_send_charger_list(struct rest_call *call)
{
    struct charger *ch = rest_charger(call, rest_param(call, 0));
    struct api_send_charger_list q;

    if (!ch || !rest_body(call, &q))
        return;
    if (!charger_list(ch) || !charger_list(ch)->list.len) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 409,
                                             .kind = "no-list",
                                             .title = "This charger is to have no list",
                                             .field = "id",
                                             .cure = "Give it one: PUT "
                                                     "/api/v1/chargers/{id}/local-list." },
                     "The charger \"%.*s\" is to have no local list.",
                     AMP_FMT(charger_fact(ch)->id));
        return;
    }
    world_resend_list(call->c->world, ch, q.full, rest_now(call));
    rest_after(call, answer);
}
