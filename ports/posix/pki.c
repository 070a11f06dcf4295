/* ports/posix/pki.c - see pki.h. */
#include "ports/posix/pki_inner.h"
#include "ports/posix/x509.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A root has signed itself; of one that has not, the issuer may be installed too. */
static X509 *issuer_of(const struct posix_pki *p, X509 *x)
{
    if (X509_check_issued(x, x) != X509_V_OK)
        for (unsigned i = 0; i < p->count; i++)
            if (X509_check_issued(p->roots[i].x, x) == X509_V_OK)
                return p->roots[i].x;
    return x;
}

/* ---- what is there ---- */

static void drop_root(struct posix_pki *p, unsigned i)
{
    X509_free(p->roots[i].x);
    memmove(&p->roots[i], &p->roots[i + 1], (p->count - i - 1) * sizeof p->roots[0]);
    p->count--;
}

/* Takes `x`. In the order of their numbers. */
int pki_add_root(struct posix_pki *p, X509 *x, enum amp_root use, unsigned number)
{
    unsigned at = p->count;

    if (p->count == ROOTS_MAX)
        return AMP_E_FULL;
    while (at > 0 && p->roots[at - 1].number > number)
        at--;
    memmove(&p->roots[at + 1], &p->roots[at], (p->count - at) * sizeof p->roots[0]);
    p->roots[at] = (struct root){ x, use, number };
    p->count++;
    if (number >= p->next)
        p->next = number + 1;
    return 0;
}

static void drop_own(struct posix_pki *p, unsigned i)
{
    EVP_PKEY_free(p->own[i].key);
    sk_X509_pop_free(p->own[i].chain, X509_free);
    memmove(&p->own[i], &p->own[i + 1], (p->owns - i - 1) * sizeof p->own[0]);
    p->owns--;
}

/* Takes key and chain. The oldest that is not the operator's makes room. */
void pki_add_own(struct posix_pki *p, EVP_PKEY *key, STACK_OF(X509) * chain, unsigned number)
{
    if (p->owns == OWN_MAX) {
        unsigned oldest = OWN_MAX;
        char name[32];

        for (unsigned i = 0; i < p->owns; i++)
            if (p->own[i].number && (oldest == OWN_MAX || p->own[i].number < p->own[oldest].number))
                oldest = i;
        pki_own_name(p->own[oldest].number, name);
        (void)pki_forget(p, name); /* it is only old: the next start drops it again */
        drop_own(p, oldest);
    }
    p->own[p->owns++] = (struct own){ key, chain, number };
    if (number >= p->next)
        p->next = number + 1;
}

/* The newest that is valid now: the one issued last. `before`: the next newest, if there is one. */
static struct own *own_now(struct posix_pki *p, int64_t unix_ms, bool before)
{
    struct own *best = NULL, *newest = before ? own_now(p, unix_ms, false) : NULL;

    for (unsigned i = 0; i < p->owns; i++) {
        X509 *x = sk_X509_value(p->own[i].chain, 0);
        X509 *b = best ? sk_X509_value(best->chain, 0) : NULL;
        int64_t from = posix_x509_time(X509_get0_notBefore(x));

        if (!posix_x509_valid(x, unix_ms) || &p->own[i] == newest)
            continue;
        if (!b || from > posix_x509_time(X509_get0_notBefore(b)) ||
            (from == posix_x509_time(X509_get0_notBefore(b)) && p->own[i].number > best->number))
            best = &p->own[i];
    }
    return best ? best : newest;
}

static X509_STORE *central_store(const struct posix_pki *p)
{
    X509_STORE *store = X509_STORE_new();

    for (unsigned i = 0; store && i < p->count; i++)
        if (p->roots[i].use == AMP_ROOT_CENTRAL && !X509_STORE_add_cert(store, p->roots[i].x)) {
            X509_STORE_free(store);
            return NULL;
        }
    return store;
}

/* ---- struct amp_pki ---- */

static bool name_entry(X509_NAME *name, int nid, const char *text)
{
    return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)text, -1, -1,
                                      0) == 1;
}

static int request(void *ctx, const char *name, const char *organization, char *out, size_t cap)
{
    struct posix_pki *p = ctx;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509_REQ *req = X509_REQ_new();
    BIO *bio = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_secmem());
    int rc = AMP_E_IO;
    char *data;
    long len;

    if (!key || !req || !bio || !secret)
        goto done;
    if (!name_entry(X509_REQ_get_subject_name(req), NID_commonName, name) ||
        !name_entry(X509_REQ_get_subject_name(req), NID_organizationName, organization) ||
        !X509_REQ_set_pubkey(req, key) || !X509_REQ_sign(req, key, EVP_sha256()) ||
        !PEM_write_bio_X509_REQ(bio, req) ||
        !PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL))
        goto done;
    len = BIO_get_mem_data(bio, &data);
    rc = AMP_E_FULL;
    if (len <= 0 || (size_t)len > cap || len > INT_MAX)
        goto done;
    rc = pki_keep(p, "pending.key", secret);
    if (rc < 0)
        goto done;
    memcpy(out, data, (size_t)len);
    EVP_PKEY_free(p->pending);
    p->pending = key;
    key = NULL;
    rc = (int)len;
done:
    ERR_clear_error();
    EVP_PKEY_free(key);
    X509_REQ_free(req);
    BIO_free(bio);
    BIO_free(secret);
    return rc;
}

/* Signed up to an installed root? NULL, or why not. */
static const char *check_chain(const struct posix_pki *p, STACK_OF(X509) * chain, int64_t unix_ms)
{
    X509_STORE *store = central_store(p);
    X509_STORE_CTX *c = X509_STORE_CTX_new();
    const char *why = "no memory";

    if (store && c && X509_STORE_CTX_init(c, store, sk_X509_value(chain, 0), chain)) {
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(c);

        X509_STORE_CTX_set_purpose(c, X509_PURPOSE_SSL_CLIENT);
        X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN |
                                               (unix_ms ? 0 : X509_V_FLAG_NO_CHECK_TIME));
        if (unix_ms)
            X509_VERIFY_PARAM_set_time(param, (time_t)(unix_ms / 1000));
        why = X509_verify_cert(c) == 1 ? NULL
                                       : X509_verify_cert_error_string(X509_STORE_CTX_get_error(c));
    }
    X509_STORE_CTX_free(c);
    X509_STORE_free(store);
    ERR_clear_error();
    return why;
}

static int store_own(struct posix_pki *p, STACK_OF(X509) * chain)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char name[32];
    int rc = AMP_E_IO;

    pki_own_name(p->next, name);
    if (bio && PEM_write_bio_PrivateKey(bio, p->pending, NULL, NULL, 0, NULL, NULL))
        rc = 0;
    for (int i = 0; rc == 0 && i < sk_X509_num(chain); i++)
        if (!PEM_write_bio_X509(bio, sk_X509_value(chain, i)))
            rc = AMP_E_IO;
    if (rc == 0)
        rc = pki_keep(p, name, bio);
    BIO_free(bio);
    return rc;
}

static int take(void *ctx, struct amp_text pem, const char *name, int64_t unix_ms, const char **why)
{
    struct posix_pki *p = ctx;
    STACK_OF(X509) *chain = posix_chain_of_text(pem);
    X509 *x = chain ? sk_X509_value(chain, 0) : NULL;
    int rc = AMP_E_AUTH;

    *why = NULL;
    if (!x || sk_X509_num(chain) > CHAIN_MAX) {
        *why = "not a chain of certificates in PEM";
        rc = AMP_E_FORMAT;
    } else if (!p->pending) {
        *why = "no certificate was asked for";
    } else if (X509_check_private_key(x, p->pending) != 1) {
        *why = "not for the key of the last request";
    } else if (!posix_x509_named(x, name)) {
        *why = "for another name";
    } else if (!posix_x509_valid(x, unix_ms)) {
        *why = "not valid at this time";
    } else {
        *why = check_chain(p, chain, unix_ms);
    }
    if (!*why && (rc = store_own(p, chain)) < 0)
        *why = "could not be stored";
    ERR_clear_error();
    if (*why) {
        sk_X509_pop_free(chain, X509_free);
        return rc;
    }
    pki_add_own(p, p->pending, chain, p->next);
    p->pending = NULL;
    (void)pki_forget(p, "pending.key"); /* a key without a request: of no use to anybody */
    return 0;
}

static int discard(void *ctx, int64_t unix_ms)
{
    struct posix_pki *p = ctx;
    struct own *o = own_now(p, unix_ms, false);
    char name[32];

    if (!o || !o->number || own_now(p, unix_ms, true) == o)
        return AMP_E_ABSENT;
    pki_own_name(o->number, name);
    if (pki_forget(p, name) < 0)
        return AMP_E_IO;
    drop_own(p, (unsigned)(o - p->own));
    return 0;
}

static int64_t expiry(void *ctx, int64_t unix_ms)
{
    struct own *o = own_now(ctx, unix_ms, false);

    return o ? posix_x509_time(X509_get0_notAfter(sk_X509_value(o->chain, 0))) : 0;
}

/* The root of the central system that came last, or -1. */
static int latest(const struct posix_pki *p)
{
    for (unsigned i = p->count; i > 0; i--)
        if (p->roots[i - 1].use == AMP_ROOT_CENTRAL)
            return (int)i - 1;
    return -1;
}

static bool in_use(const struct posix_pki *p, X509 *x)
{
    return p->in_use && X509_cmp(p->in_use, x) == 0;
}

/* With AdditionalRootCertificateCheck the new one and the one that signed it stay (ocpp-facts S13).
 */
static void drop_others(struct posix_pki *p, X509 *fresh, X509 *before)
{
    for (unsigned i = p->count; i > 0; i--) {
        struct root *r = &p->roots[i - 1];
        char name[32];

        if (r->use != AMP_ROOT_CENTRAL || r->x == fresh || r->x == before || !r->number ||
            in_use(p, r->x))
            continue;
        pki_root_name(r, name);
        if (pki_forget(p, name) == 0)
            drop_root(p, i - 1);
    }
}

static const char *check_root(const struct posix_pki *p, X509 *x, enum amp_root use, bool chained,
                              int64_t unix_ms)
{
    int before = latest(p);

    if (X509_check_ca(x) < 1)
        return "not a certificate authority";
    if (!posix_x509_valid(x, unix_ms))
        return "not valid at this time";
    if (!posix_x509_strong(x))
        return "its key is too weak";
    if (chained && use == AMP_ROOT_CENTRAL && before >= 0 &&
        X509_verify(x, X509_get0_pubkey(p->roots[before].x)) != 1)
        return "not signed by the root before it";
    return NULL;
}

static int store_root(struct posix_pki *p, X509 *x, enum amp_root use)
{
    struct root r = { x, use, p->next };
    BIO *bio = BIO_new(BIO_s_mem());
    char name[32];
    int rc = AMP_E_IO;

    pki_root_name(&r, name);
    if (bio && PEM_write_bio_X509(bio, x))
        rc = pki_keep(p, name, bio);
    BIO_free(bio);
    return rc == 0 ? pki_add_root(p, x, use, p->next) : rc;
}

static int install(void *ctx, enum amp_root use, struct amp_text pem, unsigned max, bool chained,
                   int64_t unix_ms, const char **why)
{
    struct posix_pki *p = ctx;
    STACK_OF(X509) *chain = posix_chain_of_text(pem);
    X509 *x = chain && sk_X509_num(chain) == 1 ? sk_X509_shift(chain) : NULL;
    int before = latest(p), rc = AMP_E_FORMAT;
    X509 *old = before >= 0 ? p->roots[before].x : NULL;

    sk_X509_pop_free(chain, X509_free);
    *why = "not one certificate in PEM";
    if (!x)
        return AMP_E_FORMAT;
    for (unsigned i = 0; i < p->count; i++)
        if (p->roots[i].use == use && X509_cmp(p->roots[i].x, x) == 0) {
            rc = 0; /* it is there */
            goto done;
        }
    rc = AMP_E_AUTH;
    *why = check_root(p, x, use, chained, unix_ms);
    if (*why)
        goto done;
    rc = AMP_E_FULL;
    *why = "there is no room for more";
    if (!(chained && use == AMP_ROOT_CENTRAL) && (p->count >= max || p->count >= ROOTS_MAX))
        goto done;
    rc = store_root(p, x, use);
    *why = "could not be stored";
    if (rc < 0)
        goto done;
    if (chained && use == AMP_ROOT_CENTRAL)
        drop_others(p, x, old);
    x = NULL;
done:
    X509_free(x);
    ERR_clear_error();
    return rc;
}

static int list(void *ctx, enum amp_root use, unsigned index, struct amp_certificate_id *out)
{
    struct posix_pki *p = ctx;

    for (unsigned i = 0; i < p->count; i++)
        if (p->roots[i].use == use && index-- == 0)
            return posix_x509_id(p->roots[i].x, issuer_of(p, p->roots[i].x), AMP_SHA256, out) < 0
                       ? AMP_E_ABSENT
                       : 0;
    return AMP_E_ABSENT;
}

static bool is_own(const struct posix_pki *p, const struct amp_certificate_id *id)
{
    struct amp_certificate_id mine;

    for (unsigned i = 0; i < p->owns; i++) {
        STACK_OF(X509) *chain = p->own[i].chain;
        X509 *x = sk_X509_value(chain, 0);
        X509 *issuer = sk_X509_num(chain) > 1 ? sk_X509_value(chain, 1) : issuer_of(p, x);

        if (posix_x509_id(x, issuer, id->algorithm, &mine) == 0 && posix_x509_same(&mine, id))
            return true;
    }
    return false;
}

static int delete (void *ctx, const struct amp_certificate_id *id)
{
    struct posix_pki *p = ctx;
    struct amp_certificate_id mine;

    if (is_own(p, id))
        return AMP_E_STATE;
    for (unsigned i = 0; i < p->count; i++) {
        struct root *r = &p->roots[i];
        char name[32];

        if (posix_x509_id(r->x, issuer_of(p, r->x), id->algorithm, &mine) < 0 ||
            !posix_x509_same(&mine, id))
            continue;
        if (in_use(p, r->x) || !r->number)
            return AMP_E_STATE;
        pki_root_name(r, name);
        if (pki_forget(p, name) < 0)
            return AMP_E_IO;
        drop_root(p, i);
        return 0;
    }
    return AMP_E_ABSENT;
}

/* ---- start ---- */

int posix_pki_open(const char *dir, struct posix_pki **out)
{
    struct posix_pki *p = calloc(1, sizeof *p);
    int rc = 0;

    if (!p)
        return AMP_E_IO;
    p->next = 1;
    p->table = (struct amp_pki){ p, request, take, discard, expiry, install, list, delete };
    if (dir)
        rc = snprintf(p->dir, sizeof p->dir, "%s", dir) < (int)sizeof p->dir ? pki_load(p)
                                                                             : AMP_E_IO;
    if (rc < 0) {
        posix_pki_close(p);
        return rc;
    }
    *out = p;
    return 0;
}

void posix_pki_close(struct posix_pki *p)
{
    if (!p)
        return;
    while (p->count)
        drop_root(p, p->count - 1);
    while (p->owns)
        drop_own(p, p->owns - 1);
    EVP_PKEY_free(p->pending);
    X509_free(p->in_use);
    free(p);
}

int posix_pki_roots(struct posix_pki *p, const char *ca)
{
    STACK_OF(X509) * chain;
    X509 *x;
    int rc = 0;

    if (access(ca, R_OK) < 0)
        return AMP_E_IO;
    chain = posix_chain_of_file(ca);
    if (!chain)
        return AMP_E_FORMAT;
    while (rc == 0 && (x = sk_X509_shift(chain)) != NULL)
        if ((rc = pki_add_root(p, x, AMP_ROOT_CENTRAL, 0)) < 0)
            X509_free(x);
    sk_X509_pop_free(chain, X509_free);
    return rc;
}

int posix_pki_own(struct posix_pki *p, const char *cert, const char *key)
{
    STACK_OF(X509) * chain;
    EVP_PKEY *k;

    if (access(cert, R_OK) < 0 || access(key, R_OK) < 0)
        return AMP_E_IO;
    chain = posix_chain_of_file(cert);
    k = posix_key_of_file(key);
    if (!chain || !k || X509_check_private_key(sk_X509_value(chain, 0), k) != 1) {
        ERR_clear_error();
        sk_X509_pop_free(chain, X509_free);
        EVP_PKEY_free(k);
        return AMP_E_FORMAT;
    }
    pki_add_own(p, k, chain, 0);
    return 0;
}

const struct amp_pki *posix_pki_table(const struct posix_pki *p)
{
    return &p->table;
}

/* ---- connections ---- */

int posix_pki_apply(struct posix_pki *p, SSL_CTX *to, bool certificate, bool before,
                    int64_t unix_ms)
{
    struct own *o = certificate ? own_now(p, unix_ms, before) : NULL;
    X509_STORE *store = central_store(p);

    if (!store)
        return AMP_E_IO;
    SSL_CTX_set_cert_store(to, store); /* takes it */
    if (!certificate)
        return 0;
    if (!o)
        return AMP_E_ABSENT;
    if (SSL_CTX_use_certificate(to, sk_X509_value(o->chain, 0)) != 1 ||
        SSL_CTX_use_PrivateKey(to, o->key) != 1)
        return AMP_E_IO;
    for (int i = 1; i < sk_X509_num(o->chain); i++)
        if (SSL_CTX_add1_chain_cert(to, sk_X509_value(o->chain, i)) != 1)
            return AMP_E_IO;
    return 0;
}

void posix_pki_proved(struct posix_pki *p, X509 *root)
{
    X509_free(p->in_use);
    p->in_use = root && X509_up_ref(root) ? root : NULL;
}
