/* station/questions.c - station.h: what displays, logs and tests ask a station. Nothing here changes
 * anything. */
#include "station/impl.h"

int amp_station_connector(const struct amp_station *st, int connector,
                          struct amp_connector_info *out)
{
    const struct amp_connector *c;
    int64_t id;

    if (connector != 0 && !amp_is_connector(st, connector))
        return AMP_E_RANGE;
    c = &st->con[connector];
    memset(out, 0, sizeof(*out));
    out->status = (enum amp_status)c->status;
    out->plugged = c->plugged;
    out->locked = c->locked;
    out->energy_on = c->energy_on;
    out->in_transaction = c->tx.open;
    if (!c->tx.open)
        return 0;
    if (amp_tx_id(st, connector, &id))
        out->transaction_id = id;
    memcpy(out->tag, c->tx.tag, sizeof(out->tag));
    out->started_at_ms = c->tx.started.ms + (c->tx.started.boot ? st->clock_offset_ms : 0);
    out->meter_start_wh = c->tx.start_wh;
    return 0;
}

enum amp_link_state amp_station_link(const struct amp_station *st)
{
    return (enum amp_link_state)st->link.state;
}

enum amp_boot_state amp_station_boot(const struct amp_station *st)
{
    return (enum amp_boot_state)st->boot_state;
}

int64_t amp_station_unix_ms(const struct amp_station *st, uint64_t now)
{
    return st->clock_known ? (int64_t)now + st->clock_offset_ms : 0;
}

unsigned amp_station_queued(const struct amp_station *st)
{
    return st->queue.count;
}

int amp_station_setting(const struct amp_station *st, struct amp_text key, char *out, size_t cap)
{
    struct amp_buf b;
    int row = amp_config_find(key);

    if (row < 0 || !amp_config_readable((unsigned)row))
        return AMP_E_ABSENT;
    amp_buf_init(&b, out, cap);
    amp_config_value(st, (unsigned)row, &b);
    return b.full ? AMP_E_FULL : (int)b.len;
}

/* ---- lines for logs ---- */

static int line_end(const struct amp_buf *b)
{
    return b->full ? AMP_E_FULL : (int)b->len;
}

int amp_station_setting_line(const struct amp_station *st, unsigned index, char *out, size_t cap)
{
    struct amp_buf b;

    if (index >= amp_config_count())
        return AMP_E_ABSENT;
    if (!amp_config_readable(index))
        return 0;
    amp_buf_init(&b, out, cap);
    amp_buf_text_put(&b, amp_config_name(index));
    amp_buf_putc(&b, '=');
    amp_config_value(st, index, &b);
    return line_end(&b);
}

int amp_station_summary_line(const struct amp_station *st, unsigned index, char *out, size_t cap)
{
    const struct amp_journal *j = &st->journal;
    const struct {
        const char *name;
        int64_t value;
        /* clang-format off */
    } lines[] = {
        { "starts",                        st->boot_count },
        { "accepted",                      st->ever_accepted },
        { "connectors",                    st->connectors },
        { "transaction messages waiting",  st->queue.count },
        { "unreadable frames since start", st->link.malformed },
        { "storage used",                  j->end },
        { "storage size",                  j->area_size },
        { "storage generation",            j->generation },
    };
    /* clang-format on */
    struct amp_buf b;

    if (index >= AMP_COUNT(lines))
        return AMP_E_ABSENT;
    amp_buf_init(&b, out, cap);
    amp_buf_puts(&b, lines[index].name);
    amp_buf_puts(&b, ": ");
    amp_buf_int(&b, lines[index].value);
    return line_end(&b);
}

int amp_station_security_line(struct amp_station *st, uint32_t *at, int64_t *unix_ms, char *out,
                              size_t cap)
{
    struct amp_security_record r;
    struct amp_buf b;

    if (!amp_events_next(st, at, &r))
        return AMP_E_ABSENT;
    *unix_ms = amp_when_ms(st, r.when);
    amp_buf_init(&b, out, cap);
    amp_buf_puts(&b, amp_events_name(r.type));
    amp_buf_puts(&b, r.info[0] ? " " : "");
    amp_buf_puts(&b, r.info);
    return line_end(&b);
}
