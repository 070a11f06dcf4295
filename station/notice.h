/* station/notice.h - progress messages of long errands (firmware, uploads) that wait to be sent, in their order. A notice stays until
 * it is answered or given up, so that a lost connection loses none. */
#ifndef AMP_NOTICE_H
#define AMP_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#define AMP_NOTICES_MAX 12 /* more than one errand can have; of several, the oldest but one goes first */

struct amp_station;

struct amp_notice {
    uint8_t job;    /* enum amp_job that carries it */
    uint8_t status; /* number in that message's enum */
    bool has_id;
    bool last;      /* the errand is over when this was heard */
    int64_t id;     /* requestId */
};

struct amp_notices {
    struct amp_notice at[AMP_NOTICES_MAX];
    uint8_t count, tries;
    uint64_t retry_at;
};

void amp_notice_push(struct amp_notices *q, struct amp_notice n);
bool amp_notice_due(struct amp_station *st, struct amp_notices *q); /* fills st->call */
/* The oldest was answered, or got no result (rc as in pump.c). True: it is gone; then it stands in *out. */
bool amp_notice_done(struct amp_notices *q, struct amp_notice *out);
bool amp_notice_failed(struct amp_station *st, struct amp_notices *q, int rc, struct amp_notice *out);

#endif
