/* central/net/net.c - the listening socket, the loop's hooks, and the end of all. */
#include "central/net/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_A_TURN 64 /* so that a flood of newcomers leaves time for those inside */

static int accept_one(int listener, struct sockaddr_storage *from)
{
    socklen_t len = sizeof *from;
#ifdef __linux__
    return accept4(listener, (struct sockaddr *)from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
    int fd = accept(listener, (struct sockaddr *)from, &len);

    if (fd >= 0 && (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
#endif
}

static int reserve(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void refused(struct net *n, const struct sockaddr_storage *from, int status, const char *why)
{
    char peer[64];

    n->stats.refused++;
    net_address_text(from, peer, sizeof peer);
    if (n->handler.on_refused)
        n->handler.on_refused(n->handler.ctx, peer, status, why);
}

/* Told in one send, without an own connection object: when nobody waits for more, the kernel
 * delivers it. */
static void turn_away(struct net *n, int fd, const struct sockaddr_storage *from, const char *why)
{
    static const char answer[] =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 10\r\n"
        "Connection: close\r\n\r\n";

    (void)send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
    (void)shutdown(fd, SHUT_WR);
    close(fd);
    refused(n, from, 503, why);
}

static void welcome(struct net *n, int fd, const struct sockaddr_storage *from)
{
    static const char full[] = "no more connections: the limit is reached";
    bool extra = n->stats.open - n->extra >= n->config.max_connections;
    struct net_conn *c;

    if (extra && n->extra >= EXTRA_MAX) {
        turn_away(n, fd, from, full);
        return;
    }
    c = conn_new(n, fd, from);
    if (!c) {
        close(fd);
        refused(n, from, 503, "the event loop does not take the socket");
        return;
    }
    n->stats.accepted++;
    if (extra) {
        c->extra = true;
        n->extra++;
        http_refuse(c, 503, "Retry-After: 10\r\n", full);
    }
}

/* No descriptor is left: the newcomer would stay in the queue and wake us for ever. Give up the
 * reserve, turn him away with it, and take it back. False: not even that. */
static bool make_room(struct net *n)
{
    struct sockaddr_storage from;
    int fd;

    if (n->reserve_fd < 0)
        return false;
    close(n->reserve_fd);
    fd = accept_one(n->fd, &from);
    if (fd >= 0)
        turn_away(n, fd, &from,
                  "no file descriptors are left: raise the limit of open files (ulimit -n, "
                  "LimitNOFILE=)");
    n->reserve_fd = reserve();
    return fd >= 0;
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
    struct net *n = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage from;
        int fd = accept_one(n->fd, &from);

        if (fd >= 0) {
            welcome(n, fd, &from);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            if (make_room(n))
                continue;
            uv_poll_stop(&n->listener); /* until the next tick */
            n->blocked = true;
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return; /* EAGAIN: all are in */
        }
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct net *n = timer->data;

    if (n->blocked && !n->stopping) {
        if (n->reserve_fd < 0)
            n->reserve_fd = reserve();
        n->blocked = uv_poll_start(&n->listener, UV_READABLE, on_listener) < 0;
    }
    wheel_turn(n);
}

static void on_prepare(uv_prepare_t *h)
{
    net_flush(h->data);
}

static void on_check(uv_check_t *h)
{
    net_flush(h->data);
}

static void defaults(struct net_config *c)
{
    const struct {
        uint32_t *value, fallback;
    } table[] = {
        {&c->max_connections, 19500  },
        { &c->max_message,    1 << 20},
        { &c->max_body,       1 << 20},
        { &c->idle_s,         60     },
        { &c->request_s,      10     },
        { &c->pong_s,         20     },
        { &c->max_backlog,    8 << 20},
    };

    for (size_t i = 0; i < AMP_COUNT(table); i++) {
        if (*table[i].value == 0)
            *table[i].value = table[i].fallback;
    }
}

struct net *net_open(uv_loop_t *loop, const struct net_config *config,
                     const struct net_handler *handler, char **why)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof bound;
    struct net *n;
    int fd = net_listen(config->listen, why);

    if (fd < 0)
        return NULL;
    n = calloc(1, sizeof *n);
    if (!n)
        abort();
    n->loop = loop;
    n->config = *config;
    n->config.listen = NULL; /* not ours to keep */
    defaults(&n->config);
    n->handler = *handler;
    n->fd = fd;
    if (getsockname(fd, (struct sockaddr *)&bound, &len) < 0 ||
        uv_poll_init(loop, &n->listener, fd) < 0) {
        *why = strdup("cannot watch the listening socket: the event loop refuses it");
        close(fd);
        free(n);
        return NULL;
    }
    net_address_text(&bound, n->address, sizeof n->address);
    n->reserve_fd = reserve();
    n->tick = net_now(n) / TICK_MS;
    uv_prepare_init(loop, &n->prepare);
    uv_check_init(loop, &n->check);
    uv_timer_init(loop, &n->timer);
    uv_timer_init(loop, &n->grace);
    n->listener.data = n->prepare.data = n->check.data = n->timer.data = n->grace.data = n;
    n->handles = 5;
    uv_poll_start(&n->listener, UV_READABLE, on_listener);
    uv_prepare_start(&n->prepare, on_prepare);
    uv_check_start(&n->check, on_check);
    uv_timer_start(&n->timer, on_tick, TICK_MS, TICK_MS);
    return n;
}

const char *net_address(const struct net *n)
{
    return n->address;
}

static void on_handle_closed(uv_handle_t *h)
{
    struct net *n = h->data;

    if (--n->handles == 0 && n->done)
        n->done(n->done_ctx);
}

/* The last connection is gone: take the hooks off the loop. */
static void finish(struct net *n)
{
    uv_handle_t *const ours[] = { (uv_handle_t *)&n->listener, (uv_handle_t *)&n->prepare,
                                  (uv_handle_t *)&n->check, (uv_handle_t *)&n->timer,
                                  (uv_handle_t *)&n->grace };

    for (size_t i = 0; i < AMP_COUNT(ours); i++) {
        if (!uv_is_closing(ours[i]))
            uv_close(ours[i], on_handle_closed);
    }
}

void net_conn_freed(struct net *n)
{
    if (n->stopping && n->stats.open == 0)
        finish(n);
}

/* Every connection lies in one slot of the wheel. */
static void each(struct net *n, void (*f)(struct net_conn *c))
{
    for (size_t i = 0; i < WHEEL_SLOTS; i++) {
        struct net_conn *c = n->slots[i], *next;

        for (; c; c = next) {
            next = c->next;
            f(c);
        }
    }
}

static void stop_one(struct net_conn *c)
{
    if (c->state == CONN_WS)
        ws_close(c, AMP_WS_GOING_AWAY, "the server is stopping");
    else
        http_stop(c);
}

static void on_grace(uv_timer_t *timer)
{
    each(timer->data, conn_doom);
    net_flush(timer->data);
}

void net_shutdown(struct net *n, uint32_t grace_ms, void (*done)(void *ctx), void *ctx)
{
    if (n->stopping)
        return;
    n->stopping = true;
    n->done = done;
    n->done_ctx = ctx;
    uv_close((uv_handle_t *)&n->listener, on_handle_closed);
    close(n->fd);
    each(n, stop_one);
    if (n->stats.open == 0)
        finish(n);
    else
        uv_timer_start(&n->grace, on_grace, grace_ms, 0);
}

void net_free(struct net *n)
{
    if (!n)
        return;
    if (n->reserve_fd >= 0)
        close(n->reserve_fd);
    free(n);
}

void *net_data(const struct net_conn *c)
{
    return c->data;
}

void net_set_data(struct net_conn *c, void *data)
{
    c->data = data;
}

unsigned net_tag(const struct net_conn *c)
{
    return c->tag;
}

void net_set_tag(struct net_conn *c, unsigned tag)
{
    c->tag = (uint8_t)tag;
}

const char *net_peer(const struct net_conn *c)
{
    return c->peer;
}

uint64_t net_last_rx_ms(const struct net_conn *c)
{
    return c->rx_ms;
}

void net_stats(const struct net *n, struct net_stats *out)
{
    *out = n->stats;
}
