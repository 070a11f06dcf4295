/* central/store/postgres_load.c - the present, read back at the start: see store_load. */
#include "central/store/postgres.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define AT_ONCE 1000 /* transactions whose readings one statement looks for */

typedef void each_fn(void *ctx, const struct fact *f);

/* What we know of the times of readings: by zone, from the oldest. `reached` is the latest time up
 * to here, `begins` the earliest from here on: both rise, so both can be searched. */
struct zone {
    int64_t zone, reached, begins;
};
struct loading {
    struct pg_link *link;
    each_fn *each;
    void *ctx;
    enum fact_kind kind;
    struct zone *zones;
    size_t zone_count, zone_cap;
    struct pg_array keys, from, to; /* transactions wanted: readings from <= id < to */
    int64_t *ends;                  /* key, start, end of each */
    size_t count, cap;
};

static void free_loading(struct loading *l)
{
    free(l->zones);
    free(l->ends);
    free(l->keys.at);
    free(l->from.at);
    free(l->to.at);
}

/* ---- zones ---- */

static void take_zone(void *ctx, const PGresult *row, int at)
{
    struct loading *l = ctx;
    struct zone z = { pg_integer(row, at, 0), pg_integer(row, at, 2), pg_integer(row, at, 1) };

    if (l->zone_count == l->zone_cap) {
        l->zone_cap = l->zone_cap ? 2 * l->zone_cap : 64;
        l->zones = store_realloc(l->zones, l->zone_cap * sizeof(*l->zones));
    }
    if (l->zone_count && l->zones[l->zone_count - 1].reached > z.reached)
        z.reached = l->zones[l->zone_count - 1].reached;
    l->zones[l->zone_count++] = z;
}

static int load_zones(struct loading *l)
{
    char sql[200];
    int rc;

    snprintf(sql, sizeof(sql),
             "SELECT zone, from_ms, to_ms FROM history_zone WHERE kind = %d ORDER BY zone",
             FACT_READING);
    rc = pg_ask(l->link, sql, NULL, take_zone, l);
    for (size_t i = l->zone_count; i-- > 1;)
        if (l->zones[i].begins < l->zones[i - 1].begins)
            l->zones[i - 1].begins = l->zones[i].begins;
    return rc;
}

/* First id that may have been seen at or after `ms`. */
static int64_t first_id(const struct loading *l, int64_t ms)
{
    size_t low = 0, high = l->zone_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (l->zones[middle].reached < ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low < l->zone_count ? l->zones[low].zone * ZONE_IDS : INT64_MAX;
}

/* First id from which on all were seen after `ms`. */
static int64_t end_id(const struct loading *l, int64_t ms)
{
    size_t low = 0, high = l->zone_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (l->zones[middle].begins <= ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low < l->zone_count ? l->zones[low].zone * ZONE_IDS : INT64_MAX;
}

/* ---- facts ---- */

static void want(struct loading *l, const struct transaction_fact *t)
{
    int64_t *to;

    if (l->count == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 64;
        l->ends = store_realloc(l->ends, 3 * l->cap * sizeof(*l->ends));
    }
    to = l->ends + 3 * l->count++;
    to[0] = t->key;
    to[1] = t->start_seen_ms;
    to[2] = t->state < TX_STOPPED ? INT64_MAX : t->stop_seen_ms + READING_LATE_MS;
}

static void take_fact(void *ctx, const PGresult *row, int at)
{
    struct loading *l = ctx;
    struct fact f;

    pg_read_fact(row, at, 0, l->kind, &f);
    if (l->kind == FACT_TRANSACTION)
        want(l, &f.u.transaction);
    l->each(l->ctx, &f);
}

static int load_kind(struct loading *l, const struct replay *r)
{
    const struct table *t = table_of(r->kind);
    char text[2048];
    struct amp_buf sql;

    l->kind = r->kind;
    amp_buf_init(&sql, text, sizeof(text));
    amp_buf_puts(&sql, "SELECT ");
    table_columns(t, "m.", &sql);
    amp_buf_puts(&sql, " FROM ");
    amp_buf_puts(&sql, t->name);
    amp_buf_puts(&sql, " m ");
    amp_buf_puts(&sql, r->which);
    amp_buf_putc(&sql, '\0');
    return sql.full ? AMP_E_FULL : pg_ask(l->link, text, NULL, take_fact, l);
}

/* Of the transactions that were added to the arrays. */
static int load_some(struct loading *l)
{
    const struct table *t = table_of(FACT_READING);
    struct pg_arguments a = { .count = 0 };
    char text[2048];
    struct amp_buf sql;

    if (!l->keys.count)
        return 0;
    l->kind = FACT_READING;
    amp_buf_init(&sql, text, sizeof(text));
    amp_buf_puts(&sql, "SELECT ");
    table_columns(t, "m.", &sql);
    amp_buf_puts(&sql, " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w (key, low, "
                       "high) CROSS JOIN LATERAL (SELECT * FROM reading r WHERE "
                       "r.transaction_key = w.key AND r.id >= w.low AND r.id < w.high ORDER BY "
                       "r.id DESC LIMIT ");
    amp_buf_int(&sql, READINGS_EACH);
    amp_buf_puts(&sql, ") m ORDER BY m.id");
    amp_buf_putc(&sql, '\0');
    pg_argument_array(&a, &l->keys);
    pg_argument_array(&a, &l->from);
    pg_argument_array(&a, &l->to);
    return sql.full ? AMP_E_FULL : pg_ask(l->link, text, &a, take_fact, l);
}

static void begin_some(struct loading *l)
{
    pg_array_reset(&l->keys, PG_INT64);
    pg_array_reset(&l->from, PG_INT64);
    pg_array_reset(&l->to, PG_INT64);
}

static int load_readings(struct loading *l)
{
    int rc = load_zones(l);

    begin_some(l);
    for (size_t i = 0; rc == 0 && i < l->count; i++) {
        const int64_t *w = l->ends + 3 * i;
        int64_t from = first_id(l, w[1]), to = end_id(l, w[2]);

        if (from >= to)
            continue;
        pg_array_int64(&l->keys, w[0]);
        pg_array_int64(&l->from, from);
        pg_array_int64(&l->to, to);
        if (l->keys.count < AT_ONCE)
            continue;
        rc = load_some(l);
        begin_some(l);
    }
    return rc < 0 ? rc : load_some(l);
}

/* ---- some chargers ---- */

/* What replay (table_statement.c) says for all, for the chargers in $1; and the newest commands,
 * finished or not: whoever thinks that one is still to be sent must learn better. Others' keys are
 * not in the order of time, so what ended last is told by its time. */
static const struct {
    enum fact_kind kind;
    const char *from;
} some[] = {
    { FACT_CHARGER, "charger m WHERE m.key = ANY ($1::bigint[])" },
    { FACT_CONNECTOR, "connector m WHERE m.charger = ANY ($1::bigint[])" },
    { FACT_TRANSACTION,
      "unnest($1::bigint[]) w (k) CROSS JOIN LATERAL ((SELECT * FROM charging_transaction t WHERE "
      "t.charger = w.k AND t.state < 5) UNION ALL (SELECT * FROM charging_transaction t WHERE "
      "t.charger = w.k AND t.state >= 5 ORDER BY t.stop_seen_ms DESC LIMIT 4)) m ORDER BY m.key" },
    { FACT_COMMAND,
      "unnest($1::bigint[]) w (k) CROSS JOIN LATERAL ((SELECT * FROM command t WHERE t.charger = "
      "w.k AND t.state <= 3) UNION (SELECT * FROM command t WHERE t.charger = w.k ORDER BY "
      "t.created_ms DESC LIMIT 64)) m ORDER BY m.created_ms, m.key" },
    { FACT_RESERVATION,
      "unnest($1::bigint[]) w (k) CROSS JOIN LATERAL (SELECT * FROM reservation t WHERE t.charger "
      "= "
      "w.k AND (t.state <= 3 OR t.key IN (SELECT z.key FROM reservation z WHERE z.charger = w.k "
      "ORDER BY z.key DESC LIMIT 16))) m ORDER BY m.key" },
    { FACT_CHARGER_LIST, "charger_list m WHERE m.charger = ANY ($1::bigint[])" },
    { FACT_INSTALLED, "installed_profile m WHERE m.charger = ANY ($1::bigint[])" },
};

int pg_load_chargers(struct pg_link *link, struct pg_array *keys, each_fn *each, void *ctx)
{
    struct loading l = { .link = link, .each = each, .ctx = ctx };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < AMP_COUNT(some); i++) {
        struct pg_arguments a = { .count = 0 };
        char text[2048];
        struct amp_buf sql;

        l.kind = some[i].kind;
        amp_buf_init(&sql, text, sizeof(text));
        amp_buf_puts(&sql, "SELECT ");
        table_columns(table_of(some[i].kind), "m.", &sql);
        amp_buf_puts(&sql, " FROM ");
        amp_buf_puts(&sql, some[i].from);
        amp_buf_putc(&sql, '\0');
        assert(!sql.full);
        pg_argument_array(&a, keys);
        rc = pg_ask(link, text, &a, take_fact, &l);
    }
    if (rc == 0)
        rc = load_readings(&l);
    free_loading(&l);
    return rc < 0 ? AMP_E_IO : 0;
}

/* A large fleet may take longer than a question may. */
int pg_load(void *reader, each_fn *each, void *ctx)
{
    struct pg_reader *r = reader;
    struct loading l = { .link = &r->link, .each = each, .ctx = ctx };
    int rc = pg_reader_ready(r);

    r->link.timeout_ms = 600000;
    if (rc == 0)
        rc = pg_exec(&r->link, "SET statement_timeout = 0");
    for (size_t i = 0; rc == 0 && i < replay_count; i++)
        rc = load_kind(&l, &replay[i]);
    if (rc == 0)
        rc = load_readings(&l);
    free_loading(&l);
    return rc < 0 ? AMP_E_IO : 0;
}
