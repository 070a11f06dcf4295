/* central/rest/events.c - GET /api/v1/events: the live feed as Server-Sent Events, for scripts.
 * Every event, nothing merged: curl -N -H "Authorization: Bearer $KEY"
 * "http://127.0.0.1:8180/api/v1/events?topics=transactions" Resumes behind Last-Event-ID or
 * ?since=. HTML Living Standard §9.2. */
#include "central/rest/feed.h"
#include "central/rest/routes.h"
#include <stdlib.h>

static void reader_gone(struct rest_owned *o)
{
    live_remove((struct live_reader *)o);
    free(o);
}

static const struct rest_owner stream_owner = { .gone = reader_gone };

/* Comma separated names; absent: all. False: a problem was answered. */
static bool topics_of(struct rest_call *call, unsigned *out)
{
    char value[128], *at = value;

    *out = (1u << TOPICS) - 1;
    if (!rest_query(call, "topics", value, sizeof value))
        return true;
    *out = 0;
    while (*at) {
        size_t n = strcspn(at, ",");
        int t = live_topic_find((struct amp_text){ at, (uint32_t)n });

        if (t < 0) {
            rest_problem(call,
                         &(struct rest_problem){
                             .status = 400,
                             .kind = "bad-parameter",
                             .title = "No such topic",
                             .field = "topics",
                             .cure = "Give some of chargers,transactions,messages,commands." },
                         "The topic \"%.*s\" is unknown.", (int)n, at);
            return false;
        }
        *out |= 1u << t;
        at += n + (at[n] == ',');
    }
    return true;
}

void rest_events(struct rest_call *call)
{
    struct rest *rest = call->rest;
    struct net_conn *conn = rest_conn(call);
    struct amp_text last = amp_http_get(call->head, "Last-Event-ID");
    int64_t since = 0, charger = 0;
    struct live_reader *r;
    unsigned topics;

    if (!topics_of(call, &topics) || !rest_query_charger(call, &charger) ||
        !rest_query_int(call, "since", 0, INT64_MAX, &since))
        return;
    if (last.at && amp_text_int(last, &since) < 0)
        since = 0;
    r = calloc(1, sizeof *r);
    if (!r)
        abort();
    r->org = call->who.org;
    r->user = call->who.user;
    r->topics = topics;
    r->charger = charger;
    r->stream = true;
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
    rest_own(rest, conn, &r->owned, &stream_owner);
    net_stream_begin(conn, 200, "text/event-stream", rest_security_headers(false));
    live_start(r, since);
}
