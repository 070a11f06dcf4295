/* station/smart_test.c - limits as a function of profiles and time: tables by requirement number
 * (station-1.6). Nothing here has a station. */
#include "station/smart_picture_test.h"

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
    return check_end();
}
