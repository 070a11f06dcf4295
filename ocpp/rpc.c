/* ocpp/rpc.c - calls and their answers. ocpp-facts F3-F7, F10-F14. */
#include "ocpp/rpc.h"

void amp_rpc_init(struct amp_rpc *r, const struct amp_protocol *p, enum amp_version v,
                  enum amp_direction peer, uint64_t prefix)
{
    *r = (struct amp_rpc){ .protocol = p, .version = v, .peer = peer, .prefix = prefix };
}

/* ---- our calls ---- */

/* A place in an output buffer to which it can be taken back. */
struct mark {
    size_t len;
    bool full;
};

static struct mark mark_of(const struct amp_buf *out)
{
    return (struct mark){ out->len, out->full };
}

static void take_back(struct amp_buf *out, struct mark m)
{
    out->len = m.len;
    out->full = m.full;
}

static char *put_hex(char *to, uint64_t v, int digits)
{
    static const char hex[] = "0123456789abcdef";

    while (digits--)
        *to++ = hex[v >> 4 * digits & 15];
    return to;
}

/* "5f3a9c0012d4e6b7-2a": 18 to 33 characters, and 64 bits do not come round. A number whose message
 * could not be written is lost, not given twice. */
static struct amp_text next_id(struct amp_rpc *r, char id[AMP_ID_MAX + 1])
{
    char *end = put_hex(id, r->prefix, 16);
    int digits = 1;

    r->sequence++;
    while (digits < 16 && r->sequence >> 4 * digits)
        digits++;
    *end++ = '-';
    end = put_hex(end, r->sequence, digits);
    *end = '\0';
    return (struct amp_text){ id, (uint32_t)(end - id) };
}

/* May this side send `m` now? */
static int may_call(const struct amp_rpc *r, const struct amp_message *m)
{
    enum amp_direction ours = r->peer == AMP_UP ? AMP_DOWN : AMP_UP;

    if (!(m->direction & ours) || !(m->versions & 1u << r->version))
        return AMP_E_SUPPORT;
    return r->open && m->reply ? AMP_E_BUSY : 0;
}

/* The frame stands in `out`: from now on its answer is waited for. Returns where its id can be
 * read. */
static struct amp_text opened(struct amp_rpc *r, const struct amp_message *m, struct amp_text id,
                              uint32_t cookie, uint64_t deadline_ms, const char *frame)
{
    r->stats.calls_out++;
    if (!m->reply)
        return (struct amp_text){ frame + sizeof("[6,\"") - 1, id.len };
    r->open = m;
    r->cookie = cookie;
    r->deadline_ms = deadline_ms;
    memcpy(r->open_id, id.at, id.len);
    r->open_id[id.len] = '\0';
    return (struct amp_text){ r->open_id, id.len };
}

int amp_rpc_call(struct amp_rpc *r, const struct amp_message *m, const void *request,
                 uint32_t cookie, uint64_t now_ms, uint32_t timeout_ms, struct amp_buf *out,
                 struct amp_text *id_out, struct amp_fault *fault)
{
    struct mark mark = mark_of(out);
    char block[AMP_ID_MAX + 1];
    struct amp_text id;
    int rc = may_call(r, m);

    if (rc < 0)
        return rc;
    id = next_id(r, block);
    rc = amp_frame_call(out, r->version, id, m, request, fault);
    if (rc < 0) {
        take_back(out, mark);
        return rc;
    }
    id = opened(r, m, id, cookie, now_ms + timeout_ms, out->at + mark.len);
    if (id_out)
        *id_out = id;
    return 0;
}

int amp_rpc_call_raw(struct amp_rpc *r, const struct amp_message *m, struct amp_text payload,
                     uint32_t cookie, uint64_t now_ms, uint32_t timeout_ms, struct amp_buf *out,
                     struct amp_text *id_out)
{
    struct mark mark = mark_of(out);
    char block[AMP_ID_MAX + 1];
    struct amp_text id;
    int rc = may_call(r, m);

    if (rc < 0)
        return rc;
    id = next_id(r, block);
    amp_buf_puts(out, m->reply ? "[2,\"" : "[6,\"");
    amp_buf_text_put(out, id);
    amp_buf_puts(out, "\",\"");
    amp_buf_puts(out, m->name);
    amp_buf_puts(out, "\",");
    amp_buf_text_put(out, payload.at ? payload : AMP_TEXT("{}"));
    amp_buf_putc(out, ']');
    if (out->full) {
        take_back(out, mark);
        return AMP_E_FULL;
    }
    id = opened(r, m, id, cookie, now_ms + timeout_ms, out->at + mark.len);
    if (id_out)
        *id_out = id;
    return 0;
}

/* ---- what comes in ---- */

static void failed(struct amp_rpc *r, int rc, struct amp_rpc_event *ev)
{
    ev->kind = AMP_RPC_FAILED;
    ev->rc = rc;
    ev->cookie = r->cookie;
    ev->message = r->open;
    r->open = NULL;
}

/* What the peer's error code means here; both spellings are read, whatever the version. */
static int meaning(struct amp_text code)
{
    for (int rc = AMP_E_FORMAT; rc >= AMP_E_PROTOCOL; rc--) {
        if (amp_text_is(code, amp_err_code(rc, AMP_OCPP16)) ||
            amp_text_is(code, amp_err_code(rc, AMP_OCPP201)))
            return rc;
    }
    return AMP_E_INTERNAL; /* GenericError and unknown ones too */
}

static bool answer(const struct amp_frame *f)
{
    return f->kind == AMP_CALLRESULT || f->kind == AMP_CALLERROR;
}

/* Is `text` the answer to our call in flight? Only the frame is read; the arena is as before. */
static bool answers(const struct amp_rpc *r, struct amp_text text, struct amp_arena *arena)
{
    size_t used = arena->used;
    struct amp_frame frame = { .id = AMP_NO_TEXT };
    struct amp_fault fault;
    int rc = amp_frame_read(text, r->version, arena, &frame, &fault);
    bool yes = answer(&frame) && frame.id.at && amp_text_is(frame.id, r->open_id);

    (void)rc; /* a broken answer is an answer: the call fails at once */
    arena->used = used;
    return yes;
}

static void dropped(struct amp_rpc *r, int rc, bool late, struct amp_rpc_event *ev)
{
    ev->kind = AMP_RPC_DROPPED;
    ev->rc = rc;
    ev->late = late;
    if (late)
        r->stats.late++;
    else
        r->stats.discarded++;
}

static void accepted(struct amp_rpc *r, bool ours, struct amp_rpc_event *ev)
{
    const struct amp_frame *f = &ev->verdict.frame;

    r->stats.repaired += ev->verdict.report.repairs > 0;
    switch (f->kind) {
    case AMP_CALL:
    case AMP_SEND:
        r->stats.calls_in++;
        ev->kind = f->kind == AMP_CALL ? AMP_RPC_CALL : AMP_RPC_SEND;
        break;
    case AMP_CALLRESULT:
        if (!ours) {
            dropped(r, AMP_E_ABSENT, true, ev);
            break;
        }
        r->stats.results_in++;
        ev->kind = AMP_RPC_RESULT;
        ev->cookie = r->cookie;
        r->open = NULL;
        break;
    case AMP_CALLERROR:
        if (!ours) {
            dropped(r, AMP_E_ABSENT, true, ev);
            break;
        }
        r->stats.errors_in++;
        failed(r, meaning(f->code), ev);
        break;
    case AMP_CALLRESULTERROR: /* our result was not understood: nothing can be done about it */
        dropped(r, meaning(f->code), false, ev);
        break;
    }
}

/* "connectorId: not a number": the path is made of names from our tables, never of the peer's text.
 */
static void describe(const struct amp_verdict *v, struct amp_buf *out)
{
    amp_buf_puts(out, v->fault.path);
    amp_buf_puts(out, v->fault.path[0] ? ": " : "");
    amp_fault_why(out, &v->fault, v->rc);
}

/* The verdict asks for an error answer. One to a result (2.1) also ends the call, if it was ours.
 */
static void refused(struct amp_rpc *r, bool ours, struct amp_buf *reply, struct amp_rpc_event *ev)
{
    const struct amp_frame *f = &ev->verdict.frame;
    bool result = f->kind == AMP_CALLRESULT;
    struct mark mark = mark_of(reply);
    char block[255];
    struct amp_buf text;

    amp_buf_init(&text, block, sizeof(block));
    describe(&ev->verdict, &text);
    amp_frame_error(reply, result ? AMP_CALLRESULTERROR : AMP_CALLERROR, f->id,
                    amp_err_code(ev->verdict.rc, r->version), amp_buf_text(&text));
    if (reply->full)
        take_back(reply, (struct mark){ mark.len, true });
    if (ours) {
        r->stats.discarded++;
        failed(r, ev->verdict.rc, ev);
        return;
    }
    r->stats.refused++;
    ev->kind = AMP_RPC_REFUSED;
    ev->rc = ev->verdict.rc;
}

void amp_rpc_receive(struct amp_rpc *r, struct amp_text text, struct amp_arena *arena,
                     struct amp_buf *reply, struct amp_rpc_event *ev)
{
    bool ours = r->open && answers(r, text, arena);
    struct amp_verdict *v = &ev->verdict;

    *ev = (struct amp_rpc_event){ .rc = 0 };
    amp_frame_judge(r->protocol, r->version, AMP_LENIENT, r->peer, ours ? r->open : NULL, text,
                    arena, v);
    ev->message = v->message;
    ev->body = v->body;
    switch (v->kind) {
    case AMP_ACCEPT:
        accepted(r, ours, ev);
        break;
    case AMP_ANSWER_ERROR:
        if (ours || v->frame.kind != AMP_CALLRESULT)
            refused(r, ours, reply, ev);
        else
            dropped(r, v->rc, true, ev); /* late is never an error, unsound or not (F6) */
        break;
    case AMP_DISCARD:
        if (ours) {
            r->stats.discarded++;
            failed(r, v->rc, ev);
        } else {
            dropped(r, v->rc, answer(&v->frame) && v->frame.id.at, ev);
        }
        break;
    case AMP_CLOSE:
        r->stats.discarded++;
        ev->kind = AMP_RPC_CLOSE;
        ev->rc = v->rc;
        ev->close_code = v->close_code;
        break;
    }
}

/* ---- calls that end without an answer ---- */

bool amp_rpc_expire(struct amp_rpc *r, uint64_t now_ms, struct amp_rpc_event *ev)
{
    if (!r->open || now_ms < r->deadline_ms)
        return false;
    *ev = (struct amp_rpc_event){ .rc = 0 };
    r->stats.timeouts++;
    failed(r, AMP_E_TIMEOUT, ev);
    return true;
}

bool amp_rpc_abort(struct amp_rpc *r, struct amp_rpc_event *ev)
{
    if (!r->open)
        return false;
    *ev = (struct amp_rpc_event){ .rc = 0 };
    failed(r, AMP_E_IO, ev);
    return true;
}

/* ---- answers of ours ---- */

void amp_rpc_error(struct amp_rpc *r, struct amp_text id, int rc, struct amp_text description,
                   struct amp_buf *out)
{
    struct mark mark = mark_of(out);

    amp_frame_error(out, AMP_CALLERROR, id, amp_err_code(rc, r->version), description);
    if (out->full)
        take_back(out, (struct mark){ mark.len, true });
}

int amp_rpc_result(struct amp_rpc *r, struct amp_text id, const struct amp_message *m,
                   const void *reply, struct amp_buf *out)
{
    struct mark mark = mark_of(out);
    int rc = amp_frame_result(out, r->version, id, m, reply, NULL);

    if (rc < 0) {
        take_back(out, mark);
        amp_rpc_error(r, id, AMP_E_INTERNAL, AMP_NO_TEXT, out);
    }
    return rc;
}
