/* central/domain/local_list_test.c - lists, and how stations get them: in full, in differences, in
 * parts, in spite of lost answers. ocpp-facts B11. */
#include "central/domain/configuration.h"
#include "central/domain/local_list.h"
#include "central/domain/scene.h"
#include <stdio.h>

static struct scene s;
static int64_t now_ms;

#define ALL AMP_TEXT("All")

static void open_scene(void)
{
    scene_open(&s, NULL);
    now_ms = T0;
    world_put_list(s.w, &(struct list_fact){ .org = ORG_DEFAULT, .name = ALL }, T0);
}

static void add(const char *tag)
{
    CHECK(world_list_add(s.w, ORG_DEFAULT, AMP_TEXT("all"), amp_text_of(tag)), "%s is new", tag);
}

static int state(void)
{
    return charger_list_state(s.w, s.c);
}

static int64_t version(void)
{
    return charger_list(s.c)->version;
}

/* What is asked next; NULL: nothing. */
static const struct command_fact *next(void)
{
    now_ms += 1000;
    world_sync(s.w, s.c, now_ms);
    return world_command_next(s.w, s.c);
}

/* The station hears that call, whose payload must hold `part`, and answers. */
static void hears(const char *action, const char *part, int answer_state, const char *answer)
{
    const struct command_fact *k = next();
    int64_t key = k ? k->key : 0;

    CHECK(k && amp_text_is(k->action, action) &&
              memmem(k->payload.at, k->payload.len, part, strlen(part)),
          "%s with %s: %.*s", action, part, k ? (int)k->payload.len : 0, k ? k->payload.at : "");
    if (!k)
        return;
    world_command_change(s.w, key,
                         &(struct command_change){ .state = COMMAND_SENT,
                                                   .correlation = AMP_TEXT("m") },
                         now_ms);
    world_command_change(s.w, key,
                         &(struct command_change){ .state = answer_state,
                                                   .answer = amp_text_of(answer) },
                         now_ms);
}

static void has(int64_t n)
{
    char answer[64];

    snprintf(answer, sizeof answer, "{\"listVersion\":%lld}", (long long)n);
    hears("GetLocalListVersion", "{}", COMMAND_ACCEPTED, answer);
}

static void takes(const char *part)
{
    hears("SendLocalList", part, COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}");
}

static void refuses(const char *part, const char *word)
{
    char answer[64];

    snprintf(answer, sizeof answer, "{\"status\":\"%s\"}", word);
    hears("SendLocalList", part, COMMAND_REJECTED, answer);
}

static void test_table(void)
{
    for (int from = CHARGER_LIST_IDLE; from <= CHARGER_LIST_UNSUPPORTED; from++)
        for (int e = LIST_ASKED; e <= LIST_LEFT; e++) {
            int to = charger_list_next(from, (enum list_event)e);

            CHECK(to >= 0 && to <= CHARGER_LIST_UNSUPPORTED && to != from, "%d, %d: %d", from, e,
                  to);
            CHECK((to != CHARGER_LIST_SENDING && to != CHARGER_LIST_ASKING) ||
                      from == CHARGER_LIST_PENDING,
                  "only what is pending is sent");
            CHECK(!to || *charger_list_state_name(to), "a name");
        }
}

static void test_full_then_differences(void)
{
    open_scene();
    add("GOOD"), add("BAD");
    scene_tag(&s, "UNLISTED", "Accepted", NULL);
    add("NOBODY"); /* not a tag: never sent */
    world_assign_list(s.w, s.c, ALL, 0, false, now_ms);
    CHECK(state() == CHARGER_LIST_PENDING && version() == LIST_VERSION_UNKNOWN, "%d", state());
    has(0);
    takes(
        "{\"listVersion\":1,\"localAuthorizationList\":[{\"idTag\":\"BAD\",\"idTagInfo\":{"
        "\"status\":\"Blocked\"}},"
        "{\"idTag\":\"GOOD\",\"idTagInfo\":{\"parentIdTag\":\"FAMILY\",\"status\":\"Accepted\"}}],"
        "\"updateType\":\"Full\"}");
    CHECK(state() == CHARGER_LIST_SYNCED && version() == 1 && !next(),
          "there, and nothing is owed");
    scene_tag(&s, "UNLISTED", "Blocked", NULL);
    CHECK(!next(), "a tag that is in no list changes none");
    scene_tag(&s, "GOOD", "Blocked", "FAMILY");
    add("LONER");
    CHECK(state() == CHARGER_LIST_PENDING, "a tag that changed is a list that changed");
    takes("{\"listVersion\":2,\"localAuthorizationList\":[{\"idTag\":\"GOOD\",\"idTagInfo\":{"
          "\"parentIdTag\":"
          "\"FAMILY\",\"status\":\"Blocked\"}},{\"idTag\":\"LONER\",\"idTagInfo\":{\"status\":"
          "\"Accepted\"}}],"
          "\"updateType\":\"Differential\"}");
    CHECK(world_list_drop(s.w, ORG_DEFAULT, ALL, AMP_TEXT("bad")), "out");
    world_put_tag(s.w, &(struct tag_fact){
                           .org = ORG_DEFAULT, .tag = AMP_TEXT("LONER"), .deleted = true });
    takes("[{\"idTag\":\"BAD\"},{\"idTag\":\"LONER\"}],\"updateType\":\"Differential\"}");
    CHECK(state() == CHARGER_LIST_SYNCED && version() == 3, "without info it goes: B11");
    CHECK(world_list_count(s.w, ORG_DEFAULT, ALL) == 3, "it is still meant to be in");
    scene_close(&s);
}

static void test_parts(void)
{
    char tag[16];

    open_scene();
    for (int i = 0; i < 7; i++) {
        snprintf(tag, sizeof tag, "T%d", i);
        scene_tag(&s, tag, "Accepted", NULL);
        add(tag);
    }
    world_config_read(s.w, s.c, AMP_TEXT("SendLocalListMaxLength"), AMP_TEXT("3"), true, now_ms);
    world_assign_list(s.w, s.c, ALL, 0, false, now_ms);
    has(4);
    takes("{\"listVersion\":5,\"localAuthorizationList\":[{\"idTag\":\"T0\"");
    CHECK(state() == CHARGER_LIST_PENDING && version() == 5, "more is to come");
    scene_tag(&s, "T1", "Blocked", NULL); /* was sent already, and changes now */
    takes("\"T3\",\"idTagInfo\":{\"status\":\"Accepted\"}},{\"idTag\":\"T4\",\"idTagInfo\":{"
          "\"status\":\"Accepted\"}},"
          "{\"idTag\":\"T5\",\"idTagInfo\":{\"status\":\"Accepted\"}}],\"updateType\":"
          "\"Differential\"}");
    takes("[{\"idTag\":\"T6\",\"idTagInfo\":{\"status\":\"Accepted\"}}],\"updateType\":"
          "\"Differential\"}");
    CHECK(version() == 7 && state() == CHARGER_LIST_PENDING,
          "all of it, and what changed meanwhile");
    takes("[{\"idTag\":\"T1\",\"idTagInfo\":{\"status\":\"Blocked\"}}],\"updateType\":"
          "\"Differential\"}");
    CHECK(state() == CHARGER_LIST_SYNCED && version() == 8, "%d", state());
    world_assign_list(s.w, s.c, ALL, 100, false, now_ms);
    world_resend_list(s.w, s.c, true, now_ms);
    takes("{\"listVersion\":9,\"localAuthorizationList\":[{\"idTag\":\"T0\"");
    CHECK(state() == CHARGER_LIST_SYNCED, "a person knows better how many it takes");
    world_config_read(s.w, s.c, AMP_TEXT("LocalAuthListMaxLength"), AMP_TEXT("6"), true, now_ms);
    world_resend_list(s.w, s.c, true, now_ms);
    CHECK(!next() && state() == CHARGER_LIST_FAILED &&
              amp_text_is(charger_list(s.c)->why,
                          "the list has 7 entries that can be sent, the station takes 6"),
          "too long: %.*s", AMP_FMT(charger_list(s.c)->why));
    CHECK(world_list_drop(s.w, ORG_DEFAULT, ALL, AMP_TEXT("T6")), "shorter");
    takes("\"updateType\":\"Full\"}");
    CHECK(state() == CHARGER_LIST_SYNCED, "and that fits");
    scene_close(&s);
}

static void test_refusals(void)
{
    open_scene();
    add("GOOD");
    world_assign_list(s.w, s.c, ALL, 0, false, now_ms);
    has(0);
    takes("Full");
    add("BAD");
    refuses("Differential", "VersionMismatch");
    CHECK(state() == CHARGER_LIST_PENDING && amp_text_is(charger_list(s.c)->why, "VersionMismatch"),
          "shown");
    has(20);
    takes("{\"listVersion\":21,\"localAuthorizationList\":[{\"idTag\":\"BAD\",\"idTagInfo\":{"
          "\"status\":\"Blocked\"}},"
          "{\"idTag\":\"GOOD\"");
    add("LONER");
    refuses("Differential", "Failed");
    refuses("\"updateType\":\"Full\"", "Failed");
    CHECK(state() == CHARGER_LIST_FAILED && !next(), "all of it failed, too: shown, not repeated");
    add("FRIEND");
    takes("Full");
    CHECK(state() == CHARGER_LIST_SYNCED, "another list is another chance");
    add("X"), scene_tag(&s, "X", "Accepted", NULL);
    refuses("Differential", "NotSupported");
    CHECK(state() == CHARGER_LIST_UNSUPPORTED && version() == -1 && !next(), "and that is the end");
    world_resend_list(s.w, s.c, false, now_ms);
    has(-1);
    CHECK(state() == CHARGER_LIST_UNSUPPORTED && !next(), "-1: not supported");
    scene_close(&s);
}

static void test_mismatch_for_ever(void)
{
    open_scene();
    add("GOOD");
    world_assign_list(s.w, s.c, ALL, 0, false, now_ms);
    has(3);
    refuses("Full", "VersionMismatch");
    has(3);
    refuses("Full", "VersionMismatch");
    CHECK(state() == CHARGER_LIST_FAILED && !next(), "it counts as nobody else does");
    scene_close(&s);
}

static void lose(const char *part)
{
    hears("SendLocalList", part, COMMAND_TIMED_OUT, "no answer in time");
    CHECK(state() == CHARGER_LIST_PENDING && !next(), "not at once again");
    now_ms += 60000;
}

static void test_lost_answers(void)
{
    open_scene();
    add("GOOD");
    world_assign_list(s.w, s.c, ALL, 0, false, now_ms);
    has(0);
    lose("Full");
    has(1);
    CHECK(state() == CHARGER_LIST_SYNCED && version() == 1 && !next(), "it had arrived");
    add("BAD");
    lose("Differential");
    has(1);
    takes("{\"listVersion\":2,\"localAuthorizationList\":[{\"idTag\":\"BAD\"");
    CHECK(state() == CHARGER_LIST_SYNCED, "it had not");
    add("LONER");
    lose("Differential");
    has(0);
    takes("{\"listVersion\":1,\"localAuthorizationList\":[{\"idTag\":\"BAD\"");
    CHECK(state() == CHARGER_LIST_SYNCED && version() == 1, "it was emptied: all again");
    scene_close(&s);
}

static void test_away(void)
{
    int session;

    open_scene();
    add("GOOD");
    world_disconnected(s.w, s.c, &s, 1006, AMP_TEXT("gone"), now_ms);
    world_assign_list(s.w, s.c, ALL, 0, false, now_ms);
    CHECK(!next() && state() == CHARGER_LIST_PENDING, "pending while it is away");
    world_connected(s.w, s.c, &session, AMP_TEXT("ocpp1.6"), AMP_TEXT("x"), now_ms);
    has(0);
    CHECK(next() && state() == CHARGER_LIST_SENDING, "sent when it is back");
    world_disconnected(s.w, s.c, &session, 1006, AMP_TEXT("gone"), now_ms);
    CHECK(state() == CHARGER_LIST_PENDING && !charger_list(s.c)->sent, "it never left");
    world_connected(s.w, s.c, &session, AMP_TEXT("ocpp1.6"), AMP_TEXT("x"), now_ms);
    takes("{\"listVersion\":1");
    CHECK(state() == CHARGER_LIST_SYNCED, "at last");
    scene_close(&s);
}

static void boots(void)
{
    int32_t interval_s;

    now_ms += 1000;
    world_boot(s.w, s.c, &(struct boot_info){ .vendor = AMP_TEXT("V") }, &interval_s, now_ms);
}

static void test_reconciled(void)
{
    open_scene();
    add("GOOD");
    world_assign_list(s.w, s.c, ALL, 0, false, now_ms);
    has(0);
    takes("Full");
    boots();
    has(1);
    CHECK(state() == CHARGER_LIST_SYNCED && !next(), "a restart that kept it");
    boots();
    has(0);
    takes("{\"listVersion\":1,");
    CHECK(state() == CHARGER_LIST_SYNCED, "one that lost it");
    world_command(s.w, s.c,
                  &(struct command_fact){
                      .connector = -1,
                      .action = AMP_TEXT("SendLocalList"),
                      .payload = AMP_TEXT("{\"listVersion\":44,\"updateType\":\"Full\"}") },
                  now_ms);
    takes("44");
    CHECK(version() == 44 && state() == CHARGER_LIST_PENDING, "somebody else sent one");
    takes("{\"listVersion\":45,\"localAuthorizationList\":[{\"idTag\":\"GOOD\"");
    CHECK(state() == CHARGER_LIST_SYNCED, "and it has again what it is to have");
    scene_close(&s);
}

static void test_taken_away(void)
{
    open_scene();
    add("GOOD");
    world_assign_list(s.w, s.c, ALL, 0, false, now_ms);
    has(0);
    takes("Full");
    CHECK(world_list_users(s.w, ORG_DEFAULT, ALL) == 1, "one has it");
    world_assign_list(s.w, s.c, AMP_NO_TEXT, 0, false, now_ms);
    takes("{\"listVersion\":2,\"updateType\":\"Full\"}");
    CHECK(state() == CHARGER_LIST_IDLE && version() == 2 && !next(), "emptied");
    world_assign_list(s.w, s.c, ALL, 0, false, now_ms);
    takes("{\"listVersion\":3,\"localAuthorizationList\":[{\"idTag\":\"GOOD\"");
    world_assign_list(s.w, s.c, AMP_NO_TEXT, 0, true, now_ms);
    CHECK(state() == CHARGER_LIST_IDLE && !next(), "or left there");
    CHECK(world_list_users(s.w, ORG_DEFAULT, ALL) == 0, "nobody");
    scene_close(&s);
}

/* Two chargers, one list: each has its own version. */
static void test_shared(void)
{
    int session;

    open_scene();
    add("GOOD");
    world_connected(s.w, s.other, &session, AMP_TEXT("ocpp1.6"), AMP_TEXT("x"), now_ms);
    world_assign_list(s.w, s.c, ALL, 0, false, now_ms);
    world_assign_list(s.w, s.other, ALL, 0, false, now_ms);
    has(10);
    takes("{\"listVersion\":11,");
    s.c = s.other;
    has(0);
    takes("{\"listVersion\":1,");
    CHECK(state() == CHARGER_LIST_SYNCED, "both");
    add("BAD");
    takes("{\"listVersion\":2,");
    s.c = world_charger_at(s.w, 0);
    takes("{\"listVersion\":12,");
    scene_close(&s);
}

/* What a restart brings back. */
static void test_replay(void)
{
    struct scene after = { 0 };
    int session;

    open_scene();
    add("GOOD"), add("BAD");
    scene_forget(&s); /* and told once more by what follows */
    world_list_drop(s.w, ORG_DEFAULT, ALL, AMP_TEXT("GOOD"));
    world_list_add(s.w, ORG_DEFAULT, ALL, AMP_TEXT("GOOD"));
    world_assign_list(s.w, s.c, ALL, 0, false, now_ms);
    has(0);
    takes("Full");
    add("LONER");
    hears("SendLocalList", "Differential", COMMAND_TIMED_OUT, "the central system restarted");
    after.w = world_new(&(struct world_config){ .accept_unknown = true }, scene_emit, &after);
    world_apply(after.w, &(struct fact){ FACT_CHARGER, { .charger = *charger_fact(s.c) } });
    world_apply(after.w,
                &(struct fact){ FACT_LIST, { .list = *world_list(s.w, ORG_DEFAULT, ALL) } });
    world_apply(after.w,
                &(struct fact){ FACT_TAG,
                                { .tag = *world_tag(s.w, ORG_DEFAULT, AMP_TEXT("LONER")) } });
    for (int twice = 0; twice < 2; twice++)
        for (size_t i = 0; i < s.count; i++)
            if (s.facts[i]->kind == FACT_LIST_ENTRY || s.facts[i]->kind == FACT_CHARGER_LIST)
                world_apply(after.w, s.facts[i]);
    CHECK(after.count == 0, "a replay emits nothing");
    scene_close(&s);
    s = (struct scene){ .w = after.w, .c = world_charger_at(after.w, 0) };
    world_connected(s.w, s.c, &session, AMP_TEXT("ocpp1.6"), AMP_TEXT("x"), now_ms);
    has(1);
    takes("{\"listVersion\":2,\"localAuthorizationList\":[{\"idTag\":\"LONER\","
          "\"idTagInfo\":{\"status\":\"Accepted\"}}],\"updateType\":\"Differential\"}");
    CHECK(state() == CHARGER_LIST_SYNCED, "it goes on where it was");
    scene_close(&after);
}

int main(void)
{
    RUN(test_table);
    RUN(test_full_then_differences);
    RUN(test_parts);
    RUN(test_refusals);
    RUN(test_mismatch_for_ever);
    RUN(test_lost_answers);
    RUN(test_away);
    RUN(test_reconciled);
    RUN(test_taken_away);
    RUN(test_shared);
    RUN(test_replay);
    return check_end();
}
