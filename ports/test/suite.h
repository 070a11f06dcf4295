/* ports/test/suite.h - what every platform must pass, as far as a program can tell. The platform's own test fills in struct port_suite
 * and calls port_suite_run; on a board it runs as firmware and prints the last line over the serial port. */
#ifndef AMP_PORT_SUITE_H
#define AMP_PORT_SUITE_H

#include "station/port.h"

/* What the platform told the station about its connection; the glue counts it. */
struct port_seen {
    unsigned connected, closed, writable;
    size_t received;  /* bytes */
    uint32_t sum;     /* of the bytes: sum = sum * 31 + byte */
};

struct port_suite {
    struct amp_port *port;
    void *ctx;
    /* Storage closed and opened again, as after a restart; `port` stays valid. NULL: cannot be done here. 0 or an error. */
    int (*reopen)(void *ctx);
    /* Let the platform's loop run until something happened or a second is over. NULL: no network here. */
    void (*wait)(void *ctx);
    struct port_seen seen;
    struct amp_endpoint echo; /* answers every byte with the same byte */
    struct amp_endpoint dead; /* nobody listens */
};

/* Runs everything with CHECK of ocpp/check.h; returns the number of failed checks. Storage is erased. */
int port_suite_run(struct port_suite *s);

#endif
