/* central/domain/world.c - the world as a whole: made, rebuilt from facts, freed. */
#include "central/domain/inside.h"
#include <assert.h>

struct world *world_new(const struct world_config *config, world_emit_fn *emit, void *ctx)
{
    struct world *w = must(calloc(1, sizeof *w));

    w->config = *config;
    w->emit = emit;
    w->ctx = ctx;
    w->next_charger = w->next_transaction = w->next_command = w->next_reservation = 1;
    return w;
}

void world_free(struct world *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->charger_count; i++)
        charger_free(w->chargers[i]);
    for (struct charger *c = w->buried, *next; c; c = next) {
        next = c->next_buried;
        charger_free(c);
    }
    for (size_t i = 0; i < w->boot_rule_count; i++)
        free(w->boot_rules[i]);
    free(w->boot_rules);
    for (size_t i = 0; i < w->tag_count; i++)
        tag_free(w->tag_list[i]);
    for (struct reservation *r = w->reservation_first, *next; r; r = next) {
        next = r->behind;
        reservation_free(r);
    }
    map_clear(&w->reservations);
    for (size_t i = 0; i < w->profile_count; i++)
        free(w->profiles[i]);
    free(w->profiles);
    for (size_t i = 0; i < w->list_count; i++)
        list_free(w->lists[i]);
    free(w->lists);
    for (size_t i = 0; i < w->quirk_count; i++)
        free(w->quirks[i]);
    free(w->quirks);
    free(w->chargers);
    free(w->powers);
    free(w->tag_list);
    shared_free(w);
    map_clear(&w->by_id);
    map_clear(&w->by_key);
    map_clear(&w->transactions);
    map_clear(&w->commands);
    map_clear(&w->tags);
    free(w);
}

const struct world_config *world_config(const struct world *w)
{
    return &w->config;
}

void world_apply(struct world *w, const struct fact *f)
{
    switch (f->kind) {
    case FACT_CHARGER:
        charger_apply(w, &f->u.charger);
        break;
    case FACT_CONNECTOR:
        connector_apply(w, &f->u.connector);
        break;
    case FACT_TRANSACTION:
        transaction_apply(w, &f->u.transaction);
        break;
    case FACT_READING:
        transaction_apply_reading(w, &f->u.reading);
        break;
    case FACT_COMMAND:
        command_apply(w, &f->u.command);
        break;
    case FACT_TAG:
        tag_apply(w, &f->u.tag);
        break;
    case FACT_PROFILE:
        profile_apply(w, &f->u.profile);
        break;
    case FACT_INSTALLED:
        installed_apply(w, &f->u.installed);
        break;
    case FACT_LIST:
        list_apply(w, &f->u.list);
        break;
    case FACT_LIST_ENTRY:
        list_apply_entry(w, &f->u.list_entry);
        break;
    case FACT_CHARGER_LIST:
        charger_list_apply(w, &f->u.charger_list);
        break;
    case FACT_RESERVATION:
        reservation_apply(w, &f->u.reservation);
        break;
    case FACT_QUIRK:
        quirk_apply(w, &f->u.quirk);
        break;
    case FACT_ACCESS:
        access_apply(w, &f->u.access);
        break;
    case FACT_BOOT_RULE:
        boot_rule_apply(w, &f->u.boot_rule);
        break;
    case FACT_CONFIG:
        config_apply(w, &f->u.config);
        break;
    default: /* histories, and what belongs to others */
        break;
    }
}

/* Counters only rise, so that a replay and the store's own counters cannot disagree to our harm:
 * keys are never reused (E10). */
void world_set_keys(struct world *w, int64_t charger, int64_t transaction, int64_t command)
{
    if (charger > w->next_charger)
        w->next_charger = charger;
    if (transaction > w->next_transaction)
        w->next_transaction = transaction;
    if (transaction > w->top_transaction + 1)
        w->top_transaction = transaction - 1;
    if (command > w->next_command)
        w->next_command = command;
}

void world_settle(struct world *w, int64_t now_ms)
{
    w->settled = true;
    for (size_t i = 0; i < w->charger_count; i++)
        if (!w->chargers[i]->far) {
            charger_settle(w, w->chargers[i], now_ms);
            command_settle(w, w->chargers[i], INT64_MAX, now_ms);
        }
}
