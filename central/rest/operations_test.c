/* central/rest/operations_test.c - a typed route for each operation that a central system of
 * OCPP 1.6 sends: its body becomes the payload, mistakes are named, and the command is what api.def
 * says. */
#include "central/domain/operation.h"
#include "central/rest/stage_shapes.h"

static const struct {
    const char *path, *body;
    int status;
    const char *part;
} cases[] = {
    { "change-availability", "{\"connectorId\":0,\"type\":\"Inoperative\"}", 202,
      "\"action\":\"ChangeAvailability\",\"state\":\"queued\",\"payload\":{\"connectorId\":0,"
      "\"type\":\"Inoperative\"},\"connectorId\":0" },
    { "change-availability", "{\"connectorId\":1,\"type\":\"Broken\"}", 422, "\"field\":\"type\"" },
    { "change-availability", "{\"type\":\"Operative\"}", 422, "\"field\":\"connectorId\"" },
    { "change-configuration", " {\"key\" : \"A b\",\n\"value\":\" \\\" x \"} ", 202,
      "\"payload\":{\"key\":\"A b\",\"value\":\" \\\" x \"}" },
    { "change-configuration", "{\"key\":\"X\",\"value\":\"\"}", 202, "\"value\":\"\"" },
    { "change-configuration", "{\"key\":\"X\"}", 422, "\"field\":\"value\"" },
    { "get-configuration", "{}", 202, "\"action\":\"GetConfiguration\"" },
    { "get-configuration", "{\"key\":[\"A\",\"B\"]}", 202, "\"payload\":{\"key\":[\"A\",\"B\"]}" },
    { "get-configuration", "{\"keys\":[\"A\"]}", 400, "unknown field" },
    { "clear-cache", "", 202, "\"action\":\"ClearCache\",\"state\":\"queued\",\"payload\":{}" },
    { "data-transfer", "{\"vendorId\":\"v\",\"data\":\"{\\\"a\\\": 1}\"}", 202,
      "\"data\":\"{\\\"a\\\": 1}\"" },
    { "data-transfer", "{\"data\":\"x\"}", 422, "\"field\":\"vendorId\"" },
    { "get-composite-schedule", "{\"connectorId\":1,\"duration\":3600,\"chargingRateUnit\":\"A\"}",
      202, "\"action\":\"GetCompositeSchedule\"" },
    { "get-composite-schedule", "{\"connectorId\":1,\"duration\":3600,\"chargingRateUnit\":\"V\"}",
      422, "\"field\":\"chargingRateUnit\"" },
    { "extended-trigger", "{\"requestedMessage\":\"LogStatusNotification\"}", 202,
      "\"action\":\"ExtendedTriggerMessage\"" },
    { "extended-trigger", "{\"requestedMessage\":\"MeterValues\",\"connectorId\":0}", 422,
      "\"field\":\"connectorId\"" },
};

static void test_routes(void) /* E80: an empty value and one with blanks are legal */
{
    stage_open();
    stage_charger("CP1");
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        char path[96];
        struct net_conn *c;

        snprintf(path, sizeof path, "/api/v1/chargers/CP1/%s", cases[i].path);
        c = stage_admin("POST", path, cases[i].body);
        CHECK(c->status == cases[i].status && stage_has(c->body, cases[i].part), "%s %s: %d %s",
              path, cases[i].body, c->status, c->body);
        check_shape(path, cases[i].status == 202 ? "command" : "problem", c->body);
    }
    stage_close();
}

/* Who watches sees how far an update is. */
static void test_live_progress(void)
{
    struct command_change sent = { .state = COMMAND_SENT }, yes = { .state = COMMAND_ACCEPTED };
    struct net_conn *watcher;
    struct charger *ch;

    stage_open();
    ch = stage_charger("CP1");
    stage_settle();
    watcher = stage_send(5, "GET", "/api/v1/events?topics=commands", AS_ADMIN, NULL);
    CHECK(watcher->stream, "watches");
    stage_admin("POST", "/api/v1/chargers/CP1/commands", "{\"action\":\"UpdateFirmware\"}");
    world_command_change(stage.c.world, 1, &sent, stage_now_ms);
    world_command_change(stage.c.world, 1, &yes, stage_now_ms);
    world_progress(stage.c.world, ch, PROGRESS_FIRMWARE, 0, AMP_TEXT("Downloading"), stage_now_ms);
    stage_settle();
    live_flush(stage.c.live);
    CHECK(stage_has(watcher->streamed, "\"state\":\"accepted\"") &&
              stage_has(watcher->streamed, "\"progress\":\"Downloading\""),
          "%s", watcher->streamed);
    stage_close();
}

int main(void)
{
    RUN(test_routes);
    RUN(test_live_progress);
    return check_end();
}
