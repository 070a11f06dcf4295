/* central/counts.c - see counts.h. */
#include "central/counts.h"
#include <stdlib.h>

const uint32_t counts_bounds_us[COUNTS_BOUNDS] = { 500,     1000,    2000,    5000,    10000,
                                                   20000,   50000,   100000,  200000,  500000,
                                                   1000000, 2000000, 5000000, 10000000 };

void histogram_add(struct histogram *h, uint64_t us)
{
    unsigned i = 0;

    while (i < COUNTS_BOUNDS && us > counts_bounds_us[i])
        i++;
    h->buckets[i]++;
    h->sum_us += us;
}

void tally_add(struct tally *t, const char *name, uint64_t more)
{
    unsigned i = 0;

    while (i < t->used && strncmp(t->at[i].name, name, TALLY_TEXT - 1) != 0)
        i++;
    if (i == t->used && t->used < TALLY_MAX) {
        t->used++;
        amp_text_copy(t->at[i].name, TALLY_TEXT, amp_text_of(i == TALLY_MAX - 1 ? "other" : name));
    }
    if (i == TALLY_MAX)
        i = TALLY_MAX - 1;
    t->at[i].count += more;
}

struct counts *counts_new(void)
{
    struct counts *c = calloc(1, sizeof *c);

    if (!c)
        abort();
    return c;
}

void counts_free(struct counts *c)
{
    free(c);
}

void counts_message(struct counts *c, int action, bool sent, int frame_type)
{
    enum count_type type = frame_type == 2                      ? COUNT_CALL
                           : frame_type == 3                    ? COUNT_RESULT
                           : frame_type == 4 || frame_type == 5 ? COUNT_ERROR
                                                                : COUNT_UNREADABLE;

    if (!c)
        return;
    if (action < 0 || action >= COUNTS_ACTIONS - 1)
        action = COUNTS_ACTIONS - 1;
    c->messages[action][sent][type]++;
}

void counts_refused(struct counts *c, const char *why)
{
    if (c)
        tally_add(&c->refused, why, 1);
}
