/* ports/test/suite.c - see suite.h. */
#include "ports/test/suite.h"
#include "ocpp/check.h"

#define UNIT_MAX 64
#define ROUNDS   200

/* ---- random ---- */

static void random_numbers(struct port_suite *s)
{
    uint8_t a[32] = { 0 }, b[32] = { 0 };
    unsigned bits = 0;

    CHECK(s->port->random(s->port->ctx, a, sizeof(a)) == 0, "first");
    CHECK(s->port->random(s->port->ctx, b, sizeof(b)) == 0, "second");
    CHECK(memcmp(a, b, sizeof(a)) != 0, "the same bytes twice");
    for (unsigned i = 0; i < sizeof(a) * 8; i++)
        bits += a[i / 8] >> i % 8 & 1;
    CHECK(bits > 64 && bits < 192, "%u of 256 bits are set", bits);
}

/* ---- storage ---- */

static void geometry(struct port_suite *s)
{
    const struct amp_port *p = s->port;

    CHECK(p->block_read && p->block_write && p->block_erase, "all three");
    CHECK(p->block_count >= 2, "%u blocks", (unsigned)p->block_count);
    CHECK(p->write_size >= 1 && p->write_size <= UNIT_MAX, "unit of %u", (unsigned)p->write_size);
    CHECK(p->block_size % p->write_size == 0, "whole units");
    CHECK(p->block_count / 2 * p->block_size >= 2048, "each half holds a journal");
}

static void fill(uint8_t *unit, uint32_t size, uint32_t seed)
{
    for (uint32_t i = 0; i < size; i++)
        unit[i] = (uint8_t)(seed * 7 + i * 13 + 1);
}

static void expect(struct port_suite *s, uint32_t offset, uint32_t seed, bool blank)
{
    uint8_t want[UNIT_MAX], got[UNIT_MAX];
    uint32_t size = s->port->write_size;

    fill(want, size, seed);
    if (blank)
        memset(want, 0xFF, sizeof(want));
    CHECK(s->port->block_read(s->port->ctx, offset, got, size) == 0, "read at %u",
          (unsigned)offset);
    CHECK(memcmp(want, got, size) == 0, "content at %u", (unsigned)offset);
}

static void write_unit(struct port_suite *s, uint32_t offset, uint32_t seed)
{
    uint8_t unit[UNIT_MAX];

    fill(unit, s->port->write_size, seed);
    CHECK(s->port->block_write(s->port->ctx, offset, unit, s->port->write_size) == 0, "write at %u",
          (unsigned)offset);
}

/* First, last and a middle unit of the first and last block. */
static uint32_t place(const struct amp_port *p, unsigned i)
{
    uint32_t block = i / 3 ? p->block_count - 1 : 0, units = p->block_size / p->write_size;
    uint32_t unit = i % 3 == 0 ? 0 : i % 3 == 1 ? units / 2 : units - 1;

    return block * p->block_size + unit * p->write_size;
}

static void storage(struct port_suite *s)
{
    const struct amp_port *p = s->port;
    uint32_t end = p->block_size * p->block_count;
    uint8_t unit[UNIT_MAX] = { 0 };

    for (uint32_t b = 0; b < p->block_count; b++)
        CHECK(p->block_erase(p->ctx, b) == 0, "erase %u", (unsigned)b);
    for (unsigned i = 0; i < 6; i++)
        expect(s, place(p, i), 0, true);
    for (unsigned i = 0; i < 6; i++)
        write_unit(s, place(p, i), i);
    for (unsigned i = 0; i < 6; i++)
        expect(s, place(p, i), i, false);
    expect(s, p->write_size, 0, true); /* the neighbour is untouched */
    if (s->reopen) {
        CHECK(s->reopen(s->ctx) == 0, "open again");
        for (unsigned i = 0; i < 6; i++)
            expect(s, place(p, i), i, false);
    }
    CHECK(p->block_erase(p->ctx, p->block_count - 1) == 0, "erase the last");
    for (unsigned i = 0; i < 6; i++)
        expect(s, place(p, i), i, i >= 3);
    CHECK(p->block_read(p->ctx, end, unit, p->write_size) < 0, "a read beyond the end");
    CHECK(p->block_write(p->ctx, end, unit, p->write_size) < 0, "a write beyond the end");
    CHECK(p->block_erase(p->ctx, p->block_count) < 0, "an erase beyond the end");
    for (uint32_t b = 0; b < p->block_count; b++)
        CHECK(p->block_erase(p->ctx, b) == 0, "erase %u", (unsigned)b);
}

/* ---- network ---- */

static bool wait_for(struct port_suite *s, const unsigned *counter, unsigned value)
{
    for (int i = 0; i < ROUNDS && *counter < value; i++)
        s->wait(s->ctx);
    return *counter >= value;
}

/* 300,000 bytes out and back: more than any buffer on the way holds. */
static void echo(struct port_suite *s)
{
    static uint8_t data[5000];
    const struct amp_port *p = s->port;
    uint32_t sum = 0;
    size_t total = 60 * sizeof(data);

    fill(data, sizeof(data), 3);
    CHECK(p->net_open(p->ctx, &s->echo) == 0, "open");
    CHECK(wait_for(s, &s->seen.connected, 1), "connected");
    for (size_t at = 0, stalls = 0; at < total && stalls < ROUNDS;) {
        size_t from = at % sizeof(data);
        int n = p->net_send(p->ctx, data + from, sizeof(data) - from);

        CHECK(n >= 0 && (size_t)n <= sizeof(data) - from, "send: %d", n);
        if (n <= 0) {
            stalls++;
            s->wait(s->ctx);
            continue;
        }
        for (int i = 0; i < n; i++)
            sum = sum * 31 + data[from + (size_t)i];
        at += (size_t)n;
        stalls = 0;
    }
    for (int i = 0; i < ROUNDS && s->seen.received < total; i++)
        s->wait(s->ctx);
    CHECK(s->seen.received == total, "%u of %u bytes are back", (unsigned)s->seen.received,
          (unsigned)total);
    CHECK(s->seen.sum == sum, "the same bytes in the same order");
    p->net_close(p->ctx);
    for (int i = 0; i < 3; i++)
        s->wait(s->ctx);
    CHECK(s->seen.closed == 0, "no closed event follows our own close");
}

static void nobody_there(struct port_suite *s)
{
    const struct amp_port *p = s->port;
    int rc;

    memset(&s->seen, 0, sizeof(s->seen));
    rc = p->net_open(p->ctx, &s->dead);
    CHECK(rc == 0 || rc == AMP_E_IO, "open: %d", rc);
    if (rc == 0)
        CHECK(wait_for(s, &s->seen.closed, 1), "a connection that cannot be made is closed");
    CHECK(s->seen.connected == 0, "connected to nobody");
}

int port_suite_run(struct port_suite *s)
{
    check_bad = 0;
    random_numbers(s);
    geometry(s);
    storage(s);
    if (s->wait) {
        memset(&s->seen, 0, sizeof(s->seen));
        echo(s);
        nobody_there(s);
    }
    return check_bad;
}
