/* central/store/postgres_node.c - one node of several on one database: its row and number, ids and
 * keys that nobody else gets, and what a batch of a node has that the batch of a lone process does
 * not: the fence and the change row.
 *
 * The fence. A batch says for each of its facts under which epoch its station was owned. Its
 * transaction first updates the node's own row of store_writer, then compares the epochs with
 * station_owner; facts of stations that have another owner by now are left out, and the node hears
 * of it. Who takes a station over raises the epoch, commits, and then waits for the rows of
 * store_writer of all others once: a batch that was past its comparison is in by then, one that was
 * not will see the new epoch. After that nothing of the former owner can come, and what the
 * database has of the station is all there is. (Rejected: locking the rows of station_owner in each
 * batch, which writes a page for each station that spoke.)
 *
 * The change row. One for each batch that changed the present, in the same transaction and as its
 * last statement, so that its place in the order (seq) is behind the row locks: of two batches that
 * wrote the same row the one whose value stands has the higher seq. */
#include "central/store/postgres.h"
#include "central/store/wire.h"
#include <stdio.h>
#include <stdlib.h>

#define SETUP_CLASS 1634562102
#define KEYS_MANY   (INT64_C(1) << 32) /* of the 2^53 that JSON can tell apart */
#define KEYS_FEW    65536              /* where a station reads them: 31 bits */

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS node (number BIGINT PRIMARY KEY, id TEXT UNIQUE, address TEXT, "
    "started TIMESTAMPTZ, seen TIMESTAMPTZ);"
    "CREATE TABLE IF NOT EXISTS node_leader (one INTEGER PRIMARY KEY, node BIGINT, until "
    "TIMESTAMPTZ);"
    "CREATE SEQUENCE IF NOT EXISTS change_seq;"
    "CREATE TABLE IF NOT EXISTS change (node BIGINT, batch BIGINT, seq BIGINT, at TIMESTAMPTZ, "
    "version INTEGER, shared BOOLEAN, facts BYTEA, PRIMARY KEY (node, batch));"
    "CREATE TABLE IF NOT EXISTS station_owner (identity TEXT PRIMARY KEY, charger BIGINT UNIQUE, "
    "node BIGINT, epoch BIGINT, at TIMESTAMPTZ);"
    "CREATE INDEX IF NOT EXISTS change_shared ON change (node, batch) WHERE shared;"
    "CREATE INDEX IF NOT EXISTS change_at ON change (at);"
    "CREATE INDEX IF NOT EXISTS station_owner_at ON station_owner (at);"
    "CREATE TABLE IF NOT EXISTS name_claim (kind INTEGER, name TEXT, key BIGINT, PRIMARY KEY "
    "(kind, name));"
    "CREATE TABLE IF NOT EXISTS history_next (kind INTEGER PRIMARY KEY, next BIGINT);"
    "CREATE INDEX IF NOT EXISTS charging_transaction_ended ON charging_transaction (charger, "
    "stop_seen_ms);"
    "CREATE INDEX IF NOT EXISTS command_created ON command (charger, created_ms);"
    "ALTER TABLE station_owner SET (fillfactor = 70)";

/* What was met while one process had the database for itself. */
static const char stations[] =
    "INSERT INTO station_owner (identity, charger, node, epoch, at) SELECT lower(c.id COLLATE "
    "\"C\"), min(c.key), 0, 0, now() FROM charger c WHERE NOT EXISTS (SELECT FROM station_owner o "
    "WHERE o.charger = c.key) AND COALESCE(c.deleted_ms, 0) = 0 GROUP BY 1 ORDER BY 1 ON CONFLICT "
    "DO NOTHING";
static const char names[] =
    "INSERT INTO name_claim (kind, name, key) SELECT 9, lower(p.login COLLATE \"C\"), min(p.key) "
    "FROM person p WHERE NOT EXISTS (SELECT FROM name_claim n WHERE n.kind = 9 AND n.key = p.key) "
    "GROUP BY 2 ORDER BY 2 ON CONFLICT DO NOTHING";

int pg_node_begin_setup(struct postgres *s)
{
    char sql[120];

    snprintf(sql, sizeof(sql), "SELECT pg_advisory_lock(%d, hashtext(current_schema()))",
             SETUP_CLASS);
    return pg_exec(&s->link, sql);
}

int pg_node_end_setup(struct postgres *s)
{
    char sql[120];

    snprintf(sql, sizeof(sql), "SELECT pg_advisory_unlock(%d, hashtext(current_schema()))",
             SETUP_CLASS);
    return pg_exec(&s->link, sql);
}

static void take_number(void *ctx, const PGresult *row, int at)
{
    *(int64_t *)ctx = pg_integer(row, at, 0);
}

char *pg_node_setup(struct postgres *s)
{
    struct pg_arguments a = { .values = { s->node, s->address }, .count = 2 };

    int64_t there;

    _Static_assert(FACT_USER == 9, "the kind of name_claim above");
    /* definitions wait for whoever uses a table, and others for them: only once */
    if (pg_number(&s->link,
                  "SELECT count(*) FROM pg_class WHERE relname = 'history_next' AND relnamespace = "
                  "current_schema()::regnamespace",
                  0, &there) < 0 ||
        (!there && pg_exec(&s->link, tables) < 0) || pg_exec(&s->link, stations) < 0 ||
        pg_exec(&s->link, names) < 0 ||
        pg_ask(&s->link,
               "INSERT INTO node AS n (number, id, address, started, seen) VALUES ((SELECT "
               "COALESCE(max(number), 0) + 1 FROM node), $1::text, $2::text, clock_timestamp(), "
               "clock_timestamp()) ON CONFLICT (id) DO UPDATE SET address = excluded.address, "
               "started = excluded.started, seen = excluded.seen RETURNING number",
               &a, take_number, &s->node_number) < 0)
        return pg_sentence(s);
    for (int kind = FACT_CHARGER; kind < FACT_KINDS; kind++) {
        const struct table *t = table_of((enum fact_kind)kind);
        char sql[500];

        if (!t->by)
            continue;
        snprintf(sql, sizeof(sql),
                 "INSERT INTO history_next AS h (kind, next) SELECT %d, GREATEST((SELECT max(id) + "
                 "1 FROM %s), (SELECT max(first_id) FROM history_partition WHERE kind = %d), 1) ON "
                 "CONFLICT (kind) DO UPDATE SET next = GREATEST(h.next, excluded.next)",
                 kind, t->name, kind);
        if (pg_exec(&s->link, sql) < 0)
            return pg_sentence(s);
    }
    return NULL;
}

/* ---- keys and ids ---- */

int pg_reserve_keys(struct pg_link *l, const char *counter, const char *table, int64_t size,
                    int64_t *first)
{
    char sql[500];
    int64_t end = 0;

    snprintf(sql, sizeof(sql),
             "INSERT INTO high_water AS h (name, value) SELECT '%s', COALESCE(max(key), 0) + %lld "
             "FROM %s ON CONFLICT (name) DO UPDATE SET value = GREATEST(h.value, excluded.value - "
             "%lld) + %lld RETURNING value",
             counter, (long long)size, table, (long long)size, (long long)size);
    if (pg_ask(l, sql, NULL, take_number, &end) < 0)
        return AMP_E_IO;
    *first = end - size + 1;
    return 0;
}

int pg_node_keys(struct postgres *s, enum fact_kind kind)
{
    const struct table *t = table_of(kind);
    bool many = kind == FACT_COMMAND || kind == FACT_CHARGER;
    int64_t size = kind == FACT_TRANSACTION ? PG_KEYS_TRANSACTION : many ? KEYS_MANY : KEYS_FEW;
    int64_t first;

    if (pg_reserve_keys(&s->link, t->counter, t->name, size, &first) < 0)
        return AMP_E_IO;
    s->high[kind] = first - 1;
    if (kind == FACT_TRANSACTION)
        s->transaction_end = first + size;
    return 0;
}

static void take_next(void *ctx, const PGresult *row, int at)
{
    struct postgres *s = ctx;

    s->histories[pg_integer(row, at, 0)].next_id = pg_integer(row, at, 1);
}

/* In a transaction of its own, so that no node waits for another's commit. It need not be on disk:
 * nothing that uses the ids is before it is. The rows are locked in one order. */
int pg_node_reserve(struct postgres *s, const size_t *counts)
{
    struct pg_arguments a = { .count = 0 };
    struct pg_array *kinds = &s->fences[0], *wanted = &s->fences[1];

    pg_array_reset(kinds, PG_INT32);
    pg_array_reset(wanted, PG_INT64);
    for (int kind = FACT_CHARGER; kind < FACT_KINDS; kind++)
        if (counts[kind] && table_of((enum fact_kind)kind)->by) {
            pg_array_int32(kinds, kind);
            pg_array_int64(wanted, (int64_t)counts[kind]);
        }
    if (!kinds->count)
        return 0;
    pg_argument_array(&a, kinds);
    pg_argument_array(&a, wanted);
    return pg_ask(
        &s->link,
        "WITH w AS (SELECT set_config('synchronous_commit', 'off', true)), l AS (SELECT "
        "h.kind, n.many FROM w, history_next h JOIN unnest($1::integer[], $2::bigint[]) n "
        "(kind, many) ON n.kind = h.kind ORDER BY h.kind FOR UPDATE OF h) "
        "UPDATE history_next h SET next = h.next + l.many FROM l WHERE h.kind = l.kind "
        "RETURNING h.kind, h.next - l.many",
        &a, take_next, s);
}

static void take_bounds(void *ctx, const PGresult *row, int at)
{
    struct pg_history *h = ctx;

    if (PQgetisnull(row, at, 0))
        return;
    h->partitions = pg_integer(row, at, 0);
    h->end_id = pg_integer(row, at, 1);
}

int pg_node_partitions(struct postgres *s, enum fact_kind kind)
{
    char sql[200];

    snprintf(sql, sizeof(sql),
             "SELECT max(number), max(end_id) FROM history_partition WHERE kind = %d", (int)kind);
    return pg_ask(&s->link, sql, NULL, take_bounds, &s->histories[kind]);
}

/* ---- the fence ---- */

/* Of this charger, all that was said as its owner. */
static void refuse(void *ctx, const PGresult *row, int at)
{
    struct batch *b = ctx;
    int64_t charger = pg_integer(row, at, 0);

    for (struct batch_item *i = b->first; i; i = i->next) {
        if (!i->epoch || i->refused || wire_station(&i->fact) != charger)
            continue;
        i->refused = true;
        b->refused++;
    }
}

/* Does the batch itself queue it once more before this item? Then there is nothing to compare. */
static bool queued_before(const struct batch *b, const struct batch_item *item)
{
    for (const struct batch_item *i = b->first; i != item; i = i->next)
        if (i->epoch && i->fact.kind == FACT_COMMAND &&
            i->fact.u.command.key == item->fact.u.command.key &&
            i->fact.u.command.state == COMMAND_QUEUED)
            return true;
    return false;
}

/* The distinct stations and epochs of the batch, as far as a glance at the newest ones tells; and
 * the commands that leave with it. */
static void collect(struct postgres *s, const struct batch *b)
{
    struct pg_array *a = s->fences;
    struct {
        int64_t charger, epoch;
    } recent[64] = { { 0, 0 } };

    pg_array_reset(&a[0], PG_INT64);
    pg_array_reset(&a[1], PG_INT64);
    pg_array_reset(&a[2], PG_INT64);
    pg_array_reset(&a[3], PG_INT64);
    pg_array_reset(&a[4], PG_TEXT);
    for (const struct batch_item *i = b->first; i; i = i->next) {
        int64_t charger = i->epoch ? wire_station(&i->fact) : 0;
        size_t at = (size_t)charger % AMP_COUNT(recent);

        if (!charger)
            continue;
        if (recent[at].charger != charger || recent[at].epoch != i->epoch) {
            recent[at].charger = charger;
            recent[at].epoch = i->epoch;
            pg_array_int64(&a[0], charger);
            pg_array_int64(&a[1], i->epoch);
        }
        if (i->fact.kind == FACT_COMMAND && i->fact.u.command.state == COMMAND_SENT &&
            !queued_before(b, i)) {
            pg_array_int64(&a[2], i->fact.u.command.key);
            pg_array_int64(&a[3], charger);
            pg_array_text(&a[4], i->fact.u.command.correlation);
        }
    }
}

/* The second half: a command is sent once. Whoever had it before us may have sent it, whatever we
 * think. */
static const char fence_text[] =
    "SELECT f.charger FROM unnest($1::bigint[], $2::bigint[]) f (charger, epoch) LEFT JOIN "
    "station_owner o ON o.charger = f.charger WHERE o.epoch IS DISTINCT FROM f.epoch UNION "
    "SELECT c.charger FROM unnest($3::bigint[], $4::bigint[], $5::text[]) c (key, charger, "
    "correlation) JOIN command k ON k.key = c.key WHERE k.state <> 1 AND k.correlation IS DISTINCT "
    "FROM c.correlation";

int pg_node_begin(struct postgres *s, struct batch *b)
{
    struct pg_arguments a = { .count = 0 };
    char sql[300];

    for (struct batch_item *i = b->first; i; i = i->next)
        i->refused = false;
    b->refused = 0;
    collect(s, b);
    for (size_t i = 0; i < AMP_COUNT(s->fences); i++)
        pg_argument_array(&a, &s->fences[i]);
    snprintf(sql, sizeof(sql),
             "BEGIN;WITH mark AS (UPDATE store_writer SET batch = batch + 1 WHERE one = %lld AND "
             "epoch = %lld AND batch = %lld RETURNING 1) SELECT 1 / count(*) FROM mark",
             (long long)s->node_number, (long long)s->epoch, (long long)s->number);
    if (pg_exec(&s->link, sql) < 0)
        return AMP_E_IO;
    return s->fences[0].count ? pg_ask(&s->link, fence_text, &a, refuse, b) : 0;
}

/* ---- what the others hear ---- */

static void argument_number(struct pg_arguments *a, char text[24], int64_t v)
{
    snprintf(text, 24, "%lld", (long long)v);
    a->values[a->count++] = text;
}

static int commit(struct postgres *s)
{
    struct pg_link *l = &s->link;

    if (PQsendQueryParams(l->conn, "COMMIT", 0, NULL, NULL, NULL, NULL, 0))
        return 0;
    pg_fail(l, NULL);
    return AMP_E_IO;
}

/* Whoever comes with the identity of a charger that was deleted is another charger. */
static int forget_owner(struct postgres *s, int64_t charger)
{
    struct pg_arguments a = { .count = 0 };
    char key[24];

    argument_number(&a, key, charger);
    if (PQsendQueryParams(s->link.conn, "DELETE FROM station_owner WHERE charger = $1::bigint",
                          a.count, NULL, a.values, a.lengths, a.formats, 0))
        return 0;
    pg_fail(&s->link, NULL);
    return AMP_E_IO;
}

int pg_node_tell(struct postgres *s, const struct batch *b)
{
    struct pg_arguments a = { .count = 0 };
    char numbers[3][24];
    bool shared = false;

    amp_buf_reset(&s->told);
    for (const struct batch_item *i = b->first; i; i = i->next) {
        if (i->refused || table_of(i->fact.kind)->by || table_of(i->fact.kind)->summed)
            continue;
        if (i->fact.kind == FACT_CHARGER && i->fact.u.charger.deleted_ms &&
            forget_owner(s, i->fact.u.charger.key) < 0)
            return AMP_E_IO;
        wire_put(&s->told, &i->fact);
        shared = shared || !i->epoch;
    }
    if (!s->told.len)
        return commit(s);
    argument_number(&a, numbers[0], s->node_number);
    argument_number(&a, numbers[1], s->number + 1);
    argument_number(&a, numbers[2], wire_version());
    a.values[a.count++] = shared ? "t" : "f";
    a.values[a.count] = s->told.at;
    a.lengths[a.count] = (int)s->told.len;
    a.formats[a.count++] = 1;
    if (!PQsendQueryParams(
            s->link.conn,
            "INSERT INTO change (node, batch, seq, at, version, shared, facts) VALUES ($1::bigint, "
            "$2::bigint, nextval('change_seq'), clock_timestamp(), $3::integer, $4::boolean, "
            "$5::bytea)",
            a.count, NULL, a.values, a.lengths, a.formats, 0)) {
        pg_fail(&s->link, NULL);
        return AMP_E_IO;
    }
    return commit(s);
}
