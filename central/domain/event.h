/* central/domain/event.h - transactions of stations that name them with a text of their own and
 * number what they say (2.x TransactionEvent). central-edge-cases 25. Knows no message version.
 *
 * Started, Updated and Ended may come in any order, late, or twice. Whichever comes first makes the
 * record; the start fills in what only it knows and reopens nothing; the end closes, and what comes
 * behind it is kept as late readings. As long as numbers are missing, or the start, the record
 * bears TX_FLAG_INCOMPLETE; and while the start is, nobody is told to bill it. */
#ifndef CENTRAL_EVENT_H
#define CENTRAL_EVENT_H

#include "central/domain/world.h"

/* Bits of transaction_fact.events. EVENT_OFFLINE: one of them was from a time without connection.
 */
enum event_kind { EVENT_STARTED = 1, EVENT_UPDATED = 2, EVENT_ENDED = 4, EVENT_OFFLINE = 8 };

/* So many gaps are told apart; with more of them two neighbours are taken for one, and what is
 * between them counts as missing too: a record never looks complete when it is not. */
#define EVENT_GAPS_MAX 16

struct event_info {
    struct amp_text uid; /* the station's id of the transaction; another station's is another one */
    enum event_kind kind;
    int64_t seq;   /* counts from 0 in each transaction */
    bool offline;  /* cannot be what a remote start is waiting for */
    int connector; /* 0: not named in this one */
    struct amp_text tag, reason;
    bool has_meter; /* of Started, Ended: the register there; else that of the readings stands in */
    int64_t meter_wh;
    int64_t at_ms; /* what it is booked by, offline or not */
    struct reading_fact
        *readings; /* as for world_reading; connector and transaction are filled in */
    size_t count;
};

/* Returns the transaction's key. One whose number has come already stores nothing and is answered
 * all the same; `out` as of world_start, of an end as of world_stop. */
int64_t world_event(struct world *w, struct charger *c, const struct event_info *e, int64_t now_ms,
                    struct tag_answer *out);

/* Nobody knows yet what it started with. */
bool event_start_lacks(const struct transaction_fact *f);

#endif
