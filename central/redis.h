/* central/redis.h - Redis, which carries what may be lost and fetched again: to the other nodes the
 * live events of what only the history has (messages, readings, connections), for others who is
 * connected where, and a stream of domain events. Nothing waits for it. When it is away that is all
 * that is missing, and it is looked for again with growing pauses.
 *
 *   amperstand:live                  channel, facts between nodes (central/store/wire.h)
 *   amperstand:presence:{identity}   the node that has the station's socket; expires
 *   amperstand:node:{id}             the node's address; expires
 *   amperstand:events                stream: type, at, charger, node, data (JSON as in the API)
 *
 * Another database than 0 puts its number into the names: amperstand:3:live. */
#ifndef CENTRAL_REDIS_H
#define CENTRAL_REDIS_H

#include "central/central.h"

#define REDIS_PRESENCE_S 90
#define REDIS_EVENTS_MAX 100000 /* about so many stay in the stream */

struct redis;

/* `url`: redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]. NULL and *why (malloc'd) when it is
 * none; that nobody answers there is no error. */
struct redis *redis_new(struct central *c, const char *url, char **why);
void redis_free(struct redis *r); /* NULL is fine; its handles leave the loop a turn later */
/* A fact of ours that is durable. */
void redis_publish(struct redis *r, const struct fact *f);
/* The facts of this turn leave together. */
void redis_flush(struct redis *r);
void redis_tick(struct redis *r); /* once a second */

struct redis_stats {
    bool connected;
    uint64_t sent, received, dropped; /* dropped: while it was away or too slow */
};
void redis_stats(const struct redis *r, struct redis_stats *out);

#endif
