/* ocpp/http1.h - HTTP/1.1 heads, both roles: the WebSocket upgrade of stations and browsers, and
 * the REST server's requests. RFC 9112 read strictly, because what two parsers read differently can
 * be smuggled past one of them: lines end with CR LF; refused are folded lines, NUL and other
 * control characters, a lone CR or LF, a blank before the colon, Content-Length twice with
 * different values or beside Transfer-Encoding, codings other than chunked, Host more than once. A
 * missing Host is let pass, because nothing here depends on it. Also declares what an upgrade needs
 * beside the head: Base64, percent-encoding, SHA-1, URLs, the handshake. */
#ifndef AMP_HTTP1_H
#define AMP_HTTP1_H

#include "ocpp/base64.h"
#include "ocpp/buf.h"
#include "ocpp/percent.h"
#include "ocpp/sha1.h"
#include "ocpp/upgrade.h"
#include "ocpp/url.h"

#define AMP_HTTP_HEAD_MAX    8192 /* bytes, including the blank line */
#define AMP_HTTP_HEADERS_MAX 64
#define AMP_HTTP_METHOD_MAX  16

struct amp_http_header {
    struct amp_text name,
        value; /* value without blanks around; may be empty; bytes above 127 are let through */
};

struct amp_http_head {
    struct amp_text method, target; /* request; target as sent */
    struct amp_text path,
        query;              /* target cut at '?', without scheme and host if it had them; still
                             * percent-encoded. "*" for OPTIONS *. query.at NULL if there is none */
    int status;             /* response: 100 to 599 */
    struct amp_text reason; /* may be empty */
    int minor;              /* HTTP/1.minor */
    struct amp_http_header headers[AMP_HTTP_HEADERS_MAX];
    unsigned count;
    int64_t content_length; /* -1: none */
    bool chunked, keep_alive;
    bool
        upgrade; /* Upgrade lists websocket, in any case; whatever Connection says (edge case 51) */
    size_t len;  /* bytes of the head, including the blank line */
};

/* Parse the head at the start of `in`; one empty line in front of a request is skipped. 1: done; 0:
 * more bytes are needed; AMP_E_PROTOCOL: answer 400; AMP_E_SIZE: answer 431. A bad line is refused
 * as soon as it is complete, and garbage as soon as it cannot be a method, so that a modem's
 * chatter or a TLS hello waits for nothing. Slices point into `in` (an absolute target without a
 * path has "/"); only the first `count` headers are set. After 0 or an error `out` is undefined. */
int amp_http_request(struct amp_text in, struct amp_http_head *out) AMP_CHECKED;
int amp_http_response(struct amp_text in, struct amp_http_head *out) AMP_CHECKED;

/* First header of that name (case-insensitive); .at NULL if none. */
struct amp_text amp_http_get(const struct amp_http_head *h, const char *name);

/* Walk a comma separated list over all headers of that name: Sec-WebSocket-Protocol may come in
 * several (edge case 50). `*header` and `*at` start at 0. False at the end. Empty items are
 * skipped, blanks around trimmed. */
bool amp_http_list(const struct amp_http_head *h, const char *name, unsigned *header, uint32_t *at,
                   struct amp_text *item);

#endif
