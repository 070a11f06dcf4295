/* central/rest/rest_test.c - the API from request to answer: who may ask, what is answered, when it
 * is answered, and that every answer is what api.def (and so the OpenAPI description) says. */
#include "central/rest/router.h"
#include "central/rest/stage.h"

#include "messages/api.h"

static char arena_block[1 << 18];

/* Is `body` the thing that `Shapes` calls `name`? Strictly: no field more, none of a wrong type. */
static void check_shape(const char *why, const char *name, const char *body)
{
    struct api_shapes_reply shapes;
    struct amp_arena arena;
    struct amp_fault fault = { 0 };
    size_t size = strlen(body) + strlen(name) + 8;
    char *text = malloc(size);
    int rc;

    snprintf(text, size, "{\"%s\":%s}", name, body);
    amp_arena_init(&arena, arena_block, sizeof arena_block);
    rc = amp_decode(api.messages[API_SHAPES].reply, AMP_OCPP16, AMP_STRICT, amp_text_of(text),
                    &shapes, &arena, &fault, NULL);
    CHECK(rc == 0, "%s: %s: %s: %s", why, fault.path, fault.why ? fault.why : "", body);
    free(text);
}

/* The same for the answer of a list. */
static void check_list(const char *why, int message, const char *body)
{
    struct amp_arena arena;
    struct amp_fault fault = { 0 };
    static uint64_t out[64];
    int rc;

    CHECK(api.messages[message].reply_size <= sizeof out, "room for the reply");
    amp_arena_init(&arena, arena_block, sizeof arena_block);
    rc = amp_decode(api.messages[message].reply, AMP_OCPP16, AMP_STRICT, amp_text_of(body), out,
                    &arena, &fault, NULL);
    CHECK(rc == 0, "%s: %s: %s: %s", why, fault.path, fault.why ? fault.why : "", body);
}

static void check_problem(const char *why, const struct net_conn *c, int status, const char *part)
{
    CHECK(c->status == status, "%s: status %d: %s", why, c->status, c->body);
    CHECK(!strcmp(c->type, "application/problem+json"), "%s: type %s", why, c->type);
    CHECK(stage_has(c->body, part), "%s: no '%s' in %s", why, part, c->body);
    check_shape(why, "problem", c->body);
}

/* Nothing in the real table hides behind something else, and every part of it makes sense. */
static void test_routes(void)
{
    for (size_t i = 0; i < rest_route_count; i++) {
        const struct rest_route *r = &rest_routes[i], *found = NULL;
        char params[REST_PARAMS_MAX][REST_PARAM_MAX], allow[64];
        int rc = rest_match(rest_routes, rest_route_count, amp_text_of(r->method),
                            amp_text_of(r->pattern), &found, params, allow);

        CHECK(rc == 0 && found == r, "%s %s finds another route", r->method, r->pattern);
        CHECK(r->handle && r->summary && r->status >= 100, "%s %s is complete", r->method,
              r->pattern);
        CHECK(r->role >= 0 && r->role <= ROLE_ADMIN, "%s %s has a role", r->method, r->pattern);
    }
}

/* ---- who may ask ---- */

static void test_refusals(void)
{
    static const struct {
        const char *why, *method, *target, *head, *body;
        int status;
        const char *part;
    } cases[] = {
        { "nobody", "GET", "/api/v1/chargers", "", NULL, 401, "unauthorized" },
        { "a wrong key", "GET", "/api/v1/chargers", "Authorization: Bearer nonsense\r\n", NULL, 401,
          "unauthorized" },
        { "an unknown cookie", "GET", "/api/v1/me", "Cookie: amp_session=abc\r\n", NULL, 401,
          "unauthorized" },
        { "no such path", "GET", "/api/v1/nothing", AS_ADMIN, NULL, 404, "openapi.json" },
        { "no such method", "DELETE", "/api/v1/chargers", AS_ADMIN, NULL, 405, "GET, POST" },
        { "unknown parameter", "GET", "/api/v1/transactions?chrger=x", AS_ADMIN, NULL, 400,
          "\"field\":\"chrger\"" },
        { "a limit beyond the limit", "GET", "/api/v1/messages?limit=1001", AS_ADMIN, NULL, 400,
          "from 1 to 1000" },
        { "no number", "GET", "/api/v1/messages?before=x", AS_ADMIN, NULL, 400,
          "\"field\":\"before\"" },
        { "no time", "GET", "/api/v1/messages?from=yesterday", AS_ADMIN, NULL, 400, "2026-01-31" },
        { "no boolean", "GET", "/api/v1/transactions?open=perhaps", AS_ADMIN, NULL, 400,
          "true or false" },
        { "no direction", "GET", "/api/v1/messages?direction=up", AS_ADMIN, NULL, 400,
          "received or sent" },
        { "a charger nobody knows", "GET", "/api/v1/chargers/NONE", AS_ADMIN, NULL, 404, "NONE" },
        { "a list of a charger nobody knows", "GET", "/api/v1/messages?charger=NONE", AS_ADMIN,
          NULL, 404, "NONE" },
        { "a transaction nobody knows", "GET", "/api/v1/transactions/77", AS_ADMIN, NULL, 404,
          "77" },
        { "no transaction at all", "GET", "/api/v1/transactions/x", AS_ADMIN, NULL, 404, "x" },
        { "a command nobody knows", "GET", "/api/v1/commands/77", AS_ADMIN, NULL, 404, "77" },
        { "no JSON", "POST", "/api/v1/chargers", AS_ADMIN, "{\"id\":", 400, "not-json" },
        { "an unknown field", "POST", "/api/v1/chargers", AS_ADMIN, "{\"identity\":\"X\"}", 400,
          "unknown field" },
        { "a wrong type", "POST", "/api/v1/chargers", AS_ADMIN, "{\"id\":7}", 422,
          "\"field\":\"id\"" },
        { "no identity", "POST", "/api/v1/chargers", AS_ADMIN, "{}", 422, "\"field\":\"id\"" },
        { "an identity with a blank", "POST", "/api/v1/chargers", AS_ADMIN, "{\"id\":\"A B\"}", 422,
          "\"field\":\"id\"" },
        { "a tag that is too long", "PUT",
          "/api/v1/tags/1234567890123456789012345678901234567890123456789012345678901234x",
          AS_ADMIN, "{}", 422, "64 characters" },
        { "no such tag state", "PUT", "/api/v1/tags/T", AS_ADMIN, "{\"status\":\"Fine\"}", 422,
          "\"field\":\"status\"" },
        { "no tag", "GET", "/api/v1/tags/NONE", AS_ADMIN, NULL, 404, "NONE" },
        { "no tag to delete", "DELETE", "/api/v1/tags/NONE", AS_ADMIN, NULL, 404, "NONE" },
        { "a wrong login", "POST", "/api/v1/session", "", "{\"login\":\"x\",\"password\":\"y\"}",
          401, "wrong-login" },
        { "a login from another site", "POST", "/api/v1/session", "Origin: http://evil.test\r\n",
          "{\"login\":\"x\",\"password\":\"y\"}", 403, "foreign-origin" },
        { "a used link", "POST", "/api/v1/setup/abc", "",
          "{\"login\":\"x\",\"password\":\"long enough\"}", 410, "link-used" },
        { "no upgrade", "GET", "/api/v1/live", AS_ADMIN, NULL, 426, "websocket-only" },
        { "no such topic", "GET", "/api/v1/events?topics=weather", AS_ADMIN, NULL, 400, "weather" },
        { "an asset that is gone", "GET", "/assets/main-0123456789.js", "", NULL, 404,
          "not-found" },
        { "a used page", "GET", "/setup/abc", "", NULL, 410, "link-used" },
    };

    stage_open();
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        const struct net_conn *c =
            stage_ask(cases[i].method, cases[i].target, cases[i].head, cases[i].body);

        check_problem(cases[i].why, c, cases[i].status, cases[i].part);
        CHECK(stage_has(c->headers, "X-Content-Type-Options: nosniff\r\n") &&
                  stage_has(c->headers, "Request-Id: "),
              "%s: headers", cases[i].why);
    }
    stage_close();
}

static void test_form_body(void)
{
    struct amp_http_head head;
    static const char text[] = "POST /api/v1/chargers HTTP/1.1\r\nHost: amp.test\r\n" AS_ADMIN
                               "Content-Type: application/x-www-form-urlencoded\r\n\r\n";

    stage_open();
    CHECK(amp_http_request(AMP_TEXT(text), &head) == 1, "sound");
    rest_request(stage.c.rest, &(struct net_request){ .conn = &stage.conns[0],
                                                      .head = &head,
                                                      .body = AMP_TEXT("{\"id\":\"X\"}") });
    check_problem("a form", &stage.conns[0], 415, "application/json");
    stage_close();
}

/* ---- people ---- */

static void cookie_of(const struct net_conn *c, char out[128])
{
    const char *at = strstr(c->headers, "Set-Cookie: amp_session=");

    CHECK(at, "a cookie in %s", c->headers);
    snprintf(out, 128, "Cookie: other=1; amp_session=%.*s\r\n", (int)strcspn(at + 24, ";"),
             at + 24);
}

static void make_admin(char cookie[128])
{
    char path[128];
    struct net_conn *c;

    snprintf(path, sizeof path, "/api/v1%s", people_setup_path(stage.c.people));
    c = stage_ask("POST", path, "Origin: http://amp.test\r\n",
                  "{\"login\":\"root@x\",\"password\":\"correct horse\",\"name\":\"R\"}");
    CHECK(c->status == 201, "set up: %d %s", c->status, c->body);
    check_shape("set up", "person", c->body);
    CHECK(stage_has(c->headers, "HttpOnly; SameSite=Strict"), "the cookie is ours alone: %s",
          c->headers);
    cookie_of(c, cookie);
}

static void test_first_administrator(void)
{
    char cookie[128], head[256], page[128];
    struct net_conn *c;

    stage_open();
    snprintf(page, sizeof page, "%s", people_setup_path(stage.c.people));
    CHECK(stage_ask("GET", page, "", NULL)->status == 200, "the page behind the link");
    make_admin(cookie);
    CHECK(stage_ask("GET", page, "", NULL)->status == 410, "the link works once");
    c = stage_ask("GET", "/api/v1/me", cookie, NULL);
    CHECK(c->status == 200 && stage_has(c->body, "\"login\":\"root@x\"") &&
              stage_has(c->body, "\"role\":\"ADMIN\""),
          "me: %s", c->body);
    check_shape("me", "person", c->body);
    snprintf(head, sizeof head, "%sOrigin: http://evil.test\r\n", cookie);
    CHECK(stage_ask("PUT", "/api/v1/tags/T", head, "{}")->status == 401,
          "a change from another site is nobody's");
    CHECK(stage_ask("GET", "/api/v1/me", head, NULL)->status == 200, "reading is not a change");
    snprintf(head, sizeof head, "%sOrigin: http://amp.test\r\n", cookie);
    CHECK(stage_ask("PUT", "/api/v1/tags/T", head, "{}")->status == 200, "a change from our page");
    c = stage_ask("DELETE", "/api/v1/session", cookie, NULL);
    CHECK(c->status == 204 && stage_has(c->headers, "amp_session=; ") &&
              stage_has(c->headers, "Max-Age=0"),
          "logged out");
    CHECK(stage_ask("GET", "/api/v1/me", cookie, NULL)->status == 401,
          "the cookie is worth nothing now");
    stage_close();
}

static void test_login(void)
{
    char cookie[128], second[128];
    struct net_conn *c;

    stage_open();
    make_admin(cookie);
    c = stage_ask("POST", "/api/v1/session", "X-Forwarded-Proto: https\r\n",
                  "{\"login\":\"ROOT@x\",\"password\":\"correct horse\"}");
    CHECK(c->status == 200 && stage_has(c->headers, "; Secure"),
          "logins have no case; TLS in front: %s", c->headers);
    cookie_of(c, second);
    CHECK(strcmp(cookie, second) != 0, "another session");
    stage_now_ms += (int64_t)PEOPLE_SESSION_S * 1000 - 1;
    CHECK(stage_ask("GET", "/api/v1/me", second, NULL)->status == 200, "to the last millisecond");
    stage_now_ms += 1;
    CHECK(stage_ask("GET", "/api/v1/me", second, NULL)->status == 401, "a session ends");
    for (int i = 0; i < 5; i++)
        check_problem("wrong password",
                      stage_ask("POST", "/api/v1/session", "",
                                "{\"login\":\"root@x\",\"password\":\"guess\"}"),
                      401, "wrong-login");
    c = stage_ask("POST", "/api/v1/session", "",
                  "{\"login\":\"root@x\",\"password\":\"correct horse\"}");
    check_problem("too many tries, even with the right one", c, 429, "too-many-tries");
    CHECK(stage_has(c->headers, "Retry-After: 60\r\n"), "%s", c->headers);
    stage_now_ms += 60001;
    CHECK(stage_ask("POST", "/api/v1/session", "",
                    "{\"login\":\"root@x\",\"password\":\"correct horse\"}")
                  ->status == 200,
          "later");
    stage_close();
}

static void test_users(void)
{
    char cookie[128], user[128];
    struct net_conn *c;

    stage_open();
    make_admin(cookie);
    c = stage_ask("POST", "/api/v1/users", cookie,
                  "{\"login\":\"ann\",\"password\":\"long enough\",\"role\":\"OPERATOR\"}");
    CHECK(c->status == 201, "%s", c->body);
    check_shape("user", "user", c->body);
    CHECK(!stage_has(c->body, "argon") && !stage_has(c->body, "password"), "no hash leaves: %s",
          c->body);
    check_problem("taken",
                  stage_ask("POST", "/api/v1/users", cookie,
                            "{\"login\":\"ANN\",\"password\":\"long enough\",\"role\":\"USER\"}"),
                  409, "login");
    check_problem("short",
                  stage_ask("POST", "/api/v1/users", cookie,
                            "{\"login\":\"bob\",\"password\":\"short\",\"role\":\"USER\"}"),
                  422, "password");
    check_list("users", API_LIST_USERS, stage_ask("GET", "/api/users", cookie, NULL)->body);

    cookie_of(stage_ask("POST", "/api/v1/session", "",
                        "{\"login\":\"ann\",\"password\":\"long enough\"}"),
              user);
    CHECK(stage_ask("GET", "/api/v1/chargers", user, NULL)->status == 200,
          "an operator sees chargers");
    check_problem("not an administrator", stage_ask("GET", "/api/v1/users", user, NULL), 403,
                  "ADMIN");
    CHECK(stage_ask("PATCH", "/api/v1/users/2", cookie, "{\"role\":\"USER\"}")->status == 200,
          "another role");
    CHECK(stage_ask("GET", "/api/v1/me", user, NULL)->status == 401, "ends the logins");
    cookie_of(stage_ask("POST", "/api/v1/session", "",
                        "{\"login\":\"ann\",\"password\":\"long enough\"}"),
              user);
    check_problem("a user sees no chargers", stage_ask("GET", "/api/v1/chargers", user, NULL), 403,
                  "OPERATOR");
    CHECK(stage_ask("PATCH", "/api/v1/users/2", cookie, "{\"blocked\":true}")->status == 200,
          "blocked");
    check_problem("blocked",
                  stage_ask("POST", "/api/v1/session", "",
                            "{\"login\":\"ann\",\"password\":\"long enough\"}"),
                  401, "wrong-login");
    check_problem("the last one",
                  stage_ask("PATCH", "/api/v1/users/1", cookie, "{\"role\":\"USER\"}"), 409,
                  "last-admin");
    CHECK(stage_ask("PATCH", "/api/v1/users/1", cookie, "{\"password\":\"another horse\"}")
                  ->status == 200,
          "a new password");
    CHECK(stage_ask("GET", "/api/v1/me", cookie, NULL)->status == 401, "ends the logins, too");
    check_problem("nobody", stage_admin("PATCH", "/api/v1/users/9", "{}"), 404, "9");
    stage_close();
}

/* Closing the server while passwords are on the pool leaks nothing and touches nothing that is
 * gone. */
static void test_shutdown_under_way(void)
{
    stage_open();
    stage_send(0, "POST", "/api/v1/session", "", "{\"login\":\"a\",\"password\":\"b\"}");
    stage_send(1, "PUT", "/api/v1/tags/T", AS_ADMIN, "{}");
    stage_send(2, "GET", "/api/v1/messages", AS_ADMIN, NULL);
    CHECK(!stage.conns[0].status && !stage.conns[1].status && !stage.conns[2].status,
          "all under way");
    stage_close();
}

/* ---- chargers, tags ---- */

static void test_chargers(void)
{
    struct net_conn *c;

    stage_open();
    check_list("no chargers", API_LIST_CHARGERS,
               stage_admin("GET", "/api/v1/chargers", NULL)->body);
    c = stage_admin("POST", "/api/chargers",
                    "{\"charge_point_string_id\":\"OLD1\",\"station_id\":123,\"vendor\":\"V\","
                    "\"model\":\"M\"}");
    CHECK(c->status == 201 && stage_has(c->body, "\"id\":\"OLD1\"") &&
              stage_has(c->body, "\"connection\":\"offline\""),
          "%s", c->body);
    check_shape("created", "charger", c->body);
    check_problem("again, in other letters",
                  stage_admin("POST", "/api/v1/chargers", "{\"id\":\"old1\"}"), 409, "old1");
    stage_charger("CP|1");
    stage_settle();
    stage_now_ms += 5000;
    c = stage_admin("GET", "/api/v1/chargers/CP%7C1", NULL);
    CHECK(stage_has(c->body, "\"connection\":\"connected\"") &&
              stage_has(c->body, "\"lastSeenAgeS\":5") &&
              stage_has(c->body, "\"connectors\":[{\"connectorId\":1,\"status\":\"Available\""),
          "%s", c->body);
    check_shape("one", "charger", c->body);
    c = stage_admin("GET", "/api/v1/chargers", NULL);
    check_list("two", API_LIST_CHARGERS, c->body);
    c = stage_admin("PATCH", "/api/v1/chargers/cp%7c1", "{\"registration\":\"rejected\"}");
    CHECK(c->status == 200 && stage_has(c->body, "\"registration\":\"rejected\"") &&
              stage.drops == 1,
          "thrown out: %s", c->body);
    c = stage_admin("PATCH", "/api/v1/chargers/CP%7C1", "{\"registration\":\"accepted\"}");
    CHECK(stage_has(c->body, "\"registration\":\"accepted\"") && stage.drops == 1, "%s", c->body);
    stage_close();
}

static void test_tags(void)
{
    struct net_conn *c;

    stage_open();
    c = stage_admin("PUT", "/api/v1/tags/Tag%20One",
                    "{\"note\":\"of Ann\",\"expiresAt\":\"2030-01-01T00:00:00Z\"}");
    CHECK(c->status == 200 && stage_has(c->body, "\"status\":\"Accepted\""), "%s", c->body);
    check_shape("tag", "tag", c->body);
    c = stage_admin("PUT", "/api/v1/tags/TAG%20ONE", "{\"status\":\"Blocked\"}");
    CHECK(stage_has(c->body, "\"tag\":\"Tag One\"") && stage_has(c->body, "\"note\":\"of Ann\"") &&
              stage_has(c->body, "2030-01-01T00:00:00Z") && stage_has(c->body, "Blocked"),
          "what is left out stays: %s", c->body);
    check_list("tags", API_LIST_TAGS, stage_admin("GET", "/api/v1/tags", NULL)->body);
    CHECK(stage_admin("GET", "/api/v1/tags/tag%20one", NULL)->status == 200, "without case");
    CHECK(stage_admin("DELETE", "/api/v1/tags/tag%20one", NULL)->status == 204, "deleted");
    CHECK(stage_admin("GET", "/api/v1/tags/tag%20one", NULL)->status == 404, "gone");
    stage_close();
}

/* ---- commands ---- */

static int64_t id_of(const struct net_conn *c)
{
    const char *at = strstr(c->body, "\"id\":");

    return at ? strtoll(at + 5, NULL, 10) : 0;
}

static void test_commands(void)
{
    static const struct {
        const char *path, *body;
        int status;
        const char *part;
    } cases[] = {
        { "remote-start", "{\"connectorId\":1,\"idTag\":\"T\"}", 202,
          "\"payload\":{\"connectorId\":1,\"idTag\":\"T\"}" },
        { "remote-start", "{\"idTag\":\"T\"}", 202, "\"payload\":{\"idTag\":\"T\"}" },
        { "remote-start", "{\"connectorId\":1}", 422, "\"field\":\"idTag\"" },
        { "remote-start", "{\"connectorId\":0,\"idTag\":\"T\"}", 422, "\"field\":\"connectorId\"" },
        { "remote-start", "{\"idTag\":\"123456789012345678901\"}", 422, "\"field\":\"idTag\"" },
        { "remote-stop", "{\"connectorId\":1}", 409, "nothing-runs" },
        { "remote-stop", "{\"transactionId\":9}", 409, "\"field\":\"transactionId\"" },
        { "remote-stop", "{}", 409, "nothing-runs" },
        { "unlock", "{\"connectorId\":2}", 202, "\"action\":\"UnlockConnector\"" },
        { "unlock", "{}", 422, "\"field\":\"connectorId\"" },
        { "reset", "{\"type\":\"Hard\"}", 202, "\"payload\":{\"type\":\"Hard\"}" },
        { "reset", "{\"type\":\"Warm\"}", 422, "\"field\":\"type\"" },
        { "trigger", "{\"requestedMessage\":\"StatusNotification\",\"connectorId\":1}", 202,
          "\"connectorId\":1" },
        { "commands", "{\"action\":\"ClearCache\"}", 202, "\"payload\":{}" },
        { "commands",
          "{\"action\":\"ChangeAvailability\",\"payload\":{\"connectorId\":2,\"type\":"
          "\"Inoperative\"}}",
          202, "\"connectorId\":2,\"" },
        { "commands", "{\"action\":\"Nonsense\",\"payload\":{}}", 422, "\"field\":\"action\"" },
        { "commands", "{\"action\":\"ChangeConfiguration\",\"payload\":{\"key\":\"x\"}}", 422,
          "\"field\":\"value\"" },
        { "commands?wait=61", "{\"action\":\"ClearCache\"}", 400, "\"field\":\"wait\"" },
    };
    unsigned asked = 0;

    stage_open();
    stage_charger("CP1");
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        char path[96];
        struct net_conn *c;

        snprintf(path, sizeof path, "/api/v1/chargers/CP1/%s", cases[i].path);
        c = stage_admin("POST", path, cases[i].body);
        CHECK(c->status == cases[i].status && stage_has(c->body, cases[i].part), "%s %s: %d %s",
              path, cases[i].body, c->status, c->body);
        if (c->status != 202)
            continue;
        asked++;
        CHECK(stage_has(c->body, "\"state\":\"queued\"") &&
                  stage_has(c->body, "\"by\":\"administrator's key\""),
              "%s", c->body);
        check_shape(path, "command", c->body);
        CHECK(stage.kicks == asked, "the charger is asked once the command is durable");
    }
    check_list("commands", API_LIST_COMMANDS,
               stage_admin("GET", "/api/v1/commands?charger=CP1&limit=3", NULL)->body);
    stage_close();
}

static void test_offline(void)
{
    struct charger *ch;

    stage_open();
    ch = stage_charger("CP1");
    world_disconnected(stage.c.world, ch, &stage, 1006, AMP_TEXT("lost"), stage_now_ms);
    check_problem("offline",
                  stage_admin("POST", "/api/v1/chargers/CP1/unlock", "{\"connectorId\":1}"), 409,
                  "station-offline");
    stage_settle();
    CHECK(stage_has(stage_admin("GET", "/api/v1/commands", NULL)->body, "\"items\":[]"),
          "nothing was queued");
    stage_close();
}

static void answer_command(int64_t key, int state, const char *answer)
{
    world_command_change(stage.c.world, key,
                         &(struct command_change){ .state = COMMAND_SENT,
                                                   .correlation = AMP_TEXT("m1") },
                         stage_now_ms);
    world_command_change(stage.c.world, key,
                         &(struct command_change){ .state = state, .answer = amp_text_of(answer) },
                         stage_now_ms);
}

static void test_waiting(void)
{
    struct net_conn *a, *b;
    char path[64];
    int64_t key;

    stage_open();
    stage_charger("CP1");
    a = stage_send(1, "POST", "/api/v1/chargers/CP1/commands?wait=30", AS_ADMIN,
                   "{\"action\":\"ClearCache\"}");
    stage_settle();
    stage_settle();
    CHECK(!a->status && stage.kicks == 1, "held until the charger has answered");
    key = 1;
    snprintf(path, sizeof path, "/api/v1/commands/%d?wait=30", (int)key);
    b = stage_send(2, "GET", path, AS_ADMIN, NULL);
    stage_send(3, "GET", path, AS_ADMIN, NULL);
    CHECK(!b->status, "others may wait for the same");
    rest_gone(stage.c.rest, &stage.conns[3]); /* one gives up */
    answer_command(key, COMMAND_REJECTED, "{\"status\":\"Rejected\"}");
    stage_until(&a->status);
    stage_until(&b->status);
    CHECK(a->status == 200 && stage_has(a->body, "\"state\":\"rejected\"") &&
              stage_has(a->body, "\"answer\":{\"status\":\"Rejected\"}"),
          "%s", a->body);
    CHECK(b->status == 200 && id_of(b) == key, "%s", b->body);
    CHECK(!stage.conns[3].status, "who has gone gets nothing");
    a = stage_admin("GET", path, NULL);
    CHECK(a->status == 200 && stage_has(a->body, "rejected"), "answered already: at once");
    check_shape("command", "command", a->body);
    stage_send(4, "POST", "/api/v1/chargers/CP1/commands?wait=30", AS_ADMIN,
               "{\"action\":\"ClearCache\"}");
    stage_settle();
    stage_close(); /* with one that still waits */
}

/* A client that goes away before the commit: the command is sent all the same. */
static void test_gone_client(void)
{
    stage_open();
    stage_charger("CP1");
    stage_send(1, "POST", "/api/v1/chargers/CP1/unlock", AS_ADMIN, "{\"connectorId\":1}");
    rest_gone(stage.c.rest, &stage.conns[1]);
    stage_settle();
    CHECK(stage.kicks == 1 && !stage.conns[1].status, "asked, and nobody told");
    stage_close();
}

/* ---- what happened ---- */

static int64_t charge(struct charger *ch)
{
    struct start_info s = {
        .connector = 1, .tag = AMP_TEXT("T1"), .meter_wh = 1000, .at_ms = stage_now_ms
    };
    struct tag_answer t;
    int64_t key = world_start(stage.c.world, ch, &s, stage_now_ms, &t);

    for (int i = 1; i <= 3; i++) {
        struct reading_fact r = { .transaction = key,
                                  .connector = 1,
                                  .at_ms = stage_now_ms + i * 1000,
                                  .seen_ms = stage_now_ms,
                                  .hash = (uint64_t)i,
                                  .samples = AMP_TEXT("[{\"value\":\"1\"}]"),
                                  .has = READING_ENERGY | READING_POWER | READING_CURRENT |
                                         READING_SOC,
                                  .energy_wh = 1000 + 100 * i,
                                  .power_w = 7000 + i,
                                  .current_ma = 32200,
                                  .soc_permille = 205 };

        CHECK(world_reading(stage.c.world, ch, &r, stage_now_ms), "reading %d is new", i);
    }
    return key;
}

static void test_history(void)
{
    struct message_fact m = { .at_ms = stage_now_ms,
                              .direction = MESSAGE_RECEIVED,
                              .type = 2,
                              .action = AMP_TEXT("Heartbeat"),
                              .payload = AMP_TEXT("{}"),
                              .correlation = AMP_TEXT("1"),
                              .latency_ms = -1 };
    struct message_fact bad = { .at_ms = stage_now_ms,
                                .direction = MESSAGE_RECEIVED,
                                .type = 0,
                                .payload = AMP_TEXT("\"<script>"),
                                .error = AMP_TEXT("not JSON"),
                                .latency_ms = -1 };
    struct stop_info stop = { .meter_wh = 1444,
                              .at_ms = stage_now_ms + 9000,
                              .tag = AMP_TEXT("T1"),
                              .reason = AMP_TEXT("Local") };
    struct tag_answer t;
    struct charger *ch;
    struct net_conn *c;
    char path[96];
    int64_t key;

    stage_open();
    world_put_tag(stage.c.world, &(struct tag_fact){ .org = ORG_DEFAULT,
                                                     .tag = AMP_TEXT("T1"),
                                                     .status = AMP_TEXT("Accepted") });
    ch = stage_charger("CP1");
    key = charge(ch);
    m.charger = bad.charger = charger_fact(ch)->key;
    central_emit(&stage.c, &(struct fact){ .kind = FACT_MESSAGE, .u.message = m });
    central_emit(&stage.c, &(struct fact){ .kind = FACT_MESSAGE, .u.message = bad });
    stage_settle();
    c = stage_admin("GET", "/api/v1/chargers/CP1", NULL);
    CHECK(stage_has(c->body, "\"energyWh\":300") && stage_has(c->body, "\"currentA\":32.2") &&
              stage_has(c->body, "\"socPercent\":20.5"),
          "what runs, with its newest numbers: %s", c->body);
    check_shape("charger that charges", "charger", c->body);
    snprintf(path, sizeof path, "/api/v1/transactions/%lld", (long long)key);
    check_shape("running", "transaction", stage_admin("GET", path, NULL)->body);
    c = stage_admin("GET", "/api/v1/transactions?open=true&charger=CP1&connector=1", NULL);
    check_list("running ones", API_LIST_TRANSACTIONS, c->body);
    CHECK(id_of(c) == key, "%s", c->body);

    stop.transaction = key;
    world_stop(stage.c.world, ch, &stop, stage_now_ms + 9000, &t);
    stage_settle();
    c = stage_admin("GET", path, NULL);
    CHECK(stage_has(c->body, "\"energyWh\":444") && stage_has(c->body, "\"meterStopWh\":1444") &&
              !stage_has(c->body, "powerW"),
          "%s", c->body);
    check_shape("ended", "transaction", c->body);
    CHECK(id_of(stage_admin("GET", "/api/v1/transactions?open=true", NULL)) == 0, "none runs");
    CHECK(id_of(stage_admin("GET", "/api/v1/transactions?open=false", NULL)) == key, "one ended");
    snprintf(path, sizeof path, "/api/v1/transactions/%lld/readings", (long long)key);
    c = stage_admin("GET", path, NULL);
    check_list("readings", API_LIST_READINGS, c->body);
    CHECK(stage_has(c->body, "\"powerW\":7001") &&
              stage_has(c->body, "\"samples\":[{\"value\":\"1\"}]"),
          "%s", c->body);
    c = stage_admin("GET", "/api/v1/messages?charger=CP1&direction=received", NULL);
    check_list("messages", API_LIST_MESSAGES, c->body);
    CHECK(stage_has(c->body, "\"type\":\"UNREADABLE\"") &&
              stage_has(c->body, "\"text\":\"\\\"<script>\""),
          "%s", c->body);
    c = stage_admin("GET", "/api/v1/messages?errors=true", NULL);
    CHECK(stage_has(c->body, "not JSON") && !stage_has(c->body, "Heartbeat"), "%s", c->body);
    c = stage_admin("GET", "/api/v1/messages?action=Heartbeat&type=call&limit=1", NULL);
    CHECK(stage_has(c->body, "Heartbeat") && !stage_has(c->body, "UNREADABLE"), "%s", c->body);
    stage_close();
}

/* ---- the server itself ---- */

static void test_health(void)
{
    struct net_conn *c;

    stage_open();
    stage_charger("CP1");
    c = stage_ask("GET", "/healthz", "", NULL);
    CHECK(c->status == 200, "alive");
    check_shape("health", "health", c->body);
    c = stage_ask("GET", "/readyz", "", NULL);
    CHECK(c->status == 200, "ready");
    check_shape("ready", "health", c->body);
    CHECK(stage_ask("GET", "/metrics", "", NULL)->status == 401, "numbers are for operators");
    c = stage_admin("GET", "/metrics", NULL);
    CHECK(stage_has(c->body, "\namperstand_chargers{connection=\"connected\"} 1\n") &&
              stage_has(c->body, "# TYPE amperstand_store_commits_total counter\n"),
          "%s", c->body);
    stage_close();
}

static void test_page(void)
{
    char etag[64], head[128];
    struct net_conn *c;
    const char *at;

    stage_open();
    c = stage_ask("GET", "/", "", NULL);
    CHECK(c->status == 200 && !strncmp(c->type, "text/html", 9) &&
              stage_has(c->body, "<title>Amperstand"),
          "the page");
    CHECK(stage_has(c->headers, "Content-Security-Policy: default-src 'none'; script-src 'self'") &&
              stage_has(c->headers, "Cache-Control: no-cache\r\n"),
          "%s", c->headers);
    CHECK(!stage_has(c->body, "http://") && !stage_has(c->body, "https://"),
          "nothing from elsewhere");
    at = strstr(c->headers, "ETag: ");
    snprintf(etag, sizeof etag, "%.*s", at ? (int)strcspn(at + 6, "\r") : 0, at ? at + 6 : "");
    snprintf(head, sizeof head, "If-None-Match: \"old\", %s\r\n", etag);
    c = stage_ask("GET", "/", head, NULL);
    CHECK(c->status == 304 && c->len == 0, "known already: %d", c->status);
    c = stage_ask("GET", "/", "Accept-Encoding: br, gzip\r\n", NULL);
    CHECK(stage_has(c->headers, "Content-Encoding: gzip") && c->len > 2 &&
              (unsigned char)c->body[0] == 0x1f,
          "gzipped");
    stage_close();
}

static bool at_between(const char *from, const char *to, const char *part)
{
    const char *at = strstr(from, part);

    return at && (!to || at < to);
}

/* Every route is in the description and nothing else; every reference leads somewhere; it is JSON.
 */
static void test_openapi(void)
{
    struct net_conn *c;
    size_t operations = 0, references = 0;
    char text[160];

    stage_open();
    c = stage_ask("GET", "/api/v1/openapi.json", "", NULL);
    CHECK(c->status == 200 && amp_json_check(amp_text_of(c->body), NULL) == 0, "JSON");
    for (size_t i = 0; i < rest_route_count; i++) {
        const char *path, *end, *method;

        snprintf(text, sizeof text, "\"%s\":{", rest_routes[i].pattern);
        path = strstr(c->body, text);
        CHECK(path, "%s is described", rest_routes[i].pattern);
        if (!path)
            continue;
        end = strstr(path + 1, "\"/"); /* the next path */
        snprintf(text, sizeof text, "\"%c%s\":{\"operationId\"", rest_routes[i].method[0] | 0x20,
                 rest_routes[i].method + 1);
        for (char *p = text + 2; *p && *p != '"'; p++)
            *p = (char)(*p | 0x20);
        method = strstr(path, text);
        CHECK(method && (!end || method < end), "%s %s is described", rest_routes[i].method,
              rest_routes[i].pattern);
        for (const char *q = rest_routes[i].query; q && *q; q += strcspn(q, " "), q += *q == ' ') {
            snprintf(text, sizeof text, "\"name\":\"%.*s\",\"in\":\"query\"", (int)strcspn(q, " "),
                     q);
            CHECK(method && (at_between(method, end, text)), "%s: parameter %.*s",
                  rest_routes[i].pattern, (int)strcspn(q, " "), q);
        }
    }
    for (const char *p = c->body; (p = strstr(p, "\"operationId\":")); p++)
        operations++;
    CHECK(operations == rest_route_count, "%zu operations, %zu routes", operations,
          rest_route_count);
    for (const char *p = c->body; (p = strstr(p, "#/components/schemas/")); p++) {
        const char *schemas = strstr(c->body, "\"schemas\":{");

        snprintf(text, sizeof text, "\"%.*s\":{\"type\":\"object\"", (int)strcspn(p + 21, "\""),
                 p + 21);
        CHECK(schemas && strstr(schemas, text), "%s is defined", text);
        references++;
    }
    CHECK(references > rest_route_count, "there are references");
    stage_close();
}

int main(void)
{
    RUN(test_routes);
    RUN(test_refusals);
    RUN(test_form_body);
    RUN(test_first_administrator);
    RUN(test_login);
    RUN(test_users);
    RUN(test_shutdown_under_way);
    RUN(test_chargers);
    RUN(test_tags);
    RUN(test_commands);
    RUN(test_offline);
    RUN(test_waiting);
    RUN(test_gone_client);
    RUN(test_history);
    RUN(test_health);
    RUN(test_page);
    RUN(test_openapi);
    return check_end();
}
