/* ports/posix/ca_test.h - certificates made for a test, by OpenSSL: an authority, servers,
 * stations. */
#ifndef POSIX_CA_TEST_H
#define POSIX_CA_TEST_H

#include "ocpp/check.h"
#include "ocpp/text.h"
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

#define CA_DAY 86400

struct ca_cert {
    X509 *x;
    EVP_PKEY *key;
};

struct ca_wish {
    const char *name;         /* CN */
    const char *san;          /* "DNS:localhost"; NULL: none */
    const struct ca_cert *by; /* NULL: itself */
    EVP_PKEY *for_key;        /* NULL: a new one */
    bool authority;
    int64_t from_s, to_s; /* from now; 0, 0: a day back, a year on */
    int rsa_bits;         /* 0: P-256 */
    uint64_t serial;      /* 0: random */
};

static inline void ca_extension(X509 *x, X509 *by, int nid, const char *value)
{
    X509V3_CTX c;
    X509_EXTENSION *e;

    X509V3_set_ctx(&c, by, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &c, nid, value);
    CHECK(e && X509_add_ext(x, e, -1), "extension %s", value);
    X509_EXTENSION_free(e);
}

static inline struct ca_cert ca_make(const struct ca_wish *w)
{
    struct ca_cert c = { X509_new(), w->for_key };
    X509_NAME *name = X509_get_subject_name(c.x);
    uint64_t serial = w->serial;
    X509 *by;

    if (c.key)
        EVP_PKEY_up_ref(c.key);
    else
        c.key = w->rsa_bits ? EVP_RSA_gen((unsigned)w->rsa_bits) : EVP_EC_gen("P-256");
    by = w->by ? w->by->x : c.x;
    if (!serial)
        CHECK(RAND_bytes((unsigned char *)&serial, 7) == 1, "random");
    X509_set_version(c.x, 2);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(c.x), serial);
    X509_gmtime_adj(X509_getm_notBefore(c.x), w->to_s ? w->from_s : -CA_DAY);
    X509_gmtime_adj(X509_getm_notAfter(c.x), w->to_s ? w->to_s : 365 * CA_DAY);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)w->name, -1, -1,
                               0);
    X509_set_issuer_name(c.x, X509_get_subject_name(by));
    X509_set_pubkey(c.x, c.key);
    ca_extension(c.x, by, NID_basic_constraints, w->authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (w->san)
        ca_extension(c.x, by, NID_subject_alt_name, w->san);
    CHECK(X509_sign(c.x, w->by ? w->by->key : c.key, EVP_sha256()) > 0, "signed");
    return c;
}

static inline void ca_free(struct ca_cert *c)
{
    X509_free(c->x);
    EVP_PKEY_free(c->key);
    memset(c, 0, sizeof *c);
}

/* PEM of a certificate, in one of a few buffers that are used in turn. */
static inline struct amp_text ca_pem(X509 *x)
{
    static char ring[4][8192];
    static unsigned turn;
    char *to = ring[turn++ % 4], *data;
    BIO *bio = BIO_new(BIO_s_mem());
    long len;

    PEM_write_bio_X509(bio, x);
    len = BIO_get_mem_data(bio, &data);
    memcpy(to, data, (size_t)len);
    BIO_free(bio);
    return (struct amp_text){ to, (uint32_t)len };
}

static inline void ca_write(const char *path, const struct ca_cert *c, bool key)
{
    FILE *f = fopen(path, "w");

    CHECK(f != NULL, "%s", path);
    if (!f)
        return;
    if (key)
        PEM_write_PrivateKey(f, c->key, NULL, NULL, 0, NULL, NULL);
    else
        PEM_write_X509(f, c->x);
    fclose(f);
}

static inline int64_t ca_now(void)
{
    return (int64_t)time(NULL) * 1000;
}

#endif
