/* central/domain/event.c - numbered events in any order, put on the engine. central-edge-cases 25.
 */
#include "central/domain/event.h"
#include "central/domain/engine.h"
#include <inttypes.h>
#include <stdio.h>

/* ---- which numbers are missing ---- */

struct gaps {
    struct gap {
        int64_t from, to;
    } at[EVENT_GAPS_MAX + 1]; /* ascending; one more than is kept, until two are joined */
    size_t count;
};
enum { GAPS_TEXT = EVENT_GAPS_MAX * 42 };

static int64_t number(const char **at, const char *end)
{
    int64_t n = 0;

    for (; *at < end && **at >= '0' && **at <= '9'; ++*at)
        n = n * 10 + (**at - '0');
    return n;
}

/* "0-2,7", as gaps_write wrote it. */
static void gaps_read(struct gaps *g, struct amp_text text)
{
    const char *at = text.at, *end = text.len ? text.at + text.len : at;

    g->count = 0;
    while (at < end && g->count < EVENT_GAPS_MAX) {
        struct gap *new = &g->at[g->count++];

        new->from = new->to = number(&at, end);
        if (at < end && *at == '-') {
            at++;
            new->to = number(&at, end);
        }
        at++; /* the comma */
    }
}

static struct amp_text gaps_write(const struct gaps *g, char *out)
{
    int n = 0;

    for (size_t i = 0; i < g->count; i++) {
        const struct gap *it = &g->at[i];

        n += snprintf(out + n, (size_t)(GAPS_TEXT - n), "%s%" PRId64, i ? "," : "", it->from);
        if (it->to > it->from)
            n += snprintf(out + n, (size_t)(GAPS_TEXT - n), "-%" PRId64, it->to);
    }
    return n ? (struct amp_text){ out, (uint32_t)n } : AMP_NO_TEXT;
}

static void gaps_remove(struct gaps *g, size_t i)
{
    g->count--;
    memmove(&g->at[i], &g->at[i + 1], (g->count - i) * sizeof g->at[0]);
}

static void gaps_insert(struct gaps *g, size_t i, int64_t from, int64_t to)
{
    memmove(&g->at[i + 1], &g->at[i], (g->count - i) * sizeof g->at[0]);
    g->at[i] = (struct gap){ from, to };
    g->count++;
}

/* The two that are nearest to each other become one. */
static void gaps_fit(struct gaps *g)
{
    size_t best = 0;

    if (g->count <= EVENT_GAPS_MAX)
        return;
    for (size_t i = 1; i + 1 < g->count; i++)
        if (g->at[i + 1].from - g->at[i].to < g->at[best + 1].from - g->at[best].to)
            best = i;
    g->at[best].to = g->at[best + 1].to;
    gaps_remove(g, best + 1);
}

/* `seq` has come. False: it had come before. */
static bool gaps_take(struct gaps *g, int64_t *last, int64_t seq)
{
    if (seq > *last) {
        if (seq > *last + 1)
            gaps_insert(g, g->count, *last + 1, seq - 1);
        *last = seq;
        gaps_fit(g);
        return true;
    }
    for (size_t i = 0; i < g->count; i++) {
        struct gap was = g->at[i];

        if (seq < was.from || seq > was.to)
            continue;
        gaps_remove(g, i);
        if (seq < was.to)
            gaps_insert(g, i, seq + 1, was.to);
        if (seq > was.from)
            gaps_insert(g, i, was.from, seq - 1);
        gaps_fit(g);
        return true;
    }
    return false;
}

/* The start has this number: some stations go on counting from the transaction before. */
static void gaps_begin(struct gaps *g, int64_t seq)
{
    while (g->count && g->at[0].to < seq)
        gaps_remove(g, 0);
    if (g->count && g->at[0].from < seq)
        g->at[0].from = seq + 1;
}

/* ---- the record ---- */

bool event_start_lacks(const struct transaction_fact *f)
{
    return f->events && !(f->events & EVENT_STARTED) && !(f->flags & TX_FLAG_REPAIRED);
}

/* Only among those that events made: our own text ids, of stations that have none, are others. */
static struct transaction *named(const struct charger *c, struct amp_text uid)
{
    for (struct transaction *t = c->transactions; t; t = t->next)
        if (t->fact->events && amp_text_eq(t->fact->uid, uid))
            return t;
    return NULL;
}

/* The record that the first event makes, whichever it is: it runs, and nothing else is known. */
static struct transaction *begin(struct world *w, struct charger *c, const struct event_info *e,
                                 int64_t now_ms)
{
    struct transaction_fact f = { .connector = e->connector,
                                  .state = TX_RUNNING,
                                  .meter = TX_METER_UNKNOWN,
                                  .seq_last = -1,
                                  .start_seen_ms = now_ms };
    struct transaction *t = e->kind == EVENT_STARTED && !e->offline
                                ? transaction_awaited(c, e->connector, e->tag)
                                : NULL;
    uint32_t odd = 0;

    f.start_ms = transaction_booked_ms(e->at_ms, now_ms, &odd);
    if (!t)
        return transaction_new(w, c, &f, 0);
    f.key = t->fact->key;
    f.org = t->fact->org;
    f.charger = t->fact->charger;
    f.revision = t->fact->revision;
    f.state = transaction_next(t->fact->state, TX_STARTS);
    keep(FACT_TRANSACTION, &t->fact, &f);
    return t;
}

/* The tag of a session is the one that was named first: not the one that stops it. */
static bool takes_tag(const struct transaction_fact *f, const struct event_info *e)
{
    return e->kind != EVENT_ENDED && e->tag.len && !transaction_settled(f) &&
           (!f->tag.len || e->seq < f->tag_seq);
}

static void take_tag(const struct world *w, struct transaction_fact *f, const struct event_info *e,
                     const struct tag_answer *judged)
{
    f->tag = e->tag;
    f->tag_seq = e->seq;
    transaction_lower(f, TX_FLAG_REFUSED | TX_FLAG_UNKNOWN_TAG);
    if (strcmp(judged->status, "Accepted") != 0)
        transaction_raise(f, TX_FLAG_REFUSED);
    if (!world_tag(w, f->org, e->tag))
        transaction_raise(f, TX_FLAG_UNKNOWN_TAG);
}

/* What every event tells: its number, where, when. */
static void book(struct transaction_fact *f, const struct event_info *e, const struct gaps *g,
                 char *missing, int64_t now_ms)
{
    uint32_t odd = 0;
    int64_t at_ms = transaction_booked_ms(e->at_ms, now_ms, &odd);

    f->uid = e->uid;
    f->events |= (int32_t)e->kind | (e->offline ? EVENT_OFFLINE : 0);
    f->missing = gaps_write(g, missing);
    if (f->missing.len || !(f->events & EVENT_STARTED))
        transaction_raise(f, TX_FLAG_INCOMPLETE);
    else
        transaction_lower(f, TX_FLAG_INCOMPLETE);
    if (!f->connector)
        f->connector = e->connector;
    if (transaction_runs(f->state))
        transaction_heard(f, now_ms);
    if (transaction_settled(f))
        return;
    transaction_raise(f, odd);
    if (event_start_lacks(f) && at_ms < f->start_ms)
        f->start_ms = at_ms;
}

/* ---- what the three kinds do ---- */

static void start(struct world *w, struct transaction *t, const struct event_info *e, bool judge,
                  const struct tag_answer *out, int64_t now_ms)
{
    const struct transaction_fact *f = t->fact;
    bool unknown = f->meter & TX_METER_UNKNOWN;
    struct start_info s = { .connector = f->connector,
                            .tag = f->tag,
                            .at_ms = e->at_ms,
                            .no_meter = !e->has_meter,
                            .meter_wh = e->has_meter ? e->meter_wh
                                        : unknown    ? 0
                                                     : f->meter_start_wh };

    if (transaction_settled(f)) {
        transaction_raise(t->fact, TX_FLAG_LATE);
        transaction_changed(w, t);
        return;
    }
    transaction_add_start(w, t, &s, judge ? out->status : NULL, now_ms);
    s.connector = e->connector; /* as sent, whatever came before */
    s.tag = e->tag;
    t->fact->start_hash = transaction_start_hash(&s);
    if (!e->offline)
        command_saw_start(w, t->charger, t->fact, now_ms);
}

static void end(struct world *w, struct transaction *t, const struct event_info *e, int64_t now_ms,
                struct tag_answer *out)
{
    const struct stop_info s = { .transaction = t->fact->key,
                                 .meter_wh = e->has_meter ? e->meter_wh : t->fact->last_wh,
                                 .at_ms = e->at_ms,
                                 .tag = e->tag,
                                 .reason = e->reason };

    if (!world_stop(w, t->charger, &s, now_ms, out) || !event_start_lacks(t->fact))
        return;
    transaction_lower(t->fact, TX_FLAG_NO_ENERGY); /* nobody knows */
    tell(w, FACT_TRANSACTION, t->fact);
}

/* E17: of two on a connector the older one is over; its end may still come. `t` has just been heard
 * of, and may be the older one. */
static void one_at_connector(struct world *w, struct transaction *t, int64_t now_ms)
{
    struct transaction *over = NULL;

    if (!t->fact->connector || !transaction_runs(t->fact->state))
        return;
    for (struct transaction *u = t->charger->transactions; u; u = u->next) {
        const struct transaction_fact *f = u->fact;

        if (u == t || f->connector != t->fact->connector || f->state == TX_PENDING_START ||
            f->state == TX_CANCELLED)
            continue;
        if (f->start_ms > t->fact->start_ms + SLACK_MS && f->start_ms <= now_ms + AHEAD_MS) {
            over = t;
            break;
        }
        if (transaction_runs(f->state))
            over = u;
    }
    if (!over)
        return;
    if (!over->fact->last_ms)
        over->fact->last_ms = over->fact->start_ms;
    transaction_close_zombie(w, over, now_ms);
}

static void judge(struct world *w, struct charger *c, const struct transaction *t,
                  const struct event_info *e, int64_t now_ms, struct tag_answer *out)
{
    *out = (struct tag_answer){ 0 };
    if (!e->tag.len)
        return;
    tag_authorize(w, c->fact->org, e->tag, c,
                  e->connector || !t ? e->connector : t->fact->connector, now_ms, out);
    if (e->kind == EVENT_ENDED && t && amp_text_eqi(e->tag, t->fact->tag))
        out->status = "Accepted"; /* E12 */
}

int64_t world_event(struct world *w, struct charger *c, const struct event_info *e, int64_t now_ms,
                    struct tag_answer *out)
{
    struct transaction *t = named(c, e->uid);
    struct gaps gaps = { .count = 0 };
    int64_t last = t ? t->fact->seq_last : -1;
    struct transaction_fact f;
    char missing[GAPS_TEXT];
    bool starts, judged;
    uint32_t flags;

    judge(w, c, t, e, now_ms, out);
    if (t)
        gaps_read(&gaps, t->fact->missing);
    if (!gaps_take(&gaps, &last, e->seq) && t)
        return t->fact->key;
    if (!t)
        t = begin(w, c, e, now_ms);
    f = *t->fact;
    flags = f.flags;
    starts = e->kind == EVENT_STARTED && !(f.events & EVENT_STARTED);
    if (starts)
        gaps_begin(&gaps, e->seq);
    f.seq_last = last;
    book(&f, e, &gaps, missing, now_ms);
    judged = takes_tag(&f, e);
    if (judged)
        take_tag(w, &f, e, out);
    keep(FACT_TRANSACTION, &t->fact, &f);
    if (starts)
        start(w, t, e, judged, out, now_ms);
    else if (e->kind == EVENT_ENDED)
        end(w, t, e, now_ms, out);
    else if (flags != t->fact->flags || judged)
        transaction_changed(w, t);
    for (size_t i = 0; i < e->count; i++) {
        e->readings[i].transaction = t->fact->key;
        e->readings[i].connector = t->fact->connector;
        if (!(e->readings[i].has &
              READING_CLOCK)) /* of a closed one, too: the order changes nothing */
            t->fact->meter |= TX_METER_PERIODIC;
        world_reading(w, c, &e->readings[i], now_ms);
    }
    tell(w, FACT_TRANSACTION, t->fact); /* its number, whatever else it said */
    one_at_connector(w, t, now_ms);
    return t->fact->key;
}
