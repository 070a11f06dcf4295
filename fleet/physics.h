/* fleet/physics.h - a car as physics has it: cells, an on-board charger, heat, and a driver that
 * reacts late. In real units and real time, unlike the demo's cars in vehicle.h.
 *
 * One step of PHYSICS_STEP_MS, in this order:
 *
 * Offer: a changed offer or permission to charge is noticed `react_ms` later. The wish then moves
 * by at most `rise_a_s` up and PHYSICS_FALL_A_S down per second, so that a lowered limit is obeyed
 * within PHYSICS_OBEY_MS (IEC 61851-1 allows 5 s). Below 6 A the pilot says nothing: no current. An
 * opened contactor takes effect at once.
 *
 * Cell voltage, per cell of the pack (cells in series, resistance R of the whole pack, ohmic part
 * and diffusion together):
 *     OCV(s)   open circuit voltage over the state of charge s: a table, straight in between
 *     R(T)     = R25 × 2^((25 °C - T) / 25 K), not below R25 / 2
 *     U        = cells × OCV(s) + I × R(T)
 * Battery current I from the DC power that the charger delivers:
 *     P_dc = U × I, hence I = (-E + sqrt(E² + 4 R P_dc)) / 2R with E = cells × OCV(s)
 *
 * CC/CV: the charger delivers what it can until U reaches the ceiling of cells × ceiling_v, and
 * from there on holds U, so that I = (cells × ceiling_v - E) / R(T) falls by itself. With the kinds
 * in physics.c this begins at about 80 %. Full is when that current falls below capacity /
 * cutoff_h, or at `until`.
 *
 * On-board charger: P_dc = efficiency × P_ac - aux_w, at most limit_a a phase on at most `phases`.
 * Mains: V = 230 V + wobble (within 1 V, by the seed) - I_phase × PHYSICS_MAINS_OHM.
 *
 * Heat:  battery C dT/dt = I² R - G (T - ambient)
 *        charger C dT/dt = (P_ac - P_dc) - G (T - ambient)
 * Derating, straight lines: the charger from 100 % at hot_c down to nothing at PHYSICS_HOT_SPAN_K
 * above; the battery from nothing at -10 °C to `cell_a` at 10 °C, and from 45 °C down to nothing at
 * 60 °C.
 *
 * Books: ac_wh = stored_wh + battery_loss_wh + charger_loss_wh, where stored_wh = ∫ E I dt. The
 * state of charge is ∫ I dt / Q. Neither ever falls while charging.
 *
 * The same seed and the same offers give the same car to the last bit. */
#ifndef FLEET_PHYSICS_H
#define FLEET_PHYSICS_H

#include <stdbool.h>
#include <stdint.h>

#define PHYSICS_STEP_MS    100
#define PHYSICS_OBEY_MS    5000
#define PHYSICS_FALL_A_S   20.0
#define PHYSICS_MAINS_OHM  0.1
#define PHYSICS_HOT_SPAN_K 20.0
#define PHYSICS_LEAST_MA   6000

struct physics_kind {
    int cells;
    double charge_ah;                  /* Q */
    double ohm;                        /* R25 */
    double ceiling_v;                  /* of a cell */
    const double *ocv;                 /* volts of a cell at 0, 10, ... 100 % */
    double cell_a;                     /* what the battery takes at most */
    double cutoff_h;                   /* full at Q / cutoff_h */
    double until;                      /* the driver's wish, 0..1 */
    double limit_a, efficiency, aux_w; /* on-board charger, per phase */
    int phases;
    uint32_t react_ms;
    double rise_a_s;
    double battery_j_k, battery_w_k; /* C and G */
    double charger_j_k, charger_w_k;
    double hot_c;
};

struct physics {
    const struct physics_kind *kind;
    uint64_t at_ms,
        change_at_ms;   /* simulated up to here; when a noticed change takes effect, 0: none */
    int32_t noticed_ma; /* the offer that the car goes by */
    bool noticed, wants, full; /* noticed: it knows that it may charge */
    double soc, wish_a, current_a, voltage_v, pack_a, pack_v;
    int used; /* phases */
    double battery_c, charger_c, ambient_c;
    double ac_wh, stored_wh, battery_loss_wh, charger_loss_wh;
    uint32_t random;
};

enum { PHYSICS_HYBRID, PHYSICS_COMPACT, PHYSICS_VAN, PHYSICS_RICKSHAW, PHYSICS_KINDS };
extern const struct physics_kind physics_kinds[PHYSICS_KINDS];

void physics_init(struct physics *p, const struct physics_kind *kind, double soc, double ambient_c,
                  uint32_t seed, uint64_t now);

/* Go on to `now` with this permission and offer per phase (0: none), which hold since the last
 * call. An opened contactor ends the current at `now` whatever the step. */
void physics_advance(struct physics *p, uint64_t now, bool permitted, int32_t offered_ma,
                     int phases);

double physics_power_w(const struct physics *p); /* AC, all phases */

#endif
