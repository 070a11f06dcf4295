/* central/domain/load_share_test.c - rules one by one, then random sites: what must hold for any.
 */
#include "central/domain/load_share.h"
#include "ocpp/check.h"
#include <stdlib.h>

#define L1  1
#define L2  2
#define L3  4
#define ALL 7
#define NOW 1000000000

/* ---- by hand ---- */

static struct load_node node(int parent, int32_t each)
{
    return (struct load_node){ .parent = parent, .limit_da = { each, each, each, LOAD_OPEN } };
}

static struct load_want want(int64_t id, int at, unsigned phases, int32_t max)
{
    return (struct load_want){ .id = id,
                               .node = at,
                               .phases = (uint8_t)phases,
                               .wants = true,
                               .max_da = max,
                               .fixed_da = -1,
                               .since_ms = NOW - 1000 + id,
                               .waits_ms = NOW - 1000 + id };
}

static struct load_share out[64];

static void share(const struct load_node *n, unsigned nodes, const struct load_want *w,
                  unsigned wants, enum load_rule rule)
{
    load_share(&(struct load_site){ n, w, nodes, wants, rule, 900000, NOW }, out);
}

static void test_equal(void)
{
    struct load_node n[] = { node(-1, 400), node(0, 200) };
    struct load_want w[] = { want(1, 0, ALL, 320), want(2, 1, ALL, 320), want(3, 1, ALL, 320),
                             want(4, 0, ALL, 70) };

    share(n, 2, w, 4, LOAD_EQUAL);
    CHECK(out[3].da == 70 && out[3].why == LOAD_WHY_OWN, "the small one is full: %d", out[3].da);
    CHECK(out[1].da == 100 && out[2].da == 100 && out[1].why == LOAD_WHY_SHARED && out[1].node == 1,
          "the feeder: %d %d", out[1].da, out[2].da);
    CHECK(out[0].da == 130 && out[0].node == 0, "what is left of the site: %d", out[0].da);
}

static void test_rest_is_spread(void)
{
    struct load_node n[] = { node(-1, 200) };
    struct load_want w[] = { want(3, 0, ALL, 320), want(1, 0, ALL, 320), want(2, 0, ALL, 320) };

    share(n, 1, w, 3, LOAD_EQUAL);
    CHECK(out[1].da == 67 && out[2].da == 67 && out[0].da == 66, "%d %d %d", out[1].da, out[2].da,
          out[0].da);
}

static void test_phases(void)
{
    struct load_node n[] = { node(-1, 160) };
    struct load_want w[] = { want(1, 0, L1, 320), want(2, 0, L1, 320), want(3, 0, L2, 320),
                             want(4, 0, ALL, 320) };

    n[0].other_da[2] = 90;
    w[3].waits_ms = 1;
    share(n, 1, w, 4, LOAD_EQUAL);
    CHECK(out[3].da == 70 && out[3].bound == 2, "L3 has 70 beside the kitchen: %d", out[3].da);
    /* 160 / 3 is no 6 A: two of the three on L1 */
    CHECK(out[0].da == 90 && out[1].da == 0 && out[1].why == LOAD_WHY_TURN && out[1].bound == 0,
          "L1: %d %d", out[0].da, out[1].da);
    CHECK(out[2].da == 90, "L2: %d", out[2].da);
}

static void test_watts(void)
{
    /* 11,040 W at 230 V are 48.0 A over all phases together */
    struct load_node n[] = { { .parent = -1,
                               .limit_da = { LOAD_OPEN, LOAD_OPEN, LOAD_OPEN, 480 } } };
    struct load_want w[] = { want(1, 0, ALL, 320), want(2, 0, L1, 320) };

    share(n, 1, w, 2, LOAD_EQUAL);
    CHECK(out[0].da == 120 && out[1].da == 120, "%d %d", out[0].da, out[1].da);
    CHECK(out[0].bound == LOAD_TOTAL, "the sum binds");
}

static void test_least(void)
{
    struct load_node n[] = { node(-1, 130) };
    struct load_want w[] = { want(1, 0, ALL, 320), want(2, 0, ALL, 320), want(3, 0, ALL, 320) };

    share(n, 1, w, 3, LOAD_EQUAL);
    CHECK(out[0].da == 65 && out[1].da == 65 && out[2].da == 0, "two of three: %d %d %d", out[0].da,
          out[1].da, out[2].da);
    CHECK(out[2].why == LOAD_WHY_TURN, "the third waits");
    w[0].max_da = 50;
    share(n, 1, w, 3, LOAD_EQUAL);
    CHECK(out[0].da == 0 && out[0].why == LOAD_WHY_OWN && out[2].da == 65,
          "a cable below 6 A never charges: %d", out[0].da);
}

static void test_priority(void)
{
    struct load_node n[] = { node(-1, 200) };
    struct load_want w[] = { want(1, 0, ALL, 160), want(2, 0, ALL, 160), want(3, 0, ALL, 160),
                             want(4, 0, ALL, 160) };

    w[3].priority = 9;
    w[1].priority = 5;
    share(n, 1, w, 4, LOAD_PRIORITY);
    /* three have 6 A; the rest of 20 A goes to the first */
    CHECK(out[3].da == 80 && out[1].da == 60 && out[0].da == 60 && out[2].da == 0, "%d %d %d %d",
          out[3].da, out[1].da, out[0].da, out[2].da);
}

static void test_first_come(void)
{
    struct load_node n[] = { node(-1, 300) };
    struct load_want w[] = { want(1, 0, ALL, 160), want(2, 0, ALL, 160), want(3, 0, ALL, 160) };

    w[2].since_ms = 1;
    share(n, 1, w, 3, LOAD_FIRST_COME);
    CHECK(out[2].da == 160 && out[0].da == 80 && out[1].da == 60, "%d %d %d", out[2].da, out[0].da,
          out[1].da);
}

static void test_turns(void)
{
    struct load_node n[] = { node(-1, 60) };
    struct load_want w[] = { want(1, 0, ALL, 160), want(2, 0, ALL, 160) };

    w[0].on_ms = NOW - 899999;
    share(n, 1, w, 2, LOAD_EQUAL);
    CHECK(out[0].da == 60 && out[1].da == 0, "its turn is not over");
    w[0].on_ms = NOW - 900000;
    share(n, 1, w, 2, LOAD_EQUAL);
    CHECK(out[0].da == 0 && out[1].da == 60, "now the other");
    w[1].rests = true;
    share(n, 1, w, 2, LOAD_EQUAL);
    CHECK(out[0].da == 60 && out[1].why == LOAD_WHY_RESTS, "who rests is passed over");
    w[1].wants = false;
    share(n, 1, w, 2, LOAD_EQUAL);
    CHECK(out[0].da == 60 && out[1].why == LOAD_WHY_IDLE, "nobody waits: it goes on");
}

static void test_fixed(void)
{
    struct load_node n[] = { node(-1, 200) };
    struct load_want w[] = { want(1, 0, ALL, 320), want(2, 0, ALL, 320) };

    w[0].fixed_da = 120;
    share(n, 1, w, 2, LOAD_EQUAL);
    CHECK(out[0].da == 120 && out[1].da == 80, "%d %d", out[0].da, out[1].da);
    w[0].fixed_da = 320;
    share(n, 1, w, 2, LOAD_EQUAL);
    CHECK(out[1].da == 0 && out[1].why == LOAD_WHY_TURN, "over already");
}

/* Less at once; more only into room that is there. */
static void test_step(void)
{
    struct load_node n[] = { node(-1, 320) };
    struct load_want w[] = { want(1, 0, ALL, 320), want(2, 0, ALL, 320) };
    int32_t worst[] = { 320, 0 }, say[2];
    struct load_site s = { n, w, 1, 2, LOAD_EQUAL, 900000, NOW };

    load_share(&s, out);
    load_step(&s, worst, out, say);
    CHECK(say[0] == 160 && say[1] == 0, "the second waits for the first: %d %d", say[0], say[1]);
    worst[0] = 200;
    load_step(&s, worst, out, say);
    CHECK(say[0] == 160 && say[1] == 120, "so much is free: %d %d", say[0], say[1]);
    worst[0] = 160;
    load_step(&s, worst, out, say);
    CHECK(say[1] == 160, "all of it: %d", say[1]);
}

/* ---- any site ---- */

static uint32_t seed = 1;

static uint32_t dice(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % n;
}

#define NODES 12
#define WANTS 40

struct made {
    struct load_node nodes[NODES];
    struct load_want wants[WANTS];
    struct load_site s;
};

enum { MIXED, UNIFORM };

static void make(struct made *m, int kind)
{
    uint32_t nodes = 1 + dice(NODES), wants = 1 + dice(WANTS);

    memset(m, 0, sizeof *m);
    for (uint32_t i = 0; i < nodes; i++) {
        struct load_node *n = &m->nodes[i];
        int32_t each = (int32_t)dice(2000);

        *n = node(i ? (int)dice(i) : -1, dice(4) ? each : LOAD_OPEN);
        for (int p = 0; kind == MIXED && p < LOAD_PHASES && dice(2); p++)
            n->limit_da[p] = (int32_t)dice(1500);
        if (kind == MIXED && dice(3) == 0)
            n->limit_da[LOAD_TOTAL] = (int32_t)dice(4000);
        for (int p = 0; kind == MIXED && p < LOAD_PHASES && dice(3) == 0; p++)
            n->other_da[p] = (int32_t)dice(300);
    }
    for (uint32_t i = 0; i < wants; i++) {
        static const uint8_t wired[] = { L1, L2, L3, ALL, ALL, ALL };
        struct load_want *w = &m->wants[i];

        *w = want((int64_t)i * 7 % 41 + 1, (int)dice(nodes), kind == MIXED ? wired[dice(6)] : ALL,
                  (int32_t)dice(640));
        w->wants = dice(5) != 0;
        w->rests = kind == MIXED && dice(12) == 0;
        w->priority = (int32_t)dice(3);
        w->since_ms = NOW - dice(20) * 1000;
        w->on_ms = dice(2) ? NOW - dice(2000000) : 0;
        w->waits_ms = NOW - dice(2000000);
        if (kind == MIXED && dice(8) == 0)
            w->fixed_da = (int32_t)dice(320);
    }
    m->s = (struct load_site){ m->nodes, m->wants, nodes, wants, 1 + dice(3), 900000, NOW };
}

/* Deci-amperes that all who obey get. */
static int64_t total(const struct load_site *s, const struct load_share *o)
{
    int64_t sum = 0;

    for (uint32_t i = 0; i < s->want_count; i++)
        sum += s->wants[i].fixed_da < 0 ? o[i].da : 0;
    return sum;
}

/* Could `w` have `da` more? */
static bool fits(const struct load_site *s, const struct load_want *w, int64_t da,
                 int64_t (*left)[LOAD_BOUNDS])
{
    for (int32_t n = w->node; n >= 0; n = s->nodes[n].parent)
        for (int b = 0; b < LOAD_BOUNDS; b++) {
            int64_t u = b < LOAD_PHASES ? w->phases >> b & 1 : __builtin_popcount(w->phases);

            if (u && left[n][b] != INT64_MAX && left[n][b] < da * u)
                return false;
        }
    return true;
}

static void look_at(const struct load_site *s, const struct load_share *o, unsigned round)
{
    int64_t left[NODES][LOAD_BOUNDS], fixed_left[NODES][LOAD_BOUNDS];
    int32_t draw[WANTS], fixed[WANTS];

    for (uint32_t i = 0; i < s->want_count; i++) {
        draw[i] = o[i].da;
        fixed[i] = s->wants[i].fixed_da >= 0 ? s->wants[i].fixed_da : 0;
    }
    load_left(s, draw, left);
    load_left(s, fixed, fixed_left);
    for (uint32_t n = 0; n < s->node_count; n++)
        for (int b = 0; b < LOAD_BOUNDS; b++)
            CHECK(left[n][b] >= 0 || left[n][b] == fixed_left[n][b],
                  "round %u: node %u bound %d is over by %lld", round, n, b,
                  -(long long)left[n][b]);
    for (uint32_t i = 0; i < s->want_count; i++) {
        const struct load_want *w = &s->wants[i];

        CHECK(o[i].why, "round %u: a reason for %u", round, i);
        if (w->fixed_da >= 0)
            continue;
        CHECK(o[i].da == 0 || o[i].da >= LOAD_LEAST_DA, "round %u: %u has %d", round, i, o[i].da);
        CHECK(o[i].da == 0 || (w->wants && !w->rests && o[i].da <= w->max_da),
              "round %u: %u has %d of %d", round, i, o[i].da, w->max_da);
        if (o[i].da)
            CHECK(o[i].da == w->max_da || !fits(s, w, 1, left), "round %u: %u could have more",
                  round, i);
        else if (w->wants && !w->rests && w->max_da >= LOAD_LEAST_DA)
            CHECK(!fits(s, w, LOAD_LEAST_DA, left), "round %u: %u could have its least", round, i);
        CHECK((o[i].node >= 0) == (o[i].why == LOAD_WHY_SHARED || o[i].why == LOAD_WHY_TURN),
              "round %u: %u is bound by a node", round, i);
    }
}

/* The same connectors in another order. */
static void look_shuffled(const struct made *m, const struct load_share *o, unsigned round)
{
    struct made other = *m;
    struct load_share got[WANTS];
    uint32_t at[WANTS];

    for (uint32_t i = 0; i < m->s.want_count; i++)
        at[i] = i;
    for (uint32_t i = m->s.want_count; i > 1; i--) {
        uint32_t k = dice(i), swap = at[k];

        at[k] = at[i - 1];
        at[i - 1] = swap;
    }
    for (uint32_t i = 0; i < m->s.want_count; i++)
        other.wants[i] = m->wants[at[i]];
    other.s.nodes = other.nodes;
    other.s.wants = other.wants;
    load_share(&other.s, got);
    for (uint32_t i = 0; i < m->s.want_count; i++)
        CHECK(got[i].da == o[at[i]].da && got[i].why == o[at[i]].why, "round %u: %d and %d", round,
              got[i].da, o[at[i]].da);
}

/* Two at the same node, alike but for what the rule looks at: the better one never has less. */
static void look_order(const struct load_site *s, const struct load_share *o, unsigned round)
{
    for (uint32_t i = 0; i < s->want_count; i++)
        for (uint32_t k = 0; k < s->want_count; k++) {
            const struct load_want *a = &s->wants[i], *b = &s->wants[k];
            bool better = s->rule == LOAD_PRIORITY     ? a->priority > b->priority
                          : s->rule == LOAD_FIRST_COME ? a->since_ms < b->since_ms
                                                       : false;

            if (better && a->node == b->node && a->phases == b->phases && a->wants && !a->rests &&
                a->fixed_da < 0 && b->fixed_da < 0 && a->max_da >= b->max_da)
                CHECK(o[i].da >= o[k].da, "round %u: %u has %d, %u has %d", round, i, o[i].da, k,
                      o[k].da);
        }
}

static void test_any_site(void)
{
    static struct made m;
    struct load_share o[WANTS];

    for (unsigned round = 0; round < 20000 && !check_bad; round++) {
        make(&m, MIXED);
        load_share(&m.s, o);
        look_at(&m.s, o, round);
        look_shuffled(&m, o, round);
        look_order(&m.s, o, round);
    }
}

/* More at the top never gives less in all, where all load the same phases. (Not so for mixed
 * phases, nor for a limit further down: there a connector that ranks higher may come in and keep
 * out two others.) */
static void test_more_is_more(void)
{
    static struct made m;
    struct load_share o[WANTS];

    for (unsigned round = 0; round < 5000 && !check_bad; round++) {
        int64_t before;

        make(&m, UNIFORM);
        load_share(&m.s, o);
        before = total(&m.s, o);
        for (int b = 0; b < LOAD_PHASES && m.nodes[0].limit_da[0] != LOAD_OPEN; b++)
            m.nodes[0].limit_da[b] += 1 + (int32_t)(round % 300);
        load_share(&m.s, o);
        CHECK(total(&m.s, o) >= before, "round %u: %lld, then %lld", round, (long long)before,
              (long long)total(&m.s, o));
    }
}

/* Where everybody has its least anyway, it holds for any limit of the tree. */
static void test_more_anywhere(void)
{
    static struct made m;
    struct load_share o[WANTS];

    for (unsigned round = 0; round < 5000 && !check_bad; round++) {
        int64_t before;
        uint32_t at;
        int32_t more = 1 + (int32_t)(round % 300);

        make(&m, UNIFORM);
        for (uint32_t i = 0; i < m.s.want_count; i++)
            m.wants[i].least_da = 1;
        for (uint32_t i = 0; i < m.s.node_count; i++)
            for (int b = 0; b < LOAD_PHASES && m.nodes[i].limit_da[b] != LOAD_OPEN; b++)
                m.nodes[i].limit_da[b] += WANTS;
        load_share(&m.s, o);
        before = total(&m.s, o);
        at = dice(m.s.node_count);
        for (int b = 0; b < LOAD_PHASES && m.nodes[at].limit_da[b] != LOAD_OPEN; b++)
            m.nodes[at].limit_da[b] += more;
        load_share(&m.s, o);
        CHECK(total(&m.s, o) >= before, "round %u: %lld, then %lld", round, (long long)before,
              (long long)total(&m.s, o));
    }
}

/* Whatever worst case a site is in: if that is within all limits, what load_step says keeps it so,
 * before anybody has obeyed; and at the end everybody has what it should. */
static void test_any_step(void)
{
    static struct made m;
    struct load_share o[WANTS];
    int32_t worst[WANTS], say[WANTS];
    int64_t left[NODES][LOAD_BOUNDS], was[NODES][LOAD_BOUNDS];

    for (unsigned round = 0; round < 5000 && !check_bad; round++) {
        make(&m, MIXED);
        load_share(&m.s, o);
        for (uint32_t i = 0; i < m.s.want_count; i++)
            worst[i] = m.wants[i].fixed_da >= 0 ? m.wants[i].fixed_da : (int32_t)dice(200);
        for (unsigned step = 0; step < 3; step++) {
            load_left(&m.s, worst, was);
            load_step(&m.s, worst, o, say);
            for (uint32_t i = 0; i < m.s.want_count; i++)
                if (say[i] > worst[i])
                    worst[i] = say[i];
            load_left(&m.s, worst, left);
            for (uint32_t n = 0; n < m.s.node_count; n++)
                for (int b = 0; b < LOAD_BOUNDS; b++)
                    CHECK(left[n][b] >= 0 || left[n][b] == was[n][b],
                          "round %u: node %u was left with %lld, now %lld", round, n,
                          (long long)was[n][b], (long long)left[n][b]);
            for (uint32_t i = 0; i < m.s.want_count; i++)
                if (say[i] < worst[i] && m.wants[i].fixed_da < 0)
                    worst[i] = say[i]; /* it said yes */
        }
        for (uint32_t i = 0; i < m.s.want_count; i++)
            CHECK(worst[i] == o[i].da, "round %u: %u has %d instead of %d", round, i, worst[i],
                  o[i].da);
    }
}

/* Twelve cars, power for three: over two hours each has had the same, and no contactor moves more
 * than its turn. */
static void test_fair_over_time(void)
{
    enum { CARS = 12, TURN = 900 };
    struct load_node n[] = { node(-1, 190) };
    struct load_want w[CARS];
    int64_t served_s[CARS] = { 0 };
    unsigned switched = 0;

    for (int i = 0; i < CARS; i++)
        w[i] = want(i + 1, 0, ALL, 160);
    for (int64_t t = 0; t < (int64_t)TURN * 8; t++) {
        struct load_site s = { n, w, 1, CARS, LOAD_EQUAL, TURN * 1000, NOW + t * 1000 };

        load_share(&s, out);
        for (int i = 0; i < CARS; i++) {
            bool on = out[i].da > 0;

            served_s[i] += on;
            if (on == (w[i].on_ms != 0))
                continue;
            switched++;
            w[i].on_ms = on ? s.now_ms : 0;
            w[i].waits_ms = on ? 0 : s.now_ms;
        }
    }
    for (int i = 0; i < CARS; i++)
        CHECK(served_s[i] == 2 * TURN, "car %d: %lld s", i, (long long)served_s[i]);
    CHECK(switched == 3 + 7 * 6, "%u switchings", switched);
}

int main(void)
{
    RUN(test_equal);
    RUN(test_rest_is_spread);
    RUN(test_phases);
    RUN(test_watts);
    RUN(test_least);
    RUN(test_priority);
    RUN(test_first_come);
    RUN(test_turns);
    RUN(test_fixed);
    RUN(test_step);
    RUN(test_any_site);
    RUN(test_more_is_more);
    RUN(test_more_anywhere);
    RUN(test_any_step);
    RUN(test_fair_over_time);
    return check_end();
}
