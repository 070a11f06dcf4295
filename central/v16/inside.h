/* central/v16/inside.h - what the files of this folder share about connections; messages need none
 * of it (ops.h). */
#ifndef CENTRAL_V16_INSIDE_H
#define CENTRAL_V16_INSIDE_H

#include "central/refusal.h"
#include "central/v16/v16.h"
#include "messages/ocpp16.h"
#include "ocpp/rpc.h"

#define V16_PROTOCOL "ocpp1.6"

/* May we call this station? Nothing but answers before its BootNotification was answered (edge case
 * 58), unless it shows that it did not restart (facts C13). */
enum session_calls {
    CALLS_WAIT, /* connected, nothing said yet */
    CALLS_BOOT, /* it booted, the answer is under way */
    CALLS_FREE
};

/* One connection, from upgrade to the last of its answers. */
struct session {
    struct session *before, *behind;
    struct v16 *v;
    struct net_conn *conn; /* NULL: closed */
    struct charger *charger;
    int64_t opened_ms;
    int64_t call_key, call_ms; /* command in flight, when it was sent */
    uint32_t pending;          /* frames that wait for their commit */
    uint8_t calls;             /* enum session_calls */
    uint8_t profile;           /* security profile that it came by */
    int64_t rate_ms, garbage_ms; /* begin of the time that is counted */
    uint64_t host; /* hash of the address that it came from */
    int64_t messages;
    uint64_t bytes;
    uint32_t garbage; /* texts that are no OCPP */
    struct amp_rpc rpc;
};

/* Frames that wait until what they acknowledge is durable: one queue for all, because commits come
 * in order. */
struct outbox {
    char *at;
    size_t head, tail, cap;
    uint64_t waiting; /* entries */
};

struct v16 {
    struct central *c;
    struct session *sessions;
    struct outbox outbox;
    struct amp_buf frame, text; /* the frame and the log text being written; grow, are reused */
    uint64_t connections;       /* counted for the ids of calls */
    uint64_t came_us;           /* when the message that is handled came, uv_hrtime */
    uint64_t unsent;            /* frames that were not sent because the store failed */
    struct admit *admit;        /* admit.h */
    struct secret *secrets;     /* password.c */
};

/* session.c */
struct session *v16_session_new(struct v16 *v, struct net_conn *conn, struct charger *c,
                                int64_t now_ms);
void v16_session_release(struct session *s); /* frees it when nobody needs it any more */

/* upgrade.c: to the connection doctor */
void v16_tell_refused(struct v16 *v, const struct net_conn *conn, const char *address,
                      struct amp_text id, enum refusal r);

/* outbox.c: send `v->frame` when all facts so far are durable. */
enum outbox_kind { OUTBOX_ANSWER, OUTBOX_BOOT, OUTBOX_CALL };
void v16_outbox_put(struct session *s, enum outbox_kind kind);

/* record.c: the message log. */
void v16_record_received(struct session *s, struct amp_text data, const struct amp_rpc_event *ev,
                         int64_t now_ms);
void v16_record_binary(struct session *s, struct amp_text data, int64_t now_ms);
/* The payload's own text, whether its end was found before or not; absent where it is not sound
 * JSON. */
struct amp_text v16_payload(const struct amp_frame *frame);
/* Our answer in v->frame; latency is measured from received_ms. */
void v16_record_answer(struct session *s, struct amp_text action, int64_t received_ms,
                       int64_t now_ms);
void v16_record_call(struct session *s, struct amp_text action, struct amp_text payload,
                     struct amp_text id, int64_t now_ms);

/* calls.c */
void v16_call_answered(struct session *s, const struct amp_rpc_event *ev, int64_t now_ms);
void v16_call_failed(struct session *s, const struct amp_rpc_event *ev, int64_t now_ms);
void v16_call_late(struct session *s, const struct amp_rpc_event *ev, int64_t now_ms);
void v16_call_abort(struct session *s, const char *why, int64_t now_ms);
void v16_session_kick(struct session *s);

/* password.c: a new password on its way */
#define V16_PASSWORD_MAX 128
bool v16_is_password(struct amp_text action, struct amp_text payload);
bool v16_password_hidden(struct amp_text payload); /* "" stands in its place */
/* With the password, into `out`; absent: none waits. */
struct amp_text v16_password_payload(struct session *s, char out[V16_PASSWORD_MAX]);
void v16_password_answered(struct session *s, bool answered, bool accepted);
void v16_passwords_free(struct v16 *v);
/* A message with the value of an AuthorizationKey in it overwritten; absent: no room for it. */
struct amp_text v16_without_password(struct v16 *v, struct amp_text data);

/* follow.c: what follows from an answer to the command `key`, or from its staying away */
void v16_follow(struct session *s, int64_t key, bool answered, bool accepted);

/* answers.c: does this reply mean that the station will do it? `reply` is the payload as sent. */
bool v16_answer_accepts(const struct amp_message *m, struct amp_text reply);
/* profile_rules.c: 0, or AMP_E_VALUE with the guilty field: a charging profile where it can't be. */
int v16_profile_rules(const struct amp_message *m, const void *body, struct amp_fault *fault);
/* 0 when the station may be asked that in this registration; else AMP_E_STATE and *why. */
int v16_may_ask(int registration, const struct amp_message *m, const char **why);

/* salvage.c: a StopTransaction that breaks the definition is still the end of a session. Decodes
 * what is usable of it; false when energy or structure are lost. */
bool v16_salvage_stop(struct amp_text payload, struct amp_arena *arena,
                      struct ocpp16_stop_transaction *out, struct amp_text *repaired);
/* `payload`, a sound object, with `field` replaced (NULL: left out), in the arena; absent when that
 * is full. */
struct amp_text v16_replaced(struct amp_text payload, struct amp_text field, const char *instead,
                             struct amp_arena *arena);
/* salvage_tag.c: the body of an Authorize, StartTransaction or StopTransaction that was refused only
 * because its tag is longer than 20 characters; NULL: that was not all. */
void *v16_salvage_tag(const struct amp_rpc_event *ev, struct amp_text payload,
                      struct amp_arena *arena);

#endif
