/* central/store/sqlite.c - the SQLite driver: one file, one writer. WAL with synchronous=FULL: a
 * commit that returned is on disk. See sqlite.h for the other files. */
#include "central/store/sqlite.h"
#include "central/store/migrate.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* 1,000 stations fill some 3,000 partitions in a year, a catalogue that opens in 50 ms; and the
 * index that a slice touches stays below 700 pages. */
#define PARTITION_ROWS 262144
/* Smaller slices write each page of an index more often, larger ones stall the writer for longer.
 */
#define SLICE_ROWS 4096

/* ---- commit ---- */

static int put_upsert(struct sqlite *s, const struct fact *f)
{
    const struct table *t = table_of(f->kind);
    int64_t key = *(const int64_t *)column_in(&t->columns[0],
                                              f); /* of those that count, the first is the key */

    if (!s->put[f->kind]) {
        char text[2048];
        struct amp_buf sql;

        amp_buf_init(&sql, text, sizeof(text));
        table_upsert(t, &sql);
        amp_buf_putc(&sql, '\0');
        s->put[f->kind] = sqlite_prepare(s->db, text);
    }
    if (t->counter && key > s->books.high[f->kind])
        s->books.high[f->kind] = key;
    if (!s->put[f->kind] || sqlite_bind_fact(s->put[f->kind], 1, t, f) < 0)
        return AMP_E_IO;
    return sqlite_run(s->put[f->kind]);
}

/* Note the highest keys, so that they are not used again even when their rows are gone. */
static int put_high_water(struct sqlite *s, const struct sqlite_books *before)
{
    for (int kind = 0; kind < FACT_KINDS; kind++) {
        if (s->books.high[kind] == before->high[kind])
            continue;
        sqlite_bind_text(s->high_water, 1, amp_text_of(table_of((enum fact_kind)kind)->counter));
        sqlite3_bind_int64(s->high_water, 2, s->books.high[kind]);
        if (sqlite_run(s->high_water) < 0)
            return AMP_E_IO;
    }
    return 0;
}

/* What the system said to the call that failed. SQLite does not tell of a commit; errno is still
 * there when it is about a disk. */
static int system_error(struct sqlite *s, int number)
{
    static const int of_disks[] = { ENOSPC, EROFS, EIO, EDQUOT, EFBIG };
    int os = sqlite3_system_errno(s->db);

    for (size_t i = 0; !os && i < AMP_COUNT(of_disks); i++)
        os = number == of_disks[i] ? number : 0;
    return os;
}

static int commit(void *db, struct batch *b, char *error, size_t cap)
{
    struct sqlite *s = db;
    struct sqlite_books before = s->books;
    int rc = sqlite_run(s->begin), os;

    for (const struct batch_item *i = b->first; rc == 0 && i; i = i->next)
        rc = table_of(i->fact.kind)->by ? partition_put(s, &i->fact) : put_upsert(s, &i->fact);
    if (rc == 0)
        rc = put_high_water(s, &before);
    if (rc == 0)
        rc = sqlite_run(s->commit);
    if (rc == 0)
        return 0;
    os = system_error(s, errno);
    snprintf(error, cap, "%s%s%s", sqlite3_errmsg(s->db), os ? ": " : "", os ? strerror(os) : "");
    s->books = before;
    if (!sqlite3_get_autocommit(s->db)) /* some failures have rolled back by themselves */
        (void)sqlite_run(s->rollback);
    return AMP_E_IO;
}

static bool tidy(void *db)
{
    struct sqlite *s = db;

    checkpoint_step(s);
    return partition_index(s);
}

/* ---- open ---- */

/* The folder of `path`, for a sentence. */
static const char *folder_of(const char *path, char *out, size_t cap)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return ".";
    if (slash == path)
        return "/";
    return amp_text_copy(out, cap, (struct amp_text){ path, (uint32_t)(slash - path) });
}

static char *why_file(const char *path, int error)
{
    char folder[512];

    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return store_sentence(
            "cannot open the database %s: there is no folder %s; create it, or name another place",
            path, folder_of(path, folder, sizeof(folder)));
    case EACCES:
    case EPERM:
    case EROFS:
        return store_sentence("cannot open the database %s: no permission to write there (%s); "
                              "give this user the file and the "
                              "folder %s, or name another place",
                              path, strerror(error), folder_of(path, folder, sizeof(folder)));
    case EISDIR:
        return store_sentence("cannot open the database %s: that is a folder; name a file in it",
                              path);
    default:
        return store_sentence("cannot open the database %s: %s; name another place", path,
                              strerror(error));
    }
}

char *sqlite_sentence(const char *path, sqlite3 *db)
{
    const char *text = db ? sqlite3_errmsg(db) : "no memory";

    switch (db ? sqlite3_errcode(db) : SQLITE_NOMEM) {
    case SQLITE_NOTADB:
        return store_sentence("cannot open the database %s: it is a file of another kind; move it "
                              "away, or name another place",
                              path);
    case SQLITE_CORRUPT:
        return store_sentence("cannot open the database %s: it is damaged (%s); restore a backup",
                              path, text);
    case SQLITE_FULL:
        return store_sentence("cannot open the database %s: the disk is full; make room", path);
    case SQLITE_BUSY:
        return store_sentence(
            "cannot open the database %s: another program is writing to it; stop that first", path);
    default:
        return store_sentence(
            "cannot open the database %s: %s; name another place, or look at the disk", path, text);
    }
}

/* Make the file for us alone (0600: it holds password hashes), and be the only process that has it
 * open. */
static char *claim(struct sqlite *s)
{
    char lock[4096];
    int fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return why_file(s->path, errno);
    close(fd); /* now, not later: closing drops POSIX locks that SQLite may hold by then */
    snprintf(lock, sizeof(lock), "%s-lock", s->path);
    s->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        return why_file(lock, errno);
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return store_sentence("cannot open the database %s: another process has it open; stop that "
                              "one, or name another place",
                              s->path);
    return NULL;
}

/* `$key` becomes what makes an alias of the row id, `$clustered` what keeps rows in the order of
 * their key. */
static char *spell(const char *text)
{
    static const char *const words[][2] = { { "$key", "INTEGER PRIMARY KEY" },
                                            { "$clustered", " WITHOUT ROWID" } };
    char *out = store_alloc(strlen(text) * 4 + 1), *to = out;

    while (*text) {
        size_t w = 0;

        while (w < AMP_COUNT(words) && strncmp(text, words[w][0], strlen(words[w][0])) != 0)
            w++;
        if (w == AMP_COUNT(words)) {
            *to++ = *text++;
            continue;
        }
        memcpy(to, words[w][1], strlen(words[w][1]));
        to += strlen(words[w][1]);
        text += strlen(words[w][0]);
    }
    *to = '\0';
    return out;
}

static int migrate_one(sqlite3 *db, int version)
{
    char note[100], *text = spell(migrate_text(version));
    int rc = sqlite_exec(db, "BEGIN IMMEDIATE");

    snprintf(note, sizeof(note), "INSERT INTO schema_version (version) VALUES (%d)", version);
    if (rc == 0)
        rc = sqlite_exec(db, text);
    if (rc == 0)
        rc = sqlite_exec(db, note);
    if (rc == 0)
        rc = sqlite_exec(db, "COMMIT");
    free(text);
    return rc; /* closing the connection rolls back */
}

static char *migrate(struct sqlite *s)
{
    int64_t tables, ours, version;

    if (sqlite_number(s->db, "SELECT count(*) FROM sqlite_master", 0, &tables) < 0 ||
        sqlite_number(s->db, "SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'", 0,
                      &ours) < 0)
        return sqlite_sentence(s->path, s->db);
    if (tables && !ours)
        return store_sentence(
            "cannot open the database %s: it belongs to another program; name another place",
            s->path);
    if (sqlite_exec(s->db,
                    "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)") <
            0 ||
        sqlite_number(s->db, "SELECT max(version) FROM schema_version", 0, &version) < 0)
        return sqlite_sentence(s->path, s->db);
    if (version > migrate_count())
        return store_sentence("cannot open the database %s: a newer version of this program wrote "
                              "it (schema %lld, this one knows "
                              "%d); run the newer program, or restore a backup from before",
                              s->path, (long long)version, migrate_count());
    while (version < migrate_count())
        if (migrate_one(s->db, (int)++version) < 0)
            return sqlite_sentence(s->path, s->db);
    return NULL;
}

/* WAL: readers do not wait for the writer. FULL: a commit waits for the disk. No automatic
 * checkpoint: it would stall the writer (p99 of a commit 524 ms instead of 20). The cache holds the
 * pages that a slice of an index touches. */
static const char *const pragmas[] = {
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 0",
    "PRAGMA cache_size = -16384",
    "PRAGMA temp_store = MEMORY",
};

static char *configure(struct sqlite *s)
{
    sqlite3_stmt *q;
    bool wal;

    if (sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        return sqlite_sentence(s->path, s->db);
    sqlite3_busy_timeout(s->db, 5000); /* somebody may look into the file with other tools */
    q = sqlite_prepare(s->db, "PRAGMA journal_mode = WAL");
    if (!q || sqlite3_step(q) != SQLITE_ROW) {
        sqlite3_finalize(q);
        return sqlite_sentence(s->path, s->db);
    }
    wal = !strcmp((const char *)sqlite3_column_text(q, 0), "wal");
    sqlite3_finalize(q);
    if (!wal)
        return store_sentence("cannot open the database %s: this file system has no shared memory "
                              "for it; name a place on a local disk",
                              s->path);
    for (size_t i = 0; i < AMP_COUNT(pragmas); i++)
        if (sqlite_exec(s->db, pragmas[i]) < 0)
            return sqlite_sentence(s->path, s->db);
    return NULL;
}

/* Read what the writer must know, and prepare what it always needs. */
static int prepare(struct sqlite *s)
{
    for (int kind = FACT_CHARGER; kind < FACT_KINDS; kind++) {
        const struct table *t = table_of((enum fact_kind)kind);
        char sql[200];
        int64_t noted, used;

        if (!t->counter)
            continue;
        snprintf(sql, sizeof(sql), "SELECT value FROM high_water WHERE name = '%s'", t->counter);
        if (sqlite_number(s->db, sql, 0, &noted) < 0)
            return AMP_E_IO;
        snprintf(sql, sizeof(sql), "SELECT max(key) FROM %s", t->name);
        if (sqlite_number(s->db, sql, 0, &used) < 0)
            return AMP_E_IO;
        s->books.high[kind] = used > noted ? used : noted;
    }
    s->begin = sqlite_prepare(s->db, "BEGIN IMMEDIATE");
    s->commit = sqlite_prepare(s->db, "COMMIT");
    s->rollback = sqlite_prepare(s->db, "ROLLBACK");
    s->high_water =
        sqlite_prepare(s->db, "INSERT INTO high_water (name, value) VALUES ($1, $2) "
                              "ON CONFLICT (name) DO UPDATE SET value = excluded.value");
    if (!s->begin || !s->commit || !s->rollback || !s->high_water)
        return AMP_E_IO;
    if (sqlite_exec(s->db, "DELETE FROM login WHERE expires_ms = 0") <
        0) /* logged out: of no use to anybody */
        return AMP_E_IO;
    return partition_load(s);
}

static void close_db(void *db)
{
    struct sqlite *s = db;

    if (s->checkpoint.db)
        checkpoint_stop(s);
    sqlite3_finalize(s->begin);
    sqlite3_finalize(s->commit);
    sqlite3_finalize(s->rollback);
    sqlite3_finalize(s->high_water);
    for (int kind = 0; kind < FACT_KINDS; kind++)
        sqlite3_finalize(s->put[kind]);
    sqlite3_close(s->db);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s->path);
    free(s);
}

static void *open_db(const struct store_config *config, char **why)
{
    struct sqlite *s = store_alloc(sizeof(*s));
    size_t len = strlen(config->database) + 1;

    *s = (struct sqlite){ .lock_fd = -1 };
    s->path = memcpy(store_alloc(len), config->database, len);
    s->partition_rows = config->partition_rows ? config->partition_rows : PARTITION_ROWS;
    s->slice_rows = s->partition_rows / 4 + 1 < SLICE_ROWS ? s->partition_rows / 4 + 1 : SLICE_ROWS;
    *why = claim(s);
    if (!*why)
        *why = configure(s);
    if (!*why)
        *why = migrate(s);
    if (!*why && prepare(s) < 0)
        *why = sqlite_sentence(s->path, s->db);
    if (!*why)
        (void)checkpoint_start(s, why);
    if (!*why)
        return s;
    close_db(s);
    return NULL;
}

static void keys(void *db, struct store_keys *out)
{
    const int64_t *high = ((struct sqlite *)db)->books.high;

    *out = (struct store_keys){
        .charger = high[FACT_CHARGER] + 1,
        .transaction = high[FACT_TRANSACTION] + 1,
        .command = high[FACT_COMMAND] + 1,
        .user = high[FACT_USER] + 1,
        .api_key = high[FACT_API_KEY] + 1,
        .reservation = high[FACT_RESERVATION] + 1,
        .file = high[FACT_FILE] + 1,
        .batch = high[FACT_BATCH] + 1,
    };
}

const struct store_driver sqlite_driver = {
    .open = open_db,
    .close = close_db,
    .keys = keys,
    .commit = commit,
    .tidy = tidy,
    .retire = sqlite_retire,
    .reader_open = sqlite_reader_open,
    .reader_close = sqlite_reader_close,
    .load = sqlite_load,
    .ask = sqlite_ask,
    .reader_stop = sqlite_reader_stop,
};
