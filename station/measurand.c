/* station/measurand.c - names and lists of measurands, and a reading turned into numbers.
 * station-1.6 91, 94, 95, 97. */
#include "station/impl.h"

static const struct {
    const char *name;
    uint32_t has; /* AMP_HAS_ bit that a meter needs for it, 0: always there */
    bool per_phase;
    /* clang-format off */
} kinds[AMP_M_END] = {
    [AMP_M_ENERGY]      = { "Energy.Active.Import.Register", 0,                   false },
    [AMP_M_INTERVAL]    = { "Energy.Active.Import.Interval", 0,                   false },
    [AMP_M_POWER]       = { "Power.Active.Import",           AMP_HAS_POWER,       false },
    [AMP_M_CURRENT]     = { "Current.Import",                AMP_HAS_CURRENT,     true },
    [AMP_M_VOLTAGE]     = { "Voltage",                       AMP_HAS_VOLTAGE,     true },
    [AMP_M_OFFERED]     = { "Current.Offered",               AMP_HAS_OFFERED,     false },
    [AMP_M_FREQUENCY]   = { "Frequency",                     AMP_HAS_FREQUENCY,   false },
    [AMP_M_TEMPERATURE] = { "Temperature",                   AMP_HAS_TEMPERATURE, false },
    [AMP_M_SOC]         = { "SoC",                           AMP_HAS_SOC,         false },
};
/* clang-format on */

static const char *const phases[4] = { "", ".L1", ".L2", ".L3" };

const char *amp_measurand_name(int measurand)
{
    return measurand > 0 && measurand < AMP_M_END ? kinds[measurand].name : "";
}

/* One entry of a list: a name, and for what has phases also the name with .L1, .L2, .L3. 0:
 * unknown. */
static uint8_t item_of(struct amp_text t)
{
    for (int m = 1; m < AMP_M_END; m++)
        for (int phase = 0; phase < (kinds[m].per_phase ? 4 : 1); phase++) {
            char name[40];
            struct amp_buf b;

            amp_buf_init(&b, name, sizeof(name));
            amp_buf_puts(&b, kinds[m].name);
            amp_buf_puts(&b, phases[phase]);
            if (amp_text_eqi(t, amp_buf_text(&b)))
                return (uint8_t)(m | phase << 5);
        }
    return 0;
}

int amp_measurands_parse(struct amp_text t, struct amp_measurands *out)
{
    struct amp_measurands list = { 0 };

    t = amp_text_trim(t);
    while (t.len) {
        uint32_t n = 0;
        uint8_t item;

        while (n < t.len && t.at[n] != ',')
            n++;
        item = item_of(amp_text_trim((struct amp_text){ t.at, n }));
        if (!item || list.count == AMP_MEASURANDS_MAX || memchr(list.item, item, list.count))
            return AMP_E_VALUE;
        list.item[list.count++] = item;
        if (n == t.len)
            break;
        t.at += n + 1;
        t.len -= n + 1;
        if (!amp_text_trim(t).len)
            return AMP_E_VALUE; /* a comma with nothing behind it */
    }
    *out = list;
    return 0;
}

void amp_measurands_write(struct amp_buf *out, const struct amp_measurands *m)
{
    for (unsigned i = 0; i < m->count; i++) {
        if (i)
            amp_buf_putc(out, ',');
        amp_buf_puts(out, kinds[m->item[i] & 31].name);
        amp_buf_puts(out, phases[m->item[i] >> 5]);
    }
}

static struct amp_value value_of(const struct amp_sample *s, int measurand, int phase)
{
    const struct amp_reading *r = &s->reading;
    int i = phase ? phase - 1 : 0;

    switch (measurand) {
    case AMP_M_INTERVAL:
        return (struct amp_value){ AMP_M_INTERVAL, 0, 0, s->interval_wh };
    case AMP_M_POWER:
        return (struct amp_value){ AMP_M_POWER, 0, 0, r->power_w };
    case AMP_M_CURRENT:
        return (struct amp_value){ AMP_M_CURRENT, (uint8_t)phase, 3, r->current_ma[i] };
    case AMP_M_VOLTAGE:
        return (struct amp_value){ AMP_M_VOLTAGE, (uint8_t)phase, 3, r->voltage_mv[i] };
    case AMP_M_OFFERED:
        return (struct amp_value){ AMP_M_OFFERED, 0, 3, r->offered_ma };
    case AMP_M_FREQUENCY:
        return (struct amp_value){ AMP_M_FREQUENCY, 0, 3, r->frequency_mhz };
    case AMP_M_TEMPERATURE:
        return (struct amp_value){ AMP_M_TEMPERATURE, 0, 3, r->temperature_mc };
    case AMP_M_SOC:
        return (struct amp_value){ AMP_M_SOC, 0, 1, r->soc_permille };
    default:
        return (struct amp_value){ AMP_M_ENERGY, 0, 0, r->energy_wh };
    }
}

unsigned amp_sample_values(const struct amp_sample *s, struct amp_value out[AMP_VALUES_MAX])
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->which.count; i++) {
        int m = s->which.item[i] & 31, phase = s->which.item[i] >> 5;
        bool single = s->reading.phases < 2;

        if (m < 1 || m >= AMP_M_END || (s->reading.has & kinds[m].has) != kinds[m].has)
            continue;
        if (!kinds[m].per_phase || (single && !phase)) {
            out[n++] = value_of(s, m, 0); /* one phase is the whole: no phase named */
            continue;
        }
        for (int p = 1; p <= (single ? 1 : 3); p++)
            if (!phase || phase == p)
                out[n++] = value_of(s, m, p);
    }
    return n;
}

void amp_reading_pack(struct amp_buf *out, const struct amp_reading *r)
{
    amp_pack_u8(out, r->has);
    amp_pack_u8(out, r->phases);
    amp_pack_i64(out, r->energy_wh);
    amp_pack_i32(out, r->power_w);
    for (int i = 0; i < 3; i++) {
        amp_pack_i32(out, r->current_ma[i]);
        amp_pack_i32(out, r->voltage_mv[i]);
    }
    amp_pack_i32(out, r->temperature_mc);
    amp_pack_i32(out, r->soc_permille);
    amp_pack_i32(out, r->offered_ma);
    amp_pack_i32(out, r->frequency_mhz);
}

void amp_reading_cut(struct amp_cut *in, struct amp_reading *r)
{
    memset(r, 0, sizeof(*r));
    r->has = amp_cut_u8(in);
    r->phases = (uint8_t)amp_cut_u8(in);
    r->energy_wh = amp_cut_i64(in);
    r->power_w = amp_cut_i32(in);
    for (int i = 0; i < 3; i++) {
        r->current_ma[i] = amp_cut_i32(in);
        r->voltage_mv[i] = amp_cut_i32(in);
    }
    r->temperature_mc = amp_cut_i32(in);
    r->soc_permille = amp_cut_i32(in);
    r->offered_ma = amp_cut_i32(in);
    r->frequency_mhz = amp_cut_i32(in);
}

void amp_sample_pack(struct amp_buf *out, const struct amp_sample *s)
{
    amp_pack_when(out, s->when);
    amp_pack_u8(out, s->context);
    amp_pack_i32(out, s->interval_wh);
    amp_pack_u8(out, s->which.count);
    amp_buf_put(out, s->which.item, s->which.count);
    amp_reading_pack(out, &s->reading);
}

void amp_sample_cut(struct amp_cut *in, struct amp_sample *s)
{
    memset(s, 0, sizeof(*s));
    s->when = amp_cut_when(in);
    s->context = (uint8_t)amp_cut_u8(in);
    s->interval_wh = amp_cut_i32(in);
    s->which.count = (uint8_t)amp_cut_u8(in);
    if (s->which.count > AMP_MEASURANDS_MAX) {
        s->which.count = 0;
        in->bad = true;
    }
    for (unsigned i = 0; i < s->which.count; i++)
        s->which.item[i] = (uint8_t)amp_cut_u8(in);
    amp_reading_cut(in, &s->reading);
}
