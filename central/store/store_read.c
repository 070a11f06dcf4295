/* central/store/store_read.c - the questions of the store: how they are put, and the reader threads
 * that answer them, with the samples of readings back to the letter. */
#include "central/store/shape.h"
#include "central/store/store_inside.h"
#include <stdlib.h>

void questions_add(struct questions *q, struct question *one)
{
    one->next = NULL;
    *q->end = one;
    q->end = &one->next;
}

struct question *questions_take(struct questions *q)
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

void store_read_loop(void *arg)
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

/* Move a text to `to`; where the next may go. */
static char *own_text(struct amp_text *t, char *to)
{
    if (t->len)
        t->at = memcpy(to, t->at, t->len);
    return to + t->len;
}

void store_ask(struct store *s, const struct store_ask *ask, store_rows_fn *done, void *ctx)
{
    struct question *q =
        store_alloc(sizeof(*q) + ask->action.len + ask->text.len + ask->who.len + ask->kind.len +
                    ask->thing.len + ask->correlation.len + ask->tag.len);
    char *texts = (char *)(q + 1);

    *q = (struct question){ .ask = *ask, .done = done, .ctx = ctx };
    texts = own_text(&q->ask.action, texts);
    texts = own_text(&q->ask.text, texts);
    texts = own_text(&q->ask.who, texts);
    texts = own_text(&q->ask.kind, texts);
    texts = own_text(&q->ask.thing, texts);
    texts = own_text(&q->ask.correlation, texts);
    own_text(&q->ask.tag, texts);
    store_owe(s, true);
    uv_mutex_lock(&s->lock);
    questions_add(&s->asked, q);
    uv_cond_signal(&s->to_answer);
    uv_mutex_unlock(&s->lock);
}
