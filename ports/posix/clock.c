/* ports/posix/clock.c - the time that devices see. */
#include "ports/posix/loop.h"

#include <time.h>

static uint64_t read_ms(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void posix_clock_init(struct posix_clock *c, uint32_t speed_permille)
{
    *c = (struct posix_clock){
        .real_ms = read_ms(CLOCK_BOOTTIME), /* goes on over suspend */
        .unix_ms = (int64_t)read_ms(CLOCK_REALTIME),
        .speed_permille = speed_permille,
    };
}

static uint64_t elapsed(const struct posix_clock *c)
{
    if (c->speed_permille == 0)
        return c->turned_ms;
    return (read_ms(CLOCK_BOOTTIME) - c->real_ms) * c->speed_permille / 1000;
}

uint64_t posix_clock_now(const struct posix_clock *c)
{
    return POSIX_CLOCK_START + elapsed(c);
}

int64_t posix_clock_unix_ms(const struct posix_clock *c)
{
    return c->unix_ms + (int64_t)elapsed(c);
}

void posix_clock_turn(struct posix_clock *c, uint64_t by_ms)
{
    c->turned_ms += by_ms;
}
