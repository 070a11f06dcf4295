/* ocpp/arena.h - memory for one message: handed out in order, given back all at once. The caller
 * owns the block. */
#ifndef AMP_ARENA_H
#define AMP_ARENA_H

#include "ocpp/err.h"
#include "ocpp/text.h"

struct amp_arena {
    unsigned char *at;
    size_t used, cap;
    size_t peak; /* largest `used` ever seen: tells how big the block must be */
};

void amp_arena_init(struct amp_arena *a, void *block, size_t cap);
void amp_arena_reset(struct amp_arena *a);

/* `n` bytes, zeroed, aligned to 8; NULL when full. */
void *amp_arena_alloc(struct amp_arena *a, size_t n) AMP_CHECKED;

/* A copy of `t`; .at is NULL when full (or when t.at was). */
struct amp_text amp_arena_text(struct amp_arena *a, struct amp_text t);

#endif
