/* central/rest/download.c - the bytes of a file to whoever may have them, read on the pool piece by
 * piece as the reader takes them. One range is understood (RFC 9110 §14): a modem that lost its
 * link goes on where it was. */
#include "central/cluster.h"
#include "central/rest/files.h"
#include "central/rest/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)128 << 10)

struct download {
    struct rest_owned owned; /* first; conn is NULL once the reader has gone */
    struct rest *rest;
    struct central *c;
    uv_work_t work;
    bool reading, slow;
    int fd, error;
    uint64_t at, end; /* of the file */
    size_t got;
    uint8_t piece[PIECE_BYTES];
};

static void download_free(struct download *d)
{
    close(d->fd);
    free(d);
}

static void on_pool(uv_work_t *w)
{
    struct download *d = w->data;
    uint64_t left = d->end - d->at;
    size_t want = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
    ssize_t n;

    do
        n = pread(d->fd, d->piece, want, (off_t)d->at);
    while (n < 0 && errno == EINTR);
    d->error = n < 0 ? errno : n == 0 ? EIO : 0;
    d->got = n > 0 ? (size_t)n : 0;
}

static void pump(struct download *d);

static void after_pool(uv_work_t *w, int status)
{
    struct download *d = w->data;

    d->reading = false;
    if (!d->owned.conn) {
        download_free(d);
        return;
    }
    if (status < 0 || d->error) { /* cut off, so that nobody takes it for complete */
        net_close(d->owned.conn, 0, "the file cannot be read");
        return;
    }
    d->at += d->got;
    d->slow = !net_stream_put(d->owned.conn, d->piece, d->got);
    if (!d->slow || d->at == d->end)
        pump(d);
}

static void pump(struct download *d)
{
    struct net_conn *conn = d->owned.conn;

    if (!conn || d->reading)
        return;
    if (d->at == d->end) {
        rest_disown(d->rest, &d->owned); /* before the end: the next request may come at once */
        download_free(d);
        net_stream_end(conn);
        return;
    }
    d->reading = true;
    if (uv_queue_work(d->c->loop, &d->work, on_pool, after_pool) < 0)
        abort();
}

static void writable(struct rest_owned *o)
{
    struct download *d = (struct download *)o;

    d->slow = false;
    pump(d);
}

static void gone(struct rest_owned *o)
{
    struct download *d = (struct download *)o;

    if (!d->reading)
        download_free(d); /* else after_pool does */
}

static const struct rest_owner download_owner = { .gone = gone, .writable = writable };

/* ---- ranges ---- */

enum range { RANGE_NONE, RANGE_PART, RANGE_BAD };

static bool number(struct amp_text t, uint64_t *out)
{
    int64_t n;

    if (!t.len || t.at[0] < '0' || t.at[0] > '9' || amp_text_int(t, &n) < 0)
        return false;
    *out = (uint64_t)n;
    return true;
}

/* "bytes=5-9", "bytes=5-", "bytes=-5": from `*at` to before `*end`. Several, or anything else, is
 * as if none was asked for. */
static enum range range_of(struct amp_text t, uint64_t size, uint64_t *at, uint64_t *end)
{
    struct amp_text first, last;
    const char *dash;
    uint64_t n;

    if (t.len < 7 || memcmp(t.at, "bytes=", 6) != 0)
        return RANGE_NONE;
    t = (struct amp_text){ t.at + 6, t.len - 6 };
    dash = memchr(t.at, '-', t.len);
    if (!dash)
        return RANGE_NONE;
    first = (struct amp_text){ t.at, (uint32_t)(dash - t.at) };
    last = (struct amp_text){ dash + 1, t.len - first.len - 1 };
    if (!first.len) {
        if (!number(last, &n))
            return RANGE_NONE;
        *at = n < size ? size - n : 0;
        return n && size ? RANGE_PART : RANGE_BAD;
    }
    if (!number(first, at) || (last.len && !number(last, &n)) || (last.len && n < *at))
        return RANGE_NONE;
    if (*at >= size)
        return RANGE_BAD;
    if (last.len && n < size)
        *end = n + 1;
    return RANGE_PART;
}

/* Its name for a header: what is no plain character becomes an underscore. */
static void plain_name(const struct file_fact *f, char out[128])
{
    amp_text_copy(out, 128, f->name.len ? f->name : AMP_TEXT("file"));
    for (char *p = out; *p; p++)
        if ((unsigned char)*p < ' ' || *p == '"' || *p == '\\' || (unsigned char)*p >= 0x7f)
            *p = '_';
}

static enum range asked_range(const struct rest_call *call, const struct file_fact *f, uint64_t *at,
                              uint64_t *end)
{
    struct amp_text which = amp_http_get(call->head, "If-Range");
    bool same =
        which.len == f->sha256.len + 2 && memcmp(which.at + 1, f->sha256.at, f->sha256.len) == 0;

    *at = 0;
    *end = (uint64_t)f->size;
    return which.at && !same ? RANGE_NONE
                             : range_of(amp_http_get(call->head, "Range"), *end, at, end);
}

static void bad_range(struct rest_call *call, const struct file_fact *f)
{
    char headers[64];

    snprintf(headers, sizeof headers, "Content-Range: bytes */%lld\r\n", (long long)f->size);
    rest_problem(call,
                 &(struct rest_problem){ .status = 416,
                                         .kind = "bad-range",
                                         .title = "There is no such range",
                                         .field = "Range",
                                         .cure = "Ask for bytes that the file has.",
                                         .headers = headers },
                 "The file has %lld bytes.", (long long)f->size);
}

/* The fact is everywhere, the bytes are in the data folder of the node that took them. */
static void elsewhere(struct rest_call *call, const struct file_fact *f)
{
    struct store_nodes *nodes = cluster_nodes(call->c->cluster);
    struct node_info list[16];
    size_t n = nodes_list(nodes, list, AMP_COUNT(list)), len = 0;
    char others[512] = "";

    for (size_t i = 0; i < n && i < AMP_COUNT(list) && len < sizeof others - 1; i++)
        if (list[i].alive && list[i].number != nodes_self(nodes))
            len += (size_t)snprintf(others + len, sizeof others - len, "%s%s (%s)", len ? ", " : "",
                                    list[i].id, list[i].address);
    rest_problem(call,
                 &(struct rest_problem){ .status = 503,
                                         .kind = "at-another-node",
                                         .title = "Another node has the bytes of this file",
                                         .cure = "Ask the node that took it; or upload it at the "
                                                 "node that shall give it out.",
                                         .headers = "Retry-After: 5\r\n" },
                 "File %lld is not in the data folder of this node. Others: %s.", (long long)f->key,
                 len ? others : "none is there now");
}

static void lost(struct rest_call *call, const struct file_fact *f)
{
    rest_problem(call,
                 &(struct rest_problem){ .status = 410,
                                         .kind = "bytes-missing",
                                         .title = "The bytes of this file are missing",
                                         .cure = "Restore the folder \"files\" of the data folder "
                                                 "from a backup, or upload the file again." },
                 "File %lld is known, but it is not in the data folder.", (long long)f->key);
}

void rest_deliver(struct rest_call *call, const struct file_fact *f)
{
    struct rest *r = call->rest;
    struct net_conn *conn = rest_conn(call);
    char *path = files_path(call->c->files, f->key, false);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool head = amp_text_is(call->head->method, "HEAD");
    char headers[1800], name[128], part[96] = "", type[128];
    uint64_t at, end;
    enum range range = asked_range(call, f, &at, &end);
    struct download *d;

    free(path);
    if (fd < 0) {
        (call->c->cluster ? elsewhere : lost)(call, f);
        return;
    }
    if (range == RANGE_BAD) {
        close(fd);
        bad_range(call, f);
        return;
    }
    plain_name(f, name);
    amp_text_copy(type, sizeof type, f->type.len ? f->type : AMP_TEXT("application/octet-stream"));
    if (range == RANGE_PART)
        snprintf(part, sizeof part, "Content-Range: bytes %llu-%llu/%lld\r\n",
                 (unsigned long long)at, (unsigned long long)end - 1, (long long)f->size);
    snprintf(headers, sizeof headers,
             "%sRequest-Id: %s\r\nContent-Disposition: attachment; filename=\"%s\"\r\n"
             "Accept-Ranges: bytes\r\nETag: \"%.*s\"\r\n%s",
             rest_security_headers(false), call->id, name, AMP_FMT(f->sha256), part);
    d = calloc(1, sizeof *d);
    if (!d)
        abort();
    d->rest = r;
    d->c = call->c;
    d->work.data = d;
    d->fd = fd;
    d->at = head ? end : at;
    d->end = end;
    rest_drop(call);
    rest_own(r, conn, &d->owned, &download_owner);
    net_stream_sized(conn, range == RANGE_PART ? 206 : 200, type, headers, end - at);
    pump(d);
}
