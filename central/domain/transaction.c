/* central/domain/transaction.c - the transaction engine: starts, stops and readings as stations
 * really send them. A message about a transaction is always answered and always kept; what makes no
 * sense is flagged for a person. central-edge-cases 1-28. */
#include "central/domain/inside.h"
#include <assert.h>
#include <stdio.h>

#define CLOCK_SET_MS                                                                   \
    1262304000000       /* 2010-01-01: a station clock before that was never set (E77) \
                         */
#define AHEAD_MS 600000 /* a station clock may run so far ahead */
#define SLACK_MS 1000   /* stations cut their times to seconds, some of them only some */
#define KEY_MAX  INT32_MAX

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

static int next_state(int state, enum transaction_event e)
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
    int next = next_state(t->fact->state, e);

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
static struct transaction *addressed(const struct world *w, const struct charger *c, int64_t id)
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
static struct transaction *running_at(const struct charger *c, int connector, int64_t at_ms)
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

static void unlink_open(struct world *w, struct transaction *t)
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
            unlink_open(w, t);
        map_remove(&w->transactions, map_hash_int(t->fact->key), t);
        transaction_free(t);
    }
    c->transactions = NULL;
}

/* Forget the closed ones that ended longest ago, but never `keep_it`, which has just ended. */
static void forget_closed(struct world *w, struct charger *c, const struct transaction *keep_it)
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
            unlink_open(w, t);
        if (!was_open && transaction_is_open(f->state))
            link_open(w, t);
    }
    if (!transaction_is_open(f->state))
        forget_closed(w, c, t);
}

/* Also of one that is open by another charger's key: the key is new, the rest is `f`. */
static struct transaction *open_new(struct world *w, struct charger *c, struct transaction_fact *f,
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
static int64_t booked_ms(int64_t at_ms, int64_t now_ms, uint32_t *flags)
{
    if (at_ms < CLOCK_SET_MS) {
        *flags |= TX_FLAG_TIME_ODD;
        return now_ms;
    }
    if (at_ms > now_ms + AHEAD_MS)
        *flags |= TX_FLAG_TIME_ODD;
    return at_ms;
}

/* ---- start ---- */

/* E1, E2, E5: the content tells a repetition, not the message id. A station whose clock was never
 * set may tell another wrong time at the second try, so that time counts for nothing then. */
static struct transaction *repeated_start(const struct charger *c, const struct start_info *s)
{
    for (struct transaction *t = c->transactions; t; t = t->next) {
        const struct transaction_fact *f = t->fact;
        bool same_time = s->at_ms >= CLOCK_SET_MS
                             ? f->start_ms == s->at_ms
                             : (f->flags & TX_FLAG_TIME_ODD) && transaction_is_open(f->state);

        if (same_time && f->connector == s->connector && f->meter_start_wh == s->meter_wh &&
            f->tag.at && amp_text_eqi(f->tag, s->tag))
            return t;
    }
    return NULL;
}

static void close_zombie(struct world *w, struct transaction *t, int64_t now_ms)
{
    struct transaction_fact *f = t->fact;

    f->state = next_state(f->state, TX_STOPS);
    f->flags |= TX_FLAG_ZOMBIE | (f->last_wh == f->meter_start_wh ? TX_FLAG_NO_ENERGY : 0u);
    f->meter_stop_wh = f->last_wh;
    f->stop_ms = f->last_ms;
    f->stop_seen_ms = now_ms;
    f->last_power_w = 0;
    unlink_open(w, t);
    tell(w, FACT_TRANSACTION, f);
    forget_closed(w, t->charger, t);
}

int64_t world_start(struct world *w, struct charger *c, const struct start_info *s, int64_t now_ms,
                    struct tag_answer *out)
{
    struct transaction *t = repeated_start(c, s);
    struct transaction_fact f = { .connector = s->connector, .state = TX_RUNNING, .tag = s->tag };

    tag_authorize(w, c->fact->org, s->tag, c, s->connector, now_ms, out);
    if (t)
        return t->fact->key; /* E3: its own first copy is no concurrent transaction */
    t = transaction_open_at(c, s->connector);
    if (t)
        close_zombie(w, t, now_ms); /* E17 */
    f.start_ms = f.last_ms = booked_ms(s->at_ms, now_ms, &f.flags);
    f.start_seen_ms = now_ms;
    f.meter_start_wh = f.last_wh = s->meter_wh;
    f.reservation = s->reservation > 0 ? s->reservation : 0; /* E30: 0 means none */
    if (strcmp(out->status, "Accepted") != 0)
        f.flags |= TX_FLAG_REFUSED; /* E15: energy may flow all the same, so it is kept */
    if (!world_tag(w, c->fact->org, s->tag))
        f.flags |= TX_FLAG_UNKNOWN_TAG; /* E16 */
    t = open_new(w, c, &f, 0);
    tell(w, FACT_TRANSACTION, t->fact);
    command_saw_start(w, c, t->fact, now_ms);
    return t->fact->key;
}

/* ---- stop ---- */

static bool may_be_tag_of(const struct world *w, const struct transaction *t, struct amp_text tag)
{
    return !tag.len || amp_text_eqi(tag, t->fact->tag) ||
           tag_same_parent(w, t->fact->org, tag, t->fact->tag);
}

/* E12: whoever started may stop; a tag of the same group is judged as itself; no tag, no answer
 * (E13). */
static void judge_stop_tag(struct world *w, const struct charger *c, const struct transaction *t,
                           struct amp_text tag, int64_t now_ms, struct tag_answer *out)
{
    *out = (struct tag_answer){ 0 };
    if (!tag.len)
        return;
    tag_authorize(w, c->fact->org, tag, c, t ? t->fact->connector : 0, now_ms, out);
    if (!t)
        return;
    if (amp_text_eqi(tag, t->fact->tag) || !strcmp(out->status, "ConcurrentTx"))
        out->status = "Accepted";
}

/* A stop without a usable id, told by its content: E4 for E7-E9. */
static bool repeated_stop(const struct charger *c, const struct stop_info *s)
{
    for (const struct transaction *t = c->transactions; t; t = t->next)
        if (!transaction_is_open(t->fact->state) && t->fact->stop_ms == s->at_ms &&
            t->fact->meter_stop_wh == s->meter_wh && (t->fact->flags & TX_FLAG_ADOPTED))
            return true;
    return false;
}

/* E8: without a usable id, the station, the time, the meter and the tag must leave exactly one. */
static struct transaction *only_candidate(const struct world *w, const struct charger *c,
                                          const struct stop_info *s)
{
    struct transaction *found = NULL;

    for (struct transaction *t = c->transactions; t; t = t->next) {
        const struct transaction_fact *f = t->fact;

        if (!transaction_is_open(f->state) || s->meter_wh < f->meter_start_wh ||
            !may_be_tag_of(w, t, s->tag) ||
            (s->at_ms >= CLOCK_SET_MS && s->at_ms < f->start_ms - SLACK_MS))
            continue;
        if (found)
            return NULL;
        found = t;
    }
    return found;
}

/* What a stop says goes into `f`; all of it is kept, odd or not (E14). */
static void book_stop(struct transaction_fact *f, const struct stop_info *s, int64_t now_ms)
{
    f->stop_ms = booked_ms(s->at_ms, now_ms, &f->flags);
    if (f->stop_ms < f->start_ms)
        f->flags |= TX_FLAG_TIME_ODD;
    if (s->meter_wh < f->meter_start_wh)
        f->flags |= TX_FLAG_METER_BACK;
    f->flags &= ~(uint32_t)(TX_FLAG_NO_ENERGY | TX_FLAG_ZOMBIE);
    if (s->meter_wh == f->meter_start_wh)
        f->flags |= TX_FLAG_NO_ENERGY;
    f->state = TX_STOPPED;
    f->stop_seen_ms = now_ms;
    f->meter_stop_wh = f->last_wh = s->meter_wh;
    f->last_ms = f->stop_ms;
    f->last_power_w = 0;
    f->stop_tag = s->tag;
    f->reason = s->reason;
}

/* E6, E11: a stop that belongs to nothing here is kept as a record of its own; what it started with
 * is not known. */
static int64_t adopt_stop(struct world *w, struct charger *c, const struct stop_info *s,
                          int64_t now_ms)
{
    const struct transaction *named =
        s->transaction > 0 ? transaction_find(w, s->transaction) : NULL;
    struct transaction_fact f = { .state = TX_STOPPED, .flags = TX_FLAG_ADOPTED };
    struct transaction *t;

    f.start_ms = booked_ms(s->at_ms, now_ms, &f.flags);
    f.start_seen_ms = now_ms;
    f.meter_start_wh = s->meter_wh;
    book_stop(&f, s, now_ms);
    if (named)
        f.flags |= TX_FLAG_FOREIGN_STOP;
    t = open_new(w, c, &f, s->transaction);
    tell(w, FACT_TRANSACTION, t->fact);
    forget_closed(w, c, t);
    return t->fact->key;
}

int64_t world_stop(struct world *w, struct charger *c, const struct stop_info *s, int64_t now_ms,
                   struct tag_answer *out)
{
    struct transaction *t = addressed(w, c, s->transaction);
    struct transaction_fact f;

    judge_stop_tag(w, c, t, s->tag, now_ms, out);
    if (!t && s->transaction < 1) {
        if (repeated_stop(c, s))
            return 0;
        t = only_candidate(w, c, s);
        if (t) {
            t->fact->flags |= TX_FLAG_ADOPTED; /* we guessed: a person should know */
            judge_stop_tag(w, c, t, s->tag, now_ms, out);
        }
    }
    if (!t)
        return adopt_stop(w, c, s, now_ms);
    if (!transaction_is_open(t->fact->state) && !(t->fact->flags & TX_FLAG_ZOMBIE))
        return 0; /* E4 */
    if (transaction_is_open(t->fact->state))
        unlink_open(w, t);
    f = *t->fact;
    book_stop(&f, s, now_ms); /* of a zombie, too: the true end has come after all */
    keep(FACT_TRANSACTION, &t->fact, &f);
    tell(w, FACT_TRANSACTION, t->fact);
    forget_closed(w, c, t);
    command_saw_stop(w, c, t->fact->key, now_ms);
    return t->fact->key;
}

/* ---- readings ---- */

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
    t = open_new(w, c, &f, r->transaction);
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
    int64_t at_ms = booked_ms(r->at_ms, now_ms, &odd);
    struct transaction *t = addressed(w, c, r->transaction);

    if (at_ms > now_ms + AHEAD_MS)
        at_ms = now_ms; /* else one wrong time would make all later readings old ones */
    if (!t && r->connector > 0)
        t = running_at(c, r->connector, at_ms);
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
