/* central/domain/meter_test.c - what a session took, from registers as the field has them. */
#include "central/domain/meter.h"
#include "ocpp/check.h"

#define RESET TX_FLAG_METER_RESET
#define JUMP  TX_FLAG_METER_JUMP
#define ROLL  TX_FLAG_ROLL_OVER
#define BACK  TX_FLAG_METER_BACK
#define END   INT64_MIN

/* A value each quarter of an hour; the last one is the stop's. */
static const struct {
    const char *why;
    int64_t start, values[10];
    int64_t energy;
    uint32_t flags;
} cases[] = {
    { "as it should be", 1000, { 2000, 3000, 4500, END }, 3500, 0 },
    { "E88: a register that is counted from each session's start", 0, { 700, 900, END }, 900, 0 },
    { "nothing flows", 1000, { 1000, 1000, END }, 0, 0 },
    { "E22: the same value again", 1000, { 1500, 1500, 2000, END }, 1000, 0 },
    { "E87: readings of a session register, start and stop of another",
      500000,
      { 0, 3000, 7000, 507000, END },
      7000,
      RESET },
    { "E87: it starts over after a power cut", 5000, { 6000, 0, 500, 800, END }, 1800, RESET },
    { "E87: it starts over after a power cut, and the stop is above the start",
      100,
      { 6000, 0, 300, 800, END },
      6700,
      RESET },
    { "E87: twice", 5000, { 6000, 10, 500, 20, 400, END }, 1900, RESET },
    { "E87: a zero that is a lie", 5000, { 6000, 0, 6010, 6200, END }, 1200, RESET },
    { "E87: a jump up is not charged", 5000, { 6000, 4000000, 4000500, 4001000, END }, 2000, JUMP },
    { "E87: a jump that the next value takes back",
      5000,
      { 6000, 4000000, 6500, 7000, END },
      2000,
      JUMP },
    { "E87: a jump in the stop", 5000, { 6000, 7000, 90000000, END }, 2000, JUMP },
    { "E87: it rolls over", 999000, { 999900, 500, 1200, END }, 2200, ROLL },
    { "E87: at 2^32", 4294967000, { 4294967200, 104, END }, 400, ROLL },
    { "E87: at ten million", 9995000, { 9999000, 4000, 9000, END }, 14000, ROLL },
    { "going back stays", 100, { 600, 400, 500, END }, 400, BACK },
    { "going back is no energy twice", 100, { 600, 400, 700, END }, 600, BACK },
    { "rounding is no going back", 100, { 605, 600, END }, 500, 0 },
    { "E14: a stop below the start", 100, { 50, END }, 0, BACK },
    { "E14: a stop below the start, with readings between", 1000, { 3000, 900, END }, 2000, BACK },
    { "a stop below the last reading: start and stop count",
      1000,
      { 3000, 2900, END },
      1900,
      BACK },
    { "a register that says nothing but nonsense at the end", 1000, { 2000, -5, END }, 1000, BACK },
};

static void test_sessions(void)
{
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct meter m;
        uint32_t flags = 0;
        int64_t at_ms = 0, before = 0;

        meter_begin(&m, cases[i].start, 0);
        for (size_t k = 0; cases[i].values[k] != END; k++) {
            bool last = cases[i].values[k + 1] == END;

            at_ms += 900000;
            if (last)
                flags |= meter_end(&m, cases[i].start, cases[i].values[k], at_ms, flags);
            else
                flags |= meter_follow(&m, cases[i].values[k], at_ms);
            CHECK(last || m.energy_wh >= before, "%s: fell from %lld to %lld", cases[i].why,
                  (long long)before, (long long)m.energy_wh);
            before = m.energy_wh;
        }
        CHECK(m.energy_wh == cases[i].energy, "%s: %lld Wh", cases[i].why, (long long)m.energy_wh);
        CHECK(flags == cases[i].flags, "%s: flags %u", cases[i].why, (unsigned)flags);
    }
}

/* Whatever comes, it never falls, and grows by no more than can flow. */
static void test_any(void)
{
    static const int64_t corners[] = { 0,       1,          -1,         10,       999999,
                                       1000000, 4294967295, INT32_MAX,  100000,   99999999,
                                       5000,    5010,       1000000000, -1000000, 20000 };
    uint32_t random = 1;

    for (int run = 0; run < 2000; run++) {
        struct meter m;
        int64_t at_ms = 0;

        meter_begin(&m, corners[(random >> 8) % AMP_COUNT(corners)], 0);
        for (int i = 0; i < 30; i++) {
            int64_t before = m.energy_wh, step = (int64_t)(random >> 12) % 3600000, value, room;

            random = random * 1664525u + 1013904223u;
            value = corners[(random >> 8) % AMP_COUNT(corners)] + (random >> 20) % 100;
            at_ms += step;
            room = METER_SLACK_WH + step / 3600 * (METER_MAX_W / 1000);
            meter_follow(&m, value, at_ms);
            CHECK(m.energy_wh >= before && m.energy_wh - before <= room + METER_BACK_WH,
                  "run %d: %lld to %lld by %lld", run, (long long)before, (long long)m.energy_wh,
                  (long long)value);
        }
    }
}

int main(void)
{
    RUN(test_sessions);
    RUN(test_any);
    return check_end();
}
