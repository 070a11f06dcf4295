/* central/rest/messages.c - the log of OCPP messages. */
#include "central/rest/history.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

static void message_rows(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                         size_t count, int64_t next)
{
    struct amp_json *w = rest_list(call, call->seq);

    for (size_t i = 0; i < count; i++)
        shape_message(w, call->c, &rows[i].u.message, ids[i], SIZE_MAX);
    rest_list_end(call, next);
}

void rest_list_messages(struct rest_call *call)
{
    struct history_ask q;
    int64_t limit = 100;

    if (!history_query(call, ASK_MESSAGES, &q) ||
        !rest_query_int(call, "before", 1, INT64_MAX, &q.ask.before) ||
        !rest_query_int(call, "limit", 1, REST_LIMIT_MAX, &limit))
        return;
    q.ask.limit = (int32_t)limit;
    call->seq = live_seq(call->c->live);
    rest_ask(call, &q.ask, message_rows);
}
