/* station/heartbeat.c - a sign of life when nothing else was said, and the time at least once a
 * day. station-1.6 28-31. */
#include "station/impl.h"

#define DAY_MS 86400000u

bool amp_heartbeat_due(struct amp_station *st)
{
    uint64_t interval = (uint64_t)st->set.heartbeat_s * 1000;
    uint64_t at = st->link.last_message_at + (interval ? interval : DAY_MS);

    if (st->heartbeat_triggered &&
        (st->boot_state == AMP_BOOT_ACCEPTED || st->boot_state == AMP_BOOT_PENDING)) {
        st->heartbeat_triggered = false;
        return true;
    }
    if (!amp_online(st))
        return false;
    return amp_due(st, at < st->heartbeat_at_most ? at : st->heartbeat_at_most);
}

void amp_heartbeat_answered(struct amp_station *st, int64_t time_ms)
{
    st->heartbeat_at_most = st->now + DAY_MS;
    amp_clock_set(st, time_ms);
}
