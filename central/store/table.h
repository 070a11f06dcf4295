/* central/store/table.h - which table a kind of fact lives in, and which column each field is: what
 * both drivers bind, read back and build their statements from. A new field is a line here and a
 * migration. No constraint but the key: a fact that a database refuses for its content would hold
 * up all that come after it. */
#ifndef CENTRAL_STORE_TABLE_H
#define CENTRAL_STORE_TABLE_H

#include "central/domain/fact.h"
#include "ocpp/buf.h"

enum column_type { COLUMN_INT64, COLUMN_INT32, COLUMN_UINT32, COLUMN_BOOL, COLUMN_TEXT };
enum column_use {
    COLUMN_PLAIN,
    COLUMN_KEY,  /* what makes a row the same one */
    COLUMN_SUM,  /* is added to what is there */
    COLUMN_MAX,  /* stays where it is larger */
    COLUMN_FIXED /* never changes; not touching it spares the indexes that contain it */
};
struct column {
    const char *name;
    uint16_t at; /* in struct fact */
    uint8_t type, use;
};
struct table {
    const char *name;
    const struct column *columns;
    size_t count;
    const char *time;   /* the column that a time range means; NULL: never asked for */
    const char *by;     /* histories: the column they are searched by, and partitioned; else NULL */
    const char *folded; /* the text that is part of the key without regard to case; NULL: none */
    const char *counter; /* in high_water: keys that are never used again; NULL: none */
    bool summed; /* rows of one key add up: has COLUMN_SUM */
    bool owned; /* histories: the organisation is a column of its own, not that of the charger */
};

/* NULL for what is no kind. */
const struct table *table_of(enum fact_kind kind);

/* "vendor, model, …" with `prefix` before each. */
void table_columns(const struct table *t, const char *prefix, struct amp_buf *out);
/* INSERT … ON CONFLICT … DO UPDATE for a table with a key: $1 is the first column. */
void table_upsert(const struct table *t, struct amp_buf *out);
/* The end of that: ON CONFLICT (key) DO UPDATE SET what may change. */
void table_conflict(const struct table *t, struct amp_buf *out);
/* INSERT INTO `name` for a history: $1 is the id, $2 the first column; the organisation is its
 * charger's at that time: a station that is sold does not take its history along. */
void table_append(const struct table *t, const char *name, struct amp_buf *out);
/* CREATE TABLE `name` for a partition of a history. `key` is how the database spells an integer
 * primary key. */
void table_create(const struct table *t, const char *name, const char *key, struct amp_buf *out);

/* What the present consists of, in the order of store_load: the rest of a SELECT … FROM table m.
 * Then the newest readings of each of its transactions; of a closed one a reading may be late, but
 * not for ever: a day bounds how much is searched. */
struct replay {
    enum fact_kind kind;
    const char *which;
};
extern const struct replay replay[];
extern const size_t replay_count;
#define READINGS_EACH   16
#define READING_LATE_MS 86400000

static inline const void *column_in(const struct column *c, const struct fact *f)
{
    return (const char *)f + c->at;
}

#endif
