/* ports/posix/x509.h - what certificates say: read from PEM, and a few questions. ocpp-facts S10, S14. */
#ifndef POSIX_X509_H
#define POSIX_X509_H

#include "station/port.h"
#include <openssl/x509.h>

/* The certificates of a PEM text, in order; NULL: none, or one that cannot be read. The caller's. */
STACK_OF(X509) *posix_chain_of_text(struct amp_text pem);
STACK_OF(X509) *posix_chain_of_file(const char *path);

/* A private key without pass phrase; NULL: none. The caller's. */
EVP_PKEY *posix_key_of_file(const char *path);

int64_t posix_x509_time(const ASN1_TIME *t);       /* Unix ms; 0: not a time */
bool posix_x509_valid(X509 *x, int64_t unix_ms);   /* at this time; 0 is always fine: the time is not known */
bool posix_x509_strong(X509 *x);                   /* RSA from 2048 bits, EC from 224 */
bool posix_x509_named(X509 *x, const char *name);  /* is this its CN? */

/* How messages name it; `issuer`: whose key signed it. 0; AMP_E_VALUE: no such enum amp_hash, or it cannot be named. */
int posix_x509_id(X509 *x, X509 *issuer, unsigned algorithm, struct amp_certificate_id *out) AMP_CHECKED;
bool posix_x509_same(const struct amp_certificate_id *a, const struct amp_certificate_id *b); /* whatever case, zeros in front */

#endif
