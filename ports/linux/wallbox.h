/* ports/linux/wallbox.h - a real wallbox: struct amp_hardware on Modbus devices that a file
 * describes (map.h). Knows the station and Linux, and nothing of the other ports.
 *
 * A bus is slow (a meter at 9600 baud answers in 30 ms, one that is dead not at all), so that each
 * bus has a thread that reads everything in turn and keeps the newest values. What the station asks
 * is answered from there and never waits. What it commands is handed to the thread, goes before all
 * reading, and is waited for: at most WALLBOX_COMMAND_MS(answer), or not at all when the bus is
 * known to be down, so that the answer is what really happened. Only the lock waits longer, until
 * its contact has moved (`bolt`).
 *
 * Safe side: a command that failed is repeated until the device has taken it, and so is a value
 * that reads back differently (the device was restarted); a limit only when it reads back higher,
 * because a controller may have reasons of its own to give less. At the end of the process
 * contactors are opened. A device that must open its contactor when this machine dies needs a
 * watchdog of its own.
 *
 * Phases: where `phase-switch` is missing, a limit on fewer phases than are wired becomes the same
 * power on all of them, or a pause when that is below 6 A.
 *
 * Errors that are told to the station, the first that applies:
 *   a fault input                                       its own error
 *   pilot E or F                                        OtherError
 *   permit or limit not taken or lost, contactor closed
 *     WALLBOX_WELD_MS after it should be open           PowerSwitchFailure
 *   lock not taken, or its contact does not follow      ConnectorLockFailure
 *   inputs older than `stale`                           InternalError
 *   a meter value older than `stale`                    PowerMeterFailure
 * and NoError when it has passed, without anybody's help, but not before it has lasted for `hold`;
 * one that comes back within WALLBOX_AGAIN_MS is held twice as long as before, up to
 * WALLBOX_HOLDS_MAX times `hold`. */
#ifndef WALLBOX_H
#define WALLBOX_H

#include "ports/linux/map.h"
#include "station/station.h"

#define WALLBOX_COMMAND_MS(answer) (2 * (answer) + 100) /* one request under way, and ours */
#define WALLBOX_RETRY_MS           1000                 /* between attempts to connect a bus */
#define WALLBOX_WELD_MS            500
#define WALLBOX_AGAIN_MS           60000
#define WALLBOX_HOLDS_MAX          300

struct wallbox;

/* Starts a thread for each bus and waits until all was looked at once, or failed once. `map` is
 * copied. 0, or AMP_E_IO: no thread, no memory, or `tags` cannot be opened. A bus that does not
 * answer is no error here: it is tried again for ever. */
int wallbox_open(const struct wallbox_map *map, struct wallbox **out) AMP_CHECKED;

/* Opens the contactors where it can, and ends. */
void wallbox_close(struct wallbox *w);

/* For the station's configuration; valid until wallbox_close. */
const struct amp_hardware *wallbox_hardware(struct wallbox *w);

/* The station has (re)started and knows nothing yet: the next step tells it everything. */
void wallbox_announce(struct wallbox *w);

/* Tell the station what has changed: plug, pilot, errors, tags. About ten times a second, from the
 * station's thread. True when it was told something. */
bool wallbox_step(struct wallbox *w, struct amp_station *st, uint64_t now);

/* How the buses are, for a person: "box: connected". Returns `out`. */
char *wallbox_status(struct wallbox *w, char *out, size_t cap);

#endif
