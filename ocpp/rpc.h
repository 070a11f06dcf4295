/* ocpp/rpc.h - one OCPP-J conversation, seen from one end: at most one own call in flight, ids
 * never reused, timeouts, late answers. Independent of the other direction: incoming calls are
 * always handed up, because two parties that both wait would wait for ever. Bytes stay outside:
 * texts in, texts out. ocpp-facts F1-F14, B5; station-1.6 3-7; edge cases 54-57. */
#ifndef AMP_RPC_H
#define AMP_RPC_H

#include "ocpp/frame.h"

struct amp_rpc_stats {
    uint32_t calls_in, calls_out;   /* usable ones; SEND of 2.1 counts as a call */
    uint32_t results_in, errors_in; /* answers to our calls, unusable results not among them */
    uint32_t timeouts;
    uint32_t late; /* answers to no call of ours, or to one that is over: late, unknown id, given
                      twice */
    uint32_t discarded; /* other frames that were dropped, unusable answers, and broken UTF-8 */
    uint32_t refused;   /* calls that were answered with an error here */
    uint32_t repaired;  /* messages in which the decoder had to be lenient */
};

struct amp_rpc {
    const struct amp_protocol *protocol;
    enum amp_version version;
    enum amp_direction peer; /* AMP_UP: the peer is a station (we are the central system) */
    uint64_t
        prefix; /* first half of our ids; unique per connection or boot, brought by the caller */
    uint64_t sequence;              /* second half: of the id given last */
    const struct amp_message *open; /* our call in flight, NULL if none */
    uint64_t deadline_ms;           /* monotonic */
    uint32_t cookie;                /* the caller's own mark for the call in flight */
    char open_id[AMP_ID_MAX + 1];   /* stays until the next call, for logs */
    struct amp_rpc_stats stats;
};

enum amp_rpc_event_kind {
    AMP_RPC_CALL, /* the peer calls: message, body, id. Answer with amp_rpc_result or amp_rpc_error
                   */
    AMP_RPC_SEND, /* 2.1: the same, never answered */
    AMP_RPC_RESULT,  /* our call was answered: message, body, cookie */
    AMP_RPC_FAILED,  /* our call ended without a result: message, cookie, rc */
    AMP_RPC_REFUSED, /* an unusable call: the error answer stands in `reply` and must be sent */
    AMP_RPC_DROPPED, /* nothing to do but log: late or unknown answer, unreadable frame */
    AMP_RPC_CLOSE    /* close the socket with close_code */
};

struct amp_rpc_event {
    enum amp_rpc_event_kind kind;
    int rc; /* reason of FAILED, REFUSED, DROPPED, CLOSE. FAILED: AMP_E_TIMEOUT, AMP_E_IO (aborted),
             * the decoder's error when the result was unusable, or, when verdict.frame.code is
             * there, what the peer's error code means (AMP_E_INTERNAL for a code that nobody knows)
             */
    int close_code;
    uint32_t cookie;
    bool late; /* DROPPED: an answer to a call that is over or was never made */
    const struct amp_message *message; /* NULL where none is known */
    const void *body;           /* request or reply, in the arena; NULL where none was decoded */
    struct amp_verdict verdict; /* frame, fault, report: for the log. Zero from expire and abort */
};

/* `prefix` must never have been used before by this identity (F4): random bits, or a boot counter.
 */
void amp_rpc_init(struct amp_rpc *r, const struct amp_protocol *p, enum amp_version v,
                  enum amp_direction peer, uint64_t prefix);

/* Start a call: writes the frame to `out` and remembers it until its answer or now_ms + timeout_ms.
 * `id_out` (may be NULL) receives the id, which lies in `r` until the next call. AMP_E_BUSY: one is
 * in flight; AMP_E_SUPPORT: not a message of this side or version; or as amp_encode. After an error
 * `out` is as before and nothing is in flight. A message that is never answered (SEND of 2.1) may
 * be sent at any time, opens nothing, and its id lies in `out`. */
int amp_rpc_call(struct amp_rpc *r, const struct amp_message *m, const void *request,
                 uint32_t cookie, uint64_t now_ms, uint32_t timeout_ms, struct amp_buf *out,
                 struct amp_text *id_out, struct amp_fault *fault) AMP_CHECKED;

/* The same with a payload that is already JSON text (checked by the caller against the definitions;
 * absent: {}). */
int amp_rpc_call_raw(struct amp_rpc *r, const struct amp_message *m, struct amp_text payload,
                     uint32_t cookie, uint64_t now_ms, uint32_t timeout_ms, struct amp_buf *out,
                     struct amp_text *id_out) AMP_CHECKED;

/* One text message came in. `text` must stay while `ev` is used; bodies live in `arena`. An answer
 * is matched by its id, exactly and unescaped, before its payload is looked at, so that a late one
 * is never read with the table of another call. REFUSED writes its answer to `reply`; so does
 * FAILED in 2.1, where an unusable result is answered too (F14): whatever stands in `reply`
 * afterwards is to be sent. An answer that does not fit leaves reply->full. */
void amp_rpc_receive(struct amp_rpc *r, struct amp_text text, struct amp_arena *arena,
                     struct amp_buf *reply, struct amp_rpc_event *ev);

/* True and `ev` (FAILED, AMP_E_TIMEOUT) when the call in flight is overdue. */
bool amp_rpc_expire(struct amp_rpc *r, uint64_t now_ms, struct amp_rpc_event *ev);

/* The connection is gone: true and `ev` (FAILED, AMP_E_IO) when a call was in flight (edge case
 * 54). */
bool amp_rpc_abort(struct amp_rpc *r, struct amp_rpc_event *ev);

/* Answer a CALL. Falls back to InternalError when `reply` breaks the definition, because every call
 * needs an answer (edge case 63), and returns the error. When not even that fits, out->full is set
 * and `out` otherwise as before. */
int amp_rpc_result(struct amp_rpc *r, struct amp_text id, const struct amp_message *m,
                   const void *reply, struct amp_buf *out);
void amp_rpc_error(struct amp_rpc *r, struct amp_text id, int rc, struct amp_text description,
                   struct amp_buf *out);

#endif
