/* station/security.h - security profiles and the credentials of a connection: what is used, what happens when it changes, and the way
 * back when the new ones do not work. OCPP 1.6 security white paper, A00, A01, A05; ocpp-facts 3; station-1.6 154-156. */
#ifndef AMP_SECURITY_H
#define AMP_SECURITY_H

#include "ocpp/url.h"
#include "station/config.h"
#include "station/port.h"

struct amp_credentials {
    int32_t profile;
    char key[AMP_KEY_HEX_MAX + 1]; /* empty: the operator's password */
};

struct amp_security {
    struct amp_credentials good; /* of the last connection that worked; stored before they change */
    bool known;                  /* `good` is in the journal */
    bool pending;                /* the settings differ from it and were not seen to work yet */
    bool fallback;               /* the attempt under way does not use the settings */
    bool before;                 /* the attempt under way shows the certificate before the newest */
    uint8_t failures;            /* attempts with one set of credentials */
    uint8_t hung_up;             /* attempts in a row that ended when the certificate was shown, without a word */
    uint32_t told;               /* bit per event: not raised again before a connection worked */
    const char *reconnect;       /* why the connection shall be made anew; NULL: it shall not */
};

struct amp_station;
struct amp_entry;

void amp_security_init(struct amp_station *st); /* after the journal was read */
/* May the credentials change, the profile to this one? Then those that work are stored, so that there is a way back. */
bool amp_security_allows(struct amp_station *st, int32_t profile, bool rising);
void amp_security_changed(struct amp_station *st);
void amp_security_renamed(struct amp_station *st); /* CpoName */
void amp_security_reconnect(struct amp_station *st, const char *why); /* after what is being said */

/* For the next attempt: where to, and the Authorization value (nothing: none). */
void amp_security_endpoint(const struct amp_station *st, struct amp_url *url, struct amp_endpoint *to);
void amp_security_authorization(const struct amp_station *st, struct amp_buf *out);

void amp_security_up(struct amp_station *st);      /* the credentials were accepted */
void amp_security_refused(struct amp_station *st); /* 401, or our certificate */
void amp_security_failed(struct amp_station *st);  /* an attempt came to nothing */
void amp_security_hung_up(struct amp_station *st); /* the peer closed instead of answering the upgrade */
void amp_security_once(struct amp_station *st, unsigned event, struct amp_text info); /* until a connection works */

/* The central system, or the station's age, wants a new certificate: SignCertificate follows. False: it cannot be. */
bool amp_security_sign(struct amp_station *st);

void amp_security_load(struct amp_station *st, const struct amp_entry *e);
int amp_security_save(struct amp_station *st);

#endif
