/* central/rest/repairs_test.c - people change transactions through the API: the audit keeps how
 * they were, a revision that is old is refused, and the attention list says who waits. */
#include "central/rest/stage.h"

#include "messages/api.h"

static char arena_block[1 << 18];
static struct charger *cp;
static struct tag_answer judged;

static void check_list(const char *why, int message, const char *body)
{
    struct amp_arena arena;
    struct amp_fault fault = { 0 };
    static uint64_t out[64];

    amp_arena_init(&arena, arena_block, sizeof arena_block);
    CHECK(amp_decode(api.messages[message].reply, AMP_OCPP16, AMP_STRICT, amp_text_of(body), out,
                     &arena, &fault, NULL) == 0,
          "%s: %s: %s: %s", why, fault.path, fault.why ? fault.why : "", body);
}

static void check_transaction(const char *why, const struct net_conn *c)
{
    char text[4096];
    struct api_shapes_reply shapes;
    struct amp_arena arena;
    struct amp_fault fault = { 0 };

    CHECK(c->status == 200, "%s: %d %s", why, c->status, c->body);
    snprintf(text, sizeof text, "{\"transaction\":%s}", c->body);
    amp_arena_init(&arena, arena_block, sizeof arena_block);
    CHECK(amp_decode(api.messages[API_SHAPES].reply, AMP_OCPP16, AMP_STRICT, amp_text_of(text),
                     &shapes, &arena, &fault, NULL) == 0,
          "%s: %s: %s", why, fault.path, c->body);
}

static int64_t start(int connector, int64_t meter_wh)
{
    return world_start(stage.c.world, cp,
                       &(struct start_info){ .connector = connector,
                                             .tag = AMP_TEXT("T1"),
                                             .meter_wh = meter_wh,
                                             .at_ms = stage_now_ms },
                       stage_now_ms, &judged);
}

static int64_t stop(int64_t id, int64_t meter_wh)
{
    return world_stop(stage.c.world, cp,
                      &(struct stop_info){
                          .transaction = id, .meter_wh = meter_wh, .at_ms = stage_now_ms },
                      stage_now_ms, &judged);
}

static int64_t revision(int64_t key)
{
    const struct transaction_fact *f = world_transaction(stage.c.world, key);

    return f ? f->revision : -1;
}

/* POST (PATCH without a verb) with the revision that is now. */
static struct net_conn *repair(int64_t key, const char *verb, const char *fields)
{
    char path[64], body[400];

    snprintf(path, sizeof path, "/api/v1/transactions/%lld%s%s", (long long)key, *verb ? "/" : "",
             verb);
    snprintf(body, sizeof body, "{\"revision\":%lld,%s}", (long long)revision(key), fields);
    return stage_admin(*verb ? "POST" : "PATCH", path, body);
}

static void open_stage(void)
{
    stage_open();
    cp = stage_charger("CP1");
    world_put_tag(stage.c.world, &(struct tag_fact){ .org = ORG_DEFAULT,
                                                     .tag = AMP_TEXT("T1"),
                                                     .status = AMP_TEXT("Accepted") });
}

static void test_close(void)
{
    struct net_conn *c;
    int64_t key;

    open_stage();
    key = start(1, 100);
    stage_now_ms += 3600000;
    c = repair(key, "close", "\"meterStopWh\":50,\"reason\":\"x\"");
    CHECK(c->status == 422 && stage_has(c->body, "before the start"), "%d %s", c->status, c->body);
    c = repair(key, "close",
               "\"meterStopWh\":5100,\"stoppedAt\":\"2026-01-01T00:30:00Z\",\"reason\":\"gone\"");
    check_transaction("closed", c);
    CHECK(stage_has(c->body, "\"state\":\"STOPPED\"") && stage_has(c->body, "\"energyWh\":5000") &&
              stage_has(c->body, "\"stoppedAt\":\"2026-01-01T00:30:00") &&
              stage_has(c->body, "\"repaired\""),
          "%s", c->body);
    c = repair(key, "close", "\"reason\":\"again\"");
    CHECK(c->status == 409 && stage_has(c->body, "wrong-state"), "once: %d %s", c->status, c->body);
    c = stage_admin("GET", "/api/v1/audit?kind=transaction", NULL);
    check_list("audit", API_LIST_AUDIT, c->body);
    CHECK(stage_has(c->body, "\"action\":\"close\"") && stage_has(c->body, "\"reason\":\"gone\"") &&
              stage_has(c->body, "\"charger\":\"CP1\"") &&
              stage_has(c->body, "\"before\":{\"id\":1,") &&
              stage_has(c->body, "\"state\":\"RUNNING\"") && !stage_has(c->body, "again"),
          "before and after, and no refused change: %s", c->body);
    stage_now_ms = 1767225600000;
    stage_close();
}

static void test_revision(void)
{
    struct net_conn *c;
    char path[64];
    int64_t key;

    open_stage();
    key = start(1, 100);
    stop(key, 500);
    snprintf(path, sizeof path, "/api/v1/transactions/%lld", (long long)key);
    c = stage_admin("PATCH", path, "{\"meterStopWh\":700,\"reason\":\"x\"}");
    CHECK(c->status == 428 && stage_has(c->body, "\"field\":\"revision\""), "%d %s", c->status,
          c->body);
    c = stage_admin("PATCH", path, "{\"revision\":1,\"meterStopWh\":700,\"reason\":\"x\"}");
    CHECK(c->status == 409 && stage_has(c->body, "changed-meanwhile"), "%d %s", c->status, c->body);
    c = stage_ask("PATCH", path, AS_ADMIN "If-Match: \"1\"\r\n",
                  "{\"meterStopWh\":700,\"reason\":\"x\"}");
    CHECK(c->status == 412, "%d %s", c->status, c->body);
    c = stage_ask("PATCH", path, AS_ADMIN "If-Match: \"2\"\r\n",
                  "{\"meterStopWh\":700,\"reason\":\"x\"}");
    CHECK(c->status == 200 && stage_has(c->body, "\"energyWh\":600") &&
              stage_has(c->body, "\"revision\":3"),
          "%d %s", c->status, c->body);
    c = stage_admin("PATCH", path, "{\"revision\":3,\"meterStopWh\":700}");
    CHECK(c->status == 422 && stage_has(c->body, "\"field\":\"reason\""), "no reason: %d %s",
          c->status, c->body);
    c = stage_admin("PATCH", "/api/v1/transactions/77", "{\"revision\":3,\"reason\":\"x\"}");
    CHECK(c->status == 404 && stage_has(c->body, "77"), "%d %s", c->status, c->body);
    stage_close();
}

/* One that memory has forgotten is brought back from the store. */
static void test_old_one(void)
{
    struct net_conn *c;
    int64_t key;

    open_stage();
    key = start(1, 100);
    stop(key, 500);
    for (int i = 0; i < 6; i++) {
        int64_t k;

        stage_now_ms += 60000;
        k = start(1, 500 + i);
        stage_now_ms += 60000;
        stop(k, 501 + i);
    }
    stage_settle();
    CHECK(!world_transaction(stage.c.world, key), "forgotten");
    c = stage_admin("PATCH", "/api/v1/transactions/1",
                    "{\"revision\":2,\"idTag\":\"T9\",\"reason\":\"another card\"}");
    CHECK(c->status == 200 && stage_has(c->body, "\"idTag\":\"T9\""), "%d %s", c->status, c->body);
    stage_settle();
    CHECK(!world_transaction(stage.c.world, key), "and let go again");
    c = stage_admin("GET", "/api/v1/transactions/1", NULL);
    CHECK(stage_has(c->body, "\"idTag\":\"T9\"") && stage_has(c->body, "\"revision\":3"), "%s",
          c->body);
    stage_close();
}

static void test_merge(void)
{
    struct net_conn *c;
    int64_t one, adopted;
    char fields[64];

    open_stage();
    one = start(1, 100);
    start(2, 100);
    stage_now_ms += 60000;
    adopted = stop(-1, 900);
    stage_settle();
    c = stage_admin("GET", "/api/v1/attention", NULL);
    check_list("attention", API_LIST_ATTENTION, c->body);
    CHECK(stage_has(c->body, "\"flag\":\"adopted\",\"text\":\"Readings or a stop came"), "%s",
          c->body);
    c = repair(adopted, "merge", "\"into\":4711,\"reason\":\"x\"");
    CHECK(c->status == 404 && stage_has(c->body, "4711"), "%d %s", c->status, c->body);
    snprintf(fields, sizeof fields, "\"into\":%lld,\"reason\":\"its stop\"", (long long)one);
    c = repair(adopted, "merge", fields);
    check_transaction("merged", c);
    CHECK(stage_has(c->body, "\"id\":1,") && stage_has(c->body, "\"energyWh\":800"), "%s", c->body);
    c = stage_admin("GET", "/api/v1/transactions/3", NULL);
    CHECK(stage_has(c->body, "\"state\":\"CANCELLED\"") && stage_has(c->body, "\"mergedInto\":1"),
          "%s", c->body);
    c = stage_admin("GET", "/api/v1/audit?action=merge", NULL);
    CHECK(stage_has(c->body, "\"thing\":\"1\"") && stage_has(c->body, "\"thing\":\"3\""),
          "both records are in the audit: %s", c->body);
    c = stage_admin("GET", "/api/v1/attention", NULL);
    CHECK(stage_has(c->body, "\"items\":[]"), "nobody waits: %s", c->body);
    stage_now_ms = 1767225600000;
    stage_close();
}

static void test_attention(void)
{
    struct net_conn *c;
    int64_t key, billed;

    open_stage();
    key = start(1, 100);
    stop(key, 100);
    stage_settle();
    c = stage_admin("GET", "/api/v1/attention?charger=CP1", NULL);
    CHECK(stage_has(c->body, "\"flag\":\"noEnergy\""), "%s", c->body);
    c = repair(key, "acknowledge", "\"note\":\"a test\"");
    check_transaction("seen", c);
    CHECK(stage_has(c->body, "\"noEnergy\""), "the flag stays: %s", c->body);
    c = stage_admin("GET", "/api/v1/attention", NULL);
    CHECK(stage_has(c->body, "\"items\":[]"), "%s", c->body);
    CHECK(stage_has(stage_admin("GET", "/api/v1/audit?action=acknowledge", NULL)->body,
                    "\"reason\":\"a test\""),
          "with its note");
    stage_now_ms += 60000;
    billed = start(1, 200);
    CHECK(repair(billed, "billing", "\"outcome\":\"completed\"")->status == 409, "it runs");
    stop(billed, 900);
    c = repair(billed, "billing", "\"outcome\":\"failed\",\"reason\":\"card declined\"");
    CHECK(c->status == 200 && stage_has(c->body, "BILLING_FAILED"), "%d %s", c->status, c->body);
    c = stage_admin("GET", "/api/v1/attention", NULL);
    CHECK(stage_has(c->body, "\"flag\":\"billingFailed\""), "%s", c->body);
    c = repair(billed, "billing", "\"outcome\":\"completed\"");
    CHECK(c->status == 200 && stage_has(c->body, "COMPLETED"), "%d %s", c->status, c->body);
    c = repair(billed, "void", "\"reason\":\"a test\"");
    CHECK(c->status == 200 && stage_has(c->body, "CANCELLED"), "%d %s", c->status, c->body);
    CHECK(repair(billed, "void", "\"reason\":\"again\"")->status == 409, "once");
    stage_now_ms = 1767225600000;
    stage_close();
}

/* Another organisation's transaction is not there. */
static void test_organisation(void)
{
    struct charger *other;
    struct fact f = { FACT_CHARGER, { .charger = { .key = 99, .org = 2, .id = AMP_TEXT("FAR") } } };

    open_stage();
    world_apply(stage.c.world, &f);
    other = cp;
    cp = world_charger(stage.c.world, AMP_TEXT("FAR"));
    start(1, 100);
    cp = other;
    CHECK(stage_admin("POST", "/api/v1/transactions/1/close", "{\"revision\":1,\"reason\":\"x\"}")
                  ->status == 404,
          "not ours");
    CHECK(charger_transaction(world_charger(stage.c.world, AMP_TEXT("FAR")), 1), "it runs");
    stage_close();
}

static void test_power(void)
{
    struct net_conn *c;
    int64_t key;

    open_stage();
    key = start(1, 0); /* at midnight */
    stage_now_ms += 7200000;
    stop(key, 8000); /* two hours: 1 kWh a quarter of an hour, 4 kW */
    stage_settle();
    c = stage_admin("GET",
                    "/api/v1/power?charger=CP1&from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z",
                    NULL);
    check_list("power", API_LIST_POWER, c->body);
    CHECK(stage_has(c->body, "{\"at\":\"2026-01-01T00:45:00Z\",\"energyWh\":1000,"
                             "\"averageW\":4000}") &&
              !stage_has(c->body, "01:00:00Z\",\"energyWh\""),
          "%s", c->body);
    c = stage_admin("GET", "/api/v1/power?from=2026-01-01T00:00:00Z&step=86400", NULL);
    CHECK(stage_has(c->body, "\"energyWh\":8000,\"averageW\":333}]"), "a day of all: %s", c->body);
    CHECK(stage_admin("GET", "/api/v1/power", NULL)->status == 400 &&
              stage_admin("GET", "/api/v1/power?from=2026-01-01T00:00:00Z&step=1000", NULL)
                      ->status == 400,
          "bad ranges");
    stage_now_ms = 1767225600000;
    stage_close();
}

int main(void)
{
    RUN(test_close);
    RUN(test_revision);
    RUN(test_old_one);
    RUN(test_merge);
    RUN(test_attention);
    RUN(test_organisation);
    RUN(test_power);
    return check_end();
}
