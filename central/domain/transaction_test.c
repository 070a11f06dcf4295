/* central/domain/transaction_test.c - starts, stops and readings as the field sends them. The
 * numbers are those of the list of edge cases. */
#include "central/domain/scene.h"

static struct scene s;
static struct tag_answer answer;

static int64_t start(int connector, const char *tag, int64_t meter_wh, int64_t at_ms)
{
    return world_start(s.w, s.c,
                       &(struct start_info){ .connector = connector,
                                             .tag = amp_text_of(tag),
                                             .meter_wh = meter_wh,
                                             .at_ms = at_ms },
                       at_ms < T0 ? T0 : at_ms + 1000, &answer);
}

static int64_t stop_with(struct charger *c, int64_t id, const char *tag, int64_t meter_wh,
                         int64_t at_ms)
{
    return world_stop(s.w, c,
                      &(struct stop_info){ .transaction = id,
                                           .meter_wh = meter_wh,
                                           .at_ms = at_ms,
                                           .tag = amp_text_of(tag),
                                           .reason = AMP_TEXT("Local") },
                      at_ms < T0 ? T0 : at_ms + 1000, &answer);
}

static int64_t stop(int64_t id, int64_t meter_wh, int64_t at_ms)
{
    return stop_with(s.c, id, NULL, meter_wh, at_ms);
}

static struct reading_fact last;

static bool reading(int64_t id, int connector, int64_t energy_wh, int64_t at_ms)
{
    last = (struct reading_fact){ .transaction = id,
                                  .connector = connector,
                                  .at_ms = at_ms,
                                  .hash = (uint64_t)(energy_wh * 31 + at_ms),
                                  .samples = AMP_TEXT("[]"),
                                  .has = READING_ENERGY | READING_POWER,
                                  .energy_wh = energy_wh,
                                  .power_w = 7000 };
    return world_reading(s.w, s.c, &last, at_ms < T0 ? T0 : at_ms + 1000);
}

static const struct transaction_fact *get(int64_t key)
{
    static const struct transaction_fact none;
    const struct transaction_fact *f = world_transaction(s.w, key);

    CHECK(f != NULL, "transaction %lld is not in memory", (long long)key);
    return f ? f : &none;
}

static size_t open_count(void)
{
    return world_open_transactions(s.w, NULL, 0);
}

static void status(int connector, const char *word)
{
    world_status(s.w, s.c, connector,
                 &(struct connector_fact){ .status = amp_text_of(word), .seen_ms = T0 + 50000 });
}

static void test_usual(void)
{
    int64_t key;

    scene_open(&s, NULL);
    key = start(1, "GOOD", 100, T0);
    CHECK(key > 0 && !strcmp(answer.status, "Accepted") && amp_text_is(answer.parent, "FAMILY"),
          "started");
    CHECK(get(key)->state == TX_RUNNING && get(key)->flags == 0 &&
              charger_transaction(s.c, 1) == get(key),
          "running");
    CHECK(reading(key, 1, 600, T0 + 60000) && last.charger == charger_fact(s.c)->key &&
              last.transaction == key,
          "read");
    CHECK(get(key)->last_wh == 600 && get(key)->last_power_w == 7000 &&
              get(key)->last_ms == T0 + 60000,
          "followed");
    CHECK(stop_with(s.c, key, "GOOD", 1100, T0 + 120000) == key &&
              !strcmp(answer.status, "Accepted"),
          "stopped");
    CHECK(get(key)->state == TX_STOPPED && get(key)->flags == 0 && get(key)->meter_stop_wh == 1100,
          "closed");
    CHECK(amp_text_is(get(key)->reason, "Local") && amp_text_is(get(key)->stop_tag, "GOOD"),
          "with its words");
    CHECK(get(key)->start_ms == T0 && get(key)->stop_ms == T0 + 120000, "E24: the station's times");
    CHECK(get(key)->start_seen_ms == T0 + 1000 && get(key)->stop_seen_ms == T0 + 121000,
          "beside ours");
    CHECK(open_count() == 0 && !charger_transaction(s.c, 1), "none open");
    scene_close(&s);
}

static void test_repeated_start(void) /* E1, E2, E3, E5 */
{
    int64_t key;

    scene_open(&s, &(struct world_config){ .heartbeat_s = 300, .one_at_a_time = true });
    key = start(1, "GOOD", 100, T0);
    scene_forget(&s);
    CHECK(start(1, "good", 100, T0) == key, "E1: the same content is the same transaction");
    CHECK(s.count == 0, "E1: and stores nothing");
    CHECK(!strcmp(answer.status, "Accepted"), "E3: not ConcurrentTx because of itself, but %s",
          answer.status);
    CHECK(start(2, "LONER", 100, T0) != key && open_count() == 2,
          "another connector is another one");
    stop(key, 500, T0 + 1000);
    scene_forget(&s);
    CHECK(start(1, "GOOD", 100, T0) == key && s.count == 0, "E5: after its stop, too");
    CHECK(get(key)->state == TX_STOPPED && open_count() == 1, "E5: and stays closed");
    CHECK(start(1, "GOOD", 100, T0 + 2000) != key, "another time is another one");
    scene_close(&s);
}

static void test_concurrent(void)
{
    scene_open(&s, &(struct world_config){ .heartbeat_s = 300, .one_at_a_time = true });
    start(1, "GOOD", 100, T0);
    start(2, "GOOD", 0, T0 + 1);
    CHECK(!strcmp(answer.status, "ConcurrentTx"), "elsewhere: %s", answer.status);
    CHECK(charger_transaction(s.c, 2)->flags & TX_FLAG_REFUSED, "kept all the same");
    start(1, "GOOD", 300, T0 + 2000);
    CHECK(!strcmp(answer.status, "Accepted"),
          "what it replaces on its connector does not count: %s", answer.status);
    scene_close(&s);
    scene_open(&s, NULL);
    start(1, "GOOD", 100, T0);
    start(2, "GOOD", 0, T0 + 1);
    CHECK(!strcmp(answer.status, "Accepted"), "off by default: %s", answer.status);
    scene_close(&s);
}

static void test_repeated_stop(void) /* E4 */
{
    int64_t key;

    scene_open(&s, NULL);
    key = start(1, "GOOD", 100, T0);
    CHECK(stop(key, 500, T0 + 1000) == key, "first");
    scene_forget(&s);
    CHECK(stop(key, 500, T0 + 1000) == 0 && s.count == 0, "E4: again: nothing doubled");
    CHECK(stop_with(s.c, key, "GOOD", 700, T0 + 9000) == key && get(key)->meter_stop_wh == 500 &&
              (get(key)->flags & TX_FLAG_CONTRADICTED),
          "E4: a different one changes nothing and is flagged");
    scene_forget(&s);
    CHECK(stop_with(s.c, key, "GOOD", 700, T0 + 9000) == key && s.count == 0, "E4: once");
    CHECK(!strcmp(answer.status, "Accepted"), "E4: the same answer");
    scene_close(&s);
}

static void test_unknown_stop(void) /* E6, E7, E8, E9 */
{
    static const int64_t ids[] = { 4711, 0, -1, INT64_MAX };

    for (size_t i = 0; i < AMP_COUNT(ids); i++) {
        int64_t key;

        scene_open(&s, NULL);
        key = stop(ids[i], 500, T0);
        CHECK(key > 0 && key <= INT32_MAX, "E6: id %lld: kept as %lld", (long long)ids[i],
              (long long)key);
        CHECK(get(key)->state == TX_STOPPED && (get(key)->flags & TX_FLAG_ADOPTED),
              "closed and flagged");
        CHECK(!(get(key)->flags & TX_FLAG_FOREIGN_STOP), "nobody's");
        scene_forget(&s);
        CHECK(stop(ids[i], 500, T0) == 0 && s.count == 0, "id %lld: repeated", (long long)ids[i]);
        CHECK(open_count() == 0, "nothing is opened by it");
        scene_close(&s);
    }
}

static void
test_stop_without_id(void) /* E7, E8, E9: station, time, meter and tag must leave exactly one */
{
    int64_t one, two;

    scene_open(&s, NULL);
    one = start(1, "GOOD", 100, T0);
    CHECK(stop(-1, 50, T0 + 1000) != one && open_count() == 1, "E8: the meter does not fit");
    CHECK(stop_with(s.c, -1, "LONER", 500, T0 + 1000) != one && open_count() == 1,
          "E8: the tag does not fit");
    CHECK(stop(-1, 500, T0 - 60000) != one && open_count() == 1, "E8: the time does not fit");
    two = start(2, "GOOD", 100, T0 + 2000);
    CHECK(stop(0, 600, T0 + 3000) != one && open_count() == 2, "E7: two fit, so none");
    stop(two, 700, T0 + 4000);
    CHECK(stop_with(s.c, -1, "FRIEND", 800, T0 + 5000) == one, "E8: one fits");
    CHECK((get(one)->flags & TX_FLAG_ADOPTED) && get(one)->state == TX_STOPPED,
          "E8: flagged, as it was a guess");
    CHECK(stop_with(s.c, -1, "FRIEND", 800, T0 + 5000) == 0, "E4: repeated");
    scene_close(&s);
}

static void test_foreign_stop(void) /* E11 */
{
    int64_t mine, theirs;

    scene_open(&s, NULL);
    mine = start(1, "GOOD", 100, T0);
    theirs = stop_with(s.other, mine, NULL, 900, T0 + 1000);
    CHECK(get(mine)->state == TX_RUNNING && open_count() == 1, "E11: ours goes on");
    CHECK(theirs > 0 && theirs != mine && get(theirs)->charger == charger_fact(s.other)->key,
          "E11: theirs is theirs");
    CHECK((get(theirs)->flags & (TX_FLAG_ADOPTED | TX_FLAG_FOREIGN_STOP)) ==
              (TX_FLAG_ADOPTED | TX_FLAG_FOREIGN_STOP),
          "flagged");
    CHECK(stop_with(s.other, mine, NULL, 900, T0 + 1000) == 0, "repeated");
    CHECK(stop(mine, 600, T0 + 2000) == mine, "and ours can stop");
    scene_close(&s);
}

static void test_stop_tags(void) /* E12, E13 */
{
    static const struct {
        const char *why, *start, *stop, *status;
    } cases[] = {
        { "E12: who started may stop", "GOOD", "good", "Accepted" },
        { "E12: even when refused at the start", "BAD", "BAD", "Accepted" },
        { "E12: one of the family", "GOOD", "FRIEND", "Accepted" },
        { "E12: a stranger is told so", "GOOD", "NOBODY", "Invalid" },
        { "E13: no tag, no answer about one", "GOOD", NULL, NULL },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        int64_t key;

        scene_open(&s, NULL);
        key = start(1, cases[i].start, 0, T0);
        CHECK(stop_with(s.c, key, cases[i].stop, 10, T0 + 1) == key, "%s: stopped in any case",
              cases[i].why);
        CHECK(cases[i].status ? answer.status && !strcmp(answer.status, cases[i].status)
                              : !answer.status,
              "%s: got %s", cases[i].why, answer.status ? answer.status : "none");
        scene_close(&s);
    }
}

static void test_odd_stops(void) /* E14 */
{
    static const struct {
        const char *why;
        int64_t meter_wh, after_ms;
        uint32_t flags;
    } cases[] = {
        { "as it should be", 200, 1000, 0 },
        { "before the start", 200, -1000, TX_FLAG_TIME_ODD },
        { "meter went back", 50, 1000, TX_FLAG_METER_BACK },
        { "nothing was charged", 100, 1000, TX_FLAG_NO_ENERGY },
        { "both", 50, -1000, TX_FLAG_METER_BACK | TX_FLAG_TIME_ODD },
        { "clock never set (1970)", 200, -T0 + 60, TX_FLAG_TIME_ODD },
    };
    int64_t key;

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        scene_open(&s, NULL);
        key = start(1, "GOOD", 100, T0);
        CHECK(stop(key, cases[i].meter_wh, T0 + cases[i].after_ms) == key, "%s: kept",
              cases[i].why);
        CHECK(get(key)->flags == cases[i].flags, "%s: flags %u", cases[i].why,
              (unsigned)get(key)->flags);
        CHECK(get(key)->meter_stop_wh == cases[i].meter_wh, "%s: not corrected", cases[i].why);
        scene_close(&s);
    }
    scene_open(&s, NULL);
    key = start(1, "GOOD", 100, T0);
    world_stop(s.w, s.c,
               &(struct stop_info){ .transaction = key, .meter_wh = 200, .at_ms = T0 + 86400000 },
               T0 + 1000, &answer);
    CHECK(get(key)->flags == TX_FLAG_TIME_ODD, "a stop in the future");
    scene_close(&s);
}

static void test_refused_and_unknown(void) /* E15, E16 */
{
    int64_t key;

    scene_open(&s, NULL);
    key = start(1, "BAD", 0, T0);
    CHECK(!strcmp(answer.status, "Blocked") && get(key)->flags == TX_FLAG_REFUSED,
          "E15: refused and kept");
    CHECK(reading(key, 1, 40, T0 + 1000) && get(key)->last_wh == 40,
          "E15: energy that flows all the same is counted");
    key = start(2, "STRANGER", 0, T0);
    CHECK(!strcmp(answer.status, "Invalid"), "E16: unknown");
    CHECK(get(key)->flags == (TX_FLAG_REFUSED | TX_FLAG_UNKNOWN_TAG) &&
              amp_text_is(get(key)->tag, "STRANGER"),
          "E16: kept, flagged");
    scene_close(&s);
}

static void test_zombie(void) /* E17 */
{
    int64_t old, fresh;

    scene_open(&s, NULL);
    old = start(1, "GOOD", 100, T0);
    reading(old, 1, 450, T0 + 60000);
    fresh = start(1, "LONER", 500, T0 + 90000);
    CHECK(fresh != old && open_count() == 1 && charger_transaction(s.c, 1) == get(fresh),
          "E17: one runs");
    CHECK(get(old)->state == TX_STOPPED && (get(old)->flags & TX_FLAG_ZOMBIE),
          "E17: the old one is closed, flagged");
    CHECK(get(old)->meter_stop_wh == 450 && get(old)->stop_ms == T0 + 60000,
          "E17: with its last reading");
    CHECK(reading(old, 1, 470, T0 + 70000), "a late reading of it");
    CHECK(get(old)->meter_stop_wh == 470 && get(old)->state == TX_STOPPED,
          "E19: adjusts, does not reopen");
    CHECK(stop(old, 480, T0 + 80000) == old, "its true stop comes after all");
    CHECK(get(old)->meter_stop_wh == 480 && !(get(old)->flags & TX_FLAG_ZOMBIE),
          "and is better than the guess");
    CHECK(stop(old, 480, T0 + 80000) == 0, "once");
    CHECK(get(fresh)->state == TX_RUNNING, "the new one is not touched");
    scene_close(&s);
}

static void test_reading_without_id(void) /* E18, E21 */
{
    int64_t key;

    scene_open(&s, NULL);
    CHECK(reading(0, 1, 90, T0 - 3600000) && last.transaction == 0, "E21: outside a session");
    key = start(1, "GOOD", 100, T0);
    CHECK(reading(0, 1, 200, T0 + 1000) && last.transaction == key && get(key)->last_wh == 200,
          "E18: by connector and time");
    CHECK(reading(-1, 1, 210, T0 + 2000) && last.transaction == key, "E8: the same with -1");
    CHECK(reading(0, 2, 5, T0 + 2000) && last.transaction == 0, "another connector");
    CHECK(reading(0, 0, 5000, T0 + 2000) && last.transaction == 0, "E27: the main meter");
    CHECK(reading(0, 1, 50, T0 - 60000) && last.transaction == 0, "from before the start");
    stop(key, 300, T0 + 3000);
    CHECK(reading(0, 1, 250, T0 + 2500) && last.transaction == key, "late, but of its time");
    CHECK(reading(0, 1, 300, T0 + 60000) && last.transaction == 0, "after its time");
    scene_close(&s);
}

static void test_late_reading(void) /* E19, E22 */
{
    int64_t key;

    scene_open(&s, NULL);
    key = start(1, "GOOD", 100, T0);
    CHECK(reading(key, 1, 300, T0 + 3000), "in order");
    CHECK(reading(key, 1, 200, T0 + 2000), "E22: out of order is kept");
    CHECK(get(key)->last_wh == 300 && !(get(key)->flags & TX_FLAG_METER_BACK),
          "E22: but is not the newest");
    CHECK(reading(key, 1, 310, T0 + 3000) && get(key)->last_wh == 310, "E22: the same time again");
    stop(key, 400, T0 + 4000);
    scene_forget(&s);
    CHECK(reading(key, 1, 400, T0 + 4000) && scene_count(&s, FACT_READING) == 1,
          "E19: late is kept");
    CHECK(reading(key, 1, 999, T0 + 5000) && get(key)->meter_stop_wh == 400,
          "E19: does not change the end");
    CHECK(get(key)->state == TX_STOPPED && open_count() == 0, "E19: does not reopen");
    key = start(1, "GOOD", 400, T0 + 6000);
    reading(key, 1, 300, T0 + 7000);
    CHECK(get(key)->flags & TX_FLAG_METER_BACK, "a register that falls is flagged");
    scene_close(&s);
}

static void test_repeated_reading(void)
{
    int64_t key;

    scene_open(&s, NULL);
    key = start(1, "GOOD", 0, T0);
    for (int i = 1; i <= 40; i++)
        CHECK(reading(key, 1, i, T0 + i * 1000), "reading %d", i);
    scene_forget(&s);
    for (int i = 40; i > 40 - HASHES_KEPT; i--)
        CHECK(!reading(key, 1, i, T0 + i * 1000), "reading %d repeated", i);
    CHECK(s.count == 0, "repetitions store nothing");
    scene_close(&s);
}

static void test_adopted_reading(void) /* E20 */
{
    int64_t key, old;

    scene_open(&s, NULL);
    CHECK(reading(4711, 1, 5000, T0) && last.transaction > 0, "E20: adopted");
    key = last.transaction;
    CHECK(get(key)->state == TX_RUNNING && (get(key)->flags & TX_FLAG_ADOPTED),
          "E20: it runs, flagged");
    CHECK(key != 4711 && get(key)->meter_start_wh == 5000, "with a key of our own");
    CHECK(reading(4711, 1, 5600, T0 + 60000) && last.transaction == key && open_count() == 1,
          "the next goes there");
    CHECK(reading(4712, 1, 5700, T0 + 70000) && last.transaction == key,
          "a second id on a busy connector does not open another");
    CHECK(stop(4711, 6000, T0 + 90000) == key && get(key)->meter_stop_wh == 6000,
          "its stop finds it");
    CHECK(stop(4711, 6000, T0 + 90000) == 0, "E4");
    CHECK(reading(4711, 0, 1, T0) && last.transaction == key, "by id, whatever the connector");
    CHECK(reading(99999, 0, 1, T0) && last.transaction == 0,
          "nothing is adopted for the main meter");
    old = start(1, "GOOD", 0, T0 + 100000);
    world_reading(s.w, s.other,
                  &(struct reading_fact){
                      .transaction = old, .connector = 1, .at_ms = T0, .samples = AMP_TEXT("[]") },
                  T0);
    CHECK(open_count() == 1, "E11: another charger's is not adopted");
    scene_close(&s);
}

static void test_status_and_state(void) /* E26, E27, E28 */
{
    static const struct {
        int connector;
        const char *status;
        int state;
    } steps[] = {
        { 1, "SuspendedEV", TX_SUSPENDED },   { 1, "Charging", TX_RUNNING },
        { 1, "SuspendedEVSE", TX_SUSPENDED }, { 1, "SuspendedEV", TX_SUSPENDED },
        { 2, "Charging", TX_SUSPENDED },      { 0, "Charging", TX_SUSPENDED },
        { 1, "Charging", TX_RUNNING },        { 1, "Available", TX_RUNNING },
        { 0, "Faulted", TX_RUNNING },         { 0, "SuspendedEV", TX_RUNNING },
        { 1, "Faulted", TX_RUNNING },         { 1, "Finishing", TX_RUNNING },
        { 1, "nonsense", TX_RUNNING },
    };
    int64_t key, odd;

    scene_open(&s, NULL);
    key = start(1, "GOOD", 0, T0);
    for (size_t i = 0; i < AMP_COUNT(steps); i++) {
        status(steps[i].connector, steps[i].status);
        CHECK(get(key)->state == steps[i].state, "step %zu, %s on %d: %d", i, steps[i].status,
              steps[i].connector, get(key)->state);
    }
    odd = start(0, "GOOD", 0, T0);
    status(0, "SuspendedEV");
    CHECK(get(odd)->state == TX_RUNNING, "E27: not even one that names connector 0");
    stop(key, 10, T0 + 1000);
    status(1, "Charging");
    CHECK(get(key)->state == TX_STOPPED, "a closed one stays closed");
    scene_close(&s);
}

static void test_clock_never_set(void) /* E77 */
{
    int64_t key;

    scene_open(&s, NULL);
    key = start(1, "GOOD", 7, 1000);
    CHECK(get(key)->start_ms == T0 && get(key)->flags == TX_FLAG_TIME_ODD, "our time, flagged");
    CHECK(start(1, "GOOD", 7, 9000) == key, "its second try tells another wrong time");
    CHECK(reading(0, 1, 9, 5000) && last.transaction == key,
          "a reading with such a time is of now");
    key = start(2, "GOOD", 7, T0 + 5000);
    CHECK(get(key)->flags == 0 && reading(key, 2, 8, 5000), "a clock that is lost on the way");
    CHECK(get(key)->flags == TX_FLAG_TIME_ODD && get(key)->last_wh == 7,
          "flagged, and older than the start");
    scene_close(&s);
}

static void test_keys(void) /* E7, E10 */
{
    int64_t first;

    scene_open(&s, NULL);
    world_set_keys(s.w, 0, 500, 0);
    first = start(1, "GOOD", 0, T0);
    CHECK(first == 500, "from the counter: %lld", (long long)first);
    world_set_keys(s.w, 0, 20, 0);
    CHECK(start(2, "GOOD", 0, T0) == 501, "the counter never goes back");
    CHECK(amp_text_is(get(first)->uid, "t500"), "a text id of our own: %.*s",
          AMP_FMT(get(first)->uid));
    scene_close(&s);
}

static void test_memory_of_closed(void)
{
    int64_t keys[WORLD_CLOSED_KEPT + 2], long_one;

    scene_open(&s, NULL);
    long_one = start(2, "GOOD", 0, T0);
    for (int i = 0; i < WORLD_CLOSED_KEPT + 2; i++) {
        keys[i] = start(1, "GOOD", i, T0 + i * 10000);
        stop(keys[i], i + 1, T0 + i * 10000 + 5000);
    }
    CHECK(!world_transaction(s.w, keys[0]) && !world_transaction(s.w, keys[1]),
          "the oldest are forgotten");
    CHECK(world_transaction(s.w, keys[2]) && get(long_one)->state == TX_RUNNING,
          "newer and open ones are not");
    CHECK(stop(long_one, 900, T0 + 900000) == long_one && stop(long_one, 900, T0 + 900000) == 0,
          "the one that closed last is known, old as it is");
    CHECK(reading(keys[0], 1, 1, T0 + 2000) && last.transaction == 0,
          "E19: an id of ours that is forgotten is not adopted again");
    scene_close(&s);
}

int main(void)
{
    RUN(test_usual);
    RUN(test_repeated_start);
    RUN(test_concurrent);
    RUN(test_repeated_stop);
    RUN(test_unknown_stop);
    RUN(test_stop_without_id);
    RUN(test_foreign_stop);
    RUN(test_stop_tags);
    RUN(test_odd_stops);
    RUN(test_refused_and_unknown);
    RUN(test_zombie);
    RUN(test_reading_without_id);
    RUN(test_late_reading);
    RUN(test_repeated_reading);
    RUN(test_adopted_reading);
    RUN(test_status_and_state);
    RUN(test_clock_never_set);
    RUN(test_keys);
    RUN(test_memory_of_closed);
    return check_end();
}
