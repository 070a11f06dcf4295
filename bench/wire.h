/* bench/wire.h - for benchmarks: the server as a process of its own, and stations over plain
 * sockets that send one call at a time and measure how long its answer takes. Include once. */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint16_t port;
static pid_t server;
static char folder[] = "/tmp/wire-bench-XXXXXX";

static inline uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static inline void die(const char *what)
{
    perror(what);
    if (server > 0)
        kill(server, SIGKILL);
    exit(1);
}

/* ---- the server ---- */

static inline void start_server(const char *self, const char *option)
{
    char path[4096], line[512];
    const char *slash = strrchr(self, '/');
    int ends[2];
    FILE *out;

    snprintf(path, sizeof path, "%.*s/../amperstand", slash ? (int)(slash - self) : 1,
             slash ? self : ".");
    if (!mkdtemp(folder) || pipe(ends) < 0)
        die("temporary folder");
    server = fork();
    if (server == 0) {
        int null = open("/dev/null", O_WRONLY);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], 1);
        dup2(null, 2);
        execl(path, path, "serve", "--listen", "127.0.0.1:0", "--data", folder, "--log-level",
              "error", "--max-station-messages", option, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    out = fdopen(ends[0], "r");
    while (!port && out && fgets(line, sizeof line, out)) {
        const char *at = strstr(line, "http://127.0.0.1:");

        if (at)
            port = (uint16_t)atoi(at + 17);
    }
    if (!port)
        die("the server did not start");
}

static inline void end_server(void)
{
    char command[100];

    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0)
        fprintf(stderr, "%s failed\n", command);
}

/* ---- a station ---- */

struct station {
    int fd;
    uint64_t due_us, sent_us; /* sent_us 0: nothing is under way */
    unsigned number;
    size_t len;
    unsigned char in[8192];
};

static inline int dial(const char *id)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    char text[2048];
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, n;
    ssize_t got;

    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    n = snprintf(text, sizeof text,
                 "GET /ocpp/%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n",
                 id);
    if (write(fd, text, (size_t)n) != n)
        return -1;
    got = recv(fd, text, sizeof text - 1, 0);
    if (got >= 12 && !memcmp(text, "HTTP/1.1 101", 12))
        return fd;
    close(fd);
    return -1; /* refused: it has to wait */
}

/* A text frame, masked with a key of zeros: it stands as it is. */
static inline size_t frame(unsigned char *out, const char *text, size_t len)
{
    size_t n = 0;

    out[n++] = 0x81;
    if (len < 126) {
        out[n++] = (unsigned char)(0x80 | len);
    } else {
        out[n++] = 0x80 | 126;
        out[n++] = (unsigned char)(len >> 8);
        out[n++] = (unsigned char)len;
    }
    memset(out + n, 0, 4);
    memcpy(out + n + 4, text, len);
    return n + 4 + len;
}

static inline void say(struct station *s, const char *text)
{
    unsigned char out[2048];
    size_t n = frame(out, text, strlen(text));

    if (write(s->fd, out, n) != (ssize_t)n)
        die("write");
    s->sent_us = now_us();
}

/* Is there a whole frame? It is the answer. */
static inline bool answered(struct station *s)
{
    ssize_t got = recv(s->fd, s->in + s->len, sizeof s->in - s->len, MSG_DONTWAIT);
    size_t need;

    if (got < 0 && errno == EAGAIN)
        return false;
    if (got <= 0)
        die("a good station lost its connection");
    s->len += (size_t)got;
    if (s->len < 2)
        return false;
    need = 2 + (s->in[1] < 126 ? s->in[1] : 2u);
    if (s->in[1] == 126 && s->len >= 4)
        need = 4 + ((size_t)s->in[2] << 8 | s->in[3]);
    if (s->len < need || (s->in[1] == 126 && s->len < 4))
        return false;
    s->len = 0;
    return true;
}

static inline void boot(struct station *s, unsigned i)
{
    char id[16];

    snprintf(id, sizeof id, "GOOD%03u", i);
    s->fd = dial(id);
    if (s->fd < 0)
        die("a good station is refused");
    say(s,
        "[2,\"b\",\"BootNotification\",{\"chargePointVendor\":\"v\",\"chargePointModel\":\"m\"}]");
    while (!answered(s))
        ;
    s->sent_us = 0;
    fcntl(s->fd, F_SETFL, O_NONBLOCK);
}

static inline void next_message(struct station *s)
{
    char text[400];

    s->number++;
    if (s->number % 4 == 0)
        snprintf(text, sizeof text, "[2,\"%u\",\"Heartbeat\",{}]", s->number);
    else
        snprintf(text, sizeof text,
                 "[2,\"%u\",\"MeterValues\",{\"connectorId\":1,\"meterValue\":[{\"timestamp\":"
                 "\"2026-01-01T%02u:%02u:%02uZ\",\"sampledValue\":[{\"value\":\"%u\"},{\"value\":"
                 "\"7200\",\"measurand\":\"Power.Active.Import\",\"unit\":\"W\"}]}]}]",
                 s->number, s->number / 3600 % 24, s->number / 60 % 60, s->number % 60, s->number);
    say(s, text);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

#endif
