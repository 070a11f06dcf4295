/* central/domain/event_test.c - numbered events in any order. The numbers are those of the list of
 * edge cases. */
#include "central/domain/event.h"
#include "central/domain/repair.h"
#include "central/domain/scene.h"
#include <stdio.h>

#define NOW  (T0 + 600000)
#define MOST 5

/* One event of a session; its reading is of the same moment. */
struct said {
    enum event_kind kind;
    int64_t seq, meter_wh;
    const char *tag;
    bool bare; /* no meter in it */
};
struct session {
    const char *why;
    struct said events[MOST];
    size_t count;
    int64_t energy_wh;
    int state;
    uint32_t flags;
};
static const struct session sessions[] = {
    { "as usual",
      { { EVENT_STARTED, 0, 1000, "GOOD", false },
        { EVENT_UPDATED, 1, 1500, NULL, false },
        { EVENT_UPDATED, 2, 2000, NULL, false },
        { EVENT_ENDED, 3, 2500, "FRIEND", false } },
      4,
      1500,
      TX_STOPPED,
      0 },
    { "the cable first, the tag later, and another one that stops",
      { { EVENT_STARTED, 0, 1000, NULL, false },
        { EVENT_UPDATED, 1, 1000, "GOOD", false },
        { EVENT_UPDATED, 2, 2000, NULL, true },
        { EVENT_UPDATED, 3, 3000, "FRIEND", false },
        { EVENT_ENDED, 4, 3000, NULL, false } },
      5,
      2000,
      TX_STOPPED,
      0 },
    { "refused and empty",
      { { EVENT_STARTED, 0, 1000, "BAD", false },
        { EVENT_UPDATED, 1, 1000, NULL, false },
        { EVENT_ENDED, 2, 1000, NULL, false } },
      3,
      0,
      TX_FAILED,
      TX_FLAG_REFUSED | TX_FLAG_NO_ENERGY },
    { "refused, and it charged",
      { { EVENT_STARTED, 0, 1000, NULL, false },
        { EVENT_UPDATED, 1, 1000, "BAD", false },
        { EVENT_UPDATED, 2, 4000, NULL, false },
        { EVENT_ENDED, 3, 6000, NULL, false } },
      4,
      5000,
      TX_STOPPED,
      TX_FLAG_REFUSED },
    { "counted on from the session before",
      { { EVENT_STARTED, 40, 0, "LONER", false },
        { EVENT_UPDATED, 41, 10, NULL, false },
        { EVENT_UPDATED, 42, 20, NULL, false },
        { EVENT_ENDED, 43, 30, NULL, false } },
      4,
      30,
      TX_STOPPED,
      0 },
};

static struct scene s;
static struct tag_answer answer;
static size_t bills;
static int64_t billed_revision;

static void bill(void *ctx, const struct transaction_fact *f)
{
    (void)ctx;
    bills++;
    billed_revision = f->revision;
}

static int64_t say_to(struct charger *c, const char *uid, const struct said *e, int64_t at_ms)
{
    struct reading_fact r = { .at_ms = at_ms,
                              .hash = (uint64_t)at_ms,
                              .samples = AMP_TEXT("[]"),
                              .has = READING_ENERGY,
                              .energy_wh = e->meter_wh };
    struct event_info info = { .uid = amp_text_of(uid),
                               .kind = e->kind,
                               .seq = e->seq,
                               .offline = true,
                               .connector = e->kind == EVENT_STARTED ? 1 : 0,
                               .tag = amp_text_of(e->tag),
                               .reason = amp_text_of(e->kind == EVENT_ENDED ? "Local" : NULL),
                               .has_meter = !e->bare && e->kind != EVENT_UPDATED,
                               .meter_wh = e->meter_wh,
                               .at_ms = at_ms,
                               .readings = &r,
                               .count = e->bare ? 0 : 1 };

    return world_event(s.w, c, &info, NOW, &answer);
}

static int64_t say(const struct said *e)
{
    return say_to(s.c, "abc", e, T0 + (e->seq % 40) * 60000);
}

static const struct transaction_fact *get(int64_t key)
{
    static const struct transaction_fact none;
    const struct transaction_fact *f = world_transaction(s.w, key);

    CHECK(f != NULL, "transaction %lld is not in memory", (long long)key);
    return f ? f : &none;
}

/* All that the order must not change: everything but how often it changed. */
static void write_down(const struct transaction_fact *f, char *out, size_t cap)
{
    int n = snprintf(out, cap, "%lld %d %d %x %x %d ", (long long)f->key, (int)f->connector,
                     (int)f->state, (unsigned)f->flags, (unsigned)f->attention, (int)f->meter);

    const int64_t numbers[] = { f->org,
                                f->charger,
                                f->start_ms,
                                f->start_seen_ms,
                                f->stop_ms,
                                f->stop_seen_ms,
                                f->meter_start_wh,
                                f->meter_stop_wh,
                                f->last_wh,
                                f->last_ms,
                                f->last_power_w,
                                f->reservation,
                                f->energy_wh,
                                f->register_ms,
                                f->offset_wh,
                                f->before_wh,
                                f->heard_ms,
                                f->merged_into,
                                f->events,
                                f->seq_last,
                                f->tag_seq,
                                (int64_t)f->start_hash,
                                (int64_t)f->stop_hash };
    const struct amp_text texts[] = { f->uid, f->tag, f->stop_tag, f->reason, f->missing };

    for (size_t i = 0; i < AMP_COUNT(numbers); i++)
        n += snprintf(out + n, cap - (size_t)n, "%zu:%lld ", i, (long long)numbers[i]);
    for (size_t i = 0; i < AMP_COUNT(texts); i++)
        n += snprintf(out + n, cap - (size_t)n, "'%.*s' ", (int)texts[i].len,
                      texts[i].at ? texts[i].at : "");
}

/* A second world from the facts so far takes the place of the first. */
static void restart(void)
{
    struct scene old = s;

    scene_open(&s, NULL);
    for (size_t i = 0; i < old.count; i++)
        world_apply(s.w, old.facts[i]);
    world_on_stopped(s.w, bill, NULL);
    scene_close(&old);
}

/* One order. `again`: after each event it comes again, and the very first one too. */
static void play(const struct session *it, const size_t *order, bool again, size_t restart_before,
                 char *out, size_t cap)
{
    int64_t key = 0;

    scene_open(&s, NULL);
    world_on_stopped(s.w, bill, NULL);
    bills = 0;
    for (size_t i = 0; i < it->count; i++) {
        const struct said *e = &it->events[order[i]];
        int64_t got;

        if (i == restart_before)
            restart();
        got = say(e);
        CHECK(!key || got == key, "%s: one record, not %lld and %lld", it->why, (long long)key,
              (long long)got);
        key = got;
        CHECK(!e->tag || answer.status, "%s: every tag is answered", it->why);
        if (again) {
            size_t before = s.count;

            CHECK(say(e) == key && say(&it->events[order[0]]) == key && s.count == before,
                  "E25: %s: a duplicate stores nothing", it->why);
        }
        if (i + 1 < it->count && it->events[0].seq == 0)
            CHECK(!(get(key)->flags & TX_FLAG_INCOMPLETE) ==
                      (!get(key)->missing.len && (get(key)->events & EVENT_STARTED)),
                  "E25: %s: incomplete as long as something is missing", it->why);
    }
    CHECK(it->state == TX_STOPPED ? bills && billed_revision == get(key)->revision : !bills,
          "E25: %s: billing is told, and of no older state than the last", it->why);
    write_down(get(key), out, cap);
    CHECK(get(key)->state == it->state && get(key)->energy_wh == it->energy_wh &&
              get(key)->flags == it->flags,
          "E25: %s: state %d, %lld Wh, flags %x", it->why, (int)get(key)->state,
          (long long)get(key)->energy_wh, (unsigned)get(key)->flags);
    CHECK(world_open_transactions(s.w, NULL, 0) == 0, "%s: nothing runs", it->why);
    scene_close(&s);
}

static bool next_order(size_t *order, size_t n)
{
    size_t i = n - 1, j = n - 1, t;

    while (i > 0 && order[i - 1] > order[i])
        i--;
    if (i == 0)
        return false;
    while (order[j] < order[i - 1])
        j--;
    t = order[j], order[j] = order[i - 1], order[i - 1] = t;
    for (size_t a = i, b = n - 1; a < b; a++, b--)
        t = order[a], order[a] = order[b], order[b] = t;
    return true;
}

static void test_every_order(void) /* E25 */
{
    for (size_t k = 0; k < AMP_COUNT(sessions); k++) {
        const struct session *it = &sessions[k];
        size_t order[MOST] = { 0, 1, 2, 3, 4 };
        char want[1500], got[1500];

        play(it, order, false, MOST, want, sizeof want);
        do {
            play(it, order, true, MOST, got, sizeof got);
            CHECK(!strcmp(want, got), "E25: %s: order %zu%zu%zu ends as\n%s, not\n%s", it->why,
                  order[0], order[1], order[2], got, want);
            for (size_t cut = 1; cut < it->count; cut++) {
                play(it, order, false, cut, got, sizeof got);
                CHECK(!strcmp(want, got), "E25: %s: restart before %zu: ends as\n%s, not\n%s",
                      it->why, cut, got, want);
            }
        } while (next_order(order, it->count));
    }
}

static void test_billing(void) /* E25 */
{
    static const struct said *e = sessions[0].events;
    int64_t key;

    scene_open(&s, NULL);
    world_on_stopped(s.w, bill, NULL);
    bills = 0;
    key = say(&e[3]);
    say(&e[1]);
    CHECK(get(key)->state == TX_STOPPED && bills == 0 && get(key)->energy_wh == 0 &&
              !(get(key)->flags & TX_FLAG_NO_ENERGY),
          "E25: what it took is not known before its start is, and not billed");
    CHECK(get(key)->attention & TX_FLAG_INCOMPLETE, "E25: a person can see that");
    say(&e[0]);
    CHECK(bills == 1 && get(key)->energy_wh == 1500 && get(key)->state == TX_STOPPED,
          "E25: the start closes the sum and reopens nothing");
    CHECK(amp_text_is(get(key)->missing, "2"), "E25: one reading is still to come");
    CHECK(world_billed(s.w, key, get(key)->revision, true, NOW) == 0, "billed");
    say(&e[2]);
    CHECK(get(key)->state == TX_COMPLETED && !get(key)->flags && !get(key)->attention,
          "E25: a late update of one that is billed");
    scene_close(&s);
}

static void test_gaps(void) /* E25 */
{
    static const struct {
        int64_t seq;
        const char *missing;
    } steps[] = {
        { 3, "0-2" },
        { 0, "1-2" },
        { 10, "1-2,4-9" },
        { 6, "1-2,4-5,7-9" },
        { 7, "1-2,4-5,8-9" },
        { 1, "2,4-5,8-9" },
        { 9, "2,4-5,8" },
        { 2, "4-5,8" },
        { 2, "4-5,8" },
        { 4, "5,8" },
        { 8, "5" },
        { 5, "" },
        { 5, "" },
        { 11, "" },
    };
    int64_t key = 0;

    scene_open(&s, NULL);
    for (size_t i = 0; i < AMP_COUNT(steps); i++) {
        struct said e = { steps[i].seq ? EVENT_UPDATED : EVENT_STARTED, steps[i].seq,
                          100 * steps[i].seq, "GOOD", false };

        key = say(&e);
        CHECK(amp_text_is(get(key)->missing, steps[i].missing) ||
                  (!get(key)->missing.len && !*steps[i].missing),
              "E25: after %lld: '%.*s'", (long long)steps[i].seq, (int)get(key)->missing.len,
              get(key)->missing.at);
        if (i == 4)
            restart();
    }
    CHECK(!(get(key)->flags & TX_FLAG_INCOMPLETE) && get(key)->energy_wh == 1100, "E25: complete");
    scene_close(&s);
}

static void test_many_gaps(void) /* E25: bounded, and never complete by mistake */
{
    struct said e = { EVENT_STARTED, 0, 0, "GOOD", true };
    int64_t key;

    scene_open(&s, NULL);
    key = say(&e);
    e.kind = EVENT_UPDATED;
    for (e.seq = 2; e.seq <= 400; e.seq += 2)
        say(&e);
    CHECK(get(key)->missing.len < 200 && (get(key)->flags & TX_FLAG_INCOMPLETE), "%u bytes",
          (unsigned)get(key)->missing.len);
    for (e.seq = 1; e.seq < 399; e.seq += 2)
        say(&e);
    CHECK(get(key)->flags & TX_FLAG_INCOMPLETE, "E25: one is missing for certain");
    for (e.seq = 1; e.seq <= 400; e.seq++)
        say(&e);
    CHECK(!(get(key)->flags & TX_FLAG_INCOMPLETE) && !get(key)->missing.len,
          "E25: all have come, some of them again");
    scene_close(&s);
}

static void test_whose(void) /* E25 */
{
    static const struct said *e = sessions[0].events;
    int64_t mine, other, old;

    scene_open(&s, NULL);
    old = world_start(s.w, s.c, &(struct start_info){ .connector = 2, .at_ms = T0 }, NOW, &answer);
    mine = say_to(s.c, "abc", &e[0], T0);
    other = say_to(s.other, "abc", &e[0], T0);
    CHECK(mine != other && get(mine)->charger != get(other)->charger,
          "E25: the same id of another charger is another transaction");
    say_to(s.other, "abc", &e[3], T0 + 60000);
    CHECK(get(mine)->state == TX_RUNNING && get(other)->state == TX_STOPPED, "E25: and ends alone");
    CHECK(amp_text_is(get(old)->uid, "t1") && say_to(s.c, "t1", &e[1], T0) != old,
          "E25: our own text ids are no names of theirs");
    scene_close(&s);
}

static void test_two_in_a_row(void) /* E25, E17, E24 */
{
    static const struct said *e = sessions[0].events;
    int64_t first, second;

    scene_open(&s, NULL);
    second = say_to(s.c, "second", &e[0], T0 + 300000);
    first = say_to(s.c, "first", &e[0], T0);
    CHECK(get(second)->state == TX_RUNNING && get(first)->state == TX_STOPPED &&
              (get(first)->flags & TX_FLAG_ZOMBIE),
          "E25: an older one that comes late does not run, and ends nothing");
    CHECK(say_to(s.c, "first", &e[3], T0 + 120000) == first && get(first)->stop_ms == T0 + 120000 &&
              get(first)->energy_wh == 1500 && !(get(first)->flags & TX_FLAG_ZOMBIE),
          "E24, E25: its true end comes, by the time of the message");
    say_to(s.c, "third", &e[0], T0 + 400000);
    CHECK(get(second)->state == TX_STOPPED && (get(second)->flags & TX_FLAG_ZOMBIE),
          "E17, E25: the next one ends it");
    scene_close(&s);
}

static void test_repaired(void) /* E25 */
{
    static const struct said *e = sessions[0].events;
    int64_t key;

    scene_open(&s, NULL);
    key = say(&e[1]);
    CHECK(world_repair_close(s.w, key, get(key)->revision, 1800, 0, NOW) == 0,
          "closed by a person");
    say(&e[0]);
    CHECK(get(key)->meter_start_wh == 1500 && get(key)->meter_stop_wh == 1800 &&
              (get(key)->flags & TX_FLAG_LATE),
          "E25: a person's word is the last");
    scene_close(&s);
}

static void test_awaited(void) /* E25 */
{
    static const struct said *e = sessions[0].events;
    struct event_info online = { .uid = AMP_TEXT("now"),
                                 .kind = EVENT_STARTED,
                                 .connector = 1,
                                 .tag = AMP_TEXT("GOOD"),
                                 .has_meter = true,
                                 .at_ms = NOW };
    int64_t asked;

    scene_open(&s, NULL);
    asked = transaction_ask(s.w, s.c, 1, AMP_TEXT("GOOD"), NOW);
    CHECK(say(&e[0]) != asked, "E25: a start from offline is not what was asked for");
    CHECK(world_event(s.w, s.c, &online, NOW, &answer) == asked &&
              get(asked)->state == TX_RUNNING && amp_text_is(get(asked)->uid, "now"),
          "E25: one of now is");
    scene_close(&s);
}

int main(void)
{
    RUN(test_every_order);
    RUN(test_billing);
    RUN(test_gaps);
    RUN(test_many_gaps);
    RUN(test_whose);
    RUN(test_two_in_a_row);
    RUN(test_repaired);
    RUN(test_awaited);
    return check_end();
}
