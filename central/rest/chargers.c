/* central/rest/chargers.c - chargers as they are now, and the decision who may be one. */
#include "central/domain/access.h"
#include "central/rest/audit.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

#include "messages/api.h"
#include <stdio.h>

#define HEARTBEAT_MAX_S 86400

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
    if (!rest_admit(call, id))
        return;
    ch = world_charger_meet(call->c->world, id, rest_now(call));
    world_adopt(call->c->world, ch, decision((int)q.registration), rest_now(call));
    audit(call, ch, "create");
    call->key = charger_fact(ch)->key;
    rest_after(call, changed);
}

/* Tell a charger that is connected; others hear it at their next boot. Not waited for. */
static void send_heartbeat(struct rest_call *call, struct charger *ch, int64_t heartbeat_s)
{
    char payload[80];

    if (!charger_session(ch))
        return;
    snprintf(payload, sizeof payload, "{\"key\":\"HeartbeatInterval\",\"value\":\"%lld\"}",
             (long long)heartbeat_s);
    (void)world_command(call->c->world, ch,
                        &(struct command_fact){ .connector = -1,
                                                .action = AMP_TEXT("ChangeConfiguration"),
                                                .payload = amp_text_of(payload),
                                                .by = amp_text_of(call->who.name) },
                        rest_now(call));
}

static void set_heartbeat(struct rest_call *call, struct charger *ch, int64_t heartbeat_s)
{
    struct access_fact f = *charger_access(ch);

    if (f.heartbeat_s == heartbeat_s)
        return;
    f.heartbeat_s = (int32_t)heartbeat_s;
    world_put_access(call->c->world, ch, &f);
    send_heartbeat(call, ch, heartbeat_s ? heartbeat_s : world_config(call->c->world)->heartbeat_s);
}

static void set_registration(struct rest_call *call, struct charger *ch, int registration)
{
    world_adopt(call->c->world, ch, registration, rest_now(call));
    if (registration == REGISTRATION_REJECTED)
        v16_drop(call->c->v16, ch, 1008, "rejected by an operator");
}

/* After the commit, too: what was queued for the charger may go out. */
static void updated(struct rest_call *call)
{
    struct charger *ch = world_charger_by_key(call->c->world, call->key);

    if (ch)
        v16_kick(call->c->v16, ch);
    changed(call);
}

void rest_update_charger(struct rest_call *call)
{
    struct api_update_charger q;
    struct charger *ch = rest_charger(call, rest_param(call, 0));
    const char *action = "change";

    if (!ch || !rest_body(call, &q))
        return;
    if (q.has & API_HAS_UPDATE_CHARGER_HEARTBEATS && q.heartbeats > HEARTBEAT_MAX_S) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 422,
                                             .kind = "bad-value",
                                             .title = "This can't be a heartbeat interval",
                                             .field = "heartbeatS",
                                             .cure = "Give 1 to 86400 seconds, or 0 for the "
                                                     "server's own." },
                     "heartbeatS: %lld", (long long)q.heartbeats);
        return;
    }
    shape_charger_fact(rest_was(call), charger_fact(ch), rest_now(call));
    if (q.has & API_HAS_UPDATE_CHARGER_HEARTBEATS)
        set_heartbeat(call, ch, q.heartbeats);
    if (q.registration) {
        set_registration(call, ch, decision((int)q.registration));
        action = decision((int)q.registration) == REGISTRATION_REJECTED ? "reject" : "adopt";
    }
    audit(call, ch, action);
    call->key = charger_fact(ch)->key;
    rest_after(call, updated);
}

static void deleted(struct rest_call *call)
{
    rest_empty(call, 204, "");
}

/* E64: it loses its socket at once. */
void rest_delete_charger(struct rest_call *call)
{
    struct charger *ch = rest_charger(call, rest_param(call, 0));

    if (!ch)
        return;
    shape_charger_fact(rest_was(call), charger_fact(ch), rest_now(call));
    for (size_t i = 0; i <= charger_connectors(ch); i++)
        if (charger_transaction(ch, (int)i)) {
            rest_problem(call,
                         &(struct rest_problem){
                             .status = 409,
                             .kind = "charging",
                             .title = "A session runs on this charger",
                             .field = "id",
                             .cure = "Stop it first (POST .../remote-stop), or close it by hand." },
                         "Transaction %lld is open.",
                         (long long)charger_transaction(ch, (int)i)->key);
            return;
        }
    v16_drop(call->c->v16, ch, 1008, "deleted by an operator");
    if (world_delete_charger(call->c->world, ch, rest_now(call)) < 0) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 409,
                                             .kind = "charging",
                                             .title = "A session runs on this charger",
                                             .field = "id",
                                             .cure = "Stop it first, or close it by hand." },
                     "One of its transactions is open.");
        return;
    }
    rest_audit(call, &(struct rest_change){ .action = "delete",
                                            .kind = "charger",
                                            .thing = charger_fact(ch)->id,
                                            .charger = charger_fact(ch)->key });
    rest_after(call, deleted);
}
