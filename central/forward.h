/* central/forward.h - a request that another node has to answer: sent there, and its answer given
 * back. Between nodes it is plain HTTP; who asks is known there by the same cookie or key. */
#ifndef CENTRAL_FORWARD_H
#define CENTRAL_FORWARD_H

#include "central/central.h"

/* What marks a request that was forwarded, so that two nodes that disagree send none in circles. */
#define FORWARD_MARK "X-Amperstand-Node"

struct held;
/* Takes `h`, whose connection is answered: with what `address` (host:port) says, 502 when it cannot
 * be reached, 504 when it does not answer in time. */
void forward(struct central *c, struct held *h, const char *address);

#endif
