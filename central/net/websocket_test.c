/* central/net/websocket_test.c - WebSockets over real loopback sockets: frames in any cut, both
 * closing handshakes, limits, half-open peers, slow readers, many connections, shutdown. */
#include "central/net/stage.h"

static void on_request(void *ctx, const struct net_request *r)
{
    struct stage *s = ctx;

    s->requests++;
    s->last = r->conn;
    if (amp_text_is(r->head->path, "/ws") && r->head->upgrade) {
        net_set_tag(r->conn, 7);
        net_upgrade(r->conn, r->head, AMP_NO_TEXT);
    } else if (r->head->upgrade) {
        net_upgrade(r->conn, r->head, AMP_TEXT("ocpp1.6"));
    } else {
        net_respond(r->conn, 426, "text/plain", "Upgrade: websocket\r\n", "", 0);
    }
}

static void on_message(void *ctx, struct net_conn *c, enum amp_ws_opcode op, struct amp_text data)
{
    struct stage *s = ctx;

    s->messages++;
    s->last = c;
    CHECK(net_tag(c) == 7, "the tag stays");
    if (amp_text_is(data, "bye"))
        net_close(c, 4001, "as you wish");
    else if (amp_text_is(data, "drop"))
        net_close(c, 0, NULL);
    else if (amp_text_is(data, "three")) {
        net_send(c, AMP_WS_TEXT, "1", 1);
        net_send(c, AMP_WS_TEXT, "2", 1);
        net_send(c, AMP_WS_TEXT, "3", 1);
    } else {
        net_send(c, op, data.at, data.len);
    }
}

static void on_closed(void *ctx, struct net_conn *c, int code, const char *why)
{
    struct stage *s = ctx;

    CHECK(!net_send(c, AMP_WS_TEXT, "late", 4), "nothing can be sent any more");
    s->closed++;
    s->close_code = code;
    snprintf(s->close_why, sizeof s->close_why, "%s", why);
}

static void on_gone(void *ctx, struct net_conn *c)
{
    struct stage *s = ctx;

    (void)c;
    s->gone++;
}

static const struct net_handler handler = {
    .on_request = on_request, .on_message = on_message, .on_closed = on_closed, .on_gone = on_gone
};
static const struct net_config config = {
    .max_message = 100000, .ping_s = 25, .pong_s = 20, .max_backlog = 1 << 20
};

static uint64_t buffers(struct stage *s)
{
    struct net_stats stats;

    net_stats(s->net, &stats);
    return stats.buffers;
}

static bool echoes(struct stage *s, int fd, const char *text)
{
    char data[4096];

    peer_text(s, fd, text);
    return peer_next(s, fd, data, sizeof data, NULL) == 0x81 && !strcmp(data, text);
}

static void test_echo(void)
{
    struct stage s;
    const char *answer;
    int fd;

    stage_open(&s, &config, &handler);
    fd = peer_websocket(&s);
    CHECK(echoes(&s, fd, "hello") && echoes(&s, fd, "") && echoes(&s, fd, "again"), "echo");
    CHECK(buffers(&s) == 0, "idle: %d bytes", (int)buffers(&s));
    close(fd);
    UNTIL(&s, s.gone == 1);
    CHECK(s.closed == 1 && s.close_code == 1006, "%u %d", s.closed, s.close_code);
    fd = peer_open(&s);
    peer_say(&s, fd,
             "GET /ocpp/x HTTP/1.1\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    answer = peer_answer(&s, fd, false);
    CHECK(strstr(answer, "Sec-WebSocket-Protocol: ocpp1.6\r\n"), "'%s'", answer);
    close(fd);
    stage_close(&s);
}

/* Upgrade and messages, single, fragmented and with a ping in between: the same whatever the cuts.
 */
static void test_any_cut(void)
{
    static const size_t cuts[] = { 1, 2, 3, 7, 50, 4096, 100000 };
    uint8_t *stream = malloc(300000);
    char *big = malloc(90001), *data = malloc(100000);
    size_t len = sizeof UPGRADE - 1;

    memset(big, 'b', 90000);
    memcpy(stream, UPGRADE, len);
    len += peer_frame(stream + len, 0x81, "one", 3);
    len += peer_frame(stream + len, 0x01, "t", 1);
    len += peer_frame(stream + len, 0x89, "ping", 4);
    len += peer_frame(stream + len, 0x00, "w", 1);
    len += peer_frame(stream + len, 0x80, "o", 1);
    len += peer_frame(stream + len, 0x82, big, 90000);
    len += peer_frame(stream + len, 0x81, "end", 3);
    for (size_t i = 0; i < AMP_COUNT(cuts); i++) {
        struct stage s;
        int fd;
        size_t n;

        stage_open(&s, &config, &handler);
        fd = peer_open(&s);
        for (size_t at = 0; at < len; at += cuts[i])
            peer_send(&s, fd, stream + at, len - at < cuts[i] ? len - at : cuts[i]);
        CHECK(strstr(peer_answer(&s, fd, false), "101"), "cut %zu", cuts[i]);
        CHECK(peer_next(&s, fd, data, 100000, NULL) == 0x81 && !strcmp(data, "one"), "cut %zu",
              cuts[i]);
        CHECK(peer_next(&s, fd, data, 100000, NULL) == 0x8a && !strcmp(data, "ping"), "cut %zu",
              cuts[i]);
        CHECK(peer_next(&s, fd, data, 100000, NULL) == 0x81 && !strcmp(data, "two"), "cut %zu",
              cuts[i]);
        CHECK(peer_next(&s, fd, data, 100000, &n) == 0x82 && n == 90000 && !memcmp(data, big, n),
              "cut %zu", cuts[i]);
        CHECK(peer_next(&s, fd, data, 100000, NULL) == 0x81 && !strcmp(data, "end"), "cut %zu",
              cuts[i]);
        CHECK(s.messages == 4 && buffers(&s) == 0, "cut %zu: %u, %d bytes", cuts[i], s.messages,
              (int)buffers(&s));
        close(fd);
        stage_close(&s);
    }
    free(stream), free(big), free(data);
}

static const struct {
    const char *why, *bytes;
    size_t len;
    int code;
} broken[] = {
    { "not masked", "\x81\x01x", 3, 1002 },
    { "reserved bit", "\xc1\x81", 2, 1002 },
    { "reserved opcode", "\x83\x80", 2, 1002 },
    { "stray continuation", "\x80\x80", 2, 1002 },
    { "long ping", "\x89\xfe", 2, 1002 },
    { "too big", "\x81\xff\0\0\0\0\0\1\x86\xa1", 10, 1009 },
    { "far too big", "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 10, 1009 },
    { "nonsense", "GET / HTTP/1.1\r\n\r\n", 18, 1002 },
    { "close, reserved code", "\x88\x82\0\0\0\0\x03\xed", 8, 1002 },
    { "close, no UTF-8", "\x88\x83\0\0\0\0\x03\xe8\xff", 9, 1007 },
};

static void test_broken(void)
{
    struct stage s;
    struct net_stats stats;
    int neighbour;

    stage_open(&s, &config, &handler);
    neighbour = peer_websocket(&s);
    for (size_t i = 0; i < AMP_COUNT(broken); i++) {
        int fd = peer_websocket(&s), code;

        CHECK(echoes(&s, fd, "before"), "%s", broken[i].why);
        peer_send(&s, fd, broken[i].bytes, broken[i].len);
        code = peer_close_code(&s, fd);
        CHECK(code == broken[i].code && s.close_code == code, "%s: %d, told %d", broken[i].why,
              code, s.close_code);
        CHECK(peer_ended(&s, fd), "%s: the connection goes on", broken[i].why);
        CHECK(s.closed == i + 1 && s.close_why[0], "%s: on_closed %u", broken[i].why, s.closed);
        close(fd);
        CHECK(echoes(&s, neighbour, "well"), "%s: the neighbour", broken[i].why);
    }
    net_stats(s.net, &stats);
    CHECK(stats.broken == AMP_COUNT(broken) && stats.websockets == 1, "%d counted",
          (int)stats.broken);
    close(neighbour);
    stage_close(&s);
}

static void test_nonsense(void)
{
    struct stage s;
    size_t len = 10u << 20;
    uint8_t *noise = malloc(len);
    int fd, neighbour;

    memset(noise, 0xff, len);
    stage_open(&s, &config, &handler);
    neighbour = peer_websocket(&s);
    fd = peer_websocket(&s);
    CHECK(peer_send(&s, fd, noise, len), "it may say it all");
    CHECK(peer_close_code(&s, fd) == 1002 && peer_ended(&s, fd), "a clear code");
    CHECK(s.closed == 1 && s.messages == 0 && buffers(&s) == 0, "%u %u", s.closed, s.messages);
    CHECK(echoes(&s, neighbour, "well"), "the neighbour");
    free(noise);
    close(fd), close(neighbour);
    stage_close(&s);
}

static void test_peer_closes(void)
{
    struct stage s;
    uint8_t frame[32];
    char data[200];
    int fd;

    stage_open(&s, &config, &handler);
    fd = peer_websocket(&s);
    peer_send(&s, fd, frame, peer_frame(frame, 0x88, "\x03\xe8thanks", 8));
    CHECK(peer_next(&s, fd, data, sizeof data, NULL) == 0x88 && !memcmp(data, "\x03\xe8", 2),
          "echoed");
    CHECK(s.closed == 1 && s.close_code == 1000 && !strcmp(s.close_why, "thanks"), "%d '%s'",
          s.close_code, s.close_why);
    CHECK(peer_ended(&s, fd), "we end it");
    close(fd);
    UNTIL(&s, s.gone == 1);
    fd = peer_websocket(&s);
    peer_send(&s, fd, frame, peer_frame(frame, 0x88, "", 0));
    CHECK(peer_next(&s, fd, data, sizeof data, NULL) == 0x88 && !data[0], "echoed without a code");
    CHECK(s.closed == 2 && s.close_code == 1005, "%d", s.close_code);
    close(fd);
    stage_close(&s);
}

static void test_we_close(void)
{
    struct stage s;
    uint8_t frame[32];
    char data[200];
    int fd;

    stage_open(&s, &config, &handler);
    fd = peer_websocket(&s);
    peer_text(&s, fd, "bye");
    peer_text(&s, fd, "still there?"); /* on its way when our close frame went */
    CHECK(peer_next(&s, fd, data, sizeof data, NULL) == 0x88 && !strcmp(data, "\x0f\xa1"
                                                                              "as you wish"),
          "'%s'", data);
    CHECK(s.messages == 1 && s.closed == 0, "dropped: %u; not told yet: %u", s.messages, s.closed);
    peer_tell(&s, fd, frame, peer_frame(frame, 0x88, "\x0f\xa1", 2));
    CHECK(s.closed == 1 && s.close_code == 4001, "%u %d", s.closed, s.close_code);
    CHECK(peer_ended(&s, fd), "ended");
    close(fd);
    fd = peer_websocket(&s); /* a peer that does not answer */
    peer_text(&s, fd, "bye");
    CHECK(peer_close_code(&s, fd) == 4001 && s.closed == 1, "waits for the answer");
    net_turn_clock(s.net, 7000);
    CHECK(s.closed == 2 && s.close_code == 4001 && peer_ended(&s, fd), "but not for ever: %u",
          s.closed);
    close(fd);
    fd = peer_websocket(&s);
    peer_text(&s, fd, "drop");
    CHECK(peer_close_code(&s, fd) == -1, "no close frame");
    CHECK(s.closed == 3 && s.close_code == 1006, "%u %d", s.closed, s.close_code);
    close(fd);
    stage_close(&s);
}

static void test_half_open(void)
{
    struct stage s;
    struct net_stats stats;
    uint8_t frame[32];
    char data[200];
    int alive, dead;

    stage_open(&s, &config, &handler);
    alive = peer_websocket(&s);
    dead = peer_websocket(&s);
    net_turn_clock(s.net, 20000);
    peer_text(&s, alive, "x"); /* its silence begins anew */
    CHECK(peer_next(&s, alive, data, sizeof data, NULL) == 0x81, "echo");
    net_turn_clock(s.net, 7000);
    CHECK(peer_next(&s, dead, data, sizeof data, NULL) == 0x89, "a ping after 25 s of silence");
    net_turn_clock(s.net, 20000);
    net_turn_clock(s.net, 2000);
    CHECK(s.closed == 1 && s.close_code == 1006 && strstr(s.close_why, "ping"), "%u '%s'", s.closed,
          s.close_why);
    CHECK(peer_next(&s, alive, data, sizeof data, NULL) == 0x89, "the other one was asked later");
    peer_tell(&s, alive, frame, peer_frame(frame, 0x8a, "", 0));
    for (int i = 0; i < 10; i++) { /* as long as it answers it stays */
        net_turn_clock(s.net, 26000);
        CHECK(peer_next(&s, alive, data, sizeof data, NULL) == 0x89, "round %d", i);
        peer_tell(&s, alive, frame, peer_frame(frame, 0x8a, "", 0));
    }
    CHECK(echoes(&s, alive, "well"), "alive");
    net_stats(s.net, &stats);
    CHECK(stats.lost == 1 && stats.websockets == 1, "%d lost", (int)stats.lost);
    close(alive), close(dead);
    stage_close(&s);
}

static void test_slow_reader(void)
{
    struct stage s;
    char *block = calloc(1, 65536);
    int fd, neighbour;
    bool open = true;
    unsigned sent = 0;

    stage_open(&s, &config, &handler);
    neighbour = peer_websocket(&s);
    fd = peer_websocket(&s);
    CHECK(echoes(&s, fd, "x"), "echo");
    while (open && sent < 10000) {
        open = net_send(s.last, AMP_WS_BINARY, block, 65536);
        sent++;
        if (open)
            stage_run(&s);
    }
    CHECK(!open, "its backlog has a limit");
    CHECK(s.closed == 0, "not inside net_send");
    UNTIL(&s, s.closed == 1);
    CHECK(s.close_code == 1006, "%d", s.close_code);
    CHECK(echoes(&s, neighbour, "well"), "the neighbour");
    free(block);
    close(fd), close(neighbour);
    stage_close(&s);
}

static void test_coalescing(void)
{
    struct stage s;
    struct net_stats before, after;
    char data[16];
    int fd;

    stage_open(&s, &config, &handler);
    fd = peer_websocket(&s);
    net_stats(s.net, &before);
    peer_text(&s, fd, "three");
    CHECK(peer_read(&s, fd, data, 9, 9, NULL) == 9 && !memcmp(data,
                                                              "\x81\1"
                                                              "1\x81\1"
                                                              "2\x81\1"
                                                              "3",
                                                              9),
          "in order");
    net_stats(s.net, &after);
    CHECK(after.writes - before.writes == 1 && after.tx_messages - before.tx_messages == 3,
          "%d writes", (int)(after.writes - before.writes));
    close(fd);
    stage_close(&s);
}

/* 2,000 stations: all at once, one by one, none owns a buffer, all go. */
static void test_many(void)
{
    enum { MANY = 2000 };
    struct stage s;
    struct net_stats stats;
    static int fds[MANY];
    unsigned right = 0;

    stage_open(&s, &config, &handler);
    for (int i = 0; i < MANY; i++) {
        fds[i] = peer_open(&s);
        peer_say(&s, fds[i], UPGRADE);
    }
    for (int i = 0; i < MANY; i++)
        right += !!strstr(peer_answer(&s, fds[i], false), " 101 ");
    CHECK(right == MANY, "%u upgraded", right);
    for (int i = 0; i < MANY; i++)
        peer_text(&s, fds[i], "to all");
    right = 0;
    for (int i = 0; i < MANY; i++) {
        char data[16];

        right += peer_next(&s, fds[i], data, sizeof data, NULL) == 0x81 && !strcmp(data, "to all");
    }
    net_stats(s.net, &stats);
    CHECK(right == MANY && stats.websockets == MANY && stats.buffers == 0,
          "%u echoes, %u open, %d bytes", right, stats.websockets, (int)stats.buffers);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    UNTIL(&s, s.gone == MANY && s.closed == MANY);
    stage_close(&s);
}

static void test_shutdown(void)
{
    struct stage s;
    uint8_t frame[32];
    int polite, silent;

    stage_open(&s, &config, &handler);
    polite = peer_websocket(&s);
    silent = peer_websocket(&s);
    net_shutdown(s.net, 200, stage_done, &s);
    CHECK(peer_close_code(&s, polite) == 1001 && peer_close_code(&s, silent) == 1001, "going away");
    peer_tell(&s, polite, frame, peer_frame(frame, 0x88, "\x03\xe9", 2));
    CHECK(s.closed == 1 && s.close_code == 1001 && !s.done, "%u %d", s.closed, s.close_code);
    UNTIL(&s, s.done); /* the silent one is given up after the grace period */
    CHECK(s.closed == 2 && s.gone == 2, "%u closed, %u gone", s.closed, s.gone);
    net_free(s.net);
    CHECK(uv_loop_close(&s.loop) == 0, "something is left on the loop");
    close(polite), close(silent);
}

static void test_size(void)
{
    CHECK(sizeof(struct net_conn) + 22 <= 400, "an idle connection takes %zu bytes and its address",
          sizeof(struct net_conn));
}

int main(void)
{
    RUN(test_echo);
    RUN(test_any_cut);
    RUN(test_broken);
    RUN(test_nonsense);
    RUN(test_peer_closes);
    RUN(test_we_close);
    RUN(test_half_open);
    RUN(test_slow_reader);
    RUN(test_coalescing);
    RUN(test_many);
    RUN(test_shutdown);
    RUN(test_size);
    return check_end();
}
