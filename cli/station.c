/* cli/station.c - amperstand station: one station on this machine, simulated or with real hardware.
 */
#include "cli/cli.h"
#include "fleet/console.h"
#include "fleet/real.h"
#include "fleet/solo.h"
#include "ocpp/http1.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define STORY_MAX 65536
#define ROOM_LEN  1024

static const char about[] =
    "Plays one charging station: it connects to a central system over OCPP 1.6-J, cars come, "
    "charge and leave, and it\n"
    "then stays for remote start, remote stop and unlock until Ctrl-C. Two connectors by default: "
    "1 FAST 22 kW,\n"
    "2 NORMAL 7.4 kW, one phase each. What happens is on stdout, problems are on stderr.\n"
    "With --hardware it is a real one: docs/hardware.md has the wiring and the file.";

static const char examples[] =
    "  amperstand station --url ws://127.0.0.1:8080/ocpp --id CP001 --scenario demo\n"
    "      two cars charge for a minute; then it waits for remote commands\n"
    "  amperstand station --url ws://127.0.0.1:8080/ocpp --id CP001 --scenario demo --speed 20 "
    "--exit-when-done\n"
    "      the same in four seconds, for scripts: exit code 0 when both sessions were delivered\n"
    "  amperstand station --url ws://127.0.0.1:8080/ocpp --id CP001 --data ./cp001\n"
    "      no story; keeps its journal and meters in ./cp001, so that a transaction survives any "
    "end of the process\n"
    "  amperstand station --url wss://central.example/ocpp --id CP001 --ca ca.pem --cert cp.pem "
    "--key cp.key\n"
    "      over TLS, with a certificate of its own (security profile 3)\n"
    "  amperstand station --url ws://127.0.0.1:8080/ocpp --id CP001 --scenario shift.txt --trace\n"
    "      a story of your own, with every message shown; the format stands in fleet/scenario.h\n"
    "  printf 'plug 1\\ntag 1 CARD01\\nexpect 1 Charging\\nwait 60\\nstop 1\\n' |\n"
    "      amperstand station --url ws://127.0.0.1:8080/ocpp --id CP001 --console\n"
    "      by hand: plug, unplug, tag, fault, repair, stop, cut, status, wait, expect; help lists them. "
    "Cars "
    "stay until unplug.\n"
    "      At the end of the input it ends: exit code 0, or 1 when a command was wrong or what was "
    "expected did not come.\n"
    "      With --scenario or --hardware it works beside those, which go on after the end of the input\n"
    "  amperstand station --url ws://127.0.0.1:8080/ocpp --id CP001 --hardware modbus:wallbox.conf "
    "--data /var/lib/cp001\n"
    "      a real wallbox: meter, contactor and plug through Modbus, as wallbox.conf describes "
    "them\n";

struct wish {
    const char *secure_url, *ca, *cert, *key;
    const char *url, *id, *password, *data, *scenario, *ledger, *config, *log, *hardware, *vehicle;
    int64_t connectors, speed, seed, faults, sample_s, retry_s[2], attempts;
    bool exit_when_done, trace, console;
};

static const char *const measurands =
    "MeterValuesSampledData=Energy.Active.Import.Register,Power.Active.Import,"
    "Current.Import,Voltage,Temperature,SoC";

/* 0, or an exit code after a message. */
static int read_story(const struct cli_usage *usage, const struct wish *w, char *text,
                      struct scenario_step *room, struct scenario *out)
{
    struct amp_text story = { text, 0 };
    const char *why;
    unsigned line;
    FILE *f;

    if (!strcmp(w->scenario, "demo")) {
        *out = scenario_demo;
        if (w->connectors < 2)
            return cli_usage_error(usage, "connectors",
                                   "the demo needs two; leave it out or write --connectors 2");
        return 0;
    }
    f = fopen(w->scenario, "r");
    if (!f)
        return cli_usage_error(usage, "scenario", "cannot open '%s': %s; 'demo' is built in",
                               w->scenario, strerror(errno));
    story.len = (uint32_t)fread(text, 1, STORY_MAX, f);
    fclose(f);
    if (scenario_parse(story, (int)w->connectors, room, out, &line, &why) == 0)
        return 0;
    return cli_usage_error(usage, "scenario", "%s:%u: %s", w->scenario, line, why);
}

static int verdict(const struct wish *w, const struct solo_result *r)
{
    if (r->failure < 0) {
        fprintf(stderr, "amperstand station: the station does not start: %s %s %s\n",
                amp_err_text(r->failure), r->fault.path, r->fault.why ? r->fault.why : "");
        return r->failure == AMP_E_IO || r->failure == AMP_E_CORRUPT ? CLI_STORAGE : CLI_USAGE;
    }
    if (r->given_up || (r->done && !r->ever_up)) {
        fprintf(stderr,
                "amperstand station: could not connect to %s. Is the central system running, and "
                "does it know "
                "'%s'?\n",
                w->url, w->id);
        return CLI_NO_CONNECT;
    }
    if (!w->exit_when_done ||
        (r->done && r->sessions >= r->expected && r->bound >= r->expected && r->queued == 0))
        return CLI_OK;
    fprintf(stderr,
            "amperstand station: the story did not come out: %u of %u sessions, %u of them with a "
            "number of the central "
            "system, %u messages not acknowledged\n",
            r->sessions, r->expected, r->bound, r->queued);
    return CLI_FAILED;
}

static int open_error(const struct wish *w, int rc)
{
    if (rc == AMP_E_BUSY)
        fprintf(
            stderr,
            "amperstand station: --data: '%s' is in use by another station; give each its own\n",
            w->data);
    else if (rc == AMP_E_FORMAT)
        fprintf(stderr, "amperstand station: --ca, --cert or --key: not what it should be, or the "
                        "key is not that of the certificate\n");
    else
        fprintf(stderr, "amperstand station: %s: %s\n", w->data ? w->data : "cannot begin",
                rc == AMP_E_IO ? strerror(errno) : amp_err_text(rc));
    return CLI_STORAGE;
}

static void fill_config(struct amp_station_config *c, const struct wish *w,
                        const char *const *settings)
{
    *c = (struct amp_station_config){
        .url = amp_text_of(w->url),
        .identity = amp_text_of(w->id),
        .secure_url = amp_text_of(w->secure_url),
        .password = amp_text_of(w->password),
        .vendor = AMP_TEXT("Amperstand"),
        .model = AMP_TEXT("Demo"),
        .serial = amp_text_of(w->id),
        .firmware = AMP_TEXT(AMP_VERSION),
        .connectors = (int)w->connectors,
        .reconnect_first_s = (uint32_t)w->retry_s[0],
        .reconnect_cap_s = (uint32_t)w->retry_s[1],
        .reconnect_attempts = w->attempts ? (uint32_t)w->attempts : UINT32_MAX,
        .settings = settings,
    };
    for (int i = 1; i <= (int)w->connectors;
         i++) { /* 1 FAST 22 kW, the others NORMAL 7.4 kW, at 230 V */
        c->max_current_ma[i] = i == 1 ? 95652 : 32174;
        c->phases[i] = 1;
    }
}

/* Commands from stdin. Their end is the end, unless a story plays or the hardware is real. */
static int listen_to(const struct wish *w, struct posix_loop *loop, struct posix_device *device,
                     struct solo *solo, int connectors, struct console **out)
{
    const struct console_options o = { .device = device,
                                       .solo = solo,
                                       .connectors = connectors,
                                       .stay = w->scenario || !solo,
                                       .fd = STDIN_FILENO,
                                       .prompt = isatty(STDIN_FILENO),
                                       .out = stdout,
                                       .err = stderr };
    int rc = console_open(loop, &o, out);

    if (rc < 0)
        perror("amperstand station: stdin");
    return rc;
}

static int play(const struct wish *w, const struct solo_options *o)
{
    struct posix_loop loop;
    struct solo_result result;
    struct solo *solo;
    struct console *console = NULL;
    unsigned failures = 0;
    int rc;

    if (posix_loop_open(&loop, (uint32_t)w->speed, true) < 0) {
        perror("amperstand station");
        return CLI_FAILED;
    }
    rc = solo_open(&loop, o, &solo);
    if (rc < 0) {
        posix_loop_close(&loop);
        return open_error(w, rc);
    }
    if (w->console && listen_to(w, &loop, solo_device(solo), solo, (int)w->connectors, &console) < 0) {
        solo_close(solo);
        posix_loop_close(&loop);
        return CLI_FAILED;
    }
    posix_run(&loop);
    if (console) {
        failures = console_failures(console);
        console_close(console);
    }
    solo_result(solo, &result);
    solo_close(solo);
    posix_loop_close(&loop);
    rc = verdict(w, &result);
    return rc == CLI_OK && failures ? CLI_FAILED : rc;
}

static int real_error(const struct cli_usage *usage, const struct wish *w, int rc, unsigned line,
                      const char *why)
{
    if (rc == AMP_E_SUPPORT)
        return cli_usage_error(usage, "hardware", "%s", why);
    if (rc == AMP_E_ABSENT)
        return cli_usage_error(usage, "hardware", "'%s': %s", w->hardware, strerror(errno));
    if (rc == AMP_E_FORMAT && line)
        return cli_usage_error(usage, "hardware", "'%s' line %u: %s", w->hardware, line, why);
    if (rc == AMP_E_FORMAT)
        return cli_usage_error(usage, "hardware", "'%s': %s", w->hardware, why);
    return open_error(w, rc);
}

/* Until a signal ends it, or the attempts to connect are used up. */
static int run_real(const struct cli_usage *usage, const struct wish *w,
                    const struct amp_station_config *config, enum amp_log_level level)
{
    struct real_options o = { .config = *config,
                              .hardware = w->hardware,
                              .data_dir = w->data,
                              .ca_file = w->ca,
                              .cert_file = w->cert,
                              .key_file = w->key,
                              .ledger_path = w->ledger,
                              .trace = w->trace,
                              .log_level = level,
                              .out = stdout };
    struct real_result real;
    struct solo_result result;
    struct posix_loop loop;
    struct console *console = NULL;
    unsigned failures = 0;
    struct real *r;
    const char *why;
    unsigned line;
    int rc;

    if (w->scenario || w->speed != 1000)
        return cli_usage_error(usage, "hardware", "real hardware plays no story and has one speed");
    if (posix_loop_open(&loop, 1000, true) < 0) {
        perror("amperstand station");
        return CLI_FAILED;
    }
    o.config.model = AMP_TEXT("Wallbox");
    rc = real_open(&loop, &o, &r, &line, &why);
    if (rc < 0) {
        posix_loop_close(&loop);
        return real_error(usage, w, rc, line, why);
    }
    if (w->console &&
        listen_to(w, &loop, real_device(r), NULL, real_connectors(r), &console) < 0) {
        real_close(r);
        posix_loop_close(&loop);
        return CLI_FAILED;
    }
    posix_run(&loop);
    real_result(r, &real);
    if (console) {
        failures = console_failures(console);
        console_close(console);
    }
    real_close(r);
    posix_loop_close(&loop);
    result = (struct solo_result){ .ever_up = real.ever_up,
                                   .given_up = real.given_up,
                                   .failure = real.failure,
                                   .fault = real.fault };
    rc = verdict(w, &result);
    return rc == CLI_OK && failures ? CLI_FAILED : rc;
}

static int check_url(const struct cli_usage *usage, const char *url)
{
    struct amp_url parts;

    if (amp_url_parse(amp_text_of(url), &parts) < 0)
        return cli_usage_error(usage, "url", "'%s' is no address; write ws://HOST:PORT/PATH, or wss:// with TLS", url);
    return -1;
}

/* By wss:// somebody must be trusted, and a certificate is of no use without its key. */
static int check_tls(const struct cli_usage *usage, const struct wish *w)
{
    struct amp_url parts;
    bool secure = amp_url_parse(amp_text_of(w->url), &parts) == 0 && parts.tls;

    if (secure && !w->ca && !w->data)
        return cli_usage_error(usage, "ca",
                               "wss:// needs the authority of the central system: --ca FILE, or "
                               "--data DIR where it is installed");
    if (!w->cert != !w->key)
        return cli_usage_error(usage, w->cert ? "key" : "cert", "--cert and --key belong together");
    return -1;
}

static int log_level(const struct cli_usage *usage, const char *name)
{
    static const char *const names[] = { "error", "warn", "info", "debug" };

    for (int i = 0; i < (int)AMP_COUNT(names); i++)
        if (!strcmp(names[i], name))
            return i;
    return -cli_usage_error(usage, "log", "'%s' is no level; error, warn, info or debug", name);
}

static int run(int argc, char **argv)
{
    char story_text[STORY_MAX], room[ROOM_LEN];
    struct scenario_step steps[SCENARIO_STEPS_MAX];
    struct wish w = { .connectors = 2,
                      .speed = 1000,
                      .seed = 1,
                      .sample_s = 5,
                      .retry_s = { 5, 300 },
                      .attempts = 10,
                      .log = "warn" };
    /* clang-format off */
    const struct cli_option options[] = {
        { "url", CLI_TEXT, "URL", &w.url, "central system, ws:// or wss://HOST:PORT/PATH without the identity", 0, 0, true, "AMPERSTAND_URL", false },
        { "id", CLI_TEXT, "NAME", &w.id, "identity of the station, its last path segment", 0, 0, true, NULL, false },
        { "password", CLI_TEXT, "TEXT", &w.password, "Basic credentials; none by default", 0, 0, false, "AMPERSTAND_STATION_PASSWORD", true },
        { "secure-url", CLI_TEXT, "URL", &w.secure_url, "wss://..., when the security profile rises to 2 or 3; else --url by wss", 0, 0, false, NULL, false },
        { "ca", CLI_TEXT, "FILE", &w.ca, "authorities that the central system's certificate may be from, PEM", 0, 0, false, NULL, false },
        { "cert", CLI_TEXT, "FILE", &w.cert, "certificate of the station and those above it, PEM (security profile 3)", 0, 0, false, NULL, false },
        { "key", CLI_TEXT, "FILE", &w.key, "private key of the certificate, PEM", 0, 0, false, NULL, false },
        { "connectors", CLI_NUMBER, "N", &w.connectors, "number of connectors (2)", 1, AMP_CONNECTORS_MAX, false, NULL, false },
        { "hardware", CLI_TEXT, "modbus:FILE", &w.hardware, "real hardware, as the file describes it; simulated without", 0, 0, false, NULL, false },
        { "scenario", CLI_TEXT, "FILE", &w.scenario, "a story to play: a file, or 'demo'", 0, 0, false, NULL, false },
        { "speed", CLI_DECIMAL, "N", &w.speed, "so many times faster than real time (1)", 100, 1000000, false, NULL, false },
        { "exit-when-done", CLI_FLAG, NULL, &w.exit_when_done, "end when the story is complete and all is delivered", 0, 0, false, NULL, false },
        { "console", CLI_FLAG, NULL, &w.console, "commands from stdin, one a line: plug 1, tag 1 CARD01, help", 0, 0, false, NULL, false },
        { "data", CLI_TEXT, "DIR", &w.data, "keep journal and meters here; without it nothing survives", 0, 0, false, NULL, false },
        { "ledger", CLI_TEXT, "FILE", &w.ledger, "append every transaction message that was answered", 0, 0, false, NULL, false },
        { "sample", CLI_NUMBER, "SECONDS", &w.sample_s, "time between meter values (5)", 1, 86400, false, NULL, false },
        { "retry", CLI_RANGE, "MIN-MAX", &w.retry_s, "seconds between attempts to connect, doubling (5-300)", 1, 86400, false, NULL, false },
        { "attempts", CLI_NUMBER, "N", &w.attempts, "attempts to connect before giving up, 0 for ever (10)", 0, 1000000, false, NULL, false },
        { "vehicle", CLI_TEXT, "KIND", &w.vehicle, "every car is a hybrid, compact, van or rickshaw, by physics and in real time", 0, 0, false, NULL, false },
        { "faults", CLI_NUMBER, "SECONDS", &w.faults, "something breaks about this often; 0: never (0)", 0, 100000000, false, NULL, false },
        { "seed", CLI_NUMBER, "N", &w.seed, "for faults and the wobble of the voltage (1)", 0, INT32_MAX, false, NULL, false },
        { "trace", CLI_FLAG, NULL, &w.trace, "show every OCPP message", 0, 0, false, NULL, false },
        { "log", CLI_TEXT, "LEVEL", &w.log, "error, warn, info or debug, to stderr (warn)", 0, 0, false, NULL, false },
        { "config", CLI_TEXT, "FILE", &w.config, "options from a file, 'name = value' a line", 0, 0, false, NULL, false },
        { .name = NULL },
    };
    /* clang-format on */
    const struct cli_usage usage = { .command = "amperstand station",
                                     .about = about,
                                     .examples = examples,
                                     .options = options,
                                     .room = room,
                                     .room_len = sizeof room };
    struct amp_station_config config;
    struct scenario story;
    char interval[48];
    const char *settings[] = { interval, measurands, NULL };
    struct solo_options solo = { .config = &config, .out = stdout };
    int rc = cli_parse(&usage, argc, argv, NULL), level;

    if (rc < 0)
        rc = check_url(&usage, w.url);
    if (rc < 0)
        rc = check_tls(&usage, &w);
    if (rc >= 0)
        return rc;
    level = log_level(&usage, w.log);
    if (level < 0)
        return -level;
    if (w.scenario && (rc = read_story(&usage, &w, story_text, steps, &story)) > 0)
        return rc;
    if (w.vehicle && !(solo.vehicle = vehicle_find(w.vehicle)))
        return cli_usage_error(&usage, "vehicle", "'%s' is no kind of car; see fleet/vehicle.h",
                               w.vehicle);
    if (w.exit_when_done && !w.scenario)
        return cli_usage_error(&usage, "exit-when-done",
                               "needs a story to complete; add --scenario demo");
    snprintf(interval, sizeof interval, "MeterValueSampleInterval=%" PRId64, w.sample_s);
    fill_config(&config, &w, settings);
    if (w.hardware)
        return run_real(&usage, &w, &config, (enum amp_log_level)level);
    solo.data_dir = w.data;
    solo.ca_file = w.ca;
    solo.cert_file = w.cert;
    solo.key_file = w.key;
    solo.ledger_path = w.ledger;
    solo.scenario = w.scenario ? &story : NULL;
    solo.exit_when_done = w.exit_when_done;
    solo.trace = w.trace;
    solo.by_hand = w.console && !w.scenario;
    solo.faults_s = (uint32_t)w.faults;
    solo.seed = (uint32_t)w.seed;
    solo.log_level = (enum amp_log_level)level;
    return play(&w, &solo);
}

const struct cli_command cli_station = { "station",
                                         "one simulated station: cars charge, remote commands work",
                                         run };
