/* station/smart_picture_test.h - what the tests of station/smart.h share: a site and its profiles
 * as a picture in memory, without a station. */
#ifndef AMP_SMART_PICTURE_TEST_H
#define AMP_SMART_PICTURE_TEST_H

#include "ocpp/check.h"
#include "station/smart.h"
#include <stdlib.h>

#define T0                1750000000000 /* a Sunday, 15:06:40 UTC */
#define S                 INT64_C(1000)
#define HOUR              (3600 * S)
#define DAY               (24 * HOUR)
#define A(tenths, phases) ((uint32_t)(tenths) << 2 | (phases))

/* ---- making pictures ---- */

static struct amp_profiles set;
static struct amp_site site;

static inline void clean(int connectors)
{
    memset(&set, 0, sizeof(set));
    memset(&site, 0, sizeof(site));
    site.set = &set;
    site.connectors = connectors;
    site.clock = true;
    site.volts = 230;
    for (int c = 1; c <= connectors; c++) {
        site.con[c].max_ma = 32000;
        site.con[c].least_ma = 6000;
        site.con[c].phases = 3;
    }
}

static inline void begin(int c, uint32_t local, int64_t start)
{
    site.con[c].in_tx = site.con[c].active = site.con[c].wants = true;
    site.con[c].local = local;
    site.con[c].start_ms = start;
}

static inline struct amp_profile profile(int32_t id, int purpose, int connector, int level)
{
    return (struct amp_profile){ .id = id,
                                 .purpose = (uint8_t)purpose,
                                 .connector = (uint8_t)connector,
                                 .level = (uint8_t)level,
                                 .kind = AMP_KIND_ABSOLUTE,
                                 .unit = AMP_UNIT_A,
                                 .start_ms = T0,
                                 .from_ms = INT64_MIN,
                                 .to_ms = AMP_EVER,
                                 .duration_s = AMP_OPEN_END };
}

static inline void add(struct amp_profile p, unsigned count, const struct amp_period *periods)
{
    CHECK(amp_profiles_install(&set, &p, periods, count) == 0, "profile %d", (int)p.id);
}

static inline void add_flat(struct amp_profile p, uint32_t limit)
{
    add(p, 1, &(struct amp_period){ 0, limit });
}

static inline int64_t ma(int connector, int64_t t)
{
    struct amp_limits l;

    amp_smart_evaluate(&site, t, &l);
    return l.ua[connector] / 1000;
}

static inline int64_t until(int64_t t)
{
    struct amp_limits l;

    amp_smart_evaluate(&site, t, &l);
    return l.until_ms == AMP_EVER ? -1 : l.until_ms - t;
}

#endif
