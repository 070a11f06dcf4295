/* ports/posix/tls.h - the TLS client of a non-blocking socket, by OpenSSL 3. Security profiles 2
 * and 3; ocpp-facts S8-S10; station-1.6 156.
 *
 * TLS 1.2 and 1.3 only, no compression, no renegotiation. Suites: ECDHE with AES-GCM, then RSA key
 * exchange with AES-GCM, which OCPP demands of old central systems (`no_plain_rsa` leaves it out).
 * The server's certificate must lead to an installed root of the central system, be valid now, and
 * be for the host of the URL: by its subject alternative names, or its CN when it has none. A
 * wildcard stands for exactly one whole label at the left ("*.example.com"), nothing less and
 * nothing more. */
#ifndef POSIX_TLS_H
#define POSIX_TLS_H

#include "ports/posix/pki.h"
#include "station/station.h"

struct posix_tls_options {
    struct posix_pki *pki;
    bool certificate; /* show ours, */
    bool before;      /* not the newest but the one before it */
    bool no_plain_rsa;
    int64_t unix_ms; /* now, for the validity of certificates; 0: the system's clock */
};

struct posix_tls {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO_METHOD *method;
    struct posix_pki *pki;
    int fd;
    bool asked;  /* the server wants our certificate */
    bool failed; /* `fault` and `why` are set */
    enum amp_tls_fault fault;
    char why[128];
};

/* On a connected socket, which stays the caller's. AMP_E_ABSENT: no certificate of our own;
 * AMP_E_IO; then t->why says more, and there is nothing to close. */
int posix_tls_open(struct posix_tls *t, int fd, struct amp_text host,
                   const struct posix_tls_options *o) AMP_CHECKED;
void posix_tls_close(struct posix_tls *t); /* says good-bye if the socket takes it; zeroed before
                                              the first open, it may be called any time */

/* 1: done; 0: come again when the socket is readable, or writable if posix_tls_wants_write;
 * AMP_E_AUTH, AMP_E_IO: see t->why. */
int posix_tls_handshake(struct posix_tls *t) AMP_CHECKED;
bool posix_tls_wants_write(const struct posix_tls *t);

/* Bytes; 0: not now; AMP_E_STATE: the peer closed; AMP_E_AUTH: it does not accept us after all
 * (t->failed); AMP_E_IO. */
int posix_tls_read(struct posix_tls *t, void *out, size_t cap) AMP_CHECKED;
int posix_tls_write(struct posix_tls *t, const void *data, size_t len) AMP_CHECKED;

#endif
