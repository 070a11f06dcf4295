/* fleet/vehicle.c - see vehicle.h for the model. */
#include "fleet/vehicle.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define LEAST_OFFER_MA 6000 /* IEC 61851-1: the pilot cannot say less */

const struct vehicle_kind vehicle_kinds[] = {
    { .name = "demo-fast", /* 22 kW over one phase: 95.65 A */
      .capacity_wh = 1760,
      .limit_a = 22000 / VEHICLE_VOLTS,
      .phases = 1,
      .ramp_ms = 1000,
      .arrives = 0.20,
      .full = 0.95,
      .taper_from = 1,
      .warm_k = 40 },
    { .name = "demo-normal", /* 7.4 kW: 32.17 A */
      .capacity_wh = 592,
      .limit_a = 7400 / VEHICLE_VOLTS,
      .phases = 1,
      .ramp_ms = 4000,
      .arrives = 0.20,
      .full = 0.95,
      .taper_from = 1,
      .warm_k = 20 },
    { .name = "commuter", /* 11 kW over three phases, with a battery that no load test fills */
      .capacity_wh = 58000,
      .limit_a = 16,
      .phases = 3,
      .ramp_ms = 3000,
      .arrives = 0.30,
      .full = 1.0,
      .taper_from = 0.8,
      .warm_k = 15 },
    { .name = "hybrid", /* 10 kWh, 7.4 kW */
      .capacity_wh = 10000,
      .limit_a = 32,
      .phases = 1,
      .arrives = 0.30,
      .full = 1.0,
      .taper_from = 1,
      .warm_k = 30,
      .physics = &physics_kinds[PHYSICS_HYBRID] },
    { .name = "compact", /* 40 kWh, 11 kW */
      .capacity_wh = 40000,
      .limit_a = 16,
      .phases = 3,
      .arrives = 0.30,
      .full = 1.0,
      .taper_from = 1,
      .warm_k = 15,
      .physics = &physics_kinds[PHYSICS_COMPACT] },
    { .name = "van", /* 75 kWh, 22 kW */
      .capacity_wh = 75000,
      .limit_a = 32,
      .phases = 3,
      .arrives = 0.30,
      .full = 1.0,
      .taper_from = 1,
      .warm_k = 30,
      .physics = &physics_kinds[PHYSICS_VAN] },
    { .name = "rickshaw", /* 7.4 kWh, 3 kW */
      .capacity_wh = 7400,
      .limit_a = 13,
      .phases = 1,
      .arrives = 0.30,
      .full = 1.0,
      .taper_from = 1,
      .warm_k = 10,
      .physics = &physics_kinds[PHYSICS_RICKSHAW] },
    { .name = NULL },
};

const struct vehicle_kind *vehicle_find(const char *name)
{
    for (const struct vehicle_kind *k = vehicle_kinds; k->name; k++)
        if (!strcmp(k->name, name))
            return k;
    return NULL;
}

/* xorshift32: Marsaglia 2003. Never 0. */
uint32_t vehicle_random(uint32_t *state)
{
    uint32_t x = *state ? *state : 0x9e3779b9;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

void vehicle_init(struct vehicle *v, const struct vehicle_kind *kind, uint32_t seed, uint64_t now)
{
    *v = (struct vehicle){
        .kind = kind,
        .at_ms = now,
        .soc = kind->arrives,
        .voltage_v = VEHICLE_VOLTS,
        .temperature_c = VEHICLE_AMBIENT_C,
        .random = seed,
    };
    if (kind->physics)
        physics_init(&v->physics, kind->physics, kind->arrives, VEHICLE_AMBIENT_C, seed, now);
    for (int i = 0; i < 8; i++) /* neighbouring seeds start alike: shake them apart */
        vehicle_random(&v->random);
}

double vehicle_power_w(const struct vehicle *v)
{
    return v->kind->physics ? physics_power_w(&v->physics)
                            : v->voltage_v * v->current_a * v->kind->phases;
}

bool vehicle_full(const struct vehicle *v)
{
    return v->kind->physics ? v->physics.full : v->soc >= v->kind->full;
}

double vehicle_compression(const struct vehicle_kind *kind)
{
    return kind->physics ? 1 : VEHICLE_COMPRESSION;
}

static double target_a(const struct vehicle *v, int32_t offered_ma)
{
    double limit = v->kind->limit_a, offered = offered_ma / 1000.0;

    if (offered_ma < LEAST_OFFER_MA)
        return 0;
    if (v->soc > v->kind->taper_from)
        limit *= 1 - 0.9 * (v->soc - v->kind->taper_from) / (v->kind->full - v->kind->taper_from);
    return offered < limit ? offered : limit;
}

/* Whether the car asks, and how many amperes it takes in this step. */
static void decide(struct vehicle *v, bool permitted, int32_t offered_ma)
{
    double ramp = 1;

    if (!permitted) {
        v->permitted_ms = 0;
    } else if (!v->permitted_ms) {
        v->permitted_ms = v->at_ms ? v->at_ms : 1;
    }
    v->wants = permitted && !vehicle_full(v) && v->at_ms - v->permitted_ms >= VEHICLE_READY_MS;
    v->current_a = v->wants ? target_a(v, offered_ma) : 0;
    if (v->current_a <= 0) {
        v->ramp_start_ms = 0;
        return;
    }
    if (!v->ramp_start_ms)
        v->ramp_start_ms = v->at_ms;
    if (v->kind->ramp_ms) /* the middle of the step, so that the energy of the ramp is exact */
        ramp = ((double)(v->at_ms - v->ramp_start_ms) + VEHICLE_STEP_MS / 2.0) / v->kind->ramp_ms;
    if (ramp < 1)
        v->current_a *= ramp;
}

/* The plug warms by the square of the current. */
static void warm(struct vehicle *v)
{
    double part = v->current_a / v->kind->limit_a;

    v->temperature_c += (VEHICLE_AMBIENT_C + v->kind->warm_k * part * part - v->temperature_c) *
                        (1 - exp(-(double)VEHICLE_STEP_MS / VEHICLE_WARM_MS));
}

static void copy_physics(struct vehicle *v)
{
    const struct physics *p = &v->physics;

    v->wants = p->wants;
    v->soc = p->soc;
    v->current_a = p->current_a;
    v->voltage_v = p->voltage_v;
    v->energy_uwh = llround(p->ac_wh * 1e6);
}

/* One step, or no time at all, by physics.h. */
static void follow_physics(struct vehicle *v, uint64_t now, bool permitted, int32_t offered_ma,
                           int phases)
{
    while (v->at_ms + VEHICLE_STEP_MS <= now) {
        v->at_ms += VEHICLE_STEP_MS;
        physics_advance(&v->physics, v->at_ms, permitted, offered_ma, phases);
        copy_physics(v);
        warm(v);
    }
    physics_advance(&v->physics, v->at_ms, permitted, offered_ma, phases);
    copy_physics(v);
}

static void step(struct vehicle *v, bool permitted, int32_t offered_ma, int phases)
{
    double noise = (double)(vehicle_random(&v->random) % 2001) / 1000 - 1, room, wh;
    int used = v->kind->phases < phases ? v->kind->phases : phases;

    decide(v, permitted, offered_ma);
    v->voltage_v +=
        (VEHICLE_VOLTS - v->voltage_v) * 0.05 + noise * 0.05; /* at most 1 V off: 0.05 / 0.05 */
    wh = v->voltage_v * v->current_a * used * VEHICLE_COMPRESSION * VEHICLE_STEP_MS / 3600000.0;
    room = (v->kind->full - v->soc) * v->kind->capacity_wh;
    if (wh >= room && wh > 0) {
        wh = room;
        v->soc = v->kind->full;
    } else {
        v->soc += wh / v->kind->capacity_wh;
    }
    v->energy_uwh += llround(wh * 1e6);
    warm(v);
    v->at_ms += VEHICLE_STEP_MS;
}

void vehicle_advance(struct vehicle *v, uint64_t now, bool permitted, int32_t offered_ma,
                     int phases)
{
    if (v->kind->physics) {
        follow_physics(v, now, permitted, offered_ma, phases);
        return;
    }
    while (v->at_ms + VEHICLE_STEP_MS <= now)
        step(v, permitted, offered_ma, phases);
    decide(v, permitted,
           offered_ma); /* permission and offer work at once, not with the next step */
}
