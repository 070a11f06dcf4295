/* ports/posix/suite_test.c - Linux passes ports/test: random numbers, storage in a file and in
 * memory, sockets. */
#include "ocpp/check.h"
#include "ports/posix/device.h"
#include "ports/test/suite.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct bench {
    struct posix_loop loop;
    struct posix_device *device;
    struct amp_port
        port; /* as the device gives it: stays where it is when the device is opened again */
    struct port_suite suite;
    struct amp_station_config config;
    const char *dir;
    int listening;
} b;

static void on_connected(void *ctx)
{
    (void)ctx;
    b.suite.seen.connected++;
}

static void on_received(void *ctx, const void *data, size_t len)
{
    const uint8_t *p = data;

    (void)ctx;
    for (size_t i = 0; i < len; i++)
        b.suite.seen.sum = b.suite.seen.sum * 31 + p[i];
    b.suite.seen.received += len;
}

static void on_writable(void *ctx)
{
    (void)ctx;
    b.suite.seen.writable++;
}

static void on_closed(void *ctx, const char *why)
{
    (void)ctx;
    (void)why;
    b.suite.seen.closed++;
}

static int open_device(void)
{
    static const struct posix_link_events events = { on_connected, on_received, on_writable,
                                                     on_closed };
    static const struct amp_hardware none;
    const struct posix_device_options o = {
        .config = &b.config, .hardware = &none, .data_dir = b.dir, .log_level = AMP_LOG_ERROR
    };
    int rc = posix_device_open(&b.loop, &o, &b.device);

    if (rc < 0)
        return rc;
    posix_device_hear(b.device, &events, &b);
    b.port = *posix_device_port(b.device);
    return 0;
}

static int reopen(void *ctx)
{
    (void)ctx;
    posix_device_close(b.device);
    return open_device();
}

static void wait_a_moment(void *ctx)
{
    (void)ctx;
    posix_run_once(&b.loop, 1000);
}

/* Every byte back, until the peer goes. */
static void *echo(void *arg)
{
    char bytes[4096];
    int fd = accept(b.listening, NULL, NULL);
    ssize_t n;

    (void)arg;
    while (fd >= 0 && (n = recv(fd, bytes, sizeof bytes, 0)) > 0)
        for (ssize_t done = 0, m; done < n; done += m)
            if ((m = send(fd, bytes + done, (size_t)(n - done), MSG_NOSIGNAL)) <= 0)
                break;
    if (fd >= 0)
        close(fd);
    return NULL;
}

static int listener(uint16_t *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&at, len) == 0 && listen(fd, 5) == 0 &&
              getsockname(fd, (struct sockaddr *)&at, &len) == 0,
          "a listener");
    *port = ntohs(at.sin_port);
    return fd;
}

static void run(const char *dir)
{
    pthread_t thread;

    memset(&b, 0, sizeof b);
    b.dir = dir;
    b.config = (struct amp_station_config){ .identity = AMP_TEXT("SUITE") };
    CHECK(posix_loop_open(&b.loop, 1000, false) == 0 && open_device() == 0, "a device");
    b.suite = (struct port_suite){ .port = &b.port,
                                   .ctx = &b,
                                   .reopen = dir ? reopen : NULL,
                                   .wait = wait_a_moment,
                                   .echo = { .host = AMP_TEXT("127.0.0.1") },
                                   .dead = { .host = AMP_TEXT("127.0.0.1") } };
    close(listener(&b.suite.dead.port)); /* nobody listens there any more */
    b.listening = listener(&b.suite.echo.port);
    CHECK(pthread_create(&thread, NULL, echo, NULL) == 0, "a thread");
    CHECK(port_suite_run(&b.suite) == 0, "the suite");
    shutdown(b.listening, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(b.listening);
    posix_device_close(b.device);
    posix_loop_close(&b.loop);
}

static void test_memory(void)
{
    run(NULL);
}

static void test_file(void)
{
    char dir[] = "/tmp/amp-suite-XXXXXX", command[64];

    CHECK(mkdtemp(dir) != NULL, "a directory");
    run(dir);
    snprintf(command, sizeof command, "rm -r '%s'", dir);
    CHECK(system(command) == 0, "removed");
}

int main(void)
{
    RUN(test_memory);
    RUN(test_file);
    return check_end();
}
