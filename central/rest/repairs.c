/* central/rest/repairs.c - people change a transaction: close, correct, merge, void, acknowledge,
 * and billing reports. One way for all: find the record (in memory, else bring it in from the
 * store), compare the revision, change it, keep the audit, answer when that is durable. */
#include "central/domain/repair.h"
#include "central/rest/audit.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"
#include <stdio.h>
#include <stdlib.h>

#include "messages/api.h"

/* What was asked, in memory of its own: the answer of the store comes later than the body goes. */
struct repair {
    int what; /* enum api_id */
    int64_t key, into, revision;
    bool by_header;
    int64_t meter_wh, at_ms; /* close */
    struct repair_correction correction;
    bool billed;
    char tag[128], reason[1024];
    size_t loaded; /* of key, into */
};

typedef bool read_fn(struct rest_call *call, struct repair *r, bool *revision);
static read_fn read_close, read_correction, read_merge, read_void, read_billing, read_note;

static const struct verb {
    int what;
    const char *action; /* in the audit */
    read_fn *read;
} verbs[] = {
    { API_CLOSE_TRANSACTION, "close", read_close },
    { API_CORRECT_TRANSACTION, "correct", read_correction },
    { API_MERGE_TRANSACTION, "merge", read_merge },
    { API_VOID_TRANSACTION, "void", read_void },
    { API_REPORT_BILLING, "billing", read_billing },
    { API_ACKNOWLEDGE_TRANSACTION, "acknowledge", read_note },
};

static const struct verb *verb_of(int what)
{
    const struct verb *v = verbs;

    while (v->what != what)
        v++;
    return v;
}

/* ---- reading what is asked ---- */

static void keep_reason(struct repair *r, struct amp_text reason)
{
    amp_text_copy(r->reason, sizeof r->reason, reason);
}

static bool read_correction(struct rest_call *call, struct repair *r, bool *revision)
{
    struct api_correct_transaction q;

    if (!rest_body(call, &q))
        return false;
    *revision = q.has & API_HAS_CORRECT_TRANSACTION_REVISION;
    r->revision = q.revision;
    r->correction = (struct repair_correction){
        .has_start_wh = q.has & API_HAS_CORRECT_TRANSACTION_METER_START_WH,
        .start_wh = q.meter_start_wh,
        .has_stop_wh = q.has & API_HAS_CORRECT_TRANSACTION_METER_STOP_WH,
        .stop_wh = q.meter_stop_wh,
        .start_ms = q.has & API_HAS_CORRECT_TRANSACTION_STARTED_AT ? q.started_at : 0,
        .stop_ms = q.has & API_HAS_CORRECT_TRANSACTION_STOPPED_AT ? q.stopped_at : 0,
    };
    if (q.id_tag.at) {
        amp_text_copy(r->tag, sizeof r->tag, q.id_tag);
        r->correction.tag = amp_text_of(r->tag);
    }
    keep_reason(r, q.reason);
    return true;
}

static bool read_close(struct rest_call *call, struct repair *r, bool *revision)
{
    struct api_close_transaction q;

    if (!rest_body(call, &q))
        return false;
    *revision = q.has & API_HAS_CLOSE_TRANSACTION_REVISION;
    r->revision = q.revision;
    r->meter_wh = q.has & API_HAS_CLOSE_TRANSACTION_METER_STOP_WH ? q.meter_stop_wh : -1;
    r->at_ms = q.has & API_HAS_CLOSE_TRANSACTION_STOPPED_AT ? q.stopped_at : 0;
    keep_reason(r, q.reason);
    return true;
}

static bool read_merge(struct rest_call *call, struct repair *r, bool *revision)
{
    struct api_merge_transaction q;

    if (!rest_body(call, &q))
        return false;
    *revision = q.has & API_HAS_MERGE_TRANSACTION_REVISION;
    r->revision = q.revision;
    r->into = q.into;
    keep_reason(r, q.reason);
    return true;
}

static bool read_billing(struct rest_call *call, struct repair *r, bool *revision)
{
    struct api_report_billing q;

    if (!rest_body(call, &q))
        return false;
    *revision = q.has & API_HAS_REPORT_BILLING_REVISION;
    r->revision = q.revision;
    r->billed = q.outcome == API_BILLING_COMPLETED;
    keep_reason(r, q.reason);
    return true;
}

static bool read_void(struct rest_call *call, struct repair *r, bool *revision)
{
    struct api_void_transaction q;

    if (!rest_body(call, &q))
        return false;
    *revision = q.has & API_HAS_VOID_TRANSACTION_REVISION;
    r->revision = q.revision;
    keep_reason(r, q.reason);
    return true;
}

static bool read_note(struct rest_call *call, struct repair *r, bool *revision)
{
    struct api_acknowledge_transaction q;

    if (!rest_body(call, &q))
        return false;
    *revision = q.has & API_HAS_ACKNOWLEDGE_TRANSACTION_REVISION;
    r->revision = q.revision;
    keep_reason(r, q.note);
    return true;
}

/* If-Match: "7" says the same as the body's revision. */
static bool read_revision(struct rest_call *call, struct repair *r, bool named)
{
    struct amp_text match = amp_http_get(call->head, "If-Match");

    if (match.len >= 2 && match.at[0] == '"' && match.at[match.len - 1] == '"')
        match = (struct amp_text){ match.at + 1, match.len - 2 };
    if (match.len && amp_text_int(match, &r->revision) == 0) {
        r->by_header = true;
        return true;
    }
    if (named && !match.len)
        return true;
    rest_problem(call,
                 &(struct rest_problem){ .status = 428,
                                         .kind = "revision-missing",
                                         .title = "Which revision did you see?",
                                         .field = match.len ? "If-Match" : "revision",
                                         .cure =
                                             "Send the transaction's revision in the body or as "
                                             "If-Match." },
                 "Somebody else, or the charger, may have changed it since you looked.");
    return false;
}

/* ---- changing ---- */

/* Once it is durable the record may be forgotten. While the disk refuses it stays: what would be
 * read back would be older. */
struct release {
    struct central *c;
    int64_t keys[2];
};

static void on_release(void *ctx, int rc)
{
    struct release *l = ctx;

    for (size_t i = 0; rc == 0 && i < AMP_COUNT(l->keys); i++)
        if (l->keys[i])
            world_transaction_let_go(l->c->world, l->keys[i]);
    free(l);
}

static void release_later(struct rest_call *call, const struct repair *r)
{
    struct release *l = calloc(1, sizeof *l);

    if (!l)
        abort();
    *l = (struct release){ call->c, { r->key, r->into } };
    store_after(call->c->store, on_release, l);
}

static void refuse(struct rest_call *call, const struct repair *r, int rc)
{
    struct rest_problem p = { .status = 409,
                              .kind = "wrong-state",
                              .title = "Not possible with this transaction as it is",
                              .cure = "Look at its state and flags." };
    const struct transaction_fact *f = world_transaction(call->c->world, r->key);
    const char *detail = "Its state does not allow it.";

    if (rc == AMP_E_BUSY) {
        p.status = r->by_header ? 412 : 409;
        p.kind = "changed-meanwhile";
        p.title = "It has changed since you looked";
        p.field = r->by_header ? "If-Match" : "revision";
        p.cure = "Read it again, and decide by what it is now.";
        rest_problem(call, &p, "It is at revision %lld.", (long long)(f ? f->revision : 0));
        return;
    }
    if (rc == AMP_E_RANGE) {
        p.status = 422;
        p.kind = "bad-value";
        p.title = "The end would be before the start";
        p.cure = "Give a meter value and a time that are not below those of the start.";
        detail = "Meter and time can't go back.";
    } else if (rc == AMP_E_ABSENT) {
        p.kind = "not-its-charger";
        p.title = "They are not of the same charger";
        p.field = "into";
        p.cure = "Name a transaction of the same charger that has a start.";
        detail = "Nothing can be merged.";
    }
    rest_problem(call, &p, "%s", detail);
}

static int change(struct world *w, const struct repair *r, int64_t now_ms)
{
    switch (r->what) {
    case API_CLOSE_TRANSACTION:
        return world_repair_close(w, r->key, r->revision, r->meter_wh, r->at_ms, now_ms);
    case API_CORRECT_TRANSACTION:
        return world_repair_correct(w, r->key, r->revision, &r->correction, now_ms);
    case API_MERGE_TRANSACTION:
        return world_repair_merge(w, r->key, r->revision, r->into, now_ms);
    case API_VOID_TRANSACTION:
        return world_repair_void(w, r->key, r->revision, now_ms);
    case API_REPORT_BILLING:
        return world_billed(w, r->key, r->revision, r->billed, now_ms);
    default:
        return world_acknowledge(w, r->key, r->revision);
    }
}

static void done(struct rest_call *call)
{
    const struct repair *r = call->state;
    const struct transaction_fact *f =
        world_transaction(call->c->world, r->into ? r->into : r->key);
    struct amp_json *w;

    if (!rest_conn(call)) {
        rest_drop(call);
        return;
    }
    if (!f) { /* forgotten between two callbacks: what is durable can be read */
        rest_empty(call, 204, "");
        return;
    }
    w = rest_begin(call);
    shape_transaction(w, call->c, f, NULL);
    rest_send(call, 200);
}

static void audit(struct rest_call *call, const struct repair *r, int64_t key)
{
    const struct transaction_fact *f = world_transaction(call->c->world, key);
    char id[24];

    snprintf(id, sizeof id, "%lld", (long long)key);
    shape_transaction(rest_is(call), call->c, f, NULL);
    rest_audit(call, &(struct rest_change){ .action = verb_of(r->what)->action,
                                            .kind = "transaction",
                                            .thing = amp_text_of(id),
                                            .charger = f->charger,
                                            .reason = r->reason[0] ? amp_text_of(r->reason)
                                                                   : AMP_NO_TEXT });
}

static void act(struct rest_call *call)
{
    struct repair *r = call->state;
    struct world *w = call->c->world;
    int64_t keys[] = { r->key, r->into };
    const struct transaction_fact *into = r->into ? world_transaction(w, r->into) : NULL;
    char *other = NULL;
    int rc;

    if (into) { /* two records change: the other's past is kept as well */
        shape_transaction(rest_was(call), call->c, into, NULL);
        other = strndup(call->rest->was.at, call->rest->was.len);
        if (!other)
            abort();
    }
    shape_transaction(rest_was(call), call->c, world_transaction(w, r->key), NULL);
    rc = change(w, r, rest_now(call));
    if (rc == 0) {
        audit(call, r, r->key);
        if (other) {
            rest_was_text(call, amp_text_of(other));
            audit(call, r, r->into);
        }
        rest_after(call, done);
        release_later(call, r);
    } else {
        refuse(call, r, rc); /* and with it the call and `r` are gone */
        for (size_t i = 0; i < AMP_COUNT(keys); i++)
            if (keys[i])
                world_transaction_let_go(w, keys[i]);
    }
    free(other);
}

/* ---- finding ---- */

static void load(struct rest_call *call);

static bool hold(struct rest_call *call, const struct transaction_fact *f)
{
    struct repair *r = call->state;

    if (f->org != call->who.org || !world_transaction_hold(call->c->world, f))
        return false;
    r->loaded++;
    return true;
}

static void absent(struct rest_call *call)
{
    const struct repair *r = call->state;
    char id[24];

    snprintf(id, sizeof id, "%lld", (long long)(r->loaded ? r->into : r->key));
    if (r->loaded)
        world_transaction_let_go(call->c->world, r->key);
    rest_absent(call, "transaction", amp_text_of(id));
}

static void one_row(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                    size_t count, int64_t next)
{
    (void)ids, (void)next;
    if (count == 1 && hold(call, &rows[0].u.transaction))
        load(call);
    else
        absent(call);
}

/* The next record that is needed; then the change. Between a row that was read and the one that is
 * held nothing can come: hold takes what is in memory, if it is there. */
static void load(struct rest_call *call)
{
    struct repair *r = call->state;

    while (r->loaded < (r->into ? 2u : 1u)) {
        int64_t key = r->loaded ? r->into : r->key;
        const struct transaction_fact *f = world_transaction(call->c->world, key);

        if (!f) {
            rest_ask(call,
                     &(struct store_ask){ .what = ASK_TRANSACTIONS,
                                          .org = call->who.org,
                                          .transaction = key,
                                          .connector = -1,
                                          .open = -1,
                                          .limit = 1 },
                     one_row);
            return;
        }
        if (!hold(call, f)) {
            absent(call);
            return;
        }
    }
    act(call);
}

void rest_repair(struct rest_call *call)
{
    struct repair *r = calloc(1, sizeof *r);
    bool revision = false;

    if (!r)
        abort();
    call->state = r;
    r->what = call->route->message;
    if (rest_key(call, &r->key) && verb_of(r->what)->read(call, r, &revision) &&
        read_revision(call, r, revision))
        load(call);
}
