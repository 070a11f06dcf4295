/* station/firmware_test.c - a firmware update from the request to the first boot of the new image.
 * station-1.6 147-149, 151, 160. */
#include "ports/mem/transfer.h"
#include "station/world_test.h"

#define URL     "https://files.test/two-2.0.img"
#define AT_ONCE "2025-06-15T15:06:40Z" /* UNIX0 */

struct bench {
    struct world w;
    struct mem_transfer t;
};

static void bench_open(struct bench *b, bool with_signatures)
{
    world_defaults(&b->w);
    mem_transfer_init(&b->t, with_signatures);
    b->w.mem.port.transfer = &b->t.table;
    b->w.config.firmware = AMP_TEXT("1.0");
    CHECK(world_boot(&b->w) == 0, "a station starts");
    world_run(&b->w, 100);
    world_mark(&b->w);
}

static void bench_close(struct bench *b)
{
    CHECK(!b->t.twice, "one errand of a kind at a time");
    world_close(&b->w);
}

/* The errand ends; one that is not under way is the station's mistake. */
static void end(struct bench *b, enum amp_errand errand, int rc)
{
    CHECK(b->t.busy[errand], "errand %d is under way", errand);
    b->t.busy[errand] = false;
    amp_station_transfer_done(b->w.st, errand, rc, b->w.now);
    world_settle(&b->w);
}

static const char *update(struct bench *b, const char *retrieve, const char *more)
{
    char payload[400];

    snprintf(payload, sizeof(payload), "{\"location\":\"" URL "\",\"retrieveDate\":\"%s\"%s}",
             retrieve, more);
    return world_call(&b->w, "UpdateFirmware", payload);
}

static const char *signed_update(struct bench *b, int id, const char *retrieve, const char *install)
{
    char payload[600];

    snprintf(payload, sizeof(payload),
             "{\"requestId\":%d,\"retries\":0,\"firmware\":{\"location\":\"" URL
             "\",\"retrieveDateTime\":\"%s\"%s,\"signingCertificate\":\"-----BEGIN "
             "CERTIFICATE-----\\nQQ==\\n\",\"signature\":\"c2ln\"}}",
             id, retrieve, install);
    return world_call(&b->w, "SignedUpdateFirmware", payload);
}

/* The device restarts on the new image. */
static void restart(struct bench *b, const char *version)
{
    CHECK(b->w.mem.rebooted, "it restarts");
    mem_restart(&b->w.mem);
    b->w.config.firmware = amp_text_of(version);
    CHECK(world_boot(&b->w) == 0, "the station starts again");
    world_run(&b->w, 100);
}

/* S147 S149: the whole way, and Installed once */
static void test_whole_way(void)
{
    struct bench b;

    bench_open(&b, false);
    CHECK(!strcmp(update(&b, AT_ONCE, ""), "{}"), "%s", b.w.reply);
    CHECK_TRACE(&b.w, "ok:UpdateFirmware Firmware:Downloading");
    CHECK(!strcmp(b.t.url, URL), "%s", b.t.url);
    end(&b, AMP_ERRAND_DOWNLOAD, 0);
    CHECK_TRACE(&b.w, "ok:UpdateFirmware Firmware:Downloading S1:Unavailable S2:Unavailable "
                      "Firmware:Downloaded Firmware:Installing");
    world_mark(&b.w);
    end(&b, AMP_ERRAND_INSTALL, 0);
    restart(&b, "2.0");
    CHECK_TRACE(&b.w, "Boot S0:Available S1:Available S2:Available Firmware:Installed");
    world_mark(&b.w);
    world_run(&b.w, 1000);
    world_power(&b.w);
    world_run(&b.w, 1000);
    CHECK_TRACE(&b.w, "Boot S0:Available S1:Available S2:Available");
    bench_close(&b);
}

/* S147: retrieveDate is waited for, over a restart too */
static void test_retrieve_date(void)
{
    struct bench b;

    bench_open(&b, false);
    update(&b, "2025-06-15T15:16:40Z", ""); /* in ten minutes */
    world_run(&b.w, 300000);
    CHECK(!strstr(b.w.trace, "Firmware:"), "%s", b.w.trace);
    world_power(&b.w);
    world_run(&b.w, 290000);
    CHECK(!strstr(b.w.trace, "Firmware:") && !b.t.begun[AMP_ERRAND_DOWNLOAD], "%s", b.w.trace);
    world_run(&b.w, 20000);
    CHECK(strstr(b.w.trace, "Firmware:Downloading"), "%s", b.w.trace);
    bench_close(&b);
}

/* S147: retries come retryInterval apart, then DownloadFailed, once */
static void test_retries(void)
{
    struct bench b;

    bench_open(&b, false);
    update(&b, AT_ONCE, ",\"retries\":2,\"retryInterval\":30");
    for (unsigned n = 1; n <= 3; n++) {
        CHECK(b.t.begun[AMP_ERRAND_DOWNLOAD] == n, "%u", b.t.begun[AMP_ERRAND_DOWNLOAD]);
        end(&b, AMP_ERRAND_DOWNLOAD, AMP_E_IO);
        world_run(&b.w, 29000);
        CHECK(b.t.begun[AMP_ERRAND_DOWNLOAD] == n, "not yet");
        world_run(&b.w, 1000);
    }
    CHECK_TRACE(&b.w, "ok:UpdateFirmware Firmware:Downloading Firmware:DownloadFailed");
    CHECK(b.t.begun[AMP_ERRAND_DOWNLOAD] == 3, "%u", b.t.begun[AMP_ERRAND_DOWNLOAD]);
    world_mark(&b.w);
    update(&b, AT_ONCE, ",\"retries\":0");
    b.t.refuse[AMP_ERRAND_DOWNLOAD] = AMP_E_SUPPORT;
    end(&b, AMP_ERRAND_DOWNLOAD, AMP_E_IO);
    update(&b, AT_ONCE, ",\"retries\":0");
    CHECK_TRACE(&b.w, "ok:UpdateFirmware Firmware:Downloading Firmware:DownloadFailed "
                      "ok:UpdateFirmware Firmware:Downloading Firmware:DownloadFailed");
    world_power(&b.w);
    world_mark(&b.w);
    world_run(&b.w, 1000);
    CHECK(!strstr(b.w.trace, "Firmware:"), "told once: %s", b.w.trace);
    bench_close(&b);
}

/* S147 S148: transactions end by themselves, idle connectors are closed meanwhile */
static void test_waits_for_transactions(void)
{
    struct bench b;

    bench_open(&b, false);
    world_plug(&b.w, 1, true);
    world_tag(&b.w, 1, "TAG1");
    world_mark(&b.w);
    update(&b, AT_ONCE, "");
    end(&b, AMP_ERRAND_DOWNLOAD, 0);
    CHECK_TRACE(&b.w, "ok:UpdateFirmware Firmware:Downloading S2:Unavailable Firmware:Downloaded");
    world_run(&b.w, 600000);
    CHECK(world_status(&b.w, 1) == AMP_CHARGING && world_status(&b.w, 2) == AMP_UNAVAILABLE,
          "S148");
    world_call(&b.w, "RemoteStartTransaction", "{\"idTag\":\"TAG2\",\"connectorId\":2}");
    CHECK(!strcmp(b.w.reply, "{\"status\":\"Rejected\"}"), "%s", b.w.reply);
    world_plug(&b.w, 2, true);
    world_tag(&b.w, 2, "TAG2");
    CHECK(world_status(&b.w, 2) == AMP_UNAVAILABLE, "nothing begins");
    CHECK(!b.t.begun[AMP_ERRAND_INSTALL], "waits");
    world_mark(&b.w);
    world_tag(&b.w, 1, "TAG1");
    CHECK(b.t.begun[AMP_ERRAND_INSTALL] == 1, "the last transaction is over");
    CHECK(strstr(b.w.trace, "Stop:Local") && strstr(b.w.trace, "S1:Unavailable") &&
              strstr(b.w.trace, "Firmware:Installing"),
          "%s", b.w.trace);
    bench_close(&b);
}

/* S46, S148: they come back when it fails, those that the central system closed do not */
static void test_failed_install(void)
{
    struct bench b;

    bench_open(&b, false);
    world_call(&b.w, "ChangeAvailability", "{\"connectorId\":2,\"type\":\"Inoperative\"}");
    update(&b, AT_ONCE, "");
    end(&b, AMP_ERRAND_DOWNLOAD, 0);
    world_mark(&b.w);
    end(&b, AMP_ERRAND_INSTALL, AMP_E_CORRUPT);
    CHECK_TRACE(&b.w, "S1:Available Firmware:InstallationFailed");
    CHECK(world_status(&b.w, 2) == AMP_UNAVAILABLE, "S105");
    world_plug(&b.w, 1, true);
    world_tag(&b.w, 1, "TAG1");
    CHECK(world_status(&b.w, 1) == AMP_CHARGING, "and charge");
    bench_close(&b);
}

/* S148: a change of availability during the update counts after it */
static void test_availability_meanwhile(void)
{
    struct bench b;

    bench_open(&b, false);
    update(&b, AT_ONCE, "");
    end(&b, AMP_ERRAND_DOWNLOAD, 0);
    world_call(&b.w, "ChangeAvailability", "{\"connectorId\":1,\"type\":\"Inoperative\"}");
    CHECK(!strcmp(b.w.reply, "{\"status\":\"Accepted\"}"), "%s", b.w.reply);
    world_call(&b.w, "ChangeAvailability", "{\"connectorId\":1,\"type\":\"Operative\"}");
    CHECK(!strcmp(b.w.reply, "{\"status\":\"Scheduled\"}"), "%s", b.w.reply);
    CHECK(world_status(&b.w, 1) == AMP_UNAVAILABLE, "closed");
    end(&b, AMP_ERRAND_INSTALL, AMP_E_IO);
    CHECK(world_status(&b.w, 1) == AMP_AVAILABLE, "open");
    bench_close(&b);
}

/* S147: a new request takes the place of the one before, but not while it is being installed */
static void test_new_request(void)
{
    struct bench b;

    bench_open(&b, false);
    update(&b, AT_ONCE, "");
    update(&b, AT_ONCE, "");
    CHECK(b.t.canceled[AMP_ERRAND_DOWNLOAD] == 1 && b.t.begun[AMP_ERRAND_DOWNLOAD] == 2, "new");
    end(&b, AMP_ERRAND_DOWNLOAD, 0);
    CHECK(!strcmp(update(&b, AT_ONCE, ""), "!InternalError"), "%s", b.w.reply);
    end(&b, AMP_ERRAND_INSTALL, 0);
    restart(&b, "2.0");
    CHECK(strstr(b.w.trace, "Firmware:Installed"), "%s", b.w.trace);
    bench_close(&b);
}

/* S147: off line it goes on, and is told later in order */
static void test_off_line(void)
{
    struct bench b;

    bench_open(&b, false);
    update(&b, AT_ONCE, "");
    b.w.refuse = true;
    world_hang_up(&b.w);
    end(&b, AMP_ERRAND_DOWNLOAD, 0);
    end(&b, AMP_ERRAND_INSTALL, 0);
    CHECK(!b.w.mem.rebooted, "what must be told may still be told");
    b.w.refuse = false;
    world_mark(&b.w);
    world_run(&b.w, 15000);
    CHECK_TRACE(&b.w, "S1:Unavailable S2:Unavailable Firmware:Downloaded Firmware:Installing");
    restart(&b, "2.0");
    CHECK(strstr(b.w.trace, "Firmware:Installed"), "%s", b.w.trace);
    bench_close(&b);
}

/* S149: told again until it was heard; a boot loader that goes back is a failure */
static void test_heard(void)
{
    struct bench b;

    bench_open(&b, false);
    update(&b, AT_ONCE, "");
    end(&b, AMP_ERRAND_DOWNLOAD, 0);
    end(&b, AMP_ERRAND_INSTALL, 0);
    b.w.mute = "FirmwareStatusNotification";
    restart(&b, "2.0");
    CHECK(strstr(b.w.trace, "-FirmwareStatusNotification"), "%s", b.w.trace);
    world_power(&b.w);
    world_run(&b.w, 1000);
    b.w.mute = NULL;
    world_mark(&b.w);
    world_run(&b.w, 120000);
    CHECK_TRACE(&b.w, "Firmware:Installed");
    world_mark(&b.w);
    update(&b, AT_ONCE, "");
    end(&b, AMP_ERRAND_DOWNLOAD, 0);
    end(&b, AMP_ERRAND_INSTALL, 0);
    b.t.runs = AMP_E_CORRUPT;
    restart(&b, "2.0");
    CHECK(strstr(b.w.trace, "Firmware:InstallationFailed"), "%s", b.w.trace);
    bench_close(&b);
}

/* S151: Idle only when asked; S152 */
static void test_trigger(void)
{
    static const char ask[] = "{\"requestedMessage\":\"FirmwareStatusNotification\"}";
    struct bench b;

    bench_open(&b, false);
    world_run(&b.w, 3600000);
    CHECK(!strstr(b.w.trace, "Firmware:"), "%s", b.w.trace);
    world_mark(&b.w);
    world_call(&b.w, "TriggerMessage", ask);
    CHECK_TRACE(&b.w, "ok:TriggerMessage Firmware:Idle");
    update(&b, "2030-01-01T00:00:00Z", "");
    world_call(&b.w, "TriggerMessage", ask);
    update(&b, AT_ONCE, "");
    world_mark(&b.w);
    world_call(&b.w, "TriggerMessage", ask);
    end(&b, AMP_ERRAND_DOWNLOAD, 0);
    world_call(&b.w, "TriggerMessage", ask);
    CHECK_TRACE(&b.w, "ok:TriggerMessage Firmware:Downloading S1:Unavailable S2:Unavailable "
                      "Firmware:Downloaded Firmware:Installing ok:TriggerMessage "
                      "Firmware:Installing");
    bench_close(&b);
}

/* S160: signed, with its requestId in each status */
static void test_signed(void)
{
    struct bench b;

    bench_open(&b, true);
    CHECK(!strcmp(update(&b, AT_ONCE, ""), "!NotSupported"), "S160 plain: %s", b.w.reply);
    world_mark(&b.w);
    signed_update(&b, 7, "2025-06-15T15:07:40Z", ",\"installDateTime\":\"2025-06-15T15:16:40Z\"");
    CHECK(!strcmp(b.w.reply, "{\"status\":\"Accepted\"}"), "%s", b.w.reply);
    CHECK(!strcmp(b.t.certificate, "-----BEGIN CERTIFICATE-----\nQQ==\n") &&
              !strcmp(b.t.signature, "c2ln"),
          "checked before the answer");
    world_run(&b.w, 60000);
    end(&b, AMP_ERRAND_DOWNLOAD, 0);
    end(&b, AMP_ERRAND_VERIFY, 0);
    CHECK_TRACE(&b.w, "ok:SignedUpdateFirmware SignedFirmware:DownloadScheduled#7 "
                      "SignedFirmware:Downloading#7 SignedFirmware:Downloaded#7 "
                      "SignedFirmware:SignatureVerified#7 SignedFirmware:InstallScheduled#7");
    world_power(&b.w); /* the checked image is still there */
    world_mark(&b.w);
    world_run(&b.w, 100);
    CHECK(b.t.begun[AMP_ERRAND_DOWNLOAD] == 1 && !b.t.begun[AMP_ERRAND_INSTALL], "waits");
    world_run(&b.w, 600000);
    end(&b, AMP_ERRAND_INSTALL, 0);
    CHECK(strstr(b.w.trace, "SignedFirmware:Installing#7") &&
              strstr(b.w.trace, "SignedFirmware:InstallRebooting#7"),
          "%s", b.w.trace);
    world_mark(&b.w);
    restart(&b, "2.0");
    CHECK_TRACE(&b.w, "Boot S0:Available S1:Available S2:Available SignedFirmware:Installed#7");
    bench_close(&b);
}

/* S160 */
static void test_signed_refusals(void)
{
    struct bench b;

    bench_open(&b, true);
    b.t.trusted = AMP_E_AUTH;
    CHECK(!strcmp(signed_update(&b, 1, AT_ONCE, ""), "{\"status\":\"InvalidCertificate\"}"), "%s",
          b.w.reply);
    b.t.trusted = AMP_E_STATE;
    CHECK(!strcmp(signed_update(&b, 1, AT_ONCE, ""), "{\"status\":\"RevokedCertificate\"}"), "%s",
          b.w.reply);
    b.t.trusted = AMP_E_IO;
    CHECK(!strcmp(signed_update(&b, 1, AT_ONCE, ""), "{\"status\":\"Rejected\"}"), "%s", b.w.reply);
    b.t.trusted = 0;
    world_run(&b.w, 1000);
    CHECK(!b.t.begun[AMP_ERRAND_DOWNLOAD], "nothing is loaded");
    world_mark(&b.w);
    signed_update(&b, 2, AT_ONCE, "");
    CHECK(!strcmp(signed_update(&b, 3, AT_ONCE, ""), "{\"status\":\"AcceptedCanceled\"}"), "%s",
          b.w.reply);
    end(&b, AMP_ERRAND_DOWNLOAD, 0);
    end(&b, AMP_ERRAND_VERIFY, AMP_E_AUTH);
    CHECK_TRACE(&b.w, "ok:SignedUpdateFirmware SignedFirmware:Downloading#2 "
                      "ok:SignedUpdateFirmware SignedFirmware:Downloading#3 "
                      "SignedFirmware:Downloaded#3 SignedFirmware:InvalidSignature#3");
    CHECK(!b.t.begun[AMP_ERRAND_INSTALL], "not installed");
    world_mark(&b.w);
    world_call(&b.w, "ExtendedTriggerMessage",
               "{\"requestedMessage\":\"FirmwareStatusNotification\"}");
    CHECK(strstr(b.w.trace, "SignedFirmware:Idle"), "%s", b.w.trace);
    bench_close(&b);
    bench_open(&b, false);
    CHECK(!strcmp(signed_update(&b, 1, AT_ONCE, ""), "!NotSupported"), "%s", b.w.reply);
    bench_close(&b);
}

static unsigned heard(struct bench *b, unsigned type)
{
    struct amp_security_record r;
    uint32_t at = 0;
    unsigned n = 0;

    while (amp_events_next(b->w.st, &at, &r))
        n += r.type == type;
    return n;
}

static int64_t no_certificate(void *ctx, int64_t unix_ms)
{
    (void)ctx, (void)unix_ms;
    return 0;
}

/* S159 S160: what goes wrong with signatures, and that new firmware runs, are security events */
static void test_security_events(void)
{
    struct amp_pki pki = { .expiry = no_certificate };
    struct bench b;

    world_defaults(&b.w);
    mem_transfer_init(&b.t, true);
    b.w.mem.port.transfer = &b.t.table;
    b.w.mem.port.pki = &pki;
    b.w.config.firmware = AMP_TEXT("1.0");
    CHECK(world_boot(&b.w) == 0, "a station starts");
    world_run(&b.w, 100);
    b.t.trusted = AMP_E_AUTH;
    signed_update(&b, 1, AT_ONCE, "");
    CHECK(heard(&b, AMP_SEC_FIRMWARE_CERTIFICATE) == 1, "InvalidFirmwareSigningCertificate");
    b.t.trusted = 0;
    signed_update(&b, 2, AT_ONCE, "");
    end(&b, AMP_ERRAND_DOWNLOAD, 0);
    end(&b, AMP_ERRAND_VERIFY, AMP_E_AUTH);
    CHECK(heard(&b, AMP_SEC_FIRMWARE_SIGNATURE) == 1, "InvalidFirmwareSignature");
    signed_update(&b, 3, AT_ONCE, "");
    end(&b, AMP_ERRAND_DOWNLOAD, 0);
    end(&b, AMP_ERRAND_VERIFY, 0);
    end(&b, AMP_ERRAND_INSTALL, 0);
    world_run(&b.w, 1000);
    CHECK(!heard(&b, AMP_SEC_FIRMWARE_UPDATED), "not before it runs");
    restart(&b, "2.0");
    CHECK(heard(&b, AMP_SEC_FIRMWARE_UPDATED) == 1, "FirmwareUpdated");
    world_power(&b.w);
    world_run(&b.w, 1000);
    CHECK(heard(&b, AMP_SEC_FIRMWARE_UPDATED) == 1, "once");
    bench_close(&b);
}

/* A platform without transfers has no such profile. */
static void test_none(void)
{
    struct world w;

    world_open(&w);
    world_run(&w, 10);
    world_call(&w, "UpdateFirmware", "{\"location\":\"" URL "\",\"retrieveDate\":\"" AT_ONCE "\"}");
    CHECK(!strcmp(w.reply, "!NotSupported"), "%s", w.reply);
    world_call(&w, "GetConfiguration", "{\"key\":[\"SupportedFeatureProfiles\"]}");
    CHECK(!strstr(w.reply, "FirmwareManagement"), "%s", w.reply);
    world_close(&w);
}

static void test_keys(void)
{
    struct bench b;

    bench_open(&b, false);
    world_call(&b.w, "GetConfiguration",
               "{\"key\":[\"SupportedFeatureProfiles\",\"SupportedFileTransferProtocols\"]}");
    CHECK(strstr(b.w.reply, "FirmwareManagement"), "%s", b.w.reply);
    CHECK(strstr(b.w.reply, "\"SupportedFileTransferProtocols\",\"readonly\":true,"
                            "\"value\":\"FTP,HTTP,HTTPS\""),
          "%s", b.w.reply);
    bench_close(&b);
}

/* ---- the power goes at every write ---- */

static unsigned told(const struct world *w, const char *what)
{
    unsigned n = 0;

    for (const char *p = w->trace; (p = strstr(p, what)) != NULL; p += strlen(what))
        n++;
    return n;
}

/* A device that does what it is asked, however often it loses power. */
static void live(struct bench *b, bool *image, bool *installed)
{
    for (int i = 0; i < 400; i++) {
        world_run(&b->w, 1000);
        if (b->w.mem.cut)
            return;
        if (b->w.mem.rebooted) {
            mem_restart(&b->w.mem);
            b->w.config.firmware = *installed ? AMP_TEXT("2.0") : AMP_TEXT("1.0");
            if (world_boot(&b->w) < 0)
                return;
        } else if (b->t.busy[AMP_ERRAND_DOWNLOAD]) {
            *image = true;
            end(b, AMP_ERRAND_DOWNLOAD, 0);
        } else if (b->t.busy[AMP_ERRAND_INSTALL]) {
            CHECK(*image, "there is an image");
            *installed = true;
            end(b, AMP_ERRAND_INSTALL, 0);
        }
    }
}

/* S149 */
static void test_power_cut_at_every_write(void)
{
    unsigned writes = 0, once = 0;

    for (unsigned n = 0; n <= writes; n++)
        for (size_t torn = 0; torn <= 40; torn += 20) {
            struct bench b;
            bool image = false, installed = false;
            const char *reply;

            bench_open(&b, false);
            mem_arm(&b.w.mem, n, n ? MEM_CUT : MEM_FINE, torn);
            reply = update(&b, AT_ONCE, "");
            CHECK(!strcmp(reply, "{}") || b.w.mem.cut, "%s", reply);
            live(&b, &image, &installed);
            if (!n) {
                writes = b.w.mem.writes;
                CHECK(told(&b.w, "Firmware:Installed") == 1, "%s", b.w.trace);
                CHECK(writes >= 5, "%u writes", writes);
            } else {
                memset(b.t.busy, 0, sizeof(b.t.busy));
                mem_restart(&b.w.mem);
                b.w.config.firmware = installed ? AMP_TEXT("2.0") : AMP_TEXT("1.0");
                CHECK(world_boot(&b.w) == 0, "starts");
                live(&b, &image, &installed);
                CHECK(!b.w.mem.cut, "%u/%zu", n, torn);
                CHECK(b.w.st->firmware_update.state == 0, "%u/%zu: over", n, torn);
                CHECK(world_status(&b.w, 1) == AMP_AVAILABLE, "%u/%zu: open", n, torn);
                if (installed) {
                    unsigned times = told(&b.w, "Firmware:Installed");

                    /* twice only when the cut hit the note that it was heard */
                    CHECK(times == 1 || times == 2, "%u/%zu: %u times: %s", n, torn, times,
                          b.w.trace);
                    once += times == 1;
                }
            }
            bench_close(&b);
        }
    CHECK(once >= 3 * (writes - 3), "%u of %u writes: once", once, 3 * writes);
}

int main(void)
{
    RUN(test_whole_way);
    RUN(test_retrieve_date);
    RUN(test_retries);
    RUN(test_waits_for_transactions);
    RUN(test_failed_install);
    RUN(test_availability_meanwhile);
    RUN(test_new_request);
    RUN(test_off_line);
    RUN(test_heard);
    RUN(test_trigger);
    RUN(test_signed);
    RUN(test_signed_refusals);
    RUN(test_security_events);
    RUN(test_none);
    RUN(test_keys);
    RUN(test_power_cut_at_every_write);
    return check_end();
}
