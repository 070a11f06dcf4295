/* ocpp/frame.h - the OCPP-J array around every payload. OCPP-J 1.6 §4.2, OCPP 2.0.1/2.1 part 4
 * §4.2. ocpp-facts F1-F16. */
#ifndef AMP_FRAME_H
#define AMP_FRAME_H

#include "ocpp/codec.h"

enum amp_frame_kind {
    AMP_CALL = 2,
    AMP_CALLRESULT = 3,
    AMP_CALLERROR = 4,
    AMP_CALLRESULTERROR = 5, /* 2.1 */
    AMP_SEND = 6             /* 2.1 */
};

#define AMP_ID_MAX 36 /* characters of a message id */
#define AMP_ID_LAX 255 /* that a call of 1.6 may have all the same; none, too: it gets its id back */

struct amp_frame {
    enum amp_frame_kind kind;
    struct amp_text id;      /* unescaped; at == NULL when it could not be read */
    struct amp_text action;  /* CALL, SEND */
    struct amp_text payload; /* source text; cut to its end when the payload is decoded */
    struct amp_text code, description, details; /* errors */
};

/* Read the array up to its payload. For error frames (kinds 4, 5) the whole frame.
 * 0; AMP_E_FORMAT: not JSON; AMP_E_FRAME: JSON but no frame (out->id is set when it was readable);
 * AMP_E_KIND: message type number that `v` does not know; AMP_E_UTF8. A leading byte order mark and
 * NULs behind the frame are ignored. */
int amp_frame_read(struct amp_text text, enum amp_version v, struct amp_arena *arena,
                   struct amp_frame *out, struct amp_fault *fault) AMP_CHECKED;
/* The same with a choice: AMP_LENIENT lets a call of 1.6 have an id of up to AMP_ID_LAX characters, or
 * of none, and no payload. */
int amp_frame_read_mode(struct amp_text text, enum amp_version v, enum amp_codec_mode mode,
                        struct amp_arena *arena,
                        struct amp_frame *out, struct amp_fault *fault) AMP_CHECKED;

/* Decode the payload of a CALL, SEND or CALLRESULT with `r` and check that the frame ends properly
 * behind it. f->payload is cut to the payload's own text. Errors as amp_decode, and AMP_E_FRAME:
 * something stands behind it. */
int amp_frame_payload(struct amp_frame *f, const struct amp_record *r, enum amp_version v,
                      enum amp_codec_mode mode, void *out, struct amp_arena *arena,
                      struct amp_fault *fault, struct amp_decode *report) AMP_CHECKED;

/* Check the payload as JSON without a table (unknown action), and the end of the frame; cuts
 * f->payload. AMP_E_FRAME: something stands behind the payload. */
int amp_frame_skip(struct amp_frame *f, struct amp_fault *fault) AMP_CHECKED;

/* Writers; errors as amp_encode. */
int amp_frame_call(struct amp_buf *out, enum amp_version v, struct amp_text id,
                   const struct amp_message *m, const void *request,
                   struct amp_fault *fault) AMP_CHECKED;
int amp_frame_result(struct amp_buf *out, enum amp_version v, struct amp_text id,
                     const struct amp_message *m, const void *reply,
                     struct amp_fault *fault) AMP_CHECKED;
/* CALLERROR (kind 4) or CALLRESULTERROR (5). `description` may be absent, is cut to 255 characters;
 * details {}. `id` absent is written as "-1". */
void amp_frame_error(struct amp_buf *out, enum amp_frame_kind kind, struct amp_text id,
                     const char *code, struct amp_text description);

/* What a receiver does with a frame it got; messages/README.md, "Receiving". */
enum amp_verdict_kind { AMP_ACCEPT, AMP_ANSWER_ERROR, AMP_DISCARD, AMP_CLOSE };
struct amp_verdict {
    enum amp_verdict_kind kind;
    int rc;         /* why, when not accepted; amp_err_code gives the wire code */
    int close_code; /* AMP_CLOSE: 1007 */
    struct amp_frame frame;
    const struct amp_message *message; /* known action, or that of the pending call */
    void *body;                        /* decoded request or reply, in the arena; NULL if none */
    struct amp_fault fault;
    struct amp_decode report;
};

/* Judge one text message. `from` is the side that sent it. `pending` is the message of our
 * outstanding call, or NULL; a result is decoded as its reply, and without it only checked
 * (AMP_ACCEPT without body). Matching ids is the business of rpc.h. Never fails: the verdict says
 * it all. AMP_ANSWER_ERROR: answer frame.id (absent: "-1") with amp_err_code(rc); when frame.kind
 * is AMP_CALLRESULT, which only happens in 2.1, with a CALLRESULTERROR. No body is handed out then.
 * An arena that is too small is AMP_E_FULL, which the peer reads as InternalError. */
void amp_frame_judge(const struct amp_protocol *p, enum amp_version v, enum amp_codec_mode mode,
                     enum amp_direction from, const struct amp_message *pending,
                     struct amp_text text, struct amp_arena *arena, struct amp_verdict *out);

#endif
