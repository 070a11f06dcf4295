/* central/domain/follow.h - what the things that commands refer to learn from what becomes true:
 * reservations, local lists, charging profiles follow commands, starts, statuses and boots, whoever
 * asked for them and in whichever way. One place, called for each fact that is told. Shared inside
 * this folder. */
#ifndef CENTRAL_DOMAIN_FOLLOW_H
#define CENTRAL_DOMAIN_FOLLOW_H

#include "central/domain/inside.h"
#include "ocpp/codec.h"

#include "messages/asked.h"

/* pack.c, for each fact behind its emission. */
void follow(struct world *w, enum fact_kind kind, const void *body);

/* A command whose state changed, decoded. Of actions whose answer is the effect CONFIRMED is the one
 * word for yes; ACCEPTED is never told of them. `asked` is the request's struct of asked.def; `reply` the
 * answer's, NULL when the station has not answered with a result, or with one that makes no sense.
 */
struct followed {
    struct charger *c;
    const struct command_fact *k;
    const void *asked, *reply;
    int64_t at_ms; /* our clock: the newest time that the command knows */
};

/* charger_list.c */
void list_sent(struct world *w, const struct followed *f);
void list_told(struct world *w, const struct followed *f);
void list_saw_boot(struct world *w, struct charger *c);
/* local_list.c */
void list_saw_tag(struct world *w, const struct tag_fact *t);

/* installed.c */
void installed_asked(struct world *w, const struct followed *f);
void installed_started(struct world *w, const struct followed *f);
void installed_cleared(struct world *w, const struct followed *f);
void installed_saw_stop(struct world *w, struct charger *c, const struct transaction_fact *t);
void installed_saw_boot(struct world *w, struct charger *c);

/* reservation.c */
void reservation_asked(struct world *w, const struct followed *f);
void reservation_cancelled(struct world *w, const struct followed *f);
void reservation_saw_start(struct world *w, struct charger *c, const struct transaction_fact *t);
void reservation_saw_deleted(struct world *w, struct charger *c);
void reservation_saw_status(struct world *w, struct charger *c, const struct connector_fact *s);

#endif
