/* fleet/solo.h - one simulated station in front of a person: plays a story, shows what happens,
 * then stays for remote commands.
 *
 * Cars behave: one that is full, or has charged for SCENARIO_CHARGE_MS, is stopped by its driver
 * and leaves a second after its session ended. An accepted remote start brings a car to an empty
 * connector a second later; it charges in the same way. A car with physics charges in real time
 * and stays until it is full. */
#ifndef FLEET_SOLO_H
#define FLEET_SOLO_H

#include "fleet/ledger.h"
#include "fleet/scenario.h"
#include "fleet/vehicle.h"
#include "fleet/view.h"
#include "ports/posix/device.h"

#define SOLO_STATUS_MS 5000  /* a status line for each session */
#define SOLO_LEAVE_MS  1000  /* from the end of a session to the unplugging */
#define SOLO_ARRIVE_MS 1000  /* from a remote start to the car */
#define SOLO_BROKEN_S  60    /* what is broken is repaired after about this time */
#define SOLO_FLUSH_MS  30000 /* what a finished story waits for unacknowledged messages */
#define SOLO_HOLD_MS \
    120000 /* so long in all a story waits for the central system and its sessions */

struct solo_options {
    const struct amp_station_config *config; /* texts must outlive the run; settings included */
    const char *data_dir;                    /* NULL: nothing is kept */
    const char *ledger_path;                 /* may be NULL */
    const char *ca_file, *cert_file, *key_file; /* PEM: whom to trust by wss://, and who we are; NULL: as data_dir has them */
    const struct scenario *scenario;         /* NULL: start at once, and wait for commands */
    bool exit_when_done, trace;              /* trace: every frame into the view */
    bool by_hand; /* nobody drives the cars but solo_arrive and its like below */
    const struct vehicle_kind *vehicle; /* every car is one of these; NULL: as the story says */
    uint32_t faults_s; /* something breaks about this often, by the seed; 0: never */
    uint32_t seed;
    enum amp_log_level log_level;
    FILE *out;
};

/* How it went so far. */
struct solo_result {
    bool ever_up, given_up, done;
    unsigned expected, sessions; /* tags that the story shows; sessions that ended */
    unsigned bound;              /* sessions that the central system gave a number */
    unsigned queued;             /* messages not yet acknowledged */
    int failure;                 /* the core could not be started: its error */
    struct amp_fault fault;
};

struct solo;

/* The story's second 0 is now. Stops the loop when it is over. 0; or as posix_device_open (data),
 * AMP_E_IO: ledger. */
int solo_open(struct posix_loop *l, const struct solo_options *o, struct solo **out) AMP_CHECKED;
void solo_result(struct solo *s, struct solo_result *out);
void solo_close(struct solo *s);

/* What a person at the station does and sees. Connectors from 1. AMP_E_STATE: the station restarts,
 * or the connector is occupied or empty. Tags, faults and the stop button are the station's: station.h. */
int solo_arrive(struct solo *s, int connector) AMP_CHECKED;
int solo_leave(struct solo *s, int connector) AMP_CHECKED;
void solo_cut(struct solo *s); /* the power fails; after POSIX_BOOT_MS it is back */

struct posix_device *solo_device(struct solo *s); /* its station: posix_device_station */
int64_t solo_energy_wh(const struct solo *s, int connector);
const char *solo_status_name(enum amp_status status);

#endif
