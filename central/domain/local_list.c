/* central/domain/local_list.c - lists and their entries: see local_list.h. What stations have of
 * them is in charger_list.c. */
#include "central/domain/local_list.h"
#include "central/domain/follow.h"
#include "central/domain/list_inside.h"

/* ---- finding ---- */

struct list *list_find(const struct world *w, int64_t org, struct amp_text name)
{
    for (size_t i = 0; i < w->list_count; i++)
        if (w->lists[i]->fact->org == org && amp_text_eqi(w->lists[i]->fact->name, name))
            return w->lists[i];
    return NULL;
}

/* The place of the first entry that is not before `tag`. */
static size_t place(const struct list *l, struct amp_text tag)
{
    size_t low = 0, high = l->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (text_order(l->entries[middle]->tag, tag) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct list_entry_fact **entry(const struct list *l, struct amp_text tag)
{
    size_t at = place(l, tag);

    return at < l->count && amp_text_eqi(l->entries[at]->tag, tag) ? &l->entries[at] : NULL;
}

const struct list_entry_fact *list_entry_after(const struct list *l, struct amp_text after)
{
    size_t at = place(l, after);

    if (at < l->count && after.len && amp_text_eqi(l->entries[at]->tag, after))
        at++;
    return at < l->count ? l->entries[at] : NULL;
}

const struct list_fact *world_list(const struct world *w, int64_t org, struct amp_text name)
{
    const struct list *l = list_find(w, org, name);

    return l ? l->fact : NULL;
}

const struct list_fact *world_list_at(const struct world *w, size_t i)
{
    return i < w->list_count ? w->lists[i]->fact : NULL;
}

size_t world_list_count(const struct world *w, int64_t org, struct amp_text name)
{
    const struct list *l = list_find(w, org, name);

    return l ? l->live : 0;
}

const struct list_entry_fact *world_list_next(const struct world *w, int64_t org,
                                              struct amp_text name, struct amp_text after)
{
    const struct list *l = list_find(w, org, name);
    const struct list_entry_fact *e = l ? list_entry_after(l, after) : NULL;

    while (e && e->deleted)
        e = list_entry_after(l, e->tag);
    return e;
}

/* ---- keeping ---- */

static void forget(struct world *w, struct list *l)
{
    size_t i = 0;

    while (w->lists[i] != l)
        i++;
    w->list_count--;
    memmove(w->lists + i, w->lists + i + 1, (w->list_count - i) * sizeof w->lists[0]);
    list_free(l);
}

void list_free(struct list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->entries[i]);
    free(l->entries);
    free(l->fact);
    free(l);
}

void list_apply(struct world *w, const struct list_fact *f)
{
    struct list *l = list_find(w, f->org, f->name);

    w->list_changes++;
    if (f->deleted) {
        if (l)
            forget(w, l);
        return;
    }
    if (l) {
        keep(FACT_LIST, &l->fact, f);
        return;
    }
    l = must(calloc(1, sizeof *l));
    l->fact = pack(FACT_LIST, f);
    w->lists = grow_list(w->lists, w->list_count, &w->list_cap);
    w->lists[w->list_count++] = l;
}

void list_apply_entry(struct world *w, const struct list_entry_fact *f)
{
    struct list *l = list_find(w, f->org, f->list);
    struct list_entry_fact **at = l ? entry(l, f->tag) : NULL;

    if (!l)
        return;
    w->list_changes++;
    if (at) {
        l->live += !f->deleted && (*at)->deleted;
        l->live -= f->deleted && !(*at)->deleted;
        keep(FACT_LIST_ENTRY, at, f);
    } else {
        size_t i = place(l, f->tag);

        l->entries = grow_list(l->entries, l->count, &l->cap);
        memmove(l->entries + i + 1, l->entries + i, (l->count - i) * sizeof l->entries[0]);
        l->entries[i] = pack(FACT_LIST_ENTRY, f);
        l->count++;
        l->live += !f->deleted;
    }
}

static void put_list(struct world *w, const struct list_fact *f)
{
    struct fact whole = { .kind = FACT_LIST, .u.list = *f };
    struct fact *copy = fact_copy(&whole);

    list_apply(w, &copy->u.list);
    tell(w, FACT_LIST, &copy->u.list);
    free(copy);
}

static void put_entry(struct world *w, const struct list_entry_fact *f)
{
    struct fact whole = { .kind = FACT_LIST_ENTRY, .u.list_entry = *f };
    struct fact *copy = fact_copy(&whole);

    list_apply_entry(w, &copy->u.list_entry);
    tell(w, FACT_LIST_ENTRY, &copy->u.list_entry);
    free(copy);
}

/* ---- changing ---- */

/* The revision that a change belongs to. What no station was told yet is one revision, however many
 * changes it is. */
static int64_t open_revision(struct world *w, struct list *l)
{
    struct list_fact f = *l->fact;

    if (f.revision <= f.sealed) {
        f.revision = f.sealed + 1;
        put_list(w, &f);
    }
    return f.revision;
}

void list_seal(struct world *w, struct list *l)
{
    struct list_fact f = *l->fact;

    if (f.sealed >= f.revision)
        return;
    f.sealed = f.revision;
    put_list(w, &f);
}

void world_put_list(struct world *w, const struct list_fact *f, int64_t now_ms)
{
    struct list *l = list_find(w, f->org, f->name);
    struct list_fact fresh = l ? *l->fact
                               : (struct list_fact){ .org = f->org,
                                                     .name = f->name,
                                                     .revision = 1,
                                                     .created_ms = now_ms };

    fresh.note = f->note;
    fresh.deleted = f->deleted;
    for (size_t i = 0; l && f->deleted && i < l->count; i++) {
        struct list_entry_fact e = *l->entries[i];

        e.deleted = true;
        tell(w, FACT_LIST_ENTRY, &e);
    }
    put_list(w, &fresh);
}

bool world_list_add(struct world *w, int64_t org, struct amp_text name, struct amp_text tag)
{
    struct list *l = list_find(w, org, name);
    struct list_entry_fact **at = entry(l, tag);
    int64_t revision;

    if (at && !(*at)->deleted)
        return false;
    revision = open_revision(w, l);
    put_entry(w, &(struct list_entry_fact){ .org = org,
                                            .list = l->fact->name,
                                            .tag = at ? (*at)->tag : tag,
                                            .revision = revision });
    return true;
}

bool world_list_drop(struct world *w, int64_t org, struct amp_text name, struct amp_text tag)
{
    struct list *l = list_find(w, org, name);
    struct list_entry_fact **at = entry(l, tag);
    int64_t revision;

    if (!at || (*at)->deleted)
        return false;
    revision = open_revision(w, l);
    put_entry(w, &(struct list_entry_fact){ .org = org,
                                            .list = l->fact->name,
                                            .tag = (*at)->tag,
                                            .revision = revision,
                                            .deleted = true });
    return true;
}

/* A tag changed, came or went: so did what its lists say about it. */
void list_saw_tag(struct world *w, const struct tag_fact *t)
{
    for (size_t i = 0; i < w->list_count; i++) {
        struct list *l = w->lists[i];
        struct list_entry_fact **at = l->fact->org == t->org ? entry(l, t->tag) : NULL;
        struct list_entry_fact f;

        if (!at || (*at)->deleted)
            continue;
        f = **at;
        f.revision = open_revision(w, l);
        put_entry(w, &f);
    }
}
