/* station/boot_test.c - boot, clock, heartbeat. Numbers: station-1.6. */
#include "station/world_test.h"

/* S18, S19, S20 */
static void test_accepted(void)
{
    struct world w;

    world_defaults(&w);
    w.config.serial = AMP_TEXT("0123456789012345678901234567890123");
    w.config.iccid = AMP_TEXT("");
    w.config.settings = (const char *const[]){ "HeartbeatInterval=33", NULL };
    w.boot_interval = 0;
    CHECK(world_boot(&w) == 0, "start");
    w.mute = "StatusNotification";
    world_run(&w, 10);
    CHECK_TRACE(&w, "Boot -StatusNotification");
    w.mute = NULL;
    world_hang_up(&w);
    world_mark(&w);
    world_run(&w, 6000);
    CHECK_TRACE(&w, "S0:Available S1:Available S2:Available");
    CHECK(w.st->set.heartbeat_s == 33, "S19: interval 0 keeps the configured one");
    world_close(&w);
}

/* S27 */
static void test_boot_fields(void)
{
    struct world w;

    world_defaults(&w);
    w.config.firmware = AMP_TEXT("1.0");
    w.config.iccid = AMP_TEXT("");
    w.config.serial = AMP_TEXT("");
    w.mute = "BootNotification";
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    CHECK(strstr(w.last, "\"chargePointVendor\":\"Amperstand\"") &&
              strstr(w.last, "\"chargePointModel\":\"Two\"") &&
              strstr(w.last, "\"firmwareVersion\":\"1.0\""),
          "%s", w.last);
    CHECK(!strstr(w.last, "iccid") && !strstr(w.last, "imsi") && !strstr(w.last, "meterType"),
          "nothing empty: %s", w.last);
    world_close(&w);
}

/* S27: texts of the maker are cut to what each field holds */
static void test_long_boot_fields(void)
{
    static const struct {
        const char *field;
        unsigned len;
        /* clang-format off */
    } cases[] = {
        { "chargePointVendor",       20 },
        { "chargePointModel",        20 },
        { "chargePointSerialNumber", 25 },
        { "chargeBoxSerialNumber",   25 },
        { "firmwareVersion",         50 },
        { "iccid",                   20 },
        { "imsi",                    20 },
        { "meterType",               25 },
        { "meterSerialNumber",       25 },
    };
    /* clang-format on */
    const struct amp_text x =
        AMP_TEXT("1234567890123456789012345678901234567890123456789012345678901234567890");
    char value[80];
    struct world w;

    world_defaults(&w);
    w.config.vendor = w.config.model = w.config.serial = w.config.box_serial = x;
    w.config.firmware = w.config.iccid = w.config.imsi = x;
    w.config.meter_type = w.config.meter_serial = x;
    w.mute = "BootNotification";
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    for (unsigned i = 0; i < AMP_COUNT(cases); i++)
        CHECK(strlen(world_get(w.last, cases[i].field, value, sizeof(value))) == cases[i].len,
              "%s: %s", cases[i].field, w.last);
    world_close(&w);
}

/* S19, S30 */
static void test_clock_and_interval(void)
{
    struct world w;

    world_defaults(&w);
    w.boot_interval = 120;
    CHECK(world_boot(&w) == 0, "start");
    CHECK(amp_station_unix_ms(w.st, w.now) == 0, "not known yet");
    world_run(&w, 10);
    CHECK(amp_station_unix_ms(w.st, w.now) == UNIX0 + (int64_t)w.now, "from currentTime");
    CHECK(w.mem.clock_set_ms >= UNIX0 && w.events[AMP_EVENT_CLOCK] == 1, "the device was told");
    CHECK(w.st->set.heartbeat_s == 120, "interval");
    w.boot_time_ms = UNIX0 + (int64_t)w.now + 120000 + 500;
    world_run(&w, 121000);
    CHECK(w.events[AMP_EVENT_CLOCK] == 1, "half a second is the network's");
    w.boot_time_ms = UNIX0 + 7200000;
    world_run(&w, 120000);
    CHECK(w.events[AMP_EVENT_CLOCK] == 2, "a jump is followed");
    world_close(&w);
}

/* S30: open intervals do not follow the clock when it jumps: nothing comes early, late or twice */
static void test_jump(void)
{
    static const int64_t jumps[] = { 7200000, -7200000, 90000 };

    for (unsigned i = 0; i < AMP_COUNT(jumps); i++) {
        struct world w;

        world_defaults(&w);
        w.config.settings =
            (const char *const[]){ "MeterValueSampleInterval=100", "ConnectionTimeOut=130", NULL };
        w.boot_interval = 60;
        CHECK(world_boot(&w) == 0, "start");
        world_run(&w, 10);
        world_plug(&w, 1, true);
        world_tag(&w, 1, "TAG1");
        world_tag(&w, 2, "TAG2"); /* waits for its plug */
        world_mark(&w);
        world_run(&w, 59000);
        w.boot_time_ms = UNIX0 + (int64_t)w.now + 2000 + jumps[i];
        world_run(&w, 2000);
        CHECK(w.events[AMP_EVENT_CLOCK] == 2, "jumped by %lld", (long long)jumps[i]);
        CHECK_TRACE(&w, "Heart");
        w.boot_time_ms += 60000;
        world_run(&w, 38000);
        CHECK_TRACE(&w, "Heart");
        world_run(&w, 2000);
        CHECK_TRACE(&w, "Heart Meter1");
        world_run(&w, 28000);
        CHECK(world_status(&w, 2) == AMP_PREPARING, "still waits");
        world_run(&w, 2000);
        CHECK(world_status(&w, 2) == AMP_AVAILABLE, "130 s are over");
        world_close(&w);
    }
}

/* S15: any zone is read, Z is written, and no summer shifts anything */
static void test_zones(void)
{
    struct world w;

    world_defaults(&w);
    w.local_time = true;
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    CHECK(amp_station_unix_ms(w.st, w.now) == UNIX0 + (int64_t)w.now, "an offset and a fraction");
    world_plug(&w, 1, true);
    world_run(&w, 1000);
    world_tag(&w, 1, "TAG1");
    world_run(&w, 1000);
    CHECK(w.tx_count == 1 && w.tx[0].started[strlen(w.tx[0].started) - 1] == 'Z', "UTC: '%s'",
          w.tx[0].started);
    world_close(&w);
}

/* S21, S22, S25 */
static void test_pending(void)
{
    struct world w;
    char out[8];

    world_defaults(&w);
    w.boot_status = "Pending";
    w.boot_interval = 50;
    CHECK(world_boot(&w) == 0, "start");
    world_plug(&w, 1, true);
    world_run(&w, 20000);
    CHECK_TRACE(&w, "Boot");
    world_mark(&w);
    world_call(&w, "GetConfiguration", "{\"key\":[\"NumberOfConnectors\"]}");
    CHECK(!strcmp(world_get(w.reply, "value", out, sizeof(out)), "2"), "%s", w.reply);
    world_call(&w, "RemoteStartTransaction", "{\"idTag\":\"T\",\"connectorId\":1}");
    CHECK(!strcmp(w.reply, "{\"status\":\"Rejected\"}"), "%s", w.reply);
    world_call(&w, "RemoteStopTransaction", "{\"transactionId\":1}");
    CHECK(!strcmp(w.reply, "{\"status\":\"Rejected\"}"), "%s", w.reply);
    world_mark(&w);
    world_call(&w, "TriggerMessage",
               "{\"requestedMessage\":\"StatusNotification\",\"connectorId\":1}");
    CHECK_TRACE(&w, "ok:TriggerMessage S1:Preparing");
    world_mark(&w);
    world_run(&w, 29000);
    CHECK_TRACE(&w, "");
    world_run(&w, 1500);
    CHECK_TRACE(&w, "Boot");
    w.boot_status = NULL;
    world_mark(&w);
    world_call(&w, "TriggerMessage", "{\"requestedMessage\":\"BootNotification\"}");
    CHECK_TRACE(&w, "ok:TriggerMessage Boot S0:Available S1:Preparing S2:Available");
    world_call(&w, "TriggerMessage", "{\"requestedMessage\":\"BootNotification\"}");
    CHECK(!strcmp(w.reply, "{\"status\":\"Rejected\"}"), "S25: %s", w.reply);
    world_close(&w);
}

/* S23, S22 with interval 0 */
static void test_rejected(void)
{
    struct world w;

    world_defaults(&w);
    w.boot_status = "Rejected";
    w.boot_interval = 100;
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    CHECK(!strcmp(world_call(&w, "GetConfiguration", "{}"), ""), "silence");
    CHECK(!strcmp(world_call(&w, "Nonsense", "{}"), ""), "silence");
    world_run(&w, 99000);
    CHECK_TRACE(&w, "Boot");
    w.boot_interval = 0;
    world_run(&w, 2000);
    CHECK_TRACE(&w, "Boot Boot");
    world_run(&w, 58000);
    CHECK_TRACE(&w, "Boot Boot");
    world_run(&w, 2000);
    CHECK_TRACE(&w, "Boot Boot Boot");
    world_run(&w, 118000);
    CHECK_TRACE(&w, "Boot Boot Boot");
    world_run(&w, 2000);
    CHECK_TRACE(&w, "Boot Boot Boot Boot");
    world_close(&w);
}

/* S24 */
static void test_no_good_answer(void)
{
    static const struct {
        const char *why, *mute, *error, *answer;
        unsigned after_s;
        /* clang-format off */
    } cases[] = {
        { "no answer", "BootNotification", NULL,               NULL,                     90 },
        { "an error",  NULL,               "BootNotification", NULL,                     60 },
        { "malformed", NULL,               NULL,               "{\"status\":\"Maybe\"}", 60 },
    };
    /* clang-format on */

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct world w;

        world_defaults(&w);
        w.mute = cases[i].mute;
        w.error = cases[i].error;
        w.answer_to = cases[i].answer ? "BootNotification" : NULL;
        w.answer = cases[i].answer;
        CHECK(world_boot(&w) == 0, "start");
        world_run(&w, 10);
        world_mark(&w);
        w.mute = w.error = w.answer_to = NULL;
        world_run(&w, cases[i].after_s * 1000 - 1000);
        CHECK_TRACE(&w, "");
        world_run(&w, 2000);
        CHECK_TRACE(&w, "Boot S0:Available S1:Available S2:Available");
        world_close(&w);
    }
}

/* S18: calls before any answer are refused */
static void test_call_before_boot(void)
{
    struct world w;

    world_defaults(&w);
    w.mute = "BootNotification";
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    CHECK(!strcmp(world_call(&w, "GetConfiguration", "{}"), "!SecurityError"), "%s", w.reply);
    world_close(&w);
}

/* S26, S64: the time of the start is that of the start, not of its delivery */
static void test_never_accepted(void)
{
    struct world w;

    world_defaults(&w);
    w.refuse = true;
    w.config.settings = (const char *const[]){ "AllowOfflineTxForUnknownId=true", NULL };
    CHECK(world_boot(&w) == 0, "start");
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    CHECK(world_status(&w, 1) == AMP_PREPARING && !w.started, "refused");
    world_close(&w);

    world_defaults(&w);
    w.refuse = true;
    w.config.charge_before_accepted = true;
    w.config.settings = (const char *const[]){ "AllowOfflineTxForUnknownId=true", NULL };
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 4000);
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    world_run(&w, 61000);
    CHECK(world_status(&w, 1) == AMP_CHARGING, "allowed");
    w.refuse = false;
    world_run(&w, 120000);
    CHECK(w.tx_count == 1 && !strcmp(w.tx[0].started, "2025-06-15T15:06:45Z"), "started %s",
          w.tx[0].started); /* UNIX0 + 5 s: when it began, though nobody knew the time then */
    CHECK(w.tx[0].meters >= 1, "meter values too");
    world_close(&w);
}

/* S26: the clock was never known in that boot; the next one only knows that it was earlier */
static void test_time_from_an_earlier_boot(void)
{
    for (int known = 0; known < 2; known++) {
        struct world w;

        world_defaults(&w);
        w.refuse = true;
        w.config.charge_before_accepted = true;
        w.config.settings = (const char *const[]){ "AllowOfflineTxForUnknownId=true", NULL };
        CHECK(world_boot(&w) == 0, "start");
        world_run(&w, 4000);
        world_plug(&w, 1, true);
        world_tag(&w, 1, "TAG1");
        if (known) { /* the clock was set before the power went, but nothing else got through */
            w.refuse = false;
            w.mute = "StatusNotification";
            world_run(&w, 6000);
            w.mute = NULL;
        }
        world_run(&w, 30000);
        w.refuse = false;
        world_power(&w);
        world_run(&w, 120000);
        CHECK(w.tx_count == 1 && w.tx[0].stops == 1, "delivered: %u", w.tx_count);
        CHECK(!strncmp(w.tx[0].started, "2025-06-15T15:0", 15), "never 1970: %s", w.tx[0].started);
        if (known)
            CHECK(!strcmp(w.tx[0].started, "2025-06-15T15:06:45Z"), "exact: %s", w.tx[0].started);
        world_close(&w);
    }
}

/* S17: fields that nobody knows, in an answer */
static void test_unknown_fields_in_an_answer(void)
{
    struct world w;

    world_defaults(&w);
    w.answer_to = "BootNotification";
    w.answer = "{\"status\":\"Accepted\",\"currentTime\":\"2025-06-15T15:06:41Z\","
               "\"interval\":77,\"extra\":{\"a\":[1,null]},\"customData\":\"x\"}";
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    CHECK(amp_station_boot(w.st) == AMP_BOOT_ACCEPTED && w.st->set.heartbeat_s == 77, "taken");
    world_close(&w);
}

/* S10, S28, S29, S31 */
static void test_heartbeat(void)
{
    struct world w;

    world_defaults(&w);
    w.config.settings = (const char *const[]){ "ConnectionTimeOut=1000", NULL };
    w.boot_interval = 60;
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    world_mark(&w);
    world_run(&w, 59000);
    CHECK_TRACE(&w, "");
    world_plug(&w, 1, true);
    world_run(&w, 59000);
    CHECK_TRACE(&w, "S1:Preparing");
    world_run(&w, 1500);
    CHECK_TRACE(&w, "S1:Preparing Heart");
    CHECK(!strcmp(w.last, "{}"), "S10: nothing to say is an empty object: %s", w.last);
    world_mark(&w);
    world_set(&w, "HeartbeatInterval", "10");
    world_mark(&w);
    world_run(&w, 10500);
    CHECK(strstr(w.trace, "Heart") != NULL, "S29: %s", w.trace);
    world_set(&w, "HeartbeatInterval", "0");
    world_mark(&w);
    world_plug(&w, 1, false);
    world_run(&w, 80000000);
    CHECK_TRACE(&w, "S1:Available");
    world_run(&w, 7000000);
    CHECK_TRACE(&w, "S1:Available Heart");
    world_close(&w);
}

/* S5: message ids of boots and connections differ (world_central_test.h checks that none comes
 * twice or is too long) */
static void test_ids(void)
{
    struct world w;

    world_open(&w);
    world_run(&w, 10);
    for (int i = 0; i < 5; i++) {
        w.mem.seed = 42; /* even if randomness repeats */
        world_power(&w);
        world_run(&w, 10);
    }
    CHECK(w.id_count == 6 * 4, "%u", w.id_count);
    world_plug(&w, 1, true);
    for (int i = 0; i < 5; i++) { /* nor over reconnects */
        world_plug(&w, 1, i % 2);
        w.mem.seed = 42;
        world_hang_up(&w);
        world_run(&w, 70000);
        world_plug(&w, 1, !(i % 2));
    }
    CHECK(w.id_count >= 6 * 4 + 8, "%u", w.id_count);
    world_close(&w);
}

int main(void)
{
    RUN(test_accepted);
    RUN(test_boot_fields);
    RUN(test_long_boot_fields);
    RUN(test_clock_and_interval);
    RUN(test_jump);
    RUN(test_zones);
    RUN(test_pending);
    RUN(test_rejected);
    RUN(test_no_good_answer);
    RUN(test_call_before_boot);
    RUN(test_never_accepted);
    RUN(test_time_from_an_earlier_boot);
    RUN(test_unknown_fields_in_an_answer);
    RUN(test_heartbeat);
    RUN(test_ids);
    return check_end();
}
