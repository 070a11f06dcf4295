/* Several nodes on one PostgreSQL, at the level of the store: two handles in one process, as two
 * processes would have them. Who takes a station, what the fence refuses, what the others hear. */
#include "central/store/nodes.h"
#include "central/store/postgres_server.h"
#include "ocpp/check.h"

static struct server server;
static char database[128];
static uv_loop_t loop;

/* One node and what it was told. */
struct node {
    struct store *store;
    struct store_nodes *nodes;
    struct fact *changed[4096];
    int64_t from[4096];
    size_t changes;
    int64_t taken_charger, taken_node, taken_epoch, lost, orphan;
    size_t losses;
};

static void on_changed(void *ctx, const struct fact *f, int64_t node)
{
    struct node *n = ctx;

    if (n->changes == AMP_COUNT(n->changed))
        return;
    n->from[n->changes] = node;
    n->changed[n->changes++] = fact_copy(f);
}

static void on_taken(void *ctx, int64_t charger, int64_t node, int64_t epoch)
{
    struct node *n = ctx;

    n->taken_charger = charger;
    n->taken_node = node;
    n->taken_epoch = epoch;
}

static void on_lost(void *ctx, int64_t charger, int64_t epoch)
{
    CHECK(epoch > 0, "under which epoch");
    ((struct node *)ctx)->lost = charger;
    ((struct node *)ctx)->losses++;
}

static void on_orphan(void *ctx, int64_t charger, struct amp_text identity, int64_t epoch)
{
    CHECK(identity.len && epoch > 0, "an orphan has a name");
    ((struct node *)ctx)->orphan = charger;
}

static void on_cut_off(void *ctx)
{
    (void)ctx;
    CHECK(false, "nobody was cut off");
}

static void open_node(struct node *n, const char *name)
{
    const struct store_config config = { .database = database,
                                         .commit_ms = 1,
                                         .partition_rows = 1000,
                                         .node = name,
                                         .address = "127.0.0.1:1" };
    const struct nodes_handler handler = { .ctx = n,
                                           .changed = on_changed,
                                           .taken = on_taken,
                                           .lost = on_lost,
                                           .orphan = on_orphan,
                                           .cut_off = on_cut_off };
    char *why;

    *n = (struct node){ .store = store_open(&loop, &config, &why) };
    if (!n->store) {
        fprintf(stderr, "%s\n", why);
        server_stop(&server);
        exit(1);
    }
    n->nodes = store_nodes(n->store);
    if (n->nodes)
        nodes_watch(n->nodes, &handler);
}

static void forget(struct node *n)
{
    for (size_t i = 0; i < n->changes; i++)
        free(n->changed[i]);
    n->changes = 0;
}

static void close_node(struct node *n)
{
    store_close(n->store);
    uv_run(&loop, UV_RUN_DEFAULT);
    forget(n);
}

static void fresh(void)
{
    server_sql(database, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
}

static void on_done(void *ctx, int rc)
{
    *(int *)ctx = rc;
}

static int outcome(struct node *n)
{
    int rc = 1;

    store_after(n->store, on_done, &rc);
    while (rc == 1)
        uv_run(&loop, UV_RUN_ONCE);
    return rc;
}

static void on_turn(uv_timer_t *t)
{
    ++*(int *)t->data;
}

/* Turn the loop until `*what` is `value`; a bound for a test that fails. */
#define UNTIL(condition)                         \
    do {                                         \
        uv_timer_t timer;                        \
        int turns = 0;                           \
                                                 \
        uv_timer_init(&loop, &timer);            \
        timer.data = &turns;                     \
        uv_timer_start(&timer, on_turn, 20, 20); \
        while (!(condition) && turns < 1500)     \
            uv_run(&loop, UV_RUN_ONCE);          \
        CHECK((condition), "never came");        \
        uv_close((uv_handle_t *)&timer, NULL);   \
        uv_run(&loop, UV_RUN_NOWAIT);            \
    } while (0)

struct taken {
    int rc;
    int64_t charger, epoch;
    size_t count, transactions, readings, commands;
    struct command_fact command;
};

static void on_have(void *ctx, int rc, const struct nodes_taken *t)
{
    struct taken *out = ctx;

    *out = (struct taken){ rc, t->charger, t->epoch, t->count, 0, 0, 0, { 0 } };
    for (size_t i = 0; i < t->count; i++) {
        out->transactions += t->facts[i]->kind == FACT_TRANSACTION;
        out->readings += t->facts[i]->kind == FACT_READING;
        out->commands += t->facts[i]->kind == FACT_COMMAND;
        if (t->facts[i]->kind == FACT_COMMAND)
            out->command = t->facts[i]->u.command;
    }
}

static struct taken take_only(struct node *n, const char *identity, int64_t key, int64_t only)
{
    struct taken t = { .rc = 1 };

    nodes_take(n->nodes, amp_text_of(identity), key, only, on_have, &t);
    while (t.rc == 1)
        uv_run(&loop, UV_RUN_ONCE);
    CHECK(t.rc == 0, "rc %d", t.rc);
    return t;
}

static struct taken take(struct node *n, const char *identity, int64_t key)
{
    return take_only(n, identity, key, -1);
}

static void put_charger(struct node *n, int64_t key, int64_t epoch, const char *vendor)
{
    struct fact f = { FACT_CHARGER,
                      { .charger = { .key = key,
                                     .org = 1,
                                     .id = AMP_TEXT("CP1"),
                                     .connection = CONNECTION_CONNECTED,
                                     .vendor = amp_text_of(vendor) } } };

    store_put_owned(n->store, &f, epoch);
}

static void put_transaction(struct node *n, int64_t key, int64_t charger, int64_t epoch)
{
    struct fact f = { FACT_TRANSACTION,
                      { .transaction = { .key = key,
                                         .org = 1,
                                         .charger = charger,
                                         .connector = 1,
                                         .state = TX_RUNNING,
                                         .start_seen_ms = 1000 } } };

    store_put_owned(n->store, &f, epoch);
}

static void put_reading(struct node *n, int64_t transaction, int64_t charger, int64_t epoch)
{
    struct fact f = { FACT_READING,
                      { .reading = { .charger = charger,
                                     .transaction = transaction,
                                     .at_ms = 1500,
                                     .seen_ms = 1500,
                                     .hash = 7,
                                     .samples = AMP_TEXT("[]") } } };

    store_put_owned(n->store, &f, epoch);
}

static void put_message(struct node *n, int64_t charger, int64_t epoch)
{
    struct fact f = { FACT_MESSAGE, { .message = { .charger = charger, .at_ms = 5 } } };

    store_put_owned(n->store, &f, epoch);
}

static void put_tag(struct node *n, const char *tag, const char *status)
{
    struct fact f = {
        FACT_TAG, { .tag = { .org = 1, .tag = amp_text_of(tag), .status = amp_text_of(status) } }
    };

    store_put(n->store, &f);
}

static long long sql(const char *text)
{
    return server_sql(database, text);
}

/* ---- tests ---- */

static void test_names(void)
{
    const struct store_config same = { .database = database, .node = "a" };
    const struct store_config alone = { .database = database };
    const struct store_config file = { .database = "/tmp/never.db", .node = "a" };
    struct store_keys ka, kb;
    struct node a, b;
    char *why = NULL;

    fresh();
    open_node(&a, "a");
    open_node(&b, "b");
    CHECK(nodes_self(a.nodes) == 1 && nodes_self(b.nodes) == 2, "numbers");
    store_next_keys(a.store, &ka);
    store_next_keys(b.store, &kb);
    CHECK(kb.transaction >= ka.transaction + NODES_TRANSACTIONS && kb.transaction > 0 &&
              kb.transaction_end < INT32_MAX,
          "blocks of transactions");
    CHECK(kb.command - ka.command > 1000000 && kb.user - ka.user > 1000, "and of the others");
    CHECK(!store_open(&loop, &same, &why) && strstr(why, "--node-id"), "%s", why);
    free(why);
    CHECK(!store_open(&loop, &alone, &why) && strstr(why, "another process"), "%s", why);
    free(why);
    CHECK(!store_open(&loop, &file, &why) && strstr(why, "PostgreSQL"), "%s", why);
    free(why);
    UNTIL(nodes_lead(a.nodes) || nodes_lead(b.nodes));
    CHECK(nodes_lead(a.nodes) != nodes_lead(b.nodes), "one leads");
    UNTIL(nodes_list(a.nodes, NULL, 0) == 2);
    close_node(&a);
    UNTIL(nodes_lead(b.nodes)); /* who ends, says so */
    close_node(&b);
    open_node(&b, "b");
    CHECK(nodes_self(b.nodes) == 2, "a name keeps its number");
    store_next_keys(b.store, &ka);
    CHECK(ka.transaction > kb.transaction, "and gets new keys");
    close_node(&b);
    open_node(&a, NULL);
    CHECK(!a.nodes, "alone again, on the same database");
    store_next_keys(a.store, &kb);
    CHECK(kb.transaction > ka.transaction && !kb.transaction_end, "keys are never used again");
    close_node(&a);
}

static void test_take_over(void)
{
    struct node a, b;
    struct taken t;
    int64_t key;

    fresh();
    open_node(&a, "a");
    open_node(&b, "b");
    t = take(&a, "CP1", 11);
    CHECK(t.charger == 11 && t.epoch == 1 && t.count == 0, "new: %lld %lld", (long long)t.charger,
          (long long)t.epoch);
    put_charger(&a, 11, 1, "first");
    put_transaction(&a, 70, 11, 1);
    put_reading(&a, 70, 11, 1);
    put_message(&a, 11, 1);
    CHECK(outcome(&a) == 0 && a.losses == 0, "the owner may say so");

    t = take(&b, "cp1", 99);
    key = t.charger;
    CHECK(key == 11 && t.epoch == 2, "whose it is stays, whatever key was proposed");
    CHECK(t.transactions == 1 && t.readings == 1 && t.count == 3, "all there is: %zu", t.count);
    UNTIL(a.taken_charger == 11 && a.taken_node == 2 && a.taken_epoch == 2);

    /* both believe that they own it: the epoch decides */
    put_charger(&a, 11, 1, "stale");
    put_transaction(&a, 71, 11, 1);
    put_message(&a, 11, 1);
    put_tag(&a, "T", "Accepted");
    CHECK(outcome(&a) == 0 && a.lost == 11 && a.losses == 1, "refused and said: %zu", a.losses);
    put_charger(&b, 11, 2, "second");
    put_transaction(&b, 72, 11, 2);
    CHECK(outcome(&b) == 0 && b.losses == 0, "the new owner");
    CHECK(sql("SELECT count(*) FROM charging_transaction WHERE key = 71") == 0 &&
              sql("SELECT count(*) FROM charging_transaction") == 2 &&
              sql("SELECT count(*) FROM charger WHERE vendor = 'second'") == 1 &&
              sql("SELECT count(*) FROM message") == 1 && sql("SELECT count(*) FROM tag") == 1,
          "only what is anybody's got in");
    t = take(&b, "CP1", 0);
    CHECK(t.epoch == 3 && t.transactions == 2, "again by itself");
    close_node(&a);
    close_node(&b);
}

/* A node ends with a station's connection open, another is started again: who leads hears of it,
 * and takes the station only if nobody else was quicker. */
static void test_orphan(void)
{
    struct node a, b;
    struct taken t;

    fresh();
    open_node(&a, "a");
    open_node(&b, "b");
    UNTIL(nodes_lead(a.nodes) || nodes_lead(b.nodes));
    t = take(&a, "CP1", 11);
    put_charger(&a, 11, t.epoch, "v");
    CHECK(outcome(&a) == 0, "in");
    close_node(&a);
    UNTIL(b.orphan == 11);
    open_node(&a, "a");
    t = take(&a, "CP1", 11);
    CHECK(t.epoch == 2, "it is back, and so is its station");
    t = take_only(&b, "CP1", 11, 1);
    CHECK(t.epoch == 0, "too late for who leads");
    put_charger(&a, 11, 2, "w");
    CHECK(outcome(&a) == 0 && a.losses == 0, "nothing was taken from it");
    t = take_only(&b, "CP1", 11, 2);
    CHECK(t.epoch == 3 && t.count == 1, "this epoch it was");
    put_charger(&b, 11, 3, "x");
    CHECK(outcome(&b) == 0, "in");
    close_node(&b);
    b.orphan = 0;
    open_node(&b, "b"); /* its former life owned CP1 */
    UNTIL(a.orphan == 11 || b.orphan == 11);
    close_node(&a);
    close_node(&b);
}

/* A command leaves once, whoever thinks that it is still to be sent. */
static void test_claim(void)
{
    struct fact f = { FACT_COMMAND,
                      { .command = { .key = 5,
                                     .org = 1,
                                     .charger = 11,
                                     .state = COMMAND_QUEUED,
                                     .action = AMP_TEXT("Reset"),
                                     .created_ms = 10 } } };
    struct node a, b;
    struct taken t;

    fresh();
    open_node(&a, "a");
    open_node(&b, "b");
    t = take(&a, "CP1", 11);
    put_charger(&a, 11, t.epoch, "v");
    CHECK(outcome(&a) == 0, "there");
    store_put(b.store, &f); /* asked for at the other node */
    CHECK(outcome(&b) == 0, "anybody may ask");
    UNTIL(a.changes == 1);
    CHECK(a.changed[0]->kind == FACT_COMMAND && a.changed[0]->u.command.key == 5 && a.from[0] == 2,
          "the owner hears of it");
    f.u.command.state = COMMAND_SENT;
    f.u.command.correlation = AMP_TEXT("id-1");
    store_put_owned(a.store, &f, t.epoch);
    CHECK(outcome(&a) == 0 && a.losses == 0, "claimed");
    store_put_owned(a.store, &f, t.epoch); /* its effect was noted before its answer */
    CHECK(outcome(&a) == 0 && a.losses == 0, "and told again");
    f.u.command.correlation = AMP_TEXT("id-2");
    store_put_owned(a.store, &f, t.epoch);
    CHECK(outcome(&a) == 0 && a.losses == 1, "but never sent again");
    t = take(&b, "CP1", 11);
    CHECK(t.commands == 1 && t.command.state == COMMAND_SENT, "the next owner sees it");
    store_put_owned(b.store, &f, t.epoch);
    CHECK(outcome(&b) == 0 && b.losses == 1, "and can't send it either");
    CHECK(sql("SELECT count(*) FROM command WHERE correlation = 'id-1'") == 1, "id-1 stands");
    close_node(&a);
    close_node(&b);
}

/* Two nodes write the same thing at once: all agree which one counts. */
static void test_order(void)
{
    struct node a, b;
    size_t want = 2 * 100;
    char last[3][16];

    fresh();
    open_node(&a, "a");
    open_node(&b, "b");
    for (int i = 0; i < 100; i++) {
        char text[16];

        snprintf(text, sizeof(text), "a%d", i);
        put_tag(&a, "Same", text);
        snprintf(text, sizeof(text), "b%d", i);
        put_tag(&b, i % 2 ? "SAME" : "same", text);
        if (i % 10 == 0)
            uv_run(&loop, UV_RUN_ONCE);
    }
    CHECK(outcome(&a) == 0 && outcome(&b) == 0, "in");
    UNTIL(a.changes >= want && b.changes >= want);
    CHECK(a.changes == want && b.changes == want, "%zu and %zu: each its own, too", a.changes,
          b.changes);
    for (size_t i = 0; i < a.changes; i++)
        CHECK(amp_text_eq(a.changed[i]->u.tag.status, b.changed[i]->u.tag.status), "at %zu", i);
    amp_text_copy(last[0], 16, a.changed[want - 1]->u.tag.status);
    snprintf(last[1], sizeof(last[1]), "%s", last[0]);
    snprintf(last[2], 16, "x");
    CHECK(sql("SELECT count(*) FROM tag") == 1, "one row");
    {
        char query[100];

        snprintf(query, sizeof(query), "SELECT count(*) FROM tag WHERE status = '%s'", last[0]);
        CHECK(sql(query) == 1, "%s is what the database has", last[0]);
    }
    close_node(&a);
    close_node(&b);
}

/* Histories of two nodes at once, over the bounds of partitions: every row once, ids rise. */
static void test_histories(void)
{
    struct node a, b;
    struct taken ta, tb;

    fresh();
    open_node(&a, "a");
    open_node(&b, "b");
    ta = take(&a, "A", 1);
    tb = take(&b, "B", 2);
    for (int i = 0; i < 60; i++) {
        for (int k = 0; k < 50; k++) {
            put_message(&a, 1, ta.epoch);
            put_message(&b, 2, tb.epoch);
        }
        if (i % 5 == 0)
            uv_run(&loop, UV_RUN_NOWAIT);
        else if (i % 7 == 0)
            CHECK(outcome(&a) == 0, "in");
    }
    CHECK(outcome(&a) == 0 && outcome(&b) == 0, "in");
    CHECK(sql("SELECT count(*) FROM message") == 6000 &&
              sql("SELECT count(DISTINCT id) FROM message") == 6000,
          "%lld", sql("SELECT count(*) FROM message"));
    CHECK(a.losses == 0 && b.losses == 0, "nothing refused");
    CHECK(sql("SELECT count(*) FROM history_partition WHERE kind = 6") >= 6, "several partitions");
    close_node(&a);
    close_node(&b);
}

static void on_number(void *ctx, int rc, int64_t number)
{
    int64_t *out = ctx;

    out[0] = rc;
    out[1] = number;
}

static void test_names_claimed(void)
{
    struct node a, b;
    int64_t x[2] = { 1, 0 }, y[2] = { 1, 0 }, z[2] = { 1, 0 };

    fresh();
    open_node(&a, "a");
    open_node(&b, "b");
    nodes_claim(a.nodes, FACT_USER, AMP_TEXT("Bob"), 10, on_number, x);
    nodes_claim(b.nodes, FACT_USER, AMP_TEXT("bOB"), 20, on_number, y);
    nodes_more_transactions(b.nodes, on_number, z);
    while (x[0] == 1 || y[0] == 1 || z[0] == 1)
        uv_run(&loop, UV_RUN_ONCE);
    CHECK(x[0] == 0 && y[0] == 0 && x[1] == y[1] && (x[1] == 10 || x[1] == 20), "one has it");
    CHECK(z[0] == 0 && z[1] > NODES_TRANSACTIONS, "more keys, %lld", (long long)z[1]);
    close_node(&a);
    close_node(&b);
}

/* The server goes away and comes back: nothing that was said meanwhile is missed, and who asks
 * while it is away hears that. */
static void test_restart(void)
{
    struct node a, b;
    struct taken t = { .rc = 1 };
    int64_t before = 0;
    int rc;

    fresh();
    open_node(&a, "a");
    open_node(&b, "b");
    put_tag(&a, "one", "Accepted");
    CHECK(outcome(&a) == 0, "in");
    UNTIL(b.changes == 1);
    server_kill(&server);
    put_tag(&a, "two", "Accepted");
    do { /* a backend may outlive its postmaster for a moment */
        t.rc = 1;
        nodes_take(b.nodes, AMP_TEXT("CP1"), 5, -1, on_have, &t);
        while (t.rc == 1)
            uv_run(&loop, UV_RUN_ONCE);
        before = t.rc == 0 ? t.epoch : before;
    } while (t.rc == 0);
    CHECK(t.rc == AMP_E_IO, "rc %d", t.rc);
    CHECK(server_again(&server), "the server is back");
    do
        rc = outcome(&a);
    while (rc < 0);
    put_tag(&a, "three", "Accepted");
    CHECK(outcome(&a) == 0, "in");
    UNTIL(b.changes >= 3);
    CHECK(b.changes == 3 && amp_text_is(b.changed[2]->u.tag.tag, "three"), "%zu", b.changes);
    t = take(&b, "CP1", 5);
    CHECK(t.epoch > before, "and stations can be taken again");
    close_node(&a);
    close_node(&b);
}

int main(void)
{
    if (!server_there())
        return 0;
    uv_loop_init(&loop);
    if (!server_start(&server)) {
        server_stop(&server);
        fprintf(stderr, "PostgreSQL does not start\n");
        return 1;
    }
    server_url(&server, "amp", "test", database);
    RUN(test_names);
    RUN(test_take_over);
    RUN(test_orphan);
    RUN(test_claim);
    RUN(test_order);
    RUN(test_histories);
    RUN(test_names_claimed);
    RUN(test_restart);
    server_stop(&server);
    CHECK(uv_loop_close(&loop) == 0, "the loop is empty");
    return check_end();
}
