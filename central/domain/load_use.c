/* central/domain/load_use.c - what load management sees: cars that come and go, what they use of
 * what they may, meters of sites, and what became of what was said. */
#include "central/domain/load_inside.h"

#define LATE_MS       120000 /* a reading older than this says nothing about now */
#define SURE_MA       5500
#define SURE_READINGS 3
#define GRACE_MS      15000 /* a reading may have been taken before a limit fell */

/* ---- cars ---- */

static void another_car(struct loads *l, struct load_spot *s, const struct transaction_fact *t,
                        int64_t now_ms)
{
    if (s->point.transaction && (!t || s->point.transaction != t->key)) {
        load_point_ended(&s->point, s->point.transaction);
        load_tell_point(l, s);
    }
    s->transaction = t ? t->key : 0;
    s->since_ms = t ? t->start_ms : 0;
    s->use_da = LOAD_NONE;
    s->low_since_ms = s->on_ms = s->rest_until_ms = 0;
    s->one_phase = 0;
    s->waits_ms = now_ms;
}

static bool out_of_order(const struct connector_fact *c)
{
    return c && (amp_text_is(c->status, "Faulted") || amp_text_is(c->status, "Unavailable") ||
                 amp_text_is(c->status, "Finishing"));
}

static void see_boot(struct load_keep *k, const struct charger_fact *f)
{
    if (k->boot_ms == f->last_boot_ms)
        return;
    for (int32_t i = 0; k->boot_ms && i < k->spot_count; i++)
        load_point_booted(&k->spots[i].point);
    k->boot_ms = f->last_boot_ms;
}

void load_see_car(struct loads *l, struct load_spot *s, int64_t now_ms)
{
    const struct charger *c = world_charger_by_key(l->world, s->keep->charger);
    const struct transaction_fact *t = c ? charger_transaction(c, s->connector) : NULL;
    const struct connector_fact *at = c ? charger_connector(c, s->connector) : NULL;

    if (c)
        see_boot(s->keep, charger_fact(c));
    if ((t ? t->key : 0) != s->transaction || (!t && s->point.transaction))
        another_car(l, s, t, now_ms);
    s->wants = t && !out_of_order(at);
    if (!t || !at)
        return;
    if (amp_text_is(at->status, "SuspendedEV") && now_ms - at->seen_ms >= LOAD_SETTLE_MS) {
        s->use_da = LOAD_LEAST_DA; /* full, or asleep: enough to wake up with */
        if (s->on_ms)
            s->on_ms = 1; /* and the next one may have its turn */
    } else if (s->use_da == LOAD_LEAST_DA && amp_text_is(at->status, "Charging") &&
               at->seen_ms > s->measured_ms) {
        s->use_da = LOAD_NONE;
    }
}

/* ---- what cars use ---- */

/* Power that is no more than current and voltage of one phase give, with a fifth for odd voltages:
 * of a car that takes enough for its meter to be sure. */
static void see_phases(struct load_spot *s, const struct reading_fact *r, int32_t volts)
{
    if (!(r->has & READING_CURRENT) || !(r->has & READING_POWER) || r->current_ma < SURE_MA)
        return;
    if (r->power_w * 1000 * 5 <= r->current_ma * volts * 6)
        s->one_phase++;
    else
        s->one_phase = 0;
}

bool load_one_phase(const struct load_spot *s)
{
    const struct load_member_fact *m = spot_member(s);

    return m->trust_phases && m->phases == 3 && s->one_phase >= SURE_READINGS;
}

uint8_t load_phases_now(const struct load_spot *s, int64_t now_ms)
{
    const struct load_member_fact *m = spot_member(s);

    if (!load_one_phase(s) || load_point_floor(&s->point, m->max_da, now_ms) > 0)
        return load_phases(m);
    return (uint8_t)(1u << (m->rotation % LOAD_PHASES));
}

static int32_t volts_of(const struct loads *l, const struct load_member_fact *m)
{
    const struct load_group_fact *g = loads_group(l, m->org, m->group);

    return g && g->volts > 0 ? g->volts : LOAD_VOLTS;
}

/* The largest phase, rounded up; LOAD_NONE: the reading does not say. */
static int32_t reading_da(const struct reading_fact *r, int32_t volts, int32_t phases)
{
    int64_t da;

    if (r->has & READING_CURRENT)
        da = (r->current_ma + 99) / 100;
    else if (r->has & READING_POWER)
        da = r->power_w * 10 / ((int64_t)volts * phases) + 1;
    else
        return LOAD_NONE;
    return da < 0 ? 0 : da > INT32_MAX / 4 ? INT32_MAX / 4 : (int32_t)da;
}

/* It gives back what it does not use, and has it again as soon as it comes near to what is left. */
static void see_use(struct loads *l, struct load_spot *s, int64_t now_ms)
{
    int32_t told = s->point.limit[LOAD_NOW].da, used = s->measured_da;
    bool low = told > 0 && used + LOAD_MARGIN_DA < told && told > LOAD_LEAST_DA;

    if (!low)
        s->low_since_ms = 0;
    else if (!s->low_since_ms)
        s->low_since_ms = now_ms;
    else if (now_ms - s->low_since_ms >= LOAD_SETTLE_MS && now_ms - s->told_ms >= LOAD_SETTLE_MS) {
        s->use_da = used + LOAD_MARGIN_DA > LOAD_LEAST_DA ? used + LOAD_MARGIN_DA : LOAD_LEAST_DA;
        s->low_since_ms = 0;
        l->changed = true;
    }
    if (s->use_da != LOAD_NONE && told >= s->use_da && used + LOAD_MARGIN_DA / 2 >= s->use_da) {
        s->use_da = LOAD_NONE;
        l->changed = true;
    }
}

/* Of a reading that was taken after it had time to follow; not of one that waited in a queue. */
static void see_wild(struct loads *l, struct load_spot *s, int64_t at_ms, int64_t now_ms)
{
    int32_t worst = load_point_worst(&s->point, spot_member(s)->max_da, now_ms);
    bool wild = s->measured_da > worst + 10 + worst / 20;

    if (wild && (s->sent.command || at_ms < s->told_ms + GRACE_MS || at_ms < s->tail_ms + GRACE_MS))
        return;
    l->changed = l->changed || wild || s->wild;
    s->wild = wild;
}

static void see_reading(struct loads *l, struct load_spot *s, const struct reading_fact *r,
                        int64_t now_ms)
{
    const struct load_member_fact *m = spot_member(s);
    int32_t da = reading_da(r, volts_of(l, m), m->phases);

    if (da == LOAD_NONE || now_ms - r->at_ms > LATE_MS || r->transaction != s->transaction)
        return;
    s->measured_da = da;
    s->measured_ms = now_ms;
    see_phases(s, r, volts_of(l, m));
    l->changed = l->changed || (m->trust_phases && s->one_phase <= SURE_READINGS);
    see_use(l, s, now_ms);
    see_wild(l, s, r->at_ms, now_ms);
}

/* ---- meters of sites ---- */

/* What the chargers below a group draw, by their newest readings. */
static void add_measured(const struct loads *l, const struct load_group_fact *g, int64_t now_ms,
                         int64_t out[LOAD_PHASES])
{
    for (size_t i = 0; i < l->keep_count; i++) {
        const struct load_keep *k = l->keeps[i];
        const struct load_group_fact *up =
            k->fact ? loads_group(l, k->fact->org, k->fact->group) : NULL;
        bool below = false;

        for (int depth = 0; up && depth <= LOAD_DEPTH && !below; depth++) {
            below = up == g;
            up = up->parent.len ? loads_group(l, up->org, up->parent) : NULL;
        }
        for (int32_t c = 1; below && c <= k->fact->connectors; c++) {
            const struct load_spot *s = &k->spots[c];

            if (s->measured_da <= 0 || now_ms - s->measured_ms > LATE_MS)
                continue;
            for (int p = 0; p < LOAD_PHASES; p++)
                if (load_phases_now(s, now_ms) >> p & 1)
                    out[p] += s->measured_da;
        }
    }
}

void loads_report(struct loads *l, const struct load_group_fact *group,
                  const int32_t da[LOAD_PHASES], bool all, int64_t until_ms, int64_t now_ms)
{
    struct load_group_fact g = *group;
    int64_t ours[LOAD_PHASES] = { 0 };

    if (all)
        add_measured(l, group, now_ms, ours);
    for (int p = 0; p < LOAD_PHASES; p++)
        g.load_da[p] = da[p] > ours[p] ? (int32_t)(da[p] - ours[p]) : 0;
    g.load_until_ms = until_ms;
    loads_put_reported(l, &g);
}

/* A main meter says one number for all phases, the largest: so much is taken on each. */
static void see_meter(struct loads *l, const struct reading_fact *r, int64_t now_ms)
{
    for (size_t i = 0; i < l->group_count; i++) {
        const struct load_group_fact *g = l->groups[i];
        int32_t da = reading_da(r, g->volts, LOAD_PHASES), each[] = { da, da, da };

        if (g->meter == r->charger && da != LOAD_NONE && now_ms - r->at_ms <= LATE_MS)
            loads_report(l, g, each, g->meter_all, now_ms + LOAD_METER_STALE_MS, now_ms);
    }
}

/* ---- everything ---- */

static void see_command(struct loads *l, const struct command_fact *k, int64_t now_ms)
{
    struct load_keep *keep = load_keep_of(l, k->charger);

    if (k->state == COMMAND_QUEUED || k->state == COMMAND_SENT)
        return;
    for (int32_t i = 0; keep && i < keep->spot_count; i++)
        if (keep->spots[i].sent.command == k->key) {
            load_hear(l, &keep->spots[i], k, now_ms);
            return;
        }
}

void loads_saw(struct loads *l, const struct fact *f, int64_t now_ms)
{
    struct load_spot *s;

    switch (f->kind) {
    case FACT_CHARGER:
        l->changed = l->changed || load_keep_of(l, f->u.charger.key);
        return;
    case FACT_CONNECTOR:
        l->changed = l->changed || load_keep_of(l, f->u.connector.charger);
        return;
    case FACT_TRANSACTION: /* its readings come as such a fact, too, and change nothing */
        s = load_spot_of(l, f->u.transaction.charger, f->u.transaction.connector);
        l->changed = l->changed ||
                     (s && (s->transaction != f->u.transaction.key || f->u.transaction.stop_ms));
        return;
    case FACT_READING:
        s = load_spot_of(l, f->u.reading.charger, f->u.reading.connector);
        if (s && s->connector && s->keep->fact && s->connector <= s->keep->fact->connectors)
            see_reading(l, s, &f->u.reading, now_ms);
        if (!f->u.reading.connector)
            see_meter(l, &f->u.reading, now_ms);
        return;
    case FACT_COMMAND:
        see_command(l, &f->u.command, now_ms);
        return;
    default:
        return;
    }
}
