/* ocpp/rpc.h - one OCPP-J conversation, seen from one end: at most one own call in flight, ids never reused,
 * timeouts, late answers. Independent of the other direction: incoming calls are always handed up.
 * ocpp-facts F3-F7, B5; station-1.6 3-5. */
#ifndef AMP_RPC_H
#define AMP_RPC_H

#include "ocpp/frame.h"

struct amp_rpc_stats {
    uint32_t calls_in, calls_out, results_in, errors_in, timeouts, late, discarded, refused, repaired;
};

struct amp_rpc {
    const struct amp_protocol *protocol;
    enum amp_version version;
    enum amp_direction peer;         /* AMP_UP: the peer is a station (we are the central system) */
    uint64_t prefix;                 /* first half of our ids; unique per connection or boot, brought by the caller */
    uint32_t sequence;               /* second half */
    const struct amp_message *open;  /* our call in flight, NULL if none */
    uint64_t deadline_ms;            /* monotonic */
    uint32_t cookie;                 /* the caller's own mark for the call in flight */
    char open_id[AMP_ID_MAX + 1];
    struct amp_rpc_stats stats;
};

enum amp_rpc_event_kind {
    AMP_RPC_CALL,    /* the peer calls: message, body, id. Answer with amp_rpc_result or amp_rpc_error */
    AMP_RPC_SEND,    /* 2.1: the same, never answered */
    AMP_RPC_RESULT,  /* our call was answered: message, body, cookie */
    AMP_RPC_FAILED,  /* our call ended without result: cookie, rc; code and description when the peer sent an error */
    AMP_RPC_REFUSED, /* an unusable call: the error answer stands in `reply` and must be sent */
    AMP_RPC_DROPPED, /* nothing to do but log: late or unknown answer, unreadable frame */
    AMP_RPC_CLOSE    /* close the socket with close_code */
};

struct amp_rpc_event {
    enum amp_rpc_event_kind kind;
    int rc;                            /* reason of FAILED, REFUSED, DROPPED, CLOSE */
    int close_code;
    uint32_t cookie;
    bool late;                         /* DROPPED: an answer to a call that timed out or was never made */
    const struct amp_message *message;
    const void *body;
    struct amp_verdict verdict;        /* frame, fault, report: for the log */
};

void amp_rpc_init(struct amp_rpc *r, const struct amp_protocol *p, enum amp_version v, enum amp_direction peer, uint64_t prefix);

/* Start a call: writes the frame to `out` and remembers it until its answer or now_ms + timeout_ms.
 * `id_out` (may be NULL) receives the id. AMP_E_BUSY: one is in flight; or as amp_encode: nothing is in flight then. */
int amp_rpc_call(struct amp_rpc *r, const struct amp_message *m, const void *request, uint32_t cookie, uint64_t now_ms,
                 uint32_t timeout_ms, struct amp_buf *out, struct amp_text *id_out, struct amp_fault *fault) AMP_CHECKED;

/* The same with a payload that is already JSON text (checked by the caller against the definitions). */
int amp_rpc_call_raw(struct amp_rpc *r, const struct amp_message *m, struct amp_text payload, uint32_t cookie, uint64_t now_ms,
                     uint32_t timeout_ms, struct amp_buf *out, struct amp_text *id_out) AMP_CHECKED;

/* One text message came in. `text` must stay while `ev` is used; bodies live in `arena`. REFUSED writes its answer to `reply`. */
void amp_rpc_receive(struct amp_rpc *r, struct amp_text text, struct amp_arena *arena, struct amp_buf *reply,
                     struct amp_rpc_event *ev);

/* True and `ev` (FAILED, AMP_E_TIMEOUT) when the call in flight is overdue. */
bool amp_rpc_expire(struct amp_rpc *r, uint64_t now_ms, struct amp_rpc_event *ev);

/* The connection is gone: true and `ev` (FAILED, AMP_E_IO) when a call was in flight. */
bool amp_rpc_abort(struct amp_rpc *r, struct amp_rpc_event *ev);

/* Answers. amp_rpc_result falls back to InternalError when `reply` breaks the definition (and returns the error). */
int amp_rpc_result(struct amp_rpc *r, struct amp_text id, const struct amp_message *m, const void *reply, struct amp_buf *out);
void amp_rpc_error(struct amp_rpc *r, struct amp_text id, int rc, struct amp_text description, struct amp_buf *out);

#endif
