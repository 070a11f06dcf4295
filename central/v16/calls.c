/* central/v16/calls.c - our calls to stations: one in flight a connection, in the order in which
 * they were asked for. Commands are the world's; here they become frames, and answers become
 * changes of commands. Edge cases 54-58, 61. */
#include "central/domain/local_list.h"
#include "central/log.h"
#include "central/v16/inside.h"
#include "central/v16/ops.h"
#include <stdlib.h>

/* One line for a call that somebody asked for, one for what came of it: found by the trace that the
 * API's answer named. What the server asks on its own account has none. */
static void log_call(const struct session *s, const char *message, int64_t key)
{
    const struct central *c = s->v->c;
    const struct command_fact *k = world_command_get(c->world, key);

    if (k)
        LOG(c->log, k->trace.len ? LOG_INFO : LOG_DEBUG, "v16", message,
            LOG_TEXT("charger", charger_fact(s->charger)->id), LOG_TEXT("action", k->action),
            LOG_TEXT("id", k->correlation), LOG_INT("command", key),
            LOG_STR("state", command_state_name(k->state)), LOG_INT("attempts", k->attempts),
            LOG_TEXT("trace", k->trace));
}

static void change(struct session *s, int64_t key, int state, struct amp_text answer,
                   int64_t now_ms)
{
    /* AMP_E_STATE and AMP_E_ABSENT: it ended otherwise in the meantime, and that stands. */
    (void)world_command_change(s->v->c->world, key,
                               &(struct command_change){ .state = state, .answer = answer },
                               now_ms);
    log_call(s, "call ended", key);
}

/* Write the call into v->frame. False: the command failed, and another may be tried. */
static bool write_call(struct session *s, const struct command_fact *k, int64_t now_ms)
{
    struct v16 *v = s->v;
    const struct amp_message *m = amp_message_find(&ocpp16, k->action);
    struct amp_text payload = k->payload.len ? k->payload : AMP_TEXT("{}");
    uint32_t timeout_ms = (uint32_t)v->c->settings.call_timeout_s * 1000;
    const char *why = "not a message of OCPP 1.6";
    char secret[V16_PASSWORD_MAX];
    struct amp_text id, sent = payload;
    int64_t key = k->key;
    int rc = m ? v16_may_ask(charger_fact(s->charger)->registration, m, &why) : AMP_E_UNKNOWN;

    if (rc == 0 && v16_is_password(k->action, payload)) {
        sent = v16_password_payload(s, secret);
        rc = sent.at ? 0 : AMP_E_ABSENT;
        why = "no new password waits for the station";
    }
    amp_buf_reset(&v->frame);
    if (rc == 0) {
        rc = amp_rpc_call_raw(&s->rpc, m, sent, 0, uv_now(v->c->loop), timeout_ms, &v->frame, &id);
        why = amp_err_text(rc);
    }
    if (rc < 0) {
        change(s, key, COMMAND_ERROR, amp_text_of(why), now_ms);
        return false;
    }
    s->call_key = key;
    s->call_ms = now_ms;
    v16_record_call(s, k->action, payload, id, now_ms);
    (void)world_command_change(v->c->world, key,
                               &(struct command_change){ .state = COMMAND_SENT, .correlation = id },
                               now_ms);
    log_call(s, "call sent", key);
    return true;
}

void v16_session_kick(struct session *s)
{
    struct v16 *v = s->v;
    int64_t now_ms = v->c->now_ms();
    const struct command_fact *k;

    if (!s->conn || charger_session(s->charger) != s || s->calls != CALLS_FREE || s->rpc.open)
        return;
    world_sync(v->c->world, s->charger, now_ms);
    while ((k = world_command_next(v->c->world, s->charger)) != NULL)
        if (write_call(s, k, now_ms)) {
            v16_outbox_put(s, OUTBOX_CALL);
            return;
        }
}

void v16_kick(struct v16 *v, struct charger *c)
{
    (void)v;
    if (charger_session(c))
        v16_session_kick(charger_session(c));
}

/* The answer became the command's; what else it says is the business of its handler. */
static void take_answer(struct session *s, int64_t key, const struct amp_message *m,
                        const void *body, struct amp_text reply, int64_t now_ms)
{
    struct central *c = s->v->c;
    const struct v16_asked *op = v16_asked_find(m->id);
    struct v16_answer a = { .central = c,
                            .charger = s->charger,
                            .body = body,
                            .accepted = v16_answer_accepts(m, reply),
                            .now_ms = now_ms };

    v16_follow(s, key, true, a.accepted);
    change(s, key, a.accepted ? COMMAND_ACCEPTED : COMMAND_REJECTED, reply, now_ms);
    a.command = world_command_get(c->world, key);
    if (op && body && a.command)
        op->on_answer(&a);
}

void v16_call_answered(struct session *s, const struct amp_rpc_event *ev, int64_t now_ms)
{
    int64_t key = s->call_key;

    s->call_key = 0;
    take_answer(s, key, ev->message, ev->body, ev->verdict.frame.payload, now_ms);
}

/* "NotSupported: the connector has no lock": what the station said, or what we objected to. */
static struct amp_text reason(struct session *s, const struct amp_rpc_event *ev)
{
    const struct amp_frame *f = &ev->verdict.frame;
    struct amp_buf *out = &s->v->text;

    amp_buf_reset(out);
    if (f->code.at) {
        amp_buf_text_put(out, f->code);
        if (f->description.len) {
            amp_buf_puts(out, ": ");
            amp_buf_text_put(out, f->description);
        }
        return amp_buf_text(out);
    }
    amp_buf_puts(out, "unusable answer: ");
    if (ev->verdict.fault.path[0]) {
        amp_buf_puts(out, ev->verdict.fault.path);
        amp_buf_puts(out, ": ");
    }
    amp_fault_why(out, &ev->verdict.fault, ev->rc);
    return amp_buf_text(out);
}

void v16_call_failed(struct session *s, const struct amp_rpc_event *ev, int64_t now_ms)
{
    v16_follow(s, s->call_key, ev->rc != AMP_E_TIMEOUT && ev->rc != AMP_E_IO, false);
    if (ev->rc == AMP_E_TIMEOUT)
        change(s, s->call_key, COMMAND_TIMED_OUT, AMP_TEXT("no answer in time"), now_ms);
    else if (ev->rc == AMP_E_IO)
        change(s, s->call_key, COMMAND_TIMED_OUT, AMP_TEXT("connection lost before the answer"),
               now_ms);
    else
        change(s, s->call_key, COMMAND_ERROR, reason(s, ev), now_ms);
    s->call_key = 0;
}

void v16_call_abort(struct session *s, const char *why, int64_t now_ms)
{
    struct amp_rpc_event ev;

    if (!amp_rpc_abort(&s->rpc, &ev))
        return;
    change(s, s->call_key, why ? COMMAND_ERROR : COMMAND_TIMED_OUT,
           why ? amp_text_of(why) : AMP_TEXT("connection lost before the answer"), now_ms);
    s->call_key = 0;
}

/* E55: an answer after its time. The command knows its message id, so what was given up can be put
 * right; the log has it as late. */
void v16_call_late(struct session *s, const struct amp_rpc_event *ev, int64_t now_ms)
{
    struct v16 *v = s->v;
    const struct amp_frame *f = &ev->verdict.frame;
    const struct command_fact *k = world_command_find(s->charger, f->id);
    const struct amp_message *m = k ? amp_message_find(&ocpp16, k->action) : NULL;
    struct amp_text reply = f->kind == AMP_CALLRESULT ? v16_payload(f) : AMP_NO_TEXT;
    void *body = m && m->reply ? amp_arena_alloc(&v->c->arena, m->reply_size) : NULL;

    if (!body || !reply.at || k->state != COMMAND_TIMED_OUT ||
        amp_decode(m->reply, AMP_OCPP16, AMP_LENIENT, reply, body, &v->c->arena, NULL, NULL) < 0)
        return;
    take_answer(s, k->key, m, body, reply, now_ms);
}
