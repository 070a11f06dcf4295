/* cli/station_test.c - the command itself, as a process: exit codes, the demo, and kill -9 in the
 * middle of a transaction. The central system is that of fleet/csms, on real sockets and on real
 * time; the command's clock runs faster. */
#include "fleet/csms/csms.h"
#include "ocpp/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM   AMP_BINARY_DIR "/amperstand"
#define WORDS_MAX 24
#define PATIENCE  600 /* rounds of 100 ms for what takes a second or two: only a hang reaches it */

static struct posix_loop loop;
static struct csms *csms;
static char url[64], dir[64], path[128], text[65536];
static const char *typed; /* what the next command reads from a pipe; NULL: nothing */

static void begin(void)
{
    uint16_t port = 0;

    CHECK(posix_loop_open(&loop, 1000, false) == 0, "loop");
    CHECK(csms_open(&loop, &port, &csms) == 0, "csms");
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/ocpp", port);
    snprintf(dir, sizeof dir, "/tmp/station_test.XXXXXX");
    CHECK(mkdtemp(dir), "%s", dir);
    snprintf(path, sizeof path, "%s/out", dir);
}

static void end(void)
{
    static const char *const files[] = { "out", "CP001.flash", "CP001.meter", "CP001.log",
                                         "ledger" };
    char file[128];

    csms_close(csms);
    posix_loop_close(&loop);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(file, sizeof file, "%s/%s", dir, files[i]);
        unlink(file);
    }
    CHECK(rmdir(dir) == 0, "something else was left in %s", dir);
}

/* Start the command with these words; stdout and stderr go to `path`. */
static pid_t start(const char *words)
{
    static char copy[1024];
    char *argv[WORDS_MAX + 1];
    int argc = 0;
    int input[2];
    pid_t child;

    CHECK(pipe(input) == 0, "pipe");
    snprintf(copy, sizeof copy, "amperstand %s", words);
    for (char *w = strtok(copy, " "); w && argc < WORDS_MAX; w = strtok(NULL, " "))
        argv[argc++] = w;
    argv[argc] = NULL;
    child = fork();
    if (child == 0) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        dup2(input[0], 0);
        close(input[1]);
        dup2(fd, 1);
        dup2(fd, 2);
        execv(PROGRAM, argv);
        _exit(127);
    }
    close(input[0]);
    if (typed)
        CHECK(write(input[1], typed, strlen(typed)) == (ssize_t)strlen(typed), "typed");
    close(input[1]);
    typed = NULL;
    return child;
}

/* Serve until the child ends. Its exit code, or -1. */
static int finish(pid_t child)
{
    int status = 0;

    for (int i = 0; i < PATIENCE; i++) {
        if (waitpid(child, &status, WNOHANG) == child)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        posix_run_once(&loop, 100);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    CHECK(false, "the command hangs");
    return -1;
}

static const char *printed(void)
{
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

    text[n] = 0;
    if (f)
        fclose(f);
    return text;
}

static void test_usage(void)
{
    static const struct {
        const char *words, *says;
        int code;
    } cases[] = {
        { "", "station", 2 },
        { "--help", "fleet", 0 },
        { "--version", "amperstand ", 0 },
        { "dance", "'dance' is no command", 2 },
        { "station --help", "--exit-when-done", 0 },
        { "fleet --help", "--ledger", 0 },
        { "station", "--url: is missing", 2 },
        { "station --url ws://127.0.0.1:1/ocpp", "--id: is missing", 2 },
        { "station --url nonsense --id CP001", "--url: 'nonsense'", 2 },
        { "station --url wss://127.0.0.1:1/ocpp --id CP001", "--ca: wss", 2 },
        { "station --url wss://127.0.0.1:1/ocpp --id CP001 --ca /none", "cannot begin", 4 },
        { "station --url ws://127.0.0.1:1/ocpp --id CP001 --cert /none", "--key: --cert and", 2 },
        { "station --url ws://127.0.0.1:1/ocpp --id CP001 --secure-url ws://127.0.0.1:2/ocpp",
          "secure_url", 2 },
        { "station --url ws://127.0.0.1:1/ocpp --id CP001 --connectors 99",
          "--connectors: 99 is out of range", 2 },
        { "station --url ws://127.0.0.1:1/ocpp --id CP001 --scenario /none",
          "--scenario: cannot open", 2 },
        { "station --url ws://127.0.0.1:1/ocpp --id CP001 --connectors 1 --scenario demo",
          "--connectors", 2 },
        { "station --url ws://127.0.0.1:1/ocpp --id CP001 --vehicle bicycle", "--vehicle", 2 },
        { "station --url ws://127.0.0.1:1/ocpp --id CP001 --hardware gpio:1", "--hardware", 2 },
        { "station --url ws://127.0.0.1:1/ocpp --id CP001 --hardware modbus:/none", "--hardware",
          2 },
        { "station --url ws://127.0.0.1:1/ocpp --id CP001 --exit-when-done", "--scenario demo", 2 },
        { "station --url ws://127.0.0.1:1/ocpp --id CP001 --log loud", "--log: 'loud'", 2 },
        { "station --url ws://127.0.0.1:1/ocpp --id CP001 --data /proc/none", "/proc/none", 4 },
        { "station --url ws://127.0.0.1:1/ocpp --id CP001 --attempts 2 --retry 1 --speed 100",
          "could not connect", 3 },
        { "fleet --url ws://127.0.0.1:1/ocpp --count 0", "--count: 0 is out of range", 2 },
        { "fleet --url ws://127.0.0.1:1/ocpp --count 1000000", "open files", 2 },
        { "fleet --url ws://127.0.0.1:1/ocpp --count 2 --duration 1 --speed 100",
          "no station could connect", 3 },
    };

    begin();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int code = finish(start(cases[i].words));

        CHECK(code == cases[i].code, "'%s': exit code %d", cases[i].words, code);
        CHECK(strstr(printed(), cases[i].says), "'%s': said '%s'", cases[i].words, text);
    }
    end();
}

static void test_demo(void)
{
    char words[256];
    const struct csms_seen *seen;
    int code;

    begin();
    seen = csms_seen(csms);
    snprintf(words, sizeof words,
             "station --url %s --id CP001 --scenario demo --speed 40 --exit-when-done", url);
    code = finish(start(words));
    CHECK(code == 0, "exit code %d: %s", code, printed());
    CHECK(seen->count == 2 && seen->transactions[0].stops == 1 && seen->transactions[1].stops == 1,
          "%u transactions", seen->count);
    for (unsigned i = 0; i < seen->count && i < 2; i++) {
        const struct csms_transaction *t = &seen->transactions[i];
        int64_t wh = t->meter_stop - t->meter_start;

        CHECK(wh == (t->connector == 1 ? 1320 : 444), "connector %d: %d Wh", (int)t->connector,
              (int)wh);
    }
    end();
}

/* One tag is refused: the story does not come out, and the exit code says so. */
static void test_failed(void)
{
    char words[256];
    int code;

    begin();
    csms_refuse(csms, "DemoTag02");
    snprintf(words, sizeof words,
             "station --url %s --id CP001 --scenario demo --speed 60 --exit-when-done", url);
    code = finish(start(words));
    CHECK(code == 1 && strstr(printed(), "1 of 2 sessions"), "exit code %d: %s", code, printed());
    end();
}

static void test_interrupted(void)
{
    char words[256];
    pid_t child;
    int code;

    begin();
    snprintf(words, sizeof words, "station --url %s --id CP001", url);
    child = start(words);
    for (int i = 0; i < PATIENCE && csms_seen(csms)->boots == 0; i++)
        posix_run_once(&loop, 100);
    CHECK(csms_seen(csms)->boots == 1, "connected");
    kill(child, SIGINT);
    code = finish(child);
    CHECK(code == 0, "Ctrl-C is a clean end: %d %s", code, printed());
    end();
}

/* Killed while both cars charge, started again on the same data: each transaction has one start and
 * one stop, its register never fell, and the ledger of both lives tells the same. */
static void test_killed(void)
{
    char words[512];
    const struct csms_seen *seen;
    pid_t child;

    begin();
    seen = csms_seen(csms);
    snprintf(words, sizeof words,
             "station --url %s --id CP001 --data %s --ledger %s/ledger --scenario demo --speed 10",
             url, dir, dir);
    child = start(words);
    for (int i = 0; i < PATIENCE && seen->meters < 8; i++)
        posix_run_once(&loop, 100);
    CHECK(seen->count == 2 && seen->meters >= 8, "%u transactions, %u MeterValues", seen->count,
          seen->meters);
    kill(child, SIGKILL);
    finish(child);
    snprintf(words, sizeof words, "station --url %s --id CP001 --data %s --ledger %s/ledger", url,
             dir, dir);
    child = start(words);
    for (int i = 0; i < PATIENCE && !(seen->transactions[0].stops && seen->transactions[1].stops);
         i++)
        posix_run_once(&loop, 100);
    kill(child, SIGTERM);
    CHECK(finish(child) == 0, "clean end: %s", printed());
    CHECK(seen->boots == 2 && seen->count == 2, "%u boots, %u transactions", seen->boots,
          seen->count);
    for (int i = 0; i < 2; i++) {
        const struct csms_transaction *t = &seen->transactions[i];

        CHECK(t->starts == 1 && t->stops == 1 && !t->falls, "%d: %u starts, %u stops, fell %d", i,
              t->starts, t->stops, t->falls);
        CHECK(t->meter_stop > t->meter_start && t->stopped_at > t->started_at, "%d: %d to %d Wh", i,
              (int)t->meter_start, (int)t->meter_stop);
    }
    end();
}

/* By hand through a pipe, the power failing in the middle: two transactions, both told complete. */
static void test_console(void)
{
    char words[256];
    const struct csms_seen *seen;
    int code;

    begin();
    seen = csms_seen(csms);
    snprintf(words, sizeof words, "station --url %s --id CP001 --speed 20 --console", url);
    typed = "plug 1\ntag 1 CARD01\nexpect 1 Charging\nwait 20\ncut\nexpect 1 Preparing\n"
            "tag 1 CARD02\nexpect 1 Charging\nstatus\nwait 10\nstop 1\nexpect 1 Finishing\n"
            "unplug 1\nexpect 1 Available";
    code = finish(start(words));
    CHECK(code == 0 && strstr(printed(), "transaction 2 of CARD02"), "exit code %d: %s", code,
          printed());
    CHECK(!strstr(text, "> "), "a pipe gets no prompt: %s", text);
    CHECK(seen->count == 2 && seen->boots == 2, "%u transactions, %u boots", seen->count,
          seen->boots);
    CHECK(!strcmp(seen->transactions[0].reason, "PowerLoss") && seen->transactions[0].stops == 1 &&
              seen->transactions[1].stops == 1,
          "the first: %s", seen->transactions[0].reason);

    typed = "expect 1 Charging 1\nquit\n";
    code = finish(start(words));
    CHECK(code == 1 && strstr(printed(), "connector 1 is Available, and not Charging after 1 s"),
          "exit code %d: %s", code, printed());
    typed = "dance 1\n";
    code = finish(start(words));
    CHECK(code == 1 && strstr(printed(), "'dance' is no command; help lists them"),
          "exit code %d: %s", code, printed());
    end();
}

int main(void)
{
    RUN(test_usage);
    RUN(test_demo);
    RUN(test_failed);
    RUN(test_interrupted);
    RUN(test_killed);
    RUN(test_console);
    return check_end();
}
