/* ports/posix/transfer_test.c - files from and to real servers on loopback (HTTP, HTTPS, FTP), what
 * goes wrong on the way, and who may sign an image. */
#include "ocpp/check.h"
#include "ports/posix/image.h"
#include "ports/posix/transfer.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define IMAGE   "amperstand-firmware 2.0-test\nthe rest of the image\n"
#define ROUNDS  600 /* of 100 ms: more means that something hangs */
#define BIG_MAX 4096

static char dir[] = "/tmp/amp-transfer-XXXXXX";

/* ---- a server ---- */

struct server {
    int fd;
    uint16_t port;
    SSL_CTX *tls;
    bool ftp;
    pthread_t thread;
    pthread_mutex_t mutex;
    char stored[65536], where[512]; /* the last upload */
    size_t stored_len;
    atomic_uint asked;
};

struct peer {
    int fd;
    SSL *ssl;
};

static int get(struct peer *p, char *out, size_t cap)
{
    return p->ssl ? SSL_read(p->ssl, out, (int)cap) : (int)recv(p->fd, out, cap, 0);
}

static void put(struct peer *p, const char *data, size_t len)
{
    if (p->ssl)
        (void)SSL_write(p->ssl, data, (int)len);
    else
        (void)send(p->fd, data, len, MSG_NOSIGNAL);
}

static void say(struct peer *p, const char *text)
{
    put(p, text, strlen(text));
}

static int listen_on(uint16_t *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 8) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        abort();
    *port = ntohs(at.sin_port);
    return fd;
}

static void until_closed(struct peer *p)
{
    char rest[256];

    while (get(p, rest, sizeof rest) > 0)
        ;
}

static void answer(struct server *s, struct peer *p, const char *method, const char *path,
                   const char *body, size_t len)
{
    char head[256];
    bool up = strcmp(method, "GET") != 0;

    if (up && !strcmp(method, "PUT") && !strncmp(path, "/post", 5)) {
        say(p, "HTTP/1.1 405 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    } else if (!strncmp(path, "/403", 4)) {
        say(p, "HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    } else if (up) {
        pthread_mutex_lock(&s->mutex);
        memcpy(s->stored, body, len);
        s->stored[len] = 0;
        s->stored_len = len;
        snprintf(s->where, sizeof s->where, "%s %s", method, path);
        pthread_mutex_unlock(&s->mutex);
        say(p, "HTTP/1.1 201 Yes\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    } else if (!strcmp(path, "/image")) {
        snprintf(head, sizeof head,
                 "HTTP/1.1 200 Yes\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                 sizeof IMAGE - 1);
        say(p, head);
        say(p, IMAGE);
    } else if (!strcmp(path, "/moved")) {
        say(p, "HTTP/1.1 302 There\r\nLocation: /image\r\nContent-Length: 0\r\n"
               "Connection: close\r\n\r\n");
    } else if (!strcmp(path, "/to-file")) {
        say(p, "HTTP/1.1 302 There\r\nLocation: file:///etc/hostname\r\nContent-Length: 0\r\n"
               "Connection: close\r\n\r\n");
    } else if (!strcmp(path, "/cut")) {
        say(p, "HTTP/1.1 200 Yes\r\nContent-Length: 1000\r\n\r\namperstand-firmware 9\n");
    } else if (!strcmp(path, "/slow")) {
        say(p, "HTTP/1.1 200 Yes\r\nContent-Length: 1000\r\n\r\namper");
        until_closed(p);
    } else if (!strcmp(path, "/large")) {
        say(p, "HTTP/1.1 200 Yes\r\nContent-Length: 100000000\r\n\r\n");
        until_closed(p);
    } else if (!strcmp(path, "/endless")) {
        say(p, "HTTP/1.1 200 Yes\r\nConnection: close\r\n\r\n");
        for (int i = 0; i < 100; i++)
            say(p, "................................................................");
    } else {
        say(p, "HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
}

static void http(struct server *s, struct peer *p)
{
    static const char *const ends = "\r\n\r\n";
    char in[70000], method[16] = "", path[256] = "", *body = NULL, *h;
    size_t len = 0, want = 0;
    int n;

    while (len + 1 < sizeof in && (n = get(p, in + len, sizeof in - 1 - len)) > 0) {
        len += (size_t)n;
        in[len] = 0;
        body = strstr(in, ends);
        if (!body)
            continue;
        if (strstr(in, "100-continue") && body + 4 == in + len)
            say(p, "HTTP/1.1 100 Continue\r\n\r\n");
        h = strcasestr(in, "\r\nContent-Length:");
        want = h ? strtoul(h + 17, NULL, 10) : 0;
        if (len >= (size_t)(body + 4 - in) + want)
            break;
    }
    if (body && sscanf(in, "%15s %255s", method, path) == 2)
        answer(s, p, method, path, body + 4, want);
}

static int ftp_data(struct peer *p, int *listener)
{
    int fd = accept(*listener, NULL, NULL);

    close(*listener);
    *listener = -1;
    say(p, "150 here\r\n");
    return fd;
}

static void ftp(struct server *s, struct peer *p)
{
    static const struct {
        const char *verb, *reply;
        /* clang-format off */
    } rows[] = {
        { "USER", "331 and\r\n" },
        { "PASS", "230 in\r\n" },
        { "PWD",  "257 \"/\"\r\n" },
        { "TYPE", "200 ok\r\n" },
        { "CWD",  "250 ok\r\n" },
        { "MKD",  "257 ok\r\n" },
        { "QUIT", "221 bye\r\n" }
    };
    /* clang-format on */
    char line[512], text[128];
    int listener = -1, fd, n;
    uint16_t port;

    say(p, "220 hello\r\n");
    while ((n = get(p, line, sizeof line - 1)) > 0) {
        bool known = false;

        line[n] = 0;
        line[strcspn(line, "\r\n")] = 0;
        if (!strncmp(line, "EPSV", 4)) {
            listener = listen_on(&port);
            snprintf(text, sizeof text, "229 go (|||%u|)\r\n", port);
            say(p, text);
        } else if (!strcmp(line, "SIZE image")) {
            snprintf(text, sizeof text, "213 %zu\r\n", sizeof IMAGE - 1);
            say(p, text);
        } else if (!strcmp(line, "RETR image")) {
            fd = ftp_data(p, &listener);
            put(&(struct peer){ fd, NULL }, IMAGE, sizeof IMAGE - 1);
            close(fd);
            say(p, "226 done\r\n");
        } else if (!strncmp(line, "STOR ", 5)) {
            fd = ftp_data(p, &listener);
            pthread_mutex_lock(&s->mutex);
            for (s->stored_len = 0; (n = (int)recv(fd, s->stored + s->stored_len,
                                                   sizeof s->stored - 1 - s->stored_len, 0)) > 0;)
                s->stored_len += (size_t)n;
            s->stored[s->stored_len] = 0;
            snprintf(s->where, sizeof s->where, "%.500s", line);
            pthread_mutex_unlock(&s->mutex);
            close(fd);
            say(p, "226 done\r\n");
        } else {
            for (size_t i = 0; i < AMP_COUNT(rows); i++)
                if (!strncmp(line, rows[i].verb, strlen(rows[i].verb))) {
                    say(p, rows[i].reply);
                    known = true;
                }
            if (!known)
                say(p, "550 no\r\n");
        }
    }
    if (listener >= 0)
        close(listener);
}

static void *serve(void *arg)
{
    struct server *s = arg;
    int fd;

    while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
        struct peer p = { fd, NULL };
        bool ok = true;

        s->asked++;
        if (s->tls) {
            p.ssl = SSL_new(s->tls);
            SSL_set_fd(p.ssl, fd);
            ok = SSL_accept(p.ssl) == 1;
        }
        if (ok)
            (s->ftp ? ftp : http)(s, &p);
        if (p.ssl) {
            if (ok)
                SSL_shutdown(p.ssl);
            SSL_free(p.ssl);
        }
        close(fd);
    }
    return NULL;
}

static void server_open(struct server *s, bool is_ftp, SSL_CTX *tls)
{
    memset(s, 0, sizeof *s);
    s->ftp = is_ftp;
    s->tls = tls;
    s->fd = listen_on(&s->port);
    pthread_mutex_init(&s->mutex, NULL);
    CHECK(pthread_create(&s->thread, NULL, serve, s) == 0, "thread");
}

static void server_close(struct server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
    pthread_mutex_destroy(&s->mutex);
}

/* ---- certificates ---- */

struct person {
    EVP_PKEY *key;
    X509 *x;
};

static void name_entry(X509_NAME *n, const char *cn)
{
    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
}

static void extend(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

/* `by` NULL: a root. Valid from `from_s` to `to_s`, seconds from now. */
static struct person person(const char *cn, const struct person *by, bool ec, long from_s,
                            long to_s)
{
    static long serial = 1;
    struct person p = { ec ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048), X509_new() };

    X509_set_version(p.x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(p.x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(p.x), from_s);
    X509_gmtime_adj(X509_getm_notAfter(p.x), to_s);
    X509_set_pubkey(p.x, p.key);
    name_entry(X509_get_subject_name(p.x), cn);
    X509_set_issuer_name(p.x, X509_get_subject_name(by ? by->x : p.x));
    extend(p.x, NID_basic_constraints, by ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (by)
        extend(p.x, NID_subject_alt_name, "IP:127.0.0.1");
    X509_sign(p.x, by ? by->key : p.key, EVP_sha256());
    return p;
}

static void forget(struct person *p)
{
    X509_free(p->x);
    EVP_PKEY_free(p->key);
}

static char *pem_of(const struct person *p)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text, *copy;
    long n;

    PEM_write_bio_X509(out, p->x);
    n = BIO_get_mem_data(out, &text);
    copy = strndup(text, (size_t)n);
    BIO_free(out);
    return copy;
}

static void save(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");

    CHECK(f && fputs(text, f) >= 0, "%s", path);
    if (f)
        fclose(f);
}

/* The list of an issuer with one certificate on it. */
static void put_on_list(const struct person *by, const struct person *who, const char *path)
{
    X509_CRL *list = X509_CRL_new();
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *from = X509_gmtime_adj(NULL, -60), *to = X509_gmtime_adj(NULL, 3600);
    FILE *f = fopen(path, "wb");

    X509_CRL_set_version(list, 1);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(by->x));
    X509_CRL_set1_lastUpdate(list, from);
    X509_CRL_set1_nextUpdate(list, to);
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(who->x));
    X509_REVOKED_set_revocationDate(entry, from);
    X509_CRL_add0_revoked(list, entry);
    X509_CRL_sign(list, by->key, EVP_sha256());
    CHECK(f && PEM_write_X509_CRL(f, list) == 1, "%s", path);
    if (f)
        fclose(f);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    X509_CRL_free(list);
}

/* Base64, as an image maker would do it. */
static void sign(const struct person *p, const char *text, char out[1200])
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how;
    unsigned char raw[800];
    size_t len = sizeof raw;

    EVP_DigestSignInit(md, &how, EVP_sha256(), NULL, p->key);
    if (EVP_PKEY_is_a(p->key, "RSA"))
        EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING);
    CHECK(EVP_DigestSign(md, raw, &len, (const unsigned char *)text, strlen(text)) == 1, "sign");
    EVP_EncodeBlock((unsigned char *)out, raw, (int)len);
    EVP_MD_CTX_free(md);
}

/* ---- one station's files ---- */

struct bench {
    struct posix_loop loop;
    struct posix_transfer *t;
    const struct amp_transfer *table;
    struct server server;
    bool over[AMP_ERRAND_UPLOAD + 1];
    int rc;
    bool silent; /* no entries */
};

static void on_done(void *ctx, enum amp_errand errand, int rc)
{
    struct bench *b = ctx;

    b->over[errand] = true;
    b->rc = rc;
}

static bool report(void *ctx, enum amp_source source, int64_t from_ms, int64_t to_ms, FILE *out)
{
    struct bench *b = ctx;

    (void)from_ms, (void)to_ms;
    if (out)
        fprintf(out, "log of source %d\n", source);
    return !b->silent;
}

static void bench_open(struct bench *b, const char *roots, const char *ca_file, bool is_ftp,
                       SSL_CTX *tls)
{
    struct posix_transfer_options o = { .data_dir = dir,
                                        .name = AMP_TEXT("CP 001"),
                                        .roots = roots,
                                        .ca_file = ca_file,
                                        .stall_s = 2,
                                        .size_max = BIG_MAX,
                                        .done = on_done,
                                        .report = report,
                                        .ctx = b };

    memset(b, 0, sizeof *b);
    CHECK(posix_loop_open(&b->loop, 1000, false) == 0, "loop");
    CHECK(posix_transfer_open(&b->loop, &o, &b->t) == 0, "open");
    b->table = posix_transfer_table(b->t);
    server_open(&b->server, is_ftp, tls);
}

static void bench_close(struct bench *b)
{
    posix_transfer_close(b->t);
    server_close(&b->server);
    posix_loop_close(&b->loop);
}

static int wait_for(struct bench *b, enum amp_errand errand)
{
    for (int i = 0; i < ROUNDS && !b->over[errand]; i++)
        posix_run_once(&b->loop, 100);
    CHECK(b->over[errand], "errand %d ends", errand);
    b->over[errand] = false;
    return b->rc;
}

static int fetch(struct bench *b, const char *scheme, const char *path)
{
    char url[256];
    int rc;

    snprintf(url, sizeof url, "%s://127.0.0.1:%u%s", scheme, b->server.port, path);
    rc = b->table->download(b->table->ctx, amp_text_of(url));
    return rc < 0 ? rc : wait_for(b, AMP_ERRAND_DOWNLOAD);
}

static int send_log(struct bench *b, const char *scheme, const char *path, char name[256])
{
    char url[256];
    struct amp_upload what = { AMP_SOURCE_DIAGNOSTICS, AMP_NO_TEXT, INT64_MIN, INT64_MAX };
    int n = b->table->name(b->table->ctx, what.source, what.from_ms, what.to_ms, name, 255), rc;

    CHECK(n > 0, "a name");
    name[n > 0 ? n : 0] = 0;
    snprintf(url, sizeof url, "%s://127.0.0.1:%u%s", scheme, b->server.port, path);
    what.url = amp_text_of(url);
    rc = b->table->upload(b->table->ctx, &what);
    return rc < 0 ? rc : wait_for(b, AMP_ERRAND_UPLOAD);
}

static bool exists(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/firmware/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* S147 */
static void test_http(void)
{
    struct bench b;
    char version[51];

    bench_open(&b, NULL, NULL, false, NULL);
    CHECK(!b.table->trust && !b.table->verify, "no signatures without roots");
    CHECK(posix_transfer_version(b.t, version) == AMP_E_ABSENT, "nothing was ever installed");
    CHECK(fetch(&b, "http", "/image") == 0, "%d", b.rc);
    CHECK(b.table->install(b.table->ctx) == 0 && wait_for(&b, AMP_ERRAND_INSTALL) == 0, "%d", b.rc);
    CHECK(posix_transfer_version(b.t, version) == 0 && !strcmp(version, "2.0-test"), "version");
    CHECK(!exists("CP%20001.download"), "moved");
    CHECK(b.table->install(b.table->ctx) == 0 && wait_for(&b, AMP_ERRAND_INSTALL) == 0,
          "once more is no error: %d", b.rc);
    CHECK(fetch(&b, "http", "/moved") == 0, "%d", b.rc);
    bench_close(&b);
}

/* S147: none of these leaves an image, and the one before stays */
static void test_http_failures(void)
{
    static const struct {
        const char *path;
        int rc;
        /* clang-format off */
    } rows[] = {
        { "/404",     AMP_E_IO },
        { "/403",     AMP_E_AUTH },
        { "/cut",     AMP_E_IO },
        { "/slow",    AMP_E_TIMEOUT },
        { "/large",   AMP_E_SIZE },
        { "/endless", AMP_E_SIZE },
        { "/to-file", AMP_E_SUPPORT }
    };
    /* clang-format on */
    struct bench b;
    char version[51];

    bench_open(&b, NULL, NULL, false, NULL);
    CHECK(fetch(&b, "http", "/image") == 0, "%d", b.rc);
    for (size_t i = 0; i < AMP_COUNT(rows); i++) {
        CHECK(fetch(&b, "http", rows[i].path) == rows[i].rc, "%s: %d", rows[i].path, b.rc);
        CHECK(exists("CP%20001.download"), "%s", rows[i].path);
        for (int n = 0; n < 16; n++) {
            char part[64];

            snprintf(part, sizeof part, "CP%%20001.part%d", n);
            CHECK(!exists(part), "%s leaves %s", rows[i].path, part);
        }
    }
    CHECK(fetch(&b, "gopher", "/image") == AMP_E_SUPPORT, "scheme");
    CHECK(b.table->download(b.table->ctx, AMP_TEXT("not a url")) == AMP_E_FORMAT, "no url");
    server_close(&b.server);
    CHECK(fetch(&b, "http", "/image") == AMP_E_IO, "nobody there: %d", b.rc);
    server_open(&b.server, false, NULL);
    CHECK(posix_transfer_version(b.t, version) == 0 && !strcmp(version, "2.0-test"), "as before");
    bench_close(&b);
}

/* What was canceled is not heard of, and the next one is not disturbed. */
static void test_cancel(void)
{
    struct bench b;
    char url[128];

    bench_open(&b, NULL, NULL, false, NULL);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/slow", b.server.port);
    CHECK(b.table->download(b.table->ctx, amp_text_of(url)) == 0, "begins");
    while (!b.server.asked)
        posix_run_once(&b.loop, 10);
    b.table->cancel(b.table->ctx, AMP_ERRAND_DOWNLOAD);
    CHECK(!b.over[AMP_ERRAND_DOWNLOAD], "silence");
    CHECK(fetch(&b, "http", "/image") == 0, "%d", b.rc);
    CHECK(b.table->download(b.table->ctx, amp_text_of(url)) == 0, "begins");
    bench_close(&b); /* in the middle */
}

/* S150 */
static void test_uploads(void)
{
    struct bench b;
    char name[256], where[600];

    bench_open(&b, NULL, NULL, false, NULL);
    CHECK(send_log(&b, "http", "/in", name) == 0, "%d", b.rc);
    snprintf(where, sizeof where, "PUT /in/%s", name);
    CHECK(!strcmp(b.server.where, where) && !strcmp(b.server.stored, "log of source 1\n"), "%s: %s",
          b.server.where, b.server.stored);
    CHECK(send_log(&b, "http", "/in/", name) == 0, "%d", b.rc);
    snprintf(where, sizeof where, "PUT /in/%s", name);
    CHECK(!strcmp(b.server.where, where), "%s", b.server.where);
    CHECK(send_log(&b, "http", "/post", name) == 0, "%d", b.rc);
    CHECK(!strcmp(b.server.where, "POST /post") && !strcmp(b.server.stored, "log of source 1\n"),
          "%s", b.server.where);
    CHECK(send_log(&b, "http", "/in?key=1", name) == 0, "%d", b.rc);
    CHECK(!strcmp(b.server.where, "PUT /in?key=1"), "%s", b.server.where);
    CHECK(send_log(&b, "http", "/403", name) == AMP_E_AUTH, "%d", b.rc);
    b.silent = true;
    CHECK(b.table->name(b.table->ctx, AMP_SOURCE_SECURITY, 0, 0, name, 255) == 0, "nothing there");
    bench_close(&b);
}

static void test_ftp(void)
{
    struct bench b;
    char name[256], where[300];

    bench_open(&b, NULL, NULL, true, NULL);
    CHECK(fetch(&b, "ftp", "/image") == 0, "%d", b.rc);
    CHECK(fetch(&b, "ftp", "/other") < 0, "no such file");
    CHECK(send_log(&b, "ftp", "/in/", name) == 0, "%d", b.rc);
    snprintf(where, sizeof where, "STOR %s", name);
    CHECK(!strcmp(b.server.where, where) && !strcmp(b.server.stored, "log of source 1\n"), "%s: %s",
          b.server.where, b.server.stored);
    bench_close(&b);
}

/* Only from a server that somebody known vouches for. */
static void test_https(void)
{
    struct person root = person("Server Root", NULL, true, -60, 3600);
    struct person host = person("127.0.0.1", &root, true, -60, 3600);
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    char ca[256], *pem = pem_of(&root);
    struct bench b;

    snprintf(ca, sizeof ca, "%s/server-root.pem", dir);
    save(ca, pem);
    CHECK(SSL_CTX_use_certificate(tls, host.x) == 1 && SSL_CTX_use_PrivateKey(tls, host.key) == 1,
          "server");
    bench_open(&b, NULL, ca, false, tls);
    CHECK(fetch(&b, "https", "/image") == 0, "%d", b.rc);
    bench_close(&b);
    bench_open(&b, NULL, NULL, false, tls);
    CHECK(fetch(&b, "https", "/image") == AMP_E_IO, "an unknown server: %d", b.rc);
    bench_close(&b);
    free(pem);
    SSL_CTX_free(tls);
    forget(&host);
    forget(&root);
}

/* S160: RSA-PSS and ECDSA, the wrong signer, another image */
static void test_signatures(void)
{
    struct person root = person("Maker Root", NULL, false, -7200, 7200);
    struct person other = person("Other Root", NULL, false, -7200, 7200);
    struct person rsa = person("Signer", &root, false, -60, 3600);
    struct person ec = person("Signer 2", &root, true, -60, 3600);
    struct person stranger = person("Stranger", &other, false, -60, 3600);
    struct person old = person("Expired", &root, false, -7200, -3600);
    const struct person *good[] = { &rsa, &ec }, *bad[] = { &stranger, &old, &other };
    char roots[256], path[300], signature[1200], *pem = pem_of(&root);
    struct bench b;

    snprintf(roots, sizeof roots, "%s/roots", dir);
    CHECK(mkdtemp(strcpy(path, "/tmp/amp-roots-XXXXXX")) != NULL && rename(path, roots) == 0,
          "folder");
    snprintf(path, sizeof path, "%s/maker.pem", roots);
    save(path, pem);
    free(pem);
    snprintf(path, sizeof path, "%s/central-1.pem",
             roots); /* vouches for servers, not for images */
    pem = pem_of(&other);
    save(path, pem);
    free(pem);
    bench_open(&b, roots, NULL, false, NULL);
    CHECK(fetch(&b, "http", "/image") == 0, "%d", b.rc);
    for (size_t i = 0; i < AMP_COUNT(good); i++) {
        pem = pem_of(good[i]);
        sign(good[i], IMAGE, signature);
        CHECK(b.table->trust(b.table->ctx, amp_text_of(pem), amp_text_of(signature)) == 0, "%zu",
              i);
        CHECK(b.table->verify(b.table->ctx) == 0 && wait_for(&b, AMP_ERRAND_VERIFY) == 0, "%zu: %d",
              i, b.rc);
        sign(good[i], IMAGE "?", signature);
        CHECK(b.table->trust(b.table->ctx, amp_text_of(pem), amp_text_of(signature)) == 0, "%zu",
              i);
        CHECK(b.table->verify(b.table->ctx) == 0 && wait_for(&b, AMP_ERRAND_VERIFY) == AMP_E_AUTH,
              "another image: %d", b.rc);
        CHECK(b.table->trust(b.table->ctx, amp_text_of(pem), AMP_TEXT("no base64")) == 0, "%zu", i);
        CHECK(b.table->verify(b.table->ctx) == 0 && wait_for(&b, AMP_ERRAND_VERIFY) == AMP_E_AUTH,
              "nonsense: %d", b.rc);
        free(pem);
    }
    for (size_t i = 0; i < AMP_COUNT(bad); i++) {
        pem = pem_of(bad[i]);
        CHECK(b.table->trust(b.table->ctx, amp_text_of(pem), amp_text_of(signature)) == AMP_E_AUTH,
              "%zu", i);
        free(pem);
    }
    CHECK(b.table->trust(b.table->ctx, AMP_TEXT("no PEM"), AMP_TEXT("x")) == AMP_E_AUTH, "no PEM");
    snprintf(path, sizeof path, "%s/maker.crl", roots);
    put_on_list(&root, &rsa, path);
    for (size_t i = 0; i < AMP_COUNT(good); i++) {
        pem = pem_of(good[i]);
        CHECK(b.table->trust(b.table->ctx, amp_text_of(pem), amp_text_of(signature)) ==
                  (good[i] == &rsa ? AMP_E_STATE : 0),
              "%zu", i);
        free(pem);
    }
    bench_close(&b);
    forget(&root);
    forget(&other);
    forget(&rsa);
    forget(&ec);
    forget(&stranger);
    forget(&old);
}

static void test_images(void)
{
    static const struct {
        const char *text;
        int rc;
    } rows[] = { { "amperstand-firmware 1.2\nrest", 0 },
                 { "amperstand-firmware 1.2\r\n", 0 },
                 { "amperstand-firmware 1.2", AMP_E_CORRUPT },
                 { "amperstand-firmware \n", AMP_E_CORRUPT },
                 { "amperstand-firmware a b\n", AMP_E_CORRUPT },
                 { "amperstand-firmware 123456789012345678901234567890123456789012345678901\n",
                   AMP_E_CORRUPT },
                 { "<html>", AMP_E_CORRUPT },
                 { "", AMP_E_CORRUPT } };
    char path[256], version[51];

    snprintf(path, sizeof path, "%s/image", dir);
    for (size_t i = 0; i < AMP_COUNT(rows); i++) {
        save(path, rows[i].text);
        CHECK(posix_image_version(path, version) == rows[i].rc, "%s", rows[i].text);
        CHECK(rows[i].rc || !strcmp(version, "1.2"), "%s", version);
    }
    unlink(path);
    CHECK(posix_image_version(path, version) == AMP_E_ABSENT, "no file");
}

int main(void)
{
    char command[128];
    int rc;

    signal(SIGPIPE, SIG_IGN);
    if (!mkdtemp(dir))
        return 1;
    RUN(test_http);
    RUN(test_http_failures);
    RUN(test_cancel);
    RUN(test_uploads);
    RUN(test_ftp);
    RUN(test_https);
    RUN(test_signatures);
    RUN(test_images);
    snprintf(command, sizeof command, "rm -r '%s'", dir);
    rc = system(command);
    return rc ? rc : check_end();
}
