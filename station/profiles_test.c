/* station/profiles_test.c - which charging profiles are taken, which replace which, and what stays
 * of them in the journal. Numbers: station-1.6. */
#include "station/smart_world_test.h"

/* ---- what is taken ---- */

static void test_S118_purposes_and_connectors(void)
{
    static const struct {
        const char *purpose;
        int connector;
        const char *reply;
        /* clang-format off */
    } cases[] = {
        { "ChargePointMaxProfile", 0,  ACCEPTED },
        { "ChargePointMaxProfile", 1,  REJECTED },
        { "TxDefaultProfile",      0,  ACCEPTED },
        { "TxDefaultProfile",      2,  ACCEPTED },
        { "TxProfile",             0,  REJECTED },
        { "TxProfile",             1,  ACCEPTED },
        { "TxDefaultProfile",      3,  CONSTRAINT },
        { "ChargePointMaxProfile", 9,  CONSTRAINT },
        { "TxProfile",             -1, CONSTRAINT },
        { "NoProfile",             1,  CONSTRAINT },
    };
    /* clang-format on */
    struct world world, *w = &world;

    open_world(w);
    charge(w, 1, "TAG1");
    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct said p = say_default(100 + (int)i, 0, FLAT("16"));

        p.purpose = cases[i].purpose;
        p.tx = 1001;
        CHECK_SET(w, cases[i].connector, &p, cases[i].reply, "S118 %s on %d: %s", cases[i].purpose,
                  cases[i].connector);
    }
    world_close(w);
}

static void test_S119_transaction(void)
{
    struct world world, *w = &world;
    struct said p = say_default(1, 0, FLAT("10"));

    open_world(w);
    p.purpose = "TxProfile";
    p.tx = 1001;
    CHECK_SET(w, 1, &p, REJECTED, "S119: no transaction: %s");
    charge(w, 1, "TAG1");
    CHECK_SET(w, 2, &p, REJECTED, "S119: on another connector: %s");
    p.tx = 1002;
    CHECK_SET(w, 1, &p, REJECTED, "S119: another id: %s");
    p.tx = 0;
    CHECK_SET(w, 1, &p, REJECTED, "S119: no id: %s");
    CHECK(pilot.ma[1] == 32000, "S119: nothing changed");
    p.tx = 1001;
    CHECK_SET(w, 1, &p, ACCEPTED, "S119: its id: %s");
    CHECK(pilot.ma[1] == 10000, "S119: %d mA", (int)pilot.ma[1]);
    world_tag(w, 1, "TAG1");
    CHECK_SET(w, 1, &p, REJECTED, "S119: it is over: %s");
    CHECK(w->st->smart.set.count == 0, "S130: gone with its transaction");
    world_plug(w, 1, false);
    w->mute = "StartTransaction";
    charge(w, 1, "TAG1");
    CHECK_SET(w, 1, &p, REJECTED, "S119: not bound yet, so nobody knows the id: %s");
    world_close(w);
}

static void test_S120_replaces_and_stacks(void)
{
    struct world world, *w = &world;
    struct said p = say_default(1, 0, FLAT("10"));

    open_world(w);
    charge(w, 1, "TAG1");
    CHECK_SET(w, 0, &p, ACCEPTED, "S120: level 0: %s");
    CHECK(pilot.ma[1] == 10000, "S120");
    p = say_default(2, 0, FLAT("11"));
    CHECK_SET(w, 0, &p, ACCEPTED, "S120: %s");
    CHECK(w->st->smart.set.count == 1 && pilot.ma[1] == 11000, "S120: same level and purpose");
    p = say_default(2, 4, FLAT("12"));
    CHECK_SET(w, 2, &p, ACCEPTED, "S120: %s");
    CHECK(w->st->smart.set.count == 1 && pilot.ma[1] == 32000, "S120: same id, wherever it was");
    CHECK_SET(w, 1, &p, ACCEPTED, "S120: %s");
    p = say_default(3, 4, FLAT("13"));
    CHECK_SET(w, 2, &p, ACCEPTED, "S120: %s");
    CHECK(w->st->smart.set.count == 2, "S120: another connector is another place");
    p = say_default(4, 10, FLAT("14"));
    CHECK_SET(w, 1, &p, ACCEPTED, "S120: the highest level: %s");
    CHECK(pilot.ma[1] == 14000, "S121: prevails");
    p.level = 11;
    CHECK_SET(w, 1, &p, REJECTED, "S134: too high: %s");
    CHECK(pilot.ma[1] == 14000, "S134: nothing changed");
    world_close(w);
}

static void test_S120_how_many(void)
{
    struct world world, *w = &world;
    int n = 0;

    open_world(w);
    for (int connector = 0; connector <= 2; connector++)
        for (int level = 0; level <= 10; level++) {
            struct said p = say_default(++n, level, FLAT("10"));

            CHECK_SET(w, connector, &p, n <= AMP_PROFILES_MAX ? ACCEPTED : REJECTED,
                      "S120: number %d: %s", n);
        }
    CHECK(w->st->smart.set.count == AMP_PROFILES_MAX, "S120: %u", w->st->smart.set.count);
    {
        struct said p = say_default(20, 8, FLAT("9"));

        CHECK_SET(w, 1, &p, ACCEPTED, "S120: one that replaces has room: %s");
    }
    world_power(w);
    CHECK(w->st->smart.set.count == AMP_PROFILES_MAX, "S130: all of them");
    world_close(w);
}

static void test_S123_schedules(void)
{
    static const struct {
        const char *why, *kind, *recurs, *periods;
        bool start;
        const char *reply;
    } cases[] = {
        { "Absolute", "Absolute", NULL, FLAT("8"), true, ACCEPTED },
        { "Absolute without start", "Absolute", NULL, FLAT("8"), false, REJECTED },
        { "Recurring", "Recurring", "Daily", FLAT("8"), true, ACCEPTED },
        { "Weekly", "Recurring", "Weekly", FLAT("8"), true, ACCEPTED },
        { "Recurring without start", "Recurring", "Daily", FLAT("8"), false, REJECTED },
        { "S124: without recurrencyKind", "Recurring", NULL, FLAT("8"), true, REJECTED },
        { "Relative", "Relative", NULL, FLAT("8"), false, ACCEPTED },
        { "Relative with start", "Relative", NULL, FLAT("8"), true, ACCEPTED },
        { "first period not 0", "Relative", NULL, "[{\"startPeriod\":5,\"limit\":8}]", false,
          CONSTRAINT },
        { "falling", "Relative", NULL,
          "[{\"startPeriod\":0,\"limit\":8},{\"startPeriod\":9,\"limit\":8},"
          "{\"startPeriod\":8,\"limit\":8}]",
          false, REJECTED },
        { "twice", "Relative", NULL,
          "[{\"startPeriod\":0,\"limit\":8},{\"startPeriod\":0,\"limit\":8}]", false, REJECTED },
        { "none", "Relative", NULL, "[]", false, "!OccurenceConstraintViolation" },
        { "no phases", "Relative", NULL, "[{\"startPeriod\":0,\"limit\":8,\"numberPhases\":0}]",
          false, REJECTED },
        { "less than nothing", "Relative", NULL, FLAT("-1"), false, CONSTRAINT },
    };
    struct world world, *w = &world;

    open_world(w);
    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct said p = say_default(1, 0, cases[i].periods);

        p.kind = cases[i].kind;
        p.recurs = cases[i].recurs;
        p.start = cases[i].start ? NOW : NO_TIME;
        CHECK_SET(w, 0, &p, cases[i].reply, "S123 %s: %s", cases[i].why);
    }
    world_close(w);
}

/* The option of 123, and a station limit that has no start. */
static void test_S123_start_is_optional(void)
{
    struct world world, *w = &world;
    struct said p =
        say_default(1, 0, "[{\"startPeriod\":0,\"limit\":8},{\"startPeriod\":60,\"limit\":9}]");

    open_world(w);
    p.kind = "Absolute";
    world_set(w, "AbsoluteScheduleStartOptional", "true");
    CHECK_SET(w, 1, &p, ACCEPTED, "S123: %s");
    world_run(w, 30000);
    charge(w, 1, "TAG1");
    world_run(w, 40000);
    CHECK(pilot.ma[1] == 8000, "S123: counts from the start of charging");
    p.id = 2;
    p.purpose = "ChargePointMaxProfile";
    p.periods = "[{\"startPeriod\":0,\"limit\":7},{\"startPeriod\":60,\"limit\":32}]";
    CHECK_SET(w, 0, &p, ACCEPTED, "S123: %s");
    CHECK(pilot.ma[1] == 7000, "S123");
    world_run(w, 61000);
    CHECK(pilot.ma[1] == 9000, "S123: a station limit counts from when it came");
    world_close(w);
}

/* S104: the words of the unit key, and that the wire cannot change it. */
static void test_S134_limits_of_the_device(void)
{
    static const char *const settings[] = { "ChargingScheduleAllowedChargingRateUnit=Current",
                                            "ChargeProfileMaxStackLevel=3",
                                            "ChargingScheduleMaxPeriods=2",
                                            "MaxChargingProfilesInstalled=2", NULL };
    struct world world, *w = &world;
    struct said p = say_default(1, 3, FLAT("8"));

    open_with(w, settings);
    CHECK_SET(w, 0, &p, ACCEPTED, "S134: %s");
    p.level = 4;
    CHECK_SET(w, 0, &p, REJECTED, "S134: level: %s");
    p = say_default(2, 0, FLAT("8000"));
    p.unit = "W";
    CHECK_SET(w, 0, &p, REJECTED, "S134: unit: %s");
    p.unit = "VA";
    CHECK_SET(w, 0, &p, CONSTRAINT, "S134: no unit: %s");
    p = say_default(2, 0,
                    "[{\"startPeriod\":0,\"limit\":8},{\"startPeriod\":1,\"limit\":8},"
                    "{\"startPeriod\":2,\"limit\":8}]");
    CHECK_SET(w, 0, &p, REJECTED, "S134: periods: %s");
    p.periods = FLAT("8");
    CHECK_SET(w, 0, &p, ACCEPTED, "S134: %s");
    p = say_default(3, 1, FLAT("8"));
    CHECK_SET(w, 0, &p, REJECTED, "S120: the third of two: %s");
    world_call(w, "ChangeConfiguration",
               "{\"key\":\"ChargingScheduleAllowedChargingRateUnit\",\"value\":\"Power\"}");
    CHECK(!strcmp(w->reply, REJECTED), "S104: %s", w->reply);
    world_call(w, "GetConfiguration",
               "{\"key\":[\"ChargeProfileMaxStackLevel\",\"ChargingScheduleMaxPeriods\","
               "\"ChargingScheduleAllowedChargingRateUnit\",\"MaxChargingProfilesInstalled\","
               "\"ConnectorSwitch3to1PhaseSupported\"]}");
    CHECK(!strcmp(w->reply,
                  "{\"configurationKey\":["
                  "{\"key\":\"ChargeProfileMaxStackLevel\",\"readonly\":true,\"value\":\"3\"},"
                  "{\"key\":\"ChargingScheduleMaxPeriods\",\"readonly\":true,\"value\":\"2\"},"
                  "{\"key\":\"ChargingScheduleAllowedChargingRateUnit\",\"readonly\":true,"
                  "\"value\":\"Current\"},"
                  "{\"key\":\"MaxChargingProfilesInstalled\",\"readonly\":true,\"value\":\"2\"},"
                  "{\"key\":\"ConnectorSwitch3to1PhaseSupported\",\"readonly\":true,"
                  "\"value\":\"false\"}]}"),
          "S104, S134: %s", w->reply);
    world_close(w);
}

/* As many periods as are promised, and one more. */
static void test_S134_most_periods(void)
{
    static char periods[AMP_PERIODS_MAX * 60 + 60];
    struct world world, *w = &world;

    open_world(w);
    for (unsigned count = AMP_PERIODS_MAX; count <= AMP_PERIODS_MAX + 1; count++) {
        struct said p = say_default(1, 0, periods);
        struct amp_buf b;

        amp_buf_init(&b, periods, sizeof(periods) - 1);
        for (unsigned i = 0; i < count; i++) {
            put_int(&b, i ? ",{\"startPeriod\":" : "[{\"startPeriod\":", i * 900);
            put_int(&b, ",\"limit\":", 6 + i % 26);
            amp_buf_puts(&b, ".5,\"numberPhases\":3}");
        }
        amp_buf_puts(&b, "]");
        periods[b.len] = 0;
        CHECK_SET(w, 0, &p, count <= AMP_PERIODS_MAX ? ACCEPTED : REJECTED, "S134: %u: %s", count);
    }
    world_call(w, "GetCompositeSchedule", "{\"connectorId\":1,\"duration\":86400}");
    CHECK(strstr(w->reply, "{\"startPeriod\":85500,\"limit\":23.5,\"numberPhases\":3}]") != NULL,
          "S133: all of them come back: %s", w->reply);
    world_power(w);
    CHECK(w->st->smart.set.used == AMP_PERIODS_MAX, "S130: all periods: %u", w->st->smart.set.used);
    world_close(w);
}

static void test_S134_no_room(void)
{
    static char periods[AMP_PERIODS_MAX * 60 + 60];
    struct world world, *w = &world;
    struct amp_buf b;
    unsigned accepted = 0;

    open_world(w);
    amp_buf_init(&b, periods, sizeof(periods) - 1);
    for (unsigned i = 0; i < AMP_PERIODS_MAX; i++) {
        put_int(&b, i ? ",{\"startPeriod\":" : "[{\"startPeriod\":", i * 900);
        amp_buf_puts(&b, ",\"limit\":8}");
    }
    amp_buf_puts(&b, "]");
    periods[b.len] = 0;
    for (int i = 0; i < 5; i++) {
        struct said p = say_default(1 + i, i, periods);

        accepted += !strcmp(set(w, 0, &p), ACCEPTED);
    }
    CHECK(accepted == 2, "a quarter of this storage: %u", accepted);
    CHECK(w->st->smart.set.count == accepted, "what is rejected is not there");
    charge(w, 1, "TAG1"); /* and transactions have their room */
    world_tag(w, 1, "TAG1");
    CHECK(w->tx_count == 1 && w->tx[0].stops == 1, "told");
    world_close(w);
}

/* ---- what stays ---- */

static void test_S130_reboot(void)
{
    struct world world, *w = &world;
    struct said p = say_default(1, 0, FLAT("10"));

    open_world(w);
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    p = say_default(2, 0, FLAT("12"));
    CHECK_SET(w, 2, &p, ACCEPTED, "%s");
    p = say_default(3, 0,
                    "[{\"startPeriod\":0,\"limit\":20},{\"startPeriod\":7200,\"limit\":9.5}]");
    p.purpose = "ChargePointMaxProfile";
    p.kind = "Recurring";
    p.recurs = "Daily";
    p.start = NOW - HOUR;
    p.unit = "A";
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    charge(w, 1, "TAG1");
    p = say_default(4, 0, FLAT("8"));
    p.purpose = "TxProfile";
    p.tx = 1001;
    CHECK_SET(w, 1, &p, ACCEPTED, "%s");
    CHECK(pilot.ma[1] == 8000, "S130");
    w->mem.cut = true;
    world_power(w);
    world_run(w, 1000);
    CHECK(w->st->smart.set.count == 3, "S130: all but the TxProfile: %u", w->st->smart.set.count);
    world_tag(w, 1, "TAG1");
    CHECK(pilot.ma[1] == 10000, "S130: %d", (int)pilot.ma[1]);
    charge(w, 2, "TAG2");
    CHECK(pilot.ma[2] == 10000, "S130: half of 20");
    world_run(w, HOUR);
    CHECK(pilot.ma[1] == 9500 && world_status(w, 2) == AMP_SUSPENDED_EVSE, "S130: %d, %d",
          (int)pilot.ma[1], (int)pilot.ma[2]);
    CHECK(!strcmp(clear_all(w, "{\"id\":2}"), ACCEPTED), "%s", w->reply);
    p = say_default(1, 1, FLAT("7"));
    CHECK_SET(w, 1, &p, ACCEPTED, "%s");
    world_power(w);
    CHECK(w->st->smart.set.count == 2, "S130: what was cleared and replaced stays so");
    world_close(w);
}

/* Expired ones make room, in memory and in the journal. */
static void test_S130_purge(void)
{
    struct world world, *w = &world;

    open_world(w);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < AMP_PROFILES_MAX; i++) {
            struct said p = say_default(100 * round + i, i % 10, FLAT("10"));

            if (i % 2) {
                p.to = NOW + 60000;
            } else {
                p.kind = "Absolute";
                p.start = NOW;
                p.duration = 60;
            }
            CHECK_SET(w, 1 + i / 10, &p, ACCEPTED, "S130: round %d, %d: %s", round, i);
        }
        world_run(w, 62000);
        CHECK(w->st->smart.set.count == 0, "S130: %u are left", w->st->smart.set.count);
    }
    world_power(w);
    CHECK(w->st->smart.set.count == 0, "S130: nor after a restart");
    {
        struct said p = say_default(1, 0, FLAT("10"));

        p.to = NOW - 1000;
        CHECK_SET(w, 0, &p, "", "not connected yet: %s");
        world_run(w, 1000);
        CHECK_SET(w, 0, &p, REJECTED, "over before it came: %s");
        p.from = NOW + 2000;
        p.to = NOW + 1000;
        CHECK_SET(w, 0, &p, REJECTED, "never: %s");
    }
    world_close(w);
}

static void test_S132_clear(void)
{
    static const struct {
        const char *filter, *reply;
        unsigned left; /* bits: profiles 1, 2, 3, 4 */
    } cases[] = {
        { "{\"id\":2}", ACCEPTED, 0xd },
        { "{\"id\":9}", UNKNOWN, 0xf },
        { "{\"id\":2,\"connectorId\":7,\"stackLevel\":9}", ACCEPTED, 0xd },
        { "{}", ACCEPTED, 0 },
        { "{\"connectorId\":0}", ACCEPTED, 0xc },
        { "{\"connectorId\":2}", ACCEPTED, 0x7 },
        { "{\"connectorId\":5}", UNKNOWN, 0xf },
        { "{\"chargingProfilePurpose\":\"TxDefaultProfile\"}", ACCEPTED, 0x1 },
        { "{\"chargingProfilePurpose\":\"TxProfile\"}", UNKNOWN, 0xf },
        { "{\"stackLevel\":0}", ACCEPTED, 0x8 },
        { "{\"stackLevel\":0,\"connectorId\":1}", ACCEPTED, 0xb },
        { "{\"stackLevel\":3,\"connectorId\":1}", UNKNOWN, 0xf },
        { "{\"stackLevel\":0,\"chargingProfilePurpose\":\"TxDefaultProfile\",\"connectorId\":0}",
          ACCEPTED, 0xd },
        { "{\"chargingProfilePurpose\":\"Nonsense\"}", CONSTRAINT, 0xf },
    };

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct world world, *w = &world;
        struct said p = say_default(1, 0, FLAT("10"));

        open_world(w);
        p.purpose = "ChargePointMaxProfile";
        CHECK_SET(w, 0, &p, ACCEPTED, "%s");
        for (int id = 2; id <= 4; id++) {
            p = say_default(id, id == 4 ? 3 : 0, FLAT("10"));
            CHECK_SET(w, id - 2, &p, ACCEPTED, "%s");
        }
        CHECK(!strcmp(clear_all(w, cases[i].filter), cases[i].reply), "S132 %s: %s",
              cases[i].filter, w->reply);
        for (int again = 0; again < 2; again++) {
            unsigned left = 0;

            for (unsigned k = 0; k < w->st->smart.set.count; k++)
                left |= 1u << (w->st->smart.set.at[k].id - 1);
            CHECK(left == cases[i].left, "S132 %s: left %x%s", cases[i].filter, left,
                  again ? " after a restart" : "");
            if (!again)
                world_power(w);
        }
        world_close(w);
    }
}

/* ---- storage ---- */

static void everything(struct world *w)
{
    struct said p = say_default(1, 0, FLAT("10"));

    set(w, 0, &p);
    p = say_default(2, 0, FLAT("12"));
    set(w, 1, &p);
    p = say_default(2, 1, FLAT("13"));
    set(w, 1, &p);
    clear_all(w, "{\"id\":1}");
    p = say_default(3, 1, FLAT("14"));
    set(w, 1, &p);
    p = say_default(4, 0, FLAT("15"));
    p.purpose = "ChargePointMaxProfile";
    set(w, 0, &p);
    clear_all(w, "{}");
}

/* The states that the session goes through, as bits of (id, level). */
static unsigned state_of(const struct world *w)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < w->st->smart.set.count; i++)
        bits |= 1u << (w->st->smart.set.at[i].id * 2 + w->st->smart.set.at[i].level);
    return bits;
}

/* S130: whatever write the power goes at, one of the states is what stays: never half a change. */
static void test_S130_power_cut_at_every_write(void)
{
    static const unsigned states[] = { 0,      1 << 2, 1 << 2 | 1 << 4, 1 << 2 | 1 << 5,
                                       1 << 5, 1 << 7, 1 << 7 | 1 << 8 };
    unsigned writes, met = 0;
    struct world world, *w = &world;

    open_world(w);
    mem_arm(&w->mem, 0, MEM_FINE, 0);
    everything(w);
    writes = w->mem.writes;
    world_close(w);
    CHECK(writes >= 7, "%u writes", writes);
    for (unsigned n = 1; n <= writes; n++)
        for (size_t torn = 0; torn <= 48; torn += 24)
            for (int how = 0; how < 2; how++) {
                bool known = false;
                unsigned before;

                open_world(w);
                mem_arm(&w->mem, n, how ? MEM_FAIL : MEM_CUT, torn);
                everything(w);
                before = state_of(w);
                world_power(w);
                CHECK(!how || torn || state_of(w) == before, "S130: write %u failed: was %x, is %x",
                      n, before, state_of(w));
                for (unsigned i = 0; i < AMP_COUNT(states); i++)
                    if (!how && state_of(w) == states[i]) {
                        known = true;
                        met |= 1u << i;
                    }
                CHECK(how || known, "S130: write %u, %zu: state %x", n, torn, state_of(w));
                world_run(w, 1000);
                world_close(w);
            }
    CHECK(met == (1u << AMP_COUNT(states)) - 1, "all states were met: %x", met);
}

/* What cannot be stored is not accepted, and nothing changed. */
static void test_S130_no_storage(void)
{
    struct world world, *w = &world;
    struct said p = say_default(1, 0, FLAT("10"));

    open_world(w);
    charge(w, 1, "TAG1");
    mem_arm(&w->mem, 1, MEM_FAIL, 0);
    CHECK_SET(w, 0, &p, REJECTED, "%s");
    CHECK(pilot.ma[1] == 32000, "nothing changed");
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    mem_arm(&w->mem, 1, MEM_FAIL, 0);
    CHECK(!strcmp(clear_all(w, "{}"), "!InternalError") && pilot.ma[1] == 10000,
          "nothing changed: %s", w->reply);
    world_close(w);
}

/* Profiles live through the journal's moves. */
static void test_S130_compaction(void)
{
    struct world world, *w = &world;
    struct amp_profiles before;

    open_world(w);
    for (int i = 0; i < 12; i++) {
        struct said p = say_default(i, i % 6, FLAT("10"));

        CHECK_SET(w, i / 6, &p, ACCEPTED, "%s");
    }
    clear_all(w, "{\"id\":3}");
    before = w->st->smart.set;
    while (w->st->journal.compactions < 3)
        (void)amp_config_change(w->st, AMP_TEXT("ResetRetries"), AMP_TEXT("2"));
    world_power(w);
    CHECK(w->st->smart.set.count == 11 && before.count == 11, "S130: %u", w->st->smart.set.count);
    world_close(w);
}

int main(void)
{
    RUN(test_S118_purposes_and_connectors);
    RUN(test_S119_transaction);
    RUN(test_S120_replaces_and_stacks);
    RUN(test_S120_how_many);
    RUN(test_S123_schedules);
    RUN(test_S123_start_is_optional);
    RUN(test_S134_limits_of_the_device);
    RUN(test_S134_most_periods);
    RUN(test_S134_no_room);
    RUN(test_S130_reboot);
    RUN(test_S130_purge);
    RUN(test_S132_clear);
    RUN(test_S130_power_cut_at_every_write);
    RUN(test_S130_no_storage);
    RUN(test_S130_compaction);
    return check_end();
}
