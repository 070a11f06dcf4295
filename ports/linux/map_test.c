/* ports/linux/map_test.c - the description of a wallbox: what is understood, what is refused and
 * where; values from registers and back. */
#include "ocpp/check.h"
#include "ports/linux/map.h"
#include "station/station.h"

#include <math.h>

#define BUS "bus box tcp 127.0.0.1:502\n"

static const char whole[] =
    "# two places, one box\n"
    "bus meters rtu /dev/ttyUSB0 9600 8E1\n"
    "bus box tcp wallbox.local:1502   # the controller\n"
    "answer 250\npoll 200\nstale 2000\nbolt 700\ntags keys /dev/input/event3\n"
    "profile mine energy holding 0x10 u32le 100\n"
    "profile mine power holding 0x12 s32\n"
    "connector 1 meter meters 1 sdm630\n"
    "connector 1 permit box 1 coil 0\n"
    "connector 1 limit box 1 holding 100 u16 0.1\n"
    "connector 1 pilot box 1 input 12\n"
    "connector 1 closed box 1 discrete 4\n"
    "connector 1 fault box 1 discrete 5 inverted GroundFailure\n"
    "connector 1 fault box 1 input 13 bit3 HighTemperature\n"
    "connector 2 meter meters 2 mine\n"
    "connector 2 wired 1\nconnector 2 most 32\n"
    "connector 2 permit box 1 coil 1 inverted\n"
    "connector 2 limit box 1 holding 101 0.1\n"
    "connector 2 plug box 1 discrete 6\n";

static void test_whole(void)
{
    static struct wallbox_map m;
    const struct wallbox_connector_map *c;
    const char *why = "";
    unsigned line;
    int rc = wallbox_map_parse(AMP_TEXT(whole), &m, &line, &why);

    CHECK(rc == 0, "line %u: %s", line, why);
    CHECK(m.connectors == 2 && m.bus_count == 2, "%d connectors, %d buses", m.connectors,
          m.bus_count);
    CHECK(m.buses[0].rtu && m.buses[0].baud == 9600 && m.buses[0].parity == 'E' &&
              m.buses[0].stop_bits == 1 && !strcmp(m.buses[0].where, "/dev/ttyUSB0"),
          "rtu");
    CHECK(!m.buses[1].rtu && !strcmp(m.buses[1].where, "wallbox.local") &&
              !strcmp(m.buses[1].port, "1502"),
          "tcp");
    CHECK(m.answer_ms == 250 && m.poll_ms == 200 && m.stale_ms == 2000 && m.bolt_ms == 700,
          "times");
    CHECK(m.keys && !strcmp(m.tags, "/dev/input/event3"), "reader");
    c = &m.connector[1];
    CHECK(c->wired == 3 && c->points[WALLBOX_ENERGY].address == 0x48 &&
              c->points[WALLBOX_ENERGY].scale == 1000 &&
              c->points[WALLBOX_VOLTAGE + 2].address == 4 && c->points[WALLBOX_VOLTAGE].unit == 1 &&
              c->points[WALLBOX_VOLTAGE].bus == 0,
          "meter");
    CHECK(c->points[WALLBOX_LIMIT].scale == 0.1 && c->points[WALLBOX_LIMIT].bus == 1, "limit");
    CHECK(c->faults == 2 && c->errors[0] == AMP_ERROR_GROUND &&
              c->errors[1] == AMP_ERROR_TEMPERATURE,
          "faults");
    CHECK(c->points[WALLBOX_FAULT].inverted && c->points[WALLBOX_FAULT + 1].bit == 3, "bits");
    c = &m.connector[2];
    CHECK(c->wired == 1 && c->most_ma == 32000 && m.connector[1].most_ma == 16000 &&
              c->points[WALLBOX_PERMIT].inverted &&
              c->points[WALLBOX_ENERGY].type == WALLBOX_U32_LE &&
              c->points[WALLBOX_ENERGY].unit == 2 && !c->points[WALLBOX_CURRENT].used,
          "connector 2");
}

/* The example that the documentation points to. */
static void test_example(void)
{
    static struct wallbox_map m;
    static char room[8192];
    FILE *f = fopen(AMP_SOURCE_DIR "/ports/linux/example.conf", "r");
    const char *why = "";
    unsigned line = 0;
    size_t n;

    CHECK(f, "example.conf");
    if (!f)
        return;
    n = fread(room, 1, sizeof room, f);
    fclose(f);
    CHECK(wallbox_map_parse((struct amp_text){ room, (uint32_t)n }, &m, &line, &why) == 0,
          "line %u: %s", line, why);
    CHECK(m.connectors == 1 && m.bus_count == 2 && m.keys && m.connector[1].faults == 1, "whole");
}

static void test_refused(void)
{
    static const char good[] =
        BUS "connector 1 meter box 1 sdm120\nconnector 1 permit box 1 coil 0\n";
    static const struct {
        const char *text;
        unsigned line;
        const char *why;
    } cases[] = {
        { "", 0, "no connector" },
        { BUS, 0, "no connector" },
        { "box", 1, "unknown word" },
        { "bus box tcp 127.0.0.1", 1, "HOST:PORT" },
        { "bus box tcp 127.0.0.1:99999", 1, "HOST:PORT" },
        { "bus box rtu /dev/ttyUSB0 9600 9N1", 1, "FORMAT" },
        { "bus box rtu /dev/ttyUSB0 9600", 1, "FORMAT" },
        { "bus box can can0", 1, "tcp or rtu" },
        { BUS BUS BUS BUS BUS, 5, "at most 4" },
        { "\n\nconnector 1 permit box 1 coil 0", 3, "no such bus" },
        { BUS "connector 9 permit box 1 coil 0", 2, "connector NUMBER" },
        { BUS "connector 1 permit box x coil 0", 2, "unit" },
        { BUS "connector 1 permit box 1 spool 0", 2, "a table is" },
        { BUS "connector 1 permit box 1 coil 65536", 2, "an address" },
        { BUS "connector 1 permit box 1 input 0", 2, "can be written" },
        { BUS "connector 1 permit box 1 holding 0 f32", 2, "u16" },
        { BUS "connector 1 limit box 1 holding 0 u16 -1", 2, "above 0" },
        { BUS "connector 1 limit box 1 holding 0 inverted", 2, "only a bit" },
        { BUS "connector 1 plug box 1 discrete 0 u32", 2, "too many words" },
        { BUS "connector 1 plug box 1 discrete 0 bit3", 2, "too many words" },
        { BUS "connector 1 voltage1 box 1 input 0", 2, "what is it" },
        { BUS "connector 1 fault box 1 discrete 0 Broken", 2, "an error of OCPP" },
        { BUS "connector 1 fault box 1 discrete 0 NoError", 2, "an error of OCPP" },
        { BUS "connector 1 wired 2", 2, "1 or 3" },
        { BUS "connector 1 most 5", 2, "6 to 80" },
        { BUS "connector 1 meter box 1 sdm999", 2, "no such meter" },
        { BUS "profile p power input 1\nconnector 1 meter box 1 p", 3, "needs energy" },
        { "profile p volume input 1", 1, "QUANTITY" },
        { "poll soon", 1, "milliseconds" },
        { BUS "connector 1 plug box 1 discrete 0", 0, "permit" },
        { BUS "connector 1 permit box 1 coil 0", 0, "pilot or plug" },
        { BUS "connector 1 permit box 1 coil 0\nconnector 1 plug box 1 coil 1", 0, "a meter" },
    };
    static struct wallbox_map m;
    char two[1024];
    const char *why;
    unsigned line;

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        int rc = wallbox_map_parse(amp_text_of(cases[i].text), &m, &line, &why);

        CHECK(rc == AMP_E_FORMAT && line == cases[i].line && why && strstr(why, cases[i].why),
              "%s: %d, line %u, %s", cases[i].text, rc, line, why ? why : "");
    }
    snprintf(two, sizeof two, "%sconnector 1 plug box 1 discrete 0", good);
    CHECK(wallbox_map_parse(amp_text_of(two), &m, &line, &why) == 0, "good: %s", why);
    snprintf(two, sizeof two, "stale 600\n%sconnector 1 plug box 1 discrete 0", good);
    CHECK(wallbox_map_parse(amp_text_of(two), &m, &line, &why) < 0 && strstr(why, "twice"),
          "stale");
    snprintf(two, sizeof two,
             "%sconnector 1 plug box 1 discrete 0\nconnector 1 limit box 1 holding 0 0.0001", good);
    CHECK(wallbox_map_parse(amp_text_of(two), &m, &line, &why) < 0 && strstr(why, "fit"), "limit");
    snprintf(two, sizeof two,
             "%sconnector 1 plug box 1 discrete 0\nconnector 2 meter box 2 sdm120\n"
             "connector 2 permit box 2 coil 0\nconnector 2 plug box 2 discrete 0\n"
             "connector 2 lock box 2 coil 1",
             good);
    CHECK(wallbox_map_parse(amp_text_of(two), &m, &line, &why) < 0 && strstr(why, "all connectors"),
          "one lock for two");
}

static void test_values(void)
{
    static const struct {
        enum wallbox_type type;
        uint16_t raw[2];
        double scale, value;
        /* clang-format off */
    } cases[] = {
        { WALLBOX_U16,    { 0xFFFF },         0.1,  6553.5 },
        { WALLBOX_S16,    { 0xFFFE },         0.5,  -1 },
        { WALLBOX_U32,    { 0x0001, 0x0002 }, 1,    65538 },
        { WALLBOX_U32_LE, { 0x0002, 0x0001 }, 1,    65538 },
        { WALLBOX_S32,    { 0xFFFF, 0xFFFF }, 1,    -1 },
        { WALLBOX_S32_LE, { 0xFFFE, 0xFFFF }, 1,    -2 },
        { WALLBOX_F32,    { 0x4366, 0x3333 }, 1,    230.1999969 }, /* 230.2 V of an SDM */
        { WALLBOX_F32_LE, { 0x3333, 0x4366 }, 1,    230.1999969 },
        { WALLBOX_F32,    { 0x449A, 0x5225 }, 1000, 1234567.0 },
    };
    /* clang-format on */
    struct wallbox_point bit = { .type = WALLBOX_BIT, .bit = 4 };
    uint16_t raw = 0x10, nan[2] = { 0x7FC0, 0 }, inf[2] = { 0x7F80, 0 };
    double value;

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct wallbox_point p = { .type = (uint8_t)cases[i].type, .scale = cases[i].scale };

        CHECK(wallbox_decode(&p, cases[i].raw, &value) == 0, "case %zu", i);
        CHECK(fabs(value - cases[i].value) <= fabs(cases[i].value) * 1e-7, "case %zu: %.7f", i,
              value);
    }
    CHECK(wallbox_decode(&bit, &raw, &value) == 0 && value == 1, "bit 4");
    bit.inverted = true;
    CHECK(wallbox_decode(&bit, &raw, &value) == 0 && value == 0, "inverted");
    bit.bit = 0;
    CHECK(wallbox_encode(&bit, 1, &raw) == 0 && raw == 0, "an inverted coil");
    for (int i = 0; i < 2; i++) {
        struct wallbox_point f = { .type = WALLBOX_F32, .scale = 1 };

        CHECK(wallbox_decode(&f, i ? nan : inf, &value) == AMP_E_VALUE, "no number");
    }
    struct wallbox_point tenth = { .type = WALLBOX_U16, .scale = 0.1 };

    CHECK(wallbox_encode(&tenth, 16, &raw) == 0 && raw == 160, "16 A: %u", raw);
    CHECK(wallbox_encode(&tenth, 15.99, &raw) == 0 && raw == 159, "never more: %u", raw);
    CHECK(wallbox_encode(&tenth, 6554, &raw) == AMP_E_RANGE, "too much");
    CHECK(wallbox_encode(&tenth, -1, &raw) == AMP_E_RANGE, "negative");
}

int main(void)
{
    RUN(test_whole);
    RUN(test_example);
    RUN(test_refused);
    RUN(test_values);
    return check_end();
}
