/* central/domain/charger_test.c - meeting, connections, staleness, boot, status, tags. */
#include "central/domain/scene.h"

static struct scene s;
static int first, second, closed; /* addresses stand for sessions */

static void note_overdue(void *ctx, struct charger *c, void *session)
{
    (void)ctx, (void)c;
    closed += session == &first;
}

static int state(void)
{
    return charger_fact(s.c)->connection;
}

static void connect(void *session, int64_t at_ms)
{
    world_connected(s.w, s.c, session, AMP_TEXT("ocpp1.6"), AMP_TEXT("127.0.0.1:2"), at_ms);
}

static void test_identity(void) /* E37 */
{
    scene_open(&s, NULL);
    CHECK(world_charger(s.w, AMP_TEXT("cp1")) == s.c, "identity compares without case");
    CHECK(world_charger_meet(s.w, AMP_TEXT("cP1"), T0 + 1) == s.c, "no second record");
    CHECK(world_charger(s.w, AMP_TEXT("CP")) == NULL, "a part is no match");
    CHECK(world_charger_count(s.w) == 2 && world_charger_at(s.w, 1) == s.other,
          "in order of meeting");
    CHECK(amp_text_is(charger_fact(s.c)->id, "CP1"), "the first spelling stays");
    scene_close(&s);
}

static void test_newest_wins(void) /* E45, E46 */
{
    uint32_t generation;

    scene_open(&s, NULL);
    connect(&first, T0);
    generation = charger_generation(s.c);
    scene_forget(&s);
    CHECK(world_connected(s.w, s.c, &second, AMP_TEXT("ocpp1.6"), AMP_NO_TEXT, T0 + 5) == &first,
          "the old one is handed back");
    CHECK(charger_session(s.c) == &second && charger_generation(s.c) == generation + 1,
          "the new one is in");
    CHECK(scene_count(&s, FACT_CONNECTION) == 2, "closed and opened");
    scene_forget(&s);
    CHECK(!world_disconnected(s.w, s.c, &first, 1006, AMP_TEXT("late"), T0 + 9),
          "the old one's late close");
    CHECK(s.count == 0 && charger_session(s.c) == &second && state() == CONNECTION_CONNECTED,
          "changes nothing");
    CHECK(world_disconnected(s.w, s.c, &second, 1006, AMP_TEXT("gone"), T0 + 9),
          "the present one's close");
    CHECK(state() == CONNECTION_DISCONNECTED && !charger_session(s.c), "offline");
    CHECK(scene_last(&s, FACT_CONNECTION)->u.connection.code == 1006, "with its code");
    CHECK(!world_disconnected(s.w, s.c, &second, 1006, AMP_NO_TEXT, T0 + 9), "once");
    scene_close(&s);
}

static void test_stale(void)
{
    int64_t patience = (300 + 90) * 1000;

    scene_open(&s, NULL);
    closed = 0;
    connect(&first, T0);
    world_tick(s.w, T0 + patience, note_overdue, NULL);
    CHECK(state() == CONNECTION_CONNECTED, "to the last millisecond");
    world_tick(s.w, T0 + patience + 1, note_overdue, NULL);
    CHECK(state() == CONNECTION_STALE && !closed, "stale, not closed");
    CHECK(scene_last(&s, FACT_CONNECTION)->u.connection.event == CONNECTION_WENT_STALE, "and told");
    world_seen(s.w, s.c, T0 + patience + 2);
    CHECK(state() == CONNECTION_CONNECTED, "a message restores it");
    CHECK(scene_last(&s, FACT_CHARGER)->u.charger.connection == CONNECTION_CONNECTED, "and tells");
    world_tick(s.w, T0 + 3 * patience, note_overdue, NULL);
    CHECK(state() == CONNECTION_STALE && !closed, "stale again");
    for (int i = 3; i < 6; i++)
        world_tick(s.w, T0 + 3 * patience + 3 + i, note_overdue, NULL);
    CHECK(closed == 1, "handed out for closing once, not %d times", closed);
    scene_close(&s);
}

static void test_stale_by_own_interval(void)
{
    int32_t interval_s;

    scene_open(&s, &(struct world_config){
                       .heartbeat_s = 45, .stale_after_s = 5, .accept_unknown = true });
    connect(&first, T0);
    world_boot(s.w, s.c, &(struct boot_info){ 0 }, &interval_s, T0);
    CHECK(interval_s == 45 && charger_fact(s.c)->heartbeat_s == 45, "got %d", (int)interval_s);
    world_tick(s.w, T0 + 50001, note_overdue, NULL);
    CHECK(state() == CONNECTION_STALE, "state %d", state());
    scene_close(&s);
}

static void test_seen_is_cheap(void)
{
    scene_open(&s, NULL);
    connect(&first, T0);
    scene_forget(&s);
    for (int i = 1; i < 600; i++)
        world_seen(s.w, s.c, T0 + i * 100);
    CHECK(s.count == 0, "%zu facts in less than a minute", s.count);
    world_seen(s.w, s.c, T0 + 60000);
    CHECK(scene_count(&s, FACT_CHARGER) == 1 && s.facts[0]->u.charger.last_seen_ms == T0 + 60000,
          "one a minute");
    scene_close(&s);
}

static void test_boot(void)
{
    struct boot_info b = { .vendor = AMP_TEXT("Maker"),
                           .model = AMP_TEXT("M1"),
                           .firmware = AMP_TEXT("1.0") };
    int32_t interval_s = 0;

    scene_open(&s, &(struct world_config){ .heartbeat_s = 0, .stale_after_s = 90 });
    CHECK(charger_fact(s.c)->registration == REGISTRATION_PENDING, "unknown ones knock");
    CHECK(world_boot(s.w, s.c, &b, &interval_s, T0) == REGISTRATION_PENDING, "and wait");
    CHECK(interval_s > 0, "E62: never 0, got %d", (int)interval_s);
    CHECK(world_adopt(s.w, s.c, REGISTRATION_ACCEPTED, T0) == 0, "a person decides");
    CHECK(world_adopt(s.w, s.c, 4, T0) == AMP_E_VALUE, "there are three answers");
    CHECK(world_boot(s.w, s.c, &b, &interval_s, T0 + 1) == REGISTRATION_ACCEPTED, "then it is in");
    CHECK(amp_text_is(charger_fact(s.c)->vendor, "Maker") &&
              charger_fact(s.c)->last_boot_ms == T0 + 1,
          "its words are kept");
    CHECK(charger_fact(s.c)->serial.at == NULL, "absent stays absent");
    scene_close(&s);
}

static void put_status(int connector, const char *status, int64_t at_ms)
{
    world_status(s.w, s.c, connector,
                 &(struct connector_fact){ .status = amp_text_of(status),
                                           .error = AMP_TEXT("NoError"),
                                           .at_ms = at_ms,
                                           .seen_ms = T0 + 1000 });
}

static void test_status(void)
{
    scene_open(&s, NULL);
    CHECK(charger_connectors(s.c) == 0 && !charger_connector(s.c, 1) && !charger_connector(s.c, -1),
          "nothing heard of yet");
    put_status(2, "Available", T0);
    CHECK(charger_connectors(s.c) == 2 && !charger_connector(s.c, 1), "2 is known, 1 is not");
    CHECK(amp_text_is(charger_connector(s.c, 2)->status, "Available"), "kept");
    put_status(2, "Preparing", 0);
    CHECK(charger_connector(s.c, 2)->at_ms == T0 + 1000, "E28: without time, ours");
    put_status(0, "Unavailable", T0 + 3);
    CHECK(amp_text_is(charger_connector(s.c, 2)->status, "Preparing"),
          "E27: connector 0 touches no other");
    CHECK(scene_count(&s, FACT_STATUS) == 3 && scene_count(&s, FACT_CONNECTOR) == 3, "each told");
    put_status(0, "Unavailable", T0 + 3);
    CHECK(scene_count(&s, FACT_STATUS) == 3, "a repetition is no history");
    put_status(2000000000, "Available", T0);
    CHECK(charger_connectors(s.c) == 2 && scene_count(&s, FACT_STATUS) == 4,
          "a wild number is history, not memory");
    scene_close(&s);
}

static const char *ask(const char *tag, int64_t now_ms)
{
    struct tag_answer a;

    world_authorize(s.w, ORG_DEFAULT, amp_text_of(tag), now_ms, &a);
    return a.status;
}

static void test_tags(void) /* E31 */
{
    scene_open(&s, NULL);
    CHECK(!strcmp(ask("good", T0), "Accepted"), "without case");
    CHECK(!strcmp(ask("BAD", T0), "Blocked") && !strcmp(ask("nobody", T0), "Invalid"),
          "refused ones");
    world_put_tag(s.w, &(struct tag_fact){ .org = ORG_DEFAULT,
                                           .tag = AMP_TEXT("Short"),
                                           .status = AMP_TEXT("Accepted"),
                                           .expiry_ms = T0 + 10 });
    CHECK(!strcmp(ask("SHORT", T0 + 9), "Accepted") && !strcmp(ask("SHORT", T0 + 10), "Expired"),
          "until its time");
    world_put_tag(s.w, &(struct tag_fact){
                           .org = 7, .tag = AMP_TEXT("THEIRS"), .status = AMP_TEXT("Accepted") });
    CHECK(!strcmp(ask("THEIRS", T0), "Invalid"), "another organisation's");
    world_put_tag(s.w, &(struct tag_fact){ .org = ORG_DEFAULT,
                                           .tag = AMP_TEXT("ODD"),
                                           .status = AMP_TEXT("Whatever") });
    CHECK(!strcmp(ask("ODD", T0), "Invalid"), "a word that 1.6 does not have");
    CHECK(world_tag_count(s.w) == 7, "%zu tags", world_tag_count(s.w));
    world_put_tag(s.w, &(struct tag_fact){
                           .org = ORG_DEFAULT, .tag = AMP_TEXT("good"), .deleted = true });
    CHECK(!strcmp(ask("GOOD", T0), "Invalid") && !world_tag(s.w, ORG_DEFAULT, AMP_TEXT("GOOD")),
          "deleted");
    CHECK(world_tag_count(s.w) == 6 && amp_text_is(world_tag_at(s.w, 0)->tag, "BAD") &&
              amp_text_is(world_tag_at(s.w, 1)->tag, "FRIEND") &&
              amp_text_is(world_tag_at(s.w, 5)->tag, "THEIRS"),
          "the rest is in order");
    CHECK(world_tag_after(s.w, ORG_DEFAULT, AMP_NO_TEXT) == 0 &&
              world_tag_after(s.w, ORG_DEFAULT, AMP_TEXT("bad")) == 1 &&
              world_tag_after(s.w, ORG_DEFAULT, AMP_TEXT("bae")) == 1 &&
              world_tag_after(s.w, 7, AMP_TEXT("")) == 5 && !world_tag_at(s.w, 6),
          "found by name");
    CHECK(scene_last(&s, FACT_TAG)->u.tag.deleted, "and told");
    scene_close(&s);
    scene_open(&s, &(struct world_config){ .heartbeat_s = 300, .accept_unknown_tags = true });
    CHECK(!strcmp(ask("nobody", T0), "Accepted") && !strcmp(ask("BAD", T0), "Blocked"),
          "the demo lets strangers in, not the blocked");
    scene_close(&s);
}

int main(void)
{
    RUN(test_identity);
    RUN(test_newest_wins);
    RUN(test_stale);
    RUN(test_stale_by_own_interval);
    RUN(test_seen_is_cheap);
    RUN(test_boot);
    RUN(test_status);
    RUN(test_tags);
    return check_end();
}
