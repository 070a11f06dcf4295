/* central/store/batch.c - see batch.h. Chunks of 256 KiB; a text that is larger has a chunk of its
 * own. */
#include "central/store/batch.h"
#include <stdlib.h>

#define CHUNK_BYTES (256 * 1024 - sizeof(struct chunk))

struct chunk {
    struct chunk *next;
    size_t used, cap;
    int64_t data[]; /* aligned for every field of a fact */
};

void *store_realloc(void *p, size_t n)
{
    p = realloc(p, n);
    if (!p)
        abort();
    return p;
}

void *store_alloc(size_t n)
{
    return store_realloc(NULL, n);
}

void *pool_alloc(struct pool *p, size_t n)
{
    struct chunk *c = p->chunks;
    unsigned char *at;

    n = (n + 7) & ~(size_t)7;
    if (!c || c->cap - c->used < n) {
        size_t cap = n > CHUNK_BYTES ? n : CHUNK_BYTES;

        c = store_alloc(sizeof(*c) + cap);
        *c = (struct chunk){ .next = p->chunks, .cap = cap };
        p->chunks = c;
    }
    at = (unsigned char *)c->data + c->used;
    c->used += n;
    p->bytes += n;
    return at;
}

/* Free all chunks but one of the ordinary size, if `keep`. */
static void release(struct pool *p, bool keep)
{
    struct chunk *c = p->chunks, *kept = NULL;

    while (c) {
        struct chunk *next = c->next;

        if (keep && !kept && c->cap == CHUNK_BYTES) {
            kept = c;
            c->next = NULL;
            c->used = 0;
        } else {
            free(c);
        }
        c = next;
    }
    p->chunks = kept;
    p->bytes = 0;
}

void pool_reset(struct pool *p)
{
    release(p, true);
}

void pool_free(struct pool *p)
{
    release(p, false);
}

/* Take the texts of `f` over into `p`. */
static void own_texts(struct pool *p, struct fact *f)
{
    const uint16_t *at;
    size_t count = fact_texts(f->kind, &at), size = 0;
    char *to;

    for (size_t i = 0; i < count; i++)
        size += ((const struct amp_text *)(const void *)((const char *)f + at[i]))->len;
    to = pool_alloc(p, size + 1); /* + 1: an empty text needs an address too */
    for (size_t i = 0; i < count; i++) {
        struct amp_text *t = (struct amp_text *)(void *)((char *)f + at[i]);

        if (!t->at)
            continue;
        if (t->len)
            memcpy(to, t->at, t->len);
        t->at = to;
        to += t->len;
    }
}

void batch_init(struct batch *b)
{
    *b = (struct batch){ .first = NULL };
    b->end = &b->first;
}

void batch_put(struct batch *b, const struct fact *f, int64_t epoch)
{
    struct batch_item *item = pool_alloc(&b->pool, sizeof(*item));

    item->next = NULL;
    item->epoch = epoch;
    item->refused = false;
    item->fact = *f;
    own_texts(&b->pool, &item->fact);
    *b->end = item;
    b->end = &item->next;
    b->count++;
}

void batch_reset(struct batch *b)
{
    pool_reset(&b->pool);
    b->first = NULL;
    b->end = &b->first;
    b->count = b->refused = 0;
    b->lossy = false;
}

void batch_free(struct batch *b)
{
    pool_free(&b->pool);
}

void rows_add(struct rows *r, const struct fact *f, int64_t id)
{
    if (r->count == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 32;
        r->facts = store_realloc(r->facts, r->cap * sizeof(*r->facts));
        r->ids = store_realloc(r->ids, r->cap * sizeof(*r->ids));
    }
    r->facts[r->count] = *f;
    own_texts(&r->pool, &r->facts[r->count]);
    r->ids[r->count++] = id;
}

void rows_free(struct rows *r)
{
    pool_free(&r->pool);
    free(r->facts);
    free(r->ids);
    *r = (struct rows){ .facts = NULL };
}
