/* fleet/solo_test.c - the demo, played by the real core against a small central system, on a clock
 * that is turned. */
#include "fleet/csms/csms.h"
#include "fleet/csms/turn.h"
#include "fleet/solo.h"
#include "messages/ocpp16.h"
#include "ocpp/check.h"

#include <stdlib.h>
#include <unistd.h>

static struct posix_loop loop;
static struct csms *csms;
static struct solo *solo;
static FILE *out;
static char url[64], text[262144];
static struct amp_station_config config;
static const struct vehicle_kind *vehicle; /* instead of the story's; NULL */
static uint32_t faults_s;
static const char *const settings[] = {
    "MeterValueSampleInterval=5",
    "MeterValuesSampledData=Energy.Active.Import.Register,Power.Active.Import,Current.Import,"
    "Voltage,Temperature,SoC",
    NULL,
};

static void begin_at(const struct scenario *story, bool exit_when_done, const char *data,
                     const char *ledger)
{
    uint16_t port = 0;

    CHECK(posix_loop_open(&loop, 0, false) == 0, "loop");
    CHECK(csms_open(&loop, &port, &csms) == 0, "csms");
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/ocpp", port);
    config = (struct amp_station_config){
        .url = amp_text_of(url),
        .identity = AMP_TEXT("CP001"),
        .vendor = AMP_TEXT("Amperstand"),
        .model = AMP_TEXT("Demo"),
        .connectors = 2,
        .max_current_ma = { 0, 95652, 32174 },
        .phases = { 0, 1, 1 },
        .settings = settings,
    };
    out = tmpfile();
    CHECK(solo_open(&loop,
                    &(struct solo_options){ .config = &config,
                                            .scenario = story,
                                            .exit_when_done = exit_when_done,
                                            .data_dir = data,
                                            .ledger_path = ledger,
                                            .vehicle = vehicle,
                                            .faults_s = faults_s,
                                            .seed = 1,
                                            .log_level = AMP_LOG_ERROR,
                                            .out = out },
                    &solo) == 0,
          "solo");
}

static void end(void)
{
    solo_close(solo);
    csms_close(csms);
    posix_loop_close(&loop);
    fclose(out);
}

/* What was printed so far. */
static const char *printed(void)
{
    size_t n;

    fflush(out);
    rewind(out);
    n = fread(text, 1, sizeof text - 1, out);
    text[n] = 0;
    return text;
}

static void check_session(const struct csms_transaction *t, const char *tag, int connector,
                          int64_t wh, int64_t charged_s)
{
    static const unsigned six = 1u << OCPP16_MEASURAND_ENERGY_ACTIVE_IMPORT_REGISTER |
                                1u << OCPP16_MEASURAND_POWER_ACTIVE_IMPORT |
                                1u << OCPP16_MEASURAND_CURRENT_IMPORT |
                                1u << OCPP16_MEASURAND_VOLTAGE |
                                1u << OCPP16_MEASURAND_TEMPERATURE | 1u << OCPP16_MEASURAND_SOC;
    int64_t ms = t->stopped_at - t->started_at;

    CHECK(t->starts == 1 && t->stops == 1, "connector %d: %u starts, %u stops", connector,
          t->starts, t->stops);
    CHECK(!strcmp(t->tag, tag) && t->connector == connector, "%s at %d", t->tag, (int)t->connector);
    CHECK(t->meter_stop - t->meter_start == wh, "connector %d: %d Wh", connector,
          (int)(t->meter_stop - t->meter_start));
    CHECK(ms >= (charged_s + 1) * 1000 && ms <= (charged_s + 2) * 1000, "connector %d: %d ms",
          connector, (int)ms);
    CHECK(t->meters >= 12 && t->meters <= 14, "connector %d: %u MeterValues", connector, t->meters);
    CHECK((t->measurands & six) == six, "connector %d: measurands %x", connector, t->measurands);
    CHECK(!t->falls, "connector %d: the register fell", connector);
    CHECK(!strcmp(t->reason, "Local") || !t->reason[0], "connector %d: reason %s", connector,
          t->reason);
}

static void test_demo(void)
{
    struct solo_result r;
    const struct csms_seen *seen;
    const char *p;

    begin_at(&scenario_demo, true, NULL, NULL);
    seen = csms_seen(csms);
    CHECK(turn(&loop, 9000), "rests");
    CHECK(seen->boots == 1 && seen->count == 0, "T+9: %u boots, %u transactions", seen->boots,
          seen->count);
    CHECK(turn(&loop, 2500), "rests");
    CHECK(seen->count == 2, "T+11.5: %u transactions", seen->count);
    CHECK(turn(&loop, 100000) && loop.stop, "ends by itself");
    solo_result(solo, &r);
    CHECK(r.done && r.ever_up && r.sessions == 2 && r.bound == 2 && r.queued == 0,
          "%u sessions, %u bound, %u queued", r.sessions, r.bound, r.queued);
    CHECK(seen->count == 2 && seen->unknown == 0, "%u transactions, %u unknown messages",
          seen->count, seen->unknown);
    check_session(&seen->transactions[0], "DemoTag01", 1, 1320, 60);
    check_session(&seen->transactions[1], "DemoTag02", 2, 444, 62);
    p = printed();
    CHECK(strstr(p, "T+ 10 s  authorised  connector 1: DemoTag01"), "%s", p);
    CHECK(strstr(p, "T+ 15 s  connector 1 Charging"), "status lines");
    CHECK(strstr(p, "connector 1 session over: 1320 Wh in 61 s, battery 95 %") ||
              strstr(p, "connector 1 session over: 1320 Wh in 60 s, battery 95 %"),
          "summary");
    CHECK(strstr(p, "connector 2 session over: 444 Wh in 62 s, battery 95 %"), "summary");
    CHECK(strstr(p, "T+ 75 s  complete    2 of 2 sessions"), "complete");
    CHECK(!strchr(p, '\033'), "no escapes in a file");
    if (check_bad)
        fputs(p, stderr);
    end();
}

/* After the story: start, stop and unlock from afar. */
static void test_remote(void)
{
    const struct csms_seen *seen;

    begin_at(&scenario_demo, false, NULL, NULL);
    seen = csms_seen(csms);
    CHECK(turn(&loop, 80000) && !loop.stop, "stays");
    CHECK(seen->count == 2, "%u transactions", seen->count);

    CHECK(csms_call(csms, "CP001", "RemoteStartTransaction",
                    "{\"connectorId\":1,\"idTag\":\"Remote1\"}") == 0,
          "call");
    CHECK(turn(&loop, 500), "rests");
    CHECK(strstr(seen->last_answer, "Accepted"), "%s", seen->last_answer);
    CHECK(turn(&loop, 20000), "rests");
    CHECK(seen->count == 3 && seen->transactions[2].stops == 0, "a car came and charges: %u",
          seen->count);
    CHECK(!strcmp(seen->transactions[2].tag, "Remote1"), "%s", seen->transactions[2].tag);
    CHECK(csms_call(csms, "CP001", "RemoteStopTransaction", "{\"transactionId\":3}") == 0, "call");
    CHECK(turn(&loop, 3000), "rests");
    CHECK(seen->transactions[2].stops == 1 && !strcmp(seen->transactions[2].reason, "Remote"), "%s",
          seen->transactions[2].reason);
    CHECK(seen->transactions[2].meter_stop > seen->transactions[2].meter_start + 300, "energy");

    CHECK(csms_call(csms, "CP001", "RemoteStartTransaction",
                    "{\"connectorId\":2,\"idTag\":\"Remote2\"}") == 0,
          "call");
    CHECK(turn(&loop, 10000), "rests");
    CHECK(seen->count == 4, "%u transactions", seen->count);
    CHECK(csms_call(csms, "CP001", "UnlockConnector", "{\"connectorId\":2}") == 0, "call");
    CHECK(turn(&loop, 3000), "rests");
    CHECK(strstr(seen->last_answer, "Unlocked"), "%s", seen->last_answer);
    CHECK(seen->transactions[3].stops == 1 &&
              !strcmp(seen->transactions[3].reason, "UnlockCommand"),
          "%s", seen->transactions[3].reason);

    CHECK(csms_call(csms, "CP001", "RemoteStartTransaction",
                    "{\"connectorId\":1,\"idTag\":\"Remote3\"}") == 0,
          "call");
    CHECK(turn(&loop, 80000), "rests");
    CHECK(seen->count == 5 && seen->transactions[4].stops == 1, "a full car ends it by itself");
    CHECK(seen->transactions[4].meter_stop - seen->transactions[4].meter_start == 1320, "%d Wh",
          (int)(seen->transactions[4].meter_stop - seen->transactions[4].meter_start));
    if (check_bad)
        fputs(printed(), stderr);
    end();
}

static void test_refused(void)
{
    struct solo_result r;

    begin_at(&scenario_demo, true, NULL, NULL);
    csms_refuse(csms, "DemoTag02");
    CHECK(turn(&loop, 150000) && loop.stop, "ends");
    solo_result(solo, &r);
    CHECK(r.done && r.sessions == 1 && r.expected == 2, "%u of %u", r.sessions, r.expected);
    CHECK(csms_seen(csms)->count == 1, "%u transactions", csms_seen(csms)->count);
    CHECK(strstr(printed(), "refused"), "is told");
    end();
}

/* The central system loses every connection in the middle of both sessions: nothing is lost,
 * nothing comes twice. */
static void test_dropped(void)
{
    struct solo_result r;
    const struct csms_seen *seen;

    begin_at(&scenario_demo, true, NULL, NULL);
    seen = csms_seen(csms);
    CHECK(turn(&loop, 30000), "rests");
    csms_drop(csms);
    CHECK(turn(&loop, 100000) && loop.stop, "ends");
    solo_result(solo, &r);
    CHECK(r.sessions == 2 && r.queued == 0 && seen->connections == 2, "%u sessions, %u connections",
          r.sessions, seen->connections);
    CHECK(seen->boots == 1, "no boot after a lost connection: %u", seen->boots);
    check_session(&seen->transactions[0], "DemoTag01", 1, 1320, 60);
    check_session(&seen->transactions[1], "DemoTag02", 2, 444, 62);
    end();
}

/* Reset in the middle: both sessions end, the station comes back and says so. */
static void test_reset(void)
{
    const struct csms_seen *seen;

    begin_at(&scenario_demo, false, NULL, NULL);
    seen = csms_seen(csms);
    CHECK(turn(&loop, 30000), "rests");
    CHECK(csms_call(csms, "CP001", "Reset", "{\"type\":\"Hard\"}") == 0, "call");
    CHECK(turn(&loop, 30000), "rests");
    CHECK(strstr(seen->last_answer, "Accepted"), "%s", seen->last_answer);
    CHECK(seen->boots == 2, "%u boots", seen->boots);
    for (int i = 0; i < 2; i++)
        CHECK(seen->transactions[i].stops == 1 &&
                  !strcmp(seen->transactions[i].reason, "HardReset"),
              "%d: %u, %s", i, seen->transactions[i].stops, seen->transactions[i].reason);
    if (check_bad)
        fputs(printed(), stderr);
    end();
}

/* The power fails in the middle of a session, and comes back half a minute later. */
static void test_power_cut(void)
{
    char dir[] = "/tmp/solo_test.XXXXXX", path[64];
    const struct csms_seen *seen;
    uint16_t port;
    unsigned n;

    CHECK(mkdtemp(dir), "folder");
    begin_at(&scenario_demo, false, dir, NULL);
    seen = csms_seen(csms);
    CHECK(turn(&loop, 30000) && seen->count == 2, "%u transactions", seen->count);
    solo_close(solo);
    CHECK(turn(&loop, 30000), "rests");
    n = (unsigned)sscanf(url, "ws://127.0.0.1:%hu/", &port);
    CHECK(n == 1, "%s", url);
    CHECK(solo_open(&loop,
                    &(struct solo_options){ .config = &config,
                                            .data_dir = dir,
                                            .seed = 2,
                                            .log_level = AMP_LOG_ERROR,
                                            .out = out },
                    &solo) == 0,
          "again");
    CHECK(turn(&loop, 30000), "rests");
    CHECK(seen->boots == 2 && seen->count == 2, "%u boots, %u transactions", seen->boots,
          seen->count);
    for (int i = 0; i < 2; i++) {
        const struct csms_transaction *t = &seen->transactions[i];

        CHECK(t->starts == 1 && t->stops == 1 && !strcmp(t->reason, "PowerLoss"),
              "%d: %u stops, %s", i, t->stops, t->reason);
        CHECK(!t->falls && t->meter_stop > t->meter_start, "%d: %d to %d", i, (int)t->meter_start,
              (int)t->meter_stop);
    }
    if (check_bad)
        fputs(printed(), stderr);
    end();
    snprintf(path, sizeof path, "%s/CP001.flash", dir);
    CHECK(unlink(path) == 0, "journal");
    snprintf(path, sizeof path, "%s/CP001.meter", dir);
    CHECK(unlink(path) == 0, "meter");
    snprintf(path, sizeof path, "%s/CP001.log", dir);
    CHECK(unlink(path) == 0, "log");
    CHECK(rmdir(dir) == 0, "nothing else");
}

/* Nobody there: it gives up and says so. */
static void test_alone(void)
{
    struct solo_result r;

    begin_at(&scenario_demo, true, NULL, NULL);
    csms_close(csms);
    CHECK(turn(&loop, 400000) && loop.stop, "ends");
    solo_result(solo, &r);
    CHECK(!r.ever_up && r.sessions == 0, "%u sessions", r.sessions);
    solo_close(solo);
    posix_loop_close(&loop);
    fclose(out);
}

/* A car by physics, in real time: 10 kWh from 30 % to full, and it leaves by itself. */
static void test_physics(void)
{
    /* clang-format off */
    static const struct scenario_step steps[] = {
        { 0,     SCENARIO_CLOCK,  0, "" },
        { 0,     SCENARIO_START,  0, "" },
        { 5000,  SCENARIO_ARRIVE, 1, "demo-fast" },
        { 10000, SCENARIO_TAG,    1, "Physics1" },
        { 20000, SCENARIO_DONE,   0, "" },
    };
    /* clang-format on */
    static const struct scenario story = { steps, AMP_COUNT(steps) };
    const struct csms_transaction *t;
    const char *p;

    vehicle = vehicle_find("hybrid");
    begin_at(&story, false, NULL, NULL);
    t = &csms_seen(csms)->transactions[0];
    CHECK(turn(&loop, 600000), "rests");
    CHECK(csms_seen(csms)->count == 1 && !t->stops, "it is not stopped after a minute");
    CHECK(turn(&loop, 7200000), "rests");
    p = printed();
    CHECK(t->stops == 1 && t->meter_stop - t->meter_start > 8000 &&
              t->meter_stop - t->meter_start < 9000,
          "%d Wh", (int)(t->meter_stop - t->meter_start));
    CHECK(strstr(p, "battery 100 %") || strstr(p, "battery 99 %"), "full");
    CHECK(!t->falls && t->stopped_at - t->started_at > 4000000, "in real time: %d s",
          (int)((t->stopped_at - t->started_at) / 1000));
    vehicle = NULL;
    end();
}

/* With faults by seed, the station says so, recovers, and no transaction is lost or left open. */
static void test_faults(void)
{
    const struct csms_seen *seen;
    const char *p;

    faults_s = 30;
    begin_at(&scenario_demo, false, NULL, NULL);
    seen = csms_seen(csms);
    CHECK(turn(&loop, 600000), "rests");
    p = printed();
    CHECK(strstr(p, "breaks") && strstr(p, "repaired") && strstr(p, "Faulted"), "things break");
    CHECK(seen->count >= 1 && seen->unknown == 0, "%u transactions", seen->count);
    for (unsigned i = 0; i < seen->count; i++)
        CHECK(seen->transactions[i].starts == 1 && seen->transactions[i].stops == 1 &&
                  !seen->transactions[i].falls,
              "transaction %u: %u starts, %u stops", i + 1, seen->transactions[i].starts,
              seen->transactions[i].stops);
    faults_s = 0;
    if (check_bad)
        fputs(p, stderr);
    end();
}

int main(void)
{
    RUN(test_demo);
    RUN(test_remote);
    RUN(test_refused);
    RUN(test_dropped);
    RUN(test_reset);
    RUN(test_power_cut);
    RUN(test_alone);
    RUN(test_physics);
    RUN(test_faults);
    return check_end();
}
