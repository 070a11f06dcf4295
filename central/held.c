/* central/held.c - see held.h. The head's slices point into the text that it was parsed from, so it
 * is parsed again in the copy. */
#include "central/held.h"
#include <stdlib.h>

struct held *held_new(const struct net_request *r, struct amp_text name)
{
    /* an empty line in front of a request is skipped; the body is behind the head, also where there
     * is none */
    const char *from = r->head->method.at;
    size_t head = (size_t)(r->body.at - from), size = head + r->body.len + name.len;
    struct held *h = malloc(sizeof *h + size);

    if (!h)
        abort();
    *h = (struct held){ .next = NULL };
    memcpy(h->text, from, head);
    if (r->body.len)
        memcpy(h->text + head, r->body.at, r->body.len);
    memcpy(h->text + head + r->body.len, name.at, name.len);
    if (amp_http_request((struct amp_text){ h->text, (uint32_t)head }, &h->head) != 1)
        abort(); /* it was one a moment ago */
    h->name = (struct amp_text){ h->text + head + r->body.len, name.len };
    h->request = (struct net_request){ .conn = r->conn,
                                       .head = &h->head,
                                       .body = { h->text + head, r->body.len } };
    return h;
}

struct held *held_take(struct held **list, struct amp_text name)
{
    struct held *taken = NULL, **end = &taken;

    while (*list) {
        struct held *h = *list;

        if (!amp_text_eqi(h->name, name)) {
            list = &h->next;
            continue;
        }
        *list = h->next;
        h->next = NULL;
        *end = h;
        end = &h->next;
    }
    return taken;
}

void held_gone(struct held *list, const struct net_conn *conn)
{
    for (; list; list = list->next)
        if (list->request.conn == conn)
            list->request.conn = NULL;
}
