/* station/impl.h - the whole of a station in memory, and what its files offer each other. Private to station/ and its tests.
 *
 * How it works together: the world's calls (station.c) change facts; connector.c turns facts into moves; tx.c and metering.c write
 * what must not be lost to the journal (queue.c); pump.c decides what is sent next, one own call at a time, so that an answer to the
 * peer always leaves before the messages it causes; link.c carries the bytes; the message version (struct amp_dialect) translates. */
#ifndef AMP_IMPL_H
#define AMP_IMPL_H

#include "ocpp/http1.h"
#include "ocpp/rpc.h"
#include "ocpp/ws.h"
#include "station/auth_cache.h"
#include "station/certificates.h"
#include "station/config.h"
#include "station/events.h"
#include "station/firmware.h"
#include "station/journal.h"
#include "station/local_list.h"
#include "station/reservation.h"
#include "station/security.h"
#include "station/smart.h"
#include "station/station.h"
#include "station/upload.h"

#define AMP_NEVER UINT64_MAX

/* ---- what is sent: jobs, and the messages that carry them ---- */

enum amp_job {
    AMP_JOB_NONE, AMP_JOB_BOOT, AMP_JOB_STATUS, AMP_JOB_AUTHORIZE,
    AMP_JOB_START, AMP_JOB_TX_METER, AMP_JOB_STOP, /* from the queue */
    AMP_JOB_METER,                                 /* readings outside transactions */
    AMP_JOB_HEARTBEAT,
    AMP_JOB_FIRMWARE, AMP_JOB_SIGNED_FIRMWARE, AMP_JOB_DIAGNOSTICS, AMP_JOB_LOG, /* progress of errands */
    AMP_JOB_SECURITY, /* an event */
    AMP_JOB_SIGN,     /* a certificate */
    AMP_JOBS
};

/* One message of a dialect: incoming, outgoing or both. Structs are those of the generated header. */
struct amp_station_op {
    uint8_t id;    /* enum ocpp16_id */
    uint16_t jobs; /* bits 1 << enum amp_job that this message carries */
    /* Fill the zeroed reply (its lists from st->arena). 0, or an error that becomes a CALLERROR. Acts only on facts: what it causes
     * is sent by the pump afterwards. */
    int (*on_call)(struct amp_station *st, const void *request, void *reply);
    /* Fill the zeroed request of st->call. 0; AMP_E_FULL: no room in the arena. */
    int (*make)(struct amp_station *st, void *request);
    void (*on_result)(struct amp_station *st, const void *reply);
};

struct amp_dialect {
    const char *subprotocol;
    const struct amp_protocol *protocol;
    enum amp_version version;
    const struct amp_station_op *const *ops;
    unsigned count;
    void (*profiles)(const struct amp_station *st, struct amp_buf *out); /* SupportedFeatureProfiles */
};
extern const struct amp_dialect amp_station16;

/* ---- connectors ---- */

/* A status as it is or will be reported. */
struct amp_report {
    uint8_t status, error; /* 0: none */
    bool ev_gone;          /* with the note "EV side disconnected" */
    bool triggered;
    struct amp_when when;
    uint64_t since;        /* monotonic: for MinimumStatusDuration */
    uint32_t after;        /* queue number that was next when it arose: keeps the order with transaction messages */
    uint32_t stamp;        /* order among connectors */
};

enum amp_auth_state { AMP_AUTH_IDLE, AMP_AUTH_WANTED, AMP_AUTH_SENT };
enum amp_auth_status { AMP_AUTH_ACCEPTED = 1, AMP_AUTH_BLOCKED, AMP_AUTH_EXPIRED, AMP_AUTH_INVALID, AMP_AUTH_CONCURRENT };

struct amp_auth {
    uint8_t state;
    bool stops; /* wanted in order to stop a transaction by its group */
    bool remote;
    char tag[AMP_TAG_CAP];
};

struct amp_tx {
    bool open;
    bool refused;        /* the central system did not accept the tag and the transaction goes on: see amp_tx_answered */
    bool blocked;        /* no energy for the refused tag any more */
    bool stopping;       /* ended, but the journal could not take it yet: `stop_*` wait */
    uint32_t metered, kept; /* messages and samples so far: thinning counts by them */
    bool keep_locked;    /* de-authorised: the cable stays until the tag is shown */
    uint32_t local;      /* our own number, rising; 0: none */
    char tag[AMP_TAG_CAP], parent[AMP_TAG_CAP];
    struct amp_when started;
    int64_t start_wh, refused_wh;
    bool reserved; /* `reservation` ends with this start */
    int64_t reservation;
    uint8_t stop_reason;
    char stop_tag[AMP_TAG_CAP];
    struct amp_when stop_when;
    struct amp_reading stop_reading;
    uint64_t retry_at;
};

struct amp_connector {
    uint8_t status;                /* enum amp_status */
    uint8_t error;                 /* enum amp_error that is told now */
    uint8_t errors[AMP_ERRORS_MAX], error_count; /* those that are there, the latest last: see fault.c */
    bool plugged, wants, locked, energy_on;
    bool paused;                   /* the limit is less than can be offered: see offer.c */
    bool energy_unsure;            /* the last command to the contactor failed: the next is given in any case */
    bool ev_gone;                  /* unplugged at the car while the transaction goes on */
    bool cable_held;               /* ended with the plug pulled at the car, cable still locked here */
    bool over;                     /* this plug's session is over: Finishing */
    bool inoperative;              /* wanted by the central system; persisted */
    bool updating;                 /* closed until new firmware is installed, see amp_closed */
    bool claimed;                  /* a tag may start here: waits for the plug */
    bool claim_remote;
    char claim[AMP_TAG_CAP], claim_parent[AMP_TAG_CAP];
    char held_tag[AMP_TAG_CAP];    /* whose cable is still locked */
    char info[51];                 /* of the error */
    uint64_t expires_at;           /* ConnectionTimeOut; AMP_NEVER */
    struct amp_auth auth;
    struct amp_tx tx;
    struct amp_report reported;    /* what the central system knows; status 0: nothing */
    struct amp_report waiting[AMP_REPORTS_MAX];
    uint8_t waiting_count;
    bool report_triggered, meter_triggered;
    /* metering */
    uint64_t next_sample_at, sample_every_ms;
    int64_t last_register_wh;      /* registers never step back */
    int64_t periodic_wh, clock_wh; /* register at the sample before, for interval values */
    bool sample_ready;             /* `sample` waits to be sent outside a transaction */
    struct amp_sample sample;
};

/* ---- transaction messages ---- */

/* What the central system's side of a connector looks like: the transaction whose messages are being delivered. */
struct amp_view {
    uint32_t done;       /* every transaction up to this number is delivered or given up */
    uint32_t local;      /* `id` belongs to this one */
    bool bound;
    int64_t id;          /* -1: the start never got through */
    uint32_t last_local; /* last stored reading of a transaction: for a stop after power loss */
    int64_t last_wh;
    struct amp_when last_when;
};

struct amp_queue {
    uint32_t head, next; /* numbers of the oldest waiting message and of the next new one */
    uint32_t head_at;    /* its place in the journal; 0: empty */
    uint32_t next_local;
    uint32_t count;
    uint32_t backlog;    /* messages below this number arose while nobody listened: others may overtake them */
    uint8_t tries;
    uint64_t retry_at;
    struct amp_view view[AMP_CONNECTORS_MAX + 1];
};

/* A message taken from the journal, ready to be translated. */
struct amp_message_fact {
    uint8_t type; /* enum amp_entry_type START, METER, STOP */
    uint32_t seq, local;
    uint8_t connector;
    struct amp_when when;
    int64_t wh;
    char tag[AMP_TAG_CAP], parent[AMP_TAG_CAP];
    bool reserved; /* START */
    int64_t reservation;
    uint8_t reason;
    uint32_t kept; /* STOP: samples kept for it */
    struct amp_measurands stop_list;
    struct amp_sample sample; /* METER; reading of START and STOP too */
};

/* ---- the link ---- */

struct amp_link {
    uint8_t state; /* enum amp_link_state */
    bool closing;  /* close frame sent: waits for the peer's, then goes down */
    bool resume;   /* received bytes wait until the answer before them has left */
    uint32_t failures;
    uint64_t next_at, deadline_at, ping_at;
    bool ping_out;
    uint64_t last_message_at, up_since;
    struct amp_ws ws;
    struct amp_rpc rpc;
    uint8_t key[16];
    size_t rx_len, rx_done, tx_len, tx_sent;
    uint32_t malformed; /* frames dropped or refused */
    uint8_t rx[AMP_RX_MAX + AMP_WS_HEAD_MAX];
    char tx[AMP_TX_MAX + 160]; /* one message, and control frames behind it */
};

/* What the call in flight is about. */
struct amp_call {
    uint8_t job;
    uint8_t connector;
    bool triggered;
    struct amp_report report;
    struct amp_notice notice;
    char tag[AMP_TAG_CAP]; /* AUTHORIZE */
    struct amp_message_fact fact;
    unsigned room; /* how much of the meter values fits: the pump halves it when the message gets too long */
};

struct amp_tag_source;

struct amp_station {
    const struct amp_port *port;
    const struct amp_hardware *hw;
    const struct amp_vendor *vendor_data; /* NULL: no DataTransfer */
    amp_event_fn *on_event;
    void *event_ctx;
    const struct amp_dialect *dialect;
    const struct amp_tag_source *const *tag_sources;
    uint64_t now;  /* monotonic ms of the call under way */
    uint64_t wake; /* earliest deadline that was asked for: see amp_due */
    bool dead;     /* rebooting: nothing happens any more */

    /* identity */
    char url[AMP_URL_MAX], secure_url[AMP_URL_MAX], identity[AMP_IDENTITY_MAX + 1], password[65];
    char vendor[21], model[21], serial[26], box_serial[26], firmware[51], iccid[21], imsi[21], meter_type[26], meter_serial[26];
    bool has_password, charge_before_accepted;
    uint32_t reconnect_first_s, reconnect_cap_s, reconnect_attempts, reconnect_jitter_pct, connect_timeout_s;
    int connectors;
    int32_t max_current_ma[AMP_CONNECTORS_MAX + 1];
    int phases[AMP_CONNECTORS_MAX + 1];

    struct amp_settings set;
    struct amp_security security;
    struct amp_certificates certificates;
    struct amp_events events;

    /* clock */
    bool clock_known;
    bool mono_stored;        /* a record without wall clock was stored in this boot */
    int64_t clock_offset_ms; /* Unix ms = now + offset */
    int64_t aligned_slot;    /* last clock-aligned slot that was sampled */
    uint64_t started_at;     /* monotonic time of amp_station_init */

    /* boot */
    uint8_t boot_state;      /* enum amp_boot_state */
    bool ever_accepted;      /* persisted */
    bool boot_triggered, heartbeat_triggered;
    uint32_t boot_count, boot_failures;
    uint64_t boot_at;        /* next BootNotification */
    uint64_t heartbeat_at_most; /* one a day whatever happens */

    struct { uint8_t reason; bool hard; uint8_t tries; uint64_t at_most, next_at; } reset; /* reason 0: none */

    uint32_t stamp;
    uint8_t status_turn;
    struct amp_connector con[AMP_CONNECTORS_MAX + 1]; /* [0] is the station */
    struct amp_queue queue;
    struct amp_list list;
    struct amp_cache cache;
    struct amp_reservation reserved[AMP_CONNECTORS_MAX + 1]; /* [0]: any connector will do */
    struct amp_journal journal;
    struct amp_firmware firmware_update;
    struct amp_uploading upload;
    struct amp_smart smart;
    struct amp_call call;
    struct amp_link link;
    struct amp_arena arena;
    uint64_t arena_block[AMP_ARENA_MAX / 8];
};

/* ---- station.c ---- */
void amp_emit(struct amp_station *st, enum amp_event_kind kind, int connector, int64_t a, int64_t b, struct amp_text text);
void amp_log(struct amp_station *st, enum amp_log_level level, const char *text);
void amp_log2(struct amp_station *st, enum amp_log_level level, const char *text, struct amp_text more);
/* Is `at` reached? If not, poll will come back by then. AMP_NEVER never is. */
bool amp_due(struct amp_station *st, uint64_t at);
bool amp_online(const struct amp_station *st); /* connected and accepted: messages flow */
uint32_t amp_random32(struct amp_station *st);

/* ---- clock.c ---- */
struct amp_when amp_when_now(struct amp_station *st);
void amp_clock_set(struct amp_station *st, int64_t unix_ms); /* from currentTime */
int64_t amp_when_ms(struct amp_station *st, struct amp_when w); /* Unix ms, as well as it can be known */
void amp_pack_when(struct amp_buf *out, struct amp_when w);
struct amp_when amp_cut_when(struct amp_cut *in);
bool amp_clock_keep(struct amp_station *st, const struct amp_entry *e, int thin);

/* ---- link.c, upgrade.c ---- */
void amp_link_poll(struct amp_station *st);
void amp_link_state(struct amp_station *st, enum amp_link_state state);
bool amp_upgrade_take(struct amp_station *st); /* the HTTP answer; false: nothing more to do with what was received */
void amp_link_flush(struct amp_station *st);
void amp_link_drop(struct amp_station *st, const char *why);             /* at once, back-off follows */
void amp_link_close(struct amp_station *st, int code, const char *why);  /* with a close frame */
bool amp_link_idle(const struct amp_station *st);                        /* everything written has left */
/* Where a message is written (amp_link_message) and how it is framed and sent (amp_link_send). */
struct amp_buf amp_link_message(struct amp_station *st);
void amp_link_send(struct amp_station *st, const struct amp_buf *message, bool show);

/* ---- pump.c ---- */
void amp_pump(struct amp_station *st);
void amp_pump_receive(struct amp_station *st, struct amp_text text); /* one text message came in */
void amp_pump_lost(struct amp_station *st);                          /* the connection is gone */
const struct amp_station_op *amp_op_of_id(const struct amp_station *st, unsigned id);

/* ---- boot.c, heartbeat.c ---- */
enum amp_registration { AMP_REG_ACCEPTED = 1, AMP_REG_PENDING, AMP_REG_REJECTED };
void amp_boot_answered(struct amp_station *st, enum amp_registration status, int64_t time_ms, int64_t interval_s);
void amp_boot_failed(struct amp_station *st, int rc);
bool amp_boot_due(struct amp_station *st);
bool amp_boot_trigger(struct amp_station *st); /* false: already accepted */
void amp_boot_load(struct amp_station *st, const struct amp_entry *e);
int amp_boot_save(struct amp_station *st);
int amp_boot_store(struct amp_station *st);
bool amp_heartbeat_due(struct amp_station *st);
void amp_heartbeat_answered(struct amp_station *st, int64_t time_ms);

/* ---- metering.c ---- */
bool amp_meter_due(struct amp_station *st); /* readings outside transactions; fills st->call */

/* ---- connector.c, energy.c, fault.c ---- */
enum amp_move_event {
    AMP_EV_PLUG, AMP_EV_UNPLUG, AMP_EV_CLAIM, AMP_EV_CANCEL, AMP_EV_EXPIRE, AMP_EV_ENERGY, AMP_EV_PAUSE_EV, AMP_EV_PAUSE_EVSE,
    AMP_EV_TX_END, AMP_EV_RESERVE, AMP_EV_UNRESERVE, AMP_EV_CLOSE, AMP_EV_OPEN, AMP_EV_FAULT, AMP_EV_CLEAR, AMP_EVENTS
};
void amp_connector_init(struct amp_station *st);
/* 0; AMP_E_STATE: not possible now, nothing changed. */
int amp_connector_step(struct amp_station *st, int connector, enum amp_move_event ev);
int amp_connector_find(int status, enum amp_move_event ev, const struct amp_connector *c); /* row, or -1: for the test */
const char *amp_connector_move(int row, int *next);
void amp_connector_plug(struct amp_station *st, int connector, bool plugged);
void amp_connector_energy(struct amp_station *st, int connector); /* facts about energy changed: limit, permit and move. 0: none here, the limits may have */
void amp_connector_fault(struct amp_station *st, int connector, int error, struct amp_text info); /* AMP_ERROR_NONE: all are over */
void amp_connector_fault_over(struct amp_station *st, int connector, int error);
int amp_connector_lock(struct amp_station *st, int connector, bool on);
void amp_connector_claim(struct amp_station *st, int connector, const char *tag, const char *parent, bool remote);
void amp_connector_unclaim(struct amp_station *st, int connector, bool expired);
void amp_connector_poll(struct amp_station *st);
enum amp_avail_result { AMP_AVAIL_ACCEPTED = 1, AMP_AVAIL_REJECTED, AMP_AVAIL_SCHEDULED };
enum amp_avail_result amp_connector_availability(struct amp_station *st, int connector, bool operative);
enum amp_unlock_result { AMP_UNLOCK_DONE = 1, AMP_UNLOCK_FAILED, AMP_UNLOCK_UNSUPPORTED };
enum amp_unlock_result amp_connector_unlock(struct amp_station *st, int connector);
void amp_connector_released(struct amp_station *st, int connector); /* the lock was opened */
void amp_connector_load(struct amp_station *st, const struct amp_entry *e);
int amp_connector_save(struct amp_station *st);

/* ---- report.c: StatusNotification ---- */
void amp_report_changed(struct amp_station *st, int connector); /* the state or its error may differ from what was reported */
void amp_report_all(struct amp_station *st);                    /* accepted: everybody's state, whatever was known */
void amp_report_resume(struct amp_station *st);                 /* reconnected: only what differs */
void amp_report_lost(struct amp_station *st);                   /* offline: intermediate states are of no interest any more */
void amp_report_trigger(struct amp_station *st, int connector); /* 0: all */
bool amp_report_due(struct amp_station *st);                    /* fills st->call */
void amp_report_failed(struct amp_station *st, int rc);

/* ---- authorize.c ---- */
void amp_auth_tag(struct amp_station *st, int connector, struct amp_text tag);
void amp_auth_begin(struct amp_station *st, int connector, const char *tag, bool stops, bool remote);
void amp_auth_claim(struct amp_station *st, int connector, const char *tag); /* no question asked: a remote start */
bool amp_auth_due(struct amp_station *st);
void amp_auth_answered(struct amp_station *st, const struct amp_tag_info *info);
void amp_auth_failed(struct amp_station *st, int rc);
void amp_auth_offline(struct amp_station *st); /* the link went: decide what waits by the offline rules */
int amp_auth_clear(struct amp_station *st); /* ClearCache: 0; AMP_E_ABSENT: there is no cache */
void amp_auth_learn(struct amp_station *st, const char *tag, const struct amp_tag_info *info);

bool amp_auth_expired(const struct amp_station *st, const struct amp_tag_info *info);
/* May this tag charge at a connector that is reserved: with the group that is known of it on the station. */
enum amp_reserved amp_auth_reserved(struct amp_station *st, int connector, const char *tag);
/* Which connector is best for this tag: 0 its own reservation, 1 free, 2 to be asked for, or never. */
#define AMP_RANK_NEVER 3
unsigned amp_auth_rank(struct amp_station *st, int connector, const char *tag);

/* Something that knows tags without asking: the local list, the cache. Files add themselves to amp_tag_sources; the first that
 * knows the tag decides, so the list stands before the cache (station-1.6 49). */
struct amp_tag_source {
    bool (*lookup)(struct amp_station *st, const char *tag, struct amp_tag_info *out);
    void (*learn)(struct amp_station *st, const char *tag, const struct amp_tag_info *info); /* NULL: does not learn */
    int (*clear)(struct amp_station *st);                                                    /* ClearCache. NULL: not a cache */
};
extern const struct amp_tag_source *const amp_tag_sources[]; /* NULL-terminated; what a station starts with */

/* ---- tx.c ---- */
void amp_tx_try_start(struct amp_station *st, int connector); /* tag, plug and operative state: all met? */
int amp_tx_stop(struct amp_station *st, int connector, enum amp_reason reason, const char *tag);
bool amp_tx_id(const struct amp_station *st, int connector, int64_t *id); /* of the open transaction; false until bound */
void amp_tx_answered(struct amp_station *st, int64_t id, const struct amp_tag_info *info); /* of the Start in st->call */
bool amp_tx_remote_start(struct amp_station *st, bool any, int64_t connector, struct amp_text tag,
                         struct amp_profile_in *profile); /* Accepted? `profile` may be NULL */
bool amp_tx_remote_stop(struct amp_station *st, int64_t id);
void amp_tx_stop_all(struct amp_station *st, enum amp_reason reason);
int amp_tx_recover(struct amp_station *st); /* at start: end what a power cut left open */
void amp_tx_poll(struct amp_station *st);
void amp_tx_metered(struct amp_station *st, int connector, const struct amp_reading *r); /* a reading was taken in a transaction */

/* ---- queue.c, tx_record.c, stop_data.c ---- */
int amp_queue_start(struct amp_station *st, int connector, const struct amp_reading *r);
int amp_queue_stop(struct amp_station *st, int connector);
int amp_queue_meter(struct amp_station *st, int connector, const struct amp_sample *s);
int amp_queue_keep(struct amp_station *st, int connector, const struct amp_sample *s); /* for StopTransaction */
bool amp_queue_due(struct amp_station *st); /* fills st->call */
void amp_queue_done(struct amp_station *st, bool bind, int64_t id); /* st->call was answered */
void amp_queue_failed(struct amp_station *st, int rc);
void amp_queue_seek(struct amp_station *st); /* find the head again: after loading and compaction */
/* transactionData of the Stop in st->call, one sample after the other, at most `max`: begin and end stay, the middle is thinned. */
struct amp_sample_walk {
    unsigned max, total, index;
    uint32_t at;
    uint8_t part;
};
bool amp_queue_sample(struct amp_station *st, struct amp_sample_walk *w, struct amp_sample *out);
int64_t amp_queue_id(const struct amp_station *st); /* transaction id for the message in st->call; -1: the start was lost */
/* A record of one of the four kinds, START, METER, STOP or SAMPLE; *index counts METER and SAMPLE in their transaction. False: not
 * readable, or not one of them. */
bool amp_tx_record(const struct amp_station *st, const struct amp_entry *e, struct amp_message_fact *f, uint32_t *index);
void amp_queue_load(struct amp_station *st, const struct amp_entry *e);
int amp_queue_save(struct amp_station *st);
bool amp_queue_wants(struct amp_station *st, const struct amp_entry *e, int thin);

/* ---- reset.c ---- */
bool amp_reset_begin(struct amp_station *st, bool hard); /* Accepted? */
void amp_reset_poll(struct amp_station *st);

/* Nothing may begin here: so the central system wants it, or new firmware waits to be installed (148). */
static inline bool amp_closed(const struct amp_connector *c)
{
    return c->inoperative || c->updating;
}

static inline bool amp_is_connector(const struct amp_station *st, int64_t connector)
{
    return connector >= 1 && connector <= st->connectors;
}

#endif
