/* central/store/postgres_commit.c - a batch as one transaction: for each kind one statement with an
 * array for each column, all sent without waiting for an answer (libpq's pipeline mode). One round
 * trip and one sync a batch, 0.4 us of our time a row.
 *
 * Histories go first, so that their rows find the owner of their charger as it was before the
 * batch; rows that follow a charger in the batch bring it along. Of a row that is replaced several
 * times in one statement the last one counts (DISTINCT ON): PostgreSQL would refuse the statement.
 */
#include "central/store/postgres.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* A statement has at most so many rows and bytes of text. It bounds what libpq keeps in memory. */
#define CHUNK_ROWS  4096
#define CHUNK_BYTES ((size_t)8 << 20)
#define ZONE_MS     16383 /* zones are widened to such multiples, and so written rarely */

/* ---- statements ---- */

static void names_of_columns(const struct table *t, struct amp_buf *out)
{
    table_columns(t, "", out);
}

/* unnest($first::bigint[], …) */
static void unnest(const struct table *t, int first, bool owner, struct amp_buf *out)
{
    int at = first;

    amp_buf_puts(out, " FROM unnest(");
    if (owner) {
        amp_buf_puts(out, "$");
        amp_buf_int(out, at++);
        amp_buf_puts(out, "::bigint[], ");
    }
    for (size_t i = 0; i < t->count; i++) {
        amp_buf_puts(out, i ? ", $" : "$");
        amp_buf_int(out, at++);
        amp_buf_puts(out, "::");
        amp_buf_puts(out, pg_type_name(pg_type_of(&t->columns[i])));
    }
    amp_buf_puts(out, ") WITH ORDINALITY AS u (");
    amp_buf_puts(out, owner ? "owner, " : "");
    names_of_columns(t, out);
    amp_buf_puts(out, ", nth)");
}

/* $1 is the id before the first. */
static void spell_append(const struct table *t, struct amp_buf *out)
{
    amp_buf_puts(out, "INSERT INTO ");
    amp_buf_puts(out, t->name);
    amp_buf_puts(out, t->owned ? " (id, " : " (id, org, ");
    names_of_columns(t, out);
    amp_buf_puts(out, ") SELECT $1::bigint + u.nth, ");
    if (!t->owned) {
        amp_buf_puts(out, "COALESCE(u.owner, (SELECT c.org FROM charger c WHERE c.key = "
                          "u.charger), ");
        amp_buf_int(out, ORG_DEFAULT);
        amp_buf_puts(out, "), ");
    }
    table_columns(t, "u.", out);
    unnest(t, 2, !t->owned, out);
}

static void spell_key(const struct table *t, struct amp_buf *out)
{
    const char *separator = "";

    for (size_t i = 0; i < t->count; i++) {
        if (t->columns[i].use != COLUMN_KEY)
            continue;
        amp_buf_puts(out, separator);
        amp_buf_puts(out, "u.");
        amp_buf_puts(out, t->columns[i].name);
        separator = ", ";
    }
    if (t->folded) { /* C: only A to Z, as everywhere */
        amp_buf_puts(out, ", lower(u.");
        amp_buf_puts(out, t->folded);
        amp_buf_puts(out, " COLLATE \"C\")");
    }
}

/* Of rows that add up, those of one key in the batch are added up first. In the order of the key:
 * two processes that add to the same rows must not wait for each other in a circle. */
static void spell_sum(const struct table *t, struct amp_buf *out)
{
    amp_buf_puts(out, "INSERT INTO ");
    amp_buf_puts(out, t->name);
    amp_buf_puts(out, " (");
    names_of_columns(t, out);
    amp_buf_puts(out, ") SELECT ");
    for (size_t i = 0; i < t->count; i++) {
        const struct column *c = &t->columns[i];

        amp_buf_puts(out, i ? ", " : "");
        amp_buf_puts(out, c->use == COLUMN_SUM ? "sum(" : c->use == COLUMN_MAX ? "max(" : "");
        amp_buf_puts(out, "u.");
        amp_buf_puts(out, c->name);
        amp_buf_puts(out, c->use == COLUMN_SUM ? ")::bigint" : c->use == COLUMN_MAX ? ")" : "");
    }
    unnest(t, 1, false, out);
    amp_buf_puts(out, " GROUP BY ");
    spell_key(t, out);
    amp_buf_puts(out, " ORDER BY ");
    spell_key(t, out);
    table_conflict(t, out);
}

static void spell_upsert(const struct table *t, struct amp_buf *out)
{
    amp_buf_puts(out, "INSERT INTO ");
    amp_buf_puts(out, t->name);
    amp_buf_puts(out, " (");
    names_of_columns(t, out);
    amp_buf_puts(out, t->folded ? ", folded) SELECT DISTINCT ON (" : ") SELECT DISTINCT ON (");
    spell_key(t, out);
    amp_buf_puts(out, ") ");
    table_columns(t, "u.", out);
    if (t->folded) {
        amp_buf_puts(out, ", lower(u.");
        amp_buf_puts(out, t->folded);
        amp_buf_puts(out, " COLLATE \"C\")");
    }
    unnest(t, 1, false, out);
    amp_buf_puts(out, " ORDER BY ");
    spell_key(t, out);
    amp_buf_puts(out, ", nth DESC");
    table_conflict(t, out);
}

/* ---- sending ---- */

/* Queue one statement, and what is queued to the server: its answers are short and wait in the
 * socket. */
int pg_send_prepared(struct postgres *s, const char *name, const struct pg_arguments *a)
{
    struct pg_link *l = &s->link;
    int left;

    if (!PQsendQueryPrepared(l->conn, name, a->count, a->values, a->lengths, a->formats, 0)) {
        pg_fail(l, NULL);
        return AMP_E_IO;
    }
    while ((left = PQflush(l->conn)) > 0)
        if (pg_poll(l, true) < 0 || !PQconsumeInput(l->conn))
            break;
    if (left != 0) {
        pg_fail(l, NULL);
        pg_hang_up(l); /* half a statement is out */
        return AMP_E_IO;
    }
    return 0;
}

static int prepare(struct postgres *s, enum fact_kind kind)
{
    const struct table *t = table_of(kind);
    char text[8192];
    struct amp_buf sql;

    if (s->prepared[kind])
        return 0;
    amp_buf_init(&sql, text, sizeof(text));
    if (t->by)
        spell_append(t, &sql);
    else if (t->summed)
        spell_sum(t, &sql);
    else
        spell_upsert(t, &sql);
    amp_buf_putc(&sql, '\0');
    assert(!sql.full);
    if (!PQsendPrepare(s->link.conn, t->name, text, 0, NULL)) {
        pg_fail(&s->link, NULL);
        return AMP_E_IO;
    }
    s->prepared[kind] = true; /* taken back when the batch fails */
    return 0;
}

static void argument_number(struct pg_arguments *a, char text[24], int64_t v)
{
    snprintf(text, 24, "%lld", (long long)v);
    a->values[a->count++] = text;
}

/* First of the batch, and it fails when another process took over: dividing by no rows is what ends
 * a transaction without asking back. */
static int send_mark(struct postgres *s)
{
    struct pg_arguments a = { .count = 0 };
    char epoch[24], number[24], node[24];

    argument_number(&a, epoch, s->epoch);
    argument_number(&a, number, s->number);
    argument_number(&a, node, s->node_number);
    return pg_send_prepared(s, "store_writer", &a);
}

static int send_zone(struct postgres *s, enum fact_kind kind)
{
    const struct pg_history *h = &s->histories[kind];
    struct pg_arguments a = { .count = 0 };
    char texts[4][24];

    argument_number(&a, texts[0], kind);
    argument_number(&a, texts[1], h->zone);
    argument_number(&a, texts[2], h->zone_from_ms);
    argument_number(&a, texts[3], h->zone_to_ms);
    return pg_send_prepared(s, "history_zone", &a);
}

static int send_high_water(struct postgres *s)
{
    for (int kind = FACT_CHARGER; kind < FACT_KINDS; kind++) {
        struct pg_arguments a = { .count = 0 };
        char value[24];

        if (s->node || s->high[kind] == s->noted[kind])
            continue; /* a node's are reserved before they are used */
        a.values[a.count++] = table_of((enum fact_kind)kind)->counter;
        argument_number(&a, value, s->high[kind]);
        if (pg_send_prepared(s, "high_water", &a) < 0)
            return AMP_E_IO;
    }
    return 0;
}

/* ---- whose charger ---- */

/* For each fact of the batch the organisation that a charger before it in the batch names; 0: ask
 * the database. NULL when there is no charger in the batch. */
struct owner {
    int64_t charger, org; /* charger 0: free */
};

static struct owner *owner_of(struct owner *table, size_t mask, int64_t charger)
{
    size_t at = (size_t)((uint64_t)charger * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;

    while (table[at].charger && table[at].charger != charger)
        at = (at + 1) & mask;
    return &table[at];
}

/* Of a history; every one has it first or second in its struct, and the column's name is the same.
 */
static int64_t charger_of(const struct fact *f)
{
    switch (f->kind) {
    case FACT_STATUS:
        return f->u.status.charger;
    case FACT_READING:
        return f->u.reading.charger;
    case FACT_MESSAGE:
        return f->u.message.charger;
    case FACT_CONNECTION:
        return f->u.connection.charger;
    default:
        return 0;
    }
}

static int64_t *find_owners(const struct batch *b, size_t chargers)
{
    size_t mask = 15, n = 0;
    struct owner *table;
    int64_t *out;

    if (!chargers)
        return NULL;
    while (mask < 2 * chargers)
        mask = 2 * mask + 1;
    table = store_alloc((mask + 1) * sizeof(*table));
    memset(table, 0, (mask + 1) * sizeof(*table));
    out = store_alloc(b->count * sizeof(*out));
    for (const struct batch_item *i = b->first; i; i = i->next) {
        int64_t charger = charger_of(&i->fact);

        if (i->fact.kind == FACT_CHARGER && i->fact.u.charger.key)
            *owner_of(table, mask, i->fact.u.charger.key) =
                (struct owner){ i->fact.u.charger.key, i->fact.u.charger.org };
        out[n++] = charger ? owner_of(table, mask, charger)->org : 0;
    }
    free(table);
    return out;
}

/* ---- rows ---- */

static size_t add_row(struct postgres *s, const struct table *t, const struct fact *f)
{
    size_t bytes = 0;

    for (size_t i = 0; i < t->count; i++) {
        const struct column *c = &t->columns[i];
        const void *field = column_in(c, f);
        struct pg_array *a = &s->arrays[i];

        switch ((enum column_type)c->type) {
        case COLUMN_INT64:
            pg_array_int64(a, *(const int64_t *)field);
            break;
        case COLUMN_INT32:
            pg_array_int32(a, *(const int32_t *)field);
            break;
        case COLUMN_UINT32:
            pg_array_int64(a, *(const uint32_t *)field);
            break;
        case COLUMN_BOOL:
            pg_array_int32(a, *(const bool *)field);
            break;
        case COLUMN_TEXT:
            pg_array_text(a, *(const struct amp_text *)field);
            bytes += ((const struct amp_text *)field)->len;
            break;
        }
    }
    return bytes;
}

static void begin_rows(struct postgres *s, const struct table *t)
{
    assert(t->count + 2 <= PG_ARGUMENTS_MAX);
    pg_array_reset(&s->owners, PG_INT64);
    for (size_t i = 0; i < t->count; i++)
        pg_array_reset(&s->arrays[i], pg_type_of(&t->columns[i]));
}

static int64_t time_of(const struct table *t, const struct fact *f)
{
    for (size_t i = 0; i < t->count; i++)
        if (!strcmp(t->columns[i].name, t->time))
            return *(const int64_t *)column_in(&t->columns[i], f);
    return 0;
}

/* The rows collected so far. */
static int send_rows(struct postgres *s, enum fact_kind kind)
{
    const struct table *t = table_of(kind);
    struct pg_history *h = &s->histories[kind];
    struct pg_arguments a = { .count = 0 };
    uint32_t rows = s->arrays[0].count;
    char before[24];

    if (!rows)
        return 0;
    if (t->by) {
        argument_number(&a, before, h->next_id - 1);
        if (!t->owned)
            pg_argument_array(&a, &s->owners);
        h->next_id += rows;
    }
    for (size_t i = 0; i < t->count; i++)
        pg_argument_array(&a, &s->arrays[i]);
    if (prepare(s, kind) < 0 || pg_send_prepared(s, t->name, &a) < 0)
        return AMP_E_IO;
    begin_rows(s, t);
    return 0;
}

/* Widen the zone of the row that comes next. True: it must be written. */
static bool widen_zone(struct pg_history *h, int64_t id, int64_t at_ms)
{
    bool fresh = h->zone != id / ZONE_IDS;

    if (!fresh && at_ms >= h->zone_from_ms && at_ms <= h->zone_to_ms)
        return false;
    if (fresh || at_ms < h->zone_from_ms)
        h->zone_from_ms = at_ms & ~(int64_t)ZONE_MS;
    if (fresh || at_ms > h->zone_to_ms)
        h->zone_to_ms = at_ms | ZONE_MS;
    h->zone = id / ZONE_IDS;
    return true;
}

static int write_kind(struct postgres *s, const struct batch *b, enum fact_kind kind,
                      const int64_t *owners)
{
    const struct table *t = table_of(kind);
    struct pg_history *h = &s->histories[kind];
    bool wider = false;
    size_t bytes = 0, n = 0;
    int rc = 0;

    begin_rows(s, t);
    for (const struct batch_item *i = b->first; rc == 0 && i; i = i->next, n++) {
        int64_t id = h->next_id + s->arrays[0].count;

        if (i->fact.kind != kind || i->refused)
            continue;
        if (s->arrays[0].count == CHUNK_ROWS || bytes > CHUNK_BYTES)
            rc = send_rows(s, kind), bytes = 0;
        if (rc == 0 && t->by && wider && id / ZONE_IDS != h->zone) {
            rc = send_zone(s, kind);
            wider = false;
        }
        if (t->by) {
            wider = widen_zone(h, id, time_of(t, &i->fact)) || wider;
            if (owners && owners[n])
                pg_array_int64(&s->owners, owners[n]);
            else
                pg_array_null(&s->owners);
        } else if (t->counter) {
            int64_t key = *(const int64_t *)column_in(&t->columns[0], &i->fact);

            s->high[kind] = key > s->high[kind] ? key : s->high[kind];
        }
        bytes += add_row(s, t, &i->fact);
    }
    if (rc == 0)
        rc = send_rows(s, kind);
    if (rc == 0 && wider)
        rc = send_zone(s, kind);
    return rc;
}

/* ---- the transaction ---- */

static const char *const fixed[][2] = {
    { "store_writer", "WITH mark AS (UPDATE store_writer SET batch = batch + 1 WHERE epoch = "
                      "$1::bigint AND batch = $2::bigint AND one = $3::bigint RETURNING 1) SELECT "
                      "1 / count(*) FROM "
                      "mark" },
    { "history_zone", "INSERT INTO history_zone AS z (kind, zone, from_ms, to_ms) VALUES "
                      "($1::integer, $2::bigint, $3::bigint, $4::bigint) ON CONFLICT (kind, zone) "
                      "DO UPDATE SET from_ms = LEAST(z.from_ms, excluded.from_ms), "
                      "to_ms = GREATEST(z.to_ms, excluded.to_ms)" },
    { "high_water", "INSERT INTO high_water AS h (name, value) VALUES ($1::text, $2::bigint) ON "
                    "CONFLICT (name) DO UPDATE SET value = GREATEST(h.value, excluded.value)" },
};

static int prepare_fixed(struct postgres *s)
{
    for (size_t i = 0; !s->prepared_fixed && i < AMP_COUNT(fixed); i++) {
        if (PQsendPrepare(s->link.conn, fixed[i][0], fixed[i][1], 0, NULL))
            continue;
        pg_fail(&s->link, NULL);
        return AMP_E_IO;
    }
    s->prepared_fixed = true;
    return 0;
}

static int send_all(struct postgres *s, const struct batch *b, const size_t *counts)
{
    int64_t *owners = find_owners(b, counts[FACT_CHARGER]);
    int rc = prepare_fixed(s);

    if (rc == 0 && !s->node)
        rc = send_mark(s);
    for (int histories = 1; histories >= 0; histories--)
        for (int kind = FACT_CHARGER; rc == 0 && kind < FACT_KINDS; kind++)
            if (counts[kind] && !table_of((enum fact_kind)kind)->by == !histories)
                rc = write_kind(s, b, (enum fact_kind)kind, owners);
    if (rc == 0)
        rc = send_high_water(s);
    if (rc == 0 && s->node)
        rc = pg_node_tell(s, b);
    free(owners);
    return rc;
}

/* Until the answer to the sync: only then is it committed. 0, or AMP_E_IO with the first reason. */
static int read_answers(struct postgres *s)
{
    struct pg_link *l = &s->link;
    int failed = 0;

    for (;;) {
        PGresult *r;
        ExecStatusType status;

        while (PQflush(l->conn) > 0 || PQisBusy(l->conn)) {
            if (pg_poll(l, PQflush(l->conn) > 0) < 0) {
                snprintf(l->error, sizeof(l->error), "the database does not answer in time");
                l->state[0] = '\0';
                pg_hang_up(l);
                return AMP_E_IO;
            }
            if (!PQconsumeInput(l->conn))
                break;
        }
        r = PQgetResult(l->conn);
        status = r ? PQresultStatus(r) : PGRES_COMMAND_OK;
        if (status == PGRES_PIPELINE_SYNC) {
            PQclear(r);
            return failed;
        }
        if (status == PGRES_FATAL_ERROR && !failed)
            pg_fail(l, r), failed = AMP_E_IO;
        PQclear(r);
        if (!l->conn || PQstatus(l->conn) == CONNECTION_BAD) {
            if (!failed)
                pg_fail(l, NULL);
            pg_hang_up(l);
            return AMP_E_IO;
        }
    }
}

/* Nothing of it got in: what we know is what is in the database. */
static void forget(struct postgres *s, const struct pg_history *histories)
{
    memcpy(s->histories, histories, sizeof(s->histories));
    for (int kind = 0; kind < FACT_KINDS; kind++)
        s->histories[kind].zone = -1;
    memset(s->prepared, 0, sizeof(s->prepared));
    s->prepared_fixed = false;
    if (s->link.conn) {
        struct pg_link link = s->link; /* keep the reason */

        if (pg_exec(&link, "DEALLOCATE ALL") < 0)
            pg_hang_up(&link);
        s->link.conn = link.conn;
    }
}

int pg_write(struct postgres *s, struct batch *b)
{
    struct pg_history before[FACT_KINDS];
    size_t counts[FACT_KINDS] = { 0 };
    int rc = 0;

    for (const struct batch_item *i = b->first; i; i = i->next)
        counts[i->fact.kind]++;
    if (s->node)
        rc = pg_node_reserve(s, counts);
    for (int kind = FACT_CHARGER; rc == 0 && kind < FACT_KINDS; kind++)
        if (counts[kind] && table_of((enum fact_kind)kind)->by)
            rc = pg_make_partitions(s, (enum fact_kind)kind, counts[kind]);
    if (rc < 0)
        return rc;
    if (s->node && (rc = pg_node_begin(s, b)) < 0) {
        pg_hang_up(&s->link); /* with whatever was begun */
        return rc;
    }
    memcpy(before, s->histories, sizeof(before));
    if (!PQenterPipelineMode(s->link.conn)) {
        pg_hang_up(&s->link);
        return AMP_E_IO;
    }
    rc = send_all(s, b, counts);
    if (rc < 0) { /* no sync was sent: it cannot have been committed */
        pg_hang_up(&s->link);
    } else if (!PQpipelineSync(s->link.conn)) {
        pg_fail(&s->link, NULL);
        pg_hang_up(&s->link);
        s->unknown = true; /* it may be out */
        rc = AMP_E_IO;
    } else {
        rc = read_answers(s);
        s->unknown = rc < 0 && !s->link.conn;
    }
    if (s->link.conn)
        PQexitPipelineMode(s->link.conn);
    if (rc < 0 && s->node) {
        struct pg_link link = s->link; /* keep the reason */

        if (link.conn && pg_exec(&link, "ROLLBACK") < 0)
            pg_hang_up(&link);
        s->link.conn = link.conn;
    }
    if (rc < 0) {
        forget(s, before);
        return rc;
    }
    s->number++;
    memcpy(s->noted, s->high, sizeof(s->noted));
    return 0;
}
