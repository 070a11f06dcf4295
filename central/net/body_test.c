/* central/net/body_test.c - request bodies that come in pieces, and answers of a known length, over
 * real loopback sockets. */
#include "central/net/stage.h"

static struct taken {
    uint64_t bytes, sum;
    int64_t coming;
    unsigned pieces, lasts;
    bool hold, early;
    struct net_conn *conn;
} taken;

static bool on_head(void *ctx, const struct amp_http_head *head)
{
    (void)ctx;
    return amp_text_is(head->path, "/up");
}

static void on_request(void *ctx, const struct net_request *r)
{
    struct stage *s = ctx;

    s->requests++;
    if (amp_text_is(r->head->path, "/sized")) {
        net_stream_sized(r->conn, 206, "text/plain", "", 10);
        net_stream_put(r->conn, "01234", 5);
        net_stream_put(r->conn, "56789", 5);
        net_stream_end(r->conn);
    } else if (!r->pieces) {
        net_respond(r->conn, 200, "text/plain", "", r->body.at, r->body.len);
    } else if (taken.early) {
        net_respond(r->conn, 401, "text/plain", "", "no", 2);
    } else {
        taken.coming = r->coming;
        taken.conn = r->conn;
    }
}

static void on_body(void *ctx, struct net_conn *c, struct amp_text piece, bool last)
{
    char text[64];

    (void)ctx;
    taken.pieces++;
    taken.bytes += piece.len;
    for (uint32_t i = 0; i < piece.len; i++)
        taken.sum = taken.sum * 31 + (unsigned char)piece.at[i];
    if (taken.hold)
        net_body_hold(c);
    if (!last)
        return;
    taken.lasts++;
    snprintf(text, sizeof text, "%llu %llx", (unsigned long long)taken.bytes,
             (unsigned long long)taken.sum);
    net_respond(c, 201, "text/plain", "", text, strlen(text));
}

static void on_gone(void *ctx, struct net_conn *c)
{
    struct stage *s = ctx;

    s->gone++;
    if (taken.conn == c)
        taken.conn = NULL;
}

static const struct net_handler handler = {
    .on_head = on_head, .on_body = on_body, .on_request = on_request, .on_gone = on_gone
};
static const struct net_config small = { .max_body = 1000, .max_connections = 50 };

static void begin(struct stage *s)
{
    memset(&taken, 0, sizeof taken);
    stage_open(s, &small, &handler);
}

static const char *sum_of(const char *data, size_t len)
{
    static char text[64];
    uint64_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + (unsigned char)data[i];
    snprintf(text, sizeof text, "%zu %llx", len, (unsigned long long)sum);
    return text;
}

enum { BIG = 3000000 };
static char big[BIG];

static void fill(void)
{
    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)(i * 7 + i / 251);
}

/* Far beyond max_body, and the next request behind it on the same connection. */
static void test_whole(void)
{
    struct stage s;
    const char *answer;
    int fd;

    begin(&s);
    fd = peer_open(&s);
    peer_say(&s, fd, "PUT /up HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n");
    peer_send(&s, fd, big, BIG);
    peer_say(&s, fd, "GET /x HTTP/1.1\r\n\r\n");
    answer = peer_answer(&s, fd, false);
    CHECK(!strncmp(answer, "HTTP/1.1 201 ", 13) && strstr(answer, sum_of(big, BIG)), "'%s'",
          answer);
    CHECK(taken.coming == BIG && taken.lasts == 1 && taken.pieces > 1, "%u pieces", taken.pieces);
    answer = peer_answer(&s, fd, false);
    CHECK(!strncmp(answer, "HTTP/1.1 200 ", 13), "the next request: '%s'", answer);
    peer_say(&s, fd, "POST /other HTTP/1.1\r\nContent-Length: 1001\r\n\r\n");
    answer = peer_answer(&s, fd, false);
    CHECK(!strncmp(answer, "HTTP/1.1 413 ", 13), "others are bounded as before: '%s'", answer);
    close(fd);
    stage_close(&s);
}

/* In chunks, byte by byte, and in one. */
static void test_chunks(void)
{
    static const char text[] = "PUT /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "5\r\nhello\r\n1A;ext=\"x\"\r\nabcdefghijklmnopqrstuvwxyz\r\n"
                               "0\r\nTrailer: x\r\n\r\nGET /x HTTP/1.1\r\n\r\n";
    struct stage s;
    const char *answer;

    for (int slow = 0; slow < 2; slow++) {
        int fd;

        begin(&s);
        fd = peer_open(&s);
        if (!slow)
            peer_say(&s, fd, text);
        for (size_t i = 0; slow && i < sizeof text - 1; i++)
            peer_tell(&s, fd, text + i, 1);
        answer = peer_answer(&s, fd, false);
        CHECK(strstr(answer, sum_of("helloabcdefghijklmnopqrstuvwxyz", 31)), "'%s'", answer);
        CHECK(taken.coming == -1 && taken.lasts == 1, "nobody knew the length");
        answer = peer_answer(&s, fd, false);
        CHECK(!strncmp(answer, "HTTP/1.1 200 ", 13), "the next request: '%s'", answer);
        close(fd);
        stage_close(&s);
    }
}

static void test_bad_chunks(void)
{
    static const char *const bad[] = {
        "x\r\n", "5\nhello", "5\r\nhelloX\r\n", "\r\n", "ffffffffffffffffff\r\n", "-1\r\n"
    };

    for (size_t i = 0; i < AMP_COUNT(bad); i++) {
        struct stage s;
        int fd;

        begin(&s);
        fd = peer_open(&s);
        peer_say(&s, fd, "PUT /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
        peer_say(&s, fd, bad[i]);
        UNTIL(&s, s.gone == 1);
        CHECK(taken.lasts == 0, "'%s' ends the connection", bad[i]);
        close(fd);
        stage_close(&s);
    }
}

/* The disk is busy: nothing more is taken until it is not. */
static void test_hold(void)
{
    struct stage s;
    const char *answer;
    unsigned pieces;
    int fd;

    begin(&s);
    taken.hold = true;
    fd = peer_open(&s);
    peer_say(&s, fd, "PUT /up HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
    UNTIL(&s, taken.pieces == 1);
    peer_send(&s, fd, "de", 2);
    for (int i = 0; i < 20; i++)
        stage_run(&s);
    CHECK(taken.pieces == 1, "held");
    net_turn_clock(s.net, 600000);
    for (int i = 0; i < 20; i++)
        stage_run(&s);
    CHECK(s.gone == 0, "who is held is not late");
    pieces = taken.pieces;
    net_body_go(taken.conn);
    UNTIL(&s, taken.pieces > pieces);
    taken.hold = false;
    net_body_go(taken.conn);
    peer_send(&s, fd, "fghij", 5);
    answer = peer_answer(&s, fd, false);
    CHECK(strstr(answer, sum_of("abcdefghij", 10)), "'%s'", answer);
    close(fd);
    stage_close(&s);
}

static void test_ends(void)
{
    struct stage s;
    const char *answer;
    int fd;

    begin(&s);
    fd = peer_open(&s);
    peer_say(&s, fd, "PUT /up HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
    UNTIL(&s, taken.pieces == 1);
    close(fd);
    UNTIL(&s, s.gone == 1);
    CHECK(taken.lasts == 0, "cut off is not complete");
    fd = peer_open(&s);
    peer_say(&s, fd, "PUT /up HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
    UNTIL(&s, taken.pieces == 2);
    net_turn_clock(s.net, 61000);
    UNTIL(&s, s.gone == 2);
    CHECK(taken.lasts == 0, "nobody waits for ever");
    close(fd);
    taken.early = true;
    fd = peer_open(&s);
    peer_say(&s, fd, "PUT /up HTTP/1.1\r\nContent-Length: 3000000\r\nExpect: 100-continue\r\n\r\n");
    answer = peer_answer(&s, fd, false);
    CHECK(!strncmp(answer, "HTTP/1.1 401 ", 13) && strstr(answer, "Connection: close"),
          "refused before it came: '%s'", answer);
    close(fd);
    taken.early = false;
    fd = peer_open(&s);
    peer_say(&s, fd, "PUT /up HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    answer = peer_answer(&s, fd, true);
    CHECK(!strncmp(answer, "HTTP/1.1 100 ", 13), "or asked for: '%s'", answer);
    close(fd);
    stage_close(&s);
}

static void test_sized(void)
{
    struct stage s;
    const char *answer;
    int fd;

    begin(&s);
    fd = peer_open(&s);
    peer_say(&s, fd, "GET /sized HTTP/1.1\r\n\r\n");
    answer = peer_answer(&s, fd, false);
    CHECK(!strncmp(answer, "HTTP/1.1 206 ", 13) && strstr(answer, "Content-Length: 10\r\n") &&
              !strstr(answer, "chunked") && strstr(answer, "0123456789"),
          "'%s'", answer);
    peer_say(&s, fd, "HEAD /sized HTTP/1.1\r\n\r\n");
    answer = peer_answer(&s, fd, true);
    CHECK(strstr(answer, "Content-Length: 10\r\n") && !strstr(answer, "01234"), "'%s'", answer);
    close(fd);
    stage_close(&s);
}

int main(void)
{
    fill();
    RUN(test_whole);
    RUN(test_chunks);
    RUN(test_bad_chunks);
    RUN(test_hold);
    RUN(test_ends);
    RUN(test_sized);
    return check_end();
}
