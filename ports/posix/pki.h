/* ports/posix/pki.h - struct amp_pki by OpenSSL 3: the station's keys and certificates and the
 * roots it trusts, in a directory. OCPP 1.6 security white paper; ocpp-facts S8-S14; station-1.6
 * 157, 158.
 *
 * DIR (0700) has central-N.pem and maker-N.pem, one root each; own-N.pem, a private key and the
 * chain of its certificate; pending.key, which waits for its certificate. All 0600, written aside
 * and renamed. Roots and a certificate that the operator gives as files are used beside them and
 * not copied; the central system cannot delete them. */
#ifndef POSIX_PKI_H
#define POSIX_PKI_H

#include "station/port.h"
#include <openssl/ssl.h>

struct posix_pki;

/* `dir` NULL: in memory, lost with the process. Made when something is stored first, as its parent. Files in it that
 * cannot be read are left alone. AMP_E_IO with errno. */
int posix_pki_open(const char *dir, struct posix_pki **out) AMP_CHECKED;
void posix_pki_close(struct posix_pki *p); /* NULL: nothing */

/* The operator's: PEM files; all certificates of `ca`; the chain in `cert`, its key in `key`.
 * AMP_E_IO: cannot be read; AMP_E_FORMAT: no certificate, or the key is not its. */
int posix_pki_roots(struct posix_pki *p, const char *ca) AMP_CHECKED;
int posix_pki_own(struct posix_pki *p, const char *cert, const char *key) AMP_CHECKED;

const struct amp_pki *posix_pki_table(const struct posix_pki *p);

/* For a connection: trust the roots of the central system; with `certificate`, show the newest
 * valid one of our own, or the one `before` it (AMP_E_ABSENT: there is none). */
int posix_pki_apply(struct posix_pki *p, SSL_CTX *to, bool certificate, bool before,
                    int64_t unix_ms) AMP_CHECKED;

/* This root proved the central system: it is in use. */
void posix_pki_proved(struct posix_pki *p, X509 *root);

#endif
