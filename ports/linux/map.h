/* ports/linux/map.h - which register of which device is what: the description of a wallbox that is
 * made of Modbus devices, read from a text file.
 *
 * One statement a line, # begins a comment. Numbers may be 0x...; addresses are those on the wire,
 * from 0 (30053 in a manual is input 52).
 *
 *   bus NAME tcp HOST:PORT              a device in the network, or a gateway
 *   bus NAME rtu DEVICE BAUD FORMAT     RS-485: bus rs485 rtu /dev/ttyUSB0 9600 8N1
 *   answer MS       a device answers in this time, or has failed (300)
 *   poll MS         between two looks at everything (500)
 *   stale MS        a reading older than this is none (3000)
 *   hold MS         an error is told for at least this time (1000)
 *   bolt MS         what a lock may take to turn (1000)
 *   tags FILE       a reader that writes one tag a line: a serial line, a FIFO
 *   tags keys FILE  a reader that types like a keyboard: /dev/input/by-id/...
 *
 *   connector N meter BUS UNIT PROFILE  sdm630, sdm72, sdm120, or one of the file's own
 *   connector N wired PHASES            how many phases are connected (3)
 *   connector N most AMPERE             per phase: what cable and fuse allow (16)
 *   connector N WHAT BUS UNIT TABLE ADDRESS [TYPE] [SCALE] [inverted]
 *   connector N fault BUS UNIT TABLE ADDRESS [TYPE] [inverted] ERROR     as OCPP 1.6 spells it
 *   profile NAME QUANTITY TABLE ADDRESS [TYPE] [SCALE]
 *
 * TABLE is coil, discrete, holding or input. TYPE is bit for the first two; for registers u16
 * (which is meant when nothing stands there), s16, u32, s32, f32, the last three with `le` behind
 * when the low word comes first, or bit0 to bit15 of a register. A count times SCALE (1) is the
 * value.
 *
 * WHAT is written:
 *   permit        energy may flow: 1; else 0. Every connector has it
 *   limit         ampere per phase; a value between two counts becomes the lower one; 0 pauses
 *   phase-switch  1 or 3: phases that are offered
 *   lock          1 holds the plug
 *   lamp          the state of the connector, 1 to 9: enum amp_status
 * and read:
 *   pilot         control pilot: 1 to 6, or the letters A to F. Tells plug and ready, too
 *   plug          a plug is in (without pilot; one of the two every connector has)
 *   ready         the car wants energy (without pilot; absent: always when plugged)
 *   locked        the lock's own contact
 *   closed        the contactor's auxiliary contact: finds a welded one
 * QUANTITY, and what its value is then: energy Wh (import, needed), power W, frequency Hz,
 * temperature °C, soc %, current1 to current3 A, voltage1 to voltage3 V.
 *
 * Lock, locked, limit: all connectors have it, or none. */
#ifndef WALLBOX_MAP_H
#define WALLBOX_MAP_H

#include "ocpp/err.h"
#include "ocpp/text.h"
#include "station/limits.h"
#include <stdbool.h>

#define WALLBOX_BUSES_MAX    4
#define WALLBOX_PROFILES_MAX 4 /* of the file's own */
#define WALLBOX_FAULTS_MAX   8 /* inputs of a connector */
#define WALLBOX_NAME_MAX     64

enum wallbox_table { WALLBOX_COIL, WALLBOX_DISCRETE, WALLBOX_HOLDING, WALLBOX_INPUT };

enum wallbox_type {
    WALLBOX_BIT,
    WALLBOX_U16,
    WALLBOX_S16,
    WALLBOX_U32,
    WALLBOX_S32,
    WALLBOX_F32,
    WALLBOX_U32_LE,
    WALLBOX_S32_LE,
    WALLBOX_F32_LE
};

/* What can be written or read at a connector. The meter's come first. */
enum wallbox_slot {
    WALLBOX_ENERGY,
    WALLBOX_POWER,
    WALLBOX_FREQUENCY,
    WALLBOX_TEMPERATURE,
    WALLBOX_SOC,
    WALLBOX_CURRENT, /* and 2 more */
    WALLBOX_VOLTAGE = WALLBOX_CURRENT + 3,
    WALLBOX_METER_SLOTS = WALLBOX_VOLTAGE + 3,
    WALLBOX_PILOT = WALLBOX_METER_SLOTS,
    WALLBOX_PLUG,
    WALLBOX_READY,
    WALLBOX_LOCKED,
    WALLBOX_CLOSED,
    WALLBOX_PERMIT,
    WALLBOX_LIMIT,
    WALLBOX_PHASES,
    WALLBOX_LOCK,
    WALLBOX_LAMP,  /* outputs */
    WALLBOX_FAULT, /* and 7 more */
    WALLBOX_SLOTS = WALLBOX_FAULT + WALLBOX_FAULTS_MAX
};

/* One value in a device. */
struct wallbox_point {
    bool used, inverted;
    uint8_t bus, unit, table, type, bit; /* bit: of a register, with WALLBOX_BIT */
    uint16_t address;
    double scale;
};

struct wallbox_bus_map {
    char name[WALLBOX_NAME_MAX], where[WALLBOX_NAME_MAX]; /* device, or host */
    bool rtu;
    char port[8]; /* TCP */
    int baud, data_bits, stop_bits;
    char parity; /* N, E, O */
};

struct wallbox_connector_map {
    struct wallbox_point points[WALLBOX_SLOTS];
    int errors[WALLBOX_FAULTS_MAX]; /* enum amp_error of the fault inputs */
    int faults, wired;
    int32_t most_ma;
};

struct wallbox_profile {
    char name[WALLBOX_NAME_MAX];
    struct wallbox_point points[WALLBOX_METER_SLOTS]; /* bus and unit are not set */
};

struct wallbox_map {
    struct wallbox_bus_map buses[WALLBOX_BUSES_MAX];
    int bus_count, connectors, profile_count;
    int64_t answer_ms, poll_ms, stale_ms, bolt_ms, hold_ms;
    char tags[2 * WALLBOX_NAME_MAX]; /* "": no reader */
    bool keys;
    struct wallbox_connector_map connector[AMP_CONNECTORS_MAX + 1]; /* from 1 */
    struct wallbox_profile profiles[WALLBOX_PROFILES_MAX];
};

/* Read a description. 0; AMP_E_FORMAT with *line (from 1; 0: the whole) and *why, a constant text.
 */
int wallbox_map_parse(struct amp_text text, struct wallbox_map *out, unsigned *line,
                      const char **why) AMP_CHECKED;

bool wallbox_is_output(enum wallbox_slot slot);
unsigned wallbox_words(const struct wallbox_point *p); /* registers or bits that it takes */

/* The value that `raw` (wallbox_words of them) stands for. Never infinite or NaN: AMP_E_VALUE. */
int wallbox_decode(const struct wallbox_point *p, const uint16_t *raw, double *out) AMP_CHECKED;

/* The other way; rounded down. AMP_E_RANGE: it does not fit. */
int wallbox_encode(const struct wallbox_point *p, double value, uint16_t *raw) AMP_CHECKED;

#endif
