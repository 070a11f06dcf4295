/* central/domain/attention.h - which transactions a person should look at, and why, in words. */
#ifndef CENTRAL_ATTENTION_H
#define CENTRAL_ATTENTION_H

#include "central/domain/fact.h"

/* Defaults of world_config: a running transaction of which nothing was heard for so long though its
 * station is there; and one whose station is not. */
#define ATTENTION_SILENT_S  21600
#define ATTENTION_OFFLINE_S 3600

struct attention_reason {
    uint32_t flag;    /* enum transaction_flag; 0: the state, billing failed */
    const char *name; /* as the API says it: "zombie" */
    const char *text; /* a sentence */
};
/* The reasons that nobody has acknowledged; their number, at most `cap`. */
size_t attention_reasons(const struct transaction_fact *f, const struct attention_reason **out,
                         size_t cap);
/* All there are: flags in the order of the API, what calls nobody too. */
size_t attention_table(const struct attention_reason **out);

#endif
