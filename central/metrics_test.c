/* central/metrics_test.c - what the server says about itself while stations talk to it: /metrics,
 * read by a strict parser of Prometheus' text format 0.0.4; /readyz; and log lines, each about a
 * message with its station and its message id. */
#include "central/counts.h"
#include "central/plant.h"
#include "ocpp/json.h"

#define KEY "metrics-test-key-0123456789"

/* The body of a GET; static. */
static const char *get(struct plant *p, const char *path, int *status)
{
    static char answer[1 << 18];
    char request[256];
    size_t len = 0;
    int fd = peer_open(&p->stage);
    const char *body;

    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " KEY
             "\r\n\r\n",
             path);
    peer_say(&p->stage, fd, request);
    for (;;) {
        ssize_t got = recv(fd, answer + len, sizeof answer - 1 - len, MSG_DONTWAIT);

        if (got == 0)
            break;
        if (got > 0)
            len += (size_t)got;
        else
            stage_run(&p->stage);
    }
    close(fd);
    answer[len] = '\0';
    *status = strncmp(answer, "HTTP/1.1 ", 9) ? 0 : atoi(answer + 9);
    body = strstr(answer, "\r\n\r\n");
    return body ? body + 4 : "";
}

/* ---- the parser ---- */

enum { FAMILIES = 200, SERIES = 2000 };
struct family {
    char name[100], type[16];
    bool ended;
    double last_bucket, last_bound, count;
    bool bucket, inf, sum, counted;
};
static struct family families[FAMILIES];
static char series[SERIES][400];
static double values[SERIES];
static size_t family_count, series_count;

static bool name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
           (!first && c >= '0' && c <= '9');
}

static size_t name_length(const char *at)
{
    size_t n = 0;

    while (name_char(at[n], n == 0))
        n++;
    return n;
}

/* {a="x",b="y"}: the length, 0 when it is none, -1 when it is broken. The value of `le` in *le. */
static int labels_length(const char *at, char le[32])
{
    int n = 1;

    if (*at != '{')
        return 0;
    while (at[n] != '}') {
        size_t name = name_length(at + n), len = 0;
        bool is_le = name == 2 && !strncmp(at + n, "le", 2);

        if (!name || at[n + (int)name] != '=' || at[n + (int)name + 1] != '"')
            return -1;
        n += (int)name + 2;
        for (; at[n] != '"'; n++) {
            if (!at[n] || at[n] == '\n' || (unsigned char)at[n] < ' ')
                return -1;
            if (at[n] == '\\' && !strchr("\\\"n", at[++n]))
                return -1;
            if (is_le && len < 31)
                le[len++] = at[n];
        }
        if (is_le)
            le[len] = '\0';
        n++;
        if (at[n] == ',')
            n++;
        else if (at[n] != '}')
            return -1;
    }
    return n + 1;
}

/* # HELP name text, # TYPE name type: in this order, each once, before all samples. */
static void take_comment(const char *line)
{
    static const char *const types[] = { "counter", "gauge", "histogram", "summary", "untyped" };
    struct family *f = &families[family_count];
    size_t n = name_length(line + 7);
    bool known = false;

    if (!strncmp(line, "# HELP ", 7)) {
        CHECK(n && line[7 + n] == ' ' && line[8 + n], "a name and a text: %s", line);
        *f = (struct family){ .last_bound = -1 };
        snprintf(f->name, sizeof f->name, "%.*s", (int)n, line + 7);
        for (size_t i = 0; i < family_count; i++)
            CHECK(strcmp(families[i].name, f->name), "%s is there twice", f->name);
        if (family_count < FAMILIES - 1)
            family_count++;
        return;
    }
    CHECK(!strncmp(line, "# TYPE ", 7) && family_count, "HELP or TYPE: %s", line);
    f = &families[family_count - 1];
    CHECK(n == strlen(f->name) && !strncmp(line + 7, f->name, n) && line[7 + n] == ' ' &&
              !f->type[0],
          "the TYPE of %s: %s", f->name, line);
    for (size_t i = 0; i < AMP_COUNT(types); i++)
        known = known || !strcmp(line + 8 + n, types[i]);
    CHECK(known, "%s", line);
    snprintf(f->type, sizeof f->type, "%s", line + 8 + n);
}

static void take_bucket(struct family *f, const char *le, double value)
{
    double bound = strcmp(le, "+Inf") ? strtod(le, NULL) : 1e300;

    CHECK(le[0] && bound > f->last_bound, "%s: bounds rise: %s", f->name, le);
    CHECK(value >= f->last_bucket, "%s: buckets are cumulative", f->name);
    f->last_bound = bound;
    f->last_bucket = value;
    f->inf = !strcmp(le, "+Inf");
}

static void take_sample(const char *line)
{
    struct family *f = family_count ? &families[family_count - 1] : NULL;
    size_t n = name_length(line), base = f ? strlen(f->name) : 0;
    char le[32] = "", *end, suffix[32];
    int labels = labels_length(line + n, le);
    double value;

    CHECK(n && labels >= 0 && line[n + (size_t)labels] == ' ', "a sample: %s", line);
    if (!n || labels < 0 || !f)
        return;
    CHECK(!strncmp(line, f->name, base) && f->type[0], "%s stands under %s", line, f->name);
    snprintf(suffix, sizeof suffix, "%.*s", (int)(n - base), line + base);
    value = strtod(line + n + labels + 1, &end);
    CHECK(end > line + n + labels + 1 && !*end && value >= 0, "a number: %s", line);
    if (!strcmp(f->type, "histogram")) {
        if (!strcmp(suffix, "_bucket"))
            take_bucket(f, le, value);
        else if (!strcmp(suffix, "_sum"))
            f->sum = true;
        else if (!strcmp(suffix, "_count"))
            f->counted = true, f->count = value;
        else
            CHECK(false, "%s", line);
    } else {
        CHECK(!suffix[0], "%s is no %s", line, f->type);
    }
    if (!strcmp(f->type, "counter"))
        CHECK(base > 6 && !strcmp(f->name + base - 6, "_total"), "a counter ends so: %s", f->name);
    snprintf(series[series_count], sizeof series[0], "%.*s", (int)n + labels, line);
    for (size_t i = 0; i < series_count; i++)
        CHECK(strcmp(series[i], series[series_count]), "%s is there twice", series[i]);
    values[series_count] = value;
    if (series_count < SERIES - 1)
        series_count++;
}

static void parse(const char *body)
{
    char line[600];

    family_count = series_count = 0;
    CHECK(*body && body[strlen(body) - 1] == '\n', "the last line has its end");
    while (*body) {
        size_t n = strcspn(body, "\n");

        CHECK(n > 0 && n < sizeof line, "a line of %zu bytes", n);
        snprintf(line, sizeof line, "%.*s", (int)n, body);
        if (line[0] == '#')
            take_comment(line);
        else
            take_sample(line);
        body += n + 1;
    }
    for (size_t i = 0; i < family_count; i++)
        if (!strcmp(families[i].type, "histogram"))
            CHECK(families[i].inf && families[i].sum && families[i].counted &&
                      families[i].count == families[i].last_bucket,
                  "%s is complete", families[i].name);
}

static double value_of(const char *name)
{
    for (size_t i = 0; i < series_count; i++)
        if (!strcmp(series[i], name))
            return values[i];
    return -1;
}

/* ---- the tests ---- */

static void plant_begin(struct plant *p, bool json)
{
    plant_settings(p);
    free(p->settings.admin_key);
    p->settings.admin_key = strdup(KEY);
    p->json = json;
    plant_start(p);
}

/* A station that says good things and bad ones. */
static int talk(struct plant *p)
{
    int fd = station_open(p, "CP001");

    station_boots(p, fd);
    station_says(p, fd, "[2,\"h1\",\"Heartbeat\",{}]");
    station_says(p, fd, "[2,\"m1\",\"Frobnicate\",{}]");
    station_says(p, fd,
                 "[2,\"s1\",\"StatusNotification\",{\"connectorId\":\"1\",\"errorCode\":"
                 "\"NoError\",\"status\":\"Available\",\"extra\":1}]");
    station_says(p, fd, "[2,\"s2\",\"StatusNotification\",{\"connectorId\":1}]");
    station_says(p, fd, "[2,\"a1\",\"Authorize\",{\"idTag\":12345}]");
    peer_text(&p->stage, fd, "[3,\"nobody-asked\",{}]");
    CHECK(station_lives(p, fd), "still there");
    return fd;
}

static void test_metrics(void)
{
    struct plant p;
    int fd, status, other;
    const char *body;

    plant_begin(&p, false);
    fd = talk(&p);
    CHECK(!strncmp(station_knock(&p, "CP002", NULL, &other), "HTTP/1.1 101", 12),
          "the handshake ends before it is closed");
    close(other);
    body = get(&p, "/metrics", &status);
    CHECK(status == 200, "%d", status);
    parse(body);
    CHECK(family_count > 40 && series_count > 100, "%zu families, %zu series", family_count,
          series_count);
    CHECK(value_of("amperstand_chargers{connection=\"connected\"}") == 1, "%s", body);
    CHECK(value_of("amperstand_stations_open") == 1, "one station");
#define MESSAGES(action, direction, type)                                             \
    value_of("amperstand_messages_total{action=\"" action "\",direction=\"" direction \
             "\",type=\"" type "\"}")
    CHECK(MESSAGES("BootNotification", "received", "call") == 1, "%s", body);
    CHECK(MESSAGES("Heartbeat", "received", "call") == 2, "%s", body);
    CHECK(MESSAGES("Heartbeat", "sent", "result") == 2, "%s", body);
    CHECK(MESSAGES("other", "received", "call") == 1 && MESSAGES("other", "sent", "error") == 1,
          "an unknown action has no series of its own: %s", body);
    CHECK(!strstr(body, "Frobnicate") && !strstr(body, "CP001"), "nothing that strangers name");
    CHECK(MESSAGES("StatusNotification", "sent", "error") == 1, "%s", body);
    CHECK(value_of("amperstand_messages_repaired_total{kind=\"number\"}") == 1, "%s", body);
    CHECK(value_of("amperstand_messages_repaired_total{kind=\"text\"}") == 1, "%s", body);
    CHECK(value_of("amperstand_unknown_fields_total") == 1, "%s", body);
    CHECK(value_of("amperstand_messages_late_total") == 1, "%s", body);
    CHECK(value_of("amperstand_refused_total{reason=\"no-protocol\"}") == 1, "%s", body);
    CHECK(value_of("amperstand_answer_seconds_count") == 7, "%s", body);
    CHECK(value_of("amperstand_store_commits_total") > 0 &&
              value_of("amperstand_store_commit_seconds_count") ==
                  value_of("amperstand_store_commits_total"),
          "%s", body);
    CHECK(value_of("amperstand_store_failing") == 0, "%s", body);
    CHECK(value_of("process_resident_memory_bytes") > 1 << 20, "%s", body);
    CHECK(value_of("amperstand_data_free_bytes") > 0, "%s", body);
    CHECK(strstr(get(&p, "/readyz", &status), "\"status\":\"ok\"") && status == 200, "ready");
    close(fd);
    plant_stop(&p);
    plant_end(&p);
}

/* Reasons are texts of ours; should there ever be too many, or strangers' words among them, the
 * number of series stays bounded. */
static void test_bounded(void)
{
    struct plant p;
    char why[64];
    int status;
    unsigned n = 0;

    plant_begin(&p, false);
    for (int i = 0; i < 1000; i++) {
        snprintf(why, sizeof why, "reason \"%d\"\\\n", i);
        counts_refused(p.central.counts, why);
    }
    parse(get(&p, "/metrics", &status));
    for (size_t i = 0; i < series_count; i++)
        n += !strncmp(series[i], "amperstand_refused_total", 24);
    CHECK(n == TALLY_MAX, "%u series", n);
    CHECK(value_of("amperstand_refused_total{reason=\"other\"}") == 1000 - (TALLY_MAX - 1),
          "the rest");
    CHECK(value_of("amperstand_refused_total{reason=\"reason \\\"3\\\"\\\\\\n\"}") == 1, "escaped");
    plant_stop(&p);
    plant_end(&p);
}

/* Each line about a message says whose and which. */
static void check_line(struct amp_text line, bool json, unsigned *about)
{
    static const char *const messages[] = { "message received", "message sent", "call refused",
                                            "frame dropped", "call answered with an error" };
    char text[4096], *charger, *id;
    bool is = false;

    amp_text_copy(text, sizeof text, line);
    if (json)
        CHECK(amp_json_check(line, NULL) == 0, "a JSON line: %s", text);
    for (size_t i = 0; i < AMP_COUNT(messages); i++) {
        char want[100];

        snprintf(want, sizeof want, json ? "\"message\":\"%s\"" : " v16 %s ", messages[i]);
        is = is || strstr(text, want);
    }
    if (!is)
        return;
    ++*about;
    charger = strstr(text, json ? "\"charger\":\"CP001\"" : " charger=CP001");
    id = strstr(text, json ? "\"messageId\":\"" : " messageId=");
    CHECK(charger && id, "station and message id: %s", text);
}

static void test_log(void)
{
    for (int json = 0; json < 2; json++) {
        struct plant p;
        const char *at;
        unsigned about = 0;
        int fd;

        plant_begin(&p, json);
        fd = talk(&p);
        close(fd);
        plant_stop(&p);
        p.log_fd = -1;
        {
            char path[96];

            snprintf(path, sizeof path, "%s/log", p.dir);
            p.log_fd = open(path, O_RDONLY);
        }
        for (at = log_text(&p); *at;) {
            size_t n = strcspn(at, "\n");

            check_line((struct amp_text){ at, (uint32_t)n }, json, &about);
            at += n + (at[n] == '\n');
        }
        close(p.log_fd);
        CHECK(about >= 18, "%u lines about messages", about);
        plant_end(&p);
    }
}

int main(void)
{
    RUN(test_metrics);
    RUN(test_bounded);
    RUN(test_log);
    return check_end();
}
