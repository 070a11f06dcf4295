/* central/rest/operations.c - the typed routes of commands: one row each. Most bodies have the
 * names and types that OCPP has, so what was decoded strictly by api.def travels on as it came,
 * without its blanks. */
#include "central/rest/build.h"
#include "central/rest/commands.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"
#include "central/rest/transfer.h"

#include "messages/api.h"
#include <assert.h>
#include <stdlib.h>

#define RECORD_MAX  512 /* of the decoded bodies */
#define PAYLOAD_MAX 16384

/* Routes whose body is the payload. `where` is the field to blame when the check of the definitions
 * names none. */
static const struct operation {
    int message;
    const char *action, *where;
} operations[] = {
    { API_UNLOCK, "UnlockConnector", "connectorId" },
    { API_RESET, "Reset", "type" },
    { API_TRIGGER, "TriggerMessage", "requestedMessage" },
    { API_EXTENDED_TRIGGER, "ExtendedTriggerMessage", "requestedMessage" },
    { API_CHANGE_AVAILABILITY, "ChangeAvailability", "type" },
    { API_CHANGE_CONFIGURATION, "ChangeConfiguration", "key" },
    { API_GET_CONFIGURATION, "GetConfiguration", "key" },
    { API_DELETE_CERTIFICATE, "DeleteCertificate", "certificateHashData" },
    { API_INSTALLED_CERTIFICATES, "GetInstalledCertificateIds", "certificateType" },
    { API_CLEAR_CACHE, "ClearCache", "body" },
    { API_DATA_TRANSFER, "DataTransfer", "vendorId" },
    { API_GET_COMPOSITE_SCHEDULE, "GetCompositeSchedule", "duration" },
    { API_CLEAR_PROFILES, "ClearChargingProfile", "id" },
    { API_SEND_LOCAL_LIST, "SendLocalList", "listVersion" },
    { API_GET_LOCAL_LIST_VERSION, "GetLocalListVersion", "body" },
};

static const struct operation *operation_of(const struct rest_call *call)
{
    const struct operation *o = operations;

    while (o->message != call->route->message)
        o++;
    return o;
}

/* Without the blanks between values: some stations read no line ends. The arena's, behind what was
 * decoded. */
static struct amp_text compact(struct amp_arena *arena, struct amp_text in)
{
    char *out = amp_arena_alloc(arena, in.len + 1);
    bool quoted = false;
    uint32_t n = 0;

    if (!out)
        return in;
    for (uint32_t i = 0; i < in.len; i++) {
        char c = in.at[i];

        if (quoted && c == '\\' && i + 1 < in.len)
            out[n++] = in.at[i++];
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == ' ' || c == '\t' || c == '\r' || c == '\n'))
            continue;
        out[n++] = in.at[i];
    }
    return (struct amp_text){ out, n };
}

void rest_operation(struct rest_call *call)
{
    const struct operation *o = operation_of(call);
    struct charger *ch = rest_reachable(call);
    struct command_fact f = { .connector = -1, .action = amp_text_of(o->action) };
    struct amp_text body;
    uint64_t record[RECORD_MAX / 8];

    assert(api.messages[o->message].request_size <= sizeof record);
    if (!ch || !rest_body(call, record)) /* a check only: the text goes on */
        return;
    body = amp_text_trim(call->body);
    f.payload = body.len ? compact(&call->c->arena, body) : AMP_TEXT("{}");
    rest_command_target(call->c, f.payload, &f);
    rest_command_ask(call, ch, &f, o->where);
}

/* Those whose payload is made here: build.c. */
void rest_file_operation(struct rest_call *call)
{
    struct charger *ch = rest_reachable(call);
    struct command_fact f = { .connector = -1 };
    struct build b = { .charger = ch, .f = &f };
    uint64_t record[RECORD_MAX / 8];
    char *block, base[REST_BASE_MAX];

    if (!ch)
        return;
    assert(api.messages[call->route->message].request_size <= sizeof record);
    f.action = build_action(call->route->message);
    f.by = amp_text_of(call->who.name);
    b.c = call->c;
    b.now_ms = rest_now(call);
    b.base = base;
    rest_base_url(call->c, call->head, call->secure, base);
    if (!rest_body(call, record))
        return;
    block = malloc(PAYLOAD_MAX);
    if (!block)
        abort();
    amp_buf_init(&b.payload, block, PAYLOAD_MAX);
    if (build_payload(&b, record)) {
        call->file = b.upload;
        rest_command_ask(call, ch, &f, "body");
    } else {
        rest_problem(call, &b.problem, "%s", b.detail);
    }
    free(block);
}

/* The open transaction that the body means: by number, by connector, or the only one. NULL: a
 * problem was answered. */
static const struct transaction_fact *meant(struct rest_call *call, struct charger *ch,
                                            const struct api_remote_stop *q)
{
    const struct transaction_fact *found = NULL, *t;
    unsigned running = 0;

    if (q->has & API_HAS_REMOTE_STOP_TRANSACTION_ID) {
        found = world_transaction(call->c->world, q->transaction_id);
        running = found && found->charger == charger_fact(ch)->key && !found->stop_ms;
    } else if (q->has & API_HAS_REMOTE_STOP_CONNECTOR_ID) {
        found = q->connector_id <= INT32_MAX ? charger_transaction(ch, (int)q->connector_id) : NULL;
        running = found != NULL;
    } else {
        for (size_t i = 1; i <= charger_connectors(ch); i++) {
            t = charger_transaction(ch, (int)i);
            found = t ? t : found;
            running += t != NULL;
        }
    }
    if (running == 1)
        return found;
    rest_problem(call,
                 &(struct rest_problem){
                     .status = 409,
                     .kind = running ? "which-transaction" : "nothing-runs",
                     .title = running ? "More than one session runs" : "No such session runs",
                     .field = q->has & API_HAS_REMOTE_STOP_TRANSACTION_ID ? "transactionId"
                                                                          : "connectorId",
                     .cure = running ? "Name the transaction or the connector."
                                     : "Look at the charger for the sessions that run." },
                 "The charger \"%.*s\" has %s.", AMP_FMT(charger_fact(ch)->id),
                 running ? "several sessions running" : "no such session running");
    return NULL;
}

void rest_remote_stop(struct rest_call *call)
{
    struct charger *ch = rest_reachable(call);
    struct command_fact f = { .connector = -1, .action = AMP_TEXT("RemoteStopTransaction") };
    const struct transaction_fact *t;
    struct api_remote_stop q;
    struct amp_buf out;
    struct amp_json w;
    char block[64];

    if (!ch || !rest_body(call, &q) || !(t = meant(call, ch, &q)))
        return;
    amp_buf_init(&out, block, sizeof block);
    amp_json_init(&w, &out);
    amp_json_open(&w, '{');
    shape_int(&w, "transactionId", t->key);
    amp_json_close(&w, '}');
    f.payload = amp_buf_text(&out);
    f.connector = t->connector;
    f.transaction = t->key;
    rest_command_ask(call, ch, &f, "transactionId");
}

void rest_send_command(struct rest_call *call)
{
    struct charger *ch = rest_reachable(call);
    struct command_fact f = { .connector = -1 };
    struct api_send_command q;

    if (!ch || !rest_body(call, &q))
        return;
    f.action = q.action;
    f.payload = q.payload.at ? q.payload : AMP_TEXT("{}");
    rest_command_target(call->c, f.payload, &f);
    rest_command_ask(call, ch, &f, "payload");
}
