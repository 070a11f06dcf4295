/* central/domain/measure.c - see measure.h. */
#include "central/domain/measure.h"
#include "ocpp/err.h"

/* clang-format off */
static const struct {
    const char *measurand, *unit; /* the unit that is meant when none is named */
} defaults[] = {
    { "Current.Export",                  "A" },
    { "Current.Import",                  "A" },
    { "Current.Offered",                 "A" },
    { "Energy.Active.Export.Register",   "Wh" },
    { "Energy.Active.Import.Register",   "Wh" },
    { "Energy.Active.Export.Interval",   "Wh" },
    { "Energy.Active.Import.Interval",   "Wh" },
    { "Energy.Reactive.Export.Register", "varh" },
    { "Energy.Reactive.Import.Register", "varh" },
    { "Energy.Reactive.Export.Interval", "varh" },
    { "Energy.Reactive.Import.Interval", "varh" },
    { "Frequency",                       "Hz" },
    { "Power.Active.Export",             "W" },
    { "Power.Active.Import",             "W" },
    { "Power.Factor",                    NULL },
    { "Power.Offered",                   "W" },
    { "Power.Reactive.Export",           "var" },
    { "Power.Reactive.Import",           "var" },
    { "RPM",                             "rpm" },
    { "SoC",                             "Percent" },
    { "Temperature",                     "Celsius" },
    { "Voltage",                         "V" },
};

/* The value times 10^shift is in the base unit. */
static const struct unit {
    const char *unit, *base;
    int8_t shift;
} units[] = {
    { "Wh", "Wh", 0 },           { "kWh", "Wh", 3 },     { "MWh", "Wh", 6 },
    { "varh", "varh", 0 },       { "kvarh", "varh", 3 },
    { "W", "W", 0 },             { "kW", "W", 3 },
    { "VA", "VA", 0 },           { "kVA", "VA", 3 },
    { "var", "var", 0 },         { "kvar", "var", 3 },
    { "A", "A", 0 },             { "mA", "A", -3 },      /* E84 */
    { "V", "V", 0 },             { "mV", "V", -3 },
    { "Percent", "Percent", 0 }, { "Hz", "Hz", 0 },      { "rpm", "rpm", 0 },
    { "Celsius", "Celsius", 0 }, { "Celcius", "Celsius", 0 },
};
/* clang-format on */

bool measure_by_clock(struct amp_text context)
{
    return amp_text_is(context, "Sample.Clock");
}

/* Kelvin and Fahrenheit to Celsius, to the thousandth. False: neither, or too large. */
static bool to_celsius(struct amp_text unit, struct amp_dec *v)
{
    bool kelvin = amp_text_is(unit, "K");
    int64_t m;

    if ((!kelvin && !amp_text_is(unit, "Fahrenheit")) || amp_dec_scale(*v, 3, &m) < 0 ||
        m > INT64_MAX / 20 || m < INT64_MIN / 20)
        return false;
    if (kelvin) {
        m -= 273150;
    } else {
        m = (m - 32000) * 10 / 9; /* twice the value: its half is rounded away from zero */
        m = (m < 0 ? m - 1 : m + 1) / 2;
    }
    *v = amp_dec_of(m, 3);
    return true;
}

static struct amp_text otherwise(struct amp_text t, const char *preset)
{
    return t.len ? t : amp_text_of(preset);
}

void measure_read(const struct measure_sent *in, struct measure *out)
{
    *out = (struct measure){ .measurand = otherwise(in->measurand,
                                                    "Energy.Active.Import.Register"), /* E85 */
                             .context = otherwise(in->context, "Sample.Periodic"),
                             .location = otherwise(in->location, "Outlet"),
                             .phase = in->phase,
                             .unit = in->unit };
    for (size_t i = 0; !in->unit.len && i < AMP_COUNT(defaults); i++)
        if (amp_text_is(out->measurand, defaults[i].measurand))
            out->unit = amp_text_of(defaults[i].unit);
    if (amp_text_is(in->format, "SignedData") || amp_dec_parse(in->value, true, &out->value) < 0)
        return; /* E81: a text */
    out->number = true;
    if (to_celsius(out->unit, &out->value)) {
        out->unit = AMP_TEXT("Celsius");
        return;
    }
    for (size_t i = 0; i < AMP_COUNT(units); i++) {
        const struct unit *u = &units[i];

        if (!amp_text_is(out->unit, u->unit) || out->value.exp > INT8_MAX - u->shift ||
            out->value.exp < INT8_MIN - u->shift)
            continue;
        out->value.exp = (int8_t)(out->value.exp + u->shift);
        out->unit = amp_text_of(u->base);
        return;
    }
}
