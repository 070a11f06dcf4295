/* cli/serve.c - amperstand serve: the central system as a process: settings, signals, one line when
 * it is ready. */
#include "central/central.h"
#include "central/log.h"
#include "central/rest/people.h"
#include "cli/cli.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define OPTIONS_MAX 120
#define SPARE_FILES 64 /* descriptors beside those of connections: database, log, libraries */

static const char about[] = "Runs the central system: charging stations connect to "
                            "ws://HOST:PORT/ocpp/{id}, people and programs use the page and\n"
                            "the API at http://HOST:PORT/. Everything is kept in one folder; an "
                            "answer leaves after its facts are on disk. When it is\n"
                            "ready, one line with its addresses goes to stdout; the log goes to "
                            "stderr. Ctrl-C or SIGTERM ends it cleanly, a second\n"
                            "one at once.";

static const char examples[] =
    "  amperstand serve\n"
    "      on 127.0.0.1:8180 with ./amperstand-data; the first start prints a link that creates "
    "the first administrator\n"
    "  amperstand serve --listen :8180 --data /var/lib/amperstand\n"
    "      for all addresses of this machine\n"
    "  amperstand serve --listen 127.0.0.1:8180 --tls-listen :8443 --tls-cert server.pem\n"
    "      stations and browsers by TLS, plain only on this machine; SIGHUP reads certificates "
    "again\n"
    "  AMPERSTAND_ADMIN_KEY=$(openssl rand -hex 24) amperstand serve --log-format json\n"
    "      an API key with all rights for scripts (Authorization: Bearer ...), and a log for "
    "machines\n"
    "  amperstand serve --print-config >amperstand.conf; amperstand serve --config "
    "amperstand.conf\n"
    "      every setting with its meaning, to be edited; options win over the file, that "
    "over the environment\n";

/* The process while it runs. */
struct serve {
    uv_loop_t loop;
    uv_signal_t interrupt, terminate, hang_up;
    struct central central;
    struct log *log;
    bool stopping;
};

/* ---- settings ---- */

static int usage_error(char *why)
{
    fprintf(stderr, "amperstand serve: %s\nSee 'amperstand serve --help'.\n",
            why ? why : "out of memory");
    free(why);
    return CLI_USAGE;
}

static int help(void)
{
    static const char *nothing;
    struct cli_option options[OPTIONS_MAX] = { 0 };
    char env[OPTIONS_MAX][SETTINGS_ENV_MAX], text[OPTIONS_MAX][200];
    unsigned count, at = 0;
    const struct setting *t = settings_table(&count);
    const struct cli_usage usage = {
        .command = "amperstand serve", .about = about, .examples = examples, .options = options
    };

    for (unsigned i = 0; i < count && at < OPTIONS_MAX - 3; i++) {
        settings_env(i, env[at]);
        if (settings_secret(i))
            continue;
        snprintf(text[at], sizeof text[at], "%s%s%s%s", t[i].help, *t[i].fallback ? " (" : "",
                 t[i].fallback, *t[i].fallback ? ")" : "");
        options[at] = (struct cli_option){ .name = t[i].name,
                                           .kind = CLI_TEXT,
                                           .value = t[i].kind,
                                           .out = &nothing,
                                           .help = text[at],
                                           .env = env[at] };
        at++;
    }
    options[at++] =
        (struct cli_option){ .name = "config",
                             .kind = CLI_TEXT,
                             .value = "FILE",
                             .out = &nothing,
                             .help = "read settings from this file, name = value lines" };
    options[at++] = (struct cli_option){ .name = "print-config",
                                         .kind = CLI_FLAG,
                                         .out = &nothing,
                                         .help = "print all settings as such a file, and end" };
    cli_help(&usage, stdout);
    printf("\nAMPERSTAND_ADMIN_KEY, only in the environment: an API key with all rights.\n");
    return CLI_OK;
}

static int print_config(const struct settings *s)
{
    unsigned count;
    const struct setting *t = settings_table(&count);
    char value[4096];

    for (unsigned i = 0; i < count; i++) {
        settings_value(s, i, value, sizeof value);
        printf("# %s\n%s%s = %s\n", t[i].help, settings_secret(i) ? "# " : "", t[i].name, value);
    }
    return CLI_OK;
}

/* Index of the setting `name` of `len` bytes, or -1. */
static int setting_of(const char *name, size_t len)
{
    unsigned count;
    const struct setting *t = settings_table(&count);

    for (unsigned i = 0; i < count; i++) {
        if (strlen(t[i].name) == len && !memcmp(t[i].name, name, len))
            return (int)i;
    }
    return -1;
}

static bool truth(const char *word)
{
    return word && (!strcmp(word, "true") || !strcmp(word, "false"));
}

/* The option at argv[*at] into `s`. 0, or a negative error with *why. */
static int take_option(struct settings *s, int argc, char **argv, int *at, char **why)
{
    const char *word = argv[*at], *name = word + 2, *equals, *value = NULL;
    char origin[80], copy[64], text[256];
    size_t len;
    int i;

    if (strncmp(word, "--", 2) != 0 || !word[2]) {
        snprintf(text, sizeof text, "'%.100s' is not understood; options begin with two dashes",
                 word);
        *why = strdup(text);
        return AMP_E_FORMAT;
    }
    equals = strchr(name, '=');
    len = equals ? (size_t)(equals - name) : strlen(name);
    snprintf(copy, sizeof copy, "%.*s", (int)(len < 60 ? len : 60), name);
    i = setting_of(copy, strlen(copy));
    if (i < 0 && !equals && !strncmp(copy, "no-", 3)) { /* --no-accept-unknown */
        int positive = setting_of(copy + 3, strlen(copy + 3));

        if (positive >= 0 && settings_boolean((unsigned)positive)) {
            i = positive;
            memmove(copy, copy + 3, strlen(copy + 3) + 1);
            value = "false";
        }
    }
    if (equals)
        value = equals + 1;
    else if (!value && i >= 0 && settings_boolean((unsigned)i) &&
             !truth(*at + 1 < argc ? argv[*at + 1] : NULL))
        value = "true";
    else if (!value && *at + 1 < argc)
        value = argv[++*at];
    snprintf(origin, sizeof origin, "--%s", copy);
    if (!value && i >= 0) {
        unsigned count;

        snprintf(text, sizeof text, "%s needs a value: %s %s", origin, origin,
                 settings_table(&count)[i].kind);
        *why = strdup(text);
        return AMP_E_MISSING;
    }
    return settings_set(s, copy, value ? value : "", origin, why);
}

/* argv without what is no setting: --config FILE and --print-config. The file is read at once, for
 * the options win over it. */
static int take_file(struct settings *s, int *argc, char **argv, bool *print, char **why)
{
    int kept = 1, rc = 0;

    for (int i = 1; i < *argc && rc == 0; i++) {
        if (!strcmp(argv[i], "--print-config")) {
            *print = true;
        } else if (!strncmp(argv[i], "--config=", 9)) {
            rc = settings_file(s, argv[i] + 9, why);
        } else if (!strcmp(argv[i], "--config") && i + 1 < *argc) {
            rc = settings_file(s, argv[++i], why);
        } else if (!strcmp(argv[i], "--config")) {
            *why = strdup("--config needs a value: --config FILE");
            rc = AMP_E_MISSING;
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
    return rc;
}

/* Environment, then file, then options: the later wins, as in cli_parse. -1: go on; else the exit
 * code. */
static int read_settings(struct settings *s, int argc, char **argv)
{
    char *why = NULL;
    bool print = false;
    int rc;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return help();
        if (!strcmp(argv[i], "--version"))
            return printf("amperstand %s\n", AMP_VERSION), CLI_OK;
    }
    rc = settings_environment(s, &why);
    if (rc == 0)
        rc = take_file(s, &argc, argv, &print, &why);
    for (int i = 1; i < argc && rc == 0; i++)
        rc = take_option(s, argc, argv, &i, &why);
    if (rc < 0)
        return usage_error(why);
    return print ? print_config(s) : -1;
}

/* ---- running ---- */

/* Connections are descriptors: take as many as we may have. */
static void raise_files(struct log *log, int64_t wanted)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) < 0)
        return;
    r.rlim_cur = r.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &r);
    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur != RLIM_INFINITY &&
        (int64_t)r.rlim_cur < wanted + SPARE_FILES)
        LOG(log, LOG_WARN, "serve",
            "fewer files may be open than connections are allowed; raise ulimit -n or LimitNOFILE=",
            LOG_INT("files", r.rlim_cur), LOG_INT("connections", wanted));
}

/* An address that a browser can use: "every address" is this machine, too. */
static void reachable(const char *address, char *out, size_t cap)
{
    const char *port = strrchr(address, ':');

    if (!strncmp(address, "0.0.0.0:", 8) || !strncmp(address, "[::]:", 5))
        snprintf(out, cap, "localhost%s", port);
    else
        snprintf(out, cap, "%s", address);
}

static void announce(struct serve *s)
{
    const char *tls = net_tls_address(s->central.net);
    bool plain = !tls || strcmp(tls, net_address(s->central.net)) != 0;
    char address[80], secure[80];

    reachable(net_address(s->central.net), address, sizeof address);
    reachable(tls ? tls : "", secure, sizeof secure);
    printf("amperstand ready:");
    if (plain)
        printf(" http://%s/ ocpp ws://%s/ocpp/{id}", address, address);
    if (tls)
        printf("%s https://%s/ ocpp wss://%s/ocpp/{id}", plain ? " and" : "", secure, secure);
    printf("\n");
    if (!people_any(s->central.people) && !*s->central.settings.admin_key)
        printf("amperstand setup: %s://%s%s creates the first administrator, once\n",
               plain ? "http" : "https", address, people_setup_path(s->central.people));
    fflush(stdout);
    LOG(s->log, LOG_INFO, "serve", "listening", LOG_STR("address", net_address(s->central.net)),
        LOG_STR("data", s->central.settings.data),
        LOG_INT("chargers", world_charger_count(s->central.world)),
        LOG_STR("version", AMP_VERSION));
}

static void on_stopped(void *ctx)
{
    struct serve *s = ctx;

    uv_close((uv_handle_t *)&s->interrupt, NULL);
    uv_close((uv_handle_t *)&s->terminate, NULL);
    uv_close((uv_handle_t *)&s->hang_up, NULL);
    uv_stop(&s->loop);
}

static void on_signal(uv_signal_t *h, int number)
{
    struct serve *s = h->data;

    if (s->stopping) {
        log_say(s->log, LOG_WARN, "serve", "second signal: ending at once");
        _exit(CLI_FAILED);
    }
    s->stopping = true;
    LOG(s->log, LOG_INFO, "serve", "stopping", LOG_STR("signal", strsignal(number)));
    central_stop(&s->central, on_stopped, s);
}

static void on_hang_up(uv_signal_t *h, int number)
{
    struct serve *s = h->data;

    (void)number;
    central_reload(&s->central);
}

static int exit_code(int rc)
{
    return rc == 0 ? CLI_OK : rc == AMP_E_IO || rc == AMP_E_BUSY ? CLI_STORAGE : CLI_FAILED;
}

static int run(struct serve *s, const struct settings *settings)
{
    char *why = NULL;
    int rc;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error of a write, as a full disk is */
    raise_files(s->log, settings->max_connections);
    if (uv_loop_init(&s->loop) < 0) {
        fprintf(stderr, "amperstand serve: cannot begin: the system gives no event loop\n");
        return CLI_FAILED;
    }
    s->central.log = s->log;
    rc = central_open(&s->central, &s->loop, settings, &why);
    if (rc == 0) {
        uv_signal_init(&s->loop, &s->interrupt);
        uv_signal_init(&s->loop, &s->terminate);
        uv_signal_init(&s->loop, &s->hang_up);
        s->interrupt.data = s->terminate.data = s->hang_up.data = s;
        uv_signal_start(&s->hang_up, on_hang_up, SIGHUP);
        uv_signal_start(&s->interrupt, on_signal, SIGINT);
        uv_signal_start(&s->terminate, on_signal, SIGTERM);
        announce(s);
        uv_run(&s->loop, UV_RUN_DEFAULT);
        central_close(&s->central);
        log_say(s->log, LOG_INFO, "serve", "stopped");
    } else {
        fprintf(stderr, "amperstand serve: %s\n", why ? why : amp_err_text(rc));
        free(why);
    }
    uv_run(&s->loop, UV_RUN_DEFAULT);
    uv_loop_close(&s->loop);
    return exit_code(rc);
}

static int serve(int argc, char **argv)
{
    struct settings settings;
    struct serve s = { 0 };
    enum log_level level = LOG_INFO;
    int rc;

    settings_default(&settings);
    rc = read_settings(&settings, argc, argv);
    if (rc < 0) {
        (void)log_level_of(settings.log_level, &level); /* the table lets only such words in */
        s.log = log_new(STDERR_FILENO, level, !strcmp(settings.log_format, "json"));
        rc = run(&s, &settings);
        log_free(s.log);
    }
    settings_free(&settings);
    return rc;
}

const struct cli_command cli_serve = { "serve",
                                       "the central system: stations, API and page on one port",
                                       serve };
