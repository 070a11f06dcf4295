/* central/balance_test.c - load management from end to end: the central system on a real port with
 * a real database, real stations over real sockets, cars that follow their pilot. The rules are
 * tested in domain/load_*_test.c, the long run in load_sim_test.c; here it is shown that all of it
 * is connected, and stays so over the end of the process. */
#include "central/balance.h"
#include "fleet/plant.h"
#include "ocpp/check.h"
#include "ports/posix/device.h"

#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

#define STATIONS 2
#define EACH     2

static struct settings settings;
static struct central central;
static uv_loop_t loop;
static struct posix_loop devices;
static char dir[64], url[96];
static int64_t ahead_ms; /* of the central system's clock: what a test need not wait for */
static bool stopped;

static struct station {
    struct amp_station_config config;
    struct plant plant;
    struct posix_device *device;
    char identity[16];
} stations[STATIONS];

static int32_t allowed_da = 10000; /* the cars together, from now on */
static double most_a;

static int64_t test_now(void)
{
    struct timeval t;

    gettimeofday(&t, NULL);
    return (int64_t)t.tv_sec * 1000 + t.tv_usec / 1000 + ahead_ms;
}

static int wipe_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static void set(const char *name, const char *value)
{
    char *why = NULL;

    CHECK(settings_set(&settings, name, value, "test", &why) == 0, "%s", why ? why : name);
}

/* ---- the central system ---- */

static void start_central(void)
{
    char *why = NULL;
    int rc;

    memset(&central, 0, sizeof central);
    uv_loop_init(&loop);
    central.now_ms = test_now;
    rc = central_open(&central, &loop, &settings, &why);
    CHECK(rc == 0, "%d: %s", rc, why ? why : "");
    if (rc < 0)
        exit(1);
    if (!url[0]) { /* the port stays the same over restarts */
        set("listen", net_address(central.net));
        snprintf(url, sizeof url, "ws://%s/ocpp", net_address(central.net));
    }
}

static void on_done(void *ctx)
{
    (void)ctx;
    stopped = true;
}

static void end_central(void)
{
    stopped = false;
    central_stop(&central, on_done, NULL);
    while (!stopped) {
        posix_run_once(&devices, 2);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    central_close(&central);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop) == 0, "something is left on the loop");
}

/* ---- the stations ---- */

static void on_start(void *ctx, struct posix_device *d)
{
    struct station *s = ctx;

    plant_announce(&s->plant, posix_device_station(d));
}

static void open_station(int i)
{
    struct station *s = &stations[i];
    struct posix_device_options o = { .config = &s->config,
                                      .hardware = &s->plant.hardware,
                                      .on_start = on_start,
                                      .ctx = s,
                                      .log_level = AMP_LOG_ERROR };
    struct amp_fault fault;

    snprintf(s->identity, sizeof s->identity, "LM%d", i + 1);
    s->config = (struct amp_station_config){ .url = amp_text_of(url),
                                             .identity = amp_text_of(s->identity),
                                             .vendor = AMP_TEXT("Amperstand"),
                                             .model = AMP_TEXT("Two"),
                                             .connectors = EACH,
                                             .reconnect_first_s = 1,
                                             .reconnect_cap_s = 1,
                                             .reconnect_attempts = UINT32_MAX };
    s->config.unix_ms = (uint64_t)posix_clock_unix_ms(&devices.clock);
    plant_init(&s->plant, &s->config, &devices.clock, (uint32_t)i + 1);
    CHECK(posix_device_open(&devices, &o, &s->device) == 0, "a device");
    CHECK(posix_device_start(s->device, &fault) == 0, "it starts: %s", fault.path);
}

static double flows(void)
{
    double sum = 0;

    for (int i = 0; i < STATIONS; i++)
        for (int c = 1; c <= EACH; c++)
            if (stations[i].plant.bays[c].occupied)
                sum += stations[i].plant.bays[c].vehicle.current_a;
    return sum;
}

/* What the pilots offer to cars that may charge, together. */
static int32_t offers_da(void)
{
    int32_t sum = 0;

    for (int i = 0; i < STATIONS; i++)
        for (int c = 1; c <= EACH; c++) {
            const struct bay *b = &stations[i].plant.bays[c];

            sum += b->occupied && b->permitted ? b->offered_ma / 100 : 0;
        }
    return sum;
}

static void plug(int i, int c)
{
    struct station *s = &stations[i];
    struct amp_station *st = posix_device_station(s->device);
    char tag[16];

    snprintf(tag, sizeof tag, "TAG%d%d", i, c);
    CHECK(plant_arrive(&s->plant, st, c, vehicle_find("commuter"), 7) == 0, "a car comes");
    CHECK(amp_station_tag(st, c, amp_text_of(tag), posix_device_now(s->device)) == 0, "a tag");
    posix_device_touch(s->device);
}

/* ---- turning ---- */

static void turn(bool with_central)
{
    posix_run_once(&devices, 2);
    if (with_central)
        uv_run(&loop, UV_RUN_NOWAIT);
    for (int i = 0; i < STATIONS; i++)
        if (plant_step(&stations[i].plant, posix_device_station(stations[i].device)))
            posix_device_touch(stations[i].device);
    if (flows() > most_a)
        most_a = flows();
    CHECK(flows() * 10 <= allowed_da + 1, "%.2f A flow, %d.%d are allowed", flows(),
          allowed_da / 10, allowed_da % 10);
}

/* With a guard, so that a mistake is no hang. */
static void until(bool (*done)(void), const char *what)
{
    int64_t end = test_now() + 60000;

    while (!done() && test_now() < end && check_bad < 20)
        turn(true);
    CHECK(done(), "%s", what);
}

static struct charger *charger(int i)
{
    return world_charger(central.world, amp_text_of(stations[i].identity));
}

static bool view(int i, int c, struct load_view *v)
{
    return charger(i) && loads_view(central.loads, charger_fact(charger(i))->key, c, v);
}

static bool all_booted(void)
{
    for (int i = 0; i < STATIONS; i++)
        if (!charger(i) || !charger_session(charger(i)) || !charger_fact(charger(i))->last_boot_ms)
            return false;
    return true;
}

static bool all_safe(void) /* have their fail-safe limit */
{
    for (int i = 0; i < STATIONS; i++)
        for (int c = 1; c <= EACH; c++) {
            struct load_view v;

            if (!view(i, c, &v) || v.why != LOAD_WHY_IDLE || v.worst_da != 0)
                return false;
        }
    return true;
}

static int32_t told(int i, int c)
{
    struct load_view v;

    return view(i, c, &v) ? v.told_da : -2;
}

static bool shared_20(void)
{
    return told(0, 1) == 100 && told(1, 1) == 100 && offers_da() == 200;
}

static bool shared_14(void)
{
    return told(0, 1) == 70 && told(1, 1) == 70 && offers_da() == 140;
}

static bool one_waits(void)
{
    return told(0, 1) + told(0, 2) + told(1, 1) == 140 && offers_da() == 140;
}

static bool follows_14(void)
{
    return flows() <= 14.05;
}

static bool three_share(void)
{
    return told(0, 1) >= 66 && told(0, 2) >= 66 && told(1, 1) >= 66 && offers_da() == 200;
}

/* ---- the story ---- */

static void put_member(int i)
{
    struct load_member_fact m = { .org = ORG_DEFAULT,
                                  .group = AMP_TEXT("site"),
                                  .connectors = EACH,
                                  .limit_da = LOAD_NONE,
                                  .max_da = 320,
                                  .base_da = LOAD_NONE,
                                  .phases = 3 };
    struct load_fault fault;

    m.charger = charger_fact(charger(i))->key;
    CHECK(loads_put_member(central.loads, &m, 1, &fault) == 0, "%s", fault.why);
}

static void put_signal(int32_t da)
{
    struct load_group_fact g = *loads_group(central.loads, ORG_DEFAULT, AMP_TEXT("site"));

    g.signal_da = da;
    g.signal_until_ms = test_now() + 3600000;
    loads_put_reported(central.loads, &g);
}

static void make_group(void)
{
    struct load_group_fact g;
    struct load_fault fault;

    loads_group_defaults(&g);
    g.org = ORG_DEFAULT;
    g.id = AMP_TEXT("site");
    g.limit_da = 200;
    CHECK(loads_put_group(central.loads, &g, &fault) == 0, "%s", fault.why);
    for (int i = 0; i < STATIONS; i++)
        put_member(i);
}

static void test_story(void)
{
    struct load_view before, after;

    start_central();
    for (int i = 0; i < STATIONS; i++)
        open_station(i);
    until(all_booted, "both boot");
    make_group(); /* four times 32 A behind 20 A */
    ahead_ms += LOAD_FOLLOW_MS;
    until(all_safe, "fail-safe limits are confirmed");
    allowed_da = 200;
    plug(0, 1);
    plug(1, 1);
    until(shared_20, "20 A are shared by two");
    put_signal(140);
    allowed_da = 10000; /* the time that obeying takes */
    until(shared_14, "14 A by the signal");
    until(follows_14, "the cars follow");
    allowed_da = 140;
    CHECK(view(0, 1, &before), "known");

    /* the process ends; cars go on with what they have */
    end_central();
    for (int k = 0; k < 200; k++)
        turn(false);
    CHECK(offers_da() == 140, "nobody took more: %d", offers_da());
    start_central();
    CHECK(view(0, 1, &after), "known from the database");
    until(all_booted, "both come back");
    ahead_ms += LOAD_FOLLOW_MS;
    until(shared_14, "still 14 A");
    plug(0, 2);
    until(one_waits, "two of three have power");
    put_signal(200);
    allowed_da = 200;
    until(three_share, "20 A for three");
    end_central();
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    settings_default(&settings);
    strcpy(dir, "/tmp/amp-balance-XXXXXX");
    CHECK(mkdtemp(dir), "temporary folder");
    set("data", dir);
    set("listen", "127.0.0.1:0");
    set("accept-unknown-tags", "true");
    CHECK(posix_loop_open(&devices, 1000, false) == 0, "devices");
    RUN(test_story);
    for (int i = 0; i < STATIONS; i++) {
        posix_device_close(stations[i].device);
        plant_close(&stations[i].plant);
    }
    posix_loop_close(&devices);
    settings_free(&settings);
    nftw(dir, wipe_one, 16, FTW_DEPTH | FTW_PHYS);
    return check_end();
}
