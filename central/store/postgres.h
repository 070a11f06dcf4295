/* central/store/postgres.h - the PostgreSQL driver from inside: what its files share.
 *   postgres.c         open, claim, reconnect; the writer's connection
 *   postgres_link.c    connections, statements and their results, sentences for what goes wrong
 *   postgres_array.c   the arguments of a statement for many rows
 *   postgres_schema.c  migrations, native partitions, what the writer must know
 *   postgres_commit.c  a batch as one pipelined transaction of arrays
 *   postgres_retire.c  rows that are kept no longer
 *   postgres_read.c    questions; reader threads, a connection each
 *   postgres_load.c    the present at the start; a connection of its own
 *   postgres_node.c    one node of several: its name, its ids and keys, the fence
 *   postgres_feed.c    what a node tells and asks the others; a connection and a thread of its own */
#ifndef CENTRAL_STORE_POSTGRES_H
#define CENTRAL_STORE_POSTGRES_H

#include "central/store/driver.h"
#include "central/store/table.h"
#include <libpq-fe.h>

/* Rows of a history whose times are known by one row of history_zone: what a search by time skips.
 */
#define ZONE_IDS 65536

/* ---- connections ---- */

/* One connection, used by one thread. Never waits for ever: not for a host that is gone, and not
 * once `wake` can be read. */
struct pg_link {
    PGconn *conn; /* NULL: none */
    const char *url;
    int wake;       /* -1: none */
    int timeout_ms; /* for one answer */
    char state[6];  /* SQLSTATE of what failed last; "" when there is none */
    char error[300];
};
typedef void pg_row_fn(void *ctx, const PGresult *row, int at);

/* 0 or AMP_E_IO with state and error. `settings` is what to say first. */
int pg_connect(struct pg_link *l, const char *settings);
void pg_hang_up(struct pg_link *l);
/* Wait until there is something to read, or room to write when `writing`. 0; AMP_E_STATE: woken;
 * AMP_E_TIMEOUT. */
int pg_poll(struct pg_link *l, bool writing);
/* Take the reason from a result, or from the connection when NULL. Hangs up what is dead. */
void pg_fail(struct pg_link *l, const PGresult *r);
/* Statements without arguments, several at once in one transaction. 0 or AMP_E_IO. */
int pg_exec(struct pg_link *l, const char *sql);
/* One statement; each(ctx, row, 0) as they come, so that a large answer needs no memory. 0,
 * AMP_E_STATE (woken) or AMP_E_IO. */
#define PG_ARGUMENTS_MAX 48
struct pg_arguments {
    const char *values[PG_ARGUMENTS_MAX];
    int lengths[PG_ARGUMENTS_MAX], formats[PG_ARGUMENTS_MAX]; /* formats: 0 text, 1 binary */
    int count;
};
int pg_ask(struct pg_link *l, const char *sql, const struct pg_arguments *a, pg_row_fn *each,
           void *ctx);
/* One number of the first row; `fallback` when there is none or it is NULL. */
int pg_number(struct pg_link *l, const char *sql, int64_t fallback, int64_t *out);
int64_t pg_integer(const PGresult *r, int row, int column);
/* Columns of a fact, the first at `at`. Texts live as long as the result. */
void pg_read_fact(const PGresult *r, int row, int at, enum fact_kind kind, struct fact *out);

/* ---- arrays, in PostgreSQL's binary form ---- */
struct pg_array {
    char *at;
    size_t len, cap;
    uint32_t count, type;
    bool nulls;
};
enum pg_type { PG_INT64 = 20, PG_INT32 = 23, PG_TEXT = 25 };
enum pg_type pg_type_of(const struct column *c);
const char *pg_type_name(enum pg_type type);
void pg_array_reset(struct pg_array *a, enum pg_type type);
void pg_array_int64(struct pg_array *a, int64_t v);
void pg_array_int32(struct pg_array *a, int32_t v);
/* NUL bytes and broken UTF-8, which PostgreSQL refuses, become U+FFFD. */
void pg_array_text(struct pg_array *a, struct amp_text t);
void pg_array_null(struct pg_array *a);
void pg_argument_array(struct pg_arguments *to, struct pg_array *a);
/* U+FFFD for what cannot be stored, from `t` into `to` (3 * t.len bytes). Returns the length. */
size_t pg_clean_text(char *to, struct amp_text t);

/* ---- the writer ---- */
struct pg_history {
    int64_t next_id, end_id;                /* end_id: first id for which there is no partition */
    int64_t partitions;                     /* number of the newest */
    int64_t zone, zone_from_ms, zone_to_ms; /* as in history_zone; zone -1: not known */
};

#define PG_PLACE_MAX 200
struct postgres {
    struct pg_link link;
    char *url;
    char place[PG_PLACE_MAX]; /* the URL without its password, for sentences */
    int64_t partition_rows;
    int64_t epoch, number; /* of this process; of its newest batch that is known to be in */
    bool unknown;          /* batch number + 1 was sent and no answer came */
    struct pg_history histories[FACT_KINDS];
    int64_t high[FACT_KINDS], noted[FACT_KINDS]; /* highest key ever used, and as in high_water */
    bool prepared[FACT_KINDS], prepared_fixed;
    char *node;              /* our name among several nodes; NULL: alone */
    char *address;           /* where the others reach us */
    int64_t node_number;     /* 1 when alone: the row of store_writer */
    int64_t transaction_end; /* behind the keys that are reserved for us; 0 when alone */
    struct pg_array fences[5];
    struct amp_buf told; /* facts for the other nodes */
    struct pg_array arrays[PG_ARGUMENTS_MAX], owners;
};

/* Be the only process that writes here, or the only one of our name. 0 or AMP_E_IO; state 55P03:
 * there is another. */
int pg_claim(struct postgres *s);
/* A sentence, or NULL. */
char *pg_migrate(struct postgres *s);
/* Ids, partitions, and which batch is the newest: after each connect. `first`: take the next epoch.
 * AMP_E_STATE: another process has written meanwhile. */
int pg_learn(struct postgres *s, bool first);
/* Partitions for `more` rows; a transaction of its own. */
int pg_make_partitions(struct postgres *s, enum fact_kind kind, size_t more);
/* One attempt on a live connection. `unknown` tells whether its outcome is. */
int pg_write(struct postgres *s, struct batch *b);
int pg_retire(void *db, enum fact_kind kind, int64_t below, int64_t rows, int64_t *deleted);
char *pg_sentence(const struct postgres *s);

/* One attempt at a statement of the batch: queued to the server, its answer waits. */
int pg_send_prepared(struct postgres *s, const char *name, const struct pg_arguments *a);

/* ---- one node of several ---- */
/* Tables and locks of nodes, around the migrations, so that two that start at once do not meet. */
int pg_node_begin_setup(struct postgres *s);
int pg_node_end_setup(struct postgres *s);
char *pg_node_setup(struct postgres *s); /* our row and number; a sentence, or NULL */
/* A block of keys nobody else gets: [*first, *end). */
#define PG_KEYS_TRANSACTION 65536
int pg_reserve_keys(struct pg_link *l, const char *counter, const char *table, int64_t size,
                    int64_t *first);
int pg_node_keys(struct postgres *s, enum fact_kind kind);
/* Ids for the histories of a batch, then the transaction: mark and fence. Facts of stations that
 * are not ours any more are marked refused. */
int pg_node_reserve(struct postgres *s, const size_t *counts);
int pg_node_begin(struct postgres *s, struct batch *b);
/* What the other nodes hear: in the pipeline, as its last statement but COMMIT. */
int pg_node_tell(struct postgres *s, const struct batch *b);
/* Bounds of partitions as others may have moved them. */
int pg_node_partitions(struct postgres *s, enum fact_kind kind);

struct store_nodes *pg_nodes_open(struct postgres *s, uv_loop_t *loop, char **why);

/* ---- readers ---- */
struct pg_reader {
    struct pg_link link; /* connected when the first question comes */
};
void *pg_reader_open(void *db);
void pg_reader_close(void *reader);
void pg_reader_stop(void *reader);
int pg_reader_ready(struct pg_reader *r); /* connect when there is no connection */
int pg_answer(void *reader, const struct store_ask *ask, struct rows *out);
int pg_load(void *reader, void (*each)(void *ctx, const struct fact *f), void *ctx);
/* The present of these chargers alone, with what finished last. `keys`: an array of int64. */
int pg_load_chargers(struct pg_link *link, struct pg_array *keys,
                     void (*each)(void *ctx, const struct fact *f), void *ctx);

#endif
