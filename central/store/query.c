/* central/store/query.c - see query.h. */
#include "central/store/query.h"
#include "central/store/batch.h"
#include <stdarg.h>
#include <stdio.h>

#define TEXT_MAX 1000

const struct query_subject *query_subject_of(enum store_question what)
{
    static const struct query_subject subjects[] = {
        [ASK_MESSAGES] = { FACT_MESSAGE, "id", false },
        [ASK_TRANSACTIONS] = { FACT_TRANSACTION, "key", false },
        [ASK_READINGS] = { FACT_READING, "id", true },
        [ASK_STATUS] = { FACT_STATUS, "id", false },
        [ASK_COMMANDS] = { FACT_COMMAND, "key", false },
        [ASK_CONNECTIONS] = { FACT_CONNECTION, "id", false },
        [ASK_AUDIT] = { FACT_AUDIT, "id", false },
        [ASK_REFUSALS] = { FACT_REFUSAL, "id", false },
        [ASK_RESERVATIONS] = { FACT_RESERVATION, "key", false },
        [ASK_POWER] = { FACT_POWER, "slot_ms", true },
        [ASK_SHAPE] = { FACT_SHAPE, "key", true },
    };

    return &subjects[what];
}

bool query_legal(const struct store_ask *a)
{
    return a->what >= ASK_MESSAGES && a->what <= ASK_SHAPE && a->limit >= 1 && a->limit <= 1000 &&
           a->text.len <= TEXT_MAX && a->correlation.len <= TEXT_MAX &&
           (a->what != ASK_POWER || (a->from_ms && a->to_ms && a->step_ms >= POWER_SLOT_MS));
}

bool query_forward(const struct store_ask *a)
{
    return a->forward || query_subject_of(a->what)->forward;
}

size_t query_bytes(const struct store_ask *a)
{
    return a->bytes ? a->bytes : QUERY_BYTES_MAX;
}

int64_t query_key(const struct store_ask *a)
{
    return a->what == ASK_READINGS ? a->transaction : a->charger;
}

static void ask_power(struct query *q, const struct store_ask *a)
{
    int64_t from_ms = a->before ? a->before + a->step_ms : a->from_ms;

    if (a->step_ms == POWER_SLOT_MS) /* nothing to add up: the rows themselves, in their order */
        amp_buf_puts(&q->sql, "SELECT slot_ms, org, charger, slot_ms, energy_wh, max_w FROM power "
                              "WHERE org = $1 AND charger = $2 AND slot_ms >= $3 AND $4 > 0 AND "
                              "slot_ms < $5 ORDER BY slot_ms LIMIT $6");
    else
        amp_buf_puts(
            &q->sql,
            "SELECT at, CAST($1 AS BIGINT), CAST($2 AS BIGINT), at, energy_wh, max_w FROM ("
            "SELECT CAST($3 AS BIGINT) + (slot_ms - CAST($3 AS BIGINT)) / CAST($4 AS BIGINT) * "
            "CAST($4 AS BIGINT) AS at, CAST(sum(energy_wh) AS BIGINT) AS energy_wh, max(max_w) AS "
            "max_w FROM power WHERE org = $1 AND charger = $2 AND slot_ms >= $3 AND slot_ms < $5 "
            "GROUP BY 1) steps ORDER BY at LIMIT $6");
    q->arguments[q->count++] = (struct query_argument){ .number = a->org };
    q->arguments[q->count++] = (struct query_argument){ .number = a->charger };
    q->arguments[q->count++] = (struct query_argument){ .number = from_ms };
    q->arguments[q->count++] = (struct query_argument){ .number = a->step_ms };
    q->arguments[q->count++] = (struct query_argument){ .number = a->to_ms };
    q->arguments[q->count++] = (struct query_argument){ .number = (int64_t)a->limit + 1 };
}

bool query_whole(struct query *q, const struct store_ask *a)
{
    q->first = 1;
    q->count = 0;
    if (a->what == ASK_POWER)
        ask_power(q, a);
    else if (a->what == ASK_SHAPE) {
        amp_buf_puts(&q->sql, "SELECT key, key, text FROM sample_shape WHERE key = $1");
        q->arguments[q->count++] = (struct query_argument){ .number = a->transaction };
    }
    amp_buf_putc(&q->sql, '\0');
    return q->count > 0;
}

char *query_pattern(const struct store_ask *a)
{
    struct amp_text t = a->text;
    char *out = a->what == ASK_MESSAGES && t.len ? store_alloc(2 * (size_t)t.len + 3) : NULL;
    char *to = out;

    if (!out)
        return NULL;
    *to++ = '%';
    for (uint32_t i = 0; i < t.len; i++) {
        char c = t.at[i];

        if (c == '%' || c == '_' || c == '\\')
            *to++ = '\\';
        *to++ = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    *to++ = '%';
    *to = '\0';
    return out;
}

void query_put(struct amp_buf *b, ...)
{
    va_list texts;
    const char *text;

    va_start(texts, b);
    while ((text = va_arg(texts, const char *)))
        amp_buf_puts(b, text);
    va_end(texts);
}

static void condition(struct query *q, const char *text, struct query_argument a)
{
    query_put(&q->sql, " AND ", text, " $", NULL);
    amp_buf_int(&q->sql, q->first + q->count);
    q->arguments[q->count++] = a;
}

static void where_number(struct query *q, const char *text, int64_t number)
{
    condition(q, text, (struct query_argument){ .number = number });
}

static void where_text(struct query *q, const char *text, struct amp_text t)
{
    condition(q, text, (struct query_argument){ .text = t, .is_text = true });
}

void query_filters(struct query *q, const struct store_ask *a, const struct query_subject *subject,
                   const char *pattern, const char *payload)
{
    const char *time = table_of(subject->kind)->time;
    bool messages = a->what == ASK_MESSAGES, commands = a->what == ASK_COMMANDS,
         transactions = a->what == ASK_TRANSACTIONS, audit = a->what == ASK_AUDIT,
         refusals = a->what == ASK_REFUSALS;
    char text[64];

    if (a->org)
        where_number(q, "m.org =", a->org);
    if (a->charger)
        where_number(q, "m.charger =", a->charger);
    if (a->transaction && (commands || a->what == ASK_READINGS))
        where_number(q, "m.transaction_key =", a->transaction);
    if (a->batch && commands)
        where_number(q, "m.batch =", a->batch);
    if (a->connector >= 0 && !messages && !audit && !refusals && a->what != ASK_CONNECTIONS)
        where_number(q, "m.connector =", a->connector);
    if (a->from_ms) {
        snprintf(text, sizeof(text), "m.%s >=", time);
        where_number(q, text, a->from_ms);
    }
    if (a->to_ms) {
        snprintf(text, sizeof(text), "m.%s <", time);
        where_number(q, text, a->to_ms);
    }
    if (a->action.len && (messages || commands || audit))
        where_text(q, "m.action =", a->action);
    if (audit && a->who.len)
        where_text(q, "m.who =", a->who);
    if ((audit || refusals) && a->kind.len)
        where_text(q, "m.kind =", a->kind);
    if (audit && a->thing.len)
        where_text(q, "m.thing =", a->thing);
    if (refusals && a->thing.len)
        where_text(q, "m.identity =", a->thing);
    if (messages && a->direction)
        where_number(q, "m.direction =", a->direction);
    if (messages && a->type)
        where_number(q, "m.type =", a->type);
    if (messages && a->correlation.len)
        where_text(q, "m.correlation =", a->correlation);
    if (messages && a->errors_only)
        amp_buf_puts(&q->sql, " AND (m.error IS NOT NULL OR m.type IN (4, 5))");
    if (pattern) {
        snprintf(text, sizeof(text), "%s LIKE", payload);
        where_text(q, text, amp_text_of(pattern));
        amp_buf_puts(&q->sql, " ESCAPE '\\'");
    }
    if (transactions && a->tag.len) { /* tags compare without case: E31 */
        where_text(q, "lower(m.tag) = lower(", a->tag);
        amp_buf_puts(&q->sql, ")");
    }
    if (a->what == ASK_RESERVATIONS && a->open == 1)
        amp_buf_puts(&q->sql, " AND m.state <= 3");
    if (a->what == ASK_RESERVATIONS && a->open == 0)
        amp_buf_puts(&q->sql, " AND m.state > 3");
    if (transactions && a->attention)
        amp_buf_puts(&q->sql, " AND (m.attention <> 0 OR m.state = 7)");
    if (a->what == ASK_READINGS && a->has_not)
        where_number(q, "0 = m.has &", a->has_not);
    if (transactions && a->open == 1)
        amp_buf_puts(&q->sql, " AND m.state < 5");
    if (transactions && a->open == 0)
        amp_buf_puts(&q->sql, " AND m.state >= 5");
}
