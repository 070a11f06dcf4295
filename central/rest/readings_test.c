/* central/rest/readings_test.c - readings through the API: as sent to the letter, and every value
 * in base units. */
#include "central/rest/stage.h"

#include "messages/api.h"

static char arena_block[1 << 20];
static struct charger *cp;

static const char *readings(const char *path)
{
    struct api_list_readings_reply reply;
    struct amp_arena arena;
    struct amp_fault fault = { 0 };
    const struct net_conn *c = stage_admin("GET", path, NULL);

    amp_arena_init(&arena, arena_block, sizeof arena_block);
    CHECK(c->status == 200, "%s: %d %s", path, c->status, c->body);
    CHECK(amp_decode(api.messages[API_LIST_READINGS].reply, AMP_OCPP16, AMP_STRICT,
                     amp_text_of(c->body), &reply, &arena, &fault, NULL) == 0,
          "%s: %s: %s: %s", path, fault.path, fault.why ? fault.why : "", c->body);
    return c->body;
}

static unsigned items(const char *body)
{
    unsigned n = 0;

    for (const char *at = body; (at = strstr(at, "\"connectorId\":")); at++)
        n++;
    return n;
}

static int64_t put(int64_t transaction, int connector, uint32_t has, const char *samples)
{
    struct reading_fact r = { .transaction = transaction,
                              .connector = connector,
                              .at_ms = stage_now_ms,
                              .hash = amp_text_hash(amp_text_of(samples)),
                              .samples = amp_text_of(samples),
                              .has = has };

    CHECK(world_reading(stage.c.world, cp, &r, stage_now_ms), "new: %s", samples);
    return r.transaction;
}

#define THREE                                                             \
    "[{\"value\":\"1.5\",\"unit\":\"kWh\"},"                              \
    "{\"value\":\"230.1\",\"measurand\":\"Voltage\",\"phase\":\"L1-N\"}," \
    "{ \"value\" : \"229,9\", \"measurand\":\"Voltage\",\"phase\":\"L2-N\",\"unit\":\"V\"}]"

static void test_readings(void)
{
    struct tag_answer judged;
    const char *body;
    int64_t key;

    stage_open();
    cp = stage_charger("CP1");
    key = world_start(stage.c.world, cp,
                      &(struct start_info){
                          .connector = 1, .tag = AMP_TEXT("T"), .at_ms = stage_now_ms },
                      stage_now_ms, &judged);
    CHECK(key == 1, "the first");
    put(key, 1, 0, THREE);
    stage_now_ms += 1000;
    put(key, 1, READING_CLOCK, "[{\"value\":\"1\",\"context\":\"Sample.Clock\"}]");
    stage_now_ms += 1000;
    put(key, 1, 0,
        "[{\"value\":\"OCMF|{\\\"x\\\":1}|\",\"format\":\"SignedData\","
        "\"context\":\"Transaction.End\"}]");
    put(0, 2, 0, "[{\"value\":\"7\",\"measurand\":\"Temperature\",\"unit\":\"K\"}]");
    stage_settle();

    body = readings("/api/v1/transactions/1/readings");
    CHECK(items(body) == 3 && stage_has(body, "\"samples\":" THREE) &&
              !stage_has(body, "\"values\""),
          "to the letter: %s", body);
    CHECK(stage_has(body, "\"clock\":true"), "E89: kept, and marked: %s", body);
    body = readings("/api/v1/transactions/1/readings?clock=false");
    CHECK(items(body) == 2 && !stage_has(body, "Sample.Clock"), "E89: out of the curve: %s", body);
    body = readings("/api/v1/transactions/1/readings?values=true&limit=1");
    CHECK(stage_has(body, "{\"measurand\":\"Energy.Active.Import.Register\",\"value\":1500,"
                          "\"unit\":\"Wh\",\"location\":\"Outlet\","
                          "\"context\":\"Sample.Periodic\"}") &&
              stage_has(body, "\"samples\":" THREE),
          "in base units, beside: %s", body);
    body = readings("/api/v1/transactions/1/readings?measurand=Voltage&phase=L2-N");
    CHECK(items(body) == 1 && stage_has(body, "\"value\":229.9,\"unit\":\"V\"") &&
              !stage_has(body, "230.1"),
          "E90: one phase: %s", body);
    body = readings("/api/v1/transactions/1/readings?phase=none");
    CHECK(items(body) == 3 && !stage_has(body, "L1-N"), "the whole: %s", body);
    CHECK(stage_has(body, "\"text\":\"OCMF|{\\\"x\\\":1}|\",\"unit\":\"Wh\""),
          "E81: signed data as a text: %s", body);
    body = readings("/api/v1/chargers/CP1/readings");
    CHECK(items(body) == 4 && stage_has(body, "\"connectorId\":2"), "of a charger: %s", body);
    body = readings("/api/v1/chargers/CP1/readings?connector=2&values=true");
    CHECK(items(body) == 1 && stage_has(body, "\"value\":-266.15,\"unit\":\"Celsius\""),
          "E21: outside a session: %s", body);
    body = readings("/api/v1/chargers/CP1/readings?from=2026-01-01T00:00:02Z");
    CHECK(items(body) == 2, "by time: %s", body);
    CHECK(stage_admin("GET", "/api/v1/chargers/NONE/readings", NULL)->status == 404, "no charger");
    stage_now_ms = 1767225600000;
    stage_close();
}

int main(void)
{
    RUN(test_readings);
    return check_end();
}
