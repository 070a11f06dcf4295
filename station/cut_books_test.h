/* station/cut_books_test.h - what must hold after a power cut, wherever it came: the central system
 * knows everything that began, each once, ended, with no more energy than flowed. */
#ifndef AMP_CUT_BOOKS_TEST_H
#define AMP_CUT_BOOKS_TEST_H

#include "station/world_test.h"

static inline void check_books(struct world *w, const char *what, unsigned n, size_t torn)
{
    unsigned real = 0;

    for (unsigned i = 0; i < w->tx_count; i++) {
        const struct world_tx *t = &w->tx[i];

        CHECK(!t->unknown, "%s %u/%zu: a stop without a start", what, n, torn);
        CHECK(t->stops >= 1, "%s %u/%zu: transaction %lld is left open", what, n, torn,
              (long long)t->id);
        CHECK(t->stops <= 2 && t->starts <= 2, "%s %u/%zu: told %u and %u times", what, n, torn,
              t->starts, t->stops);
        CHECK(t->stop_wh <=
                  1000000 * t->connector + (int64_t)(w->car[t->connector].energy_mj / 3600000),
              "%s %u/%zu: more than flowed", what, n, torn);
        real += t->starts > 0;
    }
    CHECK(real >= w->started, "%s %u/%zu: %u began, %u are known", what, n, torn, w->started, real);
    CHECK(real <= w->started + 1, "%s %u/%zu: %u began, %u are known", what, n, torn, w->started,
          real);
    CHECK(amp_station_queued(w->st) == 0, "%s %u/%zu: nothing waits", what, n, torn);
    for (int c = 1; c <= 2; c++)
        CHECK(!w->st->con[c].tx.open && !w->car[c].permitted, "%s %u/%zu: connector %d", what, n,
              torn, c);
}

/* The journal starts nearly full, so that the session's writes include a whole compaction. */
static inline void fill(struct world *w)
{
    while (w->st->journal.end + 1800 < w->st->journal.area_size)
        (void)amp_config_change(w->st, AMP_TEXT("ResetRetries"), AMP_TEXT("2"));
}

#endif
