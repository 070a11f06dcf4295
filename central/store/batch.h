/* central/store/batch.h - facts copied into memory of the store's own: those on the way to disk,
 * and those on the way back. The heap gives or the process ends. */
#ifndef CENTRAL_STORE_BATCH_H
#define CENTRAL_STORE_BATCH_H

#include "central/domain/fact.h"

/* Memory that grows by chunks and is given back all at once. */
struct chunk;
struct pool {
    struct chunk *chunks; /* newest first */
    size_t bytes;         /* handed out */
};
void *pool_alloc(struct pool *p, size_t n); /* aligned to 8, not zeroed */
void pool_reset(struct pool *p);            /* keeps one chunk for the next use */
void pool_free(struct pool *p);

/* Facts in the order of their arrival: one commit. */
struct batch_item {
    struct batch_item *next;
    int64_t epoch; /* of the station's ownership under which it was said; 0: anybody's to say */
    bool refused;  /* the database: the station has another owner now */
    struct fact fact;
};
struct batch {
    struct pool pool;
    struct batch_item *first, **end;
    size_t count;
    size_t refused;
    bool lossy; /* something before its end was dropped: its commit acknowledges nothing */
};
void batch_init(struct batch *b);
void batch_put(struct batch *b, const struct fact *f, int64_t epoch);
void batch_reset(struct batch *b);
void batch_free(struct batch *b);

/* The answer to a question: facts with their ids. */
struct rows {
    struct pool pool;
    struct fact *facts;
    int64_t *ids;
    size_t count, cap;
    int64_t next;
};
void rows_add(struct rows *r, const struct fact *f, int64_t id);
void rows_free(struct rows *r);

/* malloc and realloc that end the process instead of returning NULL. */
void *store_alloc(size_t n);
void *store_realloc(void *p, size_t n);

#endif
