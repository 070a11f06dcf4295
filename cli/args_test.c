/* cli/args_test.c - every way an option can come in, and every way it can be wrong. */
#include "cli/cli.h"
#include "ocpp/check.h"
#include "ocpp/err.h"

#include <stdlib.h>
#include <unistd.h>

#define WORDS_MAX 10

static struct {
    const char *url, *config, *password;
    int64_t count, charge[2], speed;
    bool quick;
} got;

static const struct cli_option options[] = {
    { "url", CLI_TEXT, "URL", &got.url, "to", 0, 0, true, "ARGS_TEST_URL", false },
    { "count", CLI_NUMBER, "N", &got.count, "how many", 1, 100, false, "ARGS_TEST_COUNT", false },
    { "charge-s", CLI_RANGE, "MIN-MAX", &got.charge, "s", 1, 600, false, NULL, false },
    { "speed", CLI_DECIMAL, "N", &got.speed, "times", 100, 100000, false, NULL, false },
    { "quick", CLI_FLAG, NULL, &got.quick, "skip", 0, 0, false, NULL, false },
    { "password", CLI_TEXT, "TEXT", &got.password, "secret", 0, 0, false, NULL, true },
    { "config", CLI_TEXT, "FILE", &got.config, "file", 0, 0, false, NULL, false },
    { .name = NULL },
};
static char room[32]; /* little, so that a test can fill it */
static const struct cli_usage usage = {
    .command = "amperstand test",
    .about = "Tests.",
    .options = options,
    .room = room,
    .room_len = sizeof room,
};
static const struct cli_usage with_operands = {
    .command = "amperstand test",
    .operands = "FILE...",
    .about = "Tests.",
    .options = options,
};

/* Parse one line of words separated by blanks; what is written to stderr comes back in `said`. */
static int parse(const struct cli_usage *u, const char *line, char *said, size_t cap, int *operands,
                 char **argv)
{
    static char words[512];
    int argc = 0, rc, saved = dup(2);
    FILE *sink = tmpfile();
    size_t n;

    memset(&got, 0, sizeof got);
    got.count = 3;
    got.charge[0] = 20, got.charge[1] = 60;
    got.speed = 1000;
    snprintf(words, sizeof words, "test %s", line);
    for (char *w = strtok(words, " "); w && argc < WORDS_MAX; w = strtok(NULL, " "))
        argv[argc++] = w;
    fflush(stderr);
    dup2(fileno(sink), 2);
    rc = cli_parse(u, argc, argv, operands);
    fflush(stderr);
    dup2(saved, 2);
    close(saved);
    rewind(sink);
    n = fread(said, 1, cap - 1, sink);
    said[n] = 0;
    fclose(sink);
    return rc;
}

static void test_wrong(void)
{
    static const struct {
        const char *why, *line, *says;
    } cases[] = {
        { "required", "--count 3", "--url: is missing" },
        { "misspelt: names the nearest", "--url a --cuont 3", "Did you mean --count?" },
        { "unknown: nothing near", "--url a --zzzzzzzzzz 3", "--zzzzzzzzzz: no such option" },
        { "number as word", "--url a --count many", "--count: 'many' is no whole number" },
        { "number with rest", "--url a --count 3x", "--count: '3x' is no whole number" },
        { "number too large", "--url a --count 101", "from 1 to 100" },
        { "number beyond 64 bits", "--url a --count 99999999999999999999", "--count" },
        { "value missing at the end", "--url a --count", "--count: needs a value" },
        { "value missing before an option", "--url --count 3", "--url: needs a value" },
        { "empty text", "--url=", "--url: is empty" },
        { "range that falls", "--url a --charge-s 9-3", "--charge-s" },
        { "range beyond", "--url a --charge-s 9-601", "--charge-s" },
        { "range with a hole", "--url a --charge-s 9-", "--charge-s" },
        { "too many decimals", "--url a --speed 1.0001", "--speed" },
        { "point without digits", "--url a --speed 1.", "--speed" },
        { "decimal out of range", "--url a --speed 0.05", "from 0.1 to 100" },
        { "flag with nonsense", "--url a --quick=perhaps", "--quick" },
        { "no- on a text", "--url a --no-password", "--no-password: no such option" },
        { "operand that nobody wants", "--url a b", "'b' is not understood" },
        { "single dash", "-u a", "'-u' is not understood" },
        { "no such file", "--url a --config /nonexistent/x", "--config: cannot open" },
    };
    char said[1024], *argv[WORDS_MAX];

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        int rc = parse(&usage, cases[i].line, said, sizeof said, NULL, argv);

        CHECK(rc == CLI_USAGE, "%s: got %d", cases[i].why, rc);
        CHECK(strstr(said, cases[i].says), "%s: said '%s'", cases[i].why, said);
        CHECK(strstr(said, "--help"), "%s: does not say where to read on: '%s'", cases[i].why,
              said);
    }
}

static void test_right(void)
{
    char said[1024], *argv[WORDS_MAX];
    int operands = 0;

    CHECK(parse(&usage, "--url ws://h --count=7 --charge-s 5-9 --speed 2.5 --quick", said,
                sizeof said, NULL, argv) == -1,
          "%s", said);
    CHECK(!strcmp(got.url, "ws://h") && got.count == 7 && got.quick, "url %s", got.url);
    CHECK(got.charge[0] == 5 && got.charge[1] == 9, "range %d-%d", (int)got.charge[0],
          (int)got.charge[1]);
    CHECK(got.speed == 2500, "speed %d", (int)got.speed);

    CHECK(parse(&usage, "--url a --quick --no-quick --charge-s 7", said, sizeof said, NULL, argv) ==
              -1,
          "%s", said);
    CHECK(!got.quick, "the later word wins");
    CHECK(got.charge[0] == 7 && got.charge[1] == 7, "one number is a range of one");
    CHECK(got.count == 3 && got.speed == 1000, "defaults stay");

    CHECK(parse(&with_operands, "one --url a two -- --three", said, sizeof said, &operands, argv) ==
              -1,
          "%s", said);
    CHECK(operands == 3 && !strcmp(argv[1], "one") && !strcmp(argv[3], "--three"), "%d operands",
          operands);
}

/* Command line before file before environment. */
static void test_precedence(void)
{
    char said[1024], path[] = "/tmp/args_test.XXXXXX", line[128], *argv[WORDS_MAX];
    int fd = mkstemp(path);
    static const char text[] =
        "# a comment\n\n url = \"ws://file\"\ncount=5\ncharge_s = 1-2\nquick = yes\n";
    static const char bad[] = "url = a\n\ncount = none\n";
    static const char large[] = "url = ws://0123456789/ocpp\npassword = abcdefghijk\n";

    CHECK(fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1,
          "temporary file");
    setenv("ARGS_TEST_URL", "ws://env", 1);
    setenv("ARGS_TEST_COUNT", "9", 1);
    CHECK(parse(&usage, "--quick", said, sizeof said, NULL, argv) == -1, "%s", said);
    CHECK(!strcmp(got.url, "ws://env") && got.count == 9, "environment alone: %s", got.url);
    snprintf(line, sizeof line, "--count 7 --config %s", path);
    CHECK(parse(&usage, line, said, sizeof said, NULL, argv) == -1, "%s", said);
    CHECK(!strcmp(got.url, "ws://file"), "file wins over environment: %s", got.url);
    CHECK(got.count == 7, "command line wins over file: %d", (int)got.count);
    CHECK(got.charge[1] == 2 && got.quick, "underscore for dash, yes for true");
    setenv("ARGS_TEST_COUNT", "none", 1);
    CHECK(parse(&usage, "", said, sizeof said, NULL, argv) == CLI_USAGE, "bad environment");
    CHECK(strstr(said, "$ARGS_TEST_COUNT"), "said '%s'", said);
    unsetenv("ARGS_TEST_URL");
    unsetenv("ARGS_TEST_COUNT");

    CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, bad, sizeof bad - 1, 0) == (ssize_t)sizeof bad - 1,
          "rewrite");
    CHECK(parse(&usage, line, said, sizeof said, NULL, argv) == CLI_USAGE, "bad file");
    CHECK(strstr(said, ":3: count: 'none'"), "names file and line: '%s'", said);

    CHECK(ftruncate(fd, 0) == 0 &&
              pwrite(fd, large, sizeof large - 1, 0) == (ssize_t)sizeof large - 1,
          "rewrite");
    CHECK(parse(&usage, line, said, sizeof said, NULL, argv) == CLI_USAGE, "texts that do not fit");
    CHECK(strstr(said, "32 bytes"), "said '%s'", said);
    close(fd);
    unlink(path);
}

static void test_print_config(void)
{
    char said[1024], *argv[WORDS_MAX], out[2048];
    FILE *f = tmpfile();
    size_t n;

    CHECK(parse(&usage, "--url a --password hidden --speed 2.5", said, sizeof said, NULL, argv) ==
              -1,
          "%s", said);
    cli_print_config(&usage, f);
    rewind(f);
    n = fread(out, 1, sizeof out - 1, f);
    out[n] = 0;
    fclose(f);
    CHECK(!strstr(out, "hidden"), "a secret is printed");
    CHECK(strstr(out, "url = a\n") && strstr(out, "speed = 2.500\n") &&
              strstr(out, "charge-s = 20-60\n"),
          "%s", out);
}

int main(void)
{
    RUN(test_wrong);
    RUN(test_right);
    RUN(test_precedence);
    RUN(test_print_config);
    return check_end();
}
