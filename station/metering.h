/* station/metering.h - when the meter is read, and which readings are sent. OCPP 1.6 §4.7; station-1.6 86-97.
 * Knows no message version: station/v16 does. */
#ifndef AMP_METERING_H
#define AMP_METERING_H

#include "station/pack.h"
#include "station/port.h"
#include "station/limits.h"

struct amp_station;

enum amp_measurand {
    AMP_M_ENERGY = 1, /* import register */
    AMP_M_INTERVAL,   /* import since the sample before */
    AMP_M_POWER, AMP_M_CURRENT, AMP_M_VOLTAGE, AMP_M_OFFERED, AMP_M_FREQUENCY, AMP_M_TEMPERATURE, AMP_M_SOC,
    AMP_M_END
};

/* Why a sample was taken. */
enum amp_context {
    AMP_C_PERIODIC = 1, AMP_C_CLOCK, AMP_C_BEGIN, AMP_C_END, AMP_C_TRIGGER
};

/* A list of measurands as a configuration key holds it: measurand | phase << 5, phase 0 is "all there are". */
struct amp_measurands {
    uint8_t count;
    uint8_t item[AMP_MEASURANDS_MAX];
};

/* A point in time that is right even when the wall clock was not known: Unix ms (boot 0), or monotonic ms of boot number `boot`. */
struct amp_when {
    int64_t ms;
    uint32_t boot;
};

struct amp_sample {
    struct amp_when when;
    uint8_t context;              /* enum amp_context */
    int32_t interval_wh;          /* AMP_M_INTERVAL */
    struct amp_measurands which;
    struct amp_reading reading;
};

/* One number of a sample: value / 10^places in the measurand's unit. */
struct amp_value {
    uint8_t measurand, phase;     /* phase 0: overall */
    uint8_t places;
    int64_t value;
};
#define AMP_VALUES_MAX (AMP_MEASURANDS_MAX * 3)

const char *amp_measurand_name(int measurand); /* "Energy.Active.Import.Register" */

/* "Energy.Active.Import.Register, Voltage.L1" to a list: blanks around commas, case as CiString. 0; AMP_E_VALUE: unknown measurand,
 * one twice, or more than the list holds; then `out` is untouched. Empty text is the empty list. */
int amp_measurands_parse(struct amp_text t, struct amp_measurands *out);
void amp_measurands_write(struct amp_buf *out, const struct amp_measurands *m);

/* The values of a sample in the order of its list; measurands that the meter does not have are left out. Returns the number. */
unsigned amp_sample_values(const struct amp_sample *s, struct amp_value out[AMP_VALUES_MAX]);

void amp_reading_pack(struct amp_buf *out, const struct amp_reading *r);
void amp_reading_cut(struct amp_cut *in, struct amp_reading *r);
void amp_sample_pack(struct amp_buf *out, const struct amp_sample *s);
void amp_sample_cut(struct amp_cut *in, struct amp_sample *s);

/* Read the meter; connector 0 is the sum of all. A register that steps back is held at its last value. 0, or the meter's error. */
int amp_meter_read(struct amp_station *st, int connector, struct amp_reading *out);

/* A sample of `which` now. 0, or the meter's error. */
int amp_meter_sample(struct amp_station *st, int connector, enum amp_context context, const struct amp_measurands *which,
                     struct amp_sample *out);

void amp_metering_begin(struct amp_station *st, int connector); /* a transaction began or its interval changed: count from now */
void amp_metering_retime(struct amp_station *st);               /* apply hook of the two intervals */
void amp_metering_trigger(struct amp_station *st, int connector); /* TriggerMessage(MeterValues) */
void amp_metering_poll(struct amp_station *st);

#endif
