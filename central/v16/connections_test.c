/* central/v16/connections_test.c - connections of stations and their ends: odd handshakes, odd
 * texts, silence, floods, limits, strangers, deleted ones; and what the connection doctor says of
 * each. The numbers are those of the list of edge cases. */
#include "central/doctor.h"
#include "central/v16/doors.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

static int post(const char *method, const char *path, const char *body)
{
    return plant_http(method, path, body ? "Content-Type: application/json\r\n" : "", body);
}

static bool refused_as(const char *kind)
{
    char part[64];

    snprintf(part, sizeof part, "\"kind\":\"%s\"", kind);
    return strstr(door_refusal("?limit=1"), part) && strstr(plant.text, "\"fix\":\"");
}

/* The code of the close frame. */
static int closed_with(int fd)
{
    return peer_close_code(&plant.stage, fd);
}

/* E51: Upgrade is what counts, whatever Connection says; E50: in any order, with empty items. */
static void test_handshakes(void)
{
    static const struct {
        const char *why, *headers;
        int status;
    } cases[] = {
        { "E51: none", "Sec-WebSocket-Protocol: ocpp1.6\r\n", 101 },
        { "E51: keep-alive, upgrade",
          "Connection: keep-alive, upgrade\r\nSec-WebSocket-Protocol: ocpp1.6\r\n", 101 },
        { "E51: keep-alive", "Connection: keep-alive\r\nSec-WebSocket-Protocol: ocpp1.6\r\n", 101 },
        { "E51: close", "Connection: close\r\nSec-WebSocket-Protocol: ocpp1.6\r\n", 101 },
        { "E50: empty items",
          "Connection: Upgrade\r\nSec-WebSocket-Protocol: , ocpp2.0.1,, ocpp1.6,\r\n", 101 },
    };

    plant_begin();
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        char request[512];
        const char *answer;
        int fd = peer_open(&plant.stage);

        snprintf(request, sizeof request,
                 "GET /ocpp/CP%zu HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 "%s\r\n",
                 i, cases[i].headers);
        peer_say(&plant.stage, fd, request);
        answer = peer_answer(&plant.stage, fd, false);
        CHECK(atoi(answer + 9) == cases[i].status, "%s: %s", cases[i].why, answer);
        plant_say(fd, "Heartbeat", "{}");
        close(fd);
    }
    plant_end();
}

static void send_frame(int fd, unsigned first, const char *text, size_t len)
{
    uint8_t frame[4096];

    peer_send(&plant.stage, fd, frame, peer_frame(frame, first, text, len));
}

/* E52: empty texts, JSON over several lines, in pieces, in binary frames. */
static void test_texts(void)
{
    static const char heartbeat[] = "[2,\"x\",\"Heartbeat\",{}]";
    int fd;

    plant_begin();
    fd = plant_station("CP1", "M", "1");
    for (int i = 0; i < 200; i++)
        send_frame(fd, 0x81, i % 2 ? "" : " \r\n", i % 2 ? 0 : 3);
    plant_say(fd, "Heartbeat", "{}");
    CHECK(charger_session(door_charger("CP1")), "E52: empty ones are only a sign of life");
    peer_text(&plant.stage, fd, "[2,\r\n \"x\",\r\n\t\"Heartbeat\",\r\n {\r\n }\r\n]\r\n");
    CHECK(!strncmp(plant_hear(fd), "[3,\"x\"", 6), "E52: several lines: %s", plant.text);
    send_frame(fd, 0x01, heartbeat, 5);
    send_frame(fd, 0x00, heartbeat + 5, 5);
    send_frame(fd, 0x80, heartbeat + 10, sizeof heartbeat - 11);
    CHECK(!strncmp(plant_hear(fd), "[3,\"x\"", 6), "E52: in pieces: %s", plant.text);
    send_frame(fd, 0x82, heartbeat, sizeof heartbeat - 1);
    CHECK(!strncmp(plant_hear(fd), "[3,\"x\"", 6), "E52: as binary: %s", plant.text);
    send_frame(fd, 0x82, "\1\2\3", 3);
    CHECK(closed_with(fd) == 1003, "what is no text ends it");
    close(fd);
    plant_end();
}

/* E53: a modem's chatter: fifty an hour are let pass, not the next, and not fifty more an hour
 * later for ever. */
static void test_noise(void)
{
    static const char *const noise[] = { "+CREG: 5", "RING", "NO CARRIER", "AT+CSQ", "OK" };
    int fd;

    plant_begin();
    fd = plant_station("CP1", "M", "1");
    for (int hour = 0; hour < 2; hour++) {
        for (int i = 0; i < 50; i++)
            send_frame(fd, 0x81, noise[i % 5], strlen(noise[i % 5]));
        plant_say(fd, "Heartbeat", "{}");
        plant.clock_ms += 3600001;
    }
    for (int i = 0; i < 51; i++)
        send_frame(fd, 0x81, "RING", 4);
    CHECK(closed_with(fd) == 1008, "E53: the fifty-first");
    CHECK(refused_as("garbage"), "and the doctor says why: %s", plant.text);
    close(fd);
    plant_end();
}

/* E82: a message is as long as the limit, per server and per station. */
static void test_length(void)
{
    static uint8_t frame[80000];
    static char text[70000];
    int fd, other;

    plant_prepare();
    plant_set("max-message", "65536");
    plant_start();
    other = plant_station("CP2", "M", "1");
    fd = plant_station("CP1", "M", "1");
    CHECK(post("PATCH", "/api/v1/chargers/CP1/security", "{\"maxMessage\":2048}") == 200, "%s",
          plant.text);
    close(fd);
    UNTIL(&plant.stage, !charger_session(door_charger("CP1")));
    fd = plant_station("CP1", "M", "1");
    memset(text, ' ', sizeof text);
    memcpy(text, "[2,\"x\",\"Heartbeat\",{}]", 22);
    peer_send(&plant.stage, fd, frame, peer_frame(frame, 0x81, text, 2048));
    CHECK(!strncmp(plant_hear(fd), "[3,\"x\"", 6), "as long as it may be: %s", plant.text);
    peer_send(&plant.stage, fd, frame, peer_frame(frame, 0x81, text, 2049));
    CHECK(closed_with(fd) == 1009, "E82: one byte more");
    close(fd);
    UNTIL(&plant.stage, !charger_session(door_charger("CP1")));
    CHECK(refused_as("too-long"), "%s", plant.text);
    peer_send(&plant.stage, other, frame, peer_frame(frame, 0x81, text, 65536));
    CHECK(!strncmp(plant_hear(other), "[3,\"x\"", 6), "E82: the server's own limit: %s",
          plant.text);
    peer_send(&plant.stage, other, frame, peer_frame(frame, 0x81, text, 65537));
    CHECK(closed_with(other) == 1009, "E82: one byte more");
    close(other);
    plant_end();
}

/* E48, E66: the kernel gives a connection up whose data nobody acknowledges; pings come before a
 * proxy's 60 s are over, and who answers none is gone. */
static void test_silence(void)
{
    struct net_conn *conn = NULL;
    unsigned timeout_ms = 0;
    socklen_t len = sizeof timeout_ms;
    int fd;
    char text[64];

    plant_begin();
    fd = plant_station("CP1", "M", "1");
    for (size_t i = 0; i < WHEEL_SLOTS; i++)
        if (plant.stage.net->slots[i])
            conn = plant.stage.net->slots[i];
    CHECK(conn && conn->state == CONN_WS, "the connection");
    CHECK(getsockopt(conn->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, &len) == 0 &&
              timeout_ms > 0 && timeout_ms <= 60000,
          "E48: %u ms", timeout_ms);
    CHECK(plant.settings.ping_s > 0 && plant.settings.ping_s < 60, "E66: %d s",
          (int)plant.settings.ping_s);
    net_turn_clock(plant.stage.net, (uint64_t)(plant.settings.ping_s + 1) * 1000);
    CHECK(peer_next(&plant.stage, fd, text, sizeof text, NULL) == 0x89, "E66: a ping");
    net_turn_clock(plant.stage.net, 25000);
    UNTIL(&plant.stage, !charger_session(door_charger("CP1")));
    door_settle();
    CHECK(post("GET", "/api/v1/connections?charger=CP1", NULL) == 200 &&
              strstr(plant.text, "\"event\":\"closed\",\"code\":1006") &&
              strstr(plant.text, "no answer to a ping"),
          "E48: %s", plant.text);
    close(fd);
    plant_end();
}

/* E59, E60: one that never booted here is asked to, once; what it says meanwhile is answered. */
static void test_no_boot(void)
{
    struct door d = { .id = "CP1" };
    struct tls_peer p;

    plant_begin();
    CHECK(!strncmp(door_knock(&d, &p), "HTTP/1.1 101 ", 13), "in");
    plant_say(p.fd, "StatusNotification",
              "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Available\"}");
    plant.clock_ms += 60001;
    v16_tick(plant.central.v16);
    plant_answer(p.fd, "TriggerMessage", "BootNotification", "{\"status\":\"Accepted\"}");
    for (int i = 0; i < 5; i++) {
        plant.clock_ms += 60001;
        plant_say(p.fd, "Heartbeat", "{}"); /* E60: whoever is asked again, restarts again */
        v16_tick(plant.central.v16);
    }
    CHECK(!world_command_next(plant.central.world, door_charger("CP1")), "once");
    plant_say(p.fd, "BootNotification", "{\"chargePointVendor\":\"A\",\"chargePointModel\":\"B\"}");
    CHECK(charger_fact(door_charger("CP1"))->last_boot_ms == plant.clock_ms, "it booted");
    door_close(&p);
    plant_end();
}

/* Too many connections of one station or one address: 429, and when to come again. */
static void test_connects(void)
{
    struct door d = { .id = "CP1" };
    struct tls_peer p;
    const char *answer;
    int n = 0;

    plant_prepare();
    plant_set("max-station-connects", "5");
    plant_set("max-address-connects", "12");
    plant_start();
    while (n < 20 && door_try(&d) == 101)
        n++;
    CHECK(n == 5, "%d of one station", n);
    answer = door_knock(&d, &p);
    CHECK(!strncmp(answer, "HTTP/1.1 429 ", 13) && strstr(answer, "Retry-After: 61\r\n"), "%s",
          answer);
    door_close(&p);
    CHECK(refused_as("connections"), "%s", plant.text);
    for (n = 0; n < 20; n++) {
        char id[16];

        snprintf(id, sizeof id, "S%d", n);
        if (door_try(&(struct door){ .id = id }) != 101)
            break;
    }
    CHECK(n == 7, "%d others of one address", n);
    plant.clock_ms += 60001;
    CHECK(door_try(&d) == 101, "a minute later");
    plant_end();
}

/* A flood of messages or bytes ends with 1008 and 429 for a while; the neighbour notices nothing.
 */
static void test_floods(void)
{
    static const struct {
        const char *limit, *value, *kind;
        size_t len;
        int most;
        bool all; /* of the address: the neighbour is counted, and out, too */
    } cases[] = {
        { "max-station-messages", "600", "messages", 22, 100, false },
        { "max-station-kilobytes", "60", "bytes", 2000, 5, false },
        { "max-address-messages", "600", "messages", 22, 100, true },
        { "max-address-kilobytes", "60", "bytes", 2000, 5, true },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct door d = { .id = "CP1" };
        char text[4096];
        int fd, neighbour, n = 0;

        plant_prepare();
        plant_set(cases[i].limit, cases[i].value);
        plant_start();
        neighbour = plant_station("CP2", "M", "1");
        fd = plant_station("CP1", "M", "1");
        plant.clock_ms += 10000; /* a slice of its own */
        memset(text, ' ', sizeof text);
        memcpy(text, "[2,\"x\",\"Heartbeat\",{}]", 22);
        while (n < 1000) {
            send_frame(fd, 0x81, text, cases[i].len);
            if (strncmp(plant_hear(fd), "[3,\"x\"", 6) != 0)
                break;
            n++;
        }
        CHECK(n == cases[i].most, "%s: %d", cases[i].kind, n);
        close(fd);
        UNTIL(&plant.stage, !charger_session(door_charger("CP1")));
        door_settle();
        CHECK(post("GET", "/api/v1/connections?charger=CP1&limit=1", NULL) == 200 &&
                  strstr(plant.text, "1008"),
              "%s: %s", cases[i].kind, plant.text);
        CHECK(refused_as(cases[i].kind), "%s: %s", cases[i].kind, plant.text);
        CHECK(door_try(&d) == 429, "%s: not at once again", cases[i].kind);
        if (cases[i].all)
            CHECK(door_try(&(struct door){ .id = "CP3" }) == 429, "nobody of the address");
        else
            plant_say(neighbour, "Heartbeat", "{}");
        plant.clock_ms += 10001;
        CHECK(door_try(&d) == 101, "%s: a little later", cases[i].kind);
        close(neighbour);
        plant_end();
    }
}

/* E64: deleted, it loses its socket, and comes back as a stranger; rejected, it loses it, too. */
static void test_deleted(void)
{
    int64_t key;
    int fd;

    plant_begin();
    fd = plant_station("CP1", "M", "1");
    key = charger_fact(door_charger("CP1"))->key;
    CHECK(post("PATCH", "/api/v1/chargers/CP1", "{\"registration\":\"rejected\"}") == 200, "%s",
          plant.text);
    CHECK(closed_with(fd) == 1008, "E64: rejected");
    close(fd);
    UNTIL(&plant.stage, !charger_session(door_charger("CP1")));
    fd = plant_station("CP1", "M", "1");
    CHECK(strstr(plant.text, "Rejected"), "E61: %s", plant.text);
    CHECK(post("DELETE", "/api/v1/chargers/CP1", NULL) == 204, "%s", plant.text);
    CHECK(closed_with(fd) == 1008, "E64: deleted");
    close(fd);
    fd = plant_station("CP1", "M", "1");
    CHECK(strstr(plant.text, "Accepted"), "a stranger: %s", plant.text);
    CHECK(charger_fact(door_charger("CP1"))->key != key, "another charger");
    plant_stop();
    plant_start();
    CHECK(world_charger_count(plant.central.world) == 1 &&
              charger_fact(door_charger("CP1"))->key != key,
          "also after a restart");
    close(fd);
    plant_end();
}

/* Strangers knock with everything they sent, are adopted with one call, or by a rule. */
static void test_knocking(void)
{
    int fd;

    plant_prepare();
    plant_set("accept-unknown", "false");
    plant_set("max-knocking", "2");
    plant_start();
    fd = plant_station("NEW", "Home", "7");
    CHECK(strstr(plant.text, "Pending"), "E61: %s", plant.text);
    plant_say(fd, "StatusNotification",
              "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Available\"}");
    CHECK(post("GET", "/api/v1/knocking", NULL) == 200 && strstr(plant.text, "\"id\":\"NEW\"") &&
              strstr(plant.text, "\"model\":\"Home\""),
          "%s", plant.text);
    CHECK(post("GET", "/api/v1/knocking/NEW", NULL) == 200 &&
              strstr(plant.text, "\"action\":\"StatusNotification\"") &&
              strstr(plant.text, "\"firmwareVersion\":\"7\""),
          "all of it: %s", plant.text);
    CHECK(door_try(&(struct door){ .id = "NEW2" }) == 101, "another");
    CHECK(door_try(&(struct door){ .id = "NEW3" }) == 401 && refused_as("knocking-full"),
          "but not any number: %s", plant.text);
    CHECK(post("POST", "/api/v1/knocking/NEW/adopt", NULL) == 200, "%s", plant.text);
    plant_answer(fd, "TriggerMessage", "BootNotification", "{\"status\":\"Accepted\"}");
    plant_say(fd, "BootNotification",
              "{\"chargePointVendor\":\"Acme\",\"chargePointModel\":\"Home\"}");
    CHECK(strstr(plant.text, "Accepted"), "%s", plant.text);
    close(fd);
    CHECK(post("PUT", "/api/v1/boot-rules/acme",
               "{\"registration\":\"accepted\",\"vendor\":\"acme\",\"model\":\"H*\"}") == 200,
          "%s", plant.text);
    fd = plant_station("NEW4", "Hyper", "1");
    CHECK(strstr(plant.text, "Accepted"), "by a rule: %s", plant.text);
    close(fd);
    plant_end();
}

/* The heartbeat of the server, of one charger, and what they say of who is silent. */
static void test_heartbeat(void)
{
    int fd, other;

    plant_prepare();
    plant_set("heartbeat", "45");
    plant_set("stale-after", "60");
    plant_start();
    other = plant_station("CP2", "M", "1");
    CHECK(strstr(plant.text, "\"interval\":45"), "the server's: %s", plant.text);
    fd = plant_station("CP1", "M", "1");
    CHECK(post("PATCH", "/api/v1/chargers/CP1", "{\"heartbeatS\":600}") == 200, "%s", plant.text);
    CHECK(charger_fact(door_charger("CP1"))->heartbeat_s == 45, "not yet: it does not know");
    plant_answer(fd, "ChangeConfiguration", "\"600\"", "{\"status\":\"Accepted\"}");
    CHECK(charger_fact(door_charger("CP1"))->heartbeat_s == 600, "now it does");
    plant.clock_ms += 105001;
    v16_tick(plant.central.v16);
    CHECK(charger_fact(door_charger("CP2"))->connection == CONNECTION_STALE, "45 + 60 s");
    CHECK(charger_fact(door_charger("CP1"))->connection == CONNECTION_CONNECTED, "has more time");
    plant_say(other, "Heartbeat", "{}");
    CHECK(charger_fact(door_charger("CP2"))->connection == CONNECTION_CONNECTED, "restored");
    plant_say(fd, "BootNotification", "{\"chargePointVendor\":\"A\",\"chargePointModel\":\"B\"}");
    CHECK(strstr(plant.text, "\"interval\":600"), "its own, at boot: %s", plant.text);
    close(fd), close(other);
    plant_end();
}

/* What is refused in TLS, or before OCPP, is told, too. */
static void test_doctor(void)
{
    struct ca_cert foreign = ca_make(&(struct ca_wish){ .name = "CP7" });
    struct tls_peer p;
    int fd;

    plant_prepare();
    door_certificates();
    plant_set("tls-client-listen", "127.0.0.1:0");
    plant_start();
    CHECK(!tls_connect(&plant.stage,
                       &(struct tls_wish){ .ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305" }, &p),
          "no such cipher");
    UNTIL(&plant.stage, doctor_total(plant.central.doctor, REFUSAL_TLS_CIPHER) == 1);
    CHECK(refused_as("tls-cipher"), "%s", plant.text);
    tls_close(&p);
    CHECK(!tls_connect(&plant.stage, &(struct tls_wish){ .version = TLS1_1_VERSION }, &p), "1.1");
    UNTIL(&plant.stage, doctor_total(plant.central.doctor, REFUSAL_TLS_VERSION) == 1);
    CHECK(refused_as("tls-version"), "%s", plant.text);
    tls_close(&p);
    CHECK(door_try(&(struct door){ .id = "CP7", .tls = true, .own = &foreign }) == 0, "foreign");
    UNTIL(&plant.stage, doctor_total(plant.central.doctor, REFUSAL_TLS_CERTIFICATE) == 1);
    CHECK(refused_as("tls-certificate") && strstr(plant.text, "\"certificate\":\"CP7\"") &&
              strstr(plant.text, "\"code\":0"),
          "%s", plant.text);
    /* a station that does not trust our certificate */
    CHECK(!tls_connect(&plant.stage, &(struct tls_wish){ .trust = &foreign }, &p), "no trust");
    UNTIL(&plant.stage, doctor_total(plant.central.doctor, REFUSAL_TLS_DISTRUST) == 1);
    CHECK(refused_as("tls-distrust"), "%s", plant.text);
    tls_close(&p);
    CHECK(!tls_connect(&plant.stage,
                       &(struct tls_wish){ .address = plant.stage.net->listeners[2].address,
                                           .version = TLS1_2_VERSION },
                       &p),
          "without one");
    UNTIL(&plant.stage, doctor_total(plant.central.doctor, REFUSAL_TLS_NO_CERTIFICATE) == 1);
    CHECK(refused_as("tls-no-certificate"), "%s", plant.text);
    tls_close(&p);
    fd = peer_open(&plant.stage);
    peer_say(&plant.stage, fd, "\x16\x03\x01 hello\r\n");
    UNTIL(&plant.stage, doctor_total(plant.central.doctor, REFUSAL_TLS_ON_PLAIN) == 1);
    CHECK(refused_as("tls-on-plain"), "%s", plant.text);
    close(fd);
    for (int i = 0; i < 30; i++) {
        fd = peer_open(&plant.stage);
        peer_say(&plant.stage, fd, "\x16\x03\x01 hello\r\n");
        close(fd);
    }
    UNTIL(&plant.stage, doctor_total(plant.central.doctor, REFUSAL_TLS_ON_PLAIN) == 31);
    plant.clock_ms += 60001;
    doctor_tick(plant.central.doctor);
    CHECK(refused_as("tls-on-plain") && strstr(plant.text, "\"count\":30"),
          "what repeats is counted: %s", plant.text);
    ca_free(&foreign), ca_free(&door_root);
    plant_end();
}

int main(void)
{
    RUN(test_handshakes);
    RUN(test_texts);
    RUN(test_noise);
    RUN(test_length);
    RUN(test_silence);
    RUN(test_no_boot);
    RUN(test_connects);
    RUN(test_floods);
    RUN(test_deleted);
    RUN(test_knocking);
    RUN(test_heartbeat);
    RUN(test_doctor);
    return check_end();
}
