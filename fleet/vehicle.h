/* fleet/vehicle.h - a simulated electric car: what it draws from what it is offered, how full and
 * how warm it gets.
 *
 * The model, in steps of VEHICLE_STEP_MS from the moment it is plugged in.
 *
 * Draw: VEHICLE_READY_MS after the station permits energy the car asks for it (control pilot state
 * C). Its current then climbs in `ramp_ms` to the least of its own limit and the station's offer,
 * and follows every later offer at once. It is 0 when not permitted, below 6 A offered (IEC 61851
 * knows no less), or when full.
 *
 * Taper: above `taper_from` of charge the current falls in a straight line to a tenth of the limit
 * at `full`; 1 means none.
 *
 * Power: voltage × current × phases. The voltage wobbles around 230 V within 1 V, by a generator
 * that `seed` starts.
 *
 * Warmth: the plug goes exponentially (VEHICLE_WARM_MS) to 25 °C + warm_k × (current / limit)², and
 * never above that.
 *
 * Time: the demo's minute is compressed. One second of it stands for VEHICLE_COMPRESSION = 3.6 s of
 * charging, so battery and meter count 3.6 times the energy that the power shows. 22 kW × 60 s is
 * 366.7 Wh; × 3.6 is 1,320 Wh. 7.4 kW × 60 s × 3.6 is 444 Wh. In short: kW × seconds = Wh.
 *
 * Battery: small to match. 1,320 Wh are 75 % of 1,760 Wh, 444 Wh are 75 % of 592 Wh, so a car that
 * comes with 20 % leaves with 95 % after a minute at full power plus half of its ramp.
 *
 * The same seed and the same offers give the same car to the last bit.
 *
 * A kind with `physics` follows physics.h instead, in real time and real units; everything here but
 * the warmth of the plug is then a copy of what happens there. */
#ifndef FLEET_VEHICLE_H
#define FLEET_VEHICLE_H

#include "fleet/physics.h"

#define VEHICLE_STEP_MS     100
#define VEHICLE_READY_MS    1000
#define VEHICLE_WARM_MS     15000
#define VEHICLE_COMPRESSION 3.6
#define VEHICLE_VOLTS       230.0
#define VEHICLE_AMBIENT_C   25.0

struct vehicle_kind {
    const char *name;
    double capacity_wh;
    double limit_a; /* per phase */
    int phases;
    uint32_t ramp_ms;
    double arrives, full; /* state of charge, 0..1 */
    double taper_from;
    double warm_k;                      /* kelvin above the ambient temperature at the limit */
    const struct physics_kind *physics; /* NULL: the model above */
};

struct vehicle {
    const struct vehicle_kind *kind;
    uint64_t at_ms;         /* simulated up to here */
    uint64_t permitted_ms;  /* since when energy is permitted; 0: it is not */
    uint64_t ramp_start_ms; /* 0: not drawing */
    double soc, current_a, voltage_v, temperature_c;
    int64_t energy_uwh; /* taken since it was plugged in; millionths of a Wh */
    uint32_t random;
    bool wants; /* control pilot state C; else B */
    struct physics physics;
};

/* "demo-fast", "demo-normal", "commuter"; with physics "hybrid", "compact", "van", "rickshaw". NULL
 * when unknown. Walk all with vehicle_kinds: the last has a NULL name. */
const struct vehicle_kind *vehicle_find(const char *name);
extern const struct vehicle_kind vehicle_kinds[];

void vehicle_init(struct vehicle *v, const struct vehicle_kind *kind, uint32_t seed, uint64_t now);

/* Go on to `now` (of a clock that is never 0) with this offer per phase (0: none) and permission,
 * which hold since the last call. */
void vehicle_advance(struct vehicle *v, uint64_t now, bool permitted, int32_t offered_ma,
                     int phases);

double vehicle_power_w(const struct vehicle *v);
bool vehicle_full(const struct vehicle *v);

/* How many seconds of charging one second stands for: VEHICLE_COMPRESSION, or 1 with physics. */
double vehicle_compression(const struct vehicle_kind *kind);

/* A small generator for everything in fleet/ that has to look random and be repeatable. */
uint32_t vehicle_random(uint32_t *state);

#endif
