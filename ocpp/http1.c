/* ocpp/http1.c - HTTP/1.1 heads, strictly. RFC 9112 §2-§6; edge cases 50 and 51.
 * The head is read line by line from its start, so that the verdict is the same however the bytes
 * arrived. A caller that gets 0 calls again with more: with the limit of 8 KB that stays cheap even
 * for single bytes. */
#include "ocpp/http1.h"

/* What a head is judged by beside its fields. */
struct reader {
    struct amp_text in; /* at most AMP_HTTP_HEAD_MAX bytes of it */
    uint32_t at;        /* start of the next line */
    struct amp_http_head *head;
    bool host, encoding; /* seen */
    bool close, keep;    /* Connection */
};

static bool token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool token(struct amp_text t)
{
    for (uint32_t i = 0; i < t.len; i++) {
        if (!token_char(t.at[i]))
            return false;
    }
    return t.len > 0;
}

/* Field values and reasons: visible, blank, tab, and the upper half that Latin-1 and UTF-8 use. */
static bool value_ok(struct amp_text t)
{
    for (uint32_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.at[i];

        if ((c < ' ' && c != '\t') || c == 127)
            return false;
    }
    return true;
}

static struct amp_text between(struct amp_text t, uint32_t from, uint32_t to)
{
    return (struct amp_text){ t.at + from, to - from };
}

static uint32_t find(struct amp_text t, uint32_t from, char c)
{
    while (from < t.len && t.at[from] != c)
        from++;
    return from;
}

/* Blanks and tabs only: a line end inside is an error, not something to trim. */
static struct amp_text trim(struct amp_text t)
{
    while (t.len && (t.at[0] == ' ' || t.at[0] == '\t'))
        t = between(t, 1, t.len);
    while (t.len && (t.at[t.len - 1] == ' ' || t.at[t.len - 1] == '\t'))
        t.len--;
    return t;
}

/* 1 and the line without its CR LF; 0: it has not ended yet. */
static int next_line(struct reader *r, struct amp_text *line)
{
    uint32_t end = find(r->in, r->at, '\n');

    if (end == r->in.len)
        return end < AMP_HTTP_HEAD_MAX ? 0 : AMP_E_SIZE;
    if (end == r->at || r->in.at[end - 1] != '\r')
        return AMP_E_PROTOCOL;
    *line = between(r->in, r->at, end - 1);
    r->at = end + 1;
    return 1;
}

static bool next_item(struct amp_text list, uint32_t *at, struct amp_text *item)
{
    while (*at < list.len) {
        uint32_t end = find(list, *at, ',');

        *item = trim(between(list, *at, end));
        *at = end < list.len ? end + 1 : end;
        if (item->len)
            return true;
    }
    return false;
}

/* The fields that decide how a message is read. Each sees every occurrence. */
static int on_length(struct reader *r, struct amp_text value)
{
    int64_t v = 0;

    if (value.len == 0 || value.len > 18)
        return AMP_E_PROTOCOL;
    for (uint32_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return AMP_E_PROTOCOL;
        v = v * 10 + (value.at[i] - '0');
    }
    if (r->head->content_length >= 0 && r->head->content_length != v)
        return AMP_E_PROTOCOL;
    r->head->content_length = v;
    return 0;
}

static int on_encoding(struct reader *r, struct amp_text value)
{
    if (r->encoding || !amp_text_eqi(value, AMP_TEXT("chunked")))
        return AMP_E_PROTOCOL;
    r->encoding = r->head->chunked = true;
    return 0;
}

static int on_connection(struct reader *r, struct amp_text value)
{
    struct amp_text item;
    uint32_t at = 0;

    while (next_item(value, &at, &item)) {
        r->close |= amp_text_eqi(item, AMP_TEXT("close"));
        r->keep |= amp_text_eqi(item, AMP_TEXT("keep-alive"));
    }
    return 0;
}

static int on_upgrade(struct reader *r, struct amp_text value)
{
    struct amp_text item;
    uint32_t at = 0;

    while (next_item(value, &at, &item))
        r->head->upgrade |= amp_text_eqi(item, AMP_TEXT("websocket"));
    return 0;
}

static int on_host(struct reader *r, struct amp_text value)
{
    (void)value;
    if (r->host)
        return AMP_E_PROTOCOL;
    r->host = true;
    return 0;
}

static const struct {
    struct amp_text name;
    int (*on)(struct reader *r, struct amp_text value);
    /* clang-format off */
} known[] = {
    { { "Content-Length", 14 },    on_length },
    { { "Transfer-Encoding", 17 }, on_encoding },
    { { "Connection", 10 },        on_connection },
    { { "Upgrade", 7 },            on_upgrade },
    { { "Host", 4 },               on_host },
};
/* clang-format on */

static int read_field(struct reader *r, struct amp_text line)
{
    uint32_t colon = find(line, 0, ':');
    struct amp_http_header field;

    if (colon == line.len)
        return AMP_E_PROTOCOL;
    field.name =
        between(line, 0,
                colon); /* a token has no blanks: not in front (folding), not before the colon */
    field.value = trim(between(line, colon + 1, line.len));
    if (!token(field.name) || !value_ok(field.value))
        return AMP_E_PROTOCOL;
    if (r->head->count == AMP_HTTP_HEADERS_MAX)
        return AMP_E_SIZE;
    r->head->headers[r->head->count++] = field;
    for (size_t i = 0; i < AMP_COUNT(known); i++) {
        if (amp_text_eqi(field.name, known[i].name))
            return known[i].on(r, field.value);
    }
    return 0;
}

/* Everything behind the first line. */
static int read_fields(struct reader *r)
{
    struct amp_text line;
    int rc;

    while ((rc = next_line(r, &line)) > 0 && line.len) {
        rc = read_field(r, line);
        if (rc < 0)
            return rc;
    }
    if (rc <= 0)
        return rc;
    if (r->head->chunked && (r->head->content_length >= 0 || r->head->minor == 0))
        return AMP_E_PROTOCOL;
    r->head->keep_alive = !r->close && (r->head->minor > 0 || r->keep);
    r->head->len = r->at;
    return 1;
}

static struct reader reader_of(struct amp_text in, struct amp_http_head *out)
{
    if (in.len > AMP_HTTP_HEAD_MAX)
        in.len = AMP_HTTP_HEAD_MAX;
    out->method = out->target = out->path = out->query = out->reason = AMP_NO_TEXT;
    out->status = out->minor = 0;
    out->count = 0;
    out->content_length = -1;
    out->chunked = out->keep_alive = out->upgrade = false;
    out->len = 0;
    return (struct reader){ .in = in, .head = out };
}

/* HTTP/1.x, exactly. */
static bool version(struct amp_text t, int *minor)
{
    if (t.len != 8 || memcmp(t.at, "HTTP/1.", 7) != 0 || t.at[7] < '0' || t.at[7] > '9')
        return false;
    *minor = t.at[7] - '0';
    return true;
}

/* Behind scheme and host: the path of "http://host/path". Not for a target that starts with '/'. */
static bool absolute(struct amp_text *t)
{
    static const char *const schemes[] = { "http://", "https://", "ws://", "wss://" };

    for (size_t i = 0; i < AMP_COUNT(schemes); i++) {
        uint32_t n = (uint32_t)strlen(schemes[i]), end = n;

        if (t->len <= n || !amp_text_eqi(between(*t, 0, n), amp_text_of(schemes[i])))
            continue;
        while (end < t->len && t->at[end] != '/' && t->at[end] != '?')
            end++;
        *t = between(*t, end, t->len);
        return end > n;
    }
    return false;
}

static int read_target(struct amp_http_head *h)
{
    struct amp_text t = h->target;
    uint32_t cut;

    for (uint32_t i = 0; i < t.len; i++) {
        if ((unsigned char)t.at[i] <= ' ' || t.at[i] == 127)
            return AMP_E_PROTOCOL;
    }
    if (t.len == 0 || (t.at[0] != '/' && !amp_text_is(t, "*") && !absolute(&t)))
        return AMP_E_PROTOCOL;
    cut = find(t, 0, '?');
    h->path = cut ? between(t, 0, cut) : AMP_TEXT("/");
    if (cut < t.len)
        h->query = between(t, cut + 1, t.len);
    return 0;
}

/* The method is judged before its line is complete. */
static int read_method(struct reader *r)
{
    uint32_t end = r->at;

    while (end < r->in.len && end - r->at <= AMP_HTTP_METHOD_MAX && token_char(r->in.at[end]))
        end++;
    if (end - r->at > AMP_HTTP_METHOD_MAX)
        return AMP_E_PROTOCOL;
    if (end == r->in.len)
        return 0;
    if (end == r->at || r->in.at[end] != ' ')
        return AMP_E_PROTOCOL;
    r->head->method = between(r->in, r->at, end);
    return 1;
}

int amp_http_request(struct amp_text in, struct amp_http_head *out)
{
    struct reader r = reader_of(in, out);
    struct amp_text line;
    uint32_t from, end;
    int rc;

    if (r.in.len &&
        r.in.at[0] ==
            '\r') { /* RFC 9112 §2.2: an empty line that an old client sent behind a body */
        rc = next_line(&r, &line);
        if (rc <= 0 || line.len)
            return rc > 0 || r.in.len > 1 ? AMP_E_PROTOCOL : rc;
    }
    rc = read_method(&r);
    if (rc <= 0)
        return rc;
    rc = next_line(&r, &line);
    if (rc <= 0)
        return rc;
    from = out->method.len + 1;
    end = find(line, from, ' ');
    out->target = between(line, from, end);
    if (end == line.len || !version(between(line, end + 1, line.len), &out->minor))
        return AMP_E_PROTOCOL;
    rc = read_target(out);
    return rc < 0 ? rc : read_fields(&r);
}

int amp_http_response(struct amp_text in, struct amp_http_head *out)
{
    static const char prefix[] = "HTTP/1.";
    struct reader r = reader_of(in, out);
    struct amp_text line;
    uint32_t known_part = in.len < sizeof(prefix) - 1 ? in.len : (uint32_t)sizeof(prefix) - 1;
    int rc;

    if (known_part && memcmp(in.at, prefix, known_part) != 0)
        return AMP_E_PROTOCOL;
    rc = next_line(&r, &line);
    if (rc <= 0)
        return rc;
    if (line.len < 12 || !version(between(line, 0, 8), &out->minor) || line.at[8] != ' ')
        return AMP_E_PROTOCOL;
    for (uint32_t i = 9; i < 12; i++) {
        if (line.at[i] < '0' || line.at[i] > '9')
            return AMP_E_PROTOCOL;
        out->status = out->status * 10 + (line.at[i] - '0');
    }
    if (out->status < 100 || out->status > 599 || (line.len > 12 && line.at[12] != ' '))
        return AMP_E_PROTOCOL;
    out->reason = between(line, line.len > 12 ? 13 : 12, line.len);
    return value_ok(out->reason) ? read_fields(&r) : AMP_E_PROTOCOL;
}

struct amp_text amp_http_get(const struct amp_http_head *h, const char *name)
{
    struct amp_text key = amp_text_of(name);

    for (unsigned i = 0; i < h->count; i++) {
        if (amp_text_eqi(h->headers[i].name, key))
            return h->headers[i].value;
    }
    return AMP_NO_TEXT;
}

bool amp_http_list(const struct amp_http_head *h, const char *name, unsigned *header, uint32_t *at,
                   struct amp_text *item)
{
    struct amp_text key = amp_text_of(name);

    for (; *header < h->count; ++*header, *at = 0) {
        if (amp_text_eqi(h->headers[*header].name, key) &&
            next_item(h->headers[*header].value, at, item))
            return true;
    }
    return false;
}
