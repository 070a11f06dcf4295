/* station/reset.c - Reset.req: what runs is ended and stored, then the device restarts. station-1.6
 * 108, 109.
 *
 * Soft waits until the stops are delivered, but not for ever; hard only until the answer has left.
 * In both cases a stop that was not delivered is in the journal and goes out after the restart. */
#include "station/impl.h"

#define SOFT_WAIT_MS 60000
#define HARD_WAIT_MS 3000

bool amp_reset_begin(struct amp_station *st, bool hard)
{
    if (!st->port->reboot)
        return false;
    if (st->reset.reason && (st->reset.hard || !hard))
        return true; /* under way; a hard one overtakes a soft one */
    st->reset.reason = hard ? AMP_STOP_HARD_RESET : AMP_STOP_SOFT_RESET;
    st->reset.hard = hard;
    amp_events_raise(st, AMP_SEC_RESET, amp_text_of(hard ? "hard" : "soft"));
    st->reset.at_most = st->now + (hard ? HARD_WAIT_MS : SOFT_WAIT_MS);
    return true;
}

static bool stopping(const struct amp_station *st)
{
    for (int i = 1; i <= st->connectors; i++)
        if (st->con[i].tx.open)
            return true;
    return false;
}

void amp_reset_poll(struct amp_station *st)
{
    bool late;

    if (!st->reset.reason)
        return;
    amp_tx_stop_all(st, st->reset.reason);
    late = amp_due(st, st->reset.at_most);
    if (!late) {
        if (stopping(st) || !amp_link_idle(st))
            return;
        if (!st->reset.hard && amp_online(st) && (st->queue.count || st->link.rpc.open))
            return;
    }
    amp_link_close(st, 1001, "restarting");
    st->dead = true;
    amp_log(st, AMP_LOG_INFO, "restart");
    st->port->reboot(st->port->ctx, st->reset.hard);
}
