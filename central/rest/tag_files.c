/* central/rest/tag_files.c - thousands of tags at once, as JSON or as a spreadsheet. All or
 * nothing: a file with a mistake changes nothing, and the answer names the row. What is asked for
 * and what is sent is bounded by one request; more goes page by page. */
#include "central/rest/audit.h"
#include "central/rest/csv.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"
#include "central/rest/tags.h"
#include "ocpp/time.h"
#include <stdio.h>
#include <stdlib.h>

#include "messages/api.h"

#define EXPORT_MAX 20000 /* rows of one file */

/* What became of them; kept with the call until the commit. */
struct count {
    int64_t of[3]; /* by enum tag_result */
};

static void counted(struct rest_call *call)
{
    const struct count *n = call->state;
    struct amp_json *w;

    if (!rest_conn(call)) {
        rest_drop(call);
        return;
    }
    w = rest_begin(call);
    amp_json_open(w, '{');
    shape_int(w, "created", n->of[TAG_CREATED]);
    shape_int(w, "changed", n->of[TAG_CHANGED]);
    shape_int(w, "unchanged", n->of[TAG_SAME]);
    amp_json_close(w, '}');
    rest_send(call, 200);
}

/* `where` says which one: "items[7].status", "row 8, status". */
static void refused(struct rest_call *call, const char *where, const char *why)
{
    rest_problem(call,
                 &(struct rest_problem){ .status = 422,
                                         .kind = "bad-value",
                                         .title = "One of the tags can't be taken",
                                         .field = where,
                                         .cure = "Put it right and send all of them again: "
                                                 "nothing was changed." },
                 "%s: %s", where, why);
}

static void make_all(struct rest_call *call, const struct tag_change *list, size_t count)
{
    struct count *n = calloc(1, sizeof *n);

    if (!n)
        abort();
    for (size_t i = 0; i < count; i++)
        n->of[tag_make(call, &list[i])]++;
    call->state = n;
    rest_after(call, counted);
}

/* ---- JSON ---- */

static struct tag_change change_of(const struct api_tag_entry *e)
{
    struct tag_change t = { .tag = e->tag, .parent = e->parent, .note = e->note };

    if (e->status)
        t.status = amp_text_of(amp_enum_name(&api_tag_status_names, (int)e->status));
    if (e->has & API_HAS_TAG_ENTRY_EXPIRES_AT)
        t.expiry_ms = e->expires_at;
    if (e->never_expires)
        t.expiry_ms = -1;
    return t;
}

void rest_put_tags(struct rest_call *call)
{
    struct tag_change *list;
    struct api_put_tags q;

    if (!rest_body(call, &q))
        return;
    list = amp_arena_alloc(&call->c->arena, q.items.len * sizeof *list);
    if (!list) {
        rest_fault(call, AMP_E_FULL, NULL, "items");
        return;
    }
    for (uint32_t i = 0; i < q.items.len; i++) {
        const char *field, *why;
        char where[64];

        list[i] = change_of(&q.items.at[i]);
        why = tag_fault(&list[i], &field);
        if (!why)
            continue;
        snprintf(where, sizeof where, "items[%u].%s", (unsigned)i, field);
        refused(call, where, why);
        return;
    }
    make_all(call, list, q.items.len);
}

/* ---- spreadsheets ---- */

enum column { TAG, STATUS, PARENT, EXPIRES, NOTE, COLUMNS };
static const char *const names[COLUMNS] = { "tag", "status", "parent", "expiresAt", "note" };

/* Which column is where; -1: not there. False: a problem was answered. */
static bool head_of(struct rest_call *call, const struct csv *c, int at[COLUMNS])
{
    char why[160];

    for (int k = 0; k < COLUMNS; k++)
        at[k] = -1;
    for (unsigned i = 0; i < c->count; i++) {
        int k = 0;

        while (k < COLUMNS && !amp_text_eqi(c->fields[i], amp_text_of(names[k])))
            k++;
        if (k < COLUMNS && at[k] < 0) {
            at[k] = (int)i;
            continue;
        }
        snprintf(why, sizeof why,
                 "the column \"%.*s\" is %s; there are tag, status, parent, expiresAt, note",
                 (int)(c->fields[i].len < 40 ? c->fields[i].len : 40), c->fields[i].at,
                 k < COLUMNS ? "there twice" : "unknown");
        refused(call, "row 1", why);
        return false;
    }
    if (at[TAG] >= 0)
        return true;
    refused(call, "row 1", "the first row has to name the columns, \"tag\" among them");
    return false;
}

static struct amp_text cell(const struct csv *c, int at)
{
    return at >= 0 && (unsigned)at < c->count ? c->fields[at] : AMP_NO_TEXT;
}

/* One row; *why when it makes no sense. An empty cell takes away, as far as there is something that
 * may be missing; a column that is not there leaves things as they are. */
static struct tag_change row_of(const struct csv *c, const int at[COLUMNS], const char **field,
                                const char **why)
{
    struct amp_text expires = cell(c, at[EXPIRES]), status = cell(c, at[STATUS]);
    struct tag_change t = { .tag = cell(c, at[TAG]),
                            .status = status.len ? status : AMP_NO_TEXT,
                            .parent = cell(c, at[PARENT]),
                            .note = cell(c, at[NOTE]) };

    *why = c->count > COLUMNS ? "has more cells than there are columns" : tag_fault(&t, field);
    if (expires.at && !expires.len)
        t.expiry_ms = -1;
    if (!*why && expires.len &&
        (amp_time_parse(expires, true, &t.expiry_ms) < 0 || t.expiry_ms <= 0)) {
        *field = names[EXPIRES];
        *why = "is no time such as 2026-01-31T08:30:00Z";
    }
    return t;
}

static bool grown(struct rest_call *call, struct tag_change **list, size_t count, size_t *cap)
{
    struct tag_change *more;

    if (count < *cap)
        return true;
    *cap = *cap ? *cap * 2 : 64;
    more = realloc(*list, *cap * sizeof *more);
    if (!more)
        abort();
    *list = call->state = more; /* freed with the call, whichever way it ends */
    return true;
}

void rest_import_tags(struct rest_call *call)
{
    struct tag_change *list = NULL;
    size_t count = 0, cap = 0;
    int at[COLUMNS], rc;
    struct csv c;

    amp_arena_reset(&call->c->arena);
    csv_open(&c, call->body, &call->c->arena);
    rc = csv_next(&c);
    if (rc == 0)
        refused(call, "row 1", "there is nothing in it");
    if (rc == 0 || (rc == 1 && !head_of(call, &c, at)))
        return;
    while (rc == 1 && (rc = csv_next(&c)) == 1 && grown(call, &list, count, &cap)) {
        const char *field = names[TAG], *why;
        char where[64];

        list[count++] = row_of(&c, at, &field, &why);
        if (!why)
            continue;
        snprintf(where, sizeof where, "row %u, %s", (unsigned)c.row, field);
        refused(call, where, why);
        return;
    }
    if (rc < 0) {
        char where[32];

        snprintf(where, sizeof where, "row %u", (unsigned)c.row);
        refused(call, where,
                rc == AMP_E_FORMAT  ? "a quote is not closed, or something stands behind one"
                : rc == AMP_E_COUNT ? "has too many cells"
                                    : "the file is too large");
        return;
    }
    call->state = NULL;
    make_all(call, list, count);
    free(list);
}

void rest_export_tags(struct rest_call *call)
{
    struct world *world = call->c->world;
    char after[REST_PARAM_MAX * 2] = "", headers[512] = "", time[AMP_TIME_TEXT_MAX];
    struct amp_buf *out = &call->rest->out;
    struct amp_text last = AMP_NO_TEXT;
    struct tag_filter filter;
    int64_t limit = EXPORT_MAX;
    const struct tag_fact *t;

    if (!tag_filter_of(call, &filter) || !rest_query_int(call, "limit", 1, EXPORT_MAX, &limit))
        return;
    rest_query(call, "after", after, sizeof after);
    rest_begin(call);
    for (int k = 0; k < COLUMNS; k++)
        csv_put(out, k == 0, amp_text_of(names[k]));
    csv_end(out);
    for (size_t i = world_tag_after(world, call->who.org, amp_text_of(after));
         (t = world_tag_at(world, i)) && t->org == call->who.org; i++) {
        if (!tag_shown(&filter, t))
            continue;
        if (limit-- == 0)
            break;
        csv_put(out, true, t->tag);
        csv_put(out, false, t->status);
        csv_put(out, false, t->parent);
        csv_put(out, false,
                t->expiry_ms ? amp_text_of(amp_time_text(t->expiry_ms, time)) : AMP_NO_TEXT);
        csv_put(out, false, t->note);
        csv_end(out);
        last = t->tag;
    }
    if (limit < 0) {
        struct amp_buf line;

        amp_buf_init(&line, headers, sizeof headers - 1);
        amp_buf_puts(&line, "Next-After: ");
        for (uint32_t i = 0; i < last.len; i++) { /* as it goes back into ?after= */
            char hex[4];

            snprintf(hex, sizeof hex, "%%%02X", (unsigned)(unsigned char)last.at[i]);
            amp_buf_puts(&line, hex);
        }
        amp_buf_puts(&line, "\r\n");
        headers[line.full ? 0 : line.len] = '\0';
    }
    rest_reply(call, 200, "text/csv; charset=utf-8", headers, out->at, out->len);
}
