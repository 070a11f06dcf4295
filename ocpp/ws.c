/* ocpp/ws.c - WebSocket framing. RFC 6455 §5 and §7.4; station-1.6 11 and 12.
 * Reading never looks ahead of what it needs: the verdict on a frame depends on its bytes alone,
 * not on how the socket cut them. */
#include "ocpp/ws.h"

struct head {
    uint64_t len; /* payload */
    uint8_t size; /* bytes of the header; while it is incomplete, what is needed to go on */
    uint8_t opcode;
    bool fin;
    const uint8_t *key; /* NULL: not masked */
};

void amp_ws_init(struct amp_ws *ws, enum amp_ws_role role, uint32_t max)
{
    /* The cut keeps "joined + header + payload" inside size_t where that has 32 bits. */
    *ws = (struct amp_ws){ .role = (uint8_t)role, .max = max < INT32_MAX ? max : INT32_MAX };
}

/* XOR with the key while moving to `to`, which may overlap from the left: each step reads before it
 * writes. The key, just in front of a payload, may be among what is overwritten. */
static void unmask(uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4])
{
    uint8_t twice[8];
    uint64_t whole, words[4];
    size_t i = 0;

    memcpy(twice, key, 4);
    memcpy(twice + 4, key, 4);
    memcpy(&whole, twice, 8);
    for (; n - i >= 32;
         i += 32) { /* four at once: the loop itself would cost as much as its work */
        memcpy(words, from + i, 32);
        words[0] ^= whole;
        words[1] ^= whole;
        words[2] ^= whole;
        words[3] ^= whole;
        memcpy(to + i, words, 32);
    }
    for (; n - i >= 8; i += 8) {
        memcpy(words, from + i, 8);
        words[0] ^= whole;
        memcpy(to + i, words, 8);
    }
    for (; i < n; i++)
        to[i] = from[i] ^ twice[i & 3];
}

static void take(uint8_t *to, const uint8_t *from, const struct head *h)
{
    if (h->key)
        unmask(to, from, (size_t)h->len, h->key);
    else if (to != from)
        memmove(to, from, (size_t)h->len);
}

static uint64_t big_endian(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    while (n--)
        v = v << 8 | *p++;
    return v;
}

/* §5.2, first byte: what the frame is, and whether it may stand here. */
static const char *judge_first(const struct amp_ws *ws, uint8_t byte)
{
    uint8_t opcode = byte & 15;

    if (byte & 0x70)
        return "reserved bit without an extension";
    if (opcode >= 8) {
        if (opcode > AMP_WS_PONG)
            return "reserved control opcode";
        return byte & 0x80 ? NULL : "fragmented control frame";
    }
    if (opcode > AMP_WS_BINARY)
        return "reserved opcode";
    if (opcode == AMP_WS_CONT)
        return ws->opcode ? NULL : "continuation of nothing";
    return ws->opcode ? "new message inside a fragmented one" : NULL;
}

/* Second byte: mask and short length. */
static const char *judge_second(const struct amp_ws *ws, uint8_t opcode, uint8_t byte)
{
    if (ws->role == AMP_WS_SERVER && !(byte & 0x80))
        return "frame of a client without mask";
    if (ws->role == AMP_WS_CLIENT && byte & 0x80)
        return "frame of a server with mask";
    if (opcode >= 8 && (byte & 127) > AMP_WS_CONTROL_MAX)
        return "control frame longer than 125 bytes";
    return NULL;
}

/* Extended length: 2 or 8 bytes, and the shortest form that holds it. */
static const char *judge_length(const struct head *h, size_t extra)
{
    if (h->len >> 63)
        return "length with the top bit set";
    if (h->len < (extra == 2 ? 126 : 65536))
        return "length not in its shortest form";
    return NULL;
}

/* Read the header at p[0..n). 1: complete, 0: h->size bytes are needed, -1: *why, *code. */
static int read_head(const struct amp_ws *ws, const uint8_t *p, size_t n, struct head *h,
                     const char **why, int *code)
{
    size_t extra;

    *code = AMP_WS_BROKEN;
    h->size = 2;
    if (n == 0)
        return 0;
    if ((*why = judge_first(ws, p[0])))
        return -1;
    if (n == 1)
        return 0;
    h->fin = p[0] >> 7;
    h->opcode = p[0] & 15;
    if ((*why = judge_second(ws, h->opcode, p[1])))
        return -1;
    h->len = p[1] & 127;
    extra = h->len < 126 ? 0 : h->len == 126 ? 2 : 8;
    h->size = (uint8_t)(2 + extra);
    if (extra) {
        if (n < h->size)
            return 0;
        h->len = big_endian(p + 2, extra);
        if ((*why = judge_length(h, extra)))
            return -1;
    }
    if (h->opcode < 8 && h->len > ws->max - ws->joined) {
        *why = "message longer than the limit";
        *code = AMP_WS_TOO_BIG;
        return -1;
    }
    h->key = NULL;
    if (p[1] & 0x80) {
        h->key = p + h->size;
        h->size = (uint8_t)(h->size + 4);
    }
    return n >= h->size;
}

static void fail(struct amp_ws *ws, int code, const char *why, struct amp_ws_event *ev)
{
    ws->failed = true;
    *ev = (struct amp_ws_event){ .kind = AMP_WS_FAILED, .code = code, .why = why };
}

/* §7.4: may this code stand on the wire? */
static bool code_ok(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1011) ||
           (code >= 3000 && code <= 4999);
}

static void closed(struct amp_ws *ws, uint8_t *data, size_t len, struct amp_ws_event *ev)
{
    int code = AMP_WS_NO_CODE;

    if (len == 1) {
        fail(ws, AMP_WS_BROKEN, "close frame with half a code", ev);
        return;
    }
    if (len) {
        code = (int)big_endian(data, 2);
        if (!code_ok(code)) {
            fail(ws, AMP_WS_BROKEN, "close code that must not be sent", ev);
            return;
        }
        data += 2;
        len -= 2;
        if (!amp_text_utf8((struct amp_text){ (const char *)data, (uint32_t)len })) {
            fail(ws, AMP_WS_NOT_UTF8, "close reason is not UTF-8", ev);
            return;
        }
    }
    ws->close_seen = true;
    *ev = (struct amp_ws_event){ .kind = AMP_WS_CLOSED, .data = data, .len = len, .code = code };
}

static void control(struct amp_ws *ws, const struct head *h, uint8_t *data, struct amp_ws_event *ev)
{
    if (h->opcode == AMP_WS_CLOSE) {
        closed(ws, data, (size_t)h->len, ev);
        return;
    }
    *ev = (struct amp_ws_event){ .kind = h->opcode == AMP_WS_PING ? AMP_WS_PINGED : AMP_WS_PONGED,
                                 .data = data,
                                 .len = (size_t)h->len };
}

void amp_ws_pause(const struct amp_ws *ws, uint8_t *buf, size_t *len, size_t *done)
{
    size_t rest = *len - ws->joined - *done;

    if (*done && rest)
        memmove(buf + ws->joined, buf + ws->joined + *done, rest);
    *len = ws->joined + rest;
    *done = 0;
}

/* The buffer has no further event: close the gap, so that the caller may append. */
static void more(const struct amp_ws *ws, uint8_t *buf, size_t *len, size_t *done, size_t frame,
                 struct amp_ws_event *ev)
{
    amp_ws_pause(ws, buf, len, done);
    *ev = (struct amp_ws_event){ .kind = AMP_WS_MORE, .need = *len ? ws->joined + frame : 0 };
}

/* A frame that is whole in itself stays where it is. */
static void whole(struct amp_ws *ws, const struct head *h, uint8_t *data, size_t *done,
                  struct amp_ws_event *ev)
{
    size_t len = (size_t)h->len;

    take(data, data, h);
    *done += h->size + len;
    if (h->opcode >= 8)
        control(ws, h, data, ev);
    else
        *ev = (struct amp_ws_event){
            .kind = AMP_WS_MESSAGE, .opcode = h->opcode, .data = data, .len = len
        };
}

/* A fragment moves up to those before it. True when it was the last one. */
static bool join(struct amp_ws *ws, const struct head *h, uint8_t *buf, uint8_t *data, size_t *done,
                 struct amp_ws_event *ev)
{
    take(buf + ws->joined, data, h);
    ws->joined += (uint32_t)h->len;
    *done += h->size;
    if (h->opcode != AMP_WS_CONT)
        ws->opcode = h->opcode;
    if (!h->fin)
        return false;
    *ev = (struct amp_ws_event){
        .kind = AMP_WS_MESSAGE, .opcode = ws->opcode, .data = buf, .len = ws->joined
    };
    *done += ws->joined;
    ws->joined = 0;
    ws->opcode = 0;
    return true;
}

void amp_ws_next(struct amp_ws *ws, uint8_t *buf, size_t *len, size_t *done,
                 struct amp_ws_event *ev)
{
    if (ws->close_seen || ws->failed) {
        ws->joined = 0;
        *len = *done = 0;
    }
    for (;;) {
        uint8_t *frame = buf + ws->joined + *done;
        size_t have = *len - ws->joined - *done;
        struct head h;
        const char *why;
        int code, rc = read_head(ws, frame, have, &h, &why, &code);

        if (rc < 0) {
            fail(ws, code, why, ev);
            return;
        }
        if (rc == 0 || have - h.size < h.len) {
            more(ws, buf, len, done, h.size + (rc ? (size_t)h.len : 0), ev);
            return;
        }
        if (h.opcode >= 8 || (h.fin && h.opcode != AMP_WS_CONT)) {
            whole(ws, &h, frame + h.size, done, ev);
            return;
        }
        if (join(ws, &h, buf, frame + h.size, done, ev))
            return;
    }
}

size_t amp_ws_head(uint8_t head[AMP_WS_HEAD_MAX], enum amp_ws_opcode op, size_t len)
{
    size_t extra = len < 126 ? 0 : len < 65536 ? 2 : 8;

    head[0] = (uint8_t)(0x80 | op);
    head[1] = (uint8_t)(extra == 0 ? len : extra == 2 ? 126 : 127);
    for (size_t i = 0; i < extra; i++)
        head[2 + i] = (uint8_t)((uint64_t)len >> 8 * (extra - 1 - i));
    return 2 + extra;
}

void amp_ws_write(struct amp_ws *ws, struct amp_buf *out, enum amp_ws_opcode op, const void *data,
                  size_t len, uint32_t mask)
{
    uint8_t head[AMP_WS_HEAD_MAX];
    size_t size = amp_ws_head(head, op, len);
    uint8_t *to;

    if (ws->close_sent)
        return;
    if (op >= AMP_WS_CLOSE && len > AMP_WS_CONTROL_MAX) {
        out->full = true;
        return;
    }
    if (ws->role == AMP_WS_CLIENT) {
        head[1] |= 0x80;
        for (int i = 0; i < 4; i++)
            head[size++] = (uint8_t)(mask >> (24 - 8 * i));
    }
    to = (uint8_t *)amp_buf_room(out, size + len);
    if (!to)
        return;
    memcpy(to, head, size);
    if (ws->role == AMP_WS_CLIENT)
        unmask(to + size, data, len, head + size - 4);
    else if (len)
        memcpy(to + size, data, len);
    out->len += size + len;
    ws->close_sent = op == AMP_WS_CLOSE;
}

void amp_ws_write_close(struct amp_ws *ws, struct amp_buf *out, int code, const char *reason,
                        uint32_t mask)
{
    char payload[AMP_WS_CONTROL_MAX];
    size_t len = reason ? strlen(reason) : 0;

    if (!code_ok(code)) {
        amp_ws_write(ws, out, AMP_WS_CLOSE, NULL, 0, mask);
        return;
    }
    if (len > sizeof(payload) - 2) {
        len = sizeof(payload) - 2;
        while (len && ((unsigned char)reason[len] & 0xC0) == 0x80)
            len--;
    }
    payload[0] = (char)(code >> 8);
    payload[1] = (char)(code & 255);
    if (len)
        memcpy(payload + 2, reason, len);
    amp_ws_write(ws, out, AMP_WS_CLOSE, payload, len + 2, mask);
}
