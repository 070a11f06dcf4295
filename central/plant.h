/* central/plant.h - for tests: the whole central system in the test's process, on a real port with a
 * real database, and stations over raw sockets. Time can be turned: set central.now_ms before the
 * start, or call net_turn_clock. */
#ifndef CENTRAL_PLANT_H
#define CENTRAL_PLANT_H

#include "central/central.h"
#include "central/datadir.h"
#include "central/log.h"
#include "central/net/stage.h"

#include <ftw.h>

/* A running central system. stage.net is the central's. */
struct plant {
    struct stage stage;
    struct central central;
    struct log *log;
    struct settings settings;
    char dir[64];
    int log_fd;
    int64_t (*now_ms)(void); /* NULL: the system's clock */
    bool json;               /* log lines */
};

static inline int wipe_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static inline void wipe(const char *dir)
{
    nftw(dir, wipe_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void plant_settings(struct plant *p)
{
    char *why = NULL;

    memset(p, 0, sizeof *p);
    strcpy(p->dir, "/tmp/amp-central-XXXXXX");
    CHECK(mkdtemp(p->dir), "temporary folder");
    settings_default(&p->settings);
    CHECK(settings_set(&p->settings, "data", p->dir, "test", &why) == 0, "%s", why);
    CHECK(settings_set(&p->settings, "listen", "127.0.0.1:0", "test", &why) == 0, "%s", why);
    CHECK(settings_set(&p->settings, "max-message", "65536", "test", &why) == 0, "%s", why);
}

static inline void plant_start(struct plant *p)
{
    char *why = NULL, path[96];
    int rc;

    snprintf(path, sizeof path, "%s/log", p->dir);
    p->log_fd = open(path, O_CREAT | O_RDWR | O_APPEND, 0600);
    p->log = log_new(p->log_fd, LOG_DEBUG, p->json);
    memset(&p->central, 0, sizeof p->central);
    uv_loop_init(&p->stage.loop);
    p->central.log = p->log;
    p->central.now_ms = p->now_ms;
    rc = central_open(&p->central, &p->stage.loop, &p->settings, &why);
    CHECK(rc == 0, "%d: %s", rc, why ? why : "");
    free(why);
    p->stage.net = p->central.net;
    p->stage.done = false;
}

static inline void plant_stop(struct plant *p)
{
    struct net_stats stats;

    central_stop(&p->central, stage_done, &p->stage);
    UNTIL(&p->stage, p->stage.done);
    net_stats(p->central.net, &stats);
    CHECK(stats.open == 0 && stats.buffers == 0, "%u open, %d bytes", stats.open,
          (int)stats.buffers);
    central_close(&p->central);
    uv_run(&p->stage.loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&p->stage.loop) == 0, "something is left on the loop");
    log_free(p->log);
    close(p->log_fd);
}

static inline void plant_end(struct plant *p)
{
    settings_free(&p->settings);
    wipe(p->dir);
}

/* What stands in the log so far; static. */
static inline const char *log_text(struct plant *p)
{
    static char text[1 << 20];
    ssize_t n = pread(p->log_fd, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = 0;
    return text;
}

/* The answer to an upgrade of /ocpp/{id}; the socket in *fd. */
static inline const char *station_knock(struct plant *p, const char *id, const char *protocols, int *fd)
{
    char request[512];

    snprintf(request, sizeof request,
             "GET /ocpp/%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: "
             "Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s%s\r\n",
             id, protocols ? "Sec-WebSocket-Protocol: " : "", protocols ? protocols : "",
             protocols ? "\r\n" : "");
    *fd = peer_open(&p->stage);
    peer_say(&p->stage, *fd, request);
    return peer_answer(&p->stage, *fd, false);
}

static inline int station_open(struct plant *p, const char *id)
{
    int fd;
    const char *answer = station_knock(p, id, "ocpp1.6", &fd);

    CHECK(!strncmp(answer, "HTTP/1.1 101 ", 13) &&
              strstr(answer, "Sec-WebSocket-Protocol: ocpp1.6\r\n"),
          "%s: '%s'", id, answer);
    return fd;
}

/* Send a text and return the answer; "" when the connection ended or was closed. Static. */
static inline const char *station_says(struct plant *p, int fd, const char *text)
{
    static char answer[65536];

    peer_text(&p->stage, fd, text);
    if (peer_next(&p->stage, fd, answer, sizeof answer, NULL) != 0x81)
        answer[0] = 0;
    return answer;
}

static inline void station_boots(struct plant *p, int fd)
{
    const char *answer = station_says(p, fd,
                                      "[2,\"boot\",\"BootNotification\",{\"chargePointVendor\":"
                                      "\"Acme\",\"chargePointModel\":\"One\"}]");

    CHECK(!strncmp(answer, "[3,\"boot\",{", 11) && strstr(answer, "\"status\":\"Accepted\"") &&
              strstr(answer, "\"interval\":300"),
          "'%s'", answer);
}

static inline bool station_lives(struct plant *p, int fd)
{
    return !strncmp(station_says(p, fd, "[2,\"h\",\"Heartbeat\",{}]"),
                    "[3,\"h\",{\"currentTime\":", 22);
}

static inline int http_status(struct plant *p, const char *request)
{
    int fd = peer_open(&p->stage);
    const char *answer;

    peer_say(&p->stage, fd, request);
    answer = peer_answer(&p->stage, fd, false);
    close(fd);
    return strncmp(answer, "HTTP/1.1 ", 9) ? 0 : atoi(answer + 9);
}

#endif
