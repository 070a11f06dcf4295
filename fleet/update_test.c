/* fleet/update_test.c - new firmware and a log over real sockets: a device of ports/posix, a small
 * central system, a file server on loopback. station-1.6 147, 149, 150, 160. */
#include "fleet/csms/csms.h"
#include "ocpp/check.h"
#include "ports/posix/device.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define IMAGE  "amperstand-firmware 2.0\nbody\n"
#define ROUNDS 6000 /* of at most 10 ms: more means that something hangs */
#define UPDATE                             \
    "{\"location\":\"http://127.0.0.1:%u/" \
    "%s\",\"retrieveDate\":\"2020-01-01T00:00:00Z\",\"retries\":0}"

static char dir[] = "/tmp/amp-update-XXXXXX";

/* ---- a file server: GET /image, PUT anything ---- */

static struct {
    int fd;
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t mutex;
    char stored[65536];
} files = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void reply(int fd, const char *status, const char *body)
{
    char text[512];
    int n = snprintf(text, sizeof text,
                     "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status,
                     strlen(body), body);

    (void)send(fd, text, (size_t)n, MSG_NOSIGNAL);
}

static void serve_one(int fd)
{
    static char in[70000];
    size_t len = 0;
    char *body = NULL, *h;
    ssize_t n;

    while (len + 1 < sizeof in && (n = recv(fd, in + len, sizeof in - 1 - len, 0)) > 0) {
        len += (size_t)n;
        in[len] = 0;
        body = strstr(in, "\r\n\r\n");
        h = strcasestr(in, "\r\nContent-Length:");
        if (body && len >= (size_t)(body + 4 - in) + (h ? strtoul(h + 17, NULL, 10) : 0))
            break;
    }
    if (!strncmp(in, "PUT ", 4) && body) {
        pthread_mutex_lock(&files.mutex);
        snprintf(files.stored, sizeof files.stored, "%.60000s", body + 4);
        pthread_mutex_unlock(&files.mutex);
        reply(fd, "201 Yes", "");
    } else {
        bool there = !strncmp(in, "GET /image ", 11);

        reply(fd, there ? "200 Yes" : "404 No", there ? IMAGE : "");
    }
}

static void *serve(void *arg)
{
    int fd;

    (void)arg;
    while ((fd = accept(files.fd, NULL, NULL)) >= 0) {
        serve_one(fd);
        close(fd);
    }
    return NULL;
}

static void files_open(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;

    files.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(files.fd, (struct sockaddr *)&at, len) == 0 && listen(files.fd, 8) == 0 &&
              getsockname(files.fd, (struct sockaddr *)&at, &len) == 0,
          "server");
    files.port = ntohs(at.sin_port);
    CHECK(pthread_create(&files.thread, NULL, serve, NULL) == 0, "thread");
}

static void files_close(void)
{
    shutdown(files.fd, SHUT_RDWR);
    pthread_join(files.thread, NULL);
    close(files.fd);
}

/* ---- a device ---- */

static int obey(void *ctx, int connector, bool on)
{
    (void)ctx, (void)connector, (void)on;
    return 0;
}

static int meter(void *ctx, int connector, struct amp_reading *out)
{
    (void)ctx;
    out->energy_wh = 1000 * connector;
    out->phases = 1;
    return 0;
}

struct bench {
    struct posix_loop loop;
    struct csms *csms;
    struct posix_device *device;
    char trace[4096];
};

/* "Firmware:Downloading", "Boot:1.0" */
static void on_event(void *ctx, struct amp_station *st, const struct amp_event *ev)
{
    static const struct {
        const char *action, *field, *shown;
        /* clang-format off */
    } rows[] = {
        { "\"BootNotification\"",              "\"firmwareVersion\":\"", "Boot:" },
        { "\"FirmwareStatusNotification\"",    "\"status\":\"",          "Firmware:" },
        { "\"DiagnosticsStatusNotification\"", "\"status\":\"",          "Diagnostics:" }
    };
    /* clang-format on */
    struct bench *b = ctx;
    char text[2048];
    size_t n = strlen(b->trace);

    (void)st;
    if (ev->kind != AMP_EVENT_MESSAGE || !ev->a)
        return;
    amp_text_copy(text, sizeof text, ev->text);
    for (size_t i = 0; i < AMP_COUNT(rows); i++) {
        const char *p = strstr(text, rows[i].action) ? strstr(text, rows[i].field) : NULL;

        if (!p)
            continue;
        p += strlen(rows[i].field);
        snprintf(b->trace + n, sizeof b->trace - n, "%s%s%.*s", n ? " " : "", rows[i].shown,
                 (int)strcspn(p, "\""), p);
    }
}

/* True as soon as the trace ends with this. */
static bool until(struct bench *b, const char *end)
{
    size_t n = strlen(end);

    for (int i = 0; i < ROUNDS; i++) {
        size_t len = strlen(b->trace);

        if (len >= n && !strcmp(b->trace + len - n, end))
            return true;
        posix_run_once(&b->loop, 10);
    }
    return false;
}

#define CALL(b, action, format, path)                                             \
    do {                                                                          \
        char payload[512];                                                        \
                                                                                  \
        snprintf(payload, sizeof payload, format, files.port, path);              \
        CHECK(csms_call((b)->csms, "CP001", action, payload) == 0, "%s", action); \
    } while (0)

/* S147 S149 S150: Downloading ... Installed, the new version in the Boot; a failure; the log */
static void test_update(void)
{
    static const struct amp_hardware hw = { .permit = obey, .meter = meter };
    static struct bench b;
    char url[64];
    uint16_t port = 0;
    struct amp_station_config config = { .identity = AMP_TEXT("CP001"),
                                         .vendor = AMP_TEXT("Amperstand"),
                                         .model = AMP_TEXT("Two"),
                                         .firmware = AMP_TEXT("1.0"),
                                         .connectors = 1 };
    struct posix_device_options o = { .config = &config,
                                      .hardware = &hw,
                                      .on_event = on_event,
                                      .ctx = &b,
                                      .data_dir = dir,
                                      .files = true };

    files_open();
    CHECK(posix_loop_open(&b.loop, 20000, false) == 0, "loop");
    CHECK(csms_open(&b.loop, &port, &b.csms) == 0, "csms");
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/ocpp", port);
    config.url = amp_text_of(url);
    CHECK(posix_device_open(&b.loop, &o, &b.device) == 0, "device");
    CHECK(posix_device_start(b.device, NULL) == 0, "start");
    CHECK(until(&b, "Boot:1.0"), "%s", b.trace);
    for (int i = 0; i < ROUNDS && csms_seen(b.csms)->statuses < 2; i++)
        posix_run_once(&b.loop, 10);
    CALL(&b, "UpdateFirmware", UPDATE, "image");
    CHECK(until(&b, "Boot:1.0 Firmware:Downloading Firmware:Downloaded Firmware:Installing "
                    "Boot:2.0 Firmware:Installed"),
          "%s", b.trace);
    CHECK(posix_device_reboots(b.device) == 1, "one restart");
    CALL(&b, "UpdateFirmware", UPDATE, "nothing");
    CHECK(until(&b, "Firmware:Installed Firmware:Downloading Firmware:DownloadFailed"), "%s",
          b.trace);
    CALL(&b, "GetDiagnostics", "{\"location\":\"http://127.0.0.1:%u/%s\"}", "in");
    CHECK(until(&b, "Diagnostics:Uploading Diagnostics:Uploaded"), "%s", b.trace);
    pthread_mutex_lock(&files.mutex);
    CHECK(strstr(files.stored, "\nNumberOfConnectors=1\n") &&
              strstr(files.stored, "\nstarts: 2\n") && strstr(files.stored, " CP001: restart\n"),
          "configuration, state, log: %s", files.stored);
    CHECK(!strstr(files.stored, "AuthorizationKey"), "S101");
    pthread_mutex_unlock(&files.mutex);
    posix_device_close(b.device);
    csms_close(b.csms);
    posix_loop_close(&b.loop);
    files_close();
}

int main(void)
{
    char command[64];
    int rc;

    if (!mkdtemp(dir))
        return 1;
    RUN(test_update);
    snprintf(command, sizeof command, "rm -r '%s'", dir);
    rc = system(command);
    return rc ? rc : check_end();
}
