/* messages/corpus_check.c - corpus-check DIR: runs a folder of frames, one file each, listed in
 * DIR/index.tsv (columns file, direction, action, verdict, code, why; files below "1.6/", "2.0.1/"
 * or "2.1/"), and prints what differs. */
#include "messages/case_run.h"
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX 4000000

static unsigned passed, failed, other;

/* The next column of a row; *row moves behind it. */
static struct amp_text column(char **row)
{
    char *start = *row, *end = start + strcspn(start, "\t\n");

    *row = *end ? end + 1 : end;
    return (struct amp_text){ start, (uint32_t)(end - start) };
}

static bool version_of(struct amp_text file, enum amp_version *v)
{
    static const char *const folders[] = { "1.6/", "2.0.1/", "2.1/" };

    for (int i = 0; i < 3; i++)
        if (file.len > strlen(folders[i]) && memcmp(file.at, folders[i], strlen(folders[i])) == 0) {
            *v = (enum amp_version)i;
            return true;
        }
    return false;
}

static bool load(const char *path, struct amp_text *out)
{
    static char content[FILE_MAX];
    FILE *f = fopen(path, "rb");

    if (!f)
        return false;
    *out = (struct amp_text){ content, (uint32_t)fread(content, 1, sizeof content, f) };
    fclose(f);
    return out->len < sizeof content;
}

static void run_row(const char *dir, char *line)
{
    struct amp_text file = column(&line);
    struct case_row row = { .direction = column(&line) };
    const char *wrong = "cannot be read";
    char path[4096];

    row.action = column(&line);
    row.verdict = column(&line);
    row.code = column(&line);
    snprintf(path, sizeof path, "%s/%.*s", dir, AMP_FMT(file));
    if (!version_of(file, &row.version))
        wrong = "of which version?";
    else if (load(path, &row.frame))
        wrong = case_run(&row, &other);
    if (wrong) {
        failed++;
        printf("%.*s: %s\n", AMP_FMT(file), wrong);
    } else {
        passed++;
    }
}

int main(int argc, char **argv)
{
    static char line[8192];
    char path[4096];
    FILE *f;

    if (argc != 2) {
        fprintf(stderr, "usage: corpus-check DIR\n");
        return 2;
    }
    snprintf(path, sizeof path, "%s/index.tsv", argv[1]);
    f = fopen(path, "r");
    if (!f) {
        fprintf(stderr, "corpus-check: cannot read %s\n", path);
        return 2;
    }
    while (fgets(line, sizeof line, f))
        if (strncmp(line, "file\t", 5) != 0)
            run_row(argv[1], line);
    fclose(f);
    if (other)
        printf("%u answers are right, but not our first choice\n", other);
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
