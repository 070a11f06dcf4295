/* central/store/sqlite_load.c - the present, read back at the start: see store_load. */
#include "central/store/sqlite.h"
#include <stdio.h>
#include <stdlib.h>

typedef void each_fn(void *ctx, const struct fact *f);

/* A transaction whose newest readings are looked for. */
struct wanted {
    int64_t key, start_seen_ms, end_seen_ms;
    int found;
};
struct collect {
    sqlite3 *db;
    struct wanted *wanted; /* by key */
    size_t count, cap;
    struct rows rows; /* newest first */
};

static sqlite3_stmt *select_from(sqlite3 *db, enum fact_kind kind, const char *table,
                                 const char *which)
{
    char text[2048];
    struct amp_buf sql;

    amp_buf_init(&sql, text, sizeof(text));
    amp_buf_puts(&sql, "SELECT ");
    table_columns(table_of(kind), "m.", &sql);
    amp_buf_puts(&sql, " FROM ");
    amp_buf_puts(&sql, table);
    amp_buf_puts(&sql, " m ");
    amp_buf_puts(&sql, which);
    amp_buf_putc(&sql, '\0');
    return sql.full ? NULL : sqlite_prepare(db, text);
}

static void want(struct collect *c, const struct transaction_fact *t)
{
    if (c->count == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 64;
        c->wanted = store_realloc(c->wanted, c->cap * sizeof(*c->wanted));
    }
    c->wanted[c->count++] =
        (struct wanted){ t->key, t->start_seen_ms,
                         t->state < TX_STOPPED ? INT64_MAX : t->stop_seen_ms + READING_LATE_MS, 0 };
}

static int by_key(const void *a, const void *b)
{
    int64_t x = ((const struct wanted *)a)->key, y = ((const struct wanted *)b)->key;

    return (x > y) - (x < y);
}

/* Run a SELECT of readings that come newest first; keep those that are wanted still. */
static int collect(struct collect *c, sqlite3_stmt *q)
{
    struct fact f;
    int rc;

    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct wanted key, *w;

        sqlite_read_fact(q, 0, FACT_READING, &f);
        key.key = f.u.reading.transaction;
        w = !c->count ? NULL : bsearch(&key, c->wanted, c->count, sizeof(*c->wanted), by_key);
        if (!w || w->found == READINGS_EACH)
            continue;
        w->found++;
        rows_add(&c->rows, &f, 0);
    }
    sqlite3_reset(q);
    return rc == SQLITE_DONE ? 0 : AMP_E_IO;
}

/* One partition: the unindexed tail in one scan for all, the rest by index for each that lacks some
 * and began before its end. */
static int collect_partition(struct collect *c, const struct partition_entry *e)
{
    char table[PARTITION_NAME_MAX], index[PARTITION_NAME_MAX], which[300];
    sqlite3_stmt *q;
    int rc;

    partition_name(FACT_READING, e->number, false, table);
    partition_name(FACT_READING, e->number, true, index);
    snprintf(which, sizeof(which),
             "WHERE m.id >= %lld AND m.transaction_key <> 0 ORDER BY m.id DESC",
             (long long)e->indexed_to);
    q = select_from(c->db, FACT_READING, table, which);
    rc = q ? collect(c, q) : AMP_E_IO;
    sqlite3_finalize(q);
    if (rc < 0)
        return rc;
    snprintf(
        which, sizeof(which),
        "WHERE m.id IN (SELECT id FROM %s WHERE transaction_key = $1 ORDER BY id DESC LIMIT $2) "
        "ORDER BY m.id DESC",
        index);
    q = select_from(c->db, FACT_READING, table, which);
    rc = q ? 0 : AMP_E_IO;
    for (size_t i = 0; rc == 0 && i < c->count; i++) {
        const struct wanted *w = &c->wanted[i];

        if (w->found == READINGS_EACH || w->start_seen_ms > e->to_ms || w->end_seen_ms < e->from_ms)
            continue;
        sqlite3_bind_int64(q, 1, w->key);
        sqlite3_bind_int(q, 2, READINGS_EACH - w->found);
        rc = collect(c, q);
    }
    sqlite3_finalize(q);
    return rc;
}

static int load_readings(struct collect *c, each_fn *each, void *ctx)
{
    struct partition_entry *list;
    size_t count;
    int rc = partition_list(c->db, FACT_READING, 0, &list, &count);

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = collect_partition(c, &list[i]);
    for (size_t i = c->rows.count; rc == 0 && i-- > 0;)
        each(ctx, &c->rows.facts[i]);
    free(list);
    return rc;
}

static int load_kind(struct collect *c, enum fact_kind kind, const char *which, each_fn *each,
                     void *ctx)
{
    sqlite3_stmt *q = select_from(c->db, kind, table_of(kind)->name, which);
    struct fact f;
    int rc = SQLITE_ERROR;

    while (q && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        sqlite_read_fact(q, 0, kind, &f);
        if (kind == FACT_TRANSACTION)
            want(c, &f.u.transaction);
        each(ctx, &f);
    }
    sqlite3_finalize(q);
    return rc == SQLITE_DONE ? 0 : AMP_E_IO;
}

int sqlite_load(void *reader, each_fn *each, void *ctx)
{
    struct collect c = { .db = ((struct sqlite_reader *)reader)->db };
    int rc = c.db ? 0 : AMP_E_IO;

    for (size_t i = 0; rc == 0 && i < replay_count; i++)
        rc = load_kind(&c, replay[i].kind, replay[i].which, each, ctx);
    if (rc == 0)
        rc = load_readings(&c, each, ctx);
    rows_free(&c.rows);
    free(c.wanted);
    return rc;
}
