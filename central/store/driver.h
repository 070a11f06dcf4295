/* central/store/driver.h - what a database must be able to do. store.c has the threads, the order
 * and the callbacks; a driver has a connection that commits, and connections that answer. */
#ifndef CENTRAL_STORE_DRIVER_H
#define CENTRAL_STORE_DRIVER_H

#include "central/store/batch.h"
#include "central/store/nodes.h"

struct store_driver {
    /* Open or create, migrate. NULL and *why. */
    void *(*open)(const struct store_config *config, char **why);
    void (*close)(void *db);                        /* after all readers */
    void (*keys)(void *db, struct store_keys *out); /* as found at open */

    /* Writer thread. All of the batch with a full sync and 0, or AMP_E_IO with the reason in error:
     * then nothing of it is in, or that cannot be known yet. A batch that failed is given again
     * before any other, and is in once in the end. */
    int (*commit)(void *db, struct batch *b, char *error, size_t cap);
    /* Writer thread, between commits: one bounded step of housekeeping. True: there is more to do.
     */
    bool (*tidy)(void *db);

    /* Writer thread, between commits: delete some rows of `kind` with ids below `below`, about
     * `rows` of them, in a transaction of its own. 1: there are more; 0: none is left; AMP_E_IO. */
    int (*retire)(void *db, enum fact_kind kind, int64_t below, int64_t rows, int64_t *deleted);

    /* A connection for one reader thread; opened and closed on the loop thread. */
    void *(*reader_open)(void *db);
    void (*reader_close)(void *reader);
    int (*load)(void *reader, void (*each)(void *ctx, const struct fact *f), void *ctx);
    int (*ask)(void *reader, const struct store_ask *ask, struct rows *out);
    /* NULL, or for several nodes: NULL and no sentence when this one is alone. */
    struct store_nodes *(*nodes_open)(void *db, uv_loop_t *loop, char **why);

    void (*reader_stop)(void *reader); /* any thread: what runs ends soon, with an error */
};

/* nodes.h from inside. Writer thread: a batch is in. Loop thread: a fact was refused; the end. */
void nodes_committed(struct store_nodes *n);
void nodes_refused(struct store_nodes *n, int64_t charger, int64_t epoch);
void nodes_close(struct store_nodes *n); /* NULL is fine */

extern const struct store_driver sqlite_driver;
extern const struct store_driver postgres_driver;

/* A malloc'd sentence. */
char *store_sentence(const char *format, ...) AMP_PRINTF(1, 2);

#endif
