/* central/domain/start.c - starts: repeated, late, out of order, on a connector where one runs, or
 * asked for from afar. central-edge-cases 1-3, 5, 8, 10, 15-17, 20, 88. */
#include "central/domain/engine.h"

#define BELOW_WH METER_BACK_WH

static uint64_t mix(uint64_t h, uint64_t v)
{
    return (h ^ v) * UINT64_C(0x9E3779B97F4A7C15) ^ h >> 29;
}

/* A station whose clock was never set may tell another wrong time at the second try, so that time
 * counts for nothing then. */
uint64_t transaction_start_hash(const struct start_info *s)
{
    uint64_t h = mix(1, (uint64_t)s->connector);

    h = mix(h, (uint64_t)s->meter_wh);
    h = mix(h, s->at_ms >= CLOCK_SET_MS ? (uint64_t)s->at_ms : 0);
    for (uint32_t i = 0; i < s->tag.len; i++) { /* E31: without case */
        char c = s->tag.at[i];

        h = mix(h, (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c));
    }
    return h ? h : 1;
}

/* E1, E2, E5: the content tells a repetition, not the message id; and what the station said, not
 * what a person made of it. */
static struct transaction *repeated_start(const struct charger *c, const struct start_info *s)
{
    uint64_t hash = transaction_start_hash(s);

    for (struct transaction *t = c->transactions; t; t = t->next)
        if (t->fact->start_hash == hash &&
            (s->at_ms >= CLOCK_SET_MS || transaction_is_open(t->fact->state)))
            return t;
    return NULL;
}

/* E8: a stop without a usable id came before its start. The start is older than the stop, its meter
 * lower, its tag fits, and there is only one such stop. */
static struct transaction *stop_of(const struct world *w, const struct charger *c,
                                   const struct start_info *s)
{
    struct transaction *found = NULL;

    for (struct transaction *t = c->transactions; t; t = t->next) {
        const struct transaction_fact *f = t->fact;

        if (transaction_is_open(f->state) || transaction_settled(f) || f->start_hash ||
            !(f->flags & TX_FLAG_ADOPTED) || (f->flags & TX_FLAG_FOREIGN_STOP) || f->connector ||
            s->at_ms < CLOCK_SET_MS || s->at_ms > f->stop_ms || s->meter_wh > f->meter_stop_wh ||
            !transaction_may_be_tag(w, f->org, f->stop_tag, s->tag))
            continue;
        if (found)
            return NULL;
        found = t;
    }
    return found;
}

/* E20: readings came before their start. */
static bool is_start_of(const struct transaction_fact *f, const struct start_info *s)
{
    return (f->flags & TX_FLAG_ADOPTED) && !f->start_hash && s->at_ms >= CLOCK_SET_MS &&
           s->at_ms <= f->start_ms + SLACK_MS && s->meter_wh <= f->meter_start_wh;
}

/* E88: the register was higher when the last session on this connector ended. A station that counts
 * each session from 0 does nothing odd. */
static bool starts_below(const struct charger *c, const struct start_info *s, int64_t at_ms,
                         int64_t itself)
{
    const struct transaction_fact *last = NULL;

    for (const struct transaction *t = c->transactions; t; t = t->next) {
        const struct transaction_fact *f = t->fact;

        if (f->key != itself && f->connector == s->connector && !transaction_is_open(f->state) &&
            f->stop_ms && f->stop_ms <= at_ms + SLACK_MS && (!last || f->stop_ms > last->stop_ms))
            last = f;
    }
    return last && s->meter_wh != 0 && s->meter_wh < last->meter_stop_wh - BELOW_WH;
}

void transaction_close_zombie(struct world *w, struct transaction *t, int64_t now_ms)
{
    struct transaction_fact *f = t->fact;

    transaction_unlink(w, t);
    f->state = transaction_next(f->state, TX_STOPS);
    transaction_lower(f, TX_FLAG_SILENT | TX_FLAG_OFFLINE);
    transaction_raise(f, TX_FLAG_ZOMBIE | (f->energy_wh ? 0u : TX_FLAG_NO_ENERGY));
    if ((f->flags & TX_FLAG_REFUSED) && !f->energy_wh)
        f->state = transaction_next(f->state, TX_EMPTY);
    f->meter_stop_wh = f->last_wh;
    f->stop_ms = f->last_ms;
    f->stop_seen_ms = now_ms;
    f->last_power_w = 0;
    transaction_changed(w, t);
    transaction_forget(w, t->charger, t);
}

/* Has another session begun on this connector since? Then this start is late, or a repetition of
 * one that is not in memory any more (E5), and nothing of it runs. A clock that was ahead and was
 * put right is told by this: its earlier sessions are in the future, or this start is of right now.
 */
static bool superseded(const struct charger *c, const struct transaction *runs,
                       const struct start_info *s, int64_t now_ms)
{
    if (s->at_ms < CLOCK_SET_MS)
        return false;
    if (runs)
        return s->at_ms < runs->fact->start_ms - SLACK_MS &&
               runs->fact->start_ms <= now_ms + AHEAD_MS;
    for (const struct transaction *t = c->transactions; t; t = t->next)
        if (t->fact->connector == s->connector && t->fact->start_hash &&
            t->fact->start_ms > s->at_ms + SLACK_MS && t->fact->start_ms <= now_ms + AHEAD_MS)
            return now_ms - s->at_ms > AHEAD_MS;
    return false;
}

/* A start in whose place another has come already. */
static void begin_closed(struct transaction_fact *f, int64_t now_ms)
{
    f->state = TX_STOPPED;
    transaction_raise(f, TX_FLAG_ZOMBIE | TX_FLAG_NO_ENERGY);
    if (f->flags & TX_FLAG_REFUSED)
        f->state = transaction_next(f->state, TX_EMPTY);
    f->meter_stop_wh = f->meter_start_wh;
    f->stop_ms = f->start_ms;
    f->stop_seen_ms = now_ms;
}

/* What a start says goes into `f`. */
static void book_start(const struct world *w, const struct charger *c, struct transaction_fact *f,
                       const struct start_info *s, const char *judged, int64_t now_ms)
{
    uint32_t odd = 0;
    struct meter m;

    f->connector = s->connector;
    f->tag = s->tag;
    f->start_hash = transaction_start_hash(s);
    f->start_ms = transaction_booked_ms(s->at_ms, now_ms, &odd);
    f->last_ms = transaction_order_ms(f->start_ms, now_ms);
    f->start_seen_ms = now_ms;
    f->meter_start_wh = s->meter_wh;
    f->reservation = s->reservation > 0 ? s->reservation : 0; /* E30: 0 means none */
    if (judged && strcmp(judged, "Accepted") != 0)
        odd |= TX_FLAG_REFUSED; /* E15: energy may flow all the same, so it is kept */
    if (judged && !world_tag(w, c->fact->org, s->tag))
        odd |= TX_FLAG_UNKNOWN_TAG; /* E16 */
    if (starts_below(c, s, f->start_ms, f->key))
        odd |= TX_FLAG_START_BELOW;
    transaction_raise(f, odd);
    transaction_heard(f, now_ms);
    meter_begin(&m, s->meter_wh, f->last_ms);
    transaction_keep_meter(f, &m);
}

void transaction_add_start(struct world *w, struct transaction *t, const struct start_info *s,
                           const char *judged, int64_t now_ms)
{
    struct transaction_fact f = *t->fact;
    bool open = transaction_is_open(f.state);
    int64_t last_wh = open ? f.last_wh : f.meter_stop_wh, last_ms = f.last_ms,
            register_ms = f.register_ms, counted = f.energy_wh, power_w = f.last_power_w;
    struct meter m;

    book_start(w, t->charger, &f, s, judged, now_ms);
    m = transaction_meter(&f);
    if (!(f.meter & TX_METER_UNKNOWN))
        transaction_raise(&f, open ? meter_follow(&m, last_wh, register_ms)
                                   : meter_end(&m, s->meter_wh, last_wh, register_ms, f.flags));
    if (!s->no_meter)
        f.meter &= ~TX_METER_UNKNOWN;
    transaction_keep_meter(&f, &m);
    f.last_ms = last_ms > f.last_ms ? last_ms : f.last_ms;
    f.last_power_w = power_w;
    if (!open && f.stop_ms < f.start_ms)
        transaction_raise(&f, TX_FLAG_TIME_ODD);
    if (!open && !f.energy_wh)
        transaction_raise(&f, TX_FLAG_NO_ENERGY);
    else if (!open)
        f.state = transaction_next(f.state, TX_STOPS); /* of one that seemed to be empty */
    if (!open && (f.flags & TX_FLAG_REFUSED) && !f.energy_wh)
        f.state = transaction_next(f.state, TX_EMPTY);
    keep(FACT_TRANSACTION, &t->fact, &f);
    transaction_changed(w, t);
    power_energy(w, t->charger, t->fact->energy_wh - counted, t->fact->start_ms, last_ms);
}

int64_t world_start(struct world *w, struct charger *c, const struct start_info *s, int64_t now_ms,
                    struct tag_answer *out)
{
    struct transaction *t = repeated_start(c, s), *runs;
    struct transaction_fact f = { .state = TX_RUNNING };

    tag_authorize(w, c->fact->org, s->tag, c, s->connector, now_ms, out);
    if (t)
        return t->fact->key; /* E3: its own first copy is no concurrent transaction */
    runs = transaction_open_at(c, s->connector);
    t = runs && is_start_of(runs->fact, s) ? runs : stop_of(w, c, s);
    if (t) {
        transaction_add_start(w, t, s, out->status, now_ms);
        command_saw_start(w, c, t->fact, now_ms);
        return t->fact->key;
    }
    book_start(w, c, &f, s, out->status, now_ms);
    if (superseded(c, runs, s, now_ms))
        begin_closed(&f, now_ms);
    else if (runs)
        transaction_close_zombie(w, runs, now_ms);
    t = f.state == TX_RUNNING ? transaction_awaited(c, s->connector, s->tag) : NULL;
    if (t) { /* what was asked for has come: the record becomes the transaction */
        f.key = t->fact->key;
        f.org = t->fact->org;
        f.charger = t->fact->charger;
        f.uid = t->fact->uid;
        f.revision = t->fact->revision;
        f.state = transaction_next(t->fact->state, TX_STARTS);
        keep(FACT_TRANSACTION, &t->fact, &f);
    } else {
        t = transaction_new(w, c, &f, 0);
    }
    transaction_changed(w, t);
    if (!transaction_is_open(f.state))
        transaction_forget(w, c, t);
    command_saw_start(w, c, t->fact, now_ms);
    return t->fact->key;
}

/* ---- asked for from afar ---- */

int64_t transaction_ask(struct world *w, struct charger *c, int connector, struct amp_text tag,
                        int64_t now_ms)
{
    struct transaction_fact f = { .connector = connector > 0 ? connector : 0,
                                  .state = TX_PENDING_START,
                                  .tag = tag,
                                  .start_seen_ms = now_ms,
                                  .heard_ms = now_ms };
    struct transaction *t = transaction_new(w, c, &f, 0);

    transaction_changed(w, t);
    return t->fact->key;
}

/* The oldest that fits. */
struct transaction *transaction_awaited(const struct charger *c, int connector, struct amp_text tag)
{
    struct transaction *found = NULL;

    for (struct transaction *t = c->transactions; t; t = t->next)
        if (t->fact->state == TX_PENDING_START &&
            (!t->fact->connector || t->fact->connector == connector) &&
            (!t->fact->tag.len || amp_text_eqi(t->fact->tag, tag)))
            found = t;
    return found;
}

void transaction_faulted(struct world *w, struct charger *c, int connector, int64_t now_ms)
{
    struct transaction *t = c->transactions;

    while (t) {
        bool fails =
            t->fact->state == TX_PENDING_START && (!connector || t->fact->connector == connector);

        if (fails)
            transaction_event(w, t, TX_FAULTS, now_ms);
        t = fails ? c->transactions : t->next; /* one that closes may take another along */
    }
}
