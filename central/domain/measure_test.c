/* central/domain/measure_test.c - every measurand and every unit of 1.6 has a place; what is not
 * known keeps its words. */
#include "central/domain/measure.h"
#include "ocpp/check.h"

static const struct {
    const char *why, *value, *measurand, *unit;
    const char *want, *base; /* want NULL: no number */
} cases[] = {
    { "E85: no measurand, no unit", "1234", NULL, NULL, "1234", "Wh" },
    { "E84: kWh", "10.1", "Energy.Active.Import.Register", "kWh", "10100", "Wh" },
    { "exactly", "0.0001", "Energy.Active.Import.Register", "kWh", "0.1", "Wh" },
    { "E90: a comma", "1,5", "Energy.Active.Export.Register", "kWh", "1500", "Wh" },
    { "export", "7", "Energy.Active.Export.Register", NULL, "7", "Wh" },
    { "E86: intervals", "7", "Energy.Active.Import.Interval", NULL, "7", "Wh" },
    { "", "7", "Energy.Active.Export.Interval", "kWh", "7000", "Wh" },
    { "reactive", "7", "Energy.Reactive.Import.Register", NULL, "7", "varh" },
    { "", "7.5", "Energy.Reactive.Export.Register", "kvarh", "7500", "varh" },
    { "", "7", "Energy.Reactive.Import.Interval", NULL, "7", "varh" },
    { "", "7", "Energy.Reactive.Export.Interval", NULL, "7", "varh" },
    { "power", "7.4", "Power.Active.Import", "kW", "7400", "W" },
    { "", "-7.4", "Power.Active.Export", "kW", "-7400", "W" },
    { "", "11", "Power.Offered", NULL, "11", "W" },
    { "", "1", "Power.Reactive.Import", "kvar", "1000", "var" },
    { "", "1", "Power.Reactive.Export", NULL, "1", "var" },
    { "apparent", "2", "Power.Active.Import", "kVA", "2000", "VA" },
    { "", "2", "Power.Active.Import", "VA", "2", "VA" },
    { "a factor has no unit", "0.98", "Power.Factor", NULL, "0.98", NULL },
    { "current", "16.04", "Current.Import", NULL, "16.04", "A" },
    { "E84: mA", "16040", "Current.Export", "mA", "16.04", "A" },
    { "", "32", "Current.Offered", "A", "32", "A" },
    { "voltage", "230.1", "Voltage", NULL, "230.1", "V" },
    { "E84: mV", "230100", "Voltage", "mV", "230.1", "V" },
    { "frequency, which has no unit of its own in 1.6", "49.98", "Frequency", NULL, "49.98", "Hz" },
    { "", "1500", "RPM", NULL, "1500", "rpm" },
    { "", "81", "SoC", NULL, "81", "Percent" },
    { "", "81", "SoC", "Percent", "81", "Percent" },
    { "temperature", "21.5", "Temperature", NULL, "21.5", "Celsius" },
    { "E73: as the schema spells it", "21.5", "Temperature", "Celcius", "21.5", "Celsius" },
    { "", "294.65", "Temperature", "K", "21.5", "Celsius" },
    { "", "70.7", "Temperature", "Fahrenheit", "21.5", "Celsius" },
    { "an unknown measurand keeps its name", "5", "Vendor.Thing", NULL, "5", NULL },
    { "an unknown unit stays as sent", "5", "Vendor.Thing", "furlong", "5", "furlong" },
    { "E81: empty", "", "Voltage", NULL, NULL, "V" },
    { "E81: signed data", "OCMF|{}|{}", "Energy.Active.Import.Register", "kWh", NULL, "kWh" },
};

static void test_units(void)
{
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct measure_sent in = { .value = amp_text_of(cases[i].value),
                                   .measurand = amp_text_of(cases[i].measurand),
                                   .unit = amp_text_of(cases[i].unit) };
        struct measure out;
        char text[64];
        struct amp_buf b;

        measure_read(&in, &out);
        CHECK(out.number == (cases[i].want != NULL), "%s %s: a number", cases[i].why,
              cases[i].value);
        CHECK(cases[i].base ? amp_text_is(out.unit, cases[i].base) : !out.unit.len,
              "%s %s %s: unit %.*s", cases[i].why, cases[i].value, cases[i].measurand,
              AMP_FMT(out.unit));
        amp_buf_init(&b, text, sizeof text);
        amp_dec_write(&b, out.value);
        CHECK(!cases[i].want || amp_text_is(amp_buf_text(&b), cases[i].want), "%s %s: %.*s",
              cases[i].why, cases[i].value, AMP_FMT(amp_buf_text(&b)));
    }
}

static void test_words(void)
{
    struct measure_sent in = { .value = AMP_TEXT("1"),
                               .format = AMP_TEXT("SignedData"),
                               .phase = AMP_TEXT("L1-N"),
                               .location = AMP_TEXT("Inlet"),
                               .context = AMP_TEXT("Sample.Clock") };
    struct measure out;

    measure_read(&in, &out);
    CHECK(amp_text_is(out.phase, "L1-N") && amp_text_is(out.location, "Inlet") &&
              amp_text_is(out.context, "Sample.Clock"),
          "as sent");
    CHECK(!out.number, "E81: signed digits are no number");
    CHECK(measure_by_clock(out.context) && !measure_by_clock(AMP_TEXT("Sample.Periodic")), "E89");
    measure_read(&(struct measure_sent){ .value = AMP_TEXT("1") }, &out);
    CHECK(amp_text_is(out.location, "Outlet") && amp_text_is(out.context, "Sample.Periodic") &&
              !out.phase.len,
          "E85: defaults");
}

int main(void)
{
    RUN(test_units);
    RUN(test_words);
    return check_end();
}
