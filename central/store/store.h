/* central/store/store.h - facts to disk and back, behind one header, so that SQLite and PostgreSQL
 * are two drivers of it. One writer thread commits in groups; the loop thread never waits for a
 * disk. DESIGN.md decisions 4 and 5.
 *
 *   store_put(s, &fact); store_put(s, &fact2);   cheap: copied into the open batch
 *   store_after(s, done, ctx);                   done(ctx, 0) once all put so far is durable
 *
 * All functions are called from the loop thread, and all callbacks come there. */
#ifndef CENTRAL_STORE_H
#define CENTRAL_STORE_H

#include "central/counts.h"
#include "central/domain/fact.h"
#include <uv.h>

struct store;

/* rc 0: everything put before the matching store_after is committed with a full sync.
 * AMP_E_IO: it is not (disk full, read only ...): nothing that depends on it may be acknowledged.
 * The facts are not lost, though: the present in memory has them already, so the store keeps them
 * in order and tries again, after 100 ms, 200 ms ... at most 5 s, before anything newer, until they
 * are in. They may therefore turn up on disk later, like a message whose answer got lost: whoever
 * repeats the request meets the domain's duplicate rules. Each failed attempt fails every
 * store_after that waits by then. */
typedef void store_done_fn(void *ctx, int rc);

struct store_config {
    const char *node;        /* name of this process among several on one PostgreSQL; NULL: alone */
    const char *address;     /* host:port where the other nodes reach it; NULL: nowhere */
    const char *database;    /* file path, or postgres://USER@HOST:PORT/NAME */
    uint32_t commit_ms;      /* group commit window; 0: 5 */
    uint32_t partition_rows; /* rows in one partition of a history; 0: the driver's */
    uint64_t max_pending;    /* bytes kept in memory while the disk refuses; 0: 256 MiB. Beyond it
                              * histories (message, status, connection) are dropped and counted; the
                              * rest is kept. Their store_after never says 0 */
};

/* Open or create, migrate forward. On failure NULL and *why is set to a sentence that names the
 * cure (malloc'd). One process may have a database open at a time. */
struct store *store_open(uv_loop_t *loop, const struct store_config *config, char **why);

/* Commit what is pending (one last attempt), call all callbacks that wait, stop the threads, close.
 * Blocks. Questions not yet answered get AMP_E_STATE. Not from a callback of the store. The loop
 * must turn once more afterwards to let go of a handle. NULL is nothing to close. */
void store_close(struct store *s);

/* Replay of the present: every charger, connector, open transaction, the four closed ones of
 * each charger that ended last (for stops that are repeated), tag that is not deleted, user, login
 * that was not logged out (expired ones too: the caller has the clock), API key and unfinished
 * command, as facts, chargers first; then the newest 16 readings of each of these transactions as
 * FACT_READING, oldest first, for their hashes: their samples may be absent. Texts live during the call. Called once, before
 * traffic. 0 or AMP_E_IO. */
int store_load(struct store *s, void (*each)(void *ctx, const struct fact *f), void *ctx);

/* Next free keys, as they were at store_open, for counters that the loop thread owns from then on.
 * Never one that was used before, even if its row is gone. Of several nodes: the first of those that
 * are reserved for this one (2^32 of chargers and commands, else 65,536); a counter must then not
 * follow the keys of others' facts, as key_note and key_take of the domain see to. */
struct store_keys {
    int64_t charger, transaction, command, user, api_key, reservation, file, batch;
    int64_t transaction_end; /* of several nodes: behind those reserved for this one; else 0 */
};
void store_next_keys(struct store *s, struct store_keys *out);

/* Copy a fact into the open batch. It is committed within about commit_ms even if no store_after
 * follows. Of a transaction and a command the organisation and the charger never change. */
void store_put(struct store *s, const struct fact *f);
/* The same, said by the owner of the fact's station under this epoch: see nodes.h. */
void store_put_owned(struct store *s, const struct fact *f, int64_t epoch);
/* Call `done` once all that was put so far is durable, or failed: never from inside store_after, in
 * the order of the calls. The loop stays alive until then. */
void store_after(struct store *s, store_done_fn *done, void *ctx);

/* Questions about the past. Answered by a reader thread with a connection of its own; see only
 * committed facts. */
enum store_question {
    ASK_MESSAGES = 1,
    ASK_TRANSACTIONS,
    ASK_READINGS,
    ASK_STATUS,
    ASK_COMMANDS,
    ASK_CONNECTIONS,
    ASK_AUDIT,
    ASK_REFUSALS,
    ASK_RESERVATIONS,
    ASK_POWER,
    ASK_SHAPE /* the store's own */
};
struct store_ask {
    enum store_question what;
    int64_t org;             /* 0: all, for the server itself; nobody who asks is 0 */
    int64_t charger;         /* 0: all */
    int64_t transaction;     /* 0: all. READINGS, TRANSACTIONS, COMMANDS */
    int64_t batch;           /* 0: all. COMMANDS */
    int32_t connector;       /* -1: all. TRANSACTIONS, READINGS, STATUS, COMMANDS */
    int64_t from_ms, to_ms;  /* from <= time < to; 0: open. Time is at_ms; TRANSACTIONS start_ms,
                                COMMANDS created_ms, STATUS and READINGS seen_ms, POWER slot_ms,
                                where both are needed */
    int64_t step_ms;         /* POWER: a row each, a multiple of POWER_SLOT_MS from from_ms on */
    bool attention;          /* TRANSACTIONS: only those that a person should look at */
    uint32_t has_not;        /* READINGS: none of these bits of reading_fact.has */
    struct amp_text action;  /* MESSAGES, COMMANDS, AUDIT; absent: all */
    struct amp_text who, kind, thing; /* AUDIT; kind and thing (identity) REFUSALS, to the letter;
                                       * absent: all */
    struct amp_text tag;     /* TRANSACTIONS: who started it, without case; absent: all */
    int32_t direction, type; /* MESSAGES; 0: all */
    bool errors_only;        /* MESSAGES: those we objected to, and CALLERRORs */
    int32_t open;            /* TRANSACTIONS, RESERVATIONS: 1 only open, 0 only closed, -1 all */
    struct amp_text
        text;       /* MESSAGES: payload contains, A-Z like a-z; absent: all; at most 1,000 bytes */
    struct amp_text correlation; /* MESSAGES: the message id, exactly; absent: all */
    bool forward;   /* oldest first; READINGS always are. The rest of a history, for exports */
    int64_t before; /* cursor: smaller ids only; 0: newest. Forward: larger only; 0: oldest */
    int32_t limit;  /* 1..1000 */
    uint32_t bytes; /* most that one answer may hold; 0: 16 MiB */
};
/* POWER: of a charger, or of all of the organisation (charger 0). A row adds up the slots of a step:
 * its slot_ms and its id are the step's begin; steps in which nothing flowed have none. Always oldest
 * first. */
/* Rows newest first (forward: oldest first), in order of arrival; facts and texts live during the
 * call. `next` is the cursor for more, 0 at the end. A search looks at a bounded number of rows
 * (and returns at most `bytes`), so that no question holds up the disk: there may be fewer rows than
 * `limit`, even none, with `next` set: ask on from there. rc: 0, AMP_E_IO, AMP_E_RANGE (limit,
 * text), AMP_E_STATE (closing). */
typedef void store_rows_fn(void *ctx, int rc, const struct fact *rows, const int64_t *ids,
                           size_t count, int64_t next);
void store_ask(struct store *s, const struct store_ask *ask, store_rows_fn *done, void *ctx);

/* Delete what is kept no longer: rows of a history, or finished commands, with ids below `below`, a
 * few at a time between commits, so that nobody waits for it; whole partitions go as one. One at a
 * time. rc: 0, AMP_E_IO (try again later), AMP_E_STATE (closing); `rows` that went, in any case. */
typedef void store_retired_fn(void *ctx, int rc, uint64_t rows);
void store_retire(struct store *s, enum fact_kind kind, int64_t below, store_retired_fn *done,
                  void *ctx);

struct store_stats {
    uint64_t facts;    /* committed */
    uint64_t commits;  /* that worked */
    uint64_t failures; /* commits that did not */
    uint64_t pending;  /* facts put and not yet committed */
    uint64_t dropped;  /* histories lost to max_pending */
    uint32_t last_commit_us, max_commit_us;
    struct histogram commit; /* how long those that worked took */
    bool failing;    /* the newest commit failed; facts wait in memory */
    char error[160]; /* what the database said at the newest failure; "" if there was none */
};
void store_stats(const struct store *s, struct store_stats *out);

#endif
