/* ocpp/url.h - where a station finds its central system: ws://host:port/path. RFC 6455 §3. */
#ifndef AMP_URL_H
#define AMP_URL_H

#include "ocpp/buf.h"

struct amp_url {
    bool tls;              /* wss */
    struct amp_text host;  /* name or address; an IPv6 address without its brackets */
    uint16_t port;         /* 80 or 443 by scheme when none was given */
    struct amp_text path;  /* from '/', still percent-encoded; may be empty */
    struct amp_text query; /* behind '?'; .at NULL if there is none */
};

/* ws://host[:port][/path][?query] or wss://, scheme in any case. Slices into `url`. AMP_E_FORMAT:
 * another scheme, user name or password inside (they belong into a key store, not into a text that
 * is logged), no host, a host with other characters than A-Z a-z 0-9 - . _, an unbracketed IPv6
 * address, port outside 1 to 65535, a fragment, blanks, control characters or bytes beyond ASCII.
 */
int amp_url_parse(struct amp_text url, struct amp_url *out) AMP_CHECKED;

#endif
