/* station/cut_stories_test.c - the power goes at every write of every story that writes, whole or
 * torn, with a journal that is nearly empty or nearly full; afterwards the station starts,
 * everything that began is told and ended, and the story can be told again to its end. The session
 * itself is in cut_test.c; lists, reservations, profiles and keys have their own in their tests.
 * station-1.6 77-79, 102, 141, 149, 159. */
#include "ports/mem/transfer.h"
#include "station/cut_books_test.h"

#define UNIT_S 1000

struct bench {
    struct world w;
    struct mem_transfer t;
    struct amp_pki pki;
    unsigned csrs;
};

/* ---- certificates that only keep books ---- */

static int request(void *ctx, const char *name, const char *organization, char *out, size_t cap)
{
    struct bench *b = ctx;

    (void)name, (void)organization;
    return snprintf(out, cap, "CSR %u", ++b->csrs);
}

static int take(void *ctx, struct amp_text chain, const char *name, int64_t unix_ms,
                const char **why)
{
    (void)ctx, (void)chain, (void)name, (void)unix_ms;
    *why = "";
    return 0;
}

static int discard(void *ctx, int64_t unix_ms)
{
    (void)ctx, (void)unix_ms;
    return AMP_E_ABSENT;
}

static int64_t expiry(void *ctx, int64_t unix_ms)
{
    (void)ctx, (void)unix_ms;
    return UNIX0 + INT64_C(40) * 86400000;
}

static int install(void *ctx, enum amp_root use, struct amp_text pem, unsigned max, bool chained,
                   int64_t unix_ms, const char **why)
{
    (void)ctx, (void)use, (void)pem, (void)max, (void)chained, (void)unix_ms;
    *why = "";
    return 0;
}

static int list(void *ctx, enum amp_root use, unsigned index, struct amp_certificate_id *out)
{
    (void)ctx, (void)use;
    memset(out, 0, sizeof(*out));
    return index ? AMP_E_ABSENT : 0;
}

static int drop(void *ctx, const struct amp_certificate_id *id)
{
    (void)ctx, (void)id;
    return 0;
}

/* ---- the stories ---- */

/* What a car does at connector 2 meanwhile. */
static void begin_session(struct world *w)
{
    world_plug(w, 2, true);
    world_tag(w, 2, "TAG2");
    world_run(w, 15 * UNIT_S);
}

static void end_session(struct world *w)
{
    world_tag(w, 2, "TAG2");
    world_plug(w, 2, false);
    world_run(w, 5 * UNIT_S);
}

static void done(struct bench *b, enum amp_errand errand)
{
    if (!b->t.busy[errand] || b->w.mem.cut)
        return;
    b->t.busy[errand] = false;
    amp_station_transfer_done(b->w.st, errand, 0, b->w.now);
    world_run(&b->w, UNIT_S);
}

/* A reset that came: the device is there again. */
static void restarted(struct bench *b)
{
    unsigned armed = b->w.mem.at_write;

    if (!b->w.mem.rebooted || b->w.mem.cut)
        return;
    mem_restart(&b->w.mem);
    b->w.mem.at_write = armed; /* the cut may still come */
    (void)world_boot(&b->w);
    world_run(&b->w, 5 * UNIT_S);
}

static void cache(struct bench *b)
{
    struct world *w = &b->w;
    char tag[20];

    begin_session(w);
    for (int i = 0; i < 4; i++) {
        snprintf(tag, sizeof(tag), "GUEST%d", i);
        w->tag_status = i % 2 ? "Blocked" : NULL;
        world_tag(w, 1, tag);
        world_run(w, 70 * UNIT_S);
    }
    w->tag_status = NULL;
    world_call(w, "ClearCache", "{}");
    world_tag(w, 1, "GUEST0");
    end_session(w);
}

static void logs(struct bench *b)
{
    struct world *w = &b->w;

    begin_session(w);
    world_call(w, "GetDiagnostics", "{\"location\":\"ftp://files.test/in/\"}");
    done(b, AMP_ERRAND_UPLOAD);
    world_call(w, "GetLog",
               "{\"log\":{\"remoteLocation\":\"https://files.test/\"},\"logType\":\"SecurityLog\","
               "\"requestId\":4}");
    world_call(w, "GetLog",
               "{\"log\":{\"remoteLocation\":\"https://files.test/\"},\"logType\":"
               "\"DiagnosticsLog\",\"requestId\":5}");
    done(b, AMP_ERRAND_UPLOAD);
    end_session(w);
}

static void signed_firmware(struct bench *b)
{
    struct world *w = &b->w;

    begin_session(w);
    world_call(w, "SignedUpdateFirmware",
               "{\"requestId\":7,\"retries\":0,\"firmware\":{\"location\":\"https://f.test/i\","
               "\"retrieveDateTime\":\"2025-06-15T15:06:40Z\",\"signingCertificate\":\"c\","
               "\"signature\":\"c2ln\"}}");
    done(b, AMP_ERRAND_DOWNLOAD);
    done(b, AMP_ERRAND_VERIFY);
    end_session(w); /* it waits for that */
    done(b, AMP_ERRAND_INSTALL);
    world_run(w, 30 * UNIT_S);
    restarted(b);
}

static void certificates(struct bench *b)
{
    struct world *w = &b->w;

    begin_session(w);
    world_call(w, "ChangeConfiguration", "{\"key\":\"CpoName\",\"value\":\"Strom\"}");
    world_call(w, "InstallCertificate",
               "{\"certificateType\":\"CentralSystemRootCertificate\",\"certificate\":\"7\"}");
    world_call(w, "ExtendedTriggerMessage",
               "{\"requestedMessage\":\"SignChargePointCertificate\"}");
    world_call(w, "CertificateSigned", "{\"certificateChain\":\"x\"}");
    world_call(w, "DeleteCertificate",
               "{\"certificateHashData\":{\"hashAlgorithm\":\"SHA256\",\"issuerNameHash\":\"aa\","
               "\"issuerKeyHash\":\"bb\",\"serialNumber\":\"9\"}}");
    world_run(w, 5 * UNIT_S);
    end_session(w);
}

static void rising_profile(struct bench *b)
{
    struct world *w = &b->w;

    begin_session(w);
    world_call(w, "ChangeConfiguration",
               "{\"key\":\"AuthorizationKey\",\"value\":\"c0ffee0000112233445566778899aabb\"}");
    world_run(w, 10 * UNIT_S);
    world_call(w, "ChangeConfiguration", "{\"key\":\"SecurityProfile\",\"value\":\"1\"}");
    world_run(w, 10 * UNIT_S);
    world_call(w, "ChangeConfiguration", "{\"key\":\"SecurityProfile\",\"value\":\"2\"}");
    world_run(w, 10 * UNIT_S);
    end_session(w);
}

static void resets(struct bench *b)
{
    struct world *w = &b->w;

    begin_session(w);
    world_call(w, "Reset", "{\"type\":\"Soft\"}");
    world_run(w, 5 * UNIT_S);
    w->car[2].plugged = false;
    restarted(b);
    begin_session(w);
    world_call(w, "Reset", "{\"type\":\"Hard\"}");
    world_run(w, 5 * UNIT_S);
    w->car[2].plugged = false;
    restarted(b);
}

static void profiles(struct bench *b)
{
    struct world *w = &b->w;
    static const char tx_profile[] =
        "\"chargingProfile\":{\"chargingProfileId\":5,\"stackLevel\":0,\"chargingProfilePurpose\":"
        "\"TxProfile\",\"chargingProfileKind\":\"Relative\",\"chargingSchedule\":{"
        "\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":0}]}}";
    char call[500];

    snprintf(call, sizeof(call), "{\"idTag\":\"TAG2\",\"connectorId\":2,%s}", tx_profile);
    world_call(w, "RemoteStartTransaction", call);
    world_plug(w, 2, true);
    world_run(w, 15 * UNIT_S);
    world_call(w, "ClearChargingProfile", "{}");
    world_run(w, 15 * UNIT_S);
    end_session(w);
}

/* A central system that never accepted this station, and no clock. */
static void without_a_clock(struct bench *b)
{
    struct world *w = &b->w;

    w->refuse = true;
    world_hang_up(w);
    begin_session(w);
    end_session(w);
    begin_session(w);
    w->refuse = false;
    world_run(w, 60 * UNIT_S);
    end_session(w);
}

static void refused_start(struct bench *b)
{
    struct world *w = &b->w;

    w->start_status = "Invalid";
    begin_session(w);
    w->start_status = NULL;
    world_tag(w, 2, "TAG2"); /* the cable is let go */
    world_plug(w, 2, false);
    world_call(w, "ChangeConfiguration",
               "{\"key\":\"StopTransactionOnInvalidId\",\"value\":\"false\"}");
    w->start_status = "Blocked";
    begin_session(w);
    w->start_status = NULL;
    end_session(w);
}

static void list_and_reservation(struct bench *b)
{
    struct world *w = &b->w;

    world_call(w, "SendLocalList",
               "{\"listVersion\":5,\"updateType\":\"Full\",\"localAuthorizationList\":[{\"idTag\":"
               "\"TAG2\",\"idTagInfo\":{\"status\":\"Accepted\",\"parentIdTag\":\"FAM\"}}]}");
    world_call(w, "ReserveNow",
               "{\"connectorId\":2,\"expiryDate\":\"2025-06-15T15:12:00Z\",\"idTag\":\"TAG2\","
               "\"reservationId\":2}");
    begin_session(w);
    world_call(w, "ReserveNow",
               "{\"connectorId\":1,\"expiryDate\":\"2025-06-15T15:10:00Z\",\"idTag\":\"TAG9\","
               "\"reservationId\":3}");
    world_call(w, "CancelReservation", "{\"reservationId\":3}");
    end_session(w);
}

static void thinning(struct bench *b)
{
    struct world *w = &b->w;

    world_call(w, "ChangeConfiguration", "{\"key\":\"MeterValueSampleInterval\",\"value\":\"5\"}");
    begin_session(w);
    w->refuse = true;
    world_hang_up(w);
    world_run(w, 300 * UNIT_S);
    end_session(w);
    w->refuse = false;
    world_run(w, 60 * UNIT_S);
}

static const struct story {
    const char *name;
    void (*tell)(struct bench *b);
    bool unknown; /* nobody accepted the station before */
    bool sparse;  /* many writes that are alike: every third is enough */
    /* clang-format off */
} stories[] = {
    { "cache",            cache,                false, false },
    { "logs",             logs,                 false, false },
    { "signed firmware",  signed_firmware,      false, false },
    { "certificates",     certificates,         false, false },
    { "security profile", rising_profile,       false, false },
    { "resets",           resets,               false, false },
    { "profiles",         profiles,             false, false },
    { "no clock",         without_a_clock,      true,  false },
    { "refused start",    refused_start,        false, false },
    { "list, reserved",   list_and_reservation, false, false },
    { "thinning",         thinning,             false, true },
};
/* clang-format on */

static void prepare(struct bench *b, const struct story *s, bool full)
{
    static const char *const settings[] = { "AllowOfflineTxForUnknownId=true", NULL };

    world_defaults(&b->w);
    mem_transfer_init(&b->t, s->tell == signed_firmware);
    b->csrs = 0;
    b->pki = (struct amp_pki){ b, request, take, discard, expiry, install, list, drop };
    b->w.mem.port.transfer = &b->t.table;
    b->w.mem.port.pki = &b->pki;
    b->w.config.settings = settings;
    b->w.config.firmware = AMP_TEXT("1.0");
    b->w.config.charge_before_accepted = s->unknown;
    CHECK(world_boot(&b->w) == 0, "start");
    if (!s->unknown)
        world_run(&b->w, 2 * UNIT_S);
    if (full)
        fill(&b->w);
}

/* The end of the story after a cut: what was under way comes to its end. */
static void afterwards(struct bench *b)
{
    struct world *w = &b->w;

    for (int i = 0; i < 8; i++) {
        world_run(w, 50 * UNIT_S);
        for (int e = AMP_ERRAND_DOWNLOAD; e <= AMP_ERRAND_UPLOAD; e++)
            done(b, (enum amp_errand)e);
        restarted(b);
    }
}

static unsigned tell(const struct story *s, bool full, unsigned n, size_t torn)
{
    static struct bench b;
    struct world *w = &b.w;
    unsigned writes;

    prepare(&b, s, full);
    mem_arm(&w->mem, n, n ? MEM_CUT : MEM_FINE, torn);
    s->tell(&b);
    writes = w->mem.writes;
    CHECK(w->mem.cut == (n > 0), "%s: write %u is reached", s->name, n);
    if (n) {
        w->car[1].plugged = w->car[2].plugged = false;
        w->refuse = false;
        w->start_status = w->tag_status = NULL;
        memset(b.t.busy, 0, sizeof(b.t.busy));
        world_power(w);
    }
    afterwards(&b);
    check_books(w, s->name, n, torn);
    CHECK(w->st->firmware_update.state == 0 && w->st->upload.state == 0, "%s %u/%zu: errands end",
          s->name, n, torn);
    CHECK(amp_events_waiting(w->st) == 0, "%s %u/%zu: events are told", s->name, n, torn);
    for (int c = 1; c <= 2; c++)
        CHECK(world_status(w, c) == AMP_AVAILABLE, "%s %u/%zu: connector %d is %d", s->name, n,
              torn, c, world_status(w, c));
    if (n) { /* and all of it once more */
        s->tell(&b);
        w->car[1].plugged = w->car[2].plugged = false;
        afterwards(&b);
        check_books(w, s->name, n, torn);
    }
    world_close(w);
    return writes;
}

static void test_every_write(void)
{
    unsigned cuts = 0;

    for (unsigned i = 0; i < AMP_COUNT(stories); i++)
        for (int full = 0; full < 2; full++) {
            unsigned writes = tell(&stories[i], full, 0, 0);

            CHECK(writes >= 5, "%s: %u writes", stories[i].name, writes);
            for (unsigned n = 1; n <= writes; n += stories[i].sparse ? 3 : 1)
                for (size_t torn = 0; torn <= 24; torn += 24, cuts++)
                    (void)tell(&stories[i], full, n, torn);
        }
    CHECK(cuts > 800, "%u cuts", cuts);
    printf("  %u cuts in %u stories\n", cuts, (unsigned)AMP_COUNT(stories));
}

int main(void)
{
    RUN(test_every_write);
    return check_end();
}
