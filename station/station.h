/* station/station.h - the charge point: no OS, no heap, no threads, many per process. OCPP 1.6 edition 2 with errata.
 * The world drives it: bytes, hardware events and the time come in here, actions go out through station/port.h.
 *
 *   struct amp_station *st;
 *   rc = amp_station_init(mem, sizeof mem, &config, now, &st);
 *   for (;;) { wait at most amp_station_poll(st, now) ms, or for socket and hardware events; hand those in; }
 *
 * No function waits. `now` is monotonic milliseconds (it goes on over suspend, never back). After every call that hands something
 * in, call amp_station_poll again. Not thread safe; different stations share nothing. */
#ifndef AMP_STATION_H
#define AMP_STATION_H

#include "station/limits.h"
#include "station/port.h"

struct amp_station;

/* States of a connector, in the order of OCPP 1.6 §4.9 (connector 0: AVAILABLE, UNAVAILABLE, FAULTED only). */
enum amp_status {
    AMP_AVAILABLE = 1, AMP_PREPARING, AMP_CHARGING, AMP_SUSPENDED_EVSE, AMP_SUSPENDED_EV, AMP_FINISHING, AMP_RESERVED,
    AMP_UNAVAILABLE, AMP_FAULTED
};

/* Why a transaction ended, and what is wrong with a connector: in the order of OCPP 1.6, so that the values are those of
 * enum ocpp16_reason and enum ocpp16_charge_point_error_code (station/v16 asserts it); nobody needs the messages to use them. */
enum amp_reason {
    AMP_STOP_EMERGENCY = 1, AMP_STOP_EV_DISCONNECTED, AMP_STOP_HARD_RESET, AMP_STOP_LOCAL, AMP_STOP_OTHER, AMP_STOP_POWER_LOSS,
    AMP_STOP_REBOOT, AMP_STOP_REMOTE, AMP_STOP_SOFT_RESET, AMP_STOP_UNLOCK, AMP_STOP_DEAUTHORIZED
};
enum amp_error {
    AMP_ERROR_LOCK = 1, AMP_ERROR_EV_COMMUNICATION, AMP_ERROR_GROUND, AMP_ERROR_TEMPERATURE, AMP_ERROR_INTERNAL, AMP_ERROR_LOCAL_LIST,
    AMP_ERROR_NONE, AMP_ERROR_OTHER, AMP_ERROR_OVER_CURRENT, AMP_ERROR_METER, AMP_ERROR_SWITCH, AMP_ERROR_READER, AMP_ERROR_RESET,
    AMP_ERROR_UNDER_VOLTAGE, AMP_ERROR_OVER_VOLTAGE, AMP_ERROR_SIGNAL
};

/* Security events of the OCPP 1.6 security extension, see station/events.c. */
enum amp_security_event {
    AMP_SEC_FIRMWARE_UPDATED = 1, AMP_SEC_FAILED_AT_CENTRAL, AMP_SEC_CENTRAL_FAILED, AMP_SEC_SETTING_TIME, AMP_SEC_STARTUP,
    AMP_SEC_RESET, AMP_SEC_LOG_CLEARED, AMP_SEC_RECONFIGURED, AMP_SEC_MEMORY, AMP_SEC_INVALID_MESSAGES, AMP_SEC_REPLAY,
    AMP_SEC_TAMPER, AMP_SEC_FIRMWARE_SIGNATURE, AMP_SEC_FIRMWARE_CERTIFICATE, AMP_SEC_CENTRAL_CERTIFICATE,
    AMP_SEC_OWN_CERTIFICATE, AMP_SEC_TLS_VERSION, AMP_SEC_TLS_CIPHER, AMP_SEC_EVENTS
};

enum amp_boot_state { AMP_BOOT_NONE, AMP_BOOT_PENDING, AMP_BOOT_REJECTED, AMP_BOOT_ACCEPTED };

enum amp_link_state {
    AMP_LINK_DOWN,      /* waiting for the next attempt */
    AMP_LINK_OPENING,   /* socket or TLS under way */
    AMP_LINK_UPGRADING, /* HTTP upgrade sent */
    AMP_LINK_UP,
    AMP_LINK_GIVEN_UP   /* attempts used up: waits for amp_station_retry */
};

/* DataTransfer for the maker's own purposes. `on_data` writes what is to be answered, at most `cap` bytes, to `out` and returns its
 * length; AMP_E_ABSENT: there is no such message; another error: Rejected. It hands nothing in. */
struct amp_vendor {
    const char *id; /* vendorId, compared without case */
    void *ctx;
    int (*on_data)(void *ctx, struct amp_text message, struct amp_text data, char *out, size_t cap);
};

/* What the operator of the device sets; copied. Texts may be absent. Zero numbers mean the default in brackets. */
struct amp_station_config {
    struct amp_text url;             /* ws://host:port/ocpp, without the identity */
    struct amp_text secure_url;      /* wss://, for security profiles 2 and 3; absent: url, by wss and with its port (443 for 80) */
    struct amp_text identity;
    struct amp_text password;        /* Basic credentials; absent: security profile 0 */
    struct amp_text vendor, model, serial, box_serial, firmware, iccid, imsi, meter_type, meter_serial;
    int connectors;                  /* 1..AMP_CONNECTORS_MAX */
    int32_t max_current_ma[AMP_CONNECTORS_MAX + 1]; /* [1..], per phase (32,000) */
    int phases[AMP_CONNECTORS_MAX + 1];             /* [1..], 1 or 3 (3) */
    bool charge_before_accepted;     /* charge though no central system ever accepted this station */
    uint32_t reconnect_first_s;      /* (5) doubles every attempt */
    uint32_t reconnect_cap_s;        /* (300) */
    uint32_t reconnect_attempts;     /* (10) then LINK_GIVEN_UP; UINT32_MAX: never */
    uint32_t reconnect_jitter_pct;   /* (20) random part on top */
    uint32_t connect_timeout_s;      /* (30) socket + TLS + upgrade */
    const struct amp_vendor *vendor_data; /* must outlive the station; NULL: every DataTransfer is for an unknown vendor */
    uint64_t unix_ms;                /* wall clock now if the device knows it, else 0 */
    const char *const *settings;     /* "Key=value" configuration keys to start from, NULL-terminated; stored values win */
};

/* Something a display, a log or a test wants to know. Sent as it happens, in the middle of the work: texts live during the call, and
 * the receiver may ask questions (below) but must not hand anything in. */
enum amp_event_kind {
    AMP_EVENT_LINK,        /* link state changed: a = enum amp_link_state */
    AMP_EVENT_BOOT,        /* a = enum amp_boot_state, b = interval s */
    AMP_EVENT_STATUS,      /* connector, a = enum amp_status, text = move name of §4.9 */
    AMP_EVENT_AUTHORIZED,  /* connector, a = 1 accepted / 0 refused, text = tag */
    AMP_EVENT_STARTED,     /* connector, a = meter Wh, text = tag */
    AMP_EVENT_BOUND,       /* connector, a = transaction id given by the central system */
    AMP_EVENT_STOPPED,     /* connector, a = meter Wh, text = reason */
    AMP_EVENT_REMOTE,      /* connector, text = action that was accepted */
    AMP_EVENT_MESSAGE,     /* text = whole frame, a = 1 sent / 0 received */
    AMP_EVENT_CLOCK,       /* a = Unix ms: the clock was set */
    AMP_EVENT_OPERATOR     /* text = what a person must do */
};
struct amp_event {
    enum amp_event_kind kind;
    int connector;
    int64_t a, b;
    struct amp_text text;
};
typedef void amp_event_fn(void *ctx, struct amp_station *st, const struct amp_event *ev);

/* Bytes of memory that a station takes (alignment 16). */
size_t amp_station_size(void);

/* Start a station in `mem`: reads the journal, finishes what a power cut left open. `port`, `hw` and their contexts must outlive it;
 * `on_event` may be NULL. 0; AMP_E_FULL: len too small; AMP_E_RANGE, AMP_E_FORMAT: config (fault->path names the field);
 * AMP_E_IO, AMP_E_CORRUPT: storage. */
int amp_station_init(void *mem, size_t len, const struct amp_station_config *config, const struct amp_port *port,
                     const struct amp_hardware *hw, amp_event_fn *on_event, void *event_ctx, uint64_t now,
                     struct amp_station **out, struct amp_fault *fault) AMP_CHECKED;

/* Do what is due. Returns in how many ms it wants to be called again at the latest (0: at once, at most 3,600,000). */
uint32_t amp_station_poll(struct amp_station *st, uint64_t now);

/* Network events, from the port. */
void amp_station_connected(struct amp_station *st, uint64_t now);             /* socket (and TLS) is open */
void amp_station_received(struct amp_station *st, const void *data, size_t len, uint64_t now);
void amp_station_writable(struct amp_station *st, uint64_t now);
void amp_station_closed(struct amp_station *st, uint64_t now);                /* by the peer, or opening failed */
/* TLS to the central system failed, and why; amp_station_closed follows. Becomes one security event, however often it is tried. */
enum amp_tls_fault {
    AMP_TLS_CERTIFICATE, /* the central system's certificate: unknown, expired, for another name */
    AMP_TLS_VERSION,     /* it wants an older TLS than 1.2 */
    AMP_TLS_CIPHER,      /* no common cipher suite */
    AMP_TLS_OURS,        /* it does not accept our certificate */
    AMP_TLS_OTHER
};
void amp_station_tls_failed(struct amp_station *st, enum amp_tls_fault what, struct amp_text why, uint64_t now);
void amp_station_retry(struct amp_station *st, uint64_t now);                 /* an operator: try again now, count from zero */
void amp_station_transfer_done(struct amp_station *st, enum amp_errand errand, int rc, uint64_t now); /* 0 or why it failed */

/* Hardware events. Connectors from 1; AMP_E_RANGE if there is none. */
int amp_station_plug(struct amp_station *st, int connector, bool plugged, uint64_t now);
int amp_station_ev_ready(struct amp_station *st, int connector, bool wants_energy, uint64_t now); /* pilot C/D or B */
int amp_station_tag(struct amp_station *st, int connector, struct amp_text tag, uint64_t now);   /* 0: any connector that waits for one */
/* error_code: enum amp_error, AMP_ERROR_NONE clears all that are there; connector 0 is the station as a whole. Several may be there at
 * a time, and the latest is told. Whether an error makes the connector Faulted or is only reported as a warning: station/fault.c. AMP_E_VALUE: no such error. */
int amp_station_fault(struct amp_station *st, int connector, int error_code, struct amp_text info, uint64_t now);
/* This error has passed, others may be there still: the latest of them is told next. AMP_E_RANGE, AMP_E_VALUE as above. */
int amp_station_fault_over(struct amp_station *st, int connector, int error_code, uint64_t now);
/* enum amp_reason: button, emergency stop. AMP_E_STATE: nothing to stop; AMP_E_VALUE: no such reason. */
int amp_station_stop(struct amp_station *st, int connector, int reason, uint64_t now);

/* Something that security people must know: opened housing, exhausted memory. AMP_E_RANGE: no such event. */
int amp_station_security_event(struct amp_station *st, enum amp_security_event event, struct amp_text info, uint64_t now);

/* Questions. */
struct amp_connector_info {
    enum amp_status status;
    bool plugged, locked, energy_on;
    bool in_transaction;
    int64_t transaction_id;      /* 0 until bound */
    char tag[21];
    int64_t started_at_ms;       /* Unix */
    int64_t meter_start_wh;
};
int amp_station_connector(const struct amp_station *st, int connector, struct amp_connector_info *out);
enum amp_link_state amp_station_link(const struct amp_station *st);
enum amp_boot_state amp_station_boot(const struct amp_station *st);
int64_t amp_station_unix_ms(const struct amp_station *st, uint64_t now); /* 0: not known yet */
unsigned amp_station_queued(const struct amp_station *st);               /* transaction messages not yet acknowledged */
/* Value of a configuration key (never AuthorizationKey): length written to `out`, or AMP_E_ABSENT, AMP_E_FULL. */
int amp_station_setting(const struct amp_station *st, struct amp_text key, char *out, size_t cap);

/* For logs and displays, line by line with `index` from 0; AMP_E_ABSENT: no more. Not terminated; length (0: not for eyes), or
 * AMP_E_FULL. Settings are "Key=value"; summary tells of storage, queue and starts. */
int amp_station_setting_line(const struct amp_station *st, unsigned index, char *out, size_t cap);
int amp_station_summary_line(const struct amp_station *st, unsigned index, char *out, size_t cap);
/* The security log, oldest first: *at from 0. The line is the event's name and what is known of it; *unix_ms when. */
int amp_station_security_line(struct amp_station *st, uint32_t *at, int64_t *unix_ms, char *out, size_t cap);

#endif
