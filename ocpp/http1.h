/* ocpp/http1.h - HTTP/1.1 heads, both roles: the WebSocket upgrade of stations and browsers, and the REST server's requests.
 * RFC 9112 with strict limits; no folding, no chunked request bodies from strangers to OCPP paths. RFC 6455 §4. */
#ifndef AMP_HTTP1_H
#define AMP_HTTP1_H

#include "ocpp/buf.h"

#define AMP_HTTP_HEAD_MAX    8192
#define AMP_HTTP_HEADERS_MAX 64
#define AMP_WS_ACCEPT_LEN    28

struct amp_http_header { struct amp_text name, value; };

struct amp_http_head {
    struct amp_text method, target;     /* request; target as sent */
    struct amp_text path, query;        /* target cut at '?'; still percent-encoded */
    int status;                         /* response */
    struct amp_text reason;
    int minor;                          /* HTTP/1.minor */
    struct amp_http_header headers[AMP_HTTP_HEADERS_MAX];
    unsigned count;
    int64_t content_length;             /* -1: none */
    bool chunked, keep_alive, upgrade;  /* upgrade: Upgrade: websocket and Connection: upgrade (tolerant, edge case 51) */
    size_t len;                         /* bytes of the head, including the blank line */
};

/* Parse the head at the start of `in`. 1: done; 0: more bytes are needed; AMP_E_PROTOCOL: answer 400;
 * AMP_E_SIZE: answer 431. Slices point into `in`. */
int amp_http_request(struct amp_text in, struct amp_http_head *out) AMP_CHECKED;
int amp_http_response(struct amp_text in, struct amp_http_head *out) AMP_CHECKED;

/* First header of that name (case-insensitive); .at NULL if none. */
struct amp_text amp_http_get(const struct amp_http_head *h, const char *name);

/* Walk a comma separated header list over all headers of that name: Sec-WebSocket-Protocol may come in several.
 * `*at` starts at 0. False at the end. Empty items are skipped. */
bool amp_http_list(const struct amp_http_head *h, const char *name, unsigned *header, uint32_t *at, struct amp_text *item);

/* Percent-decode once into out (cap bytes). Length, or AMP_E_FORMAT (bad escape), AMP_E_FULL. '+' stays '+'. */
int amp_percent_decode(struct amp_text in, char *out, size_t cap) AMP_CHECKED;
/* Percent-encode everything but A-Za-z0-9-._~ : for a path segment. */
void amp_percent_encode(struct amp_buf *out, struct amp_text in);

/* "Authorization: Basic ...": decodes into out, splits at the first colon; the password may hold any byte.
 * 0, AMP_E_ABSENT (no or other scheme), AMP_E_FORMAT, AMP_E_FULL. */
int amp_basic_decode(struct amp_text header, char *out, size_t cap, struct amp_text *user, struct amp_text *password) AMP_CHECKED;
void amp_basic_encode(struct amp_buf *out, struct amp_text user, struct amp_text password); /* "Basic dXNl..." */

/* Base64 with padding. Decode: length or AMP_E_FORMAT, AMP_E_FULL. */
void amp_base64_encode(struct amp_buf *out, const void *data, size_t len);
int amp_base64_decode(struct amp_text in, void *out, size_t cap) AMP_CHECKED;

/* Sec-WebSocket-Accept for a Sec-WebSocket-Key. */
void amp_ws_accept(struct amp_text key, char out[AMP_WS_ACCEPT_LEN + 1]);

void amp_sha1(const void *data, size_t len, uint8_t out[20]);

/* ws://host:port/path or wss://. Slices into `url`. port 0: none given (80 or 443 by scheme is filled in). AMP_E_FORMAT. */
struct amp_url { bool tls; struct amp_text host; uint16_t port; struct amp_text path; /* from '/', may be empty */ };
int amp_url_parse(struct amp_text url, struct amp_url *out) AMP_CHECKED;

/* The client's upgrade request: path is url.path + '/' + encoded identity. `protocols` is a comma list; `auth` a whole
 * Authorization value or absent; `key16` 16 random bytes. */
void amp_ws_request(struct amp_buf *out, const struct amp_url *url, struct amp_text identity, const char *protocols,
                    struct amp_text auth, const uint8_t key16[16]);
/* The server's 101 answer; protocol absent: no header. */
void amp_ws_response(struct amp_buf *out, struct amp_text key, struct amp_text protocol);

#endif
