/* station/year_test.c - a year of one station: a session a day, heartbeats, a line that fails every
 * tenth day and power that fails every thirtieth. Nothing is lost, the meter never falls, and the
 * journal stays in its two areas. */
#include "station/world_test.h"

#define DAYS 365
#define HOUR (3600 * 1000ull)

/* What is told of a day: one start, one stop, each once on file. The books are closed behind it. */
static void check_day(struct world *w, int day, int64_t *meter)
{
    const struct world_tx *t = &w->tx[0];

    CHECK(w->tx_count == 1 && t->starts >= 1 && t->stops >= 1 && !t->unknown,
          "day %d: %u transactions, %u starts, %u stops", day, w->tx_count, t->starts, t->stops);
    CHECK(t->starts == 1 && t->stops == 1, "day %d: told %u and %u times", day, t->starts,
          t->stops);
    CHECK(t->start_wh >= *meter && t->stop_wh > t->start_wh, "day %d: %lld to %lld Wh", day,
          (long long)t->start_wh, (long long)t->stop_wh);
    CHECK(t->meters > 0, "day %d: no meter values", day);
    CHECK(amp_station_queued(w->st) == 0, "day %d: %u wait", day, amp_station_queued(w->st));
    *meter = t->stop_wh;
    w->tx_count = 0;
    w->id_count = 0; /* ids are looked at within a day */
}

static void live_a_day(struct world *w, int day)
{
    bool offline = day % 10 == 5, cut = day % 30 == 17;

    world_run(w, 8 * HOUR);
    world_plug(w, 1, true);
    world_tag(w, 1, "TAG1");
    world_run(w, HOUR);
    if (offline) {
        w->refuse = true;
        world_hang_up(w);
    }
    world_run(w, HOUR);
    if (cut) {
        world_hang_up(w);
        world_power(w);
    } else {
        world_tag(w, 1, "TAG1");
    }
    world_plug(w, 1, false);
    world_run(w, HOUR);
    w->refuse = false;
    world_run(w, 13 * HOUR);
}

static void test_year(void)
{
    static const char *const settings[] = { "MeterValueSampleInterval=900", NULL };
    static struct world w;
    uint32_t most = 0;
    unsigned frames, boots = 0;
    int64_t meter = 0;
    uint64_t begin;

    world_defaults(&w);
    w.config.settings = settings;
    w.config.reconnect_attempts = UINT32_MAX;
    w.boot_interval = 3600;
    CHECK(world_boot(&w) == 0, "start");
    begin = w.now;
    for (int day = 0; day < DAYS; day++) {
        live_a_day(&w, day);
        check_day(&w, day, &meter);
        boots += day % 30 == 17;
        if (w.st->journal.end > most)
            most = w.st->journal.end;
    }
    frames = w.frames;
    CHECK(w.now - begin == DAYS * 24 * HOUR, "a year");
    CHECK(w.started == DAYS, "%u sessions", w.started);
    CHECK(w.next_id == 1001 + DAYS, "%lld transactions on file", (long long)(w.next_id - 1001));
    CHECK(w.bad_frames == 0 && frames > DAYS * (24 + 8), "%u frames", frames);
    CHECK(most <= w.st->journal.area_size, "%u bytes of journal", most);
    CHECK(boots == 12 && meter <= 1000000 + (int64_t)(w.car[1].energy_mj / 3600000),
          "%lld Wh is more than flowed", (long long)meter);
    printf("a year: %u sessions, %u frames, %u starts after a power cut, journal at most %u of %u "
           "bytes, %u writes\n",
           w.started, frames, boots, most, w.st->journal.area_size, w.mem.writes);
    world_close(&w);
}

int main(void)
{
    RUN(test_year);
    return check_end();
}
