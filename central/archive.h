/* central/archive.h - an archive file: DATA/archive/NAME-FIRST-LAST.ndjson.gz. Written beside under
 * another name, compressed and synced on libuv's pool, and renamed when all of it is on disk: a file
 * of that name is complete. */
#ifndef CENTRAL_ARCHIVE_H
#define CENTRAL_ARCHIVE_H

#include "ocpp/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct archive;
typedef void archive_done_fn(void *ctx, int rc, const char *why);

/* NULL and *why (a constant text). The folder is made when it is missing. */
struct archive *archive_new(uv_loop_t *loop, const char *data, const char *name, int64_t first,
                            const char **why);
/* One at a time; `text` stays the caller's, unchanged until `done`. `last` not 0: that is all, ids up
 * to `last` are in it; done(0) says that the file is on disk under its name. */
void archive_write(struct archive *a, const void *text, size_t len, int64_t last,
                   archive_done_fn *done, void *ctx);
bool archive_working(const struct archive *a); /* `done` is still to come */
bool archive_done(const struct archive *a);    /* complete */
/* Not while it works. What is not complete is deleted. NULL is fine. */
void archive_drop(struct archive *a);

/* Last id of the complete archive that begins with `first`; 0: there is none. */
int64_t archive_find(const char *data, const char *name, int64_t first);

#endif
