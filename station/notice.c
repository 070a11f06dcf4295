/* station/notice.c - see notice.h. */
#include "station/impl.h"

#define TRIES    3
#define RETRY_MS 60000

void amp_notice_push(struct amp_notices *q, struct amp_notice n)
{
    if (q->count == AMP_NOTICES_MAX) { /* the oldest may be on its way just now */
        memmove(q->at + 1, q->at + 2, (AMP_NOTICES_MAX - 2) * sizeof(q->at[0]));
        q->count--;
    }
    q->at[q->count++] = n;
}

bool amp_notice_due(struct amp_station *st, struct amp_notices *q)
{
    if (!q->count || !amp_online(st) || !amp_due(st, q->retry_at))
        return false;
    st->call.job = q->at[0].job;
    st->call.notice = q->at[0];
    st->call.triggered = false;
    return true;
}

bool amp_notice_done(struct amp_notices *q, struct amp_notice *out)
{
    if (!q->count)
        return false;
    *out = q->at[0];
    q->count--;
    memmove(q->at, q->at + 1, q->count * sizeof(q->at[0]));
    q->tries = 0;
    q->retry_at = 0;
    return true;
}

bool amp_notice_failed(struct amp_station *st, struct amp_notices *q, int rc,
                       struct amp_notice *out)
{
    if (rc == AMP_E_IO)
        return false; /* nobody heard it: again when the link is back */
    if (rc == AMP_E_TIMEOUT && ++q->tries < TRIES) {
        q->retry_at = st->now + RETRY_MS;
        return false;
    }
    return amp_notice_done(q, out);
}
