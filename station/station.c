/* station/station.c - station.h: start, the world's calls, questions. The work is done in the other
 * files. */
#include "station/impl.h"

size_t amp_station_size(void)
{
    return sizeof(struct amp_station);
}

/* ---- services for the other files ---- */

void amp_emit(struct amp_station *st, enum amp_event_kind kind, int connector, int64_t a, int64_t b,
              struct amp_text text)
{
    struct amp_event ev = { kind, connector, a, b, text };

    if (st->on_event)
        st->on_event(st->event_ctx, st, &ev);
}

void amp_log(struct amp_station *st, enum amp_log_level level, const char *text)
{
    if (st->port->log)
        st->port->log(st->port->ctx, level, text);
}

void amp_log2(struct amp_station *st, enum amp_log_level level, const char *text,
              struct amp_text more)
{
    char line[160];
    struct amp_buf b;

    amp_buf_init(&b, line, sizeof(line) - 1);
    amp_buf_puts(&b, text);
    amp_buf_text_put(&b, more);
    line[b.len] = 0;
    amp_log(st, level, line);
}

bool amp_due(struct amp_station *st, uint64_t at)
{
    if (at > st->now && at < st->wake)
        st->wake = at;
    return at <= st->now;
}

bool amp_online(const struct amp_station *st)
{
    return st->link.state == AMP_LINK_UP && !st->link.closing &&
           st->boot_state == AMP_BOOT_ACCEPTED;
}

uint32_t amp_random32(struct amp_station *st)
{
    uint32_t r = 0;

    if (st->port->random(st->port->ctx, &r, sizeof(r)) < 0)
        amp_log(st, AMP_LOG_ERROR, "no random numbers");
    return r;
}

/* ---- start ---- */

#define FIELD(name, max)                                                                      \
    {                                                                                         \
#name, offsetof(struct amp_station_config, name), offsetof(struct amp_station, name), \
            sizeof(((struct amp_station *)0)->name), max                                      \
    }

/* Texts of the configuration. `max` 0: longer is cut, as BootNotification has no room for more
 * (27); else it is an error. */
static const struct {
    const char *name;
    size_t from, to, cap;
    uint32_t max;
} texts[] = {
    FIELD(url, AMP_URL_MAX - 1),
    FIELD(secure_url, AMP_URL_MAX - 1),
    FIELD(identity, AMP_IDENTITY_MAX),
    FIELD(password, 64),
    FIELD(vendor, 0),
    FIELD(model, 0),
    FIELD(serial, 0),
    FIELD(box_serial, 0),
    FIELD(firmware, 0),
    FIELD(iccid, 0),
    FIELD(imsi, 0),
    FIELD(meter_type, 0),
    FIELD(meter_serial, 0),
};

static int wrong(struct amp_fault *fault, const char *field, const char *why, int rc)
{
    fault->rc = rc;
    fault->why = why;
    amp_text_copy(fault->path, sizeof(fault->path), amp_text_of(field));
    return rc;
}

static int copy_texts(struct amp_station *st, const struct amp_station_config *config,
                      struct amp_fault *fault)
{
    struct amp_url url;

    for (unsigned i = 0; i < AMP_COUNT(texts); i++) {
        struct amp_text t;

        memcpy(&t, (const char *)config + texts[i].from, sizeof(t));
        if (t.at && (!amp_text_utf8(t) || memchr(t.at, 0, t.len)))
            return wrong(fault, texts[i].name, "not a text", AMP_E_FORMAT);
        if (texts[i].max && t.len > texts[i].max)
            return wrong(fault, texts[i].name, "too long", AMP_E_RANGE);
        amp_text_copy((char *)st + texts[i].to, texts[i].cap, t.at ? t : AMP_TEXT(""));
    }
    st->has_password = config->password.at != NULL;
    if (amp_url_parse(amp_text_of(st->url), &url) < 0)
        return wrong(fault, "url", "not a ws:// or wss:// URL", AMP_E_FORMAT);
    if (st->secure_url[0] && (amp_url_parse(amp_text_of(st->secure_url), &url) < 0 || !url.tls))
        return wrong(fault, "secure_url", "not a wss:// URL", AMP_E_FORMAT);
    if (!st->identity[0])
        return wrong(fault, "identity", "empty", AMP_E_RANGE);
    if (strchr(st->identity, ':'))
        return wrong(fault, "identity", "a colon separates the password from it", AMP_E_FORMAT);
    return 0;
}

static uint32_t or_default(uint32_t value, uint32_t standard)
{
    return value ? value : standard;
}

static int copy_numbers(struct amp_station *st, const struct amp_station_config *config,
                        struct amp_fault *fault)
{
    if (config->connectors < 1 || config->connectors > AMP_CONNECTORS_MAX)
        return wrong(fault, "connectors", "not in 1..AMP_CONNECTORS_MAX", AMP_E_RANGE);
    st->connectors = config->connectors;
    for (int i = 1; i <= st->connectors; i++) {
        int32_t ma = config->max_current_ma[i];

        if (ma < 0 || (config->phases[i] != 0 && config->phases[i] != 1 && config->phases[i] != 3))
            return wrong(fault, "phases", "1 or 3 phases, and no negative current", AMP_E_RANGE);
        st->max_current_ma[i] = ma ? ma : 32000;
        st->phases[i] = config->phases[i] ? config->phases[i] : 3;
    }
    st->charge_before_accepted = config->charge_before_accepted;
    st->vendor_data = config->vendor_data;
    st->reconnect_first_s = or_default(config->reconnect_first_s, 5);
    st->reconnect_cap_s = or_default(config->reconnect_cap_s, 300);
    st->reconnect_attempts = or_default(config->reconnect_attempts, 10);
    st->reconnect_jitter_pct = or_default(config->reconnect_jitter_pct, 20);
    st->connect_timeout_s = or_default(config->connect_timeout_s, 30);
    if (config->unix_ms) {
        st->clock_known = true;
        st->clock_offset_ms = (int64_t)config->unix_ms - (int64_t)st->now;
    }
    return 0;
}

/* Nothing may flow until somebody is allowed to: whatever the contactors did before. */
static void safe_outputs(struct amp_station *st)
{
    for (int i = 1; i <= st->connectors; i++) {
        if (st->hw->permit && st->hw->permit(st->hw->ctx, i, false) < 0)
            amp_connector_fault(st, i, AMP_ERROR_SWITCH, AMP_NO_TEXT);
        if (st->hw->limit &&
            st->hw->limit(st->hw->ctx, i, st->max_current_ma[i], st->phases[i]) < 0)
            amp_connector_fault(st, i, AMP_ERROR_SWITCH, AMP_NO_TEXT);
        if (st->hw->indicate)
            st->hw->indicate(st->hw->ctx, i, st->con[i].status);
    }
}

static int restore(struct amp_station *st, struct amp_fault *fault)
{
    int rc = amp_journal_open(st);

    if (rc == 0) {
        st->boot_count++;
        rc = amp_boot_store(st);
    }
    if (rc == 0)
        rc = amp_tx_recover(st);
    if (rc < 0)
        return wrong(fault, "storage", amp_err_text(rc), rc);
    for (unsigned i = 0; i <= (unsigned)st->connectors; i++)
        st->con[i].cable_held = false;
    amp_reservation_poll(st); /* what is reserved says so before a car or a tag comes */
    amp_firmware_restart(st);
    amp_upload_restart(st);
    return 0;
}

int amp_station_init(void *mem, size_t len, const struct amp_station_config *config,
                     const struct amp_port *port, const struct amp_hardware *hw,
                     amp_event_fn *on_event, void *event_ctx, uint64_t now,
                     struct amp_station **out, struct amp_fault *fault)
{
    struct amp_fault unwanted;
    struct amp_station *st = mem;
    uint32_t random;
    int rc;

    if (!fault)
        fault = &unwanted;
    memset(fault, 0, sizeof(*fault));
    if (len < sizeof(*st))
        return wrong(fault, "mem", "too small", AMP_E_FULL);
    if (!port->random || !port->net_open || !port->net_send || !port->net_close)
        return wrong(fault, "port", "a function is missing", AMP_E_RANGE);
    memset(st, 0, sizeof(*st));
    st->port = port;
    st->hw = hw;
    st->on_event = on_event;
    st->event_ctx = event_ctx;
    st->now = st->started_at = now;
    st->dialect = &amp_station16;
    st->tag_sources = amp_tag_sources;
    st->queue.next = st->queue.head = 1;
    st->queue.next_local = 1;
    st->link.next_at = now;
    st->link.state = AMP_LINK_DOWN;
    st->boot_at = now;
    st->heartbeat_at_most = AMP_NEVER;
    amp_arena_init(&st->arena, st->arena_block, sizeof(st->arena_block));
    if ((rc = copy_texts(st, config, fault)) < 0 || (rc = copy_numbers(st, config, fault)) < 0 ||
        (rc = amp_config_init(st, config->settings, fault)) < 0)
        return rc;
    amp_connector_init(st);
    amp_list_init(st);
    amp_cache_init(st);
    amp_offer_init(st);
    if ((rc = restore(st, fault)) < 0)
        return rc;
    random = amp_random32(st);
    amp_rpc_init(&st->link.rpc, st->dialect->protocol, st->dialect->version, AMP_DOWN,
                 (uint64_t)st->boot_count << 32 | random);
    safe_outputs(st);
    amp_security_init(st);
    *out = st;
    return 0;
}

/* ---- time ---- */

static void advance(struct amp_station *st, uint64_t now)
{
    if (now > st->now)
        st->now = now;
}

uint32_t amp_station_poll(struct amp_station *st, uint64_t now)
{
    advance(st, now);
    st->wake = st->now + 3600000;
    if (st->dead)
        return 3600000;
    amp_connector_poll(st);
    amp_reservation_poll(st);
    amp_tx_poll(st);
    amp_metering_poll(st);
    amp_offer_poll(st);
    amp_firmware_poll(st);
    amp_upload_poll(st);
    amp_link_poll(st);
    amp_reset_poll(st);
    if (!st->dead)
        amp_pump(st);
    return (uint32_t)(st->wake - st->now);
}

void amp_station_transfer_done(struct amp_station *st, enum amp_errand errand, int rc, uint64_t now)
{
    advance(st, now);
    if (st->dead)
        return;
    if (errand == AMP_ERRAND_UPLOAD)
        amp_upload_done(st, rc);
    else
        amp_firmware_done(st, errand, rc);
}

/* ---- hardware events ---- */

int amp_station_plug(struct amp_station *st, int connector, bool plugged, uint64_t now)
{
    if (!amp_is_connector(st, connector))
        return AMP_E_RANGE;
    advance(st, now);
    if (!st->dead)
        amp_connector_plug(st, connector, plugged);
    return 0;
}

int amp_station_ev_ready(struct amp_station *st, int connector, bool wants_energy, uint64_t now)
{
    if (!amp_is_connector(st, connector))
        return AMP_E_RANGE;
    advance(st, now);
    st->con[connector].wants = wants_energy;
    if (!st->dead)
        amp_connector_energy(st, connector);
    return 0;
}

int amp_station_tag(struct amp_station *st, int connector, struct amp_text tag, uint64_t now)
{
    if (connector != 0 && !amp_is_connector(st, connector))
        return AMP_E_RANGE;
    advance(st, now);
    if (!st->dead)
        amp_auth_tag(st, connector, tag);
    return 0;
}

int amp_station_fault(struct amp_station *st, int connector, int error_code, struct amp_text info,
                      uint64_t now)
{
    if (connector != 0 && !amp_is_connector(st, connector))
        return AMP_E_RANGE;
    if (error_code < AMP_ERROR_LOCK || error_code > AMP_ERROR_SIGNAL)
        return AMP_E_VALUE;
    advance(st, now);
    if (!st->dead)
        amp_connector_fault(st, connector, error_code, amp_text_utf8(info) ? info : AMP_NO_TEXT);
    return 0;
}

int amp_station_fault_over(struct amp_station *st, int connector, int error_code, uint64_t now)
{
    if (connector != 0 && !amp_is_connector(st, connector))
        return AMP_E_RANGE;
    if (error_code < AMP_ERROR_LOCK || error_code > AMP_ERROR_SIGNAL ||
        error_code == AMP_ERROR_NONE)
        return AMP_E_VALUE;
    advance(st, now);
    if (!st->dead)
        amp_connector_fault_over(st, connector, error_code);
    return 0;
}

int amp_station_stop(struct amp_station *st, int connector, int reason, uint64_t now)
{
    if (!amp_is_connector(st, connector))
        return AMP_E_RANGE;
    if (reason < AMP_STOP_EMERGENCY || reason > AMP_STOP_DEAUTHORIZED)
        return AMP_E_VALUE;
    advance(st, now);
    return st->dead ? AMP_E_STATE : amp_tx_stop(st, connector, (enum amp_reason)reason, NULL);
}
