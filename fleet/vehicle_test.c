/* fleet/vehicle_test.c - the numbers of the demo come out of the model, and the model keeps its
 * promises. */
#include "fleet/vehicle.h"
#include "ocpp/check.h"
#include "ocpp/err.h"

#include <math.h>
#include <stdlib.h>

/* One car at one connector, energy permitted a second before second 0. */
static void test_demo(void)
{
    static const struct {
        const char *kind;
        int32_t offer_ma;
        double power_w, current_a, energy_wh, warm_c, seconds;
    } cases[] = {
        { "demo-fast", 95652, 22000, 95.7, 1320, 65, 60.5 },
        { "demo-normal", 32174, 7400, 32.2, 444, 45, 62.0 },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct vehicle v;
        double most_w = 0, most_a = 0, most_c = 0, least_v = 999, most_v = 0;
        uint64_t now = 1000, end = 0;

        vehicle_init(&v, vehicle_find(cases[i].kind), 42, now);
        CHECK(v.soc == 0.20 && v.temperature_c == 25, "%s arrives with 20 %% at 25 degrees",
              cases[i].kind);
        for (; now < 1000 + 80000 && !end; now += VEHICLE_STEP_MS) {
            vehicle_advance(&v, now, true, cases[i].offer_ma, 1);
            if (now < 2000)
                CHECK(!v.wants && v.current_a == 0, "asks %d ms after the permission",
                      (int)now - 1000);
            most_w = fmax(most_w, vehicle_power_w(&v));
            most_a = fmax(most_a, v.current_a);
            most_c = fmax(most_c, v.temperature_c);
            most_v = fmax(most_v, v.voltage_v);
            least_v = fmin(least_v, v.voltage_v);
            if (vehicle_full(&v))
                end = now;
        }
        CHECK(v.soc == 0.95, "%s: ends at %.4f", cases[i].kind, v.soc);
        CHECK(fabs((double)v.energy_uwh / 1e6 - cases[i].energy_wh) < 0.001, "%s: %.6f Wh",
              cases[i].kind, (double)v.energy_uwh / 1e6);
        CHECK(fabs(most_w - cases[i].power_w) < cases[i].power_w / 200, "%s: at most %.0f W",
              cases[i].kind, most_w);
        CHECK(fabs(most_a - cases[i].current_a) < 0.05, "%s: at most %.2f A", cases[i].kind,
              most_a);
        CHECK(most_c < cases[i].warm_c && most_c > cases[i].warm_c - 2, "%s: at most %.1f degrees",
              cases[i].kind, most_c);
        CHECK(least_v > 229 && least_v < 229.95 && most_v > 230.05 && most_v < 231,
              "voltage %.2f to %.2f", least_v, most_v);
        CHECK(fabs((double)(end - 2000) / 1000 - cases[i].seconds) < 0.3, "%s: full after %.1f s",
              cases[i].kind, (double)(end - 2000) / 1000);
        vehicle_advance(&v, now + 1000, true, cases[i].offer_ma, 1);
        CHECK(!v.wants && vehicle_power_w(&v) == 0, "a full car asks for nothing");
    }
}

static void test_ramp(void)
{
    struct vehicle v;
    double last = 0;
    uint64_t begin = 1000 + VEHICLE_READY_MS;

    vehicle_init(&v, vehicle_find("demo-normal"), 1, 1000);
    vehicle_advance(&v, begin, true, 32174, 1);
    CHECK(v.wants, "asks after a second");
    for (uint64_t t = begin; t < begin + 4000; t += VEHICLE_STEP_MS) {
        vehicle_advance(&v, t, true, 32174, 1);
        CHECK(v.current_a > last, "climbs: %.2f A after %d ms", v.current_a, (int)(t - begin));
        last = v.current_a;
    }
    vehicle_advance(&v, begin + 4000, true, 32174, 1);
    CHECK(fabs(v.current_a - 32.174) < 0.001, "arrives: %.3f A", v.current_a);
}

static void test_offer(void)
{
    struct vehicle v;
    int64_t before;

    vehicle_init(&v, vehicle_find("demo-fast"), 1, 0);
    vehicle_advance(&v, 10000, true, 95652, 1);
    vehicle_advance(&v, 10000, true, 16000, 1);
    CHECK(v.current_a == 16.0, "a lower offer holds at once: %.2f A", v.current_a);
    vehicle_advance(&v, 10000, true, 5999, 1);
    CHECK(v.current_a == 0 && v.wants, "less than 6 A is a pause, but the car still asks");
    before = v.energy_uwh;
    vehicle_advance(&v, 20000, true, 0, 1);
    CHECK(v.energy_uwh == before, "no energy in a pause");
    vehicle_advance(&v, 20000, false, 95652, 1);
    CHECK(!v.wants && v.current_a == 0, "not permitted: nothing, at once");
    vehicle_advance(&v, 30000, false, 95652, 1);
    CHECK(v.energy_uwh == before, "nothing without permission");
    vehicle_init(&v, vehicle_find("commuter"), 1, 0);
    vehicle_advance(&v, 61000, true, 32000, 3);
    CHECK(fabs(vehicle_power_w(&v) - 11040) < 60, "three phases: %.0f W", vehicle_power_w(&v));
    CHECK(vehicle_find("bicycle") == NULL, "unknown kind");
}

static void test_taper(void)
{
    struct vehicle v;
    double last = 17;

    vehicle_init(&v, vehicle_find("commuter"), 1, 0);
    vehicle_advance(&v, 5000, true, 16000, 3);
    CHECK(v.current_a == 16, "below 80 %%: %.1f A", v.current_a);
    for (int percent = 80; percent < 100; percent += 5) {
        v.soc = percent / 100.0;
        vehicle_advance(&v, v.at_ms, true, 16000, 3);
        CHECK(v.current_a < last && v.current_a > 1.6, "%d %%: %.1f A", percent, v.current_a);
        last = v.current_a;
    }
}

/* However often it is looked at, the same car. Another seed, another voltage. */
static void test_repeatable(void)
{
    struct vehicle a, b, c;

    vehicle_init(&a, vehicle_find("demo-fast"), 7, 0);
    vehicle_init(&b, vehicle_find("demo-fast"), 7, 0);
    vehicle_init(&c, vehicle_find("demo-fast"), 8, 0);
    for (uint64_t t = 0; t <= 30000; t += 37)
        vehicle_advance(&a, t, true, 95652, 1);
    vehicle_advance(&a, 30000, true, 95652, 1);
    vehicle_advance(&b, 30000, true, 95652, 1);
    vehicle_advance(&c, 30000, true, 95652, 1);
    CHECK(a.energy_uwh == b.energy_uwh && a.voltage_v == b.voltage_v, "%.4f and %.4f V",
          a.voltage_v, b.voltage_v);
    CHECK(c.voltage_v != a.voltage_v && c.energy_uwh != a.energy_uwh, "seeds differ");
}

int main(void)
{
    RUN(test_demo);
    RUN(test_ramp);
    RUN(test_offer);
    RUN(test_taper);
    RUN(test_repeatable);
    return check_end();
}
