/* central/limit.h - how often something may be tried: counts per key in windows of time. Fixed
 * memory; a key that is pushed out by others starts anew, so the table is large against what one
 * attacker can hold at once. */
#ifndef CENTRAL_LIMIT_H
#define CENTRAL_LIMIT_H

#include <stdint.h>

#define LIMIT_KEYS 4096
#define LIMIT_WAYS 8

struct limit {
    struct limit_entry {
        uint64_t key;
        int64_t until_ms; /* end of the window */
        uint32_t count;
    } entries[LIMIT_KEYS];
};

/* Count one try of `key`, at most `max` in `window_ms`. 0: go on; else the milliseconds to wait,
 * and nothing was counted. */
int64_t limit_take(struct limit *l, uint64_t key, uint32_t max, int64_t window_ms, int64_t now_ms);
/* The same for `n` at once: nothing is refused that fits. */
int64_t limit_take_many(struct limit *l, uint64_t key, uint32_t n, uint32_t max, int64_t window_ms,
                        int64_t now_ms);
/* The milliseconds until the window of `key` ends; 0: it has none. Counts nothing. */
int64_t limit_left(struct limit *l, uint64_t key, int64_t now_ms);
/* The try was a good one: it does not count. */
void limit_give(struct limit *l, uint64_t key);
/* Forget the key. */
void limit_clear(struct limit *l, uint64_t key);

#endif
