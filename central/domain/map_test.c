/* central/domain/map_test.c - the map against a plain array, through growth and removal. */
#include "central/domain/inside.h"
#include "ocpp/check.h"

#define N 1000

static int items[N];

static bool same(const void *item, const void *key)
{
    return *(const int *)item == *(const int *)key;
}

/* All items share few hashes, so that runs collide and wrap around the end. */
static uint64_t hash(int i)
{
    return (uint64_t)i % 37 * 0xfffffffffffffff1u;
}

static void test_against_array(void)
{
    struct map m = { 0 };
    bool in[N] = { false };
    uint32_t random = 1;
    size_t count = 0;

    for (int i = 0; i < N; i++)
        items[i] = i;
    for (int step = 0; step < 20000; step++) {
        int i;

        random = random * 1664525u + 1013904223u;
        i = (int)(random >> 8) % N;
        if (in[i])
            map_remove(&m, hash(i), &items[i]), count--;
        else
            map_put(&m, hash(i), &items[i]), count++;
        in[i] = !in[i];
    }
    CHECK(m.count == count, "%zu of %zu", m.count, count);
    for (int i = 0; i < N; i++) {
        int *found = map_get(&m, hash(i), same, &i);

        CHECK((found != NULL) == in[i], "item %d", i);
        CHECK(!found || *found == i, "item %d is %d", i, *found);
    }
    map_clear(&m);
    CHECK(map_get(&m, 0, same, &items[0]) == NULL, "an empty map holds nothing");
    map_remove(&m, 0, &items[0]);
}

int main(void)
{
    RUN(test_against_array);
    return check_end();
}
