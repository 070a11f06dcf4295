/* fleet/plant.c - struct amp_hardware, played. */
#include "fleet/plant.h"
#include "ports/posix/blocks.h"

#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct bay *bay_of(struct plant *p, int connector)
{
    return connector >= 1 && connector <= p->connectors ? &p->bays[connector] : NULL;
}

/* Bring one bay up to now: the car has drawn with the permission and the offer that held until
 * here. */
static void advance(struct plant *p, struct bay *b)
{
    if (!b->occupied)
        return;
    vehicle_advance(&b->vehicle, posix_clock_now(p->clock), b->permitted && !b->error,
                    b->offered_ma, b->phases);
    *b->register_uwh += b->vehicle.energy_uwh - b->counted_uwh;
    b->counted_uwh = b->vehicle.energy_uwh;
}

static int permit(void *ctx, int connector, bool on)
{
    struct bay *b = bay_of(ctx, connector);

    if (!b)
        return AMP_E_RANGE;
    advance(ctx, b);
    if (on && (b->broken & PLANT_NO_CLOSE))
        return AMP_E_IO;
    b->permitted = on; /* the pilot says so too: a car stops even when the contactor is welded */
    b->closed = on || (b->closed && (b->broken & PLANT_WELD));
    advance(ctx, b);
    return b->closed == on ? 0 : AMP_E_IO;
}

static int limit(void *ctx, int connector, int32_t ma, int phases)
{
    struct bay *b = bay_of(ctx, connector);

    if (!b || ma < 0 || (phases != 1 && phases != 3))
        return AMP_E_RANGE;
    if (b->broken & PLANT_NO_LIMIT)
        return AMP_E_IO;
    advance(ctx, b);
    b->offered_ma = ma;
    b->phases = phases;
    advance(ctx, b);
    return 0;
}

static int lock(void *ctx, int connector, bool on)
{
    struct bay *b = bay_of(ctx, connector);

    if (!b)
        return AMP_E_RANGE;
    if (b->broken & PLANT_NO_LOCK)
        return AMP_E_IO;
    if (on || !b->lock_stuck)
        b->locked = on;
    return 0; /* the motor turned; whether the bolt moved, `locked` tells */
}

static int locked(void *ctx, int connector)
{
    struct bay *b = bay_of(ctx, connector);

    return b ? b->locked : AMP_E_RANGE;
}

static int meter(void *ctx, int connector, struct amp_reading *out)
{
    struct plant *p = ctx;
    struct bay *b = bay_of(p, connector);

    if (!b)
        return AMP_E_RANGE;
    advance(p, b);
    if (b->broken & PLANT_NO_METER)
        return AMP_E_IO;
    *out = (struct amp_reading){
        .has = AMP_HAS_POWER | AMP_HAS_CURRENT | AMP_HAS_VOLTAGE | AMP_HAS_TEMPERATURE |
               AMP_HAS_OFFERED,
        .energy_wh = plant_energy_wh(p, connector),
        .temperature_mc = (int32_t)(VEHICLE_AMBIENT_C * 1000),
        .offered_ma = b->permitted ? b->offered_ma : 0,
        .phases = (uint8_t)b->phases,
    };
    for (int i = 0; i < b->phases; i++)
        out->voltage_mv[i] =
            (int32_t)lround((b->occupied ? b->vehicle.voltage_v : VEHICLE_VOLTS) * 1000);
    if (b->occupied) {
        const struct vehicle *v = &b->vehicle;

        out->has |= AMP_HAS_SOC;
        out->power_w = (int32_t)lround(vehicle_power_w(v));
        out->temperature_mc = (int32_t)lround(v->temperature_c * 1000);
        out->soc_permille = (int32_t)lround(v->soc * 1000);
        for (int i = 0; i < b->phases && i < v->kind->phases; i++)
            out->current_ma[i] = (int32_t)lround(v->current_a * 1000);
    }
    return 0;
}

void plant_init(struct plant *p, const struct amp_station_config *config,
                const struct posix_clock *clock, uint32_t seed)
{
    *p = (struct plant){ .clock = clock, .connectors = config->connectors };
    for (int c = 1; c <= p->connectors; c++) {
        struct bay *b = &p->bays[c];

        b->offered_ma = config->max_current_ma[c] ? config->max_current_ma[c] : 32000;
        b->phases = config->phases[c] ? config->phases[c] : 3;
        b->register_uwh = &p->own_register[c];
        *b->register_uwh = (int64_t)(vehicle_random(&seed) % 1000000) *
                           1000000; /* up to a megawatt-hour, whole Wh */
    }
    p->hardware = (struct amp_hardware){
        .ctx = p,
        .permit = permit,
        .limit = limit,
        .lock = lock,
        .locked = locked,
        .meter = meter,
    };
}

/* A shared mapping: the kernel keeps what was counted even when this process is killed between two
 * instructions. */
int plant_keep(struct plant *p, const char *dir, struct amp_text name)
{
    static const size_t len = sizeof p->own_register;
    char path[PATH_MAX];
    struct stat st;
    void *map = MAP_FAILED;
    bool fresh;
    int fd, rc = posix_data_path(path, sizeof path, dir, name, ".meter");

    if (rc < 0)
        return AMP_E_IO;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return AMP_E_IO;
    if (fstat(fd, &st) == 0 && (st.st_size >= (off_t)len || ftruncate(fd, (off_t)len) == 0))
        map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        return AMP_E_IO;
    fresh = st.st_size < (off_t)len;
    p->mapped = map;
    for (int c = 1; c <= p->connectors; c++) {
        if (fresh)
            p->mapped[c] = p->own_register[c];
        p->bays[c].register_uwh = &p->mapped[c];
    }
    return 0;
}

void plant_close(struct plant *p)
{
    if (p->mapped)
        munmap(p->mapped, sizeof p->own_register);
    p->mapped = NULL;
}

/* What the station is told cannot fail for a connector that exists; a refusal by its state is its
 * own business. */
static void tell(int rc)
{
    (void)rc;
}

int plant_arrive(struct plant *p, struct amp_station *st, int connector,
                 const struct vehicle_kind *kind, uint32_t seed)
{
    struct bay *b = bay_of(p, connector);
    uint64_t now = posix_clock_now(p->clock);

    if (!b)
        return AMP_E_RANGE;
    if (b->occupied)
        return AMP_E_STATE;
    vehicle_init(&b->vehicle, kind, seed, now);
    b->occupied = true;
    b->told_ready = false;
    b->counted_uwh = 0;
    if (st)
        tell(amp_station_plug(st, connector, true, now));
    return 0;
}

int plant_leave(struct plant *p, struct amp_station *st, int connector)
{
    struct bay *b = bay_of(p, connector);

    if (!b)
        return AMP_E_RANGE;
    if (!b->occupied)
        return AMP_E_STATE;
    advance(p, b);
    b->occupied = b->told_ready = false;
    if (st)
        tell(amp_station_plug(st, connector, false, posix_clock_now(p->clock)));
    return 0;
}

int plant_trip(struct plant *p, struct amp_station *st, int connector, int error)
{
    struct bay *b = bay_of(p, connector);

    if (!b)
        return AMP_E_RANGE;
    advance(p, b);
    b->error = error == AMP_ERROR_NONE ? 0 : error;
    advance(p, b);
    if (st)
        tell(amp_station_fault(st, connector, error, AMP_NO_TEXT, posix_clock_now(p->clock)));
    return 0;
}

void plant_announce(struct plant *p, struct amp_station *st)
{
    uint64_t now = posix_clock_now(p->clock);

    for (int c = 1; c <= p->connectors; c++) {
        p->bays[c].told_ready = false;
        if (p->bays[c].occupied)
            tell(amp_station_plug(st, c, true, now));
        if (p->bays[c].error)
            tell(amp_station_fault(st, c, p->bays[c].error, AMP_NO_TEXT, now));
    }
}

bool plant_step(struct plant *p, struct amp_station *st)
{
    bool told = false;

    for (int c = 1; c <= p->connectors; c++) {
        struct bay *b = &p->bays[c];

        advance(p, b);
        if (!st || !b->occupied || b->vehicle.wants == b->told_ready)
            continue;
        b->told_ready = b->vehicle.wants;
        told = true;
        tell(amp_station_ev_ready(st, c, b->told_ready, posix_clock_now(p->clock)));
    }
    return told;
}

int64_t plant_energy_wh(const struct plant *p, int connector)
{
    return (*p->bays[connector].register_uwh + 500000) / 1000000;
}
