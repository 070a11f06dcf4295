/* central/rest/history_test.c - pairs of the message log, and histories as files. */
#include "central/rest/history.h"
#include "central/rest/stage.h"
#include "ocpp/frame.h"

#include "messages/api.h"

static char arena_block[1 << 20];

static struct charger *ch;

static void put_message(int direction, int type, const char *id, const char *action,
                        const char *payload)
{
    struct message_fact m = { .at_ms = stage_now_ms,
                              .charger = charger_fact(ch)->key,
                              .direction = direction,
                              .type = type,
                              .action = amp_text_of(action),
                              .payload = amp_text_of(payload),
                              .correlation = amp_text_of(id),
                              .latency_ms =
                                  type != AMP_CALL && direction == MESSAGE_SENT ? 7 : -1 };

    stage_now_ms += 10;
    central_emit(&stage.c, &(struct fact){ .kind = FACT_MESSAGE, .u.message = m });
}

/* A list of pairs; strictly what api.def says. */
static const char *pairs(const char *query)
{
    struct api_list_pairs_reply reply;
    struct amp_arena arena;
    struct amp_fault fault = { 0 };
    char path[200];
    const struct net_conn *c;

    snprintf(path, sizeof path, "/api/v1/messages/pairs%s", query);
    c = stage_admin("GET", path, NULL);
    amp_arena_init(&arena, arena_block, sizeof arena_block);
    CHECK(c->status == 200, "%s: %d %s", query, c->status, c->body);
    CHECK(amp_decode(api.messages[API_LIST_PAIRS].reply, AMP_OCPP16, AMP_STRICT,
                     amp_text_of(c->body), &reply, &arena, &fault, NULL) == 0,
          "%s: %s: %s", query, fault.path, c->body);
    return c->body;
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;

    for (const char *at = text; at && (at = strstr(at, what)); at++)
        n++;
    return n;
}

static void test_pairs(void)
{
    const char *body;

    stage_open();
    ch = stage_charger("CP1");
    put_message(MESSAGE_RECEIVED, AMP_CALL, "1", "Heartbeat", "{}");
    put_message(MESSAGE_SENT, AMP_CALL, "1", "Reset", "{\"type\":\"Soft\"}");
    put_message(MESSAGE_SENT, AMP_CALLRESULT, "1", "Heartbeat", "{\"currentTime\":\"x\"}");
    put_message(MESSAGE_RECEIVED, AMP_CALLRESULT, "1", "Reset", "{\"status\":\"Accepted\"}");
    put_message(MESSAGE_RECEIVED, AMP_CALL, "2", "Authorize", "{\"idTag\":\"A\"}");
    put_message(MESSAGE_SENT, AMP_CALL, "3", "UnlockConnector", "{\"connectorId\":1}");
    put_message(MESSAGE_SENT, AMP_CALLERROR, "2", "Authorize", "{\"code\":\"InternalError\"}");
    stage_charger("CP2");
    /* a station that uses an id again: each call gets its own answer */
    put_message(MESSAGE_RECEIVED, AMP_CALL, "-1", "MeterValues", "{\"n\":1}");
    put_message(MESSAGE_RECEIVED, AMP_CALL, "-1", "MeterValues", "{\"n\":2}");
    put_message(MESSAGE_SENT, AMP_CALLRESULT, "-1", "MeterValues", "{\"m\":2}");
    stage_settle();

    body = pairs("?charger=CP1");
    CHECK(count(body, "\"call\":{") == 6 && count(body, "\"answer\":{") == 4, "%s", body);
    CHECK(stage_has(body, "\"latencyMs\":20}") && stage_has(body, "\"latencyMs\":7}"),
          "of the log, or counted: %s", body);
    CHECK(strstr(body, "UnlockConnector") < strstr(body, "\"Authorize\""), "newest first: %s",
          body);
    body = pairs("?action=Heartbeat");
    CHECK(count(body, "\"call\":{") == 1 && stage_has(body, "currentTime"), "%s", body);
    body = pairs("?direction=sent");
    CHECK(count(body, "\"call\":{") == 2 && stage_has(body, "\"status\":\"Accepted\""), "%s", body);
    body = pairs("?unanswered=true");
    CHECK(count(body, "\"call\":{") == 2 && stage_has(body, "UnlockConnector") &&
              stage_has(body, "{\"n\":1}") && !stage_has(body, "\"answer\""),
          "%s", body);
    body = pairs("?messageId=-1");
    CHECK(count(body, "\"call\":{") == 2 && strstr(body, "{\"n\":2}") < strstr(body, "{\"m\":2}") &&
              strstr(body, "{\"m\":2}") < strstr(body, "{\"n\":1}"),
          "the newer call has the answer: %s", body);
    body = pairs("?charger=CP2");
    CHECK(count(body, "\"call\":{") == 0, "nothing of another station: %s", body);
    body = pairs("?limit=2");
    CHECK(count(body, "\"call\":{") == 2 && stage_has(body, "\"next\":"), "%s", body);
    stage_close();
}

/* An answer far behind its call, with a thousand others between. */
static void test_far_apart(void)
{
    const char *body;

    stage_open();
    ch = stage_charger("CP1");
    put_message(MESSAGE_SENT, AMP_CALL, "far", "GetDiagnostics", "{}");
    for (int i = 0; i < 1500; i++)
        put_message(MESSAGE_SENT, AMP_CALLRESULT, "x", "Heartbeat", "{}");
    put_message(MESSAGE_RECEIVED, AMP_CALLRESULT, "far", "GetDiagnostics", "{\"fileName\":\"f\"}");
    stage_settle();
    body = pairs("");
    CHECK(stage_has(body, "\"fileName\":\"f\"") && stage_has(body, "\"latencyMs\":15010"), "%s",
          body);
    stage_close();
}

/* ---- files ---- */

static struct net_conn *export_of(const char *path)
{
    struct net_conn *c;

    rest_gone(stage.c.rest, &stage.conns[0]); /* of the export before */
    stage_conn_forget(&stage.conns[0]);
    c = stage_send(0, "GET", path, AS_ADMIN, NULL);
    for (int i = 0; c->status == 200 && !c->ended && i < 100000; i++) {
        uv_run(&stage.loop, UV_RUN_ONCE);
        if (stage_stalled && !c->ended) {
            stage_stalled = false;
            stage_put = 0;
            rest_writable(stage.c.rest, c);
        }
    }
    return c;
}

static void test_formulas(void)
{
    static const char csv[] = "/api/v1/export/messages?format=csv&from=2026-01-01T00:00:00Z";
    struct net_conn *c;

    stage_open();
    ch = stage_charger("CP1");
    put_message(MESSAGE_RECEIVED, AMP_CALL, "=HYPERLINK(\"http://evil\")", "@SUM(A1)",
                "{\"a\":\"x,y\"}");
    put_message(MESSAGE_RECEIVED, AMP_CALL, "-2+3", "\t=1", "+cmd|' /C calc'!A0");
    put_message(MESSAGE_RECEIVED, AMP_CALL, "plain", "Heartbeat", "two\r\nlines");
    stage_settle();
    c = export_of(csv);
    CHECK(c->status == 200 && c->ended && !strncmp(c->type, "text/csv", 8), "%d %s", c->status,
          c->type);
    CHECK(stage_has(c->headers, "attachment; filename=\"messages.csv\""), "%s", c->headers);
    CHECK(!strncmp(c->streamed, "id,at,charger,direction,type,action,messageId,", 46), "%s",
          c->streamed);
    CHECK(stage_has(c->streamed, ",\"'@SUM(A1)\",\"'=HYPERLINK(\"\"http://evil\"\")\",") &&
              stage_has(c->streamed, ",\"'\t=1\",\"'-2+3\",-1,0,,\"'+cmd|' /C calc'!A0\"\r\n"),
          "%s", c->streamed);
    CHECK(stage_has(c->streamed, ",\"{\"\"a\"\":\"\"x,y\"\"}\"\r\n") &&
              stage_has(c->streamed, ",\"two\r\nlines\"\r\n"),
          "%s", c->streamed);
    c = export_of("/api/v1/export/messages?messageId=plain");
    CHECK(!strncmp(c->type, "application/x-ndjson", 20) && count(c->streamed, "\n") == 1, "%s",
          c->streamed);
    c = export_of("/api/v1/export/messages?format=xlsx");
    CHECK(c->status == 400 && stage_has(c->body, "\"field\":\"format\""), "%s", c->body);
    stage_close();
}

/* All kinds, in both formats: as many lines as there are rows. */
static void test_kinds(void)
{
    static const struct {
        const char *path, *head;
        unsigned rows;
    } cases[] = {
        { "messages", "id,at,charger,", 2 },         { "transactions", "id,charger,", 1 },
        { "readings", "id,at,seenAt,", 1 },          { "status", "id,at,seenAt,", 1 },
        { "connections", "id,at,charger,event", 1 }, { "commands", "id,charger,action", 1 },
    };
    struct start_info s = { .connector = 1, .tag = AMP_TEXT("T"), .at_ms = stage_now_ms };
    struct command_fact k = { .action = AMP_TEXT("Reset"), .payload = AMP_TEXT("{}") };
    struct tag_answer t;
    struct net_conn *c;
    char path[100];

    stage_open();
    ch = stage_charger("CP1");
    put_message(MESSAGE_RECEIVED, AMP_CALL, "1", "Heartbeat", "{}");
    put_message(MESSAGE_SENT, AMP_CALLRESULT, "1", "Heartbeat", "{}");
    s.at_ms = stage_now_ms;
    world_reading(stage.c.world, ch,
                  &(struct reading_fact){ .transaction =
                                              world_start(stage.c.world, ch, &s, stage_now_ms, &t),
                                          .connector = 1,
                                          .at_ms = stage_now_ms,
                                          .seen_ms = stage_now_ms,
                                          .has = READING_ENERGY | READING_CURRENT,
                                          .energy_wh = -5,
                                          .current_ma = 32200 },
                  stage_now_ms);
    world_command(stage.c.world, ch, &k, stage_now_ms);
    stage_settle();
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        snprintf(path, sizeof path, "/api/v1/export/%s?charger=CP1", cases[i].path);
        c = export_of(path);
        CHECK(c->ended && count(c->streamed, "\n") == cases[i].rows, "%s: %s", path, c->streamed);
        CHECK(c->streamed && c->streamed[0] == '{' && stage_has(c->streamed, "\"charger\":\"CP1\""),
              "%s: %s", path, c->streamed);
        snprintf(path, sizeof path, "/api/v1/export/%s?format=csv", cases[i].path);
        c = export_of(path);
        CHECK(c->ended && count(c->streamed, "\r\n") == cases[i].rows + 1 &&
                  !strncmp(c->streamed, cases[i].head, strlen(cases[i].head)),
              "%s: %s", path, c->streamed);
    }
    c = export_of("/api/v1/export/readings?format=csv");
    CHECK(stage_has(c->streamed, ",-5,,32.2,,,"), "numbers are numbers: %s", c->streamed);
    c = export_of("/api/v1/export/messages?charger=CP9");
    CHECK(c->status == 404, "%d", c->status);
    stage_close();
}

/* A reader that takes 3,000 bytes at a time gets all, in order, and what waits is a page at most.
 */
static void test_slow_reader(void)
{
    enum { ROWS = 5000 };
    struct net_conn *c;
    char id[16];
    long last = -1;
    unsigned rows = 0;

    stage_open();
    ch = stage_charger("CP1");
    for (int i = 0; i < ROWS; i++) {
        snprintf(id, sizeof id, "m%d", i);
        put_message(MESSAGE_RECEIVED, AMP_CALL, id, "Heartbeat", "{}");
        if (i % 1000 == 0)
            stage_settle();
    }
    stage_settle();
    stage_room = 3000;
    c = export_of("/api/v1/export/messages?action=Heartbeat");
    CHECK(c->ended && stage_most < 3000 + 65536, "%zu bytes at once", stage_most);
    for (const char *at = c->streamed; at && (at = strstr(at, "\"messageId\":\"m")); at++, rows++) {
        long n = atol(at + 14);

        CHECK(n == last + 1, "row %ld behind %ld", n, last);
        last = n;
    }
    CHECK(rows == ROWS, "%u rows", rows);
    stage_room = SIZE_MAX;
    stage_close();
}

/* A reader that goes in the middle leaves nothing behind; and there may be eight at once. */
static void test_gone_and_many(void)
{
    struct net_conn *c;

    stage_open();
    ch = stage_charger("CP1");
    for (int i = 0; i < 2000; i++)
        put_message(MESSAGE_RECEIVED, AMP_CALL, "1", "Heartbeat", "{}");
    stage_settle();
    for (int i = 0; i < 7; i++)
        stage_send(i, "GET", "/api/v1/export/messages", AS_ADMIN, NULL);
    CHECK(stage.c.rest->exports == 7, "%u", stage.c.rest->exports);
    stage.c.rest->exports++; /* as an eighth */
    c = stage_send(7, "GET", "/api/v1/export/messages", AS_ADMIN, NULL);
    CHECK(c->status == 503 && stage_has(c->headers, "Retry-After"), "%d", c->status);
    stage.c.rest->exports--;
    for (int i = 0; i < 7; i++)
        rest_gone(stage.c.rest, &stage.conns[i]);
    for (int i = 0; i < 100000 && stage.c.rest->exports; i++)
        uv_run(&stage.loop, UV_RUN_ONCE); /* pages that were asked for come, and are forgotten */
    CHECK(stage.c.rest->exports == 0, "%u are left", stage.c.rest->exports);
    stage_close();
}

int main(void)
{
    RUN(test_pairs);
    RUN(test_far_apart);
    RUN(test_formulas);
    RUN(test_kinds);
    RUN(test_slow_reader);
    RUN(test_gone_and_many);
    return check_end();
}
