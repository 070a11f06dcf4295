/* kill -9 at random moments: what was acknowledged is on disk, once. A child puts messages and
 * transactions and writes the number of each that was acknowledged to a pipe; the parent reads
 * some, kills it, reads what is left in the pipe, and looks into the database through a store of
 * its own. The same database, 20 times. With STORE_TEST_POSTGRES (postgres_kill_test.c) in a
 * PostgreSQL of our own, which is killed as well, under the child's hands. */
#include "central/store/store.h"
#include "ocpp/check.h"
#ifdef STORE_TEST_POSTGRES
#include "central/store/postgres_server.h"
#endif
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 20, IN_FLIGHT = 32, MOST = 1000000 };
#ifdef STORE_TEST_POSTGRES
enum { TOLERANT = 1 }; /* the child meets a server that fails */
#else
enum { TOLERANT = 0 };
#endif

static char database[128];

static struct store *open_store(uv_loop_t *loop)
{
    struct store_config config = { .database = database, .commit_ms = 1, .partition_rows = 2000 };
    char *why;
    struct store *s = store_open(loop, &config, &why);

    if (!s) {
        fprintf(stderr, "%s\n", why);
        _exit(3);
    }
    return s;
}

/* ---- the child ---- */

struct child {
    struct store *store;
    int pipe;
    int64_t next;
};
struct flight {
    struct child *child;
    int64_t number;
};

static void on_durable(void *ctx, int rc);

/* One request: its message, and the transaction that it starts. The number is the key, which the
 * store says is free. */
static void take_off(struct flight *f)
{
    struct store *s = f->child->store;
    struct fact message = { FACT_MESSAGE, { .message = { .charger = 1 } } };
    struct fact tx = { FACT_TRANSACTION,
                       { .transaction = { .org = 1, .charger = 1, .state = TX_COMPLETED } } };

    f->number = f->child->next++;
    message.u.message.at_ms = f->number;
    tx.u.transaction.key = f->number;
    store_put(s, &tx); /* first: a batch may end here, and a message whose number is not taken would
                          be there twice after the next start */
    store_put(s, &message);
    store_after(s, on_durable, f);
}

static void on_durable(void *ctx, int rc)
{
    struct flight *f = ctx;

    if (rc < 0 &&
        TOLERANT) { /* not acknowledged: it may get in later, and the next has its own number */
        take_off(f);
        return;
    }
    if (rc < 0 || write(f->child->pipe, &f->number, sizeof(f->number)) != sizeof(f->number))
        _exit(4);
    take_off(f);
}

static void child_main(int pipe)
{
    static struct flight flights[IN_FLIGHT];
    struct child child = { .pipe = pipe };
    struct store_keys keys;
    uv_loop_t loop;

    uv_loop_init(&loop);
    child.store = open_store(&loop);
    store_next_keys(child.store, &keys);
    child.next = keys.transaction;
    for (int i = 0; i < IN_FLIGHT; i++) {
        flights[i].child = &child;
        take_off(&flights[i]);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    _exit(5); /* it never runs dry */
}

/* ---- the parent ---- */

static unsigned char acknowledged[MOST], seen[MOST];
static int64_t highest;

static bool read_one(int pipe)
{
    int64_t number;

    if (read(pipe, &number, sizeof(number)) != sizeof(number))
        return false;
    CHECK(number > 0 && number < MOST, "number %lld", (long long)number);
    if (number > 0 && number < MOST) {
        CHECK(!acknowledged[number], "%lld was given out twice", (long long)number);
        acknowledged[number] = 1;
        highest = number > highest ? number : highest;
    }
    return true;
}

/* `disturb`, if any, is called in the middle, with a number from 0. */
static void run_and_kill(unsigned acks, unsigned times, void (*disturb)(unsigned n))
{
    int ends[2], status;
    pid_t child;

    CHECK(pipe(ends) == 0, "pipe");
    child = fork();
    if (child == 0) {
        close(ends[0]);
        child_main(ends[1]);
    }
    close(ends[1]);
    for (unsigned n = 0; n <= times; n++) {
        for (unsigned i = 0; i < acks; i++)
            CHECK(read_one(ends[0]), "the child ended by itself");
        if (n < times)
            disturb(n);
    }
    kill(child, SIGKILL);
    while (read_one(ends[0])) /* acknowledged before the end, and still in the pipe */
        ;
    close(ends[0]);
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status), "status %d", status);
}

struct listing {
    bool messages;
    int64_t next;
    size_t count;
};

static void on_rows(void *ctx, int rc, const struct fact *rows, const int64_t *ids, size_t count,
                    int64_t next)
{
    struct listing *l = ctx;

    (void)ids;
    CHECK(rc == 0, "rc %d", rc);
    for (size_t i = 0; i < count; i++) {
        int64_t number = l->messages ? rows[i].u.message.at_ms : rows[i].u.transaction.key;

        if (number > 0 && number < MOST)
            seen[number]++;
    }
    l->count += count;
    l->next = rc < 0 ? 0 : next;
}

static void look(struct store *s, uv_loop_t *loop, bool messages)
{
    struct store_ask ask = { .what = messages ? ASK_MESSAGES : ASK_TRANSACTIONS,
                             .org = 1,
                             .charger = 1,
                             .connector = -1,
                             .open = -1,
                             .limit = 1000 };
    struct listing list = { .messages = messages };

    memset(seen, 0, sizeof(seen));
    do {
        ask.before = list.next;
        store_ask(s, &ask, on_rows, &list);
        uv_run(loop, UV_RUN_DEFAULT);
    } while (list.next);
    for (int64_t i = 1; i < MOST; i++) {
        CHECK(!acknowledged[i] || seen[i], "%s %lld was acknowledged and is gone",
              messages ? "message" : "transaction", (long long)i);
        CHECK(seen[i] <= 1, "%s %lld is there %d times", messages ? "message" : "transaction",
              (long long)i, seen[i]);
    }
    CHECK(list.count > 0, "nothing at all");
}

/* What the next process finds. */
static void look_again(void)
{
    struct store_keys keys;
    struct store *s;
    uv_loop_t loop;

    uv_loop_init(&loop);
    s = open_store(&loop);
    store_next_keys(s, &keys);
    CHECK(keys.transaction > highest, "key %lld would be used again", (long long)keys.transaction);
    look(s, &loop, true);
    look(s, &loop, false);
    store_close(s);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}

static void test_kill(void)
{
    uint32_t random = 12345 + (uint32_t)getpid();

    for (int round = 0; round < ROUNDS; round++) {
        random = random * 1664525 + 1013904223;
        run_and_kill(random >> 16 & 0x3ff, 0, NULL);
        look_again();
    }
    CHECK(highest > ROUNDS, "it did something: %lld", (long long)highest);
}

#ifdef STORE_TEST_POSTGRES

static struct server server;

static void kill_server(unsigned n)
{
    (void)n;
    server_kill(&server);
    CHECK(server_again(&server), "the server does not start again, see %s/log", server.folder);
}

/* All connections of the child; some of them between a commit and its answer. */
static long long connections_killed;

static void kill_connections(unsigned n)
{
    char url[128];

    (void)n;
    server_url(&server, "amp", "postgres", url);
    connections_killed +=
        server_sql(url, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
                        "application_name = 'amperstand'");
}

static void test_kill_server(void)
{
    for (int round = 0; round < 3; round++) {
        run_and_kill(300, 3, kill_server);
        look_again();
    }
}

static void test_kill_connections(void)
{
    for (int round = 0; round < 3; round++) {
        run_and_kill(97, 40, kill_connections);
        look_again();
    }
    CHECK(connections_killed > 60, "%lld", connections_killed);
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
    RUN(test_kill);
    RUN(test_kill_server);
    RUN(test_kill_connections);
    server_stop(&server);
    return check_end();
}

#else

int main(void)
{
    char folder[64] = "/tmp/kill-test-XXXXXX", command[100];

    if (!mkdtemp(folder))
        return 1;
    snprintf(database, sizeof(database), "%s/test.db", folder);
    RUN(test_kill);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    if (system(command) != 0)
        check_failed++;
    return check_end();
}

#endif
