/* fleet/ledger_test.c - lines appear for answers, and for nothing else. */
#include "fleet/ledger.h"
#include "ocpp/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define START_1                                                           \
    "[2,\"m1\",\"StartTransaction\",{\"connectorId\":1,\"idTag\":\"Demo " \
    "Tag\",\"meterStart\":4711,\"timestamp\":\"2023-11-14T22:13:20Z\"}]"
#define METER_1                                                                                 \
    "[2,\"m2\",\"MeterValues\",{\"connectorId\":1,\"transactionId\":17,\"meterValue\":["        \
    "{\"timestamp\":\"2023-11-14T22:13:25.5Z\",\"sampledValue\":[{\"value\":\"230\","           \
    "\"measurand\":\"Voltage\"},"                                                               \
    "{\"value\":\"4733.5\",\"measurand\":\"Energy.Active.Import.Register\"}]},"                 \
    "{\"timestamp\":\"2023-11-14T22:13:30Z\",\"sampledValue\":[{\"value\":\"4755\"}]},"         \
    "{\"timestamp\":\"2023-11-14T22:13:35Z\",\"sampledValue\":[{\"value\":\"9\",\"measurand\":" \
    "\"SoC\"}]}]}]"
#define STOP_1                                                                                     \
    "[2,\"m3\",\"StopTransaction\",{\"transactionId\":17,\"meterStop\":6031,\"timestamp\":\"2023-" \
    "11-14T22:14:21Z\","                                                                           \
    "\"reason\":\"Local\",\"idTag\":\"Demo Tag\"}]"

static struct ledger ledger;

static void frame(struct ledger_talk *t, bool sent, const char *text)
{
    ledger_frame(&ledger, t, AMP_TEXT("CP 1"), sent, amp_text_of(text));
}

static void test_lines(void)
{
    static const char expected[] =
        "start station=CP%201 message=m1 connector=1 tag=Demo%20Tag meter=4711 at=1700000000000 "
        "transaction=17 "
        "status=Accepted\n"
        "meter station=CP%201 message=m2 connector=1 transaction=17 at=1700000005500 "
        "energy=4733.5\n"
        "meter station=CP%201 message=m2 connector=1 transaction=17 at=1700000010000 energy=4755\n"
        "meter station=CP%201 message=m2 connector=1 transaction=17 at=1700000015000\n"
        "stop station=CP%201 message=m3 transaction=17 meter=6031 at=1700000061000 reason=Local "
        "tag=Demo%20Tag\n"
        "start station=CP%201 message=m1 connector=1 tag=Demo%20Tag meter=4711 at=1700000000000 "
        "transaction=18 "
        "status=Blocked\n";
    struct ledger_talk t = { .lines = NULL };
    char path[] = "/tmp/ledger_test.XXXXXX", got[4096];
    ssize_t n;
    int fd = mkstemp(path);

    CHECK(ledger_open(&ledger, path) == 0, "open");
    frame(&t, true, START_1);
    CHECK(read(fd, got, 1) == 0, "nothing is written before the answer");
    frame(&t, false, "[3,\"m1\",{\"transactionId\":17,\"idTagInfo\":{\"status\":\"Accepted\"}}]");
    frame(&t, false,
          "[3,\"m1\",{\"transactionId\":17,\"idTagInfo\":{\"status\":\"Accepted\"}}]"); /* twice:
                                                                                           once */
    frame(&t, true, METER_1);
    frame(&t, false, "[2,\"x\",\"ClearCache\",{}]"); /* a call in between is no answer */
    frame(&t, true, "[3,\"x\",{\"status\":\"Accepted\"}]");
    frame(&t, false, "[3,\"other\",{}]");
    frame(&t, false, "[3,\"m2\",{}]");
    frame(&t, true, STOP_1);
    frame(&t, false, "[3,\"m3\",{}]");
    frame(&t, true, "[2,\"m4\",\"Heartbeat\",{}]");
    frame(&t, false, "[3,\"m4\",{\"currentTime\":\"2023-11-14T22:14:21Z\"}]");

    frame(&t, true, START_1); /* refused: no line */
    frame(&t, false, "[4,\"m1\",\"InternalError\",\"\",{}]");
    frame(&t, true, START_1); /* connection lost, answered after it by nobody */
    ledger_hang_up(&t);
    frame(&t, false, "[3,\"m1\",{\"transactionId\":17,\"idTagInfo\":{\"status\":\"Accepted\"}}]");
    frame(&t, true, START_1); /* timed out; the next call took its place */
    frame(&t, true, "[2,\"m5\",\"Heartbeat\",{}]");
    frame(&t, false, "[3,\"m1\",{\"transactionId\":17,\"idTagInfo\":{\"status\":\"Accepted\"}}]");
    frame(&t, true, START_1); /* an answer that cannot be read proves nothing */
    frame(&t, false, "[3,\"m1\",{\"transactionId\":\"none\"}]");
    frame(&t, true, START_1); /* sent again, answered */
    frame(&t, false, "[3,\"m1\",{\"transactionId\":18,\"idTagInfo\":{\"status\":\"Blocked\"}}]");
    frame(&t, false, "nonsense");

    n = read(fd, got, sizeof got - 1);
    got[n > 0 ? n : 0] = 0;
    CHECK(!strcmp(got, expected), "%s", got);
    CHECK(!ledger.failed, "no failure");
    CHECK(ledger.stats.sent == 10 && ledger.stats.answered == 6 && ledger.stats.refused == 1,
          "%d sent, %d answered", (int)ledger.stats.sent, (int)ledger.stats.answered);
    CHECK(ledger.stats.starts == 3 && ledger.stats.meters == 1 && ledger.stats.stops == 1,
          "%d starts", (int)ledger.stats.starts);
    CHECK(ledger.stats.received == 1, "%d received", (int)ledger.stats.received);
    ledger_hang_up(&t);
    ledger_close(&ledger);
    close(fd);
    unlink(path);
}

static void test_failure(void)
{
    struct ledger_talk t = { .lines = NULL };

    CHECK(ledger_open(&ledger, "/dev/full") == 0, "open");
    frame(&t, true, STOP_1);
    frame(&t, false, "[3,\"m3\",{}]");
    CHECK(ledger.failed, "a line that could not be written is noticed");
    ledger_close(&ledger);
    CHECK(ledger_open(&ledger, "/nonexistent/x") == AMP_E_IO, "no such folder");
}

static void test_quantiles(void)
{
    static struct ledger_stats s;
    static const uint64_t us[] = { 0, 15, 16, 17, 31, 32, 33, 1000, 123456, 60000000 };

    CHECK(ledger_quantile_us(&s, 500) == 0, "nothing measured");
    for (size_t i = 0; i < AMP_COUNT(us); i++) {
        uint64_t got;

        memset(&s, 0, sizeof s);
        ledger_count(&s, us[i]);
        got = ledger_quantile_us(&s, 1000);
        CHECK(got >= us[i] && got <= us[i] + us[i] / 15 + 1, "%d us is told as %d", (int)us[i],
              (int)got);
    }
    memset(&s, 0, sizeof s);
    for (uint64_t v = 1; v <= 1000; v++)
        ledger_count(&s, v * 100);
    CHECK(ledger_quantile_us(&s, 500) >= 50000 && ledger_quantile_us(&s, 500) < 54000, "median %d",
          (int)ledger_quantile_us(&s, 500));
    CHECK(ledger_quantile_us(&s, 990) >= 99000 && ledger_quantile_us(&s, 990) < 106000, "p99 %d",
          (int)ledger_quantile_us(&s, 990));
}

int main(void)
{
    RUN(test_lines);
    RUN(test_failure);
    RUN(test_quantiles);
    return check_end();
}
