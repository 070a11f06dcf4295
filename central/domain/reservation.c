/* central/domain/reservation.c - see reservation.h. */
#include "central/domain/reservation.h"
#include "central/domain/follow.h"
#include "central/domain/operation.h"

#define CLOCKS_APART_MS 60000 /* ours and a station's */

/* A pair that is not listed changes nothing. The station has the last word: a start that names a
 * reservation uses it, also when we believed that it had ended. */
static const struct {
    int state;
    enum reservation_event event;
    int next;
} moves[] = {
    { RESERVATION_REQUESTED, RESERVATION_ACCEPTS, RESERVATION_ACTIVE },
    { RESERVATION_REQUESTED, RESERVATION_REFUSES, RESERVATION_REFUSED },
    { RESERVATION_REQUESTED, RESERVATION_LOSES, RESERVATION_UNCERTAIN },
    { RESERVATION_REQUESTED, RESERVATION_CANCELS, RESERVATION_CANCELLED },
    { RESERVATION_REQUESTED, RESERVATION_FORGETS, RESERVATION_VOID },
    { RESERVATION_REQUESTED, RESERVATION_USES, RESERVATION_USED },
    { RESERVATION_REQUESTED, RESERVATION_EXPIRES, RESERVATION_EXPIRED },
    { RESERVATION_UNCERTAIN, RESERVATION_ACCEPTS, RESERVATION_ACTIVE },
    { RESERVATION_UNCERTAIN, RESERVATION_REFUSES, RESERVATION_REFUSED },
    { RESERVATION_UNCERTAIN, RESERVATION_CANCELS, RESERVATION_CANCELLED },
    { RESERVATION_UNCERTAIN, RESERVATION_FORGETS, RESERVATION_VOID },
    { RESERVATION_UNCERTAIN, RESERVATION_USES, RESERVATION_USED },
    { RESERVATION_UNCERTAIN, RESERVATION_BREAKS, RESERVATION_VOID },
    { RESERVATION_UNCERTAIN, RESERVATION_EXPIRES, RESERVATION_EXPIRED },
    { RESERVATION_ACTIVE, RESERVATION_CANCELS, RESERVATION_CANCELLED },
    { RESERVATION_ACTIVE, RESERVATION_FORGETS, RESERVATION_VOID },
    { RESERVATION_ACTIVE, RESERVATION_USES, RESERVATION_USED },
    { RESERVATION_ACTIVE, RESERVATION_BREAKS, RESERVATION_VOID },
    { RESERVATION_ACTIVE, RESERVATION_EXPIRES, RESERVATION_EXPIRED },
    { RESERVATION_REFUSED, RESERVATION_USES, RESERVATION_USED },
    { RESERVATION_CANCELLED, RESERVATION_USES, RESERVATION_USED },
    { RESERVATION_EXPIRED, RESERVATION_USES, RESERVATION_USED },
    { RESERVATION_VOID, RESERVATION_USES, RESERVATION_USED },
};

int reservation_next(int state, enum reservation_event e)
{
    for (size_t i = 0; i < AMP_COUNT(moves); i++)
        if (moves[i].state == state && moves[i].event == e)
            return moves[i].next;
    return 0;
}

bool reservation_is_open(int state)
{
    return state >= RESERVATION_REQUESTED && state <= RESERVATION_ACTIVE;
}

/* ---- keeping ---- */

static bool same_key(const void *item, const void *key)
{
    const struct reservation *r = item;

    return r->fact->key == *(const int64_t *)key;
}

static struct reservation *find(const struct world *w, int64_t key)
{
    return map_get(&w->reservations, map_hash_int(key), same_key, &key);
}

void reservation_free(struct reservation *r)
{
    free(r->fact);
    free(r);
}

/* All of them stand in one list by key, open ones in their charger's, too. */
static void link_open(struct reservation *r)
{
    struct reservation **at = &r->charger->reservations;

    while (*at && (*at)->fact->key > r->fact->key)
        at = &(*at)->next;
    r->next = *at;
    *at = r;
    r->open = true;
}

static void unlink_open(struct reservation *r)
{
    struct reservation **at = &r->charger->reservations;

    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    r->open = false;
}

static void forget_ended(struct world *w)
{
    for (struct reservation **at = &w->reservation_first;
         *at && w->reservation_ended > RESERVATIONS_KEPT;) {
        struct reservation *r = *at;

        if (r->open) {
            at = &r->behind;
            continue;
        }
        *at = r->behind;
        if (w->reservation_last == r)
            w->reservation_last = NULL;
        map_remove(&w->reservations, map_hash_int(r->fact->key), r);
        reservation_free(r);
        w->reservation_ended--;
    }
    if (!w->reservation_last)
        for (struct reservation *r = w->reservation_first; r; r = r->behind)
            w->reservation_last = r;
}

static void add(struct world *w, struct charger *c, const struct reservation_fact *f)
{
    struct reservation *r = must(calloc(1, sizeof *r)), **at = &w->reservation_first;

    r->charger = c;
    r->fact = pack(FACT_RESERVATION, f);
    if (w->reservation_last && w->reservation_last->fact->key < f->key)
        at = &w->reservation_last->behind;
    while (*at && (*at)->fact->key < f->key)
        at = &(*at)->behind;
    r->behind = *at;
    *at = r;
    if (!r->behind)
        w->reservation_last = r;
    map_put(&w->reservations, map_hash_int(f->key), r);
    key_note(w, &w->next_reservation, f->key);
    if (reservation_is_open(f->state))
        link_open(r);
    else
        w->reservation_ended++;
}

void reservation_apply(struct world *w, const struct reservation_fact *f)
{
    struct charger *c = world_charger_by_key(w, f->charger);
    struct reservation *r = find(w, f->key);

    if (!c)
        return;
    if (!r) {
        add(w, c, f);
    } else {
        bool open = reservation_is_open(f->state);

        if (r->open && !open)
            unlink_open(r), w->reservation_ended++;
        keep(FACT_RESERVATION, &r->fact, f);
        if (r->charger != c && r->open)
            unlink_open(r), w->reservation_ended++;
        r->charger = c;
        if (!r->open && open)
            link_open(r), w->reservation_ended--;
    }
    if (reservation_is_open(f->state) && f->expiry_ms < w->reservation_due_ms)
        w->reservation_due_ms = f->expiry_ms;
    forget_ended(w);
}

static void put(struct world *w, const struct reservation_fact *f)
{
    struct fact whole = { .kind = FACT_RESERVATION, .u.reservation = *f };
    struct fact *copy = fact_copy(&whole); /* texts of `f` may be those of the record itself */

    reservation_apply(w, &copy->u.reservation);
    tell(w, FACT_RESERVATION, &copy->u.reservation);
    free(copy);
}

/* False: the event means nothing now. */
static bool happens(struct world *w, struct reservation *r, enum reservation_event e,
                    struct amp_text why, int64_t now_ms)
{
    struct reservation_fact f = *r->fact;
    int next = reservation_next(f.state, e);

    if (!next)
        return false;
    f.state = next;
    f.why = why;
    f.changed_ms = now_ms;
    put(w, &f);
    return true;
}

/* ---- asking ---- */

void world_set_reservation_key(struct world *w, int64_t key)
{
    if (key > w->next_reservation)
        w->next_reservation = key;
}

int64_t world_reservation_id(struct world *w)
{
    return key_take(w, &w->next_reservation);
}

bool world_reservation_free(const struct world *w, const struct charger *c, int64_t id)
{
    const struct reservation *r = find(w, id);

    if (r)
        return r->charger == c && r->open;
    if (w->shared) /* others give out ids that we have not heard of, but none of these */
        return id > RESERVATION_CHOSEN_MAX && id <= INT32_MAX;
    return id >= w->next_reservation && id <= RESERVATION_CHOSEN_MAX;
}

const struct reservation_fact *world_reservation(const struct world *w, int64_t key)
{
    const struct reservation *r = find(w, key);

    return r ? r->fact : NULL;
}

const struct reservation_fact *charger_reservation(const struct charger *c, size_t i)
{
    const struct reservation *r = c->reservations;

    while (r && i-- > 0)
        r = r->next;
    return r ? r->fact : NULL;
}

/* ---- what the station answers ---- */

/* "Occupied": its word, or what failed. */
static struct amp_text word_of(struct amp_text status, const struct command_fact *k)
{
    return status.at ? status : k->answer;
}

void reservation_asked(struct world *w, const struct followed *f)
{
    const struct asked_reserve_now *q = f->asked;
    const struct asked_reserve_now_reply *a = f->reply;
    struct reservation *r = find(w, q->reservation_id);
    struct amp_text why = word_of(a ? a->status : AMP_NO_TEXT, f->k);

    if (q->reservation_id < 1 || q->reservation_id > INT32_MAX || (r && r->charger != f->c))
        return; /* 0 is none (E30), and another charger's is not touched */
    if (f->k->state == COMMAND_QUEUED && f->k->attempts == 0 &&
        (!r || r->fact->command != f->k->key)) {
        put(w, &(struct reservation_fact){
                   .key = q->reservation_id,
                   .org = f->c->fact->org,
                   .charger = f->c->fact->key,
                   .connector = (int32_t)q->connector_id,
                   .state = RESERVATION_REQUESTED,
                   .tag = q->id_tag,
                   .parent = q->parent_id_tag,
                   .by = f->k->by,
                   .expiry_ms = q->expiry_date,
                   .created_ms = f->k->created_ms,
                   .changed_ms = f->k->created_ms,
                   .command = f->k->key,
               });
        return;
    }
    if (!r || r->fact->command != f->k->key)
        return; /* an older attempt: a newer one has the word */
    switch (f->k->state) {
    case COMMAND_CONFIRMED:
        happens(w, r, RESERVATION_ACCEPTS, AMP_NO_TEXT, f->at_ms);
        break;
    case COMMAND_REJECTED:
    case COMMAND_ERROR:
        happens(w, r, RESERVATION_REFUSES, why, f->at_ms);
        break;
    case COMMAND_TIMED_OUT:
        happens(w, r, RESERVATION_LOSES, f->k->answer, f->at_ms);
        break;
    default:
        break;
    }
}

void reservation_cancelled(struct world *w, const struct followed *f)
{
    const struct asked_cancel_reservation *q = f->asked;
    struct reservation *r = find(w, q->reservation_id);
    struct reservation_fact now;

    if (!r || r->charger != f->c || !r->open)
        return;
    switch (f->k->state) {
    case COMMAND_QUEUED:
        now = *r->fact;
        now.cancel = f->k->key;
        put(w, &now);
        break;
    case COMMAND_CONFIRMED:
        happens(w, r, RESERVATION_CANCELS, AMP_NO_TEXT, f->at_ms);
        break;
    case COMMAND_REJECTED: /* it knows none with this id, so there is none */
        happens(w, r, RESERVATION_FORGETS, AMP_TEXT("the station knows no such reservation"),
                f->at_ms);
        break;
    case COMMAND_ERROR: /* still there, as far as anybody knows */
    case COMMAND_TIMED_OUT:
        now = *r->fact;
        now.why = f->k->answer;
        now.cancel = 0;
        put(w, &now);
        break;
    default:
        break;
    }
}

/* ---- what the station does ---- */

static bool is_for(const struct world *w, const struct reservation_fact *f, struct amp_text tag)
{
    const struct tag_fact *t = world_tag(w, f->org, tag);

    return amp_text_eqi(f->tag, tag) ||
           (f->parent.len && (amp_text_eqi(f->parent, tag) ||
                              (t && t->parent.len && amp_text_eqi(f->parent, t->parent))));
}

/* The one that a start uses: the one that it names; or, as some stations name none, the one on this
 * connector, or on any (0), that was made for this tag or its family (E30). */
static struct reservation *used_by(const struct world *w, const struct charger *c,
                                   const struct transaction_fact *t)
{
    struct reservation *named = t->reservation > 0 ? find(w, t->reservation) : NULL;

    if (named)
        return named->charger == c ? named : NULL;
    for (struct reservation *r = t->reservation ? NULL : c->reservations; r; r = r->next)
        if (r->fact->state != RESERVATION_REQUESTED &&
            (r->fact->connector == t->connector || r->fact->connector == 0) &&
            t->start_seen_ms >= r->fact->created_ms &&
            t->start_ms >= r->fact->created_ms - CLOCKS_APART_MS && is_for(w, r->fact, t->tag))
            return r;
    return NULL;
}

void reservation_saw_start(struct world *w, struct charger *c, const struct transaction_fact *t)
{
    struct reservation *r;
    struct reservation_fact f;

    if (!t->reservation &&
        (!c->reservations || t->flags & TX_FLAG_REFUSED || !transaction_is_open(t->state)))
        return;
    r = used_by(w, c, t);
    if (!r || r->fact->transaction || !reservation_next(r->fact->state, RESERVATION_USES))
        return;
    f = *r->fact;
    f.state = RESERVATION_USED;
    f.transaction = t->key;
    f.why = AMP_NO_TEXT;
    f.changed_ms = t->start_seen_ms;
    put(w, &f);
    world_command_effect(w, f.command, t->start_seen_ms); /* its answer may have been lost */
}

static bool broken(const struct connector_fact *s)
{
    return s && (amp_text_is(s->status, "Faulted") || amp_text_is(s->status, "Unavailable"));
}

/* Any connector will do: is there one left? */
static bool all_broken(const struct charger *c)
{
    for (size_t i = 1; i <= charger_connectors(c); i++)
        if (charger_connector(c, (int)i) && !broken(charger_connector(c, (int)i)))
            return false;
    return charger_connectors(c) > 0;
}

/* The station shows that it keeps a place whose answer we did not get. */
static void shown(struct world *w, struct reservation *r, const struct connector_fact *s)
{
    int64_t command = r->fact->command;

    if (!amp_text_is(s->status, "Reserved") || s->connector != r->fact->connector ||
        r->fact->state == RESERVATION_ACTIVE)
        return;
    if (r->fact->state == RESERVATION_UNCERTAIN)
        happens(w, r, RESERVATION_ACCEPTS, AMP_NO_TEXT, s->seen_ms);
    world_command_effect(w, command, s->seen_ms);
}

/* E29. The station itself, connector 0, takes all with it. */
void reservation_saw_status(struct world *w, struct charger *c, const struct connector_fact *s)
{
    for (struct reservation *r = c->reservations, *next; r; r = next) {
        char why[96];
        struct amp_buf out;

        next = r->next;
        shown(w, r, s);
        if (!broken(s) || (s->connector && s->connector != r->fact->connector &&
                           !(r->fact->connector == 0 && all_broken(c))))
            continue;
        amp_buf_init(&out, why, sizeof why);
        amp_buf_puts(&out, s->connector ? "connector " : "the station");
        if (s->connector)
            amp_buf_int(&out, s->connector);
        amp_buf_puts(&out, " is ");
        amp_buf_text_put(&out, s->status);
        happens(w, r, RESERVATION_BREAKS, amp_buf_text(&out), s->seen_ms);
    }
}

void reservation_saw_deleted(struct world *w, struct charger *c)
{
    for (struct reservation *r = c->reservations, *next; r; r = next) {
        next = r->next;
        (void)(happens(w, r, RESERVATION_LOSES, AMP_NO_TEXT, c->fact->deleted_ms),
               happens(w, r, RESERVATION_BREAKS, AMP_TEXT("the charger was deleted"),
                       c->fact->deleted_ms));
    }
}

void reservation_tick(struct world *w, int64_t now_ms)
{
    if (now_ms < w->reservation_due_ms)
        return;
    w->reservation_due_ms = INT64_MAX;
    for (size_t i = 0; i < w->charger_count; i++)
        for (struct reservation *r = w->chargers[i]->reservations, *next; r; r = next) {
            next = r->next;
            if (w->chargers[i]->far)
                continue;
            if (r->fact->expiry_ms <= now_ms)
                happens(w, r, RESERVATION_EXPIRES, AMP_NO_TEXT, now_ms);
            else if (r->fact->expiry_ms < w->reservation_due_ms)
                w->reservation_due_ms = r->fact->expiry_ms;
        }
}
