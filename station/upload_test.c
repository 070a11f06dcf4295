/* station/upload_test.c - GetDiagnostics and GetLog. station-1.6 150, 151, 161. */
#include "ports/mem/transfer.h"
#include "station/world_test.h"

struct bench {
    struct world w;
    struct mem_transfer t;
};

static void bench_open(struct bench *b)
{
    world_defaults(&b->w);
    mem_transfer_init(&b->t, false);
    b->w.mem.port.transfer = &b->t.table;
    CHECK(world_boot(&b->w) == 0, "a station starts");
    world_run(&b->w, 100);
    world_mark(&b->w);
}

static void bench_close(struct bench *b)
{
    CHECK(!b->t.twice, "one upload at a time");
    world_close(&b->w);
}

static void end(struct bench *b, int rc)
{
    CHECK(b->t.busy[AMP_ERRAND_UPLOAD], "an upload is under way");
    b->t.busy[AMP_ERRAND_UPLOAD] = false;
    amp_station_transfer_done(b->w.st, AMP_ERRAND_UPLOAD, rc, b->w.now);
    world_settle(&b->w);
}

static const char *diagnostics(struct bench *b, const char *more)
{
    char payload[400];

    snprintf(payload, sizeof(payload), "{\"location\":\"ftp://files.test/in/\"%s}", more);
    return world_call(&b->w, "GetDiagnostics", payload);
}

static const char *get_log(struct bench *b, const char *type, int id, const char *more)
{
    char payload[400];

    snprintf(payload, sizeof(payload),
             "{\"log\":{\"remoteLocation\":\"https://files.test/in/\"},\"logType\":\"%s\","
             "\"requestId\":%d%s}",
             type, id, more);
    return world_call(&b->w, "GetLog", payload);
}

/* S150: the name, Uploading, Uploaded, once each */
static void test_diagnostics(void)
{
    struct bench b;

    bench_open(&b);
    diagnostics(&b,
                ",\"startTime\":\"2025-06-15T15:06:40Z\",\"stopTime\":\"2025-06-15T15:06:41Z\"");
    CHECK(!strcmp(b.w.reply, "{\"fileName\":\"station.log\"}"), "%s", b.w.reply);
    CHECK(b.t.source == AMP_SOURCE_DIAGNOSTICS && b.t.from_ms == UNIX0 && b.t.to_ms == UNIX0 + 1000,
          "what was asked for");
    CHECK(!strcmp(b.t.url, "ftp://files.test/in/"), "%s", b.t.url);
    end(&b, 0);
    world_run(&b.w, 200000);
    CHECK_TRACE(&b.w, "ok:GetDiagnostics Diagnostics:Uploading Diagnostics:Uploaded");
    world_mark(&b.w);
    world_power(&b.w);
    world_run(&b.w, 1000);
    CHECK(!strstr(b.w.trace, "Diagnostics"), "%s", b.w.trace);
    bench_close(&b);
}

/* S150: retries, the failure once, and then the next request */
static void test_diagnostics_fail(void)
{
    struct bench b;

    bench_open(&b);
    diagnostics(&b, ",\"retries\":2,\"retryInterval\":30");
    for (unsigned n = 1; n <= 3; n++) {
        CHECK(b.t.begun[AMP_ERRAND_UPLOAD] == n, "%u", b.t.begun[AMP_ERRAND_UPLOAD]);
        end(&b, AMP_E_IO);
        world_run(&b.w, 29000);
        CHECK(b.t.begun[AMP_ERRAND_UPLOAD] == n, "not yet");
        world_run(&b.w, 1000);
    }
    CHECK_TRACE(&b.w, "ok:GetDiagnostics Diagnostics:Uploading Diagnostics:UploadFailed");
    diagnostics(&b, "");
    end(&b, 0);
    CHECK_TRACE(&b.w, "ok:GetDiagnostics Diagnostics:Uploading Diagnostics:UploadFailed "
                      "ok:GetDiagnostics Diagnostics:Uploading Diagnostics:Uploaded");
    world_mark(&b.w);
    b.t.refuse[AMP_ERRAND_UPLOAD] = AMP_E_SUPPORT;
    diagnostics(&b, "");
    CHECK_TRACE(&b.w, "ok:GetDiagnostics Diagnostics:Uploading Diagnostics:UploadFailed");
    bench_close(&b);
}

/* S150: nothing there: no name, and nothing is said afterwards */
static void test_nothing_there(void)
{
    struct bench b;

    bench_open(&b);
    b.t.file = NULL;
    CHECK(!strcmp(diagnostics(&b, ""), "{}"), "%s", b.w.reply);
    CHECK(!strcmp(get_log(&b, "SecurityLog", 1, ""), "{\"status\":\"Rejected\"}"), "%s", b.w.reply);
    world_run(&b.w, 1000);
    CHECK_TRACE(&b.w, "ok:GetDiagnostics ok:GetLog");
    bench_close(&b);
}

/* S150: a restart in the middle is an end, told once */
static void test_restart(void)
{
    struct bench b;

    bench_open(&b);
    get_log(&b, "DiagnosticsLog", 9, "");
    b.t.busy[AMP_ERRAND_UPLOAD] = false;
    world_mark(&b.w);
    world_power(&b.w);
    world_run(&b.w, 1000);
    CHECK_TRACE(&b.w, "Boot S0:Available S1:Available S2:Available Log:UploadFailure#9");
    world_mark(&b.w);
    world_power(&b.w);
    world_run(&b.w, 1000);
    CHECK_TRACE(&b.w, "Boot S0:Available S1:Available S2:Available");
    bench_close(&b);
}

/* S161 */
static void test_log(void)
{
    struct bench b;

    bench_open(&b);
    get_log(&b, "SecurityLog", 4, "");
    CHECK(!strcmp(b.w.reply, "{\"status\":\"Accepted\",\"filename\":\"station.log\"}"), "%s",
          b.w.reply);
    CHECK(b.t.source == AMP_SOURCE_SECURITY && b.t.from_ms == INT64_MIN && b.t.to_ms == INT64_MAX,
          "all of it");
    get_log(&b, "DiagnosticsLog", 5, ",\"retries\":0");
    CHECK(!strcmp(b.w.reply, "{\"status\":\"AcceptedCanceled\",\"filename\":\"station.log\"}"),
          "%s", b.w.reply);
    CHECK(b.t.canceled[AMP_ERRAND_UPLOAD] == 1, "one upload");
    world_call(&b.w, "ExtendedTriggerMessage", "{\"requestedMessage\":\"LogStatusNotification\"}");
    end(&b, AMP_E_AUTH);
    world_call(&b.w, "ExtendedTriggerMessage", "{\"requestedMessage\":\"LogStatusNotification\"}");
    CHECK_TRACE(&b.w, "ok:GetLog Log:Uploading#4 ok:GetLog Log:Uploading#5 "
                      "ok:ExtendedTriggerMessage Log:Uploading#5 Log:PermissionDenied#5 "
                      "ok:ExtendedTriggerMessage Log:Idle");
    bench_close(&b);
}

/* S161: each failure has its word */
static void test_log_failures(void)
{
    static const struct {
        int rc;
        const char *want;
        /* clang-format off */
    } rows[] = {
        { AMP_E_IO,      "Log:UploadFailure#1" },
        { AMP_E_AUTH,    "Log:PermissionDenied#1" },
        { AMP_E_SUPPORT, "Log:NotSupportedOperation#1" },
        { AMP_E_FORMAT,  "Log:BadMessage#1" },
        { AMP_E_TIMEOUT, "Log:UploadFailure#1" }
    };
    /* clang-format on */

    for (unsigned i = 0; i < AMP_COUNT(rows); i++) {
        struct bench b;

        bench_open(&b);
        get_log(&b, "DiagnosticsLog", 1, ",\"retries\":0");
        world_mark(&b.w);
        end(&b, rows[i].rc);
        CHECK_TRACE(&b.w, rows[i].want);
        bench_close(&b);
    }
}

/* The two families share one upload: what is pushed aside by the other ends in its own words. */
static void test_both(void)
{
    struct bench b;

    bench_open(&b);
    diagnostics(&b, "");
    CHECK(strstr(get_log(&b, "SecurityLog", 3, ""), "AcceptedCanceled"), "%s", b.w.reply);
    diagnostics(&b, "");
    end(&b, 0);
    CHECK_TRACE(&b.w, "ok:GetDiagnostics Diagnostics:Uploading ok:GetLog Diagnostics:UploadFailed "
                      "Log:Uploading#3 ok:GetDiagnostics Log:UploadFailure#3 Diagnostics:Uploading "
                      "Diagnostics:Uploaded");
    CHECK(b.w.st->upload.state == 0, "nothing is owed");
    bench_close(&b);
}

/* S151 */
static void test_trigger(void)
{
    static const char ask[] = "{\"requestedMessage\":\"DiagnosticsStatusNotification\"}";
    struct bench b;

    bench_open(&b);
    world_call(&b.w, "TriggerMessage", ask);
    diagnostics(&b, "");
    world_call(&b.w, "TriggerMessage", ask);
    CHECK_TRACE(&b.w, "ok:TriggerMessage Diagnostics:Idle ok:GetDiagnostics "
                      "Diagnostics:Uploading ok:TriggerMessage Diagnostics:Uploading");
    world_mark(&b.w);
    world_call(&b.w, "ExtendedTriggerMessage", "{\"requestedMessage\":\"Heartbeat\"}");
    world_call(&b.w, "ExtendedTriggerMessage",
               "{\"requestedMessage\":\"StatusNotification\",\"connectorId\":2}");
    world_call(&b.w, "ExtendedTriggerMessage",
               "{\"requestedMessage\":\"MeterValues\",\"connectorId\":9}");
    CHECK(!strcmp(b.w.reply, "{\"status\":\"Rejected\"}"), "%s", b.w.reply);
    CHECK_TRACE(&b.w, "ok:ExtendedTriggerMessage Heart ok:ExtendedTriggerMessage S2:Available "
                      "ok:ExtendedTriggerMessage");
    bench_close(&b);
}

/* S150: the link goes before the answer: told again, and only then over */
static void test_lost_link(void)
{
    struct bench b;

    bench_open(&b);
    diagnostics(&b, "");
    b.w.mute = "DiagnosticsStatusNotification";
    end(&b, 0);
    world_hang_up(&b.w);
    b.w.mute = NULL;
    world_mark(&b.w);
    world_run(&b.w, 20000);
    CHECK_TRACE(&b.w, "Diagnostics:Uploaded");
    bench_close(&b);
}

int main(void)
{
    RUN(test_diagnostics);
    RUN(test_diagnostics_fail);
    RUN(test_nothing_there);
    RUN(test_restart);
    RUN(test_log);
    RUN(test_log_failures);
    RUN(test_both);
    RUN(test_trigger);
    RUN(test_lost_link);
    return check_end();
}
