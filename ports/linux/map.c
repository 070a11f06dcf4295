/* ports/linux/map.c - see map.h for the file. */
#include "ports/linux/map.h"
#include "station/station.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 12

static const char *const tables[] = { "coil", "discrete", "holding", "input" };

static const struct {
    const char *name;
    uint8_t words;
    /* clang-format off */
} types[] = {
    [WALLBOX_BIT]    = { "bit",   1 },
    [WALLBOX_U16]    = { "u16",   1 },
    [WALLBOX_S16]    = { "s16",   1 },
    [WALLBOX_U32]    = { "u32",   2 },
    [WALLBOX_S32]    = { "s32",   2 },
    [WALLBOX_F32]    = { "f32",   2 },
    [WALLBOX_U32_LE] = { "u32le", 2 },
    [WALLBOX_S32_LE] = { "s32le", 2 },
    [WALLBOX_F32_LE] = { "f32le", 2 },
};
/* clang-format on */

static const char *const slots[WALLBOX_SLOTS] = {
    [WALLBOX_ENERGY] = "energy",
    [WALLBOX_POWER] = "power",
    [WALLBOX_FREQUENCY] = "frequency",
    [WALLBOX_TEMPERATURE] = "temperature",
    [WALLBOX_SOC] = "soc",
    [WALLBOX_CURRENT] = "current1",
    [WALLBOX_CURRENT + 1] = "current2",
    [WALLBOX_CURRENT + 2] = "current3",
    [WALLBOX_VOLTAGE] = "voltage1",
    [WALLBOX_VOLTAGE + 1] = "voltage2",
    [WALLBOX_VOLTAGE + 2] = "voltage3",
    [WALLBOX_PILOT] = "pilot",
    [WALLBOX_PLUG] = "plug",
    [WALLBOX_READY] = "ready",
    [WALLBOX_LOCKED] = "locked",
    [WALLBOX_CLOSED] = "closed",
    [WALLBOX_PERMIT] = "permit",
    [WALLBOX_LIMIT] = "limit",
    [WALLBOX_PHASES] = "phase-switch",
    [WALLBOX_LOCK] = "lock",
    [WALLBOX_LAMP] = "lamp",
};

/* Of OCPP 1.6, in the order of enum amp_error. */
static const char *const errors[] = {
    NULL,
    "ConnectorLockFailure",
    "EVCommunicationError",
    "GroundFailure",
    "HighTemperature",
    "InternalError",
    "LocalListConflict",
    NULL, /* NoError is none */
    "OtherError",
    "OverCurrentFailure",
    "PowerMeterFailure",
    "PowerSwitchFailure",
    "ReaderFailure",
    "ResetFailure",
    "UnderVoltage",
    "OverVoltage",
    "WeakSignal",
};

/* Eastron's meters: pairs of input registers, floats, energy in kWh. */
#define FLOAT(a, s)                                                                             \
    {                                                                                           \
        .used = true, .table = WALLBOX_INPUT, .type = WALLBOX_F32, .address = (a), .scale = (s) \
    }
static const struct wallbox_profile eastron[] = {
    { "sdm630",
      { [WALLBOX_ENERGY] = FLOAT(0x48, 1000),
        [WALLBOX_POWER] = FLOAT(0x34, 1),
        [WALLBOX_FREQUENCY] = FLOAT(0x46, 1),
        [WALLBOX_CURRENT] = FLOAT(0x06, 1),
        [WALLBOX_CURRENT + 1] = FLOAT(0x08, 1),
        [WALLBOX_CURRENT + 2] = FLOAT(0x0A, 1),
        [WALLBOX_VOLTAGE] = FLOAT(0x00, 1),
        [WALLBOX_VOLTAGE + 1] = FLOAT(0x02, 1),
        [WALLBOX_VOLTAGE + 2] = FLOAT(0x04, 1) } },
    { "sdm72", { [WALLBOX_ENERGY] = FLOAT(0x48, 1000), [WALLBOX_POWER] = FLOAT(0x34, 1) } },
    { "sdm120",
      { [WALLBOX_ENERGY] = FLOAT(0x48, 1000),
        [WALLBOX_POWER] = FLOAT(0x0C, 1),
        [WALLBOX_FREQUENCY] = FLOAT(0x46, 1),
        [WALLBOX_CURRENT] = FLOAT(0x06, 1),
        [WALLBOX_VOLTAGE] = FLOAT(0x00, 1) } },
};

/* ---- lines ---- */

struct reader {
    struct wallbox_map *map;
    struct amp_text word[WORDS_MAX];
    unsigned count;
    const char *why;
};

static int refuse(struct reader *r, const char *why)
{
    r->why = why;
    return AMP_E_FORMAT;
}

static void split(struct reader *r, struct amp_text line)
{
    uint32_t i = 0;

    r->count = 0;
    while (i < line.len && line.at[i] != '#' && r->count < WORDS_MAX) {
        uint32_t begin = i;

        while (i < line.len && !strchr(" \t\r#", line.at[i]))
            i++;
        if (i > begin)
            r->word[r->count++] = (struct amp_text){ line.at + begin, i - begin };
        while (i < line.len && line.at[i] && strchr(" \t\r", line.at[i]))
            i++;
    }
}

static bool number(struct amp_text t, int64_t least, int64_t most, int64_t *out)
{
    char copy[24], *end;

    if (!t.len || t.len >= sizeof copy)
        return false;
    amp_text_copy(copy, sizeof copy, t);
    *out = strtoll(copy, &end, 0);
    return !*end && *out >= least && *out <= most;
}

static int find(const char *const *names, size_t count, struct amp_text t)
{
    for (size_t i = 0; i < count; i++)
        if (names[i] && amp_text_is(t, names[i]))
            return (int)i;
    return -1;
}

static bool take_type(struct amp_text t, struct wallbox_point *p)
{
    int64_t bit;

    for (size_t i = 0; i < AMP_COUNT(types); i++)
        if (amp_text_is(t, types[i].name)) {
            p->type = (uint8_t)i;
            return (i == WALLBOX_BIT) == (p->table < WALLBOX_HOLDING);
        }
    if (t.len < 4 || memcmp(t.at, "bit", 3) || p->table < WALLBOX_HOLDING ||
        !number((struct amp_text){ t.at + 3, t.len - 3 }, 0, 15, &bit))
        return false;
    p->type = WALLBOX_BIT;
    p->bit = (uint8_t)bit;
    return true;
}

/* TABLE ADDRESS [TYPE] [SCALE] [inverted] from word `from` on; *end is the first that is left. */
static int take_point(struct reader *r, unsigned from, struct wallbox_point *p, unsigned *end)
{
    int table = from < r->count ? find(tables, AMP_COUNT(tables), r->word[from]) : -1;
    int64_t address;
    char text[24], *rest;

    if (table < 0)
        return refuse(r, "a table is coil, discrete, holding or input");
    if (from + 1 >= r->count || !number(r->word[from + 1], 0, 65535, &address))
        return refuse(r, "an address is a number from 0 to 65535");
    p->table = (uint8_t)table;
    p->address = (uint16_t)address;
    p->type = table < WALLBOX_HOLDING ? WALLBOX_BIT : WALLBOX_U16;
    p->scale = 1;
    from += 2;
    if (from < r->count && take_type(r->word[from], p))
        from++;
    if (from < r->count) {
        amp_text_copy(text, sizeof text, r->word[from]);
        p->scale = strtod(text, &rest);
        if (*rest || rest == text)
            p->scale = 1;
        else if (!(p->scale > 0 && p->scale < 1e9))
            return refuse(r, "a scale is above 0");
        else
            from++;
    }
    if (from < r->count && amp_text_is(r->word[from], "inverted")) {
        p->inverted = true;
        from++;
    }
    if (p->inverted && p->type != WALLBOX_BIT)
        return refuse(r, "only a bit can be inverted");
    p->used = true;
    *end = from;
    return 0;
}

/* BUS UNIT at words 3 and 4. */
static int take_place(struct reader *r, struct wallbox_point *p)
{
    int64_t unit;
    int bus = -1;

    for (int i = 0; i < r->map->bus_count && r->count > 3; i++)
        if (amp_text_is(r->word[3], r->map->buses[i].name))
            bus = i;
    if (bus < 0)
        return refuse(r, "no such bus; it is declared before it is used");
    if (r->count < 5 || !number(r->word[4], 0, 255, &unit))
        return refuse(r, "a unit is a number from 0 to 255");
    p->bus = (uint8_t)bus;
    p->unit = (uint8_t)unit;
    return 0;
}

static int take_meter(struct reader *r, struct wallbox_connector_map *c)
{
    const struct wallbox_profile *found = NULL;
    struct wallbox_point place = { 0 };

    if (take_place(r, &place) < 0)
        return AMP_E_FORMAT;
    for (size_t i = 0; i < AMP_COUNT(eastron) && r->count == 6; i++)
        if (amp_text_is(r->word[5], eastron[i].name))
            found = &eastron[i];
    for (int i = 0; i < r->map->profile_count && r->count == 6; i++)
        if (amp_text_is(r->word[5], r->map->profiles[i].name))
            found = &r->map->profiles[i];
    if (!found)
        return refuse(r, "no such meter profile; it is declared before it is used");
    if (!found->points[WALLBOX_ENERGY].used)
        return refuse(r, "a meter profile needs energy");
    for (int i = 0; i < WALLBOX_METER_SLOTS; i++) {
        c->points[i] = found->points[i];
        c->points[i].bus = place.bus;
        c->points[i].unit = place.unit;
    }
    return 0;
}

static int take_fault(struct reader *r, struct wallbox_connector_map *c)
{
    struct wallbox_point p = { 0 };
    unsigned end;
    int error;

    if (c->faults == WALLBOX_FAULTS_MAX)
        return refuse(r, "a connector has at most 8 fault inputs");
    if (take_place(r, &p) < 0 || take_point(r, 5, &p, &end) < 0)
        return AMP_E_FORMAT;
    error = end + 1 == r->count ? find(errors, AMP_COUNT(errors), r->word[end]) : -1;
    if (error < 0)
        return refuse(r, "a fault input ends with an error of OCPP 1.6, such as GroundFailure");
    c->points[WALLBOX_FAULT + c->faults] = p;
    c->errors[c->faults++] = error;
    return 0;
}

static int on_connector(struct reader *r)
{
    struct wallbox_connector_map *c;
    struct wallbox_point p = { 0 };
    int64_t n;
    unsigned end;
    int slot;

    if (r->count < 4 || !number(r->word[1], 1, AMP_CONNECTORS_MAX, &n))
        return refuse(r, "connector NUMBER WHAT ...");
    c = &r->map->connector[n];
    if (n > r->map->connectors)
        r->map->connectors = (int)n;
    if (amp_text_is(r->word[2], "meter"))
        return take_meter(r, c);
    if (amp_text_is(r->word[2], "fault"))
        return take_fault(r, c);
    if (amp_text_is(r->word[2], "wired")) {
        if (r->count != 4 || !number(r->word[3], 1, 3, &n) || n == 2)
            return refuse(r, "1 or 3 phases are wired");
        c->wired = (int)n;
        return 0;
    }
    if (amp_text_is(r->word[2], "most")) {
        if (r->count != 4 || !number(r->word[3], 6, 80, &n))
            return refuse(r, "6 to 80 ampere per phase");
        c->most_ma = (int32_t)n * 1000;
        return 0;
    }
    slot = find(slots, AMP_COUNT(slots), r->word[2]);
    if (slot < WALLBOX_METER_SLOTS)
        return refuse(r, "what is it? see the list in map.h; quantities belong into a profile");
    if (take_place(r, &p) < 0 || take_point(r, 5, &p, &end) < 0)
        return AMP_E_FORMAT;
    if (end != r->count)
        return refuse(r, "too many words, or an unknown type");
    if (wallbox_is_output((enum wallbox_slot)slot) &&
        (p.table == WALLBOX_DISCRETE || p.table == WALLBOX_INPUT))
        return refuse(r, "only a coil or a holding register can be written");
    if (wallbox_is_output((enum wallbox_slot)slot) && p.table == WALLBOX_HOLDING &&
        p.type != WALLBOX_U16)
        return refuse(r, "a register that is written is u16");
    c->points[slot] = p;
    return 0;
}

static int on_profile(struct reader *r)
{
    struct wallbox_profile *own = NULL;
    struct wallbox_point p = { 0 };
    unsigned end;
    int slot = r->count > 2 ? find(slots, WALLBOX_METER_SLOTS, r->word[2]) : -1;

    if (slot < 0)
        return refuse(r, "profile NAME QUANTITY TABLE ADDRESS ...");
    if (r->word[1].len >= sizeof own->name)
        return refuse(r, "a name has at most 63 bytes");
    if (take_point(r, 3, &p, &end) < 0)
        return AMP_E_FORMAT;
    if (end != r->count)
        return refuse(r, "too many words, or an unknown type");
    for (int i = 0; i < r->map->profile_count; i++)
        if (amp_text_is(r->word[1], r->map->profiles[i].name))
            own = &r->map->profiles[i];
    if (!own && r->map->profile_count == WALLBOX_PROFILES_MAX)
        return refuse(r, "at most 4 profiles");
    if (!own) {
        own = &r->map->profiles[r->map->profile_count++];
        amp_text_copy(own->name, sizeof own->name, r->word[1]);
    }
    own->points[slot] = p;
    return 0;
}

static int take_tcp(struct reader *r, struct wallbox_bus_map *b)
{
    struct amp_text t = r->word[3];
    uint32_t colon = t.len;
    int64_t port;

    while (colon > 0 && t.at[colon - 1] != ':')
        colon--;
    if (r->count != 4 || colon < 2 || colon - 1 >= sizeof b->where ||
        !number((struct amp_text){ t.at + colon, t.len - colon }, 1, 65535, &port))
        return refuse(r, "bus NAME tcp HOST:PORT");
    amp_text_copy(b->where, sizeof b->where, (struct amp_text){ t.at, colon - 1 });
    snprintf(b->port, sizeof b->port, "%d", (int)port);
    return 0;
}

static int take_rtu(struct reader *r, struct wallbox_bus_map *b)
{
    int64_t baud;
    const char *f = r->count == 6 ? r->word[5].at : "";

    if (r->count != 6 || r->word[3].len >= sizeof b->where ||
        !number(r->word[4], 300, 1000000, &baud) || r->word[5].len != 3 ||
        (f[0] != '7' && f[0] != '8') || !memchr("NEO", f[1], 3) || (f[2] != '1' && f[2] != '2'))
        return refuse(r, "bus NAME rtu DEVICE BAUD FORMAT, such as /dev/ttyUSB0 9600 8N1");
    b->rtu = true;
    b->baud = (int)baud;
    b->data_bits = f[0] - '0';
    b->parity = f[1];
    b->stop_bits = f[2] - '0';
    amp_text_copy(b->where, sizeof b->where, r->word[3]);
    return 0;
}

static int on_bus(struct reader *r)
{
    struct wallbox_bus_map *b = &r->map->buses[r->map->bus_count];
    int rc;

    if (r->map->bus_count == WALLBOX_BUSES_MAX)
        return refuse(r, "at most 4 buses");
    if (r->count < 4 || r->word[1].len >= sizeof b->name)
        return refuse(r, "bus NAME tcp HOST:PORT, or bus NAME rtu DEVICE BAUD FORMAT");
    amp_text_copy(b->name, sizeof b->name, r->word[1]);
    rc = amp_text_is(r->word[2], "tcp")   ? take_tcp(r, b)
         : amp_text_is(r->word[2], "rtu") ? take_rtu(r, b)
                                          : refuse(r, "a bus is tcp or rtu");
    if (rc == 0)
        r->map->bus_count++;
    return rc;
}

static int on_tags(struct reader *r)
{
    r->map->keys = r->count == 3 && amp_text_is(r->word[1], "keys");
    if (r->count != (r->map->keys ? 3u : 2u) || r->word[r->count - 1].len >= sizeof r->map->tags)
        return refuse(r, "tags FILE, or tags keys FILE");
    amp_text_copy(r->map->tags, sizeof r->map->tags, r->word[r->count - 1]);
    return 0;
}

static int on_time(struct reader *r, int64_t *ms, int64_t least, int64_t most)
{
    return r->count == 2 && number(r->word[1], least, most, ms)
               ? 0
               : refuse(r, "milliseconds: a number that makes sense here");
}

static int statement(struct reader *r)
{
    struct amp_text what = r->word[0];

    return amp_text_is(what, "bus")         ? on_bus(r)
           : amp_text_is(what, "connector") ? on_connector(r)
           : amp_text_is(what, "profile")   ? on_profile(r)
           : amp_text_is(what, "tags")      ? on_tags(r)
           : amp_text_is(what, "answer")    ? on_time(r, &r->map->answer_ms, 20, 5000)
           : amp_text_is(what, "poll")      ? on_time(r, &r->map->poll_ms, 10, 60000)
           : amp_text_is(what, "stale")     ? on_time(r, &r->map->stale_ms, 100, 600000)
           : amp_text_is(what, "hold")      ? on_time(r, &r->map->hold_ms, 0, 60000)
           : amp_text_is(what, "bolt")      ? on_time(r, &r->map->bolt_ms, 10, 3000)
                                            : refuse(r, "unknown word at the beginning");
}

/* What every connector must have, and what all must have or none. */
static const char *missing(const struct wallbox_map *m)
{
    static const enum wallbox_slot alike[] = { WALLBOX_LOCK, WALLBOX_LOCKED, WALLBOX_LIMIT };
    const struct wallbox_point *first = m->connector[1].points;

    if (!m->connectors)
        return "no connector";
    for (int c = 1; c <= m->connectors; c++) {
        const struct wallbox_point *p = m->connector[c].points;
        uint16_t raw;

        if (!p[WALLBOX_PERMIT].used)
            return "every connector needs permit: what closes the contactor";
        if (!p[WALLBOX_PILOT].used && !p[WALLBOX_PLUG].used)
            return "every connector needs pilot or plug";
        if (!p[WALLBOX_ENERGY].used)
            return "every connector needs a meter";
        for (size_t i = 0; i < AMP_COUNT(alike); i++)
            if (p[alike[i]].used != first[alike[i]].used)
                return "lock, locked and limit: all connectors, or none";
        if (p[WALLBOX_LIMIT].used &&
            wallbox_encode(&p[WALLBOX_LIMIT], m->connector[c].most_ma / 1000.0, &raw) < 0)
            return "the highest current does not fit into the register of limit";
        if (p[WALLBOX_LOCKED].used && !p[WALLBOX_LOCK].used)
            return "locked without lock";
    }
    return m->stale_ms < 2 * m->poll_ms ? "stale must be at least twice poll" : NULL;
}

int wallbox_map_parse(struct amp_text text, struct wallbox_map *out, unsigned *line,
                      const char **why)
{
    struct reader r = { .map = out };

    *out = (struct wallbox_map){
        .answer_ms = 300, .poll_ms = 500, .stale_ms = 3000, .bolt_ms = 1000, .hold_ms = 1000
    };
    for (int c = 1; c <= AMP_CONNECTORS_MAX; c++) {
        out->connector[c].wired = 3;
        out->connector[c].most_ma = 16000;
    }
    *line = 0;
    while (text.len) {
        const char *end = memchr(text.at, '\n', text.len);
        uint32_t len = end ? (uint32_t)(end - text.at) : text.len;

        ++*line;
        split(&r, (struct amp_text){ text.at, len });
        if (r.count && statement(&r) < 0) {
            *why = r.why;
            return AMP_E_FORMAT;
        }
        len += end != NULL;
        text = (struct amp_text){ text.at + len, text.len - len };
    }
    *line = 0;
    *why = missing(out);
    return *why ? AMP_E_FORMAT : 0;
}

/* ---- values ---- */

bool wallbox_is_output(enum wallbox_slot slot)
{
    return slot >= WALLBOX_PERMIT && slot <= WALLBOX_LAMP;
}

unsigned wallbox_words(const struct wallbox_point *p)
{
    return types[p->type].words;
}

int wallbox_decode(const struct wallbox_point *p, const uint16_t *raw, double *out)
{
    bool swapped = p->type >= WALLBOX_U32_LE;
    uint32_t pair = wallbox_words(p) == 2
                        ? (uint32_t)raw[swapped ? 1 : 0] << 16 | raw[swapped ? 0 : 1]
                        : raw[0];
    float f;

    switch ((enum wallbox_type)p->type) {
    case WALLBOX_BIT:
        *out = ((pair >> p->bit) & 1) != p->inverted;
        return 0;
    case WALLBOX_S16:
        *out = (int16_t)raw[0];
        break;
    case WALLBOX_S32:
    case WALLBOX_S32_LE:
        *out = (int32_t)pair;
        break;
    case WALLBOX_F32:
    case WALLBOX_F32_LE:
        memcpy(&f, &pair, sizeof f);
        *out = (double)f;
        break;
    case WALLBOX_U16:
    case WALLBOX_U32:
    case WALLBOX_U32_LE:
        *out = pair;
        break;
    }
    *out *= p->scale;
    return isfinite(*out) ? 0 : AMP_E_VALUE;
}

int wallbox_encode(const struct wallbox_point *p, double value, uint16_t *raw)
{
    if (p->type == WALLBOX_BIT) {
        *raw = (value != 0) != p->inverted;
        return 0;
    }
    value = floor(value / p->scale + 1e-9); /* 0.1 is not exact: 16 / 0.1 is 160 */
    if (!(value >= 0 && value <= 65535))
        return AMP_E_RANGE;
    *raw = (uint16_t)value;
    return 0;
}
