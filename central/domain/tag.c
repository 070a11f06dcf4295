/* central/domain/tag.c - who may charge. Tags compare without case and keep the spelling they were
 * entered with (E31). */
#include "central/domain/inside.h"

struct tag_name {
    int64_t org;
    struct amp_text tag;
};

static uint64_t hash(int64_t org, struct amp_text tag)
{
    return amp_text_hashi(tag) ^ map_hash_int(org);
}

static bool same(const void *item, const void *key)
{
    const struct tag_fact *t = item;
    const struct tag_name *name = key;

    return t->org == name->org && amp_text_eqi(t->tag, name->tag);
}

static struct tag_fact *find(const struct world *w, int64_t org, struct amp_text tag)
{
    return map_get(&w->tags, hash(org, tag), same, &(struct tag_name){ org, tag });
}

static void forget(struct world *w, struct tag_fact *t)
{
    size_t i = 0;

    map_remove(&w->tags, hash(t->org, t->tag), t);
    while (w->tag_list[i] != t)
        i++;
    memmove(&w->tag_list[i], &w->tag_list[i + 1],
            (w->tag_count - i - 1) * sizeof(struct tag_fact *));
    w->tag_count--;
    free(t);
}

void tag_apply(struct world *w, const struct tag_fact *t)
{
    struct tag_fact *old = find(w, t->org, t->tag), *fresh;

    if (t->deleted) {
        if (old)
            forget(w, old);
        return;
    }
    fresh = pack(FACT_TAG, t);
    if (old) { /* takes the place of the old one, so that the order of the list stays */
        for (size_t i = 0; i < w->tag_count; i++)
            if (w->tag_list[i] == old)
                w->tag_list[i] = fresh;
        map_remove(&w->tags, hash(t->org, t->tag), old);
        free(old);
    } else {
        w->tag_list = grow_list(w->tag_list, w->tag_count, &w->tag_cap);
        w->tag_list[w->tag_count++] = fresh;
    }
    map_put(&w->tags, hash(t->org, t->tag), fresh);
}

void world_put_tag(struct world *w, const struct tag_fact *t)
{
    struct fact f = { .kind = FACT_TAG, .u.tag = *t };
    struct fact *copy =
        fact_copy(&f); /* the caller's texts may be those of the tag that is replaced */

    tag_apply(w, &copy->u.tag);
    tell(w, FACT_TAG, &copy->u.tag);
    free(copy);
}

const struct tag_fact *world_tag(const struct world *w, int64_t org, struct amp_text tag)
{
    return find(w, org, tag);
}

size_t world_tag_count(const struct world *w)
{
    return w->tag_count;
}

const struct tag_fact *world_tag_at(const struct world *w, size_t i)
{
    return i < w->tag_count ? w->tag_list[i] : NULL;
}

void tag_authorize(const struct world *w, int64_t org, struct amp_text tag, const struct charger *c,
                   int connector, int64_t now_ms, struct tag_answer *out)
{
    static const char *const words[] = { "Accepted", "Blocked", "Expired", "Invalid",
                                         "ConcurrentTx" };
    const struct tag_fact *t = find(w, org, tag);

    *out = (struct tag_answer){ .status = w->config.accept_unknown_tags ? "Accepted" : "Invalid" };
    if (t) {
        out->status = "Invalid"; /* for a word that is none of OCPP 1.6's */
        for (size_t i = 0; i < AMP_COUNT(words); i++)
            if (amp_text_is(t->status, words[i]))
                out->status = words[i];
        out->expiry_ms = t->expiry_ms;
        out->parent = t->parent;
        if (!strcmp(out->status, "Accepted") && t->expiry_ms && t->expiry_ms <= now_ms)
            out->status = "Expired";
    }
    if (w->config.one_at_a_time && !strcmp(out->status, "Accepted") &&
        transaction_elsewhere(w, org, tag, c, connector))
        out->status = "ConcurrentTx";
}

void world_authorize(struct world *w, int64_t org, struct amp_text tag, int64_t now_ms,
                     struct tag_answer *out)
{
    tag_authorize(w, org, tag, NULL, 0, now_ms, out);
}

bool tag_same_parent(const struct world *w, int64_t org, struct amp_text a, struct amp_text b)
{
    const struct tag_fact *x = find(w, org, a), *y = find(w, org, b);

    return x && y && x->parent.len && amp_text_eqi(x->parent, y->parent);
}
