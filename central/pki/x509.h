/* central/pki/x509.h - inside central/pki: what its files share of OpenSSL. */
#ifndef CENTRAL_PKI_X509_H
#define CENTRAL_PKI_X509_H

#include "central/pki/authority.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

/* Written aside and renamed, 0600. */
int pki_write_file(const char *path, const char *text, size_t len, char **why) AMP_CHECKED;
/* A copy of what was written, malloc'd, terminated. */
char *pki_text_of(BIO *bio, size_t *len);

int64_t pki_time(const ASN1_TIME *t); /* Unix ms; 0: none */
/* A certificate without subject, extensions and signature; `by` NULL: by itself. */
X509 *pki_new(const char *serial, X509 *by, EVP_PKEY *key, int64_t now_ms, int64_t days);
bool pki_extend(X509 *x, X509 *by, int nid, const char *value);

X509 *authority_x509(const struct authority *a);
EVP_PKEY *authority_key(const struct authority *a);

#endif
