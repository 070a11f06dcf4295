/* ports/posix/link_test.c - against sockets of our own on the loopback: all addresses, refusal, a
 * peer that reads slowly. */
#include "ocpp/check.h"
#include "ports/posix/link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#define LARGE (8 * 1024 * 1024)

static struct posix_loop loop;
static struct {
    int connected, closed, writable;
    char text[64];
    size_t len;
    char why[128];
    bool close_inside; /* close the link from inside `received` */
} saw;
static struct posix_link link_;

static void on_connected(void *ctx)
{
    CHECK(ctx == &saw, "context");
    saw.connected++;
}

static void on_received(void *ctx, const void *data, size_t len)
{
    CHECK(ctx == &saw && saw.len + len < sizeof saw.text, "%zu bytes", len);
    memcpy(saw.text + saw.len, data, len);
    saw.len += len;
    if (saw.close_inside)
        posix_link_close(&link_);
}

static void on_writable(void *ctx)
{
    CHECK(ctx == &saw, "context");
    saw.writable++;
}

static void on_closed(void *ctx, const char *why)
{
    CHECK(ctx == &saw, "context");
    saw.closed++;
    snprintf(saw.why, sizeof saw.why, "%s", why);
}

static const struct posix_link_events events = { on_connected, on_received, on_writable,
                                                 on_closed };

static void begin(void)
{
    memset(&saw, 0, sizeof saw);
    CHECK(posix_loop_open(&loop, 1000, false) == 0, "open");
    posix_link_init(&link_, &loop, &events, &saw);
}

static void end(void)
{
    posix_link_close(&link_);
    posix_loop_close(&loop);
}

/* A listening socket on 127.0.0.1 (or ::1); *port is chosen by the system. */
static int listener(int family, uint16_t *port)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = family == AF_INET ? sizeof four : sizeof six;
    struct sockaddr *at = family == AF_INET ? (struct sockaddr *)&four : (struct sockaddr *)&six;
    int fd = socket(family, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, at, len) < 0 || listen(fd, 5) < 0 || getsockname(fd, at, &len) < 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *port = ntohs(family == AF_INET ? four.sin_port : six.sin6_port);
    return fd;
}

static void wait_for(const int *what)
{
    for (int i = 0; i < 1000 && !*what; i++)
        posix_run_once(&loop, 100);
}

static void test_talk(void)
{
    uint16_t port = 0;
    int fd = listener(AF_INET, &port), peer;
    char got[8];

    begin();
    CHECK(posix_link_open(&link_, AMP_TEXT("127.0.0.1"), port) == 0, "open");
    CHECK(saw.connected == 0, "never from inside open");
    wait_for(&saw.connected);
    CHECK(saw.connected == 1 && saw.closed == 0, "connected %d, closed: %s", saw.connected,
          saw.why);
    peer = accept(fd, NULL, NULL);
    CHECK(posix_link_send(&link_, "hello", 5) == 5, "send");
    CHECK(read(peer, got, sizeof got) == 5 && !memcmp(got, "hello", 5), "arrives");
    CHECK(write(peer, "world", 5) == 5, "answer");
    for (int i = 0; i < 1000 && saw.len < 5; i++)
        posix_run_once(&loop, 100);
    CHECK(saw.len == 5 && !memcmp(saw.text, "world", 5), "%zu bytes", saw.len);
    close(peer);
    wait_for(&saw.closed);
    CHECK(saw.closed == 1 && strstr(saw.why, "peer"), "%s", saw.why);
    CHECK(posix_link_send(&link_, "x", 1) == AMP_E_IO, "closed is closed");

    saw.connected = 0; /* the same link again, and it closes itself when it hears something */
    saw.close_inside = true;
    saw.len = 0;
    CHECK(posix_link_open(&link_, AMP_TEXT("127.0.0.1"), port) == 0, "open");
    wait_for(&saw.connected);
    peer = accept(fd, NULL, NULL);
    CHECK(write(peer, "bye", 3) == 3, "write");
    for (int i = 0; i < 1000 && saw.len < 3; i++)
        posix_run_once(&loop, 100);
    close(peer);
    posix_run_once(&loop, 0);
    CHECK(saw.len == 3 && saw.closed == 1, "no event after close");
    close(fd);
    end();
}

static void test_refused(void)
{
    uint16_t port = 0;
    int fd = listener(AF_INET, &port);

    close(fd); /* now nobody listens there */
    begin();
    CHECK(posix_link_open(&link_, AMP_TEXT("127.0.0.1"), port) == 0, "open");
    CHECK(saw.closed == 0, "never from inside open");
    wait_for(&saw.closed);
    CHECK(saw.closed == 1 && saw.connected == 0 && saw.why[0], "%s", saw.why);
    end();
}

/* A name whose first address refuses: the next is tried. The list is given directly, as a resolver
 * would. */
static void test_next_address(void)
{
    uint16_t dead = 0, port = 0;
    int gone = listener(AF_INET, &dead), fd = listener(AF_INET, &port);

    close(gone);
    begin();
    CHECK(posix_link_open(&link_, AMP_TEXT("127.0.0.1"), port) == 0, "open");
    link_.list[1] = link_.list[0];
    ((struct sockaddr_in *)&link_.list[0].at)->sin_port = htons(dead);
    link_.count = 2;
    wait_for(&saw.connected);
    CHECK(saw.connected == 1 && saw.closed == 0 && link_.next == 2, "%s", saw.why);
    close(fd);
    end();
}

static void test_names(void)
{
    uint16_t port = 0;
    int fd = listener(AF_INET, &port);
    static char too_long[300];

    memset(too_long, 'a', sizeof too_long - 1);
    begin();
    CHECK(posix_link_open(&link_, AMP_TEXT("localhost"), port) == 0, "open");
    wait_for(&saw.connected); /* ::1 refuses where it exists, 127.0.0.1 takes it */
    CHECK(saw.connected == 1, "%s", saw.why);
    CHECK(posix_link_open(&link_, amp_text_of(too_long), port) == AMP_E_IO, "too long");
    saw.closed = 0;
    CHECK(posix_link_open(&link_, AMP_TEXT("no such host"), port) == 0, "open");
    wait_for(&saw.closed);
    CHECK(saw.closed == 1 && saw.why[0], "%s", saw.why);
    saw.closed = 0;
    CHECK(posix_link_open(&link_, AMP_TEXT("localhost"), port) == 0, "open");
    posix_link_close(&link_); /* while it is looked up */
    for (int i = 0; i < 20; i++)
        posix_run_once(&loop, 5);
    CHECK(saw.closed == 0 && saw.connected == 1, "nothing is called after close");
    CHECK(posix_link_open(&link_, AMP_TEXT("localhost"), port) == 0, "open");
    close(fd);
    end(); /* with a question open */
}

static void test_six(void)
{
    uint16_t port = 0;
    int fd = listener(AF_INET6, &port);

    if (fd < 0) {
        printf("no IPv6 on this machine: not tested\n");
        return;
    }
    begin();
    CHECK(posix_link_open(&link_, AMP_TEXT("[::1]"), port) == 0, "open");
    wait_for(&saw.connected);
    CHECK(saw.connected == 1, "%s", saw.why);
    close(fd);
    end();
}

/* More than the socket takes: send says how much it took, `writable` comes when there is room, no
 * byte is lost or doubled. */
static void test_partial(void)
{
    uint16_t port = 0;
    int fd = listener(AF_INET, &port), peer;
    unsigned char *out = malloc(LARGE), *in = malloc(LARGE);
    size_t sent = 0, got = 0;
    int shorts = 0;

    for (size_t i = 0; i < LARGE; i++)
        out[i] = (unsigned char)(i * 7 + i / 251);
    begin();
    CHECK(posix_link_open(&link_, AMP_TEXT("127.0.0.1"), port) == 0, "open");
    wait_for(&saw.connected);
    peer = accept(fd, NULL, NULL);
    while (sent < LARGE) {
        int n = posix_link_send(&link_, out + sent, LARGE - sent);

        CHECK(n >= 0, "send %d", n);
        if (n < 0)
            break;
        sent += (size_t)n;
        if (sent == LARGE)
            break;
        shorts++;
        saw.writable = 0;
        while (!saw.writable) { /* the peer reads only when we are stuck */
            ssize_t r = recv(peer, in + got, LARGE - got, MSG_DONTWAIT);

            if (r > 0)
                got += (size_t)r;
            posix_run_once(&loop, 1);
        }
    }
    while (got < LARGE) {
        ssize_t r = read(peer, in + got, LARGE - got);

        if (r <= 0)
            break;
        got += (size_t)r;
    }
    CHECK(shorts > 0, "the socket took %d bytes at once: nothing was tested", LARGE);
    CHECK(got == LARGE && !memcmp(in, out, LARGE), "%zu bytes arrived", got);
    close(peer);
    close(fd);
    end();
    free(in);
    free(out);
}

int main(void)
{
    RUN(test_talk);
    RUN(test_refused);
    RUN(test_next_address);
    RUN(test_names);
    RUN(test_six);
    RUN(test_partial);
    return check_end();
}
