/* station/smart.c - the pure part of smart.h. Nothing here changes anything but its results. */
#include "station/smart.h"
#include <string.h>

/* ---- one profile ---- */

/* What changes at `at` bounds how long an answer for `t` holds. */
static void changes(int64_t *until, int64_t t, int64_t at)
{
    if (at > t && at < *until)
        *until = at;
}

static const struct amp_period *period_of(const struct amp_site *s, const struct amp_profile *p,
                                          unsigned i)
{
    return &s->set->period[p->first + i];
}

/* The last period that began `elapsed_s` or less after the start (125). */
static unsigned find_period(const struct amp_site *s, const struct amp_profile *p,
                            int64_t elapsed_s)
{
    unsigned low = 0, high = p->count;

    while (high - low > 1) {
        unsigned mid = (low + high) / 2;

        if (period_of(s, p, mid)->start_s <= elapsed_s)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* No transaction to count from: a relative profile says what it would begin with. */
#define NOT_BEGUN INT64_MAX

/* The period of `p` at `t`, or NULL when it is not valid then. 121-125. */
static const struct amp_period *period_at(const struct amp_site *s, const struct amp_profile *p,
                                          int64_t tx_start, int64_t t, int64_t *until)
{
    int64_t base = p->kind == AMP_KIND_RELATIVE ? tx_start : p->start_ms, end = AMP_EVER;
    unsigned i;

    if (s->clock) {
        changes(until, t, p->from_ms);
        changes(until, t, p->to_ms);
        if (t < p->from_ms || t >= p->to_ms)
            return NULL;
    }
    if (base == NOT_BEGUN)
        return period_of(s, p, 0);
    changes(until, t, base);
    if (t < base)
        return NULL;
    if (p->kind == AMP_KIND_RECURRING) { /* counted from startSchedule, never before it (124) */
        int64_t every = (int64_t)p->recurs_s * 1000;

        base += (t - base) / every * every;
        end = base + every;
        changes(until, t, end);
    }
    if (p->duration_s != AMP_OPEN_END && base + (int64_t)p->duration_s * 1000 < end)
        end = base + (int64_t)p->duration_s * 1000;
    changes(until, t, end);
    if (t >= end)
        return NULL;
    i = find_period(s, p, (t - base) / 1000);
    if (i + 1u < p->count)
        changes(until, t, base + (int64_t)period_of(s, p, i + 1)->start_s * 1000);
    return period_of(s, p, i);
}

/* ---- units (126) ---- */

/* µA per phase. `used`: phases that will be in use whatever the period says; 0: those of the
 * period. */
static int64_t to_ua(const struct amp_site *s, unsigned unit, const struct amp_period *period,
                     unsigned used)
{
    int64_t tenths = period->limit >> 2, n = period->limit & 3;

    if (unit == AMP_UNIT_A)
        return tenths * 100000;
    if (n < (int64_t)used)
        n = used;
    return tenths * 100000 / (s->volts * n);
}

int64_t amp_smart_tenths(const struct amp_limits *l, int connector, enum amp_rate_unit unit)
{
    if (unit == AMP_UNIT_A)
        return l->ua[connector] / 100000;
    /* What was given in W lost less than 1 µA x voltage x phases of each connector on the way to
     * µA: up to 10 mW are its own, so that 11,000 W do not come back as 10,999.9. */
    return (l->uw[connector] + 9999) / 100000;
}

/* ---- several profiles ---- */

struct prevailing {
    bool any;
    int level;
    int64_t ua;
    unsigned phases; /* 0: as many as there are */
};

/* Does a profile of the connector itself stand in the place of this one of connector 0 (118)? */
static bool hidden(const struct amp_site *s, const struct amp_profile *general, int connector)
{
    for (unsigned i = 0; i < s->set->count; i++) {
        const struct amp_profile *p = &s->set->at[i];

        if (p->purpose == AMP_PURPOSE_TX_DEFAULT && p->connector == connector &&
            p->level == general->level)
            return true;
    }
    return false;
}

static bool concerns(const struct amp_site *s, const struct amp_profile *p, unsigned purpose,
                     int connector)
{
    if (p->purpose != purpose)
        return false;
    if (purpose == AMP_PURPOSE_TX)
        return p->connector == connector && p->local && s->con[connector].in_tx &&
               p->local == s->con[connector].local;
    if (purpose == AMP_PURPOSE_TX_DEFAULT)
        return p->connector == connector || (p->connector == 0 && !hidden(s, p, connector));
    return true;
}

/* Phases that stay in use when a period asks for fewer. */
static unsigned used_phases(const struct amp_site *s, int connector)
{
    unsigned most = 1;

    if (connector)
        return s->switches ? 0 : s->con[connector].phases;
    for (int i = 1; i <= s->connectors; i++)
        if (s->con[i].phases > most)
            most = s->con[i].phases;
    return most;
}

/* Nobody knows which period is the present one: the lowest counts, of all levels. */
static void take_lowest(const struct amp_site *s, const struct amp_profile *p, int connector,
                        struct prevailing *best)
{
    for (unsigned i = 0; i < p->count; i++) {
        int64_t ua = to_ua(s, p->unit, period_of(s, p, i), used_phases(s, connector));

        if (!best->any || ua < best->ua)
            *best = (struct prevailing){ true, INT32_MAX, ua, period_of(s, p, i)->limit & 3 };
    }
}

/* The highest level that is valid at `t` (121). */
static struct prevailing prevail(const struct amp_site *s, unsigned purpose, int connector,
                                 int64_t t, int64_t *until)
{
    struct prevailing best = { false, -1, AMP_EVER, 0 };
    int64_t tx_start = s->con[connector].in_tx ? s->con[connector].start_ms : NOT_BEGUN;

    for (unsigned i = 0; i < s->set->count; i++) {
        const struct amp_profile *p = &s->set->at[i];
        const struct amp_period *period;

        if (!concerns(s, p, purpose, connector))
            continue;
        if (!s->clock && p->kind != AMP_KIND_RELATIVE) {
            take_lowest(s, p, connector, &best);
            continue;
        }
        period = period_at(s, p, tx_start, t, until);
        if (!period || p->level <= best.level)
            continue;
        best.any = true;
        best.level = p->level;
        best.ua = to_ua(s, p->unit, period, used_phases(s, connector));
        best.phases = period->limit & 3;
    }
    return best;
}

/* What a connector may take by itself: TxProfile or else TxDefaultProfile, and the hardware (122).
 */
static void evaluate_one(const struct amp_site *s, int connector, int64_t t, struct amp_limits *out)
{
    int64_t max = (int64_t)s->con[connector].max_ma * 1000;
    struct prevailing own = prevail(s, AMP_PURPOSE_TX, connector, t, &out->until_ms);

    if (!own.any)
        own = prevail(s, AMP_PURPOSE_TX_DEFAULT, connector, t, &out->until_ms);
    out->ua[connector] = own.ua < max ? own.ua : max;
    out->phases[connector] = s->con[connector].phases;
    if (s->switches && own.phases && own.phases < s->con[connector].phases)
        out->phases[connector] = (uint8_t)own.phases;
}

/* ---- sharing ---- */

struct share {
    int connector;
    int64_t least, most; /* µA */
};

/* Who is served first when there is not enough: who wants energy, then who came first. */
static bool before(const struct amp_site *s, int a, int b)
{
    if (s->con[a].wants != s->con[b].wants)
        return s->con[a].wants;
    return s->con[a].local < s->con[b].local;
}

static int64_t clamp(int64_t level, const struct share *p)
{
    return level < p->least ? p->least : level > p->most ? p->most : level;
}

/* The highest level that all can have without the sum passing `all`: equal shares, what one cannot
 * use goes to the others. */
static int64_t find_level(const struct share *list, unsigned n, int64_t all)
{
    int64_t low = 0, high = all;

    while (low < high) {
        int64_t mid = high - (high - low) / 2, sum = 0;

        for (unsigned i = 0; i < n; i++)
            sum += clamp(mid, &list[i]);
        if (sum <= all)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

/* Those that can be given anything, in the order in which they are served. */
static unsigned applicants(const struct amp_site *s, const struct amp_limits *own,
                           struct share list[AMP_CONNECTORS_MAX])
{
    unsigned n = 0;

    for (int c = 1; c <= s->connectors; c++) {
        int64_t least = (int64_t)s->con[c].least_ma * 1000;
        unsigned i = n;

        if (!s->con[c].active || own->ua[c] < least)
            continue;
        while (i > 0 && before(s, c, list[i - 1].connector)) {
            list[i] = list[i - 1];
            i--;
        }
        list[i] = (struct share){ c, least, s->con[c].wants ? own->ua[c] : least };
        n++;
    }
    return n;
}

/* Replace the connectors' own limits by their shares of `all`; those that take no part are bounded
 * by it. */
static void divide(const struct amp_site *s, int64_t all, struct amp_limits *out)
{
    struct share list[AMP_CONNECTORS_MAX];
    unsigned n = applicants(s, out, list), served = 0;
    int64_t least = 0, level;

    for (int c = 1; c <= s->connectors; c++)
        if (out->ua[c] > all)
            out->ua[c] = all;
    for (unsigned i = 0; i < n; i++) {
        out->ua[list[i].connector] = 0;
        if (least + list[i].least > all)
            continue;
        least += list[i].least;
        list[served++] = list[i];
    }
    level = find_level(list, served, all);
    for (unsigned i = 0; i < served; i++)
        out->ua[list[i].connector] = clamp(level, &list[i]);
}

void amp_smart_evaluate(const struct amp_site *s, int64_t t, struct amp_limits *out)
{
    unsigned phases = used_phases(s, 0);
    struct prevailing all;
    int64_t ua = 0, uw = 0;

    memset(out, 0, sizeof(*out));
    out->until_ms = AMP_EVER;
    all = prevail(s, AMP_PURPOSE_MAX, 0, t, &out->until_ms);
    for (int c = 1; c <= s->connectors; c++) {
        evaluate_one(s, c, t, out);
        ua += out->ua[c];
        uw += out->ua[c] * s->volts * out->phases[c];
    }
    out->ua[0] = all.ua < ua ? all.ua : ua;
    out->uw[0] = uw;
    out->phases[0] = (uint8_t)phases;
    if (all.any) {
        if (all.ua * s->volts * phases < uw)
            out->uw[0] = all.ua * s->volts * phases;
        divide(s, all.ua, out);
    }
    for (int c = 1; c <= s->connectors; c++)
        out->uw[c] = out->ua[c] * s->volts * out->phases[c];
}

/* ---- the future (133) ---- */

#define STEPS_MAX 4096 /* evaluations of one schedule: bounds what a question can cost */

unsigned amp_smart_composite(const struct amp_site *s, int connector, int64_t t,
                             uint32_t duration_s, enum amp_rate_unit unit, struct amp_slice *out,
                             unsigned cap, uint32_t *covered_s)
{
    unsigned n = 0;
    uint32_t at = 0;

    for (unsigned step = 0; step < STEPS_MAX; step++) {
        struct amp_limits l;
        struct amp_slice now;

        amp_smart_evaluate(s, t + (int64_t)at * 1000, &l);
        now = (struct amp_slice){ amp_smart_tenths(&l, connector, unit), at, l.phases[connector] };
        if (n == 0 || out[n - 1].tenths != now.tenths || out[n - 1].phases != now.phases) {
            if (n == cap)
                break;
            out[n++] = now;
        }
        if (l.until_ms == AMP_EVER || (l.until_ms - t + 999) / 1000 >= (int64_t)duration_s) {
            *covered_s = duration_s;
            return n;
        }
        at = (uint32_t)((l.until_ms - t + 999) / 1000);
    }
    *covered_s = at;
    return n;
}
