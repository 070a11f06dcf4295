/* station/pump.c - what is sent next, and where answers go. station-1.6 3, 4, 6, 7, 21, 23, 117.
 *
 * Handlers of incoming calls only change facts. Everything this station says by itself starts here,
 * one call at a time, and only when all bytes written before have left: so an answer is always out
 * before the messages it causes. */
#include "station/impl.h"

/* In order of importance. `due` says yes when there is something to send now, and fills st->call.
 */
static const struct {
    uint8_t job; /* 0: `due` chooses */
    bool (*due)(struct amp_station *st);
    /* clang-format off */
} sources[] = {
    { AMP_JOB_BOOT,      amp_boot_due },
    { AMP_JOB_STATUS,    amp_report_due },
    { AMP_JOB_AUTHORIZE, amp_auth_due },
    { AMP_JOB_NONE,      amp_queue_due },
    { AMP_JOB_METER,     amp_meter_due },
    { AMP_JOB_SECURITY,  amp_events_due },
    { AMP_JOB_SIGN,      amp_certificates_due },
    { AMP_JOB_HEARTBEAT, amp_heartbeat_due },
    { AMP_JOB_NONE,      amp_firmware_due },
    { AMP_JOB_NONE,      amp_upload_due },
};
/* clang-format on */

/* What a call that got no result means. AMP_E_IO: the connection went; AMP_E_TIMEOUT;
 * AMP_E_PROTOCOL: an error or nonsense came back; AMP_E_INTERNAL: it could not be written. */
static void (*const failed[AMP_JOBS])(struct amp_station *st, int rc) = {
    [AMP_JOB_BOOT] = amp_boot_failed,          [AMP_JOB_STATUS] = amp_report_failed,
    [AMP_JOB_AUTHORIZE] = amp_auth_failed,     [AMP_JOB_START] = amp_queue_failed,
    [AMP_JOB_TX_METER] = amp_queue_failed,     [AMP_JOB_STOP] = amp_queue_failed,
    [AMP_JOB_FIRMWARE] = amp_firmware_failed,  [AMP_JOB_SIGNED_FIRMWARE] = amp_firmware_failed,
    [AMP_JOB_DIAGNOSTICS] = amp_upload_failed, [AMP_JOB_LOG] = amp_upload_failed,
    [AMP_JOB_SECURITY] = amp_events_failed,    [AMP_JOB_SIGN] = amp_certificates_failed,
};

const struct amp_station_op *amp_op_of_id(const struct amp_station *st, unsigned id)
{
    for (unsigned i = 0; i < st->dialect->count; i++)
        if (st->dialect->ops[i]->id == id)
            return st->dialect->ops[i];
    return NULL;
}

static const struct amp_station_op *op_of_job(const struct amp_station *st, unsigned job)
{
    for (unsigned i = 0; i < st->dialect->count; i++)
        if (st->dialect->ops[i]->jobs & 1u << job)
            return st->dialect->ops[i];
    return NULL;
}

static void fail(struct amp_station *st, int rc)
{
    unsigned job = st->call.job;

    st->call.job = AMP_JOB_NONE;
    if (failed[job])
        failed[job](st, rc);
}

/* Build and write the message of st->call. AMP_E_FULL: too long. */
static int write_call(struct amp_station *st, const struct amp_station_op *op)
{
    const struct amp_message *m = &st->dialect->protocol->messages[op->id];
    struct amp_buf out = amp_link_message(st);
    struct amp_fault fault = { 0 };
    void *request;
    int rc;

    amp_arena_reset(&st->arena);
    request = amp_arena_alloc(&st->arena, m->request_size);
    if (!request)
        return AMP_E_FULL;
    rc = op->make(st, request);
    if (rc == 0)
        rc = amp_rpc_call(&st->link.rpc, m, request, st->call.job, st->now,
                          (uint32_t)st->set.message_timeout_s * 1000, &out, NULL, &fault);
    if (rc == 0)
        amp_link_send(st, &out, true);
    else if (rc != AMP_E_FULL)
        amp_log2(st, AMP_LOG_ERROR, "a message could not be written: ", amp_text_of(fault.path));
    return rc;
}

static void start(struct amp_station *st)
{
    const struct amp_station_op *op = op_of_job(st, st->call.job);
    int rc = AMP_E_SUPPORT;

    st->call.room = AMP_VALUES_MAX;
    while (op && (rc = write_call(st, op)) == AMP_E_FULL && st->call.room)
        st->call.room /= 2; /* fewer meter values */
    if (rc < 0)
        fail(st, AMP_E_INTERNAL); /* cannot be written now, and will not be later */
}

void amp_pump(struct amp_station *st)
{
    struct amp_rpc_event ev;

    if (st->link.state != AMP_LINK_UP || st->link.closing)
        return;
    if (amp_rpc_expire(&st->link.rpc, st->now, &ev)) {
        amp_log2(st, AMP_LOG_WARN, "no answer to ",
                 amp_text_of(ev.message ? ev.message->name : ""));
        fail(st, AMP_E_TIMEOUT);
    }
    /* twice: what fails at once must not hide what else is due */
    for (unsigned i = 0; i < 2 * AMP_COUNT(sources); i++) {
        unsigned s = i % AMP_COUNT(sources);

        if (st->link.rpc.open) {
            (void)amp_due(st, st->link.rpc.deadline_ms);
            return;
        }
        if (st->link.state != AMP_LINK_UP || st->link.closing || !amp_link_idle(st))
            return;
        st->call.job = AMP_JOB_NONE;
        if (!sources[s].due(st))
            continue;
        if (sources[s].job)
            st->call.job = sources[s].job;
        start(st);
    }
}

/* ---- what comes in ---- */

static void answer_call(struct amp_station *st, const struct amp_rpc_event *ev)
{
    const struct amp_station_op *op = amp_op_of_id(st, ev->message->id);
    struct amp_text id = ev->verdict.frame.id;
    struct amp_buf out = amp_link_message(st);
    void *reply = NULL;
    int rc = AMP_E_SUPPORT;

    if (st->boot_state == AMP_BOOT_REJECTED)
        return; /* silence until the interval is over (23) */
    if (st->boot_state == AMP_BOOT_NONE) {
        rc = AMP_E_SECURITY; /* 18 */
    } else if (op && op->on_call) {
        reply = amp_arena_alloc(&st->arena, ev->message->reply_size);
        rc = reply ? op->on_call(st, ev->body, reply) : AMP_E_FULL;
    }
    if (rc < 0)
        amp_rpc_error(&st->link.rpc, id, rc, AMP_NO_TEXT, &out);
    else if (amp_rpc_result(&st->link.rpc, id, ev->message, reply, &out) < 0)
        amp_log2(st, AMP_LOG_ERROR,
                 "a reply could not be written: ", amp_text_of(ev->message->name));
    amp_link_send(st, &out, true);
}

static void answered(struct amp_station *st, const struct amp_rpc_event *ev)
{
    const struct amp_station_op *op = op_of_job(st, st->call.job);

    if (op && op->on_result)
        op->on_result(st, ev->body);
    st->call.job = AMP_JOB_NONE;
}

/* Texts that show a key are not for logs (101). */
static void show(struct amp_station *st, struct amp_text text, const struct amp_rpc_event *ev)
{
    bool secret = ev->message && strcmp(ev->message->name, "ChangeConfiguration") == 0;

    if (secret || ev->kind == AMP_RPC_REFUSED || ev->kind == AMP_RPC_DROPPED)
        for (uint32_t i = 0; i + 16 <= text.len; i++)
            if (amp_text_eqi((struct amp_text){ text.at + i, 16 }, AMP_TEXT("AuthorizationKey")))
                text = AMP_TEXT("(AuthorizationKey: not shown)");
    amp_emit(st, AMP_EVENT_MESSAGE, 0, 0, 0, text);
}

void amp_pump_receive(struct amp_station *st, struct amp_text text)
{
    struct amp_buf reply = amp_link_message(st);
    struct amp_rpc_event ev;

    amp_arena_reset(&st->arena);
    amp_rpc_receive(&st->link.rpc, text, &st->arena, &reply, &ev);
    show(st, text, &ev);
    if (ev.kind != AMP_RPC_DROPPED && ev.kind != AMP_RPC_CLOSE) {
        st->link.last_message_at = st->now;
        st->link.failures = 0; /* somebody who talks OCPP is there */
    }
    switch (ev.kind) {
    case AMP_RPC_CALL:
        answer_call(st, &ev);
        break;
    case AMP_RPC_RESULT:
        answered(st, &ev);
        break;
    case AMP_RPC_FAILED:
        fail(st, ev.rc == AMP_E_TIMEOUT ? AMP_E_TIMEOUT : AMP_E_PROTOCOL);
        break;
    case AMP_RPC_REFUSED:
        st->link.malformed++;
        amp_security_once(st, AMP_SEC_INVALID_MESSAGES, AMP_NO_TEXT);
        if (st->boot_state != AMP_BOOT_REJECTED)
            amp_link_send(st, &reply, true);
        break;
    case AMP_RPC_CLOSE:
        st->link.malformed++;
        amp_security_once(st, AMP_SEC_INVALID_MESSAGES, AMP_TEXT("not UTF-8"));
        amp_link_close(st, ev.close_code, "not UTF-8");
        break;
    default:
        if (!ev.late) {
            st->link.malformed++;
            amp_security_once(st, AMP_SEC_INVALID_MESSAGES, AMP_TEXT("unreadable"));
        }
        amp_log(st, AMP_LOG_WARN, ev.late ? "late answer ignored" : "unreadable message ignored");
    }
}

void amp_pump_lost(struct amp_station *st)
{
    struct amp_rpc_event ev;

    if (amp_rpc_abort(&st->link.rpc, &ev))
        fail(st, AMP_E_IO);
    amp_report_lost(st);
    amp_auth_offline(st);
}
