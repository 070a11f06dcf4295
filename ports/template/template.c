/* ports/template/template.c - every function a platform gives the station, refusing until it is
 * filled in. It compiles, so that it follows station/port.h. Each comment says what the core relies
 * on. */
#include "ports/template/template.h"

/* Cryptographic: a hardware generator, or a DRBG seeded by one. A counter or a clock here lets
 * others guess masks and keys. */
static int fill_random(void *ctx, void *out, size_t len)
{
    (void)ctx;
    (void)out;
    (void)len;
    return AMP_E_IO;
}

/* Start to connect (and TLS, when to->tls) and return at once. When the socket is open:
 * amp_station_connected; when it cannot be opened, or goes later: amp_station_closed. to->host is
 * not terminated and lives during this call only. */
static int net_open(void *ctx, const struct amp_endpoint *to)
{
    (void)ctx;
    (void)to;
    return AMP_E_IO;
}

/* Take what fits and return how much; 0 when nothing fits, then call amp_station_writable as soon
 * as something does. */
static int net_send(void *ctx, const void *data, size_t len)
{
    (void)ctx;
    (void)data;
    (void)len;
    return AMP_E_IO;
}

/* Final. No amp_station_closed afterwards. */
static void net_close(void *ctx)
{
    (void)ctx;
}

/* Flash. Offsets count from the start of the area that is set aside for the station, at least two
 * erase blocks. */
static int block_read(void *ctx, uint32_t offset, void *out, size_t len)
{
    (void)ctx;
    (void)offset;
    (void)out;
    (void)len;
    return AMP_E_IO;
}

/* Durable on return: what is still in a cache when the power goes counts as lost, and the journal
 * trusts this. */
static int block_write(void *ctx, uint32_t offset, const void *data, size_t len)
{
    (void)ctx;
    (void)offset;
    (void)data;
    (void)len;
    return AMP_E_IO;
}

static int block_erase(void *ctx, uint32_t block)
{
    (void)ctx;
    (void)block;
    return AMP_E_IO;
}

void template_init(struct template_port *p)
{
    p->station = NULL;
    p->port = (struct amp_port){
        .ctx = p,
        .random = fill_random,
        .net_open = net_open,
        .net_send = net_send,
        .net_close = net_close,
        .block_size = 4096, /* erase block */
        .block_count = 8,
        .write_size = 8, /* smallest unit that can be programmed, at most 64 */
        .block_read = block_read,
        .block_write = block_write,
        .block_erase = block_erase,
        /* .set_clock, .reboot, .log: leave NULL what the board does not have. Without reboot a
           Reset is Rejected. */
    };
}

uint32_t template_turn(struct template_port *p, uint64_t now)
{
    /* Here, before poll: bytes that came in (amp_station_received), a socket that takes bytes again
     * (amp_station_writable), plugs, pilot states, tags, faults. All on this thread; an interrupt
     * only leaves a note. */
    return amp_station_poll(p->station, now);
}
