/* central/v16/record.c - every frame of both directions goes into the message log, garbage too;
 * here they are counted as well. */
#include "central/counts.h"
#include "central/log.h"
#include "central/v16/inside.h"
#include "ocpp/json.h"

_Static_assert(OCPP16_COUNT < COUNTS_ACTIONS, "each message is counted by itself");

#define GARBAGE_MAX 2048 /* bytes of an unreadable frame that are kept */

static void put(struct session *s, struct message_fact *m, int64_t now_ms)
{
    struct fact f = { .kind = FACT_MESSAGE };

    const struct amp_message *known = amp_message_find(&ocpp16, m->action);

    m->at_ms = now_ms;
    m->charger = charger_fact(s->charger)->key;
    f.u.message = *m;
    counts_message(s->v->c->counts, known ? known->id : -1, m->direction == MESSAGE_SENT, m->type);
    if (log_wants(s->v->c->log, LOG_DEBUG))
        LOG(s->v->c->log, LOG_DEBUG, "v16",
            m->direction == MESSAGE_SENT ? "message sent" : "message received",
            LOG_TEXT("charger", charger_fact(s->charger)->id),
            LOG_TEXT("messageId", m->correlation), LOG_TEXT("action", m->action),
            LOG_INT("type", m->type), LOG_INT("bytes", m->payload.len),
            LOG_TEXT("error", m->error));
    central_emit(s->v->c, &f);
}

/* An error frame as JSON: {"code","description","details"}. */
static struct amp_text error_payload(struct amp_buf *out, const struct amp_frame *f)
{
    struct amp_json w;

    amp_buf_reset(out);
    amp_json_init(&w, out);
    amp_json_open(&w, '{');
    amp_json_key(&w, "code");
    amp_json_text(&w, f->code);
    amp_json_key(&w, "description");
    amp_json_text(&w, f->description);
    amp_json_key(&w, "details");
    if (f->details.len && amp_json_check(f->details, NULL) == 0)
        amp_json_raw(&w, f->details);
    else
        amp_json_null(&w);
    amp_json_close(&w, '}');
    return amp_buf_text(out);
}

static struct amp_text garbage(struct amp_buf *out, struct amp_text data)
{
    if (data.len > GARBAGE_MAX)
        data.len = GARBAGE_MAX;
    amp_buf_reset(out);
    amp_json_quote(out, data);
    return amp_buf_text(out);
}

/* What we objected to: "meterValue[0].timestamp: not a time". Absent when nothing. */
static struct amp_text objection(const struct amp_rpc_event *ev, char *out, size_t cap)
{
    const struct amp_fault *fault = &ev->verdict.fault;
    struct amp_buf b;

    if (ev->kind == AMP_RPC_DROPPED && ev->late)
        return AMP_TEXT("late, or an answer to no call of ours");
    if (ev->rc == 0 || ev->verdict.frame.code.at)
        return AMP_NO_TEXT;
    amp_buf_init(&b, out, cap);
    if (fault->path[0]) {
        amp_buf_puts(&b, fault->path);
        amp_buf_puts(&b, ": ");
    }
    amp_fault_why(&b, fault, ev->rc);
    return amp_buf_text(&b);
}

static bool is_error(const struct amp_frame *f)
{
    return f->kind == AMP_CALLERROR || f->kind == AMP_CALLRESULTERROR;
}

struct amp_text v16_payload(const struct amp_frame *frame)
{
    struct amp_frame f = *frame;

    if (!f.payload.at || amp_json_check(f.payload, NULL) == 0 || amp_frame_skip(&f, NULL) == 0)
        return f.payload;
    return AMP_NO_TEXT;
}

/* The payload alone where it is sound JSON, else the whole frame as a JSON string. */
static struct amp_text payload_of(struct session *s, struct amp_text data,
                                  const struct amp_rpc_event *ev)
{
    const struct amp_frame *f = &ev->verdict.frame;
    struct amp_text payload;

    if (is_error(f))
        return error_payload(&s->v->text, f);
    payload = ev->body ? f->payload : v16_payload(f);
    return payload.at ? payload : garbage(&s->v->text, data);
}

static void count_received(struct counts *c, const struct amp_rpc_event *ev, bool objected,
                           int32_t latency_ms)
{
    const struct amp_decode *report = &ev->verdict.report;

    if (!c)
        return;
    c->objected += objected;
    c->late += ev->kind == AMP_RPC_DROPPED && ev->late;
    c->unknown_fields += report->unknown_fields;
    for (int i = 0; report->kinds && i < AMP_REPAIRS; i++)
        c->repairs[i] += report->kinds >> i & 1;
    if (latency_ms >= 0)
        histogram_add(&c->call, (uint64_t)latency_ms * 1000);
}

void v16_record_received(struct session *s, struct amp_text data, const struct amp_rpc_event *ev,
                         int64_t now_ms)
{
    char why[AMP_PATH_MAX + 128];
    const struct amp_frame *f = &ev->verdict.frame;
    struct message_fact m = {
        .direction = MESSAGE_RECEIVED,
        .type = (int32_t)f->kind,
        .action = ev->message ? amp_text_of(ev->message->name) : f->action,
        .payload = payload_of(s, data, ev),
        .correlation = f->id,
        .error = objection(ev, why, sizeof why),
        .latency_ms = -1,
        .repairs = ev->verdict.report.repairs + ev->verdict.report.unknown_fields,
    };

    if (ev->kind == AMP_RPC_RESULT || ev->kind == AMP_RPC_FAILED)
        m.latency_ms = (int32_t)(now_ms - s->call_ms);
    count_received(s->v->c->counts, ev, m.error.at != NULL, m.latency_ms);
    put(s, &m, now_ms);
}

void v16_record_binary(struct session *s, struct amp_text data, int64_t now_ms)
{
    put(s,
        &(struct message_fact){ .direction = MESSAGE_RECEIVED,
                                .payload = garbage(&s->v->text, data),
                                .error = AMP_TEXT("a binary message: OCPP is text"),
                                .latency_ms = -1 },
        now_ms);
}

void v16_record_answer(struct session *s, struct amp_text action, int64_t received_ms,
                       int64_t now_ms)
{
    struct v16 *v = s->v;
    struct amp_text frame = amp_buf_text(&v->frame);
    struct message_fact m = { .direction = MESSAGE_SENT,
                              .action = action,
                              .latency_ms = (int32_t)(now_ms - received_ms) };
    struct amp_frame f;

    if (amp_frame_read_mode(frame, AMP_OCPP16, AMP_LENIENT, &v->c->arena, &f, NULL) < 0) {
        m.payload = garbage(&v->text, frame); /* our own writing: cannot be, but must not be lost */
    } else {
        m.type = (int32_t)f.kind;
        m.correlation = f.id;
        if (is_error(&f))
            m.payload = error_payload(&v->text, &f);
        else /* written compact by us: the payload ends before the last bracket */
            m.payload = (struct amp_text){ f.payload.at,
                                           (uint32_t)(frame.at + frame.len - 1 - f.payload.at) };
    }
    put(s, &m, now_ms);
}

void v16_record_call(struct session *s, struct amp_text action, struct amp_text payload,
                     struct amp_text id, int64_t now_ms)
{
    put(s,
        &(struct message_fact){ .direction = MESSAGE_SENT,
                                .type = AMP_CALL,
                                .action = action,
                                .payload = payload,
                                .correlation = id,
                                .latency_ms = -1 },
        now_ms);
}
