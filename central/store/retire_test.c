/* Rows that are kept no longer: what is below an id goes, nothing else does, while others write and
 * ask; ids are never used again. With STORE_TEST_POSTGRES (postgres_retire_test.c) in a PostgreSQL
 * of our own. */
#include "central/store/store.h"
#include "ocpp/check.h"
#ifdef STORE_TEST_POSTGRES
#include "central/store/postgres_server.h"
#endif
#include <stdlib.h>
#include <unistd.h>

enum { ROWS = 5000, PARTITION = 512 };

static char database[128];
static uv_loop_t loop;
#ifdef STORE_TEST_POSTGRES
static struct server server;
#else
static char folder[64] = "/tmp/retire-test-XXXXXX";
#endif

static struct store *open_store(void)
{
    struct store_config config = { .database = database,
                                   .commit_ms = 1,
                                   .partition_rows = PARTITION };
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
    CHECK(rc == 0, "rc %d", rc);
    ++*(int *)ctx;
}

static void put_rows(struct store *s, int from, int to)
{
    int done = 0, owed = 0;

    for (int i = from; i < to; i++) {
        struct fact m = { FACT_MESSAGE,
                          { .message = { .at_ms = 1000 + i, .charger = 1 + i % 7, .type = 2 } } };
        struct fact r = { FACT_READING,
                          { .reading = {
                                .seen_ms = 1000 + i, .charger = 1, .transaction = 1 + i % 3 } } };
        struct fact k = { FACT_COMMAND,
                          { .command = { .key = i + 1,
                                         .org = 1,
                                         .charger = 1,
                                         .connector = -1,
                                         .created_ms = 1000 + i,
                                         .state =
                                             i % 10 ? COMMAND_CONFIRMED : COMMAND_ACCEPTED } } };

        store_put(s, &m);
        store_put(s, &r);
        store_put(s, &k);
        if (i % 100 == 99) {
            store_after(s, on_done, &done);
            owed++;
        }
    }
    store_after(s, on_done, &done);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(done == owed + 1, "%d commits", done);
}

/* ---- looking ---- */

struct listing {
    int64_t first_id, last_id, next;
    size_t count;
};

static void on_rows(void *ctx, int rc, const struct fact *rows, const int64_t *ids, size_t count,
                    int64_t next)
{
    struct listing *l = ctx;

    (void)rows;
    CHECK(rc == 0, "rc %d", rc);
    for (size_t i = 0; i < count; i++) {
        if (!l->count++)
            l->first_id = ids[i];
        l->last_id = ids[i];
    }
    l->next = rc < 0 ? 0 : next;
}

static struct listing look(struct store *s, enum store_question what, int64_t charger,
                           int64_t transaction)
{
    struct store_ask ask = { .what = what,
                             .charger = charger,
                             .transaction = transaction,
                             .connector = -1,
                             .open = -1,
                             .forward = true,
                             .limit = 1000 };
    struct listing l = { 0 };

    do {
        ask.before = l.next;
        store_ask(s, &ask, on_rows, &l);
        uv_run(&loop, UV_RUN_DEFAULT);
    } while (l.next);
    return l;
}

/* ---- deleting ---- */

struct retired {
    int calls, rc;
    uint64_t rows;
};

static void on_retired(void *ctx, int rc, uint64_t rows)
{
    *(struct retired *)ctx = (struct retired){ ((struct retired *)ctx)->calls + 1, rc, rows };
}

static uint64_t retire(struct store *s, enum fact_kind kind, int64_t below)
{
    struct retired r = { 0 };

    store_retire(s, kind, below, on_retired, &r);
    CHECK(r.calls == 0, "not from inside");
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(r.calls == 1 && r.rc == 0, "%d calls, rc %d", r.calls, r.rc);
    return r.rows;
}

static void test_below(void)
{
    struct store *s = open_store();
    struct listing all, some, charger;

    put_rows(s, 0, ROWS);
    all = look(s, ASK_MESSAGES, 0, 0);
    CHECK(all.count == ROWS, "%zu rows", all.count);

    CHECK(retire(s, FACT_MESSAGE, 1) == 0, "nothing is below the first");
    CHECK(retire(s, FACT_MESSAGE, all.first_id + 100) == 100, "a part of a partition");
    some = look(s, ASK_MESSAGES, 0, 0);
    CHECK(some.count == ROWS - 100 && some.first_id == all.first_id + 100, "%zu", some.count);

    retire(s, FACT_MESSAGE, all.first_id + 3 * PARTITION + 50); /* three partitions, and a part */
    some = look(s, ASK_MESSAGES, 0, 0);
    CHECK(some.first_id == all.first_id + 3 * PARTITION + 50 && some.last_id == all.last_id &&
              some.count == (size_t)(some.last_id - some.first_id + 1),
          "%zu from %lld", some.count, (long long)some.first_id);
    charger = look(s, ASK_MESSAGES, 3, 0);
    CHECK(charger.count >= some.count / 7 && charger.count <= some.count / 7 + 1,
          "%zu of a charger", charger.count);
    CHECK(look(s, ASK_READINGS, 0, 0).count == ROWS, "other histories are whole");

    close_store(s);
    s = open_store(); /* as the next process sees it */
    CHECK(look(s, ASK_MESSAGES, 0, 0).count == some.count, "the same");
    put_rows(s, ROWS, ROWS + 300);
    CHECK(look(s, ASK_MESSAGES, 0, 0).count == some.count + 300, "and it goes on");

    retire(s, FACT_READING, INT64_MAX / 2); /* everything */
    CHECK(look(s, ASK_READINGS, 0, 0).count == 0 && look(s, ASK_READINGS, 0, 2).count == 0,
          "empty");
    close_store(s);
    s = open_store();
    put_rows(s, ROWS + 300, ROWS + 310);
    some = look(s, ASK_READINGS, 0, 0);
    CHECK(some.count == 10 && some.first_id > ROWS + 300, "ids are not used again: %lld",
          (long long)some.first_id);
    close_store(s);
}

/* Finished ones; those that wait for their effect stay, and keys are never used again. */
static void test_commands(void)
{
    struct store *s = open_store();
    struct listing before = look(s, ASK_COMMANDS, 0, 0), after;
    struct store_keys keys;

    CHECK(retire(s, FACT_COMMAND, 2001) == 1800, "nine of ten");
    after = look(s, ASK_COMMANDS, 0, 0);
    CHECK(after.count == before.count - 1800 && after.first_id == before.first_id, "%zu left",
          after.count);
    close_store(s);
    s = open_store();
    store_next_keys(s, &keys);
    CHECK(keys.command == before.last_id + 1, "key %lld", (long long)keys.command);
    close_store(s);
}

/* While rows come in, and are asked for: nobody waits, nothing of what stays is touched. */
static void test_traffic(void)
{
    struct store *s = open_store();
    struct listing l = look(s, ASK_MESSAGES, 0, 0);
    struct retired r = { 0 };
    int done = 0, at = 0;
    struct listing asked = { 0 };

    store_retire(s, FACT_MESSAGE, l.last_id, on_retired, &r);
    while (!r.calls && at < 200000) {
        struct fact m = { FACT_MESSAGE, { .message = { .at_ms = 9000, .charger = 2, .type = 3 } } };
        struct store_ask ask = { .what = ASK_MESSAGES, .connector = -1, .open = -1, .limit = 10 };

        store_put(s, &m);
        store_after(s, on_done, &done);
        if (at++ % 50 == 0)
            store_ask(s, &ask, on_rows, &asked);
        uv_run(&loop, UV_RUN_ONCE);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(r.rc == 0 && done == at, "rc %d, %d of %d", r.rc, done, at);
    l = look(s, ASK_MESSAGES, 0, 0);
    CHECK(l.count == (size_t)at + 1, "%zu rows, %d came", l.count, at);
    close_store(s);
}

static void test_close(void)
{
    struct store *s = open_store();
    struct retired r = { 0 };

    put_rows(s, ROWS + 400, ROWS + 900);
    store_retire(s, FACT_MESSAGE, INT64_MAX / 2, on_retired, &r);
    store_close(s);
    CHECK(r.calls == 1 && (r.rc == 0 || r.rc == AMP_E_STATE), "%d calls, rc %d", r.calls, r.rc);
    uv_run(&loop, UV_RUN_DEFAULT);
}

int main(void)
{
#ifdef STORE_TEST_POSTGRES
    if (!server_there())
        return 0;
    if (!server_start(&server)) {
        fprintf(stderr, "PostgreSQL does not start, see %s/log\n", server.folder);
        return 1;
    }
    server_url(&server, "amp", "test", database);
#else
    char command[100];

    CHECK(mkdtemp(folder), "a temporary folder");
    snprintf(database, sizeof database, "%s/test.db", folder);
#endif
    uv_loop_init(&loop);
    RUN(test_below);
    RUN(test_commands);
    RUN(test_traffic);
    RUN(test_close);
#ifdef STORE_TEST_POSTGRES
    server_stop(&server);
#else
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK(system(command) == 0, "%s", command);
#endif
    CHECK(uv_loop_close(&loop) == 0, "a handle is still open");
    return check_end();
}
