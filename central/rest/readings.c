/* central/rest/readings.c - meter readings, of a session or of a charger: as sent, and every
 * sampled value in base units. */
#include "central/domain/measure.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"
#include <stdlib.h>

#include "messages/api.h"

/* What of each reading is wanted. */
struct wanted {
    char measurand[64], phase[16];
    bool values, filtered;
};

static bool fits(const struct wanted *q, const struct measure *m)
{
    if (q->measurand[0] && !amp_text_is(m->measurand, q->measurand))
        return false;
    if (!strcmp(q->phase, "none"))
        return !m->phase.len;
    return !q->phase[0] || amp_text_is(m->phase, q->phase);
}

static void put_value(struct amp_json *w, const struct measure *m, struct amp_text sent)
{
    amp_json_open(w, '{');
    shape_text(w, "measurand", m->measurand);
    if (m->number) {
        amp_json_key(w, "value");
        amp_json_dec(w, m->value);
    } else {
        shape_text(w, "text", sent);
    }
    if (m->unit.len)
        shape_text(w, "unit", m->unit);
    if (m->phase.len)
        shape_text(w, "phase", m->phase);
    shape_text(w, "location", m->location);
    shape_text(w, "context", m->context);
    amp_json_close(w, '}');
}

/* The samples of a reading, in the call's arena. False: they cannot be read. */
static bool read_samples(struct rest_call *call, const struct reading_fact *f,
                         struct api_sample_list *out)
{
    struct amp_arena *arena = &call->c->arena;
    struct amp_fault fault;
    struct amp_buf text;
    size_t cap = f->samples.len + 16;

    if (!f->samples.len)
        return false;
    amp_arena_reset(arena);
    amp_buf_init(&text, amp_arena_alloc(arena, cap), cap);
    if (!text.at)
        return false;
    amp_buf_puts(&text, "{\"samples\":");
    amp_buf_put(&text, f->samples.at, f->samples.len);
    amp_buf_puts(&text, "}");
    return !text.full && amp_decode(api.messages[API_SAMPLE_LIST].request, AMP_OCPP16, AMP_LENIENT,
                                    amp_buf_text(&text), out, arena, &fault, NULL) == 0;
}

static void measure_of(const struct api_sample *s, struct measure *out)
{
    measure_read(&(struct measure_sent){ s->value, s->context, s->format, s->measurand, s->phase,
                                         s->location, s->unit },
                 out);
}

/* One reading, with its values; none of those that are wanted: nothing. */
static void put_reading(struct rest_call *call, struct amp_json *w, const struct wanted *q,
                        const struct reading_fact *f)
{
    struct api_sample_list list = { 0 };
    bool any = !q->filtered;
    struct measure m;

    if (!read_samples(call, f, &list))
        list.samples.len = 0;
    for (uint32_t i = 0; !any && i < list.samples.len; i++) {
        measure_of(&list.samples.at[i], &m);
        any = fits(q, &m);
    }
    if (!any)
        return;
    amp_json_open(w, '{');
    shape_reading_members(w, call->c, f);
    amp_json_key(w, "values");
    amp_json_open(w, '[');
    for (uint32_t i = 0; i < list.samples.len; i++) {
        measure_of(&list.samples.at[i], &m);
        if (fits(q, &m))
            put_value(w, &m, list.samples.at[i].value);
    }
    amp_json_close(w, ']');
    if (!q->filtered && f->samples.len) {
        amp_json_key(w, "samples");
        amp_json_raw(w, f->samples);
    }
    amp_json_close(w, '}');
}

static void reading_rows(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                         size_t count, int64_t next)
{
    struct amp_json *w = rest_list(call, call->seq);
    const struct wanted *q = call->state;

    (void)ids;
    for (size_t i = 0; i < count; i++)
        if (q->values)
            put_reading(call, w, q, &rows[i].u.reading);
        else
            shape_reading(w, call->c, &rows[i].u.reading);
    rest_list_end(call, next);
}

/* What both routes have in common; asks. */
static void ask_readings(struct rest_call *call, struct store_ask *ask)
{
    struct wanted *q = calloc(1, sizeof *q);
    int64_t limit = REST_LIMIT_MAX;
    int32_t values = 0, clock = 1;

    if (!q)
        abort();
    call->state = q;
    if (!rest_query_bool(call, "values", &values) || !rest_query_bool(call, "clock", &clock) ||
        !rest_query_int(call, "before", 1, INT64_MAX, &ask->before) ||
        !rest_query_int(call, "limit", 1, REST_LIMIT_MAX, &limit))
        return;
    q->filtered = rest_query(call, "measurand", q->measurand, sizeof q->measurand);
    q->filtered = rest_query(call, "phase", q->phase, sizeof q->phase) || q->filtered;
    q->values = values || q->filtered;
    ask->has_not = clock ? 0 : READING_CLOCK;
    ask->limit = (int32_t)limit;
    call->seq = live_seq(call->c->live);
    rest_ask(call, ask, reading_rows);
}

void rest_list_readings(struct rest_call *call)
{
    struct store_ask ask = {
        .what = ASK_READINGS, .org = call->who.org, .connector = -1, .open = -1
    };

    if (rest_key(call, &ask.transaction))
        ask_readings(call, &ask);
}

void rest_list_charger_readings(struct rest_call *call)
{
    struct store_ask ask = {
        .what = ASK_READINGS, .org = call->who.org, .connector = -1, .open = -1
    };
    struct charger *ch = rest_charger(call, rest_param(call, 0));
    int64_t connector = -1;

    if (!ch || !rest_query_int(call, "connector", 0, 10000, &connector) ||
        !rest_query_time(call, "from", &ask.from_ms) || !rest_query_time(call, "to", &ask.to_ms))
        return;
    ask.charger = charger_fact(ch)->key;
    ask.connector = (int32_t)connector;
    ask_readings(call, &ask);
}
