/* fleet/real.c - see real.h. */
#include "fleet/real.h"

#ifdef AMP_HAVE_LINUX

#include "ocpp/time.h"
#include "ports/linux/wallbox.h"

#include <inttypes.h>
#include <stdlib.h>

#define FILE_MAX 65536

struct session {
    bool open;
    uint64_t since;
    int64_t start_wh, transaction;
    enum amp_status status;
};

struct real {
    struct posix_loop *loop;
    struct real_options options;
    struct posix_device *device;
    struct wallbox_map map;
    struct wallbox *wallbox;
    struct view view;
    struct ledger ledger;
    struct ledger_talk talk;
    struct posix_timer tick;
    uint64_t begin;
    struct session sessions[AMP_CONNECTORS_MAX + 1];
    struct real_result result;
    char buses[256]; /* as last shown */
};

static const char *const status_names[] = {
    [AMP_AVAILABLE] = "Available",      [AMP_PREPARING] = "Preparing",
    [AMP_CHARGING] = "Charging",        [AMP_SUSPENDED_EVSE] = "SuspendedEVSE",
    [AMP_SUSPENDED_EV] = "SuspendedEV", [AMP_FINISHING] = "Finishing",
    [AMP_RESERVED] = "Reserved",        [AMP_UNAVAILABLE] = "Unavailable",
    [AMP_FAULTED] = "Faulted",
};

static uint64_t age(const struct real *r)
{
    return posix_clock_now(&r->loop->clock) - r->begin;
}

#define SAY(r, mood, what, ...) view_event(&(r)->view, age(r), mood, what, __VA_ARGS__)

/* ---- what the station tells ---- */

static void on_link(struct real *r, const struct amp_event *ev)
{
    if (ev->a == AMP_LINK_UP) {
        r->result.ever_up = true;
        SAY(r, VIEW_GOOD, "connected", "%.*s", AMP_FMT(r->options.config.url));
    } else if (ev->a == AMP_LINK_DOWN) {
        ledger_hang_up(&r->talk);
        SAY(r, VIEW_BAD, "offline", "no connection to %.*s; it will be tried again",
            AMP_FMT(r->options.config.url));
    } else if (ev->a == AMP_LINK_GIVEN_UP) {
        r->result.given_up = true;
        posix_stop(r->loop);
    }
}

static void on_session(struct real *r, struct session *s, const struct amp_event *ev)
{
    if (ev->kind == AMP_EVENT_STARTED) {
        *s = (struct session){
            .open = true, .since = age(r), .start_wh = ev->a, .status = s->status
        };
        SAY(r, VIEW_ENERGY, "started", "connector %d: %.*s, meter %" PRId64 " Wh", ev->connector,
            AMP_FMT(ev->text), ev->a);
    } else if (ev->kind == AMP_EVENT_BOUND) {
        s->transaction = ev->a;
        SAY(r, VIEW_GOOD, "transaction", "connector %d: number %" PRId64, ev->connector, ev->a);
    } else {
        r->result.sessions += s->open;
        SAY(r, VIEW_ENERGY, "stopped", "connector %d: %.*s, %" PRId64 " Wh", ev->connector,
            AMP_FMT(ev->text), s->open ? ev->a - s->start_wh : 0);
        s->open = false;
    }
}

/* Called from inside the station: nothing is handed in here. */
static void on_event(void *ctx, struct amp_station *st, const struct amp_event *ev)
{
    struct real *r = ctx;
    char when[AMP_TIME_TEXT_MAX];

    (void)st;
    switch (ev->kind) {
    case AMP_EVENT_LINK:
        on_link(r, ev);
        break;
    case AMP_EVENT_BOOT:
        SAY(r, ev->a == AMP_BOOT_ACCEPTED ? VIEW_GOOD : VIEW_BAD, "boot",
            "%s by the central system, interval %" PRId64 " s",
            ev->a == AMP_BOOT_ACCEPTED ? "accepted" : "not yet accepted", ev->b);
        break;
    case AMP_EVENT_STATUS:
        if (ev->connector < 1 || ev->connector > r->map.connectors)
            break;
        r->sessions[ev->connector].status = (enum amp_status)ev->a;
        SAY(r, ev->a == AMP_FAULTED ? VIEW_BAD : VIEW_PLAIN, "status", "connector %d: %s",
            ev->connector, status_names[ev->a]);
        break;
    case AMP_EVENT_AUTHORIZED:
        SAY(r, ev->a ? VIEW_GOOD : VIEW_BAD, ev->a ? "authorised" : "refused", "connector %d: %.*s",
            ev->connector, AMP_FMT(ev->text));
        break;
    case AMP_EVENT_STARTED:
    case AMP_EVENT_BOUND:
    case AMP_EVENT_STOPPED:
        if (ev->connector >= 1 && ev->connector <= r->map.connectors)
            on_session(r, &r->sessions[ev->connector], ev);
        break;
    case AMP_EVENT_REMOTE:
        SAY(r, VIEW_PLAIN, "remote", "%.*s, connector %d", AMP_FMT(ev->text), ev->connector);
        break;
    case AMP_EVENT_MESSAGE:
        ledger_frame(&r->ledger, &r->talk, r->options.config.identity, ev->a != 0, ev->text);
        if (r->options.trace)
            SAY(r, VIEW_PLAIN, ev->a ? "sent" : "received", "%.*s", AMP_FMT(ev->text));
        break;
    case AMP_EVENT_CLOCK:
        SAY(r, VIEW_PLAIN, "clock", "set by the central system to %s", amp_time_text(ev->a, when));
        break;
    case AMP_EVENT_OPERATOR:
        SAY(r, VIEW_BAD, "operator", "%.*s", AMP_FMT(ev->text));
        break;
    default:
        break;
    }
}

static void on_start(void *ctx, struct posix_device *d)
{
    struct real *r = ctx;

    (void)d;
    wallbox_announce(r->wallbox);
}

/* ---- the hardware's news ---- */

static void show_buses(struct real *r)
{
    char now[sizeof r->buses];

    wallbox_status(r->wallbox, now, sizeof now);
    if (!strcmp(now, r->buses))
        return;
    strcpy(r->buses, now);
    SAY(r, strstr(now, "no connection") ? VIEW_BAD : VIEW_GOOD, "hardware", "%s", now);
}

static void show_status(struct real *r, int c)
{
    const struct amp_hardware *hw = wallbox_hardware(r->wallbox);
    const struct session *s = &r->sessions[c];
    struct amp_reading m;

    if (!s->open || hw->meter(hw->ctx, c, &m) < 0)
        return;
    view_status(&r->view, age(r),
                &(struct view_status){
                    .connector = c,
                    .state = s->status ? status_names[s->status] : "",
                    .power_w = m.power_w,
                    .current_ma = m.current_ma[0],
                    .energy_wh = m.energy_wh - s->start_wh,
                    .soc_permille = m.soc_permille,
                    .temperature_mc = m.temperature_mc,
                    .seconds = (uint32_t)((age(r) - s->since) / 1000),
                });
}

static void on_tick(void *ctx)
{
    struct real *r = ctx;
    struct amp_station *st = posix_device_station(r->device);
    uint64_t now = posix_clock_now(&r->loop->clock), t = now - r->begin;

    if (st && wallbox_step(r->wallbox, st, now))
        posix_device_touch(r->device);
    show_buses(r);
    for (int c = 1; c <= r->map.connectors; c++)
        if (t / REAL_STATUS_MS != (t + REAL_STEP_MS) / REAL_STATUS_MS)
            show_status(r, c);
    if (posix_device_failure(r->device) < 0) {
        r->result.failure = posix_device_failure(r->device);
        posix_stop(r->loop);
    }
    posix_timer_set(r->loop, &r->tick, r->begin + (t / REAL_STEP_MS + 1) * REAL_STEP_MS);
}

/* ---- life ---- */

static int load(struct real *r, unsigned *line, const char **why)
{
    static const char kind[] = "modbus:";
    const char *path = r->options.hardware + sizeof kind - 1;
    struct amp_text text;
    char *room;
    FILE *f;
    int rc;

    if (strncmp(r->options.hardware, kind, sizeof kind - 1) != 0) {
        *why = "only modbus:FILE is known";
        return AMP_E_FORMAT;
    }
    f = fopen(path, "r");
    if (!f)
        return AMP_E_ABSENT;
    room = malloc(FILE_MAX);
    if (!room) {
        fclose(f);
        return AMP_E_IO;
    }
    text = (struct amp_text){ room, (uint32_t)fread(room, 1, FILE_MAX, f) };
    fclose(f);
    rc = wallbox_map_parse(text, &r->map, line, why);
    free(room);
    for (int c = 1; rc == 0 && c <= r->map.connectors; c++) {
        r->options.config.connectors = r->map.connectors;
        r->options.config.max_current_ma[c] = r->map.connector[c].most_ma;
        r->options.config.phases[c] = r->map.connector[c].wired;
    }
    return rc;
}

static int start(struct real *r)
{
    struct posix_device_options device = {
        .config = &r->options.config,
        .hardware = wallbox_hardware(r->wallbox),
        .on_event = on_event,
        .on_start = on_start,
        .ctx = r,
        .data_dir = r->options.data_dir,
        .certificates = r->options.data_dir || r->options.ca_file || r->options.cert_file,
        .central_ca_file = r->options.ca_file,
        .cert_file = r->options.cert_file,
        .key_file = r->options.key_file,
        .log_level = r->options.log_level,
    };
    int rc = posix_device_open(r->loop, &device, &r->device);

    if (rc < 0)
        return rc;
    r->options.config.unix_ms = (uint64_t)posix_clock_unix_ms(&r->loop->clock);
    show_buses(r);
    r->result.failure = posix_device_start(r->device, &r->result.fault);
    if (r->result.failure < 0)
        posix_stop(r->loop);
    r->tick.fire = on_tick;
    r->tick.ctx = r;
    posix_timer_set(r->loop, &r->tick, r->begin);
    return 0;
}

int real_open(struct posix_loop *l, const struct real_options *o, struct real **out, unsigned *line,
              const char **why)
{
    struct real *r = calloc(1, sizeof *r);
    int rc;

    *line = 0;
    *why = "";
    if (!r)
        return AMP_E_IO;
    r->loop = l;
    r->options = *o;
    r->begin = posix_clock_now(&l->clock);
    view_open(&r->view, o->out);
    rc = load(r, line, why);
    if (rc < 0)
        goto fail;
    rc = ledger_open(&r->ledger, o->ledger_path);
    if (rc < 0)
        goto fail;
    rc = wallbox_open(&r->map, &r->wallbox);
    if (rc < 0)
        goto fail_ledger;
    rc = start(r);
    if (rc < 0)
        goto fail_wallbox;
    *out = r;
    return 0;
fail_wallbox:
    wallbox_close(r->wallbox);
fail_ledger:
    ledger_close(&r->ledger);
fail:
    free(r);
    return rc;
}

void real_result(struct real *r, struct real_result *out)
{
    struct amp_station *st = posix_device_station(r->device);

    *out = r->result;
    out->queued = st ? amp_station_queued(st) : 0;
}

struct posix_device *real_device(struct real *r)
{
    return r->device;
}

int real_connectors(const struct real *r)
{
    return r->map.connectors;
}

void real_close(struct real *r)
{
    posix_timer_clear(r->loop, &r->tick);
    posix_device_close(r->device);
    wallbox_close(r->wallbox);
    ledger_hang_up(&r->talk);
    ledger_close(&r->ledger);
    free(r);
}

#else

int real_open(struct posix_loop *l, const struct real_options *o, struct real **out, unsigned *line,
              const char **why)
{
    (void)l;
    (void)o;
    (void)out;
    *line = 0;
    *why = "this build has no Modbus: libmodbus was missing";
    return AMP_E_SUPPORT;
}

void real_result(struct real *r, struct real_result *out)
{
    (void)r;
    *out = (struct real_result){ 0 };
}

struct posix_device *real_device(struct real *r)
{
    (void)r;
    return NULL;
}

int real_connectors(const struct real *r)
{
    (void)r;
    return 0;
}

void real_close(struct real *r)
{
    (void)r;
}

#endif
