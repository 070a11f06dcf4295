/* central/domain/connector.c - what each connector last said about itself, its history, and what a
 * status means for the transaction that runs there. central-edge-cases 26-28. */
#include "central/domain/inside.h"

/* 1.6 words; a 2.x translation brings the same ones from the charging state. What is not listed
 * says nothing about a transaction: Available in mid-session is a habit of socket-type chargers, no
 * end (E26). */
static const struct {
    const char *status;
    enum transaction_event event;
} meanings[] = {
    { "Charging", TX_FLOWS },
    { "SuspendedEV", TX_PAUSES },
    { "SuspendedEVSE", TX_PAUSES },
};

static bool in_memory(int connector)
{
    return connector >= 0 && connector <= WORLD_CONNECTORS_MAX;
}

static void put(struct charger *c, const struct connector_fact *f)
{
    uint32_t at = (uint32_t)f->connector;

    if (at >= c->connector_count) {
        c->connectors = must(realloc(c->connectors, (at + 1) * sizeof *c->connectors));
        memset(c->connectors + c->connector_count, 0,
               (at + 1 - c->connector_count) * sizeof *c->connectors);
        c->connector_count = at + 1;
    }
    keep(FACT_CONNECTOR, &c->connectors[at], f);
}

void connector_apply(struct world *w, const struct connector_fact *f)
{
    struct charger *c = world_charger_by_key(w, f->charger);

    if (c && in_memory(f->connector))
        put(c, f);
}

const struct connector_fact *charger_connector(const struct charger *c, int connector)
{
    if (!in_memory(connector) || (uint32_t)connector >= c->connector_count)
        return NULL;
    return c->connectors[connector];
}

size_t charger_connectors(const struct charger *c)
{
    return c->connector_count ? c->connector_count - 1 : 0;
}

void world_status(struct world *w, struct charger *c, int connector, const struct connector_fact *s)
{
    struct connector_fact f = *s;
    const struct connector_fact *old = charger_connector(c, connector);
    struct transaction *t;
    bool repeated = old && s->at_ms && old->at_ms == s->at_ms &&
                    amp_text_eq(old->status, s->status) && amp_text_eq(old->error, s->error);

    f.charger = c->fact->key;
    f.connector = connector;
    if (!f.at_ms)
        f.at_ms = f.seen_ms; /* E28 */
    if (!repeated)
        tell(w, FACT_STATUS,
             &(struct status_fact){
                 .charger = f.charger,
                 .connector = connector,
                 .status = f.status,
                 .error = f.error,
                 .info = f.info,
                 .at_ms = f.at_ms,
                 .seen_ms = f.seen_ms,
             });
    if (!in_memory(connector))
        return;
    put(c, &f);
    tell(w, FACT_CONNECTOR, c->connectors[connector]);
    t = connector > 0 ? transaction_open_at(c, connector) : NULL; /* E27 */
    for (size_t i = 0; t && i < AMP_COUNT(meanings); i++)
        if (amp_text_is(f.status, meanings[i].status))
            transaction_event(w, t, meanings[i].event, f.seen_ms);
    if (amp_text_is(f.status, "Faulted") || amp_text_is(f.status, "Unavailable"))
        transaction_faulted(w, c, connector, f.seen_ms);
    command_saw_status(w, c, connector, f.seen_ms);
}
