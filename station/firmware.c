/* station/firmware.c - see firmware.h.
 *
 * One table says what an update does next. The platform loads, checks and installs (struct
 * amp_transfer); here is when, how often and what is told. What a power cut may not undo is in the
 * journal: the request, that the image is here and checked, that it was installed, and the end
 * until it was heard. A cut while loading loads again; a cut while installing installs again. */
#include "station/firmware_state.h"

#define RETRIES    2 /* when the request leaves it to us */
#define RETRY_S    60
#define LEAVE_MS   20000 /* the restart waits so long for what has to be told before */
#define RESTORE_MS 1000  /* between two attempts to store that it is installed */

enum event { TIME, DONE, FAILED, QUIET, LEFT };

/* ---- guards ---- */

static bool is_signed(const struct amp_station *st)
{
    return st->firmware_update.is_signed;
}

static bool tries_left(const struct amp_station *st)
{
    return st->firmware_update.tries <= st->firmware_update.retries;
}

static bool can_restart(const struct amp_station *st)
{
    return st->port->reboot != NULL;
}

/* ---- what is told ---- */

static const uint8_t plain_of[] = {
    [AMP_FW_DOWNLOADED] = AMP_FW_DOWNLOADED,
    [AMP_FW_DOWNLOAD_FAILED] = AMP_FW_DOWNLOAD_FAILED,
    [AMP_FW_DOWNLOADING] = AMP_FW_DOWNLOADING,
    [AMP_FW_DOWNLOAD_SCHEDULED] = AMP_FW_IDLE,
    [AMP_FW_DOWNLOAD_PAUSED] = AMP_FW_DOWNLOADING,
    [AMP_FW_IDLE] = AMP_FW_IDLE,
    [AMP_FW_INSTALLATION_FAILED] = AMP_FW_INSTALLATION_FAILED,
    [AMP_FW_INSTALLING] = AMP_FW_INSTALLING,
    [AMP_FW_INSTALLED] = AMP_FW_INSTALLED,
    [AMP_FW_INSTALL_REBOOTING] = AMP_FW_INSTALLING,
    [AMP_FW_INSTALL_SCHEDULED] = AMP_FW_DOWNLOADED,
    [AMP_FW_INSTALL_VERIFICATION_FAILED] = AMP_FW_INSTALLATION_FAILED,
    [AMP_FW_INVALID_SIGNATURE] = AMP_FW_DOWNLOAD_FAILED,
    [AMP_FW_SIGNATURE_VERIFIED] = AMP_FW_DOWNLOADED,
};

unsigned amp_firmware_plain(unsigned status)
{
    return plain_of[status];
}

/* A plain update tells only what its message has words for. */
static void tell(struct amp_station *st, unsigned status, bool last)
{
    struct amp_firmware *f = &st->firmware_update;

    if (!f->is_signed && plain_of[status] != status)
        return;
    amp_notice_push(&f->notices, (struct amp_notice){ .job = f->is_signed ? AMP_JOB_SIGNED_FIRMWARE
                                                                          : AMP_JOB_FIRMWARE,
                                                      .status = (uint8_t)status,
                                                      .has_id = f->is_signed,
                                                      .last = last,
                                                      .id = f->id });
}

/* ---- acts ---- */

static void step(struct amp_station *st, enum event ev);

static void errand(struct amp_station *st, int (*begin)(void *ctx))
{
    if (!begin || begin(st->port->transfer->ctx) < 0)
        step(st, FAILED);
}

static void download(struct amp_station *st)
{
    struct amp_firmware *f = &st->firmware_update;
    const struct amp_transfer *t = st->port->transfer;

    f->tries++;
    if (t->download(t->ctx, amp_text_of(f->location)) < 0)
        step(st, FAILED);
}

static void pause(struct amp_station *st)
{
    struct amp_firmware *f = &st->firmware_update;

    f->next_at = st->now + (uint64_t)f->retry_s * 1000;
}

static void verify(struct amp_station *st)
{
    errand(st, st->port->transfer->verify);
}

static void install(struct amp_station *st)
{
    errand(st, st->port->transfer->install);
}

static bool busy(const struct amp_station *st)
{
    for (int i = 1; i <= st->connectors; i++)
        if (st->con[i].tx.open || st->con[i].claimed || st->con[i].auth.state != AMP_AUTH_IDLE)
            return true;
    return false;
}

static void ready(struct amp_station *st)
{
    struct amp_firmware *f = &st->firmware_update;
    bool later = st->clock_known && f->install_ms > (int64_t)st->now + st->clock_offset_ms;

    (void)amp_firmware_store(st); /* not stored: a restart loads it again */
    if (later || busy(st))
        tell(st, AMP_FW_INSTALL_SCHEDULED, false);
}

static void close_idle(struct amp_station *st)
{
    for (int i = 1; i <= st->connectors; i++) {
        st->con[i].updating = true;
        (void)amp_connector_step(st, i, AMP_EV_CLOSE);
    }
}

static void reopen(struct amp_station *st)
{
    for (int i = 1; i <= st->connectors; i++) {
        struct amp_connector *c = &st->con[i];

        if (c->updating && !c->inoperative && c->status == AMP_UNAVAILABLE) {
            c->updating = false;
            (void)amp_connector_step(st, i, AMP_EV_OPEN);
        }
        c->updating = false;
    }
}

/* From here on a restart begins with the new image. */
static void installed(struct amp_station *st)
{
    struct amp_firmware *f = &st->firmware_update;

    f->unstored = amp_firmware_store(st) < 0;
    f->next_at = st->now + LEAVE_MS;
}

static void leave(struct amp_station *st)
{
    (void)amp_reset_begin(st, false);
}

static void over(struct amp_station *st)
{
    if (st->firmware_update.owed == AMP_FW_INVALID_SIGNATURE)
        amp_events_raise(st, AMP_SEC_FIRMWARE_SIGNATURE, AMP_NO_TEXT);
    reopen(st);
    (void)amp_firmware_store(st);
}

/* ---- the table ---- */

static const struct move {
    uint8_t state, event, next;
    uint8_t told;                               /* enum amp_firmware_status; 0: nothing */
    bool (*when)(const struct amp_station *st); /* NULL: always. The first row that fits counts */
    void (*act)(struct amp_station *st);
    /* clang-format off */
} moves[] = {
    { SCHEDULED,   TIME,   DOWNLOADING, AMP_FW_DOWNLOADING,         NULL,        download },
    { DOWNLOADING, DONE,   VERIFYING,   AMP_FW_DOWNLOADED,          is_signed,   verify },
    { DOWNLOADING, DONE,   READY,       AMP_FW_DOWNLOADED,          NULL,        ready },
    { DOWNLOADING, FAILED, PAUSED,      0,                          tries_left,  pause },
    { DOWNLOADING, FAILED, OWED,        AMP_FW_DOWNLOAD_FAILED,     NULL,        over },
    { PAUSED,      TIME,   DOWNLOADING, 0,                          NULL,        download },
    { VERIFYING,   DONE,   READY,       AMP_FW_SIGNATURE_VERIFIED,  NULL,        ready },
    { VERIFYING,   FAILED, OWED,        AMP_FW_INVALID_SIGNATURE,   NULL,        over },
    { READY,       TIME,   CLOSING,     0,                          NULL,        close_idle },
    { CLOSING,     QUIET,  INSTALLING,  AMP_FW_INSTALLING,          NULL,        install },
    { INSTALLING,  DONE,   LEAVING,     AMP_FW_INSTALL_REBOOTING,   can_restart, installed },
    { INSTALLING,  DONE,   OWED,        AMP_FW_INSTALLED,           NULL,        over },
    { INSTALLING,  FAILED, OWED,        AMP_FW_INSTALLATION_FAILED, NULL,        over },
    { LEAVING,     LEFT,   RESTARTING,  0,                          NULL,        leave },
};
/* clang-format on */

static void step(struct amp_station *st, enum event ev)
{
    struct amp_firmware *f = &st->firmware_update;

    for (unsigned i = 0; i < AMP_COUNT(moves); i++) {
        const struct move *m = &moves[i];

        if (m->state != f->state || m->event != ev || (m->when && !m->when(st)))
            continue;
        f->state = m->next;
        f->owed = m->next == OWED ? m->told : 0;
        if (m->told)
            tell(st, m->told, m->next == OWED);
        m->act(st);
        return;
    }
}

/* ---- what comes in ---- */

/* Nothing of the update before is told any more, but what is on its way. */
static void cancel(struct amp_station *st)
{
    static const uint8_t errands[] = {
        [DOWNLOADING] = AMP_ERRAND_DOWNLOAD, [VERIFYING] = AMP_ERRAND_VERIFY, [OWED] = 0
    };
    struct amp_firmware *f = &st->firmware_update;

    if (errands[f->state])
        st->port->transfer->cancel(st->port->transfer->ctx, errands[f->state]);
    reopen(st);
}

static int32_t at_most(int64_t given, int32_t standard, int32_t most)
{
    return given < 0 ? standard : given < most ? (int32_t)given : most;
}

enum amp_firmware_result amp_firmware_begin(struct amp_station *st,
                                            const struct amp_firmware_request *r)
{
    struct amp_firmware *f = &st->firmware_update;
    const struct amp_transfer *t = st->port->transfer;
    bool runs = f->state != IDLE && f->state != OWED;
    int rc;

    if (f->state >= INSTALLING && f->state <= RESTARTING)
        return AMP_FW_REJECTED;
    if (!r->location.len || r->location.len > AMP_LOCATION_MAX ||
        memchr(r->location.at, 0, r->location.len))
        return AMP_FW_REJECTED;
    if (r->is_signed && (rc = t->trust(t->ctx, r->certificate, r->signature)) < 0) {
        if (rc == AMP_E_AUTH || rc == AMP_E_STATE)
            amp_events_raise(st, AMP_SEC_FIRMWARE_CERTIFICATE, AMP_NO_TEXT);
        return rc == AMP_E_STATE  ? AMP_FW_REVOKED
               : rc == AMP_E_AUTH ? AMP_FW_BAD_CERTIFICATE
                                  : AMP_FW_REJECTED;
    }
    cancel(st);
    f->state = SCHEDULED;
    f->is_signed = r->is_signed;
    f->owed = 0;
    f->tries = 0;
    f->id = r->id;
    f->retrieve_ms = r->retrieve_ms;
    f->install_ms = r->install_ms;
    f->retries = at_most(r->retries, RETRIES, 100);
    f->retry_s = at_most(r->retry_s, RETRY_S, 86400);
    memcpy(f->version, st->firmware, sizeof(f->version));
    amp_text_copy(f->location, sizeof(f->location), r->location);
    (void)amp_firmware_store(
        st); /* not stored: a restart forgets it, and the central system hears no end */
    if (st->clock_known && r->retrieve_ms > (int64_t)st->now + st->clock_offset_ms)
        tell(st, AMP_FW_DOWNLOAD_SCHEDULED, false);
    return runs ? AMP_FW_CANCELED : AMP_FW_ACCEPTED;
}

void amp_firmware_done(struct amp_station *st, unsigned what, int rc)
{
    static const uint8_t during[] = { [AMP_ERRAND_DOWNLOAD] = DOWNLOADING,
                                      [AMP_ERRAND_VERIFY] = VERIFYING,
                                      [AMP_ERRAND_INSTALL] = INSTALLING };

    if (what < AMP_COUNT(during) && st->firmware_update.state == during[what])
        step(st, rc < 0 ? FAILED : DONE);
}

/* ---- time ---- */

/* Is Unix time `ms` here? A clock that was never set knows no date. */
static bool reached(struct amp_station *st, int64_t ms)
{
    int64_t wait;

    if (ms == INT64_MIN)
        return true;
    wait = ms - ((int64_t)st->now + st->clock_offset_ms);
    return st->clock_known && amp_due(st, wait > 0 ? st->now + (uint64_t)wait : st->now);
}

static bool left(struct amp_station *st)
{
    struct amp_firmware *f = &st->firmware_update;
    bool late = amp_due(st, f->next_at);

    if (f->unstored && (f->unstored = amp_firmware_store(st) < 0)) {
        (void)amp_due(st, st->now + RESTORE_MS);
        return late;
    }
    return late || (!f->notices.count && !st->link.rpc.open);
}

void amp_firmware_poll(struct amp_station *st)
{
    struct amp_firmware *f = &st->firmware_update;

    if (!st->port->transfer)
        return; /* this program was started on another platform before */
    if (f->state == SCHEDULED && reached(st, f->retrieve_ms))
        step(st, TIME);
    if (f->state == PAUSED && amp_due(st, f->next_at))
        step(st, TIME);
    if (f->state == READY && reached(st, f->install_ms))
        step(st, TIME);
    if (f->state == CLOSING) {
        close_idle(st); /* also those that became free since */
        if (!busy(st))
            step(st, QUIET);
    }
    if (f->state == LEAVING && left(st))
        step(st, LEFT);
}

void amp_firmware_restart(struct amp_station *st)
{
    struct amp_firmware *f = &st->firmware_update;
    const struct amp_transfer *t = st->port->transfer;

    /* a cut came between the end of the installation and its record */
    if (f->state == READY && strcmp(f->version, st->firmware) != 0)
        f->state = RESTARTING;
    if (f->state == RESTARTING) {
        bool runs = !t || !t->running || t->running(t->ctx) == 0;

        f->state = OWED;
        f->owed = runs ? AMP_FW_INSTALLED : AMP_FW_INSTALLATION_FAILED;
    }
    if (f->state == OWED)
        tell(st, f->owed, true);
}

/* ---- messages ---- */

void amp_firmware_trigger(struct amp_station *st, bool wants_signed)
{
    if (wants_signed)
        st->firmware_update.asked_signed = true;
    else
        st->firmware_update.asked = true;
}

/* Where the update is, for a trigger (151). */
static struct amp_notice now_at(const struct amp_station *st, bool in_signed)
{
    static const uint8_t status[] = {
        [IDLE] = AMP_FW_IDLE,
        [SCHEDULED] = AMP_FW_DOWNLOAD_SCHEDULED,
        [DOWNLOADING] = AMP_FW_DOWNLOADING,
        [PAUSED] = AMP_FW_DOWNLOADING,
        [VERIFYING] = AMP_FW_DOWNLOADED,
        [READY] = AMP_FW_INSTALL_SCHEDULED,
        [CLOSING] = AMP_FW_INSTALL_SCHEDULED,
        [INSTALLING] = AMP_FW_INSTALLING,
        [LEAVING] = AMP_FW_INSTALL_REBOOTING,
        [RESTARTING] = AMP_FW_INSTALL_REBOOTING,
        [OWED] = AMP_FW_IDLE,
    };
    const struct amp_firmware *f = &st->firmware_update;
    unsigned s = f->state == OWED ? f->owed : status[f->state];

    return (struct amp_notice){ .job = in_signed ? AMP_JOB_SIGNED_FIRMWARE : AMP_JOB_FIRMWARE,
                                .status = in_signed ? (uint8_t)s : plain_of[s],
                                .has_id = in_signed && f->is_signed && s != AMP_FW_IDLE,
                                .id = f->id };
}

bool amp_firmware_due(struct amp_station *st)
{
    struct amp_firmware *f = &st->firmware_update;
    bool may = st->boot_state == AMP_BOOT_PENDING || st->boot_state == AMP_BOOT_ACCEPTED;

    if (may && (f->asked || f->asked_signed)) {
        bool in_signed = !f->asked;

        *(in_signed ? &f->asked_signed : &f->asked) = false;
        st->call.notice = now_at(st, in_signed);
        st->call.job = st->call.notice.job;
        st->call.triggered = true;
        return true;
    }
    return amp_notice_due(st, &f->notices);
}

/* The end was heard: nothing is left of the update. */
static void heard(struct amp_station *st, const struct amp_notice *n)
{
    struct amp_firmware *f = &st->firmware_update;

    if (!n->last || f->state != OWED || n->status != f->owed || n->id != f->id)
        return;
    if (f->owed == AMP_FW_INSTALLED)
        amp_events_raise(st, AMP_SEC_FIRMWARE_UPDATED, amp_text_of(st->firmware));
    f->state = IDLE;
    f->owed = 0;
    (void)amp_firmware_store(st); /* not stored: it is told once more after a restart */
}

void amp_firmware_answered(struct amp_station *st)
{
    struct amp_notice n;

    if (!st->call.triggered && amp_notice_done(&st->firmware_update.notices, &n))
        heard(st, &n);
}

void amp_firmware_failed(struct amp_station *st, int rc)
{
    struct amp_notice n;

    if (!st->call.triggered && amp_notice_failed(st, &st->firmware_update.notices, rc, &n))
        heard(st, &n);
}
