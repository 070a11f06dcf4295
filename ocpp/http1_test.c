/* Heads: what is read, what is refused and as what. Every case is also fed from its first byte on:
 * the verdict must come at one moment and stay. */
#include "ocpp/check.h"
#include "ocpp/http1.h"

#include <stdlib.h>

#define BYTES(text)            \
    {                          \
        text, sizeof(text) - 1 \
    }
#define GET "GET / HTTP/1.1\r\n"

enum { KEEP = 1, CHUNKED = 2, UPGRADE = 4, NO_LENGTH = -1 };

/* clang-format off */
static const struct {
    const char *why;
    struct amp_text in;
    const char *method, *path, *query; /* NULL query: none */
    int minor, flags;
    int64_t length;
    unsigned count;
} good[] = {
    { "smallest", BYTES("GET / HTTP/1.1\r\n\r\n"), "GET", "/", NULL, 1, KEEP, NO_LENGTH, 0 },
    { "HTTP/1.0", BYTES("GET / HTTP/1.0\r\n\r\n"), "GET", "/", NULL, 0, 0, NO_LENGTH, 0 },
    { "a later minor version", BYTES("GET / HTTP/1.9\r\n\r\n"), "GET", "/", NULL, 9, KEEP,
      NO_LENGTH, 0 },
    { "empty line in front", BYTES("\r\nGET / HTTP/1.1\r\n\r\n"), "GET", "/", NULL, 1, KEEP,
      NO_LENGTH, 0 },
    { "query", BYTES("GET /a?b=c?d HTTP/1.1\r\n\r\n"), "GET", "/a", "b=c?d", 1, KEEP, NO_LENGTH,
      0 },
    { "empty query", BYTES("GET /a? HTTP/1.1\r\n\r\n"), "GET", "/a", "", 1, KEEP, NO_LENGTH, 0 },
    { "escapes stay", BYTES("GET /a%2Fb%20 HTTP/1.1\r\n\r\n"), "GET", "/a%2Fb%20", NULL, 1, KEEP,
      NO_LENGTH, 0 },
    { "bar and UTF-8 in the target", BYTES("GET /RDAM|1\xC3\xA4 HTTP/1.1\r\n\r\n"), "GET",
      "/RDAM|1\xC3\xA4", NULL, 1, KEEP, NO_LENGTH, 0 },
    { "absolute target", BYTES("GET http://h:80/a?b HTTP/1.1\r\n\r\n"), "GET", "/a", "b", 1, KEEP,
      NO_LENGTH, 0 },
    { "absolute target of a WebSocket", BYTES("GET WS://h/ocpp/CP1 HTTP/1.1\r\n\r\n"), "GET",
      "/ocpp/CP1", NULL, 1, KEEP, NO_LENGTH, 0 },
    { "absolute target without path", BYTES("GET https://h HTTP/1.1\r\n\r\n"), "GET", "/", NULL, 1,
      KEEP, NO_LENGTH, 0 },
    { "absolute target with query alone", BYTES("GET wss://h?q HTTP/1.1\r\n\r\n"), "GET", "/", "q",
      1, KEEP, NO_LENGTH, 0 },
    { "star", BYTES("OPTIONS * HTTP/1.1\r\n\r\n"), "OPTIONS", "*", NULL, 1, KEEP, NO_LENGTH, 0 },
    { "blanks around a value", BYTES(GET "A: \t b \t\r\n\r\n"), "GET", "/", NULL, 1, KEEP,
      NO_LENGTH, 1 },
    { "no blank, empty value", BYTES(GET "A:b\r\nC:\r\nD: \r\n\r\n"), "GET", "/", NULL, 1, KEEP,
      NO_LENGTH, 3 },
    { "odd names, high bytes", BYTES(GET "!#$%&'*+-.^_`|~9: \xE4\xFF\r\n\r\n"), "GET", "/", NULL, 1,
      KEEP, NO_LENGTH, 1 },
    { "length", BYTES("POST / HTTP/1.1\r\nContent-Length: 12\r\n\r\n"), "POST", "/", NULL, 1, KEEP,
      12, 1 },
    { "length of 18 digits", BYTES(GET "content-length: 999999999999999999\r\n\r\n"), "GET", "/",
      NULL, 1, KEEP, 999999999999999999, 1 },
    { "the same length twice", BYTES(GET "Content-Length: 5\r\nCONTENT-LENGTH: 05\r\n\r\n"), "GET",
      "/", NULL, 1, KEEP, 5, 2 },
    { "chunked", BYTES(GET "Transfer-Encoding: Chunked\r\n\r\n"), "GET", "/", NULL, 1,
      KEEP | CHUNKED, NO_LENGTH, 1 },
    { "close", BYTES(GET "Connection: close\r\n\r\n"), "GET", "/", NULL, 1, 0, NO_LENGTH, 1 },
    { "close in a list", BYTES(GET "Connection: x, Close ,y\r\n\r\n"), "GET", "/", NULL, 1, 0,
      NO_LENGTH, 1 },
    { "keep-alive of 1.0", BYTES("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), "GET", "/",
      NULL, 0, KEEP, NO_LENGTH, 1 },
    { "close wins", BYTES(GET "Connection: keep-alive\r\nConnection: close\r\n\r\n"), "GET", "/",
      NULL, 1, 0, NO_LENGTH, 2 },
    { "upgrade", BYTES(GET "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"), "GET", "/", NULL,
      1, KEEP | UPGRADE, NO_LENGTH, 2 },
    { "upgrade in other letters",
      BYTES(GET "upgrade: WebSocket\r\nconnection: keep-alive, upgrade\r\n\r\n"), "GET", "/", NULL,
      1, KEEP | UPGRADE, NO_LENGTH, 2 },
    { "upgrade in a list", BYTES(GET "Upgrade: h2c, websocket\r\nConnection: Upgrade\r\n\r\n"),
      "GET", "/", NULL, 1, KEEP | UPGRADE, NO_LENGTH, 2 },
    { "no Connection (edge case 51)", BYTES(GET "Upgrade: websocket\r\n\r\n"), "GET", "/", NULL, 1,
      KEEP | UPGRADE, NO_LENGTH, 1 },
    { "odd Connection (edge case 51)",
      BYTES(GET "Upgrade: websocket\r\nConnection: keep-alive\r\n\r\n"), "GET", "/", NULL, 1,
      KEEP | UPGRADE, NO_LENGTH, 2 },
    { "Connection alone is no upgrade", BYTES(GET "Connection: Upgrade\r\n\r\n"), "GET", "/", NULL,
      1, KEEP, NO_LENGTH, 1 },
    { "another upgrade", BYTES(GET "Upgrade: websockets\r\n\r\n"), "GET", "/", NULL, 1, KEEP,
      NO_LENGTH, 1 },
    { "without Host", BYTES(GET "A: b\r\n\r\n"), "GET", "/", NULL, 1, KEEP, NO_LENGTH, 1 },
};
/* clang-format on */

/* clang-format off */
static const struct {
    const char *why;
    struct amp_text in;
} bad[] = {
    { "TLS hello", BYTES("\x16\x03\x01\x02") },
    { "modem noise", BYTES("\r\n+CREG: 1\r\n") },
    { "two empty lines", BYTES("\r\n\r\nGET / HTTP/1.1\r\n\r\n") },
    { "line end alone in front", BYTES("\nGET / HTTP/1.1\r\n\r\n") },
    { "CR in front of text", BYTES("\rGET / HTTP/1.1\r\n\r\n") },
    { "blank in front", BYTES(" GET / HTTP/1.1\r\n\r\n") },
    { "method of 17 letters", BYTES("ABCDEFGHIJKLMNOPQ / HTTP/1.1\r\n\r\n") },
    { "no token", BYTES("G@T / HTTP/1.1\r\n\r\n") },
    { "method alone", BYTES("GET\r\n\r\n") },
    { "no target", BYTES("GET HTTP/1.1\r\n\r\n") },
    { "HTTP/0.9", BYTES("GET /\r\n\r\n") },
    { "two blanks", BYTES("GET  / HTTP/1.1\r\n\r\n") },
    { "blank in the target", BYTES("GET /CP 1 HTTP/1.1\r\n\r\n") },
    { "blank behind the version", BYTES("GET / HTTP/1.1 \r\n\r\n") },
    { "HTTP/2.0", BYTES("GET / HTTP/2.0\r\n\r\n") },
    { "http/1.1", BYTES("GET / http/1.1\r\n\r\n") },
    { "HTTP/1.10", BYTES("GET / HTTP/1.10\r\n\r\n") },
    { "HTTP/1.", BYTES("GET / HTTP/1.\r\n\r\n") },
    { "target without a slash", BYTES("GET ocpp/CP1 HTTP/1.1\r\n\r\n") },
    { "authority as target", BYTES("CONNECT h:80 HTTP/1.1\r\n\r\n") },
    { "absolute without host", BYTES("GET http:///a HTTP/1.1\r\n\r\n") },
    { "scheme alone", BYTES("GET http:// HTTP/1.1\r\n\r\n") },
    { "unknown scheme", BYTES("GET ftp://h/ HTTP/1.1\r\n\r\n") },
    { "NUL in the target", BYTES("GET /\0 HTTP/1.1\r\n\r\n") },
    { "tab in the target", BYTES("GET /\t HTTP/1.1\r\n\r\n") },
    { "CR in the target", BYTES("GET /\r HTTP/1.1\r\n\r\n") },
    { "first line ends in LF", BYTES("GET / HTTP/1.1\nA: b\r\n\r\n") },
    { "field ends in LF", BYTES(GET "A: b\n\r\n") },
    { "empty line is LF", BYTES(GET "A: b\r\n\n") },
    { "CR inside a value", BYTES(GET "A: b\rc\r\n\r\n") },
    { "CR twice", BYTES(GET "A: b\r\r\n\r\n") },
    { "NUL inside a value", BYTES(GET "A: b\0c\r\n\r\n") },
    { "DEL inside a value", BYTES(GET "A: b\x7F\r\n\r\n") },
    { "NUL inside a name", BYTES(GET "A\0: b\r\n\r\n") },
    { "folded line", BYTES(GET "A: b\r\n c\r\n\r\n") },
    { "folded by a tab", BYTES(GET "A: b\r\n\tc: d\r\n\r\n") },
    { "folded first field", BYTES(GET " A: b\r\n\r\n") },
    { "blank before the colon", BYTES(GET "A : b\r\n\r\n") },
    { "tab before the colon", BYTES(GET "A\t: b\r\n\r\n") },
    { "no colon", BYTES(GET "A b\r\n\r\n") },
    { "no name", BYTES(GET ": b\r\n\r\n") },
    { "name beyond ASCII", BYTES(GET "\xC3\xA4: b\r\n\r\n") },
    { "two lengths", BYTES(GET "Content-Length: 5\r\nContent-Length: 6\r\n\r\n") },
    { "list of lengths", BYTES(GET "Content-Length: 5, 5\r\n\r\n") },
    { "negative length", BYTES(GET "Content-Length: -1\r\n\r\n") },
    { "length with sign", BYTES(GET "Content-Length: +1\r\n\r\n") },
    { "length in hex", BYTES(GET "Content-Length: 0x5\r\n\r\n") },
    { "empty length", BYTES(GET "Content-Length:\r\n\r\n") },
    { "length of 19 digits", BYTES(GET "Content-Length: 1000000000000000000\r\n\r\n") },
    { "length and coding", BYTES(GET "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n") },
    { "coding and length", BYTES(GET "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n") },
    { "another coding", BYTES(GET "Transfer-Encoding: gzip\r\n\r\n") },
    { "two codings", BYTES(GET "Transfer-Encoding: gzip, chunked\r\n\r\n") },
    { "coding twice",
      BYTES(GET "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n") },
    { "disguised coding", BYTES(GET "Transfer-Encoding: \vchunked\r\n\r\n") },
    { "coding in 1.0", BYTES("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") },
    { "Host twice", BYTES(GET "Host: a\r\nHost: a\r\n\r\n") },
};
/* clang-format on */

typedef int (*parser)(struct amp_text in, struct amp_http_head *out);

/* The verdict on the first n bytes, in memory that ends there. */
static int verdict(parser parse, struct amp_text in, size_t n, struct amp_http_head *out)
{
    char *copy = malloc(n + (n == 0));
    int rc;

    memcpy(copy, in.at, n);
    rc = parse((struct amp_text){ copy, (uint32_t)n }, out);
    free(copy);
    return rc;
}

/* Each beginning of `in` must say "more", then the verdict on the whole for ever. */
static void feed(parser parse, struct amp_text in, int rc, size_t len, const char *why)
{
    struct amp_http_head h;
    bool decided = false;

    for (size_t n = 0; n <= in.len; n++) {
        int now = verdict(parse, in, n, &h);

        CHECK(now == (decided ? rc : now == rc ? rc : 0), "%s: %d after %zu bytes", why, now, n);
        CHECK(rc < 0 || now == (n >= len), "%s: %d after %zu bytes of %zu", why, now, n, len);
        CHECK(now <= 0 || h.len == len, "%s: length %zu", why, h.len);
        decided |= now == rc;
    }
    CHECK(decided, "%s: no verdict", why);
}

static void test_good(void)
{
    for (size_t i = 0; i < AMP_COUNT(good); i++) {
        const char *why = good[i].why;
        struct amp_http_head h;
        int rc = amp_http_request(good[i].in, &h), flags;

        CHECK(rc == 1, "%s: %d", why, rc);
        if (rc != 1)
            continue;
        flags = (h.keep_alive ? KEEP : 0) | (h.chunked ? CHUNKED : 0) | (h.upgrade ? UPGRADE : 0);
        CHECK(amp_text_is(h.method, good[i].method), "%s: method %.*s", why, AMP_FMT(h.method));
        CHECK(amp_text_is(h.path, good[i].path), "%s: path %.*s", why, AMP_FMT(h.path));
        CHECK(!h.query.at == !good[i].query && amp_text_eq(h.query, amp_text_of(good[i].query)),
              "%s: query", why);
        CHECK(h.minor == good[i].minor, "%s: minor %d", why, h.minor);
        CHECK(flags == good[i].flags, "%s: flags %d", why, flags);
        CHECK(h.content_length == good[i].length, "%s: length %lld", why,
              (long long)h.content_length);
        CHECK(h.count == good[i].count, "%s: %u fields", why, h.count);
        feed(amp_http_request, good[i].in, 1, good[i].in.len, why);
    }
}

static void test_bad(void)
{
    struct amp_http_head h;

    for (size_t i = 0; i < AMP_COUNT(bad); i++) {
        int rc = amp_http_request(bad[i].in, &h);

        CHECK(rc == AMP_E_PROTOCOL, "%s: %d", bad[i].why, rc);
        feed(amp_http_request, bad[i].in, AMP_E_PROTOCOL, 0, bad[i].why);
    }
}

/* What stands behind the head is not looked at, however wrong. */
static void test_body(void)
{
    struct amp_http_head h;
    struct amp_text in =
        AMP_TEXT("POST /x HTTP/1.1\r\nContent-Length: 4\r\nX: y\r\n\r\n\0\r\n: GET");

    CHECK(amp_http_request(in, &h) == 1 && h.len == in.len - 8, "%zu of %u", h.len,
          (unsigned)in.len);
    CHECK(h.count == 2 && amp_text_is(h.headers[1].name, "X") &&
              amp_text_is(h.headers[1].value, "y"),
          "fields");
    CHECK(amp_text_is(h.target, "/x"), "target");
}

/* Heads of an exact size, and of one byte more; with 64 fields, and with 65. */
static void test_limits(void)
{
    static char block[AMP_HTTP_HEAD_MAX + 100];
    static const char start[] = GET "A: ";
    struct amp_http_head h;
    struct amp_buf b;
    size_t n;

    memcpy(block, start, sizeof(start) - 1);
    memset(block + sizeof(start) - 1, 'x', sizeof(block) - sizeof(start) + 1);
    for (n = 0; n <= AMP_HTTP_HEAD_MAX + 1; n++) {
        int rc = amp_http_request((struct amp_text){ block, (uint32_t)n }, &h);

        CHECK(rc == (n < AMP_HTTP_HEAD_MAX ? 0 : AMP_E_SIZE), "%d after %zu bytes of one line", rc,
              n);
    }
    memcpy(block + AMP_HTTP_HEAD_MAX - 4, "\r\n\r\n", 4);
    CHECK(amp_http_request((struct amp_text){ block, sizeof(block) }, &h) == 1 &&
              h.len == AMP_HTTP_HEAD_MAX,
          "fits");
    memcpy(block + AMP_HTTP_HEAD_MAX - 4, "x\r\n\r\n", 5);
    CHECK(amp_http_request((struct amp_text){ block, AMP_HTTP_HEAD_MAX + 1 }, &h) == AMP_E_SIZE,
          "more");
    CHECK(amp_http_request((struct amp_text){ block, sizeof(block) }, &h) == AMP_E_SIZE,
          "one byte more");

    for (unsigned fields = AMP_HTTP_HEADERS_MAX; fields <= AMP_HTTP_HEADERS_MAX + 1; fields++) {
        bool fits = fields == AMP_HTTP_HEADERS_MAX;

        amp_buf_init(&b, block, sizeof(block));
        amp_buf_puts(&b, GET);
        for (unsigned i = 0; i < fields; i++)
            amp_buf_puts(&b, "A: b\r\n");
        amp_buf_puts(&b, "\r\n");
        feed(amp_http_request, amp_buf_text(&b), fits ? 1 : AMP_E_SIZE, fits ? b.len : 0,
             "many fields");
    }
}

/* clang-format off */
static const struct {
    const char *why;
    struct amp_text in;
    int rc, status;
    const char *reason;
} answers[] = {
    { "101", BYTES("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"), 1, 101,
      "Switching Protocols" },
    { "empty reason", BYTES("HTTP/1.1 401 \r\n\r\n"), 1, 401, "" },
    { "no reason", BYTES("HTTP/1.0 599\r\n\r\n"), 1, 599, "" },
    { "odd reason", BYTES("HTTP/1.1 404 Nicht \xE4\t!\r\n\r\n"), 1, 404, "Nicht \xE4\t!" },
    { "two digits", BYTES("HTTP/1.1 20 OK\r\n\r\n"), AMP_E_PROTOCOL, 0, "" },
    { "four digits", BYTES("HTTP/1.1 2000 OK\r\n\r\n"), AMP_E_PROTOCOL, 0, "" },
    { "below 100", BYTES("HTTP/1.1 099 OK\r\n\r\n"), AMP_E_PROTOCOL, 0, "" },
    { "above 599", BYTES("HTTP/1.1 600 OK\r\n\r\n"), AMP_E_PROTOCOL, 0, "" },
    { "letters", BYTES("HTTP/1.1 2xx OK\r\n\r\n"), AMP_E_PROTOCOL, 0, "" },
    { "no status", BYTES("HTTP/1.1\r\n\r\n"), AMP_E_PROTOCOL, 0, "" },
    { "two blanks", BYTES("HTTP/1.1  200 OK\r\n\r\n"), AMP_E_PROTOCOL, 0, "" },
    { "NUL in the reason", BYTES("HTTP/1.1 200 O\0K\r\n\r\n"), AMP_E_PROTOCOL, 0, "" },
    { "HTTP/2", BYTES("HTTP/2 200 OK\r\n\r\n"), AMP_E_PROTOCOL, 0, "" },
    { "another protocol", BYTES("SSH-2.0-OpenSSH\r\n"), AMP_E_PROTOCOL, 0, "" },
    { "another protocol, unfinished", BYTES("SSH-2.0"), AMP_E_PROTOCOL, 0, "" },
    { "folded", BYTES("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"), AMP_E_PROTOCOL, 0, "" },
    { "two lengths", BYTES("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
      AMP_E_PROTOCOL, 0, "" },
};
/* clang-format on */

static void test_response(void)
{
    for (size_t i = 0; i < AMP_COUNT(answers); i++) {
        struct amp_http_head h;
        int rc = amp_http_response(answers[i].in, &h);

        CHECK(rc == answers[i].rc, "%s: %d", answers[i].why, rc);
        feed(amp_http_response, answers[i].in, answers[i].rc, rc > 0 ? answers[i].in.len : 0,
             answers[i].why);
        if (rc != 1)
            continue;
        CHECK(h.status == answers[i].status, "%s: %d", answers[i].why, h.status);
        CHECK(amp_text_is(h.reason, answers[i].reason), "%s: %.*s", answers[i].why,
              AMP_FMT(h.reason));
        CHECK(h.upgrade == (h.status == 101), "%s", answers[i].why);
    }
}

static void test_get(void)
{
    struct amp_http_head h;

    CHECK(amp_http_request(AMP_TEXT(GET "Aa: 1\r\naA: 2\r\nB:\r\n\r\n"), &h) == 1, "parsed");
    CHECK(amp_text_is(amp_http_get(&h, "AA"), "1"), "the first, in any case");
    CHECK(amp_http_get(&h, "b").at && amp_http_get(&h, "b").len == 0, "there, but empty");
    CHECK(!amp_http_get(&h, "a").at, "absent");
}

static void test_list(void)
{
    /* clang-format off */
    static const struct {
        const char *why;
        struct amp_text in;
        const char *items;
    } rows[] = {
        { "none", BYTES(GET "A: b\r\n\r\n"), "" },
        { "one", BYTES(GET "P: ocpp1.6\r\n\r\n"), "[ocpp1.6]" },
        { "several in order", BYTES(GET "P: ocpp2.0.1, ocpp1.6\r\n\r\n"), "[ocpp2.0.1][ocpp1.6]" },
        { "empty items", BYTES(GET "P: ,, ocpp1.6 ,\t,\r\n\r\n"), "[ocpp1.6]" },
        { "several headers", BYTES(GET "P: a,b\r\nX: y\r\np: \r\nP:c ,\r\n\r\n"), "[a][b][c]" },
        { "case and blanks inside stay", BYTES(GET "P: OCPP1.6,ocpp 1.6\r\n\r\n"),
          "[OCPP1.6][ocpp 1.6]" },
    };
    /* clang-format on */

    for (size_t i = 0; i < AMP_COUNT(rows); i++) {
        struct amp_http_head h;
        struct amp_text item;
        unsigned header = 0;
        uint32_t at = 0;
        char block[64];
        struct amp_buf b;

        amp_buf_init(&b, block, sizeof(block));
        CHECK(amp_http_request(rows[i].in, &h) == 1, "%s", rows[i].why);
        while (amp_http_list(&h, "P", &header, &at, &item)) {
            amp_buf_putc(&b, '[');
            amp_buf_text_put(&b, item);
            amp_buf_putc(&b, ']');
        }
        CHECK(amp_text_is(amp_buf_text(&b), rows[i].items), "%s: %.*s", rows[i].why,
              AMP_FMT(amp_buf_text(&b)));
        CHECK(!amp_http_list(&h, "P", &header, &at, &item), "%s: the end stays the end",
              rows[i].why);
    }
}

int main(void)
{
    RUN(test_good);
    RUN(test_bad);
    RUN(test_body);
    RUN(test_limits);
    RUN(test_response);
    RUN(test_get);
    RUN(test_list);
    return check_end();
}
