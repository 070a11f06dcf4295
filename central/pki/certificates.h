/* central/pki/certificates.h - certificates of stations: which we issued, for whom, which are
 * revoked. Every function takes NULL for "none are known". */
#ifndef CENTRAL_CERTIFICATES_H
#define CENTRAL_CERTIFICATES_H

#include "central/central.h"

struct certificates;
struct x509_st; /* OpenSSL's X509 */

struct certificates *certificates_new(struct central *c);
void certificates_free(struct certificates *k);
/* FACT_CERTIFICATE from the store, also at run time. */
void certificates_apply(struct certificates *k, const struct certificate_fact *f);

/* ---- a certificate that was shown and verified ---- */
bool certificates_revoked(const struct certificates *k, struct x509_st *x);
/* Is it that of this station? One of ours is by what we issued it for; another one when its CN or
 * one of its alternative names is what the charger's `certificate` says, or else the identity. */
bool certificates_fits(const struct certificates *k, struct x509_st *x, struct amp_text id,
                       const struct charger *c);

/* ---- the list, oldest first ---- */
size_t certificates_count(const struct certificates *k);
const struct certificate_fact *certificates_at(const struct certificates *k, size_t i);
const struct certificate_fact *certificates_get(const struct certificates *k, struct amp_text id);

#endif
