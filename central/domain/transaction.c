/* central/domain/transaction.c - the transaction engine: starts, stops and readings as stations
 * really send them. A message about a transaction is always answered and always kept; what makes no
 * sense is flagged for a person. central-edge-cases 1-28. */
#include "central/domain/engine.h"
#include "central/domain/event.h"
#include <assert.h>
#include <stdio.h>

#define KEY_MAX INT32_MAX

/* A pair that is not listed changes nothing. */
static const struct {
    int state;
    enum transaction_event event;
    int next;
} moves[] = {
    /* clang-format off */
    { TX_PENDING_START,  TX_STARTS,        TX_RUNNING },
    { TX_PENDING_START,  TX_FAULTS,        TX_FAILED },
    { TX_PENDING_START,  TX_GIVEN_UP,      TX_CANCELLED },
    { TX_PENDING_START,  TX_VOIDED,        TX_CANCELLED },
    { TX_RUNNING,        TX_PAUSES,        TX_SUSPENDED },
    { TX_RUNNING,        TX_STOP_ACCEPTED, TX_PENDING_STOP },
    { TX_RUNNING,        TX_STOPS,         TX_STOPPED },
    { TX_RUNNING,        TX_VOIDED,        TX_CANCELLED },
    { TX_SUSPENDED,      TX_FLOWS,         TX_RUNNING },
    { TX_SUSPENDED,      TX_STOP_ACCEPTED, TX_PENDING_STOP },
    { TX_SUSPENDED,      TX_STOPS,         TX_STOPPED },
    { TX_SUSPENDED,      TX_VOIDED,        TX_CANCELLED },
    { TX_PENDING_STOP,   TX_STOP_FAILED,   TX_RUNNING },
    { TX_PENDING_STOP,   TX_STOPS,         TX_STOPPED },
    { TX_PENDING_STOP,   TX_VOIDED,        TX_CANCELLED },
    { TX_STOPPED,        TX_EMPTY,         TX_FAILED },
    { TX_STOPPED,        TX_BILLED,        TX_COMPLETED },
    { TX_STOPPED,        TX_BILL_FAILS,    TX_BILLING_FAILED },
    { TX_STOPPED,        TX_VOIDED,        TX_CANCELLED },
    { TX_COMPLETED,      TX_CORRECTED,     TX_STOPPED }, /* to be billed again */
    { TX_COMPLETED,      TX_VOIDED,        TX_CANCELLED },
    { TX_BILLING_FAILED, TX_BILLED,        TX_COMPLETED }, /* the second try */
    { TX_BILLING_FAILED, TX_CORRECTED,     TX_STOPPED },
    { TX_BILLING_FAILED, TX_STOPS,         TX_STOPPED }, /* the true end of one that was closed by guess */
    { TX_BILLING_FAILED, TX_VOIDED,        TX_CANCELLED },
    { TX_FAILED,         TX_STOPS,         TX_STOPPED }, /* the same */
    { TX_FAILED,         TX_CORRECTED,     TX_STOPPED },
    { TX_FAILED,         TX_VOIDED,        TX_CANCELLED },
    /* clang-format on */
};

int transaction_next(int state, enum transaction_event e)
{
    for (size_t i = 0; i < AMP_COUNT(moves); i++)
        if (moves[i].state == state && moves[i].event == e)
            return moves[i].next;
    return state;
}

bool transaction_is_open(int state)
{
    return state >= TX_PENDING_START && state <= TX_PENDING_STOP;
}

bool transaction_runs(int state)
{
    return state > TX_PENDING_START && state <= TX_PENDING_STOP;
}

bool transaction_settled(const struct transaction_fact *f)
{
    return !transaction_is_open(f->state) &&
           ((f->flags & TX_FLAG_REPAIRED) || f->state == TX_COMPLETED || f->state == TX_CANCELLED);
}

void transaction_changed(struct world *w, struct transaction *t)
{
    t->fact->revision++;
    tell(w, FACT_TRANSACTION, t->fact);
    if (t->fact->state == TX_STOPPED && w->billing && !event_start_lacks(t->fact))
        w->billing(w->billing_ctx, t->fact);
}

void transaction_event(struct world *w, struct transaction *t, enum transaction_event e,
                       int64_t now_ms)
{
    struct transaction_fact *f = t->fact;
    int next = transaction_next(f->state, e);

    if (next == f->state)
        return;
    if (transaction_is_open(f->state) && !transaction_is_open(next)) {
        transaction_unlink(w, t);
        f->last_power_w = 0;
        f->stop_seen_ms = now_ms;
    }
    f->state = next;
    if (e == TX_FLOWS || e == TX_PAUSES || e == TX_STOP_ACCEPTED)
        transaction_heard(f, now_ms);
    if (e == TX_STOP_FAILED)
        transaction_raise(f, TX_FLAG_STOP_IGNORED);
    transaction_changed(w, t);
    if (!transaction_is_open(next))
        transaction_forget(w, t->charger, t);
}

/* ---- flags, energy ---- */

void transaction_raise(struct transaction_fact *f, uint32_t bits)
{
    f->attention |= bits & ~f->flags & TX_ATTENTION;
    f->flags |= bits;
}

void transaction_lower(struct transaction_fact *f, uint32_t bits)
{
    f->flags &= ~bits;
    f->attention &= ~bits;
}

void transaction_heard(struct transaction_fact *f, int64_t now_ms)
{
    f->heard_ms = now_ms;
    transaction_lower(f, TX_FLAG_SILENT | TX_FLAG_OFFLINE);
}

struct meter transaction_meter(const struct transaction_fact *f)
{
    return (struct meter){ f->last_wh,   f->register_ms, f->energy_wh,
                           f->offset_wh, f->before_wh,   (f->meter & TX_METER_UNSURE) != 0 };
}

void transaction_keep_meter(struct transaction_fact *f, const struct meter *m)
{
    f->last_wh = m->last_wh;
    f->register_ms = m->last_ms;
    f->energy_wh = m->energy_wh;
    f->offset_wh = m->offset_wh;
    f->before_wh = m->unsure ? m->before_wh : 0;
    f->meter = (f->meter & ~TX_METER_UNSURE) | (m->unsure ? TX_METER_UNSURE : 0);
}

/* ---- finding ---- */

static bool same_key(const void *item, const void *key)
{
    const struct transaction *t = item;

    return t->fact->key == *(const int64_t *)key;
}

struct transaction *transaction_find(const struct world *w, int64_t key)
{
    return map_get(&w->transactions, map_hash_int(key), same_key, &key);
}

/* The id that the station made up for a transaction that we adopted stands behind a slash in our
 * text id; else 0. */
static int64_t alias(const struct transaction *t)
{
    struct amp_text uid = t->fact->uid;
    const char *slash = uid.len && !t->fact->events ? memchr(uid.at, '/', uid.len) : NULL;
    int64_t id = 0;

    if (!slash ||
        amp_text_int((struct amp_text){ slash + 1, uid.len - (uint32_t)(slash + 1 - uid.at) },
                     &id) < 0)
        return 0;
    return id;
}

/* The transaction of this charger that a wire id means. Never another charger's (E11). */
struct transaction *transaction_addressed(const struct world *w, const struct charger *c,
                                          int64_t id)
{
    struct transaction *t = id > 0 ? transaction_find(w, id) : NULL;

    if (t && t->charger == c)
        return t;
    for (t = id > 0 ? c->transactions : NULL; t; t = t->next)
        if (alias(t) == id)
            return t;
    return NULL;
}

struct transaction *transaction_open_at(const struct charger *c, int connector)
{
    for (struct transaction *t = c->transactions; t; t = t->next)
        if (t->fact->connector == connector && transaction_runs(t->fact->state))
            return t;
    return NULL;
}

/* The one that ran on a connector at a moment of the station's clock: E18. */
struct transaction *transaction_running_at(const struct charger *c, int connector, int64_t at_ms)
{
    for (struct transaction *t = c->transactions; t; t = t->next) {
        const struct transaction_fact *f = t->fact;

        if (f->connector == connector && at_ms >= f->start_ms - SLACK_MS &&
            (transaction_runs(f->state) || at_ms <= f->stop_ms + SLACK_MS))
            return t;
    }
    return NULL;
}

bool transaction_elsewhere(const struct world *w, int64_t org, struct amp_text tag,
                           const struct charger *c, int connector)
{
    for (const struct transaction *t = w->open_first; t; t = t->behind)
        if (t->fact->org == org && !(t->fact->flags & TX_FLAG_REFUSED) &&
            transaction_runs(t->fact->state) && amp_text_eqi(t->fact->tag, tag) &&
            (t->charger != c || t->fact->connector != connector))
            return true;
    return false;
}

const struct transaction_fact *world_transaction(struct world *w, int64_t key)
{
    const struct transaction *t = transaction_find(w, key);

    return t ? t->fact : NULL;
}

const struct transaction_fact *charger_transaction(const struct charger *c, int connector)
{
    const struct transaction *t = transaction_open_at(c, connector);

    return t ? t->fact : NULL;
}

size_t world_open_transactions(struct world *w, const struct transaction_fact **out, size_t cap)
{
    size_t n = 0;

    for (const struct transaction *t = w->open_first; t; t = t->behind) {
        if (!transaction_runs(t->fact->state))
            continue;
        if (n < cap)
            out[n] = t->fact;
        n++;
    }
    return n;
}

/* ---- keeping ---- */

/* In the order of keys, so that a rebuilt world lists them alike; a new one is always the last. */
static void link_open(struct world *w, struct transaction *t)
{
    struct transaction *after = w->open_last;

    while (after && after->fact->key > t->fact->key)
        after = after->before;
    t->before = after;
    t->behind = after ? after->behind : w->open_first;
    *(t->before ? &t->before->behind : &w->open_first) = t;
    *(t->behind ? &t->behind->before : &w->open_last) = t;
    power_joins(w, t);
}

void transaction_unlink(struct world *w, struct transaction *t)
{
    power_leaves(w, t);
    *(t->before ? &t->before->behind : &w->open_first) = t->behind;
    *(t->behind ? &t->behind->before : &w->open_last) = t->before;
    t->before = t->behind = NULL;
}

void transaction_free(struct transaction *t)
{
    free(t->fact);
    free(t);
}

void transaction_forget_all(struct world *w, struct charger *c)
{
    for (struct transaction *t = c->transactions, *next; t; t = next) {
        next = t->next;
        if (transaction_is_open(t->fact->state))
            transaction_unlink(w, t);
        map_remove(&w->transactions, map_hash_int(t->fact->key), t);
        transaction_free(t);
    }
    c->transactions = NULL;
}

/* Forget the closed ones that ended longest ago, but never `keep_it`, which has just ended. */
void transaction_forget(struct world *w, struct charger *c, const struct transaction *keep_it)
{
    for (;;) {
        struct transaction *victim = NULL, **at;
        int closed = 0;

        for (struct transaction *t = c->transactions; t; t = t->next) {
            if (transaction_is_open(t->fact->state) || t->pinned)
                continue;
            closed++;
            if (t != keep_it && (!victim || t->fact->stop_seen_ms < victim->fact->stop_seen_ms ||
                                 (t->fact->stop_seen_ms == victim->fact->stop_seen_ms &&
                                  t->fact->key < victim->fact->key)))
                victim = t;
        }
        if (closed <= WORLD_CLOSED_KEPT || !victim)
            return;
        for (at = &c->transactions; *at != victim; at = &(*at)->next)
            ;
        *at = victim->next;
        map_remove(&w->transactions, map_hash_int(victim->fact->key), victim);
        transaction_free(victim);
    }
}

struct transaction *transaction_add(struct world *w, struct charger *c,
                                    const struct transaction_fact *f)
{
    struct transaction *t = must(calloc(1, sizeof *t)), **at = &c->transactions;

    t->charger = c;
    t->fact = pack(FACT_TRANSACTION, f);
    while (*at && (*at)->fact->key > f->key) /* newest first, whatever the order of a replay */
        at = &(*at)->next;
    t->next = *at;
    *at = t;
    map_put(&w->transactions, map_hash_int(f->key), t);
    key_note(w, &w->next_transaction, f->key);
    if (f->key > w->top_transaction)
        w->top_transaction = f->key;
    if (transaction_is_open(f->state))
        link_open(w, t);
    return t;
}

void transaction_apply(struct world *w, const struct transaction_fact *f)
{
    struct charger *c = world_charger_by_key(w, f->charger);
    struct transaction *t = transaction_find(w, f->key);

    if (!c)
        return;
    if (!t) {
        t = transaction_add(w, c, f);
    } else {
        if (transaction_is_open(t->fact->state))
            transaction_unlink(w, t);
        keep(FACT_TRANSACTION, &t->fact, f);
        if (transaction_is_open(f->state))
            link_open(w, t);
    }
    if (!transaction_is_open(f->state))
        transaction_forget(w, c, t);
}

/* Also of one that is open by another charger's key: the key is new, the rest is `f`. */
struct transaction *transaction_new(struct world *w, struct charger *c, struct transaction_fact *f,
                                    int64_t station_id)
{
    char uid[48];
    int64_t key = transaction_key_take(w);
    int n;

    assert(key <= KEY_MAX); /* E10: after 2^31 transactions there is no honest answer left */
    n = station_id > 0
            ? snprintf(uid, sizeof uid, "t%lld/%lld", (long long)key, (long long)station_id)
            : snprintf(uid, sizeof uid, "t%lld", (long long)key);
    f->key = key;
    f->org = c->fact->org;
    f->charger = c->fact->key;
    f->merged_into = 0;
    f->uid = (struct amp_text){ uid, (uint32_t)n };
    return transaction_add(w, c, f);
}

/* ---- the station's clock ---- */

/* The time to book by: the station's (E24), or ours where its clock was never set. Oddity goes into
 * *flags. */
int64_t transaction_booked_ms(int64_t at_ms, int64_t now_ms, uint32_t *flags)
{
    if (at_ms < CLOCK_SET_MS) {
        *flags |= TX_FLAG_TIME_ODD;
        return now_ms;
    }
    if (at_ms > now_ms + AHEAD_MS)
        *flags |= TX_FLAG_TIME_ODD;
    return at_ms;
}
