/* central/store/store.c - the front of the store: what is put is copied into the open batch; the
 * writer thread takes the batch, commits it and rings a bell on the loop; questions go to reader
 * threads. Two batches, one filling, one being written. The facts of a batch that failed stay with
 * the writer until they are in, so the order on disk is the order of store_put. */
#include "central/store/driver.h"
#include "central/store/shape.h"
#include "central/store/table.h"
#include "central/store/wire.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define READERS        2 /* one slow search does not hold up a page of the log */
#define COMMIT_MS      5
#define MAX_PENDING    ((uint64_t)256 << 20)
#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS  5000
#define NS_PER_MS      UINT64_C(1000000)
/* Deleting what is old: so many rows a step, and this long from the end of one to the next while
 * there is traffic; it may take a third of the writer's time at most. */
#define RETIRE_ROWS     400
#define RETIRE_PAUSE_NS (30 * NS_PER_MS)

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

static void afters_add(struct afters *a, struct after after)
{
    if (a->count == a->cap) {
        a->cap = a->cap ? 2 * a->cap : 64;
        a->at = store_realloc(a->at, a->cap * sizeof(*a->at));
    }
    a->at[a->count++] = after;
}

static void afters_swap(struct afters *a, struct afters *b)
{
    struct afters t = *a;

    *a = *b;
    *b = t;
}

/* ---- writer thread ---- */

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
static int attempt(struct store *s, struct batch *b)
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

    while (attempt(s, b) < 0) {
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

static void write_loop(void *arg)
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

/* ---- reader threads ---- */

static void questions_add(struct questions *q, struct question *one)
{
    one->next = NULL;
    *q->end = one;
    q->end = &one->next;
}

static struct question *questions_take(struct questions *q)
{
    struct question *one = q->first;

    if (one) {
        q->first = one->next;
        if (!q->first)
            q->end = &q->first;
    }
    return one;
}

static bool unpack_grow(struct amp_buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : 1024;

    while (cap < need)
        cap *= 2;
    b->at = store_realloc(b->at, cap);
    b->cap = cap;
    return true;
}

/* One reading's samples, back to the letter. A shape that this process has not met is looked up. */
static void unpack(struct store *s, void *connection, struct rows *rows, struct reading_fact *f)
{
    struct amp_buf text = { NULL, 0, 0, unpack_grow, false };
    int64_t key = 0;
    int rc = shapes_unpack(s->shapes, f->samples, &text, &key);

    if (rc == AMP_E_ABSENT) {
        struct store_ask ask = { .what = ASK_SHAPE, .transaction = key, .limit = 1 };
        struct rows found = { .facts = NULL };

        if (s->driver->ask(connection, &ask, &found) == 0 && found.count)
            shapes_learn(s->shapes, &found.facts[0].u.shape);
        rows_free(&found);
        amp_buf_reset(&text);
        rc = shapes_unpack(s->shapes, f->samples, &text, &key);
    }
    f->samples = AMP_TEXT("[]"); /* only when somebody else wrote into the database */
    if (rc == 0) {
        char *copy = pool_alloc(&rows->pool, text.len + 1);

        memcpy(copy, text.at, text.len);
        f->samples = (struct amp_text){ copy, (uint32_t)text.len };
    }
    free(text.at);
}

static void unpack_all(struct store *s, void *connection, struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->facts[i].kind == FACT_READING && shapes_packed(rows->facts[i].u.reading.samples))
            unpack(s, connection, rows, &rows->facts[i].u.reading);
}

static void read_loop(void *arg)
{
    struct reader *r = arg;
    struct store *s = r->store;

    uv_mutex_lock(&s->lock);
    for (;;) {
        struct question *q = questions_take(&s->asked);

        if (!q) {
            if (s->stop)
                break;
            uv_cond_wait(&s->to_answer, &s->lock);
            continue;
        }
        q->rc = AMP_E_STATE;
        if (!s->stop) {
            uv_mutex_unlock(&s->lock);
            q->rc = s->driver->ask(r->connection, &q->ask, &q->rows);
            if (q->rc == 0)
                unpack_all(s, r->connection, &q->rows);
            uv_mutex_lock(&s->lock);
        }
        if (q->rc < 0 && s->stop)
            q->rc = AMP_E_STATE; /* interrupted */
        questions_add(&s->answered, q);
        uv_async_send(&s->bell->async);
    }
    uv_mutex_unlock(&s->lock);
}

/* ---- loop thread ---- */

/* One more or fewer callbacks owed. */
static void owe(struct store *s, bool more)
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
    owe(s, false);
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

        owe(s, false);
        a.done(a.ctx, a.rc);
    }
    s->delivering.count = 0;
    while (q) {
        struct question *next = q->next;

        owe(s, false);
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
    if (uv_thread_create(&s->writer, write_loop, s) < 0)
        abort();
    for (size_t i = 0; i < READERS; i++)
        if (uv_thread_create(&s->readers[i].thread, read_loop, &s->readers[i]) < 0)
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
        (void)attempt(s, s->open);
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
    owe(s, true);
    uv_mutex_lock(&s->lock);
    afters_add(&s->waiting, (struct after){ done, ctx, 0 });
    if (s->sleep != AWAKE)
        uv_cond_signal(&s->to_write);
    uv_mutex_unlock(&s->lock);
}

/* Move a text to `to`; where the next may go. */
static char *own_text(struct amp_text *t, char *to)
{
    if (t->len)
        t->at = memcpy(to, t->at, t->len);
    return to + t->len;
}

void store_ask(struct store *s, const struct store_ask *ask, store_rows_fn *done, void *ctx)
{
    struct question *q = store_alloc(sizeof(*q) + ask->action.len + ask->text.len + ask->who.len +
                                     ask->kind.len + ask->thing.len + ask->correlation.len +
                                     ask->tag.len);
    char *texts = (char *)(q + 1);

    *q = (struct question){ .ask = *ask, .done = done, .ctx = ctx };
    texts = own_text(&q->ask.action, texts);
    texts = own_text(&q->ask.text, texts);
    texts = own_text(&q->ask.who, texts);
    texts = own_text(&q->ask.kind, texts);
    texts = own_text(&q->ask.thing, texts);
    texts = own_text(&q->ask.correlation, texts);
    own_text(&q->ask.tag, texts);
    owe(s, true);
    uv_mutex_lock(&s->lock);
    questions_add(&s->asked, q);
    uv_cond_signal(&s->to_answer);
    uv_mutex_unlock(&s->lock);
}

void store_retire(struct store *s, enum fact_kind kind, int64_t below, store_retired_fn *done,
                  void *ctx)
{
    assert(!s->retire.active && !s->retire.finished);
    assert(table_of(kind)->by || kind == FACT_COMMAND);
    owe(s, true);
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
