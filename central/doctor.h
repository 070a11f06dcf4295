/* central/doctor.h - the connection doctor: every refused handshake, for whoever wants to know why
 * a station does not come in. The first of a kind, identity and address is a fact at once; what
 * repeats is counted, and a minute later one fact says how often. So a stranger cannot fill the
 * disk, and no refusal is lost. */
#ifndef CENTRAL_DOCTOR_H
#define CENTRAL_DOCTOR_H

#include "central/domain/fact.h"
#include "central/refusal.h"

struct central;
struct doctor;

struct doctor *doctor_new(struct central *c);
void doctor_free(struct doctor *d); /* NULL is fine */
/* Once a second. */
void doctor_tick(struct doctor *d);

struct doctor_case {
    int64_t org, charger; /* 0: unknown */
    struct amp_text id;   /* identity, as far as one was read */
    struct amp_text name; /* in the certificate that was shown */
    const char *address;  /* "192.0.2.7:5123" */
    const char *detail;   /* instead of the table's reason; NULL */
    int code;             /* instead of the table's; 0 */
};
/* Counted, logged, told. */
void doctor_refused(struct doctor *d, enum refusal r, const struct doctor_case *k);
/* How often since the start, by kind. */
uint64_t doctor_total(const struct doctor *d, enum refusal r);

#endif
