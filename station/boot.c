/* station/boot.c - BootNotification until somebody accepts this station. station-1.6 18-27. */
#include "station/impl.h"

#define BACK_OFF_S \
    60 /* when the central system leaves the interval to us, or does not answer; doubles */
#define BACK_OFF_CAP_S 3600

static void set_state(struct amp_station *st, enum amp_boot_state state, uint64_t interval_s)
{
    st->boot_state = (uint8_t)state;
    amp_emit(st, AMP_EVENT_BOOT, 0, state, (int64_t)interval_s, AMP_NO_TEXT);
}

static uint64_t back_off_s(struct amp_station *st)
{
    unsigned shift = st->boot_failures < 6 ? st->boot_failures : 6;
    uint64_t s = (uint64_t)BACK_OFF_S << shift;

    st->boot_failures++;
    return s < BACK_OFF_CAP_S ? s : BACK_OFF_CAP_S;
}

/* Boot counter, for message ids that are never used again, and whether anybody ever accepted us
 * (26). */
static void pack(const struct amp_station *st, struct amp_buf *out)
{
    amp_pack_u32(out, st->boot_count);
    amp_pack_u8(out, st->ever_accepted);
}

int amp_boot_store(struct amp_station *st)
{
    uint8_t raw[5];
    struct amp_buf out;

    amp_buf_init(&out, raw, sizeof(raw));
    pack(st, &out);
    return amp_journal_put(st, AMP_ENTRY_BOOT, raw, out.len, true);
}

int amp_boot_save(struct amp_station *st)
{
    uint8_t raw[5];
    struct amp_buf out;

    amp_buf_init(&out, raw, sizeof(raw));
    pack(st, &out);
    return amp_journal_copy(st, AMP_ENTRY_BOOT, raw, out.len);
}

void amp_boot_load(struct amp_station *st, const struct amp_entry *e)
{
    struct amp_cut in = { e->data, e->len, false };

    st->boot_count = amp_cut_u32(&in);
    st->ever_accepted = amp_cut_u8(&in) != 0;
}

static void accepted(struct amp_station *st, int64_t interval_s)
{
    if (interval_s > 0 && interval_s <= INT32_MAX)
        amp_config_set(st, AMP_TEXT("HeartbeatInterval"), (int32_t)interval_s);
    st->boot_failures = 0;
    st->boot_at = AMP_NEVER;
    st->heartbeat_at_most = st->now + 86400000;
    set_state(st, AMP_BOOT_ACCEPTED, (uint64_t)st->set.heartbeat_s);
    st->queue.backlog = st->queue.next; /* status first, then what waited (20) */
    amp_report_all(st);
    if (!st->ever_accepted) {
        st->ever_accepted = true;
        if (amp_boot_store(st) < 0)
            amp_log(st, AMP_LOG_ERROR, "that this station was accepted could not be stored");
    }
}

void amp_boot_answered(struct amp_station *st, enum amp_registration status, int64_t time_ms,
                       int64_t interval_s)
{
    uint64_t wait_s;

    amp_clock_set(st, time_ms);
    if (status == AMP_REG_ACCEPTED) {
        accepted(st, interval_s);
        return;
    }
    /* Pending or Rejected: again after the interval; 0 leaves it to us (22) */
    wait_s = interval_s > 0 && interval_s < INT32_MAX ? (uint64_t)interval_s : back_off_s(st);
    st->boot_at = st->now + wait_s * 1000;
    set_state(st, status == AMP_REG_PENDING ? AMP_BOOT_PENDING : AMP_BOOT_REJECTED, wait_s);
}

/* No answer, an error, nonsense: later again, longer each time, never silence (24). A lost
 * connection asks at once. */
void amp_boot_failed(struct amp_station *st, int rc)
{
    st->boot_at = rc == AMP_E_IO ? st->now : st->now + back_off_s(st) * 1000;
}

bool amp_boot_due(struct amp_station *st)
{
    if (st->boot_state == AMP_BOOT_ACCEPTED)
        return false;
    if (!st->boot_triggered && !amp_due(st, st->boot_at))
        return false;
    st->boot_triggered = false;
    return true;
}

bool amp_boot_trigger(struct amp_station *st)
{
    if (st->boot_state == AMP_BOOT_ACCEPTED)
        return false; /* 25 */
    st->boot_triggered = true;
    return true;
}
