/* central/net/stage.h - for tests: a server on a loopback port, its loop turned by hand, and raw
 * sockets against it, all in one thread. Nothing here waits for a time: it waits for bytes, and
 * gives up after GUARD_MS so that a bug is no hang. */
#ifndef CENTRAL_NET_STAGE_H
#define CENTRAL_NET_STAGE_H

#include "central/net/conn.h"
#include "ocpp/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define GUARD_MS 60000

struct stage {
    uv_loop_t loop;
    struct net *net;
    struct net_conn *later; /* whoever asked for /later */
    struct net_conn *last;  /* of the last request */
    unsigned requests, messages, closed, gone, refused, writable;
    int close_code, refused_status;
    char close_why[128], refused_why[128];
    bool done;
};

static inline void stage_run(struct stage *s)
{
    uv_run(&s->loop, UV_RUN_NOWAIT);
}

/* Turn the loop until `cond`. */
#define UNTIL(s, cond)                                            \
    do {                                                          \
        uint64_t until_end = uv_hrtime() + GUARD_MS * 1000000ull; \
        while (!(cond) && uv_hrtime() < until_end)                \
            stage_run(s);                                         \
        CHECK(cond, "never came true");                           \
    } while (0)

static inline void stage_open(struct stage *s, const struct net_config *config,
                              const struct net_handler *handler)
{
    struct net_config c = *config;
    struct net_handler h = *handler;
    char *why = NULL;

    memset(s, 0, sizeof *s);
    uv_loop_init(&s->loop);
    h.ctx = s;
    c.listen = "127.0.0.1:0";
    s->net = net_open(&s->loop, &c, &h, &why);
    CHECK(s->net, "%s", why ? why : "");
    free(why);
}

static inline void stage_done(void *ctx)
{
    struct stage *s = ctx;

    s->done = true;
}

/* Ends everything; nothing may be left on the loop, and no byte in a private buffer. */
static inline void stage_close(struct stage *s)
{
    struct net_stats stats;

    net_shutdown(s->net, 0, stage_done, s);
    UNTIL(s, s->done);
    net_stats(s->net, &stats);
    CHECK(stats.open == 0 && stats.websockets == 0 && stats.buffers == 0,
          "%u open, %u websockets, %d bytes", stats.open, stats.websockets, (int)stats.buffers);
    net_free(s->net);
    CHECK(uv_loop_close(&s->loop) == 0, "something is left on the loop");
}

static inline int peer_open(struct stage *s)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    const char *colon = strrchr(net_address(s->net), ':');
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons((uint16_t)atoi(colon + 1));
    CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0, "connect: %s",
          strerror(errno));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Send all; false when the server has ended the connection. */
static inline bool peer_send(struct stage *s, int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN)
            return false;
        if (n > 0)
            at += n, len -= (size_t)n;
        else
            stage_run(s);
    }
    stage_run(s);
    return true;
}

/* Send, and go on when the server has read it: for tests that turn the clock afterwards. */
static inline void peer_tell(struct stage *s, int fd, const void *data, size_t len)
{
    struct net_stats before, now;

    net_stats(s->net, &before);
    CHECK(peer_send(s, fd, data, len), "the connection ended");
    UNTIL(s, (net_stats(s->net, &now), now.rx_bytes >= before.rx_bytes + len));
}

static inline bool peer_say(struct stage *s, int fd, const char *text)
{
    return peer_send(s, fd, text, strlen(text));
}

/* Read at least `want` bytes, or to the end of the connection. The length; *ended (may be NULL)
 * tells of the end. */
static inline size_t peer_read(struct stage *s, int fd, void *buf, size_t cap, size_t want,
                               bool *ended)
{
    uint64_t end = uv_hrtime() + GUARD_MS * 1000000ull;
    size_t len = 0;

    if (ended)
        *ended = false;
    while (len < want && len < cap && uv_hrtime() < end) {
        ssize_t n = recv(fd, (char *)buf + len, cap - len, 0);

        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            if (ended)
                *ended = true;
            break;
        }
        if (n > 0)
            len += (size_t)n;
        else
            stage_run(s);
    }
    return len;
}

/* An HTTP answer: head and body by Content-Length (`none`: as to HEAD, without). Terminated; the
 * static buffer is overwritten by the next. */
static inline const char *peer_answer(struct stage *s, int fd, bool none)
{
    static char text[65536];
    size_t len = 0, want = 0;
    const char *blank, *length;
    bool ended = false;

    text[0] = 0;
    while (!want && !ended &&
           len < sizeof text - 1) { /* byte by byte: what follows belongs to the next answer */
        len += peer_read(s, fd, text + len, 1, 1, &ended);
        text[len] = 0;
        blank = strstr(text, "\r\n\r\n");
        if (blank) {
            length = strstr(text, "Content-Length: ");
            want = len + (length && !none ? (size_t)atoi(length + 16) : 0);
        }
    }
    if (want > sizeof text - 1)
        want = sizeof text - 1;
    if (want > len)
        len += peer_read(s, fd, text + len, want - len, want - len, NULL);
    text[len] = 0;
    return text;
}

static inline bool peer_ended(struct stage *s, int fd)
{
    char c;
    bool ended;

    return peer_read(s, fd, &c, 1, 1, &ended) == 0 && ended;
}

/* ---- WebSocket ---- */

#define UPGRADE                                                         \
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: " \
    "Upgrade\r\nSec-WebSocket-Version: 13\r\n"                          \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

/* One masked frame of a client. Length. */
static inline size_t peer_frame(uint8_t *out, unsigned first, const void *data, size_t len)
{
    static const uint8_t key[4] = { 0x12, 0x34, 0x56, 0x78 };
    const uint8_t *from = data;
    size_t n = amp_ws_head(out, AMP_WS_TEXT, len);

    out[0] = (uint8_t)first;
    out[1] |= 0x80;
    memcpy(out + n, key, 4);
    n += 4;
    for (size_t i = 0; i < len; i++)
        out[n + i] = from[i] ^ key[i & 3];
    return n + len;
}

static inline int peer_websocket(struct stage *s)
{
    int fd = peer_open(s);
    const char *answer;

    peer_say(s, fd, UPGRADE);
    answer = peer_answer(s, fd, false);
    CHECK(!strncmp(answer, "HTTP/1.1 101 ", 13), "'%s'", answer);
    CHECK(strstr(answer, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "'%s'", answer);
    return fd;
}

static inline void peer_text(struct stage *s, int fd, const char *text)
{
    uint8_t frame[4096];

    peer_send(s, fd, frame, peer_frame(frame, 0x81, text, strlen(text)));
}

/* One frame of the server: its first byte, payload terminated in `out`. -1: the connection ended.
 */
static inline int peer_next(struct stage *s, int fd, char *out, size_t cap, size_t *len)
{
    uint8_t head[10];
    bool ended;
    size_t n;

    if (peer_read(s, fd, head, 2, 2, &ended) < 2)
        return -1;
    n = head[1] & 127;
    if (n == 126) {
        peer_read(s, fd, head + 2, 2, 2, NULL);
        n = (size_t)head[2] << 8 | head[3];
    } else if (n == 127) {
        peer_read(s, fd, head + 2, 8, 8, NULL);
        n = (size_t)head[6] << 24 | (size_t)head[7] << 16 | (size_t)head[8] << 8 | head[9];
    }
    CHECK(n < cap, "frame of %zu bytes", n);
    if (n >= cap || peer_read(s, fd, out, n, n, NULL) < n)
        return -1;
    out[n] = 0;
    if (len)
        *len = n;
    return head[0];
}

/* The code of the close frame that comes next, behind any other frames; -1: the connection ended
 * without. */
static inline int peer_close_code(struct stage *s, int fd)
{
    static char data[1 << 16];
    int first;

    while ((first = peer_next(s, fd, data, sizeof data, NULL)) >= 0) {
        if (first == 0x88)
            return (int)((unsigned)(uint8_t)data[0] << 8 | (uint8_t)data[1]);
    }
    return -1;
}

#endif
