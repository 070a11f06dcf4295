/* station/reset_test.c - Reset: what it ends, when the device restarts, and what if it does not.
 * Numbers: station-1.6. */
#include "station/world_test.h"

#define ACCEPTED                 "{\"status\":\"Accepted\"}"
#define REJECTED                 "{\"status\":\"Rejected\"}"
#define CHECK_REPLY(w, expected) CHECK(!strcmp((w)->reply, expected), "reply: %s", (w)->reply)

static void ready(struct world *w)
{
    world_open(w);
    world_run(w, 10);
    world_mark(w);
}

/* S108, S109, S117 */
static void test_reset(void)
{
    static const struct {
        const char *type, *reason;
    } cases[] = { { "Soft", "SoftReset" }, { "Hard", "HardReset" } };

    for (unsigned i = 0; i < AMP_COUNT(cases); i++)
        for (int silent = 0; silent < 2; silent++) {
            struct world w;
            char call[64];

            ready(&w);
            world_plug(&w, 1, true);
            world_tag(&w, 1, "TAG1");
            world_mark(&w);
            w.mute = silent ? "StopTransaction" : NULL;
            snprintf(call, sizeof(call), "{\"type\":\"%s\"}", cases[i].type);
            world_call(&w, "Reset", call);
            CHECK_REPLY(&w, ACCEPTED);
            CHECK(!strncmp(w.trace, "ok:Reset", 8), "the answer first: %s", w.trace);
            world_run(&w, 1000);
            if (i == 0 && silent)
                CHECK(!w.mem.rebooted, "a soft reset waits for the stop");
            world_run(&w, 61000);
            CHECK(w.mem.rebooted && w.mem.hard == (i == 1), "%s", cases[i].type);
            CHECK(!w.car[1].permitted, "no energy");
            w.mute = NULL;
            world_power(&w);
            world_run(&w, 5000);
            CHECK(w.tx_count == 1 && !strcmp(w.tx[0].reason, cases[i].reason), "%s, %s: %s",
                  cases[i].type, silent ? "undelivered" : "delivered", w.tx[0].reason);
            CHECK(world_status(&w, 1) == AMP_PREPARING && world_status(&w, 2) == AMP_AVAILABLE,
                  "S109: available again");
            world_close(&w);
        }
}

static void test_reset_without_restart(void)
{
    struct world w;

    world_defaults(&w);
    w.mem.port.reboot = NULL;
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    world_call(&w, "Reset", "{\"type\":\"Hard\"}");
    CHECK_REPLY(&w, REJECTED);
    world_close(&w);
}

/* S109: a device that does not restart is asked again, ResetRetries times; then it is told, and the
 * station serves on */
static void test_retries(void)
{
    static const struct {
        const char *retries;
        unsigned fails, asked;
        bool restarts;
        /* clang-format off */
    } cases[] = {
        { "1",  0,  1, true },
        { "1",  1,  2, true },
        { "1",  2,  2, false },
        { "0",  1,  1, false },
        { "3",  99, 4, false },
    };
    /* clang-format on */

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct world w;

        ready(&w);
        world_set(&w, "ResetRetries", cases[i].retries);
        w.mem.fail_reboots = cases[i].fails;
        world_call(&w, "Reset", "{\"type\":\"Soft\"}");
        CHECK_REPLY(&w, ACCEPTED);
        world_run(&w, 1000);
        CHECK(w.mem.reboots == 1, "case %u: %u", i, w.mem.reboots);
        world_run(&w, 60000);
        CHECK(w.mem.reboots == cases[i].asked && w.mem.rebooted == cases[i].restarts,
              "case %u: asked %u times", i, w.mem.reboots);
        if (!cases[i].restarts) {
            world_run(&w, 60000);
            CHECK(strstr(w.last, "ResetFailure") != NULL, "case %u: told: %s", i, w.last);
            CHECK(w.mem.reboots == cases[i].asked, "case %u: no more", i);
            world_plug(&w, 1, true);
            world_tag(&w, 1, "TAG1");
            CHECK(world_status(&w, 1) == AMP_CHARGING, "case %u: it serves on", i);
            world_call(&w, "Reset", "{\"type\":\"Hard\"}");
            CHECK_REPLY(&w, ACCEPTED);
        }
        world_close(&w);
    }
}

/* ---- S79: a reset at any point of a session ---- */

static const char *const steps[] = {
    "plug", "Authorize waits", "start",     "Start waits", "charging", "MeterValues waits",
    "stop", "Stop waits",      "unplugged",
};

/* As far as step `n`, where the central system keeps silent on what is named. */
static void session(struct world *w, unsigned n)
{
    world_plug(w, 1, true);
    w->mute = n == 1 ? "Authorize" : n == 3 ? "StartTransaction" : NULL;
    if (n >= 1)
        world_tag(w, 1, "TAG1");
    w->mute = n == 5 ? "MeterValues" : w->mute;
    if (n >= 4)
        world_run(w, 61000);
    w->mute = n == 7 ? "StopTransaction" : w->mute;
    if (n >= 6)
        world_tag(w, 1, "TAG1");
    if (n >= 8)
        world_plug(w, 1, false);
}

/* S79: soft and hard, whatever is under way: afterwards everything that began is ended and told
 * once, and nothing is half there */
static void test_at_every_point(void)
{
    for (unsigned i = 0; i < 2 * AMP_COUNT(steps); i++) {
        const char *what = steps[i / 2];
        bool hard = i % 2;
        struct world w;

        ready(&w);
        session(&w, i / 2);
        world_call(&w, "Reset", hard ? "{\"type\":\"Hard\"}" : "{\"type\":\"Soft\"}");
        CHECK_REPLY(&w, ACCEPTED);
        world_tag(&w, 1, "TAG9"); /* nothing begins any more */
        world_run(&w, 120000);
        CHECK(w.mem.rebooted, "%s: it restarts", what);
        w.mute = NULL;
        w.car[1].plugged = false;
        world_power(&w);
        world_run(&w, 120000);
        CHECK(w.tx_count == w.started, "%s, %d: %u of %u are known", what, hard, w.tx_count,
              w.started);
        for (unsigned k = 0; k < w.tx_count; k++) {
            CHECK(w.tx[k].stops >= 1 && !w.tx[k].unknown && w.tx[k].starts >= 1, "%s, %d: half",
                  what, hard);
            if (i / 2 < 6)
                CHECK(!strcmp(w.tx[k].reason, hard ? "HardReset" : "SoftReset"), "%s: %s", what,
                      w.tx[k].reason);
        }
        CHECK(amp_station_queued(w.st) == 0 && !w.st->con[1].tx.open, "%s, %d: nothing waits", what,
              hard);
        CHECK(world_status(&w, 1) == AMP_AVAILABLE && !w.car[1].permitted, "%s, %d: free", what,
              hard);
        world_close(&w);
    }
}

int main(void)
{
    RUN(test_reset);
    RUN(test_reset_without_restart);
    RUN(test_retries);
    RUN(test_at_every_point);
    return check_end();
}
