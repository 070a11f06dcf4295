/* central/store/postgres_link.c - connections, statements and their results; see postgres.h. */
#include "central/store/postgres.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define CONNECT_MS 5000
#define NS_PER_MS  UINT64_C(1000000)

/* ---- what went wrong ---- */

/* The first line of `text`, and the SQLSTATE in it ("FATAL:  28P01: password …"): the words depend
 * on the server's language, the state does not. */
static void note(struct pg_link *l, const char *state, const char *text)
{
    size_t len = strcspn(text, "\n");

    snprintf(l->error, sizeof(l->error), "%.*s", (int)(len > 250 ? 250 : len), text);
    snprintf(l->state, sizeof(l->state), "%s", state ? state : "");
    for (char *c = l->error; !state && (c = strstr(c, ":  ")); c++) {
        size_t n = strspn(c + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");

        if (n != 5 || c[8] != ':')
            continue;
        memcpy(l->state, c + 3, 5);
        memmove(c + 3, c + 10, strlen(c + 10) + 1);
        break;
    }
}

void pg_hang_up(struct pg_link *l)
{
    PQfinish(l->conn);
    l->conn = NULL;
}

void pg_fail(struct pg_link *l, const PGresult *r)
{
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    const char *text = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;

    if (r && text)
        note(l, state ? state : "", text);
    else
        note(l, "", r ? PQresultErrorMessage(r) : PQerrorMessage(l->conn));
    if (PQstatus(l->conn) == CONNECTION_BAD)
        pg_hang_up(l);
}

/* ---- waiting ---- */

static int poll_until(struct pg_link *l, short events, uint64_t until)
{
    struct pollfd fds[2] = { { .fd = PQsocket(l->conn), .events = events },
                             { .fd = l->wake, .events = POLLIN } };
    uint64_t now = uv_hrtime();
    int n;

    if (now >= until)
        return AMP_E_TIMEOUT;
    n = poll(fds, l->wake >= 0 ? 2 : 1, (int)((until - now) / NS_PER_MS) + 1);
    if (n < 0)
        return errno == EINTR ? 0 : AMP_E_IO;
    if (fds[1].revents)
        return AMP_E_STATE;
    return n ? 0 : AMP_E_TIMEOUT;
}

int pg_poll(struct pg_link *l, bool writing)
{
    return poll_until(l, (short)(POLLIN | (writing ? POLLOUT : 0)),
                      uv_hrtime() + (uint64_t)l->timeout_ms * NS_PER_MS);
}

/* Nobody answers, or we are told to stop: the connection is of no more use, as an answer may be
 * half read. */
static int give_up(struct pg_link *l, int rc)
{
    pg_hang_up(l);
    note(l, "", rc == AMP_E_STATE ? "stopped" : "the database does not answer in time");
    return rc == AMP_E_STATE ? rc : AMP_E_IO;
}

/* The next result. 0, *out may be NULL: the end. Else AMP_E_IO or AMP_E_STATE, without a
 * connection. */
static int next_result(struct pg_link *l, PGresult **out)
{
    int rc = 0;

    while (rc == 0 && PQisBusy(l->conn)) {
        rc = pg_poll(l, false);
        if (rc < 0)
            return give_up(l, rc);
        if (!PQconsumeInput(l->conn))
            break; /* the next result says what it was */
    }
    *out = PQgetResult(l->conn);
    return 0;
}

/* ---- connecting ---- */

/* Defaults that the URL may override, in this order. A host that is gone is noticed in seconds. */
static const char *const names[] = {
    "gssencmode",       "keepalives_idle",  "keepalives_interval",
    "keepalives_count", "tcp_user_timeout", "fallback_application_name",
    "dbname",           "client_encoding",  NULL
};

static int wait_connected(struct pg_link *l)
{
    uint64_t until = uv_hrtime() + CONNECT_MS * NS_PER_MS;
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;

    while (next != PGRES_POLLING_OK) {
        int rc;

        if (next == PGRES_POLLING_FAILED) {
            note(l, NULL, PQerrorMessage(l->conn));
            if (PQconnectionNeedsPassword(l->conn))
                snprintf(l->state, sizeof(l->state), "28P01");
            pg_hang_up(l);
            return AMP_E_IO;
        }
        rc = poll_until(l, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, until);
        if (rc < 0)
            return give_up(l, rc);
        next = PQconnectPoll(l->conn);
    }
    return 0;
}

static void silent(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
}

int pg_connect(struct pg_link *l, const char *settings)
{
    const char *const values[] = { "disable",    "5",    "2",    "3", "10000",
                                   "amperstand", l->url, "UTF8", NULL };
    int rc;

    pg_hang_up(l);
    l->conn = PQconnectStartParams(names, values, 1);
    if (!l->conn)
        abort(); /* no memory */
    if (PQstatus(l->conn) == CONNECTION_BAD) {
        note(l, NULL, PQerrorMessage(l->conn));
        pg_hang_up(l);
        return AMP_E_IO;
    }
    PQsetErrorVerbosity(l->conn, PQERRORS_VERBOSE); /* with the SQLSTATE */
    PQsetNoticeProcessor(l->conn, silent, NULL);
    rc = wait_connected(l);
    if (rc < 0)
        return rc;
    PQsetErrorVerbosity(l->conn, PQERRORS_DEFAULT);
    if (PQsetnonblocking(l->conn, 1) < 0) {
        pg_fail(l, NULL);
        return AMP_E_IO;
    }
    return pg_exec(l, settings);
}

/* ---- statements ---- */

static int flush(struct pg_link *l)
{
    int left;

    while ((left = PQflush(l->conn)) > 0) {
        int rc = pg_poll(l, true);

        if (rc < 0)
            return give_up(l, rc);
        if (!PQconsumeInput(l->conn))
            break;
    }
    return 0; /* a broken connection is told by the result */
}

static int finish(struct pg_link *l, pg_row_fn *each, void *ctx)
{
    PGresult *r = NULL;
    int rc = flush(l), failed = 0;

    while (rc == 0 && l->conn && (rc = next_result(l, &r)) == 0 && r) {
        ExecStatusType status = PQresultStatus(r);

        if (status == PGRES_SINGLE_TUPLE && each)
            each(ctx, r, 0);
        else if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK &&
                 status != PGRES_COMMAND_OK)
            pg_fail(l, r), failed = AMP_E_IO;
        PQclear(r);
    }
    if (rc == 0 && l->conn && PQstatus(l->conn) == CONNECTION_BAD)
        pg_fail(l, NULL), failed = AMP_E_IO;
    return rc < 0 ? rc : failed;
}

int pg_exec(struct pg_link *l, const char *sql)
{
    if (!l->conn)
        return AMP_E_IO;
    if (!PQsendQuery(l->conn, sql)) {
        pg_fail(l, NULL);
        return AMP_E_IO;
    }
    return finish(l, NULL, NULL);
}

int pg_ask(struct pg_link *l, const char *sql, const struct pg_arguments *a, pg_row_fn *each,
           void *ctx)
{
    static const struct pg_arguments none = { .count = 0 };

    if (!l->conn)
        return AMP_E_IO;
    if (!a)
        a = &none;
    if (!PQsendQueryParams(l->conn, sql, a->count, NULL, a->values, a->lengths, a->formats, 0)) {
        pg_fail(l, NULL);
        return AMP_E_IO;
    }
    PQsetSingleRowMode(l->conn);
    return finish(l, each, ctx);
}

int64_t pg_integer(const PGresult *r, int row, int column)
{
    return strtoll(PQgetvalue(r, row, column), NULL, 10);
}

static void take_number(void *ctx, const PGresult *row, int at)
{
    if (!PQgetisnull(row, at, 0))
        *(int64_t *)ctx = pg_integer(row, at, 0);
}

int pg_number(struct pg_link *l, const char *sql, int64_t fallback, int64_t *out)
{
    *out = fallback;
    return pg_ask(l, sql, NULL, take_number, out);
}

void pg_read_fact(const PGresult *r, int row, int at, enum fact_kind kind, struct fact *out)
{
    const struct table *t = table_of(kind);

    memset(out, 0, sizeof(*out));
    out->kind = kind;
    for (size_t i = 0; i < t->count; i++, at++) {
        const struct column *c = &t->columns[i];
        void *field = (char *)out + c->at;

        switch ((enum column_type)c->type) {
        case COLUMN_INT64:
            *(int64_t *)field = pg_integer(r, row, at);
            break;
        case COLUMN_INT32:
            *(int32_t *)field = (int32_t)pg_integer(r, row, at);
            break;
        case COLUMN_UINT32:
            *(uint32_t *)field = (uint32_t)pg_integer(r, row, at);
            break;
        case COLUMN_BOOL:
            *(bool *)field = pg_integer(r, row, at) != 0;
            break;
        case COLUMN_TEXT:
            if (!PQgetisnull(r, row, at))
                *(struct amp_text *)field =
                    (struct amp_text){ PQgetvalue(r, row, at), (uint32_t)PQgetlength(r, row, at) };
            break;
        }
    }
}
