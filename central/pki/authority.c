/* central/pki/authority.c - see authority.h: the authority itself, requests, certificates of
 * stations. */
#include "central/pki/authority.h"
#include "central/pki/x509.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CA_DAYS   7300
#define RSA_LEAST 2048 /* S10 */
#define EC_LEAST  224
#define BACKDATE  3600 /* seconds: stations' clocks are not ours */

struct authority {
    X509 *x;
    EVP_PKEY *key;
    char *pem;
    char name[128];
    unsigned holders;
};

/* ---- files ---- */

static int complain(char **why, const char *path, const char *what)
{
    char text[768];

    snprintf(text, sizeof text, "certificate authority: %s: %s", path, what);
    *why = strdup(text);
    ERR_clear_error();
    return AMP_E_IO;
}

int pki_write_file(const char *path, const char *text, size_t len, char **why)
{
    char aside[640];
    int fd, rc = 0;

    snprintf(aside, sizeof aside, "%s.new", path);
    fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return complain(why, path, strerror(errno));
    while (rc == 0 && len) {
        ssize_t n = write(fd, text, len);

        if (n < 0)
            rc = complain(why, path, strerror(errno));
        else
            text += n, len -= (size_t)n;
    }
    if (rc == 0 && (fsync(fd) < 0 || rename(aside, path) < 0))
        rc = complain(why, path, strerror(errno));
    close(fd);
    if (rc < 0)
        unlink(aside);
    return rc;
}

char *pki_text_of(BIO *bio, size_t *len)
{
    char *data, *out;
    long n = BIO_get_mem_data(bio, &data);

    out = malloc((size_t)n + 1);
    if (!out)
        abort();
    memcpy(out, data, (size_t)n);
    out[n] = 0;
    if (len)
        *len = (size_t)n;
    return out;
}

/* ---- certificates ---- */

int64_t pki_time(const ASN1_TIME *t)
{
    struct tm tm;

    return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) * 1000 : 0;
}

bool pki_extend(X509 *x, X509 *by, int nid, const char *value)
{
    X509V3_CTX c;
    X509_EXTENSION *e;
    bool ok;

    X509V3_set_ctx(&c, by, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &c, nid, value);
    ok = e && X509_add_ext(x, e, -1) == 1;
    X509_EXTENSION_free(e);
    return ok;
}

X509 *pki_new(const char *serial, X509 *by, EVP_PKEY *key, int64_t now_ms, int64_t days)
{
    X509 *x = X509_new();
    BIGNUM *number = NULL;
    time_t now = (time_t)(now_ms / 1000);

    if (!x || !BN_hex2bn(&number, serial) || !BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)))
        abort();
    BN_free(number);
    X509_set_version(x, 2);
    X509_time_adj_ex(X509_getm_notBefore(x), 0, -BACKDATE, &now);
    X509_time_adj_ex(X509_getm_notAfter(x), (int)days, 0, &now);
    X509_set_issuer_name(x, X509_get_subject_name(by ? by : x));
    X509_set_pubkey(x, key);
    return x;
}

void authority_serial(char out[AUTHORITY_SERIAL])
{
    unsigned char raw[16];

    if (RAND_bytes(raw, sizeof raw) != 1)
        abort();
    raw[0] = (raw[0] & 0x7f) | 0x40; /* positive, and always as long */
    for (size_t i = 0; i < sizeof raw; i++)
        snprintf(out + 2 * i, 3, "%02X", raw[i]);
}

static bool add_name(X509_NAME *n, const char *field, const char *value)
{
    return !*value || X509_NAME_add_entry_by_txt(n, field, MBSTRING_UTF8,
                                                 (const unsigned char *)value, -1, -1, 0) == 1;
}

/* ---- the authority ---- */

static int load(struct authority *a, const char *cert, const char *key, char **why)
{
    BIO *in = BIO_new_file(cert, "r");

    a->x = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    BIO_free(in);
    in = BIO_new_file(key, "r");
    a->key = in ? PEM_read_bio_PrivateKey(in, NULL, NULL, NULL) : NULL;
    BIO_free(in);
    if (!a->x)
        return complain(why, cert, "it cannot be read; restore it from a backup");
    if (!a->key || X509_check_private_key(a->x, a->key) != 1)
        return complain(why, key,
                        "it cannot be read, or is not the key of ca.pem; restore both from a "
                        "backup, or remove both to begin a new authority");
    return 0;
}

static int create(struct authority *a, const char *cert, const char *key, const char *organisation,
                  int64_t now_ms, char **why)
{
    BIO *out = BIO_new(BIO_s_mem());
    char serial[AUTHORITY_SERIAL], name[64], *text;
    X509_NAME *subject;
    size_t len;
    int rc;

    authority_serial(serial);
    snprintf(name, sizeof name, "Amperstand CA %.8s", serial);
    a->key = EVP_EC_gen("P-256");
    if (!out || !a->key)
        abort();
    a->x = pki_new(serial, NULL, a->key, now_ms, CA_DAYS);
    subject = X509_get_subject_name(a->x);
    if (!add_name(subject, "CN", name) || !add_name(subject, "O", organisation))
        abort();
    X509_set_issuer_name(a->x, subject);
    if (!pki_extend(a->x, a->x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
        !pki_extend(a->x, a->x, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !pki_extend(a->x, a->x, NID_subject_key_identifier, "hash") ||
        X509_sign(a->x, a->key, EVP_sha256()) == 0)
        abort();
    PEM_write_bio_PrivateKey(out, a->key, NULL, NULL, 0, NULL, NULL);
    text = pki_text_of(out, &len);
    rc =
        pki_write_file(key, text, len, why); /* first: a certificate without its key is worthless */
    OPENSSL_cleanse(text, len);
    free(text);
    BIO_free(out);
    if (rc < 0)
        return rc;
    out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, a->x);
    text = pki_text_of(out, &len);
    rc = pki_write_file(cert, text, len, why);
    free(text);
    BIO_free(out);
    return rc;
}

struct authority *authority_open(const char *dir, const char *organisation, int64_t now_ms,
                                 char **why)
{
    struct authority *a = calloc(1, sizeof *a);
    char cert[512], key[512];
    BIO *out;
    int rc;

    if (!a)
        abort();
    a->holders = 1;
    snprintf(cert, sizeof cert, "%s/ca.pem", dir);
    snprintf(key, sizeof key, "%s/ca.key", dir);
    if (access(cert, F_OK) < 0 && access(key, F_OK) < 0)
        rc = create(a, cert, key, organisation, now_ms, why);
    else
        rc = load(a, cert, key, why);
    if (rc < 0) {
        authority_close(a);
        return NULL;
    }
    out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, a->x);
    a->pem = pki_text_of(out, NULL);
    BIO_free(out);
    (void)X509_NAME_get_text_by_NID(X509_get_subject_name(a->x), NID_commonName, a->name,
                                    sizeof a->name);
    return a;
}

struct authority *authority_share(struct authority *a)
{
    a->holders++;
    return a;
}

void authority_close(struct authority *a)
{
    if (!a || --a->holders)
        return;
    X509_free(a->x);
    EVP_PKEY_free(a->key);
    free(a->pem);
    free(a);
}

const char *authority_pem(const struct authority *a)
{
    return a->pem;
}

const char *authority_name(const struct authority *a)
{
    return a->name;
}

int64_t authority_to_ms(const struct authority *a)
{
    return pki_time(X509_get0_notAfter(a->x));
}

X509 *authority_x509(const struct authority *a)
{
    return a->x;
}

EVP_PKEY *authority_key(const struct authority *a)
{
    return a->key;
}

/* ---- requests ---- */

void authority_issue_free(struct authority_issue *i)
{
    free(i->pem);
    i->pem = NULL;
}

static int wrong(struct authority_issue *out, int rc, const char *why)
{
    snprintf(out->why, sizeof out->why, "%s", why);
    ERR_clear_error();
    return rc;
}

/* The field as it is; false: there is none, or several. */
static bool field_of(X509_NAME *name, int nid, char *out, size_t cap)
{
    int at = X509_NAME_get_index_by_NID(name, nid, -1), len;
    unsigned char *text = NULL;
    bool ok;

    if (at < 0 || X509_NAME_get_index_by_NID(name, nid, at) >= 0)
        return false;
    len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    ok = len > 0 && (size_t)len < cap && !memchr(text, 0, (size_t)len);
    if (ok) {
        memcpy(out, text, (size_t)len);
        out[len] = 0;
    }
    OPENSSL_free(text);
    return ok;
}

static bool strong(EVP_PKEY *key)
{
    int kind = EVP_PKEY_get_base_id(key), bits = EVP_PKEY_get_bits(key);

    return (kind == EVP_PKEY_RSA && bits >= RSA_LEAST && bits <= 8192) ||
           (kind == EVP_PKEY_EC && bits >= EC_LEAST);
}

static X509_REQ *read_request(struct amp_text csr)
{
    BIO *in = BIO_new_mem_buf(csr.at, (int)csr.len);
    X509_REQ *req = in ? PEM_read_bio_X509_REQ(in, NULL, NULL, NULL) : NULL;

    BIO_free(in);
    return req;
}

static int check(X509_REQ *req, const struct authority_order *o, struct authority_issue *out)
{
    X509_NAME *subject = req ? X509_REQ_get_subject_name(req) : NULL;
    EVP_PKEY *key = req ? X509_REQ_get0_pubkey(req) : NULL;
    char organisation[128];
    bool named = false;

    if (!req || !key)
        return wrong(out, AMP_E_FORMAT, "the request is no PEM of a certificate signing request");
    if (X509_REQ_verify(req, key) != 1)
        return wrong(out, AMP_E_AUTH, "the request is not signed by its own key");
    if (!strong(key))
        return wrong(out, AMP_E_VALUE, "the key is too weak: RSA from 2048 bits, EC from 224");
    if (!field_of(subject, NID_commonName, out->name, sizeof out->name))
        return wrong(out, AMP_E_VALUE, "the request has no common name, or several");
    for (size_t i = 0; i < AMP_COUNT(o->names); i++)
        named = named || (o->names[i].len && amp_text_eqi(o->names[i], amp_text_of(out->name)));
    if (!named)
        return wrong(out, AMP_E_VALUE,
                     "the common name is neither the identity nor a serial number of the station");
    if (*o->organisation &&
        (!field_of(subject, NID_organizationName, organisation, sizeof organisation) ||
         strcmp(organisation, o->organisation) != 0))
        return wrong(
            out, AMP_E_VALUE,
            "the organisation (O) is not that of this operator: set CpoName at the station");
    return 0;
}

int authority_check(const struct authority_order *o, struct authority_issue *out)
{
    X509_REQ *req = read_request(o->csr);
    int rc;

    *out = (struct authority_issue){ 0 };
    rc = check(req, o, out);
    X509_REQ_free(req);
    return rc;
}

/* What a certificate says, for the list. */
static void describe(X509 *x, struct authority_issue *out)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    char *hex = BN_bn2hex(number);
    const char *digits = hex;

    while (digits[0] == '0' && digits[1])
        digits++;
    snprintf(out->serial, sizeof out->serial, "%s", digits);
    (void)X509_NAME_oneline(X509_get_issuer_name(x), out->issuer, sizeof out->issuer);
    out->from_ms = pki_time(X509_get0_notBefore(x));
    out->to_ms = pki_time(X509_get0_notAfter(x));
    OPENSSL_free(hex);
    BN_free(number);
}

int authority_sign(const struct authority *a, const struct authority_order *o,
                   struct authority_issue *out)
{
    X509_REQ *req = read_request(o->csr);
    X509 *x = NULL;
    BIO *pem = NULL;
    int rc;

    *out = (struct authority_issue){ 0 };
    rc = check(req, o, out);
    if (rc < 0)
        goto out;
    x = pki_new(o->serial, a->x, X509_REQ_get0_pubkey(req), o->now_ms, o->days);
    X509_set_subject_name(x, X509_REQ_get_subject_name(req));
    if (!pki_extend(x, a->x, NID_basic_constraints, "critical,CA:FALSE") ||
        !pki_extend(x, a->x, NID_key_usage, "critical,digitalSignature,keyEncipherment") ||
        !pki_extend(x, a->x, NID_ext_key_usage, "clientAuth") ||
        !pki_extend(x, a->x, NID_subject_key_identifier, "hash") ||
        !pki_extend(x, a->x, NID_authority_key_identifier, "keyid") ||
        X509_sign(x, a->key, EVP_sha256()) == 0) {
        rc = wrong(out, AMP_E_INTERNAL, "it could not be signed");
        goto out;
    }
    describe(x, out);
    pem = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(pem, x);
    PEM_write_bio_X509(pem, a->x);
    out->pem = pki_text_of(pem, NULL);
out:
    BIO_free(pem);
    X509_free(x);
    X509_REQ_free(req);
    return rc;
}

int authority_take(struct amp_text text, struct amp_text csr, struct authority_issue *out)
{
    BIO *in = BIO_new_mem_buf(text.at, (int)text.len);
    X509 *x = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    X509_REQ *req = read_request(csr);
    int rc = 0;

    *out = (struct authority_issue){ 0 };
    if (!x || !req)
        rc = wrong(out, AMP_E_FORMAT, "what the authority gave is no PEM of a certificate");
    else if (EVP_PKEY_eq(X509_get0_pubkey(x), X509_REQ_get0_pubkey(req)) != 1)
        rc = wrong(out, AMP_E_VALUE, "the certificate is not for the key of the request");
    else if (!field_of(X509_get_subject_name(x), NID_commonName, out->name, sizeof out->name))
        rc = wrong(out, AMP_E_VALUE, "the certificate has no common name");
    if (rc == 0) {
        describe(x, out);
        out->pem = strndup(text.at, text.len);
    }
    X509_REQ_free(req);
    X509_free(x);
    BIO_free(in);
    return rc;
}
