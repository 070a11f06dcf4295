/* central/store/sqlite_statement.c - statements, and the columns of a fact into and out of them. */
#include "central/store/sqlite.h"
#include <stdlib.h>

/* The statements are written as PostgreSQL spells them. To SQLite $1 would be a name, numbered by
 * where it first appears; ?1 is number one. */
sqlite3_stmt *sqlite_prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *q = NULL;
    size_t len = strlen(sql) + 1;
    char *text = memcpy(store_alloc(len), sql, len);
    int rc;

    for (char *c = text; *c; c++)
        if (*c == '$' && c[1] >= '0' && c[1] <= '9')
            *c = '?';
    rc = sqlite3_prepare_v3(db, text, (int)len, SQLITE_PREPARE_PERSISTENT, &q, NULL);
    free(text);
    return rc == SQLITE_OK ? q : NULL;
}

int sqlite_run(sqlite3_stmt *q)
{
    int rc;

    do
        rc = sqlite3_step(q);
    while (rc == SQLITE_ROW);
    sqlite3_reset(q);
    return rc == SQLITE_DONE ? 0 : AMP_E_IO;
}

int sqlite_exec(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : AMP_E_IO;
}

int sqlite_number(sqlite3 *db, const char *sql, int64_t fallback, int64_t *out)
{
    sqlite3_stmt *q = sqlite_prepare(db, sql);
    int rc = q ? sqlite3_step(q) : SQLITE_ERROR;

    *out = fallback;
    if (rc == SQLITE_ROW && sqlite3_column_type(q, 0) != SQLITE_NULL)
        *out = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : AMP_E_IO;
}

int sqlite_bind_text(sqlite3_stmt *q, int at, struct amp_text t)
{
    return t.at ? sqlite3_bind_text64(q, at, t.at, t.len, SQLITE_STATIC, SQLITE_UTF8)
                : sqlite3_bind_null(q, at);
}

int sqlite_bind_fact(sqlite3_stmt *q, int at, const struct table *t, const struct fact *f)
{
    int bad = 0;

    for (size_t i = 0; i < t->count; i++, at++) {
        const struct column *c = &t->columns[i];
        const void *field = column_in(c, f);

        switch ((enum column_type)c->type) {
        case COLUMN_INT64:
            bad |= sqlite3_bind_int64(q, at, *(const int64_t *)field);
            break;
        case COLUMN_INT32:
            bad |= sqlite3_bind_int(q, at, *(const int32_t *)field);
            break;
        case COLUMN_UINT32:
            bad |= sqlite3_bind_int64(q, at, *(const uint32_t *)field);
            break;
        case COLUMN_BOOL:
            bad |= sqlite3_bind_int(q, at, *(const bool *)field);
            break;
        case COLUMN_TEXT:
            bad |= sqlite_bind_text(q, at, *(const struct amp_text *)field);
            break;
        }
    }
    return bad ? AMP_E_IO : 0;
}

void sqlite_read_fact(sqlite3_stmt *q, int at, enum fact_kind kind, struct fact *out)
{
    const struct table *t = table_of(kind);

    memset(out, 0, sizeof(*out));
    out->kind = kind;
    for (size_t i = 0; i < t->count; i++, at++) {
        const struct column *c = &t->columns[i];
        void *field = (char *)out + c->at;
        struct amp_text *text = field;

        switch ((enum column_type)c->type) {
        case COLUMN_INT64:
            *(int64_t *)field = sqlite3_column_int64(q, at);
            break;
        case COLUMN_INT32:
            *(int32_t *)field = sqlite3_column_int(q, at);
            break;
        case COLUMN_UINT32:
            *(uint32_t *)field = (uint32_t)sqlite3_column_int64(q, at);
            break;
        case COLUMN_BOOL:
            *(bool *)field = sqlite3_column_int(q, at) != 0;
            break;
        case COLUMN_TEXT:
            text->at =
                (const char *)sqlite3_column_text(q, at); /* before its length, says SQLite */
            text->len = (uint32_t)sqlite3_column_bytes(q, at);
            break;
        }
    }
}
