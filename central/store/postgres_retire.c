/* central/store/postgres_retire.c - rows that are kept no longer go: see store_retire. A native
 * partition goes as a whole, which is one short statement whatever is in it; it waits for its lock
 * only briefly, since every question to the history would wait behind it. What is left are rows of
 * a partition that stays: a few at a time, without waiting for the disk; the server's autovacuum
 * does the rest. */
#include "central/store/postgres.h"
#include <stdio.h>

struct oldest {
    int64_t number, first_id, end_id, newest, next_id;
    bool found;
};

static void take_oldest(void *ctx, const PGresult *row, int at)
{
    *(struct oldest *)ctx =
        (struct oldest){ pg_integer(row, at, 0), pg_integer(row, at, 1), pg_integer(row, at, 2),
                         pg_integer(row, at, 3), pg_integer(row, at, 4), true };
}

static int drop(struct postgres *s, enum fact_kind kind, const struct oldest *o)
{
    char sql[400];

    snprintf(sql, sizeof(sql),
             "SET LOCAL lock_timeout = '300ms'; DROP TABLE %s_%06lld;"
             "DELETE FROM history_partition WHERE kind = %d AND number = %lld;"
             "DELETE FROM history_zone WHERE kind = %d AND zone < %lld",
             table_of(kind)->name, (long long)o->number, (int)kind, (long long)o->number, (int)kind,
             (long long)(o->end_id / ZONE_IDS));
    return pg_exec(&s->link, sql);
}

static int trim(struct postgres *s, enum fact_kind kind, const struct oldest *o, int64_t to)
{
    char sql[500];

    snprintf(sql, sizeof(sql),
             "SET LOCAL synchronous_commit = off;"
             "DELETE FROM %s WHERE id >= %lld AND id < %lld;"
             "UPDATE history_partition SET first_id = %lld WHERE kind = %d AND number = %lld;"
             "DELETE FROM history_zone WHERE kind = %d AND zone < %lld",
             table_of(kind)->name, (long long)o->first_id, (long long)to, (long long)to, (int)kind,
             (long long)o->number, (int)kind, (long long)(to / ZONE_IDS));
    return pg_exec(&s->link, sql);
}

static int commands(struct postgres *s, int64_t below, int64_t rows, int64_t *deleted)
{
    char sql[300];

    snprintf(
        sql, sizeof(sql),
        "WITH gone AS (DELETE FROM command WHERE key IN (SELECT key FROM command WHERE key < "
        "%lld AND state > %d ORDER BY key LIMIT %lld) RETURNING key) SELECT count(*) FROM gone",
        (long long)below, COMMAND_ACCEPTED, (long long)rows);
    if (pg_number(&s->link, sql, 0, deleted) < 0)
        return AMP_E_IO;
    return *deleted == rows;
}

int pg_retire(void *db, enum fact_kind kind, int64_t below, int64_t rows, int64_t *deleted)
{
    struct postgres *s = db;
    struct oldest o = { .found = false };
    int64_t to;
    char sql[400];

    *deleted = 0;
    if (kind == FACT_COMMAND)
        return commands(s, below, rows, deleted);
    snprintf(sql, sizeof(sql),
             "SELECT number, first_id, end_id, (SELECT max(number) FROM history_partition WHERE "
             "kind = %d), (SELECT coalesce(max(id), 0) + 1 FROM %s) FROM history_partition WHERE "
             "kind = %d ORDER BY number LIMIT 1",
             (int)kind, table_of(kind)->name, (int)kind);
    if (pg_ask(&s->link, sql, NULL, take_oldest, &o) < 0)
        return AMP_E_IO;
    if (below > o.next_id)
        below = o.next_id; /* ids to come are not below anything */
    if (!o.found || o.first_id >= below)
        return 0;
    if (o.end_id <= below &&
        o.number < o.newest) { /* the newest is never dropped: it has the next id */
        if (drop(s, kind, &o) < 0)
            return AMP_E_IO;
        *deleted = o.end_id - o.first_id;
        return 1;
    }
    to = o.first_id + rows < below ? o.first_id + rows : below;
    if (trim(s, kind, &o, to) < 0)
        return AMP_E_IO;
    *deleted = to - o.first_id;
    return to < below;
}
