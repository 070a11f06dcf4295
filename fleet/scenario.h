/* fleet/scenario.h - a story as a table: at which second something happens at a station. The demo
 * is one; files are others.
 *
 * A file has one step a line, in order of time, # begins a comment:
 *   SECONDS ACTION [CONNECTOR] [WORD...]
 *   0   network                     look up the central system's address
 *   3   clock                       take the time from the host
 *   5   start                       start the station; it connects
 *   5   arrive 1 demo-fast          a car is plugged in; kinds stand in vehicle.c
 *   10  tag 1 DemoTag01             a tag is shown
 *   40  stop 1                      the stop button
 *   41  leave 1                     the car is unplugged
 *   45  fault 1 GroundFailure       and `fault 1 NoError` clears it
 *   50  stick 1                     the lock jams from now on;  unstick 1
 *   75  done                        the story is complete
 * Times may have decimals (10.5). A car that is full, or charged for SCENARIO_CHARGE_MS, is stopped
 * and leaves by itself. */
#ifndef FLEET_SCENARIO_H
#define FLEET_SCENARIO_H

#include "ocpp/err.h"
#include "ocpp/text.h"

#define SCENARIO_STEPS_MAX 256
#define SCENARIO_WORD_MAX  36
#define SCENARIO_CHARGE_MS 65000 /* by timeout: a little after the demo's cars should be full */

enum scenario_action {
    SCENARIO_NETWORK,
    SCENARIO_CLOCK,
    SCENARIO_START,
    SCENARIO_ARRIVE,
    SCENARIO_TAG,
    SCENARIO_STOP,
    SCENARIO_LEAVE,
    SCENARIO_FAULT,
    SCENARIO_STICK,
    SCENARIO_UNSTICK,
    SCENARIO_DONE
};

struct scenario_step {
    uint32_t at_ms;
    enum scenario_action action;
    int connector;
    char word[SCENARIO_WORD_MAX];
};

struct scenario {
    const struct scenario_step *steps;
    unsigned count;
};

extern const struct scenario scenario_demo;

/* Read a story. `room` takes at most SCENARIO_STEPS_MAX steps. 0; AMP_E_FORMAT with *line (from 1)
 * and *why: a text. */
int scenario_parse(struct amp_text text, int connectors, struct scenario_step *room,
                   struct scenario *out, unsigned *line, const char **why) AMP_CHECKED;

/* "arrive" and so on. */
const char *scenario_name(enum scenario_action a);

/* Value of enum ocpp16_charge_point_error_code by its wire name, 0 when unknown. */
int scenario_fault_code(const char *word);

#endif
