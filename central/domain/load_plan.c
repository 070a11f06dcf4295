/* central/domain/load_plan.c - one look at everything: what cars want, what each connector should
 * have, how much of that it may be told already, and what is said next. */
#include "central/domain/load_inside.h"
#include "central/domain/shared.h"

#define REFUSALS  3 /* in a row: it counts with what it has */
#define STEADY_DA 5

/* Can it be told something now, and does what it was told hold? */
static bool obeys(const struct loads *l, const struct load_spot *s, int64_t now_ms)
{
    const struct charger *c = world_charger_by_key(l->world, s->keep->charger);

    return c && charger_reachable(c) && charger_fact(c)->registration == REGISTRATION_ACCEPTED &&
           !s->point.unable && s->point.limit[LOAD_BASE].da != LOAD_NONE &&
           s->point.refused < REFUSALS && !s->wild &&
           !(s->silent_ms && now_ms - s->silent_ms >= LOAD_SILENT_MS);
}

static int32_t worst_of(const struct load_spot *s, int64_t now_ms)
{
    int32_t max = spot_member(s)->max_da, worst = load_point_worst(&s->point, max, now_ms);

    if (s->tail_ms > now_ms && s->tail_da > worst)
        worst = s->tail_da;
    if (!s->wild)
        return worst;
    return s->measured_da + LOAD_MARGIN_DA > worst ? s->measured_da + LOAD_MARGIN_DA : worst;
}

static void make_want(const struct loads *l, struct load_spot *s, int64_t now_ms,
                      struct load_want *w)
{
    const struct load_member_fact *m = spot_member(s);

    s->worst_da = worst_of(s, now_ms);
    s->obeys = obeys(l, s, now_ms);
    *w = (struct load_want){ .id = s->keep->charger * (LOAD_CONNECTORS + 1) + s->connector,
                             .node = s->keep->node,
                             .phases = load_phases_now(s, now_ms),
                             .wants = s->wants,
                             .rests = s->rest_until_ms > now_ms,
                             .max_da = m->max_da,
                             .fixed_da = s->obeys ? -1 : s->worst_da,
                             .priority = m->priority,
                             .since_ms = s->since_ms,
                             .on_ms = s->on_ms,
                             .waits_ms = s->waits_ms };
    if (s->use_da != LOAD_NONE && s->use_da < w->max_da)
        w->max_da = s->use_da;
}

/* Who has power keeps the time of its turn; who lost it rests, and then waits. */
static void take_turns(struct load_spot *s, int64_t now_ms)
{
    bool on = s->share.da > 0;

    if (!s->obeys)
        return;
    if (on && !s->on_ms) {
        s->on_ms = now_ms;
    } else if (!on && s->on_ms) {
        s->on_ms = 0;
        s->waits_ms = now_ms;
        s->rest_until_ms = s->wants ? now_ms + LOAD_REST_MS : 0;
    }
}

/* ---- saying ---- */

static bool holds(struct amp_text t, const char *word)
{
    uint32_t n = (uint32_t)strlen(word);

    for (uint32_t i = 0; i + n <= t.len; i++)
        if (!memcmp(t.at + i, word, n))
            return true;
    return false;
}

static enum load_answer answer_of(const struct command_fact *k)
{
    struct amp_text a = k->answer;

    switch (k->state) {
    case COMMAND_ACCEPTED:
    case COMMAND_CONFIRMED:
        return LOAD_YES;
    case COMMAND_REJECTED:
        return holds(a, "NotSupported") ? LOAD_UNABLE : LOAD_NO;
    case COMMAND_TIMED_OUT:
        return LOAD_LOST;
    default:
        break;
    }
    if (!k->sent_ms)
        return LOAD_UNSENT;
    if (holds(a, "NotSupported") || holds(a, "NotImplemented"))
        return LOAD_UNABLE;
    return LOAD_LOST; /* an answer that is no answer: it may have done it */
}

void load_hear(struct loads *l, struct load_spot *s, const struct command_fact *k, int64_t now_ms)
{
    enum load_answer a = answer_of(k);
    struct load_sent sent = s->sent;
    int32_t max = spot_member(s) ? spot_member(s)->max_da : 0;
    int32_t before = load_point_worst(&s->point, max, now_ms);

    s->sent.command = 0;
    if (a != LOAD_LOST)
        s->silent_ms = 0;
    load_point_answered(&s->point, &sent, a, now_ms);
    if (load_point_worst(&s->point, max, now_ms) < before) {
        s->tail_da = s->tail_ms > now_ms && s->tail_da > before ? s->tail_da : before;
        s->tail_ms = now_ms + LOAD_FOLLOW_MS;
    }
    if (a == LOAD_YES && sent.slot == LOAD_NOW && sent.before.da != sent.da)
        s->told_ms = now_ms;
    for (int32_t i = 1; a == LOAD_UNABLE && !s->connector && i < s->keep->spot_count; i++) {
        s->keep->spots[i].point.unable = true;
        load_tell_point(l, &s->keep->spots[i]);
    }
    load_tell_point(l, s);
    l->changed = true;
}

struct saying {
    struct loads *l;
    load_say_fn *say;
    void *ctx;
    int64_t now_ms;
};

static bool finished(int state)
{
    return state != COMMAND_QUEUED && state != COMMAND_SENT;
}

/* The fact that it may be in force is on its way to the disk before the command is. */
static void say_one(const struct saying *y, struct load_spot *s, const struct load_aim *aim,
                    struct load_sent *sent)
{
    struct load_say what = { .charger = world_charger_by_key(y->l->world, s->keep->charger),
                             .connector = s->connector,
                             .member = spot_member(s),
                             .sent = sent,
                             .transaction = aim->transaction,
                             .clear = s->connector == 0 };
    const struct command_fact *k;
    int64_t key;

    load_point_sent(&s->point, aim, sent, 0);
    load_tell_point(y->l, s);
    key = y->say(y->ctx, &what);
    s->sent = *sent;
    k = key > 0 ? world_command_get(y->l->world, key) : NULL;
    if (key > 0 && k && !finished(k->state)) {
        s->sent.command = key;
        if (!s->silent_ms)
            s->silent_ms = y->now_ms;
        return;
    }
    s->sent.command = 0;
    load_point_answered(&s->point, sent, LOAD_UNSENT, y->now_ms);
    s->point.again_ms = y->now_ms + LOAD_AGAIN_MS;
    load_tell_point(y->l, s);
}

/* First of all: the profiles that others left there go, the fail-safe ones last, so that no moment
 * is without. Slot by slot, as a connector's own. */
static bool clear_first(const struct saying *y, struct load_keep *k)
{
    struct load_spot *s = &k->spots[0];
    static const struct load_aim none = { 0 };
    struct load_sent sent = { .slot = LOAD_BASE };

    if (s->point.limit[LOAD_BASE].da == 0 && s->point.limit[LOAD_IDLE].da == 0)
        return true;
    if (s->sent.command || s->point.unable || y->now_ms < s->point.again_ms)
        return false;
    if (s->point.limit[LOAD_BASE].da == 0)
        sent.slot = LOAD_IDLE;
    say_one(y, s, &none, &sent);
    return false;
}

static bool reachable(const struct loads *l, const struct load_keep *k)
{
    const struct charger *c = world_charger_by_key(l->world, k->charger);

    return c && charger_reachable(c) && charger_fact(c)->registration == REGISTRATION_ACCEPTED;
}

/* A base that rises takes room like any other raise. */
static bool may_raise_base(const struct load_site *site, uint32_t i, int32_t *draw, int32_t base)
{
    int64_t(*left)[LOAD_BOUNDS];
    bool fits = true;

    if (base <= draw[i])
        return true;
    left = must(calloc(site->node_count, sizeof *left));
    load_left(site, draw, left);
    for (int32_t n = site->wants[i].node; n >= 0 && fits; n = site->nodes[n].parent)
        for (int b = 0; b < LOAD_BOUNDS; b++) {
            unsigned p = site->wants[i].phases;
            int64_t use = b < LOAD_PHASES ? p >> b & 1 : (p & 1) + (p >> 1 & 1) + (p >> 2 & 1);

            if (use && left[n][b] != INT64_MAX && left[n][b] < (base - draw[i]) * use)
                fits = false;
        }
    free(left);
    if (fits)
        draw[i] = base;
    return fits;
}

static void say_all(const struct saying *y, const struct load_tree *t, const struct load_site *site)
{
    int32_t *draw = must(calloc(t->spot_count ? t->spot_count : 1, sizeof *draw));

    for (uint32_t i = 0; i < t->spot_count; i++)
        draw[i] = t->spots[i]->say_da > t->spots[i]->worst_da ? t->spots[i]->say_da
                                                              : t->spots[i]->worst_da;
    for (uint32_t i = 0; i < t->spot_count; i++) {
        struct load_spot *s = t->spots[i];
        struct load_aim aim = { s->transaction, s->base_da, s->say_da,
                                !s->transaction || s->say_da < s->base_da || load_one_phase(s) };
        int32_t known = s->point.limit[LOAD_BASE].da;
        struct load_sent sent;

        if (!reachable(y->l, s->keep) || !clear_first(y, s->keep) || s->sent.command)
            continue;
        if (load_point_next(&s->point, &aim,
                            known == LOAD_NONE || s->base_da <= known ||
                                may_raise_base(site, i, draw, s->base_da),
                            y->now_ms, &sent))
            say_one(y, s, &aim, &sent);
    }
    free(draw);
}

/* ---- a tree ---- */

/* A little more or less is not worth a message, as long as nobody needs it back. */
static int32_t steady(const struct load_spot *s, int32_t say)
{
    int32_t told = s->point.limit[LOAD_NOW].da;

    if (s->transaction == s->point.transaction && s->point.limit[LOAD_NOW].maybe_da == LOAD_NONE &&
        say > told && told >= LOAD_LEAST_DA && say - told < STEADY_DA)
        return told;
    return say;
}

/* What does not obey is told its fail-safe limit, for the day it does; but no more than it was told
 * to keep to anyway: nobody made room for more. */
static int32_t fail_safe(const struct load_spot *s, int64_t now_ms)
{
    int32_t worst = load_point_worst(&s->point, spot_member(s)->max_da, now_ms);

    return s->base_da < worst ? s->base_da : worst;
}

static void plan_tree(const struct saying *y, const struct load_group_fact *top,
                      struct load_tree *t)
{
    struct loads *l = y->l;
    struct load_tree hard;
    struct load_misfit misfit;
    struct load_want *w;
    struct load_share *share;
    int32_t *worst, *say;
    struct load_site site;

    load_tree_make(l, top, true, y->now_ms, &hard);
    load_bases(&hard, &misfit);
    load_tree_free(&hard);
    load_tree_make(l, top, false, y->now_ms, t);
    w = must(calloc(t->spot_count + 1, sizeof *w));
    share = must(calloc(t->spot_count + 1, sizeof *share));
    worst = must(calloc(t->spot_count + 1, sizeof *worst));
    say = must(calloc(t->spot_count + 1, sizeof *say));
    site = (struct load_site){ t->nodes,
                               w,
                               t->node_count,
                               t->spot_count,
                               (enum load_rule)top->rule,
                               (int64_t)top->turn_s * 1000,
                               y->now_ms };
    for (uint32_t i = 0; i < t->spot_count; i++) {
        load_see_car(l, t->spots[i], y->now_ms);
        make_want(l, t->spots[i], y->now_ms, &w[i]);
        worst[i] = t->spots[i]->worst_da;
    }
    load_share(&site, share);
    load_step(&site, worst, share, say);
    for (uint32_t i = 0; i < t->spot_count; i++) {
        struct load_spot *s = t->spots[i];

        s->share = share[i];
        s->say_da = s->obeys ? steady(s, say[i]) : fail_safe(s, y->now_ms);
        take_turns(s, y->now_ms);

        for (int32_t n = w[i].node; n >= 0; n = t->nodes[n].parent) {
            t->places[n].sharing += w[i].wants && share[i].da > 0;
            t->places[n].waiting += w[i].wants && share[i].da == 0;
        }
    }
    say_all(y, t, &site);
    free(w);
    free(share);
    free(worst);
    free(say);
}

/* Who left its group is told to forget what we told it. */
static void say_goodbye(const struct saying *y, struct load_keep *k)
{
    static const enum load_slot slots[] = { LOAD_BASE, LOAD_IDLE };
    bool told = false;

    for (int32_t i = 0; i < k->spot_count; i++)
        told = told || k->spots[i].point.limit[LOAD_BASE].da != LOAD_NONE ||
               k->spots[i].point.limit[LOAD_BASE].maybe_da != LOAD_NONE;
    if (!told)
        return;
    for (size_t i = 0; i < AMP_COUNT(slots); i++) {
        struct load_sent sent = { .slot = slots[i] };
        struct load_say what = { .charger = world_charger_by_key(y->l->world, k->charger),
                                 .sent = &sent,
                                 .clear = true };

        if (what.charger)
            y->say(y->ctx, &what);
    }
    loads_forget(y->l, k->charger);
}

void loads_plan(struct loads *l, int64_t now_ms, load_say_fn *say, void *ctx)
{
    struct saying y = { l, say, ctx, now_ms };

    if (!l->born_ms)
        l->born_ms = now_ms;
    if (now_ms - l->born_ms < LOAD_FOLLOW_MS)
        return; /* a former process may have heard a yes that cars have not followed yet */
    l->changed = false;
    for (size_t i = 0; i < l->tree_count; i++)
        load_tree_free(&l->trees[i]);
    l->tree_count = 0;
    l->trees = must(realloc(l->trees, (l->group_count + 1) * sizeof *l->trees));
    for (size_t i = 0; i < l->keep_count; i++)
        for (int32_t c = 1; c < l->keeps[i]->spot_count; c++)
            l->keeps[i]->spots[c].tree = -1;
    for (size_t i = 0; i < l->group_count; i++) {
        const struct load_group_fact *g = l->groups[i];
        struct load_tree *t = &l->trees[l->tree_count];

        if (g->parent.len && loads_group(l, g->org, g->parent))
            continue;
        plan_tree(&y, g, t);
        for (uint32_t k = 0; k < t->spot_count; k++)
            t->spots[k]->tree = (int32_t)l->tree_count;
        free(t->spots); /* they move when a charger gets more connectors */
        t->spots = NULL;
        free(t->groups);
        t->groups = NULL;
        l->tree_count++;
    }
    for (size_t i = 0; i < l->keep_count; i++)
        if (!l->keeps[i]->fact)
            say_goodbye(&y, l->keeps[i]);
}

void loads_stand_by(struct loads *l)
{
    if (!l->born_ms)
        return;
    l->born_ms = 0;
    for (size_t i = 0; i < l->keep_count; i++)
        for (int32_t c = 0; c < l->keeps[i]->spot_count; c++)
            l->keeps[i]->spots[c].sent.command = 0;
}
