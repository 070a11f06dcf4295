/* URLs as they are configured: what is taken, and what is refused before it is dialled. */
#include "ocpp/check.h"
#include "ocpp/url.h"

/* clang-format off */
static const struct {
    const char *in, *host;
    int port;
    const char *path, *query; /* NULL query: none */
} good[] = {
    { "ws://csms.example.com:8180/ocpp", "csms.example.com", 8180, "/ocpp", NULL },
    { "ws://csms", "csms", 80, "", NULL },
    { "wss://csms", "csms", 443, "", NULL },
    { "WSS://csms:80/", "csms", 80, "/", NULL },
    { "Ws://10.0.0.1:1/a/b%20c/", "10.0.0.1", 1, "/a/b%20c/", NULL },
    { "wss://[::1]:65535/x", "::1", 65535, "/x", NULL },
    { "ws://[fe80::1]", "fe80::1", 80, "", NULL },
    { "ws://[::ffff:10.0.0.1]/", "::ffff:10.0.0.1", 80, "/", NULL },
    { "ws://my_csms:9000/steve/websocket/CentralSystemService", "my_csms", 9000,
      "/steve/websocket/CentralSystemService", NULL },
    { "ws://h/p?token=a:b@c/d?e", "h", 80, "/p", "token=a:b@c/d?e" },
    { "ws://h?x", "h", 80, "", "x" },
    { "ws://h/?", "h", 80, "/", "" },
    { "ws://h/a@b:c", "h", 80, "/a@b:c", NULL },
};
/* clang-format on */

static const struct {
    const char *why, *in;
} bad[] = {
    { "empty", "" },
    { "another scheme", "http://h/" },
    { "no scheme", "csms.example.com/ocpp" },
    { "one slash", "ws:/h/" },
    { "scheme alone", "ws://" },
    { "no host", "ws:///ocpp" },
    { "no host before the port", "ws://:80/" },
    { "no host before the query", "ws://?x" },
    { "user name", "ws://user@h/" },
    { "user name and password", "ws://user:secret@h:80/" },
    { "user name before an address in brackets", "ws://u@[::1]/" },
    { "port 0", "ws://h:0/" },
    { "port 65536", "ws://h:65536/" },
    { "port of six digits", "ws://h:000080/" },
    { "no port behind the colon", "ws://h:/" },
    { "letters in the port", "ws://h:8o/" },
    { "sign in the port", "ws://h:+80/" },
    { "IPv6 without brackets", "ws://::1/" },
    { "bracket not closed", "ws://[::1/" },
    { "empty brackets", "ws://[]/" },
    { "a name in brackets", "ws://[csms]/" },
    { "IPv4 in brackets", "ws://[10.0.0.1]/" },
    { "zone in brackets", "ws://[fe80::1%25eth0]/" },
    { "too long for an address", "ws://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0]/" },
    { "text behind the bracket", "ws://[::1]x/" },
    { "fragment", "ws://h/#top" },
    { "blank", "ws://h/a b" },
    { "blank in front", " ws://h/" },
    { "line end, which would start a header", "ws://h/a\r\nX: y" },
    { "beyond ASCII", "ws://h/\xC3\xA4" },
    { "DEL", "ws://h/\x7F" },
    { "percent in a host", "ws://h%41/" },
    { "backslash", "ws://h\\@x/" },
};

static void test_good(void)
{
    for (size_t i = 0; i < AMP_COUNT(good); i++) {
        struct amp_url u;
        int rc = amp_url_parse(amp_text_of(good[i].in), &u);

        CHECK(rc == 0, "%s: %d", good[i].in, rc);
        if (rc < 0)
            continue;
        CHECK(u.tls == (good[i].in[2] != ':'), "%s: tls", good[i].in);
        CHECK(amp_text_is(u.host, good[i].host), "%s: host %.*s", good[i].in, AMP_FMT(u.host));
        CHECK(u.port == good[i].port, "%s: port %d", good[i].in, u.port);
        CHECK(amp_text_is(u.path, good[i].path), "%s: path %.*s", good[i].in, AMP_FMT(u.path));
        CHECK(!u.query.at == !good[i].query && amp_text_eq(u.query, amp_text_of(good[i].query)),
              "%s: query %.*s", good[i].in, AMP_FMT(u.query));
    }
}

static void test_bad(void)
{
    struct amp_url u;

    for (size_t i = 0; i < AMP_COUNT(bad); i++) {
        int rc = amp_url_parse(amp_text_of(bad[i].in), &u);

        CHECK(rc == AMP_E_FORMAT, "%s: %d", bad[i].why, rc);
    }
    CHECK(amp_url_parse(AMP_TEXT("ws://h\0.example/"), &u) == AMP_E_FORMAT, "NUL in the host");
    CHECK(amp_url_parse(AMP_NO_TEXT, &u) == AMP_E_FORMAT, "absent");
}

int main(void)
{
    RUN(test_good);
    RUN(test_bad);
    return check_end();
}
