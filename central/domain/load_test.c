/* central/domain/load_test.c - the plan against stations that are played: they say yes, no, or
 * nothing; cars use what they get, or less, or more. */
#include "central/domain/load_inside.h"
#include "ocpp/check.h"
#include <stdio.h>

#define T0 1717228800000 /* 2024-06-01T08:00:00Z */

enum manner { YES, NO, SILENT, UNKNOWN, BROKEN };

static struct world *w;
static struct loads *l;
static int64_t now_ms;
static struct charger *cp[3]; /* [1], [2] */
static enum manner manner[3];
static unsigned said, cleared;
static char trace[8192]; /* "1/2 now 160 " ... */

static void on_load_fact(void *ctx, const struct fact *f)
{
    (void)ctx, (void)f;
}

static void on_fact(void *ctx, const struct fact *f)
{
    (void)ctx;
    if (l)
        loads_saw(l, f, now_ms);
}

static int number_of(const struct charger *c)
{
    return c == cp[1] ? 1 : 2;
}

static int64_t on_say(void *ctx, const struct load_say *say)
{
    static const char *const slots[] = { "base", "idle", "now" };
    struct command_fact f = { .connector = say->connector,
                              .action = AMP_TEXT("SetChargingProfile"),
                              .payload = AMP_TEXT("{}"),
                              .expires_ms = now_ms + LOAD_SAY_MS };
    char text[64];

    (void)ctx;
    said++;
    cleared += say->clear;
    snprintf(text, sizeof text, "%d/%d %s %d ", number_of(say->charger), (int)say->connector,
             say->clear ? "clear" : slots[say->sent->slot], (int)say->sent->da);
    if (strlen(trace) + strlen(text) < sizeof trace)
        strcat(trace, text);
    return world_command_wait(w, say->charger, &f, now_ms);
}

static void answer(int i, int64_t key)
{
    static const struct {
        int state;
        const char *text;
    } answers[] = {
        [YES] = { COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}" },
        [NO] = { COMMAND_REJECTED, "{\"status\":\"Rejected\"}" },
        [UNKNOWN] = { COMMAND_ERROR, "NotSupported: no such thing" },
        [BROKEN] = { COMMAND_ERROR, "unusable answer: status" },
    };

    world_command_change(w, key,
                         &(struct command_change){ .state = COMMAND_SENT,
                                                   .correlation = AMP_TEXT("m") },
                         now_ms);
    if (manner[i] != SILENT)
        world_command_change(w, key,
                             &(struct command_change){ .state = answers[manner[i]].state,
                                                       .answer =
                                                           amp_text_of(answers[manner[i]].text) },
                             now_ms);
}

static void turn(int seconds)
{
    for (; seconds > 0; seconds--) {
        now_ms += 1000;
        loads_plan(l, now_ms, on_say, NULL);
        for (int i = 1; i <= 2; i++) {
            const struct command_fact *k;

            while ((k = world_command_next(w, cp[i])))
                answer(i, k->key);
        }
    }
}

static void boot(int i)
{
    int32_t interval_s;

    world_boot(w, cp[i], &(struct boot_info){ .vendor = AMP_TEXT("x") }, &interval_s, now_ms);
}

static void put_group(int32_t limit_da)
{
    struct load_group_fact g;
    struct load_fault fault;

    loads_group_defaults(&g);
    g.org = ORG_DEFAULT;
    g.id = AMP_TEXT("site");
    g.limit_da = limit_da;
    CHECK(loads_put_group(l, &g, &fault) == 0, "%s", fault.why);
}

static void put_charger(int i, int32_t base_da)
{
    struct load_member_fact m = { .charger = charger_fact(cp[i])->key,
                                  .org = ORG_DEFAULT,
                                  .group = AMP_TEXT("SITE"),
                                  .connectors = 1,
                                  .limit_da = LOAD_NONE,
                                  .max_da = 320,
                                  .base_da = base_da,
                                  .phases = 3 };
    struct load_fault fault;

    CHECK(loads_put_member(l, &m, 1, &fault) == 0, "%s", fault.why);
}

static void start(int i)
{
    struct tag_answer out;

    world_start(w, cp[i],
                &(struct start_info){ .connector = 1,
                                      .tag = AMP_TEXT("T"),
                                      .at_ms = now_ms,
                                      .meter_wh = now_ms % 1000 },
                now_ms, &out);
}

static void stop(int i)
{
    struct tag_answer out;

    world_stop(w, cp[i],
               &(struct stop_info){ .transaction = charger_transaction(cp[i], 1)->key,
                                    .at_ms = now_ms,
                                    .meter_wh = 1000 },
               now_ms, &out);
}

static void measure(int i, int connector, int64_t ma, int64_t at_ms)
{
    const struct transaction_fact *t = connector ? charger_transaction(cp[i], connector) : NULL;
    struct reading_fact r = { .connector = connector,
                              .transaction = t ? t->key : 0,
                              .at_ms = at_ms,
                              .hash = (uint64_t)(at_ms * 7 + ma),
                              .has = READING_CURRENT,
                              .current_ma = ma };

    world_reading(w, cp[i], &r, now_ms);
}

static struct load_view view(int i)
{
    struct load_view v = { 0 };

    CHECK(loads_view(l, charger_fact(cp[i])->key, 1, &v), "CP%d is managed", i);
    return v;
}

static void open_site(int32_t limit_da, int32_t base_da)
{
    static const struct world_config usual = {
        .heartbeat_s = 300, .stale_after_s = 90, .accept_unknown = true, .accept_unknown_tags = true
    };

    now_ms = T0;
    said = cleared = 0;
    trace[0] = 0;
    w = world_new(&usual, on_fact, NULL);
    l = loads_new(w, on_load_fact, NULL);
    for (int i = 1; i <= 2; i++) {
        manner[i] = YES;
        cp[i] = world_charger_meet(w, i == 1 ? AMP_TEXT("CP1") : AMP_TEXT("CP2"), now_ms);
        world_connected(w, cp[i], &manner[i], AMP_TEXT("ocpp1.6"), AMP_TEXT("x"), now_ms);
        boot(i);
    }
    put_group(limit_da);
    for (int i = 1; i <= 2; i++)
        put_charger(i, base_da);
}

static void close_site(void)
{
    loads_free(l);
    world_free(w);
    l = NULL;
}

/* ---- tests ---- */

/* What was there goes, then the fail-safe limits; nobody is told anything else while nobody is
 * there. */
static void test_begin(void)
{
    open_site(200, LOAD_NONE);
    turn(30);
    CHECK(!strncmp(trace,
                   "1/0 clear 0 2/0 clear 0 1/0 clear 0 2/0 clear 0 1/1 base 100 2/1 base 100 "
                   "1/1 idle 0 2/1 idle 0 ",
                   96),
          "%s", trace);
    CHECK(said == 8 && cleared == 4, "%u said", said);
    CHECK(view(1).worst_da == 0 && view(1).base_da == 100, "lent");
    close_site();
}

/* The one who comes waits until the one who is there has said yes, and its car has followed. */
static void test_increase_after_decrease(void)
{
    open_site(200, 0);
    turn(20);
    start(1);
    turn(1);
    CHECK(view(1).told_da == 200, "alone: %d", view(1).told_da);
    manner[1] = SILENT;
    start(2);
    turn(3);
    CHECK(view(1).worst_da == 200 && view(2).worst_da == 0, "no yes, no room: %d",
          view(2).worst_da);
    close_site();

    open_site(200, 0);
    turn(20);
    start(1);
    turn(1);
    start(2);
    turn(1);
    CHECK(view(1).told_da == 100 && view(1).worst_da == 200,
          "told, but its car may not follow yet");
    turn(2);
    CHECK(view(2).worst_da == 0, "not yet");
    turn(5);
    CHECK(view(1).worst_da == 100 && view(2).told_da == 100, "%d and %d", view(1).worst_da,
          view(2).told_da);
    stop(2);
    turn(1);
    CHECK(view(1).told_da == 200, "all of it again: %d", view(1).told_da);
    close_site();
}

/* Who does not answer for four seconds counts with what it has; others make room when a limit
 * falls. */
static void test_silent(void)
{
    open_site(400, 0);
    turn(20);
    start(1);
    start(2);
    turn(2);
    CHECK(view(1).told_da == 200 && view(2).told_da == 200, "half each");
    manner[1] = SILENT;
    put_group(300);
    turn(2);
    CHECK(view(2).told_da == 150, "both are asked");
    turn(6);
    CHECK(view(1).why == LOAD_WHY_FIXED && view(2).told_da == 100, "the other makes room: %d",
          view(2).told_da);
    manner[1] = YES;
    close_site();
}

static void test_refusals(void)
{
    char words[512];
    struct amp_buf out;

    open_site(400, 0);
    manner[1] = UNKNOWN;
    manner[2] = NO;
    turn(60);
    CHECK(view(1).why == LOAD_WHY_FIXED && view(1).worst_da == 320, "knows no profiles");
    CHECK(view(2).why == LOAD_WHY_FIXED && view(2).worst_da == 320, "refuses");
    CHECK(said < 20, "nobody is pestered: %u", said);
    amp_buf_init(&out, words, sizeof words - 1);
    loads_explain(l, charger_fact(cp[1])->key, 1, now_ms, &out);
    words[out.len] = 0;
    CHECK(strstr(words, "knows no charging profiles. It counts with 32 A"), "%s", words);
    manner[1] = manner[2] = BROKEN;
    boot(1);
    turn(60);
    CHECK(view(1).worst_da == 320, "an answer that is none is no yes");
    manner[1] = YES;
    turn(90);
    CHECK(view(1).worst_da == 0 && view(1).why == LOAD_WHY_IDLE, "after a start it is asked again");
    close_site();
}

/* What a car does not use goes to others, and comes back when it takes more. */
static void test_give_back(void)
{
    open_site(320, 0);
    turn(20);
    start(1);
    start(2);
    turn(10);
    CHECK(view(1).told_da == 160 && view(2).told_da == 160, "half each");
    for (int i = 0; i < 3; i++) {
        turn(60);
        measure(1, 1, 8000, now_ms);
        measure(2, 1, 16000, now_ms);
    }
    turn(10);
    CHECK(view(1).told_da == 100, "8 A and a margin: %d", view(1).told_da);
    CHECK(view(2).told_da == 220, "the rest: %d", view(2).told_da);
    measure(1, 1, 9500, now_ms);
    turn(10);
    CHECK(view(1).told_da == 160 && view(2).told_da == 160, "it takes more: %d and %d",
          view(1).told_da, view(2).told_da);
    /* a car that sleeps keeps enough to wake up with */
    world_status(w, cp[1], 1,
                 &(struct connector_fact){ .status = AMP_TEXT("SuspendedEV"), .seen_ms = now_ms });
    turn(80);
    CHECK(view(1).told_da == 60 && view(2).told_da == 260, "%d and %d", view(1).told_da,
          view(2).told_da);
    world_status(w, cp[1], 1,
                 &(struct connector_fact){ .status = AMP_TEXT("Charging"), .seen_ms = now_ms });
    turn(10);
    CHECK(view(1).told_da == 160, "awake: %d", view(1).told_da);
    world_status(w, cp[1], 1,
                 &(struct connector_fact){ .status = AMP_TEXT("Faulted"), .seen_ms = now_ms });
    turn(10);
    CHECK(view(1).told_da == 0 && view(2).told_da == 320, "out of order");
    close_site();
}

static void measure_power(int i, int64_t ma, int64_t power_w)
{
    struct reading_fact r = { .connector = 1,
                              .transaction = charger_transaction(cp[i], 1)->key,
                              .at_ms = now_ms,
                              .hash = (uint64_t)(now_ms + ma + power_w),
                              .has = READING_CURRENT | READING_POWER,
                              .current_ma = ma,
                              .power_w = power_w };

    world_reading(w, cp[i], &r, now_ms);
}

/* A car that was seen to use one phase leaves the others to its neighbour, where that is trusted;
 * and takes them back with the first reading that shows more. */
static void test_one_phase(void)
{
    for (int trust = 0; trust < 2; trust++) {
        struct load_member_fact m;
        struct load_fault fault;

        open_site(200, LOAD_NONE);
        loads_member(l, charger_fact(cp[1])->key, 0, &m);
        m.trust_phases = trust;
        m.rotation = 1;
        CHECK(loads_put_member(l, &m, 1, &fault) == 0, "%s", fault.why);
        loads_member(l, charger_fact(cp[2])->key, 0, &m);
        m.phases = 1; /* on L1 */
        CHECK(loads_put_member(l, &m, 1, &fault) == 0, "%s", fault.why);
        turn(20);
        start(1);
        start(2);
        turn(10);
        CHECK(view(1).told_da == 100 && view(2).told_da == 100, "both on L1");
        for (int k = 0; k < 3; k++) {
            turn(30);
            measure_power(1, 10000, 2300);
            measure_power(2, 10000, 2300);
        }
        turn(20);
        CHECK(view(1).told_da == (trust ? 200 : 100) && view(2).told_da == (trust ? 200 : 100),
              "trust %d: %d on L2, %d on L1", trust, view(1).told_da, view(2).told_da);
        measure_power(1, 10000, 6900);
        turn(20);
        CHECK(view(1).told_da == 100 && view(2).told_da == 100, "three phases after all: %d, %d",
              view(1).told_da, view(2).told_da);
        close_site();
    }
}

/* More than it was told: it counts with that, and a reading of before does not. */
static void test_wild(void)
{
    open_site(320, 0);
    turn(20);
    start(1);
    start(2);
    turn(40);
    measure(1, 1, 25000, now_ms - 35000);
    turn(2);
    CHECK(view(1).why != LOAD_WHY_FIXED, "an old reading");
    measure(1, 1, 25000, now_ms);
    turn(10);
    CHECK(view(1).why == LOAD_WHY_FIXED && view(1).worst_da == 270, "25 A and a margin: %d",
          view(1).worst_da);
    CHECK(view(2).told_da == 0, "5 A are no charge: %d", view(2).told_da);
    measure(1, 1, 0, now_ms);
    turn(80);
    CHECK(view(1).told_da == 160 && view(2).told_da == 160, "tamed: %d and %d", view(1).told_da,
          view(2).told_da);
    close_site();
}

/* The main meter of a charger measures the site. */
static void test_meter(void)
{
    struct load_group_fact g;
    struct load_fault fault;

    open_site(400, 0);
    g = *loads_group(l, ORG_DEFAULT, AMP_TEXT("site"));
    g.meter = charger_fact(cp[2])->key;
    g.meter_all = true;
    g.reserve_da = 50;
    CHECK(loads_put_group(l, &g, &fault) == 0, "%s", fault.why);
    turn(20);
    start(1);
    turn(3);
    CHECK(view(1).told_da == 320, "all it can: %d", view(1).told_da);
    measure(1, 1, 20000, now_ms);
    measure(2, 0, 35000, now_ms);
    turn(3);
    CHECK(loads_group(l, ORG_DEFAULT, AMP_TEXT("site"))->load_da[0] == 150,
          "35 A with 20 A of ours: %d", loads_group(l, ORG_DEFAULT, AMP_TEXT("site"))->load_da[0]);
    CHECK(view(1).told_da == 250, "40 A less 15 A: %d", view(1).told_da);
    measure(2, 0, 21000, now_ms + 1);
    turn(3);
    CHECK(view(1).told_da == 320, "the reserve counts at least: %d", view(1).told_da);
    close_site();
}

/* A start forgets nothing, but is told once more; who leaves is told to forget. */
static void test_boot_and_leave(void)
{
    open_site(400, 60);
    turn(30);
    trace[0] = 0;
    now_ms += 1000;
    boot(1);
    CHECK(view(1).worst_da == 0, "what it keeps for good holds");
    turn(2);
    CHECK(!strcmp(trace, "1/1 base 60 "), "%s", trace);
    trace[0] = 0;
    cleared = 0;
    loads_remove_member(l, charger_fact(cp[1])->key);
    turn(2);
    CHECK(cleared == 2 && !strncmp(trace, "1/0 clear", 9), "%s", trace);
    CHECK(!loads_member(l, charger_fact(cp[1])->key, 0, &(struct load_member_fact){ 0 }), "gone");
    CHECK(view(2).worst_da == 0, "the other stays");
    put_charger(1, 60);
    turn(1);
    CHECK(view(1).worst_da == 320, "a stranger again, until it says yes");
    turn(10);
    CHECK(view(1).worst_da == 0, "%d", view(1).worst_da);
    close_site();
}

/* Leases are renewed while all is well, and run out by themselves when nobody can be reached: first
 * those above the fail-safe limit, and only then what was lent comes back. */
static void test_leases(void)
{
    open_site(200, LOAD_NONE);
    turn(20);
    start(1);
    turn(3);
    CHECK(view(1).told_da == 200 && view(2).worst_da == 0, "all of it, half of it lent");
    said = 0;
    turn(600);
    CHECK(said >= 6 && said <= 12, "%u renewals in ten minutes", said);
    CHECK(view(1).told_da == 200 && view(2).worst_da == 0, "as before");
    for (int i = 1; i <= 2; i++)
        world_disconnected(w, cp[i], &manner[i], 1006, AMP_NO_TEXT, now_ms);
    for (int s = 0; s < 1200; s++) {
        turn(1);
        CHECK(view(1).worst_da + view(2).worst_da <= 200, "after %d s: %d and %d", s,
              view(1).worst_da, view(2).worst_da);
    }
    CHECK(view(1).worst_da == 100 && view(2).worst_da == 100, "the fail-safe limits");
    close_site();
}

int main(void)
{
    RUN(test_begin);
    RUN(test_increase_after_decrease);
    RUN(test_silent);
    RUN(test_refusals);
    RUN(test_give_back);
    RUN(test_one_phase);
    RUN(test_wild);
    RUN(test_meter);
    RUN(test_boot_and_leave);
    RUN(test_leases);
    return check_end();
}
