/* central/rest/live.h - what happens now, for browsers (WebSocket /api/v1/live) and scripts (SSE
 * /api/v1/events). Every durable fact becomes one event {seq, topic, kind, at, data}; a ring keeps
 * the newest for resume. Slow readers are told to resync. Frames leave at most four times a second
 * a reader, with the last value of each thing only. */
#ifndef CENTRAL_LIVE_H
#define CENTRAL_LIVE_H

#include "central/central.h"

struct live *live_new(struct central *c);
void live_free(struct live *l);
/* A fact of the store's replay at the start: remembered for snapshots, no event. Optional. */
void live_load(struct live *l, const struct fact *f);
/* A fact that is durable now. Called in commit order. */
void live_publish(struct live *l, const struct fact *f);
int64_t live_seq(const struct live *l); /* of the newest event; a snapshot carries it */
/* Newest reading of a running transaction, or NULL. No texts. */
const struct reading_fact *live_reading(const struct live *l, int64_t transaction);

#endif
