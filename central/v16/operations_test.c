/* central/v16/operations_test.c - operations from the API to the station and back: progress,
 * effects, traces, second attempts, over real sockets. */
#include "central/domain/operation.h"
#include "central/v16/plant.h"

static int64_t ask(const char *route, const char *headers, const char *body)
{
    char path[128];
    int status;

    snprintf(path, sizeof path, "/api/v1/chargers/%s", route);
    status = plant_http("POST", path, headers, body);
    CHECK(status == 202 || status == 200, "%s %s: %s", route, body, plant.text);
    return plant_number("id");
}

static const struct command_fact *get(int64_t key)
{
    static const struct command_fact none;
    const struct command_fact *f = world_command_get(plant.central.world, key);

    CHECK(f != NULL, "command %lld", (long long)key);
    return f ? f : &none;
}

static void is(int64_t key, int state, const char *progress)
{
    const struct command_fact *f = get(key);

    CHECK(f->state == state && (!progress || amp_text_is(f->progress, progress)), "%s, %.*s",
          command_state_name(f->state), AMP_FMT(f->progress));
}

static void test_triggered(void)
{
    int64_t key;
    int fd;

    plant_begin();
    fd = plant_station("CP1", "One", "1.0");
    key = ask("CP1/trigger", "", "{\"requestedMessage\":\"MeterValues\",\"connectorId\":2}");
    plant_answer(fd, "TriggerMessage", "MeterValues", "{\"status\":\"Accepted\"}");
    plant_say(fd, "MeterValues",
              "{\"connectorId\":1,\"meterValue\":[{\"timestamp\":\"2024-06-01T08:00:00Z\","
              "\"sampledValue\":[{\"value\":\"1\"}]}]}");
    is(key, COMMAND_ACCEPTED, NULL);
    plant_say(fd, "MeterValues",
              "{\"connectorId\":2,\"meterValue\":[{\"timestamp\":\"2024-06-01T08:00:00Z\","
              "\"sampledValue\":[{\"value\":\"1\"}]}]}");
    is(key, COMMAND_CONFIRMED, NULL);
    close(fd);
    plant_end();
}

static void test_progress(void)
{
    int64_t key;
    int fd;

    plant_begin();
    fd = plant_station("CP1", "One", "1.0");
    key = ask("CP1/commands", "",
              "{\"action\":\"UpdateFirmware\",\"payload\":{\"location\":\"http://x/f\","
              "\"retrieveDate\":\"2024-06-01T08:00:00Z\"}}");
    plant_answer(fd, "UpdateFirmware", "http://x/f", "{}");
    plant_say(fd, "FirmwareStatusNotification", "{\"status\":\"Downloading\"}");
    is(key, COMMAND_ACCEPTED, "Downloading");
    plant_say(fd, "SignedFirmwareStatusNotification", "{\"status\":\"Installing\"}");
    is(key, COMMAND_ACCEPTED, "Installing");
    close(fd);
    UNTIL(&plant.stage, !charger_session(world_charger(plant.central.world, AMP_TEXT("CP1"))));
    fd = plant_station("CP1", "One", "1.1"); /* E94 */
    is(key, COMMAND_CONFIRMED, "Booted");
    key = ask("CP1/commands", "",
              "{\"action\":\"GetLog\",\"payload\":{\"logType\":\"SecurityLog\",\"requestId\":5,"
              "\"log\":{\"remoteLocation\":\"http://x/\"}}}");
    plant_answer(fd, "GetLog", "SecurityLog", "{\"status\":\"Accepted\"}");
    plant_say(fd, "LogStatusNotification", "{\"status\":\"Uploading\",\"requestId\":6}");
    is(key, COMMAND_ACCEPTED, "");
    plant_say(fd, "LogStatusNotification", "{\"status\":\"Uploading\",\"requestId\":5}");
    is(key, COMMAND_ACCEPTED, "Uploading");
    plant_say(fd, "LogStatusNotification", "{\"status\":\"BadMessage\",\"requestId\":5}");
    is(key, COMMAND_NO_EFFECT, "BadMessage");
    key = ask("CP1/commands", "",
              "{\"action\":\"GetDiagnostics\",\"payload\":{\"location\":\"ftp://x/\"}}");
    plant_answer(fd, "GetDiagnostics", "ftp://x/", "{\"fileName\":\"d.zip\"}");
    plant_say(fd, "DiagnosticsStatusNotification", "{\"status\":\"Uploaded\"}");
    is(key, COMMAND_CONFIRMED, "Uploaded");
    CHECK(plant_http("GET", "/api/v1/commands?limit=1", "", NULL) == 200 &&
              strstr(plant.text, "\"progress\":\"Uploaded\"") &&
              strstr(plant.text, "\"attempts\":1"),
          "seen through the API: %s", plant.text);
    close(fd);
    plant_end();
}

/* Through the death of the connection and of the process. */
static void test_sent_again(void) /* E54 */
{
    int64_t key, once;
    int fd;

    plant_begin();
    fd = plant_station("CP1", "One", "1.0");
    once = ask("CP1/data-transfer", "", "{\"vendorId\":\"v\"}");
    CHECK(strstr(plant_hear(fd), "DataTransfer"), "%s", plant.text);
    close(fd);
    UNTIL(&plant.stage, get(once)->state == COMMAND_TIMED_OUT);
    fd = plant_station("CP1", "One", "1.0");
    key = ask("CP1/get-configuration", "", "{}");
    CHECK(strstr(plant_hear(fd), "GetConfiguration"), "%s", plant.text);
    close(fd);
    UNTIL(&plant.stage, get(key)->state == COMMAND_QUEUED);
    fd = plant_station("CP1", "One", "1.0");
    CHECK(strstr(plant_hear(fd), "GetConfiguration"), "sent again: %s", plant.text);
    is(key, COMMAND_SENT, NULL);
    close(fd);
    plant_stop();
    plant_start();
    fd = plant_station("CP1", "One", "1.0");
    plant_answer(fd, "GetConfiguration", "{}",
                 "{\"configurationKey\":[{\"key\":\"A\",\"readonly\":true}]}");
    is(key, COMMAND_CONFIRMED, NULL);
    CHECK(get(key)->attempts == 3, "E54: by the next process, too: %d", (int)get(key)->attempts);
    CHECK(!world_command_get(plant.central.world, once) || get(once)->state == COMMAND_TIMED_OUT,
          "what may not be sent twice was not");
    close(fd);
    plant_end();
}

static void test_queue(void)
{
    int64_t key;
    int fd;

    plant_begin();
    close(plant_station("CP1", "One", "1.0"));
    UNTIL(&plant.stage, !charger_session(world_charger(plant.central.world, AMP_TEXT("CP1"))));
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/reset", "", "{\"type\":\"Soft\"}") == 409 &&
              strstr(plant.text, "queue=SECONDS"),
          "offline is said at once: %s", plant.text);
    key = ask("CP1/reset?queue=3600", "", "{\"type\":\"Soft\"}");
    CHECK(strstr(plant.text, "\"expiresAt\":\"2024-06-01T09:00:00Z\""), "%s", plant.text);
    fd = plant_station("CP1", "One", "1.0");
    plant_answer(fd, "Reset", "Soft", "{\"status\":\"Accepted\"}");
    is(key, COMMAND_ACCEPTED, NULL);
    close(fd);
    UNTIL(&plant.stage, !charger_session(world_charger(plant.central.world, AMP_TEXT("CP1"))));
    key = ask("CP1/clear-cache?queue=60", "", "{}");
    plant.clock_ms += 60000;
    v16_tick(plant.central.v16);
    is(key, COMMAND_ERROR, NULL);
    key = ask("CP1/clear-cache?queue=60", "", "{}");
    {
        char path[64];

        snprintf(path, sizeof path, "/api/v1/commands/%lld", (long long)key);
        CHECK(plant_http("DELETE", path, "", NULL) == 200 &&
                  strstr(plant.text, "\"failure\":\"withdrawn\""),
              "%s", plant.text);
        CHECK(plant_http("DELETE", path, "", NULL) == 409, "once: %s", plant.text);
    }
    plant_end();
}

static bool key_is(const char *key, const char *part)
{
    char path[128];

    snprintf(path, sizeof path, "/api/v1/chargers/CP1/configuration/%s", key);
    return plant_http("GET", path, "", NULL) == 200 && strstr(plant.text, part);
}

/* What was read and what was changed is kept, through a restart; E78: blanks, letters, absent keys.
 */
static void test_configuration(void)
{
    int fd;

    plant_begin();
    fd = plant_station("CP1", "One", "1.0");
    ask("CP1/get-configuration", "", "{}");
    plant_answer(fd, "GetConfiguration", "{}",
                 "{\"configurationKey\":[{\"key\":\" heartbeatinterval\",\"readonly\":false,"
                 "\"value\":\"300\"},{\"key\":\"Profiles\",\"readonly\":true,\"value\":"
                 "\"Core, SmartCharging ,Reservation\"}],\"unknownKey\":[\"Nonsense\"]}");
    CHECK(key_is("HeartbeatInterval", "\"key\":\"heartbeatinterval\",\"value\":\"300\""),
          "E78: lower case and blanks: %s", plant.text);
    CHECK(key_is("Profiles", "\"Core, SmartCharging ,Reservation\",\"readonly\":true"),
          "E78: a list with blanks stays as it is: %s", plant.text);
    CHECK(key_is("Nonsense", "\"known\":false"), "E78: a missing one: %s", plant.text);
    CHECK(plant_http("PUT", "/api/v1/chargers/CP1/configuration/HeartbeatInterval", "",
                     "{\"value\":\"\"}") == 202,
          "E80: %s", plant.text);
    plant_answer(fd, "ChangeConfiguration", "\"key\":\"heartbeatinterval\",\"value\":\"\"",
                 "{\"status\":\"RebootRequired\"}");
    CHECK(key_is("HeartbeatInterval", "\"value\":\"\",\"readonly\":false,\"known\":true,"
                                      "\"rebootRequired\":true"),
          "E80: an empty value, and a success that waits for a boot: %s", plant.text);
    ask("CP1/change-configuration", "", "{\"key\":\"Other\",\"value\":\"a b \"}");
    plant_answer(fd, "ChangeConfiguration", "\"a b \"", "{\"status\":\"Rejected\"}");
    CHECK(plant_http("GET", "/api/v1/chargers/CP1/configuration/Other", "", NULL) == 404,
          "what was rejected is not known: %s", plant.text);
    close(fd);
    plant_stop();
    plant_start();
    CHECK(key_is("HEARTBEATINTERVAL", "\"rebootRequired\":true"), "kept: %s", plant.text);
    close(plant_station("CP1", "One", "1.0"));
    CHECK(plant_http("GET", "/api/v1/chargers/CP1/configuration", "", NULL) == 200 &&
              strstr(plant.text, "\"heartbeatinterval\"") && !strstr(plant.text, "rebootRequired"),
          "it booted: %s", plant.text);
    plant_end();
}

/* E78: who ignores a request without keys is asked by name, some at a time. */
static void test_asked_by_name(void)
{
    int fd;

    plant_begin();
    fd = plant_station("CP1", "One", "1.0");
    ask("CP1/get-configuration", "", "{}");
    plant_reply(fd, "GetConfiguration", "{}", "{}");
    for (int i = 0; i < 5; i++)
        plant_reply(fd, "GetConfiguration", "{\"key\":[\"",
                    i ? "{\"unknownKey\":[]}"
                      : "{\"configurationKey\":[{\"key\":\"BlinkRepeat\",\"readonly\":false,"
                        "\"value\":\"3\"}]}");
    plant_say(fd, "Heartbeat", "{}"); /* and no more of them */
    CHECK(key_is("BlinkRepeat", "\"value\":\"3\""), "E78: %s", plant.text);
    close(fd);
    plant_end();
}

/* E79: some die of a key that they do not know: data says which. */
static void test_deadly_keys(void)
{
    int fd;

    plant_begin();
    fd = plant_station("CP1", "Frail", "1.0");
    CHECK(plant_http("PUT", "/api/v1/quirks/frail", "",
                     "{\"vendor\":\"acme\",\"model\":\"Frail\",\"unknownKeysKill\":true,"
                     "\"urlMax\":20}") == 200,
          "%s", plant.text);
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/get-configuration", "",
                     "{\"key\":[\"HeartbeatInterval\"]}") == 409 &&
              strstr(plant.text, "unknown-key-kills"),
          "E79: not known yet: %s", plant.text);
    ask("CP1/get-configuration", "", "{}");
    plant_answer(fd, "GetConfiguration", "{}",
                 "{\"configurationKey\":[{\"key\":\"HeartbeatInterval\",\"readonly\":false,"
                 "\"value\":\"1\"}],\"unknownKey\":[\"Gone\"]}");
    ask("CP1/get-configuration", "", "{\"key\":[\"heartbeatInterval\"]}");
    plant_answer(fd, "GetConfiguration", "heartbeatInterval", "{}");
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/commands", "",
                     "{\"action\":\"GetConfiguration\",\"payload\":{\"key\":[\"Gone\"]}}") == 409 &&
              strstr(plant.text, "\"Gone\\\""),
          "E79: by the other route, too: %s", plant.text);
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/commands", "",
                     "{\"action\":\"GetDiagnostics\",\"payload\":{\"location\":"
                     "\"http://example.test/1\"}}") == 422 &&
              strstr(plant.text, "url-too-long"),
          "E95: its modem cuts addresses: %s", plant.text);
    ask("CP1/commands", "",
        "{\"action\":\"GetDiagnostics\",\"payload\":{\"location\":\"http://example.test/\"}}");
    plant_answer(fd, "GetDiagnostics", "http://example.test/\"", "{}");
    close(fd);
    plant_end();
}

/* E95: a second update does not restart the one that runs, unless somebody insists. */
static void test_second_update(void)
{
    static const char *const update =
        "{\"action\":\"UpdateFirmware\",\"payload\":{\"location\":\"http://x/f\","
        "\"retrieveDate\":\"2024-06-01T08:00:00Z\"}}";
    int fd;

    plant_begin();
    fd = plant_station("CP1", "One", "1.0");
    ask("CP1/commands", "", update);
    plant_answer(fd, "UpdateFirmware", "http://x/f", "{}");
    plant_say(fd, "FirmwareStatusNotification", "{\"status\":\"Downloading\"}");
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/commands", "", update) == 409 &&
              strstr(plant.text, "update-running") && strstr(plant.text, "(Downloading)"),
          "E95: %s", plant.text);
    ask("CP1/commands?force=true", "", update);
    plant_answer(fd, "UpdateFirmware", "http://x/f", "{}");
    close(fd);
    plant_end();
}

#define TRACE "0123456789abcdef0123456789abcdef"

static void test_trace(void)
{
    char line[128];
    int64_t key;
    int fd;

    plant_begin();
    fd = plant_station("CP1", "One", "1.0");
    key = ask("CP1/clear-cache", "traceparent: 00-" TRACE "-00f067aa0ba902b7-01\r\n", "{}");
    CHECK(strstr(plant.text, "\r\ntraceparent: 00-" TRACE "-") &&
              strstr(plant.text, "\"trace\":\"" TRACE "\"") &&
              !strstr(plant.text, "00f067aa0ba902b7"),
          "the answer returns it, with a span of our own: %s", plant.text);
    plant_answer(fd, "ClearCache", "", "{\"status\":\"Accepted\"}");
    snprintf(line, sizeof line, "command=%lld state=sent attempts=1 trace=" TRACE, (long long)key);
    CHECK(strstr(plant_log(), "call sent") && strstr(plant_log(), line), "%s", plant_log());
    snprintf(line, sizeof line, "command=%lld state=confirmed attempts=1 trace=" TRACE,
             (long long)key);
    CHECK(strstr(plant_log(), "call ended") && strstr(plant_log(), line), "%s", plant_log());
    ask("CP1/clear-cache", "traceparent: 00-" TRACE "-0000000000000000-01\r\n", "{}");
    CHECK(!strstr(plant.text, TRACE) && strstr(plant.text, "\"trace\":\""),
          "one that is not sound is replaced: %s", plant.text);
    close(fd);
    plant_end();
}

int main(void)
{
    RUN(test_triggered);
    RUN(test_progress);
    RUN(test_sent_again);
    RUN(test_queue);
    RUN(test_configuration);
    RUN(test_asked_by_name);
    RUN(test_deadly_keys);
    RUN(test_second_update);
    RUN(test_trace);
    return check_end();
}
