/* Frames and payloads of every version. First byte: '0' to '2', the version; second: 'u' or 'd',
 * who sent it; third:
 * '!' plus 1 + the number of the message whose answer is awaited, '!' for none. The rest is the
 * frame. What the strict reader takes the lenient one takes; what was read can be written and reads
 * the same; what is written strictly is read strictly. */
#include "messages/ocpp16.h"
#include "messages/ocpp2.h"
#include "ocpp/frame.h"
#include "ocpp/json.h"

#include <stdlib.h>

#define MUST(cond)   \
    do {             \
        if (!(cond)) \
            abort(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned char blocks[2][1 << 19];
static char texts[3][1 << 20];

static struct amp_buf text_buf(int i)
{
    struct amp_buf b;

    amp_buf_init(&b, texts[i], sizeof texts[i]);
    return b;
}

/* Read `text` and write it again into buffer `i`. */
static struct amp_text again(const struct amp_record *r, size_t size, enum amp_version v,
                             enum amp_codec_mode mode, struct amp_text text, int i)
{
    struct amp_buf out = text_buf(i);
    struct amp_fault fault;
    struct amp_arena arena;
    void *body;

    amp_arena_init(&arena, blocks[1], sizeof blocks[1]);
    body = amp_arena_alloc(&arena, size);
    MUST(body && amp_decode(r, v, mode, text, body, &arena, &fault, NULL) == 0);
    MUST(amp_encode_mode(r, v, mode, body, &out, &fault) == 0);
    return amp_buf_text(&out);
}

static void round_trip(const struct amp_verdict *judged, enum amp_version v)
{
    bool request = judged->frame.kind == AMP_CALL || judged->frame.kind == AMP_SEND;
    const struct amp_record *r = request ? judged->message->request : judged->message->reply;
    size_t size = request ? judged->message->request_size : judged->message->reply_size;
    struct amp_buf out = text_buf(0);
    struct amp_fault fault;
    int rc;

    MUST(amp_encode_mode(r, v, AMP_LENIENT, judged->body, &out, &fault) == 0);
    MUST(amp_text_eq(amp_buf_text(&out), again(r, size, v, AMP_LENIENT, amp_buf_text(&out), 1)));
    out = text_buf(0);
    amp_describe(r, v, judged->body, &out);
    MUST(amp_json_check(amp_buf_text(&out), NULL) == 0);
    out = text_buf(0);
    rc = amp_encode(r, v, judged->body, &out, &fault);
    if (rc == 0)
        MUST(amp_text_eq(amp_buf_text(&out), again(r, size, v, AMP_STRICT, amp_buf_text(&out), 1)));
    else
        MUST(rc == fault.rc && fault.why);
}

static void check_verdict(const struct amp_verdict *v)
{
    if (v->kind == AMP_ACCEPT) {
        MUST(v->rc == 0 && v->frame.id.at);
        return;
    }
    MUST(v->rc < 0 && v->fault.why && strlen(v->fault.path) < AMP_PATH_MAX);
    MUST((v->kind == AMP_CLOSE) == (v->close_code != 0));
    MUST(amp_text_utf8(amp_text_of(v->fault.path)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct amp_verdict strict, lenient;
    const struct amp_protocol *p;
    const struct amp_message *pending;
    enum amp_direction from;
    enum amp_version v;
    struct amp_arena arena;
    struct amp_text text;

    if (size < 3 || data[0] < '0' || data[0] > '2' || data[2] < '!')
        return 0;
    v = (enum amp_version)(data[0] - '0');
    from = data[1] == 'u' ? AMP_UP : AMP_DOWN;
    p = v == AMP_OCPP16 ? &ocpp16 : &ocpp2;
    pending =
        data[2] > '!' && data[2] - '!' <= (int)p->count ? &p->messages[data[2] - '!' - 1] : NULL;
    text = (struct amp_text){ (const char *)data + 3, (uint32_t)(size - 3) };
    amp_arena_init(&arena, blocks[0], sizeof blocks[0]);
    amp_frame_judge(p, v, AMP_STRICT, from, pending, text, &arena, &strict);
    check_verdict(&strict);
    amp_arena_reset(&arena);
    amp_frame_judge(p, v, AMP_LENIENT, from, pending, text, &arena, &lenient);
    check_verdict(&lenient);
    if (strict.kind == AMP_ACCEPT)
        MUST(lenient.kind == AMP_ACCEPT && lenient.report.unknown_fields == 0);
    if (lenient.kind == AMP_ACCEPT && lenient.body)
        round_trip(&lenient, v);
    return 0;
}
