/* central/domain/load_site.c - from the book to what load_share works on: the nodes of a tree,
 * their limits at this moment, and the fail-safe limits of the connectors below. */
#include "central/domain/load_inside.h"
#include <stdio.h>

const struct load_group_fact *load_top(const struct loads *l, const struct load_group_fact *g)
{
    for (int depth = 0; g->parent.len && depth < LOAD_DEPTH; depth++) {
        const struct load_group_fact *up = loads_group(l, g->org, g->parent);

        if (!up)
            break;
        g = up;
    }
    return g;
}

uint8_t load_phases(const struct load_member_fact *m)
{
    return (uint8_t)(m->phases == 1 ? 1u << (m->rotation % LOAD_PHASES) : 7u);
}

/* ---- limits ---- */

static void lower(int32_t *limit, int64_t da, struct load_place *p, const char *from)
{
    if (da < 0 || da >= *limit)
        return;
    *limit = (int32_t)da;
    p->from = from;
}

/* Watts of all phases as deci-amperes of all phases. */
static int64_t watts_da(const struct load_group_fact *g, int64_t w)
{
    return w == LOAD_NONE ? LOAD_NONE : w * 10 / g->volts;
}

static void limit_by(const struct load_group_fact *g, int32_t da, int64_t w, const char *from,
                     struct load_node *n, struct load_place *p)
{
    for (int b = 0; b < LOAD_PHASES; b++)
        lower(&n->limit_da[b], da, p, from);
    lower(&n->limit_da[LOAD_TOTAL], watts_da(g, w), p, from);
}

static bool has_signal(const struct load_group_fact *g, int64_t now_ms)
{
    return g->signal_until_ms > now_ms && (g->signal_da != LOAD_NONE || g->signal_w != LOAD_NONE);
}

static void group_node(const struct load_group_fact *g, bool hard, int64_t now_ms,
                       struct load_node *n, struct load_place *p)
{
    for (int b = 0; b < LOAD_BOUNDS; b++)
        n->limit_da[b] = LOAD_OPEN;
    snprintf(p->name, sizeof p->name, "%.*s", AMP_FMT(g->name.len ? g->name : g->id));
    p->from = "own";
    limit_by(g, g->limit_da, g->limit_w, "own", n, p);
    if (!hard && has_signal(g, now_ms))
        limit_by(g, g->signal_da, g->signal_w, "signal", n, p);
    else
        limit_by(g, g->fallback_da, g->fallback_w, "fallback", n, p);
    for (int b = 0; b < LOAD_PHASES; b++) {
        n->other_da[b] = g->reserve_da;
        if (!hard && g->load_da[b] > g->reserve_da)
            n->other_da[b] = g->load_da[b]; /* also when it is old: nothing better is known */
    }
}

static void charger_node(const struct loads *l, const struct load_keep *k, int32_t parent,
                         struct load_node *n, struct load_place *p)
{
    const struct charger *c = world_charger_by_key(l->world, k->charger);

    *n = (struct load_node){ .parent = parent };
    for (int b = 0; b < LOAD_BOUNDS; b++)
        n->limit_da[b] = b < LOAD_PHASES ? k->fact->limit_da : LOAD_OPEN;
    snprintf(p->name, sizeof p->name, "%.*s",
             AMP_FMT(c ? charger_fact(c)->id : AMP_TEXT("charger")));
    p->from = "fuse";
    p->charger = true;
}

/* ---- the tree ---- */

static uint32_t add_node(struct load_tree *t, const struct load_group_fact *g)
{
    uint32_t n = t->node_count++;

    t->nodes = must(realloc(t->nodes, t->node_count * sizeof *t->nodes));
    t->places = must(realloc(t->places, t->node_count * sizeof *t->places));
    t->groups = must(realloc(t->groups, t->node_count * sizeof(void *)));
    t->nodes[n] = (struct load_node){ .parent = -1 };
    t->places[n] = (struct load_place){ .from = "own" };
    t->groups[n] = g;
    return n;
}

static int32_t find_node(const struct load_tree *t, struct amp_text group)
{
    for (uint32_t n = 0; n < t->node_count; n++)
        if (t->groups[n] && amp_text_eqi(t->groups[n]->id, group))
            return (int32_t)n;
    return -1;
}

static void add_spots(struct load_tree *t, struct load_keep *k, int32_t node)
{
    int32_t n = k->fact->connectors;

    t->spots = must(realloc(t->spots, (t->spot_count + (size_t)n) * sizeof(void *)));
    k->node = node;
    for (int32_t i = 1; i <= n; i++)
        t->spots[t->spot_count++] = &k->spots[i];
}

void load_tree_make(const struct loads *l, const struct load_group_fact *top, bool hard,
                    int64_t now_ms, struct load_tree *t)
{
    *t = (struct load_tree){ .org = top->org };
    add_node(t, top);
    for (uint32_t at = 0; at < t->node_count; at++) /* breadth first: parents before children */
        for (size_t i = 0; i < l->group_count; i++) {
            const struct load_group_fact *g = l->groups[i];

            if (g->org == top->org && g->parent.len && amp_text_eqi(g->parent, t->groups[at]->id)) {
                uint32_t n = add_node(t, g);

                t->nodes[n].parent = (int32_t)at;
            }
        }
    for (uint32_t n = 0; n < t->node_count; n++)
        group_node(t->groups[n], hard, now_ms, &t->nodes[n], &t->places[n]);
    for (size_t i = 0; i < l->keep_count; i++) {
        struct load_keep *k = l->keeps[i];
        int32_t node = k->fact && k->fact->org == top->org ? find_node(t, k->fact->group) : -1;

        if (node < 0)
            continue;
        if (k->fact->limit_da != LOAD_NONE) {
            uint32_t n = add_node(t, NULL);

            charger_node(l, k, node, &t->nodes[n], &t->places[n]);
            node = (int32_t)n;
        }
        add_spots(t, k, node);
    }
}

void load_tree_free(struct load_tree *t)
{
    free(t->groups);
    free(t->nodes);
    free(t->places);
    free(t->spots);
    *t = (struct load_tree){ 0 };
}

/* ---- fail-safe limits ---- */

/* Do those fit that people gave? A node that others fill without us is no fault of theirs. */
static bool given_fit(const struct load_tree *t, const struct load_site *s, struct load_misfit *out)
{
    int64_t(*left)[LOAD_BOUNDS] = must(calloc(t->node_count, sizeof *left));
    int64_t(*without)[LOAD_BOUNDS] = must(calloc(t->node_count, sizeof *without));
    int32_t *draw = must(calloc(t->spot_count ? t->spot_count : 1, sizeof *draw));
    bool fits = true;

    load_left(s, draw, without);
    for (uint32_t i = 0; i < t->spot_count; i++)
        if (spot_member(t->spots[i])->base_da > 0)
            draw[i] = spot_member(t->spots[i])->base_da;
    load_left(s, draw, left);
    for (uint32_t n = 0; n < t->node_count && fits; n++)
        for (int b = 0; b < LOAD_BOUNDS && fits; b++)
            if (left[n][b] < 0 && left[n][b] < without[n][b]) {
                *out = (struct load_misfit){ n, b, -left[n][b] };
                fits = false;
            }
    free(left);
    free(without);
    free(draw);
    return fits;
}

bool load_bases(const struct load_tree *t, struct load_misfit *out)
{
    struct load_want *w = must(calloc(t->spot_count ? t->spot_count : 1, sizeof *w));
    struct load_share *share = must(calloc(t->spot_count ? t->spot_count : 1, sizeof *share));
    struct load_site s = { t->nodes, w, t->node_count, t->spot_count, LOAD_EQUAL, 0, 0 };
    bool fits;

    for (uint32_t i = 0; i < t->spot_count; i++) {
        const struct load_spot *p = t->spots[i];
        const struct load_member_fact *m = spot_member(p);

        w[i] = (struct load_want){ .id = p->keep->charger * (LOAD_CONNECTORS + 1) + p->connector,
                                   .node = p->keep->node,
                                   .phases = load_phases(m),
                                   .wants = true,
                                   .max_da = m->max_da,
                                   .least_da = 1, /* all are in: those below 6 A get none */
                                   .fixed_da = p->point.unable ? m->max_da : m->base_da };
    }
    fits = given_fit(t, &s, out);
    load_share(&s, share);
    for (uint32_t i = 0; i < t->spot_count; i++) {
        struct load_spot *p = t->spots[i];
        int32_t given = spot_member(p)->base_da;

        p->base_da = given != LOAD_NONE ? given : share[i].da >= LOAD_LEAST_DA ? share[i].da : 0;
    }
    free(w);
    free(share);
    return fits;
}
