/* fleet/ledger.c - see ledger.h for the format. */
#include "fleet/ledger.h"
#include "messages/ocpp16.h"
#include "ocpp/http1.h"
#include "ocpp/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LINES_MAX 8192 /* of one message: a MeterValues frame with many samples */

enum kind { OTHER, START, METER, STOP };

int ledger_open(struct ledger *l, const char *path)
{
    memset(l, 0, sizeof *l);
    amp_arena_init(&l->arena, l->block, sizeof l->block);
    l->fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
    return path && l->fd < 0 ? AMP_E_IO : 0;
}

void ledger_close(struct ledger *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Sixteen slots for every power of two: 6 % of error, any size. */
static unsigned slot_of(uint64_t us)
{
    unsigned power = 0, slot;

    if (us < 16)
        return (unsigned)us;
    while (us >> power >= 32)
        power++;
    slot = (power + 1) * 16 + (unsigned)((us >> power) - 16);
    return slot < LEDGER_LATENCY_SLOTS ? slot : LEDGER_LATENCY_SLOTS - 1;
}

static uint64_t slot_top(unsigned slot)
{
    return slot < 16 ? slot : ((uint64_t)(slot % 16 + 17) << (slot / 16 - 1)) - 1;
}

void ledger_count(struct ledger_stats *s, uint64_t us)
{
    s->latency[slot_of(us)]++;
}

uint64_t ledger_quantile_us(const struct ledger_stats *s, unsigned permille)
{
    uint64_t all = 0, seen = 0;

    for (unsigned i = 0; i < LEDGER_LATENCY_SLOTS; i++)
        all += s->latency[i];
    for (unsigned i = 0; i < LEDGER_LATENCY_SLOTS; i++) {
        seen += s->latency[i];
        if (all && seen * 1000 >= all * permille)
            return slot_top(i);
    }
    return 0;
}

static void field_text(struct amp_buf *b, const char *name, struct amp_text value)
{
    if (!value.at)
        return;
    amp_buf_putc(b, ' ');
    amp_buf_puts(b, name);
    amp_buf_putc(b, '=');
    amp_percent_encode(b, value);
}

static void field_int(struct amp_buf *b, const char *name, int64_t value)
{
    amp_buf_putc(b, ' ');
    amp_buf_puts(b, name);
    amp_buf_putc(b, '=');
    amp_buf_int(b, value);
}

static void head(struct amp_buf *b, const char *kind, struct amp_text station, struct amp_text id)
{
    amp_buf_puts(b, kind);
    field_text(b, "station", station);
    field_text(b, "message", id);
}

static void start_line(struct amp_buf *b, struct amp_text station, struct amp_text id,
                       const struct ocpp16_start_transaction *m)
{
    head(b, "start", station, id);
    field_int(b, "connector", m->connector_id);
    field_text(b, "tag", m->id_tag);
    field_int(b, "meter", m->meter_start);
    field_int(b, "at", m->timestamp);
}

static void stop_line(struct amp_buf *b, struct amp_text station, struct amp_text id,
                      const struct ocpp16_stop_transaction *m)
{
    head(b, "stop", station, id);
    field_int(b, "transaction", m->transaction_id);
    field_int(b, "meter", m->meter_stop);
    field_int(b, "at", m->timestamp);
    if (m->reason)
        field_text(b, "reason", amp_text_of(amp_enum_name(&ocpp16_reason_names, (int)m->reason)));
    field_text(b, "tag", m->id_tag);
}

static void meter_lines(struct amp_buf *b, struct amp_text station, struct amp_text id,
                        const struct ocpp16_meter_values *m)
{
    for (uint32_t i = 0; i < m->meter_value.len; i++) {
        const struct ocpp16_meter_value *v = &m->meter_value.at[i];

        if (i)
            amp_buf_putc(b, '\n');
        head(b, "meter", station, id);
        field_int(b, "connector", m->connector_id);
        if (m->has & OCPP16_HAS_METER_VALUES_TRANSACTION_ID)
            field_int(b, "transaction", m->transaction_id);
        field_int(b, "at", v->timestamp);
        for (uint32_t k = 0; k < v->sampled_value.len; k++) {
            const struct ocpp16_sampled_value *s = &v->sampled_value.at[k];

            if (s->phase ||
                (s->measurand && s->measurand != OCPP16_MEASURAND_ENERGY_ACTIVE_IMPORT_REGISTER))
                continue;
            field_text(b, "energy", s->value);
            break;
        }
    }
}

/* What will be written when this call is answered. NULL when it cannot be read: then it proves
 * nothing. */
static char *lines_of(struct ledger *l, enum kind kind, struct amp_text station,
                      struct amp_frame *f)
{
    static const uint8_t ids[] = {
        [START] = OCPP16_START_TRANSACTION,
        [METER] = OCPP16_METER_VALUES,
        [STOP] = OCPP16_STOP_TRANSACTION,
    };
    union {
        struct ocpp16_start_transaction start;
        struct ocpp16_meter_values meter;
        struct ocpp16_stop_transaction stop;
    } body;
    const struct amp_message *m = &ocpp16.messages[ids[kind]];
    char room[LINES_MAX];
    struct amp_buf b;

    amp_buf_init(&b, room, sizeof room - 1);
    if (amp_frame_payload(f, m->request, AMP_OCPP16, AMP_LENIENT, &body, &l->arena, NULL, NULL) < 0)
        return NULL;
    if (kind == START)
        start_line(&b, station, f->id, &body.start);
    else if (kind == STOP)
        stop_line(&b, station, f->id, &body.stop);
    else
        meter_lines(&b, station, f->id, &body.meter);
    room[b.len] = 0;
    return b.full ? NULL : strdup(room);
}

static enum kind kind_of(struct amp_text action)
{
    return amp_text_is(action, "StartTransaction")  ? START
           : amp_text_is(action, "StopTransaction") ? STOP
           : amp_text_is(action, "MeterValues")     ? METER
                                                    : OTHER;
}

static void on_sent(struct ledger *l, struct ledger_talk *t, struct amp_text station,
                    struct amp_frame *f)
{
    ledger_hang_up(t); /* the one before timed out */
    amp_text_copy(t->id, sizeof t->id, f->id);
    t->sent_us = now_us();
    t->kind = (int)kind_of(f->action);
    l->stats.sent++;
    if (t->kind != OTHER && l->fd >= 0) {
        t->lines = lines_of(l, (enum kind)t->kind, station, f);
        l->failed = l->failed || !t->lines;
    }
}

static void write_lines(struct ledger *l, struct ledger_talk *t, struct amp_frame *f)
{
    struct ocpp16_start_transaction_reply reply;
    char room[LINES_MAX + 128];
    struct amp_buf b;
    const struct amp_message *m = &ocpp16.messages[OCPP16_START_TRANSACTION];

    amp_buf_init(&b, room, sizeof room);
    amp_buf_puts(&b, t->lines);
    if (t->kind == START) {
        if (amp_frame_payload(f, m->reply, AMP_OCPP16, AMP_LENIENT, &reply, &l->arena, NULL, NULL) <
            0)
            return; /* an answer that says nothing: the station will send it again */
        field_int(&b, "transaction", reply.transaction_id);
        field_text(&b, "status",
                   amp_text_of(amp_enum_name(&ocpp16_authorization_status_names,
                                             (int)reply.id_tag_info.status)));
    }
    amp_buf_putc(&b, '\n');
    if (write(l->fd, b.at, b.len) != (ssize_t)b.len)
        l->failed = true;
}

static void on_answer(struct ledger *l, struct ledger_talk *t, struct amp_frame *f)
{
    if (!t->id[0] || !amp_text_is(f->id, t->id))
        return; /* late, or of nobody */
    ledger_count(&l->stats, now_us() - t->sent_us);
    if (f->kind == AMP_CALLRESULT) {
        l->stats.answered++;
        l->stats.starts += t->kind == START;
        l->stats.stops += t->kind == STOP;
        l->stats.meters += t->kind == METER;
        if (t->lines)
            write_lines(l, t, f);
    } else {
        l->stats.refused++;
    }
    ledger_hang_up(t);
}

void ledger_frame(struct ledger *l, struct ledger_talk *t, struct amp_text station, bool sent,
                  struct amp_text frame)
{
    struct amp_frame f;

    amp_arena_reset(&l->arena);
    if (amp_frame_read(frame, AMP_OCPP16, &l->arena, &f, NULL) < 0)
        return;
    if (f.kind == AMP_CALL && sent)
        on_sent(l, t, station, &f);
    else if (f.kind == AMP_CALL)
        l->stats.received++;
    else if (!sent)
        on_answer(l, t, &f);
}

void ledger_hang_up(struct ledger_talk *t)
{
    free(t->lines);
    t->lines = NULL;
    t->id[0] = 0;
}
