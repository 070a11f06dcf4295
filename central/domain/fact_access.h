/* central/domain/fact_access.h - the facts of fact.h about who may come in, and who may not. */
#ifndef CENTRAL_FACT_ACCESS_H
#define CENTRAL_FACT_ACCESS_H

#include "ocpp/text.h"

/* What people decided about one charger, and how far it came: DESIGN.md decision 11. Passwords are
 * salted hashes (central/pki/secret.h). */
struct access_fact {
    int64_t charger;
    struct amp_text password;    /* absent: none */
    struct amp_text next;        /* given to the station, not used yet: both are good until then */
    struct amp_text certificate; /* name in its certificate; absent: its identity or a serial number
                                    of its boot */
    int64_t password_ms;         /* when the password was set or first used */
    int32_t profile;             /* the highest it came by: E43, never downwards */
    int32_t least;               /* profile that is demanded, one above it; 0: the server's rule */
    int32_t heartbeat_s;         /* handed out at boot; 0: the server's */
    int32_t max_message;         /* bytes of one message; 0: the server's */
    bool any_user;               /* E40: another user name than its identity is let pass */
};

/* Which chargers are let in at their boot message; the first rule that fits decides. Patterns have
 * * and ?, no case. */
struct boot_rule_fact {
    int64_t org;
    struct amp_text name;
    int32_t place;                                       /* smaller ones are asked first */
    int32_t registration;                                /* enum registration: what it says */
    struct amp_text id, vendor, model, serial, firmware; /* absent: whatever */
    bool known; /* also for chargers that somebody decided about */
    bool deleted;
};

enum certificate_state {
    CERTIFICATE_ASKED = 1, /* a request that is being signed */
    CERTIFICATE_ISSUED,
    CERTIFICATE_INSTALLED,
    CERTIFICATE_REFUSED, /* the station took it, or did not */
    CERTIFICATE_FAILED,  /* not signed: reason says why */
    CERTIFICATE_REVOKED
};
struct certificate_fact {
    struct amp_text id;   /* of ours, hex; the serial number when our own authority signed it */
    int64_t org, charger; /* charger 0: of this server */
    int32_t state;        /* enum certificate_state */
    struct amp_text serial, issuer; /* as the certificate has them: hex, name */
    struct amp_text name;           /* CN */
    struct amp_text csr, pem;       /* the request; the certificate and those above it */
    struct amp_text reason;
    int64_t asked_ms, issued_ms, from_ms, to_ms, revoked_ms;
};

struct refusal_fact {
    int64_t org, charger; /* charger 0: unknown identity */
    int64_t at_ms;
    int32_t code;         /* HTTP status, close code; 0: in the handshake of TLS */
    int32_t count;        /* how often since the one before of the same kind, id and address */
    struct amp_text kind; /* one word: central/doctor.h */
    struct amp_text id, address,
        name; /* identity; where from; name in the certificate that was shown */
    struct amp_text reason;
};

#endif
