/* central/rest/audit_test.c - what people changed is kept, with how it was and how it is. */
#include "central/rest/audit.h"
#include "central/rest/stage.h"

#include "messages/api.h"

static char arena_block[1 << 18];

/* GET /audit with this query; strictly what api.def says. */
static const char *audit(const char *query)
{
    struct api_list_audit_reply reply;
    struct amp_arena arena;
    struct amp_fault fault = { 0 };
    char path[200];
    const struct net_conn *c;

    snprintf(path, sizeof path, "/api/v1/audit%s", query);
    c = stage_admin("GET", path, NULL);
    amp_arena_init(&arena, arena_block, sizeof arena_block);
    CHECK(c->status == 200, "%s: %d %s", query, c->status, c->body);
    CHECK(amp_decode(api.messages[API_LIST_AUDIT].reply, AMP_OCPP16, AMP_STRICT,
                     amp_text_of(c->body), &reply, &arena, &fault, NULL) == 0,
          "%s: %s: %s", query, fault.path, c->body);
    return c->body;
}

static unsigned items(const char *body)
{
    unsigned n = 0;

    for (const char *at = body; (at = strstr(at, "\"action\":")); at++)
        n++;
    return n;
}

static void test_changes(void)
{
    const char *body;

    stage_open();
    stage_admin("POST", "/api/v1/chargers", "{\"id\":\"CP1\"}");
    stage_admin("PATCH", "/api/v1/chargers/CP1", "{\"registration\":\"rejected\"}");
    stage_admin("PUT", "/api/v1/tags/T1", "{\"note\":\"of Ann\"}");
    stage_admin("PUT", "/api/v1/tags/t1", "{\"status\":\"Blocked\"}");
    stage_admin("DELETE", "/api/v1/tags/T1", NULL);
    stage_admin("POST", "/api/v1/users",
                "{\"login\":\"ann\",\"password\":\"long enough\",\"role\":\"ADMIN\"}");
    stage_admin("PATCH", "/api/v1/users/1", "{\"name\":\"Ann\",\"password\":\"longer than it\"}");
    stage_now_ms += 60000;
    stage_admin("PUT", "/api/v1/tags/T2", "{}");

    body = audit("");
    CHECK(items(body) == 8, "one a change: %s", body);
    CHECK(stage_has(body, "\"who\":\"administrator's key\"") && !stage_has(body, "argon"),
          "who, and no secret: %s", body);
    body = audit("?kind=tag&thing=T1");
    CHECK(items(body) == 3, "the history of one thing: %s", body);
    CHECK(stage_has(body, "\"action\":\"change\",\"kind\":\"tag\",\"thing\":\"T1\",\"before\":{"
                          "\"tag\":\"T1\",\"status\":\"Accepted\",\"note\":\"of Ann\"},\"after\":{"
                          "\"tag\":\"T1\",\"status\":\"Blocked\",\"note\":\"of Ann\"}"),
          "before and after: %s", body);
    CHECK(stage_has(body, "\"action\":\"create\",\"kind\":\"tag\",\"thing\":\"T1\",\"after\":"),
          "nothing was before: %s", body);
    CHECK(strstr(body, "\"delete\"") < strstr(body, "\"create\""), "newest first: %s", body);
    body = audit("?charger=CP1");
    CHECK(items(body) == 2 && stage_has(body, "\"action\":\"reject\"") &&
              stage_has(body, "\"charger\":\"CP1\""),
          "of one charger: %s", body);
    body = audit("?action=change&kind=user");
    CHECK(items(body) == 1 && stage_has(body, "\"reason\":\"with a new password\"") &&
              stage_has(body, "\"name\":\"Ann\""),
          "an account: %s", body);
    body = audit("?from=2026-01-01T00:00:30Z");
    CHECK(items(body) == 1 && stage_has(body, "\"thing\":\"T2\""), "by time: %s", body);
    CHECK(items(audit("?who=nobody")) == 0, "by who");
    body = audit("?limit=3");
    CHECK(items(body) == 3 && stage_has(body, "\"next\":"), "a page: %s", body);
    stage_close();
}

static void test_people(void)
{
    char path[128], cookie[160];
    const struct net_conn *c;
    const char *at;

    stage_open();
    snprintf(path, sizeof path, "/api/v1%s", people_setup_path(stage.c.people));
    c = stage_ask("POST", path, "", "{\"login\":\"root@x\",\"password\":\"correct horse\"}");
    at = strstr(c->headers, "amp_session=");
    CHECK(at, "logged in: %s", c->headers);
    snprintf(cookie, sizeof cookie, "Cookie: %.*s\r\n", (int)strcspn(at, ";"), at);
    stage_ask("PUT", "/api/v1/tags/T", cookie, "{}");
    CHECK(stage_has(audit("?kind=user"), "\"who\":\"root@x\",\"user\":1,\"action\":\"create\""),
          "the first one: %s", audit("?kind=user"));
    CHECK(stage_has(audit("?kind=tag"), "\"who\":\"root@x\",\"user\":1,\"action\":\"create\""),
          "a person by login: %s", audit("?kind=tag"));
    stage_ask("POST", "/api/v1/users", cookie,
              "{\"login\":\"op\",\"password\":\"long enough\",\"role\":\"OPERATOR\"}");
    c = stage_ask("POST", "/api/v1/session", "", "{\"login\":\"op\",\"password\":\"long enough\"}");
    at = strstr(c->headers, "amp_session=");
    snprintf(cookie, sizeof cookie, "Cookie: %.*s\r\n", at ? (int)strcspn(at, ";") : 0, at);
    CHECK(stage_ask("GET", "/api/v1/audit", cookie, NULL)->status == 403, "not for operators");
    stage_close();
}

static void test_refused_is_no_change(void)
{
    stage_open();
    stage_admin("PUT", "/api/v1/tags/T", "{\"status\":\"Fine\"}");
    stage_admin("DELETE", "/api/v1/tags/NONE", NULL);
    stage_admin("POST", "/api/v1/chargers", "{\"id\":\"A B\"}");
    CHECK(items(audit("")) == 0, "%s", audit(""));
    rest_audit_system(&stage.c, ORG_DEFAULT,
                      &(struct rest_change){
                          .action = "change", .kind = "thing", .thing = AMP_TEXT("1") },
                      AMP_NO_TEXT, AMP_TEXT("{\"a\":1}"));
    stage_settle();
    CHECK(stage_has(audit(""), "\"who\":\"system\"") && stage_has(audit(""), "\"after\":{\"a\":1}"),
          "%s", audit(""));
    CHECK(stage_has(stage_admin("GET", "/api/v1/tags", NULL)->body, "\"items\":[]"), "none");
    stage_close();
}

int main(void)
{
    RUN(test_changes);
    RUN(test_people);
    RUN(test_refused_is_no_change);
    return check_end();
}
