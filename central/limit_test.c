/* central/limit_test.c - counting tries, with a clock that is turned. */
#include "central/limit.h"
#include "ocpp/check.h"
#include <stdlib.h>

static struct limit table;

static void test_window(void)
{
    memset(&table, 0, sizeof table);
    for (int i = 0; i < 5; i++)
        CHECK(limit_take(&table, 7, 5, 60000, 1000) == 0, "try %d is free", i);
    CHECK(limit_take(&table, 7, 5, 60000, 21000) == 40000,
          "the sixth waits for the end of the window");
    CHECK(limit_take(&table, 8, 5, 60000, 21000) == 0, "another key is free");
    CHECK(limit_take(&table, 7, 5, 60000, 61000) == 0, "a new window");
    CHECK(limit_take(&table, 7, 1, 60000, 61000) == 60000, "counts from one again");
}

static void test_give(void)
{
    memset(&table, 0, sizeof table);
    CHECK(limit_take(&table, 7, 1, 60000, 1000) == 0, "first");
    limit_give(&table, 7);
    CHECK(limit_take(&table, 7, 1, 60000, 1000) == 0, "what was given back does not count");
    CHECK(limit_take(&table, 7, 1, 60000, 1000) > 0, "the next does");
    limit_clear(&table, 7);
    CHECK(limit_take(&table, 7, 1, 60000, 1000) == 0, "forgotten");
    limit_give(&table, 99); /* unknown: nothing happens */
    limit_clear(&table, 99);
}

static void test_crowd(void)
{
    uint32_t free_again = 0;

    memset(&table, 0, sizeof table);
    for (uint64_t key = 1; key <= LIMIT_KEYS; key++)
        CHECK(limit_take(&table, key, 1, 60000, (int64_t)key) == 0, "key %llu",
              (unsigned long long)key);
    for (uint64_t key = 1; key <= LIMIT_KEYS; key++)
        CHECK(limit_take(&table, key, 1, 60000, 5000) > 0, "key %llu is remembered",
              (unsigned long long)key);
    CHECK(limit_take(&table, LIMIT_KEYS + 1, 1, 60000, 5000) == 0, "one too many finds a place");
    for (uint64_t key = 1; key <= LIMIT_KEYS; key++) {
        struct limit before = table;

        free_again += limit_take(&table, key, 1, 60000, 5000) == 0;
        table = before;
    }
    CHECK(free_again == 1, "it pushed out one, not %u", free_again);
}

int main(void)
{
    RUN(test_window);
    RUN(test_give);
    RUN(test_crowd);
    return check_end();
}
