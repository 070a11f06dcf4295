/* ports/posix/pki_test.c - keys and certificates, for real. Numbers: station-1.6. */
#include "ports/posix/ca_test.h"
#include "ports/posix/pki.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static const char *why;

static void clean(void)
{
    struct dirent *e;
    DIR *d = opendir(dir);

    while (d && (e = readdir(d)) != NULL)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
}

static struct posix_pki *open_pki(bool kept)
{
    struct posix_pki *p = NULL;

    CHECK(posix_pki_open(kept ? dir : NULL, &p) == 0, "open");
    return p;
}

static int install(struct posix_pki *p, enum amp_root use, X509 *x)
{
    const struct amp_pki *t = posix_pki_table(p);

    return t->install(t->ctx, use, ca_pem(x), 10, false, ca_now(), &why);
}

static unsigned count(struct posix_pki *p, enum amp_root use)
{
    const struct amp_pki *t = posix_pki_table(p);
    struct amp_certificate_id id;
    unsigned n = 0;

    while (t->list(t->ctx, use, n, &id) == 0)
        n++;
    return n;
}

/* The public key of a signing request, whose subject and signature are looked at. */
static EVP_PKEY *asked(const char *csr, int len)
{
    BIO *bio = BIO_new_mem_buf(csr, len);
    X509_REQ *req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;
    char line[128] = "";

    CHECK(req != NULL, "a request");
    if (req) {
        key = X509_REQ_get_pubkey(req);
        CHECK(X509_REQ_verify(req, key) == 1, "signed with its key");
        X509_NAME_oneline(X509_REQ_get_subject_name(req), line, sizeof line);
        CHECK(!strcmp(line, "/CN=CP001/O=Strom"), "%s", line);
    }
    X509_REQ_free(req);
    BIO_free(bio);
    return key;
}

static EVP_PKEY *request(struct posix_pki *p)
{
    const struct amp_pki *t = posix_pki_table(p);
    char csr[2048];
    int len = t->request(t->ctx, "CP001", "Strom", csr, sizeof csr);

    CHECK(len > 0 && !memmem(csr, (size_t)len, "PRIVATE", 7), "the private key stays here: %d",
          len);
    CHECK(t->request(t->ctx, "CP001", "Strom", csr, 20) == AMP_E_FULL, "room");
    len = t->request(t->ctx, "CP001", "Strom", csr, sizeof csr);
    return asked(csr, len);
}

static int take(struct posix_pki *p, X509 *x, const char *name)
{
    const struct amp_pki *t = posix_pki_table(p);

    return t->accept(t->ctx, ca_pem(x), name, ca_now(), &why);
}

/* S157: a new key pair each time; what comes back is looked at from all sides */
static void test_accept(void)
{
    struct posix_pki *p;
    struct ca_cert root = ca_make(&(struct ca_wish){ .name = "Root", .authority = true });
    struct ca_cert other = ca_make(&(struct ca_wish){ .name = "Other", .authority = true });
    EVP_PKEY *first, *key;
    const struct amp_pki *t;
    struct ca_cert c;
    struct stat st;
    char path[128];

    clean();
    p = open_pki(true);
    t = posix_pki_table(p);
    CHECK(install(p, AMP_ROOT_CENTRAL, root.x) == 0, "%s", why);
    first = request(p);
    key = request(p);
    CHECK(EVP_PKEY_eq(first, key) != 1, "a new one each time");
    snprintf(path, sizeof path, "%s/pending.key", dir);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "its owner alone");
    struct {
        const char *text;
        struct ca_wish wish;
        int rc;
    } cases[] = {
        { "an old key", { .name = "CP001", .by = &root, .for_key = first }, AMP_E_AUTH },
        { "another name", { .name = "CP002", .by = &root, .for_key = key }, AMP_E_AUTH },
        { "another authority", { .name = "CP001", .by = &other, .for_key = key }, AMP_E_AUTH },
        { "expired",
          { .name = "CP001", .by = &root, .for_key = key, .from_s = -99, .to_s = -9 },
          AMP_E_AUTH },
        { "not yet",
          { .name = "CP001", .by = &root, .for_key = key, .from_s = 900, .to_s = 9000 },
          AMP_E_AUTH },
        { "good", { .name = "CP001", .by = &root, .for_key = key }, 0 },
    };
    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        int rc;

        c = ca_make(&cases[i].wish);
        rc = take(p, c.x, "CP001");
        CHECK(rc == cases[i].rc, "%s: %d %s", cases[i].text, rc, why);
        CHECK((t->expiry(t->ctx, ca_now()) != 0) == (rc == 0), "%s: in use", cases[i].text);
        ca_free(&c);
    }
    c = ca_make(&(struct ca_wish){ .name = "CP001", .by = &root, .for_key = key });
    CHECK(take(p, c.x, "CP001") == AMP_E_AUTH, "once: %s", why);
    ca_free(&c);
    CHECK(t->accept(t->ctx, AMP_TEXT("nonsense"), "CP001", ca_now(), &why) == AMP_E_FORMAT, "text");
    posix_pki_close(p);
    p = open_pki(true);
    t = posix_pki_table(p);
    CHECK(t->expiry(t->ctx, ca_now()) > ca_now() + INT64_C(300) * CA_DAY * 1000, "kept");
    CHECK(t->expiry(t->ctx, ca_now() + INT64_C(400) * CA_DAY * 1000) == 0, "not for ever");
    posix_pki_close(p);
    EVP_PKEY_free(first);
    EVP_PKEY_free(key);
    ca_free(&root);
    ca_free(&other);
}

/* S157: a chain over an authority in between; a restart between request and answer; the newest
 * valid one is used, and an old one whose time is not over when the newest is gone */
static void test_newest(void)
{
    struct posix_pki *p;
    struct ca_cert root = ca_make(&(struct ca_wish){ .name = "Root", .authority = true });
    struct ca_cert middle =
        ca_make(&(struct ca_wish){ .name = "Middle", .by = &root, .authority = true });
    const struct amp_pki *t;
    int64_t last = 0;

    clean();
    p = open_pki(true);
    CHECK(install(p, AMP_ROOT_CENTRAL, root.x) == 0, "%s", why);
    for (int i = 0; i < 6; i++) {
        EVP_PKEY *key = request(p);
        struct ca_cert c = ca_make(&(struct ca_wish){ .name = "CP001",
                                                      .by = &middle,
                                                      .for_key = key,
                                                      .from_s = -600 + 20 * i,
                                                      .to_s = 9000 - 20 * i });
        char chain[16384];
        struct amp_text a = ca_pem(c.x), b = ca_pem(middle.x);
        int n = snprintf(chain, sizeof chain, "%.*s%.*s", AMP_FMT(a), AMP_FMT(b));

        posix_pki_close(p);
        p = open_pki(true);
        t = posix_pki_table(p);
        CHECK(t->accept(t->ctx, a, "CP001", ca_now(), &why) == AMP_E_AUTH, "a link is missing");
        CHECK(t->accept(t->ctx, (struct amp_text){ chain, (uint32_t)n }, "CP001", ca_now(), &why) ==
                  0,
              "%s", why);
        CHECK(last == 0 || t->expiry(t->ctx, ca_now()) < last,
              "the newest, though it ends earlier");
        last = t->expiry(t->ctx, ca_now());
        CHECK(i == 0 || t->expiry(t->ctx, last) > last, "then the one before");
        EVP_PKEY_free(key);
        ca_free(&c);
    }
    posix_pki_close(p);
    ca_free(&root);
    ca_free(&middle);
}

/* S158 */
static void test_install(void)
{
    struct posix_pki *p;
    const struct amp_pki *t;
    struct ca_cert a =
        ca_make(&(struct ca_wish){ .name = "A", .authority = true, .serial = 0x0ab });
    struct ca_cert b =
        ca_make(&(struct ca_wish){ .name = "B", .authority = true, .rsa_bits = 2048 });
    struct ca_cert weak =
        ca_make(&(struct ca_wish){ .name = "W", .authority = true, .rsa_bits = 1024 });
    struct ca_cert leaf = ca_make(&(struct ca_wish){ .name = "L", .by = &a });
    struct ca_cert old =
        ca_make(&(struct ca_wish){ .name = "O", .authority = true, .from_s = -99, .to_s = -9 });
    struct amp_certificate_id id;

    clean();
    p = open_pki(true);
    t = posix_pki_table(p);
    CHECK(install(p, AMP_ROOT_CENTRAL, a.x) == 0 && install(p, AMP_ROOT_CENTRAL, a.x) == 0, "%s",
          why);
    CHECK(count(p, AMP_ROOT_CENTRAL) == 1, "the same twice is one");
    CHECK(install(p, AMP_ROOT_MAKER, b.x) == 0, "%s", why);
    CHECK(install(p, AMP_ROOT_CENTRAL, weak.x) == AMP_E_AUTH, "weak");
    CHECK(install(p, AMP_ROOT_CENTRAL, leaf.x) == AMP_E_AUTH, "no authority");
    CHECK(install(p, AMP_ROOT_CENTRAL, old.x) == AMP_E_AUTH, "expired");
    CHECK(t->install(t->ctx, AMP_ROOT_CENTRAL, AMP_TEXT("-----BEGIN CERTIFICATE-----\nAAAA\n"), 10,
                     false, ca_now(), &why) == AMP_E_FORMAT,
          "broken");
    CHECK(t->install(t->ctx, AMP_ROOT_CENTRAL, ca_pem(b.x), 2, false, ca_now(), &why) == AMP_E_FULL,
          "full");
    posix_pki_close(p);
    p = open_pki(true);
    t = posix_pki_table(p);
    CHECK(count(p, AMP_ROOT_CENTRAL) == 1 && count(p, AMP_ROOT_MAKER) == 1, "kept");
    CHECK(t->list(t->ctx, AMP_ROOT_CENTRAL, 0, &id) == 0 && !strcmp(id.serial, "AB"),
          "no leading zeros: %s", id.serial);
    CHECK(strlen(id.name_hash) == 64 && strlen(id.key_hash) == 64, "SHA-256");
    id.algorithm = AMP_SHA512;
    CHECK(t->remove(t->ctx, &id) == AMP_E_ABSENT, "hashes of another kind");
    id.algorithm = AMP_SHA256;
    snprintf(id.serial, sizeof id.serial, "00ab");
    posix_pki_proved(p, a.x);
    CHECK(t->remove(t->ctx, &id) == AMP_E_STATE, "it proves the central system");
    posix_pki_proved(p, NULL);
    CHECK(t->remove(t->ctx, &id) == 0 && t->remove(t->ctx, &id) == AMP_E_ABSENT, "gone");
    posix_pki_close(p);
    p = open_pki(true);
    CHECK(count(p, AMP_ROOT_CENTRAL) == 0 && count(p, AMP_ROOT_MAKER) == 1, "for good");
    posix_pki_close(p);
    ca_free(&a);
    ca_free(&b);
    ca_free(&weak);
    ca_free(&leaf);
    ca_free(&old);
}

/* The hashes, against what the openssl program says of the parts. S158 */
static void test_hashes(void)
{
    struct posix_pki *p = open_pki(false);
    const struct amp_pki *t = posix_pki_table(p);
    struct ca_cert a = ca_make(&(struct ca_wish){ .name = "A", .authority = true });
    struct amp_certificate_id id;
    char path[128], command[512], line[160] = "";
    FILE *f;

    snprintf(path, sizeof path, "%s/hash.pem", dir);
    ca_write(path, &a, false);
    CHECK(install(p, AMP_ROOT_CENTRAL, a.x) == 0, "%s", why);
    CHECK(t->list(t->ctx, AMP_ROOT_CENTRAL, 0, &id) == 0, "list");
    /* id-sha256 of issuer and key, as an OCSP request names them */
    snprintf(command, sizeof command,
             "openssl ocsp -sha256 -issuer %s -cert %s -req_text -no_nonce 2>/dev/null | "
             "grep -E 'Hash|Serial' | sed 's/.*: //' | tr -d '\\n'",
             path, path);
    f = popen(command, "r");
    CHECK(f && fgets(line, sizeof line, f), "the openssl program");
    if (f)
        pclose(f);
    CHECK(!strncasecmp(line + (strncmp(line, "sha256", 6) ? 0 : 6), id.name_hash, 64), "%s\n%s",
          line, id.name_hash);
    CHECK(strcasestr(line, id.key_hash) != NULL, "%s\n%s", line, id.key_hash);
    CHECK(strcasestr(line, id.serial) != NULL, "%s\n%s", line, id.serial);
    posix_pki_close(p);
    ca_free(&a);
}

/* Which certificate a connection would show: its serial number, 0 for none. */
static uint64_t shown(struct posix_pki *p, bool before)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    uint64_t serial = 0;

    if (posix_pki_apply(p, ctx, true, before, ca_now()) == 0)
        CHECK(ASN1_INTEGER_get_uint64(&serial,
                                      X509_get0_serialNumber(SSL_CTX_get0_certificate(ctx))) == 1,
              "a serial number");
    SSL_CTX_free(ctx);
    return serial;
}

/* S157: the one before the newest, and dropping the newest for good */
static void test_discard(void)
{
    struct posix_pki *p;
    const struct amp_pki *t;
    struct ca_cert root = ca_make(&(struct ca_wish){ .name = "Root", .authority = true });

    clean();
    p = open_pki(true);
    t = posix_pki_table(p);
    CHECK(install(p, AMP_ROOT_CENTRAL, root.x) == 0, "%s", why);
    CHECK(t->discard(t->ctx, ca_now()) == AMP_E_ABSENT, "none is there");
    for (uint64_t serial = 11; serial <= 12; serial++) {
        EVP_PKEY *key = request(p);
        struct ca_cert c = ca_make(
            &(struct ca_wish){ .name = "CP001", .by = &root, .for_key = key, .serial = serial });

        CHECK(take(p, c.x, "CP001") == 0, "%s", why);
        CHECK(shown(p, false) == serial && shown(p, true) == 11, "the newest, and before it");
        CHECK(serial > 11 || t->discard(t->ctx, ca_now()) == AMP_E_ABSENT, "the only one stays");
        ca_free(&c);
        EVP_PKEY_free(key);
    }
    CHECK(t->discard(t->ctx, ca_now()) == 0, "dropped");
    CHECK(shown(p, false) == 11 && t->discard(t->ctx, ca_now()) == AMP_E_ABSENT, "one is left");
    posix_pki_close(p);
    p = open_pki(true);
    CHECK(shown(p, false) == 11 && shown(p, true) == 11, "for good");
    posix_pki_close(p);
    ca_free(&root);
}

/* S158: never the own certificate, never what the operator gave */
static void test_not_deleted(void)
{
    struct posix_pki *p = open_pki(false);
    const struct amp_pki *t = posix_pki_table(p);
    struct ca_cert root = ca_make(&(struct ca_wish){ .name = "Root", .authority = true });
    struct ca_cert mine = ca_make(&(struct ca_wish){ .name = "CP001", .by = &root, .serial = 77 });
    struct amp_certificate_id id;
    char ca[128], cert[128], key[128];

    snprintf(ca, sizeof ca, "%s/ca.pem", dir);
    snprintf(cert, sizeof cert, "%s/cert.pem", dir);
    snprintf(key, sizeof key, "%s/key.pem", dir);
    ca_write(ca, &root, false);
    ca_write(cert, &mine, false);
    ca_write(key, &root, true);
    CHECK(posix_pki_roots(p, "/nonexistent") == AMP_E_IO, "no file");
    CHECK(posix_pki_roots(p, key) == AMP_E_FORMAT, "no certificate");
    CHECK(posix_pki_roots(p, ca) == 0, "roots");
    CHECK(posix_pki_own(p, cert, key) == AMP_E_FORMAT, "another's key");
    ca_write(key, &mine, true);
    CHECK(posix_pki_own(p, cert, key) == 0 && t->expiry(t->ctx, ca_now()) > 0, "own");
    CHECK(t->list(t->ctx, AMP_ROOT_CENTRAL, 0, &id) == 0, "the operator's is listed");
    CHECK(t->remove(t->ctx, &id) == AMP_E_STATE, "and stays");
    snprintf(id.serial, sizeof id.serial, "4D"); /* issuer and its key are those of the root */
    CHECK(t->remove(t->ctx, &id) == AMP_E_STATE, "our own stays");
    snprintf(id.serial, sizeof id.serial, "4E");
    CHECK(t->remove(t->ctx, &id) == AMP_E_ABSENT, "nobody's");
    posix_pki_close(p);
    ca_free(&root);
    ca_free(&mine);
}

/* ocpp-facts S13: AdditionalRootCertificateCheck */
static void test_chained_roots(void)
{
    struct posix_pki *p;
    const struct amp_pki *t;
    struct ca_cert a = ca_make(&(struct ca_wish){ .name = "A", .authority = true });
    struct ca_cert b = ca_make(&(struct ca_wish){ .name = "B", .authority = true, .by = &a });
    struct ca_cert c = ca_make(&(struct ca_wish){ .name = "C", .authority = true, .by = &b });
    struct ca_cert stranger = ca_make(&(struct ca_wish){ .name = "S", .authority = true });
    X509 *in_order[] = { a.x, b.x, c.x };

    clean();
    p = open_pki(true);
    t = posix_pki_table(p);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(t->install(t->ctx, AMP_ROOT_CENTRAL, ca_pem(in_order[i]), 1, true, ca_now(), &why) ==
                  0,
              "%u: %s", i, why);
        CHECK(t->install(t->ctx, AMP_ROOT_CENTRAL, ca_pem(stranger.x), 1, true, ca_now(), &why) ==
                  AMP_E_AUTH,
              "not signed by the one before");
        CHECK(count(p, AMP_ROOT_CENTRAL) == (i ? 2 : 1), "one, and one to fall back to");
    }
    posix_pki_close(p);
    p = open_pki(true);
    CHECK(count(p, AMP_ROOT_CENTRAL) == 2, "kept");
    posix_pki_close(p);
    ca_free(&a);
    ca_free(&b);
    ca_free(&c);
    ca_free(&stranger);
}

/* Storage that fails is told, and changes nothing. */
static void test_no_storage(void)
{
    struct posix_pki *p;
    const struct amp_pki *t;
    struct ca_cert a = ca_make(&(struct ca_wish){ .name = "A", .authority = true });
    FILE *f;
    char csr[2048];

    clean();
    p = open_pki(true);
    t = posix_pki_table(p);
    CHECK(rmdir(dir) == 0, "the directory goes away");
    f = fopen(dir, "w");
    CHECK(f && fclose(f) == 0, "a file stands in its place");
    CHECK(install(p, AMP_ROOT_CENTRAL, a.x) == AMP_E_IO, "%s", why);
    CHECK(count(p, AMP_ROOT_CENTRAL) == 0, "nothing changed");
    CHECK(t->request(t->ctx, "CP001", "Strom", csr, sizeof csr) == AMP_E_IO, "no key");
    posix_pki_close(p);
    CHECK(posix_pki_open(dir, &p) == AMP_E_IO, "no directory");
    CHECK(unlink(dir) == 0, "gone");
    p = open_pki(true);
    CHECK(access(dir, F_OK) < 0, "made when something is stored");
    CHECK(install(p, AMP_ROOT_CENTRAL, a.x) == 0 && access(dir, F_OK) == 0, "%s", why);
    posix_pki_close(p);
    ca_free(&a);
}

int main(void)
{
    snprintf(dir, sizeof dir, "/tmp/amp-pki-XXXXXX");
    CHECK(mkdtemp(dir) != NULL, "a directory");
    RUN(test_accept);
    RUN(test_newest);
    RUN(test_install);
    RUN(test_hashes);
    RUN(test_discard);
    RUN(test_not_deleted);
    RUN(test_chained_roots);
    RUN(test_no_storage);
    clean();
    rmdir(dir);
    return check_end();
}
