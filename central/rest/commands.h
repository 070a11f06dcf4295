/* central/rest/commands.h - asking a charger through the API: what the routes of commands share.
 * Inside central/rest only. command_ask.c puts a command on its way, command_wait.c holds answers,
 * operations.c has one row for each typed route. */
#ifndef CENTRAL_REST_COMMANDS_H
#define CENTRAL_REST_COMMANDS_H

#include "central/rest/call.h"

#define REST_QUEUE_MAX_S (7 * 24 * 3600) /* the longest ?queue= */

/* The charger of the path when it can be asked: connected, or the caller waits for it with
 * ?queue=SECONDS. NULL: a problem was answered. */
struct charger *rest_reachable(struct rest_call *call);
struct charger *rest_reachable_as(struct rest_call *call, struct amp_text id); /* named elsewhere */
/* Ask it: f's action, payload, connector, transaction. The payload is checked against the
 * definitions; `where` is the field to blame when the check names none. Ends the call: 202 with the
 * command once it is durable, or after ?wait=. */
void rest_command_ask(struct rest_call *call, struct charger *ch, struct command_fact *f,
                      const char *where);
/* Connector, transaction and requestId that a payload names, for the command's own columns. */
void rest_command_target(struct central *c, struct amp_text payload, struct command_fact *f);

/* guard.c: had this better not be sent to this charger? Then the problem and its words. `force`: an
 * update that runs is no reason. */
#define REST_DETAIL_MAX 256
bool rest_guard(struct central *c, const struct charger *ch, const struct command_fact *f,
                bool force, struct rest_problem *p, char detail[REST_DETAIL_MAX]);

/* Answer with the command: now, or once the charger has answered when ?wait= says so. */
void rest_command_answer(struct rest_call *call, const struct command_fact *f);
void rest_command_answer_or_wait(struct rest_call *call, const struct command_fact *f);
/* ?wait=; false: a problem was answered. */
bool rest_command_wait(struct rest_call *call);

#endif
