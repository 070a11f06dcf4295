/* central/v16/sample_test.c - totals of sampled values, from JSON as stations send it. */
#include "central/v16/sample.h"
#include "ocpp/check.h"

static unsigned char block[1 << 16];

/* Totals of the samples in `json`. */
static struct reading_fact totals(const char *json)
{
    char text[4096];
    struct amp_arena arena;
    struct amp_fault fault = { 0 };
    struct ocpp16_meter_value m;
    struct reading_fact r = { .energy_wh = 99, .has = 0xffff };

    snprintf(text, sizeof text, "{\"timestamp\":\"2024-06-01T08:00:00Z\",\"sampledValue\":[%s]}",
             json);
    amp_arena_init(&arena, block, sizeof block);
    CHECK(amp_decode(&ocpp16_meter_value_record, AMP_OCPP16, AMP_LENIENT, amp_text_of(text), &m,
                     &arena, &fault, NULL) == 0,
          "%s: %s %s", json, fault.path, fault.why ? fault.why : "");
    v16_sample_totals(m.sampled_value.at, m.sampled_value.len, &r);
    return r;
}

#define V(value)            "{\"value\":\"" value "\"}"
#define M(value, measurand) "{\"value\":\"" value "\",\"measurand\":\"" measurand "\"}"
#define U(value, measurand, un) \
    "{\"value\":\"" value "\",\"measurand\":\"" measurand "\",\"unit\":\"" un "\"}"
#define P(value, measurand, un, ph)                                                                \
    "{\"value\":\"" value "\",\"measurand\":\"" measurand "\",\"unit\":\"" un "\",\"phase\":\"" ph \
    "\"}"
#define L(value, measurand, loc) \
    "{\"value\":\"" value "\",\"measurand\":\"" measurand "\",\"location\":\"" loc "\"}"
#define ENERGY  "Energy.Active.Import.Register"
#define POWER   "Power.Active.Import"
#define CURRENT "Current.Import"

#define NONE    INT64_MIN

static void test_energy(void)
{
    static const struct {
        const char *why, *json;
        int64_t wh;
    } cases[] = {
        { "E85: no measurand is the energy register", V("1234"), 1234 },
        { "E84: no unit is Wh", M("1234", ENERGY), 1234 },
        { "Wh", U("1234", ENERGY, "Wh"), 1234 },
        { "kWh, exactly", U("10.1", ENERGY, "kWh"), 10100 },
        { "kWh without measurand", "{\"value\":\"1.5\",\"unit\":\"kWh\"}", 1500 },
        { "more digits than a double holds", U("9007199254.740993", ENERGY, "kWh"), 9007199254741 },
        { "rounded once, half away from zero", V("0.5"), 1 },
        { "E90: a comma for the point", U("1,5", ENERGY, "kWh"), 1500 },
        { "a JSON number for text", "{\"value\":42}", 42 },
        { "a value after a jump of context", V("1") "," V("2"), 2 },
        { "E85: a phase never overwrites the total", V("300") "," P("100", ENERGY, "Wh", "L1"),
          300 },
        { "E85: in any order", P("100", ENERGY, "Wh", "L1") "," V("300"), 300 },
        { "E86: only phases are summed",
          P("1", ENERGY, "kWh", "L1") "," P("20", ENERGY, "Wh", "L2") "," P("3", ENERGY, "Wh",
                                                                            "L3"),
          1023 },
        { "a phase to neutral", P("7", ENERGY, "Wh", "L1-N"), 7 },
        { "between phases is no phase", P("7", ENERGY, "Wh", "L1-L2"), NONE },
        { "neutral is no phase", P("7", ENERGY, "Wh", "N"), NONE },
        { "the outlet wins over the inlet", V("5") "," L("9", ENERGY, "Inlet"), 5 },
        { "the inlet over nothing", L("9", ENERGY, "Inlet"), 9 },
        { "E81: empty", V(""), NONE },
        { "E81: signed", "{\"value\":\"OCMF|{}\",\"format\":\"SignedData\"}", NONE },
        { "signed digits are no number", "{\"value\":\"12\",\"format\":\"SignedData\"}", NONE },
        { "no number", V("NaN"), NONE },
        { "a unit of another quantity", U("5", ENERGY, "W"), NONE },
        { "an unknown unit is no guess", U("5", ENERGY, "furlong"), NONE },
        { "an unknown measurand loses only itself", M("5", "Nonsense") "," V("6"), 6 },
        { "E86: an interval is no register", M("5", "Energy.Active.Import.Interval"), NONE },
        { "export is no import", M("5", "Energy.Active.Export.Register"), NONE },
        { "beyond any meter", V("1e17"), NONE },
        { "negative, as sent", V("-4"), -4 },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct reading_fact r = totals(cases[i].json);

        CHECK(((r.has & READING_ENERGY) != 0) == (cases[i].wh != NONE), "%s: has %u", cases[i].why,
              (unsigned)r.has);
        CHECK(cases[i].wh == NONE || r.energy_wh == cases[i].wh, "%s: %lld Wh", cases[i].why,
              (long long)r.energy_wh);
        CHECK(!(r.has & ~(uint32_t)READING_ENERGY), "%s: others %u", cases[i].why, (unsigned)r.has);
    }
}

static void test_others(void)
{
    static const struct {
        const char *why, *json;
        uint32_t has;
        size_t at;
        int64_t value;
    } cases[] = {
        { "W", U("7400", POWER, "W"), READING_POWER, offsetof(struct reading_fact, power_w), 7400 },
        { "kW", U("7.4", POWER, "kW"), READING_POWER, offsetof(struct reading_fact, power_w),
          7400 },
        { "power of phases is summed",
          P("1", POWER, "kW", "L1") "," P("2", POWER, "kW", "L2") "," P("3", POWER, "kW", "L3"),
          READING_POWER, offsetof(struct reading_fact, power_w), 6000 },
        { "apparent power is another thing", U("5", POWER, "VA"), 0,
          offsetof(struct reading_fact, power_w), 0 },
        { "A to mA", U("95.7", CURRENT, "A"), READING_CURRENT,
          offsetof(struct reading_fact, current_ma), 95700 },
        { "current of phases is not summed",
          P("10", CURRENT, "A", "L1") "," P("12.5", CURRENT, "A", "L2") "," P("11", CURRENT, "A",
                                                                              "L3"),
          READING_CURRENT, offsetof(struct reading_fact, current_ma), 12500 },
        { "and never beats the total", U("9", CURRENT, "A") "," P("12", CURRENT, "A", "L1"),
          READING_CURRENT, offsetof(struct reading_fact, current_ma), 9000 },
        { "V to mV", U("229.3", "Voltage", "V"), READING_VOLTAGE,
          offsetof(struct reading_fact, voltage_mv), 229300 },
        { "voltage of phases",
          P("0", "Voltage", "V", "L1-N") "," P("234.1", "Voltage", "V", "L2-N"), READING_VOLTAGE,
          offsetof(struct reading_fact, voltage_mv), 234100 },
        { "percent", U("95", "SoC", "Percent"), READING_SOC,
          offsetof(struct reading_fact, soc_permille), 950 },
        { "Celsius", U("25.5", "Temperature", "Celsius"), READING_TEMPERATURE,
          offsetof(struct reading_fact, temperature_mc), 25500 },
        { "E73: Celcius", U("25.5", "Temperature", "Celcius"), READING_TEMPERATURE,
          offsetof(struct reading_fact, temperature_mc), 25500 },
        { "Kelvin", U("298.15", "Temperature", "K"), READING_TEMPERATURE,
          offsetof(struct reading_fact, temperature_mc), 25000 },
        { "Fahrenheit", U("77", "Temperature", "Fahrenheit"), READING_TEMPERATURE,
          offsetof(struct reading_fact, temperature_mc), 25000 },
        { "Fahrenheit, rounded", U("33", "Temperature", "Fahrenheit"), READING_TEMPERATURE,
          offsetof(struct reading_fact, temperature_mc), 556 },
        { "Fahrenheit, below zero", U("0", "Temperature", "Fahrenheit"), READING_TEMPERATURE,
          offsetof(struct reading_fact, temperature_mc), -17778 },
        { "temperature of the cable, for want of better", L("40", "Temperature", "Cable"),
          READING_TEMPERATURE, offsetof(struct reading_fact, temperature_mc), 40000 },
        { "offered is not flowing", U("32", "Current.Offered", "A"), 0,
          offsetof(struct reading_fact, current_ma), 0 },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct reading_fact r = totals(cases[i].json);
        int64_t value;

        memcpy(&value, (const char *)&r + cases[i].at, sizeof value);
        CHECK(r.has == cases[i].has, "%s: has %u", cases[i].why, (unsigned)r.has);
        CHECK(value == cases[i].value, "%s: %lld", cases[i].why, (long long)value);
    }
}

static void test_all_at_once(void)
{
    struct reading_fact r =
        totals(U("1320", ENERGY, "Wh") "," U("22.0", POWER, "kW") "," U("95.7", CURRENT, "A") "," U(
            "230", "Voltage", "V") "," U("20", "SoC", "Percent") "," U("65", "Temperature",
                                                                       "Celsius"));

    CHECK(r.has == (READING_ENERGY | READING_POWER | READING_CURRENT | READING_VOLTAGE |
                    READING_SOC | READING_TEMPERATURE),
          "has %u", (unsigned)r.has);
    CHECK(r.energy_wh == 1320 && r.power_w == 22000 && r.current_ma == 95700,
          "energy, power, current");
    CHECK(r.voltage_mv == 230000 && r.soc_permille == 200 && r.temperature_mc == 65000, "the rest");
}

static void test_clock(void) /* E89 */
{
    static const char clock[] = "{\"value\":\"1\",\"context\":\"Sample.Clock\"}";
    char both[200];

    snprintf(both, sizeof both, "%s,%s", clock, V("2"));
    CHECK(totals(clock).has == (READING_ENERGY | READING_CLOCK), "because of the clock");
    CHECK(totals(both).has == READING_ENERGY, "because of the session, too");
    CHECK(totals(V("2")).has == READING_ENERGY, "E85: no context is a periodic one");
}

int main(void)
{
    RUN(test_clock);
    RUN(test_energy);
    RUN(test_others);
    RUN(test_all_at_once);
    return check_end();
}
