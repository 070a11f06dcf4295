/* fleet/faults_test.c - a station with simulated hardware that breaks: each command that fails, and
 * each fault that the device sees, arrives at the central system under its own name. The clock is
 * turned; the central system is that of station/world_test.h. */
#include "fleet/faults.h"
#include "station/world_test.h"

#include <inttypes.h>

struct site {
    struct world w;
    struct posix_clock clock;
    struct plant plant;
    struct faults faults;
    bool breaks; /* faults by seed are on */
    char trace[4096];
};

static void site_open(struct site *s)
{
    world_defaults(&s->w);
    posix_clock_init(&s->clock, 0);
    s->breaks = false;
    s->trace[0] = 0;
    s->w.config.max_current_ma[1] = s->w.config.max_current_ma[2] = 32000;
    plant_init(&s->plant, &s->w.config, &s->clock, 3);
    s->w.hw = s->plant.hardware;
    CHECK(s->w.now == posix_clock_now(&s->clock), "both clocks begin together");
    CHECK(world_boot(&s->w) == 0, "boot");
    world_settle(&s->w);
}

static void site_close(struct site *s)
{
    plant_close(&s->plant);
    world_close(&s->w);
}

static void site_run(struct site *s, uint64_t ms)
{
    for (uint64_t until = s->w.now + ms; s->w.now < until;) {
        s->w.now += PLANT_STEP_MS;
        posix_clock_turn(&s->clock, PLANT_STEP_MS);
        if (s->breaks)
            (void)faults_step(&s->faults, s->w.st);
        (void)plant_step(&s->plant, s->w.st);
        world_settle(&s->w);
    }
}

static void arrive(struct site *s, int c, const char *kind, const char *tag)
{
    CHECK(plant_arrive(&s->plant, s->w.st, c, vehicle_find(kind), 1) == 0, "arrive");
    world_settle(&s->w);
    if (tag)
        world_tag(&s->w, c, tag);
    site_run(s, 30000);
}

static void charge(struct site *s)
{
    arrive(s, 1, "hybrid", "TAG1");
    CHECK(world_status(&s->w, 1) == AMP_CHARGING, "charges");
}

/* The last StatusNotification of the station says so. */
#define CHECK_TOLD(s, what) CHECK(strstr((s)->w.last, what), "want %s in %s", what, (s)->w.last)

static int64_t power(struct site *s)
{
    struct amp_reading r;

    return s->plant.hardware.meter(&s->plant, 1, &r) == 0 ? r.power_w : -1;
}

static void test_session(void)
{
    struct site s;
    struct world_tx *t;
    int64_t before;

    site_open(&s);
    before = plant_energy_wh(&s.plant, 1);
    charge(&s);
    CHECK(power(&s) > 7000, "%" PRId64 " W", power(&s));
    site_run(&s, 3 * 3600000);
    CHECK(world_status(&s.w, 1) == AMP_SUSPENDED_EV && vehicle_full(&s.plant.bays[1].vehicle),
          "the car is full and says so");
    CHECK(plant_leave(&s.plant, s.w.st, 1) == 0, "leave");
    world_settle(&s.w);
    t = &s.w.tx[0];
    CHECK(t->stops == 1 && t->start_wh == before &&
              t->stop_wh - t->start_wh == plant_energy_wh(&s.plant, 1) - before &&
              t->stop_wh - t->start_wh > 8000,
          "%" PRId64 " to %" PRId64 " Wh", t->start_wh, t->stop_wh);
    CHECK(world_status(&s.w, 1) == AMP_AVAILABLE && !s.w.bad_frames, "available again");
    site_close(&s);
}

static void test_commands(void)
{
    struct site s;

    /* the lock's motor does not turn: no transaction */
    site_open(&s);
    s.plant.bays[1].broken = PLANT_NO_LOCK;
    arrive(&s, 1, "hybrid", "TAG1");
    CHECK_TOLD(&s, "ConnectorLockFailure");
    CHECK(!s.w.started && world_status(&s.w, 1) == AMP_FAULTED, "lock");
    site_close(&s);

    /* the lock jams: UnlockConnector says so, and the connector is faulted */
    site_open(&s);
    charge(&s);
    s.plant.bays[1].lock_stuck = true;
    CHECK(strstr(world_call(&s.w, "UnlockConnector", "{\"connectorId\":1}"), "UnlockFailed"),
          "unlock: %s", s.w.reply);
    CHECK(s.w.tx[0].stops == 1 && !strcmp(s.w.tx[0].reason, "UnlockCommand"), "but it stops: %s",
          s.w.tx[0].reason);
    CHECK(world_status(&s.w, 1) == AMP_FAULTED && power(&s) == 0, "jam");
    s.plant.bays[1].lock_stuck = false;
    CHECK(strstr(world_call(&s.w, "UnlockConnector", "{\"connectorId\":1}"), "Unlocked"),
          "repaired: %s", s.w.reply);
    site_close(&s);

    /* the contactor does not close */
    site_open(&s);
    s.plant.bays[1].broken = PLANT_NO_CLOSE;
    arrive(&s, 1, "hybrid", "TAG1");
    CHECK(world_status(&s.w, 1) == AMP_FAULTED && power(&s) == 0, "close");
    CHECK(s.w.st->con[1].reported.error == AMP_ERROR_SWITCH, "told as PowerSwitchFailure");
    site_close(&s);

    /* it does not open: reported at the stop, and the car has stopped by the pilot */
    site_open(&s);
    charge(&s);
    s.plant.bays[1].broken = PLANT_WELD;
    CHECK(amp_station_stop(s.w.st, 1, AMP_STOP_LOCAL, s.w.now) == 0, "stop");
    site_run(&s, 1000);
    CHECK(world_status(&s.w, 1) == AMP_FAULTED && power(&s) == 0, "weld");
    CHECK(s.plant.bays[1].closed, "still closed");
    CHECK(s.w.st->con[1].reported.error == AMP_ERROR_SWITCH, "told as PowerSwitchFailure");
    site_close(&s);

    /* neither opens when it is to nor stays so: when both are repaired, charging goes on */
    site_open(&s);
    charge(&s);
    s.plant.bays[1].broken = PLANT_WELD;
    CHECK(plant_trip(&s.plant, s.w.st, 1, AMP_ERROR_GROUND) == 0, "trip");
    site_run(&s, 1000);
    CHECK(world_status(&s.w, 1) == AMP_FAULTED && power(&s) == 0, "weld in a fault");
    s.plant.bays[1].broken = 0;
    CHECK(plant_trip(&s.plant, s.w.st, 1, AMP_ERROR_NONE) == 0, "repair");
    site_run(&s, 60000);
    CHECK(world_status(&s.w, 1) == AMP_CHARGING && power(&s) > 7000, "%" PRId64 " W", power(&s));
    site_close(&s);

    /* no limit */
    site_open(&s);
    s.plant.bays[1].broken = PLANT_NO_LIMIT;
    world_power(&s.w);
    site_run(&s, 10000);
    CHECK(world_status(&s.w, 1) == AMP_FAULTED && world_status(&s.w, 2) == AMP_AVAILABLE, "limit");
    CHECK(s.w.st->con[1].reported.error == AMP_ERROR_SWITCH, "told as PowerSwitchFailure");
    site_close(&s);

    /* no meter: a warning, and charging goes on */
    site_open(&s);
    charge(&s);
    world_set(&s.w, "MeterValueSampleInterval", "10");
    s.plant.bays[1].broken = PLANT_NO_METER;
    site_run(&s, 21000);
    CHECK_TOLD(&s, "PowerMeterFailure");
    CHECK(world_status(&s.w, 1) == AMP_CHARGING, "goes on");
    s.plant.bays[1].broken = 0;
    CHECK(plant_trip(&s.plant, s.w.st, 1, AMP_ERROR_NONE) == 0, "repair");
    world_settle(&s.w);
    CHECK_TOLD(&s, "NoError");
    site_close(&s);
}

/* What the device sees itself: the contactor is open before anybody is told. */
static void test_trips(void)
{
    static const struct {
        int error;
        const char *name;
        /* clang-format off */
    } cases[] = {
        { AMP_ERROR_GROUND,       "GroundFailure" },
        { AMP_ERROR_TEMPERATURE,  "HighTemperature" },
        { AMP_ERROR_OVER_CURRENT, "OverCurrentFailure" },
    };
    /* clang-format on */

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct site s;

        site_open(&s);
        charge(&s);
        CHECK(plant_trip(&s.plant, NULL, 1, cases[i].error) == 0, "trip");
        CHECK(power(&s) == 0, "%s: no power, though the station does not know yet", cases[i].name);
        plant_announce(&s.plant, s.w.st);
        site_run(&s, 1000);
        CHECK_TOLD(&s, cases[i].name);
        CHECK(world_status(&s.w, 1) == AMP_FAULTED && !s.w.tx[0].stops, "the transaction waits");
        CHECK(plant_trip(&s.plant, s.w.st, 1, AMP_ERROR_NONE) == 0, "repair");
        site_run(&s, 60000);
        CHECK(world_status(&s.w, 1) == AMP_CHARGING && power(&s) > 7000, "%s: goes on, %" PRId64,
              cases[i].name, power(&s));
        CHECK(plant_trip(&s.plant, s.w.st, 3, AMP_ERROR_GROUND) == AMP_E_RANGE, "no connector 3");
        site_close(&s);
    }
}

static void note(void *ctx, uint64_t at_ms, int connector, enum faults_kind kind, bool broken)
{
    struct site *s = ctx;
    size_t n = strlen(s->trace);

    snprintf(s->trace + n, sizeof(s->trace) - n, "%" PRIu64 ":%d%c%s ", at_ms, connector,
             broken ? '+' : '-', faults_name(kind));
}

/* A day of cars and faults. `station`: the faults do not depend on what the station does. */
static void day(struct site *s, uint32_t seed, bool cars)
{
    site_open(s);
    faults_init(&s->faults, &s->plant, 7200, 300, seed);
    s->faults.on_change = note;
    s->faults.ctx = s;
    s->breaks = true;
    for (int hour = 0; hour < 24; hour++) {
        if (cars && plant_arrive(&s->plant, s->w.st, 1, vehicle_find("hybrid"), seed) == 0)
            world_tag(&s->w, 1, "TAG1");
        site_run(s, 3000000);
        if (cars && plant_leave(&s->plant, s->w.st, 1) == 0)
            world_settle(&s->w);
        site_run(s, 600000);
    }
}

static void test_seed(void)
{
    static struct site a, b, c, d;

    day(&a, 11, true);
    day(&b, 11, true);
    day(&c, 12, true);
    day(&d, 11, false);
    CHECK(a.faults.count > 5 && a.faults.count < 50, "%u faults in a day", a.faults.count);
    CHECK(!strcmp(a.trace, b.trace), "the same seed:\n%s\n%s", a.trace, b.trace);
    CHECK(!strcmp(a.w.trace, b.w.trace), "and the same conversation");
    CHECK(!strcmp(a.trace, d.trace), "whatever the station does:\n%s\n%s", a.trace, d.trace);
    CHECK(strcmp(a.trace, c.trace) != 0, "another seed, other faults");
    CHECK(!a.w.bad_frames && !c.w.bad_frames, "by the book");
    for (unsigned i = 0; i < a.w.tx_count; i++)
        CHECK(a.w.tx[i].starts == 1 && a.w.tx[i].stops == 1, "transaction %u: %u starts, %u stops",
              i, a.w.tx[i].starts, a.w.tx[i].stops);
    site_close(&a);
    site_close(&b);
    site_close(&c);
    site_close(&d);
}

int main(void)
{
    RUN(test_session);
    RUN(test_commands);
    RUN(test_trips);
    RUN(test_seed);
    return check_end();
}
