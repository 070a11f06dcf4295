/* central/rest/upload.c - a request body that becomes a file: each piece is written, and added to
 * the sum, on the pool, while the sender is held. The name under which it can be read appears with
 * its last byte on disk. */
#include "central/log.h"
#include "central/rest/files.h"
#include "central/rest/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct upload {
    struct rest_call *call; /* NULL: its sender, or the server, has gone */
    uv_work_t work;
    bool working, last;
    int fd, error; /* errno of the pool */
    char *coming, *path;
    uint64_t size;
    crypto_hash_sha256_state sum;
    uint8_t *piece;
    size_t len, cap;
    rest_received_fn *done;
};

/* What call->state is: it is freed with the call, the upload may live longer. */
struct holder {
    struct upload *u;
};

static void upload_free(struct upload *u)
{
    if (u->fd >= 0) {
        close(u->fd);
        unlink(u->coming); /* has its name by now when all went well */
    }
    free(u->coming);
    free(u->path);
    free(u->piece);
    free(u);
}

static void forget(struct rest_call *call)
{
    struct holder *h = call->state;

    call->unpark = NULL;
    call->sink = NULL;
    h->u->call = NULL;
    if (!h->u->working)
        upload_free(h->u);
}

static int write_all(int fd, const uint8_t *at, size_t len)
{
    while (len) {
        ssize_t n = write(fd, at, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

/* The bytes first, then the name, then the folder that says so. */
static int settle(struct upload *u)
{
    char *copy = strdup(u->path);
    int dir = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY) : -1, error = 0;

    if (fsync(u->fd) < 0 || rename(u->coming, u->path) < 0 || dir < 0 || fsync(dir) < 0)
        error = errno ? errno : EIO;
    if (dir >= 0)
        close(dir);
    free(copy);
    return error;
}

static void on_pool(uv_work_t *w)
{
    struct upload *u = w->data;

    crypto_hash_sha256_update(&u->sum, u->piece, u->len);
    u->error = write_all(u->fd, u->piece, u->len);
    if (!u->error && u->last)
        u->error = settle(u);
}

static void failed(struct rest_call *call, int error)
{
    if (error == EEXIST) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 409,
                                             .kind = "upload-running",
                                             .title = "The file is being brought already",
                                             .cure = "Wait until that has ended." },
                     "Another request writes this file.");
        return;
    }
    LOG_OFTEN(call->c->log, LOG_ERROR, "files", "a file could not be stored",
              LOG_STR("why", strerror(error)));
    rest_problem(call,
                 &(struct rest_problem){ .status = error == ENOSPC || error == EDQUOT ? 507 : 503,
                                         .kind = "not-stored",
                                         .title = "The file could not be stored",
                                         .cure = "Free space on the server's disk, then try "
                                                 "again." },
                 "Nothing was kept.");
}

static void after_pool(uv_work_t *w, int status)
{
    struct upload *u = w->data;
    struct rest_call *call = u->call;
    unsigned char sum[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof sum + 1];
    rest_received_fn *done = u->done;
    uint64_t size = u->size;

    u->working = false;
    if (status < 0 && !u->error)
        u->error = ECANCELED;
    if (!call) {
        upload_free(u);
        return;
    }
    if (!u->error && !u->last) {
        u->len = 0;
        net_body_go(rest_conn(call));
        return;
    }
    if (u->error) {
        int error = u->error;

        forget(call);
        failed(call, error);
        return;
    }
    crypto_hash_sha256_final(&u->sum, sum);
    sodium_bin2hex(hex, sizeof hex, sum, sizeof sum);
    forget(call);
    done(call, size, amp_text_of(hex));
}

static void too_large(struct rest_call *call)
{
    rest_problem(call,
                 &(struct rest_problem){ .status = 413,
                                         .kind = "too-large",
                                         .title = "The file is too large",
                                         .cure = "Send a smaller file, or raise the setting "
                                                 "file-max." },
                 "At most %lld bytes are taken.", (long long)call->c->settings.file_max);
}

static void on_piece(struct rest_call *call, struct amp_text piece, bool last)
{
    struct upload *u = ((struct holder *)call->state)->u;

    u->size += piece.len;
    if (u->size > (uint64_t)call->c->settings.file_max) {
        forget(call);
        too_large(call);
        return;
    }
    if (u->cap < piece.len) {
        u->piece = realloc(u->piece, piece.len);
        if (!u->piece)
            abort();
        u->cap = piece.len;
    }
    if (piece.len)
        memcpy(u->piece, piece.at, piece.len);
    u->len = piece.len;
    u->last = last;
    u->working = true;
    if (!last)
        net_body_hold(rest_conn(call));
    if (uv_queue_work(call->c->loop, &u->work, on_pool, after_pool) < 0)
        abort();
}

void rest_receive(struct rest_call *call, int64_t key, rest_received_fn *done)
{
    struct holder *h = malloc(sizeof *h);
    struct upload *u = calloc(1, sizeof *u);

    if (!h || !u)
        abort();
    u->call = call;
    u->done = done;
    u->work.data = u;
    u->coming = files_path(call->c->files, key, true);
    u->path = files_path(call->c->files, key, false);
    u->fd = open(u->coming, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    crypto_hash_sha256_init(&u->sum);
    h->u = u;
    call->state = h;
    call->unpark = forget;
    call->sink = on_piece;
    if (u->fd < 0) {
        int error = errno;

        forget(call);
        failed(call, error);
    } else if (call->coming > call->c->settings.file_max) {
        forget(call);
        too_large(call);
    } else if (!call->pieces) { /* an empty body does not come in pieces */
        on_piece(call, call->body, true);
    }
}
