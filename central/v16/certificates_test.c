/* central/v16/certificates_test.c - the authority: a station asks for a certificate, gets it, comes
 * in by it, loses it. Real keys, real TLS, a clock that runs with the system's, because OpenSSL
 * looks at that one. */
#include "central/pki/issue.h"
#include "central/v16/doors.h"

#include <openssl/pem.h>
#include <time.h>

/* ---- a station's key and request ---- */

struct wish {
    const char *cn, *o;
    int rsa; /* bits; 0: P-256 */
    bool forged;
};

/* PEM, malloc'd. The key is the caller's. */
static char *request(const struct wish *w, EVP_PKEY **key)
{
    X509_REQ *req = X509_REQ_new();
    X509_NAME *name = X509_REQ_get_subject_name(req);
    EVP_PKEY *other = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    char *data, *out;
    long len;

    *key = w->rsa ? EVP_RSA_gen((unsigned)w->rsa) : EVP_EC_gen("P-256");
    X509_REQ_set_version(req, 0);
    if (w->cn)
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)w->cn, -1, -1,
                                   0);
    if (w->o)
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)w->o, -1, -1,
                                   0);
    X509_REQ_set_pubkey(req, *key);
    CHECK(X509_REQ_sign(req, w->forged ? other : *key, EVP_sha256()) > 0, "signed");
    PEM_write_bio_X509_REQ(bio, req);
    len = BIO_get_mem_data(bio, &data);
    out = strndup(data, (size_t)len);
    BIO_free(bio);
    EVP_PKEY_free(other);
    X509_REQ_free(req);
    return out;
}

/* As it stands in JSON. */
static void quoted(const char *pem, char *out, size_t cap)
{
    size_t n = 0;

    for (; *pem && n + 3 < cap; pem++) {
        if (*pem == '\n')
            out[n++] = '\\';
        out[n++] = *pem == '\n' ? 'n' : *pem;
    }
    out[n] = 0;
}

/* Ask; the answer is in plant.text. */
static void ask_and_hear(int fd, const char *csr)
{
    static char message[16384], text[8192];
    static uint8_t frame[16400];

    quoted(csr, text, sizeof text);
    snprintf(message, sizeof message, "[2,\"csr\",\"SignCertificate\",{\"csr\":\"%s\"}]", text);
    peer_send(&plant.stage, fd, frame, peer_frame(frame, 0x81, message, strlen(message)));
    plant_hear(fd);
}

/* Hears CertificateSigned and says nothing yet; the certificate (the caller's), NULL: none came. */
static X509 *hear_call(int fd, char id[64])
{
    char pem[8192];
    const char *at;
    size_t n = 0;
    X509 *x;
    BIO *bio;

    id[0] = 0;
    plant_hear(fd);
    at = strstr(plant.text, "-----BEGIN");
    CHECK(sscanf(plant.text, "[2,\"%63[^\"]\",\"CertificateSigned\"", id) == 1 && at,
          "CertificateSigned: '%.200s'", plant.text);
    if (!at)
        return NULL;
    for (; *at && *at != '"' && n + 1 < sizeof pem; at++) {
        bool end = at[0] == '\\' && at[1] == 'n';

        pem[n++] = end ? '\n' : *at;
        at += end;
    }
    bio = BIO_new_mem_buf(pem, (int)n);
    x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return x;
}

static void say_status(int fd, const char *id, const char *status)
{
    char answer[256];

    snprintf(answer, sizeof answer, "[3,\"%s\",{\"status\":\"%s\"}]", id, status);
    peer_text(&plant.stage, fd, answer);
}

/* Hears CertificateSigned, says `status`, and that is handled. */
static X509 *hear_signed(int fd, const char *status)
{
    char id[64];
    X509 *x = hear_call(fd, id);

    say_status(fd, id, status);
    plant_say(fd, "Heartbeat", "{}");
    return x;
}

static void begin(void)
{
    plant_prepare();
    plant_set("tls-listen", "127.0.0.1:0");
    plant.clock_ms = (int64_t)time(NULL) * 1000;
}

static int64_t count(const char *state)
{
    char path[96];
    int64_t n = 0;

    snprintf(path, sizeof path, "/api/v1/certificates?state=%s", state);
    CHECK(plant_http("GET", path, "", NULL) == 200, "%s", plant.text);
    for (const char *at = plant.text; (at = strstr(at, "\"askedAt\"")); at++)
        n++;
    return n;
}

/* The id of the only one in this state. */
static const char *only(const char *state)
{
    static char id[64];
    const char *at;

    id[0] = 0;
    CHECK(count(state) == 1, "one %s: %s", state, plant.text);
    at = strstr(plant.text, "\"items\":[{\"id\":\"");
    if (at)
        snprintf(id, sizeof id, "%.32s", at + 16);
    return id;
}

/* E44: asked, answered, signed, installed; in by it; revoked, and out. */
static void test_life(void)
{
    struct ca_cert own = { 0 };
    struct tls_peer p;
    char path[128], crl[8192];
    char *csr;
    int fd;

    begin();
    plant_start();
    fd = plant_station("CP1", "M", "1");
    csr = request(&(struct wish){ .cn = "CP1", .o = "Strom" }, &own.key);
    ask_and_hear(fd, csr);
    CHECK(!strcmp(plant.text, "[3,\"csr\",{\"status\":\"Accepted\"}]"),
          "E44: the answer comes first: %s", plant.text);
    own.x = hear_signed(fd, "Accepted");
    CHECK(own.x && X509_check_private_key(own.x, own.key) == 1, "for its key");
    CHECK(count("installed") == 1, "%s", plant.text);
    /* by TLS: the server's certificate is of the same authority, and made by itself */
    CHECK(!strncmp(door_knock(&(struct door){ .id = "CP1", .tls = true, .own = &own }, &p),
                   "HTTP/1.1 101 ", 13),
          "in by it");
    CHECK(charger_access(door_charger("CP1"))->profile == 3, "profile 3");
    CHECK(door_try(&(struct door){ .id = "CP2", .tls = true, .own = &own }) == 401 &&
              strstr(door_refusal("?limit=1"), "certificate-name"),
          "not for another: %s", plant.text);
    CHECK(door_try(&(struct door){ .id = "CP1" }) == 401, "E43: nor without");
    snprintf(path, sizeof path, "/api/v1/certificates/%s/revoke", only("installed"));
    CHECK(plant_http("POST", path, "Content-Type: application/json\r\n",
                     "{\"reason\":\"stolen\"}") == 200 &&
              strstr(plant.text, "\"state\":\"revoked\""),
          "%s", plant.text);
    CHECK(tls_frame(&plant.stage, &p, crl, sizeof crl, NULL) == 0x88, "E64: closed at once");
    door_close(&p);
    CHECK(door_try(&(struct door){ .id = "CP1", .tls = true, .own = &own }) == 401 &&
              strstr(door_refusal("?limit=1"), "certificate-revoked"),
          "and out: %s", plant.text);
    CHECK(plant_http("POST", path, "Content-Type: application/json\r\n", "{}") == 409, "once");
    CHECK(plant_http("GET", "/api/v1/authority/crl.pem", "", NULL) == 200 &&
              strstr(plant.text, "BEGIN X509 CRL"),
          "%s", plant.text);
    {
        BIO *bio = BIO_new_mem_buf(strstr(plant.text, "-----BEGIN"), -1);
        X509_CRL *list = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
        X509_REVOKED *r = NULL;

        CHECK(list && X509_CRL_get0_by_cert(list, &r, own.x) == 1, "the list names it");
        X509_CRL_free(list);
        BIO_free(bio);
    }
    plant_stop();
    plant_start();
    CHECK(door_try(&(struct door){ .id = "CP1", .tls = true, .own = &own }) == 401,
          "after a restart, too");
    close(fd);
    free(csr);
    ca_free(&own);
    plant_end();
}

/* S10, S11: what is not signed, and that the station hears so at once. */
static void test_bad_requests(void)
{
    static const struct {
        const char *why;
        struct wish wish;
        bool ok;
    } cases[] = {
        { "another station", { .cn = "CP2", .o = "Strom" }, false },
        { "another operator", { .cn = "CP1", .o = "Other" }, false },
        { "no operator", { .cn = "CP1" }, false },
        { "no name", { .o = "Strom" }, false },
        { "a weak key", { .cn = "CP1", .o = "Strom", .rsa = 1024 }, false },
        { "the key of somebody else", { .cn = "CP1", .o = "Strom", .forged = true }, false },
        { "RSA", { .cn = "CP1", .o = "Strom", .rsa = 2048 }, true },
        { "the serial number of its boot", { .cn = "SN-7", .o = "Strom" }, true },
    };
    int fd;

    begin();
    plant_set("cpo-name", "Strom");
    plant_start();
    fd = plant_station("CP1", "M", "1");
    plant_say(fd, "BootNotification",
              "{\"chargePointVendor\":\"A\",\"chargePointModel\":\"B\","
              "\"chargePointSerialNumber\":\"SN-7\"}");
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        EVP_PKEY *key;
        char *csr = request(&cases[i].wish, &key);

        ask_and_hear(fd, csr);
        CHECK(strstr(plant.text, cases[i].ok ? "Accepted" : "Rejected"), "%s: %s", cases[i].why,
              plant.text);
        if (cases[i].ok)
            X509_free(hear_signed(fd, "Rejected"));
        free(csr);
        EVP_PKEY_free(key);
    }
    ask_and_hear(fd, "no PEM at all");
    CHECK(strstr(plant.text, "Rejected"), "garbage: %s", plant.text);
    CHECK(count("refused") == 2, "the station did not take them: %s", plant.text);
    close(fd);
    plant_end();
}

/* An outside authority: a command that signs, one that fails, one that takes its time. */
static void test_outside(void)
{
    struct ca_cert outside = ca_make(&(struct ca_wish){ .name = "Outside", .authority = true });
    char ca[96], pem[96], command[512], path[128], body[8192], text[4096];
    struct ca_cert own = { 0 };
    EVP_PKEY *key;
    struct amp_text made;
    char *csr;
    int fd;

    begin();
    snprintf(ca, sizeof ca, "%s/outside.pem", plant.dir);
    snprintf(pem, sizeof pem, "%s/outside.key", plant.dir);
    ca_write(ca, &outside, false);
    ca_write(pem, &outside, true);
    plant_set("tls-client-ca", ca);
    snprintf(command, sizeof command,
             "case $AMPERSTAND_CHARGER in CP1) openssl x509 -req -CA %s -CAkey %s -days 9 "
             "2>/dev/null;; CP2) echo 'the quota is used up' >&2; exit 1;; *) exit 75;; esac",
             ca, pem);
    plant_set("ca-command", command);
    plant_start();

    fd = plant_station("CP1", "M", "1");
    csr = request(&(struct wish){ .cn = "CP1" }, &own.key);
    ask_and_hear(fd, csr);
    own.x = hear_signed(fd, "Accepted");
    CHECK(own.x && X509_verify(own.x, outside.key) == 1, "signed outside");
    CHECK(door_try(&(struct door){ .id = "CP1", .tls = true, .own = &own }) == 101, "in by it");
    close(fd);
    free(csr);

    fd = plant_station("CP2", "M", "1");
    csr = request(&(struct wish){ .cn = "CP2" }, &key);
    ask_and_hear(fd, csr);
    CHECK(strstr(plant.text, "Accepted"), "%s", plant.text);
    UNTIL(&plant.stage, count("failed") == 1);
    CHECK(strstr(plant.text, "the quota is used up"), "why: %s", plant.text);
    EVP_PKEY_free(key);
    close(fd);
    free(csr);

    fd = plant_station("CP3", "M", "1");
    csr = request(&(struct wish){ .cn = "CP3" }, &key);
    ask_and_hear(fd, csr);
    snprintf(path, sizeof path, "/api/v1/certificates/%s", only("asked"));
    CHECK(plant_http("GET", path, "", NULL) == 200 && strstr(plant.text, "CERTIFICATE REQUEST"),
          "whoever signs finds the request: %s", plant.text);
    for (int i = 0; i < 2; i++) { /* first one for another key */
        struct ca_cert c =
            ca_make(&(struct ca_wish){ .name = "CP3", .by = &outside, .for_key = i ? key : NULL });

        made = ca_pem(c.x);
        snprintf(text, sizeof text, "%.*s", AMP_FMT(made));
        strcpy(body, "{\"certificate\":\"");
        quoted(text, body + strlen(body), sizeof body - 64);
        strcat(body, "\"}");
        CHECK(plant_http("PUT", path, "Content-Type: application/json\r\n", body) ==
                  (i ? 200 : 422),
              "%d: %s", i, plant.text);
        ca_free(&c);
    }
    X509_free(hear_signed(fd, "Accepted"));
    CHECK(count("installed") == 2, "%s", plant.text);
    EVP_PKEY_free(key);
    close(fd);
    free(csr);
    ca_free(&own), ca_free(&outside);
    plant_end();
}

/* The station, back after its connection was lost. */
static int back(int fd)
{
    close(fd);
    UNTIL(&plant.stage, !charger_session(door_charger("CP1")));
    return plant_station("CP1", "M", "1");
}

/* E54: what no answer came to is sent again when the station is back, days later and by another
 * process; at most three times in all. */
static void test_lost_answer(void)
{
    struct ca_cert own = { 0 };
    char *csr, id[64];
    int fd;

    begin();
    plant_start();
    fd = plant_station("CP1", "M", "1");
    csr = request(&(struct wish){ .cn = "CP1" }, &own.key);
    ask_and_hear(fd, csr);
    X509_free(hear_call(fd, id));
    close(fd);
    UNTIL(&plant.stage, !charger_session(door_charger("CP1")));
    plant.clock_ms += 2 * 86400 * 1000;
    world_tick(plant.central.world, plant.clock_ms, NULL, NULL); /* nobody is connected */
    fd = plant_station("CP1", "M", "1");
    X509_free(hear_call(fd, id));
    plant_stop();
    close(fd);
    plant_start();
    fd = plant_station("CP1", "M", "1");
    own.x = hear_signed(fd, "Accepted");
    CHECK(own.x && X509_check_private_key(own.x, own.key) == 1 && count("installed") == 1,
          "the third time it was answered: %s", plant.text);
    free(csr);
    ca_free(&own);

    csr = request(&(struct wish){ .cn = "CP1" }, &own.key);
    ask_and_hear(fd, csr);
    for (int n = 1; n <= 3; n++) {
        X509_free(hear_call(fd, id));
        fd = back(fd);
    }
    plant_say(fd, "Heartbeat", "{}"); /* no call came before its answer */
    CHECK(count("issued") == 1, "nobody knows: %s", plant.text);
    EVP_PKEY_free(own.key);
    close(fd);
    free(csr);
    plant_end();
}

/* An older one that is sent again, while the station asked anew: each answer is of its own. */
static void test_older_again(void)
{
    struct ca_cert own = { 0 };
    EVP_PKEY *first;
    char *csr, id[64];
    int fd;

    begin();
    plant_start();
    fd = plant_station("CP1", "M", "1");
    csr = request(&(struct wish){ .cn = "CP1" }, &first);
    ask_and_hear(fd, csr);
    X509_free(hear_call(fd, id));
    free(csr);
    fd = back(fd);
    X509_free(hear_call(fd, id));
    csr = request(&(struct wish){ .cn = "CP1" }, &own.key);
    ask_and_hear(fd, csr);
    UNTIL(&plant.stage, count("issued") == 2);
    say_status(fd, id, "Rejected"); /* its key is gone */
    own.x = hear_signed(fd, "Accepted");
    CHECK(count("refused") == 1 && count("issued") == 0, "%s", plant.text);
    CHECK(own.x && X509_check_private_key(own.x, own.key) == 1, "for the new key");
    CHECK(only("installed")[0] &&
              door_try(&(struct door){ .id = "CP1", .tls = true, .own = &own }) == 101,
          "in by it");
    EVP_PKEY_free(first);
    close(fd);
    free(csr);
    ca_free(&own);
    plant_end();
}

/* Asked to renew before the end, once a day; the roots of a station. */
static void test_renewal(void)
{
    EVP_PKEY *key;
    char *csr;
    int fd;

    begin();
    plant_set("certificate-days", "20");
    plant_start();
    fd = plant_station("CP1", "M", "1");
    csr = request(&(struct wish){ .cn = "CP1" }, &key);
    ask_and_hear(fd, csr);
    X509_free(hear_signed(fd, "Accepted"));
    issue_tick(plant.central.issue);
    plant.clock_ms += 25 * 3600 * 1000;
    issue_tick(plant.central.issue);
    plant_answer(fd, "ExtendedTriggerMessage", "SignChargePointCertificate",
                 "{\"status\":\"Accepted\"}");
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/install-certificate",
                     "Content-Type: application/json\r\n",
                     "{\"certificateType\":\"CentralSystemRootCertificate\"}") == 202,
          "%s", plant.text);
    plant_answer(fd, "InstallCertificate", "BEGIN CERTIFICATE", "{\"status\":\"Accepted\"}");
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/installed-certificates",
                     "Content-Type: application/json\r\n",
                     "{\"certificateType\":\"CentralSystemRootCertificate\"}") == 202,
          "%s", plant.text);
    plant_answer(fd, "GetInstalledCertificateIds", "CentralSystemRootCertificate",
                 "{\"status\":\"NotFound\"}");
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/delete-certificate",
                     "Content-Type: application/json\r\n",
                     "{\"certificateHashData\":{\"hashAlgorithm\":\"SHA256\",\"issuerNameHash\":"
                     "\"aa\",\"issuerKeyHash\":\"bb\",\"serialNumber\":\"1\"}}") == 202,
          "%s", plant.text);
    plant_answer(fd, "DeleteCertificate", "issuerKeyHash", "{\"status\":\"NotFound\"}");
    CHECK(plant_http("POST", "/api/v1/chargers/CP1/renew-certificate", "", NULL) == 202, "%s",
          plant.text);
    plant_answer(fd, "ExtendedTriggerMessage", "SignChargePointCertificate",
                 "{\"status\":\"Accepted\"}");
    EVP_PKEY_free(key);
    close(fd);
    free(csr);
    plant_end();
}

/* The key is the owner's alone; a folder with half of an authority is not guessed at. */
static void test_folder(void)
{
    char path[128], *why = NULL;
    struct stat st;
    int rc;

    begin();
    plant_start();
    snprintf(path, sizeof path, "%s/ca.key", plant.dir);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "0600");
    snprintf(path, sizeof path, "%s/server-rsa.pem", plant.dir);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "0600");
    plant_stop();
    snprintf(path, sizeof path, "%s/ca.key", plant.dir);
    unlink(path);
    memset(&plant.central, 0, sizeof plant.central);
    uv_loop_init(&plant.stage.loop);
    plant.central.now_ms = plant_now;
    rc = central_open(&plant.central, &plant.stage.loop, &plant.settings, &why);
    CHECK(rc < 0 && why && strstr(why, "ca.key") && strstr(why, "backup"), "%d: %s", rc,
          why ? why : "");
    free(why);
    uv_run(&plant.stage.loop, UV_RUN_DEFAULT);
    uv_loop_close(&plant.stage.loop);
    settings_free(&plant.settings);
    nftw(plant.dir, plant_wipe, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    RUN(test_life);
    RUN(test_bad_requests);
    RUN(test_outside);
    RUN(test_lost_answer);
    RUN(test_older_again);
    RUN(test_renewal);
    RUN(test_folder);
    return check_end();
}
