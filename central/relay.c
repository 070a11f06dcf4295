/* central/relay.c - a queue of batches, one a turn of the loop. The store keeps order even when the
 * disk refuses for a while, so a batch that is durable says the same of all before it: a failure
 * leaves its batch in the queue, and a later success shows it. */
#include "central/relay.h"
#include "central/cluster.h"
#include "central/log.h"
#include "central/redis.h"
#include "central/rest/live.h"

#include <stdlib.h>

struct batch {
    struct batch *next;
    uint64_t number;
    size_t count, cap;
    struct said {
        struct fact *fact;
        int64_t epoch;
    } * facts;
};

/* What the store's callback needs; the batch itself may be gone by then. */
struct question {
    struct relay *relay;
    uint64_t number;
};

struct relay {
    struct central *c;
    uv_prepare_t prepare;
    uv_check_t check;
    unsigned handles;
    bool failed;        /* the last answer of the store was no */
    unsigned asked;     /* questions under way */
    uint64_t number;    /* of the newest batch */
    size_t waiting;     /* facts in the queue */
    struct batch *open; /* of this turn */
    struct batch *first, **last;
};

static void batch_free(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        free(b->facts[i].fact);
    free(b->facts);
    free(b);
}

static struct batch *pop(struct relay *r)
{
    struct batch *b = r->first;

    r->first = b->next;
    if (!r->first)
        r->last = &r->first;
    r->waiting -= b->count;
    return b;
}

static void publish(struct relay *r, const struct said *s)
{
    if (r->c->cluster && cluster_refused(r->c->cluster, s->fact, s->epoch))
        return;
    live_publish(r->c->live, s->fact);
    if (r->c->redis)
        redis_publish(r->c->redis, s->fact);
}

/* All up to this number are durable. */
static void show(struct relay *r, uint64_t number)
{
    while (r->first && r->first->number <= number) {
        struct batch *b = pop(r);

        for (size_t i = 0; i < b->count; i++)
            publish(r, &b->facts[i]);
        batch_free(b);
    }
    if (r->c->redis)
        redis_flush(r->c->redis);
}

static void on_durable(void *ctx, int rc)
{
    struct question *q = ctx;
    struct relay *r = q->relay;

    r->asked--;
    if (rc == 0) {
        show(r, q->number);
    } else {
        r->failed = true;
        LOG_OFTEN(r->c->log, LOG_ERROR, "store", "facts are not on disk; trying again",
                  LOG_STR("why", amp_err_text(rc)), LOG_INT("waiting", r->waiting));
    }
    free(q);
}

static void ask(struct relay *r)
{
    struct question *q = malloc(sizeof *q);

    if (!q)
        abort();
    *q = (struct question){ r, r->number };
    r->asked++;
    store_after(r->c->store, on_durable, q);
}

void relay_flush(struct relay *r)
{
    if (!r->open)
        return;
    *r->last = r->open;
    r->last = &r->open->next;
    r->number = r->open->number;
    r->waiting += r->open->count;
    r->open = NULL;
    while (r->waiting > RELAY_MAX && r->first->next)
        batch_free(pop(r));
    ask(r);
}

void relay_tick(struct relay *r)
{
    if (!r->failed || r->asked || !r->first)
        return;
    r->failed = false;
    ask(r);
}

void relay_put(struct relay *r, const struct fact *f, int64_t epoch)
{
    struct batch *b = r->open;

    if (!b) {
        b = calloc(1, sizeof *b);
        if (!b)
            abort();
        b->number = r->number + 1;
        r->open = b;
    }
    if (b->count == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 8;
        b->facts = realloc(b->facts, b->cap * sizeof *b->facts);
        if (!b->facts)
            abort();
    }
    b->facts[b->count++] = (struct said){ fact_copy(f), epoch };
}

static void on_prepare(uv_prepare_t *h)
{
    relay_flush(h->data);
}

static void on_check(uv_check_t *h)
{
    relay_flush(h->data);
}

struct relay *relay_new(struct central *c)
{
    struct relay *r = calloc(1, sizeof *r);

    if (!r)
        abort();
    r->c = c;
    r->last = &r->first;
    r->handles = 2;
    r->prepare.data = r->check.data = r;
    uv_prepare_init(c->loop, &r->prepare);
    uv_check_init(c->loop, &r->check);
    uv_prepare_start(&r->prepare, on_prepare);
    uv_check_start(&r->check, on_check);
    return r;
}

static void on_closed(uv_handle_t *h)
{
    struct relay *r = h->data;

    if (--r->handles == 0)
        free(r);
}

void relay_free(struct relay *r)
{
    if (!r)
        return;
    if (r->open)
        batch_free(r->open);
    r->open = NULL;
    while (r->first)
        batch_free(pop(r));
    uv_close((uv_handle_t *)&r->prepare, on_closed);
    uv_close((uv_handle_t *)&r->check, on_closed);
}
