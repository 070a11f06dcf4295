/* central/datadir.c - the data folder and its lock. flock() and not a file that exists: what a
 * killed process leaves behind must not keep the next one out. */
#include "central/datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "lock"

static int complain(int rc, char **why, const char *format, ...) AMP_PRINTF(3, 4);
static int complain(int rc, char **why, const char *format, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    *why = strdup(text);
    return rc;
}

char *datadir_path(const char *dir, const char *name)
{
    size_t len = strlen(dir) + strlen(name) + 2;
    char *path = malloc(len);

    if (!path)
        abort();
    snprintf(path, len, "%s/%s", dir, name);
    return path;
}

/* Like mkdir -p; only the owner may look inside. 0 or errno. */
static int make(const char *dir)
{
    char *path = strdup(dir);
    struct stat st;
    int rc = 0;

    if (!path)
        abort();
    for (char *p = path + 1; rc == 0 && *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            rc = errno;
        *p = '/';
    }
    if (rc == 0 && mkdir(path, 0700) < 0 && errno != EEXIST)
        rc = errno;
    if (rc == 0 && stat(path, &st) < 0)
        rc = errno;
    else if (rc == 0 && !S_ISDIR(st.st_mode))
        rc = ENOTDIR;
    free(path);
    return rc;
}

/* Who holds the lock, as far as he wrote it down. */
static long holder(int fd)
{
    char text[32] = "";

    return pread(fd, text, sizeof text - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;
}

static void sign(int fd)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) < 0)
        return; /* only the name of the holder is lost, not the lock */
}

int datadir_open(const char *dir, char **why)
{
    char *path = datadir_path(dir, LOCK_NAME);
    int rc = make(dir), fd = -1;

    if (rc != 0) {
        rc = complain(AMP_E_IO, why,
                      "cannot use the folder '%s': %s; choose another with --data DIR", dir,
                      strerror(rc));
        goto out;
    }
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        rc = complain(AMP_E_IO, why,
                      "cannot write into the folder '%s': %s; choose another with --data DIR", dir,
                      strerror(errno));
        goto out;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK)
            rc = complain(
                AMP_E_BUSY, why,
                "the folder '%s' is in use by a running process (%ld); stop that one first, or "
                "choose another with --data DIR",
                dir, holder(fd));
        else
            rc = complain(AMP_E_IO, why, "cannot lock the folder '%s': %s", dir, strerror(errno));
        goto out;
    }
    sign(fd);
    rc = fd;
out:
    if (rc < 0 && fd >= 0)
        close(fd);
    free(path);
    return rc;
}

void datadir_close(int lock)
{
    if (lock >= 0)
        close(lock);
}
