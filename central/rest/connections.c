/* central/rest/connections.c - the history of connections, and the connection doctor: who was
 * refused, why, and what to do about it (central/refusal.c has the words). */
#include "central/refusal.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

#include "messages/api.h"

static const char *event_name(int event)
{
    return event == CONNECTION_OPENED       ? "opened"
           : event == CONNECTION_WENT_STALE ? "stale"
                                            : "closed";
}

static void shape_event(struct amp_json *w, const struct central *c,
                        const struct connection_fact *f, int64_t id)
{
    amp_json_open(w, '{');
    shape_int(w, "id", id);
    amp_json_key(w, "at");
    amp_json_time(w, f->at_ms);
    shape_text(w, "charger", f->id.at ? f->id : shape_charger_id(c, f->charger));
    amp_json_key(w, "event");
    amp_json_str(w, event_name(f->event));
    if (f->code)
        shape_int(w, "code", f->code);
    shape_text(w, "address", f->address);
    shape_text(w, "reason", f->reason);
    amp_json_close(w, '}');
}

static void event_rows(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                       size_t count, int64_t next)
{
    struct amp_json *w = rest_list(call, call->seq);

    for (size_t i = 0; i < count; i++)
        if (rows[i].u.connection.event != CONNECTION_REFUSED) /* kept so by older versions */
            shape_event(w, call->c, &rows[i].u.connection, ids[i]);
    rest_list_end(call, next);
}

static void shape_refusal(struct amp_json *w, const struct central *c, const struct refusal_fact *f,
                          int64_t id)
{
    const struct refusal_text *t = refusal_by_kind(f->kind);

    amp_json_open(w, '{');
    shape_int(w, "id", id);
    amp_json_key(w, "at");
    amp_json_time(w, f->at_ms);
    shape_text(w, "kind", f->kind);
    shape_int(w, "code", f->code);
    shape_int(w, "count", f->count);
    shape_text(w, "station", f->id);
    shape_text(w, "charger", shape_charger_id(c, f->charger));
    shape_text(w, "address", f->address);
    shape_text(w, "certificate", f->name);
    shape_text(w, "reason", f->reason);
    amp_json_key(w, "fix");
    amp_json_str(w, t ? t->fix : "Nothing is known about this kind of refusal.");
    amp_json_close(w, '}');
}

static void refusal_rows(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                         size_t count, int64_t next)
{
    struct amp_json *w = rest_list(call, call->seq);

    for (size_t i = 0; i < count; i++)
        shape_refusal(w, call->c, &rows[i].u.refusal, ids[i]);
    rest_list_end(call, next);
}

/* What both lists may be asked for. False: a problem was answered. */
static bool question(struct rest_call *call, struct store_ask *ask)
{
    int64_t limit = 100;

    if (!rest_query_charger(call, &ask->charger) || !rest_query_time(call, "from", &ask->from_ms) ||
        !rest_query_time(call, "to", &ask->to_ms) ||
        !rest_query_int(call, "before", 1, INT64_MAX, &ask->before) ||
        !rest_query_int(call, "limit", 1, REST_LIMIT_MAX, &limit))
        return false;
    ask->limit = (int32_t)limit;
    call->seq = live_seq(call->c->live);
    return true;
}

void rest_list_connections(struct rest_call *call)
{
    struct store_ask ask = {
        .what = ASK_CONNECTIONS, .org = call->who.org, .connector = -1, .open = -1
    };

    if (question(call, &ask))
        rest_ask(call, &ask, event_rows);
}

void rest_list_refusals(struct rest_call *call)
{
    struct store_ask ask = {
        .what = ASK_REFUSALS, .org = call->who.org, .connector = -1, .open = -1
    };
    char station[REST_PARAM_MAX], kind[64];

    if (!question(call, &ask))
        return;
    if (rest_query(call, "station", station, sizeof station))
        ask.thing = amp_text_of(station);
    if (rest_query(call, "kind", kind, sizeof kind))
        ask.kind = amp_text_of(kind);
    rest_ask(call, &ask, refusal_rows);
}
