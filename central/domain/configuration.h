/* central/domain/configuration.h - the configuration keys of stations, as they were told last: from
 * answers to GetConfiguration and from changes that were accepted. Names compare without case and
 * blanks at their ends (E78). In memory for the stations that were asked: some 110 bytes a key. */
#ifndef CENTRAL_DOMAIN_CONFIGURATION_H
#define CENTRAL_DOMAIN_CONFIGURATION_H

#include "central/domain/world.h"

/* By name; NULL behind the last. Those that the station does not have are among them (absent). */
const struct config_fact *charger_config_at(const struct charger *c, size_t i);
size_t charger_config_count(const struct charger *c);
/* NULL: never heard of. */
const struct config_fact *charger_config(const struct charger *c, struct amp_text name);

/* The station says: this is the key. `value` absent: it told none. The value of a key that is a
 * secret is not kept. Nothing is emitted when nothing is new but the time, within the hour. */
void world_config_read(struct world *w, struct charger *c, struct amp_text name,
                       struct amp_text value, bool readonly, int64_t now_ms);
/* The station says that it has no such key. */
void world_config_absent(struct world *w, struct charger *c, struct amp_text name, int64_t now_ms);
/* The station took the value: now, or with `reboot` from its next boot on (E80). */
void world_config_changed(struct world *w, struct charger *c, struct amp_text name,
                          struct amp_text value, bool reboot, int64_t now_ms);

#endif
