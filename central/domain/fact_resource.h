/* central/domain/fact_resource.h - the facts of what operations refer to: quirks, reservations,
 * local lists, charging profiles. Part of fact.h, which says what a fact is. */
#ifndef CENTRAL_FACT_RESOURCE_H
#define CENTRAL_FACT_RESOURCE_H

#include "ocpp/text.h"

enum quirk_flag { /* bits */
    QUIRK_TAG_SUFFIX = 1,                   /* sends TAG_something for TAG (E33) */
    QUIRK_HEX_TAGS = 2,                     /* takes only hexadecimal tags (E34) */
    QUIRK_UNKNOWN_KEYS_KILL = 4             /* dies of GetConfiguration for a key that it has not (E79) */
};
enum rate_unit { RATE_A = 1, RATE_W = 2 };  /* bits */
struct quirk_fact {                         /* what a charger or a model does not tell about itself */
    int64_t org;
    struct amp_text name;                   /* compared without case */
    int64_t charger;                        /* this one only; 0: by vendor and model */
    struct amp_text vendor, model;          /* how they begin, without case; absent: any */
    struct amp_text note;
    uint32_t flags;                         /* enum quirk_flag */
    int32_t phases, voltage_v;              /* how it is wired; 0: not said */
    int32_t rate_units;                     /* enum rate_unit; 0: not said */
    int32_t stack_max;                      /* highest stack level; -1: not said */
    int32_t list_max;                       /* entries of one SendLocalList; 0: not said */
    int32_t url_max;                        /* characters of an address that its modem takes (E95); 0: not said */
    bool deleted;
};

enum reservation_state { /* those up to ACTIVE may still be used */
    RESERVATION_REQUESTED = 1, RESERVATION_UNCERTAIN, RESERVATION_ACTIVE,
    RESERVATION_REFUSED, RESERVATION_CANCELLED, RESERVATION_USED, RESERVATION_EXPIRED, RESERVATION_VOID
};
struct reservation_fact {
    int64_t key, org, charger;              /* key is the reservationId on the wire: positive, below 2^31, never reused */
    int32_t connector;                      /* 0: any of them */
    int32_t state;                          /* enum reservation_state */
    struct amp_text tag, parent, by;
    struct amp_text why;                    /* it is in that state, in words */
    int64_t expiry_ms, created_ms, changed_ms;
    int64_t command, cancel;                /* that asked for it, that asked for its end; 0: none */
    int64_t transaction;                    /* that used it; 0: none */
};

struct list_fact {                          /* a local authorisation list, shared by chargers */
    int64_t org;
    struct amp_text name, note;             /* name compared without case */
    int64_t revision;                       /* counts changes; below `sealed` never again */
    int64_t sealed;                         /* the newest revision that was sent to any charger */
    int64_t created_ms;
    bool deleted;
};
struct list_entry_fact {                    /* what is sent about the tag stands with the tag */
    int64_t org;
    struct amp_text list, tag;              /* list as its fact spells it */
    int64_t revision;                       /* of the list, when it or its tag changed last */
    bool deleted;                           /* kept: a differential update has to name it */
};
enum charger_list_state {
    CHARGER_LIST_IDLE = 1,                  /* no list is meant to be there */
    CHARGER_LIST_PENDING, CHARGER_LIST_SENDING, CHARGER_LIST_ASKING, CHARGER_LIST_SYNCED, CHARGER_LIST_FAILED,
    CHARGER_LIST_UNSUPPORTED
};
#define LIST_VERSION_UNKNOWN (-2)
struct charger_list_fact {                  /* what we believe a station has */
    int64_t charger, org;
    struct amp_text list;                   /* that it is to have; absent: none */
    int64_t version;                        /* on the wire; 0 empty, -1 not supported, -2 never heard */
    int64_t revision;                       /* of the list, that the station has; 0: contents unknown */
    int64_t sent;                           /* version that is under way; 0: none */
    int64_t command;                        /* that is under way; 0: none */
    int32_t state;                          /* enum charger_list_state */
    int32_t max;                            /* entries of one message, when a person said so; 0: none did */
    struct amp_text why;
    int64_t changed_ms;
};

struct profile_fact {                       /* a charging profile by name */
    int64_t org;
    struct amp_text name, note;             /* name compared without case */
    struct amp_text body;                   /* JSON: the profile without its id and transaction */
    int64_t changed_ms;
    bool deleted;
};
enum installed_state { INSTALLED_REQUESTED = 1, INSTALLED_HERE, INSTALLED_STALE, INSTALLED_GONE };
enum installed_boot { INSTALLED_BOOT_KEEP, INSTALLED_BOOT_STALE, INSTALLED_BOOT_AGAIN }; /* after a boot */
struct installed_fact {                     /* a charging profile that a station has */
    int64_t charger, id;                    /* id is the chargingProfileId */
    int64_t org;
    int32_t connector, state, stack;        /* enum installed_state */
    int32_t on_boot;                        /* enum installed_boot */
    struct amp_text name;                   /* of the template; absent: made otherwise */
    struct amp_text purpose;                /* wire word */
    struct amp_text body;                   /* JSON: as the station accepted it last */
    struct amp_text pending;                /* JSON: as it was asked for, and not answered yet */
    struct amp_text why;
    int64_t transaction;                    /* of a TxProfile; 0: none */
    int64_t command;                        /* that asked last */
    int64_t changed_ms;
};

#endif
