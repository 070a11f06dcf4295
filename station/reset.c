/* station/reset.c - Reset.req: what runs is ended and stored, then the device restarts. station-1.6
 * 108, 109.
 *
 * Soft waits until the stops are delivered, but not for ever; hard only until the answer has left.
 * In both cases a stop that was not delivered is in the journal and goes out after the restart. A
 * device that does not restart is asked again, ResetRetries times; then ResetFailure is told, and
 * the station serves on. */
#include "station/impl.h"

#define SOFT_WAIT_MS 60000
#define HARD_WAIT_MS 3000
#define RETRY_MS     10000

bool amp_reset_begin(struct amp_station *st, bool hard)
{
    if (!st->port->reboot)
        return false;
    if (st->reset.reason && (st->reset.hard || !hard))
        return true; /* under way; a hard one overtakes a soft one */
    st->reset.reason = hard ? AMP_STOP_HARD_RESET : AMP_STOP_SOFT_RESET;
    st->reset.hard = hard;
    st->reset.tries = 0;
    st->reset.next_at = st->now;
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

/* May the device be asked now? The first time when all is said and done, then again after a while.
 */
static bool ready(struct amp_station *st)
{
    if (st->reset.tries)
        return amp_due(st, st->reset.next_at);
    if (amp_due(st, st->reset.at_most))
        return true;
    return !stopping(st) && amp_link_idle(st) &&
           (st->reset.hard || !amp_online(st) || (!st->queue.count && !st->link.rpc.open));
}

static void failed(struct amp_station *st)
{
    if ((int32_t)st->reset.tries++ < st->set.reset_retries) {
        amp_log(st, AMP_LOG_WARN, "the device does not restart; it is asked again");
        st->reset.next_at = st->now + RETRY_MS;
        (void)amp_due(st, st->reset.next_at);
        return;
    }
    amp_log(st, AMP_LOG_ERROR, "the device does not restart");
    st->reset.reason = 0;
    amp_connector_fault(st, 0, AMP_ERROR_RESET, AMP_TEXT("the device does not restart"));
}

void amp_reset_poll(struct amp_station *st)
{
    if (!st->reset.reason)
        return;
    amp_tx_stop_all(st, st->reset.reason);
    if (!ready(st))
        return;
    amp_link_close(st, 1001, "restarting");
    amp_log(st, AMP_LOG_INFO, "restart");
    st->dead = true;
    if (st->port->reboot(st->port->ctx, st->reset.hard) == 0)
        return;
    st->dead = false;
    failed(st);
}
