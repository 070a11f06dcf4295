/* central/rest/live_test.c - the feed: what readers get, merged, bounded, resumed; sockets and
 * streams. */
#include "central/rest/stage.h"

#include "messages/api.h"

#define UPGRADE                                                                     \
    AS_ADMIN "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: " \
             "13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static char arena_block[1 << 20];

static struct net_conn *socket_open(int i)
{
    struct net_conn *c =
        stage_send(i, "GET", "/api/v1/live", UPGRADE "Origin: http://amp.test\r\n", NULL);

    CHECK(c->status == 101, "upgraded: %d %s", c->status, c->body ? c->body : "");
    return c;
}

static void say(struct net_conn *c, const char *text)
{
    rest_message(stage.c.rest, c, AMP_WS_TEXT, amp_text_of(text));
}

/* Every frame is what api.def says. */
static void check_frame(const char *why, const struct net_conn *c)
{
    struct amp_arena arena;
    struct amp_fault fault = { 0 };
    struct api_subscribe_reply out;
    int rc;

    amp_arena_init(&arena, arena_block, sizeof arena_block);
    rc = amp_decode(api.messages[API_SUBSCRIBE].reply, AMP_OCPP16, AMP_STRICT,
                    amp_text_of(c->frame ? c->frame : ""), &out, &arena, &fault, NULL);
    CHECK(rc == 0, "%s: %s: %s: %s", why, fault.path, fault.why ? fault.why : "",
          c->frame ? c->frame : "no frame");
}

static unsigned times(const char *text, const char *part)
{
    unsigned n = 0;

    for (; text && (text = strstr(text, part)); text++)
        n++;
    return n;
}

static void flush(struct net_conn *c)
{
    stage_settle();
    c->frames = 0;
    live_flush(stage.c.live);
}

static void tell(int64_t charger, int64_t n)
{
    char payload[32];
    struct message_fact m = { .at_ms = stage_now_ms,
                              .charger = charger,
                              .direction = MESSAGE_SENT,
                              .type = 3,
                              .latency_ms = 3 };

    snprintf(payload, sizeof payload, "{\"n\":%lld}", (long long)n);
    m.payload = amp_text_of(payload);
    live_publish(stage.c.live, &(struct fact){ .kind = FACT_MESSAGE, .u.message = m });
}

static void set_status(struct charger *ch, const char *status)
{
    struct connector_fact k = { .connector = 1,
                                .status = amp_text_of(status),
                                .at_ms = stage_now_ms,
                                .seen_ms = stage_now_ms };

    world_status(stage.c.world, ch, 1, &k);
}

static void test_subscribe(void)
{
    struct charger *ch;
    struct net_conn *c;

    stage_open();
    ch = stage_charger("CP1");
    c = socket_open(1);
    set_status(ch, "Preparing");
    flush(c);
    CHECK(c->frames == 0, "nothing before the subscription");
    say(c, "{\"subscribe\":{\"topics\":[\"chargers\"]}}");
    CHECK(c->frames == 1 && stage_has(c->frame, "\"events\":[]"), "a first frame: %s", c->frame);
    check_frame("first", c);
    set_status(ch, "Charging");
    set_status(ch, "SuspendedEV");
    set_status(ch, "Finishing");
    flush(c);
    CHECK(c->frames == 1 && times(c->frame, "\"kind\":\"connector\"") == 1 &&
              stage_has(c->frame, "Finishing"),
          "merged: %s", c->frame);
    CHECK(stage_has(c->frame, "\"charger\":\"CP1\"") && stage_has(c->frame, "\"connectorId\":1"),
          "%s", c->frame);
    check_frame("merged", c);
    tell(charger_fact(ch)->key, 1);
    flush(c);
    CHECK(c->frames == 0, "another topic");
    say(c, "{\"subscribe\":{\"topics\":[\"messages\"]}}");
    tell(charger_fact(ch)->key, 2);
    flush(c);
    CHECK(stage_has(c->frame, "\"payload\":{\"n\":2}") && !stage_has(c->frame, "\"n\":1"),
          "from now on: %s", c->frame);
    check_frame("message", c);
    flush(c);
    CHECK(c->frames == 0, "nothing new, nothing sent");
    live_alive(stage.c.live);
    stage_close();
}

static void test_filter(void)
{
    struct net_conn *c;
    struct charger *one, *two;

    stage_open();
    one = stage_charger("CP1");
    two = stage_charger("CP2");
    stage_settle();
    c = socket_open(1);
    say(c, "{\"subscribe\":{\"topics\":[\"chargers\",\"messages\"],\"charger\":\"cp2\"}}");
    set_status(one, "Faulted");
    set_status(two, "Reserved");
    flush(c);
    CHECK(stage_has(c->frame, "Reserved") && !stage_has(c->frame, "Faulted"), "%s", c->frame);
    say(c, "{\"subscribe\":{\"topics\":[\"chargers\"],\"charger\":\"NONE\"}}");
    CHECK(c->closed == 4000, "a charger that nobody knows");
    stage_close();
}

static void test_bounded(void)
{
    struct charger *ch;
    struct net_conn *c;

    stage_open();
    ch = stage_charger("CP1");
    stage_settle();
    c = socket_open(1);
    say(c, "{\"subscribe\":{\"topics\":[\"messages\"]}}");
    for (int i = 0; i < LIVE_MESSAGES + 50; i++)
        tell(charger_fact(ch)->key, i);
    flush(c);
    CHECK(times(c->frame, "\"kind\":\"message\"") == LIVE_MESSAGES &&
              stage_has(c->frame, "\"dropped\":50"),
          "the newest, and a count");
    CHECK(!stage_has(c->frame, "\"n\":49}") && stage_has(c->frame, "\"n\":50}") &&
              stage_has(c->frame, "\"n\":149}"),
          "the newest");
    check_frame("bounded", c);
    for (int i = 0; i < LIVE_RING + 1; i++)
        tell(charger_fact(ch)->key, i);
    flush(c);
    CHECK(stage_has(c->frame, "\"resync\":true") && !stage_has(c->frame, "events"),
          "more than the ring holds: %s", c->frame);
    check_frame("resync", c);
    tell(charger_fact(ch)->key, 7);
    flush(c);
    CHECK(stage_has(c->frame, "\"n\":7}") && !stage_has(c->frame, "resync"), "and on: %s",
          c->frame);
    stage_close();
}

static void test_resume(void)
{
    struct charger *ch;
    struct net_conn *c;
    char text[128];
    int64_t seq;

    stage_open();
    ch = stage_charger("CP1");
    stage_settle();
    seq = live_seq(stage.c.live);
    tell(charger_fact(ch)->key, 1);
    tell(charger_fact(ch)->key, 2);
    c = socket_open(1);
    snprintf(text, sizeof text, "{\"subscribe\":{\"topics\":[\"messages\"]},\"since\":%lld}",
             (long long)seq + 1);
    say(c, text);
    CHECK(c->frames == 1 && stage_has(c->frame, "\"n\":2}") && !stage_has(c->frame, "\"n\":1}"),
          "behind the number: %s", c->frame);
    say(c, "{\"subscribe\":{\"topics\":[\"messages\"]},\"since\":5}");
    CHECK(stage_has(c->frame, "\"resync\":true"), "a number of an earlier process: %s", c->frame);
    snprintf(text, sizeof text, "{\"subscribe\":{\"topics\":[\"messages\"]},\"since\":%lld}",
             (long long)seq + 99);
    say(c, text);
    CHECK(stage_has(c->frame, "\"resync\":true"), "a number of the future: %s", c->frame);
    stage_close();
}

static void test_closing(void)
{
    static const struct {
        const char *why, *text;
    } cases[] = {
        { "no JSON", "hello" },
        { "no subscription", "{}" },
        { "no such topic", "{\"subscribe\":{\"topics\":[\"weather\"]}}" },
        { "no topic", "{\"subscribe\":{\"topics\":[]}}" },
    };
    struct net_conn *c;

    stage_open();
    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        c = socket_open(1);
        say(c, cases[i].text);
        CHECK(c->closed == 4000, "%s: %d", cases[i].why, c->closed);
        rest_closed(stage.c.rest, c, 4000, "");
        rest_gone(stage.c.rest, c);
        stage_conn_forget(c);
    }
    CHECK(live_readers(stage.c.live) == 0, "all gone");
    c = socket_open(1);
    rest_message(stage.c.rest, c, AMP_WS_BINARY, AMP_TEXT("x"));
    CHECK(c->closed == 1003, "text only");
    c = stage_send(2, "GET", "/api/v1/live", UPGRADE "Origin: http://evil.test\r\n", NULL);
    CHECK(c->status == 403, "another site's page");
    c = stage_send(3, "GET", "/api/v1/live", UPGRADE "Origin: null\r\n", NULL);
    CHECK(c->status == 403, "a page of nowhere");
    c = stage_send(4, "GET", "/api/v1/live", UPGRADE, NULL);
    CHECK(c->status == 101, "a program");
    stage_close();
}

static void test_stream(void)
{
    struct charger *ch;
    struct net_conn *c;
    char head[160];
    int64_t seq;

    stage_open();
    ch = stage_charger("CP1");
    stage_settle();
    c = stage_send(1, "GET", "/api/v1/events?topics=chargers,messages", AS_ADMIN, NULL);
    CHECK(c->status == 200 && !strcmp(c->type, "text/event-stream"), "a stream");
    seq = live_seq(stage.c.live);
    set_status(ch, "Preparing");
    set_status(ch, "Charging");
    flush(c);
    CHECK(times(c->streamed, "event: chargers\n") == 2, "nothing merged: %s", c->streamed);
    snprintf(head, sizeof head, "id: %lld\nevent: chargers\ndata: {\"seq\":%lld,",
             (long long)seq + 1, (long long)seq + 1);
    CHECK(stage_has(c->streamed, head), "%s in %s", head, c->streamed);
    snprintf(head, sizeof head, AS_ADMIN "Last-Event-ID: %lld\r\n", (long long)seq + 1);
    c = stage_send(2, "GET", "/api/v1/events", head, NULL);
    CHECK(times(c->streamed, "event: chargers\n") == 1 && stage_has(c->streamed, "Charging"),
          "resumed: %s", c->streamed);
    c = stage_send(3, "GET", "/api/v1/events?since=1", AS_ADMIN, NULL);
    CHECK(stage_has(c->streamed, "event: resync\n"), "too old: %s", c->streamed);
    stage_close();
}

/* The feed tells nothing that is a secret. */
static void test_secrets(void)
{
    static const enum fact_kind kinds[] = { FACT_TAG, FACT_USER, FACT_LOGIN, FACT_API_KEY,
                                            FACT_STATUS };
    int64_t seq;

    stage_open();
    seq = live_seq(stage.c.live);
    for (size_t i = 0; i < AMP_COUNT(kinds); i++)
        live_publish(stage.c.live, &(struct fact){ .kind = kinds[i] });
    CHECK(live_seq(stage.c.live) == seq, "no event");
    stage_close();
}

static void test_long_payload(void)
{
    static char text[LIVE_PAYLOAD + 8];
    struct message_fact m = {
        .at_ms = 1767225600000, .direction = MESSAGE_RECEIVED, .type = 2, .latency_ms = -1
    };
    struct net_conn *c;

    stage_open();
    m.charger = charger_fact(stage_charger("CP1"))->key;
    stage_settle();
    c = socket_open(1);
    say(c, "{\"subscribe\":{\"topics\":[\"messages\"]}}");
    memset(text, ' ', sizeof text);
    text[0] = '{';
    text[LIVE_PAYLOAD - 1] = '}';
    m.payload = (struct amp_text){ text, LIVE_PAYLOAD };
    live_publish(stage.c.live, &(struct fact){ .kind = FACT_MESSAGE, .u.message = m });
    m.payload.len++;
    live_publish(stage.c.live, &(struct fact){ .kind = FACT_MESSAGE, .u.message = m });
    flush(c);
    CHECK(times(c->frame, "\"payload\":{") == 1 && stage_has(c->frame, "\"payloadBytes\":8193"),
          "%.200s", c->frame);
    check_frame("long", c);
    stage_close();
}

/* Readings that carry some measurands keep the others; a late one changes nothing; the end forgets
 * them. */
static void test_numbers(void)
{
    struct reading_fact a = { .transaction = 5,
                              .at_ms = 2000,
                              .has = READING_POWER | READING_SOC,
                              .power_w = 7,
                              .soc_permille = 200 };
    struct reading_fact b = { .transaction = 5, .at_ms = 3000, .has = READING_POWER, .power_w = 9 };
    struct reading_fact late = {
        .transaction = 5, .at_ms = 1000, .has = READING_POWER, .power_w = 1
    };
    const struct reading_fact *r;

    stage_open();
    live_load(stage.c.live, &(struct fact){ .kind = FACT_READING, .u.reading = a });
    live_publish(stage.c.live, &(struct fact){ .kind = FACT_READING, .u.reading = b });
    live_publish(stage.c.live, &(struct fact){ .kind = FACT_READING, .u.reading = late });
    r = live_reading(stage.c.live, 5);
    CHECK(r && r->power_w == 9 && r->soc_permille == 200 && r->at_ms == 3000, "merged");
    CHECK(!live_reading(stage.c.live, 5 + 4096), "another transaction in the same place");
    live_publish(stage.c.live, &(struct fact){ .kind = FACT_TRANSACTION,
                                               .u.transaction = { .key = 5, .stop_ms = 4000 } });
    CHECK(!live_reading(stage.c.live, 5), "forgotten");
    stage_close();
}

int main(void)
{
    RUN(test_subscribe);
    RUN(test_filter);
    RUN(test_bounded);
    RUN(test_resume);
    RUN(test_closing);
    RUN(test_stream);
    RUN(test_secrets);
    RUN(test_long_payload);
    RUN(test_numbers);
    return check_end();
}
