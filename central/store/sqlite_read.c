/* central/store/sqlite_read.c - questions about the past. A question is cut into ranges of ids (the
 * partitions, each in the part that its index covers and the part that must be scanned) and each
 * range into windows; every window is a read transaction of its own, so that no search keeps the
 * log from starting over, and a budget of windows bounds the whole. */
#include "central/store/sqlite.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define WINDOW 65536        /* ids */
#define BUDGET (4 * WINDOW) /* rows looked at; below 0.3 s when they are in the page cache */
#define INDEXED_COST \
    32 /* an id in a window that an index answers costs that much less than one that is scanned */
#define BYTES_MAX ((size_t)16 << 20)
#define TEXT_MAX  1000

struct argument {
    int64_t number;
    struct amp_text text;
    bool is_text;
};
/* A statement being written: $1 $2 are the window, $3 the limit. */
struct query {
    char text[4096];
    struct amp_buf sql;
    struct argument arguments[16];
    int count;
};

/* What a question is about. */
static const struct subject {
    enum fact_kind kind;
    const char *id;
    bool forward; /* oldest first */
} subjects[] = {
    [ASK_MESSAGES] = {FACT_MESSAGE,      "id",  false},
    [ASK_TRANSACTIONS] = { FACT_TRANSACTION, "key", false},
    [ASK_READINGS] = { FACT_READING,     "id",  true },
    [ASK_STATUS] = { FACT_STATUS,      "id",  false},
    [ASK_COMMANDS] = { FACT_COMMAND,     "key", false},
    [ASK_CONNECTIONS] = { FACT_CONNECTION,  "id",  false},
};

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
    const struct subject *subject;
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

static void condition(struct query *q, const char *text, struct argument a)
{
    amp_buf_puts(&q->sql, " AND m.");
    amp_buf_puts(&q->sql, text);
    amp_buf_puts(&q->sql, " $");
    amp_buf_int(&q->sql, 4 + q->count);
    q->arguments[q->count++] = a;
}

static void where_number(struct query *q, const char *text, int64_t number)
{
    condition(q, text, (struct argument){ .number = number });
}

static void where_text(struct query *q, const char *text, struct amp_text t)
{
    condition(q, text, (struct argument){ .text = t, .is_text = true });
}

static void filters(struct query *q, const struct search *s)
{
    const struct store_ask *a = s->ask;
    const char *time = table_of(s->subject->kind)->time;
    bool messages = a->what == ASK_MESSAGES, commands = a->what == ASK_COMMANDS,
         transactions = a->what == ASK_TRANSACTIONS;
    char text[64];

    where_number(q, "org =", a->org);
    if (a->charger)
        where_number(q, "charger =", a->charger);
    if (a->transaction && (commands || a->what == ASK_READINGS))
        where_number(q, "transaction_key =", a->transaction);
    if (a->connector >= 0 && !messages && a->what != ASK_CONNECTIONS)
        where_number(q, "connector =", a->connector);
    if (a->from_ms) {
        snprintf(text, sizeof(text), "%s >=", time);
        where_number(q, text, a->from_ms);
    }
    if (a->to_ms) {
        snprintf(text, sizeof(text), "%s <", time);
        where_number(q, text, a->to_ms);
    }
    if (a->action.len && (messages || commands))
        where_text(q, "action =", a->action);
    if (messages && a->direction)
        where_number(q, "direction =", a->direction);
    if (messages && a->type)
        where_number(q, "type =", a->type);
    if (messages && a->errors_only)
        amp_buf_puts(&q->sql, " AND (m.error IS NOT NULL OR m.type IN (4, 5))");
    if (s->pattern) {
        where_text(q, "payload LIKE", amp_text_of(s->pattern));
        amp_buf_puts(&q->sql, " ESCAPE '\\'");
    }
    if (transactions && a->open == 1)
        amp_buf_puts(&q->sql, " AND m.state < 5");
    if (transactions && a->open == 0)
        amp_buf_puts(&q->sql, " AND m.state >= 5");
}

/* %text% for LIKE, with what LIKE would take for itself escaped. NULL for no text. */
static char *pattern_of(struct amp_text t)
{
    char *out = t.len ? store_alloc(2 * (size_t)t.len + 3) : NULL, *to = out;

    if (!out)
        return NULL;
    *to++ = '%';
    for (uint32_t i = 0; i < t.len; i++) {
        if (t.at[i] == '%' || t.at[i] == '_' || t.at[i] == '\\')
            *to++ = '\\';
        *to++ = t.at[i];
    }
    *to++ = '%';
    *to = '\0';
    return out;
}

/* The value that the index of a history is searched for; 0: a scan. */
static int64_t index_key(const struct store_ask *a)
{
    return a->what == ASK_READINGS ? a->transaction : a->charger;
}

/* All the texts, up to a NULL. */
static void put(struct amp_buf *b, ...)
{
    va_list texts;
    const char *text;

    va_start(texts, b);
    while ((text = va_arg(texts, const char *)))
        amp_buf_puts(b, text);
    va_end(texts);
}

static sqlite3_stmt *prepare(const struct search *s, const struct range *r)
{
    const struct table *t = table_of(s->subject->kind);
    const char *id = s->subject->id, *from = r->index[0] ? "x." : "m.";
    struct query q = { .count = 0 };
    sqlite3_stmt *out;

    amp_buf_init(&q.sql, q.text, sizeof(q.text));
    put(&q.sql, "SELECT m.", id, ", ", NULL);
    table_columns(t, "m.", &q.sql);
    if (r->index[0]) { /* CROSS: the index first, whatever the planner thinks */
        put(&q.sql, " FROM ", r->index, " x CROSS JOIN ", r->table, " m ON m.id = x.id WHERE x.",
            t->by, " = ", NULL);
        amp_buf_int(&q.sql, index_key(s->ask));
    } else {
        put(&q.sql, " FROM ", r->table, " m WHERE true", NULL);
    }
    put(&q.sql, " AND ", from, id, " >= $1 AND ", from, id, " < $2", NULL);
    filters(&q, s);
    put(&q.sql, " ORDER BY ", from, id, s->subject->forward ? " LIMIT $3" : " DESC LIMIT $3", NULL);
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
    if (a->before && a->before < to)
        to = a->before;
    if (a->what == ASK_TRANSACTIONS && a->transaction) {
        from = a->transaction;
        to = to < from + 1 ? to : from + 1;
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
    if (a->before && s->subject->forward && from <= a->before)
        from = a->before + 1;
    if (a->before && !s->subject->forward && to > a->before)
        to = a->before;
    if (from >= to)
        return;
    r = add_range(s, from, to, !tail && index_key(a));
    partition_name(kind, e->number, false, r->table);
    if (r->indexed)
        partition_name(kind, e->number, true, r->index);
}

static int partition_ranges(struct search *s)
{
    struct partition_entry *list;
    size_t count;
    bool forward = s->subject->forward;
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
        if (out->count > (size_t)s->ask->limit || out->pool.bytes > BYTES_MAX) {
            s->full = true;
            rc = SQLITE_DONE;
            break;
        }
    }
    sqlite3_reset(q);
    return rc == SQLITE_DONE ? 0 : AMP_E_IO;
}

/* Window after window, until there are rows enough or the budget is spent. */
static int search_range(struct search *s, const struct range *r)
{
    bool forward = s->subject->forward;
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
    return rc;
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

int sqlite_ask(void *reader, const struct store_ask *ask, struct rows *out)
{
    struct search s = { .reader = reader, .ask = ask, .out = out, .budget = BUDGET };
    int rc;

    if (ask->what < ASK_MESSAGES || ask->what > ASK_CONNECTIONS || ask->limit < 1 ||
        ask->limit > 1000 || ask->text.len > TEXT_MAX ||
        (ask->what == ASK_READINGS && !ask->transaction))
        return AMP_E_RANGE;
    if (!s.reader->db)
        return AMP_E_IO;
    s.subject = &subjects[ask->what];
    s.pattern = ask->what == ASK_MESSAGES ? pattern_of(ask->text) : NULL;
    rc = ask_all(&s);
    free(s.pattern);
    free(s.ranges);
    return rc;
}
