/* central/store/query.h - what the questions of both drivers have in common: what each is about,
 * and its conditions as SQL. */
#ifndef CENTRAL_STORE_QUERY_H
#define CENTRAL_STORE_QUERY_H

#include "central/store/store.h"
#include "central/store/table.h"

#define QUERY_BYTES_MAX ((size_t)16 << 20) /* of one answer, unless fewer are asked for */

/* What a question is about. */
struct query_subject {
    enum fact_kind kind;
    const char *id;
    bool forward; /* oldest first, whatever was asked */
};
const struct query_subject *query_subject_of(enum store_question what);

/* May it be asked? */
bool query_legal(const struct store_ask *a);
/* Oldest first? Most bytes of the answer. */
bool query_forward(const struct store_ask *a);
size_t query_bytes(const struct store_ask *a);
/* The value that an index is searched for; 0: a scan. */
int64_t query_key(const struct store_ask *a);
/* %text% for LIKE, in lower case, with what LIKE would take for itself escaped; malloc'd. NULL: no
 * text is searched for. */
char *query_pattern(const struct store_ask *a);

/* A statement being written. Its arguments are numbered from `first`. */
struct query_argument {
    int64_t number;
    struct amp_text text;
    bool is_text;
};
struct query {
    char text[4096];
    struct amp_buf sql;
    struct query_argument arguments[16];
    int first, count;
};
/* All the texts, up to a NULL. */
void query_put(struct amp_buf *b, ...);
/* The whole statement of a question that one answers: an id, then the columns of the fact. One row
 * more than asked for tells that there is more. False: it is not such a question. */
bool query_whole(struct query *q, const struct store_ask *a);
/* AND … for all that is asked, of the row m. `payload` is how the database spells it without regard
 * to case. */
void query_filters(struct query *q, const struct store_ask *a, const struct query_subject *subject,
                   const char *pattern, const char *payload);

#endif
