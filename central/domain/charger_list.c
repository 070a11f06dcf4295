/* central/domain/charger_list.c - what each station has of a local list: the states, the record,
 * what people want. How it gets the rest is in charger_list_send.c, what it answers in
 * charger_list_answer.c. */
#include "central/domain/list_inside.h"
#include "central/domain/local_list.h"

static const struct {
    int state;
    enum list_event event;
    int next;
} moves[] = {
    { CHARGER_LIST_IDLE, LIST_CHANGED, CHARGER_LIST_PENDING },
    { CHARGER_LIST_PENDING, LIST_ASKED, CHARGER_LIST_ASKING },
    { CHARGER_LIST_PENDING, LIST_SENT, CHARGER_LIST_SENDING },
    { CHARGER_LIST_PENDING, LIST_HAS_IT, CHARGER_LIST_SYNCED },
    { CHARGER_LIST_PENDING, LIST_FAILED, CHARGER_LIST_FAILED },
    { CHARGER_LIST_PENDING, LIST_UNSUPPORTED, CHARGER_LIST_UNSUPPORTED },
    { CHARGER_LIST_PENDING, LIST_LEFT, CHARGER_LIST_IDLE },
    { CHARGER_LIST_SENDING, LIST_HAS_IT, CHARGER_LIST_SYNCED },
    { CHARGER_LIST_SENDING, LIST_LACKS_SOME, CHARGER_LIST_PENDING },
    { CHARGER_LIST_SENDING, LIST_LOST, CHARGER_LIST_PENDING },
    { CHARGER_LIST_SENDING, LIST_FAILED, CHARGER_LIST_FAILED },
    { CHARGER_LIST_SENDING, LIST_UNSUPPORTED, CHARGER_LIST_UNSUPPORTED },
    { CHARGER_LIST_SENDING, LIST_LEFT, CHARGER_LIST_IDLE },
    { CHARGER_LIST_ASKING, LIST_HAS_IT, CHARGER_LIST_SYNCED },
    { CHARGER_LIST_ASKING, LIST_LACKS_SOME, CHARGER_LIST_PENDING },
    { CHARGER_LIST_ASKING, LIST_LOST, CHARGER_LIST_PENDING },
    { CHARGER_LIST_ASKING, LIST_FAILED, CHARGER_LIST_FAILED },
    { CHARGER_LIST_ASKING, LIST_UNSUPPORTED, CHARGER_LIST_UNSUPPORTED },
    { CHARGER_LIST_ASKING, LIST_LEFT, CHARGER_LIST_IDLE },
    { CHARGER_LIST_SYNCED, LIST_CHANGED, CHARGER_LIST_PENDING },
    { CHARGER_LIST_SYNCED, LIST_LACKS_SOME, CHARGER_LIST_PENDING },
    { CHARGER_LIST_SYNCED, LIST_UNSUPPORTED, CHARGER_LIST_UNSUPPORTED },
    { CHARGER_LIST_SYNCED, LIST_LEFT, CHARGER_LIST_IDLE },
    { CHARGER_LIST_FAILED, LIST_CHANGED, CHARGER_LIST_PENDING },
    { CHARGER_LIST_FAILED, LIST_LACKS_SOME, CHARGER_LIST_PENDING },
    { CHARGER_LIST_FAILED, LIST_UNSUPPORTED, CHARGER_LIST_UNSUPPORTED },
    { CHARGER_LIST_FAILED, LIST_LEFT, CHARGER_LIST_IDLE },
    { CHARGER_LIST_UNSUPPORTED, LIST_CHANGED, CHARGER_LIST_PENDING },
    { CHARGER_LIST_UNSUPPORTED, LIST_LACKS_SOME, CHARGER_LIST_PENDING },
    { CHARGER_LIST_UNSUPPORTED, LIST_LEFT, CHARGER_LIST_IDLE },
};

int charger_list_next(int state, enum list_event e)
{
    for (size_t i = 0; i < AMP_COUNT(moves); i++)
        if (moves[i].state == state && moves[i].event == e)
            return moves[i].next;
    return 0;
}

/* ---- keeping ---- */

void charger_list_free(struct charger_list *l)
{
    if (!l)
        return;
    free(l->after);
    free(l->sent_to);
    free(l->fact);
    free(l);
}

void charger_list_apply(struct world *w, const struct charger_list_fact *f)
{
    struct charger *c = world_charger_by_key(w, f->charger);

    if (!c)
        return;
    if (!c->list)
        c->list = must(calloc(1, sizeof *c->list));
    c->list->checked = 0;
    keep(FACT_CHARGER_LIST, &c->list->fact, f);
}

void charger_list_put(struct world *w, struct charger *c, const struct charger_list_fact *f)
{
    struct fact whole = { .kind = FACT_CHARGER_LIST, .u.charger_list = *f };
    struct fact *copy = fact_copy(&whole); /* texts of `f` may be those of the record itself */

    charger_list_apply(w, &copy->u.charger_list);
    tell(w, FACT_CHARGER_LIST, &copy->u.charger_list);
    free(copy);
    (void)c;
}

/* False: the event means nothing now, and nothing changed. */
bool charger_list_happens(struct world *w, struct charger *c, struct charger_list_fact *f,
                          enum list_event e, struct amp_text why, int64_t now_ms)
{
    int next = charger_list_next(f->state, e);

    if (!next)
        return false;
    f->state = next;
    f->why = why;
    f->changed_ms = now_ms;
    if (e != LIST_ASKED && e != LIST_SENT)
        f->command = 0;
    charger_list_put(w, c, f);
    return true;
}

/* The update under way is given up, or done. */
void charger_list_over(struct charger_list *l)
{
    free(l->after);
    free(l->sent_to);
    l->after = l->sent_to = NULL;
    l->going = l->full = l->more = false;
}

struct charger_list_fact charger_list_blank(const struct charger *c)
{
    return (struct charger_list_fact){ .charger = c->fact->key,
                                       .org = c->fact->org,
                                       .version = LIST_VERSION_UNKNOWN,
                                       .state = CHARGER_LIST_IDLE };
}

struct list *charger_list_wanted(const struct world *w, const struct charger_list_fact *f)
{
    return f->list.len ? list_find(w, f->org, f->list) : NULL;
}

const struct charger_list_fact *charger_list(const struct charger *c)
{
    return c->list ? c->list->fact : NULL;
}

int charger_list_state(const struct world *w, const struct charger *c)
{
    const struct charger_list_fact *f = charger_list(c);
    const struct list *l = f ? charger_list_wanted(w, f) : NULL;

    if (!f)
        return CHARGER_LIST_IDLE;
    return f->state == CHARGER_LIST_SYNCED && l && l->fact->revision != f->revision
               ? CHARGER_LIST_PENDING
               : f->state;
}

size_t world_list_users(const struct world *w, int64_t org, struct amp_text name)
{
    size_t n = 0;

    for (size_t i = 0; i < w->charger_count; i++) {
        const struct charger_list_fact *f = charger_list(w->chargers[i]);

        n += f && f->org == org && f->list.len && amp_text_eqi(f->list, name);
    }
    return n;
}

/* ---- what people want ---- */

void world_assign_list(struct world *w, struct charger *c, struct amp_text name, int32_t max,
                       bool leave, int64_t now_ms)
{
    struct charger_list_fact f = c->list ? *c->list->fact : charger_list_blank(c);
    struct list *l = name.len ? list_find(w, f.org, name) : NULL;
    bool same = l && f.list.len && amp_text_eqi(f.list, name);

    if (c->list) {
        charger_list_over(c->list);
        c->list->target = 0; /* what is under way leads nowhere */
    }
    f.list = l ? l->fact->name : AMP_NO_TEXT;
    f.max = max;
    if (!same)
        f.revision = 0; /* the contents are another list's */
    if (!l && (leave || f.version == 0 || f.version == -1))
        f.state = CHARGER_LIST_IDLE;
    else if (charger_list_next(f.state, LIST_CHANGED))
        f.state = charger_list_next(f.state, LIST_CHANGED);
    f.why = AMP_NO_TEXT;
    f.changed_ms = now_ms;
    charger_list_put(w, c, &f);
}

void world_resend_list(struct world *w, struct charger *c, bool full, int64_t now_ms)
{
    struct charger_list_fact f;

    if (!c->list)
        return;
    f = *c->list->fact;
    if (full)
        f.revision = 0;
    if (f.version == -1)
        f.version = LIST_VERSION_UNKNOWN;
    c->list->failed = c->list->not_before_ms = 0;
    c->list->refused = 0;
    if (!charger_list_happens(w, c, &f, LIST_CHANGED, AMP_NO_TEXT, now_ms))
        charger_list_put(w, c, &f);
}
