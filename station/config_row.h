/* station/config_row.h - one configuration key: shared by config.c, which has the table, and config_value.c, which reads and writes
 * values. */
#ifndef AMP_CONFIG_ROW_H
#define AMP_CONFIG_ROW_H

#include "station/impl.h"

enum kind { BOOL, INT, LIST, ROTATION, KEY, NAME, UNITS, FIXED };
enum access { R = 1, W = 2, RW = 3 };

struct amp_config_row {
    const char *name;
    uint8_t kind, access;
    uint16_t offset; /* in struct amp_settings */
    int32_t min, max;
    const char *initial;
    void (*apply)(struct amp_station *st);                            /* acts at once */
    void (*fixed)(const struct amp_station *st, struct amp_buf *out); /* FIXED: what it is */
};

/* Into `set`; untouched when the value is no good: AMP_E_VALUE, AMP_E_TYPE; AMP_E_SUPPORT: FIXED. */
int amp_config_parse(const struct amp_station *st, const struct amp_config_row *r, struct amp_text t, struct amp_settings *set);
void amp_config_write(const struct amp_station *st, const struct amp_config_row *r, struct amp_buf *out);

#endif
