/* ports/mem/mem.h - a platform made of memory: for tests, fuzzing and simulations. Storage that behaves like flash, a socket that is
 * two buffers, random numbers from a seed, and every kind of failure on request: the n-th write fails, or the power goes in the middle
 * of it; the n-th send fails, or takes only a few bytes at a time. Nothing here waits or knows the time. */
#ifndef AMP_PORT_MEM_H
#define AMP_PORT_MEM_H

#include "station/port.h"

#define MEM_BLOCK  2048
#define MEM_BLOCKS 8
#define MEM_UNIT   8     /* write size */
#define MEM_WIRE   65536 /* bytes on their way to the peer */

enum mem_failure {
    MEM_FINE,
    MEM_FAIL,   /* returns AMP_E_IO, once */
    MEM_BROKEN, /* so does every one after it */
    MEM_CUT     /* power is gone from here on */
};

struct mem_port {
    struct amp_port port; /* give this to amp_station_init */

    /* storage; survives mem_restart */
    uint8_t flash[MEM_BLOCK * MEM_BLOCKS];
    unsigned writes;          /* block_write and block_erase calls since mem_arm */
    unsigned at_write;        /* 1..: which one fails; 0: none */
    enum mem_failure failure;
    size_t torn;              /* bytes of that write that still reach the flash (an erase stops after as many) */
    unsigned bad_writes;      /* writes to bytes that were not erased, or off the unit: always a mistake of the caller */
    bool cut;                 /* the power is gone: everything fails, nothing leaves */

    /* network */
    bool opening, open;
    unsigned opens, closes, sends;
    unsigned fail_send;       /* 1..: this net_send call returns AMP_E_IO; 0: none */
    bool fail_open;
    size_t send_limit;        /* most bytes a net_send call takes; 0: all */
    bool blocked;             /* net_send takes nothing */
    char wire[MEM_WIRE];      /* what the station sent */
    size_t wire_len;
    struct amp_endpoint endpoint;

    uint64_t seed;
    bool rebooted, hard;
    unsigned reboots, fail_reboots; /* asked so often; the next so many fail */
    int64_t clock_set_ms;
    void (*on_log)(void *ctx, enum amp_log_level level, const char *text);
    void *log_ctx;
};

/* Everything new: blank flash. */
void mem_init(struct mem_port *m, uint64_t seed);
/* The power is back: flash and counters of writes stay, the rest is new, no failure is armed. */
void mem_restart(struct mem_port *m);
/* Let write number `n` from now on fail in this way. */
void mem_arm(struct mem_port *m, unsigned n, enum mem_failure failure, size_t torn);
/* Take all bytes that the station sent; at most cap. */
size_t mem_take(struct mem_port *m, void *out, size_t cap);

#endif
