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
    struct transaction_fact f = { .connector = r->connector,
                                  .state = TX_RUNNING,
                                  .flags = TX_FLAG_ADOPTED };
    struct transaction *t;

    if (r->connector < 1 || r->transaction <= w->top_transaction ||
        transaction_open_at(c, r->connector))
        return NULL;
    f.start_ms = f.last_ms = at_ms;
    f.start_seen_ms = now_ms;
    if (r->has & READING_ENERGY)
        f.meter_start_wh = f.last_wh = r->energy_wh;
    t = transaction_new(w, c, &f, r->transaction);
    tell(w, FACT_TRANSACTION, t->fact);
    return t;
}

/* Newer readings move the transaction's last known values. A closed one stays as it is (E19), but a
 * zombie's end was a guess that a late reading improves. */
static void take_over(struct world *w, struct transaction *t, const struct reading_fact *r,
                      int64_t at_ms, uint32_t odd)
{
    struct transaction_fact *f = t->fact;
    bool open = transaction_is_open(f->state), told = (f->flags | odd) == f->flags;

    f->flags |= odd;
    if ((open || (f->flags & TX_FLAG_ZOMBIE)) && at_ms >= f->last_ms) { /* E22: older is no news */
        told = false;
        f->last_ms = at_ms;
        if (r->has & READING_ENERGY) {
            if (r->energy_wh < f->last_wh)
                f->flags |= TX_FLAG_METER_BACK;
            f->last_wh = r->energy_wh;
        }
        if (open && (r->has & READING_POWER))
            f->last_power_w = r->power_w;
        if (!open) {
            f->stop_ms = at_ms;
            f->meter_stop_wh = f->last_wh;
            if (f->last_wh != f->meter_start_wh)
                f->flags &= ~(uint32_t)TX_FLAG_NO_ENERGY;
        }
    }
    if (!told)
        tell(w, FACT_TRANSACTION, f);
}

bool world_reading(struct world *w, struct charger *c, struct reading_fact *r, int64_t now_ms)
{
    uint32_t odd = 0;
    int64_t at_ms = transaction_booked_ms(r->at_ms, now_ms, &odd);
    struct transaction *t = transaction_addressed(w, c, r->transaction);

    if (at_ms > now_ms + AHEAD_MS)
        at_ms = now_ms; /* else one wrong time would make all later readings old ones */
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
        take_over(w, t, r, at_ms, odd);
    }
    return true;
}
