/* station/smart_property_test.c - what holds for all charging profiles, shown over generated ones:
 * never above any of them, whatever order they came in, and asking changes nothing. */
#include "station/smart_picture_test.h"

/* ---- properties ---- */

static uint64_t seed;

static uint32_t rnd(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % below;
}

#define CONNECTORS 3
#define SPAN       (9 * DAY)

/* Valid by the rules of SetChargingProfile; one of each purpose, level and connector at most. */
static struct amp_profile random_profile(struct amp_period periods[], unsigned *count)
{
    int purpose = 1 + (int)rnd(3);
    int connector = purpose == AMP_PURPOSE_MAX  ? 0
                    : purpose == AMP_PURPOSE_TX ? 1 + (int)rnd(CONNECTORS)
                                                : (int)rnd(CONNECTORS + 1);
    struct amp_profile p = profile((int32_t)rnd(1000000), purpose, connector, (int)rnd(4));
    uint32_t at = 0;

    p.kind = (uint8_t)(1 + rnd(purpose == AMP_PURPOSE_MAX ? 2 : 3));
    p.recurs_s = rnd(2) ? 86400 : 7 * 86400;
    p.unit = (uint8_t)(1 + rnd(2));
    p.local = purpose == AMP_PURPOSE_TX ? (uint32_t)(100 + connector) : 0;
    p.start_ms = T0 + (int64_t)rnd((uint32_t)(SPAN / S)) * S - 3 * DAY + (rnd(4) ? 0 : rnd(1000));
    if (rnd(2))
        p.from_ms = T0 + (int64_t)rnd((uint32_t)(SPAN / S)) * S;
    if (rnd(2))
        p.to_ms = (p.from_ms == INT64_MIN ? T0 : p.from_ms) + 1 + (int64_t)rnd(4 * 86400) * S;
    if (rnd(2))
        p.duration_s = 1 + rnd(3 * 86400);
    *count = 1 + rnd(6);
    for (unsigned i = 0; i < *count; i++) {
        periods[i].start_s = at;
        periods[i].limit = A(p.unit == AMP_UNIT_A ? rnd(400) : rnd(250000), 1 + rnd(3));
        at += 1 + rnd(rnd(2) ? 600 : 86400);
    }
    return p;
}

static void random_site(void)
{
    clean(CONNECTORS);
    site.switches = rnd(2);
    for (int c = 1; c <= CONNECTORS; c++) {
        site.con[c].max_ma = rnd(2) ? 32000 : 16000;
        site.con[c].phases = rnd(2) ? 3 : 1;
        if (!rnd(4))
            site.con[c].least_ma = site.con[c].max_ma;
        if (rnd(3))
            begin(c, (uint32_t)(100 + c), T0 + (int64_t)rnd(2 * 86400) * S + rnd(1000));
        site.con[c].active &= rnd(4) > 0;
        site.con[c].wants &= rnd(4) > 0;
    }
    for (unsigned i = rnd(15); i > 0; i--) {
        struct amp_period periods[6];
        unsigned count;
        struct amp_profile p = random_profile(periods, &count);

        add(p, count, periods);
    }
}

/* What one profile says at `t`, told anew and slowly: walks the repetitions and the periods. A
 * second opinion on period_at(). Index of the period, or -1. */
static int told(const struct amp_profile *p, int64_t tx_start, int64_t t)
{
    int64_t base = p->kind == AMP_KIND_RELATIVE ? tx_start : p->start_ms, length = AMP_EVER;
    int found = -1;

    if (t < p->from_ms || t >= p->to_ms || t < base)
        return -1;
    if (p->kind == AMP_KIND_RECURRING) {
        length = (int64_t)p->recurs_s * 1000;
        while (base + length <= t)
            base += length;
    }
    if (p->duration_s != AMP_OPEN_END && (int64_t)p->duration_s * 1000 < length)
        length = (int64_t)p->duration_s * 1000;
    if (t - base >= length)
        return -1;
    for (int i = 0; i < p->count; i++)
        if (base + (int64_t)set.period[p->first + i].start_s * 1000 <= t)
            found = i;
    return found;
}

/* The profile that prevails, or NULL. */
static const struct amp_profile *chosen(unsigned purpose, int c, int64_t t, int *period)
{
    const struct amp_profile *best = NULL;
    int64_t start = c && site.con[c].in_tx ? site.con[c].start_ms : t;

    for (unsigned i = 0; i < set.count; i++) {
        const struct amp_profile *p = &set.at[i];
        bool mine = p->connector == c || (purpose == AMP_PURPOSE_TX_DEFAULT && p->connector == 0);
        int at = told(p, start, t);

        if (purpose == AMP_PURPOSE_TX && !site.con[c].in_tx)
            continue;
        if (p->purpose != purpose || !mine || at < 0 || (best && p->level < best->level))
            continue;
        if (purpose == AMP_PURPOSE_TX_DEFAULT && p->connector == 0) { /* replaced there? */
            bool other = false;

            for (unsigned k = 0; k < set.count; k++)
                other |= set.at[k].purpose == purpose && set.at[k].connector == c &&
                         set.at[k].level == p->level;
            if (other)
                continue;
        }
        best = p;
        *period = at;
    }
    return best;
}

/* Is what flows within profile `p`? In its own unit; 10 mW are rounding. */
static bool within(const struct amp_profile *p, int period, int64_t ua, int64_t uw)
{
    int64_t tenths = set.period[p->first + period].limit >> 2;

    return p->unit == AMP_UNIT_A ? ua <= tenths * 100000 : uw <= tenths * 100000 + 9999;
}

static int64_t flows(const struct amp_limits *l, int c) /* µA, after the rule of the least */
{
    if (!site.con[c].active || l->ua[c] < (int64_t)site.con[c].least_ma * 1000)
        return 0;
    return l->ua[c];
}

static void check_never_above(uint64_t s, int64_t t)
{
    struct amp_limits l;
    const struct amp_profile *p;
    int64_t ua = 0, uw = 0;
    int at = 0;

    amp_smart_evaluate(&site, t, &l);
    for (int c = 1; c <= CONNECTORS; c++) {
        p = chosen(AMP_PURPOSE_TX, c, t, &at);
        if (!p)
            p = chosen(AMP_PURPOSE_TX_DEFAULT, c, t, &at);
        CHECK(l.ua[c] >= 0 && l.ua[c] <= (int64_t)site.con[c].max_ma * 1000, "hardware");
        CHECK(!p || within(p, at, l.ua[c], l.uw[c]), "seed %llu: connector %d above profile %d",
              (unsigned long long)s, c, p ? (int)p->id : 0);
        ua += flows(&l, c);
        uw += flows(&l, c) * 230 * l.phases[c];
    }
    p = chosen(AMP_PURPOSE_MAX, 0, t, &at);
    CHECK(!p || within(p, at, ua, uw), "seed %llu: the sum is above the station's limit",
          (unsigned long long)s);
    CHECK(!p || within(p, at, l.ua[0], l.uw[0]), "seed %llu: the total", (unsigned long long)s);
    CHECK(ua <= l.ua[0] && uw <= l.uw[0] + 9999, "seed %llu: the total is the sum",
          (unsigned long long)s);
}

/* S121, S122: never above any profile that prevails, at any sampled time. */
static void test_S122_never_above(void)
{
    for (uint64_t s = 1; s <= 3000 && !check_bad; s++) {
        seed = s * 0x9E3779B97F4A7C15u;
        random_site();
        for (int i = 0; i < 40; i++)
            check_never_above(s, T0 - DAY + (int64_t)rnd((uint32_t)(SPAN / S)) * S + rnd(1000));
    }
}

/* S120: the order in which profiles were installed does not matter. */
static void test_S120_order_of_installation(void)
{
    for (uint64_t s = 1; s <= 1000 && !check_bad; s++) {
        struct amp_profiles first;

        seed = s * 0x9E3779B97F4A7C15u;
        random_site();
        first = set;
        for (int round = 0; round < 3; round++) {
            uint8_t order[AMP_PROFILES_MAX];

            for (unsigned i = 0; i < first.count; i++)
                order[i] = (uint8_t)i;
            for (unsigned i = first.count; i > 1; i--) {
                unsigned k = rnd(i);
                uint8_t swap = order[k];

                order[k] = order[i - 1];
                order[i - 1] = swap;
            }
            memset(&set, 0, sizeof(set));
            for (unsigned i = 0; i < first.count; i++)
                add(first.at[order[i]], first.at[order[i]].count,
                    &first.period[first.at[order[i]].first]);
            for (int i = 0; i < 20; i++) {
                int64_t t = T0 + (int64_t)rnd((uint32_t)(SPAN / S)) * S;
                struct amp_limits a, b;

                site.set = &first;
                amp_smart_evaluate(&site, t, &a);
                site.set = &set;
                amp_smart_evaluate(&site, t, &b);
                CHECK(memcmp(&a, &b, sizeof(a)) == 0, "seed %llu", (unsigned long long)s);
            }
        }
    }
}

/* S135: evaluating changes nothing, and the same question has the same answer. */
static void test_S135_pure(void)
{
    for (uint64_t s = 1; s <= 500 && !check_bad; s++) {
        struct amp_profiles before;
        struct amp_site as_it_was;
        struct amp_limits a, b;
        struct amp_slice out[AMP_SLICES_MAX];
        uint32_t covered;
        int64_t t;

        seed = s * 0x9E3779B97F4A7C15u;
        random_site();
        before = set;
        as_it_was = site;
        t = T0 + (int64_t)rnd((uint32_t)(SPAN / S)) * S;
        amp_smart_evaluate(&site, t, &a);
        (void)amp_smart_composite(&site, (int)rnd(CONNECTORS + 1), t, 86400, AMP_UNIT_W, out,
                                  AMP_SLICES_MAX, &covered);
        amp_smart_evaluate(&site, t, &b);
        CHECK(memcmp(&before, &set, sizeof(set)) == 0 &&
                  memcmp(&as_it_was, &site, sizeof(site)) == 0,
              "S135: seed %llu", (unsigned long long)s);
        CHECK(memcmp(&a, &b, sizeof(a)) == 0, "S135: seed %llu", (unsigned long long)s);
    }
}

static bool same_limits(const struct amp_limits *a, const struct amp_limits *b)
{
    return memcmp(a->ua, b->ua, sizeof(a->ua)) == 0 && memcmp(a->uw, b->uw, sizeof(a->uw)) == 0 &&
           memcmp(a->phases, b->phases, sizeof(a->phases)) == 0;
}

/* S129: nothing changes before `until`, so that the output may sleep till then. */
static void test_S129_until(void)
{
    for (uint64_t s = 1; s <= 1500 && !check_bad; s++) {
        int64_t t;
        struct amp_limits here;

        seed = s * 0x9E3779B97F4A7C15u;
        random_site();
        t = T0 + (int64_t)rnd((uint32_t)(SPAN / S)) * S + rnd(1000);
        for (int hop = 0; hop < 10; hop++) {
            int64_t end;

            amp_smart_evaluate(&site, t, &here);
            CHECK(here.until_ms > t, "seed %llu: goes on", (unsigned long long)s);
            end = here.until_ms == AMP_EVER ? t + 30 * DAY : here.until_ms;
            for (int i = 0; i < 8; i++) {
                uint32_t range = end - t < INT32_MAX ? (uint32_t)(end - t) : INT32_MAX;
                int64_t then = i == 0 ? end - 1 : t + rnd(range);
                struct amp_limits l;

                amp_smart_evaluate(&site, then, &l);
                CHECK(same_limits(&here, &l), "seed %llu: changed %lld ms early",
                      (unsigned long long)s, (long long)(end - then));
                CHECK(here.until_ms == AMP_EVER || l.until_ms == here.until_ms,
                      "seed %llu: until moved", (unsigned long long)s);
            }
            if (here.until_ms == AMP_EVER)
                break;
            t = end;
        }
    }
}

/* S133: the schedule says at every second what the limit is then, and neighbours differ. */
static void test_S133_equals_limit(void)
{
    unsigned long slices = 0;

    for (uint64_t s = 1; s <= 1500 && !check_bad; s++) {
        struct amp_slice out[AMP_SLICES_MAX];
        enum amp_rate_unit unit;
        uint32_t covered, duration;
        unsigned n;
        int64_t t;
        int c;

        seed = s * 0x9E3779B97F4A7C15u;
        random_site();
        t = T0 + (int64_t)rnd((uint32_t)(SPAN / S)) * S;
        c = (int)rnd(CONNECTORS + 1);
        unit = rnd(2) ? AMP_UNIT_A : AMP_UNIT_W;
        duration = 1 + rnd(4 * 86400);
        n = amp_smart_composite(&site, c, t, duration, unit, out, AMP_SLICES_MAX, &covered);
        slices += n;
        CHECK(n >= 1 && out[0].start_s == 0 && covered <= duration, "seed %llu",
              (unsigned long long)s);
        CHECK(covered == duration || n == AMP_SLICES_MAX, "seed %llu: covers it",
              (unsigned long long)s);
        for (unsigned i = 1; i < n; i++)
            CHECK(out[i].start_s > out[i - 1].start_s && out[i].start_s < covered &&
                      (out[i].tenths != out[i - 1].tenths || out[i].phases != out[i - 1].phases),
                  "seed %llu: merged and rising", (unsigned long long)s);
        for (int i = 0; i < 60; i++) {
            uint32_t at = i < (int)n ? out[i].start_s : rnd(covered);
            struct amp_limits l;
            unsigned k = n - 1;

            if (i % 2 && at > 0)
                at--; /* the last second of the slice before */
            while (out[k].start_s > at)
                k--;
            amp_smart_evaluate(&site, t + (int64_t)at * S, &l);
            CHECK(out[k].tenths == amp_smart_tenths(&l, c, unit) && out[k].phases == l.phases[c],
                  "seed %llu: second %u", (unsigned long long)s, at);
        }
    }
    CHECK(slices > 3000, "%lu slices: schedules with steps were met", slices);
}

int main(void)
{
    RUN(test_S122_never_above);
    RUN(test_S120_order_of_installation);
    RUN(test_S135_pure);
    RUN(test_S129_until);
    RUN(test_S133_equals_limit);
    return check_end();
}
