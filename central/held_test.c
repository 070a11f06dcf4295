/* A request that is held is the same one when it comes again. */
#include "central/held.h"
#include "ocpp/check.h"
#include <stdlib.h>

static void test_copy(void)
{
    static const char text[] =
        "\r\nPOST /api/v1/chargers?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: "
        "4\r\nX-Y: z\r\n\r\n{\"a\"";
    char *block = malloc(sizeof text);
    struct amp_text in = { memcpy(block, text, sizeof text), sizeof text - 1 };
    struct held *list = NULL, *h, *taken;
    struct amp_http_head head;
    struct net_request r;

    CHECK(amp_http_request(in, &head) == 1, "a request");
    r = (struct net_request){ (struct net_conn *)(void *)block,
                              &head,
                              { in.at + head.len, in.len - (uint32_t)head.len },
                              false,
                              0 };
    h = held_new(&r, AMP_TEXT("CP1"));
    h->next = held_new(&r, AMP_TEXT("other"));
    h->next->next = held_new(&r, AMP_TEXT("cp1"));
    list = h;
    memset(block, 'x', sizeof text); /* the connection's buffer is another's now */
    CHECK(amp_text_is(h->request.head->method, "POST") &&
              amp_text_is(h->request.head->path, "/api/v1/chargers") &&
              amp_text_is(h->request.head->query, "x=1") &&
              amp_text_is(amp_http_get(h->request.head, "X-Y"), "z") &&
              amp_text_is(h->request.body, "{\"a\""),
          "all of it");
    held_gone(list, (struct net_conn *)(void *)block);
    CHECK(!h->request.conn && !h->next->request.conn, "its client has gone");
    taken = held_take(&list, AMP_TEXT("Cp1"));
    CHECK(taken == h && taken->next && !taken->next->next, "in their order, whatever the case");
    CHECK(list && amp_text_is(list->name, "other") && !list->next, "the other one waits");
    h = held_new(&taken->request, AMP_TEXT("again"));
    CHECK(amp_text_is(h->request.body, "{\"a\""), "a copy of a copy");
    free(h);
    free(taken->next);
    free(taken);
    free(list);
    free(block);
}

int main(void)
{
    RUN(test_copy);
    return check_end();
}
