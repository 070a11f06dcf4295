/* central/store/store_inside.h - what store.c (the front), store_write.c (the writer thread) and
 * store_read.c (the questions) share, and nobody else sees. */
#ifndef CENTRAL_STORE_STORE_INSIDE_H
#define CENTRAL_STORE_STORE_INSIDE_H

#include "central/store/driver.h"

#define READERS   2 /* one slow search does not hold up a page of the log */
#define NS_PER_MS UINT64_C(1000000)

/* Callbacks owed, in order. */
struct after {
    store_done_fn *done;
    void *ctx;
    int rc;
};
struct afters {
    struct after *at;
    size_t count, cap;
};

struct question {
    struct question *next;
    struct store_ask ask; /* its texts are behind the struct */
    store_rows_fn *done;
    void *ctx;
    int rc;
    struct rows rows;
};
struct questions {
    struct question *first, **end;
};

struct reader {
    struct store *store;
    void *connection;
    uv_thread_t thread;
};

/* What is kept no longer. */
struct retire {
    bool active, finished;
    enum fact_kind kind;
    int64_t below;
    uint64_t rows, due_ns;
    int rc;
    store_retired_fn *done;
    void *ctx;
};

/* Outlives the store until the loop has closed the handle. */
struct bell {
    uv_async_t async;
    struct store *store;
};

/* Does the writer need a signal? It may sleep until anything is put, or until somebody waits. */
enum sleep { AWAKE, UNTIL_PUT, UNTIL_AFTER };

struct store {
    const struct store_driver *driver;
    void *db;
    struct bell *bell;
    uint64_t window_ns, max_pending;
    struct reader readers[READERS];
    uv_thread_t writer;
    size_t owed;              /* loop thread: callbacks; the loop lives while there are any */
    struct afters delivering; /* loop thread */
    struct store_keys keys;
    struct store_nodes *nodes; /* NULL: alone */
    struct shapes *shapes;

    uv_mutex_t lock; /* for all below */
    uv_cond_t to_write, to_answer;
    bool stop;
    enum sleep sleep;
    uint64_t opened_ns; /* when the first fact of the open batch came */
    struct batch batches[2];
    struct batch *open, *spare;
    struct afters waiting; /* for the open batch */
    struct afters finished;
    struct questions asked, answered;
    struct refusal {
        int64_t station, epoch;
    } *lost; /* what was refused, to be told before `finished` */
    size_t lost_count, lost_cap;
    struct retire retire;
    struct store_stats stats;
};

void afters_add(struct afters *a, struct after after);
void afters_swap(struct afters *a, struct afters *b);
/* Loop thread. One more or fewer callbacks owed. */
void store_owe(struct store *s, bool more);

/* store_write.c: the thread, with the store as its argument, and one commit. */
void store_write_loop(void *arg);
int store_attempt(struct store *s, struct batch *b);

/* store_read.c: one thread, with its reader as its argument, and queues of questions. */
void store_read_loop(void *arg);
void questions_add(struct questions *q, struct question *one);
struct question *questions_take(struct questions *q);

#endif
