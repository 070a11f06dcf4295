/* station/journal_test.c - what the journal promises, record by record. The whole sessions are in
 * cut_test.c. */
#include "station/world_test.h"

/* A station that only has a journal: settings are its facts. */
static void change(struct world *w, const char *key, const char *value)
{
    CHECK(amp_config_change(w->st, amp_text_of(key), amp_text_of(value)) == AMP_CONFIG_ACCEPTED,
          "%s=%s", key, value);
}

static int32_t heartbeat(struct world *w)
{
    return w->st->set.heartbeat_s;
}

static void test_crc(void)
{
    CHECK(amp_crc32(0, "123456789", 9) == 0xCBF43926, "the check value of CRC-32");
    CHECK(amp_crc32(amp_crc32(0, "1234", 4), "56789", 5) == 0xCBF43926, "in two pieces");
}

/* S102 */
static void test_settings_survive(void)
{
    struct world w;

    world_open(&w);
    change(&w, "HeartbeatInterval", "77");
    change(&w, "heartbeatinterval", "78");
    change(&w, "MeterValuesSampledData", "Voltage.L1, SoC");
    change(&w, "ConnectorPhaseRotation", "1.RST");
    world_power(&w);
    CHECK(heartbeat(&w) == 78, "the last value: %d", heartbeat(&w));
    CHECK(w.st->set.sampled.count == 2, "the list");
    CHECK(w.st->set.rotation[1] == 2, "the rotation");
    world_close(&w);
}

/* Many changes: the areas take turns, nothing is lost. */
static void test_compaction(void)
{
    struct world w;

    world_open(&w);
    change(&w, "ConnectionTimeOut", "99");
    for (int i = 1; i <= 3000; i++) {
        char text[16];

        snprintf(text, sizeof(text), "%d", i);
        change(&w, "HeartbeatInterval", text);
    }
    CHECK(w.st->journal.compactions > 5, "%u", w.st->journal.compactions);
    world_power(&w);
    CHECK(heartbeat(&w) == 3000 && w.st->set.connection_timeout_s == 99, "%d", heartbeat(&w));
    CHECK(w.st->boot_count == 2, "boots are counted: %u", w.st->boot_count);
    world_close(&w);
}

/* S102: a cut at every write of a compaction, torn at every length, leaves the old value or the new
 * one */
static void test_cut_at_every_write(void)
{
    unsigned compacted = 0;

    for (unsigned n = 1; n < 60; n++)
        for (size_t torn = 0; torn <= 48; torn += 8) {
            struct world w;
            int last = 0, i;

            world_open(&w);
            change(&w, "ConnectionTimeOut", "99");
            /* stop short of the first compaction, so that the cut falls around it */
            for (i = 1; w.st->journal.end + 1400 < w.st->journal.area_size; i++) {
                char text[16];

                snprintf(text, sizeof(text), "%d", i);
                change(&w, "HeartbeatInterval", text);
                last = i;
            }
            mem_arm(&w.mem, n, MEM_CUT, torn);
            for (int k = 0; k < 60 && !w.mem.cut; k++, i++) {
                char text[16];

                snprintf(text, sizeof(text), "%d", i);
                if (amp_config_change(w.st, AMP_TEXT("HeartbeatInterval"), amp_text_of(text)) ==
                    AMP_CONFIG_ACCEPTED)
                    last = i;
            }
            CHECK(w.mem.cut, "write %u was reached", n);
            compacted += w.st->journal.compactions;
            world_power(&w);
            CHECK(heartbeat(&w) == last || heartbeat(&w) == last + 1,
                  "write %u torn at %zu: %d, not %d", n, torn, heartbeat(&w), last);
            CHECK(w.st->set.connection_timeout_s == 99, "the other key");
            change(&w, "HeartbeatInterval", "4711");
            world_power(&w);
            CHECK(heartbeat(&w) == 4711, "write %u torn at %zu: storage goes on", n, torn);
            world_close(&w);
        }
    CHECK(compacted > 0, "some cuts came after the switch");
}

/* A write that fails without a cut is reported, and the next one works. */
static void test_failing_writes(void)
{
    for (unsigned n = 1; n < 12; n++) {
        struct world w;

        world_open(&w);
        change(&w, "HeartbeatInterval", "10");
        mem_arm(&w.mem, n, MEM_FAIL, n % 3 * 8);
        for (int i = 0; i < 12; i++)
            (void)amp_config_change(w.st, AMP_TEXT("HeartbeatInterval"),
                                    i % 2 ? AMP_TEXT("11") : AMP_TEXT("12"));
        change(&w, "HeartbeatInterval", "13");
        world_power(&w);
        CHECK(heartbeat(&w) == 13, "failing write %u: %d", n, heartbeat(&w));
        world_close(&w);
    }
}

static void test_refused_devices(void)
{
    struct world w;
    struct amp_fault fault;

    world_defaults(&w);
    w.mem.port.block_count = 1;
    CHECK(world_boot(&w) == AMP_E_RANGE, "one block is not enough");
    w.mem.port.block_count = MEM_BLOCKS;
    memset(w.mem.flash + 100, 0x11, 3000);
    CHECK(world_boot(&w) == AMP_E_CORRUPT, "foreign data is not overwritten");
    memset(w.mem.flash, 0xFF, sizeof(w.mem.flash));
    w.mem.cut = true;
    CHECK(world_boot(&w) == AMP_E_IO, "no storage");
    w.mem.cut = false;
    CHECK(amp_station_init(w.memory, 100, &w.config, &w.mem.port, &w.hw, NULL, NULL, 0, &w.st,
                           &fault) == AMP_E_FULL,
          "too little memory");
    CHECK(world_boot(&w) == 0, "and then it works");
    world_close(&w);
}

int main(void)
{
    RUN(test_crc);
    RUN(test_settings_survive);
    RUN(test_compaction);
    RUN(test_cut_at_every_write);
    RUN(test_failing_writes);
    RUN(test_refused_devices);
    return check_end();
}
