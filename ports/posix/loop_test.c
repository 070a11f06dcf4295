/* ports/posix/loop_test.c - timers fire in order and on a clock that is turned; watches may vanish
 * in their own round. */
#include "ocpp/check.h"
#include "ports/posix/loop.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define TIMERS 500

static struct posix_loop loop;

struct probe {
    struct posix_timer timer;
    uint64_t fired_at;
    int count;
};

static int order;

static void note(void *ctx)
{
    struct probe *p = ctx;

    p->fired_at = posix_clock_now(&loop.clock);
    p->count++;
    order++;
}

static void test_timers(void)
{
    static struct probe probes[TIMERS];
    int fired = 0;

    CHECK(posix_loop_open(&loop, 0, false) == 0, "open");
    memset(probes, 0, sizeof probes);
    srand(7);
    for (int i = 0; i < TIMERS; i++) {
        probes[i].timer.fire = note;
        probes[i].timer.ctx = &probes[i];
        posix_timer_set(&loop, &probes[i].timer, POSIX_CLOCK_START + (uint64_t)(rand() % 1000));
    }
    for (int i = 0; i < TIMERS; i += 3) /* moved, earlier or later */
        posix_timer_set(&loop, &probes[i].timer, POSIX_CLOCK_START + (uint64_t)(rand() % 1000));
    for (int i = 1; i < TIMERS; i += 3)
        posix_timer_clear(&loop, &probes[i].timer);
    order = 0;
    for (int t = 0; t <= 1000; t++) {
        posix_run_once(&loop, 0);
        posix_clock_turn(&loop.clock, 1);
    }
    for (int i = 0; i < TIMERS; i++) {
        bool cleared = i % 3 == 1;

        CHECK(probes[i].count == !cleared, "timer %d fired %d times", i, probes[i].count);
        CHECK(cleared || probes[i].fired_at == probes[i].timer.due_ms, "timer %d: due %d, fired %d",
              i, (int)probes[i].timer.due_ms, (int)probes[i].fired_at);
        fired += probes[i].count;
    }
    CHECK(fired == order && loop.timers == 0, "%d of %d", fired, order);
    posix_loop_close(&loop);
}

static void again(void *ctx)
{
    struct probe *p = ctx;

    p->count++;
    posix_timer_set(&loop, &p->timer, posix_clock_now(&loop.clock));
}

static void test_at_once(void)
{
    struct probe p = { .timer = { .fire = again, .ctx = &p } };

    CHECK(posix_loop_open(&loop, 0, false) == 0, "open");
    posix_timer_set(&loop, &p.timer, POSIX_CLOCK_START);
    posix_run_once(&loop, 0);
    CHECK(p.count == 1, "a timer that is always due gets one turn a round, not %d", p.count);
    posix_loop_close(&loop);
}

/* The clock at 20 times the speed: 2 s of the devices' time is at least, and need not be much more
 * than, 100 ms of ours. */
static void test_speed(void)
{
    struct probe p = { .timer = { .fire = note, .ctx = &p } };
    struct posix_clock real;

    posix_clock_init(&real, 1000);
    CHECK(posix_loop_open(&loop, 20000, false) == 0, "open");
    posix_timer_set(&loop, &p.timer, POSIX_CLOCK_START + 2000);
    while (p.count == 0)
        posix_run_once(&loop, -1);
    CHECK(p.fired_at >= POSIX_CLOCK_START + 2000, "fired at %d", (int)p.fired_at);
    CHECK(posix_clock_now(&real) - POSIX_CLOCK_START >= 99, "too early: %d ms",
          (int)(posix_clock_now(&real) - POSIX_CLOCK_START));
    posix_loop_close(&loop);
}

static struct posix_watch watches[2];
static int ready_count;

static void remove_other(void *ctx, uint32_t events)
{
    struct posix_watch *me = ctx;
    struct posix_watch *other = me == &watches[0] ? &watches[1] : &watches[0];

    CHECK(events & EPOLLIN, "events %x", events);
    ready_count++;
    posix_watch_remove(&loop, other);
}

static void test_watches(void)
{
    int pipes[2][2];

    CHECK(posix_loop_open(&loop, 1000, false) == 0, "open");
    for (int i = 0; i < 2; i++) {
        CHECK(pipe(pipes[i]) == 0, "pipe");
        watches[i] = (struct posix_watch){ .fd = -1, .ready = remove_other, .ctx = &watches[i] };
        CHECK(posix_watch_add(&loop, &watches[i], pipes[i][0], EPOLLIN) == 0, "add");
        CHECK(write(pipes[i][1], "x", 1) == 1, "write");
    }
    ready_count = 0;
    posix_run_once(&loop, 0);
    CHECK(ready_count == 1, "a watch removed in this round is not called: %d calls", ready_count);
    for (int i = 0; i < 2; i++) {
        posix_watch_remove(&loop, &watches[i]);
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
    posix_loop_close(&loop);
}

static void test_signal(void)
{
    CHECK(posix_loop_open(&loop, 1000, true) == 0, "open");
    CHECK(raise(SIGTERM) == 0, "raise"); /* blocked by the loop: ends the run, not the process */
    posix_run(&loop);
    CHECK(loop.signal == SIGTERM, "signal %d", loop.signal);
    posix_loop_close(&loop);
}

int main(void)
{
    RUN(test_timers);
    RUN(test_at_once);
    RUN(test_speed);
    RUN(test_watches);
    RUN(test_signal);
    return check_end();
}
