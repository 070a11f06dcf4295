/* fleet/ledger.h - what the central system answered, taken from the frames on the wire; for proof
 * and for measurement.
 *
 * The ledger is a text file: one line for every transaction message that was ANSWERED with a
 * result, appended with one write(2) before anything else happens, so that after any end of either
 * side it holds exactly what was acknowledged. Fields are `name=value`, separated by one blank,
 * values percent-encoded; times are Unix milliseconds, UTC; energy is Wh as it was sent:
 *
 *   start station=CP001 message=ID connector=1 tag=DemoTag01 meter=4711 at=1700000000000 \
 *         transaction=17 status=Accepted
 *   meter station=CP001 message=ID connector=1 transaction=17 at=1700000005000 energy=4733
 *   stop  station=CP001 message=ID transaction=17 meter=6031 at=1700000061000 reason=Local tag=T
 *
 * (each on one line, with one blank after the first word). A message with several meterValues has a
 * meter line for each.
 * `transaction` and `tag` are absent when the message had none; `energy` is the
 * Energy.Active.Import.Register of that meterValue and absent when it has none. A message repeated
 * after a lost answer and then answered has one line an answer. */
#ifndef FLEET_LEDGER_H
#define FLEET_LEDGER_H

#include "ocpp/codec.h"
#include "ocpp/frame.h"

#define LEDGER_LATENCY_SLOTS 512

/* Sums over many stations. */
struct ledger_stats {
    uint64_t sent, answered, refused; /* calls of ours: results, error answers */
    uint64_t received;                /* calls of the central system */
    uint64_t starts, stops, meters;   /* answered */
    uint64_t
        latency[LEDGER_LATENCY_SLOTS]; /* real time from call to answer, see ledger_quantile_us */
};

struct ledger {
    int fd;      /* -1: count only */
    bool failed; /* a line could not be written: the file proves nothing from here on */
    struct ledger_stats stats;
    struct amp_arena arena;
    unsigned char block[16384];
};

/* One conversation. At most one call is in flight in a direction, so one slot is enough. Zeroed
 * before the first use. */
struct ledger_talk {
    char id[AMP_ID_MAX + 1]; /* of our call in flight; empty: none */
    uint64_t sent_us;
    char *lines; /* what to write when it is answered; NULL: not a transaction message */
    int kind;
};

/* `path` NULL: count only. Appends to an existing file. 0 or AMP_E_IO (errno). */
int ledger_open(struct ledger *l, const char *path) AMP_CHECKED;
void ledger_close(struct ledger *l);

/* A whole frame went out or came in (AMP_EVENT_MESSAGE). */
void ledger_frame(struct ledger *l, struct ledger_talk *t, struct amp_text station, bool sent,
                  struct amp_text frame);

/* The connection ended: the call in flight will not be answered. Also frees what the talk holds. */
void ledger_hang_up(struct ledger_talk *t);

/* One measured answer. */
void ledger_count(struct ledger_stats *s, uint64_t us);

/* The time within which `permille` of the calls were answered, in microseconds; slots are a
 * sixteenth of a power of two wide. */
uint64_t ledger_quantile_us(const struct ledger_stats *s, unsigned permille);

#endif
