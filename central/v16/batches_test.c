/* central/v16/batches_test.c - one command for many chargers, over real sockets: who is meant, how
 * many at once, when it ends, and that nobody is asked twice across a restart. */
#include "central/rest/batches.h"
#include "central/v16/plant.h"

enum { STATIONS = 5 };
static int fds[STATIONS];

static void open_stations(int count)
{
    for (int i = 0; i < count; i++) {
        char id[16];

        snprintf(id, sizeof id, "CP%d", i);
        fds[i] = plant_station(id, i % 2 ? "Two" : "One", "1.0");
    }
}

static void close_stations(int count)
{
    for (int i = 0; i < count; i++)
        close(fds[i]);
}

static int64_t begin(const char *body)
{
    int status = plant_http("POST", "/api/v1/batches", "", body);

    CHECK(status == 201, "%s: %s", body, plant.text);
    return plant_number("id");
}

static bool counted(const struct batch_fact *f)
{
    struct batch_count n;

    batches_count(plant.central.batches, f, &n);
    return n.counted;
}

/* One turn of the driver, once it knows how far it is. */
static void tick(int64_t key)
{
    batches_tick(plant.central.batches);
    UNTIL(&plant.stage, counted(batches_get(plant.central.batches, key)));
    batches_tick(plant.central.batches);
}

static struct batch_count count_of(int64_t key)
{
    struct batch_count n = { 0 };

    batches_count(plant.central.batches, batches_get(plant.central.batches, key), &n);
    return n;
}

static int state_of(int64_t key)
{
    return batches_get(plant.central.batches, key)->state;
}

static void answer(int station, const char *status)
{
    char reply[64];

    snprintf(reply, sizeof reply, "{\"status\":\"%s\"}", status);
    plant_answer(fds[station], "ClearCache", "{}", reply);
}

static void test_filter(void)
{
    static const struct {
        const char *filter;
        int total;
        const char *part;
    } cases[] = {
        { "{}", 5, "\"CP0\",\"CP1\",\"CP2\",\"CP3\",\"CP4\"" },
        { "{\"model\":\"two\"}", 2, "[\"CP1\",\"CP3\"]" },
        { "{\"ids\":[\"cp4\",\"CP0\"]}", 2, "[\"CP0\",\"CP4\"]" },
        { "{\"vendor\":\"Ac\",\"firmware\":\"1.0\"}", 5, "" },
        { "{\"notFirmware\":\"1.0\"}", 0, "[]" },
        { "{\"text\":\"P3\"}", 1, "[\"CP3\"]" },
        { "{\"connection\":\"offline\"}", 1, "[\"CP2\"]" },
        { "{\"connection\":\"connected\",\"model\":\"One\"}", 2, "[\"CP0\",\"CP4\"]" },
    };

    plant_begin();
    open_stations(STATIONS);
    close(fds[2]);
    UNTIL(&plant.stage, !charger_session(world_charger(plant.central.world, AMP_TEXT("CP2"))));
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        char body[256];

        snprintf(body, sizeof body, "{\"action\":\"ClearCache\",\"dryRun\":true,\"filter\":%s}",
                 cases[i].filter);
        CHECK(plant_http("POST", "/api/v1/batches", "", body) == 200 &&
                  plant_number("total") == cases[i].total && strstr(plant.text, cases[i].part),
              "%s: %s", cases[i].filter, plant.text);
    }
    CHECK(!batches_at(plant.central.batches, 0), "a dry run is nothing but an answer");
    CHECK(plant_http("POST", "/api/v1/batches", "",
                     "{\"action\":\"ClearCache\",\"filter\":{\"ids\":[\"NONE\"]}}") == 422 &&
              strstr(plant.text, "\\\"NONE\\\""),
          "a name that is nobody's: %s", plant.text);
    CHECK(plant_http("POST", "/api/v1/batches", "",
                     "{\"action\":\"ClearCache\",\"filter\":{\"model\":\"X\"}}") == 422 &&
              strstr(plant.text, "nobody-meant"),
          "%s", plant.text);
    CHECK(plant_http("POST", "/api/v1/batches", "", "{\"action\":\"Levitate\"}") == 422, "%s",
          plant.text);
    CHECK(plant_http("POST", "/api/v1/batches", "",
                     "{\"action\":\"Reset\",\"payload\":{\"type\":\"Warm\"}}") == 422 &&
              strstr(plant.text, "type"),
          "checked before anybody hears of it: %s", plant.text);
    CHECK(plant_http("POST", "/api/v1/batches", "",
                     "{\"action\":\"UpdateFirmware\",\"payload\":{\"file\":9}}") == 422 &&
              strstr(plant.text, "no such file"),
          "%s", plant.text);
    close_stations(STATIONS);
    plant_end();
}

static void test_limits(void)
{
    int64_t key;
    char path[64];

    plant_begin();
    open_stations(4);
    key = begin("{\"action\":\"ClearCache\",\"parallel\":2,\"note\":\"all\"}");
    tick(key);
    CHECK(count_of(key).under_way == 2, "two at once: %d", count_of(key).under_way);
    answer(0, "Accepted");
    tick(key);
    CHECK(count_of(key).under_way == 2 && count_of(key).good == 1, "the next one");
    snprintf(path, sizeof path, "/api/v1/batches/%lld", (long long)key);
    CHECK(plant_http("GET", path, "", NULL) == 200 && strstr(plant.text, "\"state\":\"running\"") &&
              strstr(plant.text,
                     "\"total\":4,\"succeeded\":1,\"failed\":0,\"underWay\":2,\"waiting\":1"),
          "%s", plant.text);
    answer(1, "Rejected");
    answer(2, "Accepted");
    tick(key);
    answer(3, "Accepted");
    tick(key);
    CHECK(state_of(key) == BATCH_DONE && count_of(key).good == 3 && count_of(key).bad == 1,
          "the end");
    snprintf(path, sizeof path, "/api/v1/commands?batch=%lld", (long long)key);
    CHECK(plant_http("GET", path, "", NULL) == 200 && strstr(plant.text, "\"batch\":1") &&
              strstr(plant.text, "\"state\":\"rejected\""),
          "each is a command: %s", plant.text);
    close_stations(4);
    plant_end();
}

static void test_rate(void)
{
    int64_t key;

    plant_begin();
    open_stations(3);
    key = begin("{\"action\":\"ClearCache\",\"parallel\":9,\"perMinute\":2}");
    tick(key);
    CHECK(count_of(key).under_way == 2, "two in this minute");
    plant.clock_ms += 59999;
    tick(key);
    CHECK(count_of(key).under_way == 2, "still");
    plant.clock_ms += 1;
    tick(key);
    CHECK(count_of(key).under_way == 3, "the next minute");
    close_stations(3);
    plant_end();
}

static void test_stop(void)
{
    int64_t key;

    plant_begin();
    open_stations(4);
    close(fds[0]);
    UNTIL(&plant.stage, !charger_session(world_charger(plant.central.world, AMP_TEXT("CP0"))));
    key = begin("{\"action\":\"ClearCache\",\"parallel\":1,\"stopAfter\":2}");
    tick(key);
    CHECK(count_of(key).bad == 1 && count_of(key).under_way == 1, "offline is a failure at once");
    answer(1, "Rejected");
    tick(key);
    CHECK(state_of(key) == BATCH_STOPPED && count_of(key).bad == 2 && count_of(key).good == 0,
          "two failures are enough");
    tick(key);
    plant_say(fds[2], "Heartbeat", "{}"); /* nobody asked it */
    close_stations(4);
    plant_end();
}

static void test_cancel(void)
{
    int64_t key;
    char path[64];

    plant_begin();
    open_stations(3);
    close(fds[1]);
    UNTIL(&plant.stage, !charger_session(world_charger(plant.central.world, AMP_TEXT("CP1"))));
    key = begin("{\"action\":\"ClearCache\",\"parallel\":2,\"queueSeconds\":600}");
    tick(key);
    CHECK(count_of(key).under_way == 2, "one asked, one that is awaited");
    snprintf(path, sizeof path, "/api/v1/batches/%lld/cancel", (long long)key);
    CHECK(plant_http("POST", path, "", NULL) == 200 &&
              strstr(plant.text, "\"state\":\"cancelled\""),
          "%s", plant.text);
    tick(key);
    CHECK(count_of(key).bad == 1 && batches_get(plant.central.batches, key)->ended_ms,
          "what was not sent is withdrawn");
    CHECK(plant_http("POST", path, "", NULL) == 409, "once: %s", plant.text);
    plant_reply(fds[0], "ClearCache", "{}", "{\"status\":\"Accepted\"}"); /* it was sent */
    plant_say(fds[2], "Heartbeat", "{}");
    close_stations(3);
    plant_end();
}

/* The server ends in the middle. Reset is not sent twice to anybody, and all are asked. */
static void test_restart(void)
{
    int64_t key;

    plant_begin();
    open_stations(3);
    key = begin("{\"action\":\"Reset\",\"payload\":{\"type\":\"Soft\"},\"parallel\":2}");
    tick(key);
    plant_answer(fds[0], "Reset", "Soft", "{\"status\":\"Accepted\"}");
    CHECK(strstr(plant_hear(fds[1]), "Reset"), "asked, and never answered: %s", plant.text);
    close_stations(3);
    plant_stop();
    plant_start();
    open_stations(3);
    CHECK(state_of(key) == BATCH_RUNNING && !count_of(key).counted, "goes on, once it has counted");
    tick(key);
    CHECK(count_of(key).good == 1 && count_of(key).bad == 1 && count_of(key).under_way == 1,
          "one booted, of one nobody knows, the third is asked: %d %d %d", count_of(key).good,
          count_of(key).bad, count_of(key).under_way);
    plant_say(fds[0], "Heartbeat", "{}"); /* not again */
    plant_say(fds[1], "Heartbeat", "{}");
    plant_answer(fds[2], "Reset", "Soft", "{\"status\":\"Accepted\"}");
    tick(key);
    CHECK(state_of(key) == BATCH_DONE && count_of(key).good == 2, "done");
    close_stations(3);
    plant_stop();
    plant_start();
    CHECK(state_of(key) == BATCH_DONE && count_of(key).good == 2, "and known for ever");
    plant_end();
}

/* An update of many with one file; each charger has its own reason. */
static void test_files(void)
{
    int64_t key;

    plant_begin();
    plant_set("public-url", "http://10.0.0.1:8180");
    plant_stop();
    plant_start();
    open_stations(2);
    key = begin("{\"action\":\"GetDiagnostics\",\"untilEffect\":true}");
    tick(key);
    plant_reply(fds[0], "GetDiagnostics", "\"location\":\"http://10.0.0.1:8180/f/", "{}");
    plant_reply(fds[1], "GetDiagnostics", "\"location\":\"http://10.0.0.1:8180/f/", "{}");
    plant_say(fds[0], "DiagnosticsStatusNotification", "{\"status\":\"Uploaded\"}");
    plant_say(fds[1], "DiagnosticsStatusNotification", "{\"status\":\"Uploading\"}");
    tick(key);
    CHECK(count_of(key).good == 1 && count_of(key).under_way == 1, "over with its effect");
    plant_say(fds[1], "DiagnosticsStatusNotification", "{\"status\":\"UploadFailed\"}");
    tick(key);
    CHECK(state_of(key) == BATCH_DONE && count_of(key).bad == 1, "or without");
    close_stations(2);
    plant_end();
}

int main(void)
{
    RUN(test_filter);
    RUN(test_limits);
    RUN(test_rate);
    RUN(test_stop);
    RUN(test_cancel);
    RUN(test_restart);
    RUN(test_files);
    return check_end();
}
