/* fleet/crowd_test.c - many stations on a turned clock: what they count, what the ledger holds and
 * what the server saw agree, also when the server drops everybody again and again. */
#include "fleet/crowd.h"
#include "fleet/csms/csms.h"
#include "fleet/csms/turn.h"
#include "ocpp/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define STATIONS 20

static struct posix_loop loop;
static struct csms *csms;
static struct crowd *crowd;
static FILE *out;
static char ledger_path[64], url[64];
static const char *const settings[] = { "MeterValueSampleInterval=5", NULL };

static void begin(uint32_t seed)
{
    uint16_t port = 0;
    int fd;

    snprintf(ledger_path, sizeof ledger_path, "/tmp/crowd_test.XXXXXX");
    fd = mkstemp(ledger_path);
    CHECK(fd >= 0 && close(fd) == 0, "ledger file");
    CHECK(posix_loop_open(&loop, 0, false) == 0, "loop");
    CHECK(csms_open(&loop, &port, &csms) == 0, "csms");
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/ocpp", port);
    out = tmpfile();
    CHECK(crowd_open(&loop,
                     &(struct crowd_options){ .url = url,
                                              .prefix = "CP",
                                              .tag_prefix = "FLEET",
                                              .count = STATIONS,
                                              .seed = seed,
                                              .charge_s = { 10, 20 },
                                              .idle_s = { 2, 8 },
                                              .reconnect_s = { 1, 4 },
                                              .rate = 10,
                                              .duration_s = 60,
                                              .report_s = 10,
                                              .settings = settings,
                                              .ledger_path = ledger_path,
                                              .log_level = AMP_LOG_ERROR,
                                              .out = out },
                     &crowd) == 0,
          "crowd");
}

static void end(void)
{
    crowd_close(crowd);
    csms_close(csms);
    posix_loop_close(&loop);
    fclose(out);
    unlink(ledger_path);
}

/* Every line of the ledger against what the central system remembers. */
static void check_ledger(const struct crowd_result *r)
{
    const struct csms_seen *seen = csms_seen(csms);
    FILE *f = fopen(ledger_path, "r");
    uint64_t starts = 0, meters = 0, stops = 0;
    char line[512];

    while (f && fgets(line, sizeof line, f)) {
        const char *at = strstr(line, " transaction=");
        unsigned number = at ? (unsigned)strtoul(at + 13, NULL, 10) : 0;
        const struct csms_transaction *t =
            number >= 1 && number <= seen->count ? &seen->transactions[number - 1] : NULL;
        char station[48] = "";
        int64_t meter = -1;

        CHECK(t, "no such transaction: %s", line);
        CHECK(strchr(line, '\n'), "half a line: %s", line);
        if (!t)
            continue;
        sscanf(strstr(line, "station="), "station=%47s", station);
        CHECK(!strcmp(station, t->station), "%s", line);
        at = strstr(line, " meter=");
        if (at)
            meter = strtoll(at + 7, NULL, 10);
        starts += !strncmp(line, "start ", 6);
        meters += !strncmp(line, "meter ", 6);
        stops += !strncmp(line, "stop ", 5);
        if (!strncmp(line, "start ", 6))
            CHECK(meter == t->meter_start && strstr(line, t->tag) &&
                      strstr(line, "status=Accepted"),
                  "%s", line);
        if (!strncmp(line, "stop ", 5))
            CHECK(meter == t->meter_stop && t->stops >= 1, "%s", line);
        if (!strncmp(line, "meter ", 6))
            CHECK(strstr(line, " energy="), "%s", line);
    }
    CHECK(f && fclose(f) == 0, "ledger");
    CHECK(starts == r->stats.starts && stops == r->stats.stops, "%d start lines, %d answers",
          (int)starts, (int)r->stats.starts);
    CHECK(meters >= r->stats.meters && meters > 0, "%d meter lines", (int)meters);
}

static void check_all_delivered(const struct crowd_result *r)
{
    const struct csms_seen *seen = csms_seen(csms);

    CHECK(r->up == STATIONS && r->accepted == STATIONS && r->queued == 0,
          "%u up, %u accepted, %u queued", r->up, r->accepted, r->queued);
    CHECK(r->sessions == seen->count && r->sessions >= STATIONS, "%d sessions, %u seen",
          (int)r->sessions, seen->count);
    for (unsigned i = 0; i < seen->count; i++) {
        const struct csms_transaction *t = &seen->transactions[i];

        CHECK(t->starts >= 1 && t->stops >= 1 && !t->falls, "%s: %u starts, %u stops", t->station,
              t->starts, t->stops);
        CHECK(t->meter_stop >= t->meter_start, "%s: %d to %d", t->station, (int)t->meter_start,
              (int)t->meter_stop);
    }
}

static void test_day(void)
{
    struct crowd_result r;
    char text[4096];
    size_t n;

    begin(1);
    CHECK(turn(&loop, 120000) && loop.stop, "ends by itself");
    crowd_result(crowd, &r);
    check_all_delivered(&r);
    check_ledger(&r);
    CHECK(r.refused == 0 && r.stats.refused == 0 && !r.ledger_failed, "%d refused", (int)r.refused);
    for (unsigned i = 0; i < csms_seen(csms)->count; i++)
        CHECK(csms_seen(csms)->transactions[i].starts == 1 &&
                  csms_seen(csms)->transactions[i].stops == 1,
              "twice");
    rewind(out);
    n = fread(text, 1, sizeof text - 1, out);
    text[n] = 0;
    CHECK(!strncmp(text, "fleet t_s=10 stations=20 up=20 accepted=20 ", 43), "%s", text);
    end();
}

/* Dropped every seven seconds, in the midst of whatever was said: at the end all is there, and no
 * acknowledged start twice. */
static void test_drops(void)
{
    struct crowd_result r;

    begin(2);
    for (int i = 0; i < 8; i++) {
        CHECK(turn(&loop, 7000), "rests");
        csms_drop(csms);
    }
    CHECK(turn(&loop, 120000) && loop.stop, "ends by itself");
    crowd_result(crowd, &r);
    check_all_delivered(&r);
    check_ledger(&r);
    CHECK(csms_seen(csms)->connections > STATIONS * 5, "%u connections",
          csms_seen(csms)->connections);
    end();
}

static void test_seed(void)
{
    uint64_t energy[3] = { 0 };
    static const uint32_t seeds[] = { 7, 7, 8 };

    for (int i = 0; i < 3; i++) {
        begin(seeds[i]);
        CHECK(turn(&loop, 40000), "rests");
        for (unsigned k = 0; k < csms_seen(csms)->count; k++)
            energy[i] = energy[i] * 31 + (uint64_t)csms_seen(csms)->transactions[k].meter_start +
                        csms_seen(csms)->transactions[k].meters;
        end();
    }
    CHECK(energy[0] == energy[1], "the same seed, another day");
    CHECK(energy[0] != energy[2], "another seed, the same day");
}

int main(void)
{
    RUN(test_day);
    RUN(test_drops);
    RUN(test_seed);
    return check_end();
}
