/* central/rest/group_shapes.h - load management as the JSON of api.def. */
#ifndef CENTRAL_REST_GROUP_SHAPES_H
#define CENTRAL_REST_GROUP_SHAPES_H

#include "central/domain/load.h"
#include "central/rest/shapes.h"

/* What people set, without what is going on: for the audit and for lists. */
void shape_group_members(struct amp_json *w, const struct central *c, const struct load_group_fact *g, int64_t now_ms);
void shape_group(struct amp_json *w, const struct central *c, const struct load_group_fact *g, int64_t now_ms);
/* With its state and its chargers. */
void shape_group_whole(struct amp_json *w, const struct central *c, const struct load_group_fact *g, int64_t now_ms);
void shape_group_charger(struct amp_json *w, const struct central *c, int64_t charger);
/* False: the connector is in no group; nothing was written. */
bool shape_connector_limit(struct amp_json *w, const struct central *c, int64_t charger, int32_t connector, int64_t now_ms);

#endif
