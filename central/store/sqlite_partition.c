/* central/store/sqlite_partition.c - histories (messages, readings, statuses, connections) as
 * append-only partitions of N rows. An index that follows each row brings the rate down to a fifth
 * or a tenth, because a commit of 100 rows touches 100 of its pages. So the index of a partition (a
 * table of (charger, id)) lags behind and is written in sorted slices, by the writer, between
 * commits: many rows then share a page, and a slice is a stall of some 10 ms at 20,000 rows a
 * second, five times a second. What a search has to scan unindexed is about one slice. Built at the
 * close of a partition instead, it would stall the writer for all of its rows at once. Partitions
 * end by number of rows, not by day: that bounds the index that a slice touches, and no clock that
 * jumps can open a thousand of them. The catalogue has the time range of what is indexed, so that
 * old partitions are not looked at in vain. */
#include "central/store/sqlite.h"
#include <stdio.h>
#include <stdlib.h>

void partition_name(enum fact_kind kind, int64_t number, bool index, char out[PARTITION_NAME_MAX])
{
    snprintf(out, PARTITION_NAME_MAX, "%s_%06lld%s", table_of(kind)->name, (long long)number,
             index ? "_by" : "");
}

int partition_list(sqlite3 *db, enum fact_kind kind, int64_t before, struct partition_entry **out,
                   size_t *count)
{
    sqlite3_stmt *q = sqlite_prepare(
        db, "SELECT number, first_id, end_id, indexed_to, from_ms, to_ms FROM history_partition "
            "WHERE kind = $1 AND first_id < $2 ORDER BY number DESC");
    struct partition_entry *list = NULL;
    size_t n = 0, cap = 0;
    int rc = SQLITE_ERROR;

    if (q) {
        sqlite3_bind_int(q, 1, (int)kind);
        sqlite3_bind_int64(q, 2, before ? before : INT64_MAX);
        while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
            if (n == cap) {
                cap = cap ? 2 * cap : 16;
                list = store_realloc(list, cap * sizeof(*list));
            }
            list[n++] = (struct partition_entry){
                .number = sqlite3_column_int64(q, 0),
                .first_id = sqlite3_column_int64(q, 1),
                .end_id = sqlite3_column_int64(q, 2),
                .indexed_to = sqlite3_column_int64(q, 3),
                .from_ms = sqlite3_column_type(q, 4) == SQLITE_NULL ? INT64_MAX
                                                                    : sqlite3_column_int64(q, 4),
                .to_ms = sqlite3_column_type(q, 5) == SQLITE_NULL ? INT64_MIN
                                                                  : sqlite3_column_int64(q, 5),
            };
        }
    }
    sqlite3_finalize(q);
    for (size_t i = 0; i < n && rc == SQLITE_DONE; i++) { /* only the newest is open */
        char name[PARTITION_NAME_MAX], sql[100];

        if (list[i].end_id)
            continue;
        partition_name(kind, list[i].number, false, name);
        snprintf(sql, sizeof(sql), "SELECT max(id) + 1 FROM %s", name);
        if (sqlite_number(db, sql, list[i].first_id, &list[i].end_id) < 0)
            rc = SQLITE_ERROR;
    }
    *out = list;
    *count = n;
    return rc == SQLITE_DONE ? 0 : AMP_E_IO;
}

int partition_load(struct sqlite *s)
{
    s->books.closed = true; /* look once */
    for (int kind = FACT_CHARGER; kind < FACT_KINDS; kind++) {
        struct partition_entry *list;
        size_t count;
        int rc;

        if (!table_of((enum fact_kind)kind)->by)
            continue;
        rc = partition_list(s->db, (enum fact_kind)kind, 0, &list, &count);
        if (rc == 0 && count)
            s->books.open[kind] = (struct partition){ list[0].number, list[0].first_id,
                                                      list[0].end_id, list[0].indexed_to };
        free(list);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Close the open partition of a kind and open the next, inside the writer's transaction. */
static int open_next(struct sqlite *s, enum fact_kind kind)
{
    const struct table *t = table_of(kind);
    struct partition *p = &s->books.open[kind];
    int64_t first = p->number ? p->next_id : 1, number = p->number + 1;
    char name[PARTITION_NAME_MAX], index[PARTITION_NAME_MAX], text[2048];
    struct amp_buf sql;

    partition_name(kind, number, false, name);
    partition_name(kind, number, true, index);
    amp_buf_init(&sql, text, sizeof(text));
    table_create(t, name, "INTEGER PRIMARY KEY", &sql);
    amp_buf_putc(&sql, '\0');
    if (sqlite_exec(s->db, text) < 0)
        return AMP_E_IO;
    snprintf(text, sizeof(text),
             "CREATE TABLE %s (%s BIGINT, id BIGINT, PRIMARY KEY (%s, id)) WITHOUT ROWID;"
             "UPDATE history_partition SET end_id = %lld WHERE kind = %d AND number = %lld;"
             "INSERT INTO history_partition (kind, number, first_id, end_id, indexed_to) VALUES "
             "(%d, %lld, %lld, 0, %lld)",
             index, t->by, t->by, (long long)first, (int)kind, (long long)p->number, (int)kind,
             (long long)number, (long long)first, (long long)first);
    if (sqlite_exec(s->db, text) < 0)
        return AMP_E_IO;
    *p = (struct partition){ number, first, first, first };
    s->books.closed = true;
    return 0;
}

/* The statement that appends to the open partition. */
static sqlite3_stmt *append_to(struct sqlite *s, enum fact_kind kind)
{
    int64_t number = s->books.open[kind].number;

    if (s->put_number[kind] != number || !s->put[kind]) {
        char name[PARTITION_NAME_MAX], text[2048];
        struct amp_buf sql;

        sqlite3_finalize(s->put[kind]);
        partition_name(kind, number, false, name);
        amp_buf_init(&sql, text, sizeof(text));
        table_append(table_of(kind), name, &sql);
        amp_buf_putc(&sql, '\0');
        s->put[kind] = sqlite_prepare(s->db, text);
        s->put_number[kind] = number;
    }
    return s->put[kind];
}

int partition_put(struct sqlite *s, const struct fact *f)
{
    struct partition *p = &s->books.open[f->kind];
    sqlite3_stmt *q;

    if ((!p->number || p->next_id - p->first_id >= s->partition_rows) && open_next(s, f->kind) < 0)
        return AMP_E_IO;
    q = append_to(s, f->kind);
    if (!q || sqlite3_bind_int64(q, 1, p->next_id) ||
        sqlite_bind_fact(q, 2, table_of(f->kind), f) < 0 || sqlite_run(q) < 0)
        return AMP_E_IO;
    p->next_id++;
    return 0;
}

struct slice {
    enum fact_kind kind;
    int64_t number, from, to; /* ids from <= id < to */
};

/* The rest of a closed partition, else a full slice of an open one. */
static bool find_slice(struct sqlite *s, struct slice *out)
{
    if (s->books.closed) {
        sqlite3_stmt *q =
            sqlite_prepare(s->db, "SELECT kind, number, indexed_to, end_id FROM history_partition "
                                  "WHERE end_id > 0 AND indexed_to < end_id LIMIT 1");
        bool found = q && sqlite3_step(q) == SQLITE_ROW;

        if (found) {
            *out = (struct slice){ (enum fact_kind)sqlite3_column_int(q, 0),
                                   sqlite3_column_int64(q, 1), sqlite3_column_int64(q, 2),
                                   sqlite3_column_int64(q, 3) };
            if (out->to > out->from + s->slice_rows)
                out->to = out->from + s->slice_rows;
        }
        sqlite3_finalize(q);
        if (found)
            return true;
        s->books.closed = false;
    }
    for (int kind = FACT_CHARGER; kind < FACT_KINDS; kind++) {
        const struct partition *p = &s->books.open[kind];

        if (p->number && p->next_id - p->indexed_to >= s->slice_rows) {
            *out = (struct slice){ (enum fact_kind)kind, p->number, p->indexed_to,
                                   p->indexed_to + s->slice_rows };
            return true;
        }
    }
    return false;
}

bool partition_index(struct sqlite *s)
{
    struct slice slice;
    struct partition *open;
    const struct table *t;
    char name[PARTITION_NAME_MAX], index[PARTITION_NAME_MAX], text[1024];

    if (!find_slice(s, &slice))
        return false;
    t = table_of(slice.kind);
    partition_name(slice.kind, slice.number, false, name);
    partition_name(slice.kind, slice.number, true, index);
    snprintf(
        text, sizeof(text),
        "BEGIN IMMEDIATE;"
        "INSERT INTO %s (%s, id) SELECT %s, id FROM %s WHERE id >= %lld AND id < %lld ORDER BY 1, "
        "2;"
        "UPDATE history_partition SET indexed_to = %lld, from_ms = min(coalesce(from_ms, r.low), "
        "coalesce(r.low, from_ms)), "
        "to_ms = max(coalesce(to_ms, r.high), coalesce(r.high, to_ms)) "
        "FROM (SELECT min(%s) AS low, max(%s) AS high FROM %s WHERE id >= %lld AND id < %lld) AS r "
        "WHERE kind = %d AND number = %lld;"
        "COMMIT",
        index, t->by, t->by, name, (long long)slice.from, (long long)slice.to, (long long)slice.to,
        t->time, t->time, name, (long long)slice.from, (long long)slice.to, (int)slice.kind,
        (long long)slice.number);
    if (sqlite_exec(s->db, text) < 0) {
        if (!sqlite3_get_autocommit(s->db))
            (void)sqlite_run(s->rollback);
        return false; /* the disk refuses: the next commit will say so, and this waits */
    }
    open = &s->books.open[slice.kind];
    if (open->number == slice.number)
        open->indexed_to = slice.to;
    return true;
}
