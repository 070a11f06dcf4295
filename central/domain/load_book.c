/* central/domain/load_book.c - the book of load management: which groups there are, which chargers
 * are in them, and what their connectors were told. Every change is a fact; facts rebuild it. */
#include "central/domain/load_inside.h"
#include <stdio.h>

struct loads *loads_new(struct world *w, world_emit_fn *emit, void *ctx)
{
    struct loads *l = must(calloc(1, sizeof *l));

    l->world = w;
    l->emit = emit;
    l->ctx = ctx;
    return l;
}

static void free_keep(struct load_keep *k)
{
    for (int32_t i = 0; i < k->spot_count; i++)
        free(k->spots[i].own);
    free(k->spots);
    free(k->fact);
    free(k);
}

void loads_free(struct loads *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->group_count; i++)
        free(l->groups[i]);
    for (size_t i = 0; i < l->keep_count; i++)
        free_keep(l->keeps[i]);
    for (size_t i = 0; i < l->tree_count; i++)
        load_tree_free(&l->trees[i]);
    free(l->trees);
    free(l->groups);
    free(l->keeps);
    map_clear(&l->by_charger);
    free(l);
}

bool loads_changed(const struct loads *l)
{
    return l->changed;
}

static void emit(struct loads *l, enum fact_kind kind, const void *body)
{
    struct fact f = { .kind = kind };

    switch (kind) {
    case FACT_LOAD_GROUP:
        f.u.load_group = *(const struct load_group_fact *)body;
        break;
    case FACT_LOAD_MEMBER:
        f.u.load_member = *(const struct load_member_fact *)body;
        break;
    default:
        f.u.load_point = *(const struct load_point_fact *)body;
        break;
    }
    l->emit(l->ctx, &f);
}

void load_tell_point(struct loads *l, struct load_spot *s)
{
    s->point.charger = s->keep->charger;
    s->point.connector = s->connector;
    emit(l, FACT_LOAD_POINT, &s->point);
}

/* ---- groups ---- */

static size_t group_index(const struct loads *l, int64_t org, struct amp_text id)
{
    for (size_t i = 0; i < l->group_count; i++)
        if (l->groups[i]->org == org && amp_text_eqi(l->groups[i]->id, id))
            return i;
    return SIZE_MAX;
}

const struct load_group_fact *loads_group(const struct loads *l, int64_t org, struct amp_text id)
{
    size_t i = group_index(l, org, id);

    return i == SIZE_MAX ? NULL : l->groups[i];
}

size_t loads_group_count(const struct loads *l)
{
    return l->group_count;
}

const struct load_group_fact *loads_group_at(const struct loads *l, size_t i)
{
    return i < l->group_count ? l->groups[i] : NULL;
}

void loads_group_defaults(struct load_group_fact *g)
{
    *g = (struct load_group_fact){ .rule = LOAD_EQUAL,
                                   .volts = LOAD_VOLTS,
                                   .turn_s = LOAD_TURN_S,
                                   .limit_da = LOAD_NONE,
                                   .limit_w = LOAD_NONE,
                                   .fallback_da = LOAD_NONE,
                                   .fallback_w = LOAD_NONE,
                                   .signal_da = LOAD_NONE,
                                   .signal_w = LOAD_NONE };
}

static void apply_group(struct loads *l, const struct load_group_fact *g)
{
    size_t i = group_index(l, g->org, g->id);
    struct load_group_fact *fresh;

    l->changed = true;
    if (g->deleted) {
        if (i == SIZE_MAX)
            return;
        free(l->groups[i]);
        memmove(&l->groups[i], &l->groups[i + 1], (l->group_count - i - 1) * sizeof(void *));
        l->group_count--;
        return;
    }
    fresh = pack(FACT_LOAD_GROUP, g);
    if (i == SIZE_MAX) {
        l->groups = grow_list(l->groups, l->group_count, &l->group_cap);
        l->groups[l->group_count++] = fresh;
    } else {
        free(l->groups[i]);
        l->groups[i] = fresh;
    }
}

/* ---- chargers ---- */

static bool same_charger(const void *item, const void *key)
{
    const struct load_keep *k = item;

    return k->charger == *(const int64_t *)key;
}

struct load_keep *load_keep_of(const struct loads *l, int64_t charger)
{
    return map_get(&l->by_charger, map_hash_int(charger), same_charger, &charger);
}

struct load_spot *load_spot_of(const struct loads *l, int64_t charger, int32_t connector)
{
    struct load_keep *k = load_keep_of(l, charger);

    return k && connector >= 0 && connector < k->spot_count ? &k->spots[connector] : NULL;
}

static void init_spot(struct load_keep *k, int32_t connector)
{
    struct load_spot *s = &k->spots[connector];

    *s =
        (struct load_spot){ .connector = connector, .use_da = LOAD_NONE, .measured_da = LOAD_NONE };
    load_point_init(&s->point);
}

/* A charger, and room for its connectors up to this one. */
static struct load_keep *keep_for(struct loads *l, int64_t charger, int32_t connector)
{
    struct load_keep *k = load_keep_of(l, charger);

    if (!k) {
        k = must(calloc(1, sizeof *k));
        k->charger = charger;
        l->keeps = grow_list(l->keeps, l->keep_count, &l->keep_cap);
        l->keeps[l->keep_count++] = k;
        map_put(&l->by_charger, map_hash_int(charger), k);
    }
    if (connector >= k->spot_count) {
        k->spots = must(realloc(k->spots, (size_t)(connector + 1) * sizeof *k->spots));
        while (k->spot_count <= connector)
            init_spot(k, k->spot_count++);
    }
    for (int32_t i = 0; i < k->spot_count; i++)
        k->spots[i].keep = k;
    return k;
}

static void apply_member(struct loads *l, const struct load_member_fact *m)
{
    struct load_keep *k;
    struct load_member_fact **at, *fresh;

    if (m->connector < 0 || m->connector > LOAD_CONNECTORS)
        return;
    l->changed = true;
    k = keep_for(l, m->charger,
                 m->connector                                            ? m->connector
                 : m->connectors > 0 && m->connectors <= LOAD_CONNECTORS ? m->connectors
                                                                         : 1);
    at = m->connector ? &k->spots[m->connector].own : &k->fact;
    fresh = m->deleted ? NULL : pack(FACT_LOAD_MEMBER, m);
    free(*at);
    *at = fresh;
}

static void apply_point(struct loads *l, const struct load_point_fact *p)
{
    struct load_spot *s;

    if (p->connector < 0 || p->connector > LOAD_CONNECTORS)
        return;
    l->changed = true;
    s = &keep_for(l, p->charger, p->connector)->spots[p->connector];
    if (!s->sent.command) /* what this process itself is saying it knows better */
        s->point = *p;
}

void loads_apply(struct loads *l, const struct fact *f)
{
    if (f->kind == FACT_LOAD_GROUP)
        apply_group(l, &f->u.load_group);
    else if (f->kind == FACT_LOAD_MEMBER)
        apply_member(l, &f->u.load_member);
    else if (f->kind == FACT_LOAD_POINT)
        apply_point(l, &f->u.load_point);
}

bool loads_member(const struct loads *l, int64_t charger, int32_t connector,
                  struct load_member_fact *out)
{
    const struct load_keep *k = load_keep_of(l, charger);

    if (!k || !k->fact || connector < 0 || connector > k->fact->connectors)
        return false;
    *out = connector && k->spots[connector].own ? *k->spots[connector].own : *k->fact;
    return true;
}

bool loads_member_own(const struct loads *l, int64_t charger, int32_t connector)
{
    const struct load_spot *s = load_spot_of(l, charger, connector);

    return s && s->own;
}

size_t loads_member_count(const struct loads *l)
{
    return l->keep_count;
}

const struct load_member_fact *loads_member_at(const struct loads *l, size_t i)
{
    return i < l->keep_count ? l->keeps[i]->fact : NULL; /* NULL: it left its group */
}

/* ---- changes by people ---- */

static int refuse(struct load_fault *f, const char *field, const char *why, struct amp_text name,
                  const char *cure)
{
    f->field = field;
    snprintf(f->why, sizeof f->why, why, AMP_FMT(name));
    snprintf(f->cure, sizeof f->cure, "%s", cure);
    return AMP_E_VALUE;
}

/* Is the place in the tree sound? */
static int check_place(const struct loads *l, const struct load_group_fact *g, struct load_fault *f)
{
    const struct load_group_fact *up = g;

    for (int depth = 1; up->parent.len; depth++) {
        const struct load_group_fact *next = loads_group(l, g->org, up->parent);

        if (!next)
            return refuse(f, "parent", "there is no group \"%.*s\"", up->parent,
                          "Create the group above first.");
        if (amp_text_eqi(next->id, g->id))
            return refuse(f, "parent", "\"%.*s\" would stand above itself", g->id,
                          "Name a group that is not below this one.");
        if (depth >= LOAD_DEPTH)
            return refuse(f, "parent", "\"%.*s\" would be more than 8 groups deep", g->id,
                          "Make the tree flatter.");
        up = next;
    }
    return 0;
}

/* Do the fail-safe limits that people gave fit under every fuse? */
static int check_bases(const struct loads *l, const struct load_group_fact *in, const char *field,
                       struct load_fault *f)
{
    const struct load_group_fact *top = load_top(l, in);
    struct load_misfit misfit;
    struct load_tree tree;
    bool fits;

    load_tree_make(l, top, true, 0, &tree);
    fits = load_bases(&tree, &misfit);
    if (!fits) {
        f->field = field;
        snprintf(
            f->why, sizeof f->why,
            "the fail-safe limits (defaultA) below \"%s\" are %lld.%lld A more than it carries "
            "when nobody is there to tell the stations",
            tree.places[misfit.node].name, (long long)misfit.over_da / 10,
            (long long)misfit.over_da % 10);
        snprintf(f->cure, sizeof f->cure,
                 "Lower defaultA of its chargers, or leave it out: then it is the equal share.");
    }
    load_tree_free(&tree);
    return fits ? 0 : AMP_E_VALUE;
}

static bool has_below(const struct loads *l, const struct load_group_fact *g)
{
    for (size_t i = 0; i < l->group_count; i++)
        if (l->groups[i]->org == g->org && amp_text_eqi(l->groups[i]->parent, g->id))
            return true;
    for (size_t i = 0; i < l->keep_count; i++)
        if (l->keeps[i]->fact && l->keeps[i]->fact->org == g->org &&
            amp_text_eqi(l->keeps[i]->fact->group, g->id))
            return true;
    return false;
}

int loads_put_group(struct loads *l, const struct load_group_fact *g, struct load_fault *fault)
{
    const struct load_group_fact *old = loads_group(l, g->org, g->id);
    struct load_group_fact *copy = pack(FACT_LOAD_GROUP, g);
    struct load_group_fact *before = old ? pack(FACT_LOAD_GROUP, old) : NULL;
    int rc = 0;

    *fault = (struct load_fault){ 0 };
    if (g->deleted && old && has_below(l, old)) {
        refuse(fault, "id", "groups or chargers are in \"%.*s\"", g->id,
               "Move or remove them first.");
        rc = AMP_E_STATE;
    }
    if (rc == 0 && !g->deleted)
        rc = check_place(l, copy, fault);
    if (rc == 0) {
        apply_group(l, copy);
        if (!g->deleted)
            rc = check_bases(l, loads_group(l, copy->org, copy->id), "limitA", fault);
        if (rc < 0 && before) {
            apply_group(l, before);
        } else if (rc < 0) {
            copy->deleted = true;
            apply_group(l, copy);
        } else {
            emit(l, FACT_LOAD_GROUP, copy);
        }
    }
    free(copy);
    free(before);
    return rc;
}

void loads_put_reported(struct loads *l, const struct load_group_fact *g)
{
    struct load_group_fact *copy = pack(FACT_LOAD_GROUP, g);

    apply_group(l, copy);
    emit(l, FACT_LOAD_GROUP, copy);
    free(copy);
}

static void forget_rows(struct loads *l, struct load_keep *k)
{
    for (int32_t i = 0; i < k->spot_count; i++) {
        struct load_member_fact **at = i ? &k->spots[i].own : &k->fact, gone;

        if (!*at)
            continue;
        gone = **at;
        gone.deleted = true;
        emit(l, FACT_LOAD_MEMBER, &gone);
        free(*at);
        *at = NULL;
    }
    l->changed = true;
}

int loads_put_member(struct loads *l, const struct load_member_fact *rows, size_t count,
                     struct load_fault *fault)
{
    const struct load_group_fact *group = loads_group(l, rows[0].org, rows[0].group);
    struct load_keep *k = load_keep_of(l, rows[0].charger);
    struct load_member_fact *old[LOAD_CONNECTORS + 1] = { NULL };
    int rc;

    *fault = (struct load_fault){ 0 };
    if (!group)
        return refuse(fault, "id", "there is no group \"%.*s\"", rows[0].group,
                      "Create the group first.");
    for (int32_t i = 0; k && i < k->spot_count; i++) { /* what was, out of the way */
        struct load_member_fact **at = i ? &k->spots[i].own : &k->fact;

        old[i] = *at;
        *at = NULL;
    }
    for (size_t i = 0; i < count; i++)
        apply_member(l, &rows[i]);
    rc = check_bases(l, group, "defaultA", fault);
    k = load_keep_of(l, rows[0].charger);
    for (int32_t i = 0; i < k->spot_count; i++) {
        struct load_member_fact **at = i ? &k->spots[i].own : &k->fact, gone;

        if (rc < 0) {
            free(*at);
            *at = old[i];
            continue;
        }
        if (*at) {
            emit(l, FACT_LOAD_MEMBER, *at);
        } else if (old[i]) {
            gone = *old[i];
            gone.deleted = true;
            emit(l, FACT_LOAD_MEMBER, &gone);
        }
        free(old[i]);
    }
    return rc;
}

void loads_remove_member(struct loads *l, int64_t charger)
{
    struct load_keep *k = load_keep_of(l, charger);

    if (k)
        forget_rows(l, k);
}

void loads_forget(struct loads *l, int64_t charger)
{
    struct load_keep *k = load_keep_of(l, charger);

    for (int32_t i = 0; k && i < k->spot_count; i++) {
        struct load_member_fact *own = k->spots[i].own;

        init_spot(k, i);
        k->spots[i].keep = k;
        k->spots[i].own = own;
        load_tell_point(l, &k->spots[i]);
    }
}
