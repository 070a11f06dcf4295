/* fleet/faults.h - what breaks at a simulated station, and when, by seed.
 *
 * At each connector one thing at a time: it works for a time that is exponentially distributed with
 * `mean_s`, then something breaks (kinds with equal chance), stays broken for FAULTS_LEAST_S to
 * twice `lasts_s`, and is repaired. Each connector has a generator of its own, so that the same
 * seed gives the same faults at the same times whatever the station does and however many
 * connectors it has. */
#ifndef FLEET_FAULTS_H
#define FLEET_FAULTS_H

#include "fleet/plant.h"

#define FAULTS_LEAST_S 5

enum faults_kind {
    FAULTS_NONE,
    FAULTS_GROUND, /* the device trips: GroundFailure */
    FAULTS_HEAT,   /* the device trips: HighTemperature */
    FAULTS_JAM,    /* the lock does not open: ConnectorLockFailure when it is to */
    FAULTS_METER,  /* no readings: PowerMeterFailure when one is due */
    FAULTS_WELD,   /* the contactor does not open: PowerSwitchFailure when it is to */
    FAULTS_KINDS
};

struct faults_place {
    uint32_t random;
    uint64_t change_ms; /* when it breaks next, or is repaired */
    enum faults_kind kind;
};

struct faults {
    struct plant *plant;
    double mean_s, lasts_s;
    struct faults_place places[AMP_CONNECTORS_MAX + 1]; /* from 1 */
    unsigned count;                                     /* broken so far */
    void (*on_change)(void *ctx, uint64_t at_ms, int connector, enum faults_kind kind, bool broken);
    void *ctx; /* on_change may be NULL */
};

/* Begins now, of the plant's clock. Set on_change afterwards. */
void faults_init(struct faults *f, struct plant *p, double mean_s, double lasts_s, uint32_t seed);

/* Break and repair what is due; `st` may be NULL (not running). True when the station was told
 * something. */
bool faults_step(struct faults *f, struct amp_station *st);

/* "ground-fault" and so on. */
const char *faults_name(enum faults_kind kind);

#endif
