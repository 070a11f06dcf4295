/* central/rest/batch_routes.c - batches as resources: who is meant, how many at once, when to stop;
 * their commands are those of /commands?batch=. */
#include "central/rest/audit.h"
#include "central/rest/batches.h"
#include "central/rest/build.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"
#include "central/rest/transfer.h"

#include <stdio.h>
#include <stdlib.h>

#include "messages/api.h"

#define RECORD_MAX  512
#define PAYLOAD_MAX 16384

/* ---- one command of a batch ---- */

/* The payload for this charger. False: b says why not. */
static bool payload_of(struct build *b, const struct batch_fact *f)
{
    int message = build_message(f->action);
    uint64_t record[RECORD_MAX / 8];
    struct amp_fault fault = { 0 };
    int rc;

    if (message < 0) {
        b->f->payload = f->payload.len ? f->payload : AMP_TEXT("{}");
        rest_command_target(b->c, b->f->payload, b->f);
    } else {
        rc = amp_decode(api.messages[message].request, AMP_OCPP16, AMP_STRICT,
                        f->payload.len ? f->payload : AMP_TEXT("{}"), record, &b->c->arena, &fault,
                        NULL);
        if (rc < 0) {
            b->problem = (struct rest_problem){ .status = 422,
                                                .kind = "bad-value",
                                                .title = "The payload is not sound",
                                                .field = "payload",
                                                .cure = "Give the body of the operation's route." };
            snprintf(b->detail, sizeof b->detail, "%s: %s", fault.path,
                     fault.why ? fault.why : amp_err_text(rc));
            return false;
        }
        if (!build_payload(b, record))
            return false;
    }
    rc = v16_check(b->c->v16, b->f->action, b->f->payload, &fault);
    if (rc == 0)
        return !rest_guard(b->c, b->charger, b->f, false, &b->problem, b->detail);
    b->problem =
        (struct rest_problem){ .status = 422,
                               .kind = "bad-value",
                               .title = "The payload is not sound",
                               .field = "payload",
                               .cure = "Give what the definition of the action asks for." };
    snprintf(b->detail, sizeof b->detail, "%s: %s", fault.path,
             fault.why ? fault.why : amp_err_text(rc));
    return false;
}

int64_t batch_command(struct central *c, struct charger *ch, const struct batch_fact *f)
{
    char *block = malloc(PAYLOAD_MAX), base[REST_BASE_MAX];
    struct command_fact k = {
        .connector = -1, .action = f->action, .by = f->by, .trace = f->trace, .batch = f->key
    };
    struct build b = { .c = c, .charger = ch, .base = base, .now_ms = c->now_ms(), .f = &k };
    int64_t key;

    if (!block)
        abort();
    amp_arena_reset(&c->arena);
    amp_buf_init(&b.payload, block, PAYLOAD_MAX);
    rest_base_url(c, NULL, false, base);
    if (!payload_of(&b, f)) { /* a command that failed: it says why */
        k.payload = AMP_NO_TEXT;
        key = world_command_wait(c->world, ch, &k, b.now_ms);
        if (key > 0)
            (void)world_command_change(c->world, key,
                                       &(struct command_change){ .state = COMMAND_ERROR,
                                                                 .answer = amp_text_of(b.detail) },
                                       b.now_ms);
    } else {
        k.expires_ms = f->queue_s ? b.now_ms + (int64_t)f->queue_s * 1000 : 0;
        key = (f->queue_s ? world_command_wait : world_command)(c->world, ch, &k, b.now_ms);
        if (key > 0)
            build_asked(c, b.upload, key);
        if (key > 0)
            v16_kick(c->v16, ch);
    }
    free(b.upload);
    free(block);
    return key;
}

/* ---- shapes ---- */

static const char *const states[] = {
    [BATCH_RUNNING] = "running",
    [BATCH_DONE] = "done",
    [BATCH_STOPPED] = "stopped",
    [BATCH_CANCELLED] = "cancelled",
};

static void shape_batch(struct amp_json *w, const struct central *c, const struct batch_fact *f)
{
    struct batch_count n;

    batches_count(c->batches, f, &n);
    amp_json_open(w, '{');
    shape_int(w, "id", f->key);
    amp_json_key(w, "state");
    amp_json_str(w, states[f->state]);
    shape_text(w, "action", f->action);
    amp_json_key(w, "payload");
    amp_json_raw(w, f->payload.len ? f->payload : AMP_TEXT("{}"));
    shape_text(w, "note", f->note);
    shape_text(w, "by", f->by);
    shape_text(w, "trace", f->trace);
    shape_int(w, "parallel", f->parallel);
    if (f->rate)
        shape_int(w, "perMinute", f->rate);
    if (f->stop_after)
        shape_int(w, "stopAfter", f->stop_after);
    if (f->queue_s)
        shape_int(w, "queueSeconds", f->queue_s);
    amp_json_key(w, "untilEffect");
    amp_json_bool(w, f->effect);
    shape_time(w, "createdAt", f->created_ms);
    shape_time(w, "endedAt", f->ended_ms);
    shape_int(w, "total", n.total);
    if (n.counted) {
        shape_int(w, "succeeded", n.good);
        shape_int(w, "failed", n.bad);
        shape_int(w, "underWay", n.under_way);
        shape_int(w, "waiting", f->ended_ms ? 0 : n.total - n.good - n.bad - n.under_way);
    }
    amp_json_close(w, '}');
}

/* ---- who is meant ---- */

static bool begins(struct amp_text t, struct amp_text with)
{
    return t.len >= with.len && amp_text_eqi((struct amp_text){ t.at, with.len }, with);
}

static bool contains(struct amp_text t, struct amp_text part)
{
    for (uint32_t i = 0; i + part.len <= t.len; i++)
        if (amp_text_eqi((struct amp_text){ t.at + i, part.len }, part))
            return true;
    return false;
}

static bool connection_is(const struct charger_fact *f, int wanted)
{
    switch (wanted) {
    case API_CONNECTION_CONNECTED:
        return f->connection == CONNECTION_CONNECTED;
    case API_CONNECTION_STALE:
        return f->connection == CONNECTION_STALE;
    default:
        return f->connection != CONNECTION_CONNECTED && f->connection != CONNECTION_STALE;
    }
}

static bool named(const struct api_batch_filter *q, const struct charger_fact *f)
{
    for (uint32_t i = 0; i < q->ids.len; i++)
        if (amp_text_eqi(q->ids.at[i], f->id))
            return true;
    return !q->ids.at;
}

static bool fits(const struct api_batch_filter *q, const struct charger_fact *f)
{
    return named(q, f) && begins(f->vendor, q->vendor) && begins(f->model, q->model) &&
           (!q->firmware.at || amp_text_eqi(f->firmware, q->firmware)) &&
           (!q->not_firmware.at || !amp_text_eqi(f->firmware, q->not_firmware)) &&
           (!q->connection || connection_is(f, (int)q->connection)) &&
           (!q->text.len || contains(f->id, q->text) || contains(f->vendor, q->text) ||
            contains(f->model, q->text) || contains(f->serial, q->text) ||
            contains(f->firmware, q->text));
}

/* A name that is nobody's is a mistake, not an empty set. */
static bool all_known(struct rest_call *call, const struct api_batch_filter *q)
{
    for (uint32_t i = 0; i < q->ids.len; i++) {
        struct charger *ch = world_charger(call->c->world, q->ids.at[i]);

        if (ch && charger_fact(ch)->org == call->who.org)
            continue;
        rest_problem(call,
                     &(struct rest_problem){ .status = 422,
                                             .kind = "no-such-charger",
                                             .title = "A charger of the list is not known",
                                             .field = "filter.ids",
                                             .cure = "GET /api/v1/chargers lists them." },
                     "There is no charger \"%.*s\".", AMP_FMT(q->ids.at[i]));
        return false;
    }
    return true;
}

/* "3,17": keys, rising. */
static int32_t targets_of(struct rest_call *call, const struct api_batch_filter *q,
                          struct amp_buf *out)
{
    struct world *w = call->c->world;
    int32_t count = 0;

    for (size_t i = 0; i < world_charger_count(w) && count < BATCH_TARGETS_MAX; i++) {
        const struct charger_fact *f = charger_fact(world_charger_at(w, i));

        if (f->org != call->who.org || !fits(q, f))
            continue;
        if (count++)
            amp_buf_putc(out, ',');
        amp_buf_int(out, f->key);
    }
    return count;
}

static void dry_run(struct rest_call *call, const struct api_batch_filter *q, int32_t total)
{
    struct world *w = call->c->world;
    struct amp_json *json = rest_begin(call);

    amp_json_open(json, '{');
    shape_int(json, "total", total);
    amp_json_key(json, "chargers");
    amp_json_open(json, '[');
    for (size_t i = 0; i < world_charger_count(w); i++) {
        const struct charger_fact *f = charger_fact(world_charger_at(w, i));

        if (f->org == call->who.org && fits(q, f))
            amp_json_text(json, f->id);
    }
    amp_json_close(json, ']');
    amp_json_close(json, '}');
    rest_send(call, 200);
}

/* ---- routes ---- */

static void answer(struct rest_call *call)
{
    const struct batch_fact *f = batches_get(call->c->batches, call->key);

    if (!rest_conn(call)) {
        rest_drop(call);
        return;
    }
    if (!f || f->org != call->who.org) {
        rest_absent(call, "batch", rest_param(call, 0));
        return;
    }
    shape_batch(rest_begin(call), call->c, f);
    rest_send(call, call->route->status);
}

/* Would its first command be sound? Better to hear of it now than from each charger. */
static bool sound(struct rest_call *call, const struct batch_fact *f)
{
    struct central *c = call->c;
    char *block = malloc(PAYLOAD_MAX), base[REST_BASE_MAX];
    struct command_fact k = { .connector = -1, .action = f->action };
    struct build b = { .c = c, .base = base, .now_ms = rest_now(call), .f = &k };
    size_t mark = c->arena.used;
    bool good;

    if (!block)
        abort();
    b.charger = world_charger_by_key(c->world, strtoll(f->targets.at, NULL, 10));
    amp_buf_init(&b.payload, block, PAYLOAD_MAX);
    rest_base_url(c, NULL, false, base);
    good = payload_of(&b, f) || b.problem.status == 409; /* that one charger's own business */
    if (!good)
        rest_problem(call, &b.problem, "%s", b.detail);
    c->arena.used = mark;
    free(b.upload);
    free(block);
    return good;
}

static int32_t or_else(bool given, int64_t n, int32_t otherwise)
{
    return given ? (int32_t)n : otherwise;
}

static void create(struct rest_call *call, const struct api_create_batch *q, struct batch_fact *f)
{
    char id[24];

    if (!sound(call, f))
        return;
    call->key = batches_create(call->c->batches, f);
    snprintf(id, sizeof id, "%lld", (long long)call->key);
    shape_batch(rest_is(call), call->c, batches_get(call->c->batches, call->key));
    rest_audit(call, &(struct rest_change){ .action = "create",
                                            .kind = "batch",
                                            .thing = amp_text_of(id),
                                            .reason = q->note });
    rest_after(call, answer);
}

void rest_create_batch(struct rest_call *call)
{
    static const struct api_batch_filter all;
    const struct api_batch_filter *filter;
    struct api_create_batch q;
    struct batch_fact f;
    struct amp_buf targets;

    if (!rest_body(call, &q))
        return;
    filter = q.filter ? q.filter : &all;
    if (!all_known(call, filter))
        return;
    rest_buf_init(&targets);
    f = (struct batch_fact){
        .org = call->who.org,
        .action = q.action,
        .payload = q.payload,
        .note = q.note,
        .by = amp_text_of(call->who.name),
        .trace = amp_text_of(call->trace),
        .parallel = or_else(q.has & API_HAS_CREATE_BATCH_PARALLEL, q.parallel, 10),
        .rate = or_else(q.has & API_HAS_CREATE_BATCH_PER_MINUTE, q.per_minute, 0),
        .stop_after = or_else(q.has & API_HAS_CREATE_BATCH_STOP_AFTER, q.stop_after, 0),
        .queue_s = or_else(q.has & API_HAS_CREATE_BATCH_QUEUE_SECONDS, q.queue_seconds, 0),
        .effect = q.until_effect,
        .total = targets_of(call, filter, &targets),
    };
    amp_buf_putc(&targets, '\0');
    f.targets = (struct amp_text){ targets.at, (uint32_t)targets.len - 1 };
    if (q.dry_run)
        dry_run(call, filter, f.total);
    else if (!f.total)
        rest_problem(call,
                     &(struct rest_problem){ .status = 422,
                                             .kind = "nobody-meant",
                                             .title = "No charger fits the filter",
                                             .field = "filter",
                                             .cure = "Try it with dryRun first." },
                     "The batch would do nothing.");
    else
        create(call, &q, &f);
    free(targets.at);
}

void rest_list_batches(struct rest_call *call)
{
    struct amp_json *w = rest_list(call, live_seq(call->c->live));
    const struct batch_fact *f;
    size_t i = 0;

    while (batches_at(call->c->batches, i))
        i++;
    while (i-- > 0) {
        f = batches_at(call->c->batches, i);
        if (f->org == call->who.org)
            shape_batch(w, call->c, f);
    }
    rest_list_end(call, 0);
}

void rest_get_batch(struct rest_call *call)
{
    if (rest_key(call, &call->key))
        answer(call);
}

void rest_cancel_batch(struct rest_call *call)
{
    const struct batch_fact *f;

    if (!rest_key(call, &call->key))
        return;
    f = batches_get(call->c->batches, call->key);
    if (!f || f->org != call->who.org) {
        rest_absent(call, "batch", rest_param(call, 0));
        return;
    }
    if (f->state != BATCH_RUNNING) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 409,
                                             .kind = "ended",
                                             .title = "The batch has ended",
                                             .cure = "Look at its commands." },
                     "Batch %lld is %s.", (long long)f->key, states[f->state]);
        return;
    }
    shape_batch(rest_was(call), call->c, f);
    (void)batches_cancel(call->c->batches, call->key); /* it runs: looked at above */
    shape_batch(rest_is(call), call->c, batches_get(call->c->batches, call->key));
    rest_audit(call, &(struct rest_change){
                         .action = "cancel", .kind = "batch", .thing = rest_param(call, 0) });
    rest_after(call, answer);
}
