/* central/load_site_test.h - a charging site for tests of load management: real station cores with real storage, played power
 * electronics and physical cars (fleet/), against the real world, the real handlers of messages and the real plan, on one clock
 * that is turned. Played are the wire (bytes, with delays, gaps and hang-ups) and the disk of the central system (the facts,
 * which a new process is rebuilt from). */
#ifndef CENTRAL_LOAD_SITE_TEST_H
#define CENTRAL_LOAD_SITE_TEST_H

#include "central/domain/load_inside.h"
#include "central/v16/limit.h"
#include "central/v16/ops.h"
#include "fleet/plant.h"
#include "ocpp/check.h"
#include "ocpp/http1.h"
#include "ocpp/rpc.h"
#include "ocpp/ws.h"
#include "ports/mem/mem.h"
#include <time.h>

#define UNIX0       1750000000000
#define STATIONS    100
#define EACH        2 /* connectors */
#define QUEUE       24
#define FRAME       4096
#define ANSWER_MS   30000
#define DEADLY_MS   20000 /* a station that lost its power is back after this */

struct post { /* a frame on its way to a station */
    uint64_t due;
    uint32_t len;
    char text[FRAME];
};

struct driver {
    uint64_t comes, leaves, tags; /* 0: not under way */
    bool tagged;
};

struct stage_station {
    struct site *site;
    int number;
    struct mem_port mem;
    struct plant plant;
    struct amp_station_config config;
    struct amp_station *st; /* NULL: without power */
    void *memory;
    uint64_t wakes, powers_at, dark_until;
    bool hears; /* while it is dark: only what it says is lost */
    char identity[16];
    struct driver drivers[EACH + 1];
    bool refuses, ignorant; /* answers Rejected to profiles; knows none */
    /* the connection, seen from the central system */
    bool half_up, up;
    struct amp_ws ws;
    struct amp_rpc rpc;
    struct charger *charger;
    uint8_t in[8192];
    size_t in_len, in_done;
    struct post *post; /* QUEUE of them, a ring */
    unsigned first, count;
    uint64_t newest;
    int64_t call_key;
};

struct kept {
    struct fact *fact;
};

struct site {
    struct posix_clock clock;
    struct stage_station *stations[STATIONS];
    int count;
    bool alive; /* the central system */
    struct world *world;
    struct loads *loads;
    struct kept **kept; /* what is on its disk: the last of each thing */
    size_t kept_count, kept_cap;
    struct map by_thing;
    uint32_t random;
    uint64_t connections, calls, plans, refusals;
    unsigned delay_ms; /* most that a frame takes to a station */
    int64_t plan_us, plan_most_us;
};

static inline uint64_t site_now(const struct site *s)
{
    return posix_clock_now(&s->clock);
}

static inline int64_t site_unix(const struct site *s)
{
    return UNIX0 + (int64_t)site_now(s);
}

static inline uint32_t site_dice(struct site *s, uint32_t n)
{
    return vehicle_random(&s->random) % n;
}

/* ---- the disk ---- */

static inline uint64_t site_thing(const struct fact *f, int64_t *a, int64_t *b)
{
    *b = 0;
    switch (f->kind) {
    case FACT_CHARGER:
        *a = f->u.charger.key;
        break;
    case FACT_CONNECTOR:
        *a = f->u.connector.charger;
        *b = f->u.connector.connector;
        break;
    case FACT_TRANSACTION:
        *a = f->u.transaction.key;
        break;
    case FACT_COMMAND:
        *a = f->u.command.key;
        break;
    case FACT_TAG:
        *a = (int64_t)amp_text_hash(f->u.tag.tag);
        break;
    case FACT_LOAD_GROUP:
        *a = (int64_t)amp_text_hash(f->u.load_group.id);
        break;
    case FACT_LOAD_MEMBER:
        *a = f->u.load_member.charger;
        *b = f->u.load_member.connector;
        break;
    case FACT_LOAD_POINT:
        *a = f->u.load_point.charger;
        *b = f->u.load_point.connector;
        break;
    default:
        return 0; /* a history */
    }
    return map_hash_int(*a) * 31 + map_hash_int(*b) * 7 + (uint64_t)f->kind;
}

static inline bool site_same(const void *item, const void *key)
{
    const struct kept *x = item;
    int64_t a = 0, b = 0, c = 0, d = 0;

    if (x->fact->kind != ((const struct fact *)key)->kind)
        return false;
    site_thing(x->fact, &a, &b);
    site_thing(key, &c, &d);
    return a == c && b == d;
}

static inline void site_keep(struct site *s, const struct fact *f)
{
    int64_t a = 0, b = 0;
    uint64_t hash = site_thing(f, &a, &b);
    struct kept *slot = hash ? map_get(&s->by_thing, hash, site_same, f) : NULL;

    if (!hash)
        return;
    if (slot) {
        free(slot->fact);
        slot->fact = fact_copy(f);
        return;
    }
    slot = must(calloc(1, sizeof *slot));
    slot->fact = fact_copy(f);
    s->kept = grow_list(s->kept, s->kept_count, &s->kept_cap);
    s->kept[s->kept_count++] = slot;
    map_put(&s->by_thing, hash, slot);
}

static inline void site_emit_load(void *ctx, const struct fact *f)
{
    site_keep(ctx, f);
}

static inline void site_emit(void *ctx, const struct fact *f)
{
    struct site *s = ctx;

    site_keep(s, f);
    if (s->loads)
        loads_saw(s->loads, f, site_unix(s));
}

/* ---- the central system's end of the wire ---- */

static inline void site_post(struct stage_station *t, enum amp_ws_opcode op, const void *data,
                             size_t len)
{
    struct site *s = t->site;
    struct post *p;
    struct amp_buf out;

    CHECK(t->count < QUEUE, "%s: too much on its way", t->identity);
    if (t->count >= QUEUE)
        return;
    p = &t->post[(t->first + t->count++) % QUEUE];
    amp_buf_init(&out, p->text, sizeof p->text);
    if (op)
        amp_ws_write(&t->ws, &out, op, data, len, 0);
    else
        amp_buf_put(&out, data, len);
    CHECK(!out.full, "a frame fits");
    p->len = (uint32_t)out.len;
    p->due = site_now(s) + (s->delay_ms ? site_dice(s, s->delay_ms) : 0);
    if (p->due < t->newest)
        p->due = t->newest; /* in order */
    t->newest = p->due;
}

static inline void site_change(struct stage_station *t, int state, struct amp_text answer)
{
    (void)world_command_change(t->site->world, t->call_key,
                               &(struct command_change){ .state = state, .answer = answer },
                               site_unix(t->site));
    t->call_key = 0;
}

static inline void site_hang_up(struct stage_station *t)
{
    struct site *s = t->site;
    struct amp_rpc_event ev;

    if (t->up && s->alive) {
        if (amp_rpc_abort(&t->rpc, &ev))
            site_change(t, COMMAND_TIMED_OUT, AMP_TEXT("connection lost"));
        world_disconnected(s->world, t->charger, t, 1006, AMP_NO_TEXT, site_unix(s));
    }
    t->up = t->half_up = false;
    t->in_len = t->in_done = 0;
    t->count = 0;
    t->call_key = 0;
}

/* The next command of the world, if the direction is free. */
static inline void site_kick(struct stage_station *t)
{
    struct site *s = t->site;
    const struct command_fact *k;
    char text[FRAME];
    struct amp_buf out;
    struct amp_text id;

    if (!t->up || !s->alive || t->rpc.open || !charger_fact(t->charger)->last_boot_ms)
        return;
    k = world_command_next(s->world, t->charger);
    if (!k)
        return;
    amp_buf_init(&out, text, sizeof text);
    CHECK(amp_rpc_call_raw(&t->rpc, amp_message_find(&ocpp16, k->action), k->payload, 0,
                           site_now(s), ANSWER_MS, &out, &id) == 0,
          "a call");
    t->call_key = k->key;
    s->calls++;
    (void)world_command_change(s->world, k->key,
                               &(struct command_change){ .state = COMMAND_SENT, .correlation = id },
                               site_unix(s));
    site_post(t, AMP_WS_TEXT, text, out.len);
}

static inline void site_call_in(struct stage_station *t, const struct amp_rpc_event *ev,
                                struct amp_arena *arena)
{
    const struct v16_op *op = v16_op_find(ev->message->id);
    void *reply = amp_arena_alloc(arena, ev->message->reply_size);
    struct v16_call call = { .world = t->site->world,
                             .charger = t->charger,
                             .arena = arena,
                             .payload = ev->verdict.frame.payload,
                             .body = ev->body,
                             .now_ms = site_unix(t->site) };
    char text[FRAME];
    struct amp_buf out;

    amp_buf_init(&out, text, sizeof text);
    CHECK(op && reply && op->on_call(&call, reply) == 0, "%s is handled", ev->message->name);
    CHECK(amp_rpc_result(&t->rpc, ev->verdict.frame.id, ev->message, reply, &out) == 0, "answer");
    site_post(t, AMP_WS_TEXT, text, out.len);
}

static inline void site_frame(struct stage_station *t, struct amp_text text)
{
    static char block[1 << 17], reply[FRAME];
    struct amp_arena arena;
    struct amp_rpc_event ev;
    struct amp_buf out;
    bool yes;

    amp_arena_init(&arena, block, sizeof block);
    amp_buf_init(&out, reply, sizeof reply);
    world_seen(t->site->world, t->charger, site_unix(t->site));
    amp_rpc_receive(&t->rpc, text, &arena, &out, &ev);
    switch (ev.kind) {
    case AMP_RPC_CALL:
        site_call_in(t, &ev, &arena);
        break;
    case AMP_RPC_RESULT:
        yes = memmem(ev.verdict.frame.payload.at, ev.verdict.frame.payload.len, "Accepted", 8) ||
              memmem(ev.verdict.frame.payload.at, ev.verdict.frame.payload.len, "Unknown", 7);
        t->site->refusals += !yes;
        site_change(t, yes ? COMMAND_ACCEPTED : COMMAND_REJECTED, ev.verdict.frame.payload);
        break;
    case AMP_RPC_FAILED:
        site_change(t, COMMAND_ERROR, ev.verdict.frame.code);
        break;
    default:
        CHECK(ev.kind == AMP_RPC_DROPPED, "%s: %.*s", t->identity, AMP_FMT(text));
        break;
    }
    site_kick(t);
}

static inline void site_upgrade(struct stage_station *t)
{
    struct site *s = t->site;
    struct amp_http_head h;
    char out[512], key[64], accept[AMP_WS_ACCEPT_LEN + 1];
    int rc = amp_http_request((struct amp_text){ (char *)t->in, (uint32_t)t->in_len }, &h), n;

    if (rc == 0)
        return;
    CHECK(rc == 1 && h.upgrade, "an upgrade");
    amp_text_copy(key, sizeof key, amp_http_get(&h, "Sec-WebSocket-Key"));
    amp_ws_accept(amp_text_of(key), accept);
    n = snprintf(out, sizeof out,
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n",
                 accept);
    t->in_len = t->in_done = 0;
    t->half_up = false;
    t->up = true;
    t->charger = world_charger_meet(s->world, amp_text_of(t->identity), site_unix(s));
    amp_ws_init(&t->ws, AMP_WS_SERVER, sizeof t->in);
    amp_rpc_init(&t->rpc, &ocpp16, AMP_OCPP16, AMP_UP, ++s->connections << 20);
    world_connected(s->world, t->charger, t, AMP_TEXT("ocpp1.6"), AMP_TEXT("wire"), site_unix(s));
    site_post(t, 0, out, (size_t)n);
}

/* ---- the station's end ---- */

static inline void site_pull(struct stage_station *t)
{
    struct amp_ws_event ev;
    bool dark = t->dark_until > site_now(t->site);

    if (t->mem.opening && t->site->alive && !dark) {
        t->mem.opening = false;
        t->mem.open = t->half_up = true;
        amp_station_connected(t->st, site_now(t->site));
    } else if (t->mem.opening) {
        t->mem.opening = false;
        amp_station_closed(t->st, site_now(t->site));
    }
    if (!t->mem.open) {
        if (t->up || t->half_up)
            site_hang_up(t);
        return;
    }
    if (dark) { /* what it says is lost, and it does not know */
        t->mem.wire_len = 0;
        return;
    }
    t->in_len += mem_take(&t->mem, t->in + t->in_len, sizeof t->in - t->in_len);
    if (t->half_up && t->in_len)
        site_upgrade(t);
    while (t->up) {
        amp_ws_next(&t->ws, t->in, &t->in_len, &t->in_done, &ev);
        if (ev.kind == AMP_WS_MESSAGE)
            site_frame(t, (struct amp_text){ (char *)ev.data, (uint32_t)ev.len });
        else if (ev.kind == AMP_WS_PINGED)
            site_post(t, AMP_WS_PONG, ev.data, ev.len);
        else if (ev.kind != AMP_WS_PONGED)
            break;
    }
}

static inline bool site_deliver(struct stage_station *t)
{
    bool any = false;

    while (t->count && t->post[t->first].due <= site_now(t->site) && t->mem.open) {
        struct post *p = &t->post[t->first];

        t->first = (t->first + 1) % QUEUE;
        t->count--;
        any = true;
        if (t->dark_until <= site_now(t->site) || t->hears)
            amp_station_received(t->st, p->text, p->len, site_now(t->site));
    }
    return any;
}

static inline void site_power(struct stage_station *t)
{
    static const char *const settings[] = {
        "MeterValueSampleInterval=60",
        "MeterValuesSampledData=Energy.Active.Import.Register,Power.Active.Import,Current.Import",
        NULL
    };
    struct amp_fault fault;
    uint64_t now = site_now(t->site);

    t->config.settings = settings;
    t->config.unix_ms = (uint64_t)site_unix(t->site);
    CHECK(amp_station_init(t->memory, amp_station_size(), &t->config, &t->mem.port,
                           &t->plant.hardware, NULL, NULL, now, &t->st, &fault) == 0,
          "%s starts: %s", t->identity, fault.path);
    plant_announce(&t->plant, t->st);
    t->powers_at = 0;
    t->wakes = now;
}

static inline void site_cut(struct stage_station *t)
{
    if (!t->st)
        return;
    if (t->up || t->half_up)
        site_hang_up(t);
    mem_restart(&t->mem);
    for (int c = 1; c <= EACH; c++)
        t->plant.hardware.permit(t->plant.hardware.ctx, c, false); /* contactors fall open */
    t->st = NULL;
    t->powers_at = site_now(t->site) + DEADLY_MS;
}

/* The socket of a station ends, by whomever. */
static inline void site_drop(struct stage_station *t)
{
    bool was = t->mem.open || t->mem.opening;

    if (!t->st)
        return;
    site_hang_up(t);
    t->mem.open = t->mem.opening = false;
    t->mem.wire_len = 0;
    if (was)
        amp_station_closed(t->st, site_now(t->site));
}

static inline void site_go_dark(struct stage_station *t, uint64_t for_ms)
{
    t->dark_until = site_now(t->site) + for_ms;
    t->hears = site_dice(t->site, 2);
}

static inline void site_turn_station(struct stage_station *t)
{
    uint64_t now = site_now(t->site);

    if (!t->st && t->powers_at <= now)
        site_power(t);
    if (!t->st) {
        plant_step(&t->plant, NULL);
        return;
    }
    if (t->dark_until && t->dark_until <= now) { /* back, and both notice that the line is dead */
        t->dark_until = 0;
        site_drop(t);
    }
    if (plant_step(&t->plant, t->st))
        t->wakes = now;
    for (int i = 0; i < 20; i++) {
        bool moved = site_deliver(t) || t->mem.opening;

        if (!moved && t->wakes > now)
            break;
        t->wakes = now + amp_station_poll(t->st, now);
        site_pull(t);
        if (t->mem.open)
            amp_station_writable(t->st, now);
    }
}

/* ---- the central system ---- */

static inline int64_t site_say(void *ctx, const struct load_say *say)
{
    struct site *s = ctx;
    struct command_fact f = { .connector = say->connector, .by = AMP_TEXT("load management") };
    char payload[1024];
    struct amp_buf out;
    int64_t key;

    amp_buf_init(&out, payload, sizeof payload);
    CHECK(v16_limit(say, LOAD_VOLTS, site_unix(s), &f.action, &out) == 0, "a profile");
    f.payload = amp_buf_text(&out);
    f.expires_ms = say->member ? site_unix(s) + LOAD_SAY_MS : 0;
    key = world_command_wait(s->world, say->charger, &f, site_unix(s));
    if (key > 0 && charger_session(say->charger))
        site_kick(charger_session(say->charger));
    return key;
}

static inline void site_birth(struct site *s)
{
    static const struct world_config usual = { .heartbeat_s = 300,
                                               .stale_after_s = 90,
                                               .accept_unknown = true,
                                               .accept_unknown_tags = true };

    s->world = world_new(&usual, site_emit, s);
    s->loads = loads_new(s->world, site_emit_load, s);
    for (int pass = 0; pass < 2; pass++) /* chargers first */
        for (size_t i = 0; i < s->kept_count; i++) {
            const struct fact *f = s->kept[i]->fact;

            if ((f->kind == FACT_CHARGER) != (pass == 0))
                continue;
            world_apply(s->world, f);
            loads_apply(s->loads, f);
        }
    s->alive = true;
}

/* kill -9: all sockets end, what is on the disk stays. */
static inline void site_death(struct site *s)
{
    s->alive = false;
    for (int i = 0; i < s->count; i++)
        site_drop(s->stations[i]);
    loads_free(s->loads);
    world_free(s->world);
    s->loads = NULL;
    s->world = NULL;
}

static inline void site_overdue(void *ctx, struct charger *c, void *session)
{
    (void)ctx, (void)c;
    site_drop(session);
}

static inline void site_turn_central(struct site *s)
{
    struct timespec a, b;
    int64_t us;

    if (!s->alive)
        return;
    world_tick(s->world, site_unix(s), site_overdue, s);
    for (int i = 0; i < s->count; i++) {
        struct stage_station *t = s->stations[i];
        struct amp_rpc_event ev;

        if (t->up && amp_rpc_expire(&t->rpc, site_now(s), &ev))
            site_change(t, COMMAND_TIMED_OUT, AMP_TEXT("no answer in time"));
        site_kick(t);
    }
    clock_gettime(CLOCK_MONOTONIC, &a);
    loads_plan(s->loads, site_unix(s), site_say, s);
    clock_gettime(CLOCK_MONOTONIC, &b);
    us = (int64_t)(b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
    s->plan_us += us;
    s->plan_most_us = us > s->plan_most_us ? us : s->plan_most_us;
    s->plans++;
}

static inline void site_open(struct site *s, int stations, uint32_t seed)
{
    memset(s, 0, sizeof *s);
    posix_clock_init(&s->clock, 0);
    s->random = seed;
    s->count = stations;
    s->delay_ms = 1000;
    for (int i = 0; i < stations; i++) {
        struct stage_station *t = must(calloc(1, sizeof *t));

        s->stations[i] = t;
        t->site = s;
        t->number = i;
        t->post = must(calloc(QUEUE, sizeof *t->post));
        snprintf(t->identity, sizeof t->identity, "ST%03d", i + 1);
        t->memory = must(aligned_alloc(16, (amp_station_size() + 15) / 16 * 16));
        t->config = (struct amp_station_config){ .url = AMP_TEXT("ws://central.test:8180/ocpp"),
                                                 .identity = amp_text_of(t->identity),
                                                 .vendor = AMP_TEXT("Amperstand"),
                                                 .model = AMP_TEXT("Site"),
                                                 .connectors = EACH,
                                                 .reconnect_attempts = UINT32_MAX,
                                                 .reconnect_cap_s = 60 };
        for (int c = 1; c <= EACH; c++)
            t->config.phases[c] = i % 4 == 3 ? 1 : 3;
        mem_init(&t->mem, seed + (uint32_t)i + 1);
        plant_init(&t->plant, &t->config, &s->clock, seed + (uint32_t)i);
        t->powers_at = site_now(s) + 1 + (uint64_t)i * 50;
    }
    site_birth(s);
}

static inline void site_close(struct site *s)
{
    if (s->alive)
        site_death(s);
    for (int i = 0; i < s->count; i++) {
        CHECK(s->stations[i]->mem.bad_writes == 0, "storage");
        plant_close(&s->stations[i]->plant);
        free(s->stations[i]->memory);
        free(s->stations[i]->post);
        free(s->stations[i]);
    }
    for (size_t i = 0; i < s->kept_count; i++) {
        free(s->kept[i]->fact);
        free(s->kept[i]);
    }
    free(s->kept);
    map_clear(&s->by_thing);
}

#endif
