/* central/domain/repair.c - see repair.h. */
#include "central/domain/repair.h"
#include "central/domain/engine.h"

const struct transaction_fact *world_transaction_hold(struct world *w,
                                                      const struct transaction_fact *f)
{
    struct transaction *t = transaction_find(w, f->key);
    struct charger *c = world_charger_by_key(w, f->charger);

    if (!t && !c)
        return NULL;
    if (!t) /* beside the newest, which stay: their stops may be repeated */
        t = transaction_add(w, c, f);
    t->pinned++;
    return t->fact;
}

void world_transaction_let_go(struct world *w, int64_t key)
{
    struct transaction *t = transaction_find(w, key);

    if (t && t->pinned && --t->pinned == 0)
        transaction_forget(w, t->charger, NULL);
}

static int find(const struct world *w, int64_t key, int64_t revision, struct transaction **out)
{
    struct transaction *t = *out = transaction_find(w, key);

    return !t ? AMP_E_ABSENT : t->fact->revision != revision ? AMP_E_BUSY : 0;
}

/* Flags that a person's numbers answer. */
#define ANSWERED                                                                               \
    ((uint32_t)(TX_FLAG_METER_BACK | TX_FLAG_METER_JUMP | TX_FLAG_METER_RESET | TX_FLAG_LATE | \
                TX_FLAG_NO_ENERGY | TX_FLAG_TIME_ODD | TX_FLAG_CONTRADICTED | TX_FLAG_SILENT | \
                TX_FLAG_OFFLINE | TX_FLAG_STOP_IGNORED | TX_FLAG_ZOMBIE))

static void mark(struct transaction_fact *f)
{
    f->attention &= ~ANSWERED;
    transaction_raise(f, TX_FLAG_REPAIRED);
}

/* ---- close ---- */

int world_repair_close(struct world *w, int64_t key, int64_t revision, int64_t meter_wh,
                       int64_t at_ms, int64_t now_ms)
{
    struct transaction *t;
    struct transaction_fact *f;
    int rc = find(w, key, revision, &t);
    int64_t counted, since_ms;

    if (rc < 0)
        return rc;
    f = t->fact;
    if (f->state == TX_PENDING_START) {
        mark(f);
        transaction_event(w, t, TX_GIVEN_UP, now_ms);
        return 0;
    }
    if (!transaction_runs(f->state))
        return AMP_E_STATE;
    at_ms = at_ms ? at_ms : f->last_ms;
    if (at_ms < f->start_ms || (meter_wh >= 0 && meter_wh < f->meter_start_wh))
        return AMP_E_RANGE;
    transaction_unlink(w, t);
    counted = f->energy_wh;
    since_ms = f->register_ms;
    if (meter_wh >= 0) { /* a person's word: no guess of ours is better */
        f->energy_wh = meter_wh - f->meter_start_wh;
        f->offset_wh = -f->meter_start_wh;
        f->last_wh = meter_wh;
    }
    f->state = transaction_next(f->state, TX_STOPS);
    f->meter_stop_wh = f->last_wh;
    f->stop_ms = f->last_ms = f->register_ms = at_ms;
    f->stop_seen_ms = now_ms;
    f->last_power_w = 0;
    f->meter = f->meter & TX_METER_PERIODIC;
    mark(f);
    power_energy(w, t->charger, f->energy_wh - counted, since_ms, at_ms);
    transaction_changed(w, t);
    transaction_forget(w, t->charger, t);
    return 0;
}

/* ---- correct ---- */

static bool sound(const struct transaction_fact *f, const struct repair_correction *r)
{
    int64_t start_wh = r->has_start_wh ? r->start_wh : f->meter_start_wh,
            start_ms = r->start_ms ? r->start_ms : f->start_ms,
            stop_wh = r->has_stop_wh ? r->stop_wh : f->meter_stop_wh,
            stop_ms = r->stop_ms ? r->stop_ms : f->stop_ms;

    if (transaction_is_open(f->state))
        return start_ms <= f->last_ms && start_wh <= f->last_wh;
    return start_ms <= stop_ms && (start_wh <= stop_wh || (!r->has_start_wh && !r->has_stop_wh));
}

int world_repair_correct(struct world *w, int64_t key, int64_t revision,
                         const struct repair_correction *r, int64_t now_ms)
{
    struct transaction *t;
    struct transaction_fact f;
    int rc = find(w, key, revision, &t);
    int64_t more = 0;
    bool open;

    (void)now_ms;
    if (rc < 0)
        return rc;
    f = *t->fact;
    open = transaction_is_open(f.state);
    if (f.state == TX_PENDING_START || f.state == TX_CANCELLED ||
        (open && (r->has_stop_wh || r->stop_ms)))
        return AMP_E_STATE;
    if (!sound(&f, r))
        return AMP_E_RANGE;
    if (r->has_start_wh) {
        more = f.meter_start_wh - r->start_wh; /* flowed before what we knew */
        f.meter_start_wh = r->start_wh;
        f.energy_wh = f.energy_wh + more > 0 ? f.energy_wh + more : 0;
        f.offset_wh += more;
    }
    if (r->has_stop_wh)
        f.meter_stop_wh = f.last_wh = r->stop_wh;
    if (!open && (r->has_start_wh || r->has_stop_wh)) {
        f.energy_wh = f.meter_stop_wh - f.meter_start_wh;
        f.offset_wh = -f.meter_start_wh;
    }
    f.start_ms = r->start_ms ? r->start_ms : f.start_ms;
    if (r->stop_ms)
        f.stop_ms = f.last_ms = f.register_ms = r->stop_ms;
    if (r->tag.at)
        f.tag = r->tag;
    f.state = transaction_next(f.state, TX_CORRECTED);
    mark(&f);
    more = f.energy_wh - t->fact->energy_wh;
    keep(FACT_TRANSACTION, &t->fact, &f);
    power_energy(w, t->charger, more, t->fact->start_ms, open ? t->fact->register_ms : f.stop_ms);
    transaction_changed(w, t);
    return 0;
}

/* ---- merge, void ---- */

int world_repair_merge(struct world *w, int64_t key, int64_t revision, int64_t into, int64_t now_ms)
{
    struct transaction *t, *to = transaction_find(w, into);
    struct transaction_fact f;
    int rc = find(w, key, revision, &t);
    int64_t counted;

    if (rc < 0)
        return rc;
    if (!to || to->charger != t->charger)
        return AMP_E_ABSENT;
    if (to == t || !(t->fact->flags & TX_FLAG_ADOPTED) || t->fact->start_hash ||
        transaction_is_open(t->fact->state) || t->fact->state == TX_CANCELLED ||
        to->fact->state == TX_PENDING_START || to->fact->state == TX_CANCELLED)
        return AMP_E_STATE;
    if (t->fact->stop_ms < to->fact->start_ms || t->fact->meter_stop_wh < to->fact->meter_start_wh)
        return AMP_E_RANGE;
    f = *to->fact;
    if (transaction_is_open(f.state))
        transaction_unlink(w, to);
    counted = f.energy_wh;
    f.meter_stop_wh = f.last_wh = t->fact->meter_stop_wh;
    f.stop_ms = f.last_ms = f.register_ms = t->fact->stop_ms;
    f.stop_seen_ms = now_ms;
    f.stop_tag = t->fact->stop_tag;
    f.reason = t->fact->reason;
    f.stop_hash = t->fact->stop_hash;
    f.energy_wh = f.meter_stop_wh - f.meter_start_wh;
    f.offset_wh = -f.meter_start_wh;
    f.last_power_w = 0;
    f.state = transaction_is_open(f.state) ? transaction_next(f.state, TX_STOPS)
                                           : transaction_next(f.state, TX_CORRECTED);
    mark(&f);
    keep(FACT_TRANSACTION, &to->fact, &f);
    power_energy(w, to->charger, f.energy_wh - counted - t->fact->energy_wh, to->fact->start_ms,
                 to->fact->stop_ms);
    t->fact->merged_into = to->fact->key;
    t->fact->attention = 0;
    t->fact->flags |= TX_FLAG_REPAIRED;
    t->fact->state = transaction_next(t->fact->state, TX_VOIDED);
    transaction_changed(w, to);
    transaction_changed(w, t);
    transaction_forget(w, t->charger, to);
    return 0;
}

int world_repair_void(struct world *w, int64_t key, int64_t revision, int64_t now_ms)
{
    struct transaction *t;
    int rc = find(w, key, revision, &t);

    if (rc < 0)
        return rc;
    if (t->fact->state == TX_CANCELLED)
        return AMP_E_STATE;
    t->fact->attention = 0;
    t->fact->flags |= TX_FLAG_REPAIRED;
    transaction_event(w, t, TX_VOIDED, now_ms);
    return 0;
}

int world_acknowledge(struct world *w, int64_t key, int64_t revision)
{
    struct transaction *t;
    int rc = find(w, key, revision, &t);

    if (rc < 0)
        return rc;
    t->fact->attention = 0;
    t->fact->revision++;
    tell(w, FACT_TRANSACTION, t->fact); /* nothing that a bill says has changed */
    return 0;
}

/* ---- billing ---- */

void world_on_stopped(struct world *w, void (*ready)(void *ctx, const struct transaction_fact *t),
                      void *ctx)
{
    w->billing = ready;
    w->billing_ctx = ctx;
}

int world_billed(struct world *w, int64_t key, int64_t revision, bool done, int64_t now_ms)
{
    struct transaction *t;
    int rc = find(w, key, revision, &t);
    enum transaction_event e = done ? TX_BILLED : TX_BILL_FAILS;

    if (rc < 0)
        return rc;
    if (transaction_next(t->fact->state, e) == t->fact->state)
        return AMP_E_STATE;
    transaction_event(w, t, e, now_ms);
    return 0;
}
