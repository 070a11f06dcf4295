/* ports/posix/loop.c - epoll, the heap of timers, signals. */
#include "ports/posix/loop.h"
#include "ports/posix/resolve.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define EVENTS_MAX  128
#define WAIT_MAX_MS 60000 /* of one epoll_wait: bounds what an error in a deadline can cost */

static void sift_up(struct posix_loop *l, size_t at)
{
    struct posix_timer *t = l->heap[at];

    for (; at > 1 && l->heap[at / 2]->due_ms > t->due_ms; at /= 2) {
        l->heap[at] = l->heap[at / 2];
        l->heap[at]->place = at;
    }
    l->heap[at] = t;
    t->place = at;
}

static void sift_down(struct posix_loop *l, size_t at)
{
    struct posix_timer *t = l->heap[at];

    for (;;) {
        size_t child = at * 2;

        if (child > l->timers)
            break;
        if (child < l->timers && l->heap[child + 1]->due_ms < l->heap[child]->due_ms)
            child++;
        if (l->heap[child]->due_ms >= t->due_ms)
            break;
        l->heap[at] = l->heap[child];
        l->heap[at]->place = at;
        at = child;
    }
    l->heap[at] = t;
    t->place = at;
}

static void grow(struct posix_loop *l)
{
    l->room = l->room ? l->room * 2 : 64;
    l->heap = realloc(l->heap, (l->room + 1) * sizeof *l->heap);
    if (!l->heap) {
        fputs("out of memory\n", stderr);
        abort();
    }
}

void posix_timer_set(struct posix_loop *l, struct posix_timer *t, uint64_t due_ms)
{
    if (t->place) {
        bool earlier = due_ms < t->due_ms;

        t->due_ms = due_ms;
        if (earlier)
            sift_up(l, t->place);
        else
            sift_down(l, t->place);
        return;
    }
    if (l->timers == l->room)
        grow(l);
    t->due_ms = due_ms;
    t->place = ++l->timers;
    l->heap[t->place] = t;
    sift_up(l, t->place);
}

void posix_timer_clear(struct posix_loop *l, struct posix_timer *t)
{
    size_t at = t->place;
    struct posix_timer *last;

    if (!at)
        return;
    t->place = 0;
    last = l->heap[l->timers--];
    if (last == t)
        return;
    l->heap[at] = last;
    last->place = at;
    sift_up(l, at);
    sift_down(l, last->place);
}

int posix_watch_add(struct posix_loop *l, struct posix_watch *w, int fd, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.ptr = w };

    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
        return AMP_E_IO;
    w->fd = fd;
    return 0;
}

void posix_watch_change(struct posix_loop *l, struct posix_watch *w, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.ptr = w };

    if (w->fd >= 0)
        epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev); /* a watched descriptor: cannot fail */
}

void posix_watch_remove(struct posix_loop *l, struct posix_watch *w)
{
    if (w->fd >= 0)
        epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    w->fd = -1;
}

static void on_signal(void *ctx, uint32_t events)
{
    struct posix_loop *l = ctx;
    struct signalfd_siginfo info;

    (void)events;
    if (read(l->signals.fd, &info, sizeof info) == (ssize_t)sizeof info) {
        l->signal = (int)info.ssi_signo;
        l->stop = true;
    }
}

static int catch_signals(struct posix_loop *l)
{
    sigset_t set;
    int fd;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return AMP_E_IO;
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return AMP_E_IO;
    l->signals = (struct posix_watch){ .fd = -1, .ready = on_signal, .ctx = l };
    if (posix_watch_add(l, &l->signals, fd, EPOLLIN) < 0) {
        close(fd);
        return AMP_E_IO;
    }
    return 0;
}

static void raise_files(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE,
                  &files); /* as far as it goes: later opens report what does not fit */
    }
}

int posix_loop_open(struct posix_loop *l, uint32_t speed_permille, bool signals)
{
    memset(l, 0, sizeof *l);
    l->signals.fd = -1;
    posix_clock_init(&l->clock, speed_permille);
    raise_files();
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll_fd < 0)
        return AMP_E_IO;
    if (signals && catch_signals(l) < 0) {
        close(l->epoll_fd);
        return AMP_E_IO;
    }
    return 0;
}

void posix_loop_close(struct posix_loop *l)
{
    posix_resolver_free(l);
    if (l->signals.fd >= 0)
        close(l->signals.fd);
    close(l->epoll_fd);
    free(l->heap);
    l->heap = NULL;
    l->timers = l->room = 0;
}

/* Real milliseconds until the first timer, rounded up so that a round never comes too early. */
static int wait_for(const struct posix_loop *l, int wait_ms)
{
    uint64_t now = posix_clock_now(&l->clock), left;
    int most = wait_ms < 0 || wait_ms > WAIT_MAX_MS ? WAIT_MAX_MS : wait_ms;

    if (l->timers == 0)
        return most;
    if (l->heap[1]->due_ms <= now)
        return 0;
    if (l->clock.speed_permille == 0)
        return most; /* only posix_clock_turn can make it due */
    left = l->heap[1]->due_ms - now;
    if (left > UINT64_MAX / 2000)
        return most;
    left = (left * 1000 + l->clock.speed_permille - 1) / l->clock.speed_permille;
    return left < (uint64_t)most ? (int)left : most;
}

static bool fire_due(struct posix_loop *l)
{
    bool fired = false;
    uint64_t now = posix_clock_now(&l->clock);

    /* At most as many as there are now: a timer that sets itself to "at once" must not starve the
     * sockets. */
    for (size_t n = l->timers; n > 0 && l->timers > 0 && l->heap[1]->due_ms <= now; n--) {
        struct posix_timer *t = l->heap[1];

        posix_timer_clear(l, t);
        t->fire(t->ctx);
        fired = true;
    }
    return fired;
}

bool posix_run_once(struct posix_loop *l, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_wait(l->epoll_fd, events, EVENTS_MAX, wait_for(l, wait_ms));

    for (int i = 0; i < n; i++) {
        struct posix_watch *w = events[i].data.ptr;

        if (w->fd >= 0) /* else removed earlier in this round */
            w->ready(w->ctx, events[i].events);
    }
    return fire_due(l) || n > 0;
}

void posix_run(struct posix_loop *l)
{
    while (!l->stop)
        posix_run_once(l, -1);
}

void posix_stop(struct posix_loop *l)
{
    l->stop = true;
}
