/* central/net/http_test.c - HTTP over real loopback sockets: what is refused and how, order,
 * limits, time-outs, streams. */
#include "central/net/stage.h"

#include <sys/resource.h>

#define BIG (4u << 20)

static void on_request(void *ctx, const struct net_request *r)
{
    struct stage *s = ctx;
    struct amp_text path = r->head->path;
    static char *big;

    s->requests++;
    s->last = r->conn;
    if (amp_text_is(path, "/echo")) {
        net_respond(r->conn, 200, "text/plain", "X-Echo: yes\r\n", r->body.at, r->body.len);
    } else if (amp_text_is(path, "/later")) {
        s->later = r->conn;
    } else if (amp_text_is(path, "/none")) {
        net_respond(r->conn, 204, NULL, "", NULL, 0);
    } else if (amp_text_is(path, "/stream")) {
        net_stream_begin(r->conn, 200, "text/plain", "");
        s->later = r->conn;
    } else if (amp_text_is(path, "/big")) {
        big = calloc(1, BIG);
        net_respond(r->conn, 200, "text/plain", "", big, BIG);
        free(big);
    } else {
        net_respond(r->conn, 404, "text/plain", "", "no", 2);
    }
}

static void on_gone(void *ctx, struct net_conn *c)
{
    struct stage *s = ctx;

    s->gone++;
    if (s->later == c)
        s->later = NULL;
}

static void on_refused(void *ctx, const struct net_refusal *r)
{
    struct stage *s = ctx;

    CHECK(!strncmp(r->address, "127.0.0.1:", 10), "'%s'", r->address);
    s->refused++;
    s->refused_status = r->status;
    snprintf(s->refused_why, sizeof s->refused_why, "%s", r->why);
}

static void on_writable(void *ctx, struct net_conn *c)
{
    struct stage *s = ctx;

    (void)c;
    s->writable++;
}

static const struct net_handler handler = { .on_request = on_request,
                                            .on_gone = on_gone,
                                            .on_refused = on_refused,
                                            .on_writable = on_writable };
static const struct net_config small = { .max_body = 1000,
                                         .max_connections = 50,
                                         .max_backlog = 16 << 20 };

static unsigned status_of(const char *answer)
{
    return strncmp(answer, "HTTP/1.1 ", 9) ? 0 : (unsigned)atoi(answer + 9);
}

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
static const struct {
    const char *why, *request;
    unsigned status;
    bool ends; /* the connection, with the answer */
} cases[] = {
    { "plain", "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n", 200, false },
    { "no such path", "GET /x HTTP/1.1\r\nHost: x\r\n\r\n", 404, false },
    { "no body", "GET /none HTTP/1.1\r\nHost: x\r\n\r\n", 204, false },
    { "wants to end", "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200, true },
    { "HTTP/1.0", "GET /echo HTTP/1.0\r\n\r\n", 200, true },
    { "1.0 that stays", "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, false },
    { "garbage", "AT+CREG?\r\n", 400, true },
    { "TLS hello", "\x16\x03\x01\x02\x01\x01", 400, true },
    { "bare line feed", "GET /echo HTTP/1.1\nHost: x\n\n", 400, true },
    { "two lengths", "POST /echo HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400,
      true },
    { "length and chunked",
      "POST /echo HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, true },
    { "chunked", "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501, true },
    { "body too large", "POST /echo HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413, true },
    { "body at the limit", "POST /none HTTP/1.1\r\nContent-Length: 2\r\n\r\nab", 204, false },
    { "upgrade, version 8",
      "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n" KEY "\r\n", 426,
      true },
    { "upgrade, no key",
      "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n", 400, true },
    { "upgrade by POST",
      "POST /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" KEY "\r\n", 400,
      true },
};

static void test_answers(void)
{
    struct stage s;

    stage_open(&s, &small, &handler);
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        int fd = peer_open(&s);
        const char *answer;
        unsigned refused = s.refused;

        peer_say(&s, fd, cases[i].request);
        answer = peer_answer(&s, fd, false);
        CHECK(status_of(answer) == cases[i].status, "%s: '%s'", cases[i].why, answer);
        CHECK(strstr(answer, cases[i].ends ? "\r\nConnection: close\r\n"
                                           : "\r\nConnection: keep-alive\r\n"),
              "%s: '%s'", cases[i].why, answer);
        CHECK(strstr(answer, "\r\nDate: ") && strstr(answer, " GMT\r\n"), "%s: '%s'", cases[i].why,
              answer);
        CHECK(!strstr(answer, "Content-Length") == (cases[i].status == 204), "%s: '%s'",
              cases[i].why, answer);
        if (cases[i].ends) {
            CHECK(peer_ended(&s, fd), "%s: the connection goes on", cases[i].why);
        } else {
            peer_say(&s, fd, "GET /echo HTTP/1.1\r\n\r\n");
            CHECK(status_of(peer_answer(&s, fd, false)) == 200, "%s: the connection does not go on",
                  cases[i].why);
        }
        CHECK((s.refused > refused) == (cases[i].status != 404 && cases[i].status >= 400),
              "%s: counted %u", cases[i].why, s.refused - refused);
        close(fd);
    }
    UNTIL(&s, s.gone == AMP_COUNT(cases));
    stage_close(&s);
}

static void test_limits_of_the_head(void)
{
    char *text = malloc(20000);
    struct stage s;
    int fd;

    stage_open(&s, &small, &handler);
    memset(text, 'a', 20000);
    memcpy(text, "GET /", 5);
    fd = peer_open(&s);
    peer_send(&s, fd, text, 20000);
    CHECK(status_of(peer_answer(&s, fd, false)) == 414 && s.refused_status == 414, "a long target");
    close(fd);
    memcpy(text, "GET / HTTP/1.1\r\nX: ", 19);
    fd = peer_open(&s);
    peer_send(&s, fd, text, 20000);
    CHECK(status_of(peer_answer(&s, fd, false)) == 431 && s.refused_status == 431, "a long head");
    close(fd);
    free(text);
    stage_close(&s);
}

static void test_byte_by_byte(void)
{
    static const char request[] =
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    struct stage s;
    struct net_stats stats;
    const char *answer;
    int fd;

    stage_open(&s, &small, &handler);
    fd = peer_open(&s);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof request - 1; i++)
            peer_send(&s, fd, request + i, 1);
        answer = peer_answer(&s, fd, false);
        CHECK(status_of(answer) == 200 && strstr(answer, "\r\n\r\nhello"), "'%s'", answer);
    }
    net_stats(s.net, &stats);
    CHECK(stats.buffers == 0, "an idle connection owns no buffer: %d", (int)stats.buffers);
    CHECK(stats.requests == 3, "%d", (int)stats.requests);
    close(fd);
    stage_close(&s);
}

static void test_pipelining(void)
{
    struct stage s;
    const char *answer;
    int fd;

    stage_open(&s, &small, &handler);
    fd = peer_open(&s);
    peer_say(&s, fd,
             "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\none"
             "GET /later HTTP/1.1\r\n\r\n"
             "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nthree"
             "GET /later HTTP/1.1\r\n\r\n"
             "POST /echo HTTP/1.1\r\nContent-Length: 4\r\n\r\nfive");
    UNTIL(&s, s.later);
    CHECK(s.requests == 2, "one at a time: %u", s.requests);
    net_respond(s.later, 200, "text/plain", "", "two", 3);
    s.later = NULL;
    UNTIL(&s, s.later);
    CHECK(s.requests == 4, "up to the next slow one: %u", s.requests);
    net_respond(s.later, 200, "text/plain", "", "four", 4);
    for (const char *const *word =
             (const char *const[]){ "one", "two", "three", "four", "five", NULL };
         *word; word++) {
        answer = peer_answer(&s, fd, false);
        CHECK(strstr(answer, "\r\n\r\n") && !strcmp(strstr(answer, "\r\n\r\n") + 4, *word),
              "%s: '%s'", *word, answer);
    }
    close(fd);
    stage_close(&s);
}

/* More requests than answers fit into the queue, and a client that first writes all and then reads.
 */
static void test_pipelining_back_pressure(void)
{
    enum { REQUESTS = 50 };
    struct stage s;
    struct net_stats stats;
    char *body = malloc(1 << 20);
    size_t total = 0;
    bool ended = false;
    int fd;

    stage_open(&s, &small, &handler);
    fd = peer_open(&s);
    for (int i = 0; i < REQUESTS; i++)
        peer_say(&s, fd,
                 i < REQUESTS - 1 ? "GET /big HTTP/1.1\r\n\r\n"
                                  : "GET /big HTTP/1.1\r\nConnection: close\r\n\r\n");
    net_stats(s.net, &stats);
    CHECK(stats.buffers < 3 * BIG, "answers pile up: %d", (int)stats.buffers);
    while (!ended)
        total += peer_read(&s, fd, body, 1 << 20, 1, &ended);
    CHECK(total > (size_t)REQUESTS * BIG && total < (size_t)REQUESTS * (BIG + 300), "%zu bytes",
          total);
    CHECK(s.requests == REQUESTS, "%u", s.requests);
    free(body);
    close(fd);
    stage_close(&s);
}

static void test_head(void)
{
    struct stage s;
    const char *answer;
    int fd;

    stage_open(&s, &small, &handler);
    fd = peer_open(&s);
    peer_say(&s, fd,
             "HEAD /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloGET /none HTTP/1.1\r\n\r\n");
    answer = peer_answer(&s, fd, true);
    CHECK(status_of(answer) == 200 && strstr(answer, "Content-Length: 5\r\n"), "'%s'", answer);
    answer = peer_answer(&s, fd, true);
    CHECK(status_of(answer) == 204, "no body before it: '%s'", answer);
    close(fd);
    stage_close(&s);
}

static void test_continue(void)
{
    struct stage s;
    const char *answer;
    int fd;

    stage_open(&s, &small, &handler);
    fd = peer_open(&s);
    peer_say(&s, fd, "POST /echo HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    answer = peer_answer(&s, fd, true);
    CHECK(status_of(answer) == 100, "'%s'", answer);
    peer_say(&s, fd, "da");
    peer_say(&s, fd, "ta");
    answer = peer_answer(&s, fd, false);
    CHECK(status_of(answer) == 200 && strstr(answer, "\r\n\r\ndata"), "'%s'", answer);
    close(fd);
    stage_close(&s);
}

static void test_time(void)
{
    struct stage s;
    int idle, slow, body, busy;

    stage_open(&s, &small, &handler);
    idle = peer_open(&s);
    slow = peer_open(&s);
    body = peer_open(&s);
    busy = peer_open(&s);
    peer_tell(&s, slow, "GET /echo HTTP/1.1\r\nHo", 22);
    peer_tell(&s, body, "POST /echo HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc", 43);
    peer_say(&s, busy, "GET /later HTTP/1.1\r\n\r\n");
    UNTIL(&s, s.later);
    net_turn_clock(s.net, 5000);
    peer_tell(&s, slow, "st: x", 5); /* a drop now and then buys no time */
    net_turn_clock(s.net, 7000);
    CHECK(status_of(peer_answer(&s, slow, false)) == 408 && s.refused_status == 408, "half a head");
    CHECK(s.refused == 1, "the others have more time: %u", s.refused);
    net_turn_clock(s.net, 60000);
    CHECK(status_of(peer_answer(&s, body, false)) == 408 && s.refused == 2, "half a body");
    CHECK(peer_ended(&s, idle) && s.refused == 2, "idle: closed without a word");
    net_turn_clock(s.net, 600000);
    CHECK(s.later, "a handler may take its time");
    net_respond(s.later, 200, "text/plain", "", "at last", 7);
    CHECK(strstr(peer_answer(&s, busy, false), "at last"), "the late answer");
    close(idle), close(slow), close(body), close(busy);
    stage_close(&s);
}

static void test_half_closed(void)
{
    struct stage s;
    const char *answer;
    int fd;

    stage_open(&s, &small, &handler);
    fd = peer_open(&s);
    peer_say(&s, fd,
             "GET /later HTTP/1.1\r\n\r\nPOST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\nend");
    shutdown(fd, SHUT_WR);
    UNTIL(&s, s.later);
    for (int i = 0; i < 10; i++)
        stage_run(&s);
    CHECK(s.later, "its end of writing is no end of reading");
    net_respond(s.later, 200, "text/plain", "", "ok", 2);
    CHECK(strstr(peer_answer(&s, fd, false), "\r\n\r\nok"), "first");
    answer = peer_answer(&s, fd, false);
    CHECK(strstr(answer, "\r\n\r\nend"), "second: '%s'", answer);
    CHECK(peer_ended(&s, fd), "then the end");
    close(fd);
    fd = peer_open(&s);
    peer_say(&s, fd, "GET /echo HT");
    close(fd);
    UNTIL(&s, s.gone == 2);
    CHECK(s.refused == 1 && s.refused_status == 400, "ended inside a request: %u", s.refused);
    fd = peer_open(&s);
    peer_say(&s, fd, "GET /later HTTP/1.1\r\n\r\n");
    UNTIL(&s, s.later);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
    close(fd); /* a reset */
    UNTIL(&s, s.gone == 3);
    CHECK(!s.later, "the handler is told");
    stage_close(&s);
}

static void test_stream(void)
{
    struct stage s;
    size_t put = 0, got = 0, len;
    char *buf = malloc(1 << 20);
    const char *head;
    bool ended = false;
    int fd;

    stage_open(&s, &small, &handler);
    memset(buf, 'x', 1 << 20);
    fd = peer_open(&s);
    peer_say(
        &s, fd,
        "GET /stream HTTP/1.0\r\n\r\n"); /* 1.0: no chunks, the end of the connection is the end */
    UNTIL(&s, s.later);
    while (put < 64 << 20) {
        bool more = net_stream_put(s.later, buf, 10000);

        put += 10000;
        if (!more)
            break;
        stage_run(&s);
    }
    CHECK(put < 64 << 20, "the reader that takes nothing is noticed");
    CHECK(s.writable == 0, "too early");
    head = peer_answer(&s, fd, true);
    CHECK(status_of(head) == 200 && !strstr(head, "chunked"), "'%s'", head);
    while (!s.writable && (len = peer_read(&s, fd, buf, 1 << 20, 1, &ended)) > 0)
        got += len;
    CHECK(s.writable == 1, "on_writable");
    net_stream_put(s.later, "end", 3);
    net_stream_end(s.later);
    while (!ended)
        got += peer_read(&s, fd, buf, 1 << 20, 1, &ended);
    CHECK(got == put + 3, "%zu of %zu", got, put);
    close(fd);
    fd = peer_open(&s);
    peer_say(&s, fd, "GET /stream HTTP/1.1\r\n\r\n");
    UNTIL(&s, s.later);
    net_stream_put(s.later, "0123456789abcdef", 16);
    net_stream_put(s.later, "", 0);
    net_stream_put(s.later, "z", 1);
    net_stream_end(s.later);
    head = peer_answer(&s, fd, true);
    CHECK(strstr(head, "Transfer-Encoding: chunked\r\n"), "'%s'", head);
    len = peer_read(&s, fd, buf, 100, 33, NULL);
    CHECK(len == 33 && !memcmp(buf, "10\r\n0123456789abcdef\r\n1\r\nz\r\n0\r\n\r\n", 33), "'%.*s'",
          (int)len, buf);
    peer_say(&s, fd, "GET /none HTTP/1.1\r\n\r\n");
    CHECK(status_of(peer_answer(&s, fd, true)) == 204, "the connection goes on");
    close(fd);
    free(buf);
    stage_close(&s);
}

static void test_slow_readers(void)
{
    struct net_config c = small;
    struct stage s;
    char *block = calloc(1, 1 << 16);
    int fd, stuck;

    c.max_backlog = 1 << 20;
    stage_open(&s, &c, &handler);
    fd = peer_open(&s);
    peer_say(&s, fd, "GET /stream HTTP/1.1\r\n\r\n");
    UNTIL(&s, s.later);
    for (int i = 0; i < 1000 && s.gone == 0; i++) {
        if (s.later)
            net_stream_put(s.later, block, 1 << 16);
        stage_run(&s);
    }
    CHECK(s.gone == 1 && !s.later, "beyond max_backlog it is dropped");
    close(fd);
    stuck = peer_open(&s);
    peer_say(&s, stuck, "GET /stream HTTP/1.1\r\n\r\n");
    UNTIL(&s, s.later);
    while (net_stream_put(s.later, block, 1 << 16))
        stage_run(&s);
    for (int i = 0; i < 100; i++)
        stage_run(&s);
    net_turn_clock(s.net, 30000);
    CHECK(s.gone == 1, "not yet");
    net_turn_clock(s.net, 40000);
    UNTIL(&s, s.gone == 2);
    close(stuck);
    free(block);
    stage_close(&s);
}

static void test_too_many(void)
{
    struct stage s;
    struct net_stats stats;
    int fds[60];

    stage_open(&s, &small, &handler);
    for (int i = 0; i < 60; i++)
        fds[i] = peer_open(&s);
    for (int i = 0; i < 60; i++) {
        peer_say(&s, fds[i], "GET /echo HTTP/1.1\r\n\r\n");
        CHECK(status_of(peer_answer(&s, fds[i], false)) == (i < 50 ? 200 : 503), "connection %d",
              i);
    }
    CHECK(s.refused == 10 && s.refused_status == 503, "%u refused", s.refused);
    for (int i = 0; i < 60; i++)
        close(fds[i]);
    UNTIL(&s, (net_stats(s.net, &stats), stats.open == 0));
    fds[0] = peer_open(&s);
    peer_say(&s, fds[0], "GET /echo HTTP/1.1\r\n\r\n");
    CHECK(status_of(peer_answer(&s, fds[0], false)) == 200, "room again");
    close(fds[0]);
    stage_close(&s);
}

/* No descriptor left: newcomers are turned away, the loop does not spin on them, and it goes on
 * when there are some again. */
static void test_no_descriptors(void)
{
    struct rlimit old, low;
    struct net_config c = { 0 };
    struct stage s;
    int inside, outside[3];

    stage_open(&s, &c, &handler);
    inside = peer_open(&s);
    peer_say(&s, inside, "GET /echo HTTP/1.1\r\n\r\n");
    CHECK(status_of(peer_answer(&s, inside, false)) == 200, "before");
    for (size_t i = 0; i < 3; i++)
        outside[i] = peer_open(&s); /* in the listen queue: the loop was not turned since */
    getrlimit(RLIMIT_NOFILE, &old);
    low = old;
    low.rlim_cur = 3; /* below every descriptor that is open: none can be added */
    setrlimit(RLIMIT_NOFILE, &low);
    for (int i = 0; i < 10; i++)
        stage_run(&s);
    peer_say(&s, inside, "GET /echo HTTP/1.1\r\n\r\n");
    CHECK(status_of(peer_answer(&s, inside, false)) == 200, "those inside are served");
    setrlimit(RLIMIT_NOFILE, &old);
    net_turn_clock(s.net, 1000);
    for (size_t i = 0; i < 3; i++) {
        unsigned status;

        peer_say(&s, outside[i], "GET /echo HTTP/1.1\r\n\r\n");
        status = status_of(peer_answer(&s, outside[i], false));
        CHECK(status == 200 || status == 503, "in the end all hear something: %u", status);
        close(outside[i]);
    }
    close(inside);
    stage_close(&s);
}

/* 10 MB that are no HTTP: one answer, one count, no memory, and the neighbour does not notice. */
static void test_nonsense(void)
{
    struct stage s;
    struct net_stats stats;
    size_t len = 10u << 20;
    uint8_t *noise = malloc(len);
    uint32_t x = 1;
    int fd, neighbour;

    for (size_t i = 0; i < len; i++) {
        x = x * 1664525 + 1013904223;
        noise[i] = (uint8_t)(x >> 24);
    }
    noise[0] = 7; /* no method begins so */
    stage_open(&s, &small, &handler);
    neighbour = peer_open(&s);
    fd = peer_open(&s);
    CHECK(peer_send(&s, fd, noise, len), "it may say it all");
    CHECK(status_of(peer_answer(&s, fd, false)) == 400, "a clear answer");
    net_stats(s.net, &stats);
    CHECK(s.refused == 1 && stats.refused == 1, "counted once: %u", s.refused);
    CHECK(stats.buffers == 0, "nothing is kept: %d", (int)stats.buffers);
    CHECK(peer_ended(&s, fd), "and closed");
    peer_say(&s, neighbour, "GET /echo HTTP/1.1\r\n\r\n");
    CHECK(status_of(peer_answer(&s, neighbour, false)) == 200, "the neighbour");
    free(noise);
    close(fd), close(neighbour);
    stage_close(&s);
}

static void test_linger_has_an_end(void)
{
    struct stage s;
    int fd;

    stage_open(&s, &small, &handler);
    fd = peer_open(&s);
    peer_say(&s, fd, "nonsense\r\n");
    CHECK(status_of(peer_answer(&s, fd, false)) == 400 && peer_ended(&s, fd), "refused");
    for (int i = 0; i < 10; i++)
        stage_run(&s);
    CHECK(s.gone == 0, "it may still talk");
    net_turn_clock(s.net, 7000);
    UNTIL(&s, s.gone == 1);
    close(fd);
    stage_close(&s);
}

static const struct {
    const char *where, *says;
} addresses[] = {
    { "localhost", "write HOST:PORT" },
    { "127.0.0.1:", "write HOST:PORT" },
    { "127.0.0.1:65536", "write HOST:PORT" },
    { "::1:80", "write HOST:PORT" },
    { "192.0.2.1:0", "assign" }, /* not an address of this machine */
};

static void test_addresses(void)
{
    uv_loop_t loop;

    uv_loop_init(&loop);
    for (size_t i = 0; i < AMP_COUNT(addresses); i++) {
        struct net_config c = { .listen = addresses[i].where };
        char *why = NULL;

        CHECK(!net_open(&loop, &c, &handler, &why), "%s", addresses[i].where);
        CHECK(why && strstr(why, addresses[i].says) && strstr(why, addresses[i].where), "'%s'",
              why ? why : "");
        free(why);
    }
    uv_loop_close(&loop);
}

static void test_port_in_use(void)
{
    struct stage s;
    struct net_config c;
    char *why = NULL;

    stage_open(&s, &small, &handler);
    c = small;
    c.listen = net_address(s.net);
    CHECK(!net_open(&s.loop, &c, &handler, &why) && strstr(why, "in use"), "'%s'", why ? why : "");
    free(why);
    stage_close(&s);
}

static void test_shutdown(void)
{
    struct stage s;
    int idle, busy, stream;
    const char *answer;

    stage_open(&s, &small, &handler);
    idle = peer_open(&s);
    stream = peer_open(&s);
    peer_say(&s, stream, "GET /stream HTTP/1.1\r\n\r\n");
    UNTIL(&s, s.later);
    busy = peer_open(&s);
    peer_say(&s, busy, "GET /later HTTP/1.1\r\n\r\n");
    UNTIL(&s, s.requests == 2);
    net_shutdown(s.net, 60000, stage_done, &s);
    CHECK(peer_ended(&s, idle), "idle ones end at once");
    answer = peer_answer(&s, stream, true);
    CHECK(status_of(answer) == 200, "'%s'", answer);
    net_respond(s.later, 200, "text/plain", "", "ok", 2);
    answer = peer_answer(&s, busy, false);
    CHECK(status_of(answer) == 200 && strstr(answer, "Connection: close"),
          "a busy one gets its answer: '%s'", answer);
    close(idle), close(busy), close(stream);
    UNTIL(&s, s.done);
    net_free(s.net);
    CHECK(uv_loop_close(&s.loop) == 0, "something is left on the loop");
}

int main(void)
{
    RUN(test_answers);
    RUN(test_limits_of_the_head);
    RUN(test_byte_by_byte);
    RUN(test_pipelining);
    RUN(test_pipelining_back_pressure);
    RUN(test_head);
    RUN(test_continue);
    RUN(test_time);
    RUN(test_half_closed);
    RUN(test_stream);
    RUN(test_slow_readers);
    RUN(test_too_many);
    RUN(test_no_descriptors);
    RUN(test_nonsense);
    RUN(test_linger_has_an_end);
    RUN(test_addresses);
    RUN(test_port_in_use);
    RUN(test_shutdown);
    return check_end();
}
