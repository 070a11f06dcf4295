/* central/domain/fact.h - what can be true in the central system, as plain structs: the one language that the domain,
 * the store, the live feed and the tests speak. A handler decides, emits facts, and answers when they are durable.
 * Texts are slices that live during the call; whoever keeps a fact copies it (fact_copy).
 * Money: millionths. Energy: Wh. Time: Unix ms UTC; `_seen_ms` is our clock, `_ms` is the station's. */
#ifndef CENTRAL_FACT_H
#define CENTRAL_FACT_H

#include "central/domain/load_fact.h"
#include "central/domain/fact_access.h"
#include "central/domain/fact_resource.h"
#include "ocpp/arena.h"
#include "ocpp/err.h"
#include "ocpp/text.h"

#define ORG_DEFAULT 1

enum fact_kind {
    FACT_CHARGER = 1,  /* insert or replace by key */
    FACT_CONNECTOR,    /* insert or replace by (charger, connector) */
    FACT_STATUS,       /* history, append */
    FACT_TRANSACTION,  /* insert or replace by key */
    FACT_READING,      /* append */
    FACT_MESSAGE,      /* append */
    FACT_COMMAND,      /* insert or replace by key */
    FACT_TAG,          /* insert or replace by (org, tag) */
    FACT_USER,         /* insert or replace by key */
    FACT_LOGIN,        /* a browser session: insert or replace by token hash */
    FACT_API_KEY,      /* insert or replace by key */
    FACT_CONNECTION,   /* history: opened, stale, closed, refused handshakes; append */
    FACT_AUDIT,        /* history of what people changed; append */
    FACT_LOAD_GROUP,   /* insert or replace by (org, id) */
    FACT_LOAD_MEMBER,  /* insert or replace by (charger, connector) */
    FACT_LOAD_POINT,   /* insert or replace by (charger, connector) */
    FACT_QUIRK,        /* insert or replace by (org, name) */
    FACT_RESERVATION,  /* insert or replace by key */
    FACT_LIST,         /* insert or replace by (org, name) */
    FACT_LIST_ENTRY,   /* insert or replace by (org, list, tag) */
    FACT_CHARGER_LIST, /* insert or replace by charger */
    FACT_PROFILE,      /* insert or replace by (org, name) */
    FACT_INSTALLED,    /* insert or replace by (charger, id) */
    FACT_ACCESS,       /* how a charger may come in: insert or replace by charger */
    FACT_BOOT_RULE,    /* insert or replace by (org, name) */
    FACT_CERTIFICATE,  /* one that we issued, or are asked for: insert or replace by id */
    FACT_REFUSAL,      /* history of refused handshakes; append */
    FACT_CONFIG,       /* a configuration key: insert or replace by (charger, name) */
    FACT_FILE,         /* insert or replace by key */
    FACT_BATCH,        /* insert or replace by key */
    FACT_POWER,        /* added to the row of (org, charger, slot) */
    FACT_SHAPE,        /* the store's own: what the samples of many readings have in common */
    FACT_KINDS
};

enum connection_state { CONNECTION_NEVER, CONNECTION_CONNECTED, CONNECTION_STALE, CONNECTION_DISCONNECTED };
enum registration { REGISTRATION_PENDING = 1, REGISTRATION_ACCEPTED, REGISTRATION_REJECTED };

struct charger_fact {
    int64_t key, org;
    struct amp_text id;                     /* identity as sent first; unique without case */
    struct amp_text vendor, model, serial, box_serial, firmware, iccid, imsi, meter_type, meter_serial; /* last boot */
    struct amp_text protocol, address;      /* last connection */
    int64_t created_ms, last_seen_ms, last_boot_ms;
    int32_t heartbeat_s;                    /* handed out at boot; 0: server default */
    int32_t registration;                   /* enum registration */
    int32_t connection;                     /* enum connection_state */
    int64_t deleted_ms;                     /* 0: it is there; else only its history is */
    bool decided;                           /* a person said what its registration is */
};

struct connector_fact {
    int64_t charger;
    int32_t connector;                      /* 0 is the station itself */
    struct amp_text status, error, info, vendor_id, vendor_error; /* wire words */
    int64_t at_ms, seen_ms;
};

enum transaction_state {
    TX_PENDING_START = 1, TX_RUNNING, TX_SUSPENDED, TX_PENDING_STOP, TX_STOPPED, TX_COMPLETED, TX_BILLING_FAILED, TX_CANCELLED, TX_FAILED
};
enum transaction_flag { /* why a person should look; bits */
    TX_FLAG_UNKNOWN_TAG = 1, TX_FLAG_REFUSED = 2, TX_FLAG_METER_BACK = 4, TX_FLAG_TIME_ODD = 8, TX_FLAG_ZOMBIE = 16,
    TX_FLAG_ADOPTED = 32, TX_FLAG_FOREIGN_STOP = 64, TX_FLAG_NO_ENERGY = 128,
    TX_FLAG_METER_RESET = 256, TX_FLAG_METER_JUMP = 512, TX_FLAG_ROLL_OVER = 1024, TX_FLAG_START_BELOW = 2048,
    TX_FLAG_REPAIRED = 4096,                /* by a person: what the station says later changes nothing */
    TX_FLAG_LATE = 8192,                    /* ... and it did say something else */
    TX_FLAG_CONTRADICTED = 16384,           /* a second stop says something else */
    TX_FLAG_STOP_IGNORED = 32768,           /* a remote stop was accepted and nothing stopped */
    TX_FLAG_SILENT = 65536, TX_FLAG_OFFLINE = 131072, /* runs, and nothing is heard of it; or of its station */
    TX_FLAG_INCOMPLETE = 262144             /* events of it have not come (yet) */
};
struct transaction_fact {
    int64_t key, org, charger;              /* key is the OCPP 1.6 transactionId too: positive, below 2^31, never reused */
    int32_t connector;
    int32_t state;                          /* enum transaction_state */
    uint32_t flags;
    struct amp_text uid;                    /* text id of our own; a 2.x station's id */
    struct amp_text tag, stop_tag, reason;
    int64_t start_ms, start_seen_ms, stop_ms, stop_seen_ms;
    int64_t meter_start_wh, meter_stop_wh, last_wh; /* last_wh: newest register reading */
    int64_t last_ms, last_power_w;
    int64_t reservation;                    /* 0: none */
    int64_t energy_wh;                      /* taken so far, as meter.h follows it; never falls while it runs */
    int64_t register_ms;                    /* the time of last_wh */
    int64_t offset_wh, before_wh;           /* meter.h */
    int32_t meter;                          /* bits of enum transaction_meter */
    uint32_t attention;                     /* the flags that nobody has looked at yet */
    uint64_t start_hash, stop_hash;         /* of what the station said, whatever became of it; 0: nothing */
    int64_t heard_ms;                       /* when we last heard anything about it */
    int64_t revision;                       /* one more with each change but readings */
    int64_t merged_into;                    /* the record that a person booked this one on; 0: none */
    /* where a station sends numbered events (event.h); all 0 where it does not */
    int32_t events;                         /* bits of enum event_kind that came */
    int64_t seq_last, tag_seq;              /* the highest number; the one of the event that `tag` is from */
    struct amp_text missing;                /* numbers up to seq_last that have not come: "0-2,7" */
};
enum transaction_meter {
    TX_METER_UNSURE = 1, TX_METER_PERIODIC = 2 /* has readings of its own */, TX_METER_UNKNOWN = 4 /* no register seen yet */
};

/* What flowed in a quarter of an hour: added to what is there, by (org, charger, slot). */
#define POWER_SLOT_MS 900000
struct power_fact {
    int64_t org, charger;                   /* charger 0: all of the organisation */
    int64_t slot_ms;                        /* its begin */
    int64_t energy_wh;                      /* more, or less after a correction */
    int64_t max_w;                          /* the highest power that was seen; 0: none */
    int64_t of;                             /* the charger that did it, also where charger is 0; not kept */
};

struct reading_fact {                       /* one MeterValue element: one timestamp, several samples */
    int64_t charger, transaction;           /* transaction 0: none */
    int32_t connector;
    int64_t at_ms, seen_ms;
    uint64_t hash;                          /* of at_ms and samples: tells a repetition */
    struct amp_text samples;                /* the sampledValue list as sent, JSON */
    uint32_t has;                           /* bits of READING_ below: totals in base units */
    int64_t energy_wh, power_w, current_ma, voltage_mv, soc_permille, temperature_mc;
};
enum { READING_ENERGY = 1, READING_POWER = 2, READING_CURRENT = 4, READING_VOLTAGE = 8, READING_SOC = 16, READING_TEMPERATURE = 32,
    READING_CLOCK = 64 /* all of its samples were taken because of the clock, not of the session */ };

enum message_direction { MESSAGE_RECEIVED = 1, MESSAGE_SENT = 2 };
struct message_fact {
    int64_t at_ms, charger;
    int32_t direction;                      /* seen from the central system */
    int32_t type;                           /* 2, 3, 4 ... ; 0: no frame could be read */
    struct amp_text action;                 /* of the call that a result answers, too */
    struct amp_text payload;                /* JSON text; of an error {"code","description","details"}; of garbage the bytes, escaped and cut */
    struct amp_text correlation;            /* message id */
    struct amp_text error;                  /* what we objected to; absent if nothing */
    int32_t latency_ms;                     /* of an answer: since its call; -1 unknown */
    int32_t repairs;                        /* tolerated oddities, counted */
};

enum command_state {
    COMMAND_QUEUED = 1, COMMAND_SENT, COMMAND_ACCEPTED, COMMAND_REJECTED, COMMAND_ERROR, COMMAND_TIMED_OUT, COMMAND_CONFIRMED, COMMAND_NO_EFFECT
};
struct command_fact {
    int64_t key, org, charger;
    int32_t state;                          /* enum command_state */
    int32_t connector;                      /* -1: none named */
    int64_t transaction;                    /* that it concerns or caused; 0 none */
    struct amp_text action, payload;        /* as sent */
    struct amp_text answer;                 /* payload of the answer, or what failed in words */
    struct amp_text correlation, by;        /* message id; who asked */
    int64_t created_ms, sent_ms, answered_ms, effect_ms;
    int64_t expires_ms;                     /* while queued: given up then; 0: as long as its station is there */
    int64_t due_ms;                         /* its effect cannot come before (an update for tonight); 0 */
    int64_t progress_ms, request, batch;    /* of the newest progress; requestId, and batch that it belongs to: 0 none */
    int32_t attempts;                       /* how often it was sent */
    struct amp_text progress;               /* the station's word for how far it is, "Downloading" */
    struct amp_text was, expected;          /* firmware before, and the one that is meant (absent: any other) */
    struct amp_text trace;                  /* id from API call to station answer, 32 hex digits */
};

struct tag_fact {
    int64_t org;
    struct amp_text tag;                    /* original spelling; compared without case */
    struct amp_text parent, note;
    struct amp_text status;                 /* "Accepted", "Blocked", ... */
    int64_t expiry_ms;                      /* 0: never */
    bool deleted;
};

enum user_role { ROLE_USER = 1, ROLE_OPERATOR, ROLE_ADMIN };
struct user_fact {
    int64_t key, org;
    struct amp_text login, name, password;  /* Argon2id string of libsodium */
    int32_t role;
    bool blocked;
    int64_t created_ms;
};
struct login_fact {
    struct amp_text token;                  /* hex SHA-256 of the cookie */
    int64_t user, created_ms, expires_ms;   /* expires_ms 0: logged out */
};
struct api_key_fact {
    int64_t key, org;
    struct amp_text hash, name;             /* hex SHA-256 */
    int32_t role;
    int64_t created_ms, revoked_ms;
};

enum connection_event { CONNECTION_OPENED = 1, CONNECTION_WENT_STALE, CONNECTION_CLOSED, CONNECTION_REFUSED };
struct connection_fact {
    int64_t charger;                        /* 0: unknown identity */
    int64_t at_ms;
    int32_t event;                          /* enum connection_event */
    int32_t code;                           /* close code or HTTP status */
    struct amp_text id, address, reason;
};

struct config_fact {                        /* a configuration key of a station, as it was told last */
    int64_t charger;
    struct amp_text name, value;            /* the station's spelling; value absent: none told, or a secret */
    bool readonly;
    bool absent;                            /* the station says that it has no such key */
    bool reboot;                            /* the value holds from the next boot on */
    bool deleted;
    int64_t seen_ms, changed_ms;            /* read from the station; set by us */
};

enum file_origin { FILE_UPLOADED = 1, FILE_REPORTED }; /* by people, for stations; by a station, for people */
enum file_state { FILE_EXPECTED = 1, FILE_READY, FILE_DELETED };
struct file_fact {                          /* its bytes are in the data folder, by key */
    int64_t key, org;
    int32_t origin, state;
    int64_t size;
    struct amp_text name, type, note;       /* type: as the Content-Type said */
    struct amp_text sha256, token;          /* hex; token: what makes its address hard to guess */
    struct amp_text by;                     /* who uploaded it, or asked for it */
    int64_t charger, command;               /* that it comes from and was asked by; 0 */
    int64_t created_ms, stored_ms, expires_ms; /* expires_ms: until when a station may upload it */
};

enum batch_state { BATCH_RUNNING = 1, BATCH_DONE, BATCH_STOPPED, BATCH_CANCELLED };
struct batch_fact {                         /* one command for many chargers; each is a command with this batch */
    int64_t key, org;
    int32_t state;                          /* enum batch_state; stopped: by too many failures */
    struct amp_text action, payload, note, by, trace;
    struct amp_text targets;                /* "3,17,42": keys of chargers in their order; absent when it has ended */
    int32_t parallel, rate;                 /* at once; begun in a minute, 0: any number */
    int32_t stop_after;                     /* failures; 0: never */
    int32_t queue_s;                        /* how long a command waits for an offline charger; 0: not */
    bool effect;                            /* one is over when its effect was seen, not when it was answered */
    int64_t created_ms, ended_ms;
    int32_t total, good, bad;               /* when it ended */
};

/* Who changed what, when and why. Never replaced, never dropped. */
struct audit_fact {
    int64_t org;
    int64_t charger;                        /* that it is about; 0: none */
    int64_t at_ms;
    int64_t user;                           /* account; 0: an API key or the system */
    struct amp_text who;                    /* login, "API key NAME", "administrator's key", "system" */
    struct amp_text action;                 /* one word: "create", "change", "delete", "adopt", "close" ... */
    struct amp_text kind, thing;            /* "tag" and which one: the id that its path has */
    struct amp_text before, after;          /* JSON as the API shows it; absent: there was none, is none */
    struct amp_text reason;                 /* in the words of who did it; absent: none given */
};

struct status_fact {
    int64_t charger;
    int32_t connector;
    struct amp_text status, error, info;
    int64_t at_ms, seen_ms;
};

struct shape_fact {                         /* central/store/shape.h */
    int64_t key;
    struct amp_text text;
};

struct fact {
    enum fact_kind kind;
    union {
        struct charger_fact charger;
        struct connector_fact connector;
        struct status_fact status;
        struct transaction_fact transaction;
        struct reading_fact reading;
        struct message_fact message;
        struct command_fact command;
        struct tag_fact tag;
        struct user_fact user;
        struct login_fact login;
        struct api_key_fact api_key;
        struct connection_fact connection;
        struct audit_fact audit;
        struct load_group_fact load_group;
        struct load_member_fact load_member;
        struct load_point_fact load_point;
        struct quirk_fact quirk;
        struct reservation_fact reservation;
        struct list_fact list;
        struct list_entry_fact list_entry;
        struct charger_list_fact charger_list;
        struct profile_fact profile;
        struct installed_fact installed;
        struct access_fact access;
        struct boot_rule_fact boot_rule;
        struct certificate_fact certificate;
        struct refusal_fact refusal;
        struct config_fact config;
        struct file_fact file;
        struct batch_fact batch;
        struct power_fact power;
        struct shape_fact shape;
    } u;
};

/* Where the text fields of a kind are: offsets into struct fact, for copying, hashing and dumping. Returns the number. */
size_t fact_texts(enum fact_kind kind, const uint16_t **offsets);

/* Deep copy of `f` with its texts taken from malloc'd memory behind the struct, in one block; free() it. Never NULL. */
struct fact *fact_copy(const struct fact *f);

/* The wire words: "RUNNING", "queued", "connected" ... "" for an unknown value. */
const char *transaction_state_name(int state);
const char *command_state_name(int state);
const char *connection_state_name(int state);
const char *registration_name(int registration);
const char *role_name(int role);
const char *reservation_state_name(int state);
const char *charger_list_state_name(int state);
const char *installed_state_name(int state);
const char *certificate_state_name(int state);

#endif
