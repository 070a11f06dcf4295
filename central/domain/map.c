/* central/domain/map.c - the hash map of the world. */
#include "central/domain/map.h"
#include "central/domain/inside.h"

static void grow(struct map *m)
{
    struct map old = *m;
    size_t cap = old.slots ? (old.mask + 1) * 2 : 16;

    m->slots = must(calloc(cap, sizeof *m->slots));
    m->mask = cap - 1;
    m->count = 0;
    for (size_t i = 0; old.slots && i <= old.mask; i++)
        if (old.slots[i].item)
            map_put(m, old.slots[i].hash, old.slots[i].item);
    free(old.slots);
}

void map_put(struct map *m, uint64_t hash, void *item)
{
    size_t i;

    if (!m->slots || (m->count + 1) * 4 > (m->mask + 1) * 3)
        grow(m);
    for (i = hash & m->mask; m->slots[i].item; i = (i + 1) & m->mask)
        ;
    m->slots[i] = (struct map_slot){ hash, item };
    m->count++;
}

void *map_get(const struct map *m, uint64_t hash, map_same_fn *same, const void *key)
{
    if (!m->slots)
        return NULL;
    for (size_t i = hash & m->mask; m->slots[i].item; i = (i + 1) & m->mask)
        if (m->slots[i].hash == hash && same(m->slots[i].item, key))
            return m->slots[i].item;
    return NULL;
}

void map_remove(struct map *m, uint64_t hash, const void *item)
{
    size_t i, hole;

    if (!m->slots)
        return;
    for (i = hash & m->mask; m->slots[i].item != item; i = (i + 1) & m->mask)
        if (!m->slots[i].item)
            return;
    m->count--;
    /* Move back whatever would no longer be found across the hole. */
    for (hole = i, i = (i + 1) & m->mask; m->slots[i].item; i = (i + 1) & m->mask) {
        size_t home = m->slots[i].hash & m->mask;

        if (((i - home) & m->mask) >= ((i - hole) & m->mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole].item = NULL;
}

void map_clear(struct map *m)
{
    free(m->slots);
    *m = (struct map){ 0 };
}

uint64_t map_hash_int(int64_t key)
{
    uint64_t x = (uint64_t)key * 0x9E3779B97F4A7C15u;

    return x ^ (x >> 32);
}
