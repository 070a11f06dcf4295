/* fleet/physics_test.c - the physical car keeps the books of energy, its limits and its promises.
 */
#include "fleet/vehicle.h"
#include "ocpp/check.h"
#include "ocpp/err.h"

#include <math.h>
#include <stdlib.h>

#define HOUR_MS 3600000u

static void start(struct physics *p, int kind, double soc, double ambient_c)
{
    physics_init(p, &physics_kinds[kind], soc, ambient_c, 7, 1000);
}

/* Every kind from 10 % to full: what the mains gave is in the cells or has become heat; power times
 * time is that energy; the charge is in the state of charge; nothing runs backwards. */
static void test_books(void)
{
    for (int kind = 0; kind < PHYSICS_KINDS; kind++) {
        const struct physics_kind *k = &physics_kinds[kind];
        struct physics p;
        double sum_wh = 0, sum_ah = 0, last_soc, last_wh;

        start(&p, kind, 0.10, 25);
        for (uint64_t t = 1000; !p.full && t < 24 * HOUR_MS; t += PHYSICS_STEP_MS) {
            last_soc = p.soc;
            last_wh = p.ac_wh;
            physics_advance(&p, t + PHYSICS_STEP_MS, true, 32000, 3);
            sum_wh += physics_power_w(&p) * PHYSICS_STEP_MS / 3.6e6;
            sum_ah += p.pack_a * PHYSICS_STEP_MS / 3.6e6;
            if (p.soc < last_soc || p.ac_wh < last_wh)
                CHECK(false, "kind %d runs backwards at %.3f", kind, p.soc);
        }
        CHECK(p.full && !p.wants && p.soc > 0.95 && p.soc <= 1, "kind %d: full at %.3f", kind,
              p.soc);
        CHECK(fabs(p.ac_wh - sum_wh) < 1e-6, "kind %d: power × time %.6f, counted %.6f Wh", kind,
              sum_wh, p.ac_wh);
        CHECK(fabs(p.ac_wh - p.stored_wh - p.battery_loss_wh - p.charger_loss_wh) < 1e-6,
              "kind %d: %.6f = %.6f + %.6f + %.6f", kind, p.ac_wh, p.stored_wh, p.battery_loss_wh,
              p.charger_loss_wh);
        CHECK(fabs(p.soc - 0.10 - sum_ah / k->charge_ah) < 1e-4, "kind %d: charge %.6f", kind,
              sum_ah / k->charge_ah);
        CHECK(p.stored_wh / p.ac_wh > 0.80 && p.stored_wh / p.ac_wh < 0.93,
              "kind %d: efficiency %.3f", kind, p.stored_wh / p.ac_wh);
    }
}

/* Constant current, then constant voltage: full power up to about 80 %, and from where the ceiling
 * is reached the power only falls. */
static void test_taper(void)
{
    for (int kind = 0; kind < PHYSICS_KINDS; kind++) {
        const struct physics_kind *k = &physics_kinds[kind];
        struct physics p;
        double ceiling = k->cells * k->ceiling_v, begins = 0, at_95 = 0, most = 0, last = 1e9;
        bool flat = kind == PHYSICS_RICKSHAW;

        start(&p, kind, 0.40, 25);
        for (uint64_t t = 1000; !p.full && t < 24 * HOUR_MS; t += 10000) {
            physics_advance(&p, t, true, 32000, 3);
            most = fmax(most, physics_power_w(&p));
            CHECK(p.pack_v < ceiling + 0.5, "kind %d: %.2f V above the ceiling", kind, p.pack_v);
            if (begins <= 0 && p.pack_v >= ceiling - 0.05)
                begins = p.soc;
            if (begins > 0 && p.soc > begins + 0.01 && !p.full) {
                CHECK(p.pack_a <= last + 0.05, "kind %d: the current rises at %.3f", kind, p.soc);
                last = p.pack_a;
            }
            if (p.soc < (flat ? 0.98 : 0.95))
                at_95 = physics_power_w(&p);
        }
        CHECK(begins > (flat ? 0.90 : 0.78) && begins < (flat ? 0.98 : 0.86),
              "kind %d: the voltage is held from %.3f", kind, begins);
        CHECK(at_95 < most * (flat ? 0.95 : 0.5), "kind %d: %.0f of %.0f W near the end", kind,
              at_95, most);
    }
}

/* Whatever the offers are, within PHYSICS_OBEY_MS the car is at or below; below 6 A it takes
 * nothing; an open contactor is the end of it at once. */
static void test_limit(void)
{
    static const int32_t offers[] = { 32000, 6000, 16000, 5999, 10000, 0, 32000, 8500 };

    for (int kind = 0; kind < PHYSICS_KINDS; kind++) {
        struct physics p;
        uint64_t t = 1000;
        double before;

        start(&p, kind, 0.30, 25);
        for (size_t i = 0; i < AMP_COUNT(offers); i++) {
            double most = offers[i] < PHYSICS_LEAST_MA ? 0 : offers[i] / 1000.0;
            uint32_t settled;

            before = p.current_a;
            physics_advance(&p, t + PHYSICS_STEP_MS, true, offers[i], 3);
            if (before > 1)
                CHECK(p.current_a > 0, "kind %d: no car is that fast", kind);
            settled = 0;
            for (uint64_t end = t + 20000; t < end; t += PHYSICS_STEP_MS) {
                physics_advance(&p, t, true, offers[i], 3);
                if (p.current_a > most + 1e-9)
                    settled = (uint32_t)(t + 20000 - end);
            }
            CHECK(settled < PHYSICS_OBEY_MS, "kind %d, %d mA: obeyed after %u ms", kind, offers[i],
                  settled);
            CHECK(fabs(p.current_a - fmin(most, p.kind->limit_a)) < 0.01, "kind %d, %d mA: %.2f A",
                  kind, offers[i], p.current_a);
            CHECK(p.wants, "kind %d: a pause does not end the wish", kind);
        }
        before = p.ac_wh;
        physics_advance(&p, t, false, 32000, 3);
        CHECK(p.current_a == 0 && !p.wants, "kind %d: the contactor opens", kind);
        physics_advance(&p, t + 60000, false, 32000, 3);
        CHECK(p.ac_wh == before, "kind %d: nothing without permission", kind);
    }
}

/* A limit that is turned up and down faster than the car reacts is still obeyed. */
static void test_nervous(void)
{
    struct physics p;

    start(&p, PHYSICS_RICKSHAW, 0.30, 25);
    physics_advance(&p, 31000, true, 13000, 1);
    for (uint64_t t = 31000; t < 91000; t += 500) {
        physics_advance(&p, t, true, t / 500 % 2 ? 7000 : 6500, 1);
        if (t > 31000 + PHYSICS_OBEY_MS)
            CHECK(p.current_a <= 7.0 + 1e-9, "%.2f A", p.current_a);
    }
}

static void test_phases(void)
{
    struct physics p;

    start(&p, PHYSICS_COMPACT, 0.30, 25);
    physics_advance(&p, 61000, true, 16000, 3);
    CHECK(p.used == 3 && fabs(physics_power_w(&p) - 3 * 16 * 228.4) < 60, "three: %.0f W",
          physics_power_w(&p));
    start(&p, PHYSICS_COMPACT, 0.30, 25);
    physics_advance(&p, 61000, true, 16000, 1);
    CHECK(p.used == 1 && fabs(physics_power_w(&p) - 16 * 228.4) < 20, "one offered: %.0f W",
          physics_power_w(&p));
    start(&p, PHYSICS_HYBRID, 0.30, 25);
    physics_advance(&p, 61000, true, 32000, 3);
    CHECK(p.used == 1 && fabs(physics_power_w(&p) - 32 * 226.8) < 40, "one in the car: %.0f W",
          physics_power_w(&p));
}

/* Hot air: the charger derates and stays below its limit. Cold cells: less, or nothing. */
static void test_derating(void)
{
    struct physics p;
    double power[5];
    static const double ambient[] = { -15, 0, 25, 45, 62 };

    for (size_t i = 0; i < AMP_COUNT(ambient); i++) {
        start(&p, PHYSICS_VAN, 0.30, ambient[i]);
        physics_advance(&p, 1000 + HOUR_MS, true, 32000, 3);
        power[i] = physics_power_w(&p);
        CHECK(p.charger_c < p.kind->hot_c + PHYSICS_HOT_SPAN_K, "%.0f °C: charger at %.1f",
              ambient[i], p.charger_c);
        CHECK(p.battery_c < 62.1, "%.0f °C: battery at %.1f", ambient[i], p.battery_c);
    }
    CHECK(power[2] > 21500, "25 °C: %.0f W", power[2]);
    CHECK(power[3] < power[2] * 0.9 && power[3] > 5000, "45 °C: %.0f W", power[3]);
    CHECK(power[0] < 400 && power[4] < 400, "-15 °C: %.0f W, 62 °C: %.0f W", power[0], power[4]);
    CHECK(power[1] > power[0], "0 °C: %.0f W", power[1]);
    start(&p, PHYSICS_VAN, 0.30, -15);
    physics_advance(&p, 61000, true, 32000, 3);
    CHECK(p.soc == 0.30 && !p.full, "a frozen battery takes nothing and is not full: %.4f", p.soc);
}

/* As a vehicle: the same facts by the same functions, however often it is looked at. */
static void test_vehicle(void)
{
    struct vehicle a, b, c;

    vehicle_init(&a, vehicle_find("hybrid"), 5, 1000);
    vehicle_init(&b, vehicle_find("hybrid"), 5, 1000);
    vehicle_init(&c, vehicle_find("hybrid"), 6, 1000);
    for (uint64_t t = 1000; t < 601000; t += 37)
        vehicle_advance(&a, t, true, 32000, 1);
    vehicle_advance(&a, 601000, true, 32000, 1);
    vehicle_advance(&b, 601000, true, 32000, 1);
    vehicle_advance(&c, 601000, true, 32000, 1);
    CHECK(a.energy_uwh == b.energy_uwh && a.voltage_v == b.voltage_v && a.soc == b.soc &&
              a.temperature_c == b.temperature_c,
          "%.9f and %.9f V", a.voltage_v, b.voltage_v);
    CHECK(c.energy_uwh != a.energy_uwh, "seeds differ");
    CHECK(a.energy_uwh == llround(a.physics.ac_wh * 1e6) && a.energy_uwh > 1150000000,
          "ten minutes of 7.3 kW: %.1f Wh", (double)a.energy_uwh / 1e6);
    CHECK(a.wants && !vehicle_full(&a) && vehicle_power_w(&a) > 7000, "%.0f W",
          vehicle_power_w(&a));
    CHECK(a.temperature_c > 50 && a.temperature_c < 55.1, "the plug: %.1f", a.temperature_c);
    CHECK(vehicle_compression(a.kind) == 1 &&
              vehicle_compression(vehicle_find("demo-fast")) == VEHICLE_COMPRESSION,
          "real time");
    vehicle_advance(&a, 601000 + 4 * HOUR_MS, true, 32000, 1);
    CHECK(vehicle_full(&a) && !a.wants && vehicle_power_w(&a) == 0, "full in the end: %.3f", a.soc);
}

int main(void)
{
    RUN(test_books);
    RUN(test_taper);
    RUN(test_limit);
    RUN(test_nervous);
    RUN(test_phases);
    RUN(test_derating);
    RUN(test_vehicle);
    return check_end();
}
