/* central/refusal.h - why a handshake or a connection is refused: one table with a word for
 * programs, what is answered, the reason in words and what to do about it. The connection doctor
 * (doctor.h) tells it to people; a stranger hears only what he may know (edge case 42). */
#ifndef CENTRAL_REFUSAL_H
#define CENTRAL_REFUSAL_H

#include "ocpp/text.h"

enum refusal {
    REFUSAL_NONE,
    /* the request */
    REFUSAL_PATH,
    REFUSAL_ESCAPE,
    REFUSAL_IDENTITY,
    REFUSAL_LONG_IDENTITY,
    REFUSAL_NO_UPGRADE,
    REFUSAL_NO_PROTOCOL,
    REFUSAL_OTHER_PROTOCOL,
    REFUSAL_HTTP,
    REFUSAL_SLOW,
    /* who are you */
    REFUSAL_HEADER,
    REFUSAL_UNKNOWN,
    REFUSAL_KNOCKING_FULL,
    REFUSAL_NO_PASSWORD,
    REFUSAL_NONE_KNOWN,
    REFUSAL_WRONG_PASSWORD,
    REFUSAL_WRONG_USER,
    REFUSAL_PLAIN,
    REFUSAL_DOWNGRADE,
    REFUSAL_NO_CERTIFICATE,
    REFUSAL_CERTIFICATE_NAME,
    REFUSAL_CERTIFICATE_REVOKED,
    /* too much */
    REFUSAL_FULL,
    REFUSAL_TRIES,
    REFUSAL_CONNECTIONS,
    REFUSAL_MESSAGES,
    REFUSAL_BYTES,
    REFUSAL_TOO_LONG,
    REFUSAL_GARBAGE,
    /* TLS */
    REFUSAL_TLS_ON_PLAIN,
    REFUSAL_PLAIN_ON_TLS,
    REFUSAL_TLS_VERSION,
    REFUSAL_TLS_CIPHER,
    REFUSAL_TLS_DISTRUST,
    REFUSAL_TLS_NO_CERTIFICATE,
    REFUSAL_TLS_CERTIFICATE,
    REFUSAL_TLS_SLOW,
    REFUSAL_TLS,
    REFUSALS
};

struct refusal_text {
    const char *kind; /* "wrong-password" */
    int code;         /* HTTP status, close code; 0: in TLS */
    const char *why, *fix;
};
const struct refusal_text *refusal_text(enum refusal r);
/* By word; NULL: none. */
const struct refusal_text *refusal_by_kind(struct amp_text kind);
/* What the network's own words mean. */
enum refusal refusal_of_net(const char *why, int status, bool tls);

#endif
