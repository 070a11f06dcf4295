/* central/forward.c - see forward.h. One connection a request, closed behind its answer: changes
 * that people make are rare. */
#include "central/forward.h"
#include "central/cluster.h"
#include "central/held.h"
#include "central/log.h"
#include <stdio.h>
#include <stdlib.h>

#define TIMEOUT_MS 70000 /* longer than a command may be waited for */
#define ANSWER_MAX (16u << 20)

struct forwarding {
    struct central *c;
    struct held *held;
    uv_getaddrinfo_t resolve;
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_connect_t connect;
    uv_write_t write;
    struct amp_buf request, answer;
    unsigned handles;
    bool resolving, done;
    char host[160], port[16];
};

static bool grow(struct amp_buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : 4096;

    while (cap < need)
        cap *= 2;
    b->at = realloc(b->at, cap);
    if (!b->at)
        abort();
    b->cap = cap;
    return true;
}

static void release(struct forwarding *f)
{
    if (f->handles || f->resolving)
        return;
    free(f->request.at);
    free(f->answer.at);
    free(f->held);
    free(f);
}

static void on_closed(uv_handle_t *h)
{
    struct forwarding *f = h->data;

    f->handles--;
    release(f);
}

static void respond(struct forwarding *f, int status, const char *type, const char *headers,
                    const void *body, size_t len)
{
    if (f->done)
        return;
    f->done = true;
    if (f->held->request.conn)
        net_respond(f->held->request.conn, status, type, headers, body, len);
    cluster_forwarded(f->c->cluster, f->held);
    uv_close((uv_handle_t *)&f->tcp, on_closed);
    uv_close((uv_handle_t *)&f->timer, on_closed);
}

static void failed(struct forwarding *f, int status, const char *why)
{
    char body[300];
    int n = snprintf(body, sizeof body,
                     "{\"type\":\"about:blank\",\"title\":\"The node that has this charger cannot "
                     "be asked\",\"status\":%d,\"detail\":\"%s:%s: %s\",\"cure\":\"Try again: the "
                     "charger connects elsewhere when its node is gone.\"}",
                     status, f->host, f->port, why);

    LOG_OFTEN(f->c->log, LOG_WARN, "nodes", "not forwarded", LOG_STR("node", f->host),
              LOG_STR("why", why));
    respond(f, status, "application/problem+json", "Retry-After: 5\r\n", body, (size_t)n);
}

/* ---- the answer ---- */

/* Headers that are the answer's own, not the connection's. */
static void put_headers(struct amp_buf *out, const struct amp_http_head *head)
{
    static const char *const kept[] = { "Location",     "Set-Cookie", "Retry-After",  "Allow",
                                        "X-Request-Id", "ETag",       "Cache-Control" };

    for (size_t i = 0; i < AMP_COUNT(kept); i++) {
        struct amp_text value = amp_http_get(head, kept[i]);

        if (!value.at)
            continue;
        amp_buf_puts(out, kept[i]);
        amp_buf_puts(out, ": ");
        amp_buf_text_put(out, value);
        amp_buf_puts(out, "\r\n");
    }
    amp_buf_putc(out, '\0');
}

static void give_back(struct forwarding *f)
{
    struct amp_text in = amp_buf_text(&f->answer), body, type;
    struct amp_buf headers = { .grow = grow };
    struct amp_http_head head;
    char kind[128];

    if (amp_http_response(in, &head) != 1 ||
        (head.content_length > 0 && in.len < head.len + (size_t)head.content_length)) {
        failed(f, 502, "its answer broke off");
        return;
    }
    body = (struct amp_text){ in.at + head.len,
                              head.content_length > 0 ? (uint32_t)head.content_length : 0 };
    type = amp_http_get(&head, "Content-Type");
    amp_text_copy(kind, sizeof kind, type);
    put_headers(&headers, &head);
    respond(f, head.status, type.at ? kind : NULL, headers.at, body.at, body.len);
    free(headers.at);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    struct forwarding *f = h->data;
    char *at = amp_buf_room(&f->answer, 16384);

    (void)hint;
    *buf = uv_buf_init(at, 16384);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct forwarding *f = s->data;

    (void)buf;
    if (f->done)
        return;
    if (n < 0) {
        give_back(f);
        return;
    }
    f->answer.len += (size_t)n;
    if (f->answer.len > ANSWER_MAX)
        failed(f, 502, "its answer is too long");
}

/* ---- the question ---- */

static void on_written(uv_write_t *w, int status)
{
    struct forwarding *f = w->data;

    if (status < 0 && status != UV_ECANCELED)
        failed(f, 502, uv_strerror(status));
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct forwarding *f = connect->data;
    uv_buf_t buf = uv_buf_init(f->request.at, (unsigned)f->request.len);

    if (status == UV_ECANCELED || f->done)
        return;
    if (status < 0) {
        failed(f, 502, uv_strerror(status));
        return;
    }
    f->write.data = f;
    if (uv_read_start((uv_stream_t *)&f->tcp, on_alloc, on_read) < 0 ||
        uv_write(&f->write, (uv_stream_t *)&f->tcp, &buf, 1, on_written) < 0)
        failed(f, 502, "no connection");
}

static void on_resolved(uv_getaddrinfo_t *r, int status, struct addrinfo *list)
{
    struct forwarding *f = r->data;

    f->resolving = false;
    if (f->done) {
        uv_freeaddrinfo(list);
        release(f);
        return;
    }
    f->connect.data = f;
    if (status < 0)
        failed(f, 502, uv_strerror(status));
    else if (uv_tcp_connect(&f->connect, &f->tcp, list->ai_addr, on_connected) < 0)
        failed(f, 502, "no connection");
    uv_freeaddrinfo(list);
}

static void on_timeout(uv_timer_t *t)
{
    failed(t->data, 504, "it does not answer in time");
}

/* As it came, but for what concerns the connection. */
static void write_request(struct forwarding *f)
{
    static const char *const dropped[] = { "Connection", "Keep-Alive", "Expect", "Upgrade", "TE" };
    const struct amp_http_head *head = f->held->request.head;
    struct amp_buf *out = &f->request;

    amp_buf_text_put(out, head->method);
    amp_buf_puts(out, " ");
    amp_buf_text_put(out, head->target);
    amp_buf_puts(out, " HTTP/1.1\r\n" FORWARD_MARK ": ");
    amp_buf_puts(out, f->c->settings.node_id);
    amp_buf_puts(out, "\r\nConnection: close\r\n");
    for (unsigned i = 0; i < head->count; i++) {
        bool keep = true;

        for (size_t k = 0; k < AMP_COUNT(dropped); k++)
            keep = keep && !amp_text_eqi(head->headers[i].name, amp_text_of(dropped[k]));
        if (!keep)
            continue;
        amp_buf_text_put(out, head->headers[i].name);
        amp_buf_puts(out, ": ");
        amp_buf_text_put(out, head->headers[i].value);
        amp_buf_puts(out, "\r\n");
    }
    amp_buf_puts(out, "\r\n");
    amp_buf_text_put(out, f->held->request.body);
}

void forward(struct central *c, struct held *h, const char *address)
{
    static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    const char *colon = strrchr(address, ':');
    struct forwarding *f = calloc(1, sizeof *f);
    size_t len = colon ? (size_t)(colon - address) : 0;

    if (!f)
        abort();
    f->c = c;
    f->held = h;
    f->request.grow = f->answer.grow = grow;
    f->handles = 2;
    if (len > 2 && address[0] == '[') { /* [::1]:8180 */
        address++;
        len -= 2;
    }
    snprintf(f->host, sizeof f->host, "%.*s", (int)len, address);
    snprintf(f->port, sizeof f->port, "%s", colon ? colon + 1 : "");
    f->tcp.data = f->timer.data = f->resolve.data = f;
    uv_tcp_init(c->loop, &f->tcp);
    uv_timer_init(c->loop, &f->timer);
    uv_timer_start(&f->timer, on_timeout, TIMEOUT_MS, 0);
    write_request(f);
    f->resolving = uv_getaddrinfo(c->loop, &f->resolve, on_resolved, f->host, f->port, &hints) == 0;
    if (!f->resolving)
        failed(f, 502, "its address cannot be resolved");
}
