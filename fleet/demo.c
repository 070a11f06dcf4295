/* fleet/demo.c - the story that `amperstand station --scenario demo` plays: two cars charge at one
 * station. */
#include "fleet/scenario.h"

/* clang-format off */
static const struct scenario_step steps[] = {
    { 0,     SCENARIO_NETWORK, 0, "" },
    { 3000,  SCENARIO_CLOCK,   0, "" },
    { 5000,  SCENARIO_START,   0, "" },
    { 5000,  SCENARIO_ARRIVE,  1, "demo-fast" },
    { 8000,  SCENARIO_ARRIVE,  2, "demo-normal" },
    { 10000, SCENARIO_TAG,     1, "DemoTag01" },
    { 10000, SCENARIO_TAG,     2, "DemoTag02" },
    /* T+11: both ask for energy. They are full, and leave, at about T+71 and T+73. */
    { 75000, SCENARIO_DONE,    0, "" },
};
/* clang-format on */

const struct scenario scenario_demo = { steps, sizeof steps / sizeof steps[0] };
