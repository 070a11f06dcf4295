/* central/domain/scene.h - for the tests of this folder: a world whose facts are collected, one or
 * two chargers, a clock. */
#ifndef CENTRAL_DOMAIN_SCENE_H
#define CENTRAL_DOMAIN_SCENE_H

#include "central/domain/inside.h"
#include "ocpp/check.h"

#define T0 1717228800000 /* 2024-06-01T08:00:00Z */

struct scene {
    struct world *w;
    struct charger *c, *other;
    struct fact **facts;
    size_t count, cap;
};

static inline void scene_emit(void *ctx, const struct fact *f)
{
    struct scene *s = ctx;

    s->facts = grow_list(s->facts, s->count, &s->cap);
    s->facts[s->count++] = fact_copy(f);
}

/* Facts of a kind since the last scene_forget. */
static inline size_t scene_count(const struct scene *s, enum fact_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < s->count; i++)
        n += s->facts[i]->kind == kind;
    return n;
}

static inline const struct fact *scene_last(const struct scene *s, enum fact_kind kind)
{
    for (size_t i = s->count; i > 0; i--)
        if (s->facts[i - 1]->kind == kind)
            return s->facts[i - 1];
    return NULL;
}

static inline void scene_forget(struct scene *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->facts[i]);
    s->count = 0;
}

static inline void scene_tag(struct scene *s, const char *tag, const char *status,
                             const char *parent)
{
    world_put_tag(s->w, &(struct tag_fact){ .org = ORG_DEFAULT,
                                            .tag = amp_text_of(tag),
                                            .status = amp_text_of(status),
                                            .parent = amp_text_of(parent) });
}

/* Chargers CP1 (connected) and CP2; tags GOOD and FRIEND of one family, LONER, BAD (blocked). */
static inline void scene_open(struct scene *s, const struct world_config *config)
{
    static const struct world_config usual = { .heartbeat_s = 300,
                                               .stale_after_s = 90,
                                               .accept_unknown = true };

    *s = (struct scene){ 0 };
    s->w = world_new(config ? config : &usual, scene_emit, s);
    s->c = world_charger_meet(s->w, AMP_TEXT("CP1"), T0);
    s->other = world_charger_meet(s->w, AMP_TEXT("CP2"), T0);
    world_connected(s->w, s->c, s, AMP_TEXT("ocpp1.6"), AMP_TEXT("127.0.0.1:1"), T0);
    scene_tag(s, "GOOD", "Accepted", "FAMILY");
    scene_tag(s, "FRIEND", "Accepted", "FAMILY");
    scene_tag(s, "LONER", "Accepted", NULL);
    scene_tag(s, "BAD", "Blocked", NULL);
    scene_forget(s);
}

static inline void scene_close(struct scene *s)
{
    scene_forget(s);
    free(s->facts);
    world_free(s->w);
}

#endif
