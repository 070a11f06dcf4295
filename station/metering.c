/* station/metering.c - see metering.h. */
#include "station/impl.h"

static int read_one(struct amp_station *st, int connector, struct amp_reading *out)
{
    struct amp_connector *c = &st->con[connector];
    int rc;

    memset(out, 0, sizeof(*out));
    if (!st->hw->meter)
        return AMP_E_SUPPORT;
    rc = st->hw->meter(st->hw->ctx, connector, out);
    if (rc < 0)
        return rc;
    out->has &= 0xFF;
    if (st->hw->limit && !(out->has & AMP_HAS_OFFERED)) { /* then it is what was commanded */
        out->has |= AMP_HAS_OFFERED;
        out->offered_ma = amp_offer_ma(st, connector);
    }
    /* a register never steps back, whatever the meter says (65, 97) */
    if (out->energy_wh < c->last_register_wh)
        out->energy_wh = c->last_register_wh;
    c->last_register_wh = out->energy_wh;
    return 0;
}

/* The main meter is the sum of the connectors: energy, power and currents add up, the rest does
 * not. */
static int read_sum(struct amp_station *st, struct amp_reading *out)
{
    memset(out, 0, sizeof(*out));
    out->has = AMP_HAS_POWER | AMP_HAS_CURRENT;
    for (int c = 1; c <= st->connectors; c++) {
        struct amp_reading r;
        int rc = read_one(st, c, &r);

        if (rc < 0)
            return rc;
        out->has &= r.has;
        out->energy_wh += r.energy_wh;
        out->power_w += r.power_w;
        for (int i = 0; i < 3; i++)
            out->current_ma[i] += r.current_ma[i];
        if (r.phases > out->phases)
            out->phases = r.phases;
    }
    return 0;
}

int amp_meter_read(struct amp_station *st, int connector, struct amp_reading *out)
{
    return connector ? read_one(st, connector, out) : read_sum(st, out);
}

int amp_meter_sample(struct amp_station *st, int connector, enum amp_context context,
                     const struct amp_measurands *which, struct amp_sample *out)
{
    struct amp_connector *c = &st->con[connector];
    int rc = amp_meter_read(st, connector, &out->reading);
    int64_t *before = context == AMP_C_CLOCK ? &c->clock_wh : &c->periodic_wh;

    if (rc < 0)
        return rc;
    out->when = amp_when_now(st);
    out->context = (uint8_t)context;
    out->which = *which;
    out->interval_wh = (int32_t)(out->reading.energy_wh - *before);
    if (context == AMP_C_PERIODIC || context == AMP_C_CLOCK)
        *before = out->reading.energy_wh;
    return 0;
}

void amp_metering_begin(struct amp_station *st, int connector)
{
    struct amp_connector *c = &st->con[connector];

    c->sample_every_ms = (uint64_t)st->set.sample_s * 1000;
    c->next_sample_at = c->sample_every_ms ? st->now + c->sample_every_ms : AMP_NEVER;
}

/* A changed interval counts from now (96); the next clock-aligned slot is found from the clock
 * alone. */
void amp_metering_retime(struct amp_station *st)
{
    for (int c = 1; c <= st->connectors; c++)
        if (st->con[c].sample_every_ms != (uint64_t)st->set.sample_s * 1000)
            amp_metering_begin(st, c);
    st->aligned_slot = 0;
}

void amp_metering_trigger(struct amp_station *st, int connector)
{
    for (int c = 0; c <= st->connectors; c++)
        if (!connector || c == connector)
            st->con[c].meter_triggered = true;
}

/* Into the queue when a transaction runs, else to be sent when there is somebody to hear it. */
static void hand_over(struct amp_station *st, int connector, const struct amp_sample *s)
{
    struct amp_connector *c = &st->con[connector];
    struct amp_value values[AMP_VALUES_MAX];

    if (!amp_sample_values(s, values))
        return; /* the meter has nothing of the list: no empty message */
    if (c->tx.open && s->context != AMP_C_TRIGGER) {
        if (amp_queue_meter(st, connector, s) < 0)
            amp_log(st, AMP_LOG_ERROR, "a meter value could not be stored");
        return;
    }
    c->sample = *s;
    c->sample_ready = true;
}

/* One look at the meter for both lists: what is sent now, and what StopTransaction will carry. */
static void take(struct amp_station *st, int connector, enum amp_context context,
                 const struct amp_measurands *now, const struct amp_measurands *at_stop)
{
    struct amp_connector *c = &st->con[connector];
    struct amp_sample s;

    if (!now->count && !(c->tx.open && at_stop->count))
        return;
    if (amp_meter_sample(st, connector, context, now, &s) < 0) {
        amp_connector_fault(st, connector, AMP_ERROR_METER, AMP_NO_TEXT);
        return;
    }
    if (c->tx.open)
        amp_tx_metered(st, connector, &s.reading);
    if (now->count)
        hand_over(st, connector, &s);
    if (c->tx.open && at_stop->count) {
        s.which = *at_stop;
        if (amp_queue_keep(st, connector, &s) < 0)
            amp_log(st, AMP_LOG_ERROR, "a meter value could not be stored");
    }
}

static void periodic(struct amp_station *st, int connector)
{
    struct amp_connector *c = &st->con[connector];

    if (!c->tx.open || c->tx.stopping || !amp_due(st, c->next_sample_at))
        return;
    /* in step with the beginning; what was slept through is not made up */
    c->next_sample_at +=
        c->sample_every_ms * (1 + (st->now - c->next_sample_at) / c->sample_every_ms);
    (void)amp_due(st, c->next_sample_at);
    take(st, connector, AMP_C_PERIODIC, &st->set.sampled, &st->set.stop_sampled);
}

/* At multiples of the interval since midnight UTC, all connectors and the station (87); off until
 * the clock is set (88). */
static void aligned(struct amp_station *st)
{
    int64_t interval = (int64_t)st->set.clock_aligned_s * 1000, unix_ms, day, slot;

    if (interval <= 0 || !st->clock_known)
        return;
    unix_ms = (int64_t)st->now + st->clock_offset_ms;
    day = unix_ms / 86400000 * 86400000;
    slot = day + (unix_ms - day) / interval * interval;
    if (st->aligned_slot == 0)
        st->aligned_slot = slot; /* the slot under way began before anyone looked */
    if (slot > st->aligned_slot) {
        st->aligned_slot = slot;
        for (int c = 0; c <= st->connectors; c++)
            if (!st->con[c].tx.stopping)
                take(st, c, AMP_C_CLOCK, &st->set.aligned, &st->set.stop_aligned);
    }
    slot += interval;
    if (slot > day + 86400000)
        slot = day + 86400000;
    (void)amp_due(st, st->now + (uint64_t)(slot - unix_ms));
}

void amp_metering_poll(struct amp_station *st)
{
    for (int c = 1; c <= st->connectors; c++)
        periodic(st, c);
    aligned(st);
    for (int c = 0; c <= st->connectors; c++)
        if (st->con[c].meter_triggered) {
            static const struct amp_measurands none;

            st->con[c].meter_triggered = false;
            take(st, c, AMP_C_TRIGGER, &st->set.sampled, &none);
        }
}

/* Readings that belong to no transaction are sent while somebody listens and are not kept
 * otherwise. */
bool amp_meter_due(struct amp_station *st)
{
    for (int i = 0; i <= st->connectors; i++) {
        struct amp_connector *c = &st->con[i];
        bool may = amp_online(st) ||
                   (c->sample.context == AMP_C_TRIGGER && st->boot_state == AMP_BOOT_PENDING);

        if (!c->sample_ready || !may)
            continue;
        c->sample_ready = false;
        st->call.connector = (uint8_t)i;
        st->call.fact = (struct amp_message_fact){ .connector = (uint8_t)i, .sample = c->sample };
        return true;
    }
    return false;
}
