/* fleet/real.h - one station with real hardware (ports/linux) in front of a person: shows what
 * happens, runs until it is told to end. Where libmodbus is missing, real_open says AMP_E_SUPPORT.
 */
#ifndef FLEET_REAL_H
#define FLEET_REAL_H

#include "fleet/ledger.h"
#include "fleet/view.h"
#include "ports/posix/device.h"

#define REAL_STEP_MS   100   /* how often the hardware's news are handed to the station */
#define REAL_STATUS_MS 30000 /* a status line for each session */

struct real_options {
    struct amp_station_config
        config;              /* connectors, currents and phases come from the description */
    const char *hardware;    /* "modbus:FILE", format in ports/linux/map.h */
    const char *data_dir;    /* NULL: nothing is kept */
    const char *ledger_path; /* may be NULL */
    const char *ca_file, *cert_file, *key_file; /* PEM: whom to trust by wss://, and who we are; NULL: as data_dir has them */
    bool trace;              /* every frame into the view */
    enum amp_log_level log_level;
    FILE *out;
};

/* How it went so far, and what went wrong. */
struct real_result {
    bool ever_up, given_up;
    unsigned sessions, queued;
    int failure; /* the core could not be started: its error */
    struct amp_fault fault;
};

struct real;

/* 0; AMP_E_SUPPORT: not in this build; AMP_E_FORMAT: the description, *line and *why say what;
 * AMP_E_ABSENT: it cannot be read; AMP_E_IO, AMP_E_BUSY: as posix_device_open, or no reader. */
int real_open(struct posix_loop *l, const struct real_options *o, struct real **out, unsigned *line,
              const char **why) AMP_CHECKED;
void real_result(struct real *r, struct real_result *out);

struct posix_device *real_device(struct real *r);
int real_connectors(const struct real *r);

/* Opens the contactors. */
void real_close(struct real *r);

#endif
