/* fleet/csms/csms.h - a central system of one page, for tests of the station's side: accepts
 * everybody, numbers transactions, remembers what it was told, sends what a test wants. Runs on the
 * loop of the stations, so a test can turn the clock of both. It keeps nothing and checks little;
 * the real one is in central/. */
#ifndef FLEET_CSMS_H
#define FLEET_CSMS_H

#include "ocpp/text.h"
#include "ports/posix/loop.h"

#define CSMS_TRANSACTIONS_MAX 256

struct csms_transaction {
    char station[48], tag[21], reason[24];
    int64_t connector, meter_start, started_at, meter_stop, stopped_at;
    int64_t last_energy;    /* of its MeterValues; Wh */
    unsigned meters;        /* MeterValues messages */
    unsigned measurands;    /* bit (1 << enum ocpp16_measurand), of all samples */
    unsigned starts, stops; /* times it was told: 2 is a repetition after a lost answer */
    bool falls;             /* an energy lower than the one before came in */
};

/* What a test looks at. Transactions are numbered from 1: number n is transactions[n - 1]. */
struct csms_seen {
    unsigned connections, boots, heartbeats, authorizes, statuses, meters, unknown, answers;
    unsigned count;
    struct csms_transaction transactions[CSMS_TRANSACTIONS_MAX];
    char last_answer[256]; /* payload of the last result that a station sent */
};

struct csms;

/* Listens on 127.0.0.1:*port; 0: a free one, which *port then holds. AMP_E_IO. */
int csms_open(struct posix_loop *l, uint16_t *port, struct csms **out) AMP_CHECKED;
const struct csms_seen *csms_seen(const struct csms *c);

/* Tags that begin with this are refused from now on; NULL: none. */
void csms_refuse(struct csms *c, const char *tag_prefix);

/* Call a station. AMP_E_ABSENT: it is not connected. */
int csms_call(struct csms *c, const char *station, const char *action,
              const char *payload) AMP_CHECKED;

/* Drop every connection, without a word, as a killed server does. */
void csms_drop(struct csms *c);
void csms_close(struct csms *c);

#endif
