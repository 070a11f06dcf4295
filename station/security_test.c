/* station/security_test.c - the security extension, with a store of certificates that only keeps
 * books. Numbers: station-1.6. What really computes is tested in ports/posix. */
#include "station/world_test.h"

#define DAY_MS   UINT64_C(86400000)
#define KEY_A    "c0ffee0000112233445566778899aabb"
#define KEY_B    "c0ffee00ffeeddccbbaa99887766554433221100"
#define BASIC_A  "Q1AgMDAxOsD/7gAAESIzRFVmd4iZqrs="
#define ACCEPTED "{\"status\":\"Accepted\"}"
#define REJECTED "{\"status\":\"Rejected\"}"

struct books {
    struct amp_pki pki;
    struct {
        enum amp_root use;
        struct amp_certificate_id id;
    } roots[8];
    unsigned count, requests, max, dropped;
    bool chained, only_one;
    int64_t expiry;
    const char *accept_why; /* NULL: fine */
    int install_rc, remove_rc;
    char name[64], organization[80];
};

static int request(void *ctx, const char *name, const char *organization, char *out, size_t cap)
{
    struct books *b = ctx;

    b->requests++;
    snprintf(b->name, sizeof(b->name), "%s", name);
    snprintf(b->organization, sizeof(b->organization), "%s", organization);
    return snprintf(out, cap, "CSR %u", b->requests);
}

static int take(void *ctx, struct amp_text chain, const char *name, int64_t unix_ms,
                const char **why)
{
    struct books *b = ctx;

    (void)name;
    CHECK(chain.len > 0 && unix_ms > UNIX0, "the time is told");
    *why = b->accept_why;
    return b->accept_why ? AMP_E_AUTH : 0;
}

static int discard(void *ctx, int64_t unix_ms)
{
    struct books *b = ctx;

    (void)unix_ms;
    if (b->only_one)
        return AMP_E_ABSENT;
    b->dropped++;
    return 0;
}

static int64_t expiry(void *ctx, int64_t unix_ms)
{
    struct books *b = ctx;

    return unix_ms < b->expiry ? b->expiry : 0;
}

static int install(void *ctx, enum amp_root use, struct amp_text pem, unsigned max, bool chained,
                   int64_t unix_ms, const char **why)
{
    struct books *b = ctx;

    (void)unix_ms;
    b->max = max;
    b->chained = chained;
    *why = "says the test";
    if (b->install_rc < 0)
        return b->install_rc;
    b->roots[b->count].use = use;
    amp_text_copy(b->roots[b->count].id.serial, 41, pem);
    strcpy(b->roots[b->count].id.name_hash, "aa");
    strcpy(b->roots[b->count].id.key_hash, "bb");
    b->roots[b->count++].id.algorithm = AMP_SHA256;
    return 0;
}

static int list(void *ctx, enum amp_root use, unsigned index, struct amp_certificate_id *out)
{
    struct books *b = ctx;

    for (unsigned i = 0; i < b->count; i++)
        if (b->roots[i].use == use && index-- == 0) {
            *out = b->roots[i].id;
            return 0;
        }
    return AMP_E_ABSENT;
}

static int delete (void *ctx, const struct amp_certificate_id *id)
{
    struct books *b = ctx;

    CHECK(id->algorithm == AMP_SHA384, "%u", id->algorithm);
    return b->remove_rc;
}

static void defaults(struct world *w, struct books *b)
{
    world_defaults(w);
    memset(b, 0, sizeof(*b));
    b->pki = (struct amp_pki){ b, request, take, discard, expiry, install, list, delete };
    w->mem.port.pki = &b->pki;
}

static void start(struct world *w, struct books *b)
{
    defaults(w, b);
    CHECK(world_boot(w) == 0, "a station starts");
    world_run(w, 100);
}

static void power(struct world *w, struct books *b)
{
    mem_restart(&w->mem);
    w->mem.port.pki = &b->pki;
    CHECK(world_boot(w) == 0, "the station starts again");
}

static void root(struct world *w)
{
    CHECK(!strcmp(world_call(w, "InstallCertificate",
                             "{\"certificateType\":\"CentralSystemRootCertificate\","
                             "\"certificate\":\"7\"}"),
                  ACCEPTED),
          "%s", w->reply);
}

static const char *change(struct world *w, const char *key, const char *value)
{
    static char status[32];
    char call[200];

    snprintf(call, sizeof(call), "{\"key\":\"%s\",\"value\":\"%s\"}", key, value);
    return world_get(world_call(w, "ChangeConfiguration", call), "status", status, sizeof(status));
}

static unsigned logged(struct world *w, unsigned type)
{
    struct amp_security_record r;
    uint32_t at = 0;
    unsigned n = 0;

    while (amp_events_next(w->st, &at, &r))
        n += r.type == type;
    return n;
}

static int64_t profile(struct world *w)
{
    char out[8] = "";

    CHECK(amp_station_setting(w->st, AMP_TEXT("SecurityProfile"), out, sizeof(out)) == 1, "key");
    return out[0] - '0';
}

/* S154: what must be there, and only upwards */
static void test_profile_needs(void)
{
    struct world w;
    struct books b;

    start(&w, &b);
    CHECK(!strcmp(change(&w, "SecurityProfile", "0"), "Rejected"), "equal");
    CHECK(!strcmp(change(&w, "SecurityProfile", "1"), "Rejected"), "no key");
    CHECK(!strcmp(change(&w, "SecurityProfile", "4"), "Rejected"), "none such");
    CHECK(!strcmp(change(&w, "AuthorizationKey", KEY_A), "Accepted"), "key");
    world_run(&w, 10000);
    CHECK(!strcmp(change(&w, "SecurityProfile", "2"), "Rejected"), "no root");
    root(&w);
    CHECK(!strcmp(change(&w, "SecurityProfile", "3"), "Rejected"), "no certificate");
    CHECK(profile(&w) == 0 && !w.mem.endpoint.tls, "nothing changed");
    CHECK(!strcmp(change(&w, "SecurityProfile", "2"), "Accepted"), "%s", w.reply);
    CHECK(w.mem.opens == 2, "after the answer");
    world_run(&w, 10000);
    CHECK(w.mem.opens == 3 && w.mem.endpoint.tls && !w.mem.endpoint.certificate && w.up, "wss");
    CHECK(w.mem.endpoint.port == 8180 && strstr(w.request, BASIC_A), "%s", w.request);
    CHECK(!strcmp(change(&w, "SecurityProfile", "1"), "Rejected"), "not down again");
    b.expiry = UNIX0 + 400 * (int64_t)DAY_MS;
    CHECK(!strcmp(change(&w, "SecurityProfile", "3"), "Accepted"), "%s", w.reply);
    world_run(&w, 10000);
    CHECK(w.mem.endpoint.certificate && w.up && !strstr(w.request, "Authorization"), "%s",
          w.request);
    power(&w, &b);
    world_run(&w, 100);
    CHECK(profile(&w) == 3 && w.mem.endpoint.certificate && w.up, "kept");
    world_close(&w);
}

/* S154: the new profile does not work */
static void test_profile_fallback(void)
{
    struct world w;
    struct books b;
    unsigned secure = 0;

    defaults(&w, &b);
    w.config.password = AMP_TEXT("sesame");
    w.config.secure_url = AMP_TEXT("wss://safe.test/ocpp");
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 100);
    CHECK(profile(&w) == 1, "a password is profile 1");
    root(&w);
    CHECK(!strcmp(change(&w, "SecurityProfile", "2"), "Accepted"), "%s", w.reply);
    w.refuse = true;
    for (int s = 0; s < 200; s++) {
        world_run(&w, 1000);
        if (w.mem.opening) { /* nobody listens there */
            CHECK(!w.mem.endpoint.tls || amp_text_is(w.mem.endpoint.host, "safe.test"), "host");
            secure += w.mem.endpoint.tls;
            if (!w.mem.endpoint.tls)
                break;
            w.mem.opening = false;
            amp_station_closed(w.st, w.now);
        }
    }
    CHECK(secure == 3, "three attempts, then the old one: %u", secure);
    w.refuse = false;
    world_run(&w, 1000);
    CHECK(w.up && profile(&w) == 1, "as before");
    power(&w, &b);
    world_run(&w, 100);
    CHECK(w.up && profile(&w) == 1 && !w.mem.endpoint.tls, "for good");
    world_close(&w);
}

/* S155: the new key is refused; the one before is used again, also after a power cut in between */
static void test_key_restored(void)
{
    for (int cut = 0; cut < 2; cut++) {
        struct world w;
        struct books b;

        start(&w, &b);
        CHECK(!strcmp(change(&w, "AuthorizationKey", KEY_A), "Accepted"), "first");
        world_run(&w, 10000);
        CHECK(strstr(w.request, BASIC_A) != NULL, "the bytes");
        w.refuse_auth = "Q1AgMDAxOsD/7gD/7t3Mu6qZiHdmVUQzIhEA";
        CHECK(!strcmp(change(&w, "AuthorizationKey", KEY_B), "Accepted"), "second");
        if (cut) {
            power(&w, &b);
            w.up = false;
        }
        world_run(&w, 60000);
        CHECK(w.up && strstr(w.request, BASIC_A), "%d: the one before: %s", cut, w.request);
        CHECK(logged(&w, AMP_SEC_FAILED_AT_CENTRAL) == 1, "told in the log");
        CHECK(!strcmp(w.st->set.key, KEY_A), "restored");
        power(&w, &b);
        w.refuse_auth = NULL;
        world_run(&w, 100);
        CHECK(w.up && strstr(w.request, BASIC_A), "for good");
        CHECK(w.secrets == 0, "never in an event");
        world_close(&w);
    }
}

/* S155: power is cut at each write of a change of the key; whatever the central system believes,
 * the station comes back */
static void test_key_and_power(void)
{
    for (unsigned n = 1; n < 12; n++) {
        for (int believes = 0; believes < 2; believes++) {
            struct world w;
            struct books b;

            start(&w, &b);
            change(&w, "AuthorizationKey", KEY_A);
            world_run(&w, 10000);
            mem_arm(&w.mem, n, MEM_CUT, 4);
            change(&w, "AuthorizationKey", KEY_B);
            world_run(&w, 3000);
            power(&w, &b);
            w.refuse_auth = believes ? BASIC_A : "Q1AgMDAxOsD/7gD/";
            world_run(&w, 60000);
            /* refusing the old key while the new one was never stored is nobody's case */
            CHECK(w.up || (believes && !strcmp(w.st->set.key, KEY_A)), "cut at %u, %d", n,
                  believes);
            world_close(&w);
        }
    }
}

static void next_attempt(struct world *w)
{
    for (int s = 0; s < 400 && !w->mem.opening; s++)
        world_run(w, 1000);
}

/* S156: an event once, not for each attempt; again after a connection that worked */
static void test_bad_server(void)
{
    struct world w;
    struct books b;

    defaults(&w, &b);
    w.config.url = AMP_TEXT("wss://central.test/ocpp");
    CHECK(world_boot(&w) == 0, "start");
    w.refuse = true;
    CHECK(w.st->set.security_profile == 2, "by the URL");
    for (int attempt = 0; attempt < 5; attempt++) {
        next_attempt(&w);
        CHECK(w.mem.opening && w.mem.endpoint.tls && w.mem.endpoint.port == 443, "an attempt");
        w.mem.opening = false;
        amp_station_tls_failed(w.st, AMP_TLS_CERTIFICATE, AMP_TEXT("has expired"), w.now);
        amp_station_closed(w.st, w.now);
    }
    CHECK(logged(&w, AMP_SEC_CENTRAL_CERTIFICATE) == 1, "once");
    w.refuse = false;
    world_run(&w, 400000);
    CHECK(w.up && strstr(w.trace, "Sec:InvalidCentralSystemCertificate"), "%s", w.trace);
    world_hang_up(&w);
    w.refuse = true;
    for (int what = AMP_TLS_CERTIFICATE; what <= AMP_TLS_OTHER; what++) {
        next_attempt(&w);
        w.mem.opening = false;
        amp_station_tls_failed(w.st, (enum amp_tls_fault)what, AMP_TEXT("why"), w.now);
        amp_station_closed(w.st, w.now);
    }
    CHECK(logged(&w, AMP_SEC_CENTRAL_CERTIFICATE) == 2, "a new time");
    CHECK(logged(&w, AMP_SEC_TLS_VERSION) == 1 && logged(&w, AMP_SEC_TLS_CIPHER) == 1 &&
              logged(&w, AMP_SEC_FAILED_AT_CENTRAL) == 1,
          "each in its own words");
    world_close(&w);
}

/* S157: on trigger, and a month before the end */
static void test_sign(void)
{
    static const char trigger[] = "{\"requestedMessage\":\"SignChargePointCertificate\"}";
    struct world w;
    struct books b;

    start(&w, &b);
    world_call(&w, "ExtendedTriggerMessage", trigger);
    CHECK(!strcmp(w.reply, REJECTED), "nobody to sign for: %s", w.reply);
    CHECK(!strcmp(change(&w, "CpoName", "Strom und Gut"), "Accepted"), "%s", w.reply);
    world_mark(&w);
    world_call(&w, "ExtendedTriggerMessage", trigger);
    CHECK_TRACE(&w, "ok:ExtendedTriggerMessage Csr");
    CHECK(!strcmp(b.name, "CP 001") && !strcmp(b.organization, "Strom und Gut"), "%s", b.name);
    CHECK(!strcmp(w.last, "{\"csr\":\"CSR 1\"}"), "%s", w.last);
    b.accept_why = "not for our key";
    world_mark(&w);
    CHECK(!strcmp(world_call(&w, "CertificateSigned", "{\"certificateChain\":\"x\"}"), REJECTED),
          "%s", w.reply);
    CHECK_TRACE(&w, "ok:CertificateSigned Sec:InvalidChargePointCertificate");
    CHECK(strstr(w.last, "not for our key") != NULL, "%s", w.last);
    b.accept_why = NULL;
    CHECK(!strcmp(world_call(&w, "CertificateSigned", "{\"certificateChain\":\"x\"}"), ACCEPTED),
          "%s", w.reply);
    b.expiry = UNIX0 + 40 * (int64_t)DAY_MS;
    world_run(&w, 9 * DAY_MS);
    CHECK(b.requests == 1, "not yet");
    world_run(&w, 2 * DAY_MS);
    CHECK(b.requests >= 2, "a month before");
    world_close(&w);
}

/* S157: the longest chain that is promised fits, and one byte more is refused */
static void test_long_chain(void)
{
    struct world w;
    struct books b;

    start(&w, &b);
    for (unsigned more = 0; more < 2; more++) {
        char frame[2 * AMP_CHAIN_MAX];
        size_t n =
            (size_t)snprintf(frame, sizeof(frame),
                             "[2,\"long%u\",\"CertificateSigned\",{\"certificateChain\":\"", more);

        for (unsigned i = 1; i <= AMP_CHAIN_MAX + more; i++) {
            if (i % 65 == 0)
                frame[n++] = '\\';
            frame[n++] = i % 65 == 0 ? 'n' : 'A';
        }
        snprintf(frame + n, sizeof(frame) - n, "\"}]");
        w.asked = amp_message_find(&ocpp16, AMP_TEXT("CertificateSigned"));
        world_say(&w, frame);
        world_settle(&w);
        CHECK(!strcmp(w.reply, more ? REJECTED : ACCEPTED), "%s", w.reply);
        w.asked = NULL;
    }
    world_call(&w, "GetConfiguration", "{\"key\":[\"CertificateSignedMaxChainSize\"]}");
    CHECK(world_int(w.reply, "value") == AMP_CHAIN_MAX, "%s", w.reply);
    world_close(&w);
}

/* S157: silence is not the end; a refusal is, until the day after */
static void test_sign_again(void)
{
    struct world w;
    struct books b;

    start(&w, &b);
    change(&w, "CpoName", "CPO");
    w.mute = "SignCertificate";
    CHECK(amp_security_sign(w.st), "triggered");
    world_run(&w, 31000);
    CHECK(b.requests == 1, "%u", b.requests);
    w.mute = NULL;
    world_run(&w, 61000);
    CHECK(b.requests == 2, "a new key pair for each: %u", b.requests);
    w.error = "SignCertificate";
    CHECK(amp_security_sign(w.st), "triggered");
    world_run(&w, 3600000);
    CHECK(b.requests == 3, "an error is a no: %u", b.requests);
    world_close(&w);
}

/* S157: the new certificate proves us from now on */
static void test_sign_in_profile_3(void)
{
    struct world w;
    struct books b;

    defaults(&w, &b);
    b.expiry = UNIX0 + 400 * (int64_t)DAY_MS;
    w.config.url = AMP_TEXT("wss://central.test/ocpp");
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 100);
    CHECK(profile(&w) == 3 && w.mem.endpoint.certificate && w.mem.opens == 1, "profile 3");
    world_call(&w, "CertificateSigned", "{\"certificateChain\":\"x\"}");
    CHECK(!strcmp(w.reply, ACCEPTED), "%s", w.reply);
    world_run(&w, 10000);
    CHECK(w.mem.opens == 2 && w.up, "a new connection");
    world_close(&w);
}

/* An attempt, and how it ends. */
static void refuse_ours(struct world *w)
{
    for (int s = 0; s < 400 && !w->mem.opening; s++)
        world_run(w, 1000);
    w->mem.opening = false;
    amp_station_tls_failed(w->st, AMP_TLS_OURS, AMP_TEXT("revoked"), w->now);
    amp_station_closed(w->st, w->now);
}

/* S157: a certificate that the central system refuses gives way to the one before it, and is
 * dropped only when that one works; one that is the only one stays */
static void test_refused_certificate(void)
{
    for (int alone = 0; alone < 2; alone++) {
        struct world w;
        struct books b;

        defaults(&w, &b);
        b.expiry = UNIX0 + 400 * (int64_t)DAY_MS;
        b.only_one = alone;
        w.config.url = AMP_TEXT("wss://central.test/ocpp");
        CHECK(world_boot(&w) == 0, "start");
        world_run(&w, 100);
        CHECK(w.mem.endpoint.certificate && !w.mem.endpoint.before, "the newest");
        world_call(&w, "CertificateSigned", "{\"certificateChain\":\"x\"}");
        w.refuse = true;
        world_run(&w, 4000);
        for (int i = 0; i < 4; i++) { /* in turn, as long as neither works */
            refuse_ours(&w);
            CHECK(w.mem.endpoint.certificate && w.mem.endpoint.before == (i % 2 == 1), "attempt %d",
                  i);
        }
        refuse_ours(&w);
        CHECK(!w.mem.endpoint.before && b.dropped == 0, "nothing is dropped for that");
        world_mark(&w);
        w.refuse = false;
        world_run(&w, 400000);
        CHECK(w.up && w.mem.endpoint.before, "the one before works");
        CHECK(b.dropped == !alone, "the newest is dropped");
        CHECK((strstr(w.trace, "Sec:InvalidChargePointCertificate") != NULL) == !alone, "%s",
              w.trace);
        world_hang_up(&w);
        world_run(&w, 400000);
        CHECK(w.up && !w.mem.endpoint.before, "and what is the newest now is used");
        world_close(&w);
    }
}

/* S157: three connections in a row that end without a word when the certificate was shown are a
 * refusal too */
static void test_certificate_refused_in_silence(void)
{
    struct world w;
    struct books b;

    defaults(&w, &b);
    b.expiry = UNIX0 + 400 * (int64_t)DAY_MS;
    w.config.url = AMP_TEXT("wss://central.test/ocpp");
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 100);
    w.deaf = true;
    world_hang_up(&w);
    for (int i = 0; i < 4; i++) {
        for (int s = 0; s < 400 && !w.mem.open; s++)
            world_run(&w, 1000);
        CHECK(w.mem.endpoint.before == (i == 3), "attempt %d", i);
        if (i < 3)
            world_hang_up(&w);
    }
    w.deaf = false;
    world_hang_up(&w);
    world_run(&w, 400000);
    CHECK(w.up && b.dropped == 1, "%u", b.dropped);
    world_close(&w);
}

/* S158 */
static void test_roots(void)
{
    static const char install_call[] =
        "{\"certificateType\":\"ManufacturerRootCertificate\",\"certificate\":\"9\"}";
    static const char delete_call[] =
        "{\"certificateHashData\":{\"hashAlgorithm\":\"SHA384\",\"issuerNameHash\":\"aa\","
        "\"issuerKeyHash\":\"bb\",\"serialNumber\":\"9\"}}";
    struct world w;
    struct books b;

    defaults(&w, &b);
    w.config.settings = (const char *const[]){ "CertificateStoreMaxLength=3",
                                               "AdditionalRootCertificateCheck=true", NULL };
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 100);
    world_call(&w, "GetInstalledCertificateIds",
               "{\"certificateType\":\"CentralSystemRootCertificate\"}");
    CHECK(!strcmp(w.reply, "{\"status\":\"NotFound\"}"), "%s", w.reply);
    root(&w);
    CHECK(b.max == 3 && b.chained, "the rules go along");
    CHECK(!strcmp(world_call(&w, "InstallCertificate", install_call), ACCEPTED), "%s", w.reply);
    world_call(&w, "GetInstalledCertificateIds",
               "{\"certificateType\":\"CentralSystemRootCertificate\"}");
    CHECK(strstr(w.reply, "\"serialNumber\":\"7\"") && strstr(w.reply, "\"SHA256\"") &&
              !strstr(w.reply, "\"9\""),
          "%s", w.reply);
    b.install_rc = AMP_E_FULL;
    CHECK(!strcmp(world_call(&w, "InstallCertificate", install_call), REJECTED), "%s", w.reply);
    b.install_rc = AMP_E_AUTH;
    world_mark(&w);
    world_call(&w, "InstallCertificate",
               "{\"certificateType\":\"CentralSystemRootCertificate\",\"certificate\":\"8\"}");
    CHECK(!strcmp(w.reply, REJECTED), "%s", w.reply);
    CHECK_TRACE(&w, "ok:InstallCertificate Sec:InvalidCentralSystemCertificate");
    b.install_rc = AMP_E_IO;
    CHECK(!strcmp(world_call(&w, "InstallCertificate", install_call), "{\"status\":\"Failed\"}"),
          "%s", w.reply);
    CHECK(!strcmp(world_call(&w, "DeleteCertificate", delete_call), ACCEPTED), "%s", w.reply);
    b.remove_rc = AMP_E_ABSENT;
    CHECK(!strcmp(world_call(&w, "DeleteCertificate", delete_call), "{\"status\":\"NotFound\"}"),
          "%s", w.reply);
    b.remove_rc = AMP_E_STATE;
    CHECK(!strcmp(world_call(&w, "DeleteCertificate", delete_call), "{\"status\":\"Failed\"}"),
          "%s", w.reply);
    CHECK(!strcmp(change(&w, "CertificateStoreMaxLength", "100"), "Rejected"), "told, not set");
    world_close(&w);
}

/* A platform without keys has no certificates. */
static void test_no_keys(void)
{
    struct world w;

    world_open(&w);
    world_run(&w, 100);
    world_call(&w, "GetInstalledCertificateIds",
               "{\"certificateType\":\"CentralSystemRootCertificate\"}");
    CHECK(!strcmp(w.reply, "!NotSupported"), "%s", w.reply);
    CHECK(!amp_security_sign(w.st) && !strstr(w.trace, "Sec:"), "%s", w.trace);
    world_close(&w);
}

/* S159: delivered in order, whatever comes between */
static void test_events(void)
{
    struct world w;
    struct books b;

    defaults(&w, &b);
    w.config.firmware = AMP_TEXT("1.2.3");
    w.boot_status = "Pending";
    w.boot_interval = 60;
    CHECK(world_boot(&w) == 0, "start");
    CHECK(amp_station_security_event(w.st, AMP_SEC_TAMPER, AMP_TEXT("door"), w.now) == 0, "raise");
    world_run(&w, 30000);
    CHECK_TRACE(&w, "Boot");
    w.boot_status = NULL;
    world_run(&w, 31000);
    CHECK(strstr(w.trace, "S2:Available Sec:StartupOfTheDevice Sec:TamperDetectionActivated "
                          "Sec:SettingSystemTime"),
          "none before Accepted: %s", w.trace);
    world_hang_up(&w);
    w.refuse = true;
    CHECK(amp_station_security_event(w.st, AMP_SEC_TAMPER, AMP_TEXT("again"), w.now) == 0, "raise");
    power(&w, &b);
    world_mark(&w);
    w.refuse = false;
    w.mute = "SecurityEventNotification";
    world_run(&w, 31000);
    w.mute = NULL;
    world_run(&w, 400000);
    CHECK(strstr(w.trace, "-SecurityEventNotification ") &&
              strstr(w.trace, "Sec:TamperDetectionActivated Sec:StartupOfTheDevice"),
          "over a power cut and a silence: %s", w.trace);
    CHECK(amp_events_waiting(w.st) == 0, "%u", amp_events_waiting(w.st));
    CHECK(amp_station_security_event(w.st, AMP_SEC_EVENTS, AMP_NO_TEXT, w.now) == AMP_E_RANGE,
          "none such");
    world_close(&w);
}

/* S159: a central system that does not know the message is not bothered for ever */
static void test_events_unwanted(void)
{
    struct world w;
    struct books b;

    defaults(&w, &b);
    w.error = "SecurityEventNotification";
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 1800000);
    CHECK(amp_events_waiting(w.st) == 0, "given up");
    CHECK(w.up, "and nothing else happened");
    world_close(&w);
}

/* S159: the log rolls; what waits stays in it, and meter values of a transaction too */
static void test_events_roll(void)
{
    struct world w;
    struct books b;
    struct amp_security_record r;
    uint32_t at = 0, first = 0, sent = 0;

    start(&w, &b);
    world_hang_up(&w);
    w.refuse = true;
    for (int i = 0; i < 3; i++)
        CHECK(amp_station_security_event(w.st, AMP_SEC_TAMPER, AMP_TEXT("x"), w.now) == 0, "raise");
    for (int i = 0; i < 1000; i++)
        CHECK(amp_station_security_event(w.st, AMP_SEC_REPLAY, AMP_TEXT("x"), w.now) == 0, "raise");
    while (amp_events_next(w.st, &at, &r)) {
        first = first ? first : r.number;
        sent += r.type == AMP_SEC_TAMPER;
        CHECK(!strcmp(r.info, "x") || r.type != AMP_SEC_REPLAY, "%s", r.info);
    }
    CHECK(w.st->journal.compactions > 3 && r.number == w.st->events.next - 1, "rolling");
    CHECK(sent == 3, "%u", sent);
    power(&w, &b);
    world_mark(&w);
    w.refuse = false;
    world_run(&w, 600000);
    CHECK(strstr(w.trace, "Sec:TamperDetectionActivated Sec:TamperDetectionActivated "
                          "Sec:TamperDetectionActivated Sec:StartupOfTheDevice"),
          "%s", w.trace);
    world_close(&w);
}

/* S159: the power goes at each write while events arise and are delivered: none that was stored is
 * lost or overtaken, and a repeated one is only the last */
static void test_events_and_power(void)
{
    for (unsigned n = 1; n < 24; n++) {
        for (size_t torn = 0; torn < 24; torn += 12) {
            struct world w;
            struct books b;
            unsigned stored, tampers = 0;
            const char *p;

            start(&w, &b);
            world_mark(&w);
            mem_arm(&w.mem, n, MEM_CUT, torn);
            for (int i = 0; i < 6 && !w.mem.cut; i++) {
                CHECK(amp_station_security_event(w.st, AMP_SEC_TAMPER, AMP_NO_TEXT, w.now) == 0,
                      "raise");
                if (i % 2 == 0)
                    world_run(&w, 100);
            }
            power(&w, &b);
            stored = logged(&w, AMP_SEC_TAMPER);
            world_run(&w, 120000);
            for (p = w.trace; (p = strstr(p, "Sec:Tamper")) != NULL; p++)
                tampers++;
            CHECK(amp_events_waiting(w.st) == 0, "all out");
            CHECK(tampers >= stored && tampers <= stored + 1, "cut at %u: %u of %u", n, tampers,
                  stored);
            world_close(&w);
        }
    }
}

/* S159: SettingSystemTime, ResetOrReboot; and the queue has an end */
static void test_events_of_the_core(void)
{
    struct world w;
    struct books b;

    start(&w, &b);
    CHECK(strstr(w.trace, "Sec:StartupOfTheDevice Sec:SettingSystemTime"), "%s", w.trace);
    world_hang_up(&w);
    w.refuse = true;
    for (int i = 0; i < AMP_EVENT_QUEUE_MAX + 9; i++)
        CHECK(amp_station_security_event(w.st, AMP_SEC_TAMPER, AMP_NO_TEXT, w.now) == 0, "raise");
    CHECK(amp_events_waiting(w.st) == AMP_EVENT_QUEUE_MAX, "%u", amp_events_waiting(w.st));
    w.refuse = false;
    world_run(&w, 600000);
    CHECK(amp_events_waiting(w.st) == 0, "all out");
    world_mark(&w);
    world_say(&w, "[2,\"bad\",\"Reset\",{\"type\":7}]");
    world_say(&w, "[2,\"bad2\",\"Reset\",{\"type\":7}]");
    CHECK(logged(&w, AMP_SEC_INVALID_MESSAGES) == 1, "once a connection");
    world_call(&w, "Reset", "{\"type\":\"Soft\"}");
    world_run(&w, 1000);
    CHECK(logged(&w, AMP_SEC_RESET) == 1, "reset");
    power(&w, &b);
    world_run(&w, 1000);
    CHECK(strstr(w.trace, "Sec:ResetOrReboot") != NULL, "%s", w.trace);
    world_close(&w);
}

int main(void)
{
    RUN(test_profile_needs);
    RUN(test_profile_fallback);
    RUN(test_key_restored);
    RUN(test_key_and_power);
    RUN(test_bad_server);
    RUN(test_sign);
    RUN(test_long_chain);
    RUN(test_sign_again);
    RUN(test_sign_in_profile_3);
    RUN(test_refused_certificate);
    RUN(test_certificate_refused_in_silence);
    RUN(test_roots);
    RUN(test_no_keys);
    RUN(test_events);
    RUN(test_events_unwanted);
    RUN(test_events_roll);
    RUN(test_events_and_power);
    RUN(test_events_of_the_core);
    return check_end();
}
