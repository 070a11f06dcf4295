/* station/world_test.h - a world for a station: ports/mem, cars and contactors that obey (or not),
 * a clock that is turned, and a central system that answers, keeps silent or refuses as the test
 * says. Every frame of the station is checked against the strict definitions. What was said is kept
 * as a trace: "Boot S0:Available S1:Available Auth Start1 S1:Charging". */
#ifndef AMP_WORLD_TEST_H
#define AMP_WORLD_TEST_H

#include "messages/ocpp16.h"
#include "ocpp/check.h"
#include "ocpp/http1.h"
#include "ocpp/rpc.h"
#include "ocpp/time.h"
#include "ocpp/ws.h"
#include "ports/mem/mem.h"
#include "station/impl.h"
#include <stdlib.h>

#define UNIX0 1750000000000 /* wall clock at now == 0 */

struct world_car {
    bool plugged, wants, permitted, locked;
    bool permit_fails, lock_fails, meter_fails, lock_sticks;
    int32_t power_w;
    uint64_t energy_mj;
};

struct world_tx { /* what the central system has on file */
    int64_t id, start_wh, stop_wh;
    int connector;
    char tag[24], started[32], stopped[32], reason[24], stop_tag[24];
    unsigned starts, stops, meters;
    bool unknown; /* made of a stop with id -1 */
    bool reserved;
    int64_t reservation;
};

struct world {
    uint64_t now;
    struct mem_port mem;
    struct amp_hardware hw;
    struct world_car car[AMP_CONNECTORS_MAX + 1];
    struct amp_station_config config;
    struct amp_station *st;
    void *memory;

    /* the central system */
    bool up, half_up;               /* WebSocket open; HTTP request awaited */
    int http_status;                /* 0: 101 */
    const char *refuse_auth;        /* 401 for requests with this in them */
    const char *protocol;           /* NULL: ocpp1.6 */
    bool bad_accept, no_pong, deaf; /* deaf: socket opens, nothing is ever answered */
    bool refuse;                    /* no socket */
    const char *mute, *error;       /* action that is not answered; answered with a CALLERROR */
    const char *answer_to, *answer; /* action and its special reply */
    const char *boot_status;        /* NULL: Accepted */
    int boot_interval;
    int64_t boot_time_ms;   /* 0: now */
    bool local_time;        /* currentTime with the offset of summer, +02:00, and a fraction */
    const char *tag_status; /* in Authorize; NULL: Accepted */
    const char *start_status;
    const char *parent;
    struct amp_ws ws;
    uint8_t in[65536];
    size_t in_len, in_done;
    unsigned pings, pongs, frames, bad_frames, requests;
    int close_code;
    char request[2048]; /* the last HTTP upgrade */
    char reply[8192];   /* to world_call; "!Code" for a CALLERROR, "" for none */
    unsigned call_no;
    const struct amp_message *asked;
    char ids[512][40]; /* of the station's calls: none may come twice */
    unsigned id_count;
    struct world_tx tx[64];
    unsigned tx_count;
    int64_t next_id;

    char trace[16384], last[8192]; /* last: payload of the newest call of the station */
    size_t trace_len;
    unsigned events[AMP_EVENT_OPERATOR + 1];
    unsigned started, secrets;
    bool any_books;  /* fuzzing: what the central system has on file need not make sense */
    char moves[512]; /* names of §4.9 as they happened */
};

/* ---- trace ---- */

static inline void world_note(struct world *w, const char *a, const char *b, const char *c)
{
    int n = snprintf(w->trace + w->trace_len, sizeof(w->trace) - w->trace_len, "%s%s%s%s",
                     w->trace_len ? " " : "", a, b, c);

    w->trace_len += (size_t)n;
    if (w->trace_len > sizeof(w->trace) - 512)
        w->trace_len = 0;
}

static inline void world_mark(struct world *w)
{
    w->trace_len = 0;
    w->trace[0] = 0;
    w->moves[0] = 0;
}

/* The value of a key in compact JSON, as text without quotes; "" when absent. Good enough for flat
 * facts. */
static inline const char *world_get(const char *json, const char *key, char *out, size_t cap)
{
    char pattern[64];
    const char *p;
    size_t n = 0;

    snprintf(pattern, sizeof(pattern), "\"%s\":", key);
    p = strstr(json, pattern);
    out[0] = 0;
    if (!p)
        return out;
    p += strlen(pattern);
    if (*p == '"')
        p++;
    while (p[n] && !strchr("\",}]", p[n]) && n + 1 < cap)
        n++;
    memcpy(out, p, n);
    out[n] = 0;
    return out;
}

static inline int64_t world_int(const char *json, const char *key)
{
    char text[32];

    return strtoll(world_get(json, key, text, sizeof(text)), NULL, 10);
}

/* ---- the central system ---- */

static inline void world_send(struct world *w, enum amp_ws_opcode op, const void *data, size_t len)
{
    static char raw[70000];
    struct amp_buf out;

    amp_buf_init(&out, raw, sizeof(raw));
    amp_ws_write(&w->ws, &out, op, data, len, 0);
    if (w->mem.open && !w->mem.cut)
        amp_station_received(w->st, raw, out.len, w->now);
}

static inline void world_say(struct world *w, const char *text)
{
    world_send(w, AMP_WS_TEXT, text, strlen(text));
}

static inline struct world_tx *world_tx_of(struct world *w, int64_t id)
{
    for (unsigned i = 0; i < w->tx_count; i++)
        if (w->tx[i].id == id && !w->tx[i].unknown)
            return &w->tx[i];
    return NULL;
}

/* A start is the same start when connector, time, meter and tag are (ocpp-facts B7). */
static inline struct world_tx *world_started(struct world *w, const char *p)
{
    struct world_tx fresh = { 0 };

    fresh.connector = (int)world_int(p, "connectorId");
    fresh.start_wh = world_int(p, "meterStart");
    world_get(p, "idTag", fresh.tag, sizeof(fresh.tag));
    world_get(p, "timestamp", fresh.started, sizeof(fresh.started));
    fresh.reserved = strstr(p, "\"reservationId\":") != NULL;
    fresh.reservation = world_int(p, "reservationId");
    for (unsigned i = 0; i < w->tx_count; i++) {
        struct world_tx *t = &w->tx[i];

        if (t->connector == fresh.connector && t->start_wh == fresh.start_wh &&
            !strcmp(t->tag, fresh.tag) && !strcmp(t->started, fresh.started)) {
            t->starts++;
            return t;
        }
    }
    fresh.id = w->next_id++;
    fresh.starts = 1;
    if (w->tx_count == AMP_COUNT(w->tx))
        w->tx_count = 0;
    w->tx[w->tx_count] = fresh;
    return &w->tx[w->tx_count++];
}

static inline void world_stopped(struct world *w, const char *p)
{
    struct world_tx *t = world_tx_of(w, world_int(p, "transactionId"));

    if (!t) {
        CHECK(w->any_books || world_int(p, "transactionId") == -1, "an unknown transaction: %s", p);
        if (w->tx_count == AMP_COUNT(w->tx))
            w->tx_count = 0;
        t = &w->tx[w->tx_count++];
        memset(t, 0, sizeof(*t));
        t->unknown = true;
        t->id = -1;
    }
    t->stops++;
    t->stop_wh = world_int(p, "meterStop");
    world_get(p, "timestamp", t->stopped, sizeof(t->stopped));
    world_get(p, "reason", t->reason, sizeof(t->reason));
    world_get(p, "idTag", t->stop_tag, sizeof(t->stop_tag));
    CHECK(w->any_books || t->unknown || t->stop_wh >= t->start_wh, "the register stepped back: %s",
          p);
    CHECK(w->any_books || t->unknown || strcmp(t->stopped, t->started) >= 0,
          "stopped before it began: %s", p);
}

static inline void world_tag_info(struct world *w, const char *status, char *out, size_t cap)
{
    if (w->parent)
        snprintf(out, cap, "{\"status\":\"%s\",\"parentIdTag\":\"%s\"}", status, w->parent);
    else
        snprintf(out, cap, "{\"status\":\"%s\"}", status);
}

static inline const char *world_time(const struct world *w, int64_t at, char *out, size_t cap)
{
    amp_time_text(w->local_time ? (at + 7200000) / 1000 * 1000 : at, out);
    if (w->local_time)
        snprintf(strchr(out, 'Z'), cap - strlen(out), ".%03d+02:00", (int)(at % 1000));
    return out;
}

/* The usual answer; also keeps the books and the trace. */
static inline void world_reply(struct world *w, const char *action, const char *p, char *out,
                               size_t cap)
{
    char a[64], b[64], info[160];
    int64_t at = w->boot_time_ms ? w->boot_time_ms : UNIX0 + (int64_t)w->now;

    snprintf(out, cap, "{}");
    if (!strcmp(action, "BootNotification")) {
        world_note(w, "Boot", "", "");
        snprintf(out, cap, "{\"status\":\"%s\",\"currentTime\":\"%s\",\"interval\":%d}",
                 w->boot_status ? w->boot_status : "Accepted", world_time(w, at, a, sizeof(a)),
                 w->boot_interval);
    } else if (!strcmp(action, "Heartbeat")) {
        world_note(w, "Heart", "", "");
        snprintf(out, cap, "{\"currentTime\":\"%s\"}", amp_time_text(at, a));
    } else if (!strcmp(action, "StatusNotification")) {
        char item[80];

        snprintf(item, sizeof(item), "S%s:", world_get(p, "connectorId", a, sizeof(a)));
        world_note(w, item, world_get(p, "status", b, sizeof(b)), "");
    } else if (!strcmp(action, "Authorize")) {
        world_note(w, "Auth:", world_get(p, "idTag", a, sizeof(a)), "");
        world_tag_info(w, w->tag_status ? w->tag_status : "Accepted", info, sizeof(info));
        snprintf(out, cap, "{\"idTagInfo\":%s}", info);
    } else if (!strcmp(action, "StartTransaction")) {
        struct world_tx *t = world_started(w, p);

        world_note(w, "Start", world_get(p, "connectorId", a, sizeof(a)), "");
        world_tag_info(w, w->start_status ? w->start_status : "Accepted", info, sizeof(info));
        snprintf(out, cap, "{\"transactionId\":%lld,\"idTagInfo\":%s}", (long long)t->id, info);
    } else if (!strcmp(action, "StopTransaction")) {
        world_stopped(w, p);
        world_note(w, "Stop:", world_get(p, "reason", a, sizeof(a)), "");
    } else if (strstr(action, "StatusNotification")) { /* firmware and logs: "Log:Uploaded#3" */
        bool has_id = world_get(p, "requestId", b, sizeof(b))[0] != 0;
        int n = (int)(strlen(action) - strlen("StatusNotification"));

        snprintf(info, sizeof(info), "%.*s:%s%s", n, action, world_get(p, "status", a, sizeof(a)),
                 has_id ? "#" : "");
        world_note(w, info, has_id ? b : "", "");
    } else if (!strcmp(action, "SecurityEventNotification")) {
        world_note(w, "Sec:", world_get(p, "type", a, sizeof(a)), "");
    } else if (!strcmp(action, "SignCertificate")) {
        world_note(w, "Csr", "", "");
        snprintf(out, cap, "{\"status\":\"Accepted\"}");
    } else if (!strcmp(action, "MeterValues")) {
        struct world_tx *t = world_tx_of(w, world_int(p, "transactionId"));

        if (t && strstr(p, "transactionId"))
            t->meters++;
        world_note(w, "Meter", world_get(p, "connectorId", a, sizeof(a)), "");
    }
}

static inline void world_call_in(struct world *w, const struct amp_frame *f)
{
    char action[64], payload[8192], reply[512], out[1024];

    amp_text_copy(action, sizeof(action), f->action);
    amp_text_copy(payload, sizeof(payload), f->payload);
    memcpy(w->last, payload, sizeof(w->last));
    for (unsigned i = 0; i < w->id_count; i++)
        CHECK(!amp_text_is(f->id, w->ids[i]), "message id used twice: %s", w->ids[i]);
    if (w->id_count < AMP_COUNT(w->ids))
        amp_text_copy(w->ids[w->id_count++], 40, f->id);
    if (w->mute && !strcmp(action, w->mute)) {
        world_note(w, "-", action, "");
        return;
    }
    if (w->error && !strcmp(action, w->error)) {
        world_note(w, "!", action, "");
        snprintf(out, sizeof(out), "[4,\"%.*s\",\"InternalError\",\"\",{}]", AMP_FMT(f->id));
    } else {
        world_reply(w, action, payload, reply, sizeof(reply));
        if (w->answer_to && !strcmp(action, w->answer_to))
            snprintf(reply, sizeof(reply), "%s", w->answer);
        snprintf(out, sizeof(out), "[3,\"%.*s\",%s]", AMP_FMT(f->id), reply);
    }
    world_say(w, out);
}

/* One frame of the station: by the book, or the test fails. */
static inline void world_frame(struct world *w, struct amp_text text)
{
    static char block[65536];
    struct amp_arena arena;
    struct amp_verdict v;

    amp_arena_init(&arena, block, sizeof(block));
    w->frames++;
    amp_frame_judge(&ocpp16, AMP_OCPP16, AMP_STRICT, AMP_UP, w->asked, text, &arena, &v);
    if (v.kind != AMP_ACCEPT) {
        w->bad_frames++;
        CHECK(false, "the station sent %.*s: %s %s", AMP_FMT(text), v.fault.path,
              amp_err_text(v.rc));
        return;
    }
    if (v.frame.kind == AMP_CALL) {
        world_call_in(w, &v.frame);
        return;
    }
    if (v.frame.kind == AMP_CALLERROR)
        snprintf(w->reply, sizeof(w->reply), "!%.*s", AMP_FMT(v.frame.code));
    else
        amp_text_copy(w->reply, sizeof(w->reply), v.frame.payload);
    world_note(w, "ok:", w->asked ? w->asked->name : "?", "");
}

static inline void world_upgrade(struct world *w)
{
    struct amp_http_head h;
    char out[1024], key[64], accept[AMP_WS_ACCEPT_LEN + 1];
    int rc = amp_http_request((struct amp_text){ (char *)w->in, (uint32_t)w->in_len }, &h), n;
    int status = w->http_status;

    if (rc == 0)
        return;
    CHECK(rc == 1 && h.upgrade, "an upgrade");
    w->requests++;
    amp_text_copy(w->request, sizeof(w->request),
                  (struct amp_text){ (char *)w->in, (uint32_t)h.len });
    if (w->refuse_auth && strstr(w->request, w->refuse_auth))
        status = 401;
    amp_text_copy(key, sizeof(key), amp_http_get(&h, "Sec-WebSocket-Key"));
    amp_ws_accept(amp_text_of(key), accept);
    w->in_len = w->in_done = 0;
    w->half_up = false;
    if (status)
        n = snprintf(out, sizeof(out), "HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n", status);
    else
        n = snprintf(
            out, sizeof(out),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
            w->bad_accept ? "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" : accept,
            w->protocol ? w->protocol : "ocpp1.6");
    w->up = !status;
    amp_ws_init(&w->ws, AMP_WS_SERVER, sizeof(w->in));
    amp_station_received(w->st, out, (size_t)n, w->now);
}

static inline bool world_take_frame(struct world *w)
{
    struct amp_ws_event ev;

    amp_ws_next(&w->ws, w->in, &w->in_len, &w->in_done, &ev);
    if (ev.kind == AMP_WS_MESSAGE)
        world_frame(w, (struct amp_text){ (char *)ev.data, (uint32_t)ev.len });
    else if (ev.kind == AMP_WS_PINGED && ++w->pings && !w->no_pong)
        world_send(w, AMP_WS_PONG, ev.data, ev.len);
    else if (ev.kind == AMP_WS_PONGED)
        w->pongs++;
    else if (ev.kind == AMP_WS_CLOSED)
        w->close_code = ev.code;
    CHECK(ev.kind != AMP_WS_FAILED, "the station's framing: %s", ev.why);
    return ev.kind != AMP_WS_MORE && ev.kind != AMP_WS_CLOSED && ev.kind != AMP_WS_FAILED;
}

/* Carry bytes and calls until nobody has anything to say at this moment. */
static inline uint32_t world_settle(struct world *w)
{
    uint32_t wait = amp_station_poll(w->st, w->now);

    for (int quiet = 0, i = 0; quiet < 2 && i < 2000; i++) {
        size_t n;

        if (w->mem.opening && !w->refuse && !w->mem.cut) {
            w->mem.opening = false;
            w->mem.open = w->half_up = true;
            w->up = false;
            w->in_len = w->in_done = 0;
            amp_station_connected(w->st, w->now);
        }
        if (!w->mem.open && (w->up || w->half_up)) {
            w->in_len += mem_take(&w->mem, w->in + w->in_len, sizeof(w->in) - w->in_len);
            while (w->up && world_take_frame(w))
                ;
            w->up = w->half_up = false;
            w->in_len = w->in_done = 0;
        }
        n = mem_take(&w->mem, w->in + w->in_len, sizeof(w->in) - w->in_len);
        w->in_len += n;
        quiet = n ? 0 : quiet + 1;
        if (w->half_up && n && !w->deaf)
            world_upgrade(w);
        while (w->up && !w->deaf && world_take_frame(w))
            ;
        if (!w->mem.blocked && w->mem.open)
            amp_station_writable(w->st, w->now);
        wait = amp_station_poll(w->st, w->now);
        if (w->mem.opening && !w->refuse)
            quiet = 0;
    }
    return wait;
}

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

static inline void world_defaults(struct world *w)
{
    memset(w, 0, sizeof(*w));
    mem_init(&w->mem, 42);
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
