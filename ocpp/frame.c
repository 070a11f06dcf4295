/* ocpp/frame.c - reading and writing the array around a payload. ocpp-facts F1-F3, F13. */
#include "ocpp/frame.h"
#include "ocpp/json.h"
#include "ocpp/json_scan.h"

#define DESCRIPTION_MAX 255 /* characters, OCPP 2.0.1 part 4 §4.2.3 */

/* Where a frame is being read. */
struct cursor {
    const char *p, *end;
    enum amp_version version;
    struct amp_arena *arena;
    struct amp_fault *fault;
    bool lax; /* odd calls of 1.6 are calls */
};

static int fail(struct cursor *c, int rc, const char *why)
{
    *c->fault = (struct amp_fault){ .rc = rc, .path = "", .why = why };
    return rc;
}

/* What stands at `p` is not what a frame has there: is it JSON at least? */
static int no_frame(struct cursor *c, const char *why)
{
    struct amp_scan_err err;

    if (!amp_scan_value(c->p, c->end, AMP_DEPTH_MAX, AMP_SCAN_SYNTAX, &err) &&
        err.rc != AMP_E_DEPTH)
        return fail(c, err.rc, err.why);
    return fail(c, AMP_E_FRAME, why);
}

static void blanks(struct cursor *c)
{
    c->p = amp_scan_blanks(c->p, c->end);
}

/* The comma in front of the next element; AMP_E_FRAME when the array ends here. */
static int next(struct cursor *c, const char *why)
{
    blanks(c);
    if (c->p < c->end && *c->p == ']')
        return fail(c, AMP_E_FRAME, why);
    if (c->p == c->end || *c->p != ',')
        return fail(c, AMP_E_FORMAT, "not JSON");
    c->p++;
    blanks(c);
    return 0;
}

/* Without byte order mark in front, and without the NUL behind that ends a C string. */
static struct amp_text bare(struct amp_text t)
{
    if (t.len >= 3 && memcmp(t.at, "\xef\xbb\xbf", 3) == 0)
        t.at += 3, t.len -= 3;
    while (t.len && t.at[t.len - 1] == '\0')
        t.len--;
    return t;
}

static int read_string(struct cursor *c, const char *why, struct amp_text *out, uint32_t *chars)
{
    struct amp_scan_err err;
    struct amp_scan_text t;
    const char *q;

    if (c->p == c->end || *c->p != '"')
        return no_frame(c, why);
    q = amp_scan_string(c->p + 1, c->end, AMP_SCAN_SOUND, &t, &err);
    if (!q)
        return no_frame(c, err.why); /* unsound, or no JSON at all */
    c->p = q;
    if (t.escaped) {
        char *plain = amp_arena_alloc(c->arena, t.raw.len);

        if (!plain)
            return fail(c, AMP_E_FULL, "no room");
        t.raw = (struct amp_text){ plain, amp_scan_unescape(t.raw, plain) };
    }
    *out = t.raw;
    *chars = t.chars;
    return 0;
}

static int read_kind(struct cursor *c, enum amp_frame_kind *kind)
{
    struct amp_scan_err err;
    int64_t number;
    bool whole;
    const char *q = amp_scan_number(c->p, c->end, &whole, &err);

    *kind = 0;
    if (!q || !whole ||
        amp_text_int((struct amp_text){ c->p, (uint32_t)(q - c->p) }, &number) < 0 || number < 0)
        return no_frame(c, "no message type");
    c->p = q;
    if (number < AMP_CALL || number > (c->version == AMP_OCPP21 ? AMP_SEND : AMP_CALLERROR))
        return fail(c, AMP_E_KIND, "unknown message type");
    *kind = (enum amp_frame_kind)number;
    return 0;
}

static int read_id(struct cursor *c, enum amp_frame_kind kind, struct amp_text *id)
{
    uint32_t chars;
    int rc = next(c, "no message id");

    if (rc == 0)
        rc = read_string(c, "the message id is no text", id, &chars);
    if (rc < 0)
        return rc;
    if (c->lax && kind == AMP_CALL && chars <= AMP_ID_LAX)
        return 0; /* an error would make it send the same for ever: edge case 68 */
    if (chars < 1 || chars > AMP_ID_MAX)
        return fail(c, AMP_E_FRAME, "the message id has not 1 to 36 characters");
    return 0;
}

/* An action that is no sound text is known to nobody: its source text stands for it then. */
static int read_action(struct cursor *c, struct amp_text *action)
{
    struct amp_scan_err err;
    struct amp_scan_text t;
    const char *start = c->p, *q;
    uint32_t chars;
    int rc = read_string(c, "the action is no text", action, &chars);

    if (rc != AMP_E_FRAME || start == c->end || *start != '"')
        return rc;
    q = amp_scan_string(start + 1, c->end, AMP_SCAN_SYNTAX, &t, &err);
    if (!q)
        return rc;
    *action = t.raw;
    c->p = q;
    return 0;
}

static int read_end(struct cursor *c);

/* The payload goes up to the end of the text for now. A call of 1.6 may leave it out: {}. */
static int read_payload(struct cursor *c, struct amp_frame *out)
{
    int rc;

    blanks(c);
    if (c->lax && out->kind == AMP_CALL && c->p < c->end && *c->p == ']') {
        out->payload = AMP_TEXT("{}]");
        return read_end(c);
    }
    rc = next(c, "no payload");
    if (rc == 0)
        out->payload = (struct amp_text){ c->p, (uint32_t)(c->end - c->p) };
    return rc;
}

/* Behind the last element: the bracket and nothing else. */
static int read_end(struct cursor *c)
{
    blanks(c);
    if (c->p < c->end && *c->p == ',') {
        c->p++;
        blanks(c);
        return no_frame(c, "too many elements");
    }
    if (c->p == c->end)
        return fail(c, AMP_E_FORMAT, "text is cut off");
    if (*c->p != ']')
        return fail(c, AMP_E_FORMAT, "not JSON");
    c->p = amp_scan_blanks(c->p + 1, c->end);
    return c->p == c->end ? 0 : fail(c, AMP_E_FORMAT, "text behind the end");
}

static bool at_null(const struct cursor *c)
{
    return c->end - c->p >= 4 && memcmp(c->p, "null", 4) == 0;
}

/* Description and details of an error may be missing, null or too long; details may be anything. */
static int read_error(struct cursor *c, struct amp_frame *out)
{
    struct amp_scan_err err;
    uint32_t chars;
    const char *q;
    int rc = next(c, "no error code");

    if (rc == 0)
        rc = read_string(c, "the error code is no text", &out->code, &chars);
    if (rc < 0)
        return rc;
    blanks(c);
    if (c->p < c->end && *c->p == ',') {
        c->p = amp_scan_blanks(c->p + 1, c->end);
        if (at_null(c))
            c->p += 4;
        else if ((rc = read_string(c, "the error description is no text", &out->description,
                                   &chars)) < 0)
            return rc;
        blanks(c);
    }
    if (c->p < c->end && *c->p == ',') {
        c->p = amp_scan_blanks(c->p + 1, c->end);
        q = amp_scan_value(c->p, c->end, AMP_DEPTH_MAX, AMP_SCAN_SOUND, &err);
        if (!q)
            return no_frame(c, err.why);
        out->details = (struct amp_text){ c->p, (uint32_t)(q - c->p) };
        c->p = q;
    }
    return read_end(c);
}

int amp_frame_read(struct amp_text text, enum amp_version v, struct amp_arena *arena,
                   struct amp_frame *out, struct amp_fault *fault)
{
    return amp_frame_read_mode(text, v, AMP_STRICT, arena, out, fault);
}

int amp_frame_read_mode(struct amp_text text, enum amp_version v, enum amp_codec_mode mode,
                        struct amp_arena *arena, struct amp_frame *out, struct amp_fault *fault)
{
    struct amp_text t = bare(text), action = AMP_NO_TEXT;
    struct amp_fault unused;
    struct cursor c = { t.at,  t.len ? t.at + t.len : t.at,         v,
                        arena, fault ? fault : &unused, v == AMP_OCPP16 && mode == AMP_LENIENT };
    int rc, kind_rc;

    *out = (struct amp_frame){ .kind = 0 };
    blanks(&c);
    if (c.p == c.end || *c.p != '[')
        return no_frame(&c, "not an array");
    c.p = amp_scan_blanks(c.p + 1, c.end);
    if (c.p < c.end && *c.p == ']')
        return fail(&c, AMP_E_FRAME, "no message type");
    kind_rc = read_kind(&c, &out->kind);
    if (kind_rc < 0 && kind_rc != AMP_E_KIND)
        return kind_rc;
    rc = read_id(&c, out->kind, &out->id);
    if (kind_rc < 0 && rc != AMP_E_FORMAT && rc != AMP_E_UTF8)
        return fail(&c, kind_rc, "unknown message type");
    if (rc < 0)
        return rc;
    switch (out->kind) {
    case AMP_CALL:
    case AMP_SEND:
        rc = next(&c, "no action");
        if (rc == 0)
            rc = read_action(&c, &action);
        out->action = action;
        return rc < 0 ? rc : read_payload(&c, out);
    case AMP_CALLRESULT:
        return read_payload(&c, out);
    default:
        return read_error(&c, out);
    }
}

/* The payload ended at `p`. */
static int payload_end(struct amp_frame *f, const char *p, struct amp_fault *fault)
{
    struct cursor c = { p, f->payload.at + f->payload.len, AMP_OCPP16, NULL, fault, false };

    f->payload.len = (uint32_t)(p - f->payload.at);
    return read_end(&c);
}

int amp_frame_payload(struct amp_frame *f, const struct amp_record *r, enum amp_version v,
                      enum amp_codec_mode mode, void *out, struct amp_arena *arena,
                      struct amp_fault *fault, struct amp_decode *report)
{
    struct amp_fault unused;
    struct amp_text rest = f->payload;
    int rc;

    fault = fault ? fault : &unused;
    rc = amp_decode_prefix(r, v, mode, &rest, out, arena, fault, report);
    return rc < 0 ? rc : payload_end(f, rest.at, fault);
}

int amp_frame_skip(struct amp_frame *f, struct amp_fault *fault)
{
    struct amp_scan_err err;
    struct amp_fault unused;
    const char *p = amp_scan_value(f->payload.at, f->payload.at + f->payload.len, AMP_DEPTH_MAX,
                                   AMP_SCAN_SOUND, &err);

    fault = fault ? fault : &unused;
    if (p)
        return payload_end(f, p, fault);
    *fault = (struct amp_fault){ .rc = err.rc, .path = "", .why = err.why };
    return err.rc;
}

static void put_head(struct amp_buf *out, enum amp_frame_kind kind, struct amp_text id)
{
    amp_buf_putc(out, '[');
    amp_buf_putc(out, (char)('0' + kind));
    amp_buf_putc(out, ',');
    amp_json_quote(out, id);
    amp_buf_putc(out, ',');
}

static int put_end(struct amp_buf *out, int rc, struct amp_fault *fault)
{
    amp_buf_putc(out, ']');
    if (rc == 0 && out->full) {
        rc = AMP_E_FULL;
        if (fault)
            *fault = (struct amp_fault){ .rc = rc, .path = "", .why = "no room" };
    }
    return rc;
}

int amp_frame_call(struct amp_buf *out, enum amp_version v, struct amp_text id,
                   const struct amp_message *m, const void *request, struct amp_fault *fault)
{
    put_head(out, m->reply ? AMP_CALL : AMP_SEND, id);
    amp_buf_putc(out, '"');
    amp_buf_puts(out, m->name);
    amp_buf_puts(out, "\",");
    return put_end(out, amp_encode(m->request, v, request, out, fault), fault);
}

int amp_frame_result(struct amp_buf *out, enum amp_version v, struct amp_text id,
                     const struct amp_message *m, const void *reply, struct amp_fault *fault)
{
    put_head(out, AMP_CALLRESULT, id);
    return put_end(out, amp_encode(m->reply, v, reply, out, fault), fault);
}

/* The first `max` characters. */
static struct amp_text cut(struct amp_text t, uint32_t max)
{
    uint32_t i = 0;

    for (; i < t.len; i++)
        if (((unsigned char)t.at[i] & 0xc0) != 0x80 && max-- == 0)
            break;
    t.len = i;
    return t;
}

void amp_frame_error(struct amp_buf *out, enum amp_frame_kind kind, struct amp_text id,
                     const char *code, struct amp_text description)
{
    put_head(out, kind, id.at ? id : AMP_TEXT("-1"));
    amp_json_quote(out, amp_text_of(code));
    amp_buf_putc(out, ',');
    amp_json_quote(out, cut(description, DESCRIPTION_MAX));
    amp_buf_puts(out, ",{}]");
}
