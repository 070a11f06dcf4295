/* station/world_types_test.h - see world_test.h: what there is in that world, and the trace of what
 * was said. */
#ifndef AMP_WORLD_TYPES_TEST_H
#define AMP_WORLD_TYPES_TEST_H

#include "messages/ocpp16.h"
#include "ocpp/check.h"
#include "ocpp/http1.h"
#include "ocpp/rpc.h"
#include "ocpp/time.h"
#include "ocpp/ws.h"
#include "ports/mem/mem.h"
#include "station/impl.h"
#include <stdlib.h>

#define UNIX0 1750000000000 /* wall clock at now == 0 */

struct world_car {
    bool plugged, wants, permitted, locked;
    bool permit_fails, lock_fails, meter_fails, lock_sticks;
    int32_t power_w;
    uint64_t energy_mj;
};

struct world_tx { /* what the central system has on file */
    int64_t id, start_wh, stop_wh;
    int connector;
    char tag[24], started[32], stopped[32], reason[24], stop_tag[24];
    unsigned starts, stops, meters;
    bool unknown; /* made of a stop with id -1 */
    bool reserved;
    int64_t reservation;
};

struct world {
    uint64_t now;
    struct mem_port mem;
    struct amp_hardware hw;
    struct world_car car[AMP_CONNECTORS_MAX + 1];
    struct amp_station_config config;
    struct amp_station *st;
    void *memory;

    /* the central system */
    bool up, half_up;               /* WebSocket open; HTTP request awaited */
    int http_status;                /* 0: 101 */
    const char *refuse_auth;        /* 401 for requests with this in them */
    const char *protocol;           /* NULL: ocpp1.6; "": none */
    bool bad_accept, no_pong, deaf; /* deaf: socket opens, nothing is ever answered */
    bool refuse;                    /* no socket */
    const char *mute, *error;       /* action that is not answered; answered with a CALLERROR */
    const char *answer_to, *answer; /* action and its special reply */
    const char *boot_status;        /* NULL: Accepted */
    int boot_interval;
    int64_t boot_time_ms;   /* 0: now */
    bool local_time;        /* currentTime with the offset of summer, +02:00, and a fraction */
    const char *tag_status; /* in Authorize; NULL: Accepted */
    const char *start_status;
    const char *parent;
    struct amp_ws ws;
    uint8_t in[65536];
    size_t in_len, in_done;
    char pong[126]; /* payload of the last one */
    unsigned pings, pongs, frames, bad_frames, requests;
    int close_code;
    char request[2048]; /* the last HTTP upgrade */
    char reply[8192];   /* to world_call; "!Code" for a CALLERROR, "" for none */
    unsigned call_no;
    const struct amp_message *asked;
    char ids[512][40]; /* of the station's calls: none may come twice */
    unsigned id_count;
    struct world_tx tx[64];
    unsigned tx_count;
    int64_t next_id;

    char trace[16384], last[8192]; /* last: payload of the newest call of the station */
    size_t trace_len;
    unsigned events[AMP_EVENT_OPERATOR + 1];
    unsigned started, secrets;
    char log[256];   /* the last line */
    bool any_books;  /* fuzzing: what the central system has on file need not make sense */
    char moves[512]; /* names of §4.9 as they happened */
};

/* ---- trace ---- */

static inline void world_note(struct world *w, const char *a, const char *b, const char *c)
{
    int n = snprintf(w->trace + w->trace_len, sizeof(w->trace) - w->trace_len, "%s%s%s%s",
                     w->trace_len ? " " : "", a, b, c);

    w->trace_len += (size_t)n;
    if (w->trace_len > sizeof(w->trace) - 512)
        w->trace_len = 0;
}

static inline void world_mark(struct world *w)
{
    w->trace_len = 0;
    w->trace[0] = 0;
    w->moves[0] = 0;
}

/* The value of a key in compact JSON, as text without quotes; "" when absent. Good enough for flat
 * facts. */
static inline const char *world_get(const char *json, const char *key, char *out, size_t cap)
{
    char pattern[64];
    const char *p;
    size_t n = 0;

    snprintf(pattern, sizeof(pattern), "\"%s\":", key);
    p = strstr(json, pattern);
    out[0] = 0;
    if (!p)
        return out;
    p += strlen(pattern);
    if (*p == '"')
        p++;
    while (p[n] && !strchr("\",}]", p[n]) && n + 1 < cap)
        n++;
    memcpy(out, p, n);
    out[n] = 0;
    return out;
}

static inline int64_t world_int(const char *json, const char *key)
{
    char text[32];

    return strtoll(world_get(json, key, text, sizeof(text)), NULL, 10);
}

#endif
