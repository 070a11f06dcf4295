/* central/relay_test.c - facts are shown after their commit, in order, and after a failure not
 * before the disk has them. The store and the live feed of this test are its own. */
#include "central/cluster.h"
#include "central/redis.h"
#include "central/relay.h"
#include "central/rest/live.h"
#include "ocpp/check.h"

#include <stdlib.h>

#define SHOWN_MAX 256

/* The questions that the store was asked, and what the feed has shown: charger keys. */
static struct question {
    store_done_fn *done;
    void *ctx;
} asked[SHOWN_MAX];
static size_t asked_count, answered;
static int64_t shown[SHOWN_MAX], shown_total;
static size_t shown_count;

void store_after(struct store *s, store_done_fn *done, void *ctx)
{
    (void)s;
    asked[asked_count++ % SHOWN_MAX] = (struct question){ done, ctx };
}

void live_publish(struct live *l, const struct fact *f)
{
    (void)l;
    shown_total++;
    if (shown_count < SHOWN_MAX)
        shown[shown_count++] = f->u.charger.key;
}

/* What was said under this epoch is refused. */
bool cluster_refused(const struct cluster *cl, const struct fact *f, int64_t epoch)
{
    (void)cl, (void)f;
    return epoch == 3;
}

void redis_publish(struct redis *r, const struct fact *f)
{
    (void)r, (void)f;
}

void redis_flush(struct redis *r)
{
    (void)r;
}

/* The disk answers the oldest question. */
static void answer(int rc)
{
    struct question *q = &asked[answered++ % SHOWN_MAX];

    q->done(q->ctx, rc);
}

static void put(struct relay *r, int64_t key)
{
    struct fact f = { .kind = FACT_CHARGER };

    f.u.charger.key = key;
    relay_put(r, &f, 0);
}

static bool have_shown(size_t count)
{
    if (shown_count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (shown[i] != (int64_t)i + 1)
            return false;
    }
    return true;
}

struct bench {
    uv_loop_t loop;
    struct central c;
    struct relay *r;
};

static void bench_open(struct bench *b)
{
    asked_count = answered = shown_count = 0;
    shown_total = 0;
    memset(b, 0, sizeof *b);
    uv_loop_init(&b->loop);
    b->c.loop = &b->loop;
    b->r = relay_new(&b->c);
}

static void bench_close(struct bench *b)
{
    while (answered < asked_count)
        answer(AMP_E_IO); /* as store_close does */
    relay_free(b->r);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&b->loop) == 0, "something is left on the loop");
}

static void test_order(void)
{
    struct bench b;

    bench_open(&b);
    put(b.r, 1), put(b.r, 2), put(b.r, 3);
    CHECK(asked_count == 0, "nothing is asked before the turn is over");
    uv_run(&b.loop, UV_RUN_NOWAIT);
    CHECK(asked_count == 1 && have_shown(0), "one question a turn: %zu", asked_count);
    put(b.r, 4);
    uv_run(&b.loop, UV_RUN_NOWAIT);
    uv_run(&b.loop, UV_RUN_NOWAIT);
    CHECK(asked_count == 2, "and none for a turn without facts: %zu", asked_count);
    answer(0);
    CHECK(have_shown(3), "%zu", shown_count);
    answer(0);
    CHECK(have_shown(4), "%zu", shown_count);
    bench_close(&b);
}

/* A fact of a station that another node owns by now is no fact. */
static void test_refused(void)
{
    struct fact f = { .kind = FACT_CHARGER };
    struct bench b;

    bench_open(&b);
    b.c.cluster = (struct cluster *)(void *)&b;
    for (f.u.charger.key = 1; f.u.charger.key <= 4; f.u.charger.key++)
        relay_put(b.r, &f, f.u.charger.key);
    relay_flush(b.r);
    answer(0);
    CHECK(shown_count == 3 && shown[1] == 2 && shown[2] == 4, "%zu", shown_count);
    bench_close(&b);
}

static void test_failure(void)
{
    struct bench b;

    bench_open(&b);
    put(b.r, 1);
    relay_flush(b.r);
    put(b.r, 2);
    relay_flush(b.r);
    answer(AMP_E_IO);
    CHECK(have_shown(0), "not on disk, not shown");
    answer(0);
    CHECK(have_shown(2), "what is behind it is on disk, so it is too: %zu", shown_count);
    put(b.r, 3);
    relay_flush(b.r);
    answer(AMP_E_IO);
    CHECK(asked_count == 3, "it is not asked again at once");
    relay_tick(b.r);
    relay_tick(b.r);
    CHECK(asked_count == 4 && have_shown(2), "but in the next second, once: %zu", asked_count);
    answer(0);
    CHECK(have_shown(3), "%zu", shown_count);
    relay_tick(b.r);
    CHECK(asked_count == 4, "and then there is nothing to ask");
    bench_close(&b);
}

static void test_full(void)
{
    struct bench b;

    bench_open(&b);
    for (int64_t i = 0; i < RELAY_MAX + 1000; i++) {
        put(b.r, i);
        if (i % 500 == 499)
            relay_flush(b.r);
    }
    while (answered < asked_count - 1)
        answer(AMP_E_IO);
    answer(0);
    CHECK(shown_total > RELAY_MAX - 1000 && shown_total <= RELAY_MAX, "%d are shown in the end",
          (int)shown_total);
    CHECK(shown[0] == RELAY_MAX + 1000 - shown_total - (RELAY_MAX + 1000) % 500,
          "the oldest were let go: %d", (int)shown[0]);
    bench_close(&b);
}

static void test_end(void)
{
    struct bench b;

    bench_open(&b);
    put(b.r, 1);
    relay_flush(b.r);
    put(b.r, 2); /* never asked about */
    bench_close(&b);
    CHECK(have_shown(0), "%zu", shown_count);
}

int main(void)
{
    RUN(test_order);
    RUN(test_refused);
    RUN(test_failure);
    RUN(test_full);
    RUN(test_end);
    return check_end();
}
