/* station/many_test.c - 10,000 stations in one process, on one clock: each boots, charges once and
 * tells of it. Their world is one; it is lent to each in
 * turn, so that all of them are in the middle of the same minute. */
#include "station/world_test.h"
#include <stddef.h>

#define STATIONS 10000
#define WIRE     offsetof(struct mem_port, wire)
#define BEHIND   offsetof(struct mem_port, wire_len)
#define MINUTE   ((uint64_t)60000)
#define MINUTES  20

/* What is a station's own: its memory, its flash and socket, its car, its line, its books. */
struct guest {
    void *memory;
    struct amp_station *st;
    bool up;
    struct amp_ws ws;
    struct world_car car[AMP_CONNECTORS_MAX + 1];
    struct world_tx tx;
    unsigned started, frames;
    char before[WIRE], behind[sizeof(struct mem_port) - BEHIND];
};

static struct world w; /* the one that is lent */

static void keep(struct guest *g)
{
    CHECK(w.mem.wire_len == 0 && w.in_len == 0 && !w.half_up, "nothing is on its way");
    CHECK(w.tx_count <= 1 && w.mem.bad_writes == 0, "%u transactions", w.tx_count);
    g->st = w.st;
    g->memory = w.memory;
    g->up = w.up;
    g->ws = w.ws;
    g->tx = w.tx[0];
    g->started = w.started;
    g->frames = w.frames;
    memcpy(g->car, w.car, sizeof g->car);
    memcpy(g->before, &w.mem, sizeof g->before);
    memcpy(g->behind, (const char *)&w.mem + BEHIND, sizeof g->behind);
}

static void lend(const struct guest *g, uint64_t now)
{
    w.st = g->st;
    w.memory = g->memory;
    w.up = g->up;
    w.ws = g->ws;
    w.tx[0] = g->tx;
    w.tx_count = g->tx.starts ? 1 : 0;
    w.started = g->started;
    w.frames = g->frames;
    w.id_count = 0;
    w.in_len = w.in_done = 0;
    w.now = now;
    memcpy(w.car, g->car, sizeof g->car);
    memcpy(&w.mem, g->before, sizeof g->before);
    memcpy((char *)&w.mem + BEHIND, g->behind, sizeof g->behind);
}

static void open_one(struct guest *g, int i, int64_t next_id)
{
    char name[24];

    snprintf(name, sizeof name, "CP%05d", i);
    world_defaults(&w);
    w.mem.seed = (uint64_t)i + 1;
    w.next_id = next_id;
    w.config.identity = amp_text_of(name);
    CHECK(world_boot(&w) == 0, "station %d starts", i);
    w.config.identity = AMP_NO_TEXT; /* copied by the station */
    keep(g);
}

/* Minute 3 to 13, a few of them in each: plug and tag; ten minutes on the same tag again. */
static void live_a_minute(struct guest *g, int i, int minute, uint64_t now)
{
    int begin = 3 + i % 4;

    lend(g, now);
    if (minute == begin) {
        world_plug(&w, 1, true);
        world_tag(&w, 1, "TAG1");
    }
    if (minute == begin + 10) {
        world_tag(&w, 1, "TAG1");
        world_plug(&w, 1, false);
    }
    world_run(&w, MINUTE);
    keep(g);
}

static void test_many(void)
{
    struct guest *all = calloc(STATIONS, sizeof *all);
    unsigned long frames = 0;
    int64_t next_id = 1001;

    CHECK(all, "memory");
    for (int i = 0; all && i < STATIONS; i++) {
        open_one(&all[i], i, next_id);
        next_id = w.next_id;
    }
    for (int minute = 0; all && minute < MINUTES; minute++)
        for (int i = 0; i < STATIONS; i++)
            live_a_minute(&all[i], i, minute, 1000 + (uint64_t)minute * MINUTE);
    CHECK(w.next_id == 1001 + STATIONS, "%lld transactions", (long long)w.next_id - 1001);
    for (int i = 0; all && i < STATIONS; i++) {
        const struct guest *g = &all[i];

        CHECK(g->started == 1 && g->tx.starts == 1 && g->tx.stops == 1, "station %d: %u, %u, %u", i,
              g->started, g->tx.starts, g->tx.stops);
        CHECK(g->tx.stop_wh - g->tx.start_wh == 7400 / 6, "station %d: %lld Wh", i,
              (long long)(g->tx.stop_wh - g->tx.start_wh));
        CHECK(amp_station_queued(g->st) == 0, "station %d: all delivered", i);
        frames += g->frames;
        free(g->memory);
    }
    printf("%d stations: %lu frames, %zu bytes each\n", STATIONS, frames, amp_station_size());
    free(all);
}

int main(void)
{
    RUN(test_many);
    return check_end();
}
