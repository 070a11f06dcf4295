/* central/retention.c - see retention.h. One history after the other: its oldest row is looked at,
 * the first row that is young enough is found by halving the ids between (rows come in the order of
 * their arrival), what is below is written to a file if that is asked for, and deleted. An archive
 * is complete and on disk under its own name before the first of its rows goes: messages-FIRST-LAST
 * .ndjson.gz. What a crash leaves half done is done again, or found done. */
#include "central/retention.h"
#include "central/archive.h"
#include "central/counts.h"
#include "central/log.h"
#include "central/rest/cells.h"
#include <stdlib.h>

#define LOOK_MS    60000
#define DAY_MS     INT64_C(86400000)
#define PAGE_ROWS  1000
#define PAGE_BYTES (1u << 20)
#define FILE_ROWS  200000 /* of one archive: a crash repeats at most so much */
#define SLACK      10     /* a tenth of the time that is kept */

struct history {
    enum fact_kind kind;
    enum store_question what;
    size_t days; /* in struct settings */
    const char *name;
};
/* clang-format off */
static const struct history histories[] = {
    { FACT_MESSAGE,    ASK_MESSAGES,    offsetof(struct settings, keep_messages_days),    "messages"    },
    { FACT_READING,    ASK_READINGS,    offsetof(struct settings, keep_readings_days),    "readings"    },
    { FACT_STATUS,     ASK_STATUS,      offsetof(struct settings, keep_status_days),      "status"      },
    { FACT_CONNECTION, ASK_CONNECTIONS, offsetof(struct settings, keep_connections_days), "connections" },
    { FACT_REFUSAL,    ASK_REFUSALS,    offsetof(struct settings, keep_connections_days), "refusals"    },
    { FACT_AUDIT,      ASK_AUDIT,       offsetof(struct settings, keep_audit_days),       "audit"       },
    { FACT_COMMAND,    ASK_COMMANDS,    offsetof(struct settings, keep_commands_days),    "commands"    },
};
/* clang-format on */

struct retention {
    struct central *c;
    bool busy, closing;
    int64_t next_ms; /* when to look again */
    size_t at;       /* of histories */
    int64_t cutoff_ms;
    int64_t low, high;     /* the first row that is young enough has an id from low to high */
    int64_t first, cursor; /* of the archive: oldest row; last one written */
    uint64_t file_rows;
    struct archive *archive; /* NULL: none open */
    struct amp_buf page;
};

static const struct history *history(const struct retention *r)
{
    return &histories[r->at];
}

static int64_t time_of(const struct fact *f)
{
    switch (f->kind) {
    case FACT_MESSAGE:
        return f->u.message.at_ms;
    case FACT_READING:
        return f->u.reading.seen_ms;
    case FACT_STATUS:
        return f->u.status.seen_ms;
    case FACT_CONNECTION:
        return f->u.connection.at_ms;
    case FACT_REFUSAL:
        return f->u.refusal.at_ms;
    case FACT_AUDIT:
        return f->u.audit.at_ms;
    case FACT_COMMAND:
        return f->u.command.created_ms;
    default:
        return INT64_MAX;
    }
}

static int64_t days(const struct retention *r, size_t i)
{
    const void *field = (const char *)&r->c->settings + histories[i].days;

    return *(const int64_t *)field;
}

/* ---- one history after the other ---- */

static void look(struct retention *r);

static void next_history(struct retention *r)
{
    r->at++;
    look(r);
}

static void failed(struct retention *r, const char *what, const char *why)
{
    LOG_OFTEN(r->c->log, LOG_ERROR, "retention", "old rows could not be put away; trying again",
              LOG_STR("history", history(r)->name), LOG_STR("what", what), LOG_STR("why", why));
    if (r->c->counts)
        r->c->counts->retention[history(r)->kind].failures++;
    next_history(r);
}

/* A callback of the store came: false when all is over. */
static bool go_on(struct retention *r, int rc)
{
    if (rc == 0 && !r->closing)
        return true;
    if (rc == AMP_E_STATE || r->closing)
        r->busy = false;
    else
        failed(r, "asking the database", amp_err_text(rc));
    return false;
}

static void ask(struct retention *r, bool forward, int64_t before, int32_t limit,
                store_rows_fn *done)
{
    struct store_ask a = { .what = history(r)->what,
                           .connector = -1,
                           .open = -1,
                           .forward = forward,
                           .before = before,
                           .limit = limit,
                           .bytes = PAGE_BYTES };

    store_ask(r->c->store, &a, done, r);
}

/* ---- deleting ---- */

static void on_retired(void *ctx, int rc, uint64_t rows)
{
    struct retention *r = ctx;

    if (r->c->counts)
        r->c->counts->retention[history(r)->kind].deleted += rows;
    if (!go_on(r, rc))
        return;
    LOG(r->c->log, LOG_INFO, "retention", "old rows deleted", LOG_STR("history", history(r)->name),
        LOG_INT("rows", rows), LOG_INT("days", days(r, r->at)),
        LOG_INT("archived", r->c->settings.archive ? r->file_rows : 0));
    if (r->c->settings.archive && r->cursor + 1 < r->low)
        look(r); /* there is more of it: the next file */
    else
        next_history(r);
}

static void retire(struct retention *r, int64_t below)
{
    store_retire(r->c->store, history(r)->kind, below, on_retired, r);
}

/* ---- archiving ---- */

static void on_written(void *ctx, int rc, const char *why);

static void on_page(void *ctx, int rc, const struct fact *rows, const int64_t *ids, size_t count,
                    int64_t next)
{
    struct retention *r = ctx;
    bool last = next == 0;

    if (rc < 0 || r->closing) {
        archive_drop(r->archive);
        r->archive = NULL;
    }
    if (!go_on(r, rc))
        return;
    amp_buf_reset(&r->page);
    for (size_t i = 0; i < count; i++) {
        if (ids[i] >= r->low) {
            last = true;
            break;
        }
        cells_ndjson(r->c, &rows[i], ids[i], true, &r->page);
        r->cursor = ids[i];
        r->file_rows++;
    }
    if (next && next > r->cursor && count == 0)
        r->cursor = next; /* nothing there: go on behind it */
    last = last || r->file_rows >= FILE_ROWS || r->cursor + 1 >= r->low;
    archive_write(r->archive, r->page.at, r->page.len, last ? r->cursor : 0, on_written, r);
}

/* A page is compressed; or, with the last one, the file is on disk under its name. */
static void on_written(void *ctx, int rc, const char *why)
{
    struct retention *r = ctx;
    bool done = archive_done(r->archive);

    if (rc < 0 || done || r->closing) {
        archive_drop(r->archive);
        r->archive = NULL;
    }
    if (r->closing) {
        r->busy = false;
        retention_free(r);
    } else if (rc < 0) {
        failed(r, "writing the archive", why);
    } else if (done) {
        if (r->c->counts)
            r->c->counts->retention[history(r)->kind].archived += r->file_rows;
        retire(r, r->cursor + 1);
    } else {
        ask(r, true, r->cursor, PAGE_ROWS, on_page);
    }
}

static void begin_archive(struct retention *r)
{
    int64_t last = archive_find(r->c->settings.data, history(r)->name, r->first);
    const char *why;

    r->file_rows = 0;
    r->cursor = r->first - 1;
    if (last >= r->first) { /* written before, but not deleted any more */
        r->cursor = last;
        retire(r, last + 1);
        return;
    }
    r->archive = archive_new(r->c->loop, r->c->settings.data, history(r)->name, r->first, &why);
    if (!r->archive)
        failed(r, "opening the archive", why);
    else
        ask(r, true, r->cursor, PAGE_ROWS, on_page);
}

/* ---- what is old ---- */

static void halve(struct retention *r);

static void on_middle(void *ctx, int rc, const struct fact *rows, const int64_t *ids, size_t count,
                      int64_t next)
{
    struct retention *r = ctx;

    if (!go_on(r, rc))
        return;
    if (count == 0 && next) { /* a gap */
        ask(r, true, next, 1, on_middle);
        return;
    }
    if (count == 0 || time_of(&rows[0]) >= r->cutoff_ms)
        r->high = r->low + (r->high - r->low) / 2;
    else
        r->low = ids[0] + 1;
    halve(r);
}

static void halve(struct retention *r)
{
    if (r->low < r->high) {
        ask(r, true, r->low + (r->high - r->low) / 2 - 1, 1, on_middle);
        return;
    }
    if (r->c->settings.archive)
        begin_archive(r);
    else
        retire(r, r->low);
}

static void on_newest(void *ctx, int rc, const struct fact *rows, const int64_t *ids, size_t count,
                      int64_t next)
{
    struct retention *r = ctx;

    (void)rows, (void)next;
    if (!go_on(r, rc))
        return;
    r->high = count ? ids[0] + 1 : r->low;
    halve(r);
}

static void on_oldest(void *ctx, int rc, const struct fact *rows, const int64_t *ids, size_t count,
                      int64_t next)
{
    struct retention *r = ctx;
    int64_t keep_ms, now_ms;

    if (!go_on(r, rc))
        return;
    if (count == 0 && next) {
        ask(r, true, next, 1, on_oldest);
        return;
    }
    keep_ms = days(r, r->at) * DAY_MS;
    now_ms = r->c->now_ms();
    if (count == 0 || time_of(&rows[0]) >= now_ms - keep_ms - keep_ms / SLACK) {
        next_history(r);
        return;
    }
    r->cutoff_ms = now_ms - keep_ms;
    r->first = ids[0];
    r->low = ids[0] + 1;
    ask(r, false, 0, 1, on_newest);
}

static void look(struct retention *r)
{
    while (r->at < AMP_COUNT(histories) && !days(r, r->at))
        r->at++;
    if (r->at < AMP_COUNT(histories)) {
        ask(r, true, 0, 1, on_oldest);
        return;
    }
    r->busy = false;
    r->next_ms = r->c->now_ms() + LOOK_MS;
}

/* ---- life ---- */

void retention_tick(struct retention *r)
{
    int64_t now_ms = r->c->now_ms();

    if (r->busy || r->closing || (now_ms < r->next_ms && now_ms > r->next_ms - 2 * LOOK_MS) ||
        !central_leads(r->c))
        return;
    r->busy = true;
    r->at = 0;
    look(r);
}

bool retention_busy(const struct retention *r)
{
    return r->busy;
}

static bool grow(struct amp_buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : 65536;

    while (cap < need)
        cap *= 2;
    b->at = realloc(b->at, cap);
    if (!b->at)
        abort();
    b->cap = cap;
    return true;
}

struct retention *retention_new(struct central *c)
{
    struct retention *r = calloc(1, sizeof *r);

    if (!r)
        abort();
    r->c = c;
    r->page.grow = grow;
    return r;
}

void retention_free(struct retention *r)
{
    if (!r)
        return;
    r->closing = true;
    if (r->archive && archive_working(r->archive))
        return; /* on_written comes, and frees it */
    if (r->archive)
        archive_drop(r->archive);
    free(r->page.at);
    free(r);
}
