/* central/rest/files.h - files as things: firmware and whatever else people upload for stations,
 * and what stations send of themselves. Their bytes are in the data folder by number, what is known
 * of them is a fact. A file's address holds a random token: who has it may read an uploaded file,
 * or write an expected one, once. */
#ifndef CENTRAL_REST_FILES_H
#define CENTRAL_REST_FILES_H

#include "central/central.h"

#define FILES_TOKEN_MAX 23 /* 16 random bytes in base64 for addresses: E95, short */

struct files *files_new(struct central *c);
void files_free(struct files *f);
/* At the start, and of other processes. */
void files_apply(struct files *f, const struct file_fact *file);
/* The first number of those that are reserved for us: what others tell moves nothing. */
void files_set_key(struct files *f, int64_t next);
/* Once all is loaded: bytes that belong to nothing are removed. 0, or AMP_E_IO: no folder, and *why
 * (malloc'd) says it. */
int files_open(struct files *f, char **why) AMP_CHECKED;

/* NULL: none, or deleted. Lives until the next change. */
const struct file_fact *files_get(const struct files *f, int64_t key);
const struct file_fact *files_by_token(const struct files *f, struct amp_text token);
/* By key; NULL behind the last. */
const struct file_fact *files_at(const struct files *f, size_t i);

/* A number and a token for a file that is about to be; nothing is kept or told yet. */
void files_reserve(struct files *f, struct file_fact *file, char token[FILES_TOKEN_MAX]);
/* Insert or replace, and tell. In state FILE_DELETED its bytes go, too. */
void files_put(struct files *f, const struct file_fact *file);

/* Where its bytes are, or while they come; malloc'd. */
char *files_path(const struct files *f, int64_t key, bool coming);

#endif
