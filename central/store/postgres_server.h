/* central/store/postgres_server.h - for tests: a real PostgreSQL of their own, on a socket in a
 * temporary folder, that ends with the test whatever happens to it. As root it runs as the user
 * postgres, as the server demands. */
#ifndef CENTRAL_STORE_POSTGRES_SERVER_H
#define CENTRAL_STORE_POSTGRES_SERVER_H

#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER_BIN "/usr/lib/postgresql/15/bin/"

struct server {
    char folder[32];
    pid_t pid;
};

static inline void server_url(const struct server *s, const char *user, const char *database,
                              char out[128])
{
    snprintf(out, 128, "postgres://%s@/%s?host=%s", user, database, s->folder);
}

/* In a child: become who may run a server, and run that. */
static inline void server_exec(const struct server *s, const char *const args[])
{
    const struct passwd *user = getuid() == 0 ? getpwnam("postgres") : NULL;
    char path[64];
    int fd;

    if (user && (setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    snprintf(path, sizeof(path), "%s/log", s->folder);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0 || chdir(s->folder) < 0)
        _exit(126);
    execv(args[0], (char *const *)(const void *)args);
    _exit(127);
}

static inline void server_silent(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
}

/* The first number of the first row; -1 when there is none, or the statement fails. */
static inline long long server_sql(const char *url, const char *text)
{
    PGconn *conn = PQconnectdb(url);
    PGresult *r;
    long long out = -1;

    PQsetNoticeProcessor(conn, server_silent, NULL);
    r = PQexec(conn, text);
    if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) && PQnfields(r))
        out = atoll(PQgetvalue(r, 0, 0));
    PQclear(r);
    PQfinish(conn);
    return out;
}

/* One attempt to run the server: false when it ended, as while what was killed is still going. */
static inline bool server_run(struct server *s)
{
    char data[64], sockets[64], url[128];
    const char *const args[] = { SERVER_BIN "postgres",
                                 "-D",
                                 data,
                                 "-k",
                                 sockets,
                                 "-c",
                                 "listen_addresses=",
                                 "-c",
                                 "max_connections=30",
                                 "-c",
                                 "shared_buffers=128MB",
                                 NULL };

    snprintf(data, sizeof(data), "%s/data", s->folder);
    snprintf(sockets, sizeof(sockets), "%s", s->folder);
    server_url(s, "amp", "postgres", url);
    s->pid = fork();
    if (s->pid == 0)
        server_exec(s, args);
    while (s->pid > 0) {
        if (waitpid(s->pid, NULL, WNOHANG) == s->pid)
            s->pid = 0;
        else if (PQping(url) == PQPING_OK)
            return true;
        usleep(20000);
    }
    return false;
}

/* Again after it was killed: it refuses for as long as one of its children is left. */
static inline bool server_again(struct server *s)
{
    for (int i = 0; i < 200; i++) {
        if (server_run(s))
            return true;
        usleep(50000);
    }
    return false;
}

static inline void server_kill(struct server *s)
{
    if (s->pid <= 0)
        return;
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

static inline void server_stop(struct server *s)
{
    char command[64];

    if (s->pid > 0) {
        kill(s->pid, SIGQUIT);
        waitpid(s->pid, NULL, 0);
    }
    s->pid = 0;
    if (!s->folder[0])
        return;
    snprintf(command, sizeof(command), "rm -rf %s", s->folder);
    if (system(command) != 0)
        fprintf(stderr, "%s failed\n", command);
}

/* A fresh server with a superuser amp and a database test; the user guest needs the password
 * "secret". */
static inline bool server_start(struct server *s)
{
    const struct passwd *user = getuid() == 0 ? getpwnam("postgres") : NULL;
    char data[64], path[64], url[128];
    const char *const init[] = {
        SERVER_BIN "initdb", "-D", data, "-U", "amp", "-A", "trust", "-N", "-E", "UTF8",
        "--locale=C.UTF-8",  NULL
    };
    pid_t child;
    int status = -1;
    FILE *f;

    *s = (struct server){ .folder = "/tmp/pg-test-XXXXXX" };
    if (!mkdtemp(s->folder) || (user && chown(s->folder, user->pw_uid, user->pw_gid) < 0))
        return false;
    snprintf(data, sizeof(data), "%s/data", s->folder);
    child = fork();
    if (child == 0)
        server_exec(s, init);
    waitpid(child, &status, 0);
    snprintf(path, sizeof(path), "%s/data/pg_hba.conf", s->folder);
    f = status == 0 ? fopen(path, "w") : NULL;
    if (!f)
        return false;
    fputs("local all guest scram-sha-256\nlocal all outcast reject\nlocal all all trust\n", f);
    fclose(f);
    if (!server_run(s))
        return false;
    server_url(s, "amp", "postgres", url);
    server_sql(url, "CREATE USER guest PASSWORD 'secret'");
    server_sql(url, "CREATE USER plain");
    server_sql(url, "CREATE DATABASE test");
    return true;
}

/* Is there a PostgreSQL 15 to be run? If not, say so in the last line, as a test that was skipped.
 */
static inline bool server_there(void)
{
    if (access(SERVER_BIN "postgres", X_OK) == 0 && (getuid() != 0 || getpwnam("postgres")))
        return true;
    fprintf(stderr, "there is no PostgreSQL 15 here: apt-get install postgresql\n");
    printf("0 passed, 0 failed, 1 skipped\n");
    return false;
}

#endif
