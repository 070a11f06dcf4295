/* station/world_central_test.h - see world_test.h: the central system of that world. It keeps
 * books, and answers, keeps silent or refuses as the test says. */
#ifndef AMP_WORLD_CENTRAL_TEST_H
#define AMP_WORLD_CENTRAL_TEST_H

#include "station/world_types_test.h"

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
    CHECK(f->id.len >= 1 && f->id.len <= 36, "a message id of %u characters", (unsigned)f->id.len);
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
            "Sec-WebSocket-Accept: %s\r\n%s%s\r\n\r\n",
            w->bad_accept ? "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" : accept,
            w->protocol && !w->protocol[0] ? "X-Nothing: " : "Sec-WebSocket-Protocol: ",
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
    else if (ev.kind == AMP_WS_PONGED && ++w->pongs)
        snprintf(w->pong, sizeof(w->pong), "%.*s", (int)ev.len, (const char *)ev.data);
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

#endif
