/* central/domain/profile_test.c - which charging profiles a station has, by what it said. The
 * numbers are those of the list of edge cases. */
#include "central/domain/local_list.h"
#include "central/domain/profile.h"
#include "central/domain/scene.h"
#include <stdio.h>

static struct scene s;
static int64_t now_ms;

static void open_scene(void)
{
    scene_open(&s, NULL);
    now_ms = T0;
}

static int64_t ask(const char *action, const char *payload, int32_t connector)
{
    return world_command(s.w, s.c,
                         &(struct command_fact){ .connector = connector,
                                                 .action = amp_text_of(action),
                                                 .payload = amp_text_of(payload) },
                         now_ms);
}

static void answered(int64_t command, int state, const char *answer)
{
    now_ms += 10;
    world_command_change(s.w, command,
                         &(struct command_change){ .state = COMMAND_SENT,
                                                   .correlation = AMP_TEXT("m") },
                         now_ms);
    world_command_change(s.w, command,
                         &(struct command_change){ .state = state, .answer = amp_text_of(answer) },
                         now_ms);
}

static const char *body(int64_t id, const char *purpose, int stack, int64_t transaction)
{
    static char text[512];
    char tx[64] = "";

    if (transaction)
        snprintf(tx, sizeof tx, "\"transactionId\":%lld,", (long long)transaction);
    snprintf(
        text, sizeof text,
        "{\"chargingProfileId\":%lld,%s\"stackLevel\":%d,\"chargingProfilePurpose\":\"%s\","
        "\"chargingProfileKind\":\"Relative\",\"chargingSchedule\":{\"chargingRateUnit\":\"A\","
        "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":10.1}]}}",
        (long long)id, tx, stack, purpose);
    return text;
}

static int64_t set(int connector, int64_t id, const char *purpose, int stack, int64_t transaction)
{
    char payload[640];

    snprintf(payload, sizeof payload, "{\"connectorId\":%d,\"csChargingProfiles\":%s}", connector,
             body(id, purpose, stack, transaction));
    return ask("SetChargingProfile", payload, connector);
}

static void install(int connector, int64_t id, const char *purpose, int stack)
{
    answered(set(connector, id, purpose, stack, 0), COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}");
}

static size_t count(void)
{
    size_t n = 0;

    while (charger_profile(s.c, n))
        n++;
    return n;
}

static bool is(int64_t id, int state)
{
    const struct installed_fact *f = charger_profile_by_id(s.c, id);

    return f ? f->state == state : state == INSTALLED_GONE;
}

static void test_table(void)
{
    for (int from = INSTALLED_REQUESTED; from <= INSTALLED_GONE; from++)
        for (int e = INSTALLED_TAKES; e <= INSTALLED_ENDS; e++) {
            int to = installed_next(from, (enum installed_event)e);

            CHECK(to >= 0 && to <= INSTALLED_GONE && to != from, "%d, %d: %d", from, e, to);
            CHECK(from != INSTALLED_GONE || !to, "gone is gone");
            CHECK(!to || *installed_state_name(to), "a name");
        }
}

static void test_templates(void)
{
    open_scene();
    world_put_profile(s.w, &(struct profile_fact){ .org = ORG_DEFAULT,
                                                   .name = AMP_TEXT("Night"),
                                                   .body = AMP_TEXT("{}") });
    world_put_profile(s.w, &(struct profile_fact){ .org = ORG_DEFAULT,
                                                   .name = AMP_TEXT("Day"),
                                                   .body = AMP_TEXT("{}") });
    world_put_profile(s.w, &(struct profile_fact){ .org = ORG_DEFAULT,
                                                   .name = AMP_TEXT("night"),
                                                   .body = AMP_TEXT("{\"a\":1}") });
    CHECK(world_profile_at(s.w, 1) && !world_profile_at(s.w, 2) &&
              amp_text_is(world_profile(s.w, ORG_DEFAULT, AMP_TEXT("NIGHT"))->body, "{\"a\":1}"),
          "replaced");
    CHECK(!world_profile(s.w, 7, AMP_TEXT("Night")), "another organisation's");
    world_put_profile(s.w, &(struct profile_fact){
                               .org = ORG_DEFAULT, .name = AMP_TEXT("Night"), .deleted = true });
    CHECK(!world_profile(s.w, ORG_DEFAULT, AMP_TEXT("Night")) && world_profile_at(s.w, 0) &&
              !world_profile_at(s.w, 1),
          "deleted");
    CHECK(scene_count(&s, FACT_PROFILE) == 4, "told");
    scene_close(&s);
}

static void test_answers(void)
{
    int64_t command;

    open_scene();
    command = set(1, 5, "TxDefaultProfile", 0, 0);
    CHECK(is(5, INSTALLED_REQUESTED), "asked for");
    answered(command, COMMAND_REJECTED, "{\"status\":\"Rejected\"}");
    CHECK(is(5, INSTALLED_GONE) &&
              amp_text_is(scene_last(&s, FACT_INSTALLED)->u.installed.why, "Rejected"),
          "refused");
    install(1, 5, "TxDefaultProfile", 0);
    CHECK(is(5, INSTALLED_HERE) &&
              amp_text_is(charger_profile_by_id(s.c, 5)->body, body(5, "TxDefaultProfile", 0, 0)) &&
              !charger_profile_by_id(s.c, 5)->pending.at,
          "there, as it was sent");
    answered(set(1, 5, "TxDefaultProfile", 2, 0), COMMAND_REJECTED, "{\"status\":\"Rejected\"}");
    CHECK(is(5, INSTALLED_HERE) && charger_profile_by_id(s.c, 5)->stack == 0,
          "what was there before stays");
    command = set(1, 5, "TxDefaultProfile", 3, 0);
    for (int i = 0; i < 3; i++)
        answered(command, COMMAND_TIMED_OUT, "no answer in time");
    CHECK(is(5, INSTALLED_STALE), "which of them is there?");
    world_command_change(s.w, command,
                         &(struct command_change){ .state = COMMAND_ACCEPTED,
                                                   .answer =
                                                       AMP_TEXT("{\"status\":\"Accepted\"}") },
                         now_ms);
    CHECK(is(5, INSTALLED_HERE) && charger_profile_by_id(s.c, 5)->stack == 3,
          "E55: a late answer tells");
    scene_close(&s);
}

static void test_no_duplicates(void)
{
    open_scene();
    install(1, 5, "TxDefaultProfile", 0);
    install(1, 5, "TxDefaultProfile", 0);
    CHECK(count() == 1, "E93: the same profile twice is one");
    install(1, 6, "TxDefaultProfile", 0);
    CHECK(count() == 1 && is(6, INSTALLED_HERE), "E93: the same purpose and stack level is one");
    install(1, 7, "TxDefaultProfile", 1), install(2, 8, "TxDefaultProfile", 0),
        install(0, 9, "ChargePointMaxProfile", 0);
    CHECK(count() == 4, "others stay: %zu", count());
    CHECK(charger_profile_id(s.c, AMP_TEXT("Night"), 1) == PROFILE_ID_BASE + 1, "ids of ours");
    world_profile_hint(s.w, &(struct profile_hint){ 1, PROFILE_ID_BASE + 1, AMP_TEXT("Night"),
                                                    INSTALLED_BOOT_KEEP });
    install(1, PROFILE_ID_BASE + 1, "TxDefaultProfile", 4);
    world_profile_hint(s.w, NULL);
    CHECK(charger_profile_id(s.c, AMP_TEXT("night"), 1) == PROFILE_ID_BASE + 1 &&
              charger_profile_id(s.c, AMP_TEXT("night"), 2) == PROFILE_ID_BASE + 2,
          "E93: a template has one id at a connector");
    scene_close(&s);
}

static void test_clear(void)
{
    static const struct {
        const char *payload, *answer;
        size_t left;
    } cases[] = {
        { "{\"id\":5,\"connectorId\":9}", "Accepted", 3 },
        { "{\"connectorId\":1,\"stackLevel\":1}", "Accepted", 3 },
        { "{\"connectorId\":1}", "Accepted", 2 },
        { "{\"chargingProfilePurpose\":\"ChargePointMaxProfile\"}", "Unknown",
          3 }, /* E91: still done */
        { "{\"id\":77}", "Unknown", 4 },
        { "{}", "Accepted", 0 },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        char answer[64];

        open_scene();
        install(1, 5, "TxDefaultProfile", 0), install(1, 6, "TxDefaultProfile", 1);
        install(2, 7, "TxDefaultProfile", 0), install(0, 8, "ChargePointMaxProfile", 0);
        snprintf(answer, sizeof answer, "{\"status\":\"%s\"}", cases[i].answer);
        answered(ask("ClearChargingProfile", cases[i].payload, -1), COMMAND_ACCEPTED, answer);
        CHECK(count() == cases[i].left, "%s: %zu", cases[i].payload, count());
        scene_close(&s);
    }
}

static int64_t starts(int connector)
{
    struct tag_answer a;

    return world_start(s.w, s.c,
                       &(struct start_info){ .connector = connector,
                                             .tag = AMP_TEXT("GOOD"),
                                             .meter_wh = now_ms,
                                             .at_ms = now_ms },
                       now_ms, &a);
}

static void test_transactions(void)
{
    struct tag_answer a;
    char payload[640];
    int64_t key, command;

    open_scene();
    key = starts(1);
    answered(set(1, 5, "TxProfile", 0, key), COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}");
    install(1, 6, "TxDefaultProfile", 0);
    CHECK(count() == 2 && charger_profile_by_id(s.c, 5)->transaction == key,
          "for this transaction");
    world_stop(s.w, s.c,
               &(struct stop_info){ .transaction = key, .meter_wh = now_ms, .at_ms = now_ms },
               now_ms, &a);
    CHECK(is(5, INSTALLED_GONE) && is(6, INSTALLED_HERE), "and gone with it: B12");
    snprintf(payload, sizeof payload,
             "{\"connectorId\":2,\"idTag\":\"GOOD\",\"chargingProfile\":%s}",
             body(9, "TxProfile", 1, 0));
    command = ask("RemoteStartTransaction", payload, 2);
    CHECK(is(9, INSTALLED_REQUESTED), "E91: inside a remote start");
    answered(command, COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}");
    CHECK(is(9, INSTALLED_REQUESTED), "E91: a promise");
    key = starts(2);
    CHECK(is(9, INSTALLED_HERE) && charger_profile_by_id(s.c, 9)->transaction == key &&
              charger_profile_by_id(s.c, 9)->connector == 2,
          "E91: there with its transaction");
    answered(ask("RemoteStartTransaction", "{\"connectorId\":3,\"idTag\":\"GOOD\"}", 3),
             COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}");
    CHECK(count() == 2, "one without a profile installs none");
    snprintf(payload, sizeof payload,
             "{\"connectorId\":4,\"idTag\":\"GOOD\",\"chargingProfile\":%s}",
             body(10, "TxProfile", 1, 0));
    answered(ask("RemoteStartTransaction", payload, 4), COMMAND_REJECTED,
             "{\"status\":\"Rejected\"}");
    CHECK(is(10, INSTALLED_GONE), "E91: no start, no profile");
    scene_close(&s);
}

static void named(int64_t id, int on_boot)
{
    struct profile_hint hint = { 1, id, AMP_TEXT("Night"), on_boot };

    world_profile_hint(s.w, &hint);
    install(1, id, "TxDefaultProfile", (int)(id % 100));
    world_profile_hint(s.w, NULL);
}

static void test_boot(void)
{
    const struct command_fact *k;
    int32_t interval_s;

    open_scene();
    named(1001, INSTALLED_BOOT_KEEP), named(1002, INSTALLED_BOOT_STALE),
        named(1003, INSTALLED_BOOT_AGAIN);
    world_sync(s.w, s.c, now_ms);
    CHECK(!world_command_next(s.w, s.c), "nothing is owed");
    now_ms += 1000;
    world_boot(s.w, s.c, &(struct boot_info){ .vendor = AMP_TEXT("V") }, &interval_s, now_ms);
    CHECK(is(1001, INSTALLED_HERE) && is(1002, INSTALLED_STALE) && is(1003, INSTALLED_STALE),
          "as it was asked for");
    world_sync(s.w, s.c, now_ms);
    k = world_command_next(s.w, s.c);
    CHECK(k && amp_text_is(k->action, "SetChargingProfile") &&
              memmem(k->payload.at, k->payload.len, "1003", 4),
          "sent again");
    if (k)
        answered(k->key, COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}");
    CHECK(is(1003, INSTALLED_HERE) && amp_text_is(charger_profile_by_id(s.c, 1003)->name, "Night"),
          "and there");
    world_sync(s.w, s.c, now_ms);
    CHECK(!world_command_next(s.w, s.c) && is(1002, INSTALLED_STALE), "nothing else");
    scene_close(&s);
}

static void test_replay(void)
{
    struct scene after = { 0 };

    open_scene();
    named(1001, INSTALLED_BOOT_AGAIN), install(1, 5, "TxDefaultProfile", 7),
        install(1, 6, "TxDefaultProfile", 7);
    after.w = world_new(&(struct world_config){ .accept_unknown = true }, scene_emit, &after);
    world_apply(after.w, &(struct fact){ FACT_CHARGER, { .charger = *charger_fact(s.c) } });
    for (int twice = 0; twice < 2; twice++)
        for (size_t i = 0; i < s.count; i++)
            if (s.facts[i]->kind == FACT_INSTALLED)
                world_apply(after.w, s.facts[i]);
    scene_close(&s);
    s.c = world_charger_at(after.w, 0);
    CHECK(after.count == 0 && count() == 2 && is(6, INSTALLED_HERE) && is(1001, INSTALLED_HERE),
          "as it was: %zu", count());
    scene_close(&after);
}

int main(void)
{
    RUN(test_table);
    RUN(test_templates);
    RUN(test_answers);
    RUN(test_no_duplicates);
    RUN(test_clear);
    RUN(test_transactions);
    RUN(test_boot);
    RUN(test_replay);
    return check_end();
}
