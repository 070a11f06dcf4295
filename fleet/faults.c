/* fleet/faults.c - see faults.h. */
#include "fleet/faults.h"

#include <math.h>

static const struct {
    const char *name;
    int trip;        /* enum amp_error; 0: the station finds out by itself */
    uint32_t broken; /* bits of struct bay */
    /* clang-format off */
} kinds[FAULTS_KINDS] = {
    [FAULTS_NONE]   = { "none",             0,                     0 },
    [FAULTS_GROUND] = { "ground-fault",     AMP_ERROR_GROUND,      0 },
    [FAULTS_HEAT]   = { "over-temperature", AMP_ERROR_TEMPERATURE, 0 },
    [FAULTS_JAM]    = { "lock-jam",         0,                     0 },
    [FAULTS_METER]  = { "meter-failure",    0,                     PLANT_NO_METER },
    [FAULTS_WELD]   = { "contactor-weld",   0,                     PLANT_WELD },
};
/* clang-format on */

const char *faults_name(enum faults_kind kind)
{
    return kinds[kind].name;
}

/* In (0, 1]: its logarithm is finite. */
static double chance(struct faults_place *place)
{
    return (double)vehicle_random(&place->random) / 4294967295.0;
}

static uint64_t works_ms(const struct faults *f, struct faults_place *place)
{
    return 1 + (uint64_t)(-f->mean_s * 1000 * log(chance(place)));
}

static uint64_t broken_ms(const struct faults *f, struct faults_place *place)
{
    return FAULTS_LEAST_S * 1000 + (uint64_t)(f->lasts_s * 2000 * chance(place));
}

void faults_init(struct faults *f, struct plant *p, double mean_s, double lasts_s, uint32_t seed)
{
    *f = (struct faults){ .plant = p, .mean_s = mean_s, .lasts_s = lasts_s };
    for (int c = 1; c <= p->connectors; c++) {
        f->places[c].random = seed + 0x9e3779b9u * (uint32_t)c;
        for (int i = 0; i < 8; i++)
            vehicle_random(&f->places[c].random);
        f->places[c].change_ms = posix_clock_now(p->clock) + works_ms(f, &f->places[c]);
    }
}

/* A repair clears whatever the station has found out meanwhile. */
static bool apply(struct faults *f, struct amp_station *st, int connector, bool broken)
{
    struct bay *b = &f->plant->bays[connector];
    enum faults_kind kind = f->places[connector].kind;

    if (kind == FAULTS_JAM)
        b->lock_stuck = broken;
    b->broken = broken ? b->broken | kinds[kind].broken : b->broken & ~kinds[kind].broken;
    if (broken && !kinds[kind].trip)
        return false;
    return plant_trip(f->plant, st, connector, broken ? kinds[kind].trip : AMP_ERROR_NONE) == 0 &&
           st;
}

static bool change(struct faults *f, struct amp_station *st, int connector)
{
    struct faults_place *place = &f->places[connector];
    bool broken = place->kind == FAULTS_NONE, told;

    if (broken) {
        place->kind = (enum faults_kind)(1 + vehicle_random(&place->random) % (FAULTS_KINDS - 1));
        f->count++;
    }
    told = apply(f, st, connector, broken);
    if (f->on_change)
        f->on_change(f->ctx, place->change_ms, connector, place->kind, broken);
    if (!broken)
        place->kind = FAULTS_NONE;
    place->change_ms += broken ? broken_ms(f, place) : works_ms(f, place);
    return told;
}

bool faults_step(struct faults *f, struct amp_station *st)
{
    uint64_t now = posix_clock_now(f->plant->clock);
    bool told = false;

    for (int c = 1; c <= f->plant->connectors; c++)
        while (f->places[c].change_ms <= now)
            told |= change(f, st, c);
    return told;
}
