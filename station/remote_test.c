/* station/remote_test.c - what the central system asks for. Numbers: station-1.6. */
#include "station/world_test.h"

static void ready(struct world *w)
{
    world_open(w);
    world_run(w, 10);
    world_mark(w);
}

#define ACCEPTED                 "{\"status\":\"Accepted\"}"
#define REJECTED                 "{\"status\":\"Rejected\"}"
#define CHECK_REPLY(w, expected) CHECK(!strcmp((w)->reply, expected), "reply: %s", (w)->reply)

/* S33, S111, S113, S117 */
static void test_remote_start(void)
{
    struct world w;

    ready(&w);
    world_plug(&w, 2, true);
    world_mark(&w);
    world_call(&w, "RemoteStartTransaction", "{\"idTag\":\"R1\"}");
    CHECK_TRACE(
        &w, "ok:RemoteStartTransaction Start2 S2:Charging"); /* the one with a car; no Authorize */
    world_mark(&w);
    world_call(&w, "RemoteStartTransaction", "{\"idTag\":\"R2\",\"connectorId\":1}");
    CHECK_TRACE(&w, "ok:RemoteStartTransaction S1:Preparing");
    world_plug(&w, 1, true);
    CHECK_TRACE(&w, "ok:RemoteStartTransaction S1:Preparing Start1 S1:SuspendedEV S1:Charging");
    CHECK(!strcmp(w.tx[1].tag, "R2"), "%s", w.tx[1].tag);
    world_call(&w, "RemoteStartTransaction", "{\"idTag\":\"R3\"}");
    CHECK_REPLY(&w, REJECTED); /* nothing free */
    CHECK(w.events[AMP_EVENT_REMOTE] == 2, "two accepted");
    world_close(&w);
}

/* S113 */
static void test_remote_start_authorized(void)
{
    struct world w;

    ready(&w);
    world_set(&w, "AuthorizeRemoteTxRequests", "true");
    world_plug(&w, 1, true);
    world_mark(&w);
    world_call(&w, "RemoteStartTransaction", "{\"idTag\":\"R1\",\"connectorId\":1}");
    CHECK_TRACE(&w, "ok:RemoteStartTransaction Auth:R1 Start1 S1:Charging");
    world_close(&w);
}

/* S111, S112, S115 */
static void test_remote_start_rejected(void)
{
    static const struct {
        const char *why, *call, *reply;
    } cases[] = {
        { "connector 0", "{\"idTag\":\"R\",\"connectorId\":0}", REJECTED },
        { "no such connector", "{\"idTag\":\"R\",\"connectorId\":4}", REJECTED },
        { "unavailable", "{\"idTag\":\"R\",\"connectorId\":3}", REJECTED },
        { "negative", "{\"idTag\":\"R\",\"connectorId\":-1}", "!PropertyConstraintViolation" },
        { "busy", "{\"idTag\":\"R\",\"connectorId\":1}", REJECTED },
        { "faulted", "{\"idTag\":\"R\",\"connectorId\":2}", REJECTED },
        { "nothing free", "{\"idTag\":\"R\"}", REJECTED },
    };
    struct world w;

    world_defaults(&w);
    w.config.connectors = 3;
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    world_call(&w, "ChangeAvailability", "{\"connectorId\":3,\"type\":\"Inoperative\"}");
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    CHECK(amp_station_fault(w.st, 2, AMP_ERROR_OTHER, AMP_NO_TEXT, w.now) == 0, "fault");
    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        world_call(&w, "RemoteStartTransaction", cases[i].call);
        CHECK(!strcmp(w.reply, cases[i].reply), "%s: %s", cases[i].why, w.reply);
    }
    CHECK(amp_station_fault(w.st, 2, AMP_ERROR_NONE, AMP_NO_TEXT, w.now) == 0, "clear");
    world_call(
        &w, "RemoteStartTransaction",
        "{\"idTag\":\"R\",\"connectorId\":2,\"chargingProfile\":{\"chargingProfileId\":1,"
        "\"stackLevel\":0,\"chargingProfilePurpose\":\"TxDefaultProfile\","
        "\"chargingProfileKind\":\"Relative\",\"chargingSchedule\":{\"chargingRateUnit\":\"A\","
        "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":6}]}}}");
    CHECK_REPLY(&w, REJECTED); /* not a TxProfile */
    world_call(&w, "RemoteStartTransaction", "{\"idTag\":\"R\",\"connectorId\":2}");
    CHECK_REPLY(&w, ACCEPTED);
    world_call(&w, "RemoteStartTransaction", "{\"idTag\":\"Q\",\"connectorId\":2}");
    CHECK_REPLY(&w, REJECTED); /* waits for its plug */
    world_close(&w);
}

/* S114 */
static void test_remote_start_without_plug(void)
{
    struct world w;

    ready(&w);
    world_call(&w, "RemoteStartTransaction", "{\"idTag\":\"R1\",\"connectorId\":1}");
    world_run(&w, 61000);
    CHECK_TRACE(&w, "ok:RemoteStartTransaction S1:Preparing S1:Available");
    CHECK(!w.started, "nothing began");
    world_close(&w);
}

/* S116, S117, S81 */
static void test_remote_stop(void)
{
    struct world w;

    ready(&w);
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    world_mark(&w);
    world_call(&w, "RemoteStopTransaction", "{\"transactionId\":4711}");
    CHECK_REPLY(&w, REJECTED);
    world_call(&w, "RemoteStopTransaction", "{\"transactionId\":1001}");
    CHECK_REPLY(&w, ACCEPTED);
    CHECK_TRACE(&w, "ok:RemoteStopTransaction ok:RemoteStopTransaction Stop:Remote S1:Finishing");
    CHECK(!w.tx[0].stop_tag[0], "no tag stopped it");
    world_call(&w, "RemoteStopTransaction", "{\"transactionId\":1001}");
    CHECK_REPLY(&w, REJECTED);
    world_close(&w);
}

/* S110 */
static void test_unlock(void)
{
    struct world w;

    ready(&w);
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    world_mark(&w);
    world_call(&w, "UnlockConnector", "{\"connectorId\":1}");
    CHECK_REPLY(&w, "{\"status\":\"Unlocked\"}");
    CHECK_TRACE(&w, "ok:UnlockConnector Stop:UnlockCommand S1:Finishing");
    world_run(&w, 1000);
    world_tag(&w, 1, "TAG1");
    w.car[1].lock_sticks = true;
    world_call(&w, "UnlockConnector", "{\"connectorId\":1}");
    CHECK_REPLY(&w, "{\"status\":\"UnlockFailed\"}");
    CHECK(w.tx[1].stops == 1, "stopped all the same: %s", w.trace);
    world_call(&w, "UnlockConnector", "{\"connectorId\":9}");
    CHECK_REPLY(&w, "{\"status\":\"NotSupported\"}");
    world_call(&w, "UnlockConnector", "{\"connectorId\":0}");
    CHECK_REPLY(&w, "{\"status\":\"NotSupported\"}");
    world_close(&w);

    world_defaults(&w);
    w.hw.lock = NULL;
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    world_call(&w, "UnlockConnector", "{\"connectorId\":1}");
    CHECK_REPLY(&w, "{\"status\":\"NotSupported\"}");
    world_close(&w);
}

/* S152, S59 */
static void test_trigger_and_the_rest(void)
{
    struct world w;

    ready(&w);
    world_call(&w, "TriggerMessage", "{\"requestedMessage\":\"StatusNotification\"}");
    CHECK_TRACE(&w, "ok:TriggerMessage S0:Available S1:Available S2:Available");
    world_mark(&w);
    world_call(&w, "TriggerMessage", "{\"requestedMessage\":\"Heartbeat\"}");
    world_call(&w, "TriggerMessage", "{\"requestedMessage\":\"MeterValues\",\"connectorId\":1}");
    CHECK_TRACE(&w, "ok:TriggerMessage Heart ok:TriggerMessage Meter1");
    CHECK(strstr(w.last, "\"context\":\"Trigger\"") && !strstr(w.last, "transactionId"), "%s",
          w.last);
    world_mark(&w);
    world_call(&w, "TriggerMessage", "{\"requestedMessage\":\"MeterValues\"}");
    CHECK_TRACE(&w, "ok:TriggerMessage Meter0 Meter1 Meter2");
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    world_call(&w, "TriggerMessage", "{\"requestedMessage\":\"MeterValues\",\"connectorId\":1}");
    CHECK(strstr(w.last, "\"transactionId\":1001") != NULL, "%s", w.last);
    world_call(&w, "TriggerMessage", "{\"requestedMessage\":\"Heartbeat\",\"connectorId\":7}");
    CHECK_REPLY(&w, REJECTED);
    world_call(&w, "TriggerMessage", "{\"requestedMessage\":\"FirmwareStatusNotification\"}");
    CHECK_REPLY(&w, "{\"status\":\"NotImplemented\"}");
    world_call(&w, "ClearCache", "{}");
    CHECK_REPLY(&w, ACCEPTED);
    CHECK(world_status(&w, 1) == AMP_CHARGING, "S59: no transaction is touched");
    world_close(&w);
}

static int on_data(void *ctx, struct amp_text message, struct amp_text data, char *out, size_t cap)
{
    unsigned *calls = ctx;

    ++*calls;
    if (amp_text_is(message, "broken"))
        return AMP_E_IO;
    if (!amp_text_is(message, "echo"))
        return AMP_E_ABSENT;
    CHECK(cap >= data.len, "room");
    if (data.len)
        memcpy(out, data.at, data.len);
    return (int)data.len;
}

/* S153 */
static void test_data_transfer(void)
{
    static const struct {
        const char *call, *reply;
    } cases[] = {
        { "{\"vendorId\":\"nobody\",\"data\":\"x\"}", "{\"status\":\"UnknownVendorId\"}" },
        { "{\"vendorId\":\"ORG.acme\",\"messageId\":\"echo\",\"data\":\"a b\"}",
          "{\"status\":\"Accepted\",\"data\":\"a b\"}" },
        { "{\"vendorId\":\"org.acme\",\"messageId\":\"echo\"}", ACCEPTED },
        { "{\"vendorId\":\"org.acme\",\"messageId\":\"dance\"}",
          "{\"status\":\"UnknownMessageId\"}" },
        { "{\"vendorId\":\"org.acme\"}", "{\"status\":\"UnknownMessageId\"}" },
        { "{\"vendorId\":\"org.acme\",\"messageId\":\"broken\"}", REJECTED },
    };
    unsigned calls = 0;
    struct amp_vendor vendor = { "org.acme", &calls, on_data };
    struct world w;

    world_defaults(&w);
    w.config.vendor_data = &vendor;
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        world_call(&w, "DataTransfer", cases[i].call);
        CHECK(!strcmp(w.reply, cases[i].reply), "%s: %s", cases[i].call, w.reply);
    }
    CHECK(calls == AMP_COUNT(cases) - 1, "%u", calls);
    world_close(&w);

    ready(&w); /* a station without such code */
    world_call(&w, "DataTransfer", "{\"vendorId\":\"org.acme\",\"messageId\":\"echo\"}");
    CHECK_REPLY(&w, "{\"status\":\"UnknownVendorId\"}");
    world_close(&w);
}

/* S80: what the device itself stops */
static void test_local_stops(void)
{
    static const struct {
        int reason;
        const char *name;
        /* clang-format off */
    } cases[] = {
        { AMP_STOP_EMERGENCY, "EmergencyStop" },
        { AMP_STOP_LOCAL,     "Local" },
        { AMP_STOP_OTHER,     "Other" },
        { AMP_STOP_REBOOT,    "Reboot" }
    };
    /* clang-format on */

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct world w;

        ready(&w);
        CHECK(amp_station_stop(w.st, 1, cases[i].reason, w.now) == AMP_E_STATE, "nothing runs");
        world_plug(&w, 1, true);
        world_tag(&w, 1, "TAG1");
        CHECK(amp_station_stop(w.st, 1, cases[i].reason, w.now) == 0, "stop");
        world_settle(&w);
        CHECK(!strcmp(w.tx[0].reason, cases[i].name), "%s", w.tx[0].reason);
        CHECK(amp_station_stop(w.st, 5, cases[i].reason, w.now) == AMP_E_RANGE, "5");
        CHECK(amp_station_stop(w.st, 1, 0, w.now) == AMP_E_VALUE, "no reason");
        world_close(&w);
    }
}

int main(void)
{
    RUN(test_remote_start);
    RUN(test_remote_start_authorized);
    RUN(test_remote_start_rejected);
    RUN(test_remote_start_without_plug);
    RUN(test_remote_stop);
    RUN(test_unlock);
    RUN(test_trigger_and_the_rest);
    RUN(test_data_transfer);
    RUN(test_local_stops);
    return check_end();
}
