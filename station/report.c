/* station/report.c - StatusNotification: which states the central system hears of. station-1.6 20,
 * 42-47.
 *
 * While messages flow, every state is reported in its order, also with respect to transaction
 * messages. Off line only the state at the end counts. `reported` is what was last handed to the
 * wire; a report that did not get through makes it unknown again. */
#include "station/impl.h"

static bool same(const struct amp_report *a, const struct amp_report *b)
{
    return a->status == b->status && a->error == b->error && a->ev_gone == b->ev_gone;
}

static struct amp_report current(struct amp_station *st, int connector)
{
    const struct amp_connector *c = &st->con[connector];

    return (struct amp_report){ .status = c->status,
                                .error = c->error,
                                .ev_gone = c->ev_gone && c->status == AMP_SUSPENDED_EV,
                                .when = amp_when_now(st),
                                .since = st->now,
                                .after = st->queue.next,
                                .stamp = st->stamp++ };
}

void amp_report_changed(struct amp_station *st, int connector)
{
    struct amp_connector *c = &st->con[connector];
    struct amp_report r;
    uint64_t minimum = (uint64_t)st->set.minimum_status_s * 1000;

    if (!amp_online(st))
        return;
    r = current(st, connector);
    if (c->waiting_count && same(&c->waiting[c->waiting_count - 1], &r))
        return;
    /* states that did not last are not reported (43) */
    while (c->waiting_count && st->now < c->waiting[c->waiting_count - 1].since + minimum)
        c->waiting_count--;
    if (same(c->waiting_count ? &c->waiting[c->waiting_count - 1] : &c->reported, &r))
        return;
    if (c->waiting_count == AMP_REPORTS_MAX) {
        memmove(c->waiting, c->waiting + 1, sizeof(c->waiting) - sizeof(c->waiting[0]));
        c->waiting_count--;
    }
    c->waiting[c->waiting_count++] = r;
}

void amp_report_resume(struct amp_station *st)
{
    for (int c = 0; c <= st->connectors; c++)
        amp_report_changed(st, c);
}

void amp_report_all(struct amp_station *st)
{
    for (int c = 0; c <= st->connectors; c++)
        st->con[c].reported.status = 0;
    amp_report_resume(st);
}

void amp_report_lost(struct amp_station *st)
{
    for (int c = 0; c <= st->connectors; c++)
        st->con[c].waiting_count = 0;
}

void amp_report_trigger(struct amp_station *st, int connector)
{
    for (int c = 0; c <= st->connectors; c++)
        if (!connector || c == connector)
            st->con[c].report_triggered = true;
}

/* Older transaction messages go first, unless they are a backlog or wait for a retry: those may be
 * overtaken (73). */
static bool held_back(const struct amp_station *st, const struct amp_report *r)
{
    const struct amp_queue *q = &st->queue;

    return q->count && q->head < r->after && q->head >= q->backlog && q->tries == 0;
}

static bool take_triggered(struct amp_station *st)
{
    if (st->boot_state != AMP_BOOT_PENDING && st->boot_state != AMP_BOOT_ACCEPTED)
        return false;
    for (int c = 0; c <= st->connectors; c++)
        if (st->con[c].report_triggered) {
            st->con[c].report_triggered = false;
            st->call.connector = (uint8_t)c;
            st->call.report = current(st, c);
            st->call.report.triggered = true;
            return true;
        }
    return false;
}

bool amp_report_due(struct amp_station *st)
{
    uint64_t minimum = (uint64_t)st->set.minimum_status_s * 1000;
    int best = -1;

    if (take_triggered(st))
        return true;
    if (!amp_online(st))
        return false;
    for (int i = 0; i <= st->connectors; i++) {
        struct amp_connector *c = &st->con[i];

        if (c->waiting_count && !held_back(st, &c->waiting[0]) &&
            (c->reported.status == 0 || amp_due(st, c->waiting[0].since + minimum)) &&
            (best < 0 || c->waiting[0].stamp < st->con[best].waiting[0].stamp))
            best = i;
    }
    if (best >= 0) {
        struct amp_connector *c = &st->con[best];

        st->call.connector = (uint8_t)best;
        st->call.report = c->reported = c->waiting[0];
        c->waiting_count--;
        memmove(c->waiting, c->waiting + 1, c->waiting_count * sizeof(c->waiting[0]));
    }
    return best >= 0;
}

void amp_report_failed(struct amp_station *st, int rc)
{
    struct amp_connector *c = &st->con[st->call.connector];

    (void)rc;
    if (!st->call.report.triggered)
        c->reported.status = 0; /* nobody knows what was heard */
}
