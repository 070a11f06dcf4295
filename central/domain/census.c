/* central/domain/census.c - one walk over the world. */
#include "central/domain/census.h"
#include "central/domain/inside.h"

static void add(uint64_t *by, int state)
{
    if (state >= 0 && state < CENSUS_STATES)
        by[state]++;
}

void world_census(const struct world *w, struct census *out)
{
    *out = (struct census){ { 0 }, { 0 }, { 0 }, { 0 } };
    for (size_t i = 0; i < w->charger_count; i++) {
        const struct charger *c = w->chargers[i];

        add(out->connections, c->fact->connection);
        add(out->registrations, c->fact->registration);
        for (const struct command *k = c->commands; k; k = k->next)
            if (k->fact->state <= COMMAND_ACCEPTED)
                add(out->commands, k->fact->state);
    }
    for (const struct transaction *t = w->open_first; t; t = t->behind)
        add(out->transactions, t->fact->state);
}
