/* central/rest/profiles_test.c - charging profiles from template to payload, for chargers of all
 * kinds. The numbers are those of the list of edge cases. */
#include "central/domain/configuration.h"
#include "central/domain/profile.h"
#include "central/domain/quirk.h"
#include "central/rest/stage_shapes.h"

static struct charger *ch;

#define BASE \
    "\"purpose\":\"TxDefaultProfile\",\"kind\":\"Absolute\",\"stackLevel\":2,\"unit\":\"A\""
#define ONE ",\"periods\":[{\"startPeriod\":0,\"limit\":16}]"

static void put(const char *name, const char *body)
{
    char path[96];
    const struct net_conn *c;

    snprintf(path, sizeof path, "/api/v1/charging-profiles/%s", name);
    c = stage_admin("PUT", path, body);
    CHECK(c->status == 200, "%s: %s", name, c->body);
    check_shape(name, "profile", c->body);
}

static void config(const char *key, const char *value)
{
    world_config_read(stage.c.world, ch, amp_text_of(key), amp_text_of(value), true, stage_now_ms);
}

static void station(int state, const char *answer)
{
    const struct command_fact *k = world_command_next(stage.c.world, ch);
    int64_t key = k ? k->key : 0;

    CHECK(key > 0, "something is asked");
    world_command_change(stage.c.world, key,
                         &(struct command_change){ .state = COMMAND_SENT,
                                                   .correlation = AMP_TEXT("m") },
                         stage_now_ms);
    world_command_change(stage.c.world, key,
                         &(struct command_change){ .state = state, .answer = amp_text_of(answer) },
                         stage_now_ms);
    stage_settle();
}

/* Apply; what is sent must hold `part`. The station takes it. */
static void apply(const char *why, const char *body, const char *part)
{
    const struct net_conn *c = stage_admin("POST", "/api/v1/chargers/CP1/charging-profiles", body);
    const struct command_fact *k = world_command_next(stage.c.world, ch);

    CHECK(c->status == 202, "%s: %s", why, c->body);
    check_shape(why, "installed", c->body);
    CHECK(k && memmem(k->payload.at, k->payload.len, part, strlen(part)), "%s: %.*s", why,
          k ? (int)k->payload.len : 0, k ? k->payload.at : "");
    station(COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}");
}

static void no_fit(const char *why, const char *body, const char *field)
{
    const struct net_conn *c = stage_admin("POST", "/api/v1/chargers/CP1/charging-profiles", body);
    char part[96];

    snprintf(part, sizeof part, "\"field\":\"%s\"", field);
    CHECK((c->status == 409 || c->status == 422) && stage_has(c->body, part), "%s: %d %s", why,
          c->status, c->body);
    check_shape(why, "problem", c->body);
}

static void test_rules(void)
{
    static const struct {
        const char *why, *body, *field;
    } cases[] = {
        { "recurs how?",
          "{\"purpose\":\"TxDefaultProfile\",\"kind\":\"Recurring\",\"stackLevel\":0,\"unit\":"
          "\"A\"" ONE "}",
          "recurrency" },
        { "does not recur", "{" BASE ",\"recurrency\":\"Daily\"" ONE "}", "recurrency" },
        { "recurs from when?",
          "{\"purpose\":\"TxDefaultProfile\",\"kind\":\"Recurring\",\"recurrency\":\"Daily\","
          "\"stackLevel\":0,\"unit\":\"A\"" ONE "}",
          "start" },
        { "relative to what?",
          "{\"purpose\":\"TxProfile\",\"kind\":\"Relative\",\"stackLevel\":0,\"unit\":\"A\","
          "\"start\":\"2026-01-01T00:00:00Z\"" ONE "}",
          "start" },
        { "no session",
          "{\"purpose\":\"ChargePointMaxProfile\",\"kind\":\"Relative\",\"stackLevel\":0,\"unit\":"
          "\"A\"" ONE "}",
          "kind" },
        { "valid for its session",
          "{\"purpose\":\"TxProfile\",\"kind\":\"Relative\",\"stackLevel\":0,\"unit\":\"A\","
          "\"validTo\":\"2027-01-01T00:00:00Z\"" ONE "}",
          "validTo" },
        { "never valid",
          "{" BASE
          ",\"validFrom\":\"2027-01-01T00:00:00Z\",\"validTo\":\"2026-01-01T00:00:00Z\"" ONE "}",
          "validTo" },
        { "longer than a day",
          "{\"purpose\":\"TxDefaultProfile\",\"kind\":\"Recurring\",\"recurrency\":\"Daily\","
          "\"start\":\"2026-01-01T00:00:00Z\",\"duration\":86401,\"stackLevel\":0,\"unit\":"
          "\"A\"" ONE "}",
          "duration" },
        { "not from 0", "{" BASE ",\"periods\":[{\"startPeriod\":5,\"limit\":16}]}",
          "periods[0].startPeriod" },
        { "not in order",
          "{" BASE ",\"periods\":[{\"startPeriod\":0,\"limit\":16},{\"startPeriod\":60,\"limit\":8}"
          ",{\"startPeriod\":60,\"limit\":6}]}",
          "periods[2].startPeriod" },
        { "behind the end",
          "{" BASE ",\"duration\":60,\"periods\":[{\"startPeriod\":0,\"limit\":16},{"
          "\"startPeriod\":60,\"limit\":8}]}",
          "periods[1].startPeriod" },
        { "two decimals (E92)", "{" BASE ",\"periods\":[{\"startPeriod\":0,\"limit\":16.25}]}",
          "periods[0].limit" },
        { "less than nothing", "{" BASE ",\"periods\":[{\"startPeriod\":0,\"limit\":-1}]}",
          "periods[0].limit" },
        { "four phases",
          "{" BASE ",\"periods\":[{\"startPeriod\":0,\"limit\":1,\"numberPhases\":4}]}",
          "periods[0].numberPhases" },
        { "nothing", "{" BASE ",\"periods\":[]}", "periods" },
        { "no such unit",
          "{\"purpose\":\"TxDefaultProfile\",\"kind\":\"Absolute\",\"stackLevel\":2,\"unit\":"
          "\"kW\"" ONE "}",
          "unit" },
        { "no such level",
          "{\"purpose\":\"TxDefaultProfile\",\"kind\":\"Absolute\",\"stackLevel\":-1,\"unit\":"
          "\"A\"" ONE "}",
          "stackLevel" },
    };

    stage_open();
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        const struct net_conn *c = stage_admin("PUT", "/api/v1/charging-profiles/P", cases[i].body);
        char part[96];

        snprintf(part, sizeof part, "\"field\":\"%s\"", cases[i].field);
        CHECK(c->status == 422 && stage_has(c->body, part), "%s: %d %s", cases[i].why, c->status,
              c->body);
        check_shape(cases[i].why, "problem", c->body);
    }
    CHECK(stage_admin("GET", "/api/v1/charging-profiles/P", NULL)->status == 404, "none was taken");
    put("P", "{" BASE ONE "}");
    check_list("one", API_LIST_PROFILES,
               stage_admin("GET", "/api/v1/charging-profiles", NULL)->body);
    CHECK(stage_admin("DELETE", "/api/v1/charging-profiles/p", NULL)->status == 204 &&
              stage_admin("GET", "/api/v1/charging-profiles/P", NULL)->status == 404,
          "and gone");
    stage_close();
}

static void test_times(void)
{
    stage_open();
    ch = stage_charger("CP1");
    put("Past", "{" BASE ",\"start\":\"2020-01-01T00:00:00Z\"" ONE "}");
    apply("E92: a start in the past is legal", "{\"profile\":\"past\",\"connectorId\":1}",
          "\"startSchedule\":\"2020-01-01T00:00:00Z\"");
    put("Now", "{" BASE ONE "}");
    apply("E92: without a start, one that has begun by any clock",
          "{\"profile\":\"Now\",\"connectorId\":2}", "\"startSchedule\":\"2025-12-31T23:59:00Z\"");
    put("Over", "{" BASE ",\"start\":\"2020-01-01T00:00:00Z\",\"duration\":60" ONE "}");
    no_fit("E92: over before it begins", "{\"profile\":\"Over\",\"connectorId\":1}", "start");
    apply("E92: with another start",
          "{\"profile\":\"Over\",\"connectorId\":1,\"start\":\"2026-01-02T00:00:00Z\"}",
          "\"startSchedule\":\"2026-01-02T00:00:00Z\"");
    apply("E92: for a charger that knows Relative only",
          "{\"profile\":\"Past\",\"connectorId\":1,\"kind\":\"Relative\"}",
          "\"chargingProfileKind\":\"Relative\",\"chargingSchedule\":{\"chargingRateUnit\"");
    put("Daily", "{\"purpose\":\"TxDefaultProfile\",\"kind\":\"Recurring\",\"recurrency\":"
                 "\"Daily\",\"start\":\"2026-01-01T22:00:00Z\",\"duration\":28800,"
                 "\"stackLevel\":3,\"unit\":\"A\",\"minRate\":6.5,\"validFrom\":\"2026-01-01T00:00:"
                 "00Z\",\"periods\":[{\"startPeriod\":0,\"limit\":10.1,\"numberPhases\":1},{"
                 "\"startPeriod\":3600,\"limit\":8}]}");
    apply("all of it", "{\"profile\":\"Daily\",\"connectorId\":0}",
          "{\"connectorId\":0,\"csChargingProfiles\":{\"chargingProfileId\":1005,\"stackLevel\":3,"
          "\"chargingProfilePurpose\":\"TxDefaultProfile\","
          "\"chargingProfileKind\":\"Recurring\",\"recurrencyKind\":\"Daily\",\"validFrom\":\"2026-"
          "01-01T00:00:00Z\",\"chargingSchedule\":{\"duration\":28800,"
          "\"startSchedule\":\"2026-01-01T22:00:00Z\",\"chargingRateUnit\":\"A\","
          "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":10.1,\"numberPhases\":1},"
          "{\"startPeriod\":3600,\"limit\":8}],\"minChargingRate\":6.5}}}");
    stage_close();
}

static void test_kinds_of_chargers(void)
{
    stage_open();
    ch = stage_charger("CP1");
    put("Amps", "{" BASE ",\"periods\":[{\"startPeriod\":0,\"limit\":10.1},{\"startPeriod\":60,"
                "\"limit\":16,\"numberPhases\":1}]}");
    put("Watts", "{\"purpose\":\"TxDefaultProfile\",\"kind\":\"Absolute\",\"stackLevel\":0,"
                 "\"unit\":\"W\",\"periods\":[{\"startPeriod\":0,\"limit\":11000}]}");
    config("ChargeProfileMaxStackLevel", "0");
    no_fit("E92: stack level 0 only", "{\"profile\":\"Amps\",\"connectorId\":1}", "stackLevel");
    apply("E92: on that level", "{\"profile\":\"Amps\",\"connectorId\":1,\"stackLevel\":0}",
          "\"stackLevel\":0");
    config("ChargingScheduleAllowedChargingRateUnit", "Power");
    no_fit("E92: watts only, and nobody knows how it is wired",
           "{\"profile\":\"Amps\",\"connectorId\":1,\"stackLevel\":0}", "profile");
    stage_admin("PUT", "/api/v1/quirks/wiring",
                "{\"charger\":\"CP1\",\"phases\":3,\"voltageV\":230}");
    apply("E92: watts only: A x V x phases",
          "{\"profile\":\"Amps\",\"connectorId\":1,\"stackLevel\":0}",
          "\"chargingRateUnit\":\"W\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":"
          "6969},{\"startPeriod\":60,\"limit\":3680,\"numberPhases\":1}]");
    config("ChargingScheduleAllowedChargingRateUnit", "Current");
    apply("E92: amperes only, rounded down to one decimal",
          "{\"profile\":\"Watts\",\"connectorId\":1}",
          "\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":15."
          "9}]");
    config("ChargingScheduleAllowedChargingRateUnit", "Current,Power");
    apply("both", "{\"profile\":\"Watts\",\"connectorId\":1}", "\"chargingRateUnit\":\"W\"");
    config("ChargingScheduleMaxPeriods", "1");
    no_fit("too many periods", "{\"profile\":\"Amps\",\"connectorId\":1,\"stackLevel\":0}",
           "profile");
    stage_close();
}

static void test_purposes(void)
{
    struct tag_answer a;

    stage_open();
    ch = stage_charger("CP1");
    put("Max", "{\"purpose\":\"ChargePointMaxProfile\",\"kind\":\"Absolute\",\"stackLevel\":0,"
               "\"unit\":\"A\"" ONE "}");
    put("Tx",
        "{\"purpose\":\"TxProfile\",\"kind\":\"Relative\",\"stackLevel\":0,\"unit\":\"A\"" ONE "}");
    put("Default", "{" BASE ONE "}");
    no_fit("for the whole station", "{\"profile\":\"Max\",\"connectorId\":1}", "connectorId");
    apply("for the whole station", "{\"profile\":\"Max\",\"connectorId\":0}", "\"connectorId\":0");
    no_fit("no session runs", "{\"profile\":\"Tx\",\"connectorId\":1}", "connectorId");
    world_start(stage.c.world, ch,
                &(struct start_info){
                    .connector = 1, .tag = AMP_TEXT("A"), .at_ms = stage_now_ms - 5000 },
                stage_now_ms, &a);
    apply("for the session that runs", "{\"profile\":\"Tx\",\"connectorId\":1}",
          "\"transactionId\":1");
    apply("E92: Absolute from the start of the session",
          "{\"profile\":\"Tx\",\"connectorId\":1,\"kind\":\"Absolute\"}",
          "\"startSchedule\":\"2025-12-31T23:59:55Z\"");
    no_fit("for this session only",
           "{\"profile\":\"Tx\",\"connectorId\":1,\"afterBoot\":\"again\"}", "afterBoot");
    no_fit("no template", "{\"profile\":\"None\",\"connectorId\":1}", "profile");
    stage_close();
}

static void test_installed(void)
{
    struct net_conn *c;

    stage_open();
    ch = stage_charger("CP1");
    put("Night", "{" BASE ONE "}");
    apply("once", "{\"profile\":\"night\",\"connectorId\":1,\"afterBoot\":\"again\"}",
          "\"chargingProfileId\":1001");
    apply("E93: twice is the same one",
          "{\"profile\":\"Night\",\"connectorId\":1,\"afterBoot\":\"stale\"}",
          "\"chargingProfileId\":1001");
    apply("elsewhere", "{\"profile\":\"Night\",\"connectorId\":2}", "\"chargingProfileId\":1002");
    c = stage_admin("GET", "/api/v1/chargers/CP1/charging-profiles?connector=1", NULL);
    check_list("installed", API_LIST_INSTALLED, c->body);
    CHECK(stage_has(c->body, "\"id\":1001") &&
              stage_has(c->body, "\"state\":\"installed\",\"profile\":\"Night\"") &&
              stage_has(c->body, "\"afterBoot\":\"stale\"") && !stage_has(c->body, "1002"),
          "%s", c->body);
    c = stage_admin("POST", "/api/v1/chargers/CP1/charging-profiles",
                    "{\"profile\":\"Night\",\"connectorId\":3}");
    station(COMMAND_REJECTED, "{\"status\":\"NotSupported\"}");
    c = stage_admin("GET", "/api/v1/chargers/CP1/charging-profiles?connector=3", NULL);
    CHECK(stage_has(c->body, "\"items\":[]"), "refused: %s", c->body);
    c = stage_admin("DELETE", "/api/v1/chargers/CP1/charging-profiles/1001", NULL);
    CHECK(c->status == 202 && stage_has(c->body, "\"payload\":{\"id\":1001}"), "%s", c->body);
    station(COMMAND_ACCEPTED, "{\"status\":\"Unknown\"}"); /* E91 */
    CHECK(!charger_profile_by_id(ch, 1001) && charger_profile_by_id(ch, 1002),
          "E91: not there is cleared");
    CHECK(stage_admin("DELETE", "/api/v1/chargers/CP1/charging-profiles/1001", NULL)->status == 404,
          "gone");
    c = stage_admin("POST", "/api/v1/chargers/CP1/clear-charging-profiles",
                    "{\"chargingProfilePurpose\":\"TxDefaultProfile\"}");
    CHECK(c->status == 202, "%s", c->body);
    station(COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}");
    CHECK(!charger_profile(ch, 0), "all");
    stage_close();
}

static void test_remote_start(void)
{
    const struct command_fact *k;
    struct net_conn *c;

    stage_open();
    ch = stage_charger("CP1");
    put("Tx",
        "{\"purpose\":\"TxProfile\",\"kind\":\"Relative\",\"stackLevel\":0,\"unit\":\"A\"" ONE "}");
    put("Default", "{" BASE ONE "}");
    c = stage_admin("POST", "/api/v1/chargers/CP1/remote-start",
                    "{\"idTag\":\"A\",\"profile\":\"Default\"}");
    CHECK(c->status == 409 && stage_has(c->body, "\"field\":\"profile\""),
          "E91: a TxProfile only: %s", c->body);
    c = stage_admin("POST", "/api/v1/chargers/CP1/remote-start",
                    "{\"idTag\":\"A\",\"connectorId\":1,\"profile\":\"Tx\"}");
    CHECK(c->status == 202, "%s", c->body);
    check_shape("a command", "command", c->body);
    k = world_command_next(stage.c.world, ch);
    CHECK(k &&
              memmem(k->payload.at, k->payload.len,
                     "\"chargingProfile\":{\"chargingProfileId\":1001,\"stackLevel\":0", 57) &&
              !memmem(k->payload.at, k->payload.len, "transactionId", 13),
          "E91: %.*s", k ? (int)k->payload.len : 0, k ? k->payload.at : "");
    CHECK(charger_profile(ch, 0) && amp_text_is(charger_profile(ch, 0)->name, "Tx"), "noted");
    world_put_quirk(stage.c.world, &(struct quirk_fact){ .org = ORG_DEFAULT,
                                                         .name = AMP_TEXT("q"),
                                                         .flags = QUIRK_HEX_TAGS,
                                                         .stack_max = -1 });
    c = stage_admin("POST", "/api/v1/chargers/CP1/remote-start", "{\"idTag\":\"Ann\"}");
    CHECK(c->status == 422 && stage_has(c->body, "hexadecimal"), "E34: %s", c->body);
    CHECK(stage_admin("POST", "/api/v1/chargers/CP1/remote-start", "{\"idTag\":\"04aB\"}")
                  ->status == 202,
          "E34: a card's number");
    stage_close();
}

static void test_live(void)
{
    struct net_conn *c;

    stage_open();
    ch = stage_charger("CP1");
    put("Night", "{" BASE ONE "}");
    stage_admin("PUT", "/api/v1/local-lists/L", "{}");
    c = stage_send(2, "GET", "/api/v1/events?topics=profiles,lists", AS_ADMIN, NULL);
    apply("seen", "{\"profile\":\"night\",\"connectorId\":1}", "1001");
    stage_admin("PUT", "/api/v1/chargers/CP1/local-list", "{\"list\":\"L\"}");
    stage_settle();
    live_flush(stage.c.live);
    CHECK(stage_has(c->streamed, "\"topic\":\"profiles\",\"kind\":\"profile\"") &&
              stage_has(c->streamed, "\"state\":\"installed\""),
          "%s", c->streamed);
    CHECK(stage_has(c->streamed, "\"topic\":\"lists\",\"kind\":\"list\"") &&
              stage_has(c->streamed, "\"list\":\"L\",\"state\":\"pending\""),
          "%s", c->streamed);
    stage_close();
}

int main(void)
{
    RUN(test_live);
    RUN(test_rules);
    RUN(test_times);
    RUN(test_kinds_of_chargers);
    RUN(test_purposes);
    RUN(test_installed);
    RUN(test_remote_start);
    return check_end();
}
