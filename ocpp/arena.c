/* ocpp/arena.c - see ocpp/arena.h. */
#include "ocpp/arena.h"

void amp_arena_init(struct amp_arena *a, void *block, size_t cap)
{
    size_t skip = (size_t)(-(uintptr_t)block & 7);

    if (skip > cap)
        skip = cap;
    *a = (struct amp_arena){ (unsigned char *)block + skip, 0, cap - skip, 0 };
}

void amp_arena_reset(struct amp_arena *a)
{
    a->used = 0;
}

void *amp_arena_alloc(struct amp_arena *a, size_t n)
{
    size_t at = (a->used + 7) & ~(size_t)7;
    void *p;

    if (at > a->cap || n > a->cap - at)
        return NULL;
    p = a->at + at;
    a->used = at + n;
    if (a->used > a->peak)
        a->peak = a->used;
    return memset(p, 0, n);
}

struct amp_text amp_arena_text(struct amp_arena *a, struct amp_text t)
{
    char *p;

    if (!t.at)
        return AMP_NO_TEXT;
    p = amp_arena_alloc(a, t.len ? t.len : 1);
    if (!p)
        return AMP_NO_TEXT;
    if (t.len)
        memcpy(p, t.at, t.len);
    return (struct amp_text){ p, t.len };
}
