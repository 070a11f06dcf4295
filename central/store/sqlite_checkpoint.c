/* central/store/sqlite_checkpoint.c - the write-ahead log back into the database file, without
 * stalling the writer. A thread copies (PASSIVE) after each 1,000 new pages. Under constant writing
 * that alone never lets the log start over: it grew past 10 GB in a flood. So the writer itself
 * does a RESTART above 16,000 pages (64 MB), when only little is left to copy: a stall of 20 to 76
 * ms, where automatic checkpoints took the p99 of a commit from 20 to 524 ms. */
#include "central/store/sqlite.h"
#include <stdlib.h>

#define PASSIVE_PAGES 1000
#define RESTART_PAGES 16000
#define RESTART_MS    20 /* wait that long for readers, then try again later */

static int on_wal(void *ctx, sqlite3 *db, const char *name, int pages)
{
    struct checkpoint *c = ctx;

    (void)db;
    (void)name;
    c->wal_pages = pages;
    return SQLITE_OK;
}

static void checkpoint_loop(void *arg)
{
    struct checkpoint *c = arg;

    uv_mutex_lock(&c->lock);
    while (!c->stop) {
        if (!c->asked || c->restart) {
            uv_cond_wait(&c->wake, &c->lock);
            continue;
        }
        c->asked = false;
        c->running = true;
        uv_mutex_unlock(&c->lock);
        /* It may fail: the log stays then, nothing is lost, and it is tried again with the next
         * pages. */
        (void)sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        uv_mutex_lock(&c->lock);
        c->running = false;
    }
    uv_mutex_unlock(&c->lock);
}

int checkpoint_start(struct sqlite *s, char **why)
{
    struct checkpoint *c = &s->checkpoint;

    c->restart_at = RESTART_PAGES;
    sqlite3_wal_hook(s->db, on_wal, c);
    if (sqlite3_open_v2(s->path, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
        SQLITE_OK)
        sqlite3_busy_timeout(c->db,
                             5000); /* locks of a process that was killed may outlive it a little */
    if (sqlite_exec(c->db, "PRAGMA synchronous = FULL") < 0) {
        *why = sqlite_sentence(s->path, c->db);
        sqlite3_close(c->db);
        c->db = NULL;
        return AMP_E_IO;
    }
    uv_mutex_init(&c->lock);
    uv_cond_init(&c->wake);
    if (uv_thread_create(&c->thread, checkpoint_loop, c) < 0)
        abort();
    return 0;
}

void checkpoint_stop(struct sqlite *s)
{
    struct checkpoint *c = &s->checkpoint;

    uv_mutex_lock(&c->lock);
    c->stop = true;
    uv_cond_signal(&c->wake);
    uv_mutex_unlock(&c->lock);
    uv_thread_join(&c->thread);
    uv_cond_destroy(&c->wake);
    uv_mutex_destroy(&c->lock);
    sqlite3_close(c->db);
}

/* Start the log over. The thread is kept from beginning a new pass; one that runs is waited for by
 * coming back later. */
static void restart(struct sqlite *s)
{
    struct checkpoint *c = &s->checkpoint;
    int rc, pages = 0, copied = 0;
    bool running;

    uv_mutex_lock(&c->lock);
    c->restart = true;
    running = c->running;
    uv_mutex_unlock(&c->lock);
    if (running)
        return;
    sqlite3_busy_timeout(s->db, RESTART_MS);
    rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_RESTART, &pages, &copied);
    sqlite3_busy_timeout(s->db, 5000);
    c->restart_at = rc == SQLITE_OK ? RESTART_PAGES : c->wal_pages + PASSIVE_PAGES;
    if (rc == SQLITE_OK)
        c->wal_pages = c->asked_at = 0;
    uv_mutex_lock(&c->lock);
    c->restart = false;
    uv_mutex_unlock(&c->lock);
}

void checkpoint_step(struct sqlite *s)
{
    struct checkpoint *c = &s->checkpoint;

    if (c->wal_pages < c->asked_at) { /* the log started over by itself: all of it was copied,
                                         nobody was reading */
        c->asked_at = 0;
        c->restart_at = RESTART_PAGES;
    }
    if (c->wal_pages > c->restart_at) {
        restart(s);
    } else if (c->wal_pages - c->asked_at >= PASSIVE_PAGES) {
        c->asked_at = c->wal_pages;
        uv_mutex_lock(&c->lock);
        c->asked = true;
        uv_cond_signal(&c->wake);
        uv_mutex_unlock(&c->lock);
    }
}
