/* central/rest/pairs.c - calls with their answers. A page of calls is asked for, then what came
 * next in one walk forward from the oldest of them, since an answer follows its call closely; what
 * is still missing is looked for call by call. What has not come within PATIENCE_MS is no answer.
 */
#include "central/rest/history.h"
#include "central/rest/shapes.h"
#include "ocpp/frame.h"
#include <stdlib.h>

#define PAIRS_MAX   200
#define PATIENCE_MS 900000 /* longer than any call may take to time out, and late answers count */

struct pair {
    struct fact *call, *answer; /* of fact_copy; answer NULL: none */
    int64_t call_id, answer_id;
    bool closed; /* it is known what became of it */
};
struct pairs {
    struct pair list[PAIRS_MAX]; /* newest call first */
    size_t count, at;            /* at: the next one to be looked for */
    int64_t next;
    bool unanswered; /* only these */
};

static void pairs_clean(void *state)
{
    struct pairs *p = state;

    for (size_t i = 0; i < p->count; i++) {
        free(p->list[i].call);
        free(p->list[i].answer);
    }
}

/* Is this row about the same exchange as the call `m`: same station, same id? */
static bool about(const struct message_fact *m, const struct message_fact *row)
{
    return row->charger == m->charger && amp_text_eq(row->correlation, m->correlation);
}

/* What a row behind a call says about it: its answer; or its id again on another call, and then no
 * later answer is meant for it. */
static void take(struct pair *p, const struct fact *row, int64_t id)
{
    const struct message_fact *m = &p->call->u.message, *r = &row->u.message;

    if (p->closed || id <= p->call_id || !about(m, r))
        return;
    if (r->type == AMP_CALL && r->direction == m->direction) {
        p->closed = true;
    } else if (r->type != AMP_CALL && r->direction != m->direction) {
        p->closed = true;
        p->answer = fact_copy(row);
        p->answer_id = id;
    }
}

/* ---- the answer ---- */

static void put_pair(struct rest_call *call, struct amp_json *w, const struct pair *p)
{
    const struct message_fact *m = &p->call->u.message, *a;

    amp_json_open(w, '{');
    amp_json_key(w, "call");
    shape_message(w, call->c, m, p->call_id, SIZE_MAX);
    if (p->answer) {
        a = &p->answer->u.message;
        amp_json_key(w, "answer");
        shape_message(w, call->c, a, p->answer_id, SIZE_MAX);
        shape_int(w, "latencyMs",
                  a->latency_ms >= 0    ? a->latency_ms
                  : a->at_ms > m->at_ms ? a->at_ms - m->at_ms
                                        : 0);
    }
    amp_json_close(w, '}');
}

static void reply(struct rest_call *call)
{
    const struct pairs *p = call->state;
    struct amp_json *w = rest_list(call, call->seq);

    for (size_t i = 0; i < p->count; i++)
        if (!p->unanswered || !p->list[i].answer)
            put_pair(call, w, &p->list[i]);
    rest_list_end(call, p->next);
}

/* ---- looking for answers ---- */

static void look_on(struct rest_call *call);

static void one_answer(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                       size_t count, int64_t next)
{
    struct pairs *p = call->state;

    (void)next;
    for (size_t i = 0; i < count; i++)
        take(&p->list[p->at], &rows[i], ids[i]);
    p->at++;
    look_on(call);
}

static void look_on(struct rest_call *call)
{
    struct pairs *p = call->state;
    const struct message_fact *m;

    while (p->at < p->count && p->list[p->at].closed)
        p->at++;
    if (p->at == p->count) {
        reply(call);
        return;
    }
    m = &p->list[p->at].call->u.message;
    rest_ask(call,
             &(struct store_ask){ .what = ASK_MESSAGES,
                                  .org = call->who.org,
                                  .charger = m->charger,
                                  .connector = -1,
                                  .open = -1,
                                  .correlation = m->correlation,
                                  .forward = true,
                                  .from_ms =
                                      m->at_ms - PATIENCE_MS > 0 ? m->at_ms - PATIENCE_MS : 0,
                                  .to_ms = m->at_ms + PATIENCE_MS,
                                  .before = p->list[p->at].call_id,
                                  .limit = 8 },
             one_answer);
}

static void walk_rows(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                      size_t count, int64_t next)
{
    struct pairs *p = call->state;

    (void)next;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < p->count; k++)
            take(&p->list[k], &rows[i], ids[i]);
    look_on(call);
}

static void call_rows(struct rest_call *call, const struct fact *rows, const int64_t *ids,
                      size_t count, int64_t next)
{
    struct pairs *p = call->state;
    struct store_ask walk = { .what = ASK_MESSAGES,
                              .org = call->who.org,
                              .charger = call->key, /* 0: of all */
                              .connector = -1,
                              .open = -1,
                              .forward = true,
                              .limit = REST_LIMIT_MAX };

    p->next = next;
    for (size_t i = 0; i < count && p->count < PAIRS_MAX; i++)
        p->list[p->count++] = (struct pair){ .call = fact_copy(&rows[i]), .call_id = ids[i] };
    if (!p->count) {
        reply(call);
        return;
    }
    walk.before = p->list[p->count - 1].call_id;
    rest_ask(call, &walk, walk_rows);
}

void rest_list_pairs(struct rest_call *call)
{
    struct history_ask q;
    int64_t limit = 100;
    int32_t unanswered = 0;
    struct pairs *p;

    if (!history_query(call, ASK_MESSAGES, &q) ||
        !rest_query_bool(call, "unanswered", &unanswered) ||
        !rest_query_int(call, "before", 1, INT64_MAX, &q.ask.before) ||
        !rest_query_int(call, "limit", 1, PAIRS_MAX, &limit))
        return;
    p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->unanswered = unanswered == 1;
    call->state = p;
    call->clean = pairs_clean;
    call->key = q.ask.charger;
    q.ask.type = AMP_CALL;
    q.ask.limit = (int32_t)limit;
    call->seq = live_seq(call->c->live);
    rest_ask(call, &q.ask, call_rows);
}
