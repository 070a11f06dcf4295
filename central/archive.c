/* central/archive.c - see archive.h. */
#include "central/archive.h"
#include "central/datadir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define FOLDER "archive"

struct archive {
    uv_loop_t *loop;
    uv_work_t work;
    char *folder, *part, *name;
    int64_t first, last;
    int fd; /* a second descriptor of the file, to sync it behind zlib's back */
    gzFile gz;
    bool working, done;
    int error; /* errno */
    const void *text;
    size_t len;
    archive_done_fn *callback;
    void *ctx;
};

static char *print(const char *format, const char *a, const char *b, int64_t first, int64_t last)
{
    size_t cap = strlen(format) + strlen(a) + strlen(b) + 64;
    char *out = malloc(cap);

    if (!out)
        abort();
    snprintf(out, cap, format, a, b, (long long)first, (long long)last);
    return out;
}

struct archive *archive_new(uv_loop_t *loop, const char *data, const char *name, int64_t first,
                            const char **why)
{
    struct archive *a = calloc(1, sizeof *a);
    int fd;

    if (!a)
        abort();
    a->loop = loop;
    a->first = first;
    a->fd = -1;
    a->folder = datadir_path(data, FOLDER);
    a->name = strdup(name);
    if (!a->name)
        abort();
    a->part = print("%s/%s-%012lld.part", a->folder, name, first, 0);
    if (mkdir(a->folder, 0700) < 0 && errno != EEXIST) {
        *why = strerror(errno);
        archive_drop(a);
        return NULL;
    }
    fd = open(a->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    a->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    a->gz = a->fd < 0 ? NULL : gzdopen(fd, "wb6");
    if (a->gz)
        return a;
    *why = strerror(errno);
    if (fd >= 0)
        close(fd);
    archive_drop(a);
    return NULL;
}

static int sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = fd < 0 ? -1 : fsync(fd);

    if (fd >= 0)
        close(fd);
    return rc;
}

/* The end of the file, its sync, its name, and the sync of the name. */
static int complete(struct archive *a)
{
    char *path;
    int rc = gzclose(a->gz);

    a->gz = NULL;
    if (rc != Z_OK || fsync(a->fd) < 0)
        return -1;
    path = print("%s/%s-%012lld-%012lld.ndjson.gz", a->folder, a->name, a->first, a->last);
    rc = rename(a->part, path);
    free(path);
    return rc < 0 ? -1 : sync_folder(a->folder);
}

/* On the pool. */
static void work(uv_work_t *w)
{
    struct archive *a = w->data;

    errno = 0;
    if (a->len && gzwrite(a->gz, a->text, (unsigned)a->len) <= 0)
        a->error = errno ? errno : EIO;
    if (!a->error && a->last && complete(a) < 0)
        a->error = errno ? errno : EIO;
}

static void after_work(uv_work_t *w, int status)
{
    struct archive *a = w->data;

    (void)status;
    a->working = false;
    a->done = !a->error && a->last;
    a->callback(a->ctx, a->error ? AMP_E_IO : 0, a->error ? strerror(a->error) : "");
}

void archive_write(struct archive *a, const void *text, size_t len, int64_t last,
                   archive_done_fn *done, void *ctx)
{
    a->text = text;
    a->len = len;
    a->last = last;
    a->callback = done;
    a->ctx = ctx;
    a->work.data = a;
    a->working = true;
    if (uv_queue_work(a->loop, &a->work, work, after_work) < 0)
        abort();
}

bool archive_working(const struct archive *a)
{
    return a->working;
}

bool archive_done(const struct archive *a)
{
    return a->done;
}

void archive_drop(struct archive *a)
{
    if (!a)
        return;
    if (a->gz)
        (void)gzclose(a->gz);
    if (a->fd >= 0)
        close(a->fd);
    if (!a->done && a->part)
        unlink(a->part);
    free(a->part);
    free(a->name);
    free(a->folder);
    free(a);
}

int64_t archive_find(const char *data, const char *name, int64_t first)
{
    char *folder = datadir_path(data, FOLDER), want[100];
    DIR *dir = opendir(folder);
    int64_t last = 0;

    snprintf(want, sizeof want, "%s-%012lld-", name, (long long)first);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        size_t n = strlen(want), len = strlen(e->d_name);

        if (len > n + 10 && !strncmp(e->d_name, want, n) &&
            !strcmp(e->d_name + len - 10, ".ndjson.gz") && atoll(e->d_name + n) > last)
            last = atoll(e->d_name + n);
    }
    if (dir)
        closedir(dir);
    free(folder);
    return last;
}
