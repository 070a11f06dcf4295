/* station/offer_test.c - what charging profiles do to the hardware and to transactions, and what
 * GetCompositeSchedule tells of it. Numbers: station-1.6. */
#include "station/smart_world_test.h"

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

/* ---- off line (131) ---- */

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

/* S16: limits have one digit behind the point at most, also where watts do not come out even */
static void test_S16_decimals(void)
{
    static const struct {
        const char *unit, *limit, *ask, *told;
        /* clang-format off */
    } cases[] = {
        { "W", "11000",  "A", "\"limit\":15.9," },
        { "W", "7300.1", "A", "\"limit\":10.5," },
        { "W", "7300.1", "W", "\"limit\":7300.1," },
        { "A", "16.1",   "W", "\"limit\":11109," },
        { "A", "10",     "A", "\"limit\":10," },
    };
    /* clang-format on */

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct world world, *w = &world;
        struct said p = say_default(1, 0, FLAT("1"));
        char periods[80], ask[80];
        unsigned digits = 0;

        snprintf(periods, sizeof(periods), "[{\"startPeriod\":0,\"limit\":%s}]", cases[i].limit);
        snprintf(ask, sizeof(ask),
                 "{\"connectorId\":1,\"duration\":60,\"chargingRateUnit\":\"%s\"}", cases[i].ask);
        p.periods = periods;
        p.unit = cases[i].unit;
        open_world(w);
        CHECK_SET(w, 1, &p, ACCEPTED, "%s");
        composite(w, ask);
        CHECK(strstr(w->reply, cases[i].told) != NULL, "S16: %s %s: %s", cases[i].limit,
              cases[i].unit, w->reply);
        for (const char *c = strstr(w->reply, "\"limit\":"); (c = strchr(c, '.')) != NULL; c++)
            digits = (unsigned)strspn(c + 1, "0123456789");
        CHECK(digits <= 1, "S16: %u digits: %s", digits, w->reply);
        world_close(w);
    }
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

int main(void)
{
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
    RUN(test_S131_offline);
    RUN(test_S131_no_clock);
    RUN(test_S133_replies);
    RUN(test_S16_decimals);
    RUN(test_S133_foretells);
    RUN(test_S133_idle);
    return check_end();
}
