/* ports/posix/pki_inner.h - what pki.c, which decides, and pki_files.c, which keeps, share. */
#ifndef POSIX_PKI_INNER_H
#define POSIX_PKI_INNER_H

#include "ports/posix/pki.h"

#include <limits.h>
#include <openssl/x509.h>

#define ROOTS_MAX 100
#define OWN_MAX   3 /* the newest, and what it follows */
#define CHAIN_MAX 8

struct root {
    X509 *x;
    enum amp_root use;
    unsigned number; /* of the file; 0: the operator's */
};

struct own {
    EVP_PKEY *key;
    STACK_OF(X509) * chain; /* ours first */
    unsigned number;
};

struct posix_pki {
    struct amp_pki table;
    char dir[PATH_MAX]; /* empty: memory */
    struct root roots[ROOTS_MAX];
    unsigned count, next;
    struct own own[OWN_MAX];
    unsigned owns;
    EVP_PKEY *pending;
    X509 *in_use;
};

/* What `bio` holds becomes the file `name`, whole or not at all; and the file goes. 0 or AMP_E_IO. In memory: nothing. */
int pki_keep(const struct posix_pki *p, const char *name, BIO *bio);
int pki_forget(const struct posix_pki *p, const char *name);
void pki_own_name(unsigned number, char out[32]);
void pki_root_name(const struct root *r, char out[32]);
int pki_load(struct posix_pki *p); /* all that the directory holds; AMP_E_IO */

/* Both take what they are given. In the order of their numbers; AMP_E_FULL. */
int pki_add_root(struct posix_pki *p, X509 *x, enum amp_root use, unsigned number);
void pki_add_own(struct posix_pki *p, EVP_PKEY *key, STACK_OF(X509) * chain, unsigned number);

#endif
