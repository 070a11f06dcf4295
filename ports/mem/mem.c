/* ports/mem/mem.c - see mem.h. */
#include "ports/mem/mem.h"

static int mem_random(void *ctx, void *out, size_t len)
{
    struct mem_port *m = ctx;
    uint8_t *p = out;

    for (size_t i = 0; i < len; i++) { /* xorshift64 */
        m->seed ^= m->seed << 13;
        m->seed ^= m->seed >> 7;
        m->seed ^= m->seed << 17;
        p[i] = (uint8_t)(m->seed >> 24);
    }
    return 0;
}

static void set_clock(void *ctx, int64_t unix_ms)
{
    struct mem_port *m = ctx;

    m->clock_set_ms = unix_ms;
}

/* ---- network ---- */

static int net_open(void *ctx, const struct amp_endpoint *to)
{
    struct mem_port *m = ctx;

    m->opens++;
    m->endpoint = *to;
    m->wire_len = 0;
    if (m->cut || m->fail_open)
        return AMP_E_IO;
    m->opening = true;
    m->open = false;
    return 0;
}

static int net_send(void *ctx, const void *data, size_t len)
{
    struct mem_port *m = ctx;

    if (m->cut || (!m->open && !m->opening))
        return AMP_E_IO;
    if (++m->sends == m->fail_send)
        return AMP_E_IO;
    if (m->blocked)
        return 0;
    if (m->send_limit && len > m->send_limit)
        len = m->send_limit;
    if (len > sizeof(m->wire) - m->wire_len)
        len = sizeof(m->wire) - m->wire_len;
    memcpy(m->wire + m->wire_len, data, len);
    m->wire_len += len;
    return (int)len;
}

static void net_close(void *ctx)
{
    struct mem_port *m = ctx;

    m->closes++;
    m->open = m->opening = false;
}

size_t mem_take(struct mem_port *m, void *out, size_t cap)
{
    size_t n = m->wire_len < cap ? m->wire_len : cap;

    memcpy(out, m->wire, n);
    memmove(m->wire, m->wire + n, m->wire_len - n);
    m->wire_len -= n;
    return n;
}

/* ---- storage ---- */

/* Is this the call that goes wrong? */
static enum mem_failure strike(struct mem_port *m)
{
    if (m->cut)
        return MEM_FAIL;
    m->writes++;
    if (!m->at_write || m->writes < m->at_write ||
        (m->writes > m->at_write && m->failure != MEM_BROKEN))
        return MEM_FINE;
    m->cut = m->failure == MEM_CUT;
    return m->failure;
}

static int block_read(void *ctx, uint32_t offset, void *out, size_t len)
{
    struct mem_port *m = ctx;

    if (m->cut || offset > sizeof(m->flash) || len > sizeof(m->flash) - offset)
        return AMP_E_IO;
    memcpy(out, m->flash + offset, len);
    return 0;
}

static int block_write(void *ctx, uint32_t offset, const void *data, size_t len)
{
    struct mem_port *m = ctx;
    enum mem_failure failure = strike(m);

    if (offset > sizeof(m->flash) || len > sizeof(m->flash) - offset || offset % MEM_UNIT ||
        len % MEM_UNIT) {
        m->bad_writes++;
        return AMP_E_IO;
    }
    if (m->cut && failure == MEM_FAIL)
        return AMP_E_IO;
    for (size_t i = 0; i < len; i++)
        m->bad_writes += m->flash[offset + i] != 0xFF;
    if (failure != MEM_FINE && m->torn < len)
        len = m->torn;
    memcpy(m->flash + offset, data, len);
    return failure == MEM_FINE ? 0 : AMP_E_IO;
}

static int block_erase(void *ctx, uint32_t block)
{
    struct mem_port *m = ctx;
    enum mem_failure failure = strike(m);
    size_t len = MEM_BLOCK;

    if (block >= MEM_BLOCKS) {
        m->bad_writes++;
        return AMP_E_IO;
    }
    if (m->cut && failure == MEM_FAIL)
        return AMP_E_IO;
    if (failure != MEM_FINE && m->torn < len)
        len = m->torn;
    memset(m->flash + (size_t)block * MEM_BLOCK, 0xFF, len);
    return failure == MEM_FINE ? 0 : AMP_E_IO;
}

static int mem_reboot(void *ctx, bool hard)
{
    struct mem_port *m = ctx;

    m->reboots++;
    if (m->fail_reboots) {
        m->fail_reboots--;
        return AMP_E_IO;
    }
    m->rebooted = true;
    m->hard = hard;
    return 0;
}

static void mem_log(void *ctx, enum amp_log_level level, const char *text)
{
    struct mem_port *m = ctx;

    if (m->on_log)
        m->on_log(m->log_ctx, level, text);
}

/* ---- life ---- */

void mem_init(struct mem_port *m, uint64_t seed)
{
    memset(m, 0, sizeof(*m));
    memset(m->flash, 0xFF, sizeof(m->flash));
    m->seed = seed ? seed : 1;
    m->port = (struct amp_port){
        .ctx = m,
        .random = mem_random,
        .set_clock = set_clock,
        .net_open = net_open,
        .net_send = net_send,
        .net_close = net_close,
        .block_size = MEM_BLOCK,
        .block_count = MEM_BLOCKS,
        .write_size = MEM_UNIT,
        .block_read = block_read,
        .block_write = block_write,
        .block_erase = block_erase,
        .reboot = mem_reboot,
        .log = mem_log,
    };
}

void mem_restart(struct mem_port *m)
{
    m->cut = m->opening = m->open = m->rebooted = m->blocked = m->fail_open = false;
    m->at_write = m->fail_send = 0;
    m->wire_len = 0;
}

void mem_arm(struct mem_port *m, unsigned n, enum mem_failure failure, size_t torn)
{
    m->writes = 0;
    m->at_write = n;
    m->failure = failure;
    m->torn = torn;
}
