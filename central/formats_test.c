/* central/formats_test.c - messages as real chargers write them, against the whole server: what is
 * odd is understood where that is safe, answered always, and kept in the log as it came. Numbers
 * are those of the list of edge cases. */
#include "central/plant.h"
#include "ocpp/time.h"

static struct plant plant;
static int fd;

static int64_t clock_ms = INT64_C(1717228800000); /* 2024-06-01T08:00:00Z */

static int64_t turned(void)
{
    return clock_ms;
}

static void begin(void)
{
    char *why = NULL;

    plant_settings(&plant);
    CHECK(settings_set(&plant.settings, "accept-unknown-tags", "true", "test", &why) == 0, "%s",
          why);
    plant.now_ms = turned;
    plant_start(&plant);
    fd = station_open(&plant, "CP001");
    station_boots(&plant, fd);
}

static void end(void)
{
    close(fd);
    plant_stop(&plant);
    plant_end(&plant);
}

/* A whole frame, and what its answer begins with; NULL: no answer, but the next message has one. */
static void says(const char *number, const char *frame, const char *answer)
{
    const char *got;

    if (!answer) {
        peer_text(&plant.stage, fd, frame);
        CHECK(station_lives(&plant, fd), "%s: %s: it goes on", number, frame);
        return;
    }
    got = station_says(&plant, fd, frame);
    CHECK(!strncmp(got, answer, strlen(answer)), "%s: %s: '%s'", number, frame, got);
}

/* ---- rows of the log ---- */

static struct fact *newest[200];
static size_t newest_count;
static bool asked;

static void on_rows(void *ctx, int rc, const struct fact *rows, const int64_t *ids, size_t count,
                    int64_t next)
{
    (void)ctx, (void)ids, (void)next;
    CHECK(rc == 0, "%d", rc);
    while (newest_count)
        free(newest[--newest_count]);
    for (size_t i = 0; i < count && i < AMP_COUNT(newest); i++)
        newest[newest_count++] = fact_copy(&rows[i]);
    asked = true;
}

static void on_durable(void *ctx, int rc)
{
    (void)ctx, (void)rc;
    asked = true;
}

static size_t ask(enum store_question what, const char *action)
{
    struct store_ask q = { .what = what,
                           .org = ORG_DEFAULT,
                           .connector = -1,
                           .open = -1,
                           .action = amp_text_of(action),
                           .limit = 200 };

    asked = false;
    store_after(plant.central.store, on_durable, NULL);
    UNTIL(&plant.stage, asked);
    asked = false;
    store_ask(plant.central.store, &q, on_rows, NULL);
    UNTIL(&plant.stage, asked);
    return newest_count;
}

static void forget(void)
{
    while (newest_count)
        free(newest[--newest_count]);
}

/* ---- the tests ---- */

static void test_null_and_missing(void) /* E67 */
{
    begin();
    says("E67", "[2,\"1\",\"Heartbeat\",null]", "[3,\"1\",{\"currentTime\":");
    says("E67", "[2,\"2\",\"Heartbeat\"]", "[3,\"2\",{\"currentTime\":");
    says("E67", "[2,\"3\",\"Heartbeat\",[]]", "[3,\"3\",{\"currentTime\":");
    says("E67",
         "[2,\"4\",\"MeterValues\",{\"connectorId\":1,\"transactionId\":null,\"meterValue\":[]}]",
         "[3,\"4\",{}]");
    says("E67",
         "[2,\"5\",\"StatusNotification\",{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":"
         "\"Available\",\"info\":null,\"timestamp\":null,\"vendorId\":\"\"}]",
         "[3,\"5\",{}]");
    says("E67",
         "[2,\"6\",\"StopTransaction\",{\"transactionId\":99,\"meterStop\":1,\"timestamp\":"
         "\"2024-06-01T08:00:00Z\",\"idTag\":null,\"reason\":null,\"transactionData\":null}]",
         "[3,\"6\",{");
    /* what is required cannot be guessed: named, and answered */
    says("E67", "[2,\"7\",\"StatusNotification\",{\"connectorId\":1}]",
         "[4,\"7\",\"OccurenceConstraintViolation\"");
    says("E67", "[2,\"8\",\"StatusNotification\",null]",
         "[4,\"8\",\"OccurenceConstraintViolation\"");
    end();
}

/* E68: an id that is used again is no reason to refuse: the content decides. The same content gets
 * the same answer, another content its own; an id that is empty, null or "-1" is given back. */
static void test_message_ids(void) /* E68 */
{
    static const char start[] =
        "[2,\"7\",\"StartTransaction\",{\"connectorId\":1,\"idTag\":\"A\",\"meterStart\":5,"
        "\"timestamp\":\"2024-06-01T08:00:00Z\"}]";
    static const char reading[] =
        "[2,\"7\",\"MeterValues\",{\"connectorId\":1,\"transactionId\":1,\"meterValue\":[{"
        "\"timestamp\":"
        "\"2024-06-01T08:01:00Z\",\"sampledValue\":[{\"value\":\"50\"}]}]}]";
    static const char stop[] =
        "[2,\"7\",\"StopTransaction\",{\"transactionId\":1,\"meterStop\":90,\"timestamp\":"
        "\"2024-06-01T08:05:00Z\"}]";
    char first[400];

    begin();
    snprintf(first, sizeof first, "%s", station_says(&plant, fd, start));
    CHECK(strstr(first, "\"transactionId\":1"), "%s", first);
    CHECK(!strcmp(station_says(&plant, fd, start), first), "E68: the same answer again: %s", first);
    says("E68", reading, "[3,\"7\",{}]");
    says("E68", reading, "[3,\"7\",{}]");
    snprintf(first, sizeof first, "%s", station_says(&plant, fd, stop));
    CHECK(!strncmp(first, "[3,\"7\",{", 8), "%s", first);
    CHECK(!strcmp(station_says(&plant, fd, stop), first), "E68: the same answer again: %s", first);
    CHECK(ask(ASK_TRANSACTIONS, NULL) == 1, "one session: %zu", newest_count);
    CHECK(ask(ASK_READINGS, NULL) == 1, "one reading: %zu", newest_count);
    CHECK(ask(ASK_MESSAGES, "StartTransaction") == 4, "the log has both, and both answers");
    /* also on the next connection, when the answer was lost with the old one */
    close(fd);
    fd = station_open(&plant, "CP001");
    CHECK(!strcmp(station_says(&plant, fd, stop), first), "E68: over a new connection");
    says("E68", "[2,\"-1\",\"Heartbeat\",{}]", "[3,\"-1\",{");
    says("E68", "[2,\"\",\"Heartbeat\",{}]", "[3,\"\",{");
    /* what is no text cannot be given back: no frame at all, which 1.6 does not answer */
    says("E68", "[2,null,\"Heartbeat\",{}]", NULL);
    says("E68", "[2,17,\"Heartbeat\",{}]", NULL);
    says("E68", "[2,\"an id of more than thirty-six characters, as some write\",\"Heartbeat\",{}]",
         "[3,\"an id of more than");
    forget();
    end();
}

static void test_unknown_fields(void) /* E69 */
{
    begin();
    says("E69",
         "[2,\"1\",\"BootNotification\",{\"chargePointVendor\":\"V\",\"chargePointModel\":\"M\","
         "\"vendorExtra\":{\"deep\":[1,2,{\"x\":null}]},\"another\":3}]",
         "[3,\"1\",{");
    says("E69", "[2,\"2\",\"Heartbeat\",{\"uptime\":17}]", "[3,\"2\",{");
    CHECK(ask(ASK_MESSAGES, "Heartbeat") == 2 && newest[1]->u.message.repairs == 1 &&
              amp_text_is(newest[1]->u.message.payload, "{\"uptime\":17}") &&
              !newest[1]->u.message.error.at,
          "E69: ignored, counted, and in the log as sent");
    forget();
    end();
}

static void test_unknown_actions(void) /* E70 */
{
    begin();
    says("E70", "[2,\"1\",\"Frobnicate\",{}]", "[4,\"1\",\"NotImplemented\"");
    says("E70", "[2,\"2\",\"heartbeat\",{}]", "[4,\"2\",\"NotImplemented\"");
    says("E70", "[2,\"3\",\"Reset\",{\"type\":\"Hard\"}]", "[4,\"3\",\"NotSupported\"");
    says("E70", "[2,\"4\",\"TransactionEvent\",{}]", "[4,\"4\",\"NotImplemented\"");
    /* types 5 and 6 are of 2.1 and no calls: no answer, no harm */
    says("E70", "[5,\"5\",\"InternalError\",\"\",{}]", NULL);
    says("E70", "[6,\"6\",\"NotifyPeriodicEventStream\",{}]", NULL);
    says("E70", "[7,\"7\",\"x\",{}]", NULL);
    CHECK(ask(ASK_MESSAGES, NULL) > 12, "%zu", newest_count);
    {
        unsigned objected = 0;

        for (size_t i = 0; i < newest_count; i++)
            objected += newest[i]->u.message.error.at != NULL &&
                        newest[i]->u.message.direction == MESSAGE_RECEIVED;
        CHECK(objected >= 7, "E70: each is in the log with what was wrong: %u", objected);
    }
    forget();
    end();
}

static void test_types(void) /* E71 */
{
    begin();
    says("E71",
         "[2,\"1\",\"StartTransaction\",{\"connectorId\":\"1\",\"idTag\":12345678,\"meterStart\":"
         "\"1000\",\"timestamp\":\"2024-06-01T08:00:00Z\"}]",
         "[3,\"1\",{");
    says("E71",
         "[2,\"2\",\"MeterValues\",{\"connectorId\":1.0,\"transactionId\":\"1\",\"meterValue\":"
         "{\"timestamp\":\"2024-06-01T08:01:00Z\",\"sampledValue\":{\"value\":1100}}}]",
         "[3,\"2\",{}]");
    CHECK(ask(ASK_TRANSACTIONS, NULL) == 1 && newest[0]->u.transaction.connector == 1 &&
              newest[0]->u.transaction.meter_start_wh == 1000 &&
              amp_text_is(newest[0]->u.transaction.tag, "12345678") &&
              newest[0]->u.transaction.last_wh == 1100,
          "E71: as if it had been written well");
    CHECK(ask(ASK_MESSAGES, "MeterValues") == 2 && newest[1]->u.message.repairs >= 3,
          "E71: counted");
    says(
        "E71",
        "[2,\"3\",\"StatusNotification\",{\"connectorId\":1.5,\"errorCode\":\"NoError\",\"status\":"
        "\"Available\"}]",
        "[4,\"3\",\"TypeConstraintViolation\"");
    forget();
    end();
}

static void test_long_texts(void) /* E72 */
{
    const struct charger *c;

    begin();
    says("E72",
         "[2,\"1\",\"BootNotification\",{\"chargePointVendor\":\"A vendor of more than twenty "
         "letters\",\"chargePointModel\":\"A model of more than twenty letters\","
         "\"chargePointSerialNumber\":\"12345678901234567890123456\",\"firmwareVersion\":"
         "\"1.2.3-a-very-long-version-number-with-a-git-hash-0123456789abcdef0123456789abcdef\"}]",
         "[3,\"1\",{");
    UNTIL(&plant.stage, true);
    c = world_charger(plant.central.world, AMP_TEXT("CP001"));
    CHECK(c && amp_text_is(charger_fact(c)->serial, "12345678901234567890123456"),
          "E72: whole, not cut");
    end();
}

static void test_words(void) /* E73 */
{
    begin();
    says("E73",
         "[2,\"1\",\"StatusNotification\",{\"connectorId\":1,\"errorCode\":\"Error\",\"status\":"
         "\"Available\"}]",
         "[3,\"1\",{}]");
    says("E73",
         "[2,\"2\",\"MeterValues\",{\"connectorId\":1,\"meterValue\":[{\"timestamp\":"
         "\"2024-06-01T08:01:00Z\",\"sampledValue\":[{\"value\":\"50\",\"measurand\":\"Frequency\","
         "\"unit\":\"Hz\"},{\"value\":\"21\",\"measurand\":\"Temperature\",\"unit\":\"Celcius\"},"
         "{\"value\":\"22\",\"measurand\":\"Temperature\",\"unit\":\"Celsius\"}]}]}]",
         "[3,\"2\",{}]");
    says("E73",
         "[2,\"3\",\"StopTransaction\",{\"transactionId\":55,\"meterStop\":1,\"timestamp\":"
         "\"2024-06-01T08:00:00Z\",\"reason\":\"BecauseISaidSo\"}]",
         "[3,\"3\",{");
    CHECK(ask(ASK_READINGS, NULL) == 1 && newest[0]->u.reading.has & READING_TEMPERATURE,
          "E73: a misspelt unit is what was meant");
    CHECK(ask(ASK_STATUS, NULL) == 1 && amp_text_is(newest[0]->u.status.error, "Error"),
          "E73: an error code that nobody knows, as it was sent");
    forget();
    end();
}

static void test_not_too_strict(void) /* E74 */
{
    begin();
    says("E74", "[2,\"1\",\"Authorize\",{\"idTag\":\"AB-12:34_x.y/z\"}]", "[3,\"1\",{");
    says("E74",
         "[2,\"2\",\"MeterValues\",{\"connectorId\":1,\"meterValue\":[{\"timestamp\":"
         "\"2024-06-01T08:01:00Z\",\"sampledValue\":[{\"value\":\"1234.567890123\"},{\"value\":"
         "\"-3.5\",\"measurand\":\"Power.Active.Import\"}]}]}]",
         "[3,\"2\",{}]");
    says("E74", "\xef\xbb\xbf[2, \"3\" ,\n\t\"Heartbeat\",\r\n{ } ] ", "[3,\"3\",{");
    end();
}

/* What a StatusNotification of connector `n` with this time is kept as. */
static int64_t kept_time(int n, const char *time)
{
    const struct charger *c = world_charger(plant.central.world, AMP_TEXT("CP001"));
    const struct connector_fact *k;
    char frame[300];

    snprintf(frame, sizeof frame,
             "[2,\"t\",\"StatusNotification\",{\"connectorId\":%d,\"errorCode\":\"NoError\","
             "\"status\":\"Available\",\"timestamp\":\"%s\"}]",
             n, time);
    says("E75", frame, "[3,\"t\",{}]");
    k = charger_connector(c, n);
    return k ? k->at_ms : -1;
}

static void test_times(void) /* E75, E76 */
{
    static const struct {
        const char *why, *time;
        int64_t ms; /* behind 2024-06-01T08:00:00Z; -1: our clock stands in */
    } cases[] = {
        { "E75: Zulu", "2024-06-01T08:00:01Z", 1000 },
        { "E75: no zone", "2024-06-01T08:00:01", 1000 },
        { "E75: hours only", "2024-06-01T10:00:01+02", 1000 },
        { "E75: no colon", "2024-06-01T10:00:01+0200", 1000 },
        { "E75: a blank", "2024-06-01 08:00:01Z", 1000 },
        { "E75: small letters", "2024-06-01t08:00:01z", 1000 },
        { "E75: the zero time of some runtimes", "0001-01-01T00:00:00Z", -1 },
        { "E76: one digit", "2024-06-01T08:00:01.5Z", 1500 },
        { "E76: three", "2024-06-01T08:00:01.123Z", 1123 },
        { "E76: six", "2024-06-01T08:00:01.123456Z", 1123 },
        { "E76: seven, as .NET writes", "2024-06-01T08:00:01.1234567Z", 1123 },
        { "E76: nine", "2024-06-01T08:00:01.123456789+00:00", 1123 },
    };

    begin();
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        int64_t at = kept_time((int)i + 1, cases[i].time);

        CHECK(at == (cases[i].ms < 0 ? clock_ms : INT64_C(1717228800000) + cases[i].ms),
              "%s: %s is kept as %lld", cases[i].why, cases[i].time, (long long)at);
    }
    /* E75: far ahead: answered and kept, whatever it means */
    says("E75",
         "[2,\"f\",\"StopTransaction\",{\"transactionId\":77,\"meterStop\":1,\"timestamp\":"
         "\"2099-01-01T00:00:00Z\"}]",
         "[3,\"f\",{");
    CHECK(ask(ASK_TRANSACTIONS, NULL) == 1 && newest[0]->u.transaction.flags & TX_FLAG_TIME_ODD,
          "E75: and flagged");
    /* E76: the database keeps the milliseconds of a reading */
    says("E76",
         "[2,\"m\",\"MeterValues\",{\"connectorId\":1,\"meterValue\":[{\"timestamp\":"
         "\"2024-06-01T08:00:09.987654Z\",\"sampledValue\":[{\"value\":\"1\"}]}]}]",
         "[3,\"m\",{}]");
    CHECK(ask(ASK_READINGS, NULL) == 1 && newest[0]->u.reading.at_ms % 1000 == 987, "E76: kept");
    forget();
    end();
}

static void test_before_the_clock(void) /* E77 */
{
    begin();
    says("E77",
         "[2,\"1\",\"StartTransaction\",{\"connectorId\":1,\"idTag\":\"A\",\"meterStart\":0,"
         "\"timestamp\":\"1970-01-01T00:00:12Z\"}]",
         "[3,\"1\",{");
    CHECK(ask(ASK_TRANSACTIONS, NULL) == 1, "E77: kept");
    CHECK(newest[0]->u.transaction.start_ms == clock_ms &&
              newest[0]->u.transaction.flags & TX_FLAG_TIME_ODD,
          "E77: our time stands in, and it is flagged: %lld",
          (long long)newest[0]->u.transaction.start_ms);
    forget();
    end();
}

static void test_large(void) /* E81, E82 */
{
    static char frame[60000], value[40000];

    begin();
    memset(value, 'S', sizeof value - 1);
    snprintf(frame, sizeof frame,
             "[2,\"1\",\"MeterValues\",{\"connectorId\":1,\"meterValue\":[{\"timestamp\":"
             "\"2024-06-01T08:01:00Z\",\"sampledValue\":[{\"value\":\"OCMF|%s\",\"format\":"
             "\"SignedData\"},{\"value\":\"\"}]}]}]",
             value);
    {
        static uint8_t out[61000];

        peer_send(&plant.stage, fd, out, peer_frame(out, 0x81, frame, strlen(frame)));
    }
    CHECK(peer_next(&plant.stage, fd, value, sizeof value, NULL) == 0x81 &&
              !strcmp(value, "[3,\"1\",{}]"),
          "E81, E82: 40 KB of signed data: %s", value);
    CHECK(ask(ASK_READINGS, NULL) == 1 && newest[0]->u.reading.samples.len > 39000,
          "E81: and kept to the letter");
    forget();
    end();
}

/* E63, E83: whatever comes, a call is answered, and the answer says what is wrong with the message
 * and nothing about the inside of the server. */
static void test_always_answered(void) /* E63, E83 */
{
    static const char *const frames[] = {
        "[2,\"1\",\"StartTransaction\",{}]",
        "[2,\"1\",\"StartTransaction\",{\"connectorId\":[],\"idTag\":{},\"meterStart\":\"x\"}]",
        "[2,\"1\",\"StopTransaction\",{\"transactionId\":{}}]",
        "[2,\"1\",\"MeterValues\",{\"connectorId\":1,\"meterValue\":[{\"timestamp\":\"never\"}]}]",
        "[2,\"1\",\"Authorize\",{\"idTag\":\"\"}]",
        "[2,\"1\",\"Authorize\",\"text\"]",
        "[2,\"1\",\"BootNotification\",{\"chargePointVendor\":1e400}]",
        "[2,\"1\",\"DataTransfer\",{\"vendorId\":\"x\",\"data\":{\"not\":\"a text\"}}]",
        ("[2,\"1\",\"StatusNotification\",{\"connectorId\":99999999999,\"errorCode\":\"\","
         "\"status\":\"\"}]"),
        "[2,\"1\",\"FirmwareStatusNotification\",{\"status\":\"Nonsense\"}]",
        "[2,\"1\",\"StartTransaction\",{\"connectorId\":1,\"connectorId\":2}]",
    };
    static const char *const secrets[] = { ".c:", "central/", "SQL",   "sqlite",
                                           "0x",  "/tmp",     "assert" };

    begin();
    for (size_t i = 0; i < AMP_COUNT(frames); i++) {
        const char *answer = station_says(&plant, fd, frames[i]);

        CHECK((!strncmp(answer, "[3,\"1\",", 7) || !strncmp(answer, "[4,\"1\",", 7)),
              "E63: %s: '%s'", frames[i], answer);
        CHECK(strlen(answer) < 400, "E83: short: %s", answer);
        for (size_t k = 0; k < AMP_COUNT(secrets); k++)
            CHECK(!strstr(answer, secrets[k]), "E83: %s", answer);
    }
    CHECK(station_lives(&plant, fd), "E63: and goes on");
    end();
}

int main(void)
{
    RUN(test_null_and_missing);
    RUN(test_message_ids);
    RUN(test_unknown_fields);
    RUN(test_unknown_actions);
    RUN(test_types);
    RUN(test_long_texts);
    RUN(test_words);
    RUN(test_not_too_strict);
    RUN(test_times);
    RUN(test_before_the_clock);
    RUN(test_large);
    RUN(test_always_answered);
    return check_end();
}
