/* central/rest/rest.h - the face towards people and programs: /api/v1, /healthz, /metrics, the live
 * feed, the page. */
#ifndef CENTRAL_REST_H
#define CENTRAL_REST_H

#include "central/central.h"

struct rest *rest_new(struct central *c);
/* After net is gone. Calls that still wait for the store or the pool are freed by their callbacks.
 */
void rest_free(struct rest *r);
/* Any request whose path is not /ocpp/…; answers by itself, perhaps later. */
void rest_request(struct rest *r, const struct net_request *request);
/* WebSocket events of live-feed connections, and the end of any connection that rest has answered
 * or will answer. All four ignore connections that are not rest's, so they may be called for every
 * one. net_data is left alone. */
void rest_message(struct rest *r, struct net_conn *conn, enum amp_ws_opcode op,
                  struct amp_text data);
void rest_closed(struct rest *r, struct net_conn *conn, int code, const char *why);
void rest_gone(struct rest *r, struct net_conn *conn);
/* The reader of a stream has taken all that was put. */
void rest_writable(struct rest *r, struct net_conn *conn);
/* A command changed and that is durable: whoever waits for it is answered. */
void rest_command_changed(struct rest *r, const struct command_fact *f);
/* Does the body of this request become a file? Then it comes in pieces (net_handler.on_head). */
bool rest_takes_pieces(const struct amp_http_head *head);
void rest_piece(struct rest *r, struct net_conn *conn, struct amp_text piece, bool last);
/* Is this a connection of rest's: a request under way, a live socket, an event stream? */
bool rest_owns(const struct rest *r, const struct net_conn *conn);

#endif
