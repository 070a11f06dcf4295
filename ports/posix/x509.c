/* ports/posix/x509.c - see x509.h. */
#include "ports/posix/x509.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#define LIST_MAX  100 /* certificates in one text */
#define RSA_LEAST 2048
#define EC_LEAST  224

/* Certificates of a PEM text, in order; NULL: none, or one that cannot be read. */
static STACK_OF(X509) * read_chain(BIO *bio)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *x;
    bool whole = true;

    while (chain && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
        if (sk_X509_num(chain) >= LIST_MAX || !sk_X509_push(chain, x)) {
            X509_free(x);
            whole = false;
            break;
        }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        whole = false;
    ERR_clear_error();
    if (chain && (!whole || sk_X509_num(chain) == 0)) {
        sk_X509_pop_free(chain, X509_free);
        chain = NULL;
    }
    return chain;
}

STACK_OF(X509) * posix_chain_of_text(struct amp_text pem)
{
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    STACK_OF(X509) *chain = bio ? read_chain(bio) : NULL;

    BIO_free(bio);
    return chain;
}

STACK_OF(X509) * posix_chain_of_file(const char *path)
{
    BIO *bio = BIO_new_file(path, "r");
    STACK_OF(X509) *chain = bio ? read_chain(bio) : NULL;

    BIO_free(bio);
    return chain;
}

/* Never ask a person for a pass phrase. */
static int no_phrase(char *buf, int size, int rwflag, void *u)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)u;
    return -1;
}

EVP_PKEY *posix_key_of_file(const char *path)
{
    BIO *bio = BIO_new_file(path, "r");
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_phrase, NULL) : NULL;

    BIO_free(bio);
    ERR_clear_error();
    return key;
}

int64_t posix_x509_time(const ASN1_TIME *t)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(t, &tm) != 1)
        return 0;
    return (int64_t)timegm(&tm) * 1000;
}

bool posix_x509_valid(X509 *x, int64_t unix_ms)
{
    return unix_ms == 0 || (posix_x509_time(X509_get0_notBefore(x)) <= unix_ms &&
                            unix_ms < posix_x509_time(X509_get0_notAfter(x)));
}

/* ocpp-facts S10 */
bool posix_x509_strong(X509 *x)
{
    EVP_PKEY *key = X509_get0_pubkey(x);
    int bits = key ? EVP_PKEY_get_bits(key) : 0;

    return key && bits >= (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? RSA_LEAST : EC_LEAST);
}

static void to_hex(const unsigned char *raw, unsigned len, char out[129])
{
    static const char digits[] = "0123456789abcdef";

    for (unsigned i = 0; i < len; i++) {
        out[2 * i] = digits[raw[i] >> 4];
        out[2 * i + 1] = digits[raw[i] & 15];
    }
    out[2 * len] = 0;
}

static const char *without_zeros(const char *hex)
{
    while (hex[0] == '0' && hex[1])
        hex++;
    return hex;
}

/* `issuer`: whose key signed it. */
int posix_x509_id(X509 *x, X509 *issuer, unsigned algorithm, struct amp_certificate_id *out)
{
    const EVP_MD *md = algorithm == AMP_SHA256   ? EVP_sha256()
                       : algorithm == AMP_SHA384 ? EVP_sha384()
                       : algorithm == AMP_SHA512 ? EVP_sha512()
                                                 : NULL;
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned len;
    BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    char *hex = serial ? BN_bn2hex(serial) : NULL;
    int rc = AMP_E_VALUE;

    memset(out, 0, sizeof *out);
    out->algorithm = (uint8_t)algorithm;
    if (!md || !hex || strlen(without_zeros(hex)) >= sizeof out->serial)
        goto done;
    snprintf(out->serial, sizeof out->serial, "%s", without_zeros(hex));
    if (!X509_NAME_digest(X509_get_issuer_name(x), md, raw, &len))
        goto done;
    to_hex(raw, len, out->name_hash);
    if (!X509_pubkey_digest(issuer, md, raw, &len))
        goto done;
    to_hex(raw, len, out->key_hash);
    rc = 0;
done:
    OPENSSL_free(hex);
    BN_free(serial);
    return rc;
}

bool posix_x509_same(const struct amp_certificate_id *a, const struct amp_certificate_id *b)
{
    return strcasecmp(a->name_hash, b->name_hash) == 0 &&
           strcasecmp(a->key_hash, b->key_hash) == 0 &&
           strcasecmp(without_zeros(a->serial), without_zeros(b->serial)) == 0;
}

bool posix_x509_named(X509 *x, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(x);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    unsigned char *text = NULL;
    int len = at < 0
                  ? -1
                  : ASN1_STRING_to_UTF8(&text,
                                        X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    bool is = len >= 0 && (size_t)len == strlen(name) && memcmp(text, name, (size_t)len) == 0;

    OPENSSL_free(text);
    return is;
}
