/* central/domain/reading.c - meter readings: whose they are, and what they move.
 * central-edge-cases 18-22. */
#include "central/domain/engine.h"

static bool known_reading(const struct transaction *t, uint64_t hash)
{
    uint32_t n = t->hash_count < HASHES_KEPT ? t->hash_count : HASHES_KEPT;

    for (uint32_t i = 0; i < n; i++)
        if (t->hashes[i] == hash)
            return true;
    return false;
}

static void remember_reading(struct transaction *t, uint64_t hash)
{
    t->hashes[t->hash_count++ % HASHES_KEPT] = hash;
    if (t->hash_count == 2 * HASHES_KEPT) /* stays "full" without ever wrapping */
        t->hash_count = HASHES_KEPT;
}

void transaction_apply_reading(struct world *w, const struct reading_fact *r)
{
    struct transaction *t = transaction_find(w, r->transaction);

    if (t && !known_reading(t, r->hash))
        remember_reading(t, r->hash);
}

/* E20: readings of a transaction that we never heard of, on a connector where nothing runs. Ids
 * that we gave out ourselves are not adopted: those transactions are over, and none is reopened
 * (E19). */
static struct transaction *adopt_running(struct world *w, struct charger *c,
                                         const struct reading_fact *r, int64_t at_ms,
                                         int64_t now_ms)
{
    struct transaction_fact f = { .connector = r->connector, .state = TX_RUNNING };
    struct transaction *t;
    struct meter m;

    if (r->connector < 1 || r->transaction <= w->top_transaction ||
        transaction_open_at(c, r->connector))
        return NULL;
    transaction_raise(&f, TX_FLAG_ADOPTED);
    f.start_ms = f.last_ms = at_ms;
    f.start_seen_ms = f.heard_ms = now_ms;
    if (r->has & READING_ENERGY)
        f.meter_start_wh = r->energy_wh;
    else
        f.meter = TX_METER_UNKNOWN;
    meter_begin(&m, f.meter_start_wh, at_ms);
    transaction_keep_meter(&f, &m);
    t = transaction_new(w, c, &f, r->transaction);
    transaction_changed(w, t);
    return t;
}

/* E89: taken because of the clock. The session's own readings are better; where it has none, these
 * must do. */
static bool counts(struct transaction_fact *f, const struct reading_fact *r)
{
    if (!(r->has & READING_CLOCK))
        f->meter |= TX_METER_PERIODIC;
    return !(f->meter & TX_METER_PERIODIC) || !(r->has & READING_CLOCK);
}

static void move_meter(struct world *w, struct transaction *t, const struct reading_fact *r,
                       int64_t at_ms)
{
    struct transaction_fact *f = t->fact;
    struct meter m = transaction_meter(f);
    int64_t counted = f->energy_wh, since_ms = f->register_ms;

    if ((r->has & READING_ENERGY) && (f->meter & TX_METER_UNKNOWN)) {
        f->meter &= ~TX_METER_UNKNOWN;
        f->meter_start_wh = r->energy_wh;
        meter_begin(&m, r->energy_wh, at_ms);
        transaction_keep_meter(f, &m);
    } else if (r->has & READING_ENERGY) {
        transaction_raise(f, meter_follow(&m, r->energy_wh, at_ms));
        transaction_keep_meter(f, &m);
        power_energy(w, t->charger, f->energy_wh - counted, since_ms, at_ms);
    }
    f->last_ms = at_ms;
}

/* Newer readings move the transaction's last known values. A closed one stays as it is (E19), but a
 * zombie's end was a guess that a late reading improves. */
static void take_over(struct world *w, struct transaction *t, const struct reading_fact *r,
                      int64_t at_ms, uint32_t odd, int64_t now_ms)
{
    struct transaction_fact *f = t->fact;
    bool open = transaction_runs(f->state), settled = transaction_settled(f),
         told = (f->flags | odd) == f->flags;

    if (settled && (r->has & READING_ENERGY) && r->energy_wh > f->meter_stop_wh &&
        !(f->flags & TX_FLAG_LATE)) {
        odd |= TX_FLAG_LATE;
        told = false;
    }
    transaction_raise(f, odd);
    if ((open || ((f->flags & TX_FLAG_ZOMBIE) && !settled)) &&
        at_ms >= f->last_ms) { /* E22: older is no news */
        told = false;
        transaction_heard(f, now_ms);
        if (counts(f, r)) {
            move_meter(w, t, r, at_ms);
            if (open && (r->has & READING_POWER))
                power_level(w, t, r->power_w, at_ms, now_ms);
            if (!open) {
                f->stop_ms = at_ms;
                f->meter_stop_wh = f->last_wh;
                if (f->energy_wh)
                    transaction_lower(f, TX_FLAG_NO_ENERGY);
            }
        }
    }
    if (told)
        return;
    if (open)
        tell(w, FACT_TRANSACTION, f); /* a reading is no new revision */
    else
        transaction_changed(w, t);
}

bool world_reading(struct world *w, struct charger *c, struct reading_fact *r, int64_t now_ms)
{
    uint32_t odd = 0;
    int64_t at_ms = transaction_booked_ms(r->at_ms, now_ms, &odd);
    struct transaction *t = transaction_addressed(w, c, r->transaction);

    at_ms = transaction_order_ms(at_ms, now_ms);
    if (!t && r->connector > 0)
        t = transaction_running_at(c, r->connector, at_ms);
    if (!t && r->transaction > 0)
        t = adopt_running(w, c, r, at_ms, now_ms);
    if (t && known_reading(t, r->hash))
        return false;
    r->charger = c->fact->key;
    r->transaction = t ? t->fact->key : 0; /* E21: outside a transaction it is still a reading */
    r->seen_ms = now_ms;
    tell(w, FACT_READING, r);
    if (t) {
        remember_reading(t, r->hash);
        take_over(w, t, r, at_ms, odd, now_ms);
    }
    return true;
}
