/* central/pki/authority.h - a certificate authority in a folder: signs the requests of stations,
 * lists what was revoked, makes certificates of this server. By OpenSSL; no loop, no database.
 * Signing only reads the authority, so that a thread of the pool may do it. OCPP 1.6 security white
 * paper, A02 and appendix; ocpp-facts S10 to S12. */
#ifndef CENTRAL_AUTHORITY_H
#define CENTRAL_AUTHORITY_H

#include "ocpp/err.h"
#include "ocpp/text.h"

#define AUTHORITY_SERIAL 33 /* 32 hex digits */

struct authority;

/* DIR/ca.pem and DIR/ca.key (0600), which are made when both are missing. `organisation` is its O,
 * "" for none. NULL and *why (malloc'd). */
struct authority *authority_open(const char *dir, const char *organisation, int64_t now_ms,
                                 char **why);
/* One more who holds it; as many authority_close free it. On the loop thread. */
struct authority *authority_share(struct authority *a);
void authority_close(struct authority *a);             /* NULL is fine */
const char *authority_pem(const struct authority *a);  /* its certificate */
const char *authority_name(const struct authority *a); /* CN */
int64_t authority_to_ms(const struct authority *a);    /* end of its validity */

/* A new serial number, which is also the name of a request. */
void authority_serial(char out[AUTHORITY_SERIAL]);

struct authority_order {
    struct amp_text csr;      /* PEM */
    struct amp_text names[4]; /* the CN has to be one of them; absent ones do not count */
    const char *organisation; /* the O has to be this; "": whatever */
    const char *serial;
    int64_t now_ms;
    int64_t days;
};

struct authority_issue {
    char *pem;        /* malloc'd: the certificate and those above it; NULL: why */
    char serial[65];  /* as certificates say it: hex, no zeros in front */
    char issuer[256]; /* as X509_NAME_oneline says it */
    char name[128];   /* CN */
    int64_t from_ms, to_ms;
    char why[160]; /* what is wrong, "" for nothing */
};
void authority_issue_free(struct authority_issue *i);

/* Is the request one that may be signed: readable, signed by its own key, which is strong enough,
 * for a name that the station may have? Fills name. 0; AMP_E_FORMAT, AMP_E_AUTH, AMP_E_VALUE and
 * `why`. */
int authority_check(const struct authority_order *o, struct authority_issue *out) AMP_CHECKED;
/* The same, and sign it. */
int authority_sign(const struct authority *a, const struct authority_order *o,
                   struct authority_issue *out) AMP_CHECKED;
/* A certificate from elsewhere (PEM, with those above it): for this request? */
int authority_take(struct amp_text pem, struct amp_text csr,
                   struct authority_issue *out) AMP_CHECKED;

/* DIR/server-ecdsa.pem and DIR/server-rsa.pem for these names and addresses, comma separated; made
 * when they are missing, are for other names, or end within 30 days. 1: made; 0: they are fine. */
int authority_serve(const struct authority *a, const char *dir, const char *names, int64_t now_ms,
                    char **why) AMP_CHECKED;

/* A revocation list, PEM, malloc'd. */
struct authority_revoked {
    const char *serial;
    int64_t at_ms;
};
char *authority_crl(const struct authority *a, const struct authority_revoked *list, size_t count,
                    int64_t now_ms);

#endif
