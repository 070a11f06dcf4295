/* central/disk_test.c - the whole server on a disk that is full, and on one that has become
 * read-only: it stops acknowledging, says so, goes on by itself when there is room, and nothing is
 * half written, lost or there twice. The full disk is a small tmpfs of a mount namespace of our own
 * where that is allowed, else a limit on the size of files; the read-only one are writes of SQLite
 * that fail as they do there. */
#include "central/plant.h"

#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>

#define KEY "disk-test-key-0123456789"

static bool own_mounts; /* may we mount? */

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        own_mounts = false;
    if (fd >= 0)
        close(fd);
}

static void get_mounts(void)
{
    uid_t uid = getuid();
    gid_t gid = getgid();
    char map[64];

    own_mounts = unshare(CLONE_NEWNS) == 0;
    if (!own_mounts && unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) {
        own_mounts = true;
        snprintf(map, sizeof map, "0 %u 1", (unsigned)uid);
        write_text("/proc/self/uid_map", map);
        write_text("/proc/self/setgroups", "deny");
        snprintf(map, sizeof map, "0 %u 1", (unsigned)gid);
        write_text("/proc/self/gid_map", map);
    }
    own_mounts = own_mounts && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* ---- the server ---- */

static void begin(struct plant *p, char data[96])
{
    char *why = NULL;

    plant_settings(p);
    snprintf(data, 96, "%s/disk", p->dir);
    CHECK(mkdir(data, 0700) == 0, "%s", data);
    if (own_mounts)
        own_mounts = mount("none", data, "tmpfs", 0, "size=3m,mode=0700") == 0;
    CHECK(settings_set(&p->settings, "data", data, "test", &why) == 0, "%s", why);
    CHECK(settings_set(&p->settings, "accept-unknown-tags", "true", "test", &why) == 0, "%s", why);
    free(p->settings.admin_key);
    p->settings.admin_key = strdup(KEY);
    plant_start(p);
}

static void end(struct plant *p, const char *data)
{
    plant_stop(p);
    if (own_mounts)
        CHECK(umount(data) == 0, "%s", strerror(errno));
    plant_end(p);
}

static bool failing(struct plant *p)
{
    struct store_stats s;

    store_stats(p->central.store, &s);
    return s.failing;
}

/* The answer to a GET; static. */
static const char *get(struct plant *p, const char *path)
{
    static char answer[1 << 17];
    char request[200];
    size_t len = 0;
    int fd = peer_open(&p->stage);

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
    return answer;
}

/* ---- the disk ---- */

static char ballast[128], database[128];

static void fill(const char *data)
{
    static char block[4096];
    int fd;

    snprintf(ballast, sizeof ballast, "%s/ballast", data);
    if (own_mounts) {
        fd = open(ballast, O_WRONLY | O_CREAT, 0600);
        while (write(fd, block, sizeof block) > 0 || write(fd, block, 1) > 0)
            ;
        CHECK(errno == ENOSPC, "%s", strerror(errno));
        close(fd);
    } else {
        struct rlimit limit;
        struct stat st, wal;

        signal(SIGXFSZ, SIG_IGN);
        snprintf(database, sizeof database, "%s/amperstand.db", data);
        CHECK(stat(database, &st) == 0, "%s", database);
        snprintf(database, sizeof database, "%s/amperstand.db-wal", data);
        CHECK(stat(database, &wal) == 0, "%s", database);
        getrlimit(RLIMIT_FSIZE, &limit);
        limit.rlim_cur = (rlim_t)(st.st_size > wal.st_size ? st.st_size : wal.st_size);
        CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit");
    }
}

static void make_room(void)
{
    struct rlimit limit;

    if (own_mounts) {
        CHECK(unlink(ballast) == 0, "%s", ballast);
        return;
    }
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_FSIZE, &limit);
}

static bool read_only;
static sqlite3_syscall_ptr real[2];
static const char *const calls[2] = { "pwrite", "pwrite64" };

static ssize_t no_write(int fd, const void *data, size_t len, off_t at)
{
    (void)fd, (void)data, (void)len, (void)at;
    errno = EROFS;
    return -1;
}

static void set_read_only(bool on)
{
    sqlite3_vfs *v = sqlite3_vfs_find(NULL);

    read_only = on;
    for (size_t i = 0; i < AMP_COUNT(calls); i++) {
        if (on)
            real[i] = v->xGetSystemCall(v, calls[i]);
        if (real[i])
            (void)v->xSetSystemCall(v, calls[i], on ? (sqlite3_syscall_ptr)no_write : real[i]);
    }
}

/* ---- the story ---- */

static const char start_call[] =
    "[2,\"start\",\"StartTransaction\",{\"connectorId\":1,\"idTag\":\"T\",\"meterStart\":7,"
    "\"timestamp\":\"2026-01-01T00:00:00Z\"}]";

/* Heartbeats until one is not answered any more: the disk is felt. Then the start of a session. */
static void until_refused(struct plant *p, int fd)
{
    char answer[256];

    for (int i = 0; i < 10000 && !failing(p); i++) {
        peer_text(&p->stage, fd, "[2,\"h\",\"Heartbeat\",{}]");
        for (int k = 0; k < 2000 && !failing(p); k++) {
            ssize_t got = recv(fd, answer, sizeof answer, MSG_DONTWAIT);

            if (got > 0)
                break;
            stage_run(&p->stage);
        }
    }
    CHECK(failing(p), "the store refuses");
    peer_text(&p->stage, fd, start_call);
}

/* Nothing comes while the disk refuses: many attempts later, too. */
static void check_silent(struct plant *p, int fd)
{
    struct store_stats s;
    uint64_t failures;
    char answer[256];
    ssize_t got;

    store_stats(p->central.store, &s);
    failures = s.failures;
    UNTIL(&p->stage, (store_stats(p->central.store, &s), s.failures >= failures + 3));
    got = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
    CHECK(got < 0, "nothing is acknowledged: %.*s", (int)got, answer);
}

static void check_told(struct plant *p, const char *why)
{
    const char *answer = get(p, "/readyz");

    CHECK(!strncmp(answer, "HTTP/1.1 503", 12) && strstr(answer, "\"status\":\"failing\"") &&
              strstr(answer, "the database refuses") && strstr(answer, why),
          "%s", answer);
    CHECK(!strncmp(get(p, "/healthz"), "HTTP/1.1 200", 12), "alive");
    answer = get(p, "/metrics");
    CHECK(strstr(answer, "\namperstand_store_failing 1\n") &&
              !strstr(answer, "\namperstand_store_failures_total 0\n"),
          "%s", answer);
    CHECK(strstr(log_text(p), "not sent, because it could not be stored charger=CP001 messageId="),
          "the log says so");
    answer = get(p, "/api/v1/chargers");
    CHECK(strstr(answer, "\"id\":\"CP001\""), "what is known can be read: %s", answer);
}

/* The station repeats what was not answered, and gets its answer. */
static void check_recovered(struct plant *p, int fd)
{
    const char *answer;

    UNTIL(&p->stage, !failing(p));
    close(fd); /* it was silent for long: the station comes again */
    fd = station_open(p, "CP001");
    station_boots(p, fd);
    answer = station_says(p, fd, start_call);
    CHECK(strstr(answer, "\"transactionId\":1") && strstr(answer, "Accepted"), "%s", answer);
    CHECK(strstr(get(p, "/readyz"), "\"status\":\"ok\""), "ready again");
    CHECK(strstr(get(p, "/metrics"), "\namperstand_store_failing 0\n"), "no longer failing");
    close(fd);
}

/* In the file: whole, the session once, and each message once. */
static void check_file(const char *data)
{
    static const struct {
        const char *sql, *want;
    } cases[] = {
        { "PRAGMA integrity_check", "ok" },
        { "SELECT count(*) FROM charging_transaction", "1" },
        { "SELECT count(*) FROM message_000001 WHERE action = 'StartTransaction' AND direction = 1",
          "2" },
        { "SELECT max(id) = count(*) FROM message_000001", "1" },
    };
    sqlite3 *db;

    snprintf(database, sizeof database, "%s/amperstand.db", data);
    CHECK(sqlite3_open(database, &db) == SQLITE_OK, "%s", database);
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        sqlite3_stmt *q = NULL;

        sqlite3_prepare_v2(db, cases[i].sql, -1, &q, NULL);
        CHECK(q && sqlite3_step(q) == SQLITE_ROW &&
                  !strcmp((const char *)sqlite3_column_text(q, 0), cases[i].want),
              "%s: %s", cases[i].sql, q ? (const char *)sqlite3_column_text(q, 0) : "");
        sqlite3_finalize(q);
    }
    sqlite3_close(db);
}

static void story(bool full)
{
    struct plant p;
    char data[96];
    int fd;

    begin(&p, data);
    fd = station_open(&p, "CP001");
    station_boots(&p, fd);
    if (full)
        fill(data);
    else
        set_read_only(true);
    until_refused(&p, fd);
    check_silent(&p, fd);
    check_told(&p, full ? "" : "Read-only file system");
    if (full)
        make_room();
    else
        set_read_only(false);
    check_recovered(&p, fd);
    plant_stop(&p);
    check_file(data);
    plant_start(&p); /* and the next process knows it */
    CHECK(strstr(get(&p, "/api/v1/transactions"), "\"id\":1,"), "the session");
    end(&p, data);
}

static void test_full(void)
{
    story(true);
}

static void test_read_only(void)
{
    story(false);
}

int main(void)
{
    get_mounts();
    RUN(test_full);
    RUN(test_read_only);
    return check_end();
}
