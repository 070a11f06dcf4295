/* central/v16/v16_test.c - stations over real sockets against the whole central system with a real
 * database, on a clock that is turned. The numbers are those of the list of edge cases; the rules
 * themselves are tested in central/domain. */
#include "central/doctor.h"
#include "central/net/stage.h"
#include "central/v16/inside.h"

#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>

#define T0 1717228800000 /* 2024-06-01T08:00:00Z */

static struct stage stage;
static struct central central;
static struct settings settings;
static char dir[64];
static int64_t clock_ms;

static int64_t test_now(void)
{
    return clock_ms;
}

static int wipe_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static void set(const char *name, const char *value)
{
    char *why = NULL;

    CHECK(settings_set(&settings, name, value, "test", &why) == 0, "%s", why ? why : name);
}

static void prepare(void)
{
    strcpy(dir, "/tmp/amp-v16-XXXXXX");
    CHECK(mkdtemp(dir), "temporary folder");
    settings_default(&settings);
    set("data", dir);
    set("listen", "127.0.0.1:0");
    clock_ms = T0;
}

static void start_central(void)
{
    static const char *const tags[] = { "GOOD", "FRIEND" };
    char *why = NULL;
    int rc;

    memset(&central, 0, sizeof central);
    memset(&stage, 0, sizeof stage);
    uv_loop_init(&stage.loop);
    central.now_ms = test_now;
    rc = central_open(&central, &stage.loop, &settings, &why);
    CHECK(rc == 0, "%d: %s", rc, why ? why : "");
    if (rc < 0)
        exit(1);
    stage.net = central.net;
    for (size_t i = 0; i < AMP_COUNT(tags); i++)
        world_put_tag(central.world, &(struct tag_fact){ .org = ORG_DEFAULT,
                                                         .tag = amp_text_of(tags[i]),
                                                         .parent = AMP_TEXT("FAMILY"),
                                                         .status = AMP_TEXT("Accepted") });
}

static void stop_central(void)
{
    central_stop(&central, stage_done, &stage);
    UNTIL(&stage, stage.done);
    central_close(&central);
    uv_run(&stage.loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&stage.loop) == 0, "something is left on the loop");
}

static void clean_up(void)
{
    settings_free(&settings);
    nftw(dir, wipe_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void begin(void)
{
    prepare();
    start_central();
}

static void end(void)
{
    stop_central();
    clean_up();
}

/* ---- a station ---- */

static const char *knock(const char *path, const char *headers, int *fd)
{
    char request[1024];

    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
             path, headers);
    *fd = peer_open(&stage);
    peer_say(&stage, *fd, request);
    return peer_answer(&stage, *fd, false);
}

static int connect_as(const char *id)
{
    char path[128];
    int fd;
    const char *answer;

    snprintf(path, sizeof path, "/ocpp/%s", id);
    answer = knock(path, "Sec-WebSocket-Protocol: ocpp1.6\r\n", &fd);
    CHECK(!strncmp(answer, "HTTP/1.1 101 ", 13), "%s: '%s'", id, answer);
    return fd;
}

static char text[65536];

/* The next text of the central system; "" at the end of the connection. */
static const char *hear(int fd)
{
    if (peer_next(&stage, fd, text, sizeof text, NULL) != 0x81)
        text[0] = 0;
    return text;
}

static const char *say(int fd, const char *message)
{
    peer_text(&stage, fd, message);
    return hear(fd);
}

/* Does the answer begin like the first piece of `pattern`, and hold the others? Pieces are parted
 * by bars: the order of fields is none of our business. */
static bool fits(const char *answer, const char *pattern)
{
    char pieces[512], *piece;

    snprintf(pieces, sizeof pieces, "%s", pattern);
    piece = strtok(pieces, "|");
    if (strncmp(answer, piece, strlen(piece)) != 0)
        return false;
    while ((piece = strtok(NULL, "|")) != NULL)
        if (!strstr(answer, piece))
            return false;
    return true;
}

/* Send a call with id "x"; the answer must fit. */
static void expect(int fd, const char *action, const char *payload, const char *pattern)
{
    char message[2048];

    snprintf(message, sizeof message, "[2,\"x\",\"%s\",%s]", action, payload);
    say(fd, message);
    CHECK(fits(text, pattern), "%s %s: '%s'", action, payload, text);
}

#define BOOT "{\"chargePointVendor\":\"Acme\",\"chargePointModel\":\"One\"}"

static void boot(int fd)
{
    expect(fd, "BootNotification", BOOT,
           "[3,\"x\",{|\"status\":\"Accepted\"|\"currentTime\":\"2024-06-01T");
}

static int booted(const char *id)
{
    int fd = connect_as(id);

    boot(fd);
    return fd;
}

static struct charger *charger(const char *id)
{
    struct charger *c = world_charger(central.world, amp_text_of(id));

    CHECK(c != NULL, "%s is not known", id);
    return c;
}

/* ---- what the database says ---- */

static struct fact *rows[256];
static size_t row_count;
static bool answered;

static void on_rows(void *ctx, int rc, const struct fact *found, const int64_t *ids, size_t count,
                    int64_t next)
{
    (void)ctx, (void)ids, (void)next;
    CHECK(rc == 0, "the store answers %d", rc);
    for (row_count = 0; row_count < count && row_count < AMP_COUNT(rows); row_count++)
        rows[row_count] = fact_copy(&found[row_count]);
    answered = true;
}

static void forget_rows(void)
{
    while (row_count)
        free(rows[--row_count]);
}

static void on_durable(void *ctx, int rc)
{
    (void)ctx;
    CHECK(rc == 0, "commit: %d", rc);
    answered = true;
}

/* Rows of everything that was put so far, newest first (readings: oldest). */
static size_t ask(enum store_question what, const char *action, int64_t transaction)
{
    struct store_ask q = { .what = what,
                           .org = ORG_DEFAULT,
                           .connector = -1,
                           .open = -1,
                           .transaction = transaction,
                           .action = amp_text_of(action),
                           .limit = 256 };

    forget_rows();
    answered = false;
    store_after(central.store, on_durable, NULL);
    UNTIL(&stage, answered);
    answered = false;
    store_ask(central.store, &q, on_rows, NULL);
    UNTIL(&stage, answered);
    return row_count;
}

/* ---- sessions ---- */

#define START                                                                                    \
    "{\"connectorId\":1,\"idTag\":\"GOOD\",\"meterStart\":100,\"timestamp\":\"2024-06-01T08:00:" \
    "00Z\"}"
#define STOP                                                                                     \
    "{\"transactionId\":1,\"meterStop\":1420,\"timestamp\":\"2024-06-01T08:01:00Z\",\"idTag\":"  \
    "\"good\",\"reason\":\"Local\","                                                             \
    "\"transactionData\":[{\"timestamp\":\"2024-06-01T08:01:00Z\",\"sampledValue\":[{\"value\":" \
    "\"1420\",\"context\":\"Transaction.End\"}]}]}"
#define METER                                                                                   \
    "{\"connectorId\":1,\"transactionId\":1,\"meterValue\":[{\"timestamp\":\"2024-06-01T08:00:" \
    "30Z\",\"sampledValue\":["                                                                  \
    "{\"value\":\"0.6\",\"unit\":\"kWh\"}, "                                                    \
    "{\"value\":\"22.0\",\"measurand\":\"Power.Active.Import\",\"unit\":\"kW\"}]}]}"
#define ACCEPTED_START \
    "[3,\"x\",{|\"status\":\"Accepted\"|\"parentIdTag\":\"FAMILY\"|\"transactionId\":1"

static void test_session(void)
{
    const struct transaction_fact *t;
    int fd;

    begin();
    fd = booted("CP001");
    expect(fd, "StatusNotification",
           "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Preparing\"}",
           "[3,\"x\",{}]");
    expect(fd, "Authorize", "{\"idTag\":\"good\"}",
           "[3,\"x\",{\"idTagInfo\":{|\"status\":\"Accepted\"|\"parentIdTag\":\"FAMILY\"");
    expect(fd, "Authorize", "{\"idTag\":\"BAD\"}",
           "[3,\"x\",{\"idTagInfo\":{\"status\":\"Invalid\"}}]");
    expect(fd, "StartTransaction", START, ACCEPTED_START);
    clock_ms += 30000;
    expect(fd, "MeterValues", METER, "[3,\"x\",{}]");
    clock_ms += 30000;
    expect(fd, "StopTransaction", STOP,
           "[3,\"x\",{\"idTagInfo\":{|\"status\":\"Accepted\"|\"parentIdTag\":\"FAMILY\"");
    expect(fd, "Heartbeat", "{}", "[3,\"x\",{\"currentTime\":\"2024-06-01T08:01:00Z\"}]");
    expect(fd, "DataTransfer", "{\"vendorId\":\"v\"}",
           "[3,\"x\",{\"status\":\"UnknownVendorId\"}]");
    expect(fd, "FirmwareStatusNotification", "{\"status\":\"Idle\"}", "[3,\"x\",{}]");
    expect(fd, "DiagnosticsStatusNotification", "{\"status\":\"Idle\"}", "[3,\"x\",{}]");
    expect(fd, "SignCertificate", "{\"csr\":\"x\"}", "[3,\"x\",{\"status\":\"Rejected\"}");
    expect(fd, "Levitate", "{}", "[4,\"x\",\"NotImplemented\",");
    CHECK(ask(ASK_TRANSACTIONS, NULL, 0) == 1, "%zu transactions", row_count);
    t = &rows[0]->u.transaction;
    CHECK(t->state == TX_STOPPED && t->flags == 0 && t->meter_start_wh == 100 &&
              t->meter_stop_wh == 1420,
          "as it ran");
    CHECK(t->start_ms == T0 && t->stop_ms == T0 + 60000 && amp_text_is(t->reason, "Local"),
          "with its times");
    CHECK(ask(ASK_READINGS, NULL, 1) == 2, "%zu readings", row_count);
    CHECK(rows[0]->u.reading.energy_wh == 600 && rows[0]->u.reading.power_w == 22000,
          "in base units");
    CHECK(amp_text_is(rows[0]->u.reading.samples,
                      "[{\"value\":\"0.6\",\"unit\":\"kWh\"}, {\"value\":\"22.0\",\"measurand\":"
                      "\"Power.Active.Import\",\"unit\":\"kW\"}]"),
          "to the letter: %.*s", AMP_FMT(rows[0]->u.reading.samples));
    CHECK(rows[1]->u.reading.energy_wh == 1420 && rows[1]->u.reading.transaction == 1,
          "E23: the stop's own");
    close(fd);
    end();
}

static void test_message_log(void)
{
    static const struct {
        const char *sent;
        int32_t type;
        const char *action, *payload, *error;
    } cases[] = {
        { "[2,\"a\",\"Heartbeat\",{}]", 2, "Heartbeat", "{}", NULL },
        { "[2,\"b\",\"Levitate\",{\"up\":1}]", 2, "Levitate", "{\"up\":1}", "unknown action" },
        { "[2,\"c\",\"Authorize\",{}]", 2, "Authorize", "{}", "idTag: " },
        { "[3,\"d\",{\"status\":\"Accepted\"}]", 3, NULL, "{\"status\":\"Accepted\"}", "late" },
        { "[4,\"e\",\"GenericError\",\"oops\",{}]", 4, NULL,
          "{\"code\":\"GenericError\",\"description\":\"oops\",\"details\":{}}", "late" },
        { "+CREG: \"5", 0, NULL, "\"+CREG: \\\"5\"", "" },
        { "", 0, NULL, "\"\"", "" },
    };
    int fd;

    begin();
    fd = booted("CP001");
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        const struct message_fact *m = NULL;

        peer_text(&stage, fd, cases[i].sent);
        if (cases[i].sent[0] == '[' && cases[i].sent[1] == '2')
            hear(fd);
        expect(fd, "Heartbeat", "{}", "[3,\"x\""); /* what came before is handled now */
        ask(ASK_MESSAGES, NULL, 0);
        for (size_t k = 2; k < row_count && !m; k++) /* behind the heartbeat and its answer */
            if (rows[k]->u.message.direction == MESSAGE_RECEIVED)
                m = &rows[k]->u.message;
        CHECK(m, "'%s' is not in the log", cases[i].sent);
        if (!m)
            continue;
        CHECK(m->type == cases[i].type && m->charger == charger_fact(charger("CP001"))->key,
              "'%s': type %d", cases[i].sent, m->type);
        CHECK(cases[i].action ? amp_text_is(m->action, cases[i].action) : !m->action.len,
              "'%s': action %.*s", cases[i].sent, AMP_FMT(m->action));
        CHECK(amp_text_is(m->payload, cases[i].payload), "'%s': payload %.*s", cases[i].sent,
              AMP_FMT(m->payload));
        CHECK(cases[i].error
                  ? m->error.at && !strncmp(m->error.at, cases[i].error, strlen(cases[i].error))
                  : !m->error.at,
              "'%s': error '%.*s'", cases[i].sent, AMP_FMT(m->error));
    }
    ask(ASK_MESSAGES, "Heartbeat", 0);
    CHECK(row_count >= 2 && rows[0]->u.message.direction == MESSAGE_SENT &&
              rows[0]->u.message.type == 3,
          "the answer, newest");
    CHECK(amp_text_is(rows[0]->u.message.correlation, "x") && rows[0]->u.message.latency_ms == 0,
          "belongs to its call");
    CHECK(amp_text_is(rows[0]->u.message.payload, "{\"currentTime\":\"2024-06-01T08:00:00Z\"}"),
          "%.*s", AMP_FMT(rows[0]->u.message.payload));
    ask(ASK_MESSAGES, "Authorize", 0);
    CHECK(row_count == 2 && rows[0]->u.message.type == 4 &&
              strstr(rows[0]->u.message.payload.at, "\"code\":\"OccurenceConstraintViolation\""),
          "an error that we sent: %.*s", AMP_FMT(rows[0]->u.message.payload));
    close(fd);
    end();
}

static void test_repetitions(void) /* E1, E2, E4, E8, E9 */
{
    int fd;

    begin();
    fd = booted("CP001");
    expect(fd, "StartTransaction", START, ACCEPTED_START);
    expect(fd, "StartTransaction", START, ACCEPTED_START);
    say(fd, "[2,\"other\",\"StartTransaction\"," START "]");
    CHECK(strstr(text, "\"transactionId\":1"), "E2: %s", text);
    expect(fd, "MeterValues", METER, "[3,\"x\",{}]");
    expect(fd, "MeterValues", METER, "[3,\"x\",{}]");
    close(fd);
    fd = connect_as("CP001");
    expect(fd, "MeterValues", METER, "[3,\"x\",{}]");
    expect(fd, "StopTransaction", STOP, "[3,\"x\",{\"idTagInfo\":{|\"status\":\"Accepted\"");
    expect(fd, "StopTransaction", STOP, "[3,\"x\",{\"idTagInfo\":{|\"status\":\"Accepted\"");
    CHECK(ask(ASK_READINGS, NULL, 1) == 2, "E4: %zu readings", row_count);
    CHECK(ask(ASK_TRANSACTIONS, NULL, 0) == 1, "E1, E4: %zu transactions", row_count);
    expect(fd, "StopTransaction",
           "{\"transactionId\":null,\"meterStop\":5,\"timestamp\":\"2024-06-01T08:02:00Z\","
           "\"reason\":\"odd\"}",
           "[3,\"x\",{}]");
    expect(fd, "StopTransaction",
           "{\"transactionId\":-1,\"meterStop\":5,\"timestamp\":\"2024-06-01T08:02:00Z\"}",
           "[3,\"x\",{}]");
    CHECK(ask(ASK_TRANSACTIONS, NULL, 0) == 2 && (rows[0]->u.transaction.flags & TX_FLAG_ADOPTED),
          "E6, E9: %zu transactions", row_count);
    close(fd);
    end();
}

static void test_open_across_restart(void)
{
    int fd;

    begin();
    fd = booted("CP001");
    expect(fd, "StartTransaction", START, ACCEPTED_START);
    expect(fd, "MeterValues", METER, "[3,\"x\",{}]");
    close(fd);
    stop_central();
    start_central();
    fd = connect_as("CP001");
    expect(fd, "StartTransaction", START, ACCEPTED_START);
    expect(fd, "MeterValues", METER, "[3,\"x\",{}]");
    expect(fd, "StopTransaction", STOP, "[3,\"x\",{\"idTagInfo\":{|\"status\":\"Accepted\"");
    CHECK(ask(ASK_TRANSACTIONS, NULL, 0) == 1 && ask(ASK_READINGS, NULL, 1) == 2,
          "none twice: %zu readings", row_count);
    close(fd);
    end();
}

static void test_closed_across_restart(void) /* E4, E5, E19 */
{
    int fd;

    begin();
    fd = booted("CP001");
    expect(fd, "StartTransaction", START, ACCEPTED_START);
    expect(fd, "MeterValues", METER, "[3,\"x\",{}]");
    expect(fd, "StopTransaction", STOP, "[3,\"x\",{\"idTagInfo\":{|\"status\":\"Accepted\"");
    close(fd);
    stop_central();
    start_central();
    fd = connect_as("CP001");
    expect(fd, "StopTransaction", STOP, "[3,\"x\",{\"idTagInfo\":{|\"status\":\"Accepted\"");
    expect(fd, "StartTransaction", START, ACCEPTED_START);
    expect(fd, "MeterValues", METER, "[3,\"x\",{}]");
    CHECK(ask(ASK_TRANSACTIONS, NULL, 0) == 1 && rows[0]->u.transaction.state == TX_STOPPED,
          "none twice: %zu", row_count);
    CHECK(ask(ASK_READINGS, NULL, 1) == 2, "none twice: %zu readings", row_count);
    close(fd);
    end();
}

static void test_many_connectors_across_restart(void)
{
    char start[200];
    int fd;

    begin();
    fd = booted("CP001");
    expect(fd, "StartTransaction", START, ACCEPTED_START);
    for (int i = 2; i < 8; i++) {
        snprintf(start, sizeof start,
                 "{\"connectorId\":%d,\"idTag\":\"GOOD\",\"meterStart\":0,"
                 "\"timestamp\":\"2024-06-01T08:00:0%dZ\"}",
                 i, i);
        expect(fd, "StartTransaction", start, "[3,");
    }
    expect(fd, "StopTransaction", STOP, "[3,\"x\",{\"idTagInfo\":{|\"status\":\"Accepted\"");
    close(fd);
    stop_central();
    start_central();
    fd = connect_as("CP001");
    expect(fd, "StopTransaction", STOP, "[3,\"x\",{\"idTagInfo\":{|\"status\":\"Accepted\"");
    CHECK(ask(ASK_TRANSACTIONS, NULL, 0) == 7, "none twice: %zu", row_count);
    close(fd);
    end();
}

static void test_order(void)
{
    enum { MANY = 200 };
    char message[80], answer[40];
    int fd;

    begin();
    fd = booted("CP001");
    for (int i = 0; i < MANY; i++) {
        snprintf(message, sizeof message,
                 i % 3 ? "[2,\"m%d\",\"Heartbeat\",{}]" : "[2,\"m%d\",\"Nothing\",{}]", i);
        peer_text(&stage, fd, message);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(answer, sizeof answer, i % 3 ? "[3,\"m%d\"," : "[4,\"m%d\",", i);
        hear(fd);
        CHECK(!strncmp(text, answer, strlen(answer)), "answer %d: '%s'", i, text);
    }
    close(fd);
    end();
}

/* ---- calls ---- */

static int64_t command(const char *id, const char *action, const char *payload, int connector,
                       int64_t transaction)
{
    struct charger *c = charger(id);
    int64_t key = world_command(central.world, c,
                                &(struct command_fact){ .action = amp_text_of(action),
                                                        .payload = amp_text_of(payload),
                                                        .connector = connector,
                                                        .transaction = transaction,
                                                        .by = AMP_TEXT("test") },
                                clock_ms);

    v16_kick(central.v16, c);
    return key;
}

static int state(int64_t key)
{
    const struct command_fact *k = world_command_get(central.world, key);

    CHECK(k != NULL, "command %lld is gone", (long long)key);
    return k ? k->state : 0;
}

/* No file of this process may grow beyond the largest of the data folder: as on a full disk. */
static off_t largest;

static int look_at(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)path, (void)flag, (void)ftw;
    if (S_ISREG(st->st_mode) && st->st_size > largest)
        largest = st->st_size;
    return 0;
}

static void disk_full(bool full)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    largest = 0;
    nftw(dir, look_at, 16, FTW_PHYS);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = full ? (rlim_t)largest : limit.rlim_max;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit");
}

static void test_disk_full(void)
{
    struct store_stats stats;
    int64_t key;
    int fd;

    begin();
    fd = booted("CP001");
    ask(ASK_TRANSACTIONS, NULL, 0);
    disk_full(true);
    /* The log of the database has room that was written before: a message that cannot fit into it.
     */
    peer_text(&stage, fd, "[2,\"lost\",\"StartTransaction\"," START "]");
    for (int i = 0; i < 40; i++)
        peer_text(&stage, fd, "[2,\"noise\",\"StopTransaction\"," STOP "]");
    UNTIL(&stage,
          (store_stats(central.store, &stats), stats.failures > 0 && central.v16->unsent > 0));
    key = command("CP001", "ClearCache", "{}", -1, 0);
    UNTIL(&stage, state(key) == COMMAND_ERROR);
    disk_full(false);
    peer_text(&stage, fd, "[2,\"x\",\"StartTransaction\"," START "]");
    do
        hear(fd); /* answers of what was committed before the disk was full */
    while (!strncmp(text, "[3,\"noise\"", 10) || !strncmp(text, "[3,\"lost\"", 9));
    CHECK(fits(text, ACCEPTED_START), "repeated, it is the same: '%s'", text);
    CHECK(ask(ASK_TRANSACTIONS, NULL, 0) == 1, "once: %zu transactions", row_count);
    close(fd);
    end();
}

/* The call that arrived, answered with `kind` and the rest of the frame; then all that was said is
 * handled. */
static void answer_call(int fd, int kind, const char *rest)
{
    char id[64] = "", message[512];

    hear(fd);
    CHECK(sscanf(text, "[2,\"%63[^\"]\"", id) == 1, "a call: '%s'", text);
    snprintf(message, sizeof message, "[%d,\"%s\",%s]", kind, id, rest);
    peer_text(&stage, fd, message);
    expect(fd, "Heartbeat", "{}", "[3,\"x\"");
}

static void test_commands(void)
{
    static const struct {
        const char *action, *payload;
        int kind;
        const char *reply;
        int state;
        const char *answer;
    } cases[] = {
        { "TriggerMessage", "{\"requestedMessage\":\"Heartbeat\"}", 3, "{\"status\":\"Accepted\"}",
          COMMAND_CONFIRMED, "{\"status\":\"Accepted\"}" },
        { "TriggerMessage", "{\"requestedMessage\":\"Heartbeat\"}", 3,
          "{\"status\":\"NotImplemented\"}", COMMAND_REJECTED, "{\"status\":\"NotImplemented\"}" },
        { "UnlockConnector", "{\"connectorId\":1}", 3, "{\"status\":\"Unlocked\"}",
          COMMAND_CONFIRMED, NULL },
        { "UnlockConnector", "{\"connectorId\":1}", 3, "{\"status\":\"UnlockFailed\"}",
          COMMAND_REJECTED, NULL },
        { "Reset", "{\"type\":\"Soft\"}", 3, "{\"status\":\"Accepted\"}", COMMAND_ACCEPTED, NULL },
        { "RemoteStartTransaction", "{\"idTag\":\"GOOD\",\"connectorId\":1}", 3,
          "{\"status\":\"Rejected\"}", COMMAND_REJECTED, NULL },
        { "GetConfiguration", "{}", 3,
          "{\"configurationKey\":[{\"key\":\"A\",\"readonly\":false}]}", COMMAND_CONFIRMED,
          "{\"configurationKey\":[{" },
        { "ClearCache", "", 3, "{\"status\":\"Accepted\"}", COMMAND_CONFIRMED, NULL },
        { "ClearCache", "{}", 4, "\"NotSupported\",\"no cache\",{}", COMMAND_ERROR,
          "NotSupported: no cache" },
        { "ClearCache", "{}", 3, "{\"status\":\"Perhaps\"}", COMMAND_ERROR,
          "unusable answer: status: " },
        { "ClearCache", "{}", 3, "{}", COMMAND_ERROR, "unusable answer: status: " },
    };
    int fd;

    begin();
    fd = booted("CP001");
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        int64_t key = command("CP001", cases[i].action, cases[i].payload, 1, 0);
        struct amp_text answer;

        CHECK(state(key) == COMMAND_SENT, "%s: sent at once", cases[i].action);
        answer_call(fd, cases[i].kind, cases[i].reply);
        CHECK(state(key) == cases[i].state, "%s %s: %s", cases[i].action, cases[i].reply,
              command_state_name(state(key)));
        answer = world_command_get(central.world, key)->answer;
        CHECK(!cases[i].answer ||
                  (answer.at && !strncmp(answer.at, cases[i].answer, strlen(cases[i].answer))),
              "%s: '%.*s'", cases[i].action, AMP_FMT(answer));
    }
    ask(ASK_MESSAGES, "Reset", 0);
    CHECK(row_count == 2 && rows[1]->u.message.direction == MESSAGE_SENT &&
              rows[1]->u.message.type == 2 &&
              amp_text_is(rows[1]->u.message.payload, "{\"type\":\"Soft\"}"),
          "our calls are in the log");
    CHECK(row_count == 2 && rows[0]->u.message.type == 3 &&
              amp_text_eq(rows[0]->u.message.correlation, rows[1]->u.message.correlation) &&
              rows[0]->u.message.latency_ms == 0,
          "and their answers");
    close(fd);
    end();
}

static void test_remote_session(void)
{
    int64_t start, stop;
    int fd;

    begin();
    fd = booted("CP001");
    start =
        command("CP001", "RemoteStartTransaction", "{\"idTag\":\"GOOD\",\"connectorId\":1}", 1, 0);
    answer_call(fd, 3, "{\"status\":\"Accepted\"}");
    CHECK(state(start) == COMMAND_ACCEPTED, "promised");
    expect(fd, "StartTransaction", START, ACCEPTED_START);
    CHECK(state(start) == COMMAND_CONFIRMED &&
              world_command_get(central.world, start)->transaction == 1,
          "kept");
    stop = command("CP001", "RemoteStopTransaction", "{\"transactionId\":1}", -1, 1);
    answer_call(fd, 3, "{\"status\":\"Accepted\"}");
    CHECK(world_transaction(central.world, 1)->state == TX_PENDING_STOP, "about to stop");
    expect(fd, "StopTransaction", STOP, "[3,\"x\",");
    CHECK(state(stop) == COMMAND_CONFIRMED, "stopped");
    ask(ASK_COMMANDS, NULL, 0);
    CHECK(row_count == 2 && rows[0]->u.command.state == COMMAND_CONFIRMED &&
              rows[1]->u.command.state == COMMAND_CONFIRMED,
          "on disk too");
    close(fd);
    end();
}

static struct session *session(const char *id)
{
    return charger_session(charger(id));
}

static void test_one_at_a_time(void) /* E54, E55, E56 */
{
    char late_id[64] = "", message[128];
    int64_t one, two, three;
    int fd;

    begin();
    fd = booted("CP001");
    one = command("CP001", "DataTransfer", "{\"vendorId\":\"v\"}", -1, 0);
    two = command("CP001", "Reset", "{\"type\":\"Soft\"}", -1, 0);
    CHECK(state(one) == COMMAND_SENT && state(two) == COMMAND_QUEUED, "one in flight");
    CHECK(strstr(hear(fd), "DataTransfer"), "the older: %s", text);
    sscanf(text, "[2,\"%63[^\"]\"", late_id);
    expect(fd, "Heartbeat", "{}", "[3,\"x\""); /* E56: the other direction goes on */
    session("CP001")->rpc.deadline_ms = 0;
    v16_tick(central.v16);
    CHECK(state(one) == COMMAND_TIMED_OUT && state(two) == COMMAND_SENT, "then the next");
    CHECK(strstr(hear(fd), "Reset"), "%s", text);
    snprintf(message, sizeof message, "[3,\"%s\",{\"status\":\"Accepted\"}]", late_id);
    peer_text(&stage, fd, message);
    expect(fd, "Heartbeat", "{}", "[3,\"x\"");
    CHECK(state(one) == COMMAND_CONFIRMED, "E55: late, and put right: %s",
          command_state_name(state(one)));
    CHECK(state(two) == COMMAND_SENT, "E55: the call in flight is not answered by it");
    three = command("CP001", "ClearCache", "{}", -1, 0);
    close(fd);
    UNTIL(&stage, !session("CP001"));
    CHECK(state(two) == COMMAND_TIMED_OUT && state(three) == COMMAND_ERROR,
          "E54: nothing is left in the air");
    CHECK(state(command("CP001", "ClearCache", "{}", -1, 0)) == COMMAND_ERROR,
          "offline: fails at once");
    fd = booted("CP001");
    CHECK(state(two) == COMMAND_CONFIRMED, "the boot shows that the reset worked");
    close(fd);
    end();
}

#define VENDOR "{\"vendorId\":\"v\"}" /* not sent again when nobody answered */

static void test_not_before_boot(void) /* E57, E58, C13 */
{
    int64_t key;
    int fd;

    begin();
    fd = connect_as("CP001");
    key = command("CP001", "DataTransfer", VENDOR, -1, 0);
    expect(fd, "Heartbeat", "{}", "[3,\"x\""); /* E60: answered, too */
    CHECK(state(key) == COMMAND_QUEUED, "E58: a stranger is not called before it booted");
    peer_text(&stage, fd, "[2,\"x\",\"BootNotification\"," BOOT "]");
    CHECK(!strncmp(hear(fd), "[3,\"x\",", 7), "E57: the answer first: %s", text);
    CHECK(strstr(hear(fd), "\"DataTransfer\""), "then the call: %s", text);
    close(fd);
    UNTIL(&stage, !session("CP001"));
    fd = connect_as("CP001");
    key = command("CP001", "DataTransfer", VENDOR, -1, 0);
    CHECK(state(key) == COMMAND_QUEUED, "a known one may be about to boot");
    peer_text(&stage, fd, "[2,\"x\",\"Heartbeat\",{}]");
    CHECK(!strncmp(hear(fd), "[3,\"x\",", 7), "its first message is no boot: %s", text);
    CHECK(strstr(hear(fd), "\"DataTransfer\""), "so it did not restart: %s", text);
    close(fd);
    UNTIL(&stage, !session("CP001"));
    fd = connect_as("CP001");
    key = command("CP001", "DataTransfer", VENDOR, -1, 0);
    clock_ms += 9999;
    v16_tick(central.v16);
    CHECK(state(key) == COMMAND_QUEUED, "silence");
    clock_ms += 1;
    v16_tick(central.v16);
    CHECK(state(key) == COMMAND_SENT, "long enough");
    close(fd);
    end();
}

static void test_pending(void) /* E61 */
{
    int64_t start, get;
    int fd;

    prepare();
    set("accept-unknown", "false");
    start_central();
    fd = connect_as("CP001");
    expect(fd, "BootNotification", BOOT, "[3,\"x\",{|\"status\":\"Pending\"");
    start = command("CP001", "RemoteStartTransaction", "{\"idTag\":\"GOOD\"}", -1, 0);
    get = command("CP001", "GetConfiguration", "{}", -1, 0);
    CHECK(state(start) == COMMAND_ERROR && state(get) == COMMAND_SENT,
          "it may be asked, but not to charge");
    expect(fd, "StatusNotification",
           "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Available\"}",
           "[2,"); /* our call */
    CHECK(!strncmp(hear(fd), "[3,\"x\",{}]", 10), "E60: answered: %s", text);
    world_adopt(central.world, charger("CP001"), REGISTRATION_ACCEPTED, clock_ms);
    boot(fd);
    close(fd);
    end();
}

/* ---- connections ---- */

static void test_newest_wins(void) /* E45, E46, E47 */
{
    int first, second;

    begin();
    first = booted("CP001");
    second = connect_as("cp001");
    expect(second, "Heartbeat", "{}", "[3,\"x\"");
    CHECK(peer_close_code(&stage, first) == 1000, "the old one is closed");
    close(first);
    CHECK(world_charger_count(central.world) == 1, "E37: one station");
    expect(second, "Heartbeat", "{}", "[3,\"x\"");
    CHECK(session("CP001") != NULL, "and stays connected");
    ask(ASK_CONNECTIONS, NULL, 0);
    CHECK(row_count == 3 && rows[0]->u.connection.event == CONNECTION_OPENED &&
              rows[1]->u.connection.event == CONNECTION_CLOSED,
          "opened, closed, opened: %zu rows", row_count);
    close(second);
    end();
}

static void test_stale(void)
{
    int fd;

    begin();
    fd = booted("CP001");
    clock_ms += 390001;
    v16_tick(central.v16);
    CHECK(charger_fact(charger("CP001"))->connection == CONNECTION_STALE, "stale");
    expect(fd, "Heartbeat", "{}", "[3,\"x\"");
    CHECK(charger_fact(charger("CP001"))->connection == CONNECTION_CONNECTED, "and back");
    clock_ms += 780001;
    v16_tick(central.v16);
    CHECK(peer_close_code(&stage, fd) == 1001, "closed when it stays silent");
    close(fd);
    UNTIL(&stage, !session("CP001"));
    CHECK(charger_fact(charger("CP001"))->connection == CONNECTION_DISCONNECTED, "offline");
    end();
}

static void test_doors(void) /* E35, E36, E38, E49, E50 */
{
    static const struct {
        const char *why, *path, *headers, *answer, *id;
        int code;
    } cases[] = {
        { "E36: decoded once", "/ocpp/RDAM%7C123", "Sec-WebSocket-Protocol: ocpp1.6\r\n",
          "HTTP/1.1 101 ", "RDAM|123", 0 },
        { "E35: slashes and segments", "/ocpp//x/CP7/", "Sec-WebSocket-Protocol: ocpp1.6\r\n",
          "HTTP/1.1 101 ", "CP7", 0 },
        { "E50: in any order", "/ocpp/CP8", "Sec-WebSocket-Protocol: ocpp2.0.1, ,ocpp1.6\r\n",
          "HTTP/1.1 101 ", "CP8", 0 },
        { "E50: in several headers", "/ocpp/CP9",
          "Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Protocol: ocpp1.6\r\n", "HTTP/1.1 101 ",
          "CP9", 0 },
        { "E38: credentials", "/ocpp/CPA",
          "Sec-WebSocket-Protocol: ocpp1.6\r\nAuthorization: Basic Q1BBOmE6Yg==\r\n",
          "HTTP/1.1 101 ", "CPA", 0 },
        { "unreadable credentials", "/ocpp/CPB",
          "Sec-WebSocket-Protocol: ocpp1.6\r\nAuthorization: Basic ?\r\n", "HTTP/1.1 401 ", NULL,
          0 },
        { "C3: compared exactly", "/ocpp/CPC", "Sec-WebSocket-Protocol: OCPP1.6\r\n",
          "HTTP/1.1 101 ", NULL, 1002 },
        { "E49: none named", "/ocpp/CPD", "", "HTTP/1.1 101 ", NULL, 1002 },
        { "a colon", "/ocpp/a%3Ab", "Sec-WebSocket-Protocol: ocpp1.6\r\n", "HTTP/1.1 400 ", NULL,
          0 },
        { "a control character", "/ocpp/a%00b", "Sec-WebSocket-Protocol: ocpp1.6\r\n",
          "HTTP/1.1 400 ", NULL, 0 },
        { "a dot path", "/ocpp/%2e%2e", "Sec-WebSocket-Protocol: ocpp1.6\r\n", "HTTP/1.1 400 ",
          NULL, 0 },
        { "a broken escape", "/ocpp/a%zz", "Sec-WebSocket-Protocol: ocpp1.6\r\n", "HTTP/1.1 400 ",
          NULL, 0 },
        { "nobody", "/ocpp/", "Sec-WebSocket-Protocol: ocpp1.6\r\n", "HTTP/1.1 404 ", NULL, 0 },
    };
    size_t known = 0, refused = 0;

    begin();
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        int fd;
        const char *answer = knock(cases[i].path, cases[i].headers, &fd);

        CHECK(!strncmp(answer, cases[i].answer, strlen(cases[i].answer)), "%s: '%s'", cases[i].why,
              answer);
        CHECK((strstr(answer, "\r\nSec-WebSocket-Protocol: ocpp1.6\r\n") != NULL) ==
                  (cases[i].id != NULL),
              "%s: '%s'", cases[i].why, answer);
        known += cases[i].id != NULL;
        CHECK(world_charger_count(central.world) == known, "%s: %zu stations", cases[i].why,
              world_charger_count(central.world));
        if (cases[i].id)
            CHECK(session(cases[i].id), "%s: connected", cases[i].why);
        if (cases[i].code)
            CHECK(peer_close_code(&stage, fd) == cases[i].code, "%s", cases[i].why);
        close(fd);
    }
    UNTIL(&stage, !session("CPA"));
    clock_ms += 60000;
    doctor_tick(central.doctor);
    ask(ASK_REFUSALS, NULL, 0);
    for (size_t i = 0; i < row_count; i++)
        refused += (size_t)rows[i]->u.refusal.count;
    CHECK(refused == AMP_COUNT(cases) - known, "each refusal is told: %zu", refused);
    end();
}

/* Whoever can connect must not be able to fill the disk: all are answered and counted, the first is
 * told at once, the others once a minute. */
static void test_many_refusals(void)
{
    int refused = 0;

    begin();
    for (int i = 0; i < 140; i++) {
        int fd;

        if (i == 100)
            clock_ms += 60000;
        CHECK(!strncmp(knock("/ocpp/", "", &fd), "HTTP/1.1 404 ", 13), "knock %d", i);
        close(fd);
    }
    clock_ms += 60000;
    doctor_tick(central.doctor);
    ask(ASK_REFUSALS, NULL, 0);
    for (size_t i = 0; i < row_count; i++)
        refused += rows[i]->u.refusal.count;
    CHECK(row_count == 3 && refused == 140, "%zu rows, %d refusals", row_count, refused);
    end();
}

static void test_default_protocol(void) /* E49 */
{
    const char *answer;
    int fd;

    prepare();
    set("default-protocol", "true");
    start_central();
    answer = knock("/ocpp/CP001", "", &fd);
    CHECK(!strncmp(answer, "HTTP/1.1 101 ", 13) && !strstr(answer, "Sec-WebSocket-Protocol"),
          "'%s'", answer);
    boot(fd);
    close(fd);
    answer = knock("/ocpp/CP001", "Sec-WebSocket-Protocol: mqtt\r\n", &fd);
    CHECK(peer_close_code(&stage, fd) == 1002, "another one named is still none of ours");
    close(fd);
    end();
}

int main(void)
{
    RUN(test_session);
    RUN(test_message_log);
    RUN(test_repetitions);
    RUN(test_open_across_restart);
    RUN(test_disk_full);
    RUN(test_closed_across_restart);
    RUN(test_many_connectors_across_restart);
    RUN(test_order);
    RUN(test_commands);
    RUN(test_remote_session);
    RUN(test_one_at_a_time);
    RUN(test_not_before_boot);
    RUN(test_pending);
    RUN(test_newest_wins);
    RUN(test_stale);
    RUN(test_doors);
    RUN(test_many_refusals);
    RUN(test_default_protocol);
    forget_rows();
    return check_end();
}
