/* central/domain/load_point.c - see load_point.h. */
#include "central/domain/load_point.h"

void load_point_init(struct load_point_fact *p)
{
    for (int i = 0; i < LOAD_SLOTS; i++)
        p->limit[i] = (struct load_limit){ .da = LOAD_NONE, .maybe_da = LOAD_NONE };
}

static int32_t higher(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static bool runs(int32_t da, int64_t until_ms, int64_t now_ms)
{
    return da != LOAD_NONE && until_ms + LOAD_SKEW_MS > now_ms;
}

int32_t load_point_floor(const struct load_point_fact *p, int32_t max_da, int64_t now_ms)
{
    const struct load_limit *base = &p->limit[LOAD_BASE], *idle = &p->limit[LOAD_IDLE];
    int32_t floor;

    if (p->unable || base->da == LOAD_NONE)
        return max_da;
    if (idle->da != LOAD_NONE && idle->until_ms >= now_ms + LOAD_LEASE_MS + LOAD_SKEW_MS)
        floor = higher(idle->da, idle->maybe_da);
    else
        floor = higher(base->da, base->maybe_da);
    return floor < max_da ? floor : max_da;
}

int32_t load_point_worst(const struct load_point_fact *p, int32_t max_da, int64_t now_ms)
{
    const struct load_limit *now = &p->limit[LOAD_NOW];
    int32_t worst = load_point_floor(p, max_da, now_ms);

    if (runs(now->da, now->until_ms, now_ms))
        worst = higher(worst, now->da);
    if (runs(now->maybe_da, now->maybe_until_ms, now_ms))
        worst = higher(worst, now->maybe_da);
    return worst < max_da ? worst : max_da;
}

/* ---- what is missing ---- */

static bool differs(const struct load_limit *l, int32_t da)
{
    return l->da != da || l->maybe_da != LOAD_NONE;
}

static bool base_due(const struct load_point_fact *p, const struct load_aim *aim, bool raise)
{
    const struct load_limit *base = &p->limit[LOAD_BASE];

    if (base->da != LOAD_NONE && aim->base_da > base->da && !raise)
        return false;
    return differs(base, aim->base_da) || p->fresh;
}

static bool now_due(const struct load_point_fact *p, const struct load_aim *aim, int64_t now_ms)
{
    const struct load_limit *now = &p->limit[LOAD_NOW];

    if (!aim->transaction)
        return false;
    return p->transaction != aim->transaction || differs(now, aim->now_da) ||
           now->until_ms - now_ms < LOAD_LEASE_MS / 2;
}

static bool now_lowers(const struct load_point_fact *p, const struct load_aim *aim, int64_t now_ms)
{
    const struct load_limit *now = &p->limit[LOAD_NOW];

    return now_due(p, aim, now_ms) && p->transaction == aim->transaction &&
           aim->now_da < higher(now->da, now->maybe_da);
}

static bool idle_due(const struct load_point_fact *p, const struct load_aim *aim, int64_t now_ms)
{
    const struct load_limit *idle = &p->limit[LOAD_IDLE];

    if (!aim->lend || higher(p->limit[LOAD_BASE].da, p->limit[LOAD_BASE].maybe_da) <= 0)
        return false;
    return differs(idle, 0) || idle->until_ms - now_ms < LOAD_LONG_MS / 2;
}

bool load_point_next(const struct load_point_fact *p, const struct load_aim *aim, bool raise,
                     int64_t now_ms, struct load_sent *out)
{
    *out = (struct load_sent){ 0 };
    if (p->unable || now_ms < p->again_ms)
        return false;
    if (p->limit[LOAD_BASE].da != LOAD_NONE && now_lowers(p, aim, now_ms))
        out->slot = LOAD_NOW;
    else if (base_due(p, aim, raise))
        out->slot = LOAD_BASE;
    else if (now_due(p, aim, now_ms))
        out->slot = LOAD_NOW;
    else if (idle_due(p, aim, now_ms))
        out->slot = LOAD_IDLE;
    else
        return false;
    out->da = out->slot == LOAD_BASE ? aim->base_da : out->slot == LOAD_NOW ? aim->now_da : 0;
    if (out->slot != LOAD_BASE)
        out->until_ms = now_ms + (out->slot == LOAD_NOW ? LOAD_LEASE_MS : LOAD_LONG_MS);
    return true;
}

/* ---- what became of it ---- */

void load_point_sent(struct load_point_fact *p, const struct load_aim *aim, struct load_sent *sent,
                     int64_t command)
{
    struct load_limit *l = &p->limit[sent->slot];

    if (sent->slot == LOAD_NOW && p->transaction != aim->transaction) {
        *l = (struct load_limit){ .da = LOAD_NONE, .maybe_da = LOAD_NONE };
        p->transaction = aim->transaction;
    }
    sent->command = command;
    sent->before = *l;
    l->maybe_da = higher(l->maybe_da, sent->da);
    if (sent->until_ms > l->maybe_until_ms)
        l->maybe_until_ms = sent->until_ms;
}

static void refused(struct load_point_fact *p, int64_t now_ms)
{
    int64_t wait_ms;

    if (p->refused < 1000)
        p->refused++;
    wait_ms = (int64_t)p->refused * LOAD_AGAIN_MS;
    p->again_ms = now_ms + (wait_ms < 60000 ? wait_ms : 60000);
}

void load_point_answered(struct load_point_fact *p, const struct load_sent *sent,
                         enum load_answer answer, int64_t now_ms)
{
    struct load_limit *l = &p->limit[sent->slot];

    switch (answer) {
    case LOAD_YES:
        *l = (struct load_limit){ sent->da, LOAD_NONE, sent->until_ms, 0 };
        p->refused = 0;
        p->again_ms = 0;
        if (sent->slot == LOAD_BASE)
            p->fresh = false;
        return;
    case LOAD_UNABLE:
        p->unable = true;
        *l = sent->before;
        return;
    case LOAD_NO:
        *l = sent->before;
        refused(p, now_ms);
        return;
    case LOAD_UNSENT:
        *l = sent->before;
        return;
    case LOAD_LOST:
        return; /* may be in force: counts until the next yes */
    }
}

void load_point_ended(struct load_point_fact *p, int64_t transaction)
{
    if (!transaction || p->transaction != transaction)
        return;
    p->transaction = 0;
    p->refused = 0; /* it may have been refused because it was over */
    p->again_ms = 0;
    p->limit[LOAD_NOW] = (struct load_limit){ .da = LOAD_NONE, .maybe_da = LOAD_NONE };
}

void load_point_booted(struct load_point_fact *p)
{
    p->fresh = true;
    p->unable = false; /* it may have learnt */
    p->again_ms = 0;
}
