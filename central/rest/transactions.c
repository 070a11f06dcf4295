/* central/rest/transactions.c - charging sessions. Those that run come from the world, which has
 * the newest numbers; the past comes from the store. */
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

static void put_transaction(struct rest_call *call, struct amp_json *w,
                            const struct transaction_fact *f)
{
    shape_transaction(w, call->c, f, f->stop_ms ? NULL : live_reading(call->c->live, f->key));
}

static void transaction_rows(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                             size_t count, int64_t next)
{
    struct amp_json *w = rest_list(call, call->seq);

    (void)ids;
    for (size_t i = 0; i < count; i++)
        put_transaction(call, w, &rows[i].u.transaction);
    rest_list_end(call, next);
}

void rest_list_transactions(struct rest_call *call)
{
    struct store_ask ask = {
        .what = ASK_TRANSACTIONS, .org = call->who.org, .connector = -1, .open = -1
    };
    int64_t limit = 100, connector = -1;
    char tag[REST_PARAM_MAX * 2];

    if (!rest_query_charger(call, &ask.charger) ||
        !rest_query_int(call, "connector", 0, 10000, &connector) ||
        !rest_query_bool(call, "open", &ask.open) || !rest_query_time(call, "from", &ask.from_ms) ||
        !rest_query_time(call, "to", &ask.to_ms) ||
        !rest_query_int(call, "before", 1, INT64_MAX, &ask.before) ||
        !rest_query_int(call, "limit", 1, REST_LIMIT_MAX, &limit))
        return;
    if (rest_query(call, "tag", tag, sizeof tag))
        ask.tag = amp_text_of(tag);
    ask.limit = (int32_t)limit;
    ask.connector = (int32_t)connector;
    call->seq = live_seq(call->c->live); /* before the question: what comes later is an event */
    rest_ask(call, &ask, transaction_rows);
}

static void answer(struct rest_call *call, const struct transaction_fact *f)
{
    struct amp_json *w = rest_begin(call);

    put_transaction(call, w, f);
    rest_send(call, 200);
}

static void one_row(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                    size_t count, int64_t next)
{
    (void)ids, (void)next;
    for (size_t i = 0; i < count; i++)
        if (rows[i].u.transaction.key == call->key) {
            answer(call, &rows[i].u.transaction);
            return;
        }
    rest_absent(call, "transaction", rest_param(call, 0));
}

void rest_get_transaction(struct rest_call *call)
{
    const struct transaction_fact *f;

    if (!rest_key(call, &call->key))
        return;
    call->seq = live_seq(call->c->live);
    f = world_transaction(call->c->world, call->key);
    if (f && f->org != call->who.org)
        rest_absent(call, "transaction", rest_param(call, 0));
    else if (f)
        answer(call, f);
    else
        rest_ask(call,
                 &(struct store_ask){ .what = ASK_TRANSACTIONS,
                                      .org = call->who.org,
                                      .transaction = call->key,
                                      .connector = -1,
                                      .open = -1,
                                      .limit = 1 },
                 one_row);
}
