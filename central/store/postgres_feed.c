/* central/store/postgres_feed.c - the thread behind nodes.h: jobs come in, events go out, and in
 * between it listens. What NOTIFY says may be lost with a connection: everything is also looked at
 * by itself, once a second. */
#include "central/store/postgres_feed.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define S_NS      UINT64_C(1000000000)
#define READ_NS   S_NS
#define OWNERS_NS S_NS
#define LEASE_NS  (2 * S_NS)
#define TRIM_NS   (30 * S_NS)
#define AWAY_NS   (300 * S_NS) /* half of what changes are kept */
#define RETRY_MS  500
#define TAKES_MAX 256 /* stations in one transaction */

static const char settings[] =
    "SET synchronous_commit = on; SET jit = off; SET statement_timeout = '10s';"
    "SET lock_timeout = '8s'; SET client_min_messages = warning; SET bytea_output = 'hex';"
    "SET idle_in_transaction_session_timeout = '5s'; LISTEN amperstand";

/* ---- events: thread to loop ---- */

void feed_event(struct store_nodes *n, const struct event *e)
{
    struct event *copy = store_alloc(sizeof(*copy) + e->identity.len);

    *copy = *e;
    copy->next = NULL;
    if (e->identity.len)
        copy->identity.at = memcpy(copy + 1, e->identity.at, e->identity.len);
    uv_mutex_lock(&n->lock);
    *n->events_end = copy;
    n->events_end = &copy->next;
    uv_mutex_unlock(&n->lock);
    uv_async_send(&n->bell->async);
}

static void owe(struct store_nodes *n, bool more)
{
    if (more && n->owed++ == 0)
        uv_ref((uv_handle_t *)&n->bell->async);
    if (!more && --n->owed == 0)
        uv_unref((uv_handle_t *)&n->bell->async);
}

static void answer(struct store_nodes *n, struct job *j)
{
    const struct nodes_taken t = { .charger = j->key,
                                   .epoch = j->epoch,
                                   .facts = (const struct fact *const *)j->facts,
                                   .count = j->count };

    owe(n, false);
    if (j->what == JOB_TAKE || j->what == JOB_READ)
        j->done.taken(j->ctx, j->rc, &t);
    else
        j->done.number(j->ctx, j->rc, j->key);
    for (size_t i = 0; i < j->count; i++)
        free(j->facts[i]);
    free(j->facts);
    free(j);
}

static void tell(struct store_nodes *n, const struct event *e)
{
    const struct nodes_handler *h = &n->handler;

    switch (e->what) {
    case EVENT_CHANGED:
        h->changed(h->ctx, e->fact, e->node);
        break;
    case EVENT_TAKEN:
        h->taken(h->ctx, e->charger, e->node, e->epoch);
        break;
    case EVENT_ORPHAN:
        h->orphan(h->ctx, e->charger, e->identity, e->epoch);
        break;
    case EVENT_CUT_OFF:
        h->cut_off(h->ctx);
        break;
    case EVENT_JOB:
        answer(n, e->job);
        break;
    }
}

static void deliver(struct store_nodes *n, bool quiet)
{
    struct event *e;

    uv_mutex_lock(&n->lock);
    e = n->events;
    n->events = NULL;
    n->events_end = &n->events;
    uv_mutex_unlock(&n->lock);
    while (e) {
        struct event *next = e->next;

        if (!quiet || e->what == EVENT_JOB)
            tell(n, e);
        free(e->fact);
        free(e);
        e = next;
    }
}

static void on_bell(uv_async_t *async)
{
    struct feed_bell *bell = async->data;

    if (bell->nodes && bell->nodes->handler.changed)
        deliver(bell->nodes, false);
}

/* ---- jobs: loop to thread ---- */

static void poke(struct store_nodes *n)
{
    uint64_t one = 1;

    while (write(n->poke, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

static struct job *job_new(enum job_what what, struct amp_text name, int64_t key, void *ctx)
{
    struct job *j = store_alloc(sizeof(*j) + name.len);
    char *to = (char *)(j + 1);

    *j = (struct job){ .what = what, .ctx = ctx, .key = key, .name = { to, name.len } };
    for (uint32_t i = 0; i < name.len; i++)
        to[i] = name.at[i] >= 'A' && name.at[i] <= 'Z' ? (char)(name.at[i] + 32) : name.at[i];
    return j;
}

static void put_job(struct store_nodes *n, struct job *j)
{
    owe(n, true);
    uv_mutex_lock(&n->lock);
    *n->end = j;
    n->end = &j->next;
    uv_mutex_unlock(&n->lock);
    poke(n);
}

void nodes_take(struct store_nodes *n, struct amp_text identity, int64_t key, int64_t only,
                nodes_taken_fn *done, void *ctx)
{
    struct job *j = job_new(JOB_TAKE, identity, key, ctx);

    j->only = only;
    j->done.taken = done;
    put_job(n, j);
}

void nodes_read(struct store_nodes *n, int64_t charger, nodes_taken_fn *done, void *ctx)
{
    struct job *j = job_new(JOB_READ, AMP_NO_TEXT, charger, ctx);

    j->done.taken = done;
    put_job(n, j);
}

void nodes_claim(struct store_nodes *n, enum fact_kind kind, struct amp_text name, int64_t key,
                 nodes_number_fn *done, void *ctx)
{
    struct job *j = job_new(JOB_CLAIM, name, key, ctx);

    j->kind = kind;
    j->done.number = done;
    put_job(n, j);
}

void nodes_more_transactions(struct store_nodes *n, nodes_number_fn *done, void *ctx)
{
    struct job *j = job_new(JOB_TRANSACTIONS, AMP_NO_TEXT, 0, ctx);

    j->done.number = done;
    put_job(n, j);
}

void nodes_committed(struct store_nodes *n)
{
    uv_mutex_lock(&n->lock);
    n->tell = true;
    uv_mutex_unlock(&n->lock);
    poke(n);
}

void nodes_refused(struct store_nodes *n, int64_t charger, int64_t epoch)
{
    if (n->handler.lost)
        n->handler.lost(n->handler.ctx, charger, epoch);
}

/* ---- the thread ---- */

static struct job *take_job(struct store_nodes *n)
{
    struct job *j;

    uv_mutex_lock(&n->lock);
    j = n->first;
    if (j) {
        n->first = j->next;
        if (!n->first)
            n->end = &n->first;
        j->next = NULL;
    }
    uv_mutex_unlock(&n->lock);
    return j;
}

static void finish(struct store_nodes *n, struct job *j, int rc)
{
    while (j) {
        struct job *next = j->next;

        j->next = NULL;
        j->rc = rc;
        feed_event(n, &(struct event){ .what = EVENT_JOB, .job = j });
        j = next;
    }
}

static bool named(const struct job *list, const struct job *j)
{
    for (; list; list = list->next)
        if (list->what == JOB_TAKE ? amp_text_eq(list->name, j->name) : list->key == j->key)
            return true;
    return false;
}

/* Those at the front of the queue that can be done together. */
static struct job *take_jobs(struct store_nodes *n)
{
    struct job *first = take_job(n), **end = first ? &first->next : NULL;

    for (size_t i = 1; first && first->what <= JOB_READ && i < TAKES_MAX; i++) {
        struct job *more;
        bool fits;

        uv_mutex_lock(&n->lock);
        more = n->first;
        fits = more && more->what == first->what && !named(first, more);
        uv_mutex_unlock(&n->lock);
        if (!fits)
            break;
        *end = take_job(n);
        end = &(*end)->next;
    }
    return first;
}

static int do_jobs(struct store_nodes *n)
{
    struct job *j;
    int rc = 0;

    while (rc == 0 && (j = take_jobs(n)) != NULL) {
        switch (j->what) {
        case JOB_TAKE:
        case JOB_READ:
            rc = peers_take(n, j);
            break;
        case JOB_CLAIM:
            rc = peers_claim(n, j);
            break;
        case JOB_TRANSACTIONS:
            rc = peers_transactions(n, j);
            break;
        }
        finish(n, j, rc);
    }
    return rc;
}

/* `every` ns after `*last`? Then it is now. */
static bool due(uint64_t *last, uint64_t every)
{
    uint64_t now = uv_hrtime();

    if (*last && now - *last < every)
        return false;
    *last = now;
    return true;
}

static int look(struct store_nodes *n)
{
    bool told;
    int rc = 0;

    uv_mutex_lock(&n->lock);
    told = n->tell;
    n->tell = false;
    uv_mutex_unlock(&n->lock);
    if (told)
        rc = pg_exec(&n->link, "SET synchronous_commit = off; NOTIFY amperstand, 'c';"
                               "SET synchronous_commit = on");
    if (rc == 0 && due(&n->lease_ns, LEASE_NS))
        rc = peers_lease(n);
    if (rc == 0 && (n->wanted || !n->read_ns || uv_hrtime() - n->read_ns > READ_NS)) {
        n->wanted = false;
        rc = peers_changes(n);
        if (rc == 0)
            n->read_ns = uv_hrtime();
    }
    if (rc == 0 && due(&n->owners_ns, OWNERS_NS))
        rc = peers_owners(n);
    if (rc == 0 && due(&n->trim_ns, TRIM_NS))
        rc = peers_trim(n);
    return rc;
}

static void hear(struct store_nodes *n)
{
    PGnotify *note;

    if (!n->link.conn)
        return;
    if (!PQconsumeInput(n->link.conn))
        pg_hang_up(&n->link);
    while (n->link.conn && (note = PQnotifies(n->link.conn)) != NULL) {
        if (note->be_pid != PQbackendPID(n->link.conn))
            peers_notified(n, note->extra);
        PQfreemem(note);
    }
}

/* Until somebody wants something, somebody says something, or it is time to look. */
static void wait(struct store_nodes *n)
{
    struct pollfd fds[2] = { { .fd = n->poke, .events = POLLIN },
                             { .fd = n->link.conn ? PQsocket(n->link.conn) : -1,
                               .events = POLLIN } };
    uint64_t sum;

    hear(n);
    if (n->wanted)
        return;
    if (poll(fds, 2, n->link.conn ? 1000 : RETRY_MS) < 0 && errno != EINTR)
        abort();
    if (fds[0].revents && read(n->poke, &sum, sizeof(sum)) < 0 && errno != EAGAIN)
        abort();
    hear(n);
}

static bool stopping(struct store_nodes *n)
{
    bool stop;

    uv_mutex_lock(&n->lock);
    stop = n->stop;
    uv_mutex_unlock(&n->lock);
    return stop;
}

/* Nobody knows when the database comes back: whoever asked is told now. */
static void away(struct store_nodes *n)
{
    struct job *j;

    while ((j = take_job(n)) != NULL)
        finish(n, j, AMP_E_IO);
    if (!n->lost_all && n->read_ns && uv_hrtime() - n->read_ns > AWAY_NS) {
        n->lost_all = true;
        feed_event(n, &(struct event){ .what = EVENT_CUT_OFF });
    }
}

static void feed_loop(void *arg)
{
    struct store_nodes *n = arg;

    while (!stopping(n)) {
        if (!n->link.conn && pg_connect(&n->link, settings) < 0)
            away(n);
        if (n->link.conn) {
            if (n->read_ns && uv_hrtime() - n->read_ns > AWAY_NS)
                away(n);
            if (do_jobs(n) < 0 || look(n) < 0)
                pg_hang_up(&n->link);
        }
        wait(n);
    }
    if (n->link.conn)
        peers_leave(n);
}

/* ---- the whole ---- */

struct store_nodes *pg_nodes_open(struct postgres *s, uv_loop_t *loop, char **why)
{
    struct store_nodes *n = store_alloc(sizeof(*n));

    *n = (struct store_nodes){
        .self = s->node_number,
        .url = s->url,
        .poke = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .link = { .url = s->url, .wake = -1, .timeout_ms = 15000 },
    };
    if (n->poke < 0)
        abort();
    n->end = &n->first;
    n->events_end = &n->events;
    uv_mutex_init(&n->lock);
    n->bell = store_alloc(sizeof(*n->bell));
    n->bell->nodes = n;
    uv_async_init(loop, &n->bell->async, on_bell);
    n->bell->async.data = n->bell;
    uv_unref((uv_handle_t *)&n->bell->async);
    if (pg_connect(&n->link, settings) < 0 || peers_begin(n) < 0) {
        snprintf(s->link.error, sizeof(s->link.error), "%s", n->link.error);
        snprintf(s->link.state, sizeof(s->link.state), "%s", n->link.state);
        *why = pg_sentence(s);
        nodes_close(n);
        return NULL;
    }
    return n;
}

void nodes_watch(struct store_nodes *n, const struct nodes_handler *h)
{
    n->handler = *h;
    n->running = true;
    if (uv_thread_create(&n->thread, feed_loop, n) < 0)
        abort();
}

static void on_bell_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void nodes_close(struct store_nodes *n)
{
    struct job *j;

    if (!n)
        return;
    uv_mutex_lock(&n->lock);
    n->stop = true;
    uv_mutex_unlock(&n->lock);
    poke(n);
    if (n->running)
        uv_thread_join(&n->thread);
    while ((j = take_job(n)) != NULL)
        finish(n, j, AMP_E_STATE);
    deliver(n, true);
    pg_hang_up(&n->link);
    close(n->poke);
    while (n->owners) {
        struct event *next = n->owners->next;

        free(n->owners);
        n->owners = next;
    }
    for (size_t i = 0; i < AMP_COUNT(n->arrays); i++)
        free(n->arrays[i].at);
    free(n->marks);
    free(n->list);
    uv_mutex_destroy(&n->lock);
    n->bell->nodes = NULL;
    uv_close((uv_handle_t *)&n->bell->async, on_bell_closed);
    free(n);
}

int64_t nodes_self(const struct store_nodes *n)
{
    return n->self;
}

static uv_mutex_t *lock_of(const struct store_nodes *n)
{
    return (uv_mutex_t *)(uintptr_t)&n->lock; /* looking changes nothing that the caller sees */
}

bool nodes_lead(const struct store_nodes *n)
{
    bool lead;

    uv_mutex_lock(lock_of(n));
    lead = uv_hrtime() < n->lead_until_ns;
    uv_mutex_unlock(lock_of(n));
    return lead;
}

size_t nodes_list(const struct store_nodes *n, struct node_info *out, size_t cap)
{
    size_t count;

    uv_mutex_lock(lock_of(n));
    count = n->list_count;
    for (size_t i = 0; i < count && i < cap; i++)
        out[i] = n->list[i];
    uv_mutex_unlock(lock_of(n));
    return count;
}

void nodes_owners(struct store_nodes *n,
                  void (*each)(void *ctx, int64_t charger, int64_t node, int64_t epoch), void *ctx)
{
    for (const struct event *e = n->owners; e; e = e->next)
        each(ctx, e->charger, e->node, e->epoch);
}
