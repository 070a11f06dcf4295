/* central/central_test.c - the whole central system in one process, on a real port with a real
 * database: stations over raw sockets, good ones and bad ones. Whatever one of them does, it gets a
 * clear answer or close code, the log counts it, and the neighbour's next message is answered. */
#include "central/plant.h"
#include "central/rest/live.h"
#include "central/rest/people.h"

static uint64_t broken(struct plant *p)
{
    return log_total(p->log, "net", "websocket closed for breaking a rule");
}

/* ---- good ones ---- */

static void test_session(void)
{
    struct plant p;
    const struct charger_fact *f;
    struct charger *c;
    int fd;

    plant_settings(&p);
    plant_start(&p);
    fd = station_open(&p, "CP001");
    station_boots(&p, fd);
    CHECK(station_lives(&p, fd), "heartbeat");
    c = world_charger(p.central.world, AMP_TEXT("cp001"));
    CHECK(c, "known");
    CHECK(c && charger_session(c) && charger_fact(c)->connection == CONNECTION_CONNECTED, "online");
    UNTIL(&p.stage, live_seq(p.central.live) > 0); /* the live feed shows what is durable */
    central_stop(&p.central, stage_done, &p.stage);
    CHECK(peer_close_code(&p.stage, fd) == 1001, "going away");
    close(fd);
    plant_stop(&p);
    plant_start(&p); /* the next process finds it all */
    c = world_charger(p.central.world, AMP_TEXT("CP001"));
    CHECK(c, "still known");
    f = c ? charger_fact(c) : NULL;
    CHECK(f && amp_text_is(f->vendor, "Acme") && amp_text_is(f->model, "One") &&
              f->registration == REGISTRATION_ACCEPTED,
          "as it was");
    CHECK(c && !charger_session(c), "offline");
    plant_stop(&p);
    plant_end(&p);
}

static void test_newest_wins(void)
{
    struct plant p;
    struct charger *c;
    int first, second;

    plant_settings(&p);
    plant_start(&p);
    first = station_open(&p, "CP001");
    station_boots(&p, first);
    second = station_open(&p, "CP001");
    CHECK(peer_close_code(&p.stage, first) >= 1000, "the old one is closed");
    close(first);
    CHECK(station_lives(&p, second), "the new one works");
    c = world_charger(p.central.world, AMP_TEXT("CP001"));
    CHECK(c && charger_session(c) && charger_fact(c)->connection == CONNECTION_CONNECTED,
          "online all the time");
    close(second);
    plant_stop(&p);
    plant_end(&p);
}

/* Many stations at once; each gets its own answers. */
static void test_many(void)
{
    enum { MANY = 300 };
    struct plant p;
    static int fds[MANY];
    char id[16], text[64], expect[32];
    static char answer[65536];

    plant_settings(&p);
    plant_start(&p);
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "CP%03d", i);
        fds[i] = station_open(&p, id);
        station_boots(&p, fds[i]);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "[2,\"id-%d\",\"Heartbeat\",{}]", i);
        peer_text(&p.stage, fds[i], text);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(expect, sizeof expect, "[3,\"id-%d\",", i);
        CHECK(peer_next(&p.stage, fds[i], answer, sizeof answer, NULL) == 0x81 &&
                  !strncmp(answer, expect, strlen(expect)),
              "%d: '%s'", i, answer);
    }
    CHECK(world_charger_count(p.central.world) == MANY, "%zu",
          world_charger_count(p.central.world));
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    plant_stop(&p);
    plant_end(&p);
}

/* ---- bad ones ---- */

static const struct {
    const char *why, *bytes;
    size_t len;
    int code;
} frames[] = {
    { "broken UTF-8", "\x81\x83\0\0\0\0\xc3\x28\x22", 9, 1007 },
    { "oversized frame", "\x81\xff\0\0\0\0\0\1\0\1\0\0\0\0", 14, 1009 },
    { "binary message", "\x82\x81\0\0\0\0x", 7, 1003 },
    { "not masked", "\x81\x02[]", 4, 1002 },
};

static void test_bad_frames(void)
{
    struct plant p;
    int neighbour;

    plant_settings(&p);
    plant_start(&p);
    neighbour = station_open(&p, "GOOD");
    station_boots(&p, neighbour);
    for (size_t i = 0; i < AMP_COUNT(frames); i++) {
        uint64_t counted = broken(&p);
        int fd = station_open(&p, "BAD"), code;

        station_boots(&p, fd);
        peer_send(&p.stage, fd, frames[i].bytes, frames[i].len);
        code = peer_close_code(&p.stage, fd);
        CHECK(code == frames[i].code, "%s: closed with %d", frames[i].why, code);
        if (frames[i].code == 1007 ||
            frames[i].code == 1003) { /* the handshake ends when the peer answers */
            uint8_t frame[32], body[2] = { 3, 0xe8 };

            peer_send(&p.stage, fd, frame, peer_frame(frame, 0x88, body, 2));
        }
        UNTIL(&p.stage, broken(&p) > counted);
        close(fd);
        CHECK(station_lives(&p, neighbour), "%s: the neighbour", frames[i].why);
    }
    CHECK(strstr(log_text(&p), "websocket closed for breaking a rule peer=127.0.0.1:"), "'%s'",
          log_text(&p));
    close(neighbour);
    plant_stop(&p);
    plant_end(&p);
}

static const struct {
    const char *why, *text;
    const char *answer;  /* begins so; NULL: none, the next message is answered */
    const char *counted; /* message of the log */
} texts[] = {
    { "unknown action", "[2,\"u\",\"Levitate\",{}]", "[4,\"u\",\"NotImplemented\",",
      "call refused" },
    { "wrong direction", "[2,\"w\",\"RemoteStartTransaction\",{\"idTag\":\"A\"}]",
      "[4,\"w\",\"NotSupported\",", "call refused" },
    { "missing field", "[2,\"m\",\"BootNotification\",{\"chargePointVendor\":\"A\"}]",
      "[4,\"m\",\"OccurenceConstraintViolation\",", "call refused" },
    { "no frame", "{\"hello\":1}", NULL, "frame dropped" },
    { "answer to nothing", "[3,\"never\",{}]", NULL, "frame dropped" },
    { "modem noise", "+CREG: 5", NULL, "frame dropped" },
    { "empty", "", NULL, "frame dropped" },
};

static void test_bad_texts(void)
{
    struct plant p;
    int fd, neighbour;

    plant_settings(&p);
    plant_start(&p);
    neighbour = station_open(&p, "GOOD");
    station_boots(&p, neighbour);
    fd = station_open(&p, "ODD");
    station_boots(&p, fd);
    for (size_t i = 0; i < AMP_COUNT(texts); i++) {
        const char *answer, *message = texts[i].counted;
        uint64_t counted = log_total(p.log, "v16", message);

        if (texts[i].answer) {
            answer = station_says(&p, fd, texts[i].text);
            CHECK(!strncmp(answer, texts[i].answer, strlen(texts[i].answer)), "%s: '%s'",
                  texts[i].why, answer);
        } else {
            peer_text(&p.stage, fd, texts[i].text);
        }
        CHECK(station_lives(&p, fd), "%s: it may go on", texts[i].why);
        counted = log_total(p.log, "v16", message) - counted;
        CHECK(counted == 1, "%s: counted %d times", texts[i].why, (int)counted);
        CHECK(station_lives(&p, neighbour), "%s: the neighbour", texts[i].why);
    }
    close(fd), close(neighbour);
    plant_stop(&p);
    plant_end(&p);
}

static void test_doors(void)
{
    struct plant p;
    const char *answer;
    char id[400];
    int fd;

    plant_settings(&p);
    plant_start(&p);
    answer = station_knock(&p, "CP1", "ocpp9.9, mqtt", &fd); /* ocpp-facts C4 */
    CHECK(!strncmp(answer, "HTTP/1.1 101 ", 13) && !strstr(answer, "Sec-WebSocket-Protocol"),
          "'%s'", answer);
    CHECK(peer_close_code(&p.stage, fd) >= 1000, "and closed at once");
    close(fd);
    CHECK(http_status(&p, "GET /ocpp/CP1 HTTP/1.1\r\n\r\n") == 426, "no upgrade");
    CHECK(http_status(&p, "GET /no/such/path HTTP/1.1\r\n\r\n") == 404, "unknown path");
    CHECK(http_status(&p, "GET /healthz HTTP/1.1\r\n\r\n") == 200, "healthz");
    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = 0;
    answer = station_knock(&p, id, "ocpp1.6", &fd);
    CHECK(!strncmp(answer, "HTTP/1.1 4", 10), "a long identity: '%s'", answer);
    close(fd);
    answer = station_knock(&p, "", "ocpp1.6", &fd);
    CHECK(!strncmp(answer, "HTTP/1.1 404", 12), "no identity: '%s'", answer);
    close(fd);
    answer = station_knock(&p, "a%0ab", "ocpp1.6", &fd);
    CHECK(!strncmp(answer, "HTTP/1.1 4", 10), "a control character: '%s'", answer);
    close(fd);
    CHECK(world_charger(p.central.world, AMP_TEXT("CP1")) == NULL ||
              !charger_session(world_charger(p.central.world, AMP_TEXT("CP1"))),
          "nobody is online");
    plant_stop(&p);
    plant_end(&p);
}

/* Unknown stations when they are not wanted: they may knock, but not boot. */
static void test_unknown_station(void)
{
    struct plant p;
    const char *answer;
    char *why = NULL;
    int fd;

    plant_settings(&p);
    CHECK(settings_set(&p.settings, "accept-unknown", "false", "test", &why) == 0, "%s", why);
    plant_start(&p);
    answer = station_knock(&p, "STRANGER", "ocpp1.6", &fd);
    if (!strncmp(answer, "HTTP/1.1 101 ", 13)) {
        answer = station_says(&p, fd,
                              "[2,\"b\",\"BootNotification\",{\"chargePointVendor\":\"A\","
                              "\"chargePointModel\":\"B\"}]");
        CHECK(strstr(answer, "\"status\":\"Pending\"") || strstr(answer, "\"status\":\"Rejected\""),
              "'%s'", answer);
    } else {
        CHECK(!strncmp(answer, "HTTP/1.1 404 ", 13), "'%s'", answer);
    }
    close(fd);
    plant_stop(&p);
    plant_end(&p);
}

static void test_half_open(void)
{
    struct plant p;
    struct charger *c;
    uint64_t lost;
    int fd;

    plant_settings(&p);
    plant_start(&p);
    fd = station_open(&p, "DEAD");
    station_boots(&p, fd);
    c = world_charger(p.central.world, AMP_TEXT("DEAD"));
    CHECK(c && charger_session(c), "online");
    lost = log_total(p.log, "net", "websocket lost");
    net_turn_clock(p.central.net, 26000); /* a ping goes out, and nothing comes back */
    net_turn_clock(p.central.net, 22000);
    UNTIL(&p.stage, c && !charger_session(c));
    CHECK(charger_fact(c)->connection == CONNECTION_DISCONNECTED, "offline");
    CHECK(log_total(p.log, "net", "websocket lost") == lost + 1, "counted");
    close(fd);
    plant_stop(&p);
    plant_end(&p);
}

static void test_nonsense(void)
{
    struct plant p;
    struct net_stats stats;
    size_t len = 10u << 20;
    uint8_t *noise = malloc(len);
    uint64_t refused;
    uint32_t x = 7;
    int fd, neighbour;

    for (size_t i = 0; i < len; i++) {
        x = x * 1664525 + 1013904223;
        noise[i] = (uint8_t)(x >> 24);
    }
    noise[0] = 0xf0; /* neither a method nor a frame begins so */
    plant_settings(&p);
    plant_start(&p);
    neighbour = station_open(&p, "GOOD");
    station_boots(&p, neighbour);
    refused = log_total(p.log, "net", "connection refused");
    fd = peer_open(&p.stage);
    CHECK(peer_send(&p.stage, fd, noise, len), "it may say it all");
    CHECK(!strncmp(peer_answer(&p.stage, fd, false), "HTTP/1.1 400 ", 13), "a clear answer");
    close(fd);
    CHECK(log_total(p.log, "net", "connection refused") == refused + 1, "counted");
    CHECK(station_lives(&p, neighbour), "the neighbour");
    fd = station_open(&p, "NOISE");
    CHECK(peer_send(&p.stage, fd, noise, len), "it may say it all");
    CHECK(peer_close_code(&p.stage, fd) == 1002, "a clear code");
    close(fd);
    CHECK(broken(&p) == 1, "counted");
    CHECK(station_lives(&p, neighbour), "the neighbour");
    UNTIL(&p.stage, (net_stats(p.central.net, &stats), stats.open == 1));
    CHECK(stats.buffers == 0, "%d bytes are left", (int)stats.buffers);
    free(noise);
    close(neighbour);
    plant_stop(&p);
    plant_end(&p);
}

/* A flood of bad connections writes few lines and counts them all. */
static void test_flood(void)
{
    enum { FLOOD = 500 };
    struct plant p;
    const char *at;
    unsigned lines = 0;

    plant_settings(&p);
    plant_start(&p);
    for (int i = 0; i < FLOOD; i++)
        CHECK(http_status(&p, "\x16\x03\x01 hello\r\n") == 400, "refused");
    for (at = log_text(&p); (at = strstr(at, "connection refused")); at++)
        lines++;
    CHECK(log_total(p.log, "net", "connection refused") == FLOOD, "all counted");
    CHECK(lines < FLOOD / 4, "%u lines", lines);
    plant_stop(&p);
    plant_end(&p);
}

/* ---- starting ---- */

static void cannot_start(struct plant *p, int expected, const char *says)
{
    struct central second = { 0 };
    uv_loop_t loop;
    char *why = NULL;
    int rc;

    uv_loop_init(&loop);
    rc = central_open(&second, &loop, &p->settings, &why);
    CHECK(rc == expected && why && strstr(why, says), "%d '%s'", rc, why ? why : "");
    free(why);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop) == 0, "something is left on the loop");
}

static void test_cannot_start(void)
{
    struct plant p, q;
    char *why = NULL;
    int lock;

    plant_settings(&p);
    lock = datadir_open(p.dir, &why); /* as another process would */
    cannot_start(&p, AMP_E_BUSY, "in use by a running process");
    datadir_close(lock);
    CHECK(settings_set(&p.settings, "data", "/dev/null/x", "test", &why) == 0, "%s", why);
    cannot_start(&p, AMP_E_IO, "--data DIR");
    CHECK(settings_set(&p.settings, "data", p.dir, "test", &why) == 0, "%s", why);
    CHECK(settings_set(&p.settings, "database", "/dev/null/x.db", "test", &why) == 0, "%s", why);
    cannot_start(&p, AMP_E_IO, "/dev/null/x.db");
    CHECK(settings_set(&p.settings, "database", "", "test", &why) == 0, "%s", why);
    plant_settings(&q);
    q.stage.net = NULL;
    {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in a = { .sin_family = AF_INET };
        socklen_t len = sizeof a;
        char where[32];

        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        CHECK(bind(fd, (struct sockaddr *)&a, len) == 0 && listen(fd, 1) == 0 &&
                  getsockname(fd, (struct sockaddr *)&a, &len) == 0,
              "a port");
        snprintf(where, sizeof where, "127.0.0.1:%u", (unsigned)ntohs(a.sin_port));
        CHECK(settings_set(&q.settings, "listen", where, "test", &why) == 0, "%s", why);
        cannot_start(&q, AMP_E_ABSENT, "--listen HOST:PORT");
        close(fd);
    }
    plant_end(&q);
    plant_end(&p);
}

static void test_first_start(void)
{
    struct plant p;
    const char *path;

    plant_settings(&p);
    plant_start(&p);
    CHECK(!people_any(p.central.people), "nobody yet");
    path = people_setup_path(p.central.people);
    CHECK(path && !strncmp(path, "/setup/", 7) && strlen(path) > 20, "'%s'", path ? path : "");
    plant_stop(&p);
    plant_end(&p);
}

int main(void)
{
    RUN(test_session);
    RUN(test_newest_wins);
    RUN(test_many);
    RUN(test_bad_frames);
    RUN(test_bad_texts);
    RUN(test_doors);
    RUN(test_unknown_station);
    RUN(test_half_open);
    RUN(test_nonsense);
    RUN(test_flood);
    RUN(test_cannot_start);
    RUN(test_first_start);
    return check_end();
}
