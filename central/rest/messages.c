/* central/rest/messages.c - the log of OCPP messages. */
#include "central/rest/routes.h"
#include "central/rest/shapes.h"
#include "ocpp/frame.h"

static void message_rows(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                         size_t count, int64_t next)
{
    struct amp_json *w = rest_list(call, call->seq);

    for (size_t i = 0; i < count; i++)
        shape_message(w, call->c, &rows[i].u.message, ids[i], SIZE_MAX);
    rest_list_end(call, next);
}

static const struct {
    const char *parameter, *word;
    int value;
} words[] = {
    {"direction",  "received",   MESSAGE_RECEIVED},
    { "direction", "sent",       MESSAGE_SENT    },
    { "type",      "CALL",       AMP_CALL        },
    { "type",      "CALLRESULT", AMP_CALLRESULT  },
    { "type",      "CALLERROR",  AMP_CALLERROR   },
};

static bool query_word(struct rest_call *call, const char *name, const char *cure, int32_t *out)
{
    char value[16];

    if (!rest_query(call, name, value, sizeof value))
        return true;
    for (size_t i = 0; i < AMP_COUNT(words); i++)
        if (!strcmp(words[i].parameter, name) &&
            amp_text_eqi(amp_text_of(words[i].word), amp_text_of(value))) {
            *out = words[i].value;
            return true;
        }
    rest_problem(call,
                 &(struct rest_problem){ .status = 400,
                                         .kind = "bad-parameter",
                                         .title = "A query parameter makes no sense",
                                         .field = name,
                                         .cure = cure },
                 "%s=%s", name, value);
    return false;
}

void rest_list_messages(struct rest_call *call)
{
    struct store_ask ask = {
        .what = ASK_MESSAGES, .org = call->who.org, .connector = -1, .open = -1
    };
    char action[64], text[256];
    int64_t limit = 100;
    int32_t errors = 0;

    if (!rest_query_charger(call, &ask.charger) ||
        !query_word(call, "direction", "Give received or sent.", &ask.direction) ||
        !query_word(call, "type", "Give CALL, CALLRESULT or CALLERROR.", &ask.type) ||
        !rest_query_time(call, "from", &ask.from_ms) || !rest_query_time(call, "to", &ask.to_ms) ||
        !rest_query_bool(call, "errors", &errors) ||
        !rest_query_int(call, "before", 1, INT64_MAX, &ask.before) ||
        !rest_query_int(call, "limit", 1, REST_LIMIT_MAX, &limit))
        return;
    if (rest_query(call, "action", action, sizeof action))
        ask.action = amp_text_of(action);
    if (rest_query(call, "text", text, sizeof text))
        ask.text = amp_text_of(text);
    ask.errors_only = errors == 1;
    ask.limit = (int32_t)limit;
    call->seq = live_seq(call->c->live);
    rest_ask(call, &ask, message_rows);
}
