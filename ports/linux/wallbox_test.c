/* ports/linux/wallbox_test.c - a station with real Modbus devices: processes of ours that speak
 * over TCP and over a serial line. Time here is real, because libmodbus's is; nothing is judged by
 * how long it took, a wait ends when the thing has happened (and after WAIT_MS it never will). */
#include "ports/linux/server_test.h"
#include "ports/linux/tags.h"
#include "ports/linux/wallbox.h"
#include "station/world_test.h"

#include <linux/input.h>
#include <sys/stat.h>
#include <time.h>

#define WAIT_MS 20000

static const char box_text[] = "answer 200\npoll 20\nstale 600\nbolt 300\nhold 20\n"
                               "bus meter %s\n"
                               "bus box tcp 127.0.0.1:%d\n"
                               "connector 1 meter meter 7 sdm630\n"
                               "connector 1 permit box 1 coil 0\n"
                               "connector 1 closed box 1 discrete 0\n"
                               "connector 1 limit box 1 holding 0 u16 0.1\n"
                               "connector 1 lock box 1 coil 1\n"
                               "connector 1 locked box 1 discrete 1\n"
                               "connector 1 pilot box 1 input 200\n"
                               "connector 1 fault box 1 discrete 2 GroundFailure\n"
                               "connector 1 lamp box 1 holding 1\n";

struct site {
    struct server box, meter; /* the meter: over TCP too, or a serial line */
    bool rtu;
    struct wallbox_map map;
    struct wallbox *wallbox;
    struct world w;
    uint64_t began;
    bool obey; /* contactor and bolt follow their coils */
};

static uint64_t real_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void measured(struct server *m, float kwh, float w)
{
    server_float(m, 0x48, kwh);
    server_float(m, 0x34, w);
    server_float(m, 0x46, 49.98F);
    for (int i = 0; i < 3; i++) {
        server_float(m, 2 * i, 230.5F + (float)i);
        server_float(m, 6 + 2 * i, 15.75F + (float)i);
    }
}

static void site_boot(struct site *s)
{
    CHECK(world_boot(&s->w) == 0, "boot");
    wallbox_announce(s->wallbox);
    world_settle(&s->w);
}

static void site_open(struct site *s, bool rtu)
{
    char text[1024], where[128];
    const char *why;
    unsigned line;
    int rc;

    *s = (struct site){ .rtu = rtu, .obey = true };
    server_tcp(&s->box);
    if (rtu)
        server_rtu(&s->meter);
    else
        server_tcp(&s->meter);
    if (rtu)
        snprintf(where, sizeof where, "rtu %s 115200 8N1", s->meter.client_tty);
    else
        snprintf(where, sizeof where, "tcp 127.0.0.1:%d", s->meter.port);
    snprintf(text, sizeof text, box_text, where, s->box.port);
    s->box.cells->inputs[200] = 1;
    s->box.cells->coils[0] = 1; /* left on by whoever was here before */
    measured(&s->meter, 1000, 0);
    rc = wallbox_map_parse(amp_text_of(text), &s->map, &line, &why);
    CHECK(rc == 0, "line %u: %s", line, why);
    CHECK(wallbox_open(&s->map, &s->wallbox) == 0, "open");
    world_defaults(&s->w);
    s->w.config.connectors = 1;
    s->w.config.max_current_ma[1] = 32000;
    s->w.hw = *wallbox_hardware(s->wallbox);
    s->began = real_ms() - s->w.now;
    site_boot(s);
}

static void site_close(struct site *s)
{
    wallbox_close(s->wallbox);
    CHECK(s->box.cells->coils[0] == 0, "the contactor is open at the end");
    world_close(&s->w);
    server_close(&s->box);
    server_close(&s->meter);
}

/* One turn of the station's loop. */
static void turn(struct site *s)
{
    struct timespec pause = { 0, 2000000 };

    nanosleep(&pause, NULL);
    s->w.now = real_ms() - s->began;
    if (s->obey) {
        s->box.cells->discretes[0] = s->box.cells->coils[0];
        s->box.cells->discretes[1] = s->box.cells->coils[1];
    }
    (void)wallbox_step(s->wallbox, s->w.st, s->w.now);
    world_settle(&s->w);
}

/* Turn until it is so; false when it never is. */
#define UNTIL(s, cond)                                    \
    for (uint64_t end_ = real_ms() + WAIT_MS; !(cond);) { \
        turn(s);                                          \
        if (real_ms() > end_) {                           \
            CHECK(cond, "never, in %s", __func__);        \
            break;                                        \
        }                                                 \
    }

static int error_of(struct site *s)
{
    return s->w.st->con[1].reported.error;
}

/* The lock's contact is read while the station waits, and turn() is not there to move it. */
static void stay_locked(struct site *s, bool on)
{
    s->obey = false;
    s->box.cells->discretes[0] = s->box.cells->coils[0];
    s->box.cells->discretes[1] = on;
}

static void charge(struct site *s)
{
    UNTIL(s, world_status(&s->w, 1) == AMP_AVAILABLE && s->w.up);
    s->box.cells->inputs[200] = 2;
    UNTIL(s, world_status(&s->w, 1) == AMP_PREPARING);
    stay_locked(s, true);
    world_tag(&s->w, 1, "TAG1");
    UNTIL(s, s->box.cells->coils[0]);
    s->box.cells->discretes[0] = 1;
    s->box.cells->inputs[200] = 'C';
    UNTIL(s, world_status(&s->w, 1) == AMP_CHARGING);
}

static void leave(struct site *s)
{
    stay_locked(s, false);
    s->box.cells->discretes[0] = 0; /* open as soon as it is told */
    s->box.cells->inputs[200] = 'A';
    UNTIL(s, world_status(&s->w, 1) == AMP_AVAILABLE);
    s->obey = true;
}

static void session(bool rtu)
{
    static struct site s;
    struct amp_reading r = { 0 };
    unsigned looks;

    site_open(&s, rtu);
    CHECK(s.box.cells->coils[0] == 0, "the station's start opens what was closed");
    CHECK(s.box.cells->holdings[0] == 320, "and sets its limit: %u", s.box.cells->holdings[0]);
    charge(&s);
    CHECK(s.box.cells->coils[0] && s.box.cells->coils[1], "permitted and locked");
    UNTIL(&s, s.box.cells->holdings[1] == AMP_CHARGING); /* the lamp */

    measured(&s.meter, 1002.5F, 11040);
    UNTIL(&s, s.w.hw.meter(s.w.hw.ctx, 1, &r) == 0 && r.energy_wh == 1002500 && r.power_w == 11040);
    CHECK(r.has == (AMP_HAS_POWER | AMP_HAS_CURRENT | AMP_HAS_VOLTAGE | AMP_HAS_FREQUENCY |
                    AMP_HAS_OFFERED),
          "%x", r.has);
    CHECK(r.voltage_mv[0] == 230500 && r.voltage_mv[1] == 231500 && r.voltage_mv[2] == 232500,
          "%d mV", r.voltage_mv[0]);
    CHECK(r.current_ma[0] == 15750 && r.current_ma[1] == 16750 && r.current_ma[2] == 17750, "%d mA",
          r.current_ma[0]);
    CHECK(r.frequency_mhz == 49980 && r.offered_ma == 32000 && r.phases == 3, "%d mHz",
          r.frequency_mhz);

    CHECK(s.w.hw.limit(s.w.hw.ctx, 1, 13370, 3) == 0 && s.box.cells->holdings[0] == 133,
          "13.37 A is 13.3: %u", s.box.cells->holdings[0]);
    looks = s.box.cells->writes;
    CHECK(s.w.hw.limit(s.w.hw.ctx, 1, 13370, 3) == 0 && s.box.cells->writes == looks,
          "the same limit is not written twice");
    CHECK(s.w.hw.limit(s.w.hw.ctx, 1, 30000, 1) == 0 && s.box.cells->holdings[0] == 100,
          "one of three phases: %u", s.box.cells->holdings[0]);
    CHECK(s.w.hw.limit(s.w.hw.ctx, 1, 16000, 1) == 0 && s.box.cells->holdings[0] == 0,
          "too little for three: %u", s.box.cells->holdings[0]);
    CHECK(s.w.hw.limit(s.w.hw.ctx, 1, 0, 3) == 0 && s.box.cells->holdings[0] == 0, "pause");
    CHECK(s.w.hw.permit(s.w.hw.ctx, 2, true) == AMP_E_RANGE, "no connector 2");
    CHECK(s.w.hw.meter(s.w.hw.ctx, 0, &r) == AMP_E_RANGE, "no connector 0");

    leave(&s);
    CHECK(!s.box.cells->coils[0] && !s.box.cells->coils[1], "open and unlocked");
    CHECK(s.w.tx_count == 1 && s.w.tx[0].start_wh == 1000000 && s.w.tx[0].stop_wh == 1002500,
          "%lld to %lld Wh", (long long)s.w.tx[0].start_wh, (long long)s.w.tx[0].stop_wh);
    CHECK(!s.w.bad_frames, "by the book");
    site_close(&s);
}

static void test_tcp(void)
{
    session(false);
}

static void test_rtu(void)
{
    session(true);
}

/* The meter dies: a warning under its own name, charging goes on; it comes back: no error. */
static void meter_failure(bool rtu)
{
    static struct site s;
    struct amp_reading r;

    site_open(&s, rtu);
    charge(&s);
    server_kill(&s.meter);
    UNTIL(&s, error_of(&s) == AMP_ERROR_METER);
    CHECK(strstr(s.w.last, "PowerMeterFailure"), "%s", s.w.last);
    CHECK(s.w.hw.meter(s.w.hw.ctx, 1, &r) == AMP_E_IO, "no reading");
    CHECK(world_status(&s.w, 1) == AMP_CHARGING && s.box.cells->coils[0], "goes on");
    server_spawn(&s.meter);
    UNTIL(&s, error_of(&s) == AMP_ERROR_NONE);
    CHECK(s.w.hw.meter(s.w.hw.ctx, 1, &r) == 0 && r.energy_wh == 1000000, "reads again");

    s.meter.cells->silent = 1; /* it is there, and says nothing */
    UNTIL(&s, error_of(&s) == AMP_ERROR_METER);
    s.meter.cells->silent = 0;
    UNTIL(&s, error_of(&s) == AMP_ERROR_NONE);

    server_float(&s.meter, 0x34, __builtin_nanf("")); /* it says nonsense */
    UNTIL(&s, error_of(&s) == AMP_ERROR_METER);
    measured(&s.meter, 1001, 7000);
    UNTIL(&s, error_of(&s) == AMP_ERROR_NONE);
    UNTIL(&s, s.w.hw.meter(s.w.hw.ctx, 1, &r) == 0 && r.energy_wh == 1001000);
    site_close(&s);
}

static void test_meter_tcp(void)
{
    meter_failure(false);
}

static void test_meter_rtu(void)
{
    meter_failure(true);
}

/* The box dies in a session: Faulted; it comes back with everything off, and the session goes on.
 */
static void test_box_failure(void)
{
    static struct site s;

    site_open(&s, false);
    charge(&s);
    server_kill(&s.box);
    UNTIL(&s, world_status(&s.w, 1) == AMP_FAULTED);
    CHECK(error_of(&s) == AMP_ERROR_SWITCH || error_of(&s) == AMP_ERROR_INTERNAL, "%d",
          error_of(&s));
    CHECK(s.w.hw.permit(s.w.hw.ctx, 1, false) == AMP_E_IO, "no command arrives");
    memset(s.box.cells->coils, 0, 2);
    s.box.cells->discretes[0] = 0;
    s.box.cells->holdings[0] = 0;
    server_spawn(&s.box);
    UNTIL(&s, world_status(&s.w, 1) == AMP_CHARGING && s.box.cells->coils[0]);
    CHECK(error_of(&s) == AMP_ERROR_NONE, "%d", error_of(&s));
    CHECK(s.box.cells->holdings[0] == 320 && s.box.cells->coils[1], "limit and lock again: %u",
          s.box.cells->holdings[0]);
    CHECK(s.w.tx_count == 1 && !s.w.tx[0].stops, "the same transaction");
    leave(&s);
    site_close(&s);
}

/* A device that forgets is reminded; one that refuses is an error. */
static void test_disobedience(void)
{
    static struct site s;
    unsigned writes;

    site_open(&s, false);
    charge(&s);
    s.box.cells->coils[0] = 0;
    UNTIL(&s, s.box.cells->coils[0] == 1);
    s.box.cells->holdings[0] = 400; /* more than it may */
    UNTIL(&s, s.box.cells->holdings[0] == 320);
    UNTIL(&s, error_of(&s) == AMP_ERROR_NONE);
    s.box.cells->holdings[0] = 160; /* less, by its own reasons */
    writes = s.box.cells->writes;
    for (int i = 0; i < 40; i++)
        turn(&s);
    CHECK(s.box.cells->holdings[0] == 160 && s.box.cells->writes == writes, "left alone");

    s.box.cells->refuses = 1;
    CHECK(s.w.hw.limit(s.w.hw.ctx, 1, 10000, 3) == AMP_E_IO, "refused");
    wallbox_announce(s.wallbox); /* that was not the station's own command: it has not heard */
    UNTIL(&s, error_of(&s) == AMP_ERROR_SWITCH && world_status(&s.w, 1) == AMP_FAULTED);
    s.box.cells->discretes[0] = 0;
    s.box.cells->refuses = 0;
    UNTIL(&s, world_status(&s.w, 1) == AMP_CHARGING && s.box.cells->holdings[0] == 100);
    leave(&s);
    site_close(&s);
}

/* A device that opens and refuses to close: the error is held longer each time, not told for ever.
 */
static void test_flapping(void)
{
    static struct site s;
    uint64_t begin;
    unsigned events, most = 2;

    site_open(&s, false);
    charge(&s);
    s.box.cells->refuses = 2;
    s.box.cells->coils[0] = 0; /* it has opened, and refuses to close */
    s.box.cells->discretes[0] = 0;
    UNTIL(&s, world_status(&s.w, 1) == AMP_FAULTED);
    begin = real_ms();
    events = s.w.events[AMP_EVENT_STATUS];
    while (real_ms() < begin + 1500)
        turn(&s);
    for (uint64_t hold = 20; hold < 3000; hold *= 2) /* Faulted and back, once each */
        most += 2;
    CHECK(s.w.events[AMP_EVENT_STATUS] - events >= 4 &&
              s.w.events[AMP_EVENT_STATUS] - events <= most,
          "%u changes", s.w.events[AMP_EVENT_STATUS] - events);
    s.box.cells->refuses = 0;
    UNTIL(&s, world_status(&s.w, 1) == AMP_CHARGING && s.box.cells->coils[0]);
    leave(&s);
    site_close(&s);
}

static void test_weld(void)
{
    static struct site s;

    site_open(&s, false);
    charge(&s);
    stay_locked(&s, false); /* the contactor's contact stays as well: closed */
    s.box.cells->inputs[200] = 'A';
    UNTIL(&s, error_of(&s) == AMP_ERROR_SWITCH);
    CHECK(!s.box.cells->coils[0], "told to open");
    CHECK(world_status(&s.w, 1) == AMP_FAULTED, "nobody charges here");
    s.box.cells->discretes[0] = 0;
    UNTIL(&s, error_of(&s) == AMP_ERROR_NONE && world_status(&s.w, 1) == AMP_AVAILABLE);
    site_close(&s);
}

static void test_lock(void)
{
    static struct site s;

    /* the bolt does not move: no transaction */
    site_open(&s, false);
    UNTIL(&s, s.w.up);
    s.box.cells->inputs[200] = 3;
    UNTIL(&s, world_status(&s.w, 1) == AMP_PREPARING);
    stay_locked(&s, false);
    world_tag(&s.w, 1, "TAG1");
    UNTIL(&s, error_of(&s) == AMP_ERROR_LOCK);
    CHECK(!s.w.started && !s.box.cells->coils[0], "no energy without a lock");
    s.box.cells->inputs[200] = 1; /* the driver pulls the plug, the bolt moves again, */
    UNTIL(&s, !s.w.st->con[1].plugged);
    stay_locked(&s, true);
    UNTIL(&s, error_of(&s) == AMP_ERROR_NONE && world_status(&s.w, 1) == AMP_PREPARING);
    s.box.cells->inputs[200] = 3; /* and the tag still counts */
    UNTIL(&s, world_status(&s.w, 1) == AMP_CHARGING && s.box.cells->coils[0]);
    s.box.cells->discretes[0] = 1;

    /* it jams when it is to open: UnlockFailed */
    CHECK(strstr(world_call(&s.w, "UnlockConnector", "{\"connectorId\":1}"), "UnlockFailed"), "%s",
          s.w.reply);
    UNTIL(&s, error_of(&s) == AMP_ERROR_LOCK);
    s.box.cells->discretes[1] = 0;
    CHECK(strstr(world_call(&s.w, "UnlockConnector", "{\"connectorId\":1}"), "Unlocked"), "%s",
          s.w.reply);
    s.box.cells->discretes[0] = 0;
    UNTIL(&s, error_of(&s) == AMP_ERROR_NONE);
    CHECK(s.w.hw.locked(s.w.hw.ctx, 1) == 0, "the contact");
    site_close(&s);
}

static void test_inputs(void)
{
    static struct site s;

    site_open(&s, false);
    charge(&s);
    s.box.cells->inputs[200] = 2; /* B: the car has had enough */
    UNTIL(&s, world_status(&s.w, 1) == AMP_SUSPENDED_EV);
    s.box.cells->inputs[200] = 4; /* D */
    UNTIL(&s, world_status(&s.w, 1) == AMP_CHARGING);
    s.box.cells->discretes[2] = 1;
    UNTIL(&s, error_of(&s) == AMP_ERROR_GROUND && world_status(&s.w, 1) == AMP_FAULTED);
    UNTIL(&s, !s.box.cells->coils[0]);
    s.box.cells->discretes[0] = 0;
    s.box.cells->discretes[2] = 0;
    UNTIL(&s, world_status(&s.w, 1) == AMP_CHARGING && s.box.cells->coils[0]);
    s.box.cells->inputs[200] = 'F';
    UNTIL(&s, error_of(&s) == AMP_ERROR_OTHER);
    CHECK(world_status(&s.w, 1) == AMP_FAULTED, "pilot F");
    s.box.cells->discretes[0] = 0;
    s.box.cells->inputs[200] = 'C';
    UNTIL(&s, world_status(&s.w, 1) == AMP_CHARGING);

    /* the station restarts: it is told what is plugged in, and what was on is off */
    s.box.cells->inputs[200] = 'B';
    stay_locked(&s, false);
    world_power(&s.w);
    wallbox_announce(s.wallbox);
    UNTIL(&s, world_status(&s.w, 1) == AMP_PREPARING);
    CHECK(!s.box.cells->coils[0], "off");
    s.box.cells->discretes[0] = 0;
    UNTIL(&s, error_of(&s) == AMP_ERROR_NONE);
    site_close(&s);
}

/* Nothing is there at the start, not even the port: the station starts, and hears of it. */
static void test_nothing(void)
{
    static struct site s;
    char status[128];

    site_open(&s, false);
    server_kill(&s.box);
    server_kill(&s.meter);
    CHECK(s.w.hw.permit(s.w.hw.ctx, 1, true) < 0, "fails");
    site_boot(&s);
    UNTIL(&s, world_status(&s.w, 1) == AMP_FAULTED && s.w.up);
    server_spawn(&s.box);
    server_spawn(&s.meter);
    UNTIL(&s, world_status(&s.w, 1) == AMP_AVAILABLE && error_of(&s) == AMP_ERROR_NONE);
    CHECK(!strcmp(wallbox_status(s.wallbox, status, sizeof status),
                  "meter: connected, box: connected"),
          "%s", status);
    site_close(&s);
}

static void test_tags(void)
{
    char path[] = "/tmp/amp-tags-XXXXXX", tag[WALLBOX_TAG_CAP], fifo[64];
    struct wallbox_tags t;
    /* clang-format off */
    struct input_event keys[] = {
        { .type = EV_KEY, .code = KEY_LEFTSHIFT, .value = 1 },
        { .type = EV_KEY, .code = KEY_A,         .value = 1 },
        { .type = EV_KEY, .code = KEY_A,         .value = 0 },
        { .type = EV_SYN },
        { .type = EV_KEY, .code = KEY_0,         .value = 1 },
        { .type = EV_KEY, .code = KEY_1,         .value = 1 },
        { .type = EV_KEY, .code = KEY_ENTER,     .value = 1 },
    };
    /* clang-format on */
    int fd;

    CHECK(mkdtemp(path) != NULL, "directory");
    snprintf(fifo, sizeof fifo, "%s/reader", path);
    CHECK(mkfifo(fifo, 0600) == 0 && wallbox_tags_open(&t, fifo, false) == 0, "fifo");
    CHECK(!wallbox_tags_next(&t, tag), "nothing yet");
    fd = open(fifo, O_WRONLY);
    CHECK(write(fd, "04 A2", 5) == 5 && !wallbox_tags_next(&t, tag), "half a tag");
    CHECK(write(fd, "FF\r\n\n123456789012345678901\nB\x01\nC\n", 32) == 32, "more");
    close(fd);
    CHECK(wallbox_tags_next(&t, tag) && !strcmp(tag, "04A2FF"), "%s", tag);
    CHECK(wallbox_tags_next(&t, tag) && !strcmp(tag, "C"), "too long and broken ones are none: %s",
          tag);
    CHECK(!wallbox_tags_next(&t, tag), "no more");
    t.keys = true; /* the events of a keyboard; a FIFO cannot be grabbed as one */
    fd = open(fifo, O_WRONLY);
    CHECK(write(fd, keys, sizeof keys) == (ssize_t)sizeof keys, "keys");
    close(fd);
    CHECK(wallbox_tags_next(&t, tag) && !strcmp(tag, "A01"), "%s", tag);
    wallbox_tags_close(&t);
    CHECK(wallbox_tags_open(&t, fifo, true) == AMP_E_IO && t.fd == -1, "no keyboard");
    unlink(fifo);
    rmdir(path);
    CHECK(wallbox_tags_open(&t, fifo, false) == AMP_E_IO, "no reader");
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "serve"))
        return server_main(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    RUN(test_tcp);
    RUN(test_rtu);
    RUN(test_meter_tcp);
    RUN(test_meter_rtu);
    RUN(test_box_failure);
    RUN(test_disobedience);
    RUN(test_flapping);
    RUN(test_weld);
    RUN(test_lock);
    RUN(test_inputs);
    RUN(test_nothing);
    RUN(test_tags);
    return check_end();
}
