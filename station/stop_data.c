/* station/stop_data.c - what a StopTransaction carries: readings from the journal, thinned where
 * there are too many. station-1.6 92, 93. */
#include "station/impl.h"

static bool stop_sample(struct amp_station *st, enum amp_context context, struct amp_sample *out)
{
    const struct amp_message_fact *f = &st->call.fact;

    memset(out, 0, sizeof(*out));
    out->context = (uint8_t)context;
    out->which = f->stop_list;
    if (!f->stop_list.count)
        return false;
    if (context == AMP_C_END) {
        out->reading = f->sample.reading;
        out->when = f->when;
    }
    return true;
}

/* The next stored record of this transaction of that type. */
static bool find_record(struct amp_station *st, uint32_t *at, unsigned type,
                        struct amp_message_fact *out)
{
    const struct amp_message_fact *f = &st->call.fact;
    struct amp_entry e;
    uint32_t index = 0;

    while (amp_journal_next(st, at, &e))
        if (e.type == type && amp_tx_record(st, &e, out, &index) && out->local == f->local &&
            out->connector == f->connector)
            return true;
    return false;
}

bool amp_queue_sample(struct amp_station *st, struct amp_sample_walk *w, struct amp_sample *out)
{
    struct amp_message_fact found;
    unsigned room = w->max > 2 ? w->max - 2 : 0;

    if (w->part == 0) {
        uint32_t at = 0;

        w->part = 1;
        while (st->call.fact.kept && find_record(st, &at, AMP_ENTRY_SAMPLE, &found))
            w->total++;
        at = 0;
        if (w->max && stop_sample(st, AMP_C_BEGIN, out) &&
            find_record(st, &at, AMP_ENTRY_START, &found)) {
            out->reading = found.sample.reading;
            out->when = found.when;
            return true;
        }
    }
    while (w->part == 1 && w->index < w->total &&
           find_record(st, &w->at, AMP_ENTRY_SAMPLE, &found)) {
        unsigned i = w->index++;

        /* evenly spread: of `total`, those where the scaled index steps */
        if (w->total <= room || (i + 1) * room / w->total != i * room / w->total) {
            *out = found.sample;
            return true;
        }
    }
    if (w->part == 1) {
        w->part = 2;
        return w->max > 1 && stop_sample(st, AMP_C_END, out);
    }
    return false;
}
