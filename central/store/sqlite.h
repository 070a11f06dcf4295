/* central/store/sqlite.h - the SQLite driver from inside: what its files share.
 *   sqlite.c             open, migrate, commit; the writer's connection
 *   sqlite_statement.c   binding and reading back
 *   sqlite_partition.c   histories: partitions and their late indexes; writer thread
 *   sqlite_retire.c      rows that are kept no longer; writer thread
 *   sqlite_checkpoint.c  the log back into the file; a thread of its own, and the writer
 *   sqlite_read.c        questions; reader threads, a connection each
 *   sqlite_load.c        the present at the start; loop thread, a connection of its own */
#ifndef CENTRAL_STORE_SQLITE_H
#define CENTRAL_STORE_SQLITE_H

#include "central/store/driver.h"
#include "central/store/table.h"
#include <sqlite3.h>
#include <stdatomic.h>

/* The open partition of one history. Ids go on from partition to partition. Rows below indexed_to
 * are in its index. */
struct partition {
    int64_t number; /* 0: none yet */
    int64_t first_id, next_id, indexed_to;
};

/* What the writer knows about the file; put back when a commit fails. */
struct sqlite_books {
    struct partition open[FACT_KINDS];
    int64_t high[FACT_KINDS]; /* highest key ever used */
    bool closed;              /* there may be closed partitions whose index is not complete */
};

struct checkpoint {
    sqlite3 *db;
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t wake;
    bool stop, asked, running, restart; /* under the lock */
    int wal_pages, asked_at;            /* writer thread */
    int restart_at; /* writer thread: next attempt when the WAL has this many pages */
};

struct sqlite {
    sqlite3 *db;
    char *path;
    int lock_fd;
    int64_t partition_rows, slice_rows;
    sqlite3_stmt *begin, *commit, *rollback, *high_water;
    sqlite3_stmt *put[FACT_KINDS];
    int64_t put_number[FACT_KINDS]; /* histories: the partition that the statement is for */
    struct sqlite_books books;
    struct checkpoint checkpoint;
};

/* Why the database cannot be opened, with the cure; malloc'd. */
char *sqlite_sentence(const char *path, sqlite3 *db);

/* ---- statements ---- */
/* Prepared, to be kept; NULL when the text is wrong or the file cannot be read. */
sqlite3_stmt *sqlite_prepare(sqlite3 *db, const char *sql);
/* Run to the end and reset. 0 or AMP_E_IO. */
int sqlite_run(sqlite3_stmt *q);
int sqlite_exec(sqlite3 *db, const char *sql);
/* One number of the first row; `fallback` when there is none or it is NULL. 0 or AMP_E_IO. */
int sqlite_number(sqlite3 *db, const char *sql, int64_t fallback, int64_t *out);
int sqlite_bind_text(sqlite3_stmt *q, int at, struct amp_text t);
/* Columns of a fact to and from a statement, the first at `at`. Texts that are read live until the
 * next step. */
int sqlite_bind_fact(sqlite3_stmt *q, int at, const struct table *t, const struct fact *f);
void sqlite_read_fact(sqlite3_stmt *q, int at, enum fact_kind kind, struct fact *out);
/* A connection for reading only; NULL when it cannot be had. */
sqlite3 *sqlite_open_reader(const char *path);

/* ---- partitions ---- */
#define PARTITION_NAME_MAX 40
/* message_000042, and message_000042_by for its index. */
void partition_name(enum fact_kind kind, int64_t number, bool index, char out[PARTITION_NAME_MAX]);
int partition_load(struct sqlite *s);
/* Append inside the writer's transaction; opens the next partition when the open one is full. */
int partition_put(struct sqlite *s, const struct fact *f);
/* Bring one slice of rows into its index, in a transaction of its own. True: something was done,
 * look again. */
bool partition_index(struct sqlite *s);

/* See store_retire and driver.h. */
int sqlite_retire(void *db, enum fact_kind kind, int64_t below, int64_t rows, int64_t *deleted);

/* ---- checkpoints ---- */
/* 0, or AMP_E_IO with a sentence. */
int checkpoint_start(struct sqlite *s, char **why);
void checkpoint_stop(struct sqlite *s);
void checkpoint_step(struct sqlite *s); /* writer thread, between commits */

/* ---- readers ---- */
struct sqlite_reader {
    sqlite3 *db;
    atomic_bool stop;
};
void *sqlite_reader_open(void *db);
void sqlite_reader_close(void *reader);
void sqlite_reader_stop(void *reader);
int sqlite_ask(void *reader, const struct store_ask *ask, struct rows *out);
int sqlite_load(void *reader, void (*each)(void *ctx, const struct fact *f), void *ctx);

/* The catalogue of one history, newest first; those with ids below `before` (0: all). *out is
 * malloc'd. */
struct partition_entry {
    int64_t number, first_id, end_id,
        indexed_to;         /* end_id: first id that is not in it (as far as committed) */
    int64_t from_ms, to_ms; /* of the rows below indexed_to; from > to: none */
};
int partition_list(sqlite3 *db, enum fact_kind kind, int64_t before, struct partition_entry **out,
                   size_t *count);

#endif
