/* What every driver must do, through store.h alone. A fresh SQLite file for each test; or, with
 * STORE_TEST_POSTGRES (postgres_store_test.c), an emptied database of a PostgreSQL of our own. */
#include "central/store/store.h"
#include "ocpp/check.h"
#include <stdlib.h>
#include <unistd.h>
#ifdef STORE_TEST_POSTGRES
#include "central/store/postgres_server.h"
#endif

static char database[128];
static uv_loop_t loop;

#ifdef STORE_TEST_POSTGRES
static struct server server;

static void fresh(void)
{
    server_url(&server, "amp", "test", database);
    server_sql(database, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    CHECK(server_sql(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0,
          "an empty database");
}
#else
static char folder[64];

static void fresh(void)
{
    char command[200];

    if (folder[0]) {
        snprintf(command, sizeof(command), "rm -rf %s", folder);
        CHECK(system(command) == 0, "%s", command);
    }
    snprintf(folder, sizeof(folder), "/tmp/store-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL, "a temporary folder");
    snprintf(database, sizeof(database), "%s/test.db", folder);
}
#endif

static struct store *open_rows(uint32_t partition_rows)
{
    struct store_config config = { .database = database, .partition_rows = partition_rows };
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

/* ---- waiting ---- */

static int calls, last_rc, order[8];

static void on_done(void *ctx, int rc)
{
    if (calls < (int)AMP_COUNT(order))
        order[calls] = *(int *)ctx;
    calls++;
    last_rc = rc;
}

/* Until all that was put is durable. */
static void settle(struct store *s)
{
    static int any;

    calls = 0;
    last_rc = 1;
    store_after(s, on_done, &any);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(calls == 1 && last_rc == 0, "%d calls, rc %d", calls, last_rc);
}

/* ---- comparing ---- */

/* Equal in every field. */
static bool same(const struct fact *a, const struct fact *b)
{
    struct fact x = *a, y = *b;
    const uint16_t *at;
    size_t count = fact_texts(a->kind, &at);

    if (a->kind != b->kind)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct amp_text *p = (struct amp_text *)(void *)((char *)&x + at[i]);
        struct amp_text *q = (struct amp_text *)(void *)((char *)&y + at[i]);

        if (!p->at != !q->at || !amp_text_eq(*p, *q))
            return false;
        *p = *q = AMP_NO_TEXT;
    }
    return !memcmp(&x.u, &y.u, sizeof(x.u));
}

/* Facts that came back. */
struct got {
    struct fact *facts[4096];
    int64_t ids[4096];
    size_t count;
    int rc;
    int64_t next;
    int answers;
};
static struct got got;

static void forget(void)
{
    for (size_t i = 0; i < got.count; i++)
        free(got.facts[i]);
    got = (struct got){ .count = 0 };
}

static void keep(void *ctx, const struct fact *f)
{
    (void)ctx;
    if (got.count < AMP_COUNT(got.facts))
        got.facts[got.count++] = fact_copy(f);
}

static void on_rows(void *ctx, int rc, const struct fact *rows, const int64_t *ids, size_t count,
                    int64_t next)
{
    (void)ctx;
    got.rc = rc;
    got.next = next;
    got.answers++;
    for (size_t i = 0; i < count && got.count < AMP_COUNT(got.facts); i++) {
        got.ids[got.count] = ids[i];
        keep(NULL, &rows[i]);
    }
}

/* All pages of an answer into `got`. */
static void ask_all(struct store *s, struct store_ask ask)
{
    forget();
    do {
        store_ask(s, &ask, on_rows, NULL);
        uv_run(&loop, UV_RUN_DEFAULT);
        CHECK(got.rc == 0, "rc %d", got.rc);
        ask.before = got.next;
    } while (got.rc == 0 && got.next);
}

static size_t count_of(enum fact_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < got.count; i++)
        n += got.facts[i]->kind == kind;
    return n;
}

/* ---- one of each kind, every field set ---- */

/* AMP_TEXT is no constant; this is, inside of braces. */
#define T(literal)                     \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }
static const struct fact all[] = {
    { FACT_CHARGER,
      { .charger = { 3,
                     1,
                     T("CP-ü"),
                     T("Vend"),
                     T("Mod"),
                     T("Ser"),
                     T("Box"),
                     T("1.2"),
                     T("89"),
                     T("26"),
                     T("MT"),
                     T("MS"),
                     T("ocpp1.6"),
                     T("[::1]:4"),
                     1700000000000,
                     1700000000001,
                     1700000000002,
                     300,
                     REGISTRATION_ACCEPTED,
                     CONNECTION_STALE,
                     0,
                     true } } },
    { FACT_CONNECTOR,
      { .connector = { 3, 2, T("Faulted"), T("OtherError"), T("in\"fo"), T("vid"), T("verr"),
                       1700000000003, 1700000000004 } } },
    { FACT_TRANSACTION,
      { .transaction = { 7,           1,           3,
                         2,           TX_RUNNING,  TX_FLAG_ZOMBIE | TX_FLAG_NO_ENERGY | 0x80000000u,
                         T("uid"),    T("tag"),    T("stop"),
                         T("Remote"), 11,          12,
                         13,          14,          15,
                         16,          17,          18,
                         -19,         20,          21,
                         22,          23,          24,
                         3,           0x80000001u, 0xfedcba9876543210u,
                         5,           26,          27,
                         28,          5,           29,
                         30,          T("3-4") } } },
    { FACT_TAG, { .tag = { 1, T("AbC"), T("PARENT"), T(""), T("Blocked"), 123456789, false } } },
    { FACT_USER, { .user = { 4, 1, T("eve"), T("Eve"), T("$argon2id$"), ROLE_ADMIN, true, 55 } } },
    { FACT_LOGIN, { .login = { T("00ff"), 4, 66, 77 } } },
    { FACT_API_KEY, { .api_key = { 5, 1, T("abcd"), T("script"), ROLE_OPERATOR, 88, 99 } } },
    { FACT_COMMAND, { .command = { 6,          1,
                                   3,          COMMAND_SENT,
                                   -1,         7,
                                   T("Reset"), T("{\"type\":\"Soft\"}"),
                                   T("later"), T("corr"),
                                   T("eve"),   21,
                                   22,         23,
                                   24,         25,
                                   26,         27,
                                   28,         29,
                                   2,          T("Downloading"),
                                   T("1.0"),   T("1.1"),
                                   T("trace") } } },
    { FACT_LOAD_GROUP,
      { .load_group = { 1,  T("site"), T("Site"), T("top"), 2,    230, 400, 900, 11000,
                        -1, 12,        13,        3,        true, 14,  15,  16,  { 17, 18, 19 },
                        20, 21,        false } } },
    { FACT_LOAD_MEMBER,
      { .load_member = { 3, 2, 1, T("site"), 2, 320, 160, -1, 5, 3, 2, true, true, false } } },
    { FACT_LOAD_POINT,
      { .load_point = { 3,
                        2,
                        7,
                        { { 1, -1, 0, 2 }, { 3, 4, 5, 6 }, { -1, 7, 8, 9 } },
                        10,
                        11,
                        true,
                        true } } },
    { FACT_QUIRK,
      { .quirk = { 1, T("Keba"), 3, T("KEBA"), T("P30"), T("no\te"), 0x80000001u, 3, 230, 2, -1, 40,
                   41, false } } },
    { FACT_RESERVATION,
      { .reservation = { 9, 1, 3, 0, RESERVATION_ACTIVE, T("AbC"), T("PARENT"), T("eve"), T("why"),
                         1, 2, 3, 4, 5, 6 } } },
    { FACT_LIST, { .list = { 1, T("All"), T("note"), 7, 6, 5, false } } },
    { FACT_LIST_ENTRY, { .list_entry = { 1, T("All"), T("AbC"), 7, true } } },
    { FACT_CHARGER_LIST,
      { .charger_list = { 3, 1, T("All"), -2, 6, 8, 9, CHARGER_LIST_SENDING, 10, T("why"), 11 } } },
    { FACT_PROFILE, { .profile = { 1, T("Night"), T("note"), T("{\"a\":1}"), 12, false } } },
    { FACT_INSTALLED,
      { .installed = { 3, 1001, 1, 2, INSTALLED_HERE, 4, INSTALLED_BOOT_AGAIN, T("Night"),
                       T("TxProfile"), T("{}"), T("{\"b\":2}"), T("why"), 13, 14, 15 } } },
    { FACT_ACCESS,
      { .access = { 3, T("salt$hash"), T("next"), T("CN"), 91, 2, 3, 45, 65536, true } } },
    { FACT_BOOT_RULE,
      { .boot_rule = { 1, T("all"), 7, REGISTRATION_REJECTED, T("i*"), T("v*"), T("m*"), T("s*"),
                       T("f*"), true, false } } },
    { FACT_CERTIFICATE,
      { .certificate = { T("00aa"), 1, 3, CERTIFICATE_ISSUED, T("AA"), T("CN=root"), T("CP1"),
                         T("csr"), T("pem"), T("why"), 92, 93, 94, 95, 96 } } },
    { FACT_CONFIG,
      { .config = { 3, T("MeterInterval"), T(" 60"), true, true, true, false, 81, 82 } } },
    { FACT_FILE,
      { .file = { 8, 1, FILE_REPORTED, FILE_READY, 5000000000, T("log.zip"), T("application/zip"),
                  T("note"), T("abcd"), T("token"), T("eve"), 3, 6, 83, 84, 85 } } },
    { FACT_BATCH,
      { .batch = { 9, 1, BATCH_RUNNING, T("Reset"), T("{}"), T("note"), T("eve"), T("trace"),
                   T("3,4"), 5, 6, 7, 8, true, 86, 87, 9, 10, 11 } } },
    { FACT_READING,
      { .reading = { 3, 7, 2, -5, 31, 0xfedcba9876543210u, T("[{\"value\":\"1\"}]"), 63, 32, 33, 34,
                     35, 36, -37 } } },
    { FACT_MESSAGE,
      { .message = { 41, 3, MESSAGE_SENT, 4, T("Heartbeat"), T("{}"), T("m1"), T("objection"), -1,
                     2 } } },
    { FACT_STATUS, { .status = { 3, 2, T("Charging"), T("NoError"), { NULL, 0 }, 51, 52 } } },
    { FACT_CONNECTION,
      { .connection = { 0, 61, CONNECTION_REFUSED, 404, T("who?"), T("10.0.0.1:5"),
                        T("unknown") } } },
    { FACT_REFUSAL,
      { .refusal = { 1, 0, 97, 401, 5, T("wrong-password"), T("who?"), T("10.0.0.1:5"), T("CN"),
                     T("because") } } },
    { FACT_POWER, { .power = { 1, 3, 900000, -7, 8, 0 } } },
    { FACT_SHAPE, { .shape = { INT64_MAX, T("[{\"value\":\"\x1f\"}]") } } },
    { FACT_AUDIT,
      { .audit = { 1, 3, 71, 4, T("eve"), T("change"), T("tag"), T("AbC"), T("{\"a\":1}"), T("{}"),
                   T("because") } } },
};

static void test_every_field(void)
{
    size_t replayed = 0; /* the rows of `all` that come back at the start */
    static const struct store_ask asks[] = {
        { .what = ASK_READINGS, .org = 1, .transaction = 7, .connector = -1, .limit = 10 },
        { .what = ASK_MESSAGES, .org = 1, .connector = -1, .limit = 10 },
        { .what = ASK_STATUS, .org = 1, .connector = -1, .limit = 10 },
        { .what = ASK_CONNECTIONS, .org = 1, .connector = -1, .limit = 10 },
        { .what = ASK_TRANSACTIONS, .org = 1, .connector = -1, .open = -1, .limit = 10 },
        { .what = ASK_COMMANDS, .org = 1, .connector = -1, .limit = 10 },
        { .what = ASK_AUDIT, .org = 1, .connector = -1, .limit = 10 },
        { .what = ASK_REFUSALS, .org = 1, .connector = -1, .limit = 10 },
        { .what = ASK_RESERVATIONS,
          .org = 1,
          .charger = 3,
          .connector = 0,
          .open = 1,
          .limit = 10 },
        { .what = ASK_SHAPE, .transaction = INT64_MAX, .limit = 1 },
        { .what = ASK_POWER,
          .org = 1,
          .charger = 3,
          .from_ms = 900000,
          .to_ms = 1800000,
          .step_ms = 900000,
          .limit = 10 },
    };
    struct store *s;

    fresh();
    s = open_rows(0);
    for (size_t i = 0; i < AMP_COUNT(all); i++)
        store_put(s, &all[i]);
    close_store(s);
    s = open_rows(0);
    forget();
    CHECK(store_load(s, keep, NULL) == 0, "load");
    while (all[replayed].kind != FACT_READING)
        replayed++;
    replayed++; /* and the reading */
    CHECK(got.count == replayed, "%zu facts", got.count);
    for (size_t i = 0; i < got.count && i < replayed; i++)
        CHECK(same(got.facts[i], &all[i]), "kind %d is different", (int)all[i].kind);
    for (size_t i = 0; i < AMP_COUNT(asks); i++) {
        bool found = false;

        ask_all(s, asks[i]);
        CHECK(got.count == 1, "question %zu: %zu rows", i, got.count);
        for (size_t k = 0; k < AMP_COUNT(all); k++)
            found = found || (got.count && same(got.facts[0], &all[k]));
        CHECK(found, "question %zu: what came back was never put", i);
    }
    forget();
    close_store(s);
}

/* ---- durability and order ---- */

static struct fact a_message(int64_t charger, int64_t at_ms, const char *correlation)
{
    return (struct fact){ FACT_MESSAGE,
                          { .message = { .at_ms = at_ms,
                                         .charger = charger,
                                         .direction = MESSAGE_RECEIVED,
                                         .type = 2,
                                         .action = AMP_TEXT("Heartbeat"),
                                         .payload = AMP_TEXT("{}"),
                                         .correlation = amp_text_of(correlation) } } };
}

static void test_after(void)
{
    int numbers[] = { 1, 2, 3, 4 };
    struct fact m = a_message(1, 5, "x");
    struct store_stats stats;
    struct store *s;

    fresh();
    s = open_rows(0);
    calls = 0;
    store_after(s, on_done, &numbers[0]); /* nothing to wait for, and still not from inside */
    CHECK(calls == 0, "called from inside");
    store_put(s, &m);
    store_after(s, on_done, &numbers[1]);
    store_after(s, on_done, &numbers[2]);
    store_put(s, &m);
    store_after(s, on_done, &numbers[3]);
    CHECK(calls == 0, "called from inside");
    uv_run(&loop, UV_RUN_DEFAULT); /* ends by itself: only while somebody waits does the store keep
                                      the loop alive */
    CHECK(calls == 4 && last_rc == 0, "%d calls, rc %d", calls, last_rc);
    for (int i = 0; i < 4; i++)
        CHECK(order[i] == i + 1, "call %d was number %d", i, order[i]);
    store_stats(s, &stats);
    CHECK(stats.facts == 2 && stats.pending == 0 && stats.failures == 0 && stats.commits >= 1,
          "%llu facts, %llu pending", (unsigned long long)stats.facts,
          (unsigned long long)stats.pending);
    CHECK(!stats.failing && stats.error[0] == '\0', "no error: %s", stats.error);
    calls = 0;
    store_put(s, &m);
    store_after(s, on_done, &numbers[0]);
    store_close(s); /* with the answer still owed */
    CHECK(calls == 1 && last_rc == 0, "close pays what is owed: %d", calls);
    uv_run(&loop, UV_RUN_DEFAULT);
    s = open_rows(0);
    ask_all(s, (struct store_ask){ .what = ASK_MESSAGES, .org = 1, .limit = 100 });
    CHECK(got.count == 3, "%zu messages", got.count);
    forget();
    close_store(s);
}

/* ---- the present ---- */

static void test_replace(void)
{
    struct fact charger = { FACT_CHARGER,
                            { .charger = { .key = 1, .org = 1, .id = AMP_TEXT("A") } } };
    struct fact tag = {
        FACT_TAG, { .tag = { .org = 1, .tag = AMP_TEXT("Card"), .status = AMP_TEXT("Accepted") } }
    };
    struct fact tx = { FACT_TRANSACTION,
                       { .transaction = {
                             .key = 1, .org = 1, .charger = 1, .state = TX_RUNNING } } };
    struct fact login = { FACT_LOGIN, { .login = { AMP_TEXT("t1"), 1, 5, 6 } } };
    struct fact command = { FACT_COMMAND,
                            { .command = { .key = 1, .org = 1, .state = COMMAND_ACCEPTED } } };
    struct store *s;

    fresh();
    s = open_rows(0);
    store_put(s, &charger);
    store_put(s, &tag);
    store_put(s, &tx);
    store_put(s, &login);
    store_put(s, &command);
    settle(s);
    charger.u.charger.vendor = AMP_TEXT("Later");
    tag.u.tag.tag = AMP_TEXT("CARD");
    tag.u.tag.status = AMP_TEXT("Blocked");
    tx.u.transaction.last_wh = 99;
    store_put(s, &charger);
    store_put(s, &tag);
    store_put(s, &tx);
    settle(s);
    forget();
    CHECK(store_load(s, keep, NULL) == 0, "load");
    CHECK(got.count == 5, "each once: %zu", got.count);
    CHECK(got.count && same(got.facts[0], &charger), "the charger first, as it is now");
    for (size_t i = 0; i < got.count; i++) {
        CHECK(got.facts[i]->kind != FACT_TAG || same(got.facts[i], &tag), "the tag as it is now");
        CHECK(got.facts[i]->kind != FACT_TRANSACTION || same(got.facts[i], &tx), "the transaction");
    }
    /* what is over does not come back */
    tag.u.tag.deleted = true;
    tx.u.transaction.state = TX_STOPPED;
    login.u.login.expires_ms = 0;
    command.u.command.state = COMMAND_CONFIRMED;
    store_put(s, &tag);
    store_put(s, &login);
    store_put(s, &command);
    for (tx.u.transaction.key = 1; tx.u.transaction.key <= 6; tx.u.transaction.key++) {
        tx.u.transaction.stop_seen_ms = tx.u.transaction.key == 5 ? 0 : tx.u.transaction.key;
        store_put(s, &tx); /* 5 ended first */
    }
    close_store(s);
    s = open_rows(0);
    forget();
    CHECK(store_load(s, keep, NULL) == 0, "load");
    CHECK(got.count == 5 && got.facts[0]->kind == FACT_CHARGER, "%zu facts", got.count);
    /* but for those that ended last: a stop that is repeated after a restart finds its own */
    for (size_t i = 1; i < got.count; i++)
        CHECK(got.facts[i]->kind == FACT_TRANSACTION &&
                  got.facts[i]->u.transaction.key == (i < 4 ? (int64_t)i + 1 : 6),
              "fact %zu is transaction %lld", i, (long long)got.facts[i]->u.transaction.key);
    ask_all(s, (struct store_ask){
                   .what = ASK_TRANSACTIONS, .org = 1, .connector = -1, .open = -1, .limit = 9 });
    CHECK(got.count == 6, "all are in the past: %zu", got.count);
    forget();
    close_store(s);
}

/* The same rows many times in one batch: the last of each counts. */
static void test_twice_in_a_batch(void)
{
    enum { TIMES = 10000 };
    struct fact charger = { FACT_CHARGER, { .charger = { .key = 1, .org = 1 } } };
    struct fact tag = { FACT_TAG, { .tag = { .org = 1, .status = AMP_TEXT("Accepted") } } };
    struct fact connector = { FACT_CONNECTOR, { .connector = { .charger = 1 } } };
    struct store *s;

    fresh();
    s = open_rows(0);
    for (int i = 0; i < TIMES; i++) {
        charger.u.charger.last_seen_ms = i;
        charger.u.charger.key = 1 + i % 3;
        tag.u.tag.tag = i % 2 ? AMP_TEXT("Card") : AMP_TEXT("cARD");
        tag.u.tag.expiry_ms = i;
        connector.u.connector.connector = i % 2;
        connector.u.connector.at_ms = i;
        store_put(s, &charger);
        store_put(s, &tag);
        store_put(s, &connector);
    }
    settle(s);
    forget();
    CHECK(store_load(s, keep, NULL) == 0, "load");
    CHECK(got.count == 3 + 1 + 2, "%zu facts", got.count);
    for (size_t i = 0; i < got.count; i++) {
        const struct fact *f = got.facts[i];

        CHECK(f->kind != FACT_CHARGER ||
                  f->u.charger.last_seen_ms == TIMES - 1 - (TIMES - f->u.charger.key) % 3,
              "charger %lld is of %lld", (long long)f->u.charger.key,
              (long long)f->u.charger.last_seen_ms);
        CHECK(f->kind != FACT_TAG || same(f, &tag), "the tag");
        CHECK(f->kind != FACT_CONNECTOR ||
                  f->u.connector.at_ms == TIMES - 2 + f->u.connector.connector,
              "connector %d is of %lld", f->u.connector.connector, (long long)f->u.connector.at_ms);
    }
    forget();
    close_store(s);
}

static void test_keys(void)
{
    struct store_keys keys;
    struct fact tx = { FACT_TRANSACTION,
                       { .transaction = { .key = 41, .org = 1, .state = TX_STOPPED } } };
    struct fact charger = { FACT_CHARGER, { .charger = { .key = 9, .org = 1 } } };
    struct store *s;

    fresh();
    s = open_rows(0);
    store_next_keys(s, &keys);
    CHECK(keys.charger == 1 && keys.transaction == 1 && keys.command == 1 && keys.user == 1 &&
              keys.api_key == 1 && keys.file == 1 && keys.batch == 1,
          "an empty store starts at 1");
    store_put(s, &tx);
    tx.u.transaction.key = 12; /* the order does not matter */
    store_put(s, &tx);
    store_put(s, &charger);
    close_store(s);
    s = open_rows(0);
    store_next_keys(s, &keys);
    CHECK(keys.transaction == 42 && keys.charger == 10 && keys.command == 1, "%lld %lld",
          (long long)keys.transaction, (long long)keys.charger);
    close_store(s);
}

/* The newest 16 readings of each open transaction, oldest first, wherever they are: in the newest
 * partition's tail, in an index, in partitions long closed. */
static void test_load_readings(void)
{
    enum { TRANSACTIONS = 5, READINGS = 400 };
    uint64_t newest[TRANSACTIONS + 1][16] = { { 0 } };
    int count[TRANSACTIONS + 1] = { 0 };
    struct store *s;

    fresh();
    s = open_rows(50);
    store_put(s, &(struct fact){ FACT_CHARGER, { .charger = { .key = 1, .org = 1 } } });
    for (int t = 1; t <= TRANSACTIONS; t++) {
        struct fact tx = { FACT_TRANSACTION,
                           { .transaction = { .key = t,
                                              .org = 1,
                                              .charger = 1,
                                              .state = t == 4 ? TX_STOPPED : TX_RUNNING } } };

        store_put(s, &tx);
    }
    for (int i = 0; i < READINGS; i++) {
        /* 1 all the time, 2 only early, 3 rarely, 4 is closed, 5 has none */
        int t = i < 30 && i % 3 == 0 ? 2 : i % 50 == 0 ? 3 : i % 4 == 0 ? 4 : i % 7 == 0 ? 0 : 1;
        struct fact r = { FACT_READING,
                          { .reading = { .charger = 1,
                                         .transaction = t,
                                         .seen_ms = 1000 + i,
                                         .hash = 77u * (unsigned)i } } };

        memmove(newest[t], newest[t] + 1, sizeof(newest[t]) - sizeof(newest[t][0]));
        newest[t][15] = r.u.reading.hash;
        count[t]++;
        store_put(s, &r);
        if (i % 23 == 0)
            settle(s);
    }
    close_store(s);
    s = open_rows(50);
    forget();
    CHECK(store_load(s, keep, NULL) == 0, "load");
    for (int t = 1; t <= TRANSACTIONS; t++) {
        int n = 0, want = count[t] < 16 ? count[t] : 16;

        for (size_t i = 0; i < got.count; i++) {
            const struct reading_fact *r = &got.facts[i]->u.reading;

            if (got.facts[i]->kind != FACT_READING || r->transaction != t)
                continue;
            CHECK(n < want && r->hash == newest[t][16 - want + n],
                  "transaction %d, reading %d of %d", t, n, want);
            n++;
        }
        CHECK(n == want, "transaction %d: %d of %d readings", t, n, want);
    }
    CHECK(count_of(FACT_TRANSACTION) == TRANSACTIONS, "%zu", count_of(FACT_TRANSACTION));
    forget();
    close_store(s);
}

/* Bytes that no text should have must not hold up what comes behind them. */
static void test_odd_texts(void)
{
    static const struct amp_text odd[] = { T("a\0b"),
                                           T("\xff"),
                                           T("\xc3"),
                                           T("x\xe2\x82"),
                                           T("\xed\xa0\x80"),
                                           T("\xf0\x9f\x98\x80 fine"),
                                           T("quote ' \" \\ {,} NULL") };
    struct store *s;

    fresh();
    s = open_rows(0);
    for (size_t i = 0; i < AMP_COUNT(odd); i++) {
        struct fact f = a_message(1, 1 + (int64_t)i, "odd");

        f.u.message.payload = odd[i];
        store_put(s, &f);
        settle(s);
    }
    ask_all(s, (struct store_ask){ .what = ASK_MESSAGES, .org = 1, .limit = 100 });
    CHECK(got.count == AMP_COUNT(odd), "%zu messages", got.count);
    for (size_t i = 0; i < got.count; i++) {
        size_t n = AMP_COUNT(odd) - 1 - i;

        if (n >= 5) /* valid ones come back as they went */
            CHECK(amp_text_eq(got.facts[i]->u.message.payload, odd[n]), "text %zu: %.*s", n,
                  AMP_FMT(got.facts[i]->u.message.payload));
    }
    ask_all(s, (struct store_ask){
                   .what = ASK_MESSAGES, .org = 1, .limit = 100, .text = T("\xff\xfe no") });
    CHECK(got.count == 0, "%zu messages", got.count);
    forget();
    close_store(s);
}

/* ---- the past: every question against a model that looks at each row ---- */

enum { ROWS = 3000, CHARGERS = 7 };
static struct fact log_rows[ROWS];
static int64_t log_orgs[ROWS];
static char log_texts[ROWS][64];

static const char *const actions[] = { "Heartbeat", "MeterValues", "StatusNotification" };

static char log_ids[50][8];

static struct fact log_row(int i)
{
    unsigned r = (unsigned)i * 2654435761u >> 8;
    struct fact f = a_message(1 + r % CHARGERS, 10000 + 10 * i, "c");

    snprintf(log_ids[i % 50], sizeof(log_ids[0]), "id-%d", i % 50);
    snprintf(log_texts[i], sizeof(log_texts[i]), "{\"n\":%d,\"%s\":\"50%%_\\x\"}", i,
             r % 5 ? "plain" : "NeedLe");
    f.u.message.payload = amp_text_of(log_texts[i]);
    f.u.message.correlation = amp_text_of(log_ids[i % 50]);
    f.u.message.action = amp_text_of(actions[r / 8 % 3]);
    f.u.message.direction = 1 + (int32_t)(r / 32 % 2);
    f.u.message.type = 2 + (int32_t)(r / 64 % 3);
    if (r % 11 == 0)
        f.u.message.error = AMP_TEXT("odd");
    if (i % 500 == 77)
        f.u.message.at_ms = 3; /* a clock that jumped */
    return f;
}

static bool contains(struct amp_text t, const char *lower)
{
    char text[64];

    amp_text_copy(text, sizeof(text), t);
    for (char *c = text; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    return strstr(text, lower) != NULL;
}

static bool matches(int i, const struct store_ask *a, const char *lower)
{
    const struct message_fact *m = &log_rows[i].u.message;

    return (!a->org || log_orgs[i] == a->org) && (!a->charger || m->charger == a->charger) &&
           (!a->from_ms || m->at_ms >= a->from_ms) && (!a->to_ms || m->at_ms < a->to_ms) &&
           (!a->action.at || amp_text_eq(a->action, m->action)) &&
           (!a->direction || a->direction == m->direction) && (!a->type || a->type == m->type) &&
           (!a->errors_only || m->error.at || m->type == 4) &&
           (!a->correlation.at || amp_text_eq(a->correlation, m->correlation)) &&
           (!a->text.at || contains(m->payload, lower));
}

static void compare(struct store *s, const struct store_ask *ask, const char *lower)
{
    size_t n = 0;

    ask_all(s, *ask);
    for (int k = 0; k < ROWS; k++) {
        int i = ask->forward ? k : ROWS - 1 - k;

        if (!matches(i, ask, lower))
            continue;
        if (n >= got.count || !same(got.facts[n], &log_rows[i])) {
            CHECK(false, "charger %d text %.*s limit %d: row %zu is not log row %d",
                  (int)ask->charger, AMP_FMT(ask->text), ask->limit, n, i);
            return;
        }
        CHECK(n == 0 || (got.ids[n] > got.ids[n - 1]) == ask->forward, "order of ids");
        n++;
    }
    CHECK(n == got.count, "charger %d limit %d: %zu rows, not %zu", (int)ask->charger, ask->limit,
          got.count, n);
}

static void put_log(struct store *s)
{
    for (int c = 1; c <= CHARGERS; c++) {
        struct fact f = { FACT_CHARGER, { .charger = { .key = c, .org = c == 2 ? 5 : 1 } } };

        store_put(s, &f);
    }
    for (int i = 0; i < ROWS; i++) {
        int64_t charger;

        log_rows[i] = log_row(i);
        charger = log_rows[i].u.message.charger;
        if (i == ROWS / 2) { /* sold: what was before stays with the seller */
            struct fact f = { FACT_CHARGER, { .charger = { .key = 2, .org = 6 } } };

            store_put(s, &f);
        }
        log_orgs[i] = charger != 2 ? 1 : i < ROWS / 2 ? 5 : 6;
        store_put(s, &log_rows[i]);
        if (i % 171 == 0)
            settle(s);
    }
    settle(s);
}

static void test_messages(void)
{
    static const struct {
        struct store_ask ask;
        const char *lower; /* of ask.text */
    } cases[] = {
        { { .org = 1 }, "" },
        { { .org = 5 }, "" },
        { { .org = 6, .charger = 2 }, "" },
        { { .org = 1, .charger = 2 }, "" },
        { { .org = 1, .charger = 3 }, "" },
        { { .org = 1, .charger = 3, .action = T("MeterValues"), .direction = 2 }, "" },
        { { .org = 1, .from_ms = 20000, .to_ms = 25000 }, "" },
        { { .org = 1, .charger = 4, .from_ms = 12340, .to_ms = 12350 }, "" },
        { { .org = 1, .to_ms = 10 }, "" },
        { { .org = 1, .charger = 5, .errors_only = true }, "" },
        { { .org = 1, .type = 4, .direction = 1 }, "" },
        { { .org = 1, .text = T("needle") }, "needle" },
        { { .org = 1, .charger = 6, .text = T("50%_\\x") }, "50%_\\x" },
        { { .org = 1, .text = T("5_%") }, "5_%" },
        { { .org = 9 }, "" },
        { { .forward = true }, "" },
        { { .org = 1, .forward = true, .bytes = 2000 }, "" },
        { { .org = 1, .forward = true, .from_ms = 20000, .to_ms = 25000 }, "" },
        { { .org = 1, .charger = 3, .forward = true, .type = 3 }, "" },
        { { .org = 1, .charger = 4, .correlation = T("id-40") }, "" },
        { { .org = 1, .forward = true, .correlation = T("id-7") }, "" },
    };
    static const int32_t limits[] = { 1, 37, 1000 };
    static const uint32_t partitions[] = { 100, 1024, 0 };

    for (size_t p = 0; p < AMP_COUNT(partitions); p++) {
        struct store *s;

        fresh();
        s = open_rows(partitions[p]);
        put_log(s);
        for (size_t again = 0; again < 2; again++) {
            for (size_t i = 0; i < AMP_COUNT(cases) * AMP_COUNT(limits); i++) {
                struct store_ask ask = cases[i / AMP_COUNT(limits)].ask;

                ask.what = ASK_MESSAGES;
                ask.limit = limits[i % AMP_COUNT(limits)];
                if (ask.limit > 1 || ask.to_ms)
                    compare(s, &ask, cases[i / AMP_COUNT(limits)].lower);
            }
            close_store(s);
            s = open_rows(partitions[p]); /* and once more as the next process sees it */
        }
        close_store(s);
    }
    forget();
}

/* ---- the other questions ---- */

static void put_sessions(struct store *s)
{
    for (int i = 1; i <= 60; i++) {
        struct fact tx = { FACT_TRANSACTION,
                           { .transaction = { .key = i,
                                              .org = 1 + i % 2,
                                              .charger = 1 + i % 3,
                                              .connector = i % 4,
                                              .tag = amp_text_of(i % 5 ? "Ann" : "bOB"),
                                              .state = i > 50 ? TX_RUNNING : TX_COMPLETED,
                                              .start_ms = 1000 * i } } };
        struct fact command = {
            FACT_COMMAND,
            { .command = { .key = i,
                           .org = 1,
                           .charger = 1 + i % 3,
                           .connector = -1,
                           .transaction = i % 7,
                           .state = COMMAND_CONFIRMED,
                           .created_ms = 1000 * i,
                           .action = amp_text_of(i % 2 ? "Reset" : "UnlockConnector") } }
        };
        struct fact status = {
            FACT_STATUS,
            { .status = { .charger = 1 + i % 3, .connector = i % 4, .seen_ms = 1000 * i } }
        };
        struct fact reading = { FACT_READING,
                                { .reading = { .charger = 1,
                                               .transaction = 1 + i % 2,
                                               .connector = 1,
                                               .seen_ms = 1000 * i } } };

        store_put(s, &tx);
        store_put(s, &command);
        store_put(s, &status);
        store_put(s, &reading);
    }
    settle(s);
}

static void test_other_questions(void)
{
    static const struct {
        const char *why;
        struct store_ask ask;
        size_t count;
        bool forward;
    } cases[] = {
        { "all of an organisation",
          { .what = ASK_TRANSACTIONS, .org = 1, .connector = -1, .open = -1, .limit = 7 },
          30,
          false },
        { "open ones",
          { .what = ASK_TRANSACTIONS, .org = 1, .connector = -1, .open = 1, .limit = 2 },
          5,
          false },
        { "closed ones",
          { .what = ASK_TRANSACTIONS, .org = 1, .connector = -1, .open = 0, .limit = 25 },
          25,
          false },
        { "of a charger",
          { .what = ASK_TRANSACTIONS,
            .org = 1,
            .charger = 2,
            .connector = -1,
            .open = -1,
            .limit = 100 },
          10,
          false },
        { "of a connector",
          { .what = ASK_TRANSACTIONS, .org = 1, .connector = 2, .open = -1, .limit = 100 },
          15,
          false },
        { "of a tag, in any case",
          { .what = ASK_TRANSACTIONS,
            .org = 1,
            .connector = -1,
            .open = -1,
            .tag = T("Bob"),
            .limit = 4 },
          6,
          false },
        { "one",
          { .what = ASK_TRANSACTIONS,
            .org = 1,
            .transaction = 8,
            .connector = -1,
            .open = -1,
            .limit = 5 },
          1,
          false },
        { "one of others",
          { .what = ASK_TRANSACTIONS,
            .org = 2,
            .transaction = 8,
            .connector = -1,
            .open = -1,
            .limit = 5 },
          0,
          false },
        { "of a time",
          { .what = ASK_TRANSACTIONS,
            .org = 1,
            .connector = -1,
            .open = -1,
            .from_ms = 10000,
            .to_ms = 20000,
            .limit = 3 },
          5,
          false },
        { "commands", { .what = ASK_COMMANDS, .org = 1, .connector = -1, .limit = 11 }, 60, false },
        { "commands by name",
          { .what = ASK_COMMANDS, .org = 1, .connector = -1, .action = T("Reset"), .limit = 11 },
          30,
          false },
        { "commands of a transaction",
          { .what = ASK_COMMANDS, .org = 1, .connector = -1, .transaction = 3, .limit = 11 },
          9,
          false },
        { "statuses",
          { .what = ASK_STATUS, .org = 1, .charger = 1, .connector = -1, .limit = 3 },
          20,
          false },
        { "statuses of the station itself",
          { .what = ASK_STATUS, .org = 1, .connector = 0, .limit = 100 },
          15,
          false },
        { "readings",
          { .what = ASK_READINGS, .org = 1, .transaction = 2, .connector = -1, .limit = 4 },
          30,
          true },
        { "readings of a time",
          { .what = ASK_READINGS,
            .org = 1,
            .transaction = 2,
            .connector = -1,
            .to_ms = 11000,
            .limit = 1000 },
          5,
          true },
        { "transactions, oldest first",
          { .what = ASK_TRANSACTIONS,
            .org = 1,
            .connector = -1,
            .open = -1,
            .forward = true,
            .limit = 7 },
          30,
          true },
        { "of a charger, oldest first",
          { .what = ASK_TRANSACTIONS,
            .org = 1,
            .charger = 2,
            .connector = -1,
            .open = -1,
            .forward = true,
            .limit = 3 },
          10,
          true },
        { "commands of everybody, oldest first",
          { .what = ASK_COMMANDS, .connector = -1, .forward = true, .limit = 13 },
          60,
          true },
        { "statuses, oldest first, in small answers",
          { .what = ASK_STATUS,
            .org = 1,
            .connector = -1,
            .forward = true,
            .limit = 100,
            .bytes = 1 },
          60,
          true },
        { "readings of all transactions",
          { .what = ASK_READINGS, .org = 1, .connector = -1, .limit = 7 },
          60,
          true },
        { "no readings",
          { .what = ASK_READINGS, .org = 1, .transaction = 5, .connector = -1, .limit = 4 },
          0,
          true },
    };
    struct store *s;

    fresh();
    s = open_rows(16);
    put_sessions(s);
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        ask_all(s, cases[i].ask);
        CHECK(got.count == cases[i].count, "%s: %zu rows", cases[i].why, got.count);
        for (size_t k = 1; k < got.count; k++)
            CHECK((got.ids[k] > got.ids[k - 1]) == cases[i].forward, "%s: order of row %zu",
                  cases[i].why, k);
    }
    forget();
    close_store(s);
}

static void test_refused_questions(void)
{
    static const struct {
        const char *why;
        struct store_ask ask;
    } cases[] = {
        { "no limit", { .what = ASK_MESSAGES, .org = 1 } },
        { "too many", { .what = ASK_MESSAGES, .org = 1, .limit = 1001 } },
        { "no question", { .org = 1, .limit = 1 } },
    };
    struct store *s;
    struct store_ask ask = { .what = ASK_MESSAGES, .org = 1, .limit = 1000 };

    fresh();
    s = open_rows(0);
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        forget();
        store_ask(s, &cases[i].ask, on_rows, NULL);
        CHECK(got.answers == 0, "%s: answered from inside", cases[i].why);
        uv_run(&loop, UV_RUN_DEFAULT);
        CHECK(got.answers == 1 && got.rc == AMP_E_RANGE, "%s: rc %d", cases[i].why, got.rc);
    }
    forget();
    for (int i = 0; i < 100; i++)
        store_ask(s, &ask, on_rows, NULL);
    store_close(s); /* each is answered, with its rows or with the news that the store closes */
    CHECK(got.answers == 100, "%d answers", got.answers);
    CHECK(got.rc == 0 || got.rc == AMP_E_STATE, "rc %d", got.rc);
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
#endif
    uv_loop_init(&loop);
    RUN(test_every_field);
    RUN(test_after);
    RUN(test_replace);
    RUN(test_twice_in_a_batch);
    RUN(test_keys);
    RUN(test_load_readings);
    RUN(test_odd_texts);
    RUN(test_messages);
    RUN(test_other_questions);
    RUN(test_refused_questions);
#ifdef STORE_TEST_POSTGRES
    server_stop(&server);
#else
    fresh();
    rmdir(folder);
#endif
    if (uv_loop_close(&loop) != 0)
        fprintf(stderr, "a handle is still open\n"), check_failed++;
    return check_end();
}
