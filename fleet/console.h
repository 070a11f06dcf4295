/* fleet/console.h - a station by hand: commands, one a line, from a terminal or a pipe. The table
 * in console.c has them all; `help` shows it. A line begins when the one before is through, so a
 * script needs no timing of its own:
 *   plug 1
 *   tag 1 CARD01
 *   expect 1 Charging
 *   wait 60
 *   stop 1
 * Times are of the station's clock. # begins a comment. The end of the input waits until all is
 * delivered, at most SOLO_FLUSH_MS, and stops the loop; `quit` does at once. */
#ifndef FLEET_CONSOLE_H
#define FLEET_CONSOLE_H

#include "fleet/solo.h"

#define CONSOLE_LINE_MAX 256
#define CONSOLE_EXPECT_S 30 /* what `expect` waits unless it says otherwise */
#define CONSOLE_READY_MS \
    30000 /* what a tag waits for the central system, as a driver at the display does */

struct console;

struct console_options {
    struct posix_device *device; /* whose station */
    struct solo *solo;           /* its cars; NULL: real hardware, where cars come by themselves */
    int connectors;
    bool stay; /* the end of the input is not the end: a story plays, or the hardware is real */
    int fd;          /* read as it comes, never waited for; stays the caller's */
    bool prompt;     /* somebody looks at it */
    FILE *out, *err; /* answers; what is wrong with a command and which expectation failed */
};

/* The device, and the solo, must be closed after the console. With a solo that was not opened with
 * `by_hand` its story and its drivers act, too. AMP_E_IO. */
int console_open(struct posix_loop *l, const struct console_options *o,
                 struct console **out) AMP_CHECKED;

/* Commands that were wrong or refused, and expectations that were not met. */
unsigned console_failures(const struct console *c);
void console_close(struct console *c);

#endif
