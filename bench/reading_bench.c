/* bench/reading_bench.c - what a meter reading costs on disk, index and all, in both databases: its
 * samples as they were sent, and packed (central/store/shape.h); and how long the questions about
 * power over time take that a year of 1,000 chargers has to answer. */
#include "central/store/postgres_server.h"
#include "central/store/store.h"
#include <sqlite3.h>
#include <sys/stat.h>

enum {
    CHARGERS = 1000,
    READINGS = 300000, /* of each kind; more than one partition of SQLite */
    ASKED = 15,
    DAYS = 365,
    BUSY_SLOTS = 16 /* quarters of an hour that a charger charges, a day */
};
#define T0 INT64_C(1735689600000) /* 2025-01-01 */

/* One value; what most wallboxes send; three phases. `name` is "value", or a word of the same
 * length that shape.h does not know: then the samples stay as they are. */
#define SAMPLE(rest) "{\"%s\":\"%lld.%d\"" rest "}"
static const struct {
    const char *name, *format[10];
} meters[] = {
    { "one value", { SAMPLE("") } },
    { "three values",
      { SAMPLE(",\"context\":\"Sample.Periodic\",\"measurand\":\"Energy.Active.Import.Register\","
               "\"location\":\"Outlet\",\"unit\":\"Wh\""),
        SAMPLE(",\"context\":\"Sample.Periodic\",\"measurand\":\"Power.Active.Import\","
               "\"location\":\"Outlet\",\"unit\":\"W\""),
        SAMPLE(",\"context\":\"Sample.Periodic\",\"measurand\":\"SoC\",\"location\":\"EV\","
               "\"unit\":\"Percent\"") } },
    { "three phases",
      { SAMPLE(",\"measurand\":\"Energy.Active.Import.Register\",\"unit\":\"Wh\""),
        SAMPLE(",\"measurand\":\"Power.Active.Import\",\"unit\":\"W\""),
        SAMPLE(",\"measurand\":\"Current.Import\",\"phase\":\"L1\",\"unit\":\"A\""),
        SAMPLE(",\"measurand\":\"Current.Import\",\"phase\":\"L2\",\"unit\":\"A\""),
        SAMPLE(",\"measurand\":\"Current.Import\",\"phase\":\"L3\",\"unit\":\"A\""),
        SAMPLE(",\"measurand\":\"Voltage\",\"phase\":\"L1-N\",\"unit\":\"V\""),
        SAMPLE(",\"measurand\":\"Voltage\",\"phase\":\"L2-N\",\"unit\":\"V\""),
        SAMPLE(",\"measurand\":\"Voltage\",\"phase\":\"L3-N\",\"unit\":\"V\"") } },
};

static uv_loop_t loop;
static char folder[] = "/tmp/reading-bench-XXXXXX";
static struct server server;

static struct store *open_at(const char *database)
{
    struct store_config config = { .database = database };
    char *why;
    struct store *s = store_open(&loop, &config, &why);

    if (!s) {
        fprintf(stderr, "%s\n", why);
        exit(1);
    }
    return s;
}

static void close_store(struct store *s)
{
    store_close(s);
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void on_done(void *ctx, int rc)
{
    *(int *)ctx = rc;
}

static void settle(struct store *s)
{
    int rc = 1;

    store_after(s, on_done, &rc);
    uv_run(&loop, UV_RUN_DEFAULT);
    if (rc < 0)
        abort();
}

/* ---- one session's curve ---- */

static size_t rows;

static void on_rows(void *ctx, int rc, const struct fact *facts, const int64_t *ids, size_t count,
                    int64_t next)
{
    (void)ctx, (void)facts, (void)ids, (void)next;
    if (rc < 0)
        abort();
    rows = count;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The curves of sessions all over the history, each asked for once. */
static void measure_curve(const char *name, const char *database)
{
    struct store *s = open_at(database);
    double ms[ASKED];

    for (int i = 0; i < ASKED; i++) {
        uint64_t began = uv_hrtime();

        store_ask(s,
                  &(struct store_ask){ .what = ASK_READINGS,
                                       .org = 1,
                                       .transaction = 1000001 + i * 131 % (2 * CHARGERS),
                                       .connector = -1,
                                       .limit = 1000 },
                  on_rows, NULL);
        uv_run(&loop, UV_RUN_DEFAULT);
        ms[i] = (double)(uv_hrtime() - began) / 1e6;
    }
    qsort(ms, ASKED, sizeof ms[0], by_size);
    printf("%-10s one session's curve among %d readings: %zu rows, median %.1f ms, slowest %.1f "
           "ms\n",
           name, READINGS, rows, ms[ASKED / 2], ms[ASKED - 1]);
    close_store(s);
}

/* ---- bytes ---- */

static uint32_t samples(size_t meter, const char *name, int64_t n, char out[4096])
{
    int at = snprintf(out, 4096, "[");

    for (size_t i = 0; i < AMP_COUNT(meters[0].format) && meters[meter].format[i]; i++) {
        int64_t value =
            i == 0 ? 1000000 + n / CHARGERS * 77 : 7000 + (n * 31 + (int64_t)i * 7) % 999;

        at += snprintf(out + at, 4096 - (size_t)at, "%s", i ? "," : "");
        at += snprintf(out + at, 4096 - (size_t)at, meters[meter].format[i], name, (long long)value,
                       (int)(n % 10));
    }
    at += snprintf(out + at, 4096 - (size_t)at, "]");
    return (uint32_t)at;
}

static uint32_t fill(const char *database, size_t meter, const char *name)
{
    struct store *s = open_at(database);
    char text[4096];
    uint32_t len = 0;

    for (int64_t n = 0; n < READINGS; n++) {
        int64_t charger = 1 + n % CHARGERS, at_ms = T0 + n / CHARGERS * 60000 + charger * 60;

        len = samples(meter, name, n, text);
        store_put(s, &(struct fact){ FACT_READING,
                                     { .reading = { .charger = charger,
                                                    .transaction = 1000000 + charger +
                                                                   n / CHARGERS / 120 * CHARGERS,
                                                    .connector = 1,
                                                    .at_ms = at_ms,
                                                    .seen_ms = at_ms + 200,
                                                    .hash = (uint64_t)n * 0x9E3779B97F4A7C15u,
                                                    .samples = { text, len },
                                                    .has = 3,
                                                    .energy_wh = 1000000 + n / CHARGERS * 77,
                                                    .power_w = 7000 + n % 999 } } });
        if (n % 20000 == 19999)
            settle(s);
    }
    settle(s);
    close_store(s);
    return len;
}

static int64_t sqlite_bytes(const char *file)
{
    struct stat st;

    return stat(file, &st) == 0 ? st.st_size : 0;
}

static int64_t postgres_bytes(const char *url)
{
    return server_sql(url, "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c "
                           "WHERE c.relname LIKE 'reading%' AND c.relkind = 'r'");
}

static void measure_bytes(void)
{
    static const char *const names[] = { "valu_", "value" };
    char file[96], url[128];
    double each[2][2];
    uint32_t len = 0;

    for (size_t m = 0; m < AMP_COUNT(meters); m++) {
        for (int packed = 0; packed < 2; packed++) {
            struct store *s;
            int64_t empty;

            snprintf(file, sizeof file, "%s/%zu-%d.db", folder, m, packed);
            s = open_at(file);
            close_store(s);
            empty = sqlite_bytes(file);
            len = fill(file, m, names[packed]);
            each[packed][0] = (double)(sqlite_bytes(file) - empty) / READINGS;
            if (packed && m + 1 == AMP_COUNT(meters))
                measure_curve("SQLite", file);
            unlink(file);
            server_url(&server, "amp", "test", url);
            server_sql(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
            fill(url, m, names[packed]);
            each[packed][1] = (double)postgres_bytes(url) / READINGS;
            if (packed && m + 1 == AMP_COUNT(meters))
                measure_curve("PostgreSQL", url);
        }
        printf("%-12s samples of %3u bytes: SQLite %4.0f bytes a reading as sent, %4.0f packed "
               "(1 : %.1f); PostgreSQL %4.0f, %4.0f (1 : %.1f)\n",
               meters[m].name, (unsigned)len, each[0][0], each[1][0], each[0][0] / each[1][0],
               each[0][1], each[1][1], each[0][1] / each[1][1]);
    }
}

/* ---- power over a year ---- */

static void ask(struct store *s, const char *name, const char *what, struct store_ask a)
{
    double ms[ASKED];

    a.what = ASK_POWER;
    a.org = 1;
    a.connector = -1;
    a.limit = 1000;
    for (int i = 0; i < ASKED; i++) {
        uint64_t began = uv_hrtime();

        store_ask(s, &a, on_rows, NULL);
        uv_run(&loop, UV_RUN_DEFAULT);
        ms[i] = (double)(uv_hrtime() - began) / 1e6;
    }
    qsort(ms, ASKED, sizeof ms[0], by_size);
    printf("%-10s %s: %zu rows, median %.1f ms, slowest %.1f ms\n", name, what, rows, ms[ASKED / 2],
           ms[ASKED - 1]);
}

static void ask_all(const char *name, const char *database)
{
    struct store *s = open_at(database);
    struct store_ask year = { .from_ms = T0, .to_ms = T0 + DAYS * INT64_C(86400000) };

    year.step_ms = INT64_C(86400000);
    ask(s, name, "all chargers, a year by days", year);
    year.step_ms = INT64_C(30) * 86400000;
    ask(s, name, "all chargers, a year by 30 days", year);
    year.step_ms = POWER_SLOT_MS;
    ask(s, name, "all chargers, a year by quarters of an hour (a page)", year);
    year.charger = 500;
    year.step_ms = INT64_C(86400000);
    ask(s, name, "one charger, a year by days", year);
    close_store(s);
}

static void measure_power(void)
{
    char file[96], url[128], sql[700];
    sqlite3 *db;
    struct store *s;

    snprintf(file, sizeof file, "%s/power.db", folder);
    server_url(&server, "amp", "test", url);
    server_sql(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    s = open_at(file);
    close_store(s);
    s = open_at(url);
    close_store(s);
    if (sqlite3_open(file, &db) != SQLITE_OK)
        exit(1);
    snprintf(
        sql, sizeof sql,
        "WITH RECURSIVE c(c) AS (SELECT 1 UNION ALL SELECT c + 1 FROM c WHERE c < %d), d(d) AS "
        "(SELECT 0 UNION ALL SELECT d + 1 FROM d WHERE d < %d), q(q) AS (SELECT 0 UNION ALL "
        "SELECT q + 1 FROM q WHERE q < %d) INSERT INTO power SELECT 1, c, %lld + d * 86400000 + "
        "((c * 7 + q) %% 96) * 900000, 1500 + c, 7000 + c FROM c, d, q",
        CHARGERS, DAYS - 1, BUSY_SLOTS - 1, (long long)T0);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(db,
                     "INSERT INTO power SELECT org, 0, slot_ms, sum(energy_wh), sum(max_w) FROM "
                     "power GROUP BY slot_ms",
                     NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "%s\n", sqlite3_errmsg(db));
        exit(1);
    }
    sqlite3_close(db);
    snprintf(
        sql, sizeof sql,
        "INSERT INTO power SELECT 1, c, %lld + d * 86400000 + ((c * 7 + q) %% 96) * 900000, "
        "1500 + c, 7000 + c FROM generate_series(1, %d) c, generate_series(0::bigint, %d) d, "
        "generate_series(0, %d) q;"
        "INSERT INTO power SELECT org, 0, slot_ms, sum(energy_wh), sum(max_w) FROM power GROUP "
        "BY org, slot_ms; ANALYZE power",
        (long long)T0, CHARGERS, DAYS - 1, BUSY_SLOTS - 1);
    server_sql(url, sql);
    printf("power: %d rows, SQLite %.0f bytes a row, PostgreSQL %.0f\n",
           CHARGERS * DAYS * BUSY_SLOTS, (double)sqlite_bytes(file) / CHARGERS / DAYS / BUSY_SLOTS,
           (double)server_sql(url, "SELECT pg_total_relation_size('power')") / CHARGERS / DAYS /
               BUSY_SLOTS);
    ask_all("SQLite", file);
    ask_all("PostgreSQL", url);
}

int main(void)
{
    char command[64];

    if (!server_there())
        return 0;
    if (!mkdtemp(folder) || !server_start(&server))
        return 1;
    uv_loop_init(&loop);
    measure_bytes();
    measure_power();
    uv_loop_close(&loop);
    server_stop(&server);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0;
}
