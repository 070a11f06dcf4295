/* central/domain/stop.c - stops: repeated, contradictory, without an id, of what is not known or
 * not theirs. central-edge-cases 4, 6-9, 11-14, 22, 24, 87. */
#include "central/domain/engine.h"

/* What a stop says, told by its content; never 0. */
static uint64_t stop_hash(const struct stop_info *s)
{
    uint64_t h = (uint64_t)s->meter_wh * UINT64_C(0x9E3779B97F4A7C15);

    if (s->at_ms >= CLOCK_SET_MS)
        h ^= (uint64_t)s->at_ms * UINT64_C(0xC2B2AE3D27D4EB4F);
    return h ? h : 1;
}

bool transaction_may_be_tag(const struct world *w, int64_t org, struct amp_text mine,
                            struct amp_text tag)
{
    return !mine.len || !tag.len || amp_text_eqi(tag, mine) || tag_same_parent(w, org, tag, mine);
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
        if (!transaction_is_open(t->fact->state) && t->fact->stop_hash == stop_hash(s) &&
            (t->fact->flags & TX_FLAG_ADOPTED))
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

        if (!transaction_runs(f->state) || s->meter_wh < f->meter_start_wh ||
            (s->tag.len && !amp_text_eqi(s->tag, f->tag) &&
             !tag_same_parent(w, f->org, s->tag, f->tag)) ||
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
    struct meter m = transaction_meter(f);
    uint32_t odd = 0;

    f->stop_ms = transaction_booked_ms(s->at_ms, now_ms, &odd);
    if (f->stop_ms < f->start_ms)
        odd |= TX_FLAG_TIME_ODD;
    transaction_lower(f, TX_FLAG_NO_ENERGY | TX_FLAG_ZOMBIE);
    if (f->meter & TX_METER_UNKNOWN) { /* adopted, and no register seen: nothing can be told */
        f->meter &= ~TX_METER_UNKNOWN;
        f->meter_start_wh = s->meter_wh;
        meter_begin(&m, s->meter_wh, f->stop_ms);
    }
    odd |= meter_end(&m, f->meter_start_wh, s->meter_wh, f->stop_ms, f->flags);
    transaction_keep_meter(f, &m);
    if (s->meter_wh == f->meter_start_wh && !f->energy_wh)
        odd |= TX_FLAG_NO_ENERGY;
    transaction_raise(f, odd);
    transaction_heard(f, now_ms);
    f->state = transaction_next(f->state, TX_STOPS);
    if ((f->flags & TX_FLAG_REFUSED) && !f->energy_wh)
        f->state = transaction_next(f->state, TX_EMPTY);
    f->stop_hash = stop_hash(s);
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
    struct transaction_fact f = { .state = TX_STOPPED };
    struct transaction *t;
    uint32_t odd = TX_FLAG_ADOPTED | (named ? (uint32_t)TX_FLAG_FOREIGN_STOP : 0u);
    struct meter m;

    f.start_ms = transaction_booked_ms(s->at_ms, now_ms, &odd);
    f.start_seen_ms = now_ms;
    f.meter_start_wh = s->meter_wh;
    transaction_raise(&f, odd);
    meter_begin(&m, s->meter_wh, f.start_ms);
    transaction_keep_meter(&f, &m);
    book_stop(&f, s, now_ms);
    transaction_lower(&f, TX_FLAG_NO_ENERGY); /* nobody knows */
    t = transaction_new(w, c, &f, s->transaction);
    transaction_changed(w, t);
    transaction_forget(w, c, t);
    return t->fact->key;
}

/* A stop of one that is closed. E4: the same again is nothing. Anything else is flagged and changes
 * nothing; what it carries is kept. */
static int64_t second_stop(struct world *w, struct transaction *t, const struct stop_info *s)
{
    struct transaction_fact *f = t->fact;
    uint32_t flag = transaction_settled(f) ? TX_FLAG_LATE : TX_FLAG_CONTRADICTED;

    if (f->stop_hash == stop_hash(s))
        return 0;
    if (!(f->flags & flag)) {
        transaction_raise(f, flag);
        transaction_changed(w, t);
    }
    return f->key;
}

int64_t world_stop(struct world *w, struct charger *c, const struct stop_info *s, int64_t now_ms,
                   struct tag_answer *out)
{
    struct transaction *t = transaction_addressed(w, c, s->transaction);
    struct transaction_fact f;
    bool open;

    judge_stop_tag(w, c, t, s->tag, now_ms, out);
    if (!t && s->transaction < 1) {
        if (repeated_stop(c, s))
            return 0;
        t = only_candidate(w, c, s);
        if (t) {
            transaction_raise(t->fact, TX_FLAG_ADOPTED); /* we guessed: a person should know */
            judge_stop_tag(w, c, t, s->tag, now_ms, out);
        }
    }
    if (!t)
        return adopt_stop(w, c, s, now_ms);
    open = transaction_runs(t->fact->state);
    if (!open && (!(t->fact->flags & TX_FLAG_ZOMBIE) || transaction_settled(t->fact)))
        return second_stop(w, t, s);
    if (open)
        transaction_unlink(w, t);
    f = *t->fact;
    book_stop(&f, s, now_ms); /* of a zombie, too: the true end has come after all */
    power_energy(w, c, f.energy_wh - t->fact->energy_wh, t->fact->register_ms,
                 transaction_order_ms(f.stop_ms, now_ms));
    keep(FACT_TRANSACTION, &t->fact, &f);
    transaction_changed(w, t);
    transaction_forget(w, c, t);
    command_saw_stop(w, c, t->fact->key, now_ms);
    return t->fact->key;
}
