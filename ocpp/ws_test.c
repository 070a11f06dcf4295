/* Framing against a list of cases in the order of the Autobahn test suite's sections. Every case
 * runs in both roles and with the bytes cut in every way: all at once, one by one, in two at each
 * place, in odd pieces. */
#include "ocpp/check.h"
#include "ocpp/ws.h"

#include <stdlib.h>

enum {
    FILL = 1,      /* the payload is `len` bytes of a pattern that goes on across fragments */
    LEN16 = 2,     /* length written in 2 bytes, needed or not */
    LEN64 = 4,     /* in 8 bytes */
    TOP = 8,       /* with the top bit */
    ODD_MASK = 16, /* masked by a server, not masked by a client */
    RAW = 32,      /* no header at all */
    NO_BODY = 64   /* only the header: the verdict must not wait for the payload */
};

struct part {
    uint8_t first;
    const char *data;
    uint32_t len;
    int how;
};

/* clang-format off */
#define P(first, text)         { first, text, sizeof(text) - 1, 0 }
#define PX(first, text, how)   { first, text, sizeof(text) - 1, how }
#define N(first, len, how)     { first, "", len, FILL | (how) }
#define CLOSE(high, low, text) { 0x88, "" high low text, sizeof(high low text) - 1, 0 }
/* clang-format on */

#define LIMIT 100000u
#define MASK  0x37FA213Du

enum {
    TXT = 0x81,
    BIN = 0x82,
    TXT_ = 0x01,
    BIN_ = 0x02,
    CONT = 0x80,
    CONT_ = 0x00,
    PING = 0x89,
    PONG = 0x8A
};

/* clang-format off */
static const struct {
    const char *why;
    struct part in[8];
    const char *out;
} cases[] = {
    /* 1 framing */
    { "text", { P(TXT, "Hello") }, "text(Hello)" },
    { "empty text is handed up (edge case 52)", { P(TXT, "") }, "text()" },
    { "binary is handed up, the caller refuses it", { P(BIN, "\x00\xFF") }, "binary(\\x00\\xFF)" },
    { "125 bytes, short length", { N(TXT, 125, 0) }, "text(#125)" },
    { "126 bytes, 16 bit length", { N(TXT, 126, 0) }, "text(#126)" },
    { "127 bytes", { N(TXT, 127, 0) }, "text(#127)" },
    { "300 bytes", { N(BIN, 300, 0) }, "binary(#300)" },
    { "65535 bytes, the last of 16 bits", { N(TXT, 65535, 0) }, "text(#65535)" },
    { "65536 bytes, 64 bit length", { N(TXT, 65536, 0) }, "text(#65536)" },
    { "several messages in one read",
      { P(TXT, "a"), P(TXT, ""), P(BIN, "c") },
      "text(a) text() binary(c)" },
    { "multi-line JSON is one message",
      { P(TXT, "[2,\n\"1\",\r\n\"Heartbeat\",{}]") },
      "text([2,\\x0A\"1\",\\x0D\\x0A\"Heartbeat\",{}])" },
    { "125 bytes in 16 bits", { N(TXT, 125, LEN16) }, "fail(1002)" },
    { "0 bytes in 16 bits", { N(TXT, 0, LEN16 | NO_BODY) }, "fail(1002)" },
    { "5 bytes in 64 bits", { PX(TXT, "Hello", LEN64) }, "fail(1002)" },
    { "65535 bytes in 64 bits", { N(TXT, 65535, LEN64 | NO_BODY) }, "fail(1002)" },
    { "64 bit length with the top bit", { N(TXT, 5, LEN64 | TOP | NO_BODY) }, "fail(1002)" },
    { "wrong masking", { PX(TXT, "Hello", ODD_MASK) }, "fail(1002)" },
    { "wrong masking of the second frame",
      { P(TXT, "a"), PX(TXT, "b", ODD_MASK) },
      "text(a) fail(1002)" },
    { "wrong masking of a ping", { PX(PING, "", ODD_MASK) }, "fail(1002)" },
    { "wrong masking of a close frame", { PX(0x88, "\x03\xE8", ODD_MASK) }, "fail(1002)" },
    { "an answer in HTTP", { PX(0, "HTTP/1.1 400 Bad Request\r\n\r\n", RAW) }, "fail(1002)" },
    { "modem noise (edge case 53)", { PX(0, "\r\nNO CARRIER\r\n", RAW) }, "fail(1002)" },

    /* 2 pings and pongs */
    { "ping without payload", { P(PING, "") }, "ping()" },
    { "ping with payload", { P(PING, "\x00\x01\xFE") }, "ping(\\x00\\x01\\xFE)" },
    { "ping of 125 bytes", { N(PING, 125, 0) }, "ping(#125)" },
    { "ping of 126 bytes", { N(PING, 126, NO_BODY) }, "fail(1002)" },
    { "ping of 65536 bytes", { N(PING, 65536, NO_BODY) }, "fail(1002)" },
    { "pong that nobody asked for", { P(PONG, "x"), P(PING, "y") }, "pong(x) ping(y)" },
    { "pong of 126 bytes", { N(PONG, 126, NO_BODY) }, "fail(1002)" },
    { "many pings",
      { P(PING, "1"), P(PING, "2"), P(PING, "3"), P(PING, "4"), P(PING, "5") },
      "ping(1) ping(2) ping(3) ping(4) ping(5)" },

    /* 3 reserved bits */
    { "RSV3", { P(0x91, "a") }, "fail(1002)" },
    { "RSV2 behind a message", { P(TXT, "a"), P(0xA1, "b") }, "text(a) fail(1002)" },
    { "RSV1, as compression sets it", { P(0xC1, "a") }, "fail(1002)" },
    { "all of them", { P(0xF1, "a") }, "fail(1002)" },
    { "on a ping", { P(0xC9, "a") }, "fail(1002)" },
    { "on a close frame", { P(0x98, "\x03\xE8") }, "fail(1002)" },
    { "on a continuation", { P(TXT_, "a"), P(0xC0, "b") }, "fail(1002)" },

    /* 4 opcodes */
    { "reserved opcode 3", { P(0x83, "a") }, "fail(1002)" },
    { "reserved opcode 7", { P(0x87, "") }, "fail(1002)" },
    { "reserved opcode 5 behind a message",
      { P(TXT, "a"), P(0x85, "b"), P(PING, "") },
      "text(a) fail(1002)" },
    { "reserved control opcode 11", { P(0x8B, "") }, "fail(1002)" },
    { "reserved control opcode 15", { P(0x8F, "a") }, "fail(1002)" },

    /* 5 fragments */
    { "two", { P(TXT_, "Hel"), P(CONT, "lo") }, "text(Hello)" },
    { "binary in two", { P(BIN_, "Hel"), P(CONT, "lo") }, "binary(Hello)" },
    { "five, some empty",
      { P(TXT_, ""), P(CONT_, "He"), P(CONT_, ""), P(CONT_, "llo"), P(CONT, "") },
      "text(Hello)" },
    { "all of them empty", { P(TXT_, ""), P(CONT_, ""), P(CONT, "") }, "text()" },
    { "ping in between", { P(TXT_, "Hel"), P(PING, "?"), P(CONT, "lo") }, "ping(?) text(Hello)" },
    { "pings and pongs in between",
      { P(TXT_, "H"), P(PING, "1"), P(CONT_, "ell"), P(PONG, "2"), P(PING, "3"), P(CONT, "o") },
      "ping(1) pong(2) ping(3) text(Hello)" },
    { "messages in front and behind",
      { P(TXT, "a"), P(TXT_, "b"), P(CONT_, "c"), P(CONT, "d"), P(TXT, "e") },
      "text(a) text(bcd) text(e)" },
    { "two fragmented messages",
      { P(TXT_, "a"), P(CONT, "b"), P(BIN_, "c"), P(PING, ""), P(CONT, "d") },
      "text(ab) ping() binary(cd)" },
    { "large ones, odd sizes",
      { N(TXT_, 1001, 0), N(CONT_, 3, 0), P(PING, "x"), N(CONT_, 30007, 0), N(CONT, 129, 0) },
      "ping(x) text(#31140)" },
    { "a character cut by a fragment", { P(TXT_, "\xC3"), P(CONT, "\xA4") }, "text(\\xC3\\xA4)" },
    { "fragmented ping", { P(0x09, "a"), P(CONT, "b") }, "fail(1002)" },
    { "fragmented pong", { P(0x0A, "a"), P(CONT, "b") }, "fail(1002)" },
    { "fragmented close", { P(0x08, "\x03\xE8"), P(CONT, "") }, "fail(1002)" },
    { "continuation of nothing", { P(CONT, "a") }, "fail(1002)" },
    { "open continuation of nothing", { P(CONT_, "a"), P(TXT, "b") }, "fail(1002)" },
    { "continuation behind a message", { P(TXT, "a"), P(CONT, "b") }, "text(a) fail(1002)" },
    { "continuation behind a fragmented message",
      { P(TXT_, "a"), P(CONT, "b"), P(CONT, "c") },
      "text(ab) fail(1002)" },
    { "new text inside", { P(TXT_, "a"), P(TXT, "b") }, "fail(1002)" },
    { "new binary inside", { P(TXT_, "a"), P(CONT_, "b"), P(BIN_, "c") }, "fail(1002)" },

    /* 6 UTF-8 is the decoder's business: bytes pass as they are */
    { "broken UTF-8 in a message", { P(TXT, "\xED\xA0\x80") }, "text(\\xED\\xA0\\x80)" },

    /* 7 close */
    { "without code", { P(0x88, "") }, "close(1005)" },
    { "with code", { CLOSE("\x03", "\xE8", "") }, "close(1000)" },
    { "with reason", { CLOSE("\x03", "\xE9", "gone \xC3\xA4") }, "close(1001 gone \\xC3\\xA4)" },
    { "with the longest reason",
      { CLOSE("\x03", "\xE8",
              "123456789a123456789b123456789c123456789d123456789e123456789f123456789g123456789h1234"
              "56789i"
              "123456789j123456789k123456789l123") },
      "close(1000 "
      "123456789a123456789b123456789c123456789d123456789e123456789f123456789g123456789h123456789i"
      "123456789j123456789k123456789l123)" },
    { "of 126 bytes", { N(0x88, 126, NO_BODY) }, "fail(1002)" },
    { "half a code", { P(0x88, "\x03") }, "fail(1002)" },
    { "reason with broken UTF-8", { CLOSE("\x03", "\xE8", "\xC3") }, "fail(1007)" },
    { "reason with a surrogate", { CLOSE("\x03", "\xE8", "a\xED\xA0\x80") }, "fail(1007)" },
    { "a message behind it", { CLOSE("\x03", "\xE8", ""), P(TXT, "late") }, "close(1000)" },
    { "a ping behind it", { CLOSE("\x03", "\xE8", ""), P(PING, "") }, "close(1000)" },
    { "nonsense behind it",
      { CLOSE("\x03", "\xE8", ""), PX(0, "\xFF\xFF\xFF", RAW) },
      "close(1000)" },
    { "a second one", { CLOSE("\x03", "\xE8", ""), CLOSE("\x03", "\xE9", "") }, "close(1000)" },
    { "behind a message", { P(TXT, "a"), CLOSE("\x0F", "\xA0", "") }, "text(a) close(4000)" },
    { "inside a fragmented message",
      { P(TXT_, "a"), CLOSE("\x03", "\xE8", ""), P(CONT, "b") },
      "close(1000)" },
    { "nothing is read behind a failure",
      { P(0x83, ""), P(TXT, "a"), CLOSE("\x03", "\xE8", "") },
      "fail(1002)" },

    /* 9 limits: LIMIT bytes a message, however many fragments; the header is enough to refuse */
    { "message of the largest size", { N(TXT, LIMIT, 0) }, "text(#100000)" },
    { "one byte more", { N(TXT, LIMIT + 1, NO_BODY) }, "fail(1009)" },
    { "far more", { N(TXT, 0xFFFFFFFF, NO_BODY | LEN64) }, "fail(1009)" },
    { "fragments of the largest size",
      { N(TXT_, LIMIT - 1, 0), N(CONT_, 1, 0), N(CONT, 0, 0) },
      "text(#100000)" },
    { "fragments of one byte more",
      { N(TXT_, LIMIT - 1, 0), N(CONT_, 1, 0), N(CONT, 1, NO_BODY) },
      "fail(1009)" },
    { "a ping beside the largest size",
      { N(TXT_, LIMIT, 0), P(PING, "p"), N(CONT, 0, 0) },
      "ping(p) text(#100000)" },
    { "the limit counts anew",
      { N(TXT_, 60000, 0), N(CONT, 40000, 0), N(TXT_, 60000, 0), N(CONT, 40000, 0) },
      "text(#100000) text(#100000)" },
};
/* clang-format on */

/* The bytes of a case as the peer of `role` sends them. */
struct wire {
    uint8_t *at;
    size_t len, cap;
};

static char pattern(size_t i)
{
    return (char)('a' + i % 23);
}

static void put(struct wire *w, const void *data, size_t len)
{
    if (w->cap - w->len < len) {
        w->cap = 2 * w->cap + len;
        w->at = realloc(w->at, w->cap);
    }
    memcpy(w->at + w->len, data, len);
    w->len += len;
}

static size_t head_of(const struct part *p, uint8_t head[10])
{
    size_t extra = p->how & LEN64   ? 8
                   : p->how & LEN16 ? 2
                   : p->len < 126   ? 0
                   : p->len < 65536 ? 2
                                    : 8;

    head[0] = p->first;
    head[1] = (uint8_t)(extra == 0 ? p->len : extra == 2 ? 126 : 127);
    for (size_t i = 0; i < extra; i++)
        head[2 + i] = (uint8_t)((uint64_t)p->len >> 8 * (extra - 1 - i));
    if (p->how & TOP)
        head[2] |= 0x80;
    return 2 + extra;
}

static struct wire wire_of(const struct part *parts, enum amp_ws_role role)
{
    struct wire w = { NULL, 0, 0 };
    size_t offset = 0; /* of the pattern, inside the message */

    for (; parts->data; parts++) {
        static const uint8_t key[4] = { MASK >> 24, MASK >> 16 & 255, MASK >> 8 & 255, MASK & 255 };
        bool masked = (role == AMP_WS_SERVER) != !!(parts->how & ODD_MASK);
        uint8_t head[10];
        size_t n = head_of(parts, head);

        if (parts->how & RAW) {
            put(&w, parts->data, parts->len);
            continue;
        }
        head[1] = (uint8_t)(head[1] | (masked ? 0x80 : 0));
        put(&w, head, n);
        if (parts->how & NO_BODY)
            continue;
        if (masked)
            put(&w, key, 4);
        if ((parts->first & 15) != 0)
            offset = (parts->first & 15) < 8 ? 0 : offset;
        for (uint32_t i = 0; i < parts->len; i++) {
            bool data = (parts->first & 15) < 8;
            char c = parts->how & FILL ? pattern(data ? offset + i : i) : parts->data[i];

            c = (char)(masked ? c ^ key[i % 4] : c);
            put(&w, &c, 1);
        }
        offset += (parts->first & 15) < 8 ? parts->len : 0;
    }
    return w;
}

/* What came out, as text. */
struct story {
    char text[2048];
    size_t len;
};

static void tell(struct story *s, const char *fmt, int v)
{
    s->len += (size_t)snprintf(s->text + s->len, sizeof(s->text) - s->len, fmt, v);
}

static void tell_bytes(struct story *s, const uint8_t *at, size_t len)
{
    size_t same = 0;

    while (same < len && at[same] == (uint8_t)pattern(same))
        same++;
    if (len > 124 && same == len) {
        tell(s, "#%d", (int)len);
        return;
    }
    for (size_t i = 0; i < len && s->len < sizeof(s->text) - 8; i++)
        tell(s, at[i] < ' ' || at[i] > 126 ? "\\x%02X" : "%c", at[i]);
}

static void tell_event(struct story *s, const struct amp_ws_event *ev)
{
    static const char *const names[] = { "?", "text", "ping", "pong", "close", "fail" };

    tell(s, s->len ? " " : "", 0);
    s->len += (size_t)snprintf(s->text + s->len, sizeof(s->text) - s->len, "%s(",
                               ev->kind == AMP_WS_MESSAGE && ev->opcode == AMP_WS_BINARY
                                   ? "binary"
                                   : names[ev->kind]);
    if (ev->code)
        tell(s, ev->kind == AMP_WS_CLOSED && ev->len ? "%d " : "%d", ev->code);
    tell_bytes(s, ev->data, ev->len);
    tell(s, ")", 0);
}

/* A receiver whose buffer has exactly the size that it needs now, so that a sanitizer sees one byte
 * too many. */
struct receiver {
    struct amp_ws ws;
    uint8_t *buf;
    size_t len, done, cap, need;
    struct story story;
};

static void room(struct receiver *r, size_t cap)
{
    uint8_t *buf;

    if (cap == r->cap)
        return;
    buf = malloc(cap + (cap == 0));
    memcpy(buf, r->buf, r->len);
    free(r->buf);
    r->buf = buf;
    r->cap = cap;
}

static void receive(struct receiver *r, const uint8_t *data, size_t n, const char *why)
{
    struct amp_ws_event ev;

    room(r, r->len + n > r->need || r->need > 2 * LIMIT ? r->len + n : r->need);
    memcpy(r->buf + r->len, data, n);
    r->len += n;
    for (;;) {
        size_t before = r->len;

        amp_ws_next(&r->ws, r->buf, &r->len, &r->done, &ev);
        if (ev.kind == AMP_WS_MORE)
            break;
        CHECK(before >= r->need || ev.kind == AMP_WS_FAILED, "%s: %zu bytes, had asked for %zu",
              why, before, r->need);
        CHECK(ev.len == 0 || (ev.data >= r->buf && ev.data + ev.len <= r->buf + r->len),
              "%s: outside", why);
        CHECK(ev.kind != AMP_WS_FAILED || ev.why, "%s: no reason", why);
        tell_event(&r->story, &ev);
        r->need = 0;
    }
    r->need = ev.need;
    CHECK(r->done == 0, "%s: done is %zu", why, r->done);
    CHECK(r->len ? ev.need > r->len : ev.need == 0, "%s: %zu held, %zu needed", why, r->len,
          ev.need);
}

static void run(const struct wire *w, enum amp_ws_role role, size_t first, size_t step,
                const char *why, const char *expect)
{
    struct receiver r = { .len = 0 };

    amp_ws_init(&r.ws, role, LIMIT);
    r.buf = malloc(1);
    for (size_t at = 0; at < w->len;) {
        size_t n = at ? step : first;

        if (step == 0) /* odd pieces */
            n = 1 + (at * 2654435761u >> 7) % 97;
        n = n < w->len - at ? n : w->len - at;
        receive(&r, w->at + at, n, why);
        at += n;
    }
    CHECK(!strcmp(r.story.text, expect), "%s (%s, cut %zu %zu): %.200s instead of %s", why,
          role == AMP_WS_SERVER ? "server" : "client", first, step, r.story.text, expect);
    free(r.buf);
}

static void test_cases(void)
{
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        for (int role = AMP_WS_SERVER; role <= AMP_WS_CLIENT; role++) {
            struct wire w = wire_of(cases[i].in, (enum amp_ws_role)role);

            run(&w, (enum amp_ws_role)role, w.len, w.len, cases[i].why, cases[i].out);
            run(&w, (enum amp_ws_role)role, 1, 1, cases[i].why, cases[i].out);
            run(&w, (enum amp_ws_role)role, 1, 0, cases[i].why, cases[i].out);
            for (size_t cut = 1; cut < w.len; cut += cut < 30 || w.len < 1000 ? 1 : 9973)
                run(&w, (enum amp_ws_role)role, cut, w.len, cases[i].why, cases[i].out);
            free(w.at);
        }
    }
}

/* All close codes of the 16 bits, read and written. */
static void test_close_codes(void)
{
    for (unsigned code = 0; code < 65536; code++) {
        bool legal = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1011) ||
                     (code >= 3000 && code <= 4999);
        uint8_t frame[4] = { 0x88, 2, (uint8_t)(code >> 8), (uint8_t)code };
        char block[64];
        size_t len = sizeof(frame), done = 0;
        struct amp_ws ws;
        struct amp_ws_event ev;
        struct amp_buf out;

        amp_ws_init(&ws, AMP_WS_CLIENT, LIMIT);
        amp_ws_next(&ws, frame, &len, &done, &ev);
        CHECK(ev.kind == (legal ? AMP_WS_CLOSED : AMP_WS_FAILED), "%u", code);
        CHECK(ev.code == (legal ? (int)code : 1002), "%u gave %d", code, ev.code);

        amp_ws_init(&ws, AMP_WS_SERVER, LIMIT);
        amp_buf_init(&out, block, sizeof(block));
        amp_ws_write_close(&ws, &out, (int)code, "why", 0);
        CHECK(out.len == (legal ? 7u : 2u) && ws.close_sent, "%u wrote %zu", code, out.len);
    }
}

/* 10,000 small messages in one buffer: each stays where it came, only the rest moves, once. */
static void test_no_moves(void)
{
    enum { COUNT = 10000, FRAME = 2 + 4 + 8, PART = 5 };
    size_t len = COUNT * FRAME + PART, done = 0;
    uint8_t *buf = malloc(len);
    struct amp_ws ws;
    struct amp_ws_event ev;

    for (size_t i = 0; i < COUNT; i++)
        memcpy(buf + i * FRAME, "\x81\x88\x01\x02\x03\x04\x60\x60\x60\x60\x60\x60\x60\x60", FRAME);
    memcpy(buf + COUNT * FRAME, "\x81\x88\x01\x02\x03", PART);
    amp_ws_init(&ws, AMP_WS_SERVER, LIMIT);
    for (size_t i = 0; i < COUNT; i++) {
        amp_ws_next(&ws, buf, &len, &done, &ev);
        CHECK(ev.kind == AMP_WS_MESSAGE && ev.data == buf + i * FRAME + 6, "message %zu", i);
        CHECK(!memcmp(ev.data, "\x61\x62\x63\x64\x61\x62\x63\x64", 8), "%zu", i);
    }
    amp_ws_next(&ws, buf, &len, &done, &ev);
    CHECK(ev.kind == AMP_WS_MORE && len == PART && done == 0, "left %zu", len);
    CHECK(!memcmp(buf, "\x81\x88\x01\x02\x03", PART) && ev.need == 6, "need %zu", ev.need);
    free(buf);
}

/* What one role writes the other reads, at every size where the header changes. */
static void test_write(void)
{
    static const size_t sizes[] = { 0, 1, 7, 8, 9, 125, 126, 127, 300, 65535, 65536, 70001 };
    static char block[70100], payload[70001];

    for (size_t i = 0; i < sizeof(payload); i++)
        payload[i] = pattern(i);
    for (size_t i = 0; i < AMP_COUNT(sizes); i++) {
        for (int role = AMP_WS_SERVER; role <= AMP_WS_CLIENT; role++) {
            struct amp_ws from, to;
            struct amp_ws_event ev;
            struct amp_buf out;
            size_t done = 0;

            amp_ws_init(&from, (enum amp_ws_role)role, LIMIT);
            amp_ws_init(&to, (enum amp_ws_role) !role, LIMIT);
            amp_buf_init(&out, block, sizeof(block));
            amp_ws_write(&from, &out, AMP_WS_TEXT, payload, sizes[i],
                         role == AMP_WS_CLIENT ? MASK : 0);
            amp_ws_next(&to, (uint8_t *)out.at, &out.len, &done, &ev);
            CHECK(ev.kind == AMP_WS_MESSAGE && ev.opcode == AMP_WS_TEXT && ev.len == sizes[i],
                  "%zu", sizes[i]);
            CHECK(!memcmp(ev.data, payload, sizes[i]), "%zu", sizes[i]);
            amp_ws_next(&to, (uint8_t *)out.at, &out.len, &done, &ev);
            CHECK(ev.kind == AMP_WS_MORE && out.len == 0, "%zu", sizes[i]);
        }
    }
}

/* RFC 6455 §5.7 has these bytes. */
static void test_write_rfc(void)
{
    struct amp_ws server, client;
    struct amp_buf out;
    char block[300];
    uint8_t head[AMP_WS_HEAD_MAX];

    amp_ws_init(&server, AMP_WS_SERVER, LIMIT);
    amp_ws_init(&client, AMP_WS_CLIENT, LIMIT);
    amp_buf_init(&out, block, sizeof(block));
    amp_ws_write(&server, &out, AMP_WS_TEXT, "Hello", 5, 0);
    CHECK(out.len == 7 && !memcmp(block, "\x81\x05\x48\x65\x6c\x6c\x6f", 7), "plain text");
    amp_buf_reset(&out);
    amp_ws_write(&client, &out, AMP_WS_TEXT, "Hello", 5, MASK);
    CHECK(out.len == 11 && !memcmp(block, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11),
          "masked text");
    amp_buf_reset(&out);
    amp_ws_write(&client, &out, AMP_WS_PONG, NULL, 0, 0);
    CHECK(out.len == 6 && !memcmp(block, "\x8a\x80\0\0\0\0", 6), "a mask of 0 is one too");
    CHECK(amp_ws_head(head, AMP_WS_BINARY, 256) == 4 && !memcmp(head, "\x82\x7e\x01\x00", 4),
          "256");
    CHECK(amp_ws_head(head, AMP_WS_BINARY, 65536) == 10 &&
              !memcmp(head, "\x82\x7f\0\0\0\0\0\1\0\0", 10),
          "65536");
}

static void test_write_full(void)
{
    struct amp_ws ws;
    struct amp_buf out;
    char block[6], large[200], payload[126] = "";

    amp_ws_init(&ws, AMP_WS_SERVER, LIMIT);
    amp_buf_init(&out, block, sizeof(block));
    amp_ws_write(&ws, &out, AMP_WS_TEXT, "Hello", 5, 0);
    CHECK(out.full && out.len == 0, "one byte short: %zu written", out.len);
    amp_ws_write_close(&ws, &out, 1000, "bye", 0);
    CHECK(!ws.close_sent, "a close frame that did not fit was not sent");
    amp_buf_reset(&out);
    amp_ws_write(&ws, &out, AMP_WS_TEXT, "Hell", 4, 0);
    CHECK(!out.full && out.len == 6, "exactly full");
    amp_buf_init(&out, large, sizeof(large));
    amp_ws_write(&ws, &out, AMP_WS_PING, payload, 126, 0);
    CHECK(out.full && out.len == 0, "a ping of 126 bytes");
    amp_buf_reset(&out);
    amp_ws_write(&ws, &out, AMP_WS_PING, payload, 125, 0);
    CHECK(!out.full && out.len == 127, "a ping of 125 bytes");
}

static void test_write_close(void)
{
    /* clang-format off */
    static const struct {
        int code;
        const char *reason;
        size_t len; /* of the payload */
    } rows[] = {
        { 1000, NULL, 2 },
        { 1001, "going", 7 },
        { AMP_WS_NO_CODE, "never seen", 0 },
        { AMP_WS_LOST, "never seen", 0 },
        { 1009,
          "123456789a123456789b123456789c123456789d123456789e123456789f123456789g123456789h12345678"
          "9i"
          "123456789j123456789k123456789l123\xC3\xA4",
          125 },
        { 1009,
          "123456789a123456789b123456789c123456789d123456789e123456789f123456789g123456789h12345678"
          "9i"
          "123456789j123456789k123456789l12\xC3\xA4"
          "cut",
          124 }, /* not in the middle of a character */
    };
    /* clang-format on */

    for (size_t i = 0; i < AMP_COUNT(rows); i++) {
        struct amp_ws from, to;
        struct amp_ws_event ev;
        struct amp_buf out;
        char block[200];
        size_t done = 0, len;

        amp_ws_init(&from, AMP_WS_CLIENT, LIMIT);
        amp_ws_init(&to, AMP_WS_SERVER, LIMIT);
        amp_buf_init(&out, block, sizeof(block));
        amp_ws_write_close(&from, &out, rows[i].code, rows[i].reason, MASK);
        len = out.len;
        CHECK(len == 6 + rows[i].len, "row %zu: %zu bytes", i, len);
        amp_ws_write_close(&from, &out, 1000, NULL, MASK);
        amp_ws_write(&from, &out, AMP_WS_TEXT, "late", 4, MASK);
        CHECK(out.len == len && !out.full, "row %zu: something was written behind the close frame",
              i);
        amp_ws_next(&to, (uint8_t *)out.at, &out.len, &done, &ev);
        CHECK(ev.kind == AMP_WS_CLOSED, "row %zu: %s", i, ev.why ? ev.why : "?");
        CHECK(ev.code == (rows[i].len ? rows[i].code : AMP_WS_NO_CODE), "row %zu: %d", i, ev.code);
        CHECK(ev.len == (rows[i].len ? rows[i].len - 2 : 0), "row %zu: reason of %zu", i, ev.len);
        CHECK(ev.len == 0 || !memcmp(ev.data, rows[i].reason, ev.len), "row %zu: reason", i);
    }
}

/* Data that arrives between our close frame and the peer's is still handed up (§5.5.1). */
static void test_close_crossing(void)
{
    uint8_t in[] = "\x81\x01"
                   "a"
                   "\x88\x00";
    size_t len = sizeof(in) - 1, done = 0;
    struct amp_ws ws;
    struct amp_ws_event ev;
    struct amp_buf out;
    char block[16];

    amp_ws_init(&ws, AMP_WS_CLIENT, LIMIT);
    amp_buf_init(&out, block, sizeof(block));
    amp_ws_write_close(&ws, &out, 1000, NULL, MASK);
    amp_ws_next(&ws, in, &len, &done, &ev);
    CHECK(ev.kind == AMP_WS_MESSAGE && ev.len == 1, "message");
    amp_ws_next(&ws, in, &len, &done, &ev);
    CHECK(ev.kind == AMP_WS_CLOSED && ev.code == 1005, "close");
}

static void test_limit_cut(void)
{
    struct amp_ws ws;

    amp_ws_init(&ws, AMP_WS_SERVER, UINT32_MAX);
    CHECK(ws.max == INT32_MAX, "%u", (unsigned)ws.max);
}

int main(void)
{
    RUN(test_cases);
    RUN(test_close_codes);
    RUN(test_no_moves);
    RUN(test_write);
    RUN(test_write_rfc);
    RUN(test_write_full);
    RUN(test_write_close);
    RUN(test_close_crossing);
    RUN(test_limit_cut);
    return check_end();
}
