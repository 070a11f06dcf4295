/* central/net/net.c - the listening socket, the loop's hooks, and the end of all. */
#include "central/net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_A_TURN 64 /* so that a flood of newcomers leaves time for those inside */
#define TLS_LOOK_TICKS 5  /* how often the files of certificates are looked at */

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
        n->handler.on_refused(n->handler.ctx, &(struct net_refusal){
                                                  .address = peer, .status = status, .why = why });
}

/* Told in one send, without an own connection object: when nobody waits for more, the kernel
 * delivers it. */
static void turn_away(struct listener *l, int fd, const struct sockaddr_storage *from,
                      const char *why)
{
    static const char answer[] =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 10\r\n"
        "Connection: close\r\n\r\n";

    if (l->kind == LISTENER_PLAIN)
        (void)send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
    (void)shutdown(fd, SHUT_WR);
    close(fd);
    refused(l->net, from, 503, why);
}

static void welcome(struct listener *l, int fd, const struct sockaddr_storage *from)
{
    struct net *n = l->net;
    bool extra = n->stats.open - n->extra >= n->config.max_connections;
    struct net_conn *c;

    if (extra && n->extra >= EXTRA_MAX) {
        turn_away(l, fd, from, "no more connections: the limit is reached");
        return;
    }
    c = conn_new(l, fd, from);
    if (!c) {
        close(fd);
        refused(n, from, 503, "the event loop does not take the socket");
        return;
    }
    n->stats.accepted++;
    if (extra) {
        c->extra = true;
        n->extra++;
        if (c->state == CONN_HTTP)
            conn_refuse_extra(c);
    }
}

/* No descriptor is left: the newcomer would stay in the queue and wake us for ever. Give up the
 * reserve, turn him away with it, and take it back. False: not even that. */
static bool make_room(struct listener *l)
{
    struct net *n = l->net;
    struct sockaddr_storage from;
    int fd;

    if (n->reserve_fd < 0)
        return false;
    close(n->reserve_fd);
    fd = accept_one(l->fd, &from);
    if (fd >= 0)
        turn_away(l, fd, &from,
                  "no file descriptors are left: raise the limit of open files (ulimit -n, "
                  "LimitNOFILE=)");
    n->reserve_fd = reserve();
    return fd >= 0;
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
    struct listener *l = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage from;
        int fd = accept_one(l->fd, &from);

        if (fd >= 0) {
            welcome(l, fd, &from);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            if (make_room(l))
                continue;
            uv_poll_stop(&l->poll); /* until the next tick */
            l->net->blocked = true;
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return; /* EAGAIN: all are in */
        }
    }
}

static void unblock(struct net *n)
{
    if (n->reserve_fd < 0)
        n->reserve_fd = reserve();
    n->blocked = false;
    for (unsigned i = 0; i < n->listener_count; i++)
        if (uv_poll_start(&n->listeners[i].poll, UV_READABLE, on_listener) < 0)
            n->blocked = true;
}

int net_reload(struct net *n, char **why)
{
    return n->tls ? tls_reload(n->tls, why) : 0;
}

/* A certificate that was renewed is used without a restart. A file that is half written is tried
 * again when it changes next. */
static void look_at_files(struct net *n)
{
    char *why = NULL;

    if (!n->tls || n->tls_look++ < TLS_LOOK_TICKS)
        return;
    n->tls_look = 0;
    if (!tls_stale(n->tls))
        return;
    if (tls_reload(n->tls, &why) < 0 && n->handler.on_refused)
        n->handler.on_refused(n->handler.ctx, &(struct net_refusal){ .address = "", .why = why });
    free(why);
}

static void on_tick(uv_timer_t *timer)
{
    struct net *n = timer->data;

    if (n->blocked && !n->stopping)
        unblock(n);
    look_at_files(n);
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
        { &c->max_connections, 19500 }, { &c->max_message, 1 << 20 },
        { &c->max_body, 1 << 20 },      { &c->idle_s, 60 },
        { &c->request_s, 10 },          { &c->pong_s, 20 },
        { &c->max_backlog, 8 << 20 },
    };

    for (size_t i = 0; i < AMP_COUNT(table); i++) {
        if (*table[i].value == 0)
            *table[i].value = table[i].fallback;
    }
}

static int listen_on(struct net *n, const char *where, enum listener_kind kind, char **why)
{
    struct listener *l = &n->listeners[n->listener_count];
    struct sockaddr_storage bound;
    socklen_t len = sizeof bound;

    if (!where || !*where)
        return 0;
    l->net = n;
    l->kind = kind;
    l->fd = net_listen(where, why);
    if (l->fd < 0)
        return AMP_E_ABSENT;
    if (getsockname(l->fd, (struct sockaddr *)&bound, &len) < 0 ||
        uv_poll_init(n->loop, &l->poll, l->fd) < 0) {
        *why = strdup("cannot watch the listening socket: the event loop refuses it");
        close(l->fd);
        return AMP_E_ABSENT;
    }
    n->listener_count++;
    l->poll.data = l;
    net_address_text(&bound, l->address, sizeof l->address);
    return 0;
}

static void on_abandoned(uv_handle_t *h)
{
    struct listener *l = h->data;

    if (--l->net->handles == 0)
        free(l->net);
}

/* A listener of several could not be opened: the memory goes when the loop has let go of the
 * others. */
static void abandon(struct net *n)
{
    tls_free(n->tls);
    n->handles = n->listener_count;
    if (!n->handles) {
        free(n);
        return;
    }
    for (unsigned i = 0; i < n->listener_count; i++) {
        close(n->listeners[i].fd);
        uv_close((uv_handle_t *)&n->listeners[i].poll, on_abandoned);
    }
}

static int open_listeners(struct net *n, const struct net_config *config, char **why)
{
    bool tls =
        (config->tls_listen && *config->tls_listen) || (config->tls_strict && *config->tls_strict);
    int rc = listen_on(n, config->listen, LISTENER_PLAIN, why);

    if (rc == 0 && tls) {
        n->tls = tls_new(&config->tls, why);
        rc = n->tls ? 0 : AMP_E_VALUE;
    }
    if (rc == 0)
        rc = listen_on(n, config->tls_listen, LISTENER_TLS, why);
    if (rc == 0)
        rc = listen_on(n, config->tls_strict, LISTENER_TLS_STRICT, why);
    if (rc == 0 && n->listener_count == 0) {
        *why = strdup("no address to listen on is given");
        rc = AMP_E_ABSENT;
    }
    return rc;
}

struct net *net_open(uv_loop_t *loop, const struct net_config *config,
                     const struct net_handler *handler, char **why)
{
    struct net *n = calloc(1, sizeof *n);

    if (!n)
        abort();
    n->loop = loop;
    n->config = *config;
    n->config.listen = n->config.tls_listen = n->config.tls_strict = NULL; /* not ours to keep */
    n->config.tls = (struct net_tls_config){ 0 };
    defaults(&n->config);
    n->handler = *handler;
    if (open_listeners(n, config, why) < 0) {
        abandon(n);
        return NULL;
    }
    n->reserve_fd = -1;
    n->tick = net_now(n) / TICK_MS;
    uv_prepare_init(loop, &n->prepare);
    uv_check_init(loop, &n->check);
    uv_timer_init(loop, &n->timer);
    uv_timer_init(loop, &n->grace);
    uv_idle_init(loop, &n->idle);
    n->idle.data = n;
    n->prepare.data = n->check.data = n->timer.data = n->grace.data = n;
    n->handles = 5 + n->listener_count;
    unblock(n);
    uv_prepare_start(&n->prepare, on_prepare);
    uv_check_start(&n->check, on_check);
    uv_timer_start(&n->timer, on_tick, TICK_MS, TICK_MS);
    return n;
}

const char *net_address(const struct net *n)
{
    return n->listeners[0].address;
}

const char *net_tls_address(const struct net *n)
{
    for (unsigned i = 0; i < n->listener_count; i++)
        if (n->listeners[i].kind != LISTENER_PLAIN)
            return n->listeners[i].address;
    return NULL;
}

static void handle_closed(struct net *n)
{
    if (--n->handles == 0 && n->done)
        n->done(n->done_ctx);
}

static void on_handle_closed(uv_handle_t *h)
{
    handle_closed(h->data);
}

static void on_listener_closed(uv_handle_t *h)
{
    struct listener *l = h->data;

    handle_closed(l->net);
}

/* The last connection is gone: take the hooks off the loop. */
static void finish(struct net *n)
{
    uv_handle_t *const ours[] = { (uv_handle_t *)&n->prepare, (uv_handle_t *)&n->check,
                                  (uv_handle_t *)&n->timer, (uv_handle_t *)&n->grace,
                                  (uv_handle_t *)&n->idle };

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
    else if (c->state == CONN_TLS)
        conn_doom(c);
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
    for (unsigned i = 0; i < n->listener_count; i++) {
        uv_close((uv_handle_t *)&n->listeners[i].poll, on_listener_closed);
        close(n->listeners[i].fd);
    }
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
    free(n->hungry);
    if (n->reserve_fd >= 0)
        close(n->reserve_fd);
    tls_free(n->tls);
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
