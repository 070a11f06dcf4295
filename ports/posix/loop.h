/* ports/posix/loop.h - one thread that drives thousands of devices: epoll for sockets, a heap for
 * timers, a clock that can be turned. Cost of an event does not grow with the number of devices,
 * but for the heap's log n. Linux (epoll, eventfd, signalfd). */
#ifndef POSIX_LOOP_H
#define POSIX_LOOP_H

#include "ocpp/err.h"
#include <stdbool.h>

/* The time that devices see. It begins at POSIX_CLOCK_START and runs `speed_permille` thousandths
 * as fast as the real one (over suspend too); at speed 0 it stands until posix_clock_turn moves it.
 * Never goes back. */
#define POSIX_CLOCK_START 1000 /* not 0, so that no deadline can be taken for "none" */

struct posix_clock {
    uint64_t real_ms;        /* real monotonic time at the start */
    int64_t unix_ms;         /* wall clock at the start */
    uint64_t turned_ms;      /* speed 0: how far it was turned */
    uint32_t speed_permille; /* 1000: real time */
};

void posix_clock_init(struct posix_clock *c, uint32_t speed_permille);
uint64_t posix_clock_now(const struct posix_clock *c);
int64_t posix_clock_unix_ms(
    const struct posix_clock *c); /* wall clock of the devices: runs as fast as they do */
void posix_clock_turn(struct posix_clock *c, uint64_t by_ms); /* speed 0 only */

/* In the owner's memory, zeroed before the first use. Fires once. */
struct posix_timer {
    uint64_t due_ms;
    size_t place; /* in the heap, from 1; 0: not set */
    void (*fire)(void *ctx);
    void *ctx;
};

/* A descriptor that is watched; in the owner's memory, which must stay until the round in which it
 * was removed is over. */
struct posix_watch {
    int fd;                                    /* -1: not watched */
    void (*ready)(void *ctx, uint32_t events); /* EPOLLIN, EPOLLOUT, ... */
    void *ctx;
};

struct posix_resolver;

struct posix_loop {
    struct posix_clock clock;
    int epoll_fd;
    struct posix_watch signals;
    struct posix_timer **heap; /* [1..timers], the earliest first */
    size_t timers, room;
    bool stop;
    int signal;                      /* SIGINT or SIGTERM that ended the run, else 0 */
    struct posix_resolver *resolver; /* made when the first name must be looked up */
    unsigned char scratch[16384];    /* received bytes, on their way to the device */
};

/* 0, or AMP_E_IO (errno says why). With `signals`, SIGINT and SIGTERM stop the run instead of
 * ending the process; SIGPIPE is ignored. Also raises the limit of open files as far as it goes. */
int posix_loop_open(struct posix_loop *l, uint32_t speed_permille, bool signals) AMP_CHECKED;
void posix_loop_close(struct posix_loop *l);

/* Set, or move, a timer. The heap grows as needed; a process that cannot have 8 bytes a timer ends.
 */
void posix_timer_set(struct posix_loop *l, struct posix_timer *t, uint64_t due_ms);
void posix_timer_clear(struct posix_loop *l, struct posix_timer *t);

int posix_watch_add(struct posix_loop *l, struct posix_watch *w, int fd,
                    uint32_t events) AMP_CHECKED; /* 0, AMP_E_IO */
void posix_watch_change(struct posix_loop *l, struct posix_watch *w, uint32_t events);
void posix_watch_remove(struct posix_loop *l,
                        struct posix_watch *w); /* does not close the descriptor */

/* One round: wait at most `wait_ms` of real time for what comes first, then handle all that is due.
 * True when there was something: with speed 0 and peers on the same loop, turn the clock when a
 * round without waiting finds nothing. */
bool posix_run_once(struct posix_loop *l, int wait_ms);

/* Rounds until posix_stop or a signal. */
void posix_run(struct posix_loop *l);
void posix_stop(struct posix_loop *l);

#endif
