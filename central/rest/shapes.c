/* central/rest/shapes.c - one function a resource. api.def describes what they write; rest_test.c
 * holds one against the other. */
#include "central/rest/shapes.h"
#include "central/domain/attention.h"
#include "central/rest/live.h"
#include <stdio.h>

void shape_text(struct amp_json *w, const char *key, struct amp_text t)
{
    if (!t.at)
        return;
    amp_json_key(w, key);
    amp_json_text(w, t);
}

void shape_time(struct amp_json *w, const char *key, int64_t ms)
{
    if (!ms)
        return;
    amp_json_key(w, key);
    amp_json_time(w, ms);
}

void shape_int(struct amp_json *w, const char *key, int64_t v)
{
    amp_json_key(w, key);
    amp_json_int(w, v);
}

static void put_str(struct amp_json *w, const char *key, const char *s)
{
    amp_json_key(w, key);
    amp_json_str(w, s);
}

static void put_age(struct amp_json *w, const char *key, int64_t since_ms, int64_t now_ms)
{
    if (since_ms)
        shape_int(w, key, now_ms > since_ms ? (now_ms - since_ms) / 1000 : 0);
}

/* Thousandths as a decimal: 95700 mA is 95.7 A. */
static void put_milli(struct amp_json *w, const char *key, int64_t milli)
{
    int places = 3;

    while (places > 0 && milli % 10 == 0) {
        milli /= 10;
        places--;
    }
    amp_json_key(w, key);
    amp_json_dec(w, amp_dec_of(milli, places));
}

struct amp_text shape_charger_id(const struct central *c, int64_t key)
{
    const struct charger *ch = key ? world_charger_by_key(c->world, key) : NULL;

    return ch ? charger_fact(ch)->id : AMP_NO_TEXT;
}

const char *shape_connection(int connection)
{
    return connection == CONNECTION_CONNECTED ? "connected"
           : connection == CONNECTION_STALE   ? "stale"
                                              : "offline";
}

const char *shape_command_state(int state, char out[16])
{
    snprintf(out, 16, "%s", command_state_name(state));
    for (char *p = out; *p; p++)
        if (*p == ' ')
            *p = '_';
    return out;
}

/* ---- chargers ---- */

static void charger_members(struct amp_json *w, const struct charger_fact *f, int64_t now_ms)
{
    shape_text(w, "id", f->id);
    put_str(w, "connection", shape_connection(f->connection));
    put_str(w, "registration", registration_name(f->registration));
    shape_text(w, "vendor", f->vendor);
    shape_text(w, "model", f->model);
    shape_text(w, "serial", f->serial);
    shape_text(w, "boxSerial", f->box_serial);
    shape_text(w, "firmware", f->firmware);
    shape_text(w, "meterType", f->meter_type);
    shape_text(w, "meterSerial", f->meter_serial);
    shape_text(w, "iccid", f->iccid);
    shape_text(w, "imsi", f->imsi);
    shape_text(w, "protocol", f->protocol);
    shape_text(w, "address", f->address);
    if (f->heartbeat_s > 0)
        shape_int(w, "heartbeatS", f->heartbeat_s);
    shape_time(w, "createdAt", f->created_ms);
    shape_time(w, "lastSeenAt", f->last_seen_ms);
    put_age(w, "lastSeenAgeS", f->last_seen_ms, now_ms);
    shape_time(w, "lastBootAt", f->last_boot_ms);
}

static void connector_members(struct amp_json *w, const struct connector_fact *f, int64_t now_ms)
{
    shape_int(w, "connectorId", f->connector);
    amp_json_key(w, "status");
    amp_json_text(w, f->status.at ? f->status : AMP_TEXT(""));
    shape_text(w, "error", f->error);
    shape_text(w, "info", f->info);
    shape_text(w, "vendorId", f->vendor_id);
    shape_text(w, "vendorError", f->vendor_error);
    shape_time(w, "at", f->at_ms);
    shape_time(w, "seenAt", f->seen_ms);
    put_age(w, "ageS", f->seen_ms, now_ms);
}

void shape_charger_fact(struct amp_json *w, const struct charger_fact *f, int64_t now_ms)
{
    amp_json_open(w, '{');
    charger_members(w, f, now_ms);
    amp_json_close(w, '}');
}

void shape_connector_fact(struct amp_json *w, const struct central *c,
                          const struct connector_fact *f, int64_t now_ms)
{
    amp_json_open(w, '{');
    shape_text(w, "charger", shape_charger_id(c, f->charger));
    connector_members(w, f, now_ms);
    amp_json_close(w, '}');
}

static void put_connector(struct amp_json *w, const struct central *c, const struct charger *ch,
                          int connector, int64_t now_ms)
{
    const struct connector_fact *f = charger_connector(ch, connector);
    const struct transaction_fact *t = connector ? charger_transaction(ch, connector) : NULL;
    struct connector_fact unheard = { .connector = connector };

    amp_json_open(w, '{');
    connector_members(w, f ? f : &unheard, now_ms);
    if (t) {
        amp_json_key(w, "transaction");
        shape_transaction(w, c, t, c->live ? live_reading(c->live, t->key) : NULL);
    }
    amp_json_close(w, '}');
}

void shape_charger(struct amp_json *w, const struct central *c, const struct charger *ch,
                   int64_t now_ms)
{
    size_t highest = charger_connectors(ch);

    amp_json_open(w, '{');
    charger_members(w, charger_fact(ch), now_ms);
    if (charger_connector(ch, 0)) {
        amp_json_key(w, "station");
        put_connector(w, c, ch, 0, now_ms);
    }
    amp_json_key(w, "connectors");
    amp_json_open(w, '[');
    for (size_t i = 1; i <= highest; i++)
        if (charger_connector(ch, (int)i) || charger_transaction(ch, (int)i))
            put_connector(w, c, ch, (int)i, now_ms);
    amp_json_close(w, ']');
    amp_json_close(w, '}');
}

/* ---- transactions ---- */

const char *shape_transaction_flag(uint32_t bit)
{
    const struct attention_reason *table;
    size_t n = attention_table(&table);

    for (size_t i = 0; i < n; i++)
        if (table[i].flag == bit)
            return table[i].name;
    return NULL;
}

static void put_flags(struct amp_json *w, uint32_t flags)
{
    const struct attention_reason *table;
    size_t n = attention_table(&table);

    if (!flags)
        return;
    amp_json_key(w, "flags");
    amp_json_open(w, '[');
    for (size_t i = 0; i < n; i++)
        if (flags & table[i].flag)
            amp_json_str(w, table[i].name);
    amp_json_close(w, ']');
}

static void put_numbers(struct amp_json *w, const struct reading_fact *f)
{
    if (f->has & READING_ENERGY)
        shape_int(w, "energyWh", f->energy_wh);
    if (f->has & READING_POWER)
        shape_int(w, "powerW", f->power_w);
    if (f->has & READING_CURRENT)
        put_milli(w, "currentA", f->current_ma);
    if (f->has & READING_VOLTAGE)
        put_milli(w, "voltageV", f->voltage_mv);
    if (f->has & READING_SOC)
        put_milli(w, "socPercent", f->soc_permille * 100);
    if (f->has & READING_TEMPERATURE)
        put_milli(w, "temperatureC", f->temperature_mc);
}

void shape_transaction(struct amp_json *w, const struct central *c,
                       const struct transaction_fact *f, const struct reading_fact *last)
{
    bool stopped = f->stop_ms != 0;

    amp_json_open(w, '{');
    shape_int(w, "id", f->key);
    shape_text(w, "uid", f->uid);
    shape_text(w, "charger", shape_charger_id(c, f->charger));
    shape_int(w, "connectorId", f->connector);
    put_str(w, "state", transaction_state_name(f->state));
    put_flags(w, f->flags);
    shape_text(w, "idTag", f->tag);
    shape_text(w, "stopTag", f->stop_tag);
    shape_text(w, "reason", f->reason);
    shape_time(w, "startedAt", f->start_ms);
    shape_time(w, "startSeenAt", f->start_seen_ms);
    shape_time(w, "stoppedAt", f->stop_ms);
    shape_time(w, "stopSeenAt", f->stop_seen_ms);
    shape_int(w, "meterStartWh", f->meter_start_wh);
    if (stopped)
        shape_int(w, "meterStopWh", f->meter_stop_wh);
    shape_int(w, "energyWh", f->energy_wh);
    if (!stopped && f->last_ms)
        shape_int(w, "powerW", f->last_power_w);
    shape_time(w, "lastAt", f->last_ms);
    if (f->reservation)
        shape_int(w, "reservation", f->reservation);
    if (f->missing.len)
        shape_text(w, "missing", f->missing);
    if (f->merged_into)
        shape_int(w, "mergedInto", f->merged_into);
    shape_int(w, "revision", f->revision);
    if (last) {
        amp_json_key(w, "numbers");
        amp_json_open(w, '{');
        shape_time(w, "at", last->at_ms);
        put_numbers(w, last);
        amp_json_close(w, '}');
    }
    amp_json_close(w, '}');
}

void shape_reading(struct amp_json *w, const struct central *c, const struct reading_fact *f)
{
    amp_json_open(w, '{');
    shape_reading_members(w, c, f);
    if (f->samples.at && f->samples.len) {
        amp_json_key(w, "samples");
        amp_json_raw(w, f->samples);
    }
    amp_json_close(w, '}');
}

void shape_reading_members(struct amp_json *w, const struct central *c,
                           const struct reading_fact *f)
{
    if (f->transaction)
        shape_int(w, "transactionId", f->transaction);
    shape_text(w, "charger", shape_charger_id(c, f->charger));
    shape_int(w, "connectorId", f->connector);
    amp_json_key(w, "at");
    amp_json_time(w, f->at_ms);
    shape_time(w, "seenAt", f->seen_ms);
    put_numbers(w, f);
    if (f->has & READING_CLOCK) {
        amp_json_key(w, "clock");
        amp_json_bool(w, true);
    }
}

/* ---- messages and commands ---- */

const char *shape_frame_type(int type)
{
    static const char *const names[] = { "UNREADABLE", "UNREADABLE",      "CALL", "CALLRESULT",
                                         "CALLERROR",  "CALLRESULTERROR", "SEND" };

    return type >= 0 && (size_t)type < AMP_COUNT(names) ? names[type] : names[0];
}

/* JSON goes in as it is; anything else (a station's garbage, words of ours) as a text under
 * `otherwise`. */
static void put_json_or(struct amp_json *w, const char *key, const char *otherwise,
                        struct amp_text t)
{
    if (!t.at || !t.len)
        return;
    if (amp_json_check(t, NULL) == 0) {
        amp_json_key(w, key);
        amp_json_raw(w, t);
    } else {
        shape_text(w, otherwise, t);
    }
}

void shape_message(struct amp_json *w, const struct central *c, const struct message_fact *f,
                   int64_t id, size_t payload_max)
{
    amp_json_open(w, '{');
    if (id)
        shape_int(w, "id", id);
    amp_json_key(w, "at");
    amp_json_time(w, f->at_ms);
    shape_text(w, "charger", shape_charger_id(c, f->charger));
    put_str(w, "direction", f->direction == MESSAGE_SENT ? "sent" : "received");
    put_str(w, "type", shape_frame_type(f->type));
    shape_text(w, "action", f->action);
    shape_text(w, "messageId", f->correlation);
    if (f->payload.len > payload_max)
        shape_int(w, "payloadBytes", f->payload.len);
    else
        put_json_or(w, "payload", "text", f->payload);
    shape_text(w, "error", f->error);
    if (f->latency_ms >= 0 && f->type != 2)
        shape_int(w, "latencyMs", f->latency_ms);
    if (f->repairs > 0)
        shape_int(w, "repairs", f->repairs);
    amp_json_close(w, '}');
}

void shape_command(struct amp_json *w, const struct central *c, const struct command_fact *f)
{
    char state[16];

    amp_json_open(w, '{');
    shape_int(w, "id", f->key);
    amp_json_key(w, "charger");
    amp_json_text(w, shape_charger_id(c, f->charger));
    shape_text(w, "action", f->action);
    put_str(w, "state", shape_command_state(f->state, state));
    put_json_or(w, "payload", "failure", f->payload);
    put_json_or(w, "answer", "failure", f->answer);
    if (f->connector >= 0)
        shape_int(w, "connectorId", f->connector);
    if (f->transaction)
        shape_int(w, "transactionId", f->transaction);
    shape_text(w, "messageId", f->correlation);
    shape_text(w, "by", f->by);
    shape_time(w, "createdAt", f->created_ms);
    shape_time(w, "sentAt", f->sent_ms);
    shape_time(w, "answeredAt", f->answered_ms);
    shape_time(w, "effectAt", f->effect_ms);
    if (f->attempts)
        shape_int(w, "attempts", f->attempts);
    if (f->state == COMMAND_QUEUED)
        shape_time(w, "expiresAt", f->expires_ms);
    shape_text(w, "progress", f->progress);
    shape_time(w, "progressAt", f->progress_ms);
    if (f->request)
        shape_int(w, "requestId", f->request);
    if (f->batch)
        shape_int(w, "batch", f->batch);
    shape_text(w, "expected", f->expected);
    shape_text(w, "trace", f->trace);
    amp_json_close(w, '}');
}

void shape_reservation(struct amp_json *w, const struct central *c,
                       const struct reservation_fact *f)
{
    amp_json_open(w, '{');
    shape_int(w, "id", f->key);
    amp_json_key(w, "charger");
    amp_json_text(w, shape_charger_id(c, f->charger));
    shape_int(w, "connectorId", f->connector);
    put_str(w, "state", reservation_state_name(f->state));
    shape_text(w, "why", f->why);
    shape_text(w, "idTag", f->tag);
    shape_text(w, "parent", f->parent);
    shape_time(w, "expiresAt", f->expiry_ms);
    shape_time(w, "createdAt", f->created_ms);
    shape_time(w, "changedAt", f->changed_ms);
    shape_text(w, "by", f->by);
    if (f->command)
        shape_int(w, "command", f->command);
    if (f->cancel)
        shape_int(w, "cancelCommand", f->cancel);
    if (f->transaction)
        shape_int(w, "transactionId", f->transaction);
    amp_json_close(w, '}');
}

void shape_charger_list(struct amp_json *w, const struct central *c,
                        const struct charger_list_fact *f)
{
    amp_json_open(w, '{');
    amp_json_key(w, "charger");
    amp_json_text(w, shape_charger_id(c, f->charger));
    shape_text(w, "list", f->list);
    put_str(w, "state", charger_list_state_name(f->state));
    if (f->version != LIST_VERSION_UNKNOWN)
        shape_int(w, "version", f->version);
    shape_text(w, "why", f->why);
    if (f->max)
        shape_int(w, "maxEntries", f->max);
    if (f->command)
        shape_int(w, "command", f->command);
    shape_time(w, "changedAt", f->changed_ms);
    amp_json_close(w, '}');
}

void shape_installed(struct amp_json *w, const struct central *c, const struct installed_fact *f)
{
    static const char *const after[] = { "keep", "stale", "again" };

    amp_json_open(w, '{');
    amp_json_key(w, "charger");
    amp_json_text(w, shape_charger_id(c, f->charger));
    shape_int(w, "id", f->id);
    shape_int(w, "connectorId", f->connector);
    put_str(w, "state", installed_state_name(f->state));
    shape_text(w, "profile", f->name);
    shape_text(w, "purpose", f->purpose);
    if (f->purpose.at)
        shape_int(w, "stackLevel", f->stack);
    if (f->transaction)
        shape_int(w, "transactionId", f->transaction);
    put_str(w, "afterBoot", after[f->on_boot]);
    put_json_or(w, "installed", "why", f->body);
    put_json_or(w, "pending", "why", f->pending);
    shape_text(w, "why", f->why);
    if (f->command)
        shape_int(w, "command", f->command);
    shape_time(w, "changedAt", f->changed_ms);
    amp_json_close(w, '}');
}

/* ---- tags and people ---- */

void shape_tag(struct amp_json *w, const struct tag_fact *f)
{
    amp_json_open(w, '{');
    shape_text(w, "tag", f->tag);
    shape_text(w, "status", f->status);
    shape_text(w, "parent", f->parent);
    shape_text(w, "note", f->note);
    shape_time(w, "expiresAt", f->expiry_ms);
    amp_json_close(w, '}');
}

void shape_user(struct amp_json *w, const struct user_fact *f)
{
    amp_json_open(w, '{');
    shape_int(w, "id", f->key);
    shape_text(w, "login", f->login);
    shape_text(w, "name", f->name);
    put_str(w, "role", role_name(f->role));
    amp_json_key(w, "blocked");
    amp_json_bool(w, f->blocked);
    shape_time(w, "createdAt", f->created_ms);
    amp_json_close(w, '}');
}
