/* Two worlds over one history: what the owner decides, the other one knows and does not touch; and
 * what changes hands is rebuilt from what the database has. */
#include "central/domain/scene.h"
#include "central/domain/shared.h"

static struct world *other_world(struct scene *s)
{
    struct world *w = world_new(&(struct world_config){ .heartbeat_s = 300,
                                                        .stale_after_s = 90,
                                                        .accept_unknown = true },
                                scene_emit, s);

    world_share(w);
    world_set_keys(w, 1000, 2000, 3000);
    world_more_transactions(w, 2000, 2003);
    return w;
}

/* All that `s` told so far, applied to a far world. */
static void follow(struct world *w, const struct scene *s)
{
    for (size_t i = 0; i < s->count; i++)
        world_apply_far(w, s->facts[i]);
}

static void test_far(void)
{
    struct scene near, far = { 0 };
    struct world *w;
    struct tag_answer a;
    struct charger *c;
    int64_t key, command;

    scene_open(&near, NULL);
    w = other_world(&far);
    world_boot(near.w, near.c, &(struct boot_info){ .vendor = AMP_TEXT("V") }, &(int32_t){ 0 }, T0);
    world_connected(near.w, near.c, &near, AMP_TEXT("ocpp1.6"), AMP_TEXT("1"), T0);
    key = world_start(near.w, near.c,
                      &(struct start_info){ .connector = 1, .tag = AMP_TEXT("GOOD"), .at_ms = T0 },
                      T0, &a);
    follow(w, &near);
    c = world_charger(w, AMP_TEXT("cp1"));
    CHECK(c && charger_far(c) && charger_reachable(c) && !charger_session(c), "far and reachable");
    CHECK(charger_fact(c)->connection == CONNECTION_CONNECTED, "the connection is as told");
    CHECK(charger_transaction(c, 1) && charger_transaction(c, 1)->key == key, "its transaction");

    /* a command asked for here waits for its owner, and nothing is decided here */
    command =
        world_command(w, c, &(struct command_fact){ .connector = -1, .action = AMP_TEXT("Reset") },
                      T0);
    CHECK(command == 3000 && world_command_get(w, command)->state == COMMAND_QUEUED, "queued");
    world_tick(w, T0 + 10000000, NULL, NULL);
    world_settle(w, T0 + 10000000);
    CHECK(scene_count(&far, FACT_COMMAND) == 1 && scene_count(&far, FACT_CHARGER) == 0,
          "a far charger is nobody's to settle");

    /* the owner does it */
    world_apply_far(near.w, scene_last(&far, FACT_COMMAND));
    CHECK(world_command_next(near.w, near.c)->key == command, "the owner has it to send");
    scene_forget(&near);
    world_command_change(near.w, command, &(struct command_change){ .state = COMMAND_SENT }, T0);
    world_command_change(near.w, command, &(struct command_change){ .state = COMMAND_ACCEPTED },
                         T0);
    follow(w, &near);
    CHECK(world_command_get(w, command)->state == COMMAND_ACCEPTED, "and the asker hears of it");
    scene_forget(&far);
    world_tick(w, T0 + 10000000, NULL, NULL);
    CHECK(far.count == 0, "an effect that stays away is the owner's to tell");
    world_free(w);
    scene_close(&near);
    scene_forget(&far);
    free(far.facts);
}

static void test_keys(void)
{
    struct scene s = { 0 };
    struct world *w = other_world(&s);
    struct charger *c = world_charger_meet(w, AMP_TEXT("A"), T0);
    struct tag_answer a;
    int64_t keys[5];

    CHECK(charger_fact(c)->key == 1000, "from what was reserved");
    world_apply_far(w,
                    &(struct fact){
                        FACT_TRANSACTION,
                        { .transaction = { .key = 9000, .charger = 1000, .state = TX_STOPPED } } });
    for (int i = 0; i < 5; i++) {
        if (i == 2)
            world_more_transactions(w, 7000, 7100);
        keys[i] = world_start(w, c,
                              &(struct start_info){
                                  .connector = i + 1, .at_ms = T0, .tag = AMP_TEXT("T") },
                              T0, &a);
    }
    CHECK(keys[0] == 2000 && keys[2] == 2002 && keys[3] == 7000 && keys[4] == 7001,
          "%lld %lld %lld", (long long)keys[2], (long long)keys[3], (long long)keys[4]);
    CHECK(world_transactions_left(w) == 98, "%lld left", (long long)world_transactions_left(w));
    world_expect(w, AMP_TEXT("Be"), 66);
    world_expect(w, AMP_TEXT("bE"), 77);
    CHECK(world_expected(w, AMP_TEXT("BE")) == 77, "not met yet");
    CHECK(charger_fact(world_charger_meet(w, AMP_TEXT("BE"), T0))->key == 77, "as decided");
    CHECK(!world_expected(w, AMP_TEXT("BE")), "met");
    world_expect(w, AMP_TEXT("Never"), 78);
    world_free(w);
    scene_forget(&s);
    free(s.facts);
}

static void test_hand_over(void)
{
    struct scene s;
    struct tag_answer a;
    int64_t sent, queued, old;
    struct fact *stored[64];
    size_t n;

    scene_open(&s, NULL);
    old = world_command_wait(s.w, s.c, &(struct command_fact){ .action = AMP_TEXT("A") }, T0);
    sent = world_command(s.w, s.c, &(struct command_fact){ .action = AMP_TEXT("B") }, T0 + 50000);
    queued = world_command(s.w, s.c, &(struct command_fact){ .action = AMP_TEXT("C") }, T0 + 50000);
    world_command_change(s.w, sent, &(struct command_change){ .state = COMMAND_SENT }, T0 + 50000);
    world_start(s.w, s.c,
                &(struct start_info){ .connector = 1, .tag = AMP_TEXT("GOOD"), .at_ms = T0 }, T0,
                &a);
    world_status(s.w, s.c, 1,
                 &(struct connector_fact){ .status = AMP_TEXT("Charging"), .seen_ms = T0 });
    n = s.count;
    memcpy(stored, s.facts, n * sizeof *stored);
    s.count = 0;

    CHECK(world_disown(s.w, s.c) == &s && charger_far(s.c) && !charger_session(s.c), "lost");
    CHECK(!world_disconnected(s.w, s.c, &s, 1000, AMP_NO_TEXT, T0) && s.count == 0,
          "the old socket's end is no news");
    world_forget(s.w, s.c);
    CHECK(!charger_transaction(s.c, 1) && charger_connectors(s.c) == 0 &&
              !world_command_get(s.w, sent) && world_open_transactions(s.w, NULL, 0) == 0,
          "nothing of it is left");

    /* back again, with what the database has */
    world_set_far(s.w, s.c, false);
    for (size_t i = 0; i < n; i++)
        world_apply(s.w, stored[i]);
    world_settle_one(s.w, s.c, 30000, T0 + 60000);
    CHECK(charger_transaction(s.c, 1) && charger_connector(s.c, 1), "it is there again");
    CHECK(world_command_get(s.w, sent)->state == COMMAND_TIMED_OUT, "sent by the former owner");
    CHECK(world_command_get(s.w, queued)->state == COMMAND_QUEUED &&
              world_command_get(s.w, old)->state == COMMAND_QUEUED,
          "ours to send now");
    world_settle_one(s.w, s.c, 0, T0 + 60000);
    CHECK(world_command_get(s.w, queued)->state == COMMAND_ERROR, "too old to send");
    for (size_t i = 0; i < n; i++)
        free(stored[i]);
    scene_close(&s);
}

int main(void)
{
    RUN(test_far);
    RUN(test_keys);
    RUN(test_hand_over);
    return check_end();
}
