/* ocpp/upgrade.h - the WebSocket handshake, both roles. RFC 6455 §4; ocpp-facts C1-C5; edge cases
 * 35, 36, 49-51. */
#ifndef AMP_UPGRADE_H
#define AMP_UPGRADE_H

#include "ocpp/buf.h"
#include "ocpp/url.h"

struct amp_http_head; /* ocpp/http1.h */

#define AMP_WS_ACCEPT_LEN 28
#define AMP_WS_KEY_LEN    24 /* characters of a Sec-WebSocket-Key, 16 bytes in Base64 */

/* Server: what a request needs to become a WebSocket. 0 and *key for amp_ws_response; AMP_E_ABSENT:
 * no upgrade is asked for (any other request; 426 where only a WebSocket will do); AMP_E_SUPPORT:
 * answer 426 with Sec-WebSocket-Version: 13; AMP_E_PROTOCOL: answer 400 (method, HTTP/1.0, key
 * missing, not unique or no key). */
int amp_ws_asked(const struct amp_http_head *h, struct amp_text *key) AMP_CHECKED;

/* Server: the station's identity in a path below `base` ("/ocpp", no slash at its end): the last
 * segment that is not empty, decoded once, so that %2F is a slash inside the identity. Segments in
 * between and a ws://host in front are seen in the field and skipped. Length in out; AMP_E_ABSENT:
 * not below base, or nothing behind it; AMP_E_FORMAT: bad escape; AMP_E_VALUE: no identity ("." or
 * "..", a colon, a control character, broken UTF-8); AMP_E_FULL: longer than cap. */
int amp_ws_identity(struct amp_text path, struct amp_text base, char *out, size_t cap) AMP_CHECKED;

/* Server: the 101 answer; protocol absent: no header (C4: the caller closes then). */
void amp_ws_response(struct amp_buf *out, struct amp_text key, struct amp_text protocol);

/* Client: the upgrade request. Path is url.path + '/' + encoded identity. `protocols` is a comma
 * list in order of preference (NULL: none); `auth` a whole Authorization value or absent; `key16`
 * 16 random bytes, new for each connection. A control character in protocols or auth would start
 * another header: nothing is written then and out->full is set. */
void amp_ws_request(struct amp_buf *out, const struct amp_url *url, struct amp_text identity,
                    const char *protocols, struct amp_text auth, const uint8_t key16[16]);

/* Client: is the response the 101 that belongs to our key? 0 and *protocol (.at NULL if the server
 * chose none; whether it is one of ours is the caller's question); AMP_E_PROTOCOL: no. 401 and 404
 * are in h->status. */
int amp_ws_welcomed(const struct amp_http_head *h, const uint8_t key16[16],
                    struct amp_text *protocol) AMP_CHECKED;

/* Sec-WebSocket-Accept for a Sec-WebSocket-Key, terminated. A key longer than AMP_WS_KEY_LEN is
 * none: it is cut, and the peer will see that the answer is not his. */
void amp_ws_accept(struct amp_text key, char out[AMP_WS_ACCEPT_LEN + 1]);

#endif
