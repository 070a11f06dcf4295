/* central/rest/attention.c - what a person should look at, and what flows over time. */
#include "central/domain/attention.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

/* ---- attention ---- */

static void shape_attention(struct amp_json *w, const struct central *c,
                            const struct transaction_fact *f)
{
    const struct attention_reason *reasons[32];
    size_t n = attention_reasons(f, reasons, AMP_COUNT(reasons));

    amp_json_open(w, '{');
    amp_json_key(w, "transaction");
    shape_transaction(w, c, f, NULL);
    amp_json_key(w, "reasons");
    amp_json_open(w, '[');
    for (size_t i = 0; i < n; i++) {
        amp_json_open(w, '{');
        amp_json_key(w, "flag");
        amp_json_str(w, reasons[i]->name);
        amp_json_key(w, "text");
        amp_json_str(w, reasons[i]->text);
        amp_json_close(w, '}');
    }
    amp_json_close(w, ']');
    amp_json_close(w, '}');
}

static void attention_rows(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                           size_t count, int64_t next)
{
    struct amp_json *w = rest_list(call, call->seq);

    (void)ids;
    for (size_t i = 0; i < count; i++)
        shape_attention(w, call->c, &rows[i].u.transaction);
    rest_list_end(call, next);
}

void rest_list_attention(struct rest_call *call)
{
    struct store_ask ask = { .what = ASK_TRANSACTIONS,
                             .org = call->who.org,
                             .connector = -1,
                             .open = -1,
                             .attention = true };
    int64_t limit = 100;

    if (!rest_query_charger(call, &ask.charger) ||
        !rest_query_int(call, "before", 1, INT64_MAX, &ask.before) ||
        !rest_query_int(call, "limit", 1, REST_LIMIT_MAX, &limit))
        return;
    ask.limit = (int32_t)limit;
    call->seq = live_seq(call->c->live);
    rest_ask(call, &ask, attention_rows);
}

/* ---- power ---- */

static void power_rows(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                       size_t count, int64_t next)
{
    struct amp_json *w = rest_list(call, call->seq);
    int64_t step_s = call->key;

    (void)ids;
    for (size_t i = 0; i < count; i++) {
        const struct power_fact *f = &rows[i].u.power;
        int64_t average_w = (f->energy_wh * 3600 + step_s / 2) / step_s;

        amp_json_open(w, '{');
        shape_time(w, "at", f->slot_ms);
        shape_int(w, "energyWh", f->energy_wh);
        shape_int(w, "averageW", average_w);
        if (f->max_w > 0)
            shape_int(w, "maxW", f->max_w > average_w ? f->max_w : average_w);
        amp_json_close(w, '}');
    }
    rest_list_end(call, next);
}

static void bad(struct rest_call *call, const char *field, const char *cure)
{
    rest_problem(call,
                 &(struct rest_problem){ .status = 400,
                                         .kind = "bad-parameter",
                                         .title = "A query parameter makes no sense",
                                         .field = field,
                                         .cure = cure },
                 "The range of time cannot be answered.");
}

void rest_list_power(struct rest_call *call)
{
    struct store_ask ask = { .what = ASK_POWER, .org = call->who.org, .connector = -1, .open = -1 };
    int64_t limit = REST_LIMIT_MAX, step_s = POWER_SLOT_MS / 1000;

    if (!rest_query_charger(call, &ask.charger) || !rest_query_time(call, "from", &ask.from_ms) ||
        !rest_query_time(call, "to", &ask.to_ms) ||
        !rest_query_int(call, "step", step_s, 366 * 86400, &step_s) ||
        !rest_query_int(call, "before", 1, INT64_MAX, &ask.before) ||
        !rest_query_int(call, "limit", 1, REST_LIMIT_MAX, &limit))
        return;
    if (!ask.from_ms)
        bad(call, "from", "Say from when, such as 2026-01-01T00:00:00Z.");
    else if (step_s * 1000 % POWER_SLOT_MS)
        bad(call, "step", "Give a multiple of 900 seconds.");
    else {
        ask.from_ms -= ask.from_ms % POWER_SLOT_MS;
        ask.to_ms = ask.to_ms ? ask.to_ms : rest_now(call) + 1;
        ask.step_ms = step_s * 1000;
        ask.limit = (int32_t)limit;
        call->key = step_s;
        call->seq = live_seq(call->c->live);
        rest_ask(call, &ask, power_rows);
    }
}
