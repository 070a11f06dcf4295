/* central/domain/start.c - starts: repeated, out of order, on a connector where one runs.
 * central-edge-cases 1-3, 5, 10, 15-17. */
#include "central/domain/engine.h"

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

    f->state = transaction_next(f->state, TX_STOPS);
    f->flags |= TX_FLAG_ZOMBIE | (f->last_wh == f->meter_start_wh ? TX_FLAG_NO_ENERGY : 0u);
    f->meter_stop_wh = f->last_wh;
    f->stop_ms = f->last_ms;
    f->stop_seen_ms = now_ms;
    f->last_power_w = 0;
    transaction_unlink(w, t);
    tell(w, FACT_TRANSACTION, f);
    transaction_forget(w, t->charger, t);
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
    f.start_ms = f.last_ms = transaction_booked_ms(s->at_ms, now_ms, &f.flags);
    f.start_seen_ms = now_ms;
    f.meter_start_wh = f.last_wh = s->meter_wh;
    f.reservation = s->reservation > 0 ? s->reservation : 0; /* E30: 0 means none */
    if (strcmp(out->status, "Accepted") != 0)
        f.flags |= TX_FLAG_REFUSED; /* E15: energy may flow all the same, so it is kept */
    if (!world_tag(w, c->fact->org, s->tag))
        f.flags |= TX_FLAG_UNKNOWN_TAG; /* E16 */
    t = transaction_new(w, c, &f, 0);
    tell(w, FACT_TRANSACTION, t->fact);
    command_saw_start(w, c, t->fact, now_ms);
    return t->fact->key;
}
