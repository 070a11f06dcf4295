/* central/domain/command_progress_test.c - commands whose work goes on after the answer, and those
 * that are sent again. */
#include "central/domain/operation.h"
#include "central/domain/scene.h"

static struct scene s;

static int64_t ask(const struct command_fact *f)
{
    return world_command(s.w, s.c, f, T0);
}

static const struct command_fact *get(int64_t key)
{
    static const struct command_fact none;
    const struct command_fact *f = world_command_get(s.w, key);

    CHECK(f != NULL, "command %lld is not in memory", (long long)key);
    return f ? f : &none;
}

static int to(int64_t key, int state, int64_t now_ms)
{
    return world_command_change(s.w, key,
                                &(struct command_change){ .state = state,
                                                          .answer = AMP_TEXT("{}"),
                                                          .correlation = AMP_TEXT("m") },
                                now_ms);
}

static int64_t accepted(const char *action, const char *payload, int64_t request,
                        const char *expected)
{
    int64_t key = ask(&(struct command_fact){ .action = amp_text_of(action),
                                              .payload = amp_text_of(payload),
                                              .connector = -1,
                                              .request = request,
                                              .expected = amp_text_of(expected) });

    CHECK(to(key, COMMAND_SENT, T0) == 0 && to(key, COMMAND_ACCEPTED, T0) == 0, "%s", action);
    return key;
}

static void says(enum progress_kind kind, int64_t request, const char *word, int64_t now_ms)
{
    world_progress(s.w, s.c, kind, request, amp_text_of(word), now_ms);
}

static void boots(const char *firmware, int64_t now_ms)
{
    world_boot(s.w, s.c, &(struct boot_info){ .firmware = amp_text_of(firmware) }, &(int32_t){ 0 },
               now_ms);
}

static void no_overdue(void *ctx, struct charger *c, void *session)
{
    (void)ctx, (void)c, (void)session;
}

static void tick(int64_t now_ms)
{
    world_tick(s.w, now_ms, no_overdue, NULL);
}

static void test_words(void)
{
    static const struct {
        enum progress_kind kind;
        const char *action, *word;
        int state;
    } cases[] = {
        { PROGRESS_FIRMWARE, "UpdateFirmware", "Downloading", COMMAND_ACCEPTED },
        { PROGRESS_FIRMWARE, "UpdateFirmware", "Idle", COMMAND_ACCEPTED },
        { PROGRESS_FIRMWARE, "UpdateFirmware", "Installed", COMMAND_CONFIRMED },
        { PROGRESS_FIRMWARE, "UpdateFirmware", "DownloadFailed", COMMAND_NO_EFFECT },
        { PROGRESS_FIRMWARE, "UpdateFirmware", "InstallationFailed", COMMAND_NO_EFFECT },
        { PROGRESS_FIRMWARE, "SignedUpdateFirmware", "SignatureVerified", COMMAND_ACCEPTED },
        { PROGRESS_FIRMWARE, "SignedUpdateFirmware", "InvalidSignature", COMMAND_NO_EFFECT },
        { PROGRESS_FIRMWARE, "SignedUpdateFirmware", "Installed", COMMAND_CONFIRMED },
        { PROGRESS_DIAGNOSTICS, "GetDiagnostics", "Uploading", COMMAND_ACCEPTED },
        { PROGRESS_DIAGNOSTICS, "GetDiagnostics", "Uploaded", COMMAND_CONFIRMED },
        { PROGRESS_DIAGNOSTICS, "GetDiagnostics", "UploadFailed", COMMAND_NO_EFFECT },
        { PROGRESS_LOG, "GetLog", "Uploaded", COMMAND_CONFIRMED },
        { PROGRESS_LOG, "GetLog", "NotSupportedOperation", COMMAND_NO_EFFECT },
        { PROGRESS_LOG, "GetDiagnostics", "Uploaded", COMMAND_ACCEPTED },
        { PROGRESS_FIRMWARE, "GetLog", "Installed", COMMAND_ACCEPTED },
        { PROGRESS_FIRMWARE, "Reset", "Installed", COMMAND_ACCEPTED },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        int64_t key;

        scene_open(&s, NULL);
        key = accepted(cases[i].action, "{}", 0, NULL);
        says(cases[i].kind, 0, cases[i].word, T0 + 5000);
        CHECK(get(key)->state == cases[i].state, "%s, %s: %s", cases[i].action, cases[i].word,
              command_state_name(get(key)->state));
        scene_close(&s);
    }
}

/* A number that a station names must be the command's. */
static void test_request_id(void)
{
    int64_t one, two;

    scene_open(&s, NULL);
    one = accepted("GetLog", "{}", 7, NULL);
    two = accepted("GetLog", "{}", 8, NULL);
    says(PROGRESS_LOG, 7, "Uploading", T0 + 1);
    CHECK(amp_text_is(get(one)->progress, "Uploading") && !get(two)->progress.at, "by its number");
    says(PROGRESS_LOG, 9, "Uploaded", T0 + 2);
    CHECK(get(one)->state == COMMAND_ACCEPTED && get(two)->state == COMMAND_ACCEPTED,
          "nobody's number");
    says(PROGRESS_LOG, 0, "Uploaded", T0 + 3);
    CHECK(get(one)->state == COMMAND_ACCEPTED && get(two)->state == COMMAND_CONFIRMED,
          "without one it is the newest");
    CHECK(scene_last(&s, FACT_COMMAND)->u.command.progress_ms == T0 + 3, "and told");
    scene_close(&s);
}

/* E94: the modem lost every status; the version of the next boot tells. */
static void test_next_boot(void)
{
    int64_t any, named, none;

    scene_open(&s, NULL);
    boots("1.0", T0);
    any = accepted("UpdateFirmware", "{}", 0, NULL);
    CHECK(amp_text_is(get(any)->was, "1.0"), "how it was is kept");
    boots("1.0", T0 + 60000);
    CHECK(get(any)->state == COMMAND_ACCEPTED, "E94: a reboot in between is no failure");
    boots("1.1", T0 + 600000);
    CHECK(get(any)->state == COMMAND_CONFIRMED && get(any)->effect_ms == T0 + 600000,
          "E94: another version than before");
    named = accepted("UpdateFirmware", "{}", 0, "1.3");
    says(PROGRESS_FIRMWARE, 0, "Installed", T0 + 700000);
    CHECK(get(named)->state == COMMAND_ACCEPTED, "E94: the station's word is not enough");
    boots("1.2", T0 + 700001);
    CHECK(get(named)->state == COMMAND_ACCEPTED, "E94: not this one");
    boots("1.3", T0 + 800000);
    CHECK(get(named)->state == COMMAND_CONFIRMED, "E94: the one that was meant");
    none = accepted("UpdateFirmware", "{}", 0, NULL);
    tick(T0 + 3599999);
    CHECK(get(none)->state == COMMAND_ACCEPTED, "patience");
    tick(T0 + 3600000);
    CHECK(get(none)->state == COMMAND_NO_EFFECT, "E94: nothing was heard for an hour");
    boots("2.0", T0 + 9000000);
    CHECK(get(none)->state == COMMAND_CONFIRMED, "E94: late, but it did work");
    scene_close(&s);
}

/* E95: behind an installation a station boots more than once. */
static void test_boot_debounce(void)
{
    int64_t good, bad;

    scene_open(&s, NULL);
    boots("1.0", T0);
    good = accepted("UpdateFirmware", "{}", 0, NULL);
    says(PROGRESS_FIRMWARE, 0, "Installing", T0 + 1000);
    boots("1.0", T0 + 2000);
    tick(T0 + 2000 + 299999);
    CHECK(get(good)->state == COMMAND_ACCEPTED, "E95: the loader's boot decides nothing");
    boots("1.1", T0 + 302000);
    CHECK(get(good)->state == COMMAND_CONFIRMED, "E95: the next one does");
    bad = accepted("UpdateFirmware", "{}", 0, NULL);
    says(PROGRESS_FIRMWARE, 0, "InstallRebooting", T0 + 400000);
    boots("1.1", T0 + 410000);
    tick(T0 + 410000 + 300000);
    CHECK(get(bad)->state == COMMAND_NO_EFFECT, "E95: no other boot for five minutes");
    scene_close(&s);
}

/* E95: an update is never sent twice by us, and whoever asks may see that one runs. */
static void test_running_update(void)
{
    int64_t key;

    scene_open(&s, NULL);
    CHECK(!world_updating(s.c), "none");
    key = ask(&(struct command_fact){ .action = AMP_TEXT("UpdateFirmware") });
    CHECK(world_updating(s.c) == get(key), "queued");
    to(key, COMMAND_SENT, T0);
    to(key, COMMAND_TIMED_OUT, T0 + 30000);
    CHECK(get(key)->state == COMMAND_TIMED_OUT && get(key)->attempts == 1,
          "E95: not sent again: it may run");
    says(PROGRESS_FIRMWARE, 0, "Downloading", T0 + 40000);
    CHECK(get(key)->state == COMMAND_ACCEPTED && world_updating(s.c), "E95: it does run");
    says(PROGRESS_FIRMWARE, 0, "DownloadFailed", T0 + 50000);
    CHECK(get(key)->state == COMMAND_NO_EFFECT && !world_updating(s.c), "failed");
    says(PROGRESS_FIRMWARE, 0, "Downloading", T0 + 60000);
    CHECK(get(key)->state == COMMAND_ACCEPTED && world_updating(s.c),
          "E95: the station tries again by itself");
    says(PROGRESS_FIRMWARE, 0, "Installed", T0 + 70000);
    CHECK(get(key)->state == COMMAND_CONFIRMED && !world_updating(s.c), "done");
    scene_close(&s);
}

/* An update for tonight is not without effect by noon. */
static void test_due(void)
{
    int64_t key;

    scene_open(&s, NULL);
    key = ask(
        &(struct command_fact){ .action = AMP_TEXT("UpdateFirmware"), .due_ms = T0 + 36000000 });
    to(key, COMMAND_SENT, T0);
    to(key, COMMAND_ACCEPTED, T0);
    tick(T0 + 36000000 + 3599999);
    CHECK(get(key)->state == COMMAND_ACCEPTED, "its hour begins when it is due");
    tick(T0 + 36000000 + 3600000);
    CHECK(get(key)->state == COMMAND_NO_EFFECT, "and ends");
    scene_close(&s);
}

static void test_triggers(void)
{
    int64_t key, other;

    scene_open(&s, NULL);
    key = ask(&(struct command_fact){
        .action = AMP_TEXT("TriggerMessage"),
        .payload = AMP_TEXT("{\"requestedMessage\":\"StatusNotification\",\"connectorId\":2}"),
        .connector = 2 });
    to(key, COMMAND_SENT, T0);
    CHECK(!world_triggered(s.c), "the answer comes first");
    to(key, COMMAND_ACCEPTED, T0);
    CHECK(world_triggered(s.c), "then the message");
    world_heard(s.w, s.c, AMP_TEXT("Heartbeat"), -1, T0 + 1);
    world_heard(s.w, s.c, AMP_TEXT("StatusNotification"), 1, T0 + 2);
    CHECK(get(key)->state == COMMAND_ACCEPTED, "neither another message nor another connector");
    world_heard(s.w, s.c, AMP_TEXT("StatusNotification"), 2, T0 + 3);
    CHECK(get(key)->state == COMMAND_CONFIRMED && get(key)->effect_ms == T0 + 3, "this one");
    other = accepted("ExtendedTriggerMessage",
                     "{\"requestedMessage\":\"SignChargePointCertificate\"}", 0, NULL);
    world_heard(s.w, s.c, AMP_TEXT("SignCertificate"), -1, T0 + 4);
    CHECK(get(other)->state == COMMAND_CONFIRMED, "a message of another name");
    other = accepted("TriggerMessage", "{\"requestedMessage\":\"Heartbeat\"}", 0, NULL);
    tick(T0 + 60000);
    CHECK(get(other)->state == COMMAND_NO_EFFECT && !world_triggered(s.c), "nothing came");
    scene_close(&s);
}

/* ---- sent again ---- */

static void test_resend(void)
{
    static const struct {
        const char *action;
        bool again;
    } cases[] = {
        { "GetConfiguration", true },        { "ChangeConfiguration", true },
        { "TriggerMessage", true },          { "CertificateSigned", true },
        { "RemoteStartTransaction", false }, { "RemoteStopTransaction", false },
        { "UnlockConnector", false },        { "Reset", false },
        { "UpdateFirmware", false },         { "GetDiagnostics", false },
        { "DataTransfer", false },           { "SomethingNew", false },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        int64_t key;

        scene_open(&s, NULL);
        key = ask(&(struct command_fact){ .action = amp_text_of(cases[i].action) });
        to(key, COMMAND_SENT, T0);
        CHECK(to(key, COMMAND_TIMED_OUT, T0 + 30000) == 0, "%s", cases[i].action);
        CHECK(get(key)->state == (cases[i].again ? COMMAND_QUEUED : COMMAND_TIMED_OUT), "%s: %s",
              cases[i].action, command_state_name(get(key)->state));
        scene_close(&s);
    }
}

/* A new password is in no record: there is nothing to send again. */
static void test_password(void)
{
    int64_t key;

    scene_open(&s, NULL);
    key = ask(&(struct command_fact){ .action = AMP_TEXT("ChangeConfiguration"),
                                      .payload = AMP_TEXT("{\"key\":\"AuthorizationKey\"}") });
    to(key, COMMAND_SENT, T0);
    to(key, COMMAND_TIMED_OUT, T0 + 30000);
    CHECK(get(key)->state == COMMAND_TIMED_OUT, "once");
    scene_close(&s);
}

static void test_bound(void)
{
    int64_t key, fresh;

    scene_open(&s, NULL);
    key = ask(&(struct command_fact){ .action = AMP_TEXT("GetConfiguration") });
    for (int i = 1; i <= COMMAND_ATTEMPTS_MAX; i++) {
        CHECK(get(key)->state == COMMAND_QUEUED && to(key, COMMAND_SENT, T0 + i) == 0, "attempt %d",
              i);
        CHECK(get(key)->attempts == i, "counted: %d", (int)get(key)->attempts);
        fresh = ask(&(struct command_fact){ .action = AMP_TEXT("ClearCache") });
        to(key, COMMAND_TIMED_OUT, T0 + i);
        CHECK(world_command_next(s.w, s.c)->key == (i < COMMAND_ATTEMPTS_MAX ? key : fresh),
              "before what is newer: it would undo what that has set");
        to(fresh, COMMAND_ERROR, T0 + i);
    }
    CHECK(get(key)->state == COMMAND_TIMED_OUT && amp_text_is(get(key)->answer, "{}"),
          "and that was all: %s", command_state_name(get(key)->state));
    scene_close(&s);
}

/* The connection goes and comes: sent again then, but not for ever. */
static void test_lost_connection(void) /* E54 */
{
    int64_t key, start;

    scene_open(&s, NULL);
    key = ask(&(struct command_fact){ .action = AMP_TEXT("GetConfiguration") });
    start = ask(&(struct command_fact){ .action = AMP_TEXT("RemoteStartTransaction") });
    to(key, COMMAND_SENT, T0);
    world_disconnected(s.w, s.c, &s, 1006, AMP_NO_TEXT, T0 + 10);
    CHECK(get(key)->state == COMMAND_QUEUED, "E54: may be sent again");
    CHECK(get(start)->state == COMMAND_ERROR, "E54: a start does not wait");
    world_connected(s.w, s.c, &s, AMP_NO_TEXT, AMP_NO_TEXT, T0 + 20);
    CHECK(world_command_next(s.w, s.c) == get(key), "its station is back");
    to(key, COMMAND_SENT, T0 + 30);
    world_disconnected(s.w, s.c, &s, 1006, AMP_NO_TEXT, T0 + 40);
    tick(T0 + 10 + COMMAND_RETRY_MS - 1);
    CHECK(get(key)->state == COMMAND_QUEUED, "waits");
    tick(T0 + 10 + COMMAND_RETRY_MS);
    CHECK(get(key)->state == COMMAND_TIMED_OUT && get(key)->attempts == 2 && get(key)->answer.len,
          "gave up");
    scene_close(&s);
}

static void test_queue_expiry(void)
{
    struct command_fact f = { .action = AMP_TEXT("RemoteStartTransaction"),
                              .expires_ms = T0 + 60000 };
    int64_t key;

    scene_open(&s, NULL);
    key = world_command_wait(s.w, s.other, &f, T0);
    tick(T0 + 59999);
    CHECK(get(key)->state == COMMAND_QUEUED, "waits for its station");
    tick(T0 + 60000);
    CHECK(get(key)->state == COMMAND_ERROR &&
              amp_text_is(get(key)->answer, "the station did not come in time"),
          "but not longer");
    scene_close(&s);
}

/* The end of the process is a lost connection, too. */
static void test_restart(void)
{
    struct command_fact f = { .action = AMP_TEXT("GetConfiguration"),
                              .key = 10,
                              .sent_ms = T0,
                              .attempts = 1,
                              .state = COMMAND_SENT };

    scene_open(&s, NULL);
    f.charger = charger_fact(s.c)->key;
    world_apply(s.w, &(struct fact){ .kind = FACT_COMMAND, .u.command = f });
    f.key = 11, f.attempts = COMMAND_ATTEMPTS_MAX;
    world_apply(s.w, &(struct fact){ .kind = FACT_COMMAND, .u.command = f });
    f.key = 12, f.attempts = 1, f.state = COMMAND_QUEUED, f.expires_ms = T0 + 100;
    world_apply(s.w, &(struct fact){ .kind = FACT_COMMAND, .u.command = f });
    world_settle(s.w, T0 + 1);
    CHECK(get(10)->state == COMMAND_QUEUED && get(10)->expires_ms == T0 + 1 + COMMAND_RETRY_MS,
          "sent again by the next process");
    CHECK(get(11)->state == COMMAND_TIMED_OUT, "often enough");
    CHECK(get(12)->state == COMMAND_QUEUED, "was waiting for another try");
    tick(T0 + 100);
    CHECK(get(12)->state == COMMAND_TIMED_OUT, "its time is remembered");
    scene_close(&s);
}

int main(void)
{
    RUN(test_words);
    RUN(test_request_id);
    RUN(test_next_boot);
    RUN(test_boot_debounce);
    RUN(test_running_update);
    RUN(test_due);
    RUN(test_triggers);
    RUN(test_resend);
    RUN(test_password);
    RUN(test_bound);
    RUN(test_lost_connection);
    RUN(test_queue_expiry);
    RUN(test_restart);
    return check_end();
}
