/* ports/posix/transfer.c - see transfer.h. */
#include "ports/posix/transfer.h"
#include "ports/posix/blocks.h"
#include "ports/posix/fetch.h"
#include "ports/posix/image.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATH_CAP   1024
#define NAME_CAP   256
#define CONNECT_S  30
#define STALL_S    60
#define SIZE_MAX_B (256ull << 20)
#define PARTS      16 /* downloads that were canceled may still end while as many others run */

/* What the threads and the loop share; the last of them frees it, because a thread may be stuck in
 * a look-up of a name when the station is closed. */
struct hub {
    pthread_mutex_t mutex;
    struct job *ended;
    int wake_fd; /* eventfd */
    int users;
    bool closed;
};

struct job {
    struct job *next;
    struct hub *hub;
    enum amp_errand errand;
    atomic_bool canceled; /* set under the mutex; what a job makes visible it does under it too */
    struct posix_fetch fetch;
    char *url, *data; /* data: to upload */
    size_t len;
    char name[NAME_CAP];
    char part[PATH_CAP], download[PATH_CAP], image[PATH_CAP], signer[PATH_CAP], signature[PATH_CAP],
        folder[PATH_CAP];
    int rc;
};

struct posix_transfer {
    struct posix_transfer_options options;
    struct amp_transfer table;
    struct hub *hub;
    struct posix_loop *loop;
    struct posix_watch watch;
    struct job *running[AMP_ERRAND_UPLOAD + 1];
    unsigned parts;
    char name[NAME_CAP]; /* of the next upload */
    char folder[PATH_CAP];
};

static int path_of(const struct posix_transfer *t, const char *suffix, char out[PATH_CAP])
{
    return posix_data_path(out, PATH_CAP, t->folder, t->options.name, suffix);
}

/* Durable: the names of a folder too. */
static int sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

    if (fd < 0)
        return AMP_E_IO;
    rc = fsync(fd) < 0 ? AMP_E_IO : 0;
    close(fd);
    return rc;
}

/* ---- the errands, each in its thread ---- */

static int publish(struct job *j)
{
    int rc = AMP_E_IO;

    pthread_mutex_lock(&j->hub->mutex);
    if (!atomic_load(&j->canceled) && rename(j->part, j->download) == 0)
        rc = 0;
    pthread_mutex_unlock(&j->hub->mutex);
    return rc < 0 ? rc : sync_folder(j->folder);
}

static int do_download(struct job *j)
{
    int fd = open(j->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), rc;
    FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");

    if (!f) {
        if (fd >= 0)
            close(fd);
        return AMP_E_IO;
    }
    rc = posix_fetch_down(&j->fetch, f);
    if (rc == 0 && (fflush(f) != 0 || fsync(fd) < 0))
        rc = AMP_E_IO;
    if (fclose(f) != 0 && rc == 0)
        rc = AMP_E_IO;
    if (rc == 0)
        rc = publish(j);
    if (rc < 0)
        unlink(j->part);
    return rc;
}

static int do_verify(struct job *j)
{
    return posix_image_verify(j->download, j->signer, j->signature);
}

static int do_install(struct job *j)
{
    char version[51];
    int rc = posix_image_version(j->download, version);

    if (rc == AMP_E_ABSENT) /* done before, and the power went before that was known */
        return posix_image_version(j->image, version);
    if (rc < 0)
        return rc;
    return rename(j->download, j->image) < 0 ? AMP_E_IO : sync_folder(j->folder);
}

static int do_upload(struct job *j)
{
    return posix_fetch_up(&j->fetch, j->name, j->data, j->len);
}

static void free_job(struct job *j)
{
    free(j->url);
    free(j->data);
    free(j);
}

static void let_go(struct hub *h)
{
    bool last;

    pthread_mutex_lock(&h->mutex);
    last = --h->users == 0;
    pthread_mutex_unlock(&h->mutex);
    if (!last)
        return;
    close(h->wake_fd);
    pthread_mutex_destroy(&h->mutex);
    free(h);
}

static void *work(void *arg)
{
    static int (*const errands[])(struct job *) = { [AMP_ERRAND_DOWNLOAD] = do_download,
                                                    [AMP_ERRAND_VERIFY] = do_verify,
                                                    [AMP_ERRAND_INSTALL] = do_install,
                                                    [AMP_ERRAND_UPLOAD] = do_upload };
    static const uint64_t one = 1;
    struct job *j = arg;
    struct hub *h = j->hub;

    j->rc = errands[j->errand](j);
    pthread_mutex_lock(&h->mutex);
    if (h->closed) {
        free_job(j);
    } else {
        j->next = h->ended;
        h->ended = j;
        if (write(h->wake_fd, &one, sizeof one) < 0)
            errno = 0; /* the counter is full: the loop is awake anyway */
    }
    pthread_mutex_unlock(&h->mutex);
    let_go(h);
    return NULL;
}

/* ---- the loop's side ---- */

static void on_ended(void *ctx, uint32_t events)
{
    struct posix_transfer *t = ctx;
    struct job *j;
    uint64_t count;

    (void)events;
    if (read(t->hub->wake_fd, &count, sizeof count) < 0)
        return;
    pthread_mutex_lock(&t->hub->mutex);
    j = t->hub->ended;
    t->hub->ended = NULL;
    pthread_mutex_unlock(&t->hub->mutex);
    while (j) {
        struct job *next = j->next;

        if (t->running[j->errand] == j) { /* else it was canceled */
            t->running[j->errand] = NULL;
            t->options.done(t->options.ctx, j->errand, j->rc);
        }
        free_job(j);
        j = next;
    }
}

static void cancel(void *ctx, enum amp_errand errand)
{
    struct posix_transfer *t = ctx;
    struct job *j = t->running[errand];

    if (!j)
        return;
    pthread_mutex_lock(&t->hub->mutex);
    atomic_store(&j->canceled, true);
    pthread_mutex_unlock(&t->hub->mutex);
    t->running[errand] = NULL;
}

/* Made when it is needed first. */
static int make_folder(const struct posix_transfer *t)
{
    if ((mkdir(t->options.data_dir, 0700) < 0 && errno != EEXIST) ||
        (mkdir(t->folder, 0700) < 0 && errno != EEXIST))
        return AMP_E_IO;
    return 0;
}

static struct job *new_job(struct posix_transfer *t, enum amp_errand errand)
{
    struct job *j = make_folder(t) < 0 ? NULL : calloc(1, sizeof *j);
    char suffix[24];

    if (!j)
        return NULL;
    snprintf(suffix, sizeof suffix, ".part%u", t->parts++ % PARTS);
    j->hub = t->hub;
    j->errand = errand;
    atomic_init(&j->canceled, false);
    j->fetch = (struct posix_fetch){
        .ca_file = t->options.ca_file,
        .connect_s = t->options.connect_s ? t->options.connect_s : CONNECT_S,
        .stall_s = t->options.stall_s ? t->options.stall_s : STALL_S,
        .size_max = t->options.size_max ? t->options.size_max : SIZE_MAX_B,
        .canceled = &j->canceled,
    };
    memcpy(j->name, t->name, sizeof j->name);
    memcpy(j->folder, t->folder, sizeof j->folder);
    if (path_of(t, suffix, j->part) == 0 && path_of(t, ".download", j->download) == 0 &&
        path_of(t, ".image", j->image) == 0 && path_of(t, ".signer", j->signer) == 0 &&
        path_of(t, ".signature", j->signature) == 0)
        return j;
    free_job(j);
    return NULL;
}

/* Takes the job. */
static int begin(struct posix_transfer *t, struct job *j)
{
    pthread_t thread;
    sigset_t all, old;
    int rc;

    cancel(t, j->errand);
    pthread_mutex_lock(&t->hub->mutex);
    t->hub->users++;
    pthread_mutex_unlock(&t->hub->mutex);
    t->running[j->errand] = j;
    sigfillset(&all); /* signals belong to the loop's thread */
    pthread_sigmask(SIG_BLOCK, &all, &old);
    rc = pthread_create(&thread, NULL, work, j);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc == 0) {
        pthread_detach(thread);
        return 0;
    }
    t->running[j->errand] = NULL;
    free_job(j);
    let_go(t->hub);
    return AMP_E_IO;
}

static char *copy_of(struct amp_text text)
{
    char *s = malloc(text.len + 1u);

    return s ? amp_text_copy(s, text.len + 1u, text) : NULL;
}

static int begin_fetch(struct posix_transfer *t, struct job *j, struct amp_text url)
{
    j->fetch.url = j->url = copy_of(url);
    if (j->url)
        return begin(t, j);
    free_job(j);
    return AMP_E_IO;
}

static int download(void *ctx, struct amp_text url)
{
    struct posix_transfer *t = ctx;
    int rc = posix_fetch_check(url);
    struct job *j = rc < 0 ? NULL : new_job(t, AMP_ERRAND_DOWNLOAD);

    return j ? begin_fetch(t, j, url) : rc < 0 ? rc : AMP_E_IO;
}

static int verify(void *ctx)
{
    struct job *j = new_job(ctx, AMP_ERRAND_VERIFY);

    return j ? begin(ctx, j) : AMP_E_IO;
}

static int install(void *ctx)
{
    struct job *j = new_job(ctx, AMP_ERRAND_INSTALL);

    return j ? begin(ctx, j) : AMP_E_IO;
}

/* Whole or not at all. */
static int keep(struct posix_transfer *t, const char *suffix, struct amp_text text)
{
    char path[PATH_CAP], fresh[PATH_CAP];
    FILE *f;
    int rc = AMP_E_IO;

    if (make_folder(t) < 0 || path_of(t, suffix, path) < 0 || path_of(t, ".new", fresh) < 0)
        return AMP_E_IO;
    f = fopen(fresh, "wb");
    if (!f)
        return AMP_E_IO;
    if (fwrite(text.at, 1, text.len, f) == text.len && fflush(f) == 0 && fsync(fileno(f)) == 0)
        rc = 0;
    if (fclose(f) != 0 || rc < 0 || rename(fresh, path) < 0)
        return AMP_E_IO;
    return sync_folder(t->folder);
}

static int trust(void *ctx, struct amp_text certificate, struct amp_text signature)
{
    struct posix_transfer *t = ctx;
    int rc = posix_image_trust(t->options.roots, certificate);

    if (rc == 0)
        rc = keep(t, ".signer", certificate);
    return rc < 0 ? rc : keep(t, ".signature", signature);
}

/* ---- logs ---- */

static int name(void *ctx, enum amp_source source, int64_t from_ms, int64_t to_ms, char *out,
                size_t cap)
{
    struct posix_transfer *t = ctx;
    char full[PATH_CAP];
    const char *base;
    char when[32];
    time_t now = time(NULL);
    struct tm tm;
    int n;

    if (!t->options.report(t->options.ctx, source, from_ms, to_ms, NULL))
        return 0;
    strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    if (path_of(t, source == AMP_SOURCE_SECURITY ? ".security" : ".diagnostics", full) < 0)
        return AMP_E_FULL;
    base = strrchr(full, '/') + 1; /* percent-encoded: no blank, no slash */
    n = snprintf(t->name, sizeof t->name, "%.180s-%s.log", base, when);
    for (char *p = t->name; *p; p++)
        if (*p == '%')
            *p = '_'; /* in a URL it would be decoded */
    if (n < 0 || (size_t)n > cap)
        return AMP_E_FULL;
    memcpy(out, t->name, (size_t)n);
    return n;
}

static int upload(void *ctx, const struct amp_upload *what)
{
    struct posix_transfer *t = ctx;
    int rc = posix_fetch_check(what->url);
    struct job *j;
    FILE *f;

    if (rc < 0)
        return rc;
    j = new_job(t, AMP_ERRAND_UPLOAD);
    if (!j)
        return AMP_E_IO;
    f = open_memstream(&j->data, &j->len);
    if (f)
        t->options.report(t->options.ctx, what->source, what->from_ms, what->to_ms, f);
    if (!f || fclose(f) != 0) {
        free_job(j);
        return AMP_E_IO;
    }
    return begin_fetch(t, j, what->url);
}

/* ---- life ---- */

static int name_folder(struct posix_transfer *t)
{
    int n = snprintf(t->folder, sizeof t->folder, "%s/firmware", t->options.data_dir);

    return n < 0 || (size_t)n >= sizeof t->folder ? AMP_E_IO : 0;
}

static struct hub *new_hub(void)
{
    struct hub *h = calloc(1, sizeof *h);

    if (!h)
        return NULL;
    h->users = 1;
    h->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (h->wake_fd < 0) {
        free(h);
        return NULL;
    }
    pthread_mutex_init(&h->mutex, NULL);
    return h;
}

int posix_transfer_open(struct posix_loop *l, const struct posix_transfer_options *o,
                        struct posix_transfer **out)
{
    struct posix_transfer *t = calloc(1, sizeof *t);

    if (!t)
        return AMP_E_IO;
    t->options = *o;
    t->loop = l;
    t->hub = name_folder(t) < 0 ? NULL : new_hub();
    if (!t->hub) {
        free(t);
        return AMP_E_IO;
    }
    t->watch = (struct posix_watch){ .fd = -1, .ready = on_ended, .ctx = t };
    if (posix_watch_add(l, &t->watch, t->hub->wake_fd, EPOLLIN) < 0) {
        let_go(t->hub);
        free(t);
        return AMP_E_IO;
    }
    t->table = (struct amp_transfer){
        .ctx = t,
        .protocols = POSIX_FETCH_PROTOCOLS,
        .download = download,
        .trust = o->roots ? trust : NULL,
        .verify = o->roots ? verify : NULL,
        .install = install,
        .name = name,
        .upload = upload,
        .cancel = cancel,
    };
    *out = t;
    return 0;
}

const struct amp_transfer *posix_transfer_table(const struct posix_transfer *t)
{
    return &t->table;
}

int posix_transfer_version(const struct posix_transfer *t, char out[51])
{
    char path[PATH_CAP];

    return path_of(t, ".image", path) < 0 ? AMP_E_ABSENT : posix_image_version(path, out);
}

void posix_transfer_stop(struct posix_transfer *t)
{
    for (int e = AMP_ERRAND_DOWNLOAD; e <= AMP_ERRAND_UPLOAD; e++)
        cancel(t, (enum amp_errand)e);
}

void posix_transfer_close(struct posix_transfer *t)
{
    struct job *j;

    posix_transfer_stop(t);
    posix_watch_remove(t->loop, &t->watch);
    pthread_mutex_lock(&t->hub->mutex);
    t->hub->closed = true;
    j = t->hub->ended;
    t->hub->ended = NULL;
    pthread_mutex_unlock(&t->hub->mutex);
    while (j) {
        struct job *next = j->next;

        free_job(j);
        j = next;
    }
    let_go(t->hub);
    free(t);
}
