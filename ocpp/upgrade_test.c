/* Both ends of the handshake against RFC 6455 §1.3 and against each other, and what stations do in
 * the field. */
#include "ocpp/check.h"
#include "ocpp/http1.h"
#include "ocpp/upgrade.h"

#define KEY     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define LINE    "GET /ocpp/CP1 HTTP/1.1\r\n"
#define SAMPLE  ((const uint8_t *)"the sample nonce")

static void test_accept(void)
{
    char out[AMP_WS_ACCEPT_LEN + 1];

    amp_ws_accept(AMP_TEXT("dGhlIHNhbXBsZSBub25jZQ=="), out);
    CHECK(!strcmp(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "%s", out);
    amp_ws_accept(AMP_TEXT("x3JJHMbDL1EzLkh9GBhXDw=="), out);
    CHECK(!strcmp(out, "HSmrc0sMlYUkAGmm5OPpG2HaGWk="), "%s", out);
    amp_ws_accept(AMP_TEXT("dGhlIHNhbXBsZSBub25jZQ==and much, much more than a key may have"), out);
    CHECK(!strcmp(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "a long one is cut: %s", out);
    amp_ws_accept(AMP_NO_TEXT, out);
    CHECK(strlen(out) == AMP_WS_ACCEPT_LEN, "%s", out);
}

static void test_asked(void)
{
    /* clang-format off */
    static const struct {
        const char *why, *in;
        int rc;
    } rows[] = {
        { "as the RFC has it", LINE UPGRADE KEY VERSION, 0 },
        { "no Connection (edge case 51)", LINE "Upgrade: websocket\r\n" KEY VERSION, 0 },
        { "22 digits drawn at random",
          LINE UPGRADE VERSION "Sec-WebSocket-Key: zzzzzzzzzzzzzzzzzzzzzz==\r\n", 0 },
        { "no upgrade", LINE "Connection: Upgrade\r\n" KEY VERSION, AMP_E_ABSENT },
        { "POST", "POST /ocpp/CP1 HTTP/1.1\r\n" UPGRADE KEY VERSION, AMP_E_PROTOCOL },
        { "HTTP/1.0", "GET /ocpp/CP1 HTTP/1.0\r\n" UPGRADE KEY VERSION, AMP_E_PROTOCOL },
        { "no version", LINE UPGRADE KEY, AMP_E_SUPPORT },
        { "version 8", LINE UPGRADE KEY "Sec-WebSocket-Version: 8\r\n", AMP_E_SUPPORT },
        { "no key", LINE UPGRADE VERSION, AMP_E_PROTOCOL },
        { "empty key", LINE UPGRADE VERSION "Sec-WebSocket-Key:\r\n", AMP_E_PROTOCOL },
        { "two keys", LINE UPGRADE VERSION KEY KEY, AMP_E_PROTOCOL },
        { "short key", LINE UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n",
          AMP_E_PROTOCOL },
        { "unpadded key", LINE UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n",
          AMP_E_PROTOCOL },
        { "half padded key", LINE UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQA=\r\n",
          AMP_E_PROTOCOL },
        { "key of other letters",
          LINE UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j-_==\r\n", AMP_E_PROTOCOL },
    };
    /* clang-format on */

    for (size_t i = 0; i < AMP_COUNT(rows); i++) {
        char block[512];
        struct amp_buf b;
        struct amp_http_head h;
        struct amp_text key = AMP_NO_TEXT;
        int rc;

        amp_buf_init(&b, block, sizeof(block));
        amp_buf_puts(&b, rows[i].in);
        amp_buf_puts(&b, "\r\n");
        CHECK(amp_http_request(amp_buf_text(&b), &h) == 1, "%s: head", rows[i].why);
        rc = amp_ws_asked(&h, &key);
        CHECK(rc == rows[i].rc, "%s: %d", rows[i].why, rc);
        CHECK(rc < 0 || key.len == AMP_WS_KEY_LEN, "%s: key %.*s", rows[i].why, AMP_FMT(key));
    }
}

static void test_identity(void)
{
    /* clang-format off */
    static const struct {
        const char *why, *path, *base;
        int rc; /* 0: `id` */
        const char *id;
    } rows[] = {
        { "plain", "/ocpp/CP001", "/ocpp", 0, "CP001" },
        { "no base", "/CP001", "", 0, "CP001" },
        { "longer base", "/a/b/CP001", "/a/b", 0, "CP001" },
        { "blank", "/ocpp/RDAM%20123", "/ocpp", 0, "RDAM 123" },
        { "bar, encoded and not (edge case 36)", "/ocpp/RDAM%7C12|3", "/ocpp", 0, "RDAM|12|3" },
        { "decoded once", "/ocpp/a%2520b", "/ocpp", 0, "a%20b" },
        { "slash inside the identity", "/ocpp/a%2Fb", "/ocpp", 0, "a/b" },
        { "plus is a plus", "/ocpp/a+b", "/ocpp", 0, "a+b" },
        { "UTF-8", "/ocpp/%C3%A4", "/ocpp", 0, "\xC3\xA4" },
        { "characters of 2.x", "/ocpp/*-_=+%7C%40.x", "/ocpp", 0, "*-_=+|@.x" },
        { "slash behind (edge case 35)", "/ocpp/CP1/", "/ocpp", 0, "CP1" },
        { "slashes", "//ocpp///CP1//", "/ocpp", 0, "CP1" },
        { "segments in between", "/ocpp/websocket/site/CP1", "/ocpp", 0, "CP1" },
        { "a whole URL as path", "/ws://10.0.0.1:8180/ocpp/CP1", "/ocpp", 0, "CP1" },
        { "the same with TLS", "/WSS://h/ocpp/CP1", "/ocpp", 0, "CP1" },
        { "as long as the room", "/ocpp/0123456789abcdef", "/ocpp", 0, "0123456789abcdef" },
        { "longer", "/ocpp/0123456789abcdefg", "/ocpp", AMP_E_FULL, "" },
        { "elsewhere", "/api/v1/chargers", "/ocpp", AMP_E_ABSENT, "" },
        { "base is a prefix of a segment", "/ocppx/CP1", "/ocpp", AMP_E_ABSENT, "" },
        { "base alone", "/ocpp", "/ocpp", AMP_E_ABSENT, "" },
        { "base and a slash", "/ocpp/", "/ocpp", AMP_E_ABSENT, "" },
        { "base and slashes", "/ocpp///", "/ocpp", AMP_E_ABSENT, "" },
        { "root", "/", "", AMP_E_ABSENT, "" },
        { "star", "*", "/ocpp", AMP_E_ABSENT, "" },
        { "empty", "", "/ocpp", AMP_E_ABSENT, "" },
        { "URL without path", "/ws://h", "/ocpp", AMP_E_ABSENT, "" },
        { "bad escape", "/ocpp/CP%2", "/ocpp", AMP_E_FORMAT, "" },
        { "dot", "/ocpp/.", "/ocpp", AMP_E_VALUE, "" },
        { "dots, encoded", "/ocpp/%2E%2e", "/ocpp", AMP_E_VALUE, "" },
        { "colon", "/ocpp/CP:1", "/ocpp", AMP_E_VALUE, "" },
        { "NUL", "/ocpp/CP%001", "/ocpp", AMP_E_VALUE, "" },
        { "line end", "/ocpp/CP%0A", "/ocpp", AMP_E_VALUE, "" },
        { "DEL", "/ocpp/CP%7F", "/ocpp", AMP_E_VALUE, "" },
        { "broken UTF-8", "/ocpp/%C3", "/ocpp", AMP_E_VALUE, "" },
    };
    /* clang-format on */

    for (size_t i = 0; i < AMP_COUNT(rows); i++) {
        char out[16];
        int rc =
            amp_ws_identity(amp_text_of(rows[i].path), amp_text_of(rows[i].base), out, sizeof(out));

        CHECK((rc < 0 ? rc : 0) == rows[i].rc, "%s: %d", rows[i].why, rc);
        CHECK(rc < 0 || amp_text_is((struct amp_text){ out, (uint32_t)rc }, rows[i].id), "%s: %.*s",
              rows[i].why, rc, out);
    }
}

/* Client and server, whole: what one writes the other reads. */
static void test_shake_hands(void)
{
    /* clang-format off */
    static const struct {
        const char *url, *id, *protocols, *auth; /* NULL: absent */
        const char *line, *host;
    } rows[] = {
        { "ws://csms:8180/ocpp", "CP1", "ocpp1.6", NULL, "/ocpp/CP1", "csms:8180" },
        { "ws://csms", "RDAM 1/2", "ocpp2.0.1,ocpp1.6", "Basic YTpi", "/RDAM%201%2F2", "csms" },
        { "wss://csms:443/a/", "CP1", NULL, NULL, "/a/CP1", "csms" },
        { "wss://[::1]:80/ocpp?x=1", "CP1", "ocpp1.6", NULL, "/ocpp/CP1?x=1", "[::1]:80" },
        { "ws://[::1]/", "\xC3\xA4", "ocpp1.6", NULL, "/%C3%A4", "[::1]" },
    };
    /* clang-format on */

    for (size_t i = 0; i < AMP_COUNT(rows); i++) {
        char ask[512], answer[512];
        struct amp_buf out;
        struct amp_url url;
        struct amp_http_head h;
        struct amp_text key, protocol;

        CHECK(amp_url_parse(amp_text_of(rows[i].url), &url) == 0, "%s", rows[i].url);
        amp_buf_init(&out, ask, sizeof(ask));
        amp_ws_request(&out, &url, amp_text_of(rows[i].id), rows[i].protocols,
                       amp_text_of(rows[i].auth), SAMPLE);
        CHECK(!out.full && amp_http_request(amp_buf_text(&out), &h) == 1 && h.len == out.len,
              "%s: request", rows[i].url);
        CHECK(amp_text_is(h.target, rows[i].line), "%s: %.*s", rows[i].url, AMP_FMT(h.target));
        CHECK(amp_text_is(amp_http_get(&h, "Host"), rows[i].host), "%.*s",
              AMP_FMT(amp_http_get(&h, "Host")));
        CHECK(amp_text_is(amp_http_get(&h, "Connection"), "Upgrade"), "%s: Connection",
              rows[i].url);
        CHECK(amp_text_eq(amp_http_get(&h, "Sec-WebSocket-Protocol"),
                          amp_text_of(rows[i].protocols)),
              "protocols");
        CHECK(amp_text_eq(amp_http_get(&h, "Authorization"), amp_text_of(rows[i].auth)), "%s: auth",
              rows[i].url);
        CHECK(amp_ws_asked(&h, &key) == 0 && amp_text_is(key, "dGhlIHNhbXBsZSBub25jZQ=="),
              "%s: key", rows[i].url);

        protocol = rows[i].protocols ? AMP_TEXT("ocpp1.6") : AMP_NO_TEXT;
        amp_buf_init(&out, answer, sizeof(answer));
        amp_ws_response(&out, key, protocol);
        CHECK(!out.full && amp_http_response(amp_buf_text(&out), &h) == 1 && h.len == out.len,
              "%s: answer", rows[i].url);
        CHECK(amp_ws_welcomed(&h, SAMPLE, &protocol) == 0, "%s: refused", rows[i].url);
        CHECK(!protocol.at == !rows[i].protocols, "%s: protocol %.*s", rows[i].url,
              AMP_FMT(protocol));
        CHECK(amp_ws_welcomed(&h, (const uint8_t *)"The sample nonce", &protocol) == AMP_E_PROTOCOL,
              "another's answer");
    }
}

static void test_not_welcomed(void)
{
    /* clang-format off */
    static const struct {
        const char *why, *in;
    } rows[] = {
        { "401", "HTTP/1.1 401 Unauthorized\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "
                 "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n" },
        { "200", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
        { "another upgrade", "HTTP/1.1 101 OK\r\nUpgrade: h2c\r\nSec-WebSocket-Accept: "
                             "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n" },
        { "no key", "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\n\r\n" },
        { "key in other case", "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "
                               "S3PPLMBITXAQ9KYGZZHZRBK+XOO=\r\n\r\n" },
    };
    /* clang-format on */

    for (size_t i = 0; i < AMP_COUNT(rows); i++) {
        struct amp_http_head h;
        struct amp_text protocol;

        CHECK(amp_http_response(amp_text_of(rows[i].in), &h) == 1, "%s: head", rows[i].why);
        CHECK(amp_ws_welcomed(&h, SAMPLE, &protocol) == AMP_E_PROTOCOL, "%s", rows[i].why);
    }
}

/* Nothing that comes from a configuration can start a header of its own. */
static void test_injection(void)
{
    struct amp_url url;
    struct amp_buf out;
    char block[512];

    CHECK(amp_url_parse(AMP_TEXT("ws://h/"), &url) == 0, "url");
    amp_buf_init(&out, block, sizeof(block));
    amp_ws_request(&out, &url, AMP_TEXT("a"), "ocpp1.6\r\nX: y", AMP_NO_TEXT, SAMPLE);
    CHECK(out.full && out.len == 0, "protocols");
    amp_buf_reset(&out);
    amp_ws_request(&out, &url, AMP_TEXT("a"), "ocpp1.6", AMP_TEXT("Basic YTpi\n"), SAMPLE);
    CHECK(out.full && out.len == 0, "auth");
    amp_buf_reset(&out);
    amp_ws_request(&out, &url, AMP_TEXT("a\r\nb"), NULL, AMP_NO_TEXT, SAMPLE);
    CHECK(!out.full && !memcmp(block, "GET /a%0D%0Ab HTTP/1.1\r\n", 24), "identity");
}

int main(void)
{
    RUN(test_accept);
    RUN(test_asked);
    RUN(test_identity);
    RUN(test_shake_hands);
    RUN(test_not_welcomed);
    RUN(test_injection);
    return check_end();
}
