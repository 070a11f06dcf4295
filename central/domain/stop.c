/* central/domain/stop.c - stops: repeated, without an id, of what is not known or not theirs.
 * central-edge-cases 4, 6-9, 11-14. */
#include "central/domain/engine.h"

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
    f->stop_ms = transaction_booked_ms(s->at_ms, now_ms, &f->flags);
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

    f.start_ms = transaction_booked_ms(s->at_ms, now_ms, &f.flags);
    f.start_seen_ms = now_ms;
    f.meter_start_wh = s->meter_wh;
    book_stop(&f, s, now_ms);
    if (named)
        f.flags |= TX_FLAG_FOREIGN_STOP;
    t = transaction_new(w, c, &f, s->transaction);
    tell(w, FACT_TRANSACTION, t->fact);
    transaction_forget(w, c, t);
    return t->fact->key;
}

int64_t world_stop(struct world *w, struct charger *c, const struct stop_info *s, int64_t now_ms,
                   struct tag_answer *out)
{
    struct transaction *t = transaction_addressed(w, c, s->transaction);
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
        transaction_unlink(w, t);
    f = *t->fact;
    book_stop(&f, s, now_ms); /* of a zombie, too: the true end has come after all */
    keep(FACT_TRANSACTION, &t->fact, &f);
    tell(w, FACT_TRANSACTION, t->fact);
    transaction_forget(w, c, t);
    command_saw_stop(w, c, t->fact->key, now_ms);
    return t->fact->key;
}
