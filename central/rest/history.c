/* central/rest/history.c - the query parameters of histories, see history.h. */
#include "central/rest/history.h"
#include "ocpp/frame.h"

/* clang-format off */
static const struct {
    const char *parameter, *word;
    int value;
} words[] = {
    { "direction", "received",        MESSAGE_RECEIVED    },
    { "direction", "sent",            MESSAGE_SENT        },
    { "type",      "CALL",            AMP_CALL            },
    { "type",      "CALLRESULT",      AMP_CALLRESULT      },
    { "type",      "CALLERROR",       AMP_CALLERROR       },
    { "type",      "CALLRESULTERROR", AMP_CALLRESULTERROR },
    { "type",      "SEND",            AMP_SEND            },
};
/* clang-format on */

#define VALUE_MAX 512 /* the router lets no longer one through */

static bool query_word(struct rest_call *call, const char *name, const char *cure, int32_t *out)
{
    char value[VALUE_MAX];

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

/* A text parameter; absent when it was not given. False: a problem was answered. */
static bool query_text(struct rest_call *call, const char *name, char *block, size_t cap,
                       struct amp_text *out)
{
    char value[VALUE_MAX];

    if (!rest_query(call, name, value, sizeof value))
        return true;
    if (strlen(value) < cap) {
        memcpy(block, value, strlen(value) + 1);
        *out = amp_text_of(block);
        return true;
    }
    rest_problem(call,
                 &(struct rest_problem){ .status = 400,
                                         .kind = "bad-parameter",
                                         .title = "A query parameter is too long",
                                         .field = name,
                                         .cure = "Give a shorter text." },
                 "%s has %zu bytes; at most %zu are looked for.", name, strlen(value), cap - 1);
    return false;
}

bool history_query(struct rest_call *call, enum store_question what, struct history_ask *out)
{
    struct store_ask *ask = &out->ask;
    int64_t connector = -1;
    int32_t errors = 0;

    *ask = (struct store_ask){ .what = what, .org = call->who.org, .connector = -1, .open = -1 };
    if (!rest_query_charger(call, &ask->charger) ||
        !query_word(call, "direction", "Give received or sent.", &ask->direction) ||
        !query_word(call, "type", "Give CALL, CALLRESULT, CALLERROR, CALLRESULTERROR or SEND.",
                    &ask->type) ||
        !rest_query_time(call, "from", &ask->from_ms) ||
        !rest_query_time(call, "to", &ask->to_ms) || !rest_query_bool(call, "errors", &errors) ||
        !rest_query_bool(call, "open", &ask->open) ||
        !rest_query_int(call, "connector", 0, 10000, &connector) ||
        !rest_query_int(call, "transaction", 1, INT64_MAX, &ask->transaction) ||
        !query_text(call, "action", out->action, sizeof out->action, &ask->action) ||
        !query_text(call, "text", out->text, sizeof out->text, &ask->text) ||
        !query_text(call, "messageId", out->id, sizeof out->id, &ask->correlation))
        return false;
    ask->errors_only = errors == 1;
    ask->connector = (int32_t)connector;
    return true;
}
