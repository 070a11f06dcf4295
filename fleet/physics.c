/* fleet/physics.c - see physics.h for the equations. */
#include "fleet/physics.h"
#include "fleet/vehicle.h"

#include <math.h>

#define STEP_S (PHYSICS_STEP_MS / 1000.0)

/* Typical curves of the two chemistries, relaxed, at 25 °C. */
static const double nmc[] = { 3.00, 3.45, 3.55, 3.60, 3.65, 3.70, 3.78, 3.87, 3.97, 4.08, 4.18 };
static const double lfp[] = { 2.80, 3.20, 3.24, 3.27, 3.29, 3.30, 3.31, 3.32, 3.34, 3.36, 3.45 };

/* The resistance is chosen so that at full power U meets the ceiling near 80 %; the flat curve of
 * the rickshaw's cells puts it near 95 %. */
const struct physics_kind physics_kinds[PHYSICS_KINDS] = {
    [PHYSICS_HYBRID] = { .cells = 96, /* 10 kWh, one phase, 7.4 kW */
                         .charge_ah = 28.5,
                         .ohm = 1.75,
                         .ceiling_v = 4.2,
                         .ocv = nmc,
                         .cell_a = 40,
                         .cutoff_h = 20,
                         .until = 1,
                         .limit_a = 32,
                         .efficiency = 0.92,
                         .aux_w = 150,
                         .phases = 1,
                         .react_ms = 1200,
                         .rise_a_s = 5,
                         .battery_j_k = 60000,
                         .battery_w_k = 25,
                         .charger_j_k = 6000,
                         .charger_w_k = 18,
                         .hot_c = 70 },
    [PHYSICS_COMPACT] = { .cells = 96, /* 40 kWh, three phases, 11 kW */
                          .charge_ah = 114,
                          .ohm = 1.15,
                          .ceiling_v = 4.2,
                          .ocv = nmc,
                          .cell_a = 130,
                          .cutoff_h = 20,
                          .until = 1,
                          .limit_a = 16,
                          .efficiency = 0.93,
                          .aux_w = 180,
                          .phases = 3,
                          .react_ms = 800,
                          .rise_a_s = 4,
                          .battery_j_k = 250000,
                          .battery_w_k = 40,
                          .charger_j_k = 9000,
                          .charger_w_k = 22,
                          .hot_c = 70 },
    [PHYSICS_VAN] = { .cells = 108, /* 75 kWh, three phases, 22 kW */
                      .charge_ah = 190,
                      .ohm = 0.74,
                      .ceiling_v = 4.2,
                      .ocv = nmc,
                      .cell_a = 200,
                      .cutoff_h = 20,
                      .until = 1,
                      .limit_a = 32,
                      .efficiency = 0.93,
                      .aux_w = 250,
                      .phases = 3,
                      .react_ms = 1800,
                      .rise_a_s = 3,
                      .battery_j_k = 450000,
                      .battery_w_k = 60,
                      .charger_j_k = 14000,
                      .charger_w_k = 42,
                      .hot_c = 68 },
    [PHYSICS_RICKSHAW] = { .cells = 16, /* 7.4 kWh of LFP, one phase, 3 kW */
                           .charge_ah = 140,
                           .ohm = 0.075,
                           .ceiling_v = 3.55,
                           .ocv = lfp,
                           .cell_a = 70,
                           .cutoff_h = 20,
                           .until = 1,
                           .limit_a = 13,
                           .efficiency = 0.90,
                           .aux_w = 40,
                           .phases = 1,
                           .react_ms = 2500,
                           .rise_a_s = 6,
                           .battery_j_k = 45000,
                           .battery_w_k = 12,
                           .charger_j_k = 3000,
                           .charger_w_k = 8,
                           .hot_c = 70 },
};

void physics_init(struct physics *p, const struct physics_kind *kind, double soc, double ambient_c,
                  uint32_t seed, uint64_t now)
{
    *p = (struct physics){
        .kind = kind,
        .at_ms = now,
        .soc = soc,
        .voltage_v = VEHICLE_VOLTS,
        .battery_c = ambient_c,
        .charger_c = ambient_c,
        .ambient_c = ambient_c,
        .random = seed,
    };
    for (int i = 0; i < 8; i++)
        vehicle_random(&p->random);
}

double physics_power_w(const struct physics *p)
{
    return p->voltage_v * p->current_a * p->used;
}

/* 0 at `from`, 1 at `to`, straight in between; works downwards too. */
static double slope(double x, double from, double to)
{
    double part = (x - from) / (to - from);

    return part < 0 ? 0 : part > 1 ? 1 : part;
}

static double open_voltage(const struct physics *p)
{
    double place = p->soc * 10;
    int i = place >= 10 ? 9 : (int)place;

    return p->kind->cells *
           (p->kind->ocv[i] + (p->kind->ocv[i + 1] - p->kind->ocv[i]) * (place - i));
}

static double resistance(const struct physics *p)
{
    return p->kind->ohm * fmax(0.5, exp2((25 - p->battery_c) / 25));
}

/* What the battery takes in this state: temperature first, then the ceiling of the voltage. */
static double battery_limit_a(const struct physics *p, double e, double r, bool *held)
{
    double warm = fmin(slope(p->battery_c, -10, 10), slope(p->battery_c, 60, 45));
    double by_voltage = fmax(0, (p->kind->cells * p->kind->ceiling_v - e) / r);
    double by_cells = p->kind->cell_a * warm;

    *held = by_voltage < by_cells;
    return *held ? by_voltage : by_cells;
}

static void notice(struct physics *p, bool permitted, int32_t offered_ma)
{
    if (p->noticed == permitted && p->noticed_ma == offered_ma) {
        p->change_at_ms = 0;
        return;
    }
    if (!p->change_at_ms) /* further changes on the way do not delay the first */
        p->change_at_ms = p->at_ms + p->kind->react_ms;
    if (p->at_ms < p->change_at_ms)
        return;
    p->noticed = permitted;
    p->noticed_ma = offered_ma;
    p->change_at_ms = 0;
}

/* The current per phase that driver, offer and charger agree on, moving as fast as it may. */
static void move_wish(struct physics *p)
{
    double target = p->noticed_ma / 1000.0, most = p->kind->limit_a;

    most *= slope(p->charger_c, p->kind->hot_c + PHYSICS_HOT_SPAN_K, p->kind->hot_c);
    p->wants = p->noticed && !p->full;
    if (!p->wants || p->noticed_ma < PHYSICS_LEAST_MA)
        target = 0;
    if (target > most)
        target = most;
    if (target > p->wish_a)
        p->wish_a = fmin(target, p->wish_a + p->kind->rise_a_s * STEP_S);
    else
        p->wish_a = fmax(target, p->wish_a - PHYSICS_FALL_A_S * STEP_S);
}

static void interrupt(struct physics *p)
{
    p->current_a = p->wish_a = p->pack_a = 0;
    p->wants = p->noticed = false;
    p->noticed_ma = 0;
    p->change_at_ms = 0;
}

/* The electric state of this step: currents and voltages on both sides of the charger. */
static void solve(struct physics *p, double e, double r)
{
    const struct physics_kind *k = p->kind;
    double dc, most_a, most_ac;
    bool held;

    most_a = battery_limit_a(p, e, r, &held);
    if (p->wants && ((held && most_a < k->charge_ah / k->cutoff_h) || p->soc >= k->until)) {
        p->full = true;
        p->wants = false;
    }
    most_ac = ((e + most_a * r) * most_a + k->aux_w) / k->efficiency;
    p->current_a = p->full ? 0 : fmin(p->wish_a, most_ac / (p->voltage_v * p->used));
    dc = fmax(0, k->efficiency * physics_power_w(p) - k->aux_w);
    p->pack_a = (sqrt(e * e + 4 * r * dc) - e) / (2 * r);
    p->pack_v = e + p->pack_a * r;
}

static void step(struct physics *p, bool permitted, int32_t offered_ma, int phases)
{
    const struct physics_kind *k = p->kind;
    double noise = (double)(vehicle_random(&p->random) % 2001) / 1000 - 1;
    double e = open_voltage(p), r = resistance(p), ac, loss, charger_loss;

    p->used = k->phases < phases ? k->phases : phases;
    p->at_ms += PHYSICS_STEP_MS;
    if (permitted) {
        notice(p, true, offered_ma);
        move_wish(p);
    } else {
        interrupt(p);
    }
    p->voltage_v +=
        (VEHICLE_VOLTS - p->current_a * PHYSICS_MAINS_OHM - p->voltage_v) * 0.05 + noise * 0.05;
    solve(p, e, r);
    ac = physics_power_w(p);
    loss = p->pack_a * p->pack_a * r;
    charger_loss = ac - p->pack_v * p->pack_a;
    p->soc = fmin(1, p->soc + p->pack_a * STEP_S / 3600 / k->charge_ah);
    p->ac_wh += ac * STEP_S / 3600;
    p->stored_wh += e * p->pack_a * STEP_S / 3600;
    p->battery_loss_wh += loss * STEP_S / 3600;
    p->charger_loss_wh += charger_loss * STEP_S / 3600;
    p->battery_c +=
        (loss - k->battery_w_k * (p->battery_c - p->ambient_c)) / k->battery_j_k * STEP_S;
    p->charger_c +=
        (charger_loss - k->charger_w_k * (p->charger_c - p->ambient_c)) / k->charger_j_k * STEP_S;
}

void physics_advance(struct physics *p, uint64_t now, bool permitted, int32_t offered_ma,
                     int phases)
{
    while (p->at_ms + PHYSICS_STEP_MS <= now)
        step(p, permitted, offered_ma, phases);
    if (!permitted)
        interrupt(p);
}
