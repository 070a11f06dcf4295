/* central/domain/engine_test.c - the states of a transaction: every state with every event, and
 * what leads to each of them from outside. */
#include "central/domain/engine.h"
#include "central/domain/repair.h"
#include "central/domain/scene.h"

static struct scene s;
static struct tag_answer answer;
static int64_t now = T0;

static int64_t start(int connector, const char *tag, int64_t meter_wh, int64_t at_ms)
{
    return world_start(s.w, s.c,
                       &(struct start_info){ .connector = connector,
                                             .tag = amp_text_of(tag),
                                             .meter_wh = meter_wh,
                                             .at_ms = at_ms },
                       now, &answer);
}

static int64_t stop(int64_t id, int64_t meter_wh, int64_t at_ms)
{
    return world_stop(s.w, s.c,
                      &(struct stop_info){
                          .transaction = id, .meter_wh = meter_wh, .at_ms = at_ms },
                      now, &answer);
}

static bool reading(int64_t id, int connector, int64_t energy_wh, int64_t at_ms)
{
    struct reading_fact r = { .transaction = id,
                              .connector = connector,
                              .at_ms = at_ms,
                              .hash = (uint64_t)(energy_wh * 31 + at_ms),
                              .samples = AMP_TEXT("[]"),
                              .has = READING_ENERGY,
                              .energy_wh = energy_wh };

    return world_reading(s.w, s.c, &r, now);
}

static void status(int connector, const char *word)
{
    world_status(s.w, s.c, connector,
                 &(struct connector_fact){ .status = amp_text_of(word), .seen_ms = now });
}

static const struct transaction_fact *get(int64_t key)
{
    static const struct transaction_fact none;
    const struct transaction_fact *f = world_transaction(s.w, key);

    CHECK(f != NULL, "transaction %lld is not in memory", (long long)key);
    return f ? f : &none;
}

static void no_overdue(void *ctx, struct charger *c, void *session)
{
    (void)ctx, (void)c, (void)session;
}

/* A remote start that the station accepted; the transaction's key. */
static int64_t ask(const char *payload, int connector)
{
    int64_t key =
        world_command(s.w, s.c,
                      &(struct command_fact){ .action = AMP_TEXT("RemoteStartTransaction"),
                                              .payload = amp_text_of(payload),
                                              .connector = connector },
                      now);

    world_command_change(s.w, key,
                         &(struct command_change){ .state = COMMAND_SENT,
                                                   .correlation = AMP_TEXT("m") },
                         now);
    world_command_change(s.w, key, &(struct command_change){ .state = COMMAND_ACCEPTED }, now);
    return world_command_get(s.w, key)->transaction;
}

static int64_t ask_stop(int64_t transaction)
{
    int64_t key = world_command(s.w, s.c,
                                &(struct command_fact){ .action = AMP_TEXT("RemoteStopTransaction"),
                                                        .payload = AMP_TEXT("{}"),
                                                        .connector = -1,
                                                        .transaction = transaction },
                                now);

    world_command_change(s.w, key,
                         &(struct command_change){ .state = COMMAND_SENT,
                                                   .correlation = AMP_TEXT("n") },
                         now);
    world_command_change(s.w, key, &(struct command_change){ .state = COMMAND_ACCEPTED }, now);
    return key;
}

/* ---- every state with every event ---- */

static void test_table(void)
{
    enum { PS = TX_PENDING_START, RU = TX_RUNNING, SU = TX_SUSPENDED, PE = TX_PENDING_STOP };
    enum { ST = TX_STOPPED, CO = TX_COMPLETED, BF = TX_BILLING_FAILED, CA = TX_CANCELLED };
    enum { FA = TX_FAILED };
    /* clang-format off */
    static const int want[TX_EVENTS][TX_FAILED + 1] = { /* rows: events, columns: states 1..9 */
        [TX_STARTS]        = { 0, RU, RU, SU, PE, ST, CO, BF, CA, FA },
        [TX_FAULTS]        = { 0, FA, RU, SU, PE, ST, CO, BF, CA, FA },
        [TX_GIVEN_UP]      = { 0, CA, RU, SU, PE, ST, CO, BF, CA, FA },
        [TX_FLOWS]         = { 0, PS, RU, RU, PE, ST, CO, BF, CA, FA },
        [TX_PAUSES]        = { 0, PS, SU, SU, PE, ST, CO, BF, CA, FA },
        [TX_STOP_ACCEPTED] = { 0, PS, PE, PE, PE, ST, CO, BF, CA, FA },
        [TX_STOP_FAILED]   = { 0, PS, RU, SU, RU, ST, CO, BF, CA, FA },
        [TX_STOPS]         = { 0, PS, ST, ST, ST, ST, CO, ST, CA, ST },
        [TX_EMPTY]         = { 0, PS, RU, SU, PE, FA, CO, BF, CA, FA },
        [TX_BILLED]        = { 0, PS, RU, SU, PE, CO, CO, CO, CA, FA },
        [TX_BILL_FAILS]    = { 0, PS, RU, SU, PE, BF, CO, BF, CA, FA },
        [TX_CORRECTED]     = { 0, PS, RU, SU, PE, ST, ST, ST, CA, ST },
        [TX_VOIDED]        = { 0, CA, CA, CA, CA, CA, CA, CA, CA, CA },
    };
    /* clang-format on */
    bool reached[TX_FAILED + 1] = { false };

    for (int e = TX_STARTS; e < TX_EVENTS; e++)
        for (int state = TX_PENDING_START; state <= TX_FAILED; state++) {
            int next = transaction_next(state, (enum transaction_event)e);

            CHECK(next == want[e][state], "event %d in %s: %s", e, transaction_state_name(state),
                  transaction_state_name(next));
            reached[next] = reached[next] || next != state;
        }
    for (int state = TX_RUNNING; state <= TX_FAILED; state++)
        CHECK(reached[state], "nothing leads to %s", transaction_state_name(state));
}

/* ---- asked for from afar ---- */

static void test_pending_start(void)
{
    int64_t key;

    scene_open(&s, NULL);
    key = ask("{\"connectorId\":1,\"idTag\":\"GOOD\"}", 1);
    CHECK(get(key)->state == TX_PENDING_START && amp_text_is(get(key)->tag, "GOOD") &&
              get(key)->connector == 1,
          "it is expected");
    CHECK(!charger_transaction(s.c, 1) && world_open_transactions(s.w, NULL, 0) == 0,
          "and does not run");
    CHECK(start(2, "GOOD", 0, T0) != key && start(1, "LONER", 0, T0) != key,
          "another connector, another tag");
    CHECK(start(1, "good", 100, T0 + 5000) == key && get(key)->state == TX_RUNNING &&
              get(key)->meter_start_wh == 100 && get(key)->start_ms == T0 + 5000,
          "the record becomes the transaction");
    CHECK(start(1, "good", 100, T0 + 5000) == key, "E1: repeated");
    CHECK(stop(key, 300, T0 + 9000) == key && get(key)->energy_wh == 200, "and ends as any");
    scene_close(&s);

    scene_open(&s, NULL);
    key = ask("{\"idTag\":\"GOOD\"}", -1);
    CHECK(start(3, "GOOD", 0, T0) == key && get(key)->connector == 3, "on whatever connector");
    scene_close(&s);
}

static void test_given_up(void)
{
    int64_t key, late;

    scene_open(&s, NULL);
    now = T0;
    key = ask("{\"connectorId\":1,\"idTag\":\"GOOD\"}", 1);
    now = T0 + 179000;
    world_tick(s.w, now, no_overdue, NULL);
    CHECK(get(key)->state == TX_PENDING_START, "there is time yet");
    now = T0 + 180000;
    world_tick(s.w, now, no_overdue, NULL);
    CHECK(get(key)->state == TX_CANCELLED && get(key)->stop_seen_ms == now, "nothing came");
    late = start(1, "GOOD", 0, T0 + 200000);
    CHECK(late != key && get(late)->state == TX_RUNNING, "one that comes after all is its own");
    now = T0;
    scene_close(&s);
}

static void test_faulted_before_start(void)
{
    int64_t key, other;

    scene_open(&s, NULL);
    key = ask("{\"connectorId\":1,\"idTag\":\"GOOD\"}", 1);
    other = ask("{\"connectorId\":2,\"idTag\":\"GOOD\"}", 2);
    status(1, "Preparing");
    CHECK(get(key)->state == TX_PENDING_START, "goes on");
    status(1, "Faulted");
    CHECK(get(key)->state == TX_FAILED && get(other)->state == TX_PENDING_START,
          "its connector cannot charge");
    status(0, "Unavailable");
    CHECK(get(other)->state == TX_FAILED, "nor can the station");
    scene_close(&s);
}

static void test_refused_and_empty(void) /* E15 */
{
    int64_t empty, charged;

    scene_open(&s, NULL);
    empty = start(1, "BAD", 100, T0);
    stop(empty, 100, T0 + 1000);
    CHECK(get(empty)->state == TX_FAILED, "E15: refused, and nothing flowed: %s",
          transaction_state_name(get(empty)->state));
    charged = start(1, "BAD", 100, T0 + 2000);
    stop(charged, 900, T0 + 60000);
    CHECK(get(charged)->state == TX_STOPPED && (get(charged)->attention & TX_FLAG_REFUSED) &&
              get(charged)->energy_wh == 800,
          "E15: refused, and it charged all the same");
    scene_close(&s);
}

static void test_pending_stop(void)
{
    int64_t key, command;

    scene_open(&s, NULL);
    now = T0;
    key = start(1, "GOOD", 0, T0);
    command = ask_stop(key);
    CHECK(get(key)->state == TX_PENDING_STOP, "accepted");
    now = T0 + 120000;
    world_tick(s.w, now, no_overdue, NULL);
    CHECK(get(key)->state == TX_RUNNING && (get(key)->attention & TX_FLAG_STOP_IGNORED),
          "and nothing stopped: a person should know");
    CHECK(world_command_get(s.w, command)->state == COMMAND_NO_EFFECT, "the command says the same");
    ask_stop(key);
    stop(key, 10, now);
    CHECK(get(key)->state == TX_STOPPED, "stopped");
    now = T0;
    scene_close(&s);
}

/* ---- billing ---- */

static int heard;
static struct transaction_fact last;

static void on_stopped(void *ctx, const struct transaction_fact *t)
{
    (void)ctx;
    heard++;
    last = *t;
}

static void test_billing(void)
{
    int64_t key;

    scene_open(&s, NULL);
    heard = 0;
    world_on_stopped(s.w, on_stopped, NULL);
    key = start(1, "GOOD", 0, T0);
    reading(key, 1, 50, T0 + 1000);
    CHECK(heard == 0, "not while it runs");
    CHECK(world_billed(s.w, key, get(key)->revision, true, now) == AMP_E_STATE, "nor billed");
    stop(key, 100, T0 + 2000);
    CHECK(heard == 1 && last.key == key && last.energy_wh == 100, "ready to be billed");
    CHECK(world_billed(s.w, key, get(key)->revision - 1, true, now) == AMP_E_BUSY,
          "a bill of what it was before");
    CHECK(world_billed(s.w, key, get(key)->revision, false, now) == 0 &&
              get(key)->state == TX_BILLING_FAILED,
          "failed");
    CHECK(world_billed(s.w, key, get(key)->revision, true, now) == 0 &&
              get(key)->state == TX_COMPLETED,
          "the second try");
    stop(key, 300, T0 + 3000);
    CHECK(get(key)->state == TX_COMPLETED && get(key)->energy_wh == 100 &&
              (get(key)->attention & TX_FLAG_LATE) && heard == 1,
          "a station changes nothing that is billed");
    CHECK(world_repair_correct(s.w, key, get(key)->revision,
                               &(struct repair_correction){ .has_stop_wh = true, .stop_wh = 300 },
                               now) == 0 &&
              get(key)->state == TX_STOPPED && heard == 2 && last.energy_wh == 300,
          "a person does, and it is billed again");
    scene_close(&s);
}

/* ---- order ---- */

static void test_stop_before_start(void) /* E8 */
{
    int64_t key;

    scene_open(&s, NULL);
    key = stop(-1, 900, T0 + 60000);
    CHECK(get(key)->flags & TX_FLAG_ADOPTED, "E8: a stop of an offline session, without an id");
    CHECK(start(1, "GOOD", 100, T0 + 90000) != key, "a later start is another one");
    CHECK(start(2, "GOOD", 100, T0) == key && get(key)->connector == 2 &&
              get(key)->start_ms == T0 && get(key)->energy_wh == 800 &&
              get(key)->state == TX_STOPPED && amp_text_is(get(key)->tag, "GOOD"),
          "E8: its start comes, and they are one");
    CHECK(start(2, "GOOD", 100, T0) == key, "E5: and again");
    CHECK(stop(-1, 900, T0 + 60000) == 0, "E4: and its stop again");
    CHECK(stop(key, 900, T0 + 60000) == 0, "E4: with the id that it knows now");
    scene_close(&s);

    scene_open(&s, NULL);
    stop(-1, 900, T0 + 60000);
    stop(-1, 950, T0 + 70000);
    key = start(1, "GOOD", 100, T0);
    CHECK(get(key)->state == TX_RUNNING, "E8: two fit, so none: a person decides");
    scene_close(&s);
}

static void test_reading_before_start(void) /* E20 */
{
    int64_t key;

    scene_open(&s, NULL);
    reading(4711, 1, 5000, T0 + 60000);
    key = charger_transaction(s.c, 1)->key;
    reading(4711, 1, 5400, T0 + 120000);
    CHECK(get(key)->energy_wh == 400, "E20: adopted");
    CHECK(start(1, "GOOD", 4800, T0) == key && get(key)->energy_wh == 600 &&
              get(key)->state == TX_RUNNING && get(key)->last_ms == T0 + 120000,
          "E20: its start comes late: %lld Wh", (long long)get(key)->energy_wh);
    CHECK(stop(4711, 6000, T0 + 180000) == key && get(key)->energy_wh == 1200, "and its stop");
    scene_close(&s);

    scene_open(&s, NULL);
    reading(4711, 1, 5000, T0 + 60000);
    key = charger_transaction(s.c, 1)->key;
    CHECK(start(1, "GOOD", 5500, T0 + 90000) != key && (get(key)->flags & TX_FLAG_ZOMBIE),
          "E17: a start after it is another one");
    scene_close(&s);
}

static void test_older_start(void) /* E5, E22 */
{
    int64_t newer, older;

    scene_open(&s, NULL);
    newer = start(1, "GOOD", 500, T0 + 60000);
    older = start(1, "LONER", 100, T0);
    CHECK(charger_transaction(s.c, 1)->key == newer && get(newer)->state == TX_RUNNING,
          "what runs goes on");
    CHECK(get(older)->state == TX_STOPPED && (get(older)->flags & TX_FLAG_ZOMBIE),
          "the older one is over");
    CHECK(stop(older, 480, T0 + 50000) == older && get(older)->energy_wh == 380 &&
              !(get(older)->flags & TX_FLAG_ZOMBIE),
          "its stop says how it ended");
    scene_close(&s);
}

static void test_superseded(void) /* E5, E75 */
{
    int64_t first, key, ghost;

    scene_open(&s, NULL);
    now = T0 + 36000000;
    first = start(1, "GOOD", 0, T0);
    stop(first, 100, T0 + 60000);
    for (int i = 1; i <= WORLD_CLOSED_KEPT; i++)
        stop(start(1, "GOOD", i * 100, T0 + i * 600000), i * 100 + 100, T0 + i * 600000 + 60000);
    CHECK(!world_transaction(s.w, first), "E5: so long ago that it is forgotten");
    ghost = start(1, "GOOD", 0, T0);
    CHECK(get(ghost)->state == TX_STOPPED && !charger_transaction(s.c, 1) &&
              (get(ghost)->attention & TX_FLAG_ZOMBIE),
          "E5: its start again does not run: a person should know");
    CHECK(start(1, "GOOD", 0, T0) == ghost, "E1: and again is the same");
    scene_close(&s);

    scene_open(&s, NULL);
    now = T0;
    first = start(1, "GOOD", 0, T0 + 86400000);
    key = start(1, "GOOD", 500, T0 + 60000);
    CHECK(charger_transaction(s.c, 1)->key == key && get(first)->state == TX_STOPPED,
          "E75: a clock that was a day ahead and was put right: the new one runs");
    scene_close(&s);

    scene_open(&s, NULL);
    first = start(1, "GOOD", 0, T0);
    stop(first, 100, T0 + 60000);
    key = start(1, "GOOD", 100, T0 - 30000);
    CHECK(get(key)->state == TX_RUNNING, "E75: or was put back a little");
    scene_close(&s);
}

static void test_lower_start(void) /* E88 */
{
    static const struct {
        const char *why;
        int64_t stop_wh, start_wh;
        bool flagged;
    } cases[] = {
        { "E88: lower than the last stop", 5000, 4000, true },
        { "as it ended", 5000, 5000, false },
        { "higher", 5000, 5200, false },
        { "E88: counted from 0 each time", 5000, 0, false },
        { "rounded", 5000, 4995, false },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        int64_t key;

        scene_open(&s, NULL);
        key = start(1, "GOOD", 1000, T0);
        stop(key, cases[i].stop_wh, T0 + 1000000);
        key = start(1, "GOOD", cases[i].start_wh, T0 + 2000000);
        CHECK(((get(key)->flags & TX_FLAG_START_BELOW) != 0) == cases[i].flagged, "%s",
              cases[i].why);
        stop(key, cases[i].start_wh + 700, T0 + 3000000);
        CHECK(get(key)->energy_wh == 700, "%s: each session by itself: %lld", cases[i].why,
              (long long)get(key)->energy_wh);
        scene_close(&s);
    }
}

/* ---- what readings move ---- */

static void test_times(void) /* E22, E75, E76, E77 */
{
    static const struct {
        const char *why;
        int64_t start_ms, reading_ms, stop_ms; /* against now */
        uint32_t flags;
    } cases[] = {
        { "as it should be", 0, 900000, 1800000, 0 },
        { "E75: a clock that is a day ahead", 86400000, 87300000, 88200000, TX_FLAG_TIME_ODD },
        { "E75: ten years ahead", 315360000000, 315360900000, 315361800000, TX_FLAG_TIME_ODD },
        { "E77: 1970 all the way", -T0 + 5000, -T0 + 905000, -T0 + 1805000, TX_FLAG_TIME_ODD },
        { "E77: set on the way", -T0 + 5000, 900000, 1800000, TX_FLAG_TIME_ODD },
        { "E24: hours late", -86400000, -85500000, -84600000, 0 },
        { "E22: all at one moment", 0, 0, 0, 0 },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        int64_t key;

        scene_open(&s, NULL);
        now = T0;
        key = start(1, "GOOD", 100, T0 + cases[i].start_ms);
        now = T0 + 900000;
        reading(key, 1, 1100, T0 + cases[i].reading_ms);
        CHECK(get(key)->energy_wh == 1000 && get(key)->last_wh == 1100,
              "%s: a reading moves it: %lld", cases[i].why, (long long)get(key)->energy_wh);
        now = T0 + 1800000;
        stop(key, 2100, T0 + cases[i].stop_ms);
        CHECK(get(key)->energy_wh == 2000 && get(key)->flags == cases[i].flags,
              "%s: %lld Wh, flags %u", cases[i].why, (long long)get(key)->energy_wh,
              (unsigned)get(key)->flags);
        CHECK(cases[i].start_ms < -T0 / 2 || get(key)->start_ms == T0 + cases[i].start_ms,
              "%s: E24: by the station's time", cases[i].why);
        scene_close(&s);
    }
    now = T0;
    scene_open(&s, NULL);
    CHECK(start(1, "GOOD", 100, T0 + 123) != start(2, "GOOD", 100, T0 + 123) &&
              get(1)->start_ms == T0 + 123,
          "E76: milliseconds stay");
    CHECK(start(1, "GOOD", 100, T0 + 123) == 1 && start(1, "GOOD", 100, T0 + 124) != 1,
          "E76: and tell one start from another");
    scene_close(&s);
}

static void test_register(void) /* E87: a reset in the middle, through the engine */
{
    int64_t key;

    scene_open(&s, NULL);
    key = start(1, "GOOD", 5000, T0);
    reading(key, 1, 6000, T0 + 900000);
    reading(key, 1, 100, T0 + 1800000);
    CHECK(get(key)->energy_wh == 1100 && (get(key)->attention & TX_FLAG_METER_RESET), "E87: %lld",
          (long long)get(key)->energy_wh);
    reading(key, 1, 99, T0 + 1700000);
    CHECK(get(key)->energy_wh == 1100, "E22: out of order is no news");
    stop(key, 800, T0 + 2700000);
    CHECK(get(key)->energy_wh == 1800 && get(key)->meter_stop_wh == 800, "E87: %lld",
          (long long)get(key)->energy_wh);
    scene_close(&s);
}

static void test_clock_samples(void) /* E89 */
{
    struct reading_fact r = { .connector = 1,
                              .at_ms = T0 + 60000,
                              .hash = 1,
                              .samples = AMP_TEXT("[]"),
                              .has = READING_ENERGY | READING_POWER | READING_CLOCK,
                              .energy_wh = 150,
                              .power_w = 9999 };
    int64_t key;

    scene_open(&s, NULL);
    key = start(1, "GOOD", 100, T0);
    CHECK(world_reading(s.w, s.c, &r, now) && get(key)->energy_wh == 50,
          "E89: where there is nothing else, it must do");
    reading(key, 1, 200, T0 + 120000);
    scene_forget(&s);
    r = (struct reading_fact){ .connector = 1,
                               .at_ms = T0 + 180000,
                               .hash = 2,
                               .samples = AMP_TEXT("[]"),
                               .has = READING_ENERGY | READING_POWER | READING_CLOCK,
                               .energy_wh = 90000,
                               .power_w = 9999 };
    CHECK(world_reading(s.w, s.c, &r, now) && scene_count(&s, FACT_READING) == 1 &&
              r.transaction == key,
          "E89: it is kept");
    CHECK(get(key)->energy_wh == 100 && get(key)->last_wh == 200, "E89: and moves nothing");
    scene_close(&s);
}

/* ---- energy over time ---- */

static int64_t total(int64_t charger)
{
    int64_t wh = 0;

    for (size_t i = 0; i < s.count; i++)
        if (s.facts[i]->kind == FACT_POWER && s.facts[i]->u.power.charger == charger)
            wh += s.facts[i]->u.power.energy_wh;
    return wh;
}

static int64_t in_slot(int64_t charger, int64_t slot_ms)
{
    int64_t wh = 0;

    for (size_t i = 0; i < s.count; i++)
        if (s.facts[i]->kind == FACT_POWER && s.facts[i]->u.power.charger == charger &&
            s.facts[i]->u.power.slot_ms == slot_ms)
            wh += s.facts[i]->u.power.energy_wh;
    return wh;
}

static void test_power(void) /* E19, E24: by message time, and late readings add up */
{
    int64_t key, charger;

    scene_open(&s, NULL);
    now = T0 + 86400000;
    charger = charger_fact(s.c)->key;
    key = start(1, "GOOD", 0, T0 + 300000); /* five minutes into a slot */
    reading(key, 1, 3000, T0 + 2100000);    /* 30 min later: 10, 15 and 5 minutes */
    CHECK(in_slot(charger, T0) == 1000 && in_slot(charger, T0 + 900000) == 1500 &&
              in_slot(charger, T0 + 1800000) == 500,
          "E24: spread by the station's times: %lld %lld %lld", (long long)in_slot(charger, T0),
          (long long)in_slot(charger, T0 + 900000), (long long)in_slot(charger, T0 + 1800000));
    reading(key, 1, 2000, T0 + 1500000);
    CHECK(total(charger) == 3000, "E22: one in between adds nothing");
    stop(key, 3600, T0 + 2700000);
    reading(key, 1, 3600, T0 + 2700000);
    CHECK(total(charger) == 3600 && total(0) == 3600, "E19: the sum is the session's: %lld",
          (long long)total(charger));
    CHECK(world_repair_correct(s.w, key, get(key)->revision,
                               &(struct repair_correction){ .has_stop_wh = true, .stop_wh = 3000 },
                               now) == 0 &&
              total(charger) == 3000 && total(0) == 3000,
          "and a correction's: %lld", (long long)total(charger));
    now = T0;
    scene_close(&s);
}

static void test_peak(void)
{
    struct reading_fact r = {
        .connector = 1, .hash = 1, .samples = AMP_TEXT("[]"), .has = READING_POWER, .power_w = 7000
    };
    int64_t one, two, most = 0;

    scene_open(&s, NULL);
    now = T0;
    one = start(1, "GOOD", 0, T0);
    two = start(2, "LONER", 0, T0);
    r.transaction = one, r.at_ms = T0 + 1000;
    world_reading(s.w, s.c, &r, now);
    r = (struct reading_fact){ .connector = 2,
                               .hash = 2,
                               .samples = AMP_TEXT("[]"),
                               .has = READING_POWER,
                               .power_w = 4000,
                               .transaction = two,
                               .at_ms = T0 + 2000 };
    world_reading(s.w, s.c, &r, now);
    for (size_t i = 0; i < s.count; i++)
        if (s.facts[i]->kind == FACT_POWER && s.facts[i]->u.power.max_w > most)
            most = s.facts[i]->u.power.max_w;
    CHECK(most == 11000 && power_now(s.w, ORG_DEFAULT) == 11000, "both at once: %lld",
          (long long)most);
    stop(one, 10, T0 + 3000);
    CHECK(power_now(s.w, ORG_DEFAULT) == 4000, "one is over: %lld",
          (long long)power_now(s.w, ORG_DEFAULT));
    stop(two, 10, T0 + 3000);
    CHECK(power_now(s.w, ORG_DEFAULT) == 0, "none");
    scene_close(&s);
}

int main(void)
{
    RUN(test_table);
    RUN(test_pending_start);
    RUN(test_given_up);
    RUN(test_faulted_before_start);
    RUN(test_refused_and_empty);
    RUN(test_pending_stop);
    RUN(test_billing);
    RUN(test_stop_before_start);
    RUN(test_reading_before_start);
    RUN(test_older_start);
    RUN(test_superseded);
    RUN(test_lower_start);
    RUN(test_times);
    RUN(test_register);
    RUN(test_clock_samples);
    RUN(test_power);
    RUN(test_peak);
    return check_end();
}
