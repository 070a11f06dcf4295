/* ocpp/ws.h - WebSocket framing, both roles, bytes in and bytes out. RFC 6455. No extension is
 * negotiated here. The caller owns the receive buffer. A message is joined and unmasked inside it,
 * so that one buffer serves many connections and an idle connection needs none.
 *
 *     struct amp_ws_event ev;
 *     size_t done = 0;
 *
 *     n bytes from the socket go to buf + len; len += n;
 *     do {
 *         amp_ws_next(&ws, buf, &len, &done, &ev);
 *         handle(&ev);
 *     } while (ev.kind != AMP_WS_MORE);
 *     buf[0..len) must be kept until the socket gives more; mostly len is 0
 *
 * What lies in the buffer, in this order:
 *
 *     ws.joined bytes   fragments of the message under way, unmasked
 *     done bytes        finished, in nobody's way; 0 again after AMP_WS_MORE
 *     the rest          as the socket gave it */
#ifndef AMP_WS_H
#define AMP_WS_H

#include "ocpp/buf.h"

enum amp_ws_role {
    AMP_WS_SERVER, /* refuses unmasked frames, writes unmasked ones */
    AMP_WS_CLIENT  /* the other way round */
};

enum amp_ws_opcode {
    AMP_WS_CONT = 0,
    AMP_WS_TEXT = 1,
    AMP_WS_BINARY = 2,
    AMP_WS_CLOSE = 8,
    AMP_WS_PING = 9,
    AMP_WS_PONG = 10
};

/* Close codes, RFC 6455 §7.4.1. AMP_WS_NO_CODE and AMP_WS_LOST never stand on the wire. */
enum amp_ws_code {
    AMP_WS_NORMAL = 1000,
    AMP_WS_GOING_AWAY = 1001,
    AMP_WS_BROKEN = 1002,   /* protocol error */
    AMP_WS_UNUSABLE = 1003, /* our answer to binary messages, ocpp-facts F16 */
    AMP_WS_NO_CODE = 1005,  /* the close frame was empty */
    AMP_WS_LOST = 1006,     /* the socket ended without one */
    AMP_WS_NOT_UTF8 = 1007,
    AMP_WS_POLICY = 1008,
    AMP_WS_TOO_BIG = 1009,
    AMP_WS_FAULT = 1011 /* our own mistake */
};

#define AMP_WS_HEAD_MAX    14  /* bytes of the longest frame header */
#define AMP_WS_CONTROL_MAX 125 /* payload of a ping, pong or close frame */

struct amp_ws {
    uint8_t role;
    uint8_t opcode;  /* of the fragmented message under way, 0 if none */
    bool close_seen; /* nothing is read after a close frame, */
    bool failed;     /* nor after AMP_WS_FAILED */
    bool close_sent; /* nothing is written after ours */
    uint32_t joined; /* bytes of the message under way at the start of the caller's buffer */
    uint32_t max;    /* largest message, joined */
};

enum amp_ws_event_kind {
    AMP_WS_MORE,    /* nothing (more) to take out of the buffer */
    AMP_WS_MESSAGE, /* hand on; BINARY is no OCPP: close with 1003 */
    AMP_WS_PINGED,  /* write a PONG with the same payload */
    AMP_WS_PONGED,
    AMP_WS_CLOSED, /* write a close frame with the same code unless ours went out first, then end
                      the connection */
    AMP_WS_FAILED  /* write a close frame with `code` and end the connection */
};

struct amp_ws_event {
    enum amp_ws_event_kind kind;
    uint8_t opcode; /* MESSAGE: TEXT or BINARY. UTF-8 is not checked here: the decoder does */
    uint8_t *data; /* payload, in the caller's buffer, valid until the next amp_ws_next. CLOSED: the
                      reason, UTF-8 */
    size_t len;
    int code; /* CLOSED: the peer's code (1005 if none). FAILED: the code to close with: 1002, 1007,
                 1009 */
    const char *why; /* FAILED: constant text */
    size_t need; /* MORE: it cannot go on before the buffer holds this many bytes in all; 0: buffer
                    not in use */
};

/* `max` is in bytes, 1 to INT32_MAX (more is cut to that). */
void amp_ws_init(struct amp_ws *ws, enum amp_ws_role role, uint32_t max);

/* Look at buf[0..*len) and take at most one event out. Call until AMP_WS_MORE, then append what the
 * socket gives at buf + *len; bytes may be moved to a larger or another buffer at that time.
 * `*done` is private to ws.c: 0 before the first call, and again after every AMP_WS_MORE. Nothing
 * is moved while messages are taken out; what is left over moves to the front once, at AMP_WS_MORE.
 * Whoever stops earlier may append too, but must keep `*done` and gets no room back; or calls
 * amp_ws_pause.
 * A frame is refused as soon as its header shows why; CLOSED and FAILED come once, and everything
 * behind them is thrown away. */
void amp_ws_next(struct amp_ws *ws, uint8_t *buf, size_t *len, size_t *done,
                 struct amp_ws_event *ev);

/* Stop between two events: what is left over moves to the front, and `*done` is 0 again. */
void amp_ws_pause(const struct amp_ws *ws, uint8_t *buf, size_t *len, size_t *done);

/* Write one whole frame, control payloads at most AMP_WS_CONTROL_MAX. A client masks with `mask`,
 * which must be unpredictable and new for every frame (RFC 6455 §10.3); a server passes 0.
 * out->full when there is no room or a control payload is too long; nothing of the frame is written
 * then. After a close frame nothing is written (§5.5.1). */
void amp_ws_write(struct amp_ws *ws, struct amp_buf *out, enum amp_ws_opcode op, const void *data,
                  size_t len, uint32_t mask);

/* Close frame with code and reason (NULL: none; cut to 123 bytes at a character). Codes that must
 * not stand on the wire write an empty one; legal are 1000 to 1003, 1007 to 1011 and 3000 to 4999,
 * here as in what is read. */
void amp_ws_write_close(struct amp_ws *ws, struct amp_buf *out, int code, const char *reason,
                        uint32_t mask);

/* Only the header of a server frame for a payload that is sent from elsewhere. Returns its length.
 */
size_t amp_ws_head(uint8_t head[AMP_WS_HEAD_MAX], enum amp_ws_opcode op, size_t len);

#endif
