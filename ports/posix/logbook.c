/* ports/posix/logbook.c - see logbook.h. */
#include "ports/posix/logbook.h"
#include "ocpp/time.h"
#include "ports/posix/blocks.h"

#include <errno.h>
#include <sys/stat.h>

#define LINE_CAP 1024

static int open_file(struct posix_logbook *b)
{
    b->file = fopen(b->path, "ae");
    if (!b->file)
        return AMP_E_IO;
    setvbuf(b->file, NULL, _IOLBF, 0); /* a line is there as soon as it is said */
    if (fseek(b->file, 0, SEEK_END) == 0)
        b->size = ftell(b->file);
    return 0;
}

int posix_logbook_open(struct posix_logbook *b, const char *dir, struct amp_text name)
{
    b->file = NULL;
    b->size = 0;
    if (posix_data_path(b->path, sizeof b->path, dir, name, ".log") < 0 ||
        posix_data_path(b->old, sizeof b->old, dir, name, ".log.old") < 0)
        return AMP_E_IO;
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return AMP_E_IO;
    return open_file(b);
}

void posix_logbook_add(struct posix_logbook *b, const char *line)
{
    int n;

    if (!b->file)
        return;
    if (b->size > POSIX_LOGBOOK_MAX) {
        fclose(b->file);
        b->file = NULL;
        b->size = 0;
        if (rename(b->path, b->old) < 0 || open_file(b) < 0)
            return;
    }
    n = fprintf(b->file, "%s\n", line);
    b->size += n > 0 ? n : 0;
}

void posix_logbook_close(struct posix_logbook *b)
{
    if (b->file)
        fclose(b->file);
    b->file = NULL;
}

/* ---- what is uploaded ---- */

static void copy_lines(const char *path, int64_t from_ms, int64_t to_ms, FILE *out)
{
    FILE *f = fopen(path, "re");
    char line[LINE_CAP];
    bool wanted = false;

    while (f && fgets(line, sizeof line, f)) {
        int64_t at;

        /* a line without a time of its own goes with the one before */
        if (amp_time_parse((struct amp_text){ line, (uint32_t)strcspn(line, " \n") }, false, &at) ==
            0)
            wanted = at >= from_ms && at <= to_ms;
        if (wanted)
            fputs(line, out);
    }
    if (f)
        fclose(f);
}

static void write_lines(const struct amp_station *st, FILE *out,
                        int (*line)(const struct amp_station *, unsigned, char *, size_t))
{
    char text[LINE_CAP];
    int n;

    for (unsigned i = 0; (n = line(st, i, text, sizeof text)) != AMP_E_ABSENT; i++)
        if (n > 0)
            fprintf(out, "%.*s\n", n, text);
}

static bool security(struct amp_station *st, int64_t from_ms, int64_t to_ms, FILE *out)
{
    char text[LINE_CAP], when[AMP_TIME_TEXT_MAX];
    bool any = false;
    uint32_t at = 0;
    int64_t ms;
    int n;

    while ((n = amp_station_security_line(st, &at, &ms, text, sizeof text)) != AMP_E_ABSENT) {
        if (n < 0 || ms < from_ms || ms > to_ms)
            continue;
        any = true;
        if (out)
            fprintf(out, "%s %.*s\n", amp_time_text(ms, when), n, text);
    }
    return any;
}

bool posix_logbook_report(struct posix_logbook *b, struct amp_station *st, enum amp_source source,
                          int64_t from_ms, int64_t to_ms, FILE *out)
{
    if (source == AMP_SOURCE_SECURITY)
        return security(st, from_ms, to_ms, out);
    if (!out)
        return true;
    fputs("# configuration\n", out);
    write_lines(st, out, amp_station_setting_line);
    fputs("\n# state\n", out);
    write_lines(st, out, amp_station_summary_line);
    fputs("\n# log\n", out);
    copy_lines(b->old, from_ms, to_ms, out);
    copy_lines(b->path, from_ms, to_ms, out);
    return true;
}
