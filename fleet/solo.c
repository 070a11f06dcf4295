/* fleet/solo.c - a story, its cars, its lines. The station's side of everything stands in station/.
 */
#include "fleet/solo.h"
#include "fleet/faults.h"
#include "messages/ocpp16.h"
#include "ocpp/http1.h"
#include "ocpp/time.h"

#include <inttypes.h>
#include <stdlib.h>

/* What goes on at one connector. Times are the device's; 0: not set. */
struct visit {
    bool session, stopping;
    uint64_t charging_since, leave_at, arrive_at;
    int64_t meter_start_wh, transaction;
    char tag[21];
    enum amp_status status;
};

struct solo {
    struct posix_loop *loop;
    struct solo_options options;
    struct amp_station_config config;
    struct posix_device *device;
    struct plant plant;
    struct faults faults;
    struct view view;
    struct ledger ledger;
    struct ledger_talk talk;
    struct posix_timer tick;
    struct posix_lookup *lookup;
    uint64_t begin, done_at, held_ms;
    unsigned next_step;
    uint32_t cars; /* so far: each has its own seed */
    struct visit visits[AMP_CONNECTORS_MAX + 1];
    struct solo_result result;
};

static const char *const status_names[] = {
    [AMP_AVAILABLE] = "Available",      [AMP_PREPARING] = "Preparing",
    [AMP_CHARGING] = "Charging",        [AMP_SUSPENDED_EVSE] = "SuspendedEVSE",
    [AMP_SUSPENDED_EV] = "SuspendedEV", [AMP_FINISHING] = "Finishing",
    [AMP_RESERVED] = "Reserved",        [AMP_UNAVAILABLE] = "Unavailable",
    [AMP_FAULTED] = "Faulted",
};

static uint64_t now_of(const struct solo *s)
{
    return posix_clock_now(&s->loop->clock);
}

static uint64_t story_ms(const struct solo *s)
{
    return now_of(s) - s->begin;
}

#define SAY(s, mood, what, ...) view_event(&(s)->view, story_ms(s), mood, what, __VA_ARGS__)

/* --- what the station tells
 * ------------------------------------------------------------------------------------------- */

static void on_link(struct solo *s, const struct amp_event *ev)
{
    if (ev->a == AMP_LINK_UP) {
        s->result.ever_up = true;
        SAY(s, VIEW_GOOD, "connected", "%.*s", AMP_FMT(s->config.url));
    } else if (ev->a == AMP_LINK_DOWN) {
        ledger_hang_up(&s->talk);
        SAY(s, VIEW_BAD, "offline", "no connection to %.*s; it will be tried again",
            AMP_FMT(s->config.url));
    } else if (ev->a == AMP_LINK_GIVEN_UP) {
        s->result.given_up = true;
        posix_stop(s->loop);
    }
}

static void on_boot(struct solo *s, const struct amp_event *ev)
{
    static const char *const names[] = { "none", "pending", "rejected", "accepted" };

    SAY(s, ev->a == AMP_BOOT_ACCEPTED ? VIEW_GOOD : VIEW_BAD, "boot",
        "%s by the central system, interval %" PRId64 " s",
        ev->a >= 0 && ev->a <= AMP_BOOT_ACCEPTED ? names[ev->a] : "?", ev->b);
}

static void on_status(struct solo *s, const struct amp_event *ev)
{
    const char *name = ev->a >= AMP_AVAILABLE && ev->a <= AMP_FAULTED ? status_names[ev->a] : "?";

    if (ev->connector < 1 || ev->connector > s->config.connectors)
        return; /* 0, the station as a whole, says nothing new to the eye */
    s->visits[ev->connector].status = (enum amp_status)ev->a;
    SAY(s,
        ev->a == AMP_CHARGING  ? VIEW_ENERGY
        : ev->a == AMP_FAULTED ? VIEW_BAD
                               : VIEW_PLAIN,
        "status", "connector %d: %s", ev->connector, name);
}

static void on_started(struct visit *v, const struct amp_event *ev)
{
    v->session = true;
    v->stopping = false;
    v->charging_since = v->leave_at = 0;
    v->transaction = 0;
    v->meter_start_wh = ev->a;
    amp_text_copy(v->tag, sizeof v->tag, ev->text);
}

static void on_stopped(struct solo *s, struct visit *v, const struct amp_event *ev)
{
    const struct bay *b = &s->plant.bays[ev->connector];
    char reason[24];
    struct view_session line = {
        .connector = ev->connector,
        .tag = v->tag,
        .reason = amp_text_copy(reason, sizeof reason, ev->text),
        .transaction = v->transaction,
        .energy_wh = ev->a - v->meter_start_wh,
        .soc_permille = b->occupied ? (int32_t)(b->vehicle.soc * 1000 + 0.5) : 0,
    };
    uint64_t ms = v->charging_since ? now_of(s) - v->charging_since : 0;

    if (v->session) {
        s->result.sessions++;
        line.seconds = (uint32_t)((ms + 500) / 1000);
        if (ms &&
            b->vehicle.kind) /* the meter of the demo's cars runs faster than the power says */
            line.average_w = (int32_t)((double)line.energy_wh * 3600e3 /
                                       vehicle_compression(b->vehicle.kind) / (double)ms);
        view_session(&s->view, story_ms(s), &line);
    }
    v->session = false;
    v->charging_since = 0;
    v->leave_at = b->occupied ? now_of(s) + SOLO_LEAVE_MS : 0;
}

static void on_remote(struct solo *s, const struct amp_event *ev)
{
    SAY(s, VIEW_PLAIN, "remote", "%.*s, connector %d", AMP_FMT(ev->text), ev->connector);
    if (!amp_text_is(ev->text, "RemoteStartTransaction") || ev->connector < 1 ||
        ev->connector > s->config.connectors)
        return;
    struct visit *v = &s->visits[ev->connector];

    if (v->leave_at) /* the car of the last session goes first */
        v->arrive_at = v->leave_at + SOLO_ARRIVE_MS;
    else if (!s->plant.bays[ev->connector].occupied)
        v->arrive_at = now_of(s) + SOLO_ARRIVE_MS;
}

static void on_message(struct solo *s, const struct amp_event *ev)
{
    ledger_frame(&s->ledger, &s->talk, s->config.identity, ev->a != 0, ev->text);
    if (s->options.trace)
        SAY(s, VIEW_PLAIN, ev->a ? "sent" : "received", "%.*s", AMP_FMT(ev->text));
}

/* Called from inside the station: nothing is handed in here, only remembered for the next tick. */
static void on_event(void *ctx, struct amp_station *st, const struct amp_event *ev)
{
    struct solo *s = ctx;
    struct visit *v = ev->connector >= 1 && ev->connector <= s->config.connectors
                          ? &s->visits[ev->connector]
                          : NULL;
    char when[AMP_TIME_TEXT_MAX];

    (void)st;
    switch (ev->kind) {
    case AMP_EVENT_LINK:
        on_link(s, ev);
        break;
    case AMP_EVENT_BOOT:
        on_boot(s, ev);
        break;
    case AMP_EVENT_STATUS:
        on_status(s, ev);
        break;
    case AMP_EVENT_AUTHORIZED:
        SAY(s, ev->a ? VIEW_GOOD : VIEW_BAD, ev->a ? "authorised" : "refused", "connector %d: %.*s",
            ev->connector, AMP_FMT(ev->text));
        break;
    case AMP_EVENT_STARTED:
        if (v)
            on_started(v, ev);
        break;
    case AMP_EVENT_BOUND:
        s->result.bound++;
        if (v)
            v->transaction = ev->a;
        SAY(s, VIEW_GOOD, "transaction", "connector %d: number %" PRId64, ev->connector, ev->a);
        break;
    case AMP_EVENT_STOPPED:
        if (v)
            on_stopped(s, v, ev);
        break;
    case AMP_EVENT_REMOTE:
        on_remote(s, ev);
        break;
    case AMP_EVENT_MESSAGE:
        on_message(s, ev);
        break;
    case AMP_EVENT_CLOCK:
        SAY(s, VIEW_PLAIN, "clock", "set by the central system to %s", amp_time_text(ev->a, when));
        break;
    case AMP_EVENT_OPERATOR:
        SAY(s, VIEW_BAD, "operator", "%.*s", AMP_FMT(ev->text));
        break;
    }
}

static void on_start(void *ctx, struct posix_device *d)
{
    struct solo *s = ctx;

    plant_announce(&s->plant, posix_device_station(d));
}

/* --- what the story does
 * ---------------------------------------------------------------------------------------------- */

static void on_resolved(void *ctx, const struct posix_address *list, int count, const char *why)
{
    struct solo *s = ctx;

    (void)list;
    s->lookup = NULL;
    if (count > 0)
        SAY(s, VIEW_GOOD, "network", "%.*s found, %d address%s", AMP_FMT(s->config.url), count,
            count > 1 ? "es" : "");
    else
        SAY(s, VIEW_BAD, "network", "%.*s: %s", AMP_FMT(s->config.url), why);
}

static void find_network(struct solo *s)
{
    struct posix_address list[POSIX_ADDRESSES_MAX];
    struct amp_url url;
    int count = amp_url_parse(s->config.url, &url);

    if (count == 0)
        count = posix_resolve(s->loop, url.host, url.port, on_resolved, s, list, &s->lookup);
    if (count != 0)
        on_resolved(s, list, count, "no usable address");
}

static void set_clock(struct solo *s)
{
    char when[AMP_TIME_TEXT_MAX];

    s->config.unix_ms = (uint64_t)posix_clock_unix_ms(&s->loop->clock);
    SAY(s, VIEW_GOOD, "clock", "%s", amp_time_text((int64_t)s->config.unix_ms, when));
}

static void start_station(struct solo *s)
{
    SAY(s, VIEW_PLAIN, "station", "%.*s starts with %d connector%s", AMP_FMT(s->config.identity),
        s->config.connectors, s->config.connectors > 1 ? "s" : "");
    s->result.failure = posix_device_start(s->device, &s->result.fault);
    if (s->result.failure < 0)
        posix_stop(s->loop);
}

static void arrive(struct solo *s, int connector, const char *kind)
{
    const struct vehicle_kind *k = s->options.vehicle ? s->options.vehicle : vehicle_find(kind);

    if (s->plant.bays[connector].occupied) {
        SAY(s, VIEW_BAD, "arrive", "connector %d is occupied", connector);
        return;
    }
    SAY(s, VIEW_PLUG, "plugged in", "connector %d: battery %d %%", connector,
        (int)(k->arrives * 100 + 0.5));
    s->visits[connector].leave_at = s->visits[connector].arrive_at = 0;
    if (plant_arrive(&s->plant, posix_device_station(s->device), connector, k,
                     s->options.seed + ++s->cars) < 0)
        return; /* cannot be: it is free */
    posix_device_touch(s->device);
}

static void leave(struct solo *s, int connector)
{
    s->visits[connector].leave_at = 0;
    if (!s->plant.bays[connector].occupied)
        return;
    SAY(s, VIEW_PLUG, "unplugged", "connector %d", connector);
    if (plant_leave(&s->plant, posix_device_station(s->device), connector) < 0)
        return; /* cannot be: somebody is there */
    posix_device_touch(s->device);
}

static void stop(struct solo *s, struct amp_station *st, int connector)
{
    s->visits[connector].stopping = true;
    if (amp_station_stop(st, connector, OCPP16_REASON_LOCAL, now_of(s)) < 0)
        SAY(s, VIEW_BAD, "stop", "connector %d: nothing to stop", connector);
    posix_device_touch(s->device);
}

static void done(struct solo *s)
{
    s->result.done = true;
    s->done_at = now_of(s);
    SAY(s, s->result.sessions >= s->result.expected ? VIEW_GOOD : VIEW_BAD, "complete",
        "%u of %u sessions%s", s->result.sessions, s->result.expected,
        s->options.exit_when_done ? ""
                                  : "; stays connected for remote start, remote stop and unlock");
}

static void play(struct solo *s, const struct scenario_step *step)
{
    struct amp_station *st = posix_device_station(s->device);
    int rc = 0;

    switch (step->action) {
    case SCENARIO_NETWORK:
        find_network(s);
        break;
    case SCENARIO_CLOCK:
        set_clock(s);
        break;
    case SCENARIO_START:
        start_station(s);
        break;
    case SCENARIO_ARRIVE:
        arrive(s, step->connector, step->word);
        break;
    case SCENARIO_TAG:
        if (st)
            rc = amp_station_tag(st, step->connector, amp_text_of(step->word), now_of(s));
        break;
    case SCENARIO_STOP:
        if (st)
            stop(s, st, step->connector);
        break;
    case SCENARIO_LEAVE:
        leave(s, step->connector);
        break;
    case SCENARIO_FAULT:
        if (st)
            rc = amp_station_fault(st, step->connector, scenario_fault_code(step->word),
                                   AMP_NO_TEXT, now_of(s));
        break;
    case SCENARIO_STICK:
    case SCENARIO_UNSTICK:
        s->plant.bays[step->connector].lock_stuck = step->action == SCENARIO_STICK;
        break;
    case SCENARIO_DONE:
        done(s);
        break;
    }
    if (rc < 0)
        SAY(s, VIEW_BAD, scenario_name(step->action), "connector %d: %s", step->connector,
            amp_err_text(rc));
    posix_device_touch(s->device);
}

/* --- the cars and their drivers
 * --------------------------------------------------------------------------------------- */

static void drive(struct solo *s, int c)
{
    struct visit *v = &s->visits[c];
    struct bay *b = &s->plant.bays[c];
    struct amp_station *st = posix_device_station(s->device);
    uint64_t now = now_of(s);

    if (v->session && !v->charging_since && vehicle_power_w(&b->vehicle) > 0)
        v->charging_since = now;
    if (s->options.by_hand)
        return;
    if (st && v->session && !v->stopping && b->occupied &&
        (vehicle_full(&b->vehicle) || (v->charging_since && !b->vehicle.kind->physics &&
                                       now - v->charging_since >= SCENARIO_CHARGE_MS)))
        stop(s, st, c);
    if (v->leave_at && now >= v->leave_at)
        leave(s, c);
    if (v->arrive_at && now >= v->arrive_at)
        arrive(s, c, c == 1 ? "demo-fast" : "demo-normal");
}

static void show_status(struct solo *s, int c)
{
    const struct visit *v = &s->visits[c];
    struct amp_reading r;

    if (!v->session || s->plant.hardware.meter(&s->plant, c, &r) < 0)
        return;
    view_status(&s->view, story_ms(s),
                &(struct view_status){
                    .connector = c,
                    .state = v->status ? status_names[v->status] : "",
                    .power_w = r.power_w,
                    .current_ma = r.current_ma[0],
                    .energy_wh = r.energy_wh - v->meter_start_wh,
                    .soc_permille = r.soc_permille,
                    .temperature_mc = r.temperature_mc,
                    .seconds = v->charging_since
                                   ? (uint32_t)((now_of(s) - v->charging_since + 500) / 1000)
                                   : 0,
                });
}

static bool flushed(struct solo *s)
{
    struct amp_station *st = posix_device_station(s->device);

    return (st && amp_station_queued(st) == 0) || now_of(s) - s->done_at >= SOLO_FLUSH_MS;
}

/* A driver shows the tag when the display says that the station is ready, and a story is over when
 * its sessions are: however slow the machine, the network or the other side. */
static bool must_wait(const struct solo *s, enum scenario_action action)
{
    const struct amp_station *st = posix_device_station(s->device);

    if (s->held_ms >= SOLO_HOLD_MS)
        return false;
    if (action == SCENARIO_TAG)
        return st && amp_station_boot(st) != AMP_BOOT_ACCEPTED;
    for (int c = 1; action == SCENARIO_DONE && c <= s->config.connectors; c++)
        if (s->visits[c].session || s->visits[c].leave_at)
            return true;
    return false;
}

/* Play what is due. While a step has to wait, the clock of the story stands. */
static void play_due(struct solo *s)
{
    const struct scenario *story = s->options.scenario;

    while (s->next_step < story->count) {
        const struct scenario_step *step = &story->steps[s->next_step];
        uint64_t t = story_ms(s);

        if (step->at_ms > t)
            return;
        if (must_wait(s, step->action)) {
            s->held_ms += t - step->at_ms;
            s->begin += t - step->at_ms;
            return;
        }
        s->next_step++;
        play(s, step);
    }
}

/* What breaks and is repaired, and the cars. */
static void advance(struct solo *s)
{
    struct amp_station *st = posix_device_station(s->device);
    bool told = s->options.faults_s && faults_step(&s->faults, st);

    told |= plant_step(&s->plant, st);
    if (told)
        posix_device_touch(s->device);
}

static void on_fault(void *ctx, uint64_t at_ms, int connector, enum faults_kind kind, bool broken)
{
    struct solo *s = ctx;

    (void)at_ms;
    SAY(s, broken ? VIEW_BAD : VIEW_GOOD, broken ? "breaks" : "repaired", "connector %d: %s",
        connector, faults_name(kind));
}

static void on_tick(void *ctx)
{
    struct solo *s = ctx;
    uint64_t t, before; /* when it should have been */

    play_due(s);
    t = story_ms(s);
    before = s->tick.due_ms > s->begin ? s->tick.due_ms - s->begin : 0;
    advance(s);
    for (int c = 1; c <= s->config.connectors; c++) {
        if (before >= PLANT_STEP_MS &&
            (before - PLANT_STEP_MS) / SOLO_STATUS_MS != t / SOLO_STATUS_MS)
            show_status(s, c);
        drive(s, c);
    }
    if (s->result.done && s->options.exit_when_done && flushed(s))
        posix_stop(s->loop);
    if (posix_device_failure(s->device) < 0) {
        s->result.failure = posix_device_failure(s->device);
        posix_stop(s->loop);
    }
    /* On the grid of the story, so that "T+10" is T+10.0; late rounds are not made up for. */
    posix_timer_set(s->loop, &s->tick, s->begin + (t / PLANT_STEP_MS + 1) * PLANT_STEP_MS);
}

static const struct scenario_step only_start[] = { { 0, SCENARIO_CLOCK, 0, "" },
                                                   { 0, SCENARIO_START, 0, "" } };
static const struct scenario no_story = { only_start, AMP_COUNT(only_start) };

int solo_open(struct posix_loop *l, const struct solo_options *o, struct solo **out)
{
    struct solo *s = calloc(1, sizeof *s);
    struct posix_device_options device = { .on_event = on_event, .on_start = on_start, .ctx = s };
    int rc;

    if (!s)
        return AMP_E_IO;
    s->loop = l;
    s->options = *o;
    s->config = *o->config;
    s->begin = posix_clock_now(&l->clock);
    if (!o->scenario)
        s->options.scenario = &no_story;
    for (unsigned i = 0; i < s->options.scenario->count; i++)
        s->result.expected += s->options.scenario->steps[i].action == SCENARIO_TAG;
    view_open(&s->view, o->out);
    plant_init(&s->plant, &s->config, &l->clock, o->seed);
    faults_init(&s->faults, &s->plant, o->faults_s, SOLO_BROKEN_S, o->seed);
    s->faults.on_change = on_fault;
    s->faults.ctx = s;
    rc = ledger_open(&s->ledger, o->ledger_path);
    if (rc < 0)
        goto fail;
    device.config = &s->config;
    device.hardware = &s->plant.hardware;
    device.data_dir = o->data_dir;
    device.files = o->data_dir != NULL;
    device.central_ca_file = o->ca_file;
    device.cert_file = o->cert_file;
    device.key_file = o->key_file;
    device.certificates = o->data_dir || o->ca_file || o->cert_file;
    device.log_level = o->log_level;
    rc = posix_device_open(l, &device, &s->device);
    if (rc < 0)
        goto fail_ledger;
    if (o->data_dir && (rc = plant_keep(&s->plant, o->data_dir, s->config.identity)) < 0)
        goto fail_device;
    s->tick.fire = on_tick;
    s->tick.ctx = s;
    posix_timer_set(l, &s->tick, s->begin);
    *out = s;
    return 0;
fail_device:
    posix_device_close(s->device);
fail_ledger:
    ledger_close(&s->ledger);
fail:
    free(s);
    return rc;
}

void solo_result(struct solo *s, struct solo_result *out)
{
    struct amp_station *st = posix_device_station(s->device);

    *out = s->result;
    out->queued = st ? amp_station_queued(st) : 0;
}

void solo_close(struct solo *s)
{
    if (s->lookup)
        posix_resolve_cancel(s->lookup);
    posix_timer_clear(s->loop, &s->tick);
    posix_device_close(s->device);
    plant_close(&s->plant);
    ledger_hang_up(&s->talk);
    ledger_close(&s->ledger);
    free(s);
}

/* --- by hand */

int solo_arrive(struct solo *s, int connector)
{
    if (s->plant.bays[connector].occupied)
        return AMP_E_STATE;
    arrive(s, connector, connector == 1 ? "demo-fast" : "demo-normal");
    return 0;
}

int solo_leave(struct solo *s, int connector)
{
    if (!s->plant.bays[connector].occupied)
        return AMP_E_STATE;
    leave(s, connector);
    return 0;
}

void solo_cut(struct solo *s)
{
    SAY(s, VIEW_BAD, "power", "cut; it is back in %d s", POSIX_BOOT_MS / 1000);
    ledger_hang_up(&s->talk);
    for (int c = 1; c <= s->config.connectors; c++)
        s->visits[c] = (struct visit){ .session = false };
    posix_device_cut(s->device);
}

struct posix_device *solo_device(struct solo *s)
{
    return s->device;
}

int64_t solo_energy_wh(const struct solo *s, int connector)
{
    return plant_energy_wh(&s->plant, connector);
}

const char *solo_status_name(enum amp_status status)
{
    return status >= AMP_AVAILABLE && status <= AMP_FAULTED ? status_names[status] : "unknown";
}
