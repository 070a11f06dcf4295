/* central/store/shape_test.c - packed readings come back to the letter, whatever they are; alone,
 * and through both databases, also in a process that has never seen their shapes. */
#include "central/store/postgres_server.h"
#include "central/store/shape.h"
#include "central/store/store.h"
#include "ocpp/check.h"

#define USUAL(wh, w, v)                                                           \
    "[{\"value\":\"" wh "\",\"context\":\"Sample.Periodic\",\"unit\":\"Wh\"},"    \
    "{\"value\":\"" w "\",\"measurand\":\"Power.Active.Import\",\"unit\":\"W\"}," \
    "{\"value\":\"" v "\",\"measurand\":\"Voltage\",\"phase\":\"L1-N\",\"unit\":\"V\"}]"

static const char *const odd[] = {
    USUAL("1234567", "7123.4", "230.1"),
    USUAL("", "-0", "1e3"),
    "[{\"value\":\"a \\\" quote, \\\\ and \\u00e4 \xc3\xa4 and ~\"},{\"value\":\"long enough to "
    "matter\",\"unit\":\"something that is cut once\"}]",
    "[{ \"value\" :\t\"1\" , "
    "\"value2\":\"2\",\"unit\":\"value\",\"x\":\"\\\"value\\\":\\\"9\\\"\"},"
    "{\"value\":\"2\"}]",
    "[{\"value\":42,\"measurand\":\"Current.Import\",\"unit\":\"A\",\"location\":\"Outlet\"},"
    "{\"value\":-1.5e3},{\"value\":null},{\"value\":true}]",
    "[{\"value\":\"OCMF|{\\\"FV\\\":\\\"1.0\\\",\\\"value\\\":\\\"7\\\"}|{}\",\"format\":"
    "\"SignedData\",\"context\":\"Transaction.End\"}]",
    "[]",
    "~looks like one of ours, but is not",
    "",
};

/* Packed and unpacked, `times` times in a row. The length of the last one as it was kept. */
static uint32_t around(struct shapes *s, const char *text, int times)
{
    char back[4096];
    struct amp_buf out;
    struct fact fresh;
    struct amp_text kept = AMP_NO_TEXT;
    int64_t key = 0;

    for (int i = 0; i < times; i++) {
        kept = shapes_pack(s, amp_text_of(text), &fresh);
        if (shapes_packed(amp_text_of(text)))
            return kept.len;
        amp_buf_init(&out, back, sizeof back);
        CHECK(shapes_unpack(s, kept, &out, &key) == 0 && amp_text_is(amp_buf_text(&out), text),
              "round %d: %s became %.*s", i, text, AMP_FMT(amp_buf_text(&out)));
    }
    return kept.len;
}

static void test_letters(void)
{
    struct shapes *s = shapes_new();

    for (size_t i = 0; i < AMP_COUNT(odd); i++)
        around(s, odd[i], 3);
    CHECK(around(s, USUAL("1", "2", "3"), 1) == 1 + 11 + 6, "three values and a key");
    shapes_free(s);
}

static void test_taken_up_at_the_second_time(void)
{
    struct shapes *s = shapes_new(), *other = shapes_new();
    struct fact fresh;
    struct amp_text first = shapes_pack(s, AMP_TEXT(USUAL("1", "2", "3")), &fresh), kept;
    char back[1024], copy[64];
    struct amp_buf out;
    int64_t key = 0;

    CHECK(!shapes_packed(first) && !fresh.kind, "once is no shape");
    kept = shapes_pack(s, AMP_TEXT(USUAL("4", "5", "6")), &fresh);
    CHECK(shapes_packed(kept) && fresh.kind == FACT_SHAPE && fresh.u.shape.key > 0,
          "twice is, and must be stored");
    memcpy(copy, kept.at, kept.len);
    kept.at = copy;
    amp_buf_init(&out, back, sizeof back);
    CHECK(shapes_unpack(other, kept, &out, &key) == AMP_E_ABSENT && key == fresh.u.shape.key,
          "another process asks for it");
    shapes_learn(other, &fresh.u.shape);
    CHECK(shapes_unpack(other, kept, &out, &key) == 0 &&
              amp_text_is(amp_buf_text(&out), USUAL("4", "5", "6")),
          "and has it");
    kept = shapes_pack(other, AMP_TEXT(USUAL("7", "8", "9")), &fresh);
    CHECK(shapes_packed(kept) && !fresh.kind, "and knows it from then on");
    CHECK(!shapes_packed(shapes_pack(s, AMP_TEXT("[{\"value\":\"1\"}]"), &fresh)),
          "what gains nothing stays");
    shapes_free(s);
    shapes_free(other);
}

/* A station that never sends the same shape fills nothing; one that tries to sees an end. */
static void test_bounded(void)
{
    struct shapes *s = shapes_new();
    struct fact fresh;
    unsigned taken = 0;
    char text[200];

    for (int i = 0; i < 2 * SHAPES_MAX; i++)
        for (int k = 0; k < 2; k++) {
            snprintf(text, sizeof text,
                     "[{\"value\":\"%d\",\"unit\":\"no. %d of many, and long enough\"}]", k, i);
            shapes_pack(s, amp_text_of(text), &fresh);
            taken += fresh.kind != 0;
        }
    CHECK(taken == SHAPES_MAX, "%u were taken up", taken);
    shapes_free(s);
}

/* ---- through a database ---- */

static uv_loop_t loop;
static const char *database;
static char seen[64][1024];
static size_t count;

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

static void on_rows(void *ctx, int rc, const struct fact *rows, const int64_t *ids, size_t n,
                    int64_t next)
{
    (void)ctx, (void)ids, (void)next;
    CHECK(rc == 0, "rc %d", rc);
    for (size_t i = 0; i < n && count < AMP_COUNT(seen); i++)
        amp_text_copy(seen[count++], sizeof seen[0], rows[i].u.reading.samples);
}

static void ask(struct store *s)
{
    count = 0;
    store_ask(s,
              &(struct store_ask){
                  .what = ASK_READINGS, .org = 1, .transaction = 7, .connector = -1, .limit = 100 },
              on_rows, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void on_load(void *ctx, const struct fact *f)
{
    *(int *)ctx += f->kind == FACT_READING;
}

static void test_stored(void)
{
    struct store *s = open_store();
    int loaded = 0;

    store_put(s, &(struct fact){ FACT_TRANSACTION,
                                 { .transaction = {
                                       .key = 7, .org = 1, .charger = 1, .state = TX_RUNNING } } });
    store_put(s, &(struct fact){ FACT_CHARGER, { .charger = { .key = 1, .org = 1 } } });
    for (size_t i = 0; i < AMP_COUNT(odd) - 2; i++)
        for (int k = 0; k < 3; k++)
            store_put(s, &(struct fact){ FACT_READING,
                                         { .reading = { .charger = 1,
                                                        .transaction = 7,
                                                        .at_ms = 1,
                                                        .seen_ms = 1,
                                                        .samples = amp_text_of(odd[i]) } } });
    close_store(s);
    s = open_store(); /* knows no shapes */
    CHECK(store_load(s, on_load, &loaded) == 0 && loaded == 16, "the present: %d", loaded);
    ask(s);
    CHECK(count == 3 * (AMP_COUNT(odd) - 2), "%zu readings", count);
    for (size_t i = 0; i < count; i++)
        CHECK(!strcmp(seen[i], odd[i / 3]), "reading %zu: %s", i, seen[i]);
    close_store(s);
}

int main(void)
{
    char folder[] = "/tmp/shape-test-XXXXXX", file[64], url[128], command[80];
    struct server server;

    RUN(test_letters);
    RUN(test_taken_up_at_the_second_time);
    RUN(test_bounded);
    uv_loop_init(&loop);
    CHECK(mkdtemp(folder) != NULL, "a temporary folder");
    snprintf(file, sizeof file, "%s/test.db", folder);
    database = file;
    RUN(test_stored);
    if (server_there() && server_start(&server)) {
        server_url(&server, "amp", "test", url);
        database = url;
        RUN(test_stored);
        server_stop(&server);
    }
    uv_loop_close(&loop);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK(system(command) == 0, "%s", command);
    return check_end();
}
