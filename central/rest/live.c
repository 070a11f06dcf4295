/* central/rest/live.c - the ring of events and the newest reading of each transaction. Facts are
 * kept as facts and become JSON only for who reads them (live_readers.c), so that an unwatched
 * server pays a copy each. */
#include "central/rest/feed.h"
#include "central/rest/live_inside.h"
#include <stdlib.h>

/* ---- newest numbers of running transactions ---- */

static struct last_reading **reading_at(const struct live *l, int64_t transaction)
{
    struct last_reading **at =
        (struct last_reading **)(uintptr_t)&l->readings[(uint64_t)transaction % READINGS];

    while (*at && (*at)->fact.transaction != transaction)
        at = &(*at)->next;
    return at;
}

const struct reading_fact *live_reading(const struct live *l, int64_t transaction)
{
    struct last_reading *r = *reading_at(l, transaction);

    return r ? &r->fact : NULL;
}

/* A reading may carry some measurands only: the others keep their last value. */
static void remember(struct live *l, const struct reading_fact *f)
{
    struct last_reading **at = reading_at(l, f->transaction), *r = *at;

    if (!r) {
        r = *at = calloc(1, sizeof *r);
        if (!r)
            abort();
    }
    if (f->at_ms < r->fact.at_ms)
        return; /* a late one from an offline queue is no news */
    if (r->fact.has && (f->has & READING_CLOCK) && !(r->fact.has & READING_CLOCK))
        return; /* E89: it has readings of its own */
    if (!(f->has & READING_CLOCK))
        r->fact.has &= ~(uint32_t)READING_CLOCK;
#define KEEP(bit, field) \
    if (f->has & (bit))  \
    r->fact.field = f->field
    KEEP(READING_ENERGY, energy_wh);
    KEEP(READING_POWER, power_w);
    KEEP(READING_CURRENT, current_ma);
    KEEP(READING_VOLTAGE, voltage_mv);
    KEEP(READING_SOC, soc_permille);
    KEEP(READING_TEMPERATURE, temperature_mc);
#undef KEEP
    r->fact.has |= f->has;
    r->fact.charger = f->charger;
    r->fact.transaction = f->transaction;
    r->fact.connector = f->connector;
    r->fact.at_ms = f->at_ms;
    r->fact.seen_ms = f->seen_ms;
}

static void forget(struct live *l, int64_t transaction)
{
    struct last_reading **at = reading_at(l, transaction), *r = *at;

    if (!r)
        return;
    *at = r->next;
    free(r);
}

void live_load(struct live *l, const struct fact *f)
{
    if (f->kind == FACT_READING && f->u.reading.transaction)
        remember(l, &f->u.reading);
    else if (f->kind == FACT_TRANSACTION && f->u.transaction.stop_ms)
        forget(l, f->u.transaction.key);
}

/* ---- facts to events ---- */

static uint64_t key_of(enum live_kind kind, int64_t a, int64_t b)
{
    uint64_t h = ((uint64_t)a * UINT64_C(0x9E3779B97F4A7C15)) ^
                 ((uint64_t)b + 1) * UINT64_C(0xC2B2AE3D27D4EB4F);

    h = (h ^ (h >> 29)) * UINT64_C(0xBF58476D1CE4E5B9) + (uint64_t)kind + 1;
    return h ? h : 1;
}

/* Fill topic, kind, key, charger. False: not for the feed (tags, people: the feed is no place for
 * secrets). */
static bool event_of(const struct fact *f, struct live_event *e)
{
    switch (f->kind) {
    case FACT_CHARGER:
        *e = (struct live_event){ .topic = TOPIC_CHARGERS,
                                  .kind = LIVE_CHARGER,
                                  .charger = f->u.charger.key };
        e->key = key_of(LIVE_CHARGER, e->charger, 0);
        return true;
    case FACT_CONNECTOR:
        *e = (struct live_event){ .topic = TOPIC_CHARGERS,
                                  .kind = LIVE_CONNECTOR,
                                  .charger = f->u.connector.charger };
        e->key = key_of(LIVE_CONNECTOR, e->charger, f->u.connector.connector);
        return true;
    case FACT_CONNECTION:
        *e = (struct live_event){ .topic = TOPIC_CHARGERS,
                                  .kind = LIVE_CONNECTION,
                                  .charger = f->u.connection.charger };
        return true;
    case FACT_TRANSACTION:
        *e = (struct live_event){ .topic = TOPIC_TRANSACTIONS,
                                  .kind = LIVE_TRANSACTION,
                                  .charger = f->u.transaction.charger };
        e->key = key_of(LIVE_TRANSACTION, f->u.transaction.key, 0);
        return true;
    case FACT_READING:
        *e = (struct live_event){ .topic = TOPIC_TRANSACTIONS,
                                  .kind = LIVE_READING,
                                  .charger = f->u.reading.charger };
        e->key = f->u.reading.transaction
                     ? key_of(LIVE_READING, f->u.reading.transaction, -1)
                     : key_of(LIVE_READING, e->charger, f->u.reading.connector);
        return true;
    case FACT_MESSAGE:
        *e = (struct live_event){ .topic = TOPIC_MESSAGES,
                                  .kind = LIVE_MESSAGE,
                                  .charger = f->u.message.charger };
        return true;
    case FACT_COMMAND:
        *e = (struct live_event){ .topic = TOPIC_COMMANDS,
                                  .kind = LIVE_COMMAND,
                                  .charger = f->u.command.charger };
        e->key = key_of(LIVE_COMMAND, f->u.command.key, 0);
        return true;
    case FACT_RESERVATION:
        *e = (struct live_event){ .topic = TOPIC_RESERVATIONS,
                                  .kind = LIVE_RESERVATION,
                                  .charger = f->u.reservation.charger };
        e->key = key_of(LIVE_RESERVATION, f->u.reservation.key, 0);
        return true;
    case FACT_LOAD_GROUP:
        *e = (struct live_event){ .topic = TOPIC_LOAD,
                                  .kind = LIVE_GROUP,
                                  .org = f->u.load_group.org };
        e->key =
            key_of(LIVE_GROUP, f->u.load_group.org, (int64_t)amp_text_hashi(f->u.load_group.id));
        return true;
    case FACT_LOAD_POINT:
        *e = (struct live_event){ .topic = TOPIC_LOAD,
                                  .kind = LIVE_LIMIT,
                                  .charger = f->u.load_point.charger };
        e->key = key_of(LIVE_LIMIT, e->charger, f->u.load_point.connector);
        return f->u.load_point.connector > 0;
    case FACT_CHARGER_LIST:
        *e = (struct live_event){ .topic = TOPIC_LISTS,
                                  .kind = LIVE_LIST,
                                  .charger = f->u.charger_list.charger };
        e->key = key_of(LIVE_LIST, e->charger, 0);
        return true;
    case FACT_INSTALLED:
        *e = (struct live_event){ .topic = TOPIC_PROFILES,
                                  .kind = LIVE_PROFILE,
                                  .charger = f->u.installed.charger };
        e->key = key_of(LIVE_PROFILE, e->charger, f->u.installed.id);
        return true;
    case FACT_STATUS: /* the connector says the same */
    case FACT_TAG:
    case FACT_USER:
    case FACT_LOGIN:
    case FACT_API_KEY:
    case FACT_LOAD_MEMBER:
    case FACT_AUDIT:
    case FACT_QUIRK:
    case FACT_LIST:
    case FACT_LIST_ENTRY:
    case FACT_PROFILE:
    case FACT_ACCESS:
    case FACT_BOOT_RULE:
    case FACT_CERTIFICATE:
    case FACT_REFUSAL:
    case FACT_CONFIG:
    case FACT_FILE:
    case FACT_BATCH:
    case FACT_POWER:
    case FACT_SHAPE:
    case FACT_KINDS:
        break;
    }
    return false;
}

/* What the feed never shows is not kept: the sampled values as sent, and long payloads. The length
 * stays. */
static struct fact *lean_copy(const struct fact *f)
{
    struct fact lean = *f, *copy;

    if (f->kind == FACT_READING)
        lean.u.reading.samples = AMP_NO_TEXT;
    if (f->kind != FACT_MESSAGE || f->u.message.payload.len <= LIVE_PAYLOAD)
        return fact_copy(&lean);
    lean.u.message.payload = AMP_NO_TEXT;
    copy = fact_copy(&lean);
    copy->u.message.payload =
        (struct amp_text){ "", f->u.message.payload.len }; /* never read: it is over LIVE_PAYLOAD */
    return copy;
}

static void on_flush(uv_timer_t *t)
{
    struct live *l = t->data;

    l->flushing = false;
    live_flush(l);
}

static void schedule(struct live *l)
{
    uint64_t now = uv_now(l->c->loop), due = l->flushed_ms + LIVE_FRAME_MS;

    if (l->flushing || !l->readers)
        return;
    l->flushing = true;
    uv_timer_start(l->flush, on_flush, due > now + LIVE_JOIN_MS ? due - now : LIVE_JOIN_MS, 0);
}

void live_publish(struct live *l, const struct fact *f)
{
    struct live_event e, *slot;
    const struct charger *ch;

    live_load(l, f);
    if (f->kind == FACT_COMMAND && l->c->rest)
        rest_command_changed(l->c->rest, &f->u.command);
    if (!event_of(f, &e))
        return;
    ch = e.charger ? world_charger_by_key(l->c->world, e.charger) : NULL;
    e.org = ch ? charger_fact(ch)->org : e.org ? e.org : ORG_DEFAULT;
    e.seq = ++l->seq;
    e.at_ms = l->c->now_ms();
    e.fact = lean_copy(f);
    slot = &l->ring[e.seq % LIVE_RING];
    free(slot->fact);
    *slot = e;
    schedule(l);
}

int64_t live_seq(const struct live *l)
{
    return l->seq;
}

/* ---- life ---- */

static uv_timer_t *timer_new(struct live *l)
{
    uv_timer_t *t = malloc(sizeof *t);

    if (!t)
        abort();
    uv_timer_init(l->c->loop, t);
    t->data = l;
    return t;
}

static void on_timer_closed(uv_handle_t *h)
{
    free(h);
}

struct live *live_new(struct central *c)
{
    struct live *l = calloc(1, sizeof *l);

    if (!l)
        abort();
    l->c = c;
    /* counted from the time of the start, so that a number of an earlier process is never taken for
     * one of this */
    l->base = l->seq = c->now_ms() * 1000;
    rest_buf_init(&l->out);
    l->flush = timer_new(l);
    l->alive = timer_new(l);
    return l;
}

void live_free(struct live *l)
{
    if (!l)
        return;
    for (struct live_reader *r = l->readers, *next; r;
         r = next) { /* whose connections net has freed without a word */
        next = r->next;
        free(r);
    }
    for (size_t i = 0; i < LIVE_RING; i++)
        free(l->ring[i].fact);
    for (size_t i = 0; i < READINGS; i++)
        for (struct last_reading *r = l->readings[i], *next; r; r = next) {
            next = r->next;
            free(r);
        }
    uv_close((uv_handle_t *)l->flush, on_timer_closed);
    uv_close((uv_handle_t *)l->alive, on_timer_closed);
    free(l->out.at);
    free(l);
}
