/* cli/fleet.c - amperstand fleet: thousands of simulated stations in one process. */
#include "cli/cli.h"
#include "fleet/crowd.h"
#include "ocpp/http1.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>

#define ROOM_LEN 1024

static const char about[] =
    "Plays many charging stations at once, each charging again and again: a car comes, a tag is "
    "shown, it charges, stops,\n"
    "leaves. For load, for demos, and to prove what a central system keeps. Prints a line of "
    "totals, name=value pairs, every\n"
    "few seconds and one that begins with 'total' at the end. Ctrl-C ends it at once.";

static const char examples[] =
    "  amperstand fleet --url ws://127.0.0.1:8080/ocpp --count 200\n"
    "      stations CP001 to CP200 with tags FLEET001 to FLEET200, until Ctrl-C\n"
    "  amperstand fleet --url ws://127.0.0.1:8080/ocpp --count 200 --duration 60 --charge 5-20 "
    "--idle 1-5 --ledger acked.txt\n"
    "      a busy minute; acked.txt then holds every transaction message that was answered\n"
    "  amperstand fleet --url ws://127.0.0.1:8080/ocpp --count 5000 --rate 500 --interval 60 "
    "--seed 7\n"
    "      5,000 stations within ten seconds, meter values once a minute; the same seed gives the "
    "same day\n";

struct wish {
    const char *url, *password, *prefix, *tag_prefix, *data, *ledger, *config;
    int64_t count, interval, seed, duration, rate, report, charge[2], idle[2], retry[2], speed;
    bool verbose;
};

/* 0, or an exit code after a message: each station takes one descriptor, two with a data directory.
 */
static int check_files(const struct cli_usage *usage, const struct wish *w)
{
    struct rlimit files;
    int64_t need = w->count * (w->data ? 2 : 1) + 32;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0 || (int64_t)files.rlim_max >= need)
        return 0;
    return cli_usage_error(usage, "count",
                           "%" PRId64 " stations need %" PRId64
                           " open files, and this process may have "
                           "%" PRId64 "; fewer stations, more processes, or a higher 'ulimit -n'",
                           w->count, need, (int64_t)files.rlim_max);
}

static int verdict(const struct wish *w, const struct crowd_result *r, bool interrupted)
{
    if (r->ledger_failed) {
        fprintf(stderr,
                "amperstand fleet: --ledger: '%s' could not be written: it proves nothing\n",
                w->ledger);
        return CLI_STORAGE;
    }
    if (!r->ever_up) {
        fprintf(stderr, "amperstand fleet: no station could connect to %s\n", w->url);
        return CLI_NO_CONNECT;
    }
    if (!interrupted && (r->up < (unsigned)w->count || r->queued > 0)) {
        fprintf(stderr,
                "amperstand fleet: at the end %u of %u stations were connected, %u messages not "
                "acknowledged\n",
                r->up, (unsigned)w->count, r->queued);
        return CLI_FAILED;
    }
    return CLI_OK;
}

static int play(const struct wish *w, const struct crowd_options *o)
{
    struct posix_loop loop;
    struct crowd_result result;
    struct crowd *crowd;
    bool interrupted;
    int rc;

    if (posix_loop_open(&loop, (uint32_t)w->speed, true) < 0) {
        perror("amperstand fleet");
        return CLI_FAILED;
    }
    rc = crowd_open(&loop, o, &crowd);
    if (rc < 0) {
        fprintf(stderr, "amperstand fleet: cannot begin: %s\n",
                rc == AMP_E_IO ? strerror(errno) : amp_err_text(rc));
        posix_loop_close(&loop);
        return CLI_STORAGE;
    }
    posix_run(&loop);
    interrupted = loop.signal != 0;
    crowd_report(crowd, "total");
    crowd_result(crowd, &result);
    crowd_close(crowd);
    posix_loop_close(&loop);
    return verdict(w, &result, interrupted);
}

static int run(int argc, char **argv)
{
    char room[ROOM_LEN];
    struct wish w = { .prefix = "CP",
                      .tag_prefix = "FLEET",
                      .count = 10,
                      .interval = 5,
                      .seed = 1,
                      .rate = 100,
                      .report = 5,
                      .charge = { 20, 60 },
                      .idle = { 5, 30 },
                      .retry = { 1, 10 },
                      .speed = 1000 };
    /* clang-format off */
    const struct cli_option options[] = {
        { "url", CLI_TEXT, "URL", &w.url, "central system, ws://HOST:PORT/PATH without the identity", 0, 0, true, "AMPERSTAND_URL", false },
        { "count", CLI_NUMBER, "N", &w.count, "number of stations (10)", 1, 1000000, false, NULL, false },
        { "prefix", CLI_TEXT, "TEXT", &w.prefix, "identities are this and a number (CP)", 0, 0, false, NULL, false },
        { "tag-prefix", CLI_TEXT, "TEXT", &w.tag_prefix, "tags are this and the station's number (FLEET)", 0, 0, false, NULL, false },
        { "password", CLI_TEXT, "TEXT", &w.password, "Basic credentials of all; none by default", 0, 0, false, "AMPERSTAND_STATION_PASSWORD", true },
        { "interval", CLI_NUMBER, "SECONDS", &w.interval, "time between meter values (5)", 1, 86400, false, NULL, false },
        { "charge", CLI_RANGE, "MIN-MAX", &w.charge, "seconds of charging (20-60)", 1, 86400, false, NULL, false },
        { "idle", CLI_RANGE, "MIN-MAX", &w.idle, "seconds between cars (5-30)", 0, 86400, false, NULL, false },
        { "retry", CLI_RANGE, "MIN-MAX", &w.retry, "seconds between attempts to connect, doubling, for ever (1-10)", 1, 86400, false, NULL, false },
        { "rate", CLI_NUMBER, "N", &w.rate, "stations that start in a second (100)", 1, 100000, false, NULL, false },
        { "duration", CLI_NUMBER, "SECONDS", &w.duration, "end after this, when all is acknowledged; 0 never (0)", 0, 10000000, false, NULL, false },
        { "report", CLI_NUMBER, "SECONDS", &w.report, "time between lines of totals (5)", 1, 86400, false, NULL, false },
        { "seed", CLI_NUMBER, "N", &w.seed, "of all that is random (1)", 0, INT32_MAX, false, NULL, false },
        { "speed", CLI_DECIMAL, "N", &w.speed, "so many times faster than real time (1)", 100, 1000000, false, NULL, false },
        { "ledger", CLI_TEXT, "FILE", &w.ledger, "append every transaction message that was answered", 0, 0, false, NULL, false },
        { "data", CLI_TEXT, "DIR", &w.data, "keep journals and meters here: a slow disk slows the stations", 0, 0, false, NULL, false },
        { "verbose", CLI_FLAG, NULL, &w.verbose, "warnings of the stations on stderr, not only errors", 0, 0, false, NULL, false },
        { "config", CLI_TEXT, "FILE", &w.config, "options from a file, 'name = value' a line", 0, 0, false, NULL, false },
        { .name = NULL },
    };
    /* clang-format on */
    const struct cli_usage usage = { .command = "amperstand fleet",
                                     .about = about,
                                     .examples = examples,
                                     .options = options,
                                     .room = room,
                                     .room_len = sizeof room };
    char interval[48];
    const char *settings[] = {
        interval,
        "MeterValuesSampledData=Energy.Active.Import.Register,Power.Active.Import,Current.Import,"
        "Voltage,Temperature,SoC",
        NULL
    };
    struct amp_url url;
    int rc = cli_parse(&usage, argc, argv, NULL);

    if (rc >= 0)
        return rc;
    if (amp_url_parse(amp_text_of(w.url), &url) < 0 || url.tls)
        return cli_usage_error(&usage, "url", "'%s' cannot be used; write ws://HOST:PORT/PATH",
                               w.url);
    if (strlen(w.prefix) > 40)
        return cli_usage_error(&usage, "prefix", "is longer than 40 characters");
    if (strlen(w.tag_prefix) > 13)
        return cli_usage_error(&usage, "tag-prefix",
                               "is longer than 13 characters: a tag has 20 with its number");
    rc = check_files(&usage, &w);
    if (rc > 0)
        return rc;
    snprintf(interval, sizeof interval, "MeterValueSampleInterval=%" PRId64, w.interval);
    return play(&w, &(struct crowd_options){
                        .url = w.url,
                        .password = w.password,
                        .prefix = w.prefix,
                        .tag_prefix = w.tag_prefix,
                        .count = (unsigned)w.count,
                        .seed = (uint32_t)w.seed,
                        .charge_s = { w.charge[0], w.charge[1] },
                        .idle_s = { w.idle[0], w.idle[1] },
                        .reconnect_s = { w.retry[0], w.retry[1] },
                        .rate = (unsigned)w.rate,
                        .duration_s = (unsigned)w.duration,
                        .report_s = (unsigned)w.report,
                        .settings = settings,
                        .ledger_path = w.ledger,
                        .data_dir = w.data,
                        .log_level = w.verbose ? AMP_LOG_WARN : AMP_LOG_ERROR,
                        .out = stdout,
                    });
}

const struct cli_command cli_fleet = { "fleet", "many simulated stations in one process, for load",
                                       run };
