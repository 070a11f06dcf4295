/* station/tx.c - a transaction from start to stop. station-1.6 64-71, 78-85, 111-116.
 *
 * What must survive a power cut is in the journal before the world sees it: a start before energy
 * flows, a stop before the cable is let go. After a power cut every open transaction is ended at
 * once with reason PowerLoss, the last stored reading and the time of that reading: the station
 * cannot know that the car in front of it is still the same, and a transaction that is resumed by
 * mistake bills a stranger. (A transaction that a Reset ended has its stop, with the right reason,
 * in the journal already.) */
#include "station/impl.h"

#define RETRY_MS 1000 /* when the journal did not take a stop */

bool amp_tx_id(const struct amp_station *st, int connector, int64_t *id)
{
    const struct amp_tx *tx = &st->con[connector].tx;
    const struct amp_view *v = &st->queue.view[connector];

    *id = v->id;
    return tx->open && v->bound && v->local == tx->local;
}

static void begin(struct amp_station *st, int connector, const struct amp_reading *r)
{
    struct amp_connector *c = &st->con[connector];

    c->tx.open = true;
    c->periodic_wh = c->clock_wh = r->energy_wh;
    amp_profiles_begin(st, connector);
    c->claimed = false;
    amp_emit(st, AMP_EVENT_STARTED, connector, r->energy_wh, 0, amp_text_of(c->tx.tag));
    amp_metering_begin(st, connector);
    amp_connector_energy(st, connector);
}

/* All of tag, plug and operative state (64). */
void amp_tx_try_start(struct amp_station *st, int connector)
{
    struct amp_connector *c = &st->con[connector];
    const struct amp_reservation *met;
    struct amp_reading r;
    int rc;

    if (c->status != AMP_PREPARING || !c->claimed || !c->plugged || c->tx.open || st->reset.reason)
        return;
    if (amp_connector_lock(st, connector, true) < 0)
        return; /* Faulted now; begins when the fault is cleared in time */
    rc = amp_meter_read(st, connector, &r);
    if (rc < 0)
        amp_connector_fault(st, connector, AMP_ERROR_METER, AMP_NO_TEXT);
    if (rc == 0) {
        memset(&c->tx, 0, sizeof(c->tx));
        memcpy(c->tx.tag, c->claim, AMP_TAG_CAP);
        memcpy(c->tx.parent, c->claim_parent, AMP_TAG_CAP);
        c->tx.local = st->queue.next_local;
        c->tx.started = amp_when_now(st);
        c->tx.start_wh = r.energy_wh;
        met = amp_reservation_met(st, connector, c->tx.tag, c->tx.parent);
        c->tx.reserved = met != NULL;
        c->tx.reservation = met ? met->id : 0;
        rc = amp_queue_start(st, connector, &r);
    }
    if (rc < 0) { /* what cannot be metered or recorded is not sold */
        c->tx.local = 0;
        amp_log(st, AMP_LOG_ERROR, "a transaction could not begin: no meter or no storage");
        amp_emit(st, AMP_EVENT_OPERATOR, connector, 0, 0, AMP_TEXT("no meter or no storage"));
        (void)amp_connector_lock(st, connector, false);
        amp_connector_unclaim(st, connector, false);
        return;
    }
    if (c->tx.reserved)
        amp_reservation_used(st, c->tx.reservation, c->tx.local); /* now, not before (139) */
    begin(st, connector, &r);
}

static const char *const reasons[] = {
    "",          "EmergencyStop", "EVDisconnected", "HardReset", "Local",         "Other",
    "PowerLoss", "Reboot",        "Remote",         "SoftReset", "UnlockCommand", "DeAuthorized"
};

/* The stop is stored: the transaction is over for everybody here, whenever it is delivered (85). */
static void end(struct amp_station *st, int connector)
{
    struct amp_connector *c = &st->con[connector];
    struct amp_tx tx = c->tx;

    memset(&c->tx, 0, sizeof(c->tx));
    c->next_sample_at = AMP_NEVER;
    c->ev_gone = false;
    if (c->auth.stops)
        c->auth.state = AMP_AUTH_IDLE;
    amp_emit(st, AMP_EVENT_STOPPED, connector, tx.stop_reading.energy_wh, 0,
             amp_text_of(reasons[tx.stop_reason]));
    if (tx.keep_locked && c->locked)
        memcpy(c->held_tag, tx.tag, AMP_TAG_CAP);
    else
        (void)amp_connector_lock(st, connector,
                                 false); /* a lock that does not open is a fault now */
    c->cable_held = !c->plugged && c->locked;
    (void)amp_connector_step(st, connector, AMP_EV_TX_END);
}

static int try_end(struct amp_station *st, int connector)
{
    struct amp_tx *tx = &st->con[connector].tx;
    int rc = amp_queue_stop(st, connector);

    if (rc == 0) {
        end(st, connector);
        return 0;
    }
    tx->retry_at = st->now + RETRY_MS;
    (void)amp_due(st, tx->retry_at);
    amp_log(st, AMP_LOG_ERROR, "the end of a transaction could not be stored yet");
    return rc;
}

int amp_tx_stop(struct amp_station *st, int connector, enum amp_reason reason, const char *tag)
{
    struct amp_connector *c = &st->con[connector];
    struct amp_tx *tx = &c->tx;

    if (!tx->open || tx->stopping)
        return AMP_E_STATE;
    tx->stopping = true;
    amp_connector_energy(st, connector); /* first no more energy, then the register */
    if (amp_meter_read(st, connector, &tx->stop_reading) < 0) {
        memset(&tx->stop_reading, 0, sizeof(tx->stop_reading));
        tx->stop_reading.energy_wh = c->last_register_wh;
        amp_connector_fault(st, connector, AMP_ERROR_METER, AMP_NO_TEXT);
    }
    tx->stop_reason = (uint8_t)reason;
    tx->stop_when = amp_when_now(st);
    if (tag)
        amp_text_copy(tx->stop_tag, AMP_TAG_CAP, amp_text_of(tag));
    (void)try_end(st, connector);
    return 0;
}

void amp_tx_stop_all(struct amp_station *st, enum amp_reason reason)
{
    for (int i = 1; i <= st->connectors; i++)
        (void)amp_tx_stop(st, i, reason, NULL);
}

/* ---- what the central system says ---- */

/* The tag was not accepted although the transaction began (off-line start, remote start): stop, or
 * give no more than allowed. */
static void refused(struct amp_station *st, int connector)
{
    struct amp_connector *c = &st->con[connector];

    if (c->tx.refused)
        return;
    if (st->set.stop_on_invalid) {
        c->tx.keep_locked = c->locked; /* the owner of the cable has to come (70) */
        (void)amp_tx_stop(st, connector, AMP_STOP_DEAUTHORIZED, NULL);
        return;
    }
    c->tx.refused = true;
    c->tx.refused_wh = c->last_register_wh;
    c->tx.blocked = st->set.max_energy_invalid_wh == 0;
    c->tx.retry_at = st->now; /* watch the register from now on */
    amp_connector_energy(st, connector);
}

void amp_tx_answered(struct amp_station *st, int64_t id, const struct amp_tag_info *info)
{
    const struct amp_message_fact *f = &st->call.fact;
    struct amp_connector *c = &st->con[f->connector];
    int connector = f->connector;
    uint32_t local = f->local;

    amp_auth_learn(st, f->tag, info);
    amp_queue_done(st, true, id);
    if (!c->tx.open || c->tx.local != local)
        return; /* ended already: the stop carries the id */
    amp_emit(st, AMP_EVENT_BOUND, connector, id, 0, AMP_NO_TEXT);
    if (info->parent[0])
        memcpy(c->tx.parent, info->parent, AMP_TAG_CAP);
    if (info->status != AMP_AUTH_ACCEPTED)
        refused(st, connector);
}

/* Up to MaxEnergyOnInvalidId for a refused tag (71). */
void amp_tx_metered(struct amp_station *st, int connector, const struct amp_reading *r)
{
    struct amp_tx *tx = &st->con[connector].tx;

    if (!tx->refused || tx->blocked ||
        r->energy_wh - tx->refused_wh < st->set.max_energy_invalid_wh)
        return;
    tx->blocked = true;
    amp_connector_energy(st, connector);
}

static bool free_for_remote(const struct amp_connector *c)
{
    return !c->tx.open && !c->claimed && c->auth.state == AMP_AUTH_IDLE && !amp_closed(c) &&
           !c->held_tag[0] &&
           (c->status == AMP_AVAILABLE || c->status == AMP_PREPARING ||
            c->status == AMP_FINISHING || c->status == AMP_RESERVED);
}

/* What is reserved for this tag, a car that waits, a free connector, one with a finished session.
 */
static int choose(struct amp_station *st, const char *tag)
{
    static const uint8_t order[] = { AMP_PREPARING, AMP_AVAILABLE, AMP_FINISHING, AMP_RESERVED };

    for (unsigned rank = 0; rank < AMP_RANK_NEVER; rank++)
        for (unsigned k = 0; k < AMP_COUNT(order); k++)
            for (int i = 1; i <= st->connectors; i++)
                if (st->con[i].status == order[k] && free_for_remote(&st->con[i]) &&
                    amp_auth_rank(st, i, tag) == rank)
                    return i;
    return 0;
}

bool amp_tx_remote_start(struct amp_station *st, bool any, int64_t wanted, struct amp_text tag,
                         struct amp_profile_in *profile)
{
    char copy[AMP_TAG_CAP] = { 0 };
    enum amp_reserved reserved;
    int connector;

    if (st->boot_state != AMP_BOOT_ACCEPTED || st->reset.reason || !tag.len ||
        tag.len >= AMP_TAG_CAP)
        return false;
    if (!any && !amp_is_connector(st, wanted))
        return false; /* 0 too (111) */
    memcpy(copy, tag.at, tag.len);
    connector = any ? choose(st, copy) : (int)wanted;
    if (!connector || !free_for_remote(&st->con[connector]))
        return false;
    reserved = amp_auth_reserved(st, connector, copy);
    if (reserved == AMP_RESERVED_OTHERS)
        return false; /* 112 */
    if (profile && !amp_profiles_pend(st, connector, profile))
        return false;
    amp_emit(st, AMP_EVENT_REMOTE, connector, 0, 0, AMP_TEXT("RemoteStartTransaction"));
    if (st->set.authorize_remote || reserved == AMP_RESERVED_ASK)
        amp_auth_begin(st, connector, copy, false, true);
    else
        amp_auth_claim(st, connector, copy);
    return true;
}

bool amp_tx_remote_stop(struct amp_station *st, int64_t id)
{
    for (int i = 1; i <= st->connectors; i++) {
        int64_t mine;

        if (st->boot_state != AMP_BOOT_ACCEPTED || !amp_tx_id(st, i, &mine) || mine != id ||
            st->con[i].tx.stopping)
            continue;
        amp_emit(st, AMP_EVENT_REMOTE, i, id, 0, AMP_TEXT("RemoteStopTransaction"));
        (void)amp_tx_stop(st, i, AMP_STOP_REMOTE, NULL);
        return true;
    }
    return false;
}

/* ---- time and power cuts ---- */

void amp_tx_poll(struct amp_station *st)
{
    for (int i = 1; i <= st->connectors; i++) {
        struct amp_tx *tx = &st->con[i].tx;
        struct amp_reading r;

        if (!tx->open || !amp_due(st, tx->retry_at))
            continue;
        tx->retry_at = st->now + RETRY_MS;
        if (tx->stopping) {
            (void)try_end(st, i);
        } else if (tx->refused && !tx->blocked && amp_meter_read(st, i, &r) == 0) {
            amp_tx_metered(st, i, &r);
        } else if (!tx->refused) {
            tx->retry_at = AMP_NEVER;
        }
        (void)amp_due(st, tx->retry_at);
    }
}

int amp_tx_recover(struct amp_station *st)
{
    for (int i = 1; i <= st->connectors; i++) {
        struct amp_tx *tx = &st->con[i].tx;
        const struct amp_view *v = &st->queue.view[i];
        int rc;

        if (!tx->open)
            continue;
        tx->stop_reason = AMP_STOP_POWER_LOSS;
        tx->stop_reading.energy_wh = v->last_local == tx->local ? v->last_wh : tx->start_wh;
        tx->stop_when = v->last_local == tx->local ? v->last_when : tx->started;
        rc = amp_queue_stop(st, i);
        if (rc < 0)
            return rc;
        amp_emit(st, AMP_EVENT_STOPPED, i, tx->stop_reading.energy_wh, 0, AMP_TEXT("PowerLoss"));
        memset(tx, 0, sizeof(*tx));
        (void)amp_connector_lock(st, i, false);
    }
    return 0;
}
