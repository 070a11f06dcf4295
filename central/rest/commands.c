/* central/rest/commands.c - what people ask of a charger. A command is a row before it is sent: the
 * answer 202 leaves after its commit, the charger is asked then, and the row tells how it went.
 * ?wait= holds the answer until the charger has answered (200). An offline charger is refused at
 * once with 409: a start that happens hours later, with another car, helps nobody. */
#include "central/rest/routes.h"
#include "central/rest/shapes.h"
#include <stdlib.h>

#include "messages/api.h"

#define PAYLOAD_MAX 512 /* of the payloads that are written here */

/* A call that waits for a charger's answer. */
struct parked {
    struct rest_call *next;
    uv_timer_t *timer;
};

static bool unanswered(const struct command_fact *f)
{
    return f->state == COMMAND_QUEUED || f->state == COMMAND_SENT;
}

static void answer(struct rest_call *call, const struct command_fact *f)
{
    bool asked_now = call->route->status == 202;
    struct amp_json *w;

    if (!rest_conn(call)) {
        rest_drop(call);
        return;
    }
    w = rest_begin(call);
    shape_command(w, call->c, f);
    rest_send(call, asked_now && unanswered(f) ? 202 : 200);
}

/* ---- waiting ---- */

static void on_timer_closed(uv_handle_t *h)
{
    free(h);
}

/* Off the list of those who wait; the timer ends. */
static void unpark(struct rest_call *call)
{
    struct parked *p = call->state;
    struct rest_call **at = &call->rest->waiting;

    while (*at != call)
        at = &((struct parked *)(*at)->state)->next;
    *at = p->next;
    uv_close((uv_handle_t *)p->timer, on_timer_closed);
    call->unpark = NULL;
}

static void on_wait_over(uv_timer_t *t)
{
    struct rest_call *call = t->data;
    const struct command_fact *f = world_command_get(call->c->world, call->key);

    unpark(call);
    if (f)
        answer(call, f);
    else
        rest_absent(call, "command", rest_param(call, 0));
}

static void park(struct rest_call *call)
{
    struct parked *p = malloc(sizeof *p);
    uv_timer_t *timer = malloc(sizeof *timer);

    if (!p || !timer)
        abort();
    uv_timer_init(call->c->loop, timer);
    timer->data = call;
    uv_timer_start(timer, on_wait_over, (uint64_t)call->wait_s * 1000, 0);
    *p = (struct parked){ call->rest->waiting, timer };
    call->state = p;
    call->rest->waiting = call;
    call->unpark = unpark;
}

void rest_command_changed(struct rest *r, const struct command_fact *f)
{
    if (unanswered(f))
        return;
    for (struct rest_call *call = r->waiting, *next; call; call = next) {
        next = ((struct parked *)call->state)->next;
        if (call->key != f->key)
            continue;
        unpark(call);
        answer(call, f);
    }
}

/* Now, or once the charger has answered. */
static void answer_or_wait(struct rest_call *call, const struct command_fact *f)
{
    if (call->wait_s && unanswered(f) && rest_conn(call))
        park(call);
    else
        answer(call, f);
}

static bool wait_of(struct rest_call *call)
{
    return rest_query_int(call, "wait", 0, REST_WAIT_MAX_S, &call->wait_s);
}

/* ---- asking ---- */

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
    answer_or_wait(call, f);
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
                     .cure = "Wait until the charger is connected, then ask again." },
                 "The charger \"%.*s\" is not connected; nothing was queued.",
                 AMP_FMT(charger_fact(ch)->id));
}

static void ask(struct rest_call *call, struct charger *ch, struct command_fact *f,
                const char *where)
{
    struct central *c = call->c;
    struct amp_fault fault = { 0 };
    int rc;

    if (!wait_of(call))
        return;
    rc = v16_check(c->v16, f->action, f->payload, &fault);
    if (rc < 0) {
        rest_fault(call, rc, &fault, rc == AMP_E_UNKNOWN || rc == AMP_E_SUPPORT ? "action" : where);
        return;
    }
    f->by = amp_text_of(call->who.name);
    call->key = world_command(c->world, ch, f, rest_now(call));
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
    rest_after(call, queued);
}

/* The charger of the path when it can be asked anything. */
static struct charger *reachable(struct rest_call *call)
{
    struct charger *ch = rest_charger(call, rest_param(call, 0));

    if (!ch || charger_session(ch))
        return ch;
    offline(call, ch);
    return NULL;
}

/* A payload under construction. */
struct payload {
    char block[PAYLOAD_MAX];
    struct amp_buf out;
    struct amp_json w;
};

static struct amp_json *payload_open(struct payload *p)
{
    amp_buf_init(&p->out, p->block, sizeof p->block);
    amp_json_init(&p->w, &p->out);
    amp_json_open(&p->w, '{');
    return &p->w;
}

static struct amp_text payload_close(struct payload *p)
{
    amp_json_close(&p->w, '}');
    return amp_buf_text(&p->out);
}

void rest_remote_start(struct rest_call *call)
{
    struct charger *ch = reachable(call);
    struct command_fact f = { .connector = -1, .action = AMP_TEXT("RemoteStartTransaction") };
    struct api_remote_start q;
    struct payload p;
    struct amp_json *w;

    if (!ch || !rest_body(call, &q))
        return;
    w = payload_open(&p);
    if (q.has & API_HAS_REMOTE_START_CONNECTOR_ID) {
        shape_int(w, "connectorId", q.connector_id);
        f.connector = (int32_t)q.connector_id;
    }
    shape_text(w, "idTag", q.id_tag);
    f.payload = payload_close(&p);
    ask(call, ch, &f, "idTag");
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
    struct charger *ch = reachable(call);
    struct command_fact f = { .connector = -1, .action = AMP_TEXT("RemoteStopTransaction") };
    const struct transaction_fact *t;
    struct api_remote_stop q;
    struct payload p;

    if (!ch || !rest_body(call, &q) || !(t = meant(call, ch, &q)))
        return;
    shape_int(payload_open(&p), "transactionId", t->key);
    f.payload = payload_close(&p);
    f.connector = t->connector;
    f.transaction = t->key;
    ask(call, ch, &f, "transactionId");
}

void rest_unlock(struct rest_call *call)
{
    struct charger *ch = reachable(call);
    struct command_fact f = { .action = AMP_TEXT("UnlockConnector") };
    struct api_unlock q;
    struct payload p;

    if (!ch || !rest_body(call, &q))
        return;
    shape_int(payload_open(&p), "connectorId", q.connector_id);
    f.payload = payload_close(&p);
    f.connector = (int32_t)q.connector_id;
    ask(call, ch, &f, "connectorId");
}

void rest_reset(struct rest_call *call)
{
    struct charger *ch = reachable(call);
    struct command_fact f = { .connector = -1, .action = AMP_TEXT("Reset") };
    struct api_reset q;

    if (!ch || !rest_body(call, &q))
        return;
    f.payload = q.type == API_RESET_KIND_HARD ? AMP_TEXT("{\"type\":\"Hard\"}")
                                              : AMP_TEXT("{\"type\":\"Soft\"}");
    ask(call, ch, &f, "type");
}

void rest_trigger(struct rest_call *call)
{
    struct charger *ch = reachable(call);
    struct command_fact f = { .connector = -1, .action = AMP_TEXT("TriggerMessage") };
    struct api_trigger q;
    struct payload p;
    struct amp_json *w;

    if (!ch || !rest_body(call, &q))
        return;
    w = payload_open(&p);
    shape_text(w, "requestedMessage", q.requested_message);
    if (q.has & API_HAS_TRIGGER_CONNECTOR_ID) {
        shape_int(w, "connectorId", q.connector_id);
        f.connector = (int32_t)q.connector_id;
    }
    f.payload = payload_close(&p);
    if (p.out.full)
        rest_fault(call, AMP_E_VALUE, NULL, "requestedMessage");
    else
        ask(call, ch, &f, "requestedMessage");
}

void rest_send_command(struct rest_call *call)
{
    struct charger *ch = reachable(call);
    struct command_fact f = { .connector = -1 };
    struct api_send_command q;
    struct api_command_target target;

    if (!ch || !rest_body(call, &q))
        return;
    f.action = q.action;
    f.payload = q.payload.at ? q.payload : AMP_TEXT("{}");
    /* behind the first record in the same arena: q's texts stay */
    if (amp_decode(api.messages[API_COMMAND_TARGET].request, AMP_OCPP16, AMP_LENIENT, f.payload,
                   &target, &call->c->arena, NULL, NULL) == 0) {
        if (target.has & API_HAS_COMMAND_TARGET_CONNECTOR_ID && target.connector_id <= INT32_MAX)
            f.connector = (int32_t)target.connector_id;
        if (target.has & API_HAS_COMMAND_TARGET_TRANSACTION_ID)
            f.transaction = target.transaction_id;
    }
    ask(call, ch, &f, "payload");
}

/* ---- looking ---- */

static void command_rows(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                         size_t count, int64_t next)
{
    struct amp_json *w = rest_list(call, call->seq);

    (void)ids;
    for (size_t i = 0; i < count; i++)
        shape_command(w, call->c, &rows[i].u.command);
    rest_list_end(call, next);
}

void rest_list_commands(struct rest_call *call)
{
    struct store_ask q = {
        .what = ASK_COMMANDS, .org = call->who.org, .connector = -1, .open = -1
    };
    char action[64];
    int64_t limit = 100;

    if (!rest_query_charger(call, &q.charger) ||
        !rest_query_int(call, "before", 1, INT64_MAX, &q.before) ||
        !rest_query_int(call, "limit", 1, REST_LIMIT_MAX, &limit))
        return;
    if (rest_query(call, "action", action, sizeof action))
        q.action = amp_text_of(action);
    q.limit = (int32_t)limit;
    call->seq = live_seq(call->c->live);
    rest_ask(call, &q, command_rows);
}

static void one_row(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                    size_t count, int64_t next)
{
    (void)ids, (void)next;
    for (size_t i = 0; i < count; i++)
        if (rows[i].u.command.key == call->key) {
            answer(call, &rows[i].u.command);
            return;
        }
    rest_absent(call, "command", rest_param(call, 0));
}

void rest_get_command(struct rest_call *call)
{
    const struct command_fact *f;

    if (!rest_key(call, &call->key) || !wait_of(call))
        return;
    f = world_command_get(call->c->world, call->key);
    if (f && f->org == call->who.org)
        answer_or_wait(call, f);
    else /* the cursor of commands is their key */
        rest_ask(call,
                 &(struct store_ask){ .what = ASK_COMMANDS,
                                      .org = call->who.org,
                                      .connector = -1,
                                      .open = -1,
                                      .before = call->key + 1,
                                      .limit = 1 },
                 one_row);
}
