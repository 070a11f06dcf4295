/* central/log_test.c - lines as text and JSON, nothing forged, a flood held back and counted. */
#include "central/log.h"
#include "ocpp/check.h"
#include "ocpp/json.h"

#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

static int64_t clock_ms;

static int64_t turned(void)
{
    return clock_ms;
}

/* A log into a temporary file. */
struct tape {
    int fd;
    struct log *log;
    char text[65536];
};

static void tape_open(struct tape *t, enum log_level level, bool json)
{
    char path[] = "/tmp/amp-log-XXXXXX";

    t->fd = mkstemp(path);
    CHECK(t->fd >= 0, "temporary file");
    unlink(path);
    t->log = log_new(t->fd, level, json);
    clock_ms = 1717230600123;
    log_set_clock(t->log, turned);
}

static const char *tape_read(struct tape *t)
{
    ssize_t n = pread(t->fd, t->text, sizeof t->text - 1, 0);

    t->text[n > 0 ? n : 0] = 0;
    return t->text;
}

static void tape_close(struct tape *t)
{
    log_free(t->log);
    close(t->fd);
}

static unsigned lines(const char *text)
{
    unsigned n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void test_text(void)
{
    struct tape t;

    tape_open(&t, LOG_INFO, false);
    LOG(t.log, LOG_INFO, "net", "listening", LOG_STR("address", "127.0.0.1:1"), LOG_INT("max", 7),
        LOG_TEXT("none", AMP_NO_TEXT), LOG_STR("words", "a b"), LOG_STR("empty", ""));
    LOG(t.log, LOG_DEBUG, "net", "not wanted", LOG_INT("n", 1));
    CHECK(!strcmp(tape_read(&t),
                  "2024-06-01T08:30:00.123Z info net listening address=127.0.0.1:1 max=7 none=- "
                  "words=\"a b\" empty=\"\"\n"),
          "'%s'", t.text);
    tape_close(&t);
}

static void test_forgery(void)
{
    static const char evil[] = "x\n2024 error net forged a=b\x1b[2J\xff\"";
    struct tape t;

    for (int json = 0; json < 2; json++) {
        tape_open(&t, LOG_INFO, json);
        LOG(t.log, LOG_WARN, "net", "refused", LOG_STR("why", evil));
        tape_read(&t);
        CHECK(lines(t.text) == 1, "one line: '%s'", t.text);
        CHECK(!strchr(t.text, 0x1b) && !strchr(t.text, 0xff),
              "control characters are escaped: '%s'", t.text);
        tape_close(&t);
    }
}

static void test_json(void)
{
    static const char head[] =
        "{\"time\":\"2024-06-01T08:30:00.123Z\",\"level\":\"debug\",\"module\":\"v16\","
        "\"message\":\"station \\\"booted\\\"\",\"charger\":\"CP 1\",\"n\":-5,\"a\":";
    struct tape t;
    struct amp_text line;
    char big[5000];

    memset(big, 1, sizeof big - 1); /* the worst: each byte becomes six */
    big[sizeof big - 1] = 0;
    tape_open(&t, LOG_DEBUG, true);
    LOG(t.log, LOG_DEBUG, "v16", "station \"booted\"", LOG_STR("charger", "CP 1"), LOG_INT("n", -5),
        LOG_STR("a", big), LOG_STR("b", big), LOG_STR("c", big), LOG_STR("d", big),
        LOG_STR("e", big), LOG_STR("f", big), LOG_INT("g", 1));
    line = amp_text_of(tape_read(&t));
    CHECK(amp_json_check(line, NULL) == 0, "sound JSON: '%.200s'", t.text);
    CHECK(!strncmp(t.text, head, strlen(head)), "'%.200s'", t.text);
    tape_close(&t);
}

static void test_often(void)
{
    struct tape t;

    tape_open(&t, LOG_INFO, false);
    for (int i = 0; i < 1000; i++)
        LOG_OFTEN(t.log, LOG_WARN, "net", "refused", LOG_INT("i", i));
    CHECK(lines(tape_read(&t)) == LOG_OFTEN_MAX, "%u lines", lines(t.text));
    CHECK(strstr(t.text, "refused i=4 total=5\n"), "'%s'", t.text);
    log_tick(t.log);
    CHECK(lines(tape_read(&t)) == LOG_OFTEN_MAX, "the window is not over: '%s'", t.text);
    clock_ms += LOG_OFTEN_MS;
    log_tick(t.log);
    log_tick(t.log);
    CHECK(strstr(tape_read(&t), "refused held=995 total=1000\n"), "'%s'", t.text);
    CHECK(lines(t.text) == LOG_OFTEN_MAX + 1, "said once: '%s'", t.text);
    LOG_OFTEN(t.log, LOG_WARN, "net", "refused", LOG_INT("i", 0));
    CHECK(strstr(tape_read(&t), "refused i=0 total=1001\n"), "a new window: '%s'", t.text);
    CHECK(log_total(t.log, "net", "refused") == 1001 && log_total(t.log, "net", "other") == 0,
          "totals");
    tape_close(&t);
}

static void test_many_messages(void)
{
    static char names[100][16];
    struct tape t;
    uint64_t sum = 0;

    tape_open(&t, LOG_ERROR, false);
    for (int i = 0; i < 100; i++) {
        snprintf(names[i], sizeof names[i], "m%d", i);
        LOG_OFTEN(t.log, LOG_WARN, "net", names[i], LOG_INT("i", i));
    }
    for (int i = 0; i < 100; i++)
        sum += log_total(t.log, "net", names[i]);
    CHECK(sum == 100, "the last slot counts for all that found none: %d", (int)sum);
    tape_close(&t);
}

static void writer(void *arg)
{
    struct tape *t = arg;

    for (int i = 0; i < 200; i++) {
        LOG(t->log, LOG_INFO, "thread", "line",
            LOG_STR("pad", "....................................."));
        LOG_OFTEN(t->log, LOG_INFO, "thread", "often", LOG_INT("i", i));
    }
}

static void test_threads(void)
{
    struct tape t;
    uv_thread_t threads[4];

    tape_open(&t, LOG_INFO, false);
    for (int i = 0; i < 4; i++)
        uv_thread_create(&threads[i], writer, &t);
    for (int i = 0; i < 4; i++)
        uv_thread_join(&threads[i]);
    tape_read(&t);
    CHECK(log_total(t.log, "thread", "often") == 800, "every one counted");
    for (char *line = strtok(t.text, "\n"); line; line = strtok(NULL, "\n"))
        CHECK(!strncmp(line, "2024-06-01T08:30:00.123Z info thread ", 37), "mixed: '%s'", line);
    tape_close(&t);
}

static void test_none(void)
{
    LOG(NULL, LOG_ERROR, "x", "y", LOG_INT("z", 1));
    LOG_OFTEN(NULL, LOG_ERROR, "x", "y", LOG_INT("z", 1));
    log_say(NULL, LOG_ERROR, "x", "y");
    log_tick(NULL);
    log_free(NULL);
    CHECK(log_total(NULL, "x", "y") == 0 && !log_wants(NULL, LOG_ERROR), "a log that is not there");
}

int main(void)
{
    RUN(test_text);
    RUN(test_forgery);
    RUN(test_json);
    RUN(test_often);
    RUN(test_many_messages);
    RUN(test_threads);
    RUN(test_none);
    return check_end();
}
