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

int text_order(struct amp_text a, struct amp_text b)
{
    uint32_t n = a.len < b.len ? a.len : b.len;

    for (uint32_t i = 0; i < n; i++) {
        int x = (unsigned char)a.at[i], y = (unsigned char)b.at[i];

        x += x >= 'A' && x <= 'Z' ? 32 : 0;
        y += y >= 'A' && y <= 'Z' ? 32 : 0;
        if (x != y)
            return x - y;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

/* Order of the list. */
static int order(int64_t org_a, struct amp_text a, int64_t org_b, struct amp_text b)
{
    return org_a != org_b ? org_a < org_b ? -1 : 1 : text_order(a, b);
}

static bool same(const void *item, const void *key)
{
    const struct tag *t = item;
    const struct tag_name *name = key;

    return t->fact->org == name->org && amp_text_eqi(t->fact->tag, name->tag);
}

static struct tag *slot(const struct world *w, int64_t org, struct amp_text tag)
{
    return map_get(&w->tags, hash(org, tag), same, &(struct tag_name){ org, tag });
}

static struct tag_fact *find(const struct world *w, int64_t org, struct amp_text tag)
{
    const struct tag *t = slot(w, org, tag);

    return t ? t->fact : NULL;
}

/* The last one takes the place of the one that goes; the order is made again when somebody looks,
 * so that thousands can be put or removed without thousands of moves. */
static void forget(struct world *w, struct tag *t)
{
    struct tag *last = w->tag_list[--w->tag_count];

    map_remove(&w->tags, hash(t->fact->org, t->fact->tag), t);
    w->tag_list[t->at] = last;
    last->at = t->at;
    w->tags_sorted = false;
    tag_free(t);
}

void tag_free(struct tag *t)
{
    free(t->fact);
    free(t);
}

void tag_apply(struct world *w, const struct tag_fact *f)
{
    struct tag *t = slot(w, f->org, f->tag);

    if (f->deleted) {
        if (t)
            forget(w, t);
        return;
    }
    if (t) {
        keep(FACT_TAG, &t->fact, f);
        return;
    }
    t = must(calloc(1, sizeof *t));
    t->fact = pack(FACT_TAG, f);
    t->at = w->tag_count;
    w->tag_list = grow_list(w->tag_list, w->tag_count, &w->tag_cap);
    w->tags_sorted = w->tags_sorted && w->tag_count > 0 &&
                     order(w->tag_list[w->tag_count - 1]->fact->org,
                           w->tag_list[w->tag_count - 1]->fact->tag, f->org, f->tag) < 0;
    w->tag_list[w->tag_count++] = t;
    map_put(&w->tags, hash(f->org, f->tag), t);
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

static int by_name(const void *a, const void *b)
{
    const struct tag *const *x = a, *const *y = b;

    return order((*x)->fact->org, (*x)->fact->tag, (*y)->fact->org, (*y)->fact->tag);
}

static void sort(struct world *w)
{
    if (!w->tags_sorted && w->tag_count)
        qsort(w->tag_list, w->tag_count, sizeof *w->tag_list, by_name);
    for (size_t i = 0; !w->tags_sorted && i < w->tag_count; i++)
        w->tag_list[i]->at = i;
    w->tags_sorted = true;
}

const struct tag_fact *world_tag_at(struct world *w, size_t i)
{
    sort(w);
    return i < w->tag_count ? w->tag_list[i]->fact : NULL;
}

size_t world_tag_after(struct world *w, int64_t org, struct amp_text after)
{
    size_t low = 0, high = w->tag_count;

    sort(w);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct tag_fact *t = w->tag_list[middle]->fact;

        if (order(t->org, t->tag, org, after) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
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
