/* station/reservation.h - connectors that are kept for somebody. OCPP 1.6 §5.1, 5.13; station-1.6 136-141.
 *
 * One reservation a connector, and one for the station (connector 0), which is met by any connector: while it holds, others may not
 * take the last free one, and that one says Reserved. A reservation is over when a transaction of its tag or group begins, in time, by
 * CancelReservation, and when its connector becomes Faulted or Unavailable. */
#ifndef AMP_RESERVATION_H
#define AMP_RESERVATION_H

#include "station/journal.h"
#include "station/tags.h"

struct amp_reservation {
    bool active;
    uint32_t since; /* transactions from this number on may have ended it */
    int64_t id, expiry_ms, made_ms; /* Unix */
    char tag[AMP_TAG_CAP], parent[AMP_TAG_CAP]; /* parent empty: this tag alone */
};

enum amp_reserve_result {
    AMP_RESERVE_ACCEPTED = 1, AMP_RESERVE_FAULTED, AMP_RESERVE_OCCUPIED, AMP_RESERVE_REJECTED, AMP_RESERVE_UNAVAILABLE
};
enum amp_reserve_result amp_reservation_make(struct amp_station *st, int64_t connector, const struct amp_reservation *wanted);
bool amp_reservation_cancel(struct amp_station *st, int64_t id); /* false: there is none */

/* Who may charge at this connector. `parent` NULL: not known, which may be ASK. */
enum amp_reserved { AMP_RESERVED_FREE, AMP_RESERVED_MINE, AMP_RESERVED_ASK, AMP_RESERVED_OTHERS };
enum amp_reserved amp_reservation_for(const struct amp_station *st, int connector, const char *tag, const char *parent);
bool amp_reservation_holds(const struct amp_station *st, int connector); /* a free connector is not Available but Reserved */

/* The reservation that a transaction of this tag ends; NULL: none. */
const struct amp_reservation *amp_reservation_met(const struct amp_station *st, int connector, const char *tag, const char *parent);
void amp_reservation_used(struct amp_station *st, int64_t id, uint32_t local); /* the start of transaction `local` is stored */

void amp_reservation_broken(struct amp_station *st, int connector); /* it became Faulted or Unavailable */
void amp_reservation_poll(struct amp_station *st);
void amp_reservation_load(struct amp_station *st, const struct amp_entry *e);
int amp_reservation_save(struct amp_station *st);

#endif
