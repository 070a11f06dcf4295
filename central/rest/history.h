/* central/rest/history.h - what the lists of a history, its pairs and its export have in common: the
 * query parameters. And their handlers. */
#ifndef CENTRAL_REST_HISTORY_H
#define CENTRAL_REST_HISTORY_H

#include "central/rest/call.h"

/* A question from the query parameters that the route knows; the texts live here. */
struct history_ask {
    struct store_ask ask;
    char action[64], text[256], id[128];
};
/* Everything but before and limit. False: a problem was answered. */
bool history_query(struct rest_call *call, enum store_question what, struct history_ask *out);

/* Query names of the routes. */
#define HISTORY_MESSAGES "charger action direction type from to text errors messageId"

void rest_list_pairs(struct rest_call *call);      /* pairs.c */
void rest_export_messages(struct rest_call *call); /* export.c */
void rest_export_transactions(struct rest_call *call);
void rest_export_readings(struct rest_call *call);
void rest_export_status(struct rest_call *call);
void rest_export_connections(struct rest_call *call);
void rest_export_commands(struct rest_call *call);

#endif
