/* ports/posix/image.c - see image.h. */
#include "ports/posix/image.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>

#define SIGNATURE_MAX 1024 /* base64 in; the message allows 800 */

int posix_image_version(const char *path, char out[51])
{
    static const char magic[] = POSIX_IMAGE_MAGIC;
    char line[sizeof magic + 52];
    FILE *f = fopen(path, "rb");
    size_t n;
    bool got;

    if (!f)
        return errno == ENOENT ? AMP_E_ABSENT : AMP_E_CORRUPT;
    got = fgets(line, sizeof line, f) != NULL;
    fclose(f);
    if (!got || strncmp(line, magic, sizeof magic - 1) != 0)
        return AMP_E_CORRUPT;
    n = strcspn(line + sizeof magic - 1, "\r\n");
    if (n < 1 || n > 50 || !line[sizeof magic - 1 + n])
        return AMP_E_CORRUPT; /* no end of line: too long, or cut */
    for (size_t i = 0; i < n; i++)
        if (line[sizeof magic - 1 + i] <= ' ' || line[sizeof magic - 1 + i] > '~')
            return AMP_E_CORRUPT;
    memcpy(out, line + sizeof magic - 1, n);
    out[n] = 0;
    return 0;
}

/* ---- who vouches ---- */

/* "maker-3.pem": the folder may hold the roots of others beside it. */
static bool makers(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);

    return n > m && !strncmp(name, "maker", 5) && !strcmp(name + n - m, ending);
}

/* Certificates and lists of the folder into the store. How many lists, or -1: the folder cannot be
 * read. */
static int load_roots(X509_STORE *store, const char *roots)
{
    X509_LOOKUP *files = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    DIR *dir = opendir(roots);
    struct dirent *e;
    char path[4096];
    int lists = 0;

    if (!dir || !files) {
        if (dir)
            closedir(dir);
        return -1;
    }
    while ((e = readdir(dir)) != NULL) {
        if ((size_t)snprintf(path, sizeof path, "%s/%s", roots, e->d_name) >= sizeof path)
            continue;
        if (makers(e->d_name, ".pem"))
            (void)X509_load_cert_file(files, path, X509_FILETYPE_PEM);
        else if (makers(e->d_name, ".crl"))
            lists += X509_load_crl_file(files, path, X509_FILETYPE_PEM) > 0;
    }
    closedir(dir);
    return lists;
}

static int check_chain(const char *roots, X509 *leaf, STACK_OF(X509) * between)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int rc = AMP_E_AUTH, lists = store ? load_roots(store, roots) : -1;

    if (lists >= 0 && ctx && X509_STORE_CTX_init(ctx, store, leaf, between) == 1) {
        if (lists > 0)
            X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_CRL_CHECK);
        if (X509_verify_cert(ctx) == 1)
            rc = 0;
        else if (X509_STORE_CTX_get_error(ctx) == X509_V_ERR_CERT_REVOKED)
            rc = AMP_E_STATE;
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return rc;
}

int posix_image_trust(const char *roots, struct amp_text pem)
{
    BIO *in = BIO_new_mem_buf(pem.at, (int)pem.len);
    STACK_OF(X509) *between = sk_X509_new_null();
    X509 *leaf = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL, *more;
    int rc = AMP_E_AUTH;

    while (leaf && between && (more = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL)
        if (sk_X509_push(between, more) <= 0)
            X509_free(more);
    if (leaf)
        rc = check_chain(roots, leaf, between);
    sk_X509_pop_free(between, X509_free);
    X509_free(leaf);
    BIO_free(in);
    return rc;
}

/* ---- the signature ---- */

static EVP_PKEY *key_of(const char *certificate_path)
{
    FILE *f = fopen(certificate_path, "r");
    X509 *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = x ? X509_get_pubkey(x) : NULL;

    X509_free(x);
    if (f)
        fclose(f);
    return key;
}

/* Blanks and line ends do not count. Length, or AMP_E_AUTH. */
static int read_signature(const char *path, unsigned char out[SIGNATURE_MAX])
{
    char text[SIGNATURE_MAX];
    FILE *f = fopen(path, "r");
    int n = 0, c, pad = 0, len;

    if (!f)
        return AMP_E_IO;
    while ((c = fgetc(f)) != EOF && n < SIGNATURE_MAX)
        if (c > ' ') {
            text[n++] = (char)c;
            pad += c == '=';
        }
    fclose(f);
    if (n == 0 || n == SIGNATURE_MAX || n % 4 || pad > 2)
        return AMP_E_AUTH;
    len = EVP_DecodeBlock(out, (unsigned char *)text, n);
    return len > pad ? len - pad : AMP_E_AUTH;
}

static int feed(EVP_MD_CTX *md, FILE *f)
{
    static const size_t part = 65536;
    unsigned char *block = malloc(part);
    size_t n;
    int rc = block ? 0 : AMP_E_IO;

    while (rc == 0 && (n = fread(block, 1, part, f)) > 0)
        rc = EVP_DigestVerifyUpdate(md, block, n) == 1 ? 0 : AMP_E_IO;
    free(block);
    return rc < 0 || ferror(f) ? AMP_E_IO : 0;
}

int posix_image_verify(const char *path, const char *certificate_path, const char *signature_path)
{
    unsigned char signature[SIGNATURE_MAX];
    int len = read_signature(signature_path, signature), rc = AMP_E_IO;
    EVP_PKEY *key = key_of(certificate_path);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how;
    FILE *f = fopen(path, "rb");

    if (len < 0) {
        rc = len;
    } else if (key && md && f) {
        rc = AMP_E_AUTH;
        if (EVP_DigestVerifyInit(md, &how, EVP_sha256(), NULL, key) == 1 &&
            (!EVP_PKEY_is_a(key, "RSA") ||
             EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1)) {
            rc = feed(md, f);
            if (rc == 0 && EVP_DigestVerifyFinal(md, signature, (size_t)len) != 1)
                rc = AMP_E_AUTH;
        }
    }
    if (f)
        fclose(f);
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(key);
    return rc;
}
