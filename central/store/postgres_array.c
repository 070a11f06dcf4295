/* central/store/postgres_array.c - arrays as PostgreSQL sends them in binary: dimensions, whether
 * there are NULLs, the type of the elements; size and lower bound; then each element with its
 * length, -1 for NULL. Nothing to quote and nothing to parse. */
#include "central/store/postgres.h"
#include <stdlib.h>

#define HEADER 20

enum pg_type pg_type_of(const struct column *c)
{
    static const enum pg_type types[] = {
        [COLUMN_INT64] = PG_INT64, [COLUMN_INT32] = PG_INT32, [COLUMN_UINT32] = PG_INT64,
        [COLUMN_BOOL] = PG_INT32,  [COLUMN_TEXT] = PG_TEXT,
    };

    return types[c->type];
}

const char *pg_type_name(enum pg_type type)
{
    return type == PG_INT64 ? "bigint[]" : type == PG_INT32 ? "integer[]" : "text[]";
}

static char *room(struct pg_array *a, size_t n)
{
    if (a->cap - a->len < n) {
        a->cap = 2 * (a->cap + n);
        a->at = store_realloc(a->at, a->cap);
    }
    return a->at + a->len;
}

static void put32(char *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (char)(v >> (24 - 8 * i));
}

void pg_array_reset(struct pg_array *a, enum pg_type type)
{
    a->len = a->count = 0;
    a->type = type;
    a->nulls = false;
    room(a, HEADER);
    a->len = HEADER;
}

void pg_array_int32(struct pg_array *a, int32_t v)
{
    char *to = room(a, 8);

    put32(to, 4);
    put32(to + 4, (uint32_t)v);
    a->len += 8;
    a->count++;
}

void pg_array_int64(struct pg_array *a, int64_t v)
{
    char *to = room(a, 12);

    put32(to, 8);
    put32(to + 4, (uint32_t)((uint64_t)v >> 32));
    put32(to + 8, (uint32_t)((uint64_t)v & 0xffffffff));
    a->len += 12;
    a->count++;
}

void pg_array_null(struct pg_array *a)
{
    put32(room(a, 4), UINT32_MAX);
    a->len += 4;
    a->count++;
    a->nulls = true;
}

size_t pg_clean_text(char *to, struct amp_text t)
{
    size_t len = 0;

    for (uint32_t i = 0; i < t.len;) {
        uint32_t n = 1;

        while (n <= 4 && i + n <= t.len && !amp_text_utf8((struct amp_text){ t.at + i, n }))
            n++;
        if (n > 4 || i + n > t.len || !t.at[i]) {
            memcpy(to + len, "\xef\xbf\xbd", 3);
            len += 3;
            i++;
        } else {
            memcpy(to + len, t.at + i, n);
            len += n;
            i += n;
        }
    }
    return len;
}

void pg_array_text(struct pg_array *a, struct amp_text t)
{
    char *to;
    size_t len = t.len;

    if (!t.at) {
        pg_array_null(a);
        return;
    }
    if (!len || (amp_text_utf8(t) && !memchr(t.at, 0, len))) {
        to = room(a, 4 + len);
        if (len)
            memcpy(to + 4, t.at, len);
    } else {
        to = room(a, 4 + 3 * len);
        len = pg_clean_text(to + 4, t);
    }
    put32(to, (uint32_t)len);
    a->len += 4 + len;
    a->count++;
}

void pg_argument_array(struct pg_arguments *to, struct pg_array *a)
{
    put32(a->at, 1);
    put32(a->at + 4, a->nulls);
    put32(a->at + 8, a->type);
    put32(a->at + 12, a->count);
    put32(a->at + 16, 1);
    to->values[to->count] = a->at;
    to->lengths[to->count] = (int)a->len;
    to->formats[to->count++] = 1;
}
