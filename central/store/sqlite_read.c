/* central/store/sqlite_read.c - questions about the past. A question is cut into ranges of ids (the
 * partitions, each in the part that its index covers and the part that must be scanned) and each
 * range into windows; every window is a read transaction of its own, so that no search keeps the
 * log from starting over, and a budget of windows bounds the whole. */
#include "central/store/query.h"
#include "central/store/sqlite.h"
#include <stdio.h>
#include <stdlib.h>

#define WINDOW 65536        /* ids */
#define BUDGET (4 * WINDOW) /* rows looked at; below 0.3 s when they are in the page cache */
#define INDEXED_COST \
    32 /* an id in a window that an index answers costs that much less than one that is scanned */

/* Ids from <= id < to of one table. */
struct range {
    char table[PARTITION_NAME_MAX];
    char index[PARTITION_NAME_MAX]; /* "": none needed */
    int64_t from, to;
    bool indexed;
};
struct search {
    struct sqlite_reader *reader;
    const struct store_ask *ask;
    const struct query_subject *subject;
    bool forward; /* oldest first */
    struct rows *out;
    char *pattern;        /* for LIKE; NULL */
    struct range *ranges; /* in the order of the answer */
    size_t count, cap;
    int64_t budget;
    bool full;
};

sqlite3 *sqlite_open_reader(const char *path)
{
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        sqlite3_close(db);
        return NULL;
    }
    sqlite3_busy_timeout(db, 2000);
    return db;
}

void *sqlite_reader_open(void *db)
{
    struct sqlite_reader *r = store_alloc(sizeof(*r));

    r->db = sqlite_open_reader(((struct sqlite *)db)->path);
    atomic_init(&r->stop, false);
    return r;
}

void sqlite_reader_close(void *reader)
{
    struct sqlite_reader *r = reader;

    sqlite3_close(r->db);
    free(r);
}

void sqlite_reader_stop(void *reader)
{
    struct sqlite_reader *r = reader;

    atomic_store(&r->stop, true);
    if (r->db)
        sqlite3_interrupt(r->db);
}

/* ---- the statement ---- */

static sqlite3_stmt *prepare(const struct search *s, const struct range *r)
{
    const struct table *t = table_of(s->subject->kind);
    const char *id = s->subject->id, *from = r->index[0] ? "x." : "m.";
    struct query q = { .first = 4 };
    sqlite3_stmt *out;

    amp_buf_init(&q.sql, q.text, sizeof(q.text));
    query_put(&q.sql, "SELECT m.", id, ", ", NULL);
    table_columns(t, "m.", &q.sql);
    if (r->index[0]) { /* CROSS: the index first, whatever the planner thinks */
        query_put(&q.sql, " FROM ", r->index, " x CROSS JOIN ", r->table,
                  " m ON m.id = x.id WHERE x.", t->by, " = ", NULL);
        amp_buf_int(&q.sql, query_key(s->ask));
    } else {
        query_put(&q.sql, " FROM ", r->table, " m WHERE true", NULL);
    }
    query_put(&q.sql, " AND ", from, id, " >= $1 AND ", from, id, " < $2", NULL);
    query_filters(&q, s->ask, s->subject, s->pattern, "m.payload");
    query_put(&q.sql, " ORDER BY ", from, id, s->forward ? " LIMIT $3" : " DESC LIMIT $3", NULL);
    amp_buf_putc(&q.sql, '\0');
    out = q.sql.full ? NULL : sqlite_prepare(s->reader->db, q.text);
    for (int i = 0; out && i < q.count; i++) {
        if (q.arguments[i].is_text)
            sqlite_bind_text(out, 4 + i, q.arguments[i].text);
        else
            sqlite3_bind_int64(out, 4 + i, q.arguments[i].number);
    }
    return out;
}

/* ---- ranges ---- */

static struct range *add_range(struct search *s, int64_t from, int64_t to, bool indexed)
{
    if (s->count == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 16;
        s->ranges = store_realloc(s->ranges, s->cap * sizeof(*s->ranges));
    }
    s->ranges[s->count] = (struct range){ .from = from, .to = to, .indexed = indexed };
    return &s->ranges[s->count++];
}

/* One table with a key: the database keeps its indexes itself. */
static int table_range(struct search *s)
{
    const struct store_ask *a = s->ask;
    const char *table = table_of(s->subject->kind)->name;
    int64_t from = 1, to;
    char sql[100];

    snprintf(sql, sizeof(sql), "SELECT max(key) + 1 FROM %s", table);
    if (sqlite_number(s->reader->db, sql, from, &to) < 0)
        return AMP_E_IO;
    if (a->before && s->forward)
        from = a->before + 1;
    if (a->before && !s->forward && a->before < to)
        to = a->before;
    if (a->what == ASK_TRANSACTIONS && a->transaction) {
        from = from < a->transaction ? a->transaction : from;
        to = to < a->transaction + 1 ? to : a->transaction + 1;
    }
    if (from < to)
        snprintf(add_range(s, from, to, a->charger != 0)->table, PARTITION_NAME_MAX, "%s", table);
    return 0;
}

/* The part of a partition that its index covers, or the one that it does not. */
static void part_range(struct search *s, const struct partition_entry *e, bool tail)
{
    const struct store_ask *a = s->ask;
    enum fact_kind kind = s->subject->kind;
    int64_t from = tail ? e->indexed_to : e->first_id, to = tail ? e->end_id : e->indexed_to;
    struct range *r;

    if (!tail && ((a->from_ms && e->to_ms < a->from_ms) || (a->to_ms && e->from_ms >= a->to_ms)))
        return;
    if (a->before && s->forward && from <= a->before)
        from = a->before + 1;
    if (a->before && !s->forward && to > a->before)
        to = a->before;
    if (from >= to)
        return;
    r = add_range(s, from, to, !tail && query_key(a));
    partition_name(kind, e->number, false, r->table);
    if (r->indexed)
        partition_name(kind, e->number, true, r->index);
}

static int partition_ranges(struct search *s)
{
    struct partition_entry *list;
    size_t count;
    bool forward = s->forward;
    int rc = partition_list(s->reader->db, s->subject->kind, forward ? 0 : s->ask->before, &list,
                            &count);

    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct partition_entry *e = &list[forward ? count - 1 - i : i];

        part_range(s, e, !forward);
        part_range(s, e, forward);
    }
    free(list);
    return rc;
}

/* ---- the search ---- */

/* Ids from <= id < to. 0 or AMP_E_IO. */
static int window(struct search *s, sqlite3_stmt *q, int64_t from, int64_t to)
{
    struct rows *out = s->out;
    int rc;

    sqlite3_bind_int64(q, 1, from);
    sqlite3_bind_int64(q, 2, to);
    sqlite3_bind_int64(q, 3,
                       (int64_t)s->ask->limit + 1 -
                           (int64_t)out->count); /* one more tells whether there is more */
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct fact f;

        sqlite_read_fact(q, 1, s->subject->kind, &f);
        rows_add(out, &f, sqlite3_column_int64(q, 0));
        if (out->count > (size_t)s->ask->limit || out->pool.bytes > query_bytes(s->ask)) {
            s->full = true;
            rc = SQLITE_DONE;
            break;
        }
    }
    sqlite3_reset(q);
    return rc == SQLITE_DONE ? 0 : AMP_E_IO;
}

/* Was the partition dropped since the catalogue was read? Then it has no rows. */
static bool dropped(const struct search *s, const struct range *r)
{
    char sql[150];
    int64_t there;

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM sqlite_master WHERE name = '%s'", r->table);
    return sqlite_number(s->reader->db, sql, 1, &there) == 0 && there == 0;
}

/* Window after window, until there are rows enough or the budget is spent. */
static int search_range(struct search *s, const struct range *r)
{
    bool forward = s->forward;
    int64_t from = r->from, to = r->to;
    sqlite3_stmt *q = prepare(s, r);
    int rc = q ? 0 : AMP_E_IO;

    while (rc == 0 && from < to && !s->full) {
        int64_t size = to - from < WINDOW ? to - from : WINDOW, start = forward ? from : to - size;

        if (s->budget <= 0) {
            s->out->next = forward ? from - 1 : to;
            s->full = true;
            break;
        }
        if (atomic_load(&s->reader->stop))
            rc = AMP_E_STATE;
        else
            rc = window(s, q, start, start + size);
        s->budget -= r->indexed ? size / INDEXED_COST : size;
        if (forward)
            from += size;
        else
            to -= size;
    }
    sqlite3_finalize(q);
    return rc == AMP_E_IO && dropped(s, r) ? 0 : rc;
}

static int ask_all(struct search *s)
{
    struct rows *out = s->out;
    int rc = table_of(s->subject->kind)->by ? partition_ranges(s) : table_range(s);

    for (size_t i = 0; rc == 0 && i < s->count && !s->full; i++)
        rc = search_range(s, &s->ranges[i]);
    if (rc < 0 || !s->full || out->next)
        return rc;
    if (out->count > (size_t)s->ask->limit)
        out->count--;
    out->next = out->ids[out->count - 1];
    return 0;
}

/* All in one statement. */
static int ask_whole(struct search *s, struct query *q)
{
    struct rows *out = s->out;
    sqlite3_stmt *at = sqlite_prepare(s->reader->db, q->text);
    int rc;

    for (int i = 0; at && i < q->count; i++)
        sqlite3_bind_int64(at, 1 + i, q->arguments[i].number);
    while ((rc = at ? sqlite3_step(at) : SQLITE_ERROR) == SQLITE_ROW) {
        struct fact f;

        if (out->count == (size_t)s->ask->limit) {
            out->next = out->ids[out->count - 1];
            rc = SQLITE_DONE;
            break;
        }
        sqlite_read_fact(at, 1, s->subject->kind, &f);
        rows_add(out, &f, sqlite3_column_int64(at, 0));
    }
    sqlite3_finalize(at);
    return rc == SQLITE_DONE ? 0 : atomic_load(&s->reader->stop) ? AMP_E_STATE : AMP_E_IO;
}

int sqlite_ask(void *reader, const struct store_ask *ask, struct rows *out)
{
    struct search s = { .reader = reader, .ask = ask, .out = out, .budget = BUDGET };
    struct query whole;
    int rc;

    if (!query_legal(ask))
        return AMP_E_RANGE;
    if (!s.reader->db)
        return AMP_E_IO;
    s.subject = query_subject_of(ask->what);
    s.forward = query_forward(ask);
    amp_buf_init(&whole.sql, whole.text, sizeof(whole.text));
    if (query_whole(&whole, ask))
        return ask_whole(&s, &whole);
    s.pattern = query_pattern(ask);
    rc = ask_all(&s);
    free(s.pattern);
    free(s.ranges);
    return rc;
}
