/* ports/linux/bus.h - one Modbus connection, TCP or serial: what libmodbus does for us, with errors
 * that say what to do next. Calls wait for the device's answer, so they belong on a thread of their
 * own; one thread a bus. */
#ifndef WALLBOX_BUS_H
#define WALLBOX_BUS_H

#include "ports/linux/map.h"

struct wallbox_bus {
    const struct wallbox_bus_map *map;
    int64_t answer_ms;
    void *modbus; /* modbus_t; NULL: not connected */
};

/* 0, or AMP_E_IO: try again later. */
int wallbox_bus_open(struct wallbox_bus *b, const struct wallbox_bus_map *map,
                     int64_t answer_ms) AMP_CHECKED;
void wallbox_bus_close(struct wallbox_bus *b);
bool wallbox_bus_is_open(const struct wallbox_bus *b);

/* Bits come one a word. 0; AMP_E_SUPPORT: the device has answered, and refuses; AMP_E_TIMEOUT: no
 * answer, or a damaged one; AMP_E_IO: the connection is gone. After AMP_E_IO, and after a timeout
 * on TCP, where a late answer could be taken for the next one, the bus is closed. */
int wallbox_bus_read(struct wallbox_bus *b, int unit, enum wallbox_table table, int address,
                     int count, uint16_t *out) AMP_CHECKED;
int wallbox_bus_write(struct wallbox_bus *b, int unit, enum wallbox_table table, int address,
                      uint16_t value) AMP_CHECKED;

#define WALLBOX_READ_MAX \
    60 /* registers or bits at once: 30 floats, what the smallest meters allow */

#endif
