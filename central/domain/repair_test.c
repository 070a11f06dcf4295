/* central/domain/repair_test.c - what people do to transactions, what a station can do about it
 * afterwards, and which ones they are asked to look at. */
#include "central/domain/attention.h"
#include "central/domain/power.h"
#include "central/domain/repair.h"
#include "central/domain/scene.h"

static struct scene s;
static struct tag_answer answer;

static int64_t start(int connector, int64_t meter_wh, int64_t at_ms)
{
    return world_start(s.w, s.c,
                       &(struct start_info){ .connector = connector,
                                             .tag = AMP_TEXT("GOOD"),
                                             .meter_wh = meter_wh,
                                             .at_ms = at_ms },
                       at_ms, &answer);
}

static int64_t stop(int64_t id, int64_t meter_wh, int64_t at_ms)
{
    return world_stop(s.w, s.c,
                      &(struct stop_info){
                          .transaction = id, .meter_wh = meter_wh, .at_ms = at_ms },
                      at_ms, &answer);
}

static void reading(int64_t id, int64_t energy_wh, int64_t at_ms)
{
    struct reading_fact r = { .transaction = id,
                              .connector = 1,
                              .at_ms = at_ms,
                              .hash = (uint64_t)(energy_wh * 31 + at_ms),
                              .samples = AMP_TEXT("[]"),
                              .has = READING_ENERGY,
                              .energy_wh = energy_wh };

    world_reading(s.w, s.c, &r, at_ms);
}

static const struct transaction_fact *get(int64_t key)
{
    static const struct transaction_fact none;
    const struct transaction_fact *f = world_transaction(s.w, key);

    CHECK(f != NULL, "transaction %lld is not in memory", (long long)key);
    return f ? f : &none;
}

static int64_t revision(int64_t key)
{
    return get(key)->revision;
}

static void no_overdue(void *ctx, struct charger *c, void *session)
{
    (void)ctx, (void)c, (void)session;
}

static bool has_reason(int64_t key, const char *name)
{
    const struct attention_reason *reasons[32];
    size_t n = attention_reasons(get(key), reasons, AMP_COUNT(reasons));

    for (size_t i = 0; i < n; i++)
        if (!strcmp(reasons[i]->name, name))
            return true;
    return false;
}

static void test_close(void)
{
    int64_t key;

    scene_open(&s, NULL);
    key = start(1, 100, T0);
    reading(key, 700, T0 + 60000);
    CHECK(world_repair_close(s.w, key, revision(key) + 1, -1, 0, T0 + 90000) == AMP_E_BUSY &&
              world_repair_close(s.w, 4711, 0, -1, 0, T0) == AMP_E_ABSENT,
          "refused");
    CHECK(world_repair_close(s.w, key, revision(key), 50, 0, T0) == AMP_E_RANGE &&
              world_repair_close(s.w, key, revision(key), -1, T0 - 1, T0) == AMP_E_RANGE &&
              get(key)->state == TX_RUNNING,
          "no end before the start");
    CHECK(world_repair_close(s.w, key, revision(key), -1, 0, T0 + 90000) == 0, "closed");
    CHECK(get(key)->state == TX_STOPPED && get(key)->meter_stop_wh == 700 &&
              get(key)->stop_ms == T0 + 60000 && get(key)->energy_wh == 600 &&
              get(key)->stop_seen_ms == T0 + 90000,
          "with the last reading");
    CHECK(!charger_transaction(s.c, 1) && (get(key)->flags & TX_FLAG_REPAIRED), "it is over");
    CHECK(world_repair_close(s.w, key, revision(key), -1, 0, T0) == AMP_E_STATE, "once");
    /* the station comes back and says what it knows */
    CHECK(stop(key, 900, T0 + 120000) == key && get(key)->meter_stop_wh == 700 &&
              has_reason(key, "late"),
          "a late stop does not undo it, and is flagged");
    reading(key, 950, T0 + 130000);
    CHECK(get(key)->energy_wh == 600, "nor does a reading");
    scene_close(&s);

    scene_open(&s, NULL);
    key = start(1, 100, T0);
    CHECK(world_repair_close(s.w, key, revision(key), 1100, T0 + 3600000, T0 + 7200000) == 0 &&
              get(key)->energy_wh == 1000 && get(key)->stop_ms == T0 + 3600000,
          "with what a person says");
    reading(key, 1050, T0 + 3000000);
    CHECK(!has_reason(key, "late"), "a late reading that says nothing else is no news");
    reading(key, 1150, T0 + 3000001);
    CHECK(has_reason(key, "late") && get(key)->energy_wh == 1000, "one that says more is");
    scene_close(&s);
}

static void test_correct(void)
{
    static const struct {
        const char *why;
        struct repair_correction r;
        int rc;
        int64_t energy_wh;
    } cases[] = {
        { "the stop", { .has_stop_wh = true, .stop_wh = 900 }, 0, 800 },
        { "the start", { .has_start_wh = true, .start_wh = 50 }, 0, 450 },
        { "both", { true, true, 0, 5, 0, 0, { NULL, 0 } }, 0, 5 },
        { "the time", { .stop_ms = T0 + 5 }, 0, 400 },
        { "the tag", { .tag = { "FRIEND", 6 } }, 0, 400 },
        { "a stop below the start", { .has_stop_wh = true, .stop_wh = 99 }, AMP_E_RANGE, 400 },
        { "a stop before the start", { .stop_ms = T0 - 1 }, AMP_E_RANGE, 400 },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        int64_t key, before;

        scene_open(&s, NULL);
        key = start(1, 100, T0);
        stop(key, 500, T0 + 60000);
        before = revision(key);
        CHECK(world_repair_correct(s.w, key, before, &cases[i].r, T0 + 90000) == cases[i].rc, "%s",
              cases[i].why);
        CHECK(get(key)->energy_wh == cases[i].energy_wh, "%s: %lld Wh", cases[i].why,
              (long long)get(key)->energy_wh);
        CHECK(revision(key) == before + (cases[i].rc == 0), "%s: a revision", cases[i].why);
        CHECK(start(1, 100, T0) == key, "%s: E5: what the station said is known all the same",
              cases[i].why);
        CHECK(stop(key, 500, T0 + 60000) == 0, "%s: E4: and its stop", cases[i].why);
        scene_close(&s);
    }
}

static void test_correct_running(void)
{
    int64_t key;

    scene_open(&s, NULL);
    key = start(1, 100, T0);
    reading(key, 600, T0 + 60000);
    CHECK(world_repair_correct(s.w, key, revision(key),
                               &(struct repair_correction){ .has_stop_wh = true, .stop_wh = 1 },
                               T0) == AMP_E_STATE,
          "it has no end");
    CHECK(world_repair_correct(s.w, key, revision(key),
                               &(struct repair_correction){ .has_start_wh = true, .start_wh = 0 },
                               T0) == 0 &&
              get(key)->energy_wh == 600 && get(key)->state == TX_RUNNING,
          "its start: %lld", (long long)get(key)->energy_wh);
    reading(key, 700, T0 + 120000);
    CHECK(get(key)->energy_wh == 700, "goes on from there");
    CHECK(stop(key, 1000, T0 + 180000) == key && get(key)->energy_wh == 1000 &&
              get(key)->state == TX_STOPPED,
          "its station ends it");
    scene_close(&s);
}

static void test_merge(void)
{
    int64_t key, other, adopted;

    scene_open(&s, NULL);
    key = start(1, 100, T0);
    other = start(2, 100, T0);
    adopted = stop(-1, 900, T0 + 60000); /* two fit */
    CHECK((get(adopted)->flags & TX_FLAG_ADOPTED) && has_reason(adopted, "adopted"), "an orphan");
    CHECK(world_repair_merge(s.w, key, revision(key), adopted, T0) == AMP_E_STATE,
          "a start is no end");
    CHECK(world_repair_merge(s.w, adopted, revision(adopted), 4711, T0) == AMP_E_ABSENT,
          "into nothing");
    CHECK(world_repair_merge(s.w, adopted, revision(adopted), key, T0 + 90000) == 0, "merged");
    CHECK(get(key)->state == TX_STOPPED && get(key)->energy_wh == 800 &&
              get(key)->stop_ms == T0 + 60000,
          "the start has its end");
    CHECK(get(adopted)->state == TX_CANCELLED && get(adopted)->merged_into == key &&
              !has_reason(adopted, "adopted"),
          "the orphan says where it went");
    CHECK(charger_transaction(s.c, 2)->key == other && !charger_transaction(s.c, 1), "one runs");
    CHECK(stop(-1, 900, T0 + 60000) == 0, "E4: the stop again is known");
    CHECK(world_repair_merge(s.w, adopted, revision(adopted), other, T0) == AMP_E_STATE, "once");
    scene_close(&s);
}

static void test_void(void)
{
    int64_t key;

    scene_open(&s, NULL);
    key = start(1, 100, T0);
    CHECK(world_repair_void(s.w, key, revision(key), T0 + 1000) == 0 &&
              get(key)->state == TX_CANCELLED && !charger_transaction(s.c, 1),
          "void while it runs");
    CHECK(stop(key, 500, T0 + 60000) == key && get(key)->state == TX_CANCELLED &&
              has_reason(key, "late"),
          "its stop is flagged");
    CHECK(power_now(s.w, ORG_DEFAULT) == 0, "draws nothing");
    CHECK(world_repair_void(s.w, key, revision(key), T0) == AMP_E_STATE, "once");
    scene_close(&s);
}

/* ---- who should be looked at ---- */

static void test_acknowledge(void)
{
    int64_t key;

    scene_open(&s, NULL);
    key = start(1, 100, T0);
    stop(key, 100, T0 + 1000);
    CHECK(has_reason(key, "noEnergy"), "nothing was charged");
    CHECK(world_acknowledge(s.w, key, revision(key)) == 0 && !has_reason(key, "noEnergy") &&
              (get(key)->flags & TX_FLAG_NO_ENERGY),
          "seen: the flag stays, the call ends");
    stop(key, 400, T0 + 2000);
    CHECK(has_reason(key, "contradicted") && !has_reason(key, "noEnergy"), "a new reason calls");
    scene_close(&s);
}

static void test_silent(void)
{
    int64_t key;

    scene_open(&s, &(struct world_config){ .heartbeat_s = 300,
                                           .stale_after_s = 90,
                                           .silent_after_s = 7200,
                                           .offline_after_s = 600 });
    key = start(1, 100, T0);
    reading(key, 200, T0 + 60000);
    world_seen(s.w, s.c, T0 + 7200000);
    world_tick(s.w, T0 + 7200000, no_overdue, NULL);
    CHECK(!has_reason(key, "silent"), "not yet");
    world_tick(s.w, T0 + 7260000, no_overdue, NULL);
    CHECK(has_reason(key, "silent") && get(key)->state == TX_RUNNING,
          "connected, and nothing for two hours");
    scene_forget(&s);
    world_tick(s.w, T0 + 7320000, no_overdue, NULL);
    CHECK(scene_count(&s, FACT_TRANSACTION) == 0, "told once");
    reading(key, 300, T0 + 7400000);
    CHECK(!has_reason(key, "silent") && !(get(key)->flags & TX_FLAG_SILENT), "heard again");
    world_seen(s.w, s.c, T0 + 7400000);
    world_disconnected(s.w, s.c, &s, 1006, AMP_TEXT("lost"), T0 + 7400000);
    world_tick(s.w, T0 + 7990000, no_overdue, NULL);
    CHECK(!has_reason(key, "offline"), "not yet");
    world_tick(s.w, T0 + 8060000, no_overdue, NULL);
    CHECK(has_reason(key, "offline"), "its station is away for ten minutes");
    CHECK(world_acknowledge(s.w, key, revision(key)) == 0, "seen");
    world_tick(s.w, T0 + 9000000, no_overdue, NULL);
    CHECK(!has_reason(key, "offline"), "and quiet");
    stop(key, 900, T0 + 9100000);
    CHECK(get(key)->state == TX_STOPPED && !(get(key)->flags & TX_FLAG_OFFLINE), "it stops");
    scene_close(&s);
}

static void test_reasons(void) /* every flag has a name of its own and a sentence */
{
    const struct attention_reason *table;
    size_t n = attention_table(&table);
    uint32_t seen = 0;

    for (size_t i = 0; i < n; i++) {
        CHECK(table[i].flag && !(seen & table[i].flag) && table[i].name[0] && table[i].text[0],
              "row %zu", i);
        seen |= table[i].flag;
    }
    CHECK(seen == 2 * (uint32_t)TX_FLAG_INCOMPLETE - 1, "all of them: %x", (unsigned)seen);
}

/* ---- one that is not in memory ---- */

static void test_hold(void)
{
    struct fact *old;
    int64_t key, newest;

    scene_open(&s, NULL);
    key = start(1, 100, T0);
    stop(key, 500, T0 + 1000);
    old = fact_copy(scene_last(&s, FACT_TRANSACTION));
    for (int i = 1; i <= WORLD_CLOSED_KEPT + 1; i++)
        stop(start(1, 500, T0 + i * 10000), 600, T0 + i * 10000 + 5000);
    CHECK(!world_transaction(s.w, key), "forgotten");
    CHECK(world_transaction_hold(s.w, &old->u.transaction) != NULL, "back from the store");
    newest = start(1, 500, T0 + 900000);
    stop(newest, 600, T0 + 905000);
    CHECK(world_repair_void(s.w, key, old->u.transaction.revision, T0) == 0 &&
              get(key)->state == TX_CANCELLED,
          "held, whatever ends meanwhile");
    CHECK(world_transaction_hold(s.w, &old->u.transaction)->state == TX_CANCELLED,
          "what is in memory is newer than what was read");
    world_transaction_let_go(s.w, key);
    CHECK(world_transaction(s.w, key) != NULL, "held twice");
    world_transaction_let_go(s.w, key);
    CHECK(!world_transaction(s.w, key), "let go");
    CHECK(stop(newest, 600, T0 + 905000) == 0, "E4: and nothing newer was forgotten for it");
    free(old);
    scene_close(&s);
}

int main(void)
{
    RUN(test_close);
    RUN(test_correct);
    RUN(test_correct_running);
    RUN(test_merge);
    RUN(test_void);
    RUN(test_acknowledge);
    RUN(test_silent);
    RUN(test_reasons);
    RUN(test_hold);
    return check_end();
}
