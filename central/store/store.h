/* central/store/store.h - facts to disk and back, behind one header, so that SQLite and PostgreSQL are two drivers of it.
 * One writer thread commits in groups; the loop thread never waits for a disk. DESIGN.md decisions 4 and 5.
 *
 *   store_put(s, &fact); store_put(s, &fact2);       cheap: copied into the open batch
 *   store_after(s, done, ctx);                       done(ctx, 0) on the loop thread once all put so far is durable
 *
 * All functions are called from the loop thread, and all callbacks come there. */
#ifndef CENTRAL_STORE_H
#define CENTRAL_STORE_H

#include "central/domain/fact.h"
#include <uv.h>

struct store;

/* rc 0: everything put before the matching store_after is committed with a full sync. AMP_E_IO: it is not (disk full,
 * read only ...): nothing that depends on it may be acknowledged. */
typedef void store_done_fn(void *ctx, int rc);

struct store_config {
    const char *database;      /* file path, or postgres://… (when that driver is built) */
    uint32_t commit_ms;        /* group commit window (5) */
};

/* Open or create, migrate forward. On failure NULL and *why is set to a sentence that names the cure (malloc'd). */
struct store *store_open(uv_loop_t *loop, const struct store_config *config, char **why);

/* Commit what is pending, call the callbacks, stop the threads, close. Blocks. */
void store_close(struct store *s);

/* Replay of the present: every charger, connector, open transaction, tag, user, live login, API key and unfinished command, as facts,
 * chargers first; then the last readings' hashes of open transactions as FACT_READING (newest 16 each). Called once, before traffic. 0 or AMP_E_IO. */
int store_load(struct store *s, void (*each)(void *ctx, const struct fact *f), void *ctx);

/* Next free keys, for counters that the loop thread owns from then on. */
struct store_keys { int64_t charger, transaction, command, user, api_key; };
void store_next_keys(struct store *s, struct store_keys *out);

void store_put(struct store *s, const struct fact *f);
void store_after(struct store *s, store_done_fn *done, void *ctx);

/* Questions about the past. Run on a pool thread with a connection of its own; see only committed facts. */
enum store_question { ASK_MESSAGES = 1, ASK_TRANSACTIONS, ASK_READINGS, ASK_STATUS, ASK_COMMANDS, ASK_CONNECTIONS };
struct store_ask {
    enum store_question what;
    int64_t org;
    int64_t charger;           /* 0: all */
    int64_t transaction;       /* READINGS: required; else 0: all */
    int32_t connector;         /* -1: all */
    int64_t from_ms, to_ms;    /* 0: open */
    struct amp_text action;    /* MESSAGES, COMMANDS; absent: all */
    int32_t direction, type;   /* MESSAGES; 0: all */
    bool errors_only;          /* MESSAGES */
    int32_t open;              /* TRANSACTIONS: 1 only open, 0 only closed, -1 all */
    struct amp_text text;      /* MESSAGES: payload contains */
    int64_t before;            /* cursor: rows with a smaller cursor value only; 0: newest */
    int32_t limit;             /* 1..1000 */
};
/* Rows newest first (READINGS: oldest first); facts and texts live during the call. `next` is the cursor for more, 0 at the end. */
typedef void store_rows_fn(void *ctx, int rc, const struct fact *rows, const int64_t *ids, size_t count, int64_t next);
void store_ask(struct store *s, const struct store_ask *ask, store_rows_fn *done, void *ctx);

struct store_stats { uint64_t facts, commits, failures, pending; uint32_t last_commit_us, max_commit_us; };
void store_stats(const struct store *s, struct store_stats *out);

#endif
