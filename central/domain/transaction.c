/* central/domain/transaction.c - the transaction engine: starts, stops and readings as stations
 * really send them. A message about a transaction is always answered and always kept; what makes no
 * sense is flagged for a person. central-edge-cases 1-28. */
#include "central/domain/engine.h"
#include <assert.h>
#include <stdio.h>

#define KEY_MAX INT32_MAX

/* A pair that is not listed changes nothing. */
static const struct {
    int state;
    enum transaction_event event;
    int next;
} moves[] = {
    {TX_PENDING_START,  TX_FLOWS,         TX_RUNNING     },
    { TX_PENDING_START, TX_STOPS,         TX_STOPPED     },
    { TX_RUNNING,       TX_PAUSES,        TX_SUSPENDED   },
    { TX_RUNNING,       TX_STOP_ACCEPTED, TX_PENDING_STOP},
    { TX_RUNNING,       TX_STOPS,         TX_STOPPED     },
    { TX_SUSPENDED,     TX_FLOWS,         TX_RUNNING     },
    { TX_SUSPENDED,     TX_STOP_ACCEPTED, TX_PENDING_STOP},
    { TX_SUSPENDED,     TX_STOPS,         TX_STOPPED     },
    { TX_PENDING_STOP,  TX_STOP_FAILED,   TX_RUNNING     },
    { TX_PENDING_STOP,  TX_STOPS,         TX_STOPPED     },
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

void transaction_event(struct world *w, struct transaction *t, enum transaction_event e)
{
    int next = transaction_next(t->fact->state, e);

    if (next == t->fact->state)
        return;
    t->fact->state = next;
    tell(w, FACT_TRANSACTION, t->fact);
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
    const char *slash = uid.len ? memchr(uid.at, '/', uid.len) : NULL;
    int64_t id = 0;

    if (!slash ||
        amp_text_int((struct amp_text){ slash + 1, uid.len - (uint32_t)(slash + 1 - uid.at) },
                     &id) < 0)
        return 0;
    return id;
}

/* The transaction of this charger that a wire id means. Never another charger's (E11). */
struct transaction *transaction_addressed(const struct world *w, const struct charger *c, int64_t id)
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
        if (t->fact->connector == connector && transaction_is_open(t->fact->state))
            return t;
    return NULL;
}

/* The one that ran on a connector at a moment of the station's clock: E18. */
struct transaction *transaction_running_at(const struct charger *c, int connector, int64_t at_ms)
{
    for (struct transaction *t = c->transactions; t; t = t->next) {
        const struct transaction_fact *f = t->fact;

        if (f->connector == connector && at_ms >= f->start_ms - SLACK_MS &&
            (transaction_is_open(f->state) || at_ms <= f->stop_ms + SLACK_MS))
            return t;
    }
    return NULL;
}

bool transaction_elsewhere(const struct world *w, int64_t org, struct amp_text tag,
                           const struct charger *c, int connector)
{
    for (const struct transaction *t = w->open_first; t; t = t->behind)
        if (t->fact->org == org && !(t->fact->flags & TX_FLAG_REFUSED) &&
            amp_text_eqi(t->fact->tag, tag) && (t->charger != c || t->fact->connector != connector))
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

    for (const struct transaction *t = w->open_first; t; t = t->behind, n++)
        if (n < cap)
            out[n] = t->fact;
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
}

void transaction_unlink(struct world *w, struct transaction *t)
{
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
            if (transaction_is_open(t->fact->state))
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

static struct transaction *add(struct world *w, struct charger *c, const struct transaction_fact *f)
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
        t = add(w, c, f);
    } else {
        bool was_open = transaction_is_open(t->fact->state);

        keep(FACT_TRANSACTION, &t->fact, f);
        if (was_open && !transaction_is_open(f->state))
            transaction_unlink(w, t);
        if (!was_open && transaction_is_open(f->state))
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
    f->uid = (struct amp_text){ uid, (uint32_t)n };
    return add(w, c, f);
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
