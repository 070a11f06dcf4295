/* central/rest/local_lists_test.c - local lists through the API: made, filled, given to chargers,
 * and what the chargers say. */
#include "central/domain/local_list.h"
#include "central/rest/stage_shapes.h"

/* The station is asked that, and answers. */
static void station(struct charger *ch, const char *action, const char *part, int state,
                    const char *answer)
{
    const struct command_fact *k;
    int64_t key;

    world_sync(stage.c.world, ch, stage_now_ms);
    k = world_command_next(stage.c.world, ch);
    key = k ? k->key : 0;
    CHECK(k && amp_text_is(k->action, action) &&
              memmem(k->payload.at, k->payload.len, part, strlen(part)),
          "%s with %s: %.*s", action, part, k ? (int)k->payload.len : 0, k ? k->payload.at : "");
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
    unsigned kicks;

    stage_open();
    ch = stage_charger("CP1");
    stage_admin("PUT", "/api/v1/tags",
                "{\"items\":[{\"tag\":\"Ann\"},{\"tag\":\"Bob\",\"status\":\"Blocked\"},"
                "{\"tag\":\"123456789012345678901\"}]}");
    c = stage_admin("PUT", "/api/v1/local-lists/North", "{\"note\":\"n\"}");
    check_shape("made", "localList", c->body);
    c = stage_admin("PATCH", "/api/v1/local-lists/north/tags",
                    "{\"add\":[\"ann\",\"Bob\",\"123456789012345678901\",\"Nobody\",\"ANN\"]}");
    CHECK(stage_has(c->body, "{\"added\":4,\"removed\":0,\"unchanged\":1}"), "%s", c->body);
    check_list("counts", API_CHANGE_LOCAL_LIST, c->body);
    c = stage_admin("GET", "/api/v1/local-lists/North", NULL);
    check_shape("filled", "localList", c->body);
    CHECK(stage_has(c->body, "\"entries\":4,\"sendable\":2,\"chargers\":0"),
          "E32: what can't be sent is told: %s", c->body);
    c = stage_admin("GET", "/api/v1/local-lists/North/tags?limit=2", NULL);
    check_list("tags", API_LIST_LOCAL_LIST_TAGS, c->body);
    CHECK(stage_has(c->body, "\"tag\":\"Ann\"") && stage_has(c->body, "\"next\":\"ann\""), "%s",
          c->body);
    check_list("lists", API_LIST_LOCAL_LISTS,
               stage_admin("GET", "/api/v1/local-lists", NULL)->body);

    kicks = stage.kicks;
    c = stage_admin("PUT", "/api/v1/chargers/CP1/local-list",
                    "{\"list\":\"NORTH\",\"maxEntries\":1}");
    check_shape("given", "chargerList", c->body);
    CHECK(stage_has(c->body, "\"list\":\"North\",\"state\":\"pending\"") &&
              stage.kicks == kicks + 1,
          "%s", c->body);
    station(ch, "GetLocalListVersion", "{}", COMMAND_ACCEPTED, "{\"listVersion\":3}");
    station(ch, "SendLocalList",
            "{\"listVersion\":4,\"localAuthorizationList\":[{\"idTag\":\"Ann\",", COMMAND_ACCEPTED,
            "{\"status\":\"Accepted\"}");
    station(ch, "SendLocalList",
            "{\"listVersion\":5,\"localAuthorizationList\":[{\"idTag\":\"Bob\",", COMMAND_ACCEPTED,
            "{\"status\":\"Accepted\"}");
    c = stage_admin("GET", "/api/v1/chargers/CP1/local-list", NULL);
    check_shape("there", "chargerList", c->body);
    CHECK(stage_has(c->body, "\"state\":\"synced\",\"version\":5,\"maxEntries\":1"), "%s", c->body);
    CHECK(stage_admin("DELETE", "/api/v1/local-lists/North", NULL)->status == 409, "in use");
    c = stage_admin("PATCH", "/api/v1/local-lists/North/tags", "{\"set\":[\"Bob\",\"Cy\"]}");
    CHECK(stage_has(c->body, "{\"added\":1,\"removed\":3,\"unchanged\":1}"), "%s", c->body);
    c = stage_admin("GET", "/api/v1/chargers/CP1/local-list", NULL);
    CHECK(stage_has(c->body, "\"state\":\"pending\""), "what changed is pending: %s", c->body);
    station(ch, "SendLocalList", "[{\"idTag\":\"ann\"}],\"updateType\":\"Differential\"",
            COMMAND_REJECTED, "{\"status\":\"Failed\"}");
    station(ch, "SendLocalList", "\"updateType\":\"Full\"", COMMAND_REJECTED,
            "{\"status\":\"Failed\"}");
    c = stage_admin("GET", "/api/v1/chargers/CP1/local-list", NULL);
    CHECK(stage_has(c->body, "\"state\":\"failed\"") && stage_has(c->body, "\"why\":\"Failed\""),
          "%s", c->body);
    c = stage_admin("POST", "/api/v1/chargers/CP1/local-list/send", "{\"full\":true}");
    CHECK(c->status == 202 && stage_has(c->body, "\"state\":\"pending\""), "%s", c->body);
    check_shape("again", "chargerList", c->body);
    station(ch, "SendLocalList", "\"updateType\":\"Full\"", COMMAND_ACCEPTED,
            "{\"status\":\"Accepted\"}");
    c = stage_admin("DELETE", "/api/v1/chargers/CP1/local-list?leave=true", NULL);
    CHECK(stage_has(c->body, "\"state\":\"none\""), "%s", c->body);
    CHECK(stage_admin("DELETE", "/api/v1/local-lists/North", NULL)->status == 204, "gone");
    CHECK(stage_admin("GET", "/api/v1/local-lists/North", NULL)->status == 404, "gone");
    stage_close();
}

static void test_by_hand(void)
{
    struct charger *ch;
    struct net_conn *c;

    stage_open();
    ch = stage_charger("CP1");
    c = stage_admin("POST", "/api/v1/chargers/CP1/get-local-list-version", NULL);
    CHECK(c->status == 202, "%s", c->body);
    check_shape("asked", "command", c->body);
    station(ch, "GetLocalListVersion", "{}", COMMAND_ACCEPTED, "{\"listVersion\":7}");
    c = stage_admin("GET", "/api/v1/chargers/CP1/local-list", NULL);
    CHECK(stage_has(c->body, "\"state\":\"none\",\"version\":7"), "%s", c->body);
    c = stage_admin(
        "POST", "/api/v1/chargers/CP1/send-local-list",
        "{\"listVersion\":8,\"updateType\":\"Full\",\"localAuthorizationList\":[{\"idTag\":\"X\","
        "\"idTagInfo\":{\"status\":\"Accepted\"}}]}");
    CHECK(c->status == 202, "%s", c->body);
    station(ch, "SendLocalList", "8", COMMAND_ACCEPTED, "{\"status\":\"Accepted\"}");
    CHECK(charger_list(ch)->version == 8, "noted");
    CHECK(stage_admin("POST", "/api/v1/chargers/CP1/send-local-list",
                      "{\"listVersion\":0,\"updateType\":\"Full\"}")
                  ->status == 422,
          "0 and -1 are no versions: B11");
    CHECK(stage_admin("POST", "/api/v1/chargers/CP1/local-list/send", "{}")->status == 409,
          "it is to have none");
    CHECK(stage_admin("PUT", "/api/v1/chargers/CP1/local-list", "{\"list\":\"None\"}")->status ==
              422,
          "no such list");
    CHECK(stage_admin("PATCH", "/api/v1/local-lists/None/tags", "{\"add\":[\"x\"]}")->status == 404,
          "no such list");
    stage_admin("PUT", "/api/v1/local-lists/L", "{}");
    CHECK(stage_has(
              stage_admin("PATCH", "/api/v1/local-lists/L/tags", "{\"add\":[\"x\",\"\"]}")->body,
              "\"field\":\"add[1]\""),
          "no name");
    stage_close();
}

int main(void)
{
    RUN(test_life);
    RUN(test_by_hand);
    return check_end();
}
