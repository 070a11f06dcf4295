/* central/rest/export.c - histories as files: NDJSON or CSV, oldest first, of any length in bounded
 * memory. A page of the history is asked for, written as text, and given to the socket piece by
 * piece; the next page is asked for when the reader has taken this one. A year of log is never in
 * memory, and a reader that stops reading stops the search. */
#include "central/log.h"
#include "central/rest/cells.h"
#include "central/rest/history.h"
#include <stdio.h>
#include <stdlib.h>

#define PAGE_ROWS   1000
#define PAGE_BYTES  (256u << 10)
#define PIECE_BYTES ((size_t)64 << 10)
#define EXPORTS_MAX 8 /* at once: each holds a page and what the socket has queued */

struct export
{
    struct rest_owned owned; /* first; conn is NULL once the reader has gone */
    struct rest *rest;
    struct central *c;
    struct history_ask q;
    enum fact_kind kind;
    bool csv, asked, last;
    struct amp_buf page;
    size_t sent; /* of the page */
    uint64_t rows;
};

static void export_free(struct export *x)
{
    x->rest->exports--;
    free(x->page.at);
    free(x);
}

/* The end of the file. */
static void finish(struct export *x)
{
    struct net_conn *conn = x->owned.conn;

    rest_disown(x->rest, &x->owned); /* before the end: the next request may come at once */
    export_free(x);
    net_stream_end(conn);
}

static void ask(struct export *x);

/* Give the socket what it takes. */
static void pump(struct export *x)
{
    while (x->owned.conn && x->sent < x->page.len) {
        size_t left = x->page.len - x->sent, n = left < PIECE_BYTES ? left : PIECE_BYTES;
        const char *at = x->page.at + x->sent;

        x->sent += n; /* taken, also when it is one too many */
        if (!net_stream_put(x->owned.conn, at, n))
            return; /* writable() goes on, or gone() ends it */
    }
    if (!x->owned.conn)
        return;
    if (x->last)
        finish(x);
    else
        ask(x);
}

static void on_rows(void *ctx, int rc, const struct fact *rows, const int64_t *ids, size_t count,
                    int64_t next)
{
    struct export *x = ctx;

    x->asked = false;
    if (!x->owned.conn) {
        export_free(x);
        return;
    }
    if (rc < 0) { /* cut off, so that nobody takes it for complete */
        LOG(x->c->log, LOG_WARN, "rest", "an export broke off", LOG_STR("why", amp_err_text(rc)),
            LOG_INT("rows", x->rows));
        net_close(x->owned.conn, 0, "the database did not answer");
        return;
    }
    amp_buf_reset(&x->page);
    x->sent = 0;
    for (size_t i = 0; i < count; i++) {
        if (x->csv)
            cells_csv(x->c, &rows[i], ids[i], &x->page);
        else
            cells_ndjson(x->c, &rows[i], ids[i], false, &x->page);
    }
    x->rows += count;
    x->q.ask.before = next;
    x->last = next == 0;
    pump(x);
}

static void ask(struct export *x)
{
    x->asked = true;
    store_ask(x->c->store, &x->q.ask, on_rows, x);
}

static void writable(struct rest_owned *o)
{
    struct export *x = (struct export *)o;

    if (!x->asked)
        pump(x);
}

static void gone(struct rest_owned *o)
{
    struct export *x = (struct export *)o;

    if (!x->asked)
        export_free(x); /* else on_rows does */
}

static const struct rest_owner export_owner = { .gone = gone, .writable = writable };

/* ---- begin ---- */

static bool format_of(struct rest_call *call, bool *csv)
{
    char value[16];

    *csv = false;
    if (!rest_query(call, "format", value, sizeof value) || !strcmp(value, "ndjson"))
        return true;
    *csv = !strcmp(value, "csv");
    if (*csv)
        return true;
    rest_problem(call,
                 &(struct rest_problem){ .status = 400,
                                         .kind = "bad-parameter",
                                         .title = "No such format",
                                         .field = "format",
                                         .cure = "Give ndjson or csv." },
                 "format=%s", value);
    return false;
}

/* `name`: of the file. */
static void begin(struct rest_call *call, enum store_question what, enum fact_kind kind,
                  const char *name)
{
    struct rest *r = call->rest;
    struct net_conn *conn = rest_conn(call);
    bool head = amp_text_is(call->head->method, "HEAD");
    struct export *x;
    char headers[1400];

    if (r->exports >= EXPORTS_MAX) {
        rest_problem(call,
                     &(struct rest_problem){ .status = 503,
                                             .kind = "too-many-exports",
                                             .title = "Too many exports at once",
                                             .cure = "Wait for one to end, then try again.",
                                             .headers = "Retry-After: 30\r\n" },
                     "%d exports are under way.", EXPORTS_MAX);
        return;
    }
    x = calloc(1, sizeof *x);
    if (!x)
        abort();
    if (!format_of(call, &x->csv) || !history_query(call, what, &x->q)) {
        free(x);
        return;
    }
    x->rest = r;
    x->c = call->c;
    x->kind = kind;
    x->q.ask.forward = true;
    x->q.ask.limit = PAGE_ROWS;
    x->q.ask.bytes = PAGE_BYTES;
    rest_buf_init(&x->page);
    if (!x->q.ask.to_ms && what != ASK_TRANSACTIONS && what != ASK_COMMANDS)
        x->q.ask.to_ms = rest_now(call) + 1; /* what is written from now on is not in it: it ends */
    snprintf(headers, sizeof headers,
             "%sRequest-Id: %s\r\nContent-Disposition: attachment; filename=\"%s.%s\"\r\n",
             rest_security_headers(false), call->id, name, x->csv ? "csv" : "ndjson");
    r->exports++;
    rest_drop(call);
    rest_own(r, conn, &x->owned, &export_owner);
    net_stream_begin(conn, 200,
                     x->csv ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson",
                     headers);
    if (x->csv)
        cells_csv_head(kind, &x->page);
    x->last = head;
    pump(x);
}

void rest_export_messages(struct rest_call *call)
{
    begin(call, ASK_MESSAGES, FACT_MESSAGE, "messages");
}

void rest_export_transactions(struct rest_call *call)
{
    begin(call, ASK_TRANSACTIONS, FACT_TRANSACTION, "transactions");
}

void rest_export_readings(struct rest_call *call)
{
    begin(call, ASK_READINGS, FACT_READING, "readings");
}

void rest_export_status(struct rest_call *call)
{
    begin(call, ASK_STATUS, FACT_STATUS, "status");
}

void rest_export_connections(struct rest_call *call)
{
    begin(call, ASK_CONNECTIONS, FACT_CONNECTION, "connections");
}

void rest_export_commands(struct rest_call *call)
{
    begin(call, ASK_COMMANDS, FACT_COMMAND, "commands");
}
