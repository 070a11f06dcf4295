/* central/v16/resources_test.c - reservations and local lists over real sockets and a real
 * database, across lost connections and a restart of the server. */
#include "central/v16/plant.h"

#define JSON "Content-Type: application/json\r\n"

/* Hears a call with this action and part, and answers it; another call may follow at once. */
static void reply(int fd, const char *action, const char *part, const char *payload)
{
    char id[64] = "", message[512];

    plant_hear(fd);
    CHECK(sscanf(plant.text, "[2,\"%63[^\"]\"", id) == 1 && strstr(plant.text, action) &&
              strstr(plant.text, part),
          "a call %s with %s: '%s'", action, part, plant.text);
    snprintf(message, sizeof message, "[3,\"%s\",%s]", id, payload);
    peer_text(&plant.stage, fd, message);
}

static void restart(void)
{
    plant_stop();
    plant_start();
}

/* Turns the clock and the loop until the tick has seen it. */
static void tick(int64_t ms)
{
    plant.clock_ms += ms;
    v16_tick(plant.central.v16);
}

static void expect(const char *path, const char *part)
{
    CHECK(plant_http("GET", path, "", NULL) == 200 && strstr(plant.text, part), "%s: no %s in %s",
          path, part, plant.text);
}

static void test_reservation(void)
{
    int64_t id;
    int fd;

    plant_begin();
    fd = plant_station("CP1", "One", "1");
    CHECK(plant_http("POST", "/api/v1/reservations", JSON,
                     "{\"charger\":\"CP1\",\"connectorId\":1,\"idTag\":\"Ann\",\"expiresAt\":"
                     "\"2024-06-01T09:00:00Z\"}") == 202,
          "%s", plant.text);
    id = plant_number("id");
    plant_answer(fd, "ReserveNow", "\"reservationId\":1", "{\"status\":\"Accepted\"}");
    close(fd);
    restart();
    CHECK(plant_http("GET", "/api/v1/reservations/1", "", NULL) == 200 &&
              plant_number("id") == id && strstr(plant.text, "\"state\":\"active\""),
          "it survives a restart: %s", plant.text);
    fd = plant_station("CP1", "One", "1");
    plant_say(fd, "StartTransaction",
              "{\"connectorId\":1,\"idTag\":\"Ann\",\"meterStart\":5,\"reservationId\":1,"
              "\"timestamp\":\"2024-06-01T08:10:00Z\"}");
    expect("/api/v1/reservations/1", "\"state\":\"used\"");
    CHECK(plant_http("POST", "/api/v1/reservations", JSON,
                     "{\"charger\":\"CP1\",\"connectorId\":2,\"idTag\":\"Ann\",\"expiresAt\":"
                     "\"2024-06-01T09:00:00Z\"}") == 202 &&
              plant_number("id") == 2,
          "ids go on: %s", plant.text);
    plant_answer(fd, "ReserveNow", "\"reservationId\":2", "{\"status\":\"Accepted\"}");
    plant_say(fd, "StatusNotification",
              "{\"connectorId\":2,\"status\":\"Faulted\",\"errorCode\":\"GroundFailure\"}");
    expect("/api/v1/reservations/2",
           "\"state\":\"void\",\"why\":\"connector 2 is Faulted\""); /* E29 */
    CHECK(plant_http("POST", "/api/v1/reservations", JSON,
                     "{\"charger\":\"CP1\",\"connectorId\":3,\"idTag\":\"Ann\",\"expiresAt\":"
                     "\"2024-06-01T09:00:00Z\"}") == 202,
          "%s", plant.text);
    plant_answer(fd, "ReserveNow", "\"reservationId\":3", "{\"status\":\"Accepted\"}");
    tick(2 * 3600 * 1000);
    expect("/api/v1/reservations/3", "\"state\":\"expired\"");
    close(fd);
    plant_end();
}

static void test_list(void)
{
    int fd;

    plant_begin();
    plant_http("PUT", "/api/v1/tags", JSON,
               "{\"items\":[{\"tag\":\"Ann\"},{\"tag\":\"Bob\",\"status\":\"Blocked\"}]}");
    plant_http("PUT", "/api/v1/local-lists/L", JSON, "{}");
    plant_http("PATCH", "/api/v1/local-lists/L/tags", JSON, "{\"set\":[\"Ann\",\"Bob\"]}");
    fd = plant_station("CP1", "One", "1");
    CHECK(plant_http("PUT", "/api/v1/chargers/CP1/local-list", JSON, "{\"list\":\"L\"}") == 200,
          "%s", plant.text);
    reply(fd, "GetLocalListVersion", "{}", "{\"listVersion\":0}");
    plant_answer(fd, "SendLocalList", "\"updateType\":\"Full\"", "{\"status\":\"Accepted\"}");
    expect("/api/v1/chargers/CP1/local-list", "\"state\":\"synced\",\"version\":1");
    close(fd);
    UNTIL(&plant.stage, !charger_session(world_charger(plant.central.world, AMP_TEXT("CP1"))));
    plant_http("PUT", "/api/v1/tags/Bob", JSON, "{\"status\":\"Accepted\"}");
    plant.clock_ms += 60000;
    restart();
    fd = plant_station("CP1", "One", "1");
    reply(fd, "GetLocalListVersion", "{}", "{\"listVersion\":1}");
    plant_answer(fd, "SendLocalList",
                 "{\"listVersion\":2,\"localAuthorizationList\":[{\"idTag\":\"Bob\",\"idTagInfo\":{"
                 "\"status\":"
                 "\"Accepted\"}}],\"updateType\":\"Differential\"}",
                 "{\"status\":\"Accepted\"}");
    expect("/api/v1/chargers/CP1/local-list", "\"state\":\"synced\",\"version\":2");
    close(fd);
    plant_end();
}

#define SCHEDULE                                                                             \
    "\"chargingProfileKind\":\"Relative\",\"chargingSchedule\":{\"chargingRateUnit\":\"A\"," \
    "\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":6}]}"

/* E91, for raw commands too. */
static void test_profile_rules(void)
{
    static const struct {
        const char *body, *part;
    } cases[] = {
        { "{\"action\":\"RemoteStartTransaction\",\"payload\":{\"idTag\":\"A\",\"chargingProfile\":"
          "{"
          "\"chargingProfileId\":1,\"stackLevel\":0,\"chargingProfilePurpose\":"
          "\"TxDefaultProfile\"," SCHEDULE "}}}",
          "\"field\":\"chargingProfile.chargingProfilePurpose\"" },
        { "{\"action\":\"RemoteStartTransaction\",\"payload\":{\"idTag\":\"A\",\"chargingProfile\":"
          "{"
          "\"chargingProfileId\":1,\"transactionId\":3,\"stackLevel\":0,\"chargingProfilePurpose\":"
          "\"TxProfile\"," SCHEDULE "}}}",
          "\"field\":\"chargingProfile.transactionId\"" },
        { "{\"action\":\"SetChargingProfile\",\"payload\":{\"connectorId\":1,"
          "\"csChargingProfiles\":{"
          "\"chargingProfileId\":1,\"stackLevel\":0,\"chargingProfilePurpose\":"
          "\"ChargePointMaxProfile\"," SCHEDULE "}}}",
          "\"field\":\"connectorId\"" },
        { "{\"action\":\"SetChargingProfile\",\"payload\":{\"connectorId\":0,"
          "\"csChargingProfiles\":{"
          "\"chargingProfileId\":1,\"stackLevel\":0,\"chargingProfilePurpose\":"
          "\"TxProfile\"," SCHEDULE "}}}",
          "\"field\":\"connectorId\"" },
    };
    int fd;

    plant_begin();
    fd = plant_station("CP1", "One", "1");
    for (size_t i = 0; i < AMP_COUNT(cases); i++)
        CHECK(plant_http("POST", "/api/v1/chargers/CP1/commands", JSON, cases[i].body) == 422 &&
                  strstr(plant.text, cases[i].part),
              "E91: %s", plant.text);
    close(fd);
    plant_end();
}

/* From the template to the station and back. */
static void test_profile(void)
{
    int fd;

    plant_begin();
    plant_http("PUT", "/api/v1/tags/Ann", JSON, "{}");
    CHECK(plant_http(
              "PUT", "/api/v1/charging-profiles/Slow", JSON,
              "{\"purpose\":\"TxProfile\",\"kind\":\"Relative\",\"stackLevel\":1,\"unit\":\"A\","
              "\"periods\":[{\"startPeriod\":0,\"limit\":6.5}]}") == 200,
          "%s", plant.text);
    fd = plant_station("CP1", "One", "1");
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/remote-start", JSON,
                     "{\"connectorId\":1,\"idTag\":\"Ann\",\"profile\":\"slow\"}") == 202,
          "%s", plant.text);
    plant_answer(fd, "RemoteStartTransaction",
                 "\"chargingProfile\":{\"chargingProfileId\":1001,\"stackLevel\":1,"
                 "\"chargingProfilePurpose\":"
                 "\"TxProfile\",\"chargingProfileKind\":\"Relative\",\"chargingSchedule\":{"
                 "\"chargingRateUnit\":"
                 "\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":6.5}]}}",
                 "{\"status\":\"Accepted\"}"); /* E91 */
    plant_say(fd, "StartTransaction",
              "{\"connectorId\":1,\"idTag\":\"Ann\",\"meterStart\":5,\"timestamp\":\"2024-06-01T08:"
              "00:00Z\"}");
    expect("/api/v1/chargers/CP1/charging-profiles",
           "\"state\":\"installed\",\"profile\":\"Slow\"");
    CHECK(plant_number("transactionId") == 1, "of that session: %s", plant.text);
    restart();
    expect("/api/v1/chargers/CP1/charging-profiles",
           "\"state\":\"installed\",\"profile\":\"Slow\"");
    close(fd);
    fd = plant_station("CP1", "One", "1");
    plant_say(fd, "StopTransaction",
              "{\"transactionId\":1,\"meterStop\":9,\"timestamp\":\"2024-06-01T08:30:00Z\"}");
    expect("/api/v1/chargers/CP1/charging-profiles", "\"items\":[]");
    close(fd);
    plant_end();
}

int main(void)
{
    RUN(test_profile_rules);
    RUN(test_profile);
    RUN(test_reservation);
    RUN(test_list);
    return check_end();
}
