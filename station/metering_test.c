/* station/metering_test.c - readings. Numbers: station-1.6. */
#include "station/world_test.h"

static void charging(struct world *w, const char *const *settings)
{
    world_defaults(w);
    w->config.settings = settings;
    CHECK(world_boot(w) == 0, "start");
    world_run(w, 10);
    world_plug(w, 1, true);
    world_tag(w, 1, "TAG1");
    world_mark(w);
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;

    for (const char *p = text; (p = strstr(p, what)) != NULL; p += strlen(what))
        n++;
    return n;
}

/* S86, S89, S91, S95: energy, power, current, voltage, temperature and state of charge every 5 s */
static void test_periodic(void)
{
    static const struct {
        const char *text;
        unsigned times;
        /* clang-format off */
    } facts[] = {
        { "\"connectorId\":1",                               1 },
        { "\"transactionId\":1001",                          1 },
        { "\"timestamp\":\"2025-06-15T15:06:56.010Z\"",      1 },
        { "\"context\":\"Sample.Periodic\"",                 10 },
        { "\"measurand\":\"Energy.Active.Import.Register\"", 1 },
        { "\"value\":\"1000030\"",                           1 },
        { "\"unit\":\"Wh\"",                                 1 },
        { "\"measurand\":\"Power.Active.Import\"",           1 },
        { "\"value\":\"7400\"",                              1 },
        { "\"unit\":\"W\"",                                  1 },
        { "\"measurand\":\"Current.Import\"",                3 },
        { "\"value\":\"16\"",                                1 },
        { "\"value\":\"16.001\"",                            1 },
        { "\"value\":\"16.002\"",                            1 },
        { "\"unit\":\"A\"",                                  3 },
        { "\"phase\":\"L3\"",                                1 },
        { "\"measurand\":\"Voltage\"",                       3 },
        { "\"value\":\"230.1\"",                             3 },
        { "\"unit\":\"V\"",                                  3 },
        { "\"phase\":\"L2-N\"",                              1 },
        { "\"measurand\":\"Temperature\"",                   1 },
        { "\"value\":\"25.4\"",                              1 },
        { "\"unit\":\"Celsius\"",                            1 },
        { "\"measurand\":\"SoC\"",                           1 },
        { "\"value\":\"20.5\"",                              1 },
        { "\"unit\":\"Percent\"",                            1 },
        { "\"location\":\"EV\"",                             1 },
    };
    /* clang-format on */
    struct world w;

    charging(&w,
             (const char *const[]){ "MeterValueSampleInterval=5",
                                    "MeterValuesSampledData=Energy.Active.Import.Register,"
                                    "Power.Active.Import,Current.Import,Voltage,Temperature,SoC",
                                    NULL });
    world_run(&w, 16000);
    CHECK_TRACE(&w, "Meter1 Meter1 Meter1");
    for (unsigned i = 0; i < AMP_COUNT(facts); i++)
        CHECK(count(w.last, facts[i].text) == facts[i].times, "%s: %s", facts[i].text, w.last);
    world_close(&w);
}

/* S86: 0 is none. S96: a change counts at once, in the middle of a transaction */
static void test_live_changes(void)
{
    struct world w;

    charging(&w, (const char *const[]){ "MeterValueSampleInterval=0", NULL });
    world_run(&w, 100000);
    CHECK_TRACE(&w, "");
    world_set(&w, "MeterValueSampleInterval", "10");
    world_mark(&w);
    world_run(&w, 21000);
    CHECK_TRACE(&w, "Meter1 Meter1");
    world_set(&w, "MeterValuesSampledData", "Voltage.L2");
    world_mark(&w);
    world_run(&w, 10000);
    CHECK(count(w.last, "\"value\"") == 1 && strstr(w.last, "\"phase\":\"L2-N\""), "S91: %s",
          w.last);
    world_set(&w, "MeterValuesSampledData", "");
    world_mark(&w);
    world_run(&w, 30000);
    CHECK_TRACE(&w, "");
    world_close(&w);
}

/* S87, S88, S89, S90 */
static void test_aligned(void)
{
    struct world w;

    charging(&w, (const char *const[]){ "MeterValueSampleInterval=0",
                                        "ClockAlignedDataInterval=900", NULL });
    /* now is 15:06:41 */
    world_run(&w, 490000);
    CHECK_TRACE(&w, "Heart");
    world_mark(&w);
    world_run(&w, 10000);
    CHECK(strstr(w.trace, "Meter0 Meter2") && strstr(w.trace, "Meter1"), "all of them: %s",
          w.trace);
    CHECK(strstr(w.last, "\"context\":\"Sample.Clock\"") && strstr(w.last, "T15:15:00Z"), "%s",
          w.last);
    CHECK(strstr(w.last, "\"connectorId\":2") && !strstr(w.last, "transactionId"), "S90: %s",
          w.last);
    CHECK(w.tx[0].meters == 1, "S87: with its transaction");
    world_close(&w);

    world_defaults(&w); /* nobody ever told the time */
    w.refuse = true;
    w.config.charge_before_accepted = true;
    w.config.settings =
        (const char *const[]){ "ClockAlignedDataInterval=60", "AllowOfflineTxForUnknownId=true",
                               "MeterValueSampleInterval=0", NULL };
    CHECK(world_boot(&w) == 0, "start");
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    world_run(&w, 200000);
    CHECK(w.started == 1 && amp_station_queued(w.st) == 1, "S88: only the start, %u",
          amp_station_queued(w.st));
    world_close(&w);
}

/* S97 */
static void test_interval_values(void)
{
    struct world w;

    charging(&w,
             (const char *const[]){ "MeterValueSampleInterval=60",
                                    "MeterValuesSampledData=Energy.Active.Import.Interval", NULL });
    world_run(&w, 61000);
    CHECK(strstr(w.last, "\"value\":\"123\"") != NULL, "%s", w.last);
    world_run(&w, 60000);
    CHECK(strstr(w.last, "\"value\":\"123\"") != NULL, "not the sum: %s", w.last);
    world_close(&w);
}

/* S92 */
static void test_transaction_data(void)
{
    struct world w;

    charging(&w, (const char *const[]){ "MeterValueSampleInterval=60", "StopTxnSampledData=SoC",
                                        NULL });
    world_run(&w, 121000);
    world_tag(&w, 1, "TAG1");
    w.mute = "StatusNotification"; /* so that the stop is what was last heard */
    world_hang_up(&w);
    CHECK(w.tx[0].stops == 1, "stopped");
    world_close(&w);

    charging(&w,
             (const char *const[]){ "MeterValueSampleInterval=60",
                                    "StopTxnSampledData=SoC,Energy.Active.Import.Register", NULL });
    world_run(&w, 121000);
    w.error = "StopTransaction";
    world_tag(&w, 1, "TAG1");
    world_run(&w, 59900);
    w.error = NULL;
    w.mute = "StopTransaction";
    world_run(&w, 1000);
    CHECK(count(w.last, "\"timestamp\"") == 5 && count(w.last, "Transaction.Begin") == 2 &&
              count(w.last, "Sample.Periodic") == 4 && count(w.last, "Transaction.End") == 2,
          "%s", w.last);
    CHECK(strstr(w.last, "\"value\":\"1000246\",\"context\":\"Sample.Periodic\"") != NULL, "%s",
          w.last);
    w.mute = NULL;
    world_run(&w, 200000);
    CHECK(w.tx[0].stops == 1, "delivered");

    world_set(&w, "StopTxnSampledData", "");
    world_tag(&w, 1, "TAG1");
    world_run(&w, 61000);
    w.mute = "StopTransaction";
    world_tag(&w, 1, "TAG1");
    CHECK(!strstr(w.last, "transactionData"), "both lists empty: %s", w.last);
    world_close(&w);
}

/* S92: clock-aligned readings for the stop, alone and beside the sampled ones */
static void test_aligned_transaction_data(void)
{
    static const struct {
        const char *sampled, *aligned;
        unsigned begin, end, periodic, clock;
        /* clang-format off */
    } cases[] = {
        { "",    "SoC", 0, 0, 0, 3 },
        { "SoC", "SoC", 1, 1, 2, 3 },
        { "SoC", "",    1, 1, 2, 0 },
        { "",    "",    0, 0, 0, 0 },
    };
    /* clang-format on */

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        char sampled[40], aligned[40];
        struct world w;

        snprintf(sampled, sizeof(sampled), "StopTxnSampledData=%s", cases[i].sampled);
        snprintf(aligned, sizeof(aligned), "StopTxnAlignedData=%s", cases[i].aligned);
        charging(&w,
                 (const char *const[]){ "MeterValueSampleInterval=60",
                                        "MeterValuesSampledData=", "ClockAlignedDataInterval=60",
                                        "MeterValuesAlignedData=", sampled, aligned, NULL });
        world_run(&w, 140000); /* from 15:06:41: three full minutes, two samples */
        w.mute = "StopTransaction";
        world_tag(&w, 1, "TAG1");
        CHECK(count(w.last, "Transaction.Begin") == cases[i].begin &&
                  count(w.last, "Transaction.End") == cases[i].end &&
                  count(w.last, "Sample.Periodic") == cases[i].periodic &&
                  count(w.last, "Sample.Clock") == cases[i].clock,
              "case %u: %s", i, w.last);
        CHECK((strstr(w.last, "transactionData") != NULL) == (cases[i].begin + cases[i].clock > 0),
              "case %u: absent when empty: %s", i, w.last);
        w.mute = NULL;
        world_run(&w, 100000);
        CHECK(w.tx[0].stops == 1, "delivered");
        world_close(&w);
    }
}

/* S93, and the frame's own limit: the middle is thinned, begin and end stay */
static void test_thinned_transaction_data(void)
{
    static const char *const lists[] = { "SoC", "SoC,Voltage,Current.Import,Power.Active.Import,"
                                                "Energy.Active.Import.Register,Temperature" };

    for (unsigned i = 0; i < AMP_COUNT(lists); i++) {
        struct world w;
        char list[200];

        snprintf(list, sizeof(list), "StopTxnSampledData=%s", lists[i]);
        charging(&w, (const char *const[]){ "MeterValueSampleInterval=10", list, NULL });
        world_run(&w, 601000);
        w.mute = "StopTransaction";
        world_tag(&w, 1, "TAG1");
        CHECK(strstr(w.last, "Transaction.Begin") && strstr(w.last, "Transaction.End"), "%s",
              w.last);
        CHECK(strlen(w.last) < AMP_TX_MAX, "fits");
        if (i == 0)
            CHECK(count(w.last, "\"timestamp\"") == 1 + AMP_STOP_SAMPLES_MAX, "%u",
                  count(w.last, "\"timestamp\""));
        else
            CHECK(count(w.last, "\"timestamp\"") >= 4, "%u", count(w.last, "\"timestamp\""));
        w.mute = NULL;
        world_run(&w, 100000);
        CHECK(w.tx[0].stops == 1 && !w.bad_frames, "delivered");
        world_close(&w);
    }
}

/* All that there is, one by one; MeterValuesSampledDataMaxLength is one more. */
#define LONGEST                                                                                \
    "Energy.Active.Import.Register,Energy.Active.Import.Interval,Power.Active.Import,"         \
    "Current.Import,Current.Import.L1,Current.Import.L2,Current.Import.L3,Voltage,Voltage.L1," \
    "Voltage.L2,Voltage.L3,Current.Offered,Frequency,Temperature,SoC"

/* S91, S94 */
static void test_lists(void)
{
    static const struct {
        const char *in, *out; /* NULL: refused */
        /* clang-format off */
    } cases[] = {
        { "Energy.Active.Import.Register", "Energy.Active.Import.Register" },
        { " SoC , Voltage ",               "SoC,Voltage" },
        { "soc,VOLTAGE.l3",                "SoC,Voltage.L3" },
        { "",                              "" },
        { "  ",                            "" },
        { "Voltage.L1,Voltage.L2",         "Voltage.L1,Voltage.L2" },
        { "Voltage,RPM",                   NULL },
        { "Voltage,",                      NULL },
        { ",Voltage",                      NULL },
        { "Voltage,Voltage",               NULL },
        { "Voltage.L4",                    NULL },
        { "SoC.L1",                        NULL },
        { "Voltage SoC",                   NULL },
        { LONGEST,                         LONGEST },
        { LONGEST ",Frequency,SoC.L1",     NULL },
    };
    /* clang-format on */

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct amp_measurands m = { 1, { AMP_M_SOC } };
        char text[300];
        struct amp_buf b;
        int rc = amp_measurands_parse(amp_text_of(cases[i].in), &m);

        amp_buf_init(&b, text, sizeof(text));
        amp_measurands_write(&b, &m);
        CHECK((rc == 0) == (cases[i].out != NULL), "'%s': %d", cases[i].in, rc);
        CHECK(amp_text_is(amp_buf_text(&b), cases[i].out ? cases[i].out : "SoC"), "'%s'",
              cases[i].in);
    }
}

/* What a meter does not have is left out; nothing at all is no message. */
static void test_missing_values(void)
{
    struct world w;

    charging(&w, (const char *const[]){ "MeterValueSampleInterval=10",
                                        "MeterValuesSampledData=Frequency,SoC", NULL });
    world_run(&w, 11000);
    CHECK(count(w.last, "\"value\"") == 1, "%s", w.last);
    world_set(&w, "MeterValuesSampledData", "Frequency");
    world_mark(&w);
    world_run(&w, 30000);
    CHECK_TRACE(&w, "");
    w.car[1].meter_fails = true;
    world_set(&w, "MeterValuesSampledData", "SoC");
    world_mark(&w);
    world_run(&w, 30000);
    CHECK_TRACE(&w, "S1:Charging"); /* with PowerMeterFailure, once */
    world_close(&w);
}

int main(void)
{
    RUN(test_periodic);
    RUN(test_live_changes);
    RUN(test_aligned);
    RUN(test_interval_values);
    RUN(test_transaction_data);
    RUN(test_aligned_transaction_data);
    RUN(test_thinned_transaction_data);
    RUN(test_lists);
    RUN(test_missing_values);
    return check_end();
}
