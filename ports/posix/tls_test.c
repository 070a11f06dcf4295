/* ports/posix/tls_test.c - against a real TLS server (OpenSSL, in a thread) with certificates of
 * all kinds. station-1.6 156; ocpp-facts S8, S9. */
#include "ports/posix/ca_test.h"
#include "ports/posix/link.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
    const struct ca_cert *cert;
    const struct ca_cert *demand; /* clients must have a certificate of this authority */
    int least, most;              /* TLS versions; 0: as OpenSSL likes */
    const char *suites;           /* of TLS 1.2; NULL: all */
    const char *text;             /* said instead of a handshake */
    int fd, listening;
    char version[16], suite[64];
};

static struct ca_cert root, other;

static void *serve(void *arg)
{
    struct server *s = arg;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL *ssl;
    char data[4096];
    int n;

    if (s->listening)
        s->fd = accept(s->listening, NULL, NULL);
    SSL_CTX_set_min_proto_version(ctx, s->least);
    SSL_CTX_set_max_proto_version(ctx, s->most);
    SSL_CTX_set_cipher_list(ctx, s->suites ? s->suites : "ALL:@SECLEVEL=0");
    SSL_CTX_use_certificate(ctx, s->cert->x);
    SSL_CTX_use_PrivateKey(ctx, s->cert->key);
    if (s->demand) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), s->demand->x);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    ssl = SSL_new(ctx);
    SSL_set_fd(ssl, s->fd);
    if (s->text) {
        n = (int)write(s->fd, s->text, strlen(s->text));
    } else if (SSL_accept(ssl) == 1) {
        snprintf(s->version, sizeof s->version, "%s", SSL_get_version(ssl));
        snprintf(s->suite, sizeof s->suite, "%s", SSL_get_cipher_name(ssl));
        while ((n = SSL_read(ssl, data, sizeof data)) > 0)
            if (SSL_write(ssl, data, n) <= 0)
                break;
        SSL_shutdown(ssl);
    }
    ERR_clear_error();
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    shutdown(s->fd, SHUT_WR);
    while (read(s->fd, data, sizeof data) > 0)
        ;
    close(s->fd);
    return NULL;
}

static void wait_fd(const struct posix_tls *t)
{
    struct pollfd p = { t->fd, (short)(posix_tls_wants_write(t) ? POLLOUT : POLLIN), 0 };

    CHECK(poll(&p, 1, 20000) == 1, "something happens");
}

/* Handshake and one echo. 0, or what went wrong. */
static int talk(struct posix_tls *t)
{
    char out[64];
    int rc, n;

    while ((rc = posix_tls_handshake(t)) == 0)
        wait_fd(t);
    if (rc < 0)
        return rc;
    if (posix_tls_write(t, "hello", 5) != 5)
        return AMP_E_IO;
    while ((n = posix_tls_read(t, out, sizeof out)) == 0)
        wait_fd(t);
    if (n < 0)
        return n;
    CHECK(n == 5 && !memcmp(out, "hello", 5), "an echo");
    return 0;
}

/* One connection to `s`; rc of talk, and the state of the client for a look. */
static int meet(struct server *s, const char *host, struct posix_tls_options *o,
                struct posix_tls *t)
{
    pthread_t thread;
    int ends[2], rc;

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0, "a pair");
    s->fd = ends[1];
    CHECK(fcntl(s->fd, F_SETFL, 0) == 0, "the server waits");
    CHECK(pthread_create(&thread, NULL, serve, s) == 0, "a thread");
    rc = posix_tls_open(t, ends[0], amp_text_of(host), o);
    if (rc == 0)
        rc = talk(t);
    posix_tls_close(t);
    close(ends[0]);
    pthread_join(thread, NULL);
    return rc;
}

static struct posix_pki *trusting(const struct ca_cert *ca)
{
    struct posix_pki *p = NULL;
    const struct amp_pki *t;
    const char *why = "";

    CHECK(posix_pki_open(NULL, &p) == 0, "open");
    t = posix_pki_table(p);
    CHECK(t->install(t->ctx, AMP_ROOT_CENTRAL, ca_pem(ca->x), 10, false, ca_now(), &why) == 0, "%s",
          why);
    return p;
}

/* S156: whom we believe */
static void test_certificates(void)
{
    static const char *const names = "DNS:localhost,IP:127.0.0.1";
    const struct {
        const char *text, *host;
        struct ca_wish wish;
        bool good;
        const char *why; /* part of it */
    } cases[] = {
        { "good", "localhost", { .name = "x", .san = names, .by = &root }, true, NULL },
        { "by RSA",
          "localhost",
          { .name = "x", .san = names, .by = &root, .rsa_bits = 2048 },
          true,
          NULL },
        { "only a CN", "localhost", { .name = "localhost", .by = &root }, true, NULL },
        { "an address", "127.0.0.1", { .name = "x", .san = names, .by = &root }, true, NULL },
        { "any case", "LocalHost", { .name = "x", .san = names, .by = &root }, true, NULL },
        { "another name",
          "central.test",
          { .name = "x", .san = names, .by = &root },
          false,
          "ostname mismatch" },
        { "CN beside names",
          "central.test",
          { .name = "central.test", .san = names, .by = &root },
          false,
          "ostname" },
        { "another address",
          "127.0.0.2",
          { .name = "x", .san = names, .by = &root },
          false,
          "IP address mismatch" },
        { "one label",
          "a.central.test",
          { .name = "x", .san = "DNS:*.central.test", .by = &root },
          true,
          NULL },
        { "two labels",
          "a.b.central.test",
          { .name = "x", .san = "DNS:*.central.test", .by = &root },
          false,
          "ostname" },
        { "no label",
          "central.test",
          { .name = "x", .san = "DNS:*.central.test", .by = &root },
          false,
          "ostname" },
        { "half a label",
          "ab.central.test",
          { .name = "x", .san = "DNS:a*.central.test", .by = &root },
          false,
          "ostname" },
        { "expired",
          "localhost",
          { .name = "x", .san = names, .by = &root, .from_s = -99, .to_s = -9 },
          false,
          "expired" },
        { "not yet",
          "localhost",
          { .name = "x", .san = names, .by = &root, .from_s = 900, .to_s = 999 },
          false,
          "not yet valid" },
        { "unknown authority",
          "localhost",
          { .name = "x", .san = names, .by = &other },
          false,
          "unable to get local issuer" },
        { "its own authority", "localhost", { .name = "x", .san = names }, false, "self-signed" },
        { "weak key",
          "localhost",
          { .name = "x", .san = names, .by = &root, .rsa_bits = 1024 },
          false,
          "key too" },
    };
    struct posix_pki *pki = trusting(&root);

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct ca_cert c = ca_make(&cases[i].wish);
        struct server s = { .cert = &c };
        struct posix_tls_options o = { .pki = pki, .unix_ms = i % 2 ? ca_now() : 0 };
        struct posix_tls t;
        int rc = meet(&s, cases[i].host, &o, &t);

        CHECK((rc == 0) == cases[i].good, "%s: %d %s", cases[i].text, rc, t.why);
        if (!cases[i].good)
            CHECK(t.failed && t.fault == AMP_TLS_CERTIFICATE && strstr(t.why, cases[i].why),
                  "%s: %s", cases[i].text, t.why);
        ca_free(&c);
    }
    posix_pki_close(pki);
}

/* The time that counts is the station's. */
static void test_time(void)
{
    struct ca_cert c = ca_make(&(struct ca_wish){ .name = "localhost", .by = &root });
    struct posix_pki *pki = trusting(&root);
    struct server s = { .cert = &c };
    struct posix_tls_options o = { .pki = pki, .unix_ms = ca_now() + INT64_C(500) * CA_DAY * 1000 };
    struct posix_tls t;

    CHECK(meet(&s, "localhost", &o, &t) < 0 && strstr(t.why, "expired"), "%s", t.why);
    posix_pki_close(pki);
    ca_free(&c);
}

/* S156, ocpp-facts S8, S9: versions and cipher suites */
static void test_versions(void)
{
    const struct {
        const char *text;
        int least, most;
        const char *suites;
        bool rsa, strict;
        int fault; /* -1: fine */
        const char *suite;
    } cases[] = {
        { "1.3", 0, 0, NULL, false, false, -1, "TLS_AES_128_GCM_SHA256" },
        { "1.2", 0, TLS1_2_VERSION, NULL, false, false, -1, "ECDHE-ECDSA-AES128-GCM-SHA256" },
        { "1.2 by RSA", 0, TLS1_2_VERSION, NULL, true, false, -1, "ECDHE-RSA-AES128-GCM-SHA256" },
        { "an old one", 0, TLS1_2_VERSION, "AES256-GCM-SHA384", true, false, -1,
          "AES256-GCM-SHA384" },
        { "an old one, not wanted", 0, TLS1_2_VERSION, "AES256-GCM-SHA384", true, true,
          AMP_TLS_CIPHER, NULL },
        { "CBC", 0, TLS1_2_VERSION, "AES128-SHA:@SECLEVEL=0", true, false, AMP_TLS_CIPHER, NULL },
        { "1.1", TLS1_VERSION, TLS1_1_VERSION, NULL, false, false, AMP_TLS_VERSION, NULL },
    };
    struct posix_pki *pki = trusting(&root);

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct ca_cert c = ca_make(&(struct ca_wish){
            .name = "localhost", .by = &root, .rsa_bits = cases[i].rsa ? 2048 : 0 });
        struct server s = {
            .cert = &c, .least = cases[i].least, .most = cases[i].most, .suites = cases[i].suites
        };
        struct posix_tls_options o = { .pki = pki, .no_plain_rsa = cases[i].strict };
        struct posix_tls t;
        int rc = meet(&s, "localhost", &o, &t);

        CHECK((rc == 0) == (cases[i].fault < 0), "%s: %d %s", cases[i].text, rc, t.why);
        if (rc == 0)
            CHECK(!strcmp(s.suite, cases[i].suite), "%s: %s", cases[i].text, s.suite);
        else
            CHECK(t.failed && (int)t.fault == cases[i].fault, "%s: %d %s", cases[i].text,
                  (int)t.fault, t.why);
        ca_free(&c);
    }
    posix_pki_close(pki);
}

static void test_no_tls(void)
{
    struct ca_cert c = ca_make(&(struct ca_wish){ .name = "localhost", .by = &root });
    struct posix_pki *pki = trusting(&root);
    struct server s = { .cert = &c, .text = "HTTP/1.1 400 Bad Request\r\n\r\n" };
    struct posix_tls_options o = { .pki = pki };
    struct posix_tls t;

    CHECK(meet(&s, "localhost", &o, &t) < 0 && t.failed && t.fault == AMP_TLS_OTHER, "%s", t.why);
    s.text = "";
    CHECK(meet(&s, "localhost", &o, &t) < 0 && t.failed && t.fault == AMP_TLS_OTHER, "%s", t.why);
    posix_pki_close(pki);
    ca_free(&c);
}

/* Profile 3: the server wants to see ours. */
static void test_client_certificate(void)
{
    struct ca_cert c = ca_make(&(struct ca_wish){ .name = "localhost", .by = &root });
    struct ca_cert mine = ca_make(&(struct ca_wish){ .name = "CP001", .by = &root });
    struct ca_cert strange = ca_make(&(struct ca_wish){ .name = "CP001", .by = &other });
    char cert[64], key[64];

    snprintf(cert, sizeof cert, "/tmp/amp-tls-%d.crt", (int)getpid());
    snprintf(key, sizeof key, "/tmp/amp-tls-%d.key", (int)getpid());
    for (int most = TLS1_2_VERSION; most <= TLS1_3_VERSION; most++) {
        struct server s = { .cert = &c, .demand = &root, .most = most };
        struct posix_pki *pki = trusting(&root), *wrong = trusting(&root);
        struct posix_tls_options o = { .pki = pki };
        struct posix_tls t;

        CHECK(meet(&s, "localhost", &o, &t) < 0 && t.failed && t.fault == AMP_TLS_OURS, "%x: %d %s",
              (unsigned)most, (int)t.fault, t.why);
        o.certificate = true;
        CHECK(meet(&s, "localhost", &o, &t) == AMP_E_ABSENT && t.fault == AMP_TLS_OURS, "%s",
              t.why);
        ca_write(cert, &mine, false);
        ca_write(key, &mine, true);
        CHECK(posix_pki_own(pki, cert, key) == 0, "own");
        CHECK(meet(&s, "localhost", &o, &t) == 0, "%x: %s", (unsigned)most, t.why);
        ca_write(cert, &strange, false);
        ca_write(key, &strange, true);
        CHECK(posix_pki_own(wrong, cert, key) == 0, "own");
        o.pki = wrong;
        CHECK(meet(&s, "localhost", &o, &t) < 0 && t.fault == AMP_TLS_OURS, "%x: %d %s",
              (unsigned)most, (int)t.fault, t.why);
        posix_pki_close(pki);
        posix_pki_close(wrong);
    }
    unlink(cert);
    unlink(key);
    ca_free(&c);
    ca_free(&mine);
    ca_free(&strange);
}

/* S158: the root that proved the central system cannot be deleted */
static void test_root_in_use(void)
{
    struct ca_cert c = ca_make(&(struct ca_wish){ .name = "localhost", .by = &root });
    struct posix_pki *pki = trusting(&root);
    const struct amp_pki *p = posix_pki_table(pki);
    struct server s = { .cert = &c };
    struct posix_tls_options o = { .pki = pki };
    struct amp_certificate_id id;
    struct posix_tls t;

    CHECK(meet(&s, "localhost", &o, &t) == 0, "%s", t.why);
    CHECK(p->list(p->ctx, AMP_ROOT_CENTRAL, 0, &id) == 0 && p->remove(p->ctx, &id) == AMP_E_STATE,
          "in use");
    posix_pki_close(pki);
    ca_free(&c);
}

/* ---- the link on top of it ---- */

#define LARGE (4 * 1024 * 1024)

static struct posix_loop loop;
static struct posix_link link_;
static struct {
    int connected, closed;
    size_t sent, got;
    char why[128];
} saw;

static void push(void)
{
    static char block[65536];

    while (saw.sent < LARGE) {
        size_t n = LARGE - saw.sent < sizeof block ? LARGE - saw.sent : sizeof block;
        int rc;

        for (size_t i = 0; i < n; i++)
            block[i] = (char)((saw.sent + i) * 7 >> 3);
        rc = posix_link_send(&link_, block, n);
        CHECK(rc >= 0, "send: %d", rc);
        if (rc <= 0)
            return;
        saw.sent += (size_t)rc;
    }
}

static void on_connected(void *ctx)
{
    (void)ctx;
    saw.connected++;
    push();
}

static void on_received(void *ctx, const void *data, size_t len)
{
    const char *p = data;

    (void)ctx;
    for (size_t i = 0; i < len; i++)
        if (p[i] != (char)((saw.got + i) * 7 >> 3)) {
            CHECK(false, "byte %zu", saw.got + i);
            break;
        }
    saw.got += len;
}

static void on_writable(void *ctx)
{
    (void)ctx;
    push();
}

static void on_closed(void *ctx, const char *why)
{
    (void)ctx;
    saw.closed++;
    snprintf(saw.why, sizeof saw.why, "%s", why);
}

static const struct posix_link_events events = { on_connected, on_received, on_writable,
                                                 on_closed };

static int listener(uint16_t *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&at, len) == 0 && listen(fd, 5) == 0 &&
              getsockname(fd, (struct sockaddr *)&at, &len) == 0,
          "a listener");
    *port = ntohs(at.sin_port);
    return fd;
}

/* Much in both directions at once, through sockets that fill up; then a bad certificate. */
static void test_link(void)
{
    for (int good = 1; good >= 0; good--) {
        struct ca_cert c = ca_make(
            &(struct ca_wish){ .name = "x", .san = "IP:127.0.0.1", .by = good ? &root : &other });
        struct posix_pki *pki = trusting(&root);
        struct posix_tls_options o = { .pki = pki };
        struct server s = { .cert = &c };
        uint16_t port = 0;
        pthread_t thread;

        memset(&saw, 0, sizeof saw);
        s.listening = listener(&port);
        CHECK(posix_loop_open(&loop, 1000, false) == 0, "loop");
        posix_link_init(&link_, &loop, &events, &saw);
        CHECK(pthread_create(&thread, NULL, serve, &s) == 0, "a thread");
        CHECK(posix_link_open_tls(&link_, AMP_TEXT("127.0.0.1"), port, &o) == 0, "open");
        for (int i = 0; i < 100000 && saw.got < LARGE && !saw.closed; i++)
            posix_run_once(&loop, 1000);
        CHECK(saw.connected == good && saw.closed == !good, "%d: %s", good, saw.why);
        CHECK(!good || (saw.got == LARGE && saw.sent == LARGE), "%zu back", saw.got);
        CHECK(good || (link_.tls.failed && link_.tls.fault == AMP_TLS_CERTIFICATE), "%s", saw.why);
        posix_link_close(&link_);
        pthread_join(thread, NULL);
        posix_loop_close(&loop);
        close(s.listening);
        posix_pki_close(pki);
        ca_free(&c);
    }
}

int main(void)
{
    root = ca_make(&(struct ca_wish){ .name = "Root", .authority = true });
    other = ca_make(&(struct ca_wish){ .name = "Other", .authority = true });
    signal(SIGPIPE, SIG_IGN); /* the server's writes; ours do not raise it */
    RUN(test_certificates);
    RUN(test_time);
    RUN(test_versions);
    RUN(test_no_tls);
    RUN(test_client_certificate);
    RUN(test_root_in_use);
    RUN(test_link);
    ca_free(&root);
    ca_free(&other);
    return check_end();
}
