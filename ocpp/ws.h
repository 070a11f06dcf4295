/* ocpp/ws.h - WebSocket framing, both roles, bytes in and bytes out. RFC 6455. No extension is negotiated here.
 * The caller owns the receive buffer; a message is joined and unmasked in place, so an idle connection needs none. */
#ifndef AMP_WS_H
#define AMP_WS_H

#include "ocpp/buf.h"

enum amp_ws_role { AMP_WS_SERVER, AMP_WS_CLIENT };
enum amp_ws_opcode { AMP_WS_CONT = 0, AMP_WS_TEXT = 1, AMP_WS_BINARY = 2, AMP_WS_CLOSE = 8, AMP_WS_PING = 9, AMP_WS_PONG = 10 };

#define AMP_WS_HEAD_MAX 14 /* bytes of the longest frame header */

struct amp_ws {
    uint8_t role;
    uint8_t opcode;      /* of the fragmented message under way, 0 if none */
    bool close_seen;     /* nothing is read after a close frame */
    bool close_sent;
    uint32_t joined;     /* bytes of the message under way at the start of the caller's buffer */
    uint32_t max;        /* largest message, joined */
};

enum amp_ws_event_kind { AMP_WS_MORE, AMP_WS_MESSAGE, AMP_WS_PINGED, AMP_WS_PONGED, AMP_WS_CLOSED, AMP_WS_FAILED };

struct amp_ws_event {
    enum amp_ws_event_kind kind;
    uint8_t opcode;      /* MESSAGE: TEXT or BINARY. UTF-8 is not checked here: the decoder does */
    uint8_t *data;       /* payload, in the caller's buffer, valid until the next amp_ws_next */
    size_t len;
    int code;            /* CLOSED: the peer's code (1005 if none). FAILED: the code to close with: 1002, 1009 */
    const char *why;     /* FAILED */
    size_t need;         /* MORE: the buffer must be able to hold this many bytes before it can go on (0: any) */
};

void amp_ws_init(struct amp_ws *ws, enum amp_ws_role role, uint32_t max);

/* Look at buf[0..*len): take at most one event out. Bytes that are done are removed from the front of the buffer
 * (the rest moves down at the *next* call, so that ev->data stays valid until then): call until AMP_WS_MORE, then
 * append what the socket gives at buf + *len. `*done` must be 0 before the first call and is private to ws.c. */
void amp_ws_next(struct amp_ws *ws, uint8_t *buf, size_t *len, size_t *done, struct amp_ws_event *ev);

/* Write one whole frame. A client masks with `mask` (random per frame); a server passes 0. out->full when there is no room. */
void amp_ws_write(struct amp_ws *ws, struct amp_buf *out, enum amp_ws_opcode op, const void *data, size_t len, uint32_t mask);

/* Close frame with code and reason (cut to 123 bytes); 1005 and 1006 write an empty one. */
void amp_ws_write_close(struct amp_ws *ws, struct amp_buf *out, int code, const char *reason, uint32_t mask);

/* Only the header of a server frame (at most AMP_WS_HEAD_MAX bytes) for a payload that is sent from elsewhere. Returns its length. */
size_t amp_ws_head(uint8_t head[AMP_WS_HEAD_MAX], enum amp_ws_opcode op, size_t len);

#endif
