/* station/auth_cache.h - what the central system last said about tags. OCPP 1.6 §3.5.1; station-1.6 53, 57-59.
 *
 * The journal gets a record only when an answer differs from what is known, so that a regular guest costs no write. The order, oldest
 * first, is that of the answers; after a restart that of the last differences. */
#ifndef AMP_AUTH_CACHE_H
#define AMP_AUTH_CACHE_H

#include "station/journal.h"
#include "station/tags.h"

struct amp_cache {
    struct amp_tags tags;
    uint8_t bytes[AMP_CACHE_BYTES];
};

void amp_cache_init(struct amp_station *st);
void amp_cache_purge(struct amp_station *st);    /* the local list changed: what it names is not kept here */
void amp_cache_switched(struct amp_station *st); /* AuthorizationCacheEnabled changed: what is not kept up to date is forgotten */

void amp_cache_load(struct amp_station *st, const struct amp_entry *e);
int amp_cache_save(struct amp_station *st);

extern const struct amp_tag_source amp_cache_source;

#endif
