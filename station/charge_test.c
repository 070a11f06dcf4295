/* station/charge_test.c - plug, tag, transaction, states. Numbers: station-1.6. */
#include "station/world_test.h"

static void ready(struct world *w)
{
    world_open(w);
    world_run(w, 10);
    world_mark(w);
}

/* S33, S34, S36, S50, S60, S64, S66, S82 */
static void test_plug_then_tag(void)
{
    struct world w;

    ready(&w);
    world_plug(&w, 1, true);
    world_run(&w, 5000);
    world_tag(&w, 1, "TAG1");
    CHECK_TRACE(&w, "S1:Preparing Auth:TAG1 Start1 S1:Charging");
    CHECK(w.car[1].locked && w.car[1].permitted, "locked, energy");
    world_run(&w, 125000);
    CHECK_TRACE(&w, "S1:Preparing Auth:TAG1 Start1 S1:Charging Meter1 Meter1");
    world_mark(&w);
    world_tag(&w, 1, "tag1"); /* S9: the same tag, no Authorize */
    CHECK_TRACE(&w, "Stop:Local S1:Finishing");
    CHECK(!w.car[1].locked && !w.car[1].permitted, "unlocked");
    world_run(&w, 1000);
    world_plug(&w, 1, false);
    CHECK_TRACE(&w, "Stop:Local S1:Finishing S1:Available");
    CHECK(w.tx[0].id == 1001 && w.tx[0].start_wh == 1000000 && w.tx[0].stop_wh == 1000256,
          "%lld Wh", (long long)w.tx[0].stop_wh);
    CHECK(!strcmp(w.tx[0].stop_tag, "tag1") && !strcmp(w.tx[0].started, "2025-06-15T15:06:46.010Z"),
          "S64, S81: %s", w.tx[0].started);
    CHECK_MOVES(&w, "C6 F1");
    world_close(&w);
}

/* S33, S50, S63 */
static void test_tag_then_plug(void)
{
    struct world w;

    ready(&w);
    world_tag(&w, 0, "TAG1");
    CHECK_TRACE(&w, "S1:Preparing Auth:TAG1");
    CHECK(!w.car[1].permitted, "no energy before the plug");
    world_run(&w, 3000);
    world_tag(&w, 0, "TAG1");
    CHECK_TRACE(&w, "S1:Preparing Auth:TAG1 S1:Available");
    world_mark(&w);
    world_tag(&w, 0, "TAG1");
    world_run(&w, 59000);
    world_plug(&w, 1, true); /* pilot B first, then C */
    CHECK_TRACE(&w, "S1:Preparing Auth:TAG1 Start1 S1:SuspendedEV S1:Charging");
    world_close(&w);
}

/* S50: refused */
static void test_refused_tag(void)
{
    struct world w;

    ready(&w);
    w.tag_status = "Blocked";
    world_tag(&w, 2, "TAG1");
    CHECK_TRACE(&w, "S2:Preparing Auth:TAG1 S2:Available");
    world_plug(&w, 2, true);
    world_tag(&w, 2, "TAG1");
    world_run(&w, 1000);
    CHECK(world_status(&w, 2) == AMP_PREPARING && !w.started, "no transaction");
    world_close(&w);
}

/* S62 */
static void test_connection_timeout(void)
{
    struct world w;

    ready(&w);
    world_tag(&w, 1, "TAG1");
    world_run(&w, 59000);
    CHECK(world_status(&w, 1) == AMP_PREPARING, "waits");
    world_run(&w, 2000);
    CHECK_TRACE(&w, "S1:Preparing Auth:TAG1 S1:Available");
    world_mark(&w);
    world_plug(&w, 1, true);
    world_run(&w, 61000);
    CHECK_TRACE(&w, "S1:Preparing S1:Finishing");
    /* S37: a tag in Finishing */
    world_mark(&w);
    world_tag(&w, 1, "TAG1");
    CHECK_TRACE(&w, "S1:Preparing Auth:TAG1 Start1 S1:Charging");
    world_close(&w);
}

/* S34, S35 */
static void test_suspended(void)
{
    struct world w;

    ready(&w);
    w.car[1].plugged = true;
    CHECK(amp_station_plug(w.st, 1, true, w.now) == 0, "plugged, pilot B");
    world_tag(&w, 1, "TAG1");
    CHECK_TRACE(&w, "S1:Preparing Auth:TAG1 Start1 S1:SuspendedEV");
    world_mark(&w);
    CHECK(amp_station_ev_ready(w.st, 1, true, w.now) == 0, "pilot C");
    world_settle(&w);
    CHECK(amp_station_ev_ready(w.st, 1, false, w.now) == 0, "pilot B");
    world_settle(&w);
    CHECK_TRACE(&w, "S1:Charging S1:SuspendedEV");
    world_tag(&w, 1, "TAG1");
    CHECK_MOVES(&w, "D3 C4 D6");
    world_close(&w);
}

/* S45, S82, S83 */
static void test_unplugged_at_the_car(void)
{
    struct world w;

    ready(&w);
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    world_mark(&w);
    world_plug(&w, 1, false);
    CHECK_TRACE(&w, "Stop:EVDisconnected S1:Finishing S1:Available");
    CHECK(!w.tx[0].stop_tag[0], "S81: nobody stopped it");
    CHECK(!w.car[1].locked, "unlocked");
    world_plug(&w, 1, true);
    CHECK(world_status(&w, 1) == AMP_PREPARING && !w.car[1].permitted, "does not resume");
    world_plug(&w, 1, false);

    /* the cable stays locked until the tag is shown */
    world_set(&w, "UnlockConnectorOnEVSideDisconnect", "false");
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    world_mark(&w);
    world_plug(&w, 1, false);
    CHECK_TRACE(&w, "Stop:EVDisconnected S1:Finishing");
    CHECK(w.car[1].locked, "locked");
    world_tag(&w, 1, "OTHER");
    CHECK(w.car[1].locked, "not for another tag");
    world_tag(&w, 1, "TAG1");
    CHECK(!w.car[1].locked, "unlocked");
    CHECK_TRACE(&w, "Stop:EVDisconnected S1:Finishing S1:Available");

    /* the transaction goes on */
    world_set(&w, "StopTransactionOnEVSideDisconnect", "false");
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    world_mark(&w);
    w.car[1].plugged = false;
    CHECK(amp_station_plug(w.st, 1, false, w.now) == 0, "unplug");
    w.mute = "StatusNotification";
    world_settle(&w);
    w.mute = NULL;
    CHECK(strstr(w.last, "\"status\":\"SuspendedEV\"") &&
              strstr(w.last, "\"errorCode\":\"NoError\"") &&
              strstr(w.last, "\"info\":\"EV side disconnected\""),
          "%s", w.last);
    CHECK(w.car[1].locked && !w.car[1].permitted, "locked, no energy");
    world_run(&w, 31000);
    world_plug(&w, 1, true);
    CHECK(world_status(&w, 1) == AMP_CHARGING, "resumes");
    world_close(&w);
}

/* S40, S42 */
static void test_faults(void)
{
    struct world w;

    ready(&w);
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    world_mark(&w);
    CHECK(amp_station_fault(w.st, 1, AMP_ERROR_GROUND, AMP_TEXT("leak"), w.now) == 0, "fault");
    world_settle(&w);
    CHECK(strstr(w.last, "\"errorCode\":\"GroundFailure\"") && strstr(w.last, "\"info\":\"leak\""),
          "%s", w.last);
    CHECK(!w.car[1].permitted, "no energy");
    CHECK(amp_station_fault(w.st, 1, AMP_ERROR_GROUND, AMP_TEXT("leak"), w.now) == 0, "again");
    world_settle(&w);
    CHECK(amp_station_fault(w.st, 1, AMP_ERROR_OVER_VOLTAGE, AMP_NO_TEXT, w.now) == 0, "another");
    world_settle(&w);
    CHECK(amp_station_fault(w.st, 1, AMP_ERROR_NONE, AMP_NO_TEXT, w.now) == 0, "clear");
    world_settle(&w);
    CHECK_TRACE(&w, "S1:Faulted S1:Faulted S1:Charging");
    CHECK(w.car[1].permitted, "energy again");
    world_mark(&w);
    CHECK(amp_station_fault(w.st, 1, AMP_ERROR_SIGNAL, AMP_NO_TEXT, w.now) == 0, "a warning");
    world_settle(&w);
    CHECK_TRACE(&w, "S1:Charging");
    CHECK(strstr(w.last, "WeakSignal") && w.car[1].permitted, "%s", w.last);
    CHECK(amp_station_fault(w.st, 1, AMP_ERROR_EV_COMMUNICATION, AMP_NO_TEXT, w.now) == 0, "no");
    world_settle(&w);
    CHECK_TRACE(&w, "S1:Charging"); /* not a state in which that can be said */
    CHECK(amp_station_fault(w.st, 3, AMP_ERROR_NONE, AMP_NO_TEXT, w.now) == AMP_E_RANGE, "3");
    CHECK(amp_station_fault(w.st, 1, 99, AMP_NO_TEXT, w.now) == AMP_E_VALUE, "99");
    world_mark(&w);
    CHECK(amp_station_fault(w.st, 0, AMP_ERROR_INTERNAL, AMP_NO_TEXT, w.now) == 0, "the station");
    world_settle(&w);
    CHECK_TRACE(&w, "S0:Faulted");
    world_close(&w);
}

/* Hardware that does not obey is a fault, never ignored */
static void test_disobedient_hardware(void)
{
    struct world w;

    ready(&w);
    w.car[1].lock_fails = true;
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    CHECK(strstr(w.last, "ConnectorLockFailure") && !w.started, "lock: %s", w.last);
    w.car[1].lock_fails = false;
    CHECK(amp_station_fault(w.st, 1, AMP_ERROR_NONE, AMP_NO_TEXT, w.now) == 0, "repaired");
    world_settle(&w);
    CHECK(w.started == 1 && world_status(&w, 1) == AMP_CHARGING, "the tag still counts");
    world_mark(&w);
    w.car[1].permit_fails = true;
    world_tag(&w, 1, "TAG1");
    CHECK(strstr(w.trace, "Stop:Local") && strstr(w.trace, "S1:Faulted"), "contactor: %s", w.trace);
    w.car[1].permit_fails = false;
    CHECK(amp_station_fault(w.st, 1, AMP_ERROR_NONE, AMP_NO_TEXT, w.now) == 0, "repaired");
    world_settle(&w);
    w.car[2].meter_fails = true;
    world_plug(&w, 2, true);
    world_mark(&w);
    world_tag(&w, 2, "TAG2");
    CHECK(w.started == 1 && strstr(w.last, "PowerMeterFailure"), "no meter, no sale: %s", w.last);
    CHECK(!w.car[2].locked && !w.car[2].permitted, "let go");
    world_close(&w);
}

/* S43 */
static void test_minimum_duration(void)
{
    struct world w;

    ready(&w);
    world_set(&w, "MinimumStatusDuration", "10");
    world_mark(&w);
    world_plug(&w, 1, true);
    world_run(&w, 3000);
    world_plug(&w, 1, false);
    world_run(&w, 20000);
    CHECK_TRACE(&w, "");
    world_plug(&w, 1, true);
    world_run(&w, 9000);
    CHECK_TRACE(&w, "");
    world_call(&w, "TriggerMessage",
               "{\"requestedMessage\":\"StatusNotification\",\"connectorId\":1}");
    CHECK_TRACE(&w, "ok:TriggerMessage S1:Preparing");
    world_run(&w, 1500);
    CHECK_TRACE(&w, "ok:TriggerMessage S1:Preparing S1:Preparing");
    world_close(&w);
}

/* S47: a report of a change carries the time of the change, one on request its own */
static void test_status_timestamps(void)
{
    struct world w;

    ready(&w);
    w.mute = "Authorize"; /* holds up what follows */
    world_tag(&w, 2, "TAG2");
    world_plug(&w, 1, true);
    w.mute = "StatusNotification";
    world_run(&w, 31000);
    CHECK(strstr(w.last, "\"timestamp\":\"2025-06-15T15:06:41.010Z\"") != NULL, "%s", w.last);
    w.mute = NULL;
    world_run(&w, 60000);
    world_call(&w, "TriggerMessage",
               "{\"requestedMessage\":\"StatusNotification\",\"connectorId\":1}");
    CHECK(strstr(w.last, "\"timestamp\":\"2025-06-15T15:08:12.010Z\"") != NULL, "%s", w.last);
    world_close(&w);
}

/* S44 */
static void test_status_after_a_spell_off_line(void)
{
    struct world w;

    ready(&w);
    w.refuse = true;
    world_hang_up(&w);
    world_plug(&w, 1, true);
    world_plug(&w, 2, true);
    world_plug(&w, 2, false);
    world_run(&w, 4000);
    w.refuse = false;
    world_run(&w, 20000);
    CHECK_TRACE(&w, "S1:Preparing");
    world_close(&w);
}

/* S54, S55, S56, S67, S85 */
static void test_off_line(void)
{
    struct world w;

    ready(&w);
    w.refuse = true;
    world_hang_up(&w);
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    CHECK(!w.started, "unknown tags are refused at once");
    w.refuse = false;
    world_run(&w, 7000);
    world_set(&w, "AllowOfflineTxForUnknownId", "true");
    w.refuse = true;
    world_hang_up(&w);
    world_tag(&w, 1, "TAG1");
    CHECK(w.started == 1, "or allowed");
    world_run(&w, 61000);
    world_tag(&w, 1, "TAG1");
    world_run(&w, 10000);
    world_plug(&w, 1, false);
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1"); /* S85 */
    CHECK(w.started == 2, "again, though nothing was delivered");
    CHECK(amp_station_queued(w.st) == 4, "%u wait", amp_station_queued(w.st));
    world_mark(&w);
    w.refuse = false;
    world_run(&w, 90000);
    CHECK_TRACE(&w, "S1:Charging Start1 Meter1 Stop:Local Start1 Meter1");
    CHECK(w.tx_count == 2 && w.tx[0].stops == 1 && w.tx[1].stops == 0, "S67: ids are right");
    CHECK(amp_station_queued(w.st) == 0, "all delivered");
    world_close(&w);
}

/* S50, S56: the link goes while Authorize waits */
static void test_link_lost_while_asking(void)
{
    struct world w;

    ready(&w);
    world_set(&w, "AllowOfflineTxForUnknownId", "true");
    w.mute = "Authorize";
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    CHECK(!w.started && !w.car[1].permitted && world_status(&w, 1) == AMP_PREPARING,
          "S50: asks, and nothing flows before the answer");
    w.refuse = true;
    world_hang_up(&w);
    CHECK(w.started == 1, "decides by itself, at once");
    world_close(&w);
}

/* S60: another tag of the same group */
static void test_group(void)
{
    struct world w;

    ready(&w);
    w.parent = "GROUP";
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    w.parent = "OTHERS";
    world_tag(&w, 1, "TAG2");
    CHECK(w.tx[0].stops == 0, "a stranger");
    w.parent = "group";
    world_tag(&w, 1, "TAG3");
    CHECK(w.tx[0].stops == 1 && !strcmp(w.tx[0].stop_tag, "TAG3"), "S81: %s", w.tx[0].stop_tag);
    world_plug(&w, 1, false);
    w.parent = NULL;
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    world_mark(&w);
    world_tag(&w, 1, "TAG2");
    CHECK_TRACE(&w, ""); /* no group: not even asked */
    world_close(&w);
}

/* S61 */
static void test_odd_tags(void)
{
    struct world w;

    ready(&w);
    world_plug(&w, 1, true);
    world_mark(&w);
    world_tag(&w, 1, "");
    world_tag(&w, 1, "123456789012345678901");
    world_tag(&w, 1, "\xff\xfe");
    world_tag(&w, 1, "A\nB");
    CHECK_TRACE(&w, "");
    world_tag(&w, 1, "12345678901234567890");
    CHECK_TRACE(&w, "Auth:12345678901234567890 Start1 S1:Charging");
    world_close(&w);
}

/* S70 */
static void test_refused_start(void)
{
    struct world w;

    ready(&w);
    w.start_status = "Invalid";
    world_plug(&w, 1, true);
    world_mark(&w);
    world_tag(&w, 1, "TAG1");
    CHECK_TRACE(&w, "Auth:TAG1 Start1 S1:Charging Stop:DeAuthorized S1:Finishing");
    CHECK(w.car[1].locked && !w.car[1].permitted, "the cable stays");
    world_tag(&w, 1, "TAG1");
    CHECK(!w.car[1].locked, "until the tag is shown");
    world_close(&w);
}

/* S71 */
static void test_refused_start_goes_on(void)
{
    struct world w;

    ready(&w);
    world_set(&w, "StopTransactionOnInvalidId", "false");
    w.start_status = "Invalid";
    world_plug(&w, 1, true);
    world_mark(&w);
    world_tag(&w, 1, "TAG1");
    CHECK_TRACE(&w, "Auth:TAG1 Start1 S1:Charging S1:SuspendedEVSE");
    CHECK(!w.car[1].permitted && w.tx[0].stops == 0, "no energy, but no stop");
    CHECK(amp_station_ev_ready(w.st, 1, false, w.now) == 0, "nor does the car want any");
    world_settle(&w);
    CHECK(world_status(&w, 1) == AMP_SUSPENDED_EVSE, "S34: both: SuspendedEVSE wins");
    CHECK(amp_station_ev_ready(w.st, 1, true, w.now) == 0, "ready");
    world_tag(&w, 1, "TAG1");
    world_plug(&w, 1, false);
    world_set(&w, "MaxEnergyOnInvalidId", "100");
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    world_run(&w, 40000);
    CHECK(world_status(&w, 1) == AMP_CHARGING, "82 Wh");
    world_run(&w, 20000);
    CHECK(world_status(&w, 1) == AMP_SUSPENDED_EVSE, "more than 100 Wh");
    CHECK(w.car[1].energy_mj < 105u * 3600000, "not much more");
    world_close(&w);
}

/* S39, S46, S105, S107 */
static void test_availability(void)
{
    struct world w;

    ready(&w);
    world_call(&w, "ChangeAvailability", "{\"connectorId\":1,\"type\":\"Inoperative\"}");
    CHECK_TRACE(&w, "ok:ChangeAvailability S1:Unavailable");
    world_tag(&w, 1, "TAG1");
    CHECK(!strstr(w.trace, "Auth"), "not here");
    world_plug(&w, 2, true);
    world_tag(&w, 2, "TAG2");
    world_mark(&w);
    world_call(&w, "ChangeAvailability", "{\"connectorId\":0,\"type\":\"Inoperative\"}");
    CHECK(!strcmp(w.reply, "{\"status\":\"Scheduled\"}"), "%s", w.reply);
    CHECK_TRACE(&w, "ok:ChangeAvailability S0:Unavailable");
    world_tag(&w, 2, "TAG2");
    CHECK_TRACE(&w, "ok:ChangeAvailability S0:Unavailable Stop:Local S2:Unavailable");
    world_plug(&w, 2, false);
    world_power(&w);
    world_mark(&w);
    world_run(&w, 100);
    CHECK_TRACE(&w, "Boot S0:Unavailable S1:Unavailable S2:Unavailable");
    world_mark(&w);
    world_plug(&w, 1, true);
    world_call(&w, "ChangeAvailability", "{\"connectorId\":0,\"type\":\"Operative\"}");
    CHECK_TRACE(&w, "ok:ChangeAvailability S0:Available S1:Preparing S2:Available");
    world_call(&w, "ChangeAvailability", "{\"connectorId\":1,\"type\":\"Inoperative\"}");
    CHECK(!strcmp(w.reply, "{\"status\":\"Scheduled\"}"), "in Preparing: %s", w.reply);
    world_mark(&w);
    world_plug(&w, 1, false);
    CHECK_TRACE(&w, "S1:Unavailable");
    world_call(&w, "ChangeAvailability", "{\"connectorId\":9,\"type\":\"Operative\"}");
    CHECK(!strcmp(w.reply, "{\"status\":\"Rejected\"}"), "%s", w.reply);
    world_call(&w, "ChangeAvailability", "{\"connectorId\":1,\"type\":\"Inoperative\"}");
    CHECK(!strcmp(w.reply, "{\"status\":\"Accepted\"}"), "already there: %s", w.reply);
    world_close(&w);
}

/* S106: what is scheduled while a car charges is so after a power cut, too */
static void test_scheduled_survives(void)
{
    for (int connector = 0; connector <= 1; connector++) {
        char call[80];
        struct world w;

        ready(&w);
        world_plug(&w, 1, true);
        world_tag(&w, 1, "TAG1");
        snprintf(call, sizeof(call), "{\"connectorId\":%d,\"type\":\"Inoperative\"}", connector);
        world_call(&w, "ChangeAvailability", call);
        CHECK(!strcmp(w.reply, "{\"status\":\"Scheduled\"}"), "%s", w.reply);
        w.mem.cut = true;
        world_power(&w);
        world_mark(&w);
        world_run(&w, 1000);
        CHECK(strstr(w.trace, "S1:Unavailable") && !strstr(w.trace, "S1:Available"), "%s", w.trace);
        CHECK(world_status(&w, 1) == AMP_UNAVAILABLE &&
                  (world_status(&w, 2) == AMP_UNAVAILABLE) == (connector == 0),
              "%d", connector);
        world_close(&w);
    }
}

/* S38: a transaction whose end cannot be stored keeps its connector: Available is never said before
 */
static void test_stale_transaction(void)
{
    struct world w;

    ready(&w);
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    world_mark(&w);
    mem_arm(&w.mem, 1, MEM_BROKEN, 0); /* nothing can be stored */
    world_plug(&w, 1, false);
    for (int i = 0; i < 5; i++) {
        world_run(&w, 1000);
        CHECK(!strstr(w.trace, "Available") && world_status(&w, 1) != AMP_AVAILABLE, "%s", w.trace);
        CHECK(w.st->con[1].tx.open && !w.car[1].permitted, "ended, but not over");
        world_tag(&w, 1, "TAG2");
        CHECK(w.started == 1, "nobody else begins");
    }
    mem_arm(&w.mem, 0, MEM_FINE, 0);
    world_run(&w, 5000);
    CHECK(w.tx[0].stops == 1 && world_status(&w, 1) == AMP_AVAILABLE, "over: %s", w.trace);
    world_close(&w);
}

/* S65 */
static void test_register_never_steps_back(void)
{
    struct world w;

    ready(&w);
    w.car[1].energy_mj = 50u * 3600000;
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    w.car[1].energy_mj = 0;
    world_tag(&w, 1, "TAG1");
    CHECK(w.tx[0].start_wh == 1000050 && w.tx[0].stop_wh == 1000050, "held");
    world_close(&w);
}

int main(void)
{
    RUN(test_plug_then_tag);
    RUN(test_tag_then_plug);
    RUN(test_refused_tag);
    RUN(test_connection_timeout);
    RUN(test_suspended);
    RUN(test_unplugged_at_the_car);
    RUN(test_faults);
    RUN(test_disobedient_hardware);
    RUN(test_minimum_duration);
    RUN(test_status_timestamps);
    RUN(test_status_after_a_spell_off_line);
    RUN(test_off_line);
    RUN(test_link_lost_while_asking);
    RUN(test_group);
    RUN(test_odd_tags);
    RUN(test_refused_start);
    RUN(test_refused_start_goes_on);
    RUN(test_availability);
    RUN(test_scheduled_survives);
    RUN(test_stale_transaction);
    RUN(test_register_never_steps_back);
    return check_end();
}
