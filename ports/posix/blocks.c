/* ports/posix/blocks.c - block storage on a file or in memory. */
#include "ports/posix/blocks.h"
#include "ocpp/http1.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILL_LEN 4096

int posix_data_path(char *out, size_t cap, const char *dir, struct amp_text name,
                    const char *suffix)
{
    struct amp_buf b;

    amp_buf_init(&b, out, cap - 1);
    amp_buf_puts(&b, dir);
    amp_buf_putc(&b, '/');
    amp_percent_encode(&b, name);
    amp_buf_puts(&b, suffix);
    if (b.full)
        return AMP_E_FULL;
    out[b.len] = 0;
    return 0;
}

static bool inside(const struct posix_blocks *b, uint32_t offset, size_t len)
{
    uint64_t all = (uint64_t)b->size * b->count;

    return offset <= all && len <= all - offset;
}

int posix_blocks_memory(struct posix_blocks *b, uint32_t size, uint32_t count)
{
    void *p = mmap(NULL, (size_t)size * count, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    *b = (struct posix_blocks){ .fd = -1, .ram = p, .size = size, .count = count };
    if (p == MAP_FAILED) {
        b->ram = NULL;
        return AMP_E_IO;
    }
    return 0;
}

static int write_all(int fd, const void *data, size_t len, off_t at)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n = pwrite(fd, p, len, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return AMP_E_IO;
        p += n;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

static int fill(int fd, off_t from, off_t to)
{
    unsigned char erased[FILL_LEN];

    memset(erased, 0xff, sizeof erased);
    while (from < to) {
        size_t n = to - from < FILL_LEN ? (size_t)(to - from) : FILL_LEN;

        if (write_all(fd, erased, n, from) < 0)
            return AMP_E_IO;
        from += (off_t)n;
    }
    return 0;
}

int posix_blocks_file(struct posix_blocks *b, const char *dir, struct amp_text name, uint32_t size,
                      uint32_t count)
{
    char path[PATH_MAX];
    off_t all = (off_t)size * count;
    struct stat st;
    int fd, rc;

    *b = (struct posix_blocks){ .fd = -1, .size = size, .count = count };
    rc = posix_data_path(path, sizeof path, dir, name, ".flash");
    if (rc < 0)
        return rc;
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return AMP_E_IO;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return AMP_E_IO;
    rc = AMP_E_BUSY;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        goto fail;
    rc = AMP_E_IO;
    if (fstat(fd, &st) < 0)
        goto fail;
    if (st.st_size > all) {
        rc = AMP_E_CORRUPT;
        goto fail;
    }
    /* New, or cut off while it was made: what is there is erased already, the rest follows. */
    if (st.st_size < all && (fill(fd, st.st_size, all) < 0 || fsync(fd) < 0))
        goto fail;
    b->fd = fd;
    return 0;
fail:
    close(fd);
    return rc;
}

void posix_blocks_close(struct posix_blocks *b)
{
    if (b->ram)
        munmap(b->ram, (size_t)b->size * b->count);
    if (b->fd >= 0)
        close(b->fd);
    b->ram = NULL;
    b->fd = -1;
}

int posix_blocks_read(struct posix_blocks *b, uint32_t offset, void *out, size_t len)
{
    unsigned char *p = out;

    if (!inside(b, offset, len))
        return AMP_E_IO;
    if (b->ram) {
        for (size_t i = 0; i < len; i++)
            p[i] = (unsigned char)~b->ram[offset + i];
        return 0;
    }
    while (len > 0) {
        ssize_t n = pread(b->fd, p, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return AMP_E_IO;
        p += n;
        offset += (uint32_t)n;
        len -= (size_t)n;
    }
    return 0;
}

int posix_blocks_write(struct posix_blocks *b, uint32_t offset, const void *data, size_t len)
{
    const unsigned char *p = data;

    if (!inside(b, offset, len) || offset % POSIX_WRITE_SIZE || len % POSIX_WRITE_SIZE)
        return AMP_E_IO;
    if (b->ram) {
        for (size_t i = 0; i < len; i++)
            b->ram[offset + i] |= (unsigned char)~p[i];
        return 0;
    }
    return write_all(b->fd, data, len, (off_t)offset) < 0 || fdatasync(b->fd) < 0 ? AMP_E_IO : 0;
}

int posix_blocks_erase(struct posix_blocks *b, uint32_t block)
{
    if (block >= b->count)
        return AMP_E_IO;
    if (b->ram) {
        unsigned char *at = b->ram + (size_t)block * b->size;

        /* Whole pages are given back; zero is erased, as memory is kept inverted. */
        if (b->size % (uint32_t)sysconf(_SC_PAGESIZE) || madvise(at, b->size, MADV_DONTNEED) < 0)
            memset(at, 0, b->size);
        return 0;
    }
    return fill(b->fd, (off_t)block * b->size, (off_t)(block + 1) * b->size) < 0 ||
                   fdatasync(b->fd) < 0
               ? AMP_E_IO
               : 0;
}
