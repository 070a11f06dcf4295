/* station/clock.c - the wall clock, kept as an offset to monotonic time. station-1.6 26, 30.
 *
 * A device without a battery clock may charge before it ever heard the time. Its records then carry
 * monotonic time and the number of the boot; what time that was is known as soon as the clock is
 * set in that boot, and a record tells later boots. */
#include "station/impl.h"

#define DRIFT_MAX_MS 1000 /* a smaller difference is the network's */

struct amp_when amp_when_now(struct amp_station *st)
{
    if (st->clock_known)
        return (struct amp_when){ (int64_t)st->now + st->clock_offset_ms, 0 };
    st->mono_stored = true;
    return (struct amp_when){ (int64_t)st->now, st->boot_count };
}

static void store_offset(struct amp_station *st)
{
    uint8_t raw[16];
    struct amp_buf out;

    amp_buf_init(&out, raw, sizeof(raw));
    amp_pack_u32(&out, st->boot_count);
    amp_pack_i64(&out, st->clock_offset_ms);
    /* not stored: records of this boot get the best guess of the next one */
    if (amp_journal_put(st, AMP_ENTRY_CLOCK, raw, out.len, true) < 0)
        amp_log(st, AMP_LOG_ERROR, "the time of this start could not be stored");
    else
        st->mono_stored = false;
}

void amp_clock_set(struct amp_station *st, int64_t unix_ms)
{
    int64_t offset = unix_ms - (int64_t)st->now, drift = offset - st->clock_offset_ms;

    if (unix_ms <= 0 || unix_ms > INT64_MAX / 2)
        return; /* nobody's time */
    if (st->clock_known && drift <= DRIFT_MAX_MS && drift >= -DRIFT_MAX_MS)
        return;
    st->clock_offset_ms = offset;
    st->clock_known = true;
    st->aligned_slot = 0;
    if (st->mono_stored)
        store_offset(st);
    if (st->port->set_clock)
        st->port->set_clock(st->port->ctx, unix_ms);
    amp_events_raise(st, AMP_SEC_SETTING_TIME, AMP_NO_TEXT);
    amp_emit(st, AMP_EVENT_CLOCK, 0, unix_ms, 0, AMP_NO_TEXT);
}

/* Offset of an earlier boot from the journal. */
static bool find_offset(struct amp_station *st, uint32_t boot, int64_t *offset)
{
    struct amp_entry e;
    uint32_t at = 0;
    bool found = false;

    while (amp_journal_next(st, &at, &e)) {
        struct amp_cut in = { e.data, e.len, false };

        if (e.type == AMP_ENTRY_CLOCK && amp_cut_u32(&in) == boot) {
            *offset = amp_cut_i64(&in);
            found = !in.bad;
        }
    }
    return found;
}

int64_t amp_when_ms(struct amp_station *st, struct amp_when w)
{
    int64_t offset;

    if (w.boot == 0)
        return w.ms;
    if (w.boot == st->boot_count)
        return w.ms + st->clock_offset_ms;
    if (find_offset(st, w.boot, &offset))
        return w.ms + offset;
    /* that boot never learned the time: it was before this one began */
    return st->clock_offset_ms + (int64_t)st->started_at;
}

void amp_pack_when(struct amp_buf *out, struct amp_when w)
{
    amp_pack_i64(out, w.ms);
    amp_pack_u32(out, w.boot);
}

struct amp_when amp_cut_when(struct amp_cut *in)
{
    struct amp_when w;

    w.ms = amp_cut_i64(in);
    w.boot = amp_cut_u32(in);
    return w;
}

bool amp_clock_keep(struct amp_station *st, const struct amp_entry *e, int thin)
{
    (void)e;
    (void)thin;
    for (int c = 1; c <= st->connectors; c++)
        if (st->con[c].tx.open)
            return true;
    return st->queue.count > 0 || amp_events_waiting(st) > 0;
}
