/* central/proxy_test.c - E41, E65: whose words about the origin are believed. */
#include "central/proxy.h"
#include "ocpp/check.h"

#include <stdio.h>
#include <stdlib.h>

static void test_origin(void)
{
    static const struct {
        const char *why, *list, *peer, *headers, *host;
        bool secure, want;
    } cases[] = {
        { "nobody is trusted", "", "10.0.0.1:5",
          "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n", "10.0.0.1", false, false },
        { "the proxy is", "10.0.0.0/8", "10.0.0.1:5",
          "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n", "192.0.2.7", false, true },
        { "another is not", "10.0.0.0/8", "11.0.0.1:5",
          "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n", "11.0.0.1", false, false },
        { "what the client wrote itself is not believed", "10.0.0.0/8", "10.0.0.1:5",
          "X-Forwarded-For: 1.2.3.4, 192.0.2.7\r\n", "192.0.2.7", false, false },
        { "two proxies", "10.0.0.1, 10.0.0.2", "10.0.0.1:5",
          "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 10.0.0.2\r\n", "192.0.2.7", false,
          false },
        { "with a port", "::1", "[::1]:5", "X-Forwarded-For: 192.0.2.7:99\r\n", "192.0.2.7", false,
          false },
        { "IPv6", "::1", "[::1]:5", "X-Forwarded-For: \"[2001:db8::7]:99\"\r\n", "2001:db8::7",
          false, false },
        { "a proxy that says plain", "::1", "[::1]:5", "X-Forwarded-Proto: http\r\n", "::1", true,
          false },
        { "our own TLS", "", "10.0.0.1:5", "X-Forwarded-Proto: http\r\n", "10.0.0.1", true, true },
        { "an odd mask", "10.1.2.192/26", "10.1.2.193:5", "X-Forwarded-Proto: wss\r\n",
          "10.1.2.193", false, true },
        { "beside it", "10.1.2.192/26", "10.1.2.191:5", "X-Forwarded-Proto: wss\r\n", "10.1.2.191",
          false, false },
    };

    for (size_t i = 0; i < AMP_COUNT(cases); i++) {
        struct amp_http_head head;
        struct origin o;
        char text[512], *why = NULL;
        struct proxies *p = proxies_new(cases[i].list, &why);

        CHECK(p, "%s: %s", cases[i].why, why ? why : "");
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\n%s\r\n", cases[i].headers);
        CHECK(amp_http_request(amp_text_of(text), &head) == 1, "%s", cases[i].why);
        proxy_origin(p, cases[i].peer, cases[i].secure, &head, &o);
        CHECK(!strcmp(o.host, cases[i].host), "%s: %s", cases[i].why, o.host);
        CHECK(o.secure == cases[i].want, "%s: secure %d", cases[i].why, o.secure);
        proxies_free(p);
    }
}

static void test_bad_lists(void)
{
    static const char *const bad[] = { "localhost", "10.0.0.0/33", "::1/129", "10.0.0.0/x", "1.2" };

    for (size_t i = 0; i < AMP_COUNT(bad); i++) {
        char *why = NULL;

        CHECK(!proxies_new(bad[i], &why) && why && strstr(why, "trusted-proxies"), "%s", bad[i]);
        free(why);
    }
}

int main(void)
{
    RUN(test_origin);
    RUN(test_bad_lists);
    return check_end();
}
