/* central/redis_link.c - see redis_link.h. */
#include "central/redis_link.h"
#include "ocpp/percent.h"
#include "ocpp/text.h"
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#define CONNECT_MS   5000
#define PAUSE_MIN_MS 500
#define PAUSE_MAX_MS 15000

/* ---- the URL ---- */

/* `from` up to `end`, with its percent escapes decoded. */
static bool part(const char *from, const char *end, char *out, size_t cap)
{
    struct amp_text t = { from, (uint32_t)(end - from) };
    int n = amp_percent_decode(t, out, cap - 1);

    if (n < 0)
        return false;
    out[n] = '\0';
    return true;
}

static bool number(const char *from, const char *end, int max, int *out)
{
    int64_t v;

    if (amp_text_int((struct amp_text){ from, (uint32_t)(end - from) }, &v) < 0 || v < 0 || v > max)
        return false;
    *out = (int)v;
    return true;
}

bool redis_address_of(const char *url, struct redis_address *out)
{
    static const char scheme[] = "redis://";
    const char *at, *end, *slash, *colon;

    *out = (struct redis_address){ .port = 6379 };
    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return false;
    url += sizeof scheme - 1;
    end = url + strlen(url);
    slash = memchr(url, '/', (size_t)(end - url));
    if (slash && slash[1] && !number(slash + 1, end, 65535, &out->database))
        return false;
    end = slash ? slash : end;
    for (at = end; at > url && at[-1] != '@'; at--)
        ;
    if (at > url) {
        colon = memchr(url, ':', (size_t)(at - 1 - url));
        if (!part(url, colon ? colon : at - 1, out->user, sizeof out->user) ||
            (colon && !part(colon + 1, at - 1, out->password, sizeof out->password)))
            return false;
    }
    for (colon = end; colon > at && colon[-1] != ':' && colon[-1] != ']'; colon--)
        ;
    if (colon > at && colon[-1] == ':') {
        if (!number(colon, end, 65535, &out->port))
            return false;
        end = colon - 1;
    }
    if (end - at > 2 && at[0] == '[' && end[-1] == ']')
        at++, end--;
    return end > at && part(at, end, out->host, sizeof out->host);
}

/* ---- libuv under hiredis ---- */

struct redis_poll {
    uv_poll_t handle; /* first */
    redisAsyncContext *context;
    int events;
};

static void on_poll(uv_poll_t *h, int status, int events)
{
    struct redis_poll *p = (struct redis_poll *)h;

    if (status < 0)
        events = UV_READABLE | UV_WRITABLE; /* hiredis finds out what it is */
    if (p->context && (events & UV_READABLE))
        redisAsyncHandleRead(p->context);
    if (p->context && (events & UV_WRITABLE))
        redisAsyncHandleWrite(p->context);
}

static void watch(struct redis_poll *p, int events)
{
    p->events = events;
    if (events)
        uv_poll_start(&p->handle, events, on_poll);
    else
        uv_poll_stop(&p->handle);
}

static void add_read(void *data)
{
    watch(data, ((struct redis_poll *)data)->events | UV_READABLE);
}

static void del_read(void *data)
{
    watch(data, ((struct redis_poll *)data)->events & ~UV_READABLE);
}

static void add_write(void *data)
{
    watch(data, ((struct redis_poll *)data)->events | UV_WRITABLE);
}

static void del_write(void *data)
{
    watch(data, ((struct redis_poll *)data)->events & ~UV_WRITABLE);
}

static void on_closed(uv_handle_t *h)
{
    free(h);
}

static void cleanup(void *data)
{
    struct redis_poll *p = data;

    p->context = NULL;
    uv_close((uv_handle_t *)&p->handle, on_closed);
}

static bool attach(struct redis_link *l)
{
    struct redis_poll *p = calloc(1, sizeof *p);
    redisAsyncContext *c = l->context;

    if (!p)
        abort();
    if (uv_poll_init_socket(l->loop, &p->handle, c->c.fd) < 0) {
        free(p);
        return false;
    }
    p->context = c;
    uv_unref((uv_handle_t *)&p->handle); /* nothing waits for Redis, the end neither */
    c->ev.data = p;
    c->ev.addRead = add_read;
    c->ev.delRead = del_read;
    c->ev.addWrite = add_write;
    c->ev.delWrite = del_write;
    c->ev.cleanup = cleanup;
    return true;
}

/* ---- connecting ---- */

static void later(struct redis_link *l)
{
    l->context = NULL;
    l->connected = false;
    l->pending = 0;
    l->pause_ms = l->pause_ms ? l->pause_ms * 2 : PAUSE_MIN_MS;
    if (l->pause_ms > PAUSE_MAX_MS)
        l->pause_ms = PAUSE_MAX_MS;
    l->next_ms = (int64_t)uv_now(l->loop) + l->pause_ms;
}

static void on_disconnected(const redisAsyncContext *c, int status)
{
    struct redis_link *l = c->data;

    (void)status;
    if (l)
        later(l);
}

static void on_login(redisAsyncContext *c, void *reply, void *data)
{
    const redisReply *r = reply;

    (void)data;
    if (r && r->type == REDIS_REPLY_ERROR)
        redisAsyncDisconnect(c); /* a wrong password, or no such database */
}

static void login(struct redis_link *l)
{
    const struct redis_address *a = l->address;

    if (a->user[0])
        redisAsyncCommand(l->context, on_login, NULL, "AUTH %s %s", a->user, a->password);
    else if (a->password[0])
        redisAsyncCommand(l->context, on_login, NULL, "AUTH %s", a->password);
    if (a->database)
        redisAsyncCommand(l->context, on_login, NULL, "SELECT %d", a->database);
}

static void on_connected(const redisAsyncContext *c, int status)
{
    struct redis_link *l = c->data;

    if (!l)
        return;
    if (status != REDIS_OK) {
        later(l); /* hiredis frees it behind this */
        return;
    }
    l->connected = true;
    l->pause_ms = 0;
    login(l);
    l->on_connected(l->ctx);
}

static void give_up(struct redis_link *l)
{
    redisAsyncContext *c = l->context;

    c->data = NULL;
    later(l);
    redisAsyncFree(c);
}

struct redis_resolve {
    uv_getaddrinfo_t request; /* first */
    struct redis_link *link;  /* NULL: closed meanwhile */
};

static void connect_to(struct redis_link *l, const char *ip);

static void on_resolved(uv_getaddrinfo_t *r, int status, struct addrinfo *list)
{
    struct redis_resolve *q = (struct redis_resolve *)r;
    struct redis_link *l = q->link;
    char ip[64] = "";

    if (l) {
        l->resolve = NULL;
        if (status == 0 && getnameinfo(list->ai_addr, list->ai_addrlen, ip, sizeof ip, NULL, 0,
                                       NI_NUMERICHOST) == 0)
            connect_to(l, ip);
        else
            later(l);
    }
    uv_freeaddrinfo(list);
    free(q);
}

static void resolve(struct redis_link *l)
{
    static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct redis_resolve *q = calloc(1, sizeof *q);

    if (!q)
        abort();
    q->link = l;
    if (uv_getaddrinfo(l->loop, &q->request, on_resolved, l->address->host, NULL, &hints) < 0) {
        free(q);
        later(l);
        return;
    }
    l->resolve = q;
}

void redis_link_tick(struct redis_link *l)
{
    int64_t now = (int64_t)uv_now(l->loop);

    if (l->context) {
        if (!l->connected && now - l->since_ms > CONNECT_MS)
            give_up(l);
        return;
    }
    if (l->stopping || l->resolve || now < l->next_ms)
        return;
    resolve(l);
}

static void connect_to(struct redis_link *l, const char *ip)
{
    l->context = redisAsyncConnect(ip, l->address->port);
    l->since_ms = (int64_t)uv_now(l->loop);
    if (!l->context)
        abort(); /* no memory */
    l->context->data = l;
    if (l->context->err || !attach(l)) {
        give_up(l);
        return;
    }
    redisAsyncSetConnectCallback(l->context, on_connected);
    redisAsyncSetDisconnectCallback(l->context, on_disconnected);
}

/* ---- commands ---- */

static void on_answered(redisAsyncContext *c, void *reply, void *data)
{
    struct redis_link *l = c->data;

    (void)reply, (void)data;
    if (l && l->pending)
        l->pending--;
}

bool redis_link_send(struct redis_link *l, int argc, const char **argv, const size_t *lens)
{
    if (!l->connected || l->pending >= REDIS_PENDING_MAX)
        return false;
    if (redisAsyncCommandArgv(l->context, on_answered, NULL, argc, argv, lens) != REDIS_OK)
        return false;
    l->pending++;
    return true;
}

bool redis_link_ask(struct redis_link *l, redisCallbackFn *each, int argc, const char **argv,
                    const size_t *lens)
{
    return l->connected && redisAsyncCommandArgv(l->context, each, l, argc, argv, lens) == REDIS_OK;
}

void redis_link_close(struct redis_link *l)
{
    l->stopping = true;
    if (l->resolve)
        l->resolve->link = NULL;
    l->resolve = NULL;
    if (l->context)
        give_up(l);
}
