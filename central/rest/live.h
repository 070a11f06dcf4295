/* central/rest/live.h - what happens now, for browsers (WebSocket /api/v1/live) and scripts (SSE /api/v1/events).
 * Every durable fact becomes one event {seq, topic, at, data}; a ring keeps the newest for resume. Slow readers are told to resync. */
#ifndef CENTRAL_LIVE_H
#define CENTRAL_LIVE_H

#include "central/central.h"

struct live *live_new(struct central *c);
void live_free(struct live *l);
/* A fact that is durable now. Called in commit order. */
void live_publish(struct live *l, const struct fact *f);
int64_t live_seq(const struct live *l); /* of the newest event; a snapshot carries it */

#endif
