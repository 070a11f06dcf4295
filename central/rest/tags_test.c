/* central/rest/tags_test.c - tags by the thousand: pages, search, spreadsheets. The numbers are
 * those of the list of edge cases. */
#include "central/rest/stage.h"
#include "central/rest/stage_shapes.h"

static const char *authorize(const char *tag)
{
    struct tag_answer a;

    world_authorize(stage.c.world, ORG_DEFAULT, amp_text_of(tag), stage_now_ms, &a);
    return a.status;
}

static void refused(const char *why, const struct net_conn *c, const char *field)
{
    char part[96];

    snprintf(part, sizeof part, "\"field\":\"%s\"", field);
    CHECK(c->status == 422 && stage_has(c->body, part), "%s: %d %s", why, c->status, c->body);
    check_shape(why, "problem", c->body);
}

static void test_names(void)
{
    const struct net_conn *c;

    stage_open();
    c = stage_admin("PUT", "/api/v1/tags/AbC", "{}");
    CHECK(stage_has(c->body, "\"tag\":\"AbC\""), "%s", c->body);
    c = stage_admin("PUT", "/api/v1/tags/aBc", "{\"note\":\"x\"}");
    CHECK(stage_has(c->body, "\"tag\":\"AbC\"") && !strcmp(authorize("ABC"), "Accepted"),
          "E31: one tag in any case, spelled as it was first: %s", c->body);
    CHECK(stage_admin("PUT", "/api/v1/tags/NL-TNM-C12345678-X-0123456789-ABCDEFGHIJ", "{}")
                  ->status == 200,
          "E32: longer than 20 characters is a tag");
    CHECK(!strcmp(authorize("nl-tnm-c12345678-x-0123456789-abcdefghij"), "Accepted"),
          "E32: and may charge");
    refused("E32: but not endless",
            stage_admin(
                "PUT",
                "/api/v1/tags/1234567890123456789012345678901234567890123456789012345678901234x",
                "{}"),
            "tag");
    c = stage_admin("PUT", "/api/v1/tags/%C3%BC%20%2F%3B%22%25+%7C", "{}");
    CHECK(c->status == 200 && stage_has(c->body, "ü /;\\\"%+|"), "E33: odd characters: %s",
          c->body);
    CHECK(!strcmp(authorize("ü /;\"%+|"), "Accepted"), "E33: and may charge");
    refused("E33: what nobody can print", stage_admin("PUT", "/api/v1/tags/a%07b", "{}"), "tag");
    stage_close();
}

static void test_expiry(void)
{
    const struct net_conn *c;

    stage_open();
    c = stage_admin("PUT", "/api/v1/tags/OLD", "{\"expiresAt\":\"2020-01-01T00:00:00Z\"}");
    CHECK(c->status == 200 && !strcmp(authorize("OLD"), "Expired"),
          "a past expiry is legal, and charges nobody: %s", c->body);
    c = stage_admin("PUT", "/api/v1/tags/OLD", "{\"neverExpires\":true,\"parent\":\"P\"}");
    CHECK(!stage_has(c->body, "expiresAt") && !strcmp(authorize("OLD"), "Accepted"), "%s", c->body);
    stage_admin("PUT", "/api/v1/tags/P", "{\"status\":\"Blocked\"}");
    CHECK(!strcmp(authorize("P"), "Blocked") && !strcmp(authorize("OLD"), "Accepted"),
          "a blocked parent is no blocked child");
    c = stage_admin("PUT", "/api/v1/tags/OLD", "{\"parent\":\"\"}");
    CHECK(!stage_has(c->body, "parent"), "%s", c->body);
    stage_close();
}

#define MANY 1500

static void put_many(void)
{
    size_t cap = 200000, len = 0;
    char *body = malloc(cap);

    len += (size_t)snprintf(body, cap, "{\"items\":[");
    for (int i = 0; i < MANY; i++)
        len += (size_t)snprintf(body + len, cap - len, "%s{\"tag\":\"CARD%05d\",\"parent\":\"%s\"}",
                                i ? "," : "", (i * 7) % MANY, i % 2 ? "ODD" : "EVEN");
    snprintf(body + len, cap - len, "]}");
    CHECK(stage_has(stage_admin("PUT", "/api/v1/tags", body)->body,
                    "{\"created\":1500,\"changed\":0,\"unchanged\":0}"),
          "all: %.200s", stage.conns[0].body);
    check_list("counts", API_PUT_TAGS, stage.conns[0].body);
    CHECK(stage_has(stage_admin("PUT", "/api/v1/tags", body)->body, "\"unchanged\":1500"),
          "again: nothing");
    free(body);
}

static void test_pages(void)
{
    const struct net_conn *c;

    stage_open();
    put_many();
    c = stage_admin("GET", "/api/v1/tags?limit=3", NULL);
    check_list("a page", API_LIST_TAGS, c->body);
    CHECK(stage_has(c->body, "CARD00000") && stage_has(c->body, "CARD00002") &&
              !stage_has(c->body, "CARD00003") && stage_has(c->body, "\"next\":\"CARD00002\""),
          "by name: %s", c->body);
    stage_admin("DELETE", "/api/v1/tags/CARD00002", NULL);
    c = stage_admin("GET", "/api/v1/tags?limit=2&after=card00002", NULL);
    CHECK(stage_has(c->body, "CARD00003") && stage_has(c->body, "CARD00004") &&
              stage_has(c->body, "\"next\""),
          "behind one that is gone by now: %s", c->body);
    c = stage_admin("GET", "/api/v1/tags?after=CARD01498", NULL);
    CHECK(stage_has(c->body, "CARD01499") && !stage_has(c->body, "next"), "the last: %s", c->body);
    c = stage_admin("GET", "/api/v1/tags?search=rd0012&limit=20", NULL);
    CHECK(stage_has(c->body, "CARD00120") && stage_has(c->body, "CARD00129") &&
              !stage_has(c->body, "next") && !stage_has(c->body, "CARD00130"),
          "search: %s", c->body);
    c = stage_admin("GET", "/api/v1/tags?parent=even&search=CARD0000&limit=20", NULL);
    CHECK(stage_has(c->body, "\"parent\":\"EVEN\"") && !stage_has(c->body, "ODD"), "a family: %s",
          c->body);
    CHECK(stage_admin("GET", "/api/v1/tags?status=Fine", NULL)->status == 400, "no such status");
    stage_close();
}

static void test_spreadsheet(void)
{
    struct net_conn *c;
    char *file;

    stage_open();
    c = stage_admin(
        "PUT", "/api/v1/tags.csv",
        "tag;status;expiresAt;note\r\nA1;Accepted;2030-01-01T00:00:00Z;\"Ann; \"\"2nd\"\"\"\r\n"
        "B2;Blocked;;Bob\r\n");
    CHECK(c->status == 200 && stage_has(c->body, "\"created\":2"), "%s", c->body);
    check_list("counts", API_PUT_TAGS, c->body);
    c = stage_admin("GET", "/api/v1/tags.csv", NULL);
    CHECK(!strcmp(c->type, "text/csv; charset=utf-8"), "%s", c->type);
    CHECK(!strcmp(c->body, "tag,status,parent,expiresAt,note\r\n"
                           "A1,Accepted,,2030-01-01T00:00:00Z,\"Ann; \"\"2nd\"\"\"\r\n"
                           "B2,Blocked,,,Bob\r\n"),
          "%s", c->body);
    file = strdup(c->body);
    CHECK(stage_has(stage_admin("PUT", "/api/v1/tags.csv", file)->body, "\"unchanged\":2"),
          "out and in again changes nothing");
    free(file);
    c = stage_admin("PUT", "/api/v1/tags.csv", "tag,note\nA1,\nC3,new\n");
    CHECK(stage_has(c->body, "\"created\":1,\"changed\":1"), "%s", c->body);
    c = stage_admin("GET", "/api/v1/tags/A1", NULL);
    CHECK(!stage_has(c->body, "Ann") && stage_has(c->body, "2030"),
          "a column that is not there: %s", c->body);
    c = stage_admin("GET", "/api/v1/tags.csv?limit=2", NULL);
    CHECK(stage_has(c->headers, "Next-After: %42%32\r\n") && !stage_has(c->body, "C3"), "%s",
          c->headers);
    c = stage_admin("GET", "/api/v1/tags.csv?after=%42%32", NULL);
    CHECK(stage_has(c->body, "C3") && !stage_has(c->headers, "Next-After"), "%s", c->body);
    stage_close();
}

static void test_mistakes(void)
{
    static const struct {
        const char *why, *body, *field;
    } cases[] = {
        { "nothing", "\n\n", "row 1" },
        { "no head", "A1,Accepted\n", "row 1" },
        { "no tag", "status,note\nAccepted,x\n", "row 1" },
        { "a column twice", "tag,note,Note\n", "row 1" },
        { "no status", "tag,status\nA1,Accepted\nB2,Fine\n", "row 3, status" },
        { "no time", "tag,expiresAt\nA1,soon\n", "row 2, expiresAt" },
        { "no name", "tag,note\n,x\n", "row 2, tag" },
        { "an open quote", "tag,note\nA1,\"x\n", "row 2" },
        { "a cell too many", "tag\nA1,b,c,d,e,f\n", "row 2, tag" },
    };

    stage_open();
    for (size_t i = 0; i < AMP_COUNT(cases); i++)
        refused(cases[i].why, stage_admin("PUT", "/api/v1/tags.csv", cases[i].body),
                cases[i].field);
    refused("no status",
            stage_admin("PUT", "/api/v1/tags",
                        "{\"items\":[{\"tag\":\"A\"},{\"tag\":\"B\",\"status\":\"x\"}]}"),
            "items[1].status");
    refused("no name",
            stage_admin("PUT", "/api/v1/tags", "{\"items\":[{\"tag\":\"A\"},{\"tag\":\"\"}]}"),
            "items[1].tag");
    refused("nothing", stage_admin("PUT", "/api/v1/tags", "{\"items\":[]}"), "items");
    CHECK(world_tag_count(stage.c.world) == 0, "a file with a mistake changes nothing");
    stage_close();
}

int main(void)
{
    RUN(test_names);
    RUN(test_expiry);
    RUN(test_pages);
    RUN(test_spreadsheet);
    RUN(test_mistakes);
    return check_end();
}
