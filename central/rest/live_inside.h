/* central/rest/live_inside.h - what live.c (the ring) and live_readers.c (who reads it) share. For
 * these two only. */
#ifndef CENTRAL_REST_LIVE_INSIDE_H
#define CENTRAL_REST_LIVE_INSIDE_H

#include "central/rest/live.h"

#define READINGS 4096 /* buckets */
#define SEEN     (LIVE_RING * 2)

struct last_reading {
    struct reading_fact fact;
    struct last_reading *next;
};

struct live {
    struct central *c;
    struct live_event ring[LIVE_RING]; /* event `seq` at seq % LIVE_RING */
    int64_t base;                      /* seq before the first event of this process */
    int64_t seq;
    struct live_reader *readers;
    unsigned count;
    uv_timer_t *flush, *alive;
    bool flushing; /* the timer runs */
    uint64_t flushed_ms;
    struct amp_buf out;
    uint64_t seen_key[SEEN]; /* scratch of one reader's turn */
    uint32_t seen_turn[SEEN], turn;
    bool keep[LIVE_RING];
    struct last_reading *readings[READINGS];
};

#endif
