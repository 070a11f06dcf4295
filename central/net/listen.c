/* central/net/listen.c - addresses: from "host:port" to a listening socket, and from a socket to
 * text. */
#include "central/net/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG \
    4096 /* stations all come back at once after a restart; the kernel cuts it to its own limit */
#define HOST_MAX 256
#define WHY_MAX  512

static char *sentence(const char *where, const char *what)
{
    char text[WHY_MAX];

    snprintf(text, sizeof text, "cannot listen on '%.200s': %s", where, what);
    return strdup(text);
}

/* "host:port", "[v6]:port", ":port". */
static bool split(const char *where, char host[HOST_MAX], const char **port)
{
    const char *colon = strrchr(where, ':');
    size_t len = colon ? (size_t)(colon - where) : 0;
    int64_t number;

    if (!colon || len >= HOST_MAX || amp_text_int(amp_text_of(colon + 1), &number) < 0 ||
        number < 0 || number > 65535)
        return false;
    if (len >= 2 && where[0] == '[' && where[len - 1] == ']') {
        where++;
        len -= 2;
    } else if (memchr(where, ':', len)) {
        return false; /* a bare IPv6 address: where would its port begin? */
    }
    memcpy(host, where, len);
    host[len] = 0;
    *port = colon + 1;
    return true;
}

static int try(const struct addrinfo *a)
{
    int one = 1, zero = 0, fd = socket(a->ai_family, SOCK_STREAM, 0), error;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (a->ai_family == AF_INET6) /* "[::]" takes IPv4 as well */
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0 &&
        fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

int net_listen(const char *where, char **why)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *list, *a;
    char host[HOST_MAX];
    const char *port;
    int fd = -1, rc;

    if (!split(where, host, &port)) {
        *why = sentence(where, "write HOST:PORT, such as 127.0.0.1:8180, [::1]:8180 or :8180");
        return -1;
    }
    rc = getaddrinfo(*host ? host : NULL, port, &hints, &list);
    if (rc != 0) {
        *why = sentence(where, gai_strerror(rc));
        return -1;
    }
    if (!*host) { /* everywhere: IPv6 first, because its socket takes IPv4 too */
        for (a = list; a && fd < 0; a = a->ai_next)
            fd = a->ai_family == AF_INET6 ? try(a) : -1;
    }
    for (a = list; a && fd < 0; a = a->ai_next)
        fd = try(a);
    if (fd < 0)
        *why = sentence(where, strerror(errno));
    freeaddrinfo(list);
    return fd;
}

size_t net_address_text(const struct sockaddr_storage *from, char *out, size_t cap)
{
    char host[INET6_ADDRSTRLEN] = "";
    int n;

    if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)from;

        if (IN6_IS_ADDR_V4MAPPED(&a->sin6_addr)) {
            inet_ntop(AF_INET, &a->sin6_addr.s6_addr[12], host, sizeof host);
            n = snprintf(out, cap, "%s:%u", host, (unsigned)ntohs(a->sin6_port));
        } else {
            inet_ntop(AF_INET6, &a->sin6_addr, host, sizeof host);
            n = snprintf(out, cap, "[%s]:%u", host, (unsigned)ntohs(a->sin6_port));
        }
    } else {
        const struct sockaddr_in *a = (const struct sockaddr_in *)from;

        inet_ntop(AF_INET, &a->sin_addr, host, sizeof host);
        n = snprintf(out, cap, "%s:%u", host, (unsigned)ntohs(a->sin_port));
    }
    return (size_t)n < cap ? (size_t)n : cap - 1;
}
