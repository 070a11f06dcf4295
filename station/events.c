/* station/events.c - see events.h.
 *
 * The journal is the log and the queue: records of AMP_ENTRY_EVENT in the order of their numbers,
 * and AMP_ENTRY_TOLD that says up to which they were delivered. The oldest leave when the journal
 * is compacted; those that wait stay. */
#include "station/impl.h"

#define RETRY_MS     60000 /* times the number of tries */
#define RETRY_CAP_MS 3600000
#define LOG_SHARE \
    256 /* bytes of the journal for one remembered event: a larger device remembers more */
#define LOG_MIN        16
#define LOG_MAX        1024
#define RECORD_LEN_MAX (4 + 1 + 1 + 12 + AMP_EVENT_INFO_MAX)

/* As the security white paper for 1.6 (edition 2) spells and judges them. `send`: critical by its
 * table of events, or to be sent by one of its use cases although the table does not call it
 * critical: A02 and A03 (InvalidChargePointCertificate), M05 and the check of a connection
 * (InvalidCentralSystemCertificate), L01 (InvalidFirmwareSigningCertificate,
 * InvalidFirmwareSignature). */
static const struct {
    const char *name;
    bool send;
    /* clang-format off */
} kinds[AMP_SEC_EVENTS] = {
    [AMP_SEC_FIRMWARE_UPDATED]     = { "FirmwareUpdated",                       true },
    [AMP_SEC_FAILED_AT_CENTRAL]    = { "FailedToAuthenticationAtCentralSystem", false },
    [AMP_SEC_CENTRAL_FAILED]       = { "CentralSystemFailedToAuthentication",   false },
    [AMP_SEC_SETTING_TIME]         = { "SettingSystemTime",                     true },
    [AMP_SEC_STARTUP]              = { "StartupOfTheDevice",                    true },
    [AMP_SEC_RESET]                = { "ResetOrReboot",                         true },
    [AMP_SEC_LOG_CLEARED]          = { "SecurityLogWasCleared",                 true },
    [AMP_SEC_RECONFIGURED]         = { "ReconfigurationOfSecurityParameters",   false },
    [AMP_SEC_MEMORY]               = { "MemoryExhaustion",                      true },
    [AMP_SEC_INVALID_MESSAGES]     = { "InvalidMessages",                       false },
    [AMP_SEC_REPLAY]               = { "AttemptedReplayAttacks",                false },
    [AMP_SEC_TAMPER]               = { "TamperDetectionActivated",              true },
    [AMP_SEC_FIRMWARE_SIGNATURE]   = { "InvalidFirmwareSignature",              true },
    [AMP_SEC_FIRMWARE_CERTIFICATE] = { "InvalidFirmwareSigningCertificate",     true },
    [AMP_SEC_CENTRAL_CERTIFICATE]  = { "InvalidCentralSystemCertificate",       true },
    [AMP_SEC_OWN_CERTIFICATE]      = { "InvalidChargePointCertificate",         true },
    [AMP_SEC_TLS_VERSION]          = { "InvalidTLSVersion",                     false },
    [AMP_SEC_TLS_CIPHER]           = { "InvalidTLSCipherSuite",                 false },
};
/* clang-format on */

const char *amp_events_name(unsigned type)
{
    return type < AMP_SEC_EVENTS && kinds[type].name ? kinds[type].name : "";
}

unsigned amp_events_waiting(const struct amp_station *st)
{
    return st->events.waiting;
}

/* ---- records ---- */

static bool unpack(const struct amp_entry *e, struct amp_security_record *out)
{
    struct amp_cut in = { e->data, e->len, false };

    memset(out, 0, sizeof(*out));
    out->number = amp_cut_u32(&in);
    out->type = (uint8_t)amp_cut_u8(&in);
    out->send = amp_cut_u8(&in) != 0;
    out->when = amp_cut_when(&in);
    amp_cut_str(&in, out->info, sizeof(out->info));
    return !in.bad && out->number;
}

void amp_events_raise(struct amp_station *st, unsigned type, struct amp_text info)
{
    struct amp_events *ev = &st->events;
    uint8_t raw[RECORD_LEN_MAX + 16];
    char text[AMP_EVENT_INFO_MAX + 1];
    struct amp_buf out;
    bool send;

    if (!st->port->pki || type >= AMP_SEC_EVENTS || !kinds[type].name)
        return;
    if (!ev->next)
        ev->next = 1;
    send = kinds[type].send && ev->waiting < AMP_EVENT_QUEUE_MAX;
    amp_log2(st, AMP_LOG_INFO, "security event: ", amp_text_of(kinds[type].name));
    amp_buf_init(&out, raw, sizeof(raw));
    amp_pack_u32(&out, ev->next);
    amp_pack_u8(&out, type);
    amp_pack_u8(&out, send);
    amp_pack_when(&out, amp_when_now(st));
    amp_pack_str(&out, amp_text_copy(text, sizeof(text), info));
    if (amp_journal_put(st, AMP_ENTRY_EVENT, raw, out.len, false) < 0) {
        amp_log2(st, AMP_LOG_ERROR,
                 "a security event could not be stored: ", amp_text_of(kinds[type].name));
        return;
    }
    ev->next++;
    ev->waiting += send;
}

bool amp_events_next(struct amp_station *st, uint32_t *at, struct amp_security_record *out)
{
    struct amp_entry e;

    while (amp_journal_next(st, at, &e))
        if (e.type == AMP_ENTRY_EVENT && unpack(&e, out))
            return true;
    return false;
}

static void pack_told(const struct amp_station *st, struct amp_buf *out)
{
    amp_pack_u32(out, st->events.told);
    amp_pack_u32(out, st->events.next);
}

void amp_events_load(struct amp_station *st, const struct amp_entry *e)
{
    struct amp_events *ev = &st->events;
    struct amp_security_record r;

    if (e->type == AMP_ENTRY_TOLD) {
        struct amp_cut in = { e->data, e->len, false };
        uint32_t told = amp_cut_u32(&in), next = amp_cut_u32(&in);

        if (in.bad)
            return;
        ev->told = told;
        ev->next = next > ev->next ? next : ev->next;
        ev->waiting -= ev->waiting > 0; /* they are delivered one by one */
    } else if (unpack(e, &r)) {
        ev->next = r.number + 1;
        ev->waiting += r.send && r.number > ev->told;
    }
}

int amp_events_save(struct amp_station *st)
{
    uint8_t raw[8];
    struct amp_buf out;

    if (!st->port->pki)
        return 0;
    amp_buf_init(&out, raw, sizeof(raw));
    pack_told(st, &out);
    return amp_journal_copy(st, AMP_ENTRY_TOLD, raw, out.len);
}

/* What waits to be delivered counts as much as what the meter said in between: it goes last. */
bool amp_events_keep(struct amp_station *st, const struct amp_entry *e, int thin)
{
    uint32_t remember = st->journal.area_size / LOG_SHARE;
    struct amp_security_record r;

    if (!unpack(e, &r))
        return false;
    if (r.send && r.number > st->events.told && thin < AMP_THIN_MAX)
        return true;
    remember = remember < LOG_MIN ? LOG_MIN : remember > LOG_MAX ? LOG_MAX : remember;
    return r.number + (remember >> thin) >= st->events.next;
}

/* ---- delivery ---- */

/* The oldest one that waits. */
static bool read_head(struct amp_station *st)
{
    struct amp_events *ev = &st->events;
    uint32_t at = 0;

    if (ev->sending.number)
        return true;
    while (amp_events_next(st, &at, &ev->sending))
        if (ev->sending.send && ev->sending.number > ev->told)
            return true;
    ev->sending.number = 0;
    ev->waiting = 0; /* thinned away */
    return false;
}

bool amp_events_due(struct amp_station *st)
{
    struct amp_events *ev = &st->events;

    if (!amp_online(st))
        return false; /* none before Accepted (159) */
    if (ev->memory_short && !ev->memory_told) {
        ev->memory_told = true;
        amp_events_raise(st, AMP_SEC_MEMORY, AMP_TEXT("meter values were thinned out"));
    }
    return ev->waiting && amp_due(st, ev->retry_at) && read_head(st);
}

void amp_events_done(struct amp_station *st)
{
    struct amp_events *ev = &st->events;
    uint8_t raw[8];
    struct amp_buf out;

    ev->told = ev->sending.number;
    ev->sending.number = 0;
    ev->tries = 0;
    ev->retry_at = st->now;
    ev->waiting -= ev->waiting > 0;
    amp_buf_init(&out, raw, sizeof(raw));
    pack_told(st, &out);
    /* not stored: it is delivered twice at the worst */
    if (amp_journal_put(st, AMP_ENTRY_TOLD, raw, out.len, true) < 0)
        amp_log(st, AMP_LOG_ERROR, "that a security event was delivered could not be stored");
}

/* A lost connection or silence: again until it is delivered. A central system that answers with an
 * error has it, and does not know the message: it is not bothered for ever. */
void amp_events_failed(struct amp_station *st, int rc)
{
    struct amp_events *ev = &st->events;
    uint64_t wait;

    if (ev->tries < UINT8_MAX)
        ev->tries++;
    if (rc == AMP_E_INTERNAL || (rc == AMP_E_PROTOCOL && ev->tries >= st->set.message_attempts)) {
        amp_log2(st, AMP_LOG_WARN, "the central system does not take the security event ",
                 amp_text_of(amp_events_name(ev->sending.type)));
        amp_events_done(st);
        return;
    }
    wait = (uint64_t)RETRY_MS * ev->tries;
    ev->retry_at = rc == AMP_E_IO ? st->now : st->now + (wait < RETRY_CAP_MS ? wait : RETRY_CAP_MS);
}

int amp_station_security_event(struct amp_station *st, enum amp_security_event event,
                               struct amp_text info, uint64_t now)
{
    if ((unsigned)event >= AMP_SEC_EVENTS || !kinds[event].name)
        return AMP_E_RANGE;
    st->now = now > st->now ? now : st->now;
    if (!st->dead)
        amp_events_raise(st, event, amp_text_utf8(info) ? info : AMP_NO_TEXT);
    return 0;
}
