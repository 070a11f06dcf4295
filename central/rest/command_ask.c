/* central/rest/command_ask.c - a command on its way: a row before it is sent. The answer 202 leaves
 * after its commit, the charger is asked then, and the row tells how it went. An offline charger is
 * refused at once with 409: a start that happens hours later, with another car, helps nobody. Who
 * wants to wait for it says so, and for how long (?queue=). */
#include "central/domain/shared.h"
#include "central/rest/build.h"
#include "central/rest/commands.h"
#include "central/rest/groups.h"

#include "messages/api.h"

/* The command is durable: the charger may hear of it. */
static void queued(struct rest_call *call)
{
    struct central *c = call->c;
    const struct command_fact *f = world_command_get(c->world, call->key);
    struct charger *ch = f ? world_charger_by_key(c->world, f->charger) : NULL;

    if (!ch) {
        rest_absent(call, "command", rest_param(call, 0));
        return;
    }
    rest_command_answer_or_wait(call, f);
    v16_kick(c->v16, ch);
}

static void offline(struct rest_call *call, const struct charger *ch)
{
    rest_problem(call,
                 &(struct rest_problem){
                     .status = 409,
                     .kind = "station-offline",
                     .title = "Station offline",
                     .field = "id",
                     .cure = "Wait until the charger is connected, then ask again; or let the "
                             "command wait for it with ?queue=SECONDS." },
                 "The charger \"%.*s\" is not connected; nothing was queued.",
                 AMP_FMT(charger_fact(ch)->id));
}

void rest_command_ask(struct rest_call *call, struct charger *ch, struct command_fact *f,
                      const char *where)
{
    struct central *c = call->c;
    struct amp_fault fault = { 0 };
    struct rest_problem p;
    char detail[REST_DETAIL_MAX];
    int32_t force = 0;
    int rc;

    if (!rest_command_wait(call) || !rest_query_bool(call, "force", &force))
        return;
    rc = v16_check(c->v16, f->action, f->payload, &fault);
    if (rc < 0) {
        rest_fault(call, rc, &fault, rc == AMP_E_UNKNOWN || rc == AMP_E_SUPPORT ? "action" : where);
        return;
    }
    if (rest_load_refuses(call, ch, f))
        return;
    if (rest_guard(c, ch, f, force, &p, detail)) {
        rest_problem(call, &p, "%s", detail);
        return;
    }
    f->by = amp_text_of(call->who.name);
    f->trace = amp_text_of(call->trace);
    f->expires_ms = call->queue_s ? rest_now(call) + call->queue_s * 1000 : 0;
    call->key =
        (call->queue_s ? world_command_wait : world_command)(c->world, ch, f, rest_now(call));
    if (call->key < 0) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 429,
                                             .kind = "queue-full",
                                             .title = "Too many commands wait already",
                                             .cure = "Wait until the charger has answered some.",
                                             .headers = "Retry-After: 10\r\n" },
                     "The charger \"%.*s\" has not answered earlier commands yet.",
                     AMP_FMT(charger_fact(ch)->id));
        return;
    }
    build_asked(c, call->file, call->key);
    rest_after(call, queued);
}

struct charger *rest_reachable(struct rest_call *call)
{
    return rest_reachable_as(call, rest_param(call, 0));
}

struct charger *rest_reachable_as(struct rest_call *call, struct amp_text id)
{
    struct charger *ch = rest_charger(call, id);

    if (!ch || !rest_query_int(call, "queue", 0, REST_QUEUE_MAX_S, &call->queue_s))
        return NULL;
    if (charger_reachable(ch) || call->queue_s)
        return ch;
    offline(call, ch);
    return NULL;
}

/* What it holds is found behind the caller's own record in the same arena: both stay. */
void rest_command_target(struct central *c, struct amp_text payload, struct command_fact *f)
{
    struct api_command_target target;

    if (amp_decode(api.messages[API_COMMAND_TARGET].request, AMP_OCPP16, AMP_LENIENT, payload,
                   &target, &c->arena, NULL, NULL) < 0)
        return;
    if (target.has & API_HAS_COMMAND_TARGET_CONNECTOR_ID && target.connector_id <= INT32_MAX)
        f->connector = (int32_t)target.connector_id;
    if (target.has & API_HAS_COMMAND_TARGET_TRANSACTION_ID)
        f->transaction = target.transaction_id;
    if (target.has & API_HAS_COMMAND_TARGET_REQUEST_ID)
        f->request = target.request_id;
}
