/* central/datadir_test.c - made with its parents, locked once, free again after the end of its
 * holder. */
#include "central/datadir.h"
#include "ocpp/check.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_lock(void)
{
    char root[] = "/tmp/amp-data-XXXXXX", dir[64], pid[32], *why = NULL;
    struct stat st;
    int first, second;

    CHECK(mkdtemp(root), "temporary folder");
    snprintf(dir, sizeof dir, "%s/a/b/c", root);
    first = datadir_open(dir, &why);
    CHECK(first >= 0, "%s", why ? why : "");
    CHECK(stat(dir, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 077) == 0,
          "made, for its owner only");
    second = datadir_open(dir, &why);
    snprintf(pid, sizeof pid, "(%ld)", (long)getpid());
    CHECK(second == AMP_E_BUSY && why && strstr(why, dir) && strstr(why, pid) &&
              strstr(why, "--data"),
          "%d '%s'", second, why ? why : "");
    free(why);
    why = NULL;
    datadir_close(first);
    second = datadir_open(dir, &why);
    CHECK(second >= 0, "free again: %s", why ? why : "");
    datadir_close(second);
}

/* A process that died without a word leaves no lock behind. */
static void test_killed(void)
{
    char dir[] = "/tmp/amp-data-XXXXXX", *why = NULL;
    int pipes[2], lock;
    char c;
    pid_t child;

    CHECK(mkdtemp(dir) && pipe(pipes) == 0, "temporary folder");
    child = fork();
    if (child == 0) {
        lock = datadir_open(dir, &why);
        (void)!write(pipes[1], lock >= 0 ? "y" : "n", 1);
        pause();
        _exit(0);
    }
    CHECK(read(pipes[0], &c, 1) == 1 && c == 'y', "the child has it");
    lock = datadir_open(dir, &why);
    CHECK(lock == AMP_E_BUSY, "%d", lock);
    free(why);
    why = NULL;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    lock = datadir_open(dir, &why);
    CHECK(lock >= 0, "%s", why ? why : "");
    datadir_close(lock);
    close(pipes[0]), close(pipes[1]);
}

static const struct {
    const char *dir, *says;
} bad[] = {
    { "/dev/null/x", "Not a directory" },
    { "/dev/null", "Not a directory" },
    { "/proc/amp/data", "--data DIR" },
};

static void test_bad(void)
{
    for (size_t i = 0; i < AMP_COUNT(bad); i++) {
        char *why = NULL;
        int rc = datadir_open(bad[i].dir, &why);

        CHECK(rc == AMP_E_IO && why && strstr(why, bad[i].dir) && strstr(why, bad[i].says),
              "%d '%s'", rc, why ? why : "");
        free(why);
    }
}

int main(void)
{
    RUN(test_lock);
    RUN(test_killed);
    RUN(test_bad);
    return check_end();
}
