/* station/smart_test.c - limits as a function of profiles and time: tables by requirement number
 * (station-1.6), and properties over generated profiles. Nothing here has a station. */
#include "ocpp/check.h"
#include "station/smart.h"
#include <stdlib.h>

#define T0                1750000000000 /* a Sunday, 15:06:40 UTC */
#define S                 INT64_C(1000)
#define HOUR              (3600 * S)
#define DAY               (24 * HOUR)
#define A(tenths, phases) ((uint32_t)(tenths) << 2 | (phases))

/* ---- making pictures ---- */

static struct amp_profiles set;
static struct amp_site site;

static void clean(int connectors)
{
    memset(&set, 0, sizeof(set));
    memset(&site, 0, sizeof(site));
    site.set = &set;
    site.connectors = connectors;
    site.clock = true;
    site.volts = 230;
    for (int c = 1; c <= connectors; c++) {
        site.con[c].max_ma = 32000;
        site.con[c].least_ma = 6000;
        site.con[c].phases = 3;
    }
}

static void begin(int c, uint32_t local, int64_t start)
{
    site.con[c].in_tx = site.con[c].active = site.con[c].wants = true;
    site.con[c].local = local;
    site.con[c].start_ms = start;
}

static struct amp_profile profile(int32_t id, int purpose, int connector, int level)
{
    return (struct amp_profile){ .id = id,
                                 .purpose = (uint8_t)purpose,
                                 .connector = (uint8_t)connector,
                                 .level = (uint8_t)level,
                                 .kind = AMP_KIND_ABSOLUTE,
                                 .unit = AMP_UNIT_A,
                                 .start_ms = T0,
                                 .from_ms = INT64_MIN,
                                 .to_ms = AMP_EVER,
                                 .duration_s = AMP_OPEN_END };
}

static void add(struct amp_profile p, unsigned count, const struct amp_period *periods)
{
    CHECK(amp_profiles_install(&set, &p, periods, count) == 0, "profile %d", (int)p.id);
}

static void add_flat(struct amp_profile p, uint32_t limit)
{
    add(p, 1, &(struct amp_period){ 0, limit });
}

static int64_t ma(int connector, int64_t t)
{
    struct amp_limits l;

    amp_smart_evaluate(&site, t, &l);
    return l.ua[connector] / 1000;
}

static int64_t until(int64_t t)
{
    struct amp_limits l;

    amp_smart_evaluate(&site, t, &l);
    return l.until_ms == AMP_EVER ? -1 : l.until_ms - t;
}

/* ---- one profile in time ---- */

#define THREE_LEN 3
/* clang-format off */
static const struct amp_period three[THREE_LEN] = {
    { 0,    A(100, 3) },
    { 3600, A(200, 3) },
    { 7200, A(165, 3) }
};
/* clang-format on */

static void test_S121_valid_from_to(void)
{
    struct amp_profile p = profile(1, AMP_PURPOSE_TX_DEFAULT, 0, 0);

    clean(1);
    p.from_ms = T0 + HOUR;
    p.to_ms = T0 + 2 * HOUR;
    add_flat(p, A(160, 3));
    CHECK(ma(1, T0 + HOUR - 1) == 32000, "S121: not valid yet");
    CHECK(until(T0 + HOUR - 1) == 1, "S121: until validFrom");
    CHECK(ma(1, T0 + HOUR) == 16000, "S121: validFrom belongs to it");
    CHECK(ma(1, T0 + 2 * HOUR - 1) == 16000, "S121");
    CHECK(ma(1, T0 + 2 * HOUR) == 32000, "S121: validTo does not");
    CHECK(until(T0 + 2 * HOUR) == -1, "S121: nothing comes");
}

static void test_S121_levels(void)
{
    struct amp_profile low = profile(1, AMP_PURPOSE_TX_DEFAULT, 0, 0),
                       high = profile(2, AMP_PURPOSE_TX_DEFAULT, 0, 5);

    clean(1);
    high.start_ms = T0 + HOUR;
    high.duration_s = 600;
    add_flat(low, A(100, 3));
    add_flat(high, A(250, 3));
    CHECK(ma(1, T0) == 10000, "S121: the lower level, as the higher has not begun");
    CHECK(until(T0) == HOUR, "S121");
    CHECK(ma(1, T0 + HOUR) == 25000, "S121: the highest level prevails, also with more");
    CHECK(until(T0 + HOUR) == 600 * S, "S121");
    CHECK(ma(1, T0 + HOUR + 600 * S) == 10000, "S121: falls to the next level");
    CHECK(ma(1, T0 - 1) == 32000, "S121: none left, no limit");
}

static void test_S123_relative(void)
{
    struct amp_profile p = profile(1, AMP_PURPOSE_TX_DEFAULT, 0, 0);

    clean(2);
    p.kind = AMP_KIND_RELATIVE;
    add(p, THREE_LEN, three);
    begin(1, 1, T0);
    begin(2, 2, T0 + HOUR);
    CHECK(ma(1, T0 + HOUR) == 20000 && ma(2, T0 + HOUR) == 10000,
          "S123: from the start of each transaction");
    CHECK(ma(2, T0 + 3 * HOUR) == 16500, "S123");
    CHECK(until(T0 + HOUR + 500) == HOUR - 500, "S123");
}

static const struct {
    const char *why;
    int64_t at;
    int64_t limit; /* mA */
    int64_t until; /* ms from there */
    /* clang-format off */
} daily[] = {
    { "S124: before startSchedule nothing applies", -1,                   32000, 1 },
    { "S124: nor a day before",                     -DAY,                 32000, DAY },
    { "S124: starts",                               0,                    10000, HOUR },
    { "S124: second period",                        HOUR,                 20000, HOUR },
    { "S125: beyond the duration",                  3 * HOUR,             32000, 21 * HOUR },
    { "S124: the next day",                         DAY,                  10000, HOUR },
    { "S124: a year later",                         365 * DAY + HOUR + 1, 20000, HOUR - 1 },
    { "S124: the last moment of a day",             365 * DAY - 1,        32000, 1 },
};
/* clang-format on */

static void test_S124_daily(void)
{
    struct amp_profile p = profile(1, AMP_PURPOSE_TX_DEFAULT, 0, 0);

    clean(1);
    p.kind = AMP_KIND_RECURRING;
    p.recurs_s = 86400;
    p.duration_s = 3 * 3600;
    add(p, THREE_LEN, three);
    for (unsigned i = 0; i < AMP_COUNT(daily); i++) {
        CHECK(ma(1, T0 + daily[i].at) == daily[i].limit, "%s: %lld", daily[i].why,
              (long long)ma(1, T0 + daily[i].at));
        CHECK(until(T0 + daily[i].at) == daily[i].until, "%s: until %lld", daily[i].why,
              (long long)until(T0 + daily[i].at));
    }
}

static void test_S124_weekly_and_cut(void)
{
    /* clang-format off */
    static const struct amp_period days[] = {
        { 0,         A(60, 3) },
        { 86400,     A(70, 3) },
        { 6 * 86400, A(80, 3) },
        { 8 * 86400, A(90, 3) }
    };
    /* clang-format on */
    struct amp_profile p = profile(1, AMP_PURPOSE_TX_DEFAULT, 0, 0);

    clean(1);
    p.kind = AMP_KIND_RECURRING;
    p.recurs_s = 7 * 86400;
    p.duration_s = 30 * 86400;
    add(p, 4, days);
    CHECK(ma(1, T0 + 6 * DAY) == 8000, "S124");
    CHECK(ma(1, T0 + 7 * DAY) == 6000, "S124: starts again after seven days");
    CHECK(ma(1, T0 + 8 * DAY) == 7000, "S124: the part beyond the week is cut");
    CHECK(until(T0 + 6 * DAY) == DAY, "S124");
    p.recurs_s = 86400;
    add(p, 4, days);
    CHECK(ma(1, T0 + 23 * HOUR) == 6000 && ma(1, T0 + 25 * HOUR) == 6000, "S124: cut at the day");
}

static void test_S125_duration(void)
{
    struct amp_profile p = profile(1, AMP_PURPOSE_TX_DEFAULT, 0, 0);

    clean(1);
    p.duration_s = 5400;
    add(p, THREE_LEN, three);
    CHECK(ma(1, T0 + 5399 * S) == 20000 && ma(1, T0 + 5400 * S) == 32000,
          "S125: periods beyond the duration are cut");
    CHECK(until(T0 + HOUR) == 1800 * S && until(T0 + 5400 * S) == -1, "S125");
    p.duration_s = 5 * 3600;
    add(p, THREE_LEN, three);
    CHECK(ma(1, T0 + 5 * HOUR - 1) == 16500 && ma(1, T0 + 5 * HOUR) == 32000,
          "S125: the last period holds its value");
    p.duration_s = AMP_OPEN_END;
    add(p, THREE_LEN, three);
    CHECK(ma(1, T0 + 9999 * DAY) == 16500 && until(T0 + 9999 * DAY) == -1, "S125: open end");
}

/* ---- purposes ---- */

static void test_S118_connector_before_station(void)
{
    clean(2);
    add_flat(profile(1, AMP_PURPOSE_TX_DEFAULT, 0, 1), A(100, 3));
    add_flat(profile(2, AMP_PURPOSE_TX_DEFAULT, 2, 1), A(160, 3));
    CHECK(ma(1, T0) == 10000 && ma(2, T0) == 16000, "S118: replaced only on its connector");
    add_flat(profile(3, AMP_PURPOSE_TX_DEFAULT, 2, 0), A(80, 3));
    CHECK(ma(2, T0) == 16000, "S118: another level is stacked");
    set.at[1].from_ms = T0 + HOUR;
    CHECK(ma(2, T0) == 8000, "S128: in its place though not valid yet; the next level counts");
}

static void test_S122_minimum(void)
{
    clean(2);
    begin(1, 7, T0);
    begin(2, 8, T0);
    add_flat(profile(1, AMP_PURPOSE_TX_DEFAULT, 0, 0), A(100, 3));
    add_flat(profile(2, AMP_PURPOSE_TX, 1, 0), A(160, 3));
    set.at[1].local = 7;
    CHECK(ma(1, T0) == 16000 && ma(2, T0) == 10000, "S122: TxProfile in place of the default");
    add_flat(profile(3, AMP_PURPOSE_MAX, 0, 0), A(140, 3));
    site.con[2].active = site.con[2].in_tx = false;
    CHECK(ma(1, T0) == 14000, "S122: the lower of both purposes");
    CHECK(ma(0, T0) == 14000, "S122: and of the station");
    set.at[1].local = 6;
    CHECK(ma(1, T0) == 10000, "S119: the profile of another transaction");
    set.at[1].local = 0;
    CHECK(ma(1, T0) == 10000, "S119: nor one that waits for its transaction");
    set.at[1].local = 7;
    set.at[1].duration_s = 60;
    CHECK(ma(1, T0 + 60 * S) == 10000, "S122: no TxProfile valid now, so the default");
}

/* ---- units and phases (126) ---- */

static const struct {
    const char *why;
    int unit;
    uint32_t limit;
    uint8_t phases; /* of the connector */
    bool switches;
    int64_t ma, tenths_a, tenths_w;
    uint8_t used;
} units[] = {
    { "A is per phase", AMP_UNIT_A, A(161, 3), 3, false, 16100, 161, 111090, 3 },
    { "A on one phase", AMP_UNIT_A, A(161, 3), 1, false, 16100, 161, 37030, 1 },
    { "W is the total", AMP_UNIT_W, A(110000, 3), 3, false, 15942, 159, 110000, 3 },
    { "W, tenths", AMP_UNIT_W, A(73001, 3), 3, false, 10579, 105, 73001, 3 },
    { "W of three phases on one: not rescaled", AMP_UNIT_W, A(110000, 3), 1, false, 15942, 159,
      36666, 1 },
    { "W for one phase", AMP_UNIT_W, A(36800, 1), 1, false, 16000, 160, 36800, 1 },
    { "W for one phase on three: the total holds", AMP_UNIT_W, A(73600, 1), 3, false, 10666, 106,
      73600, 3 },
    { "W for one phase, switched", AMP_UNIT_W, A(36800, 1), 3, true, 16000, 160, 36800, 1 },
    { "A for one phase, switched", AMP_UNIT_A, A(100, 1), 3, true, 10000, 100, 23000, 1 },
    { "A for one phase, not switched", AMP_UNIT_A, A(100, 1), 3, false, 10000, 100, 69000, 3 },
    { "two phases of three, switched", AMP_UNIT_W, A(46000, 2), 3, true, 10000, 100, 46000, 2 },
    { "more than the hardware", AMP_UNIT_A, A(630, 3), 3, false, 32000, 320, 220800, 3 },
    { "the largest", AMP_UNIT_W, A(AMP_TENTHS_MAX, 3), 3, false, 32000, 320, 220800, 3 },
    { "nothing", AMP_UNIT_W, A(0, 3), 3, false, 0, 0, 0, 3 },
};

static void test_S126_units(void)
{
    for (unsigned i = 0; i < AMP_COUNT(units); i++) {
        struct amp_profile p = profile(1, AMP_PURPOSE_TX_DEFAULT, 0, 0);
        struct amp_limits l;

        clean(1);
        site.con[1].phases = units[i].phases;
        site.switches = units[i].switches;
        p.unit = (uint8_t)units[i].unit;
        add_flat(p, units[i].limit);
        amp_smart_evaluate(&site, T0, &l);
        CHECK(l.ua[1] / 1000 == units[i].ma, "S126 %s: %lld mA", units[i].why,
              (long long)l.ua[1] / 1000);
        CHECK(amp_smart_tenths(&l, 1, AMP_UNIT_A) == units[i].tenths_a, "S126 %s: %lld A/10",
              units[i].why, (long long)amp_smart_tenths(&l, 1, AMP_UNIT_A));
        CHECK(amp_smart_tenths(&l, 1, AMP_UNIT_W) == units[i].tenths_w, "S126 %s: %lld W/10",
              units[i].why, (long long)amp_smart_tenths(&l, 1, AMP_UNIT_W));
        CHECK(l.phases[1] == units[i].used, "S126 %s: %u phases", units[i].why, l.phases[1]);
    }
}

/* Every tenth of a watt comes back as what it was. */
static void test_S126_watts_are_exact(void)
{
    struct amp_profile p = profile(1, AMP_PURPOSE_MAX, 0, 0);

    clean(1);
    p.unit = AMP_UNIT_W;
    for (uint32_t w = 0; w <= 220800; w += 1) {
        struct amp_limits l;

        add_flat(p, A(w, 3));
        amp_smart_evaluate(&site, T0, &l);
        if (amp_smart_tenths(&l, 1, AMP_UNIT_W) != w || amp_smart_tenths(&l, 0, AMP_UNIT_W) != w) {
            CHECK(false, "S126: %u tenths became %lld", w,
                  (long long)amp_smart_tenths(&l, 1, AMP_UNIT_W));
            return;
        }
    }
}

/* ---- sharing (122) ---- */

struct who {
    bool active, wants;
    int32_t own_ma; /* 0: no profile */
    int64_t ma;
};
static const struct {
    const char *why;
    uint32_t all; /* tenths of A */
    struct who who[3];
} shares[] = {
    { "equal", 300, { { 1, 1, 0, 10000 }, { 1, 1, 0, 10000 }, { 1, 1, 0, 10000 } } },
    { "one alone has all", 300, { { 0, 0, 0, 30000 }, { 1, 1, 0, 30000 }, { 0, 0, 0, 30000 } } },
    { "what one cannot use",
      300,
      { { 1, 1, 8000, 8000 }, { 1, 1, 0, 11000 }, { 1, 1, 0, 11000 } } },
    { "enough for all", 960, { { 1, 1, 0, 32000 }, { 1, 1, 0, 32000 }, { 1, 1, 0, 32000 } } },
    { "a full car keeps 6 A", 300, { { 1, 0, 0, 6000 }, { 1, 1, 0, 12000 }, { 1, 1, 0, 12000 } } },
    { "just enough", 180, { { 1, 1, 0, 6000 }, { 1, 1, 0, 6000 }, { 1, 1, 0, 6000 } } },
    { "the last waits", 179, { { 1, 1, 0, 8950 }, { 1, 1, 0, 8950 }, { 1, 1, 0, 0 } } },
    { "a full car waits first", 120, { { 1, 0, 0, 0 }, { 1, 1, 0, 6000 }, { 1, 1, 0, 6000 } } },
    { "nothing for anybody", 59, { { 1, 1, 0, 0 }, { 1, 1, 0, 0 }, { 1, 1, 0, 0 } } },
    { "zero", 0, { { 1, 1, 0, 0 }, { 1, 1, 0, 0 }, { 0, 0, 0, 0 } } },
    { "paused by its own", 120, { { 1, 1, 5000, 5000 }, { 1, 1, 0, 6000 }, { 1, 1, 0, 6000 } } },
};

static void test_S122_shares(void)
{
    for (unsigned i = 0; i < AMP_COUNT(shares); i++) {
        clean(3);
        add_flat(profile(1, AMP_PURPOSE_MAX, 0, 0), A(shares[i].all, 3));
        for (int c = 1; c <= 3; c++) {
            const struct who *w = &shares[i].who[c - 1];

            if (w->active)
                begin(c, (uint32_t)(10 + c), T0);
            site.con[c].wants = w->wants;
            if (w->own_ma)
                add_flat(profile(10 + c, AMP_PURPOSE_TX_DEFAULT, c, 0),
                         A((uint32_t)w->own_ma / 100, 3));
        }
        for (int c = 1; c <= 3; c++)
            CHECK(ma(c, T0) == shares[i].who[c - 1].ma, "S122 %s: connector %d has %lld",
                  shares[i].why, c, (long long)ma(c, T0));
    }
}

static void test_S122_order_of_service(void)
{
    clean(2);
    begin(1, 20, T0);
    begin(2, 10, T0);
    add_flat(profile(1, AMP_PURPOSE_MAX, 0, 0), A(100, 3));
    CHECK(ma(1, T0) == 0 && ma(2, T0) == 10000, "S122: who came first");
    site.con[2].least_ma = site.con[2].max_ma = 16000; /* cannot be limited */
    CHECK(ma(1, T0) == 10000 && ma(2, T0) == 0, "S127: all or nothing for a fixed current");
}

/* ---- without a clock ---- */

static void test_S131_time_unknown(void)
{
    struct amp_profile p = profile(1, AMP_PURPOSE_TX_DEFAULT, 0, 0);

    clean(1);
    site.clock = false;
    begin(1, 1, 5000);
    p.kind = AMP_KIND_RELATIVE;
    add(p, THREE_LEN, three);
    CHECK(ma(1, 5000 + HOUR) == 20000, "S131: a relative profile needs no date");
    p.kind = AMP_KIND_ABSOLUTE;
    add(p, THREE_LEN, three);
    CHECK(ma(1, 5000 + HOUR) == 10000, "S131: else the lowest");
    p = profile(2, AMP_PURPOSE_MAX, 0, 3);
    p.from_ms = T0 + 99 * DAY;
    add_flat(p, A(70, 3));
    CHECK(ma(1, 5000 + HOUR) == 7000, "S131: valid or not, nobody knows");
    CHECK(until(5000) == -1, "S131: until the clock is set");
}

/* ---- composite schedules (133) ---- */

static void test_S133_composite(void)
{
    struct amp_profile p = profile(1, AMP_PURPOSE_TX_DEFAULT, 0, 0);
    /* clang-format off */
    static const struct amp_period same[] = {
        { 0,   A(100, 3) },
        { 60,  A(100, 3) },
        { 120, A(100, 2) },
        { 180, A(161, 3) },
        { 240, A(161, 3) }
    };
    /* clang-format on */
    struct amp_slice out[8];
    uint32_t covered;
    unsigned n;

    clean(1);
    p.duration_s = 300;
    add(p, 5, same);
    n = amp_smart_composite(&site, 1, T0 + 10 * S, 600, AMP_UNIT_A, out, 8, &covered);
    CHECK(n == 3 && covered == 600, "S133: %u, merged", n);
    CHECK(out[0].start_s == 0 && out[0].tenths == 100, "S133: from now");
    CHECK(out[1].start_s == 170 && out[1].tenths == 161, "S133: counted from now");
    CHECK(out[2].start_s == 290 && out[2].tenths == 320, "S133: then what the hardware gives");
    n = amp_smart_composite(&site, 1, T0, 100, AMP_UNIT_W, out, 8, &covered);
    CHECK(n == 1 && covered == 100 && out[0].tenths == 69000, "S133: in W, and no further");
    n = amp_smart_composite(&site, 1, T0, 3600, AMP_UNIT_A, out, 2, &covered);
    CHECK(n == 2 && covered == 300, "S133: as far as there is room: %u", covered);
    n = amp_smart_composite(&site, 1, T0, 0, AMP_UNIT_A, out, 8, &covered);
    CHECK(n == 1 && covered == 0, "S133: no time");
    n = amp_smart_composite(&site, 1, T0 + DAY, INT32_MAX, AMP_UNIT_A, out, 8, &covered);
    CHECK(n == 1 && covered == INT32_MAX, "S133: for ever");
}

static void test_S133_total(void)
{
    struct amp_limits l;

    clean(3);
    site.con[3].phases = 1;
    amp_smart_evaluate(&site, T0, &l);
    CHECK(l.ua[0] == 96000000, "S133: the sum of all");
    CHECK(amp_smart_tenths(&l, 0, AMP_UNIT_W) == (7 * 32 * 230) * 10, "S133: in W, by phases");
    add_flat(profile(1, AMP_PURPOSE_MAX, 0, 0), A(400, 3));
    amp_smart_evaluate(&site, T0, &l);
    CHECK(l.ua[0] == 40000000 && amp_smart_tenths(&l, 0, AMP_UNIT_W) == 276000, "S133: at most");
}

/* The cost of a question is bounded: a year of minutes that merge. */
static void test_S133_bounded(void)
{
    struct amp_profile p = profile(1, AMP_PURPOSE_TX_DEFAULT, 0, 0);
    struct amp_period many[AMP_PERIODS_MAX];
    struct amp_slice out[8];
    uint32_t covered = 0;

    clean(1);
    for (unsigned i = 0; i < AMP_PERIODS_MAX; i++)
        many[i] = (struct amp_period){ i * 60, A(100, 3) };
    p.kind = AMP_KIND_RECURRING;
    p.recurs_s = 86400;
    add(p, AMP_PERIODS_MAX, many);
    CHECK(amp_smart_composite(&site, 1, T0, 365 * 86400, AMP_UNIT_A, out, 8, &covered) == 1, "one");
    CHECK(covered >= 30 * 86400 && covered < 365 * 86400, "S133: %u s are told", covered);
}

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
    RUN(test_S121_valid_from_to);
    RUN(test_S121_levels);
    RUN(test_S123_relative);
    RUN(test_S124_daily);
    RUN(test_S124_weekly_and_cut);
    RUN(test_S125_duration);
    RUN(test_S118_connector_before_station);
    RUN(test_S122_minimum);
    RUN(test_S126_units);
    RUN(test_S126_watts_are_exact);
    RUN(test_S122_shares);
    RUN(test_S122_order_of_service);
    RUN(test_S131_time_unknown);
    RUN(test_S133_composite);
    RUN(test_S133_total);
    RUN(test_S133_bounded);
    RUN(test_S122_never_above);
    RUN(test_S120_order_of_installation);
    RUN(test_S135_pure);
    RUN(test_S129_until);
    RUN(test_S133_equals_limit);
    return check_end();
}
