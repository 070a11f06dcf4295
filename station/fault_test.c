/* station/fault_test.c - errors, and every command of the hardware's table failing. Numbers:
 * station-1.6. */
#include "station/world_test.h"

static void ready(struct world *w)
{
    world_open(w);
    world_run(w, 10);
    world_mark(w);
}

static void fault(struct world *w, int connector, int error, const char *info)
{
    CHECK(amp_station_fault(w->st, connector, error, amp_text_of(info), w->now) == 0, "fault");
    world_settle(w);
}

static void over(struct world *w, int connector, int error)
{
    CHECK(amp_station_fault_over(w->st, connector, error, w->now) == 0, "over");
    world_settle(w);
}

/* The error of the last report, "" when there was none since the mark. */
static const char *error_of(struct world *w)
{
    static char out[40];

    return w->trace_len ? world_get(w->last, "errorCode", out, sizeof(out)) : "";
}

/* S40: of several the latest is told, and the next one when it clears; then the state before */
static void test_several(void)
{
    struct world w;

    ready(&w);
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    world_mark(&w);
    fault(&w, 1, AMP_ERROR_GROUND, "leak");
    fault(&w, 1, AMP_ERROR_TEMPERATURE, "91 degrees");
    CHECK(!strcmp(error_of(&w), "HighTemperature") && strstr(w.last, "91 degrees"), "%s", w.last);
    fault(&w, 1, AMP_ERROR_SIGNAL, "");
    CHECK_TRACE(&w, "S1:Faulted S1:Faulted"); /* a warning does not hide a fault */
    over(&w, 1, AMP_ERROR_TEMPERATURE);
    CHECK(!strcmp(error_of(&w), "GroundFailure") && !strstr(w.last, "degrees"), "the next: %s",
          w.last);
    CHECK(!w.car[1].permitted && world_status(&w, 1) == AMP_FAULTED, "still faulted");
    over(&w, 1, AMP_ERROR_TEMPERATURE); /* it is over already */
    CHECK_TRACE(&w, "S1:Faulted S1:Faulted S1:Faulted");
    over(&w, 1, AMP_ERROR_GROUND);
    CHECK(!strcmp(error_of(&w), "WeakSignal") && world_status(&w, 1) == AMP_CHARGING &&
              w.car[1].permitted,
          "the warning is left, charging goes on: %s", w.last);
    over(&w, 1, AMP_ERROR_SIGNAL);
    CHECK(!strcmp(error_of(&w), "NoError"), "%s", w.last);
    CHECK_TRACE(&w, "S1:Faulted S1:Faulted S1:Faulted S1:Charging S1:Charging");
    world_close(&w);
}

/* S40: more than there is room for; the same one again; all over at once */
static void test_many(void)
{
    static const int errors[] = { AMP_ERROR_GROUND,       AMP_ERROR_TEMPERATURE,
                                  AMP_ERROR_OVER_CURRENT, AMP_ERROR_UNDER_VOLTAGE,
                                  AMP_ERROR_OVER_VOLTAGE, AMP_ERROR_INTERNAL };
    struct world w;

    ready(&w);
    for (unsigned i = 0; i < AMP_COUNT(errors); i++)
        fault(&w, 2, errors[i], "");
    CHECK(w.st->con[2].error_count == AMP_ERRORS_MAX, "%u", w.st->con[2].error_count);
    fault(&w, 2, AMP_ERROR_OVER_VOLTAGE, ""); /* again: it is the latest now */
    CHECK(!strcmp(error_of(&w), "OverVoltage"), "%s", w.last);
    over(&w, 2, AMP_ERROR_OVER_VOLTAGE);
    CHECK(!strcmp(error_of(&w), "InternalError"), "%s", w.last);
    fault(&w, 2, AMP_ERROR_NONE, "");
    CHECK(!strcmp(error_of(&w), "NoError") && world_status(&w, 2) == AMP_AVAILABLE, "%s", w.last);
    CHECK(amp_station_fault_over(w.st, 9, AMP_ERROR_GROUND, w.now) == AMP_E_RANGE, "9");
    CHECK(amp_station_fault_over(w.st, 1, 99, w.now) == AMP_E_VALUE, "99");
    CHECK(amp_station_fault_over(w.st, 1, AMP_ERROR_NONE, w.now) == AMP_E_VALUE, "none");
    world_close(&w);
}

/* S41: each error with the state that it goes with */
static void test_warnings(void)
{
    static const struct {
        int error;
        const char *name;
        bool warning;
        /* clang-format off */
    } cases[] = {
        { AMP_ERROR_LOCK,             "ConnectorLockFailure", false },
        { AMP_ERROR_EV_COMMUNICATION, "EVCommunicationError", true },
        { AMP_ERROR_GROUND,           "GroundFailure",        false },
        { AMP_ERROR_TEMPERATURE,      "HighTemperature",      false },
        { AMP_ERROR_INTERNAL,         "InternalError",        false },
        { AMP_ERROR_LOCAL_LIST,       "LocalListConflict",    true },
        { AMP_ERROR_OTHER,            "OtherError",           false },
        { AMP_ERROR_OVER_CURRENT,     "OverCurrentFailure",   false },
        { AMP_ERROR_METER,            "PowerMeterFailure",    true },
        { AMP_ERROR_SWITCH,           "PowerSwitchFailure",   false },
        { AMP_ERROR_READER,           "ReaderFailure",        true },
        { AMP_ERROR_RESET,            "ResetFailure",         true },
        { AMP_ERROR_UNDER_VOLTAGE,    "UnderVoltage",         false },
        { AMP_ERROR_OVER_VOLTAGE,     "OverVoltage",          false },
        { AMP_ERROR_SIGNAL,           "WeakSignal",           true },
    };
    /* clang-format on */

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct world w;

        ready(&w);
        world_plug(&w, 1, true); /* Preparing: a state in which all of them can be said */
        world_mark(&w);
        fault(&w, 1, cases[i].error, "");
        CHECK(!strcmp(error_of(&w), cases[i].name), "%s: %s", cases[i].name, w.last);
        CHECK(world_status(&w, 1) == (cases[i].warning ? AMP_PREPARING : AMP_FAULTED), "%s",
              cases[i].name);
        world_tag(&w, 1, "TAG1");
        CHECK((world_status(&w, 1) == AMP_CHARGING) == cases[i].warning, "%s: charging goes on",
              cases[i].name);
        world_close(&w);
    }
}

/* S41: EVCommunicationError has a meaning while a car is there and nothing flows */
static void test_ev_communication(void)
{
    struct world w;

    ready(&w);
    fault(&w, 1, AMP_ERROR_EV_COMMUNICATION, "");
    CHECK_TRACE(&w, ""); /* Available */
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    world_mark(&w);
    fault(&w, 1, AMP_ERROR_EV_COMMUNICATION, "");
    CHECK_TRACE(&w, ""); /* Charging */
    CHECK(amp_station_ev_ready(w.st, 1, false, w.now) == 0, "pilot B");
    world_settle(&w);
    world_mark(&w);
    fault(&w, 1, AMP_ERROR_EV_COMMUNICATION, "");
    CHECK_TRACE(&w, "S1:SuspendedEV");
    over(&w, 1, AMP_ERROR_EV_COMMUNICATION);
    world_tag(&w, 1, "TAG1");
    world_mark(&w);
    fault(&w, 1, AMP_ERROR_EV_COMMUNICATION, "");
    CHECK_TRACE(&w, "S1:Finishing");
    world_close(&w);
}

/* ---- the hardware's table: every command fails, and somebody hears of it ---- */

static bool limit_fails, locked_fails;

static int limit(void *ctx, int connector, int32_t ma, int phases)
{
    (void)ctx, (void)connector, (void)ma, (void)phases;
    return limit_fails ? AMP_E_IO : 0;
}

static int locked(void *ctx, int connector)
{
    return locked_fails ? AMP_E_IO : world_locked(ctx, connector);
}

static void permit_on(struct world *w)
{
    w->car[1].permit_fails = true;
}

static void lock_on(struct world *w)
{
    w->car[1].lock_fails = true;
}

static void locked_on(struct world *w)
{
    (void)w;
    locked_fails = true;
}

static void meter_on(struct world *w)
{
    w->car[1].meter_fails = true;
}

static void limit_on(struct world *w)
{
    (void)w;
    limit_fails = true;
}

/* Each command fails at the start of a session, and in the middle of one: told, and never energy
 * that nobody answers for. */
static void test_every_command_fails(void)
{
    static const struct {
        const char *command;
        void (*fail)(struct world *w);
        const char *told;
        bool begins; /* a session does, all the same */
        bool ends;   /* a session ends when its tag is shown, all the same */
        /* clang-format off */
    } cases[] = {
        { "permit", permit_on, "PowerSwitchFailure",   true,  true },
        { "lock",   lock_on,   "ConnectorLockFailure", false, true },
        { "locked", locked_on, "ConnectorLockFailure", false, true },
        { "meter",  meter_on,  "PowerMeterFailure",    false, true },
        { "limit",  limit_on,  "PowerSwitchFailure",   false, true },
    };
    /* clang-format on */

    for (unsigned i = 0; i < 2 * AMP_COUNT(cases); i++) {
        const char *what = cases[i / 2].command;
        bool running = i % 2;
        char told[64];
        struct world w;

        limit_fails = locked_fails = false;
        world_defaults(&w);
        w.hw.limit = limit;
        w.hw.locked = locked;
        CHECK(world_boot(&w) == 0, "start");
        world_run(&w, 10);
        world_set(&w, "MeterValueSampleInterval", "10");
        snprintf(told, sizeof(told), "\"%s\"", cases[i / 2].told);
        if (running) {
            world_plug(&w, 1, true);
            world_tag(&w, 1, "TAG1");
            CHECK(world_status(&w, 1) == AMP_CHARGING, "%s: charging", what);
            cases[i / 2].fail(&w);
            world_call(&w, "SetChargingProfile",
                       "{\"connectorId\":1,\"csChargingProfiles\":{\"chargingProfileId\":1,"
                       "\"stackLevel\":0,\"chargingProfilePurpose\":\"TxDefaultProfile\","
                       "\"chargingProfileKind\":\"Relative\",\"chargingSchedule\":{"
                       "\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{"
                       "\"startPeriod\":0,\"limit\":10}]}}}");
            world_run(&w, 11000);
            world_tag(&w, 1, "TAG1");
            world_run(&w, 1000);
            CHECK(w.tx_count == 1 && w.tx[0].stops == cases[i / 2].ends, "%s: it ends", what);
        } else {
            cases[i / 2].fail(&w);
            if (limit_fails)
                world_power(&w); /* limits are commanded at the start */
            world_run(&w, 100);
            world_plug(&w, 1, true);
            world_tag(&w, 1, "TAG1");
            world_run(&w, 11000);
            CHECK((w.tx_count == 1) == cases[i / 2].begins, "%s: %u sessions", what, w.tx_count);
        }
        CHECK(w.st->con[1].error != AMP_ERROR_NONE, "%s is told", what);
        world_call(&w, "TriggerMessage",
                   "{\"requestedMessage\":\"StatusNotification\",\"connectorId\":1}");
        CHECK(strstr(w.last, told) != NULL, "%s, %d: %s", what, running, w.last);
        CHECK(!w.car[1].permitted || !strcmp(what, "permit"), "%s, %d: no energy", what, running);
        world_close(&w);
    }
}

/* What the platform cannot do is NULL: a station without lock, limit, lamps, or even a meter. */
static void test_absent_commands(void)
{
    struct world w;

    world_defaults(&w);
    w.hw = (struct amp_hardware){ .ctx = &w, .permit = world_permit, .meter = world_meter };
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    CHECK(world_status(&w, 1) == AMP_CHARGING, "charges");
    world_tag(&w, 1, "TAG1");
    CHECK(w.tx[0].stops == 1, "and stops");
    world_close(&w);

    world_defaults(&w);
    w.hw.meter = NULL;
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    CHECK(!w.started && w.st->con[1].error == AMP_ERROR_METER, "what is not metered is not sold");
    world_close(&w);
}

int main(void)
{
    RUN(test_several);
    RUN(test_many);
    RUN(test_warnings);
    RUN(test_ev_communication);
    RUN(test_every_command_fails);
    RUN(test_absent_commands);
    return check_end();
}
