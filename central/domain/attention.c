/* central/domain/attention.c - the flags in words, and those that only time raises. */
#include "central/domain/attention.h"
#include "central/domain/engine.h"

#define LOOK_MS 60000 /* between two looks at all that run */

static const struct attention_reason table[] = {
    /* clang-format off */
    { TX_FLAG_UNKNOWN_TAG,  "unknownTag",   "Started with a tag that is not known." },
    { TX_FLAG_REFUSED,      "refused",      "Its start was refused; the charger may have charged all the same." },
    { TX_FLAG_METER_BACK,   "meterBack",    "The meter went back." },
    { TX_FLAG_TIME_ODD,     "timeOdd",      "A time makes no sense: a clock that was never set, the future, or an end before the start." },
    { TX_FLAG_ZOMBIE,       "zombie",       "Its stop never came; it was closed with its last reading when the next one began." },
    { TX_FLAG_ADOPTED,      "adopted",      "Readings or a stop came of a transaction that we did not know, or without its id." },
    { TX_FLAG_FOREIGN_STOP, "foreignStop",  "Its stop named another charger's transaction." },
    { TX_FLAG_NO_ENERGY,    "noEnergy",     "Nothing was charged." },
    { TX_FLAG_METER_RESET,  "meterReset",   "The meter started over during the session." },
    { TX_FLAG_METER_JUMP,   "meterJump",    "The meter jumped further than any car can charge; the jump is not counted." },
    { TX_FLAG_ROLL_OVER,    "rollOver",     "The meter rolled over; that is counted." },
    { TX_FLAG_START_BELOW,  "startBelow",   "It starts below the end of the session before it on this connector." },
    { TX_FLAG_REPAIRED,     "repaired",     "Corrected by a person." },
    { TX_FLAG_LATE,         "late",         "The charger said something else after it was repaired or billed; nothing was changed." },
    { TX_FLAG_CONTRADICTED, "contradicted", "A second stop says something else; the first one counts." },
    { TX_FLAG_STOP_IGNORED, "stopIgnored",  "The charger accepted a remote stop and did not stop." },
    { TX_FLAG_SILENT,       "silent",       "It runs, its charger is connected, and nothing was heard of it for long." },
    { TX_FLAG_OFFLINE,      "offline",      "It runs, and its charger has been offline for long." },
    { TX_FLAG_INCOMPLETE,   "incomplete",   "Events of it are missing: the charger numbers them." },
    /* clang-format on */
};
static const struct attention_reason billing = { 0, "billingFailed", "Billing failed." };

size_t attention_table(const struct attention_reason **out)
{
    *out = table;
    return AMP_COUNT(table);
}

size_t attention_reasons(const struct transaction_fact *f, const struct attention_reason **out,
                         size_t cap)
{
    size_t n = 0;

    if (f->state == TX_BILLING_FAILED && n < cap)
        out[n++] = &billing;
    for (size_t i = 0; i < AMP_COUNT(table) && n < cap; i++)
        if (f->attention & table[i].flag)
            out[n++] = &table[i];
    return n;
}

static int64_t seconds(int32_t configured, int64_t otherwise)
{
    return (configured > 0 ? configured : otherwise) * 1000;
}

void transaction_tick(struct world *w, int64_t now_ms)
{
    int64_t silent = seconds(w->config.silent_after_s, ATTENTION_SILENT_S),
            offline = seconds(w->config.offline_after_s, ATTENTION_OFFLINE_S);

    if (now_ms - w->looked_ms < LOOK_MS)
        return;
    w->looked_ms = now_ms;
    for (struct transaction *t = w->open_first; t; t = t->behind) {
        bool here = t->charger->fact->connection == CONNECTION_CONNECTED ||
                    t->charger->fact->connection == CONNECTION_STALE;
        int64_t heard_ms = here || t->charger->fact->last_seen_ms < t->fact->heard_ms
                               ? t->fact->heard_ms
                               : t->charger->fact->last_seen_ms;
        uint32_t flag = here ? TX_FLAG_SILENT : TX_FLAG_OFFLINE;

        if (t->charger->far || !transaction_runs(t->fact->state) || (t->fact->flags & flag) ||
            now_ms - heard_ms < (here ? silent : offline))
            continue;
        transaction_raise(t->fact, flag);
        tell(w, FACT_TRANSACTION, t->fact);
    }
}
