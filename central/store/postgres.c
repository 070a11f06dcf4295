/* central/store/postgres.c - the PostgreSQL driver: open, claim, reconnect. See postgres.h for the
 * other files.
 *
 * What was acknowledged is never lost and never doubled: each batch notes its number in its own
 * transaction. When a connection dies before the answer to a COMMIT, the next one first waits until
 * the old backend is gone (it holds our advisory lock), then looks at the number: it tells whether
 * the batch is in. The epoch in the same row shuts out a process that lost its lock without
 * knowing. */
#include "central/store/postgres.h"
#include <stdio.h>
#include <stdlib.h>

#define PARTITION_ROWS 4194304 /* some 2 GB; 1,000 busy stations fill 200 in a year */
#define OLDEST_SERVER  130000
#define ANSWER_MS      30000

/* A commit that returned is on disk, whatever the server's default. A client that is gone is
 * noticed, so that its lock does not outlive it; compiling short statements costs more than it
 * saves. */
static const char writer_settings[] =
    "SET synchronous_commit = on; SET jit = off; SET statement_timeout = '25s';"
    "SET lock_timeout = '10s'; SET client_min_messages = warning;"
    "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;"
    "SET idle_in_transaction_session_timeout = '60s'";

/* ---- sentences ---- */

/* The URL without the password, wherever it stands. */
static void place_of(const char *url, char *out, size_t cap)
{
    const char *from = strstr(url, "://"), *at, *colon, *query = strstr(url, "password=");
    char copy[4 * PG_PLACE_MAX];

    snprintf(copy, sizeof(copy), "%s", url);
    if (query && (size_t)(query - url) < sizeof(copy)) {
        size_t begin = (size_t)(query - url) + 9, end = begin + strcspn(query + 9, "&");

        snprintf(copy + begin, sizeof(copy) - begin, "***%s", url + end);
    }
    from = from ? from + 3 : url;
    at = from + strcspn(from, "/?");
    while (at > from && *at != '@')
        at--;
    colon = memchr(from, ':', (size_t)(at - from));
    if (*at == '@' && colon) {
        char rest[sizeof(copy)];

        snprintf(rest, sizeof(rest), "%s",
                 strlen(copy) > (size_t)(at - url) ? copy + (at - url) : "");
        snprintf(copy + (colon - url), sizeof(copy) - (size_t)(colon - url), "%s", rest);
    }
    snprintf(out, cap, "%.*s", (int)cap - 1, copy);
}

static const struct {
    const char *state, *what; /* state: SQLSTATE, or what it begins with */
} cures[] = {
    { "28P01",
      "the password is missing or wrong; put the right one into the URL or into ~/.pgpass" },
    { "28", "the server does not let this user in; create the user (createuser), and allow it in "
            "pg_hba.conf" },
    { "3D000", "there is no such database on the server; create it: createdb -O USER NAME" },
    { "42501",
      "this user may not create tables there; make it the owner: ALTER DATABASE NAME OWNER "
      "TO USER, and GRANT CREATE ON SCHEMA public TO USER" },
    { "25006", "that server is a read-only standby; name the primary" },
    { "3F000",
      "there is no schema to put tables into; create it, or set search_path for this user" },
    { "53300", "the server has no connection left; raise max_connections, or close others" },
    { "53100", "the server's disk is full; make room" },
    { "57P03", "the server is just starting or stopping; try again in a moment" },
    { "55P03", "another process has it open; stop that one, or name another database" },
    { "22012", "another process writes to it now; stop that one, and start this one again" },
    { "", "nobody answers there; start PostgreSQL, or correct the URL "
          "(postgres://USER@HOST:PORT/NAME)" },
};

static const char *cure_of(const char *state)
{
    for (size_t i = 0; i < AMP_COUNT(cures); i++) {
        size_t len = strlen(cures[i].state);

        if (len ? !strncmp(cures[i].state, state, len) : !*state)
            return cures[i].what;
    }
    return "look at the server's log";
}

char *pg_sentence(const struct postgres *s)
{
    if (s->node && !strcmp(s->link.state, "55P03"))
        return store_sentence("cannot open the database %s: another process runs as node %s, or "
                              "one without --node-id has it for itself; stop that one, or give "
                              "each a --node-id of its own",
                              s->place, s->node);
    return store_sentence("cannot open the database %s: %s (%s)", s->place, cure_of(s->link.state),
                          s->link.error);
}

/* ---- open ---- */

static void text_of(void *ctx, const PGresult *row, int at)
{
    snprintf(ctx, 32, "%s", PQgetvalue(row, at, 0));
}

static char *check_server(struct postgres *s)
{
    char encoding[32] = "";

    if (PQserverVersion(s->link.conn) < OLDEST_SERVER)
        return store_sentence(
            "cannot open the database %s: the server is PostgreSQL %d; version 13 "
            "or newer is needed",
            s->place, PQserverVersion(s->link.conn) / 10000);
    if (pg_ask(&s->link, "SHOW server_encoding", NULL, text_of, encoding) < 0)
        return pg_sentence(s);
    if (strcmp(encoding, "UTF8") != 0)
        return store_sentence("cannot open the database %s: its encoding is %s; create it with "
                              "ENCODING 'UTF8' TEMPLATE template0",
                              s->place, encoding);
    return NULL;
}

static bool pg_grow(struct amp_buf *b, size_t need)
{
    b->cap = need > 2 * b->cap ? need : 2 * b->cap;
    b->at = store_realloc(b->at, b->cap);
    return true;
}

static void close_db(void *db)
{
    struct postgres *s = db;

    pg_hang_up(&s->link);
    for (size_t i = 0; i < AMP_COUNT(s->arrays); i++)
        free(s->arrays[i].at);
    free(s->owners.at);
    for (size_t i = 0; i < AMP_COUNT(s->fences); i++)
        free(s->fences[i].at);
    free(s->told.at);
    free(s->node);
    free(s->address);
    free(s->url);
    free(s);
}

static void *open_db(const struct store_config *config, char **why)
{
    struct postgres *s = store_alloc(sizeof(*s));
    size_t len = strlen(config->database) + 1;

    *s = (struct postgres){ .node_number = 1,
                            .told = { .grow = pg_grow },
                            .link = { .wake = -1, .timeout_ms = ANSWER_MS } };
    s->link.url = s->url = memcpy(store_alloc(len), config->database, len);
    place_of(s->url, s->place, sizeof(s->place));
    if (config->node && *config->node) {
        s->node = store_sentence("%s", config->node);
        s->address = store_sentence("%s", config->address ? config->address : "");
    }
    s->partition_rows = config->partition_rows ? config->partition_rows : PARTITION_ROWS;
    if (pg_connect(&s->link, writer_settings) < 0)
        *why = pg_sentence(s);
    else
        *why = check_server(s);
    if (!*why && (pg_claim(s) < 0 || (s->node && pg_node_begin_setup(s) < 0)))
        *why = pg_sentence(s);
    if (!*why)
        *why = pg_migrate(s);
    if (!*why && s->node)
        *why = pg_node_setup(s);
    if (!*why &&
        (pg_exec(&s->link, "DELETE FROM login WHERE expires_ms = 0") < 0 || pg_learn(s, true) < 0))
        *why = pg_sentence(s);
    if (!*why && s->node && pg_node_end_setup(s) < 0)
        *why = pg_sentence(s);
    if (!*why)
        return s;
    close_db(s);
    return NULL;
}

static void keys(void *db, struct store_keys *out)
{
    const int64_t *high = ((struct postgres *)db)->high;

    *out = (struct store_keys){
        .charger = high[FACT_CHARGER] + 1,
        .transaction = high[FACT_TRANSACTION] + 1,
        .transaction_end = ((struct postgres *)db)->transaction_end,
        .command = high[FACT_COMMAND] + 1,
        .user = high[FACT_USER] + 1,
        .api_key = high[FACT_API_KEY] + 1,
        .reservation = high[FACT_RESERVATION] + 1,
        .file = high[FACT_FILE] + 1,
        .batch = high[FACT_BATCH] + 1,
    };
}

/* ---- commit ---- */

/* Back to where we were. *in: the batch whose outcome was unknown is in the database. */
static int reconnect(struct postgres *s, bool *in)
{
    bool unknown = s->unknown;
    int rc;

    *in = false;
    memset(s->prepared, 0, sizeof(s->prepared));
    s->prepared_fixed = false;
    if (pg_connect(&s->link, writer_settings) < 0 || pg_claim(s) < 0) {
        pg_hang_up(&s->link);
        return AMP_E_IO;
    }
    rc = pg_learn(s, false);
    if (rc < 0) {
        if (rc == AMP_E_STATE)
            snprintf(s->link.state, sizeof(s->link.state), "22012");
        pg_hang_up(&s->link);
        return AMP_E_IO;
    }
    *in = unknown && s->unknown;
    s->unknown = false;
    return 0;
}

/* A connection that is found dead (the server was restarted) is worth a second attempt at once. */
static int commit(void *db, struct batch *b, char *error, size_t cap)
{
    struct postgres *s = db;
    bool in = false;
    int rc = AMP_E_IO;

    for (int attempt = 0; rc < 0 && attempt < 2; attempt++) {
        rc = 0;
        if (!s->link.conn)
            rc = reconnect(s, &in);
        if (rc < 0 || in)
            break;
        rc = pg_write(s, b);
        if (rc < 0 && s->link.conn) {
            if (!strcmp(s->link.state, "25006")) /* read-only: another connection may find the */
                pg_hang_up(&s->link);            /* primary, or a server that was promoted */
            break;                               /* it said no, and would say so again */
        }
    }
    if (rc < 0)
        snprintf(error, cap, "%s: %s", s->link.error, cure_of(s->link.state));
    return rc;
}

/* The server does its own housekeeping. */
static bool tidy(void *db)
{
    (void)db;
    return false;
}

static struct store_nodes *nodes_open(void *db, uv_loop_t *loop, char **why)
{
    struct postgres *s = db;

    return s->node ? pg_nodes_open(s, loop, why) : NULL;
}

const struct store_driver postgres_driver = {
    .open = open_db,
    .close = close_db,
    .keys = keys,
    .commit = commit,
    .tidy = tidy,
    .retire = pg_retire,
    .reader_open = pg_reader_open,
    .reader_close = pg_reader_close,
    .load = pg_load,
    .ask = pg_answer,
    .nodes_open = nodes_open,
    .reader_stop = pg_reader_stop,
};
