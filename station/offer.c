/* station/offer.c - what smart.c says is true on the hardware, now. station-1.6 126, 127, 129.
 *
 * Every poll and every change of what flows asks anew: a change acts at once, and nobody has to
 * remember to tell. Without profiles that is a few comparisons. */
#include "station/impl.h"

static int32_t least_ma(const struct amp_station *st, int connector)
{
    int32_t max = st->max_current_ma[connector];

    return st->hw->limit && max > AMP_LEAST_MA ? AMP_LEAST_MA : max;
}

/* The picture, and the time in its terms. */
static int64_t look(struct amp_station *st, struct amp_site *s)
{
    memset(s, 0, sizeof(*s));
    s->set = &st->smart.set;
    s->connectors = st->connectors;
    s->clock = st->clock_known;
    s->volts = st->set.nominal_v;
    s->switches = st->set.switch_phases && st->hw->limit;
    for (int i = 1; i <= st->connectors; i++) {
        const struct amp_connector *c = &st->con[i];

        s->con[i].max_ma = st->max_current_ma[i];
        s->con[i].least_ma = least_ma(st, i);
        s->con[i].phases = (uint8_t)st->phases[i];
        s->con[i].in_tx = c->tx.open;
        s->con[i].active = c->tx.open && c->plugged && !c->tx.stopping && !c->tx.blocked &&
                           c->status != AMP_FAULTED;
        s->con[i].wants = c->wants;
        s->con[i].local = c->tx.local;
        s->con[i].start_ms = s->clock ? amp_when_ms(st, c->tx.started) : c->tx.started.ms;
    }
    return (int64_t)st->now + (s->clock ? st->clock_offset_ms : 0);
}

int64_t amp_offer_site(struct amp_station *st, int connector, struct amp_site *out)
{
    int64_t t = look(st, out);

    t -= t % 1000;
    if (connector && !out->con[connector].in_tx) {
        out->con[connector].in_tx = out->con[connector].active = true;
        out->con[connector].wants = true;
        out->con[connector].local = UINT32_MAX;
        out->con[connector].start_ms = t;
    }
    return t;
}

/* A pilot that does not obey is as dangerous as a contactor. Tried again when the fault is cleared.
 */
static void command(struct amp_station *st, int connector, int32_t ma, int phases)
{
    if (st->hw->limit(st->hw->ctx, connector, ma, phases) < 0) {
        st->smart.ma[connector] = -1;
        amp_connector_fault(st, connector, AMP_ERROR_SWITCH, AMP_NO_TEXT);
        return;
    }
    st->smart.ma[connector] = ma;
    st->smart.phases[connector] = (uint8_t)phases;
}

void amp_offer_init(struct amp_station *st)
{
    for (int i = 0; i <= AMP_CONNECTORS_MAX; i++)
        st->smart.ma[i] = -1;
}

unsigned amp_offer_look(struct amp_station *st, struct amp_limits *out)
{
    struct amp_site s;
    int64_t t;
    unsigned changed = 0;

    amp_profiles_sweep(st);
    t = look(st, &s);
    amp_smart_evaluate(&s, t, out);
    if (out->until_ms != AMP_EVER)
        (void)amp_due(st, st->now + (uint64_t)(out->until_ms - t));
    for (int i = 1; i <= st->connectors; i++) {
        bool pause = out->ua[i] / 1000 < s.con[i].least_ma;

        if (pause)
            out->ua[i] = 0;
        if (!s.con[i].active)
            out->phases[i] = 0; /* nothing flows: nothing to tell the pilot */
        if (!s.con[i].in_tx || st->con[i].paused == pause)
            continue;
        st->con[i].paused = pause;
        changed |= 1u << i;
    }
    return changed;
}

void amp_offer_apply(struct amp_station *st, const struct amp_limits *l, bool more)
{
    for (int i = 1; i <= st->connectors; i++) {
        int32_t ma = (int32_t)(l->ua[i] / 1000), before = st->smart.ma[i];

        if (!l->phases[i] || (ma > before) != more)
            continue;
        if (!st->hw->limit)
            st->smart.ma[i] = ma; /* only the contactor can act */
        else if (ma != before || l->phases[i] != st->smart.phases[i])
            command(st, i, ma, l->phases[i]);
    }
}

void amp_offer_poll(struct amp_station *st)
{
    amp_connector_energy(st, 0);
}

int32_t amp_offer_ma(const struct amp_station *st, int connector)
{
    const struct amp_connector *c = &st->con[connector];

    return c->energy_on && st->smart.ma[connector] > 0 ? st->smart.ma[connector] : 0;
}
