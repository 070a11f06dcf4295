/* central/rest/cells.c - see cells.h. A new kind is a list of columns here and a row in `sheets`.
 */
#include "central/rest/cells.h"
#include "central/rest/csv.h"
#include "central/rest/shapes.h"
#include "ocpp/time.h"
#include <stddef.h>

enum cell_type {
    CELL_ID,      /* of the row */
    CELL_CHARGER, /* its identity, by the key */
    CELL_INT64,
    CELL_INT32,
    CELL_TIME,
    CELL_MILLI,
    CELL_TEXT,
    CELL_WORD, /* int32_t, by its name */
    CELL_FLAGS
};
struct cell {
    const char *name;
    uint8_t type;
    uint16_t at;  /* in struct fact */
    uint32_t has; /* READINGS: the bit that says that it is there; 0: always */
    const char *(*word)(int value);
};

static const char *direction_name(int direction)
{
    return direction == MESSAGE_SENT ? "sent" : "received";
}

static const char *event_name(int event)
{
    static const char *const names[] = { "", "opened", "stale", "closed", "refused" };

    return event > 0 && (size_t)event < AMP_COUNT(names) ? names[event] : names[0];
}

/* clang-format off */
#define ROW_ID                      { "id", CELL_ID, 0, 0, NULL }
#define CELL(name, type, kind, field) { name, CELL_##type, offsetof(struct fact, u.kind.field), 0, NULL }
#define WORD(name, kind, field, f)  { name, CELL_WORD, offsetof(struct fact, u.kind.field), 0, f }
#define VALUE(name, type, field, bit) { name, CELL_##type, offsetof(struct fact, u.reading.field), bit, NULL }

static const struct cell message_cells[] = {
    ROW_ID,
    CELL("at", TIME, message, at_ms),
    CELL("charger", CHARGER, message, charger),
    WORD("direction", message, direction, direction_name),
    WORD("type", message, type, shape_frame_type),
    CELL("action", TEXT, message, action),
    CELL("messageId", TEXT, message, correlation),
    CELL("latencyMs", INT32, message, latency_ms),
    CELL("repairs", INT32, message, repairs),
    CELL("error", TEXT, message, error),
    CELL("payload", TEXT, message, payload),
};
static const struct cell transaction_cells[] = {
    ROW_ID,
    CELL("charger", CHARGER, transaction, charger),
    CELL("connectorId", INT32, transaction, connector),
    WORD("state", transaction, state, transaction_state_name),
    CELL("flags", FLAGS, transaction, flags),
    CELL("uid", TEXT, transaction, uid),
    CELL("idTag", TEXT, transaction, tag),
    CELL("stopTag", TEXT, transaction, stop_tag),
    CELL("reason", TEXT, transaction, reason),
    CELL("startedAt", TIME, transaction, start_ms),
    CELL("startSeenAt", TIME, transaction, start_seen_ms),
    CELL("stoppedAt", TIME, transaction, stop_ms),
    CELL("stopSeenAt", TIME, transaction, stop_seen_ms),
    CELL("meterStartWh", INT64, transaction, meter_start_wh),
    CELL("meterStopWh", INT64, transaction, meter_stop_wh),
    CELL("lastWh", INT64, transaction, last_wh),
    CELL("lastAt", TIME, transaction, last_ms),
    CELL("reservation", INT64, transaction, reservation),
    CELL("energyWh", INT64, transaction, energy_wh),
    CELL("mergedInto", INT64, transaction, merged_into),
    CELL("revision", INT64, transaction, revision),
};
static const struct cell reading_cells[] = {
    ROW_ID,
    CELL("at", TIME, reading, at_ms),
    CELL("seenAt", TIME, reading, seen_ms),
    CELL("charger", CHARGER, reading, charger),
    CELL("connectorId", INT32, reading, connector),
    CELL("transactionId", INT64, reading, transaction),
    VALUE("energyWh", INT64, energy_wh, READING_ENERGY),
    VALUE("powerW", INT64, power_w, READING_POWER),
    VALUE("currentA", MILLI, current_ma, READING_CURRENT),
    VALUE("voltageV", MILLI, voltage_mv, READING_VOLTAGE),
    VALUE("socPermille", INT64, soc_permille, READING_SOC),
    VALUE("temperatureC", MILLI, temperature_mc, READING_TEMPERATURE),
    CELL("samples", TEXT, reading, samples),
};
static const struct cell status_cells[] = {
    ROW_ID,
    CELL("at", TIME, status, at_ms),
    CELL("seenAt", TIME, status, seen_ms),
    CELL("charger", CHARGER, status, charger),
    CELL("connectorId", INT32, status, connector),
    CELL("status", TEXT, status, status),
    CELL("error", TEXT, status, error),
    CELL("info", TEXT, status, info),
};
static const struct cell connection_cells[] = {
    ROW_ID,
    CELL("at", TIME, connection, at_ms),
    CELL("charger", CHARGER, connection, charger),
    WORD("event", connection, event, event_name),
    CELL("code", INT32, connection, code),
    CELL("identity", TEXT, connection, id),
    CELL("address", TEXT, connection, address),
    CELL("reason", TEXT, connection, reason),
};
static const struct cell command_cells[] = {
    ROW_ID,
    CELL("charger", CHARGER, command, charger),
    CELL("action", TEXT, command, action),
    WORD("state", command, state, command_state_name),
    CELL("connectorId", INT32, command, connector),
    CELL("transactionId", INT64, command, transaction),
    CELL("messageId", TEXT, command, correlation),
    CELL("by", TEXT, command, by),
    CELL("createdAt", TIME, command, created_ms),
    CELL("sentAt", TIME, command, sent_ms),
    CELL("answeredAt", TIME, command, answered_ms),
    CELL("effectAt", TIME, command, effect_ms),
    CELL("payload", TEXT, command, payload),
    CELL("answer", TEXT, command, answer),
};
static const struct cell audit_cells[] = {
    ROW_ID,
    CELL("at", TIME, audit, at_ms),
    CELL("who", TEXT, audit, who),
    CELL("action", TEXT, audit, action),
    CELL("kind", TEXT, audit, kind),
    CELL("thing", TEXT, audit, thing),
    CELL("charger", CHARGER, audit, charger),
    CELL("before", TEXT, audit, before),
    CELL("after", TEXT, audit, after),
    CELL("reason", TEXT, audit, reason),
};

static const struct cell refusal_cells[] = {
    ROW_ID,
    CELL("at", TIME, refusal, at_ms),
    CELL("kind", TEXT, refusal, kind),
    CELL("code", INT32, refusal, code),
    CELL("count", INT32, refusal, count),
    CELL("station", TEXT, refusal, id),
    CELL("charger", CHARGER, refusal, charger),
    CELL("address", TEXT, refusal, address),
    CELL("certificate", TEXT, refusal, name),
    CELL("reason", TEXT, refusal, reason),
};

#define SHEET(list) { list, AMP_COUNT(list) }
static const struct sheet {
    const struct cell *cells;
    size_t count;
} sheets[FACT_KINDS] = {
    [FACT_MESSAGE] = SHEET(message_cells),
    [FACT_TRANSACTION] = SHEET(transaction_cells),
    [FACT_READING] = SHEET(reading_cells),
    [FACT_STATUS] = SHEET(status_cells),
    [FACT_CONNECTION] = SHEET(connection_cells),
    [FACT_COMMAND] = SHEET(command_cells),
    [FACT_AUDIT] = SHEET(audit_cells),
    [FACT_REFUSAL] = SHEET(refusal_cells),
};
/* clang-format on */

bool cells_known(enum fact_kind kind)
{
    return (unsigned)kind < FACT_KINDS && sheets[kind].count;
}

/* ---- CSV ---- */

/* What a spreadsheet computes when it stands first, whatever the file calls it. */
static bool formula(struct amp_text t)
{
    static const char *const first[] = { "=",
                                         "+",
                                         "-",
                                         "@",
                                         "\t",
                                         "\r",
                                         "\n",
                                         "\xef\xbc\x9d",
                                         "\xef\xbc\x8b",
                                         "\xef\xbc\x8d",
                                         "\xef\xbc\xa0" };

    for (size_t i = 0; i < AMP_COUNT(first); i++) {
        size_t len = strlen(first[i]);

        if (t.len >= len && !memcmp(t.at, first[i], len))
            return true;
    }
    return false;
}

static void put_text(struct amp_buf *out, struct amp_text t)
{
    if (!formula(t)) {
        csv_put(out, true, t);
        return;
    }
    amp_buf_puts(out, "\"'");
    for (uint32_t i = 0; i < t.len; i++) {
        if (t.at[i] == '"')
            amp_buf_putc(out, '"');
        amp_buf_putc(out, t.at[i]);
    }
    amp_buf_putc(out, '"');
}

static void put_flags(struct amp_buf *out, uint32_t flags)
{
    const char *separator = "";

    for (uint32_t bit = 1; bit; bit <<= 1) {
        const char *name = flags & bit ? shape_transaction_flag(bit) : NULL;

        if (!name)
            continue;
        amp_buf_puts(out, separator);
        amp_buf_puts(out, name);
        separator = " ";
    }
}

static void put_cell(const struct central *c, const struct cell *cell, const struct fact *f,
                     int64_t id, struct amp_buf *out)
{
    const void *field = (const char *)f + cell->at;

    if (cell->has && !(f->u.reading.has & cell->has))
        return;
    switch ((enum cell_type)cell->type) {
    case CELL_ID:
        amp_buf_int(out, id);
        return;
    case CELL_CHARGER:
        put_text(out, shape_charger_id(c, *(const int64_t *)field));
        return;
    case CELL_INT64:
        amp_buf_int(out, *(const int64_t *)field);
        return;
    case CELL_INT32:
        amp_buf_int(out, *(const int32_t *)field);
        return;
    case CELL_TIME:
        if (*(const int64_t *)field)
            amp_time_write(out, *(const int64_t *)field);
        return;
    case CELL_MILLI:
        amp_dec_write(out, amp_dec_of(*(const int64_t *)field, 3));
        return;
    case CELL_TEXT:
        put_text(out, *(const struct amp_text *)field);
        return;
    case CELL_WORD:
        amp_buf_puts(out, cell->word(*(const int32_t *)field));
        return;
    case CELL_FLAGS:
        put_flags(out, *(const uint32_t *)field);
        return;
    }
}

void cells_csv_head(enum fact_kind kind, struct amp_buf *out)
{
    const struct sheet *s = &sheets[kind];

    for (size_t i = 0; i < s->count; i++) {
        amp_buf_puts(out, i ? "," : "");
        amp_buf_puts(out, s->cells[i].name);
    }
    csv_end(out);
}

void cells_csv(const struct central *c, const struct fact *f, int64_t id, struct amp_buf *out)
{
    const struct sheet *s = &sheets[f->kind];

    for (size_t i = 0; i < s->count; i++) {
        amp_buf_puts(out, i ? "," : "");
        put_cell(c, &s->cells[i], f, id, out);
    }
    csv_end(out);
}

/* ---- NDJSON ---- */

static void json_words(struct amp_json *w, const struct central *c, const struct fact *f,
                       int64_t id)
{
    const struct sheet *s = &sheets[f->kind];

    for (size_t i = 0; i < s->count; i++) {
        const struct cell *cell = &s->cells[i];
        const void *field = (const char *)f + cell->at;

        switch ((enum cell_type)cell->type) {
        case CELL_ID:
            shape_int(w, cell->name, id);
            break;
        case CELL_CHARGER:
            shape_text(w, cell->name, shape_charger_id(c, *(const int64_t *)field));
            break;
        case CELL_INT64:
        case CELL_MILLI:
            shape_int(w, cell->name, *(const int64_t *)field);
            break;
        case CELL_INT32:
        case CELL_FLAGS:
            shape_int(w, cell->name, *(const int32_t *)field);
            break;
        case CELL_TIME:
            shape_time(w, cell->name, *(const int64_t *)field);
            break;
        case CELL_TEXT:
            shape_text(w, cell->name, *(const struct amp_text *)field);
            break;
        case CELL_WORD:
            amp_json_key(w, cell->name);
            amp_json_str(w, cell->word(*(const int32_t *)field));
            break;
        }
    }
}

static int64_t org_of(const struct central *c, const struct fact *f)
{
    const int64_t key = f->kind == FACT_MESSAGE      ? f->u.message.charger
                        : f->kind == FACT_READING    ? f->u.reading.charger
                        : f->kind == FACT_STATUS     ? f->u.status.charger
                        : f->kind == FACT_CONNECTION ? f->u.connection.charger
                                                     : 0;
    const struct charger *ch = key ? world_charger_by_key(c->world, key) : NULL;

    if (f->kind == FACT_COMMAND)
        return f->u.command.org;
    if (f->kind == FACT_AUDIT)
        return f->u.audit.org;
    if (f->kind == FACT_REFUSAL)
        return f->u.refusal.org;
    if (f->kind == FACT_TRANSACTION)
        return f->u.transaction.org;
    return ch ? charger_fact(ch)->org : ORG_DEFAULT;
}

void cells_ndjson(const struct central *c, const struct fact *f, int64_t id, bool org,
                  struct amp_buf *out)
{
    struct amp_json w;

    amp_json_init(&w, out);
    if (org) {
        amp_json_open(&w, '{');
        shape_int(&w, "org", org_of(c, f));
        amp_json_key(&w, "row");
    }
    switch (f->kind) {
    case FACT_MESSAGE:
        shape_message(&w, c, &f->u.message, id, SIZE_MAX);
        break;
    case FACT_TRANSACTION:
        shape_transaction(&w, c, &f->u.transaction, NULL);
        break;
    case FACT_READING:
        shape_reading(&w, c, &f->u.reading);
        break;
    case FACT_COMMAND:
        shape_command(&w, c, &f->u.command);
        break;
    default:
        amp_json_open(&w, '{');
        json_words(&w, c, f, id);
        amp_json_close(&w, '}');
        break;
    }
    if (org)
        amp_json_close(&w, '}');
    amp_buf_putc(out, '\n');
}
