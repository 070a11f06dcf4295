/* central/pki/server.c - what the authority makes for this server: its certificates, and the
 * revocation list. */
#include "central/pki/x509.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SERVER_DAYS 397 /* what browsers accept */
#define RENEW_MS    (30ll * 24 * 3600 * 1000)
#define CRL_DAYS    30
#define SAN_MAX     1024

/* "localhost, 192.0.2.7" to "DNS:localhost,IP:192.0.2.7". False: something else stands there. */
static bool alternative_names(const char *names, char out[SAN_MAX])
{
    size_t len = 0;

    while (*names) {
        size_t n = strcspn(names, ",");
        struct amp_text item = amp_text_trim((struct amp_text){ names, (uint32_t)n });
        unsigned char raw[16];
        char text[256];
        int put;

        names += n + (names[n] == ',');
        if (!item.len)
            continue;
        if (item.len >= sizeof text)
            return false;
        amp_text_copy(text, sizeof text, item);
        put = snprintf(out + len, SAN_MAX - len, "%s%s:%s", len ? "," : "",
                       inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1
                           ? "IP"
                           : "DNS",
                       text);
        if (put < 0 || (size_t)put >= SAN_MAX - len)
            return false;
        len += (size_t)put;
    }
    return len > 0;
}

/* Is what lies there still good for these names? */
static bool good(const struct authority *a, const char *path, const char *names, int64_t now_ms)
{
    BIO *in = BIO_new_file(path, "r");
    X509 *x = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    bool ok = x && X509_verify(x, X509_get0_pubkey(authority_x509(a))) == 1 &&
              pki_time(X509_get0_notAfter(x)) - now_ms > RENEW_MS &&
              pki_time(X509_get0_notBefore(x)) <= now_ms;

    while (ok && *names) {
        size_t n = strcspn(names, ",");
        struct amp_text item = amp_text_trim((struct amp_text){ names, (uint32_t)n });
        char text[256];

        names += n + (names[n] == ',');
        amp_text_copy(text, sizeof text, item);
        if (item.len)
            ok = X509_check_host(x, text, 0, 0, NULL) == 1 || X509_check_ip_asc(x, text, 0) == 1;
    }
    X509_free(x);
    BIO_free(in);
    ERR_clear_error();
    return ok;
}

static int make(const struct authority *a, const char *path, EVP_PKEY *key, const char *names,
                int64_t now_ms, char **why)
{
    char serial[AUTHORITY_SERIAL], san[SAN_MAX], first[256], *text;
    size_t len = strcspn(names, ",");
    BIO *out = BIO_new(BIO_s_mem());
    X509 *x;
    int rc;

    if (!key || !out)
        abort();
    authority_serial(serial);
    x = pki_new(serial, authority_x509(a), key, now_ms, SERVER_DAYS);
    amp_text_copy(first, 64, amp_text_trim((struct amp_text){ names, (uint32_t)len }));
    (void)X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                                     (const unsigned char *)first, -1, -1, 0);
    if (!alternative_names(names, san) ||
        !pki_extend(x, authority_x509(a), NID_subject_alt_name, san)) {
        *why = strdup("tls-name: give host names and addresses, comma separated, such as "
                      "central.example, 192.0.2.7");
        rc = AMP_E_VALUE;
        goto out;
    }
    if (!pki_extend(x, authority_x509(a), NID_basic_constraints, "critical,CA:FALSE") ||
        !pki_extend(x, authority_x509(a), NID_key_usage,
                    "critical,digitalSignature,keyEncipherment") ||
        !pki_extend(x, authority_x509(a), NID_ext_key_usage, "serverAuth") ||
        !pki_extend(x, authority_x509(a), NID_authority_key_identifier, "keyid") ||
        X509_sign(x, authority_key(a), EVP_sha256()) == 0)
        abort();
    PEM_write_bio_X509(out, x);
    PEM_write_bio_X509(out, authority_x509(a));
    PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    text = pki_text_of(out, &len);
    rc = pki_write_file(path, text, len, why);
    OPENSSL_cleanse(text, len);
    free(text);
out:
    X509_free(x);
    BIO_free(out);
    ERR_clear_error();
    return rc;
}

int authority_serve(const struct authority *a, const char *dir, const char *names, int64_t now_ms,
                    char **why)
{
    static const struct {
        const char *name;
        bool rsa;
    } kinds[] = { { "server-ecdsa.pem", false }, { "server-rsa.pem", true } };
    int made = 0;

    for (size_t i = 0; i < AMP_COUNT(kinds); i++) {
        EVP_PKEY *key;
        char path[512];
        int rc;

        snprintf(path, sizeof path, "%s/%s", dir, kinds[i].name);
        if (good(a, path, names, now_ms))
            continue;
        key = kinds[i].rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
        rc = make(a, path, key, names, now_ms, why);
        EVP_PKEY_free(key);
        if (rc < 0)
            return rc;
        made = 1;
    }
    return made;
}

char *authority_crl(const struct authority *a, const struct authority_revoked *list, size_t count,
                    int64_t now_ms)
{
    X509_CRL *crl = X509_CRL_new();
    time_t now = (time_t)(now_ms / 1000);
    ASN1_TIME *t = ASN1_TIME_new();
    BIO *out = BIO_new(BIO_s_mem());
    char *text;

    if (!crl || !t || !out)
        abort();
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(authority_x509(a)));
    ASN1_TIME_set(t, now);
    X509_CRL_set1_lastUpdate(crl, t);
    X509_time_adj_ex(t, CRL_DAYS, 0, &now);
    X509_CRL_set1_nextUpdate(crl, t);
    for (size_t i = 0; i < count; i++) {
        X509_REVOKED *r = X509_REVOKED_new();
        BIGNUM *number = NULL;
        ASN1_INTEGER *serial;

        if (!r || !BN_hex2bn(&number, list[i].serial))
            abort();
        serial = BN_to_ASN1_INTEGER(number, NULL);
        X509_REVOKED_set_serialNumber(r, serial);
        ASN1_TIME_set(t, (time_t)(list[i].at_ms / 1000));
        X509_REVOKED_set_revocationDate(r, t);
        X509_CRL_add0_revoked(crl, r);
        ASN1_INTEGER_free(serial);
        BN_free(number);
    }
    X509_CRL_sort(crl);
    X509_CRL_sign(crl, authority_key(a), EVP_sha256());
    PEM_write_bio_X509_CRL(out, crl);
    text = pki_text_of(out, NULL);
    BIO_free(out);
    ASN1_TIME_free(t);
    X509_CRL_free(crl);
    return text;
}
