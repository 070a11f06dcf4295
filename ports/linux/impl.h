/* ports/linux/impl.h - the state that the threads of a wallbox share. Private to this folder.
 * Everything below `lock` is touched only while it is held, but for what belongs to one thread. */
#ifndef WALLBOX_IMPL_H
#define WALLBOX_IMPL_H

#include "ports/linux/bus.h"
#include "ports/linux/tags.h"
#include "ports/linux/wallbox.h"

#include <pthread.h>

#define WALLBOX_OUTPUTS (WALLBOX_LAMP - WALLBOX_PERMIT + 1)
#define WALLBOX_ITEMS   (AMP_CONNECTORS_MAX * WALLBOX_SLOTS)

struct wallbox_value { /* the newest that a device said */
    double value;
    uint64_t at_ms; /* 0: never */
};

struct wallbox_output {
    bool set;    /* the station has ever commanded it */
    bool failed; /* the newest attempt; cleared by the next success */
    double wanted;
    unsigned asked,
        tried; /* numbers of the newest command and of the last attempt: differ while one waits */
    unsigned ignored; /* looks in a row that found another value */
    uint64_t since_ms, written_ms;
};

struct wallbox_item { /* one value of a request */
    int connector;
    enum wallbox_slot slot;
};

struct wallbox_request { /* what is read at once */
    int unit, address, count;
    enum wallbox_table table;
    unsigned first, items;
};

struct wallbox_line { /* a bus and its thread */
    struct wallbox *owner;
    int index;
    struct wallbox_bus bus; /* the thread's own */
    pthread_t thread;
    pthread_cond_t wake;
    bool started, up;
    unsigned rounds; /* complete looks, and failed attempts to connect */
    struct wallbox_item items[WALLBOX_ITEMS];
    struct wallbox_request requests[WALLBOX_ITEMS];
    unsigned item_count, request_count, cursor;
    uint64_t next_round_ms, hurry_until_ms;
};

struct wallbox_told { /* the station's thread's own */
    bool plug_known, plugged, ready;
    int error; /* enum amp_error that the station knows of, or WALLBOX_UNKNOWN */
    uint64_t raised_ms, cleared_ms, hold_ms; /* it is not cleared before raised_ms + hold_ms */
};

struct wallbox {
    struct wallbox_map map;
    struct amp_hardware hardware;
    struct wallbox_tags tags;
    struct wallbox_told told[AMP_CONNECTORS_MAX + 1];
    pthread_mutex_t lock;
    pthread_cond_t news; /* an attempt was made, a value read, a round ended */
    bool stop;
    struct wallbox_value values[AMP_CONNECTORS_MAX + 1][WALLBOX_SLOTS];
    struct wallbox_output outputs[AMP_CONNECTORS_MAX + 1][WALLBOX_OUTPUTS];
    struct wallbox_line lines[WALLBOX_BUSES_MAX];
};

#define WALLBOX_UNKNOWN 0 /* of enum amp_error: what the station believes is not known here */

/* Is there such a thing, and has the device spoken of it within `stale`? With the lock held. */
static inline bool wallbox_has(const struct wallbox *w, int c, enum wallbox_slot slot)
{
    return w->map.connector[c].points[slot].used;
}

static inline bool wallbox_fresh(const struct wallbox *w, int c, enum wallbox_slot slot,
                                 uint64_t now)
{
    uint64_t at = w->values[c][slot].at_ms;

    return at && now < at + (uint64_t)w->map.stale_ms;
}

static inline struct wallbox_output *wallbox_output_of(struct wallbox *w, int c,
                                                       enum wallbox_slot slot)
{
    return &w->outputs[c][slot - WALLBOX_PERMIT];
}

static inline bool wallbox_meter_fresh(const struct wallbox *w, int c, uint64_t now)
{
    for (int s = 0; s < WALLBOX_METER_SLOTS; s++)
        if (wallbox_has(w, c, (enum wallbox_slot)s) &&
            !wallbox_fresh(w, c, (enum wallbox_slot)s, now))
            return false;
    return true;
}

/* The station learns of an error. One that soon comes back is held twice as long, so that a device
 * that takes one command and refuses the next does not fill the central system's log. */
static inline void wallbox_raised(const struct wallbox *w, struct wallbox_told *t, int error,
                                  uint64_t now)
{
    bool again = t->cleared_ms && now < t->cleared_ms + WALLBOX_AGAIN_MS;
    uint64_t least = (uint64_t)w->map.hold_ms;

    if (t->error == AMP_ERROR_NONE || t->error == WALLBOX_UNKNOWN) {
        t->hold_ms = again && t->hold_ms ? t->hold_ms * 2 : least;
        if (t->hold_ms > least * WALLBOX_HOLDS_MAX)
            t->hold_ms = least * WALLBOX_HOLDS_MAX;
        t->raised_ms = now;
    }
    t->error = error;
}

uint64_t wallbox_now_ms(void); /* monotonic; never 0 */

/* Wait for `c` at most until then, with the lock held. False: it is then. */
bool wallbox_wait(struct wallbox *w, pthread_cond_t *c, uint64_t until_ms);

/* line.c: prepare what is read; the thread itself. */
void wallbox_line_plan(struct wallbox_line *l);
void *wallbox_line_run(void *line);

#endif
