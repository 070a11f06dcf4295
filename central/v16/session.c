/* central/v16/session.c - one station's connection: messages in, answers out, in the order of the
 * messages. */
#include "central/domain/operation.h"
#include "central/log.h"
#include "central/pki/issue.h"
#include "central/v16/admit.h"
#include "central/v16/ops.h"
#include "central/v16/slice.h"
#include <stdlib.h>

#define KNOWN_SILENT_MS \
    10000 /* after a reconnect, a station that booted before and says nothing is not booting */
#define UNKNOWN_SILENT_MS \
    60000 /* one that never booted here does not do so any more: edge case 59 */

struct session *v16_session_new(struct v16 *v, struct net_conn *conn, struct charger *c,
                                int64_t now_ms)
{
    struct session *s = calloc(1, sizeof *s);

    if (!s)
        abort();
    s->v = v;
    s->conn = conn;
    s->charger = c;
    s->opened_ms = now_ms;
    s->behind = v->sessions;
    if (s->behind)
        s->behind->before = s;
    v->sessions = s;
    /* F4: never the same id twice for a station, also not after a restart of ours. */
    amp_rpc_init(&s->rpc, &ocpp16, AMP_OCPP16, AMP_UP,
                 ((uint64_t)v->c->started_ms << 22) + ++v->connections);
    return s;
}

void v16_session_release(struct session *s)
{
    if (s->conn || s->pending)
        return;
    *(s->before ? &s->before->behind : &s->v->sessions) = s->behind;
    if (s->behind)
        s->behind->before = s->before;
    free(s);
}

/* ---- answering ---- */

static void answer(struct session *s, const struct amp_rpc_event *ev, int64_t now_ms)
{
    struct v16 *v = s->v;
    const struct amp_message *m = ev->message;

    if (v->frame.full || !v->frame.len)
        return; /* not even an error fits: cannot be, the buffer grows */
    v16_record_answer(s, m ? amp_text_of(m->name) : ev->verdict.frame.action, now_ms,
                      v->c->now_ms());
    v16_outbox_put(s, m && m->id == OCPP16_BOOT_NOTIFICATION ? OUTBOX_BOOT : OUTBOX_ANSWER);
}

static void refuse(struct session *s, const struct amp_rpc_event *ev, int rc)
{
    amp_rpc_error(&s->rpc, ev->verdict.frame.id, rc, amp_text_of(amp_err_text(rc)), &s->v->frame);
}

/* Whatever it calls may be what a trigger asked for. */
static void heard(struct session *s, const struct amp_message *m, struct amp_text payload,
                  int64_t now_ms)
{
    int64_t connector = -1;

    if (!world_triggered(s->charger))
        return;
    if (amp_text_int(v16_slice_member(payload, "connectorId"), &connector) < 0 ||
        connector > INT32_MAX || connector < 0)
        connector = -1;
    world_heard(s->v->c->world, s->charger, amp_text_of(m->name), (int)connector, now_ms);
}

static void handle(struct session *s, const struct amp_rpc_event *ev, const void *body,
                   struct amp_text payload, int64_t now_ms)
{
    struct v16 *v = s->v;
    const struct amp_message *m = ev->message;
    const struct v16_op *op = v16_op_find(m->id);
    void *reply = amp_arena_alloc(&v->c->arena, m->reply_size);
    struct v16_call call = {
        .world = v->c->world,
        .charger = s->charger,
        .arena = &v->c->arena,
        .payload = payload,
        .body = body,
        .issue = v->c->issue,
        .sign = issue_request,
        .now_ms = now_ms,
    };
    int rc = op ? reply ? 0 : AMP_E_FULL : AMP_E_SUPPORT;

    amp_buf_reset(&v->frame);
    if (rc == 0)
        rc = op->on_call(&call, reply);
    if (rc == 0)
        heard(s, m, payload, now_ms);
    if (rc == 0)
        rc = amp_rpc_result(&s->rpc, ev->verdict.frame.id, m, reply, &v->frame);
    else
        refuse(s, ev, rc);
    if (rc < 0)
        LOG_OFTEN(v->c->log, LOG_WARN, "v16", "call answered with an error",
                  LOG_TEXT("charger", charger_fact(s->charger)->id),
                  LOG_TEXT("messageId", ev->verdict.frame.id), LOG_STR("action", m->name),
                  LOG_STR("why", amp_err_text(rc)));
    answer(s, ev, now_ms);
}

/* A call that breaks the definition: its error answer stands in v->frame. */
static void refused(struct session *s, const struct amp_rpc_event *ev, int64_t now_ms)
{
    struct v16 *v = s->v;
    const struct amp_frame *f = &ev->verdict.frame;
    struct ocpp16_stop_transaction stop;
    struct amp_text payload = v16_payload(f);
    void *body = v16_salvage_tag(ev, payload, &v->c->arena);

    if (body) {
        handle(s, ev, body, payload, now_ms);
        return;
    }
    if (ev->message && ev->message->id == OCPP16_STOP_TRANSACTION &&
        v16_salvage_stop(v16_payload(f), &v->c->arena, &stop, &payload)) {
        handle(s, ev, &stop, payload, now_ms);
        return;
    }
    LOG_OFTEN(v->c->log, LOG_WARN, "v16", "call refused",
              LOG_TEXT("charger", charger_fact(s->charger)->id), LOG_TEXT("messageId", f->id),
              LOG_TEXT("action", f->action), LOG_STR("field", ev->verdict.fault.path),
              LOG_STR("why", amp_err_text(ev->rc)));
    answer(s, ev, now_ms);
}

/* ---- messages ---- */

/* Too much of something: the end, and why is told. */
static void put_out(struct session *s, enum refusal r)
{
    const struct refusal_text *t = refusal_text(r);

    v16_tell_refused(s->v, s->conn, net_peer(s->conn), charger_fact(s->charger)->id, r);
    net_close(s->conn, t->code, t->why);
}

/* A text that is no OCPP, from a modem or a console in between: some are let pass. An empty one is
 * only a sign of life (E52). */
static void no_frame(struct session *s, struct amp_text data, int64_t now_ms)
{
    enum refusal r = amp_text_trim(data).len ? admit_garbage(s, now_ms) : REFUSAL_NONE;

    if (r != REFUSAL_NONE)
        put_out(s, r);
}

/* E52: some stations send their texts as binary messages. */
static bool is_text(enum amp_ws_opcode op, struct amp_text data)
{
    return op == AMP_WS_TEXT || (data.len && data.at[0] == '[' && amp_text_utf8(data));
}

static void on_event(struct session *s, const struct amp_rpc_event *ev, int64_t now_ms)
{
    switch (ev->kind) {
    case AMP_RPC_CALL:
        handle(s, ev, ev->body, ev->verdict.frame.payload, now_ms);
        return;
    case AMP_RPC_REFUSED:
        refused(s, ev, now_ms);
        return;
    case AMP_RPC_RESULT:
        v16_call_answered(s, ev, now_ms);
        return;
    case AMP_RPC_FAILED:
        v16_call_failed(s, ev, now_ms);
        return;
    case AMP_RPC_DROPPED:
        if (ev->late)
            v16_call_late(s, ev, now_ms);
        LOG_OFTEN(s->v->c->log, LOG_WARN, "v16", "frame dropped",
                  LOG_TEXT("charger", charger_fact(s->charger)->id),
                  LOG_TEXT("messageId", ev->verdict.frame.id),
                  LOG_STR("why", ev->late ? "late answer" : amp_err_text(ev->rc)));
        return;
    case AMP_RPC_CLOSE:
        net_close(s->conn, ev->close_code, amp_err_text(ev->rc));
        return;
    default: /* SEND belongs to 2.1 */
        return;
    }
}

/* What the first messages tell about whether it may be called. */
static void watch_boot(struct session *s, const struct amp_rpc_event *ev)
{
    bool boots = ev->kind == AMP_RPC_CALL && ev->message->id == OCPP16_BOOT_NOTIFICATION;

    if (boots)
        s->calls = CALLS_BOOT;
    else if (s->calls == CALLS_WAIT && ev->kind == AMP_RPC_CALL &&
             charger_fact(s->charger)->last_boot_ms)
        s->calls = CALLS_FREE;
}

void v16_message(struct v16 *v, struct net_conn *conn, enum amp_ws_opcode op, struct amp_text data)
{
    struct session *s = net_data(conn);
    int64_t now_ms = v->c->now_ms();
    struct amp_rpc_event ev;
    enum refusal r;

    v->came_us = uv_hrtime() / 1000;
    if (!s || charger_session(s->charger) != s)
        return; /* being closed: replaced, or refused */
    world_seen(v->c->world, s->charger, now_ms);
    r = admit_message(v->admit, s, data, now_ms);
    if (r != REFUSAL_NONE) {
        put_out(s, r);
        return;
    }
    if (!is_text(op, data)) {
        v16_record_binary(s, data, now_ms);
        net_close(conn, AMP_WS_UNUSABLE, "OCPP is text");
        return;
    }
    amp_arena_reset(&v->c->arena);
    amp_buf_reset(&v->frame);
    data = v16_without_password(v, data);
    amp_rpc_receive(&s->rpc, data, &v->c->arena, &v->frame, &ev);
    v16_record_received(s, data, &ev, now_ms);
    watch_boot(s, &ev);
    on_event(s, &ev, now_ms);
    if (ev.kind == AMP_RPC_DROPPED && !ev.late)
        no_frame(s, data, now_ms);
    v16_session_kick(s); /* after the answer: edge case 57 */
}

void v16_closed(struct v16 *v, struct net_conn *conn, int code, const char *why)
{
    struct session *s = net_data(conn);
    int64_t now_ms = v->c->now_ms();

    if (!s)
        return;
    LOG(v->c->log, LOG_INFO, "v16", "station disconnected",
        LOG_TEXT("charger", charger_fact(s->charger)->id), LOG_INT("code", code),
        LOG_STR("why", why));
    if (code == AMP_WS_TOO_BIG) /* E82 */
        v16_tell_refused(v, conn, net_peer(conn), charger_fact(s->charger)->id, REFUSAL_TOO_LONG);
    net_set_data(conn, NULL);
    s->conn = NULL;
    v16_call_abort(s, NULL, now_ms);
    world_disconnected(v->c->world, s->charger, s, code, amp_text_of(why), now_ms);
    v16_session_release(s);
}

void v16_drop(struct v16 *v, struct charger *c, int code, const char *why)
{
    struct session *s = charger_session(c);

    (void)v;
    if (s && s->conn)
        net_close(s->conn, code, why);
}

void v16_lost(struct v16 *v, struct charger *c, const char *why)
{
    struct session *s = charger_session(c);
    struct amp_rpc_event ev;

    if (s)
        (void)amp_rpc_abort(&s->rpc, &ev); /* what became of the call, the new owner says */
    v16_drop(v, c, 1000, why);
}

/* ---- time ---- */

static void on_overdue(void *ctx, struct charger *c, void *session)
{
    (void)session;
    v16_drop(ctx, c, 1001, "no message for two heartbeat intervals");
}

/* E59: one that never booted here is asked to, once a connection: asked again and again, some
 * restart again and again (E60). */
static void ask_who(struct session *s)
{
    (void)central_ask(s->v->c, s->charger,
                      &(struct command_fact){
                          .connector = -1,
                          .action = AMP_TEXT("TriggerMessage"),
                          .payload = AMP_TEXT("{\"requestedMessage\":\"BootNotification\"}"),
                          .by = AMP_TEXT("system") },
                      false);
}

static void tick_session(struct session *s, int64_t now_ms)
{
    int64_t patience_ms =
        charger_fact(s->charger)->last_boot_ms ? KNOWN_SILENT_MS : UNKNOWN_SILENT_MS;
    struct amp_rpc_event ev;

    if (s->calls == CALLS_WAIT && now_ms - s->opened_ms >= patience_ms) {
        s->calls = CALLS_FREE;
        if (!charger_fact(s->charger)->last_boot_ms)
            ask_who(s);
    }
    if (amp_rpc_expire(&s->rpc, uv_now(s->v->c->loop), &ev))
        v16_call_failed(s, &ev, now_ms);
    v16_session_kick(s);
}

void v16_tick(struct v16 *v)
{
    int64_t now_ms = v->c->now_ms();

    world_tick(v->c->world, now_ms, on_overdue, v);
    for (struct session *s = v->sessions, *next; s; s = next) {
        next = s->behind;
        if (s->conn)
            tick_session(s, now_ms);
    }
}

/* ---- the whole ---- */

static bool grow(struct amp_buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : 4096;

    while (cap < need)
        cap *= 2;
    b->at = realloc(b->at, cap);
    if (!b->at)
        abort();
    b->cap = cap;
    return true;
}

struct v16 *v16_new(struct central *c)
{
    struct v16 *v = calloc(1, sizeof *v);

    if (!v)
        abort();
    v->c = c;
    v->admit = admit_new(c);
    v->frame.grow = v->text.grow = grow;
    return v;
}

void v16_stats(const struct v16 *v, struct v16_stats *out)
{
    *out = (struct v16_stats){ .waiting = v->outbox.waiting,
                               .waiting_bytes = v->outbox.tail - v->outbox.head,
                               .unsent = v->unsent };
    for (const struct session *s = v->sessions; s; s = s->behind)
        out->sessions += s->conn != NULL;
}

const char *v16_action_name(int action)
{
    return action >= 0 && action < OCPP16_COUNT ? ocpp16.messages[action].name : "other";
}

void v16_free(struct v16 *v)
{
    for (struct session *s = v->sessions, *next; s; s = next) {
        next = s->behind;
        free(s);
    }
    admit_free(v->admit);
    v16_passwords_free(v);
    free(v->outbox.at);
    free(v->frame.at);
    free(v->text.at);
    free(v);
}
