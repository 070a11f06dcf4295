/* ports/linux/wallbox.c - the station's side: what it asks and commands; beginning and end. */
#include "ports/linux/impl.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LEAST_MA 6000 /* IEC 61851-1: the pilot cannot say less */

/* ---- commands ---- */

static bool is_connector(const struct wallbox *w, int c)
{
    return c >= 1 && c <= w->map.connectors;
}

static struct wallbox_line *line_of(struct wallbox *w, int c, enum wallbox_slot slot)
{
    return &w->lines[w->map.connector[c].points[slot].bus];
}

/* Hand `value` to the thread; the number of the attempt that will carry it. */
static unsigned ask(struct wallbox *w, int c, enum wallbox_slot slot, double value)
{
    struct wallbox_output *o = wallbox_output_of(w, c, slot);

    if (!o->set || o->wanted != value)
        o->since_ms = wallbox_now_ms();
    o->set = true;
    o->wanted = value;
    o->ignored = 0;
    pthread_cond_signal(&line_of(w, c, slot)->wake);
    return ++o->asked;
}

/* Wait for that attempt. The lock is held. */
static int outcome(struct wallbox *w, int c, enum wallbox_slot slot, unsigned number)
{
    struct wallbox_output *o = wallbox_output_of(w, c, slot);
    uint64_t until = wallbox_now_ms() + (uint64_t)WALLBOX_COMMAND_MS(w->map.answer_ms);

    if (!line_of(w, c, slot)->up) {
        o->failed = true;
        return AMP_E_IO;
    }
    while ((int)(o->tried - number) < 0)
        if (!wallbox_wait(w, &w->news, until)) {
            o->failed = true; /* until it has been done after all */
            return AMP_E_TIMEOUT;
        }
    return o->failed ? AMP_E_IO : 0;
}

/* The station makes a fault of an error that is returned to it: remember that it knows. */
static int told(struct wallbox *w, int c, int rc, int error)
{
    if (rc < 0)
        wallbox_raised(w, &w->told[c], error, wallbox_now_ms());
    return rc;
}

static int command(struct wallbox *w, int c, enum wallbox_slot slot, double value)
{
    const struct wallbox_point *p = &w->map.connector[c].points[slot];
    const struct wallbox_output *o = wallbox_output_of(w, c, slot);
    uint16_t raw;
    int rc = wallbox_encode(p, value, &raw);

    if (rc < 0)
        return rc;
    pthread_mutex_lock(&w->lock);
    /* a contactor is always told; others may wear out by writing */
    if (slot == WALLBOX_PERMIT || !o->set || o->failed || o->asked != o->tried ||
        o->wanted != value)
        rc = outcome(w, c, slot, ask(w, c, slot, value));
    pthread_mutex_unlock(&w->lock);
    return rc;
}

static int permit(void *ctx, int connector, bool on)
{
    struct wallbox *w = ctx;

    if (!is_connector(w, connector))
        return AMP_E_RANGE;
    return told(w, connector, command(w, connector, WALLBOX_PERMIT, on), AMP_ERROR_SWITCH);
}

/* Where phases cannot be switched, fewer of them are the same power on all that are wired: never
 * more than was allowed, on any phase or in sum. */
static int32_t spread(const struct wallbox *w, int c, int32_t ma, int phases)
{
    int wired = w->map.connector[c].wired;

    if (phases >= wired)
        return ma;
    ma = (int32_t)((int64_t)ma * phases / wired);
    return ma < LEAST_MA ? 0 : ma;
}

static int limit(void *ctx, int connector, int32_t ma, int phases)
{
    struct wallbox *w = ctx;
    int rc = 0;

    if (!is_connector(w, connector) || ma < 0)
        return AMP_E_RANGE;
    if (wallbox_has(w, connector, WALLBOX_PHASES))
        rc = command(w, connector, WALLBOX_PHASES, phases);
    else
        ma = spread(w, connector, ma, phases);
    if (rc == 0)
        rc = command(w, connector, WALLBOX_LIMIT, ma / 1000.0);
    return told(w, connector, rc, AMP_ERROR_SWITCH);
}

/* Until the bolt's contact says so, or `bolt` is over. */
static int bolt_moves(struct wallbox *w, int c, bool on)
{
    uint64_t begin = wallbox_now_ms(), until = begin + (uint64_t)w->map.bolt_ms;
    const struct wallbox_value *v = &w->values[c][WALLBOX_LOCKED];
    struct wallbox_line *l = line_of(w, c, WALLBOX_LOCKED);

    l->hurry_until_ms = until;
    pthread_cond_signal(&l->wake);
    while (v->at_ms < begin || (v->value != 0) != on)
        if (!wallbox_wait(w, &w->news, until))
            return AMP_E_IO;
    l->hurry_until_ms = 0;
    return 0;
}

static int lock(void *ctx, int connector, bool on)
{
    struct wallbox *w = ctx;
    int rc;

    if (!is_connector(w, connector))
        return AMP_E_RANGE;
    pthread_mutex_lock(&w->lock); /* always written: a bolt that jammed is tried again */
    rc = outcome(w, connector, WALLBOX_LOCK, ask(w, connector, WALLBOX_LOCK, on));
    if (rc == 0 && wallbox_has(w, connector, WALLBOX_LOCKED))
        rc = bolt_moves(w, connector, on);
    pthread_mutex_unlock(&w->lock);
    return told(w, connector, rc, AMP_ERROR_LOCK);
}

static int locked(void *ctx, int connector)
{
    struct wallbox *w = ctx;
    int rc = AMP_E_IO;

    if (!is_connector(w, connector))
        return AMP_E_RANGE;
    pthread_mutex_lock(&w->lock);
    if (wallbox_fresh(w, connector, WALLBOX_LOCKED, wallbox_now_ms()))
        rc = w->values[connector][WALLBOX_LOCKED].value != 0;
    pthread_mutex_unlock(&w->lock);
    return rc;
}

/* A lamp: nobody waits, nothing follows from a failure. */
static void indicate(void *ctx, int connector, int status)
{
    struct wallbox *w = ctx;

    if (!is_connector(w, connector) || !wallbox_has(w, connector, WALLBOX_LAMP))
        return;
    pthread_mutex_lock(&w->lock);
    (void)ask(w, connector, WALLBOX_LAMP, status);
    pthread_mutex_unlock(&w->lock);
}

/* ---- the meter ---- */

static int32_t whole(double v)
{
    return v >= INT32_MAX ? INT32_MAX : v <= INT32_MIN ? INT32_MIN : (int32_t)lround(v);
}

static void take_reading(struct wallbox *w, int c, struct amp_reading *out)
{
    static const struct {
        enum wallbox_slot slot;
        uint32_t has;
        /* clang-format off */
    } bits[] = {
        { WALLBOX_POWER,       AMP_HAS_POWER },
        { WALLBOX_CURRENT,     AMP_HAS_CURRENT },
        { WALLBOX_VOLTAGE,     AMP_HAS_VOLTAGE },
        { WALLBOX_TEMPERATURE, AMP_HAS_TEMPERATURE },
        { WALLBOX_SOC,         AMP_HAS_SOC },
        { WALLBOX_FREQUENCY,   AMP_HAS_FREQUENCY },
        { WALLBOX_LIMIT,       AMP_HAS_OFFERED },
    };
    /* clang-format on */
    const struct wallbox_value *v = w->values[c];
    const struct wallbox_output *o = w->outputs[c];
    bool on = o[0].wanted != 0;

    *out = (struct amp_reading){
        .energy_wh = llround(v[WALLBOX_ENERGY].value),
        .power_w = whole(v[WALLBOX_POWER].value),
        .temperature_mc = whole(v[WALLBOX_TEMPERATURE].value * 1000),
        .soc_permille = whole(v[WALLBOX_SOC].value * 10),
        .frequency_mhz = whole(v[WALLBOX_FREQUENCY].value * 1000),
        .offered_ma = on ? whole(o[WALLBOX_LIMIT - WALLBOX_PERMIT].wanted * 1000) : 0,
        .phases = w->map.connector[c].wired == 3 ? 3 : 1,
    };
    for (size_t i = 0; i < AMP_COUNT(bits); i++)
        if (wallbox_has(w, c, bits[i].slot))
            out->has |= bits[i].has;
    for (int i = 0; i < 3; i++) {
        out->current_ma[i] = whole(v[WALLBOX_CURRENT + i].value * 1000);
        out->voltage_mv[i] = whole(v[WALLBOX_VOLTAGE + i].value * 1000);
    }
}

static int meter(void *ctx, int connector, struct amp_reading *out)
{
    struct wallbox *w = ctx;
    int rc = AMP_E_IO;

    if (!is_connector(w, connector))
        return AMP_E_RANGE;
    pthread_mutex_lock(&w->lock);
    if (wallbox_meter_fresh(w, connector, wallbox_now_ms())) {
        take_reading(w, connector, out);
        rc = 0;
    }
    pthread_mutex_unlock(&w->lock);
    if (rc < 0 &&
        (w->told[connector].error == AMP_ERROR_NONE || w->told[connector].error == WALLBOX_UNKNOWN))
        wallbox_raised(w, &w->told[connector], AMP_ERROR_METER, wallbox_now_ms());
    return rc;
}

/* ---- life ---- */

const struct amp_hardware *wallbox_hardware(struct wallbox *w)
{
    return &w->hardware;
}

char *wallbox_status(struct wallbox *w, char *out, size_t cap)
{
    size_t n = 0;

    out[0] = 0;
    pthread_mutex_lock(&w->lock);
    for (int i = 0; i < w->map.bus_count && n < cap; i++) {
        int len = snprintf(out + n, cap - n, "%s%s: %s", i ? ", " : "", w->map.buses[i].name,
                           w->lines[i].up ? "connected" : "no connection");

        n += len > 0 ? (size_t)len : 0;
    }
    pthread_mutex_unlock(&w->lock);
    return out;
}

static int start_lines(struct wallbox *w)
{
    for (int i = 0; i < w->map.bus_count; i++) {
        struct wallbox_line *l = &w->lines[i];

        l->owner = w;
        l->index = i;
        wallbox_line_plan(l);
        if (pthread_create(&l->thread, NULL, wallbox_line_run, l) != 0)
            return AMP_E_IO;
        l->started = true;
    }
    return 0;
}

/* So that the station's start finds values, where there are any. */
static void first_look(struct wallbox *w)
{
    uint64_t until = wallbox_now_ms() + 10 * (uint64_t)w->map.answer_ms;

    pthread_mutex_lock(&w->lock);
    for (int i = 0; i < w->map.bus_count; i++)
        while (w->lines[i].rounds == 0 && w->lines[i].request_count)
            if (!wallbox_wait(w, &w->news, until))
                break;
    pthread_mutex_unlock(&w->lock);
}

static void init_sync(struct wallbox *w)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->news, &attr);
    for (int i = 0; i < WALLBOX_BUSES_MAX; i++)
        pthread_cond_init(&w->lines[i].wake, &attr);
    pthread_condattr_destroy(&attr);
}

int wallbox_open(const struct wallbox_map *map, struct wallbox **out)
{
    struct wallbox *w = calloc(1, sizeof *w);
    const struct wallbox_point *p = map->connector[1].points;

    if (!w)
        return AMP_E_IO;
    w->map = *map;
    w->tags.fd = -1;
    w->hardware = (struct amp_hardware){
        .ctx = w,
        .permit = permit,
        .limit = p[WALLBOX_LIMIT].used ? limit : NULL,
        .lock = p[WALLBOX_LOCK].used ? lock : NULL,
        .locked = p[WALLBOX_LOCKED].used ? locked : NULL,
        .meter = meter,
        .indicate = indicate,
    };
    init_sync(w);
    if ((map->tags[0] && wallbox_tags_open(&w->tags, map->tags, map->keys) < 0) ||
        start_lines(w) < 0) {
        wallbox_close(w);
        return AMP_E_IO;
    }
    first_look(w);
    *out = w;
    return 0;
}

void wallbox_close(struct wallbox *w)
{
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    for (int i = 0; i < WALLBOX_BUSES_MAX; i++)
        pthread_cond_signal(&w->lines[i].wake);
    pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < WALLBOX_BUSES_MAX; i++) {
        if (w->lines[i].started)
            pthread_join(w->lines[i].thread, NULL);
        pthread_cond_destroy(&w->lines[i].wake);
    }
    pthread_cond_destroy(&w->news);
    pthread_mutex_destroy(&w->lock);
    wallbox_tags_close(&w->tags);
    free(w);
}
