/* station/link_test.c - the connection. Numbers: station-1.6. */
#include "station/v16/v16.h"
#include "station/world_test.h"

static int64_t no_certificate(void *ctx, int64_t unix_ms)
{
    (void)ctx, (void)unix_ms;
    return 0;
}

/* S1 */
static void test_upgrade(void)
{
    struct world w;

    world_defaults(&w);
    w.config.password = AMP_TEXT("sesame");
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    CHECK(strstr(w.request, "GET /ocpp/CP%20001 HTTP/1.1\r\n") != NULL, "%s", w.request);
    CHECK(strstr(w.request, "Sec-WebSocket-Protocol: ocpp1.6\r\n") != NULL, "%s", w.request);
    CHECK(strstr(w.request, "Authorization: Basic Q1AgMDAxOnNlc2FtZQ==\r\n") != NULL, "%s",
          w.request);
    CHECK(amp_station_link(w.st) == AMP_LINK_UP, "up");
    CHECK(amp_text_is(w.mem.endpoint.host, "central.test") && w.mem.endpoint.port == 8180,
          "where to");
    world_close(&w);
}

/* S1, S2: who does not answer as asked is left */
static void test_refused_upgrades(void)
{
    static const struct {
        const char *why;
        int status;
        const char *protocol;
        bool bad_accept;
        /* clang-format off */
    } cases[] = {
        { "unknown station",      404, NULL,        false },
        { "wrong password",       401, NULL,        false },
        { "server error",         503, NULL,        false },
        { "another protocol",     0,   "ocpp2.0.1", false },
        { "protocol in capitals", 0,   "OCPP1.6",   false },
        { "no protocol at all",   0,   "",          false },
        { "another key's answer", 0,   NULL,        true },
    };
    /* clang-format on */

    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct world w;

        world_defaults(&w);
        w.http_status = cases[i].status;
        w.protocol = cases[i].protocol;
        w.bad_accept = cases[i].bad_accept;
        CHECK(world_boot(&w) == 0, "start");
        world_run(&w, 4900);
        CHECK(amp_station_link(w.st) == AMP_LINK_DOWN && w.mem.opens == 1, "%s", cases[i].why);
        w.http_status = 0;
        w.protocol = NULL;
        w.bad_accept = false;
        world_run(&w, 300);
        CHECK(amp_station_link(w.st) == AMP_LINK_UP, "%s: tried again", cases[i].why);
        world_close(&w);
    }
}

/* S2: 5, 10, 20, 40, 80, 160, 300 s; after ten attempts a person is asked */
static void test_back_off(void)
{
    static const unsigned after_s[] = { 5, 10, 20, 40, 80, 160, 300, 300, 300 };
    struct world w;

    world_defaults(&w);
    w.mem.fail_open = true;
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 1);
    for (unsigned i = 0; i < AMP_COUNT(after_s); i++) {
        unsigned before = w.mem.opens, waited = 0;

        for (; w.mem.opens == before && waited < 400000; waited += 10)
            world_run(&w, 10);
        CHECK(waited >= after_s[i] * 990 && waited <= after_s[i] * 1010 + 20,
              "attempt %u after %u ms, not %u s", i + 2, waited, after_s[i]);
    }
    CHECK(amp_station_link(w.st) == AMP_LINK_GIVEN_UP, "gave up");
    CHECK(w.events[AMP_EVENT_OPERATOR] == 1, "an operator is asked");
    world_run(&w, 3600000);
    CHECK(w.mem.opens == 10, "silence");
    w.mem.fail_open = false;
    amp_station_retry(w.st, w.now);
    world_run(&w, 10);
    CHECK(amp_station_link(w.st) == AMP_LINK_UP, "the operator came");
    world_close(&w);
}

/* S2: a random part on top, up to a fifth, and not the same for two stations */
static void test_back_off_is_random(void)
{
    unsigned first = 0, differ = 0;

    for (unsigned s = 1; s <= 20; s++) {
        struct world w;
        unsigned waited = 0;

        world_defaults(&w);
        w.mem.seed = s * 7919;
        w.mem.fail_open = true;
        w.config.reconnect_jitter_pct = 20;
        CHECK(world_boot(&w) == 0, "start");
        world_run(&w, 1);
        for (; w.mem.opens == 1 && waited < 10000; waited += 10)
            world_run(&w, 10);
        CHECK(waited >= 5000 && waited <= 6010, "%u ms", waited);
        first = first ? first : waited;
        differ += waited != first;
        world_close(&w);
    }
    CHECK(differ >= 10, "%u of 20 wait another time than the first", differ);
}

/* S2: a socket that opens and then says nothing; a server that closes at once */
static void test_no_tight_loop(void)
{
    struct world w;

    world_defaults(&w);
    w.deaf = true;
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 29900);
    CHECK(amp_station_link(w.st) == AMP_LINK_UPGRADING, "waits");
    world_run(&w, 200);
    CHECK(amp_station_link(w.st) == AMP_LINK_DOWN, "connect timeout");
    w.deaf = false;
    w.mute = "BootNotification";
    for (int i = 0; i < 8; i++) {
        world_run(&w, 1000);
        world_hang_up(&w);
    }
    CHECK(w.mem.opens <= 3, "%u attempts in 8 s", w.mem.opens);
    world_close(&w);
}

/* S12 */
static void test_ping_from_server(void)
{
    struct world w;

    world_open(&w);
    w.mute = "BootNotification"; /* a call is pending */
    world_run(&w, 10);
    world_send(&w, AMP_WS_PING, "hello", 5);
    world_settle(&w);
    CHECK(w.pongs == 1 && !strcmp(w.pong, "hello"), "while a call is pending: '%s'", w.pong);
    world_send(&w, AMP_WS_PING, "", 0);
    world_settle(&w);
    CHECK(w.pongs == 2 && !w.pong[0], "an empty one too: '%s'", w.pong);
    world_close(&w);
}

/* S13 */
static void test_own_pings(void)
{
    struct world w;

    world_open(&w);
    world_run(&w, 10);
    world_set(&w, "WebSocketPingInterval", "10");
    world_run(&w, 35000);
    CHECK(w.pings == 3, "%u pings", w.pings);
    CHECK(!strcmp(world_call(&w, "ChangeConfiguration",
                             "{\"key\":\"WebSocketPingInterval\",\"value\":\"-1\"}"),
                  "{\"status\":\"Rejected\"}"),
          "negative");
    w.no_pong = true;
    world_run(&w, 19000);
    CHECK(amp_station_link(w.st) == AMP_LINK_DOWN, "a missing pong");
    w.no_pong = false;
    world_run(&w, 7000);
    CHECK(amp_station_link(w.st) == AMP_LINK_UP, "reconnected");
    world_set(&w, "WebSocketPingInterval", "0");
    w.pings = 0;
    world_run(&w, 100000);
    CHECK(w.pings == 0, "0 is off");
    world_close(&w);
}

/* S14: no BootNotification after a reconnect, and only states that changed */
static void test_reconnect(void)
{
    struct world w;

    world_open(&w);
    world_run(&w, 10);
    CHECK_TRACE(&w, "Boot S0:Available S1:Available S2:Available");
    world_mark(&w);
    world_hang_up(&w);
    world_plug(&w, 2, true);
    world_run(&w, 6000);
    CHECK_TRACE(&w, "S2:Preparing");
    world_close(&w);
}

/* S6, S7, S8, S9, S17: bad frames are answered or dropped, never fatal */
static void test_bad_frames(void)
{
    static const struct {
        const char *why, *frame, *answer;
    } cases[] = {
        { "not JSON", "[2,\"a\",", "" },
        { "no array", "{}", "" },
        { "unknown type", "[9,\"a\",{}]", "" },
        { "unknown action", "[2,\"a\",\"FlyToTheMoon\",{}]", "!NotImplemented" },
        { "known, not here", "[2,\"a\",\"GetLocalListVersion\",{}]", "!NotSupported" },
        { "wrong direction", "[2,\"a\",\"Heartbeat\",{}]", "!NotSupported" },
        { "actions have case", "[2,\"a\",\"reset\",{}]", "!NotImplemented" },
        { "missing field", "[2,\"a\",\"Reset\",{}]", "!OccurenceConstraintViolation" },
        { "wrong type", "[2,\"a\",\"Reset\",{\"type\":true}]", "!TypeConstraintViolation" },
        { "not in the enum", "[2,\"a\",\"Reset\",{\"type\":\"soft\"}]",
          "!PropertyConstraintViolation" },
        { "wrong range",
          "[2,\"a\",\"RemoteStartTransaction\",{\"idTag\":\"T\",\"connectorId\":-1}]",
          "!PropertyConstraintViolation" },
        { "late answer", "[3,\"never-asked\",{}]", "" },
        { "error to nothing", "[4,\"never-asked\",\"InternalError\",\"\",{}]", "" },
    };

    static const struct amp_station_op *const few_ops[] = { &station16_clear_cache };
    struct amp_dialect few = amp_station16;

    few.ops = few_ops; /* a station that knows only this message */
    few.count = AMP_COUNT(few_ops);
    for (unsigned i = 0; i < AMP_COUNT(cases); i++) {
        struct world w;

        world_open(&w);
        world_run(&w, 10);
        if (!strcmp(cases[i].why, "known, not here"))
            w.st->dialect = &few;
        world_say(&w, cases[i].frame);
        world_settle(&w);
        CHECK(!strcmp(w.reply, cases[i].answer), "%s: %s", cases[i].why, w.reply);
        CHECK(!strcmp(world_call(&w, "ClearCache", "{}"), "{\"status\":\"Accepted\"}"),
              "%s: goes on", cases[i].why);
        world_call(&w, "ClearCache", "null"); /* S10 */
        CHECK(!strcmp(w.reply, "{\"status\":\"Accepted\"}"), "null payload: %s", w.reply);
        world_call(&w, "ClearCache", "{\"extra\":[1,{\"a\":null}]}"); /* S17 */
        CHECK(!strcmp(w.reply, "{\"status\":\"Accepted\"}"), "unknown field: %s", w.reply);
        world_close(&w);
    }
}

/* S11: frames cut to bytes, fragments, several at once, and one that is too long */
static void test_framing(void)
{
    static char big[AMP_RX_MAX + 100];
    const char *call = "[2,\"b\",\"ClearCache\",{}]";
    uint8_t raw[200];
    struct world w;
    size_t n = strlen(call);

    world_open(&w);
    world_run(&w, 10);
    w.asked = amp_message_find(&ocpp16, AMP_TEXT("ClearCache"));
    raw[0] = 0x01; /* text, more to come */
    raw[1] = 5;
    memcpy(raw + 2, call, 5);
    raw[7] = 0x80; /* the rest */
    raw[8] = (uint8_t)(n - 5);
    memcpy(raw + 9, call + 5, n - 5);
    for (size_t i = 0; i < n + 4; i++) {
        amp_station_received(w.st, raw + i, 1, w.now);
        amp_station_poll(w.st, w.now);
    }
    world_settle(&w);
    CHECK(!strcmp(w.reply, "{\"status\":\"Accepted\"}"), "byte by byte: %s", w.reply);
    w.trace_len = 0;
    memcpy(raw + n + 4, raw, n + 4);
    amp_station_received(w.st, raw, 2 * (n + 4), w.now);
    world_settle(&w);
    CHECK_TRACE(&w, "ok:ClearCache ok:ClearCache");
    memset(big, ' ', sizeof(big));
    world_send(&w, AMP_WS_TEXT, big, sizeof(big));
    world_settle(&w);
    CHECK(w.close_code == 1009, "too long: %d", w.close_code);
    world_run(&w, 30000);
    CHECK(amp_station_link(w.st) == AMP_LINK_UP, "and back again");
    world_send(&w, AMP_WS_BINARY, "x", 1);
    world_settle(&w);
    CHECK(w.close_code == 1003, "binary: %d", w.close_code);
    world_run(&w, 30000);
    world_send(&w, AMP_WS_TEXT, "[2,\"\xff\",\"Reset\",{}]", 16);
    world_settle(&w);
    CHECK(w.close_code == 1007, "not UTF-8: %d", w.close_code);
    world_close(&w);
}

/* S11: a message of exactly the size that fits is taken */
static void test_longest_message(void)
{
    static char big[AMP_RX_MAX + 2];
    const char *call = "[2,\"b\",\"ClearCache\",{}]";
    struct world w;

    world_open(&w);
    world_run(&w, 10);
    for (int more = 0; more < 2; more++) {
        memset(big, ' ', sizeof(big));
        memcpy(big, call, strlen(call));
        w.asked = amp_message_find(&ocpp16, AMP_TEXT("ClearCache"));
        w.reply[0] = 0;
        world_send(&w, AMP_WS_TEXT, big, AMP_RX_MAX + (size_t)more);
        world_settle(&w);
        CHECK(!strcmp(w.reply, more ? "" : "{\"status\":\"Accepted\"}"), "%d more: %s", more,
              w.reply);
    }
    CHECK(w.close_code == 1009, "and one byte more is not: %d", w.close_code);
    world_close(&w);
}

/* S6: what cannot be answered is dropped and counted, and becomes one event a connection */
static void test_unreadable_is_counted(void)
{
    static const char *const frames[] = { "{}", "[9,\"a\",{}]", "[2]", "nonsense", "[2,7,{}]" };
    struct amp_pki pki = { .expiry = no_certificate };
    struct amp_security_record r;
    uint32_t at = 0;
    unsigned events = 0;
    struct world w;

    world_defaults(&w);
    w.mem.port.pki = &pki;
    CHECK(world_boot(&w) == 0, "start");
    world_run(&w, 10);
    for (unsigned i = 0; i < AMP_COUNT(frames); i++) {
        world_say(&w, frames[i]);
        world_settle(&w);
        CHECK(w.st->link.malformed == i + 1, "%s: %u", frames[i], w.st->link.malformed);
    }
    while (amp_events_next(w.st, &at, &r))
        events += r.type == AMP_SEC_INVALID_MESSAGES;
    CHECK(events == 1, "InvalidMessages: %u", events);
    world_close(&w);
}

/* S4: an answer that comes after the timeout, and one that comes twice, change nothing and are
 * logged */
static void test_late_answer(void)
{
    char answer[128];
    struct world w;

    world_open(&w);
    world_run(&w, 10);
    world_set(&w, "MessageTimeout", "10");
    w.mute = "Authorize";
    world_tag(&w, 1, "TAG1");
    snprintf(answer, sizeof(answer), "[3,\"%s\",{\"idTagInfo\":{\"status\":\"Accepted\"}}]",
             w.ids[w.id_count - 1]);
    world_run(&w, 11000);
    CHECK(world_status(&w, 1) == AMP_AVAILABLE, "given up");
    w.log[0] = 0;
    world_say(&w, answer);
    world_settle(&w);
    CHECK(world_status(&w, 1) == AMP_AVAILABLE && strstr(w.log, "late"), "ignored, logged: %s",
          w.log);
    w.mute = NULL;
    world_tag(&w, 1, "TAG2");
    CHECK(world_status(&w, 1) == AMP_PREPARING, "and the next call is its own");
    w.log[0] = 0;
    world_say(&w, answer);
    world_settle(&w);
    CHECK(strstr(w.log, "late") && w.up, "again: %s", w.log);
    world_close(&w);
}

/* S3, S4: one call at a time, and answers go out meanwhile; a timeout ends a call */
static void test_one_call_in_flight(void)
{
    struct world w;

    world_open(&w);
    world_run(&w, 10);
    world_set(&w, "MessageTimeout", "10");
    world_mark(&w);
    w.mute = "Authorize";
    world_tag(&w, 1, "TAG1");
    world_tag(&w, 2, "TAG2");
    CHECK_TRACE(&w, "S1:Preparing -Authorize");
    CHECK(!strcmp(world_call(&w, "ClearCache", "{}"), "{\"status\":\"Accepted\"}"), "answered");
    world_run(&w, 9000);
    CHECK_TRACE(&w, "S1:Preparing -Authorize ok:ClearCache");
    w.mute = NULL;
    world_mark(&w);
    world_run(&w, 1100);
    CHECK_TRACE(&w, "S2:Preparing S1:Available Auth:TAG2");
    world_close(&w);
}

/* Sending: a few bytes at a time, blocked, failing at every single call. */
static void test_sending(void)
{
    for (unsigned n = 0; n < 40; n++) {
        struct world w;

        world_defaults(&w);
        w.config.settings = (const char *const[]){ "AllowOfflineTxForUnknownId=true", NULL };
        w.mem.send_limit = n ? 0 : 3;
        w.mem.fail_send = n;
        CHECK(world_boot(&w) == 0, "start");
        world_run(&w, 12000);
        world_plug(&w, 1, true);
        world_tag(&w, 1, "TAG1");
        world_run(&w, 130000);
        w.mem.blocked = true;
        world_tag(&w, 1, "TAG1");
        world_run(&w, 2000);
        w.mem.blocked = false;
        world_run(&w, 30000);
        world_plug(&w, 1, false);
        world_run(&w, 60000);
        CHECK(w.tx_count == 1 && w.tx[0].stops == 1 && w.tx[0].meters >= 2,
              "send %u fails: %u transactions, %u stops, %u meter values", n, w.tx_count,
              w.tx[0].stops, w.tx[0].meters);
        CHECK(amp_station_queued(w.st) == 0, "send %u fails: nothing left", n);
        CHECK(world_status(&w, 1) == AMP_AVAILABLE, "send %u fails", n);
        world_close(&w);
    }
}

/* S11: a peer that floods us and does not read is left, and the station stays sound */
static void test_flood(void)
{
    struct world w;

    world_open(&w);
    world_run(&w, 10);
    w.mem.blocked = true;
    for (int i = 0; i < 2000 && w.mem.open; i++)
        world_say(&w, "[2,\"f\",\"GetConfiguration\",{}]");
    CHECK(!w.mem.open, "closed");
    w.mem.blocked = false;
    world_hang_up(&w);
    world_run(&w, 10000);
    CHECK(amp_station_link(w.st) == AMP_LINK_UP, "and back");
    world_close(&w);
}

/* Two stations in one process: nothing of one is seen in the other */
static void test_two_stations(void)
{
    struct world a, b;

    world_defaults(&a);
    world_defaults(&b);
    b.config.identity = AMP_TEXT("OTHER");
    b.config.connectors = 1;
    CHECK(world_boot(&a) == 0 && world_boot(&b) == 0, "start");
    world_run(&a, 10);
    world_run(&b, 10);
    world_set(&a, "HeartbeatInterval", "11");
    world_plug(&a, 1, true);
    world_tag(&a, 1, "TAGA");
    world_run(&a, 1000);
    world_run(&b, 1000);
    CHECK(world_status(&a, 1) == AMP_CHARGING && world_status(&b, 1) == AMP_AVAILABLE, "states");
    CHECK(b.st->set.heartbeat_s == 300, "settings");
    CHECK_TRACE(&b, "Boot S0:Available S1:Available");
    CHECK(strstr(b.request, "/OTHER ") != NULL, "identity");
    world_close(&a);
    world_close(&b);
}

int main(void)
{
    RUN(test_upgrade);
    RUN(test_refused_upgrades);
    RUN(test_back_off);
    RUN(test_back_off_is_random);
    RUN(test_no_tight_loop);
    RUN(test_ping_from_server);
    RUN(test_own_pings);
    RUN(test_reconnect);
    RUN(test_bad_frames);
    RUN(test_framing);
    RUN(test_longest_message);
    RUN(test_unreadable_is_counted);
    RUN(test_late_answer);
    RUN(test_one_call_in_flight);
    RUN(test_sending);
    RUN(test_flood);
    RUN(test_two_stations);
    return check_end();
}
