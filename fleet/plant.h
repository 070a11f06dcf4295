/* fleet/plant.h - the simulated power electronics of one station: contactors, locks, meters, and
 * the cars that stand there. Fills in struct amp_hardware; tells the station what the cars do. */
#ifndef FLEET_PLANT_H
#define FLEET_PLANT_H

#include "fleet/vehicle.h"
#include "ports/posix/loop.h"
#include "station/station.h"

#define PLANT_STEP_MS 100 /* how often a station with a car must be looked at */

/* What can be broken at a connector, as bits. Set and cleared by anyone. */
enum {
    PLANT_NO_CLOSE = 1, /* the contactor does not close */
    PLANT_WELD = 2,     /* it does not open: the command to open fails */
    PLANT_NO_LIMIT = 4, /* the limit cannot be set */
    PLANT_NO_LOCK = 8,  /* the lock's motor does not turn */
    PLANT_NO_METER = 16
};

struct bay {
    bool permitted, locked, lock_stuck; /* stuck: the lock does not open */
    bool closed;                        /* the contactor, as its auxiliary contact says */
    uint32_t broken;
    int error; /* enum amp_error that the device reports; 0: none */
    bool occupied, told_ready;
    int32_t offered_ma;
    int phases;
    int64_t counted_uwh;   /* of the present car, already in the register */
    int64_t *register_uwh; /* import register, millionths of a Wh; never decreases */
    struct vehicle vehicle;
};

struct plant {
    const struct posix_clock *clock;
    int connectors;
    struct bay bays[AMP_CONNECTORS_MAX + 1];      /* from 1 */
    int64_t own_register[AMP_CONNECTORS_MAX + 1]; /* when no file keeps them */
    int64_t *mapped;
    struct amp_hardware hardware; /* hand this to the station */
};

/* Takes connectors, limits and phases from `config`. Registers start at a value made of `seed`, as
 * a used meter's would. */
void plant_init(struct plant *p, const struct amp_station_config *config,
                const struct posix_clock *clock, uint32_t seed);

/* Keep the registers in DIR/NAME.meter, as a meter keeps its own: they go on after any end of this
 * process. 0, or AMP_E_IO. */
int plant_keep(struct plant *p, const char *dir, struct amp_text name) AMP_CHECKED;
void plant_close(struct plant *p);

/* A car comes, or leaves; `st` may be NULL (not running): plant_announce tells it later.
 * AMP_E_STATE: occupied, or nobody there. */
int plant_arrive(struct plant *p, struct amp_station *st, int connector,
                 const struct vehicle_kind *kind, uint32_t seed) AMP_CHECKED;
int plant_leave(struct plant *p, struct amp_station *st, int connector) AMP_CHECKED;

/* The device itself reports an error (enum amp_error): it has opened the contactor and keeps it
 * open until AMP_ERROR_NONE. `st` may be NULL: plant_announce tells it later. AMP_E_RANGE. */
int plant_trip(struct plant *p, struct amp_station *st, int connector, int error) AMP_CHECKED;

/* A station (re)started: it knows nothing of plugs and errors yet. */
void plant_announce(struct plant *p, struct amp_station *st);

/* Let the cars go on to now and tell the station which of them ask for energy. True when it was
 * told something. */
bool plant_step(struct plant *p, struct amp_station *st);

int64_t plant_energy_wh(const struct plant *p, int connector);

#endif
