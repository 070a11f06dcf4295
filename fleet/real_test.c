/* fleet/real_test.c - the whole wallbox: Modbus devices and a central system on real sockets, a tag
 * reader, and the station between them. */
#ifdef AMP_HAVE_LINUX

#include "fleet/csms/csms.h"
#include "fleet/real.h"
#include "ports/linux/server_test.h"

#include <sys/stat.h>

#define ROUNDS 2000 /* of at most 10 ms: only what never happens takes so many */

static struct posix_loop loop;
static struct csms *csms;
static struct server box;
static char dir[64], fifo[96], path[96], data[96];

static void describe(const char *extra)
{
    FILE *f = fopen(path, "w");

    fprintf(f,
            "answer 200\npoll 20\nstale 600\nbus box tcp 127.0.0.1:%d\ntags %s\n"
            "connector 1 meter box 1 sdm120\nconnector 1 permit box 1 coil 0\n"
            "connector 1 limit box 1 holding 0 0.1\nconnector 1 wired 1\nconnector 1 most 20\n"
            "connector 1 plug box 1 discrete 0\n%s",
            box.port, fifo, extra);
    fclose(f);
}

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/real_test.XXXXXX");
    CHECK(mkdtemp(dir), "%s", dir);
    snprintf(fifo, sizeof fifo, "%s/reader", dir);
    snprintf(path, sizeof path, "%s/wallbox.conf", dir);
    snprintf(data, sizeof data, "%s/CP001.flash", dir);
    CHECK(mkfifo(fifo, 0600) == 0, "fifo");
    server_tcp(&box);
    server_float(&box, 0x48, 77.5F);
    describe("");
}

static void end(void)
{
    server_close(&box);
    unlink(fifo);
    unlink(path);
    unlink(data);
    CHECK(rmdir(dir) == 0, "something else was left in %s", dir);
}

static void show_tag(const char *line)
{
    int fd = open(fifo, O_WRONLY | O_NONBLOCK);

    CHECK(fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line), "reader");
    close(fd);
}

#define UNTIL(cond)                   \
    for (int i_ = 0; !(cond); i_++) { \
        posix_run_once(&loop, 10);    \
        if (i_ > ROUNDS) {            \
            CHECK(cond, "never");     \
            break;                    \
        }                             \
    }

static void options(struct real_options *o, const char *url, const char *hardware)
{
    *o = (struct real_options){
        .config = { .url = amp_text_of(url),
                    .identity = AMP_TEXT("CP001"),
                    .vendor = AMP_TEXT("Amperstand"),
                    .model = AMP_TEXT("Test"),
                    .reconnect_first_s = 1 },
        .hardware = hardware,
        .data_dir = dir,
        .log_level = AMP_LOG_ERROR,
        .out = stderr,
    };
}

static void test_session(void)
{
    const struct csms_seen *seen;
    struct real_options o;
    struct real_result result;
    struct real *r;
    const char *why;
    char url[64], hardware[128];
    unsigned line, asked;
    uint16_t port = 0;

    begin();
    CHECK(posix_loop_open(&loop, 1000, false) == 0 && csms_open(&loop, &port, &csms) == 0, "csms");
    seen = csms_seen(csms);
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/ocpp", port);
    snprintf(hardware, sizeof hardware, "modbus:%s", path);
    options(&o, url, hardware);
    o.out = fopen("/dev/null", "w");
    CHECK(real_open(&loop, &o, &r, &line, &why) == 0, "open: %u %s", line, why);
    CHECK(box.cells->holdings[0] == 200, "the limit of the description: %u",
          box.cells->holdings[0]);

    UNTIL(seen->statuses >= 2);
    box.cells->discretes[0] = 1; /* the plug */
    show_tag("04A2FF\n");
    UNTIL(seen->count == 1 && box.cells->coils[0]);
    CHECK(!strcmp(seen->transactions[0].tag, "04A2FF") &&
              seen->transactions[0].meter_start == 77500,
          "%s at %lld Wh", seen->transactions[0].tag, (long long)seen->transactions[0].meter_start);
    server_float(&box, 0x48, 78.25F);
    asked = box.cells->requests; /* seven a round */
    UNTIL(box.cells->requests > asked + 15);
    box.cells->discretes[0] = 0;
    UNTIL(seen->transactions[0].stops == 1);
    CHECK(seen->transactions[0].meter_stop == 78250 && !box.cells->coils[0], "%lld Wh",
          (long long)seen->transactions[0].meter_stop);

    box.cells->discretes[0] = 1; /* the process ends in the middle of a session */
    show_tag("04A2FF\n");
    UNTIL(seen->count == 2 && box.cells->coils[0]);
    real_result(r, &result);
    CHECK(result.sessions == 1 && result.ever_up && !result.given_up && !result.failure, "%u",
          result.sessions);
    real_close(r);
    CHECK(!box.cells->coils[0], "the contactor opens");
    CHECK(real_open(&loop, &o, &r, &line, &why) == 0, "again");
    UNTIL(seen->transactions[1].stops == 1);
    CHECK(!strcmp(seen->transactions[1].reason, "PowerLoss"), "%s", seen->transactions[1].reason);
    real_close(r);
    fclose(o.out);
    csms_close(csms);
    posix_loop_close(&loop);
    end();
}

static void test_refused(void)
{
    struct real_options o;
    struct real *r;
    const char *why;
    char hardware[128];
    unsigned line;

    begin();
    CHECK(posix_loop_open(&loop, 1000, false) == 0, "loop");
    options(&o, "ws://127.0.0.1:9/ocpp", "gpio:1");
    CHECK(real_open(&loop, &o, &r, &line, &why) == AMP_E_FORMAT && strstr(why, "modbus:"), "kind");
    o.hardware = "modbus:/nowhere/at/all";
    CHECK(real_open(&loop, &o, &r, &line, &why) == AMP_E_ABSENT, "file");
    snprintf(hardware, sizeof hardware, "modbus:%s", path);
    o.hardware = hardware;
    describe("connector 1 plug box 1 spool 0\n");
    CHECK(real_open(&loop, &o, &r, &line, &why) == AMP_E_FORMAT && line == 12, "line %u", line);
    describe("");
    unlink(fifo);
    CHECK(real_open(&loop, &o, &r, &line, &why) == AMP_E_IO, "no reader");
    CHECK(mkfifo(fifo, 0600) == 0, "fifo");
    posix_loop_close(&loop);
    end();
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "serve"))
        return server_main(argc, argv);
    RUN(test_session);
    RUN(test_refused);
    return check_end();
}

#else

#include "fleet/real.h"
#include "ocpp/check.h"

static void test_absent(void)
{
    struct real *r;
    const char *why;
    unsigned line;

    CHECK(real_open(NULL, NULL, &r, &line, &why) == AMP_E_SUPPORT, "%s", why);
}

int main(void)
{
    RUN(test_absent);
    return check_end();
}

#endif
