/* central/domain/reservation.h - connectors that are kept for a tag until a time. OCPP 1.6 §5.2,
 * §5.13; edge cases 29, 30. A reservation is made by a ReserveNow, whichever way it was asked for,
 * and lives by what the station says and does: its answer decides whether there is one, a
 * StartTransaction uses it up, a broken connector ends it, the clock does, and a CancelReservation
 * that the station has answered. */
#ifndef CENTRAL_DOMAIN_RESERVATION_H
#define CENTRAL_DOMAIN_RESERVATION_H

#include "central/domain/world.h"

#define RESERVATIONS_KEPT 1000 /* ended ones that stay in memory */
/* Ids that a person may choose end here, so that those that we choose never run out. */
#define RESERVATION_CHOSEN_MAX 1000000000

/* Next free id, as the store knows it: ids are never used again. */
void world_set_reservation_key(struct world *w, int64_t key);
/* An id for a new reservation: positive, never used before. */
int64_t world_reservation_id(struct world *w);
/* May a person choose this id for a reservation at this charger? It was never used, or it is the id
 * of one that is still open there, which the new one then replaces. Where several processes give out
 * ids, chosen ones are above RESERVATION_CHOSEN_MAX, so that they meet none of theirs. */
bool world_reservation_free(const struct world *w, const struct charger *c, int64_t id);

/* NULL: never heard of, or long ended. */
const struct reservation_fact *world_reservation(const struct world *w, int64_t key);
/* May it still be used? */
bool reservation_is_open(int state);
/* All open ones of a charger, newest first. `i` counts from 0; NULL behind the last. */
const struct reservation_fact *charger_reservation(const struct charger *c, size_t i);

/* What may happen to one: the table of its states. 0: nothing, the event means nothing then. */
enum reservation_event {
    RESERVATION_ACCEPTS = 1, /* the station will keep the place */
    RESERVATION_REFUSES,
    RESERVATION_LOSES, /* its answer was lost: it may have kept the place or not */
    RESERVATION_CANCELS,
    RESERVATION_FORGETS, /* it knows no such reservation */
    RESERVATION_USES,
    RESERVATION_BREAKS, /* the connector is out of order */
    RESERVATION_EXPIRES
};
int reservation_next(int state, enum reservation_event e);

#endif
