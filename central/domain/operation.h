/* central/domain/operation.h - operations that go on after their answer: updates, uploads, triggered
 * messages; and which commands may be sent again when nobody answered. */
#ifndef CENTRAL_DOMAIN_OPERATION_H
#define CENTRAL_DOMAIN_OPERATION_H

#include "central/domain/world.h"

#define COMMAND_ATTEMPTS_MAX 3
/* How long an unanswered command waits for its station to come back. */
#define COMMAND_RETRY_MS 600000

/* May it be sent twice without harm, when nobody knows whether the first one arrived? */
bool command_may_resend(struct amp_text action);

/* Which messages tell how far a station is. */
enum progress_kind { PROGRESS_FIRMWARE = 1, PROGRESS_DIAGNOSTICS, PROGRESS_LOG };

/* A station tells how far it is, in a word of its own ("Downloading"). `request` is the requestId
 * that it names, 0: none. Belongs to the newest command of that kind which it fits; what fits none
 * changes nothing. Idle is no progress. */
void world_progress(struct world *w, struct charger *c, enum progress_kind kind, int64_t request,
                    struct amp_text word, int64_t now_ms);
/* The effect of a command was seen elsewhere: its file came. */
void world_command_effect(struct world *w, int64_t key, int64_t now_ms);

/* Does a trigger wait for its message? Then every call of the station is told with its connector
 * (-1: it names none). */
bool world_triggered(const struct charger *c);
void world_heard(struct world *w, struct charger *c, struct amp_text action, int connector,
                 int64_t now_ms);

/* The update that runs at this charger, or NULL: another one would restart it (E95). */
const struct command_fact *world_updating(const struct charger *c);

#endif
