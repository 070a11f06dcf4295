/* ports/posix/blocks_test.c - what was written is there: after re-opening, and after kill -9 in the
 * midst of writing. */
#include "ocpp/check.h"
#include "ports/posix/blocks.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE  4096
#define COUNT 4

static char dir[64];

static void make_dir(void)
{
    snprintf(dir, sizeof dir, "/tmp/blocks_test.XXXXXX");
    CHECK(mkdtemp(dir), "%s", dir);
}

static void remove_dir(const char *file)
{
    char path[160];

    snprintf(path, sizeof path, "%s/%s", dir, file);
    CHECK(unlink(path) == 0, "%s", path);
    CHECK(rmdir(dir) == 0, "something else was left in %s", dir);
}

static bool all(const unsigned char *p, size_t n, unsigned char is)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != is)
            return false;
    return true;
}

/* What both kinds must do. */
static void exercise(struct posix_blocks *b)
{
    unsigned char got[SIZE], text[16] = "sixteen bytes..";

    for (uint32_t i = 0; i < COUNT; i++)
        CHECK(posix_blocks_read(b, i * SIZE, got, SIZE) == 0 && all(got, SIZE, 0xff),
              "block %u is erased", i);
    CHECK(posix_blocks_write(b, SIZE - 8, text, 16) == 0, "across two blocks");
    CHECK(posix_blocks_read(b, SIZE - 8, got, 16) == 0 && !memcmp(got, text, 16), "reads back");
    CHECK(posix_blocks_write(b, 4, text, 16) == AMP_E_IO, "offset that the chip cannot write at");
    CHECK(posix_blocks_write(b, 8, text, 7) == AMP_E_IO, "length that the chip cannot write");
    CHECK(posix_blocks_write(b, SIZE * COUNT - 8, text, 16) == AMP_E_IO, "beyond the end");
    CHECK(posix_blocks_read(b, UINT32_MAX, got, 16) == AMP_E_IO, "far beyond the end");
    CHECK(posix_blocks_erase(b, COUNT) == AMP_E_IO, "no such block");
    CHECK(posix_blocks_erase(b, 0) == 0, "erase");
    CHECK(posix_blocks_read(b, 0, got, SIZE) == 0 && all(got, SIZE, 0xff), "erased");
    CHECK(posix_blocks_read(b, SIZE, got, 8) == 0 && !memcmp(got, text + 8, 8),
          "its neighbour is not");
}

static void test_memory(void)
{
    struct posix_blocks b;
    unsigned char got[8];

    CHECK(posix_blocks_memory(&b, SIZE, COUNT) == 0, "open");
    exercise(&b);
    CHECK(posix_blocks_write(&b, 0, "\xf0\xf0\xf0\xf0\xf0\xf0\xf0\xf0", 8) == 0, "write");
    CHECK(posix_blocks_write(&b, 0, "\x3c\x3c\x3c\x3c\x3c\x3c\x3c\x3c", 8) == 0, "write over it");
    CHECK(posix_blocks_read(&b, 0, got, 8) == 0 && all(got, 8, 0x30), "bits are only cleared: %02x",
          got[0]);
    posix_blocks_close(&b);
    CHECK(posix_blocks_memory(&b, 512, 16) == 0, "blocks smaller than a page");
    CHECK(posix_blocks_write(&b, 512, "abcdefgh", 8) == 0 &&
              posix_blocks_write(&b, 1024, "abcdefgh", 8) == 0,
          "write");
    CHECK(posix_blocks_erase(&b, 1) == 0, "erase");
    CHECK(posix_blocks_read(&b, 512, got, 8) == 0 && all(got, 8, 0xff), "erased");
    CHECK(posix_blocks_read(&b, 1024, got, 8) == 0 && !memcmp(got, "abcdefgh", 8),
          "the rest of the page stays");
    posix_blocks_close(&b);
}

static void test_file(void)
{
    struct posix_blocks b, other;
    unsigned char got[16];
    char path[160];
    struct stat st;

    make_dir();
    CHECK(posix_blocks_file(&b, dir, AMP_TEXT("CP/1"), SIZE, COUNT) == 0, "open");
    exercise(&b);
    CHECK(posix_blocks_file(&other, dir, AMP_TEXT("CP/1"), SIZE, COUNT) == AMP_E_BUSY,
          "one process at a time");
    posix_blocks_close(&b);
    snprintf(path, sizeof path, "%s/CP%%2F1.flash", dir);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600 && st.st_size == SIZE * COUNT, "%s",
          path);

    CHECK(posix_blocks_file(&b, dir, AMP_TEXT("CP/1"), SIZE, COUNT) == 0, "open again");
    CHECK(posix_blocks_read(&b, SIZE, got, 8) == 0 && !memcmp(got, "bytes..", 8), "kept");
    posix_blocks_close(&b);

    CHECK(posix_blocks_file(&b, dir, AMP_TEXT("CP/1"), SIZE, COUNT - 1) == AMP_E_CORRUPT,
          "a chip does not shrink");
    CHECK(truncate(path, SIZE + 100) == 0, "cut off");
    CHECK(posix_blocks_file(&b, dir, AMP_TEXT("CP/1"), SIZE, COUNT) == 0, "completed");
    CHECK(posix_blocks_read(&b, SIZE, got, 8) == 0 && !memcmp(got, "bytes..", 8),
          "what was there stays");
    CHECK(posix_blocks_read(&b, SIZE * COUNT - 16, got, 16) == 0 && all(got, 16, 0xff),
          "the rest is erased");
    posix_blocks_close(&b);
    remove_dir("CP%2F1.flash");
    CHECK(posix_blocks_file(&b, "/proc/nowhere", AMP_TEXT("CP1"), SIZE, COUNT) == AMP_E_IO,
          "no such place");
}

/* A child writes numbers and tells after each write which one is durable; it is killed at some
 * moment. Everything it told of must be there: a promise that the file keeps without any help of
 * the child. */
static void test_killed(void)
{
    struct posix_blocks b;
    volatile uint64_t *told =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t n, got;
    pid_t child;
    int status;

    make_dir();
    child = fork();
    if (child == 0) {
        if (posix_blocks_file(&b, dir, AMP_TEXT("CP1"), SIZE, COUNT) < 0)
            _exit(1);
        for (n = 1;; n++) {
            uint32_t at = (uint32_t)((n - 1) * 8 % (SIZE * COUNT));

            if (at % SIZE == 0 && posix_blocks_erase(&b, at / SIZE) < 0)
                _exit(1);
            if (posix_blocks_write(&b, at, &n, sizeof n) < 0)
                _exit(1);
            *told = n;
        }
    }
    while (*told < 300 && waitpid(child, &status, WNOHANG) == 0)
        usleep(500);
    CHECK(*told >= 300, "the child failed");
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status), "status %d", status);
    CHECK(posix_blocks_file(&b, dir, AMP_TEXT("CP1"), SIZE, COUNT) == 0,
          "the lock ended with the child");
    for (n = *told; n > 0 && n > *told - 100; n--) {
        CHECK(posix_blocks_read(&b, (uint32_t)((n - 1) * 8 % (SIZE * COUNT)), &got, sizeof got) ==
                  0,
              "read");
        CHECK(got == n, "number %d is %d", (int)n, (int)got);
    }
    posix_blocks_close(&b);
    munmap((void *)(uintptr_t)told, 4096);
    remove_dir("CP1.flash");
}

int main(void)
{
    RUN(test_memory);
    RUN(test_file);
    RUN(test_killed);
    return check_end();
}
