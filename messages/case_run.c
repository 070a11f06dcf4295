/* messages/case_run.c - see messages/case_run.h. */
#include "messages/case_run.h"
#include "messages/json_same.h"
#include "messages/ocpp16.h"
#include "messages/ocpp2.h"
#include <stdio.h>
#include <stdlib.h>

static char complaint[512];
static unsigned char block[2][1 << 22];
static char text[2][1 << 20];

/* Which of the alternatives "a|b|c" is `one`, from 1; 0: none. */
static unsigned alternative(struct amp_text all, const char *one)
{
    unsigned n = 1;

    for (uint32_t from = 0, i = 0; i <= all.len; i++) {
        if (i < all.len && all.at[i] != '|')
            continue;
        if (amp_text_is((struct amp_text){ all.at + from, i - from }, one))
            return n;
        from = i + 1;
        n++;
    }
    return 0;
}

static const char *const kinds[] = { "accept", "callerror", "discard", "close" };

static const char *wrong_verdict(const struct case_row *row, const struct amp_verdict *v,
                                 unsigned *other)
{
    const char *kind = kinds[v->kind];
    char number[16];
    const char *code = amp_err_code(v->rc, row->version);
    unsigned nth = alternative(row->verdict, kind);

    if (v->kind == AMP_ACCEPT && nth == 0)
        nth = alternative(row->verdict, "lenient");
    snprintf(number, sizeof number, "%d", v->close_code);
    if (nth) {
        *other += nth > 1;
        if (v->kind == AMP_ACCEPT || amp_text_is(row->code, "-"))
            return NULL;
        nth = alternative(row->code, v->kind == AMP_CLOSE ? number : code);
        *other += nth > 1;
        if (nth)
            return NULL;
    }
    snprintf(complaint, sizeof complaint, "%s %s (%s%s%s), not %.*s %.*s", kind,
             v->kind == AMP_CLOSE ? number : code, v->fault.path, v->fault.path[0] ? ": " : "",
             v->fault.why ? v->fault.why : "", AMP_FMT(row->verdict), AMP_FMT(row->code));
    return complaint;
}

static const char *differs(const char *what, struct amp_text a, struct amp_text b)
{
    snprintf(complaint, sizeof complaint, "%s: %.*s | %.*s", what, (int)(a.len < 200 ? a.len : 200),
             a.at, (int)(b.len < 200 ? b.len : 200), b.at);
    return complaint;
}

/* decode, encode, decode, encode: the two texts are equal, and the first says what the frame said.
 */
static const char *round_trip(const struct case_row *row, const struct amp_verdict *v)
{
    bool request = v->frame.kind == AMP_CALL || v->frame.kind == AMP_SEND;
    const struct amp_record *r = request ? v->message->request : v->message->reply;
    /* what was repaired may be over a limit of what we send, and an unknown word cannot be sent */
    enum amp_codec_mode mode = amp_text_is(row->verdict, "accept") ? AMP_STRICT : AMP_LENIENT;
    struct amp_arena arena;
    struct amp_fault fault;
    struct amp_buf first, second;
    void *body;

    amp_buf_init(&first, text[0], sizeof text[0]);
    amp_buf_init(&second, text[1], sizeof text[1]);
    if (amp_encode_mode(r, row->version, mode, v->body, &first, &fault) < 0)
        return differs("not written", amp_text_of(fault.path), amp_text_of(fault.why));
    amp_arena_init(&arena, block[1], sizeof block[1]);
    body = amp_arena_alloc(&arena, request ? v->message->request_size : v->message->reply_size);
    if (amp_decode(r, row->version, mode, amp_buf_text(&first), body, &arena, &fault, NULL) < 0)
        return differs("what we write we do not read", amp_text_of(fault.path),
                       amp_text_of(fault.why));
    if (amp_encode_mode(r, row->version, mode, body, &second, &fault) < 0)
        return differs("not written a second time", amp_text_of(fault.path),
                       amp_text_of(fault.why));
    if (!amp_text_eq(amp_buf_text(&first), amp_buf_text(&second)))
        return differs("changed on the way", amp_buf_text(&first), amp_buf_text(&second));
    if (mode == AMP_STRICT && !json_same(v->frame.payload, amp_buf_text(&first)))
        return differs("means something else", v->frame.payload, amp_buf_text(&first));
    return NULL;
}

static void judge(const struct case_row *row, enum amp_codec_mode mode, struct amp_text frame,
                  struct amp_verdict *v)
{
    const struct amp_protocol *p = row->version == AMP_OCPP16 ? &ocpp16 : &ocpp2;
    enum amp_direction from = amp_text_is(row->direction, "up") ? AMP_UP : AMP_DOWN;
    struct amp_arena arena;

    amp_arena_init(&arena, block[0], sizeof block[0]);
    amp_frame_judge(p, row->version, mode, from, amp_message_find(p, row->action), frame, &arena,
                    v);
}

static const char *check(const struct case_row *row, struct amp_text frame, unsigned *other)
{
    bool accept = amp_text_is(row->verdict, "accept"),
         lenient = amp_text_is(row->verdict, "lenient");
    struct amp_verdict v;
    const char *wrong;

    judge(row, AMP_STRICT, frame, &v);
    if (accept && v.kind != AMP_ACCEPT)
        return differs("refused by the strict reader", amp_text_of(v.fault.path),
                       amp_text_of(v.fault.why));
    if (!accept && !lenient && v.kind == AMP_ACCEPT)
        return "accepted by the strict reader";
    judge(row, AMP_LENIENT, frame, &v);
    wrong = wrong_verdict(row, &v, other);
    if (wrong)
        return wrong;
    if (accept && v.report.repairs + v.report.unknown_fields)
        return "repaired, but it was right";
    return v.kind == AMP_ACCEPT && v.body ? round_trip(row, &v) : NULL;
}

const char *case_run(const struct case_row *row, unsigned *other)
{
    /* on the heap and of this size, so that a sanitizer sees one byte too far */
    char *exact = malloc(row->frame.len ? row->frame.len : 1);
    const char *wrong;

    if (!exact)
        abort();
    if (row->frame.len)
        memcpy(exact, row->frame.at, row->frame.len);
    wrong = check(row, (struct amp_text){ exact, row->frame.len }, other);
    free(exact);
    return wrong;
}
