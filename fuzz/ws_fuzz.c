/* WebSocket framing: whatever comes, however it is cut, the same events come out, inside the
 * buffer; and what one role writes the other reads. First byte: role and limit; second: how the
 * rest is cut. */
#include "ocpp/ws.h"

#include <stdlib.h>

#define MUST(cond)   \
    do {             \
        if (!(cond)) \
            abort(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A message that came out is written by the other role and must come out again. */
static void echo(enum amp_ws_role role, const struct amp_ws_event *ev)
{
    size_t cap = ev->len + AMP_WS_HEAD_MAX, done = 0, len;
    char *block = malloc(cap);
    struct amp_ws from, to;
    struct amp_ws_event back;
    struct amp_buf out;

    amp_buf_init(&out, block, cap);
    amp_ws_init(&from, role == AMP_WS_SERVER ? AMP_WS_CLIENT : AMP_WS_SERVER, UINT32_MAX);
    amp_ws_init(&to, role, UINT32_MAX);
    amp_ws_write(&from, &out, (enum amp_ws_opcode)ev->opcode, ev->data, ev->len,
                 (uint32_t)ev->len * 2654435761u);
    MUST(!out.full);
    len = out.len;
    amp_ws_next(&to, (uint8_t *)block, &len, &done, &back);
    MUST(back.kind == AMP_WS_MESSAGE && back.opcode == ev->opcode && back.len == ev->len);
    MUST(ev->len == 0 || memcmp(back.data, ev->data, ev->len) == 0);
    free(block);
}

static uint64_t mix(uint64_t sum, const void *data, size_t len)
{
    const unsigned char *p = data;

    while (len--)
        sum = (sum ^ *p++) * 1099511628211u;
    return sum;
}

static uint64_t add(uint64_t sum, const struct amp_ws_event *ev)
{
    uint64_t facts[4] = { (uint64_t)ev->kind, ev->opcode, (uint64_t)ev->code, ev->len };

    sum = mix(sum, facts, sizeof(facts));
    return mix(sum, ev->data, ev->len);
}

/* Feed in pieces of `step` bytes into memory that is never larger than what was given; the digest
 * of all events. */
static uint64_t feed(enum amp_ws_role role, uint32_t max, const uint8_t *data, size_t size,
                     size_t step)
{
    struct amp_ws ws;
    uint8_t *buf = NULL;
    size_t len = 0, done = 0;
    uint64_t sum = 14695981039346656037u;

    amp_ws_init(&ws, role, max);
    for (size_t at = 0; at < size;) {
        size_t n = step < size - at ? step : size - at;
        struct amp_ws_event ev;

        buf = realloc(buf, len + n);
        memcpy(buf + len, data + at, n);
        len += n;
        at += n;
        for (;;) {
            amp_ws_next(&ws, buf, &len, &done, &ev);
            if (ev.kind == AMP_WS_MORE)
                break;
            MUST(ev.len == 0 || (ev.data >= buf && ev.data + ev.len <= buf + len));
            MUST(ev.kind != AMP_WS_MESSAGE || ev.len <= max);
            sum = add(sum, &ev);
            if (ev.kind == AMP_WS_MESSAGE)
                echo(role, &ev);
        }
        MUST(done == 0 && ws.joined <= len && ws.joined <= max);
        MUST(len ? ev.need > len && ev.need <= ws.joined + AMP_WS_HEAD_MAX + (size_t)max + 125
                 : ev.need == 0);
    }
    free(buf);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum amp_ws_role role;
    uint32_t max;
    uint64_t whole;

    if (size < 2)
        return 0;
    role = data[0] & 1 ? AMP_WS_CLIENT : AMP_WS_SERVER;
    max = data[0] & 2 ? 65536 : 1 + (data[0] >> 2);
    whole = feed(role, max, data + 2, size - 2, size);
    MUST(feed(role, max, data + 2, size - 2, 1 + data[1]) == whole);
    MUST(feed(role, max, data + 2, size - 2, 1) == whole);
    return 0;
}
