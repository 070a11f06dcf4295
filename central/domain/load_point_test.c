/* central/domain/load_point_test.c - what is promised about a connector, held against a station
 * that is played: it gets what was sent, or not, and its clock is off. */
#include "central/domain/load_point.h"
#include "ocpp/check.h"

#define T0  1717228800000
#define MAX 320

static struct load_point_fact p;
static struct load_sent sent;
static struct load_aim aim;

static void say(enum load_answer a, int64_t now)
{
    CHECK(load_point_next(&p, &aim, true, now, &sent), "something is to be said");
    load_point_sent(&p, &aim, &sent, 1);
    load_point_answered(&p, &sent, a, now);
}

static void begin(int32_t base)
{
    p = (struct load_point_fact){ 0 };
    load_point_init(&p);
    aim = (struct load_aim){ .base_da = base };
}

static void test_base(void)
{
    begin(100);
    CHECK(load_point_worst(&p, MAX, T0) == MAX, "unknown: all it can");
    say(LOAD_LOST, T0);
    CHECK(load_point_worst(&p, MAX, T0) == MAX, "no answer: still");
    say(LOAD_YES, T0);
    CHECK(load_point_worst(&p, MAX, T0) == 100, "told and confirmed");
    aim.base_da = 60;
    CHECK(load_point_next(&p, &aim, false, T0, &sent), "a lower one at once");
    load_point_sent(&p, &aim, &sent, 1);
    CHECK(load_point_worst(&p, MAX, T0) == 100, "not confirmed: the old one");
    load_point_answered(&p, &sent, LOAD_YES, T0);
    CHECK(load_point_worst(&p, MAX, T0) == 60, "confirmed");
    aim.base_da = 200;
    CHECK(!load_point_next(&p, &aim, false, T0, &sent), "a higher one when it may");
    CHECK(load_point_next(&p, &aim, true, T0, &sent), "now");
    load_point_sent(&p, &aim, &sent, 1);
    CHECK(load_point_worst(&p, MAX, T0) == 200, "a higher one counts when it leaves");
    load_point_answered(&p, &sent, LOAD_UNSENT, T0);
    CHECK(load_point_worst(&p, MAX, T0) == 60, "it did not leave");
    CHECK(load_point_worst(&p, 40, T0) == 40, "never more than it can");
}

static void test_lend(void)
{
    int64_t ends;

    begin(100);
    say(LOAD_YES, T0);
    aim.lend = true;
    say(LOAD_YES, T0);
    CHECK(sent.slot == LOAD_IDLE && sent.da == 0 && load_point_worst(&p, MAX, T0) == 0, "lent");
    ends = T0 + LOAD_LONG_MS - LOAD_LEASE_MS - LOAD_SKEW_MS;
    CHECK(load_point_worst(&p, MAX, ends) == 0 && load_point_worst(&p, MAX, ends + 1) == 100,
          "it counts again before anybody could hold on to it");
    CHECK(!load_point_next(&p, &aim, true, T0 + LOAD_LONG_MS / 2, &sent), "early");
    CHECK(load_point_next(&p, &aim, true, T0 + LOAD_LONG_MS / 2 + 1, &sent) &&
              sent.slot == LOAD_IDLE,
          "renewed in time: %d", (int)sent.slot);
    begin(0);
    say(LOAD_YES, T0);
    aim.lend = true;
    CHECK(!load_point_next(&p, &aim, true, T0, &sent), "nothing to lend");
}

static void test_now(void)
{
    begin(0);
    say(LOAD_YES, T0);
    aim.transaction = 7;
    aim.now_da = 160;
    say(LOAD_LOST, T0);
    CHECK(load_point_worst(&p, MAX, T0) == 160, "may have arrived");
    aim.now_da = 80;
    say(LOAD_NO, T0);
    CHECK(load_point_worst(&p, MAX, T0) == 160, "a refusal changes nothing");
    CHECK(!load_point_next(&p, &aim, true, T0, &sent), "nor is it repeated at once");
    say(LOAD_YES, T0 + LOAD_AGAIN_MS);
    CHECK(load_point_worst(&p, MAX, T0) == 80, "an answer settles what came before it");
    CHECK(!load_point_next(&p, &aim, true, T0 + LOAD_AGAIN_MS + LOAD_LEASE_MS / 2, &sent), "early");
    CHECK(load_point_next(&p, &aim, true, T0 + LOAD_AGAIN_MS + LOAD_LEASE_MS / 2 + 1, &sent),
          "the lease is renewed");
    CHECK(load_point_worst(&p, MAX, T0 + LOAD_AGAIN_MS + LOAD_LEASE_MS + LOAD_SKEW_MS) == 0,
          "a lease ends by itself");
    load_point_ended(&p, 6);
    CHECK(load_point_worst(&p, MAX, T0) == 80, "another transaction");
    load_point_ended(&p, 7);
    CHECK(load_point_worst(&p, MAX, T0) == 0, "gone with its transaction");
}

static void test_unable(void)
{
    begin(0);
    say(LOAD_UNABLE, T0);
    CHECK(load_point_worst(&p, MAX, T0) == MAX && !load_point_next(&p, &aim, true, T0, &sent),
          "counts with all it can, and is left alone");
    load_point_booted(&p);
    CHECK(load_point_next(&p, &aim, true, T0, &sent), "asked again after its next start");
}

/* ---- a station that is played ---- */

struct held {
    int32_t da; /* LOAD_NONE: not there */
    int64_t until_ms;
};

struct played {
    struct held slot[LOAD_SLOTS];
    int64_t transaction, skew_ms;
};

static int32_t draws(const struct played *s, int64_t t)
{
    for (int i = LOAD_NOW; i > LOAD_BASE; i--)
        if (s->slot[i].da != LOAD_NONE && t + s->skew_ms < s->slot[i].until_ms)
            return s->slot[i].da;
    return s->slot[LOAD_BASE].da == LOAD_NONE ? MAX : s->slot[LOAD_BASE].da;
}

static uint32_t seed = 7;

static uint32_t dice(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % n;
}

/* Random lives: aims change, messages and answers get lost, transactions come and go, the station
 * restarts. At every moment: if we die now, what the station draws stays below what was said, until
 * every lease that a neighbour may hold by then is over; and after that below its base. */
static void test_never_more_than_said(void)
{
    for (unsigned life = 0; life < 400 && !check_bad; life++) {
        struct played s = { .slot = { { LOAD_NONE, 0 }, { LOAD_NONE, 0 }, { LOAD_NONE, 0 } },
                            .skew_ms = (int64_t)dice(2 * LOAD_SKEW_MS) - LOAD_SKEW_MS };
        int64_t now = T0;

        begin((int32_t)dice(3) * 80);
        for (unsigned step = 0; step < 300 && !check_bad; step++, now += dice(60000)) {
            int32_t worst;

            if (dice(20) == 0)
                aim.base_da = (int32_t)dice(3) * 80;
            if (dice(6) == 0)
                aim.now_da = (int32_t)dice(6) * 60;
            if (dice(25) == 0) {
                load_point_ended(&p, aim.transaction);
                s.slot[LOAD_NOW].da = LOAD_NONE;
                s.transaction = aim.transaction = dice(2) ? (int64_t)step + 1 : 0;
            }
            if (dice(60) == 0) {
                load_point_booted(&p);
                s.slot[LOAD_NOW].da = LOAD_NONE;
            }
            aim.lend = !aim.transaction || aim.now_da < aim.base_da;
            if (dice(4) && load_point_next(&p, &aim, true, now, &sent)) {
                bool arrives = dice(5) != 0, obeys = dice(8) != 0;

                load_point_sent(&p, &aim, &sent, 1);
                if (arrives && obeys)
                    s.slot[sent.slot] = (struct held){ sent.da, sent.until_ms };
                load_point_answered(&p, &sent,
                                    !arrives || dice(6) == 0 ? LOAD_LOST
                                    : obeys                  ? LOAD_YES
                                                             : LOAD_NO,
                                    now);
            }
            worst = load_point_worst(&p, MAX, now);
            for (int64_t t = now; t <= now + LOAD_LEASE_MS; t += LOAD_LEASE_MS / 12)
                CHECK(draws(&s, t) <= worst, "life %u, step %u: %d after %lld s, %d was said", life,
                      step, draws(&s, t), (long long)(t - now) / 1000, worst);
        }
    }
}

int main(void)
{
    RUN(test_base);
    RUN(test_lend);
    RUN(test_now);
    RUN(test_unable);
    RUN(test_never_more_than_said);
    return check_end();
}
