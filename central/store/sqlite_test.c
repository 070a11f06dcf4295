/* What is particular to the SQLite driver: the file, its partitions, and a disk that refuses. */
#include "central/store/store.h"
#include "ocpp/check.h"
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], database[128];
static uv_loop_t loop;

static void fresh(void)
{
    char command[200];

    if (folder[0]) {
        snprintf(command, sizeof(command), "rm -rf %s", folder);
        CHECK(system(command) == 0, "%s", command);
    }
    snprintf(folder, sizeof(folder), "/tmp/sqlite-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL, "a temporary folder");
    snprintf(database, sizeof(database), "%s/test.db", folder);
}

static struct store *open_with(struct store_config config)
{
    struct store *s;
    char *why;

    config.database = database;
    s = store_open(&loop, &config, &why);
    if (!s) {
        fprintf(stderr, "%s\n", why);
        exit(1);
    }
    return s;
}

static struct store *open_store(void)
{
    return open_with((struct store_config){ .commit_ms = 1 });
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

/* What store_after says about all that was put so far. */
static int outcome(struct store *s)
{
    int rc = 1;

    store_after(s, on_done, &rc);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(rc <= 0, "store_after did not answer");
    return rc;
}

/* Run SQL on the file from outside; the first number of the first row, or -1. */
static int64_t sql(const char *text)
{
    sqlite3 *db;
    sqlite3_stmt *q = NULL;
    int64_t out = -1;

    if (sqlite3_open(database, &db) == SQLITE_OK &&
        sqlite3_prepare_v2(db, text, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        out = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return out;
}

static void write_file(const char *text)
{
    FILE *f = fopen(database, "w");

    fputs(text, f);
    fclose(f);
}

/* ---- opening ---- */

static void refused(const char *path, const char *const words[])
{
    struct store_config config = { .database = path };
    char *why;
    struct store *s = store_open(&loop, &config, &why);

    CHECK(!s, "%s was opened", path);
    if (s) {
        close_store(s);
        return;
    }
    CHECK(why && strstr(why, path), "the sentence names the place: %s", why);
    for (size_t i = 0; words[i]; i++)
        CHECK(why && strstr(why, words[i]), "no '%s' in: %s", words[i], why);
    free(why);
}

#define REFUSED(path, ...) refused(path, (const char *const[]){ __VA_ARGS__, NULL })

static void test_open_errors(void)
{
    struct store *s;
    char path[200];

    fresh();
    snprintf(path, sizeof(path), "%s/none/at/all.db", folder);
    REFUSED(path, "no folder", "none/at;", "create it");
    REFUSED(folder, "is a folder", "name a file");
    write_file(
        "This is a diary, and it is long enough to be taken for the header of a database, nearly.\n"
        "This is a diary, and it is long enough to be taken for the header of a database, "
        "nearly.\n");
    REFUSED(database, "another kind", "name another place");
    fresh();
    CHECK(sql("CREATE TABLE theirs (x)") == -1, "made a table");
    REFUSED(database, "another program");
    fresh();
    close_store(open_store());
    sql("INSERT INTO schema_version VALUES (999) RETURNING 0");
    REFUSED(database, "newer version", "999", "run the newer program");
    fresh();
    s = open_store();
    REFUSED(database, "another process has it open", "stop that one");
    close_store(s);
    close_store(open_store()); /* and free again */
}

/* As somebody who may not write: a child that gives up its rights, if it has them. */
static void test_not_writable(void)
{
    int status = -1;
    pid_t child;

    fresh();
    CHECK(chmod(folder, 0555) == 0, "chmod");
    child = fork();
    if (child == 0) {
        check_bad = 0;
        if (geteuid() == 0 && (setegid(65534) < 0 || seteuid(65534) < 0))
            _exit(2);
        REFUSED(database, "no permission", "give this user");
        _exit(check_bad != 0);
    }
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
    CHECK(chmod(folder, 0755) == 0, "chmod");
}

static void test_files_private(void)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", "-lock" };
    mode_t old = umask(0);
    struct store *s;

    fresh();
    s = open_store();
    for (size_t i = 0; i < AMP_COUNT(suffixes); i++) {
        struct stat st = { .st_mode = 0 };
        char path[200];

        snprintf(path, sizeof(path), "%s%s", database, suffixes[i]);
        CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "%s: %o", path,
              (unsigned)st.st_mode & 0777);
    }
    close_store(s);
    umask(old);
}

static void test_keys_of_deleted_rows(void)
{
    struct fact tx = { FACT_TRANSACTION,
                       { .transaction = { .key = 5, .org = 1, .state = TX_COMPLETED } } };
    struct store_keys keys;
    struct store *s;

    fresh();
    s = open_store();
    store_put(s, &tx);
    close_store(s);
    CHECK(sql("DELETE FROM charging_transaction RETURNING key") == 5, "deleted");
    s = open_store();
    store_next_keys(s, &keys);
    CHECK(keys.transaction == 6, "a key came back: %lld", (long long)keys.transaction);
    close_store(s);
}

/* ---- histories ---- */

static struct fact a_message(int64_t number, const char *payload)
{
    return (struct fact){ FACT_MESSAGE,
                          { .message = { .at_ms = number,
                                         .charger = 1 + number % 5,
                                         .payload = amp_text_of(payload) } } };
}

static void test_partitions(void)
{
    struct store *s;

    fresh();
    s = open_with((struct store_config){ .commit_ms = 1, .partition_rows = 100 });
    for (int i = 0; i < 940; i++) {
        struct fact m = a_message(i, "");

        store_put(s, &m);
        if (i % 70 == 0)
            CHECK(outcome(s) == 0, "commit");
    }
    close_store(s);
    s = open_with((struct store_config){ .commit_ms = 1, .partition_rows = 100 });
    for (int i = 940; i < 1000; i++) { /* each commit brings at least one slice into its index */
        struct fact m = a_message(i, "");

        store_put(s, &m);
        CHECK(outcome(s) == 0, "commit");
    }
    close_store(s);
    CHECK(sql("SELECT count(*) FROM history_partition WHERE kind = 6") == 10, "ten partitions");
    CHECK(sql("SELECT count(*) FROM history_partition WHERE kind = 6 AND end_id = 0") == 1,
          "one is open");
    CHECK(sql("SELECT count(*) FROM message_000004") == 100, "100 rows each");
    CHECK(sql("SELECT min(id) FROM message_000004") == 301, "ids go on");
    CHECK(sql("SELECT count(*) FROM message_000010") == 100, "rows go on after a restart");
    CHECK(sql("SELECT count(*) FROM message_000004_by x JOIN message_000004 m ON m.id = x.id AND "
              "m.charger = x.charger") == 100,
          "an index names each row");
    CHECK(sql("SELECT from_ms FROM history_partition WHERE kind = 6 AND number = 4") == 300,
          "from");
    CHECK(sql("SELECT to_ms FROM history_partition WHERE kind = 6 AND number = 4") == 399, "to");
}

struct page {
    size_t count;
    int64_t next, at_ms;
    int answers;
};

static void on_page(void *ctx, int rc, const struct fact *rows, const int64_t *ids, size_t count,
                    int64_t next)
{
    struct page *p = ctx;

    (void)ids;
    CHECK(rc == 0, "rc %d", rc);
    p->count += count;
    p->next = next;
    p->answers++;
    if (count)
        p->at_ms = rows[0].u.message.at_ms;
}

/* A search that finds nothing for long comes back in between, and still gets to the end. */
static void test_bounded_search(void)
{
    enum { ROWS = 400000 };
    struct store_ask ask = { .what = ASK_MESSAGES, .org = 1, .text = { "needle", 6 }, .limit = 10 };
    struct page page = { .answers = 0 };
    struct store *s;

    fresh();
    s = open_with((struct store_config){ .partition_rows = 150000 });
    for (int i = 0; i < ROWS; i++) {
        struct fact m = a_message(i, i == 17 ? "a needle" : "hay");

        store_put(s, &m);
    }
    CHECK(outcome(s) == 0, "commit");
    store_ask(s, &ask, on_page, &page);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(page.count == 0 && page.next > 1 && page.next < ROWS, "after %d rows: next %lld", ROWS,
          (long long)page.next);
    while (page.next && page.answers < 100) {
        ask.before = page.next;
        store_ask(s, &ask, on_page, &page);
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    CHECK(page.count == 1 && page.at_ms == 17 && page.answers >= 2 && page.answers < 5,
          "%zu found in %d answers", page.count, page.answers);
    close_store(s);
}

/* The log starts over while it is written to: 120 MB leave no more than its limit of 64 MB and a
 * few commits. */
static void test_log_is_bounded(void)
{
    static char payload[12000];
    struct store *s;
    struct stat st;
    char path[200];

    fresh();
    memset(payload, 'x', sizeof(payload) - 1);
    s = open_store();
    for (int i = 0; i < 10000; i++) {
        struct fact m = a_message(i, payload);

        store_put(s, &m);
        if (i % 50 == 49)
            CHECK(outcome(s) == 0, "commit");
    }
    snprintf(path, sizeof(path), "%s-wal", database);
    CHECK(stat(path, &st) == 0 && st.st_size < 80 << 20, "the log has %lld bytes",
          (long long)st.st_size);
    close_store(s);
}

/* ---- a disk that refuses ---- */

/* No file of this process may grow beyond the largest of the database: writes fail as on a full
 * disk. */
static void disk_full(bool full)
{
    struct rlimit limit;
    struct stat st;
    char path[200];

    getrlimit(RLIMIT_FSIZE, &limit);
    snprintf(path, sizeof(path), "%s-wal", database);
    CHECK(!full || stat(path, &st) == 0, "%s", path);
    limit.rlim_cur = full ? (rlim_t)st.st_size : limit.rlim_max;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit");
}

static void put_messages(struct store *s, int from, int to)
{
    for (int i = from; i < to; i++) {
        struct fact m =
            a_message(i, "some text to fill a page of the log with, and then another one");

        store_put(s, &m);
    }
}

static void test_disk_full(void)
{
    struct fact charger = { FACT_CHARGER,
                            { .charger = { .key = 1, .org = 1, .id = AMP_TEXT("A") } } };
    struct fact tx = { FACT_TRANSACTION,
                       { .transaction = {
                             .key = 1, .org = 1, .charger = 1, .state = TX_RUNNING } } };
    struct store_stats stats;
    struct store *s;

    fresh();
    s = open_with((struct store_config){ .commit_ms = 1, .partition_rows = 300 });
    store_put(s, &charger);
    put_messages(s, 0, 250);
    CHECK(outcome(s) == 0, "there is room");
    disk_full(true);
    put_messages(s, 250, 500); /* makes a partition, which must be taken back */
    store_put(s, &tx);
    CHECK(outcome(s) == AMP_E_IO, "the disk is full");
    store_stats(s, &stats);
    CHECK(stats.failing && stats.failures >= 1 && stats.pending == 251 && stats.error[0],
          "%llu failures, %llu pending, '%s'", (unsigned long long)stats.failures,
          (unsigned long long)stats.pending, stats.error);
    put_messages(s, 500, 600);
    tx.u.transaction.state = TX_STOPPED;
    store_put(s, &tx);
    CHECK(outcome(s) == AMP_E_IO, "what is newer is not durable either");
    CHECK(sql("SELECT count(*) FROM message_000001") == 250, "nothing of it is in the file");
    CHECK(sql("SELECT count(*) FROM charging_transaction") == 0, "nor of the transaction");
    disk_full(false);
    while (outcome(s) < 0) /* it comes back by itself; how soon is not the question */
        store_stats(s, &stats);
    store_stats(s, &stats);
    CHECK(!stats.failing && stats.pending == 0 && stats.dropped == 0, "%llu pending",
          (unsigned long long)stats.pending);
    put_messages(s, 600, 700);
    CHECK(outcome(s) == 0, "and goes on");
    close_store(s);
    CHECK(sql("SELECT count(*) FROM (SELECT * FROM message_000001 UNION ALL SELECT * FROM "
              "message_000002 "
              "UNION ALL SELECT * FROM message_000003) WHERE at_ms = id - 1") == 700,
          "all, once, in order");
    CHECK(sql("SELECT state FROM charging_transaction") == TX_STOPPED, "the newest state won");
}

/* The memory for what waits is bounded: the log gives way, and then nothing after it is
 * acknowledged as complete. */
static void test_disk_full_for_long(void)
{
    struct fact reading = {
        FACT_READING, { .reading = { .charger = 1, .transaction = 1, .samples = AMP_TEXT("[]") } }
    };
    struct store_stats stats;
    struct store *s;
    int rc = 1;

    fresh();
    s = open_with((struct store_config){ .commit_ms = 1, .max_pending = 100000 });
    put_messages(s, 0, 10);
    CHECK(outcome(s) == 0, "there is room");
    disk_full(true);
    put_messages(s, 10, 200);
    CHECK(outcome(s) == AMP_E_IO, "the disk is full");
    for (int i = 0; i < 3000; i++) {
        struct fact m = a_message(1000, "late");

        store_put(s, &reading);
        store_put(s, &m);
    }
    store_stats(s, &stats);
    CHECK(stats.dropped > 0 && stats.dropped < 3000, "%llu dropped",
          (unsigned long long)stats.dropped);
    store_after(s, on_done, &rc);
    disk_full(false);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(rc == AMP_E_IO, "not all of it came to disk: rc %d", rc);
    while (outcome(s) < 0)
        store_stats(s, &stats);
    CHECK(outcome(s) == 0, "and goes on");
    close_store(s);
    CHECK(sql("SELECT count(*) FROM reading_000001") == 3000, "all readings");
    CHECK(sql("SELECT count(*) FROM message_000001") == 3200 - (int64_t)stats.dropped,
          "and the rest of the log");
}

/* Closed while the disk refuses: everybody hears so, what was acknowledged is there, and no half of
 * what was not. */
static void test_close_on_full_disk(void)
{
    struct store *s;
    int rc = 1;

    fresh();
    s = open_store();
    put_messages(s, 0, 100);
    CHECK(outcome(s) == 0, "there is room");
    disk_full(true);
    put_messages(s, 100, 400);
    store_after(s, on_done, &rc);
    store_close(s);
    CHECK(rc == AMP_E_IO, "rc %d", rc);
    disk_full(false);
    uv_run(&loop, UV_RUN_DEFAULT);
    s = open_store();
    CHECK(outcome(s) == 0, "open again");
    CHECK(sql("SELECT count(*) FROM message_000001") == 100, "what was acknowledged");
    close_store(s);
}

int main(void)
{
    signal(SIGXFSZ, SIG_IGN); /* the write fails then, as it does on a full disk */
    RUN(test_not_writable);   /* forks, so before there are threads */
    uv_loop_init(&loop);
    RUN(test_open_errors);
    RUN(test_files_private);
    RUN(test_keys_of_deleted_rows);
    RUN(test_partitions);
    RUN(test_bounded_search);
    RUN(test_log_is_bounded);
    RUN(test_disk_full);
    RUN(test_disk_full_for_long);
    RUN(test_close_on_full_disk);
    fresh();
    rmdir(folder);
    if (uv_loop_close(&loop) != 0)
        fprintf(stderr, "a handle is still open\n"), check_failed++;
    return check_end();
}
