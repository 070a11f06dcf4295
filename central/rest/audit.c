/* central/rest/audit.c - who changed what: kept with each change, and asked for. */
#include "central/rest/audit.h"
#include "central/rest/shapes.h"

/* ---- keeping ---- */

static struct amp_json *begin(struct amp_buf *b, struct amp_json *w)
{
    amp_buf_reset(b);
    amp_json_init(w, b);
    return w;
}

struct amp_json *rest_was(struct rest_call *call)
{
    return begin(&call->rest->was, &call->rest->was_w);
}

struct amp_json *rest_is(struct rest_call *call)
{
    return begin(&call->rest->is, &call->rest->is_w);
}

void rest_was_text(struct rest_call *call, struct amp_text json)
{
    amp_buf_reset(&call->rest->was);
    amp_buf_put(&call->rest->was, json.at, json.len);
}

static struct amp_text written(const struct amp_buf *b)
{
    return b->len ? amp_buf_text(b) : AMP_NO_TEXT;
}

static void keep(struct central *c, struct audit_fact *f, const struct rest_change *change)
{
    f->at_ms = c->now_ms();
    f->action = amp_text_of(change->action);
    f->kind = amp_text_of(change->kind);
    f->thing = change->thing;
    f->charger = change->charger;
    f->reason = change->reason;
    central_emit(c, &(struct fact){ FACT_AUDIT, { .audit = *f } });
}

void rest_audit(struct rest_call *call, const struct rest_change *change)
{
    struct rest *r = call->rest;
    struct audit_fact f = { .org = call->who.org ? call->who.org : ORG_DEFAULT,
                            .user = call->who.user,
                            .who = amp_text_of(call->who.name ? call->who.name : "system"),
                            .before = written(&r->was),
                            .after = written(&r->is) };

    keep(call->c, &f, change);
    amp_buf_reset(&r->was);
    amp_buf_reset(&r->is);
}

void rest_audit_system(struct central *c, int64_t org, const struct rest_change *change,
                       struct amp_text before, struct amp_text after)
{
    struct audit_fact f = {
        .org = org, .who = AMP_TEXT("system"), .before = before, .after = after
    };

    keep(c, &f, change);
}

/* ---- asking ---- */

static void put_raw(struct amp_json *w, const char *key, struct amp_text json)
{
    if (!json.len)
        return;
    amp_json_key(w, key);
    amp_json_raw(w, json);
}

static void shape_audit(struct amp_json *w, const struct central *c, const struct audit_fact *f,
                        int64_t id)
{
    amp_json_open(w, '{');
    shape_int(w, "id", id);
    shape_time(w, "at", f->at_ms);
    shape_text(w, "who", f->who);
    if (f->user)
        shape_int(w, "user", f->user);
    shape_text(w, "action", f->action);
    shape_text(w, "kind", f->kind);
    shape_text(w, "thing", f->thing);
    shape_text(w, "charger", shape_charger_id(c, f->charger));
    put_raw(w, "before", f->before);
    put_raw(w, "after", f->after);
    shape_text(w, "reason", f->reason);
    amp_json_close(w, '}');
}

static void audit_rows(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                       size_t count, int64_t next)
{
    struct amp_json *w = rest_list(call, call->seq);

    for (size_t i = 0; i < count; i++)
        shape_audit(w, call->c, &rows[i].u.audit, ids[i]);
    rest_list_end(call, next);
}

void rest_list_audit(struct rest_call *call)
{
    struct store_ask ask = { .what = ASK_AUDIT, .org = call->who.org, .connector = -1, .open = -1 };
    char who[REST_PARAM_MAX], action[64], kind[64], thing[REST_PARAM_MAX];
    int64_t limit = 100;

    if (!rest_query_charger(call, &ask.charger) || !rest_query_time(call, "from", &ask.from_ms) ||
        !rest_query_time(call, "to", &ask.to_ms) ||
        !rest_query_int(call, "before", 1, INT64_MAX, &ask.before) ||
        !rest_query_int(call, "limit", 1, REST_LIMIT_MAX, &limit))
        return;
    if (rest_query(call, "who", who, sizeof who))
        ask.who = amp_text_of(who);
    if (rest_query(call, "action", action, sizeof action))
        ask.action = amp_text_of(action);
    if (rest_query(call, "kind", kind, sizeof kind))
        ask.kind = amp_text_of(kind);
    if (rest_query(call, "thing", thing, sizeof thing))
        ask.thing = amp_text_of(thing);
    ask.limit = (int32_t)limit;
    call->seq = live_seq(call->c->live);
    rest_ask(call, &ask, audit_rows);
}
