/* ports/linux/tags.h - a tag reader: a file, FIFO or serial line with one tag a line, or a reader
 * that types like a keyboard (Linux input events). Never waits. */
#ifndef WALLBOX_TAGS_H
#define WALLBOX_TAGS_H

#include "ocpp/err.h"
#include <stdbool.h>

#define WALLBOX_TAG_CAP (20 + 1) /* OCPP 1.6: CiString20 */

struct wallbox_tags {
    int fd; /* -1: none */
    bool keys;
    bool too_long; /* the rest of this line is skipped */
    char line[WALLBOX_TAG_CAP];
    unsigned len;
};

/* 0, or AMP_E_IO (errno says why). A keyboard is grabbed, so that tags are not typed elsewhere. */
int wallbox_tags_open(struct wallbox_tags *t, const char *path, bool keys) AMP_CHECKED;
void wallbox_tags_close(struct wallbox_tags *t);

/* The next complete tag; false when there is none yet. Spaces are skipped; a line that is longer
 * than a tag can be is no tag. */
bool wallbox_tags_next(struct wallbox_tags *t, char out[WALLBOX_TAG_CAP]);

#endif
