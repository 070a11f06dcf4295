/* fleet/crowd.c - many stations, each with a driver that comes and goes. */
#include "fleet/crowd.h"
#include "fleet/plant.h"
#include "messages/ocpp16.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define NAME_LEN  64
#define TICK_MS   1000
#define LEAVE_MS  1000
#define CONNECTOR 1

enum phase { IDLE, ARRIVED, TAGGED, CHARGING, LEAVING };

struct member {
    struct crowd *crowd;
    struct posix_device *device;
    struct amp_station_config config;
    struct plant plant;
    struct ledger_talk talk;
    struct posix_timer timer; /* not started: when to; else the next look */
    uint64_t phase_ends;
    uint32_t random;
    enum phase phase;
    bool started, up, accepted;
    char identity[NAME_LEN], tag[21];
};

struct crowd {
    struct posix_loop *loop;
    struct crowd_options options;
    struct ledger ledger;
    struct posix_timer report, end;
    uint64_t begin, last_report_ms, last_answered;
    bool draining;
    unsigned up, accepted, charging;
    bool ever_up;
    uint64_t sessions, refused, drops;
    int failure;
    struct member *members;
};

static uint64_t now_of(const struct crowd *w)
{
    return posix_clock_now(&w->loop->clock);
}

/* A duration in ms out of a range in seconds. */
static uint64_t draw(struct member *m, const int64_t range_s[2])
{
    uint64_t span = (uint64_t)(range_s[1] - range_s[0]) * 1000 + 1;

    return (uint64_t)range_s[0] * 1000 + vehicle_random(&m->random) % span;
}

/* `n` counts those for which something holds. */
static void recount(unsigned *n, bool was, bool is)
{
    if (is && !was)
        ++*n;
    else if (was && !is)
        --*n;
}

static void enter(struct member *m, enum phase phase, uint64_t after_ms)
{
    struct crowd *w = m->crowd;

    recount(&w->charging, m->phase == CHARGING, phase == CHARGING);
    m->phase = phase;
    m->phase_ends = now_of(w) + after_ms;
}

static void on_link(struct member *m, enum amp_link_state state)
{
    struct crowd *w = m->crowd;
    bool up = state == AMP_LINK_UP;

    if (m->up && !up) {
        w->drops++;
        ledger_hang_up(&m->talk);
    }
    recount(&w->up, m->up, up);
    m->up = up;
    w->ever_up = w->ever_up || up;
}

/* Called from inside the station: only remembers. */
static void on_event(void *ctx, struct amp_station *st, const struct amp_event *ev)
{
    struct member *m = ctx;
    struct crowd *w = m->crowd;

    (void)st;
    switch (ev->kind) {
    case AMP_EVENT_LINK:
        on_link(m, (enum amp_link_state)ev->a);
        break;
    case AMP_EVENT_BOOT:
        recount(&w->accepted, m->accepted, ev->a == AMP_BOOT_ACCEPTED);
        m->accepted = ev->a == AMP_BOOT_ACCEPTED;
        break;
    case AMP_EVENT_AUTHORIZED:
        if (!ev->a && m->phase == TAGGED) {
            w->refused++;
            enter(m, LEAVING, LEAVE_MS);
        }
        break;
    case AMP_EVENT_STARTED:
        enter(m, CHARGING, draw(m, w->options.charge_s));
        break;
    case AMP_EVENT_STOPPED:
        w->sessions++;
        enter(m, LEAVING, LEAVE_MS);
        break;
    case AMP_EVENT_MESSAGE:
        ledger_frame(&w->ledger, &m->talk, m->config.identity, ev->a != 0, ev->text);
        break;
    default:
        break;
    }
}

static void on_start(void *ctx, struct posix_device *d)
{
    struct member *m = ctx;

    plant_announce(&m->plant, posix_device_station(d));
}

static void leave(struct member *m, struct amp_station *st)
{
    if (plant_leave(&m->plant, st, CONNECTOR) < 0)
        return; /* nobody there: nothing to undo */
    enter(m, IDLE, draw(m, m->crowd->options.idle_s));
}

static void end_session(struct member *m, struct amp_station *st, uint64_t now)
{
    int rc;

    if (vehicle_random(&m->random) % 2)
        rc = amp_station_tag(st, CONNECTOR, amp_text_of(m->tag), now);
    else
        rc = amp_station_stop(st, CONNECTOR, OCPP16_REASON_LOCAL, now);
    if (rc < 0 && m->phase == CHARGING) /* it had ended already */
        enter(m, LEAVING, LEAVE_MS);
    else if (m->phase == CHARGING)
        m->phase_ends = now + CROWD_PATIENCE_S * 1000; /* if nothing came of it, once more */
}

/* The phase is over: what the driver does now. */
static void act(struct member *m, struct amp_station *st)
{
    static const int64_t walk_s[2] = { 1, 3 };
    struct crowd *w = m->crowd;
    uint64_t now = now_of(w);

    switch (m->phase) {
    case IDLE:
        if (!w->draining && plant_arrive(&m->plant, st, CONNECTOR, vehicle_find("commuter"),
                                         vehicle_random(&m->random)) == 0)
            enter(m, ARRIVED, draw(m, walk_s));
        break;
    case ARRIVED:
        enter(m, TAGGED, CROWD_PATIENCE_S * 1000);
        if (amp_station_tag(st, CONNECTOR, amp_text_of(m->tag), now) < 0 && m->phase == TAGGED) {
            w->refused++;
            enter(m, LEAVING, LEAVE_MS);
        }
        break;
    case TAGGED:
        w->refused++;
        leave(m, st);
        break;
    case CHARGING:
        end_session(m, st, now);
        break;
    case LEAVING:
        leave(m, st);
        break;
    }
}

static void start_member(struct member *m)
{
    struct crowd *w = m->crowd;
    struct amp_fault fault;
    int rc = posix_device_start(m->device, &fault);

    m->started = true;
    if (rc < 0) {
        fprintf(stderr, "%s: the station does not start: %s %s\n", m->identity, amp_err_text(rc),
                fault.path);
        w->failure = rc;
        posix_stop(w->loop);
        return;
    }
    enter(m, IDLE, draw(m, w->options.idle_s));
}

static void on_timer(void *ctx)
{
    struct member *m = ctx;
    struct crowd *w = m->crowd;
    struct amp_station *st;
    uint64_t now = now_of(w), next;

    if (!m->started)
        start_member(m);
    st = posix_device_station(m->device);
    if (st && now >= m->phase_ends) {
        act(m, st);
        posix_device_touch(m->device);
    }
    if (plant_step(&m->plant, st))
        posix_device_touch(m->device);
    next = now + TICK_MS;
    if (m->phase == IDLE && m->phase_ends > next)
        next = m->phase_ends; /* nobody there: nothing to look at until then */
    posix_timer_set(w->loop, &m->timer, next);
}

static unsigned queued(struct crowd *w)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < w->options.count; i++) {
        struct amp_station *st = posix_device_station(w->members[i].device);

        sum += st && w->members[i].started ? amp_station_queued(st) : 0;
    }
    return sum;
}

void crowd_report(struct crowd *w, const char *word)
{
    const struct ledger_stats *s = &w->ledger.stats;
    uint64_t now = now_of(w), ms = now - w->last_report_ms,
             answered = s->answered - w->last_answered;

    fprintf(w->options.out,
            "%s t_s=%" PRIu64 " stations=%u up=%u accepted=%u charging=%u sessions=%" PRIu64
            " refused=%" PRIu64 " sent=%" PRIu64 " answered=%" PRIu64 " errors=%" PRIu64
            " received=%" PRIu64 " starts=%" PRIu64 " stops=%" PRIu64 " meters=%" PRIu64
            " drops=%" PRIu64 " queued=%u rate_per_s=%" PRIu64 " p50_us=%" PRIu64 " p99_us=%" PRIu64
            " max_us=%" PRIu64 "\n",
            word, (now - w->begin) / 1000, w->options.count, w->up, w->accepted, w->charging,
            w->sessions, w->refused, s->sent, s->answered, s->refused, s->received, s->starts,
            s->stops, s->meters, w->drops, queued(w), ms ? answered * 1000 / ms : 0,
            ledger_quantile_us(s, 500), ledger_quantile_us(s, 990), ledger_quantile_us(s, 1000));
    fflush(w->options.out);
    w->last_report_ms = now;
    w->last_answered = s->answered;
}

static void on_report(void *ctx)
{
    struct crowd *w = ctx;

    crowd_report(w, "fleet");
    posix_timer_set(w->loop, &w->report, now_of(w) + w->options.report_s * 1000);
}

/* First the end of the day: all sessions end. Then, once a second, whether everything is
 * acknowledged. */
static void on_end(void *ctx)
{
    struct crowd *w = ctx;
    uint64_t now = now_of(w);

    if (!w->draining) {
        w->draining = true;
        for (unsigned i = 0; i < w->options.count; i++) {
            struct member *m = &w->members[i];

            if (m->started && m->phase != IDLE)
                m->phase_ends = now;
        }
    } else if ((w->charging == 0 && queued(w) == 0) ||
               now - w->begin >= (uint64_t)(w->options.duration_s + CROWD_DRAIN_S) * 1000) {
        posix_stop(w->loop);
        return;
    }
    posix_timer_set(w->loop, &w->end, now + TICK_MS);
}

static void name_member(struct member *m, unsigned number)
{
    const struct crowd_options *o = &m->crowd->options;
    int width = o->count > 99999 ? 6 : o->count > 9999 ? 5 : o->count > 999 ? 4 : 3;

    snprintf(m->identity, sizeof m->identity, "%s%0*u", o->prefix, width, number);
    snprintf(m->tag, sizeof m->tag, "%s%0*u", o->tag_prefix, width, number);
    m->config = (struct amp_station_config){
        .url = amp_text_of(o->url),
        .identity = amp_text_of(m->identity),
        .password = amp_text_of(o->password),
        .vendor = AMP_TEXT("Amperstand"),
        .model = AMP_TEXT("Fleet"),
        .firmware = AMP_TEXT(AMP_VERSION),
        .connectors = CONNECTOR,
        .max_current_ma = { 0, 16000 },
        .phases = { 0, 3 },
        .reconnect_first_s = (uint32_t)o->reconnect_s[0],
        .reconnect_cap_s = (uint32_t)o->reconnect_s[1],
        .reconnect_attempts = UINT32_MAX,
        .reconnect_jitter_pct = 50, /* a thousand stations must not come back in one moment */
        .unix_ms = (uint64_t)posix_clock_unix_ms(&m->crowd->loop->clock),
        .settings = o->settings,
    };
}

static int open_member(struct crowd *w, unsigned i)
{
    struct member *m = &w->members[i];
    struct posix_device_options device = {
        .config = &m->config,
        .hardware = &m->plant.hardware,
        .on_event = on_event,
        .on_start = on_start,
        .ctx = m,
        .data_dir = w->options.data_dir,
        .block_size = CROWD_BLOCK_SIZE,
        .block_count = CROWD_BLOCK_COUNT,
        .log_level = w->options.log_level,
    };
    int rc;

    m->crowd = w;
    m->random = w->options.seed * 2654435761u + i + 1;
    for (int k = 0; k < 8; k++)
        vehicle_random(&m->random);
    name_member(m, i + 1);
    plant_init(&m->plant, &m->config, &w->loop->clock, vehicle_random(&m->random));
    rc = posix_device_open(w->loop, &device, &m->device);
    if (rc == 0 && w->options.data_dir)
        rc = plant_keep(&m->plant, w->options.data_dir, m->config.identity);
    if (rc < 0)
        return rc == AMP_E_IO && errno == EMFILE ? AMP_E_FULL : rc;
    m->timer.fire = on_timer;
    m->timer.ctx = m;
    posix_timer_set(w->loop, &m->timer, w->begin + (uint64_t)i * 1000 / w->options.rate);
    return 0;
}

int crowd_open(struct posix_loop *l, const struct crowd_options *o, struct crowd **out)
{
    struct crowd *w = calloc(1, sizeof *w);
    int rc = AMP_E_IO;

    if (!w)
        return AMP_E_IO;
    w->loop = l;
    w->options = *o;
    w->ledger.fd = -1;
    w->begin = w->last_report_ms = posix_clock_now(&l->clock);
    w->members = calloc(o->count, sizeof *w->members);
    if (!w->members)
        goto fail;
    rc = ledger_open(&w->ledger, o->ledger_path);
    for (unsigned i = 0; i < o->count && rc == 0; i++)
        rc = open_member(w, i);
    if (rc < 0)
        goto fail;
    w->report.fire = on_report;
    w->end.fire = on_end;
    w->report.ctx = w->end.ctx = w;
    posix_timer_set(l, &w->report, w->begin + o->report_s * 1000);
    if (o->duration_s)
        posix_timer_set(l, &w->end, w->begin + (uint64_t)o->duration_s * 1000);
    *out = w;
    return 0;
fail:
    crowd_close(w);
    return rc;
}

void crowd_result(struct crowd *w, struct crowd_result *out)
{
    *out = (struct crowd_result){
        .up = w->up,
        .accepted = w->accepted,
        .queued = queued(w),
        .ever_up = w->ever_up,
        .ledger_failed = w->ledger.failed,
        .sessions = w->sessions,
        .refused = w->refused,
        .stats = w->ledger.stats,
    };
}

void crowd_close(struct crowd *w)
{
    for (unsigned i = 0; w->members && i < w->options.count; i++) {
        struct member *m = &w->members[i];

        posix_timer_clear(w->loop, &m->timer);
        if (m->device)
            posix_device_close(m->device);
        plant_close(&m->plant);
        ledger_hang_up(&m->talk);
    }
    posix_timer_clear(w->loop, &w->report);
    posix_timer_clear(w->loop, &w->end);
    ledger_close(&w->ledger);
    free(w->members);
    free(w);
}
