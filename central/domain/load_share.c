/* central/domain/load_share.c - see load_share.h. Water in a tree of basins: everybody's level
 * rises together; whoever meets its own limit, or a basin above it that is full, stays. */
#include "central/domain/load_share.h"
#include <stdlib.h>
#include <string.h>

#define NONE INT64_MAX

/* What the steps below work on: room that is left, and who is served in which order. */
struct state {
    const struct load_site *s;
    struct load_share *out;
    int64_t (*left)[LOAD_BOUNDS];
    int64_t (*weight)[LOAD_BOUNDS]; /* of those whose level rises now */
    uint32_t *order;                /* by rank */
    uint32_t *in;                   /* of the order: those that got their least */
    uint32_t in_count;
    bool *is_in, *rising;
};

static void *array(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);

    if (!p)
        abort();
    return p;
}

static int32_t least(const struct load_want *w)
{
    return w->least_da > 0 ? w->least_da : LOAD_LEAST_DA;
}

/* How much of a bound one deci-ampere takes. */
static int64_t use(const struct load_want *w, int bound)
{
    unsigned p = w->phases & 7u;

    if (bound < LOAD_PHASES)
        return p >> bound & 1;
    return (p & 1) + (p >> 1 & 1) + (p >> 2 & 1);
}

static void take(const struct load_site *s, const struct load_want *w, int64_t da,
                 int64_t (*left)[LOAD_BOUNDS])
{
    for (int32_t n = w->node; n >= 0; n = s->nodes[n].parent)
        for (int b = 0; b < LOAD_BOUNDS; b++)
            if (left[n][b] != NONE)
                left[n][b] -= da * use(w, b);
}

/* How much more `w` could draw; which bound says so, the narrowest, of equals the lowest in the
 * tree. */
static int64_t room(const struct load_site *s, const struct load_want *w,
                    int64_t (*left)[LOAD_BOUNDS], int32_t *node, int32_t *bound)
{
    int64_t most = NONE;

    for (int32_t n = w->node; n >= 0; n = s->nodes[n].parent)
        for (int b = 0; b < LOAD_BOUNDS; b++) {
            int64_t u = use(w, b), here;

            if (!u || left[n][b] == NONE)
                continue;
            here = left[n][b] > 0 ? left[n][b] / u : 0;
            if (here < most) {
                most = here;
                *node = n;
                *bound = b;
            }
        }
    return most;
}

/* What others draw at a node burdens every node above it, too. */
static void begin_left(const struct load_site *s, int64_t (*left)[LOAD_BOUNDS])
{
    for (uint32_t n = 0; n < s->node_count; n++)
        for (int b = 0; b < LOAD_BOUNDS; b++)
            left[n][b] = s->nodes[n].limit_da[b] == LOAD_OPEN ? NONE : s->nodes[n].limit_da[b];
    for (uint32_t n = 0; n < s->node_count; n++)
        for (int p = 0; p < LOAD_PHASES; p++)
            for (int32_t up = (int32_t)n; up >= 0; up = s->nodes[up].parent) {
                if (left[up][p] != NONE)
                    left[up][p] -= s->nodes[n].other_da[p];
                if (left[up][LOAD_TOTAL] != NONE)
                    left[up][LOAD_TOTAL] -= s->nodes[n].other_da[p];
            }
}

void load_left(const struct load_site *s, const int32_t *draw_da, int64_t (*left)[LOAD_BOUNDS])
{
    begin_left(s, left);
    for (uint32_t i = 0; i < s->want_count; i++)
        take(s, &s->wants[i], draw_da[i], left);
}

/* ---- rank ---- */

static int turn_class(const struct load_site *s, const struct load_want *w)
{
    if (!w->on_ms)
        return 1;
    return s->now_ms - w->on_ms < s->turn_ms ? 0 : 2;
}

static int earlier(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_turn(const struct load_site *s, const struct load_want *a, const struct load_want *b)
{
    int x = turn_class(s, a), y = turn_class(s, b);

    if (x != y)
        return x - y;
    if (x == 1)
        return earlier(a->waits_ms, b->waits_ms);
    return x == 0 ? earlier(a->on_ms, b->on_ms) : earlier(b->on_ms, a->on_ms);
}

/* Below 0: a is served before b. */
static int by_rank(const struct load_site *s, const struct load_want *a, const struct load_want *b)
{
    int d = 0;

    if (s->rule == LOAD_FIRST_COME)
        d = earlier(a->since_ms, b->since_ms);
    else if (s->rule == LOAD_PRIORITY)
        d = (a->priority < b->priority) - (a->priority > b->priority);
    if (!d && s->rule != LOAD_FIRST_COME)
        d = by_turn(s, a, b);
    return d ? d : earlier(a->id, b->id);
}

static int by_id(const struct load_site *s, const struct load_want *a, const struct load_want *b)
{
    (void)s;
    return earlier(a->id, b->id);
}

typedef int compare_fn(const struct load_site *s, const struct load_want *a,
                       const struct load_want *b);

/* A merge, because qsort would need a global to see the site. */
static void sort_range(const struct load_site *s, compare_fn *compare, uint32_t *at,
                       uint32_t *spare, uint32_t n)
{
    uint32_t half = n / 2, a = 0, b = half;

    if (n < 2)
        return;
    sort_range(s, compare, at, spare, half);
    sort_range(s, compare, at + half, spare, n - half);
    for (uint32_t i = 0; i < n; i++) {
        bool left = b >= n || (a < half && compare(s, &s->wants[at[a]], &s->wants[at[b]]) <= 0);

        spare[i] = at[left ? a++ : b++];
    }
    for (uint32_t i = 0; i < n; i++)
        at[i] = spare[i];
}

static uint32_t *sorted(const struct load_site *s, compare_fn *compare)
{
    uint32_t *order = array(s->want_count, sizeof *order);
    uint32_t *spare = array(s->want_count, sizeof *spare);

    for (uint32_t i = 0; i < s->want_count; i++)
        order[i] = i;
    sort_range(s, compare, order, spare, s->want_count);
    free(spare);
    return order;
}

/* ---- who ---- */

static void admit(struct state *t)
{
    const struct load_site *s = t->s;

    for (uint32_t k = 0; k < s->want_count; k++) {
        uint32_t i = t->order[k];
        const struct load_want *w = &s->wants[i];
        struct load_share *o = &t->out[i];

        if (w->fixed_da >= 0)
            continue;
        if (!w->wants || w->max_da < least(w)) {
            o->why = w->wants ? LOAD_WHY_OWN : LOAD_WHY_IDLE;
            continue;
        }
        if (room(s, w, t->left, &o->node, &o->bound) < least(w)) {
            o->why = LOAD_WHY_TURN;
            continue;
        }
        o->node = -1;
        if (w->rests) {
            o->why = LOAD_WHY_RESTS;
            continue;
        }
        o->da = least(w);
        take(s, w, o->da, t->left);
        t->in[t->in_count++] = i;
        t->is_in[i] = true;
    }
}

/* ---- how much ---- */

static void weigh(struct state *t, const struct load_want *w)
{
    for (int32_t n = w->node; n >= 0; n = t->s->nodes[n].parent)
        for (int b = 0; b < LOAD_BOUNDS; b++)
            t->weight[n][b] += use(w, b);
}

/* The first full bound above `w`, seen by all who rise: less is left than one more for each. */
static bool held(struct state *t, const struct load_want *w, struct load_share *o)
{
    for (int32_t n = w->node; n >= 0; n = t->s->nodes[n].parent)
        for (int b = 0; b < LOAD_BOUNDS; b++)
            if (use(w, b) && t->left[n][b] != NONE && t->left[n][b] < t->weight[n][b]) {
                o->why = LOAD_WHY_SHARED;
                o->node = n;
                o->bound = b;
                return true;
            }
    return false;
}

/* How far all that rise can rise together. */
static int64_t rise(const struct state *t, const uint32_t *list, uint32_t n)
{
    int64_t most = NONE;

    for (uint32_t k = 0; k < n; k++)
        if (t->rising[list[k]] && t->s->wants[list[k]].max_da - t->out[list[k]].da < most)
            most = t->s->wants[list[k]].max_da - t->out[list[k]].da;
    for (uint32_t node = 0; node < t->s->node_count; node++)
        for (int b = 0; b < LOAD_BOUNDS; b++)
            if (t->weight[node][b] > 0 && t->left[node][b] != NONE &&
                t->left[node][b] / t->weight[node][b] < most)
                most = t->left[node][b] / t->weight[node][b];
    return most > 0 ? most : 0;
}

/* What does not divide: a tenth each, in the order of ids, which does not change from one minute to
 * the next as rank does. */
static void spread_rest(struct state *t, const uint32_t *list, uint32_t n)
{
    bool gave = true;

    while (gave) {
        gave = false;
        for (uint32_t k = 0; k < n; k++) {
            const struct load_want *w = &t->s->wants[list[k]];
            struct load_share *o = &t->out[list[k]];
            int32_t node, bound;

            if (o->da >= w->max_da || room(t->s, w, t->left, &node, &bound) < 1)
                continue;
            take(t->s, w, 1, t->left);
            gave = true;
            if (++o->da == w->max_da) {
                o->why = LOAD_WHY_OWN;
                o->node = -1;
            }
        }
    }
}

static void weigh_all(struct state *t, const uint32_t *list, uint32_t n)
{
    memset(t->weight, 0, t->s->node_count * sizeof *t->weight);
    for (uint32_t k = 0; k < n; k++)
        if (t->rising[list[k]])
            weigh(t, &t->s->wants[list[k]]);
}

/* Does it stay where it is from now on? */
static bool stays(struct state *t, const struct load_want *w, struct load_share *o)
{
    if (o->da < w->max_da)
        return held(t, w, o);
    o->why = LOAD_WHY_OWN;
    o->node = -1;
    return true;
}

/* All of `list` alike, up to what holds each. Each round at least one is held; weights are those of
 * the beginning of the round for all. */
static void fill(struct state *t, const uint32_t *list, uint32_t n)
{
    uint32_t left = n;

    for (uint32_t k = 0; k < n; k++)
        t->rising[list[k]] = true;
    while (left > 0) {
        int32_t more;

        weigh_all(t, list, n);
        more = (int32_t)rise(t, list, n);
        for (uint32_t k = 0; k < n; k++)
            if (t->rising[list[k]]) {
                t->out[list[k]].da += more;
                take(t->s, &t->s->wants[list[k]], more, t->left);
            }
        for (uint32_t k = 0; k < n; k++)
            if (t->rising[list[k]] && stays(t, &t->s->wants[list[k]], &t->out[list[k]])) {
                t->rising[list[k]] = false;
                left--;
            }
    }
    spread_rest(t, list, n);
}

/* Do two that are in share as one? */
static bool alike(const struct load_site *s, const struct load_want *a, const struct load_want *b)
{
    if (s->rule == LOAD_FIRST_COME)
        return false;
    return s->rule != LOAD_PRIORITY || a->priority == b->priority;
}

/* Class after class, each as `fill` has it; within a class in the order of ids. */
static void fill_all(struct state *t)
{
    const struct load_site *s = t->s;
    uint32_t *ids = sorted(s, by_id), *list = array(s->want_count, sizeof *list);

    for (uint32_t k = 0; k < t->in_count;) {
        const struct load_want *first = &s->wants[t->in[k]];
        uint32_t n = 0;

        if (s->rule == LOAD_FIRST_COME)
            list[n++] = t->in[k];
        for (uint32_t i = 0; s->rule != LOAD_FIRST_COME && i < s->want_count; i++)
            if (t->is_in[ids[i]] && alike(s, first, &s->wants[ids[i]]))
                list[n++] = ids[i];
        fill(t, list, n);
        k += n;
    }
    free(ids);
    free(list);
}

void load_share(const struct load_site *s, struct load_share *out)
{
    struct state t = { .s = s, .out = out };

    t.left = array(s->node_count, sizeof *t.left);
    t.weight = array(s->node_count, sizeof *t.weight);
    t.in = array(s->want_count, sizeof *t.in);
    t.is_in = array(s->want_count, sizeof *t.is_in);
    t.rising = array(s->want_count, sizeof *t.rising);
    begin_left(s, t.left);
    for (uint32_t i = 0; i < s->want_count; i++) {
        const struct load_want *w = &s->wants[i];

        out[i] = (struct load_share){ .node = -1 };
        if (w->fixed_da < 0)
            continue;
        out[i].da = w->fixed_da;
        out[i].why = LOAD_WHY_FIXED;
        take(s, w, w->fixed_da, t.left);
    }
    t.order = sorted(s, by_rank);
    admit(&t);
    fill_all(&t);
    free(t.order);
    free(t.left);
    free(t.weight);
    free(t.in);
    free(t.is_in);
    free(t.rising);
}

/* ---- step by step ---- */

/* Raises go in the order of rank, so that what is free already goes to whom it belongs. */
void load_step(const struct load_site *s, const int32_t *worst_da, const struct load_share *target,
               int32_t *out)
{
    int64_t(*left)[LOAD_BOUNDS] = array(s->node_count, sizeof *left);
    uint32_t *order = sorted(s, by_rank);

    load_left(s, worst_da, left);
    for (uint32_t k = 0; k < s->want_count; k++) {
        uint32_t i = order[k];
        const struct load_want *w = &s->wants[i];
        int64_t more = (int64_t)target[i].da - worst_da[i], most;
        int32_t node, bound;

        out[i] = target[i].da;
        if (more <= 0 || w->fixed_da >= 0)
            continue;
        most = room(s, w, left, &node, &bound);
        if (more > most)
            more = most;
        if (worst_da[i] + more < least(w)) {
            out[i] = 0; /* not enough yet to begin with */
            continue;
        }
        out[i] = worst_da[i] + (int32_t)more;
        take(s, w, more, left);
    }
    free(order);
    free(left);
}
