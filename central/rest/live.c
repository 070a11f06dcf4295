/* central/rest/live.c - the ring of events and the readers behind it. Facts are kept as facts and
 * become JSON only for who reads them, so that an unwatched server pays a copy each. web-ui.md
 * section 2: batching on the server decides what a page costs. */
#include "central/rest/live.h"
#include "central/rest/feed.h"
#include "central/rest/group_shapes.h"
#include "central/rest/shapes.h"
#include <stdio.h>
#include <stdlib.h>

#define READINGS 4096 /* buckets */
#define SEEN     (LIVE_RING * 2)

struct last_reading {
    struct reading_fact fact;
    struct last_reading *next;
};

struct live {
    struct central *c;
    struct live_event ring[LIVE_RING]; /* event `seq` at seq % LIVE_RING */
    int64_t base;                      /* seq before the first event of this process */
    int64_t seq;
    struct live_reader *readers;
    unsigned count;
    uv_timer_t *flush, *alive;
    bool flushing; /* the timer runs */
    uint64_t flushed_ms;
    struct amp_buf out;
    uint64_t seen_key[SEEN]; /* scratch of one reader's turn */
    uint32_t seen_turn[SEEN], turn;
    bool keep[LIVE_RING];
    struct last_reading *readings[READINGS];
};

static const char *const topics[] = { "chargers", "transactions", "messages", "commands",
                                      "reservations", "load", "lists", "profiles" };
static const char *const kinds[] = { "charger", "connector", "connection", "transaction",
                                     "reading", "message",   "command",    "reservation",
                                     "group",   "limit",  "list",       "profile" };

const char *live_topic_name(enum live_topic t)
{
    return topics[t];
}

int live_topic_find(struct amp_text name)
{
    for (int i = 0; i < TOPICS; i++)
        if (amp_text_is(name, topics[i]))
            return i;
    return -1;
}

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
        e->key = key_of(LIVE_GROUP, f->u.load_group.org,
                        (int64_t)amp_text_hashi(f->u.load_group.id));
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

/* ---- events to readers ---- */

static void put_connection(struct amp_json *w, const struct central *c,
                           const struct connection_fact *f)
{
    static const char *const events[] = { "", "opened", "stale", "closed", "refused" };
    struct amp_text known = shape_charger_id(c, f->charger);

    amp_json_open(w, '{');
    shape_text(w, "charger", known.at ? known : f->id);
    amp_json_key(w, "event");
    amp_json_str(w, f->event > 0 && (size_t)f->event < AMP_COUNT(events) ? events[f->event] : "");
    if (f->code)
        shape_int(w, "code", f->code);
    shape_text(w, "address", f->address);
    shape_text(w, "reason", f->reason);
    amp_json_close(w, '}');
}

static void put_event(struct amp_json *w, const struct central *c, const struct live_event *e)
{
    const struct fact *f = e->fact;
    int64_t now = c->now_ms();

    amp_json_open(w, '{');
    shape_int(w, "seq", e->seq);
    amp_json_key(w, "topic");
    amp_json_str(w, topics[e->topic]);
    amp_json_key(w, "kind");
    amp_json_str(w, kinds[e->kind]);
    amp_json_key(w, "at");
    amp_json_time(w, e->at_ms);
    amp_json_key(w, "data");
    switch (e->kind) {
    case LIVE_CHARGER:
        shape_charger_fact(w, &f->u.charger, now);
        break;
    case LIVE_CONNECTOR:
        shape_connector_fact(w, c, &f->u.connector, now);
        break;
    case LIVE_CONNECTION:
        put_connection(w, c, &f->u.connection);
        break;
    case LIVE_TRANSACTION:
        shape_transaction(w, c, &f->u.transaction, NULL);
        break;
    case LIVE_READING:
        shape_reading(w, c, &f->u.reading);
        break;
    case LIVE_MESSAGE:
        shape_message(w, c, &f->u.message, 0, LIVE_PAYLOAD);
        break;
    case LIVE_COMMAND:
        shape_command(w, c, &f->u.command);
        break;
    case LIVE_RESERVATION:
        shape_reservation(w, c, &f->u.reservation);
        break;
    case LIVE_GROUP:
        shape_group(w, c, &f->u.load_group, now);
        break;
    case LIVE_LIMIT:
        if (!shape_connector_limit(w, c, f->u.load_point.charger, f->u.load_point.connector, now))
            amp_json_raw(w, AMP_TEXT("{}")); /* it has left its group meanwhile */
        break;
    case LIVE_LIST:
        shape_charger_list(w, c, &f->u.charger_list);
        break;
    case LIVE_PROFILE:
        shape_installed(w, c, &f->u.installed);
        break;
    }
    amp_json_close(w, '}');
}

static bool wants(const struct live_reader *r, const struct live_event *e)
{
    return (r->topics & 1u << e->topic) && r->org == e->org &&
           (!r->charger || r->charger == e->charger);
}

/* First time that this key is met in this turn? */
static bool first_of(struct live *l, uint64_t key)
{
    size_t i = key % SEEN;

    while (l->seen_turn[i] == l->turn) {
        if (l->seen_key[i] == key)
            return false;
        i = (i + 1) % SEEN;
    }
    l->seen_turn[i] = l->turn;
    l->seen_key[i] = key;
    return true;
}

/* Mark in keep[] what `r` gets of (seen, seq]: walking back from the newest, the first of a key is
 * its last value. Streams get everything. Returns the number; *dropped counts messages beyond the
 * batch. */
static unsigned choose(struct live *l, const struct live_reader *r, unsigned *dropped)
{
    unsigned kept = 0, messages = 0;

    *dropped = 0;
    if (++l->turn == 0) { /* the stamps went round: old ones could look new */
        memset(l->seen_turn, 0, sizeof l->seen_turn);
        l->turn = 1;
    }
    for (int64_t seq = l->seq; seq > r->seen; seq--) {
        const struct live_event *e = &l->ring[seq % LIVE_RING];
        bool keep = wants(r, e) && (r->stream || !e->key || first_of(l, e->key));

        if (keep && !r->stream && e->topic == TOPIC_MESSAGES && ++messages > LIVE_MESSAGES) {
            keep = false;
            ++*dropped;
        }
        l->keep[seq % LIVE_RING] = keep;
        kept += keep;
    }
    return kept;
}

static void send_frame(struct live *l, struct live_reader *r, int64_t from, bool resync,
                       unsigned dropped)
{
    struct amp_json w;

    amp_buf_reset(&l->out);
    amp_json_init(&w, &l->out);
    amp_json_open(&w, '{');
    shape_int(&w, "seq", l->seq);
    amp_json_key(&w, "at");
    amp_json_time(&w, l->c->now_ms());
    if (resync) {
        amp_json_key(&w, "resync");
        amp_json_bool(&w, true);
    } else {
        amp_json_key(&w, "events");
        amp_json_open(&w, '[');
        for (int64_t seq = from + 1; seq <= l->seq; seq++)
            if (l->keep[seq % LIVE_RING])
                put_event(&w, l->c, &l->ring[seq % LIVE_RING]);
        amp_json_close(&w, ']');
    }
    if (dropped)
        shape_int(&w, "dropped", dropped);
    amp_json_close(&w, '}');
    net_send(r->owned.conn, AMP_WS_TEXT, l->out.at, l->out.len);
}

static void stream_event(struct live *l, int64_t seq, const char *name)
{
    amp_buf_puts(&l->out, "id: ");
    amp_buf_int(&l->out, seq);
    amp_buf_puts(&l->out, "\nevent: ");
    amp_buf_puts(&l->out, name);
    amp_buf_puts(&l->out, "\ndata: ");
}

static void send_stream(struct live *l, struct live_reader *r, int64_t from, bool resync)
{
    struct amp_json w;

    amp_buf_reset(&l->out);
    if (resync) {
        stream_event(l, l->seq, "resync");
        amp_buf_puts(&l->out, "{}\n\n");
    } else {
        for (int64_t seq = from + 1; seq <= l->seq; seq++) {
            if (!l->keep[seq % LIVE_RING])
                continue;
            stream_event(l, seq, topics[l->ring[seq % LIVE_RING].topic]);
            amp_json_init(&w, &l->out);
            put_event(&w, l->c, &l->ring[seq % LIVE_RING]);
            amp_buf_puts(&l->out, "\n\n");
        }
    }
    if (!l->out.len)
        amp_buf_puts(&l->out, ":\n\n"); /* a comment: a sign of life */
    net_stream_put(r->owned.conn, l->out.at, l->out.len);
}

/* The newest LIVE_RING events of this process are there; numbers of an earlier process are all
 * below `base`. */
static bool lost(const struct live *l, int64_t since)
{
    int64_t oldest = l->seq - l->base > LIVE_RING ? l->seq - LIVE_RING : l->base;

    return since < oldest || since > l->seq;
}

/* `always`: also when there is nothing new. A send may end the connection and free `r`: it comes
 * last. */
static void feed(struct live *l, struct live_reader *r, bool always)
{
    int64_t from = r->seen;
    unsigned dropped = 0, kept;
    bool resync = lost(l, from);

    if (!r->topics)
        return;
    kept = resync ? 0 : choose(l, r, &dropped);
    r->seen = l->seq;
    if (!kept && !dropped && !resync && !always)
        return;
    r->sent_ms = uv_now(l->c->loop);
    if (r->stream)
        send_stream(l, r, from, resync);
    else
        send_frame(l, r, from, resync, dropped);
}

void live_flush(struct live *l)
{
    l->flushed_ms = uv_now(l->c->loop);
    for (struct live_reader *r = l->readers, *next; r; r = next) {
        next = r->next; /* a send may end the connection */
        feed(l, r, false);
    }
}

void live_alive(struct live *l)
{
    uint64_t now = uv_now(l->c->loop);

    for (struct live_reader *r = l->readers, *next; r; r = next) {
        next = r->next;
        if (now - r->sent_ms >= LIVE_ALIVE_MS / 2)
            feed(l, r, true);
    }
}

static void on_alive(uv_timer_t *t)
{
    live_alive(t->data);
}

bool live_add(struct live *l, struct live_reader *r)
{
    if (l->count >= LIVE_READERS)
        return false;
    if (!l->readers)
        uv_timer_start(l->alive, on_alive, LIVE_ALIVE_MS / 2, LIVE_ALIVE_MS / 2);
    r->live = l;
    r->prev = NULL;
    r->next = l->readers;
    if (r->next)
        r->next->prev = r;
    l->readers = r;
    l->count++;
    return true;
}

void live_remove(struct live_reader *r)
{
    struct live *l = r->live;

    if (r->prev)
        r->prev->next = r->next;
    else
        l->readers = r->next;
    if (r->next)
        r->next->prev = r->prev;
    if (--l->count == 0) {
        uv_timer_stop(l->flush);
        uv_timer_stop(l->alive);
        l->flushing = false;
    }
}

void live_start(struct live_reader *r, int64_t since)
{
    r->seen = since ? since : r->live->seq;
    feed(r->live, r, true);
}

void live_drop_user(struct live *l, int64_t user)
{
    for (struct live_reader *r = l->readers, *next; r; r = next) {
        next = r->next;
        if (r->user != user)
            continue;
        if (r->stream)
            net_stream_end(r->owned.conn);
        else
            net_close(r->owned.conn, 4001, "logged out");
    }
}

unsigned live_readers(const struct live *l)
{
    return l->count;
}

struct central *live_central(const struct live *l)
{
    return l->c;
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
