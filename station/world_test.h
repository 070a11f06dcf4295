/* station/world_test.h - a world for a station: ports/mem, cars and contactors that obey (or not),
 * a clock that is turned, and a central system that answers, keeps silent or refuses as the test
 * says. Every frame of the station is checked against the strict definitions. What was said is kept
 * as a trace: "Boot S0:Available S1:Available Auth Start1 S1:Charging". */
#ifndef AMP_WORLD_TEST_H
#define AMP_WORLD_TEST_H

#include "station/world_central_test.h"

/* ---- cars and contactors ---- */

static inline int world_permit(void *ctx, int c, bool on)
{
    struct world *w = ctx;

    if (w->car[c].permit_fails)
        return AMP_E_IO;
    w->car[c].permitted = on;
    return 0;
}

static inline int world_lock(void *ctx, int c, bool on)
{
    struct world *w = ctx;

    if (w->car[c].lock_fails)
        return AMP_E_IO;
    if (!w->car[c].lock_sticks)
        w->car[c].locked = on;
    return 0;
}

static inline int world_locked(void *ctx, int c)
{
    return ((struct world *)ctx)->car[c].locked;
}

static inline int world_meter(void *ctx, int c, struct amp_reading *out)
{
    const struct world_car *car = &((struct world *)ctx)->car[c];
    bool flows = car->permitted && car->plugged && car->wants;

    if (car->meter_fails)
        return AMP_E_IO;
    out->has =
        AMP_HAS_POWER | AMP_HAS_CURRENT | AMP_HAS_VOLTAGE | AMP_HAS_TEMPERATURE | AMP_HAS_SOC;
    out->energy_wh = 1000000 * c + (int64_t)(car->energy_mj / 3600000);
    out->power_w = flows ? car->power_w : 0;
    out->phases = c == 1 ? 3 : 1;
    for (int i = 0; i < out->phases; i++) {
        out->voltage_mv[i] = 230100;
        out->current_ma[i] = flows ? 16000 + i : 0;
    }
    out->temperature_mc = 25400;
    out->soc_permille = 205;
    return 0;
}

static inline void world_pass(struct world *w, uint64_t ms)
{
    w->now += ms;
    for (int c = 1; c <= AMP_CONNECTORS_MAX; c++)
        if (w->car[c].permitted && w->car[c].plugged && w->car[c].wants)
            w->car[c].energy_mj += (uint64_t)w->car[c].power_w * ms;
}

/* Let time pass, deadline by deadline. */
static inline void world_run(struct world *w, uint64_t ms)
{
    uint64_t until = w->now + ms;

    for (;;) {
        uint64_t wait = world_settle(w);

        if (w->now >= until)
            return;
        if (wait == 0)
            wait = 1;
        world_pass(w, w->now + wait > until ? until - w->now : wait);
    }
}

/* ---- life ---- */

static inline void world_event(void *ctx, struct amp_station *st, const struct amp_event *ev)
{
    struct world *w = ctx;

    (void)st;
    w->events[ev->kind]++;
    w->started += ev->kind == AMP_EVENT_STARTED;
    if (ev->kind == AMP_EVENT_STATUS && ev->connector == 1) {
        size_t n = strlen(w->moves);

        snprintf(w->moves + n, sizeof(w->moves) - n, "%s%.*s", n ? " " : "", AMP_FMT(ev->text));
    }
    if (ev->kind == AMP_EVENT_MESSAGE)
        for (uint32_t i = 0; i + 8 <= ev->text.len; i++)
            w->secrets += memcmp(ev->text.at + i, "c0ffee00", 8) == 0;
}

/* Start the station on what its flash holds. */
static inline int world_boot(struct world *w)
{
    struct amp_fault fault;
    int rc;

    w->up = w->half_up = false;
    w->in_len = w->in_done = 0;
    for (int c = 1; c <= AMP_CONNECTORS_MAX; c++)
        w->car[c].permitted = false; /* contactors fall open without power */
    rc = amp_station_init(w->memory, amp_station_size(), &w->config, &w->mem.port, &w->hw,
                          world_event, w, w->now, &w->st, &fault);
    for (int c = 1; rc == 0 && c <= w->config.connectors; c++)
        if (w->car[c].plugged) {
            CHECK(amp_station_plug(w->st, c, true, w->now) == 0, "plug");
            CHECK(amp_station_ev_ready(w->st, c, w->car[c].wants, w->now) == 0, "ready");
        }
    return rc;
}

static inline void world_log(void *ctx, enum amp_log_level level, const char *text)
{
    struct world *w = ctx;

    (void)level;
    snprintf(w->log, sizeof(w->log), "%s", text);
}

static inline void world_defaults(struct world *w)
{
    memset(w, 0, sizeof(*w));
    mem_init(&w->mem, 42);
    w->mem.on_log = world_log;
    w->mem.log_ctx = w;
    w->now = 1000;
    w->boot_interval = 300;
    w->next_id = 1001;
    w->hw = (struct amp_hardware){ .ctx = w,
                                   .permit = world_permit,
                                   .lock = world_lock,
                                   .locked = world_locked,
                                   .meter = world_meter };
    w->config = (struct amp_station_config){ .url = AMP_TEXT("ws://central.test:8180/ocpp"),
                                             .identity = AMP_TEXT("CP 001"),
                                             .vendor = AMP_TEXT("Amperstand"),
                                             .model = AMP_TEXT("Two"),
                                             .connectors = 2,
                                             .reconnect_jitter_pct = 1 };
    for (int c = 1; c <= AMP_CONNECTORS_MAX; c++)
        w->car[c].power_w = 7400 * c;
    w->memory = aligned_alloc(16, (amp_station_size() + 15) / 16 * 16);
}

static inline void world_open(struct world *w)
{
    world_defaults(w);
    CHECK(world_boot(w) == 0, "a station starts");
}

static inline void world_close(struct world *w)
{
    CHECK(w->mem.bad_writes == 0, "%u writes to space that was not erased", w->mem.bad_writes);
    free(w->memory);
}

/* The power comes back after a cut. */
static inline void world_power(struct world *w)
{
    mem_restart(&w->mem);
    CHECK(world_boot(w) == 0, "the station starts again");
}

/* The network goes: the station is told, unless the socket is only dead. */
static inline void world_hang_up(struct world *w)
{
    bool was = w->mem.open || w->mem.opening;

    w->mem.open = w->mem.opening = w->up = w->half_up = false;
    w->mem.wire_len = 0;
    if (was)
        amp_station_closed(w->st, w->now);
}

/* ---- doing things ---- */

static inline void world_plug(struct world *w, int c, bool on)
{
    w->car[c].plugged = on;
    w->car[c].wants = on;
    CHECK(amp_station_plug(w->st, c, on, w->now) == 0, "plug");
    if (on)
        CHECK(amp_station_ev_ready(w->st, c, true, w->now) == 0, "ready");
    world_settle(w);
}

static inline void world_tag(struct world *w, int c, const char *tag)
{
    CHECK(amp_station_tag(w->st, c, amp_text_of(tag), w->now) == 0, "tag");
    world_settle(w);
}

/* A call of the central system; the answer's payload, "!Code", or "". */
static inline const char *world_call(struct world *w, const char *action, const char *payload)
{
    char frame[4096];

    w->asked = amp_message_find(&ocpp16, amp_text_of(action));
    w->reply[0] = 0;
    snprintf(frame, sizeof(frame), "[2,\"c%u\",\"%s\",%s]", ++w->call_no, action, payload);
    if (w->up)
        world_say(w, frame);
    world_settle(w);
    w->asked = NULL;
    return w->reply;
}

static inline void world_set(struct world *w, const char *key, const char *value)
{
    char payload[700];

    snprintf(payload, sizeof(payload), "{\"key\":\"%s\",\"value\":\"%s\"}", key, value);
    CHECK(!strcmp(world_call(w, "ChangeConfiguration", payload), "{\"status\":\"Accepted\"}"),
          "%s=%s: %s", key, value, w->reply);
}

static inline enum amp_status world_status(struct world *w, int c)
{
    struct amp_connector_info info;

    CHECK(amp_station_connector(w->st, c, &info) == 0, "connector");
    return info.status;
}

#define CHECK_TRACE(w, expected) \
    CHECK(!strcmp((w)->trace, expected), "trace:\n  is   %s\n  want %s", (w)->trace, expected)
#define CHECK_MOVES(w, expected) \
    CHECK(!strcmp((w)->moves, expected), "moves: is %s, want %s", (w)->moves, expected)

#endif
