/* central/limit.c - a set-associative table: a key may live in LIMIT_WAYS places, the one that
 * ends first gives way. */
#include "central/limit.h"
#include <stddef.h>

static struct limit_entry *find(struct limit *l, uint64_t key, struct limit_entry **victim)
{
    struct limit_entry *set = &l->entries[(key % (LIMIT_KEYS / LIMIT_WAYS)) * LIMIT_WAYS];

    if (victim)
        *victim = set;
    for (int i = 0; i < LIMIT_WAYS; i++) {
        if (set[i].key == key && set[i].count)
            return &set[i];
        if (victim && set[i].until_ms < (*victim)->until_ms)
            *victim = &set[i];
    }
    return NULL;
}

int64_t limit_take_many(struct limit *l, uint64_t key, uint32_t n, uint32_t max, int64_t window_ms,
                        int64_t now_ms)
{
    struct limit_entry *victim, *e = find(l, key, &victim);

    if (!e || now_ms >= e->until_ms) {
        e = e ? e : victim;
        *e = (struct limit_entry){ key, now_ms + window_ms, n };
        return n > max ? window_ms : 0;
    }
    if (n > max || e->count > max - n)
        return e->until_ms - now_ms;
    e->count += n;
    return 0;
}

int64_t limit_take(struct limit *l, uint64_t key, uint32_t max, int64_t window_ms, int64_t now_ms)
{
    return limit_take_many(l, key, 1, max, window_ms, now_ms);
}

int64_t limit_left(struct limit *l, uint64_t key, int64_t now_ms)
{
    struct limit_entry *e = find(l, key, NULL);

    return e && now_ms < e->until_ms ? e->until_ms - now_ms : 0;
}

void limit_give(struct limit *l, uint64_t key)
{
    struct limit_entry *e = find(l, key, NULL);

    if (e)
        e->count--;
}

void limit_clear(struct limit *l, uint64_t key)
{
    struct limit_entry *e = find(l, key, NULL);

    if (e)
        *e = (struct limit_entry){ 0, 0, 0 };
}
