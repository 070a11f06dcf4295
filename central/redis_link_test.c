/* Addresses of a Redis, and a connection to nobody: it comes again with growing pauses and never
 * holds the loop. */
#include "central/redis_link.h"
#include "ocpp/check.h"

static const struct {
    const char *url, *host, *user, *password;
    int port, database;
} good[] = {
    { "redis://10.0.0.21", "10.0.0.21", "", "", 6379, 0 },
    { "redis://cache.example:7000", "cache.example", "", "", 7000, 0 },
    { "redis://cache.example/3", "cache.example", "", "", 6379, 3 },
    { "redis://:secret@h:1/0", "h", "", "secret", 1, 0 },
    { "redis://me:s%40e:c@h", "h", "me", "s@e:c", 6379, 0 },
    { "redis://me@h", "h", "me", "", 6379, 0 },
    { "redis://[::1]:7/2", "::1", "", "", 7, 2 },
    { "redis://[::1]", "::1", "", "", 6379, 0 },
    { "redis://h/", "h", "", "", 6379, 0 },
};

static const char *const bad[] = { "",           "localhost",      "http://h",    "redis://",
                                   "redis://:7", "redis://h:x",    "redis://h/x", "redis://h:70000",
                                   "redis:///1", "redis://a%zz@h", "redis://h/-1" };

static void test_address(void)
{
    struct redis_address a;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK(redis_address_of(good[i].url, &a), "%s", good[i].url);
        CHECK(!strcmp(a.host, good[i].host) && !strcmp(a.user, good[i].user) &&
                  !strcmp(a.password, good[i].password) && a.port == good[i].port &&
                  a.database == good[i].database,
              "%s: '%s' '%s' '%s' %d %d", good[i].url, a.host, a.user, a.password, a.port,
              a.database);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!redis_address_of(bad[i], &a), "'%s'", bad[i]);
}

static void on_connected(void *ctx)
{
    (void)ctx;
    CHECK(false, "nobody is there");
}

/* Until the attempt that is under way has failed. */
static void fail_once(uv_loop_t *loop, struct redis_link *l)
{
    int64_t pause = l->pause_ms;

    while (l->pause_ms == pause && (l->context || l->resolve))
        uv_run(loop, UV_RUN_ONCE);
}

static void on_turn(uv_timer_t *t)
{
    (void)t;
}

static void test_nobody(void)
{
    struct redis_address a;
    struct redis_link l;
    uv_loop_t loop;
    const char *argv[] = { "PING" };
    const size_t lens[] = { 4 };
    uv_timer_t alive; /* the link alone does not keep the loop */
    int64_t pause = 0;

    uv_loop_init(&loop);
    uv_timer_init(&loop, &alive);
    uv_timer_start(&alive, on_turn, 10, 10);
    CHECK(redis_address_of("redis://127.0.0.1:1", &a), "an address");
    l = (struct redis_link){ .loop = &loop, .address = &a, .on_connected = on_connected };
    for (int i = 0; i < 7; i++) {
        l.next_ms = 0; /* the pause is over */
        redis_link_tick(&l);
        CHECK(!redis_link_send(&l, 1, argv, lens), "nothing is queued for nobody");
        fail_once(&loop, &l);
        CHECK(!l.context && l.pause_ms >= pause, "pause %d", (int)l.pause_ms);
        pause = l.pause_ms;
    }
    CHECK(pause == 15000, "the longest pause: %d", (int)pause);
    redis_link_tick(&l);
    CHECK(!l.resolve && !l.context, "not before its time");
    l.next_ms = 0;
    redis_link_tick(&l);
    uv_close((uv_handle_t *)&alive, NULL);
    redis_link_close(&l); /* in the middle of an attempt */
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop) == 0, "nothing is left on the loop");
}

int main(void)
{
    RUN(test_address);
    RUN(test_nobody);
    return check_end();
}
