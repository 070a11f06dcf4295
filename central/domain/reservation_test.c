/* central/domain/reservation_test.c - reservations and what ends them. The numbers are those of the
 * list of edge cases. */
#include "central/domain/access.h"
#include "central/domain/reservation.h"
#include "central/domain/scene.h"
#include <stdio.h>

static struct scene s;

static int64_t ask(const char *action, const char *payload, int64_t now_ms)
{
    struct command_fact f = { .connector = -1,
                              .action = amp_text_of(action),
                              .payload = amp_text_of(payload),
                              .by = AMP_TEXT("eve") };

    return world_command(s.w, s.c, &f, now_ms);
}

static void sent(int64_t command, int64_t now_ms)
{
    CHECK(world_command_change(s.w, command,
                               &(struct command_change){ .state = COMMAND_SENT,
                                                         .correlation = AMP_TEXT("m") },
                               now_ms) == 0,
          "sent");
}

static void answered(int64_t command, int state, const char *answer, int64_t now_ms)
{
    CHECK(world_command_change(s.w, command,
                               &(struct command_change){ .state = state,
                                                         .answer = amp_text_of(answer) },
                               now_ms) == 0,
          "%s", answer);
}

/* A reservation of connector `connector` for GOOD until T0 + 1 h, accepted. */
static int64_t reserve(int connector, const char *parent)
{
    int64_t id = world_reservation_id(s.w), command;
    char payload[256], family[64] = "";

    if (parent)
        snprintf(family, sizeof family, ",\"parentIdTag\":\"%s\"", parent);
    snprintf(payload, sizeof payload,
             "{\"connectorId\":%d,\"expiryDate\":\"2024-06-01T09:00:00Z\",\"idTag\":\"GOOD\"%s,"
             "\"reservationId\":%lld}",
             connector, family, (long long)id);
    command = ask("ReserveNow", payload, T0);
    sent(command, T0);
    answered(command, COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}", T0 + 10);
    return id;
}

static bool is(int64_t id, int state)
{
    return world_reservation(s.w, id) && world_reservation(s.w, id)->state == state;
}

static int64_t starts(struct charger *c, int connector, const char *tag, int64_t reservation,
                      int64_t now_ms)
{
    struct tag_answer a;

    return world_start(s.w, c,
                       &(struct start_info){ .connector = connector,
                                             .tag = amp_text_of(tag),
                                             .meter_wh = now_ms,
                                             .at_ms = now_ms,
                                             .reservation = reservation },
                       now_ms, &a);
}

static void status(int connector, const char *word)
{
    world_status(s.w, s.c, connector,
                 &(struct connector_fact){ .status = amp_text_of(word),
                                           .error = AMP_TEXT("NoError"),
                                           .seen_ms = T0 + 20000 });
}

/* Every state with every event: what is not in the table changes nothing. */
static void test_table(void)
{
    int moves = 0;

    for (int state = RESERVATION_REQUESTED; state <= RESERVATION_VOID; state++)
        for (int e = RESERVATION_ACCEPTS; e <= RESERVATION_EXPIRES; e++) {
            int next = reservation_next(state, (enum reservation_event)e);

            moves += next != 0;
            CHECK(next >= 0 && next <= RESERVATION_VOID && next != state, "%d, %d: %d", state, e,
                  next);
            CHECK(reservation_is_open(state) || !next || next == RESERVATION_USED,
                  "an ended one may turn out as used, nothing else: %d, %d", state, e);
            CHECK(!next || *reservation_state_name(next), "a name");
        }
    CHECK(moves == 23, "%d", moves);
    CHECK(!reservation_next(RESERVATION_USED, RESERVATION_USES), "used is the end");
}

static void test_answers(void)
{
    static const struct {
        const char *why, *answer;
        int state, is;
    } cases[] = {
        { "taken", "{\"status\":\"Accepted\"}", COMMAND_ACCEPTED, RESERVATION_ACTIVE },
        { "occupied", "{\"status\":\"Occupied\"}", COMMAND_REJECTED, RESERVATION_REFUSED },
        { "not supported", "NotSupported: no", COMMAND_ERROR, RESERVATION_REFUSED },
    };
    int64_t id, command;

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        scene_open(&s, NULL);
        command =
            ask("ReserveNow",
                "{\"reservationId\":1,\"connectorId\":1,\"expiryDate\":\"2024-06-01T09:00:00Z\","
                "\"idTag\":\"GOOD\"}",
                T0);
        CHECK(is(1, RESERVATION_REQUESTED) && scene_count(&s, FACT_RESERVATION) == 1,
              "%s: asked for, and told", cases[i].why);
        sent(command, T0);
        answered(command, cases[i].state, cases[i].answer, T0 + 5);
        CHECK(is(1, cases[i].is) && scene_count(&s, FACT_RESERVATION) == 2, "%s", cases[i].why);
        CHECK(world_reservation(s.w, 1)->changed_ms == T0 + 5 &&
                  amp_text_is(world_reservation(s.w, 1)->by, "eve"),
              "%s: when and who", cases[i].why);
        scene_close(&s);
    }
    scene_open(&s, NULL);
    id = reserve(1, NULL);
    CHECK(id == 1 && world_reservation_id(s.w) == 2, "positive, and never again");
    CHECK(!world_reservation_free(s.w, s.other, 1) && world_reservation_free(s.w, s.c, 1),
          "the same one may be asked for again there");
    CHECK(world_reservation_free(s.w, s.other, 77) && !world_reservation_free(s.w, s.c, 0) &&
              !world_reservation_free(s.w, s.c, RESERVATION_CHOSEN_MAX + 1),
          "chosen ones");
    starts(s.c, 1, "GOOD", 1, T0 + 1000);
    CHECK(!world_reservation_free(s.w, s.c, 1), "used once is used for ever");
    scene_close(&s);
}

static void test_lost_answer(void)
{
    int64_t command;

    scene_open(&s, NULL);
    command = ask("ReserveNow",
                  "{\"reservationId\":5,\"connectorId\":1,\"expiryDate\":\"2024-06-01T09:00:00Z\","
                  "\"idTag\":\"GOOD\"}",
                  T0);
    for (int i = 0; i < 3; i++) {
        sent(command, T0);
        answered(command, COMMAND_TIMED_OUT, "no answer in time", T0 + 30000);
    }
    CHECK(is(5, RESERVATION_UNCERTAIN), "it may be there or not");
    answered(command, COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}", T0 + 60000);
    CHECK(is(5, RESERVATION_ACTIVE), "E55: a late answer puts it right");
    scene_close(&s);
}

/* What follows tells as well as the answer. */
static void test_shown(void)
{
    static const char *const payload =
        "{\"reservationId\":5,\"connectorId\":1,\"expiryDate\":\"2024-06-01T09:00:00Z\","
        "\"idTag\":\"GOOD\"}";

    for (int uses = 0; uses < 2; uses++) {
        int64_t command;

        scene_open(&s, NULL);
        command = ask("ReserveNow", payload, T0);
        for (int i = 0; i < 3; i++) {
            sent(command, T0);
            answered(command, COMMAND_TIMED_OUT, "no answer in time", T0 + 30000);
        }
        CHECK(is(5, RESERVATION_UNCERTAIN), "it may be there or not");
        if (uses)
            starts(s.c, 1, "GOOD", 5, T0 + 40000);
        else
            status(1, "Reserved");
        CHECK(is(5, uses ? RESERVATION_USED : RESERVATION_ACTIVE), "it is");
        CHECK(world_command_get(s.w, command)->state == COMMAND_CONFIRMED, "and had its effect");
        scene_close(&s);
    }
}

static void test_broken(void)
{
    int64_t one, two, any;

    scene_open(&s, NULL);
    status(1, "Available"), status(2, "Available");
    one = reserve(1, NULL), two = reserve(2, NULL), any = reserve(0, NULL);
    status(1, "Reserved");
    CHECK(is(one, RESERVATION_ACTIVE), "as it should be");
    status(1, "Faulted");
    CHECK(is(one, RESERVATION_VOID) && is(two, RESERVATION_ACTIVE) && is(any, RESERVATION_ACTIVE),
          "E29: on that connector");
    CHECK(amp_text_is(world_reservation(s.w, one)->why, "connector 1 is Faulted"), "E29: and why");
    status(2, "Unavailable");
    CHECK(is(two, RESERVATION_VOID) && is(any, RESERVATION_VOID), "E29: and none is left for any");
    one = reserve(1, NULL), any = reserve(0, NULL);
    status(0, "Unavailable");
    CHECK(is(one, RESERVATION_VOID) && is(any, RESERVATION_VOID), "E29: the whole station");
    scene_close(&s);
}

static void test_used(void)
{
    int64_t id, key;

    scene_open(&s, NULL);
    id = reserve(0, "FAMILY");
    key = starts(s.c, 2, "FRIEND", id, T0 + 1000);
    CHECK(is(id, RESERVATION_USED) && world_reservation(s.w, id)->transaction == key,
          "E30: connector 0, by a tag of the family");
    id = reserve(1, NULL);
    starts(s.c, 1, "LONER", 0, T0 + 2000);
    CHECK(is(id, RESERVATION_ACTIVE), "E30: 0 means none");
    id = reserve(3, NULL);
    starts(s.c, 3, "good", 0, T0 + 3000);
    CHECK(is(id, RESERVATION_USED), "E30: a station that names none, but the tag is the one");
    id = reserve(0, "FAMILY");
    starts(s.c, 4, "FRIEND", 0, T0 + 4000);
    CHECK(is(id, RESERVATION_USED), "E30: the same for the family on any connector");
    id = reserve(5, NULL);
    starts(s.other, 5, "GOOD", id, T0 + 5000);
    CHECK(is(id, RESERVATION_ACTIVE), "another station can't use it up");
    starts(s.c, 5, "BAD", 0, T0 + 6000);
    CHECK(is(id, RESERVATION_ACTIVE), "nor a tag that may not charge");
    starts(s.c, 5, "BAD", id, T0 + 6500);
    CHECK(is(id, RESERVATION_USED), "but when the station names it, it is used up there");
    starts(s.c, 5, "GOOD", id, T0 + 7000);
    id = reserve(5, NULL);
    status(5, "Charging"); /* tells the running session once more */
    CHECK(is(id, RESERVATION_ACTIVE), "what began before uses nothing");
    scene_close(&s);
}

static void no_overdue(void *ctx, struct charger *c, void *session)
{
    (void)ctx, (void)c, (void)session;
}

static void test_time(void)
{
    int64_t id;

    scene_open(&s, NULL);
    id = reserve(1, NULL);
    world_tick(s.w, T0 + 3599999, no_overdue, NULL);
    CHECK(is(id, RESERVATION_ACTIVE), "not yet");
    world_tick(s.w, T0 + 3600000, no_overdue, NULL);
    CHECK(is(id, RESERVATION_EXPIRED) && !charger_reservation(s.c, 0), "over");
    scene_forget(&s);
    world_tick(s.w, T0 + 3700000, no_overdue, NULL);
    CHECK(scene_count(&s, FACT_RESERVATION) == 0, "once");
    starts(s.c, 1, "GOOD", id, T0 + 3500000);
    CHECK(is(id, RESERVATION_USED), "a start that comes late, from an offline queue");
    scene_close(&s);
}

static void test_cancel(void)
{
    int64_t id, command;
    char payload[64];

    scene_open(&s, NULL);
    for (int i = 0; i < 3; i++) {
        id = reserve(1, NULL);
        snprintf(payload, sizeof payload, "{\"reservationId\":%lld}", (long long)id);
        command = ask("CancelReservation", payload, T0 + 1000);
        sent(command, T0 + 1000);
        CHECK(is(id, RESERVATION_ACTIVE) && world_reservation(s.w, id)->cancel == command,
              "until the station has answered it is there");
        if (i == 0)
            answered(command, COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}", T0 + 2000);
        else if (i == 1)
            answered(command, COMMAND_REJECTED, "{\"status\":\"Rejected\"}", T0 + 2000);
        else
            answered(command, COMMAND_ERROR, "InternalError", T0 + 2000);
        CHECK(is(id, i == 0   ? RESERVATION_CANCELLED
                     : i == 1 ? RESERVATION_VOID
                              : RESERVATION_ACTIVE),
              "answer %d", i);
    }
    CHECK(!world_reservation(s.w, id)->cancel &&
              amp_text_is(world_reservation(s.w, id)->why, "InternalError"),
          "why it is still there");
    scene_close(&s);
}

/* What a restart brings back. */
static void test_replay(void)
{
    struct world_config config = { .heartbeat_s = 300 };
    struct scene after = { 0 };
    int64_t used, open;

    scene_open(&s, NULL);
    used = reserve(1, NULL);
    starts(s.c, 1, "GOOD", used, T0 + 1000);
    open = reserve(2, NULL);
    after.w = world_new(&config, scene_emit, &after);
    world_apply(after.w, &(struct fact){ FACT_CHARGER, { .charger = *charger_fact(s.c) } });
    for (int twice = 0; twice < 2; twice++)
        for (size_t i = 0; i < s.count; i++)
            if (s.facts[i]->kind == FACT_RESERVATION)
                world_apply(after.w, s.facts[i]);
    CHECK(after.count == 0, "a replay emits nothing");
    CHECK(world_reservation(after.w, used)->state == RESERVATION_USED &&
              world_reservation(after.w, open)->state == RESERVATION_ACTIVE,
          "as it was");
    CHECK(charger_reservation(world_charger_at(after.w, 0), 0)->key == open &&
              !charger_reservation(world_charger_at(after.w, 0), 1) &&
              world_reservation_id(after.w) == open + 1,
          "one is open");
    world_tick(after.w, T0 + 3600000, no_overdue, NULL);
    CHECK(world_reservation(after.w, open)->state == RESERVATION_EXPIRED, "and goes on living");
    scene_close(&s);
    scene_close(&after);
}

static void test_deleted_charger(void)
{
    int64_t id;

    scene_open(&s, NULL);
    id = reserve(1, NULL);
    CHECK(world_delete_charger(s.w, s.c, T0 + 1000) == 0 && is(id, RESERVATION_VOID),
          "nothing is kept where nothing is");
    scene_close(&s);
}

static void test_many(void)
{
    int64_t id = 0;

    scene_open(&s, NULL);
    for (int i = 0; i < RESERVATIONS_KEPT + 50; i++) {
        id = reserve(1, NULL);
        starts(s.c, 1, "GOOD", id, T0 + 1000 + i);
    }
    CHECK(!world_reservation(s.w, 50) && world_reservation(s.w, 51) && is(id, RESERVATION_USED),
          "old ones are left to the database");
    scene_close(&s);
}

int main(void)
{
    RUN(test_table);
    RUN(test_answers);
    RUN(test_lost_answer);
    RUN(test_shown);
    RUN(test_broken);
    RUN(test_used);
    RUN(test_time);
    RUN(test_cancel);
    RUN(test_replay);
    RUN(test_deleted_charger);
    RUN(test_many);
    return check_end();
}
