/* central/rest/socket.c - GET /api/v1/live: a browser's WebSocket. It sends one subscription and
 * may replace it; all else closes it. */
#include "central/rest/feed.h"
#include "central/rest/routes.h"
#include <stdlib.h>

#include "messages/api.h"

static void reader_gone(struct rest_owned *o)
{
    live_remove((struct live_reader *)o);
    free(o);
}

/* "subscribe": fills topics and charger. 0, or an error: what was sent makes no sense. */
static int subscribe(struct live_reader *r, struct central *c, struct amp_text data, int64_t *since)
{
    static const enum live_topic by_value[] = {
        [API_TOPIC_CHARGERS] = TOPIC_CHARGERS,
        [API_TOPIC_TRANSACTIONS] = TOPIC_TRANSACTIONS,
        [API_TOPIC_MESSAGES] = TOPIC_MESSAGES,
        [API_TOPIC_COMMANDS] = TOPIC_COMMANDS,
    };
    struct api_subscribe q;
    const struct charger *ch = NULL;
    unsigned wanted = 0;
    int rc;

    amp_arena_reset(&c->arena);
    rc = amp_decode(api.messages[API_SUBSCRIBE].request, AMP_OCPP16, AMP_LENIENT, data, &q,
                    &c->arena, NULL, NULL);
    if (rc < 0)
        return rc;
    if (q.subscribe.charger.at) {
        ch = world_charger(c->world, q.subscribe.charger);
        if (!ch || charger_fact(ch)->org != r->org)
            return AMP_E_ABSENT;
    }
    for (uint32_t i = 0; i < q.subscribe.topics.len; i++)
        wanted |= 1u << by_value[q.subscribe.topics.at[i]];
    r->topics = wanted;
    r->charger = ch ? charger_fact(ch)->key : 0;
    *since = q.has & API_HAS_SUBSCRIBE_SINCE ? q.since : 0;
    return 0;
}

static void reader_message(struct rest_owned *o, enum amp_ws_opcode op, struct amp_text data)
{
    struct live_reader *r = (struct live_reader *)o;
    int64_t since = 0;

    if (op != AMP_WS_TEXT)
        net_close(o->conn, 1003, "text only");
    else if (subscribe(r, live_central(r->live), data, &since) < 0)
        net_close(o->conn, 4000,
                  "expected {\"subscribe\":{\"topics\":[...],\"charger\":...},\"since\":...}");
    else
        live_start(r, since);
}

static const struct rest_owner socket_owner = { .message = reader_message, .gone = reader_gone };

void rest_live(struct rest_call *call)
{
    struct rest *rest = call->rest;
    const struct amp_http_head *head = call->head;
    struct net_conn *conn = rest_conn(call);
    struct live_reader *r;

    if (!head->upgrade || !amp_http_get(head, "Sec-WebSocket-Key").at) {
        rest_problem(call,
                     &(struct rest_problem){
                         .status = 426,
                         .kind = "websocket-only",
                         .title = "This path speaks WebSocket",
                         .cure = "Open it as ws:// or wss://, or use GET /api/v1/events.",
                         .headers = "Upgrade: websocket\r\n" },
                     "The request is no WebSocket upgrade.");
        return;
    }
    if (!people_same_origin(head)) { /* browsers send cookies along with any site's upgrade, and no
                                        preflight guards it */
        rest_problem(call,
                     &(struct rest_problem){ .status = 403,
                                             .kind = "foreign-origin",
                                             .title = "Not from this page",
                                             .field = "Origin",
                                             .cure = "Open the page of this server." },
                     "The page that opens the socket belongs to another site.");
        return;
    }
    r = calloc(1, sizeof *r);
    if (!r)
        abort();
    r->org = call->who.org;
    r->user = call->who.user;
    if (!live_add(call->c->live, r)) {
        free(r);
        rest_problem(call,
                     &(struct rest_problem){ .status = 503,
                                             .kind = "too-many-readers",
                                             .title = "Too many live connections",
                                             .cure = "Close some, or try again later.",
                                             .headers = "Retry-After: 30\r\n" },
                     "The live feed has no room for another reader.");
        return;
    }
    rest_drop(call);
    rest_own(rest, conn, &r->owned, &socket_owner);
    net_upgrade(conn, head, AMP_NO_TEXT);
}
