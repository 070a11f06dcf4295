/* station/queue_test.c - transaction messages: order, retries, what is given up. Numbers:
 * station-1.6. */
#include "station/world_test.h"

static void charging(struct world *w)
{
    world_open(w);
    world_run(w, 10);
    world_plug(w, 1, true);
    world_tag(w, 1, "TAG1");
    CHECK(world_status(w, 1) == AMP_CHARGING, "charging");
    world_mark(w);
}

/* S75, S73: errors are retried after RetryInterval × sends so far, then given up; others may
 * overtake, transactions may not */
static void test_retries(void)
{
    struct world w;

    charging(&w);
    world_set(&w, "TransactionMessageRetryInterval", "20");
    world_set(&w, "HeartbeatInterval", "1000");
    world_mark(&w);
    w.error = "StopTransaction";
    world_tag(&w, 1, "TAG1");
    CHECK_TRACE(&w, "!StopTransaction S1:Finishing");
    world_plug(&w, 2, true);
    world_tag(&w, 2, "TAG2");
    CHECK_TRACE(&w, "!StopTransaction S1:Finishing S2:Preparing Auth:TAG2 S2:Charging");
    world_mark(&w);
    world_run(&w, 19000);
    CHECK_TRACE(&w, "");
    world_run(&w, 2000);
    CHECK_TRACE(&w, "!StopTransaction");
    world_run(&w, 38000);
    CHECK_TRACE(&w, "!StopTransaction");
    world_run(&w, 2500);
    CHECK_TRACE(&w, "!StopTransaction !StopTransaction Start2 Meter2");
    CHECK(w.tx[0].stops == 0 && amp_station_queued(w.st) == 0, "given up, and on it goes");
    world_close(&w);
}

/* S75: a timeout counts like an error. S76: a lost connection does not */
static void test_lost_connection_is_no_attempt(void)
{
    struct world w;

    charging(&w);
    world_set(&w, "TransactionMessageAttempts", "2");
    world_set(&w, "MessageTimeout", "10");
    w.mute = "StopTransaction";
    world_tag(&w, 1, "TAG1");
    for (int i = 0; i < 5; i++) {
        world_run(&w, 5000);
        world_hang_up(&w);
        world_run(&w, 6000);
    }
    CHECK(amp_station_queued(w.st) == 1, "still there after five lost connections");
    w.mute = NULL;
    world_hang_up(&w);
    world_run(&w, 40000);
    CHECK(w.tx[0].stops == 1, "delivered");
    w.mute = "StartTransaction";
    world_tag(&w, 1, "TAG1");
    world_run(&w, 100000);
    w.mute = NULL;
    CHECK(w.tx_count == 1, "two timeouts were enough");
    world_close(&w);
}

/* S68 */
static void test_start_never_got_through(void)
{
    struct world w;

    world_open(&w);
    world_run(&w, 10);
    world_set(&w, "TransactionMessageRetryInterval", "5");
    w.error = "StartTransaction";
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    world_run(&w, 20000);
    w.error = NULL;
    world_run(&w, 60000);
    CHECK(strstr(w.trace, "Meter1") != NULL, "%s", w.trace);
    CHECK(world_status(&w, 1) == AMP_CHARGING, "charging goes on");
    CHECK(!strcmp(world_call(&w, "RemoteStopTransaction", "{\"transactionId\":-1}"),
                  "{\"status\":\"Accepted\"}"),
          "%s", w.reply);
    CHECK(w.tx_count == 1 && w.tx[0].unknown && w.tx[0].stops == 1, "stopped as -1");
    world_close(&w);
}

/* S66: 0 and negative ids are ids */
static void test_odd_ids(void)
{
    static const int64_t ids[] = { 0, -7, 2147483647 };

    for (unsigned i = 0; i < AMP_COUNT(ids); i++) {
        struct world w;
        char stop[64];

        world_open(&w);
        w.next_id = ids[i];
        world_run(&w, 10);
        world_plug(&w, 1, true);
        world_tag(&w, 1, "TAG1");
        world_run(&w, 61000);
        CHECK(w.tx[0].meters == 1, "meter values of %lld", (long long)ids[i]);
        snprintf(stop, sizeof(stop), "{\"transactionId\":%lld}", (long long)ids[i]);
        CHECK(!strcmp(world_call(&w, "RemoteStopTransaction", stop), "{\"status\":\"Accepted\"}"),
              "%s", w.reply);
        CHECK(w.tx[0].stops == 1, "stopped");
        world_close(&w);
    }
}

/* S69, S77: the answer to a start is lost; the retry binds to the same transaction */
static void test_lost_answer_to_start(void)
{
    struct world w;

    world_open(&w);
    world_run(&w, 10);
    w.answer_to = "StartTransaction";
    w.answer = "{\"transactionId\":\"what\"}";
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    CHECK(w.tx_count == 1, "it was heard");
    w.answer_to = NULL;
    world_run(&w, 130000);
    CHECK(w.tx_count == 1 && w.tx[0].starts == 2 && w.tx[0].meters >= 1,
          "%u starts, %u meter values", w.tx[0].starts, w.tx[0].meters);
    world_tag(&w, 1, "TAG1");
    CHECK(w.tx[0].stops == 1, "stopped");
    world_close(&w);
}

/* S73: two connectors off line, in the order of time */
static void test_order(void)
{
    struct world w;

    world_open(&w);
    world_run(&w, 10);
    world_set(&w, "AllowOfflineTxForUnknownId", "true");
    world_set(&w, "MeterValueSampleInterval", "0");
    w.refuse = true;
    world_hang_up(&w);
    world_plug(&w, 1, true);
    world_plug(&w, 2, true);
    world_tag(&w, 1, "A");
    world_run(&w, 1000);
    world_tag(&w, 2, "B");
    world_run(&w, 1000);
    world_tag(&w, 1, "A");
    world_run(&w, 1000);
    world_tag(&w, 1, "C");
    world_run(&w, 1000);
    world_tag(&w, 2, "B");
    w.refuse = false;
    world_mark(&w);
    world_run(&w, 40000);
    CHECK(strstr(w.trace, "Start1 Start2 Stop:Local Start1 Stop:Local") != NULL, "%s", w.trace);
    CHECK(w.tx_count == 3 && !strcmp(w.tx[0].stop_tag, "A") && !strcmp(w.tx[1].stop_tag, "B") &&
              w.tx[2].stops == 0,
          "each stop has its own id");
    world_close(&w);
}

/* S74: a month off line; storage is too small for all readings, but no start, stop or first reading
 * or last reading is lost */
static void test_thinning(void)
{
    struct world w;
    unsigned meters = 0;

    world_open(&w);
    world_run(&w, 10);
    world_set(&w, "AllowOfflineTxForUnknownId", "true");
    world_set(&w, "MeterValueSampleInterval", "10");
    w.refuse = true;
    world_hang_up(&w);
    world_plug(&w, 1, true);
    for (int i = 0; i < 12; i++) {
        world_tag(&w, 1, "A");
        world_run(&w, 600000);
        world_tag(&w, 1, "A");
        world_run(&w, 60000);
    }
    CHECK(w.started == 12, "all of them began: %u", w.started);
    w.refuse = false;
    amp_station_retry(w.st, w.now);
    world_run(&w, 60000);
    CHECK(w.tx_count == 12 && amp_station_queued(w.st) == 0, "%u transactions, %u left", w.tx_count,
          amp_station_queued(w.st));
    for (unsigned i = 0; i < w.tx_count; i++) {
        CHECK(w.tx[i].stops == 1 && w.tx[i].starts == 1, "transaction %u", i);
        CHECK(w.tx[i].meters >= 1, "the first reading of %u", i);
        CHECK((w.tx[i].stop_wh - w.tx[i].start_wh) / 3 == 7400 / 18,
              "the last reading of %u: %lld Wh", i,
              (long long)(w.tx[i].stop_wh - w.tx[i].start_wh));
        meters += w.tx[i].meters;
    }
    CHECK(meters < 12 * 60 && meters >= 12 * 2, "%u readings of 720", meters);
    world_close(&w);
}

/* Storage that takes nothing more: nothing begins, what runs ends well */
static void test_full(void)
{
    struct world w;
    unsigned began = 0;

    world_open(&w);
    world_run(&w, 10);
    world_set(&w, "AllowOfflineTxForUnknownId", "true");
    world_set(&w, "MeterValueSampleInterval", "0");
    w.refuse = true;
    world_hang_up(&w);
    world_plug(&w, 1, true);
    for (int i = 0; i < 60; i++) {
        unsigned before = w.started;

        world_tag(&w, 1, "A");
        began += w.started - before;
        world_run(&w, 1000);
        if (w.started > before)
            world_tag(&w, 1, "A");
        CHECK(!w.st->con[1].tx.open, "ended");
        world_run(&w, 1000);
    }
    CHECK(began > 10 && began < 60, "%u transactions fit", began);
    CHECK(w.events[AMP_EVENT_OPERATOR] >= 1, "somebody is told");
    w.refuse = false;
    amp_station_retry(w.st, w.now);
    world_run(&w, 60000);
    CHECK(w.tx_count == began && amp_station_queued(w.st) == 0, "%u of %u delivered", w.tx_count,
          began);
    for (unsigned i = 0; i < w.tx_count; i++)
        CHECK(w.tx[i].stops == 1, "transaction %u", i);
    world_tag(&w, 1, "A");
    CHECK(w.started == began + 1, "and there is room again");
    world_close(&w);
}

int main(void)
{
    RUN(test_retries);
    RUN(test_lost_connection_is_no_attempt);
    RUN(test_start_never_got_through);
    RUN(test_odd_ids);
    RUN(test_lost_answer_to_start);
    RUN(test_order);
    RUN(test_thinning);
    RUN(test_full);
    return check_end();
}
