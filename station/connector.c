/* station/connector.c - the nine states of a connector, OCPP 1.6 §4.9, and the facts that move it.
 * station-1.6 32-46, 105-110.
 *
 * Facts (plugged, the car asks for energy, a tag is accepted, a transaction runs, a fault,
 * operative or not) change in the functions below; each change is an event, and the one table says
 * what it does. A pair that is not listed is not possible: the event changes nothing. The station
 * itself is connector 0 and knows Available, Unavailable and Faulted only. */
#include "station/impl.h"

/* ---- guards: which of several rows for the same event ---- */

static bool closing(const struct amp_connector *c)
{
    return amp_closed(c);
}

static bool unplugged(const struct amp_connector *c)
{
    return !c->plugged && !c->cable_held;
}

static bool unclaimed(const struct amp_connector *c)
{
    return !c->plugged && !c->claimed && !c->cable_held && c->auth.state == AMP_AUTH_IDLE;
}

static bool in_use(const struct amp_connector *c)
{
    return c->plugged || c->claimed;
}

static bool evse_pauses(const struct amp_connector *c)
{
    return c->tx.open && (c->tx.blocked || c->paused);
}

static bool ev_pauses(const struct amp_connector *c)
{
    return c->tx.open && !(c->plugged && c->wants);
}

static bool charges(const struct amp_connector *c)
{
    return c->tx.open;
}

static bool finished(const struct amp_connector *c)
{
    return (c->plugged || c->cable_held) && c->over;
}

/* ---- the table ---- */

struct move {
    uint8_t state, event, next;
    bool (*when)(const struct amp_connector *c); /* NULL: always. The first row that fits counts */
    void (*act)(struct amp_station *st, int connector);
    const char *name; /* the spec's own */
};

/* Preparing waits for the plug or the tag, but not for ever (62). */
static void arm_timeout(struct amp_station *st, int connector)
{
    uint64_t wait = (uint64_t)st->set.connection_timeout_s * 1000;

    st->con[connector].over = false;
    st->con[connector].expires_at = wait ? st->now + wait : AMP_NEVER;
}

static void mark_over(struct amp_station *st, int connector)
{
    st->con[connector].over = true;
}

/* clang-format off */
static const struct move moves[] = {
    { AMP_AVAILABLE,      AMP_EV_PLUG,       AMP_PREPARING,      NULL,        arm_timeout, "A2" },
    { AMP_AVAILABLE,      AMP_EV_CLAIM,      AMP_PREPARING,      NULL,        arm_timeout, "A2" },
    { AMP_AVAILABLE,      AMP_EV_RESERVE,    AMP_RESERVED,       NULL,        NULL,        "A7" },
    { AMP_AVAILABLE,      AMP_EV_CLOSE,      AMP_UNAVAILABLE,    NULL,        NULL,        "A8" },
    { AMP_AVAILABLE,      AMP_EV_FAULT,      AMP_FAULTED,        NULL,        NULL,        "A9" },

    { AMP_PREPARING,      AMP_EV_UNPLUG,     AMP_AVAILABLE,      unclaimed,   NULL,        "B1" },
    { AMP_PREPARING,      AMP_EV_CANCEL,     AMP_AVAILABLE,      unclaimed,   NULL,        "B1" },
    { AMP_PREPARING,      AMP_EV_EXPIRE,     AMP_AVAILABLE,      unclaimed,   NULL,        "B1" },
    { AMP_PREPARING,      AMP_EV_ENERGY,     AMP_CHARGING,       NULL,        NULL,        "B3" },
    { AMP_PREPARING,      AMP_EV_PAUSE_EV,   AMP_SUSPENDED_EV,   NULL,        NULL,        "B4" },
    { AMP_PREPARING,      AMP_EV_PAUSE_EVSE, AMP_SUSPENDED_EVSE, NULL,        NULL,        "B5" },
    { AMP_PREPARING,      AMP_EV_EXPIRE,     AMP_FINISHING,      NULL,        mark_over,   "B6" },
    { AMP_PREPARING,      AMP_EV_FAULT,      AMP_FAULTED,        NULL,        NULL,        "B9" },

    { AMP_CHARGING,       AMP_EV_TX_END,     AMP_UNAVAILABLE,    closing,     mark_over,   "C8" },
    { AMP_CHARGING,       AMP_EV_TX_END,     AMP_AVAILABLE,      unplugged,   NULL,        "C1" },
    { AMP_CHARGING,       AMP_EV_PAUSE_EV,   AMP_SUSPENDED_EV,   NULL,        NULL,        "C4" },
    { AMP_CHARGING,       AMP_EV_PAUSE_EVSE, AMP_SUSPENDED_EVSE, NULL,        NULL,        "C5" },
    { AMP_CHARGING,       AMP_EV_TX_END,     AMP_FINISHING,      NULL,        mark_over,   "C6" },
    { AMP_CHARGING,       AMP_EV_FAULT,      AMP_FAULTED,        NULL,        NULL,        "C9" },

    { AMP_SUSPENDED_EV,   AMP_EV_TX_END,     AMP_UNAVAILABLE,    closing,     mark_over,   "D8" },
    { AMP_SUSPENDED_EV,   AMP_EV_TX_END,     AMP_AVAILABLE,      unplugged,   NULL,        "D1" },
    { AMP_SUSPENDED_EV,   AMP_EV_ENERGY,     AMP_CHARGING,       NULL,        NULL,        "D3" },
    { AMP_SUSPENDED_EV,   AMP_EV_PAUSE_EVSE, AMP_SUSPENDED_EVSE, NULL,        NULL,        "D5" },
    { AMP_SUSPENDED_EV,   AMP_EV_TX_END,     AMP_FINISHING,      NULL,        mark_over,   "D6" },
    { AMP_SUSPENDED_EV,   AMP_EV_FAULT,      AMP_FAULTED,        NULL,        NULL,        "D9" },

    { AMP_SUSPENDED_EVSE, AMP_EV_TX_END,     AMP_UNAVAILABLE,    closing,     mark_over,   "E8" },
    { AMP_SUSPENDED_EVSE, AMP_EV_TX_END,     AMP_AVAILABLE,      unplugged,   NULL,        "E1" },
    { AMP_SUSPENDED_EVSE, AMP_EV_ENERGY,     AMP_CHARGING,       NULL,        NULL,        "E3" },
    { AMP_SUSPENDED_EVSE, AMP_EV_PAUSE_EV,   AMP_SUSPENDED_EV,   NULL,        NULL,        "E4" },
    { AMP_SUSPENDED_EVSE, AMP_EV_TX_END,     AMP_FINISHING,      NULL,        mark_over,   "E6" },
    { AMP_SUSPENDED_EVSE, AMP_EV_FAULT,      AMP_FAULTED,        NULL,        NULL,        "E9" },

    { AMP_FINISHING,      AMP_EV_UNPLUG,     AMP_AVAILABLE,      unplugged,   NULL,        "F1" },
    { AMP_FINISHING,      AMP_EV_PLUG,       AMP_PREPARING,      NULL,        arm_timeout, "F2" },
    { AMP_FINISHING,      AMP_EV_CLAIM,      AMP_PREPARING,      NULL,        arm_timeout, "F2" },
    { AMP_FINISHING,      AMP_EV_CLOSE,      AMP_UNAVAILABLE,    NULL,        NULL,        "F8" },
    { AMP_FINISHING,      AMP_EV_FAULT,      AMP_FAULTED,        NULL,        NULL,        "F9" },

    { AMP_RESERVED,       AMP_EV_UNRESERVE,  AMP_AVAILABLE,      NULL,        NULL,        "G1" },
    { AMP_RESERVED,       AMP_EV_CLAIM,      AMP_PREPARING,      NULL,        arm_timeout, "G2" },
    { AMP_RESERVED,       AMP_EV_CLOSE,      AMP_UNAVAILABLE,    NULL,        NULL,        "G8" },
    { AMP_RESERVED,       AMP_EV_FAULT,      AMP_FAULTED,        NULL,        NULL,        "G9" },

    { AMP_UNAVAILABLE,    AMP_EV_OPEN,       AMP_PREPARING,      in_use,      arm_timeout, "H2" },
    { AMP_UNAVAILABLE,    AMP_EV_OPEN,       AMP_AVAILABLE,      NULL,        NULL,        "H1" },
    { AMP_UNAVAILABLE,    AMP_EV_FAULT,      AMP_FAULTED,        NULL,        NULL,        "H9" },

    /* the state before comes back, or what became of it meanwhile */
    { AMP_FAULTED,        AMP_EV_CLEAR,      AMP_SUSPENDED_EVSE, evse_pauses, NULL,        "I5" },
    { AMP_FAULTED,        AMP_EV_CLEAR,      AMP_SUSPENDED_EV,   ev_pauses,   NULL,        "I4" },
    { AMP_FAULTED,        AMP_EV_CLEAR,      AMP_CHARGING,       charges,     NULL,        "I3" },
    { AMP_FAULTED,        AMP_EV_CLEAR,      AMP_UNAVAILABLE,    closing,     NULL,        "I8" },
    { AMP_FAULTED,        AMP_EV_CLEAR,      AMP_FINISHING,      finished,    NULL,        "I6" },
    { AMP_FAULTED,        AMP_EV_CLEAR,      AMP_PREPARING,      in_use,      arm_timeout, "I2" },
    { AMP_FAULTED,        AMP_EV_CLEAR,      AMP_AVAILABLE,      NULL,        NULL,        "I1" },
};
/* clang-format on */

int amp_connector_find(int status, enum amp_move_event ev, const struct amp_connector *c)
{
    for (unsigned i = 0; i < AMP_COUNT(moves); i++)
        if (moves[i].state == status && moves[i].event == ev &&
            (!moves[i].when || moves[i].when(c)))
            return (int)i;
    return -1;
}

const char *amp_connector_move(int row, int *next)
{
    *next = moves[row].next;
    return moves[row].name;
}

int amp_connector_step(struct amp_station *st, int connector, enum amp_move_event ev)
{
    struct amp_connector *c = &st->con[connector];
    int row = amp_connector_find(c->status, ev, c);

    if (row < 0 || (connector == 0 && moves[row].next != AMP_AVAILABLE &&
                    moves[row].next != AMP_UNAVAILABLE && moves[row].next != AMP_FAULTED))
        return AMP_E_STATE;
    c->status = moves[row].next;
    c->expires_at = AMP_NEVER;
    if (moves[row].act)
        moves[row].act(st, connector);
    amp_emit(st, AMP_EVENT_STATUS, connector, c->status, 0, amp_text_of(moves[row].name));
    if (c->status == AMP_AVAILABLE && amp_closed(c))
        return amp_connector_step(st, connector,
                                  AMP_EV_CLOSE); /* without a flash of Available (39) */
    if (c->status == AMP_AVAILABLE && amp_reservation_holds(st, connector))
        return amp_connector_step(st, connector, AMP_EV_RESERVE);
    if (c->status == AMP_FAULTED || c->status == AMP_UNAVAILABLE)
        amp_reservation_broken(st, connector);
    if (st->hw->indicate)
        st->hw->indicate(st->hw->ctx, connector, c->status);
    amp_report_changed(st, connector);
    return 0;
}

/* ---- claims: an accepted tag that waits for the plug ---- */

void amp_connector_claim(struct amp_station *st, int connector, const char *tag, const char *parent,
                         bool remote)
{
    struct amp_connector *c = &st->con[connector];

    if (c->updating ||
        (c->status != AMP_PREPARING && amp_connector_step(st, connector, AMP_EV_CLAIM) < 0))
        return; /* became faulted or unavailable while the tag was being checked */
    c->claimed = true;
    c->claim_remote = remote;
    amp_text_copy(c->claim, AMP_TAG_CAP, amp_text_of(tag));
    amp_text_copy(c->claim_parent, AMP_TAG_CAP, amp_text_of(parent));
    arm_timeout(st, connector);
    amp_tx_try_start(st, connector);
}

void amp_connector_unclaim(struct amp_station *st, int connector, bool expired)
{
    struct amp_connector *c = &st->con[connector];

    c->claimed = false;
    c->claim[0] = 0;
    (void)amp_connector_step(st, connector, expired ? AMP_EV_EXPIRE : AMP_EV_CANCEL);
}

void amp_connector_poll(struct amp_station *st)
{
    for (int i = 1; i <= st->connectors; i++)
        if (amp_due(st, st->con[i].expires_at)) {
            st->con[i].expires_at = AMP_NEVER;
            st->con[i].auth.state = AMP_AUTH_IDLE;
            amp_connector_unclaim(st, i, true);
        }
}

/* ---- availability ---- */

static int store_availability(struct amp_station *st, int connector, bool inoperative, bool copy)
{
    uint8_t raw[2] = { (uint8_t)connector, inoperative };

    return copy ? amp_journal_copy(st, AMP_ENTRY_AVAIL, raw, sizeof(raw))
                : amp_journal_put(st, AMP_ENTRY_AVAIL, raw, sizeof(raw), false);
}

/* One connector. Stored before it is true, so that a power cut does not undo what was answered (46,
 * 106). */
static enum amp_avail_result set_availability(struct amp_station *st, int connector, bool operative)
{
    struct amp_connector *c = &st->con[connector];
    bool busy = c->tx.open || c->status == AMP_PREPARING;

    if (c->inoperative == operative) {
        if (store_availability(st, connector, !operative, false) < 0)
            return AMP_AVAIL_REJECTED;
        c->inoperative = !operative;
    }
    if (operative && c->updating)
        return AMP_AVAIL_SCHEDULED; /* after the update (148) */
    if (!operative && busy)
        return AMP_AVAIL_SCHEDULED; /* at the end of the transaction: moves with `closing` */
    (void)amp_connector_step(st, connector, operative ? AMP_EV_OPEN : AMP_EV_CLOSE);
    return AMP_AVAIL_ACCEPTED;
}

enum amp_avail_result amp_connector_availability(struct amp_station *st, int connector,
                                                 bool operative)
{
    enum amp_avail_result all = AMP_AVAIL_ACCEPTED;

    if (connector)
        return set_availability(st, connector, operative);
    for (int i = 0; i <= st->connectors; i++) {
        enum amp_avail_result one = set_availability(st, i, operative);

        if (one == AMP_AVAIL_REJECTED)
            return one;
        if (one == AMP_AVAIL_SCHEDULED)
            all = one;
    }
    return all;
}

enum amp_unlock_result amp_connector_unlock(struct amp_station *st, int connector)
{
    struct amp_connector *c = &st->con[connector];

    if (!st->hw->lock)
        return AMP_UNLOCK_UNSUPPORTED;
    if (c->tx.open)
        (void)amp_tx_stop(st, connector, AMP_STOP_UNLOCK, NULL); /* unlocks on its way (110) */
    if (amp_connector_lock(st, connector, false) < 0)
        return AMP_UNLOCK_FAILED;
    amp_connector_released(st, connector);
    return AMP_UNLOCK_DONE;
}

void amp_connector_released(struct amp_station *st, int connector)
{
    struct amp_connector *c = &st->con[connector];

    c->held_tag[0] = 0;
    if (!c->cable_held)
        return;
    c->cable_held = false;
    c->over = false;
    (void)amp_connector_step(st, connector, AMP_EV_UNPLUG);
}

/* ---- start and compaction ---- */

void amp_connector_init(struct amp_station *st)
{
    for (int i = 0; i <= st->connectors; i++) {
        struct amp_connector *c = &st->con[i];

        c->status = AMP_AVAILABLE;
        c->error = AMP_ERROR_NONE;
        c->expires_at = c->next_sample_at = AMP_NEVER;
    }
}

void amp_connector_load(struct amp_station *st, const struct amp_entry *e)
{
    if (e->len == 2 && e->data[0] <= st->connectors) {
        struct amp_connector *c = &st->con[e->data[0]];

        c->inoperative = e->data[1] != 0;
        c->status = c->inoperative ? AMP_UNAVAILABLE : AMP_AVAILABLE;
    }
}

int amp_connector_save(struct amp_station *st)
{
    for (int i = 0; i <= st->connectors; i++)
        if (st->con[i].inoperative) {
            int rc = store_availability(st, i, true, true);

            if (rc < 0)
                return rc;
        }
    return 0;
}
