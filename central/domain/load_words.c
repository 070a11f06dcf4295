/* central/domain/load_words.c - load management as people ask about it: numbers of a connector and
 * of a group, and why. */
#include "central/domain/load_inside.h"
#include "central/domain/shared.h"
#include <stdarg.h>
#include <stdio.h>

static void put(struct amp_buf *out, const char *format, ...) AMP_PRINTF(2, 3);
static void put(struct amp_buf *out, const char *format, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    amp_buf_puts(out, text);
}

/* "6 A", "10.5 A" */
static const char *amps(int64_t da, char text[32])
{
    if (da % 10)
        snprintf(text, 32, "%lld.%lld A", (long long)(da / 10), (long long)(da % 10));
    else
        snprintf(text, 32, "%lld A", (long long)(da / 10));
    return text;
}

static const struct load_tree *tree_of(const struct loads *l, const struct load_spot *s)
{
    return s->tree >= 0 && (size_t)s->tree < l->tree_count ? &l->trees[s->tree] : NULL;
}

bool loads_view(const struct loads *l, int64_t charger, int32_t connector, struct load_view *out)
{
    const struct load_spot *s = load_spot_of(l, charger, connector);

    if (!s || connector < 1 || !s->keep->fact || connector > s->keep->fact->connectors)
        return false;
    *out = (struct load_view){
        .wants = s->wants,
        .share_da = s->share.da,
        .told_da = s->transaction && s->point.transaction == s->transaction
                       ? s->point.limit[LOAD_NOW].da
                       : LOAD_NONE,
        .told_until_ms = s->point.limit[LOAD_NOW].until_ms,
        .worst_da = s->worst_da,
        .base_da = s->base_da,
        .measured_da = s->measured_da,
        .measured_ms = s->measured_ms,
        .transaction = s->transaction,
        .why = s->share.why,
    };
    return true;
}

/* ---- why ---- */

static const char *rule_name(int rule)
{
    return rule == LOAD_PRIORITY     ? "by priority"
           : rule == LOAD_FIRST_COME ? "first come, first served"
                                     : "equally";
}

static void put_limit(const struct load_tree *t, const struct load_share *share,
                      struct amp_buf *out)
{
    static const char *const on[] = { " on L1", " on L2", " on L3", " over all phases" };
    const struct load_node *n = &t->nodes[share->node];
    const struct load_place *p = &t->places[share->node];
    int64_t other = 0;
    char text[32];

    for (int b = 0; b < LOAD_PHASES; b++)
        if (b == share->bound || share->bound == LOAD_TOTAL)
            other += n->other_da[b];
    put(out, "%s \"%s\" (%s%s%s", p->charger ? "the fuse of" : "group", p->name,
        amps(n->limit_da[share->bound], text), on[share->bound],
        !strcmp(p->from, "signal")     ? ", by the signal from outside"
        : !strcmp(p->from, "fallback") ? ", the fallback without a signal"
                                       : "");
    if (other)
        put(out, ", less %s that others draw", amps(other, text));
    put(out, ")");
}

static void put_fixed(const struct loads *l, const struct load_spot *s, int64_t now_ms,
                      struct amp_buf *out)
{
    const struct charger *c = world_charger_by_key(l->world, s->keep->charger);
    const char *why = "its station has not confirmed its fail-safe limit yet";
    char text[32];

    if (!c || !charger_reachable(c))
        why = "its station is offline";
    else if (s->point.unable)
        why = "its station knows no charging profiles";
    else if (charger_fact(c)->registration != REGISTRATION_ACCEPTED)
        why = "its station is not accepted";
    else if (s->silent_ms && now_ms - s->silent_ms >= LOAD_SILENT_MS)
        why = "its station does not answer";
    else if (s->wild)
        why = "it draws more than it was told";
    else if (s->point.refused)
        why = "its station refuses charging profiles";
    put(out, "It cannot be told: %s. It counts with %s, the most it may be drawing.", why,
        amps(s->worst_da, text));
}

static void put_reason(const struct loads *l, const struct load_spot *s,
                       const struct load_group_fact *top, int64_t now_ms, struct amp_buf *out)
{
    const struct load_tree *t = tree_of(l, s);
    char text[32];

    switch (s->share.why) {
    case LOAD_WHY_IDLE:
        put(out, "Nobody wants current here.");
        return;
    case LOAD_WHY_FIXED:
        put_fixed(l, s, now_ms, out);
        return;
    case LOAD_WHY_OWN:
        if (spot_member(s)->max_da < LOAD_LEAST_DA)
            put(out, "It can take no more than %s, and 6 A is the least a car can be given.",
                amps(spot_member(s)->max_da, text));
        else if (s->use_da != LOAD_NONE && s->use_da < spot_member(s)->max_da)
            put(out, "The car was seen to use no more than this, with a margin of 2 A; what is "
                     "left goes to others, and comes back when the car takes more.");
        else
            put(out, "As much as the connector can take.");
        return;
    case LOAD_WHY_RESTS:
        put(out,
            "Its power was taken away a moment ago; it is asked again in %lld s, so that "
            "contactors do not flap.",
            (long long)(s->rest_until_ms > now_ms ? (s->rest_until_ms - now_ms + 999) / 1000 : 0));
        return;
    case LOAD_WHY_SHARED:
        if (!t)
            return;
        put_limit(t, &s->share, out);
        if (t->places[s->share.node].sharing == 1)
            put(out, " has no more to give.");
        else
            put(out, " is shared %s by %d connectors.", rule_name(top->rule),
                (int)t->places[s->share.node].sharing);
        if (s->share.da == LOAD_LEAST_DA)
            put(out, " 6 A is the least a car can be given.");
        return;
    case LOAD_WHY_TURN:
        if (!t)
            return;
        put(out, "It waits for its turn, %lld s now: ", (long long)(now_ms - s->waits_ms) / 1000);
        put_limit(t, &s->share, out);
        put(out, " has not 6 A left, the least a car can be given; %d have power, %d wait.",
            (int)t->places[s->share.node].sharing, (int)t->places[s->share.node].waiting);
        return;
    default:
        put(out, "Not planned yet.");
        return;
    }
}

void loads_explain(const struct loads *l, int64_t charger, int32_t connector, int64_t now_ms,
                   struct amp_buf *out)
{
    const struct load_spot *s = load_spot_of(l, charger, connector);
    const struct load_group_fact *g =
        s && s->keep->fact ? loads_group(l, s->keep->fact->org, s->keep->fact->group) : NULL;
    struct load_view v;
    char text[32], told[32];

    if (!g || !loads_view(l, charger, connector, &v))
        return;
    put(out, "%s: ", amps(s->share.da, text));
    put_reason(l, s, load_top(l, g), now_ms, out);
    if (!s->obeys || !s->wants)
        return;
    if (s->say_da < s->share.da && s->say_da != v.told_da)
        put(out, " It is told %s until others have confirmed that they take less.",
            amps(s->say_da, text));
    if (v.told_da != s->say_da)
        put(out, " The station has confirmed %s so far.",
            v.told_da == LOAD_NONE ? "nothing" : amps(v.told_da, told));
}

/* ---- groups ---- */

static void add(int32_t sum[LOAD_BOUNDS], uint8_t phases, int32_t da)
{
    for (int p = 0; p < LOAD_PHASES; p++)
        if (phases >> p & 1 && da > 0) {
            sum[p] += da;
            sum[LOAD_TOTAL] += da;
        }
}

static bool is_below(const struct load_tree *t, int32_t node, int32_t top)
{
    while (node >= 0 && node != top)
        node = t->nodes[node].parent;
    return node == top;
}

static void add_spot(const struct loads *l, const struct load_spot *s, int64_t now_ms,
                     struct load_sum *out)
{
    const struct charger *c = world_charger_by_key(l->world, s->keep->charger);
    uint8_t phases = load_phases_now(s, now_ms);

    add(out->planned_da, phases, s->share.da);
    add(out->worst_da, phases, s->worst_da);
    add(out->measured_da, phases, s->transaction ? s->measured_da : 0);
    out->connectors++;
    out->wanting += s->wants;
    out->waiting += s->wants && s->share.da == 0;
    out->unable += s->point.unable;
    out->offline += !c || !charger_reachable(c);
}

bool loads_sum(const struct loads *l, int64_t org, struct amp_text id, int64_t now_ms,
               struct load_sum *out)
{
    const struct load_group_fact *g = loads_group(l, org, id);
    struct load_tree t;
    int32_t node = -1;

    *out = (struct load_sum){ 0 };
    if (!g)
        return false;
    load_tree_make(l, load_top(l, g), false, now_ms, &t);
    for (uint32_t n = 0; n < t.node_count; n++)
        if (t.groups[n] == g)
            node = (int32_t)n;
    for (uint32_t i = 0; node >= 0 && i < t.spot_count; i++)
        if (is_below(&t, t.spots[i]->keep->node, node))
            add_spot(l, t.spots[i], now_ms, out);
    for (uint32_t n = 0; node >= 0 && n < t.node_count; n++)
        for (int p = 0; p < LOAD_PHASES && is_below(&t, (int32_t)n, node); p++) {
            out->other_da[p] += t.nodes[n].other_da[p];
            out->other_da[LOAD_TOTAL] += t.nodes[n].other_da[p];
        }
    for (int b = 0; node >= 0 && b < LOAD_BOUNDS; b++) {
        out->limit_da[b] = t.nodes[node].limit_da[b];
        out->over = out->over || out->worst_da[b] + out->other_da[b] > out->limit_da[b];
        out->from = t.places[node].from;
    }
    out->load_stale = g->load_until_ms && g->load_until_ms <= now_ms;
    load_tree_free(&t);
    return true;
}
