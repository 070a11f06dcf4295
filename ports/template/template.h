/* ports/template/template.h - where a new platform starts: copy this folder, fill in template.c, pass ports/test. */
#ifndef AMP_PORT_TEMPLATE_H
#define AMP_PORT_TEMPLATE_H

#include "station/station.h"

/* What the platform needs at hand: drivers, handles, buffers. One per station. */
struct template_port {
    struct amp_port port; /* given to amp_station_init */
    struct amp_station *station;
};

void template_init(struct template_port *p);

/* One turn of the main loop: hand in what happened, let the station work, say how long may be slept. `now` is monotonic ms. */
uint32_t template_turn(struct template_port *p, uint64_t now);

#endif
