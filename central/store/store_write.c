/* central/store/store_write.c - the writer thread of the store: when a batch is due, how often it
 * is tried, who hears of it, and the steps in between that delete what is old. The facts of a batch
 * that failed stay with the writer until they are in, so the order on disk is the order of
 * store_put. */
#include "central/store/store_inside.h"
#include "central/store/wire.h"
#include <stdlib.h>

#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS  5000
/* Deleting what is old: so many rows a step, and this long from the end of one to the next while
 * there is traffic; it may take a third of the writer's time at most. */
#define RETIRE_ROWS     400
#define RETIRE_PAUSE_NS (30 * NS_PER_MS)

/* Move `from` to what the loop thread is to call, with `rc`. Under the lock. */
static void finish(struct store *s, struct afters *from, int rc)
{
    for (size_t i = 0; i < from->count; i++) {
        from->at[i].rc = rc;
        afters_add(&s->finished, from->at[i]);
    }
    if (from->count)
        uv_async_send(&s->bell->async);
    from->count = 0;
}

/* Sleep until the open batch is due: at once after a pause, else one window after the commit that
 * began at `began`; a batch that nobody waits for is given a window to fill. Under the lock.
 * Returns false when the store stops and nothing is left. */
static bool wait_for_batch(struct store *s, uint64_t began)
{
    for (;;) {
        uint64_t now, due;

        if (s->stop)
            return s->open->count || s->waiting.count;
        if (!s->open->count && !s->waiting.count) {
            if (s->retire.active)
                return true; /* an empty batch, and then a step of that */
            s->sleep = UNTIL_PUT;
            uv_cond_wait(&s->to_write, &s->lock);
            s->sleep = AWAKE;
            continue;
        }
        due = began + s->window_ns;
        if (!s->waiting.count && due < s->opened_ns + s->window_ns)
            due = s->opened_ns + s->window_ns;
        now = uv_hrtime();
        if (now >= due)
            return true;
        s->sleep = s->waiting.count ? AWAKE : UNTIL_AFTER;
        uv_cond_timedwait(&s->to_write, &s->lock, due - now);
        s->sleep = AWAKE;
    }
}

/* What of the batch was refused is no fact: the loop thread hears of it before anybody hears that
 * the batch is in. Under the lock. */
static void note_lost(struct store *s, const struct batch *b)
{
    struct refusal last = { 0, 0 };

    for (const struct batch_item *i = b->refused ? b->first : NULL; i; i = i->next) {
        int64_t station = i->refused ? wire_station(&i->fact) : 0;

        if (!station || (station == last.station && i->epoch == last.epoch))
            continue;
        if (s->lost_count == s->lost_cap) {
            s->lost_cap = s->lost_cap ? 2 * s->lost_cap : 16;
            s->lost = store_realloc(s->lost, s->lost_cap * sizeof(*s->lost));
        }
        s->lost[s->lost_count++] = last = (struct refusal){ station, i->epoch };
    }
    if (s->lost_count)
        uv_async_send(&s->bell->async);
}

/* One attempt. The lock is not held. */
int store_attempt(struct store *s, struct batch *b)
{
    char error[sizeof(s->stats.error)] = "";
    uint64_t began = uv_hrtime(), us;
    int rc = b->count ? s->driver->commit(s->db, b, error, sizeof(error)) : 0;

    us = (uv_hrtime() - began) / 1000;
    uv_mutex_lock(&s->lock);
    s->stats.failing = rc < 0;
    if (rc < 0) {
        s->stats.failures++;
        memcpy(s->stats.error, error, sizeof(error));
    } else if (b->count) {
        s->stats.commits++;
        s->stats.facts += b->count;
        s->stats.pending -= b->count;
        s->stats.last_commit_us = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
        if (s->stats.last_commit_us > s->stats.max_commit_us)
            s->stats.max_commit_us = s->stats.last_commit_us;
        note_lost(s, b);
        histogram_add(&s->stats.commit, us);
    }
    uv_mutex_unlock(&s->lock);
    if (rc == 0 && s->nodes && b->count)
        nodes_committed(s->nodes);
    return rc;
}

/* Sleep before the next attempt; cut short when the store stops. Under the lock. */
static void back_off(struct store *s, uint64_t ms)
{
    uint64_t until = uv_hrtime() + ms * NS_PER_MS, now;

    while (!s->stop && (now = uv_hrtime()) < until)
        uv_cond_timedwait(&s->to_write, &s->lock, until - now);
}

/* Commit `b`, as often as it takes. Whoever waits hears of the first failure, and of each one that
 * follows. False: the store stops and the disk still refuses; nothing newer may be written then, it
 * would be a story with a hole. */
static bool write_batch(struct store *s, struct batch *b, struct afters *afters)
{
    uint64_t pause_ms = RETRY_FIRST_MS;
    bool last = false;

    while (store_attempt(s, b) < 0) {
        uv_mutex_lock(&s->lock);
        finish(s, afters, AMP_E_IO);
        finish(s, &s->waiting, AMP_E_IO); /* what is newer cannot be durable before what is older */
        if (!last)
            back_off(s, pause_ms);
        if (s->stop && last) {
            uv_mutex_unlock(&s->lock);
            return false;
        }
        last = s->stop;
        uv_mutex_unlock(&s->lock);
        pause_ms = pause_ms * 2 > RETRY_LAST_MS ? RETRY_LAST_MS : pause_ms * 2;
    }
    uv_mutex_lock(&s->lock);
    finish(s, afters, b->lossy ? AMP_E_IO : 0);
    uv_mutex_unlock(&s->lock);
    return true;
}

/* One step of deleting what is old, when it is due. Under the lock, which is not held meanwhile. */
static void retire_step(struct store *s, bool busy)
{
    struct retire *r = &s->retire;
    int64_t deleted = 0;
    uint64_t began = uv_hrtime(), took;
    int rc;

    if (!r->active || (busy && began < r->due_ns))
        return;
    uv_mutex_unlock(&s->lock);
    rc = s->driver->retire(s->db, r->kind, r->below, RETIRE_ROWS, &deleted);
    uv_mutex_lock(&s->lock);
    took = uv_hrtime() - began;
    r->due_ns = uv_hrtime() + (2 * took > RETIRE_PAUSE_NS ? 2 * took : RETIRE_PAUSE_NS);
    r->rows += deleted > 0 ? (uint64_t)deleted : 0;
    if (rc > 0)
        return;
    r->rc = rc;
    r->active = false;
    r->finished = true;
    uv_async_send(&s->bell->async);
}

void store_write_loop(void *arg)
{
    struct store *s = arg;
    struct afters afters = { NULL, 0, 0 };
    bool untidy, written = true;
    uint64_t began = 0;

    uv_mutex_lock(&s->lock);
    while (written && wait_for_batch(s, began)) {
        struct batch *b = s->open;

        s->open = s->spare;
        afters_swap(&afters, &s->waiting);
        uv_mutex_unlock(&s->lock);
        began = uv_hrtime();
        written = write_batch(s, b, &afters);
        batch_reset(b);
        uv_mutex_lock(&s->lock);
        s->spare = b;
        do { /* one step after each commit; more only while nobody waits */
            bool stop = s->stop;

            uv_mutex_unlock(&s->lock);
            untidy = !stop && s->driver->tidy(s->db);
            uv_mutex_lock(&s->lock);
        } while (untidy && !s->stop && !s->waiting.count);
        if (!s->stop)
            retire_step(s, s->waiting.count > 0 || s->open->count > 0);
    }
    finish(s, &s->waiting, AMP_E_IO); /* there are none, unless the last batch was given up */
    uv_mutex_unlock(&s->lock);
    free(afters.at);
}
