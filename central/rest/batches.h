/* central/rest/batches.h - one command for many chargers, a few at a time. What a batch is, is a
 * fact; how far it is, is told by its commands, each of which names it: whoever goes on after a
 * restart counts them. Driven by the process that leads (central_leads). */
#ifndef CENTRAL_REST_BATCHES_H
#define CENTRAL_REST_BATCHES_H

#include "central/central.h"

#define BATCH_TARGETS_MAX  100000
#define BATCH_PARALLEL_MAX 500

struct batches *batches_new(struct central *c);
void batches_free(struct batches *b);
void batches_apply(struct batches *b, const struct batch_fact *f);
/* The first number of those that are reserved for us: what others tell moves nothing. */
void batches_set_key(struct batches *b, int64_t next);
/* Once a second: commands that are over, new ones in their place, ends. */
void batches_tick(struct batches *b);

/* NULL: none. Lives until the next change. */
const struct batch_fact *batches_get(const struct batches *b, int64_t key);
const struct batch_fact *batches_at(const struct batches *b, size_t i); /* by key */

/* Begin it: f's action, payload (as the operation's route takes it), targets and limits. Its key.
 */
int64_t batches_create(struct batches *b, const struct batch_fact *f);
/* No more commands; those that were not sent yet are withdrawn. 0, or AMP_E_STATE: it has ended. */
int batches_cancel(struct batches *b, int64_t key);

struct batch_count {
    int32_t total, good, bad, under_way; /* the rest waits */
    bool counted;                        /* false: not known here (yet) */
};
void batches_count(const struct batches *b, const struct batch_fact *f, struct batch_count *out);

/* batch_routes.c: the command for one charger. Its key; below 0: try again later. Always a command,
 * also where it fails at once: then it says why. */
int64_t batch_command(struct central *c, struct charger *ch, const struct batch_fact *f);

#endif
