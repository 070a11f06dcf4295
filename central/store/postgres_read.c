/* central/store/postgres_read.c - questions about the past. Each is answered in windows, a short
 * statement each: for one charger or transaction the next so many rows of its index, for a fleet
 * the zones of 65,536 ids whose times can match. A budget bounds the whole, whatever the conditions
 * leave of it; what is left over is asked again with the cursor. */
#include "central/store/postgres.h"
#include "central/store/query.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define ZONES     4    /* windows of a scan */
#define KEYED     8192 /* rows of an index; they may be on as many pages */
#define ANSWER_MS 15000

static const char reader_settings[] =
    "SET default_transaction_read_only = on; SET statement_timeout = '10s'; SET jit = off;"
    "SET client_min_messages = warning; SELECT set_config(name, '1000', false) FROM pg_settings "
    "WHERE name = 'client_connection_check_interval'";

struct search {
    struct pg_reader *reader;
    const struct store_ask *ask;
    const struct query_subject *subject;
    bool forward; /* oldest first */
    struct rows *out;
    char *pattern; /* for LIKE; NULL */
    bool full;
};

void *pg_reader_open(void *db)
{
    struct pg_reader *r = store_alloc(sizeof(*r));

    *r = (struct pg_reader){ .link = { .url = ((struct postgres *)db)->url,
                                       .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                       .timeout_ms = ANSWER_MS } };
    if (r->link.wake < 0)
        abort(); /* no descriptors: the server makes room for them at the start */
    return r;
}

void pg_reader_close(void *reader)
{
    struct pg_reader *r = reader;

    pg_hang_up(&r->link);
    close(r->link.wake);
    free(r);
}

void pg_reader_stop(void *reader)
{
    const struct pg_reader *r = reader;
    uint64_t one = 1;

    while (write(r->link.wake, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

int pg_reader_ready(struct pg_reader *r)
{
    return r->link.conn ? 0 : pg_connect(&r->link, reader_settings);
}

/* ---- a window ---- */

static void take_row(void *ctx, const PGresult *row, int at)
{
    struct search *s = ctx;
    struct fact f;

    if (s->full)
        return;
    pg_read_fact(row, at, 1, s->subject->kind, &f);
    rows_add(s->out, &f, pg_integer(row, at, 0));
    s->full = s->out->count > (size_t)s->ask->limit || s->out->pool.bytes > query_bytes(s->ask);
}

/* As an argument: with an end, and in UTF-8. */
static char *text_argument(struct amp_text t)
{
    char *out = store_alloc(3 * (size_t)t.len + 1);

    out[pg_clean_text(out, t)] = '\0';
    return out;
}

/* Ids from <= id < to. */
static int window(struct search *s, int64_t from, int64_t to)
{
    const struct table *t = table_of(s->subject->kind);
    const char *id = s->subject->id;
    struct query q = { .first = 4 };
    struct pg_arguments a = { .count = 3 };
    char numbers[19][24], *texts[16] = { NULL };
    int rc = AMP_E_RANGE;

    amp_buf_init(&q.sql, q.text, sizeof(q.text));
    query_put(&q.sql, "SELECT m.", id, ", ", NULL);
    table_columns(t, "m.", &q.sql);
    query_put(&q.sql, " FROM ", t->name, " m WHERE m.", id, " >= $1 AND m.", id, " < $2", NULL);
    query_filters(&q, s->ask, s->subject, s->pattern, "lower(m.payload COLLATE \"C\")");
    query_put(&q.sql, " ORDER BY m.", id, s->forward ? " LIMIT $3" : " DESC LIMIT $3", NULL);
    amp_buf_putc(&q.sql, '\0');
    snprintf(numbers[0], 24, "%lld", (long long)from);
    snprintf(numbers[1], 24, "%lld", (long long)to);
    /* one more tells whether there is more */
    snprintf(numbers[2], 24, "%lld", (long long)s->ask->limit + 1 - (long long)s->out->count);
    for (int i = 0; i < 3; i++)
        a.values[i] = numbers[i];
    for (int i = 0; i < q.count; i++) {
        if (q.arguments[i].is_text) {
            a.values[a.count++] = texts[i] = text_argument(q.arguments[i].text);
        } else {
            snprintf(numbers[3 + i], 24, "%lld", (long long)q.arguments[i].number);
            a.values[a.count++] = numbers[3 + i];
        }
    }
    if (!q.sql.full)
        rc = pg_ask(&s->reader->link, q.text, &a, take_row, s);
    for (int i = 0; i < q.count; i++)
        free(texts[i]);
    return rc;
}

/* ---- by an index ---- */

struct edge {
    int64_t id, count;
};

static void take_edge(void *ctx, const PGresult *row, int at)
{
    if (!PQgetisnull(row, at, 0))
        *(struct edge *)ctx = (struct edge){ pg_integer(row, at, 0), pg_integer(row, at, 1) };
}

/* The id of the `rows`th row of the key behind `start`. */
static int find_edge(struct search *s, int64_t start, int64_t rows, struct edge *out)
{
    const struct table *t = table_of(s->subject->kind);
    const char *id = s->subject->id, *by = t->by ? t->by : "charger";
    bool forward = s->forward;
    char sql[400];

    *out = (struct edge){ start, 0 };
    snprintf(sql, sizeof(sql),
             "SELECT %s(i), count(*) FROM (SELECT %s AS i FROM %s WHERE %s = %lld AND %s %s %lld "
             "ORDER BY %s %s LIMIT %lld) rows",
             forward ? "max" : "min", id, t->name, by, (long long)query_key(s->ask), id,
             forward ? ">" : "<", (long long)start, id, forward ? "" : "DESC", (long long)rows);
    return pg_ask(&s->reader->link, sql, NULL, take_edge, out);
}

/* First as many rows as may be enough, then what the budget leaves. */
static int search_key(struct search *s)
{
    bool forward = s->forward;
    int64_t rows = s->ask->limit + 1, left = KEYED;
    int64_t start = s->ask->before || forward ? s->ask->before : INT64_MAX;

    while (!s->full) {
        struct edge edge;
        int rc;

        if (left <= 0) {
            s->out->next = start;
            s->full = true;
            return 0;
        }
        rc = find_edge(s, start, rows, &edge);
        if (rc == 0 && edge.count)
            rc = forward ? window(s, start + 1, edge.id + 1) : window(s, edge.id, start);
        if (rc < 0 || edge.count < rows)
            return rc;
        start = edge.id;
        left -= rows;
        rows = left > 0 ? left : 1;
    }
    return 0;
}

/* ---- by scanning ---- */

struct zones {
    int64_t at[ZONES + 1];
    int count;
};

static void take_zone(void *ctx, const PGresult *row, int at)
{
    struct zones *z = ctx;

    z->at[z->count++] = pg_integer(row, at, 0);
}

/* Zones of a history that may have what is asked for, in the order of the answer, from the one of
 * `start`. */
static int find_zones(struct search *s, int64_t start, struct zones *out)
{
    char sql[300];

    out->count = 0;
    snprintf(sql, sizeof(sql),
             "SELECT zone FROM history_zone WHERE kind = %d AND zone %s %lld AND to_ms >= %lld AND "
             "from_ms < %lld ORDER BY zone %s LIMIT %d",
             (int)s->subject->kind, s->forward ? ">=" : "<=", (long long)(start / ZONE_IDS),
             s->ask->from_ms ? (long long)s->ask->from_ms : (long long)INT64_MIN + 1,
             s->ask->to_ms ? (long long)s->ask->to_ms : (long long)INT64_MAX,
             s->forward ? "" : "DESC", ZONES + 1);
    return pg_ask(&s->reader->link, sql, NULL, take_zone, out);
}

/* The same for a table with a key: all there are. */
static int list_zones(struct search *s, int64_t start, struct zones *out)
{
    const char *table = table_of(s->subject->kind)->name;
    char sql[200];
    int64_t first, last, step = s->forward ? 1 : -1, zone;

    out->count = 0;
    snprintf(sql, sizeof(sql), "SELECT min(key) FROM %s WHERE key %s %lld", table,
             s->forward ? ">=" : "<=", (long long)start);
    if (pg_number(&s->reader->link, sql, -1, &first) < 0)
        return AMP_E_IO;
    snprintf(sql, sizeof(sql), "SELECT max(key) FROM %s WHERE key %s %lld", table,
             s->forward ? ">=" : "<=", (long long)start);
    if (pg_number(&s->reader->link, sql, -1, &last) < 0)
        return AMP_E_IO;
    if (last < 0)
        return 0;
    first /= ZONE_IDS;
    last /= ZONE_IDS;
    for (zone = s->forward ? first : last; zone >= first && zone <= last && out->count <= ZONES;
         zone += step)
        out->at[out->count++] = zone;
    return 0;
}

/* The first id that may be in the answer. */
static int64_t scan_start(const struct search *s)
{
    if (s->forward)
        return s->ask->before + 1;
    return s->ask->before ? s->ask->before - 1 : INT64_MAX - 1;
}

static int scan(struct search *s)
{
    int64_t start = scan_start(s);
    struct zones zones;
    int rc = table_of(s->subject->kind)->by ? find_zones(s, start, &zones)
                                            : list_zones(s, start, &zones);

    for (int i = 0; rc == 0 && !s->full && i < zones.count; i++) {
        int64_t from = zones.at[i] * ZONE_IDS, to = from + ZONE_IDS;

        if (s->forward && from < start)
            from = start;
        if (!s->forward && to > start + 1)
            to = start + 1;
        if (i == ZONES) {
            s->out->next = s->forward ? from - 1 : to;
            s->full = true;
        } else {
            rc = window(s, from, to);
        }
    }
    return rc;
}

/* ---- in one statement ---- */

static int ask_whole(struct search *s, const struct query *q)
{
    struct pg_arguments a = { .count = 0 };
    char numbers[6][24];

    for (int i = 0; i < q->count; i++) {
        snprintf(numbers[i], 24, "%lld", (long long)q->arguments[i].number);
        a.values[a.count++] = numbers[i];
    }
    return pg_ask(&s->reader->link, q->text, &a, take_row, s);
}

/* ---- the search ---- */

static int search(struct search *s)
{
    const struct store_ask *a = s->ask;
    struct rows *out = s->out;
    struct query whole;
    int rc = pg_reader_ready(s->reader);

    if (rc < 0)
        return rc;
    amp_buf_init(&whole.sql, whole.text, sizeof(whole.text));
    if (query_whole(&whole, a))
        rc = ask_whole(s, &whole);
    else if (a->what == ASK_TRANSACTIONS && a->transaction)
        rc = !a->before || (s->forward ? a->transaction > a->before : a->transaction < a->before)
                 ? window(s, a->transaction, a->transaction + 1)
                 : 0;
    else
        rc = query_key(a) ? search_key(s) : scan(s);
    if (rc < 0 || !s->full || out->next)
        return rc;
    if (out->count > (size_t)a->limit)
        out->count--;
    out->next = out->ids[out->count - 1];
    return 0;
}

/* A connection that turns out to be dead, as after a restart of the server, is replaced once. */
int pg_answer(void *reader, const struct store_ask *ask, struct rows *out)
{
    struct search s = { .reader = reader, .ask = ask, .out = out };
    bool had = s.reader->link.conn != NULL;
    int rc;

    if (!query_legal(ask))
        return AMP_E_RANGE;
    s.subject = query_subject_of(ask->what);
    s.forward = query_forward(ask);
    s.pattern = query_pattern(ask);
    rc = search(&s);
    if (rc == AMP_E_IO && had && !s.reader->link.conn) {
        rows_free(out);
        s.full = false;
        rc = search(&s);
    }
    free(s.pattern);
    return rc;
}
