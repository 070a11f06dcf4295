/* central/rest/router_test.c - patterns, aliases, methods, percent-encoding, queries. */
#include "central/rest/router.h"
#include "ocpp/check.h"
#include <stdlib.h>

static void nothing(struct rest_call *call)
{
    (void)call;
}

static const struct rest_route table[] = {
    { "GET", "/", 0, nothing, -1, NULL, 200, NULL, "root" },
    { "GET", "/api/v1/chargers", 0, nothing, -1, NULL, 200, NULL, "list" },
    { "POST", "/api/v1/chargers", 0, nothing, -1, NULL, 200, NULL, "create" },
    { "GET", "/api/v1/chargers/{id}", 0, nothing, -1, NULL, 200, NULL, "one" },
    { "GET", "/api/v1/x/{a}/y/{b}", 0, nothing, -1, NULL, 200, NULL, "two" },
};

static const struct {
    const char *why, *method, *path;
    int rc;
    const char *found, *first, *second, *allow;
} cases[] = {
    { "the root", "GET", "/", 0, "root", "", "", "" },
    { "a list", "GET", "/api/v1/chargers", 0, "list", "", "", "" },
    { "the method tells routes apart", "POST", "/api/v1/chargers", 0, "create", "", "", "" },
    { "a trailing slash is the same", "GET", "/api/v1/chargers/", 0, "list", "", "", "" },
    { "without a version", "GET", "/api/chargers/CP001", 0, "one", "CP001", "", "" },
    { "HEAD is a GET", "HEAD", "/api/v1/chargers", 0, "list", "", "", "" },
    { "an encoded name", "GET", "/api/v1/chargers/RDAM%7C123", 0, "one", "RDAM|123", "", "" },
    { "an encoded slash stays in the name", "GET", "/api/v1/chargers/a%2Fb", 0, "one", "a/b", "",
      "" },
    { "UTF-8", "GET", "/api/v1/chargers/S%C3%BCd", 0, "one",
      "S\xc3\xbc"
      "d",
      "", "" },
    { "two names", "GET", "/api/v1/x/1/y/2", 0, "two", "1", "2", "" },
    { "a name is not empty", "GET", "/api/v1/x//y/2", AMP_E_ABSENT, "", "", "", "" },
    { "methods that are known", "DELETE", "/api/v1/chargers", AMP_E_SUPPORT, "", "", "",
      "GET, POST" },
    { "no such path", "GET", "/api/v1/nothing", AMP_E_ABSENT, "", "", "", "" },
    { "one segment too many", "GET", "/api/v1/chargers/1/2", AMP_E_ABSENT, "", "", "", "" },
    { "a prefix is no path", "GET", "/api/v1/charger", AMP_E_ABSENT, "", "", "", "" },
    { "another version is none of ours", "GET", "/api/v2/chargers", AMP_E_ABSENT, "", "", "", "" },
    { "a broken escape", "GET", "/api/v1/chargers/%zz", AMP_E_FORMAT, "", "", "", "" },
    { "an encoded NUL", "GET", "/api/v1/chargers/a%00b", AMP_E_FORMAT, "", "", "", "" },
    { "broken UTF-8", "GET", "/api/v1/chargers/%ff", AMP_E_FORMAT, "", "", "", "" },
    { "methods are exact", "get", "/api/v1/chargers", AMP_E_SUPPORT, "", "", "", "GET, POST" },
};

static void test_match(void)
{
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        char params[REST_PARAMS_MAX][REST_PARAM_MAX], allow[64];
        const struct rest_route *route = NULL;
        int rc = rest_match(table, AMP_COUNT(table), amp_text_of(cases[i].method),
                            amp_text_of(cases[i].path), &route, params, allow);

        CHECK(rc == cases[i].rc, "%s: got %d", cases[i].why, rc);
        CHECK(!strcmp(allow, cases[i].allow) || rc == 0, "%s: allow '%s'", cases[i].why, allow);
        if (rc < 0)
            continue;
        CHECK(!strcmp(route->summary, cases[i].found), "%s: found %s", cases[i].why,
              route->summary);
        CHECK(!strcmp(params[0], cases[i].first) && !strcmp(params[1], cases[i].second),
              "%s: names '%s' '%s'", cases[i].why, params[0], params[1]);
    }
}

static void test_long_segment(void)
{
    char path[512] = "/api/v1/chargers/", params[REST_PARAMS_MAX][REST_PARAM_MAX], allow[64];
    size_t base = strlen(path);
    const struct rest_route *route;

    memset(path + base, 'a', REST_PARAM_MAX);
    path[base + REST_PARAM_MAX - 1] = '\0';
    CHECK(rest_match(table, AMP_COUNT(table), AMP_TEXT("GET"), amp_text_of(path), &route, params,
                     allow) == 0,
          "just fits");
    path[base + REST_PARAM_MAX - 1] = 'a';
    path[base + REST_PARAM_MAX] = '\0';
    CHECK(rest_match(table, AMP_COUNT(table), AMP_TEXT("GET"), amp_text_of(path), &route, params,
                     allow) == AMP_E_FORMAT,
          "one too many");
}

static void test_query(void)
{
    static const struct {
        const char *in, *out;
        int len;
    } values[] = {
        { "plain", "plain", 5 },
        { "a+b", "a b", 3 },
        { "a%2Bb", "a+b", 3 },
        { "%2B+%2B", "+ +", 3 },
        { "", "", 0 },
        { "%C3%BC", "\xc3\xbc", 2 },
        { "%", "", AMP_E_FORMAT },
        { "%00", "", AMP_E_FORMAT },
        { "%ff", "", AMP_E_FORMAT },
        { "too long for the buffer", "", AMP_E_FULL },
    };
    struct amp_text query = AMP_TEXT("&a=1&&b&c=x=y&"), name, value;
    char seen[64] = "", out[16];

    while (rest_query_next(&query, &name, &value))
        snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "[%.*s:%.*s]", AMP_FMT(name),
                 AMP_FMT(value));
    CHECK(!strcmp(seen, "[a:1][b:][c:x=y]"), "got %s", seen);
    for (size_t i = 0; i < AMP_COUNT(values); i++) {
        int len = rest_query_decode(amp_text_of(values[i].in), out, sizeof out);

        CHECK(len == values[i].len, "'%s': length %d", values[i].in, len);
        CHECK(len < 0 || !strcmp(out, values[i].out), "'%s': got '%s'", values[i].in, out);
    }
    CHECK(rest_listed("one two", AMP_TEXT("two")) && !rest_listed("one two", AMP_TEXT("tw")) &&
              !rest_listed(NULL, AMP_TEXT("x")),
          "names");
}

int main(void)
{
    RUN(test_match);
    RUN(test_long_segment);
    RUN(test_query);
    return check_end();
}
