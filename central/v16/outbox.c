/* central/v16/outbox.c - answers that wait for their commit. DESIGN.md decision 4: what we
 * acknowledged survives. The store calls back in the order of the questions, so the frames lie in
 * one queue without a list or an allocation each. */
#include "central/counts.h"
#include "central/log.h"
#include "central/v16/inside.h"
#include <stdlib.h>

struct entry {
    struct session *session;
    uint64_t since_us; /* when its message came */
    uint32_t len;
    enum outbox_kind kind;
};

static void make_room(struct outbox *o, size_t need)
{
    if (o->head == o->tail)
        o->head = o->tail = 0;
    if (o->cap - o->tail >= need)
        return;
    if (o->head && o->head >= o->cap / 2) {
        memmove(o->at, o->at + o->head, o->tail - o->head);
        o->tail -= o->head;
        o->head = 0;
    }
    while (o->cap - o->tail < need)
        o->cap = o->cap ? o->cap * 2 : 65536;
    o->at = realloc(o->at, o->cap);
    if (!o->at)
        abort();
}

/* A call that was never sent will never be answered. */
static void call_unsent(struct session *s)
{
    v16_call_abort(s, "not sent: it could not be stored", s->v->c->now_ms());
}

/* The message id of a frame of ours. */
static struct amp_text id_of(struct v16 *v, const char *at, uint32_t len)
{
    struct amp_frame f;

    amp_arena_reset(&v->c->arena);
    if (amp_frame_read_mode((struct amp_text){ at, len }, AMP_OCPP16, AMP_LENIENT, &v->c->arena, &f,
                            NULL) < 0)
        return AMP_NO_TEXT;
    return f.id;
}

static void on_durable(void *ctx, int rc)
{
    struct v16 *v = ctx;
    struct outbox *o = &v->outbox;
    struct session *s;
    struct entry e;

    memcpy(&e, o->at + o->head, sizeof e);
    s = e.session;
    if (rc < 0) { /* silence: the station repeats what it must not lose (facts B5) */
        v->unsent++;
        LOG_OFTEN(v->c->log, LOG_ERROR, "v16", "not sent, because it could not be stored",
                  LOG_TEXT("charger", charger_fact(s->charger)->id),
                  LOG_TEXT("messageId", id_of(v, o->at + o->head + sizeof e, e.len)),
                  LOG_STR("why", amp_err_text(rc)));
    } else if (s->conn && charger_session(s->charger) == s) {
        net_send(s->conn, AMP_WS_TEXT, o->at + o->head + sizeof e, e.len);
        if (v->c->counts && e.kind != OUTBOX_CALL)
            histogram_add(&v->c->counts->answer, uv_hrtime() / 1000 - e.since_us);
    }
    o->head += sizeof e + e.len;
    o->waiting--;
    s->pending--;
    if (rc < 0 && e.kind == OUTBOX_CALL && s->conn)
        call_unsent(s);
    if (rc == 0 && e.kind == OUTBOX_BOOT && s->conn) {
        s->calls = CALLS_FREE;
        v16_session_kick(s);
    }
    v16_session_release(s);
}

void v16_outbox_put(struct session *s, enum outbox_kind kind)
{
    struct v16 *v = s->v;
    struct outbox *o = &v->outbox;
    struct entry e = { s, v->came_us, (uint32_t)v->frame.len, kind };

    make_room(o, sizeof e + e.len);
    memcpy(o->at + o->tail, &e, sizeof e);
    memcpy(o->at + o->tail + sizeof e, v->frame.at, e.len);
    o->tail += sizeof e + e.len;
    o->waiting++;
    s->pending++;
    store_after(v->c->store, on_durable, v);
}
