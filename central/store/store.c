/* central/store/store.c - the front of the store, on the loop thread: what is put is copied into
 * the open batch; the writer thread (store_write.c) takes the batch, commits it and rings a bell on
 * the loop; questions go to reader threads (store_read.c). Two batches, one filling, one being
 * written. */
#include "central/store/shape.h"
#include "central/store/store_inside.h"
#include "central/store/table.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define COMMIT_MS   5
#define MAX_PENDING ((uint64_t)256 << 20)

char *store_sentence(const char *format, ...)
{
    char text[1024];
    va_list args;
    size_t len;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    len = strlen(text) + 1;
    return memcpy(store_alloc(len), text, len);
}

void afters_add(struct afters *a, struct after after)
{
    if (a->count == a->cap) {
        a->cap = a->cap ? 2 * a->cap : 64;
        a->at = store_realloc(a->at, a->cap * sizeof(*a->at));
    }
    a->at[a->count++] = after;
}

void afters_swap(struct afters *a, struct afters *b)
{
    struct afters t = *a;

    *a = *b;
    *b = t;
}

/* One more or fewer callbacks owed. */
void store_owe(struct store *s, bool more)
{
    if (more && s->owed++ == 0)
        uv_ref((uv_handle_t *)&s->bell->async);
    if (!more && --s->owed == 0)
        uv_unref((uv_handle_t *)&s->bell->async);
}

static void answer(struct question *q)
{
    if (q->rc < 0)
        q->done(q->ctx, q->rc, NULL, NULL, 0, 0);
    else
        q->done(q->ctx, 0, q->rows.facts, q->rows.ids, q->rows.count, q->rows.next);
    rows_free(&q->rows);
    free(q);
}

/* What became of store_retire. `over`: the store closes. */
static void deliver_retired(struct store *s, bool over)
{
    struct retire r;

    uv_mutex_lock(&s->lock);
    r = s->retire;
    if (r.finished || (over && r.active))
        s->retire = (struct retire){ .due_ns = r.due_ns };
    uv_mutex_unlock(&s->lock);
    if (!r.finished && !(over && r.active))
        return;
    store_owe(s, false);
    r.done(r.ctx, r.finished ? r.rc : AMP_E_STATE, r.rows);
}

static void deliver(struct store *s)
{
    struct question *q;
    struct refusal *lost;
    size_t count;

    uv_mutex_lock(&s->lock);
    afters_swap(&s->finished, &s->delivering);
    q = s->answered.first;
    s->answered = (struct questions){ NULL, &s->answered.first };
    lost = s->lost;
    count = s->lost_count;
    s->lost = NULL;
    s->lost_count = s->lost_cap = 0;
    uv_mutex_unlock(&s->lock);
    for (size_t i = 0; i < count; i++)
        nodes_refused(s->nodes, lost[i].station, lost[i].epoch);
    free(lost);
    deliver_retired(s, false);
    for (size_t i = 0; i < s->delivering.count; i++) {
        struct after a = s->delivering.at[i];

        store_owe(s, false);
        a.done(a.ctx, a.rc);
    }
    s->delivering.count = 0;
    while (q) {
        struct question *next = q->next;

        store_owe(s, false);
        answer(q);
        q = next;
    }
}

static void on_bell(uv_async_t *async)
{
    struct bell *bell = async->data;

    if (bell->store)
        deliver(bell->store);
}

static void on_bell_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static const struct store_driver *driver_of(const char *database)
{
    bool url = !strncmp(database, "postgres://", 11) || !strncmp(database, "postgresql://", 13);

    return url ? &postgres_driver : &sqlite_driver;
}

static void start(struct store *s, uv_loop_t *loop)
{
    s->bell = store_alloc(sizeof(*s->bell));
    s->bell->store = s;
    uv_async_init(loop, &s->bell->async, on_bell);
    s->bell->async.data = s->bell;
    uv_unref((uv_handle_t *)&s->bell->async);
    uv_mutex_init(&s->lock);
    uv_cond_init(&s->to_write);
    uv_cond_init(&s->to_answer);
    if (uv_thread_create(&s->writer, store_write_loop, s) < 0)
        abort();
    for (size_t i = 0; i < READERS; i++)
        if (uv_thread_create(&s->readers[i].thread, store_read_loop, &s->readers[i]) < 0)
            abort();
}

struct store *store_open(uv_loop_t *loop, const struct store_config *config, char **why)
{
    struct store *s;
    const struct store_driver *driver = driver_of(config->database);

    *why = NULL;
    s = store_alloc(sizeof(*s));
    *s = (struct store){ .driver = driver };
    if (config->node && *config->node && !driver->nodes_open)
        *why = store_sentence("several nodes need a PostgreSQL that they share; name it with "
                              "--database postgres://USER@HOST:PORT/NAME, or leave out --node-id");
    else
        s->db = driver->open(config, why);
    if (!s->db) {
        free(s);
        return NULL;
    }
    if (driver->nodes_open)
        s->nodes = driver->nodes_open(s->db, loop, why);
    if (*why) {
        driver->close(s->db);
        free(s);
        return NULL;
    }
    driver->keys(s->db, &s->keys);
    s->shapes = shapes_new();
    s->window_ns = (config->commit_ms ? config->commit_ms : COMMIT_MS) * NS_PER_MS;
    s->max_pending = config->max_pending ? config->max_pending : MAX_PENDING;
    for (size_t i = 0; i < AMP_COUNT(s->batches); i++)
        batch_init(&s->batches[i]);
    s->open = &s->batches[0];
    s->spare = &s->batches[1];
    s->asked = (struct questions){ NULL, &s->asked.first };
    s->answered = (struct questions){ NULL, &s->answered.first };
    for (size_t i = 0; i < READERS; i++)
        s->readers[i] = (struct reader){ .store = s, .connection = driver->reader_open(s->db) };
    start(s, loop);
    return s;
}

static void stop_threads(struct store *s)
{
    uv_mutex_lock(&s->lock);
    s->stop = true;
    uv_cond_signal(&s->to_write);
    uv_cond_broadcast(&s->to_answer);
    for (size_t i = 0; i < READERS; i++)
        s->driver->reader_stop(s->readers[i].connection);
    uv_mutex_unlock(&s->lock);
    uv_thread_join(&s->writer);
    for (size_t i = 0; i < READERS; i++)
        uv_thread_join(&s->readers[i].thread);
}

void store_close(struct store *s)
{
    struct question *q;

    if (!s)
        return;
    stop_threads(s);
    deliver(s);
    deliver_retired(s, true);
    if (s->open->count && !s->stats.failing) /* the callbacks' own last words */
        (void)store_attempt(s, s->open);
    nodes_close(s->nodes);
    while ((q = questions_take(&s->asked)))
        free(q);
    for (size_t i = 0; i < READERS; i++)
        s->driver->reader_close(s->readers[i].connection);
    s->driver->close(s->db);
    shapes_free(s->shapes);
    for (size_t i = 0; i < AMP_COUNT(s->batches); i++)
        batch_free(&s->batches[i]);
    free(s->waiting.at);
    free(s->finished.at);
    free(s->delivering.at);
    uv_cond_destroy(&s->to_answer);
    uv_cond_destroy(&s->to_write);
    uv_mutex_destroy(&s->lock);
    s->bell->store = NULL;
    uv_close((uv_handle_t *)&s->bell->async, on_bell_closed);
    free(s);
}

struct loading {
    void (*each)(void *ctx, const struct fact *f);
    void *ctx;
};

/* Of a reading the present needs the hash and the totals. */
static void on_loaded(void *ctx, const struct fact *f)
{
    const struct loading *l = ctx;
    struct fact lean;

    if (f->kind == FACT_READING && shapes_packed(f->u.reading.samples)) {
        lean = *f;
        lean.u.reading.samples = AMP_NO_TEXT;
        f = &lean;
    }
    l->each(l->ctx, f);
}

int store_load(struct store *s, void (*each)(void *ctx, const struct fact *f), void *ctx)
{
    void *reader = s->driver->reader_open(s->db);
    struct loading l = { each, ctx };
    int rc = s->driver->load(reader, on_loaded, &l);

    s->driver->reader_close(reader);
    return rc;
}

struct store_nodes *store_nodes(struct store *s)
{
    return s->nodes;
}

void store_next_keys(struct store *s, struct store_keys *out)
{
    *out = s->keys;
}

/* May this fact be given up when the disk refuses for long? What is owed to people and what the
 * present is made of may not. */
static bool is_history(enum fact_kind kind)
{
    return kind == FACT_MESSAGE || kind == FACT_STATUS || kind == FACT_CONNECTION;
}

void store_put(struct store *s, const struct fact *f)
{
    store_put_owned(s, f, 0);
}

void store_put_owned(struct store *s, const struct fact *f, int64_t epoch)
{
    struct fact fresh = { .kind = (enum fact_kind)0 }, packed;

    assert(f->kind >= FACT_CHARGER && f->kind < FACT_KINDS);
    if (f->kind == FACT_READING) {
        packed = *f;
        packed.u.reading.samples = shapes_pack(s->shapes, f->u.reading.samples, &fresh);
        f = &packed;
    }
    uv_mutex_lock(&s->lock);
    if (s->stats.failing && is_history(f->kind) && s->open->pool.bytes > s->max_pending) {
        s->open->lossy = true;
        s->stats.dropped++;
    } else {
        if (!s->open->count)
            s->opened_ns = uv_hrtime();
        if (fresh.kind) {
            batch_put(s->open, &fresh, 0);
            s->stats.pending++;
        }
        batch_put(s->open, f, epoch);
        s->stats.pending++;
        if (s->sleep == UNTIL_PUT)
            uv_cond_signal(&s->to_write);
    }
    uv_mutex_unlock(&s->lock);
}

void store_after(struct store *s, store_done_fn *done, void *ctx)
{
    store_owe(s, true);
    uv_mutex_lock(&s->lock);
    afters_add(&s->waiting, (struct after){ done, ctx, 0 });
    if (s->sleep != AWAKE)
        uv_cond_signal(&s->to_write);
    uv_mutex_unlock(&s->lock);
}

void store_retire(struct store *s, enum fact_kind kind, int64_t below, store_retired_fn *done,
                  void *ctx)
{
    assert(!s->retire.active && !s->retire.finished);
    assert(table_of(kind)->by || kind == FACT_COMMAND);
    store_owe(s, true);
    uv_mutex_lock(&s->lock);
    s->retire = (struct retire){ .active = true,
                                 .kind = kind,
                                 .below = below,
                                 .due_ns = s->retire.due_ns,
                                 .done = done,
                                 .ctx = ctx };
    if (s->sleep != AWAKE)
        uv_cond_signal(&s->to_write);
    uv_mutex_unlock(&s->lock);
}

void store_stats(const struct store *s, struct store_stats *out)
{
    uv_mutex_t *lock =
        (uv_mutex_t *)(uintptr_t)&s->lock; /* looking changes nothing that the caller sees */

    uv_mutex_lock(lock);
    *out = s->stats;
    uv_mutex_unlock(lock);
}
