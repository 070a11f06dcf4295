/* central/store/migrate.h - the schema as numbered steps forward. Version n is what the first n
 * texts make of an empty database; the driver runs each in a transaction of its own, together with
 * the note that it ran (schema_version). In a text `$key` stands for how the database spells an
 * integer primary key, `$clustered` for how it keeps a table in the order of its key. There is no way back: a backup is. */
#ifndef CENTRAL_STORE_MIGRATE_H
#define CENTRAL_STORE_MIGRATE_H

int migrate_count(void);
const char *migrate_text(int version); /* 1 … migrate_count() */

#endif
