/* central/held.h - requests that wait for something before they can be handled: copied, and handed
 * to the same handler again, from the beginning, when it is there. The connection waits meanwhile. */
#ifndef CENTRAL_HELD_H
#define CENTRAL_HELD_H

#include "central/net/net.h"

struct held {
    struct held *next;
    struct net_request request; /* head and body are of this copy; conn NULL: the client has gone */
    struct amp_http_head head;
    struct amp_text name; /* what it waits for */
    char text[];
};

/* A copy of `r`, to be freed. */
struct held *held_new(const struct net_request *r, struct amp_text name);
/* Of the list at *list take those that wait for `name`, in the order in which they came. */
struct held *held_take(struct held **list, struct amp_text name);
/* The connection is gone. */
void held_gone(struct held *list, const struct net_conn *conn);

#endif
