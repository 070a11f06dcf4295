/* central/rest/access_test.c - how chargers may come in, through the API: every answer is what
 * api.def says, every bad value is named. */
#include "central/domain/access.h"
#include "central/rest/stage.h"
#include "central/rest/stage_shapes.h"

static void test_security(void)
{
    static const struct {
        const char *body, *field;
    } bad[] = {
        { "{\"leastProfile\":4}", "leastProfile" },
        { "{\"leastProfile\":-2}", "leastProfile" },
        { "{\"profile\":4}", "profile" },
        { "{\"maxMessage\":1}", "maxMessage" },
    };
    const struct net_conn *c;

    stage_open();
    stage_charger("CP1");
    check_shape("nothing decided", "security",
                stage_admin("GET", "/api/v1/chargers/CP1/security", NULL)->body);
    for (size_t i = 0; i < AMP_COUNT(bad); i++) {
        c = stage_admin("PATCH", "/api/v1/chargers/CP1/security", bad[i].body);
        CHECK(c->status >= 400 && stage_has(c->body, bad[i].field), "%s: %d %s", bad[i].body,
              c->status, c->body);
        check_shape(bad[i].body, "problem", c->body);
    }
    c = stage_admin("PATCH", "/api/v1/chargers/CP1/security",
                    "{\"leastProfile\":2,\"profile\":1,\"anyUser\":true,\"certificateName\":\"SN\","
                    "\"maxMessage\":65536}");
    CHECK(c->status == 200 && stage_has(c->body, "\"leastProfile\":2") &&
              stage_has(c->body, "\"certificateName\":\"SN\""),
          "%s", c->body);
    check_shape("all of it", "security", c->body);
    c = stage_admin("PATCH", "/api/v1/chargers/CP1/security",
                    "{\"leastProfile\":-1,\"certificateName\":\"\",\"maxMessage\":0}");
    CHECK(!stage_has(c->body, "leastProfile") && !stage_has(c->body, "certificateName") &&
              !stage_has(c->body, "maxMessage"),
          "taken back: %s", c->body);
    check_shape("generated", "password",
                stage_admin("PUT", "/api/v1/chargers/CP1/password", NULL)->body);
    c = stage_admin("PUT", "/api/v1/chargers/CP1/password", "{\"password\":\"sesame open\"}");
    CHECK(c->status == 200 && !stage_has(c->body, "sesame"), "%s", c->body);
    check_shape("given", "password", c->body);
    c = stage_admin("POST", "/api/v1/chargers/CP1/rotate-password", NULL);
    CHECK(c->status == 202 && stage.kicks == 1, "%d %s", c->status, c->body);
    check_shape("rotated", "command", c->body);
    CHECK(stage_admin("DELETE", "/api/v1/chargers/CP1/password", NULL)->status == 204, "removed");
    CHECK(stage_admin("GET", "/api/v1/chargers/NONE/security", NULL)->status == 404, "nobody");
    stage_close();
}

static void test_heartbeat(void)
{
    const struct net_conn *c;
    struct charger *ch;

    stage_open();
    ch = stage_charger("CP1");
    c = stage_admin("PATCH", "/api/v1/chargers/CP1", "{\"heartbeatS\":45}");
    CHECK(c->status == 200 && charger_access(ch)->heartbeat_s == 45 && stage.kicks == 1,
          "kept, and the charger is told: %s", c->body);
    check_shape("a charger", "charger", c->body);
    c = stage_admin("GET", "/api/v1/commands?charger=CP1", NULL);
    CHECK(stage_has(c->body, "HeartbeatInterval") && stage_has(c->body, "\"45\""), "%s", c->body);
    CHECK(stage_admin("PATCH", "/api/v1/chargers/CP1", "{\"heartbeatS\":90000}")->status == 422,
          "too long");
    stage_close();
}

static void test_rules(void)
{
    const struct net_conn *c;

    stage_open();
    c = stage_admin("PUT", "/api/v1/boot-rules/ours",
                    "{\"registration\":\"accepted\",\"vendor\":\"ACME*\",\"place\":5,"
                    "\"serial\":\"7?\",\"known\":true}");
    CHECK(c->status == 200, "%s", c->body);
    check_shape("a rule", "bootRule", c->body);
    c = stage_admin("PUT", "/api/v1/boot-rules/first", "{\"registration\":\"rejected\"}");
    check_shape("a short one", "bootRule", c->body);
    c = stage_admin("GET", "/api/v1/boot-rules", NULL);
    check_list("rules", API_LIST_BOOT_RULES, c->body);
    CHECK(strstr(c->body, "first") < strstr(c->body, "ours"), "in order: %s", c->body);
    CHECK(stage_admin("PUT", "/api/v1/boot-rules/x", "{}")->status >= 400, "no decision");
    CHECK(stage_admin("DELETE", "/api/v1/boot-rules/ours", NULL)->status == 204, "deleted");
    CHECK(stage_admin("DELETE", "/api/v1/boot-rules/ours", NULL)->status == 404, "gone");
    stage_close();
}

static void test_knocking(void)
{
    const struct net_conn *c;
    struct charger *ch;

    stage_open();
    ch = stage_charger("NEW");
    CHECK(world_adopt(stage.c.world, ch, REGISTRATION_PENDING, 1) == 0, "waits");
    central_emit(&stage.c, &(struct fact){ .kind = FACT_MESSAGE,
                                           .u.message = { .at_ms = stage_now_ms,
                                                          .charger = charger_fact(ch)->key,
                                                          .direction = MESSAGE_RECEIVED,
                                                          .type = 2,
                                                          .action = AMP_TEXT("BootNotification"),
                                                          .payload = AMP_TEXT("{\"a\":1}"),
                                                          .latency_ms = -1 } });
    stage_settle();
    c = stage_admin("GET", "/api/v1/knocking", NULL);
    check_list("those that wait", API_LIST_KNOCKING, c->body);
    CHECK(stage_has(c->body, "\"NEW\""), "%s", c->body);
    c = stage_admin("GET", "/api/v1/knocking/NEW", NULL);
    check_shape("with all that it sent", "knocking", c->body);
    CHECK(stage_has(c->body, "{\"a\":1}"), "%s", c->body);
    c = stage_admin("POST", "/api/v1/knocking/NEW/adopt", NULL);
    CHECK(c->status == 200 && stage_has(c->body, "\"registration\":\"accepted\"") &&
              stage.kicks == 1,
          "and asked to boot: %s", c->body);
    check_shape("adopted", "charger", c->body);
    CHECK(stage_admin("POST", "/api/v1/knocking/NEW/adopt", NULL)->status == 404, "not again");
    CHECK(stage_admin("GET", "/api/v1/knocking/NEW", NULL)->status == 404, "not any more");
    stage_close();
}

static void test_histories(void)
{
    const struct net_conn *c;
    struct charger *ch;

    stage_open();
    ch = stage_charger("CP1");
    world_disconnected(stage.c.world, ch, &stage, 1006, AMP_TEXT("lost"), stage_now_ms + 5);
    central_emit(&stage.c,
                 &(struct fact){ .kind = FACT_REFUSAL,
                                 .u.refusal = { .org = ORG_DEFAULT,
                                                .at_ms = stage_now_ms,
                                                .code = 401,
                                                .count = 3,
                                                .kind = AMP_TEXT("wrong-password"),
                                                .id = AMP_TEXT("CP1"),
                                                .charger = charger_fact(ch)->key,
                                                .address = AMP_TEXT("192.0.2.9:1"),
                                                .name = AMP_TEXT("CN"),
                                                .reason = AMP_TEXT("the password is wrong") } });
    stage_settle();
    c = stage_admin("GET", "/api/v1/connections?charger=CP1", NULL);
    check_list("connections", API_LIST_CONNECTIONS, c->body);
    CHECK(stage_has(c->body, "\"event\":\"closed\",\"code\":1006") &&
              stage_has(c->body, "\"event\":\"opened\""),
          "%s", c->body);
    c = stage_admin("GET", "/api/v1/connections/refused?station=CP1&kind=wrong-password", NULL);
    check_list("refusals", API_LIST_REFUSALS, c->body);
    CHECK(stage_has(c->body, "\"count\":3") && stage_has(c->body, "\"fix\":\"Set the same"), "%s",
          c->body);
    c = stage_admin("GET", "/api/v1/connections/refused?station=CP2", NULL);
    CHECK(stage_has(c->body, "\"items\":[]"), "not of others: %s", c->body);
    stage_close();
}

/* E64 */
static void test_delete(void)
{
    const struct net_conn *c;
    struct tag_answer who;
    struct charger *ch;

    stage_open();
    ch = stage_charger("CP1");
    world_start(stage.c.world, ch,
                &(struct start_info){ .connector = 1, .tag = AMP_TEXT("T"), .at_ms = stage_now_ms },
                stage_now_ms, &who);
    c = stage_admin("DELETE", "/api/v1/chargers/CP1", NULL);
    CHECK(c->status == 409 && stage.drops == 0, "it charges: %s", c->body);
    world_stop(stage.c.world, ch, &(struct stop_info){ .transaction = 1, .at_ms = stage_now_ms },
               stage_now_ms, &who);
    CHECK(stage_admin("DELETE", "/api/v1/chargers/CP1", NULL)->status == 204 && stage.drops == 1,
          "it loses its socket");
    CHECK(stage_admin("GET", "/api/v1/chargers/CP1", NULL)->status == 404, "gone");
    c = stage_admin("GET", "/api/v1/transactions", NULL);
    CHECK(stage_has(c->body, "\"charger\":\"CP1\""), "its history has its name: %s", c->body);
    CHECK(stage_admin("POST", "/api/v1/chargers", "{\"id\":\"CP1\"}")->status == 201, "a new one");
    c = stage_admin("GET", "/api/v1/transactions?charger=CP1", NULL);
    CHECK(stage_has(c->body, "\"items\":[]"), "which has none: %s", c->body);
    stage_close();
}

int main(void)
{
    RUN(test_security);
    RUN(test_heartbeat);
    RUN(test_rules);
    RUN(test_knocking);
    RUN(test_histories);
    RUN(test_delete);
    return check_end();
}
