/* A whole conversation: texts that a peer might send, while a call of ours may be in flight. First
 * byte: bits 0-1 version, 2 side, 3 whether a call of ours is out. The rest is one text, or several
 * between '~'. */
#include "messages/ocpp16.h"
#include "messages/ocpp2.h"
#include "ocpp/rpc.h"

#include <stdlib.h>

#define MUST(cond)   \
    do {             \
        if (!(cond)) \
            abort(); \
    } while (0)

#define PREFIX 0x0123456789abcdefu

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct end {
    struct amp_rpc rpc;
    struct amp_arena arena;
    struct amp_buf out;
    struct amp_rpc_event ev;
    unsigned char block[65536];
    char bytes[65536];
};

static void begin(struct end *e, enum amp_version v, enum amp_direction peer)
{
    amp_arena_init(&e->arena, e->block, sizeof(e->block));
    amp_buf_init(&e->out, e->bytes, sizeof(e->bytes));
    amp_rpc_init(&e->rpc, v == AMP_OCPP16 ? &ocpp16 : &ocpp2, v, peer, PREFIX);
}

static void receive(struct end *e, struct amp_text text)
{
    amp_arena_reset(&e->arena);
    amp_buf_reset(&e->out);
    amp_rpc_receive(&e->rpc, text, &e->arena, &e->out, &e->ev);
}

static uint32_t counted(const struct amp_rpc_stats *s)
{
    return s->calls_in + s->results_in + s->errors_in + s->late + s->discarded + s->refused;
}

/* The other side must be able to read what stands in `text`: an error to a call that it never made.
 * An id that no frame may have is echoed all the same. */
static void check_error(const struct end *e, struct amp_text text, struct amp_text id)
{
    static struct end other;
    uint32_t chars = amp_text_chars(id);

    if (id.at && (chars < 1 || chars > AMP_ID_MAX))
        return;
    begin(&other, e->rpc.version, e->rpc.peer == AMP_UP ? AMP_DOWN : AMP_UP);
    receive(&other, text);
    MUST(other.ev.kind == AMP_RPC_DROPPED && other.ev.verdict.kind == AMP_ACCEPT &&
         other.out.len == 0);
    MUST(amp_text_eq(other.ev.verdict.frame.id, id.at ? id : AMP_TEXT("-1")));
}

/* A call that was understood can be refused, and what could be encoded again is understood again.
 */
static void check_call(struct end *e)
{
    static char bytes[65536];
    static struct end again;
    struct amp_text id = e->ev.verdict.frame.id;
    struct amp_buf out;

    MUST(e->ev.message && e->ev.body && id.at && e->out.len == 0);
    amp_buf_init(&out, bytes, sizeof(bytes));
    amp_rpc_error(&e->rpc, id, AMP_E_STATE, AMP_NO_TEXT, &out);
    MUST(!out.full);
    check_error(e, amp_buf_text(&out), id);

    amp_buf_reset(&out);
    if (amp_frame_call(&out, e->rpc.version, id, e->ev.message, e->ev.body, NULL) < 0)
        return; /* lenient in, strict out */
    begin(&again, e->rpc.version, e->rpc.peer);
    receive(&again, amp_buf_text(&out));
    MUST(again.ev.kind == e->ev.kind && again.ev.message == e->ev.message);
    MUST(amp_text_eq(again.ev.verdict.frame.id, id) && again.rpc.stats.repaired == 0);
}

static void one(struct end *e, struct amp_text text)
{
    const struct amp_message *open = e->rpc.open;
    uint32_t before = counted(&e->rpc.stats);
    bool ends;

    receive(e, text);
    ends = e->ev.kind == AMP_RPC_RESULT || e->ev.kind == AMP_RPC_FAILED;
    MUST(counted(&e->rpc.stats) == before + 1);
    MUST(!ends || (open && e->ev.message == open && e->ev.cookie == 42));
    MUST(e->rpc.open == (ends ? NULL : open));
    MUST(!e->out.full || e->ev.verdict.frame.id.len > AMP_ID_MAX);
    switch (e->ev.kind) {
    case AMP_RPC_CALL:
    case AMP_RPC_SEND:
        check_call(e);
        break;
    case AMP_RPC_REFUSED:
        MUST(e->ev.rc < 0);
        check_error(e, amp_buf_text(&e->out), e->ev.verdict.frame.id);
        break;
    case AMP_RPC_FAILED:
        MUST(e->ev.rc < 0 && (e->out.len == 0 || e->rpc.version == AMP_OCPP21));
        break;
    case AMP_RPC_RESULT:
        MUST(e->ev.body && e->out.len == 0);
        break;
    case AMP_RPC_DROPPED:
        MUST(e->out.len == 0);
        break;
    case AMP_RPC_CLOSE:
        MUST(e->ev.close_code == 1007);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct end e;
    uint64_t request[8] = { 0 };
    const struct amp_message *heartbeat;
    enum amp_direction peer;

    if (size < 1)
        return 0;
    peer = data[0] & 4 ? AMP_UP : AMP_DOWN;
    begin(&e, (enum amp_version)((data[0] & 3) % 3), peer);
    heartbeat = amp_message_find(e.rpc.protocol,
                                 peer == AMP_UP ? AMP_TEXT("ClearCache") : AMP_TEXT("Heartbeat"));
    if (data[0] & 8)
        MUST(amp_rpc_call(&e.rpc, heartbeat, request, 42, 0, 1, &e.out, NULL, NULL) == 0);
    for (size_t at = 1, end; at <= size; at = end + 1) {
        for (end = at; end < size && data[end] != '~';)
            end++;
        one(&e, (struct amp_text){ (const char *)data + at, (uint32_t)(end - at) });
    }
    return 0;
}
