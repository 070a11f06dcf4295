/* station/events.h - security events: a rolling log in the journal, and the delivery of those that the central system must hear of.
 * OCPP 1.6 security white paper, use case A04; ocpp-facts 6; station-1.6 159. Part of the security extension: a port without keys
 * (amp_port.pki) has no events either. */
#ifndef AMP_EVENTS_H
#define AMP_EVENTS_H

#include "station/metering.h"

#define AMP_EVENT_INFO_MAX 100

struct amp_security_record {
    uint32_t number; /* rising */
    uint8_t type;    /* enum amp_security_event */
    bool send;       /* is, or was, to be delivered */
    struct amp_when when;
    char info[AMP_EVENT_INFO_MAX + 1];
};

struct amp_events {
    uint32_t next;    /* number of the next one */
    uint32_t told;    /* delivered, or given up, up to this number */
    uint32_t waiting; /* to be delivered */
    uint8_t tries;
    uint64_t retry_at;
    bool memory_short, memory_told;
    struct amp_security_record sending; /* number 0: not read from the journal yet */
};

struct amp_station;
struct amp_entry;

/* It happened now. `info` is cut to AMP_EVENT_INFO_MAX. Not from inside a write to the journal. */
void amp_events_raise(struct amp_station *st, unsigned type, struct amp_text info);
unsigned amp_events_waiting(const struct amp_station *st);
const char *amp_events_name(unsigned type); /* as OCPP 1.6 spells it */

/* The log, oldest first: *at from 0; false at the end. */
bool amp_events_next(struct amp_station *st, uint32_t *at, struct amp_security_record *out);

bool amp_events_due(struct amp_station *st); /* fills st->events.sending */
void amp_events_done(struct amp_station *st);
void amp_events_failed(struct amp_station *st, int rc);
void amp_events_load(struct amp_station *st, const struct amp_entry *e);
int amp_events_save(struct amp_station *st);
bool amp_events_keep(struct amp_station *st, const struct amp_entry *e, int thin);

#endif
