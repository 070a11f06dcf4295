/* central/net/turn_test.c - one that sends thousands of messages at once gets its turn as all
 * others do, no more: nobody's message waits behind all of its. */
#include "central/net/stage.h"

#include <sys/ioctl.h>

static char order[8192]; /* who sent the n-th message: its first character */
static unsigned count;

static void on_request(void *ctx, const struct net_request *r)
{
    (void)ctx;
    net_upgrade(r->conn, r->head, AMP_NO_TEXT);
}

static void on_message(void *ctx, struct net_conn *c, enum amp_ws_opcode op, struct amp_text data)
{
    (void)ctx, (void)op;
    if (count < sizeof order - 1)
        order[count++] = data.at[0];
    if (amp_text_is(data, "drop"))
        net_close(c, 0, NULL);
    if (amp_text_is(data, "bye"))
        net_close(c, 1000, "bye");
}

static void on_closed(void *ctx, struct net_conn *c, int code, const char *why)
{
    struct stage *s = ctx;

    (void)c, (void)code, (void)why;
    s->closed++;
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
static const struct net_config config = { .max_message = 100000, .max_backlog = 1 << 20 };

/* Bytes that have come to the server's sockets and were not read. */
static size_t unread(const struct stage *s)
{
    size_t all = 0;

    for (size_t i = 0; i < WHEEL_SLOTS; i++)
        for (const struct net_conn *c = s->net->slots[i]; c; c = c->next) {
            int n = 0;

            CHECK(ioctl(c->fd, FIONREAD, &n) == 0, "FIONREAD");
            all += (size_t)n;
        }
    return all;
}

/* So many messages of this text in the kernel's buffer; nothing is handled yet. */
static void flood(struct stage *s, int fd, const char *text, unsigned times)
{
    static uint8_t all[65536];
    size_t n = 0, before = unread(s);

    for (unsigned i = 0; i < times; i++)
        n += peer_frame(all + n, 0x81, text, strlen(text));
    CHECK(n < sizeof all, "%zu bytes", n);
    CHECK(send(fd, all, n, 0) == (ssize_t)n, "all at once");
    while (unread(s) < before + n) /* the loop is not turned meanwhile */
        usleep(100);
}

static void test_turns(void)
{
    struct stage s;
    const char *at;
    unsigned worst = 0;
    int bad, good;

    stage_open(&s, &config, &handler);
    bad = peer_websocket(&s);
    good = peer_websocket(&s);
    count = 0;
    flood(&s, bad, "b", 5000);
    flood(&s, good, "g", 1);
    UNTIL(&s, count == 5001);
    at = memchr(order, 'g', count);
    CHECK(at && at - order <= 2 * TURN_MESSAGES, "the good one was number %d", (int)(at - order));
    /* two that flood take turns; and no message is lost or put in another order */
    count = 0;
    flood(&s, bad, "b", 1000);
    flood(&s, good, "g", 1000);
    UNTIL(&s, count == 2000);
    for (unsigned run = 0, i = 1; i < count; i++) {
        run = order[i] == order[i - 1] ? run + 1 : 0;
        worst = run > worst && i < 1900 ? run : worst;
    }
    CHECK(worst < 2 * TURN_MESSAGES, "%u in a row", worst);
    close(bad);
    close(good);
    UNTIL(&s, s.gone == 2);
    stage_close(&s);
}

/* What a message in the middle does to those behind it. */
static void test_ends(void)
{
    static const char *const ends[] = { "drop", "bye" };

    for (size_t i = 0; i < AMP_COUNT(ends); i++) {
        struct stage s;
        int bad;

        stage_open(&s, &config, &handler);
        bad = peer_websocket(&s);
        count = 0;
        flood(&s, bad, "b", 100);
        flood(&s, bad, ends[i], 1);
        flood(&s, bad, "x", 1000);
        UNTIL(&s, count >= 101);
        close(bad);
        UNTIL(&s, s.gone == 1);
        CHECK(count == 101 && s.closed == 1, "%u messages after %s", count, ends[i]);
        stage_close(&s);
    }
}

/* The peer sends and goes: what it sent is handled before its end is. And a server that stops while
 * somebody waits for its turn. */
static void test_gone(void)
{
    struct stage s;
    int bad;

    stage_open(&s, &config, &handler);
    bad = peer_websocket(&s);
    count = 0;
    flood(&s, bad, "b", 3000);
    close(bad);
    UNTIL(&s, s.gone == 1);
    CHECK(count == 3000, "%u of 3000", count);
    bad = peer_websocket(&s);
    count = 0;
    flood(&s, bad, "b", 5000);
    UNTIL(&s, count > 0);
    CHECK(count < 5000, "in the middle");
    stage_close(&s);
    close(bad);
}

int main(void)
{
    RUN(test_turns);
    RUN(test_ends);
    RUN(test_gone);
    return check_end();
}
