/* central/net/http.c - HTTP/1.1 requests and answers: one request at a time on a connection, the
 * next one when the answer before is queued, so that pipelined ones are answered in order. RFC
 * 9112. What a path means is the handler's business. */
#include "central/net/conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define HEAD_ROOM 320 /* status line and the headers of our own */

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    { 100, "Continue" },
    { 101, "Switching Protocols" },
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 206, "Partial Content" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 416, "Range Not Satisfiable" },
    { 422, "Unprocessable Content" },
    { 426, "Upgrade Required" },
    { 428, "Precondition Required" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
};

static const char *reason_of(int status)
{
    for (size_t i = 0; i < AMP_COUNT(reasons); i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "Status";
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", made once a second. */
static const char *date(struct net *n)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t now = time(NULL);
    struct tm t;

    if (n->date_s != (int64_t)now && gmtime_r(&now, &t)) {
        n->date_s = (int64_t)now;
        snprintf(n->date, sizeof n->date, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
                 days + 3 * t.tm_wday, t.tm_mday, months + 3 * t.tm_mon, (t.tm_year + 1900) % 10000,
                 t.tm_hour, t.tm_min, t.tm_sec);
    }
    return n->date;
}

static bool has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

/* Status line and headers; `framing` says how long the body is. */
static void put_head(struct net_conn *c, int status, const char *type, const char *headers,
                     const char *framing)
{
    size_t cap = HEAD_ROOM + strlen(headers) + (type ? strlen(type) : 0);
    char small[2048], *text = cap <= sizeof small ? small : malloc(cap);
    int n;

    if (!text)
        abort();
    n = snprintf(text, cap, "HTTP/1.1 %d %s\r\nDate: %s\r\n%s%s%s%s%sConnection: %s\r\n\r\n",
                 status, reason_of(status), date(conn_net(c)), type ? "Content-Type: " : "",
                 type ? type : "", type ? "\r\n" : "", framing, headers,
                 c->keep ? "keep-alive" : "close");
    conn_put(c, text, (size_t)n < cap ? (size_t)n : cap - 1);
    if (text != small)
        free(text);
}

/* The answer is queued: the next request, or the end. */
static void answered(struct net_conn *c)
{
    if (c->keep)
        conn_set_state(c, CONN_HTTP);
    else
        conn_linger(c);
    conn_touch(c);
}

void net_respond(struct net_conn *c, int status, const char *type, const char *headers,
                 const void *body, size_t len)
{
    char framing[48] = "";

    if (c->state != CONN_BUSY && c->state != CONN_BODY)
        return; /* gone in the meantime */
    if (conn_net(c)->stopping || c->state == CONN_BODY)
        c->keep = false;
    if (has_body(status))
        snprintf(framing, sizeof framing, "Content-Length: %zu\r\n", len);
    put_head(c, status, has_body(status) ? type : NULL, headers, framing);
    if (has_body(status) && !c->head_only)
        conn_put(c, body, len);
    answered(c);
}

void net_stream_begin(struct net_conn *c, int status, const char *type, const char *headers)
{
    if (c->state != CONN_BUSY)
        return;
    if (c->old || conn_net(c)->stopping)
        c->keep = false;
    put_head(c, status, type, headers, c->old ? "" : "Transfer-Encoding: chunked\r\n");
    c->sized = false;
    conn_set_state(c, CONN_STREAM);
}

void net_stream_sized(struct net_conn *c, int status, const char *type, const char *headers,
                      uint64_t length)
{
    char framing[48];

    if (c->state != CONN_BUSY)
        return;
    if (conn_net(c)->stopping)
        c->keep = false;
    snprintf(framing, sizeof framing, "Content-Length: %llu\r\n", (unsigned long long)length);
    put_head(c, status, type, headers, framing);
    c->sized = true;
    conn_set_state(c, CONN_STREAM);
}

bool net_stream_put(struct net_conn *c, const void *data, size_t len)
{
    char size[24];

    if (c->state != CONN_STREAM || c->doomed)
        return false;
    if (len == 0 || c->head_only)
        return true;
    if (conn_backlog(c) == 0)
        c->mark_ms = net_now(conn_net(c)); /* the reader's time begins */
    if (!c->old && !c->sized)
        conn_put(c, size, (size_t)snprintf(size, sizeof size, "%zx\r\n", len));
    conn_put(c, data, len);
    if (!c->old && !c->sized)
        conn_put(c, "\r\n", 2);
    conn_look_at(c);
    if (conn_backlog(c) >= STREAM_HIGH)
        c->slow = true;
    return !c->slow && !c->doomed;
}

void net_stream_end(struct net_conn *c)
{
    if (c->state != CONN_STREAM)
        return;
    if (!c->old && !c->head_only && !c->sized)
        conn_put(c, "0\r\n\r\n", 5);
    c->slow = false;
    answered(c);
}

void http_refuse(struct net_conn *c, int status, const char *headers, const char *why)
{
    struct net *n = conn_net(c);
    char framing[48], body[256];
    int len = snprintf(body, sizeof body, "%s\n", why);

    n->stats.refused++;
    c->keep = false;
    snprintf(framing, sizeof framing, "Content-Length: %d\r\n", len);
    put_head(c, status, "text/plain; charset=utf-8", headers, framing);
    if (!c->head_only)
        conn_put(c, body, (size_t)len);
    conn_linger(c);
    if (n->handler.on_refused)
        n->handler.on_refused(n->handler.ctx, &(struct net_refusal){ .address = c->peer,
                                                                     .status = status,
                                                                     .why = why });
}

void conn_refuse_extra(struct net_conn *c)
{
    http_refuse(c, 503, "Retry-After: 10\r\n", "no more connections: the limit is reached");
}

void http_eof(struct net_conn *c)
{
    struct net *n = conn_net(c);

    if (c->in) {
        n->stats.refused++;
        if (n->handler.on_refused)
            n->handler.on_refused(n->handler.ctx,
                                  &(struct net_refusal){
                                      .address = c->peer,
                                      .status = 400,
                                      .why = "the connection ended inside a request" });
    }
    if (c->out)
        conn_linger(c);
    else
        conn_drop(c, "");
}

void http_stop(struct net_conn *c)
{
    if (c->state == CONN_STREAM && c->sized)
        return; /* it ends by itself, or with the grace */
    if (c->state == CONN_BODY)
        conn_doom(c);
    if (c->state == CONN_STREAM)
        net_stream_end(c);
    if (c->state == CONN_HTTP && c->out)
        conn_linger(c);
    else if (c->state == CONN_HTTP)
        conn_doom(c);
}

/* What is wrong with this head, before its body is read. 0: nothing. */
static int judge(const struct net *n, const struct amp_http_head *head, const char **headers,
                 const char **why)
{
    struct amp_text key;
    int rc;

    *headers = "";
    if (head->chunked) {
        *why = "chunked request bodies are not supported: send Content-Length";
        return 501;
    }
    if (head->content_length > (int64_t)n->config.max_body) {
        *why = "the request's body is larger than the limit";
        return 413;
    }
    if (!head->upgrade)
        return 0;
    rc = amp_ws_asked(head, &key);
    if (rc == AMP_E_SUPPORT) {
        *headers = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
        *why = "only version 13 of WebSocket is spoken here";
        return 426;
    }
    *why = "not a sound WebSocket handshake: it takes a GET of HTTP/1.1 with one Sec-WebSocket-Key "
           "of 16 bytes";
    return rc < 0 ? 400 : 0;
}

/* A body that waits for our leave to come: RFC 9110 §10.1.1. */
static void let_it_come(struct net_conn *c, const struct amp_http_head *head)
{
    c->body = true;
    if (c->continued || !amp_text_eqi(amp_http_get(head, "Expect"), AMP_TEXT("100-continue")))
        return;
    c->continued = true;
    conn_put(c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
}

static void refuse_head(struct net_conn *c, int rc, struct amp_text in)
{
    bool in_line = !memchr(in.at, '\n', in.len < AMP_HTTP_HEAD_MAX ? in.len : AMP_HTTP_HEAD_MAX);

    c->head_only = false;
    if (in.len && in.at[0] == 0x16 && !c->secure) /* a TLS record that begins a handshake */
        http_refuse(c, 400, "", "TLS was spoken to the address without TLS");
    else if (rc != AMP_E_SIZE)
        http_refuse(c, 400, "", "this is no HTTP/1.1 request");
    else if (in_line)
        http_refuse(c, 414, "", "the request's target is longer than the limit");
    else
        http_refuse(c, 431, "", "the request's head is larger than the limit");
}

/* Hand one complete request on. */
static void hand_on(struct net_conn *c, const struct amp_http_head *head, struct amp_text body)
{
    struct net *n = conn_net(c);
    struct net_request r = { .conn = c, .head = head, .body = body };

    r.coming = -1;
    c->body = c->continued = false;
    n->stats.requests++;
    conn_set_state(c, CONN_BUSY);
    n->handler.on_request(n->handler.ctx, &r);
}

/* A request whose body the handler takes in pieces. */
static bool in_pieces(const struct net *n, const struct amp_http_head *head)
{
    return (head->chunked || head->content_length > 0) && !head->upgrade && n->handler.on_head &&
           n->handler.on_head(n->handler.ctx, head);
}

static void begin_pieces(struct net_conn *c, const struct amp_http_head *head)
{
    struct net *n = conn_net(c);
    struct net_request r = {
        .conn = c, .head = head, .pieces = true, .coming = head->content_length
    };

    c->body = c->continued = false;
    n->stats.requests++;
    body_begin(c, head);
    n->handler.on_request(n->handler.ctx, &r);
    if (c->state == CONN_BODY) /* not refused at once */
        let_it_come(c, head);
}

/* One request at the start of `in`. Bytes taken; 0: it is not complete, *need says when it may be.
 */
static size_t take_request(struct net_conn *c, struct amp_text in, uint32_t *need)
{
    struct amp_http_head head;
    const char *headers, *why;
    int rc = amp_http_request(in, &head), status;
    size_t whole;

    if (rc <= 0) {
        *need = in.len + 1;
        if (rc < 0)
            refuse_head(c, rc, in);
        return 0;
    }
    c->keep = head.keep_alive;
    c->old = head.minor == 0;
    c->head_only = amp_text_is(head.method, "HEAD");
    if (in_pieces(conn_net(c), &head)) {
        begin_pieces(c, &head);
        return head.len;
    }
    status = judge(conn_net(c), &head, &headers, &why);
    if (status) {
        http_refuse(c, status, headers, why);
        return 0;
    }
    whole = head.len + (head.content_length > 0 ? (size_t)head.content_length : 0);
    if (in.len < whole) {
        *need = (uint32_t)whole;
        let_it_come(c, &head);
        return 0;
    }
    hand_on(c, &head, (struct amp_text){ in.at + head.len, (uint32_t)(whole - head.len) });
    return whole;
}

size_t http_input(struct net_conn *c, uint8_t *buf, size_t len, uint32_t *need)
{
    size_t at = 0, taken = 1;

    *need = 0;
    while (c->state == CONN_HTTP && !c->doomed && at < len && taken &&
           conn_backlog(c) <= PIPE_HIGH) {
        taken = take_request(c, (struct amp_text){ (const char *)buf + at, (uint32_t)(len - at) },
                             need);
        at += taken;
    }
    if (c->state == CONN_DEAD || c->state == CONN_LINGER)
        return 0;
    if (at && at < len)
        memmove(buf, buf + at, len - at);
    return len - at;
}
