/* central/retention.h - how long histories are kept. For ever, unless a setting says so many days:
 * then what is older goes, oldest first, in small steps between commits, to archive files before
 * when that is asked for. Rows stay up to a tenth longer than is said, so that whole partitions can
 * go instead of single rows. */
#ifndef CENTRAL_RETENTION_H
#define CENTRAL_RETENTION_H

#include "central/central.h"

struct retention;

struct retention *retention_new(struct central *c);
/* After store_close. What is still being written to an archive ends by itself. */
void retention_free(struct retention *r);
/* Once a second. Looks once a minute whether there is something to do. */
void retention_tick(struct retention *r);
/* Is a pass under way? */
bool retention_busy(const struct retention *r);

#endif
