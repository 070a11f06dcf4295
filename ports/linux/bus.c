/* ports/linux/bus.c - see bus.h. */
#include "ports/linux/bus.h"

#include <errno.h>
#include <modbus.h>

int wallbox_bus_open(struct wallbox_bus *b, const struct wallbox_bus_map *map, int64_t answer_ms)
{
    modbus_t *m;

    *b = (struct wallbox_bus){ .map = map, .answer_ms = answer_ms };
    m = map->rtu
            ? modbus_new_rtu(map->where, map->baud, map->parity, map->data_bits, map->stop_bits)
            : modbus_new_tcp_pi(map->where, map->port);
    if (!m)
        return AMP_E_IO;
    modbus_set_response_timeout(m, (uint32_t)(answer_ms / 1000),
                                (uint32_t)(answer_ms % 1000 * 1000));
    if (modbus_connect(m) < 0) {
        modbus_free(m);
        return AMP_E_IO;
    }
    modbus_flush(m); /* what a line said before we listened */
    b->modbus = m;
    return 0;
}

void wallbox_bus_close(struct wallbox_bus *b)
{
    if (!b->modbus)
        return;
    modbus_close(b->modbus);
    modbus_free(b->modbus);
    b->modbus = NULL;
}

bool wallbox_bus_is_open(const struct wallbox_bus *b)
{
    return b->modbus != NULL;
}

/* What a failed call means, from errno. */
static int failure(struct wallbox_bus *b)
{
    int e = errno;

    if (e >= EMBXILFUN && e <= EMBXGTAR)
        return AMP_E_SUPPORT;
    if (e == EINVAL || e == EMBMDATA)
        return AMP_E_SUPPORT; /* no such unit, too much at once: our description is wrong */
    if (e != ETIMEDOUT && e < EMBXILFUN) {
        wallbox_bus_close(b);
        return AMP_E_IO;
    }
    if (b->map->rtu)
        modbus_flush(b->modbus);
    else
        wallbox_bus_close(b);
    return AMP_E_TIMEOUT;
}

static int read_bits(modbus_t *m, bool coil, int address, int count, uint16_t *out)
{
    uint8_t bits[WALLBOX_READ_MAX];
    int n = coil ? modbus_read_bits(m, address, count, bits)
                 : modbus_read_input_bits(m, address, count, bits);

    for (int i = 0; i < n; i++)
        out[i] = bits[i] != 0;
    return n;
}

int wallbox_bus_read(struct wallbox_bus *b, int unit, enum wallbox_table table, int address,
                     int count, uint16_t *out)
{
    int n = -1;

    if (!b->modbus)
        return AMP_E_IO;
    if (count > WALLBOX_READ_MAX)
        return AMP_E_SUPPORT;
    if (modbus_set_slave(b->modbus, unit) < 0)
        return failure(b);
    switch (table) {
    case WALLBOX_COIL:
    case WALLBOX_DISCRETE:
        n = read_bits(b->modbus, table == WALLBOX_COIL, address, count, out);
        break;
    case WALLBOX_HOLDING:
        n = modbus_read_registers(b->modbus, address, count, out);
        break;
    case WALLBOX_INPUT:
        n = modbus_read_input_registers(b->modbus, address, count, out);
        break;
    }
    return n == count ? 0 : failure(b);
}

int wallbox_bus_write(struct wallbox_bus *b, int unit, enum wallbox_table table, int address,
                      uint16_t value)
{
    int n;

    if (!b->modbus)
        return AMP_E_IO;
    if (modbus_set_slave(b->modbus, unit) < 0)
        return failure(b);
    n = table == WALLBOX_COIL ? modbus_write_bit(b->modbus, address, value != 0)
                              : modbus_write_register(b->modbus, address, value);
    return n == 1 ? 0 : failure(b);
}
