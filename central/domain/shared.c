/* central/domain/shared.c - see shared.h. */
#include "central/domain/shared.h"
#include "central/domain/inside.h"

void world_share(struct world *w)
{
    w->shared = true;
}

void world_more_transactions(struct world *w, int64_t first, int64_t end)
{
    if (w->next_transaction >= w->end_transaction) {
        w->next_transaction = first;
        w->end_transaction = end;
    } else {
        w->spare_first = first;
        w->spare_end = end;
    }
}

int64_t world_transactions_left(const struct world *w)
{
    return w->end_transaction - w->next_transaction + (w->spare_end - w->spare_first);
}

int64_t transaction_key_take(struct world *w)
{
    if (!w->shared)
        return w->next_transaction;
    if (w->next_transaction >= w->end_transaction) {
        w->next_transaction = w->spare_first;
        w->end_transaction = w->spare_end;
        w->spare_first = w->spare_end = 0;
    }
    if (w->next_transaction >= w->end_transaction)
        abort(); /* the database was away for a hundred thousand starts */
    return w->next_transaction++;
}

struct expected {
    struct expected *next;
    int64_t key;
    uint32_t len;
    char id[];
};

static struct expected **expected_at(const struct world *w, struct amp_text id)
{
    struct expected **at = (struct expected **)(uintptr_t)&w->expected;

    while (*at && !amp_text_eqi((struct amp_text){ (*at)->id, (*at)->len }, id))
        at = &(*at)->next;
    return at;
}

void world_expect(struct world *w, struct amp_text id, int64_t key)
{
    struct expected *e = *expected_at(w, id);

    if (!e) {
        e = must(calloc(1, sizeof *e + id.len));
        e->len = id.len;
        memcpy(e->id, id.at, id.len);
        e->next = w->expected;
        w->expected = e;
    }
    e->key = key;
}

int64_t world_expected(const struct world *w, struct amp_text id)
{
    const struct expected *e = *expected_at(w, id);

    return e ? e->key : 0;
}

int64_t charger_key_take(struct world *w, struct amp_text id)
{
    struct expected **at = expected_at(w, id), *e = *at;
    int64_t key;

    if (!e)
        return key_take(w, &w->next_charger);
    key = e->key;
    *at = e->next;
    free(e);
    return key;
}

void shared_free(struct world *w)
{
    while (w->expected) {
        struct expected *next = w->expected->next;

        free(w->expected);
        w->expected = next;
    }
}

int64_t world_spare_charger_key(struct world *w)
{
    return key_take(w, &w->next_charger);
}

void world_command_stranded(struct world *w, struct charger *c, int64_t now_ms)
{
    command_offline(w, c, now_ms);
}

bool charger_far(const struct charger *c)
{
    return c->far;
}

void world_set_far(struct world *w, struct charger *c, bool far)
{
    (void)w;
    c->far = far;
}

static bool connected(const struct charger *c)
{
    return c->fact->connection == CONNECTION_CONNECTED || c->fact->connection == CONNECTION_STALE;
}

bool charger_reachable(const struct charger *c)
{
    return c->session || (c->far && connected(c));
}

void world_apply_far(struct world *w, const struct fact *f)
{
    struct charger *c;

    if (f->kind != FACT_CHARGER) {
        world_apply(w, f);
        return;
    }
    c = world_charger_by_key(w, f->u.charger.key);
    if (c) {
        keep(FACT_CHARGER, &c->fact, &f->u.charger);
    } else {
        c = charger_add(w, &f->u.charger);
        c->far = true;
    }
    c->told_ms = f->u.charger.last_seen_ms;
    c->was_connected = false;
    if (f->u.charger.deleted_ms)
        charger_bury(w, c);
}

void *world_disown(struct world *w, struct charger *c)
{
    void *session = c->session;

    (void)w;
    c->session = NULL;
    c->far = true;
    return session;
}

void world_forget(struct world *w, struct charger *c)
{
    transaction_forget_all(w, c);
    command_forget_all(w, c);
    for (uint32_t i = 0; i < c->connector_count; i++)
        free(c->connectors[i]);
    free(c->connectors);
    c->connectors = NULL;
    c->connector_count = 0;
}

void world_settle_one(struct world *w, struct charger *c, int64_t young_ms, int64_t now_ms)
{
    charger_settle(w, c, now_ms);
    command_settle(w, c, now_ms - young_ms, now_ms);
}
