/* central/rest/health.c - for whoever watches the process: alive, ready, counters in Prometheus'
 * text format 0.0.4. */
#include "central/rest/feed.h"
#include "central/rest/routes.h"
#include "central/rest/shapes.h"

static void put_ok(struct rest_call *call)
{
    struct amp_json *w = rest_begin(call);

    amp_json_open(w, '{');
    amp_json_key(w, "status");
    amp_json_str(w, "ok");
    amp_json_key(w, "version");
    amp_json_str(w, AMP_VERSION);
    amp_json_close(w, '}');
    rest_send(call, 200);
}

void rest_healthz(struct rest_call *call)
{
    put_ok(call);
}

static void durable(struct rest_call *call)
{
    if (rest_conn(call))
        put_ok(call);
    else
        rest_drop(call);
}

/* A commit that works is the only proof that what stations report can be acknowledged. */
void rest_readyz(struct rest_call *call)
{
    rest_after(call, durable);
}

static void metric(struct amp_buf *b, const char *name, const char *kind, const char *help,
                   uint64_t value)
{
    amp_buf_puts(b, "# HELP amperstand_");
    amp_buf_puts(b, name);
    amp_buf_putc(b, ' ');
    amp_buf_puts(b, help);
    amp_buf_puts(b, "\n# TYPE amperstand_");
    amp_buf_puts(b, name);
    amp_buf_putc(b, ' ');
    amp_buf_puts(b, kind);
    amp_buf_puts(b, "\namperstand_");
    amp_buf_puts(b, name);
    amp_buf_putc(b, ' ');
    amp_buf_int(b, value > INT64_MAX ? INT64_MAX : (int64_t)value);
    amp_buf_putc(b, '\n');
}

struct census {
    uint64_t chargers, connected, stale, pending, running;
};

static struct census count(struct world *w)
{
    struct census n = { .chargers = world_charger_count(w) };

    for (size_t i = 0; i < n.chargers; i++) {
        const struct charger *ch = world_charger_at(w, i);
        const struct charger_fact *f = charger_fact(ch);

        n.connected += f->connection == CONNECTION_CONNECTED;
        n.stale += f->connection == CONNECTION_STALE;
        n.pending += f->registration == REGISTRATION_PENDING;
        for (size_t k = 1; k <= charger_connectors(ch); k++)
            n.running += charger_transaction(ch, (int)k) != NULL;
    }
    return n;
}

void rest_metrics(struct rest_call *call)
{
    struct central *c = call->c;
    struct amp_buf *b = &call->rest->out;
    struct census n = count(c->world);
    struct store_stats store;
    struct net_stats net;

    store_stats(c->store, &store);
    net_stats(c->net, &net);
    amp_buf_reset(b);
    metric(b, "chargers", "gauge", "Chargers known", n.chargers);
    metric(b, "chargers_connected", "gauge", "Chargers connected", n.connected);
    metric(b, "chargers_stale", "gauge", "Chargers connected but overdue", n.stale);
    metric(b, "chargers_pending", "gauge", "Chargers waiting for a person's decision", n.pending);
    metric(b, "transactions_running", "gauge", "Charging sessions that run", n.running);
    metric(b, "connections_open", "gauge", "Open sockets", net.open);
    metric(b, "websockets_open", "gauge", "Open WebSockets, stations and browsers", net.websockets);
    metric(b, "connections_accepted_total", "counter", "Sockets accepted", net.accepted);
    metric(b, "connections_refused_total", "counter", "Sockets refused", net.refused);
    metric(b, "received_bytes_total", "counter", "Bytes read from sockets", net.rx_bytes);
    metric(b, "sent_bytes_total", "counter", "Bytes written to sockets", net.tx_bytes);
    metric(b, "received_messages_total", "counter", "WebSocket messages received", net.rx_messages);
    metric(b, "sent_messages_total", "counter", "WebSocket messages sent", net.tx_messages);
    metric(b, "store_facts_total", "counter", "Facts handed to the store", store.facts);
    metric(b, "store_commits_total", "counter", "Group commits", store.commits);
    metric(b, "store_failures_total", "counter", "Commits that failed", store.failures);
    metric(b, "store_pending", "gauge", "Facts that wait for a commit", store.pending);
    metric(b, "store_last_commit_microseconds", "gauge", "Duration of the newest commit",
           store.last_commit_us);
    metric(b, "store_max_commit_microseconds", "gauge", "Longest commit so far",
           store.max_commit_us);
    metric(b, "live_readers", "gauge", "Browsers and scripts on the live feed",
           live_readers(c->live));
    metric(b, "http_requests_total", "counter", "API requests", call->rest->requests);
    metric(b, "http_problems_total", "counter", "API requests answered with a problem",
           call->rest->problems);
    metric(b, "http_denied_total", "counter", "API requests without the right to ask",
           call->rest->denied);
    metric(b, "started_seconds", "gauge", "Unix time of the start",
           (uint64_t)(c->started_ms / 1000));
    rest_reply(call, 200, "text/plain; version=0.0.4; charset=utf-8", "", b->at, b->len);
}
