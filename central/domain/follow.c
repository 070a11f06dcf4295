/* central/domain/follow.c - see follow.h. */
#include "central/domain/follow.h"

#define ARENA_SIZE 4096 /* of one request and its answer: escapes, and the one record inside */

static const struct {
    int message; /* enum asked_id */
    void (*changed)(struct world *w, const struct followed *f);
} followers[] = {
    { ASKED_RESERVE_NOW, reservation_asked },
    { ASKED_CANCEL_RESERVATION, reservation_cancelled },
    { ASKED_SEND_LOCAL_LIST, list_sent },
    { ASKED_GET_LOCAL_LIST_VERSION, list_told },
    { ASKED_SET_CHARGING_PROFILE, installed_asked },
    { ASKED_CLEAR_CHARGING_PROFILE, installed_cleared },
    { ASKED_REMOTE_START_TRANSACTION, installed_started },
};

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A result is a JSON object; what failed stands there in words. */
static bool is_object(struct amp_text answer)
{
    answer = amp_text_trim(answer);
    return answer.len && answer.at[0] == '{';
}

static void command_changed(struct world *w, const struct command_fact *k)
{
    const struct amp_message *m = amp_message_find(&asked, k->action);
    struct charger *c = world_charger_by_key(w, k->charger);
    union {
        uint64_t align;
        char bytes[256];
    } request, reply;
    char block[ARENA_SIZE];
    struct amp_arena arena;
    struct followed f = { .c = c, .k = k, .asked = &request };

    if (!m || !c || m->request_size > sizeof request || m->reply_size > sizeof reply)
        return;
    amp_arena_init(&arena, block, sizeof block);
    if (amp_decode(m->request, AMP_OCPP16, AMP_LENIENT,
                   k->payload.len ? k->payload : AMP_TEXT("{}"), &request, &arena, NULL, NULL) < 0)
        return;
    if (is_object(k->answer) &&
        amp_decode(m->reply, AMP_OCPP16, AMP_LENIENT, k->answer, &reply, &arena, NULL, NULL) == 0)
        f.reply = &reply;
    f.at_ms = later(later(k->created_ms, k->sent_ms), later(k->answered_ms, k->effect_ms));
    for (size_t i = 0; i < AMP_COUNT(followers); i++)
        if (followers[i].message == m->id)
            followers[i].changed(w, &f);
}

static void transaction_changed(struct world *w, const struct transaction_fact *t)
{
    struct charger *c = world_charger_by_key(w, t->charger);

    if (c && t->connector > 0)
        reservation_saw_start(w, c, t);
    if (c && !transaction_is_open(t->state))
        installed_saw_stop(w, c, t);
}

static void connector_changed(struct world *w, const struct connector_fact *s)
{
    struct charger *c = world_charger_by_key(w, s->charger);

    if (c)
        reservation_saw_status(w, c, s);
}

static void charger_changed(struct world *w, const struct charger_fact *f)
{
    struct charger *c = world_charger_by_key(w, f->key);

    if (!c)
        return;
    if (f->last_boot_ms != c->boot_ms) {
        c->boot_ms = f->last_boot_ms;
        list_saw_boot(w, c);
        installed_saw_boot(w, c);
    }
    if (f->deleted_ms)
        reservation_saw_deleted(w, c);
}

void follow(struct world *w, enum fact_kind kind, const void *body)
{
    if (kind == FACT_COMMAND)
        command_changed(w, body);
    else if (kind == FACT_TRANSACTION)
        transaction_changed(w, body);
    else if (kind == FACT_CONNECTOR)
        connector_changed(w, body);
    else if (kind == FACT_CHARGER)
        charger_changed(w, body);
    else if (kind == FACT_TAG)
        list_saw_tag(w, body);
}
