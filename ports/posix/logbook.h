/* ports/posix/logbook.h - what a station had to say, kept in DIR/NAME.log: two files of at most POSIX_LOGBOOK_MAX bytes, the older
 * one (NAME.log.old) goes when the newer is full. A line begins with its time. Also writes what is uploaded when logs are asked for. */
#ifndef POSIX_LOGBOOK_H
#define POSIX_LOGBOOK_H

#include "station/station.h"
#include <stdio.h>

#define POSIX_LOGBOOK_MAX (256 * 1024)

struct posix_logbook {
    FILE *file; /* NULL: not open, lines are dropped */
    long size;
    char path[1024], old[1040];
};

/* 0 or AMP_E_IO. */
int posix_logbook_open(struct posix_logbook *b, const char *dir, struct amp_text name) AMP_CHECKED;
void posix_logbook_add(struct posix_logbook *b, const char *line); /* without its end; a disk that is full loses it */
void posix_logbook_close(struct posix_logbook *b);

/* As struct posix_transfer_options has it: diagnostics are settings, storage and log lines; the security log is the core's. */
bool posix_logbook_report(struct posix_logbook *b, struct amp_station *st, enum amp_source source, int64_t from_ms, int64_t to_ms,
                          FILE *out);

#endif
