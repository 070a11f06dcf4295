/* central/store/table_statement.c - the statements made of the tables of table.c, and which rows of
 * them a start reads. */
#include "central/store/table.h"
#include <stdarg.h>

void table_columns(const struct table *t, const char *prefix, struct amp_buf *out)
{
    for (size_t i = 0; i < t->count; i++) {
        amp_buf_puts(out, i ? ", " : "");
        amp_buf_puts(out, prefix);
        amp_buf_puts(out, t->columns[i].name);
    }
}

/* $first, $first+1 … for the columns. */
static void parameters(const struct table *t, int64_t first, struct amp_buf *out)
{
    for (size_t i = 0; i < t->count; i++) {
        amp_buf_puts(out, i ? ", $" : "$");
        amp_buf_int(out, first + (int64_t)i);
    }
}

/* Number of the column with this name. */
static int64_t position(const struct table *t, const char *name)
{
    int64_t i = 0;

    while (strcmp(t->columns[i].name, name) != 0)
        i++;
    return i;
}

/* All the texts, up to a NULL. */
static void put(struct amp_buf *out, ...)
{
    va_list texts;
    const char *text;

    va_start(texts, out);
    while ((text = va_arg(texts, const char *)))
        amp_buf_puts(out, text);
    va_end(texts);
}

/* Has it anything that may be another at the next time? */
static bool changes(const struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->columns[i].use != COLUMN_KEY && t->columns[i].use != COLUMN_FIXED)
            return true;
    return false;
}

void table_conflict(const struct table *t, struct amp_buf *out)
{
    const char *separator = "";

    amp_buf_puts(out, " ON CONFLICT (");
    for (size_t i = 0; i < t->count; i++) {
        if (t->columns[i].use != COLUMN_KEY)
            continue;
        amp_buf_puts(out, separator);
        amp_buf_puts(out, t->columns[i].name);
        separator = ", ";
    }
    amp_buf_puts(out, t->folded ? ", folded) DO " : ") DO ");
    amp_buf_puts(out, changes(t) ? "UPDATE SET " : "NOTHING");
    separator = "";
    for (size_t i = 0; i < t->count; i++) {
        const char *name = t->columns[i].name;

        if (t->columns[i].use == COLUMN_KEY || t->columns[i].use == COLUMN_FIXED)
            continue;
        amp_buf_puts(out, separator);
        amp_buf_puts(out, name);
        if (t->columns[i].use == COLUMN_SUM)
            put(out, " = ", t->name, ".", name, " + excluded.", name, NULL);
        else if (t->columns[i].use == COLUMN_MAX)
            put(out, " = CASE WHEN excluded.", name, " > ", t->name, ".", name, " THEN excluded.",
                name, " ELSE ", t->name, ".", name, " END", NULL);
        else
            put(out, " = excluded.", name, NULL);
        separator = ", ";
    }
}

void table_upsert(const struct table *t, struct amp_buf *out)
{
    amp_buf_puts(out, "INSERT INTO ");
    amp_buf_puts(out, t->name);
    amp_buf_puts(out, " (");
    table_columns(t, "", out);
    if (t->folded)
        amp_buf_puts(out, ", folded");
    amp_buf_puts(out, ") VALUES (");
    parameters(t, 1, out);
    if (t->folded) {
        amp_buf_puts(out, ", lower($");
        amp_buf_int(out, 1 + position(t, t->folded));
        amp_buf_puts(out, ")");
    }
    amp_buf_puts(out, ")");
    table_conflict(t, out);
}

void table_append(const struct table *t, const char *name, struct amp_buf *out)
{
    amp_buf_puts(out, "INSERT INTO ");
    amp_buf_puts(out, name);
    amp_buf_puts(out, t->owned ? " (id, " : " (id, org, ");
    table_columns(t, "", out);
    amp_buf_puts(out, ") VALUES ($1, ");
    if (!t->owned) {
        amp_buf_puts(out, "COALESCE((SELECT org FROM charger WHERE key = $");
        amp_buf_int(out, 2 + position(t, "charger"));
        amp_buf_puts(out, "), ");
        amp_buf_int(out, ORG_DEFAULT);
        amp_buf_puts(out, "), ");
    }
    parameters(t, 2, out);
    amp_buf_puts(out, ")");
}

void table_create(const struct table *t, const char *name, const char *key, struct amp_buf *out)
{
    static const char *const types[] = {
        [COLUMN_INT64] = " BIGINT", [COLUMN_INT32] = " INTEGER", [COLUMN_UINT32] = " BIGINT",
        [COLUMN_BOOL] = " INTEGER", [COLUMN_TEXT] = " TEXT",
    };

    amp_buf_puts(out, "CREATE TABLE ");
    amp_buf_puts(out, name);
    amp_buf_puts(out, " (id ");
    amp_buf_puts(out, key);
    amp_buf_puts(out, t->owned ? "" : ", org BIGINT");
    for (size_t i = 0; i < t->count; i++) {
        amp_buf_puts(out, ", ");
        amp_buf_puts(out, t->columns[i].name);
        amp_buf_puts(out, types[t->columns[i].type]);
    }
    amp_buf_puts(out, ")");
}

const struct replay replay[] = {
    { FACT_CHARGER, "ORDER BY key" },
    { FACT_CONNECTOR, "ORDER BY charger, connector" },
    /* those below TX_STOPPED; and of the newest 64 of each charger the four that ended last: a stop
     * repeated after a restart must find its own */
    { FACT_TRANSACTION,
      "WHERE m.key IN (SELECT key FROM charging_transaction WHERE state < 5 UNION "
      "SELECT key FROM (SELECT t.key, row_number() OVER (PARTITION BY t.charger "
      "ORDER BY t.stop_seen_ms DESC, t.key DESC) AS place "
      "FROM charger c JOIN charging_transaction t ON t.charger = c.key "
      "WHERE t.state >= 5 AND t.key >= COALESCE((SELECT z.key FROM charging_transaction z "
      "WHERE z.charger = c.key ORDER BY z.key DESC LIMIT 1 OFFSET 63), 0)) closed "
      "WHERE place <= 4) ORDER BY m.key" },
    { FACT_TAG, "WHERE deleted = 0 ORDER BY org, folded" },
    { FACT_USER, "ORDER BY key" },
    { FACT_LOGIN, "WHERE expires_ms <> 0 ORDER BY created_ms" },
    { FACT_API_KEY, "ORDER BY key" },
    { FACT_COMMAND, "WHERE state <= 3 ORDER BY key" }, /* up to COMMAND_ACCEPTED */
    { FACT_LOAD_GROUP, "WHERE deleted = 0 ORDER BY org, folded" },
    { FACT_LOAD_MEMBER, "WHERE deleted = 0 ORDER BY charger, connector" },
    { FACT_LOAD_POINT, "ORDER BY charger, connector" },
    { FACT_QUIRK, "WHERE deleted = 0 ORDER BY org, folded" },
    { FACT_RESERVATION, /* those that may still be used, and the newest: a start may name one late
                         */
      "WHERE m.state <= 3 OR m.key IN (SELECT key FROM reservation ORDER BY key DESC LIMIT 1000) "
      "ORDER BY key" },
    { FACT_LIST, "WHERE deleted = 0 ORDER BY org, folded" },
    { FACT_LIST_ENTRY, "ORDER BY org, list, folded" }, /* removed ones, too */
    { FACT_CHARGER_LIST, "ORDER BY charger" },
    { FACT_PROFILE, "WHERE deleted = 0 ORDER BY org, folded" },
    { FACT_INSTALLED, "WHERE state < 4 ORDER BY charger, id" },
    { FACT_ACCESS, "ORDER BY charger" },
    { FACT_BOOT_RULE, "WHERE deleted = 0 ORDER BY org, name" },
    { FACT_CERTIFICATE, "ORDER BY asked_ms" },
    { FACT_CONFIG, "WHERE deleted = 0 ORDER BY charger, folded" },
    { FACT_FILE, "WHERE state < 3 ORDER BY key" }, /* below FILE_DELETED */
    { FACT_BATCH, "ORDER BY key" },
};
const size_t replay_count = AMP_COUNT(replay);
