/* central/net/tls_test.c - TLS on real sockets: which suites and certificates are offered, who is
 * refused, large and slow messages, tickets, certificates renewed under way. ocpp-facts S8-S10. */
#include "central/net/tls_stage.h"

static struct ca_cert root, other, rsa, ecdsa;
static char dir[] = "/tmp/amp-tls-XXXXXX", rsa_path[64], ecdsa_path[64], root_path[64],
            crl_path[64];

static void on_request(void *ctx, const struct net_request *r)
{
    struct stage *s = ctx;

    s->requests++;
    s->last = r->conn;
    CHECK(net_secure(r->conn) == (r->head->path.len != 6), "it knows how it came");
    if (r->head->upgrade)
        net_upgrade(r->conn, r->head, AMP_NO_TEXT);
    else
        net_respond(r->conn, 200, "text/plain", "", r->body.at, r->body.len);
}

/* An echo. */
static void on_message(void *ctx, struct net_conn *c, enum amp_ws_opcode op, struct amp_text data)
{
    struct stage *s = ctx;

    s->messages++;
    net_send(c, op, data.at, data.len);
}

static void on_closed(void *ctx, struct net_conn *c, int code, const char *why)
{
    struct stage *s = ctx;

    (void)c;
    s->closed++;
    s->close_code = code;
    snprintf(s->close_why, sizeof s->close_why, "%s", why);
}

static char refused_name[64];

static void on_refused(void *ctx, const struct net_refusal *r)
{
    struct stage *s = ctx;

    s->refused++;
    s->refused_status = r->status;
    snprintf(s->refused_why, sizeof s->refused_why, "%s", r->why);
    snprintf(refused_name, sizeof refused_name, "%s", r->name ? r->name : "");
}

static const struct net_handler handler = { .on_request = on_request,
                                            .on_message = on_message,
                                            .on_closed = on_closed,
                                            .on_refused = on_refused };

static struct net_config config(void)
{
    return (struct net_config){ .tls_listen = "127.0.0.1:0",
                                .tls_strict = "127.0.0.1:0",
                                .tls = { .cert = { rsa_path, ecdsa_path },
                                         .client_ca = { root_path } } };
}

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

static bool served(struct stage *s, struct tls_peer *p)
{
    return tls_send(s, p, GET, strlen(GET)) && !strncmp(tls_answer(s, p), "HTTP/1.1 200 ", 13);
}

/* S9: four suites with two certificates, ECDHE-RSA beside plain RSA; nothing older or weaker. */
static void test_suites(void)
{
    static const struct {
        const char *why, *ciphers;
        int version;
        bool ok, plain_rsa_off;
        const char *suite;
    } cases[] = {
        { "the newest", NULL, 0, true, false, "TLS_AES_128_GCM_SHA256" },
        { "ECDSA", "ECDHE-ECDSA-AES128-GCM-SHA256", 0, true, false, NULL },
        { "ECDSA, long", "ECDHE-ECDSA-AES256-GCM-SHA384", 0, true, false, NULL },
        { "plain RSA", "AES128-GCM-SHA256", 0, true, false, NULL },
        { "plain RSA, long", "AES256-GCM-SHA384", 0, true, false, NULL },
        { "RSA with ECDHE", "ECDHE-RSA-AES128-GCM-SHA256", 0, true, false, NULL },
        { "plain RSA switched off", "AES128-GCM-SHA256", 0, false, true, NULL },
        { "CBC", "ECDHE-RSA-AES128-SHA", 0, false, false, NULL },
        { "TLS 1.1", NULL, TLS1_1_VERSION, false, false, NULL },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct net_config c = config();
        struct tls_wish w = { .trust = &root,
                              .ciphers = cases[i].ciphers,
                              .version = cases[i].version };
        struct tls_peer p;
        struct stage s;
        bool ok;

        c.tls.no_plain_rsa = cases[i].plain_rsa_off;
        stage_open(&s, &c, &handler);
        ok = tls_connect(&s, &w, &p);
        CHECK(ok == cases[i].ok, "%s: %d", cases[i].why, ok);
        if (ok) {
            CHECK(!strcmp(SSL_get_cipher(p.ssl),
                          cases[i].suite ? cases[i].suite : cases[i].ciphers),
                  "%s: %s", cases[i].why, SSL_get_cipher(p.ssl));
            CHECK(served(&s, &p), "%s: served", cases[i].why);
        } else {
            UNTIL(&s, s.refused == 1);
            CHECK(!strncmp(s.refused_why, "TLS: ", 5) && s.refused_status == 0, "%s: %s",
                  cases[i].why, s.refused_why);
        }
        tls_close(&p);
        stage_close(&s);
    }
}

/* Frames larger than a record, many at once, and a byte at a time. */
static void test_messages(void)
{
    static char big[300000], back[300016];
    uint8_t *frame = malloc(sizeof big + 16);
    struct net_config c = config();
    struct tls_peer p;
    struct stage s;
    char text[64];
    size_t len, n;

    stage_open(&s, &c, &handler);
    CHECK(tls_connect(&s, &(struct tls_wish){ .trust = &root }, &p), "shakes hands");
    tls_send(&s, &p, UPGRADE, strlen(UPGRADE));
    CHECK(!strncmp(tls_answer(&s, &p), "HTTP/1.1 101 ", 13), "an upgrade");
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)('a' + i % 26);
    n = peer_frame(frame, 0x81, big, sizeof big);
    tls_send(&s, &p, frame, n);
    CHECK(tls_frame(&s, &p, back, sizeof back, &len) == 0x81 && len == sizeof big &&
              !memcmp(back, big, len),
          "300 kB there and back: %zu", len);
    for (int i = 0; i < 50; i++) {
        n = peer_frame(frame, 0x81, "hello", 5);
        if (i % 10 == 9)
            for (size_t k = 0; k < n; k++)
                tls_send(&s, &p, frame + k, 1);
        else
            tls_send(&s, &p, frame, n);
    }
    for (int i = 0; i < 50; i++)
        CHECK(tls_frame(&s, &p, text, sizeof text, NULL) == 0x81 && !strcmp(text, "hello"), "%d",
              i);
    SSL_shutdown(p.ssl);
    UNTIL(&s, s.closed == 1);
    CHECK(s.close_code == AMP_WS_LOST, "no close frame: %d", s.close_code);
    tls_close(&p);
    free(frame);
    stage_close(&s);
}

/* Two requests in one record: the second waits inside TLS while the first is answered. */
static void test_pipelined(void)
{
    struct net_config c = config();
    struct tls_peer p;
    struct stage s;

    stage_open(&s, &c, &handler);
    CHECK(tls_connect(&s, &(struct tls_wish){ .trust = &root }, &p), "shakes hands");
    tls_send(&s, &p, GET GET GET, 3 * strlen(GET));
    for (int i = 0; i < 3; i++)
        CHECK(!strncmp(tls_answer(&s, &p), "HTTP/1.1 200 ", 13), "answer %d", i);
    tls_close(&p);
    stage_close(&s);
}

/* Nobody, one of ours, one of another authority, one that has run out, one that was revoked; on the
 * address that asks and on the one that demands. */
static void test_clients(void)
{
    struct ca_cert good = ca_make(&(struct ca_wish){ .name = "CP1", .by = &root });
    struct ca_cert foreign = ca_make(&(struct ca_wish){ .name = "CP2", .by = &other });
    struct ca_cert late = ca_make(
        &(struct ca_wish){ .name = "CP3", .by = &root, .from_s = -2 * CA_DAY, .to_s = -CA_DAY });
    struct ca_cert gone = ca_make(&(struct ca_wish){ .name = "CP4", .by = &root, .serial = 4711 });
    const struct {
        const char *name;
        const struct ca_cert *own;
        bool asked, demanded;
        const char *why;
    } cases[] = {
        { "", NULL, true, false, "did not return a certificate" },
        { "CP1", &good, true, true, NULL },
        { "CP2", &foreign, false, false, "unable to get local issuer" },
        { "CP3", &late, false, false, "has expired" },
        { "CP4", &gone, false, false, "revoked" },
    };
    struct net_config c = config();

    c.tls.client_crl = crl_path;
    for (size_t i = 0; i < 2 * AMP_COUNT(cases); i++) {
        const char *name = cases[i / 2].name;
        bool strict = i % 2, ok = strict ? cases[i / 2].demanded : cases[i / 2].asked, in;
        struct tls_wish w = { .trust = &root, .own = cases[i / 2].own };
        struct tls_peer p;
        struct stage s;

        stage_open(&s, &c, &handler);
        w.address = s.net->listeners[1 + strict].address;
        in = tls_connect(&s, &w, &p) && served(&s, &p); /* in 1.3 a refusal comes afterwards */
        CHECK(in == ok, "%s %d: %d", name, strict, in);
        if (in) {
            X509 *x = net_certificate(s.last);

            CHECK(!x == !w.own, "%s: a certificate", name);
            CHECK(!x || X509_cmp(x, w.own->x) == 0, "%s: it is that one", name);
        } else {
            UNTIL(&s, s.refused == 1);
            CHECK(strstr(s.refused_why, cases[i / 2].why), "%s: %s", name, s.refused_why);
            CHECK(!strcmp(refused_name, name), "%s: it was '%s'", name, refused_name);
        }
        tls_close(&p);
        stage_close(&s);
    }
    ca_free(&good), ca_free(&foreign), ca_free(&late), ca_free(&gone);
}

/* A station that comes back does not pay for keys again; also not after a reload, and not by the
 * ticket of another server. */
static void test_resumption(void)
{
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

    for (size_t i = 0; i < AMP_COUNT(versions); i++) {
        struct net_config c = config();
        struct ca_cert own = ca_make(&(struct ca_wish){ .name = "CP1", .by = &root });
        struct tls_wish w = { .trust = &root, .own = &own, .version = versions[i] };
        struct net_stats stats;
        struct tls_peer p;
        struct stage s;
        char *why = NULL;

        stage_open(&s, &c, &handler);
        for (int k = 0; k < 4; k++) {
            if (k == 2) /* a reload */
                CHECK(net_reload(s.net, &why) == 0, "%s", why ? why : "");
            if (k == 3) { /* a restart: another process has other keys */
                stage_close(&s);
                stage_open(&s, &c, &handler);
            }
            CHECK(tls_connect(&s, &w, &p) && served(&s, &p), "connection %d", k);
            CHECK(SSL_session_reused(p.ssl) == (k == 1 || k == 2), "connection %d", k);
            CHECK(net_certificate(s.last) != NULL, "the certificate is known all the same");
            SSL_SESSION_free(w.resume);
            w.resume = SSL_get1_session(p.ssl);
            SSL_shutdown(p.ssl);
            tls_close(&p);
            net_stats(s.net, &stats);
            CHECK(k == 3 || stats.tls_resumed == (uint64_t)(k < 2 ? k : 2), "counted %d",
                  (int)stats.tls_resumed);
        }
        SSL_SESSION_free(w.resume);
        ca_free(&own);
        stage_close(&s);
    }
}

/* A certificate that was renewed is shown to newcomers within some ticks; one that is broken is
 * not taken; those inside notice nothing. */
static void test_renewal(void)
{
    struct ca_cert fresh = ca_make(&(struct ca_wish){ .name = "fresh", .by = &root });
    struct net_config c = config();
    struct tls_peer before, after;
    struct stage s;
    char *why = NULL;
    X509 *x;
    FILE *f;

    stage_open(&s, &c, &handler);
    CHECK(tls_connect(&s, &(struct tls_wish){ .trust = &root }, &before), "before");
    f = fopen(ecdsa_path, "w");
    fputs("nonsense\n", f);
    fclose(f);
    CHECK(net_reload(s.net, &why) < 0 && why && strstr(why, ecdsa_path), "%s", why ? why : "");
    free(why);
    CHECK(tls_connect(&s, &(struct tls_wish){ .trust = &root }, &after), "the old one stays");
    tls_close(&after);
    tls_write_pair(ecdsa_path, &fresh);
    for (int i = 0; i < 8; i++) /* the tick looks at the files */
        s.net->timer.timer_cb(&s.net->timer);
    CHECK(tls_connect(&s, &(struct tls_wish){ .trust = &root }, &after), "after");
    x = SSL_get1_peer_certificate(after.ssl);
    CHECK(x && X509_cmp(x, fresh.x) == 0, "the new one is shown");
    X509_free(x);
    CHECK(served(&s, &before) && served(&s, &after), "both are served");
    tls_close(&before), tls_close(&after);
    tls_write_pair(ecdsa_path, &ecdsa);
    ca_free(&fresh);
    stage_close(&s);
}

/* Plain HTTP on the address of TLS, TLS on that of plain HTTP, a peer that says nothing, one that
 * goes: each is refused with words, and holds nothing. */
static void test_wrong_port(void)
{
    struct net_config c = config();
    struct sockaddr_in a = { .sin_family = AF_INET };
    struct tls_peer p;
    struct stage s;
    char text[64];
    int fd;

    stage_open(&s, &c, &handler);
    CHECK(strcmp(net_address(s.net), net_tls_address(s.net)) != 0, "two addresses");
    CHECK(!tls_connect(&s, &(struct tls_wish){ .address = net_address(s.net) }, &p),
          "TLS on plain");
    UNTIL(&s, s.refused == 1);
    CHECK(strstr(s.refused_why, "TLS was spoken"), "%s", s.refused_why);
    tls_close(&p);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons((uint16_t)tls_port(net_tls_address(s.net)));
    fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(fd, (struct sockaddr *)&a, sizeof a) == 0, "connect");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    peer_say(&s, fd, GET);
    UNTIL(&s, s.refused == 2);
    CHECK(strstr(s.refused_why, "http request"), "%s", s.refused_why);
    CHECK(peer_read(&s, fd, text, sizeof text, sizeof text, NULL) < sizeof text, "it ends");
    close(fd);

    fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(fd, (struct sockaddr *)&a, sizeof a) == 0, "connect");
    UNTIL(&s, s.net->stats.accepted == 3);
    net_turn_clock(s.net, 12000);
    UNTIL(&s, s.refused == 3);
    CHECK(strstr(s.refused_why, "in time"), "%s", s.refused_why);
    close(fd);
    fd = peer_open(&s);
    peer_say(&s, fd, "GET /plain HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(!strncmp(peer_answer(&s, fd, false), "HTTP/1.1 200 ", 13), "plain goes on beside it");
    close(fd);
    stage_close(&s);
}

/* What cannot work is said at the start, with the file's name. */
static void test_bad_files(void)
{
    static const struct {
        const char *cert, *key, *ca, *part;
    } cases[] = {
        { "/nonexistent.pem", NULL, NULL, "/nonexistent.pem" },
        { root_path, rsa_path, NULL, "not that of" },
        { rsa_path, NULL, "/nonexistent.pem", "/nonexistent.pem" },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct net_config c = { .listen = "127.0.0.1:0",
                                .tls_listen = "127.0.0.1:0",
                                .tls = { .cert = { cases[i].cert },
                                         .key = { cases[i].key },
                                         .client_ca = { cases[i].ca } } };
        uv_loop_t loop;
        char *why = NULL;

        uv_loop_init(&loop);
        CHECK(!net_open(&loop, &c, &handler, &why), "case %zu", i);
        CHECK(why && strstr(why, cases[i].part), "case %zu: %s", i, why ? why : "");
        free(why);
        uv_run(&loop, UV_RUN_DEFAULT);
        CHECK(uv_loop_close(&loop) == 0, "nothing is left");
    }
}

static void write_crl(uint64_t serial)
{
    X509_CRL *crl = X509_CRL_new();
    X509_REVOKED *r = X509_REVOKED_new();
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    ASN1_TIME *t = ASN1_TIME_new();
    FILE *f = fopen(crl_path, "w");

    ASN1_INTEGER_set_uint64(number, serial);
    X509_REVOKED_set_serialNumber(r, number);
    X509_gmtime_adj(t, -60);
    X509_REVOKED_set_revocationDate(r, t);
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(root.x));
    X509_CRL_set1_lastUpdate(crl, t);
    X509_gmtime_adj(t, CA_DAY);
    X509_CRL_set1_nextUpdate(crl, t);
    X509_CRL_add0_revoked(crl, r);
    X509_CRL_sign(crl, root.key, EVP_sha256());
    PEM_write_X509_CRL(f, crl);
    fclose(f);
    ASN1_INTEGER_free(number);
    ASN1_TIME_free(t);
    X509_CRL_free(crl);
}

int main(void)
{
    CHECK(mkdtemp(dir), "a folder");
    snprintf(rsa_path, sizeof rsa_path, "%s/rsa.pem", dir);
    snprintf(ecdsa_path, sizeof ecdsa_path, "%s/ecdsa.pem", dir);
    snprintf(root_path, sizeof root_path, "%s/root.pem", dir);
    snprintf(crl_path, sizeof crl_path, "%s/crl.pem", dir);
    root = ca_make(&(struct ca_wish){ .name = "Root", .authority = true });
    other = ca_make(&(struct ca_wish){ .name = "Other", .authority = true });
    rsa = ca_make(&(struct ca_wish){ .name = "rsa", .by = &root, .rsa_bits = 2048 });
    ecdsa = ca_make(&(struct ca_wish){ .name = "ecdsa", .by = &root });
    tls_write_pair(rsa_path, &rsa);
    tls_write_pair(ecdsa_path, &ecdsa);
    ca_write(root_path, &root, false);
    write_crl(4711);
    RUN(test_suites);
    RUN(test_messages);
    RUN(test_pipelined);
    RUN(test_clients);
    RUN(test_resumption);
    RUN(test_renewal);
    RUN(test_wrong_port);
    RUN(test_bad_files);
    ca_free(&root), ca_free(&other), ca_free(&rsa), ca_free(&ecdsa);
    unlink(rsa_path), unlink(ecdsa_path), unlink(root_path), unlink(crl_path);
    CHECK(rmdir(dir) == 0, "nothing is left");
    return check_end();
}
