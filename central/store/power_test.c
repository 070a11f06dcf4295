/* central/store/power_test.c - rows that add up, in both databases: within a batch, across batches
 * and processes, and what is asked of them. */
#include "central/store/postgres_server.h"
#include "central/store/store.h"
#include "ocpp/check.h"

#define SLOT POWER_SLOT_MS
#define T0   INT64_C(1717228800000)

static uv_loop_t loop;
static const char *database;

static struct store *open_store(void)
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
    CHECK(rc == 0, "durable: %d", rc);
}

static void put(struct store *s, int64_t charger, int64_t slot_ms, int64_t wh, int64_t max_w)
{
    store_put(s, &(struct fact){ FACT_POWER,
                                 { .power = { 1, charger, slot_ms, wh, max_w, charger } } });
}

static struct power_fact rows[64];
static size_t count;
static int64_t next;
static int rc_of;

static void on_rows(void *ctx, int rc, const struct fact *facts, const int64_t *ids, size_t n,
                    int64_t cursor)
{
    (void)ctx;
    rc_of = rc;
    next = cursor;
    for (size_t i = 0; i < n && count < AMP_COUNT(rows); i++) {
        CHECK(ids[i] == facts[i].u.power.slot_ms, "the id is the step");
        rows[count++] = facts[i].u.power;
    }
}

static void ask(struct store *s, struct store_ask a)
{
    count = 0;
    a.what = ASK_POWER;
    a.org = a.org ? a.org : 1;
    a.connector = -1;
    do {
        store_ask(s, &a, on_rows, NULL);
        uv_run(&loop, UV_RUN_DEFAULT);
        a.before = next;
    } while (rc_of == 0 && next);
}

static void test_sums(void)
{
    struct store *s = open_store();

    put(s, 3, T0, 100, 7000);
    put(s, 3, T0, 50, 3000);
    put(s, 3, T0 + SLOT, 10, 0);
    put(s, 0, T0, 150, 9000);
    settle(s);
    put(s, 3, T0, -20, 8000); /* a correction, in a later batch */
    close_store(s);
    s = open_store(); /* and in a later process */
    put(s, 3, T0, 5, 1);
    put(s, 3, T0 + 8 * SLOT, 1, 1);
    settle(s);
    ask(s, (struct store_ask){
               .charger = 3, .from_ms = T0, .to_ms = T0 + 8 * SLOT, .step_ms = SLOT, .limit = 10 });
    CHECK(rc_of == 0 && count == 2, "two slots: %zu, rc %d", count, rc_of);
    CHECK(rows[0].slot_ms == T0 && rows[0].energy_wh == 135 && rows[0].max_w == 8000 &&
              rows[0].charger == 3 && rows[0].org == 1,
          "added up: %lld Wh, %lld W", (long long)rows[0].energy_wh, (long long)rows[0].max_w);
    CHECK(rows[1].energy_wh == 10 && rows[1].max_w == 0, "the next");
    ask(s, (struct store_ask){ .charger = 3,
                               .from_ms = T0,
                               .to_ms = T0 + 9 * SLOT,
                               .step_ms = 4 * SLOT,
                               .limit = 1 }); /* page after page */
    CHECK(count == 2 && rows[0].energy_wh == 145 && rows[0].slot_ms == T0 &&
              rows[1].slot_ms == T0 + 8 * SLOT && rows[1].energy_wh == 1,
          "in steps of an hour: %zu, %lld", count, (long long)rows[0].energy_wh);
    ask(s, (struct store_ask){ .from_ms = T0, .to_ms = T0 + SLOT, .step_ms = SLOT, .limit = 10 });
    CHECK(count == 1 && rows[0].energy_wh == 150 && rows[0].charger == 0, "of all together");
    ask(s, (struct store_ask){
               .org = 2, .from_ms = T0, .to_ms = T0 + SLOT, .step_ms = SLOT, .limit = 10 });
    CHECK(count == 0 && rc_of == 0, "nobody else's");
    ask(s, (struct store_ask){ .from_ms = T0, .step_ms = SLOT, .limit = 10 });
    CHECK(rc_of == AMP_E_RANGE, "without an end: %d", rc_of);
    close_store(s);
}

int main(void)
{
    char folder[] = "/tmp/power-test-XXXXXX", file[64], url[128], command[80];
    struct server server;

    uv_loop_init(&loop);
    CHECK(mkdtemp(folder) != NULL, "a temporary folder");
    snprintf(file, sizeof file, "%s/test.db", folder);
    database = file;
    RUN(test_sums);
    if (server_there() && server_start(&server)) {
        server_url(&server, "amp", "test", url);
        database = url;
        RUN(test_sums);
        server_stop(&server);
    }
    uv_loop_close(&loop);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK(system(command) == 0, "%s", command);
    return check_end();
}
