/* fuzz/replay.c - runs a fuzz target without libFuzzer: every seed, then a fixed number of
 * mutations of the seeds, the same in every run. So that what fuzzing found stays found, and the
 * tests fuzz a little. usage: TARGET SEEDS [MUTATIONS]   SEEDS: a folder of files, or SEEDS.lines
 * with one seed a line; both when both exist. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_MAX     4096
#define SEED_BYTES    65536
#define MUTATIONS_DEF 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seed {
    uint8_t *at;
    size_t len;
};

static void add(struct seed *seeds, size_t *count, const void *data, size_t len)
{
    struct seed *s = &seeds[*count];

    if (*count == SEEDS_MAX || len > SEED_BYTES)
        return;
    s->at = malloc(len ? len : 1);
    if (!s->at)
        abort();
    memcpy(s->at, data, len);
    s->len = len;
    ++*count;
}

static void read_folder(const char *path, struct seed *seeds, size_t *count)
{
    static uint8_t content[SEED_BYTES];
    struct dirent **names;
    int n = scandir(path, &names, NULL, alphasort); /* sorted: the same run everywhere */

    for (int i = 0; i < n; i++) {
        char file[4096];
        FILE *f;

        snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
        f = names[i]->d_name[0] == '.' ? NULL : fopen(file, "rb");
        if (f) {
            add(seeds, count, content, fread(content, 1, sizeof content, f));
            fclose(f);
        }
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

static void read_lines(const char *path, struct seed *seeds, size_t *count)
{
    char name[4096], *line = NULL;
    size_t cap = 0;
    ssize_t len;
    FILE *f;

    snprintf(name, sizeof name, "%s.lines", path);
    f = fopen(name, "r");
    if (!f)
        return;
    while ((len = getline(&line, &cap, f)) >= 0)
        add(seeds, count, line, (size_t)(len && line[len - 1] == '\n' ? len - 1 : len));
    free(line);
    fclose(f);
}

static uint64_t state =
    0x9E3779B97F4A7C15u; /* of the generator below; this file is a program, not a library */

static size_t below(size_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return n ? (size_t)(state % n) : 0;
}

/* One to four small damages: what transport errors, careless programs and attackers do. */
static size_t mutate(uint8_t *at, size_t len, const struct seed *seeds, size_t count)
{
    static const char tokens[] = "{}[]\",:\\0-+.eTZu\x80\xff\n ";

    for (size_t step = 1 + below(4); step--;) {
        size_t pos = below(len + 1), n;
        const struct seed *other = &seeds[below(count)];

        switch (below(6)) {
        case 0: /* flip a bit */
            if (pos < len)
                at[pos] ^= (uint8_t)(1u << below(8));
            break;
        case 1: /* a character that means something */
            if (pos < len)
                at[pos] = (uint8_t)tokens[below(sizeof tokens - 1)];
            break;
        case 2: /* cut out */
            n = below(1 + (len - pos < 16 ? len - pos : 16));
            memmove(at + pos, at + pos + n, len - pos - n);
            len -= n;
            break;
        case 3: /* repeat */
            n = below(1 + (len - pos < 16 ? len - pos : 16));
            if (len + n <= SEED_BYTES) {
                memmove(at + pos + n, at + pos, len - pos);
                len += n;
            }
            break;
        case 4: /* cut off */
            if (below(4) == 0)
                len = pos;
            break;
        default: /* splice with another */
            n = below(other->len + 1);
            if (pos + other->len - n <= SEED_BYTES) {
                memcpy(at + pos, other->at + n, other->len - n);
                len = pos + other->len - n;
            }
        }
    }
    return len;
}

int main(int argc, char **argv)
{
    static struct seed seeds[SEEDS_MAX];
    static uint8_t scratch[SEED_BYTES];
    size_t count = 0;
    long mutations = argc > 2 ? atol(argv[2]) : MUTATIONS_DEF;

    if (argc < 2)
        return fprintf(stderr, "usage: %s SEEDS [MUTATIONS]\n", argv[0]), 2;
    read_folder(argv[1], seeds, &count);
    read_lines(argv[1], seeds, &count);
    if (count == 0)
        add(seeds, &count, "", 0);
    for (size_t i = 0; i < count; i++)
        LLVMFuzzerTestOneInput(seeds[i].at, seeds[i].len);
    for (long i = 0; i < mutations; i++) {
        const struct seed *s = &seeds[below(count)];
        uint8_t
            *exact; /* a block of exactly that size, so that the sanitizer sees a read behind it */
        size_t len;

        memcpy(scratch, s->at, s->len);
        len = mutate(scratch, s->len, seeds, count);
        exact = malloc(len ? len : 1);
        if (!exact)
            abort();
        memcpy(exact, scratch, len);
        LLVMFuzzerTestOneInput(exact, len);
        free(exact);
    }
    printf("%zu seeds, %ld mutations\n1 passed, 0 failed\n", count, mutations);
    for (size_t i = 0; i < count; i++)
        free(seeds[i].at);
    return 0;
}
