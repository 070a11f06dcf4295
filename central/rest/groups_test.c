/* central/rest/groups_test.c - load management through the API: groups, chargers in them, signals,
 * reports, and why. */
#include "central/rest/stage.h"
#include "central/rest/stage_shapes.h"

static const struct net_conn *c;

static void ask(int status, const char *method, const char *path, const char *body)
{
    char target[128];

    snprintf(target, sizeof target, "/api/v1%s", path);
    c = stage_admin(method, target, body);
    CHECK(c->status == status, "%s %s: %d %s", method, path, c->status, c->body ? c->body : "");
}

static void has(const char *part)
{
    CHECK(stage_has(c->body, part), "'%s' is not in %s", part, c->body);
}

/* What a plan says is noted, and answered as the test wishes. */
static unsigned said;
static char last_said[1024];
static int answer_state = COMMAND_ACCEPTED;

static int64_t on_say(void *ctx, const struct load_say *say)
{
    struct command_fact f = { .connector = say->connector,
                              .action = say->clear ? AMP_TEXT("ClearChargingProfile")
                                                   : AMP_TEXT("SetChargingProfile"),
                              .payload = AMP_TEXT("{}"),
                              .by = AMP_TEXT("load management") };

    (void)ctx;
    said++;
    snprintf(last_said, sizeof last_said, "%d %d", (int)say->sent->slot, (int)say->sent->da);
    return world_command(stage.c.world, say->charger, &f, stage_now_ms);
}

/* The world's facts go to load management, as balance.c has it. */
static void heard(void)
{
    for (size_t i = 0; i < world_charger_count(stage.c.world); i++) {
        const struct charger *ch = world_charger_at(stage.c.world, i);
        const struct command_fact *k;

        while ((k = world_command_next(stage.c.world, ch))) {
            struct fact f = { .kind = FACT_COMMAND };
            int64_t key = k->key;

            world_command_change(stage.c.world, key,
                                 &(struct command_change){ .state = COMMAND_SENT,
                                                           .correlation = AMP_TEXT("m") },
                                 stage_now_ms);
            world_command_change(stage.c.world, key,
                                 &(struct command_change){ .state = answer_state,
                                                           .answer = AMP_TEXT("{}") },
                                 stage_now_ms);
            f.u.command = *world_command_get(stage.c.world, key);
            loads_saw(stage.c.loads, &f, stage_now_ms);
        }
    }
}

static void plan(void)
{
    for (int i = 0; i < 12; i++) {
        stage_now_ms += 1000;
        loads_plan(stage.c.loads, stage_now_ms, on_say, NULL);
        heard();
    }
}

static void start(const char *id, int connector, int64_t meter)
{
    struct charger *ch = world_charger(stage.c.world, amp_text_of(id));
    struct tag_answer out;

    world_start(stage.c.world, ch,
                &(struct start_info){ .connector = connector,
                                      .tag = AMP_TEXT("T"),
                                      .meter_wh = meter,
                                      .at_ms = stage_now_ms },
                stage_now_ms, &out);
}

static void test_life(void)
{
    stage_open();
    stage_charger("CP1");
    ask(200, "PUT", "/groups/site",
        "{\"name\":\"Depot\",\"limitA\":32.5,\"limitW\":22000,\"share\":\"priority\",\"turnS\":600,"
        "\"voltage\":240,\"fallbackA\":20,\"fallbackW\":9000,\"reserveA\":1.5,\"meter\":\"CP1\","
        "\"meterIncludesChargers\":true}");
    check_shape("all of it", "group", c->body);
    has("\"limitA\":32.5");
    has("\"share\":\"priority\"");
    has("\"meter\":\"CP1\"");
    ask(200, "PUT", "/groups/feeder", "{\"parent\":\"SITE\",\"limitA\":16}");
    check_shape("below", "group", c->body);
    ask(200, "GET", "/groups", NULL);
    check_list("two", API_LIST_GROUPS, c->body);
    ask(200, "PUT", "/groups/feeder/chargers/CP1",
        "{\"connectors\":2,\"limitA\":20,\"maxA\":16,\"phases\":1,\"rotation\":\"STR\","
        "\"priority\":3,"
        "\"defaultA\":6,\"unit\":\"W\",\"trustPhases\":true,\"each\":[{\"connectorId\":2,\"maxA\":"
        "10,\"priority\":7,"
        "\"rotation\":\"TRS\",\"phases\":1,\"defaultA\":0}]}");
    check_shape("a charger", "groupCharger", c->body);
    has("\"rotation\":\"STR\"");
    has("\"each\":[{\"connectorId\":2,\"maxA\":10,\"phases\":1,\"rotation\":\"TRS\",\"priority\":"
        "7");
    ask(200, "GET", "/groups/feeder", NULL);
    check_shape("with its charger", "group", c->body);
    has("\"connectors\":2");
    ask(200, "PUT", "/groups/feeder/chargers/CP1", "{\"connectors\":1}");
    CHECK(!stage_has(c->body, "connectorId"), "replaced: %s", c->body);
    ask(409, "DELETE", "/groups/feeder", NULL);
    has("groups or chargers are in");
    ask(409, "DELETE", "/groups/site", NULL);
    ask(204, "DELETE", "/groups/feeder/chargers/CP1", NULL);
    ask(404, "DELETE", "/groups/feeder/chargers/CP1", NULL);
    ask(204, "DELETE", "/groups/feeder", NULL);
    ask(204, "DELETE", "/groups/site", NULL);
    ask(404, "GET", "/groups/site", NULL);
    ask(200, "GET", "/audit?kind=group", NULL);
    has("\"action\":\"delete\"");
    has("\"action\":\"create\"");
    stage_close();
}

static void test_refused(void)
{
    static const struct {
        const char *path, *body, *part;
    } cases[] = {
        { "/groups/a%20b", "{}", "\"field\":\"id\"" },
        { "/groups/x", "{\"parent\":\"none\"}", "\"field\":\"parent\"" },
        { "/groups/site", "{\"parent\":\"feeder\"}", "stand above itself" },
        { "/groups/feeder", "{\"parent\":\"site\",\"share\":\"equal\"}", "\"field\":\"share\"" },
        { "/groups/site", "{\"limitW\":-1}", "\"field\":\"limitW\"" },
        { "/groups/site", "{\"limitA\":1.25}", "limitA" },
        { "/groups/site", "{\"limitA\":5}", "defaultA" },
        { "/groups/feeder/chargers/CP1", "{\"phases\":2}", "\"field\":\"phases\"" },
        { "/groups/feeder/chargers/CP1", "{\"defaultA\":3}", "\"field\":\"defaultA\"" },
        { "/groups/feeder/chargers/CP1", "{\"defaultA\":20,\"maxA\":16}", "more than maxA" },
        { "/groups/feeder/chargers/CP1", "{\"defaultA\":32}", "more than it carries" },
        { "/groups/feeder/chargers/CP1", "{\"connectors\":1,\"each\":[{\"connectorId\":2}]}",
          "fewer connectors" },
        { "/groups/feeder/chargers/CP1",
          "{\"connectors\":2,\"each\":[{\"connectorId\":1},{\"connectorId\":1}]}", "named twice" },
        { "/groups/site/limit", "{\"validForS\":60}", "\"field\":\"limitA\"" },
        { "/groups/site/limit", "{\"limitA\":6}", "\"field\":\"validForS\"" },
        { "/groups/site/limit", "{\"limitA\":6,\"validUntil\":\"2020-01-01T00:00:00Z\"}",
          "\"field\":\"validUntil\"" },
        { "/groups/site/limit", "{\"limitW\":-6,\"validForS\":60}", "\"field\":\"limitW\"" },
        { "/groups/site/load", "{}", "\"field\":\"currentA\"" },
        { "/groups/site/load", "{\"currentA\":[1,2]}", "\"field\":\"currentA\"" },
    };

    stage_open();
    stage_charger("CP1");
    ask(200, "PUT", "/groups/site", "{\"limitA\":32}");
    ask(200, "PUT", "/groups/feeder", "{\"parent\":\"site\",\"limitA\":16}");
    ask(200, "PUT", "/groups/feeder/chargers/CP1", "{\"connectors\":1,\"defaultA\":16}");
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        char target[128];

        snprintf(target, sizeof target, "/api/v1%s", cases[i].path);
        c = stage_admin("PUT", target, cases[i].body);
        CHECK(c->status == 422 || c->status == 400, "%s %s: %d", cases[i].path, cases[i].body,
              c->status);
        check_shape("a problem", "problem", c->body);
        has(cases[i].part);
        has("\"cure\"");
    }
    ask(404, "PUT", "/groups/none/chargers/CP1", "{}");
    ask(404, "PUT", "/groups/site/chargers/NONE", "{}");
    ask(404, "PUT", "/groups/none/limit", "{\"limitA\":6,\"validForS\":60}");
    ask(404, "PUT", "/groups/none/load", "{\"powerW\":6}");
    ask(404, "GET", "/chargers/CP1/connectors/2/limit", NULL);
    ask(404, "GET", "/chargers/CP1/connectors/x/limit", NULL);
    ask(200, "GET", "/groups/site", NULL);
    has("\"limitA\":32"); /* nothing of all that was kept */
    ask(200, "GET", "/groups/feeder", NULL);
    has("\"defaultA\":16");
    stage_close();
}

static void limit(const char *why)
{
    ask(200, "GET", "/chargers/CP1/connectors/1/limit", NULL);
    check_shape(why, "connectorLimit", c->body);
}

/* "Why 6 A", from the first word to the last. */
static void test_why(void)
{
    stage_open();
    stage_charger("CP1");
    stage_charger("CP2");
    ask(200, "PUT", "/groups/site", "{\"name\":\"Depot\",\"limitA\":26}");
    ask(200, "PUT", "/groups/site/chargers/CP1", "{\"connectors\":2,\"phases\":3}");
    ask(200, "PUT", "/groups/site/chargers/CP2", "{\"connectors\":1,\"maxA\":16}");
    limit("before any plan");
    has("Not planned yet");
    plan();
    limit("nobody there");
    has("Nobody wants current here");
    has("\"failSafeA\":8.7"); /* 26 A for three; what does not divide goes to the first */
    start("CP1", 1, 1);
    plan();
    limit("alone");
    has("\"limitA\":26");
    has("\"confirmedA\":26");
    has("group \\\"Depot\\\" (26 A on L1) has no more to give");
    start("CP1", 2, 2);
    start("CP2", 1, 3);
    plan();
    limit("three");
    has("\"limitA\":8.7");
    has("shared equally by 3 connectors");
    ask(200, "PUT", "/groups/site/limit", "{\"limitA\":18.2,\"validForS\":600}");
    check_shape("a signal", "group", c->body);
    has("\"limitFrom\":\"signal\"");
    has("\"valid\":true");
    plan();
    limit("by the sun");
    has("by the signal from outside");
    ask(200, "PUT", "/groups/site/load", "{\"currentA\":[1,2,0.2]}");
    check_shape("a load", "group", c->body);
    has("\"others\":{\"l1\":1,\"l2\":2,\"l3\":0.2");
    plan();
    ask(200, "GET", "/chargers/CP2/connectors/1/limit", NULL);
    has("\"reason\":\"turn\"");
    has("It waits for its turn");
    has("less 2 A that others draw");
    has("2 have power, 1 wait");
    ask(200, "GET", "/groups/site", NULL);
    check_shape("its state", "group", c->body);
    has("\"waiting\":1");
    has("\"overLimit\":false");
    limit("two of three");
    has("\"limitA\":8.1");
    ask(200, "DELETE", "/groups/site/limit", NULL);
    CHECK(!stage_has(c->body, "\"signal\""), "withdrawn: %s", c->body);
    ask(200, "PUT", "/groups/site/load", "{\"powerW\":4140,\"validForS\":5}");
    has("\"others\":{\"l1\":6.1");
    stage_close();
}

/* Who says no, or nothing, counts with all it can, and the others have the rest. */
static void test_stubborn(void)
{
    stage_open();
    stage_charger("CP1");
    ask(200, "PUT", "/groups/site", "{\"limitA\":40}");
    ask(200, "PUT", "/groups/site/chargers/CP1", "{\"connectors\":2,\"maxA\":16}");
    answer_state = COMMAND_REJECTED;
    plan();
    limit("refused");
    has("\"reason\":\"notControllable\"");
    has("\"mayDrawA\":16");
    has("has not confirmed its fail-safe limit yet");
    answer_state = COMMAND_ACCEPTED;
    stage_now_ms += 120000;
    plan();
    limit("gave in");
    has("\"reason\":\"idle\"");
    world_disconnected(stage.c.world, world_charger(stage.c.world, AMP_TEXT("CP1")), &stage, 1006,
                       AMP_NO_TEXT, stage_now_ms);
    plan();
    limit("offline");
    has("its station is offline");
    ask(200, "GET", "/groups/site", NULL);
    has("\"offline\":2");
    stage_close();
}

/* A silent source: the fallback counts when the signal is over. */
static void test_fallback(void)
{
    stage_open();
    stage_charger("CP1");
    ask(200, "PUT", "/groups/site", "{\"limitA\":40,\"fallbackA\":10}");
    ask(200, "PUT", "/groups/site/chargers/CP1", "{\"connectors\":1}");
    start("CP1", 1, 1);
    plan();
    limit("no signal yet");
    has("\"limitA\":10");
    has("the fallback without a signal");
    ask(200, "PUT", "/groups/site/limit", "{\"limitW\":20700,\"validForS\":100}");
    plan();
    limit("signal");
    has("\"limitA\":30");
    has("over all phases, by the signal");
    stage_now_ms += 100000;
    plan();
    limit("over");
    has("\"limitA\":10");
    stage_close();
}

/* What was set and told is there after a restart. */
static void keep_one(void *ctx, const struct fact *f)
{
    loads_apply(ctx, f);
}

static void test_restart(void)
{
    struct loads *again;
    struct load_view before, after;
    struct load_sum sum;

    stage_open();
    stage_charger("CP1");
    ask(200, "PUT", "/groups/site", "{\"limitA\":40}");
    ask(200, "PUT", "/groups/site/chargers/CP1",
        "{\"connectors\":2,\"each\":[{\"connectorId\":2,\"maxA\":10}]}");
    start("CP1", 1, 1);
    plan();
    stage_settle();
    again = loads_new(stage.c.world, on_stage_fact, &stage.c);
    CHECK(store_load(stage.c.store, keep_one, again) == 0, "replay");
    CHECK(loads_view(stage.c.loads, 1, 1, &before) && loads_view(again, 1, 1, &after), "known");
    CHECK(loads_sum(again, ORG_DEFAULT, AMP_TEXT("SITE"), stage_now_ms, &sum) &&
              sum.connectors == 2,
          "two connectors");
    for (int i = 0; i < 8; i++) {
        stage_now_ms += 1000;
        said = 0;
        loads_plan(again, stage_now_ms, on_say, NULL);
    }
    CHECK(said == 0, "%u things to say, the last %s: what was told is known", said, last_said);
    CHECK(loads_view(again, 1, 1, &after) && after.told_da == before.told_da &&
              after.worst_da == before.worst_da && after.base_da == before.base_da,
          "told %d and %d, worst %d and %d", after.told_da, before.told_da, after.worst_da,
          before.worst_da);
    loads_free(again);
    stage_close();
}

static void test_live(void)
{
    stage_open();
    stage_charger("CP1");
    c = stage_send(1, "GET", "/api/v1/events?topics=load", AS_ADMIN, NULL);
    ask(200, "PUT", "/groups/site", "{\"limitA\":40}");
    ask(200, "PUT", "/groups/site/chargers/CP1", "{\"connectors\":1}");
    plan();
    stage_settle();
    live_flush(stage.c.live);
    c = &stage.conns[1];
    CHECK(stage_has(c->streamed, "\"topic\":\"load\",\"kind\":\"group\""), "%s", c->streamed);
    CHECK(stage_has(c->streamed, "\"kind\":\"limit\""), "%s", c->streamed);
    CHECK(stage_has(c->streamed, "\"connectorId\":1"), "%s", c->streamed);
    stage_close();
}

/* Profiles of another hand could pass a limit. */
static void test_other_hands(void)
{
    static const struct {
        const char *action, *payload;
        int status;
    } cases[] = {
        { "SetChargingProfile",
          "{\"csChargingProfiles\":{\"chargingProfilePurpose\":\"TxProfile\"}}", 409 },
        { "SetChargingProfile",
          "{\"csChargingProfiles\":{\"chargingProfilePurpose\":\"ChargePointMaxProfile\"}}", 202 },
        { "ClearChargingProfile", "{}", 409 },
        { "ClearChargingProfile", "{\"chargingProfilePurpose\":\"ChargePointMaxProfile\"}", 202 },
        { "RemoteStartTransaction", "{\"idTag\":\"T\",\"chargingProfile\":{}}", 409 },
        { "RemoteStartTransaction", "{\"idTag\":\"T\"}", 202 },
        { "GetConfiguration", "{}", 202 },
    };
    char body[512];

    stage_open();
    stage_charger("CP1");
    stage_charger("FREE");
    ask(200, "PUT", "/groups/site", "{\"limitA\":40}");
    ask(200, "PUT", "/groups/site/chargers/CP1", "{\"connectors\":1}");
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        snprintf(body, sizeof body, "{\"action\":\"%s\",\"payload\":%s}", cases[i].action,
                 cases[i].payload);
        ask(cases[i].status, "POST", "/chargers/CP1/commands", body);
        if (cases[i].status == 409)
            has("Load management decides here");
        ask(202, "POST", "/chargers/FREE/commands", body);
    }
    stage_close();
}

int main(void)
{
    RUN(test_other_hands);
    RUN(test_life);
    RUN(test_refused);
    RUN(test_why);
    RUN(test_stubborn);
    RUN(test_fallback);
    RUN(test_restart);
    RUN(test_live);
    return check_end();
}
