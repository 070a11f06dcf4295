/* central/v16/v16.h - the face towards OCPP 1.6 stations: sessions, one handler a message, calls to
 * stations. Translates between messages and the domain; every answer leaves after the commit of its
 * facts. */
#ifndef CENTRAL_V16_H
#define CENTRAL_V16_H

#include "central/central.h"

struct v16 *v16_new(struct central *c);
void v16_free(struct v16 *v); /* after net_free and store_close: their last callbacks come here */

/* A GET of /ocpp/{id} with an upgrade: identity, credentials, subprotocol; answers by itself (101,
 * 400, 401, 404, 426 ...). */
void v16_upgrade(struct v16 *v, const struct net_request *r);
/* Events of a connection that v16_upgrade accepted. */
void v16_message(struct v16 *v, struct net_conn *conn, enum amp_ws_opcode op, struct amp_text data);
void v16_closed(struct v16 *v, struct net_conn *conn, int code, const char *why);

/* Once a second: the world's tick (stale and overdue stations, commands without effect), call
 * timeouts. */
void v16_tick(struct v16 *v);

/* May this be queued? Any call that OCPP 1.6 lets a central system send, its payload held strictly
 * against the definitions (absent: {}). 0, AMP_E_UNKNOWN (action), AMP_E_SUPPORT (not one that a
 * central system sends), or a decode error with the field in `fault`. The arena is left as it was.
 */
int v16_check(struct v16 *v, struct amp_text action, struct amp_text payload,
              struct amp_fault *fault);
/* A command was queued in the world for this charger (world_command): sent when the direction is
 * free and the station may be called. */
void v16_kick(struct v16 *v, struct charger *c);

/* For /metrics: frames that wait for their commit, their bytes, and those that were never sent
 * because the store failed. */
struct v16_stats {
    uint64_t waiting, waiting_bytes, unsent;
    uint32_t sessions;
};
void v16_stats(const struct v16 *v, struct v16_stats *out);
/* Of a message by its number in counts.h; "other" for what is none. */
const char *v16_action_name(int action);

/* The value of the next ChangeConfiguration of AuthorizationKey to this charger, whose command says
 * "" instead: the secret is in neither the database nor the log. Forgotten when it is answered. */
void v16_password(struct v16 *v, struct charger *c, struct amp_text secret);

/* Another node owns the charger: its socket is closed, and what was under way is left as it is. */
void v16_lost(struct v16 *v, struct charger *c, const char *why);
/* Close a charger's socket (deleted, blocked, replaced). No-op when offline. */
void v16_drop(struct v16 *v, struct charger *c, int code, const char *why);

#endif
