/* station/cut_test.c - the power goes at every single write of a whole session, whole or torn, and
 * comes back. Afterwards everything that began is known to the central system, ended once, and
 * nothing is left open. station-1.6 77-79, 102, 106. */
#include "station/cut_books_test.h"

/* A session with everything that writes: settings, a start, readings, a stop, off line and on line,
 * a switch to Unavailable. */
static void session(struct world *w)
{
    world_run(w, 2000);
    world_call(w, "ChangeConfiguration", "{\"key\":\"MeterValueSampleInterval\",\"value\":\"10\"}");
    world_call(w, "ChangeConfiguration", "{\"key\":\"StopTxnSampledData\",\"value\":\"SoC\"}");
    world_plug(w, 1, true);
    world_tag(w, 1, "TAG1");
    world_run(w, 25000);
    world_plug(w, 2, true);
    world_tag(w, 2, "TAG2");
    w->refuse = true;
    world_hang_up(w);
    world_run(w, 20000);
    world_tag(w, 1, "TAG1");
    world_plug(w, 1, false);
    w->refuse = false;
    world_run(w, 30000);
    world_call(w, "ChangeAvailability", "{\"connectorId\":1,\"type\":\"Inoperative\"}");
    world_tag(w, 2, "TAG2");
    world_plug(w, 2, false);
    world_run(w, 5000);
}

static void prepare(struct world *w, bool full)
{
    static const char *const settings[] = { "AllowOfflineTxForUnknownId=true", NULL };

    world_defaults(w);
    w->config.settings = settings;
    CHECK(world_boot(w) == 0, "start");
    if (full)
        fill(w);
}

static unsigned writes_of_a_session(bool full)
{
    struct world w;
    unsigned n;

    prepare(&w, full);
    mem_arm(&w.mem, 0, MEM_FINE, 0);
    session(&w);
    n = w.mem.writes;
    CHECK(w.tx_count == 2 && w.tx[0].stops == 1 && w.tx[1].stops == 1, "the session itself");
    CHECK((w.st->journal.compactions > 0) == full, "%u compactions", w.st->journal.compactions);
    check_books(&w, "uncut", 0, 0);
    world_close(&w);
    return n;
}

/* S77, S78, S79 */
static void test_power_cut_at_every_write(void)
{
    for (int full = 0; full < 2; full++) {
        unsigned writes = writes_of_a_session(full), power_loss = 0;

        CHECK(writes > 15, "%u writes", writes);
        for (unsigned n = 1; n <= writes; n++)
            for (size_t torn = 0; torn <= 40; torn += 20) {
                struct world w;

                prepare(&w, full);
                mem_arm(&w.mem, n, MEM_CUT, torn);
                session(&w);
                CHECK(w.mem.cut, "write %u of %u is reached", n, writes);
                w.car[1].plugged = w.car[2].plugged = false;
                w.refuse = false;
                world_power(&w);
                world_run(&w, 400000);
                for (unsigned i = 0; i < w.tx_count; i++)
                    power_loss += !strcmp(w.tx[i].reason, "PowerLoss");
                check_books(&w, full ? "cut (compacting) at write" : "cut at write", n, torn);
                w.started += 1000; /* a second session on what is left */
                world_close(&w);
            }
        CHECK(power_loss > 10, "%u ended by the cut", power_loss);
    }
}

/* A write that only fails: no restart, nothing lost. */
static void test_failing_write(void)
{
    for (int full = 0; full < 2; full++) {
        unsigned writes = writes_of_a_session(full);

        for (unsigned i = 0; i < 2 * writes; i++) {
            unsigned n = 1 + i / 2;
            struct world w;

            prepare(&w, full);
            mem_arm(&w.mem, n, MEM_FAIL,
                    i % 2 * 16); /* nothing of it, or a part, reaches the flash */
            session(&w);
            /* what was refused then is tried again by the driver */
            for (int c = 1; c <= 2; c++)
                if (w.st->con[c].tx.open)
                    world_tag(&w, c, w.st->con[c].tx.tag);
            world_plug(&w, 1, false);
            world_plug(&w, 2, false);
            world_run(&w, 400000);
            check_books(&w, full ? "failed (compacting) write" : "failed write", n, 0);
            world_power(&w);
            world_run(&w, 100000);
            check_books(&w, "and after a restart, write", n, 0);
            world_close(&w);
        }
    }
}

/* S20, S78: what the stop after a cut says, and that states come before it */
static void test_power_loss(void)
{
    struct world w;

    world_open(&w);
    world_run(&w, 10);
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    world_run(&w, 150000); /* readings at 60 s and 120 s */
    w.mem.cut = true;
    w.now += 7200000; /* dark for two hours */
    w.car[1].energy_mj += 1;
    world_mark(&w);
    world_power(&w);
    world_run(&w, 1000);
    CHECK_TRACE(&w, "Boot S0:Available S1:Preparing S2:Available Stop:PowerLoss");
    CHECK(w.tx[0].stop_wh == 1000246, "the last stored reading: %lld", (long long)w.tx[0].stop_wh);
    CHECK(!strcmp(w.tx[0].stopped, "2025-06-15T15:08:41.010Z"), "and its time: %s",
          w.tx[0].stopped);
    CHECK(!w.tx[0].stop_tag[0], "S81");
    CHECK(!w.car[1].locked && !w.car[1].permitted, "let go");
    world_close(&w);
}

/* S77: the cut comes between delivery and answer; the same message may come again, with the same
 * facts */
static void test_answer_lost_in_the_cut(void)
{
    struct world w;

    world_open(&w);
    world_run(&w, 10);
    world_plug(&w, 1, true);
    world_tag(&w, 1, "TAG1");
    mem_arm(&w.mem, 2, MEM_CUT, 0); /* the stop is stored, its acknowledgement is not */
    world_tag(&w, 1, "TAG1");
    CHECK(w.mem.cut && w.tx[0].stops == 1, "heard");
    world_power(&w);
    world_run(&w, 1000);
    CHECK(w.tx_count == 1 && w.tx[0].stops == 2 && !strcmp(w.tx[0].reason, "Local"), "%u stops, %s",
          w.tx[0].stops, w.tx[0].reason);
    world_close(&w);
}

int main(void)
{
    RUN(test_power_cut_at_every_write);
    RUN(test_failing_write);
    RUN(test_power_loss);
    RUN(test_answer_lost_in_the_cut);
    return check_end();
}
