/* central/domain/power.c - see power.h. */
#include "central/domain/power.h"
#include "central/domain/inside.h"

#define LATE_MS   60000 /* a reading that is older says nothing about the others' power */
#define SLOTS_MAX 672   /* a week: what is spread wider is booked at its end */

struct org_power {
    int64_t org, power_w;
    int64_t peak_slot_ms, peak_w; /* the highest that was told of this slot */
};

static int64_t slot_of(int64_t ms)
{
    return ms - (ms % POWER_SLOT_MS + POWER_SLOT_MS) % POWER_SLOT_MS;
}

static void tell_power(struct world *w, const struct charger *c, int64_t charger, int64_t slot_ms,
                       int64_t wh, int64_t max_w)
{
    tell(w, FACT_POWER,
         &(struct power_fact){ c->fact->org, charger, slot_ms, wh, max_w, c->fact->key });
}

void power_energy(struct world *w, const struct charger *c, int64_t wh, int64_t from_ms,
                  int64_t to_ms)
{
    int64_t begin, span, done = 0;

    if (!wh)
        return;
    if (from_ms >= to_ms || to_ms - from_ms > (int64_t)SLOTS_MAX * POWER_SLOT_MS)
        from_ms = to_ms - 1;
    begin = from_ms;
    span = to_ms - begin;
    while (from_ms < to_ms) {
        int64_t slot = slot_of(from_ms), end = slot + POWER_SLOT_MS;
        int64_t upto, share;

        if (end > to_ms)
            end = to_ms;
        /* by the end of this slot so much in all: the parts always sum up. No product of the two,
         * which could leave 64 bits */
        upto = wh / span * (end - begin) + wh % span * (end - begin) / span;
        share = upto - done;
        done = upto;
        from_ms = end;
        if (!share)
            continue;
        tell_power(w, c, c->fact->key, slot, share, 0);
        tell_power(w, c, 0, slot, share, 0);
    }
}

static struct org_power *org_of(struct world *w, int64_t org)
{
    for (size_t i = 0; i < w->power_count; i++)
        if (w->powers[i].org == org)
            return &w->powers[i];
    w->powers = must(realloc(w->powers, (w->power_count + 1) * sizeof *w->powers));
    w->powers[w->power_count] = (struct org_power){ .org = org };
    return &w->powers[w->power_count++];
}

int64_t power_now(const struct world *w, int64_t org)
{
    for (size_t i = 0; i < w->power_count; i++)
        if (w->powers[i].org == org)
            return w->powers[i].power_w;
    return 0;
}

void power_joins(struct world *w, const struct transaction *t)
{
    org_of(w, t->fact->org)->power_w += t->fact->last_power_w;
}

void power_leaves(struct world *w, const struct transaction *t)
{
    org_of(w, t->fact->org)->power_w -= t->fact->last_power_w;
}

/* Tell a power once it is higher than all that were told of this slot. */
static void tell_peak(struct world *w, const struct charger *c, int64_t charger, int64_t slot_ms,
                      int64_t power_w, int64_t *peak_slot_ms, int64_t *peak_w)
{
    if (power_w <= 0 || (*peak_slot_ms == slot_ms && power_w <= *peak_w))
        return;
    *peak_slot_ms = slot_ms;
    *peak_w = power_w;
    tell_power(w, c, charger, slot_ms, 0, power_w);
}

void power_level(struct world *w, struct transaction *t, int64_t power_w, int64_t at_ms,
                 int64_t now_ms)
{
    struct charger *c = t->charger;
    struct org_power *o = org_of(w, t->fact->org);
    int64_t all = 0;

    o->power_w += power_w - t->fact->last_power_w;
    t->fact->last_power_w = power_w;
    for (const struct transaction *k = c->transactions; k; k = k->next)
        if (transaction_is_open(k->fact->state))
            all += k->fact->last_power_w;
    tell_peak(w, c, c->fact->key, slot_of(at_ms), all, &c->peak_slot_ms, &c->peak_w);
    if (now_ms - at_ms <= LATE_MS)
        tell_peak(w, c, 0, slot_of(now_ms), o->power_w, &o->peak_slot_ms, &o->peak_w);
}
