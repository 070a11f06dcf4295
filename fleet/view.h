/* fleet/view.h - what a person sees of a simulated station: one line an event, one a connector
 * every five seconds, one a session. Plain ASCII-only text into files and pipes; colours and
 * symbols on a terminal, unless NO_COLOR is set. */
#ifndef FLEET_VIEW_H
#define FLEET_VIEW_H

#include "ocpp/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum view_mood { VIEW_PLAIN, VIEW_GOOD, VIEW_BAD, VIEW_PLUG, VIEW_ENERGY, VIEW_MOODS };

struct view {
    FILE *out;
    bool rich; /* colours and symbols */
};

struct view_status { /* units as in the name; the seconds count the session */
    int connector;
    const char *state;
    int32_t power_w, current_ma;
    int64_t energy_wh;
    int32_t soc_permille, temperature_mc;
    uint32_t seconds;
};

struct view_session {
    int connector;
    const char *tag, *reason;
    int64_t transaction;
    int64_t energy_wh;
    uint32_t seconds;
    int32_t soc_permille, average_w;
};

/* Rich when `out` is a terminal that is not "dumb", and NO_COLOR is absent or empty. */
void view_open(struct view *v, FILE *out);

/* "T+ 10 s  authorised   connector 1, DemoTag01". `what` is one word. */
void view_event(const struct view *v, uint64_t t_ms, enum view_mood mood, const char *what,
                const char *format, ...) AMP_PRINTF(5, 6);
void view_status(const struct view *v, uint64_t t_ms, const struct view_status *s);
void view_session(const struct view *v, uint64_t t_ms, const struct view_session *s);

#endif
