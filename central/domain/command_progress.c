/* central/domain/command_progress.c - commands whose work goes on after the answer: firmware,
 * uploads, triggered messages. central-edge-cases 94, 95. */
#include "central/domain/command_inside.h"
#include "central/domain/operation.h"

/* E95: behind an installation a station may boot more than once, first with the old firmware's
 * loader. */
#define BOOT_DEBOUNCE_MS 300000
/* Our word for a boot that did not show the new firmware. */
#define OLD_BOOT AMP_TEXT("Booted with the old firmware")

/* ---- sent again ---- */

/* Reading, or setting what may be set twice. Never what starts, stops, unlocks, restarts or loads
 * something: the first one may be at work. */
bool command_may_resend(struct amp_text action)
{
    static const char *const safe[] = {
        "GetConfiguration",     "ChangeConfiguration", "ChangeAvailability",
        "ClearCache",           "TriggerMessage",      "ExtendedTriggerMessage",
        "GetCompositeSchedule", "SetChargingProfile",  "ClearChargingProfile",
        "GetLocalListVersion",  "ReserveNow",          "GetInstalledCertificateIds",
        "InstallCertificate",   "CertificateSigned",
    };

    for (size_t i = 0; i < AMP_COUNT(safe); i++)
        if (amp_text_is(action, safe[i]))
            return true;
    return false;
}

/* ---- progress ---- */

enum outcome { UNDER_WAY, INSTALLING, DONE, FAILED };

/* The stations' words. What is not listed (Idle, and words of a vendor's own) is no progress. */
static const struct {
    enum progress_kind kind;
    const char *word;
    enum outcome outcome;
} words[] = {
    { PROGRESS_FIRMWARE, "DownloadScheduled", UNDER_WAY },
    { PROGRESS_FIRMWARE, "DownloadPaused", UNDER_WAY },
    { PROGRESS_FIRMWARE, "Downloading", UNDER_WAY },
    { PROGRESS_FIRMWARE, "Downloaded", UNDER_WAY },
    { PROGRESS_FIRMWARE, "SignatureVerified", UNDER_WAY },
    { PROGRESS_FIRMWARE, "InstallScheduled", UNDER_WAY },
    { PROGRESS_FIRMWARE, "Installing", INSTALLING },
    { PROGRESS_FIRMWARE, "InstallRebooting", INSTALLING },
    { PROGRESS_FIRMWARE, "Installed", DONE },
    { PROGRESS_FIRMWARE, "DownloadFailed", FAILED },
    { PROGRESS_FIRMWARE, "InstallationFailed", FAILED },
    { PROGRESS_FIRMWARE, "InstallVerificationFailed", FAILED },
    { PROGRESS_FIRMWARE, "InvalidSignature", FAILED },
    { PROGRESS_DIAGNOSTICS, "Uploading", UNDER_WAY },
    { PROGRESS_DIAGNOSTICS, "Uploaded", DONE },
    { PROGRESS_DIAGNOSTICS, "UploadFailed", FAILED },
    { PROGRESS_LOG, "Uploading", UNDER_WAY },
    { PROGRESS_LOG, "Uploaded", DONE },
    { PROGRESS_LOG, "UploadFailure", FAILED },
    { PROGRESS_LOG, "BadMessage", FAILED },
    { PROGRESS_LOG, "NotSupportedOperation", FAILED },
    { PROGRESS_LOG, "PermissionDenied", FAILED },
};

static int outcome_of(enum progress_kind kind, struct amp_text word)
{
    for (size_t i = 0; i < AMP_COUNT(words); i++)
        if (words[i].kind == kind && amp_text_is(word, words[i].word))
            return (int)words[i].outcome;
    return -1;
}

static enum effect_kind effect_of(enum progress_kind kind)
{
    return kind == PROGRESS_FIRMWARE      ? EFFECT_FIRMWARE
           : kind == PROGRESS_DIAGNOSTICS ? EFFECT_DIAGNOSTICS
                                          : EFFECT_LOG;
}

/* The newest that it can be about. A number that is named must be the command's, if that has one.
 */
static struct command *meant(struct charger *c, enum effect_kind e, int64_t request)
{
    struct command *newest = NULL;

    for (struct command *k = c->commands; k; k = k->next)
        if (command_may_show(k, e) &&
            (!request || !k->fact->request || k->fact->request == request))
            newest = k;
    return newest;
}

static void note(struct command *k, struct amp_text word, int64_t now_ms)
{
    struct command_fact f = *k->fact;

    f.progress = word;
    f.progress_ms = now_ms;
    keep(FACT_COMMAND, &k->fact, &f);
}

/* Under way again after a failure: the station tries once more by itself. Under way without an
 * answer: it was accepted. */
static int state_after(const struct command *k, enum outcome o)
{
    int state = k->fact->state;

    if (o == FAILED)
        return state == COMMAND_ACCEPTED ? COMMAND_NO_EFFECT : state;
    return state == COMMAND_NO_EFFECT || state == COMMAND_TIMED_OUT ? COMMAND_ACCEPTED : state;
}

void world_progress(struct world *w, struct charger *c, enum progress_kind kind, int64_t request,
                    struct amp_text word, int64_t now_ms)
{
    int o = outcome_of(kind, word);
    struct command *k = o < 0 ? NULL : meant(c, effect_of(kind), request);

    if (!k)
        return;
    note(k, word, now_ms);
    /* E94: where a version is expected the next boot tells, not the station's word for it */
    if (o == DONE && !k->fact->expected.len)
        command_effect(w, k, 0, now_ms);
    else
        command_set(w, k, state_after(k, (enum outcome)o), AMP_NO_TEXT);
}

void world_command_effect(struct world *w, int64_t key, int64_t now_ms)
{
    struct command *k = command_find(w, key);

    if (k && command_may_show(k, command_row(k)->effect))
        command_effect(w, k, 0, now_ms);
}

/* ---- firmware ---- */

const struct command_fact *world_updating(const struct charger *c)
{
    for (const struct command *k = c->commands; k; k = k->next)
        if (command_row(k)->effect == EFFECT_FIRMWARE &&
            (k->fact->state == COMMAND_QUEUED || k->fact->state == COMMAND_SENT ||
             k->fact->state == COMMAND_ACCEPTED))
            return k->fact;
    return NULL;
}

/* E94: status messages get lost while a modem downloads; the version of the next boot counts. */
void command_progress_boot(struct world *w, struct command *k, struct amp_text firmware,
                           int64_t now_ms)
{
    const struct command_fact *f = k->fact;
    int o = outcome_of(PROGRESS_FIRMWARE, f->progress);

    if (f->expected.len ? amp_text_eqi(f->expected, firmware)
                        : f->was.len && firmware.len && !amp_text_eqi(f->was, firmware)) {
        note(k, AMP_TEXT("Booted"), now_ms);
        command_effect(w, k, 0, now_ms);
    } else if (o == INSTALLING || o == DONE) {
        note(k, OLD_BOOT, now_ms);
        command_set(w, k, k->fact->state, AMP_NO_TEXT);
    }
}

bool command_progress_failed(const struct command *k, int64_t now_ms)
{
    return amp_text_eq(k->fact->progress, OLD_BOOT) &&
           now_ms - k->fact->progress_ms >= BOOT_DEBOUNCE_MS;
}

/* ---- triggers ---- */

/* The message that a trigger brings, where it is not called like what was asked for. */
static const struct {
    const char *asked, *comes;
} other_names[] = {
    { "SignChargePointCertificate", "SignCertificate" },
    { "FirmwareStatusNotification", "SignedFirmwareStatusNotification" },
};

/* The standard has the answer first: what came before it is no effect. */
static bool waits_for_message(const struct command *k)
{
    return k->fact->state == COMMAND_ACCEPTED && command_row(k)->effect == EFFECT_TRIGGERED;
}

static bool asked_for(const struct command *k, struct amp_text action)
{
    for (size_t i = 0; i < AMP_COUNT(other_names); i++)
        if (amp_text_is(action, other_names[i].comes) &&
            command_mentions(k, amp_text_of(other_names[i].asked)))
            return true;
    return command_mentions(k, action);
}

bool world_triggered(const struct charger *c)
{
    for (const struct command *k = c->commands; k; k = k->next)
        if (waits_for_message(k))
            return true;
    return false;
}

void world_heard(struct world *w, struct charger *c, struct amp_text action, int connector,
                 int64_t now_ms)
{
    for (struct command *k = c->commands; k; k = k->next)
        if (waits_for_message(k) && asked_for(k, action) &&
            (k->fact->connector < 0 || connector < 0 || k->fact->connector == connector))
            command_effect(w, k, 0, now_ms);
}
