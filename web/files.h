/* web/files.h - the built page, as bytes in the program. embed.py writes the table;
 * central/rest/page.c serves it. */
#ifndef WEB_FILES_H
#define WEB_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct web_file {
    const char *path; /* "/assets/main-3f2a.js" */
    const char *type;
    const char *etag; /* with its quotes */
    const uint8_t *data, *gzip;
    size_t len, gzip_len; /* gzip_len 0: compression gained nothing */
    bool immutable;       /* its name carries its hash */
};

extern const struct web_file web_files[]; /* "/index.html" is always among them */
extern const size_t web_file_count;

#endif
