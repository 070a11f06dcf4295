/* central/v16/plant.h - for tests: the whole central system on a real port with a real database and a
 * clock that is turned, stations over raw sockets, programs over HTTP. One plant a test program. */
#ifndef CENTRAL_V16_PLANT_H
#define CENTRAL_V16_PLANT_H

#include "central/central.h"
#include "central/log.h"
#include "central/net/stage.h"
#include "central/v16/v16.h"

#include <ftw.h>
#include <stdarg.h>

#define T0        1717228800000 /* 2024-06-01T08:00:00Z */
#define PLANT_KEY "plant-administrator-key"

static struct plant {
    struct stage stage;
    struct central central;
    struct settings settings;
    struct log *log;
    char dir[64], text[1 << 17]; /* text: the newest message or answer */
    int64_t clock_ms;
    int log_fd;
} plant;

static inline int64_t plant_now(void)
{
    return plant.clock_ms;
}

static inline void plant_set(const char *name, const char *value)
{
    char *why = NULL;

    CHECK(settings_set(&plant.settings, name, value, "test", &why) == 0, "%s", why ? why : name);
}

/* Settings may be changed between these two. */
static inline void plant_prepare(void)
{
    setenv("AMPERSTAND_ADMIN_KEY", PLANT_KEY, 1);
    memset(&plant, 0, sizeof plant);
    strcpy(plant.dir, "/tmp/amp-plant-XXXXXX");
    CHECK(mkdtemp(plant.dir), "temporary folder");
    settings_default(&plant.settings);
    CHECK(settings_environment(&plant.settings, &(char *){ NULL }) == 0, "the key");
    plant_set("data", plant.dir);
    plant_set("listen", "127.0.0.1:0");
    plant.clock_ms = T0;
}

static inline void plant_start(void)
{
    char *why = NULL, path[96];

    snprintf(path, sizeof path, "%s/log", plant.dir);
    plant.log_fd = open(path, O_CREAT | O_RDWR | O_APPEND, 0600);
    plant.log = log_new(plant.log_fd, LOG_INFO, false);
    memset(&plant.central, 0, sizeof plant.central);
    memset(&plant.stage, 0, sizeof plant.stage);
    uv_loop_init(&plant.stage.loop);
    plant.central.now_ms = plant_now;
    plant.central.log = plant.log;
    if (central_open(&plant.central, &plant.stage.loop, &plant.settings, &why) < 0) {
        CHECK(false, "%s", why ? why : "central_open");
        exit(1);
    }
    plant.stage.net = plant.central.net;
}

static inline void plant_stop(void)
{
    central_stop(&plant.central, stage_done, &plant.stage);
    UNTIL(&plant.stage, plant.stage.done);
    central_close(&plant.central);
    uv_run(&plant.stage.loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&plant.stage.loop) == 0, "something is left on the loop");
    log_free(plant.log);
    close(plant.log_fd);
}

static inline int plant_wipe(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static inline void plant_end(void)
{
    plant_stop();
    settings_free(&plant.settings);
    nftw(plant.dir, plant_wipe, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void plant_begin(void)
{
    plant_prepare();
    plant_start();
}

/* What stands in the log so far. */
static inline const char *plant_log(void)
{
    static char text[1 << 20];
    ssize_t n = pread(plant.log_fd, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = 0;
    return text;
}

/* ---- stations ---- */

/* The next text of the central system; "" at the end of the connection. */
static inline const char *plant_hear(int fd)
{
    if (peer_next(&plant.stage, fd, plant.text, sizeof plant.text, NULL) != 0x81)
        plant.text[0] = 0;
    return plant.text;
}

static inline void plant_say(int fd, const char *action, const char *payload)
{
    char message[4096];

    snprintf(message, sizeof message, "[2,\"x\",\"%s\",%s]", action, payload);
    peer_text(&plant.stage, fd, message);
    plant_hear(fd);
    CHECK(!strncmp(plant.text, "[3,\"x\"", 6), "%s %s: '%s'", action, payload, plant.text);
}

/* Connected and booted with this model and firmware. */
static inline int plant_station(const char *id, const char *model, const char *firmware)
{
    char text[512];
    int fd = peer_open(&plant.stage);

    snprintf(text, sizeof text,
             "GET /ocpp/%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n",
             id);
    peer_say(&plant.stage, fd, text);
    CHECK(!strncmp(peer_answer(&plant.stage, fd, false), "HTTP/1.1 101 ", 13), "%s", id);
    snprintf(text, sizeof text,
             "{\"chargePointVendor\":\"Acme\",\"chargePointModel\":\"%s\",\"firmwareVersion\":"
             "\"%s\"}",
             model, firmware);
    plant_say(fd, "BootNotification", text);
    return fd;
}

/* Hears a call with this action and part, and answers it. */
static inline void plant_reply(int fd, const char *action, const char *part, const char *payload)
{
    char id[64] = "", message[8192];

    plant_hear(fd);
    CHECK(sscanf(plant.text, "[2,\"%63[^\"]\"", id) == 1 && strstr(plant.text, action) &&
              strstr(plant.text, part),
          "a call %s with %s: '%s'", action, part, plant.text);
    snprintf(message, sizeof message, "[3,\"%s\",%s]", id, payload);
    peer_text(&plant.stage, fd, message);
}

/* The same; then all that was said is handled, and no other call is on its way. */
static inline void plant_answer(int fd, const char *action, const char *part, const char *payload)
{
    plant_reply(fd, action, part, payload);
    plant_say(fd, "Heartbeat", "{}");
}

/* ---- programs ---- */

/* Status of the answer; all of it is in plant.text. */
static inline int plant_http(const char *method, const char *path, const char *headers,
                             const char *body)
{
    static char request[16384];
    const char *answer;
    int fd = peer_open(&plant.stage), n;

    n = snprintf(request, sizeof request,
                 "%s %s HTTP/1.1\r\nHost: plant.test\r\nAuthorization: Bearer " PLANT_KEY
                 "\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n%s",
                 method, path, body ? strlen(body) : 0, headers, body ? body : "");
    CHECK(n > 0 && (size_t)n < sizeof request, "the request fits");
    peer_say(&plant.stage, fd, request);
    answer = peer_answer(&plant.stage, fd, false);
    snprintf(plant.text, sizeof plant.text, "%s", answer);
    close(fd);
    return strncmp(plant.text, "HTTP/1.1 ", 9) ? 0 : atoi(plant.text + 9);
}

/* The number behind "name": in the newest text, 0 if there is none. */
static inline int64_t plant_number(const char *name)
{
    char key[64];
    const char *at;

    snprintf(key, sizeof key, "\"%s\":", name);
    at = strstr(plant.text, key);
    return at ? strtoll(at + strlen(key), NULL, 10) : 0;
}

#endif
