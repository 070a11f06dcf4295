/* ports/posix/secure_test.c - a whole station over TLS, from a central system that nobody vouches
 * for to a connection with a certificate of its own that it asked for. station-1.6 154, 156, 157,
 * 159. */
#include "ocpp/http1.h"
#include "ocpp/ws.h"
#include "ports/posix/ca_test.h"
#include "ports/posix/device.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

static struct ca_cert root, other;
static uint16_t port;
static int listening;

/* ---- the central system: one thread, one connection after the other ---- */

static struct {
    SSL *ssl;
    struct amp_ws ws;
    uint8_t in[32768];
    size_t len, done;
    bool profile_3;
    char request[4096], name[64]; /* the last upgrade; CN of the client */
    char events[512];
    atomic_bool told; /* InvalidChargePoint...: the only word of `events` that is asked for early */
    unsigned connections, refused, calls;
    bool signed_, raised; /* CertificateSigned and the new profile were accepted */
    bool again;           /* a second certificate was asked for, which is then refused */
    ASN1_INTEGER *refused_serial;
} sys;

static void say(const char *text)
{
    char raw[32768];
    struct amp_buf out;

    amp_buf_init(&out, raw, sizeof raw);
    amp_ws_write(&sys.ws, &out, AMP_WS_TEXT, text, strlen(text), 0);
    CHECK(SSL_write(sys.ssl, raw, (int)out.len) == (int)out.len, "said");
}

/* A certificate for the request in `payload`, as it stands in JSON. */
static void sign(const char *payload)
{
    char pem[4096], call[8192];
    size_t n = 0, m;
    const char *p = strstr(payload, "-----BEGIN");
    struct amp_text cert;
    struct ca_cert c;
    X509_REQ *req;
    EVP_PKEY *key;
    BIO *bio;

    for (; p && *p && *p != '"' && n + 1 < sizeof pem; p++) {
        bool end = p[0] == '\\' && p[1] == 'n';

        pem[n++] = end ? '\n' : *p;
        p += end;
    }
    bio = BIO_new_mem_buf(pem, (int)n);
    req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    CHECK(req != NULL, "a request: %s", payload);
    key = X509_REQ_get_pubkey(req);
    c = ca_make(&(struct ca_wish){ .name = "SN-7", .by = &root, .for_key = key });
    cert = ca_pem(c.x);
    m = (size_t)snprintf(call, sizeof call,
                         "[2,\"s\",\"CertificateSigned\",{\"certificateChain\":\"");
    for (uint32_t i = 0; i < cert.len; i++) {
        if (cert.at[i] == '\n')
            call[m++] = '\\';
        call[m++] = cert.at[i] == '\n' ? 'n' : cert.at[i];
    }
    snprintf(call + m, sizeof call - m, "\"}]");
    if (sys.again)
        sys.refused_serial = ASN1_INTEGER_dup(X509_get0_serialNumber(c.x));
    say(call);
    ca_free(&c);
    EVP_PKEY_free(key);
    X509_REQ_free(req);
    BIO_free(bio);
}

static const char trigger[] = "[2,\"t\",\"ExtendedTriggerMessage\",{\"requestedMessage\":"
                              "\"SignChargePointCertificate\"}]";

static void on_call(const char *id, const char *action, const char *text)
{
    char out[256];

    sys.calls++;
    if (!strcmp(action, "SecurityEventNotification")) {
        const char *type = strstr(text, "\"type\":\"");

        if (type && !strncmp(type + 8, "InvalidChargePoint", 18))
            sys.told = true;
        if (type)
            snprintf(sys.events + strlen(sys.events), sizeof sys.events - strlen(sys.events),
                     "%.*s ", (int)strcspn(type + 8, "\""), type + 8);
    }
    snprintf(out, sizeof out, "[3,\"%s\",%s]", id,
             !strcmp(action, "SignCertificate") ? "{\"status\":\"Accepted\"}" : "{}");
    if (!strcmp(action, "BootNotification")) {
        char when[32];
        time_t now = time(NULL);
        struct tm tm;

        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
        snprintf(out, sizeof out,
                 "[3,\"%s\",{\"status\":\"Accepted\",\"currentTime\":\"%s\",\"interval\":300}]", id,
                 when);
    }
    say(out);
    if (!strcmp(action, "BootNotification"))
        say(trigger);
    if (!strcmp(action, "SignCertificate"))
        sign(text);
}

static void on_frame(const char *text)
{
    char id[64], action[64];

    if (sscanf(text, "[2,\"%63[^\"]\",\"%63[^\"]\"", id, action) == 2) {
        on_call(id, action, text);
    } else if (!strncmp(text, "[3,\"s\"", 6)) {
        CHECK(strstr(text, "Accepted") != NULL, "CertificateSigned: %s", text);
        if (sys.signed_)
            return;
        sys.signed_ = true;
        say("[2,\"p\",\"ChangeConfiguration\",{\"key\":\"SecurityProfile\",\"value\":\"3\"}]");
    } else if (!strncmp(text, "[3,\"p\"", 6)) {
        CHECK(strstr(text, "Accepted") != NULL, "SecurityProfile: %s", text);
        sys.raised = true;
    }
}

static bool more(void)
{
    int n = SSL_read(sys.ssl, sys.in + sys.len, (int)(sizeof sys.in - sys.len));

    if (n <= 0)
        return false;
    sys.len += (size_t)n;
    return true;
}

static bool upgrade(void)
{
    struct amp_http_head h;
    struct amp_text key;
    char raw[512];
    struct amp_buf out;

    while (amp_http_request((struct amp_text){ (char *)sys.in, (uint32_t)sys.len }, &h) == 0)
        if (!more())
            return false;
    amp_text_copy(sys.request, sizeof sys.request,
                  (struct amp_text){ (char *)sys.in, (uint32_t)h.len });
    CHECK(amp_ws_asked(&h, &key) == 0, "an upgrade");
    amp_buf_init(&out, raw, sizeof raw);
    amp_ws_response(&out, key, AMP_TEXT("ocpp1.6"));
    CHECK(SSL_write(sys.ssl, raw, (int)out.len) == (int)out.len, "said");
    sys.len = sys.done = 0;
    amp_ws_init(&sys.ws, AMP_WS_SERVER, sizeof sys.in);
    return true;
}

static void converse(void)
{
    struct amp_ws_event ev = { 0 };

    do {
        amp_ws_next(&sys.ws, sys.in, &sys.len, &sys.done, &ev);
        if (ev.kind == AMP_WS_MESSAGE) {
            char text[16384];

            snprintf(text, sizeof text, "%.*s", (int)ev.len, (const char *)ev.data);
            on_frame(text);
        } else if (ev.kind == AMP_WS_MORE && !more()) {
            return;
        }
    } while (ev.kind != AMP_WS_CLOSED && ev.kind != AMP_WS_FAILED);
}

/* All but the certificate that was refused. */
static int judge(int ok, X509_STORE_CTX *c)
{
    X509 *x = X509_STORE_CTX_get_current_cert(c);

    if (!ok || !sys.refused_serial || X509_STORE_CTX_get_error_depth(c) > 0 ||
        ASN1_INTEGER_cmp(X509_get0_serialNumber(x), sys.refused_serial) != 0)
        return ok;
    X509_STORE_CTX_set_error(c, X509_V_ERR_CERT_REVOKED);
    return 0;
}

/* One connection. False: the test is over. */
static bool serve_one(const struct ca_cert *cert)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    int fd = accept(listening, NULL, NULL);

    if (fd < 0) {
        SSL_CTX_free(ctx);
        return false;
    }
    sys.connections++;
    SSL_CTX_use_certificate(ctx, cert->x);
    SSL_CTX_use_PrivateKey(ctx, cert->key);
    if (sys.profile_3) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), root.x);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, judge);
    }
    sys.ssl = SSL_new(ctx);
    sys.len = sys.done = 0;
    SSL_set_fd(sys.ssl, fd);
    if (SSL_accept(sys.ssl) != 1) {
        sys.refused++;
    } else {
        X509 *peer = SSL_get0_peer_certificate(sys.ssl);

        if (peer)
            X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, sys.name,
                                      sizeof sys.name);
        if (upgrade()) {
            if (sys.profile_3 && !sys.again) {
                sys.again = true;
                say(trigger);
            }
            converse();
        }
    }
    ERR_clear_error();
    SSL_free(sys.ssl);
    SSL_CTX_free(ctx);
    close(fd);
    return true;
}

static void *serve(void *arg)
{
    struct ca_cert bad =
        ca_make(&(struct ca_wish){ .name = "x", .san = "IP:127.0.0.1", .by = &other });
    struct ca_cert good =
        ca_make(&(struct ca_wish){ .name = "x", .san = "IP:127.0.0.1", .by = &root });

    (void)arg;
    if (serve_one(&bad) && serve_one(&bad) && serve_one(&good)) {
        sys.profile_3 = true;
        while (serve_one(&good))
            ;
    }
    ca_free(&bad);
    ca_free(&good);
    return NULL;
}

/* ---- the station ---- */

static struct posix_loop loop;
static unsigned ups, downs;

static int nothing(void *ctx, int connector, bool on)
{
    (void)ctx;
    (void)connector;
    (void)on;
    return 0;
}

static int meter(void *ctx, int connector, struct amp_reading *out)
{
    (void)ctx;
    (void)connector;
    memset(out, 0, sizeof *out);
    return 0;
}

static void on_event(void *ctx, struct amp_station *st, const struct amp_event *ev)
{
    (void)ctx;
    (void)st;
    if (ev->kind == AMP_EVENT_LINK && ev->a == AMP_LINK_UP)
        ups++;
    if (ev->kind == AMP_EVENT_LINK && ev->a == AMP_LINK_DOWN)
        downs++;
}

static void remove_all(const char *dir)
{
    char command[128];

    snprintf(command, sizeof command, "rm -r '%s'", dir);
    CHECK(system(command) == 0, "removed");
}

static void test_station(void)
{
    static const char *const settings[] = { "CpoName=Strom", NULL };
    const struct amp_hardware hardware = { .permit = nothing, .meter = meter };
    char url[64], dir[] = "/tmp/amp-secure-XXXXXX", ca[96], out[8] = "";
    struct amp_station_config config = { .identity = AMP_TEXT("CP001"),
                                         .password = AMP_TEXT("sesame"),
                                         .vendor = AMP_TEXT("A"),
                                         .model = AMP_TEXT("B"),
                                         .serial = AMP_TEXT("SN-7"),
                                         .connectors = 1,
                                         .reconnect_first_s = 1,
                                         .settings = settings };
    struct posix_device_options o = { .config = &config,
                                      .hardware = &hardware,
                                      .on_event = on_event,
                                      .certificates = true,
                                      .log_level = AMP_LOG_ERROR };
    struct amp_fault fault;
    struct posix_device *d = NULL;
    pthread_t thread;

    CHECK(mkdtemp(dir) != NULL, "a directory");
    snprintf(ca, sizeof ca, "%s/ca.pem", dir);
    ca_write(ca, &root, false);
    o.data_dir = dir;
    o.central_ca_file = ca;
    snprintf(url, sizeof url, "wss://127.0.0.1:%u/ocpp", port);
    config.url = amp_text_of(url);
    CHECK(posix_loop_open(&loop, 20000, false) == 0, "loop");
    config.unix_ms = (uint64_t)posix_clock_unix_ms(&loop.clock);
    CHECK(pthread_create(&thread, NULL, serve, NULL) == 0, "a thread");
    CHECK(posix_device_open(&loop, &o, &d) == 0, "device");
    CHECK(posix_device_start(d, &fault) == 0, "%s", fault.path);
    for (int i = 0; i < 2000 && (ups < 3 || !sys.told); i++)
        posix_run_once(&loop, 100);
    CHECK(amp_station_setting(posix_device_station(d), AMP_TEXT("SecurityProfile"), out,
                              sizeof out) == 1 &&
              out[0] == '3',
          "S154: profile 3: %s", out);
    CHECK(amp_station_link(posix_device_station(d)) == AMP_LINK_UP, "up");
    posix_device_close(d);
    shutdown(listening, SHUT_RDWR);
    pthread_join(thread, NULL);
    /* two at the beginning; the new certificate once, or three times when nobody heard why */
    CHECK(sys.refused >= 3 && sys.refused <= 5 && sys.connections == sys.refused + 3,
          "S156: %u of %u", sys.refused, sys.connections);
    CHECK(sys.refused_serial && ups == 3,
          "S157: the certificate before the refused one is used again: %u", ups);
    CHECK(strstr(sys.events, "InvalidChargePointCertificate") != NULL, "and told: %s", sys.events);
    ASN1_INTEGER_free(sys.refused_serial);
    CHECK(sys.signed_ && sys.raised && !strcmp(sys.name, "SN-7"), "S157: it is %s", sys.name);
    CHECK(!strstr(sys.request, "Authorization"), "%s", sys.request);
    CHECK(strstr(sys.events, "StartupOfTheDevice InvalidCentralSystemCertificate") &&
              !strstr(strstr(sys.events, "Central") + 1, "InvalidCentral"),
          "S156, S159: once: %s", sys.events);
    posix_loop_close(&loop);
    remove_all(dir);
}

int main(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;

    signal(SIGPIPE, SIG_IGN); /* the server's writes; ours do not raise it */
    root = ca_make(&(struct ca_wish){ .name = "Root", .authority = true });
    other = ca_make(&(struct ca_wish){ .name = "Other", .authority = true });
    listening = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(listening >= 0 && bind(listening, (struct sockaddr *)&at, len) == 0 &&
              listen(listening, 5) == 0 &&
              getsockname(listening, (struct sockaddr *)&at, &len) == 0,
          "a listener");
    port = ntohs(at.sin_port);
    RUN(test_station);
    close(listening);
    ca_free(&root);
    ca_free(&other);
    return check_end();
}
