/* central/store/sqlite_retire.c - rows that are kept no longer go, a few at a time, between
 * commits: see store_retire. A step is a transaction of its own without a sync: what a crash undoes
 * is deleted again. A partition that goes as a whole loses the rows of its index first, in the
 * order of the index, then its own, then both tables; dropped at once, 262,144 rows would stall the
 * writer. Of a partition that stays, entries of the index may be left behind: they lead to no row,
 * and go with it. */
#include "central/store/sqlite.h"
#include <stdio.h>
#include <stdlib.h>

/* Oldest partition with rows below `below`. 1: found; 0: none; AMP_E_IO. */
static int oldest(struct sqlite *s, enum fact_kind kind, int64_t below, struct partition_entry *out)
{
    sqlite3_stmt *q =
        sqlite_prepare(s->db, "SELECT number, first_id, end_id, indexed_to FROM history_partition "
                              "WHERE kind = $1 ORDER BY number LIMIT 1");
    int rc = SQLITE_ERROR;

    if (q) {
        sqlite3_bind_int(q, 1, (int)kind);
        rc = sqlite3_step(q);
    }
    if (rc == SQLITE_ROW)
        *out = (struct partition_entry){ .number = sqlite3_column_int64(q, 0),
                                         .first_id = sqlite3_column_int64(q, 1),
                                         .end_id = sqlite3_column_int64(q, 2),
                                         .indexed_to = sqlite3_column_int64(q, 3) };
    sqlite3_finalize(q);
    if (rc != SQLITE_ROW)
        return rc == SQLITE_DONE ? 0 : AMP_E_IO;
    return out->first_id < below;
}

static int changed(struct sqlite *s, const char *sql, int64_t *rows)
{
    int rc = sqlite_exec(s->db, sql);

    *rows = rc == 0 ? sqlite3_changes(s->db) : 0;
    return rc;
}

/* One step of a partition, inside a transaction. */
static int step(struct sqlite *s, enum fact_kind kind, const struct partition_entry *e,
                int64_t below, int64_t rows, int64_t *deleted, int64_t *gone_to)
{
    const char *by = table_of(kind)->by;
    bool whole = e->end_id && e->end_id <= below;
    int64_t to = e->first_id + rows, index_rows = 0;
    char name[PARTITION_NAME_MAX], index[PARTITION_NAME_MAX], sql[500];

    partition_name(kind, e->number, false, name);
    partition_name(kind, e->number, true, index);
    if (whole) {
        snprintf(
            sql, sizeof(sql),
            "DELETE FROM %s WHERE (%s, id) IN (SELECT %s, id FROM %s ORDER BY 1, 2 LIMIT %lld)",
            index, by, by, index, (long long)(8 * rows));
        if (changed(s, sql, &index_rows) < 0)
            return AMP_E_IO;
        if (index_rows)
            return 0;
    }
    if (to > (whole ? e->end_id : below))
        to = whole ? e->end_id : below;
    snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE id < %lld", name, (long long)to);
    if (changed(s, sql, deleted) < 0)
        return AMP_E_IO;
    *gone_to = to;
    if (whole && to == e->end_id)
        snprintf(sql, sizeof(sql),
                 "DROP TABLE %s; DROP TABLE %s; DELETE FROM history_partition WHERE kind = %d AND "
                 "number = %lld",
                 name, index, (int)kind, (long long)e->number);
    else
        snprintf(sql, sizeof(sql),
                 "UPDATE history_partition SET first_id = %lld, indexed_to = max(indexed_to, %lld) "
                 "WHERE kind = %d AND number = %lld",
                 (long long)to, (long long)to, (int)kind, (long long)e->number);
    return sqlite_exec(s->db, sql);
}

/* Commands that are finished; others stay, however old. */
static int step_commands(struct sqlite *s, int64_t below, int64_t rows, int64_t *deleted)
{
    char sql[200];

    snprintf(sql, sizeof(sql),
             "DELETE FROM command WHERE key IN (SELECT key FROM command WHERE key < %lld AND "
             "state > %d ORDER BY key LIMIT %lld)",
             (long long)below, COMMAND_ACCEPTED, (long long)rows);
    return changed(s, sql, deleted) < 0 ? AMP_E_IO : *deleted == rows;
}

static int attempt(struct sqlite *s, enum fact_kind kind, int64_t below, int64_t rows,
                   int64_t *deleted)
{
    struct partition *open = &s->books.open[kind];
    struct partition_entry e;
    int64_t gone_to = 0;
    int more = 1, rc;

    if (kind == FACT_COMMAND) {
        rc = sqlite_exec(s->db, "BEGIN IMMEDIATE");
        if (rc == 0)
            rc = more = step_commands(s, below, rows, deleted);
        if (rc >= 0)
            rc = sqlite_exec(s->db, "COMMIT");
        return rc < 0 ? AMP_E_IO : more;
    }
    if (below > open->next_id)
        below = open->next_id; /* ids to come are not below anything */
    rc = oldest(s, kind, below, &e);
    if (rc <= 0)
        return rc;
    rc = sqlite_exec(s->db, "BEGIN IMMEDIATE");
    if (rc == 0)
        rc = step(s, kind, &e, below, rows, deleted, &gone_to);
    if (rc == 0)
        rc = sqlite_exec(s->db, "COMMIT");
    if (rc == 0 && open->number == e.number && open->indexed_to < gone_to)
        open->indexed_to = gone_to;
    return rc < 0 ? AMP_E_IO : 1;
}

int sqlite_retire(void *db, enum fact_kind kind, int64_t below, int64_t rows, int64_t *deleted)
{
    struct sqlite *s = db;
    int rc;

    *deleted = 0;
    (void)sqlite_exec(s->db, "PRAGMA synchronous = NORMAL");
    rc = attempt(s, kind, below, rows, deleted);
    if (rc < 0 && !sqlite3_get_autocommit(s->db))
        (void)sqlite_run(s->rollback);
    /* commits that are acknowledged need it; when it cannot be set back, nothing may be */
    if (sqlite_exec(s->db, "PRAGMA synchronous = FULL") < 0)
        abort();
    return rc;
}
