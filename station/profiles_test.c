/* station/profiles_test.c - charging profiles over the wire, in the journal and on the hardware.
 * Numbers: station-1.6. */
#include "station/world_test.h"

#define ACCEPTED    "{\"status\":\"Accepted\"}"
#define REJECTED    "{\"status\":\"Rejected\"}"
#define UNKNOWN     "{\"status\":\"Unknown\"}"
#define CONSTRAINT  "!PropertyConstraintViolation"
#define FLAT(limit) "[{\"startPeriod\":0,\"limit\":" limit "}]"
#define NOW         (UNIX0 + (int64_t)w->now)
#define HOUR        INT64_C(3600000)
#define NO_TIME     INT64_MIN

/* ---- the pilots of both connectors ---- */

static struct {
    int32_t ma[AMP_CONNECTORS_MAX + 1];
    int phases[AMP_CONNECTORS_MAX + 1];
    unsigned calls;
    bool fails;
    int64_t most; /* highest sum of what was offered with energy on */
} pilot;

static void note_sum(struct world *w)
{
    int64_t sum = 0;

    for (int c = 1; c <= w->config.connectors; c++)
        if (w->car[c].permitted)
            sum += pilot.ma[c];
    if (sum > pilot.most)
        pilot.most = sum;
}

static int set_pilot(void *ctx, int c, int32_t ma, int phases)
{
    if (pilot.fails)
        return AMP_E_IO;
    pilot.ma[c] = ma;
    pilot.phases[c] = phases;
    pilot.calls++;
    note_sum(ctx);
    return 0;
}

static int permit(void *ctx, int c, bool on)
{
    int rc = world_permit(ctx, c, on);

    note_sum(ctx);
    return rc;
}

static void open_with(struct world *w, const char *const *settings)
{
    memset(&pilot, 0, sizeof(pilot));
    world_defaults(w);
    w->hw.limit = set_pilot;
    w->hw.permit = permit;
    w->config.settings = settings;
    CHECK(world_boot(w) == 0, "start");
    world_run(w, 10);
    world_mark(w);
}

static void open_world(struct world *w)
{
    open_with(w, NULL);
}

static void charge(struct world *w, int c, const char *tag)
{
    world_plug(w, c, true);
    world_tag(w, c, tag);
    CHECK(world_status(w, c) == AMP_CHARGING, "charging");
}

/* ---- saying things ---- */

/* A profile; times in Unix ms or NO_TIME, `tx` 0: none, duration 0: none. */
struct said {
    int id, level;
    const char *purpose, *kind, *recurs, *unit, *periods;
    int64_t start, from, to, tx;
    unsigned duration;
};

static struct said say_default(int id, int level, const char *limit)
{
    return (struct said){ .id = id,
                          .level = level,
                          .purpose = "TxDefaultProfile",
                          .kind = "Relative",
                          .unit = "A",
                          .periods = limit,
                          .start = NO_TIME,
                          .from = NO_TIME,
                          .to = NO_TIME };
}

static void put_time(struct amp_buf *b, const char *name, int64_t ms)
{
    if (ms == NO_TIME)
        return;
    amp_buf_puts(b, ",\"");
    amp_buf_puts(b, name);
    amp_buf_puts(b, "\":\"");
    amp_time_write(b, ms);
    amp_buf_puts(b, "\"");
}

static void put_int(struct amp_buf *b, const char *name, int64_t v)
{
    amp_buf_puts(b, name);
    amp_buf_int(b, v);
}

static void put_profile(struct amp_buf *b, const struct said *p)
{
    put_int(b, "{\"chargingProfileId\":", p->id);
    put_int(b, ",\"stackLevel\":", p->level);
    if (p->tx)
        put_int(b, ",\"transactionId\":", p->tx);
    amp_buf_puts(b, ",\"chargingProfilePurpose\":\"");
    amp_buf_puts(b, p->purpose);
    amp_buf_puts(b, "\",\"chargingProfileKind\":\"");
    amp_buf_puts(b, p->kind);
    amp_buf_puts(b, "\"");
    if (p->recurs) {
        amp_buf_puts(b, ",\"recurrencyKind\":\"");
        amp_buf_puts(b, p->recurs);
        amp_buf_puts(b, "\"");
    }
    put_time(b, "validFrom", p->from);
    put_time(b, "validTo", p->to);
    amp_buf_puts(b, ",\"chargingSchedule\":{\"chargingRateUnit\":\"");
    amp_buf_puts(b, p->unit);
    amp_buf_puts(b, "\"");
    if (p->duration)
        put_int(b, ",\"duration\":", p->duration);
    put_time(b, "startSchedule", p->start);
    amp_buf_puts(b, ",\"chargingSchedulePeriod\":");
    amp_buf_puts(b, p->periods);
    amp_buf_puts(b, "}}");
}

static const char *set(struct world *w, int connector, const struct said *p)
{
    static char payload[7000], frame[7200];
    struct amp_buf b;

    amp_buf_init(&b, payload, sizeof(payload) - 1);
    put_int(&b, "{\"connectorId\":", connector);
    amp_buf_puts(&b, ",\"csChargingProfiles\":");
    put_profile(&b, p);
    amp_buf_puts(&b, "}");
    payload[b.len] = 0;
    w->asked = amp_message_find(&ocpp16, AMP_TEXT("SetChargingProfile"));
    w->reply[0] = 0;
    snprintf(frame, sizeof(frame), "[2,\"p%u\",\"SetChargingProfile\",%s]", ++w->call_no, payload);
    if (w->up)
        world_say(w, frame);
    world_settle(w);
    w->asked = NULL;
    return w->reply;
}

#define CHECK_SET(w, connector, p, expected, ...)              \
    do {                                                       \
        const char *reply_ = set(w, connector, p);             \
        CHECK(!strcmp(reply_, expected), __VA_ARGS__, reply_); \
    } while (0)

static const char *clear_all(struct world *w, const char *filter)
{
    return world_call(w, "ClearChargingProfile", filter);
}

/* ---- what is taken ---- */

static void test_S118_purposes_and_connectors(void)
{
    static const struct {
        const char *purpose;
        int connector;
        const char *reply;
    } cases[] = {
        {"ChargePointMaxProfile",  0,  ACCEPTED  },
        { "ChargePointMaxProfile", 1,  REJECTED  },
        { "TxDefaultProfile",      0,  ACCEPTED  },
        { "TxDefaultProfile",      2,  ACCEPTED  },
        { "TxProfile",             0,  REJECTED  },
        { "TxProfile",             1,  ACCEPTED  },
        { "TxDefaultProfile",      3,  CONSTRAINT},
        { "ChargePointMaxProfile", 9,  CONSTRAINT},
        { "TxProfile",             -1, CONSTRAINT},
        { "NoProfile",             1,  CONSTRAINT},
    };
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
        {"Absolute",                      "Absolute",  NULL,     FLAT("8"),                                              true,  ACCEPTED                       },
        { "Absolute without start",       "Absolute",  NULL,     FLAT("8"),                                              false, REJECTED                       },
        { "Recurring",                    "Recurring", "Daily",  FLAT("8"),                                              true,  ACCEPTED                       },
        { "Weekly",                       "Recurring", "Weekly", FLAT("8"),                                              true,  ACCEPTED                       },
        { "Recurring without start",      "Recurring", "Daily",  FLAT("8"),                                              false, REJECTED                       },
        { "S124: without recurrencyKind", "Recurring", NULL,     FLAT("8"),                                              true,  REJECTED                       },
        { "Relative",                     "Relative",  NULL,     FLAT("8"),                                              false, ACCEPTED                       },
        { "Relative with start",          "Relative",  NULL,     FLAT("8"),                                              true,  ACCEPTED                       },
        { "first period not 0",           "Relative",  NULL,     "[{\"startPeriod\":5,\"limit\":8}]",                    false,
         CONSTRAINT                                                                                                                                            },
        { "falling",                      "Relative",  NULL,
         "[{\"startPeriod\":0,\"limit\":8},{\"startPeriod\":9,\"limit\":8},"
          "{\"startPeriod\":8,\"limit\":8}]",                                                                            false, REJECTED                       },
        { "twice",                        "Relative",  NULL,
         "[{\"startPeriod\":0,\"limit\":8},{\"startPeriod\":0,\"limit\":8}]",                                            false, REJECTED                       },
        { "none",                         "Relative",  NULL,     "[]",                                                   false, "!OccurenceConstraintViolation"},
        { "no phases",                    "Relative",  NULL,     "[{\"startPeriod\":0,\"limit\":8,\"numberPhases\":0}]",
         false,                                                                                                                 REJECTED                       },
        { "less than nothing",            "Relative",  NULL,     FLAT("-1"),                                             false, CONSTRAINT                     },
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
          "%s", w->reply);
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

/* ---- what it does ---- */

static void test_S127_pauses(void)
{
    static const char *const limits[] = { FLAT("0"), FLAT("5.9"), FLAT("0.1") };
    struct world world, *w = &world;

    open_world(w);
    charge(w, 1, "TAG1");
    for (unsigned i = 0; i < AMP_COUNT(limits); i++) {
        struct said p = say_default(1, 0, limits[i]);

        world_mark(w);
        CHECK_SET(w, 1, &p, ACCEPTED, "S127: %s");
        CHECK_TRACE(w, "ok:SetChargingProfile S1:SuspendedEVSE");
        CHECK_MOVES(w, "C5");
        CHECK(pilot.ma[1] == 0 && !w->car[1].permitted, "S127: nothing flows");
        world_run(w, 600000);
        CHECK(w->tx[0].stops == 0, "S127: the transaction goes on");
        world_mark(w);
        p.periods = FLAT("6");
        CHECK_SET(w, 1, &p, ACCEPTED, "S127: %s");
        CHECK_TRACE(w, "ok:SetChargingProfile S1:Charging");
        CHECK(pilot.ma[1] == 6000 && w->car[1].permitted, "S127: the least is something");
    }
    world_close(w);
}

static void test_S127_paused_from_the_beginning(void)
{
    struct world world, *w = &world;
    struct said p = say_default(1, 0, FLAT("0"));

    open_world(w);
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    world_plug(w, 1, true);
    world_mark(w);
    world_tag(w, 1, "TAG1");
    CHECK_MOVES(w, "B5");
    CHECK(world_status(w, 1) == AMP_SUSPENDED_EVSE && !w->car[1].permitted, "S127");
    world_plug(w, 1, false);
    CHECK(w->tx[0].stops == 1, "ends as ever");
    world_close(w);
}

/* Unplugged, faulted and refused connectors while the limit pauses and comes back. */
static void test_S127_pause_and_the_rest(void)
{
    struct world world, *w = &world;
    struct said p = say_default(1, 0, FLAT("0"));

    open_world(w);
    charge(w, 1, "TAG1");
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    world_mark(w);
    CHECK(amp_station_fault(w->st, 1, AMP_ERROR_OVER_VOLTAGE, AMP_NO_TEXT, w->now) == 0, "fault");
    CHECK(amp_station_fault(w->st, 1, AMP_ERROR_NONE, AMP_NO_TEXT, w->now) == 0, "clear");
    CHECK_MOVES(w, "E9 I5");
    CHECK(amp_station_fault(w->st, 1, AMP_ERROR_OVER_VOLTAGE, AMP_NO_TEXT, w->now) == 0, "fault");
    CHECK(!strcmp(clear_all(w, "{}"), ACCEPTED), "clear");
    CHECK(!w->car[1].permitted, "a fault is a fault");
    CHECK(amp_station_fault(w->st, 1, AMP_ERROR_NONE, AMP_NO_TEXT, w->now) == 0, "clear");
    world_settle(w);
    CHECK(world_status(w, 1) == AMP_CHARGING && pilot.ma[1] == 32000 && w->car[1].permitted,
          "all is well");
    world_close(w);
}

static void test_S129_at_once(void)
{
    struct world world, *w = &world;
    struct said p =
        say_default(1, 0,
                    "[{\"startPeriod\":0,\"limit\":16},{\"startPeriod\":100,\"limit\":20.1}]");

    open_world(w);
    charge(w, 1, "TAG1");
    p.kind = "Absolute";
    p.start = NOW - NOW % 1000 + 1000;
    p.duration = 300;
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    CHECK(pilot.ma[1] == 32000, "S128: a gap until it starts");
    world_run(w, 1000);
    CHECK(pilot.ma[1] == 16000, "S129: on its second: %d", (int)pilot.ma[1]);
    world_run(w, 99000);
    CHECK(pilot.ma[1] == 16000, "S129");
    world_run(w, 1000);
    CHECK(pilot.ma[1] == 20100, "S129: next period: %d", (int)pilot.ma[1]);
    clear_all(w, "{\"id\":1}");
    CHECK(pilot.ma[1] == 32000, "S129: removal");
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    world_run(w, 199000);
    CHECK(pilot.ma[1] == 20100, "S129");
    world_run(w, 1100);
    CHECK(pilot.ma[1] == 32000 && w->st->smart.set.count == 0, "S129, S130: over and purged");
    world_close(w);
}

static void test_S128_replaced_by_the_future(void)
{
    struct world world, *w = &world;
    struct said p = say_default(1, 0, FLAT("10"));

    open_world(w);
    charge(w, 1, "TAG1");
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    CHECK(pilot.ma[1] == 10000, "S128");
    p = say_default(2, 0, FLAT("12"));
    p.from = NOW + 60000;
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    CHECK(pilot.ma[1] == 32000, "S128: the old one is gone, the new one has not begun");
    world_run(w, 60001);
    CHECK(pilot.ma[1] == 12000, "S128");
    world_close(w);
}

static void test_S126_watts(void)
{
    static const char *const settings[] = { "NominalVoltage=240",
                                            "ConnectorSwitch3to1PhaseSupported=true", NULL };
    struct world world, *w = &world;
    struct said p = say_default(1, 0, FLAT("11040"));

    p.unit = "W";
    open_world(w);
    charge(w, 1, "TAG1");
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    CHECK(pilot.ma[1] == 16000 && pilot.phases[1] == 3, "S126: %d", (int)pilot.ma[1]);
    world_close(w);
    open_with(w, settings);
    charge(w, 1, "TAG1");
    p.periods = FLAT("11520");
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    CHECK(pilot.ma[1] == 16000, "S126: the voltage of the area: %d", (int)pilot.ma[1]);
    p.periods = "[{\"startPeriod\":0,\"limit\":3840,\"numberPhases\":1}]";
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    CHECK(pilot.ma[1] == 16000 && pilot.phases[1] == 1, "S126: %d on %d", (int)pilot.ma[1],
          pilot.phases[1]);
    world_close(w);
}

static void test_S122_shared(void)
{
    struct world world, *w = &world;
    struct said p = say_default(1, 0, FLAT("32"));

    open_world(w);
    p.purpose = "ChargePointMaxProfile";
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    charge(w, 1, "TAG1");
    CHECK(pilot.ma[1] == 32000, "S122: alone");
    pilot.most = 0;
    charge(w, 2, "TAG2");
    CHECK(pilot.ma[1] == 16000 && pilot.ma[2] == 16000, "S122: equal shares");
    CHECK(amp_station_ev_ready(w->st, 1, false, w->now) == 0, "full");
    world_settle(w);
    CHECK(pilot.ma[1] == 6000 && pilot.ma[2] == 26000, "S122: a full car keeps the least");
    CHECK(amp_station_ev_ready(w->st, 1, true, w->now) == 0, "again");
    world_settle(w);
    CHECK(pilot.ma[1] == 16000 && pilot.ma[2] == 16000, "S122");
    world_tag(w, 1, "TAG1");
    CHECK(pilot.ma[2] == 32000, "S122: what became free");
    world_plug(w, 1, false);
    charge(w, 1, "TAG1");
    p.periods = FLAT("11.9");
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    CHECK(world_status(w, 1) == AMP_SUSPENDED_EVSE && pilot.ma[2] == 11900,
          "S122: the last one waits");
    CHECK(pilot.most <= 32000, "S122: never more in sum, not even on the way: %lld",
          (long long)pilot.most);
    pilot.most = 0;
    world_tag(w, 2, "TAG2");
    CHECK(world_status(w, 1) == AMP_CHARGING && pilot.ma[1] == 11900, "S122: its turn");
    CHECK(pilot.most <= 11900, "S122: %lld", (long long)pilot.most);
    world_close(w);
}

/* S122: whatever happens in whatever order, the sum of what is offered stays under the limit of the
 * station, at every single command to the hardware. */
static void test_S122_never_above_on_the_way(void)
{
    static const char *const settings[] = { "StopTransactionOnEVSideDisconnect=false", NULL };
    unsigned shared = 0;

    for (unsigned s = 1; s <= 30; s++) {
        struct world world, *w = &world;
        struct said p = say_default(1, 0, FLAT("20"));
        uint32_t r = s * 2654435761u;

        memset(&pilot, 0, sizeof(pilot));
        world_defaults(w);
        w->hw.limit = set_pilot;
        w->hw.permit = permit;
        w->config.settings = settings;
        w->config.connectors = 4;
        CHECK(world_boot(w) == 0, "start");
        world_run(w, 10);
        p.purpose = "ChargePointMaxProfile";
        CHECK_SET(w, 0, &p, ACCEPTED, "%s");
        for (unsigned i = 0; i < 200; i++) {
            int c;
            char tag[8];

            r ^= r << 13;
            r ^= r >> 17;
            r ^= r << 5;
            c = 1 + (int)(r >> 8) % 4;
            snprintf(tag, sizeof(tag), "T%d", c);
            switch (r % 7) {
            case 0:
            case 1:
                world_plug(w, c, !w->car[c].plugged);
                break;
            case 2:
            case 3:
                world_tag(w, c, tag);
                break;
            case 4:
                CHECK(amp_station_ev_ready(w->st, c, r >> 16 & 1, w->now) == 0, "ready");
                break;
            case 5:
                CHECK(amp_station_fault(w->st, c, r >> 16 & 1 ? AMP_ERROR_GROUND : AMP_ERROR_NONE,
                                        AMP_NO_TEXT, w->now) == 0,
                      "fault");
                break;
            default:
                p = say_default(2, 0, r >> 16 & 1 ? FLAT("9") : FLAT("0"));
                if (r >> 17 & 1)
                    set(w, c, &p);
                else
                    clear_all(w, "{\"id\":2}");
            }
            world_run(w, r >> 20);
            shared += w->car[1].permitted + w->car[2].permitted + w->car[3].permitted +
                          w->car[4].permitted >
                      1;
            CHECK(pilot.most <= 20000, "S122: seed %u, step %u: %lld", s, i, (long long)pilot.most);
        }
        world_close(w);
    }
    CHECK(shared > 200, "two or more charged together %u times", shared);
}

static void test_current_offered(void)
{
    struct world world, *w = &world;
    struct said p = say_default(1, 0, FLAT("13.5"));

    open_world(w);
    world_set(w, "MeterValuesSampledData", "Current.Offered");
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    charge(w, 1, "TAG1");
    world_run(w, 61000);
    CHECK(strstr(w->last, "\"value\":\"13.5\"") && strstr(w->last, "Current.Offered"), "%s",
          w->last);
    p.periods = FLAT("0");
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    world_run(w, 60000);
    CHECK(strstr(w->last, "\"value\":\"0\"") && strstr(w->last, "Current.Offered"), "%s", w->last);
    world_close(w);
}

/* A pilot that does not obey; a device without one. */
static void test_S127_hardware(void)
{
    struct world world, *w = &world;
    struct said p = say_default(1, 0, FLAT("10"));

    open_world(w);
    charge(w, 1, "TAG1");
    pilot.fails = true;
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    CHECK(world_status(w, 1) == AMP_FAULTED && !w->car[1].permitted, "rather nothing");
    pilot.fails = false;
    CHECK(amp_station_fault(w->st, 1, AMP_ERROR_NONE, AMP_NO_TEXT, w->now) == 0, "repaired");
    world_settle(w);
    CHECK(world_status(w, 1) == AMP_CHARGING && pilot.ma[1] == 10000, "obeys");
    world_close(w);

    world_defaults(w);
    CHECK(world_boot(w) == 0, "start");
    world_run(w, 10);
    charge(w, 1, "TAG1");
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    CHECK(world_status(w, 1) == AMP_SUSPENDED_EVSE, "S127: a fixed 32 A is above 10 A");
    p.periods = FLAT("32");
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    CHECK(world_status(w, 1) == AMP_CHARGING, "S127");
    world_close(w);
}

/* ---- remote start (115, 119; errata 3.42) ---- */

static const char *remote_start(struct world *w, const char *connector, const struct said *p)
{
    char payload[1000];
    struct amp_buf b;

    amp_buf_init(&b, payload, sizeof(payload) - 1);
    amp_buf_puts(&b, "{\"idTag\":\"R1\"");
    amp_buf_puts(&b, connector);
    amp_buf_puts(&b, ",\"chargingProfile\":");
    put_profile(&b, p);
    amp_buf_puts(&b, "}");
    payload[b.len] = 0;
    return world_call(w, "RemoteStartTransaction", payload);
}

static void test_S119_remote_start(void)
{
    struct world world, *w = &world;
    struct said p = say_default(5, 1, FLAT("9"));

    open_world(w);
    p.purpose = "TxProfile";
    world_plug(w, 2, true);
    p.tx = 77;
    CHECK(!strcmp(remote_start(w, "", &p), REJECTED), "S115: names a transaction");
    p.tx = 0;
    p.level = 99;
    CHECK(!strcmp(remote_start(w, "", &p), REJECTED), "S134: too high");
    p.level = 1;
    CHECK(!strcmp(remote_start(w, "", &p), ACCEPTED), "S119: %s", w->reply);
    CHECK(world_status(w, 2) == AMP_CHARGING && pilot.ma[2] == 9000, "S119: for what it began");
    p.tx = 1001;
    p.id = 6;
    p.periods = FLAT("8");
    CHECK_SET(w, 2, &p, ACCEPTED, "S119: %s");
    CHECK(pilot.ma[2] == 8000 && w->st->smart.set.count == 1, "S120: same level, replaced");
    p.id = 7;
    p.level = 2;
    p.periods = FLAT("7");
    CHECK_SET(w, 2, &p, ACCEPTED, "S119: %s");
    CHECK(pilot.ma[2] == 7000 && w->st->smart.set.count == 2, "S120: else stacked");
    world_tag(w, 2, "R1");
    world_plug(w, 2, false);
    charge(w, 2, "TAG2");
    CHECK(pilot.ma[2] == 32000 && w->st->smart.set.count == 0, "S130: not for the next one");
    world_close(w);
}

static void test_S119_remote_start_that_comes_to_nothing(void)
{
    struct world world, *w = &world;
    struct said p = say_default(5, 1, FLAT("9"));

    open_world(w);
    p.purpose = "TxProfile";
    CHECK(!strcmp(remote_start(w, ",\"connectorId\":1", &p), ACCEPTED), "%s", w->reply);
    CHECK(w->st->smart.set.count == 1, "waits for the plug");
    world_run(w, 61000);
    CHECK(w->st->smart.set.count == 0, "nobody came");
    charge(w, 1, "TAG1");
    CHECK(pilot.ma[1] == 32000, "S119: not for somebody else");
    world_tag(w, 1, "TAG1");
    world_plug(w, 1, false);
    world_set(w, "AuthorizeRemoteTxRequests", "true");
    w->tag_status = "Blocked";
    CHECK(!strcmp(remote_start(w, ",\"connectorId\":1", &p), ACCEPTED), "%s", w->reply);
    world_run(w, 1000);
    CHECK(w->st->smart.set.count == 0, "refused");
    w->tag_status = NULL;
    world_plug(w, 1, true);
    CHECK(!strcmp(remote_start(w, ",\"connectorId\":1", &p), ACCEPTED), "%s", w->reply);
    world_run(w, 1000);
    CHECK(world_status(w, 1) == AMP_CHARGING && pilot.ma[1] == 9000, "S113: asked and accepted");
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

static void test_S131_offline(void)
{
    struct world world, *w = &world;
    struct said p =
        say_default(1, 0, "[{\"startPeriod\":0,\"limit\":10},{\"startPeriod\":3600,\"limit\":11}]");

    open_world(w);
    CHECK_SET(w, 1, &p, ACCEPTED, "%s");
    charge(w, 1, "TAG1");
    charge(w, 2, "TAG2");
    w->refuse = true;
    world_hang_up(w);
    CHECK(pilot.ma[1] == 10000, "S131: keeps");
    world_run(w, 3601000);
    CHECK(pilot.ma[1] == 11000, "S131: and follows");
    CHECK(pilot.ma[2] == 32000, "S131: no profile, no limit");
    world_close(w);
}

/* Power comes back, nobody answers, and there is no clock: the lowest of a dated profile. */
static void test_S131_no_clock(void)
{
    static const char *const settings[] = { "AllowOfflineTxForUnknownId=true", NULL };
    struct world world, *w = &world;
    struct said p =
        say_default(1, 0, "[{\"startPeriod\":0,\"limit\":20},{\"startPeriod\":3600,\"limit\":7}]");

    open_with(w, settings);
    p.kind = "Absolute";
    p.start = NOW;
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    w->refuse = true;
    world_power(w);
    world_run(w, 1000);
    world_plug(w, 1, true);
    world_tag(w, 1, "TAG1");
    CHECK(world_status(w, 1) == AMP_CHARGING && pilot.ma[1] == 7000, "S131: %d", (int)pilot.ma[1]);
    w->refuse = false;
    world_run(w, 60000);
    CHECK(pilot.ma[1] == 20000, "S131: the time is known: %d", (int)pilot.ma[1]);
    world_close(w);
}

static void test_S132_clear(void)
{
    static const struct {
        const char *filter, *reply;
        unsigned left; /* bits: profiles 1, 2, 3, 4 */
    } cases[] = {
        {"{\"id\":2}",                                                                            ACCEPTED,   0xd},
        { "{\"id\":9}",                                                                           UNKNOWN,    0xf},
        { "{\"id\":2,\"connectorId\":7,\"stackLevel\":9}",                                        ACCEPTED,   0xd},
        { "{}",                                                                                   ACCEPTED,   0  },
        { "{\"connectorId\":0}",                                                                  ACCEPTED,   0xc},
        { "{\"connectorId\":2}",                                                                  ACCEPTED,   0x7},
        { "{\"connectorId\":5}",                                                                  UNKNOWN,    0xf},
        { "{\"chargingProfilePurpose\":\"TxDefaultProfile\"}",                                    ACCEPTED,   0x1},
        { "{\"chargingProfilePurpose\":\"TxProfile\"}",                                           UNKNOWN,    0xf},
        { "{\"stackLevel\":0}",                                                                   ACCEPTED,   0x8},
        { "{\"stackLevel\":0,\"connectorId\":1}",                                                 ACCEPTED,   0xb},
        { "{\"stackLevel\":3,\"connectorId\":1}",                                                 UNKNOWN,    0xf},
        { "{\"stackLevel\":0,\"chargingProfilePurpose\":\"TxDefaultProfile\",\"connectorId\":0}",
         ACCEPTED,                                                                                            0xd},
        { "{\"chargingProfilePurpose\":\"Nonsense\"}",                                            CONSTRAINT, 0xf},
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

/* ---- GetCompositeSchedule (133) ---- */

static const char *composite(struct world *w, const char *ask)
{
    return world_call(w, "GetCompositeSchedule", ask);
}

static void test_S133_replies(void)
{
    struct world world, *w = &world;
    struct said p =
        say_default(1, 0,
                    "[{\"startPeriod\":0,\"limit\":16},{\"startPeriod\":60,\"limit\":16},"
                    "{\"startPeriod\":120,\"limit\":10.5}]");

    open_world(w);
    world_run(w, 1990 - w->now % 1000); /* not on a whole second */
    p.kind = "Absolute";
    p.start = NOW - NOW % 1000;
    p.duration = 300;
    CHECK_SET(w, 1, &p, ACCEPTED, "%s");
    composite(w, "{\"connectorId\":1,\"duration\":600}");
    CHECK(!strcmp(w->reply,
                  "{\"status\":\"Accepted\",\"connectorId\":1,"
                  "\"scheduleStart\":\"2025-06-15T15:06:42Z\",\"chargingSchedule\":{"
                  "\"duration\":600,\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":["
                  "{\"startPeriod\":0,\"limit\":16,\"numberPhases\":3},"
                  "{\"startPeriod\":120,\"limit\":10.5,\"numberPhases\":3},"
                  "{\"startPeriod\":300,\"limit\":32,\"numberPhases\":3}]}}"),
          "S133: %s", w->reply);
    composite(w, "{\"connectorId\":1,\"duration\":100,\"chargingRateUnit\":\"W\"}");
    CHECK(strstr(w->reply, "\"duration\":100,\"chargingRateUnit\":\"W\","
                           "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":11040,"
                           "\"numberPhases\":3}]") != NULL,
          "S133: in W: %s", w->reply);
    composite(w, "{\"connectorId\":0,\"duration\":100,\"chargingRateUnit\":\"A\"}");
    CHECK(strstr(w->reply, "\"connectorId\":0") && strstr(w->reply, "\"limit\":48,"),
          "S133: the total: %s", w->reply);
    CHECK(!strcmp(composite(w, "{\"connectorId\":3,\"duration\":100}"), REJECTED), "S133: %s",
          w->reply);
    CHECK(!strcmp(composite(w, "{\"connectorId\":1,\"duration\":100,\"chargingRateUnit\":\"V\"}"),
                  CONSTRAINT),
          "S133: %s", w->reply);
    world_close(w);
}

/* What was told is what happens: a transaction runs through its schedule. */
static void test_S133_foretells(void)
{
    static const char periods[] =
        "[{\"startPeriod\":0,\"limit\":9},{\"startPeriod\":50,\"limit\":0},"
        "{\"startPeriod\":80,\"limit\":25},{\"startPeriod\":200,\"limit\":7}]";
    struct world world, *w = &world;
    struct said p = say_default(1, 0, periods);
    struct amp_slice told[8];
    struct amp_site site;
    uint32_t covered, second = 0;
    unsigned n;
    int64_t t;

    open_world(w);
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    p = say_default(2, 0, FLAT("20"));
    p.purpose = "ChargePointMaxProfile";
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    charge(w, 1, "TAG1");
    world_run(w, 1000 - w->now % 1000);
    t = amp_offer_site(w->st, 1, &site);
    CHECK(t == NOW, "a whole second");
    n = amp_smart_composite(&site, 1, t, 300, AMP_UNIT_A, told, 8, &covered);
    CHECK(n == 4, "S133: %u", n);
    for (unsigned k = 0; k < n; k++)
        for (; second < (k + 1 < n ? told[k + 1].start_s : 300); second++) {
            CHECK(pilot.ma[1] == told[k].tenths * 100, "S133: second %u: %d mA, told %lld", second,
                  (int)pilot.ma[1], (long long)told[k].tenths * 100);
            world_run(w, 1000);
        }
    world_close(w);
}

/* An idle connector is asked as if a car came now. */
static void test_S133_idle(void)
{
    struct world world, *w = &world;
    struct said p =
        say_default(1, 0, "[{\"startPeriod\":0,\"limit\":16},{\"startPeriod\":60,\"limit\":8}]");

    open_world(w);
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    p = say_default(2, 0, FLAT("20"));
    p.purpose = "ChargePointMaxProfile";
    CHECK_SET(w, 0, &p, ACCEPTED, "%s");
    world_run(w, HOUR);
    charge(w, 1, "TAG1");
    composite(w, "{\"connectorId\":2,\"duration\":120}");
    CHECK(strstr(w->reply, "{\"startPeriod\":0,\"limit\":10,\"numberPhases\":3},"
                           "{\"startPeriod\":60,\"limit\":8,\"numberPhases\":3}]") != NULL,
          "S133: its share: %s", w->reply);
    CHECK(pilot.ma[1] == 16000 && w->st->con[2].tx.open == false, "S135: asking changes nothing");
    world_close(w);
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
    CHECK(!strcmp(clear_all(w, "{}"), UNKNOWN) && pilot.ma[1] == 10000, "nothing changed: %s",
          w->reply);
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
    RUN(test_S127_pauses);
    RUN(test_S127_paused_from_the_beginning);
    RUN(test_S127_pause_and_the_rest);
    RUN(test_S129_at_once);
    RUN(test_S128_replaced_by_the_future);
    RUN(test_S126_watts);
    RUN(test_S122_shared);
    RUN(test_S122_never_above_on_the_way);
    RUN(test_current_offered);
    RUN(test_S127_hardware);
    RUN(test_S119_remote_start);
    RUN(test_S119_remote_start_that_comes_to_nothing);
    RUN(test_S130_reboot);
    RUN(test_S130_purge);
    RUN(test_S131_offline);
    RUN(test_S131_no_clock);
    RUN(test_S132_clear);
    RUN(test_S133_replies);
    RUN(test_S133_foretells);
    RUN(test_S133_idle);
    RUN(test_S130_power_cut_at_every_write);
    RUN(test_S130_no_storage);
    RUN(test_S130_compaction);
    return check_end();
}
