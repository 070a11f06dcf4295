/* central/rest/groups.h - handlers of load management (routes.c). */
#ifndef CENTRAL_REST_GROUPS_H
#define CENTRAL_REST_GROUPS_H

#include "central/domain/load.h"
#include "central/rest/call.h"

/* groups.c */
void rest_list_groups(struct rest_call *call);
void rest_get_group(struct rest_call *call);
void rest_put_group(struct rest_call *call);
void rest_delete_group(struct rest_call *call);
/* group_chargers.c */
void rest_put_group_charger(struct rest_call *call);
void rest_delete_group_charger(struct rest_call *call);
void rest_get_connector_limit(struct rest_call *call);
/* group_reports.c */
void rest_put_group_limit(struct rest_call *call);
void rest_delete_group_limit(struct rest_call *call);
void rest_put_group_load(struct rest_call *call);

/* A command of people that would undo what load management told this charger? Then it was answered 409. */
bool rest_load_refuses(struct rest_call *call, const struct charger *ch, const struct command_fact *f);

/* For these files: the group of the path, or NULL and a problem was answered; deci-amperes of a decimal. */
const struct load_group_fact *rest_group(struct rest_call *call);
int32_t rest_deci(struct amp_dec d);
void rest_group_changed(struct rest_call *call);
void rest_group_fault(struct rest_call *call, int rc, const struct load_fault *f);

#endif
