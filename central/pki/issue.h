/* central/pki/issue.h - certificates on their way: a station's request is checked at once, signed
 * beside the loop by our authority or by an outside one, sent as CertificateSigned, and what the
 * station says of it is kept. Renewed before they end, revoked when somebody says so. OCPP 1.6
 * security white paper, A02 and A03; edge case 44. */
#ifndef CENTRAL_ISSUE_H
#define CENTRAL_ISSUE_H

#include "central/pki/certificates.h"

struct authority;
struct issue;

struct issue *issue_new(struct central *c);
/* The work under way is given up; what was asked for is asked again at the next start. */
void issue_free(struct issue *i);
/* Before the network is opened: the authority, if TLS is spoken here, and the server's own
 * certificate, if none is given: then *cert and *cert2 are the files (malloc'd). */
int issue_open(struct issue *i, char **cert, char **cert2, char **ca, char **why) AMP_CHECKED;

/* Our authority, made on the first need; NULL and *why. */
struct authority *issue_authority(struct issue *i, char **why);

#define ISSUE_WHY 160
/* SignCertificate: 0 when it will be signed, and CertificateSigned follows by itself; else why
 * not. */
int issue_request(struct issue *i, struct charger *c, struct amp_text csr,
                  char why[ISSUE_WHY]) AMP_CHECKED;
/* An outside authority is done: 0; AMP_E_ABSENT: no such request that waits; what authority_take
 * says. */
int issue_give(struct issue *i, struct amp_text id, struct amp_text pem,
               char why[ISSUE_WHY]) AMP_CHECKED;
/* The station's answer to CertificateSigned with this payload. */
void issue_answered(struct issue *i, struct charger *c, struct amp_text payload, bool accepted);
/* No connection by it any more, now and later. AMP_E_ABSENT; AMP_E_STATE: there is nothing to
 * revoke. */
int issue_revoke(struct issue *i, struct amp_text id, struct amp_text reason) AMP_CHECKED;
/* Another node said so: a connection by it ends. */
void issue_heard(struct issue *i, const struct certificate_fact *f);
/* The revocation list, PEM, malloc'd; NULL: there is no authority. */
char *issue_crl(struct issue *i);
/* Once a second. */
void issue_tick(struct issue *i);

#endif
