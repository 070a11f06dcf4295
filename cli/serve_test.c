/* cli/serve_test.c - serve and admin as processes: exit codes, what they say, the line that scripts
 * wait for, a clean end, and one data folder that they take turns on. */
#include "ocpp/check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM   AMP_BINARY_DIR "/amperstand"
#define WORDS_MAX 24

static char dir[64], data[96], out_path[96], err_path[96], in_path[96];
static char out[65536], err[65536];

static int wipe_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/amp-serve-XXXXXX");
    CHECK(mkdtemp(dir), "temporary folder");
    snprintf(data, sizeof data, "%s/data", dir);
    snprintf(out_path, sizeof out_path, "%s/out", dir);
    snprintf(err_path, sizeof err_path, "%s/err", dir);
    snprintf(in_path, sizeof in_path, "%s/in", dir);
}

static void end(void)
{
    nftw(dir, wipe_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void read_file(const char *path, char *to, size_t cap)
{
    int fd = open(path, O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, to, cap - 1) : 0;

    to[n > 0 ? n : 0] = 0;
    close(fd);
}

static int make_file(const char *path, const char *text)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s", path);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

/* Start the command with these words and `input` on stdin; stdout goes to `to`, or to a file. */
static pid_t start(const char *words, const char *input, int to)
{
    char copy[1024], *argv[WORDS_MAX + 1];
    int argc = 0, in = make_file(in_path, input);
    pid_t child;

    snprintf(copy, sizeof copy, "amperstand %s", words);
    for (char *w = strtok(copy, " "); w && argc < WORDS_MAX; w = strtok(NULL, " "))
        argv[argc++] = w;
    argv[argc] = NULL;
    child = fork();
    if (child == 0) {
        dup2(in, 0);
        dup2(to >= 0 ? to : open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
        dup2(open(err_path, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
        execv(PROGRAM, argv);
        _exit(127);
    }
    close(in);
    return child;
}

static int finish(pid_t child)
{
    int status = 0;

    waitpid(child, &status, 0);
    read_file(err_path, err, sizeof err);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Run it to its end. Exit code; what it said is in out and err. */
static int run(const char *words, const char *input)
{
    int rc = finish(start(words, input, -1));

    read_file(out_path, out, sizeof out);
    return rc;
}

/* A server on a free port. `lines`: how many it says before it is ready. */
struct server {
    pid_t pid;
    FILE *from;
    char line[2][512];
    int port;
};

static void server_start(struct server *s, const char *options, int lines)
{
    char words[512];
    int fds[2];
    const char *at;

    memset(s, 0, sizeof *s);
    CHECK(pipe(fds) == 0, "pipe");
    snprintf(words, sizeof words, "serve --listen 127.0.0.1:0 --data %s %s", data, options);
    s->pid = start(words, "", fds[1]);
    close(fds[1]);
    s->from = fdopen(fds[0], "r");
    for (int i = 0; i < lines; i++)
        CHECK(fgets(s->line[i], sizeof s->line[i], s->from), "line %d: '%s'", i,
              (read_file(err_path, err, sizeof err), err));
    at = strstr(s->line[0], "http://127.0.0.1:");
    CHECK(at && !strncmp(s->line[0], "amperstand ready: http://", 25), "'%s'", s->line[0]);
    s->port = at ? atoi(at + 17) : 0;
}

/* Ask it to end. Exit code; *more: it said something else on stdout. */
static int server_stop(struct server *s, int signal_number, bool *more)
{
    char rest[64];
    int rc;

    kill(s->pid, signal_number);
    rc = finish(s->pid);
    *more = fgets(rest, sizeof rest, s->from) != NULL;
    fclose(s->from);
    return rc;
}

/* The status of a GET, 0 when there is no answer. */
static int get(const struct server *s, const char *path, const char *key)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    char text[4096];
    int fd = socket(AF_INET, SOCK_STREAM, 0), n;
    ssize_t got;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons((uint16_t)s->port);
    n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s%s%s\r\n",
                 path, key ? "Authorization: Bearer " : "", key ? key : "", key ? "\r\n" : "");
    CHECK(connect(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
              send(fd, text, (size_t)n, MSG_NOSIGNAL) == n,
          "connect");
    got = recv(fd, text, sizeof text - 1, MSG_WAITALL);
    text[got > 0 ? got : 0] = 0;
    close(fd);
    return strncmp(text, "HTTP/1.1 ", 9) ? 0 : atoi(text + 9);
}

static const struct {
    const char *words;
    int rc;
    const char *says; /* on stderr, or on stdout when rc is 0 */
} lines[] = {
    { "serve --help", 0, "--accept-unknown BOOL" },
    { "serve --version", 0, "amperstand " },
    { "serve --print-config --heartbeat 7", 0, "\nheartbeat = 7\n" },
    { "serve --print-config --no-accept-unknown", 0, "\naccept-unknown = false\n" },
    { "serve --print-config --default-protocol", 0, "\ndefault-protocol = true\n" },
    { "serve --print-config --default-protocol false", 0, "\ndefault-protocol = false\n" },
    { "serve --print-config --ping=3 --ping 4", 0, "\nping = 4\n" },
    { "serve now", 2, "'now' is not understood" },
    { "serve --heartbeet 7", 2, "--heartbeet: no such setting" },
    { "serve --no-heartbeat", 2, "--no-heartbeat: no such setting" },
    { "serve --heartbeat", 2, "--heartbeat needs a value: --heartbeat SECONDS" },
    { "serve --heartbeat soon", 2, "--heartbeat: 'soon' is no whole number" },
    { "serve --config /nowhere/at/all", 2, "cannot read the settings file" },
    { "serve --config", 2, "--config needs a value" },
    { "serve --admin-key x", 2, "AMPERSTAND_ADMIN_KEY" },
    { "serve --data /dev/null/x --listen 127.0.0.1:0", 4, "--data DIR" },
    { "admin --help", 0, "key add NAME" },
    { "admin", 2, "say what to do" },
    { "admin user", 2, "say what to do" },
    { "admin user add", 2, "admin user add LOGIN" },
    { "admin user list anna", 2, "admin user list" },
    { "admin user add anna", 2, "--role: is missing" },
    { "admin user add anna --role BOSS", 2, "give ADMIN, OPERATOR or USER" },
    { "admin user add anna --role ADMIN", 2, "there is no terminal" },
    { "admin user add anna --role ADMIN --password-stdin", 2, "nothing came on stdin" },
    { "admin user list --data /dev/null/x", 4, "--data DIR" },
    { "admin ca show --data /dev/null/x", 4, "the authority is made when" },
};

static void test_lines(void)
{
    begin();
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        int rc = run(lines[i].words, "");
        const char *said = rc == 0 ? out : err;

        CHECK(rc == lines[i].rc, "'%s': exit %d, '%s'", lines[i].words, rc, err);
        CHECK(strstr(said, lines[i].says), "'%s' lacks '%s': '%s'", lines[i].words, lines[i].says,
              said);
    }
    end();
}

/* What --print-config prints can be read by --config; flags win over the file, that over the
 * environment. */
static void test_config(void)
{
    char words[256], first[65536];

    begin();
    CHECK(run("serve --print-config --heartbeat 11 --ping 12 --listen [::]:1", "") == 0, "'%s'",
          err);
    strcpy(first, out);
    snprintf(words, sizeof words, "%s/conf", dir);
    close(make_file(words, first));
    snprintf(words, sizeof words, "serve --config %s/conf --print-config", dir);
    CHECK(run(words, "") == 0 && !strcmp(first, out), "'%s' '%s'", err, out);
    setenv("AMPERSTAND_HEARTBEAT", "21", 1);
    setenv("AMPERSTAND_PING", "22", 1);
    CHECK(run("serve --print-config", "") == 0 && strstr(out, "\nheartbeat = 21\n"), "'%s'", out);
    snprintf(words, sizeof words, "serve --ping 32 --print-config --config=%s/conf", dir);
    CHECK(run(words, "") == 0, "'%s'", err);
    CHECK(strstr(out, "\nheartbeat = 11\n") && strstr(out, "\nping = 32\n") &&
              strstr(out, "\nlisten = [::]:1\n"),
          "'%s'", out);
    unsetenv("AMPERSTAND_HEARTBEAT");
    unsetenv("AMPERSTAND_PING");
    end();
}

static void test_life(void)
{
    static const int signals[] = { SIGTERM, SIGINT };
    struct server s;
    char expect[128];
    bool more;
    int rc;

    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        begin();
        server_start(&s, "", 2);
        snprintf(expect, sizeof expect,
                 "amperstand ready: http://127.0.0.1:%d/ ocpp ws://127.0.0.1:%d/ocpp/{id}\n",
                 s.port, s.port);
        CHECK(!strcmp(s.line[0], expect), "'%s'", s.line[0]);
        CHECK(!strncmp(s.line[1], "amperstand setup: http://127.0.0.1:", 35) &&
                  strstr(s.line[1], "/setup/"),
              "'%s'", s.line[1]);
        CHECK(get(&s, "/healthz", NULL) == 200 && get(&s, "/api/v1/chargers", NULL) == 401,
              "it answers");
        rc = server_stop(&s, signals[i], &more);
        CHECK(rc == 0 && !more, "signal %d: exit %d", signals[i], rc);
        CHECK(strstr(err, " info serve listening address=127.0.0.1:") &&
                  strstr(err, " info serve stopped\n"),
              "'%s'", err);
        end();
    }
}

static void test_log_format(void)
{
    struct server s;
    bool more;

    begin();
    server_start(&s, "--log-format json", 2);
    CHECK(server_stop(&s, SIGTERM, &more) == 0, "'%s'", err);
    CHECK(strstr(err, "\"module\":\"serve\",\"message\":\"listening\",\"address\":\"127.0.0.1:"),
          "'%s'", err);
    end();
}

/* The folder has one user at a time: the second server and the admin command are told who it is. */
static void test_one_folder(void)
{
    struct server s;
    char words[256], pid[32];
    bool more;

    begin();
    server_start(&s, "", 2);
    snprintf(pid, sizeof pid, "(%ld)", (long)s.pid);
    snprintf(words, sizeof words, "serve --listen 127.0.0.1:0 --data %s", data);
    CHECK(run(words, "") == 4 && strstr(err, "in use by a running process") && strstr(err, pid),
          "'%s'", err);
    snprintf(words, sizeof words, "admin user list --data %s", data);
    CHECK(run(words, "") == 4 && strstr(err, pid) && strstr(err, "the page or the API"), "'%s'",
          err);
    snprintf(words, sizeof words, "serve --listen 127.0.0.1:%d --data %s/other", s.port, dir);
    CHECK(run(words, "") == 1 && strstr(err, "in use") && strstr(err, "--listen HOST:PORT"), "'%s'",
          err);
    CHECK(get(&s, "/healthz", NULL) == 200, "the first one goes on");
    CHECK(server_stop(&s, SIGTERM, &more) == 0, "'%s'", err);
    end();
}

static void test_admin(void)
{
    struct server s;
    char words[256], key[128];
    bool more;

    begin();
    snprintf(words, sizeof words, "admin user add anna --role admin --password-stdin --data %s",
             data);
    CHECK(run(words, "short\n") == 2 && strstr(err, "too short"), "'%s'", err);
    CHECK(run(words, "correct horse battery\n") == 0 && !out[0], "'%s'", err);
    CHECK(run(words, "correct horse battery\n") == 1 &&
              strstr(err, "there is a user 'anna' already"),
          "'%s'", err);
    snprintf(words, sizeof words, "admin user list --data %s", data);
    CHECK(run(words, "") == 0 && !strcmp(out, "anna\tADMIN\tactive\tanna\n"), "'%s'", out);
    snprintf(words, sizeof words, "admin key add script --role OPERATOR --data %s", data);
    CHECK(run(words, "") == 0 && strlen(out) > 40 && out[strlen(out) - 1] == '\n', "'%s' '%s'", out,
          err);
    snprintf(key, sizeof key, "%.*s", (int)strlen(out) - 1, out);
    snprintf(words, sizeof words, "admin key list --data %s", data);
    CHECK(run(words, "") == 0 && !strcmp(out, "script\tOPERATOR\tactive\n"), "'%s'", out);
    server_start(&s, "", 1);
    CHECK(get(&s, "/api/v1/chargers", key) == 200 &&
              get(&s, "/api/v1/chargers", "amp_wrong") == 401,
          "the key opens");
    CHECK(server_stop(&s, SIGTERM, &more) == 0 && !more, "no setup link when somebody can log in");
    end();
}

/* The authority, while its server runs. */
static void test_ca_show(void)
{
    struct server s;
    char words[256], ca[4096], path[256];
    FILE *file;
    size_t n;
    bool more;

    begin();
    server_start(&s, "--tls-listen 127.0.0.1:0", 1);
    snprintf(path, sizeof path, "%s/ca.pem", data);
    file = fopen(path, "r");
    CHECK(file, "%s", path);
    n = file ? fread(ca, 1, sizeof ca - 1, file) : 0;
    ca[n] = 0;
    if (file)
        fclose(file);
    snprintf(words, sizeof words, "admin ca show --data %s", data);
    CHECK(run(words, "") == 0 && !strncmp(out, "sha256 ", 7) && strstr(out, ca), "'%s' '%s'", out, err);
    CHECK(strcspn(out, "\n") == 7 + 95, "32 bytes: '%s'", out);
    CHECK(server_stop(&s, SIGTERM, &more) == 0, "stopped");
    file = fopen(path, "w");
    if (file)
        fclose(file);
    CHECK(run(words, "") == 4 && strstr(err, "is no certificate"), "'%s'", err);
    end();
}

static void test_admin_key(void)
{
    struct server s;
    bool more;

    begin();
    setenv("AMPERSTAND_ADMIN_KEY", "a-key-of-the-environment", 1);
    server_start(&s, "", 1);
    CHECK(get(&s, "/api/v1/chargers", "a-key-of-the-environment") == 200, "the key opens");
    CHECK(server_stop(&s, SIGTERM, &more) == 0 && !more, "no setup link");
    unsetenv("AMPERSTAND_ADMIN_KEY");
    end();
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(test_lines);
    RUN(test_config);
    RUN(test_life);
    RUN(test_log_format);
    RUN(test_one_folder);
    RUN(test_admin);
    RUN(test_ca_show);
    RUN(test_admin_key);
    return check_end();
}
