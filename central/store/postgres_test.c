/* What is particular to the PostgreSQL driver: a server that refuses, goes away and comes back, an
 * answer that gets lost, another process, partitions and zones. */
#include "central/store/postgres_server.h"
#include "central/store/store.h"
#include "ocpp/check.h"
#include <poll.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct server server;
static char database[128], admin[128];
static uv_loop_t loop;

static void fresh(void)
{
    server_sql(database, "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA "
                         "public TO plain");
}

static struct store *open_at(const char *url, uint32_t partition_rows)
{
    struct store_config config = { .database = url,
                                   .commit_ms = 1,
                                   .partition_rows = partition_rows };
    char *why;
    struct store *s = store_open(&loop, &config, &why);

    if (!s) {
        fprintf(stderr, "%s\n", why);
        server_stop(&server);
        exit(1);
    }
    return s;
}

static struct store *open_store(void)
{
    return open_at(database, 0);
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

/* Until it is durable: while the server is away each attempt says no. */
static void settle(struct store *s)
{
    int rc = AMP_E_IO;

    for (int i = 0; rc < 0 && i < 100; i++)
        rc = outcome(s);
    CHECK(rc == 0, "rc %d", rc);
}

static void put_message(struct store *s, int64_t at_ms)
{
    struct fact f = { FACT_MESSAGE,
                      { .message = { .at_ms = at_ms,
                                     .charger = 1 + at_ms % 50,
                                     .payload = AMP_TEXT("{\"some\":\"payload\"}") } } };

    store_put(s, &f);
}

struct answer {
    int rc;
    size_t count;
    int64_t next;
};

static void on_rows(void *ctx, int rc, const struct fact *rows, const int64_t *ids, size_t count,
                    int64_t next)
{
    (void)rows;
    (void)ids;
    *(struct answer *)ctx = (struct answer){ rc, count, next };
}

static struct answer ask(struct store *s, struct store_ask a)
{
    struct answer out = { 1, 0, 0 };

    a.what = ASK_MESSAGES;
    a.org = 1;
    a.limit = a.limit ? a.limit : 1000;
    store_ask(s, &a, on_rows, &out);
    uv_run(&loop, UV_RUN_DEFAULT);
    return out;
}

/* ---- opening ---- */

static void refused(const char *url, const char *const words[])
{
    struct store_config config = { .database = url };
    char *why;
    struct store *s = store_open(&loop, &config, &why);

    CHECK(!s, "%s was opened", url);
    if (s) {
        close_store(s);
        return;
    }
    for (size_t i = 0; words[i]; i++)
        CHECK(why && strstr(why, words[i]), "no '%s' in: %s", words[i], why);
    CHECK(why && !strstr(why, "geheim"), "the password is in the sentence: %s", why);
    free(why);
}

#define REFUSED(url, ...) refused(url, (const char *const[]){ __VA_ARGS__, NULL })

static void test_open_errors(void)
{
    struct store *s;
    char url[200];

    fresh();
    REFUSED("postgres://amp@/test?host=/tmp/no-such-folder", "/tmp/no-such-folder",
            "nobody answers", "start PostgreSQL");
    REFUSED("postgres://amp:geheim@127.0.0.1:1/test", "amp@127.0.0.1:1/test", "nobody answers");
    REFUSED("postgresql://amp@127.0.0.1:1/test?password=geheim&x", "correct the URL");
    snprintf(url, sizeof(url), "postgres://guest@/test?host=%s", server.folder);
    REFUSED(url, "password is missing or wrong", ".pgpass");
    snprintf(url, sizeof(url), "postgres://guest:geheim@/test?host=%s", server.folder);
    REFUSED(url, "password is missing or wrong", "guest@/test");
    snprintf(url, sizeof(url), "postgres://guest@/test?host=%s&password=geheim", server.folder);
    REFUSED(url, "password is missing or wrong");
    server_url(&server, "outcast", "test", url);
    REFUSED(url, "does not let this user in", "pg_hba.conf");
    server_url(&server, "nobody", "test", url);
    REFUSED(url, "does not let this user in", "createuser");
    server_url(&server, "amp", "nothing", url);
    REFUSED(url, "no such database", "createdb");
    server_url(&server, "plain", "test", url);
    REFUSED(url, "may not create tables", "GRANT CREATE");
    server_sql(admin, "CREATE DATABASE latin TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
    server_url(&server, "amp", "latin", url);
    REFUSED(url, "encoding", "SQL_ASCII", "UTF8");
    server_sql(database, "CREATE TABLE theirs (x INTEGER)");
    REFUSED(database, "another program", "create a database");
    fresh();
    close_store(open_store());
    server_sql(database, "INSERT INTO schema_version VALUES (999)");
    REFUSED(database, "newer version", "999", "run the newer program");
    fresh();
    s = open_store();
    REFUSED(database, "another process has it open", "stop that one");
    close_store(s);
    close_store(open_store()); /* and free again */
}

/* ---- a server that goes away ---- */

static void test_restart(void)
{
    struct store_stats stats;
    struct store *s;

    fresh();
    s = open_store();
    put_message(s, 1);
    settle(s);
    CHECK(ask(s, (struct store_ask){ .charger = 0 }).count == 1, "a reader has a connection");
    server_kill(&server);
    CHECK(server_again(&server), "the server is back");
    put_message(s, 2);
    CHECK(outcome(s) == 0, "a dead connection is replaced without a word");
    CHECK(ask(s, (struct store_ask){ .charger = 0 }).count == 2, "by readers, too");
    store_stats(s, &stats);
    CHECK(stats.failures == 0 && stats.facts == 2, "%llu failures",
          (unsigned long long)stats.failures);
    close_store(s);
}

static void test_away(void)
{
    struct store_stats stats;
    struct store *s;

    fresh();
    s = open_store();
    put_message(s, 1);
    settle(s);
    server_kill(&server);
    put_message(s, 2);
    CHECK(outcome(s) == AMP_E_IO, "not acknowledged");
    put_message(s, 3);
    CHECK(ask(s, (struct store_ask){ .charger = 0 }).rc == AMP_E_IO, "no answers, either");
    store_stats(s, &stats);
    CHECK(stats.failing && stats.pending == 2 && strstr(stats.error, "start PostgreSQL"), "%s",
          stats.error);
    CHECK(server_again(&server), "the server is back");
    settle(s);
    store_stats(s, &stats);
    CHECK(!stats.failing && stats.pending == 0, "all is well");
    CHECK(server_sql(database, "SELECT count(*) FROM message") == 3, "each once");
    CHECK(ask(s, (struct store_ask){ .charger = 0 }).count == 3, "and to be read");
    server_kill(&server);
    put_message(s, 4);
    close_store(s); /* ends all the same */
    CHECK(server_again(&server), "the server is back");
    CHECK(server_sql(database, "SELECT count(*) FROM message") == 3, "what is lost is lost whole");
}

static void kill_connections(void)
{
    server_sql(admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                      "application_name = 'amperstand'");
}

/* As after a failover to a standby, until it is promoted. */
static void test_read_only(void)
{
    struct store_stats stats;
    struct store *s;

    fresh();
    s = open_store();
    server_sql(admin, "ALTER DATABASE test SET default_transaction_read_only = on");
    kill_connections();
    put_message(s, 1);
    CHECK(outcome(s) == AMP_E_IO, "not acknowledged");
    store_stats(s, &stats);
    CHECK(strstr(stats.error, "name the primary"), "%s", stats.error);
    server_sql(admin, "ALTER DATABASE test RESET default_transaction_read_only");
    settle(s);
    CHECK(server_sql(database, "SELECT count(*) FROM message") == 1, "once");
    close_store(s);
}

/* ---- an answer that gets lost ---- */

/* What the proxy between us and the server does to the next batch. */
enum cut { NOTHING, REQUEST, ANSWER };
struct proxy {
    _Atomic int cut;
    _Atomic int cuts;
};

/* Is this the end of an answer? ReadyForQuery, and no transaction is open. */
static bool is_ready(const char *data, ssize_t n)
{
    return n >= 6 && !memcmp(data + n - 6, "Z\0\0\0\5I", 6);
}

static int connect_to(const char *path, int listening)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(to.sun_path, sizeof(to.sun_path), "%s/.s.PGSQL.5432", path);
    if (fd < 0 || (listening ? bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || listen(fd, 8) < 0
                             : connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0))
        _exit(1);
    return fd;
}

/* Pass on what came on `from`; false: hang up. */
static bool pass(struct proxy *p, int from, int to, bool answer)
{
    char data[65536];
    ssize_t n = read(from, data, sizeof(data));
    int cut = atomic_load(&p->cut);

    if (n <= 0)
        return false;
    if (cut == (answer ? ANSWER : REQUEST)) { /* an answer is lost when it is complete: committed */
        if (answer && !is_ready(data, n))
            return true;
        atomic_store(&p->cut, NOTHING);
        atomic_fetch_add(&p->cuts, 1);
        return false;
    }
    return write(to, data, (size_t)n) == n;
}

static void proxy_main(struct proxy *p, int listening)
{
    struct pollfd fds[17] = { { .fd = listening, .events = POLLIN } };

    for (int i = 1; i < 17; i++)
        fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
    for (;;) {
        poll(fds, AMP_COUNT(fds), -1);
        for (int i = 1; i < 17; i += 2) { /* us, the server */
            if (fds[i].fd >= 0 &&
                ((fds[i].revents && !pass(p, fds[i].fd, fds[i + 1].fd, false)) ||
                 (fds[i + 1].revents && !pass(p, fds[i + 1].fd, fds[i].fd, true)))) {
                close(fds[i].fd);
                close(fds[i + 1].fd);
                fds[i].fd = fds[i + 1].fd = -1;
            } else if (fds[i].fd < 0 && fds[0].revents) {
                fds[i].fd = accept(fds[0].fd, NULL, NULL);
                fds[i + 1].fd = connect_to(server.folder, false);
                fds[0].revents = fds[i].revents = fds[i + 1].revents = 0;
            }
        }
    }
}

static void test_lost_answers(void)
{
    struct proxy *p =
        mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char folder[] = "/tmp/pg-proxy-XXXXXX", url[128], path[64];
    int64_t count = 0;
    struct store *s;
    int listening;
    pid_t child;

    fresh();
    CHECK(mkdtemp(folder) != NULL, "a folder");
    snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", folder);
    listening = connect_to(folder, true);
    child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        proxy_main(p, listening);
    }
    close(listening);
    snprintf(url, sizeof(url), "postgres://amp@/test?host=%s", folder);
    s = open_at(url, 64);
    for (int i = 0; i < 40; i++) { /* partitions are made on the way: answers lost there, too */
        struct fact tx = { FACT_TRANSACTION,
                           { .transaction = { .key = i + 1, .org = 1, .state = TX_RUNNING } } };

        put_message(s, ++count);
        settle(s);
        atomic_store(&p->cut, i % 2 ? REQUEST : ANSWER);
        for (int k = 0; k < i; k++)
            put_message(s, ++count);
        store_put(s, &tx);
        settle(s);
        CHECK(atomic_load(&p->cut) == NOTHING, "round %d: nothing was cut", i);
    }
    CHECK(atomic_load(&p->cuts) == 40, "%d cuts", atomic_load(&p->cuts));
    CHECK(server_sql(database, "SELECT count(*) FROM message") == count, "%lld messages, not %lld",
          server_sql(database, "SELECT count(*) FROM message"), (long long)count);
    CHECK(server_sql(database, "SELECT count(DISTINCT at_ms) FROM message") == count, "each once");
    CHECK(server_sql(database, "SELECT count(*) FROM charging_transaction") == 40, "each");
    close_store(s);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    unlink(path);
    rmdir(folder);
    munmap(p, sizeof(*p));
}

/* ---- another process ---- */

static void test_taken_over(void)
{
    struct store_stats stats;
    struct store *s;

    fresh();
    s = open_store();
    put_message(s, 1);
    settle(s);
    server_sql(database, "UPDATE store_writer SET epoch = epoch + 1");
    put_message(s, 2);
    CHECK(outcome(s) == AMP_E_IO, "not ours any more");
    store_stats(s, &stats);
    CHECK(strstr(stats.error, "another process writes"), "%s", stats.error);
    kill_connections();
    CHECK(outcome(s) == AMP_E_IO, "nor with a new connection");
    store_stats(s, &stats);
    CHECK(strstr(stats.error, "another process writes"), "%s", stats.error);
    close_store(s);
    CHECK(server_sql(database, "SELECT count(*) FROM message") == 1, "nothing got in");
}

/* ---- histories ---- */

static void test_partitions(void)
{
    struct store *s;

    fresh();
    s = open_at(database, 100);
    for (int i = 1; i <= 250; i++)
        put_message(s, i);
    settle(s);
    CHECK(server_sql(database, "SELECT count(*) FROM pg_inherits WHERE inhparent = "
                               "'message'::regclass") == 3,
          "of 100 rows each");
    CHECK(server_sql(database, "SELECT count(*) FROM message_000002") == 100, "the second is full");
    CHECK(server_sql(database, "SELECT end_id FROM history_partition WHERE kind = 6 AND number = "
                               "3") == 301,
          "the catalogue says so");
    close_store(s);
    s = open_at(database, 1000); /* another size from the next one on */
    for (int i = 251; i <= 400; i++)
        put_message(s, i);
    settle(s);
    CHECK(server_sql(database, "SELECT count(*) FROM message_000004") == 100,
          "the third goes on to its end");
    CHECK(ask(s, (struct store_ask){ .charger = 0 }).count == 400, "read across all");
    server_sql(database, "DROP TABLE message_000001; DROP TABLE message_000002");
    CHECK(ask(s, (struct store_ask){ .charger = 3 }).count == 4, "what is left");
    close_store(s);
    server_sql(database, "DELETE FROM message_000004");
    s = open_store();
    put_message(s, 401);
    settle(s);
    CHECK(server_sql(database, "SELECT max(id) FROM message") == 301,
          "ids never go back behind the newest partition");
    close_store(s);
}

/* A search is bounded, and one by time does not look at what cannot match. */
static void test_zones(void)
{
    enum { ROWS = 400000, STEP = 20000 };
    struct store_ask old = { .from_ms = 1000, .to_ms = 1100 };
    struct answer a;
    struct store *s;
    int asks = 0;

    fresh();
    s = open_store();
    for (int i = 1; i <= ROWS; i++) {
        put_message(s, i);
        if (i % STEP == 0)
            settle(s);
    }
    a = ask(s, old);
    while (a.rc == 0 && !a.count && a.next) { /* what else is in the first zone's 16 s */
        old.before = a.next;
        a = ask(s, old);
        asks++;
    }
    CHECK(a.rc == 0 && a.count == 100 && asks == 0, "%zu rows after %d asks", a.count, asks);
    a = ask(s, (struct store_ask){ .text = AMP_TEXT("nowhere") });
    CHECK(a.rc == 0 && a.count == 0 && a.next > 1, "not all at once: next %lld", (long long)a.next);
    a = ask(s, (struct store_ask){ .text = AMP_TEXT("nowhere"), .before = a.next });
    CHECK(a.rc == 0 && a.count == 0 && a.next == 0, "but in the end: next %lld", (long long)a.next);
    a = ask(s, (struct store_ask){ .charger = 7, .limit = 10 });
    CHECK(a.rc == 0 && a.count == 10 && a.next, "by the index");
    a = ask(s, (struct store_ask){ .charger = 7, .text = AMP_TEXT("nowhere") });
    CHECK(a.rc == 0 && a.count == 0 && a.next == 0, "8,000 rows at once: next %lld",
          (long long)a.next);
    CHECK(server_sql(database, "SELECT count(*) FROM history_zone") == ROWS / 65536 + 1, "%lld",
          server_sql(database, "SELECT count(*) FROM history_zone"));
    close_store(s);
}

int main(void)
{
    if (!server_there())
        return 0;
    if (!server_start(&server)) {
        fprintf(stderr, "PostgreSQL does not start, see %s/log\n", server.folder);
        return 1;
    }
    server_url(&server, "amp", "test", database);
    server_url(&server, "amp", "postgres", admin);
    uv_loop_init(&loop);
    RUN(test_open_errors);
    RUN(test_restart);
    RUN(test_away);
    RUN(test_read_only);
    RUN(test_lost_answers);
    RUN(test_taken_over);
    RUN(test_partitions);
    RUN(test_zones);
    server_stop(&server);
    if (uv_loop_close(&loop) != 0)
        fprintf(stderr, "a handle is still open\n"), check_failed++;
    return check_end();
}
