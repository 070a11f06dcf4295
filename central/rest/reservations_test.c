/* central/rest/reservations_test.c - reserving a connector through the API, and what becomes of it.
 * The numbers are those of the list of edge cases. */
#include "central/domain/configuration.h"
#include "central/domain/quirk.h"
#include "central/domain/reservation.h"
#include "central/rest/stage_shapes.h"

#define LATER "\"expiresAt\":\"2026-01-01T01:00:00Z\""

static int64_t number(const char *body, const char *name)
{
    char key[64];
    const char *at;

    snprintf(key, sizeof key, "\"%s\":", name);
    at = body ? strstr(body, key) : NULL;
    return at ? strtoll(at + strlen(key), NULL, 10) : 0;
}

/* The station answers the newest command of this charger. */
static void station(struct charger *ch, int state, const char *answer)
{
    const struct command_fact *k = world_command_next(stage.c.world, ch);
    int64_t key = k ? k->key : 0;

    CHECK(key > 0, "something is asked");
    world_command_change(stage.c.world, key,
                         &(struct command_change){ .state = COMMAND_SENT,
                                                   .correlation = AMP_TEXT("m") },
                         stage_now_ms);
    world_command_change(stage.c.world, key,
                         &(struct command_change){ .state = state, .answer = amp_text_of(answer) },
                         stage_now_ms);
    stage_settle();
}

static void test_life(void)
{
    struct charger *ch;
    struct net_conn *c;
    int64_t id;
    char path[96];

    stage_open();
    ch = stage_charger("CP1");
    c = stage_admin(
        "POST", "/api/v1/reservations",
        "{\"charger\":\"CP1\",\"connectorId\":1,\"idTag\":\"Ann\",\"parent\":\"F\"," LATER "}");
    CHECK(c->status == 202 && stage_has(c->body, "\"state\":\"requested\""), "%d %s", c->status,
          c->body);
    check_shape("asked for", "reservation", c->body);
    id = number(c->body, "id");
    CHECK(id == 1 && number(c->body, "command") > 0, "an id of ours: %s", c->body);
    CHECK(
        amp_text_is(world_command_next(stage.c.world, ch)->payload,
                    "{\"connectorId\":1,\"expiryDate\":\"2026-01-01T01:00:00Z\",\"idTag\":\"Ann\","
                    "\"parentIdTag\":\"F\",\"reservationId\":1}"),
        "what is sent");
    station(ch, COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}");
    snprintf(path, sizeof path, "/api/v1/reservations/%lld", (long long)id);
    c = stage_admin("GET", path, NULL);
    check_shape("active", "reservation", c->body);
    CHECK(stage_has(c->body, "\"state\":\"active\""), "%s", c->body);
    c = stage_admin("GET", "/api/v1/reservations?charger=CP1&open=true&connector=1", NULL);
    check_list("open", API_LIST_RESERVATIONS, c->body);
    CHECK(number(c->body, "id") == id, "%s", c->body);
    c = stage_send(1, "DELETE", strcat(path, "?wait=5"), AS_ADMIN, NULL);
    stage_settle();
    CHECK(!c->status, "cancelling waits for the station");
    station(ch, COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}");
    stage_until(&c->status);
    CHECK(c->status == 200 && stage_has(c->body, "\"state\":\"cancelled\""), "%d %s", c->status,
          c->body);
    check_shape("cancelled", "reservation", c->body);
    CHECK(stage_admin("DELETE", "/api/v1/reservations/1", NULL)->status == 409, "not twice");
    c = stage_admin("GET", "/api/v1/reservations?open=false", NULL);
    CHECK(number(c->body, "id") == id, "it ended: %s", c->body);
    stage_close();
}

static void test_any_way(void)
{
    struct charger *ch;
    struct net_conn *c;

    stage_open();
    ch = stage_charger("CP1");
    stage_admin("POST", "/api/v1/chargers/CP1/commands",
                "{\"action\":\"ReserveNow\",\"payload\":{\"connectorId\":1,\"expiryDate\":\"2026-"
                "01-01T01:00:00Z\","
                "\"idTag\":\"Ann\",\"reservationId\":12}}");
    station(ch, COMMAND_REJECTED, "{\"status\":\"Occupied\"}");
    c = stage_admin("GET", "/api/v1/reservations/12", NULL);
    CHECK(stage_has(c->body, "\"state\":\"refused\",\"why\":\"Occupied\""),
          "a raw command makes one, too: %s", c->body);
    check_shape("refused", "reservation", c->body);
    stage_close();
}

static void test_refusals(void)
{
    static const struct {
        const char *why, *body;
        int status;
        const char *part;
    } cases[] = {
        { "no charger", "{\"charger\":\"NONE\",\"connectorId\":1,\"idTag\":\"Ann\"," LATER "}", 404,
          "NONE" },
        { "offline", "{\"charger\":\"CP2\",\"connectorId\":1,\"idTag\":\"Ann\"," LATER "}", 409,
          "station-offline" },
        { "over",
          "{\"charger\":\"CP1\",\"connectorId\":1,\"idTag\":\"Ann\",\"expiresAt\":\"2025-12-31T00:"
          "00:00Z\"}",
          422, "\"field\":\"expiresAt\"" },
        { "a long tag",
          "{\"charger\":\"CP1\",\"connectorId\":1,\"idTag\":\"123456789012345678901\"," LATER "}",
          422, "\"field\":\"idTag\"" },
        { "blocked", "{\"charger\":\"CP1\",\"connectorId\":1,\"idTag\":\"BAD\"," LATER "}", 409,
          "\"field\":\"idTag\"" },
        { "id 0 is none (E30)",
          "{\"charger\":\"CP1\",\"connectorId\":1,\"idTag\":\"Ann\",\"id\":0," LATER "}", 422,
          "\"field\":\"id\"" },
        { "an id beyond",
          "{\"charger\":\"CP1\",\"connectorId\":1,\"idTag\":\"Ann\",\"id\":2147483648," LATER "}",
          422, "\"field\":\"id\"" },
        { "an id that was used",
          "{\"charger\":\"CP1\",\"connectorId\":1,\"idTag\":\"Ann\",\"id\":5," LATER "}", 409,
          "\"field\":\"id\"" },
        { "no connector 0 (E30)",
          "{\"charger\":\"CP1\",\"connectorId\":0,\"idTag\":\"Ann\"," LATER "}", 409,
          "\"field\":\"connectorId\"" },
        { "no connector", "{\"charger\":\"CP1\",\"idTag\":\"Ann\"," LATER "}", 422,
          "\"field\":\"connectorId\"" },
        { "a tag in words (E34)",
          "{\"charger\":\"CP3\",\"connectorId\":1,\"idTag\":\"Ann\"," LATER "}", 422,
          "hexadecimal" },
    };
    struct charger *ch;
    struct net_conn *c;

    stage_open();
    ch = stage_charger("CP1"), stage_charger("CP3");
    world_charger_meet(stage.c.world, AMP_TEXT("CP2"), stage_now_ms);
    world_put_quirk(stage.c.world, &(struct quirk_fact){ .org = ORG_DEFAULT,
                                                         .name = AMP_TEXT("q"),
                                                         .charger = 2,
                                                         .flags = QUIRK_HEX_TAGS,
                                                         .stack_max = -1 });
    world_put_tag(stage.c.world, &(struct tag_fact){ .org = ORG_DEFAULT,
                                                     .tag = AMP_TEXT("BAD"),
                                                     .status = AMP_TEXT("Blocked") });
    c = stage_admin("POST", "/api/v1/reservations",
                    "{\"charger\":\"CP1\",\"connectorId\":0,\"idTag\":\"Ann\",\"id\":7," LATER "}");
    CHECK(c->status == 202 && number(c->body, "id") == 7, "a chosen id: %s", c->body);
    station(ch, COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}");
    c = stage_admin("POST", "/api/v1/reservations",
                    "{\"charger\":\"CP1\",\"connectorId\":1,\"idTag\":\"Bob\",\"id\":7," LATER "}");
    CHECK(c->status == 202, "an open one is replaced: %s", c->body);
    station(ch, COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}");
    CHECK(amp_text_is(world_reservation(stage.c.world, 7)->tag, "Bob") &&
              world_reservation_id(stage.c.world) == 8,
          "replaced");
    world_config_read(stage.c.world, ch, AMP_TEXT("ReserveConnectorZeroSupported"),
                      AMP_TEXT("false"), true, stage_now_ms);
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        c = stage_admin("POST", "/api/v1/reservations", cases[i].body);
        CHECK(c->status == cases[i].status && stage_has(c->body, cases[i].part), "%s: %d %s",
              cases[i].why, c->status, c->body);
        check_shape(cases[i].why, "problem", c->body);
    }
    CHECK(stage_admin("GET", "/api/v1/reservations/99", NULL)->status == 404, "none");
    CHECK(stage_admin("DELETE", "/api/v1/reservations/99", NULL)->status == 404, "none");
    stage_close();
}

static void test_live(void)
{
    struct net_conn *c;

    stage_open();
    stage_charger("CP1");
    c = stage_send(2, "GET", "/api/v1/events?topics=reservations", AS_ADMIN, NULL);
    stage_admin("POST", "/api/v1/reservations",
                "{\"charger\":\"CP1\",\"connectorId\":1,\"idTag\":\"Ann\"," LATER "}");
    stage_settle();
    live_flush(stage.c.live);
    CHECK(stage_has(c->streamed, "\"topic\":\"reservations\",\"kind\":\"reservation\"") &&
              stage_has(c->streamed, "\"state\":\"requested\""),
          "%s", c->streamed);
    stage_close();
}

int main(void)
{
    RUN(test_life);
    RUN(test_any_way);
    RUN(test_refusals);
    RUN(test_live);
    return check_end();
}
