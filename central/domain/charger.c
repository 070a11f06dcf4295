/* central/domain/charger.c - chargers: how we meet them, when they are connected, stale, gone, and
 * what they say at boot. central-edge-cases 37, 45-48, 54, 59, 62. */
#include "central/domain/access.h"
#include "central/domain/inside.h"
#include "central/domain/shared.h"

#define PENDING_RETRY_S \
    60 /* how often a knocking charger boots again: how long a person's yes takes to arrive */
#define TELL_SEEN_MS 60000

static bool same_id(const void *item, const void *key)
{
    const struct charger *c = item;

    return amp_text_eqi(c->fact->id, *(const struct amp_text *)key);
}

static bool same_key(const void *item, const void *key)
{
    const struct charger *c = item;

    return c->fact->key == *(const int64_t *)key;
}

struct charger *world_charger(struct world *w, struct amp_text id)
{
    return map_get(&w->by_id, amp_text_hashi(id), same_id, &id);
}

struct charger *world_charger_by_key(struct world *w, int64_t key)
{
    return map_get(&w->by_key, map_hash_int(key), same_key, &key);
}

struct charger *charger_add(struct world *w, const struct charger_fact *f)
{
    struct charger *c = must(calloc(1, sizeof *c));

    c->fact = pack(FACT_CHARGER, f);
    c->told_ms = f->last_seen_ms;
    c->boot_ms = f->last_boot_ms;
    c->no_access.charger = f->key;
    w->chargers = grow_list(w->chargers, w->charger_count, &w->charger_cap);
    w->chargers[w->charger_count++] = c;
    map_put(&w->by_id, amp_text_hashi(f->id), c);
    map_put(&w->by_key, map_hash_int(f->key), c);
    key_note(w, &w->next_charger, f->key);
    return c;
}

void charger_free(struct charger *c)
{
    for (uint32_t i = 0; i < c->connector_count; i++)
        free(c->connectors[i]);
    for (struct transaction *t = c->transactions, *next; t; t = next) {
        next = t->next;
        transaction_free(t);
    }
    for (struct command *k = c->commands, *next; k; k = next) {
        next = k->next;
        command_free(k);
    }
    config_free(c);
    charger_list_free(c->list);
    installed_free(c);
    free(c->connectors);
    free(c->access);
    free(c->fact);
    free(c);
}

void charger_apply(struct world *w, const struct charger_fact *f)
{
    struct charger *c = world_charger_by_key(w, f->key);
    struct charger_fact now = *f;
    bool was_connected = f->connection == CONNECTION_CONNECTED || f->connection == CONNECTION_STALE;

    if (was_connected)
        now.connection = CONNECTION_DISCONNECTED;
    if (c)
        keep(FACT_CHARGER, &c->fact, &now);
    else
        c = charger_add(w, &now);
    c->told_ms = f->last_seen_ms;
    c->boot_ms = f->last_boot_ms;
    c->was_connected = was_connected;
    if (f->deleted_ms)
        charger_bury(w, c);
}

struct charger *world_charger_meet(struct world *w, struct amp_text id, int64_t now_ms)
{
    struct charger *c = world_charger(w, id);

    if (c)
        return c;
    c = charger_add(w, &(struct charger_fact){
                           .key = charger_key_take(w, id),
                           .org = ORG_DEFAULT,
                           .id = id,
                           .created_ms = now_ms,
                           .registration = w->config.accept_unknown ? REGISTRATION_ACCEPTED
                                                                    : REGISTRATION_PENDING,
                       });
    tell(w, FACT_CHARGER, c->fact);
    return c;
}

size_t world_charger_count(const struct world *w)
{
    return w->charger_count;
}

struct charger *world_charger_at(struct world *w, size_t i)
{
    return i < w->charger_count ? w->chargers[i] : NULL;
}

const struct charger_fact *charger_fact(const struct charger *c)
{
    return c->fact;
}

void *charger_session(const struct charger *c)
{
    return c->session;
}

uint32_t charger_generation(const struct charger *c)
{
    return c->generation;
}

static void tell_charger(struct world *w, struct charger *c)
{
    c->told_ms = c->fact->last_seen_ms;
    tell(w, FACT_CHARGER, c->fact);
}

static void tell_connection(struct world *w, const struct charger *c, enum connection_event event,
                            int code, struct amp_text why, int64_t now_ms)
{
    tell(w, FACT_CONNECTION,
         &(struct connection_fact){
             .charger = c->fact->key,
             .at_ms = now_ms,
             .event = (int32_t)event,
             .code = code,
             .id = c->fact->id,
             .address = c->fact->address,
             .reason = why,
         });
}

/* ---- life of a connection ---- */

void *world_connected(struct world *w, struct charger *c, void *session, struct amp_text protocol,
                      struct amp_text address, int64_t now_ms)
{
    void *old = c->session;
    struct charger_fact f;

    if (!w->settled)
        world_settle(w, now_ms);
    f = *c->fact;
    if (old) /* E45, E46: the newest wins, and the old one's end is told here, not when its socket
                notices */
        tell_connection(w, c, CONNECTION_CLOSED, 0, AMP_TEXT("replaced by a newer connection"),
                        now_ms);
    c->session = session;
    c->generation++;
    c->alive_ms = now_ms;
    c->overdue = c->was_connected = false;
    f.protocol = protocol;
    f.address = address;
    f.connection = CONNECTION_CONNECTED;
    f.last_seen_ms = now_ms;
    keep(FACT_CHARGER, &c->fact, &f);
    tell_charger(w, c);
    tell_connection(w, c, CONNECTION_OPENED, 0, AMP_NO_TEXT, now_ms);
    return old;
}

bool world_disconnected(struct world *w, struct charger *c, void *session, int code,
                        struct amp_text why, int64_t now_ms)
{
    if (!c->session || c->session != session)
        return false; /* E45: the late close of a connection that was replaced */
    c->session = NULL;
    c->fact->connection = CONNECTION_DISCONNECTED;
    tell_charger(w, c);
    tell_connection(w, c, CONNECTION_CLOSED, code, why, now_ms);
    command_offline(w, c, now_ms);
    return true;
}

void world_seen(struct world *w, struct charger *c, int64_t now_ms)
{
    c->alive_ms = now_ms;
    c->fact->last_seen_ms = now_ms;
    if (c->fact->connection == CONNECTION_STALE && c->session) {
        c->fact->connection = CONNECTION_CONNECTED;
        c->overdue = false;
        tell_charger(w, c);
    } else if (now_ms - c->told_ms >= TELL_SEEN_MS) {
        tell_charger(w, c);
    }
}

/* How long a living charger may be silent: its heartbeat interval and the grace. */
static int64_t patience_ms(const struct world *w, const struct charger *c)
{
    int64_t heartbeat_s = c->fact->heartbeat_s > 0 ? c->fact->heartbeat_s : w->config.heartbeat_s;

    return (heartbeat_s + w->config.stale_after_s) * 1000;
}

void world_tick(struct world *w, int64_t now_ms,
                void (*overdue)(void *ctx, struct charger *c, void *session), void *ctx)
{
    if (!w->settled)
        world_settle(w, now_ms);
    for (size_t i = 0; i < w->charger_count; i++) {
        struct charger *c = w->chargers[i];
        int64_t silent_ms = now_ms - c->alive_ms;

        if (!c->session || silent_ms <= patience_ms(w, c))
            continue;
        if (c->fact->connection == CONNECTION_CONNECTED) {
            c->fact->connection = CONNECTION_STALE;
            tell_charger(w, c);
            tell_connection(w, c, CONNECTION_WENT_STALE, 0, AMP_TEXT("no message in time"), now_ms);
        }
        if (silent_ms > 2 * patience_ms(w, c) && !c->overdue) {
            c->overdue = true;
            overdue(ctx, c, c->session);
        }
    }
    command_tick(w, now_ms);
    reservation_tick(w, now_ms);
    transaction_tick(w, now_ms);
}

void charger_settle(struct world *w, struct charger *c, int64_t now_ms)
{
    if (!c->was_connected)
        return;
    c->was_connected = false;
    tell_charger(w, c);
    tell_connection(w, c, CONNECTION_CLOSED, 0, AMP_TEXT("the central system ended"), now_ms);
}

/* ---- boot ---- */

int world_boot(struct world *w, struct charger *c, const struct boot_info *b, int32_t *interval_s,
               int64_t now_ms)
{
    struct charger_fact f = *c->fact;
    int32_t own = charger_access(c)->heartbeat_s;
    int32_t heartbeat_s = own > 0                     ? own
                          : w->config.heartbeat_s > 0 ? w->config.heartbeat_s
                                                      : 1; /* E62: 0 would turn it off */
    int rule;

    f.vendor = b->vendor;
    f.model = b->model;
    f.serial = b->serial;
    f.box_serial = b->box_serial;
    f.firmware = b->firmware;
    f.iccid = b->iccid;
    f.imsi = b->imsi;
    f.meter_type = b->meter_type;
    f.meter_serial = b->meter_serial;
    f.last_boot_ms = now_ms;
    f.heartbeat_s = heartbeat_s;
    rule = world_boot_rules_say(w, &f);
    if (rule)
        f.registration = rule;
    *interval_s = f.registration == REGISTRATION_PENDING && PENDING_RETRY_S < heartbeat_s
                      ? PENDING_RETRY_S
                      : heartbeat_s;
    keep(FACT_CHARGER, &c->fact, &f);
    tell_charger(w, c);
    command_saw_boot(w, c, c->fact->firmware, now_ms);
    config_saw_boot(w, c);
    return c->fact->registration;
}

int world_adopt(struct world *w, struct charger *c, int registration, int64_t now_ms)
{
    (void)now_ms;
    if (registration < REGISTRATION_PENDING || registration > REGISTRATION_REJECTED)
        return AMP_E_VALUE;
    if (c->fact->registration != registration || !c->fact->decided) {
        c->fact->registration = registration;
        c->fact->decided = true;
        tell_charger(w, c);
    }
    return 0;
}
