/* station/energy.c - what a connector does to the hardware: contactor, lock, and the plug that
 * comes and goes. station-1.6 34, 45, 82, 83, 122. */
#include "station/impl.h"

/* ---- the hardware ---- */

static void permit(struct amp_station *st, int connector, bool on)
{
    struct amp_connector *c = &st->con[connector];

    if (c->energy_on == on && !c->energy_unsure)
        return;
    if (!st->hw->permit || st->hw->permit(st->hw->ctx, connector, on) < 0) {
        /* a contactor that does not obey is a danger either way: assume the worse */
        c->energy_on = true;
        c->energy_unsure = true;
        amp_connector_fault(st, connector, AMP_ERROR_SWITCH, AMP_NO_TEXT);
        return;
    }
    c->energy_on = on;
    c->energy_unsure = false;
}

int amp_connector_lock(struct amp_station *st, int connector, bool on)
{
    struct amp_connector *c = &st->con[connector];

    if (!st->hw->lock)
        return 0; /* fixed cable */
    if (st->hw->lock(st->hw->ctx, connector, on) < 0 ||
        (st->hw->locked && st->hw->locked(st->hw->ctx, connector) != (on ? 1 : 0))) {
        amp_connector_fault(st, connector, AMP_ERROR_LOCK, AMP_NO_TEXT);
        return AMP_E_IO;
    }
    c->locked = on;
    return 0;
}

static bool offers(const struct amp_connector *c)
{
    return c->tx.open && !c->tx.blocked && !c->tx.stopping && !c->paused;
}

static bool flows(const struct amp_connector *c)
{
    return offers(c) && c->plugged && c->status != AMP_FAULTED;
}

static void drive(struct amp_station *st, int connector)
{
    struct amp_connector *c = &st->con[connector];
    bool offered = offers(c);

    permit(st, connector, flows(c));
    if (!c->tx.open || c->tx.stopping || c->status == AMP_FAULTED)
        return;
    (void)amp_connector_step(st, connector,
                             !offered                 ? AMP_EV_PAUSE_EVSE
                             : c->plugged && c->wants ? AMP_EV_ENERGY
                                                      : AMP_EV_PAUSE_EV);
}

static void drive_all(struct amp_station *st, unsigned which, bool on)
{
    for (int i = 1; i <= st->connectors; i++)
        if (which >> i & 1 && flows(&st->con[i]) == on)
            drive(st, i);
}

/* What one takes changes what is left for the others (122): less and off come before more and on.
 */
void amp_connector_energy(struct amp_station *st, int connector)
{
    struct amp_limits l;
    unsigned which = amp_offer_look(st, &l) | (connector ? 1u << connector : 0);

    amp_offer_apply(st, &l, false);
    drive_all(st, which, false);
    amp_offer_apply(st, &l, true);
    drive_all(st, which, true);
}

/* ---- plug ---- */

/* The cable has left the car: no transaction survives it unless it is told to (45, 82, 83). */
static void pulled(struct amp_station *st, int connector)
{
    struct amp_connector *c = &st->con[connector];

    c->wants = false;
    if (c->tx.open && !st->set.stop_on_ev_disconnect) {
        c->plugged = false;
        c->ev_gone = true;
        amp_connector_energy(st, connector);
        amp_report_changed(st, connector);
        return;
    }
    if (c->tx.open) {
        bool keep = c->locked && !st->set.unlock_on_ev_disconnect;

        c->tx.keep_locked |= keep;
        (void)amp_tx_stop(st, connector, AMP_STOP_EV_DISCONNECTED, NULL);
    }
    c->plugged = false;
    c->cable_held = c->locked;
    if (!c->cable_held)
        c->over = false;
    (void)amp_connector_step(st, connector, AMP_EV_UNPLUG);
}

void amp_connector_plug(struct amp_station *st, int connector, bool plugged)
{
    struct amp_connector *c = &st->con[connector];

    if (c->plugged == plugged)
        return;
    if (!plugged) {
        pulled(st, connector);
        return;
    }
    c->plugged = true;
    c->over = false;
    if (c->tx.open) {
        c->ev_gone = false;
        amp_connector_energy(st, connector);
        amp_report_changed(st, connector);
        return;
    }
    (void)amp_connector_step(st, connector, AMP_EV_PLUG);
    amp_tx_try_start(st, connector);
}
