/* central/domain/map.h - a hash map of pointers: open addressing, linear probing, no tombstones.
 * The map owns nothing; it stores the hash beside the pointer, so that growing and most misses
 * never touch an item. */
#ifndef CENTRAL_MAP_H
#define CENTRAL_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
    uint64_t hash;
    void *item; /* NULL: free */
};

struct map {
    struct map_slot *slots;
    size_t mask, count;
};

/* Is `item` the one that `key` means? Asked only when the hashes are equal. */
typedef bool map_same_fn(const void *item, const void *key);

void map_put(struct map *m, uint64_t hash, void *item); /* the caller knows that it is not in */
void *map_get(const struct map *m, uint64_t hash, map_same_fn *same, const void *key);
void map_remove(struct map *m, uint64_t hash, const void *item); /* no-op when it is not in */
void map_clear(struct map *m);

/* Spreads small integers, so that keys 1, 2, 3 ... do not form one long run. */
uint64_t map_hash_int(int64_t key);

#endif
