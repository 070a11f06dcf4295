/* bench/store_bench.c - both drivers beside each other in one run: facts a second when put as fast
 * as they go, and how long store_after takes at 20,000 facts a second. SQLite in a file and
 * PostgreSQL 15 with its defaults, both in the temporary folder; rounds alternate, since the
 * machine is never quiet. */
#include "central/store/postgres_server.h"
#include "central/store/store.h"

enum {
    CHARGERS = 1000,
    ROUNDS = 3,
    FLOOD = 300000, /* facts in a round */
    AHEAD = 20000,  /* facts not yet durable, in a flood */
    PACE = 20,      /* facts a millisecond */
    PACED_MS = 5000
};

struct run {
    struct store *store;
    uv_loop_t *loop;
    uv_timer_t timer;
    int64_t put, done;
    uint64_t began;
    uint64_t *us; /* latency of each store_after */
    size_t count, waiting;
    int ticks;
};
struct wait {
    struct run *run;
    uint64_t began;
    int64_t facts;
};

/* Five messages, two readings, one transaction of each eight. */
static void put_fact(struct run *r)
{
    int64_t n = r->put++, charger = 1 + n * 7919 % CHARGERS, now = 1700000000000 + n / 20;
    struct fact f = { FACT_MESSAGE, { .message = { .at_ms = now } } };

    if (n % 8 < 5) {
        f.u.message.charger = charger;
        f.u.message.direction = 1 + (int32_t)(n % 2);
        f.u.message.type = 2 + (int32_t)(n % 2);
        f.u.message.action = AMP_TEXT("MeterValues");
        f.u.message.correlation = AMP_TEXT("7b1f6f3e-5c1d-4e5d-9d5e-0d2a4b8c6e1f");
        f.u.message.payload = AMP_TEXT(
            "{\"connectorId\":1,\"transactionId\":4711,\"meterValue\":[{\"timestamp\":"
            "\"2026-11-21T12:00:00Z\",\"sampledValue\":[{\"value\":\"1234567\",\"context\":"
            "\"Sample.Periodic\",\"measurand\":\"Energy.Active.Import.Register\",\"unit\":"
            "\"Wh\"},{\"value\":\"7123.4\",\"measurand\":\"Power.Active.Import\"}]}]}");
    } else if (n % 8 < 7) {
        f = (struct fact){ FACT_READING,
                           { .reading = { .charger = charger,
                                          .transaction = charger,
                                          .connector = 1,
                                          .at_ms = now,
                                          .seen_ms = now,
                                          .hash = (uint64_t)n,
                                          .has = 3,
                                          .energy_wh = n,
                                          .power_w = 7123 } } };
        f.u.reading.samples =
            AMP_TEXT("[{\"value\":\"1234567\",\"measurand\":\"Energy.Active.Import.Register\"}]");
    } else {
        f = (struct fact){ FACT_TRANSACTION,
                           { .transaction = { .key = charger,
                                              .org = 1,
                                              .charger = charger,
                                              .state = TX_RUNNING,
                                              .last_ms = now,
                                              .last_wh = n } } };
    }
    store_put(r->store, &f);
}

static void on_paced(void *ctx, int rc)
{
    struct wait *w = ctx;
    struct run *r = w->run;

    if (rc < 0)
        abort();
    r->us[r->count++] = (uv_hrtime() - w->began) / 1000;
    free(w);
}

/* Facts that are due by the clock, so that a late tick does not slow the pace. */
static void on_tick(uv_timer_t *timer)
{
    struct run *r = timer->data;
    int64_t due = (int64_t)((uv_hrtime() - r->began) / 1000000) * PACE;
    struct wait *w;

    if (r->put >= (int64_t)PACED_MS * PACE) {
        uv_timer_stop(timer);
        uv_close((uv_handle_t *)timer, NULL);
        return;
    }
    if (r->put >= due)
        return;
    while (r->put < due)
        put_fact(r);
    w = malloc(sizeof(*w));
    if (!w)
        abort();
    *w = (struct wait){ r, uv_hrtime(), 0 };
    store_after(r->store, on_paced, w);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void paced(struct run *r, const char *name, double out[3])
{
    uv_timer_init(r->loop, &r->timer);
    r->timer.data = r;
    r->us = calloc(PACED_MS + 1000, sizeof(*r->us));
    r->put = 0;
    r->count = 0;
    r->began = uv_hrtime();
    uv_timer_start(&r->timer, on_tick, 1, 1);
    uv_run(r->loop, UV_RUN_DEFAULT);
    qsort(r->us, r->count, sizeof(*r->us), by_size);
    out[0] = (double)r->us[r->count / 2] / 1000;
    out[1] = (double)r->us[r->count * 99 / 100] / 1000;
    out[2] = (double)r->us[r->count - 1] / 1000;
    printf("%-10s store_after at 20,000 facts/s: p50 %.1f, p99 %.1f, max %.1f ms\n", name, out[0],
           out[1], out[2]);
    free(r->us);
}

static void on_flood(void *ctx, int rc)
{
    struct run *r = ctx;

    if (rc < 0)
        abort();
    r->done += AHEAD / 4;
    if (r->put >= FLOOD)
        return;
    for (int i = 0; i < AHEAD / 4; i++)
        put_fact(r);
    store_after(r->store, on_flood, r);
}

static double flood(struct run *r, const char *name)
{
    uint64_t began = uv_hrtime();
    double rate;

    r->put = r->done = 0;
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < AHEAD / 4; i++)
            put_fact(r);
        store_after(r->store, on_flood, r);
    }
    uv_run(r->loop, UV_RUN_DEFAULT);
    rate = (double)r->put / ((double)(uv_hrtime() - began) / 1e9);
    printf("%-10s %.0f facts/s\n", name, rate);
    return rate;
}

static void on_retired(void *ctx, int rc, uint64_t rows)
{
    if (rc < 0)
        abort();
    *(uint64_t *)ctx = rows;
}

/* The pace once alone and once while the oldest messages are deleted. */
static void retired(struct run *r, const char *name, int64_t below, double quiet[3], double busy[3])
{
    uint64_t rows = 0, began;

    paced(r, name, quiet);
    began = uv_hrtime();
    store_retire(r->store, FACT_MESSAGE, below, on_retired, &rows);
    paced(r, name, busy);
    printf("%-10s meanwhile %llu old rows deleted, %.0f a second\n", name, (unsigned long long)rows,
           (double)rows / ((double)(uv_hrtime() - began) / 1e9));
}

int main(void)
{
    static const char *const names[] = { "SQLite", "PostgreSQL" };
    char folder[] = "/tmp/store-bench-XXXXXX", places[2][128], command[64];
    double rates[2] = { 0 }, times[2][3], sums[2][3] = { { 0 } };
    struct server server;
    struct run runs[2];
    uv_loop_t loop;

    if (!server_there())
        return 0;
    if (!mkdtemp(folder) || !server_start(&server))
        return 1;
    uv_loop_init(&loop);
    snprintf(places[0], sizeof(places[0]), "%s/bench.db", folder);
    server_url(&server, "amp", "test", places[1]);
    for (int i = 0; i < 2; i++) {
        struct store_config config = { .database = places[i] };
        char *why;

        runs[i] = (struct run){ .store = store_open(&loop, &config, &why), .loop = &loop };
        if (!runs[i].store) {
            fprintf(stderr, "%s\n", why);
            return 1;
        }
        for (int k = 1; k <= CHARGERS; k++)
            store_put(runs[i].store,
                      &(struct fact){ FACT_CHARGER, { .charger = { .key = k, .org = 1 } } });
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 2; i++) {
            rates[i] += flood(&runs[i], names[i]) / ROUNDS;
            paced(&runs[i], names[i], times[i]);
            for (int k = 0; k < 3; k++)
                sums[i][k] += times[i][k] / ROUNDS;
        }
    }
    printf("PostgreSQL : SQLite, means of %d rounds: facts/s %.2f, p50 %.2f, p99 %.2f, max %.2f\n",
           ROUNDS, rates[1] / rates[0], sums[1][0] / sums[0][0], sums[1][1] / sums[0][1],
           sums[1][2] / sums[0][2]);
    for (int i = 0; i < 2; i++) {
        double quiet[3], busy[3], ratios[3] = { 0 };

        for (int round = 0; round < ROUNDS; round++) {
            retired(&runs[i], names[i], 50000 * (round + 1), quiet, busy);
            for (int k = 0; k < 3; k++)
                ratios[k] += busy[k] / quiet[k] / ROUNDS;
        }
        printf(
            "%-10s deleting what is old : not, means of %d rounds: p50 %.2f, p99 %.2f, max %.2f\n",
            names[i], ROUNDS, ratios[0], ratios[1], ratios[2]);
    }
    for (int i = 0; i < 2; i++)
        store_close(runs[i].store);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    server_stop(&server);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command) != 0;
}
