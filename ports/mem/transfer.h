/* ports/mem/transfer.h - files that come and go as a test says. Nothing ends by itself: a test looks what is under way and tells the
 * station how it ended. What survives a power cut (the image, what was installed) stays in the struct. */
#ifndef AMP_MEM_TRANSFER_H
#define AMP_MEM_TRANSFER_H

#include "station/port.h"

struct mem_transfer {
    struct amp_transfer table; /* give this to struct amp_port */
    int refuse[AMP_ERRAND_UPLOAD + 1];     /* what the beginning of an errand returns */
    unsigned begun[AMP_ERRAND_UPLOAD + 1], canceled[AMP_ERRAND_UPLOAD + 1];
    bool busy[AMP_ERRAND_UPLOAD + 1];
    bool twice;                            /* an errand began while one of its kind was under way: a mistake of the caller */
    char url[600];                         /* of the last download or upload */
    char certificate[600], signature[100]; /* what trust kept */
    int trusted, runs;                     /* what trust and running return */
    const char *file;                      /* name of the logs; NULL: there are none */
    enum amp_source source;
    int64_t from_ms, to_ms;
};

void mem_transfer_init(struct mem_transfer *t, bool with_signatures);

#endif
