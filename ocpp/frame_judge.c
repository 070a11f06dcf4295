/* ocpp/frame_judge.c - what to do with a frame. The order of the questions matters: a text that is
 * no JSON is unreadable whatever its beginning looks like, and broken UTF-8 ends the connection
 * whatever else is wrong (RFC 6455 §8.1). So when something is wrong, the whole text is looked at
 * once more; sound frames are read only once. */
#include "ocpp/frame.h"
#include "ocpp/json_scan.h"

static void discard(struct amp_verdict *out, int rc)
{
    out->kind = AMP_DISCARD;
    out->rc = rc;
    out->body = NULL;
}

static bool is_answer(enum amp_frame_kind kind)
{
    return kind == AMP_CALLRESULT || kind == AMP_CALLERROR || kind == AMP_CALLRESULTERROR;
}

/* An error that the sender may hear of, if its frame has an answer at all. ocpp-facts F14: a result
 * is refused from 2.1 on, an error and a SEND never. */
static void refuse(struct amp_verdict *out, enum amp_version v, int rc)
{
    enum amp_frame_kind kind = out->frame.kind;

    discard(out, rc);
    if (kind == AMP_CALL || (kind == AMP_CALLRESULT && v == AMP_OCPP21))
        out->kind = AMP_ANSWER_ERROR;
}

/* ocpp-facts F11: no JSON. The id is not known then, even if something like it can be seen. */
static void unreadable(struct amp_verdict *out, enum amp_version v)
{
    bool answer = is_answer(out->frame.kind) || out->frame.kind == AMP_SEND;

    out->frame.id = AMP_NO_TEXT;
    discard(out, answer ? AMP_E_FORMAT : AMP_E_FRAME);
    if (v != AMP_OCPP16 && !answer)
        out->kind = AMP_ANSWER_ERROR;
}

/* True if the text as a whole is why; the verdict is complete then. */
static bool broken(struct amp_text text, enum amp_version v, struct amp_verdict *out)
{
    struct amp_scan_err err = { 0, NULL };
    const char *p, *end;

    if (!amp_text_utf8(text)) {
        discard(out, AMP_E_UTF8);
        out->kind = AMP_CLOSE;
        out->close_code = 1007;
        out->fault = (struct amp_fault){ .rc = AMP_E_UTF8, .path = "", .why = "not UTF-8" };
        return true;
    }
    if (text.len >= 3 && memcmp(text.at, "\xef\xbb\xbf", 3) == 0)
        text.at += 3, text.len -= 3;
    while (text.len && text.at[text.len - 1] == '\0')
        text.len--;
    end = text.len ? text.at + text.len : text.at;
    p = amp_scan_value(amp_scan_blanks(text.at, end), end, AMP_DEPTH_MAX, AMP_SCAN_SYNTAX, &err);
    if (p ? amp_scan_blanks(p, end) == end : err.rc == AMP_E_DEPTH)
        return false;
    out->fault = (struct amp_fault){ .rc = AMP_E_FORMAT,
                                     .path = "",
                                     .why = p ? "text behind the end" : err.why };
    unreadable(out, v);
    return true;
}

/* The payload is refused for `rc`; but if the array around it is no frame, that comes first. */
static void refuse_payload(struct amp_verdict *out, enum amp_version v, struct amp_text payload,
                           int rc)
{
    struct amp_frame again = out->frame;
    struct amp_fault fault;

    again.payload = payload;
    if (amp_frame_skip(&again, &fault) == AMP_E_FRAME) {
        out->fault = fault;
        rc = AMP_E_FRAME;
    }
    refuse(out, v, rc == AMP_E_FRAME && is_answer(out->frame.kind) ? AMP_E_FORMAT : rc);
}

/* It is JSON, but no frame: `rc` of amp_frame_read. */
static void malformed(struct amp_verdict *out, enum amp_version v, int rc)
{
    const struct amp_frame *f = &out->frame;

    if (rc == AMP_E_FULL) { /* our failure; nothing can be answered without the id */
        refuse(out, v, rc);
        if (!f->id.at)
            discard(out, rc);
    } else if (rc == AMP_E_KIND) { /* ocpp-facts F10 */
        discard(out, rc);
        if (v == AMP_OCPP201)
            out->kind = AMP_ANSWER_ERROR;
    } else if (is_answer(f->kind)) {
        refuse(out, v, rc == AMP_E_FRAME ? AMP_E_FORMAT : rc);
    } else if (f->kind == AMP_CALL && f->id.at) {
        refuse(out, v, rc);
    } else {
        unreadable(out, v);
    }
}

static void judge_call(const struct amp_protocol *p, enum amp_version v, enum amp_codec_mode mode,
                       enum amp_direction from, struct amp_text text, struct amp_arena *arena,
                       struct amp_verdict *out)
{
    const struct amp_message *m = amp_message_find(p, out->frame.action);
    bool known = m && m->versions & 1u << v && (out->frame.kind == AMP_CALL) == (m->reply != NULL);
    struct amp_text payload = out->frame.payload;
    int rc;

    if (known && m->direction & from) {
        out->message = m;
        out->body = amp_arena_alloc(arena, m->request_size);
        rc = out->body ? amp_frame_payload(&out->frame, m->request, v, mode, out->body, arena,
                                           &out->fault, &out->report)
                       : AMP_E_FULL;
        if (rc < 0 && !broken(text, v, out))
            refuse_payload(out, v, payload, rc);
        return;
    }
    out->message = known ? m : NULL;
    rc = amp_frame_skip(&out->frame, &out->fault);
    if (rc < 0 && broken(text, v, out))
        return;
    if (rc == AMP_E_FRAME) { /* too many elements: that comes before the question who may send it */
        refuse(out, v, rc);
        return;
    }
    rc = known ? AMP_E_SUPPORT : AMP_E_UNKNOWN;
    out->fault = (struct amp_fault){ .rc = rc, .path = "", .why = amp_err_text(rc) };
    refuse(out, v, rc);
}

static void judge_result(enum amp_version v, enum amp_codec_mode mode,
                         const struct amp_message *pending, struct amp_text text,
                         struct amp_arena *arena, struct amp_verdict *out)
{
    struct amp_text payload = out->frame.payload;
    int rc;

    out->message = pending;
    if (pending && pending->reply) {
        out->body = amp_arena_alloc(arena, pending->reply_size);
        rc = out->body ? amp_frame_payload(&out->frame, pending->reply, v, mode, out->body, arena,
                                           &out->fault, &out->report)
                       : AMP_E_FULL;
    } else {
        rc = amp_frame_skip(&out->frame, &out->fault); /* not ours to understand */
    }
    if (rc < 0 && !broken(text, v, out))
        refuse_payload(out, v, payload, rc);
}

void amp_frame_judge(const struct amp_protocol *p, enum amp_version v, enum amp_codec_mode mode,
                     enum amp_direction from, const struct amp_message *pending,
                     struct amp_text text, struct amp_arena *arena, struct amp_verdict *out)
{
    int rc;

    *out = (struct amp_verdict){ .kind = AMP_ACCEPT };
    rc = amp_frame_read_mode(text, v, mode, arena, &out->frame, &out->fault);
    if (rc < 0) {
        if (!broken(text, v, out))
            malformed(out, v, rc);
        return;
    }
    switch (out->frame.kind) {
    case AMP_CALL:
    case AMP_SEND:
        judge_call(p, v, mode, from, text, arena, out);
        break;
    case AMP_CALLRESULT:
        judge_result(v, mode, pending, text, arena, out);
        break;
    default: /* an error frame was read to its end */
        out->message = pending;
        break;
    }
}
