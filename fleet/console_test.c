/* fleet/console_test.c - lines through a pipe, a real core, a clock that is turned. */
#include "fleet/console.h"
#include "fleet/csms/csms.h"
#include "fleet/csms/turn.h"
#include "ocpp/check.h"

#include <fcntl.h>
#include <unistd.h>

static struct posix_loop loop;
static struct csms *csms;
static struct solo *solo;
static struct console *console;
static struct amp_station_config config;
static FILE *view, *out;
static int ends[2];
static char url[64], text[65536];

static bool stay; /* of the console */

static void begin_on(int fd, bool prompt)
{
    uint16_t port = 0;

    CHECK(posix_loop_open(&loop, 0, false) == 0, "loop");
    CHECK(csms_open(&loop, &port, &csms) == 0, "csms");
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/ocpp", port);
    config = (struct amp_station_config){ .url = amp_text_of(url),
                                          .identity = AMP_TEXT("CP001"),
                                          .vendor = AMP_TEXT("Amperstand"),
                                          .model = AMP_TEXT("Demo"),
                                          .connectors = 2 };
    view = tmpfile();
    out = tmpfile();
    CHECK(solo_open(&loop,
                    &(struct solo_options){ .config = &config,
                                            .by_hand = true,
                                            .seed = 1,
                                            .log_level = AMP_LOG_ERROR,
                                            .out = view },
                    &solo) == 0,
          "solo");
    CHECK(console_open(&loop,
                       &(struct console_options){ .device = solo_device(solo),
                                                  .solo = solo,
                                                  .connectors = 2,
                                                  .stay = stay,
                                                  .fd = fd,
                                                  .prompt = prompt,
                                                  .out = out,
                                                  .err = out },
                       &console) == 0,
          "console");
}

static void begin(bool prompt)
{
    CHECK(pipe(ends) == 0, "pipe");
    begin_on(ends[0], prompt);
}

static void end(void)
{
    console_close(console);
    solo_close(solo);
    csms_close(csms);
    posix_loop_close(&loop);
    fclose(view);
    fclose(out);
    close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
}

static void type(const char *lines)
{
    CHECK(write(ends[1], lines, strlen(lines)) == (ssize_t)strlen(lines), "typed");
}

static void hang_up(void)
{
    close(ends[1]);
    ends[1] = -1;
}

static const char *said(void)
{
    size_t n;

    fflush(out);
    rewind(out);
    n = fread(text, 1, sizeof text - 1, out);
    text[n] = 0;
    return text;
}

static enum amp_status status(int connector)
{
    struct amp_connector_info i = { .status = 0 };

    CHECK(amp_station_connector(posix_device_station(solo_device(solo)), connector, &i) == 0,
          "connector");
    return i.status;
}

static void test_session(void)
{
    const struct csms_seen *seen;

    begin(false);
    seen = csms_seen(csms);
    type("plug 1\ntag 1 CARD01 # a comment\n\nexpect 1 Charging\nwait 30\nsta");
    CHECK(turn(&loop, 10000), "rest");
    CHECK(status(1) == AMP_CHARGING && seen->count == 1, "%u transactions", seen->count);
    type("tus\nstop 1\nexpect 1 Finishing 5\nunplug 1\n");
    CHECK(turn(&loop, 10000) && status(1) == AMP_CHARGING, "it waits for 30 s");
    CHECK(turn(&loop, 20000) && status(1) == AMP_AVAILABLE, "is %d", status(1));
    CHECK(!loop.stop, "there may be more");
    CHECK(strstr(said(),
                 "connector 1: Charging, plugged in, locked, energy on, transaction 1 of CARD01"),
          "status: %s", text);
    hang_up();
    CHECK(turn(&loop, 1000) && loop.stop, "the end of the input is the end");
    CHECK(console_failures(console) == 0 && seen->transactions[0].stops == 1, "%s", said());
    CHECK(!strstr(said(), ">"), "no prompt: %s", text);
    end();
}

static void test_cut_and_faults(void)
{
    const struct csms_seen *seen;

    begin(false);
    seen = csms_seen(csms);
    type("plug 2\ntag * CARD01\nexpect 2 Charging\ncut\nstatus\nexpect 2 Preparing\n");
    CHECK(turn(&loop, 10000), "rest");
    CHECK(seen->boots == 2 && seen->count == 1 && seen->transactions[0].stops == 1 &&
              !strcmp(seen->transactions[0].reason, "PowerLoss"),
          "%u boots, ended by %s", seen->boots, seen->transactions[0].reason);
    CHECK(strstr(said(), "restarts"), "%s", text);
    type("fault 2 GroundFailure\nfault 2 OverVoltage\nrepair 2 OverVoltage\nexpect 2 Faulted\n"
         "repair 2 GroundFailure\nexpect 2 Preparing\nquit\nwait "
         "9\n");
    CHECK(turn(&loop, 5000) && loop.stop, "quit");
    CHECK(console_failures(console) == 0, "%s", said());
    end();
}

static void test_wrong(void)
{
    static const struct {
        const char *line, *says;
        /* clang-format off */
    } cases[] = {
        { "plgu 1",                      "'plgu' is no command; help lists them" },
        { "plug",                        "plug: something is missing; write plug N" },
        { "plug 1 2",                    "plug: too many words; write plug N" },
        { "plug 3",                      "'3' is no connector; 1 to 2" },
        { "plug *",                      "'*' is no connector" },
        { "plug -1",                     "'-1' is no connector" },
        { "unplug 1",                    "connector 1 has no car; plug 1 first" },
        { "stop 1",                      "connector 1 has no transaction" },
        { "fault 1 Smoke",               "'Smoke' is no error code" },
        { "repair 1 Smoke",              "'Smoke' is no error code" },
        { "wait long",                   "'long' is no number of seconds" },
        { "expect 1 Happy",              "'Happy' is no status; Available" },
        { "expect 1 Charging soon",      "'soon' is no number of seconds" },
        { "expect 1 Charging 2",         "is Available, and not Charging after 2 s" },
        { "tag 1 ABCDEFGHIJKLMNOPQRSTU", "at most 20 characters" },
    };
    /* clang-format on */
    char line[3000];

    begin(true);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        type(cases[i].line);
        type("\n");
        CHECK(turn(&loop, 4000), "rest");
        CHECK(strstr(said(), cases[i].says), "'%s' said %s", cases[i].line, text);
        CHECK(console_failures(console) == i + 1, "'%s': %u", cases[i].line,
              console_failures(console));
    }
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = 0;
    type(line);
    type("\nhelp\nplug 1\nplug 1\n");
    CHECK(turn(&loop, 4000), "rest");
    CHECK(strstr(said(), "a line is too long") && strstr(text, "unplug 1 first") &&
              strstr(text, "let time pass") && strstr(text, "> "),
          "%s", text);
    CHECK(console_failures(console) == sizeof cases / sizeof cases[0] + 2, "%u",
          console_failures(console));
    end();
}

/* A file, and a last line without an end. */
static void test_file(void)
{
    FILE *f = tmpfile();

    CHECK(f && fputs("plug 1\ntag 1 CARD01\nexpect 1 Charging", f) >= 0, "file");
    rewind(f);
    ends[0] = dup(fileno(f));
    ends[1] = -1;
    begin_on(ends[0], false);
    CHECK(turn(&loop, 5000) && loop.stop, "ends");
    CHECK(console_failures(console) == 0 && status(1) == AMP_CHARGING, "%s", said());
    end();
    fclose(f);
}

/* Beside a story or real hardware the end of the input is not the end. */
static void test_stays(void)
{
    stay = true;
    begin(false);
    type("plug 1\ntag 1 CARD01\n");
    hang_up();
    CHECK(turn(&loop, 60000) && !loop.stop, "it goes on");
    CHECK(status(1) == AMP_CHARGING && console_failures(console) == 0, "%s", said());
    end();
    stay = false;
}

int main(void)
{
    RUN(test_session);
    RUN(test_cut_and_faults);
    RUN(test_wrong);
    RUN(test_file);
    RUN(test_stays);
    return check_end();
}
