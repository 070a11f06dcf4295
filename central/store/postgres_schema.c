/* central/store/postgres_schema.c - the tables, their migrations, and what the writer must know of
 * them. Beside the tables that both drivers have there are
 *   store_writer   one row: which process writes (epoch), and the number of its newest batch, noted
 *                  in the batch's own transaction: what became of a COMMIT whose answer was lost
 *   message …      the histories, partitioned by ranges of id; history_partition has their bounds
 *   history_zone   from when to when 65,536 rows of a history are: a search by time skips the rest
 *
 * Why ranges of id and not months: the id is the order of arrival, the cursor of every question and
 * the key, and a native partition's key must contain what it is partitioned by; a question for the
 * newest rows is then an ordered walk from partition to partition that stops when it has enough. No
 * clock that jumps opens a thousand of them or sends a row astray, and each has the same size,
 * whether a thousand stations write or ten. What months would be good for, skipping by time, the
 * zones do in finer steps; dropping what is old is dropping the partitions below an id. */
#include "central/store/migrate.h"
#include "central/store/postgres.h"
#include <stdio.h>
#include <stdlib.h>

/* An advisory lock of ours: this class, and the schema. */
#define CLAIM_CLASS 1634562100
#define CLAIM_WAIT  "SET lock_timeout = '3s'" /* a process that just ended may take that long */

static char *why(struct postgres *s)
{
    return pg_sentence(s);
}

int pg_claim(struct postgres *s)
{
    struct pg_arguments a = { .count = 0 };
    char sql[200];

    if (s->node) { /* together with other nodes, but not with one that is alone, or of our name */
        snprintf(sql, sizeof(sql),
                 CLAIM_WAIT ";SELECT pg_advisory_lock_shared(%d, hashtext(current_schema()));",
                 CLAIM_CLASS);
        if (pg_exec(&s->link, sql) < 0)
            return AMP_E_IO;
        a.values[a.count++] = s->node;
        snprintf(sql, sizeof(sql),
                 "SELECT pg_advisory_lock(%d, hashtext(current_schema() || '/' || $1::text))",
                 CLAIM_CLASS + 1);
        if (pg_ask(&s->link, sql, &a, NULL, NULL) < 0)
            return AMP_E_IO;
        return pg_exec(&s->link, "SET lock_timeout = '10s';"
                                 "SET idle_in_transaction_session_timeout = '2s'");
    }
    snprintf(sql, sizeof(sql),
             CLAIM_WAIT ";SELECT pg_advisory_lock(%d, hashtext(current_schema()));"
                        "SET lock_timeout = '10s'",
             CLAIM_CLASS);
    return pg_exec(&s->link, sql);
}

/* `$key` becomes what makes a key; `$clustered` nothing: here every table is a heap. */
static void spell(const char *text, struct amp_buf *out)
{
    const char *mark;

    while ((mark = strchr(text, '$'))) {
        bool key = !strncmp(mark, "$key", 4);

        amp_buf_put(out, text, (size_t)(mark - text));
        amp_buf_puts(out, key ? "BIGINT PRIMARY KEY" : "");
        text = mark + (key ? sizeof "key" : sizeof "clustered");
    }
    amp_buf_puts(out, text);
}

/* A history, empty or with the columns that are new. */
static void spell_history(const struct table *t, struct amp_buf *out)
{
    static const char *const types[] = {
        [COLUMN_INT64] = " BIGINT", [COLUMN_INT32] = " INTEGER", [COLUMN_UINT32] = " BIGINT",
        [COLUMN_BOOL] = " INTEGER", [COLUMN_TEXT] = " TEXT",
    };
    char text[300];

    snprintf(text, sizeof(text),
             ";CREATE TABLE IF NOT EXISTS %s (id BIGINT PRIMARY KEY, org BIGINT) PARTITION BY "
             "RANGE (id)",
             t->name);
    amp_buf_puts(out, text);
    for (size_t i = 0; i < t->count; i++) {
        snprintf(text, sizeof(text), "%s ADD COLUMN IF NOT EXISTS %s%s", i ? "," : "",
                 t->columns[i].name, types[t->columns[i].type]);
        if (i == 0) {
            amp_buf_puts(out, ";ALTER TABLE ");
            amp_buf_puts(out, t->name);
        }
        amp_buf_puts(out, text);
    }
    snprintf(text, sizeof(text), ";CREATE INDEX IF NOT EXISTS %s_by ON %s (%s, id)", t->name,
             t->name, t->by);
    amp_buf_puts(out, text);
}

/* From `version` to the newest, all or nothing. */
static int migrate_from(struct postgres *s, int64_t version)
{
    size_t cap = 65536;
    char *text = store_alloc(cap), note[100];
    struct amp_buf sql;
    int rc;

    amp_buf_init(&sql, text, cap);
    amp_buf_puts(
        &sql, "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY);"
              "CREATE TABLE IF NOT EXISTS store_writer (one INTEGER PRIMARY KEY, epoch BIGINT, "
              "batch BIGINT);"
              "CREATE TABLE IF NOT EXISTS history_zone (kind INTEGER, zone BIGINT, from_ms BIGINT, "
              "to_ms BIGINT, PRIMARY KEY (kind, zone))");
    while (version < migrate_count()) {
        amp_buf_puts(&sql, ";");
        spell(migrate_text((int)++version), &sql);
        snprintf(note, sizeof(note), ";INSERT INTO schema_version (version) VALUES (%lld)",
                 (long long)version);
        amp_buf_puts(&sql, note);
    }
    for (int kind = FACT_CHARGER; kind < FACT_KINDS; kind++)
        if (table_of((enum fact_kind)kind)->by)
            spell_history(table_of((enum fact_kind)kind), &sql);
    /* room on each page, so that a row that is replaced often leaves its indexes alone */
    amp_buf_puts(&sql, ";ALTER TABLE charger SET (fillfactor = 70)"
                       ";ALTER TABLE connector SET (fillfactor = 70)"
                       ";ALTER TABLE charging_transaction SET (fillfactor = 70)");
    amp_buf_putc(&sql, '\0');
    if (sql.full)
        abort(); /* our texts are longer than we thought */
    rc = pg_exec(&s->link, text);
    free(text);
    return rc;
}

char *pg_migrate(struct postgres *s)
{
    int64_t tables, ours, version = 0;

    if (pg_number(&s->link,
                  "SELECT count(*) FROM pg_class c WHERE relkind IN ('r', 'p', 'v') "
                  "AND relnamespace = current_schema()::regnamespace AND NOT EXISTS (SELECT FROM "
                  "pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')",
                  0, &tables) < 0 ||
        pg_number(&s->link,
                  "SELECT count(*) FROM pg_class WHERE relname IN ('schema_version', "
                  "'store_writer') AND relnamespace = current_schema()::regnamespace",
                  0, &ours) < 0)
        return why(s);
    if (tables && ours != 2)
        return store_sentence("cannot open the database %s: there are tables of another program in "
                              "it; create a database for Amperstand alone, and name that",
                              s->place);
    if (tables && pg_number(&s->link, "SELECT max(version) FROM schema_version", 0, &version) < 0)
        return why(s);
    if (version > migrate_count())
        return store_sentence("cannot open the database %s: a newer version of this program wrote "
                              "it (schema %lld, this one knows "
                              "%d); run the newer program, or restore a backup from before",
                              s->place, (long long)version, migrate_count());
    if (version < migrate_count() && version && s->node) {
        int64_t nodes;

        if (pg_number(&s->link,
                      "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = "
                      "1634562100 AND granted AND "
                      "mode = 'ShareLock' AND objid::bigint = hashtext(current_schema())::bigint & "
                      "4294967295",
                      0, &nodes) < 0)
            return why(s);
        if (nodes > 1)
            return store_sentence("cannot open the database %s: nodes of an older version of this "
                                  "program run on it; stop all of them, then start the new ones",
                                  s->place);
    }
    if (version < migrate_count() && migrate_from(s, version) < 0)
        return why(s);
    return NULL;
}

/* ---- what the writer must know ---- */

struct mark {
    int64_t epoch, number;
};

static void take_mark(void *ctx, const PGresult *row, int at)
{
    *(struct mark *)ctx = (struct mark){ pg_integer(row, at, 0), pg_integer(row, at, 1) };
}

static int learn_history(struct postgres *s, enum fact_kind kind)
{
    struct pg_history *h = &s->histories[kind];
    char sql[200];
    int64_t used, first;

    *h = (struct pg_history){ .zone = -1 };
    snprintf(sql, sizeof(sql), "SELECT max(id) + 1 FROM %s", table_of(kind)->name);
    if (pg_number(&s->link, sql, 1, &used) < 0)
        return AMP_E_IO;
    snprintf(sql, sizeof(sql), "SELECT max(number) FROM history_partition WHERE kind = %d",
             (int)kind);
    if (pg_number(&s->link, sql, 0, &h->partitions) < 0)
        return AMP_E_IO;
    snprintf(sql, sizeof(sql), "SELECT max(end_id) FROM history_partition WHERE kind = %d",
             (int)kind);
    if (pg_number(&s->link, sql, 1, &h->end_id) < 0)
        return AMP_E_IO;
    snprintf(sql, sizeof(sql), "SELECT max(first_id) FROM history_partition WHERE kind = %d",
             (int)kind);
    if (pg_number(&s->link, sql, 1, &first) < 0)
        return AMP_E_IO;
    h->next_id = used > first ? used : first; /* never back, when what is old was dropped */
    return 0;
}

static int learn_keys(struct postgres *s, enum fact_kind kind)
{
    const struct table *t = table_of(kind);
    char sql[200];
    int64_t used;

    snprintf(sql, sizeof(sql), "SELECT value FROM high_water WHERE name = '%s'", t->counter);
    if (pg_number(&s->link, sql, 0, &s->noted[kind]) < 0)
        return AMP_E_IO;
    snprintf(sql, sizeof(sql), "SELECT max(key) FROM %s", t->name);
    if (pg_number(&s->link, sql, 0, &used) < 0)
        return AMP_E_IO;
    s->high[kind] = used > s->noted[kind] ? used : s->noted[kind];
    return s->node ? pg_node_keys(s, kind) : 0;
}

int pg_learn(struct postgres *s, bool first)
{
    struct mark mark = { 0, 0 };
    struct pg_arguments a = { .count = 1 };
    char node[24];
    int rc;

    snprintf(node, sizeof(node), "%lld", (long long)s->node_number);
    a.values[0] = node;
    rc = pg_ask(&s->link,
                first ? "INSERT INTO store_writer AS w (one, epoch, batch) VALUES ($1::bigint, 1, "
                        "0) ON CONFLICT (one) DO UPDATE SET epoch = w.epoch + 1 RETURNING epoch, "
                        "batch"
                      : "SELECT epoch, batch FROM store_writer WHERE one = $1::bigint",
                &a, take_mark, &mark);

    if (rc < 0)
        return AMP_E_IO;
    if (first) {
        s->epoch = mark.epoch;
        s->number = mark.number;
    }
    if (mark.epoch != s->epoch || mark.number < s->number ||
        mark.number > s->number + (s->unknown ? 1 : 0))
        return AMP_E_STATE;
    for (int kind = FACT_CHARGER; rc == 0 && kind < FACT_KINDS; kind++) {
        if (table_of((enum fact_kind)kind)->by)
            rc = learn_history(s, (enum fact_kind)kind);
        else if (table_of((enum fact_kind)kind)->counter && (first || !s->node))
            rc = learn_keys(s, (enum fact_kind)kind);
    }
    if (rc < 0)
        return AMP_E_IO;
    if (mark.number == s->number)
        s->unknown = false; /* it did not get in */
    s->number = mark.number;
    return 0;
}

/* Attached, not created as a partition: that would wait for every reader of the history. */
int pg_make_partitions(struct postgres *s, enum fact_kind kind, size_t more)
{
    const char *table = table_of(kind)->name;
    struct pg_history *h = &s->histories[kind];

    while (h->next_id + (int64_t)more > h->end_id) {
        int64_t from = h->end_id, to = from + s->partition_rows, number = h->partitions + 1;
        char sql[800];

        snprintf(sql, sizeof(sql),
                 "CREATE TABLE %s_%06lld (LIKE %s);"
                 "ALTER TABLE %s ATTACH PARTITION %s_%06lld FOR VALUES FROM (%lld) TO (%lld);"
                 "INSERT INTO history_partition (kind, number, first_id, end_id) VALUES (%d, %lld, "
                 "%lld, %lld)",
                 table, (long long)number, table, table, table, (long long)number, (long long)from,
                 (long long)to, (int)kind, (long long)number, (long long)from, (long long)to);
        if (pg_exec(&s->link, sql) < 0) {
            if (!s->node || !s->link.conn || pg_node_partitions(s, kind) < 0 || h->end_id == from)
                return AMP_E_IO;
            continue; /* another node was faster */
        }
        h->partitions = number;
        h->end_id = to;
    }
    return 0;
}
