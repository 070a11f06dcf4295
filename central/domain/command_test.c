/* central/domain/command_test.c - states of commands, every pair of them, and the effects that
 * confirm them. */
#include "central/domain/scene.h"

static struct scene s;
static struct tag_answer answer;

static int64_t ask(const char *action, const char *payload, int connector, int64_t transaction)
{
    return world_command(s.w, s.c,
                         &(struct command_fact){ .action = amp_text_of(action),
                                                 .payload = amp_text_of(payload),
                                                 .connector = connector,
                                                 .transaction = transaction,
                                                 .by = AMP_TEXT("test") },
                         T0);
}

static int change(int64_t key, int state, const char *text)
{
    struct command_change ch = { .state = state };

    if (state == COMMAND_SENT)
        ch.correlation = amp_text_of(text);
    else
        ch.answer = amp_text_of(text);
    return world_command_change(s.w, key, &ch, T0 + 1000);
}

static const struct command_fact *get(int64_t key)
{
    static const struct command_fact none;
    const struct command_fact *f = world_command_get(s.w, key);

    CHECK(f != NULL, "command %lld is not in memory", (long long)key);
    return f ? f : &none;
}

/* A command that was sent and accepted. */
static int64_t accepted(const char *action, const char *payload, int connector, int64_t transaction)
{
    int64_t key = ask(action, payload, connector, transaction);

    CHECK(change(key, COMMAND_SENT, "id") == 0 &&
              change(key, COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}") == 0,
          "%s", action);
    return key;
}

static int64_t start(int connector, const char *tag, int64_t at_ms)
{
    return world_start(s.w, s.c,
                       &(struct start_info){
                           .connector = connector, .tag = amp_text_of(tag), .at_ms = at_ms },
                       at_ms, &answer);
}

static void status(int connector, const char *word)
{
    world_status(s.w, s.c, connector,
                 &(struct connector_fact){ .status = amp_text_of(word), .seen_ms = T0 + 5000 });
}

/* Ways to a state from QUEUED, for a command without an effect to wait for. */
static const int ways[COMMAND_NO_EFFECT + 1][3] = {
    [COMMAND_SENT] = { COMMAND_SENT, 0, 0 },
    [COMMAND_ACCEPTED] = { COMMAND_SENT, COMMAND_ACCEPTED, 0 },
    [COMMAND_REJECTED] = { COMMAND_SENT, COMMAND_REJECTED, 0 },
    [COMMAND_ERROR] = { COMMAND_ERROR, 0, 0 },
    [COMMAND_TIMED_OUT] = { COMMAND_SENT, COMMAND_TIMED_OUT, 0 },
    [COMMAND_CONFIRMED] = { COMMAND_SENT, COMMAND_ACCEPTED, COMMAND_CONFIRMED },
    [COMMAND_NO_EFFECT] = { COMMAND_SENT, COMMAND_ACCEPTED, COMMAND_NO_EFFECT },
};

static void test_every_pair(void)
{
    static const char *const allowed[COMMAND_NO_EFFECT + 1] = {
        /*                  Q S A R E T C N */
        [COMMAND_QUEUED] = ".x..x...",    [COMMAND_SENT] = "..xxxx..",
        [COMMAND_ACCEPTED] = "......xx",  [COMMAND_REJECTED] = "........",
        [COMMAND_ERROR] = "........",     [COMMAND_TIMED_OUT] = "..xxx.x.",
        [COMMAND_CONFIRMED] = "........", [COMMAND_NO_EFFECT] = "......x.",
    };

    for (int from = COMMAND_QUEUED; from <= COMMAND_NO_EFFECT; from++)
        for (int to = COMMAND_QUEUED; to <= COMMAND_NO_EFFECT; to++) {
            int64_t key;
            int rc;

            scene_open(&s, NULL);
            key = ask("Vendor", "{}", -1, 0);
            for (size_t i = 0; i < AMP_COUNT(ways[from]) && ways[from][i]; i++)
                CHECK(change(key, ways[from][i], "x") == 0, "way to %s", command_state_name(from));
            scene_forget(&s);
            rc = change(key, to, "y");
            CHECK(rc == (allowed[from][to - 1] == 'x' ? 0 : AMP_E_STATE), "%s to %s: %d",
                  command_state_name(from), command_state_name(to), rc);
            CHECK(get(key)->state == (rc == 0 ? to : from) && s.count == (rc == 0),
                  "%s to %s: state %d", command_state_name(from), command_state_name(to),
                  get(key)->state);
            scene_close(&s);
        }
    scene_open(&s, NULL);
    CHECK(change(99, COMMAND_SENT, "x") == AMP_E_ABSENT, "no such command");
    scene_close(&s);
}

static void test_queue(void)
{
    int64_t one, two;

    scene_open(&s, NULL);
    one = ask("Reset", "{\"type\":\"Soft\"}", -1, 0);
    two = ask("ClearCache", "{}", -1, 0);
    CHECK(one > 0 && two == one + 1 && world_command_next(s.w, s.c) == get(one), "oldest first");
    CHECK(change(one, COMMAND_SENT, "id-1") == 0 && world_command_next(s.w, s.c) == get(two),
          "then the next");
    CHECK(world_command_find(s.c, AMP_TEXT("id-1")) == get(one) &&
              !world_command_find(s.c, AMP_TEXT("id")),
          "by message id");
    CHECK(!world_command_find(s.c, AMP_NO_TEXT), "not by none");
    CHECK(get(one)->sent_ms == T0 + 1000 && get(one)->created_ms == T0 &&
              amp_text_is(get(one)->by, "test"),
          "times and who");
    for (int i = 1; i < WORLD_QUEUE_MAX; i++)
        CHECK(ask("ClearCache", "{}", -1, 0) > 0, "command %d", i);
    scene_forget(&s);
    CHECK(ask("ClearCache", "{}", -1, 0) == AMP_E_FULL && s.count == 0, "a queue has an end");
    scene_close(&s);
}

static void test_recent(void)
{
    int64_t keys[WORLD_RECENT_MAX + 3], open;

    scene_open(&s, NULL);
    open = ask("Reset", "{}", -1, 0);
    change(open, COMMAND_SENT, "x");
    for (size_t i = 0; i < AMP_COUNT(keys); i++)
        keys[i] = accepted("Vendor", "{}", -1, 0);
    CHECK(!world_command_get(s.w, keys[2]) && world_command_get(s.w, keys[3]),
          "the newest finished ones stay");
    CHECK(get(open)->state == COMMAND_SENT, "unfinished ones always");
    scene_close(&s);
}

static void test_offline(void) /* E54 */
{
    int64_t key, waiting, sent, queued;

    scene_open(&s, NULL);
    sent = ask("Reset", "{}", -1, 0);
    change(sent, COMMAND_SENT, "x");
    queued = ask("ClearCache", "{}", -1, 0);
    world_disconnected(s.w, s.c, charger_session(s.c), 1006, AMP_NO_TEXT, T0 + 10);
    CHECK(get(sent)->state == COMMAND_TIMED_OUT && get(sent)->answer.len > 0,
          "E54: what was sent may have worked");
    CHECK(get(queued)->state == COMMAND_ERROR &&
              amp_text_is(get(queued)->answer, "station offline"),
          "E54: the rest did not");
    key = ask("Reset", "{}", -1, 0);
    CHECK(get(key)->state == COMMAND_ERROR && amp_text_is(get(key)->answer, "station offline"),
          "fails at once");
    CHECK(scene_last(&s, FACT_COMMAND)->u.command.key == key, "and is told");
    waiting = world_command_wait(s.w, s.c,
                                 &(struct command_fact){ .action = AMP_TEXT("ClearCache"),
                                                         .payload = AMP_TEXT("{}") },
                                 T0);
    CHECK(get(waiting)->state == COMMAND_QUEUED && world_command_next(s.w, s.c) == get(waiting),
          "unless it may wait");
    world_connected(s.w, s.c, &s, AMP_NO_TEXT, AMP_NO_TEXT, T0 + 20);
    world_disconnected(s.w, s.c, &s, 1006, AMP_NO_TEXT, T0 + 30);
    CHECK(get(waiting)->state == COMMAND_QUEUED, "through another disconnect");
    CHECK(change(waiting, COMMAND_SENT, "y") == 0 && !get(waiting)->answer.at,
          "sent, it waits no more");
    scene_close(&s);
}

static void test_remote_start(void)
{
    static const char *const payload = "{\"idTag\":\"Good\",\"connectorId\":1}";
    int64_t key, other, t;

    scene_open(&s, NULL);
    key = accepted("RemoteStartTransaction", payload, 1, 0);
    CHECK(get(key)->state == COMMAND_ACCEPTED, "accepted is a promise");
    start(2, "GOOD", T0 + 10);
    start(1, "LONER", T0 + 20);
    CHECK(get(key)->state == COMMAND_ACCEPTED, "other starts do not keep it");
    other = accepted("RemoteStartTransaction", payload, 1, 0);
    t = start(1, "GOOD", T0 + 30);
    CHECK(get(key)->state == COMMAND_CONFIRMED && get(key)->transaction == t &&
              get(key)->effect_ms == T0 + 30,
          "this one does");
    CHECK(get(other)->state == COMMAND_ACCEPTED, "one start is the effect of one command");
    start(1, "GOOD", T0 + 30);
    CHECK(get(other)->state == COMMAND_ACCEPTED, "a repeated start is no second one");
    scene_close(&s);
}

static void test_effect_before_answer(void)
{
    int64_t key, lost;

    scene_open(&s, NULL);
    key = ask("RemoteStartTransaction", "{\"idTag\":\"GOOD\"}", -1, 0);
    change(key, COMMAND_SENT, "x");
    start(2, "GOOD", T0 + 10);
    CHECK(get(key)->state == COMMAND_SENT && get(key)->effect_ms == T0 + 10, "noted");
    CHECK(change(key, COMMAND_ACCEPTED, "{}") == 0 && get(key)->state == COMMAND_CONFIRMED,
          "the answer confirms it");
    lost = ask("Reset", "{\"type\":\"Hard\"}", -1, 0);
    change(lost, COMMAND_SENT, "y");
    world_disconnected(s.w, s.c, &s, 1006, AMP_NO_TEXT, T0 + 20); /* it resets before it answers */
    CHECK(get(lost)->state == COMMAND_TIMED_OUT, "nobody knows yet");
    world_connected(s.w, s.c, &s, AMP_NO_TEXT, AMP_NO_TEXT, T0 + 25);
    world_boot(s.w, s.c, &(struct boot_info){ 0 }, &(int32_t){ 0 }, T0 + 30);
    CHECK(get(lost)->state == COMMAND_CONFIRMED && get(lost)->effect_ms == T0 + 30,
          "the boot tells");
    scene_close(&s);
}

static void test_remote_stop(void)
{
    int64_t t, key, late;

    scene_open(&s, NULL);
    t = start(1, "GOOD", T0);
    key = accepted("RemoteStopTransaction", "{}", -1, t);
    CHECK(world_transaction(s.w, t)->state == TX_PENDING_STOP, "the transaction is about to stop");
    status(1, "SuspendedEVSE");
    CHECK(world_transaction(s.w, t)->state == TX_PENDING_STOP, "and stays so");
    world_stop(s.w, s.c, &(struct stop_info){ .transaction = t, .meter_wh = 1, .at_ms = T0 + 9 },
               T0 + 10, &answer);
    CHECK(get(key)->state == COMMAND_CONFIRMED && get(key)->effect_ms == T0 + 10, "stopped");
    late = accepted("RemoteStopTransaction", "{}", -1, t);
    CHECK(get(late)->state == COMMAND_CONFIRMED, "what is so already is confirmed");
    scene_close(&s);
}

static void test_reset_unlock_availability(void)
{
    int64_t key;

    scene_open(&s, NULL);
    key = accepted("Reset", "{\"type\":\"Soft\"}", -1, 0);
    world_boot(s.w, s.c, &(struct boot_info){ 0 }, &(int32_t){ 0 }, T0 + 5000);
    CHECK(get(key)->state == COMMAND_CONFIRMED, "reset by boot");
    key = accepted("UnlockConnector", "{\"connectorId\":1}", 1, 0);
    CHECK(get(key)->state == COMMAND_CONFIRMED, "unlock by its answer");
    key = accepted("ChangeAvailability", "{\"connectorId\":1,\"type\":\"Inoperative\"}", 1, 0);
    status(2, "Unavailable");
    status(1, "Available");
    CHECK(get(key)->state == COMMAND_ACCEPTED, "not by another connector or status");
    status(1, "Unavailable");
    CHECK(get(key)->state == COMMAND_CONFIRMED, "by its own");
    key = accepted("ChangeAvailability", "{\"connectorId\":1,\"type\":\"Inoperative\"}", 1, 0);
    CHECK(get(key)->state == COMMAND_CONFIRMED, "it is so already");
    key = accepted("ChangeAvailability", "{\"connectorId\":1,\"type\":\"Operative\"}", 1, 0);
    CHECK(get(key)->state == COMMAND_ACCEPTED, "not yet");
    status(1, "Available");
    CHECK(get(key)->state == COMMAND_CONFIRMED, "operative again");
    key = accepted("Vendor", "{}", -1, 0);
    CHECK(get(key)->state == COMMAND_ACCEPTED, "nothing else to wait for");
    scene_close(&s);
}

static void no_overdue(void *ctx, struct charger *c, void *session)
{
    (void)ctx, (void)c, (void)session;
}

static void test_no_effect(void)
{
    int64_t key, stop_key, t;

    scene_open(&s, NULL);
    t = start(2, "GOOD", T0);
    key = accepted("RemoteStartTransaction", "{\"idTag\":\"LONER\"}", 1, 0);
    stop_key = accepted("RemoteStopTransaction", "{}", -1, t);
    world_tick(s.w, T0 + 1000 + 119999, no_overdue, NULL);
    CHECK(get(key)->state == COMMAND_ACCEPTED && get(stop_key)->state == COMMAND_ACCEPTED,
          "patience");
    world_tick(s.w, T0 + 1000 + 120000, no_overdue, NULL);
    CHECK(get(stop_key)->state == COMMAND_NO_EFFECT &&
              world_transaction(s.w, t)->state == TX_RUNNING,
          "it goes on charging");
    world_tick(s.w, T0 + 1000 + 180000, no_overdue, NULL);
    CHECK(get(key)->state == COMMAND_NO_EFFECT, "nobody plugged in");
    start(1, "LONER", T0 + 400000);
    CHECK(get(key)->state == COMMAND_CONFIRMED, "late, but it did work");
    scene_close(&s);
}

static void test_restart(void)
{
    struct command_fact f = {
        .action = AMP_TEXT("Reset"), .payload = AMP_TEXT("{}"), .sent_ms = T0, .answered_ms = T0
    };
    static const struct {
        int state;
        const char *answer;
        int after;
    } cases[] = {
        { COMMAND_SENT, NULL, COMMAND_TIMED_OUT },
        { COMMAND_QUEUED, NULL, COMMAND_ERROR },
        { COMMAND_QUEUED, "waits for the station to connect", COMMAND_QUEUED },
        { COMMAND_ACCEPTED, "{}", COMMAND_ACCEPTED },
    };

    scene_open(&s, NULL);
    f.charger = charger_fact(s.c)->key;
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        f.key = (int64_t)i + 10;
        f.state = cases[i].state;
        f.answer = amp_text_of(cases[i].answer);
        world_apply(s.w, &(struct fact){ .kind = FACT_COMMAND, .u.command = f });
    }
    CHECK(s.count == 0, "a replay emits nothing");
    world_settle(s.w, T0 + 1000);
    for (size_t i = 0; i < AMP_COUNT(cases); i++)
        CHECK(get((int64_t)i + 10)->state == cases[i].after, "case %zu: %s", i,
              command_state_name(get((int64_t)i + 10)->state));
    CHECK(scene_count(&s, FACT_COMMAND) == 2 && get(10)->answer.len > 0 && get(11)->answer.len > 0,
          "with a text that says why");
    world_boot(s.w, s.c, &(struct boot_info){ 0 }, &(int32_t){ 0 }, T0 + 5000);
    CHECK(get(10)->state == COMMAND_CONFIRMED && get(13)->state == COMMAND_CONFIRMED,
          "the effect still counts");
    CHECK(ask("Reset", "{}", -1, 0) == 14, "keys go on");
    scene_close(&s);
}

int main(void)
{
    RUN(test_every_pair);
    RUN(test_queue);
    RUN(test_recent);
    RUN(test_offline);
    RUN(test_remote_start);
    RUN(test_effect_before_answer);
    RUN(test_remote_stop);
    RUN(test_reset_unlock_availability);
    RUN(test_no_effect);
    RUN(test_restart);
    return check_end();
}
