/* central/store/postgres_peers.c - what a node asks and tells the others through the database: see
 * nodes.h. The statements, in the order in which a station meets them. */
#include "central/store/postgres_feed.h"
#include "central/store/wire.h"
#include <stdio.h>
#include <stdlib.h>

#define AT_ONCE  500 /* batches of others in one answer */
#define KEPT     "interval '10 minutes'"
#define LEASE    "interval '10 seconds'"
#define LEASE_NS (UINT64_C(8) * 1000000000) /* we stop to lead before others may begin */

static void argument_number(struct pg_arguments *a, char text[24], int64_t v)
{
    snprintf(text, 24, "%lld", (long long)v);
    a->values[a->count++] = text;
}

/* ---- at the opening ---- */

static void set_mark(struct store_nodes *n, int64_t node, int64_t batch)
{
    for (size_t i = 0; i < n->mark_count; i++)
        if (n->marks[i].node == node) {
            if (batch > n->marks[i].batch)
                n->marks[i].batch = batch;
            return;
        }
    n->marks = store_realloc(n->marks, (n->mark_count + 1) * sizeof(*n->marks));
    n->marks[n->mark_count++] = (struct mark){ node, batch };
}

static void take_mark(void *ctx, const PGresult *row, int at)
{
    set_mark(ctx, pg_integer(row, at, 0), pg_integer(row, at, 1));
}

static void keep_owner(void *ctx, const PGresult *row, int at)
{
    struct store_nodes *n = ctx;
    struct event *e = store_alloc(sizeof(*e));

    *e = (struct event){ .next = n->owners,
                         .what = EVENT_TAKEN,
                         .charger = pg_integer(row, at, 0),
                         .node = pg_integer(row, at, 1),
                         .epoch = pg_integer(row, at, 2) };
    n->owners = e;
}

int peers_begin(struct store_nodes *n)
{
    if (pg_ask(&n->link, "SELECT one, batch FROM store_writer", NULL, take_mark, n) < 0)
        return AMP_E_IO;
    return pg_ask(&n->link, "SELECT charger, node, epoch FROM station_owner", NULL, keep_owner, n);
}

/* ---- taking a station ---- */

struct taking {
    struct job *jobs;
    char *note; /* for the others: "o NODE CHARGER:EPOCH …" */
    size_t len, cap;
};

static void take_owner(void *ctx, const PGresult *row, int at)
{
    struct taking *t = ctx;
    struct amp_text name = { PQgetvalue(row, at, 0), (uint32_t)PQgetlength(row, at, 0) };

    for (struct job *j = t->jobs; j; j = j->next)
        if (amp_text_eq(j->name, name)) {
            j->key = pg_integer(row, at, 1);
            j->epoch = pg_integer(row, at, 2);
            t->len += (size_t)snprintf(t->note + t->len, t->cap - t->len, " %lld:%lld",
                                       (long long)j->key, (long long)j->epoch);
        }
}

/* Raise the epochs, and say so. */
static int raise_epochs(struct store_nodes *n, struct job *jobs)
{
    struct pg_array *names = &n->arrays[0], *keys = &n->arrays[1], *only = &n->arrays[3];
    struct pg_arguments a = { .count = 0 }, said = { .count = 0 };
    struct taking t = { .jobs = jobs, .cap = 32 };
    char self[24];
    int rc;

    pg_array_reset(names, PG_TEXT);
    pg_array_reset(keys, PG_INT64);
    pg_array_reset(only, PG_INT64);
    for (const struct job *j = jobs; j; j = j->next) {
        pg_array_text(names, j->name);
        pg_array_int64(keys, j->key);
        pg_array_int64(only, j->only);
        t.cap += 44;
    }
    pg_argument_array(&a, names);
    pg_argument_array(&a, keys);
    argument_number(&a, self, n->self);
    pg_argument_array(&a, only);
    t.note = store_alloc(t.cap);
    t.len = (size_t)snprintf(t.note, t.cap, "o %lld", (long long)n->self);
    rc = pg_exec(&n->link, "BEGIN");
    if (rc == 0)
        rc = pg_ask(&n->link,
                    "INSERT INTO station_owner AS o (identity, charger, node, epoch, at) SELECT "
                    "u.i, u.k, $3::bigint, 1, clock_timestamp() FROM unnest($1::text[], "
                    "$2::bigint[]) u (i, k) ORDER BY u.i ON CONFLICT (identity) DO UPDATE SET node "
                    "= excluded.node, epoch = o.epoch + 1, at = excluded.at WHERE o.epoch = "
                    "COALESCE((SELECT x.e FROM unnest($1::text[], $4::bigint[]) x (i, e) WHERE x.i "
                    "= o.identity AND x.e >= 0), o.epoch) RETURNING identity, charger, epoch",
                    &a, take_owner, &t);
    /* a note has at most 8,000 bytes; of a longer one the others hear by looking */
    if (t.len < 7900)
        said.values[said.count++] = t.note;
    else
        said.values[said.count++] = "o";
    if (rc == 0)
        rc = pg_ask(&n->link, "SELECT pg_notify('amperstand', $1::text)", &said, NULL, NULL);
    if (rc == 0)
        rc = pg_exec(&n->link, "COMMIT");
    free(t.note);
    return rc;
}

static void keep_fact(void *ctx, const struct fact *f)
{
    int64_t charger = wire_station(f);

    for (struct job *j = ctx; j; j = j->next) {
        if (j->key != charger)
            continue;
        if (j->count == j->cap) {
            j->cap = j->cap ? 2 * j->cap : 16;
            j->facts = store_realloc(j->facts, j->cap * sizeof(struct fact *));
        }
        j->facts[j->count++] = fact_copy(f);
        return;
    }
}

/* Raised and committed; now whoever is in the middle of a batch finishes it; and then all there is
 * of the stations is in the database. postgres_node.c says why that is enough. */
int peers_take(struct store_nodes *n, struct job *jobs)
{
    struct pg_array *keys = &n->arrays[2];
    char sql[200];

    if (jobs->what == JOB_TAKE) {
        if (raise_epochs(n, jobs) < 0)
            return AMP_E_IO;
        snprintf(sql, sizeof(sql),
                 "SELECT one FROM store_writer WHERE one <> %lld ORDER BY one FOR SHARE",
                 (long long)n->self);
        if (pg_ask(&n->link, sql, NULL, NULL, NULL) < 0)
            return AMP_E_IO;
    }
    pg_array_reset(keys, PG_INT64);
    for (const struct job *j = jobs; j; j = j->next)
        pg_array_int64(keys, j->key);
    return pg_load_chargers(&n->link, keys, keep_fact, jobs);
}

/* ---- names and keys ---- */

static void take_number(void *ctx, const PGresult *row, int at)
{
    *(int64_t *)ctx = pg_integer(row, at, 0);
}

int peers_claim(struct store_nodes *n, struct job *job)
{
    struct pg_array *names = &n->arrays[0];
    struct pg_arguments a = { .count = 0 };
    char kind[24], key[24];

    pg_array_reset(names, PG_TEXT);
    pg_array_text(names, job->name);
    argument_number(&a, kind, job->kind);
    pg_argument_array(&a, names);
    argument_number(&a, key, job->key);
    return pg_ask(&n->link,
                  "INSERT INTO name_claim AS c (kind, name, key) VALUES ($1::integer, "
                  "($2::text[])[1], $3::bigint) ON CONFLICT (kind, name) DO UPDATE SET key = c.key "
                  "RETURNING key",
                  &a, take_number, &job->key);
}

int peers_transactions(struct store_nodes *n, struct job *job)
{
    const struct table *t = table_of(FACT_TRANSACTION);

    return pg_reserve_keys(&n->link, t->counter, t->name, PG_KEYS_TRANSACTION, &job->key);
}

/* ---- the feed ---- */

struct reading {
    struct store_nodes *nodes;
    size_t batches;
    bool foreign; /* of another schema */
};

static void take_change(void *ctx, const PGresult *row, int at)
{
    struct reading *r = ctx;
    int64_t node = pg_integer(row, at, 0);
    size_t len;
    unsigned char *bytes;
    struct amp_text in;
    struct fact f;

    r->batches++;
    if (pg_integer(row, at, 2) != wire_version()) {
        r->foreign = true;
        return;
    }
    bytes = PQunescapeBytea((const unsigned char *)PQgetvalue(row, at, 3), &len);
    if (!bytes)
        abort();
    in = (struct amp_text){ (const char *)bytes, (uint32_t)len };
    while (wire_get(&in, &f))
        feed_event(r->nodes,
                   &(struct event){ .what = EVENT_CHANGED, .node = node, .fact = fact_copy(&f) });
    PQfreemem(bytes);
    set_mark(r->nodes, node, pg_integer(row, at, 1));
}

/* Of a node its batches come in their order, and over all nodes by seq: what a batch knew of, was
 * visible when it was written, so it is in the same answer or an earlier one, and before it. */
static const char change_text[] =
    "SELECT node, batch, version, facts FROM (SELECT c.* FROM store_writer w LEFT JOIN "
    "unnest($1::bigint[], $2::bigint[]) m (node, mark) ON m.node = w.one CROSS JOIN LATERAL "
    "(SELECT * FROM change c WHERE c.node = w.one AND c.batch > COALESCE(m.mark, 0) ORDER BY "
    "c.batch LIMIT 500) c WHERE w.one <> $3::bigint UNION ALL (SELECT * FROM change c WHERE c.node "
    "= $3::bigint AND c.shared AND c.batch > $4::bigint ORDER BY c.batch LIMIT 500)) c ORDER BY "
    "seq LIMIT 500";

int peers_changes(struct store_nodes *n)
{
    struct reading r = { .nodes = n };

    do {
        struct pg_arguments a = { .count = 0 };
        char self[24], mark[24];
        int64_t own = 0;

        pg_array_reset(&n->arrays[0], PG_INT64);
        pg_array_reset(&n->arrays[1], PG_INT64);
        for (size_t i = 0; i < n->mark_count; i++) {
            pg_array_int64(&n->arrays[0], n->marks[i].node);
            pg_array_int64(&n->arrays[1], n->marks[i].batch);
            if (n->marks[i].node == n->self)
                own = n->marks[i].batch;
        }
        pg_argument_array(&a, &n->arrays[0]);
        pg_argument_array(&a, &n->arrays[1]);
        argument_number(&a, self, n->self);
        argument_number(&a, mark, own);
        r.batches = 0;
        if (pg_ask(&n->link, change_text, &a, take_change, &r) < 0)
            return AMP_E_IO;
    } while (r.batches == AT_ONCE && !r.foreign);
    if (r.foreign && !n->lost_all) {
        n->lost_all = true;
        feed_event(n, &(struct event){ .what = EVENT_CUT_OFF });
    }
    return 0;
}

static void tell_owner(void *ctx, const PGresult *row, int at)
{
    feed_event(ctx, &(struct event){ .what = EVENT_TAKEN,
                                     .charger = pg_integer(row, at, 0),
                                     .node = pg_integer(row, at, 1),
                                     .epoch = pg_integer(row, at, 2) });
}

int peers_owners(struct store_nodes *n)
{
    return pg_ask(&n->link,
                  "SELECT charger, node, epoch FROM station_owner WHERE at > clock_timestamp() - "
                  "interval '5 seconds'",
                  NULL, tell_owner, n);
}

void peers_notified(struct store_nodes *n, const char *payload)
{
    char *at;
    long long node;

    if (payload[0] != 'o') {
        n->wanted = true;
        return;
    }
    node = strtoll(payload + 1, &at, 10);
    if (!payload[1])
        n->owners_ns = 0; /* look now */
    while (*at == ' ') {
        long long charger = strtoll(at + 1, &at, 10),
                  epoch = *at == ':' ? strtoll(at + 1, &at, 10) : 0;

        feed_event(n, &(struct event){
                          .what = EVENT_TAKEN, .charger = charger, .node = node, .epoch = epoch });
    }
}

/* ---- who is there ---- */

static void take_lead(void *ctx, const PGresult *row, int at)
{
    (void)row, (void)at;
    *(bool *)ctx = true;
}

struct listing {
    struct node_info *at;
    size_t count;
};

static void take_node(void *ctx, const PGresult *row, int at)
{
    struct listing *l = ctx;
    struct node_info *i;

    l->at = store_realloc(l->at, (l->count + 1) * sizeof(*l->at));
    i = &l->at[l->count++];
    *i = (struct node_info){ .number = pg_integer(row, at, 0),
                             .started_ms = pg_integer(row, at, 3),
                             .seen_ms = pg_integer(row, at, 4),
                             .alive = *PQgetvalue(row, at, 5) == 't',
                             .leads = *PQgetvalue(row, at, 6) == 't' };
    snprintf(i->id, sizeof(i->id), "%s", PQgetvalue(row, at, 1));
    snprintf(i->address, sizeof(i->address), "%s", PQgetvalue(row, at, 2));
}

static void take_orphan(void *ctx, const PGresult *row, int at)
{
    feed_event(ctx, &(struct event){ .what = EVENT_ORPHAN,
                                     .charger = pg_integer(row, at, 0),
                                     .epoch = pg_integer(row, at, 2),
                                     .identity = { PQgetvalue(row, at, 1),
                                                   (uint32_t)PQgetlength(row, at, 1) } });
}

int peers_lease(struct store_nodes *n)
{
    struct pg_arguments a = { .count = 0 };
    struct listing l = { NULL, 0 };
    uint64_t began = uv_hrtime();
    bool lead = false;
    char self[24];
    int rc;

    argument_number(&a, self, n->self);
    rc = pg_ask(&n->link, "UPDATE node SET seen = clock_timestamp() WHERE number = $1::bigint", &a,
                NULL, NULL);
    if (rc == 0)
        rc = pg_ask(&n->link,
                    "INSERT INTO node_leader AS l (one, node, until) VALUES (1, $1::bigint, "
                    "clock_timestamp() + " LEASE ") ON CONFLICT (one) DO UPDATE SET node = "
                    "excluded.node, until = excluded.until WHERE l.node = excluded.node OR l.until "
                    "< clock_timestamp() RETURNING 1",
                    &a, take_lead, &lead);
    if (rc == 0)
        rc = pg_ask(&n->link,
                    "SELECT number, id, address, (extract(epoch FROM started) * 1000)::bigint, "
                    "(extract(epoch FROM seen) * 1000)::bigint, seen > clock_timestamp() - " LEASE
                    ", number = l.node AND l.until > clock_timestamp() FROM node LEFT JOIN "
                    "node_leader l ON true ORDER BY number",
                    NULL, take_node, &l);
    if (rc == 0 && lead)
        rc = pg_ask(&n->link,
                    "SELECT o.charger, o.identity, o.epoch FROM station_owner o JOIN charger c ON "
                    "c.key = o.charger LEFT JOIN node n ON n.number = o.node WHERE (n.number IS "
                    "NULL OR n.seen < clock_timestamp() - " LEASE " OR o.at < n.started) AND "
                    "(c.connection IN (1, 2) OR o.charger IN (SELECT k.charger FROM command k "
                    "WHERE k.state <= 2)) LIMIT 500",
                    NULL, take_orphan, n);
    uv_mutex_lock(&n->lock);
    n->lead_until_ns = rc == 0 && lead ? began + LEASE_NS : 0;
    if (rc == 0) {
        free(n->list);
        n->list = l.at;
        n->list_count = l.count;
        l.at = NULL;
    }
    uv_mutex_unlock(&n->lock);
    free(l.at);
    return rc;
}

/* Each node its own, and who leads those of the dead. */
int peers_trim(struct store_nodes *n)
{
    struct pg_arguments a = { .count = 0 };
    char self[24];

    argument_number(&a, self, n->self);
    return pg_ask(&n->link,
                  "DELETE FROM change c USING node n WHERE n.number = c.node AND c.at < "
                  "clock_timestamp() - " KEPT " AND (c.node = $1::bigint OR n.seen < "
                  "clock_timestamp() - " KEPT ")",
                  &a, NULL, NULL);
}

/* A node that ends says so: nobody has to wait for its lease. */
void peers_leave(struct store_nodes *n)
{
    char sql[300];

    snprintf(sql, sizeof(sql),
             "UPDATE node SET seen = seen - interval '1 minute' WHERE number = %lld;"
             "DELETE FROM node_leader WHERE node = %lld; NOTIFY amperstand, 'c'",
             (long long)n->self, (long long)n->self);
    if (pg_exec(&n->link, sql) < 0)
        return; /* its lease runs out */
}
