/* messages/cases_test.c - runs the rows of the files in messages/cases/ (made by cases.py), each a
 * test of its own. */
#include "messages/case_run.h"
#include "ocpp/check.h"
#include <stdlib.h>

static char line[1 << 16], frame[1 << 20];

static struct amp_text column(char **row)
{
    char *start = *row, *end = start + strcspn(start, "\t\n");

    *row = *end ? end + 1 : end;
    return (struct amp_text){ start, (uint32_t)(end - start) };
}

/* One byte of a row: itself, a doubled backslash, or \xHH. */
static char byte_of(const char **p)
{
    char hex[3] = { 0 };

    if (**p != '\\')
        return *(*p)++;
    if ((*p)[1] != 'x') {
        *p += 2;
        return '\\';
    }
    memcpy(hex, *p + 2, 2);
    *p += 4;
    return (char)strtol(hex, NULL, 16);
}

/* The frame of a row; see cases.py for the escapes. */
static struct amp_text unescape(struct amp_text row)
{
    const char *p = row.at, *end = row.at + row.len;
    struct amp_buf out;

    amp_buf_init(&out, frame, sizeof frame);
    while (p < end) {
        if (p[0] == '\\' && p[1] >= '0' && p[1] <= '9') {
            char *text;
            long n = strtol(p + 1, &text, 10);

            for (; n > 0; n--)
                for (p = text + 1; *p != ';';)
                    amp_buf_putc(&out, byte_of(&p));
            p++;
        } else {
            amp_buf_putc(&out, byte_of(&p));
        }
    }
    if (out.full)
        abort();
    return amp_buf_text(&out);
}

static void run_file(enum amp_version version, const char *path)
{
    FILE *f = fopen(path, "r");
    unsigned other = 0;
    int rows = 0;

    while (f && fgets(line, sizeof line, f)) {
        char *p = line;
        struct amp_text name = column(&p);
        struct case_row row = { .version = version, .direction = column(&p) };
        const char *wrong;

        row.action = column(&p);
        row.verdict = column(&p);
        row.code = column(&p);
        row.frame = unescape(column(&p));
        wrong = case_run(&row, &other);
        rows++;
        check_bad = 0;
        CHECK(!wrong, "%.*s: %s", AMP_FMT(name), wrong ? wrong : "");
        if (check_bad)
            check_failed++;
        else
            check_passed++;
    }
    if (f)
        fclose(f);
    check_bad = 0;
    CHECK(rows > 800, "%s: only %d rows", path, rows);
    CHECK(other == 0, "%s: %u answers are right, but not our first choice", path, other);
    if (check_bad)
        check_failed++;
}

int main(void)
{
    run_file(AMP_OCPP16, AMP_SOURCE_DIR "/messages/cases/1.6.tsv");
    run_file(AMP_OCPP201, AMP_SOURCE_DIR "/messages/cases/2.0.1.tsv");
    return check_end();
}
